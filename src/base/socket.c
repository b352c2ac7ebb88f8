/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/os.h"
#include "base/socket.h"

#if OS_HAVE_SIOCOUTQ
#include <linux/sockios.h>
#endif
#if OS_HAVE_CLOSE_RANGE
#include <sys/syscall.h>
#endif

/* A system without it has SO_NOSIGPIPE, which socket_prepare() sets. */
#ifdef MSG_NOSIGNAL
#define SEND_FLAGS MSG_NOSIGNAL
#else
#define SEND_FLAGS 0
#endif

union fd_control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(SOCKET_MAX_FDS * sizeof(int))];
};

int fd_set_cloexec(int fd, bool cloexec) {
	int flags = fcntl(fd, F_GETFD);
	if (flags < 0) {
		return -errno;
	}
	int wanted = cloexec ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	if (wanted != flags && fcntl(fd, F_SETFD, wanted) < 0) {
		return -errno;
	}
	return 0;
}

int fd_dup(int fd) {
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return copy < 0 ? -errno : copy;
}

/* 0 or -errno; -ENOSYS where no call does it at once */
static int close_range_of(unsigned first, unsigned last) {
#if OS_HAVE_CLOSE_RANGE
	return first > last ? 0 : syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
#else
	(void)first;
	(void)last;
	return -ENOSYS;
#endif
}

void fd_close_from(int first, int except) {
	if (close_range_of((unsigned)first, (unsigned)except - 1) == 0 &&
			close_range_of((unsigned)except + 1, ~0U) == 0) {
		return;
	}
	long limit = sysconf(_SC_OPEN_MAX);
	int last = limit < 0 || limit > 65536 ? 65536 : (int)limit;
	for (int fd = first; fd < last; fd++) {
		if (fd != except) {
			close(fd);
		}
	}
}

int socket_set_blocking(int fd, bool blocking) {
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0) {
		return -errno;
	}
	int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
	if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0) {
		return -errno;
	}
	return 0;
}

int socket_prepare(int fd) {
#ifdef SO_NOSIGPIPE
	int one = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof(one)) < 0 && errno != EINVAL) {
		return -errno; /* EINVAL: the peer is gone already; there sends fail, too */
	}
#endif
	return fd_set_cloexec(fd, true);
}

static int new_socket(void) {
#if OS_HAVE_ATOMIC_CLOEXEC
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
#else
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0) {
		return -errno;
	}
	int err = socket_prepare(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
#endif
}

size_t socket_path_max(void) {
	struct sockaddr_un address;
	return sizeof(address.sun_path) - 1;
}

static int make_address(struct sockaddr_un *address, const char *path) {
	size_t length = strlen(path);
	if (length > socket_path_max()) {
		return -ENAMETOOLONG;
	}
	if (length == 0) {
		return -ENOENT;
	}
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, path, length + 1);
	return 0;
}

static int connect_address(int fd, const struct sockaddr_un *address) {
	while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		if (errno == EISCONN) { /* a connect that a signal interrupted went on */
			return 0;
		}
		if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* Removes a socket file on which nobody listens. 0 or -errno. */
static int remove_stale(const struct sockaddr_un *address) {
	struct stat st;
	if (lstat(address->sun_path, &st) < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	if (!S_ISSOCK(st.st_mode)) {
		return -EEXIST;
	}
	int fd = new_socket();
	if (fd < 0) {
		return fd;
	}
	/* must not wait for a live server whose backlog is full */
	int err = socket_set_blocking(fd, false);
	if (!err) {
		err = connect_address(fd, address);
		if (err == -ECONNREFUSED) {
			err = unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
		} else if (err == -ENOENT) {
			err = 0;
		} else {
			err = -EADDRINUSE;
		}
	}
	close(fd);
	return err;
}

int socket_listen(const char *path) {
	struct sockaddr_un address;
	int err = make_address(&address, path);
	if (err) {
		return err;
	}
	int fd = new_socket();
	if (fd < 0) {
		return fd;
	}
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		err = -errno;
		if (err != -EADDRINUSE) {
			goto error_fd;
		}
		err = remove_stale(&address);
		if (err) {
			goto error_fd;
		}
		if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
			err = -errno;
			goto error_fd;
		}
	}
	if (listen(fd, SOMAXCONN) < 0) {
		err = -errno;
		unlink(path);
		goto error_fd;
	}
	return fd;

error_fd:
	close(fd);
	return err;
}

