/* SPDX-License-Identifier: MIT */

/* Rings, reply streams, command streams, resources and waits in the hands of a hostile guest. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"
#include "base/clock.h"
#include "hostile.h"

enum { OTHER_RESOURCE = 9, OTHER_SIZE = 65536 };

/** What streams call it. */
#define ID(resource) peer_resource(peer, resource)

/** A resource of this case's own. */
static struct shmem other(struct peer *peer) {
	struct shmem shm;
	peer_detach(peer, OTHER_RESOURCE);
	CHECK_INT(peer_create_blob(peer, OTHER_RESOURCE, RENDER_BLOB_MAPPABLE, 0, OTHER_SIZE, &shm), 0);
	return shm;
}

static void other_unmapped(struct peer *peer) {
	struct shmem shm = other(peer);
	shmem_finish(&shm);
}

/* --- layouts of rings --- */

static void create_ring(struct peer *peer, uint64_t id, const VkRingCreateInfoMESA *info) {
	peer_begin(peer);
	PEER_ADD(peer, vkCreateRingMESA, .ring = id, .pCreateInfo = info);
	peer_submit(peer, -1);
}

static VkRingCreateInfoMESA other_layout(const struct peer *peer) {
	return (VkRingCreateInfoMESA){
		.sType = VK_STRUCTURE_TYPE_RING_CREATE_INFO_MESA,
		.resourceId = ID(OTHER_RESOURCE),
		.size = 192 + 4096 + 4,
		.idleTimeout = 1000000,
		.tailOffset = 64,
		.statusOffset = 128,
		.bufferOffset = 192,
		.bufferSize = 4096,
		.extraOffset = 192 + 4096,
		.extraSize = 4,
	};
}

#define RING_CASE(name, change) \
	static void ring_##name(struct peer *peer) { \
		other_unmapped(peer); \
		VkRingCreateInfoMESA info = other_layout(peer); \
		change; \
		create_ring(peer, 77, &info); \
	}
RING_CASE(head_is_tail, info.headOffset = info.tailOffset)
RING_CASE(head_is_status, info.headOffset = info.statusOffset)
RING_CASE(tail_is_status, info.tailOffset = info.statusOffset)
RING_CASE(head_in_buffer, info.headOffset = info.bufferOffset + 4092)
RING_CASE(tail_in_buffer, info.tailOffset = info.bufferOffset)
RING_CASE(status_in_buffer, info.statusOffset = info.bufferOffset + 64)
RING_CASE(extra_in_buffer, info.extraOffset = info.bufferOffset + 4092)
RING_CASE(extra_is_head, info.extraOffset = info.headOffset)
RING_CASE(extra_is_all, info.extraOffset = 0; info.extraSize = info.size)
RING_CASE(head_odd, info.headOffset = 1)
RING_CASE(tail_odd, info.tailOffset += 2)
RING_CASE(status_odd, info.statusOffset += 3)
RING_CASE(buffer_odd, info.bufferOffset += 1; info.size += 64)
RING_CASE(extra_odd, info.extraOffset += 2; info.size += 64)
RING_CASE(extra_size_odd, info.extraSize = 3)
RING_CASE(offset_odd, info.offset = 2)
RING_CASE(head_outside, info.headOffset = info.size)
RING_CASE(head_half_outside, info.headOffset = info.size - 2)
RING_CASE(tail_far, info.tailOffset = SIZE_MAX - 3)
RING_CASE(status_wraps, info.statusOffset = (size_t)0 - 4)
RING_CASE(buffer_wraps, info.bufferOffset = (size_t)0 - 4096)
RING_CASE(extra_wraps, info.extraOffset = (size_t)0 - 4)
RING_CASE(extra_huge, info.extraSize = SIZE_MAX - 3)
RING_CASE(offset_wraps, info.offset = (size_t)0 - 4096)
RING_CASE(offset_outside, info.offset = OTHER_SIZE)
RING_CASE(size_huge, info.size = SIZE_MAX)
RING_CASE(size_wraps, info.offset = 4096; info.size = SIZE_MAX - 4095)
RING_CASE(size_beyond, info.size = OTHER_SIZE + 4)
RING_CASE(size_zero, info.size = 0)
RING_CASE(buffer_zero, info.bufferSize = 0)
RING_CASE(buffer_one, info.bufferSize = 1)
RING_CASE(buffer_two, info.bufferSize = 2)
RING_CASE(buffer_odd_size, info.bufferSize = 4092)
RING_CASE(buffer_huge, info.bufferSize = UINT64_C(1) << 63)
RING_CASE(buffer_4g, info.bufferSize = UINT64_C(1) << 32)
RING_CASE(buffer_beyond, info.bufferSize = 8192)
RING_CASE(flags, info.flags = 0x80000000)
RING_CASE(resource_zero, info.resourceId = 0)
RING_CASE(resource_unknown, info.resourceId = UINT32_MAX)

