/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "venera_version.h"

struct command {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *summary; /* NULL: one that venera starts itself, not in the help */
};

static const struct command commands[] = {
	{"run", run_main, "start a virtual machine that renders with this host's GPU"},
	{"doctor", doctor_main, "try what a virtual machine needs here, and say what to do"},
	{"stat", stat_main, "print what a running machine has drawn, copied and shown"},
	{"guard", guard_main, NULL},
	{"probe", probe_main, NULL},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(void) {
	printf("Usage: venera COMMAND [OPTIONS]\n"
		"\n"
		"Venera gives a virtual machine this host's GPU through Vulkan.\n"
		"\n"
		"Commands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (commands[i].summary) {
			printf("  %-10s %s\n", commands[i].name, commands[i].summary);
		}
	}
	printf("\n"
		"  --help     this text; venera COMMAND --help tells more\n"
		"  --version  the version\n");
}

int main(int argc, char **argv) {
	log_init("venera", LOG_LEVEL_INFO);
	if (argc < 2) {
		log_error("no command given; 'venera --help' lists them");
		return CLI_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help();
		return CLI_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("venera %s\n", VENERA_VERSION);
		return CLI_EXIT_OK;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (!strcmp(argv[1], commands[i].name)) {
			return commands[i].main(argc - 1, argv + 1);
		}
	}
	log_error("there is no command '%s'; 'venera --help' lists them", argv[1]);
	return CLI_EXIT_USAGE;
}
