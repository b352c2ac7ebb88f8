/* SPDX-License-Identifier: MIT */

/* Objects and arguments in the hands of a hostile guest, with a driver behind them. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"
#include "base/clock.h"
#include "hostile.h"

enum {
	OTHER_DEVICE = 0x200,
	BUFFER,
	MEMORY,
	POOL,
	OTHER_POOL,
	COMMANDS,
	LAYOUT,
	QUERIES,
	MODULE,
	IMAGE,
	SECOND_RING = 0x300,
	SECOND_RING_RESOURCE = 60,
};

#define DEVICE PEER_DEVICE_HANDLE
#define H(type, id) PEER_HANDLE(type, id)

/* --- what cases are made of; each sends what it was asked to --- */

static void add_buffer(struct peer *peer, VkDevice device, uint64_t id, uint64_t size) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = H(VkBuffer, id);
	PEER_ADD(peer, vkCreateBuffer, .device = device, .pCreateInfo = &info, .pBuffer = &buffer);
}

static void drop_buffer(struct peer *peer, VkDevice device, uint64_t id) {
	PEER_ADD(peer, vkDestroyBuffer, .device = device, .buffer = H(VkBuffer, id));
}

static void send_all(struct peer *peer) {
	peer_ring_write(peer);
	peer_ring_wait(peer);
	peer_begin(peer);
}

static void add_pool(struct peer *peer, uint64_t id) {
	const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
	VkCommandPool pool = H(VkCommandPool, id);
	PEER_ADD(peer, vkCreateCommandPool, .device = DEVICE, .pCreateInfo = &info,
		.pCommandPool = &pool);
}

static void add_commands(struct peer *peer) {
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = H(VkCommandPool, POOL),
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands = H(VkCommandBuffer, COMMANDS);
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	add_pool(peer, POOL);
	PEER_ADD(peer, vkAllocateCommandBuffers, .device = DEVICE, .pAllocateInfo = &info,
		.pCommandBuffers = &commands);
	PEER_ADD(peer, vkBeginCommandBuffer, .commandBuffer = commands, .pBeginInfo = &begin);
}

static void drop_pool(struct peer *peer, uint64_t id) {
	PEER_ADD(peer, vkDestroyCommandPool, .device = DEVICE, .commandPool = H(VkCommandPool, id));
}

static void add_memory(struct peer *peer, uint64_t id, uint64_t size, uint32_t type,
		const void *chain) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = chain,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory memory = H(VkDeviceMemory, id);
	PEER_ADD(peer, vkAllocateMemory, .device = DEVICE, .pAllocateInfo = &info,
		.pMemory = &memory);
}

static void drop_memory(struct peer *peer, uint64_t id) {
	PEER_ADD(peer, vkFreeMemory, .device = DEVICE, .memory = H(VkDeviceMemory, id));
}

/* --- lives --- */

static void id_taken(struct peer *peer) {
	add_buffer(peer, DEVICE, BUFFER, 64);
	add_buffer(peer, DEVICE, BUFFER, 64);
	send_all(peer);
}

static void id_of_device(struct peer *peer) {
	add_buffer(peer, DEVICE, PEER_DEVICE, 64);
	send_all(peer);
}

static void id_zero(struct peer *peer) {
	add_buffer(peer, DEVICE, 0, 64);
	send_all(peer);
}

static void destroyed_twice(struct peer *peer) {
	add_buffer(peer, DEVICE, BUFFER, 64);
	drop_buffer(peer, DEVICE, BUFFER);
	drop_buffer(peer, DEVICE, BUFFER);
	send_all(peer);
}

static void destroyed_as_other(struct peer *peer) {
	add_buffer(peer, DEVICE, BUFFER, 64);
	PEER_ADD(peer, vkDestroyImage, .device = DEVICE, .image = H(VkImage, BUFFER));
	send_all(peer);
}

static void destroyed_null(struct peer *peer) {
	drop_buffer(peer, DEVICE, 0);
	drop_memory(peer, 0);
	drop_pool(peer, 0);
	send_all(peer);
}

static void memory_freed_twice(struct peer *peer) {
	add_memory(peer, MEMORY, 4096, 0, NULL);
	drop_memory(peer, MEMORY);
	drop_memory(peer, MEMORY);
	send_all(peer);
}

