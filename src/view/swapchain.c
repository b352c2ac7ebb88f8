/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "view/swapchain.h"
#include "vk/count.h"

/* A GPU that takes longer for one frame is lost. */
#define FRAME_TIMEOUT (10 * CLOCK_NS_PER_S)

static enum view_show_result fail(const char *what, VkResult result) {
	log_error("cannot show the picture: %s: %s", what, vk_result_name(result));
	return VIEW_FAILED;
}

/* Guests send bytes that are meant for the screen as they are: no sRGB conversion on the way. */
static bool choose_format(struct view_swapchain *swapchain) {
	static const VkFormat wanted[] = {
		VK_FORMAT_B8G8R8A8_UNORM,
		VK_FORMAT_R8G8B8A8_UNORM,
		VK_FORMAT_A8B8G8R8_UNORM_PACK32,
		VK_FORMAT_A2B10G10R10_UNORM_PACK32,
		VK_FORMAT_A2R10G10B10_UNORM_PACK32,
	};
	const struct view_device *device = swapchain->device;
	const struct vk_instance_table *vk = &device->instance->table;
	uint32_t count = 0;
	vk->GetPhysicalDeviceSurfaceFormatsKHR(device->physical, swapchain->surface, &count, NULL);
	const uint32_t room = count = vk_count(count, VK_COUNT_MAX);
	VkSurfaceFormatKHR *formats = count ? calloc(count, sizeof(formats[0])) : NULL;
	if (!formats || vk->GetPhysicalDeviceSurfaceFormatsKHR(
			device->physical, swapchain->surface, &count, formats) < 0 || count == 0) {
		free(formats);
		return false;
	}
	count = vk_count(count, room);
	swapchain->format = formats[0];
	bool found = false;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && !found; i++) {
		for (uint32_t j = 0; j < count && !found; j++) {
			found = formats[j].format == wanted[i]
				&& formats[j].colorSpace == VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
			if (found) {
				swapchain->format = formats[j];
			}
		}
	}
	if (!found) {
		log_warn("the display takes none of the usual formats: colours may be off");
	}
	free(formats);
	return true;
}

static void choose_present_mode(struct view_swapchain *swapchain, enum view_present_mode mode) {
	static const struct {
		VkPresentModeKHR mode;
		const char *name;
	} modes[] = {
		[VIEW_PRESENT_FIFO] = {VK_PRESENT_MODE_FIFO_KHR, "fifo"},
		[VIEW_PRESENT_MAILBOX] = {VK_PRESENT_MODE_MAILBOX_KHR, "mailbox"},
		[VIEW_PRESENT_IMMEDIATE] = {VK_PRESENT_MODE_IMMEDIATE_KHR, "immediate"},
	};
	swapchain->present_mode = VK_PRESENT_MODE_FIFO_KHR; /* there is always this one */
	if (mode == VIEW_PRESENT_FIFO) {
		return;
	}
	const struct view_device *device = swapchain->device;
	VkPresentModeKHR offered[16]; /* more than there are */
	uint32_t count = sizeof(offered) / sizeof(offered[0]);
	if (device->instance->table.GetPhysicalDeviceSurfacePresentModesKHR(
			device->physical, swapchain->surface, &count, offered) >= 0) {
		count = vk_count(count, sizeof(offered) / sizeof(offered[0]));
		for (uint32_t i = 0; i < count; i++) {
			if (offered[i] == modes[mode].mode) {
				swapchain->present_mode = offered[i];
				return;
			}
		}
	}
	log_warn("the display has no present mode '%s': using fifo", modes[mode].name);
}

static VkResult create_semaphore(const struct view_device *device, VkSemaphore *semaphore) {
	const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	return device->vk.CreateSemaphore(device->handle, &info, NULL, semaphore);
}

