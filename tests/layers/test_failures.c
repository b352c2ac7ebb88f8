/* SPDX-License-Identifier: MIT */

/*
 * The host refuses to make things, one after the other, after the guest went on. The guest uses what
 * it thinks it has; nothing of that may end the context, keep a fence from retiring, or be in the way of
 * a second try. Needs VK_LAYER_VENERA_fail over the driver.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"
#include "base/log.h"
#include "../render/peer_device.h"

#include "pattern_comp_spv.h"
#include "triangle_frag_spv.h"
#include "triangle_vert_spv.h"

static const char *program;

enum { WORDS = 1024, SIZE = WORDS * 4, SIDE = 64, SEED = 0x1234567 };

/* ids of the guest's objects */
enum {
	DEVICE = PEER_DEVICE,
	QUEUE = PEER_QUEUE,
	BUFFER = 0x40,
	BUFFER_VIEW,
	MEMORY,
	IMAGE,
	IMAGE_MEMORY,
	IMAGE_VIEW,
	SAMPLER,
	PASS,
	FRAMEBUFFER,
	VERTEX,
	FRAGMENT,
	COMPUTE,
	SET_LAYOUT,
	DESCRIPTOR_POOL,
	SET,
	LAYOUT,
	CACHE,
	COMPUTE_PIPELINE,
	GRAPHICS_PIPELINE,
	COMMAND_POOL,
	COMMANDS,
	SECOND_COMMANDS,
	EVENT,
	QUERIES,
	SEMAPHORE,
	FENCE,
};

#define ID(type, id) PEER_HANDLE(Vk##type, id)
#define DEVICE_ID ID(Device, DEVICE)

/** One command that the guest does not wait for. */
#define DO(peer, command, ...) \
	do { \
		peer_begin(peer); \
		PEER_ADD(peer, command, __VA_ARGS__); \
		peer_ring_write(peer); \
	} while (0)

#define CREATE_INTO(peer, kind, id, info, field) \
	do { \
		Vk##kind handle_ = ID(kind, id); \
		DO(peer, vkCreate##kind, .device = DEVICE_ID, .pCreateInfo = &(info), \
			.field = &handle_); \
	} while (0)
#define CREATE(peer, kind, id, info) CREATE_INTO(peer, kind, id, info, p##kind)

/* --- the device --- */

static VkPhysicalDeviceMemoryProperties memory_properties;

static void create_device(struct peer *peer) {
	VkPhysicalDeviceSynchronization2Features features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES,
		.synchronization2 = VK_TRUE,
	};
	peer_create_device(peer, &(struct peer_device_options){
		.api_version = VK_API_VERSION_1_3, .features = &features});
	struct venus_vkGetPhysicalDeviceMemoryProperties memory = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pMemoryProperties = &memory_properties};
	PEER_CALL(peer, vkGetPhysicalDeviceMemoryProperties, &memory);
	memory_properties = *memory.pMemoryProperties;
}

static unsigned count_mappable_types(void) {
	unsigned count = 0;
	for (uint32_t i = 0; i < memory_properties.memoryTypeCount; i++) {
		count += memory_properties.memoryTypes[i].propertyFlags &
			VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT ? 1 : 0;
	}
	return count;
}

/* --- making everything --- */

/** Memory of the first of `types` that has `flags`; `dedicated`, if not NULL, is chained. */
static void allocate(struct peer *peer, uint64_t id, uint64_t size, uint32_t types,
		VkMemoryPropertyFlags flags, const VkMemoryDedicatedAllocateInfo *dedicated) {
	uint32_t type = 0;
	while (type + 1 < memory_properties.memoryTypeCount &&
			(!(types >> type & 1) ||
				(memory_properties.memoryTypes[type].propertyFlags & flags) != flags)) {
		type++;
	}
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = dedicated,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory memory = ID(DeviceMemory, id);
	DO(peer, vkAllocateMemory, .device = DEVICE_ID, .pAllocateInfo = &info, .pMemory = &memory);
}

