/* SPDX-License-Identifier: MIT */

/* Dynamic state: each alone, and all of them together, in primary and secondary command buffers. */

#include "scene.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* values of each state that are tried */
#define ROUNDS 4

struct setting {
	struct parity *parity;
	const struct scene *scene;
	VkCommandBuffer commands;
	uint32_t round;
};

struct dynamic {
	VkDynamicState state;
	void (*set)(const struct setting *setting);
	/** Makes the state that is static such that the dynamic one shows. May be NULL. */
	void (*prepare)(struct scene_state *state);
	/** Whether the device can; NULL: it can. */
	bool (*is_there)(const struct parity *parity);
	VkSampleCountFlagBits samples; /* 0: one */
};

/* Most of the commands that were added to Vulkan look alike. */
#define SET_VALUE(name, command, value) \
	static void name(const struct setting *setting) { \
		const uint32_t round = setting->round; \
		PROC(setting->parity, command); \
		command(setting->commands, value); \
	}
#define IS_THERE(name, condition) \
	static bool name(const struct parity *parity) { \
		return condition; \
	}

/* --- Vulkan 1.0 --- */

static void set_viewport(const struct setting *setting) {
	const float i = (float)setting->round;
	const VkViewport viewport = {
		i, i * 2, SCENE_SIZE - i * 3, SCENE_SIZE - i, 0.25f * i, 1 - 0.125f * i};
	vkCmdSetViewport(setting->commands, 0, 1, &viewport);
}

static void set_scissor(const struct setting *setting) {
	const uint32_t i = setting->round;
	const VkRect2D scissor = {{(int32_t)i, 2}, {i == 3 ? 0 : SCENE_SIZE - i * 9, SCENE_SIZE - 9}};
	vkCmdSetScissor(setting->commands, 0, 1, &scissor);
}

static void prepare_lines(struct scene_state *state) {
	state->assembly.topology = VK_PRIMITIVE_TOPOLOGY_LINE_STRIP;
}

static void set_line_width(const struct setting *setting) {
	const float *range = setting->parity->properties.limits.lineWidthRange;
	vkCmdSetLineWidth(
		setting->commands, range[0] + (range[1] - range[0]) * (float)setting->round / 9);
}

IS_THERE(wide_lines, parity->features.features.wideLines)

static void prepare_depth_bias(struct scene_state *state) {
	state->rasterization.depthBiasEnable = VK_TRUE;
}

static void set_depth_bias(const struct setting *setting) {
	const float i = (float)setting->round;
	vkCmdSetDepthBias(setting->commands, i * -1000, 0, i * 0.5f - 1);
}

static void prepare_blend(struct scene_state *state) {
	state->attachment.blendEnable = VK_TRUE;
}

static void set_blend_constants(const struct setting *setting) {
	const float i = (float)setting->round;
	vkCmdSetBlendConstants(setting->commands, (const float[4]){i * 0.25f, 0.5f, 1 - i * 0.125f, i});
}

static void prepare_depth_bounds(struct scene_state *state) {
	state->depth.depthBoundsTestEnable = VK_TRUE;
}

static void set_depth_bounds(const struct setting *setting) {
	const float i = (float)setting->round;
	vkCmdSetDepthBounds(setting->commands, i * 0.1875f, i * 0.1875f + 0.375f);
}

IS_THERE(depth_bounds, parity->features.features.depthBounds)

static void prepare_stencil(struct scene_state *state) {
	state->depth.stencilTestEnable = VK_TRUE;
	const VkStencilOpState op = {VK_STENCIL_OP_INVERT, VK_STENCIL_OP_REPLACE,
		VK_STENCIL_OP_INCREMENT_AND_WRAP, VK_COMPARE_OP_LESS, 0xff, 0xfe, 0x10};
	state->depth.front = op;
	state->depth.back = op;
	state->depth.back.reference = 0x12;
}

static void set_stencil_compare_mask(const struct setting *setting) {
	vkCmdSetStencilCompareMask(
		setting->commands, VK_STENCIL_FACE_FRONT_BIT, 0xff >> setting->round);
	vkCmdSetStencilCompareMask(setting->commands, VK_STENCIL_FACE_BACK_BIT, 0x3 << setting->round);
}

