/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/socket.h"

/** For what must happen: generous, because sanitizers and busy machines are slow. */
#define PATIENCE_MS 30000

void peer_start(struct peer *peer, const char *path) {
	peer_start_with(peer, path, NULL);
}

void peer_start_with(struct peer *peer, const char *path, const char *option) {
	peer_start_logged(peer, path, option, -1);
}

void peer_init(struct peer *peer, const struct peer_transport *transport) {
	memset(peer, 0, sizeof(*peer));
	peer->transport = transport;
	peer->ring_shm = SHMEM_NONE;
	peer->reply_shm = SHMEM_NONE;
	arena_init(&peer->arena, 1 << 24);
}

void peer_start_logged(struct peer *peer, const char *path, const char *option, int log_fd) {
	peer_init(peer, &peer_channel_transport);
	int fds[2];
	CHECK_INT(socket_pair(fds), 0);
	char fd_option[32];
	snprintf(fd_option, sizeof(fd_option), "--fd=%d", fds[1]);
	const char *argv[] = {"venera-render", fd_option, "--name=test", option, NULL};
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.path = path;
	options.argv = argv;
	options.fds = &fds[1];
	options.fd_count = 1;
	options.stderr_fd = log_fd;
	peer->pid = process_spawn(&options);
	CHECK(peer->pid > 0);
	close(fds[1]);
	CHECK_INT(channel_init(&peer->channel, fds[0]), 0);
}

static void stop(struct peer *peer) {
	channel_finish(&peer->channel);
	int status = 0;
	CHECK_INT(process_wait(peer->pid, PATIENCE_MS, &status), 1);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 0);
}

void peer_stop(struct peer *peer) {
	peer->transport->stop(peer);
	shmem_finish(&peer->ring_shm);
	shmem_finish(&peer->reply_shm);
	arena_finish(&peer->arena);
}

/** The next event, which must come; of those about memory in use there may be more. */
static struct channel_message receive(struct peer *peer) {
	struct channel_message message;
	alarm(PATIENCE_MS / 1000);
	do {
		CHECK_INT(channel_recv(&peer->channel, &message), 1);
	} while (message.type == RENDER_EVENT_USAGE);
	alarm(0);
	return message;
}

static int create_blob(struct peer *peer, uint32_t resource_id, uint32_t flags, uint64_t blob_id,
		uint64_t size, struct shmem *shm) {
	const struct render_create_blob request = {
		.resource_id = resource_id, .blob_flags = flags, .blob_id = blob_id, .size = size};
	CHECK_INT(channel_send(&peer->channel, RENDER_REQUEST_CREATE_BLOB, &request, sizeof(request),
			  NULL, 0, NULL, 0), 0);
	struct channel_message message = receive(peer);
	CHECK_INT(message.type, RENDER_EVENT_BLOB);
	CHECK_INT(message.size, sizeof(struct render_blob));
	const struct render_blob *blob = message.body;
	CHECK_INT(blob->resource_id, resource_id);
	CHECK_INT(message.fd_count, blob->error ? 0 : 1);
	if (!blob->error) {
		CHECK(blob->size >= size);
	}
	if (!blob->error && shm) {
		CHECK_INT(shmem_import(shm, message.fds[0], size), 0);
		message.fds[0] = -1;
	}
	channel_message_close_fds(&message);
	return blob->error;
}

int peer_create_blob(struct peer *peer, uint32_t resource_id, uint32_t flags, uint64_t blob_id,
		uint64_t size, struct shmem *shm) {
	return peer->transport->create_blob(peer, resource_id, flags, blob_id, size, shm);
}

static void detach(struct peer *peer, uint32_t resource_id) {
	const struct render_detach_resource request = {.resource_id = resource_id};
	CHECK_INT(channel_send(&peer->channel, RENDER_REQUEST_DETACH_RESOURCE, &request,
			  sizeof(request), NULL, 0, NULL, 0), 0);
}

void peer_detach(struct peer *peer, uint32_t resource_id) {
	peer->transport->detach(peer, resource_id);
}