static void bound_after_free(struct peer *peer) {
	add_buffer(peer, DEVICE, BUFFER, 64);
	add_memory(peer, MEMORY, 4096, 0, NULL);
	drop_memory(peer, MEMORY);
	PEER_ADD(peer, vkBindBufferMemory, .device = DEVICE, .buffer = H(VkBuffer, BUFFER),
		.memory = H(VkDeviceMemory, MEMORY));
	send_all(peer);
}

static void device_destroyed_twice(struct peer *peer) {
	PEER_ADD(peer, vkDestroyDevice, .device = DEVICE);
	PEER_ADD(peer, vkDestroyDevice, .device = DEVICE);
	send_all(peer);
}

static void device_gone(struct peer *peer) {
	PEER_ADD(peer, vkDestroyDevice, .device = DEVICE);
	add_buffer(peer, DEVICE, BUFFER, 64);
	send_all(peer);
}

static void queue_after_device(struct peer *peer) {
	PEER_ADD(peer, vkDestroyDevice, .device = DEVICE);
	PEER_ADD(peer, vkQueueSubmit, .queue = PEER_QUEUE_HANDLE);
	send_all(peer);
}

static void instance_gone(struct peer *peer) {
	/* with the device in it */
	PEER_ADD(peer, vkDestroyInstance, .instance = H(VkInstance, PEER_INSTANCE));
	add_buffer(peer, DEVICE, BUFFER, 64);
	send_all(peer);
}

static void instance_destroyed_twice(struct peer *peer) {
	PEER_ADD(peer, vkDestroyInstance, .instance = H(VkInstance, PEER_INSTANCE));
	PEER_ADD(peer, vkDestroyInstance, .instance = H(VkInstance, PEER_INSTANCE));
	send_all(peer);
}

static void pool_gone(struct peer *peer) {
	add_commands(peer);
	drop_pool(peer, POOL);
	PEER_ADD(peer, vkEndCommandBuffer, .commandBuffer = H(VkCommandBuffer, COMMANDS));
	send_all(peer);
}

static void freed_from_other_pool(struct peer *peer) {
	const VkCommandBuffer commands = H(VkCommandBuffer, COMMANDS);
	add_commands(peer);
	add_pool(peer, OTHER_POOL);
	PEER_ADD(peer, vkFreeCommandBuffers, .device = DEVICE,
		.commandPool = H(VkCommandPool, OTHER_POOL), .commandBufferCount = 1,
		.pCommandBuffers = &commands);
	send_all(peer);
}

static void freed_twice_in_one(struct peer *peer) {
	const VkCommandBuffer commands[] = {H(VkCommandBuffer, COMMANDS), H(VkCommandBuffer, COMMANDS)};
	add_commands(peer);
	PEER_ADD(peer, vkFreeCommandBuffers, .device = DEVICE,
		.commandPool = H(VkCommandPool, POOL), .commandBufferCount = 2,
		.pCommandBuffers = commands);
	drop_pool(peer, POOL);
	send_all(peer);
}

static void same_id_twice_in_one(struct peer *peer) {
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = H(VkCommandPool, POOL),
		.commandBufferCount = 2,
	};
	VkCommandBuffer commands[] = {H(VkCommandBuffer, COMMANDS), H(VkCommandBuffer, COMMANDS)};
	add_pool(peer, POOL);
	PEER_ADD(peer, vkAllocateCommandBuffers, .device = DEVICE, .pAllocateInfo = &info,
		.pCommandBuffers = commands);
	send_all(peer);
}

static void of_another_device(struct peer *peer) {
	const float priority = 1;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
	};
	VkDevice device = H(VkDevice, OTHER_DEVICE);
	PEER_ADD(peer, vkCreateDevice, .physicalDevice = PEER_PHYSICAL_HANDLE,
		.pCreateInfo = &info, .pDevice = &device);
	add_buffer(peer, device, BUFFER, 64);
	drop_buffer(peer, DEVICE, BUFFER);
	send_all(peer);
}

/** Leaves everything that there is behind. */
static void left_behind(struct peer *peer) {
	add_buffer(peer, DEVICE, BUFFER, 64);
	add_memory(peer, MEMORY, 4096, 0, NULL);
	add_commands(peer);
	PEER_ADD(peer, vkDestroyInstance, .instance = H(VkInstance, PEER_INSTANCE));
	PEER_ADD(peer, vkWaitVirtqueueSeqnoMESA, .seqno = 0);
	drop_buffer(peer, DEVICE, BUFFER);
	send_all(peer);
}

