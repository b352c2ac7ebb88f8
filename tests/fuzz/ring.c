/* SPDX-License-Identifier: MIT */

/*
 * A render process, its device and the memory that it shares with the guest: messages of the
 * device's in any form, rings that the guest writes to at any time, also between two calls of one
 * command and while the ring sleeps.
 *
 * An input is a series of steps: u8 what, u8 how, u16 size, then that many bytes.
 */

#include <stdlib.h>

#include "fuzz.h"
#include "mutate_commands.h"
#include "render/resource.h"
#include "render/ring.h"
#include "render_world.h"
#include "still_base.h"
#include "still_threads.h"
#include "venus/encoder.h"
#include "venus/venus_client.h"
#include "venus/venus_mesa.h"

enum step {
	STEP_COMMANDS, /* go into the ring, and its tail moves behind them */
	STEP_POKE,     /* u32 where, then bytes that are written into the resource */
	STEP_TAIL,     /* u32: where the tail says to be */
	STEP_SUBMIT,   /* commands on the context path; how: bit 0: a fence, on timeline how / 2 */
	STEP_MESSAGE,  /* of type `how` % 8, with a descriptor if how & 8, unsealed if how & 16 */
	STEP_RUN,      /* the ring's thread runs until it has nothing to do */
	STEP_PLAN,     /* of the driver: lies, error, then u16 the call that fails */
	STEP_COUNT,
};

/* the resource of the world: replies in front, then the ring */
#define RING_AT 8192
#define BUFFER_AT (RING_AT + 256)
#define BUFFER_SIZE 4096
#define RING_ID 7

static struct {
	struct fuzz_input input;
	uint8_t *memory;
	uint32_t tail;
	int depth;
} script;

static struct render_ring *the_ring(void) {
	return list_empty(&render_world.rings) ? NULL :
		LIST_CONTAINER(render_world.rings.next, struct render_ring, link);
}

static void store(uint32_t at, uint32_t value) {
	memcpy(script.memory + at, &value, sizeof(value));
}

static void make_ring(void) {
	const VkRingCreateInfoMESA info = {
		.sType = VK_STRUCTURE_TYPE_RING_CREATE_INFO_MESA,
		.resourceId = RENDER_WORLD_RESOURCE,
		.offset = RING_AT,
		.size = 256 + BUFFER_SIZE + 64,
		.idleTimeout = 1000,
		.headOffset = 0,
		.tailOffset = 64,
		.statusOffset = 128,
		.bufferOffset = 256,
		.bufferSize = BUFFER_SIZE,
		.extraOffset = 256 + BUFFER_SIZE,
		.extraSize = 64,
	};
	const struct venus_vkCreateRingMESA args = {.ring = RING_ID, .pCreateInfo = &info};
	uint8_t stream[512];
	struct venus_encoder e = {.cursor = stream, .end = stream + sizeof(stream)};
	venus_encode_vkCreateRingMESA_request(&e, 0, &args);
	render_world_submit(stream, (size_t)(e.cursor - stream), -1);
}

static void take_step(void);

/** The guest goes on while the ring waits, or the driver is at work. */
static void meanwhile(void *data) {
	(void)data;
	if (script.depth < 2 && script.input.size) {
		take_step();
	}
}

static void while_waiting(void) {
	struct render_ring *ring = the_ring();
	if (ring && script.depth < 2 && script.input.size) {
		take_step();
	} else if (ring) {
		atomic_store(&ring->stop, true);
	}
}

/**
 * The ring's thread is a function here, which returns when it is told to stop, and can be called
 * again.
 */
static void run_ring(void) {
	struct render_ring *ring = the_ring();
	if (!ring || script.depth) {
		return;
	}
	script.depth++;
	still_threads_run();
	script.depth--;
	ring = the_ring();
	if (ring) {
		atomic_store(&ring->stop, false);
	}
}

static void message(uint8_t how, const uint8_t *data, size_t size) {
	uint64_t wanted = 0;
	if (size >= 16) {
		memcpy(&wanted, data + 8, sizeof(wanted));
	}
	const int fd = how & 8 ? still_fd_create(
		wanted && wanted <= STILL_MAX_SHMEM ? page_align(wanted) : 4096, !(how & 16)) : -1;
	/* the channel's buffer is aligned */
	uint8_t *copy = malloc(size ? size : 1);
	if (size) {
		memcpy(copy, data, size);
	}
	render_world_message(how & 7, copy, size, fd);
	free(copy);
}

