/* SPDX-License-Identifier: MIT */
#include "cli/text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static void out_of_memory(void) {
	log_error("out of memory");
	exit(CLI_EXIT_FAILED);
}

static char *format_list(const char *format, va_list list) {
	va_list copy;
	va_copy(copy, list);
	int length = vsnprintf(NULL, 0, format, copy);
	va_end(copy);
	char *text = length < 0 ? NULL : malloc((size_t)length + 1);
	if (!text) {
		out_of_memory();
		return NULL;
	}
	vsnprintf(text, (size_t)length + 1, format, list);
	return text;
}

char *text_format(const char *format, ...) {
	va_list list;
	va_start(list, format);
	char *text = format_list(format, list);
	va_end(list);
	return text;
}

char *text_copy(const char *text) {
	return text_format("%s", text);
}

char *text_escape_commas(const char *text) {
	char *escaped = malloc(2 * strlen(text) + 1);
	if (!escaped) {
		out_of_memory();
	}
	char *end = escaped;
	for (; *text; text++) {
		*end++ = *text;
		if (*text == ',') {
			*end++ = ',';
		}
	}
	*end = '\0';
	return escaped;
}

void text_print_quoted(FILE *file, const char *text) {
	const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"_-+=./,:@%";
	if (*text && !text[strspn(text, plain)]) {
		fputs(text, file);
		return;
	}
	fputc('\'', file);
	for (; *text; text++) {
		if (*text == '\'') {
			fputs("'\\''", file);
		} else {
			fputc(*text, file);
		}
	}
	fputc('\'', file);
}

bool text_ends_with(const char *text, const char *end) {
	size_t length = strlen(text), end_length = strlen(end);
	return length >= end_length && !strcmp(text + length - end_length, end);
}

/* Reads digits up to `*end`. */
static bool parse_digits(const char *text, const char **end, uint64_t *value) {
	uint64_t number = 0;
	const char *c = text;
	for (; *c >= '0' && *c <= '9'; c++) {
		uint64_t digit = (uint64_t)(*c - '0');
		if (number > (UINT64_MAX - digit) / 10) {
			return false;
		}
		number = number * 10 + digit;
	}
	*end = c;
	*value = number;
	return c != text;
}

bool text_parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *value) {
	const char *end;
	uint64_t number;
	if (!parse_digits(text, &end, &number) || *end || number < min || number > max) {
		return false;
	}
	*value = number;
	return true;
}

static const char size_units[] = "KMGT";

bool text_parse_size(const char *text, uint64_t *bytes) {
	const char *end;
	uint64_t number;
	if (!parse_digits(text, &end, &number) || !end[0] || end[1]) {
		return false;
	}
	const char *unit = strchr(size_units, end[0]);
	if (!unit) {
		return false;
	}
	unsigned shift = 10 * (unsigned)(unit - size_units + 1);
	if (number > UINT64_MAX >> shift) {
		return false;
	}
	*bytes = number << shift;
	return true;
}

char *text_format_size(uint64_t bytes) {
	uint64_t number = bytes >> 10;
	const char *unit = size_units;
	while (number && number % 1024 == 0 && unit[1]) {
		number /= 1024;
		unit++;
	}
	return text_format("%" PRIu64 "%c", number, *unit);
}

bool text_parse_extent(const char *text, uint32_t *width, uint32_t *height) {
	const char *end;
	uint64_t first, second;
	if (!parse_digits(text, &end, &first) || *end != 'x' ||
			!parse_digits(end + 1, &end, &second) || *end ||
			first > UINT32_MAX || second > UINT32_MAX) {
		return false;
	}
	*width = (uint32_t)first;
	*height = (uint32_t)second;
	return true;
}

/* Takes the text. */
static void args_add_owned(struct args *args, char *argument) {
	char **list = realloc(args->list, (args->count + 2) * sizeof(list[0]));
	if (!list) {
		out_of_memory();
		return;
	}
	list[args->count++] = argument;
	list[args->count] = NULL;
	args->list = list;
}

void args_add(struct args *args, const char *argument) {
	args_add_owned(args, text_copy(argument));
}

void args_add_format(struct args *args, const char *format, ...) {
	va_list list;
	va_start(list, format);
	args_add_owned(args, format_list(format, list));
	va_end(list);
}

void args_print(FILE *file, const struct args *args) {
	for (size_t i = 0; i < args->count; i++) {
		if (i) {
			fputc(' ', file);
		}
		text_print_quoted(file, args->list[i]);
	}
	fputc('\n', file);
}

void args_finish(struct args *args) {
	for (size_t i = 0; i < args->count; i++) {
		free(args->list[i]);
	}
	free(args->list);
	*args = (struct args){0};
}