uint32_t peer_resource(const struct peer *peer, uint32_t resource_id) {
	return peer->transport->name_resource ?
		peer->transport->name_resource(peer, resource_id) : resource_id;
}

void peer_layout_ring(struct peer *peer, uint32_t buffer_size) {
	peer->monitor_info = (VkRingMonitorInfoMESA){
		.sType = VK_STRUCTURE_TYPE_RING_MONITOR_INFO_MESA,
		.maxReportingPeriodMicroseconds = PEER_MONITOR_PERIOD_US,
	};
	peer->ring_info = (VkRingCreateInfoMESA){
		.sType = VK_STRUCTURE_TYPE_RING_CREATE_INFO_MESA,
		.pNext = &peer->monitor_info,
		.resourceId = peer_resource(peer, PEER_RING_RESOURCE),
		.size = 192 + (size_t)buffer_size + 4,
		.idleTimeout = PEER_IDLE_TIMEOUT_NS,
		.tailOffset = 64,
		.statusOffset = 128,
		.bufferOffset = 192,
		.bufferSize = buffer_size,
		.extraOffset = 192 + (size_t)buffer_size,
		.extraSize = 4,
	};
}

void peer_create_ring(struct peer *peer, uint32_t buffer_size) {
	peer_layout_ring(peer, buffer_size);
	CHECK_INT(peer_create_blob(peer, PEER_RING_RESOURCE, RENDER_BLOB_MAPPABLE, 0,
			  peer->ring_info.size, &peer->ring_shm), 0);
	peer->ring_info.resourceId = peer_resource(peer, PEER_RING_RESOURCE);
	CHECK_INT(peer_create_blob(peer, PEER_REPLY_RESOURCE, RENDER_BLOB_MAPPABLE, 0,
			  PEER_REPLY_SIZE, &peer->reply_shm), 0);
	uint8_t *base = peer->ring_shm.data;
	peer->head = (_Atomic uint32_t *)(void *)base;
	peer->tail = (_Atomic uint32_t *)(void *)(base + peer->ring_info.tailOffset);
	peer->status = (_Atomic uint32_t *)(void *)(base + peer->ring_info.statusOffset);
	peer->buffer = base + peer->ring_info.bufferOffset;
	peer_begin(peer);
	PEER_ADD(peer, vkCreateRingMESA, .ring = PEER_RING_ID, .pCreateInfo = &peer->ring_info);
	peer_submit(peer, -1);
	peer_sync(peer);
}

void peer_begin(struct peer *peer) {
	peer->encoder = (struct venus_encoder){
		.cursor = peer->commands,
		.end = peer->commands + sizeof(peer->commands),
	};
}

size_t peer_stream_size(const struct peer *peer) {
	CHECK(!peer->encoder.overflow);
	return (size_t)(peer->encoder.cursor - peer->commands);
}

static void submit(struct peer *peer, int ring_idx, uint64_t fence_id) {
	struct render_submit submit = {.fence_id = fence_id};
	if (ring_idx >= 0) {
		submit.flags = RENDER_SUBMIT_FENCE;
		submit.ring_idx = (uint32_t)ring_idx;
	}
	const int ret = channel_send(&peer->channel, RENDER_REQUEST_SUBMIT, &submit, sizeof(submit),
		peer->commands, peer_stream_size(peer), NULL, 0);
	CHECK(ret == 0 || peer->may_be_lost);
}

uint64_t peer_submit(struct peer *peer, int ring_idx) {
	peer->transport->submit(peer, ring_idx, ++peer->next_fence);
	return peer->next_fence;
}

static bool wait_fence(struct peer *peer, uint32_t ring_idx, uint64_t fence_id) {
	struct channel_message message;
	for (;;) {
		alarm(PATIENCE_MS / 1000);
		const int ret = channel_recv(&peer->channel, &message);
		alarm(0);
		if (ret != 1) {
			return false;
		}
		if (message.type == RENDER_EVENT_USAGE) {
			continue;
		}
		if (message.type != RENDER_EVENT_LOST || !peer->may_be_lost) {
			break;
		}
		CHECK(!peer->lost);
		peer->lost = true;
	}
	CHECK_INT(message.type, RENDER_EVENT_FENCE);
	CHECK_INT(message.size, sizeof(struct render_fence));
	const struct render_fence *fence = message.body;
	CHECK_INT(fence->ring_idx, ring_idx);
	CHECK_INT(fence->fence_id, fence_id);
	return true;
}

