/* SPDX-License-Identifier: MIT */
#ifndef VENERA_IPC_BROKER_H
#define VENERA_IPC_BROKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "ipc/limits.h"

/**
 * A device in its sandbox can neither start a process, nor signal one, nor remove a file. This is
 * a process that does these for it, and of each no more than was settled before there was a
 * guest: it starts render processes with fixed arguments, kills those that it started, and
 * removes files of a given list. Who has taken over the device can have render processes, each in
 * its own sandbox, and nothing else.
 *
 * Functions block for as long as it takes to start a process.
 */
struct broker;
struct event_loop;

/** All of it must live as long as the broker. */
struct broker_options {
	const char *program; /* path of venera-render, which is started so: */
	enum sandbox_mode sandbox;
	enum log_level log_level;
	bool validate, no_dma_buf;
	const struct limits *limits;
	const char *const *env;   /* as of struct process_options */
	const char *const *files; /* those that may be removed; ends with NULL; NULL: none */
};

/**
 * Forks: before the program has threads, an event loop, or descriptors that somebody waits for
 * the end of; the process closes all but the standard ones. NULL with errno set.
 */
struct broker *broker_create(const struct broker_options *options);

/**
 * Waits for the process, which gives those that it started RENDER_EXIT_GRACE_MS to end, and kills
 * them then. NULL is accepted.
 */
void broker_destroy(struct broker *broker);

/**
 * From now on calls `ended` from the loop when broker_wait() has something new to say. Once. 0 or
 * -errno.
 */
int broker_watch(
	struct broker *broker, struct event_loop *loop, void (*ended)(void *data), void *data);
/** Undoes it. */
void broker_unwatch(struct broker *broker);

/**
 * Starts a render process: `channel_fd` is its end of the channel, `counters_fd` the memory of
 * its counters; both stay the caller's. `name` is the guest process's, or NULL for a spare. The
 * process id, for the functions below and for log lines, or -errno.
 */
pid_t broker_start(struct broker *broker, const char *name, int channel_fd, int counters_fd);

/** As process_wait(); -ECHILD: nobody can tell any more. */
int broker_wait(struct broker *broker, pid_t pid, int timeout_ms, int *status);

/** Kills a process of broker_start() if it has not ended. */
void broker_kill(struct broker *broker, pid_t pid);

/** Removes one of the files. */
void broker_remove_file(struct broker *broker, const char *path);

#endif
