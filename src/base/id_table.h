/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_ID_TABLE_H
#define VENERA_BASE_ID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Maps nonzero 64-bit ids, chosen by somebody else, to pointers. Not thread-safe.
 * (venera-render's object table, which several threads read, is venus/object_table.h.)
 */
struct id_table {
	struct id_table_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;    /* ids present */
	size_t used;     /* ids present and tombstones */
};

void id_table_init(struct id_table *table);

/** Frees the table, not what it points to. */
void id_table_finish(struct id_table *table);

/** NULL if the id is 0 or not there. */
void *id_table_get(const struct id_table *table, uint64_t id);

/** Adds a new id. false if it is 0, already there, or memory is out. `value` is not NULL. */
bool id_table_add(struct id_table *table, uint64_t id, void *value);

/** Removes and returns what was there, or NULL. */
void *id_table_remove(struct id_table *table, uint64_t id);

/**
 * Walks over all: `*cursor` starts at 0; NULL at the end. The present element may be
 * removed during the walk, others not; nothing may be added.
 */
void *id_table_next(const struct id_table *table, size_t *cursor);

#endif