#define OUTSIDE "a part of the ring lies outside it or is not aligned"
#define NOT_POWER "bufferSize is not a power of two"
#define LOST_RING(name, reason) {#name, HOSTILE_RING, HOSTILE_LOST, reason, ring_##name}

static const struct hostile_case layouts[] = {
	LOST_RING(head_is_tail, "parts of the ring overlap"),
	LOST_RING(head_is_status, "parts of the ring overlap"),
	LOST_RING(tail_is_status, "parts of the ring overlap"),
	LOST_RING(head_in_buffer, "parts of the ring overlap"),
	LOST_RING(tail_in_buffer, "parts of the ring overlap"),
	LOST_RING(status_in_buffer, "parts of the ring overlap"),
	LOST_RING(extra_in_buffer, "parts of the ring overlap"),
	LOST_RING(extra_is_head, "parts of the ring overlap"),
	LOST_RING(extra_is_all, "parts of the ring overlap"),
	LOST_RING(head_odd, OUTSIDE),
	LOST_RING(tail_odd, OUTSIDE),
	LOST_RING(status_odd, OUTSIDE),
	LOST_RING(buffer_odd, OUTSIDE),
	LOST_RING(extra_odd, OUTSIDE),
	LOST_RING(extra_size_odd, OUTSIDE),
	LOST_RING(offset_odd, "lies outside its resource"),
	LOST_RING(head_outside, OUTSIDE),
	LOST_RING(head_half_outside, OUTSIDE),
	LOST_RING(tail_far, OUTSIDE),
	LOST_RING(status_wraps, OUTSIDE),
	LOST_RING(buffer_wraps, OUTSIDE),
	LOST_RING(extra_wraps, OUTSIDE),
	LOST_RING(extra_huge, OUTSIDE),
	LOST_RING(offset_wraps, "lies outside its resource"),
	LOST_RING(offset_outside, "lies outside its resource"),
	LOST_RING(size_huge, "lies outside its resource"),
	LOST_RING(size_wraps, "lies outside its resource"),
	LOST_RING(size_beyond, "lies outside its resource"),
	LOST_RING(size_zero, OUTSIDE),
	LOST_RING(buffer_zero, NOT_POWER),
	LOST_RING(buffer_one, OUTSIDE),
	LOST_RING(buffer_two, OUTSIDE),
	LOST_RING(buffer_odd_size, NOT_POWER),
	LOST_RING(buffer_huge, NOT_POWER),
	LOST_RING(buffer_4g, NOT_POWER),
	LOST_RING(buffer_beyond, OUTSIDE),
	LOST_RING(flags, "vkCreateRingMESA: unknown flags"),
	LOST_RING(resource_zero, "there is no such resource"),
	LOST_RING(resource_unknown, "there is no such resource"),
};

/* --- rings that run --- */

static void notify(struct peer *peer, uint64_t ring) {
	peer_begin(peer);
	PEER_ADD(peer, vkNotifyRingMESA, .ring = ring);
	peer_submit(peer, -1);
}

static void move_tail(struct peer *peer, uint32_t by) {
	atomic_store(peer->tail, peer->position + by);
	notify(peer, PEER_RING_ID);
}

static void tail_back(struct peer *peer) {
	PEER_ADD(peer, vkSeekReplyCommandStreamMESA, .position = 0);
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
	move_tail(peer, (uint32_t)-4);
}

static void tail_far(struct peer *peer) {
	move_tail(peer, 0x80000000);
}

static void tail_just_beyond(struct peer *peer) {
	move_tail(peer, 65536 + 4);
}

static void tail_odd(struct peer *peer) {
	move_tail(peer, 6);
}

static void buffer_of_garbage(struct peer *peer) {
	memset(peer->buffer, 0xff, 65536);
	move_tail(peer, 65536);
}

static void buffer_of_zeros(struct peer *peer) {
	memset(peer->buffer, 0, 65536);
	move_tail(peer, 65536);
}

/** The head is ours to write, and the renderer never reads it for itself. */
static void head_back(struct peer *peer) {
	atomic_store(peer->head, peer->position - 4);
	atomic_store(peer->head, peer->position);
}

static void status_cleared(struct peer *peer) {
	atomic_store(peer->status, 0);
	notify(peer, PEER_RING_ID);
}

static void status_set(struct peer *peer) {
	atomic_store(peer->status, UINT32_MAX & ~(uint32_t)2);
	notify(peer, PEER_RING_ID);
}