static void take_step(void) {
	uint8_t what = fuzz_u8(&script.input) % STEP_COUNT, how = fuzz_u8(&script.input);
	size_t size = fuzz_u16(&script.input);
	const uint8_t *data = fuzz_bytes(&script.input, &size);
	script.depth++;
	switch (what) {
	case STEP_COMMANDS:
		size &= ~(size_t)3;
		size = size > BUFFER_SIZE ? BUFFER_SIZE : size;
		for (size_t i = 0; i < size; i++) {
			script.memory[BUFFER_AT + (script.tail + i) % BUFFER_SIZE] = data[i];
		}
		script.tail += (uint32_t)size;
		store(RING_AT + 64, script.tail);
		break;
	case STEP_POKE:
		if (size > 4) {
			uint32_t at;
			memcpy(&at, data, sizeof(at));
			at %= RENDER_WORLD_RESOURCE_SIZE;
			size_t part = size - 4;
			part = part > RENDER_WORLD_RESOURCE_SIZE - at ? RENDER_WORLD_RESOURCE_SIZE - at : part;
			memcpy(script.memory + at, data + 4, part);
		}
		break;
	case STEP_TAIL:
		if (size >= 4) {
			memcpy(&script.tail, data, sizeof(script.tail));
			store(RING_AT + 64, script.tail);
		}
		break;
	case STEP_SUBMIT:
		/* the context path is another thread, which the ring does not wait for here */
		if (script.depth == 1) {
			render_world_submit(data, size & ~(size_t)3, how & 1 ? how / 2 : -1);
		}
		break;
	case STEP_MESSAGE:
		if (script.depth == 1) {
			message(how, data, size);
		}
		break;
	case STEP_PLAN: {
		const struct fake_plan plan = {
			.seed = how,
			.lies = size > 0 ? data[0] : 0,
			.error = size > 1 ? -(VkResult)data[1] : VK_ERROR_DEVICE_LOST,
			.fail_at = size > 2 ? data[2] : 0,
			.meanwhile = meanwhile,
		};
		fake_replan(&plan);
		break;
	}
	default:
		break;
	}
	script.depth--;
	if (what == STEP_RUN || what == STEP_COMMANDS) {
		run_ring();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct fake_plan plan = {.seed = size ? data[0] : 0, .meanwhile = meanwhile};
	script.input = (struct fuzz_input){data, 0};
	script.tail = 0;
	script.depth = 0;
	render_world_waits = while_waiting;
	render_world_rewinds = true;
	render_world_begin(&plan, true, data, size);
	struct render_resource *resource = render_resource_get(&render_world, RENDER_WORLD_RESOURCE);
	script.memory = render_resource_data(resource);
	make_ring();
	script.input.size = size;
	while (script.input.size) {
		take_step();
	}
	render_resource_unref(resource);
	render_world_end();
	return 0;
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t max_size, uint64_t random) {
	/* the last step, if it is one of commands, or a new one */
	size_t at = 0, last = SIZE_MAX;
	while (at + 4 <= size) {
		uint16_t bytes;
		memcpy(&bytes, data + at + 2, sizeof(bytes));
		const uint8_t what = data[at] % STEP_COUNT;
		if ((what == STEP_COMMANDS || what == STEP_SUBMIT) &&
				(last == SIZE_MAX || random % 3 == 0)) {
			last = at;
		}
		random = random * 6364136223846793005u + 1442695040888963407u;
		at += 4 + (size_t)bytes;
	}
	if (last == SIZE_MAX || random % 7 == 0) {
		if (size + 4 + 64 > max_size) {
			return size;
		}
		const uint8_t head[4] = {(uint8_t)(random >> 16), (uint8_t)(random >> 24),
			(uint8_t)((random >> 32) & 0x3c), 0};
		memcpy(data + size, head, sizeof(head));
		memset(data + size + 4, 0, head[2]);
		return size + 4 + head[2];
	}
	uint16_t bytes;
	memcpy(&bytes, data + last + 2, sizeof(bytes));
	const size_t begin = last + 4;
	size_t end = begin + bytes > size ? size : begin + bytes;
	/* what follows is moved out of the way */
	const size_t behind = size - end;
	uint8_t *rest = malloc(behind ? behind : 1);
	memcpy(rest, data + end, behind);
	size_t room = max_size - begin - behind;
	room = room > 2048 ? 2048 : room;
	size_t changed = end - begin > room ? end - begin :
		mutate_commands(data + begin, end - begin, room, random);
	memcpy(data + begin + changed, rest, behind);
	free(rest);
	bytes = (uint16_t)changed;
	memcpy(data + last + 2, &bytes, sizeof(bytes));
	return begin + changed + behind;
}

void fuzz_finish(void) {
	render_world_finish();
}
