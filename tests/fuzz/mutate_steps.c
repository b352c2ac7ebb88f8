/* SPDX-License-Identifier: MIT */

/* Changes inputs of gpu_world by whole steps, of which most are commands of the right size. */

#include <stdlib.h>

#include "fuzz.h"
#include "gpu/protocol.h"
#include "gpu_world.h"
#include "ipc/render_protocol.h"
#include "ipc/view_protocol.h"
#include "virtio/vhost_user_protocol.h"

static uint64_t state;

static uint64_t next(void) {
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint32_t below(uint32_t limit) {
	return (uint32_t)(next() >> 32) % limit;
}

/** Mostly such as ids, sizes and coordinates are. */
static uint32_t number(void) {
	static const uint32_t numbers[] = {0, 1, 2, 3, 4, 8, 16, 32, 47, 48, 63, 64, 65, 128, 256, 4096,
		8192, 12288, 0x7fffffff, 0x80000000, 0xffffffff, 0x40000000, 0x40001000};
	return below(8) ? numbers[below(sizeof(numbers) / sizeof(numbers[0]))] : (uint32_t)next();
}

static size_t fill(uint8_t *bytes, size_t size) {
	for (size_t i = 0; i + 4 <= size; i += 4) {
		const uint32_t value = below(3) ? number() : 0;
		memcpy(bytes + i, &value, sizeof(value));
	}
	return size;
}

static size_t make_request(uint8_t *bytes) {
	static const uint32_t types[] = {GPU_CMD_GET_DISPLAY_INFO, GPU_CMD_CTX_CREATE,
		GPU_CMD_UPDATE_CURSOR};
	static const uint32_t counts[] = {14, 10, 2};
	const uint32_t group = below(3);
	struct gpu_header header = {
		.type = types[group] + below(counts[group]),
		.flags = below(4),
		.fence_id = below(8),
		.ctx_id = below(4),
		.ring_idx = (uint8_t)below(4),
	};
	const size_t sizes[] = {32, 40, 48, 56, 96, 32 + 16, 56 + 32};
	const size_t size = fill(bytes, sizes[below(sizeof(sizes) / sizeof(sizes[0]))]);
	memcpy(bytes, &header, sizeof(header));
	if (header.type == GPU_CMD_RESOURCE_CREATE_2D || header.type == GPU_CMD_SET_SCANOUT_BLOB) {
		const uint32_t format = VIEW_FORMAT_B8G8R8X8;
		memcpy(bytes + (header.type == GPU_CMD_SET_SCANOUT_BLOB ? 56 : 28), &format, 4);
	}
	if (header.type == GPU_CMD_CTX_CREATE) {
		const uint32_t venus = GPU_CAPSET_VENUS;
		memcpy(bytes + 28, &venus, 4);
	}
	return size;
}

static size_t make_event(uint8_t *bytes, const size_t *sizes, uint32_t count) {
	const uint32_t type = below(count + 1);
	memcpy(bytes, &type, sizeof(type));
	return 4 + fill(bytes + 4, sizes[type < count ? type : 0]);
}

static size_t make_front(uint8_t *bytes) {
	static const uint8_t ids[] = {1, 2, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 24, 25,
		34, 36, 37, 38, 39, 40, 44};
	static const uint8_t sizes[] = {0, 8, 40, 40, 48, 12, 16, 72};
	struct vhost_user_header header = {
		.id = ids[below(sizeof(ids))],
		.flags = VHOST_USER_VERSION | (below(3) ? 0 : VHOST_USER_NEED_REPLY),
		.size = sizes[below(sizeof(sizes))],
	};
	fill(bytes + VHOST_USER_HEADER_SIZE, header.size);
	const uint64_t addresses[] = {0x40000000, 65536, 0x7f0000000000, 0};
	if (header.id == VHOST_USER_SET_MEM_TABLE || header.id == VHOST_USER_ADD_MEM_REG) {
		memcpy(bytes + VHOST_USER_HEADER_SIZE + 8, addresses, sizeof(addresses));
		header.size = 40;
	} else if (header.id == VHOST_USER_SET_VRING_ADDR) {
		const uint64_t queue[] = {below(2), 0x7f0000000000, 0x7f0000000200, 0x7f0000000100, 0};
		memcpy(bytes + VHOST_USER_HEADER_SIZE, queue, sizeof(queue));
		header.size = 40;
	} else if (header.id == VHOST_USER_SET_FEATURES && below(2)) {
		const uint64_t features = UINT64_C(1) << 32 | UINT64_C(1) << 30;
		memcpy(bytes + VHOST_USER_HEADER_SIZE, &features, sizeof(features));
		header.size = 8;
	} else if (header.id == VHOST_USER_SET_PROTOCOL_FEATURES && below(2)) {
		const uint64_t features = 0x558629;
		memcpy(bytes + VHOST_USER_HEADER_SIZE, &features, sizeof(features));
		header.size = 8;
	}
	memcpy(bytes, &header, sizeof(header));
	return VHOST_USER_HEADER_SIZE + header.size;
}

static size_t make_step(uint8_t *bytes) {
	static const size_t render[] = {8, sizeof(struct render_blob), sizeof(struct render_fence),
		sizeof(struct render_lost)};
	static const size_t view[] = {8, sizeof(struct view_hello), sizeof(struct view_presented),
		sizeof(struct view_resize)};
	struct gpu_world_step step = {
		.what = (uint8_t)below(GPU_WORLD_PARTY_COUNT),
		.how = below(4) ? (uint8_t)(next() & next() & next()) : (uint8_t)next(),
	};
	uint8_t *body = bytes + sizeof(step);
	size_t size = 0;
	switch (step.what) {
	case GPU_WORLD_REQUEST:
		size = make_request(body);
		break;
	case GPU_WORLD_POKE:
		size = fill(body, 4 + 4 * below(8));
		break;
	case GPU_WORLD_RENDER:
		size = make_event(body, render, 4);
		break;
	case GPU_WORLD_VIEW:
		size = make_event(body, view, 4);
		break;
	case GPU_WORLD_FRONT:
		size = make_front(body);
		break;
	case GPU_WORLD_CONTROL:
		memcpy(body, "stat\n", 5);
		size = 5;
		break;
	default:
		break;
	}
	step.size = (uint16_t)size;
	memcpy(bytes, &step, sizeof(step));
	return sizeof(step) + size;
}

/** Where step number n begins, or the end. */
static size_t step_at(const uint8_t *data, size_t size, uint32_t n) {
	size_t at = 0;
	while (n-- && at + sizeof(struct gpu_world_step) <= size) {
		struct gpu_world_step step;
		memcpy(&step, data + at, sizeof(step));
		at += sizeof(step) + step.size;
	}
	return at < size ? at : size;
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t max_size, uint64_t random) {
	uint8_t step[512];
	state = random;
	const uint32_t n = below(12);
	const size_t at = step_at(data, size, n), end = step_at(data, size, n + 1);
	if (below(6) == 0 && end > at) {
		memmove(data + at, data + end, size - end);
		return size - (end - at);
	}
	if (below(3) == 0 && end > at + sizeof(struct gpu_world_step) + 4) {
		const size_t words = (end - at - sizeof(struct gpu_world_step)) / 4;
		const uint32_t value = number();
		memcpy(data + at + sizeof(struct gpu_world_step) + 4 * below((uint32_t)words), &value, 4);
		return size;
	}
	const size_t added = make_step(step);
	if (added > max_size - size) {
		return size;
	}
	memmove(data + at + added, data + at, size - at);
	memcpy(data + at, step, added);
	return size + added;
}

void fuzz_finish(void) {
}
