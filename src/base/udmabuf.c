/* SPDX-License-Identifier: MIT */
#include "base/udmabuf.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/os.h"

#if OS_HAVE_UDMABUF

#include <linux/udmabuf.h>
#include <sys/ioctl.h>

static int open_device(void) {
	const int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	return device < 0 ? -errno : device;
}

bool udmabuf_is_there(void) {
	const int device = open_device();
	if (device < 0) {
		return false;
	}
	close(device);
	return true;
}

int udmabuf_create(int fd, uint64_t offset, uint64_t size) {
	const int device = open_device();
	if (device < 0) {
		return device;
	}
	struct udmabuf_create create = {
		.memfd = (uint32_t)fd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.offset = offset,
		.size = size,
	};
	int result = ioctl(device, UDMABUF_CREATE, &create);
	if (result < 0) {
		result = -errno;
	}
	close(device);
	return result;
}

#else

bool udmabuf_is_there(void) {
	return false;
}

int udmabuf_create(int fd, uint64_t offset, uint64_t size) {
	(void)fd;
	(void)offset;
	(void)size;
	return -ENOSYS;
}

#endif
