/* SPDX-License-Identifier: MIT */

/*
 * Decodes streams of commands. Every object that a command may name exists (see filler_objects),
 * so that what gets through is much; what was decoded is also replied to, into too little room
 * now and then.
 */

#include <stdlib.h>
#include <string.h>

#include "filler.h"
#include "fuzz.h"
#include "mutate_commands.h"
#include "wire_commands.h"

#define ARENA_LIMIT ((size_t)256 * 1024)

static struct {
	bool ready;
	struct filler_objects objects;
	struct arena arena;
	const struct wire_command *commands[VENUS_COMMAND_COUNT]; /* by number */
	size_t args_size;
	uint8_t reply[16 * 1024];
} fuzz;

static void prepare(void) {
	if (fuzz.ready) {
		return;
	}
	fuzz.ready = true;
	arena_init(&fuzz.arena, ARENA_LIMIT);
	if (!filler_objects_init(&fuzz.objects)) {
		abort();
	}
	for (size_t i = 0; i < WIRE_COMMAND_COUNT; i++) {
		fuzz.commands[wire_commands[i].number] = &wire_commands[i];
		if (wire_commands[i].args_size > fuzz.args_size) {
			fuzz.args_size = wire_commands[i].args_size;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	prepare();
	/* as the renderer does it: whole words, in memory of our own */
	size &= ~(size_t)3;
	uint8_t *stream = malloc(size ? size : 1);
	void *args = malloc(fuzz.args_size);
	if (!stream || !args) {
		abort();
	}
	memcpy(stream, data, size);
	struct venus_decoder d = {
		.cursor = stream,
		.end = stream + size,
		.arena = &fuzz.arena,
		.objects = &fuzz.objects.table,
	};
	for (const uint8_t *header; (header = venus_decoder_take(&d, 8));) {
		uint32_t number = venus_load_u32(header), flags = venus_load_u32(header + 4);
		if (number >= VENUS_COMMAND_COUNT || !fuzz.commands[number]) {
			break;
		}
		d.device = NULL;
		d.pool = NULL;
		d.failed_object = NULL;
		bool ok = fuzz.commands[number]->decode_request(&d, args);
		if (ok != !d.error || d.cursor > d.end) {
			abort();
		}
		if (!ok) {
			break;
		}
		/* the other flags say how much room there is */
		size_t room = flags >> 1 ? (flags >> 1) % sizeof(fuzz.reply) & ~(size_t)3
					 : sizeof(fuzz.reply);
		struct venus_encoder e = {.cursor = fuzz.reply, .end = fuzz.reply + room};
		fuzz.commands[number]->encode_reply(&e, args);
		arena_reset(&fuzz.arena);
	}
	arena_reset(&fuzz.arena);
	free(args);
	free(stream);
	return 0;
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t max_size, uint64_t random) {
	return mutate_commands(data, size, max_size, random);
}

void fuzz_finish(void) {
	if (fuzz.ready) {
		filler_objects_finish(&fuzz.objects);
		arena_finish(&fuzz.arena);
		fuzz.ready = false;
	}
}
