/* SPDX-License-Identifier: MIT */

/* Mixtures of all the state of a pipeline, which is made whole or linked of libraries. */

#include "random.h"
#include "scene.h"

#define MIXTURES 72

/** What is chained to the parts of a scene_state. */
struct chained {
	VkPipelineRasterizationProvokingVertexStateCreateInfoEXT provoking;
	VkPipelineRasterizationDepthClipStateCreateInfoEXT clip;
	VkPipelineViewportDepthClipControlCreateInfoEXT control;
	VkPipelineColorWriteCreateInfoEXT writes;
	VkBool32 is_written;
};

static void mix_rasterization(
		const struct parity *parity, struct random *random, struct scene_state *state) {
	const VkPhysicalDeviceFeatures *features = &parity->features.features;
	VkPipelineRasterizationStateCreateInfo *info = &state->rasterization;
	info->depthClampEnable = features->depthClamp && random_once_in(random, 2);
	info->rasterizerDiscardEnable = random_once_in(random, 10);
	if (features->fillModeNonSolid && random_once_in(random, 2)) {
		info->polygonMode = (VkPolygonMode)random_below(random, 3);
	}
	info->cullMode = random_once_in(random, 2) ? 0 : random_below(random, 4);
	info->frontFace = (VkFrontFace)random_below(random, 2);
	info->depthBiasEnable = random_once_in(random, 3);
	info->depthBiasConstantFactor = (float)random_below(random, 9) - 4;
	info->depthBiasClamp = features->depthBiasClamp ? random_fraction(random) * 0.1f : 0;
	info->depthBiasSlopeFactor = (float)random_below(random, 5) - 2;

	state->viewport = (VkViewport){(float)random_below(random, 9) - 2.5f,
		(float)random_below(random, 9) - 1.25f, (float)(24 + random_below(random, 25)),
		(float)(24 + random_below(random, 25)), random_fraction(random),
		random_fraction(random)};
	if (random_once_in(random, 4)) {
		state->viewport.y += state->viewport.height;
		state->viewport.height = -state->viewport.height;
	}
	state->scissor = (VkRect2D){
		{(int32_t)random_below(random, 10), (int32_t)random_below(random, 10)},
		{random_below(random, 38), random_below(random, 38)}};
	state->assembly.topology = random_once_in(random, 2) ? VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST :
		(VkPrimitiveTopology)random_below(random, VK_PRIMITIVE_TOPOLOGY_PATCH_LIST);
	state->assembly.primitiveRestartEnable =
		parity->list_restart.primitiveTopologyListRestart && random_once_in(random, 3);
}

static VkStencilOpState mixed_stencil(struct random *random) {
	return (VkStencilOpState){
		.failOp = (VkStencilOp)random_below(random, 8),
		.passOp = (VkStencilOp)random_below(random, 8),
		.depthFailOp = (VkStencilOp)random_below(random, 8),
		.compareOp = random_once_in(random, 2) ? VK_COMPARE_OP_ALWAYS :
			(VkCompareOp)random_below(random, 8),
		.compareMask = random_below(random, 256),
		.writeMask = random_below(random, 256),
		.reference = random_once_in(random, 3) ? 17 : random_below(random, 256),
	};
}

static void mix_tests(
		const struct parity *parity, struct random *random, struct scene_state *state) {
	VkPipelineDepthStencilStateCreateInfo *info = &state->depth;
	info->depthTestEnable = random_once_in(random, 2);
	info->depthWriteEnable = random_once_in(random, 2);
	info->depthCompareOp = (VkCompareOp)random_below(random, 8);
	info->depthBoundsTestEnable =
		parity->features.features.depthBounds && random_once_in(random, 4);
	info->minDepthBounds = random_fraction(random) * 0.5f;
	info->maxDepthBounds = 0.5f + random_fraction(random) * 0.5f;
	info->stencilTestEnable = random_once_in(random, 2);
	info->front = mixed_stencil(random);
	info->back = mixed_stencil(random);
}