#define LIVE(name, reason) {#name, HOSTILE_DEVICE, HOSTILE_LOST, reason, name}
#define TAKEN "the new object's id is taken"

static const struct hostile_case lives[] = {
	{"destroyed_null", HOSTILE_DEVICE, HOSTILE_SURVIVES, NULL, destroyed_null},
	{"freed_twice_in_one", HOSTILE_DEVICE, HOSTILE_SURVIVES, NULL, freed_twice_in_one},
	LIVE(id_taken, TAKEN),
	LIVE(id_of_device, TAKEN),
	LIVE(id_zero, "vkCreateBuffer: pBuffer: must not be NULL"),
	LIVE(destroyed_twice, "vkDestroyBuffer: buffer: names no object"),
	LIVE(destroyed_as_other, "vkDestroyImage: image: names an object of another type"),
	LIVE(memory_freed_twice, "vkFreeMemory: memory: names no object"),
	LIVE(bound_after_free, "vkBindBufferMemory: memory: names no object"),
	LIVE(device_destroyed_twice, "vkDestroyDevice: device: names no object"),
	LIVE(device_gone, "vkCreateBuffer: device: names no object"),
	LIVE(queue_after_device, "vkQueueSubmit: queue: names no object"),
	LIVE(instance_gone, "vkCreateBuffer: device: names no object"),
	LIVE(instance_destroyed_twice, "vkDestroyInstance: instance: names no object"),
	LIVE(pool_gone, "vkEndCommandBuffer: commandBuffer: names no object"),
	LIVE(freed_from_other_pool, "it was allocated from another pool"),
	LIVE(same_id_twice_in_one, TAKEN),
	LIVE(of_another_device, "vkDestroyBuffer: buffer: names an object of another device"),
	LIVE(left_behind, "vkDestroyBuffer: device: names no object"),
};

/* --- arguments --- */

#define BUFFER_CASE(name, size) \
	static void name(struct peer *peer) { \
		add_buffer(peer, DEVICE, BUFFER, size); \
		drop_buffer(peer, DEVICE, BUFFER); \
		send_all(peer); \
	}
BUFFER_CASE(buffer_of_0, 0)
BUFFER_CASE(buffer_of_1, 1)
BUFFER_CASE(buffer_of_2g, UINT64_C(1) << 31)
BUFFER_CASE(buffer_of_4g, UINT64_C(1) << 32)
BUFFER_CASE(buffer_of_half, UINT64_C(1) << 63)
BUFFER_CASE(buffer_of_all, UINT64_MAX)

#define MEMORY_CASE(name, size, type) \
	static void name(struct peer *peer) { \
		add_memory(peer, MEMORY, size, type, NULL); \
		drop_memory(peer, MEMORY); \
		send_all(peer); \
	}
MEMORY_CASE(memory_of_0, 0, 0)
MEMORY_CASE(memory_of_1, 1, 0)
MEMORY_CASE(memory_of_half, UINT64_C(1) << 63, 0)
MEMORY_CASE(memory_of_all, UINT64_MAX, 0)
MEMORY_CASE(memory_of_type_32, 4096, 32)
MEMORY_CASE(memory_of_type_max, 4096, UINT32_MAX)

static void import_case(struct peer *peer, uint32_t resource, uint64_t size) {
	const VkImportMemoryResourceInfoMESA import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA, .resourceId = resource};
	add_memory(peer, MEMORY, size, 0, &import);
	drop_memory(peer, MEMORY);
	send_all(peer);
}

static void import_unknown(struct peer *peer) {
	import_case(peer, 99, 4096);
}

static void import_zero(struct peer *peer) {
	import_case(peer, 0, 4096);
}

static void import_too_much(struct peer *peer) {
	import_case(peer, peer_resource(peer, PEER_REPLY_RESOURCE), UINT64_C(1) << 32);
}

static void import_ring(struct peer *peer) {
	import_case(peer, peer_resource(peer, PEER_RING_RESOURCE), 4096);
}

static void import_wraps(struct peer *peer) {
	import_case(peer, peer_resource(peer, PEER_REPLY_RESOURCE), UINT64_MAX);
}

static void add_queries(struct peer *peer) {
	const VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_OCCLUSION,
		.queryCount = 4,
	};
	VkQueryPool pool = H(VkQueryPool, QUERIES);
	PEER_ADD(peer, vkCreateQueryPool, .device = DEVICE, .pCreateInfo = &info,
		.pQueryPool = &pool);
}

