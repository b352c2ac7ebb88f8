/* SPDX-License-Identifier: MIT */

/*
 * Mixtures of render passes: formats, samples, load and store operations, views, and subpasses that
 * draw to, read, resolve, preserve or leave out attachments; made and begun in both ways, with
 * framebuffers of both kinds, and drawn by both kinds of command buffers.
 */

#include <string.h>

#include "random.h"
#include "scene.h"

#define PASSES 40
#define SIZE 32
#define MAX_ATTACHMENTS 6
#define MAX_SUBPASSES 3
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct kind {
	VkFormat format;
	VkImageAspectFlags aspects;
	uint32_t texel_size;
	bool is_integer;
} kinds[] = {
	{VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_ASPECT_COLOR_BIT, 4, false},
	{VK_FORMAT_R16G16B16A16_SFLOAT, VK_IMAGE_ASPECT_COLOR_BIT, 8, false},
	{VK_FORMAT_R32G32_UINT, VK_IMAGE_ASPECT_COLOR_BIT, 8, true},
	{VK_FORMAT_B8G8R8A8_SRGB, VK_IMAGE_ASPECT_COLOR_BIT, 4, false},
	{VK_FORMAT_A2B10G10R10_UNORM_PACK32, VK_IMAGE_ASPECT_COLOR_BIT, 4, false},
	{VK_FORMAT_D32_SFLOAT, VK_IMAGE_ASPECT_DEPTH_BIT, 4, false},
	{VK_FORMAT_D32_SFLOAT_S8_UINT, VK_IMAGE_ASPECT_DEPTH_BIT | VK_IMAGE_ASPECT_STENCIL_BIT, 4,
		false},
	{VK_FORMAT_D16_UNORM, VK_IMAGE_ASPECT_DEPTH_BIT, 2, false},
};
#define COLOUR_KINDS 5

struct attachment {
	const struct kind *kind;
	struct parity_image image;
	bool was_drawn; /* by a subpass before */
};

struct subpass {
	VkAttachmentReference2 colours[MAX_ATTACHMENTS], resolves[MAX_ATTACHMENTS];
	VkAttachmentReference2 inputs[MAX_ATTACHMENTS], depth;
	uint32_t preserved[MAX_ATTACHMENTS];
	VkAttachmentReference colours1[MAX_ATTACHMENTS], resolves1[MAX_ATTACHMENTS];
	VkAttachmentReference inputs1[MAX_ATTACHMENTS], depth1;
	VkSampleCountFlagBits samples;
	VkPipeline pipeline;
};

struct mixture {
	struct parity *parity;
	const struct scene *scene;
	struct random random;
	bool is_multiview;
	uint32_t layers;
	VkSampleCountFlagBits samples; /* of some attachments */
	struct attachment attachments[MAX_ATTACHMENTS];
	VkAttachmentDescription2 descriptions[MAX_ATTACHMENTS];
	uint32_t count;
	int depth; /* index, or -1 */
	struct subpass subpasses[MAX_SUBPASSES];
	VkSubpassDescription2 infos[MAX_SUBPASSES];
	uint32_t subpass_count;
	VkRenderPass pass;
	VkFramebuffer framebuffer;
	VkImageView views[MAX_ATTACHMENTS];
	bool is_imageless;
};

static VkClearValue mix_clear(struct random *random, const struct kind *kind) {
	VkClearValue value;
	memset(&value, 0, sizeof(value));
	if (kind->aspects != VK_IMAGE_ASPECT_COLOR_BIT) {
		value.depthStencil.depth = random_fraction(random);
		value.depthStencil.stencil = random_below(random, 256);
		return value;
	}
	for (size_t i = 0; i < 4; i++) {
		if (kind->is_integer) {
			value.color.uint32[i] = random_bits(random);
		} else {
			value.color.float32[i] = random_fraction(random);
		}
	}
	return value;
}