static void mix_output(
		const struct parity *parity, struct random *random, struct scene_state *state) {
	const VkPhysicalDeviceFeatures *features = &parity->features.features;
	const uint32_t factors = VK_BLEND_FACTOR_SRC_ALPHA_SATURATE + 1;
	state->attachment = (VkPipelineColorBlendAttachmentState){
		random_below(random, 2),
		(VkBlendFactor)random_below(random, factors),
		(VkBlendFactor)random_below(random, factors),
		(VkBlendOp)random_below(random, VK_BLEND_OP_MAX + 1),
		(VkBlendFactor)random_below(random, factors),
		(VkBlendFactor)random_below(random, factors),
		(VkBlendOp)random_below(random, VK_BLEND_OP_MAX + 1),
		random_once_in(random, 2) ? 0xf : random_below(random, 16),
	};
	state->blend.logicOpEnable = features->logicOp && random_once_in(random, 4);
	state->blend.logicOp = (VkLogicOp)random_below(random, VK_LOGIC_OP_SET + 1);
	for (size_t i = 0; i < 4; i++) {
		state->blend.blendConstants[i] = random_fraction(random) * 1.5f - 0.25f;
	}
	state->sample_mask = random_once_in(random, 2) ? UINT32_MAX : random_bits(random);
	state->multisample.alphaToCoverageEnable = random_once_in(random, 3);
	state->multisample.alphaToOneEnable = features->alphaToOne && random_once_in(random, 4);
	state->multisample.sampleShadingEnable =
		features->sampleRateShading && random_once_in(random, 3);
	state->multisample.minSampleShading = random_fraction(random);
}

static void mix_chains(const struct parity *parity, struct random *random,
		struct scene_state *state, struct chained *chained) {
	*chained = (struct chained){
		.provoking = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_PROVOKING_VERTEX_STATE_CREATE_INFO_EXT,
			.provokingVertexMode = (VkProvokingVertexModeEXT)random_below(random, 2),
		},
		.clip = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_DEPTH_CLIP_STATE_CREATE_INFO_EXT,
			.depthClipEnable = random_below(random, 2),
		},
		.control = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_DEPTH_CLIP_CONTROL_CREATE_INFO_EXT,
			.negativeOneToOne = random_once_in(random, 4),
		},
		.writes = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_WRITE_CREATE_INFO_EXT,
			.attachmentCount = 1,
			.pColorWriteEnables = &chained->is_written,
		},
		.is_written = !random_once_in(random, 5),
	};
	const void **tail = &state->rasterization.pNext;
	if (parity->provoking_vertex.provokingVertexLast) {
		*tail = &chained->provoking;
		tail = &chained->provoking.pNext;
	}
	if (parity->depth_clip_enable.depthClipEnable) {
		*tail = &chained->clip;
	}
	if (parity->depth_clip_control.depthClipControl) {
		state->viewports.pNext = &chained->control;
	}
	if (parity->color_write.colorWriteEnable) {
		state->blend.pNext = &chained->writes;
	}
}

/* --- libraries --- */

#define INPUT VK_GRAPHICS_PIPELINE_LIBRARY_VERTEX_INPUT_INTERFACE_BIT_EXT
#define VERTEX VK_GRAPHICS_PIPELINE_LIBRARY_PRE_RASTERIZATION_SHADERS_BIT_EXT
#define FRAGMENT VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_SHADER_BIT_EXT
#define OUTPUT VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_OUTPUT_INTERFACE_BIT_EXT

/** Which parts of a pipeline go into which library. */
static const VkGraphicsPipelineLibraryFlagsEXT divisions[][4] = {
	{INPUT, VERTEX, FRAGMENT, OUTPUT},
	{INPUT | VERTEX, FRAGMENT | OUTPUT},
	{INPUT | VERTEX | OUTPUT, FRAGMENT},
	{INPUT, VERTEX | FRAGMENT, OUTPUT},
	{FRAGMENT, INPUT | OUTPUT, VERTEX},
};
#define DIVISIONS (sizeof(divisions) / sizeof(divisions[0]))

/** `state` may have more than a part needs: it is passed whole. */
static VkPipeline create_library(struct parity *parity, const struct scene_state *state,
		VkGraphicsPipelineLibraryFlagsEXT parts, VkPipelineCreateFlags flags) {
	const VkGraphicsPipelineLibraryCreateInfoEXT library = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT,
		.pNext = (void *)state->info.pNext,
		.flags = parts,
	};
	VkPipelineShaderStageCreateInfo stages[2];
	VkGraphicsPipelineCreateInfo info = state->info;
	info.pNext = &library;
	info.flags = flags;
	info.stageCount = 0;
	info.pStages = stages;
	if (parts & VERTEX) {
		stages[info.stageCount++] = state->stages[0];
	}
	if (parts & FRAGMENT) {
		stages[info.stageCount++] = state->stages[1];
	}
	if (!info.stageCount) {
		info.pStages = NULL;
		info.layout = VK_NULL_HANDLE;
	}
	VkPipeline pipeline;
	MUST(vkCreateGraphicsPipelines(
		parity->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
	return pipeline;
}

/** A pipeline, and the libraries that it is linked of, if any. */
struct linked {
	VkPipeline pipeline;
	VkPipeline libraries[4];
	uint32_t library_count;
};

static void destroy_libraries(struct parity *parity, struct linked *linked) {
	for (uint32_t i = 0; i < linked->library_count; i++) {
		vkDestroyPipeline(parity->device, linked->libraries[i], NULL);
	}
	linked->library_count = 0;
}

static bool is_venus(struct parity *parity) {
	VkPhysicalDeviceDriverProperties driver = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &driver};
	vkGetPhysicalDeviceProperties2(parity->physical, &properties);
	return driver.driverID == VK_DRIVER_ID_MESA_VENUS;
}

