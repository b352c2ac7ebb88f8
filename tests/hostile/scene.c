/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include "../unit/test.h"

#include "pattern_comp_spv.h"
#include "triangle_frag_spv.h"
#include "triangle_vert_spv.h"

#define DEVICE PEER_DEVICE_HANDLE
#define ID SCENE_ID
#define DO SCENE_DO

#define CREATE_INTO(peer, kind, id, info, field) \
	do { \
		Vk##kind handle_ = ID(kind, id); \
		DO(peer, vkCreate##kind, .device = DEVICE, .pCreateInfo = &(info), .field = &handle_); \
	} while (0)
#define CREATE(peer, kind, id, info) CREATE_INTO(peer, kind, id, info, p##kind)

static void allocate(struct peer *peer, uint64_t id, uint64_t size, uint32_t type) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory memory = ID(DeviceMemory, id);
	DO(peer, vkAllocateMemory, .device = DEVICE, .pAllocateInfo = &info, .pMemory = &memory);
}

static uint32_t lowest_bit(uint32_t bits) {
	uint32_t bit = 0;
	while (bit < 31 && !(bits >> bit & 1)) {
		bit++;
	}
	return bit;
}

static void make_buffer(struct peer *peer) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = SCENE_SIZE,
		.usage = 0x1ff, /* all of Vulkan 1.0 */
	};
	CREATE(peer, Buffer, SCENE_BUFFER, info);
	VkMemoryRequirements needs;
	struct venus_vkGetBufferMemoryRequirements get = {.device = DEVICE,
		.buffer = ID(Buffer, SCENE_BUFFER), .pMemoryRequirements = &needs};
	PEER_CALL(peer, vkGetBufferMemoryRequirements, &get);
	needs = *get.pMemoryRequirements;
	allocate(peer, SCENE_MEMORY, needs.size, lowest_bit(needs.memoryTypeBits));
	DO(peer, vkBindBufferMemory, .device = DEVICE, .buffer = ID(Buffer, SCENE_BUFFER),
		.memory = ID(DeviceMemory, SCENE_MEMORY));
}

static void make_image(struct peer *peer) {
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {SCENE_SIDE, SCENE_SIDE, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_SAMPLED_BIT |
			VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	};
	CREATE(peer, Image, SCENE_IMAGE, info);
	VkMemoryRequirements needs;
	struct venus_vkGetImageMemoryRequirements get = {
		.device = DEVICE, .image = ID(Image, SCENE_IMAGE), .pMemoryRequirements = &needs};
	PEER_CALL(peer, vkGetImageMemoryRequirements, &get);
	needs = *get.pMemoryRequirements;
	allocate(peer, SCENE_IMAGE_MEMORY, needs.size, lowest_bit(needs.memoryTypeBits));
	DO(peer, vkBindImageMemory, .device = DEVICE, .image = ID(Image, SCENE_IMAGE),
		.memory = ID(DeviceMemory, SCENE_IMAGE_MEMORY));
	const VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = ID(Image, SCENE_IMAGE),
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	CREATE_INTO(peer, ImageView, SCENE_VIEW, view, pView);
	const VkSamplerCreateInfo sampler = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
	CREATE(peer, Sampler, SCENE_SAMPLER, sampler);
}

static void make_pass(struct peer *peer) {
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
	CREATE(peer, RenderPass, SCENE_PASS, pass);
	const VkImageView view = ID(ImageView, SCENE_VIEW);
	const VkFramebufferCreateInfo framebuffer = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.renderPass = ID(RenderPass, SCENE_PASS),
		.attachmentCount = 1,
		.pAttachments = &view,
		.width = SCENE_SIDE,
		.height = SCENE_SIDE,
		.layers = 1,
	};
	CREATE(peer, Framebuffer, SCENE_FRAMEBUFFER, framebuffer);
}

