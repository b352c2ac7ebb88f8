/* SPDX-License-Identifier: MIT */
#include "gpu_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "fuzz.h"
#include "gpu/bounds.h"
#include "gpu/control.h"
#include "gpu/device.h"
#include "gpu/display.h"
#include "gpu/reaper.h"
#include "gpu/stat.h"
#include "ipc/broker.h"
#include "ipc/render_protocol.h"
#include "ipc/view_protocol.h"
#include "still_base.h"
#include "still_sockets.h"
#include "virtio/vhost_user_protocol.h"

/* guest memory: the queues, then a buffer that requests are written to, then what is shown */
#define MEMORY_SIZE ((size_t)64 * 1024)
#define QUEUE_SIZE 16
#define QUEUE_SPACE 1024
#define REQUEST_AT 4096
#define RESPONSE_AT 32768
#define RESPONSE_SIZE 2048
#define TABLE_AT 3072
#define GUEST_BASE UINT64_C(0x40000000)
#define USER_BASE UINT64_C(0x7f0000000000)
#define HOSTMEM ((uint64_t)1 << 24)
#define MAX_STEPS 64
#define MAX_RENDERERS 8
#define OUTPUTS 2

static struct {
	struct event_loop *loop;
	struct reaper *reaper;
	struct display *display;
	struct control *control;
	struct gpu_device *device;
	const struct gpu_world_options *options;
	bool closed;

	int front, back; /* sockets of the device's; back -1: none */
	int view_listen, view, control_listen;
	int renderers[MAX_RENDERERS];
	unsigned renderer_count;

	uint8_t *memory; /* the guest's */
	int memory_fd;
	struct {
		uint16_t avail; /* the driver's index */
		int kick;
	} queues[GPU_QUEUE_COUNT];
	uint32_t shmem_seen;
} world;

/* --- what is not linked --- */

struct reaper *reaper_create(struct event_loop *loop, struct broker *broker) {
	(void)loop;
	(void)broker;
	return (struct reaper *)&world;
}

void reaper_destroy(struct reaper *reaper) {
	(void)reaper;
}

void reaper_add(struct reaper *reaper, pid_t pid, const char *name, unsigned grace_ms) {
	(void)reaper;
	(void)pid;
	(void)grace_ms;
	if (strlen(name) > 4096) {
		abort();
	}
}

size_t reaper_count(const struct reaper *reaper) {
	(void)reaper;
	return 0;
}

pid_t broker_start(struct broker *broker, const char *name, int channel_fd, int counters_fd) {
	(void)broker;
	(void)counters_fd;
	if (strlen(name) > 4096 || channel_fd < 0) {
		abort();
	}
	if (world.renderer_count == MAX_RENDERERS) {
		return -EAGAIN;
	}
	world.renderers[world.renderer_count++] = still_socket_newest_pair();
	return 1000;
}

/*
 * The memory for a request is large, and would be mapped and unmapped for each input. The
 * sanitizer's own start calls these, before what it puts into other functions works.
 */
#define EARLY __attribute__((no_sanitize("address", "undefined")))

static void *large;
static bool large_is_used;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
EARLY void *__wrap_malloc(size_t size) {
	if (size != GPU_MAX_REQUEST_SIZE || large_is_used) {
		return __real_malloc(size);
	}
	if (!large) {
		large = __real_malloc(size);
	}
	large_is_used = true;
	return large;
}

void __real_free(void *data);
void __wrap_free(void *data);
EARLY void __wrap_free(void *data) {
	if (data && data == large) {
		large_is_used = false;
	} else {
		__real_free(data);
	}
}

/* --- the front end --- */

static void send_front(uint32_t id, const void *payload, uint32_t size, const int *fds, int count) {
	uint8_t message[VHOST_USER_HEADER_SIZE + sizeof(union vhost_user_payload)];
	const struct vhost_user_header header = {.id = id, .flags = VHOST_USER_VERSION, .size = size};
	memcpy(message, &header, sizeof(header));
	if (size) {
		memcpy(message + sizeof(header), payload, size);
	}
	still_socket_feed(world.front, message, sizeof(header) + size, fds, count);
}

static void send_front_u64(uint32_t id, uint64_t value) {
	send_front(id, &value, sizeof(value), NULL, 0);
}

