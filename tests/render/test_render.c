/* SPDX-License-Identifier: MIT */

/* venera-render as its peers see it: blobs, rings, replies, streams, fences, memory, and how a context ends. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/clock.h"
#include "base/log.h"
#include "peer_device.h"

static const char *program;

enum { IDLE = 1, FATAL = 2, ALIVE = 4 };

/* ids of the guest's objects */
enum {
	INSTANCE = PEER_INSTANCE,
	PHYSICAL = PEER_PHYSICAL,
	DEVICE = PEER_DEVICE,
	QUEUE = PEER_QUEUE,
	MEMORY,
	IMPORT,
	BUFFER,
	POOL,
	COMMANDS,
};

/* --- blobs --- */

static void test_blobs(void) {
	struct peer peer;
	peer_start(&peer, program);
	struct shmem shm;
	CHECK_INT(peer_create_blob(&peer, 5, RENDER_BLOB_MAPPABLE, 0, 100, &shm), 0);
	for (size_t i = 0; i < shm.size; i++) {
		CHECK_INT(((const uint8_t *)shm.data)[i], 0);
	}
	shmem_finish(&shm);
	CHECK_INT(peer_create_blob(&peer, 5, RENDER_BLOB_MAPPABLE, 0, 100, NULL), -EEXIST);
	CHECK_INT(peer_create_blob(&peer, 6, RENDER_BLOB_MAPPABLE, 0, 0, NULL), -EINVAL);
	CHECK_INT(peer_create_blob(&peer, 0, RENDER_BLOB_MAPPABLE, 0, 100, NULL), -EINVAL);
	CHECK_INT(peer_create_blob(&peer, 6, RENDER_BLOB_MAPPABLE | RENDER_BLOB_SHAREABLE, 0, 100,
			  NULL), -EINVAL);
	CHECK_INT(peer_create_blob(&peer, 6, RENDER_BLOB_MAPPABLE, 77, 100, NULL), -ENOENT);

	/* an id is free again once the resource is gone */
	const struct render_detach_resource detach = {.resource_id = 5};
	CHECK_INT(channel_send(&peer.channel, RENDER_REQUEST_DETACH_RESOURCE, &detach,
			  sizeof(detach), NULL, 0, NULL, 0), 0);
	CHECK_INT(peer_create_blob(&peer, 5, RENDER_BLOB_MAPPABLE, 0, 100, NULL), 0);
	peer_stop(&peer);
}

/* --- rings --- */

static uint32_t call_version(struct peer *peer) {
	uint32_t version = 0;
	struct venus_vkEnumerateInstanceVersion args = {.pApiVersion = &version};
	PEER_CALL(peer, vkEnumerateInstanceVersion, &args);
	CHECK_INT(args.ret, VK_SUCCESS);
	return *args.pApiVersion;
}

static void test_ring_wakes_and_sleeps(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 4096);
	for (int i = 0; i < 3; i++) {
		CHECK(call_version(&peer) >= VK_API_VERSION_1_1);
		CHECK(peer_wait_bit(peer.status, IDLE, true, 10000));
	}
	CHECK(!(atomic_load(peer.status) & FATAL));
	peer_stop(&peer);
}

static void test_ring_is_stamped_alive(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 4096);
	CHECK(atomic_load(peer.status) & ALIVE);
	/* also while the ring's thread is blocked: nobody submits that seqno */
	peer_begin(&peer);
	PEER_ADD(&peer, vkWaitVirtqueueSeqnoMESA, .seqno = 1);
	peer_ring_write(&peer);
	for (int i = 0; i < 3; i++) {
		atomic_fetch_and(peer.status, ~(uint32_t)ALIVE);
		CHECK(peer_wait_bit(peer.status, ALIVE, true, 10000));
	}
	peer_stop(&peer);
}

