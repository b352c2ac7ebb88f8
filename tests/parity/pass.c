/* SPDX-License-Identifier: MIT */

/* Render passes and dynamic rendering: subpasses, input attachments, resolves, what is not used. */

#include "scene.h"

#include "subpass_frag_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** A scene, a second colour image, and a fragment shader that reads the first one. */
struct passes {
	struct scene scene;
	struct parity_image second;
	VkShaderModule reader;
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkDescriptorPool pool;
	VkDescriptorSet set;
};

static void passes_init(struct parity *parity, struct passes *passes, uint32_t view_mask,
		VkImageLayout input_layout) {
	const VkDevice device = parity->device;
	scene_init(parity, &passes->scene, VK_SAMPLE_COUNT_1_BIT, view_mask);
	parity_image_init(parity, &passes->second, &passes->scene.colour.info,
		view_mask ? VK_IMAGE_VIEW_TYPE_2D_ARRAY : VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
	passes->reader = parity_shader(parity, subpass_frag_spv, sizeof(subpass_frag_spv));
	const VkDescriptorSetLayoutBinding binding = {
		0, VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT, 1, VK_SHADER_STAGE_FRAGMENT_BIT, NULL};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	MUST(vkCreateDescriptorSetLayout(device, &set_layout, NULL, &passes->set_layout));
	const VkPushConstantRange push = {VK_SHADER_STAGE_FRAGMENT_BIT, 0, 16};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &passes->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	MUST(vkCreatePipelineLayout(device, &layout, NULL, &passes->layout));
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT, 1};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	MUST(vkCreateDescriptorPool(device, &pool, NULL, &passes->pool));
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = passes->pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &passes->set_layout,
	};
	MUST(vkAllocateDescriptorSets(device, &allocate, &passes->set));
	const VkDescriptorImageInfo image = {
		.imageView = passes->scene.colour.view, .imageLayout = input_layout};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = passes->set,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT,
		.pImageInfo = &image,
	};
	vkUpdateDescriptorSets(device, 1, &write, 0, NULL);
}

static void passes_finish(struct parity *parity, struct passes *passes) {
	vkDestroyDescriptorPool(parity->device, passes->pool, NULL);
	vkDestroyPipelineLayout(parity->device, passes->layout, NULL);
	vkDestroyDescriptorSetLayout(parity->device, passes->set_layout, NULL);
	vkDestroyShaderModule(parity->device, passes->reader, NULL);
	parity_image_finish(parity, &passes->second);
	scene_finish(parity, &passes->scene);
}

static const VkSubpassDependency between = {
	.srcSubpass = 0,
	.dstSubpass = 1,
	.srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
	.dstStageMask = VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT,
	.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
	.dstAccessMask = VK_ACCESS_INPUT_ATTACHMENT_READ_BIT,
	.dependencyFlags = VK_DEPENDENCY_BY_REGION_BIT,
};

/** Two subpasses, of which the second reads what the first drew. */
static VkRenderPass create_pass(struct parity *parity, uint32_t view_mask) {
	VkAttachmentDescription attachments[3];
	for (uint32_t i = 0; i < 3; i++) {
		attachments[i] = (VkAttachmentDescription){
			.format = i == 2 ? VK_FORMAT_D32_SFLOAT_S8_UINT : VK_FORMAT_R8G8B8A8_UNORM,
			.samples = VK_SAMPLE_COUNT_1_BIT,
			.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
			.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
			.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
			.stencilStoreOp = VK_ATTACHMENT_STORE_OP_STORE,
			.initialLayout = VK_IMAGE_LAYOUT_GENERAL,
			.finalLayout = VK_IMAGE_LAYOUT_GENERAL,
		};
	}
	const VkAttachmentReference references[4] = {{0, VK_IMAGE_LAYOUT_GENERAL},
		{1, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL},
		{2, VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL},
		{VK_ATTACHMENT_UNUSED, VK_IMAGE_LAYOUT_UNDEFINED}};
	const uint32_t preserved = 2;
	const VkSubpassDescription subpasses[2] = {
		{.colorAttachmentCount = 1, .pColorAttachments = &references[0],
			.pDepthStencilAttachment = &references[2]},
		{.inputAttachmentCount = 1, .pInputAttachments = &references[0], .colorAttachmentCount = 1,
			.pColorAttachments = &references[1], .pResolveAttachments = &references[3],
			.preserveAttachmentCount = 1, .pPreserveAttachments = &preserved},
	};
	const VkInputAttachmentAspectReference aspect = {1, 0, VK_IMAGE_ASPECT_COLOR_BIT};
	const VkRenderPassInputAttachmentAspectCreateInfo aspects = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_INPUT_ATTACHMENT_ASPECT_CREATE_INFO,
		.aspectReferenceCount = 1,
		.pAspectReferences = &aspect,
	};
	const uint32_t masks[2] = {view_mask, view_mask};
	const int32_t offset = 0;
	const VkRenderPassMultiviewCreateInfo multiview = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_MULTIVIEW_CREATE_INFO,
		.pNext = &aspects,
		.subpassCount = 2,
		.pViewMasks = masks,
		.dependencyCount = 1,
		.pViewOffsets = &offset,
		.correlationMaskCount = 1,
		.pCorrelationMasks = &view_mask,
	};
	const VkRenderPassCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.pNext = view_mask ? (const void *)&multiview : &aspects,
		.attachmentCount = 3,
		.pAttachments = attachments,
		.subpassCount = 2,
		.pSubpasses = subpasses,
		.dependencyCount = 1,
		.pDependencies = &between,
	};
	VkRenderPass pass;
	MUST(vkCreateRenderPass(parity->device, &info, NULL, &pass));
	return pass;
}

