/* SPDX-License-Identifier: MIT */
#include "render/limit.h"

#include <assert.h>
#include <inttypes.h>

#include "render/context.h"

/*
 * Theory of operation
 *
 * Each process counts what its context has in memory that the device shares with it. Of what is
 * limited for all contexts together the device adds up what the others have, and writes that back;
 * it does so when a process tells it that its own use has changed by a step (RENDER_EVENT_USAGE).
 * Nobody waits for an answer. So all together may have more than they should by a step for each,
 * and by what several take at the same moment; what one of them has is exact.
 */

void render_limit_log(struct render_context *context, enum limit limit, uint64_t value) {
	const uint32_t bit = UINT32_C(1) << limit;
	if (atomic_fetch_or(&context->limits_reached, bit) & bit) {
		return;
	}
	char most[LIMIT_TEXT_SIZE];
	log_warn("%s: limit reached: %s=%s (%" PRIu64 " wanted); more is refused from now on without "
		"a line", context->options.name, limit_name(limit),
		limit_format(limit, context->options.limits.value[limit], most), value);
}

static_assert(LIMIT_COUNT <= 32, "limits_reached has a bit for each");

/** Which total the limit adds to; -1: none. */
static int total_of(enum limit limit) {
	return limit == LIMIT_SHARED_MEMORY ? RENDER_SHARED_MEMORY_TOTAL :
		limit == LIMIT_MEMORY ? RENDER_MEMORY_TOTAL : -1;
}

static const enum limit total_limits[RENDER_TOTAL_COUNT] = {
	[RENDER_SHARED_MEMORY_TOTAL] = LIMIT_SHARED_MEMORY_TOTAL,
	[RENDER_MEMORY_TOTAL] = LIMIT_MEMORY_TOTAL,
};

static _Atomic uint64_t *used_of(struct render_context *context, enum limit limit) {
	return &context->counters->used[limit - LIMIT_RENDER_FIRST];
}

static void report(struct render_context *context, int total, uint64_t used) {
	uint64_t before = atomic_load_explicit(&context->reported[total], memory_order_relaxed);
	const uint64_t change = used > before ? used - before : before - used;
	if (change >= RENDER_USAGE_STEP &&
			atomic_compare_exchange_strong(&context->reported[total], &before, used)) {
		channel_send(&context->channel, RENDER_EVENT_USAGE, NULL, 0, NULL, 0, NULL, 0);
	}
}

bool render_limit_take(struct render_context *context, enum limit limit, uint64_t amount) {
	const struct limits *limits = &context->options.limits;
	const uint64_t most = limits->value[limit];
	_Atomic uint64_t *used = used_of(context, limit);
	if (amount > most) {
		render_limit_log(context, limit, amount);
		return false;
	}
	const uint64_t now = atomic_fetch_add_explicit(used, amount, memory_order_relaxed) + amount;
	const int total = total_of(limit);
	enum limit reached = LIMIT_COUNT;
	if (now > most) {
		reached = limit;
	} else if (total >= 0) {
		const uint64_t others = atomic_load_explicit(
			&context->counters->others[total], memory_order_relaxed);
		const uint64_t together = limits->value[total_limits[total]];
		if (others > together || now > together - others) {
			reached = total_limits[total];
		}
	}
	if (reached != LIMIT_COUNT) {
		atomic_fetch_sub_explicit(used, amount, memory_order_relaxed);
		render_limit_log(context, reached, now);
		return false;
	}
	if (total >= 0) {
		report(context, total, now);
	}
	return true;
}

void render_limit_give(struct render_context *context, enum limit limit, uint64_t amount) {
	const uint64_t now = atomic_fetch_sub_explicit(
		used_of(context, limit), amount, memory_order_relaxed) - amount;
	const int total = total_of(limit);
	if (total >= 0) {
		report(context, total, now);
	}
}
