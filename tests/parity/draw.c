/* SPDX-License-Identifier: MIT */

/* Drawing: dynamic rendering and render passes, states, multisampling, views, transform feedback. */

#include <string.h>

#include "parity.h"

#include "draw_frag_spv.h"
#include "draw_vert_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIZE 48

struct vertex {
	float position[4];
	float colour[4];
};

static const struct vertex vertices[] = {
	{{-0.9f, -0.8f, 0.5f, 1}, {1, 0, 0, 1}},
	{{0.8f, -0.6f, 0.5f, 1}, {0, 1, 0, 0.5f}},
	{{-0.1f, 0.9f, 0.5f, 1}, {0, 0, 1, 0.25f}},
	{{0.9f, 0.7f, 0.25f, 1}, {1, 1, 0, 1}},
	{{-0.5f, 0.4f, 0.25f, 1}, {0, 1, 1, 1}},
	{{0.3f, -0.9f, 0.75f, 1}, {1, 0, 1, 1}},
};
static const uint16_t indices[] = {0, 1, 2, 0xffff, 3, 4, 5, 2};

struct draw {
	VkShaderModule vertex, fragment;
	VkPipelineLayout layout;
	struct parity_buffer buffer; /* vertices, then indices, then indirect parameters */
	struct parity_image colour;
	struct parity_image depth;
};

#define INDEX_OFFSET 512
#define INDIRECT_OFFSET 640

struct options {
	VkPrimitiveTopology topology;
	VkSampleCountFlagBits samples;
	bool blend;
	uint32_t view_mask;
	uint32_t sample_mask; /* 0: all */
	const VkDynamicState *dynamic;
	uint32_t dynamic_count;
	VkRenderPass pass; /* none: dynamic rendering */
};

static void draw_init(struct parity *parity, struct draw *draw, const struct options *options) {
	draw->vertex = parity_shader(parity, draw_vert_spv, sizeof(draw_vert_spv));
	draw->fragment = parity_shader(parity, draw_frag_spv, sizeof(draw_frag_spv));
	const VkPushConstantRange push = {VK_SHADER_STAGE_FRAGMENT_BIT, 0, 16};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	MUST(vkCreatePipelineLayout(parity->device, &layout, NULL, &draw->layout));
	parity_buffer_init(parity, &draw->buffer, 1024, VK_BUFFER_USAGE_VERTEX_BUFFER_BIT |
		VK_BUFFER_USAGE_INDEX_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
	memcpy(draw->buffer.data, vertices, sizeof(vertices));
	memcpy((char *)draw->buffer.data + INDEX_OFFSET, indices, sizeof(indices));
	const VkDrawIndirectCommand indirect[3] = {{3, 1, 0, 0}, {3, 2, 3, 1}, {6, 1, 0, 2}};
	memcpy((char *)draw->buffer.data + INDIRECT_OFFSET, indirect, sizeof(indirect));
	const uint32_t count = 2;
	memcpy((char *)draw->buffer.data + INDIRECT_OFFSET + sizeof(indirect), &count, 4);

	VkImageCreateInfo image = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {SIZE, SIZE, 1},
		.mipLevels = 1,
		.arrayLayers = options->view_mask ? 2 : 1,
		.samples = options->samples,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
	};
	const VkImageViewType type =
		options->view_mask ? VK_IMAGE_VIEW_TYPE_2D_ARRAY : VK_IMAGE_VIEW_TYPE_2D;
	parity_image_init(parity, &draw->colour, &image, type, VK_IMAGE_ASPECT_COLOR_BIT);
	image.format = VK_FORMAT_D32_SFLOAT;
	image.usage = VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
	parity_image_init(parity, &draw->depth, &image, type, VK_IMAGE_ASPECT_DEPTH_BIT);
}

static void draw_finish(struct parity *parity, struct draw *draw) {
	parity_image_finish(parity, &draw->colour);
	parity_image_finish(parity, &draw->depth);
	parity_buffer_finish(parity, &draw->buffer);
	vkDestroyPipelineLayout(parity->device, draw->layout, NULL);
	vkDestroyShaderModule(parity->device, draw->vertex, NULL);
	vkDestroyShaderModule(parity->device, draw->fragment, NULL);
}

