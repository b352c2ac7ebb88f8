/* SPDX-License-Identifier: MIT */
#include "base/channel.h"
#include "base/clock.h"
#include "base/log.h"
#include "venus/capset.h"
#include "vtest/client.h"
#include "vtest/protocol.h"
#include "vtest/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * One function per message. Each is called with a message whose size lies within the limits
 * of its table entry and in the state that the entry demands, and returns false, after
 * vtest_client_fail(), when the connection must be closed: the protocol knows no error replies.
 */

#define BLOB_FLAGS \
	((uint32_t)(RENDER_BLOB_MAPPABLE | RENDER_BLOB_SHAREABLE | RENDER_BLOB_CROSS_DEVICE))
#define MAX_RENDERER_NAME (1u << 20)
#define MAX_SUBMIT (CHANNEL_MAX_BODY - sizeof(struct render_submit))
#define MAX_WAIT ((2 + SYNC_POINT_WORDS * SYNC_MAX_WAIT_POINTS) * 4)

void vtest_resource_destroy(struct vtest_resource *resource) {
	if (!resource) {
		return;
	}
	if (resource->fd != -1) {
		close(resource->fd);
	}
	shmem_finish(&resource->shm);
	free(resource);
}

static int resource_fd(const struct vtest_resource *resource) {
	return resource->fd != -1 ? resource->fd : resource->shm.fd;
}

static bool fail_with(struct vtest_client *client, int error) {
	return vtest_client_fail(
		client, "%s", error == -ENOSPC ? "limit reached: syncs, sync-points or waits" :
			strerror(-error));
}

static bool fail_sync(struct vtest_client *client, int error) {
	return error == -ENOENT ? vtest_client_fail(client, "there is no such sync")
	                        : fail_with(client, error);
}

