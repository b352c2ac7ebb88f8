/* SPDX-License-Identifier: MIT */

/* Drawing: every draw command, render passes, multisampling, views, transform feedback. */

#include <string.h>

#include "scene.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void draw_multi(struct parity *parity, VkCommandBuffer commands) {
	if (!parity->multi_draw.multiDraw) {
		return;
	}
	PROC(parity, vkCmdDrawMultiEXT);
	PROC(parity, vkCmdDrawMultiIndexedEXT);
	/* with a gap between the array's elements */
	const struct {
		VkMultiDrawInfoEXT draw;
		uint32_t gap;
	} draws[3] = {{{0, 3}, 9}, {{3, 3}, 9}, {{1, 3}, 9}};
	vkCmdDrawMultiEXT(commands, 3, &draws[0].draw, 1, 0, sizeof(draws[0]));
	vkCmdDrawMultiEXT(commands, 0, NULL, 1, 0, 0);
	const struct {
		VkMultiDrawIndexedInfoEXT draw;
		uint32_t gap[5];
	} indexed[2] = {{{4, 3, 0}, {0}}, {{0, 3, 1}, {0}}};
	const int32_t vertex_offset = 2;
	vkCmdDrawMultiIndexedEXT(commands, 2, &indexed[0].draw, 1, 1, sizeof(indexed[0]), NULL);
	vkCmdDrawMultiIndexedEXT(
		commands, 1, &indexed[1].draw, 1, 0, sizeof(indexed[0]), &vertex_offset);
}

static void draw(struct parity *parity, VkCommandBuffer commands, const struct scene *scene,
		int way) {
	const VkBuffer buffer = scene->buffer.buffer;
	const uint32_t size = sizeof(VkDrawIndirectCommand);
	const uint32_t indexed_size = sizeof(VkDrawIndexedIndirectCommand);
	switch (way) {
	case 0:
		vkCmdDraw(commands, 6, 2, 0, 1);
		vkCmdDraw(commands, 0, 1, 0, 0);
		vkCmdDraw(commands, 3, 0, 0, 0);
		break;
	case 1:
		vkCmdDrawIndexed(commands, 3, 1, 4, 0, 0);
		vkCmdDrawIndexed(commands, 3, 1, 0, 1, 0);
		break;
	case 2:
		vkCmdDrawIndirect(commands, buffer, SCENE_INDIRECT_OFFSET, 3, size);
		vkCmdDrawIndirect(commands, buffer, SCENE_INDIRECT_OFFSET, 0, 0);
		break;
	case 3:
		vkCmdDrawIndirectCount(commands, buffer, SCENE_INDIRECT_OFFSET, buffer,
			SCENE_INDIRECT_COUNT_OFFSET, 3, size);
		break;
	case 4:
		vkCmdDrawIndexedIndirect(commands, buffer, SCENE_INDEXED_OFFSET, 2, indexed_size);
		break;
	case 5:
		vkCmdDrawIndexedIndirectCount(commands, buffer, SCENE_INDEXED_OFFSET, buffer,
			SCENE_INDEXED_COUNT_OFFSET, 2, indexed_size);
		break;
	default:
		draw_multi(parity, commands);
		break;
	}
}

/** All the draw commands, in every topology. */
static void topologies(struct parity *parity) {
	struct scene scene;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	for (int topology = 0; topology <= VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP_WITH_ADJACENCY;
			topology++) {
		struct scene_state state;
		scene_state_init(&scene, &state);
		state.assembly.topology = (VkPrimitiveTopology)topology;
		state.assembly.primitiveRestartEnable = topology == VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP ||
			(parity->list_restart.primitiveTopologyListRestart && topology % 2);
		state.attachment.blendEnable = topology % 2;
		VkPipeline pipeline = scene_pipeline(parity, &state);
		for (int way = 0; way < 7; way++) {
			VkCommandBuffer commands = scene_begin(parity, &scene);
			scene_bind(commands, &scene, pipeline);
			draw(parity, commands, &scene, way);
			vkCmdEndRendering(commands);
			say("topology %d, way %d", topology, way);
			scene_say(parity, commands, &scene);
		}
		vkDestroyPipeline(parity->device, pipeline, NULL);
	}
	scene_finish(parity, &scene);
}

