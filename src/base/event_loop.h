/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_EVENT_LOOP_H
#define VENERA_BASE_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/**
 * A poll() loop for one thread: descriptors, timers and signals.
 * Every function is for the loop's own thread, except event_loop_stop().
 *
 * A callback may add and remove any source, its own included; a source that was removed is
 * not called any more, even if it was ready in the same round. In a round signals
 * come first, then timers in the order of their deadlines, then descriptors in the order
 * in which they were added. Rounds do not nest.
 */
struct event_loop;
struct event_source;

enum event_mask {
	EVENT_READABLE = 1 << 0,
	EVENT_WRITABLE = 1 << 1,
	EVENT_HANGUP = 1 << 2, /* always reported, never asked for */
	EVENT_ERROR = 1 << 3,  /* always reported, never asked for */
};

typedef void (*event_fd_func)(void *data, int fd, uint32_t mask);
typedef void (*event_timer_func)(void *data);
typedef void (*event_signal_func)(void *data, int signal_number);

/** NULL when out of memory or descriptors. */
struct event_loop *event_loop_create(void);

/** Removes and frees all its sources. NULL is accepted. Descriptors stay the caller's. */
void event_loop_destroy(struct event_loop *loop);

/** Watches `fd`. NULL when out of memory. */
struct event_source *event_loop_add_fd(
	struct event_loop *loop, int fd, uint32_t mask, event_fd_func func, void *data);
/** Changes what is watched for; 0 leaves hang-up and error only. */
void event_source_fd_update(struct event_source *source, uint32_t mask);

/** A timer, not armed yet. NULL when out of memory. */
struct event_source *event_loop_add_timer(
	struct event_loop *loop, event_timer_func func, void *data);
/** Fires once, `delay_ns` from now (0: in the next round). Arming again replaces it. */
void event_source_timer_arm(struct event_source *source, uint64_t delay_ns);
void event_source_timer_disarm(struct event_source *source);

/**
 * Calls `func` from the loop after the process received the signal. One loop of
 * a process may own a signal. NULL when out of memory or the signal is taken.
 */
struct event_source *event_loop_add_signal(
	struct event_loop *loop, int signal_number, event_signal_func func, void *data);

/** Frees the source. NULL is accepted. */
void event_source_remove(struct event_source *source);

/**
 * One round: waits at most `timeout_ms` (-1: until something happens), then calls
 * what is ready. 0 or -errno.
 */
int event_loop_dispatch(struct event_loop *loop, int timeout_ms);

/** Rounds until event_loop_stop(). 0 or -errno. */
int event_loop_run(struct event_loop *loop);

/**
 * Ends event_loop_run() after the present round, or the next one at once if none is
 * running. Any thread, async-signal-safe.
 */
void event_loop_stop(struct event_loop *loop);

#endif
