/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venera_version.h"
#include "view/options.h"

#define DEFAULT_WIDTH 1280
#define DEFAULT_HEIGHT 800
/* Vulkan promises no more for images. */
#define MAX_SIZE 16384

static const char help_text[] =
	"Usage: venera-view --socket-path=PATH | --fd=N [OPTION]...\n"
	"\n"
	"Shows the screen of a guest whose virtio-gpu device is a venera-gpu. Ends, with exit code\n"
	"0, when venera-gpu closes the connection, when the window is closed, and on SIGTERM and\n"
	"SIGINT.\n"
	"\n"
	"  --socket-path=PATH     connect to venera-gpu's view socket; waits up to 5 s for it\n"
	"  --fd=N                 use this connected socket, which the parent process left open\n"
	"  --input-socket=PATH    tell the process that listens there (venera run) about keys and\n"
	"                         mouse\n"
	"  --display=window       show the screen in a window (the default)\n"
	"  --display=headless     show nothing; for screenshots\n"
	"  --size=WIDTHxHEIGHT    of the window in pixels (default 1280x800); the picture is scaled\n"
	"                         to it\n"
	"  --full-screen          cover the whole monitor\n"
	"  --title=TEXT           of the window (default Venera)\n"
	"  --present-mode=MODE    fifo: in step with the monitor, no tearing (the default);\n"
	"                         mailbox: lowest delay without tearing; immediate: may tear\n"
	"  --driver=ICD.json      use only the Vulkan driver of this manifest\n"
	"  --screenshot=FILE.png  on SIGUSR1 save what the window shows there\n"
	"  --validate             run under the Vulkan validation layer; exit code 1 if it complains\n"
	"  --sandbox=MODE         on (the default), log: deny nothing but log what would be, or off\n"
	"  --log-level=LEVEL      error, warn, info (the default) or debug\n"
	"  --help                 print this and exit\n"
	"  --version              print the version and exit\n";

static bool parse_number(const char *text, char end, long max, long *number, const char **rest) {
	if (text[0] < '0' || text[0] > '9') { /* strtol would take spaces and signs */
		return false;
	}
	char *stop;
	errno = 0;
	*number = strtol(text, &stop, 10);
	if (errno || *number > max || *stop != end) {
		return false;
	}
	*rest = stop;
	return true;
}

static bool parse_size(const char *text, uint32_t *width, uint32_t *height) {
	long w, h;
	const char *rest;
	if (!parse_number(text, 'x', MAX_SIZE, &w, &rest)
			|| !parse_number(rest + 1, '\0', MAX_SIZE, &h, &rest) || w == 0 || h == 0) {
		return false;
	}
	*width = (uint32_t)w;
	*height = (uint32_t)h;
	return true;
}

/* The index in a list of words, or -1. */
static int find_word(const char *text, const char *const *words, int count) {
	for (int i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0) {
			return i;
		}
	}
	return -1;
}

/* What stands behind "--name=", or NULL if `arg` is another option. */
static const char *value_of(const char *arg, const char *name) {
	size_t length = strlen(name);
	return strncmp(arg, name, length) == 0 && arg[length] == '=' ? arg + length + 1 : NULL;
}

static bool parse_valued(struct view_options *options, const char *arg, bool *known) {
	static const char *const displays[] = {"window", "headless"};
	static const char *const present_modes[] = {"fifo", "mailbox", "immediate"};
	const char *value, *rest;
	long number;
	int word;
	*known = true;
	if ((value = value_of(arg, "--socket-path"))) {
		options->socket_path = value;
		return value[0] != '\0';
	}
	if ((value = value_of(arg, "--input-socket"))) {
		options->input_socket = value;
		return value[0] != '\0';
	}
	if ((value = value_of(arg, "--fd"))) {
		if (!parse_number(value, '\0', INT_MAX, &number, &rest)) {
			return false;
		}
		options->fd = (int)number;
		return true;
	}
	if ((value = value_of(arg, "--display"))) {
		word = find_word(value, displays, 2);
		options->display = (enum view_display)word;
		return word >= 0;
	}
	if ((value = value_of(arg, "--size"))) {
		return parse_size(value, &options->width, &options->height);
	}
	if ((value = value_of(arg, "--title"))) {
		options->title = value;
		return true;
	}
	if ((value = value_of(arg, "--present-mode"))) {
		word = find_word(value, present_modes, 3);
		options->present_mode = (enum view_present_mode)word;
		return word >= 0;
	}
	if ((value = value_of(arg, "--driver"))) {
		options->driver = value;
		return value[0] != '\0';
	}
	if ((value = value_of(arg, "--screenshot"))) {
		options->screenshot = value;
		return value[0] != '\0';
	}
	if ((value = value_of(arg, "--sandbox"))) {
		return sandbox_mode_parse(value, &options->sandbox);
	}
	if ((value = value_of(arg, "--log-level"))) {
		return log_level_parse(value, &options->log_level);
	}
	*known = false;
	return false;
}

enum view_options_result view_options_parse(
	struct view_options *options, int argc, const char *const *argv) {
	*options = (struct view_options){
		.fd = -1,
		.width = DEFAULT_WIDTH,
		.height = DEFAULT_HEIGHT,
		.title = "Venera",
		.log_level = LOG_LEVEL_INFO,
	};
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		bool known;
		if (strcmp(arg, "--help") == 0) {
			fputs(help_text, stdout);
			return VIEW_OPTIONS_DONE;
		} else if (strcmp(arg, "--version") == 0) {
			puts("venera-view " VENERA_VERSION);
			return VIEW_OPTIONS_DONE;
		} else if (strcmp(arg, "--full-screen") == 0) {
			options->full_screen = true;
		} else if (strcmp(arg, "--validate") == 0) {
			options->validate = true;
		} else if (!parse_valued(options, arg, &known)) {
			log_error(known ? "option '%s': not a value that it takes; see venera-view --help"
				: "unknown option '%s'; see venera-view --help", arg);
			return VIEW_OPTIONS_WRONG;
		}
	}
	if ((options->socket_path != NULL) == (options->fd >= 0)) {
		log_error("give either --socket-path=PATH or --fd=N; see venera-view --help");
		return VIEW_OPTIONS_WRONG;
	}
	return VIEW_OPTIONS_RUN;
}
