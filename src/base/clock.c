/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "base/clock.h"
#include "base/os.h"

uint64_t clock_now(void) {
#if OS_MACOS
	/* CLOCK_MONOTONIC counts in whole microseconds there */
	return clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
#else
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
#endif
}

void clock_sleep(uint64_t ns) {
	struct timespec span = {
		.tv_sec = (time_t)(ns / CLOCK_NS_PER_S),
		.tv_nsec = (long)(ns % CLOCK_NS_PER_S),
	};
	nanosleep(&span, NULL);
}