static void notify_unknown(struct peer *peer) {
	notify(peer, 12345);
}

static void notify_zero(struct peer *peer) {
	notify(peer, 0);
}

static void destroy_unknown(struct peer *peer) {
	PEER_ADD(peer, vkDestroyRingMESA, .ring = 12345);
	peer_submit(peer, -1);
}

static void destroy_twice(struct peer *peer) {
	PEER_ADD(peer, vkDestroyRingMESA, .ring = PEER_RING_ID);
	PEER_ADD(peer, vkDestroyRingMESA, .ring = PEER_RING_ID);
	peer->status = NULL; /* there is no ring to say so */
	peer_submit(peer, -1);
}

static void destroy_and_notify(struct peer *peer) {
	PEER_ADD(peer, vkDestroyRingMESA, .ring = PEER_RING_ID);
	PEER_ADD(peer, vkNotifyRingMESA, .ring = PEER_RING_ID);
	peer->status = NULL;
	peer_submit(peer, -1);
}

static void same_area_twice(struct peer *peer) {
	other_unmapped(peer);
	const VkRingCreateInfoMESA info = other_layout(peer);
	create_ring(peer, 77, &info);
	create_ring(peer, 78, &info); /* legal: nothing says that rings have areas of their own */
	peer_begin(peer);
	PEER_ADD(peer, vkDestroyRingMESA, .ring = 77);
	PEER_ADD(peer, vkDestroyRingMESA, .ring = 78);
	peer_submit(peer, -1);
}

static void extra_outside(struct peer *peer) {
	PEER_ADD(peer, vkWriteRingExtraMESA, .ring = PEER_RING_ID, .offset = 4);
	peer_submit(peer, -1);
}

static void extra_far(struct peer *peer) {
	PEER_ADD(peer, vkWriteRingExtraMESA, .ring = PEER_RING_ID, .offset = SIZE_MAX - 3);
	peer_submit(peer, -1);
}

static void extra_unaligned(struct peer *peer) {
	PEER_ADD(peer, vkWriteRingExtraMESA, .ring = PEER_RING_ID, .offset = 2);
	peer_submit(peer, -1);
}

static void extra_of_none(struct peer *peer) {
	other_unmapped(peer);
	VkRingCreateInfoMESA info = other_layout(peer);
	info.extraSize = 0;
	create_ring(peer, 77, &info);
	peer_begin(peer);
	PEER_ADD(peer, vkWriteRingExtraMESA, .ring = 77, .offset = 0);
	peer_submit(peer, -1);
}

static void ring_of_detached(struct peer *peer) {
	peer_detach(peer, PEER_RING_RESOURCE); /* the ring keeps its memory */
	notify(peer, PEER_RING_ID);
}


static void detached_before_ring(struct peer *peer) {
	other_unmapped(peer);
	peer_detach(peer, OTHER_RESOURCE);
	const VkRingCreateInfoMESA info = other_layout(peer);
	create_ring(peer, 77, &info);
}

static void many_rings(struct peer *peer) {
	struct shmem shm;
	peer_detach(peer, OTHER_RESOURCE);
	CHECK_INT(peer_create_blob(peer, OTHER_RESOURCE, RENDER_BLOB_MAPPABLE, 0, 2048 * 64, &shm), 0);
	shmem_finish(&shm);
	for (uint64_t i = 0; i < 1100; i++) {
		const VkRingCreateInfoMESA info = {
			.sType = VK_STRUCTURE_TYPE_RING_CREATE_INFO_MESA,
			.resourceId = ID(OTHER_RESOURCE),
			.offset = (size_t)i * 64,
			.size = 64,
			.tailOffset = 4,
			.statusOffset = 8,
			.bufferOffset = 32,
			.bufferSize = 32,
			.extraOffset = 12,
		};
		create_ring(peer, 1000 + i, &info);
	}
}

struct scribbler {
	struct peer *peer;
	_Atomic bool stop;
};

/** Changes what the ring is executing between two commands that are both legal. */
static void *scribble(void *data) {
	struct scribbler *scribbler = data;
	volatile uint32_t *words = (volatile uint32_t *)(void *)scribbler->peer->buffer;
	while (!atomic_load(&scribbler->stop)) {
		for (size_t i = 0; i < 65536 / 4; i += 6) {
			words[i] = words[i] ? 0 : UINT32_C(0xffffffff);
		}
	}
	return NULL;
}