static VkAttachmentLoadOp mix_load(struct random *random) {
	static const VkAttachmentLoadOp all[] = {VK_ATTACHMENT_LOAD_OP_LOAD,
		VK_ATTACHMENT_LOAD_OP_CLEAR, VK_ATTACHMENT_LOAD_OP_CLEAR,
		VK_ATTACHMENT_LOAD_OP_DONT_CARE, VK_ATTACHMENT_LOAD_OP_NONE_KHR};
	return all[random_below(random, COUNT(all))];
}

static VkAttachmentStoreOp mix_store(struct random *random) {
	static const VkAttachmentStoreOp all[] = {VK_ATTACHMENT_STORE_OP_STORE,
		VK_ATTACHMENT_STORE_OP_STORE, VK_ATTACHMENT_STORE_OP_DONT_CARE,
		VK_ATTACHMENT_STORE_OP_NONE};
	return all[random_below(random, COUNT(all))];
}

static void mix_attachment(struct mixture *mixture, uint32_t i) {
	struct random *random = &mixture->random;
	struct attachment *attachment = &mixture->attachments[i];
	const bool is_depth = mixture->depth < 0 && random_once_in(random, 3);
	if (is_depth) {
		mixture->depth = (int)i;
	}
	attachment->kind = is_depth ?
		&kinds[COLOUR_KINDS + random_below(random, COUNT(kinds) - COLOUR_KINDS)] :
		&kinds[random_below(random, COLOUR_KINDS)];
	attachment->was_drawn = false;
	const bool is_multisampled = is_depth || random_below(random, 2);
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = attachment->kind->format,
		.extent = {SIZE, SIZE, 1},
		.mipLevels = 1,
		.arrayLayers = mixture->layers,
		.samples = is_multisampled ? mixture->samples : VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
			VK_IMAGE_USAGE_TRANSFER_DST_BIT |
			(is_depth ? VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT :
				VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT),
	};
	parity_image_init(mixture->parity, &attachment->image, &info,
		mixture->layers > 1 ? VK_IMAGE_VIEW_TYPE_2D_ARRAY : VK_IMAGE_VIEW_TYPE_2D,
		attachment->kind->aspects);
	mixture->views[i] = attachment->image.view;
	mixture->descriptions[i] = (VkAttachmentDescription2){
		.sType = VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_2,
		.flags = random_once_in(random, 5) ? VK_ATTACHMENT_DESCRIPTION_MAY_ALIAS_BIT : 0,
		.format = info.format,
		.samples = info.samples,
		.loadOp = mix_load(random),
		.storeOp = mix_store(random),
		.stencilLoadOp = mix_load(random),
		.stencilStoreOp = mix_store(random),
		.initialLayout = VK_IMAGE_LAYOUT_GENERAL,
		.finalLayout = random_below(random, 2) ? VK_IMAGE_LAYOUT_GENERAL :
			VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
	};
}

static VkAttachmentReference2 reference(
		uint32_t attachment, VkImageLayout layout, VkImageAspectFlags aspects) {
	return (VkAttachmentReference2){
		.sType = VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_2,
		.attachment = attachment,
		.layout = layout,
		.aspectMask = aspects,
	};
}

static VkAttachmentReference2 unused_reference(void) {
	return reference(VK_ATTACHMENT_UNUSED, VK_IMAGE_LAYOUT_UNDEFINED, 0);
}

/** A single-sampled attachment that nothing else uses. */
static uint32_t find_resolve(const struct mixture *mixture, uint32_t colour, const bool *used) {
	for (uint32_t i = 0; i < mixture->count; i++) {
		const struct attachment *attachment = &mixture->attachments[i];
		if (!used[i] && attachment->kind == mixture->attachments[colour].kind &&
				!attachment->kind->is_integer &&
				attachment->image.info.samples == VK_SAMPLE_COUNT_1_BIT) {
			return i;
		}
	}
	return VK_ATTACHMENT_UNUSED;
}

static void copy_references(VkAttachmentReference *first, const VkAttachmentReference2 *second) {
	for (size_t i = 0; i < MAX_ATTACHMENTS; i++) {
		first[i] = (VkAttachmentReference){second[i].attachment, second[i].layout};
	}
}

