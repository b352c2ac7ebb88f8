/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* for the kinds of files */
#include "still_sockets.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/list.h"
#include "base/notifier.h"
#include "base/socket.h"
#include "still_base.h"

#define FIRST_SOCKET (STILL_FIRST_FD + STILL_MAX_FDS)
#define MAX_SOCKETS 512
/** More than that in one round is a loop. */
#define MAX_ROUNDS 2000
#define MAX_QUEUED_FDS 32

struct still_socket {
	bool used, open, hung_up, is_handle;
	unsigned copies; /* besides the descriptor itself */
	uint8_t *data; /* to be read */
	size_t begin, end, capacity;
	int fds[MAX_QUEUED_FDS];
	size_t fds_at[MAX_QUEUED_FDS]; /* the byte that each travels with */
	int fd_count;
	int caller; /* who waits for accept; 0: nobody */
	size_t room;
};

static struct still_socket sockets[MAX_SOCKETS];
static int socket_count, newest_pair;

void (*still_socket_sent)(int fd, const uint8_t *data, size_t size, const int *fds, int fd_count);

static struct still_socket *socket_of(int fd) {
	const int index = fd - FIRST_SOCKET;
	return index >= 0 && index < socket_count && sockets[index].used ? &sockets[index] : NULL;
}

static int new_socket(bool is_handle) {
	if (socket_count == MAX_SOCKETS) {
		return -EMFILE;
	}
	struct still_socket *socket = &sockets[socket_count];
	uint8_t *data = socket->data;
	const size_t capacity = socket->capacity;
	*socket = (struct still_socket){.used = true, .open = true, .is_handle = is_handle,
		.data = data, .capacity = capacity, .room = SIZE_MAX};
	return FIRST_SOCKET + socket_count++;
}

int still_socket(void) {
	return new_socket(false);
}

int still_handle(void) {
	return new_socket(true);
}

int still_socket_newest_pair(void) {
	return newest_pair;
}

bool still_socket_is_open(int fd) {
	const struct still_socket *socket = socket_of(fd);
	return socket && socket->open;
}

static void drop_fds(struct still_socket *socket) {
	for (int i = 0; i < socket->fd_count; i++) {
		still_any_close(socket->fds[i]);
	}
	socket->fd_count = 0;
}

bool still_socket_feed(int fd, const void *data, size_t size, const int *fds, int fd_count) {
	struct still_socket *socket = socket_of(fd);
	if (!socket || !socket->open || socket->hung_up) {
		for (int i = 0; i < fd_count; i++) {
			still_any_close(fds[i]);
		}
		return false;
	}
	if (socket->begin == socket->end) {
		socket->begin = socket->end = 0;
	}
	if (size > socket->capacity - socket->end) {
		socket->capacity = socket->end + size + 4096;
		socket->data = realloc(socket->data, socket->capacity);
		if (!socket->data) {
			abort();
		}
	}
	for (int i = 0; i < fd_count; i++) {
		if (socket->fd_count < MAX_QUEUED_FDS && size) {
			socket->fds_at[socket->fd_count] = socket->end;
			socket->fds[socket->fd_count++] = fds[i];
		} else {
			still_any_close(fds[i]);
		}
	}
	if (size) {
		memcpy(socket->data + socket->end, data, size);
	}
	socket->end += size;
	return true;
}

void still_socket_hang_up(int fd) {
	struct still_socket *socket = socket_of(fd);
	if (socket) {
		socket->hung_up = true;
	}
}

int still_socket_call(int listen_fd) {
	struct still_socket *socket = socket_of(listen_fd);
	if (!socket || !socket->open || socket->caller) {
		return -1;
	}
	const int caller = new_socket(false);
	socket->caller = caller > 0 ? caller : 0;
	return caller;
}

void still_socket_set_room(int fd, size_t room) {
	struct still_socket *socket = socket_of(fd);
	if (socket) {
		socket->room = room;
	}
}

static void close_socket(struct still_socket *socket) {
	if (!socket->open) {
		fprintf(stderr, "a descriptor is closed twice\n");
		abort();
	}
	if (socket->copies) {
		socket->copies--;
		return;
	}
	socket->open = false;
	drop_fds(socket);
	struct still_socket *caller = socket_of(socket->caller);
	if (caller) {
		caller->open = false;
	}
}

void still_any_close(int fd) {
	struct still_socket *socket = socket_of(fd);
	if (socket) {
		close_socket(socket);
	} else {
		still_fd_close(fd);
	}
}

