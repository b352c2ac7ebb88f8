/* SPDX-License-Identifier: MIT */

/* venera-gpu and a hostile front end, from its first message on. */

#include "fuzz.h"
#include "gpu_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct gpu_world_options options = {
		.parties = 1U << GPU_WORLD_FRONT |
			1U << GPU_WORLD_POKE |
			1U << GPU_WORLD_TIME,
		.set_up = false,
		.has_view = false,
		.has_contexts = false,
		.render_behaves = true,
	};
	gpu_world_run(&options, data, size);
	return 0;
}