static void changed_while_executed(struct peer *peer) {
	struct scribbler scribbler = {.peer = peer};
	pthread_t thread;
	uint32_t version = 0;
	for (int i = 0; i < 300; i++) {
		const VkCommandStreamDescriptionMESA stream = {
			.resourceId = ID(PEER_REPLY_RESOURCE), .size = PEER_REPLY_SIZE};
		PEER_ADD(peer, vkSetReplyCommandStreamMESA, .pStream = &stream);
		PEER_ADD(peer, vkEnumerateInstanceVersion, .pApiVersion = &version);
		if (peer->encoder.overflow || peer_stream_size(peer) > sizeof(peer->commands) - 256) {
			break;
		}
	}
	CHECK_INT(pthread_create(&thread, NULL, scribble, &scribbler), 0);
	peer_ring_write(peer);
	peer_ring_wait(peer);
	atomic_store(&scribbler.stop, true);
	CHECK_INT(pthread_join(thread, NULL), 0);
}

static const struct hostile_case running[] = {
	{"the status word cleared", HOSTILE_RING, HOSTILE_SURVIVES, NULL, status_cleared},
	{"the status word set", HOSTILE_RING, HOSTILE_SURVIVES, NULL, status_set},
	{"the head moved back", HOSTILE_RING, HOSTILE_SURVIVES, NULL, head_back},
	{"two rings in one place", HOSTILE_RING, HOSTILE_SURVIVES, NULL, same_area_twice},
	{"the ring's resource detached", HOSTILE_RING, HOSTILE_SURVIVES, NULL, ring_of_detached},
	{"the tail moved back", HOSTILE_RING, HOSTILE_LOST, "ring: tail is", tail_back},
	{"the tail 2 GiB ahead", HOSTILE_RING, HOSTILE_LOST, "ring: tail is", tail_far},
	{"the tail behind the buffer", HOSTILE_RING, HOSTILE_LOST, "ring: tail is", tail_just_beyond},
	{"the tail inside a word", HOSTILE_RING, HOSTILE_LOST, "ring: tail is", tail_odd},
	{"a buffer of ones", HOSTILE_RING, HOSTILE_LOST, "there is no command", buffer_of_garbage},
	{"a buffer of zeros", HOSTILE_RING, HOSTILE_LOST, "vkCreateInstance", buffer_of_zeros},
	{"an unknown ring notified", HOSTILE_RING, HOSTILE_LOST, "no such ring", notify_unknown},
	{"ring 0 notified", HOSTILE_RING, HOSTILE_LOST, "no such ring", notify_zero},
	{"an unknown ring destroyed", HOSTILE_RING, HOSTILE_LOST, "no such ring", destroy_unknown},
	{"a ring destroyed twice", HOSTILE_RING, HOSTILE_LOST, "no such ring", destroy_twice},
	{"a destroyed ring notified", HOSTILE_RING, HOSTILE_LOST, "no such ring", destroy_and_notify},
	{"extra written outside", HOSTILE_RING, HOSTILE_LOST, "outside the extra", extra_outside},
	{"extra written far away", HOSTILE_RING, HOSTILE_LOST, "outside the extra", extra_far},
	{"extra written unaligned", HOSTILE_RING, HOSTILE_LOST, "outside the extra", extra_unaligned},
	{"extra written, none there", HOSTILE_RING, HOSTILE_LOST, "outside the extra", extra_of_none},
	{"a ring in what is detached", HOSTILE_RING, HOSTILE_LOST, "no such resource",
		detached_before_ring},
	{"1100 rings", HOSTILE_RING, HOSTILE_LOST, "vkCreateRingMESA: ", many_rings},
	{"changed while executed", HOSTILE_RING, HOSTILE_EITHER, NULL, changed_while_executed},
	{"changed while executed, again", HOSTILE_RING, HOSTILE_EITHER, NULL, changed_while_executed},
};

/* --- replies --- */

static void set_reply(struct peer *peer, uint32_t resource, size_t offset, size_t size) {
	const VkCommandStreamDescriptionMESA stream = {
		.resourceId = resource, .offset = offset, .size = size};
	PEER_ADD(peer, vkSetReplyCommandStreamMESA, .pStream = &stream);
}

static void ask_version(struct peer *peer) {
	uint32_t version = 0;
	venus_encode_vkEnumerateInstanceVersion_request(&peer->encoder, 1,
		&(struct venus_vkEnumerateInstanceVersion){.pApiVersion = &version});
}

#define REPLY_CASE(name, resource, offset, size) \
	static void reply_##name(struct peer *peer) { \
		set_reply(peer, resource, offset, size); \
		ask_version(peer); \
		peer_ring_write(peer); \
		peer_ring_wait(peer); \
	}
