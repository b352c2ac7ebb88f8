/* SPDX-License-Identifier: MIT */

/*
 * Linked into a copy of each program, with --wrap for each function below, so that it can be made
 * to fail. Only calls of the program itself go through here, not those of libraries and drivers.
 *
 *   VENERA_FAIL=PROGRAM:KIND:N    the N-th call of that kind fails in processes of that program
 *   VENERA_FAIL=PROGRAM:KIND:N+   and all that follow
 *   VENERA_FAIL_REPORT=PATH       is written to when that has happened
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* A sanitizer's own start calls these, before what it puts into other functions works. */
#define EARLY __attribute__((no_sanitize("address", "undefined")))

enum kind {
	KIND_NONE,
	KIND_MEMORY,  /* malloc and its like: ENOMEM */
	KIND_MAP,     /* mmap: ENOMEM */
	KIND_FD,      /* what makes a descriptor: EMFILE */
	KIND_SPACE,   /* shared memory gets no size: ENOSPC */
	KIND_RECEIVE, /* recvmsg: ENOMEM */
	KIND_PROCESS, /* threads and processes: EAGAIN */
};

static const char *const kind_names[] = {
	[KIND_MEMORY] = "memory",
	[KIND_MAP] = "map",
	[KIND_FD] = "fd",
	[KIND_SPACE] = "space",
	[KIND_RECEIVE] = "receive",
	[KIND_PROCESS] = "process",
};

extern char *program_invocation_short_name;

static enum kind failing;
static int report_fd = -1; /* open from the beginning: a sandbox may be entered */
static unsigned long fail_at;
static bool for_good;
static _Atomic unsigned long calls;

int __real_open64(const char *path, int flags, ...);

__attribute__((constructor)) static void begin(void) {
	const char *text = getenv("VENERA_FAIL");
	const size_t length = strlen(program_invocation_short_name);
	if (!text || strncmp(text, program_invocation_short_name, length) != 0 || text[length] != ':') {
		return;
	}
	text += length + 1;
	for (size_t i = 1; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
		const size_t name = strlen(kind_names[i]);
		if (strncmp(text, kind_names[i], name) == 0 && text[name] == ':') {
			char *end;
			fail_at = strtoul(text + name + 1, &end, 10);
			for_good = *end == '+';
			const char *path = getenv("VENERA_FAIL_REPORT");
			if (path) {
				report_fd = __real_open64(
					path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
			}
			failing = (enum kind)i;
		}
	}
}

EARLY static bool fails(enum kind kind, int error) {
	if (kind != failing) {
		return false;
	}
	const unsigned long call = atomic_fetch_add(&calls, 1) + 1;
	if (call < fail_at || (call > fail_at && !for_good)) {
		return false;
	}
	if (call == fail_at) {
		const ssize_t written = write(report_fd, "x", 1);
		(void)written;
	}
	errno = error;
	return true;
}

#define WRAP(type, name, parameters, arguments, kind, error, failure) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	EARLY type __wrap_##name parameters { \
		return fails(kind, error) ? (failure) : __real_##name arguments; \
	}

WRAP(void *, malloc, (size_t size), (size), KIND_MEMORY, ENOMEM, NULL)
WRAP(void *, calloc, (size_t count, size_t size), (count, size), KIND_MEMORY, ENOMEM, NULL)
WRAP(void *, realloc, (void *data, size_t size), (data, size), KIND_MEMORY, ENOMEM, NULL)
WRAP(char *, strdup, (const char *text), (text), KIND_MEMORY, ENOMEM, NULL)
WRAP(void *, mmap64, (void *address, size_t size, int protection, int flags, int fd, off_t offset),
	(address, size, protection, flags, fd, offset), KIND_MAP, ENOMEM, MAP_FAILED)
WRAP(int, socketpair, (int domain, int type, int protocol, int fds[2]), (domain, type, protocol, fds),
	KIND_FD, EMFILE, -1)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), KIND_FD, EMFILE, -1)
WRAP(int, accept4, (int fd, struct sockaddr *address, socklen_t *size, int flags),
	(fd, address, size, flags), KIND_FD, EMFILE, -1)
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags), KIND_FD, EMFILE, -1)
WRAP(int, eventfd, (unsigned value, int flags), (value, flags), KIND_FD, EMFILE, -1)
WRAP(int, pipe2, (int fds[2], int flags), (fds, flags), KIND_FD, EMFILE, -1)
WRAP(int, ftruncate64, (int fd, off_t size), (fd, size), KIND_SPACE, ENOSPC, -1)
WRAP(int, posix_fallocate64, (int fd, off_t offset, off_t size), (fd, offset, size), KIND_SPACE,
	ENOSPC, ENOSPC)
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), KIND_RECEIVE,
	ENOMEM, -1)
WRAP(pid_t, fork, (void), (), KIND_PROCESS, EAGAIN, -1)
WRAP(int, posix_spawn,
	(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const env[]),
	(pid, path, actions, attributes, argv, env), KIND_PROCESS, EAGAIN, EAGAIN)
WRAP(int, posix_spawnp,
	(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const env[]),
	(pid, path, actions, attributes, argv, env), KIND_PROCESS, EAGAIN, EAGAIN)
WRAP(int, pthread_create,
	(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *data), void *data),
	(thread, attributes, function, data), KIND_PROCESS, EAGAIN, EAGAIN)

int __wrap_open64(const char *path, int flags, ...);
EARLY int __wrap_open64(const char *path, int flags, ...) {
	mode_t mode = 0;
	if (flags & O_CREAT) {
		va_list arguments;
		va_start(arguments, flags);
		mode = (mode_t)va_arg(arguments, int);
		va_end(arguments);
	}
	return fails(KIND_FD, EMFILE) ? -1 : __real_open64(path, flags, mode);
}

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
EARLY int __wrap_fcntl64(int fd, int command, ...) {
	va_list arguments;
	va_start(arguments, command);
	const long value = va_arg(arguments, long);
	va_end(arguments);
	const bool makes = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
	return makes && fails(KIND_FD, EMFILE) ? -1 : __real_fcntl64(fd, command, value);
}