static void set_stencil_write_mask(const struct setting *setting) {
	vkCmdSetStencilWriteMask(
		setting->commands, VK_STENCIL_FACE_FRONT_AND_BACK, 0xff >> setting->round);
}

static void set_stencil_reference(const struct setting *setting) {
	vkCmdSetStencilReference(
		setting->commands, VK_STENCIL_FACE_FRONT_AND_BACK, setting->round * 7 + 5);
}

/* --- VK_EXT_extended_dynamic_state and 2, which are Vulkan 1.3 --- */

static void set_cull_mode(const struct setting *setting) {
	vkCmdSetCullMode(setting->commands, setting->round);
}

static void prepare_culling(struct scene_state *state) {
	state->rasterization.cullMode = VK_CULL_MODE_BACK_BIT;
}

static void set_front_face(const struct setting *setting) {
	vkCmdSetFrontFace(setting->commands, (VkFrontFace)(setting->round % 2));
}

static void set_topology(const struct setting *setting) {
	const VkPrimitiveTopology of_class[ROUNDS] = {VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
		VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP, VK_PRIMITIVE_TOPOLOGY_TRIANGLE_FAN,
		VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST_WITH_ADJACENCY};
	vkCmdSetPrimitiveTopology(setting->commands, of_class[setting->round]);
}

static void set_viewports(const struct setting *setting) {
	const VkViewport viewports[2] = {
		{0, SCENE_SIZE, SCENE_SIZE, -SCENE_SIZE, 0, 1}, {0, 0, 9, 9, 0, 1}};
	vkCmdSetViewportWithCount(setting->commands, 1 + setting->round % 2, viewports);
}

static void set_scissors(const struct setting *setting) {
	const VkRect2D scissors[2] = {{{3, 4}, {20 + setting->round, 30}}, {{0, 0}, {8, 8}}};
	vkCmdSetScissorWithCount(setting->commands, 1 + setting->round % 2, scissors);
}

static void set_counts(const struct setting *setting) {
	set_viewports(setting);
	set_scissors(setting);
}

static void prepare_counts(struct scene_state *state) {
	static const VkDynamicState both[2] = {
		VK_DYNAMIC_STATE_VIEWPORT_WITH_COUNT, VK_DYNAMIC_STATE_SCISSOR_WITH_COUNT};
	scene_state_set_dynamic(state, both, 2);
	state->viewports.viewportCount = 0;
	state->viewports.scissorCount = 0;
}

static void set_stride(const struct setting *setting) {
	const VkDeviceSize offset = 0, size = sizeof(struct scene_vertex) * SCENE_VERTICES;
	const VkDeviceSize stride = setting->round & 1 ? sizeof(struct scene_vertex) : 0;
	vkCmdBindVertexBuffers2(setting->commands, 0, 1, &setting->scene->buffer.buffer, &offset,
		setting->round & 2 ? &size : NULL, &stride);
}

static void set_depth_test(const struct setting *setting) {
	vkCmdSetDepthTestEnable(setting->commands, setting->round % 2);
}

static void set_depth_write(const struct setting *setting) {
	vkCmdSetDepthWriteEnable(setting->commands, setting->round % 2);
}

static void set_depth_compare(const struct setting *setting) {
	vkCmdSetDepthCompareOp(setting->commands, (VkCompareOp)(setting->round * 2 + 1));
}

static void set_depth_bounds_test(const struct setting *setting) {
	vkCmdSetDepthBoundsTestEnable(setting->commands, setting->round % 2);
}

static void prepare_bounds(struct scene_state *state) {
	state->depth.minDepthBounds = 0;
	state->depth.maxDepthBounds = 0.375f;
}

static void set_stencil_test(const struct setting *setting) {
	vkCmdSetStencilTestEnable(setting->commands, setting->round % 2);
}

static void set_stencil_op(const struct setting *setting) {
	vkCmdSetStencilOp(setting->commands, VK_STENCIL_FACE_FRONT_AND_BACK,
		(VkStencilOp)(setting->round * 2 + 1), (VkStencilOp)(setting->round * 2),
		(VkStencilOp)(7 - setting->round), (VkCompareOp)(4 + setting->round));
}

