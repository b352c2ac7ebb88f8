/* SPDX-License-Identifier: MIT */

/*
 * Host image copies: the guest's host memory travels in the command or in the reply, and the host's
 * driver copies from or to it, in our process. It believes what it is told of images and memory, so
 * all of that is checked: a region that lies outside its image, or has more texels than bytes came
 * with it, is never handed on. The guest's driver knows how many bytes there must be, so that only
 * programs that break Vulkan's rules get an error.
 */

#include "render/buffer_image.h"
#include "render/call.h"
#include "render_dispatch.h"
#include "vk/format.h"

/* --- arithmetic that stays at the top --- */

static uint64_t multiply(uint64_t a, uint64_t b) {
	return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static uint64_t add(uint64_t a, uint64_t b) {
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint32_t divide_up(uint32_t value, uint32_t divisor) {
	return value / divisor + (value % divisor != 0);
}

/* --- regions --- */

struct region {
	VkHostImageCopyFlags flags;
	uint32_t row_length, image_height;
	VkImageSubresourceLayers layers;
	VkOffset3D offset;
	VkExtent3D extent;
};

static uint32_t level_size(uint32_t size, uint32_t level) {
	return size >> level ? size >> level : 1;
}

static bool is_inside(int32_t offset, uint32_t extent, uint32_t size, uint32_t block, bool whole) {
	return extent && offset >= 0 && (uint32_t)offset % block == 0 && extent <= size &&
		(uint32_t)offset <= size - extent && (!whole || extent == size);
}

/** Does the region lie in the image? Replaces "all remaining layers" by their number. */
static bool check_region(const struct render_image *image, struct region *region,
		struct vk_format_aspect *aspect) {
	VkImageSubresourceLayers *layers = &region->layers;
	if (image->samples != VK_SAMPLE_COUNT_1_BIT || layers->mipLevel >= image->mip_levels ||
			layers->baseArrayLayer >= image->array_layers ||
			!vk_format_aspect(image->format, layers->aspectMask, aspect)) {
		return false;
	}
	const uint32_t layers_there = image->array_layers - layers->baseArrayLayer;
	if (layers->layerCount == VK_REMAINING_ARRAY_LAYERS) {
		layers->layerCount = layers_there;
	}
	const bool whole = region->flags & VK_HOST_IMAGE_COPY_MEMCPY_EXT;
	const uint32_t width = divide_up(
		level_size(image->extent.width, layers->mipLevel), aspect->width_divisor);
	const uint32_t height = divide_up(
		level_size(image->extent.height, layers->mipLevel), aspect->height_divisor);
	const uint32_t depth = level_size(image->extent.depth, layers->mipLevel);
	return layers->layerCount && layers->layerCount <= layers_there &&
		is_inside(region->offset.x, region->extent.width, width, aspect->block_width, whole) &&
		is_inside(region->offset.y, region->extent.height, height, aspect->block_height, whole) &&
		is_inside(region->offset.z, region->extent.depth, depth, 1, whole);
}

/** Bytes of memory that the copy reads or writes, of a region that was checked. */
static uint64_t region_size(
		const struct region *region, const struct vk_format_aspect *aspect) {
	const uint64_t row = multiply(divide_up(region->row_length ? region->row_length :
		region->extent.width, aspect->block_width), aspect->bytes);
	const uint64_t slice = multiply(divide_up(region->image_height ? region->image_height :
		region->extent.height, aspect->block_height), row);
	const uint64_t slices = multiply(region->extent.depth, region->layers.layerCount);
	const uint64_t last_slice = multiply(slices - 1, slice);
	const uint64_t last_row =
		multiply(divide_up(region->extent.height, aspect->block_height) - 1, row);
	const uint64_t end = multiply(
		divide_up(region->extent.width, aspect->block_width), aspect->bytes);
	return add(add(last_slice, last_row), end);
}

/** The same of a copy in the driver's own layout. */
static uint64_t memcpy_size(struct render_call *call, const struct render_image *image,
		const VkImageSubresourceLayers *layers) {
	const struct render_device *device = render_device_of(call->decoder->device);
	uint64_t size = 0;
	for (uint32_t i = 0; device->vk.GetImageSubresourceLayout2 && i < layers->layerCount; i++) {
		const VkImageSubresource2 subresource = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_SUBRESOURCE_2,
			.imageSubresource = {layers->aspectMask, layers->mipLevel,
				layers->baseArrayLayer + i},
		};
		VkSubresourceHostMemcpySize layer = {
			.sType = VK_STRUCTURE_TYPE_SUBRESOURCE_HOST_MEMCPY_SIZE};
		VkSubresourceLayout2 layout = {
			.sType = VK_STRUCTURE_TYPE_SUBRESOURCE_LAYOUT_2, .pNext = &layer};
		device->vk.GetImageSubresourceLayout2(render_device_handle(device),
			(VkImage)(uintptr_t)image->base.handle, &subresource, &layout);
		size = add(size, layer.size);
	}
	return size ? size : UINT64_MAX;
}

/** May the driver copy the region between the image and `data_size` bytes? */
static bool check_copy(struct render_call *call, const struct render_image *image,
		struct region *region, uint64_t data_size) {
	struct vk_format_aspect aspect;
	if (!image || !check_region(image, region, &aspect)) {
		return false;
	}
	const uint64_t size = region->flags & VK_HOST_IMAGE_COPY_MEMCPY_EXT ?
		memcpy_size(call, image, &region->layers) : region_size(region, &aspect);
	return size <= data_size;
}

static VkResult refuse(struct render_call *call, const char *what) {
	log_warn("%s: %s: a region is outside of its image or has more texels than data: not copied",
		call->context->options.name, what);
	return VK_ERROR_UNKNOWN;
}

/* --- the commands --- */

void render_handle_vkCopyImageToMemoryMESA(
		struct render_call *call, struct venus_vkCopyImageToMemoryMESA *args) {
	const struct vk_device_table *vk = render_call_device_table(call);
	const VkCopyImageToMemoryInfoMESA *info = args->pCopyImageToMemoryInfo;
	if (!vk->CopyImageToMemory) {
		render_call_fail(call, "host image copies are not enabled on the device");
		return;
	}
	if (call->decoder->failed_object || !args->pData) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	struct region region = {info->flags, info->memoryRowLength, info->memoryImageHeight,
		info->imageSubresource, info->imageOffset, info->imageExtent};
	if (!check_copy(call, (const struct render_image *)call->decoder->resource, &region,
			args->dataSize)) {
		args->ret = refuse(call, "vkCopyImageToMemory");
		return;
	}
	const VkImageToMemoryCopy host_region = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_TO_MEMORY_COPY,
		.pHostPointer = args->pData,
		.memoryRowLength = info->memoryRowLength,
		.memoryImageHeight = info->memoryImageHeight,
		.imageSubresource = region.layers,
		.imageOffset = info->imageOffset,
		.imageExtent = info->imageExtent,
	};
	const VkCopyImageToMemoryInfo copy = {
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_MEMORY_INFO,
		.flags = info->flags,
		.srcImage = info->srcImage,
		.srcImageLayout = info->srcImageLayout,
		.regionCount = 1,
		.pRegions = &host_region,
	};
	args->ret = vk->CopyImageToMemory(args->device, &copy);
}

