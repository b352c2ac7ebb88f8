/* SPDX-License-Identifier: MIT */

/* Pipelines: derivatives, caches, shaders without a module, compilation put off, libraries. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#include "draw_frag_spv.h"
#include "draw_vert_spv.h"
#include "fill_comp_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIZE 32

struct parts {
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkShaderModule shader;
};

static void parts_init(struct parity *parity, struct parts *parts) {
	const VkDescriptorSetLayoutBinding binding = {
		0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	MUST(vkCreateDescriptorSetLayout(parity->device, &set_layout, NULL, &parts->set_layout));
	const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 8};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &parts->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	MUST(vkCreatePipelineLayout(parity->device, &layout, NULL, &parts->layout));
	parts->shader = parity_shader(parity, fill_comp_spv, sizeof(fill_comp_spv));
}

static void parts_finish(struct parity *parity, struct parts *parts) {
	vkDestroyShaderModule(parity->device, parts->shader, NULL);
	vkDestroyPipelineLayout(parity->device, parts->layout, NULL);
	vkDestroyDescriptorSetLayout(parity->device, parts->set_layout, NULL);
}

static VkComputePipelineCreateInfo info_of(const struct parts *parts, VkPipelineCreateFlags flags) {
	return (VkComputePipelineCreateInfo){
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.flags = flags,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = parts->shader,
			.pName = "main",
		},
		.layout = parts->layout,
		.basePipelineIndex = -1,
	};
}

/** Says which were made, and destroys them. */
static void try_several(struct parity *parity, const char *what, VkPipelineCache cache,
		uint32_t count, const VkComputePipelineCreateInfo *infos) {
	VkPipeline pipelines[16];
	memset(pipelines, 0x55, sizeof(pipelines));
	say_result(what,
		vkCreateComputePipelines(parity->device, cache, count, infos, NULL, pipelines));
	for (uint32_t i = 0; i < count; i++) {
		say("%u: %d", i, pipelines[i] != VK_NULL_HANDLE);
		vkDestroyPipeline(parity->device, pipelines[i], NULL);
	}
}

static void ways(struct parity *parity) {
	struct parts parts;
	parts_init(parity, &parts);
	VkComputePipelineCreateInfo infos[16];
	for (size_t i = 0; i < COUNT(infos); i++) {
		infos[i] = info_of(&parts, 0);
	}
	try_several(parity, "sixteen", VK_NULL_HANDLE, 16, infos);

	infos[0].flags = VK_PIPELINE_CREATE_ALLOW_DERIVATIVES_BIT;
	infos[1].flags = VK_PIPELINE_CREATE_DERIVATIVE_BIT;
	infos[1].basePipelineIndex = 0;
	try_several(parity, "derived from one before", VK_NULL_HANDLE, 2, infos);
	VkPipeline base;
	MUST(vkCreateComputePipelines(parity->device, VK_NULL_HANDLE, 1, infos, NULL, &base));
	infos[1].basePipelineHandle = base;
	infos[1].basePipelineIndex = -1;
	try_several(parity, "derived", VK_NULL_HANDLE, 1, &infos[1]);
	vkDestroyPipeline(parity->device, base, NULL);

	const VkPipelineCreateFlags not_now = VK_PIPELINE_CREATE_FAIL_ON_PIPELINE_COMPILE_REQUIRED_BIT;
	for (size_t i = 0; i < 3; i++) {
		infos[i] = info_of(&parts, i == 1 ? not_now : 0);
	}
	try_several(parity, "one not now", VK_NULL_HANDLE, 3, infos);
	infos[1].flags |= VK_PIPELINE_CREATE_EARLY_RETURN_ON_FAILURE_BIT;
	try_several(parity, "and none after it", VK_NULL_HANDLE, 3, infos);
	infos[0].flags = infos[2].flags = infos[1].flags;
	try_several(parity, "none now", VK_NULL_HANDLE, 3, infos);

	if (parity->pipeline_library.graphicsPipelineLibrary) {
		const VkShaderModuleCreateInfo module = {
			.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
			.codeSize = sizeof(fill_comp_spv),
			.pCode = fill_comp_spv,
		};
		infos[0] = info_of(&parts, 0);
		infos[0].stage.pNext = &module;
		infos[0].stage.module = VK_NULL_HANDLE;
		try_several(parity, "without a module", VK_NULL_HANDLE, 1, infos);
	}
	parts_finish(parity, &parts);
}

