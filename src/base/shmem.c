/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/os.h"
#include "base/shmem.h"
#include "base/socket.h"

#if OS_MACOS
#include <libproc.h>
#include <string.h>
#endif

#if OS_HAVE_MEMFD && !defined(MFD_NOEXEC_SEAL)
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3; C libraries know it later */
#endif

size_t page_size(void) {
	static _Atomic size_t cached;
	size_t size = atomic_load_explicit(&cached, memory_order_relaxed);
	if (!size) {
		size = (size_t)sysconf(_SC_PAGESIZE);
		atomic_store_explicit(&cached, size, memory_order_relaxed);
	}
	return size;
}

uint64_t page_align(uint64_t size) {
	uint64_t mask = page_size() - 1;
	return size > UINT64_MAX - mask ? 0 : (size + mask) & ~mask;
}

#if OS_HAVE_MEMFD

static int open_unnamed(const char *name) {
	char short_name[200]; /* the kernel takes 249 bytes and refuses more */
	snprintf(short_name, sizeof(short_name), "%s", name);
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(short_name, flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) {
		fd = memfd_create(short_name, flags);
	}
	return fd < 0 ? -errno : fd;
}

#else

static int open_unnamed(const char *name) {
	static _Atomic unsigned counter;
	for (int attempt = 0; attempt < 100; attempt++) {
		/* macOS takes 30 bytes, and all processes share the names */
		char unique[31];
		snprintf(unique, sizeof(unique), "/%.12s.%04x.%08" PRIx32, name,
			atomic_fetch_add(&counter, 1) & 0xffffU,
			(uint32_t)clock_now() ^ (uint32_t)getpid() << 16);
		int fd = shm_open(unique, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd >= 0) {
			shm_unlink(unique);
			int err = fd_set_cloexec(fd, true);
			if (err) {
				close(fd);
				return err;
			}
			return fd;
		}
		if (errno != EEXIST) {
			return -errno;
		}
	}
	return -EEXIST;
}

#endif

/**
 * Maps the first `size` bytes of `fd`, whole pages, at a multiple of `alignment`, which is one of the page size. The mapping
 * is a multiple of it long, too: private memory fills it up.
 */
static int map_aligned(struct shmem *shm, int fd, size_t size, size_t alignment) {
	if (alignment <= page_size()) {
		void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (data == MAP_FAILED) {
			return -errno;
		}
		*shm = (struct shmem){.fd = fd, .data = data, .size = size, .mapped = size};
		return 0;
	}

	/* an address range that certainly holds an aligned one, of which the rest is given back */
	const size_t rest = size % alignment;
	const size_t mapped = rest ? size + (alignment - rest) : size;
	const size_t reserved = mapped + alignment - page_size();
	uint8_t *range = mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
	if (range == MAP_FAILED) {
		return -errno;
	}
	const size_t head = (alignment - (uintptr_t)range % alignment) % alignment;
	const size_t tail = reserved - head - mapped;
	uint8_t *data = range + head;
	if (head) {
		munmap(range, head);
	}
	if (tail) {
		munmap(data + mapped, tail);
	}
	if (mmap(data, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
			(mapped > size &&
				mprotect(data + size, mapped - size, PROT_READ | PROT_WRITE) < 0)) {
		int err = -errno;
		munmap(data, mapped);
		return err;
	}
	*shm = (struct shmem){.fd = fd, .data = data, .size = size, .mapped = mapped};
	return 0;
}

static bool is_sane(uint64_t size, size_t alignment) {
	return size > 0 && size <= PTRDIFF_MAX / 2 && alignment <= PTRDIFF_MAX / 4;
}

int shmem_create(struct shmem *shm, const char *name, uint64_t size) {
	return shmem_create_aligned(shm, name, size, page_size());
}

int shmem_create_aligned(struct shmem *shm, const char *name, uint64_t size, size_t alignment) {
	*shm = SHMEM_NONE;
	if (size == 0) {
		return -EINVAL;
	}
	uint64_t aligned = page_align(size);
	if (!is_sane(aligned, alignment)) {
		return -ENOMEM;
	}
	int fd = open_unnamed(name);
	if (fd < 0) {
		return fd;
	}
	int err;
	if (ftruncate(fd, (off_t)aligned) < 0) {
		err = -errno;
		goto error_fd;
	}
#if OS_HAVE_MEMFD
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		err = -errno;
		goto error_fd;
	}
#endif
	err = map_aligned(shm, fd, (size_t)aligned, alignment);
	if (err) {
		goto error_fd;
	}
	return 0;

error_fd:
	close(fd);
	return err;
}

int shmem_import(struct shmem *shm, int fd, uint64_t size) {
	return shmem_import_aligned(shm, fd, size, page_size());
}

int shmem_import_aligned(struct shmem *shm, int fd, uint64_t size, size_t alignment) {
	*shm = SHMEM_NONE;
	int err;
	uint64_t aligned = page_align(size);
	if (!is_sane(aligned, alignment)) {
		err = -EINVAL;
		goto error_fd;
	}
#if OS_HAVE_MEMFD
	/* before the size is looked at: afterwards it can only have grown */
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
		err = seals < 0 && errno == EBADF ? -EBADF : -EPERM;
		goto error_fd;
	}
#endif
	int64_t object_size = shmem_fd_size(fd);
	if (object_size < 0) {
		err = (int)object_size;
		goto error_fd;
	}
	if ((uint64_t)object_size < size) {
		err = -EINVAL;
		goto error_fd;
	}
	err = map_aligned(shm, fd, (size_t)aligned, alignment);
	if (err) {
		goto error_fd;
	}
	return 0;

error_fd:
	if (fd >= 0) {
		close(fd);
	}
	return err;
}

void shmem_finish(struct shmem *shm) {
	if (shm->data) {
		munmap(shm->data, shm->mapped);
	}
	if (shm->fd >= 0) {
		close(shm->fd);
	}
	*shm = SHMEM_NONE;
}

int64_t shmem_fd_size(int fd) {
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	return (int64_t)st.st_size;
}

bool shmem_fd_same(int a, int b) {
	if (a == b) {
		return a >= 0;
	}
#if OS_MACOS
	/* fstat() tells no inode of shared memory there, but the object's address serves */
	struct pshm_fdinfo info_a, info_b;
	if (proc_pidfdinfo(getpid(), a, PROC_PIDFDPSHMINFO, &info_a, sizeof(info_a)) ==
			(int)sizeof(info_a) &&
			proc_pidfdinfo(getpid(), b, PROC_PIDFDPSHMINFO, &info_b, sizeof(info_b)) ==
			(int)sizeof(info_b)) {
		return info_a.pshminfo.pshm_mappaddr == info_b.pshminfo.pshm_mappaddr &&
			strcmp(info_a.pshminfo.pshm_name, info_b.pshminfo.pshm_name) == 0;
	}
#endif
	struct stat st_a, st_b;
	return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 && st_a.st_ino != 0 &&
		st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}
