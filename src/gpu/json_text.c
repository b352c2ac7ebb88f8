/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/json_text.h"

void json_text_finish(struct json_text *text) {
	free(text->bytes);
	*text = (struct json_text){0};
}

static void add(struct json_text *text, const char *bytes, size_t size) {
	if (text->failed) {
		return;
	}
	if (size > text->capacity - text->size) {
		size_t capacity = 2 * text->capacity + size + 1024;
		char *grown = realloc(text->bytes, capacity);
		if (!grown) {
			text->failed = true;
			return;
		}
		text->bytes = grown;
		text->capacity = capacity;
	}
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

static void add_quoted(struct json_text *text, const char *value) {
	add(text, "\"", 1);
	for (; *value; value++) {
		char c = *value;
		if (c == '"' || c == '\\') {
			add(text, "\\", 1);
		} else if (c < 0x20 || c >= 0x7f) {
			c = '?';
		}
		add(text, &c, 1);
	}
	add(text, "\"", 1);
}

static void add_name(struct json_text *text, const char *name) {
	if (text->comma) {
		add(text, ", ", 2);
	}
	if (name) {
		add_quoted(text, name);
		add(text, ": ", 2);
	}
	text->comma = true;
}

void json_text_begin(struct json_text *text, const char *name, char bracket) {
	add_name(text, name);
	add(text, &bracket, 1);
	text->comma = false;
}

void json_text_end(struct json_text *text, char bracket) {
	add(text, &bracket, 1);
	text->comma = true;
}

void json_text_uint(struct json_text *text, const char *name, uint64_t value) {
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	add_name(text, name);
	add(text, digits, (size_t)length);
}

void json_text_bool(struct json_text *text, const char *name, bool value) {
	add_name(text, name);
	add(text, value ? "true" : "false", value ? 4 : 5);
}

void json_text_string(struct json_text *text, const char *name, const char *value) {
	add_name(text, name);
	add_quoted(text, value);
}

void json_text_newline(struct json_text *text) {
	add(text, "\n", 1);
}
