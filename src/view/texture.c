/* SPDX-License-Identifier: MIT */
#include "view/texture.h"

#define FORMAT VK_FORMAT_R8G8B8A8_UNORM
#define TEXEL_SIZE 4

static const VkImageSubresourceRange whole = {
	.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
	.levelCount = 1,
	.layerCount = 1,
};

VkResult view_texture_init(struct view_texture *texture, const struct view_device *device,
	uint32_t width, uint32_t height) {
	*texture = (struct view_texture){0};
	const VkImageCreateInfo image = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = FORMAT,
		.extent = {width, height, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_OPTIMAL,
		.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT
			| VK_IMAGE_USAGE_SAMPLED_BIT,
	};
	VkResult result = device->vk.CreateImage(device->handle, &image, NULL, &texture->image);
	if (result != VK_SUCCESS) {
		*texture = (struct view_texture){0};
		return result;
	}
	VkMemoryRequirements needs;
	device->vk.GetImageMemoryRequirements(device->handle, texture->image, &needs);
	result = view_device_allocate(device, &needs, 0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
		&texture->memory, NULL);
	if (result != VK_SUCCESS) {
		texture->memory = VK_NULL_HANDLE;
		goto error;
	}
	result = device->vk.BindImageMemory(device->handle, texture->image, texture->memory, 0);
	if (result != VK_SUCCESS) {
		goto error;
	}
	const VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = texture->image,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = FORMAT,
		.subresourceRange = whole,
	};
	result = device->vk.CreateImageView(device->handle, &view, NULL, &texture->view);
	if (result != VK_SUCCESS) {
		texture->view = VK_NULL_HANDLE;
		goto error;
	}
	texture->width = width;
	texture->height = height;
	return VK_SUCCESS;

error:
	view_texture_finish(texture, device);
	return result;
}

void view_texture_finish(struct view_texture *texture, const struct view_device *device) {
	device->vk.DestroyImageView(device->handle, texture->view, NULL);
	device->vk.DestroyImage(device->handle, texture->image, NULL);
	device->vk.FreeMemory(device->handle, texture->memory, NULL);
	*texture = (struct view_texture){0};
}

void view_texture_record_copy(struct view_texture *texture, const struct view_device *device,
	VkCommandBuffer commands, const struct view_texture_copy *copy) {
	VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.srcAccessMask = 0, /* frames before this one only read it */
		.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.oldLayout = texture->filled ? VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL
			: VK_IMAGE_LAYOUT_UNDEFINED,
		.newLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.image = texture->image,
		.subresourceRange = whole,
	};
	device->vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT,
		VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);

	/* What others wrote to the shared memory before this is submitted is host memory to this
	 * device: the submission makes it visible. */
	const VkBufferImageCopy region = {
		.bufferOffset = copy->offset,
		.bufferRowLength = copy->stride / TEXEL_SIZE,
		.imageSubresource = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT, .layerCount = 1},
		.imageOffset = {(int32_t)copy->x, (int32_t)copy->y, 0},
		.imageExtent = {copy->width, copy->height, 1},
	};
	device->vk.CmdCopyBufferToImage(commands, copy->buffer, texture->image,
		VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &region);

	barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
	barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT;
	barrier.oldLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL;
	barrier.newLayout = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL;
	device->vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
		VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
	texture->filled = true;
}

void view_texture_record_blit(const struct view_texture *texture, const struct view_device *device,
	VkCommandBuffer commands, const struct view_rect *part, VkImage target, VkOffset2D place) {
	VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
		.oldLayout = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL,
		.newLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.image = texture->image,
		.subresourceRange = whole,
	};
	device->vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT,
		VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
	const VkImageSubresourceLayers layers = {
		.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
		.layerCount = 1,
	};
	const VkImageCopy region = {
		.srcSubresource = layers,
		.srcOffset = {(int32_t)part->x, (int32_t)part->y, 0},
		.dstSubresource = layers,
		.dstOffset = {place.x, place.y, 0},
		.extent = {part->width, part->height, 1},
	};
	device->vk.CmdCopyImage(commands, texture->image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, target,
		VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &region);
	barrier.srcAccessMask = 0; /* it was only read */
	barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT;
	barrier.oldLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL;
	barrier.newLayout = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL;
	device->vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
		VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
}
