/* SPDX-License-Identifier: MIT */

/*
 * What a target links before the library base, so that the code under test makes no system calls:
 * shared memory is memory of the heap, where AddressSanitizer sees what is beside it; channels
 * lead to the target; log lines go nowhere.
 */

#include "still_base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/shmem.h"
#include "base/udmabuf.h"

#define PAGE ((size_t)4096)

/* --- shared memory --- */

size_t page_size(void) {
	return PAGE;
}

uint64_t page_align(uint64_t size) {
	return size > UINT64_MAX - PAGE ? 0 : (size + PAGE - 1) / PAGE * PAGE;
}

/** Descriptors are numbers of slots, which hold memory as long as somebody has one. */
struct slot {
	uint8_t *data;
	size_t size;
	unsigned refs;
	bool sealed;
};

static struct slot slots[STILL_MAX_FDS];

static struct slot *slot_of(int fd) {
	const int index = fd - STILL_FIRST_FD;
	return index >= 0 && index < STILL_MAX_FDS && slots[index].refs ? &slots[index] : NULL;
}

int still_fd_create(uint64_t size, bool sealed) {
	for (int i = 0; i < STILL_MAX_FDS; i++) {
		if (!slots[i].refs) {
			slots[i].data = calloc(1, size);
			if (!slots[i].data) {
				return -ENOMEM;
			}
			slots[i].size = (size_t)size;
			slots[i].refs = 1;
			slots[i].sealed = sealed;
			return STILL_FIRST_FD + i;
		}
	}
	return -EMFILE;
}

int still_fd_close(int fd) {
	struct slot *slot = slot_of(fd);
	if (!slot && fd >= STILL_FIRST_FD) {
		fprintf(stderr, "a descriptor is closed twice\n");
		abort();
	}
	if (slot && --slot->refs == 0) {
		free(slot->data);
		*slot = (struct slot){0};
	}
	return 0;
}

int still_fd_dup(int fd) {
	struct slot *slot = slot_of(fd);
	if (!slot) {
		return -EBADF;
	}
	slot->refs++;
	return fd;
}

void *still_fd_data(int fd, size_t *size) {
	struct slot *slot = slot_of(fd);
	*size = slot ? slot->size : 0;
	return slot ? slot->data : NULL;
}

int still_fd_of_data(const void *data) {
	for (int i = 0; i < STILL_MAX_FDS; i++) {
		if (slots[i].refs && slots[i].data == data) {
			return STILL_FIRST_FD + i;
		}
	}
	return -1;
}

void still_fds_reset(void) {
	for (int i = 0; i < STILL_MAX_FDS; i++) {
		if (slots[i].refs) {
			free(slots[i].data);
			slots[i] = (struct slot){0};
		}
	}
}

unsigned still_fd_count(void) {
	unsigned count = 0;
	for (int i = 0; i < STILL_MAX_FDS; i++) {
		count += slots[i].refs;
	}
	return count;
}

int shmem_create_aligned(struct shmem *shm, const char *name, uint64_t size, size_t alignment) {
	(void)name;
	*shm = SHMEM_NONE;
	const uint64_t whole = page_align(size);
	if (!whole) {
		return -EINVAL;
	}
	if (whole > STILL_MAX_SHMEM || alignment > STILL_MAX_SHMEM) {
		return -ENOMEM;
	}
	const int fd = still_fd_create(whole, true);
	if (fd < 0) {
		return fd;
	}
	return shmem_import_aligned(shm, fd, size, alignment);
}

int shmem_create(struct shmem *shm, const char *name, uint64_t size) {
	return shmem_create_aligned(shm, name, size, 0);
}

int shmem_import_aligned(struct shmem *shm, int fd, uint64_t size, size_t alignment) {
	*shm = SHMEM_NONE;
	const uint64_t whole = page_align(size);
	struct slot *slot = slot_of(fd);
	int error = 0;
	if (!slot) {
		return -EBADF;
	}
	if (!slot->sealed) {
		error = -EPERM;
	} else if (!whole || slot->size < whole) {
		error = -EINVAL;
	}
	if (error) {
		still_fd_close(fd);
		return error;
	}
	slot->refs++; /* the mapping's */
	/* an alignment is promised and not kept: nobody looks but the driver */
	*shm = (struct shmem){
		.fd = fd,
		.data = slot->data,
		.size = (size_t)whole,
		.mapped = alignment && whole % alignment ?
			(size_t)((whole + alignment - 1) / alignment * alignment) : (size_t)whole,
	};
	return 0;
}

int shmem_import(struct shmem *shm, int fd, uint64_t size) {
	return shmem_import_aligned(shm, fd, size, 0);
}

void shmem_finish(struct shmem *shm) {
	if (shm->data) {
		still_fd_close(still_fd_of_data(shm->data));
	}
	still_fd_close(shm->fd);
	*shm = SHMEM_NONE;
}

int64_t shmem_fd_size(int fd) {
	const struct slot *slot = slot_of(fd);
	return slot ? (int64_t)slot->size : -EBADF;
}

bool shmem_fd_same(int a, int b) {
	return a == b;
}

bool udmabuf_is_there(void) {
	return false;
}

int udmabuf_create(int fd, uint64_t offset, uint64_t size) {
	(void)fd;
	(void)offset;
	(void)size;
	return -ENOENT;
}

/* --- log and time --- */

static enum log_level level = LOG_LEVEL_ERROR;
static bool is_loud;

void log_init(const char *program, enum log_level wanted) {
	(void)program;
	level = wanted;
}

bool log_level_parse(const char *text, enum log_level *parsed) {
	(void)text;
	*parsed = LOG_LEVEL_ERROR;
	return true;
}

enum log_level log_get_level(void) {
	return level;
}

void log_write(enum log_level line_level, const char *format, ...) {
	static bool asked;
	if (!asked) {
		asked = true;
		is_loud = getenv("FUZZ_LOG") != NULL;
	}
	(void)line_level;
	/* formatted all the same: what it names must be there */
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (is_loud) {
		fprintf(stderr, "%s\n", line);
	}
}

static uint64_t now;

uint64_t __wrap_clock_now(void);
uint64_t __wrap_clock_now(void) {
	return now += CLOCK_NS_PER_US;
}

void still_clock_advance(uint64_t ns) {
	now += ns;
}

void still_base_begin(void) {
	now = CLOCK_NS_PER_S;
}

void __wrap_thread_set_name(const char *name);
void __wrap_thread_set_name(const char *name) {
	(void)name;
}

void __wrap_thread_set_nice(int nice);
void __wrap_thread_set_nice(int nice) {
	(void)nice;
}
