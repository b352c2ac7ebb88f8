/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../vtest/raw_client.h"
#include "base/socket.h"

/*
 * Theory of operation
 *
 * The server gives out the ids of resources, so a table tells which of them is which of ours. A fence
 * is a sync that a submission raises to the fence's number, one sync for each ring_idx. There are no
 * errors: where something is refused, the connection ends, and with it the context.
 */

#define PATIENCE_MS 30000

enum { MAX_RESOURCES = 256, UNKNOWN_RESOURCE = 0x7e000000 };

struct connection {
	int fd; /* -1: it was closed */
	uint32_t resources[MAX_RESOURCES]; /* the server's ids; 0: there was none */
	uint32_t syncs[RENDER_MAX_TIMELINES];
};

static struct raw_server vtest;

static void close_connection(struct connection *connection) {
	if (connection->fd >= 0) {
		close(connection->fd);
		connection->fd = -1;
	}
}

/** Reads all of it. false: the connection ended. */
static bool receive(struct connection *connection, void *data, size_t size) {
	char *bytes = data;
	for (size_t done = 0; done < size && connection->fd >= 0;) {
		struct pollfd poll_fd = {.fd = connection->fd, .events = POLLIN};
		CHECK(poll(&poll_fd, 1, PATIENCE_MS) == 1);
		const ssize_t got = read(connection->fd, bytes + done, size - done);
		if (got <= 0) {
			close_connection(connection);
			break;
		}
		done += (size_t)got;
	}
	return connection->fd >= 0;
}

static bool receive_reply(
		struct connection *connection, uint32_t id, uint32_t *words, uint32_t count) {
	uint32_t header[2];
	if (!receive(connection, header, sizeof(header))) {
		return false;
	}
	CHECK(header[0] == count && header[1] == id);
	return receive(connection, words, count * sizeof(*words));
}

/** -1: the connection ended. */
static int receive_fd(struct connection *connection) {
	struct pollfd poll_fd = {.fd = connection->fd, .events = POLLIN};
	CHECK(poll(&poll_fd, 1, PATIENCE_MS) == 1);
	char byte;
	int fd = -1, count = 0;
	if (socket_recv_fds(connection->fd, &byte, 1, &fd, 1, &count) <= 0) {
		close_connection(connection);
		return -1;
	}
	CHECK(count == 1);
	return fd;
}

/** The server may close the connection while we write: then nothing is written. */
static void send_words(
		struct connection *connection, uint32_t id, const uint32_t *words, uint32_t count) {
	const uint32_t header[2] = {count, id};
	if (connection->fd < 0 ||
			socket_send_fds(connection->fd, header, sizeof(header), NULL, 0) < 0) {
		return;
	}
	const char *bytes = (const char *)words;
	for (size_t left = count * sizeof(*words); left > 0;) {
		const ssize_t sent = socket_send_fds(connection->fd, bytes, left, NULL, 0);
		if (sent <= 0) {
			return;
		}
		bytes += sent;
		left -= (size_t)sent;
	}
}

static int create_blob(struct peer *peer, uint32_t resource_id, uint32_t flags, uint64_t blob_id,
		uint64_t size, struct shmem *shm) {
	struct connection *connection = peer->link;
	const uint32_t words[] = {VTEST_BLOB_HOST3D, flags, (uint32_t)size, (uint32_t)(size >> 32),
		(uint32_t)blob_id, (uint32_t)(blob_id >> 32)};
	send_words(connection, VTEST_RESOURCE_CREATE_BLOB, words, 6);
	uint32_t id;
	if (!receive_reply(connection, VTEST_RESOURCE_CREATE_BLOB, &id, 1)) {
		return -1;
	}
	const int fd = receive_fd(connection);
	if (fd < 0) {
		return -1;
	}
	CHECK(resource_id < MAX_RESOURCES);
	connection->resources[resource_id] = id;
	if (shm) {
		CHECK(shmem_import(shm, fd, size) == 0);
	} else {
		close(fd);
	}
	return 0;
}

