/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "base/notifier.h"
#include "base/os.h"
#include "base/socket.h"

#if OS_HAVE_EVENTFD
#include <sys/eventfd.h>
#endif

int notifier_init(struct notifier *notifier) {
#if OS_HAVE_EVENTFD
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		int err = -errno;
		*notifier = (struct notifier){.read_fd = -1, .write_fd = -1};
		return err;
	}
	*notifier = (struct notifier){.read_fd = fd, .write_fd = fd};
	return 0;
#else
	int fds[2];
	*notifier = (struct notifier){.read_fd = -1, .write_fd = -1};
	if (pipe(fds) < 0) {
		return -errno;
	}
	for (int i = 0; i < 2; i++) {
		int err = fd_set_cloexec(fds[i], true);
		if (!err) {
			err = socket_set_blocking(fds[i], false);
		}
		if (err) {
			close(fds[0]);
			close(fds[1]);
			return err;
		}
	}
	*notifier = (struct notifier){.read_fd = fds[0], .write_fd = fds[1]};
	return 0;
#endif
}

void notifier_finish(struct notifier *notifier) {
	if (notifier->write_fd >= 0 && notifier->write_fd != notifier->read_fd) {
		close(notifier->write_fd);
	}
	if (notifier->read_fd >= 0) {
		close(notifier->read_fd);
	}
	*notifier = (struct notifier){.read_fd = -1, .write_fd = -1};
}

void notifier_signal(const struct notifier *notifier) {
	notifier_fd_signal(notifier->write_fd);
}

void notifier_drain(const struct notifier *notifier) {
	/* An eventfd gives all at once, so the first read is short; a pipe may hold more. */
	uint64_t values[64];
	int saved_errno = errno;
	ssize_t got;
	do {
		got = read(notifier->read_fd, values, sizeof(values));
	} while (got == (ssize_t)sizeof(values) || (got < 0 && errno == EINTR));
	errno = saved_errno;
}

void notifier_fd_signal(int fd) {
	/* Eight bytes, because an eventfd takes nothing else. EAGAIN means that it is
	 * signalled already. */
	uint64_t one = 1;
	int saved_errno = errno;
	ssize_t written;
	do {
		written = write(fd, &one, sizeof(one));
	} while (written < 0 && errno == EINTR);
	errno = saved_errno;
}

void notifier_fd_drain(int fd) {
	/* Once only: the peer chose whether a read of an empty pipe blocks. */
	uint64_t values[64];
	int saved_errno = errno;
	ssize_t got;
	do {
		got = read(fd, values, sizeof(values));
	} while (got < 0 && errno == EINTR);
	errno = saved_errno;
}
