/* SPDX-License-Identifier: MIT */

/* venera-gpu and a hostile program at the control socket. */

#include "fuzz.h"
#include "gpu_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct gpu_world_options options = {
		.parties = 1U << GPU_WORLD_CONTROL |
			1U << GPU_WORLD_TIME,
		.set_up = true,
		.has_view = false,
		.has_contexts = true,
		.render_behaves = true,
	};
	gpu_world_run(&options, data, size);
	return 0;
}
