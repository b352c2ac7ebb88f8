/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_MONITOR_H
#define VENERA_RENDER_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/notifier.h"

struct render_context;

/**
 * A thread that does two things which must happen whatever the driver is busy with: it stamps ALIVE
 * on the rings that asked for it, and it notices that the device closed the channel.
 */
struct render_monitor {
	struct render_context *context;
	pthread_t thread;
	bool started;
	struct notifier notifier;   /* the period changed, or the thread shall end */
	_Atomic bool quit;
	_Atomic uint64_t period_ns; /* the shortest that a ring asked for; 0: none did */
};

/** 0 or -errno. */
int render_monitor_start(struct render_monitor *monitor, struct render_context *context);
void render_monitor_stop(struct render_monitor *monitor);

/** A ring wants to be stamped at least every `period_ns`. */
void render_monitor_watch(struct render_monitor *monitor, uint64_t period_ns);

#endif
