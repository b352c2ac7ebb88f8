/* SPDX-License-Identifier: MIT */
#include "mutate_commands.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "filler.h"
#include "wire_commands.h"

#define MAX_COMMAND ((size_t)16 * 1024)

/** Could a command begin here? */
static bool begins(const uint8_t *p) {
	uint32_t number = venus_load_u32(p), flags = venus_load_u32(p + 4);
	return flags <= 1 && number && number < VENUS_COMMAND_COUNT;
}

/** The first likely beginning from `at` on, or the end. */
static size_t next_command(const uint8_t *stream, size_t size, size_t at) {
	while (at + 8 <= size && !begins(stream + at)) {
		at += 4;
	}
	return at + 8 <= size ? at : size & ~(size_t)3;
}

static size_t make_up(struct filler *f, uint8_t *buffer) {
	static bool covered[WIRE_COVERAGE_COUNT];
	struct arena arena;
	arena_init(&arena, (size_t)4 * 1024 * 1024);
	memset(covered, 1, sizeof(covered));
	struct filler filler;
	filler_init(&filler, &arena, covered, filler_u64(f));
	filler.per_type = 1;
	const struct wire_command *command = &wire_commands[filler_below(f, WIRE_COMMAND_COUNT)];
	void *args = calloc(1, command->args_size);
	if (!args) {
		abort();
	}
	command->fill_request(&filler, args);
	struct venus_encoder e = {.cursor = buffer, .end = buffer + MAX_COMMAND};
	command->encode_request(&e, args);
	free(args);
	arena_finish(&arena);
	if (filler_below(f, 3) == 0) {
		venus_store_u32(buffer + 4, 0); /* no reply */
	}
	return e.overflow ? 0 : (size_t)(e.cursor - buffer);
}

static size_t insert(uint8_t *stream, size_t size, size_t max_size, size_t at, const uint8_t *data,
		size_t data_size) {
	if (data_size > max_size - size) {
		return size;
	}
	memmove(stream + at + data_size, stream + at, size - at);
	memcpy(stream + at, data, data_size);
	return size + data_size;
}

size_t mutate_commands(uint8_t *stream, size_t size, size_t max_size, uint64_t random) {
	static uint8_t buffer[MAX_COMMAND];
	struct filler f;
	filler_init(&f, NULL, NULL, random);
	if (size > max_size) {
		size = max_size;
	}
	const size_t where = size >= 4 ? filler_below(&f, (uint32_t)(size / 4)) * (size_t)4 : 0;
	const size_t at = next_command(stream, size, where);
	switch (size >= 16 ? filler_below(&f, 8) : 0) {
	default:
		return insert(stream, size, max_size, at <= size ? at : size, buffer, make_up(&f, buffer));
	case 2: { /* take one out */
		const size_t end = next_command(stream, size, at + 8 < size ? at + 8 : size);
		if (end > at && end <= size) {
			memmove(stream + at, stream + end, size - end);
			size -= end - at;
		}
		return size;
	}
	case 3: { /* twice */
		const size_t end = next_command(stream, size, at + 8 < size ? at + 8 : size);
		if (end > at && end <= size && end - at <= MAX_COMMAND) {
			memcpy(buffer, stream + at, end - at);
			return insert(stream, size, max_size, end, buffer, end - at);
		}
		return size;
	}
	case 4: { /* another object */
		const uint64_t id = filler_below(&f, 8) ?
			0x1000 + filler_below(&f, WIRE_OBJECT_TYPE_COUNT) * 4 : 0;
		if (where + 8 <= size) {
			memcpy(stream + where, &id, sizeof(id));
		}
		return size;
	}
	case 5: { /* another number */
		static const uint32_t numbers[] = {0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 31, 32, 33, 64, 127,
			255, 256, 4096, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
		const uint32_t number =
			numbers[filler_below(&f, sizeof(numbers) / sizeof(numbers[0]))];
		if (where + 4 <= size) {
			memcpy(stream + where, &number, sizeof(number));
		}
		return size;
	}
	}
}
