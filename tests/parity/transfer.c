/* SPDX-License-Identifier: MIT */

/* Copies, blits, resolves and clears of images of many formats, shapes and levels. */

#include <string.h>

#include "parity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct format {
	VkFormat format;
	uint32_t block_size, block_side;
	VkImageAspectFlags aspects;
};

#define COLOUR VK_IMAGE_ASPECT_COLOR_BIT
#define DEPTH VK_IMAGE_ASPECT_DEPTH_BIT
#define STENCIL VK_IMAGE_ASPECT_STENCIL_BIT

static const struct format formats[] = {
	{VK_FORMAT_R8_UNORM, 1, 1, COLOUR},
	{VK_FORMAT_R8G8_SINT, 2, 1, COLOUR},
	{VK_FORMAT_R5G6B5_UNORM_PACK16, 2, 1, COLOUR},
	{VK_FORMAT_A1R5G5B5_UNORM_PACK16, 2, 1, COLOUR},
	{VK_FORMAT_A4R4G4B4_UNORM_PACK16, 2, 1, COLOUR},
	{VK_FORMAT_B8G8R8A8_SRGB, 4, 1, COLOUR},
	{VK_FORMAT_A2B10G10R10_UINT_PACK32, 4, 1, COLOUR},
	{VK_FORMAT_B10G11R11_UFLOAT_PACK32, 4, 1, COLOUR},
	{VK_FORMAT_E5B9G9R9_UFLOAT_PACK32, 4, 1, COLOUR},
	{VK_FORMAT_R16G16_SNORM, 4, 1, COLOUR},
	{VK_FORMAT_R16G16B16A16_SFLOAT, 8, 1, COLOUR},
	{VK_FORMAT_R32G32_UINT, 8, 1, COLOUR},
	{VK_FORMAT_R32G32B32A32_SFLOAT, 16, 1, COLOUR},
	{VK_FORMAT_R64_UINT, 8, 1, COLOUR},
	{VK_FORMAT_BC1_RGBA_SRGB_BLOCK, 8, 4, COLOUR},
	{VK_FORMAT_BC7_UNORM_BLOCK, 16, 4, COLOUR},
	{VK_FORMAT_ETC2_R8G8B8_UNORM_BLOCK, 8, 4, COLOUR},
	{VK_FORMAT_ASTC_5x5_UNORM_BLOCK, 16, 5, COLOUR},
	{VK_FORMAT_D16_UNORM, 2, 1, DEPTH},
	{VK_FORMAT_D32_SFLOAT, 4, 1, DEPTH},
	{VK_FORMAT_S8_UINT, 1, 1, STENCIL},
	{VK_FORMAT_D24_UNORM_S8_UINT, 4, 1, DEPTH | STENCIL},
	{VK_FORMAT_D32_SFLOAT_S8_UINT, 4, 1, DEPTH | STENCIL},
};

static const struct {
	VkImageType type;
	VkExtent3D extent;
	uint32_t levels, layers;
} shapes[] = {
	{VK_IMAGE_TYPE_1D, {40, 1, 1}, 2, 3},
	{VK_IMAGE_TYPE_2D, {40, 20, 1}, 3, 4},
	{VK_IMAGE_TYPE_3D, {20, 20, 10}, 2, 1},
};