unsigned still_sockets_reset(void) {
	unsigned left = 0;
	for (int i = 0; i < socket_count; i++) {
		if (sockets[i].open) {
			left++;
			sockets[i].copies = 0;
			close_socket(&sockets[i]);
		}
		sockets[i].used = false;
	}
	socket_count = 0;
	newest_pair = -1;
	return left;
}

/* --- base/socket.h --- */

int socket_listen(const char *path) {
	(void)path;
	return still_socket();
}

size_t socket_path_max(void) {
	return 107;
}

int socket_connect(const char *path) {
	(void)path;
	return -ECONNREFUSED;
}

int socket_accept(int listen_fd) {
	struct still_socket *socket = socket_of(listen_fd);
	if (!socket || !socket->caller) {
		return -EAGAIN;
	}
	const int caller = socket->caller;
	socket->caller = 0;
	return caller;
}

bool socket_peer_is_ours(int fd) {
	(void)fd;
	return true;
}

int socket_pair(int fds[2]) {
	fds[0] = still_socket();
	if (fds[0] < 0) {
		return fds[0];
	}
	fds[1] = still_handle();
	if (fds[1] < 0) {
		still_any_close(fds[0]);
		return fds[1];
	}
	newest_pair = fds[0];
	return 0;
}

int socket_prepare(int fd) {
	(void)fd;
	return 0;
}

int socket_set_blocking(int fd, bool blocking) {
	(void)fd;
	(void)blocking;
	return 0;
}

int fd_set_cloexec(int fd, bool cloexec) {
	(void)fd;
	(void)cloexec;
	return 0;
}

int fd_dup(int fd) {
	struct still_socket *socket = socket_of(fd);
	if (!socket || !socket->open) {
		return still_fd_dup(fd);
	}
	socket->copies++;
	return fd;
}

ssize_t socket_send_fds_iov(
		int fd, const struct iovec *iov, int iov_count, const int *fds, int fd_count) {
	struct still_socket *socket = socket_of(fd);
	if (!socket || !socket->open) {
		fprintf(stderr, "something is sent to no socket\n");
		abort();
	}
	if (socket->hung_up) {
		return -EPIPE;
	}
	if (!socket->room) {
		return -EAGAIN;
	}
	size_t sent = 0;
	for (int i = 0; i < iov_count && socket->room; i++) {
		const size_t part = iov[i].iov_len < socket->room ? iov[i].iov_len : socket->room;
		/* read it all, as the kernel would */
		static uint8_t sink[64 * 1024];
		for (size_t at = 0; at < part; at += sizeof(sink)) {
			memcpy(sink, (const uint8_t *)iov[i].iov_base + at,
				part - at < sizeof(sink) ? part - at : sizeof(sink));
		}
		if (still_socket_sent && part) {
			still_socket_sent(fd, iov[i].iov_base, part, fds, sent ? 0 : fd_count);
		}
		sent += part;
		if (socket->room != SIZE_MAX) {
			socket->room -= part;
		}
	}
	return (ssize_t)sent;
}

ssize_t socket_send_fds(int fd, const void *data, size_t size, const int *fds, int fd_count) {
	const struct iovec iov = {.iov_base = (void *)data, .iov_len = size};
	return socket_send_fds_iov(fd, &iov, 1, fds, fd_count);
}

ssize_t socket_recv_fds(int fd, void *data, size_t size, int *fds, int max_fds, int *fd_count) {
	struct still_socket *socket = socket_of(fd);
	*fd_count = 0;
	if (!socket || !socket->open) {
		fprintf(stderr, "something is read from no socket\n");
		abort();
	}
	if (socket->begin == socket->end) {
		return socket->hung_up ? 0 : -EAGAIN;
	}
	size_t part = socket->end - socket->begin < size ? socket->end - socket->begin : size;
	/* a read ends in front of the next descriptors, and those of its first byte come with it */
	int taken = 0;
	while (taken < socket->fd_count && socket->fds_at[taken] == socket->begin) {
		if (*fd_count < max_fds) {
			fds[(*fd_count)++] = socket->fds[taken];
		} else {
			still_any_close(socket->fds[taken]);
		}
		taken++;
	}
	socket->fd_count -= taken;
	memmove(socket->fds, socket->fds + taken, (size_t)socket->fd_count * sizeof(socket->fds[0]));
	memmove(socket->fds_at, socket->fds_at + taken,
		(size_t)socket->fd_count * sizeof(socket->fds_at[0]));
	if (socket->fd_count && socket->fds_at[0] < socket->begin + part) {
		part = socket->fds_at[0] - socket->begin;
	}
	memcpy(data, socket->data + socket->begin, part);
	socket->begin += part;
	return (ssize_t)part;
}

