/* SPDX-License-Identifier: MIT */
#include "view/compose.h"
#include "view/compose_frag.h"
#include "view/compose_vert.h"

enum filter {
	NEAREST,
	LINEAR,
	FILTER_COUNT,
};

/* As in compose.frag. */
struct push_constants {
	float x, y, width, height;
	struct view_components components;
};

static VkResult create_samplers(struct view_composer *composer) {
	const VkFilter filters[FILTER_COUNT] = {VK_FILTER_NEAREST, VK_FILTER_LINEAR};
	for (int i = 0; i < FILTER_COUNT; i++) {
		const VkSamplerCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
			.magFilter = filters[i],
			.minFilter = filters[i],
			.mipmapMode = VK_SAMPLER_MIPMAP_MODE_NEAREST,
			.addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
			.addressModeV = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
			.addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
		};
		VkResult result = composer->device->vk.CreateSampler(
			composer->device->handle, &info, NULL, &composer->samplers[i]);
		if (result != VK_SUCCESS) {
			return result;
		}
	}
	return VK_SUCCESS;
}

static VkResult create_sets(struct view_composer *composer) {
	const struct view_device *device = composer->device;
	const VkDescriptorSetLayoutBinding binding = {
		.binding = 0,
		.descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
		.descriptorCount = 1,
		.stageFlags = VK_SHADER_STAGE_FRAGMENT_BIT,
	};
	const VkDescriptorSetLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	VkResult result = device->vk.CreateDescriptorSetLayout(
		device->handle, &layout, NULL, &composer->set_layout);
	if (result != VK_SUCCESS) {
		return result;
	}

	enum { SET_COUNT = VIEW_LAYER_COUNT * FILTER_COUNT };
	const VkDescriptorPoolSize size = {
		.type = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
		.descriptorCount = SET_COUNT,
	};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = SET_COUNT,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	result = device->vk.CreateDescriptorPool(
		device->handle, &pool, NULL, &composer->descriptor_pool);
	if (result != VK_SUCCESS) {
		return result;
	}
	VkDescriptorSetLayout layouts[SET_COUNT];
	for (int i = 0; i < SET_COUNT; i++) {
		layouts[i] = composer->set_layout;
	}
	const VkDescriptorSetAllocateInfo sets = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = composer->descriptor_pool,
		.descriptorSetCount = SET_COUNT,
		.pSetLayouts = layouts,
	};
	return device->vk.AllocateDescriptorSets(device->handle, &sets, &composer->sets[0][0]);
}

static VkResult create_shader(const struct view_device *device, const uint32_t *code, size_t size,
	VkShaderModule *module) {
	const VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = size,
		.pCode = code,
	};
	return device->vk.CreateShaderModule(device->handle, &info, NULL, module);
}

VkResult view_composer_init(struct view_composer *composer, const struct view_device *device) {
	*composer = (struct view_composer){.device = device};
	VkResult result = create_samplers(composer);
	if (result == VK_SUCCESS) {
		result = create_sets(composer);
	}
	if (result == VK_SUCCESS) {
		result = create_shader(
			device, compose_vert, sizeof(compose_vert), &composer->vertex_shader);
	}
	if (result == VK_SUCCESS) {
		result = create_shader(
			device, compose_frag, sizeof(compose_frag), &composer->fragment_shader);
	}
	if (result == VK_SUCCESS) {
		const VkPushConstantRange range = {
			.stageFlags = VK_SHADER_STAGE_FRAGMENT_BIT,
			.size = sizeof(struct push_constants),
		};
		const VkPipelineLayoutCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
			.setLayoutCount = 1,
			.pSetLayouts = &composer->set_layout,
			.pushConstantRangeCount = 1,
			.pPushConstantRanges = &range,
		};
		result = device->vk.CreatePipelineLayout(
			device->handle, &info, NULL, &composer->layout);
	}
	if (result != VK_SUCCESS) {
		view_composer_finish(composer);
	}
	return result;
}

