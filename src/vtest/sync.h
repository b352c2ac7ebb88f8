/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VTEST_SYNC_H
#define VENERA_VTEST_SYNC_H

#include "base/id_table.h"
#include "base/list.h"
#include "base/notifier.h"
#include "ipc/limits.h"
#include "ipc/render_protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The sync objects of one client: 64-bit values that only its messages and its fences
 * change, and what waits for them. Functions return 0 or -errno: -ENOENT for a sync id that
 * is not there, -ENOSPC when the client has too much of something, -ENOMEM, or
 * whatever making a descriptor failed with.
 */

/** Points that one wait may have: the most that LIMIT_SYNC_POINTS can be. */
#define SYNC_MAX_WAIT_POINTS 65536

/** On the wire a sync and a value are three words: id, value low, value high. */
#define SYNC_POINT_WORDS 3

struct sync {
	uint32_t id;
	uint32_t references; /* the table's, and one of each waiter and of each fence */
	uint64_t value;
	struct list waiters; /* sync_waiter.link */
};

struct sync_timeline {
	struct sync_fence *head, **tail; /* oldest first */
};

struct sync_table {
	const struct limits *limits;
	struct id_table syncs;
	uint32_t count;
	uint32_t next_id;

	struct list waits; /* sync_wait.link */
	uint32_t wait_count, wait_points;
	struct notifier ready, never; /* answers to waits that need not be kept; -1 until used */

	struct sync_timeline timelines[RENDER_MAX_TIMELINES];
	uint32_t fence_points;
	uint64_t next_fence_id;

	/* spare ones, so that the usual message calls no malloc */
	struct sync_wait *free_waits;
	struct sync_fence *free_fences;
};

/** `limits` must outlive it. */
void sync_table_init(struct sync_table *table, const struct limits *limits);
void sync_table_finish(struct sync_table *table);

/** `*id` is the new sync's. */
int sync_create(struct sync_table *table, uint64_t value, uint32_t *id);

/** The id goes; waits and fences that name it stay as they are. */
int sync_unref(struct sync_table *table, uint32_t id);

int sync_read(const struct sync_table *table, uint32_t id, uint64_t *value);
int sync_write(struct sync_table *table, uint32_t id, uint64_t value);

/**
 * Waits until every one of the `count` points at `points` is reached or, with `any`, one of
 * them. `*fd` becomes readable then; hand it out and then call sync_put_fd(). A point that was
 * reached once counts as reached, even if its sync is written to a smaller value later. Who
 * polls the descriptor keeps the time: `timeout_ns` (UINT64_MAX: for ever) only tells when
 * he may have given up. When the table ends first, the descriptor hangs up.
 */
int sync_wait(struct sync_table *table, const uint8_t *points, uint32_t count, bool any,
	uint64_t timeout_ns, int *fd);
void sync_put_fd(struct sync_table *table, int fd);

/** When sync_table_collect() should be called next (as of clock_now()); UINT64_MAX: not at all. */
uint64_t sync_table_deadline(const struct sync_table *table);

/** Forgets the waits whose descriptors have been closed by who got them. */
void sync_table_collect(struct sync_table *table);

/** Gives the `count` syncs at `points` their values. */
int sync_signal(struct sync_table *table, const uint8_t *points, uint32_t count);

/**
 * Keeps `points` for a fence on `ring_idx` (less than RENDER_MAX_TIMELINES) that
 * retires later than those before it; `*fence_id` is its id.
 */
int sync_expect_fence(struct sync_table *table, uint32_t ring_idx, const uint8_t *points,
	uint32_t count, uint64_t *fence_id);

/** Gives the fence's syncs their values. -ENOENT if it is not the next one of its ring_idx. */
int sync_retire_fence(struct sync_table *table, uint32_t ring_idx, uint64_t fence_id);

#endif
