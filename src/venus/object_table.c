/* SPDX-License-Identifier: MIT */
#include "venus/object_table.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Theory of operation
 *
 * Open addressing with linear probing. A slot is NULL, the tombstone, or an object. A search
 * begins at the slot that the id gives and ends at the id or at NULL. So a slot in front of
 * others may not simply become NULL again: it gets the tombstone, whose id is one that no
 * object has and which searches therefore pass over like any other object.
 *
 * A removed object at the end of a run becomes NULL, though, and with it the tombstones in front of
 * it: a reader that is on its way there would have found nothing either.
 *
 * The table is never more than half used, so searches are short and end. When it would be, a
 * new array without the tombstones takes its place. Readers may go on in the old one, which
 * the epoch keeps; what they miss there was added after they began to look.
 */

static struct venus_object tombstone;

#define MIN_SLOTS 512

static struct venus_object_slots *slots_create(size_t count) {
	struct venus_object_slots *slots =
		calloc(1, sizeof(*slots) + count * sizeof(slots->slot[0]));
	if (!slots) {
		return NULL;
	}
	slots->mask = count - 1;
	slots->shift = 64;
	for (size_t lines = count / 8; lines > 1; lines /= 2) {
		slots->shift--;
	}
	for (size_t i = 0; i < count; i++) {
		atomic_init(&slots->slot[i], NULL);
	}
	return slots;
}

static void slots_free(struct epoch_retired *retired) {
	free((char *)retired - offsetof(struct venus_object_slots, retired));
}

int venus_object_table_init(struct venus_object_table *table, struct epoch *epoch) {
	struct venus_object_slots *slots = slots_create(MIN_SLOTS);
	if (!slots) {
		return -ENOMEM;
	}
	int error = pthread_mutex_init(&table->lock, NULL);
	if (error) {
		free(slots);
		return -error;
	}
	atomic_init(&table->slots, slots);
	table->epoch = epoch;
	table->count = 0;
	table->used = 0;
	return 0;
}

void venus_object_table_finish(struct venus_object_table *table) {
	free(atomic_load_explicit(&table->slots, memory_order_relaxed));
	pthread_mutex_destroy(&table->lock);
}

/** The slot of the id, or the first one that may take it: a tombstone or NULL. */
static size_t find_slot(const struct venus_object_slots *slots, uint64_t id) {
	size_t vacant = SIZE_MAX;
	for (size_t i = venus_object_slots_first(slots, id);; i = (i + 1) & slots->mask) {
		struct venus_object *object =
			atomic_load_explicit(&slots->slot[i], memory_order_relaxed);
		if (object == &tombstone && vacant == SIZE_MAX) {
			vacant = i;
		}
		if (!object) {
			return vacant == SIZE_MAX ? i : vacant;
		}
		if (object->id == id) {
			return i;
		}
	}
}

/** Makes room for one more. The lock is held. */
static bool reserve(struct venus_object_table *table) {
	struct venus_object_slots *old = atomic_load_explicit(&table->slots, memory_order_relaxed);
	size_t size = old->mask + 1;
	if (table->used < size / 2) {
		return true;
	}
	/* as many again as there are now, before the next time */
	size_t wanted = MIN_SLOTS;
	while (wanted < (table->count + 1) * 4) {
		wanted *= 2;
	}
	struct venus_object_slots *slots = slots_create(wanted);
	if (!slots) {
		return false;
	}
	for (size_t i = 0; i < size; i++) {
		struct venus_object *object =
			atomic_load_explicit(&old->slot[i], memory_order_relaxed);
		if (object && object != &tombstone) {
			atomic_store_explicit(&slots->slot[find_slot(slots, object->id)], object,
				memory_order_relaxed);
		}
	}
	table->used = table->count;
	atomic_store_explicit(&table->slots, slots, memory_order_release);
	epoch_retire(table->epoch, &old->retired, slots_free);
	return true;
}

bool venus_object_table_add(struct venus_object_table *table, struct venus_object *object) {
	if (object->id == 0) {
		return false;
	}
	bool added = false;
	pthread_mutex_lock(&table->lock);
	if (reserve(table)) {
		struct venus_object_slots *slots =
			atomic_load_explicit(&table->slots, memory_order_relaxed);
		size_t i = find_slot(slots, object->id);
		struct venus_object *present =
			atomic_load_explicit(&slots->slot[i], memory_order_relaxed);
		if (!present || present == &tombstone) {
			table->used += !present;
			table->count++;
			atomic_store_explicit(&slots->slot[i], object, memory_order_release);
			added = true;
		}
	}
	pthread_mutex_unlock(&table->lock);
	return added;
}

bool venus_object_table_remove(struct venus_object_table *table, struct venus_object *object) {
	if (object->id == 0) {
		return false;
	}
	pthread_mutex_lock(&table->lock);
	struct venus_object_slots *slots =
		atomic_load_explicit(&table->slots, memory_order_relaxed);
	size_t i = find_slot(slots, object->id);
	bool found = atomic_load_explicit(&slots->slot[i], memory_order_relaxed) == object;
	if (found) {
		table->count--;
		atomic_store_explicit(&slots->slot[i], &tombstone, memory_order_release);
		/* At the end of a run nothing lies behind it, nor behind the tombstones in front of it. */
		if (!atomic_load_explicit(
			    &slots->slot[(i + 1) & slots->mask], memory_order_relaxed)) {
			while (atomic_load_explicit(&slots->slot[i], memory_order_relaxed) ==
				&tombstone) {
				atomic_store_explicit(&slots->slot[i], NULL, memory_order_release);
				table->used--;
				i = (i - 1) & slots->mask;
			}
		}
	}
	pthread_mutex_unlock(&table->lock);
	return found;
}

struct venus_object *venus_object_table_next(struct venus_object_table *table, size_t *cursor) {
	struct venus_object_slots *slots =
		atomic_load_explicit(&table->slots, memory_order_relaxed);
	while (*cursor <= slots->mask) {
		struct venus_object *object =
			atomic_load_explicit(&slots->slot[(*cursor)++], memory_order_relaxed);
		if (object && object != &tombstone) {
			return object;
		}
	}
	return NULL;
}

struct venus_object **venus_object_table_snapshot(
		struct venus_object_table *table, size_t *count) {
	pthread_mutex_lock(&table->lock);
	*count = 0;
	struct venus_object **objects = calloc(table->count + 1, sizeof(struct venus_object *));
	size_t cursor = 0;
	struct venus_object *object;
	while (objects && (object = venus_object_table_next(table, &cursor))) {
		objects[(*count)++] = object;
	}
	pthread_mutex_unlock(&table->lock);
	return objects;
}
