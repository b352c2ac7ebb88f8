/* SPDX-License-Identifier: MIT */

/* Graphics pipelines with all stages, with what is chained to them, and made of libraries. */

#include <string.h>

#include "scene.h"

#include "draw_frag_spv.h"
#include "stages_frag_spv.h"
#include "stages_geom_spv.h"
#include "stages_tesc_spv.h"
#include "stages_tese_spv.h"
#include "stages_vert_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** Tessellation and geometry shaders, what they count, and what is captured behind them. */
static void all(struct parity *parity) {
	const bool capture = parity->transform_feedback.transformFeedback;
	PROC(parity, vkCmdSetPatchControlPointsEXT);
	PROC(parity, vkCmdSetTessellationDomainOriginEXT);
	PROC(parity, vkCmdBindTransformFeedbackBuffersEXT);
	PROC(parity, vkCmdBeginTransformFeedbackEXT);
	PROC(parity, vkCmdEndTransformFeedbackEXT);
	struct scene scene;
	struct parity_buffer captured;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	parity_buffer_init(parity, &captured, 8192, capture ?
		VK_BUFFER_USAGE_TRANSFORM_FEEDBACK_BUFFER_BIT_EXT : VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
	VkShaderModule vertex = parity_shader(parity, stages_vert_spv, sizeof(stages_vert_spv));
	VkShaderModule control = parity_shader(parity, stages_tesc_spv, sizeof(stages_tesc_spv));
	VkShaderModule evaluation = parity_shader(parity, stages_tese_spv, sizeof(stages_tese_spv));
	VkShaderModule geometry = parity_shader(parity, stages_geom_spv, sizeof(stages_geom_spv));
	VkShaderModule fragment = parity_shader(parity, stages_frag_spv, sizeof(stages_frag_spv));
	const VkQueryPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_PIPELINE_STATISTICS,
		.queryCount = 1,
		.pipelineStatistics = 0x7ff,
	};
	VkQueryPool pool;
	MUST(vkCreateQueryPool(parity->device, &pool_info, NULL, &pool));
	for (uint32_t way = 0; way < 8; way++) {
		const bool is_dynamic = way & 1 &&
			parity->dynamic_state2.extendedDynamicState2PatchControlPoints &&
			parity->dynamic_state3.extendedDynamicState3TessellationDomainOrigin;
		const uint32_t points = way & 2 ? 2 : 3;
		const VkTessellationDomainOrigin origin = way & 4 ?
			VK_TESSELLATION_DOMAIN_ORIGIN_LOWER_LEFT : VK_TESSELLATION_DOMAIN_ORIGIN_UPPER_LEFT;
		const VkDynamicState dynamic[2] = {VK_DYNAMIC_STATE_PATCH_CONTROL_POINTS_EXT,
			VK_DYNAMIC_STATE_TESSELLATION_DOMAIN_ORIGIN_EXT};
		const VkPipelineTessellationDomainOriginStateCreateInfo origin_info = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_TESSELLATION_DOMAIN_ORIGIN_STATE_CREATE_INFO,
			.domainOrigin = origin,
		};
		struct scene_state state;
		scene_state_init(&scene, &state);
		scene_state_add_stage(&state, VK_SHADER_STAGE_TESSELLATION_CONTROL_BIT, control);
		scene_state_add_stage(&state, VK_SHADER_STAGE_TESSELLATION_EVALUATION_BIT, evaluation);
		scene_state_add_stage(&state, VK_SHADER_STAGE_GEOMETRY_BIT, geometry);
		state.stages[0].module = vertex;
		state.stages[1].module = fragment;
		state.assembly.topology = VK_PRIMITIVE_TOPOLOGY_PATCH_LIST;
		state.rasterization.cullMode = VK_CULL_MODE_BACK_BIT;
		if (is_dynamic) {
			scene_state_set_dynamic(&state, dynamic, 2);
		} else {
			state.tessellation.patchControlPoints = points;
			state.tessellation.pNext = &origin_info;
		}
		VkPipeline pipeline = scene_pipeline(parity, &state);
		memset(captured.data, 0, captured.size);
		VkCommandBuffer commands = parity_begin(parity);
		scene_prepare(commands, &scene);
		vkCmdResetQueryPool(commands, pool, 0, 1);
		scene_begin_rendering(commands, &scene, 0);
		scene_bind(commands, &scene, pipeline);
		if (is_dynamic) {
			vkCmdSetPatchControlPointsEXT(commands, points);
			vkCmdSetTessellationDomainOriginEXT(commands, origin);
		}
		vkCmdBeginQuery(commands, pool, 0, 0);
		if (capture) {
			const VkDeviceSize zero = 0;
			vkCmdBindTransformFeedbackBuffersEXT(commands, 0, 1, &captured.buffer, &zero, NULL);
			const VkBuffer none = VK_NULL_HANDLE;
			vkCmdBeginTransformFeedbackEXT(commands, 0, 1, &none, NULL);
		}
		vkCmdDraw(commands, 6, 2, 0, 0);
		if (capture) {
			vkCmdEndTransformFeedbackEXT(commands, 0, 0, NULL, NULL);
		}
		vkCmdEndQuery(commands, pool, 0);
		vkCmdEndRendering(commands);
		say("way %u", way);
		scene_say(parity, commands, &scene);
		say_hash("captured", captured.data, captured.size);
		uint64_t values[12] = {0};
		SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 0, 1, sizeof(values), values,
			sizeof(values), VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
		for (size_t i = 0; i < COUNT(values); i++) {
			say("statistic %zu: %llu", i, (unsigned long long)values[i]);
		}
		vkDestroyPipeline(parity->device, pipeline, NULL);
	}
	vkDestroyQueryPool(parity->device, pool, NULL);
	vkDestroyShaderModule(parity->device, vertex, NULL);
	vkDestroyShaderModule(parity->device, control, NULL);
	vkDestroyShaderModule(parity->device, evaluation, NULL);
	vkDestroyShaderModule(parity->device, geometry, NULL);
	vkDestroyShaderModule(parity->device, fragment, NULL);
	parity_buffer_finish(parity, &captured);
	scene_finish(parity, &scene);
}