static VkCommandBuffer allocate_secondary(struct parity *parity) {
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = parity->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands;
	MUST(vkAllocateCommandBuffers(parity->device, &allocate, &commands));
	return commands;
}

/** The same from secondary command buffers that continue a rendering. */
static void secondaries(struct parity *parity) {
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
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
	const VkBool32 queries = parity->features.features.inheritedQueries;
	const VkCommandBufferInheritanceInfo inheritance = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
		.pNext = &rendering,
		.occlusionQueryEnable = queries,
		.queryFlags = queries ? VK_QUERY_CONTROL_PRECISE_BIT : 0,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT |
			VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
		.pInheritanceInfo = &inheritance,
	};
	const VkQueryPoolCreateInfo query = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_OCCLUSION,
		.queryCount = 1,
	};
	VkQueryPool pool;
	MUST(vkCreateQueryPool(parity->device, &query, NULL, &pool));
	for (int way = 0; way < 7; way++) {
		VkCommandBuffer secondary[2];
		for (int i = 0; i < 2; i++) {
			secondary[i] = allocate_secondary(parity);
			MUST(vkBeginCommandBuffer(secondary[i], &begin));
			scene_bind(secondary[i], &scene, pipeline);
			draw(parity, secondary[i], &scene, (way + i) % 7);
			MUST(vkEndCommandBuffer(secondary[i]));
		}
		VkCommandBuffer commands = parity_begin(parity);
		scene_prepare(commands, &scene);
		vkCmdResetQueryPool(commands, pool, 0, 1);
		if (queries) {
			vkCmdBeginQuery(commands, pool, 0, VK_QUERY_CONTROL_PRECISE_BIT);
		}
		scene_begin_rendering(
			commands, &scene, VK_RENDERING_CONTENTS_SECONDARY_COMMAND_BUFFERS_BIT);
		vkCmdExecuteCommands(commands, 2, secondary);
		vkCmdExecuteCommands(commands, 1, secondary);
		vkCmdEndRendering(commands);
		if (queries) {
			vkCmdEndQuery(commands, pool, 0);
		}
		scene_say(parity, commands, &scene);
		uint64_t samples = 0;
		SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 0, 1, 8, &samples, 8,
			VK_QUERY_RESULT_64_BIT | (queries ? VK_QUERY_RESULT_WAIT_BIT : 0)));
		say("%llu samples", (unsigned long long)samples);
		vkFreeCommandBuffers(parity->device, parity->pool, 2, secondary);
	}
	vkDestroyQueryPool(parity->device, pool, NULL);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	scene_finish(parity, &scene);
}

/** Secondary command buffers that execute others, and rendering to which both kinds add. */
static void nested(struct parity *parity) {
	if (!parity->nested.nestedCommandBufferRendering) {
		say("there is no nesting");
		return;
	}
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	const VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
	const VkCommandBufferInheritanceRenderingInfo rendering = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_RENDERING_INFO,
		.flags = VK_RENDERING_CONTENTS_INLINE_BIT_EXT |
			VK_RENDERING_CONTENTS_SECONDARY_COMMAND_BUFFERS_BIT,
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
	VkCommandBuffer inner = allocate_secondary(parity), outer = allocate_secondary(parity);
	MUST(vkBeginCommandBuffer(inner, &begin));
	scene_bind(inner, &scene, pipeline);
	vkCmdDraw(inner, 3, 1, 0, 0);
	MUST(vkEndCommandBuffer(inner));
	MUST(vkBeginCommandBuffer(outer, &begin));
	scene_bind(outer, &scene, pipeline);
	vkCmdDraw(outer, 3, 1, 3, 0);
	vkCmdExecuteCommands(outer, 1, &inner);
	MUST(vkEndCommandBuffer(outer));
	VkCommandBuffer commands = parity_begin(parity);
	scene_prepare(commands, &scene);
	scene_begin_rendering(commands, &scene, VK_RENDERING_CONTENTS_INLINE_BIT_EXT |
		VK_RENDERING_CONTENTS_SECONDARY_COMMAND_BUFFERS_BIT);
	vkCmdExecuteCommands(commands, 1, &outer);
	scene_bind(commands, &scene, pipeline);
	vkCmdDraw(commands, 3, 1, 1, 1);
	vkCmdEndRendering(commands);
	scene_say(parity, commands, &scene);
	vkFreeCommandBuffers(parity->device, parity->pool, 1, &outer);
	vkFreeCommandBuffers(parity->device, parity->pool, 1, &inner);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	scene_finish(parity, &scene);
}