static void set_rasterizer_discard(const struct setting *setting) {
	vkCmdSetRasterizerDiscardEnable(setting->commands, setting->round % 2);
}

static void set_depth_bias_enable(const struct setting *setting) {
	vkCmdSetDepthBiasEnable(setting->commands, setting->round % 2);
}

static void prepare_bias_factors(struct scene_state *state) {
	state->rasterization.depthBiasConstantFactor = 500000;
}

static void set_primitive_restart(const struct setting *setting) {
	vkCmdSetPrimitiveRestartEnable(setting->commands, setting->round % 2);
}

static void prepare_strip(struct scene_state *state) {
	state->assembly.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP;
}

SET_VALUE(set_logic_op, vkCmdSetLogicOpEXT, (VkLogicOp)(round * 4 + 1))
IS_THERE(logic_op, parity->dynamic_state2.extendedDynamicState2LogicOp &&
	parity->features.features.logicOp)

static void prepare_logic_op(struct scene_state *state) {
	state->blend.logicOpEnable = VK_TRUE;
	state->blend.logicOp = VK_LOGIC_OP_XOR;
}

/* --- other extensions --- */

static void set_vertex_input(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetVertexInputEXT);
	const VkVertexInputBindingDescription2EXT binding = {
		.sType = VK_STRUCTURE_TYPE_VERTEX_INPUT_BINDING_DESCRIPTION_2_EXT,
		.stride = sizeof(struct scene_vertex),
		.inputRate = setting->round == 3 ? VK_VERTEX_INPUT_RATE_INSTANCE :
			VK_VERTEX_INPUT_RATE_VERTEX,
		.divisor = 1,
	};
	VkVertexInputAttributeDescription2EXT attributes[2];
	for (uint32_t i = 0; i < 2; i++) {
		attributes[i] = (VkVertexInputAttributeDescription2EXT){
			.sType = VK_STRUCTURE_TYPE_VERTEX_INPUT_ATTRIBUTE_DESCRIPTION_2_EXT,
			.location = i,
			.format = i && setting->round == 1 ? VK_FORMAT_R8G8B8A8_UNORM :
				VK_FORMAT_R32G32B32A32_SFLOAT,
			.offset = i * 16,
		};
	}
	vkCmdSetVertexInputEXT(setting->commands, 1, &binding, 2, attributes);
}

IS_THERE(vertex_input, parity->vertex_input.vertexInputDynamicState)

static void set_color_write(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetColorWriteEnableEXT);
	const VkBool32 enable = setting->round % 2;
	vkCmdSetColorWriteEnableEXT(setting->commands, 1, &enable);
}

IS_THERE(color_write, parity->color_write.colorWriteEnable)

SET_VALUE(set_patch_control_points, vkCmdSetPatchControlPointsEXT, 1 + round)
IS_THERE(patch_control_points, parity->dynamic_state2.extendedDynamicState2PatchControlPoints)

static void set_line_stipple(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetLineStippleKHR);
	vkCmdSetLineStippleKHR(
		setting->commands, setting->round + 1, (uint16_t)(0x5a35 << setting->round));
}

static const VkPipelineRasterizationLineStateCreateInfoKHR line_state = {
	.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_LINE_STATE_CREATE_INFO_KHR,
	.lineRasterizationMode = VK_LINE_RASTERIZATION_MODE_BRESENHAM_KHR,
	.stippledLineEnable = VK_TRUE,
	.lineStippleFactor = 2,
	.lineStipplePattern = 0x3c5f,
};

static void prepare_line_stipple(struct scene_state *state) {
	prepare_lines(state);
	state->rasterization.pNext = &line_state;
}

IS_THERE(line_stipple, parity->line.stippledBresenhamLines)

