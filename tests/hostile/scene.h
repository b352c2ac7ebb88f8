/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_HOSTILE_SCENE_H
#define VENERA_TESTS_HOSTILE_SCENE_H

#include "../render/peer.h"
#include "../render/peer_device.h"

/** What a program has that draws: everything in it is as it should be. */
enum {
	SCENE_BUFFER = 0x400,
	SCENE_MEMORY,
	SCENE_IMAGE,
	SCENE_IMAGE_MEMORY,
	SCENE_VIEW,
	SCENE_SAMPLER,
	SCENE_PASS,
	SCENE_FRAMEBUFFER,
	SCENE_VERTEX,
	SCENE_FRAGMENT,
	SCENE_COMPUTE,
	SCENE_SET_LAYOUT,
	SCENE_DESCRIPTOR_POOL,
	SCENE_SET,
	SCENE_LAYOUT,
	SCENE_COMPUTE_PIPELINE,
	SCENE_GRAPHICS_PIPELINE,
	SCENE_COMMAND_POOL,
	SCENE_COMMANDS,
	SCENE_QUERIES,
	SCENE_SEMAPHORE, /* a timeline */
	SCENE_EVENT,
	SCENE_FREE = 0x500, /* ids for cases */
};

enum { SCENE_SIZE = 65536, SCENE_SIDE = 16, SCENE_QUERY_COUNT = 4 };

#define SCENE_ID(type, id) PEER_HANDLE(Vk##type, id)

/** One command that the guest does not wait for. */
#define SCENE_DO(peer, command, ...) \
	do { \
		peer_begin(peer); \
		PEER_ADD(peer, command, __VA_ARGS__); \
		peer_ring_write(peer); \
	} while (0)

/** Its compute shader, which works. */
const uint32_t *scene_compute_code(size_t *words);

/** Makes it, unless this peer has it. */
void scene_make(struct peer *peer);

/** Waits until all is executed, and begins a stream. */
void scene_settle(struct peer *peer);

/** Begins its command buffer anew. */
void scene_begin(struct peer *peer);

/** In what scene_begin() has begun: its pass, with pipeline, set, and all that they need. */
void scene_begin_pass(struct peer *peer);
/** The same for dispatches. */
void scene_bind_compute(struct peer *peer);

/** Submits what was recorded and waits for it, or for the end of the context. */
void scene_submit(struct peer *peer);

#endif
