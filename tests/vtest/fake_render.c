/* SPDX-License-Identifier: MIT */
/*
 * Stands in for venera-render: speaks its protocol without any Vulkan, and
 * misbehaves on demand.
 */
#include "fake_render.h"

#include "base/channel.h"
#include "base/clock.h"
#include "base/shmem.h"
#include "ipc/render_protocol.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_RESOURCES 256
#define MAX_HELD 4096

static struct channel channel;
static struct {
	uint32_t id;
	struct shmem shm;
} resources[MAX_RESOURCES];
static struct render_fence held[MAX_HELD];
static unsigned int held_count;
static bool holding;

static void fail(const char *what) {
	fprintf(stderr, "fake-render: %s\n", what);
	exit(4);
}

static void send_event(enum render_event event, const void *body, size_t size, int fd) {
	if (channel_send(&channel, event, body, size, NULL, 0, &fd, fd == -1 ? 0 : 1) != 0) {
		exit(0);
	}
}

static struct shmem *find_resource(uint32_t id) {
	for (unsigned int i = 0; i < MAX_RESOURCES; i++) {
		if (resources[i].id == id) {
			return &resources[i].shm;
		}
	}
	return NULL;
}

static struct shmem *add_resource(uint32_t id) {
	for (unsigned int i = 0; i < MAX_RESOURCES; i++) {
		if (id && resources[i].id == 0) {
			resources[i].id = id;
			return &resources[i].shm;
		}
	}
	fail("too many resources");
	return NULL;
}

static void create_blob(const struct render_create_blob *request) {
	struct render_blob blob = {
		.resource_id = request->resource_id,
		.map_info = RENDER_MAP_CACHED,
		.size = request->size,
	};
	int fd = -1;
	if (request->blob_id == FAKE_BLOB_NEVER) {
		return;
	} else if (request->blob_id == FAKE_BLOB_SLOW) {
		clock_sleep(CLOCK_NS_PER_S);
	}
	if (request->blob_id == FAKE_BLOB_NO_MEMORY) {
		blob.error = -ENOMEM;
	} else if (request->blob_id == FAKE_BLOB_UNKNOWN) {
		blob.error = -ENOENT;
	} else if (request->blob_id != FAKE_BLOB_NO_FD) {
		struct shmem *shm = add_resource(request->resource_id);
		int error = shmem_create(shm, "fake-render", request->size);
		if (error) {
			fail(strerror(-error));
		}
		fd = shm->fd;
	}
	if (request->blob_id == FAKE_BLOB_SMALL) {
		blob.size /= 2;
	} else if (request->blob_id == FAKE_BLOB_OTHER) {
		blob.resource_id++;
	}
	send_event(RENDER_EVENT_BLOB, &blob, sizeof(blob), fd);
}

static void attach_resource(const struct render_attach_resource *request, int fd) {
	struct shmem *shm = add_resource(request->resource_id);
	int error = shmem_import(shm, fd, request->size);
	if (error) {
		fail(strerror(-error));
	}
}

static void detach_resource(const struct render_detach_resource *request) {
	for (unsigned int i = 0; i < MAX_RESOURCES; i++) {
		if (resources[i].id == request->resource_id) {
			shmem_finish(&resources[i].shm);
			resources[i].id = 0;
			return;
		}
	}
	fail("a resource was detached that is not there");
}

static void copy(const uint32_t *words, size_t count) {
	struct shmem *shm = count >= 2 ? find_resource(words[1]) : NULL;
	if (!shm || (count - 2) * 4 > shm->size) {
		fail("there is nowhere to copy to");
	}
	memcpy(shm->data, words + 2, (count - 2) * 4);
}

