/* SPDX-License-Identifier: MIT */

/*
 * All that a swapchain can be made of, and what may become of its images: presented, replaced,
 * given back, never used. The same without a window and with one. Nothing depends on how quickly
 * frames are shown.
 */

#include "presenter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_IMAGES 32
#define TOGETHER 3

static VkFence create_fence(struct presenter *presenter) {
	const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence;
	MUST(vkCreateFence(presenter->parity.device, &info, NULL, &fence));
	return fence;
}

static VkSemaphore create_semaphore(struct presenter *presenter) {
	const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	VkSemaphore semaphore;
	MUST(vkCreateSemaphore(presenter->parity.device, &info, NULL, &semaphore));
	return semaphore;
}

static void wait_for(struct presenter *presenter, VkFence fence) {
	MUST(vkWaitForFences(presenter->parity.device, 1, &fence, VK_TRUE, UINT64_MAX));
	MUST(vkResetFences(presenter->parity.device, 1, &fence));
}

static uint32_t get_images(struct presenter *presenter, VkSwapchainKHR swapchain, VkImage *images) {
	uint32_t count = MAX_IMAGES;
	MUST(vkGetSwapchainImagesKHR(presenter->parity.device, swapchain, &count, images));
	return count;
}

/* --- what there is --- */

static void say_modes(struct presenter *presenter, const VkPresentModeKHR *modes, uint32_t count) {
	struct parity *parity = &presenter->parity;
	PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR get =
		(PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR)vkGetInstanceProcAddr(
			parity->instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR");
	for (uint32_t i = 0; i < count; i++) {
		say("mode %d", modes[i]);
		if (!presenter->maintained) {
			continue;
		}
		VkSurfacePresentModeEXT mode = {
			.sType = VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT, .presentMode = modes[i]};
		const VkPhysicalDeviceSurfaceInfo2KHR info = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR,
			.pNext = &mode,
			.surface = presenter->surface,
		};
		VkPresentModeKHR alike[8];
		VkSurfacePresentModeCompatibilityEXT compatible = {
			.sType = VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT,
			.presentModeCount = COUNT(alike),
			.pPresentModes = alike,
		};
		VkSurfacePresentScalingCapabilitiesEXT scaling = {
			.sType = VK_STRUCTURE_TYPE_SURFACE_PRESENT_SCALING_CAPABILITIES_EXT,
			.pNext = &compatible,
		};
		VkSurfaceCapabilities2KHR limits = {
			.sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR, .pNext = &scaling};
		say_result("limits", get(parity->physical, &info, &limits));
		say("%u to %u images, scaling %x %x %x", limits.surfaceCapabilities.minImageCount,
			limits.surfaceCapabilities.maxImageCount, scaling.supportedPresentScaling,
			scaling.supportedPresentGravityX, scaling.supportedPresentGravityY);
		say_hash("alike", alike, compatible.presentModeCount * sizeof(alike[0]));
	}
}

static void say_group(struct presenter *presenter) {
	struct parity *parity = &presenter->parity;
	VkDeviceGroupPresentModeFlagsKHR modes = 0;
	SAY_RESULT(vkGetDeviceGroupSurfacePresentModesKHR(parity->device, presenter->surface, &modes));
	VkDeviceGroupPresentCapabilitiesKHR limits = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_CAPABILITIES_KHR};
	SAY_RESULT(vkGetDeviceGroupPresentCapabilitiesKHR(parity->device, &limits));
	VkRect2D rectangles[4];
	uint32_t count = COUNT(rectangles);
	SAY_RESULT(vkGetPhysicalDevicePresentRectanglesKHR(
		parity->physical, presenter->surface, &count, rectangles));
	say("modes %x, of the device %x, masks %x, %u rectangles", modes, limits.modes,
		limits.presentMask[0], count);
}

/* --- making them --- */

static void try_swapchain(
		struct presenter *presenter, const char *what, const VkSwapchainCreateInfoKHR *info) {
	const VkDevice device = presenter->parity.device;
	VkSwapchainKHR swapchain;
	const VkResult result = vkCreateSwapchainKHR(device, info, NULL, &swapchain);
	uint32_t count = 0;
	if (result == VK_SUCCESS) {
		MUST(vkGetSwapchainImagesKHR(device, swapchain, &count, NULL));
		vkDestroySwapchainKHR(device, swapchain, NULL);
	}
	say("%s: %d, %u images", what, result, count);
}

