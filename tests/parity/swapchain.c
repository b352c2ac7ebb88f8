/* SPDX-License-Identifier: MIT */

/* Swapchains of a surface without a window: the only one that is there on every machine. */

#include "presenter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIZE PRESENTER_SIZE

/** Acquires an image, clears it, says what is in it, and presents it. */
static void frame(struct parity *parity, VkSwapchainKHR swapchain, const VkImage *images,
		const VkSemaphore *semaphores, VkFence fence, uint32_t number) {
	uint32_t index = 0;
	SAY_RESULT(vkAcquireNextImageKHR(
		parity->device, swapchain, UINT64_MAX, semaphores[0], fence, &index));
	MUST(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
	MUST(vkResetFences(parity->device, 1, &fence));
	const struct parity_image image = {
		.image = images[index],
		.info = {.extent = {SIZE, SIZE, 1}, .arrayLayers = 1},
		.aspects = VK_IMAGE_ASPECT_COLOR_BIT,
	};
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(
		commands, &image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
	const VkClearColorValue clear = {.float32 = {(float)number / 8, 0.5f, 0.25f, 1}};
	const VkImageSubresourceRange range = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
	vkCmdClearColorImage(
		commands, image.image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &clear, 1, &range);
	parity_transition(commands, &image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_run(parity, commands);
	parity_say_image(parity, "frame", &image, 4);

	commands = parity_begin(parity);
	parity_transition(commands, &image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
	MUST(vkEndCommandBuffer(commands));
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &semaphores[0],
		.pWaitDstStageMask = &stage,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &semaphores[1],
	};
	MUST(vkQueueSubmit(parity->queue, 1, &submit, VK_NULL_HANDLE));
	VkResult result = VK_NOT_READY;
	const VkPresentInfoKHR present = {
		.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &semaphores[1],
		.swapchainCount = 1,
		.pSwapchains = &swapchain,
		.pImageIndices = &index,
		.pResults = &result,
	};
	SAY_RESULT(vkQueuePresentKHR(parity->queue, &present));
	say("of the swapchain: %d", result);
	MUST(vkQueueWaitIdle(parity->queue));
	vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
}

static void headless(struct parity *unused) {
	struct presenter presenter;
	(void)unused;
	presenter_init(&presenter, false);
	struct parity *parity = &presenter.parity;
	const VkSurfaceKHR surface = presenter.surface;
	VkBool32 supported = VK_FALSE;
	SAY_RESULT(vkGetPhysicalDeviceSurfaceSupportKHR(parity->physical, 0, surface, &supported));
	VkSurfaceCapabilitiesKHR limits;
	SAY_RESULT(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(parity->physical, surface, &limits));
	say("%u: %u to %u images, usage %x", supported, limits.minImageCount, limits.maxImageCount,
		limits.supportedUsageFlags);
	VkSurfaceFormatKHR formats[16];
	const uint32_t rooms[] = {0, 1, COUNT(formats)};
	for (size_t i = 0; i < COUNT(rooms); i++) {
		const uint32_t room = rooms[i];
		uint32_t count = room;
		say("%d", vkGetPhysicalDeviceSurfaceFormatsKHR(
			parity->physical, surface, &count, room ? formats : NULL));
		for (uint32_t j = 0; room && j < count; j++) {
			say("format %d, colour space %d", formats[j].format, formats[j].colorSpace);
		}
	}
	VkPresentModeKHR modes[8];
	uint32_t mode_count = COUNT(modes);
	SAY_RESULT(vkGetPhysicalDeviceSurfacePresentModesKHR(
		parity->physical, surface, &mode_count, modes));
	const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	const VkSemaphoreCreateInfo semaphore_info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	VkFence fence;
	VkSemaphore semaphores[2];
	MUST(vkCreateFence(parity->device, &fence_info, NULL, &fence));
	MUST(vkCreateSemaphore(parity->device, &semaphore_info, NULL, &semaphores[0]));
	MUST(vkCreateSemaphore(parity->device, &semaphore_info, NULL, &semaphores[1]));
	VkSwapchainKHR old = VK_NULL_HANDLE;
	for (uint32_t mode = 0; mode < mode_count; mode++) {
		const VkSwapchainCreateInfoKHR info = {
			.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
			.surface = surface,
			.minImageCount = limits.minImageCount,
			.imageFormat = formats[0].format,
			.imageColorSpace = formats[0].colorSpace,
			.imageExtent = {SIZE, SIZE},
			.imageArrayLayers = 1,
			.imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
				VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
			.preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
			.compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
			.presentMode = modes[mode],
			.clipped = VK_TRUE,
			.oldSwapchain = old,
		};
		VkSwapchainKHR swapchain;
		say("mode %d", modes[mode]);
		MUST(vkCreateSwapchainKHR(parity->device, &info, NULL, &swapchain));
		vkDestroySwapchainKHR(parity->device, old, NULL);
		VkImage images[8];
		for (uint32_t room = 0; room < 9; room += 4) {
			uint32_t count = room;
			const VkResult result = vkGetSwapchainImagesKHR(
				parity->device, swapchain, &count, room ? images : NULL);
			say("%u images, %d", count, result);
		}
		VkMemoryRequirements requirements;
		vkGetImageMemoryRequirements(parity->device, images[0], &requirements);
		say("%llu bytes, types %x", (unsigned long long)requirements.size,
			requirements.memoryTypeBits);
		for (uint32_t i = 0; i < 6; i++) {
			frame(parity, swapchain, images, semaphores, fence, i);
		}
		old = swapchain;
	}
	vkDestroySwapchainKHR(parity->device, old, NULL);
	vkDestroySemaphore(parity->device, semaphores[0], NULL);
	vkDestroySemaphore(parity->device, semaphores[1], NULL);
	vkDestroyFence(parity->device, fence, NULL);
	presenter_finish(&presenter);
}

const struct parity_case parity_swapchain_cases[] = {
	{"swapchain headless", headless},
	{NULL, NULL},
};