void view_composer_finish(struct view_composer *composer) {
	const struct view_device *device = composer->device;
	if (device) {
		device->vk.DestroyPipelineLayout(device->handle, composer->layout, NULL);
		device->vk.DestroyShaderModule(device->handle, composer->fragment_shader, NULL);
		device->vk.DestroyShaderModule(device->handle, composer->vertex_shader, NULL);
		device->vk.DestroyDescriptorPool(device->handle, composer->descriptor_pool, NULL);
		device->vk.DestroyDescriptorSetLayout(device->handle, composer->set_layout, NULL);
		for (int i = 0; i < FILTER_COUNT; i++) {
			device->vk.DestroySampler(device->handle, composer->samplers[i], NULL);
		}
	}
	*composer = (struct view_composer){0};
}

void view_composer_set_layer(struct view_composer *composer, enum view_layer layer,
	const struct view_texture *texture) {
	composer->textures[layer] = texture;
	for (int i = 0; i < FILTER_COUNT; i++) {
		const VkDescriptorImageInfo image = {
			.sampler = composer->samplers[i],
			.imageView = texture->view,
			.imageLayout = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL,
		};
		const VkWriteDescriptorSet write = {
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = composer->sets[layer][i],
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
			.pImageInfo = &image,
		};
		composer->device->vk.UpdateDescriptorSets(
			composer->device->handle, 1, &write, 0, NULL);
	}
}

static VkResult create_render_pass(VkRenderPass *render_pass, const struct view_device *device,
	VkFormat format, VkImageLayout layout, bool clear) {
	const VkAttachmentDescription attachment = {
		.format = format,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.loadOp = clear ? VK_ATTACHMENT_LOAD_OP_CLEAR : VK_ATTACHMENT_LOAD_OP_LOAD,
		.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
		.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
		.stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
		.initialLayout = clear ? VK_IMAGE_LAYOUT_UNDEFINED : layout,
		.finalLayout = layout,
	};
	const VkAttachmentReference reference = {
		.attachment = 0,
		.layout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
	};
	const VkSubpassDescription subpass = {
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
		.colorAttachmentCount = 1,
		.pColorAttachments = &reference,
	};
	/* Before: what waits at colour output for the target to be free also holds back the change of
	 * its layout. After: a copy out of the target waits for the drawing. */
	const VkSubpassDependency dependencies[] = {
		{
			.srcSubpass = VK_SUBPASS_EXTERNAL,
			.dstSubpass = 0,
			.srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
			.dstStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
			.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
			.dstAccessMask = VK_ACCESS_COLOR_ATTACHMENT_READ_BIT
				| VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
		},
		{
			.srcSubpass = 0,
			.dstSubpass = VK_SUBPASS_EXTERNAL,
			.srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
			.dstStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT,
			.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
			.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
		},
	};
	const VkRenderPassCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &attachment,
		.subpassCount = 1,
		.pSubpasses = &subpass,
		.dependencyCount = layout == VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL ? 2 : 1,
		.pDependencies = dependencies,
	};
	VkResult result = device->vk.CreateRenderPass(device->handle, &info, NULL, render_pass);
	if (result != VK_SUCCESS) {
		*render_pass = VK_NULL_HANDLE;
	}
	return result;
}

