/* SPDX-License-Identifier: MIT */
#include "refusals.h"

#include <stdio.h>
#include <stdlib.h>

#include "../unit/test.h"

const char *refusals_program;

void start_bare(struct peer *peer, const char *fail) {
	printf("%s\n", fail);
	fflush(stdout);
	CHECK_INT(setenv("VENERA_FAIL", fail, 1), 0);
	peer_start(peer, refusals_program);
	peer_create_ring(peer, 65536);
}

void start_with(struct peer *peer, const char *fail, uint32_t version, void *more,
		const char *const *extensions, uint32_t extension_count) {
	start_bare(peer, fail);
	VkPhysicalDevicePipelineCreationCacheControlFeatures cache_control = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_CREATION_CACHE_CONTROL_FEATURES,
		.pNext = more,
		.pipelineCreationCacheControl = VK_TRUE,
	};
	VkPhysicalDeviceFeatures2 features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.pNext = &cache_control,
		.features.sparseBinding = VK_TRUE,
	};
	peer_create_device(peer, &(struct peer_device_options){
		.api_version = version, .features = &features, .extensions = extensions,
		.extension_count = extension_count});
}

void start(struct peer *peer, const char *fail) {
	start_with(peer, fail, VK_API_VERSION_1_3, NULL, NULL, 0);
}

void stop(struct peer *peer) {
	CHECK(peer_ring_wait(peer));
	peer_stop(peer);
}

const VkBufferCreateInfo buffer_info = {
	.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
	.size = SIZE,
	.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
};
const VkImageCreateInfo image_info = {
	.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
	.imageType = VK_IMAGE_TYPE_2D,
	.format = VK_FORMAT_R8G8B8A8_UNORM,
	.extent = {16, 16, 1},
	.mipLevels = 1,
	.arrayLayers = 1,
	.samples = VK_SAMPLE_COUNT_1_BIT,
	.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
};
const VkCommandPoolCreateInfo command_pool_info = {
	.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
	.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
};
const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
const VkSemaphoreCreateInfo semaphore_info = {
	.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
static const VkDescriptorPoolSize pool_size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 8};
const VkDescriptorPoolCreateInfo descriptor_pool_info = {
	.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
	.maxSets = 8,
	.poolSizeCount = 1,
	.pPoolSizes = &pool_size,
};

void create_pool_and_layout(struct peer *peer) {
	VkCommandPool pool = ID(CommandPool, POOL);
	EXPECT(VK_SUCCESS, peer, vkCreateCommandPool, .device = DEVICE,
		.pCreateInfo = &command_pool_info, .pCommandPool = &pool);
	const VkDescriptorSetLayoutBinding binding = {
		0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
	const VkDescriptorSetLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	VkDescriptorSetLayout layout = ID(DescriptorSetLayout, SET_LAYOUT);
	EXPECT(VK_SUCCESS, peer, vkCreateDescriptorSetLayout, .device = DEVICE, .pCreateInfo = &info,
		.pSetLayout = &layout);
}

VkResult allocate(
		struct peer *peer, uint64_t id, uint64_t size, uint32_t type, bool answered) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory memory = ID(DeviceMemory, id);
	VkResult result;
	DO_OR_ASK(&result, answered, peer, vkAllocateMemory, .device = DEVICE, .pAllocateInfo = &info,
		.pMemory = &memory);
	return result;
}

VkResult record_fill(struct peer *peer, uint64_t buffer) {
	const VkCommandBuffer commands = ID(CommandBuffer, COMMANDS);
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	DO(peer, vkBeginCommandBuffer, .commandBuffer = commands, .pBeginInfo = &begin);
	DO(peer, vkCmdFillBuffer, .commandBuffer = commands, .dstBuffer = ID(Buffer, buffer),
		.size = VK_WHOLE_SIZE);
	VkResult result;
	ASK(&result, peer, vkEndCommandBuffer, .commandBuffer = commands);
	return result;
}

void allocate_commands(struct peer *peer) {
	create_pool_and_layout(peer);
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = ID(CommandPool, POOL),
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands = ID(CommandBuffer, COMMANDS);
	EXPECT(VK_SUCCESS, peer, vkAllocateCommandBuffers, .device = DEVICE, .pAllocateInfo = &info,
		.pCommandBuffers = &commands);
}