static bool create_renderer(struct vtest_client *client, const struct vtest_request *request) {
	if (client->renderer) {
		return vtest_client_fail(client, "the connection has a renderer already");
	}
	size_t length = 0;
	while (length < request->size && length + 1 < sizeof(client->name) && request->data[length]) {
		uint8_t c = request->data[length];
		client->name[length++] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	client->name[length] = '\0';
	client->renderer =
		renderer_create(&client->server->pool, client->name, &vtest_renderer_listener, client);
	if (!client->renderer) {
		return vtest_client_fail(client, "its render process cannot be started: %s",
			strerror(errno));
	}
	log_debug("client %u: is %s", client->number, client->name);
	return true;
}

static bool ping_protocol_version(
		struct vtest_client *client, const struct vtest_request *request) {
	return vtest_client_reply(client, request->id, NULL, 0, -1);
}

static bool protocol_version(struct vtest_client *client, const struct vtest_request *request) {
	uint32_t version = wire_u32(request->data, 0);
	if (version < VTEST_VERSION_MIN) {
		return vtest_client_fail(client, "the client speaks version %u, and at least %u is needed",
			version, VTEST_VERSION_MIN);
	}
	client->version = version < VTEST_VERSION_MAX ? version : VTEST_VERSION_MAX;
	return vtest_client_reply(client, request->id, &client->version, 1, -1);
}

static bool get_param(struct vtest_client *client, const struct vtest_request *request) {
	uint32_t reply[2] = {0, 0};
	if (wire_u32(request->data, 0) == VTEST_PARAM_MAX_TIMELINE_COUNT) {
		reply[0] = 1;
		reply[1] = RENDER_MAX_TIMELINES;
	}
	return vtest_client_reply(client, request->id, reply, 2, -1);
}

static bool get_capset(struct vtest_client *client, const struct vtest_request *request) {
	uint32_t reply[1 + VENUS_CAPSET_SIZE / 4] = {0};
	if (wire_u32(request->data, 0) != VTEST_CAPSET_VENUS || wire_u32(request->data, 1) != 0) {
		return vtest_client_reply(client, request->id, reply, 1, -1);
	}
	uint8_t capset[VENUS_CAPSET_SIZE];
	venus_capset_fill(capset);
	reply[0] = 1;
	memcpy(reply + 1, capset, sizeof(capset));
	return vtest_client_reply(client, request->id, reply, sizeof(reply) / sizeof(reply[0]), -1);
}

static bool context_init(struct vtest_client *client, const struct vtest_request *request) {
	uint32_t capset = wire_u32(request->data, 0);
	if (capset != VTEST_CAPSET_VENUS) {
		return vtest_client_fail(client, "capset %u is not served, only %u (Venus)", capset,
			VTEST_CAPSET_VENUS);
	}
	client->has_context = true;
	return true;
}

/* Takes a free id, makes the resource known, and returns it; NULL after vtest_client_fail(). */
static struct vtest_resource *add_resource(struct vtest_client *client, uint64_t size) {
	if (client->resource_count >= client->server->max_resources) {
		vtest_client_fail(client, "limit reached: %s=%" PRIu64,
			limit_name(LIMIT_CONTEXT_RESOURCES), client->server->max_resources);
		return NULL;
	}
	if (client->resource_count >= client->server->free_resources) {
		vtest_client_fail(client, "%" PRIu32 " resources, and there are no more descriptors than "
			"that for the other clients", client->resource_count);
		return NULL;
	}
	struct vtest_resource *resource = malloc(sizeof(*resource));
	if (!resource) {
		vtest_client_fail(client, "out of memory");
		return NULL;
	}
	while (client->next_resource_id == 0 ||
			id_table_get(&client->resources, client->next_resource_id)) {
		client->next_resource_id++;
	}
	*resource = (struct vtest_resource){
		.id = client->next_resource_id,
		.size = size,
		.fd = -1,
		.shm = SHMEM_NONE,
	};
	if (!id_table_add(&client->resources, resource->id, resource)) {
		free(resource);
		vtest_client_fail(client, "out of memory");
		return NULL;
	}
	client->next_resource_id++;
	client->resource_count++;
	client->server->free_resources--;
	return resource;
}

/* Memory of our own, which the render process gets as well. */
static bool create_guest_blob(
		struct vtest_client *client, uint32_t message, struct vtest_resource *resource) {
	const uint64_t most = client->server->pool.options.limits.value[LIMIT_SHARED_MEMORY];
	if (resource->size > most || client->own_bytes > most - resource->size) {
		char text[LIMIT_TEXT_SIZE];
		return vtest_client_fail(client, "limit reached: %s=%s (%" PRIu64 " wanted)",
			limit_name(LIMIT_SHARED_MEMORY), limit_format(LIMIT_SHARED_MEMORY, most, text),
			client->own_bytes + resource->size);
	}
	int error = shmem_create(&resource->shm, "venera-vtest-blob", resource->size);
	client->own_bytes += resource->shm.size;
	if (error) {
		return vtest_client_fail(
			client, "%" PRIu64 " bytes of memory: %s", resource->size, strerror(-error));
	}
	const struct render_attach_resource attach = {
		.resource_id = resource->id,
		.map_info = RENDER_MAP_CACHED,
		.size = resource->shm.size,
	};
	error = renderer_attach_resource(client->renderer, &attach, resource->shm.fd);
	if (error) {
		return fail_with(client, error);
	}
	return vtest_client_reply(client, message, &resource->id, 1, resource->shm.fd);
}

static uint64_t answer_time(const struct vtest_client *client) {
	return client->server->pool.options.limits.value[LIMIT_ANSWER_TIME] * CLOCK_NS_PER_MS;
}

static bool resource_create_blob(struct vtest_client *client, const struct vtest_request *request) {
	uint32_t type = wire_u32(request->data, 0);
	uint32_t flags = wire_u32(request->data, 1);
	uint64_t size = wire_u64(request->data, 2);
	uint64_t blob_id = wire_u64(request->data, 4);
	if (type < VTEST_BLOB_GUEST || type > VTEST_BLOB_HOST3D_GUEST) {
		return vtest_client_fail(client, "blob type %u is unknown", type);
	}
	if (flags & ~BLOB_FLAGS) {
		return vtest_client_fail(client, "blob flags 0x%x are unknown", flags);
	}
	if (size == 0) {
		return vtest_client_fail(client, "a blob of 0 bytes");
	}
	struct vtest_resource *resource = add_resource(client, size);
	if (!resource) {
		return false;
	}
	if (type != VTEST_BLOB_HOST3D) {
		return create_guest_blob(client, request->id, resource);
	}
	const struct render_create_blob blob = {
		.resource_id = resource->id,
		.blob_flags = flags,
		.blob_id = blob_id,
		.size = size,
	};
	int error = renderer_create_blob(client->renderer, &blob);
	if (error) {
		return fail_with(client, error);
	}
	client->wanted_blob = resource->id;
	client->blob_deadline = clock_now() + answer_time(client);
	vtest_client_arm_timer(client, client->blob_deadline);
	return true;
}

bool vtest_client_watch_blob(struct vtest_client *client) {
	if (!client->wanted_blob) {
		return true;
	}
	const uint64_t now = clock_now();
	if (now >= client->blob_deadline) {
		/* the request waits behind what the client sent: however long that takes */
		if (!renderer_does_guest_work(client->renderer)) {
			char text[LIMIT_TEXT_SIZE];
			return vtest_client_fail(client, "the render process has not answered within %s=%s",
				limit_name(LIMIT_ANSWER_TIME), limit_format(LIMIT_ANSWER_TIME,
					answer_time(client) / CLOCK_NS_PER_MS, text));
		}
		client->blob_deadline = now + answer_time(client);
	}
	vtest_client_arm_timer(client, client->blob_deadline);
	return true;
}

static bool resource_unref(struct vtest_client *client, const struct vtest_request *request) {
	uint32_t id = wire_u32(request->data, 0);
	struct vtest_resource *resource = id_table_remove(&client->resources, id);
	if (!resource) {
		return true;
	}
	client->resource_count--;
	client->server->free_resources++;
	client->own_bytes -= resource->shm.size;
	vtest_resource_destroy(resource);
	int error = renderer_detach_resource(client->renderer, id);
	return error ? fail_with(client, error) : true;
}

/* Nothing here is ever busy as seen from the outside: fences tell when work is done. */
static bool resource_busy_wait(struct vtest_client *client, const struct vtest_request *request) {
	const uint32_t busy = 0;
	return vtest_client_reply(client, request->id, &busy, 1, -1);
}

static bool resource_export_fd(struct vtest_client *client, const struct vtest_request *request) {
	uint32_t id = wire_u32(request->data, 0);
	const struct vtest_resource *resource = id_table_get(&client->resources, id);
	if (!resource) {
		return vtest_client_fail(client, "there is no resource %u", id);
	}
	return vtest_client_reply(client, request->id, NULL, 0, resource_fd(resource));
}

static bool handle_sync_create(struct vtest_client *client, const struct vtest_request *request) {
	uint32_t id;
	int error = sync_create(&client->syncs, wire_u64(request->data, 0), &id);
	if (error) {
		return fail_with(client, error);
	}
	return vtest_client_reply(client, request->id, &id, 1, -1);
}

static bool handle_sync_unref(struct vtest_client *client, const struct vtest_request *request) {
	int error = sync_unref(&client->syncs, wire_u32(request->data, 0));
	return error ? fail_sync(client, error) : true;
}

static bool handle_sync_read(struct vtest_client *client, const struct vtest_request *request) {
	uint64_t value;
	int error = sync_read(&client->syncs, wire_u32(request->data, 0), &value);
	if (error) {
		return fail_sync(client, error);
	}
	const uint32_t reply[2] = {(uint32_t)value, (uint32_t)(value >> 32)};
	return vtest_client_reply(client, request->id, reply, 2, -1);
}

static bool handle_sync_write(struct vtest_client *client, const struct vtest_request *request) {
	int error = sync_write(
		&client->syncs, wire_u32(request->data, 0), wire_u64(request->data, 1));
	return error ? fail_sync(client, error) : true;
}

static bool handle_sync_wait(struct vtest_client *client, const struct vtest_request *request) {
	uint32_t flags = wire_u32(request->data, 0);
	uint32_t timeout_ms = wire_u32(request->data, 1);
	size_t words = request->size / 4 - 2;
	if (words % SYNC_POINT_WORDS) {
		return vtest_client_fail(client, "%zu words are no list of syncs", words);
	}
	if (flags & ~VTEST_SYNC_WAIT_ANY) {
		return vtest_client_fail(client, "flags 0x%x are unknown", flags);
	}
	uint64_t timeout_ns =
		timeout_ms == VTEST_TIMEOUT_INFINITE ? UINT64_MAX : timeout_ms * CLOCK_NS_PER_MS;
	int fd;
	int error = sync_wait(&client->syncs, request->data + 8, (uint32_t)(words / SYNC_POINT_WORDS),
		flags & VTEST_SYNC_WAIT_ANY, timeout_ns, &fd);
	if (error) {
		return fail_sync(client, error);
	}
	bool ok = vtest_client_reply(client, request->id, NULL, 0, fd);
	sync_put_fd(&client->syncs, fd);
	vtest_client_arm_timer(client, sync_table_deadline(&client->syncs));
	return ok;
}

/* Are there `size` words at word `offset` of `words`? In 64 bits no sum wraps. */
static bool lies_within(uint64_t offset, uint64_t size, uint64_t words) {
	return offset <= words && size <= words - offset;
}

static bool submit_batch(
		struct vtest_client *client, const struct vtest_request *request, uint32_t index) {
	const size_t words = request->size / 4;
	const uint8_t *batch = request->data + (1 + (size_t)index * VTEST_BATCH_STRIDE) * 4;
	uint32_t flags = wire_u32(batch, 0);
	uint32_t cmd_offset = wire_u32(batch, 1);
	uint32_t cmd_size = wire_u32(batch, 2);
	uint32_t sync_offset = wire_u32(batch, 3);
	uint32_t sync_count = wire_u32(batch, 4);
	uint32_t ring_idx = wire_u32(batch, 5);
	if (flags & ~(uint32_t)VTEST_BATCH_RING_IDX) {
		return vtest_client_fail(
			client, "batch %u: flags 0x%x (fence descriptors) are not served", index, flags);
	}
	if (client->version >= 4 && (wire_u32(batch, 6) || wire_u32(batch, 7))) {
		return vtest_client_fail(client, "batch %u: there are no DRM syncobjs", index);
	}
	if (!lies_within(cmd_offset, cmd_size, words)) {
		return vtest_client_fail(client, "batch %u: %u words of commands at %u are not within %zu",
			index, cmd_size, cmd_offset, words);
	}
	if (!lies_within(sync_offset, (uint64_t)sync_count * SYNC_POINT_WORDS, words)) {
		return vtest_client_fail(client, "batch %u: %u syncs at %u are not within %zu words", index,
			sync_count, sync_offset, words);
	}
	const bool on_timeline = flags & VTEST_BATCH_RING_IDX;
	if (on_timeline && ring_idx >= RENDER_MAX_TIMELINES) {
		return vtest_client_fail(client, "batch %u: ring_idx %u is too large", index, ring_idx);
	}

	const uint8_t *points = request->data + (size_t)sync_offset * 4;
	struct render_submit submit = {0};
	if (on_timeline && sync_count) {
		int error = sync_expect_fence(
			&client->syncs, ring_idx, points, sync_count, &submit.fence_id);
		if (error) {
			return fail_sync(client, error);
		}
		submit.flags = RENDER_SUBMIT_FENCE;
		submit.ring_idx = ring_idx;
	}
	if (cmd_size || submit.flags) {
		int error = renderer_submit(client->renderer, &submit,
			request->data + (size_t)cmd_offset * 4, (size_t)cmd_size * 4);
		if (error) {
			return fail_with(client, error);
		}
	}
	if (!on_timeline) {
		int error = sync_signal(&client->syncs, points, sync_count);
		if (error) {
			return fail_sync(client, error);
		}
	}
	return true;
}

static bool submit_cmd2(struct vtest_client *client, const struct vtest_request *request) {
	uint64_t words = request->size / 4;
	uint32_t count = wire_u32(request->data, 0);
	uint32_t batch_words = client->version >= 4 ? VTEST_BATCH_WORDS_V4 : VTEST_BATCH_WORDS_V3;
	if (count && 1 + (uint64_t)(count - 1) * VTEST_BATCH_STRIDE + batch_words > words) {
		return vtest_client_fail(
			client, "%u batches do not fit into %" PRIu64 " words", count, words);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!submit_batch(client, request, i)) {
			return false;
		}
	}
	return true;
}

