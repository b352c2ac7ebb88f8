/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>

#include "base/id_table.h"

/*
 * Open addressing with linear probing. A slot is empty (id 0, no value), a tombstone
 * (id 0, value TOMBSTONE), or taken. At most three quarters of the slots are not
 * empty, so that every probe ends.
 *
 * A guest chooses the ids and could choose ones that collide; the address of the
 * slots, which it does not know and which every resize changes, goes into the hash.
 */

struct id_table_slot {
	uint64_t id;
	void *value;
};

#define MIN_CAPACITY 16

static char tombstone;
#define TOMBSTONE ((void *)&tombstone)

static size_t hash(const struct id_table_slot *slots, uint64_t id) {
	uint64_t x = id ^ ((uint64_t)(uintptr_t)slots >> 4);
	x = (x ^ (x >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
	return (size_t)(x ^ (x >> 32));
}

static struct id_table_slot *find(const struct id_table *table, uint64_t id) {
	if (id == 0 || table->capacity == 0) {
		return NULL;
	}
	size_t mask = table->capacity - 1;
	for (size_t i = hash(table->slots, id) & mask;; i = (i + 1) & mask) {
		struct id_table_slot *slot = &table->slots[i];
		if (slot->id == id) {
			return slot;
		}
		if (slot->id == 0 && !slot->value) {
			return NULL;
		}
	}
}

/* The id must not be there, and there must be a slot that is not taken. */
static void insert(struct id_table *table, uint64_t id, void *value) {
	size_t mask = table->capacity - 1;
	size_t i = hash(table->slots, id) & mask;
	while (table->slots[i].id != 0) {
		i = (i + 1) & mask;
	}
	if (!table->slots[i].value) {
		table->used++;
	}
	table->slots[i] = (struct id_table_slot){.id = id, .value = value};
	table->count++;
}

/* Moves all to a table that is at most half full with one more, without tombstones. */
static bool resize(struct id_table *table) {
	size_t capacity = MIN_CAPACITY;
	while (capacity / 2 < table->count + 1) {
		if (capacity > SIZE_MAX / 2 / sizeof(struct id_table_slot)) {
			return false;
		}
		capacity *= 2;
	}
	struct id_table resized = {
		.slots = calloc(capacity, sizeof(struct id_table_slot)),
		.capacity = capacity,
	};
	if (!resized.slots) {
		return false;
	}
	for (size_t i = 0; i < table->capacity; i++) {
		if (table->slots[i].id != 0) {
			insert(&resized, table->slots[i].id, table->slots[i].value);
		}
	}
	free(table->slots);
	*table = resized;
	return true;
}

void id_table_init(struct id_table *table) {
	*table = (struct id_table){0};
}

void id_table_finish(struct id_table *table) {
	free(table->slots);
	id_table_init(table);
}

void *id_table_get(const struct id_table *table, uint64_t id) {
	struct id_table_slot *slot = find(table, id);
	return slot ? slot->value : NULL;
}

bool id_table_add(struct id_table *table, uint64_t id, void *value) {
	assert(value);
	if (id == 0 || find(table, id)) {
		return false;
	}
	if (table->used + 1 > table->capacity / 4 * 3 && !resize(table)) {
		return false;
	}
	insert(table, id, value);
	return true;
}

void *id_table_remove(struct id_table *table, uint64_t id) {
	struct id_table_slot *slot = find(table, id);
	if (!slot) {
		return NULL;
	}
	void *value = slot->value;
	table->count--;

	/* A tombstone is needed only where a probe must go on to a later slot. */
	size_t mask = table->capacity - 1;
	size_t i = (size_t)(slot - table->slots);
	struct id_table_slot *next = &table->slots[(i + 1) & mask];
	if (next->id != 0 || next->value) {
		*slot = (struct id_table_slot){.value = TOMBSTONE};
		return value;
	}
	do {
		table->slots[i] = (struct id_table_slot){0};
		table->used--;
		i = (i - 1) & mask;
	} while (table->slots[i].id == 0 && table->slots[i].value);
	return value;
}

void *id_table_next(const struct id_table *table, size_t *cursor) {
	while (*cursor < table->capacity) {
		struct id_table_slot *slot = &table->slots[(*cursor)++];
		if (slot->id != 0) {
			return slot->value;
		}
	}
	return NULL;
}
