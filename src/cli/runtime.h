/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_RUNTIME_H
#define VENERA_CLI_RUNTIME_H

#include "cli/text.h"

/** Where sockets go: XDG_RUNTIME_DIR, TMPDIR or /tmp, the first one that can be written to. */
const char *runtime_base(void);

/** Makes a folder there that only we can enter. NULL, with errno set, if that fails. */
char *runtime_folder_create(void);

/** The name of venera-gpu's control socket in such a folder. */
#define RUNTIME_CONTROL_SOCKET "control.sock"

/**
 * Adds the paths of the control sockets of our user's machines that run: those in the first of the
 * places above in which there are any.
 */
void runtime_find_machines(struct args *paths);

/** Removes the sockets in it and the folder, and frees the name. NULL is accepted. */
void runtime_folder_destroy(char *folder);

/** The same without freeing. */
void runtime_folder_remove(const char *folder);

#endif