static void test_ring_wraps(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 256);
	for (int i = 0; i < 2000; i++) {
		uint32_t version = 0;
		const VkCommandStreamDescriptionMESA stream = {
			.resourceId = PEER_REPLY_RESOURCE, .size = PEER_REPLY_SIZE};
		peer_begin(&peer);
		PEER_ADD(&peer, vkSetReplyCommandStreamMESA, .pStream = &stream);
		PEER_ADD(&peer, vkEnumerateInstanceVersion, .pApiVersion = &version);
		peer_ring_write(&peer);
	}
	CHECK(peer_ring_wait(&peer));
	CHECK(call_version(&peer) >= VK_API_VERSION_1_1);
	peer_stop(&peer);
}

static void test_ring_is_destroyed(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 4096);
	peer_begin(&peer);
	PEER_ADD(&peer, vkWaitVirtqueueSeqnoMESA, .seqno = 1); /* a ring that waits comes back, too */
	peer_ring_write(&peer);
	peer_begin(&peer);
	PEER_ADD(&peer, vkDestroyRingMESA, .ring = PEER_RING_ID);
	peer_expect_fence(&peer, 0, peer_submit(&peer, 0));
	peer_begin(&peer);
	PEER_ADD(&peer, vkDestroyRingMESA, .ring = PEER_RING_ID);
	peer_submit(&peer, -1);
	peer_expect_lost(&peer, "vkDestroyRingMESA: there is no such ring");
	peer_stop(&peer);
}

static void test_ring_extra(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 4096);
	peer_begin(&peer);
	PEER_ADD(&peer, vkWriteRingExtraMESA, .ring = PEER_RING_ID, .offset = 0, .value = 0x1234);
	peer_expect_fence(&peer, 0, peer_submit(&peer, 0));
	const uint8_t *base = peer.ring_shm.data;
	CHECK_INT(venus_load_u32(base + peer.ring_info.extraOffset), 0x1234);
	peer_stop(&peer);
}

/* --- order between the context path and rings --- */

static void test_ring_waits_for_context_path(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 4096);
	peer_begin(&peer);
	PEER_ADD(&peer, vkWaitVirtqueueSeqnoMESA, .seqno = 3);
	peer_ring_write(&peer);
	peer_begin(&peer);
	PEER_ADD(&peer, vkSubmitVirtqueueSeqnoMESA, .ring = PEER_RING_ID, .seqno = 2);
	peer_expect_fence(&peer, 0, peer_submit(&peer, 0));
	clock_sleep(20 * CLOCK_NS_PER_MS);
	CHECK_INT(atomic_load(peer.head), 0);
	peer_begin(&peer);
	PEER_ADD(&peer, vkSubmitVirtqueueSeqnoMESA, .ring = PEER_RING_ID, .seqno = 3);
	peer_submit(&peer, -1);
	CHECK(peer_ring_wait(&peer));
	peer_stop(&peer);
}

static void test_context_path_waits_for_ring(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 4096);
	for (int i = 0; i < 200; i++) {
		peer_begin(&peer);
		for (int j = 0; j < 8; j++) {
			PEER_ADD(&peer, vkWaitVirtqueueSeqnoMESA, .seqno = 0);
		}
		peer_ring_write(&peer);
		peer_begin(&peer);
		PEER_ADD(&peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer.position);
		peer_expect_fence(&peer, 0, peer_submit(&peer, 0));
		CHECK_INT(atomic_load(peer.head), peer.position);
	}
	/* what is not in the ring cannot be waited for */
	peer_begin(&peer);
	PEER_ADD(&peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer.position + 4);
	peer_submit(&peer, -1);
	peer_expect_lost(&peer, "does not hold that seqno");
	peer_stop(&peer);
}

/* --- command streams and replies --- */