void render_handle_vkCopyMemoryToImageMESA(
		struct render_call *call, struct venus_vkCopyMemoryToImageMESA *args) {
	const struct vk_device_table *vk = render_call_device_table(call);
	const VkCopyMemoryToImageInfoMESA *info = args->pCopyMemoryToImageInfo;
	if (!vk->CopyMemoryToImage) {
		render_call_fail(call, "host image copies are not enabled on the device");
		return;
	}
	VkMemoryToImageCopy *regions =
		arena_alloc_array(call->decoder->arena, info->regionCount, sizeof(*regions));
	if (!regions || call->decoder->failed_object) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	const struct render_image *image = (const struct render_image *)call->decoder->resource;
	for (uint32_t i = 0; i < info->regionCount; i++) {
		const VkMemoryToImageCopyMESA *in = &info->pRegions[i];
		struct region region = {info->flags, in->memoryRowLength, in->memoryImageHeight,
			in->imageSubresource, in->imageOffset, in->imageExtent};
		if (!in->pData || !check_copy(call, image, &region, in->dataSize)) {
			args->ret = refuse(call, "vkCopyMemoryToImage");
			return;
		}
		regions[i] = (VkMemoryToImageCopy){
			.sType = VK_STRUCTURE_TYPE_MEMORY_TO_IMAGE_COPY,
			.pHostPointer = in->pData,
			.memoryRowLength = in->memoryRowLength,
			.memoryImageHeight = in->memoryImageHeight,
			.imageSubresource = region.layers,
			.imageOffset = in->imageOffset,
			.imageExtent = in->imageExtent,
		};
	}
	const VkCopyMemoryToImageInfo copy = {
		.sType = VK_STRUCTURE_TYPE_COPY_MEMORY_TO_IMAGE_INFO,
		.flags = info->flags,
		.dstImage = info->dstImage,
		.dstImageLayout = info->dstImageLayout,
		.regionCount = info->regionCount,
		.pRegions = regions,
	};
	args->ret = vk->CopyMemoryToImage(args->device, &copy);
}

/** Vulkan wants both to have been created alike. */
static bool are_alike(const struct render_image *a, const struct render_image *b) {
	return a && b && a->format == b->format && a->type == b->type &&
		a->extent.width == b->extent.width && a->extent.height == b->extent.height &&
		a->extent.depth == b->extent.depth && a->mip_levels == b->mip_levels &&
		a->array_layers == b->array_layers && a->samples == b->samples;
}

void render_handle_vkCopyImageToImage(
		struct render_call *call, struct venus_vkCopyImageToImage *args) {
	const struct vk_device_table *vk = render_call_device_table(call);
	const VkCopyImageToImageInfo *info = args->pCopyImageToImageInfo;
	if (!vk->CopyImageToImage) {
		render_call_fail(call, "host image copies are not enabled on the device");
		return;
	}
	if (call->decoder->failed_object || !info->srcImage || !info->dstImage) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	const struct render_image *src =
		(const struct render_image *)call->decoder->previous_resource;
	const struct render_image *dst = (const struct render_image *)call->decoder->resource;
	bool valid = are_alike(src, dst);
	for (uint32_t i = 0; valid && i < info->regionCount; i++) {
		const VkImageCopy2 *copy = &info->pRegions[i];
		struct region from = {.flags = info->flags, .layers = copy->srcSubresource,
			.offset = copy->srcOffset, .extent = copy->extent};
		struct region to = {.flags = info->flags, .layers = copy->dstSubresource,
			.offset = copy->dstOffset, .extent = copy->extent};
		struct vk_format_aspect aspect;
		valid = check_region(src, &from, &aspect) && check_region(dst, &to, &aspect) &&
			from.layers.layerCount == to.layers.layerCount;
	}
	args->ret = valid ? vk->CopyImageToImage(args->device, info) :
			    refuse(call, "vkCopyImageToImage");
}
