/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_CHANNEL_H
#define VENERA_BASE_CHANNEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/socket.h"

/**
 * Messages with descriptors between two processes over a Unix stream socket, framed
 * by a header, because SOCK_SEQPACKET does not exist everywhere.
 *
 * Wire: u32 type, u32 size of the body in bytes, u32 number of descriptors, u32 zero;
 * then the body. Descriptors travel with the first byte of the header. Both ends are of one
 * build on one machine: integers are in host order.
 *
 * Receiving is for one thread. Sending is for any thread.
 */

#define CHANNEL_MAX_FDS 4
/** The largest body. A peer that announces more is cut off (-EPROTO). */
#define CHANNEL_MAX_BODY (UINT32_C(64) << 20)

struct channel_message {
	uint32_t type;
	uint32_t size;             /* bytes of the body */
	const void *body;          /* 8-byte aligned; the channel's, valid until the next receive */
	int fds[CHANNEL_MAX_FDS];  /* the receiver owns them: close or keep */
	int fd_count;
};

struct channel {
	int fd; /* owned */

	/* receiving: bytes [begin, end) of the buffer are unread */
	uint8_t *buffer;
	size_t begin, end, capacity;
	int pending_fds[CHANNEL_MAX_FDS + SOCKET_MAX_FDS]; /* not yet handed out, in order */
	int pending_count;
	int recv_error; /* what every further receive returns */

	/* sending */
	pthread_mutex_t send_lock;
	bool queue_sends;
	struct channel_packet *queue_head, **queue_tail;
	_Atomic size_t queued; /* bytes */
	int send_error;        /* what every further send returns */
};

/**
 * Takes ownership of a connected stream socket, also on failure. 0 or -errno. The channel
 * must not be moved in memory afterwards.
 */
int channel_init(struct channel *channel, int fd);

/**
 * Closes the socket and the descriptors that were received and not handed out. Again, or after
 * channel_init() failed, it does nothing.
 */
void channel_finish(struct channel *channel);

/**
 * With `queue` sends never block: what the socket does not take is kept, and
 * channel_flush() must be called when the descriptor is writable. Makes the
 * descriptor non-blocking. Off at first, when a send blocks until all is written (also on a
 * descriptor that is non-blocking for the sake of receiving). Turning it off waits until
 * nothing is queued and makes the descriptor blocking.
 */
int channel_set_queueing(struct channel *channel, bool queue);

/** Bytes that wait for channel_flush(). */
size_t channel_queued(const struct channel *channel);

/** 0 when all is written, 1 when some still waits, or -errno. */
int channel_flush(struct channel *channel);

/**
 * Sends one message: the body is `size` bytes of `body` followed by `extra_size` bytes of
 * `extra` (NULL when none). Descriptors stay the caller's. 0 or -errno; after an error
 * the channel is of no further use.
 */
int channel_send(struct channel *channel, uint32_t type, const void *body, size_t size,
	const void *extra, size_t extra_size, const int *fds, int fd_count);

/**
 * The next message. Messages may be left in the buffer, where poll() does not see them: after
 * poll() said that the descriptor is readable, call this until it returns -EAGAIN (or, on a
 * blocking descriptor, let only this call wait).
 *
 * 1: `*message` is filled; 0: the peer closed in order; -EAGAIN: the
 * socket is non-blocking and no whole message is there; -EPROTO: the peer broke the
 * framing; or another -errno.
 */
int channel_recv(struct channel *channel, struct channel_message *message);

/** Closes the descriptors of a message that nobody kept (those that are not -1). */
void channel_message_close_fds(struct channel_message *message);

#endif
