/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "base/epoch.h"

/*
 * Theory of operation
 *
 * A writer first makes an object unreachable and then retires it: under the lock,
 * the epoch grows from n to n + 1 and the object is stamped n. Then every reader's
 * `entered` is looked at. The object may be freed if each of them is 0 or greater than n.
 * Why, for a reader whose `entered` the writer saw as
 *
 *  - 0, outside: the writer looks with a read-modify-write (which adds 0). The reader's
 *    next change of `entered` is the exchange in epoch_enter(). Reads of
 *    read-modify-writes see the last value in modification order, so one of
 *    the two is first. If it is the exchange, the writer would have seen its value. So it is the
 *    writer's; the exchange then reads what the writer wrote (other writers'
 *    additions of 0 in between carry the release on), and with it sees everything that
 *    the writer did before: the object is unreachable to the look-ups that follow. This is
 *    why a plain load would not do: with a store and a later load on each side, both
 *    could miss the other.
 *
 *    And it had left: its epoch_exit() is a release, so that its last use of the object
 *    happens before the free.
 *
 *  - m > n: it read m from `current`, with acquire, and m was written by the retirement
 *    of this object or, through a chain of read-modify-writes, by a later one. So
 *    the object was unreachable to it before its section began. Its later sections read m
 *    or more, for the same reason. Its earlier sections happen before the exchange,
 *    which the writer acquired.
 *
 *  - m <= n, not 0: it may use the object. Wait. It may as well have read `current` long
 *    ago and have been delayed before the exchange; that costs nothing but time.
 *
 * A reader that is added later takes the lock after the writer did.
 *
 * There are no fences, which ThreadSanitizer does not follow.
 */

void epoch_init(struct epoch *epoch) {
	atomic_init(&epoch->current, 1);
	pthread_mutex_init(&epoch->lock, NULL);
	epoch->readers = NULL;
	epoch->retired = NULL;
	epoch->retired_tail = &epoch->retired;
}

static void free_list(struct epoch_retired *list) {
	while (list) {
		struct epoch_retired *next = list->next;
		list->free_func(list);
		list = next;
	}
}

void epoch_finish(struct epoch *epoch) {
	/* freeing one may retire another */
	while (epoch->retired) {
		struct epoch_retired *list = epoch->retired;
		epoch->retired = NULL;
		epoch->retired_tail = &epoch->retired;
		free_list(list);
	}
	pthread_mutex_destroy(&epoch->lock);
}

void epoch_reader_add(struct epoch *epoch, struct epoch_reader *reader) {
	atomic_init(&reader->entered, 0);
	pthread_mutex_lock(&epoch->lock);
	reader->next = epoch->readers;
	epoch->readers = reader;
	pthread_mutex_unlock(&epoch->lock);
}

void epoch_reader_remove(struct epoch *epoch, struct epoch_reader *reader) {
	pthread_mutex_lock(&epoch->lock);
	struct epoch_reader **link = &epoch->readers;
	while (*link && *link != reader) {
		link = &(*link)->next;
	}
	if (*link) {
		*link = reader->next;
	}
	pthread_mutex_unlock(&epoch->lock);
}

bool epoch_others_inside(struct epoch *epoch, const struct epoch_reader *self) {
	bool inside = false;
	pthread_mutex_lock(&epoch->lock);
	for (struct epoch_reader *reader = epoch->readers; reader && !inside; reader = reader->next) {
		/* adds 0 for the same reason as in take_free() */
		inside = reader != self && atomic_fetch_add_explicit(
			&reader->entered, 0, memory_order_acq_rel) != 0;
	}
	pthread_mutex_unlock(&epoch->lock);
	return inside;
}

/* Unlinks what nobody can see any more. The lock is held. */
static struct epoch_retired *take_free(struct epoch *epoch) {
	if (!epoch->retired) {
		return NULL;
	}
	uint64_t oldest = UINT64_MAX;
	for (struct epoch_reader *reader = epoch->readers; reader; reader = reader->next) {
		uint64_t entered =
			atomic_fetch_add_explicit(&reader->entered, 0, memory_order_acq_rel);
		if (entered && entered < oldest) {
			oldest = entered;
		}
	}

	struct epoch_retired *list = NULL, **tail = &list;
	while (epoch->retired && epoch->retired->epoch < oldest) {
		struct epoch_retired *retired = epoch->retired;
		epoch->retired = retired->next;
		retired->next = NULL;
		*tail = retired;
		tail = &retired->next;
	}
	if (!epoch->retired) {
		epoch->retired_tail = &epoch->retired;
	}
	return list;
}

void epoch_retire(struct epoch *epoch, struct epoch_retired *retired,
		void (*free_func)(struct epoch_retired *retired)) {
	retired->next = NULL;
	retired->free_func = free_func;

	pthread_mutex_lock(&epoch->lock);
	retired->epoch = atomic_fetch_add_explicit(&epoch->current, 1, memory_order_acq_rel);
	*epoch->retired_tail = retired;
	epoch->retired_tail = &retired->next;
	struct epoch_retired *list = take_free(epoch);
	pthread_mutex_unlock(&epoch->lock);

	/* without the lock: freeing may take long, or retire something itself */
	free_list(list);
}

void epoch_collect(struct epoch *epoch) {
	pthread_mutex_lock(&epoch->lock);
	struct epoch_retired *list = take_free(epoch);
	pthread_mutex_unlock(&epoch->lock);
	free_list(list);
}