static void test_streams(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 4096);
	struct shmem shm;
	CHECK_INT(peer_create_blob(&peer, 9, RENDER_BLOB_MAPPABLE, 0, 4096, &shm), 0);

	uint32_t version = 0;
	peer_begin(&peer);
	venus_encode_vkEnumerateInstanceVersion_request(&peer.encoder, 1,
		&(struct venus_vkEnumerateInstanceVersion){.pApiVersion = &version});
	const size_t size = peer_stream_size(&peer);
	memcpy((uint8_t *)shm.data + 128, peer.commands, size);
	memcpy((uint8_t *)shm.data + 1024, peer.commands, size);

	const VkCommandStreamDescriptionMESA streams[] = {
		{.resourceId = 9, .offset = 128, .size = size},
		{.resourceId = 9},
		{.resourceId = 9, .offset = 1024, .size = size},
	};
	peer_begin_call(&peer);
	PEER_ADD(&peer, vkExecuteCommandStreamsMESA, .streamCount = 3, .pStreams = streams);
	peer_end_call(&peer);
	struct venus_decoder reply = peer_reply(&peer);
	for (int i = 0; i < 2; i++) {
		struct venus_vkEnumerateInstanceVersion args = {.pApiVersion = &version};
		CHECK(venus_decode_vkEnumerateInstanceVersion_reply(&reply, &args));
		CHECK(*args.pApiVersion >= VK_API_VERSION_1_1);
	}

	/* a stream that names streams */
	peer_begin(&peer);
	PEER_ADD(&peer, vkExecuteCommandStreamsMESA, .streamCount = 1, .pStreams = streams);
	memcpy(shm.data, peer.commands, peer_stream_size(&peer));
	const VkCommandStreamDescriptionMESA nested = {
		.resourceId = 9, .size = peer_stream_size(&peer)};
	peer_begin(&peer);
	PEER_ADD(&peer, vkExecuteCommandStreamsMESA, .streamCount = 1, .pStreams = &nested);
	peer_ring_write(&peer);
	peer_expect_lost(&peer, "may not be nested");
	CHECK(!peer_ring_wait(&peer));
	shmem_finish(&shm);
	peer_stop(&peer);
}

/* --- what costs the context --- */

typedef void (*violation_func)(struct peer *peer);

/** Each violation kills a context of its own, and the rest of what that promises holds. */
static void check_violation(violation_func func, const char *reason) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 4096);
	peer_begin(&peer);
	func(&peer);
	peer_expect_lost(&peer, reason);
	CHECK(peer_wait_bit(peer.status, FATAL, true, 10000));
	CHECK_INT(peer_create_blob(&peer, 50, RENDER_BLOB_MAPPABLE, 0, 4096, NULL), -ENODEV);
	peer_begin(&peer);
	peer_expect_fence(&peer, 0, peer_submit(&peer, 0));
	peer_expect_fence(&peer, 7, peer_submit(&peer, 7));
	peer_stop(&peer);
}

static void put_words(struct peer *peer, const uint32_t *words, size_t count) {
	memcpy(peer->encoder.cursor, words, count * 4);
	peer->encoder.cursor += count * 4;
}

static void unknown_command(struct peer *peer) {
	put_words(peer, (const uint32_t[]){100000, 0}, 2);
	peer_ring_write(peer);
}

static void reserved_command(struct peer *peer) {
	put_words(peer, (const uint32_t[]){195, 0}, 2);
	peer_ring_write(peer);
}

static void unknown_flags(struct peer *peer) {
	put_words(peer, (const uint32_t[]){VENUS_COMMAND_vkEnumerateInstanceVersion, 2, 1, 0}, 4);
	peer_ring_write(peer);
}

static void half_a_command(struct peer *peer) {
	put_words(peer, (const uint32_t[]){VENUS_COMMAND_vkCreateInstance, 0, 1}, 3);
	peer_ring_write(peer);
}

static void half_a_header(struct peer *peer) {
	put_words(peer, (const uint32_t[]){0}, 1);
	peer_ring_write(peer);
}

static void ring_command_on_context_path(struct peer *peer) {
	PEER_ADD(peer, vkWaitVirtqueueSeqnoMESA, .seqno = 0);
	peer_submit(peer, -1);
}

static void context_command_in_ring(struct peer *peer) {
	PEER_ADD(peer, vkNotifyRingMESA, .ring = PEER_RING_ID);
	peer_ring_write(peer);
}

static void tail_beyond_buffer(struct peer *peer) {
	atomic_store(peer->tail, 4096 + 4);
	PEER_ADD(peer, vkNotifyRingMESA, .ring = PEER_RING_ID);
	peer_submit(peer, -1);
}

