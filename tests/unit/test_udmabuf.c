/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/shmem.h"
#include "base/udmabuf.h"
#include "test.h"

/* The dma-buf is the same memory: what is written here is seen there. */
static void test_same_pages(void) {
	struct shmem shm;
	CHECK_INT(shmem_create(&shm, "test", 4 * page_size()), 0);
	const int fd = udmabuf_create(shm.fd, 0, shm.size);
	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	uint8_t *other = mmap(NULL, shm.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(other != MAP_FAILED);
	((uint8_t *)shm.data)[3 * page_size()] = 42;
	CHECK_INT(other[3 * page_size()], 42);
	munmap(other, shm.size);
	close(fd);
	shmem_finish(&shm);
}

static void test_errors(void) {
	struct shmem shm;
	CHECK_INT(shmem_create(&shm, "test", 4 * page_size()), 0);
	const int fds = test_count_fds();
	CHECK_INT(udmabuf_create(shm.fd, 0, 5 * page_size()), -EINVAL);
	CHECK_INT(udmabuf_create(shm.fd, 1, page_size()), -EINVAL);
	CHECK_INT(udmabuf_create(shm.fd, 0, page_size() / 2), -EINVAL);
	CHECK(udmabuf_create(-1, 0, page_size()) < 0);
	CHECK_INT(test_count_fds(), fds);
	shmem_finish(&shm);
}

static void test_none(void) {
	struct shmem shm;
	CHECK_INT(shmem_create(&shm, "test", page_size()), 0);
	CHECK(udmabuf_create(shm.fd, 0, shm.size) < 0);
	shmem_finish(&shm);
}

int main(void) {
	if (!udmabuf_is_there()) {
		RUN(test_none);
		printf("no /dev/udmabuf here\n");
		return TEST_SKIPPED;
	}
	RUN(test_same_pages);
	RUN(test_errors);
	return 0;
}
