/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_PHYSICAL_DEVICE_H
#define VENERA_RENDER_PHYSICAL_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

#include "venus/object_table.h"
#include "vk/extensions.h"
#include "vk/host_memory.h"

struct render_context;

/** What a guest may know and use of a VkPhysicalDevice. */
struct render_physical_device {
	struct venus_object base;
	VkPhysicalDeviceProperties properties; /* with the API version that the guest is told */

	/* filled in when first asked for, under the instance's lock, and constant from then on */
	struct vk_extensions host_extensions;
	VkExtensionProperties *extensions; /* those that the guest may enable; NULL: not filled in */
	uint32_t extension_count;

	bool has_memory;
	VkPhysicalDeviceMemoryProperties memory; /* as the guest sees it */
	struct vk_host_memory host_memory;
};

static inline VkPhysicalDevice render_physical_device_handle(
		const struct render_physical_device *physical) {
	return (VkPhysicalDevice)(uintptr_t)physical->base.handle;
}

/** Fills in the memory part. */
VkResult render_physical_device_fill_memory(
	struct render_context *context, struct render_physical_device *physical);

/** Fills in the extensions. */
VkResult render_physical_device_fill_extensions(
	struct render_context *context, struct render_physical_device *physical);

/** May the guest enable the extension? */
bool render_physical_device_offers(
	const struct render_physical_device *physical, const char *extension);

/** Is it an extension that we implement, so that the host must not be asked for it? */
bool render_extension_is_ours(const char *extension);

/** Is memory of this type our shared memory, so that the guest can map it? */
static inline bool render_physical_device_shares_type(
		const struct render_physical_device *physical, uint32_t type) {
	return physical->memory.memoryTypes[type].propertyFlags &
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
}

/** Frees what the object holds beside itself. */
void render_physical_device_release(struct render_physical_device *physical);

#endif