static void set_depth_bias2(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetDepthBias2EXT);
	const VkDepthBiasRepresentationInfoEXT representation = {
		.sType = VK_STRUCTURE_TYPE_DEPTH_BIAS_REPRESENTATION_INFO_EXT,
		.depthBiasRepresentation = (VkDepthBiasRepresentationEXT)(setting->round % 3),
		.depthBiasExact = setting->parity->depth_bias_control.depthBiasExact && setting->round % 2,
	};
	const VkDepthBiasInfoEXT info = {
		.sType = VK_STRUCTURE_TYPE_DEPTH_BIAS_INFO_EXT,
		.pNext = setting->round ? &representation : NULL,
		.depthBiasConstantFactor = -0.25f * (float)setting->round,
		.depthBiasSlopeFactor = 0.5f,
	};
	vkCmdSetDepthBias2EXT(setting->commands, &info);
}

IS_THERE(depth_bias_control, parity->depth_bias_control.floatRepresentation &&
	parity->depth_bias_control.leastRepresentableValueForceUnormRepresentation)

static void set_sample_locations(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetSampleLocationsEXT);
	VkSampleLocationEXT locations[4];
	for (uint32_t i = 0; i < 4; i++) {
		locations[i] = (VkSampleLocationEXT){
			0.0625f * (float)(i * 3 + setting->round), 0.9375f - 0.125f * (float)i};
	}
	const VkSampleLocationsInfoEXT info = {
		.sType = VK_STRUCTURE_TYPE_SAMPLE_LOCATIONS_INFO_EXT,
		.sampleLocationsPerPixel = VK_SAMPLE_COUNT_4_BIT,
		.sampleLocationGridSize = {1, 1},
		.sampleLocationsCount = 4,
		.pSampleLocations = locations,
	};
	vkCmdSetSampleLocationsEXT(setting->commands, &info);
}

static const VkSampleLocationEXT static_locations[4] = {
	{0.125f, 0.125f}, {0.25f, 0.75f}, {0.75f, 0.25f}, {0.875f, 0.875f}};
static const VkPipelineSampleLocationsStateCreateInfoEXT sample_locations_state = {
	.sType = VK_STRUCTURE_TYPE_PIPELINE_SAMPLE_LOCATIONS_STATE_CREATE_INFO_EXT,
	.sampleLocationsEnable = VK_TRUE,
	.sampleLocationsInfo = {
		.sType = VK_STRUCTURE_TYPE_SAMPLE_LOCATIONS_INFO_EXT,
		.sampleLocationsPerPixel = VK_SAMPLE_COUNT_4_BIT,
		.sampleLocationGridSize = {1, 1},
		.sampleLocationsCount = 4,
		.pSampleLocations = static_locations,
	},
};

static void prepare_sample_locations(struct scene_state *state) {
	state->multisample.pNext = &sample_locations_state;
}

IS_THERE(sample_locations, parity_has(parity, VK_EXT_SAMPLE_LOCATIONS_EXTENSION_NAME))

SET_VALUE(set_feedback_loop, vkCmdSetAttachmentFeedbackLoopEnableEXT,
	round % 2 ? VK_IMAGE_ASPECT_COLOR_BIT : 0)
IS_THERE(feedback_loop, parity->feedback_loop_dynamic.attachmentFeedbackLoopDynamicState)

/* --- VK_EXT_extended_dynamic_state3 --- */

#define STATE3(name, member) IS_THERE(name, parity->dynamic_state3.extendedDynamicState3##member)

SET_VALUE(set_domain_origin, vkCmdSetTessellationDomainOriginEXT,
	(VkTessellationDomainOrigin)(round % 2))
STATE3(domain_origin, TessellationDomainOrigin)
SET_VALUE(set_depth_clamp, vkCmdSetDepthClampEnableEXT, round % 2)
STATE3(depth_clamp, DepthClampEnable)
SET_VALUE(set_polygon_mode, vkCmdSetPolygonModeEXT, (VkPolygonMode)(round % 3))
STATE3(polygon_mode, PolygonMode)
SET_VALUE(set_samples, vkCmdSetRasterizationSamplesEXT, (VkSampleCountFlagBits)(round < 4 ? 4 : 1))
STATE3(samples, RasterizationSamples)

static void set_sample_mask(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetSampleMaskEXT);
	const VkSampleMask mask = setting->round * 3 + 2;
	vkCmdSetSampleMaskEXT(setting->commands, VK_SAMPLE_COUNT_4_BIT, &mask);
}

