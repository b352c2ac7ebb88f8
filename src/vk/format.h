/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_FORMAT_H
#define VENERA_VK_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

/**
 * How one aspect of an image lies in memory when it is copied ("Format Compatibility" in the Vulkan
 * specification).
 */
struct vk_format_aspect {
	uint8_t bytes;                     /* of a block */
	uint8_t block_width, block_height; /* texels */
	uint8_t width_divisor, height_divisor; /* of a plane: the image has so many times more texels */
};

/** One aspect, as a bit. False if the format has no such aspect, or is unknown. */
bool vk_format_aspect(
	VkFormat format, VkImageAspectFlags aspect, struct vk_format_aspect *found);

#endif
