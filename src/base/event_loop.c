/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/list.h"
#include "base/notifier.h"

/*
 * Theory of operation
 *
 * Two arrays run side by side: what poll() takes and the source each entry belongs to.
 * They are filled when sources came or went, at the beginning of a round; a callback
 * changes only the sources. A source that is removed during a round is unlinked and
 * marked, and freed when the round is over, so that the arrays and lists of the round never point
 * to freed memory, and a new source that gets the same descriptor number is not
 * mistaken for the old one.
 *
 * Timers that are due are first moved to a list of their own: one that is armed
 * again by a callback waits for the next round, even with no delay.
 *
 * Signals: the handler marks the signal and wakes the loop through its notifier. The handler may
 * run on any thread; who gives up a signal waits for handlers that still run.
 */

#define SIGNAL_COUNT 65 /* numbers 1 to 64; no system has more */

enum source_type {
	SOURCE_FD,
	SOURCE_TIMER,
	SOURCE_SIGNAL,
};

struct event_source {
	struct event_loop *loop;
	struct list link; /* in loop->sources, or in loop->removed */
	enum source_type type;
	bool removed;
	void *data;

	/* SOURCE_FD */
	event_fd_func fd_func;
	int fd;
	uint32_t mask;

	/* SOURCE_TIMER */
	event_timer_func timer_func;
	struct list timer_link; /* in loop->timers or the list of those due; else a list of its own */
	uint64_t deadline;

	/* SOURCE_SIGNAL */
	event_signal_func signal_func;
	int signal_number;
	struct sigaction old_action;
};

struct event_loop {
	struct list sources;
	struct list removed; /* during a round, to be freed after it */
	struct list timers;  /* armed ones, soonest first */
	bool dispatching;

	struct pollfd *polled; /* entry 0 is the notifier */
	struct event_source **polled_sources;
	size_t polled_count, polled_capacity;
	size_t fd_source_count;
	bool polled_stale;

	struct notifier notifier;
	atomic_bool stopped;
};

/* The loop that wants the signal. */
static _Atomic(struct event_loop *) signal_loops[SIGNAL_COUNT];
static atomic_bool signal_pending[SIGNAL_COUNT];
static atomic_int signal_handlers_running;

static void handle_signal(int signal_number) {
	atomic_fetch_add(&signal_handlers_running, 1);
	struct event_loop *loop = atomic_load(&signal_loops[signal_number]);
	if (loop) {
		atomic_store(&signal_pending[signal_number], true);
		notifier_signal(&loop->notifier);
	}
	atomic_fetch_sub(&signal_handlers_running, 1);
}

/* Keeps room for every source in the arrays, so that a round needs no memory. */
static bool reserve_polled(struct event_loop *loop, size_t count) {
	if (count <= loop->polled_capacity) {
		return true;
	}
	size_t capacity = loop->polled_capacity ? loop->polled_capacity * 2 : 16;
	struct pollfd *polled = realloc(loop->polled, capacity * sizeof(*polled));
	if (!polled) {
		return false;
	}
	loop->polled = polled;
	struct event_source **sources =
		realloc(loop->polled_sources, capacity * sizeof(*sources));
	if (!sources) {
		return false;
	}
	loop->polled_sources = sources;
	loop->polled_capacity = capacity;
	return true;
}

struct event_loop *event_loop_create(void) {
	struct event_loop *loop = calloc(1, sizeof(*loop));
	if (!loop) {
		return NULL;
	}
	list_init(&loop->sources);
	list_init(&loop->removed);
	list_init(&loop->timers);
	atomic_init(&loop->stopped, false);
	loop->polled_stale = true;
	if (!reserve_polled(loop, 1)) {
		goto error_arrays;
	}
	if (notifier_init(&loop->notifier) < 0) {
		goto error_arrays;
	}
	return loop;

error_arrays:
	free(loop->polled);
	free(loop->polled_sources);
	free(loop);
	return NULL;
}

void event_loop_destroy(struct event_loop *loop) {
	if (!loop) {
		return;
	}
	assert(!loop->dispatching);
	LIST_FOR_EACH_SAFE (source, &loop->sources, struct event_source, link) {
		event_source_remove(source);
	}
	notifier_finish(&loop->notifier);
	free(loop->polled);
	free(loop->polled_sources);
	free(loop);
}

static struct event_source *add_source(
		struct event_loop *loop, enum source_type type, void *data) {
	struct event_source *source = calloc(1, sizeof(*source));
	if (!source) {
		return NULL;
	}
	source->loop = loop;
	source->type = type;
	source->data = data;
	source->fd = -1;
	list_init(&source->timer_link);
	list_append(&loop->sources, &source->link);
	return source;
}

