/* SPDX-License-Identifier: MIT */

/*
 * Encodes replies, of whatever a driver may answer to a command, into as much room as there is,
 * and decodes them as a guest does; and decodes the bytes of the input as a reply.
 *
 * An input: u16 command, u16 words of room, u32 of what the request and the answer are made up;
 * the rest are the bytes of a reply.
 */

#include <stdlib.h>
#include <string.h>

#include "filler.h"
#include "fuzz.h"
#include "wire_commands.h"

#define ARENA_LIMIT ((size_t)1024 * 1024)
#define MAX_STREAM ((size_t)64 * 1024)

static struct {
	bool ready;
	struct filler_objects objects;
	struct arena made_up, decoded, answered;
	bool covered[WIRE_COVERAGE_COUNT];
	uint8_t stream[MAX_STREAM];
} fuzz;

static void prepare(void) {
	if (!fuzz.ready) {
		fuzz.ready = true;
		arena_init(&fuzz.made_up, 4 * ARENA_LIMIT);
		arena_init(&fuzz.decoded, ARENA_LIMIT);
		arena_init(&fuzz.answered, ARENA_LIMIT);
		memset(fuzz.covered, 1, sizeof(fuzz.covered));
		if (!filler_objects_init(&fuzz.objects)) {
			abort();
		}
	}
}

static void *new_args(const struct wire_command *command) {
	void *args = calloc(1, command->args_size);
	if (!args) {
		abort();
	}
	return args;
}

/** As a guest: the reply behind its command number goes into the structures of the request. */
static bool decode_reply(const struct wire_command *command, const uint8_t *data, size_t size,
		void *args) {
	struct venus_decoder d = {
		.cursor = data,
		.end = data + size,
		.arena = &fuzz.answered,
		.objects = &fuzz.objects.table,
	};
	const bool ok = command->decode_reply(&d, args);
	if (d.cursor > d.end) {
		abort();
	}
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	prepare();
	struct fuzz_input input = {data, size};
	const struct wire_command *command = &wire_commands[fuzz_u16(&input) % WIRE_COMMAND_COUNT];
	const size_t room = fuzz_u16(&input) * (size_t)4;
	struct filler f;
	filler_init(&f, &fuzz.made_up, fuzz.covered, fuzz_u32(&input));

	void *asked = new_args(command), *args = new_args(command);
	command->fill_request(&f, asked);
	struct venus_encoder e = {.cursor = fuzz.stream, .end = fuzz.stream + MAX_STREAM};
	command->encode_request(&e, asked);
	struct venus_decoder d = {
		.cursor = fuzz.stream + 8,
		.end = e.cursor,
		.arena = &fuzz.decoded,
		.objects = &fuzz.objects.table,
	};
	if (!e.overflow && command->decode_request(&d, args)) {
		command->fill_reply(&f, args);
		/* at the end of its own memory, where AddressSanitizer sees what is written behind it */
		const size_t limit = room ? room : MAX_STREAM;
		uint8_t *reply = malloc(limit);
		struct venus_encoder answer = {.cursor = reply, .end = reply + limit};
		command->encode_reply(&answer, args);
		const size_t written = (size_t)(answer.cursor - reply);
		if (!answer.overflow && !decode_reply(command, reply, written, asked)) {
			abort();
		}
		free(reply);
	}

	const size_t rest = input.size & ~(size_t)3;
	uint8_t *reply = malloc(rest ? rest : 1);
	if (rest) {
		memcpy(reply, input.data, rest);
	}
	decode_reply(command, reply, rest, asked);
	free(reply);
	free(asked);
	free(args);
	arena_reset(&fuzz.made_up);
	arena_reset(&fuzz.decoded);
	arena_reset(&fuzz.answered);
	return 0;
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t max_size, uint64_t random) {
	if (size < 8 && max_size >= 8) {
		memset(data + size, 0, 8 - size);
		size = 8;
	}
	if (size >= 8) {
		const uint16_t command = (uint16_t)(random % WIRE_COMMAND_COUNT);
		const uint32_t made_up = (uint32_t)(random >> 32);
		if (random >> 16 & 1) {
			memcpy(data, &command, sizeof(command));
		}
		if (random >> 17 & 1) {
			memcpy(data + 4, &made_up, sizeof(made_up));
		}
	}
	return size;
}

void fuzz_finish(void) {
	if (fuzz.ready) {
		filler_objects_finish(&fuzz.objects);
		arena_finish(&fuzz.made_up);
		arena_finish(&fuzz.decoded);
		arena_finish(&fuzz.answered);
		fuzz.ready = false;
	}
}