static void start_queue(unsigned index, uint16_t base) {
	const uint64_t at = USER_BASE + index * QUEUE_SPACE;
	struct vhost_user_vring_state state = {.index = index, .value = QUEUE_SIZE};
	send_front(VHOST_USER_SET_VRING_NUM, &state, sizeof(state), NULL, 0);
	state.value = base;
	send_front(VHOST_USER_SET_VRING_BASE, &state, sizeof(state), NULL, 0);
	const struct vhost_user_vring_addr addr = {
		.index = index,
		.desc = at,
		.avail = at + 16 * QUEUE_SIZE,
		.used = at + 512,
	};
	send_front(VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	const uint64_t value = index;
	world.queues[index].kick = still_socket();
	int call = still_handle();
	send_front(VHOST_USER_SET_VRING_KICK, &value, sizeof(value), &world.queues[index].kick, 1);
	send_front(VHOST_USER_SET_VRING_CALL, &value, sizeof(value), &call, 1);
	state.value = 1;
	send_front(VHOST_USER_SET_VRING_ENABLE, &state, sizeof(state), NULL, 0);
}

static void set_up(void) {
	send_front_u64(VHOST_USER_SET_FEATURES,
		UINT64_C(1) << VHOST_USER_F_PROTOCOL_FEATURES |
			UINT64_C(1) << VIRTIO_F_INDIRECT_DESC | UINT64_C(1) << VIRTIO_F_VERSION_1);
	send_front_u64(VHOST_USER_SET_PROTOCOL_FEATURES,
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_MQ |
			UINT64_C(1) << VHOST_USER_PROTOCOL_F_BACKEND_REQ |
			UINT64_C(1) << VHOST_USER_PROTOCOL_F_CONFIG |
			UINT64_C(1) << VHOST_USER_PROTOCOL_F_BACKEND_SEND_FD |
			UINT64_C(1) << VHOST_USER_PROTOCOL_F_STATUS |
			UINT64_C(1) << VHOST_USER_PROTOCOL_F_SHMEM_MAP);
	world.back = still_socket();
	send_front(VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, &world.back, 1);
	struct vhost_user_mem_table table = {
		.count = 1,
		.regions[0] = {
			.guest_addr = GUEST_BASE,
			.size = MEMORY_SIZE,
			.user_addr = USER_BASE,
		},
	};
	int fd = still_fd_dup(world.memory_fd);
	send_front(VHOST_USER_SET_MEM_TABLE, &table, 8 + sizeof(table.regions[0]), &fd, 1);
	for (unsigned i = 0; i < GPU_QUEUE_COUNT; i++) {
		start_queue(i, 0);
	}
}

/* --- the guest --- */

static void put(size_t at, const void *data, size_t size) {
	memcpy(world.memory + at, data, size);
}

static void put_u16(size_t at, uint16_t value) {
	put(at, &value, sizeof(value));
}

static void put_desc(size_t at, uint64_t where, uint32_t size, uint16_t flags, uint16_t next) {
	const uint64_t address = GUEST_BASE + where;
	put(at, &address, 8);
	put(at + 8, &size, 4);
	put_u16(at + 12, flags);
	put_u16(at + 14, next);
}

static void kick(void) {
	for (unsigned i = 0; i < GPU_QUEUE_COUNT; i++) {
		if (still_socket_is_open(world.queues[i].kick)) {
			const uint64_t one = 1;
			still_socket_feed(world.queues[i].kick, &one, sizeof(one), NULL, 0);
		}
	}
	still_loop_run(world.loop);
}

static void request(uint8_t how, const uint8_t *data, size_t size) {
	enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };
	const unsigned index = how & 1;
	const size_t queue = index * QUEUE_SPACE;
	/* each request of a queue has its own place, as it may be answered late */
	const uint16_t slot = world.queues[index].avail % (QUEUE_SIZE / 4);
	const size_t at = REQUEST_AT + (index * 4 + slot) * (size_t)3072;
	const size_t response_at = RESPONSE_AT + (index * 4 + slot) * (size_t)RESPONSE_SIZE;
	if (size > 3072) {
		size = 3072;
	}
	if (size) {
		put(at, data, size);
	}
	const bool indirect = how & 4, pieces = how & 2, no_room = how & 8;
	const size_t table = indirect ? TABLE_AT + slot * (size_t)64 + index * 512 :
					queue + slot * (size_t)64;
	const uint16_t first = indirect ? 0 : (uint16_t)(slot * 4);
	uint16_t n = 0;
	const size_t cut = pieces ? size / 3 : 0;
	if (cut) {
		put_desc(table, at, (uint32_t)cut, NEXT, (uint16_t)(first + 1));
		n++;
	}
	put_desc(table + n * (size_t)16, at + cut, (uint32_t)(size - cut), no_room ? 0 : NEXT,
		(uint16_t)(first + n + 1));
	n++;
	if (!no_room && pieces) {
		put_desc(table + n * (size_t)16, response_at, 40, WRITE | NEXT,
			(uint16_t)(first + n + 1));
		n++;
	}
	if (!no_room) {
		const uint32_t used = pieces ? 40 : 0;
		put_desc(table + n * (size_t)16, response_at + used, RESPONSE_SIZE - used, WRITE, 0);
		n++;
	}
	if (indirect) {
		put_desc(queue + slot * (size_t)64, table, n * 16U, INDIRECT, 0);
	}
	const size_t avail = queue + 16 * QUEUE_SIZE;
	put_u16(avail + 4 + 2 * (size_t)(world.queues[index].avail % QUEUE_SIZE),
		(uint16_t)(slot * 4));
	put_u16(avail + 2, ++world.queues[index].avail);
	kick();
}

