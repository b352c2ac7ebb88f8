/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "view/presenter.h"

/* A GPU that takes longer for a copy is lost. */
#define COPY_TIMEOUT (10 * CLOCK_NS_PER_S)

#define CAPTURE_FORMAT VK_FORMAT_R8G8B8A8_UNORM
#define CAPTURE_TEXEL_SIZE 4

static bool fail(const char *what, VkResult result) {
	log_error("cannot go on showing: %s: %s", what, vk_result_name(result));
	return false;
}

bool view_presenter_init(struct view_presenter *presenter, struct view_device *device,
	VkSurfaceKHR surface, enum view_present_mode mode, struct vk_error *error) {
	*presenter = (struct view_presenter){.device = device};
	VkResult result = view_composer_init(&presenter->composer, device);
	if (result != VK_SUCCESS) {
		goto error_result;
	}
	const VkCommandBufferAllocateInfo commands = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = device->command_pool,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	result = device->vk.AllocateCommandBuffers(
		device->handle, &commands, &presenter->copy_commands);
	if (result != VK_SUCCESS) {
		goto error_result;
	}
	const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	result = device->vk.CreateFence(device->handle, &fence, NULL, &presenter->copy_done);
	if (result != VK_SUCCESS) {
		presenter->copy_done = VK_NULL_HANDLE;
		goto error_result;
	}
	if (surface) {
		if (!view_swapchain_init(
				&presenter->swapchain, &presenter->composer, surface, mode, error)) {
			goto error_presenter;
		}
		presenter->has_swapchain = true;
	}
	return true;

error_result:
	vk_error_set(error, "%s: the Vulkan driver cannot do what showing needs: %s",
		device->properties.deviceName, vk_result_name(result));
error_presenter:
	view_presenter_finish(presenter);
	return false;
}

void view_presenter_finish(struct view_presenter *presenter) {
	const struct view_device *device = presenter->device;
	if (!device) {
		return;
	}
	device->vk.DeviceWaitIdle(device->handle);
	view_swapchain_finish(&presenter->swapchain);
	for (int i = 0; i < VIEW_LAYER_COUNT; i++) {
		view_texture_finish(&presenter->layers[i], device);
	}
	device->vk.DestroyFence(device->handle, presenter->copy_done, NULL);
	if (presenter->copy_commands) {
		device->vk.FreeCommandBuffers(
			device->handle, device->command_pool, 1, &presenter->copy_commands);
	}
	view_composer_finish(&presenter->composer);
	*presenter = (struct view_presenter){0};
}

uint32_t view_presenter_max_size(const struct view_presenter *presenter) {
	return presenter->device->properties.limits.maxImageDimension2D;
}

bool view_presenter_has_layer(const struct view_presenter *presenter, enum view_layer layer,
	uint32_t width, uint32_t height) {
	const struct view_texture *texture = &presenter->layers[layer];
	return texture->filled && texture->width == width && texture->height == height;
}

/* A failure that the next picture may not have. */
static bool is_refusal(VkResult result) {
	return result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY
		|| result == VK_ERROR_INVALID_EXTERNAL_HANDLE || result == VK_ERROR_FEATURE_NOT_PRESENT
		|| result == VK_ERROR_TOO_MANY_OBJECTS || result == VK_ERROR_FORMAT_NOT_SUPPORTED;
}

/* The layer's texture, made anew if it has another size. */
static VkResult prepare_texture(
	struct view_presenter *presenter, enum view_layer layer, uint32_t width, uint32_t height) {
	struct view_texture *texture = &presenter->layers[layer];
	if (texture->width == width && texture->height == height) {
		return VK_SUCCESS;
	}
	/* frames that are still drawn use the old one */
	VkResult result = presenter->device->vk.QueueWaitIdle(presenter->device->queue);
	if (result != VK_SUCCESS) {
		return result;
	}
	view_texture_finish(texture, presenter->device);
	result = view_texture_init(texture, presenter->device, width, height);
	if (result == VK_SUCCESS) {
		view_composer_set_layer(&presenter->composer, layer, texture);
	}
	return result;
}

static VkResult submit_copy(struct view_presenter *presenter, const struct view_copy *copy) {
	const struct view_device *device = presenter->device;
	struct view_texture *texture = &presenter->layers[copy->layer];
	VkResult result = view_device_begin(device, presenter->copy_commands);
	if (result != VK_SUCCESS) {
		return result;
	}
	view_texture_record_copy(texture, device, presenter->copy_commands,
		&(struct view_texture_copy){
			.buffer = copy->import->buffer,
			.offset = copy->offset + (uint64_t)copy->y * copy->stride + (uint64_t)copy->x * 4
				- copy->import->begin,
			.stride = copy->stride,
			.x = copy->x,
			.y = copy->y,
			.width = copy->width,
			.height = copy->height,
		});
	result = device->vk.EndCommandBuffer(presenter->copy_commands);
	if (result == VK_SUCCESS) {
		result = device->vk.ResetFences(device->handle, 1, &presenter->copy_done);
	}
	if (result == VK_SUCCESS) {
		const VkSubmitInfo submit = {
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.commandBufferCount = 1,
			.pCommandBuffers = &presenter->copy_commands,
		};
		result = device->vk.QueueSubmit(device->queue, 1, &submit, presenter->copy_done);
		presenter->copy_running = result == VK_SUCCESS;
	}
	if (result != VK_SUCCESS) {
		texture->filled = false;
	}
	return result;
}

