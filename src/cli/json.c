/* SPDX-License-Identifier: MIT */
#include "cli/json.h"

#include <string.h>

/* What QEMU answers nests a few levels deep. */
#define JSON_MAX_DEPTH 64

static const struct json json_none;

static const char *skip_space(const char *c, const char *end) {
	while (c < end && (*c == ' ' || *c == '\t' || *c == '\n' || *c == '\r')) {
		c++;
	}
	return c;
}

/* The end of the string that begins at `c`, behind its quote; NULL if it is none. */
static const char *skip_string(const char *c, const char *end) {
	if (c >= end || *c != '"') {
		return NULL;
	}
	for (c++; c < end; c++) {
		if (*c == '"') {
			return c + 1;
		}
		if (*c == '\\') {
			c++;
		}
	}
	return NULL;
}

/* The end of the value that begins at `c`; NULL if there is none. */
static const char *skip_value(const char *c, const char *end, int depth) {
	c = skip_space(c, end);
	if (c >= end || depth > JSON_MAX_DEPTH) {
		return NULL;
	}
	if (*c == '"') {
		return skip_string(c, end);
	}
	if (*c != '{' && *c != '[') {
		const char *begin = c;
		while (c < end && !strchr(",]} \t\r\n", *c)) {
			c++;
		}
		return c == begin ? NULL : c;
	}
	char close = *c == '{' ? '}' : ']';
	c = skip_space(c + 1, end);
	if (c < end && *c == close) {
		return c + 1;
	}
	while (c) {
		if (close == '}') {
			c = skip_string(skip_space(c, end), end);
			c = c ? skip_space(c, end) : NULL;
			if (!c || c >= end || *c != ':') {
				return NULL;
			}
			c++;
		}
		c = skip_value(c, end, depth + 1);
		c = c ? skip_space(c, end) : NULL;
		if (!c || c >= end) {
			return NULL;
		}
		if (*c == close) {
			return c + 1;
		}
		c = *c == ',' ? c + 1 : NULL;
	}
	return NULL;
}

struct json json_parse(const char *text, size_t length) {
	const char *begin = skip_space(text, text + length);
	const char *end = skip_value(begin, text + length, 0);
	return end ? (struct json){begin, end} : json_none;
}

/* The first member or element of a value that json_parse() accepted; NULL if there is none. */
static const char *first_inside(struct json value, char open) {
	if (!value.begin || *value.begin != open) {
		return NULL;
	}
	const char *c = skip_space(value.begin + 1, value.end);
	return *c == '}' || *c == ']' ? NULL : c;
}

/* Behind the comma that follows a member or element; NULL at the last one. */
static const char *next_inside(const char *c, const char *end) {
	c = skip_space(c, end);
	return *c == ',' ? skip_space(c + 1, end) : NULL;
}

struct json json_member(struct json object, const char *name) {
	size_t length = strlen(name);
	const char *c = first_inside(object, '{');
	while (c) {
		const char *key = c + 1;
		const char *key_end = skip_string(c, object.end);
		const char *begin = skip_space(skip_space(key_end, object.end) + 1, object.end);
		const char *end = skip_value(begin, object.end, 0);
		if (!end) {
			break;
		}
		if ((size_t)(key_end - 1 - key) == length && !memcmp(key, name, length)) {
			return (struct json){begin, end};
		}
		c = next_inside(end, object.end);
	}
	return json_none;
}

struct json json_element(struct json array, size_t index) {
	const char *c = first_inside(array, '[');
	while (c) {
		const char *end = skip_value(c, array.end, 0);
		if (!end) {
			break;
		}
		if (index-- == 0) {
			return (struct json){c, end};
		}
		c = next_inside(end, array.end);
	}
	return json_none;
}

bool json_equals(struct json value, const char *text) {
	size_t length = strlen(text);
	return value.begin && *value.begin == '"' &&
		(size_t)(value.end - value.begin) == length + 2 &&
		!memcmp(value.begin + 1, text, length);
}

bool json_is_true(struct json value) {
	return value.begin && value.end - value.begin == 4 && !memcmp(value.begin, "true", 4);
}

uint64_t json_uint(struct json value, uint64_t fallback) {
	uint64_t number = 0;
	if (!value.begin) {
		return fallback;
	}
	for (const char *c = value.begin; c < value.end; c++) {
		if (*c < '0' || *c > '9' || number > (UINT64_MAX - 9) / 10) {
			return fallback;
		}
		number = number * 10 + (uint64_t)(*c - '0');
	}
	return number;
}
