/* SPDX-License-Identifier: MIT */

/* A context that does what guests do: clears an image, copies it, and looks at every pixel. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"
#include "witness.h"

enum {
	WIDTH = 16,
	HEIGHT = 16,
	PICTURE_SIZE = WIDTH * HEIGHT * 4,
	PICTURE_RESOURCE = 40,
	W_IMAGE = 0x100,
	W_IMAGE_MEMORY,
	W_BUFFER,
	W_BUFFER_MEMORY,
	W_POOL,
	W_COMMANDS,
};

/** The first type of `bits` with these properties. */
static uint32_t find_type(struct peer *peer, uint32_t bits, VkMemoryPropertyFlags flags) {
	VkPhysicalDeviceMemoryProperties properties;
	struct venus_vkGetPhysicalDeviceMemoryProperties get = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pMemoryProperties = &properties};
	PEER_CALL(peer, vkGetPhysicalDeviceMemoryProperties, &get);
	for (uint32_t i = 0; i < get.pMemoryProperties->memoryTypeCount; i++) {
		if (bits & UINT32_C(1) << i &&
				(get.pMemoryProperties->memoryTypes[i].propertyFlags & flags) == flags) {
			return i;
		}
	}
	fprintf(stderr, "there is no memory type for the witness\n");
	exit(1);
}

static void allocate(struct peer *peer, uint64_t id, const VkMemoryRequirements *needs,
		VkMemoryPropertyFlags flags) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = needs->size,
		.memoryTypeIndex = find_type(peer, needs->memoryTypeBits, flags),
	};
	VkDeviceMemory memory = PEER_HANDLE(VkDeviceMemory, id);
	struct venus_vkAllocateMemory args = {
		.device = PEER_DEVICE_HANDLE, .pAllocateInfo = &info, .pMemory = &memory};
	PEER_CALL(peer, vkAllocateMemory, &args);
	CHECK_INT(args.ret, VK_SUCCESS);
}

static void make_image(struct peer *peer) {
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {WIDTH, HEIGHT, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	};
	VkImage image = PEER_HANDLE(VkImage, W_IMAGE);
	struct venus_vkCreateImage create = {
		.device = PEER_DEVICE_HANDLE, .pCreateInfo = &info, .pImage = &image};
	PEER_CALL(peer, vkCreateImage, &create);
	CHECK_INT(create.ret, VK_SUCCESS);
	VkMemoryRequirements needs;
	struct venus_vkGetImageMemoryRequirements get = {.device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, W_IMAGE), .pMemoryRequirements = &needs};
	PEER_CALL(peer, vkGetImageMemoryRequirements, &get);
	needs = *get.pMemoryRequirements;
	allocate(peer, W_IMAGE_MEMORY, &needs, 0);
	struct venus_vkBindImageMemory bind = {.device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, W_IMAGE),
		.memory = PEER_HANDLE(VkDeviceMemory, W_IMAGE_MEMORY)};
	PEER_CALL(peer, vkBindImageMemory, &bind);
	CHECK_INT(bind.ret, VK_SUCCESS);
}

static void make_buffer(struct witness *witness) {
	struct peer *peer = &witness->peer;
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = PICTURE_SIZE,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = PEER_HANDLE(VkBuffer, W_BUFFER);
	struct venus_vkCreateBuffer create = {
		.device = PEER_DEVICE_HANDLE, .pCreateInfo = &info, .pBuffer = &buffer};
	PEER_CALL(peer, vkCreateBuffer, &create);
	CHECK_INT(create.ret, VK_SUCCESS);
	VkMemoryRequirements needs;
	struct venus_vkGetBufferMemoryRequirements get = {.device = PEER_DEVICE_HANDLE,
		.buffer = PEER_HANDLE(VkBuffer, W_BUFFER), .pMemoryRequirements = &needs};
	PEER_CALL(peer, vkGetBufferMemoryRequirements, &get);
	needs = *get.pMemoryRequirements;
	allocate(peer, W_BUFFER_MEMORY, &needs, VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
	struct venus_vkBindBufferMemory bind = {.device = PEER_DEVICE_HANDLE,
		.buffer = PEER_HANDLE(VkBuffer, W_BUFFER),
		.memory = PEER_HANDLE(VkDeviceMemory, W_BUFFER_MEMORY)};
	PEER_CALL(peer, vkBindBufferMemory, &bind);
	CHECK_INT(bind.ret, VK_SUCCESS);
	CHECK_INT(peer_create_blob(peer, PICTURE_RESOURCE, RENDER_BLOB_MAPPABLE, W_BUFFER_MEMORY,
			  PICTURE_SIZE, &witness->picture), 0);
}

static void make_command_buffer(struct peer *peer) {
	const VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
	};
	VkCommandPool pool = PEER_HANDLE(VkCommandPool, W_POOL);
	VkCommandBuffer commands = PEER_HANDLE(VkCommandBuffer, W_COMMANDS);
	const VkCommandBufferAllocateInfo allocate_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = pool,
		.commandBufferCount = 1,
	};
	peer_begin(peer);
	PEER_ADD(peer, vkCreateCommandPool, .device = PEER_DEVICE_HANDLE,
		.pCreateInfo = &pool_info, .pCommandPool = &pool);
	PEER_ADD(peer, vkAllocateCommandBuffers, .device = PEER_DEVICE_HANDLE,
		.pAllocateInfo = &allocate_info, .pCommandBuffers = &commands);
	peer_ring_write(peer);
}