static VkFramebuffer create_framebuffer(struct parity *parity, VkRenderPass pass,
		const VkImageView *views, const struct passes *passes, bool is_imageless) {
	VkFramebufferAttachmentImageInfo images[3];
	const VkFormat formats[2] = {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_D32_SFLOAT_S8_UINT};
	for (uint32_t i = 0; i < 3; i++) {
		images[i] = (VkFramebufferAttachmentImageInfo){
			.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENT_IMAGE_INFO,
			.usage = i == 2 ? passes->scene.depth.info.usage : passes->scene.colour.info.usage,
			.width = SCENE_SIZE,
			.height = SCENE_SIZE,
			.layerCount = passes->scene.view_mask ? 2 : 1,
			.viewFormatCount = 1,
			.pViewFormats = &formats[i == 2],
		};
	}
	const VkFramebufferAttachmentsCreateInfo imageless = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENTS_CREATE_INFO,
		.attachmentImageInfoCount = 3,
		.pAttachmentImageInfos = images,
	};
	const VkFramebufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.pNext = is_imageless ? &imageless : NULL,
		.flags = is_imageless ? VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT : 0,
		.renderPass = pass,
		.attachmentCount = 3,
		.pAttachments = is_imageless ? NULL : views,
		.width = SCENE_SIZE,
		.height = SCENE_SIZE,
		.layers = 1,
	};
	VkFramebuffer framebuffer;
	MUST(vkCreateFramebuffer(parity->device, &info, NULL, &framebuffer));
	return framebuffer;
}

static void draw_subpass(VkCommandBuffer commands, const struct passes *passes,
		const VkPipeline *pipelines, uint32_t subpass) {
	if (subpass == 1) {
		vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, passes->layout, 0, 1,
			&passes->set, 0, NULL);
	}
	scene_bind(commands, &passes->scene, pipelines[subpass]);
	vkCmdDraw(commands, 6, 1, 0, 0);
}

enum { IMAGELESS = 1, SECONDARY = 2, SECOND_COMMANDS = 4, WAYS = 8 };

