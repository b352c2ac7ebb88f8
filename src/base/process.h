/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_PROCESS_H
#define VENERA_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * What a child is started with. It is started with posix_spawn: the GPU frameworks of
 * macOS do not survive fork. It gets standard input, output and error as given and the
 * descriptors in `fds`; every other descriptor of ours is closed in it.
 */
struct process_options {
	const char *path;         /* absolute, or looked up in PATH when it has no slash */
	const char *const *argv;  /* ends with NULL; argv[0] is the program's name */
	/* "NAME=value" to set or, without '=', to unset; ends with NULL. NULL: no changes */
	const char *const *env;
	const int *fds;           /* each 3 or more: the child keeps them under the same number */
	int fd_count;
	int stdin_fd;             /* -1: inherited */
	int stdout_fd;            /* -1: inherited */
	int stderr_fd;            /* -1: inherited */
	bool new_group;           /* a process group of its own: the terminal's ^C spares it */
};

#define PROCESS_OPTIONS_DEFAULT \
	((struct process_options){.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1})

/** Returns the process id or -errno. */
pid_t process_spawn(const struct process_options *options);

/** The absolute path of the running program. Caller frees. NULL, with errno set, if unknown. */
char *process_self_path(void);

/**
 * The path of a program of ours, which stands beside the running one (or, when run from
 * the build tree, in the sibling folder of its name: venera-gpu in gpu/, venera in cli/). The
 * environment variable VENERA_BINDIR names another folder to look in: one with the programs, or the
 * build's src/. Caller frees. NULL, with errno set, if it is not there.
 */
char *process_find_sibling(const char *name);

/**
 * The path of a program in PATH, or `name` itself when it has a slash. Caller frees. NULL, with
 * errno set, if there is none.
 */
char *process_find_program(const char *name);

/**
 * Waits for a child for at most `timeout_ms` (-1: for ever). 1: it ended and `*status` is as of
 * waitpid (`status` may be NULL); 0: it still runs; or -errno.
 */
int process_wait(pid_t pid, int timeout_ms, int *status);

/** SIGTERM, then, after `grace_ms`, SIGKILL; reaps it. */
void process_terminate(pid_t pid, int grace_ms);

/** Fills up to 256 bytes with what nobody can guess. No file is opened. false: the system has none. */
bool system_random(void *bytes, size_t size);

/** Can the processor run virtual machines ("vmx" or "svm" on x86; taken for granted on arm64)? */
bool cpu_has_virtualization(void);

/** The machine's memory in bytes; 0 if unknown. */
uint64_t system_memory(void);

/** Resident memory of this process that is its own (not shared), in bytes; 0 if unknown. */
size_t process_private_memory(void);

/** The name of the calling thread in debuggers; at most 15 bytes count. */
void thread_set_name(const char *name);

/** Asks for a nice value for the calling thread; failure is ignored. */
void thread_set_nice(int nice);

#endif