/** Without a view. false if there are no such images. */
static bool image_init(struct parity *parity, struct parity_image *image,
		const struct format *format, size_t shape, VkImageTiling tiling,
		VkSampleCountFlagBits samples) {
	VkFormatProperties properties;
	vkGetPhysicalDeviceFormatProperties(parity->physical, format->format, &properties);
	const VkFormatFeatureFlags features = tiling == VK_IMAGE_TILING_LINEAR ?
		properties.linearTilingFeatures : properties.optimalTilingFeatures;
	VkImageUsageFlags usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
	if (features & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT) {
		usage |= VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
	}
	if (features & VK_FORMAT_FEATURE_DEPTH_STENCIL_ATTACHMENT_BIT) {
		usage |= VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT;
	}
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = shapes[shape].type,
		.format = format->format,
		.extent = shapes[shape].extent,
		.mipLevels = samples > 1 ? 1 : shapes[shape].levels,
		.arrayLayers = shapes[shape].layers,
		.samples = samples,
		.tiling = tiling,
		.usage = usage,
	};
	VkImageFormatProperties limits;
	if (vkGetPhysicalDeviceImageFormatProperties(parity->physical, info.format, info.imageType,
			tiling, usage, 0, &limits) != VK_SUCCESS || limits.maxMipLevels < info.mipLevels ||
			limits.maxArrayLayers < info.arrayLayers || !(limits.sampleCounts & samples)) {
		return false;
	}
	memset(image, 0, sizeof(*image));
	image->info = info;
	image->aspects = format->aspects;
	MUST(vkCreateImage(parity->device, &info, NULL, &image->image));
	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(parity->device, image->image, &requirements);
	image->memory = parity_allocate(parity, &requirements, 0, NULL);
	MUST(vkBindImageMemory(parity->device, image->image, image->memory, 0));
	return true;
}

static VkExtent3D level_extent(const struct parity_image *image, uint32_t level) {
	const VkExtent3D whole = image->info.extent;
	return (VkExtent3D){whole.width >> level ? whole.width >> level : 1,
		whole.height >> level ? whole.height >> level : 1,
		whole.depth >> level ? whole.depth >> level : 1};
}

/** All levels, layers and aspects, one behind the other; returns how many copies. */
static uint32_t all_of(const struct parity_image *image, const struct format *format,
		VkBufferImageCopy *copies, VkDeviceSize *size) {
	uint32_t n = 0;
	VkDeviceSize offset = 0;
	for (VkImageAspectFlags aspect = 1; aspect <= STENCIL; aspect *= 2) {
		const uint32_t levels = format->aspects & aspect ? image->info.mipLevels : 0;
		for (uint32_t level = 0; level < levels; level++) {
			const VkExtent3D extent = level_extent(image, level);
			copies[n++] = (VkBufferImageCopy){
				.bufferOffset = offset,
				.imageSubresource = {aspect, level, 0, image->info.arrayLayers},
				.imageExtent = extent,
			};
			const uint32_t side = format->block_side;
			offset += (VkDeviceSize)((extent.width + side - 1) / side) *
				((extent.height + side - 1) / side) * extent.depth * image->info.arrayLayers *
				format->block_size;
			offset = (offset + 15) / 16 * 16;
		}
	}
	*size = offset;
	return n;
}

static void say_whole(struct parity *parity, const char *what, const struct parity_image *image,
		const struct format *format) {
	VkBufferImageCopy copies[16];
	VkDeviceSize size;
	const uint32_t count = all_of(image, format, copies, &size);
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, size, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkCommandBuffer commands = parity_begin(parity);
	parity_barrier(commands);
	VkBufferImageCopy2 second[16];
	for (uint32_t i = 0; i < count; i++) {
		second[i] = (VkBufferImageCopy2){
			.sType = VK_STRUCTURE_TYPE_BUFFER_IMAGE_COPY_2,
			.bufferOffset = copies[i].bufferOffset,
			.imageSubresource = copies[i].imageSubresource,
			.imageExtent = copies[i].imageExtent,
		};
	}
	const VkCopyImageToBufferInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_BUFFER_INFO_2,
		.srcImage = image->image,
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.dstBuffer = buffer.buffer,
		.regionCount = count,
		.pRegions = second,
	};
	if (count % 2) {
		vkCmdCopyImageToBuffer2(commands, &info);
	} else {
		vkCmdCopyImageToBuffer(commands, image->image, VK_IMAGE_LAYOUT_GENERAL, buffer.buffer,
			count, copies);
	}
	parity_run(parity, commands);
	say_hash(what, buffer.data, buffer.size);
	parity_buffer_finish(parity, &buffer);
}

