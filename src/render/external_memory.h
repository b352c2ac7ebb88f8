/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_EXTERNAL_MEMORY_H
#define VENERA_RENDER_EXTERNAL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

struct render_physical_device;
struct vk_instance_table;

/** By what guests share memory: to them a descriptor of either type is a virtio-gpu resource. */
#define RENDER_GUEST_HANDLE_TYPES \
	(VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT | \
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT)

/** DRM_FORMAT_MOD_LINEAR and DRM_FORMAT_MOD_INVALID of the kernel's drm_fourcc.h. */
#define RENDER_MODIFIER_LINEAR UINT64_C(0)
#define RENDER_MODIFIER_INVALID ((UINT64_C(1) << 56) - 1)

/** Can images of the format be shared? They have one plane of colours, each texel by itself. */
bool render_format_is_shareable(VkFormat format);

/**
 * What the host can do with a LINEAR image that is bound to shared memory:
 * vkGetPhysicalDeviceImageFormatProperties2 of `info`, whose tiling is LINEAR, and whose chain is
 * changed. VK_ERROR_FORMAT_NOT_SUPPORTED if there are no such images. The limits are those of what
 * guests share: one level, one layer, one sample.
 */
VkResult render_shared_image_properties(const struct render_physical_device *physical,
	const struct vk_instance_table *vk, VkPhysicalDeviceImageFormatInfo2 *info,
	VkImageFormatProperties2 *properties);

/** What was asked of an image that is to be created, beside what is left in its VkImageCreateInfo. */
struct render_image_request {
	bool shared;     /* with other contexts or the display */
	bool has_layout; /* it must have this layout: */
	VkSubresourceLayout layout;
};

/**
 * Makes of the description of an image that the guest wants to share one that the host
 * understands. An image that is none of these stays as it is. Errors are those of vkCreateImage.
 */
VkResult render_image_translate(const struct render_physical_device *physical,
	VkImageCreateInfo *info, struct render_image_request *request);

/** Does an image of this layout look as the guest asked? */
bool render_image_request_fits(
	const struct render_image_request *request, const VkSubresourceLayout *layout);

#endif