static void note_change(struct view_presenter *presenter, const struct view_copy *copy) {
	struct view_scene *scene = &presenter->scene;
	if (copy->layer == VIEW_LAYER_PICTURE) {
		const struct view_rect part = {copy->x, copy->y, copy->width, copy->height};
		scene->changed = view_rect_join(&scene->changed, &part);
	} else {
		scene->cursor_changed = true;
	}
	presenter->blits++;
}

enum view_copy_result view_presenter_copy(
	struct view_presenter *presenter, const struct view_copy *copy, VkResult *why) {
	assert(copy->offset % 4 == 0 && copy->stride % 4 == 0);
	if (!view_presenter_wait_copy(presenter)) {
		return VIEW_COPY_FAILED;
	}
	/* The whole image, so that later copies of other rectangles need no other import. */
	uint64_t end = copy->offset + (uint64_t)(copy->layer_height - 1) * copy->stride
		+ (uint64_t)copy->layer_width * 4;
	VkResult result = view_import_reach(copy->import, presenter->device, copy->offset, end);
	if (result == VK_SUCCESS) {
		result = prepare_texture(
			presenter, copy->layer, copy->layer_width, copy->layer_height);
	}
	if (result == VK_SUCCESS) {
		result = submit_copy(presenter, copy);
	}
	*why = result;
	if (result == VK_SUCCESS) {
		note_change(presenter, copy);
		return VIEW_COPIED;
	}
	if (is_refusal(result)) {
		return VIEW_COPY_REFUSED;
	}
	fail("copying", result);
	return VIEW_COPY_FAILED;
}

bool view_presenter_wait_copy(struct view_presenter *presenter) {
	if (!presenter->copy_running) {
		return true;
	}
	const struct view_device *device = presenter->device;
	VkResult result = device->vk.WaitForFences(
		device->handle, 1, &presenter->copy_done, VK_TRUE, COPY_TIMEOUT);
	if (result != VK_SUCCESS) {
		return fail("the GPU does not finish a copy", result);
	}
	presenter->copy_running = false;
	return true;
}

enum view_show_result view_presenter_show(struct view_presenter *presenter, uint64_t patience_ns) {
	if (!presenter->has_swapchain) {
		return VIEW_HIDDEN;
	}
	enum view_show_result result =
		view_swapchain_show(&presenter->swapchain, &presenter->scene, patience_ns);
	presenter->blits += result == VIEW_SHOWN;
	return result;
}

/* Where a screenshot is drawn, and where the CPU reads it. */
struct capture {
	struct view_pass pass;
	VkImage image;
	VkDeviceMemory image_memory;
	VkImageView view;
	VkFramebuffer framebuffer;
	VkBuffer buffer;
	VkDeviceMemory buffer_memory;
	bool coherent;
	VkCommandBuffer commands;
};

static VkResult capture_create_image(
	struct capture *capture, const struct view_device *device, uint32_t width, uint32_t height) {
	const VkImageCreateInfo image = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = CAPTURE_FORMAT,
		.extent = {width, height, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_OPTIMAL,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
	};
	VkResult result = device->vk.CreateImage(device->handle, &image, NULL, &capture->image);
	if (result != VK_SUCCESS) {
		return result;
	}
	VkMemoryRequirements needs;
	device->vk.GetImageMemoryRequirements(device->handle, capture->image, &needs);
	result = view_device_allocate(device, &needs, 0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
		&capture->image_memory, NULL);
	if (result == VK_SUCCESS) {
		result = device->vk.BindImageMemory(
			device->handle, capture->image, capture->image_memory, 0);
	}
	if (result != VK_SUCCESS) {
		return result;
	}
	const VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = capture->image,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = CAPTURE_FORMAT,
		.subresourceRange = {
			.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
			.levelCount = 1,
			.layerCount = 1,
		},
	};
	result = device->vk.CreateImageView(device->handle, &view, NULL, &capture->view);
	if (result != VK_SUCCESS) {
		return result;
	}
	const VkFramebufferCreateInfo framebuffer = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.renderPass = capture->pass.clear,
		.attachmentCount = 1,
		.pAttachments = &capture->view,
		.width = width,
		.height = height,
		.layers = 1,
	};
	return device->vk.CreateFramebuffer(
		device->handle, &framebuffer, NULL, &capture->framebuffer);
}