static void creations(
		struct presenter *presenter, const VkPresentModeKHR *modes, uint32_t mode_count) {
	struct parity *parity = &presenter->parity;
	const VkSurfaceCapabilitiesKHR *limits = &presenter->limits;
	const VkSwapchainCreateInfoKHR usual = presenter_swapchain_info(presenter, presenter->surface);
	VkSwapchainCreateInfoKHR info = usual;
	for (uint32_t count = limits->minImageCount; count <= 10; count++) {
		info.minImageCount = count;
		try_swapchain(presenter, "number", &info);
	}
	info = usual;
	VkSurfaceFormatKHR formats[32];
	uint32_t format_count = COUNT(formats);
	SAY_RESULT(vkGetPhysicalDeviceSurfaceFormatsKHR(
		parity->physical, presenter->surface, &format_count, formats));
	for (uint32_t i = 0; i < format_count; i++) {
		info.imageFormat = formats[i].format;
		info.imageColorSpace = formats[i].colorSpace;
		say("format %d, %d", info.imageFormat, info.imageColorSpace);
		try_swapchain(presenter, "format", &info);
	}
	info = usual;
	const VkExtent2D extents[] = {{1, 1}, {16, 32}, {632, 231}, {1, 4096}};
	for (size_t i = 0; i < COUNT(extents); i++) {
		info.imageExtent = extents[i];
		try_swapchain(presenter, "size", &info);
	}
	info = usual;
	for (uint32_t layers = 1; layers <= limits->maxImageArrayLayers && layers < 4; layers++) {
		info.imageArrayLayers = layers;
		try_swapchain(presenter, "layers", &info);
	}
	info = usual;
	for (info.imageUsage = 1; info.imageUsage < 0x100; info.imageUsage++) {
		VkImageFormatProperties properties;
		if (!(info.imageUsage & ~limits->supportedUsageFlags) &&
				vkGetPhysicalDeviceImageFormatProperties(parity->physical, info.imageFormat,
					VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL, info.imageUsage, 0,
					&properties) == VK_SUCCESS) {
			try_swapchain(presenter, "usage", &info);
		}
	}
	info = usual;
	for (uint32_t alpha = 1; alpha < 0x10; alpha *= 2) {
		if (limits->supportedCompositeAlpha & alpha) {
			info.compositeAlpha = (VkCompositeAlphaFlagBitsKHR)alpha;
			try_swapchain(presenter, "alpha", &info);
		}
	}
	info = usual;
	for (uint32_t i = 0; i < mode_count; i++) {
		info.presentMode = modes[i];
		info.clipped = i % 2;
		try_swapchain(presenter, "mode", &info);
	}
	info = usual;
	info.queueFamilyIndexCount = 2; /* means nothing for one family */
	try_swapchain(presenter, "families", &info);
}

/* --- using them --- */

/** Acquires, clears and presents, `count` times; how often that failed. */
static uint32_t frames(
		struct presenter *presenter, VkSwapchainKHR swapchain, uint32_t count, const void *next) {
	struct parity *parity = &presenter->parity;
	VkImage images[MAX_IMAGES];
	const uint32_t image_count = get_images(presenter, swapchain, images);
	VkSemaphore acquired = create_semaphore(presenter), done = create_semaphore(presenter);
	VkFence fence = create_fence(presenter);
	uint32_t failed = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = UINT32_MAX;
		const VkAcquireNextImageInfoKHR acquire = {
			.sType = VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR,
			.swapchain = swapchain,
			.timeout = UINT64_MAX,
			.semaphore = acquired,
			.deviceMask = 1,
		};
		const VkResult result = i % 2 ?
			vkAcquireNextImage2KHR(parity->device, &acquire, &index) :
			vkAcquireNextImageKHR(
				parity->device, swapchain, UINT64_MAX, acquired, VK_NULL_HANDLE, &index);
		if (result != VK_SUCCESS || index >= image_count) {
			say("frame %u: %d", i, result);
			failed++;
			break;
		}
		VkCommandBuffer commands = presenter_clear(presenter, images[index], (float)i / 64);
		const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
		const VkSubmitInfo submit = {
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.waitSemaphoreCount = 1,
			.pWaitSemaphores = &acquired,
			.pWaitDstStageMask = &stage,
			.commandBufferCount = 1,
			.pCommandBuffers = &commands,
			.signalSemaphoreCount = 1,
			.pSignalSemaphores = &done,
		};
		MUST(vkQueueSubmit(parity->queue, 1, &submit, fence));
		VkResult of_swapchain = VK_NOT_READY;
		const VkPresentInfoKHR present = {
			.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
			.pNext = next,
			.waitSemaphoreCount = 1,
			.pWaitSemaphores = &done,
			.swapchainCount = 1,
			.pSwapchains = &swapchain,
			.pImageIndices = &index,
			.pResults = &of_swapchain,
		};
		failed += vkQueuePresentKHR(parity->queue, &present) != VK_SUCCESS;
		failed += of_swapchain != VK_SUCCESS;
		wait_for(presenter, fence);
		const VkSwapchainPresentFenceInfoEXT *fences = next;
		if (fences && fences->sType == VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT) {
			wait_for(presenter, fences->pFences[0]);
		}
		vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
	}
	MUST(vkQueueWaitIdle(parity->queue));
	vkDestroyFence(parity->device, fence, NULL);
	vkDestroySemaphore(parity->device, acquired, NULL);
	vkDestroySemaphore(parity->device, done, NULL);
	return failed;
}