static void mix_subpass(struct mixture *mixture, uint32_t index) {
	struct random *random = &mixture->random;
	struct subpass *subpass = &mixture->subpasses[index];
	VkSubpassDescription2 *info = &mixture->infos[index];
	bool used[MAX_ATTACHMENTS] = {false}, is_resolving = false;
	memset(subpass, 0, sizeof(*subpass));
	*info = (VkSubpassDescription2){
		.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_2,
		.viewMask = !mixture->is_multiview ? 0 : 1 + random_below(random, 3),
		.pInputAttachments = subpass->inputs,
		.pColorAttachments = subpass->colours,
		.pPreserveAttachments = subpass->preserved,
	};
	subpass->samples = random_below(random, 2) ? mixture->samples : VK_SAMPLE_COUNT_1_BIT;
	for (uint32_t i = 0; i < mixture->count && info->colorAttachmentCount < 4; i++) {
		const bool fits = (int)i != mixture->depth &&
			mixture->attachments[i].image.info.samples == subpass->samples;
		if (fits && !random_once_in(random, 3)) {
			used[i] = true;
			subpass->colours[info->colorAttachmentCount++] = reference(i,
				random_below(random, 2) ? VK_IMAGE_LAYOUT_GENERAL :
					VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, 0);
		} else if (random_once_in(random, 6)) {
			subpass->colours[info->colorAttachmentCount++] = unused_reference();
		}
	}
	for (uint32_t i = 0; i < info->colorAttachmentCount; i++) {
		const uint32_t colour = subpass->colours[i].attachment;
		subpass->resolves[i] = unused_reference();
		if (subpass->samples != VK_SAMPLE_COUNT_1_BIT && colour != VK_ATTACHMENT_UNUSED) {
			const uint32_t target = find_resolve(mixture, colour, used);
			if (target != VK_ATTACHMENT_UNUSED) {
				used[target] = is_resolving = true;
				subpass->resolves[i] = reference(target, VK_IMAGE_LAYOUT_GENERAL, 0);
			}
		}
	}
	info->pResolveAttachments = is_resolving ? subpass->resolves : NULL;
	subpass->depth = unused_reference();
	const int depth = mixture->depth;
	if (depth >= 0 && random_below(random, 3) &&
			mixture->attachments[depth].image.info.samples == subpass->samples) {
		used[depth] = true;
		subpass->depth = reference((uint32_t)depth,
			VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL, 0);
	}
	if (subpass->depth.attachment != VK_ATTACHMENT_UNUSED || random_below(random, 2)) {
		info->pDepthStencilAttachment = &subpass->depth;
	}
	for (uint32_t i = 0; i < mixture->count; i++) {
		const struct attachment *attachment = &mixture->attachments[i];
		if (!used[i] && attachment->was_drawn && random_once_in(random, 2)) {
			const VkImageAspectFlags first =
				attachment->kind->aspects & ~(attachment->kind->aspects - 1);
			used[i] = true;
			subpass->inputs[info->inputAttachmentCount++] =
				reference(i, VK_IMAGE_LAYOUT_GENERAL, first);
		} else if (!used[i] && index > 0) {
			subpass->preserved[info->preserveAttachmentCount++] = i;
		}
	}
	for (uint32_t i = 0; i < mixture->count; i++) {
		mixture->attachments[i].was_drawn |= used[i];
	}
	copy_references(subpass->colours1, subpass->colours);
	copy_references(subpass->resolves1, subpass->resolves);
	copy_references(subpass->inputs1, subpass->inputs);
	subpass->depth1 =
		(VkAttachmentReference){subpass->depth.attachment, subpass->depth.layout};
}

/* --- the pass --- */

#define DEPENDENCIES (MAX_SUBPASSES + 1)

