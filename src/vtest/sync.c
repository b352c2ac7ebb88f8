/* SPDX-License-Identifier: MIT */
#include "vtest/sync.h"

#include "base/clock.h"
#include "base/socket.h"
#include "vtest/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * A wait has one waiter for each of its points, which hangs in the list of the sync. When a
 * sync's value changes, only its own waiters are looked at: those whose value is reached leave the
 * list, and a wait that needs no more of them is signalled and forgotten. So a point counts as
 * reached for good, and a change costs nothing for waits on other syncs.
 *
 * A wait is handed out as the reading end of a pipe: readable when the wait is satisfied, and
 * hung up when it never will be, because the connection or this whole process has ended. Mesa's
 * clients report that as VK_ERROR_DEVICE_LOST; with an eventfd they would wait for ever. And
 * once they have closed their end, it shows at ours, which is how waits that
 * nobody waits for any more are found.
 *
 * A fence is kept from the submission that made it until it retires, in the order of its ring_idx.
 *
 * Waiters and fences hold references: the client may drop the id of a sync while they are
 * pending, which is no error.
 */

/* How long after its time-out a wait is looked at for the first time, and how often then. */
#define CHECK_DELAY (10 * CLOCK_NS_PER_MS)
#define CHECK_PERIOD CLOCK_NS_PER_S
/* When one without an end is looked at. */
#define CHECK_ENDLESS (10 * CLOCK_NS_PER_S)

/* Up to this many points a wait or a fence comes from the spare ones. */
#define SPARE_POINTS 8

struct sync_waiter {
	struct list link; /* in sync.waiters; a list of its own once the point is reached */
	struct sync_wait *wait;
	struct sync *sync; /* referenced */
	uint64_t value;
};

struct sync_wait {
	struct list link;            /* in sync_table.waits */
	struct sync_wait *next_free; /* in sync_table.free_waits */
	int write_fd;                /* of its pipe */
	uint64_t check_at;           /* when to see whether the other end is still open */
	uint32_t missing; /* points that must still be reached */
	uint32_t count;
	struct sync_waiter waiters[];
};

struct sync_fence {
	struct sync_fence *next; /* in its timeline or in sync_table.free_fences */
	uint64_t id;
	uint32_t count;
	struct {
		struct sync *sync; /* referenced */
		uint64_t value;
	} points[];
};

void sync_table_init(struct sync_table *table, const struct limits *limits) {
	*table = (struct sync_table){
		.limits = limits,
		.next_id = 1,
		.next_fence_id = 1,
		.ready = {.read_fd = -1, .write_fd = -1},
		.never = {.read_fd = -1, .write_fd = -1},
	};
	id_table_init(&table->syncs);
	list_init(&table->waits);
	for (uint32_t i = 0; i < RENDER_MAX_TIMELINES; i++) {
		table->timelines[i].tail = &table->timelines[i].head;
	}
}

static void release_sync(struct sync *sync) {
	if (--sync->references == 0) {
		free(sync);
	}
}

static void forget_wait(struct sync_table *table, struct sync_wait *wait) {
	for (uint32_t i = 0; i < wait->count; i++) {
		list_remove(&wait->waiters[i].link);
		release_sync(wait->waiters[i].sync);
	}
	list_remove(&wait->link);
	close(wait->write_fd);
	table->wait_count--;
	table->wait_points -= wait->count;
	if (wait->count <= SPARE_POINTS) {
		wait->next_free = table->free_waits;
		table->free_waits = wait;
	} else {
		free(wait);
	}
}

static void forget_fence(struct sync_table *table, struct sync_fence *fence) {
	for (uint32_t i = 0; i < fence->count; i++) {
		release_sync(fence->points[i].sync);
	}
	table->fence_points -= fence->count;
	if (fence->count <= SPARE_POINTS) {
		fence->next = table->free_fences;
		table->free_fences = fence;
	} else {
		free(fence);
	}
}

void sync_table_finish(struct sync_table *table) {
	LIST_FOR_EACH_SAFE(wait, &table->waits, struct sync_wait, link) {
		forget_wait(table, wait);
	}
	for (uint32_t i = 0; i < RENDER_MAX_TIMELINES; i++) {
		for (struct sync_fence *fence = table->timelines[i].head, *next; fence; fence = next) {
			next = fence->next;
			forget_fence(table, fence);
		}
	}
	for (struct sync_wait *wait = table->free_waits, *next; wait; wait = next) {
		next = wait->next_free;
		free(wait);
	}
	for (struct sync_fence *fence = table->free_fences, *next; fence; fence = next) {
		next = fence->next;
		free(fence);
	}
	size_t cursor = 0;
	for (struct sync *sync; (sync = id_table_next(&table->syncs, &cursor));) {
		release_sync(sync);
	}
	id_table_finish(&table->syncs);
	if (table->ready.read_fd != -1) {
		notifier_finish(&table->ready);
	}
	if (table->never.read_fd != -1) {
		notifier_finish(&table->never);
	}
}

