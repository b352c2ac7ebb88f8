/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_OPTIONS_H
#define VENERA_VIEW_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/sandbox.h"

enum view_display {
	VIEW_DISPLAY_WINDOW,
	VIEW_DISPLAY_HEADLESS,
};

enum view_present_mode {
	VIEW_PRESENT_FIFO,
	VIEW_PRESENT_MAILBOX,
	VIEW_PRESENT_IMMEDIATE,
};

/** What the command line asked for. Strings are those of argv. */
struct view_options {
	const char *socket_path;    /* to connect to; NULL: `fd` is given */
	int fd;                     /* connected; -1: `socket_path` is given */
	const char *input_socket;   /* to connect to; NULL: nobody wants to know what the user does */
	enum view_display display;
	uint32_t width, height;     /* of the window, pixels */
	bool full_screen;           /* then the size is the monitor's */
	enum view_present_mode present_mode;
	const char *title;
	const char *driver;         /* path of an ICD manifest; NULL: what the loader finds */
	const char *screenshot;     /* path of the PNG file that SIGUSR1 writes; NULL: none */
	bool validate;
	enum sandbox_mode sandbox;
	enum log_level log_level;
};

enum view_options_result {
	VIEW_OPTIONS_RUN,
	VIEW_OPTIONS_DONE,  /* --help or --version was asked for and printed */
	VIEW_OPTIONS_WRONG, /* and was said to be so */
};

enum view_options_result view_options_parse(
	struct view_options *options, int argc, const char *const *argv);

#endif