static VkPipeline create_pipeline(struct parity *parity, const struct draw *draw,
		const struct options *options) {
	const VkPipelineShaderStageCreateInfo stages[2] = {
		{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_VERTEX_BIT, .module = draw->vertex, .pName = "main"},
		{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_FRAGMENT_BIT, .module = draw->fragment, .pName = "main"},
	};
	const VkVertexInputBindingDescription binding = {
		0, sizeof(struct vertex), VK_VERTEX_INPUT_RATE_VERTEX};
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
		.topology = options->topology,
		.primitiveRestartEnable = options->topology == VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP,
	};
	const VkViewport viewport = {0, 0, SIZE, SIZE, 0, 1};
	const VkRect2D scissor = {{2, 3}, {SIZE - 5, SIZE - 4}};
	const VkPipelineViewportStateCreateInfo viewports = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
		.viewportCount = 1,
		.pViewports = &viewport,
		.scissorCount = 1,
		.pScissors = &scissor,
	};
	const VkPipelineRasterizationStateCreateInfo rasterization = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
		.lineWidth = 1,
	};
	const VkSampleMask mask = options->sample_mask;
	const VkPipelineMultisampleStateCreateInfo multisample = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
		.rasterizationSamples = options->samples,
		.pSampleMask = mask ? &mask : NULL,
	};
	const VkPipelineDepthStencilStateCreateInfo depth = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO,
		.depthTestEnable = VK_TRUE,
		.depthWriteEnable = VK_TRUE,
		.depthCompareOp = VK_COMPARE_OP_LESS_OR_EQUAL,
	};
	const VkPipelineColorBlendAttachmentState attachment = {
		.blendEnable = options->blend,
		.srcColorBlendFactor = VK_BLEND_FACTOR_CONSTANT_COLOR,
		.dstColorBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA,
		.srcAlphaBlendFactor = VK_BLEND_FACTOR_ONE,
		.dstAlphaBlendFactor = VK_BLEND_FACTOR_ONE,
		.alphaBlendOp = VK_BLEND_OP_MAX,
		.colorWriteMask = 0xf,
	};
	const VkPipelineColorBlendStateCreateInfo blend = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &attachment,
		.blendConstants = {0.25f, 0.5f, 0.75f, 1},
	};
	const VkPipelineDynamicStateCreateInfo dynamic = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
		.dynamicStateCount = options->dynamic_count,
		.pDynamicStates = options->dynamic,
	};
	const VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
	const VkPipelineRenderingCreateInfo rendering = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO,
		.viewMask = options->view_mask,
		.colorAttachmentCount = 1,
		.pColorAttachmentFormats = &format,
		.depthAttachmentFormat = VK_FORMAT_D32_SFLOAT,
	};
	const VkGraphicsPipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.pNext = options->pass ? NULL : &rendering,
		.stageCount = 2,
		.pStages = stages,
		.pVertexInputState = &input,
		.pInputAssemblyState = &assembly,
		.pViewportState = &viewports,
		.pRasterizationState = &rasterization,
		.pMultisampleState = &multisample,
		.pDepthStencilState = &depth,
		.pColorBlendState = &blend,
		.pDynamicState = &dynamic,
		.layout = draw->layout,
		.renderPass = options->pass,
	};
	VkPipeline pipeline = VK_NULL_HANDLE;
	MUST(vkCreateGraphicsPipelines(parity->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
	return pipeline;
}

static void bind(VkCommandBuffer commands, const struct draw *draw, VkPipeline pipeline) {
	const VkDeviceSize zero = 0;
	const float scale[4] = {0.9f, 0.8f, 0.7f, 1};
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
	vkCmdBindVertexBuffers(commands, 0, 1, &draw->buffer.buffer, &zero);
	vkCmdBindIndexBuffer(commands, draw->buffer.buffer, INDEX_OFFSET, VK_INDEX_TYPE_UINT16);
	vkCmdPushConstants(commands, draw->layout, VK_SHADER_STAGE_FRAGMENT_BIT, 0, 16, scale);
}

static VkCommandBuffer begin_rendering(struct parity *parity, const struct draw *draw,
		uint32_t view_mask) {
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(commands, &draw->colour, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	parity_transition(commands, &draw->depth, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	const VkRenderingAttachmentInfo colour = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
		.imageView = draw->colour.view,
		.imageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
		.clearValue.color.float32 = {0.125f, 0.25f, 0.5f, 1},
	};
	const VkRenderingAttachmentInfo depth = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
		.imageView = draw->depth.view,
		.imageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
		.clearValue.depthStencil = {0.625f, 0},
	};
	const VkRenderingInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
		.renderArea = {{0, 0}, {SIZE, SIZE}},
		.layerCount = 1,
		.viewMask = view_mask,
		.colorAttachmentCount = 1,
		.pColorAttachments = &colour,
		.pDepthAttachment = &depth,
	};
	vkCmdBeginRendering(commands, &info);
	return commands;
}

