/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_ARENA_H
#define VENERA_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/**
 * Memory for one command's temporaries: bump allocation, all freed at once by a reset.
 * Keeps its first block over resets, so that the usual command calls no malloc.
 */
struct arena_block;

struct arena {
	uint8_t *next, *end;       /* the free part of the present block */
	struct arena_block *block; /* the present one; earlier ones are chained behind it */
	size_t allocated;          /* bytes of all blocks */
	size_t limit;              /* bytes that all blocks may have together */
};

/** `limit` bounds the blocks' bytes together. Allocates nothing yet. */
void arena_init(struct arena *arena, size_t limit);
void arena_finish(struct arena *arena);

/** Slow path of arena_alloc(). */
void *arena_alloc_block(struct arena *arena, size_t size);

/**
 * 16-byte aligned, not cleared. NULL when the limit is reached or memory is out; never
 * because `size` is 0.
 */
static inline void *arena_alloc(struct arena *arena, size_t size) {
	if (size > SIZE_MAX - 15) {
		return NULL;
	}
	size = size ? (size + 15) & ~(size_t)15 : 16;
	if (size <= (size_t)(arena->end - arena->next)) {
		void *data = arena->next;
		arena->next += size;
		return data;
	}
	return arena_alloc_block(arena, size);
}

/** `count` elements of `size` bytes; NULL also when the product overflows. */
static inline void *arena_alloc_array(struct arena *arena, size_t count, size_t size) {
	if (size && count > SIZE_MAX / size) {
		return NULL;
	}
	return arena_alloc(arena, count * size);
}

/** Frees everything that was allocated; keeps one block of ordinary size. */
void arena_reset(struct arena *arena);

#endif