static void make_buffer(struct peer *peer) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = SIZE,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
			VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT,
	};
	CREATE(peer, Buffer, BUFFER, info);
	allocate(peer, MEMORY, SIZE, UINT32_MAX, VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, NULL);
	DO(peer, vkBindBufferMemory, .device = DEVICE_ID, .buffer = ID(Buffer, BUFFER),
		.memory = ID(DeviceMemory, MEMORY));
	const VkBufferViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
		.buffer = ID(Buffer, BUFFER),
		.format = VK_FORMAT_R32_UINT,
		.range = VK_WHOLE_SIZE,
	};
	CREATE_INTO(peer, BufferView, BUFFER_VIEW, view, pView);
}

static void make_image(struct peer *peer) {
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {SIDE, SIDE, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_SAMPLED_BIT,
	};
	CREATE(peer, Image, IMAGE, info);
	VkMemoryRequirements requirements = {0};
	struct venus_vkGetImageMemoryRequirements get = {.device = DEVICE_ID,
		.image = ID(Image, IMAGE), .pMemoryRequirements = &requirements};
	PEER_CALL(peer, vkGetImageMemoryRequirements, &get);
	const uint64_t size = get.pMemoryRequirements->size;
	const VkMemoryDedicatedAllocateInfo dedicated = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = ID(Image, IMAGE)};
	allocate(peer, IMAGE_MEMORY, size ? size : 65536,
		size ? get.pMemoryRequirements->memoryTypeBits : UINT32_MAX, 0, &dedicated);
	DO(peer, vkBindImageMemory, .device = DEVICE_ID, .image = ID(Image, IMAGE),
		.memory = ID(DeviceMemory, IMAGE_MEMORY));
	const VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = ID(Image, IMAGE),
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	CREATE_INTO(peer, ImageView, IMAGE_VIEW, view, pView);
	const VkSamplerCreateInfo sampler = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
	CREATE(peer, Sampler, SAMPLER, sampler);

	const VkAttachmentDescription attachment = {
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
		.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
		.finalLayout = VK_IMAGE_LAYOUT_GENERAL,
	};
	const VkAttachmentReference color = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
	const VkSubpassDescription subpass = {
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
		.colorAttachmentCount = 1,
		.pColorAttachments = &color,
	};
	const VkRenderPassCreateInfo pass = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &attachment,
		.subpassCount = 1,
		.pSubpasses = &subpass,
	};
	CREATE(peer, RenderPass, PASS, pass);
	const VkImageView attachment_view = ID(ImageView, IMAGE_VIEW);
	const VkFramebufferCreateInfo framebuffer = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.renderPass = ID(RenderPass, PASS),
		.attachmentCount = 1,
		.pAttachments = &attachment_view,
		.width = SIDE,
		.height = SIDE,
		.layers = 1,
	};
	CREATE(peer, Framebuffer, FRAMEBUFFER, framebuffer);
}

static void make_descriptors(struct peer *peer) {
	const VkDescriptorSetLayoutBinding bindings[] = {
		{0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
		{1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
		{2, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
	};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 3,
		.pBindings = bindings,
	};
	CREATE_INTO(peer, DescriptorSetLayout, SET_LAYOUT, set_layout, pSetLayout);
	const VkDescriptorPoolSize sizes[] = {
		{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1},
		{VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1},
		{VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 1},
	};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 3,
		.pPoolSizes = sizes,
	};
	CREATE(peer, DescriptorPool, DESCRIPTOR_POOL, pool);
	const VkDescriptorSetLayout layout = ID(DescriptorSetLayout, SET_LAYOUT);
	const VkDescriptorSetAllocateInfo allocate_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = ID(DescriptorPool, DESCRIPTOR_POOL),
		.descriptorSetCount = 1,
		.pSetLayouts = &layout,
	};
	VkDescriptorSet set = ID(DescriptorSet, SET);
	DO(peer, vkAllocateDescriptorSets, .device = DEVICE_ID, .pAllocateInfo = &allocate_info,
		.pDescriptorSets = &set);

	const VkDescriptorBufferInfo buffer = {ID(Buffer, BUFFER), 0, VK_WHOLE_SIZE};
	const VkDescriptorImageInfo image = {
		ID(Sampler, SAMPLER), ID(ImageView, IMAGE_VIEW), VK_IMAGE_LAYOUT_GENERAL};
	const VkBufferView view = ID(BufferView, BUFFER_VIEW);
	const VkWriteDescriptorSet writes[] = {
		{
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = set,
			.dstBinding = 0,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &buffer,
		},
		{
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = set,
			.dstBinding = 1,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
			.pImageInfo = &image,
		},
		{
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = set,
			.dstBinding = 2,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
			.pTexelBufferView = &view,
		},
	};
	DO(peer, vkUpdateDescriptorSets, .device = DEVICE_ID, .descriptorWriteCount = 3,
		.pDescriptorWrites = writes);
}