/* --- the render processes --- */

static void send_event(int fd, uint32_t type, const void *body, size_t size, int message_fd) {
	uint8_t message[16 + 4096];
	const uint32_t header[4] = {type, (uint32_t)size, message_fd >= 0, 0};
	memcpy(message, header, sizeof(header));
	if (size) {
		memcpy(message + sizeof(header), body, size);
	}
	still_socket_feed(fd, message, sizeof(header) + size, &message_fd, message_fd >= 0);
}

/** What a render process is asked: one that behaves answers. */
static void render_asked(int fd, const uint8_t *data, size_t size) {
	uint32_t type;
	if (size < 16 + sizeof(struct render_submit)) {
		return;
	}
	memcpy(&type, data, sizeof(type));
	if (type == RENDER_REQUEST_CREATE_BLOB) {
		struct render_create_blob blob;
		memcpy(&blob, data + 16, sizeof(blob));
		struct render_blob answer = {
			.resource_id = blob.resource_id,
			.map_info = RENDER_MAP_CACHED,
			.size = (blob.size + 4095) / 4096 * 4096,
		};
		int memory = blob.size && blob.size <= STILL_MAX_SHMEM ?
			still_fd_create(answer.size, true) : -1;
		if (memory < 0) {
			answer = (struct render_blob){
				.resource_id = blob.resource_id, .error = -ENOMEM};
			memory = -1;
		}
		send_event(fd, RENDER_EVENT_BLOB, &answer, sizeof(answer), memory);
	} else if (type == RENDER_REQUEST_SUBMIT) {
		struct render_submit submit;
		memcpy(&submit, data + 16, sizeof(submit));
		if (submit.flags & RENDER_SUBMIT_FENCE) {
			const struct render_fence fence = {
				.fence_id = submit.fence_id, .ring_idx = submit.ring_idx};
			send_event(fd, RENDER_EVENT_FENCE, &fence, sizeof(fence), -1);
		}
	}
}

static void sent(int fd, const uint8_t *data, size_t size, const int *fds, int fd_count) {
	(void)fds;
	(void)fd_count;
	for (unsigned i = 0; i < world.renderer_count; i++) {
		if (fd == world.renderers[i] && world.options->render_behaves) {
			/* the channel writes the header and the body in two pieces */
			static uint8_t message[256];
			static size_t filled;
			if (size == 16) {
				memcpy(message, data, 16);
				filled = 16;
			} else if (filled == 16) {
				const size_t part = size < sizeof(message) - 16 ? size : sizeof(message) - 16;
				memcpy(message + 16, data, part);
				render_asked(fd, message, 16 + part);
				filled = 0;
			} else {
				render_asked(fd, data, size);
			}
			return;
		}
	}
	if (fd == world.back && world.options->set_up) {
		/* it is acknowledged when all of it is there */
		struct vhost_user_header header;
		static uint8_t message[VHOST_USER_HEADER_SIZE + sizeof(struct vhost_user_shmem_map)];
		if (size > sizeof(message) - world.shmem_seen) {
			size = sizeof(message) - world.shmem_seen;
		}
		memcpy(message + world.shmem_seen, data, size);
		world.shmem_seen += (uint32_t)size;
		if (world.shmem_seen < VHOST_USER_HEADER_SIZE) {
			return;
		}
		memcpy(&header, message, sizeof(header));
		if (world.shmem_seen < VHOST_USER_HEADER_SIZE + header.size) {
			return;
		}
		world.shmem_seen = 0;
		uint8_t answer[VHOST_USER_HEADER_SIZE + 8] = {0};
		header.flags = VHOST_USER_VERSION | VHOST_USER_REPLY;
		header.size = 8;
		memcpy(answer, &header, sizeof(header));
		still_socket_feed(world.back, answer, sizeof(answer), NULL, 0);
	}
}

/* --- steps --- */

