/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_CHILD_H
#define VENERA_CLI_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/event_loop.h"
#include "cli/text.h"

#define CHILD_LINE_BYTES 1024

/**
 * A program that is started and watched. What it writes to standard error is passed on to
 * ours line by line, with its name in front.
 */
struct child {
	const char *name;         /* "qemu": begins each of its lines */
	/* lines that contain one of these are dropped; ends with NULL. NULL: none are */
	const char *const *harmless;
	struct event_loop *loop;
	bool started;
	pid_t pid;                /* 0: not started, or ended and reaped */
	int status;               /* as of waitpid, once it ended */
	int error_fd;             /* our end of its standard error; -1: none */
	struct event_source *error_source;
	char line[CHILD_LINE_BYTES]; /* the part of a line that was read so far */
	size_t line_length;
	bool spoke;               /* it has written a line that was passed on */
};

enum child_terminal {
	CHILD_DETACHED, /* input is /dev/null, output goes where errors go; ^C does not reach it */
	CHILD_TERMINAL, /* owns the terminal: input and output are ours, and so is its group */
};

void child_init(struct child *child, const char *name, struct event_loop *loop);

/** Starts args->list[0]. false if it could not be started, which is logged. */
bool child_start(struct child *child, const struct args *args, enum child_terminal terminal);

static inline bool child_running(const struct child *child) {
	return child->pid > 0;
}

/** Looks whether it ended: true, once, when it did. Its last lines are passed on first. */
bool child_reap(struct child *child);

/** The exit code as a shell would give it: 128 and more for signals. Once it ended. */
int child_exit_code(const struct child *child);

/** Sends a signal if it runs. */
void child_signal(const struct child *child, int signal_number);

/** Kills it if it runs, and frees what is here. */
void child_finish(struct child *child);

#endif
