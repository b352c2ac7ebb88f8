/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_TEXTURE_H
#define VENERA_VIEW_TEXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "view/device.h"
#include "view/rect.h"

/**
 * The view's own copy, in the GPU's memory, of what the guest shows. Texels are taken as bytes in
 * the order of memory (R8G8B8A8_UNORM, which every GPU samples); the shader puts them into the
 * order of the guest's format.
 */
struct view_texture {
	uint32_t width, height; /* 0: there is none */
	VkImage image;
	VkDeviceMemory memory;
	VkImageView view;
	bool filled; /* the image has content, and its layout is SHADER_READ_ONLY_OPTIMAL */
};

VkResult view_texture_init(struct view_texture *texture, const struct view_device *device,
	uint32_t width, uint32_t height);

/** The GPU does not use it any more. Safe on a zeroed struct. */
void view_texture_finish(struct view_texture *texture, const struct view_device *device);

/** Where the texels of a copy lie in a VkBuffer, and where they go to. */
struct view_texture_copy {
	VkBuffer buffer;
	VkDeviceSize offset;          /* of the first texel, bytes, a multiple of 4 */
	uint32_t stride;              /* bytes, a multiple of 4 */
	uint32_t x, y, width, height; /* the rectangle of the texture */
};

/** Records a copy; afterwards the texture can be drawn from. The first must fill all of it. */
void view_texture_record_copy(struct view_texture *texture, const struct view_device *device,
	VkCommandBuffer commands, const struct view_texture_copy *copy);

/**
 * Records a copy of the texels of a part, as they are, to `place` of another image, which is in the
 * layout TRANSFER_DST_OPTIMAL and has texels of the same size.
 */
void view_texture_record_blit(const struct view_texture *texture, const struct view_device *device,
	VkCommandBuffer commands, const struct view_rect *part, VkImage target, VkOffset2D place);

#endif