enum needed_state {
	NEEDS_NOTHING,
	NEEDS_RENDERER, /* CREATE_RENDERER */
	NEEDS_CONTEXT,  /* and PROTOCOL_VERSION, and CONTEXT_INIT */
};

static const struct message {
	const char *name; /* NULL: not served */
	bool (*handle)(struct vtest_client *client, const struct vtest_request *request);
	enum needed_state needs;
	uint32_t min_size, max_size; /* bytes */
	bool replies_with_fd;
	uint32_t reply_words; /* before the descriptor */
} messages[VTEST_MESSAGE_COUNT] = {
	[VTEST_RESOURCE_UNREF] = {"RESOURCE_UNREF", resource_unref, NEEDS_CONTEXT, 4, 4},
	[VTEST_RESOURCE_BUSY_WAIT] =
		{"RESOURCE_BUSY_WAIT", resource_busy_wait, NEEDS_RENDERER, 8, 8},
	[VTEST_CREATE_RENDERER] =
		{"CREATE_RENDERER", create_renderer, NEEDS_NOTHING, 0, MAX_RENDERER_NAME},
	[VTEST_PING_PROTOCOL_VERSION] =
		{"PING_PROTOCOL_VERSION", ping_protocol_version, NEEDS_RENDERER, 0, 0},
	[VTEST_PROTOCOL_VERSION] = {"PROTOCOL_VERSION", protocol_version, NEEDS_RENDERER, 4, 4},
	[VTEST_GET_PARAM] = {"GET_PARAM", get_param, NEEDS_RENDERER, 4, 4},
	[VTEST_GET_CAPSET] = {"GET_CAPSET", get_capset, NEEDS_RENDERER, 8, 8},
	[VTEST_CONTEXT_INIT] = {"CONTEXT_INIT", context_init, NEEDS_RENDERER, 4, 4},
	[VTEST_RESOURCE_CREATE_BLOB] =
		{"RESOURCE_CREATE_BLOB", resource_create_blob, NEEDS_CONTEXT, 24, 24, true, 1},
	[VTEST_SYNC_CREATE] = {"SYNC_CREATE", handle_sync_create, NEEDS_CONTEXT, 8, 8},
	[VTEST_SYNC_UNREF] = {"SYNC_UNREF", handle_sync_unref, NEEDS_CONTEXT, 4, 4},
	[VTEST_SYNC_READ] = {"SYNC_READ", handle_sync_read, NEEDS_CONTEXT, 4, 4},
	[VTEST_SYNC_WRITE] = {"SYNC_WRITE", handle_sync_write, NEEDS_CONTEXT, 12, 12},
	[VTEST_SYNC_WAIT] = {"SYNC_WAIT", handle_sync_wait, NEEDS_CONTEXT, 8, MAX_WAIT, true, 0},
	[VTEST_SUBMIT_CMD2] = {"SUBMIT_CMD2", submit_cmd2, NEEDS_CONTEXT, 4, MAX_SUBMIT},
	[VTEST_RESOURCE_EXPORT_FD] =
		{"RESOURCE_EXPORT_FD", resource_export_fd, NEEDS_CONTEXT, 4, 4, true, 0},
};