static void reply_without_stream(struct peer *peer) {
	uint32_t version = 0;
	venus_encode_vkEnumerateInstanceVersion_request(&peer->encoder, 1,
		&(struct venus_vkEnumerateInstanceVersion){.pApiVersion = &version});
	peer_ring_write(peer);
}

static void reply_too_long(struct peer *peer) {
	uint32_t version = 0;
	const VkCommandStreamDescriptionMESA stream = {
		.resourceId = PEER_REPLY_RESOURCE, .offset = 64, .size = 16};
	PEER_ADD(peer, vkSetReplyCommandStreamMESA, .pStream = &stream);
	venus_encode_vkEnumerateInstanceVersion_request(&peer->encoder, 1,
		&(struct venus_vkEnumerateInstanceVersion){.pApiVersion = &version});
	peer_ring_write(peer);
}

static void reply_stream_outside(struct peer *peer) {
	const VkCommandStreamDescriptionMESA stream = {
		.resourceId = PEER_REPLY_RESOURCE, .offset = 64, .size = PEER_REPLY_SIZE};
	PEER_ADD(peer, vkSetReplyCommandStreamMESA, .pStream = &stream);
	peer_ring_write(peer);
}

static void reply_stream_wraps(struct peer *peer) {
	const VkCommandStreamDescriptionMESA stream = {
		.resourceId = PEER_REPLY_RESOURCE, .offset = SIZE_MAX - 3, .size = 8};
	PEER_ADD(peer, vkSetReplyCommandStreamMESA, .pStream = &stream);
	peer_ring_write(peer);
}

static void no_such_object(struct peer *peer) {
	PEER_ADD(peer, vkDestroyInstance, .instance = PEER_HANDLE(VkInstance, INSTANCE));
	peer_ring_write(peer);
}

static void create_second_ring(struct peer *peer, const VkRingCreateInfoMESA *info, uint64_t id) {
	PEER_ADD(peer, vkCreateRingMESA, .ring = id, .pCreateInfo = info);
	peer_submit(peer, -1);
}

static void ring_id_taken(struct peer *peer) {
	create_second_ring(peer, &peer->ring_info, PEER_RING_ID);
}

static void ring_in_use(struct peer *peer) {
	atomic_store(peer->head, 4); /* the area of a ring that runs: head is not 0 */
	create_second_ring(peer, &peer->ring_info, 1);
}

static void ring_overlaps(struct peer *peer) {
	peer->ring_info.resourceId = PEER_REPLY_RESOURCE;
	peer->ring_info.tailOffset = peer->ring_info.bufferOffset + 8;
	create_second_ring(peer, &peer->ring_info, 1);
}

static void ring_odd_size(struct peer *peer) {
	peer->ring_info.resourceId = PEER_REPLY_RESOURCE;
	peer->ring_info.bufferSize = 4092;
	create_second_ring(peer, &peer->ring_info, 1);
}

static void ring_unaligned(struct peer *peer) {
	peer->ring_info.resourceId = PEER_REPLY_RESOURCE;
	peer->ring_info.statusOffset += 2;
	create_second_ring(peer, &peer->ring_info, 1);
}

static void ring_outside(struct peer *peer) {
	peer->ring_info.resourceId = PEER_REPLY_RESOURCE;
	peer->ring_info.offset = PEER_REPLY_SIZE;
	create_second_ring(peer, &peer->ring_info, 1);
}

static void ring_without_resource(struct peer *peer) {
	peer->ring_info.resourceId = 99;
	create_second_ring(peer, &peer->ring_info, 1);
}

static void ring_without_period(struct peer *peer) {
	peer->ring_info.resourceId = PEER_REPLY_RESOURCE;
	peer->monitor_info.maxReportingPeriodMicroseconds = 0;
	create_second_ring(peer, &peer->ring_info, 1);
}