static uint32_t name_resource(const struct peer *peer, uint32_t resource_id) {
	const struct connection *connection = peer->link;
	if (resource_id == 0 || resource_id >= MAX_RESOURCES) {
		return resource_id;
	}
	const uint32_t id = connection->resources[resource_id];
	return id ? id : UNKNOWN_RESOURCE + resource_id;
}

static void detach(struct peer *peer, uint32_t resource_id) {
	const uint32_t id = name_resource(peer, resource_id);
	send_words(peer->link, VTEST_RESOURCE_UNREF, &id, 1);
}

static void submit(struct peer *peer, int ring_idx, uint64_t fence_id) {
	struct connection *connection = peer->link;
	const uint32_t size = (uint32_t)peer_stream_size(peer) / 4;
	uint32_t sync = 0;
	if (ring_idx >= 0 && ring_idx < RENDER_MAX_TIMELINES) {
		if (!connection->syncs[ring_idx]) {
			send_words(connection, VTEST_SYNC_CREATE, (const uint32_t[]){0, 0}, 2);
			receive_reply(connection, VTEST_SYNC_CREATE, &connection->syncs[ring_idx], 1);
		}
		sync = connection->syncs[ring_idx];
	}
	enum { BATCH = 1 + VTEST_BATCH_WORDS_V4 };
	static uint32_t words[BATCH + sizeof(peer->commands) / 4 + 3];
	const uint32_t batch[BATCH] = {1, sync ? VTEST_BATCH_RING_IDX : 0, BATCH, size, BATCH + size,
		sync ? 1 : 0, sync ? (uint32_t)ring_idx : 0};
	const uint32_t point[3] = {sync, (uint32_t)fence_id, (uint32_t)(fence_id >> 32)};
	memcpy(words, batch, sizeof(batch));
	memcpy(words + BATCH, peer->commands, size * sizeof(uint32_t));
	memcpy(words + BATCH + size, point, sizeof(point));
	send_words(connection, VTEST_SUBMIT_CMD2, words, BATCH + size + (sync ? 3 : 0));
}

static bool wait_fence(struct peer *peer, uint32_t ring_idx, uint64_t fence_id) {
	struct connection *connection = peer->link;
	CHECK(ring_idx < RENDER_MAX_TIMELINES);
	const uint32_t words[] = {0, VTEST_TIMEOUT_INFINITE, connection->syncs[ring_idx],
		(uint32_t)fence_id, (uint32_t)(fence_id >> 32)};
	send_words(connection, VTEST_SYNC_WAIT, words, 5);
	if (!receive_reply(connection, VTEST_SYNC_WAIT, NULL, 0)) {
		return false;
	}
	const int fd = receive_fd(connection);
	if (fd < 0) {
		return false;
	}
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	CHECK(poll(&poll_fd, 1, PATIENCE_MS) == 1);
	close(fd);
	return poll_fd.revents & POLLIN; /* else it will never be reached */
}

static void stop_peer(struct peer *peer) {
	close_connection(peer->link);
	free(peer->link);
	peer->link = NULL;
}

static const struct peer_transport transport = {
	.create_blob = create_blob,
	.detach = detach,
	.submit = submit,
	.wait_fence = wait_fence,
	.name_resource = name_resource,
	.stop = stop_peer,
};

static void start(struct hostile_server *server) {
	raw_server_start_logged(
		&vtest, server->programs[1], server->programs[0], NULL, server->log_fd);
	server->pid = vtest.pid;
}

static void open_peer(struct hostile_server *server, struct peer *peer, const char *name) {
	(void)server;
	peer_init(peer, &transport);
	struct connection *connection = calloc(1, sizeof(*connection));
	CHECK(connection);
	connection->fd = raw_open_as(&vtest, 4, name);
	peer->link = connection;
}

static void stop(struct hostile_server *server) {
	(void)server;
	CHECK(raw_server_stop(&vtest) == 0);
}

const struct hostile_transport hostile_transport_vtest = {
	.name = "vtest",
	.program_count = 2,
	.closes_when_lost = true,
	.start = start,
	.open = open_peer,
	.stop = stop,
};
