/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VENUS_OBJECT_TABLE_H
#define VENERA_VENUS_OBJECT_TABLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "base/epoch.h"

/**
 * A Vulkan object of the guest. First member of whatever more the renderer keeps of it.
 * All but `handle` is constant once the object is in a table.
 */
struct venus_object {
	struct epoch_retired retired;
	uint64_t id; /* chosen by the guest; not 0 */
	/** The host driver's. 0: not made yet, or its creation failed (a *failed object*). */
	_Atomic uint64_t handle;
	/** The VkDevice it was made from; a device: itself; NULL for instances and physical devices. */
	struct venus_object *device;
	VkObjectType type;
};

/**
 * Finds the objects of one context by id. Look-ups take no lock: they are made inside a section of
 * the epoch, which keeps what they find, and the table itself, alive. Writers lock.
 */
struct venus_object_slots {
	struct epoch_retired retired;
	size_t mask; /* number of slots - 1; a power of two - 1, at least 7 */
	unsigned shift;
	struct venus_object *_Atomic slot[];
};

struct venus_object_table {
	struct venus_object_slots *_Atomic slots;
	struct epoch *epoch;
	pthread_mutex_t lock; /* of everything below, and of changes to the slots */
	_Atomic size_t count; /* objects; read without the lock it is about right */
	size_t used;          /* slots that are not NULL: objects and tombstones */
};

/** 0 or -errno. `epoch` must outlive the table. */
int venus_object_table_init(struct venus_object_table *table, struct epoch *epoch);

/** Frees the table, not the objects in it. No reader may be left. */
void venus_object_table_finish(struct venus_object_table *table);

/**
 * Where the search for an id begins. Guests count their ids up: eight that follow one another
 * share a cache line of slots, and the lines are scattered, so that other patterns do no harm.
 */
static inline size_t venus_object_slots_first(const struct venus_object_slots *slots, uint64_t id) {
	uint64_t line = ((id >> 3) * UINT64_C(0x9e3779b97f4a7c15)) >> slots->shift;
	return (size_t)(line << 3 | (id & 7)) & slots->mask;
}

/** The object with that id, or NULL. Any thread that is inside a section of the epoch. */
static inline struct venus_object *venus_object_table_get(
		const struct venus_object_table *table, uint64_t id) {
	if (id == 0) {
		return NULL; /* the tombstone's */
	}
	const struct venus_object_slots *slots =
		atomic_load_explicit(&table->slots, memory_order_acquire);
	for (size_t i = venus_object_slots_first(slots, id);; i = (i + 1) & slots->mask) {
		struct venus_object *object =
			atomic_load_explicit(&slots->slot[i], memory_order_acquire);
		if (!object || object->id == id) {
			return object;
		}
	}
}

/** Makes the object visible. false: its id is 0 or taken, or memory is out. */
bool venus_object_table_add(struct venus_object_table *table, struct venus_object *object);

/** Makes the object invisible; the caller retires it. false: it was not there, or no longer. */
bool venus_object_table_remove(struct venus_object_table *table, struct venus_object *object);

/**
 * Walks over all objects, for teardown: nobody else may use the table. Start with *cursor = 0;
 * NULL ends.
 */
struct venus_object *venus_object_table_next(struct venus_object_table *table, size_t *cursor);

/**
 * All objects at one moment, for use inside a section of the epoch or by the last thread.
 * Caller frees the array; *count is 0 when memory is out.
 */
struct venus_object **venus_object_table_snapshot(
	struct venus_object_table *table, size_t *count);

#endif