int sync_create(struct sync_table *table, uint64_t value, uint32_t *id) {
	if (table->count >= table->limits->value[LIMIT_SYNCS]) {
		return -ENOSPC;
	}
	struct sync *sync = malloc(sizeof(*sync));
	if (!sync) {
		return -ENOMEM;
	}
	while (table->next_id == 0 || id_table_get(&table->syncs, table->next_id)) {
		table->next_id++;
	}
	*sync = (struct sync){.id = table->next_id, .references = 1, .value = value};
	list_init(&sync->waiters);
	if (!id_table_add(&table->syncs, sync->id, sync)) {
		free(sync);
		return -ENOMEM;
	}
	table->next_id++;
	table->count++;
	*id = sync->id;
	return 0;
}

int sync_unref(struct sync_table *table, uint32_t id) {
	struct sync *sync = id_table_remove(&table->syncs, id);
	if (!sync) {
		return -ENOENT;
	}
	table->count--;
	release_sync(sync);
	return 0;
}

int sync_read(const struct sync_table *table, uint32_t id, uint64_t *value) {
	const struct sync *sync = id_table_get(&table->syncs, id);
	if (!sync) {
		return -ENOENT;
	}
	*value = sync->value;
	return 0;
}

static void set_value(struct sync_table *table, struct sync *sync, uint64_t value) {
	sync->value = value;

	/* They are taken out first: to forget a wait changes the list that its waiters hang in. */
	struct list reached;
	list_init(&reached);
	LIST_FOR_EACH_SAFE(waiter, &sync->waiters, struct sync_waiter, link) {
		if (waiter->value <= value) {
			list_remove(&waiter->link);
			list_append(&reached, &waiter->link);
		}
	}
	while (!list_empty(&reached)) {
		struct sync_waiter *waiter = LIST_CONTAINER(reached.next, struct sync_waiter, link);
		list_remove(&waiter->link);
		struct sync_wait *wait = waiter->wait;
		if (--wait->missing == 0) {
			/* The pipe is empty, so this does not block; and if the client has closed
			 * its end, SIGPIPE is ignored by the whole program. */
			ssize_t written;
			do {
				written = write(wait->write_fd, "", 1);
			} while (written < 0 && errno == EINTR);
			forget_wait(table, wait);
		}
	}
}

int sync_write(struct sync_table *table, uint32_t id, uint64_t value) {
	struct sync *sync = id_table_get(&table->syncs, id);
	if (!sync) {
		return -ENOENT;
	}
	set_value(table, sync, value);
	return 0;
}

/* Both answers that need no wait to be kept use one descriptor over and over. */
static int answer_at_once(struct sync_table *table, bool reached, int *fd) {
	struct notifier *notifier = reached ? &table->ready : &table->never;
	if (notifier->read_fd == -1) {
		int error = notifier_init(notifier);
		if (error) {
			*notifier = (struct notifier){.read_fd = -1, .write_fd = -1};
			return error;
		}
	}
	if (reached) {
		/* the client may have read from the same one before */
		notifier_signal(notifier);
	}
	*fd = notifier->read_fd;
	return 0;
}

/* Forgets those waits of which the other end is closed and that are to be checked before `now`. */
static void check_waits(struct sync_table *table, uint64_t now) {
	LIST_FOR_EACH_SAFE(wait, &table->waits, struct sync_wait, link) {
		if (wait->check_at > now) {
			continue;
		}
		struct pollfd poll_fd = {.fd = wait->write_fd};
		if (poll(&poll_fd, 1, 0) != 0) {
			forget_wait(table, wait);
		} else {
			wait->check_at = clock_now() + CHECK_PERIOD;
		}
	}
}

/* A pipe whose writing end no child inherits; the other one does not live that long. */
static int make_pipe(int fds[2]) {
	if (pipe(fds) < 0) {
		return -errno;
	}
	int error = fd_set_cloexec(fds[1], true);
	if (error) {
		close(fds[0]);
		close(fds[1]);
	}
	return error;
}

static int take_wait(struct sync_table *table, uint32_t count, struct sync_wait **out) {
	const uint64_t max_waits = table->limits->value[LIMIT_WAITS];
	if (table->wait_count >= max_waits) {
		check_waits(table, UINT64_MAX);
	}
	if (table->wait_count >= max_waits ||
			count > table->limits->value[LIMIT_SYNC_POINTS] - table->wait_points) {
		return -ENOSPC;
	}
	struct sync_wait *wait = table->free_waits;
	if (count <= SPARE_POINTS && wait) {
		table->free_waits = wait->next_free;
	} else {
		uint32_t capacity = count < SPARE_POINTS ? SPARE_POINTS : count;
		wait = malloc(sizeof(*wait) + capacity * sizeof(wait->waiters[0]));
		if (!wait) {
			return -ENOMEM;
		}
	}
	wait->count = count;
	*out = wait;
	return 0;
}

