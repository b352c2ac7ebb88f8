/* SPDX-License-Identifier: MIT */
#include "vtest/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/socket.h"
#include "vtest/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* When descriptors or memory run out, connections wait this long in the socket's backlog. */
#define ACCEPT_PAUSE (100 * CLOCK_NS_PER_MS)

static void stop_if_idle(void *data) {
	struct vtest_server *server = data;
	if (server->stopping && list_empty(&server->clients) && list_empty(&server->pool.renderers)) {
		event_loop_stop(server->loop);
	}
}

static void stop_listening(struct vtest_server *server) {
	event_source_remove(server->listen_source);
	event_source_remove(server->accept_timer);
	server->listen_source = NULL;
	server->accept_timer = NULL;
	if (server->listen_fd >= 0) {
		close(server->listen_fd);
		server->listen_fd = -1;
	}
}

void vtest_server_stop(struct vtest_server *server) {
	if (server->stopping) {
		return;
	}
	server->stopping = true;
	stop_listening(server);
	renderer_pool_drop_spare(&server->pool);
	LIST_FOR_EACH_SAFE(client, &server->clients, struct vtest_client, link) {
		vtest_client_destroy(client);
	}
	stop_if_idle(server);
}

void vtest_server_client_left(struct vtest_server *server) {
	if (server->once && list_empty(&server->clients)) {
		vtest_server_stop(server);
	}
	stop_if_idle(server);
}

static void resume_accepting(void *data) {
	struct vtest_server *server = data;
	event_source_fd_update(server->listen_source, EVENT_READABLE);
}

static void accept_client(void *data, int fd, uint32_t mask) {
	(void)mask;
	struct vtest_server *server = data;
	int client_fd = socket_accept(fd);
	if (client_fd == -EAGAIN) {
		return;
	}
	int error = client_fd;
	if (client_fd >= 0) {
		error = vtest_client_create(server, client_fd);
	}
	if (error < 0) {
		log_error("a client could not be accepted: %s", strerror(-error));
		event_source_fd_update(server->listen_source, 0);
		event_source_timer_arm(server->accept_timer, ACCEPT_PAUSE);
	}
}

static int start_listening(struct vtest_server *server) {
	int error = socket_set_blocking(server->listen_fd, false);
	if (error) {
		return error;
	}
	server->listen_source = event_loop_add_fd(
		server->loop, server->listen_fd, EVENT_READABLE, accept_client, server);
	server->accept_timer = event_loop_add_timer(server->loop, resume_accepting, server);
	return server->listen_source && server->accept_timer ? 0 : -ENOMEM;
}

/* 1, 0 or -errno. */
static int is_listening(int fd) {
	int value;
	socklen_t size = sizeof(value);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) < 0) {
		return -errno;
	}
	return value != 0;
}

/* Blobs are kept as descriptors, and some are left for connections and processes. */
static uint64_t count_free_resources(void) {
	const long files = sysconf(_SC_OPEN_MAX);
	return files < 0 ? UINT32_MAX : files < 512 ? 256 : (uint64_t)files - 256;
}

int vtest_server_init(struct vtest_server *server, struct event_loop *loop,
		const struct vtest_server_options *options) {
	*server = (struct vtest_server){
		.loop = loop,
		.listen_fd = -1,
		.once = options->once,
		.next_client = 1,
		.max_resources = options->renderer.limits.value[LIMIT_CONTEXT_RESOURCES],
		.free_resources = count_free_resources(),
	};
	list_init(&server->clients);
	int listening = is_listening(options->fd);
	struct renderer_options renderer = options->renderer;
	/* an only client is there already: a spare would not be ready before it */
	renderer.spare &= listening > 0;
	int error = listening < 0 ? listening : renderer_pool_init(&server->pool, loop, &renderer);
	if (error) {
		close(options->fd);
		return error;
	}
	server->pool.idle_func = stop_if_idle;
	server->pool.idle_data = server;

	if (listening) {
		server->listen_fd = options->fd;
		error = start_listening(server);
	} else {
		server->once = true;
		error = vtest_client_create(server, options->fd);
	}
	if (error) {
		stop_listening(server);
		renderer_pool_finish(&server->pool);
	}
	return error;
}

void vtest_server_finish(struct vtest_server *server) {
	server->stopping = true;
	stop_listening(server);
	LIST_FOR_EACH_SAFE(client, &server->clients, struct vtest_client, link) {
		vtest_client_destroy(client);
	}
	renderer_pool_finish(&server->pool);
}
