/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_DEVICE_H
#define VENERA_VK_DEVICE_H

#include <stdint.h>

#include "vk/vk_tables.h"

/**
 * Must be enabled on devices that have it: Vulkan wants it so. vulkan_core.h has its name only among
 * the beta extensions.
 */
#define VK_DEVICE_PORTABILITY_SUBSET "VK_KHR_portability_subset"

/** The queue families of a GPU, to be given to free(). NULL: there are none, or no memory. */
VkQueueFamilyProperties *vk_device_queue_families(
	const struct vk_instance_table *table, VkPhysicalDevice physical, uint32_t *count);

/**
 * Makes a device with one queue, fetches that, and loads the functions. After an error `handle` is
 * VK_NULL_HANDLE, and there is nothing to destroy.
 */
VkResult vk_device_create(const struct vk_instance_table *table, VkPhysicalDevice physical,
	uint32_t queue_family, const char *const *extensions, uint32_t extension_count,
	VkDevice *handle, struct vk_device_table *functions, VkQueue *queue);

#endif
