/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_FUZZ_STILL_SOCKETS_H
#define VENERA_TESTS_FUZZ_STILL_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Sockets that are none (in place of base/socket.h), an event loop that waits for nothing (in
 * place of base/event_loop.h), and system calls about descriptors of ours. The target is at the
 * other end of each socket.
 */

/** A new socket: what the code under test reads from it is what the target feeds it. */
int still_socket(void);

/** What will be read next. Takes the descriptors over. false: nobody has the socket any more. */
bool still_socket_feed(int fd, const void *data, size_t size, const int *fds, int fd_count);

/** The target closes its end. */
void still_socket_hang_up(int fd);

/** Is it open, on the side of the code under test? */
bool still_socket_is_open(int fd);

/**
 * A listening socket has somebody waiting: the next accept gives a new socket, which is returned.
 */
int still_socket_call(int listen_fd);

/** The newest of socket_pair()'s: our end is the first one. */
int still_socket_newest_pair(void);

/** A descriptor that only can be closed: an eventfd, say. */
int still_handle(void);

/** What was sent is told here; `fds` are still the sender's. NULL: nobody listens. */
extern void (*still_socket_sent)(
	int fd, const uint8_t *data, size_t size, const int *fds, int fd_count);

/** The socket takes no more than that many bytes at once; SIZE_MAX: all. 0: it is full. */
void still_socket_set_room(int fd, size_t room);

struct event_loop;

/** Calls what is ready, until nothing is. */
void still_loop_run(struct event_loop *loop);

/** Lets all timers expire whose time has come, once. */
void still_loop_expire(struct event_loop *loop);

/** Frees all sockets and handles. Returns how many the code under test had left open. */
unsigned still_sockets_reset(void);

#endif
