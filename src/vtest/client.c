/* SPDX-License-Identifier: MIT */
#include "vtest/client.h"

#include "base/clock.h"
#include "base/socket.h"
#include "vtest/protocol.h"
#include "vtest/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * Messages are read into one buffer and handled in order, straight out of it. A client is
 * not read from, and its next message not looked at, while it must wait:
 *  - for the blob that its render process makes (a client never has more than one
 *    request under way, and ones that came behind it must not overtake it),
 *  - because it does not take our reply,
 *  - because its render process is far behind with what was sent to it,
 *  - after a number of messages, until the other clients had their turn.
 * All of these end in vtest_client_resume(), which goes on where it was.
 *
 * Descriptors that a client sends along are never received: the kernel drops them.
 */

#define BUFFER_SIZE (64u << 10)
/* A buffer that grew beyond this is given back when it is empty. */
#define BUFFER_KEEP (1u << 20)
#define MESSAGES_PER_ROUND 64

static bool has_pending_reply(const struct vtest_client *client) {
	return client->reply_begin < client->reply_end || client->reply_fd != -1;
}

static bool must_wait(const struct vtest_client *client) {
	return client->wanted_blob || has_pending_reply(client) ||
		(client->renderer && renderer_is_busy(client->renderer));
}

bool vtest_client_fail(struct vtest_client *client, const char *format, ...) {
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_warn("client %u (%s): %s: %s; connection closed", client->number, client->name,
		client->request ? client->request : "connection", text);
	return false;
}

/* Sends what is left of the reply, `fd` last, unless it is -1. 0 or -errno; -EAGAIN: not all. */
static int send_reply(struct vtest_client *client, int fd) {
	while (client->reply_begin < client->reply_end) {
		ssize_t sent = socket_send_fds(client->fd, client->reply + client->reply_begin,
			client->reply_end - client->reply_begin, NULL, 0);
		if (sent < 0) {
			return (int)sent;
		}
		client->reply_begin += (size_t)sent;
	}
	if (fd != -1) {
		/* the byte must be a message of its own: the descriptor belongs to it alone */
		ssize_t sent = socket_send_fds(client->fd, "", 1, &fd, 1);
		if (sent < 0) {
			return (int)sent;
		}
	}
	return 0;
}

bool vtest_client_reply(
		struct vtest_client *client, uint32_t id, const uint32_t *words, uint32_t count, int fd) {
	assert(!has_pending_reply(client));
	client->owed_fd = 0;
	assert(VTEST_HEADER_SIZE + count * sizeof(*words) <= sizeof(client->reply));
	const uint32_t header[2] = {count, id};
	memcpy(client->reply, header, sizeof(header));
	if (count) {
		memcpy(client->reply + sizeof(header), words, count * sizeof(*words));
	}
	client->reply_begin = 0;
	client->reply_end = sizeof(header) + count * sizeof(*words);
	int error = send_reply(client, fd);
	if (error == -EAGAIN) {
		error = 0;
		if (fd != -1) {
			client->reply_fd = fd_dup(fd);
			error = client->reply_fd < 0 ? client->reply_fd : 0;
		}
	}
	if (error) {
		client->reply_fd = -1;
		return vtest_client_fail(client, "the reply could not be sent: %s", strerror(-error));
	}
	return true;
}

void vtest_client_arm_timer(struct vtest_client *client, uint64_t deadline) {
	if (deadline < client->timer_deadline) {
		uint64_t now = clock_now();
		client->timer_deadline = deadline;
		event_source_timer_arm(client->timer, deadline > now ? deadline - now : 0);
	}
}

/* The next whole message. 1, 0 if there is none yet, -1 if the connection must be closed. */
static int next_request(struct vtest_client *client, struct vtest_request *request) {
	size_t available = client->end - client->begin;
	if (available < VTEST_HEADER_SIZE) {
		return 0;
	}
	const uint8_t *header = client->buffer + client->begin;
	request->id = wire_u32(header, 1);
	request->data = header + VTEST_HEADER_SIZE;
	uint64_t size = wire_u32(header, 0);
	if (request->id != VTEST_CREATE_RENDERER) {
		size *= 4;
	}
	int64_t max_size = vtest_dispatch_max_size(request->id);
	if (max_size < 0 || size > (uint64_t)max_size) {
		char name[32];
		snprintf(name, sizeof(name), "message %u", request->id);
		client->request = name;
		vtest_client_fail(client, max_size < 0 ? "there is no such message" : "it is too long");
		client->request = NULL;
		return -1;
	}
	if (size > available - VTEST_HEADER_SIZE) {
		return 0;
	}
	request->size = (size_t)size;
	return 1;
}

static void watch(struct vtest_client *client, bool readable) {
	uint32_t mask =
		(readable ? EVENT_READABLE : 0) | (has_pending_reply(client) ? EVENT_WRITABLE : 0);
	if (mask != client->watched) {
		client->watched = mask;
		event_source_fd_update(client->source, mask);
	}
}

static void shrink_buffer(struct vtest_client *client) {
	if (client->begin != client->end) {
		return;
	}
	client->begin = client->end = 0;
	if (client->capacity > BUFFER_KEEP) {
		free(client->buffer);
		client->buffer = NULL;
		client->capacity = 0;
	}
}

void vtest_client_resume(struct vtest_client *client) {
	bool more = false;
	for (unsigned int count = 0; !must_wait(client); count++) {
		struct vtest_request request;
		int result = next_request(client, &request);
		if (result == 0) {
			break;
		}
		if (result < 0) {
			vtest_client_destroy(client);
			return;
		}
		if (count == MESSAGES_PER_ROUND) {
			more = true;
			vtest_client_arm_timer(client, 0);
			break;
		}
		client->begin += VTEST_HEADER_SIZE + request.size;
		if (!vtest_dispatch(client, &request)) {
			vtest_client_destroy(client);
			return;
		}
	}
	shrink_buffer(client);
	watch(client, !more && !must_wait(client));
}

