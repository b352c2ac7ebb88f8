/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/process.h"
#include "base/socket.h"

/*
 * Theory of operation
 *
 * guest.py is the guest's kernel and its VMM: it owns venera-gpu, the memory of the guest and the queues.
 * What it is told, over a channel for each context, are the messages of render_protocol.h; it makes virtio-gpu
 * commands of them. Resource ids are the device's, so each context gets a thousand of them for its own.
 */

#define PATIENCE_MS 60000

enum { OPEN = 1, STARTED = 2 }; /* messages to and from guest.py */

struct started {
	int32_t pid; /* venera-gpu's */
	char log[256];
};

static struct channel guest;
static pid_t guest_pid;
static uint32_t last_context;

static uint32_t name_resource(const struct peer *peer, uint32_t resource_id) {
	return resource_id == 0 || resource_id >= 1000 ? resource_id :
		(uint32_t)(uintptr_t)peer->link * 1000 + resource_id;
}

static void stop_peer(struct peer *peer) {
	channel_finish(&peer->channel);
}

static struct peer_transport transport;

static struct channel_message receive(uint32_t type) {
	struct channel_message message;
	alarm(PATIENCE_MS / 1000);
	CHECK_INT(channel_recv(&guest, &message), 1);
	alarm(0);
	CHECK_INT(message.type, type);
	return message;
}

static void start(struct hostile_server *server) {
	transport = peer_channel_transport;
	transport.name_resource = name_resource;
	transport.stop = stop_peer;
	int fds[2];
	CHECK_INT(socket_pair(fds), 0);
	char fd_text[16];
	snprintf(fd_text, sizeof(fd_text), "%d", fds[1]);
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.path = server->programs[2];
	options.argv = (const char *const[]){"python3", server->programs[3], fd_text,
		server->programs[1], server->programs[0], NULL};
	options.fds = &fds[1];
	options.fd_count = 1;
	guest_pid = process_spawn(&options);
	CHECK(guest_pid > 0);
	close(fds[1]);
	CHECK_INT(channel_init(&guest, fds[0]), 0);
	const struct channel_message message = receive(STARTED);
	struct started started;
	CHECK(message.size == sizeof(started));
	memcpy(&started, message.body, sizeof(started));
	server->pid = started.pid;
	close(server->log_fd);
	server->log_fd = open(started.log, O_RDONLY | O_CLOEXEC);
	CHECK(server->log_fd >= 0);
}

static void open_peer(struct hostile_server *server, struct peer *peer, const char *name) {
	(void)server;
	peer_init(peer, &transport);
	const uint32_t context = ++last_context;
	peer->link = (void *)(uintptr_t)context;
	int fds[2];
	CHECK_INT(socket_pair(fds), 0);
	char body[68] = {0};
	memcpy(body, &context, 4);
	snprintf(body + 4, sizeof(body) - 4, "%s", name);
	CHECK_INT(channel_send(&guest, OPEN, body, sizeof(body), NULL, 0, &fds[1], 1), 0);
	close(fds[1]);
	CHECK_INT(channel_init(&peer->channel, fds[0]), 0);
	receive(OPEN);
}

static void stop(struct hostile_server *server) {
	(void)server;
	channel_finish(&guest);
	int status;
	CHECK_INT(process_wait(guest_pid, PATIENCE_MS, &status), 1);
	CHECK_INT(status, 0);
}

const struct hostile_transport hostile_transport_vhost_user = {
	.name = "vhost-user",
	.program_count = 4,
	.start = start,
	.open = open_peer,
	.stop = stop,
};