static void make_descriptors(struct peer *peer) {
	const VkDescriptorSetLayoutBinding binding = {0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
		VK_SHADER_STAGE_COMPUTE_BIT, NULL};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	CREATE_INTO(peer, DescriptorSetLayout, SCENE_SET_LAYOUT, set_layout, pSetLayout);
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 8};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 8,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	CREATE(peer, DescriptorPool, SCENE_DESCRIPTOR_POOL, pool);
	const VkDescriptorSetLayout layout = ID(DescriptorSetLayout, SCENE_SET_LAYOUT);
	const VkDescriptorSetAllocateInfo allocate_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = ID(DescriptorPool, SCENE_DESCRIPTOR_POOL),
		.descriptorSetCount = 1,
		.pSetLayouts = &layout,
	};
	VkDescriptorSet set = ID(DescriptorSet, SCENE_SET);
	DO(peer, vkAllocateDescriptorSets, .device = DEVICE, .pAllocateInfo = &allocate_info,
		.pDescriptorSets = &set);
	const VkDescriptorBufferInfo buffer = {ID(Buffer, SCENE_BUFFER), 0, VK_WHOLE_SIZE};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = set,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = &buffer,
	};
	DO(peer, vkUpdateDescriptorSets, .device = DEVICE, .descriptorWriteCount = 1,
		.pDescriptorWrites = &write);
	const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 12};
	const VkPipelineLayoutCreateInfo layout_info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	CREATE(peer, PipelineLayout, SCENE_LAYOUT, layout_info);
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

static void make_pipelines(struct peer *peer) {
	const VkComputePipelineCreateInfo compute = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = stage(VK_SHADER_STAGE_COMPUTE_BIT, SCENE_COMPUTE),
		.layout = ID(PipelineLayout, SCENE_LAYOUT),
	};
	VkPipeline pipeline = ID(Pipeline, SCENE_COMPUTE_PIPELINE);
	DO(peer, vkCreateComputePipelines, .device = DEVICE, .createInfoCount = 1,
		.pCreateInfos = &compute, .pPipelines = &pipeline);

	const VkPipelineShaderStageCreateInfo stages[] = {
		stage(VK_SHADER_STAGE_VERTEX_BIT, SCENE_VERTEX),
		stage(VK_SHADER_STAGE_FRAGMENT_BIT, SCENE_FRAGMENT),
	};
	const VkPipelineVertexInputStateCreateInfo input = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
	const VkPipelineInputAssemblyStateCreateInfo assembly = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
		.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
	};
	const VkViewport viewport = {0, 0, SCENE_SIDE, SCENE_SIDE, 0, 1};
	const VkRect2D scissor = {{0, 0}, {SCENE_SIDE, SCENE_SIDE}};
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
	const VkGraphicsPipelineCreateInfo graphics = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.stageCount = 2,
		.pStages = stages,
		.pVertexInputState = &input,
		.pInputAssemblyState = &assembly,
		.pViewportState = &view,
		.pRasterizationState = &raster,
		.pMultisampleState = &samples,
		.pColorBlendState = &blend,
		.layout = ID(PipelineLayout, SCENE_LAYOUT),
		.renderPass = ID(RenderPass, SCENE_PASS),
	};
	pipeline = ID(Pipeline, SCENE_GRAPHICS_PIPELINE);
	DO(peer, vkCreateGraphicsPipelines, .device = DEVICE, .createInfoCount = 1,
		.pCreateInfos = &graphics, .pPipelines = &pipeline);
}

static void make_others(struct peer *peer) {
	const VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
	};
	CREATE(peer, CommandPool, SCENE_COMMAND_POOL, pool_info);
	const VkCommandBufferAllocateInfo allocate_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = ID(CommandPool, SCENE_COMMAND_POOL),
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands = ID(CommandBuffer, SCENE_COMMANDS);
	DO(peer, vkAllocateCommandBuffers, .device = DEVICE, .pAllocateInfo = &allocate_info,
		.pCommandBuffers = &commands);
	const VkQueryPoolCreateInfo queries = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_OCCLUSION,
		.queryCount = SCENE_QUERY_COUNT,
	};
	CREATE(peer, QueryPool, SCENE_QUERIES, queries);
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
		.initialValue = 10,
	};
	const VkSemaphoreCreateInfo semaphore = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
	CREATE(peer, Semaphore, SCENE_SEMAPHORE, semaphore);
	const VkEventCreateInfo event = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	CREATE(peer, Event, SCENE_EVENT, event);
}

