/* SPDX-License-Identifier: MIT */

/*
 * Tries every command with made-up contents:
 *
 *  - what a client encodes and the renderer decodes is, encoded again, the same; likewise
 *    replies;
 *  - a stream that ends anywhere inside a command is an error;
 *  - a stream in which one word is wrong may be an error or not, but does no harm.
 *
 * Streams lie at the end of their own allocation, where AddressSanitizer sees reads behind it.
 * At the end every structure has come up in each form, and every structure that may be chained
 * in every place.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filler.h"
#include "wire_commands.h"

enum {
	MAX_STREAM = 1024 * 1024,
	MAX_ROUNDS = 400,    /* of all commands, until everything has come up */
	DAMAGED_ROUNDS = 12, /* in which streams are also cut and damaged */
	MAX_CUTS = 200,      /* of one stream */
	MAX_DAMAGES = 100,
};

#define ARENA_LIMIT ((size_t)4 * 1024 * 1024)
#define SMALL_ARENA_LIMIT ((size_t)128 * 1024)

static struct filler_objects objects;
static struct arena request_arena, decode_arena, small_arena, reply_arena;
static bool covered[WIRE_COVERAGE_COUNT];
static uint8_t *buffers[2];
static unsigned failures;

static void fail(const struct wire_command *command, const char *what,
		const struct venus_decoder *d) {
	fprintf(stderr, "%s: %s%s%s%s%s\n", command->name, what, d && d->error ? ": " : "",
		d && d->error_argument ? d->error_argument : "", d && d->error_argument ? ": " : "",
		d && d->error ? d->error : "");
	if (++failures > 20) {
		exit(1);
	}
}

static struct venus_decoder decoder_for(const uint8_t *data, size_t size, struct arena *arena) {
	return (struct venus_decoder){
		.cursor = data,
		.end = data + size,
		.arena = arena,
		.objects = &objects.table,
	};
}

static void *new_args(const struct wire_command *command, struct arena *arena) {
	void *args = arena_alloc(arena, command->args_size);
	if (!args) {
		abort();
	}
	memset(args, 0, command->args_size);
	return args;
}

typedef void (*encode_func)(struct venus_encoder *e, const void *args);

static size_t encode(encode_func func, const void *args, uint8_t *buffer) {
	struct venus_encoder e = {.cursor = buffer, .end = buffer + MAX_STREAM};
	func(&e, args);
	return e.overflow ? 0 : (size_t)(e.cursor - buffer);
}

/** Writes into less room than there must be: nothing may be written behind it. */
static void check_overflow(const struct wire_command *command, encode_func func,
		const void *args, size_t size) {
	size_t room = size / 2 & ~(size_t)3;
	uint8_t *small = malloc(room ? room : 1);
	struct venus_encoder e = {.cursor = small, .end = small + room};
	func(&e, args);
	if (!e.overflow) {
		fail(command, "the encoder wrote more than there is room", NULL);
	}
	free(small);
}

/** Decodes a copy of exactly `size` bytes of a request, header included. */
static bool decode_copy(const struct wire_command *command, const uint8_t *stream, size_t size,
		bool reply_too) {
	uint8_t *copy = malloc(size);
	if (!copy) {
		abort();
	}
	memcpy(copy, stream, size);
	void *args = new_args(command, &small_arena);
	struct venus_decoder d = decoder_for(copy + 8, size - 8, &small_arena);
	bool ok = command->decode_request(&d, args);
	if (ok != !d.error) {
		fail(command, "the decoder's result and error contradict one another", &d);
	}
	if (d.cursor > d.end) {
		fail(command, "the decoder's cursor is behind the end", &d);
	}
	if (ok && reply_too) {
		encode(command->encode_reply, args, buffers[1]);
	}
	free(copy);
	arena_reset(&small_arena);
	return ok;
}

static void cut(const struct wire_command *command, const uint8_t *stream, size_t size) {
	size_t step = 4 * (1 + (size - 8) / 4 / MAX_CUTS);
	for (size_t length = 8; length < size; length += step) {
		if (decode_copy(command, stream, length, false)) {
			fail(command, "a command was accepted that is cut short", NULL);
			return;
		}
	}
	if (decode_copy(command, stream, size - 4, false)) {
		fail(command, "a command was accepted whose last word is missing", NULL);
	}
}