#define QUERY_CASE(name, first, count, size, step, bits) \
	static void name(struct peer *peer) { \
		static uint8_t data[256]; \
		add_queries(peer); \
		PEER_ADD(peer, vkGetQueryPoolResults, .device = DEVICE, \
			.queryPool = H(VkQueryPool, QUERIES), .firstQuery = first, \
			.queryCount = count, .dataSize = size, .pData = data, .stride = step, \
			.flags = bits); \
		PEER_ADD(peer, vkDestroyQueryPool, .device = DEVICE, \
			.queryPool = H(VkQueryPool, QUERIES)); \
		send_all(peer); \
	}
QUERY_CASE(queries_behind, 4, 1, 64, 4, 0)
QUERY_CASE(queries_far, UINT32_MAX, 1, 64, 4, 0)
QUERY_CASE(queries_wrap, 1, UINT32_MAX, 64, 4, 0)
QUERY_CASE(queries_too_many, 0, 5, 64, 4, 0)
QUERY_CASE(query_no_room, 0, 1, 3, 4, 0)
QUERY_CASE(query_no_room_64, 0, 1, 4, 8, VK_QUERY_RESULT_64_BIT)
QUERY_CASE(query_no_room_for_availability, 0, 1, 4, 8, VK_QUERY_RESULT_WITH_AVAILABILITY_BIT)
QUERY_CASE(stride_huge, 0, 2, 64, UINT64_C(1) << 63, 0)
QUERY_CASE(stride_all, 0, 4, 64, UINT64_MAX - 3, 0)
QUERY_CASE(stride_beyond, 0, 2, 64, 64, 0)
QUERY_CASE(stride_odd, 0, 2, 64, 3, 0)
QUERY_CASE(stride_zero, 0, 4, 64, 0, 0)

static void push_constants(struct peer *peer, uint32_t offset, uint32_t size) {
	static uint8_t values[4096];
	const VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = 128};
	const VkPipelineLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	VkPipelineLayout layout = H(VkPipelineLayout, LAYOUT);
	add_commands(peer);
	PEER_ADD(peer, vkCreatePipelineLayout, .device = DEVICE, .pCreateInfo = &info,
		.pPipelineLayout = &layout);
	PEER_ADD(peer, vkCmdPushConstants, .commandBuffer = H(VkCommandBuffer, COMMANDS),
		.layout = layout, .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .offset = offset,
		.size = size, .pValues = values);
	send_all(peer);
}

static void push_huge(struct peer *peer) {
	push_constants(peer, 0, 4096);
}

static void push_far(struct peer *peer) {
	push_constants(peer, UINT32_MAX - 3, 4);
}

static void push_behind(struct peer *peer) {
	push_constants(peer, 65536, 4);
}

static void image_case(struct peer *peer, VkExtent3D extent, uint32_t levels, uint32_t layers,
		VkSampleCountFlagBits samples, VkFormat format) {
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = format,
		.extent = extent,
		.mipLevels = levels,
		.arrayLayers = layers,
		.samples = samples,
		.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	};
	VkImage image = H(VkImage, IMAGE);
	PEER_ADD(peer, vkCreateImage, .device = DEVICE, .pCreateInfo = &info, .pImage = &image);
	PEER_ADD(peer, vkDestroyImage, .device = DEVICE, .image = image);
	send_all(peer);
}

static void image_ok(struct peer *peer) {
	image_case(peer, (VkExtent3D){4, 4, 1}, 1, 1, VK_SAMPLE_COUNT_1_BIT,
		VK_FORMAT_R8G8B8A8_UNORM);
}

/** The length of an output, which no stream backs. */
static void families(struct peer *peer, uint32_t count) {
	VkQueueFamilyProperties one;
	memset(&one, 0, sizeof(one));
	peer_begin(peer);
	PEER_ADD(peer, vkGetPhysicalDeviceQueueFamilyProperties,
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pQueueFamilyPropertyCount = &count,
		.pQueueFamilyProperties = NULL);
	/* says that there is an array of so many */
	const uint64_t elements = count;
	memcpy(peer->encoder.cursor - 8, &elements, 8);
	send_all(peer);
}

static void families_2g(struct peer *peer) {
	families(peer, UINT32_C(1) << 31);
}

static void families_4g(struct peer *peer) {
	families(peer, UINT32_MAX);
}