static void test_violations(void) {
	check_violation(unknown_command, "there is no command 100000");
	check_violation(reserved_command, "there is no command 195");
	check_violation(unknown_flags, "unknown command flags 0x2");
	check_violation(half_a_command, "vkCreateInstance");
	check_violation(half_a_header, "ends inside a command's header");
	check_violation(ring_command_on_context_path, "does not belong on the context path");
	check_violation(context_command_in_ring, "does not belong in a ring");
	check_violation(tail_beyond_buffer, "tail is 4100 bytes ahead of head");
	check_violation(reply_without_stream, "no reply stream is set");
	check_violation(reply_too_long, "does not fit into the reply stream");
	check_violation(reply_stream_outside, "lies outside its resource");
	check_violation(reply_stream_wraps, "lies outside its resource");
	check_violation(no_such_object, "vkDestroyInstance: instance");
	check_violation(ring_id_taken, "the ring's id is taken");
	check_violation(ring_in_use, "head and status are not 0");
	check_violation(ring_overlaps, "parts of the ring overlap");
	check_violation(ring_odd_size, "bufferSize is not a power of two");
	check_violation(ring_unaligned, "not aligned to 4 bytes");
	check_violation(ring_outside, "the ring lies outside its resource");
	check_violation(ring_without_resource, "there is no such resource");
	check_violation(ring_without_period, "maxReportingPeriodMicroseconds is 0");
}

/* --- devices, queues, memory --- */

static void create_device(struct peer *peer) {
	peer_create_device(
		peer, &(struct peer_device_options){.api_version = VK_API_VERSION_1_1});
}

/** vkAllocateMemory of the first shared type there is. */
static VkResult allocate(struct peer *peer, uint64_t id, uint64_t size, uint32_t import, bool reply) {
	VkPhysicalDeviceMemoryProperties properties;
	struct venus_vkGetPhysicalDeviceMemoryProperties get = {
		.physicalDevice = PEER_HANDLE(VkPhysicalDevice, PHYSICAL), .pMemoryProperties = &properties};
	PEER_CALL(peer, vkGetPhysicalDeviceMemoryProperties, &get);
	uint32_t type = 0;
	while (!(get.pMemoryProperties->memoryTypes[type].propertyFlags &
			VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)) {
		type++;
		CHECK(type < get.pMemoryProperties->memoryTypeCount);
	}
	const VkImportMemoryResourceInfoMESA import_info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA, .resourceId = import};
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = import ? &import_info : NULL,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory memory = PEER_HANDLE(VkDeviceMemory, id);
	struct venus_vkAllocateMemory allocate = {.device = PEER_HANDLE(VkDevice, DEVICE),
		.pAllocateInfo = &info, .pMemory = &memory};
	if (reply) {
		PEER_CALL(peer, vkAllocateMemory, &allocate);
		return allocate.ret;
	}
	peer_begin(peer);
	venus_encode_vkAllocateMemory_request(&peer->encoder, 0, &allocate);
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
	return VK_SUCCESS;
}

static void create_buffer(struct peer *peer, uint64_t size) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = PEER_HANDLE(VkBuffer, BUFFER);
	struct venus_vkCreateBuffer create = {.device = PEER_HANDLE(VkDevice, DEVICE),
		.pCreateInfo = &info, .pBuffer = &buffer};
	PEER_CALL(peer, vkCreateBuffer, &create);
	CHECK_INT(create.ret, VK_SUCCESS);
}

static VkResult bind_buffer(struct peer *peer, uint64_t memory) {
	struct venus_vkBindBufferMemory bind = {.device = PEER_HANDLE(VkDevice, DEVICE),
		.buffer = PEER_HANDLE(VkBuffer, BUFFER),
		.memory = PEER_HANDLE(VkDeviceMemory, memory)};
	PEER_CALL(peer, vkBindBufferMemory, &bind);
	return bind.ret;
}