REPLY_CASE(nowhere, 99, 0, 64)
REPLY_CASE(zero_resource, 0, 0, 64)
REPLY_CASE(outside, ID(PEER_REPLY_RESOURCE), PEER_REPLY_SIZE + 4, 4)
REPLY_CASE(at_end, ID(PEER_REPLY_RESOURCE), PEER_REPLY_SIZE, 0)
REPLY_CASE(too_long, ID(PEER_REPLY_RESOURCE), 4, PEER_REPLY_SIZE)
REPLY_CASE(huge, ID(PEER_REPLY_RESOURCE), 0, SIZE_MAX)
REPLY_CASE(wraps, ID(PEER_REPLY_RESOURCE), SIZE_MAX - 3, 8)
REPLY_CASE(odd, ID(PEER_REPLY_RESOURCE), 2, 64)
REPLY_CASE(empty, ID(PEER_REPLY_RESOURCE), 64, 0)
REPLY_CASE(short, ID(PEER_REPLY_RESOURCE), 64, 4)
REPLY_CASE(odd_size, ID(PEER_REPLY_RESOURCE), 64, 13)


static void reply_in_extra(struct peer *peer) {
	set_reply(peer, ID(PEER_RING_RESOURCE), peer->ring_info.bufferOffset + 32768, 64);
	ask_version(peer);
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
}

static void reply_detached(struct peer *peer) {
	other_unmapped(peer);
	set_reply(peer, ID(OTHER_RESOURCE), 0, 64);
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
	peer_detach(peer, OTHER_RESOURCE); /* what is set stays */
	peer_sync(peer);
	peer_begin(peer);
	ask_version(peer);
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
}

static void reply_detached_and_set(struct peer *peer) {
	reply_detached(peer);
	peer_begin(peer);
	set_reply(peer, ID(OTHER_RESOURCE), 0, 64);
	peer_ring_write(peer);
}

static void seek_beyond(struct peer *peer) {
	set_reply(peer, ID(PEER_REPLY_RESOURCE), 0, 64);
	PEER_ADD(peer, vkSeekReplyCommandStreamMESA, .position = 68);
	peer_ring_write(peer);
}

static void seek_far(struct peer *peer) {
	set_reply(peer, ID(PEER_REPLY_RESOURCE), 0, 64);
	PEER_ADD(peer, vkSeekReplyCommandStreamMESA, .position = SIZE_MAX - 3);
	peer_ring_write(peer);
}

static void seek_odd(struct peer *peer) {
	set_reply(peer, ID(PEER_REPLY_RESOURCE), 0, 64);
	PEER_ADD(peer, vkSeekReplyCommandStreamMESA, .position = 2);
	peer_ring_write(peer);
}

static void seek_without(struct peer *peer) {
	PEER_ADD(peer, vkSeekReplyCommandStreamMESA, .position = 0);
	peer_ring_write(peer);
}

static void seek_to_end(struct peer *peer) {
	set_reply(peer, ID(PEER_REPLY_RESOURCE), 0, 64);
	PEER_ADD(peer, vkSeekReplyCommandStreamMESA, .position = 64);
	ask_version(peer);
	peer_ring_write(peer);
}

#define NO_FIT "the reply does not fit into the reply stream"
#define STREAM_OUTSIDE "the stream lies outside its resource"

static const struct hostile_case replies[] = {
	{"no reply stream to seek in", HOSTILE_RING, HOSTILE_LOST, "position lies outside", seek_without},
	{"a reply into the ring's buffer", HOSTILE_RING, HOSTILE_SURVIVES, NULL, reply_in_extra},
	{"a reply into a detached resource", HOSTILE_RING, HOSTILE_SURVIVES, NULL, reply_detached},
	{"a detached resource set again", HOSTILE_RING, HOSTILE_LOST, "no such resource",
		reply_detached_and_set},
	{"an unknown resource", HOSTILE_RING, HOSTILE_LOST, "no such resource", reply_nowhere},
	{"resource 0", HOSTILE_RING, HOSTILE_LOST, "no such resource", reply_zero_resource},
	{"outside", HOSTILE_RING, HOSTILE_LOST, STREAM_OUTSIDE, reply_outside},
	{"at the end", HOSTILE_RING, HOSTILE_LOST, NO_FIT, reply_at_end},
	{"too long", HOSTILE_RING, HOSTILE_LOST, STREAM_OUTSIDE, reply_too_long},
	{"huge", HOSTILE_RING, HOSTILE_LOST, STREAM_OUTSIDE, reply_huge},
	{"wraps", HOSTILE_RING, HOSTILE_LOST, STREAM_OUTSIDE, reply_wraps},
	{"unaligned", HOSTILE_RING, HOSTILE_LOST, STREAM_OUTSIDE, reply_odd},
	{"empty", HOSTILE_RING, HOSTILE_LOST, NO_FIT, reply_empty},
	{"too short", HOSTILE_RING, HOSTILE_LOST, NO_FIT, reply_short},
	{"of 13 bytes", HOSTILE_RING, HOSTILE_LOST, NO_FIT, reply_odd_size},
	{"seek beyond", HOSTILE_RING, HOSTILE_LOST, "position lies outside", seek_beyond},
	{"seek far", HOSTILE_RING, HOSTILE_LOST, "position lies outside", seek_far},
	{"seek unaligned", HOSTILE_RING, HOSTILE_LOST, "position lies outside", seek_odd},
	{"seek to the end", HOSTILE_RING, HOSTILE_LOST, NO_FIT, seek_to_end},
};

