/* SPDX-License-Identifier: MIT */

/* venera-gpu and a hostile view: a driver's bug may have made it anybody's. */

#include "fuzz.h"
#include "gpu_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct gpu_world_options options = {
		.parties = 1U << GPU_WORLD_VIEW |
			1U << GPU_WORLD_REQUEST |
			1U << GPU_WORLD_TIME,
		.set_up = true,
		.has_view = true,
		.has_contexts = true,
		.render_behaves = true,
	};
	gpu_world_run(&options, data, size);
	return 0;
}