void witness_check(struct witness *witness) {
	struct peer *peer = &witness->peer;
	const VkCommandBuffer commands = PEER_HANDLE(VkCommandBuffer, W_COMMANDS);
	const uint32_t turn = ++witness->turn;
	const uint8_t color[4] = {(uint8_t)turn, (uint8_t)(turn >> 8), 0x5a, 0xff};
	const VkCommandBufferBeginInfo begin_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	const VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.newLayout = VK_IMAGE_LAYOUT_GENERAL,
		.image = PEER_HANDLE(VkImage, W_IMAGE),
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	const VkMemoryBarrier written = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_HOST_READ_BIT,
	};
	VkClearColorValue clear;
	for (int i = 0; i < 4; i++) {
		clear.float32[i] = (float)color[i] / 255;
	}
	const VkBufferImageCopy copy = {
		.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
		.imageExtent = {WIDTH, HEIGHT, 1},
	};
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	memset(witness->picture.data, 0, PICTURE_SIZE);
	peer_begin(peer);
	PEER_ADD(peer, vkBeginCommandBuffer, .commandBuffer = commands, .pBeginInfo = &begin_info);
	PEER_ADD(peer, vkCmdPipelineBarrier, .commandBuffer = commands,
		.srcStageMask = VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT, .imageMemoryBarrierCount = 1,
		.pImageMemoryBarriers = &barrier);
	PEER_ADD(peer, vkCmdClearColorImage, .commandBuffer = commands, .image = barrier.image,
		.imageLayout = VK_IMAGE_LAYOUT_GENERAL, .pColor = &clear, .rangeCount = 1,
		.pRanges = &barrier.subresourceRange);
	PEER_ADD(peer, vkCmdPipelineBarrier, .commandBuffer = commands,
		.srcStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT, .memoryBarrierCount = 1,
		.pMemoryBarriers = &written);
	PEER_ADD(peer, vkCmdCopyImageToBuffer, .commandBuffer = commands,
		.srcImage = barrier.image, .srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.dstBuffer = PEER_HANDLE(VkBuffer, W_BUFFER), .regionCount = 1, .pRegions = &copy);
	PEER_ADD(peer, vkCmdPipelineBarrier, .commandBuffer = commands,
		.srcStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_HOST_BIT, .memoryBarrierCount = 1,
		.pMemoryBarriers = &written);
	PEER_ADD(peer, vkEndCommandBuffer, .commandBuffer = commands);
	PEER_ADD(peer, vkQueueSubmit, .queue = PEER_QUEUE_HANDLE, .submitCount = 1,
		.pSubmits = &submit);
	peer_ring_write(peer);
	peer_begin(peer);
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position);
	peer_expect_fence(peer, 1, peer_submit(peer, 1));
	const uint8_t *pixels = witness->picture.data;
	for (size_t i = 0; i < PICTURE_SIZE; i += 4) {
		if (memcmp(pixels + i, color, 4) != 0) {
			fprintf(stderr, "the witness's pixel %zu is wrong\n", i / 4);
			exit(1);
		}
	}
}

void witness_start(struct witness *witness) {
	struct peer *peer = &witness->peer;
	peer_create_ring(peer, 65536);
	peer_create_device(peer, &(struct peer_device_options){.api_version = VK_API_VERSION_1_1});
	make_image(peer);
	make_buffer(witness);
	make_command_buffer(peer);
	witness_check(witness);
}

void witness_finish(struct witness *witness) {
	shmem_finish(&witness->picture);
	peer_stop(&witness->peer);
}