/* Makes room for at least one byte behind what is there. */
static bool reserve(struct vtest_client *client) {
	if (client->end < client->capacity) {
		return true;
	}
	if (client->begin > 0) {
		memmove(client->buffer, client->buffer + client->begin, client->end - client->begin);
		client->end -= client->begin;
		client->begin = 0;
		return true;
	}
	/* Only what has really come makes it grow, not what a header announces. */
	size_t capacity = client->capacity ? client->capacity * 2 : BUFFER_SIZE;
	uint8_t *buffer = realloc(client->buffer, capacity);
	if (!buffer) {
		return false;
	}
	client->buffer = buffer;
	client->capacity = capacity;
	return true;
}

/* false: the connection must be closed. */
static bool receive(struct vtest_client *client) {
	if (!reserve(client)) {
		return vtest_client_fail(client, "out of memory");
	}
	ssize_t size;
	do {
		size = recv(client->fd, client->buffer + client->end, client->capacity - client->end, 0);
	} while (size < 0 && errno == EINTR);
	if (size > 0) {
		client->end += (size_t)size;
		return true;
	}
	if (size == 0 || errno == ECONNRESET) {
		if (client->begin < client->end) {
			return vtest_client_fail(client, "it ended within a message");
		}
		log_debug("client %u (%s): disconnected", client->number, client->name);
		return false;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		return true;
	}
	return vtest_client_fail(client, "%s", strerror(errno));
}

static void handle_socket(void *data, int fd, uint32_t mask) {
	(void)fd;
	struct vtest_client *client = data;
	client->request = NULL;
	if (mask & EVENT_WRITABLE) {
		int error = send_reply(client, client->reply_fd);
		if (error != -EAGAIN) {
			if (client->reply_fd != -1) {
				close(client->reply_fd);
				client->reply_fd = -1;
			}
			if (error) {
				vtest_client_fail(client, "the reply could not be sent: %s", strerror(-error));
				vtest_client_destroy(client);
				return;
			}
		}
	}
	if (mask & EVENT_READABLE) {
		if (!receive(client)) {
			vtest_client_destroy(client);
			return;
		}
	} else if (mask & (EVENT_HANGUP | EVENT_ERROR)) {
		/* It does not wait for its reply any more. */
		log_debug("client %u (%s): disconnected", client->number, client->name);
		vtest_client_destroy(client);
		return;
	}
	vtest_client_resume(client);
}

static void handle_timer(void *data) {
	struct vtest_client *client = data;
	client->timer_deadline = UINT64_MAX;
	if (!vtest_client_watch_blob(client)) {
		vtest_client_destroy(client);
		return;
	}
	sync_table_collect(&client->syncs);
	vtest_client_arm_timer(client, sync_table_deadline(&client->syncs));
	vtest_client_resume(client);
}

int vtest_client_create(struct vtest_server *server, int fd) {
	int error = socket_set_blocking(fd, false);
	if (error) {
		goto close_fd;
	}
	error = -ENOMEM;
	struct vtest_client *client = calloc(1, sizeof(*client));
	if (!client) {
		goto close_fd;
	}
	client->server = server;
	client->number = server->next_client++;
	client->fd = fd;
	client->watched = EVENT_READABLE;
	client->timer_deadline = UINT64_MAX;
	client->reply_fd = -1;
	client->next_resource_id = 1;
	snprintf(client->name, sizeof(client->name), "unnamed");
	client->source = event_loop_add_fd(server->loop, fd, client->watched, handle_socket, client);
	if (!client->source) {
		goto free_client;
	}
	client->timer = event_loop_add_timer(server->loop, handle_timer, client);
	if (!client->timer) {
		goto remove_source;
	}
	id_table_init(&client->resources);
	sync_table_init(&client->syncs, &server->pool.options.limits);
	list_append(&server->clients, &client->link);
	log_debug("client %u: connected", client->number);
	return 0;

remove_source:
	event_source_remove(client->source);
free_client:
	free(client);
close_fd:
	close(fd);
	return error;
}

/*
 * Mesa's clients do not notice the end of the connection while they read: they would spin for
 * ever. But a missing descriptor makes them abort; so they get all of the reply but that.
 */
static void send_broken_reply(const struct vtest_client *client) {
	if (client->owed_fd && !has_pending_reply(client)) {
		const uint32_t reply[2 + 4] = {client->owed_words, client->owed_fd};
		assert(client->owed_words <= 4);
		/* it may be gone as well */
		socket_send_fds(client->fd, reply, (2 + client->owed_words) * sizeof(*reply), NULL, 0);
	}
}

void vtest_client_destroy(struct vtest_client *client) {
	if (!client) {
		return;
	}
	send_broken_reply(client);
	list_remove(&client->link);
	event_source_remove(client->timer);
	event_source_remove(client->source);
	renderer_release(client->renderer);
	size_t cursor = 0;
	for (struct vtest_resource *resource;
			(resource = id_table_next(&client->resources, &cursor));) {
		vtest_resource_destroy(resource);
	}
	id_table_finish(&client->resources);
	client->server->free_resources += client->resource_count;
	sync_table_finish(&client->syncs);
	if (client->reply_fd != -1) {
		close(client->reply_fd);
	}
	close(client->fd);
	free(client->buffer);
	struct vtest_server *server = client->server;
	free(client);
	vtest_server_client_left(server);
}
