/* SPDX-License-Identifier: MIT */
#include "gpu/limit.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "gpu/context.h"
#include "gpu/device.h"
#include "gpu/guest_log.h"
#include "gpu/renderer.h"

bool gpu_limit_allows(struct gpu_device *device, struct gpu_context *context, enum limit limit,
		uint64_t used, uint64_t more) {
	const uint64_t most = device->options.limits.value[limit];
	if (used <= most && more <= most - used) {
		return true;
	}
	uint32_t *reached = context ? &context->limits_reached : &device->limits_reached;
	const uint32_t bit = UINT32_C(1) << limit;
	if (!(*reached & bit)) {
		*reached |= bit;
		char text[LIMIT_TEXT_SIZE];
		guest_log_warn("%s: limit reached: %s=%s (%" PRIu64 " wanted); more is refused from now "
			"on without a line", context ? context->name : "all contexts", limit_name(limit),
			limit_format(limit, most, text), used + more);
	}
	return false;
}

uint64_t gpu_limit_used(const struct gpu_context *context, enum limit limit) {
	const struct render_counters *counters = renderer_counters(context->renderer);
	const uint64_t used = atomic_load_explicit(
		&counters->used[limit - LIMIT_RENDER_FIRST], memory_order_relaxed);
	const uint64_t most = context->device->options.limits.value[limit];
	return used < most ? used : most;
}

/* Of a lost context only what the guest can still see is left. */
static uint64_t used_of(const struct gpu_context *context, int total) {
	if (context->lost) {
		return total == RENDER_SHARED_MEMORY_TOTAL ? context->owned_bytes : 0;
	}
	return gpu_limit_used(
		context, total == RENDER_SHARED_MEMORY_TOTAL ? LIMIT_SHARED_MEMORY : LIMIT_MEMORY);
}

void gpu_limit_share(struct gpu_device *device) {
	uint64_t sums[RENDER_TOTAL_COUNT] = {
		[RENDER_SHARED_MEMORY_TOTAL] = device->orphan_bytes,
	};
	size_t cursor = 0;
	const struct gpu_context *context;
	while ((context = id_table_next(&device->contexts, &cursor))) {
		for (int i = 0; context->renderer && i < RENDER_TOTAL_COUNT; i++) {
			sums[i] += used_of(context, i);
		}
	}
	cursor = 0;
	while ((context = id_table_next(&device->contexts, &cursor))) {
		for (int i = 0; context->renderer && i < RENDER_TOTAL_COUNT; i++) {
			struct render_counters *counters = renderer_counters(context->renderer);
			const uint64_t own = used_of(context, i);
			/* it may have grown meanwhile */
			atomic_store_explicit(&counters->others[i], sums[i] > own ? sums[i] - own : 0,
				memory_order_relaxed);
		}
	}
	device->used[RENDER_MEMORY_TOTAL] = sums[RENDER_MEMORY_TOTAL];
	device->used[RENDER_SHARED_MEMORY_TOTAL] = sums[RENDER_SHARED_MEMORY_TOTAL];
}
