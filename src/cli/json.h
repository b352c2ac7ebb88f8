/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_JSON_H
#define VENERA_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Looks things up in JSON text without copying it. A value is a piece of the text; looking
 * into a value of another kind, or into text that is no JSON, finds nothing.
 */
struct json {
	const char *begin, *end; /* begin is NULL: no such value */
};

/** The value that a text of `length` bytes consists of. */
struct json json_parse(const char *text, size_t length);

/** The member `name` of an object. */
struct json json_member(struct json object, const char *name);

/** Element `index` of an array. */
struct json json_element(struct json array, size_t index);

static inline bool json_exists(struct json value) {
	return value.begin != NULL;
}

/** Is it this string? (None of the strings that we look for has escapes in it.) */
bool json_equals(struct json value, const char *text);

bool json_is_true(struct json value);

/** The value of a whole number that is not negative; `fallback` if it is none. */
uint64_t json_uint(struct json value, uint64_t fallback);

#endif