int sync_wait(struct sync_table *table, const uint8_t *points, uint32_t count, bool any,
		uint64_t timeout_ns, int *fd) {
	uint32_t reached = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = wire_u32(points, i * SYNC_POINT_WORDS);
		const struct sync *sync = id_table_get(&table->syncs, id);
		if (!sync) {
			return -ENOENT;
		}
		reached += sync->value >= wire_u64(points, i * SYNC_POINT_WORDS + 1);
	}
	bool done = any && count > 0 ? reached > 0 : reached == count;
	if (done || timeout_ns == 0) {
		return answer_at_once(table, done, fd);
	}

	struct sync_wait *wait;
	int error = take_wait(table, count, &wait);
	if (error) {
		return error;
	}
	int fds[2];
	error = make_pipe(fds);
	if (error) {
		free(wait);
		return error;
	}
	wait->write_fd = fds[1];
	wait->check_at =
		clock_now() + (timeout_ns < CHECK_ENDLESS ? timeout_ns + CHECK_DELAY : CHECK_ENDLESS);
	wait->missing = any ? 1 : count - reached;
	for (uint32_t i = 0; i < count; i++) {
		struct sync_waiter *waiter = &wait->waiters[i];
		struct sync *sync = id_table_get(&table->syncs, wire_u32(points, i * SYNC_POINT_WORDS));
		sync->references++;
		waiter->wait = wait;
		waiter->sync = sync;
		waiter->value = wire_u64(points, i * SYNC_POINT_WORDS + 1);
		if (sync->value >= waiter->value) {
			list_init(&waiter->link);
		} else {
			list_append(&sync->waiters, &waiter->link);
		}
	}
	list_append(&table->waits, &wait->link);
	table->wait_count++;
	table->wait_points += count;
	*fd = fds[0];
	return 0;
}

void sync_put_fd(struct sync_table *table, int fd) {
	if (fd != table->ready.read_fd && fd != table->never.read_fd) {
		close(fd);
	}
}

uint64_t sync_table_deadline(const struct sync_table *table) {
	uint64_t deadline = UINT64_MAX;
	LIST_FOR_EACH(wait, &table->waits, struct sync_wait, link) {
		if (wait->check_at < deadline) {
			deadline = wait->check_at;
		}
	}
	return deadline;
}

void sync_table_collect(struct sync_table *table) {
	check_waits(table, clock_now());
}

int sync_signal(struct sync_table *table, const uint8_t *points, uint32_t count) {
	for (uint32_t i = 0; i < count; i++) {
		int error = sync_write(table, wire_u32(points, i * SYNC_POINT_WORDS),
			wire_u64(points, i * SYNC_POINT_WORDS + 1));
		if (error) {
			return error;
		}
	}
	return 0;
}

static int take_fence(struct sync_table *table, uint32_t count, struct sync_fence **out) {
	if (count > table->limits->value[LIMIT_SYNC_POINTS] - table->fence_points) {
		return -ENOSPC;
	}
	struct sync_fence *fence = table->free_fences;
	if (count <= SPARE_POINTS && fence) {
		table->free_fences = fence->next;
	} else {
		uint32_t capacity = count < SPARE_POINTS ? SPARE_POINTS : count;
		fence = malloc(sizeof(*fence) + capacity * sizeof(fence->points[0]));
		if (!fence) {
			return -ENOMEM;
		}
	}
	fence->count = count;
	table->fence_points += count;
	*out = fence;
	return 0;
}

int sync_expect_fence(struct sync_table *table, uint32_t ring_idx, const uint8_t *points,
		uint32_t count, uint64_t *fence_id) {
	for (uint32_t i = 0; i < count; i++) {
		if (!id_table_get(&table->syncs, wire_u32(points, i * SYNC_POINT_WORDS))) {
			return -ENOENT;
		}
	}
	struct sync_fence *fence;
	int error = take_fence(table, count, &fence);
	if (error) {
		return error;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct sync *sync = id_table_get(&table->syncs, wire_u32(points, i * SYNC_POINT_WORDS));
		sync->references++;
		fence->points[i].sync = sync;
		fence->points[i].value = wire_u64(points, i * SYNC_POINT_WORDS + 1);
	}
	fence->id = table->next_fence_id++;
	fence->next = NULL;
	struct sync_timeline *timeline = &table->timelines[ring_idx];
	*timeline->tail = fence;
	timeline->tail = &fence->next;
	*fence_id = fence->id;
	return 0;
}

int sync_retire_fence(struct sync_table *table, uint32_t ring_idx, uint64_t fence_id) {
	if (ring_idx >= RENDER_MAX_TIMELINES) {
		return -ENOENT;
	}
	struct sync_timeline *timeline = &table->timelines[ring_idx];
	struct sync_fence *fence = timeline->head;
	if (!fence || fence->id != fence_id) {
		return -ENOENT;
	}
	timeline->head = fence->next;
	if (!timeline->head) {
		timeline->tail = &timeline->head;
	}
	for (uint32_t i = 0; i < fence->count; i++) {
		set_value(table, fence->points[i].sync, fence->points[i].value);
	}
	forget_fence(table, fence);
	return 0;
}