/** A rendering that is suspended and resumed, in one submission of several command buffers. */
static void suspended(struct parity *parity) {
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	VkCommandBuffer commands[3];
	for (uint32_t i = 0; i < 3; i++) {
		commands[i] = parity_begin(parity);
		if (i == 0) {
			scene_prepare(commands[i], &scene);
		}
		scene_begin_rendering(commands[i], &scene, (i > 0 ? VK_RENDERING_RESUMING_BIT : 0) |
			(i < 2 ? VK_RENDERING_SUSPENDING_BIT : 0));
		scene_bind(commands[i], &scene, pipeline);
		vkCmdDraw(commands[i], 3, 1, i, i);
		vkCmdEndRendering(commands[i]);
		MUST(vkEndCommandBuffer(commands[i]));
	}
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 3,
		.pCommandBuffers = commands,
	};
	SAY_RESULT(vkQueueSubmit(parity->queue, 1, &submit, VK_NULL_HANDLE));
	SAY_RESULT(vkQueueWaitIdle(parity->queue));
	vkFreeCommandBuffers(parity->device, parity->pool, 3, commands);
	scene_say(parity, parity_begin(parity), &scene);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	scene_finish(parity, &scene);
}

/** What a predicate in a buffer lets through, in primary and secondary command buffers. */
static void conditional(struct parity *parity) {
	if (!parity->conditional_rendering.conditionalRendering) {
		say("there is no conditional rendering");
		return;
	}
	PROC(parity, vkCmdBeginConditionalRenderingEXT);
	PROC(parity, vkCmdEndConditionalRenderingEXT);
	struct scene scene;
	struct scene_state state;
	struct parity_buffer predicates;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	parity_buffer_init(
		parity, &predicates, 16, VK_BUFFER_USAGE_CONDITIONAL_RENDERING_BIT_EXT);
	memcpy(predicates.data, (const uint32_t[4]){0, 1, 0x100, 0}, 16);
	for (uint32_t i = 0; i < 8; i++) {
		VkConditionalRenderingBeginInfoEXT info = {
			.sType = VK_STRUCTURE_TYPE_CONDITIONAL_RENDERING_BEGIN_INFO_EXT,
			.buffer = predicates.buffer,
			.offset = i / 2 * 4,
			.flags = i % 2 ? VK_CONDITIONAL_RENDERING_INVERTED_BIT_EXT : 0,
		};
		VkCommandBuffer commands = scene_begin(parity, &scene);
		scene_bind(commands, &scene, pipeline);
		vkCmdBeginConditionalRenderingEXT(commands, &info);
		vkCmdDraw(commands, 3, 1, 0, 0);
		const VkClearAttachment clear = {
			VK_IMAGE_ASPECT_STENCIL_BIT, 0, {.depthStencil = {0, i}}};
		const VkClearRect rect = {{{5, 6}, {7, 8}}, 0, 1};
		vkCmdClearAttachments(commands, 1, &clear, 1, &rect);
		vkCmdEndConditionalRenderingEXT(commands);
		vkCmdDraw(commands, 3, 1, 3, 0);
		vkCmdEndRendering(commands);
		scene_say(parity, commands, &scene);
	}
	vkDestroyPipeline(parity->device, pipeline, NULL);
	parity_buffer_finish(parity, &predicates);
	scene_finish(parity, &scene);
}

static void views(struct parity *parity) {
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 3);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	VkCommandBuffer commands = scene_begin(parity, &scene);
	scene_bind(commands, &scene, pipeline);
	vkCmdDraw(commands, 6, 1, 0, 0);
	vkCmdEndRendering(commands);
	scene_say(parity, commands, &scene);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	scene_finish(parity, &scene);
}