static VkResult create_frames(struct view_swapchain *swapchain) {
	const struct view_device *device = swapchain->device;
	for (int i = 0; i < VIEW_FRAMES_IN_FLIGHT; i++) {
		struct view_swapchain_frame *frame = &swapchain->frames[i];
		const VkCommandBufferAllocateInfo commands = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
			.commandPool = device->command_pool,
			.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
			.commandBufferCount = 1,
		};
		const VkFenceCreateInfo fence = {
			.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
			.flags = VK_FENCE_CREATE_SIGNALED_BIT,
		};
		VkResult result =
			device->vk.AllocateCommandBuffers(device->handle, &commands, &frame->commands);
		if (result == VK_SUCCESS) {
			result = device->vk.CreateFence(device->handle, &fence, NULL, &frame->done);
		}
		if (result == VK_SUCCESS) {
			result = create_semaphore(device, &frame->acquired);
		}
		if (result != VK_SUCCESS) {
			return result;
		}
	}
	return VK_SUCCESS;
}

bool view_swapchain_init(struct view_swapchain *swapchain, const struct view_composer *composer,
	VkSurfaceKHR surface, enum view_present_mode mode, struct vk_error *error) {
	*swapchain = (struct view_swapchain){
		.device = composer->device,
		.composer = composer,
		.surface = surface,
	};
	if (!choose_format(swapchain)) {
		vk_error_set(error, "%s: the Vulkan driver has no format for this display: use "
			"--display=headless", composer->device->properties.deviceName);
		return false;
	}
	choose_present_mode(swapchain, mode);
	VkResult result = view_pass_init(&swapchain->pass, composer, swapchain->format.format,
		VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
	if (result == VK_SUCCESS) {
		result = create_frames(swapchain);
	}
	if (result != VK_SUCCESS) {
		vk_error_set(error, "cannot prepare drawing on the window: %s", vk_result_name(result));
		view_swapchain_finish(swapchain);
		return false;
	}
	return true;
}

static void destroy_images(struct view_swapchain *swapchain) {
	const struct view_device *device = swapchain->device;
	for (uint32_t i = 0; i < swapchain->image_count; i++) {
		struct view_swapchain_image *image = &swapchain->images[i];
		device->vk.DestroySemaphore(device->handle, image->drawn, NULL);
		device->vk.DestroyFramebuffer(device->handle, image->framebuffer, NULL);
		device->vk.DestroyImageView(device->handle, image->view, NULL);
	}
	free(swapchain->images);
	swapchain->images = NULL;
	swapchain->image_count = 0;
}

void view_swapchain_finish(struct view_swapchain *swapchain) {
	const struct view_device *device = swapchain->device;
	if (!device) {
		return;
	}
	device->vk.DeviceWaitIdle(device->handle);
	destroy_images(swapchain);
	if (swapchain->handle) {
		device->vk.DestroySwapchainKHR(device->handle, swapchain->handle, NULL);
	}
	for (int i = 0; i < VIEW_FRAMES_IN_FLIGHT; i++) {
		struct view_swapchain_frame *frame = &swapchain->frames[i];
		device->vk.DestroySemaphore(device->handle, frame->acquired, NULL);
		device->vk.DestroyFence(device->handle, frame->done, NULL);
		if (frame->commands) {
			device->vk.FreeCommandBuffers(
				device->handle, device->command_pool, 1, &frame->commands);
		}
	}
	view_pass_finish(&swapchain->pass, swapchain->composer);
	*swapchain = (struct view_swapchain){0};
}

void view_swapchain_resize(struct view_swapchain *swapchain, uint32_t width, uint32_t height) {
	swapchain->window_width = width;
	swapchain->window_height = height;
	swapchain->stale |= width != swapchain->size.width || height != swapchain->size.height;
}

static struct view_rect whole_image(const struct view_swapchain *swapchain) {
	return (struct view_rect){
		.width = swapchain->size.width,
		.height = swapchain->size.height,
	};
}

static VkResult create_image(struct view_swapchain *swapchain, VkImage handle,
	struct view_swapchain_image *image) {
	const struct view_device *device = swapchain->device;
	image->handle = handle;
	image->old = whole_image(swapchain);
	const VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = handle,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = swapchain->format.format,
		.subresourceRange = {
			.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
			.levelCount = 1,
			.layerCount = 1,
		},
	};
	VkResult result = device->vk.CreateImageView(device->handle, &view, NULL, &image->view);
	if (result != VK_SUCCESS) {
		return result;
	}
	const VkFramebufferCreateInfo framebuffer = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.renderPass = swapchain->pass.clear,
		.attachmentCount = 1,
		.pAttachments = &image->view,
		.width = swapchain->size.width,
		.height = swapchain->size.height,
		.layers = 1,
	};
	result = device->vk.CreateFramebuffer(
		device->handle, &framebuffer, NULL, &image->framebuffer);
	return result == VK_SUCCESS ? create_semaphore(device, &image->drawn) : result;
}