static void link_pipeline(struct parity *parity, const struct scene_state *state,
		const VkGraphicsPipelineLibraryFlagsEXT *division, bool is_optimized,
		struct linked *linked) {
	const VkPipelineCreateFlags flags = VK_PIPELINE_CREATE_LIBRARY_BIT_KHR |
		(is_optimized ? VK_PIPELINE_CREATE_RETAIN_LINK_TIME_OPTIMIZATION_INFO_BIT_EXT : 0);
	linked->library_count = 0;
	for (uint32_t i = 0; i < 4 && division[i]; i++) {
		linked->libraries[linked->library_count++] =
			create_library(parity, state, division[i], flags);
	}
	const VkPipelineLibraryCreateInfoKHR libraries = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR,
		.libraryCount = linked->library_count,
		.pLibraries = linked->libraries,
	};
	const VkGraphicsPipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.pNext = &libraries,
		.flags = is_optimized ? VK_PIPELINE_CREATE_LINK_TIME_OPTIMIZATION_BIT_EXT : 0,
		.layout = state->info.layout,
		.basePipelineIndex = -1,
	};
	MUST(vkCreateGraphicsPipelines(
		parity->device, VK_NULL_HANDLE, 1, &info, NULL, &linked->pipeline));
	/* That may be done at once. lavapipe itself (Mesa 26.1) reads state of libraries that are gone. */
	if (is_venus(parity)) {
		destroy_libraries(parity, linked);
	}
}

static void linked_finish(struct parity *parity, struct linked *linked) {
	vkDestroyPipeline(parity->device, linked->pipeline, NULL);
	destroy_libraries(parity, linked);
}

static void draw(struct parity *parity, const struct scene *scene, VkPipeline pipeline) {
	VkCommandBuffer commands = scene_begin(parity, scene);
	scene_bind(commands, scene, pipeline);
	vkCmdDraw(commands, 6, 2, 0, 1);
	vkCmdDrawIndexed(commands, SCENE_INDEX_COUNT, 1, 0, 0, 1);
	vkCmdEndRendering(commands);
	scene_say(parity, commands, scene);
}

static void try_mixture(struct parity *parity, const struct scene *scene, uint32_t number) {
	struct random random = random_from(number);
	struct scene_state state;
	struct chained chained;
	scene_state_init(scene, &state);
	mix_rasterization(parity, &random, &state);
	mix_tests(parity, &random, &state);
	mix_output(parity, &random, &state);
	mix_chains(parity, &random, &state, &chained);
	const uint32_t division = random_below(&random, DIVISIONS);
	const bool is_optimized = random_below(&random, 2);
	struct linked linked = {.library_count = 0};
	if (state.rasterization.rasterizerDiscardEnable) {
		state.info.stageCount = 1; /* without the fragment shader */
		linked.pipeline = scene_pipeline(parity, &state);
	} else if (parity->pipeline_library.graphicsPipelineLibrary && random_once_in(&random, 2)) {
		link_pipeline(parity, &state, divisions[division], is_optimized, &linked);
	} else {
		linked.pipeline = scene_pipeline(parity, &state);
	}
	say("mixture %u", number);
	draw(parity, scene, linked.pipeline);
	linked_finish(parity, &linked);
}

static void mixed(struct parity *parity) {
	struct scene single, multiple;
	scene_init(parity, &single, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_init(parity, &multiple, VK_SAMPLE_COUNT_4_BIT, 0);
	for (uint32_t i = 0; i < MIXTURES; i++) {
		try_mixture(parity, i % 3 ? &single : &multiple, i);
	}
	scene_finish(parity, &single);
	scene_finish(parity, &multiple);
}

/** Nothing of what is drawn stays, in every division into libraries. */
static void discarded(struct parity *parity) {
	if (!parity->pipeline_library.graphicsPipelineLibrary) {
		say("there are no libraries");
		return;
	}
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	state.rasterization.rasterizerDiscardEnable = VK_TRUE;
	for (size_t i = 0; i < 2 * DIVISIONS; i++) {
		struct linked linked;
		link_pipeline(parity, &state, divisions[i / 2], i % 2, &linked);
		draw(parity, &scene, linked.pipeline);
		linked_finish(parity, &linked);
	}
	scene_finish(parity, &scene);
}

const struct parity_case parity_state_cases[] = {
	{"states mixed", mixed},
	{"states discarded", discarded},
	{NULL, NULL},
};
