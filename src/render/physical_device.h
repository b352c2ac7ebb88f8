/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_PHYSICAL_DEVICE_H
#define VENERA_RENDER_PHYSICAL_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

#include "render/memory_types.h"
#include "venus/object_table.h"
#include "vk/extensions.h"
#include "vk/host_memory.h"

struct render_context;

/** What a guest may know and use of a VkPhysicalDevice. */
struct render_physical_device {
	struct venus_object base;
	VkPhysicalDeviceProperties properties; /* with the API version that the guest is told */
	struct vk_host_memory host_memory;
	struct render_memory_types memory_types;

	/* filled in when first asked for, under the instance's lock, and constant from then on */
	struct vk_extensions host_extensions;
	VkExtensionProperties *extensions; /* those that the guest may enable; NULL: not filled in */
	uint32_t extension_count;
	bool shares_memory; /* it offers to share memory by descriptor (external_memory.c) */
};

static inline VkPhysicalDevice render_physical_device_handle(
		const struct render_physical_device *physical) {
	return (VkPhysicalDevice)(uintptr_t)physical->base.handle;
}

/** Fills in the extensions. */
VkResult render_physical_device_fill_extensions(
	struct render_context *context, struct render_physical_device *physical);

/** May the guest enable the extension? */
bool render_physical_device_offers(
	const struct render_physical_device *physical, const char *extension);

/** Is it an extension that we implement, so that the host must not be asked for it? */
bool render_extension_is_ours(const char *extension);

/** Frees what the object holds beside itself. */
void render_physical_device_release(struct render_physical_device *physical);

#endif