static void run_pass(struct parity *parity, const struct passes *passes, VkRenderPass pass,
		const VkPipeline *pipelines, int way) {
	const VkImageView views[3] = {
		passes->scene.colour.view, passes->second.view, passes->scene.depth.view};
	VkFramebuffer framebuffer = create_framebuffer(parity, pass, views, passes, way & IMAGELESS);
	VkCommandBuffer secondary[2];
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = parity->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 2,
	};
	MUST(vkAllocateCommandBuffers(parity->device, &allocate, secondary));
	for (uint32_t i = 0; i < 2; i++) {
		const VkCommandBufferInheritanceInfo inheritance = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
			.renderPass = pass,
			.subpass = i,
			.framebuffer = i ? framebuffer : VK_NULL_HANDLE,
		};
		const VkCommandBufferBeginInfo begin = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
			.flags = VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT,
			.pInheritanceInfo = &inheritance,
		};
		MUST(vkBeginCommandBuffer(secondary[i], &begin));
		draw_subpass(secondary[i], passes, pipelines, i);
		MUST(vkEndCommandBuffer(secondary[i]));
	}
	const VkRenderPassAttachmentBeginInfo attachments = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO,
		.attachmentCount = 3,
		.pAttachments = views,
	};
	const VkClearValue clears[3] = {{.color.float32 = {0, 0.5f, 0.25f, 1}},
		{.color.float32 = {0.5f, 0, 0.25f, 0.5f}}, {.depthStencil = {0.75f, 3}}};
	const VkRenderPassBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.pNext = way & IMAGELESS ? &attachments : NULL,
		.renderPass = pass,
		.framebuffer = framebuffer,
		.renderArea = {{4, 0}, {SCENE_SIZE - 8, SCENE_SIZE - 3}},
		.clearValueCount = 3,
		.pClearValues = clears,
	};
	const VkSubpassContents contents = way & SECONDARY ?
		VK_SUBPASS_CONTENTS_SECONDARY_COMMAND_BUFFERS : VK_SUBPASS_CONTENTS_INLINE;
	const VkSubpassBeginInfo begin2 = {
		.sType = VK_STRUCTURE_TYPE_SUBPASS_BEGIN_INFO, .contents = contents};
	const VkSubpassEndInfo end2 = {.sType = VK_STRUCTURE_TYPE_SUBPASS_END_INFO};
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(
		commands, &passes->second, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	/* what lies outside of the area keeps its clear value */
	scene_prepare(commands, &passes->scene);
	const VkImageSubresourceRange range = {
		VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, VK_REMAINING_ARRAY_LAYERS};
	const VkImageSubresourceRange depth_range = {
		passes->scene.depth.aspects, 0, 1, 0, VK_REMAINING_ARRAY_LAYERS};
	vkCmdClearColorImage(commands, passes->scene.colour.image, VK_IMAGE_LAYOUT_GENERAL,
		&clears[0].color, 1, &range);
	vkCmdClearColorImage(commands, passes->second.image, VK_IMAGE_LAYOUT_GENERAL,
		&clears[1].color, 1, &range);
	vkCmdClearDepthStencilImage(commands, passes->scene.depth.image, VK_IMAGE_LAYOUT_GENERAL,
		&clears[2].depthStencil, 1, &depth_range);
	parity_barrier(commands);
	for (uint32_t i = 0; i < 2; i++) {
		if (way & SECOND_COMMANDS) {
			i ? vkCmdNextSubpass2(commands, &begin2, &end2) :
				vkCmdBeginRenderPass2(commands, &begin, &begin2);
		} else {
			i ? vkCmdNextSubpass(commands, contents) :
				vkCmdBeginRenderPass(commands, &begin, contents);
		}
		if (way & SECONDARY) {
			vkCmdExecuteCommands(commands, 1, &secondary[i]);
		} else {
			draw_subpass(commands, passes, pipelines, i);
		}
	}
	if (way & SECOND_COMMANDS) {
		vkCmdEndRenderPass2(commands, &end2);
	} else {
		vkCmdEndRenderPass(commands);
	}
	parity_transition(commands, &passes->second, VK_IMAGE_LAYOUT_GENERAL,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	say("way %d", way);
	scene_say(parity, commands, &passes->scene);
	parity_say_image(parity, "second", &passes->second, 4);
	vkFreeCommandBuffers(parity->device, parity->pool, 2, secondary);
	vkDestroyFramebuffer(parity->device, framebuffer, NULL);
}

static void subpasses(struct parity *parity) {
	for (uint32_t view_mask = 0; view_mask <= 3; view_mask += 3) {
		struct passes passes;
		passes_init(parity, &passes, view_mask, VK_IMAGE_LAYOUT_GENERAL);
		VkRenderPass pass = create_pass(parity, view_mask);
		VkPipeline pipelines[2];
		for (uint32_t i = 0; i < 2; i++) {
			struct scene_state state;
			scene_state_init(&passes.scene, &state);
			scene_state_set_pass(&state, pass, i);
			if (i == 1) {
				state.info.layout = passes.layout;
				state.stages[1].module = passes.reader;
				state.info.pDepthStencilState = NULL;
			}
			pipelines[i] = scene_pipeline(parity, &state);
		}
		for (int way = 0; way < WAYS; way++) {
			run_pass(parity, &passes, pass, pipelines, way);
		}
		vkDestroyPipeline(parity->device, pipelines[0], NULL);
		vkDestroyPipeline(parity->device, pipelines[1], NULL);
		vkDestroyRenderPass(parity->device, pass, NULL);
		passes_finish(parity, &passes);
	}
}

/** Depth and stencil are resolved in all modes, in render passes and in dynamic rendering. */
static void depth_resolves(struct parity *parity) {
	VkPhysicalDeviceDepthStencilResolveProperties resolve = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DEPTH_STENCIL_RESOLVE_PROPERTIES};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &resolve};
	vkGetPhysicalDeviceProperties2(parity->physical, &properties);
	say("modes %x %x, independent %d %d", resolve.supportedDepthResolveModes,
		resolve.supportedStencilResolveModes, resolve.independentResolve,
		resolve.independentResolveNone);
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_4_BIT, 0);
	struct parity_image colour, depth;
	VkImageCreateInfo info = scene.colour.info;
	info.samples = VK_SAMPLE_COUNT_1_BIT;
	parity_image_init(parity, &colour, &info, VK_IMAGE_VIEW_TYPE_2D, scene.colour.aspects);
	info = scene.depth.info;
	info.samples = VK_SAMPLE_COUNT_1_BIT;
	parity_image_init(parity, &depth, &info, VK_IMAGE_VIEW_TYPE_2D, scene.depth.aspects);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	for (uint32_t mode = 1; mode <= VK_RESOLVE_MODE_MAX_BIT; mode *= 2) {
		const bool both = mode & resolve.supportedDepthResolveModes &
			resolve.supportedStencilResolveModes;
		if (!both) {
			continue;
		}
		VkRenderingAttachmentInfo attachments[2];
		for (uint32_t i = 0; i < 2; i++) {
			attachments[i] = (VkRenderingAttachmentInfo){
				.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
				.imageView = i ? scene.depth.view : scene.colour.view,
				.imageLayout = VK_IMAGE_LAYOUT_GENERAL,
				.resolveMode = i ? (VkResolveModeFlagBits)mode : VK_RESOLVE_MODE_AVERAGE_BIT,
				.resolveImageView = i ? depth.view : colour.view,
				.resolveImageLayout = VK_IMAGE_LAYOUT_GENERAL,
				.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
				.storeOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
				.clearValue.depthStencil = {0.75f, 9},
			};
		}
		const VkRenderingInfo rendering = {
			.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
			.renderArea = {{0, 0}, {SCENE_SIZE, SCENE_SIZE}},
			.layerCount = 1,
			.colorAttachmentCount = 1,
			.pColorAttachments = &attachments[0],
			.pDepthAttachment = &attachments[1],
			.pStencilAttachment = &attachments[1],
		};
		VkCommandBuffer commands = parity_begin(parity);
		scene_prepare(commands, &scene);
		parity_transition(commands, &colour, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
		parity_transition(commands, &depth, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
		vkCmdBeginRendering(commands, &rendering);
		scene_bind(commands, &scene, pipeline);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndRendering(commands);
		parity_transition(commands, &colour, VK_IMAGE_LAYOUT_GENERAL,
			VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
		parity_transition(commands, &depth, VK_IMAGE_LAYOUT_GENERAL,
			VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
		parity_run(parity, commands);
		parity_say_image(parity, "colour", &colour, 4);
		parity_say_image(parity, "depth and stencil", &depth, 4);

		VkAttachmentDescription2 descriptions[2];
		VkAttachmentReference2 references[2];
		for (uint32_t i = 0; i < 2; i++) {
			descriptions[i] = (VkAttachmentDescription2){
				.sType = VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_2,
				.format = info.format,
				.samples = i ? VK_SAMPLE_COUNT_1_BIT : VK_SAMPLE_COUNT_4_BIT,
				.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
				.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
				.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
				.stencilStoreOp = VK_ATTACHMENT_STORE_OP_STORE,
				.finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
			};
			references[i] = (VkAttachmentReference2){
				.sType = VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_2,
				.attachment = i,
				.layout = VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL,
				.aspectMask = scene.depth.aspects,
			};
		}
		const VkSubpassDescriptionDepthStencilResolve depth_resolve = {
			.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_DEPTH_STENCIL_RESOLVE,
			.depthResolveMode = (VkResolveModeFlagBits)mode,
			.stencilResolveMode = (VkResolveModeFlagBits)mode,
			.pDepthStencilResolveAttachment = &references[1],
		};
		const VkSubpassDescription2 subpass = {
			.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_2,
			.pNext = &depth_resolve,
			.pDepthStencilAttachment = &references[0],
		};
		const VkMemoryBarrier2 barrier = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
			.srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
			.srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
			.dstStageMask = VK_PIPELINE_STAGE_2_ALL_GRAPHICS_BIT,
			.dstAccessMask = VK_ACCESS_2_DEPTH_STENCIL_ATTACHMENT_WRITE_BIT,
		};
		const VkSubpassDependency2 dependency = {
			.sType = VK_STRUCTURE_TYPE_SUBPASS_DEPENDENCY_2,
			.pNext = &barrier,
			.srcSubpass = VK_SUBPASS_EXTERNAL,
		};
		const VkRenderPassCreateInfo2 pass_info = {
			.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO_2,
			.attachmentCount = 2,
			.pAttachments = descriptions,
			.subpassCount = 1,
			.pSubpasses = &subpass,
			.dependencyCount = 1,
			.pDependencies = &dependency,
		};
		VkRenderPass pass;
		MUST(vkCreateRenderPass2(parity->device, &pass_info, NULL, &pass));
		const VkImageView views[2] = {scene.depth.view, depth.view};
		const VkFramebufferCreateInfo framebuffer_info = {
			.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
			.renderPass = pass,
			.attachmentCount = 2,
			.pAttachments = views,
			.width = SCENE_SIZE,
			.height = SCENE_SIZE,
			.layers = 1,
		};
		VkFramebuffer framebuffer;
		MUST(vkCreateFramebuffer(parity->device, &framebuffer_info, NULL, &framebuffer));
		struct scene_state pass_state;
		scene_state_init(&scene, &pass_state);
		scene_state_set_pass(&pass_state, pass, 0);
		pass_state.blend.attachmentCount = 0;
		pass_state.blend.pAttachments = NULL;
		VkPipeline pass_pipeline = scene_pipeline(parity, &pass_state);
		const VkClearValue clears[2] = {{.depthStencil = {0.625f, 7}}, {.depthStencil = {0, 0}}};
		const VkRenderPassBeginInfo begin = {
			.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
			.renderPass = pass,
			.framebuffer = framebuffer,
			.renderArea = {{0, 0}, {SCENE_SIZE, SCENE_SIZE}},
			.clearValueCount = 2,
			.pClearValues = clears,
		};
		commands = parity_begin(parity);
		vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
		scene_bind(commands, &scene, pass_pipeline);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndRenderPass(commands);
		parity_run(parity, commands);
		parity_say_image(parity, "by a pass", &depth, 4);
		vkDestroyPipeline(parity->device, pass_pipeline, NULL);
		vkDestroyFramebuffer(parity->device, framebuffer, NULL);
		vkDestroyRenderPass(parity->device, pass, NULL);
	}
	vkDestroyPipeline(parity->device, pipeline, NULL);
	parity_image_finish(parity, &colour);
	parity_image_finish(parity, &depth);
	scene_finish(parity, &scene);
}

/** Attachments without an image, and such of which pipelines know nothing. */
static void unused(struct parity *parity) {
	if (!parity->unused_attachments.dynamicRenderingUnusedAttachments) {
		say("all attachments are used");
		return;
	}
	struct scene scene;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	for (int way = 0; way < 6; way++) {
		struct scene_state state;
		scene_state_init(&scene, &state);
		const VkFormat formats[2] = {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_UNDEFINED};
		VkPipelineColorBlendAttachmentState blends[2] = {state.attachment, state.attachment};
		state.rendering.colorAttachmentCount = way & 1 ? 2 : 1;
		state.rendering.pColorAttachmentFormats = formats;
		state.blend.attachmentCount = state.rendering.colorAttachmentCount;
		state.blend.pAttachments = blends;
		VkPipeline pipeline = scene_pipeline(parity, &state);
		const VkRenderingAttachmentInfo attachments[3] = {
			{.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO, .imageView = scene.colour.view,
				.imageLayout = VK_IMAGE_LAYOUT_GENERAL, .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR},
			{.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO},
			{.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO, .imageView = scene.depth.view,
				.imageLayout = VK_IMAGE_LAYOUT_GENERAL, .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
				.clearValue.depthStencil = {0.5f, 3}},
		};
		const VkRenderingInfo rendering = {
			.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
			.renderArea = {{0, 0}, {SCENE_SIZE, SCENE_SIZE}},
			.layerCount = 1,
			.colorAttachmentCount = way & 2 ? 2 : 1,
			.pColorAttachments = attachments,
			.pDepthAttachment = way & 4 ? &attachments[1] : &attachments[2],
			.pStencilAttachment = way & 4 ? NULL : &attachments[2],
		};
		VkCommandBuffer commands = parity_begin(parity);
		scene_prepare(commands, &scene);
		vkCmdBeginRendering(commands, &rendering);
		scene_bind(commands, &scene, pipeline);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndRendering(commands);
		say("way %d", way);
		if (way & 4) { /* nobody wrote to it */
			parity_transition(commands, &scene.colour, VK_IMAGE_LAYOUT_GENERAL,
				VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
			parity_run(parity, commands);
			parity_say_image(parity, "colour", &scene.colour, 4);
		} else {
			scene_say(parity, commands, &scene);
		}
		vkDestroyPipeline(parity->device, pipeline, NULL);
	}
	scene_finish(parity, &scene);
}

/** Nothing is rendered to, and nothing is loaded or stored. */
static void nothing(struct parity *parity) {
	struct scene scene;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	const bool none = parity_has(parity, VK_KHR_LOAD_STORE_OP_NONE_EXTENSION_NAME);
	const VkRenderingInfo empty = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
		.renderArea = {{0, 0}, {SCENE_SIZE, SCENE_SIZE}},
		.layerCount = 1,
	};
	struct scene_state state;
	scene_state_init(&scene, &state);
	state.rendering = (VkPipelineRenderingCreateInfo){
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO};
	state.info.pColorBlendState = NULL;
	state.info.pDepthStencilState = NULL;
	VkPipeline pipeline = scene_pipeline(parity, &state);
	VkCommandBuffer commands = scene_begin(parity, &scene);
	vkCmdEndRendering(commands);
	parity_barrier(commands);
	vkCmdBeginRendering(commands, &empty);
	scene_bind(commands, &scene, pipeline);
	vkCmdDraw(commands, 6, 1, 0, 0);
	vkCmdEndRendering(commands);
	if (none) {
		const VkRenderingAttachmentInfo attachment = {
			.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
			.imageView = scene.colour.view,
			.imageLayout = VK_IMAGE_LAYOUT_GENERAL,
			.loadOp = VK_ATTACHMENT_LOAD_OP_NONE_KHR,
			.storeOp = VK_ATTACHMENT_STORE_OP_NONE,
		};
		VkRenderingInfo rendering = empty;
		rendering.colorAttachmentCount = 1;
		rendering.pColorAttachments = &attachment;
		vkCmdBeginRendering(commands, &rendering);
		vkCmdEndRendering(commands);
	}
	scene_say(parity, commands, &scene);
	vkDestroyPipeline(parity->device, pipeline, NULL);

	const VkSubpassDescription subpass = {.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS};
	const VkRenderPassCreateInfo pass_info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.subpassCount = 1,
		.pSubpasses = &subpass,
	};
	VkRenderPass pass;
	MUST(vkCreateRenderPass(parity->device, &pass_info, NULL, &pass));
	const VkFramebufferCreateInfo framebuffer_info = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.renderPass = pass,
		.width = 8,
		.height = 8,
		.layers = 1,
	};
	VkFramebuffer framebuffer;
	MUST(vkCreateFramebuffer(parity->device, &framebuffer_info, NULL, &framebuffer));
	const VkRenderPassBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = pass,
		.framebuffer = framebuffer,
		.renderArea = {{0, 0}, {8, 8}},
	};
	commands = parity_begin(parity);
	vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
	vkCmdEndRenderPass(commands);
	parity_run(parity, commands);
	vkDestroyFramebuffer(parity->device, framebuffer, NULL);
	vkDestroyRenderPass(parity->device, pass, NULL);
	scene_finish(parity, &scene);
}

