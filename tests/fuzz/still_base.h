/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_FUZZ_STILL_BASE_H
#define VENERA_TESTS_FUZZ_STILL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Descriptors of made-up shared memory begin here: no real one is as high. */
#define STILL_FIRST_FD 100000
#define STILL_MAX_FDS 256
/** Larger shared memory is refused, as by a machine that is out of it. */
#define STILL_MAX_SHMEM ((size_t)256 * 1024)

/**
 * Sets the clock to its beginning. It moves a microsecond with each look at it, and no further by
 * itself.
 */
void still_base_begin(void);
void still_clock_advance(uint64_t ns);

/** A descriptor of new memory, or -errno. `sealed`: it cannot shrink. */
int still_fd_create(uint64_t size, bool sealed);
int still_fd_dup(int fd);
int still_fd_close(int fd);
void *still_fd_data(int fd, size_t *size);

/** Of memory that a descriptor stands for, or -1. */
int still_fd_of_data(const void *data);

/** Closes what a target has made, of whatever kind; still_sockets.c. */
void still_any_close(int fd);

/** Frees all that is left. */
void still_fds_reset(void);

/** How many are open. */
unsigned still_fd_count(void);

#endif