static void fill(
		struct parity *parity, const struct parity_image *image, const struct format *format) {
	VkBufferImageCopy copies[16];
	VkDeviceSize size;
	const uint32_t count = all_of(image, format, copies, &size);
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, size, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
	for (VkDeviceSize i = 0; i < size; i++) {
		/* no number that has several representations */
		((uint8_t *)buffer.data)[i] = (uint8_t)((i * 7 + i / 100) % 60);
	}
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	vkCmdCopyBufferToImage(
		commands, buffer.buffer, image->image, VK_IMAGE_LAYOUT_GENERAL, count, copies);
	parity_run(parity, commands);
	parity_buffer_finish(parity, &buffer);
}

/** Clears some layers of the last level, copies between images, and within a level. */
static void images(struct parity *parity) {
	for (size_t i = 0; i < COUNT(formats) * COUNT(shapes) * 2; i++) {
		const struct format *format = &formats[i / COUNT(shapes) / 2];
		const VkImageTiling tiling = (VkImageTiling)(i / COUNT(shapes) % 2);
		struct parity_image from, to;
		if (!image_init(parity, &from, format, i % COUNT(shapes), tiling, 1)) {
			continue;
		}
		say("format %d, shape %zu, tiling %d", format->format, i % COUNT(shapes), tiling);
		image_init(parity, &to, format, i % COUNT(shapes), tiling, 1);
		fill(parity, &from, format);
		fill(parity, &to, format);
		say_whole(parity, "filled", &from, format);
		VkCommandBuffer commands = parity_begin(parity);
		for (VkImageAspectFlags aspect = 1; aspect <= STENCIL; aspect *= 2) {
			if (!(format->aspects & aspect)) {
				continue;
			}
			const bool deep = from.info.imageType == VK_IMAGE_TYPE_3D;
			const bool flat = from.info.imageType == VK_IMAGE_TYPE_1D;
			const bool blocks = format->block_side > 1;
			const uint32_t width = blocks || deep ? 20 : 10;
			const uint32_t layers = from.info.arrayLayers > 2 ? 2 : 1;
			const VkImageCopy copy = {
				.srcSubresource = {aspect, 0, 0, layers},
				.srcOffset = {deep ? 0 : 20, 0, 0},
				.dstSubresource = {aspect, 0, from.info.arrayLayers - layers, layers},
				.dstOffset = {0, flat || blocks ? 0 : 10, deep ? 3 : 0},
				.extent = {width, flat ? 1 : blocks ? 20 : 10, deep ? 4 : 1},
			};
			vkCmdCopyImage(commands, from.image, VK_IMAGE_LAYOUT_GENERAL, to.image,
				VK_IMAGE_LAYOUT_GENERAL, 1, &copy);
		}
		parity_run(parity, commands);
		say_whole(parity, "copied", &to, format);
		if (format->block_side == 1) {
			const VkImageSubresourceRange range = {format->aspects, to.info.mipLevels - 1,
				VK_REMAINING_MIP_LEVELS, to.info.arrayLayers - 1, VK_REMAINING_ARRAY_LAYERS};
			commands = parity_begin(parity);
			if (format->aspects & COLOUR) {
				const VkClearColorValue clear = {.uint32 = {0x3f000001, 7, 3, 1}};
				vkCmdClearColorImage(
					commands, to.image, VK_IMAGE_LAYOUT_GENERAL, &clear, 1, &range);
			} else {
				const VkClearDepthStencilValue clear = {0.25f, 0x5a};
				vkCmdClearDepthStencilImage(
					commands, to.image, VK_IMAGE_LAYOUT_GENERAL, &clear, 1, &range);
			}
			parity_run(parity, commands);
			say_whole(parity, "cleared", &to, format);
		}
		VkFormatProperties properties;
		vkGetPhysicalDeviceFormatProperties(parity->physical, format->format, &properties);
		const VkFormatFeatureFlags blits =
			VK_FORMAT_FEATURE_BLIT_SRC_BIT | VK_FORMAT_FEATURE_BLIT_DST_BIT;
		const VkFormatFeatureFlags features = tiling ? properties.linearTilingFeatures :
			properties.optimalTilingFeatures;
		if ((features & blits) == blits) {
			const VkExtent3D whole = from.info.extent;
			const VkImageBlit2 blit = {
				.sType = VK_STRUCTURE_TYPE_IMAGE_BLIT_2,
				.srcSubresource = {format->aspects, 0, 0, 1},
				.srcOffsets = {
					{(int32_t)whole.width, 0, 0},
					{0, (int32_t)whole.height, (int32_t)whole.depth},
				},
				.dstSubresource = {format->aspects, 1, 0, 1},
				.dstOffsets = {{0, 0, 0}, {(int32_t)whole.width / 2,
					whole.height > 1 ? (int32_t)whole.height / 2 : 1,
					whole.depth > 1 ? (int32_t)whole.depth / 2 : 1}},
			};
			const VkBlitImageInfo2 info = {
				.sType = VK_STRUCTURE_TYPE_BLIT_IMAGE_INFO_2,
				.srcImage = from.image,
				.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
				.dstImage = to.image,
				.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
				.regionCount = 1,
				.pRegions = &blit,
				.filter = (format->aspects & COLOUR) &&
					features & VK_FORMAT_FEATURE_SAMPLED_IMAGE_FILTER_LINEAR_BIT ?
					VK_FILTER_LINEAR : VK_FILTER_NEAREST,
			};
			commands = parity_begin(parity);
			vkCmdBlitImage2(commands, &info);
			parity_run(parity, commands);
			say_whole(parity, "blit", &to, format);
		}
		vkDestroyImage(parity->device, from.image, NULL);
		vkFreeMemory(parity->device, from.memory, NULL);
		vkDestroyImage(parity->device, to.image, NULL);
		vkFreeMemory(parity->device, to.memory, NULL);
	}
}

