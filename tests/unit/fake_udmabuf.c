/* SPDX-License-Identifier: MIT */

/*
 * To be preloaded: a /dev/udmabuf for machines that have none. It is as strict as the kernel's
 * about what it is asked, and its dma-bufs are the memfds themselves, which can be mapped and
 * imported as such.
 */

/* with it, open() would be another name of open64() */
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
/* as if somebody had raised the kernel's size_limit_mb */
#define SIZE_LIMIT (UINT64_C(1) << 30)

/* POSIX promises that dlsym() finds functions, ISO C knows of no such conversion */
#define REAL(pointer, name) (*(void **)&(pointer) = dlsym(RTLD_NEXT, name))

typedef int (*open_func)(const char *path, int flags, ...);

static int open_as(const char *name, const char *path, int flags, mode_t mode) {
	open_func real;
	REAL(real, name);
	return real(strcmp(path, "/dev/udmabuf") == 0 ? "/dev/null" : path, flags, mode);
}

#define DEFINE_OPEN(name) \
	EXPORT int name(const char *path, int flags, ...); \
	int name(const char *path, int flags, ...) { \
		va_list args; \
		va_start(args, flags); \
		const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0; \
		va_end(args); \
		return open_as(#name, path, flags, mode); \
	}

DEFINE_OPEN(open)
DEFINE_OPEN(open64)

static int create(const struct udmabuf_create *create) {
	const uint64_t mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
	const int memfd = (int)create->memfd;
	struct stat st;
	const int seals = fcntl(memfd, F_GET_SEALS);
	if (seals < 0) {
		return -EBADFD;
	}
	if ((create->flags & ~(unsigned)UDMABUF_FLAGS_CLOEXEC) || (create->offset & mask) ||
			(create->size & mask) || !create->size || create->size > SIZE_LIMIT ||
			!(seals & F_SEAL_SHRINK) || (seals & F_SEAL_WRITE) || fstat(memfd, &st) < 0 ||
			create->offset > (uint64_t)st.st_size ||
			create->size > (uint64_t)st.st_size - create->offset) {
		return -EINVAL;
	}
	if (create->offset) {
		return -EOPNOTSUPP; /* the memfd begins at 0 */
	}
	const int fd = fcntl(memfd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

EXPORT int ioctl(int fd, unsigned long request, ...) {
	va_list args;
	va_start(args, request);
	void *argument = va_arg(args, void *);
	va_end(args);
	if (request == UDMABUF_CREATE) {
		const int result = create(argument);
		if (result < 0) {
			errno = -result;
			return -1;
		}
		return result;
	}
	int (*real)(int fd, unsigned long request, ...);
	REAL(real, "ioctl");
	return real(fd, request, argument);
}