/** With everything that a presentation may carry. */
static void presentations(struct presenter *presenter, VkSwapchainKHR swapchain) {
	const uint32_t mask = 1;
	const VkDeviceGroupPresentInfoKHR group = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_INFO_KHR,
		.swapchainCount = 1,
		.pDeviceMasks = &mask,
		.mode = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR,
	};
	say("%u failed", frames(presenter, swapchain, 10, NULL));
	say("for a group %u failed", frames(presenter, swapchain, 4, &group));
	if (presenter->maintained) {
		VkFence fence = create_fence(presenter);
		const VkSwapchainPresentFenceInfoEXT fences = {
			.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT,
			.swapchainCount = 1,
			.pFences = &fence,
		};
		say("with fences %u failed", frames(presenter, swapchain, 8, &fences));
		vkDestroyFence(presenter->parity.device, fence, NULL);
	}
}

/** Acquires an image, has another swapchain take this one's place, and presents it all the same. */
static VkSwapchainKHR replaced(struct presenter *presenter, VkSwapchainKHR old,
		const VkSwapchainCreateInfoKHR *usual) {
	struct parity *parity = &presenter->parity;
	VkImage images[MAX_IMAGES];
	const uint32_t count = get_images(presenter, old, images);
	uint32_t half = count / 2;
	VkImage some[MAX_IMAGES] = {VK_NULL_HANDLE};
	SAY_RESULT(vkGetSwapchainImagesKHR(parity->device, old, &half, some));
	say("not more than there is room: %d", half == count / 2 && !some[half]);
	VkFence fence = create_fence(presenter);
	uint32_t index;
	SAY_RESULT(vkAcquireNextImageKHR(
		parity->device, old, UINT64_MAX, VK_NULL_HANDLE, fence, &index));
	wait_for(presenter, fence);
	VkCommandBuffer commands = presenter_clear(presenter, images[index], 1);
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	MUST(vkQueueSubmit(parity->queue, 1, &submit, fence));
	wait_for(presenter, fence);
	vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
	VkSwapchainCreateInfoKHR info = *usual;
	info.oldSwapchain = old;
	VkSwapchainKHR swapchain;
	MUST(vkCreateSwapchainKHR(parity->device, &info, NULL, &swapchain));
	const VkPresentInfoKHR present = {
		.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
		.swapchainCount = 1,
		.pSwapchains = &old,
		.pImageIndices = &index,
	};
	SAY_RESULT(vkQueuePresentKHR(parity->queue, &present));
	MUST(vkQueueWaitIdle(parity->queue));
	vkDestroySwapchainKHR(parity->device, old, NULL);
	vkDestroyFence(parity->device, fence, NULL);
	say("in its place %u failed", frames(presenter, swapchain, 5, NULL));
	return swapchain;
}

/** One image more than there are. */
static void used_up(struct presenter *presenter, const VkSwapchainCreateInfoKHR *info) {
	struct parity *parity = &presenter->parity;
	for (uint64_t timeout = 0; timeout <= 5000000; timeout += 5000000) {
		VkSwapchainKHR swapchain;
		MUST(vkCreateSwapchainKHR(parity->device, info, NULL, &swapchain));
		VkImage images[MAX_IMAGES];
		const uint32_t count = get_images(presenter, swapchain, images);
		VkFence fence = create_fence(presenter);
		uint32_t index;
		for (uint32_t i = 0; i < count; i++) {
			const VkResult result = vkAcquireNextImageKHR(
				parity->device, swapchain, UINT64_MAX, VK_NULL_HANDLE, fence, &index);
			say("image %u: %d", i, result);
			wait_for(presenter, fence);
		}
		say_result("one more", vkAcquireNextImageKHR(
			parity->device, swapchain, timeout, VK_NULL_HANDLE, fence, &index));
		vkDestroySwapchainKHR(parity->device, swapchain, NULL);
		vkDestroyFence(parity->device, fence, NULL);
	}
}

