/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_EXTENSIONS_H
#define VENERA_VK_EXTENSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <vulkan/vulkan_core.h>

struct vk_global_table;
struct vk_instance_table;

/** What extensions an instance or a device offers. */
struct vk_extensions {
	VkExtensionProperties *items; /* owned */
	uint32_t count;
};

/** Of the loader and all drivers (`layer` NULL), or of a layer. After a failure it is empty. */
VkResult vk_extensions_of_instance(
	struct vk_extensions *extensions, const struct vk_global_table *table, const char *layer);
VkResult vk_extensions_of_device(struct vk_extensions *extensions,
	const struct vk_instance_table *table, VkPhysicalDevice device);
void vk_extensions_finish(struct vk_extensions *extensions);

bool vk_extensions_have(const struct vk_extensions *extensions, const char *name);

#endif
