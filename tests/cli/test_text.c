/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/text.h"

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			failures++; \
		} \
	} while (0)

static int failures;

static void test_sizes(void) {
	uint64_t bytes = 0;
	CHECK(text_parse_size("1K", &bytes) && bytes == 1024);
	CHECK(text_parse_size("8G", &bytes) && bytes == UINT64_C(8) << 30);
	CHECK(text_parse_size("16777215T", &bytes));
	const char *const bad[] = {"", "8", "G", "8g", "8GB", "-8G", " 8G", "8.5G", "16777216T",
		"18446744073709551616K"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(!text_parse_size(bad[i], &bytes));
	}
	static const struct {
		uint64_t bytes;
		const char *text;
	} formats[] = {{1024, "1K"}, {UINT64_C(8) << 30, "8G"}, {UINT64_C(1536) << 20, "1536M"},
		{UINT64_C(4096) << 40, "4096T"}};
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char *text = text_format_size(formats[i].bytes);
		CHECK(!strcmp(text, formats[i].text));
		free(text);
	}
}

static void test_numbers(void) {
	uint64_t number = 7;
	CHECK(text_parse_uint("0", 0, 10, &number) && number == 0);
	CHECK(text_parse_uint("10", 0, 10, &number) && number == 10);
	CHECK(!text_parse_uint("11", 0, 10, &number) && number == 10);
	CHECK(!text_parse_uint("0", 1, 10, &number));
	CHECK(!text_parse_uint("1a", 0, 10, &number));
	CHECK(!text_parse_uint("+1", 0, 10, &number));
	uint32_t width = 0, height = 0;
	CHECK(text_parse_extent("1280x800", &width, &height) && width == 1280 && height == 800);
	CHECK(!text_parse_extent("1280", &width, &height));
	CHECK(!text_parse_extent("x800", &width, &height));
	CHECK(!text_parse_extent("1280x800x", &width, &height));
	CHECK(!text_parse_extent("4294967296x1", &width, &height));
}

static void test_json(void) {
	const char *text = "{\"a\": [1, {\"b\": true}, \"x,]}\\\"\"], \"c\" : {} , \"d\":\"word\","
		"\"e\": 18446744073709551615, \"n\": -1}";
	struct json all = json_parse(text, strlen(text));
	CHECK(json_exists(all));
	struct json list = json_member(all, "a");
	CHECK(json_uint(json_element(list, 0), 9) == 1);
	CHECK(json_is_true(json_member(json_element(list, 1), "b")));
	CHECK(json_exists(json_element(list, 2)));
	CHECK(!json_exists(json_element(list, 3)));
	CHECK(!json_exists(json_member(json_member(all, "c"), "a")));
	CHECK(json_equals(json_member(all, "d"), "word"));
	CHECK(!json_equals(json_member(all, "d"), "wor"));
	CHECK(json_uint(json_member(all, "n"), 9) == 9);
	CHECK(json_uint(json_member(all, "d"), 9) == 9);
	CHECK(!json_exists(json_member(all, "b")));
	CHECK(!json_exists(json_member(list, "a")));
	CHECK(!json_exists(json_element(all, 0)));

	/* No beginning of it is taken for the whole, and none is read past. */
	for (size_t length = 0; length < strlen(text); length++) {
		char *part = malloc(length + 1);
		if (!part) {
			abort();
		}
		memcpy(part, text, length);
		CHECK(!json_exists(json_parse(part, length)));
		free(part);
	}
	const char *const bad[] = {"", "{\"a\" 1}", "{a: 1}", "[1 2]", "{\"a\": 1,}", "[1}", "\"a"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(!json_exists(json_parse(bad[i], strlen(bad[i]))));
	}
	char deep[1000];
	memset(deep, '[', sizeof(deep));
	CHECK(!json_exists(json_parse(deep, sizeof(deep))));
}

static void test_commas(void) {
	char *text = text_escape_commas("a,b,,c");
	CHECK(!strcmp(text, "a,,b,,,,c"));
	free(text);
}

int main(void) {
	test_sizes();
	test_numbers();
	test_json();
	test_commas();
	return failures ? 1 : 0;
}
