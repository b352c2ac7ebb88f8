/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <string.h>

#include "draw_frag_spv.h"
#include "draw_vert_spv.h"

static const struct scene_vertex vertices[SCENE_VERTICES] = {
	{{-0.9f, -0.8f, 0.5f, 1}, {1, 0, 0, 1}},
	{{0.8f, -0.6f, 0.5f, 1}, {0, 1, 0, 0.5f}},
	{{-0.1f, 0.9f, 0.5f, 1}, {0, 0, 1, 0.25f}},
	{{0.9f, 0.7f, 0.25f, 1}, {1, 1, 0, 1}},
	{{-0.5f, 0.4f, 0.25f, 1}, {0, 1, 1, 1}},
	{{0.3f, -0.9f, 0.75f, 1}, {1, 0, 1, 1}},
};
static const uint16_t indices[SCENE_INDEX_COUNT] = {0, 1, 2, 0xffff, 3, 4, 5, 2};

void scene_init(struct parity *parity, struct scene *scene, VkSampleCountFlagBits samples,
		uint32_t view_mask) {
	*scene = (struct scene){.samples = samples, .view_mask = view_mask};
	scene->vertex = parity_shader(parity, draw_vert_spv, sizeof(draw_vert_spv));
	scene->fragment = parity_shader(parity, draw_frag_spv, sizeof(draw_frag_spv));
	const VkPushConstantRange push = {VK_SHADER_STAGE_FRAGMENT_BIT, 0, 16};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	MUST(vkCreatePipelineLayout(parity->device, &layout, NULL, &scene->layout));

	parity_buffer_init(parity, &scene->buffer, 1024, VK_BUFFER_USAGE_VERTEX_BUFFER_BIT |
		VK_BUFFER_USAGE_INDEX_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
	char *data = scene->buffer.data;
	memcpy(data, vertices, sizeof(vertices));
	memcpy(data + SCENE_INDEX_OFFSET, indices, sizeof(indices));
	const VkDrawIndirectCommand indirect[3] = {{3, 1, 0, 0}, {3, 2, 3, 1}, {6, 1, 0, 2}};
	memcpy(data + SCENE_INDIRECT_OFFSET, indirect, sizeof(indirect));
	const VkDrawIndexedIndirectCommand indexed[2] = {{3, 1, 0, 0, 0}, {3, 2, 4, 0, 1}};
	memcpy(data + SCENE_INDEXED_OFFSET, indexed, sizeof(indexed));
	const uint32_t counts[2] = {2, 1};
	memcpy(data + SCENE_INDIRECT_COUNT_OFFSET, &counts[0], 4);
	memcpy(data + SCENE_INDEXED_COUNT_OFFSET, &counts[1], 4);

	VkImageCreateInfo image = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {SCENE_SIZE, SCENE_SIZE, 1},
		.mipLevels = 1,
		.arrayLayers = view_mask ? 2 : 1,
		.samples = samples,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
			VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT,
	};
	const VkImageViewType type = view_mask ? VK_IMAGE_VIEW_TYPE_2D_ARRAY : VK_IMAGE_VIEW_TYPE_2D;
	parity_image_init(parity, &scene->colour, &image, type, VK_IMAGE_ASPECT_COLOR_BIT);
	image.format = VK_FORMAT_D32_SFLOAT_S8_UINT;
	image.usage = VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
		VK_IMAGE_USAGE_TRANSFER_DST_BIT;
	parity_image_init(parity, &scene->depth, &image, type,
		VK_IMAGE_ASPECT_DEPTH_BIT | VK_IMAGE_ASPECT_STENCIL_BIT);
}

void scene_finish(struct parity *parity, struct scene *scene) {
	parity_image_finish(parity, &scene->colour);
	parity_image_finish(parity, &scene->depth);
	parity_buffer_finish(parity, &scene->buffer);
	vkDestroyPipelineLayout(parity->device, scene->layout, NULL);
	vkDestroyShaderModule(parity->device, scene->vertex, NULL);
	vkDestroyShaderModule(parity->device, scene->fragment, NULL);
}

