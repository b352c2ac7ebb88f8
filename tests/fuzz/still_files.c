/* SPDX-License-Identifier: MIT */

/* Descriptors of made-up memory, for targets without sockets. Linked with --wrap. */

#include "still_base.h"

int __wrap_fd_dup(int fd);
int __wrap_fd_dup(int fd) {
	return still_fd_dup(fd);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd) {
	return fd >= STILL_FIRST_FD ? still_fd_close(fd) : __real_close(fd);
}