static void make_shader(struct peer *peer, uint64_t id, const uint32_t *code, size_t size) {
	const VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = size,
		.pCode = code,
	};
	CREATE(peer, ShaderModule, id, info);
}

static VkPipelineShaderStageCreateInfo stage(VkShaderStageFlagBits bit, uint64_t module) {
	return (VkPipelineShaderStageCreateInfo){
		.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
		.stage = bit,
		.module = ID(ShaderModule, module),
		.pName = "main",
	};
}

static void make_graphics_pipeline(struct peer *peer) {
	const VkPipelineShaderStageCreateInfo stages[] = {
		stage(VK_SHADER_STAGE_VERTEX_BIT, VERTEX),
		stage(VK_SHADER_STAGE_FRAGMENT_BIT, FRAGMENT),
	};
	const VkPipelineVertexInputStateCreateInfo input = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
	const VkPipelineInputAssemblyStateCreateInfo assembly = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
		.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
	};
	const VkViewport viewport = {0, 0, SIDE, SIDE, 0, 1};
	const VkRect2D scissor = {{0, 0}, {SIDE, SIDE}};
	const VkPipelineViewportStateCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
		.viewportCount = 1,
		.pViewports = &viewport,
		.scissorCount = 1,
		.pScissors = &scissor,
	};
	const VkPipelineRasterizationStateCreateInfo raster = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
	const VkPipelineMultisampleStateCreateInfo samples = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
		.rasterizationSamples = VK_SAMPLE_COUNT_1_BIT,
	};
	const VkPipelineColorBlendAttachmentState attachment = {.colorWriteMask = 15};
	const VkPipelineColorBlendStateCreateInfo blend = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &attachment,
	};
	const VkGraphicsPipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.stageCount = 2,
		.pStages = stages,
		.pVertexInputState = &input,
		.pInputAssemblyState = &assembly,
		.pViewportState = &view,
		.pRasterizationState = &raster,
		.pMultisampleState = &samples,
		.pColorBlendState = &blend,
		.layout = ID(PipelineLayout, LAYOUT),
		.renderPass = ID(RenderPass, PASS),
	};
	VkPipeline pipeline = ID(Pipeline, GRAPHICS_PIPELINE);
	DO(peer, vkCreateGraphicsPipelines, .device = DEVICE_ID,
		.pipelineCache = ID(PipelineCache, CACHE), .createInfoCount = 1,
		.pCreateInfos = &info, .pPipelines = &pipeline);
}

static void make_pipelines(struct peer *peer) {
	make_shader(peer, VERTEX, triangle_vert_spv, sizeof(triangle_vert_spv));
	make_shader(peer, FRAGMENT, triangle_frag_spv, sizeof(triangle_frag_spv));
	make_shader(peer, COMPUTE, pattern_comp_spv, sizeof(pattern_comp_spv));
	const VkDescriptorSetLayout set_layout = ID(DescriptorSetLayout, SET_LAYOUT);
	const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 12};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	CREATE(peer, PipelineLayout, LAYOUT, layout);
	const VkPipelineCacheCreateInfo cache = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
	CREATE(peer, PipelineCache, CACHE, cache);
	const VkComputePipelineCreateInfo compute = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = stage(VK_SHADER_STAGE_COMPUTE_BIT, COMPUTE),
		.layout = ID(PipelineLayout, LAYOUT),
	};
	VkPipeline pipeline = ID(Pipeline, COMPUTE_PIPELINE);
	DO(peer, vkCreateComputePipelines, .device = DEVICE_ID,
		.pipelineCache = ID(PipelineCache, CACHE), .createInfoCount = 1,
		.pCreateInfos = &compute, .pPipelines = &pipeline);
	make_graphics_pipeline(peer);
}