/** Dynamic rendering that reads what it has drawn, and writes to attachments in another order. */
static void local_read(struct parity *parity) {
	if (!parity->local_read.dynamicRenderingLocalRead) {
		say("there is no local read");
		return;
	}
	PROC(parity, vkCmdSetRenderingAttachmentLocationsKHR);
	PROC(parity, vkCmdSetRenderingInputAttachmentIndicesKHR);
	PROC(parity, vkGetRenderingAreaGranularityKHR);
	struct passes passes;
	const VkImageLayout local = VK_IMAGE_LAYOUT_RENDERING_LOCAL_READ_KHR;
	passes_init(parity, &passes, 0, local);
	const VkFormat formats[2] = {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_R8G8B8A8_UNORM};
	const uint32_t locations[2] = {VK_ATTACHMENT_UNUSED, 0};
	const uint32_t inputs[2] = {0, VK_ATTACHMENT_UNUSED}, none = VK_ATTACHMENT_UNUSED;
	const VkRenderingInputAttachmentIndexInfoKHR input_info = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_INPUT_ATTACHMENT_INDEX_INFO_KHR,
		.colorAttachmentCount = 2,
		.pColorAttachmentInputIndices = inputs,
		.pDepthInputAttachmentIndex = &none,
		.pStencilInputAttachmentIndex = NULL,
	};
	const VkRenderingAttachmentLocationInfoKHR location_info = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_LOCATION_INFO_KHR,
		.pNext = &input_info,
		.colorAttachmentCount = 2,
		.pColorAttachmentLocations = locations,
	};
	VkPipeline pipelines[2];
	for (uint32_t i = 0; i < 2; i++) {
		struct scene_state state;
		scene_state_init(&passes.scene, &state);
		const VkPipelineColorBlendAttachmentState blends[2] = {state.attachment, state.attachment};
		state.rendering.colorAttachmentCount = 2;
		state.rendering.pColorAttachmentFormats = formats;
		state.blend.attachmentCount = 2;
		state.blend.pAttachments = blends;
		if (i == 1) {
			state.rendering.pNext = &location_info;
			state.info.layout = passes.layout;
			state.stages[1].module = passes.reader;
		}
		pipelines[i] = scene_pipeline(parity, &state);
	}
	VkRenderingAttachmentInfo attachments[2];
	for (uint32_t i = 0; i < 2; i++) {
		attachments[i] = (VkRenderingAttachmentInfo){
			.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
			.imageView = i ? passes.second.view : passes.scene.colour.view,
			.imageLayout = local,
			.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
			.clearValue.color.float32 = {0.25f * (float)i, 0.5f, 0, 1},
		};
	}
	const VkRenderingAttachmentInfo depth = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
		.imageView = passes.scene.depth.view,
		.imageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
		.clearValue.depthStencil = {1, 1},
	};
	const VkRenderingInfo rendering = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
		.renderArea = {{0, 0}, {SCENE_SIZE, SCENE_SIZE}},
		.layerCount = 1,
		.colorAttachmentCount = 2,
		.pColorAttachments = attachments,
		.pDepthAttachment = &depth,
		.pStencilAttachment = &depth,
	};
	VkCommandBuffer commands = parity_begin(parity);
	scene_prepare(commands, &passes.scene);
	parity_transition(commands, &passes.second, VK_IMAGE_LAYOUT_UNDEFINED,
		local);
	parity_transition(commands, &passes.scene.colour, VK_IMAGE_LAYOUT_GENERAL,
		local);
	vkCmdBeginRendering(commands, &rendering);
	scene_bind(commands, &passes.scene, pipelines[0]);
	vkCmdDraw(commands, 6, 1, 0, 0);
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_INPUT_ATTACHMENT_READ_BIT,
	};
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
		VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, VK_DEPENDENCY_BY_REGION_BIT, 1, &barrier, 0, NULL, 0,
		NULL);
	VkRenderingAttachmentLocationInfoKHR only_locations = location_info;
	only_locations.pNext = NULL;
	vkCmdSetRenderingAttachmentLocationsKHR(commands, &only_locations);
	vkCmdSetRenderingInputAttachmentIndicesKHR(commands, &input_info);
	draw_subpass(commands, &passes, pipelines, 1);
	vkCmdEndRendering(commands);
	parity_transition(commands, &passes.second, local,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_transition(commands, &passes.scene.colour, local,
		VK_IMAGE_LAYOUT_GENERAL);
	scene_say(parity, commands, &passes.scene);
	parity_say_image(parity, "second", &passes.second, 4);
	const VkRenderingAreaInfoKHR area = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_AREA_INFO_KHR,
		.colorAttachmentCount = 2,
		.pColorAttachmentFormats = formats,
		.depthAttachmentFormat = VK_FORMAT_D32_SFLOAT_S8_UINT,
	};
	VkExtent2D granularity = {0, 0};
	vkGetRenderingAreaGranularityKHR(parity->device, &area, &granularity);
	say("granularity %u %u", granularity.width, granularity.height);
	vkDestroyPipeline(parity->device, pipelines[0], NULL);
	vkDestroyPipeline(parity->device, pipelines[1], NULL);
	passes_finish(parity, &passes);
}

