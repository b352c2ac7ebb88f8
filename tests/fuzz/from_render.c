/* SPDX-License-Identifier: MIT */

/* venera-gpu and a hostile render process: a driver's bug may have made it anybody's. */

#include "fuzz.h"
#include "gpu_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct gpu_world_options options = {
		.parties = 1U << GPU_WORLD_RENDER |
			1U << GPU_WORLD_REQUEST,
		.set_up = true,
		.has_view = false,
		.has_contexts = true,
		.render_behaves = false,
	};
	gpu_world_run(&options, data, size);
	return 0;
}