static void spirv(struct peer *peer, const uint32_t *words, size_t size) {
	const VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = size,
		.pCode = words,
	};
	VkShaderModule module = H(VkShaderModule, MODULE);
	PEER_ADD(peer, vkCreateShaderModule, .device = DEVICE, .pCreateInfo = &info,
		.pShaderModule = &module);
	PEER_ADD(peer, vkDestroyShaderModule, .device = DEVICE, .shaderModule = module);
	send_all(peer);
}

static void spirv_zeros(struct peer *peer) {
	spirv(peer, (const uint32_t[64]){0}, 256);
}

static void spirv_one_word(struct peer *peer) {
	spirv(peer, (const uint32_t[]){0x07230203}, 4);
}

static void spirv_empty(struct peer *peer) {
	spirv(peer, (const uint32_t[]){0x07230203}, 0);
}

#define REFUSED(name, reason) {#name, HOSTILE_DEVICE, HOSTILE_LOST, reason, name}
#define HARMLESS(name) {#name, HOSTILE_DEVICE, HOSTILE_SURVIVES, NULL, name}
#define OUTSIDE_POOL "the queries lie outside the pool"
#define NO_ROOM "the results do not fit into dataSize"

static const struct hostile_case arguments[] = {
	HARMLESS(buffer_of_0),
	HARMLESS(buffer_of_1),
	HARMLESS(buffer_of_2g),
	HARMLESS(buffer_of_4g),
	HARMLESS(buffer_of_half),
	HARMLESS(buffer_of_all),
	HARMLESS(memory_of_0),
	HARMLESS(memory_of_1),
	HARMLESS(memory_of_half),
	HARMLESS(memory_of_all),
	HARMLESS(memory_of_type_32),
	HARMLESS(memory_of_type_max),
	HARMLESS(import_too_much),
	HARMLESS(import_ring),
	HARMLESS(import_wraps),
	HARMLESS(image_ok),
	HARMLESS(stride_zero),
	REFUSED(import_unknown, "the resource to import does not exist"),
	REFUSED(import_zero, "the resource to import does not exist"),
	REFUSED(spirv_zeros, "the code is no SPIR-V"),
	REFUSED(spirv_one_word, "the code is no SPIR-V"),
	REFUSED(spirv_empty, "VkShaderModuleCreateInfo.codeSize"),
	REFUSED(queries_behind, OUTSIDE_POOL),
	REFUSED(queries_far, OUTSIDE_POOL),
	REFUSED(queries_wrap, OUTSIDE_POOL),
	REFUSED(queries_too_many, OUTSIDE_POOL),
	REFUSED(query_no_room, NO_ROOM),
	REFUSED(query_no_room_64, NO_ROOM),
	REFUSED(query_no_room_for_availability, NO_ROOM),
	REFUSED(stride_huge, NO_ROOM),
	REFUSED(stride_all, NO_ROOM),
	REFUSED(stride_beyond, NO_ROOM),
	REFUSED(stride_odd, NO_ROOM),
	REFUSED(push_huge, "vkCmdPushConstants: "),
	REFUSED(push_far, "vkCmdPushConstants: "),
	REFUSED(push_behind, "vkCmdPushConstants: "),
	REFUSED(families_2g, "vkGetPhysicalDeviceQueueFamilyProperties: "),
	REFUSED(families_4g, "vkGetPhysicalDeviceQueueFamilyProperties: "),
};

/* --- queues --- */

static void fetch_queue(struct peer *peer, uint32_t family, uint32_t index, uint32_t ring_idx,
		bool timeline) {
	VkDeviceQueueTimelineInfoMESA chained = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA, .ringIdx = ring_idx};
	const VkDeviceQueueInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2,
		.pNext = timeline ? &chained : NULL,
		.queueFamilyIndex = family,
		.queueIndex = index,
	};
	VkQueue queue = H(VkQueue, OTHER_DEVICE);
	PEER_ADD(peer, vkGetDeviceQueue2, .device = DEVICE, .pQueueInfo = &info, .pQueue = &queue);
	send_all(peer);
}

#define QUEUE_CASE(name, ...) \
	static void name(struct peer *peer) { \
		fetch_queue(peer, __VA_ARGS__); \
	}
