/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "gpu/guest_log.h"

#define PERIOD (10 * CLOCK_NS_PER_S)
#define LINES_PER_PERIOD 40

/* There is one guest and one thread. */
static uint64_t period_begin;
static unsigned period_lines;

bool guest_log_allowed(void) {
	uint64_t now = clock_now();
	if (now - period_begin >= PERIOD) {
		period_begin = now;
		period_lines = 0;
	}
	period_lines++;
	if (period_lines == LINES_PER_PERIOD) {
		log_warn("more than this, of what the guest causes, is not logged for a while");
	}
	return period_lines < LINES_PER_PERIOD;
}