static void given_back(struct presenter *presenter, VkSwapchainKHR swapchain) {
	struct parity *parity = &presenter->parity;
	PROC(parity, vkReleaseSwapchainImagesEXT);
	VkFence fence = create_fence(presenter);
	uint32_t failed = 0;
	for (uint32_t i = 0; i < 12; i++) {
		uint32_t index = 0;
		failed += vkAcquireNextImageKHR(parity->device, swapchain, UINT64_MAX, VK_NULL_HANDLE,
			fence, &index) != VK_SUCCESS;
		wait_for(presenter, fence);
		const VkReleaseSwapchainImagesInfoEXT info = {
			.sType = VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_EXT,
			.swapchain = swapchain,
			.imageIndexCount = 1,
			.pImageIndices = &index,
		};
		failed += vkReleaseSwapchainImagesEXT(parity->device, &info) != VK_SUCCESS;
	}
	vkDestroyFence(parity->device, fence, NULL);
	say("given back: %u failed; then %u", failed, frames(presenter, swapchain, 4, NULL));
}

/** Images of the program's that are bound to the memory of a swapchain's. */
static void aliases(struct presenter *presenter, const VkSwapchainCreateInfoKHR *usual) {
	struct parity *parity = &presenter->parity;
	for (int deferred = 0; deferred <= (presenter->maintained ? 1 : 0); deferred++) {
		VkSwapchainCreateInfoKHR info = *usual;
		info.flags = deferred ? VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_EXT : 0;
		VkSwapchainKHR swapchain;
		MUST(vkCreateSwapchainKHR(parity->device, &info, NULL, &swapchain));
		VkFence fence = create_fence(presenter);
		uint32_t index = 0;
		SAY_RESULT(vkAcquireNextImageKHR(
			parity->device, swapchain, UINT64_MAX, VK_NULL_HANDLE, fence, &index));
		wait_for(presenter, fence);
		const VkImageSwapchainCreateInfoKHR of_swapchain = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR,
			.swapchain = swapchain,
		};
		const VkImageCreateInfo image_info = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
			.pNext = &of_swapchain,
			.imageType = VK_IMAGE_TYPE_2D,
			.format = info.imageFormat,
			.extent = {info.imageExtent.width, info.imageExtent.height, 1},
			.mipLevels = 1,
			.arrayLayers = 1,
			.samples = VK_SAMPLE_COUNT_1_BIT,
			.usage = info.imageUsage,
		};
		VkImage alias;
		SAY_RESULT(vkCreateImage(parity->device, &image_info, NULL, &alias));
		const VkBindImageMemorySwapchainInfoKHR bind_swapchain = {
			.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR,
			.swapchain = swapchain,
			.imageIndex = index,
		};
		const VkBindImageMemoryInfo bind = {
			.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
			.pNext = &bind_swapchain,
			.image = alias,
		};
		SAY_RESULT(vkBindImageMemory2(parity->device, 1, &bind));
		VkCommandBuffer commands = presenter_clear(presenter, alias, 0.75f);
		const VkSubmitInfo submit = {
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.commandBufferCount = 1,
			.pCommandBuffers = &commands,
		};
		SAY_RESULT(vkQueueSubmit(parity->queue, 1, &submit, fence));
		wait_for(presenter, fence);
		vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
		const VkPresentInfoKHR present = {
			.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
			.swapchainCount = 1,
			.pSwapchains = &swapchain,
			.pImageIndices = &index,
		};
		SAY_RESULT(vkQueuePresentKHR(parity->queue, &present));
		MUST(vkQueueWaitIdle(parity->queue));
		vkDestroyImage(parity->device, alias, NULL);
		vkDestroyFence(parity->device, fence, NULL);
		vkDestroySwapchainKHR(parity->device, swapchain, NULL);
	}
}

