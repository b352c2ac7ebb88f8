/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_TEXT_H
#define VENERA_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"

/**
 * Text and argument lists for a short-lived command: running out of memory ends the
 * process with an error, so nothing here returns NULL.
 */

/** As sprintf, to the heap. The caller frees. */
char *text_format(const char *format, ...) LOG_PRINTF(1, 2);

/** A copy on the heap. */
char *text_copy(const char *text);

/** `text` with every comma doubled, as a value among QEMU's comma-separated options needs. */
char *text_escape_commas(const char *text);

/** Writes `text` so that a shell reads it as one word. */
void text_print_quoted(FILE *file, const char *text);

bool text_ends_with(const char *text, const char *end);

/** A decimal number from `min` to `max`, nothing else. */
bool text_parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/** A number of bytes with a unit: "512M", "8G" (K, M, G or T, powers of 1024). */
bool text_parse_size(const char *text, uint64_t *bytes);

/** The shortest form that text_parse_size() reads back. `bytes` is a multiple of 1024. */
char *text_format_size(uint64_t bytes);

/** "WIDTHxHEIGHT". */
bool text_parse_extent(const char *text, uint32_t *width, uint32_t *height);

/** An argument list that ends with NULL. */
struct args {
	char **list; /* NULL while empty */
	size_t count;
};

void args_add(struct args *args, const char *argument);
void args_add_format(struct args *args, const char *format, ...) LOG_PRINTF(2, 3);

/** Prints the list as one shell command line. */
void args_print(FILE *file, const struct args *args);

void args_finish(struct args *args);

#endif