static short poll_events(uint32_t mask) {
	return (short)((mask & EVENT_READABLE ? POLLIN : 0) | (mask & EVENT_WRITABLE ? POLLOUT : 0));
}

struct event_source *event_loop_add_fd(
		struct event_loop *loop, int fd, uint32_t mask, event_fd_func func, void *data) {
	if (!reserve_polled(loop, loop->fd_source_count + 2)) {
		return NULL;
	}
	struct event_source *source = add_source(loop, SOURCE_FD, data);
	if (!source) {
		return NULL;
	}
	source->fd_func = func;
	source->fd = fd;
	source->mask = mask;
	loop->fd_source_count++;
	loop->polled_stale = true;
	return source;
}

void event_source_fd_update(struct event_source *source, uint32_t mask) {
	assert(source->type == SOURCE_FD);
	if (source->mask != mask) {
		source->mask = mask;
		source->loop->polled_stale = true;
	}
}

struct event_source *event_loop_add_timer(
		struct event_loop *loop, event_timer_func func, void *data) {
	struct event_source *source = add_source(loop, SOURCE_TIMER, data);
	if (source) {
		source->timer_func = func;
	}
	return source;
}

void event_source_timer_arm(struct event_source *source, uint64_t delay_ns) {
	assert(source->type == SOURCE_TIMER);
	if (source->removed) {
		return;
	}
	uint64_t now = clock_now();
	source->deadline = delay_ns > UINT64_MAX - now ? UINT64_MAX : now + delay_ns;

	/* From the back: a new one is mostly the last. Equal ones fire in the order of arming. */
	list_remove(&source->timer_link);
	struct list *before = source->loop->timers.prev;
	while (before != &source->loop->timers &&
			LIST_CONTAINER(before, struct event_source, timer_link)->deadline >
			source->deadline) {
		before = before->prev;
	}
	list_insert(before, &source->timer_link);
}

void event_source_timer_disarm(struct event_source *source) {
	assert(source->type == SOURCE_TIMER);
	list_remove(&source->timer_link);
}

struct event_source *event_loop_add_signal(
		struct event_loop *loop, int signal_number, event_signal_func func, void *data) {
	if (signal_number <= 0 || signal_number >= SIGNAL_COUNT) {
		return NULL;
	}
	struct event_source *source = add_source(loop, SOURCE_SIGNAL, data);
	if (!source) {
		return NULL;
	}
	source->signal_func = func;
	source->signal_number = signal_number;

	struct event_loop *none = NULL;
	if (!atomic_compare_exchange_strong(&signal_loops[signal_number], &none, loop)) {
		goto error_source;
	}
	atomic_store(&signal_pending[signal_number], false);
	struct sigaction action = {.sa_handler = handle_signal, .sa_flags = SA_RESTART};
	sigemptyset(&action.sa_mask);
	if (sigaction(signal_number, &action, &source->old_action) < 0) {
		goto error_owner;
	}
	return source;

error_owner:
	atomic_store(&signal_loops[signal_number], NULL);
error_source:
	list_remove(&source->link);
	free(source);
	return NULL;
}

static void release_signal(struct event_source *source) {
	sigaction(source->signal_number, &source->old_action, NULL);
	atomic_store(&signal_loops[source->signal_number], NULL);
	/* a handler on another thread may still be about to use the loop's notifier */
	while (atomic_load(&signal_handlers_running) > 0) {
		sched_yield();
	}
}

void event_source_remove(struct event_source *source) {
	if (!source || source->removed) {
		return;
	}
	struct event_loop *loop = source->loop;
	source->removed = true;
	list_remove(&source->link);
	list_remove(&source->timer_link);
	if (source->type == SOURCE_SIGNAL) {
		release_signal(source);
	} else if (source->type == SOURCE_FD) {
		loop->fd_source_count--;
		loop->polled_stale = true;
	}
	if (loop->dispatching) {
		list_append(&loop->removed, &source->link);
	} else {
		free(source);
	}
}

static void fill_polled(struct event_loop *loop) {
	loop->polled[0] = (struct pollfd){.fd = loop->notifier.read_fd, .events = POLLIN};
	loop->polled_sources[0] = NULL;
	size_t count = 1;
	LIST_FOR_EACH (source, &loop->sources, struct event_source, link) {
		if (source->type == SOURCE_FD) {
			loop->polled[count] = (struct pollfd){
				.fd = source->fd,
				.events = poll_events(source->mask),
			};
			loop->polled_sources[count] = source;
			count++;
		}
	}
	loop->polled_count = count;
	loop->polled_stale = false;
}