static void make_commands(struct peer *peer) {
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
	};
	CREATE(peer, CommandPool, COMMAND_POOL, pool);
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = ID(CommandPool, COMMAND_POOL),
		.commandBufferCount = 2,
	};
	VkCommandBuffer commands[] = {ID(CommandBuffer, COMMANDS), ID(CommandBuffer, SECOND_COMMANDS)};
	DO(peer, vkAllocateCommandBuffers, .device = DEVICE_ID, .pAllocateInfo = &info,
		.pCommandBuffers = commands);
	const VkEventCreateInfo event = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	CREATE(peer, Event, EVENT, event);
	const VkQueryPoolCreateInfo queries = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_OCCLUSION,
		.queryCount = 1,
	};
	CREATE(peer, QueryPool, QUERIES, queries);
	const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	CREATE(peer, Semaphore, SEMAPHORE, semaphore);
	const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	CREATE(peer, Fence, FENCE, fence);
}

/* --- using everything --- */

static void record(struct peer *peer) {
	const VkCommandBuffer commands = ID(CommandBuffer, COMMANDS);
	const VkDescriptorSet set = ID(DescriptorSet, SET);
	const uint32_t parameters[] = {0, WORDS, SEED};
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	const VkClearValue clear = {.color.float32 = {0, 0, 0, 1}};
	const VkRenderPassBeginInfo pass = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = ID(RenderPass, PASS),
		.framebuffer = ID(Framebuffer, FRAMEBUFFER),
		.renderArea = {{0, 0}, {SIDE, SIDE}},
		.clearValueCount = 1,
		.pClearValues = &clear,
	};
	peer_begin(peer);
	PEER_ADD(peer, vkBeginCommandBuffer, .commandBuffer = commands, .pBeginInfo = &begin);
	PEER_ADD(peer, vkCmdFillBuffer, .commandBuffer = commands, .dstBuffer = ID(Buffer, BUFFER),
		.size = VK_WHOLE_SIZE);
	PEER_ADD(peer, vkCmdResetQueryPool, .commandBuffer = commands,
		.queryPool = ID(QueryPool, QUERIES), .queryCount = 1);
	PEER_ADD(peer, vkCmdSetEvent, .commandBuffer = commands, .event = ID(Event, EVENT),
		.stageMask = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
	PEER_ADD(peer, vkCmdBeginRenderPass, .commandBuffer = commands, .pRenderPassBegin = &pass,
		.contents = VK_SUBPASS_CONTENTS_INLINE);
	PEER_ADD(peer, vkCmdBindPipeline, .commandBuffer = commands,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
		.pipeline = ID(Pipeline, GRAPHICS_PIPELINE));
	PEER_ADD(peer, vkCmdBeginQuery, .commandBuffer = commands, .queryPool = ID(QueryPool, QUERIES));
	PEER_ADD(peer, vkCmdDraw, .commandBuffer = commands, .vertexCount = 3, .instanceCount = 1);
	PEER_ADD(peer, vkCmdEndQuery, .commandBuffer = commands, .queryPool = ID(QueryPool, QUERIES));
	PEER_ADD(peer, vkCmdEndRenderPass, .commandBuffer = commands);
	PEER_ADD(peer, vkCmdBindPipeline, .commandBuffer = commands,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
		.pipeline = ID(Pipeline, COMPUTE_PIPELINE));
	PEER_ADD(peer, vkCmdBindDescriptorSets, .commandBuffer = commands,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
		.layout = ID(PipelineLayout, LAYOUT), .descriptorSetCount = 1,
		.pDescriptorSets = &set);
	PEER_ADD(peer, vkCmdPushConstants, .commandBuffer = commands,
		.layout = ID(PipelineLayout, LAYOUT), .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		.size = sizeof(parameters), .pValues = parameters);
	PEER_ADD(peer, vkCmdDispatch, .commandBuffer = commands, .groupCountX = WORDS / 1024,
		.groupCountY = 1, .groupCountZ = 1);
	PEER_ADD(peer, vkEndCommandBuffer, .commandBuffer = commands);
	/* and one in which there is nothing to fail */
	PEER_ADD(peer, vkBeginCommandBuffer,
		.commandBuffer = ID(CommandBuffer, SECOND_COMMANDS), .pBeginInfo = &begin);
	PEER_ADD(peer, vkEndCommandBuffer, .commandBuffer = ID(CommandBuffer, SECOND_COMMANDS));
	peer_ring_write(peer);
}