static void caches(struct parity *parity) {
	struct parts parts;
	parts_init(parity, &parts);
	const VkComputePipelineCreateInfo info = info_of(&parts, 0);
	VkPipelineCacheCreateInfo cache_info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
	VkPipelineCache first, second, third;
	MUST(vkCreatePipelineCache(parity->device, &cache_info, NULL, &first));
	try_several(parity, "into the cache", first, 1, &info);
	size_t size = 0;
	SAY_RESULT(vkGetPipelineCacheData(parity->device, first, &size, NULL));
	uint8_t *data = malloc(size), *again = malloc(size);
	SAY_RESULT(vkGetPipelineCacheData(parity->device, first, &size, data));
	SAY_RESULT(vkGetPipelineCacheData(parity->device, first, &size, again));
	say("the same again: %d", memcmp(data, again, size) == 0);
	cache_info.initialDataSize = size;
	cache_info.pInitialData = data;
	SAY_RESULT(vkCreatePipelineCache(parity->device, &cache_info, NULL, &second));
	try_several(parity, "from the cache", second, 1, &info);
	/* behind the header anything may have happened to it */
	for (size_t i = 32; i < size; i++) {
		data[i] ^= 0x5a;
	}
	SAY_RESULT(vkCreatePipelineCache(parity->device, &cache_info, NULL, &third));
	try_several(parity, "from a broken cache", third, 1, &info);
	const VkPipelineCache both[2] = {first, second};
	SAY_RESULT(vkMergePipelineCaches(parity->device, third, 2, both));
	try_several(parity, "from a merged cache", third, 1, &info);
	vkDestroyPipelineCache(parity->device, first, NULL);
	vkDestroyPipelineCache(parity->device, second, NULL);
	vkDestroyPipelineCache(parity->device, third, NULL);
	free(data);
	free(again);
	parts_finish(parity, &parts);
}

/* --- libraries --- */

static const VkFormat colour_format = VK_FORMAT_R8G8B8A8_UNORM;