STATE3(sample_mask, SampleMask)
SET_VALUE(set_alpha_to_coverage, vkCmdSetAlphaToCoverageEnableEXT, round % 2)
STATE3(alpha_to_coverage, AlphaToCoverageEnable)
SET_VALUE(set_alpha_to_one, vkCmdSetAlphaToOneEnableEXT, round % 2)
STATE3(alpha_to_one, AlphaToOneEnable)
SET_VALUE(set_logic_op_enable, vkCmdSetLogicOpEnableEXT, round % 2)
STATE3(logic_op_enable, LogicOpEnable)

static void prepare_logic(struct scene_state *state) {
	state->blend.logicOp = VK_LOGIC_OP_XOR;
}

static void set_blend_enable(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetColorBlendEnableEXT);
	const VkBool32 enable = setting->round % 2;
	vkCmdSetColorBlendEnableEXT(setting->commands, 0, 1, &enable);
}

STATE3(blend_enable, ColorBlendEnable)

static void set_blend_equation(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetColorBlendEquationEXT);
	const VkColorBlendEquationEXT equation = {(VkBlendFactor)(setting->round * 3 + 1),
		(VkBlendFactor)(setting->round + 2), (VkBlendOp)setting->round, VK_BLEND_FACTOR_ONE,
		(VkBlendFactor)(setting->round * 2), (VkBlendOp)(4 - setting->round)};
	vkCmdSetColorBlendEquationEXT(setting->commands, 0, 1, &equation);
}

STATE3(blend_equation, ColorBlendEquation)

static void set_write_mask(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetColorWriteMaskEXT);
	const VkColorComponentFlags mask = setting->round * 5 % 16;
	vkCmdSetColorWriteMaskEXT(setting->commands, 0, 1, &mask);
}

STATE3(write_mask, ColorWriteMask)
SET_VALUE(set_stream, vkCmdSetRasterizationStreamEXT, 0 * round)
STATE3(stream, RasterizationStream)
SET_VALUE(set_depth_clip, vkCmdSetDepthClipEnableEXT, round % 2)
STATE3(depth_clip, DepthClipEnable)
SET_VALUE(set_sample_locations_enable, vkCmdSetSampleLocationsEnableEXT, round % 2)
STATE3(sample_locations_enable, SampleLocationsEnable)

static void set_blend_advanced(const struct setting *setting) {
	PROC(setting->parity, vkCmdSetColorBlendAdvancedEXT);
	const VkColorBlendAdvancedEXT blend = {
		(VkBlendOp)((uint32_t)VK_BLEND_OP_MULTIPLY_EXT + setting->round), VK_TRUE, VK_TRUE,
		VK_BLEND_OVERLAP_UNCORRELATED_EXT, VK_FALSE};
	vkCmdSetColorBlendAdvancedEXT(setting->commands, 0, 1, &blend);
}

STATE3(blend_advanced, ColorBlendAdvanced)
SET_VALUE(set_provoking_vertex, vkCmdSetProvokingVertexModeEXT,
	(VkProvokingVertexModeEXT)(round % 2))
STATE3(provoking_vertex, ProvokingVertexMode)
SET_VALUE(set_line_mode, vkCmdSetLineRasterizationModeEXT, (VkLineRasterizationModeKHR)round)
STATE3(line_mode, LineRasterizationMode)
SET_VALUE(set_stipple_enable, vkCmdSetLineStippleEnableEXT, round % 2)
STATE3(stipple_enable, LineStippleEnable)
SET_VALUE(set_negative_one, vkCmdSetDepthClipNegativeOneToOneEXT, round % 2)
STATE3(negative_one, DepthClipNegativeOneToOne)

