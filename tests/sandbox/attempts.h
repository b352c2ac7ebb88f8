/* SPDX-License-Identifier: MIT */
#ifndef VENERA_SANDBOX_ATTEMPTS_H
#define VENERA_SANDBOX_ATTEMPTS_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * What somebody tries who has taken over a process. Each attempt returns 0 if it succeeded, which
 * it must not inside a sandbox, or an errno.
 */

/** Which wall has to stop it when the others are not there. */
enum wall {
	WALL_CALLS = 1 << 0,   /* the filter of system calls */
	WALL_CONFINE = 1 << 1, /* Landlock, name spaces, limits */
	WALL_BOTH = 3,
	/* the program may map code: then only the others are tried */
	WALL_UNLESS_CODE = 1 << 2,
	/* the program may open files: the filter does not stop that */
	WALL_CALLS_UNLESS_FILES = 1 << 3,
};

struct attempt {
	const char *name;
	int (*run)(void);
	unsigned walls;
};

extern const struct attempt attempts[];

/** What the attempts are about; made by the parent. */
struct scene {
	pid_t victim;          /* a process of the same user */
	char folder[64];       /* with: secret (a file), listener (a socket) */
	char abstract[64];     /* name of a listening socket without a path */
	unsigned short port;   /* a listening socket at 127.0.0.1 */
	int terminal;
};

extern struct scene scene;

#endif