static VkResult create_images(struct view_swapchain *swapchain) {
	const struct view_device *device = swapchain->device;
	uint32_t count = 0;
	VkResult result = device->vk.GetSwapchainImagesKHR(
		device->handle, swapchain->handle, &count, NULL);
	if (result != VK_SUCCESS) {
		return result;
	}
	count = vk_count(count, VK_COUNT_MAX);
	VkImage *handles = calloc(count, sizeof(handles[0]));
	swapchain->images = calloc(count, sizeof(swapchain->images[0]));
	if (!handles || !swapchain->images) {
		free(handles);
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	swapchain->image_count = count;
	result = device->vk.GetSwapchainImagesKHR(
		device->handle, swapchain->handle, &count, handles);
	for (uint32_t i = 0; i < vk_count(count, swapchain->image_count) && result == VK_SUCCESS; i++) {
		result = create_image(swapchain, handles[i], &swapchain->images[i]);
	}
	free(handles);
	return result;
}

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high) {
	return value < low ? low : value > high ? high : value;
}

/* What may be copied into an image of this format as it is; false: nothing. */
static bool order_of_format(VkFormat format, struct view_components *order) {
	switch (format) {
	case VK_FORMAT_B8G8R8A8_UNORM:
		*order = (struct view_components){.red = 2, .green = 1, .blue = 0, .alpha = 4};
		return true;
	case VK_FORMAT_R8G8B8A8_UNORM:
	case VK_FORMAT_A8B8G8R8_UNORM_PACK32: /* a number, whose low byte comes first */
		*order = (struct view_components){.red = 0, .green = 1, .blue = 2, .alpha = 4};
		return true;
	default:
		return false;
	}
}

/* Makes the swapchain anew for the window as it is. VIEW_SHOWN: it can be drawn on. */
static enum view_show_result recreate(struct view_swapchain *swapchain) {
	const struct view_device *device = swapchain->device;
	VkSurfaceCapabilitiesKHR surface;
	VkResult result = device->instance->table.GetPhysicalDeviceSurfaceCapabilitiesKHR(
		device->physical, swapchain->surface, &surface);
	if (result != VK_SUCCESS) {
		return fail("the window's surface is of no use", result);
	}
	VkExtent2D size = surface.currentExtent;
	if (size.width == UINT32_MAX) { /* the swapchain decides, and the window follows */
		size.width = clamp(swapchain->window_width, surface.minImageExtent.width,
			surface.maxImageExtent.width);
		size.height = clamp(swapchain->window_height, surface.minImageExtent.height,
			surface.maxImageExtent.height);
	}
	if (size.width == 0 || size.height == 0 || surface.maxImageExtent.width == 0) {
		return VIEW_HIDDEN;
	}