/** From each subpass to the next, and from and to what is outside. */
static uint32_t list_dependencies(const struct mixture *mixture, VkSubpassDependency2 *list) {
	for (uint32_t i = 0; i <= mixture->subpass_count; i++) {
		const bool is_last = i == mixture->subpass_count;
		list[i] = (VkSubpassDependency2){
			.sType = VK_STRUCTURE_TYPE_SUBPASS_DEPENDENCY_2,
			.srcSubpass = i ? i - 1 : VK_SUBPASS_EXTERNAL,
			.dstSubpass = is_last ? VK_SUBPASS_EXTERNAL : i,
			.srcStageMask = i ? VK_PIPELINE_STAGE_ALL_GRAPHICS_BIT :
				VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
			.dstStageMask = is_last ? VK_PIPELINE_STAGE_ALL_COMMANDS_BIT :
				VK_PIPELINE_STAGE_ALL_GRAPHICS_BIT,
			.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
			.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
		};
	}
	return mixture->subpass_count + 1;
}

static void create_pass(struct mixture *mixture) {
	const uint32_t both = 3;
	VkSubpassDependency2 dependencies[DEPENDENCIES];
	const VkRenderPassCreateInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO_2,
		.attachmentCount = mixture->count,
		.pAttachments = mixture->descriptions,
		.subpassCount = mixture->subpass_count,
		.pSubpasses = mixture->infos,
		.dependencyCount = list_dependencies(mixture, dependencies),
		.pDependencies = dependencies,
		.correlatedViewMaskCount = mixture->is_multiview,
		.pCorrelatedViewMasks = &both,
	};
	MUST(vkCreateRenderPass2(mixture->parity->device, &info, NULL, &mixture->pass));
}

static void create_first_pass(struct mixture *mixture) {
	VkAttachmentDescription descriptions[MAX_ATTACHMENTS];
	VkSubpassDescription subpasses[MAX_SUBPASSES];
	VkSubpassDependency dependencies[DEPENDENCIES];
	VkSubpassDependency2 dependencies2[DEPENDENCIES];
	uint32_t masks[MAX_SUBPASSES];
	for (uint32_t i = 0; i < mixture->count; i++) {
		const VkAttachmentDescription2 *from = &mixture->descriptions[i];
		descriptions[i] = (VkAttachmentDescription){from->flags, from->format, from->samples,
			from->loadOp, from->storeOp, from->stencilLoadOp, from->stencilStoreOp,
			from->initialLayout, from->finalLayout};
	}
	for (uint32_t i = 0; i < mixture->subpass_count; i++) {
		const VkSubpassDescription2 *from = &mixture->infos[i];
		const struct subpass *subpass = &mixture->subpasses[i];
		masks[i] = from->viewMask;
		subpasses[i] = (VkSubpassDescription){
			.inputAttachmentCount = from->inputAttachmentCount,
			.pInputAttachments = subpass->inputs1,
			.colorAttachmentCount = from->colorAttachmentCount,
			.pColorAttachments = subpass->colours1,
			.pResolveAttachments = from->pResolveAttachments ? subpass->resolves1 : NULL,
			.pDepthStencilAttachment =
				from->pDepthStencilAttachment ? &subpass->depth1 : NULL,
			.preserveAttachmentCount = from->preserveAttachmentCount,
			.pPreserveAttachments = from->pPreserveAttachments,
		};
	}
	const uint32_t count = list_dependencies(mixture, dependencies2);
	for (uint32_t i = 0; i < count; i++) {
		const VkSubpassDependency2 *from = &dependencies2[i];
		dependencies[i] = (VkSubpassDependency){from->srcSubpass, from->dstSubpass,
			from->srcStageMask, from->dstStageMask, from->srcAccessMask, from->dstAccessMask, 0};
	}
	const VkRenderPassMultiviewCreateInfo views = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_MULTIVIEW_CREATE_INFO,
		.subpassCount = mixture->subpass_count,
		.pViewMasks = masks,
	};
	const VkRenderPassCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.pNext = mixture->is_multiview ? &views : NULL,
		.attachmentCount = mixture->count,
		.pAttachments = descriptions,
		.subpassCount = mixture->subpass_count,
		.pSubpasses = subpasses,
		.dependencyCount = count,
		.pDependencies = dependencies,
	};
	MUST(vkCreateRenderPass(mixture->parity->device, &info, NULL, &mixture->pass));
}

