/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

int option_next(struct option_parser *parser, const char **value) {
	*value = NULL;
	if (parser->next >= parser->argc) {
		return OPTION_END;
	}
	const char *argument = parser->argv[parser->next++];
	if (!strcmp(argument, "--")) {
		return OPTION_END;
	}
	if (strncmp(argument, "--", 2) != 0) {
		log_error("'%s' is not an option; see 'venera %s --help'", argument, parser->command);
		return OPTION_ERROR;
	}
	const char *name = argument + 2;
	const char *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	for (int i = 0; parser->specs[i].name; i++) {
		const struct option_spec *spec = &parser->specs[i];
		if (strlen(spec->name) != length || strncmp(spec->name, name, length) != 0) {
			continue;
		}
		if (!spec->value) {
			if (equals) {
				log_error("--%s takes no value", spec->name);
				return OPTION_ERROR;
			}
			return i;
		}
		if (equals) {
			*value = equals + 1;
		} else if (parser->next < parser->argc && strcmp(parser->argv[parser->next], "--") != 0) {
			*value = parser->argv[parser->next++];
		} else {
			log_error("--%s needs a value: --%s=%s", spec->name, spec->name, spec->value);
			return OPTION_ERROR;
		}
		return i;
	}
	log_error("there is no option --%.*s; see 'venera %s --help'",
		(int)length, name, parser->command);
	return OPTION_ERROR;
}

void option_print_help(const struct option_spec *specs) {
	const int column = 28;
	for (const struct option_spec *spec = specs; spec->name; spec++) {
		int width = spec->value ? printf("  --%s=%s", spec->name, spec->value)
			: printf("  --%s", spec->name);
		if (width >= column) {
			printf("\n");
			width = 0;
		}
		const char *line = spec->help;
		for (;;) {
			size_t length = strcspn(line, "\n");
			printf("%*s%.*s\n", column - width, "", (int)length, line);
			if (!line[length]) {
				break;
			}
			line += length + 1;
			width = 0;
		}
	}
}