VkResult view_pass_init(struct view_pass *pass, const struct view_composer *composer,
	VkFormat format, VkImageLayout layout) {
	const struct view_device *device = composer->device;
	*pass = (struct view_pass){.layout = layout};
	VkResult result = create_render_pass(&pass->clear, device, format, layout, true);
	if (result == VK_SUCCESS) {
		result = create_render_pass(&pass->load, device, format, layout, false);
	}
	if (result != VK_SUCCESS) {
		view_pass_finish(pass, composer);
		return result;
	}

	const VkPipelineShaderStageCreateInfo stages[] = {
		{
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_VERTEX_BIT,
			.module = composer->vertex_shader,
			.pName = "main",
		},
		{
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_FRAGMENT_BIT,
			.module = composer->fragment_shader,
			.pName = "main",
		},
	};
	const VkPipelineVertexInputStateCreateInfo vertex_input = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO,
	};
	const VkPipelineInputAssemblyStateCreateInfo input_assembly = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
		.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
	};
	const VkPipelineViewportStateCreateInfo viewport = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
		.viewportCount = 1,
		.scissorCount = 1,
	};
	const VkPipelineRasterizationStateCreateInfo rasterization = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
		.polygonMode = VK_POLYGON_MODE_FILL,
		.cullMode = VK_CULL_MODE_NONE,
		.lineWidth = 1.0f,
	};
	const VkPipelineMultisampleStateCreateInfo multisample = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
		.rasterizationSamples = VK_SAMPLE_COUNT_1_BIT,
	};
	/* colours are premultiplied with alpha; the picture is opaque, so one state does for both */
	const VkPipelineColorBlendAttachmentState blend_attachment = {
		.blendEnable = VK_TRUE,
		.srcColorBlendFactor = VK_BLEND_FACTOR_ONE,
		.dstColorBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA,
		.colorBlendOp = VK_BLEND_OP_ADD,
		.srcAlphaBlendFactor = VK_BLEND_FACTOR_ONE,
		.dstAlphaBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA,
		.alphaBlendOp = VK_BLEND_OP_ADD,
		.colorWriteMask = VK_COLOR_COMPONENT_R_BIT | VK_COLOR_COMPONENT_G_BIT
			| VK_COLOR_COMPONENT_B_BIT | VK_COLOR_COMPONENT_A_BIT,
	};
	const VkPipelineColorBlendStateCreateInfo blend = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &blend_attachment,
	};
	const VkDynamicState dynamic_states[] = {
		VK_DYNAMIC_STATE_VIEWPORT,
		VK_DYNAMIC_STATE_SCISSOR,
	};
	const VkPipelineDynamicStateCreateInfo dynamic = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
		.dynamicStateCount = 2,
		.pDynamicStates = dynamic_states,
	};
	const VkGraphicsPipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.stageCount = 2,
		.pStages = stages,
		.pVertexInputState = &vertex_input,
		.pInputAssemblyState = &input_assembly,
		.pViewportState = &viewport,
		.pRasterizationState = &rasterization,
		.pMultisampleState = &multisample,
		.pColorBlendState = &blend,
		.pDynamicState = &dynamic,
		.layout = composer->layout,
		.renderPass = pass->clear, /* the other one is compatible */
	};
	result = device->vk.CreateGraphicsPipelines(
		device->handle, VK_NULL_HANDLE, 1, &info, NULL, &pass->pipeline);
	if (result != VK_SUCCESS) {
		pass->pipeline = VK_NULL_HANDLE;
		view_pass_finish(pass, composer);
	}
	return result;
}

void view_pass_finish(struct view_pass *pass, const struct view_composer *composer) {
	const struct view_device *device = composer->device;
	if (device) {
		device->vk.DestroyPipeline(device->handle, pass->pipeline, NULL);
		device->vk.DestroyRenderPass(device->handle, pass->clear, NULL);
		device->vk.DestroyRenderPass(device->handle, pass->load, NULL);
	}
	*pass = (struct view_pass){0};
}

/* The largest rectangle of the picture's aspect in the middle of the target. */
struct view_placement view_scene_place(const struct view_scene *scene, VkExtent2D target) {
	const uint32_t width = scene->width, height = scene->height;
	uint64_t fit_width = target.width, fit_height = target.height;
	if (width == target.width && height == target.height) {
		/* as it is */
	} else if ((uint64_t)target.width * height <= (uint64_t)target.height * width) {
		fit_height = ((uint64_t)height * target.width + width / 2) / width;
	} else {
		fit_width = ((uint64_t)width * target.height + height / 2) / height;
	}
	fit_width = fit_width ? fit_width : 1;
	fit_height = fit_height ? fit_height : 1;
	return (struct view_placement){
		.x = (double)((target.width - fit_width) / 2),
		.y = (double)((target.height - fit_height) / 2),
		.width = (double)fit_width,
		.height = (double)fit_height,
	};
}