static void create_framebuffer(struct mixture *mixture) {
	VkFramebufferAttachmentImageInfo images[MAX_ATTACHMENTS];
	for (uint32_t i = 0; i < mixture->count; i++) {
		images[i] = (VkFramebufferAttachmentImageInfo){
			.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENT_IMAGE_INFO,
			.usage = mixture->attachments[i].image.info.usage,
			.width = SIZE,
			.height = SIZE,
			.layerCount = mixture->layers,
			.viewFormatCount = 1,
			.pViewFormats = &mixture->descriptions[i].format,
		};
	}
	const VkFramebufferAttachmentsCreateInfo imageless = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENTS_CREATE_INFO,
		.attachmentImageInfoCount = mixture->count,
		.pAttachmentImageInfos = images,
	};
	const VkFramebufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.pNext = mixture->is_imageless ? &imageless : NULL,
		.flags = mixture->is_imageless ? VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT : 0,
		.renderPass = mixture->pass,
		.attachmentCount = mixture->count,
		.pAttachments = mixture->is_imageless ? NULL : mixture->views,
		.width = SIZE,
		.height = SIZE,
		.layers = mixture->is_multiview ? 1 : mixture->layers,
	};
	MUST(vkCreateFramebuffer(mixture->parity->device, &info, NULL, &mixture->framebuffer));
}

static void create_pipeline(struct mixture *mixture, uint32_t index) {
	struct subpass *subpass = &mixture->subpasses[index];
	VkPipelineColorBlendAttachmentState blends[MAX_ATTACHMENTS];
	struct scene_state state;
	scene_state_init(mixture->scene, &state);
	scene_state_set_pass(&state, mixture->pass, index);
	for (uint32_t i = 0; i < MAX_ATTACHMENTS; i++) {
		/* the shader writes to the first one, and no integers */
		const uint32_t colour = subpass->colours[i].attachment;
		blends[i] = state.attachment;
		if (i > 0 || (colour != VK_ATTACHMENT_UNUSED &&
				mixture->attachments[colour].kind->is_integer)) {
			blends[i].colorWriteMask = 0;
		}
	}
	state.blend.attachmentCount = mixture->infos[index].colorAttachmentCount;
	state.blend.pAttachments = blends;
	state.multisample.rasterizationSamples = subpass->samples;
	state.viewport = (VkViewport){0, 0, SIZE, SIZE, 0, 1};
	state.scissor = (VkRect2D){{0, 0}, {SIZE, SIZE}};
	state.depth.stencilTestEnable = VK_TRUE;
	state.depth.front = (VkStencilOpState){VK_STENCIL_OP_KEEP,
		VK_STENCIL_OP_INCREMENT_AND_WRAP, VK_STENCIL_OP_INVERT, VK_COMPARE_OP_ALWAYS, 255, 255, 1};
	state.depth.back = state.depth.front;
	subpass->pipeline = scene_pipeline(mixture->parity, &state);
}

/* --- drawing --- */

static void clear_everything(struct mixture *mixture, VkCommandBuffer commands) {
	for (uint32_t i = 0; i < mixture->count; i++) {
		const struct attachment *attachment = &mixture->attachments[i];
		const VkImageSubresourceRange range = {
			attachment->kind->aspects, 0, 1, 0, mixture->layers};
		const VkClearValue value = mix_clear(&mixture->random, attachment->kind);
		const VkImage image = attachment->image.image;
		parity_transition(commands, &attachment->image, VK_IMAGE_LAYOUT_UNDEFINED,
			VK_IMAGE_LAYOUT_GENERAL);
		if ((int)i == mixture->depth) {
			vkCmdClearDepthStencilImage(commands, image, VK_IMAGE_LAYOUT_GENERAL,
				&value.depthStencil, 1, &range);
		} else {
			vkCmdClearColorImage(
				commands, image, VK_IMAGE_LAYOUT_GENERAL, &value.color, 1, &range);
		}
	}
	parity_barrier(commands);
}

