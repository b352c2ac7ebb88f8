/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_REAPER_H
#define VENERA_GPU_REAPER_H

#include <stddef.h>
#include <sys/types.h>

/**
 * Looks after child processes that were told to end: collects them, and kills those that take too
 * long.
 */
struct reaper;
struct broker;
struct event_loop;

/** NULL when out of memory. `broker` started the children; it is not owned. */
struct reaper *reaper_create(struct event_loop *loop, struct broker *broker);

/**
 * Waits for all children, at most until their time is over, and kills the rest. NULL is accepted.
 */
void reaper_destroy(struct reaper *reaper);

/** Takes over a child. `name` is for the log line if it ends by a signal; it is copied. */
void reaper_add(struct reaper *reaper, pid_t pid, const char *name, unsigned grace_ms);

/** The children that have not ended yet. */
size_t reaper_count(const struct reaper *reaper);

#endif