static void submit(struct peer *peer) {
	const VkCommandBuffer commands[] = {
		ID(CommandBuffer, COMMANDS), ID(CommandBuffer, SECOND_COMMANDS)};
	const VkSemaphore semaphore = ID(Semaphore, SEMAPHORE);
	const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	const VkSubmitInfo first = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 2,
		.pCommandBuffers = commands,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &semaphore,
	};
	const VkSubmitInfo second = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &semaphore,
		.pWaitDstStageMask = &stages,
	};
	DO(peer, vkQueueSubmit, .queue = ID(Queue, QUEUE), .submitCount = 1, .pSubmits = &first);
	DO(peer, vkQueueSubmit, .queue = ID(Queue, QUEUE), .submitCount = 1, .pSubmits = &second,
		.fence = ID(Fence, FENCE));
}

static VkResult wait_for_fence(struct peer *peer) {
	const VkFence fence = ID(Fence, FENCE);
	struct venus_vkWaitForFences wait = {.device = DEVICE_ID, .fenceCount = 1,
		.pFences = &fence, .waitAll = VK_TRUE, .timeout = UINT64_C(20000000000)};
	PEER_CALL(peer, vkWaitForFences, &wait);
	return wait.ret;
}

#define DESTROY(peer, kind, field, id) \
	DO(peer, vkDestroy##kind, .device = DEVICE_ID, .field = ID(kind, id))

static void destroy_everything(struct peer *peer) {
	DESTROY(peer, Fence, fence, FENCE);
	DESTROY(peer, Semaphore, semaphore, SEMAPHORE);
	DESTROY(peer, QueryPool, queryPool, QUERIES);
	DESTROY(peer, Event, event, EVENT);
	const VkCommandBuffer commands[] = {
		ID(CommandBuffer, COMMANDS), ID(CommandBuffer, SECOND_COMMANDS)};
	DO(peer, vkFreeCommandBuffers, .device = DEVICE_ID,
		.commandPool = ID(CommandPool, COMMAND_POOL), .commandBufferCount = 2,
		.pCommandBuffers = commands);
	DESTROY(peer, CommandPool, commandPool, COMMAND_POOL);
	DESTROY(peer, Pipeline, pipeline, GRAPHICS_PIPELINE);
	DESTROY(peer, Pipeline, pipeline, COMPUTE_PIPELINE);
	DESTROY(peer, PipelineCache, pipelineCache, CACHE);
	DESTROY(peer, PipelineLayout, pipelineLayout, LAYOUT);
	DESTROY(peer, ShaderModule, shaderModule, COMPUTE);
	DESTROY(peer, ShaderModule, shaderModule, FRAGMENT);
	DESTROY(peer, ShaderModule, shaderModule, VERTEX);
	DESTROY(peer, DescriptorPool, descriptorPool, DESCRIPTOR_POOL);
	DESTROY(peer, DescriptorSetLayout, descriptorSetLayout, SET_LAYOUT);
	DESTROY(peer, Framebuffer, framebuffer, FRAMEBUFFER);
	DESTROY(peer, RenderPass, renderPass, PASS);
	DESTROY(peer, Sampler, sampler, SAMPLER);
	DESTROY(peer, ImageView, imageView, IMAGE_VIEW);
	DESTROY(peer, Image, image, IMAGE);
	DESTROY(peer, BufferView, bufferView, BUFFER_VIEW);
	DESTROY(peer, Buffer, buffer, BUFFER);
	DO(peer, vkFreeMemory, .device = DEVICE_ID, .memory = ID(DeviceMemory, IMAGE_MEMORY));
	DO(peer, vkFreeMemory, .device = DEVICE_ID, .memory = ID(DeviceMemory, MEMORY));
}

/** Everything once; `whole`: nothing fails. */
static void try_everything(struct peer *peer, bool whole) {
	make_buffer(peer);
	make_image(peer);
	make_descriptors(peer);
	make_pipelines(peer);
	make_commands(peer);
	record(peer);
	submit(peer);
	const VkResult waited = wait_for_fence(peer);
	/* signalled, or the wait is an error: never is it in vain */
	CHECK(whole ? waited == VK_SUCCESS : waited != VK_TIMEOUT);
	peer_begin(peer);
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position);
	peer_expect_fence(peer, 1, peer_submit(peer, 1));

	/* the command buffer is as good as new, whatever became of it */
	record(peer);
	submit(peer);
	peer_begin(peer);
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position);
	peer_expect_fence(peer, 1, peer_submit(peer, 1));
	if (whole) {
		struct shmem shm;
		CHECK_INT(peer_create_blob(peer, 20, RENDER_BLOB_MAPPABLE, MEMORY, SIZE, &shm), 0);
		for (uint32_t i = 0; i < WORDS; i++) {
			CHECK_INT(venus_load_u32((const uint8_t *)shm.data + (size_t)i * 4),
				i * UINT32_C(2654435761) ^ SEED);
		}
		shmem_finish(&shm);
	}
	destroy_everything(peer);
	CHECK(peer_ring_wait(peer));
}

