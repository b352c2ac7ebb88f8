/* SPDX-License-Identifier: MIT */

/*
 * venera-vtest and a hostile client, and, if the input says so, a hostile render process.
 *
 * An input: u8, bit 0: the render process behaves; then steps: u8 what, u8 how, u16 size, that
 * many bytes.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "fuzz.h"
#include "ipc/broker.h"
#include "ipc/render_protocol.h"
#include "still_base.h"
#include "still_sockets.h"
#include "vtest/protocol.h"
#include "vtest/server.h"

enum step {
	STEP_CLIENT,  /* bytes; how: bit 0: framed as a message of type how / 2 */
	STEP_RENDER,  /* u32 type and a body; how: bits: a descriptor comes with it, not sealed, it ends */
	STEP_TIME,    /* `how` tenths of a second */
	STEP_HANG_UP, /* of the client */
	STEP_ROOM,    /* the client reads `how` bytes, and no more */
	STEP_COUNT,
};

static struct {
	int client, render;
	bool render_behaves;
	bool runs; /* an input: what the fuzzer itself does goes on as it would */
} world;

/* --- what is not linked --- */

int broker_watch(
		struct broker *broker, struct event_loop *loop, void (*ended)(void *data), void *data) {
	(void)broker;
	(void)loop;
	(void)ended;
	(void)data;
	return 0;
}

void broker_unwatch(struct broker *broker) {
	(void)broker;
}

pid_t broker_start(struct broker *broker, const char *name, int channel_fd, int counters_fd) {
	(void)broker;
	(void)name;
	(void)channel_fd;
	(void)counters_fd;
	world.render = still_socket_newest_pair();
	return 1000;
}

int broker_wait(struct broker *broker, pid_t pid, int timeout_ms, int *status) {
	(void)broker;
	(void)pid;
	(void)timeout_ms;
	if (status) {
		*status = 0;
	}
	return 1;
}

void broker_kill(struct broker *broker, pid_t pid) {
	(void)broker;
	(void)pid;
}

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size) {
	if (!world.runs) {
		return __real_getsockopt(fd, level, name, value, size);
	}
	memset(value, 0, *size);
	return 0;
}

int __real_pipe(int fds[2]);
int __wrap_pipe(int fds[2]);
int __wrap_pipe(int fds[2]) {
	if (!world.runs) {
		return __real_pipe(fds);
	}
	fds[0] = still_handle();
	fds[1] = still_handle();
	return 0;
}

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
__attribute__((no_sanitize("address", "undefined")))
ssize_t __wrap_write(int fd, const void *data, size_t size) {
	return fd < STILL_FIRST_FD ? __real_write(fd, data, size) : (ssize_t)size;
}

/* --- the render process --- */

static void send_event(uint32_t type, const void *body, size_t size, int fd) {
	uint8_t message[16 + 1024];
	const uint32_t header[4] = {type, (uint32_t)size, fd >= 0, 0};
	memcpy(message, header, sizeof(header));
	if (size) {
		memcpy(message + sizeof(header), body, size);
	}
	still_socket_feed(world.render, message, sizeof(header) + size, &fd, fd >= 0);
}

static void asked(uint32_t type, const uint8_t *body, size_t size) {
	if (type == RENDER_REQUEST_CREATE_BLOB && size >= sizeof(struct render_create_blob)) {
		struct render_create_blob blob;
		memcpy(&blob, body, sizeof(blob));
		struct render_blob answer = {
			.resource_id = blob.resource_id,
			.map_info = RENDER_MAP_CACHED,
			.size = (blob.size + 4095) / 4096 * 4096,
		};
		int fd = blob.size && blob.size <= STILL_MAX_SHMEM ?
			still_fd_create(answer.size, true) : -1;
		if (fd < 0) {
			answer = (struct render_blob){
				.resource_id = blob.resource_id, .error = -ENOMEM};
			fd = -1;
		}
		send_event(RENDER_EVENT_BLOB, &answer, sizeof(answer), fd);
	} else if (type == RENDER_REQUEST_SUBMIT && size >= sizeof(struct render_submit)) {
		struct render_submit submit;
		memcpy(&submit, body, sizeof(submit));
		if (submit.flags & RENDER_SUBMIT_FENCE) {
			const struct render_fence fence = {
				.fence_id = submit.fence_id, .ring_idx = submit.ring_idx};
			send_event(RENDER_EVENT_FENCE, &fence, sizeof(fence), -1);
		}
	}
}