int socket_connect(const char *path) {
	struct sockaddr_un address;
	int err = make_address(&address, path);
	if (err) {
		return err;
	}
	int fd = new_socket();
	if (fd < 0) {
		return fd;
	}
	err = connect_address(fd, &address);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int socket_accept(int listen_fd) {
	int fd;
	do {
#if OS_HAVE_ATOMIC_CLOEXEC
		fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
#else
		fd = accept(listen_fd, NULL, NULL);
#endif
	} while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0) {
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}
#if !OS_HAVE_ATOMIC_CLOEXEC
	int err = socket_prepare(fd);
	if (!err) { /* some systems hand on the listener's O_NONBLOCK */
		err = socket_set_blocking(fd, true);
	}
	if (err) {
		close(fd);
		return err;
	}
#endif
	return fd;
}

bool socket_peer_is_ours(int fd) {
#if OS_HAVE_PEERCRED
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
		return false;
	}
	uid_t user = credentials.uid;
#else
	uid_t user;
	gid_t group;
	if (getpeereid(fd, &user, &group) < 0) {
		return false;
	}
#endif
	return user == geteuid() || user == 0;
}

int socket_pair(int fds[2]) {
#if OS_HAVE_ATOMIC_CLOEXEC
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
#else
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0) {
		return -errno;
	}
	for (int i = 0; i < 2; i++) {
		int err = socket_prepare(fds[i]);
		if (err) {
			close(fds[0]);
			close(fds[1]);
			return err;
		}
	}
	return 0;
#endif
}

ssize_t socket_send_fds_iov(
		int fd, const struct iovec *iov, int iov_count, const int *fds, int fd_count) {
	if (fd_count < 0 || fd_count > SOCKET_MAX_FDS) {
		return -EINVAL;
	}
	union fd_control control;
	struct msghdr message = {
		.msg_iov = (struct iovec *)iov, /* sendmsg only reads it */
		.msg_iovlen = iov_count,
	};
	if (fd_count > 0) {
		size_t size = (size_t)fd_count * sizeof(int);
		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(size);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(header), fds, size);
	}
	ssize_t sent;
	do {
		sent = sendmsg(fd, &message, SEND_FLAGS);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0) {
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}
	return sent;
}

ssize_t socket_send_fds(int fd, const void *data, size_t size, const int *fds, int fd_count) {
	if (fd_count > 0 && size == 0) {
		return -EINVAL; /* a stream carries no descriptors without a byte */
	}
	struct iovec iov = {.iov_base = (void *)data, .iov_len = size}; /* only read */
	return socket_send_fds_iov(fd, &iov, 1, fds, fd_count);
}

ssize_t socket_recv_fds(int fd, void *data, size_t size, int *fds, int max_fds, int *fd_count) {
	assert(max_fds >= 0 && max_fds <= SOCKET_MAX_FDS);
	*fd_count = 0;

	struct iovec iov = {.iov_base = data, .iov_len = size};
	union fd_control control;
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
#if OS_HAVE_ATOMIC_CLOEXEC
	const int flags = MSG_CMSG_CLOEXEC;
#else
	const int flags = 0;
#endif
	ssize_t got;
	do {
		got = recvmsg(fd, &message, flags);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}

	int total = 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
			header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int received;
			memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			if (!OS_HAVE_ATOMIC_CLOEXEC) {
				fd_set_cloexec(received, true);
			}
			total++;
			if (*fd_count < max_fds) {
				fds[(*fd_count)++] = received;
			} else {
				close(received);
			}
		}
	}
	if ((message.msg_flags & MSG_CTRUNC) && total < SOCKET_MAX_FDS) {
		/* There was room for more: our table of descriptors had none. */
		for (int i = 0; i < *fd_count; i++) {
			close(fds[i]);
		}
		*fd_count = 0;
		return -EMFILE;
	}
	return got;
}

int socket_is_drained(int fd) {
#if OS_HAVE_SIOCOUTQ
	int unread;
	if (ioctl(fd, SIOCOUTQ, &unread) < 0) {
		return -errno;
	}
	return unread == 0;
#else
	(void)fd;
	return -ENOTSUP;
#endif
}

void fd_limit_raise(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max) {
		return;
	}
	rlim_t soft = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
		return;
	}
#ifdef OPEN_MAX
	/* macOS refuses a soft limit over OPEN_MAX although the hard one is infinite */
	if (soft < OPEN_MAX && (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > OPEN_MAX)) {
		limit.rlim_cur = OPEN_MAX;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
#else
	(void)soft;
#endif
}