static const struct dynamic dynamics[] = {
	{VK_DYNAMIC_STATE_VIEWPORT, set_viewport, NULL, NULL, 0},
	{VK_DYNAMIC_STATE_SCISSOR, set_scissor, NULL, NULL, 0},
	{VK_DYNAMIC_STATE_LINE_WIDTH, set_line_width, prepare_lines, wide_lines, 0},
	{VK_DYNAMIC_STATE_DEPTH_BIAS, set_depth_bias, prepare_depth_bias, NULL, 0},
	{VK_DYNAMIC_STATE_BLEND_CONSTANTS, set_blend_constants, prepare_blend, NULL, 0},
	{VK_DYNAMIC_STATE_DEPTH_BOUNDS, set_depth_bounds, prepare_depth_bounds, depth_bounds, 0},
	{VK_DYNAMIC_STATE_STENCIL_COMPARE_MASK, set_stencil_compare_mask, prepare_stencil, NULL, 0},
	{VK_DYNAMIC_STATE_STENCIL_WRITE_MASK, set_stencil_write_mask, prepare_stencil, NULL, 0},
	{VK_DYNAMIC_STATE_STENCIL_REFERENCE, set_stencil_reference, prepare_stencil, NULL, 0},
	{VK_DYNAMIC_STATE_CULL_MODE, set_cull_mode, NULL, NULL, 0},
	{VK_DYNAMIC_STATE_FRONT_FACE, set_front_face, prepare_culling, NULL, 0},
	{VK_DYNAMIC_STATE_PRIMITIVE_TOPOLOGY, set_topology, NULL, NULL, 0},
	{VK_DYNAMIC_STATE_VIEWPORT_WITH_COUNT, set_counts, prepare_counts, NULL, 0},
	{VK_DYNAMIC_STATE_VERTEX_INPUT_BINDING_STRIDE, set_stride, NULL, NULL, 0},
	{VK_DYNAMIC_STATE_DEPTH_TEST_ENABLE, set_depth_test, NULL, NULL, 0},
	{VK_DYNAMIC_STATE_DEPTH_WRITE_ENABLE, set_depth_write, NULL, NULL, 0},
	{VK_DYNAMIC_STATE_DEPTH_COMPARE_OP, set_depth_compare, NULL, NULL, 0},
	{VK_DYNAMIC_STATE_DEPTH_BOUNDS_TEST_ENABLE, set_depth_bounds_test, prepare_bounds, depth_bounds,
		0},
	{VK_DYNAMIC_STATE_STENCIL_TEST_ENABLE, set_stencil_test, prepare_stencil, NULL, 0},
	{VK_DYNAMIC_STATE_STENCIL_OP, set_stencil_op, prepare_stencil, NULL, 0},
	{VK_DYNAMIC_STATE_RASTERIZER_DISCARD_ENABLE, set_rasterizer_discard, NULL, NULL, 0},
	{VK_DYNAMIC_STATE_DEPTH_BIAS_ENABLE, set_depth_bias_enable, prepare_bias_factors, NULL, 0},
	{VK_DYNAMIC_STATE_PRIMITIVE_RESTART_ENABLE, set_primitive_restart, prepare_strip, NULL, 0},
	{VK_DYNAMIC_STATE_LOGIC_OP_EXT, set_logic_op, prepare_logic_op, logic_op, 0},
	{VK_DYNAMIC_STATE_VERTEX_INPUT_EXT, set_vertex_input, NULL, vertex_input, 0},
	{VK_DYNAMIC_STATE_COLOR_WRITE_ENABLE_EXT, set_color_write, NULL, color_write, 0},
	{VK_DYNAMIC_STATE_PATCH_CONTROL_POINTS_EXT, set_patch_control_points, NULL,
		patch_control_points, 0},
	{VK_DYNAMIC_STATE_TESSELLATION_DOMAIN_ORIGIN_EXT, set_domain_origin, NULL, domain_origin, 0},
	{VK_DYNAMIC_STATE_DEPTH_CLAMP_ENABLE_EXT, set_depth_clamp, NULL, depth_clamp, 0},
	{VK_DYNAMIC_STATE_POLYGON_MODE_EXT, set_polygon_mode, NULL, polygon_mode, 0},
	{VK_DYNAMIC_STATE_RASTERIZATION_SAMPLES_EXT, set_samples, NULL, samples, VK_SAMPLE_COUNT_4_BIT},
	{VK_DYNAMIC_STATE_SAMPLE_MASK_EXT, set_sample_mask, NULL, sample_mask, VK_SAMPLE_COUNT_4_BIT},
	{VK_DYNAMIC_STATE_ALPHA_TO_COVERAGE_ENABLE_EXT, set_alpha_to_coverage, NULL, alpha_to_coverage,
		VK_SAMPLE_COUNT_4_BIT},
	{VK_DYNAMIC_STATE_ALPHA_TO_ONE_ENABLE_EXT, set_alpha_to_one, NULL, alpha_to_one,
		VK_SAMPLE_COUNT_4_BIT},
	{VK_DYNAMIC_STATE_LOGIC_OP_ENABLE_EXT, set_logic_op_enable, prepare_logic, logic_op_enable, 0},
	{VK_DYNAMIC_STATE_COLOR_BLEND_ENABLE_EXT, set_blend_enable, NULL, blend_enable, 0},
	{VK_DYNAMIC_STATE_COLOR_BLEND_EQUATION_EXT, set_blend_equation, prepare_blend, blend_equation,
		0},
	{VK_DYNAMIC_STATE_COLOR_WRITE_MASK_EXT, set_write_mask, NULL, write_mask, 0},
	{VK_DYNAMIC_STATE_RASTERIZATION_STREAM_EXT, set_stream, NULL, stream, 0},
	{VK_DYNAMIC_STATE_DEPTH_CLIP_ENABLE_EXT, set_depth_clip, NULL, depth_clip, 0},
	{VK_DYNAMIC_STATE_COLOR_BLEND_ADVANCED_EXT, set_blend_advanced, prepare_blend, blend_advanced,
		0},
	{VK_DYNAMIC_STATE_PROVOKING_VERTEX_MODE_EXT, set_provoking_vertex, NULL, provoking_vertex, 0},
	{VK_DYNAMIC_STATE_LINE_RASTERIZATION_MODE_EXT, set_line_mode, prepare_lines, line_mode, 0},
	{VK_DYNAMIC_STATE_LINE_STIPPLE_ENABLE_EXT, set_stipple_enable, prepare_line_stipple,
		stipple_enable, 0},
	{VK_DYNAMIC_STATE_DEPTH_CLIP_NEGATIVE_ONE_TO_ONE_EXT, set_negative_one, NULL, negative_one, 0},
};

