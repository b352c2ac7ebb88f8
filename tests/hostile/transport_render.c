/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include <stdio.h>

#include "../unit/test.h"
#include "base/process.h"

#define PATIENCE_MS 30000

static void start(struct hostile_server *server) {
	server->pid = 0;
}

/** However it ends: the log tells whether it was in order. */
static void stop_peer(struct peer *peer) {
	channel_finish(&peer->channel);
	CHECK_INT(process_wait(peer->pid, PATIENCE_MS, NULL), 1);
}

static void open_peer(struct hostile_server *server, struct peer *peer, const char *name) {
	static struct peer_transport transport;
	transport = peer_channel_transport;
	transport.stop = stop_peer;
	char option[64];
	snprintf(option, sizeof(option), "--name=%s", name);
	peer_start_logged(peer, server->programs[0], option, server->log_fd);
	peer->transport = &transport;
}

static void stop(struct hostile_server *server) {
	(void)server;
}

const struct hostile_transport hostile_transport_render = {
	.name = "render",
	.program_count = 1,
	.start = start,
	.open = open_peer,
	.stop = stop,
};
