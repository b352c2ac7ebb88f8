/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program, it gives it a Mac's pages of 16 KiB, as far as a program can tell: the system says
 * that they are so large, mappings begin at multiples of that, in memory and, if they are shared, in the file, and
 * are multiples of it long. What macOS refuses is refused.
 */

/* with it, mmap() would be another name of mmap64() */
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define PAGE ((uintptr_t)16384)

static void *system_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
	return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

EXPORT int getpagesize(void) {
	return (int)PAGE;
}

EXPORT long sysconf(int name) {
	if (name == _SC_PAGESIZE) {
		return (long)PAGE;
	}
	long (*next)(int);
	*(void **)&next = dlsym(RTLD_NEXT, "sysconf"); /* POSIX promises that this works */
	return next(name);
}

EXPORT void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
	const int type = flags & MAP_TYPE;
	const int shared = fd >= 0 && (type == MAP_SHARED || type == MAP_SHARED_VALIDATE);
	const int fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	if (shared && ((uintptr_t)offset % PAGE || (fixed && (uintptr_t)address % PAGE))) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	if (fixed) {
		return system_mmap(address, size, protection, flags, fd, offset);
	}
	const size_t whole = (size + PAGE - 1) & ~(PAGE - 1);
	char *range = system_mmap(NULL, whole + PAGE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (range == MAP_FAILED) {
		return MAP_FAILED;
	}
	char *start = (char *)(((uintptr_t)range + PAGE - 1) & ~(PAGE - 1));
	if (start > range) {
		syscall(SYS_munmap, range, (size_t)(start - range));
	}
	syscall(SYS_munmap, start + whole, (size_t)(range + PAGE - start));
	void *mapped = system_mmap(start, fd < 0 ? whole : size, protection, flags | MAP_FIXED, fd, offset);
	if (mapped == MAP_FAILED) {
		const int error = errno;
		syscall(SYS_munmap, start, whole);
		errno = error;
	}
	return mapped;
}

EXPORT void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
	return mmap(address, size, protection, flags, fd, offset);
}

EXPORT int munmap(void *address, size_t size) {
	if ((uintptr_t)address % PAGE) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_munmap, address, (size + PAGE - 1) & ~(PAGE - 1));
}