static int a_descriptor(uint8_t how, uint64_t size) {
	return still_fd_create(size && size <= STILL_MAX_SHMEM ? size : 8192, !(how & 32));
}

/** What a render process or a view sends. */
static void peer_step(int fd, uint8_t how, const uint8_t *data, size_t size) {
	if (how & 64) {
		still_socket_hang_up(fd);
	} else if (how & 16) {
		int memory = how & 8 ? a_descriptor(how, 0) : -1;
		still_socket_feed(fd, data, size, &memory, memory >= 0);
	} else if (size >= 4) {
		uint32_t type;
		memcpy(&type, data, sizeof(type));
		size = size > 4 + 4096 ? 4096 : size - 4;
		struct render_blob blob = {0};
		memcpy(&blob, data + 4, size < sizeof(blob) ? size : sizeof(blob));
		int memory = how & 8 ? a_descriptor(how, blob.size) : -1;
		send_event(fd, type, data + 4, size, memory);
	}
}

static void view_step(uint8_t how, const uint8_t *data, size_t size) {
	if (how & 1) {
		const int view = still_socket_call(world.view_listen);
		world.view = view > 0 ? view : world.view;
		still_loop_run(world.loop);
	}
	peer_step(world.view, how, data, size);
}

static void front_step(uint8_t how, const uint8_t *data, size_t size) {
	int fds[8 + 1], count = 0;
	for (int i = 0; i < (how & 7); i++) {
		fds[count++] = i == 0 ? still_fd_dup(world.memory_fd) : still_fd_create(8192, true);
	}
	if (how & 8) {
		fds[count++] = still_socket();
	}
	const int fd = how & 16 ? world.back : world.front;
	if (how & 64) {
		still_socket_hang_up(fd);
	} else if (!world.options->set_up && size >= 4 && data[0] == VHOST_USER_SET_BACKEND_REQ_FD &&
			count && world.back < 0) {
		still_any_close(fds[0]);
		fds[0] = world.back = still_socket();
		still_socket_feed(fd, data, size, fds, count);
		return;
	}
	still_socket_feed(fd, data, size, fds, count);
}

static void pause_step(uint8_t how) {
	for (unsigned i = 0; i < GPU_QUEUE_COUNT; i++) {
		const struct vhost_user_vring_state state = {.index = i};
		send_front(VHOST_USER_SET_VRING_ENABLE, &state, sizeof(state), NULL, 0);
		send_front(VHOST_USER_GET_VRING_BASE, &state, sizeof(state), NULL, 0);
	}
	still_loop_run(world.loop);
	if (how & 2) {
		memset(world.memory, 0, GPU_QUEUE_COUNT * QUEUE_SPACE);
		world.queues[0].avail = world.queues[1].avail = 0;
	}
	if (how & 3) {
		for (unsigned i = 0; i < GPU_QUEUE_COUNT; i++) {
			start_queue(i, world.queues[i].avail);
		}
	}
}

static void step(uint8_t what, uint8_t how, const uint8_t *data, size_t size) {
	switch (what) {
	case GPU_WORLD_REQUEST:
		request(how, data, size);
		break;
	case GPU_WORLD_POKE: {
		uint32_t at;
		if (size >= sizeof(at)) {
			memcpy(&at, data, sizeof(at));
			at %= MEMORY_SIZE;
			size -= sizeof(at);
			size = size > MEMORY_SIZE - at ? MEMORY_SIZE - at : size;
			put(at, data + sizeof(at), size);
		}
		kick();
		break;
	}
	case GPU_WORLD_RENDER:
		if (world.renderer_count) {
			peer_step(world.renderers[(how & 7) % world.renderer_count], how, data, size);
		}
		break;
	case GPU_WORLD_VIEW:
		view_step(how, data, size);
		break;
	case GPU_WORLD_FRONT:
		front_step(how, data, size);
		break;
	case GPU_WORLD_CONTROL: {
		const int client = still_socket_call(world.control_listen);
		if (client > 0) {
			still_loop_run(world.loop);
			still_socket_feed(client, data, size, NULL, 0);
			if (how & 1) {
				still_socket_set_room(client, how);
			}
			if (how & 2) {
				still_socket_hang_up(client);
			}
		}
		break;
	}
	case GPU_WORLD_TIME:
		still_clock_advance(how * UINT64_C(100) * CLOCK_NS_PER_MS);
		break;
	case GPU_WORLD_PAUSE:
		pause_step(how);
		break;
	default:
		break;
	}
	still_loop_run(world.loop);
}

/* --- from the beginning to the end --- */

static void handle_closed(void *data, int err) {
	(void)data;
	(void)err;
	world.closed = true;
}

