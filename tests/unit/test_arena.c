/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "test.h"

static void test_alignment_and_contents(void) {
	struct arena arena;
	arena_init(&arena, 1 << 20);
	unsigned char *pieces[200];
	for (size_t i = 0; i < 200; i++) {
		pieces[i] = arena_alloc(&arena, i);
		CHECK(pieces[i]);
		CHECK_INT((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t j = 0; j < i; j++) {
			CHECK_INT(pieces[i][j], i);
		}
	}
	arena_finish(&arena);
}

static void test_nothing(void) {
	/* an empty array is no failure, in an arena without a block neither */
	struct arena arena;
	arena_init(&arena, 1 << 20);
	CHECK(arena_alloc(&arena, 0));
	CHECK(arena_alloc_array(&arena, 0, 100));
	CHECK(arena_alloc_array(&arena, 100, 0));
	arena_finish(&arena);
}

static void test_overflow(void) {
	struct arena arena;
	arena_init(&arena, SIZE_MAX);
	CHECK(!arena_alloc(&arena, SIZE_MAX));
	CHECK(!arena_alloc(&arena, SIZE_MAX - 15));
	CHECK(!arena_alloc_array(&arena, SIZE_MAX / 8 + 1, 8));
	CHECK(!arena_alloc_array(&arena, SIZE_MAX / 2, 3));
	CHECK(arena_alloc_array(&arena, 3, 8));
	CHECK(!arena_alloc(&arena, SIZE_MAX - 64));
	arena_finish(&arena);
}

static void test_limit(void) {
	struct arena arena;
	arena_init(&arena, 200000);
	size_t total = 0;
	while (arena_alloc(&arena, 1000)) {
		total += 1000;
		CHECK(arena.allocated <= 200000);
		CHECK(total <= 200000);
	}
	CHECK(total > 180000); /* most of the limit can be used */
	arena_reset(&arena);
	CHECK(arena_alloc(&arena, 100000));
	CHECK(!arena_alloc(&arena, 100000));
	arena_finish(&arena);

	arena_init(&arena, 100); /* less than a usual block */
	CHECK(arena_alloc(&arena, 32));
	CHECK(!arena_alloc(&arena, 200));
	arena_finish(&arena);

	arena_init(&arena, 0);
	CHECK(!arena_alloc(&arena, 1));
	arena_finish(&arena);
}

static void test_large_piece_keeps_block(void) {
	struct arena arena;
	arena_init(&arena, 10 << 20);
	uint8_t *first = arena_alloc(&arena, 16);
	CHECK(arena_alloc(&arena, 1 << 20));
	uint8_t *second = arena_alloc(&arena, 16);
	CHECK(second == first + 16); /* the block was not left with its rest unused */
	arena_finish(&arena);
}

static void test_reset(void) {
	struct arena arena;
	arena_init(&arena, 10 << 20);
	CHECK(arena_alloc(&arena, 100));
	void *block = arena.block;
	for (int i = 0; i < 1000; i++) {
		arena_reset(&arena);
		CHECK(arena.block == block); /* no malloc for the usual command */
		CHECK(arena_alloc(&arena, 5000));
	}

	/* after a giant command the memory goes back */
	CHECK(arena_alloc(&arena, 5 << 20));
	for (int i = 0; i < 100; i++) {
		CHECK(arena_alloc(&arena, 10000));
	}
	arena_reset(&arena);
	CHECK(arena.allocated > 0 && arena.allocated <= 128 * 1024);

	/* the first piece was giant */
	arena_finish(&arena);
	CHECK(arena_alloc(&arena, 5 << 20));
	arena_reset(&arena);
	CHECK_INT(arena.allocated, 0);
	CHECK(arena_alloc(&arena, 5));
	arena_finish(&arena);
	arena_finish(&arena);
}

int main(void) {
	RUN(test_alignment_and_contents);
	RUN(test_nothing);
	RUN(test_overflow);
	RUN(test_limit);
	RUN(test_large_piece_keeps_block);
	RUN(test_reset);
	return 0;
}