static void draw_subpass(
		struct mixture *mixture, VkCommandBuffer commands, uint32_t index, VkRect2D area) {
	struct random *random = &mixture->random;
	const struct subpass *subpass = &mixture->subpasses[index];
	const VkClearRect rect = {
		{area.offset, {1 + area.extent.width / 2, 1 + area.extent.height / 2}}, 0, 1};
	VkClearAttachment clears[2];
	uint32_t count = 0;
	if (mixture->infos[index].colorAttachmentCount) {
		const uint32_t i = random_below(random, mixture->infos[index].colorAttachmentCount);
		const uint32_t colour = subpass->colours[i].attachment;
		if (colour != VK_ATTACHMENT_UNUSED) {
			clears[count++] = (VkClearAttachment){VK_IMAGE_ASPECT_COLOR_BIT, i,
				mix_clear(random, mixture->attachments[colour].kind)};
		}
	}
	if (subpass->depth.attachment != VK_ATTACHMENT_UNUSED && random_once_in(random, 2)) {
		const struct kind *kind = mixture->attachments[mixture->depth].kind;
		clears[count++] = (VkClearAttachment){kind->aspects, 0, mix_clear(random, kind)};
	}
	if (count) {
		vkCmdClearAttachments(commands, count, clears, 1, &rect);
	}
	scene_bind(commands, mixture->scene, subpass->pipeline);
	vkCmdDraw(commands, 6, 1, 0, 0);
}

static VkCommandBuffer begin_secondary(struct mixture *mixture, uint32_t index) {
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = mixture->parity->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 1,
	};
	const VkCommandBufferInheritanceInfo inheritance = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
		.renderPass = mixture->pass,
		.subpass = index,
		.framebuffer =
			random_below(&mixture->random, 2) ? mixture->framebuffer : VK_NULL_HANDLE,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT,
		.pInheritanceInfo = &inheritance,
	};
	VkCommandBuffer secondary;
	MUST(vkAllocateCommandBuffers(mixture->parity->device, &allocate, &secondary));
	MUST(vkBeginCommandBuffer(secondary, &begin));
	return secondary;
}

static void run(struct mixture *mixture) {
	struct random *random = &mixture->random;
	struct parity *parity = mixture->parity;
	VkCommandBuffer commands = parity_begin(parity);
	VkCommandBuffer secondaries[MAX_SUBPASSES] = {NULL};
	clear_everything(mixture, commands);
	VkClearValue clears[MAX_ATTACHMENTS];
	for (uint32_t i = 0; i < mixture->count; i++) {
		clears[i] = mix_clear(random, mixture->attachments[i].kind);
	}
	const VkRect2D area = random_below(random, 2) ? (VkRect2D){{0, 0}, {SIZE, SIZE}} :
		(VkRect2D){{(int32_t)random_below(random, 16), (int32_t)random_below(random, 16)},
			{2 + random_below(random, 14), 2 + random_below(random, 14)}};
	const VkRenderPassAttachmentBeginInfo views = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO,
		.attachmentCount = mixture->count,
		.pAttachments = mixture->views,
	};
	const VkDeviceGroupRenderPassBeginInfo group = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_RENDER_PASS_BEGIN_INFO,
		.pNext = mixture->is_imageless ? &views : NULL,
		.deviceMask = 1,
		.deviceRenderAreaCount = random_below(random, 2),
		.pDeviceRenderAreas = &area,
	};
	const VkRenderPassBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.pNext = random_once_in(random, 4) ? &group : group.pNext,
		.renderPass = mixture->pass,
		.framebuffer = mixture->framebuffer,
		.renderArea = area,
		.clearValueCount = mixture->count,
		.pClearValues = clears,
	};
	const VkSubpassEndInfo end = {.sType = VK_STRUCTURE_TYPE_SUBPASS_END_INFO};
	const bool is_second = random_below(random, 2);
	for (uint32_t i = 0; i < mixture->subpass_count; i++) {
		const bool is_secondary = random_once_in(random, 3);
		const VkSubpassBeginInfo info = {
			.sType = VK_STRUCTURE_TYPE_SUBPASS_BEGIN_INFO,
			.contents = is_secondary ? VK_SUBPASS_CONTENTS_SECONDARY_COMMAND_BUFFERS :
				VK_SUBPASS_CONTENTS_INLINE,
		};
		if (is_second) {
			i ? vkCmdNextSubpass2(commands, &info, &end) :
				vkCmdBeginRenderPass2(commands, &begin, &info);
		} else {
			i ? vkCmdNextSubpass(commands, info.contents) :
				vkCmdBeginRenderPass(commands, &begin, info.contents);
		}
		if (is_secondary) {
			secondaries[i] = begin_secondary(mixture, i);
		}
		draw_subpass(mixture, is_secondary ? secondaries[i] : commands, i, area);
		if (is_secondary) {
			MUST(vkEndCommandBuffer(secondaries[i]));
			vkCmdExecuteCommands(commands, 1, &secondaries[i]);
		}
	}
	if (is_second) {
		vkCmdEndRenderPass2(commands, &end);
	} else {
		vkCmdEndRenderPass(commands);
	}
	for (uint32_t i = 0; i < mixture->count; i++) {
		parity_transition(commands, &mixture->attachments[i].image,
			mixture->descriptions[i].finalLayout, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	}
	parity_run(parity, commands);
	for (uint32_t i = 0; i < mixture->subpass_count; i++) {
		if (secondaries[i]) {
			vkFreeCommandBuffers(parity->device, parity->pool, 1, &secondaries[i]);
		}
	}
}

