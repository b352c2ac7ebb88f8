/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_FOLDER_H
#define VENERA_BASE_FOLDER_H

#include <stdbool.h>

/**
 * mkdtemp(), which is POSIX, but which macOS hides from programs that ask for no more than POSIX:
 * makes a folder for us alone. `path` ends with "XXXXXX", which is replaced by what makes it
 * unique. False with errno set.
 */
bool folder_make_unique(char *path);

#endif