/** Several surfaces, all presented at once. */
static void together(struct presenter *presenter) {
	struct parity *parity = &presenter->parity;
	VkSurfaceKHR surfaces[TOGETHER];
	VkSwapchainKHR swapchains[TOGETHER];
	VkImage images[TOGETHER][MAX_IMAGES];
	VkFence fence = create_fence(presenter);
	for (size_t i = 0; i < TOGETHER; i++) {
		surfaces[i] = presenter_surface(presenter);
		const VkSwapchainCreateInfoKHR info = presenter_swapchain_info(presenter, surfaces[i]);
		MUST(vkCreateSwapchainKHR(parity->device, &info, NULL, &swapchains[i]));
		get_images(presenter, swapchains[i], images[i]);
	}
	uint32_t failed = 0;
	for (uint32_t frame = 0; frame < 6; frame++) {
		uint32_t indices[TOGETHER];
		VkResult results[TOGETHER];
		for (size_t i = 0; i < TOGETHER; i++) {
			failed += vkAcquireNextImageKHR(parity->device, swapchains[i], UINT64_MAX,
				VK_NULL_HANDLE, fence, &indices[i]) != VK_SUCCESS;
			wait_for(presenter, fence);
			VkCommandBuffer commands = presenter_clear(presenter, images[i][indices[i]], 0);
			const VkSubmitInfo submit = {
				.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
				.commandBufferCount = 1,
				.pCommandBuffers = &commands,
			};
			MUST(vkQueueSubmit(parity->queue, 1, &submit, fence));
			wait_for(presenter, fence);
			vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
			results[i] = VK_NOT_READY;
		}
		const VkPresentInfoKHR present = {
			.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
			.swapchainCount = TOGETHER,
			.pSwapchains = swapchains,
			.pImageIndices = indices,
			.pResults = results,
		};
		failed += vkQueuePresentKHR(parity->queue, &present) != VK_SUCCESS;
		for (size_t i = 0; i < TOGETHER; i++) {
			failed += results[i] != VK_SUCCESS;
		}
	}
	say("together %u failed", failed);
	MUST(vkQueueWaitIdle(parity->queue));
	for (size_t i = 0; i < TOGETHER; i++) {
		vkDestroySwapchainKHR(parity->device, swapchains[i], NULL);
		vkDestroySurfaceKHR(parity->instance, surfaces[i], NULL);
	}
	vkDestroyFence(parity->device, fence, NULL);
}

static void all(bool window) {
	struct presenter presenter;
	if (!presenter_init(&presenter, window)) {
		return;
	}
	struct parity *parity = &presenter.parity;
	const VkSurfaceCapabilitiesKHR *limits = &presenter.limits;
	say("%u to %u images of %u x %u, at most %u x %u, %u layers; %x %x %x", limits->minImageCount,
		limits->maxImageCount, limits->currentExtent.width, limits->currentExtent.height,
		limits->maxImageExtent.width, limits->maxImageExtent.height,
		limits->maxImageArrayLayers, limits->supportedTransforms,
		limits->supportedCompositeAlpha, limits->supportedUsageFlags);
	VkPresentModeKHR modes[8];
	uint32_t mode_count = COUNT(modes);
	SAY_RESULT(vkGetPhysicalDeviceSurfacePresentModesKHR(
		parity->physical, presenter.surface, &mode_count, modes));
	say_modes(&presenter, modes, mode_count);
	say_group(&presenter);
	creations(&presenter, modes, mode_count);
	for (uint32_t i = 0; i < mode_count; i++) {
		VkSwapchainCreateInfoKHR info = presenter_swapchain_info(&presenter, presenter.surface);
		info.presentMode = modes[i];
		VkSwapchainKHR swapchain;
		say("mode %d", modes[i]);
		MUST(vkCreateSwapchainKHR(parity->device, &info, NULL, &swapchain));
		presentations(&presenter, swapchain);
		swapchain = replaced(&presenter, swapchain, &info);
		if (presenter.maintained) {
			given_back(&presenter, swapchain);
		}
		vkDestroySwapchainKHR(parity->device, swapchain, NULL);
		used_up(&presenter, &info);
		aliases(&presenter, &info);
	}
	together(&presenter);
	presenter_finish(&presenter);
}

static void without(struct parity *unused) {
	(void)unused;
	all(false);
}

static void with(struct parity *unused) {
	(void)unused;
	all(true);
}

const struct parity_case parity_window_cases[] = {
	{"windows without", without},
	{"windows with", with},
	{NULL, NULL},
};
