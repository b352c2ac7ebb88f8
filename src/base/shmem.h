/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_SHMEM_H
#define VENERA_BASE_SHMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The host's page size in bytes (16384 on Apple Silicon). */
size_t page_size(void);

/** Rounds up to whole pages; 0 if that overflows. */
uint64_t page_align(uint64_t size);

/**
 * Shared memory without a name: a memfd, or a POSIX object that is unlinked at
 * once. Page-aligned, zero-filled, and, where the system can promise it
 * (F_SEAL_SHRINK), never smaller than it was made: a mapping of it cannot fault.
 */
struct shmem {
	int fd;      /* owned; -1 when there is none */
	void *data;  /* the read-write mapping of the whole, or NULL when not mapped */
	size_t size; /* bytes, a multiple of page_size() */
	size_t mapped; /* bytes of the mapping: more than `size` if its alignment asks for that */
};

#define SHMEM_NONE ((struct shmem){.fd = -1})

/**
 * Makes and maps `size` bytes (rounded up to whole pages; 0 is -EINVAL). `name` is for
 * debugging only (/proc/PID/maps). 0 or -errno.
 */
int shmem_create(struct shmem *shm, const char *name, uint64_t size);

/**
 * Maps somebody else's shared memory of at least `size` bytes. Takes ownership of
 * `fd`, also on failure. -EINVAL if the object is smaller than `size`, and, where
 * seals exist, -EPERM if its owner could still shrink it. 0 or -errno.
 */
int shmem_import(struct shmem *shm, int fd, uint64_t size);

/**
 * The same for drivers that take memory only in units of `alignment` bytes, a power of two: `data` is a
 * multiple of it, and so is `mapped`, which private memory fills up.
 */
int shmem_create_aligned(struct shmem *shm, const char *name, uint64_t size, size_t alignment);
int shmem_import_aligned(struct shmem *shm, int fd, uint64_t size, size_t alignment);

/** Unmaps and closes what is there; safe on SHMEM_NONE, to which it sets `*shm`. */
void shmem_finish(struct shmem *shm);

/** The number of bytes in the object behind `fd`, or -errno. */
int64_t shmem_fd_size(int fd);

/** Are the two descriptors of one shared-memory object? */
bool shmem_fd_same(int a, int b);

#endif