/** Submits a fill of the buffer, without a reply. */
static void fill_buffer(struct peer *peer, uint32_t value) {
	const VkDevice device = PEER_HANDLE(VkDevice, DEVICE);
	const VkCommandBuffer commands = PEER_HANDLE(VkCommandBuffer, COMMANDS);
	VkCommandPool pool = PEER_HANDLE(VkCommandPool, POOL);
	VkCommandBuffer allocated = commands;
	const VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
	const VkCommandBufferAllocateInfo allocate_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = pool,
		.commandBufferCount = 1,
	};
	const VkCommandBufferBeginInfo begin_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	peer_begin(peer);
	PEER_ADD(peer, vkCreateCommandPool, .device = device, .pCreateInfo = &pool_info,
		.pCommandPool = &pool);
	PEER_ADD(peer, vkAllocateCommandBuffers, .device = device, .pAllocateInfo = &allocate_info,
		.pCommandBuffers = &allocated);
	PEER_ADD(peer, vkBeginCommandBuffer, .commandBuffer = commands, .pBeginInfo = &begin_info);
	PEER_ADD(peer, vkCmdFillBuffer, .commandBuffer = commands,
		.dstBuffer = PEER_HANDLE(VkBuffer, BUFFER), .size = VK_WHOLE_SIZE, .data = value);
	PEER_ADD(peer, vkEndCommandBuffer, .commandBuffer = commands);
	PEER_ADD(peer, vkQueueSubmit, .queue = PEER_HANDLE(VkQueue, QUEUE), .submitCount = 1,
		.pSubmits = &submit);
	peer_ring_write(peer);
}

/** A fence of the queue's timeline behind all that is in the ring, as Mesa makes it. */
static void queue_fence(struct peer *peer) {
	peer_begin(peer);
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position);
	peer_expect_fence(peer, 1, peer_submit(peer, 1));
}

static void check_filled(const struct shmem *shm, uint64_t size, uint32_t value) {
	for (uint64_t i = 0; i < size; i += 4) {
		CHECK_INT(venus_load_u32((const uint8_t *)shm->data + i), value);
	}
}

static void test_memory_is_shared(void) {
	enum { SIZE = 100000 };
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 65536);
	create_device(&peer);
	CHECK_INT(allocate(&peer, MEMORY, SIZE, 0, true), VK_SUCCESS);
	struct shmem shm;
	CHECK_INT(peer_create_blob(&peer, 20, RENDER_BLOB_MAPPABLE, MEMORY, SIZE, &shm), 0);
	create_buffer(&peer, SIZE);
	CHECK_INT(bind_buffer(&peer, MEMORY), VK_SUCCESS);
	fill_buffer(&peer, 0xcafe1234);
	queue_fence(&peer);
	check_filled(&shm, SIZE, 0xcafe1234);
	queue_fence(&peer); /* with nothing new submitted */

	/* what the guest exports it can import; the pages are the same */
	CHECK_INT(allocate(&peer, IMPORT, SIZE, 20, true), VK_SUCCESS);
	struct shmem again;
	CHECK_INT(peer_create_blob(&peer, 21, RENDER_BLOB_MAPPABLE, IMPORT, SIZE, &again), 0);
	check_filled(&again, SIZE, 0xcafe1234);
	CHECK(shmem_fd_same(shm.fd, again.fd));

	/* more than there is cannot be imported, nor mapped */
	CHECK_INT(allocate(&peer, MEMORY + 100, SIZE * 2, 20, true), VK_ERROR_INVALID_EXTERNAL_HANDLE);
	CHECK_INT(peer_create_blob(&peer, 22, RENDER_BLOB_MAPPABLE, MEMORY, SIZE * 2, NULL), -EINVAL);
	shmem_finish(&shm);
	shmem_finish(&again);
	peer_stop(&peer); /* with everything still alive */
}

static void test_memory_of_others(void) {
	enum { SIZE = 5 * 4096 }; /* not what a driver with larger pages takes */
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 65536);
	create_device(&peer);
	struct shmem shm;
	CHECK_INT(shmem_create(&shm, "other", SIZE), 0);
	const struct render_attach_resource attach = {
		.resource_id = 30, .map_info = RENDER_MAP_CACHED, .size = SIZE};
	CHECK_INT(channel_send(&peer.channel, RENDER_REQUEST_ATTACH_RESOURCE, &attach,
			  sizeof(attach), NULL, 0, &shm.fd, 1), 0);
	peer_sync(&peer);
	CHECK_INT(allocate(&peer, MEMORY, SIZE, 30, true), VK_SUCCESS);
	create_buffer(&peer, SIZE);
	CHECK_INT(bind_buffer(&peer, MEMORY), VK_SUCCESS);

	/* the import keeps the pages when the resource goes */
	const struct render_detach_resource detach = {.resource_id = 30};
	CHECK_INT(channel_send(&peer.channel, RENDER_REQUEST_DETACH_RESOURCE, &detach,
			  sizeof(detach), NULL, 0, NULL, 0), 0);
	fill_buffer(&peer, 0x55aa55aa);
	queue_fence(&peer);
	check_filled(&shm, SIZE, 0x55aa55aa);
	shmem_finish(&shm);
	peer_stop(&peer);
}