const uint32_t *scene_compute_code(size_t *words) {
	*words = sizeof(pattern_comp_spv) / sizeof(pattern_comp_spv[0]);
	return pattern_comp_spv;
}

void scene_make(struct peer *peer) {
	static pid_t owner;
	if (owner == peer->pid) {
		return;
	}
	owner = peer->pid;
	make_buffer(peer);
	make_image(peer);
	make_pass(peer);
	make_descriptors(peer);
	make_shader(peer, SCENE_VERTEX, triangle_vert_spv, sizeof(triangle_vert_spv));
	make_shader(peer, SCENE_FRAGMENT, triangle_frag_spv, sizeof(triangle_frag_spv));
	make_shader(peer, SCENE_COMPUTE, pattern_comp_spv, sizeof(pattern_comp_spv));
	make_pipelines(peer);
	make_others(peer);
}

void scene_settle(struct peer *peer) {
	peer_ring_wait(peer);
	peer_begin(peer);
}

void scene_begin(struct peer *peer) {
	scene_make(peer);
	const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	DO(peer, vkBeginCommandBuffer, .commandBuffer = ID(CommandBuffer, SCENE_COMMANDS),
		.pBeginInfo = &info);
}

void scene_begin_pass(struct peer *peer) {
	const VkClearValue clear = {0};
	const VkRenderPassBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = ID(RenderPass, SCENE_PASS),
		.framebuffer = ID(Framebuffer, SCENE_FRAMEBUFFER),
		.renderArea = {{0, 0}, {SCENE_SIDE, SCENE_SIDE}},
		.clearValueCount = 1,
		.pClearValues = &clear,
	};
	const VkCommandBuffer commands = ID(CommandBuffer, SCENE_COMMANDS);
	DO(peer, vkCmdBeginRenderPass, .commandBuffer = commands, .pRenderPassBegin = &info);
	DO(peer, vkCmdBindPipeline, .commandBuffer = commands,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
		.pipeline = ID(Pipeline, SCENE_GRAPHICS_PIPELINE));
}

void scene_bind_compute(struct peer *peer) {
	const VkCommandBuffer commands = ID(CommandBuffer, SCENE_COMMANDS);
	const VkDescriptorSet set = ID(DescriptorSet, SCENE_SET);
	const uint32_t parameters[] = {0, 16, 7};
	DO(peer, vkCmdBindPipeline, .commandBuffer = commands,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
		.pipeline = ID(Pipeline, SCENE_COMPUTE_PIPELINE));
	DO(peer, vkCmdBindDescriptorSets, .commandBuffer = commands,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
		.layout = ID(PipelineLayout, SCENE_LAYOUT), .descriptorSetCount = 1,
		.pDescriptorSets = &set);
	DO(peer, vkCmdPushConstants, .commandBuffer = commands,
		.layout = ID(PipelineLayout, SCENE_LAYOUT),
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = sizeof(parameters),
		.pValues = parameters);
}

void scene_submit(struct peer *peer) {
	const VkCommandBuffer commands = ID(CommandBuffer, SCENE_COMMANDS);
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	DO(peer, vkEndCommandBuffer, .commandBuffer = commands);
	DO(peer, vkQueueSubmit, .queue = PEER_QUEUE_HANDLE, .submitCount = 1, .pSubmits = &submit);
	if (peer_ring_wait(peer)) {
		peer_begin(peer);
		peer->transport->wait_fence(peer, 1, peer_submit(peer, 1));
	}
	peer_begin(peer);
}