static VkResult capture_create_buffer(
	struct capture *capture, const struct view_device *device, VkDeviceSize size) {
	const VkBufferCreateInfo buffer = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkResult result = device->vk.CreateBuffer(device->handle, &buffer, NULL, &capture->buffer);
	if (result != VK_SUCCESS) {
		return result;
	}
	VkMemoryRequirements needs;
	device->vk.GetBufferMemoryRequirements(device->handle, capture->buffer, &needs);
	uint32_t type;
	result = view_device_allocate(device, &needs, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT,
		VK_MEMORY_PROPERTY_HOST_CACHED_BIT, &capture->buffer_memory, &type);
	if (result != VK_SUCCESS) {
		return result;
	}
	capture->coherent = device->memory.memoryTypes[type].propertyFlags
		& VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	return device->vk.BindBufferMemory(
		device->handle, capture->buffer, capture->buffer_memory, 0);
}

static VkResult capture_run(struct capture *capture, const struct view_presenter *presenter,
	uint32_t width, uint32_t height) {
	const struct view_device *device = presenter->device;
	const VkCommandBufferAllocateInfo commands = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = device->command_pool,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	VkResult result =
		device->vk.AllocateCommandBuffers(device->handle, &commands, &capture->commands);
	if (result != VK_SUCCESS) {
		capture->commands = VK_NULL_HANDLE;
		return result;
	}
	result = view_device_begin(device, capture->commands);
	if (result != VK_SUCCESS) {
		return result;
	}
	const struct view_target target = {
		.image = capture->image,
		.framebuffer = capture->framebuffer,
		.size = {width, height},
	};
	const struct view_rect whole = {.width = width, .height = height};
	view_compose(&presenter->composer, &capture->pass, capture->commands, &target,
		&presenter->scene, &whole);
	const VkBufferImageCopy region = {
		.imageSubresource = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT, .layerCount = 1},
		.imageExtent = {width, height, 1},
	};
	device->vk.CmdCopyImageToBuffer(capture->commands, capture->image,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, capture->buffer, 1, &region);
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_HOST_READ_BIT,
	};
	device->vk.CmdPipelineBarrier(capture->commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
		VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, NULL, 0, NULL);
	result = device->vk.EndCommandBuffer(capture->commands);
	if (result != VK_SUCCESS) {
		return result;
	}
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &capture->commands,
	};
	result = device->vk.QueueSubmit(device->queue, 1, &submit, VK_NULL_HANDLE);
	return result == VK_SUCCESS ? device->vk.QueueWaitIdle(device->queue) : result;
}

static VkResult capture_read(
	struct capture *capture, const struct view_device *device, uint8_t *pixels, size_t size) {
	void *mapped;
	VkResult result = device->vk.MapMemory(
		device->handle, capture->buffer_memory, 0, VK_WHOLE_SIZE, 0, &mapped);
	if (result != VK_SUCCESS) {
		return result;
	}
	if (!capture->coherent) {
		const VkMappedMemoryRange range = {
			.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
			.memory = capture->buffer_memory,
			.size = VK_WHOLE_SIZE,
		};
		result = device->vk.InvalidateMappedMemoryRanges(device->handle, 1, &range);
	}
	if (result == VK_SUCCESS) {
		memcpy(pixels, mapped, size);
	}
	device->vk.UnmapMemory(device->handle, capture->buffer_memory);
	return result;
}

bool view_presenter_capture(struct view_presenter *presenter, uint32_t width, uint32_t height,
	uint8_t **pixels) {
	const struct view_device *device = presenter->device;
	const size_t size = (size_t)width * height * CAPTURE_TEXEL_SIZE;
	struct capture capture = {0};
	*pixels = malloc(size);

	VkResult result = *pixels ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
	if (result == VK_SUCCESS) {
		result = view_pass_init(&capture.pass, &presenter->composer, CAPTURE_FORMAT,
			VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	}
	if (result == VK_SUCCESS) {
		result = capture_create_image(&capture, device, width, height);
	}
	if (result == VK_SUCCESS) {
		result = capture_create_buffer(&capture, device, size);
	}
	if (result == VK_SUCCESS) {
		result = capture_run(&capture, presenter, width, height);
	}
	if (result == VK_SUCCESS) {
		result = capture_read(&capture, device, *pixels, size);
	}

	if (capture.commands) {
		device->vk.FreeCommandBuffers(
			device->handle, device->command_pool, 1, &capture.commands);
	}
	device->vk.DestroyBuffer(device->handle, capture.buffer, NULL);
	device->vk.FreeMemory(device->handle, capture.buffer_memory, NULL);
	device->vk.DestroyFramebuffer(device->handle, capture.framebuffer, NULL);
	device->vk.DestroyImageView(device->handle, capture.view, NULL);
	device->vk.DestroyImage(device->handle, capture.image, NULL);
	device->vk.FreeMemory(device->handle, capture.image_memory, NULL);
	view_pass_finish(&capture.pass, &presenter->composer);

	if (result == VK_SUCCESS) {
		return true;
	}
	free(*pixels);
	*pixels = NULL;
	if (is_refusal(result)) {
		log_error("no screenshot of %" PRIu32 "x%" PRIu32 " pixels: %s", width, height,
			vk_result_name(result));
		return true;
	}
	return fail("taking a screenshot", result);
}