	uint32_t image_count = surface.minImageCount + 1;
	if (surface.maxImageCount && image_count > surface.maxImageCount) {
		image_count = surface.maxImageCount;
	}
	static const VkCompositeAlphaFlagBitsKHR alphas[] = {
		VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR, VK_COMPOSITE_ALPHA_INHERIT_BIT_KHR,
		VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR, VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR,
	};
	size_t alpha = 0; /* all are the same to us: what we draw is opaque */
	while (alpha < 3 && !(surface.supportedCompositeAlpha & alphas[alpha])) {
		alpha++;
	}
	/* whose alpha counts, into that nothing is copied */
	swapchain->takes_copies = surface.supportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_DST_BIT
		&& alphas[alpha] == VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR
		&& order_of_format(swapchain->format.format, &swapchain->order);
	const bool as_is = surface.supportedTransforms & VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR;
	const VkSwapchainCreateInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
		.surface = swapchain->surface,
		.minImageCount = image_count,
		.imageFormat = swapchain->format.format,
		.imageColorSpace = swapchain->format.colorSpace,
		.imageExtent = size,
		.imageArrayLayers = 1,
		.imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT
			| (swapchain->takes_copies ? VK_IMAGE_USAGE_TRANSFER_DST_BIT : 0),
		.imageSharingMode = VK_SHARING_MODE_EXCLUSIVE,
		.preTransform = as_is ? VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR
			: surface.currentTransform,
		.compositeAlpha = alphas[alpha],
		.presentMode = swapchain->present_mode,
		.clipped = device->keeps_images ? VK_FALSE : VK_TRUE,
		.oldSwapchain = swapchain->handle,
	};
	VkSwapchainKHR handle = VK_NULL_HANDLE;
	device->vk.DeviceWaitIdle(device->handle);
	result = device->vk.CreateSwapchainKHR(device->handle, &info, NULL, &handle);
	/* the old one is retired even if there is no new one */
	destroy_images(swapchain);
	if (swapchain->handle) {
		device->vk.DestroySwapchainKHR(device->handle, swapchain->handle, NULL);
	}
	swapchain->handle = result == VK_SUCCESS ? handle : VK_NULL_HANDLE;
	swapchain->size = size;
	swapchain->stale = false;
	swapchain->changed = whole_image(swapchain);
	if (result == VK_SUCCESS) {
		result = create_images(swapchain);
	}
	if (result != VK_SUCCESS) {
		return fail("no swapchain for the window", result);
	}
	log_debug("window: %" PRIu32 "x%" PRIu32 ", %" PRIu32 " images", size.width, size.height,
		swapchain->image_count);
	return VIEW_SHOWN;
}

/* Takes over what is new in the scene: no image shows it yet. */
static void note_changes(struct view_swapchain *swapchain, struct view_scene *scene) {
	const struct view_rect difference =
		view_scene_difference(&swapchain->shown, scene, swapchain->size);
	for (uint32_t i = 0; i < swapchain->image_count; i++) {
		struct view_rect *old = &swapchain->images[i].old;
		*old = view_rect_join(old, &difference);
	}
	swapchain->changed = view_rect_join(&swapchain->changed, &difference);
	scene->changed = (struct view_rect){0};
	scene->cursor_changed = false;
	scene->lost = false;
	swapchain->shown = *scene;
}

static VkResult draw(struct view_swapchain *swapchain, struct view_swapchain_frame *frame,
	struct view_swapchain_image *image, const struct view_scene *scene) {
	const struct view_device *device = swapchain->device;
	VkResult result = device->vk.ResetFences(device->handle, 1, &frame->done);
	if (result == VK_SUCCESS) {
		result = view_device_begin(device, frame->commands);
	}
	if (result != VK_SUCCESS) {
		return result;
	}
	if (!device->keeps_images) {
		image->old = whole_image(swapchain);
	}
	if (!view_rect_is_empty(&image->old)) {
		const struct view_target target = {
			.image = image->handle,
			.framebuffer = image->framebuffer,
			.size = swapchain->size,
			.takes_copies = swapchain->takes_copies,
			.order = swapchain->order,
		};
		view_compose(swapchain->composer, &swapchain->pass, frame->commands, &target, scene,
			&image->old);
	}
	image->old = (struct view_rect){0};
	result = device->vk.EndCommandBuffer(frame->commands);
	if (result != VK_SUCCESS) {
		return result;
	}
	const VkPipelineStageFlags wait_stages =
		VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &frame->acquired,
		.pWaitDstStageMask = &wait_stages,
		.commandBufferCount = 1,
		.pCommandBuffers = &frame->commands,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &image->drawn,
	};
	return device->vk.QueueSubmit(device->queue, 1, &submit, frame->done);
}