/** The part of a graphics pipeline; the members of the others point nowhere. */
static VkPipeline create_library(struct parity *parity, VkPipelineLayout layout,
		VkShaderModule vertex, VkGraphicsPipelineLibraryFlagsEXT part) {
	const VkPipelineRenderingCreateInfo rendering = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO,
		.colorAttachmentCount = 1,
		.pColorAttachmentFormats = &colour_format,
	};
	const VkGraphicsPipelineLibraryCreateInfoEXT library = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT,
		.pNext = &rendering,
		.flags = part,
	};
	const VkVertexInputBindingDescription binding = {0, 32, VK_VERTEX_INPUT_RATE_VERTEX};
	const VkVertexInputAttributeDescription attributes[2] = {
		{0, 0, VK_FORMAT_R32G32B32A32_SFLOAT, 0}, {1, 0, VK_FORMAT_R32G32B32A32_SFLOAT, 16}};
	const VkPipelineVertexInputStateCreateInfo input = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO,
		.vertexBindingDescriptionCount = 1,
		.pVertexBindingDescriptions = &binding,
		.vertexAttributeDescriptionCount = 2,
		.pVertexAttributeDescriptions = attributes,
	};
	const VkPipelineInputAssemblyStateCreateInfo assembly = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
		.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
	};
	const VkViewport viewport = {0, 0, SIZE, SIZE, 0, 1};
	const VkRect2D scissor = {{0, 0}, {SIZE, SIZE}};
	const VkPipelineViewportStateCreateInfo viewports = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
		.viewportCount = 1,
		.pViewports = &viewport,
		.scissorCount = 1,
		.pScissors = &scissor,
	};
	const VkPipelineRasterizationStateCreateInfo rasterization = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
	const VkPipelineMultisampleStateCreateInfo multisample = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
		.rasterizationSamples = VK_SAMPLE_COUNT_1_BIT,
	};
	const VkPipelineColorBlendAttachmentState mask = {.colorWriteMask = 0xf};
	const VkPipelineColorBlendStateCreateInfo blend = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &mask,
	};
	const VkPipelineDepthStencilStateCreateInfo depth_stencil = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO};
	const VkShaderModuleCreateInfo fragment = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(draw_frag_spv),
		.pCode = draw_frag_spv,
	};
	const bool in_front = part == VK_GRAPHICS_PIPELINE_LIBRARY_PRE_RASTERIZATION_SHADERS_BIT_EXT;
	const VkPipelineShaderStageCreateInfo stage = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
		.pNext = in_front ? NULL : &fragment,
		.stage = in_front ? VK_SHADER_STAGE_VERTEX_BIT : VK_SHADER_STAGE_FRAGMENT_BIT,
		.module = in_front ? vertex : VK_NULL_HANDLE,
		.pName = "main",
	};
	const void *nowhere = (const void *)(uintptr_t)8;
	VkGraphicsPipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.pNext = &library,
		.flags = VK_PIPELINE_CREATE_LIBRARY_BIT_KHR |
			VK_PIPELINE_CREATE_RETAIN_LINK_TIME_OPTIMIZATION_INFO_BIT_EXT,
		.pVertexInputState = nowhere,
		.pInputAssemblyState = nowhere,
		.pTessellationState = nowhere,
		.pViewportState = nowhere,
		.pRasterizationState = nowhere,
		.pMultisampleState = nowhere,
		.pDepthStencilState = nowhere,
		.pColorBlendState = nowhere,
	};
	switch (part) {
	case VK_GRAPHICS_PIPELINE_LIBRARY_VERTEX_INPUT_INTERFACE_BIT_EXT:
		info.pVertexInputState = &input;
		info.pInputAssemblyState = &assembly;
		break;
	case VK_GRAPHICS_PIPELINE_LIBRARY_PRE_RASTERIZATION_SHADERS_BIT_EXT:
		info.pViewportState = &viewports;
		info.pRasterizationState = &rasterization;
		info.stageCount = 1;
		break;
	case VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_SHADER_BIT_EXT:
		info.pMultisampleState = &multisample;
		info.pDepthStencilState = &depth_stencil;
		info.stageCount = 1;
		break;
	default:
		info.pMultisampleState = &multisample;
		info.pColorBlendState = &blend;
		break;
	}
	if (info.stageCount) {
		info.pStages = &stage;
		info.layout = layout;
	}
	VkPipeline pipeline;
	MUST(vkCreateGraphicsPipelines(parity->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
	return pipeline;
}

static void draw(struct parity *parity, VkPipelineLayout layout, VkPipeline pipeline) {
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = colour_format,
		.extent = {SIZE, SIZE, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
	};
	struct parity_image image;
	struct parity_buffer buffer;
	parity_image_init(parity, &image, &info, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
	parity_buffer_init(parity, &buffer, 4096, VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
	const float vertices[3][8] = {
		{-1, -1, 0, 1, 1, 0, 0, 1}, {1, -1, 0, 1, 0, 1, 0, 1}, {0, 1, 0, 1, 0, 0, 1, 1}};
	memcpy(buffer.data, vertices, sizeof(vertices));
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(
		commands, &image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
	const VkRenderingAttachmentInfo attachment = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
		.imageView = image.view,
		.imageLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
		.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
		.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
	};
	const VkRenderingInfo rendering = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
		.renderArea = {{0, 0}, {SIZE, SIZE}},
		.layerCount = 1,
		.colorAttachmentCount = 1,
		.pColorAttachments = &attachment,
	};
	vkCmdBeginRendering(commands, &rendering);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
	const VkDeviceSize offset = 0;
	vkCmdBindVertexBuffers(commands, 0, 1, &buffer.buffer, &offset);
	const float scale[4] = {1, 0.5f, 0.75f, 1};
	vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof(scale), scale);
	vkCmdDraw(commands, 3, 1, 0, 0);
	vkCmdEndRendering(commands);
	parity_transition(commands, &image, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_run(parity, commands);
	parity_say_image(parity, "drawn", &image, 4);
	parity_image_finish(parity, &image);
	parity_buffer_finish(parity, &buffer);
}

static void libraries(struct parity *parity) {
	if (!parity->pipeline_library.graphicsPipelineLibrary) {
		say("there are no pipeline libraries");
		return;
	}
	struct parts parts;
	parts_init(parity, &parts);
	/* each shader's part knows nothing of the other's set */
	const VkDescriptorSetLayout sets[3][2] = {{parts.set_layout, VK_NULL_HANDLE},
		{VK_NULL_HANDLE, parts.set_layout}, {parts.set_layout, parts.set_layout}};
	const VkPushConstantRange push = {VK_SHADER_STAGE_FRAGMENT_BIT, 0, 16};
	VkPipelineLayout layouts[3];
	for (size_t i = 0; i < 3; i++) {
		const VkPipelineLayoutCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
			.flags = i < 2 ? VK_PIPELINE_LAYOUT_CREATE_INDEPENDENT_SETS_BIT_EXT : 0,
			.setLayoutCount = 2,
			.pSetLayouts = sets[i],
			.pushConstantRangeCount = 1,
			.pPushConstantRanges = &push,
		};
		MUST(vkCreatePipelineLayout(parity->device, &info, NULL, &layouts[i]));
	}
	VkShaderModule vertex = parity_shader(parity, draw_vert_spv, sizeof(draw_vert_spv));
	VkPipeline pipelines[4];
	for (uint32_t i = 0; i < 4; i++) {
		pipelines[i] = create_library(parity, layouts[i / 2], vertex, 1u << i);
	}
	const VkPipelineLibraryCreateInfoKHR linked = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR,
		.libraryCount = 4,
		.pLibraries = pipelines,
	};
	for (int optimized = 0; optimized < 2; optimized++) {
		const VkGraphicsPipelineCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
			.pNext = &linked,
			.flags = optimized ? VK_PIPELINE_CREATE_LINK_TIME_OPTIMIZATION_BIT_EXT : 0,
			.layout = layouts[2],
		};
		VkPipeline pipeline;
		if (SAY_RESULT(vkCreateGraphicsPipelines(
				parity->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline)) == VK_SUCCESS) {
			draw(parity, layouts[2], pipeline);
			vkDestroyPipeline(parity->device, pipeline, NULL);
		}
	}
	for (size_t i = 0; i < 4; i++) {
		vkDestroyPipeline(parity->device, pipelines[i], NULL);
	}
	vkDestroyShaderModule(parity->device, vertex, NULL);
	for (size_t i = 0; i < 3; i++) {
		vkDestroyPipelineLayout(parity->device, layouts[i], NULL);
	}
	parts_finish(parity, &parts);
}

const struct parity_case parity_pipeline_cases[] = {
	{"pipelines ways", ways},
	{"pipelines caches", caches},
	{"pipelines libraries", libraries},
	{NULL, NULL},
};