/* The nearest whole number in [low, high]. */
static int32_t clamp_round(double value, double low, double high) {
	value = value < low ? low : value > high ? high : value;
	return (int32_t)(value + 0.5);
}

/* Draws a layer at its place, but nothing outside `clip`, which lies in the target. */
static void draw_layer(const struct view_composer *composer, VkCommandBuffer commands,
	enum view_layer layer, enum filter filter, const struct view_components *components,
	const struct view_placement *place, const struct view_placement *clip) {
	const struct view_device *device = composer->device;
	int32_t left = clamp_round(place->x, clip->x, clip->x + clip->width);
	int32_t top = clamp_round(place->y, clip->y, clip->y + clip->height);
	int32_t right = clamp_round(place->x + place->width, clip->x, clip->x + clip->width);
	int32_t bottom = clamp_round(place->y + place->height, clip->y, clip->y + clip->height);
	if (left >= right || top >= bottom) {
		return;
	}
	const VkRect2D scissor = {
		.offset = {left, top},
		.extent = {(uint32_t)(right - left), (uint32_t)(bottom - top)},
	};
	const struct push_constants push = {
		.x = (float)place->x,
		.y = (float)place->y,
		.width = (float)place->width,
		.height = (float)place->height,
		.components = *components,
	};
	device->vk.CmdSetScissor(commands, 0, 1, &scissor);
	device->vk.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, composer->layout, 0,
		1, &composer->sets[layer][filter], 0, NULL);
	device->vk.CmdPushConstants(commands, composer->layout, VK_SHADER_STAGE_FRAGMENT_BIT, 0,
		sizeof(push), &push);
	device->vk.CmdDraw(commands, 3, 1, 0, 0);
}

/* The picture, and how many pixels of the target one of its pixels is. */
struct fit {
	struct view_placement picture;
	double scale_x, scale_y;
	bool exact; /* pixel by pixel */
};

static struct fit fit_scene(const struct view_scene *scene, VkExtent2D target) {
	struct fit fit = {.picture = view_scene_place(scene, target)};
	fit.scale_x = fit.picture.width / scene->width;
	fit.scale_y = fit.picture.height / scene->height;
	fit.exact = fit.scale_x == 1.0 && fit.scale_y == 1.0;
	return fit;
}

static struct view_placement place_cursor(const struct view_scene *scene, const struct fit *fit) {
	return (struct view_placement){
		.x = fit->picture.x + (double)scene->cursor_x * fit->scale_x,
		.y = fit->picture.y + (double)scene->cursor_y * fit->scale_y,
		.width = scene->cursor_width * fit->scale_x,
		.height = scene->cursor_height * fit->scale_y,
	};
}

/* The whole pixels of the picture that a place touches, and `margin` more on each side. */
static struct view_rect touched(
	const struct fit *fit, const struct view_placement *place, double margin) {
	const struct view_placement *picture = &fit->picture;
	const double right_end = picture->x + picture->width;
	const double bottom_end = picture->y + picture->height;
	const int32_t left = clamp_round(place->x - margin - 0.5, picture->x, right_end);
	const int32_t top = clamp_round(place->y - margin - 0.5, picture->y, bottom_end);
	const int32_t right =
		clamp_round(place->x + place->width + margin + 0.5, picture->x, right_end);
	const int32_t bottom =
		clamp_round(place->y + place->height + margin + 0.5, picture->y, bottom_end);
	if (left >= right || top >= bottom) {
		return (struct view_rect){0};
	}
	return (struct view_rect){(uint32_t)left, (uint32_t)top, (uint32_t)(right - left),
		(uint32_t)(bottom - top)};
}

static bool components_equal(const struct view_components *a, const struct view_components *b) {
	return a->red == b->red && a->green == b->green && a->blue == b->blue && a->alpha == b->alpha;
}