/* --- replies over the ring's own words: what happens is the guest's, but to nobody else --- */

static void over_head(struct peer *peer) {
	set_reply(peer, ID(PEER_RING_RESOURCE), 0, 192);
	ask_version(peer);
	peer_ring_write(peer);
	clock_sleep(2 * CLOCK_NS_PER_MS);
	memset(peer->ring_shm.data, 0xff, 192); /* and worse; FATAL is set as well */
	atomic_store(peer->tail, peer->position + 0x10000000);
	notify(peer, PEER_RING_ID);
}

static const struct hostile_case over_ring[] = {
	{"a reply over head and tail", HOSTILE_RING, HOSTILE_LOST, "ring: tail is", over_head},
};

/* --- command streams --- */

static void execute(struct peer *peer, const VkCommandStreamDescriptionMESA *streams,
		uint32_t count, const size_t *positions) {
	peer_begin(peer);
	PEER_ADD(peer, vkExecuteCommandStreamsMESA, .streamCount = count, .pStreams = streams,
		.pReplyPositions = positions);
	peer_ring_write(peer);
}

#define STREAM_CASE(name, ...) \
	static void stream_##name(struct peer *peer) { \
		other_unmapped(peer); \
		const VkCommandStreamDescriptionMESA stream = {__VA_ARGS__}; \
		execute(peer, &stream, 1, NULL); \
	}
STREAM_CASE(unknown, .resourceId = 99, .size = 8)
STREAM_CASE(zero, .resourceId = 0, .size = 8)
STREAM_CASE(outside, .resourceId = ID(OTHER_RESOURCE), .offset = OTHER_SIZE, .size = 8)
STREAM_CASE(too_long, .resourceId = ID(OTHER_RESOURCE), .offset = 8, .size = OTHER_SIZE)
STREAM_CASE(wraps, .resourceId = ID(OTHER_RESOURCE), .offset = SIZE_MAX - 3, .size = 8)
STREAM_CASE(huge, .resourceId = ID(OTHER_RESOURCE), .size = SIZE_MAX)
STREAM_CASE(odd_size, .resourceId = ID(OTHER_RESOURCE), .size = 10)
STREAM_CASE(half_header, .resourceId = ID(OTHER_RESOURCE), .size = 4)
STREAM_CASE(zeros, .resourceId = ID(OTHER_RESOURCE), .size = 4096)
STREAM_CASE(empty, .resourceId = ID(OTHER_RESOURCE))
STREAM_CASE(empty_unknown, .resourceId = 99)
/** The ring's own buffer, which holds just this command. */
STREAM_CASE(ring, .resourceId = ID(PEER_RING_RESOURCE), .offset = 192, .size = 4096)

static void stream_none(struct peer *peer) {
	execute(peer, NULL, 0, NULL);
}

static void stream_detached(struct peer *peer) {
	other_unmapped(peer);
	peer_detach(peer, OTHER_RESOURCE);
	peer_sync(peer);
	const VkCommandStreamDescriptionMESA stream = {.resourceId = ID(OTHER_RESOURCE), .size = 8};
	execute(peer, &stream, 1, NULL);
}

/** A stream in `shm` that executes streams `inner`. */
static void put_execute(struct peer *peer, struct shmem *shm,
		const VkCommandStreamDescriptionMESA *inner) {
	peer_begin(peer);
	PEER_ADD(peer, vkExecuteCommandStreamsMESA, .streamCount = 1, .pStreams = inner);
	memcpy(shm->data, peer->commands, peer_stream_size(peer));
}

static void stream_of_itself(struct peer *peer) {
	struct shmem shm = other(peer);
	VkCommandStreamDescriptionMESA self = {.resourceId = ID(OTHER_RESOURCE), .size = 64};
	put_execute(peer, &shm, &self);
	self.size = peer_stream_size(peer);
	put_execute(peer, &shm, &self);
	execute(peer, &self, 1, NULL);
	shmem_finish(&shm);
}