static void execute(const uint32_t *words, size_t count) {
	struct render_lost lost = {.reason = "the test\n\033[31m wanted it"};
	struct render_fence bad_fence = {.fence_id = 1000000, .ring_idx = 1000};
	struct render_blob bad_blob = {.resource_id = 1};
	if (count == 0) {
		return;
	}
	switch (words[0]) {
	case FAKE_ABORT:
		abort();
	case FAKE_EXIT:
		exit(3);
	case FAKE_LOST:
		send_event(RENDER_EVENT_LOST, &lost, sizeof(lost), -1);
		break;
	case FAKE_HOLD:
		holding = true;
		break;
	case FAKE_RELEASE:
		holding = false;
		for (unsigned int i = 0; i < held_count; i++) {
			send_event(RENDER_EVENT_FENCE, &held[i], sizeof(held[i]), -1);
		}
		held_count = 0;
		break;
	case FAKE_BAD_FENCE:
		send_event(RENDER_EVENT_FENCE, &bad_fence, sizeof(bad_fence), -1);
		break;
	case FAKE_BAD_BLOB:
		send_event(RENDER_EVENT_BLOB, &bad_blob, sizeof(bad_blob), channel.fd);
		break;
	case FAKE_BAD_EVENT:
		send_event((enum render_event)77, &bad_blob, sizeof(bad_blob), channel.fd);
		break;
	case FAKE_HANG:
		for (;;) {
			pause();
		}
	case FAKE_STALL:
		clock_sleep(words[1] * CLOCK_NS_PER_MS);
		break;
	case FAKE_COPY:
		copy(words, count);
		break;
	}
}

static void submit(const struct channel_message *message) {
	const struct render_submit *request = message->body;
	size_t size = message->size - sizeof(*request);
	if (size % 4) {
		fail("a stream of odd size");
	}
	execute((const uint32_t *)(request + 1), size / 4);
	if (!(request->flags & RENDER_SUBMIT_FENCE)) {
		return;
	}
	struct render_fence fence = {.fence_id = request->fence_id, .ring_idx = request->ring_idx};
	if (!holding) {
		send_event(RENDER_EVENT_FENCE, &fence, sizeof(fence), -1);
	} else if (held_count == MAX_HELD) {
		fail("too many held fences");
	} else {
		held[held_count++] = fence;
	}
}

static void handle(struct channel_message *message) {
	static const size_t sizes[] = {
		[RENDER_REQUEST_CREATE_BLOB] = sizeof(struct render_create_blob),
		[RENDER_REQUEST_ATTACH_RESOURCE] = sizeof(struct render_attach_resource),
		[RENDER_REQUEST_DETACH_RESOURCE] = sizeof(struct render_detach_resource),
		[RENDER_REQUEST_SUBMIT] = sizeof(struct render_submit),
	};
	if (message->type == 0 || message->type >= sizeof(sizes) / sizeof(sizes[0]) ||
			message->size < sizes[message->type] ||
			message->fd_count != (message->type == RENDER_REQUEST_ATTACH_RESOURCE)) {
		fail("a malformed message");
	}
	switch (message->type) {
	case RENDER_REQUEST_CREATE_BLOB:
		create_blob(message->body);
		break;
	case RENDER_REQUEST_ATTACH_RESOURCE:
		attach_resource(message->body, message->fds[0]);
		break;
	case RENDER_REQUEST_DETACH_RESOURCE:
		detach_resource(message->body);
		break;
	case RENDER_REQUEST_SUBMIT:
		submit(message);
		break;
	}
}

int main(int argc, char *argv[]) {
	int fd = -1;
	bool named = false;
	for (int i = 1; i < argc; i++) {
		sscanf(argv[i], "--fd=%d", &fd);
		named |= strncmp(argv[i], "--name=", 7) == 0;
	}
	if (fd == -1 || !named || channel_init(&channel, fd) != 0) {
		fail("usage: fake-render --fd=N --name=NAME");
	}
	struct channel_message message;
	int result;
	while ((result = channel_recv(&channel, &message)) == 1) {
		handle(&message);
	}
	channel_finish(&channel);
	return result == 0 ? 0 : 5;
}
