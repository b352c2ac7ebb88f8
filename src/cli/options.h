/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_OPTIONS_H
#define VENERA_CLI_OPTIONS_H

/**
 * Command-line options: long ones only, "--name", "--name=VALUE" or "--name VALUE". "--" ends them.
 */
struct option_spec {
	const char *name;  /* without the dashes; NULL ends a table */
	const char *value; /* what the help calls its value; NULL: it takes none */
	const char *help;  /* what the help says of it; may have several lines */
};

enum {
	OPTION_END = -1,   /* all options are read; arguments behind "--" may follow */
	OPTION_ERROR = -2, /* was logged */
};

struct option_parser {
	const struct option_spec *specs;
	const char *command; /* for error messages: "run" */
	int argc;
	char **argv;
	int next; /* the argument to look at; after OPTION_END the first one behind "--" */
};

#define OPTION_PARSER(command_specs, count, arguments) \
	((struct option_parser){.specs = (command_specs), .command = (arguments)[0], \
		.argc = (count), .argv = (arguments), .next = 1})

/**
 * The next option: its place in the table, with its value in `*value` (NULL when it takes none),
 * OPTION_END or OPTION_ERROR.
 */
int option_next(struct option_parser *parser, const char **value);

/** Prints a line or more for each option of a table. */
void option_print_help(const struct option_spec *specs);

#endif