/** Multisampling to images with one sample. */
static void to_single_sampled(struct parity *parity) {
	if (!parity->to_single_sampled.multisampledRenderToSingleSampled) {
		say("it cannot");
		return;
	}
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	state.multisample.rasterizationSamples = VK_SAMPLE_COUNT_4_BIT;
	VkPipeline pipeline = scene_pipeline(parity, &state);
	VkImageCreateInfo info = scene.colour.info;
	info.flags = VK_IMAGE_CREATE_MULTISAMPLED_RENDER_TO_SINGLE_SAMPLED_BIT_EXT;
	struct parity_image colour, depth;
	parity_image_init(parity, &colour, &info, VK_IMAGE_VIEW_TYPE_2D, scene.colour.aspects);
	info = scene.depth.info;
	info.flags = VK_IMAGE_CREATE_MULTISAMPLED_RENDER_TO_SINGLE_SAMPLED_BIT_EXT;
	parity_image_init(parity, &depth, &info, VK_IMAGE_VIEW_TYPE_2D, scene.depth.aspects);
	VkRenderingAttachmentInfo attachments[2];
	for (uint32_t i = 0; i < 2; i++) {
		attachments[i] = (VkRenderingAttachmentInfo){
			.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
			.imageView = i ? depth.view : colour.view,
			.imageLayout = VK_IMAGE_LAYOUT_GENERAL,
			.resolveMode = i ? VK_RESOLVE_MODE_SAMPLE_ZERO_BIT : VK_RESOLVE_MODE_AVERAGE_BIT,
			.resolveImageLayout = VK_IMAGE_LAYOUT_GENERAL,
			.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
			.clearValue.depthStencil = {0.75f, 9},
		};
	}
	const VkMultisampledRenderToSingleSampledInfoEXT samples = {
		.sType = VK_STRUCTURE_TYPE_MULTISAMPLED_RENDER_TO_SINGLE_SAMPLED_INFO_EXT,
		.multisampledRenderToSingleSampledEnable = VK_TRUE,
		.rasterizationSamples = VK_SAMPLE_COUNT_4_BIT,
	};
	const VkRenderingInfo rendering = {
		.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
		.pNext = &samples,
		.renderArea = {{0, 0}, {SCENE_SIZE, SCENE_SIZE}},
		.layerCount = 1,
		.colorAttachmentCount = 1,
		.pColorAttachments = &attachments[0],
		.pDepthAttachment = &attachments[1],
		.pStencilAttachment = &attachments[1],
	};
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(commands, &colour, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	parity_transition(commands, &depth, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	vkCmdBeginRendering(commands, &rendering);
	scene_bind(commands, &scene, pipeline);
	vkCmdDraw(commands, 6, 1, 0, 0);
	vkCmdEndRendering(commands);
	parity_transition(
		commands, &colour, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_transition(
		commands, &depth, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_run(parity, commands);
	parity_say_image(parity, "colour", &colour, 4);
	parity_say_image(parity, "depth and stencil", &depth, 4);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	parity_image_finish(parity, &colour);
	parity_image_finish(parity, &depth);
	scene_finish(parity, &scene);
}

/** Depth and stencil of one attachment in layouts of their own. */
static void stencil_layouts(struct parity *parity) {
	static const VkImageLayout depths[] = {VK_IMAGE_LAYOUT_DEPTH_ATTACHMENT_OPTIMAL,
		VK_IMAGE_LAYOUT_DEPTH_READ_ONLY_OPTIMAL, VK_IMAGE_LAYOUT_GENERAL};
	static const VkImageLayout stencils[] = {VK_IMAGE_LAYOUT_STENCIL_ATTACHMENT_OPTIMAL,
		VK_IMAGE_LAYOUT_STENCIL_READ_ONLY_OPTIMAL, VK_IMAGE_LAYOUT_GENERAL};
	struct scene scene;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	for (size_t i = 0; i < COUNT(depths) * COUNT(stencils); i++) {
		const bool depth_is_written = i % 3 != 1, stencil_is_written = i / 3 != 1;
		const VkAttachmentDescriptionStencilLayout description = {
			.sType = VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_STENCIL_LAYOUT,
			.stencilInitialLayout = VK_IMAGE_LAYOUT_GENERAL,
			.stencilFinalLayout = VK_IMAGE_LAYOUT_GENERAL,
		};
		const VkAttachmentDescription2 attachment = {
			.sType = VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_2,
			.pNext = &description,
			.format = VK_FORMAT_D32_SFLOAT_S8_UINT,
			.samples = VK_SAMPLE_COUNT_1_BIT,
			.loadOp = VK_ATTACHMENT_LOAD_OP_LOAD,
			.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
			.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_LOAD,
			.stencilStoreOp = VK_ATTACHMENT_STORE_OP_STORE,
			.initialLayout = VK_IMAGE_LAYOUT_GENERAL,
			.finalLayout = VK_IMAGE_LAYOUT_GENERAL,
		};
		const VkAttachmentReferenceStencilLayout stencil = {
			.sType = VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_STENCIL_LAYOUT,
			.stencilLayout = stencils[i / 3],
		};
		const VkAttachmentReference2 reference = {
			.sType = VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_2,
			.pNext = &stencil,
			.layout = depths[i % 3],
		};
		const VkSubpassDescription2 subpass = {
			.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_2,
			.pDepthStencilAttachment = &reference,
		};
		const VkRenderPassCreateInfo2 info = {
			.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO_2,
			.attachmentCount = 1,
			.pAttachments = &attachment,
			.subpassCount = 1,
			.pSubpasses = &subpass,
		};
		VkRenderPass pass;
		MUST(vkCreateRenderPass2(parity->device, &info, NULL, &pass));
		const VkFramebufferCreateInfo framebuffer_info = {
			.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
			.renderPass = pass,
			.attachmentCount = 1,
			.pAttachments = &scene.depth.view,
			.width = SCENE_SIZE,
			.height = SCENE_SIZE,
			.layers = 1,
		};
		VkFramebuffer framebuffer;
		MUST(vkCreateFramebuffer(parity->device, &framebuffer_info, NULL, &framebuffer));
		struct scene_state state;
		scene_state_init(&scene, &state);
		scene_state_set_pass(&state, pass, 0);
		state.blend.attachmentCount = 0;
		state.depth.depthWriteEnable = depth_is_written;
		state.depth.stencilTestEnable = VK_TRUE;
		state.depth.front = (VkStencilOpState){
			.passOp = stencil_is_written ? VK_STENCIL_OP_INCREMENT_AND_WRAP : VK_STENCIL_OP_KEEP,
			.compareOp = VK_COMPARE_OP_ALWAYS,
			.compareMask = 255,
			.writeMask = stencil_is_written ? 255 : 0,
		};
		state.depth.back = state.depth.front;
		VkPipeline pipeline = scene_pipeline(parity, &state);
		VkCommandBuffer commands = scene_begin(parity, &scene);
		vkCmdEndRendering(commands); /* it has cleared them */
		parity_barrier(commands);
		const VkRenderPassBeginInfo begin = {
			.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
			.renderPass = pass,
			.framebuffer = framebuffer,
			.renderArea = {{0, 0}, {SCENE_SIZE, SCENE_SIZE}},
		};
		vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
		scene_bind(commands, &scene, pipeline);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndRenderPass(commands);
		say("layouts %zu", i);
		scene_say(parity, commands, &scene);
		vkDestroyPipeline(parity->device, pipeline, NULL);
		vkDestroyFramebuffer(parity->device, framebuffer, NULL);
		vkDestroyRenderPass(parity->device, pass, NULL);
	}
	scene_finish(parity, &scene);
}

const struct parity_case parity_pass_cases[] = {
	{"pass subpasses", subpasses},
	{"pass depth-resolves", depth_resolves},
	{"pass stencil-layouts", stencil_layouts},
	{"pass unused", unused},
	{"pass nothing", nothing},
	{"pass local-read", local_read},
	{"pass to-single-sampled", to_single_sampled},
	{NULL, NULL},
};