int socket_is_drained(int fd) {
	const struct still_socket *socket = socket_of(fd);
	return socket && !socket->hung_up ? socket->room != 0 : -EBADF;
}

void fd_limit_raise(void) {
}

/* --- system calls (linked with --wrap) --- */

/* The sanitizer's own start calls these, before what it puts into other functions works. */
#define EARLY __attribute__((no_sanitize("address", "undefined")))


int __real_close(int fd);
int __wrap_close(int fd);
EARLY int __wrap_close(int fd) {
	if (fd < STILL_FIRST_FD) {
		return __real_close(fd);
	}
	still_any_close(fd);
	return 0;
}

ssize_t __wrap_recv(int fd, void *data, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t size, int flags) {
	(void)flags;
	int count;
	const ssize_t got = socket_recv_fds(fd, data, size, NULL, 0, &count);
	if (got < 0) {
		errno = (int)-got;
		return -1;
	}
	return got;
}

int __wrap_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how) {
	(void)how;
	struct still_socket *socket = socket_of(fd);
	if (socket) {
		socket->hung_up = true;
		socket->begin = socket->end = 0;
		drop_fds(socket);
	}
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)size;
	return 0;
}

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
EARLY int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout) {
	if (count != 1 || fds[0].fd < STILL_FIRST_FD) {
		return __real_poll(fds, count, timeout);
	}
	struct still_socket *socket = socket_of(fds[0].fd);
	if (socket && timeout && !socket->room) {
		socket->room = SIZE_MAX; /* who waits is let on */
	}
	fds[0].revents = socket && socket->room ? fds[0].events & POLLOUT : 0;
	return fds[0].revents != 0;
}

int __real_fstat(int fd, struct stat *info);
int __wrap_fstat(int fd, struct stat *info);
EARLY int __wrap_fstat(int fd, struct stat *info) {
	if (fd < STILL_FIRST_FD) {
		return __real_fstat(fd, info);
	}
	size_t size;
	*info = (struct stat){.st_mode = S_IFREG};
	if (!still_fd_data(fd, &size)) {
		info->st_mode = S_IFSOCK;
	}
	info->st_size = (off_t)size;
	return 0;
}

int __wrap_fstat64(int fd, struct stat *info);
EARLY int __wrap_fstat64(int fd, struct stat *info) {
	return __wrap_fstat(fd, info);
}

void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
EARLY void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
	if (fd < STILL_FIRST_FD) {
		return __real_mmap(address, size, protection, flags, fd, offset);
	}
	size_t there;
	uint8_t *data = still_fd_data(fd, &there);
	if (!data || size > there) {
		errno = data ? EINVAL : ENODEV;
		return MAP_FAILED;
	}
	still_fd_dup(fd);
	return data + offset;
}

void *__wrap_mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset);
EARLY void *__wrap_mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
	return __wrap_mmap(address, size, protection, flags, fd, offset);
}

int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);
EARLY int __wrap_munmap(void *address, size_t size) {
	const int fd = still_fd_of_data(address);
	if (fd < 0) {
		return __real_munmap(address, size);
	}
	still_fd_close(fd);
	return 0;
}

/* --- base/notifier.h --- */

void notifier_fd_signal(int fd) {
	if (!still_socket_is_open(fd)) {
		size_t size;
		if (!still_fd_data(fd, &size)) {
			fprintf(stderr, "nobody is there to be notified\n");
			abort();
		}
	}
}

int notifier_init(struct notifier *notifier) {
	const int fd = still_socket();
	*notifier = (struct notifier){fd, fd};
	return fd < 0 ? fd : 0;
}

void notifier_finish(struct notifier *notifier) {
	still_any_close(notifier->read_fd);
}

void notifier_signal(const struct notifier *notifier) {
	notifier_fd_signal(notifier->write_fd);
}

void notifier_drain(const struct notifier *notifier) {
	notifier_fd_drain(notifier->read_fd);
}

void notifier_fd_drain(int fd) {
	struct still_socket *socket = socket_of(fd);
	if (socket) {
		socket->begin = socket->end = 0;
		drop_fds(socket);
	}
}

