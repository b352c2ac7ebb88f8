/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_GUARD_H
#define VENERA_CLI_GUARD_H

#include <sys/types.h>

/**
 * A small process that cleans up if `venera run` is killed in a way that leaves it no time to.
 */
struct guard {
	pid_t pid;
	int fd; /* what it listens to */
};

/** Starts it. 0 or -errno. */
int guard_start(struct guard *guard);

/** Tells it of a process or a folder with sockets that is to go, or that is gone. */
void guard_add_process(int guard_fd, pid_t pid);
void guard_remove_process(int guard_fd, pid_t pid);
void guard_add_folder(int guard_fd, const char *folder);

/** Ends it; it removes the folders, and ends the processes that are left. */
void guard_finish(struct guard *guard);

#endif