static void damage(struct filler *f, const struct wire_command *command, uint8_t *stream,
		size_t size) {
	static const uint32_t values[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff};
	const uint32_t words = (uint32_t)(size / 4);
	for (uint32_t i = 2; i < words; i += 1 + words / MAX_DAMAGES) {
		uint8_t *word = stream + (size_t)i * 4;
		uint32_t original = venus_load_u32(word);
		for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
			venus_store_u32(word, values[k]);
			decode_copy(command, stream, size, true);
		}
		venus_store_u32(word, original ^ UINT32_C(1) << filler_below(f, 32));
		decode_copy(command, stream, size, true);
		venus_store_u32(word, original);
	}
}

static void try_command(const struct wire_command *command, uint64_t seed, bool damage_too) {
	struct filler f;
	filler_init(&f, &request_arena, covered, seed);
	void *sent = new_args(command, &request_arena);
	command->fill_request(&f, sent);
	size_t size = encode(command->encode_request, sent, buffers[0]);
	if (size < 8) {
		fail(command, "the request was not encoded", NULL);
		return;
	}

	/* a copy of its own, so that reads behind its end are seen */
	uint8_t *stream = malloc(size);
	if (!stream) {
		abort();
	}
	memcpy(stream, buffers[0], size);
	void *received = new_args(command, &decode_arena);
	struct venus_decoder d = decoder_for(stream + 8, size - 8, &decode_arena);
	if (!command->decode_request(&d, received)) {
		fail(command, "the request was not accepted", &d);
	} else if (d.cursor != d.end) {
		fail(command, "the decoder left something over", NULL);
	} else if (encode(command->encode_request, received, buffers[1]) != size ||
			memcmp(buffers[0], buffers[1], size) != 0) {
		fail(command, "what was decoded is not what was encoded", NULL);
	} else {
		if (damage_too) {
			cut(command, stream, size);
			damage(&f, command, stream, size);
			check_overflow(command, command->encode_request, sent, size);
		}
		f.arena = &decode_arena;
		command->fill_reply(&f, received);
		size_t reply_size = encode(command->encode_reply, received, buffers[0]);
		uint8_t *reply = malloc(reply_size ? reply_size : 1);
		if (!reply) {
			abort();
		}
		memcpy(reply, buffers[0], reply_size);
		d = decoder_for(reply, reply_size, &reply_arena);
		if (reply_size < 4) {
			fail(command, "the reply was not encoded", NULL);
		} else if (!command->decode_reply(&d, sent)) {
			fail(command, "the reply was not accepted", &d);
		} else if (d.cursor != d.end) {
			fail(command, "the reply was not decoded to its end", NULL);
		} else if (encode(command->encode_reply, sent, buffers[1]) != reply_size ||
				memcmp(buffers[0], buffers[1], reply_size) != 0) {
			fail(command, "the reply is not the same after decoding", NULL);
		} else if (damage_too) {
			check_overflow(command, command->encode_reply, received, reply_size);
		}
		free(reply);
	}
	free(stream);
	arena_reset(&request_arena);
	arena_reset(&decode_arena);
	arena_reset(&reply_arena);
}

static size_t count_covered(void) {
	size_t count = 0;
	for (size_t i = 0; i < WIRE_COVERAGE_COUNT; i++) {
		count += covered[i];
	}
	return count;
}

int main(void) {
	arena_init(&request_arena, ARENA_LIMIT);
	arena_init(&decode_arena, ARENA_LIMIT);
	arena_init(&reply_arena, ARENA_LIMIT);
	arena_init(&small_arena, SMALL_ARENA_LIMIT);
	buffers[0] = malloc(MAX_STREAM);
	buffers[1] = malloc(MAX_STREAM);
	if (!buffers[0] || !buffers[1] || !filler_objects_init(&objects)) {
		return 1;
	}

	unsigned round = 0;
	for (; round < MAX_ROUNDS && (round < 4 || count_covered() < WIRE_COVERAGE_COUNT); round++) {
		for (size_t i = 0; i < WIRE_COMMAND_COUNT; i++) {
			try_command(&wire_commands[i], (uint64_t)round << 32 | i, round < DAMAGED_ROUNDS);
		}
	}
	for (size_t i = 0; i < WIRE_COVERAGE_COUNT; i++) {
		if (!covered[i]) {
			fprintf(stderr, "never tried: %s\n", wire_coverage[i]);
			failures++;
		}
	}
	printf("%d commands, %d structures and chained structures, %u rounds\n", WIRE_COMMAND_COUNT,
		WIRE_COVERAGE_COUNT, round);

	filler_objects_finish(&objects);
	arena_finish(&request_arena);
	arena_finish(&decode_arena);
	arena_finish(&reply_arena);
	arena_finish(&small_arena);
	free(buffers[0]);
	free(buffers[1]);
	return failures ? 1 : 0;
}