static void sent(int fd, const uint8_t *data, size_t size, const int *fds, int fd_count) {
	static uint32_t type;
	(void)fds;
	(void)fd_count;
	if (fd != world.render || !world.render_behaves) {
		return;
	}
	/* the channel writes the header and the body in pieces */
	if (size == 16) {
		memcpy(&type, data, sizeof(type));
	} else {
		asked(type, data, size);
	}
}

/* --- the input --- */

static void step(
		struct event_loop *loop, uint8_t what, uint8_t how, const uint8_t *data, size_t size) {
	switch (what % STEP_COUNT) {
	case STEP_CLIENT:
		if (how & 1) {
			/* the length counts words, but for one message */
			const uint32_t type = how / 2 % VTEST_MESSAGE_COUNT;
			const uint32_t header[2] = {
				(uint32_t)(type == VTEST_CREATE_RENDERER ? size : size / 4), type};
			still_socket_feed(world.client, header, sizeof(header), NULL, 0);
			size = type == VTEST_CREATE_RENDERER ? size : size & ~(size_t)3;
		}
		still_socket_feed(world.client, data, size, NULL, 0);
		break;
	case STEP_RENDER:
		if (how & 4) {
			still_socket_hang_up(world.render);
		} else if (size >= 4) {
			uint32_t type;
			memcpy(&type, data, sizeof(type));
			size = size - 4 > 1024 ? 1024 : size - 4;
			const int fd = how & 1 ? still_fd_create(8192, !(how & 2)) : -1;
			send_event(type, data + 4, size, fd);
		}
		break;
	case STEP_TIME:
		still_clock_advance(how * UINT64_C(100) * CLOCK_NS_PER_MS);
		break;
	case STEP_HANG_UP:
		still_socket_hang_up(world.client);
		break;
	default:
		still_socket_set_room(world.client, how);
		break;
	}
	still_loop_run(loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct limits limits;
	if (!limits.value[0]) {
		limits_init(&limits); /* asks the system */
	}
	struct fuzz_input input = {data, size};
	still_base_begin();
	still_socket_sent = sent;
	world.render_behaves = fuzz_u8(&input) & 1;
	world.runs = true;
	world.render = -1;
	world.client = still_socket();
	struct event_loop *loop = event_loop_create();
	const struct vtest_server_options options = {
		.fd = world.client,
		.once = true,
		.renderer = {.limits = limits},
	};
	struct vtest_server server;
	if (!loop || vtest_server_init(&server, loop, &options) < 0) {
		abort();
	}
	while (input.size) {
		const uint8_t what = fuzz_u8(&input), how = fuzz_u8(&input);
		size_t bytes = fuzz_u16(&input);
		const uint8_t *body = fuzz_bytes(&input, &bytes);
		step(loop, what, how, body, bytes);
	}
	vtest_server_finish(&server);
	event_loop_destroy(loop);
	world.runs = false;
	const unsigned sockets = still_sockets_reset(), memory = still_fd_count();
	if (sockets || memory) {
		fprintf(stderr, "left behind: %u sockets, %u descriptors of memory\n", sockets, memory);
		abort();
	}
	return 0;
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t max_size, uint64_t random) {
	static const uint8_t types[] = {VTEST_CREATE_RENDERER, VTEST_PROTOCOL_VERSION,
		VTEST_CONTEXT_INIT,
		VTEST_RESOURCE_CREATE_BLOB, VTEST_SYNC_CREATE, VTEST_SYNC_WRITE, VTEST_SYNC_WAIT,
		VTEST_SUBMIT_CMD2, VTEST_RESOURCE_UNREF, VTEST_RESOURCE_BUSY_WAIT, VTEST_SYNC_READ,
		VTEST_SYNC_UNREF, VTEST_GET_CAPSET, VTEST_GET_PARAM, VTEST_RESOURCE_EXPORT_FD,
		VTEST_PING_PROTOCOL_VERSION};
	static const uint32_t numbers[] = {0, 1, 2, 3, 4, 4, 8, 16, 4096, 8192, 0xffffffff, 0x80000000};
	if (!size && max_size) {
		data[size++] = 1;
	}
	const uint32_t words = (uint32_t)(random >> 8) % 9;
	if (size + 4 + 4 * words > max_size) {
		return size;
	}
	const uint8_t type = types[(random >> 16) % sizeof(types)];
	const uint8_t head[4] = {(uint8_t)(random % 7 ? STEP_CLIENT : (random >> 40) % STEP_COUNT),
		(uint8_t)(type << 1 | 1), (uint8_t)(4 * words), 0};
	memcpy(data + size, head, sizeof(head));
	size += sizeof(head);
	for (uint32_t i = 0; i < words; i++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		memcpy(data + size, &numbers[(random >> 33) % 12], 4);
		size += 4;
	}
	return size;
}

void fuzz_finish(void) {
}