static bool cursor_differs(const struct view_scene *was, const struct view_scene *is) {
	return was->has_cursor != is->has_cursor
		|| (is->has_cursor && (is->cursor_changed || was->cursor_x != is->cursor_x
			|| was->cursor_y != is->cursor_y || was->cursor_width != is->cursor_width
			|| was->cursor_height != is->cursor_height));
}

struct view_rect view_scene_difference(
	const struct view_scene *was, const struct view_scene *is, VkExtent2D target) {
	if (is->lost || was->has_picture != is->has_picture || was->width != is->width
			|| was->height != is->height || !components_equal(&was->order, &is->order)) {
		return (struct view_rect){.width = target.width, .height = target.height};
	}
	struct view_rect part = {0};
	if (!is->has_picture) {
		return part;
	}
	const struct fit fit = fit_scene(is, target);
	if (!view_rect_is_empty(&is->changed)) {
		const struct view_placement place = {
			.x = fit.picture.x + is->changed.x * fit.scale_x,
			.y = fit.picture.y + is->changed.y * fit.scale_y,
			.width = is->changed.width * fit.scale_x,
			.height = is->changed.height * fit.scale_y,
		};
		/* a filter that mixes neighbours takes a pixel beyond its edge */
		const double scale = fit.scale_x > fit.scale_y ? fit.scale_x : fit.scale_y;
		part = touched(&fit, &place, fit.exact ? 0.0 : scale + 1.0);
	}
	if (cursor_differs(was, is)) {
		const struct view_scene *const scenes[] = {was, is};
		for (int i = 0; i < 2; i++) {
			if (scenes[i]->has_cursor) {
				const struct view_placement place = place_cursor(scenes[i], &fit);
				const struct view_rect cursor = touched(&fit, &place, 1.0);
				part = view_rect_join(&part, &cursor);
			}
		}
	}
	return part;
}

/* The place that two have in common; its size is 0 or less if there is none. */
static struct view_placement common_place(
	const struct view_placement *a, const struct view_placement *b) {
	const double a_right = a->x + a->width, b_right = b->x + b->width;
	const double a_bottom = a->y + a->height, b_bottom = b->y + b->height;
	struct view_placement common = {
		.x = a->x > b->x ? a->x : b->x,
		.y = a->y > b->y ? a->y : b->y,
	};
	common.width = (a_right < b_right ? a_right : b_right) - common.x;
	common.height = (a_bottom < b_bottom ? a_bottom : b_bottom) - common.y;
	return common;
}

static const VkClearValue black = {.color = {.float32 = {0.0f, 0.0f, 0.0f, 1.0f}}};

static void begin_drawing(const struct view_composer *composer, const struct view_pass *pass,
	VkCommandBuffer commands, const struct view_target *target, const struct view_rect *part,
	bool clear) {
	const struct view_device *device = composer->device;
	const VkRenderPassBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = clear ? pass->clear : pass->load,
		.framebuffer = target->framebuffer,
		.renderArea = {
			.offset = {(int32_t)part->x, (int32_t)part->y},
			.extent = {part->width, part->height},
		},
		.clearValueCount = clear ? 1 : 0,
		.pClearValues = &black,
	};
	const VkViewport viewport = {
		.width = (float)target->size.width,
		.height = (float)target->size.height,
		.maxDepth = 1.0f,
	};
	device->vk.CmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
	device->vk.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pass->pipeline);
	device->vk.CmdSetViewport(commands, 0, 1, &viewport);
}

static void draw_cursor(const struct view_composer *composer, VkCommandBuffer commands,
	const struct view_scene *scene, const struct fit *fit, const struct view_placement *clip) {
	/* B8G8R8A8 */
	const struct view_components order = {.red = 2, .green = 1, .blue = 0, .alpha = 3};
	const struct view_placement place = place_cursor(scene, fit);
	draw_layer(composer, commands, VIEW_LAYER_CURSOR, fit->exact ? NEAREST : LINEAR, &order, &place,
		clip);
}

