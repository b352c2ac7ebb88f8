/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_RUNTIME_H
#define VENERA_CLI_RUNTIME_H

/** Where sockets go: XDG_RUNTIME_DIR, TMPDIR or /tmp, the first one that can be written to. */
const char *runtime_base(void);

/** Makes a folder there that only we can enter. NULL, with errno set, if that fails. */
char *runtime_folder_create(void);

/** Removes the sockets in it and the folder, and frees the name. NULL is accepted. */
void runtime_folder_destroy(char *folder);

/** The same without freeing. */
void runtime_folder_remove(const char *folder);

#endif
