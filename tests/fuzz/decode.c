/* SPDX-License-Identifier: MIT */

/*
 * Fuzzes the decoder with streams of commands. Every object that a command may name exists
 * (see filler_objects), so that what gets through is much; what was decoded is also replied
 * to, into too little room now and then.
 *
 * Built for libFuzzer with -Dfuzz=true and clang. Otherwise it is a program:
 *   fuzz_decode                    tries some made-up and damaged streams
 *   fuzz_decode --seeds FOLDER     writes streams for a fuzzer to begin with, one per command
 *   fuzz_decode FILE...            tries these
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filler.h"
#include "wire_commands.h"

#define ARENA_LIMIT ((size_t)256 * 1024)
#define MAX_STREAM ((size_t)64 * 1024)

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

#ifndef VENERA_LIBFUZZER

static bool covered[WIRE_COVERAGE_COUNT];

/** A request with made-up contents. */
static size_t make_stream(const struct wire_command *command, uint64_t seed, uint8_t *stream) {
	struct arena arena;
	struct filler f;
	arena_init(&arena, (size_t)4 * 1024 * 1024);
	filler_init(&f, &arena, covered, seed);
	void *args = calloc(1, command->args_size);
	if (!args) {
		abort();
	}
	command->fill_request(&f, args);
	struct venus_encoder e = {.cursor = stream, .end = stream + MAX_STREAM};
	command->encode_request(&e, args);
	free(args);
	arena_finish(&arena);
	return e.overflow ? 0 : (size_t)(e.cursor - stream);
}

static int write_seeds(const char *folder) {
	static uint8_t stream[MAX_STREAM];
	for (size_t i = 0; i < WIRE_COMMAND_COUNT; i++) {
		size_t size = make_stream(&wire_commands[i], i, stream);
		char path[4096];
		int length = snprintf(path, sizeof(path), "%s/%s", folder, wire_commands[i].name);
		FILE *file = length < (int)sizeof(path) ? fopen(path, "wb") : NULL;
		if (!file || fwrite(stream, 1, size, file) != size || fclose(file) != 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

static int try_file(const char *path) {
	static uint8_t stream[MAX_STREAM];
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 1;
	}
	size_t size = fread(stream, 1, sizeof(stream), file);
	fclose(file);
	LLVMFuzzerTestOneInput(stream, size);
	return 0;
}

static void try_made_up(void) {
	static uint8_t stream[2 * MAX_STREAM];
	struct filler f;
	filler_init(&f, NULL, covered, 1);
	for (unsigned i = 0; i < 4000; i++) {
		const struct wire_command *first = &wire_commands[i % WIRE_COMMAND_COUNT];
		const struct wire_command *second = &wire_commands[filler_below(&f, WIRE_COMMAND_COUNT)];
		size_t size = make_stream(first, i, stream);
		size += make_stream(second, i, stream + size);
		LLVMFuzzerTestOneInput(stream, size);
		for (unsigned k = filler_below(&f, 4); k > 0; k--) {
			stream[filler_below(&f, (uint32_t)size)] = filler_u8(&f);
		}
		LLVMFuzzerTestOneInput(stream, size);
	}
}

int main(int argc, char *argv[]) {
	int result = 0;
	if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
		return write_seeds(argv[2]);
	}
	if (argc == 1) {
		try_made_up();
	}
	for (int i = 1; i < argc; i++) {
		result |= try_file(argv[i]);
	}
	if (fuzz.ready) {
		filler_objects_finish(&fuzz.objects);
		arena_finish(&fuzz.arena);
	}
	return result;
}

#endif