static bool cursor_reaches(const struct view_scene *scene, const struct fit *fit,
	const struct view_placement *clip) {
	const struct view_placement place = place_cursor(scene, fit);
	const struct view_placement common = common_place(&place, clip);
	return common.width > 0 && common.height > 0;
}

/* Changes the target's layout, between accesses of the given kinds. */
static void change_layout(const struct view_composer *composer, VkCommandBuffer commands,
	const struct view_target *target, VkImageLayout from, VkImageLayout to,
	VkAccessFlags src_access, VkPipelineStageFlags dst_stage, VkAccessFlags dst_access) {
	const VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.srcAccessMask = src_access,
		.dstAccessMask = dst_access,
		.oldLayout = from,
		.newLayout = to,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.image = target->image,
		.subresourceRange = {
			.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
			.levelCount = 1,
			.layerCount = 1,
		},
	};
	composer->device->vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, dst_stage, 0,
		0, NULL, 0, NULL, 1, &barrier);
}

/* Puts the picture on the target without drawing; the target is in the pass's layout afterwards. */
static void copy_picture(const struct view_composer *composer, const struct view_pass *pass,
	VkCommandBuffer commands, const struct view_target *target, const struct fit *fit,
	const struct view_placement *clip, bool whole) {
	const struct view_device *device = composer->device;
	change_layout(composer, commands, target,
		whole ? VK_IMAGE_LAYOUT_UNDEFINED : pass->layout, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 0,
		VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT);
	if (whole && (fit->picture.width < target->size.width
			|| fit->picture.height < target->size.height)) {
		const VkImageSubresourceRange range = {
			.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
			.levelCount = 1,
			.layerCount = 1,
		};
		device->vk.CmdClearColorImage(commands, target->image,
			VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &black.color, 1, &range);
		change_layout(composer, commands, target, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
			VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_ACCESS_TRANSFER_WRITE_BIT,
			VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT);
	}
	const struct view_rect part = {
		.x = (uint32_t)(clip->x - fit->picture.x),
		.y = (uint32_t)(clip->y - fit->picture.y),
		.width = (uint32_t)clip->width,
		.height = (uint32_t)clip->height,
	};
	view_texture_record_blit(composer->textures[VIEW_LAYER_PICTURE], device, commands, &part,
		target->image, (VkOffset2D){(int32_t)clip->x, (int32_t)clip->y});
	change_layout(composer, commands, target, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, pass->layout,
		VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
		VK_ACCESS_COLOR_ATTACHMENT_READ_BIT | VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT);
}

void view_compose(const struct view_composer *composer, const struct view_pass *pass,
	VkCommandBuffer commands, const struct view_target *target, const struct view_scene *scene,
	const struct view_rect *part) {
	const struct view_device *device = composer->device;
	const bool whole =
		part->width == target->size.width && part->height == target->size.height;
	if (!scene->has_picture) {
		begin_drawing(composer, pass, commands, target, part, true);
		device->vk.CmdEndRenderPass(commands);
		return;
	}
	const struct fit fit = fit_scene(scene, target->size);
	const struct view_placement area = {part->x, part->y, part->width, part->height};
	const struct view_placement clip = common_place(&fit.picture, &area);
	if (fit.exact && target->takes_copies && components_equal(&scene->order, &target->order)) {
		copy_picture(composer, pass, commands, target, &fit, &clip, whole);
		if (scene->has_cursor && cursor_reaches(scene, &fit, &clip)) {
			begin_drawing(composer, pass, commands, target, part, false);
			draw_cursor(composer, commands, scene, &fit, &clip);
			device->vk.CmdEndRenderPass(commands);
		}
		return;
	}
	begin_drawing(composer, pass, commands, target, part, whole);
	draw_layer(composer, commands, VIEW_LAYER_PICTURE, fit.exact ? NEAREST : LINEAR, &scene->order,
		&fit.picture, &clip);
	if (scene->has_cursor) {
		draw_cursor(composer, commands, scene, &fit, &clip);
	}
	device->vk.CmdEndRenderPass(commands);
}