QUEUE_CASE(timeline_0, 0, 0, 0, true)
QUEUE_CASE(timeline_64, 0, 0, 64, true)
QUEUE_CASE(timeline_max, 0, 0, UINT32_MAX, true)
QUEUE_CASE(timeline_taken, 0, 0, 1, true)
QUEUE_CASE(timeline_missing, 0, 0, 1, false)
QUEUE_CASE(queue_twice, 0, 0, 2, true)
QUEUE_CASE(queue_index, 0, 1, 2, true)
QUEUE_CASE(queue_index_max, 0, UINT32_MAX, 2, true)
QUEUE_CASE(queue_family_max, UINT32_MAX, 0, 2, true)

static const struct hostile_case queues[] = {
	REFUSED(timeline_0, "ringIdx is out of range"),
	REFUSED(timeline_64, "ringIdx is out of range"),
	REFUSED(timeline_max, "ringIdx is out of range"),
	REFUSED(timeline_taken, "vkGetDeviceQueue2: "),
	REFUSED(timeline_missing, "no VkDeviceQueueTimelineInfoMESA"),
	REFUSED(queue_twice, "the queue was fetched before"),
	REFUSED(queue_index, "the device has no such queue"),
	REFUSED(queue_index_max, "the device has no such queue"),
	REFUSED(queue_family_max, "the device has no such queue"),
};

/* --- two rings at once --- */

enum { FATAL = 2 };

enum { RACES = 60, SECOND_TAIL = 64, SECOND_STATUS = 128, SECOND_BUFFER = 192 };

/** Has a second ring execute the stream; begins another one for the first. */
static void begin_second(struct peer *peer, struct shmem *shm) {
	CHECK_INT(peer_create_blob(peer, SECOND_RING_RESOURCE, RENDER_BLOB_MAPPABLE, 0,
			  SECOND_BUFFER + 65536, shm), 0);
	const size_t size = peer_stream_size(peer);
	uint8_t *base = shm->data;
	memcpy(base + SECOND_BUFFER, peer->commands, size);
	atomic_store((_Atomic uint32_t *)(void *)(base + SECOND_TAIL), (uint32_t)size);
	const VkRingCreateInfoMESA info = {
		.sType = VK_STRUCTURE_TYPE_RING_CREATE_INFO_MESA,
		.resourceId = peer_resource(peer, SECOND_RING_RESOURCE),
		.size = SECOND_BUFFER + 65536,
		.idleTimeout = 1000000,
		.tailOffset = SECOND_TAIL,
		.statusOffset = SECOND_STATUS,
		.bufferOffset = SECOND_BUFFER,
		.bufferSize = 65536,
		.extraOffset = 32,
	};
	peer_begin(peer);
	PEER_ADD(peer, vkCreateRingMESA, .ring = SECOND_RING, .pCreateInfo = &info);
	peer_submit(peer, -1);
	peer_begin(peer);
}

static bool second_is_done(const struct shmem *shm) {
	uint8_t *base = shm->data;
	const uint32_t tail = atomic_load((_Atomic uint32_t *)(void *)(base + SECOND_TAIL));
	const uint32_t status = atomic_load((_Atomic uint32_t *)(void *)(base + SECOND_STATUS));
	return atomic_load((_Atomic uint32_t *)(void *)base) == tail || (status & FATAL);
}

static void end_second(struct shmem *shm) {
	while (!second_is_done(shm)) {
		clock_sleep(CLOCK_NS_PER_MS);
	}
	shmem_finish(shm);
}

/** Both rings execute the stream, which both may only half like. */
static void race(struct peer *peer) {
	struct shmem shm;
	const size_t size = peer_stream_size(peer);
	static uint8_t stream[sizeof(peer->commands)];
	memcpy(stream, peer->commands, size);
	begin_second(peer, &shm);
	memcpy(peer->commands, stream, size);
	peer->encoder.cursor = peer->commands + size;
	peer_ring_write(peer);
	peer_ring_wait(peer);
	/* the other one as well, or the context is lost */
	end_second(&shm);
}

static void race_for_buffers(struct peer *peer) {
	for (uint64_t i = 0; i < RACES; i++) {
		add_buffer(peer, DEVICE, 0x1000 + i, 64);
	}
	send_all(peer);
	for (uint64_t i = 0; i < RACES; i++) {
		drop_buffer(peer, DEVICE, 0x1000 + i);
	}
	race(peer);
}

static void race_for_memory(struct peer *peer) {
	for (uint64_t i = 0; i < RACES; i++) {
		add_memory(peer, 0x1000 + i, 4096, 0, NULL);
	}
	send_all(peer);
	for (uint64_t i = 0; i < RACES; i++) {
		drop_memory(peer, 0x1000 + i);
	}
	race(peer);
}

