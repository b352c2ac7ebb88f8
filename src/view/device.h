/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_DEVICE_H
#define VENERA_VIEW_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "vk/host_memory.h"
#include "vk/instance.h"

/** The GPU that shows the scanouts: one device, one queue, one thread that uses it. */
struct view_device {
	const struct vk_instance *instance;
	VkPhysicalDevice physical;
	VkPhysicalDeviceProperties properties;
	VkPhysicalDeviceMemoryProperties memory;
	bool keeps_images;        /* images of a swapchain are presented and come back as they were */
	bool incremental_present; /* has VK_KHR_incremental_present */
	struct vk_host_memory host_memory; /* at least one type is importable */
	VkDevice handle;
	struct vk_device_table vk;
	uint32_t queue_family;
	VkQueue queue;
	VkCommandPool command_pool; /* its command buffers can be reset one by one */
};

/**
 * Takes the best GPU that imports shared memory and, unless `surface` is VK_NULL_HANDLE, can
 * present to it. `instance` must outlive the device. On failure nothing is left.
 */
bool view_device_init(struct view_device *device, const struct vk_instance *instance,
	VkSurfaceKHR surface, struct vk_error *error);

/** Waits for the GPU. Safe on a zeroed struct. */
void view_device_finish(struct view_device *device);

/**
 * Memory for an image or a buffer, of a type with all of `required` and, if there is one,
 * with all of `preferred`. `type` (may be NULL) gets its index.
 */
VkResult view_device_allocate(const struct view_device *device, const VkMemoryRequirements *needs,
	VkMemoryPropertyFlags required, VkMemoryPropertyFlags preferred, VkDeviceMemory *memory,
	uint32_t *type);

/** Records one command buffer that is submitted once: begins it. */
VkResult view_device_begin(const struct view_device *device, VkCommandBuffer commands);

#endif
