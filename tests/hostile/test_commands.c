/* SPDX-License-Identifier: MIT */

/*
 * Every command of the protocol, made by the tables, and what a hostile guest may make of it:
 *
 *  cut      it ends after each of its words: always refused
 *  counts   each word, and each pair of words, is a number at a boundary: no more memory is taken
 *           than the arena may have
 *  handles  each id is zero, unknown, stale, of another type, of another device: refused with the
 *           name of the argument, except zero where that is legal
 *  process  a render process gets it, cut: the context is lost, and the log names the command
 *
 * The first three are of the decoder, with objects of all types and no driver behind them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"
#include "filler.h"
#include "hostile.h"
#include "wire_commands.h"

enum {
	SEEDS = 3,
	MAX_STREAM = 256 * 1024,
	MAX_TRIES = 250, /* places in one stream */
	FIRST_ID = 0x1000,
	FOREIGN_ID = 0x100000,
	UNKNOWN_ID = 0x7ead0000,
	IDS_PER_TYPE = 4,
};

#define ARENA_LIMIT ((size_t)4 << 20)
#define SMALL_ARENA_LIMIT ((size_t)128 << 10)

static struct filler_objects objects;
static struct venus_object *foreign; /* one of each type, of another device */
static struct arena request_arena, arena;
static bool covered[WIRE_COVERAGE_COUNT];
static uint8_t stream[MAX_STREAM], reply[64 << 10];
static unsigned tried, refused;

static _Noreturn void fail(const struct wire_command *command, const char *what, size_t offset,
		const struct venus_decoder *d) {
	fprintf(stderr, "%s, word %zu: %s (%s: %s)\n", command->name, offset / 4, what,
		d->error_argument ? d->error_argument : "-", d->error ? d->error : "no error");
	exit(1);
}

/** A legal request; its size. */
static size_t make_request(const struct wire_command *command, uint64_t seed) {
	struct filler f;
	filler_init(&f, &request_arena, covered, seed);
	void *args = arena_alloc(&request_arena, command->args_size);
	CHECK(args);
	memset(args, 0, command->args_size);
	command->fill_request(&f, args);
	struct venus_encoder e = {.cursor = stream, .end = stream + sizeof(stream)};
	command->encode_request(&e, args);
	CHECK(!e.overflow);
	arena_reset(&request_arena);
	return (size_t)(e.cursor - stream);
}

/** Decodes a copy of just that size, so that a sanitizer sees what is read behind it. */
static struct venus_decoder decode(
		const struct wire_command *command, size_t size, bool *accepted) {
	uint8_t *copy = malloc(size);
	void *args = malloc(command->args_size);
	CHECK(copy && args);
	memcpy(copy, stream, size);
	struct venus_decoder d = {
		.cursor = copy + 8, .end = copy + size, .arena = &arena, .objects = &objects.table};
	*accepted = command->decode_request(&d, args);
	if (*accepted != !d.error || d.cursor > d.end) {
		fail(command, "the decoder contradicts itself", 0, &d);
	}
	tried++;
	refused += !*accepted;
	if (arena.allocated > arena.limit) {
		fail(command, "more memory was taken than allowed", 0, &d);
	}
	if (*accepted) {
		struct venus_encoder e = {.cursor = reply, .end = reply + sizeof(reply)};
		command->encode_reply(&e, args);
	}
	arena_reset(&arena);
	free(args);
	free(copy);
	return d;
}

static size_t step_of(size_t size) {
	return 4 * (1 + size / 4 / MAX_TRIES);
}

static void cut(const struct wire_command *command, size_t size) {
	for (size_t length = 8; length < size; length += step_of(size)) {
		bool accepted;
		const struct venus_decoder d = decode(command, length, &accepted);
		if (accepted) {
			fail(command, "accepted though cut", length, &d);
		}
	}
}

static void counts(const struct wire_command *command, size_t size) {
	static const uint64_t values[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff,
		UINT64_C(1) << 63, UINT64_MAX};
	for (size_t at = 8; at + 8 <= size; at += step_of(size)) {
		const uint64_t original = venus_load_u64(stream + at);
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			bool accepted;
			memcpy(stream + at, &values[i], 8);
			decode(command, size, &accepted);
			/* as a word it leaves its neighbour */
			memcpy(stream + at, &original, 8);
			memcpy(stream + at, &values[i], 4);
			decode(command, size, &accepted);
			memcpy(stream + at, &original, 8);
		}
	}
}

/** What the decoder must say about `id` at `at`. */
static void expect(const struct wire_command *command, size_t size, size_t at, uint64_t id,
		const char *error) {
	bool accepted;
	memcpy(stream + at, &id, 8);
	const struct venus_decoder d = decode(command, size, &accepted);
	if (!d.error || !d.error_argument || !strstr(d.error, error)) {
		fail(command, error, at, &d);
	}
}