static void run(const char *fail) {
	CHECK_INT(setenv("VENERA_FAIL", fail, 1), 0);
	struct peer peer;
	peer_start(&peer, program);
	peer_create_ring(&peer, 65536);
	create_device(&peer);
	if (*fail) {
		printf("%s\n", fail);
		fflush(stdout);
		try_everything(&peer, false);
	}
	try_everything(&peer, true);
	peer_stop(&peer);
}

static void test_nothing_fails(void) {
	run("");
}

/** Call `n` of a function, of those that follow the renderer's own. */
static void fail_one(const char *function, unsigned n, const char *result) {
	char fail[160];
	snprintf(fail, sizeof(fail), "%s:%u:%s", function, n, result);
	run(fail);
}

static void test_creation_fails(void) {
	static const char *const functions[] = {
		"vkAllocateCommandBuffers",
		"vkAllocateDescriptorSets",
		"vkCreateBufferView",
		"vkCreateCommandPool",
		"vkCreateComputePipelines",
		"vkCreateDescriptorPool",
		"vkCreateDescriptorSetLayout",
		"vkCreateEvent",
		"vkCreateFence",
		"vkCreateFramebuffer",
		"vkCreateGraphicsPipelines",
		"vkCreateImage",
		"vkCreateImageView",
		"vkCreatePipelineCache",
		"vkCreatePipelineLayout",
		"vkCreateQueryPool",
		"vkCreateRenderPass",
		"vkCreateSampler",
		"vkCreateSemaphore",
		"vkCreateShaderModule",
	};
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		fail_one(functions[i], 1, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
	}
	/* the renderer made one to find out what the driver takes */
	fail_one("vkCreateBuffer", 2, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
	fail_one("vkCreateShaderModule", 2, "VK_ERROR_OUT_OF_HOST_MEMORY");
	fail_one("vkCreateShaderModule", 3, "VK_ERROR_OUT_OF_HOST_MEMORY");
}

static void test_memory_fails(void) {
	/* the renderer tried each type */
	const unsigned own = count_mappable_types();
	CHECK(own > 0);
	fail_one("vkAllocateMemory", own + 1, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
	fail_one("vkAllocateMemory", own + 2, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
	fail_one("vkBindBufferMemory", 1, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
	fail_one("vkBindImageMemory", 1, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
}

static void test_recording_fails(void) {
	fail_one("vkBeginCommandBuffer", 1, "VK_ERROR_OUT_OF_HOST_MEMORY");
	fail_one("vkBeginCommandBuffer", 2, "VK_ERROR_OUT_OF_HOST_MEMORY");
	fail_one("vkEndCommandBuffer", 1, "VK_ERROR_OUT_OF_HOST_MEMORY");
	fail_one("vkEndCommandBuffer", 2, "VK_ERROR_OUT_OF_HOST_MEMORY");
	fail_one("vkQueueSubmit", 1, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
	fail_one("vkQueueSubmit", 2, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
	fail_one("vkQueueSubmit", 3, "VK_ERROR_OUT_OF_DEVICE_MEMORY");
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: %s VENERA-RENDER\n", argv[0]);
		return 2;
	}
	program = argv[1];
	log_init("test", LOG_LEVEL_INFO);
	RUN(test_nothing_fails);
	RUN(test_creation_fails);
	RUN(test_memory_fails);
	RUN(test_recording_fails);
	return 0;
}