/** A render pass that resolves, with a sample mask; queries around it. */
static void render_pass(struct parity *parity) {
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_4_BIT, 0);
	VkImageCreateInfo image = scene.colour.info;
	image.samples = VK_SAMPLE_COUNT_1_BIT;
	struct parity_image resolved;
	parity_image_init(parity, &resolved, &image, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);

	VkAttachmentDescription2 attachments[3];
	for (size_t i = 0; i < 3; i++) {
		attachments[i] = (VkAttachmentDescription2){
			.sType = VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_2,
			.format = i == 1 ? VK_FORMAT_D32_SFLOAT_S8_UINT : VK_FORMAT_R8G8B8A8_UNORM,
			.samples = i == 2 ? VK_SAMPLE_COUNT_1_BIT : VK_SAMPLE_COUNT_4_BIT,
			.loadOp = i == 2 ? VK_ATTACHMENT_LOAD_OP_DONT_CARE : VK_ATTACHMENT_LOAD_OP_CLEAR,
			.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
			.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
			.finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		};
	}
	VkAttachmentReference2 references[3];
	for (uint32_t i = 0; i < 3; i++) {
		references[i] = (VkAttachmentReference2){
			.sType = VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_2,
			.attachment = i,
			.layout = VK_IMAGE_LAYOUT_GENERAL,
			.aspectMask = i == 1 ? scene.depth.aspects : scene.colour.aspects,
		};
	}
	const VkSubpassDescription2 subpass = {
		.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_2,
		.colorAttachmentCount = 1,
		.pColorAttachments = &references[0],
		.pResolveAttachments = &references[2],
		.pDepthStencilAttachment = &references[1],
	};
	const VkRenderPassCreateInfo2 pass_info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO_2,
		.attachmentCount = 3,
		.pAttachments = attachments,
		.subpassCount = 1,
		.pSubpasses = &subpass,
	};
	VkRenderPass pass;
	MUST(vkCreateRenderPass2(parity->device, &pass_info, NULL, &pass));
	VkExtent2D granularity = {0, 0};
	vkGetRenderAreaGranularity(parity->device, pass, &granularity);
	say("granularity %u %u", granularity.width, granularity.height);
	const VkImageView image_views[3] = {scene.colour.view, scene.depth.view, resolved.view};
	const VkFramebufferCreateInfo framebuffer_info = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.renderPass = pass,
		.attachmentCount = 3,
		.pAttachments = image_views,
		.width = SCENE_SIZE,
		.height = SCENE_SIZE,
		.layers = 1,
	};
	VkFramebuffer framebuffer;
	MUST(vkCreateFramebuffer(parity->device, &framebuffer_info, NULL, &framebuffer));
	scene_state_init(&scene, &state);
	scene_state_set_pass(&state, pass, 0);
	state.sample_mask = 0x5;
	VkPipeline pipeline = scene_pipeline(parity, &state);
	const VkQueryPoolCreateInfo pool_infos[2] = {
		{.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_OCCLUSION,
			.queryCount = 1},
		{.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
			.queryType = VK_QUERY_TYPE_PIPELINE_STATISTICS, .queryCount = 1,
			.pipelineStatistics = 0xff},
	};
	VkQueryPool pools[2];
	MUST(vkCreateQueryPool(parity->device, &pool_infos[0], NULL, &pools[0]));
	MUST(vkCreateQueryPool(parity->device, &pool_infos[1], NULL, &pools[1]));

	VkCommandBuffer commands = parity_begin(parity);
	vkCmdResetQueryPool(commands, pools[0], 0, 1);
	vkCmdResetQueryPool(commands, pools[1], 0, 1);
	vkCmdBeginQuery(commands, pools[1], 0, 0);
	const VkClearValue clears[3] = {
		{.color.float32 = {0, 0.5f, 0, 1}}, {.depthStencil = {1, 0}}, {.color.uint32 = {0}}};
	const VkRenderPassBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = pass,
		.framebuffer = framebuffer,
		.renderArea = {{0, 0}, {SCENE_SIZE, SCENE_SIZE}},
		.clearValueCount = 3,
		.pClearValues = clears,
	};
	const VkSubpassBeginInfo subpass_begin = {.sType = VK_STRUCTURE_TYPE_SUBPASS_BEGIN_INFO};
	const VkSubpassEndInfo subpass_end = {.sType = VK_STRUCTURE_TYPE_SUBPASS_END_INFO};
	vkCmdBeginRenderPass2(commands, &begin, &subpass_begin);
	vkCmdBeginQuery(commands, pools[0], 0, VK_QUERY_CONTROL_PRECISE_BIT);
	scene_bind(commands, &scene, pipeline);
	vkCmdDraw(commands, 6, 1, 0, 0);
	vkCmdEndQuery(commands, pools[0], 0);
	const VkClearAttachment clear = {
		VK_IMAGE_ASPECT_COLOR_BIT, 0, {.color.float32 = {1, 1, 1, 0}}};
	const VkClearRect rect = {{{5, 6}, {7, 8}}, 0, 1};
	vkCmdClearAttachments(commands, 1, &clear, 1, &rect);
	vkCmdEndRenderPass2(commands, &subpass_end);
	vkCmdEndQuery(commands, pools[1], 0);
	parity_run(parity, commands);
	parity_say_image(parity, "resolved", &resolved, 4);
	uint64_t values[9] = {0};
	SAY_RESULT(vkGetQueryPoolResults(parity->device, pools[0], 0, 1, 8, values, 8,
		VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
	say("%llu samples", (unsigned long long)values[0]);
	SAY_RESULT(vkGetQueryPoolResults(parity->device, pools[1], 0, 1, sizeof(values), values, 72,
		VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
	for (size_t i = 0; i < COUNT(values); i++) {
		say("statistic %zu: %llu", i, (unsigned long long)values[i]);
	}
	vkDestroyQueryPool(parity->device, pools[0], NULL);
	vkDestroyQueryPool(parity->device, pools[1], NULL);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	vkDestroyFramebuffer(parity->device, framebuffer, NULL);
	vkDestroyRenderPass(parity->device, pass, NULL);
	parity_image_finish(parity, &resolved);
	scene_finish(parity, &scene);
}

static void transform_feedback(struct parity *parity) {
	if (!parity->transform_feedback.transformFeedback) {
		say("there is no transform feedback");
		return;
	}
	struct scene scene;
	struct scene_state state;
	struct parity_buffer captured, counter;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	parity_buffer_init(parity, &captured, 512, VK_BUFFER_USAGE_TRANSFORM_FEEDBACK_BUFFER_BIT_EXT);
	parity_buffer_init(parity, &counter, 64,
		VK_BUFFER_USAGE_TRANSFORM_FEEDBACK_COUNTER_BUFFER_BIT_EXT |
			VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
	PROC(parity, vkCmdBindTransformFeedbackBuffersEXT);
	PROC(parity, vkCmdBeginTransformFeedbackEXT);
	PROC(parity, vkCmdEndTransformFeedbackEXT);
	PROC(parity, vkCmdDrawIndirectByteCountEXT);
	const VkDeviceSize offset = 16, size = 480, zero = 0;
	for (int round = 0; round < 2; round++) {
		VkCommandBuffer commands = scene_begin(parity, &scene);
		scene_bind(commands, &scene, pipeline);
		vkCmdBindTransformFeedbackBuffersEXT(commands, 0, 1, &captured.buffer, &offset, &size);
		vkCmdBeginTransformFeedbackEXT(commands, 0, round, &counter.buffer, &zero);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndTransformFeedbackEXT(commands, 0, 1, &counter.buffer, &zero);
		vkCmdEndRendering(commands);
		scene_say(parity, commands, &scene);
		say_hash("captured", captured.data, captured.size);
		say_hash("counter", counter.data, counter.size);
	}
	VkCommandBuffer commands = scene_begin(parity, &scene);
	scene_bind(commands, &scene, pipeline);
	vkCmdDrawIndirectByteCountEXT(commands, 1, 0, counter.buffer, 0, 0, 64);
	vkCmdEndRendering(commands);
	scene_say(parity, commands, &scene);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	parity_buffer_finish(parity, &captured);
	parity_buffer_finish(parity, &counter);
	scene_finish(parity, &scene);
}

const struct parity_case parity_draw_cases[] = {
	{"draw topologies", topologies},
	{"draw secondaries", secondaries},
	{"draw nested", nested},
	{"draw suspended", suspended},
	{"draw conditional", conditional},
	{"draw views", views},
	{"draw render-pass", render_pass},
	{"draw transform-feedback", transform_feedback},
	{NULL, NULL},
};