static void stream_position(struct peer *peer, size_t position) {
	other_unmapped(peer);
	set_reply(peer, ID(PEER_REPLY_RESOURCE), 0, 64);
	peer_ring_write(peer);
	const VkCommandStreamDescriptionMESA stream = {.resourceId = ID(OTHER_RESOURCE)};
	execute(peer, &stream, 1, &position);
}

static void stream_position_beyond(struct peer *peer) {
	stream_position(peer, 68);
}

static void stream_position_far(struct peer *peer) {
	stream_position(peer, SIZE_MAX - 3);
}

static void stream_position_odd(struct peer *peer) {
	stream_position(peer, 2);
}

/** A stream that moves the reply area away under the one that executes it. */
static void stream_moves_reply(struct peer *peer) {
	struct shmem shm = other(peer);
	peer_begin(peer);
	set_reply(peer, ID(OTHER_RESOURCE), 4096, 64);
	ask_version(peer);
	const size_t size = peer_stream_size(peer);
	memcpy(shm.data, peer->commands, size);
	const VkCommandStreamDescriptionMESA streams[] = {
		{.resourceId = ID(OTHER_RESOURCE), .size = size},
		{.resourceId = ID(OTHER_RESOURCE), .size = size},
	};
	const size_t positions[] = {0, 0};
	execute(peer, streams, 2, positions);
	CHECK(peer_ring_wait(peer));
	shmem_finish(&shm);
}

/** Streams that overlap, one beginning inside the other's command. */
static void stream_overlaps(struct peer *peer) {
	struct shmem shm = other(peer);
	peer_begin(peer);
	ask_version(peer);
	memcpy(shm.data, peer->commands, peer_stream_size(peer));
	const VkCommandStreamDescriptionMESA streams[] = {
		{.resourceId = ID(OTHER_RESOURCE), .size = peer_stream_size(peer)},
		{.resourceId = ID(OTHER_RESOURCE), .offset = 4, .size = peer_stream_size(peer)},
	};
	peer_begin(peer);
	set_reply(peer, ID(PEER_REPLY_RESOURCE), 0, 4096);
	peer_ring_write(peer);
	execute(peer, streams, 2, NULL);
	shmem_finish(&shm);
}

static void stream_over_reply(struct peer *peer) {
	struct shmem shm = other(peer);
	peer_begin(peer);
	for (int i = 0; i < 20; i++) {
		ask_version(peer);
	}
	const size_t size = peer_stream_size(peer);
	memcpy(shm.data, peer->commands, size);
	peer_begin(peer);
	set_reply(peer, ID(OTHER_RESOURCE), 0, OTHER_SIZE); /* the stream itself is written to */
	peer_ring_write(peer);
	const VkCommandStreamDescriptionMESA stream = {.resourceId = ID(OTHER_RESOURCE), .size = size};
	execute(peer, &stream, 1, NULL);
	CHECK(peer_ring_wait(peer)); /* our copy is what is executed */
	shmem_finish(&shm);
}

static const struct hostile_case streams[] = {
	{"an empty stream", HOSTILE_RING, HOSTILE_SURVIVES, NULL, stream_empty},
	{"an empty one of nothing", HOSTILE_RING, HOSTILE_SURVIVES, NULL, stream_empty_unknown},
	{"one that moves the reply area", HOSTILE_RING, HOSTILE_SURVIVES, NULL, stream_moves_reply},
	{"one that the replies overwrite", HOSTILE_RING, HOSTILE_SURVIVES, NULL, stream_over_reply},
	{"no stream", HOSTILE_RING, HOSTILE_LOST, "no streams", stream_none},
	{"an unknown resource", HOSTILE_RING, HOSTILE_LOST, "no such resource", stream_unknown},
	{"resource 0", HOSTILE_RING, HOSTILE_LOST, "no such resource", stream_zero},
	{"a detached resource", HOSTILE_RING, HOSTILE_LOST, "no such resource", stream_detached},
	{"outside", HOSTILE_RING, HOSTILE_LOST, "outside its resource", stream_outside},
	{"too long", HOSTILE_RING, HOSTILE_LOST, "outside its resource", stream_too_long},
	{"wraps", HOSTILE_RING, HOSTILE_LOST, "outside its resource", stream_wraps},
	{"huge", HOSTILE_RING, HOSTILE_LOST, "outside its resource", stream_huge},
	{"of 10 bytes", HOSTILE_RING, HOSTILE_LOST, "a stream of 10 bytes", stream_odd_size},
	{"half a header", HOSTILE_RING, HOSTILE_LOST, "inside a command's header", stream_half_header},
	{"zeros", HOSTILE_RING, HOSTILE_LOST, "vkCreateInstance", stream_zeros},
	{"the ring's own buffer", HOSTILE_RING, HOSTILE_LOST, "may not be nested", stream_ring},
	{"of itself", HOSTILE_RING, HOSTILE_LOST, "may not be nested", stream_of_itself},
	{"overlapping", HOSTILE_RING, HOSTILE_LOST, "", stream_overlaps},
	{"a position beyond", HOSTILE_RING, HOSTILE_LOST, "a reply position", stream_position_beyond},
	{"a position far away", HOSTILE_RING, HOSTILE_LOST, "a reply position", stream_position_far},
	{"a position unaligned", HOSTILE_RING, HOSTILE_LOST, "a reply position", stream_position_odd},
};