/* Waits until something is ready, a timer is due, or `timeout_ms` are over. */
static int wait_ready(struct event_loop *loop, int timeout_ms) {
	uint64_t now = clock_now();
	uint64_t deadline = timeout_ms < 0 ? UINT64_MAX : now + (uint64_t)timeout_ms * CLOCK_NS_PER_MS;
	if (!list_empty(&loop->timers)) {
		struct event_source *first =
			LIST_CONTAINER(loop->timers.next, struct event_source, timer_link);
		if (first->deadline < deadline) {
			deadline = first->deadline;
		}
	}
	for (;;) {
		int wait_ms = -1;
		if (deadline != UINT64_MAX) {
			/* rounded up: waking too early would mean to spin until the time has come */
			uint64_t left = deadline > now ? deadline - now : 0;
			uint64_t ms = left / CLOCK_NS_PER_MS + (left % CLOCK_NS_PER_MS != 0);
			wait_ms = ms > INT_MAX ? INT_MAX : (int)ms;
		}
		if (poll(loop->polled, (nfds_t)loop->polled_count, wait_ms) >= 0) {
			return 0;
		}
		if (errno != EINTR) {
			return -errno;
		}
		now = clock_now();
	}
}

static void dispatch_signals(struct event_loop *loop) {
	for (int i = 1; i < SIGNAL_COUNT; i++) {
		if (atomic_load(&signal_loops[i]) != loop ||
				!atomic_exchange(&signal_pending[i], false)) {
			continue;
		}
		LIST_FOR_EACH (source, &loop->sources, struct event_source, link) {
			if (source->type == SOURCE_SIGNAL && source->signal_number == i) {
				source->signal_func(source->data, i);
				break;
			}
		}
	}
}

static void dispatch_timers(struct event_loop *loop) {
	if (list_empty(&loop->timers)) {
		return;
	}
	struct list due;
	list_init(&due);
	uint64_t now = clock_now();
	LIST_FOR_EACH_SAFE (source, &loop->timers, struct event_source, timer_link) {
		if (source->deadline > now) {
			break;
		}
		list_remove(&source->timer_link);
		list_append(&due, &source->timer_link);
	}
	while (!list_empty(&due)) {
		struct event_source *source =
			LIST_CONTAINER(due.next, struct event_source, timer_link);
		list_remove(&source->timer_link);
		source->timer_func(source->data);
	}
}

static uint32_t event_mask_of(short revents) {
	return (revents & POLLIN ? EVENT_READABLE : 0U) | (revents & POLLOUT ? EVENT_WRITABLE : 0U) |
		(revents & POLLHUP ? EVENT_HANGUP : 0U) |
		(revents & (POLLERR | POLLNVAL) ? EVENT_ERROR : 0U);
}

static void dispatch_fds(struct event_loop *loop) {
	/* callbacks may move the arrays by adding sources, but not change what is in them */
	size_t count = loop->polled_count;
	for (size_t i = 1; i < count; i++) {
		struct event_source *source = loop->polled_sources[i];
		if (!loop->polled[i].revents || source->removed) {
			continue;
		}
		uint32_t mask = event_mask_of(loop->polled[i].revents) &
			(source->mask | EVENT_HANGUP | EVENT_ERROR);
		if (mask) {
			source->fd_func(source->data, source->fd, mask);
		}
	}
}

int event_loop_dispatch(struct event_loop *loop, int timeout_ms) {
	assert(!loop->dispatching);
	if (loop->polled_stale) {
		fill_polled(loop);
	}
	int err = wait_ready(loop, timeout_ms);
	if (err) {
		return err;
	}
	loop->dispatching = true;
	if (loop->polled[0].revents) {
		notifier_drain(&loop->notifier);
		dispatch_signals(loop);
	}
	dispatch_timers(loop);
	dispatch_fds(loop);
	loop->dispatching = false;

	LIST_FOR_EACH_SAFE (source, &loop->removed, struct event_source, link) {
		list_remove(&source->link);
		free(source);
	}
	return 0;
}

int event_loop_run(struct event_loop *loop) {
	while (!atomic_exchange(&loop->stopped, false)) {
		int err = event_loop_dispatch(loop, -1);
		if (err) {
			return err;
		}
	}
	return 0;
}

void event_loop_stop(struct event_loop *loop) {
	atomic_store(&loop->stopped, true);
	notifier_signal(&loop->notifier);
}