int64_t vtest_dispatch_max_size(uint32_t id) {
	if (id >= VTEST_MESSAGE_COUNT || !messages[id].name) {
		return -1;
	}
	return messages[id].max_size;
}

bool vtest_dispatch(struct vtest_client *client, const struct vtest_request *request) {
	const struct message *message = &messages[request->id];
	client->request = message->name;
	if (request->size < message->min_size) {
		return vtest_client_fail(client, "it is too short");
	}
	if (message->needs >= NEEDS_RENDERER && !client->renderer) {
		return vtest_client_fail(client, "CREATE_RENDERER must come first");
	}
	if (message->needs >= NEEDS_CONTEXT && (!client->version || !client->has_context)) {
		return vtest_client_fail(client, "PROTOCOL_VERSION and CONTEXT_INIT must come first");
	}
	client->owed_fd = message->replies_with_fd ? request->id : 0;
	client->owed_words = message->reply_words;
	return message->handle(client, request);
}

static void handle_blob(void *data, const struct render_blob *event, int fd) {
	struct vtest_client *client = data;
	const struct render_blob blob = *event;
	const uint32_t id = client->wanted_blob;
	struct vtest_resource *resource = id_table_get(&client->resources, id);
	client->request = "RESOURCE_CREATE_BLOB";
	client->wanted_blob = 0;
	if (resource && resource->fd == -1) {
		resource->fd = fd;
	} else if (fd != -1) {
		close(fd);
	}

	bool alive;
	if (!resource || blob.resource_id != id) {
		alive = vtest_client_fail(client, "the render process answered what was not asked");
	} else if (blob.error == -ENOMEM) {
		/* the protocol has no error for that: what the client maps nobody else will see */
		log_warn("client %u (%s): %" PRIu64 " bytes of device memory could not be had",
			client->number, client->name, resource->size);
		alive = create_guest_blob(client, VTEST_RESOURCE_CREATE_BLOB, resource);
	} else if (blob.error < 0) {
		alive = vtest_client_fail(client, "%" PRIu64 " bytes of device memory: %s", resource->size,
			strerror(blob.error < -4095 ? EPROTO : -blob.error));
	} else if (blob.error > 0 || fd == -1 || blob.size < resource->size) {
		alive = vtest_client_fail(client, "the memory cannot be shared");
	} else {
		alive = vtest_client_reply(client, VTEST_RESOURCE_CREATE_BLOB, &id, 1, fd);
	}
	if (alive) {
		vtest_client_resume(client);
	} else {
		vtest_client_destroy(client);
	}
}

static void handle_fence(void *data, const struct render_fence *event) {
	struct vtest_client *client = data;
	int error = sync_retire_fence(&client->syncs, event->ring_idx, event->fence_id);
	if (error) {
		client->request = "fence";
		vtest_client_fail(client, "the render process retired one that does not exist");
		vtest_client_destroy(client);
	}
}

static void handle_lost(void *data, const char *why) {
	struct vtest_client *client = data;
	client->request = "context";
	vtest_client_fail(client, "%s", why);
	vtest_client_destroy(client);
}

static void handle_drained(void *data) {
	vtest_client_resume(data);
}

const struct renderer_listener vtest_renderer_listener = {
	.blob = handle_blob,
	.fence = handle_fence,
	.lost = handle_lost,
	.drained = handle_drained,
};