static void say_images(struct parity *parity, VkCommandBuffer commands, const struct draw *draw) {
	parity_transition(commands, &draw->colour, VK_IMAGE_LAYOUT_GENERAL,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_transition(commands, &draw->depth, VK_IMAGE_LAYOUT_GENERAL,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_run(parity, commands);
	if (draw->colour.info.samples == VK_SAMPLE_COUNT_1_BIT) {
		parity_say_image(parity, "colour", &draw->colour, 4);
		parity_say_image(parity, "depth", &draw->depth, 4);
	}
}

/** All the draw commands, in every topology. */
static void topologies(struct parity *parity) {
	for (int topology = 0; topology <= VK_PRIMITIVE_TOPOLOGY_TRIANGLE_FAN; topology++) {
		const struct options options = {.topology = (VkPrimitiveTopology)topology,
			.samples = VK_SAMPLE_COUNT_1_BIT, .blend = topology % 2};
		struct draw draw;
		draw_init(parity, &draw, &options);
		VkPipeline pipeline = create_pipeline(parity, &draw, &options);
		for (int way = 0; way < 5; way++) {
			VkCommandBuffer commands = begin_rendering(parity, &draw, 0);
			bind(commands, &draw, pipeline);
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
				vkCmdDrawIndirect(commands, draw.buffer.buffer, INDIRECT_OFFSET, 3,
					sizeof(VkDrawIndirectCommand));
				break;
			case 3:
				vkCmdDrawIndirectCount(commands, draw.buffer.buffer, INDIRECT_OFFSET,
					draw.buffer.buffer, INDIRECT_OFFSET + 3 * sizeof(VkDrawIndirectCommand), 3,
					sizeof(VkDrawIndirectCommand));
				break;
			default:
				if (parity->multi_draw.multiDraw) {
					/* with a gap between the array's elements */
					const struct {
						VkMultiDrawInfoEXT draw;
						uint32_t gap;
					} draws[3] = {{{0, 3}, 9}, {{3, 3}, 9}, {{1, 3}, 9}};
					PROC(parity, vkCmdDrawMultiEXT);
					vkCmdDrawMultiEXT(commands, 3, &draws[0].draw, 1, 0, sizeof(draws[0]));
				}
				break;
			}
			vkCmdEndRendering(commands);
			say("topology %d, way %d", topology, way);
			say_images(parity, commands, &draw);
		}
		vkDestroyPipeline(parity->device, pipeline, NULL);
		draw_finish(parity, &draw);
	}
}

static void dynamic_states(struct parity *parity) {
	const VkDynamicState dynamic[] = {
		VK_DYNAMIC_STATE_VIEWPORT_WITH_COUNT, VK_DYNAMIC_STATE_SCISSOR_WITH_COUNT,
		VK_DYNAMIC_STATE_CULL_MODE, VK_DYNAMIC_STATE_FRONT_FACE,
		VK_DYNAMIC_STATE_PRIMITIVE_TOPOLOGY, VK_DYNAMIC_STATE_VERTEX_INPUT_BINDING_STRIDE,
		VK_DYNAMIC_STATE_DEPTH_TEST_ENABLE, VK_DYNAMIC_STATE_DEPTH_WRITE_ENABLE,
		VK_DYNAMIC_STATE_DEPTH_COMPARE_OP, VK_DYNAMIC_STATE_BLEND_CONSTANTS,
		VK_DYNAMIC_STATE_PRIMITIVE_RESTART_ENABLE, VK_DYNAMIC_STATE_RASTERIZER_DISCARD_ENABLE,
	};
	const struct options options = {.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
		.samples = VK_SAMPLE_COUNT_1_BIT, .blend = true, .dynamic = dynamic,
		.dynamic_count = COUNT(dynamic)};
	struct draw draw;
	draw_init(parity, &draw, &options);
	VkPipeline pipeline = create_pipeline(parity, &draw, &options);
	for (uint32_t i = 0; i < 16; i++) {
		VkCommandBuffer commands = begin_rendering(parity, &draw, 0);
		bind(commands, &draw, pipeline);
		const VkViewport viewport = {(float)i, 0, (float)(SIZE - i), (float)(SIZE - 2 * i), 0, 1};
		const VkRect2D scissor = {{(int32_t)i, 2}, {SIZE - i * 2, SIZE - 4}};
		const float constants[4] = {0.5f, (float)i / 16, 0.25f, 1};
		const VkDeviceSize offset = 0, stride = sizeof(struct vertex), size = sizeof(vertices);
		vkCmdSetViewportWithCount(commands, 1, &viewport);
		vkCmdSetScissorWithCount(commands, 1, &scissor);
		vkCmdSetCullMode(commands, i & 1 ? VK_CULL_MODE_BACK_BIT : VK_CULL_MODE_NONE);
		vkCmdSetFrontFace(commands, i & 2 ? VK_FRONT_FACE_CLOCKWISE : VK_FRONT_FACE_COUNTER_CLOCKWISE);
		vkCmdSetPrimitiveTopology(commands, i & 4 ? VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP :
			VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST);
		vkCmdSetDepthTestEnable(commands, i % 3 != 0);
		vkCmdSetDepthWriteEnable(commands, i % 3 != 1);
		vkCmdSetDepthCompareOp(commands, (VkCompareOp)(i % 8));
		vkCmdSetBlendConstants(commands, constants);
		vkCmdSetPrimitiveRestartEnable(commands, i & 4);
		vkCmdSetRasterizerDiscardEnable(commands, i == 15);
		vkCmdBindVertexBuffers2(commands, 0, 1, &draw.buffer.buffer, &offset, &size, &stride);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndRendering(commands);
		say_images(parity, commands, &draw);
	}
	vkDestroyPipeline(parity->device, pipeline, NULL);
	draw_finish(parity, &draw);
}

static void views(struct parity *parity) {
	const struct options options = {.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
		.samples = VK_SAMPLE_COUNT_1_BIT, .view_mask = 3};
	struct draw draw;
	draw_init(parity, &draw, &options);
	VkPipeline pipeline = create_pipeline(parity, &draw, &options);
	VkCommandBuffer commands = begin_rendering(parity, &draw, 3);
	bind(commands, &draw, pipeline);
	vkCmdDraw(commands, 6, 1, 0, 0);
	vkCmdEndRendering(commands);
	say_images(parity, commands, &draw);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	draw_finish(parity, &draw);
}

/** A render pass that resolves, with a sample mask; queries around it. */
static void render_pass(struct parity *parity) {
	struct options options = {.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
		.samples = VK_SAMPLE_COUNT_4_BIT, .sample_mask = 0x5};
	struct draw draw;
	draw_init(parity, &draw, &options);
	VkImageCreateInfo image = draw.colour.info;
	image.samples = VK_SAMPLE_COUNT_1_BIT;
	struct parity_image resolved;
	parity_image_init(parity, &resolved, &image, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);

	VkAttachmentDescription2 attachments[3];
	for (size_t i = 0; i < 3; i++) {
		attachments[i] = (VkAttachmentDescription2){
			.sType = VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_2,
			.format = i == 1 ? VK_FORMAT_D32_SFLOAT : VK_FORMAT_R8G8B8A8_UNORM,
			.samples = i == 2 ? VK_SAMPLE_COUNT_1_BIT : VK_SAMPLE_COUNT_4_BIT,
			.loadOp = i == 2 ? VK_ATTACHMENT_LOAD_OP_DONT_CARE : VK_ATTACHMENT_LOAD_OP_CLEAR,
			.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
			.finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		};
	}
	VkAttachmentReference2 references[3];
	for (uint32_t i = 0; i < 3; i++) {
		references[i] = (VkAttachmentReference2){
			.sType = VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_2,
			.attachment = i,
			.layout = VK_IMAGE_LAYOUT_GENERAL,
			.aspectMask = i == 1 ? VK_IMAGE_ASPECT_DEPTH_BIT : VK_IMAGE_ASPECT_COLOR_BIT,
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
	MUST(vkCreateRenderPass2(parity->device, &pass_info, NULL, &options.pass));
	VkExtent2D granularity = {0, 0};
	vkGetRenderAreaGranularity(parity->device, options.pass, &granularity);
	say("granularity %u %u", granularity.width, granularity.height);
	const VkImageView image_views[3] = {draw.colour.view, draw.depth.view, resolved.view};
	const VkFramebufferCreateInfo framebuffer_info = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.renderPass = options.pass,
		.attachmentCount = 3,
		.pAttachments = image_views,
		.width = SIZE,
		.height = SIZE,
		.layers = 1,
	};
	VkFramebuffer framebuffer;
	MUST(vkCreateFramebuffer(parity->device, &framebuffer_info, NULL, &framebuffer));
	VkPipeline pipeline = create_pipeline(parity, &draw, &options);
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
		.renderPass = options.pass,
		.framebuffer = framebuffer,
		.renderArea = {{0, 0}, {SIZE, SIZE}},
		.clearValueCount = 3,
		.pClearValues = clears,
	};
	const VkSubpassBeginInfo subpass_begin = {.sType = VK_STRUCTURE_TYPE_SUBPASS_BEGIN_INFO};
	const VkSubpassEndInfo subpass_end = {.sType = VK_STRUCTURE_TYPE_SUBPASS_END_INFO};
	vkCmdBeginRenderPass2(commands, &begin, &subpass_begin);
	vkCmdBeginQuery(commands, pools[0], 0, VK_QUERY_CONTROL_PRECISE_BIT);
	bind(commands, &draw, pipeline);
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
	vkDestroyRenderPass(parity->device, options.pass, NULL);
	parity_image_finish(parity, &resolved);
	draw_finish(parity, &draw);
}

static void transform_feedback(struct parity *parity) {
	if (!parity->transform_feedback.transformFeedback) {
		say("there is no transform feedback");
		return;
	}
	const struct options options = {
		.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST, .samples = VK_SAMPLE_COUNT_1_BIT};
	struct draw draw;
	struct parity_buffer captured, counter;
	draw_init(parity, &draw, &options);
	VkPipeline pipeline = create_pipeline(parity, &draw, &options);
	parity_buffer_init(parity, &captured, 512, VK_BUFFER_USAGE_TRANSFORM_FEEDBACK_BUFFER_BIT_EXT);
	parity_buffer_init(parity, &counter, 64, VK_BUFFER_USAGE_TRANSFORM_FEEDBACK_COUNTER_BUFFER_BIT_EXT |
		VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
	PROC(parity, vkCmdBindTransformFeedbackBuffersEXT);
	PROC(parity, vkCmdBeginTransformFeedbackEXT);
	PROC(parity, vkCmdEndTransformFeedbackEXT);
	PROC(parity, vkCmdDrawIndirectByteCountEXT);
	const VkDeviceSize offset = 16, size = 480, zero = 0;
	for (int round = 0; round < 2; round++) {
		VkCommandBuffer commands = begin_rendering(parity, &draw, 0);
		bind(commands, &draw, pipeline);
		vkCmdBindTransformFeedbackBuffersEXT(commands, 0, 1, &captured.buffer, &offset, &size);
		vkCmdBeginTransformFeedbackEXT(commands, 0, round, &counter.buffer, &zero);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndTransformFeedbackEXT(commands, 0, 1, &counter.buffer, &zero);
		vkCmdEndRendering(commands);
		say_images(parity, commands, &draw);
		say_hash("captured", captured.data, captured.size);
		say_hash("counter", counter.data, counter.size);
	}
	VkCommandBuffer commands = begin_rendering(parity, &draw, 0);
	bind(commands, &draw, pipeline);
	vkCmdDrawIndirectByteCountEXT(commands, 1, 0, counter.buffer, 0, 0, 64);
	vkCmdEndRendering(commands);
	say_images(parity, commands, &draw);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	parity_buffer_finish(parity, &captured);
	parity_buffer_finish(parity, &counter);
	draw_finish(parity, &draw);
}

const struct parity_case parity_draw_cases[] = {
	{"draw topologies", topologies},
	{"draw dynamic-states", dynamic_states},
	{"draw views", views},
	{"draw render-pass", render_pass},
	{"draw transform-feedback", transform_feedback},
	{NULL, NULL},
};
