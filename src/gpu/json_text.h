/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_JSON_TEXT_H
#define VENERA_GPU_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * JSON text that grows. Names of members are NULL for elements of an array, and for the outermost
 * value.
 */
struct json_text {
	char *bytes;
	size_t size, capacity;
	bool comma;  /* the next value is not the first one of its object or array */
	bool failed; /* out of memory: the text is of no use */
};

/** Safe on a zeroed one, which is an empty text. */
void json_text_finish(struct json_text *text);

/** `bracket` is '{' or '[', and '}' or ']'. */
void json_text_begin(struct json_text *text, const char *name, char bracket);
void json_text_end(struct json_text *text, char bracket);

void json_text_uint(struct json_text *text, const char *name, uint64_t value);
void json_text_bool(struct json_text *text, const char *name, bool value);
/** What is not printable ASCII becomes '?'. */
void json_text_string(struct json_text *text, const char *name, const char *value);

void json_text_newline(struct json_text *text);

#endif