void scene_state_init(const struct scene *scene, struct scene_state *state) {
	*state = (struct scene_state){
		.bindings = {{0, sizeof(struct scene_vertex), VK_VERTEX_INPUT_RATE_VERTEX}},
		.attributes = {{0, 0, VK_FORMAT_R32G32B32A32_SFLOAT, 0},
			{1, 0, VK_FORMAT_R32G32B32A32_SFLOAT, 16}},
		.input = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO,
			.vertexBindingDescriptionCount = 1,
			.pVertexBindingDescriptions = state->bindings,
			.vertexAttributeDescriptionCount = 2,
			.pVertexAttributeDescriptions = state->attributes,
		},
		.assembly = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
			.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
		},
		.tessellation = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_TESSELLATION_STATE_CREATE_INFO,
			.patchControlPoints = 3,
		},
		.viewport = {0, 0, SCENE_SIZE, SCENE_SIZE, 0, 1},
		.scissor = {{2, 3}, {SCENE_SIZE - 5, SCENE_SIZE - 4}},
		.viewports = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
			.viewportCount = 1,
			.pViewports = &state->viewport,
			.scissorCount = 1,
			.pScissors = &state->scissor,
		},
		.rasterization = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
			.lineWidth = 1,
		},
		.sample_mask = 0xffffffff,
		.multisample = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
			.rasterizationSamples = scene->samples,
			.pSampleMask = &state->sample_mask,
		},
		.depth = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO,
			.depthTestEnable = VK_TRUE,
			.depthWriteEnable = VK_TRUE,
			.depthCompareOp = VK_COMPARE_OP_LESS_OR_EQUAL,
		},
		.attachment = {
			.srcColorBlendFactor = VK_BLEND_FACTOR_CONSTANT_COLOR,
			.dstColorBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA,
			.srcAlphaBlendFactor = VK_BLEND_FACTOR_ONE,
			.dstAlphaBlendFactor = VK_BLEND_FACTOR_ONE,
			.alphaBlendOp = VK_BLEND_OP_MAX,
			.colorWriteMask = 0xf,
		},
		.blend = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
			.attachmentCount = 1,
			.pAttachments = &state->attachment,
			.blendConstants = {0.25f, 0.5f, 0.75f, 1},
		},
		.dynamic = {.sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO},
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.rendering = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO,
			.viewMask = scene->view_mask,
			.colorAttachmentCount = 1,
			.pColorAttachmentFormats = &state->format,
			.depthAttachmentFormat = VK_FORMAT_D32_SFLOAT_S8_UINT,
			.stencilAttachmentFormat = VK_FORMAT_D32_SFLOAT_S8_UINT,
		},
		.info = {
			.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
			.pNext = &state->rendering,
			.pStages = state->stages,
			.pVertexInputState = &state->input,
			.pInputAssemblyState = &state->assembly,
			.pTessellationState = &state->tessellation,
			.pViewportState = &state->viewports,
			.pRasterizationState = &state->rasterization,
			.pMultisampleState = &state->multisample,
			.pDepthStencilState = &state->depth,
			.pColorBlendState = &state->blend,
			.pDynamicState = &state->dynamic,
			.layout = scene->layout,
		},
	};
	scene_state_add_stage(state, VK_SHADER_STAGE_VERTEX_BIT, scene->vertex);
	scene_state_add_stage(state, VK_SHADER_STAGE_FRAGMENT_BIT, scene->fragment);
}

void scene_state_add_stage(
		struct scene_state *state, VkShaderStageFlagBits stage, VkShaderModule module) {
	state->stages[state->info.stageCount++] = (VkPipelineShaderStageCreateInfo){
		.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
		.stage = stage,
		.module = module,
		.pName = "main",
	};
}

void scene_state_set_dynamic(
		struct scene_state *state, const VkDynamicState *list, uint32_t count) {
	state->dynamic.pDynamicStates = list;
	state->dynamic.dynamicStateCount = count;
}

void scene_state_set_pass(struct scene_state *state, VkRenderPass pass, uint32_t subpass) {
	state->info.pNext = NULL;
	state->info.renderPass = pass;
	state->info.subpass = subpass;
}