/* for what Mesa 25 does not offer */
static const struct dynamic new_dynamics[] = {
	{VK_DYNAMIC_STATE_LINE_STIPPLE_KHR, set_line_stipple, prepare_line_stipple, line_stipple, 0},
	{VK_DYNAMIC_STATE_DEPTH_BIAS, set_depth_bias2, prepare_depth_bias, depth_bias_control, 0},
	{VK_DYNAMIC_STATE_SAMPLE_LOCATIONS_EXT, set_sample_locations, prepare_sample_locations,
		sample_locations, VK_SAMPLE_COUNT_4_BIT},
	{VK_DYNAMIC_STATE_SAMPLE_LOCATIONS_ENABLE_EXT, set_sample_locations_enable,
		prepare_sample_locations, sample_locations_enable, VK_SAMPLE_COUNT_4_BIT},
	{VK_DYNAMIC_STATE_ATTACHMENT_FEEDBACK_LOOP_ENABLE_EXT, set_feedback_loop, NULL, feedback_loop,
		0},
};

static void try_alone(struct parity *parity, const struct dynamic *dynamic) {
	if (dynamic->is_there && !dynamic->is_there(parity)) {
		say("dynamic state %d is not there", dynamic->state);
		return;
	}
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, dynamic->samples ? dynamic->samples : VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	scene_state_set_dynamic(&state, &dynamic->state, 1);
	if (dynamic->prepare) {
		dynamic->prepare(&state);
	}
	VkPipeline pipeline = scene_pipeline(parity, &state);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		VkCommandBuffer commands = scene_begin(parity, &scene);
		const struct setting setting = {parity, &scene, commands, round};
		scene_bind(commands, &scene, pipeline);
		dynamic->set(&setting);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdDrawIndexed(commands, SCENE_INDEX_COUNT, 1, 0, 0, 1);
		vkCmdEndRendering(commands);
		say("dynamic state %d, round %u", dynamic->state, round);
		scene_say(parity, commands, &scene);
	}
	vkDestroyPipeline(parity->device, pipeline, NULL);
	scene_finish(parity, &scene);
}

static void alone(struct parity *parity) {
	for (size_t i = 0; i < COUNT(dynamics); i++) {
		try_alone(parity, &dynamics[i]);
	}
}

