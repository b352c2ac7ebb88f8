/* SPDX-License-Identifier: MIT */
#ifndef VENERA_IPC_LIMITS_H
#define VENERA_IPC_LIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * What guests can make the host hold, and for how long it is waited: all in one table (limits.c),
 * with names for the option --limit=NAME=VALUE. What a guest gets where a limit ends is said in
 * docs/limits.md.
 */
enum limit {
	/* of the device: all contexts together */
	LIMIT_CONTEXTS,
	LIMIT_RESOURCES,
	LIMIT_ATTACHMENTS,
	LIMIT_MAPPINGS,
	LIMIT_MEMORY_TOTAL,
	LIMIT_SHARED_MEMORY_TOTAL,
	LIMIT_SCREEN_MEMORY,
	LIMIT_BACKING_PIECES,
	LIMIT_DEFERRED_BYTES,

	/* of one context, kept by the device */
	LIMIT_CONTEXT_RESOURCES,
	LIMIT_CONTEXT_MAPPINGS,
	LIMIT_FENCES,
	LIMIT_QUEUED_BYTES,
	LIMIT_SYNCS,
	LIMIT_SYNC_POINTS,
	LIMIT_WAITS,

	/* of one context, kept by its render process, which counts them in render_counters.used */
	LIMIT_MEMORY_OBJECTS,
	LIMIT_MEMORY,
	LIMIT_SHARED_MEMORY,
	LIMIT_OBJECTS,
	LIMIT_RINGS,
	LIMIT_DESCRIPTORS,
	LIMIT_QUERIES,
	/* of one command: nothing to count */
	LIMIT_STREAM_BYTES,
	LIMIT_ARENA,

	/* times */
	LIMIT_ANSWER_TIME,

	LIMIT_COUNT,
};

/** Those that a render process counts: of [LIMIT_RENDER_FIRST, LIMIT_RENDER_END). */
#define LIMIT_RENDER_FIRST LIMIT_MEMORY_OBJECTS
#define LIMIT_RENDER_END LIMIT_STREAM_BYTES
#define LIMIT_RENDER_COUNT (LIMIT_RENDER_END - LIMIT_RENDER_FIRST)

enum limit_program {
	LIMIT_OF_GPU = 1 << 0,
	LIMIT_OF_VTEST = 1 << 1,
	LIMIT_OF_RENDER = 1 << 2,
};

struct limits {
	uint64_t value[LIMIT_COUNT]; /* numbers, bytes, or milliseconds */
};

/** What is sane on this host. */
void limits_init(struct limits *limits);

/** "objects". */
const char *limit_name(enum limit limit);

/** Is it one that the program, a limit_program, keeps or passes on? */
bool limit_is_of(enum limit limit, unsigned program);

/**
 * Reads NAME=VALUE, where VALUE is a number, for bytes with a unit (512M), for times in seconds.
 * false, logged, if the program has no such limit or it cannot have that value.
 */
bool limits_parse(struct limits *limits, unsigned program, const char *text);

/** How limits_parse() would write a value, into `text`. Returns it. */
#define LIMIT_TEXT_SIZE 32
const char *limit_format(enum limit limit, uint64_t value, char text[LIMIT_TEXT_SIZE]);

/** The same, rounded, for people. */
const char *limit_format_about(enum limit limit, uint64_t value, char text[LIMIT_TEXT_SIZE]);

/** "--limit=NAME=VALUE", for another program, into `text`. Returns it. */
#define LIMIT_OPTION_SIZE 64
const char *limit_option(
	enum limit limit, const struct limits *limits, char text[LIMIT_OPTION_SIZE]);

/** The program's limits, a line each: for --limit=help. */
void limits_print(FILE *file, const struct limits *limits, unsigned program);

#endif
