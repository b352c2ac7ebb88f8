/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/socket.h"

/*
 * Theory of operation
 *
 * Receiving. Bytes are read into a buffer, as many as there are, and messages are handed
 * out of it; a read happens only when the buffer holds no whole message. So before a
 * read there is at most one message there in part, and the descriptors that are
 * pending are at most its own. Those over that number are more than the peer announced.
 *
 * Descriptors arrive with the read that brings the byte they were sent with, and that is the
 * first byte of a header: when a message is whole, its descriptors are here.
 *
 * The buffer grows when it is full, to twice its size: what it has taken from the
 * allocator is at most twice what the peer really sent, whatever the header says.
 *
 * Bodies are handed out 8-byte aligned. After a body of odd size the next message lies askew; its
 * body is then moved down over its own header, which was read already.
 *
 * Sending. Without queueing one sendmsg() after the other, until all is written. With it,
 * what the socket does not take goes into packets, each the rest of one
 * message; the packet owns duplicates of the descriptors until its first byte is written.
 */

struct header {
	uint32_t type;
	uint32_t size;
	uint32_t fd_count;
	uint32_t zero;
};

#define BUFFER_SIZE ((size_t)64 * 1024)
/* an empty buffer that grew larger than this is given back */
#define BUFFER_KEEP ((size_t)1024 * 1024)

struct channel_packet {
	struct channel_packet *next;
	size_t offset, size; /* bytes [offset, size) are not written yet */
	int fds[CHANNEL_MAX_FDS];
	int fd_count; /* 0 when they are sent */
	uint8_t data[];
};

int channel_init(struct channel *channel, int fd) {
	*channel = (struct channel){.fd = fd};
	channel->queue_tail = &channel->queue_head;
	atomic_init(&channel->queued, 0);
	int err = -pthread_mutex_init(&channel->send_lock, NULL);
	if (err) {
		goto error_fd;
	}
	err = socket_prepare(fd);
	if (err) {
		goto error_lock;
	}
	return 0;

error_lock:
	pthread_mutex_destroy(&channel->send_lock);
error_fd:
	if (fd >= 0) {
		close(fd);
	}
	channel->fd = -1;
	return err;
}

static void packet_destroy(struct channel_packet *packet) {
	for (int i = 0; i < packet->fd_count; i++) {
		close(packet->fds[i]);
	}
	free(packet);
}

static void close_pending(struct channel *channel) {
	for (int i = 0; i < channel->pending_count; i++) {
		close(channel->pending_fds[i]);
	}
	channel->pending_count = 0;
}

void channel_finish(struct channel *channel) {
	if (channel->fd < 0) {
		return;
	}
	while (channel->queue_head) {
		struct channel_packet *packet = channel->queue_head;
		channel->queue_head = packet->next;
		packet_destroy(packet);
	}
	close_pending(channel);
	free(channel->buffer);
	pthread_mutex_destroy(&channel->send_lock);
	close(channel->fd);
	*channel = (struct channel){.fd = -1};
}