static VkResult present(struct view_swapchain *swapchain, uint32_t index) {
	const struct view_device *device = swapchain->device;
	const struct view_rect *changed = &swapchain->changed;
	const VkRectLayerKHR rectangle = {
		.offset = {(int32_t)changed->x, (int32_t)changed->y},
		.extent = {changed->width, changed->height},
	};
	const VkPresentRegionKHR region = {
		.rectangleCount = view_rect_is_empty(changed) ? 0 : 1,
		.pRectangles = &rectangle,
	};
	const VkPresentRegionsKHR regions = {
		.sType = VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR,
		.swapchainCount = 1,
		.pRegions = &region,
	};
	const VkPresentInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
		.pNext = device->incremental_present ? &regions : NULL,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &swapchain->images[index].drawn,
		.swapchainCount = 1,
		.pSwapchains = &swapchain->handle,
		.pImageIndices = &index,
	};
	VkResult result = device->vk.QueuePresentKHR(device->queue, &info);
	swapchain->changed = (struct view_rect){0};
	return result;
}

enum view_show_result view_swapchain_show(
	struct view_swapchain *swapchain, struct view_scene *scene, uint64_t patience_ns) {
	const struct view_device *device = swapchain->device;
	if (swapchain->window_width == 0 || swapchain->window_height == 0) {
		return VIEW_HIDDEN;
	}

	/* Twice at most: a window that changes its size all the time must not hold up the guest. */
	for (int attempt = 0; attempt < 2; attempt++) {
		if (!swapchain->handle || swapchain->stale) {
			enum view_show_result ready = recreate(swapchain);
			if (ready != VIEW_SHOWN) {
				return ready;
			}
		}
		note_changes(swapchain, scene);
		struct view_swapchain_frame *frame = &swapchain->frames[swapchain->next_frame];
		VkResult result = device->vk.WaitForFences(
			device->handle, 1, &frame->done, VK_TRUE, FRAME_TIMEOUT);
		if (result != VK_SUCCESS) {
			return fail("the GPU does not finish", result);
		}

		uint32_t index;
		result = device->vk.AcquireNextImageKHR(device->handle, swapchain->handle, patience_ns,
			frame->acquired, VK_NULL_HANDLE, &index);
		if (result == VK_TIMEOUT || result == VK_NOT_READY) {
			return VIEW_BUSY;
		}
		if (result == VK_ERROR_OUT_OF_DATE_KHR) {
			swapchain->stale = true;
			continue;
		}
		if (result != VK_SUCCESS && result != VK_SUBOPTIMAL_KHR) {
			return fail("no image to draw on", result);
		}

		result = draw(swapchain, frame, &swapchain->images[index], scene);
		if (result != VK_SUCCESS) {
			return fail("drawing", result);
		}
		swapchain->next_frame = (swapchain->next_frame + 1) % VIEW_FRAMES_IN_FLIGHT;
		result = present(swapchain, index);
		if (result == VK_SUCCESS || result == VK_SUBOPTIMAL_KHR) {
			/* Suboptimal is shown all the same; a change of size is heard of from the window. */
			return VIEW_SHOWN;
		}
		if (result != VK_ERROR_OUT_OF_DATE_KHR) {
			return fail("presenting", result);
		}
		swapchain->stale = true;
	}
	return VIEW_HIDDEN;
}
