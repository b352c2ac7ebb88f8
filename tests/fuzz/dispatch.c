/* SPDX-License-Identifier: MIT */

/*
 * Executes streams of commands, as they come from a guest, on the fake driver.
 *
 * An input: 8 bytes of how the driver behaves (struct plan_bytes), then commands.
 */

#include <stdlib.h>

#include "filler.h"
#include "fuzz.h"
#include "mutate_commands.h"
#include "render_world.h"

enum {
	FLAG_NO_STOCK = 1,  /* begins with an empty context, as recorded streams do */
	FLAG_FENCE = 2,     /* a fence follows */
	FLAG_EXTENSIONS = 4, /* the device has every extension */
};

struct plan_bytes {
	uint8_t flags, lies, error, fail_every;
	uint16_t fail_at, seed;
};

static const VkResult errors[] = {
	VK_ERROR_OUT_OF_HOST_MEMORY,
	VK_ERROR_OUT_OF_DEVICE_MEMORY,
	VK_ERROR_INITIALIZATION_FAILED,
	VK_ERROR_DEVICE_LOST,
	VK_ERROR_FEATURE_NOT_PRESENT,
	VK_ERROR_FORMAT_NOT_SUPPORTED,
	VK_ERROR_FRAGMENTED_POOL,
	VK_ERROR_UNKNOWN,
	VK_NOT_READY,
	VK_TIMEOUT,
	VK_INCOMPLETE,
	VK_PIPELINE_COMPILE_REQUIRED,
	VK_ERROR_INVALID_EXTERNAL_HANDLE,
	VK_OPERATION_DEFERRED_KHR,
	(VkResult)-123456,
	(VkResult)123456,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct fuzz_input input = {data, size};
	struct plan_bytes bytes;
	fuzz_take(&input, &bytes, sizeof(bytes));
	const struct fake_plan plan = {
		.seed = bytes.seed,
		.fail_at = bytes.fail_at,
		.fail_every = bytes.fail_every,
		.error = errors[bytes.error % (sizeof(errors) / sizeof(errors[0]))],
		.lies = bytes.lies,
		.all_extensions = bytes.flags & FLAG_EXTENSIONS,
	};
	render_world_resource_size = 64 * 1024; /* lists of extensions are long */
	render_world_rewinds = true;
	render_world_begin(&plan, !(bytes.flags & FLAG_NO_STOCK), input.data, input.size);
	render_world_submit(
		input.data, input.size & ~(size_t)3, bytes.flags & FLAG_FENCE ? 1 : -1);
	render_world_end();
	return 0;
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t max_size, uint64_t random) {
	const size_t head = sizeof(struct plan_bytes);
	if (max_size < head) {
		return size;
	}
	if (size < head) {
		memset(data + size, 0, head - size);
		size = head;
	}
	return head + mutate_commands(data + head, size - head, max_size - head, random);
}

void fuzz_finish(void) {
	render_world_finish();
}