VkPipeline scene_pipeline(struct parity *parity, const struct scene_state *state) {
	VkPipeline pipeline = VK_NULL_HANDLE;
	MUST(vkCreateGraphicsPipelines(
		parity->device, VK_NULL_HANDLE, 1, &state->info, NULL, &pipeline));
	return pipeline;
}

void scene_bind(VkCommandBuffer commands, const struct scene *scene, VkPipeline pipeline) {
	const VkDeviceSize zero = 0;
	const float scale[4] = {0.9f, 0.8f, 0.7f, 1};
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
	vkCmdBindVertexBuffers(commands, 0, 1, &scene->buffer.buffer, &zero);
	vkCmdBindIndexBuffer(
		commands, scene->buffer.buffer, SCENE_INDEX_OFFSET, VK_INDEX_TYPE_UINT16);
	vkCmdPushConstants(commands, scene->layout, VK_SHADER_STAGE_FRAGMENT_BIT, 0, 16, scale);
}

void scene_prepare(VkCommandBuffer commands, const struct scene *scene) {
	parity_transition(
		commands, &scene->colour, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	parity_transition(
		commands, &scene->depth, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
}

void scene_begin_rendering(
		VkCommandBuffer commands, const struct scene *scene, VkRenderingFlags flags) {
	const VkRenderingAttachmentInfo colour = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
		.imageView = scene->colour.view,
		.imageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
		.clearValue.color.float32 = {0.125f, 0.25f, 0.5f, 1},
	};
	const VkRenderingAttachmentInfo depth = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
		.imageView = scene->depth.view,
		.imageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
		.clearValue.depthStencil = {0.625f, 17},
	};
	const VkRenderingInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
		.flags = flags,
		.renderArea = {{0, 0}, {SCENE_SIZE, SCENE_SIZE}},
		.layerCount = 1,
		.viewMask = scene->view_mask,
		.colorAttachmentCount = 1,
		.pColorAttachments = &colour,
		.pDepthAttachment = &depth,
		.pStencilAttachment = &depth,
	};
	vkCmdBeginRendering(commands, &info);
}

VkCommandBuffer scene_begin(struct parity *parity, const struct scene *scene) {
	VkCommandBuffer commands = parity_begin(parity);
	scene_prepare(commands, scene);
	scene_begin_rendering(commands, scene, 0);
	return commands;
}

static void say_resolved(struct parity *parity, const struct scene *scene) {
	VkImageCreateInfo info = scene->colour.info;
	info.samples = VK_SAMPLE_COUNT_1_BIT;
	info.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
		VK_IMAGE_USAGE_SAMPLED_BIT;
	struct parity_image resolved;
	parity_image_init(parity, &resolved, &info, VK_IMAGE_VIEW_TYPE_2D_ARRAY,
		VK_IMAGE_ASPECT_COLOR_BIT);
	const VkImageSubresourceLayers layers = {
		VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, info.arrayLayers};
	const VkImageResolve region = {
		.srcSubresource = layers, .dstSubresource = layers, .extent = info.extent};
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(commands, &resolved, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	vkCmdResolveImage(commands, scene->colour.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		resolved.image, VK_IMAGE_LAYOUT_GENERAL, 1, &region);
	parity_transition(commands, &resolved, VK_IMAGE_LAYOUT_GENERAL,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_run(parity, commands);
	parity_say_image(parity, "resolved", &resolved, 4);
	parity_image_finish(parity, &resolved);
}

void scene_say(struct parity *parity, VkCommandBuffer commands, const struct scene *scene) {
	parity_transition(commands, &scene->colour, VK_IMAGE_LAYOUT_GENERAL,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_transition(commands, &scene->depth, VK_IMAGE_LAYOUT_GENERAL,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_run(parity, commands);
	if (scene->samples == VK_SAMPLE_COUNT_1_BIT) {
		parity_say_image(parity, "colour", &scene->colour, 4);
		parity_say_image(parity, "depth and stencil", &scene->depth, 4);
	} else {
		say_resolved(parity, scene);
	}
}
