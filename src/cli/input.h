/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_INPUT_H
#define VENERA_CLI_INPUT_H

#include "base/event_loop.h"
#include "cli/qmp.h"

/**
 * What the user does in venera-view's window, passed on to the guest's keyboard and tablet, which
 * QEMU has, through QEMU's monitor. See docs/input.md.
 */
struct input;

/** Listens for a view at `path`. NULL with a line in the log. */
struct input *input_create(struct event_loop *loop, const char *path);
/** NULL is accepted, here and below. */
void input_destroy(struct input *input);

/** Where the events go from now on; NULL: nowhere. */
void input_set_monitor(struct input *input, struct qmp *qmp);

/** The monitor has answered: it may have room for more. */
void input_continue(struct input *input);

#endif
