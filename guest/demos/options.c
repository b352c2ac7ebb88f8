/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "common.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>

enum { MAX_OPTIONS = 16 };

bool demo_parse_string(const char *text, void *value) {
	*(const char **)value = text;
	return true;
}

bool demo_parse_count(const char *text, void *value) {
	int *count = value;
	char end;
	return sscanf(text, "%d%c", count, &end) == 1 && *count >= 1;
}

bool demo_parse_size(const char *text, void *value) {
	uint64_t *size = value;
	char *end;
	unsigned long long number = strtoull(text, &end, 10);
	if (end == text || !isdigit((unsigned char)text[0])) {
		return false;
	}
	unsigned int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
	end += shift != 0;
	*size = (uint64_t)number << shift;
	return *end == '\0' && *size >> shift == number;
}

bool demo_parse_extent(const char *text, void *value) {
	uint32_t *extent = value;
	char end;
	return sscanf(text, "%ux%u%c", &extent[0], &extent[1], &end) == 2 &&
		extent[0] > 0 && extent[0] <= 16384 && extent[1] > 0 && extent[1] <= 16384;
}

bool demo_parse_seconds(const char *text, void *value) {
	double *seconds = value;
	char end;
	return sscanf(text, "%lf%c", seconds, &end) == 1 && *seconds >= 0.0 && *seconds < 1e6;
}

int demo_parse_options(int argc, char *argv[], const char *usage,
		const struct demo_option *options) {
	enum { HELP = MAX_OPTIONS };
	struct option known[MAX_OPTIONS + 2] = {{"help", no_argument, NULL, HELP}};
	for (int i = 0; i < MAX_OPTIONS && options[i].name; i++) {
		known[i + 1] = (struct option){options[i].name,
			options[i].parse ? required_argument : no_argument, NULL, i};
	}
	for (int i; (i = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (i == HELP) {
			fputs(usage, stdout);
			return 0;
		}
		if (i == '?') { /* getopt_long() has said why */
			return 2;
		}
		if (!options[i].parse) {
			*(bool *)options[i].value = true;
		} else if (!options[i].parse(optarg, options[i].value)) {
			demo_fail("\"%s\" is no value for --%s; see --help", optarg, options[i].name);
			return 2;
		}
	}
	if (optind < argc) {
		demo_fail("\"%s\": there are only options; see --help", argv[optind]);
		return 2;
	}
	return -1;
}