/** What is chained to the parts of a pipeline, one at a time. */
static void chains(struct parity *parity) {
	struct scene scene;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	VkShaderModule fragment = parity_shader(parity, stages_frag_spv, sizeof(stages_frag_spv));
	VkPipelineCreationFeedback feedback = {0}, of_stages[2] = {{0}};
	VkPipelineCreationFeedbackCreateInfo feedbacks = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO,
		.pPipelineCreationFeedback = &feedback,
		.pipelineStageCreationFeedbackCount = 2,
		.pPipelineStageCreationFeedbacks = of_stages,
	};
	const VkPipelineRasterizationDepthClipStateCreateInfoEXT clip = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_DEPTH_CLIP_STATE_CREATE_INFO_EXT,
		.depthClipEnable = VK_FALSE,
	};
	const VkPipelineViewportDepthClipControlCreateInfoEXT control = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_DEPTH_CLIP_CONTROL_CREATE_INFO_EXT,
		.negativeOneToOne = VK_TRUE,
	};
	const VkPipelineRasterizationProvokingVertexStateCreateInfoEXT provoking = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_PROVOKING_VERTEX_STATE_CREATE_INFO_EXT,
		.provokingVertexMode = VK_PROVOKING_VERTEX_MODE_LAST_VERTEX_EXT,
	};
	const VkBool32 no = VK_FALSE;
	const VkPipelineColorWriteCreateInfoEXT writes = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_WRITE_CREATE_INFO_EXT,
		.attachmentCount = 1,
		.pColorWriteEnables = &no,
	};
	const VkPipelineRasterizationStateStreamCreateInfoEXT stream = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_STREAM_CREATE_INFO_EXT};
	for (int way = 0; way < 7; way++) {
		struct scene_state state;
		scene_state_init(&scene, &state);
		state.stages[1].module = fragment;
		if (way == 1) {
			state.rendering.pNext = &feedbacks;
		} else if (way == 2 && parity->depth_clip_enable.depthClipEnable) {
			state.rasterization.pNext = &clip;
			state.viewport.minDepth = 1.0f;
			state.viewport.maxDepth = 0.0f;
		} else if (way == 3 && parity->depth_clip_control.depthClipControl) {
			state.viewports.pNext = &control;
		} else if (way == 4 && parity->provoking_vertex.provokingVertexLast) {
			state.rasterization.pNext = &provoking;
		} else if (way == 5 && parity->color_write.colorWriteEnable) {
			state.blend.pNext = &writes;
		} else if (way == 6 && parity->transform_feedback.geometryStreams) {
			state.rasterization.pNext = &stream;
		}
		VkPipeline pipeline = scene_pipeline(parity, &state);
		VkCommandBuffer commands = scene_begin(parity, &scene);
		scene_bind(commands, &scene, pipeline);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndRendering(commands);
		say("way %d", way);
		scene_say(parity, commands, &scene);
		vkDestroyPipeline(parity->device, pipeline, NULL);
	}
	vkDestroyShaderModule(parity->device, fragment, NULL);
	scene_finish(parity, &scene);
}