static void try_pass(struct parity *parity, const struct scene *scene, uint32_t number) {
	struct mixture mixture = {
		.parity = parity, .scene = scene, .random = random_from(number), .depth = -1};
	struct random *random = &mixture.random;
	mixture.is_multiview = parity->vulkan11.multiview && random_once_in(random, 4);
	mixture.layers = mixture.is_multiview ? 2 : 1 + random_below(random, 2);
	mixture.samples = random_once_in(random, 3) ? VK_SAMPLE_COUNT_4_BIT : VK_SAMPLE_COUNT_1_BIT;
	mixture.count = 2 + random_below(random, MAX_ATTACHMENTS - 1);
	mixture.subpass_count = 1 + random_below(random, MAX_SUBPASSES);
	mixture.is_imageless = parity->vulkan12.imagelessFramebuffer && random_once_in(random, 3);
	for (uint32_t i = 0; i < mixture.count; i++) {
		mix_attachment(&mixture, i);
	}
	for (uint32_t i = 0; i < mixture.subpass_count; i++) {
		mix_subpass(&mixture, i);
	}
	if (random_below(random, 2)) {
		create_pass(&mixture);
	} else {
		create_first_pass(&mixture);
	}
	create_framebuffer(&mixture);
	for (uint32_t i = 0; i < mixture.subpass_count; i++) {
		create_pipeline(&mixture, i);
	}
	run(&mixture);
	VkExtent2D granularity;
	vkGetRenderAreaGranularity(parity->device, mixture.pass, &granularity);
	say("pass %u: %u attachments, %u subpasses, granularity %ux%u", number, mixture.count,
		mixture.subpass_count, granularity.width, granularity.height);
	for (uint32_t i = 0; i < mixture.count; i++) {
		struct attachment *attachment = &mixture.attachments[i];
		if (attachment->image.info.samples == VK_SAMPLE_COUNT_1_BIT) {
			parity_say_image(
				parity, "attachment", &attachment->image, attachment->kind->texel_size);
		}
		parity_image_finish(parity, &attachment->image);
	}
	for (uint32_t i = 0; i < mixture.subpass_count; i++) {
		vkDestroyPipeline(parity->device, mixture.subpasses[i].pipeline, NULL);
	}
	vkDestroyFramebuffer(parity->device, mixture.framebuffer, NULL);
	vkDestroyRenderPass(parity->device, mixture.pass, NULL);
}

static void mixed(struct parity *parity) {
	struct scene scene;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	for (uint32_t i = 0; i < PASSES; i++) {
		try_pass(parity, &scene, i);
	}
	scene_finish(parity, &scene);
}

const struct parity_case parity_mixed_pass_cases[] = {
	{"passes mixed", mixed},
	{NULL, NULL},
};
