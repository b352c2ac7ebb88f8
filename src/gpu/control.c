/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/list.h"
#include "base/log.h"
#include "base/socket.h"
#include "gpu/control.h"
#include "gpu/json_text.h"

#define MAX_CLIENTS 8
#define MAX_REQUEST 64
/* A client asks and reads within this time. */
#define CLIENT_PATIENCE (5 * CLOCK_NS_PER_S)
/* Who cannot be accepted still calls: not before this time it is tried again. */
#define ACCEPT_PAUSE (100 * CLOCK_NS_PER_MS)

struct client {
	struct control *control;
	struct list link;
	int fd;
	struct event_source *source, *patience;
	char request[MAX_REQUEST];
	size_t request_size;
	struct json_text answer;
	size_t sent;
};

struct control {
	struct event_loop *loop;
	const struct control_ops *ops;
	void *data;
	int listen_fd;
	struct event_source *listen_source, *accept_timer;
	struct list clients;
	unsigned client_count;
};

static void destroy_client(struct client *client) {
	struct control *control = client->control;
	event_source_remove(client->source);
	event_source_remove(client->patience);
	close(client->fd);
	json_text_finish(&client->answer);
	list_remove(&client->link);
	free(client);
	control->client_count--;
}

static void handle_patience(void *data) {
	destroy_client(data);
}

static void answer(struct client *client) {
	size_t length = strcspn(client->request, "\r\n");
	if (length == strlen("stat") && memcmp(client->request, "stat", length) == 0) {
		client->control->ops->stat(client->control->data, &client->answer);
	} else {
		json_text_begin(&client->answer, NULL, '{');
		json_text_string(&client->answer, "error", "the only request is: stat");
		json_text_end(&client->answer, '}');
	}
	json_text_newline(&client->answer);
	event_source_fd_update(client->source, EVENT_WRITABLE);
}

/* false: the client is done with. */
static bool read_request(struct client *client) {
	ssize_t got = recv(client->fd, client->request + client->request_size,
		MAX_REQUEST - 1 - client->request_size, 0);
	if (got < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	client->request_size += (size_t)got;
	client->request[client->request_size] = '\0';
	if (strchr(client->request, '\n')) {
		answer(client);
		return !client->answer.failed;
	}
	return got > 0 && client->request_size < MAX_REQUEST - 1;
}

static bool write_answer(struct client *client) {
	ssize_t sent = socket_send_fds(client->fd, client->answer.bytes + client->sent,
		client->answer.size - client->sent, NULL, 0);
	if (sent < 0) {
		return sent == -EAGAIN || sent == -EINTR;
	}
	client->sent += (size_t)sent;
	return client->sent < client->answer.size;
}

static void handle_client(void *data, int fd, uint32_t mask) {
	struct client *client = data;
	(void)fd;
	bool more;
	if (client->answer.size > 0) {
		more = !(mask & (EVENT_HANGUP | EVENT_ERROR)) && write_answer(client);
	} else {
		more = read_request(client);
	}
	if (!more) {
		destroy_client(client);
	}
}

static void add_client(struct control *control, int fd) {
	struct client *client = calloc(1, sizeof(*client));
	if (!client || socket_set_blocking(fd, false) < 0) {
		free(client);
		close(fd);
		return;
	}
	if (control->client_count == MAX_CLIENTS) { /* the oldest one has had its time */
		destroy_client(LIST_CONTAINER(control->clients.next, struct client, link));
	}
	client->control = control;
	client->fd = fd;
	list_append(&control->clients, &client->link);
	control->client_count++;
	client->source =
		event_loop_add_fd(control->loop, fd, EVENT_READABLE, handle_client, client);
	client->patience = event_loop_add_timer(control->loop, handle_patience, client);
	if (!client->source || !client->patience) {
		destroy_client(client);
		return;
	}
	event_source_timer_arm(client->patience, CLIENT_PATIENCE);
}

static void handle_listen(void *data, int listen_fd, uint32_t mask) {
	struct control *control = data;
	(void)mask;
	int fd = socket_accept(listen_fd);
	if (fd < 0) {
		if (fd != -EAGAIN) {
			event_source_fd_update(control->listen_source, 0);
			event_source_timer_arm(control->accept_timer, ACCEPT_PAUSE);
		}
		return;
	}
	if (socket_peer_is_ours(fd)) {
		add_client(control, fd);
	} else {
		log_debug("another user was turned away from the control socket");
		close(fd);
	}
}

static void resume_accepting(void *data) {
	struct control *control = data;
	event_source_fd_update(control->listen_source, EVENT_READABLE);
}

struct control *control_create(
		struct event_loop *loop, int listen_fd, const struct control_ops *ops, void *data) {
	struct control *control = calloc(1, sizeof(*control));
	if (!control || socket_set_blocking(listen_fd, false) < 0) {
		goto error;
	}
	control->loop = loop;
	control->ops = ops;
	control->data = data;
	control->listen_fd = listen_fd;
	list_init(&control->clients);
	control->listen_source =
		event_loop_add_fd(loop, listen_fd, EVENT_READABLE, handle_listen, control);
	control->accept_timer = event_loop_add_timer(loop, resume_accepting, control);
	if (!control->listen_source || !control->accept_timer) {
		goto error;
	}
	return control;

error:
	log_error("cannot serve the control socket: out of memory");
	if (control) {
		event_source_remove(control->listen_source);
		event_source_remove(control->accept_timer);
	}
	free(control);
	close(listen_fd);
	return NULL;
}

void control_destroy(struct control *control) {
	if (!control) {
		return;
	}
	LIST_FOR_EACH_SAFE (client, &control->clients, struct client, link) {
		destroy_client(client);
	}
	event_source_remove(control->listen_source);
	event_source_remove(control->accept_timer);
	close(control->listen_fd);
	free(control);
}