static void race_for_pools(struct peer *peer) {
	for (uint64_t i = 0; i < RACES; i++) {
		add_pool(peer, 0x1000 + i);
	}
	send_all(peer);
	for (uint64_t i = 0; i < RACES; i++) {
		drop_pool(peer, 0x1000 + i);
	}
	race(peer);
}

static void race_for_device(struct peer *peer) {
	PEER_ADD(peer, vkDestroyDevice, .device = DEVICE);
	race(peer);
}

/**
 * Nothing is destroyed while the other ring is in the middle of what names it: else it would find
 * nothing any more, and that loses the context.
 */
static void race_with_device(struct peer *peer, bool instance) {
	const VkFence fence = H(VkFence, BUFFER);
	const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence new_fence = fence;
	PEER_ADD(peer, vkCreateFence, .device = DEVICE, .pCreateInfo = &info, .pFence = &new_fence);
	send_all(peer);
	for (int i = 0; i < RACES; i++) {
		PEER_ADD(peer, vkWaitForFences, .device = DEVICE, .fenceCount = 1,
			.pFences = &fence, .waitAll = true, .timeout = 8 * CLOCK_NS_PER_MS);
	}
	struct shmem shm;
	begin_second(peer, &shm);
	clock_sleep(100 * CLOCK_NS_PER_MS);
	if (instance) {
		PEER_ADD(peer, vkDestroyInstance, .instance = H(VkInstance, PEER_INSTANCE));
	} else {
		PEER_ADD(peer, vkDestroyDevice, .device = DEVICE);
	}
	peer_ring_write(peer);
	peer_ring_wait(peer);
	CHECK(second_is_done(&shm));
	end_second(&shm);
}

static void race_use_of_device(struct peer *peer) {
	race_with_device(peer, false);
}

static void race_use_of_instance(struct peer *peer) {
	race_with_device(peer, true);
}

static void race_to_create(struct peer *peer) {
	for (uint64_t i = 0; i < RACES; i++) {
		add_buffer(peer, DEVICE, 0x1000 + i, 64);
	}
	race(peer);
}

/** Memory becomes a resource while a ring frees it. */
static void race_of_export(struct peer *peer) {
	for (uint64_t i = 0; i < RACES; i++) {
		add_memory(peer, 0x1000 + i, 4096, 0, NULL);
	}
	send_all(peer);
	for (uint64_t i = 0; i < RACES; i++) {
		drop_memory(peer, 0x1000 + i);
	}
	peer_ring_write(peer);
	for (uint32_t i = 0; i < RACES; i++) {
		peer_create_blob(peer, 100 + i, RENDER_BLOB_MAPPABLE, 0x1000 + i, 4096, NULL);
	}
	peer_ring_wait(peer);
}

static const struct hostile_case races[] = {
	{"memory exported while freed", HOSTILE_DEVICE, HOSTILE_SURVIVES, NULL, race_of_export,
		.not_vtest = true},
	{"buffers destroyed by two rings", HOSTILE_DEVICE, HOSTILE_EITHER, NULL, race_for_buffers},
	{"memory freed by two rings", HOSTILE_DEVICE, HOSTILE_EITHER, NULL, race_for_memory},
	{"pools destroyed by two rings", HOSTILE_DEVICE, HOSTILE_EITHER, NULL, race_for_pools},
	{"ids bound by two rings", HOSTILE_DEVICE, HOSTILE_EITHER, NULL, race_to_create},
	{"a device destroyed by two rings", HOSTILE_DEVICE, HOSTILE_EITHER, NULL, race_for_device},
	{"a device destroyed while used", HOSTILE_DEVICE, HOSTILE_SURVIVES, NULL,
		race_use_of_device},
	{"an instance destroyed while used", HOSTILE_DEVICE, HOSTILE_SURVIVES, NULL,
		race_use_of_instance},
};

#define RUN_GROUP(group) hostile_run(#group, group, sizeof(group) / sizeof(group[0]))

int main(int argc, char **argv) {
	hostile_start(&argc, &argv);
	RUN_GROUP(lives);
	RUN_GROUP(arguments);
	RUN_GROUP(queues);
	/* each in a process of its own: what they share is what they fight for */
	for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
		hostile_run("races", &races[i], 1);
	}
	return hostile_finish();
}
