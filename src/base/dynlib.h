/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_DYNLIB_H
#define VENERA_BASE_DYNLIB_H

#include <stdbool.h>
#include <stddef.h>

/** Shared libraries that are opened while the program runs. */

typedef void (*dynlib_func)(void);

/**
 * Opens a library by path, or by name in the system's places. NULL on failure, with one
 * line of why in `error` (which may be NULL).
 */
void *dynlib_open(const char *path, char *error, size_t error_size);

/** NULL is accepted. */
void dynlib_close(void *library);

/** NULL if the library has no such function. */
dynlib_func dynlib_function(void *library, const char *name);

/**
 * The places where this system may have its Vulkan loader, the best first: fills `path`
 * with the one of that index. Behind the loaders come drivers that can be used without one,
 * where such are customary. 1: filled; 0: this place does not apply here (too long, or it
 * depends on a variable that is not set); -1: there are no more.
 */
int dynlib_vulkan_place(size_t index, char *path, size_t path_size);

/** The same on macOS, or on others: for tests of what is chosen there. */
int dynlib_vulkan_place_of(bool macos, size_t index, char *path, size_t path_size);

#endif
