/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_QMP_H
#define VENERA_CLI_QMP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event_loop.h"
#include "cli/json.h"

/**
 * QEMU's monitor protocol: commands out, JSON lines back, over the socket of a QEMU that
 * was started with -qmp unix:PATH,server=on,wait=off.
 */
struct qmp;

enum qmp_message {
	QMP_READY,  /* commands are taken from now on; `value` is the greeting's "version" */
	QMP_RETURN, /* the answer to the oldest command that has none yet */
	QMP_ERROR,  /* the same, as an error: `value` has "class" and "desc" */
	QMP_EVENT,  /* `value` is the whole message: "event" is its name */
	QMP_CLOSED, /* QEMU is gone, or speaks something else: destroy the qmp */
};

/** Called from the loop. May destroy the qmp. `value` is valid during the call. */
typedef void (*qmp_func)(void *data, enum qmp_message message, struct json value);

/** NULL when nobody listens at `path` (yet). */
struct qmp *qmp_connect(
	struct event_loop *loop, const char *path, qmp_func func, void *data);

/** Sends a command without arguments; at once when QEMU is ready, else then. */
void qmp_execute(struct qmp *qmp, const char *command);

/**
 * Sends a whole command, `size` bytes of JSON with a newline at the end. Only when QEMU is ready,
 * and while few commands are pending: they all fit the socket then.
 */
void qmp_send(struct qmp *qmp, const char *text, size_t size);

/** How many commands have no answer yet; many before QEMU is ready. */
unsigned qmp_pending(const struct qmp *qmp);

/** NULL is accepted. */
void qmp_destroy(struct qmp *qmp);

#endif