static void resolves(struct parity *parity) {
	for (size_t i = 0; i < COUNT(formats); i++) {
		struct parity_image from, to;
		if (!(formats[i].aspects & COLOUR) ||
				!image_init(parity, &from, &formats[i], 1, VK_IMAGE_TILING_OPTIMAL, 4)) {
			continue;
		}
		image_init(parity, &to, &formats[i], 1, VK_IMAGE_TILING_OPTIMAL, 1);
		fill(parity, &to, &formats[i]);
		VkCommandBuffer commands = parity_begin(parity);
		parity_transition(commands, &from, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
		const VkImageSubresourceRange ranges[2] = {{COLOUR, 0, 1, 0, 1}, {COLOUR, 0, 1, 1, 3}};
		const VkClearColorValue clear = {.float32 = {0.25f, 0.5f, 0.75f, 1}};
		vkCmdClearColorImage(commands, from.image, VK_IMAGE_LAYOUT_GENERAL, &clear, 2, ranges);
		parity_barrier(commands);
		const VkImageResolve region = {
			.srcSubresource = {COLOUR, 0, 2, 1},
			.srcOffset = {3, 4, 0},
			.dstSubresource = {COLOUR, 0, 1, 1},
			.dstOffset = {5, 6, 0},
			.extent = {7, 8, 1},
		};
		vkCmdResolveImage(commands, from.image, VK_IMAGE_LAYOUT_GENERAL, to.image,
			VK_IMAGE_LAYOUT_GENERAL, 1, &region);
		parity_barrier(commands);
		const VkImageResolve2 second = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_RESOLVE_2,
			.srcSubresource = {COLOUR, 0, 0, 1},
			.dstSubresource = {COLOUR, 0, 3, 1},
			.extent = {40, 20, 1},
		};
		const VkResolveImageInfo2 info = {
			.sType = VK_STRUCTURE_TYPE_RESOLVE_IMAGE_INFO_2,
			.srcImage = from.image,
			.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
			.dstImage = to.image,
			.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
			.regionCount = 1,
			.pRegions = &second,
		};
		vkCmdResolveImage2(commands, &info);
		parity_run(parity, commands);
		say("format %d", formats[i].format);
		say_whole(parity, "resolved", &to, &formats[i]);
		vkDestroyImage(parity->device, from.image, NULL);
		vkFreeMemory(parity->device, from.memory, NULL);
		vkDestroyImage(parity->device, to.image, NULL);
		vkFreeMemory(parity->device, to.memory, NULL);
	}
}

const struct parity_case parity_transfer_cases[] = {
	{"transfer images", images},
	{"transfer resolves", resolves},
	{NULL, NULL},
};