static int wait_writable(int fd) {
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	while (poll(&poll_fd, 1, -1) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* Skips what was written. */
static void iov_advance(struct iovec **iov, int *count, size_t written) {
	while (*count > 0 && written >= (*iov)->iov_len) {
		written -= (*iov)->iov_len;
		(*iov)++;
		(*count)--;
	}
	if (*count > 0) {
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + written;
		(*iov)->iov_len -= written;
	}
}

/*
 * Writes until all is written or, without `wait`, the socket takes no more. Updates the vector
 * and the number of descriptors to what is left. 0 or -errno.
 */
static int write_iov(struct channel *channel, struct iovec **iov, int *count, const int *fds,
		int *fd_count, bool wait) {
	iov_advance(iov, count, 0);
	while (*count > 0) {
		ssize_t sent = socket_send_fds_iov(channel->fd, *iov, *count, fds, *fd_count);
		if (sent == -EAGAIN) {
			if (!wait) {
				return 0;
			}
			int err = wait_writable(channel->fd);
			if (err) {
				return err;
			}
		} else if (sent < 0) {
			return (int)sent;
		} else {
			if (sent > 0) {
				*fd_count = 0;
			}
			iov_advance(iov, count, (size_t)sent);
		}
	}
	return 0;
}

/* Keeps what is left of a message for later. */
static int enqueue(struct channel *channel, const struct iovec *iov, int count, const int *fds,
		int fd_count) {
	size_t size = 0;
	for (int i = 0; i < count; i++) {
		size += iov[i].iov_len;
	}
	struct channel_packet *packet = malloc(sizeof(*packet) + size);
	if (!packet) {
		return -ENOMEM;
	}
	packet->next = NULL;
	packet->offset = 0;
	packet->size = size;
	packet->fd_count = 0;
	size_t filled = 0;
	for (int i = 0; i < count; i++) {
		memcpy(packet->data + filled, iov[i].iov_base, iov[i].iov_len);
		filled += iov[i].iov_len;
	}
	for (int i = 0; i < fd_count; i++) {
		int copy = fd_dup(fds[i]);
		if (copy < 0) {
			packet_destroy(packet);
			return copy;
		}
		packet->fds[packet->fd_count++] = copy;
	}
	*channel->queue_tail = packet;
	channel->queue_tail = &packet->next;
	atomic_fetch_add_explicit(&channel->queued, size, memory_order_relaxed);
	return 0;
}

/* Writes queued packets, all of them if `wait`. The lock is held. */
static int flush_locked(struct channel *channel, bool wait) {
	if (channel->send_error) {
		return channel->send_error;
	}
	while (channel->queue_head) {
		struct channel_packet *packet = channel->queue_head;
		size_t left = packet->size - packet->offset;
		struct iovec iov_store = {
			.iov_base = packet->data + packet->offset,
			.iov_len = left,
		};
		struct iovec *iov = &iov_store;
		int count = 1;
		int fds_left = packet->fd_count;
		int err = write_iov(channel, &iov, &count, packet->fds, &fds_left, wait);
		if (err) {
			channel->send_error = err;
			return err;
		}
		if (fds_left == 0) {
			for (int i = 0; i < packet->fd_count; i++) {
				close(packet->fds[i]);
			}
			packet->fd_count = 0;
		}
		size_t written = left - (count > 0 ? iov->iov_len : 0);
		packet->offset += written;
		atomic_fetch_sub_explicit(&channel->queued, written, memory_order_relaxed);
		if (count > 0) {
			return 1;
		}
		channel->queue_head = packet->next;
		if (!channel->queue_head) {
			channel->queue_tail = &channel->queue_head;
		}
		packet_destroy(packet);
	}
	return 0;
}

int channel_set_queueing(struct channel *channel, bool queue) {
	pthread_mutex_lock(&channel->send_lock);
	int err = 0;
	if (!queue) {
		err = flush_locked(channel, true);
	}
	if (!err) {
		err = socket_set_blocking(channel->fd, !queue);
	}
	if (!err) {
		channel->queue_sends = queue;
	}
	pthread_mutex_unlock(&channel->send_lock);
	return err;
}

size_t channel_queued(const struct channel *channel) {
	return atomic_load_explicit(&channel->queued, memory_order_relaxed);
}

int channel_flush(struct channel *channel) {
	pthread_mutex_lock(&channel->send_lock);
	int result = flush_locked(channel, false);
	pthread_mutex_unlock(&channel->send_lock);
	return result;
}

int channel_send(struct channel *channel, uint32_t type, const void *body, size_t size,
		const void *extra, size_t extra_size, const int *fds, int fd_count) {
	if (fd_count < 0 || fd_count > CHANNEL_MAX_FDS) {
		return -EINVAL;
	}
	if (size > CHANNEL_MAX_BODY || extra_size > CHANNEL_MAX_BODY - size) {
		return -EMSGSIZE;
	}
	struct header header = {
		.type = type,
		.size = (uint32_t)(size + extra_size),
		.fd_count = (uint32_t)fd_count,
	};
	struct iovec iov_store[3] = {
		{.iov_base = &header, .iov_len = sizeof(header)},
		{.iov_base = (void *)body, .iov_len = size}, /* only read */
		{.iov_base = (void *)extra, .iov_len = extra_size},
	};
	struct iovec *iov = iov_store;
	int count = extra_size ? 3 : size ? 2 : 1;

	pthread_mutex_lock(&channel->send_lock);
	int err = channel->send_error;
	if (!err && !channel->queue_head) {
		err = write_iov(channel, &iov, &count, fds, &fd_count, !channel->queue_sends);
	}
	if (!err && count > 0) {
		err = enqueue(channel, iov, count, fds, fd_count);
	}
	/* part of the message may be written: nothing that follows would be understood */
	channel->send_error = err;
	pthread_mutex_unlock(&channel->send_lock);
	return err;
}

/* Makes room for a read. `need` is the size of the message in part, or a header's. */
static int make_room(struct channel *channel, size_t need) {
	size_t used = channel->end - channel->begin;
	if (used == 0) {
		channel->begin = 0;
		channel->end = 0;
		if (channel->capacity > BUFFER_KEEP) {
			free(channel->buffer);
			channel->buffer = NULL;
			channel->capacity = 0;
		}
	} else if (need > channel->capacity - channel->begin) {
		memmove(channel->buffer, channel->buffer + channel->begin, used);
		channel->begin = 0;
		channel->end = used;
	}
	if (channel->end < channel->capacity) {
		return 0;
	}
	size_t capacity = channel->capacity ? channel->capacity * 2 : BUFFER_SIZE;
	uint8_t *buffer = realloc(channel->buffer, capacity);
	if (!buffer) {
		return -ENOMEM;
	}
	channel->buffer = buffer;
	channel->capacity = capacity;
	return 0;
}

/* Hands out the message at the beginning of the buffer. */
static void take_message(struct channel *channel, const struct header *header,
		struct channel_message *message) {
	size_t body = channel->begin + sizeof(*header);
	size_t aligned = body & ~(size_t)7;
	if (aligned != body) {
		memmove(channel->buffer + aligned, channel->buffer + body, header->size);
	}
	channel->begin = body + header->size;

	*message = (struct channel_message){
		.type = header->type,
		.size = header->size,
		.body = channel->buffer + aligned,
		.fd_count = (int)header->fd_count,
	};
	for (int i = 0; i < CHANNEL_MAX_FDS; i++) {
		message->fds[i] = i < message->fd_count ? channel->pending_fds[i] : -1;
	}
	channel->pending_count -= message->fd_count;
	memmove(channel->pending_fds, channel->pending_fds + message->fd_count,
		(size_t)channel->pending_count * sizeof(int));
}

int channel_recv(struct channel *channel, struct channel_message *message) {
	if (channel->recv_error) {
		return channel->recv_error;
	}
	int err;
	for (;;) {
		size_t used = channel->end - channel->begin;
		size_t need = sizeof(struct header);
		int fds_allowed = used ? CHANNEL_MAX_FDS : 0;
		if (used >= sizeof(struct header)) {
			struct header header;
			memcpy(&header, channel->buffer + channel->begin, sizeof(header));
			if (header.size > CHANNEL_MAX_BODY || header.fd_count > CHANNEL_MAX_FDS ||
					header.zero) {
				err = -EPROTO;
				goto error;
			}
			need += header.size;
			fds_allowed = (int)header.fd_count;
			if (used >= need) {
				bool last = used == need;
				if (channel->pending_count < fds_allowed ||
						(last && channel->pending_count > fds_allowed)) {
					err = -EPROTO;
					goto error;
				}
				take_message(channel, &header, message);
				return 1;
			}
		}
		if (channel->pending_count > fds_allowed) {
			err = -EPROTO;
			goto error;
		}

		err = make_room(channel, need);
		if (err) {
			goto error;
		}
		int fd_count;
		ssize_t got = socket_recv_fds(channel->fd, channel->buffer + channel->end,
			channel->capacity - channel->end,
			channel->pending_fds + channel->pending_count, SOCKET_MAX_FDS, &fd_count);
		if (got == -EAGAIN) {
			return -EAGAIN;
		}
		if (got < 0) {
			err = (int)got;
			goto error;
		}
		channel->pending_count += fd_count;
		if (got == 0) {
			if (used > 0 || channel->pending_count > 0) {
				err = -EPROTO;
				goto error;
			}
			return 0;
		}
		channel->end += (size_t)got;
	}

error:
	close_pending(channel);
	channel->recv_error = err;
	return err;
}

void channel_message_close_fds(struct channel_message *message) {
	for (int i = 0; i < message->fd_count; i++) {
		if (message->fds[i] >= 0) {
			close(message->fds[i]);
			message->fds[i] = -1;
		}
	}
}