static void test_failed_allocation_is_survived(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 65536);
	create_device(&peer);
	/* the guest was told nothing and goes on */
	allocate(&peer, MEMORY, UINT64_MAX / 2, 0, false);
	create_buffer(&peer, 4096);
	CHECK(bind_buffer(&peer, MEMORY) < 0);
	CHECK_INT(peer_create_blob(&peer, 20, RENDER_BLOB_MAPPABLE, MEMORY, 4096, NULL), -ENOMEM);
	peer_begin(&peer);
	PEER_ADD(&peer, vkFreeMemory, .device = PEER_HANDLE(VkDevice, DEVICE),
		.memory = PEER_HANDLE(VkDeviceMemory, MEMORY));
	peer_ring_write(&peer);
	CHECK(peer_ring_wait(&peer));

	/* the guest reads the reply: the id is free again */
	CHECK(allocate(&peer, MEMORY, UINT64_MAX / 2, 0, true) < 0);
	CHECK_INT(allocate(&peer, MEMORY, 4096, 0, true), VK_SUCCESS);
	CHECK_INT(bind_buffer(&peer, MEMORY), VK_SUCCESS);
	peer_stop(&peer);
}

static void test_fences(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 65536);
	create_device(&peer);
	/* in order on each timeline; a timeline without a queue retires at once */
	peer_begin(&peer);
	uint64_t fence = peer_submit(&peer, 5);
	peer_expect_fence(&peer, 5, fence);
	uint64_t fences[32];
	for (int i = 0; i < 32; i++) {
		fences[i] = peer_submit(&peer, 1);
	}
	for (int i = 0; i < 32; i++) {
		peer_expect_fence(&peer, 1, fences[i]);
	}
	/* with its device the timeline's queue goes */
	peer_begin(&peer);
	PEER_ADD(&peer, vkDestroyDevice, .device = PEER_HANDLE(VkDevice, DEVICE));
	peer_ring_write(&peer);
	CHECK(peer_ring_wait(&peer));
	peer_begin(&peer);
	peer_expect_fence(&peer, 1, peer_submit(&peer, 1));
	peer_stop(&peer);
}

/* --- the end --- */

static void test_hangup_ends_every_wait(void) {
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 4096);
	/* a ring that waits for the context path, which waits for the ring */
	peer_begin(&peer);
	PEER_ADD(&peer, vkWaitVirtqueueSeqnoMESA, .seqno = 1);
	peer_ring_write(&peer);
	peer_begin(&peer);
	PEER_ADD(&peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer.position);
	peer_submit(&peer, -1);
	clock_sleep(50 * CLOCK_NS_PER_MS);
	const uint64_t begin = clock_now();
	peer_stop(&peer);
	CHECK(clock_now() - begin < RENDER_EXIT_GRACE_MS * CLOCK_NS_PER_MS);
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: %s VENERA-RENDER\n", argv[0]);
		return 2;
	}
	program = argv[1];
	log_init("test", LOG_LEVEL_INFO);
	RUN(test_blobs);
	RUN(test_ring_wakes_and_sleeps);
	RUN(test_ring_is_stamped_alive);
	RUN(test_ring_wraps);
	RUN(test_ring_is_destroyed);
	RUN(test_ring_extra);
	RUN(test_ring_waits_for_context_path);
	RUN(test_context_path_waits_for_ring);
	RUN(test_streams);
	RUN(test_violations);
	RUN(test_memory_is_shared);
	RUN(test_memory_of_others);
	RUN(test_failed_allocation_is_survived);
	RUN(test_fences);
	RUN(test_hangup_ends_every_wait);
	return 0;
}
