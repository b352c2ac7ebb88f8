/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_SOCKET_H
#define VENERA_BASE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/**
 * Unix stream sockets. All descriptors made here are close-on-exec and raise no
 * SIGPIPE when written to after the peer went away.
 */

/**
 * Binds and listens. A stale socket file (nobody listens on it) is replaced; a live one is
 * -EADDRINUSE; a file that is no socket is -EEXIST and stays; a path longer than the system
 * takes is -ENAMETOOLONG. Returns the descriptor or -errno.
 */
int socket_listen(const char *path);

/** The longest path that socket_listen() and socket_connect() take, in bytes. */
size_t socket_path_max(void);

/** Returns a connected descriptor or -errno. */
int socket_connect(const char *path);

/**
 * Returns the connected descriptor, which is blocking, or -errno (-EAGAIN when nobody waits, if
 * `listen_fd` is non-blocking).
 */
int socket_accept(int listen_fd);

/** Does the process that connected belong to our user, or to root? */
bool socket_peer_is_ours(int fd);

/** A connected pair. 0 or -errno. */
int socket_pair(int fds[2]);

/**
 * Makes a socket that was not made here (inherited, received) close-on-exec and free of
 * SIGPIPE. 0 or -errno.
 */
int socket_prepare(int fd);

/** Of any descriptor. 0 or -errno. */
int socket_set_blocking(int fd, bool blocking);

/** Makes a descriptor of anywhere close-on-exec (or not) in one call. 0 or -errno. */
int fd_set_cloexec(int fd, bool cloexec);

/** A close-on-exec duplicate, or -errno. */
int fd_dup(int fd);

/** Closes all descriptors from `first` on but `except`. */
void fd_close_from(int first, int except);

/** The most descriptors that socket_send_fds() and socket_recv_fds() take at once. */
#define SOCKET_MAX_FDS 8

/**
 * One sendmsg of `size` bytes with `fd_count` descriptors that travel with the first byte.
 * Returns the bytes sent, which may be fewer, or -errno. Never raises SIGPIPE.
 */
ssize_t socket_send_fds(int fd, const void *data, size_t size, const int *fds, int fd_count);

/** The same from several pieces of memory. There must be a byte if there are descriptors. */
ssize_t socket_send_fds_iov(
	int fd, const struct iovec *iov, int iov_count, const int *fds, int fd_count);

/**
 * One recvmsg of at most `size` bytes. Descriptors received, close-on-exec, are put into
 * `fds` and their number into `*fd_count`; those over `max_fds` (at most SOCKET_MAX_FDS) are
 * closed. Returns the bytes received, 0 at the end, or -errno; -EMFILE if descriptors
 * were lost because this process has too many open.
 */
ssize_t socket_recv_fds(
	int fd, void *data, size_t size, int *fds, int max_fds, int *fd_count);

/**
 * Has the peer taken every byte that we sent? Needs SIOCOUTQ; where that is missing
 * it is -ENOTSUP. 1, 0 or -errno.
 */
int socket_is_drained(int fd);

/** Raises the soft limit of open descriptors to the hard one. */
void fd_limit_raise(void);

#endif
