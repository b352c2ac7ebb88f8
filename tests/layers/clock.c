/* SPDX-License-Identifier: MIT */

/*
 * A clock that depends on nothing but how many frames a program has shown: it stands still while
 * the program draws. In effect in programs that have this library in LD_PRELOAD, for whoever
 * asks the C library for the time, but for those to whom time is a matter of waiting for each
 * other: drivers, loader and window systems. They are told by the file that the call comes from.
 */

#include "clock.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#define FRAME_NS (1000000000 / 60)

static _Atomic long long frames;

void clock_next_frame(void) {
	atomic_fetch_add(&frames, 1);
}

static bool is_ours(const void *caller) {
	static const char *const real[] = {
		"libvulkan", "libgallium", "libgbm", "libdrm", "libEGL", "libGL", "libVkLayer", "libxcb",
		"libX11", "libwayland", "libc.so", "libLLVM", "dri_gbm",
	};
	Dl_info info;
	if (!dladdr(caller, &info) || !info.dli_fname) {
		return false;
	}
	const char *name = strrchr(info.dli_fname, '/');
	name = name ? name + 1 : info.dli_fname;
	for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
		if (strncmp(name, real[i], strlen(real[i])) == 0) {
			return false;
		}
	}
	return true;
}

static struct timespec now(clockid_t clock) {
	/* a time of day that any calendar takes, and an uptime of some hours */
	const long long start = clock == CLOCK_REALTIME ? 1700000000 : 10000;
	const long long ns = atomic_load(&frames) * FRAME_NS;
	return (struct timespec){start + ns / 1000000000, ns % 1000000000};
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *time) {
	if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID || clock < 0 ||
			!is_ours(__builtin_return_address(0))) {
		return (int)syscall(SYS_clock_gettime, clock, time);
	}
	*time = now(clock);
	return 0;
}

EXPORT int gettimeofday(struct timeval *restrict time, void *restrict zone) {
	(void)zone;
	struct timespec t;
	if (is_ours(__builtin_return_address(0))) {
		t = now(CLOCK_REALTIME);
	} else if (syscall(SYS_clock_gettime, CLOCK_REALTIME, &t) < 0) {
		return -1;
	}
	time->tv_sec = t.tv_sec;
	time->tv_usec = t.tv_nsec / 1000;
	return 0;
}

EXPORT time_t time(time_t *time) {
	struct timespec t = now(CLOCK_REALTIME);
	if (!is_ours(__builtin_return_address(0))) {
		syscall(SYS_clock_gettime, CLOCK_REALTIME, &t);
	}
	if (time) {
		*time = t.tv_sec;
	}
	return t.tv_sec;
}
