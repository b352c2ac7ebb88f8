/* SPDX-License-Identifier: MIT */
#ifndef VENERA_DEMOS_OPTIONS_H
#define VENERA_DEMOS_OPTIONS_H

#include <stdbool.h>

/** One option of a program's command line: --NAME, or --NAME TEXT. */
struct demo_option {
	const char *name;
	/** Turns `text` into the value; false if it is none. NULL: takes no text, sets a bool. */
	bool (*parse)(const char *text, void *value);
	void *value;
};

/* For `parse`: */
bool demo_parse_string(const char *text, void *value);  /* const char *; kept, not copied */
bool demo_parse_count(const char *text, void *value);   /* int, at least 1 */
bool demo_parse_size(const char *text, void *value);    /* uint64_t; K, M or G may follow */
bool demo_parse_extent(const char *text, void *value);  /* uint32_t[2], "WxH", of an image */
bool demo_parse_seconds(const char *text, void *value); /* double, at least 0 */

/**
 * Sets the values of `options`, which end with an empty one, from the command line. Returns -1 if
 * the program is to go on, else its exit code: after --help, which prints `usage`, or after an
 * error, which has been printed.
 */
int demo_parse_options(int argc, char *argv[], const char *usage,
	const struct demo_option *options);

#endif
