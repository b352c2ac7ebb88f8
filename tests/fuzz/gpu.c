/* SPDX-License-Identifier: MIT */

/*
 * venera-gpu and a hostile guest, which makes requests on both queues and writes into the queues
 * and its memory what it likes.
 */

#include "fuzz.h"
#include "gpu_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct gpu_world_options options = {
		.parties = 1U << GPU_WORLD_REQUEST |
			1U << GPU_WORLD_POKE |
			1U << GPU_WORLD_TIME |
			1U << GPU_WORLD_PAUSE,
		.set_up = true,
		.has_view = true,
		.has_contexts = false,
		.render_behaves = true,
	};
	gpu_world_run(&options, data, size);
	return 0;
}