/* --- base/event_loop.h --- */

struct event_loop {
	struct list sources;
};

struct event_source {
	struct list link;
	struct event_loop *loop;
	bool removed;
	int fd; /* -1: a timer or a signal */
	uint32_t mask;
	uint64_t deadline; /* 0: not armed */
	event_fd_func fd_func;
	event_timer_func timer_func;
	void *data;
};

struct event_loop *event_loop_create(void) {
	struct event_loop *loop = calloc(1, sizeof(*loop));
	if (loop) {
		list_init(&loop->sources);
	}
	return loop;
}

static struct event_source *add_source(struct event_loop *loop, struct event_source source) {
	struct event_source *copy = malloc(sizeof(*copy));
	if (copy) {
		*copy = source;
		copy->loop = loop;
		list_append(&loop->sources, &copy->link);
	}
	return copy;
}

struct event_source *event_loop_add_fd(
		struct event_loop *loop, int fd, uint32_t mask, event_fd_func func, void *data) {
	return add_source(loop,
		(struct event_source){.fd = fd, .mask = mask, .fd_func = func, .data = data});
}

void event_source_fd_update(struct event_source *source, uint32_t mask) {
	if (source) {
		source->mask = mask;
	}
}

struct event_source *event_loop_add_timer(
		struct event_loop *loop, event_timer_func func, void *data) {
	return add_source(
		loop, (struct event_source){.fd = -1, .timer_func = func, .data = data});
}

void event_source_timer_arm(struct event_source *source, uint64_t delay_ns) {
	source->deadline = clock_now() + delay_ns;
}

void event_source_timer_disarm(struct event_source *source) {
	source->deadline = 0;
}

struct event_source *event_loop_add_signal(
		struct event_loop *loop, int signal_number, event_signal_func func, void *data) {
	(void)signal_number;
	(void)func;
	return add_source(loop, (struct event_source){.fd = -1, .data = data});
}

void event_source_remove(struct event_source *source) {
	if (source) {
		list_remove(&source->link);
		source->removed = true;
		free(source);
	}
}

void event_loop_destroy(struct event_loop *loop) {
	if (loop) {
		while (!list_empty(&loop->sources)) {
			event_source_remove(
				LIST_CONTAINER(loop->sources.next, struct event_source, link));
		}
		free(loop);
	}
}

int event_loop_dispatch(struct event_loop *loop, int timeout_ms) {
	(void)timeout_ms;
	still_loop_run(loop);
	return 0;
}

int event_loop_run(struct event_loop *loop) {
	still_loop_run(loop);
	return 0;
}

void event_loop_stop(struct event_loop *loop) {
	(void)loop;
}

/** One that is ready, the first of them. Its mask is 0 if there is none. */
static uint32_t ready_mask(const struct event_source *source) {
	struct still_socket *socket = source->fd >= 0 ? socket_of(source->fd) : NULL;
	if (!socket || !socket->open) {
		return 0;
	}
	uint32_t mask = 0;
	if ((source->mask & EVENT_READABLE) &&
			(socket->begin < socket->end || socket->hung_up || socket->caller)) {
		mask |= EVENT_READABLE;
	}
	if ((source->mask & EVENT_WRITABLE) && socket->room) {
		mask |= EVENT_WRITABLE;
	}
	if (socket->hung_up && socket->begin == socket->end) {
		mask |= EVENT_HANGUP;
	}
	return mask;
}

void still_loop_run(struct event_loop *loop) {
	for (int round = 0; round < MAX_ROUNDS; round++) {
		struct event_source *ready = NULL;
		uint32_t mask = 0;
		LIST_FOR_EACH(source, &loop->sources, struct event_source, link) {
			mask = source->fd >= 0 ? ready_mask(source) : 0;
			if (mask || (source->timer_func && source->deadline &&
					    source->deadline <= clock_now())) {
				ready = source;
				break;
			}
		}
		if (!ready) {
			return;
		}
		/* in turn: the first ones must not starve the others */
		list_remove(&ready->link);
		list_append(&loop->sources, &ready->link);
		if (ready->fd >= 0) {
			ready->fd_func(ready->data, ready->fd, mask);
		} else {
			ready->deadline = 0;
			ready->timer_func(ready->data);
		}
	}
}

void still_loop_expire(struct event_loop *loop) {
	still_loop_run(loop);
}