static void handles(const struct wire_command *command, size_t size) {
	const uint64_t ids = (uint64_t)WIRE_OBJECT_TYPE_COUNT * IDS_PER_TYPE;
	for (size_t at = 8; at + 8 <= size; at += 4) {
		const uint64_t id = venus_load_u64(stream + at);
		if (id < FIRST_ID || id >= FIRST_ID + ids) {
			continue;
		}
		const size_t index = (size_t)(id - FIRST_ID);
		const size_t type = index / IDS_PER_TYPE;
		struct venus_object *object = &objects.objects[index];
		const size_t other = (type + 1) % WIRE_OBJECT_TYPE_COUNT;
		expect(command, size, at, UNKNOWN_ID, "names no object");
		expect(command, size, at, UINT64_MAX, "names no object");
		expect(command, size, at, FIRST_ID + other * IDS_PER_TYPE,
			"names an object of another type");

		/* one that was there; it may come more than once in the command */
		CHECK(venus_object_table_remove(&objects.table, object));
		expect(command, size, at, id, "names no object");
		CHECK(venus_object_table_add(&objects.table, object));

		bool accepted;
		const uint64_t zero = 0;
		memcpy(stream + at, &zero, 8);
		struct venus_decoder d = decode(command, size, &accepted);
		if (at == 8 && accepted) {
			fail(command, "the first argument may not be 0", at, &d);
		}
		if (at > 8 && d.device && foreign[type].device && foreign[type].device != &foreign[type]) {
			expect(command, size, at, foreign[type].id, "names an object of another device");
		}
		memcpy(stream + at, &id, 8);
		d = decode(command, size, &accepted);
		if (!accepted) {
			fail(command, "the legal request is refused", at, &d);
		}
	}
}

static void add_foreign_objects(void) {
	foreign = calloc(WIRE_OBJECT_TYPE_COUNT, sizeof(*foreign));
	CHECK(foreign);
	struct venus_object *device = NULL;
	for (size_t i = 0; i < WIRE_OBJECT_TYPE_COUNT; i++) {
		if (wire_object_types[i] == VK_OBJECT_TYPE_DEVICE) {
			device = &foreign[i];
		}
	}
	for (size_t i = 0; i < WIRE_OBJECT_TYPE_COUNT; i++) {
		const VkObjectType type = wire_object_types[i];
		foreign[i].type = type;
		foreign[i].id = FOREIGN_ID + i;
		atomic_init(&foreign[i].handle, foreign[i].id);
		foreign[i].device = type == VK_OBJECT_TYPE_INSTANCE ||
				type == VK_OBJECT_TYPE_PHYSICAL_DEVICE ? NULL : device;
		CHECK(venus_object_table_add(&objects.table, &foreign[i]));
	}
}

static void run_decoder(const char *group,
		void (*run)(const struct wire_command *command, size_t size), size_t arena_limit) {
	arena_init(&request_arena, ARENA_LIMIT);
	arena_init(&arena, arena_limit);
	CHECK(filler_objects_init(&objects));
	add_foreign_objects();
	for (size_t i = 0; i < WIRE_COMMAND_COUNT; i++) {
		printf("%s: %s\n", group, wire_commands[i].name);
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			run(&wire_commands[i], make_request(&wire_commands[i], seed << 32 | i));
		}
	}
	printf("%d cases, %u requests, %u of them refused\n", WIRE_COMMAND_COUNT, tried, refused);
	CHECK(refused > 10 * WIRE_COMMAND_COUNT);
	filler_objects_finish(&objects);
	free(foreign);
	arena_finish(&request_arena);
	arena_finish(&arena);
}

/* --- render processes --- */

/** So many at a time: most of their lives they wait for one another. */
enum { BATCH = 12 };

/** What the reason must hold. */
static const char *expected_reason(const struct wire_command *command, size_t size) {
	return size < 8 ? "a stream ends inside a command's header" : command->name;
}

static void run_processes(void) {
	static struct victim victims[BATCH];
	arena_init(&request_arena, ARENA_LIMIT);
	for (size_t first = 0; first < WIRE_COMMAND_COUNT; first += BATCH) {
		size_t sizes[BATCH];
		const size_t end =
			first + BATCH < WIRE_COMMAND_COUNT ? first + BATCH : WIRE_COMMAND_COUNT;
		for (size_t i = first; i < end; i++) {
			victim_start(&victims[i - first], HOSTILE_BARE);
		}
		for (size_t i = first; i < end; i++) {
			struct peer *peer = &victims[i - first].peer;
			printf("process: %s\n", wire_commands[i].name);
			hostile_count();
			size_t size = make_request(&wire_commands[i], i) - 4;
			if (size > sizeof(peer->commands)) {
				size = sizeof(peer->commands);
			}
			sizes[i - first] = size;
			memcpy(peer->commands, stream, size);
			peer->encoder = (struct venus_encoder){.cursor = peer->commands + size,
				.end = peer->commands + sizeof(peer->commands)};
			peer_submit(peer, -1);
		}
		for (size_t i = first; i < end; i++) {
			const char *reason = expected_reason(&wire_commands[i], sizes[i - first]);
			victim_check_lost(&victims[i - first], reason);
		}
		for (size_t i = end; i-- > first;) {
			const char *reason = expected_reason(&wire_commands[i], sizes[i - first]);
			victim_stop(&victims[i - first], VICTIM_LOST, reason);
		}
		hostile_check_witness();
	}
	arena_finish(&request_arena);
	hostile_finish();
}

int main(int argc, char **argv) {
	if (argc > 2) {
		hostile_start(&argc, &argv);
		run_processes();
	} else if (argc == 2 && strcmp(argv[1], "cut") == 0) {
		run_decoder("cut", cut, ARENA_LIMIT);
	} else if (argc == 2 && strcmp(argv[1], "counts") == 0) {
		run_decoder("counts", counts, SMALL_ARENA_LIMIT);
	} else if (argc == 2 && strcmp(argv[1], "handles") == 0) {
		run_decoder("handles", handles, ARENA_LIMIT);
	} else {
		fprintf(stderr, "usage: %s cut|counts|handles|TRANSPORT PROGRAM...\n", argv[0]);
		return 2;
	}
	return 0;
}