/* --- waits --- */

static void wait_for_unwritten(struct peer *peer) {
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position + 4);
	peer_submit(peer, -1);
}

static void wait_for_far(struct peer *peer) {
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position + 0x7fffffff);
	peer_submit(peer, -1);
}

static void wait_for_past(struct peer *peer) {
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position);
	peer_submit(peer, -1);
}

static void wait_for_unknown_ring(struct peer *peer) {
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = 12345);
	peer_submit(peer, -1);
}

static void seqno_of_unknown_ring(struct peer *peer) {
	PEER_ADD(peer, vkSubmitVirtqueueSeqnoMESA, .ring = 12345, .seqno = 1);
	peer_submit(peer, -1);
}

static void seqno_back(struct peer *peer) {
	PEER_ADD(peer, vkSubmitVirtqueueSeqnoMESA, .ring = PEER_RING_ID, .seqno = UINT64_MAX);
	PEER_ADD(peer, vkSubmitVirtqueueSeqnoMESA, .ring = PEER_RING_ID, .seqno = 0);
	peer_submit(peer, -1);
}

static void wait_on_context_path(struct peer *peer) {
	PEER_ADD(peer, vkWaitVirtqueueSeqnoMESA, .seqno = 1);
	peer_submit(peer, -1);
}

static const struct hostile_case waits[] = {
	{"for what is done", HOSTILE_RING, HOSTILE_SURVIVES, NULL, wait_for_past},
	{"a seqno that goes back", HOSTILE_RING, HOSTILE_SURVIVES, NULL, seqno_back},
	{"for what was not written", HOSTILE_RING, HOSTILE_LOST, "does not hold that seqno",
		wait_for_unwritten},
	{"for what is far ahead", HOSTILE_RING, HOSTILE_LOST, "does not hold that seqno", wait_for_far},
	{"for an unknown ring", HOSTILE_RING, HOSTILE_LOST, "no such ring", wait_for_unknown_ring},
	{"a seqno for an unknown ring", HOSTILE_RING, HOSTILE_LOST, "no such ring",
		seqno_of_unknown_ring},
	{"a ring's wait on the context path", HOSTILE_RING, HOSTILE_LOST, "does not belong",
		wait_on_context_path},
};

/** Each waits for the other, for ever: whoever closes the channel ends it. */
static void deadlocks(void) {
	static struct victim victim;
	for (int kind = 0; kind < 4; kind++) {
		printf("deadlocks: %d\n", kind);
		hostile_count();
		victim_start(&victim, HOSTILE_RING);
		struct peer *peer = &victim.peer;
		peer_begin(peer);
		PEER_ADD(peer, vkWaitVirtqueueSeqnoMESA, .seqno = kind == 1 ? UINT64_MAX : 1);
		peer_ring_write(peer);
		peer_begin(peer);
		if (kind == 2) {
			/* the tail is moved while somebody waits for it */
			PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID,
				.seqno = peer->position + 8);
			peer_submit(peer, -1);
			atomic_store(peer->tail, peer->position + 4096);
		} else if (kind < 2) {
			PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position);
			peer_submit(peer, 0);
			peer_begin(peer);
			PEER_ADD(peer, vkSubmitVirtqueueSeqnoMESA, .ring = PEER_RING_ID, .seqno = 1);
			peer_submit(peer, -1);
		}
		hostile_check_witness();
		if (kind == 2) {
			/* the end wakes the ring, which may still read what the tail takes in */
			victim_stop_in_race(&victim);
		} else {
			victim_stop(&victim, VICTIM_ALIVE, NULL);
		}
	}
}

#define RUN_GROUP(group) hostile_run(#group, group, sizeof(group) / sizeof(group[0]))

int main(int argc, char **argv) {
	hostile_start(&argc, &argv);
	RUN_GROUP(layouts);
	RUN_GROUP(running);
	RUN_GROUP(replies);
	RUN_GROUP(over_ring);
	RUN_GROUP(streams);
	RUN_GROUP(waits);
	deadlocks();
	return hostile_finish();
}