/** A pipeline of four libraries, linked in both ways; the fragment shader has no module. */
static void libraries(struct parity *parity) {
	if (!parity->pipeline_library.graphicsPipelineLibrary) {
		say("there are no such libraries");
		return;
	}
	struct scene scene;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	VkPipeline parts[4];
	const VkShaderModuleCreateInfo code = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(draw_frag_spv),
		.pCode = draw_frag_spv,
	};
	for (uint32_t i = 0; i < 4; i++) {
		struct scene_state state;
		scene_state_init(&scene, &state);
		const VkGraphicsPipelineLibraryCreateInfoEXT library = {
			.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT,
			.pNext = &state.rendering,
			.flags = 1u << i,
		};
		VkGraphicsPipelineCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
			.pNext = &library,
			.flags = VK_PIPELINE_CREATE_LIBRARY_BIT_KHR |
				VK_PIPELINE_CREATE_RETAIN_LINK_TIME_OPTIMIZATION_INFO_BIT_EXT,
		};
		switch (library.flags) {
		case VK_GRAPHICS_PIPELINE_LIBRARY_VERTEX_INPUT_INTERFACE_BIT_EXT:
			info.pVertexInputState = &state.input;
			info.pInputAssemblyState = &state.assembly;
			break;
		case VK_GRAPHICS_PIPELINE_LIBRARY_PRE_RASTERIZATION_SHADERS_BIT_EXT:
			info.stageCount = 1;
			info.pStages = &state.stages[0];
			info.pViewportState = &state.viewports;
			info.pRasterizationState = &state.rasterization;
			info.layout = scene.layout;
			break;
		case VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_SHADER_BIT_EXT:
			state.stages[1].module = VK_NULL_HANDLE;
			state.stages[1].pNext = &code;
			info.stageCount = 1;
			info.pStages = &state.stages[1];
			info.pDepthStencilState = &state.depth;
			info.pMultisampleState = &state.multisample;
			info.layout = scene.layout;
			break;
		default:
			info.pColorBlendState = &state.blend;
			info.pMultisampleState = &state.multisample;
			break;
		}
		parts[i] = VK_NULL_HANDLE;
		SAY_RESULT(vkCreateGraphicsPipelines(
			parity->device, VK_NULL_HANDLE, 1, &info, NULL, &parts[i]));
	}
	for (int way = 0; way < 2; way++) {
		const VkPipelineLibraryCreateInfoKHR linked = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR,
			.libraryCount = 4,
			.pLibraries = parts,
		};
		const VkGraphicsPipelineCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
			.pNext = &linked,
			.flags = way == 1 ? VK_PIPELINE_CREATE_LINK_TIME_OPTIMIZATION_BIT_EXT : 0,
			.layout = scene.layout,
		};
		VkPipeline pipeline = VK_NULL_HANDLE;
		SAY_RESULT(vkCreateGraphicsPipelines(
			parity->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
		VkCommandBuffer commands = scene_begin(parity, &scene);
		scene_bind(commands, &scene, pipeline);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndRendering(commands);
		scene_say(parity, commands, &scene);
		vkDestroyPipeline(parity->device, pipeline, NULL);
	}
	for (uint32_t i = 0; i < 4; i++) {
		vkDestroyPipeline(parity->device, parts[i], NULL);
	}
	scene_finish(parity, &scene);
}