static void new_alone(struct parity *parity) {
	for (size_t i = 0; i < COUNT(new_dynamics); i++) {
		try_alone(parity, &new_dynamics[i]);
	}
}

/** All states for one sample are dynamic in one pipeline, and set before it is bound. */
static void together(struct parity *parity) {
	struct scene scene;
	struct scene_state state;
	VkDynamicState list[COUNT(dynamics) + 1];
	uint32_t count = 0;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	bool wanted[COUNT(dynamics)];
	for (size_t i = 0; i < COUNT(dynamics); i++) {
		const struct dynamic *dynamic = &dynamics[i];
		wanted[i] = !dynamic->samples && (!dynamic->is_there || dynamic->is_there(parity)) &&
			/* what excludes each other, or needs another shader */
			dynamic->state != VK_DYNAMIC_STATE_VIEWPORT &&
			dynamic->state != VK_DYNAMIC_STATE_SCISSOR &&
			dynamic->state != VK_DYNAMIC_STATE_VERTEX_INPUT_BINDING_STRIDE &&
			dynamic->state != VK_DYNAMIC_STATE_RASTERIZER_DISCARD_ENABLE &&
			dynamic->state != VK_DYNAMIC_STATE_PATCH_CONTROL_POINTS_EXT &&
			dynamic->state != VK_DYNAMIC_STATE_TESSELLATION_DOMAIN_ORIGIN_EXT;
		if (wanted[i]) {
			list[count++] = dynamic->state;
		}
	}
	list[count++] = VK_DYNAMIC_STATE_SCISSOR_WITH_COUNT;
	state.viewports.viewportCount = 0;
	state.viewports.scissorCount = 0;
	scene_state_set_dynamic(&state, list, count);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	const VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
	const VkCommandBufferInheritanceRenderingInfo rendering = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_RENDERING_INFO,
		.colorAttachmentCount = 1,
		.pColorAttachmentFormats = &format,
		.depthAttachmentFormat = VK_FORMAT_D32_SFLOAT_S8_UINT,
		.stencilAttachmentFormat = VK_FORMAT_D32_SFLOAT_S8_UINT,
		.rasterizationSamples = VK_SAMPLE_COUNT_1_BIT,
	};
	const VkCommandBufferInheritanceInfo inheritance = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO, .pNext = &rendering};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT,
		.pInheritanceInfo = &inheritance,
	};
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = parity->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 1,
	};
	VkCommandBuffer secondary;
	MUST(vkAllocateCommandBuffers(parity->device, &allocate, &secondary));
	for (uint32_t round = 0; round < ROUNDS * 2; round++) {
		const struct setting setting = {parity, &scene, secondary, round % ROUNDS};
		MUST(vkBeginCommandBuffer(secondary, &begin));
		for (size_t i = 0; i < COUNT(dynamics); i++) {
			/* half of the rounds see the other half of the states as they were */
			const struct setting other = {parity, &scene, secondary, (uint32_t)i % ROUNDS};
			if (wanted[i]) {
				dynamics[i].set(round < ROUNDS || i % 2 ? &setting : &other);
			}
		}
		scene_bind(secondary, &scene, pipeline);
		vkCmdDraw(secondary, 6, 1, 0, 0);
		vkCmdDrawIndexed(secondary, SCENE_INDEX_COUNT, 1, 0, 0, 1);
		MUST(vkEndCommandBuffer(secondary));
		VkCommandBuffer commands = parity_begin(parity);
		scene_prepare(commands, &scene);
		scene_begin_rendering(
			commands, &scene, VK_RENDERING_CONTENTS_SECONDARY_COMMAND_BUFFERS_BIT);
		vkCmdExecuteCommands(commands, 1, &secondary);
		vkCmdEndRendering(commands);
		scene_say(parity, commands, &scene);
	}
	vkFreeCommandBuffers(parity->device, parity->pool, 1, &secondary);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	scene_finish(parity, &scene);
}

const struct parity_case parity_dynamic_cases[] = {
	{"dynamic alone", alone},
	{"dynamic alone-new", new_alone},
	{"dynamic together", together},
	{NULL, NULL},
};
