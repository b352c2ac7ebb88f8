/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"

/* What a block usually has, header included. Almost every command fits into one. */
#define BLOCK_SIZE ((size_t)64 * 1024)

struct arena_block {
	struct arena_block *prev;
	size_t size; /* header included */
};

/* keeps the data 16-byte aligned, as malloc's result is */
#define HEADER_SIZE ((sizeof(struct arena_block) + 15) & ~(size_t)15)

static uint8_t *block_data(struct arena_block *block) {
	return (uint8_t *)block + HEADER_SIZE;
}

void arena_init(struct arena *arena, size_t limit) {
	*arena = (struct arena){.limit = limit};
}

static void free_blocks(struct arena_block *block) {
	while (block) {
		struct arena_block *prev = block->prev;
		free(block);
		block = prev;
	}
}

void arena_finish(struct arena *arena) {
	free_blocks(arena->block);
	arena_init(arena, arena->limit);
}

void *arena_alloc_block(struct arena *arena, size_t size) {
	size_t room = arena->limit - arena->allocated;
	if (room < HEADER_SIZE || size > room - HEADER_SIZE) {
		return NULL;
	}
	size_t block_size = size + HEADER_SIZE;
	/* A large piece gets a block of its own, behind the present one, which stays in use. */
	bool own = arena->block && size > BLOCK_SIZE / 4;
	if (!own && block_size < BLOCK_SIZE) {
		block_size = room < BLOCK_SIZE ? room : BLOCK_SIZE;
	}

	struct arena_block *block = malloc(block_size);
	if (!block) {
		return NULL;
	}
	block->size = block_size;
	arena->allocated += block_size;
	uint8_t *data = block_data(block);
	if (own) {
		block->prev = arena->block->prev;
		arena->block->prev = block;
	} else {
		block->prev = arena->block;
		arena->block = block;
		arena->next = data + size;
		arena->end = (uint8_t *)block + block_size;
	}
	return data;
}

void arena_reset(struct arena *arena) {
	struct arena_block *kept = NULL;
	for (struct arena_block *block = arena->block, *prev; block; block = prev) {
		prev = block->prev;
		if (!kept && block->size <= BLOCK_SIZE) {
			kept = block;
		} else {
			free(block);
		}
	}
	arena_init(arena, arena->limit);
	if (kept) {
		kept->prev = NULL;
		arena->block = kept;
		arena->allocated = kept->size;
		arena->next = block_data(kept);
		arena->end = (uint8_t *)kept + kept->size;
	}
}