static void write_stat(void *data, struct json_text *text) {
	(void)data;
	gpu_stat_write(text, world.device, world.display, OUTPUTS);
}

static void make_contexts(void) {
	for (uint32_t id = 1; id <= 2; id++) {
		struct gpu_ctx_create create = {
			.header = {.type = GPU_CMD_CTX_CREATE, .ctx_id = id},
			.name_size = 4,
			.context_init = GPU_CAPSET_VENUS,
			.name = "test",
		};
		request(0, (const uint8_t *)&create, sizeof(create));
		struct gpu_resource_create_blob blob = {
			.header = {.type = GPU_CMD_RESOURCE_CREATE_BLOB, .ctx_id = id},
			.resource_id = id,
			.blob_mem = GPU_BLOB_MEM_HOST3D,
			.blob_flags = GPU_BLOB_MAPPABLE,
			.blob_id = id,
			.size = 8192,
		};
		request(0, (const uint8_t *)&blob, sizeof(blob));
		struct gpu_submit_3d submit = {
			.header = {.type = GPU_CMD_SUBMIT_3D, .ctx_id = id, .fence_id = id,
				.flags = GPU_FLAG_FENCE | GPU_FLAG_RING_IDX, .ring_idx = 1},
		};
		if (id == 1) {
			request(0, (const uint8_t *)&submit, sizeof(submit));
		}
	}
}

void gpu_world_run(const struct gpu_world_options *options, const uint8_t *data, size_t size) {
	static const struct control_ops control_ops = {.stat = write_stat};
	still_base_begin();
	memset(&world, 0, sizeof(world));
	world.options = options;
	world.back = world.view = -1;
	world.queues[0].kick = world.queues[1].kick = -1;
	still_socket_sent = sent;
	world.memory_fd = still_fd_create(MEMORY_SIZE, true);
	size_t memory_size;
	world.memory = still_fd_data(world.memory_fd, &memory_size);

	world.loop = event_loop_create();
	world.reaper = reaper_create(world.loop, NULL);
	const struct display_options display_options = {
		.width = 64, .height = 48, .output_count = OUTPUTS};
	world.display = display_create(world.loop, &display_options);
	world.control_listen = still_socket();
	world.control = control_create(world.loop, world.control_listen, &control_ops, NULL);
	static struct limits limits;
	if (!limits.value[0]) {
		limits_init(&limits); /* asks the system */
	}
	const struct gpu_device_options device_options = {
		.limits = limits,
		.hostmem = HOSTMEM,
		.output_count = OUTPUTS,
		.closed = handle_closed,
	};
	world.front = still_socket();
	world.device = gpu_device_create(
		world.loop, world.reaper, world.display, world.front, &device_options);
	world.view_listen = still_socket();
	if (!world.loop || !world.display || !world.control || !world.device ||
			display_listen(world.display, world.view_listen) < 0) {
		abort();
	}
	if (options->set_up) {
		set_up();
		still_loop_run(world.loop);
	}
	if (options->has_view) {
		world.view = still_socket_call(world.view_listen);
		still_loop_run(world.loop);
		const struct view_hello hello = {.width = 64, .height = 48, .refresh_mhz = 60000};
		send_event(world.view, VIEW_EVENT_HELLO, &hello, sizeof(hello), -1);
		still_loop_run(world.loop);
	}
	if (options->has_contexts) {
		make_contexts();
	}

	struct fuzz_input input = {data, size};
	for (int i = 0; i < MAX_STEPS && input.size && !world.closed; i++) {
		struct gpu_world_step head;
		fuzz_take(&input, &head, sizeof(head));
		size_t bytes = head.size;
		const uint8_t *body = fuzz_bytes(&input, &bytes);
		uint8_t what = head.what % GPU_WORLD_PARTY_COUNT;
		while (!(options->parties >> what & 1)) {
			what = (uint8_t)((what + 1) % GPU_WORLD_PARTY_COUNT);
		}
		/* of its own size, where AddressSanitizer sees what is read behind it */
		uint8_t *copy = malloc(bytes ? bytes : 1);
		if (bytes) {
			memcpy(copy, body, bytes);
		}
		step(what, head.how, copy, bytes);
		free(copy);
	}

	control_destroy(world.control);
	gpu_device_destroy(world.device);
	display_destroy(world.display);
	reaper_destroy(world.reaper);
	event_loop_destroy(world.loop);
	still_fd_close(world.memory_fd);
	const unsigned sockets = still_sockets_reset(), memory = still_fd_count();
	if (memory || sockets > world.renderer_count) {
		fprintf(stderr, "left behind: %u sockets, %u descriptors of memory\n", sockets, memory);
		abort();
	}
}
