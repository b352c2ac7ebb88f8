/* SPDX-License-Identifier: MIT */
#include "render/monitor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "render/context.h"
#include "render/device_loss.h"
#include "render/ring.h"

/*
 * Theory of operation
 *
 * A guest that waits for a ring aborts when ALIVE was not set since it last looked, which is how it
 * tells a busy renderer from a dead one. The thread that executes the ring cannot stamp: it may
 * be inside the driver for seconds. So this thread does, three times in the shortest period that a ring
 * asked for, and takes only ring_lock, which nobody holds over a driver call. Whether
 * the guest has heard of lost devices is looked at then, too.
 *
 * The device destroys a context by closing the channel. The context path normally notices, but it may
 * be blocked as well (vkWaitRingSeqnoMESA, or a driver call made on behalf of the guest), so this thread
 * watches for the hang-up too. It wakes every wait of ours; and if the process is then not gone after the
 * grace time, the driver does not come back, and the process ends itself: the kernel gives everything back.
 */

static void stamp_alive(struct render_context *context) {
	pthread_mutex_lock(&context->ring_lock);
	LIST_FOR_EACH(ring, &context->rings, struct render_ring, link) {
		if (ring->monitored) {
			atomic_fetch_or(ring->status, RENDER_RING_ALIVE);
		}
	}
	pthread_mutex_unlock(&context->ring_lock);
}

static void *monitor_main(void *data) {
	struct render_monitor *monitor = data;
	struct render_context *context = monitor->context;
	thread_set_name("monitor");

	uint64_t last_stamp = clock_now();
	uint64_t deadline = 0; /* when the process ends itself; 0: the channel is open */
	while (!atomic_load(&monitor->quit)) {
		uint64_t now = clock_now();
		uint64_t interval = atomic_load(&monitor->period_ns) / 3;
		int timeout_ms = -1;
		if (deadline) {
			if (now >= deadline) {
				log_warn("%s: the driver does not come back: leaving without it",
					context->options.name);
				_exit(EXIT_FAILURE);
			}
			timeout_ms = (int)((deadline - now) / CLOCK_NS_PER_MS) + 1;
		} else if (interval) {
			if (now - last_stamp >= interval) {
				stamp_alive(context);
				render_device_check_losses(context);
				last_stamp = now;
			}
			timeout_ms = (int)((last_stamp + interval - now) / CLOCK_NS_PER_MS) + 1;
		}

		struct pollfd fds[2] = {
			{.fd = monitor->notifier.read_fd, .events = POLLIN},
			{.fd = deadline ? -1 : context->channel.fd, .events = 0},
		};
		if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR) {
			log_error("monitor: poll failed: errno %d", errno);
			break;
		}
		if (fds[0].revents) {
			notifier_drain(&monitor->notifier);
		}
		if (fds[1].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			deadline = clock_now() + RENDER_EXIT_GRACE_MS * CLOCK_NS_PER_MS;
			render_context_stop(context);
		}
	}
	return NULL;
}

int render_monitor_start(struct render_monitor *monitor, struct render_context *context) {
	monitor->context = context;
	atomic_init(&monitor->quit, false);
	atomic_init(&monitor->period_ns, 0);
	int ret = notifier_init(&monitor->notifier);
	if (ret < 0) {
		return ret;
	}
	ret = pthread_create(&monitor->thread, NULL, monitor_main, monitor);
	if (ret) {
		notifier_finish(&monitor->notifier);
		return -ret;
	}
	monitor->started = true;
	return 0;
}

void render_monitor_stop(struct render_monitor *monitor) {
	if (!monitor->started) {
		return;
	}
	atomic_store(&monitor->quit, true);
	notifier_signal(&monitor->notifier);
	pthread_join(monitor->thread, NULL);
	notifier_finish(&monitor->notifier);
	monitor->started = false;
}

void render_monitor_watch(struct render_monitor *monitor, uint64_t period_ns) {
	uint64_t present = atomic_load(&monitor->period_ns);
	if (!present || period_ns < present) {
		atomic_store(&monitor->period_ns, period_ns);
		notifier_signal(&monitor->notifier);
	}
}