void peer_expect_fence(struct peer *peer, uint32_t ring_idx, uint64_t fence_id) {
	CHECK(peer->transport->wait_fence(peer, ring_idx, fence_id));
}

void peer_sync(struct peer *peer) {
	peer_begin(peer);
	peer_expect_fence(peer, 0, peer_submit(peer, 0));
}

void peer_expect_lost(struct peer *peer, const char *text) {
	struct channel_message message = receive(peer);
	CHECK_INT(message.type, RENDER_EVENT_LOST);
	CHECK_INT(message.size, sizeof(struct render_lost));
	const struct render_lost *lost = message.body;
	if (!strstr(lost->reason, text)) {
		fprintf(stderr, "lost for \"%s\", which lacks \"%s\"\n", lost->reason, text);
		exit(1);
	}
}

void peer_ring_write(struct peer *peer) {
	const uint32_t size = (uint32_t)peer_stream_size(peer);
	const uint32_t mask = (uint32_t)peer->ring_info.bufferSize - 1;
	CHECK(size <= peer->ring_info.bufferSize);
	while (peer->position + size - atomic_load(peer->head) > peer->ring_info.bufferSize) {
		if (peer->is_gone && peer->is_gone(peer)) {
			return;
		}
		clock_sleep(CLOCK_NS_PER_MS / 10);
	}
	for (uint32_t i = 0; i < size; i++) {
		peer->buffer[(peer->position + i) & mask] = peer->commands[i];
	}
	peer->position += size;
	atomic_store(peer->tail, peer->position);
	if (atomic_load(peer->status) & 1) {
		peer_begin(peer);
		PEER_ADD(peer, vkNotifyRingMESA, .ring = PEER_RING_ID);
		peer_submit(peer, -1);
	}
}

bool peer_ring_wait(struct peer *peer) {
	const uint64_t deadline = clock_now() + PATIENCE_MS * CLOCK_NS_PER_MS;
	while (atomic_load(peer->head) != peer->position) {
		if ((atomic_load(peer->status) & 2) || (peer->is_gone && peer->is_gone(peer))) {
			return false;
		}
		CHECK(clock_now() < deadline);
		clock_sleep(CLOCK_NS_PER_MS / 20);
	}
	return true;
}

void peer_begin_call(struct peer *peer) {
	const VkCommandStreamDescriptionMESA stream = {
		.resourceId = peer_resource(peer, PEER_REPLY_RESOURCE), .size = PEER_REPLY_SIZE};
	memset(peer->reply_shm.data, 0xee, 256);
	peer_begin(peer);
	PEER_ADD(peer, vkSetReplyCommandStreamMESA, .pStream = &stream);
}

void peer_end_call(struct peer *peer) {
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
}

struct venus_decoder peer_reply(struct peer *peer) {
	const uint8_t *data = peer->reply_shm.data;
	return (struct venus_decoder){
		.cursor = data, .end = data + PEER_REPLY_SIZE, .arena = &peer->arena};
}

bool peer_wait_bit(_Atomic uint32_t *word, uint32_t bit, bool set, int timeout_ms) {
	const uint64_t deadline = clock_now() + (uint64_t)timeout_ms * CLOCK_NS_PER_MS;
	while (((atomic_load(word) & bit) != 0) != set) {
		if (clock_now() >= deadline) {
			return false;
		}
		clock_sleep(CLOCK_NS_PER_MS);
	}
	return true;
}

const struct peer_transport peer_channel_transport = {
	.create_blob = create_blob,
	.detach = detach,
	.submit = submit,
	.wait_fence = wait_fence,
	.stop = stop,
};