/** VK_KHR_maintenance5: flags of 64 bits, shaders without modules, layouts without images. */
static void maintenance5(struct parity *parity) {
	if (!parity->maintenance5.maintenance5) {
		say("there is no VK_KHR_maintenance5");
		return;
	}
	PROC(parity, vkGetDeviceImageSubresourceLayoutKHR);
	PROC(parity, vkGetImageSubresourceLayout2KHR);
	PROC(parity, vkCmdBindIndexBuffer2KHR);
	const VkDevice device = parity->device;
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	const VkShaderModuleCreateInfo codes[2] = {
		{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
			.codeSize = sizeof(stages_vert_spv), .pCode = stages_vert_spv},
		{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
			.codeSize = sizeof(draw_frag_spv), .pCode = draw_frag_spv},
	};
	for (int i = 0; i < 2; i++) {
		state.stages[i].module = VK_NULL_HANDLE;
		state.stages[i].pNext = &codes[i];
	}
	const VkPipelineCreateFlags2CreateInfoKHR flags = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CREATE_FLAGS_2_CREATE_INFO_KHR,
		.pNext = &state.rendering,
		.flags = VK_PIPELINE_CREATE_2_DISABLE_OPTIMIZATION_BIT_KHR,
	};
	state.info.pNext = &flags;
	/* it has no point size of its own */
	state.assembly.topology = VK_PRIMITIVE_TOPOLOGY_POINT_LIST;
	VkPipeline pipeline = scene_pipeline(parity, &state);

	const VkBufferUsageFlags2CreateInfoKHR usage = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_USAGE_FLAGS_2_CREATE_INFO_KHR,
		.usage = VK_BUFFER_USAGE_2_INDEX_BUFFER_BIT_KHR |
			VK_BUFFER_USAGE_2_UNIFORM_TEXEL_BUFFER_BIT_KHR,
	};
	const VkBufferCreateInfo buffer_info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .pNext = &usage, .size = 256};
	VkBuffer buffer;
	MUST(vkCreateBuffer(device, &buffer_info, NULL, &buffer));
	VkMemoryRequirements requirements;
	vkGetBufferMemoryRequirements(device, buffer, &requirements);
	VkDeviceMemory memory = parity_allocate(
		parity, &requirements, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, NULL);
	MUST(vkBindBufferMemory(device, buffer, memory, 0));
	uint16_t *data;
	MUST(vkMapMemory(device, memory, 0, VK_WHOLE_SIZE, 0, (void **)&data));
	for (uint16_t i = 0; i < 6; i++) {
		data[i] = (uint16_t)(5 - i);
	}
	const VkBufferUsageFlags2CreateInfoKHR view_usage = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_USAGE_FLAGS_2_CREATE_INFO_KHR,
		.usage = VK_BUFFER_USAGE_2_UNIFORM_TEXEL_BUFFER_BIT_KHR,
	};
	const VkBufferViewCreateInfo view_info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
		.pNext = &view_usage,
		.buffer = buffer,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.range = VK_WHOLE_SIZE,
	};
	VkBufferView view = VK_NULL_HANDLE;
	SAY_RESULT(vkCreateBufferView(device, &view_info, NULL, &view));
	vkDestroyBufferView(device, view, NULL);

	VkCommandBuffer commands = scene_begin(parity, &scene);
	scene_bind(commands, &scene, pipeline);
	vkCmdBindIndexBuffer2KHR(commands, buffer, 2, 8, VK_INDEX_TYPE_UINT16);
	vkCmdDrawIndexed(commands, 6, 1, 0, 0, 0);
	vkCmdEndRendering(commands);
	scene_say(parity, commands, &scene);

	VkImageCreateInfo image_info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {37, 21, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_LINEAR,
		.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
	};
	const VkImageSubresource2KHR subresource = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_SUBRESOURCE_2_KHR,
		.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0},
	};
	const VkDeviceImageSubresourceInfoKHR of_device = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_IMAGE_SUBRESOURCE_INFO_KHR,
		.pCreateInfo = &image_info,
		.pSubresource = &subresource,
	};
	VkSubresourceLayout2KHR layouts[2] = {{.sType = VK_STRUCTURE_TYPE_SUBRESOURCE_LAYOUT_2_KHR},
		{.sType = VK_STRUCTURE_TYPE_SUBRESOURCE_LAYOUT_2_KHR}};
	vkGetDeviceImageSubresourceLayoutKHR(device, &of_device, &layouts[0]);
	VkImage image;
	MUST(vkCreateImage(device, &image_info, NULL, &image));
	vkGetImageSubresourceLayout2KHR(device, image, &subresource, &layouts[1]);
	for (int i = 0; i < 2; i++) {
		const VkSubresourceLayout *layout = &layouts[i].subresourceLayout;
		say("offset %llu, size %llu, rows of %llu", (unsigned long long)layout->offset,
			(unsigned long long)layout->size, (unsigned long long)layout->rowPitch);
	}
	vkDestroyImage(device, image, NULL);
	vkDestroyBuffer(device, buffer, NULL);
	vkFreeMemory(device, memory, NULL);
	vkDestroyPipeline(device, pipeline, NULL);
	scene_finish(parity, &scene);
}

const struct parity_case parity_stage_cases[] = {
	{"stages all", all},
	{"stages chains", chains},
	{"stages libraries", libraries},
	{"stages maintenance5", maintenance5},
	{NULL, NULL},
};
