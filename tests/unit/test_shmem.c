/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "base/shmem.h"
#include "base/socket.h"
#include "test.h"

static void test_page_align(void) {
	size_t page = page_size();
	CHECK(page >= 4096 && (page & (page - 1)) == 0);
	CHECK_INT(page_align(0), 0);
	CHECK_INT(page_align(1), page);
	CHECK_INT(page_align(page), page);
	CHECK_INT(page_align(page + 1), 2 * page);
	CHECK(page_align(UINT64_MAX) == 0);
	CHECK(page_align(UINT64_MAX - page + 1) == UINT64_MAX - page + 1);
	CHECK(page_align(UINT64_MAX - page + 2) == 0);
}

static void test_create(void) {
	int fds_before = test_count_fds();
	struct shmem shm;
	char long_name[1000];
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	CHECK_INT(shmem_create(&shm, long_name, page_size() * 3 - 5), 0);
	CHECK_INT(shm.size, page_size() * 3);
	CHECK_INT(shmem_fd_size(shm.fd), shm.size);
	CHECK(fcntl(shm.fd, F_GETFD) & FD_CLOEXEC);
	CHECK_INT((uintptr_t)shm.data % page_size(), 0);
	const unsigned char *bytes = shm.data;
	for (size_t i = 0; i < shm.size; i++) {
		CHECK_INT(bytes[i], 0);
	}
	memset(shm.data, 1, shm.size);
	shmem_finish(&shm);
	CHECK(shm.fd == -1 && !shm.data);
	shmem_finish(&shm);

	CHECK_INT(shmem_create(&shm, "x", 0), -EINVAL);
	CHECK(shm.fd == -1 && !shm.data);
	CHECK(shmem_create(&shm, "x", UINT64_MAX) < 0);
	CHECK(shmem_create(&shm, "x", UINT64_MAX / 2) < 0);
	shmem_finish(&shm);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_alignment(void) {
	const size_t page = page_size(), alignment = 16 * page;
	int fds_before = test_count_fds();
	struct shmem shm, other;
	for (int i = 0; i < 20; i++) { /* wherever the system puts it */
		CHECK_INT(shmem_create_aligned(&shm, "aligned", page * (size_t)(i + 1), alignment), 0);
		CHECK_INT((uintptr_t)shm.data % alignment, 0);
		CHECK_INT(shm.size, page * (size_t)(i + 1));
		CHECK_INT(shmem_fd_size(shm.fd), shm.size);
		CHECK_INT(shm.mapped, i < 16 ? alignment : 2 * alignment);
		memset(shm.data, 'x', shm.mapped);

		CHECK_INT(shmem_import_aligned(&other, fd_dup(shm.fd), shm.size, alignment), 0);
		CHECK_INT((uintptr_t)other.data % alignment, 0);
		CHECK_INT(other.size, shm.size);
		CHECK_INT(other.mapped, shm.mapped);
		const char *bytes = other.data;
		CHECK(bytes[0] == 'x' && bytes[other.size - 1] == 'x');
		/* what is behind is not shared */
		CHECK(other.mapped == other.size || bytes[other.size] == 0);
		shmem_finish(&other);
		shmem_finish(&shm);
	}
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_import(void) {
	int fds_before = test_count_fds();
	struct shmem shm, other;
	CHECK_INT(shmem_create(&shm, "shared", page_size() * 2), 0);
	CHECK_INT(shmem_import(&other, fd_dup(shm.fd), page_size() + 1), 0);
	CHECK_INT(other.size, 2 * page_size());
	((char *)shm.data)[100] = 'a';
	CHECK_INT(((char *)other.data)[100], 'a');
	((char *)other.data)[page_size() * 2 - 1] = 'b';
	CHECK_INT(((char *)shm.data)[page_size() * 2 - 1], 'b');
	shmem_finish(&other);

	CHECK_INT(shmem_import(&other, fd_dup(shm.fd), 2 * page_size() + 1), -EINVAL);
	CHECK(other.fd == -1 && !other.data);
	CHECK_INT(shmem_import(&other, fd_dup(shm.fd), 0), -EINVAL);
	CHECK_INT(shmem_import(&other, fd_dup(shm.fd), UINT64_MAX), -EINVAL);
	CHECK(shmem_import(&other, -1, 1) < 0);
	shmem_finish(&shm);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_seals(void) {
	struct shmem shm;
	CHECK_INT(shmem_create(&shm, "sealed", page_size()), 0);
#if OS_HAVE_MEMFD
	CHECK(ftruncate(shm.fd, 0) < 0);
	CHECK_INT(errno, EPERM);
	CHECK(ftruncate(shm.fd, (off_t)page_size() * 2) < 0);
	CHECK_INT(errno, EPERM);
	CHECK(fcntl(shm.fd, F_ADD_SEALS, F_SEAL_WRITE) < 0);
	CHECK_INT(shmem_fd_size(shm.fd), page_size());

	/* one that its owner can shrink, one that never knew seals, one that is no memory */
	int fds_before = test_count_fds();
	struct shmem other;
	int fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(fd >= 0 && ftruncate(fd, (off_t)page_size()) == 0);
	CHECK_INT(shmem_import(&other, fd_dup(fd), page_size()), -EPERM);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0);
	CHECK_INT(shmem_import(&other, fd_dup(fd), page_size()), -EPERM);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	CHECK_INT(shmem_import(&other, fd_dup(fd), page_size()), 0);
	shmem_finish(&other);
	close(fd);
	FILE *file = tmpfile();
	CHECK(file && ftruncate(fileno(file), (off_t)page_size()) == 0);
	CHECK_INT(shmem_import(&other, fd_dup(fileno(file)), page_size()), -EPERM);
	fclose(file);
	int pipe_fds[2];
	CHECK(pipe(pipe_fds) == 0);
	CHECK_INT(shmem_import(&other, pipe_fds[0], page_size()), -EPERM);
	close(pipe_fds[1]);
	CHECK_INT(test_count_fds(), fds_before);
#endif
	shmem_finish(&shm);
}

static void test_identity(void) {
	struct shmem a, b;
	CHECK_INT(shmem_create(&a, "a", 1), 0);
	CHECK_INT(shmem_create(&b, "b", 1), 0);
	int copy = fd_dup(a.fd);
	CHECK(shmem_fd_same(a.fd, a.fd));
	CHECK(shmem_fd_same(a.fd, copy));
	CHECK(shmem_fd_same(copy, a.fd));
	CHECK(!shmem_fd_same(a.fd, b.fd));
	CHECK(!shmem_fd_same(a.fd, -1));
	CHECK(!shmem_fd_same(-1, -1));
	close(copy);
	shmem_finish(&a);
	shmem_finish(&b);
}

int main(void) {
	RUN(test_page_align);
	RUN(test_create);
	RUN(test_alignment);
	RUN(test_import);
	RUN(test_seals);
	RUN(test_identity);
	return 0;
}
