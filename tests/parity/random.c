/* SPDX-License-Identifier: MIT */

/*
 * Formats, images, layouts and copies by random numbers: combinations that nobody would think of.
 * What Vulkan forbids is left out.
 */

#include <string.h>

#include "parity.h"
#include "random.h"
#include "vk/format.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define COLOUR VK_IMAGE_ASPECT_COLOR_BIT
#define DEPTH VK_IMAGE_ASPECT_DEPTH_BIT
#define STENCIL VK_IMAGE_ASPECT_STENCIL_BIT

/** Each of these bits with a chance of one in `chance`. */
static uint32_t pick_bits(struct random *random, uint32_t bits, uint32_t chance) {
	uint32_t picked = 0;
	for (uint32_t bit = 1; bit && bit <= bits; bit *= 2) {
		if ((bits & bit) && random_once_in(random, chance)) {
			picked |= bit;
		}
	}
	return picked;
}

static VkFormat pick_format(struct random *random) {
	static const uint32_t of_extensions[] = {VK_FORMAT_G8B8G8R8_422_UNORM,
		VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, VK_FORMAT_G8_B8R8_2PLANE_422_UNORM,
		VK_FORMAT_R10X6G10X6_UNORM_2PACK16, VK_FORMAT_G8_B8R8_2PLANE_444_UNORM,
		VK_FORMAT_A4R4G4B4_UNORM_PACK16, VK_FORMAT_ASTC_5x5_SFLOAT_BLOCK,
		VK_FORMAT_A1B5G5R5_UNORM_PACK16_KHR, VK_FORMAT_A8_UNORM_KHR};
	const uint32_t last = VK_FORMAT_ASTC_12x12_SRGB_BLOCK;
	const uint32_t number = random_below(random, last + COUNT(of_extensions));
	return (VkFormat)(number < last ? number + 1 : of_extensions[number - last]);
}

/** May have several planes, or texels that belong together. */
static bool is_ycbcr(VkFormat format) {
	return format >= VK_FORMAT_G8B8G8R8_422_UNORM && format < VK_FORMAT_A4R4G4B4_UNORM_PACK16;
}

static VkImageAspectFlags aspects_of(VkFormat format) {
	VkImageAspectFlags aspects = 0;
	struct vk_format_aspect unused;
	for (VkImageAspectFlags aspect = COLOUR; aspect <= STENCIL; aspect *= 2) {
		if (vk_format_aspect(format, aspect, &unused)) {
			aspects |= aspect;
		}
	}
	return aspects;
}

/* --- what there is --- */

static void formats(struct parity *parity) {
	struct random random = random_from(1);
	uint32_t possible = 0;
	for (uint32_t i = 0; i < 1500; i++) {
		const VkFormat views[3] = {
			pick_format(&random), pick_format(&random), pick_format(&random)};
		VkImageFormatListCreateInfo list = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
			.viewFormatCount = random_below(&random, 4),
			.pViewFormats = views,
		};
		VkImageStencilUsageCreateInfo stencil = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_STENCIL_USAGE_CREATE_INFO,
			.stencilUsage = VK_IMAGE_USAGE_SAMPLED_BIT | pick_bits(&random, 0xff, 3),
		};
		VkPhysicalDeviceImageFormatInfo2 info = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
			.format = pick_format(&random),
			.type = (VkImageType)random_below(&random, 3),
			.tiling = (VkImageTiling)random_below(&random, 2),
			.usage = pick_bits(&random, 0x4000ff, 4),
			.flags = pick_bits(&random, 0x7fff, 8),
		};
		info.usage |= info.usage ? 0 : VK_IMAGE_USAGE_SAMPLED_BIT;
		if (random_once_in(&random, 3)) {
			info.pNext = &list;
		}
		if (random_once_in(&random, 3)) {
			stencil.pNext = info.pNext;
			info.pNext = &stencil;
		}
		VkHostImageCopyDevicePerformanceQueryEXT performance = {
			.sType = VK_STRUCTURE_TYPE_HOST_IMAGE_COPY_DEVICE_PERFORMANCE_QUERY_EXT};
		VkSamplerYcbcrConversionImageFormatProperties ycbcr = {
			.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_IMAGE_FORMAT_PROPERTIES,
			.pNext = parity->host_image_copy.hostImageCopy ? &performance : NULL,
		};
		VkImageFormatProperties2 properties = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2, .pNext = &ycbcr};
		const VkResult result = vkGetPhysicalDeviceImageFormatProperties2(
			parity->physical, &info, &properties);
		if (result != VK_SUCCESS) {
			continue;
		}
		const VkImageFormatProperties *plain = &properties.imageFormatProperties;
		say("%u: format %d, type %d, tiling %d, usage %x, flags %x", i, info.format, info.type,
			info.tiling, info.usage, info.flags);
		say("%u x %u x %u, %u levels, %u layers, samples %x, %llu bytes, %u, %u %u",
			plain->maxExtent.width, plain->maxExtent.height, plain->maxExtent.depth,
			plain->maxMipLevels, plain->maxArrayLayers, plain->sampleCounts,
			(unsigned long long)plain->maxResourceSize,
			ycbcr.combinedImageSamplerDescriptorCount, performance.optimalDeviceAccess,
			performance.identicalMemoryLayout);
		possible++;
	}
	say("%u are possible", possible);
}

static void set_layouts(struct parity *parity) {
	struct random random = random_from(2);
	for (uint32_t i = 0; i < 300; i++) {
		const VkDescriptorType mutable_types[] = {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
			VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE,
			VK_DESCRIPTOR_TYPE_STORAGE_IMAGE};
		VkDescriptorSetLayoutBinding bindings[6];
		VkMutableDescriptorTypeListEXT lists[COUNT(bindings)] = {{0, NULL}};
		VkDescriptorBindingFlags flags[COUNT(bindings)];
		const uint32_t count = random_below(&random, COUNT(bindings) + 1);
		for (uint32_t j = 0; j < count; j++) {
			bindings[j] = (VkDescriptorSetLayoutBinding){
				.binding = j * 3,
				.descriptorType = (VkDescriptorType)random_below(&random, 11),
				.descriptorCount = random_below(&random, UINT32_C(1) << random_below(&random, 24)),
				.stageFlags = VK_SHADER_STAGE_ALL,
			};
			if (parity->mutable_type.mutableDescriptorType && random_once_in(&random, 8)) {
				bindings[j].descriptorType = VK_DESCRIPTOR_TYPE_MUTABLE_EXT;
				lists[j] = (VkMutableDescriptorTypeListEXT){
					1 + random_below(&random, COUNT(mutable_types)), mutable_types};
			}
			flags[j] = pick_bits(&random, VK_DESCRIPTOR_BINDING_UPDATE_UNUSED_WHILE_PENDING_BIT |
				VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT, 3);
		}
		if (count && random_below(&random, 2)) {
			flags[count - 1] |= VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT;
		}
		const VkMutableDescriptorTypeCreateInfoEXT mutable_info = {
			.sType = VK_STRUCTURE_TYPE_MUTABLE_DESCRIPTOR_TYPE_CREATE_INFO_EXT,
			.mutableDescriptorTypeListCount = count,
			.pMutableDescriptorTypeLists = lists,
		};
		const VkDescriptorSetLayoutBindingFlagsCreateInfo flags_info = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
			.pNext = parity->mutable_type.mutableDescriptorType ? &mutable_info : NULL,
			.bindingCount = count,
			.pBindingFlags = flags,
		};
		const VkDescriptorSetLayoutCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
			.pNext = &flags_info,
			.bindingCount = count,
			.pBindings = bindings,
		};
		VkDescriptorSetVariableDescriptorCountLayoutSupport variable = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_LAYOUT_SUPPORT};
		VkDescriptorSetLayoutSupport support = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_SUPPORT, .pNext = &variable};
		vkGetDescriptorSetLayoutSupport(parity->device, &info, &support);
		say("%u bindings: %u, %u", count, support.supported, variable.maxVariableDescriptorCount);
	}
}

/* --- images --- */

static uint32_t least(uint32_t a, uint32_t b) {
	return a < b ? a : b;
}

/** Of this format, if there are such images with that. */
static bool pick_image(struct parity *parity, struct random *random, VkFormat format,
		VkImageUsageFlags usage, VkImageCreateFlags flags, VkImageCreateInfo *info) {
	*info = (VkImageCreateInfo){
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.flags = flags,
		.imageType = is_ycbcr(format) ? VK_IMAGE_TYPE_2D : (VkImageType)random_below(random, 3),
		.format = format,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = (VkImageTiling)random_below(random, 2),
		.usage = usage,
	};
	VkImageFormatProperties limits;
	if (vkGetPhysicalDeviceImageFormatProperties(parity->physical, format, info->imageType,
			info->tiling, usage, flags, &limits) != VK_SUCCESS) {
		return false;
	}
	const bool cube = flags & VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT;
	if (cube && (info->imageType != VK_IMAGE_TYPE_2D || limits.maxArrayLayers < 6)) {
		return false;
	}
	const bool sparse_line = (flags & VK_IMAGE_CREATE_SPARSE_BINDING_BIT) &&
		(info->imageType == VK_IMAGE_TYPE_1D || info->tiling == VK_IMAGE_TILING_LINEAR);
	if (sparse_line) {
		return false;
	}
	/* even, for chroma planes */
	info->extent.width = 2 * (1 + random_below(random, 30));
	info->extent.height = info->imageType == VK_IMAGE_TYPE_1D ? 1 :
		cube ? info->extent.width : 2 * (1 + random_below(random, 30));
	info->extent.depth = info->imageType == VK_IMAGE_TYPE_3D ? 1 + random_below(random, 6) : 1;
	info->mipLevels = 1 + random_below(random, least(limits.maxMipLevels, 3));
	while ((info->extent.width | info->extent.height) >> (info->mipLevels - 1) == 0) {
		info->mipLevels--;
	}
	info->arrayLayers = cube ? 6 : 1 + random_below(random, least(limits.maxArrayLayers, 4));
	return true;
}

static void say_requirements(const VkMemoryRequirements2 *requirements) {
	const VkMemoryRequirements *plain = &requirements->memoryRequirements;
	const VkMemoryDedicatedRequirements *dedicated = requirements->pNext;
	say("%llu, alignment %llu, types %x, dedicated %u %u", (unsigned long long)plain->size,
		(unsigned long long)plain->alignment, plain->memoryTypeBits,
		dedicated->prefersDedicatedAllocation, dedicated->requiresDedicatedAllocation);
}

static void images(struct parity *parity) {
	struct random random = random_from(3);
	const bool has_layouts = parity_has(parity, VK_KHR_MAINTENANCE_5_EXTENSION_NAME);
	PROC(parity, vkGetDeviceImageSubresourceLayoutKHR);
	PROC(parity, vkGetImageSubresourceLayout2KHR);
	for (uint32_t i = 0; i < 1500; i++) {
		const VkFormat format = pick_format(&random);
		VkImageUsageFlags usage = pick_bits(&random, 0xff, 4);
		usage |= usage ? 0 : VK_IMAGE_USAGE_SAMPLED_BIT;
		const VkImageCreateFlags sparse = VK_IMAGE_CREATE_SPARSE_BINDING_BIT |
			VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT | VK_IMAGE_CREATE_SPARSE_ALIASED_BIT;
		VkImageCreateFlags flags =
			pick_bits(&random, 0x7fff & ~VK_IMAGE_CREATE_PROTECTED_BIT, 10);
		flags |= flags & sparse ? VK_IMAGE_CREATE_SPARSE_BINDING_BIT : 0;
		VkImageCreateInfo info;
		if (!pick_image(parity, &random, format, usage, flags, &info)) {
			continue;
		}
		say("%u: format %d, type %d, tiling %d, usage %x, flags %x", i, format, info.imageType,
			info.tiling, usage, flags);
		VkImage image;
		if (SAY_RESULT(vkCreateImage(parity->device, &info, NULL, &image)) != VK_SUCCESS) {
			continue;
		}
		const bool disjoint = (flags & VK_IMAGE_CREATE_DISJOINT_BIT) && !aspects_of(format);
		const VkImagePlaneMemoryRequirementsInfo plane = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_PLANE_MEMORY_REQUIREMENTS_INFO,
			.planeAspect = VK_IMAGE_ASPECT_PLANE_0_BIT,
		};
		const VkImageMemoryRequirementsInfo2 of_image = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2,
			.pNext = disjoint ? &plane : NULL,
			.image = image,
		};
		const VkDeviceImageMemoryRequirements direct = {
			.sType = VK_STRUCTURE_TYPE_DEVICE_IMAGE_MEMORY_REQUIREMENTS,
			.pCreateInfo = &info,
			.planeAspect = disjoint ? VK_IMAGE_ASPECT_PLANE_0_BIT : VK_IMAGE_ASPECT_NONE,
		};
		VkMemoryDedicatedRequirements dedicated = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
		VkMemoryRequirements2 requirements = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, .pNext = &dedicated};
		vkGetImageMemoryRequirements2(parity->device, &of_image, &requirements);
		say_requirements(&requirements);
		vkGetDeviceImageMemoryRequirements(parity->device, &direct, &requirements);
		say_requirements(&requirements);
		if (has_layouts && aspects_of(format)) {
			const VkImageSubresource2KHR which = {
				.sType = VK_STRUCTURE_TYPE_IMAGE_SUBRESOURCE_2_KHR,
				.imageSubresource = {aspects_of(format) & ~(aspects_of(format) - 1),
					random_below(&random, info.mipLevels), random_below(&random, info.arrayLayers)},
			};
			const VkDeviceImageSubresourceInfoKHR direct_layout = {
				.sType = VK_STRUCTURE_TYPE_DEVICE_IMAGE_SUBRESOURCE_INFO_KHR,
				.pCreateInfo = &info,
				.pSubresource = &which,
			};
			VkSubresourceLayout2KHR layout = {
				.sType = VK_STRUCTURE_TYPE_SUBRESOURCE_LAYOUT_2_KHR};
			vkGetImageSubresourceLayout2KHR(parity->device, image, &which, &layout);
			say_hash("layout", &layout.subresourceLayout, sizeof(layout.subresourceLayout));
			vkGetDeviceImageSubresourceLayoutKHR(parity->device, &direct_layout, &layout);
			say_hash("layout", &layout.subresourceLayout, sizeof(layout.subresourceLayout));
		}
		vkDestroyImage(parity->device, image, NULL);
	}
}

/* --- copies --- */

/** With memory, in the layout GENERAL, its contents cleared. */
static bool init_image(struct parity *parity, struct random *random, VkFormat format,
		struct parity_image *image) {
	if (!pick_image(parity, random, format,
			VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT, 0, &image->info)) {
		return false;
	}
	image->aspects = aspects_of(format);
	MUST(vkCreateImage(parity->device, &image->info, NULL, &image->image));
	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(parity->device, image->image, &requirements);
	image->memory = parity_allocate(parity, &requirements, 0, NULL);
	MUST(vkBindImageMemory(parity->device, image->image, image->memory, 0));
	return true;
}

static uint32_t size_of_level(uint32_t size, uint32_t level) {
	return size >> level ? size >> level : 1;
}

static uint32_t blocks(uint32_t texels, uint32_t block) {
	return (texels + block - 1) / block;
}

/** A part of a length in units of blocks, which may end within one where the length does. */
static void pick_part(struct random *random, uint32_t length, uint32_t block, int32_t *offset,
		uint32_t *extent) {
	const uint32_t first = random_below(random, blocks(length, block));
	const uint32_t count = 1 + random_below(random, blocks(length, block) - first);
	*offset = (int32_t)(first * block);
	*extent = least(count * block, length - first * block);
}

/** One level of one or more layers, with rows and slices that may be longer than what is copied. */
static VkBufferImageCopy pick_copy(struct random *random, const struct parity_image *image) {
	VkBufferImageCopy copy = {0};
	VkImageSubresourceLayers *layers = &copy.imageSubresource;
	layers->mipLevel = random_below(random, image->info.mipLevels);
	layers->aspectMask = image->aspects == (DEPTH | STENCIL) ?
		random_below(random, 2) ? DEPTH : STENCIL : image->aspects;
	layers->baseArrayLayer = random_below(random, image->info.arrayLayers);
	layers->layerCount = 1 + random_below(random, image->info.arrayLayers - layers->baseArrayLayer);
	struct vk_format_aspect aspect;
	vk_format_aspect(image->info.format, layers->aspectMask, &aspect);
	const VkExtent3D whole = image->info.extent;
	pick_part(random, size_of_level(whole.width, layers->mipLevel), aspect.block_width,
		&copy.imageOffset.x, &copy.imageExtent.width);
	pick_part(random, size_of_level(whole.height, layers->mipLevel), aspect.block_height,
		&copy.imageOffset.y, &copy.imageExtent.height);
	pick_part(random, size_of_level(whole.depth, layers->mipLevel), 1, &copy.imageOffset.z,
		&copy.imageExtent.depth);
	/* of a block, and of four bytes */
	copy.bufferOffset = (VkDeviceSize)random_below(random, 20) * aspect.bytes * 4;
	if (random_below(random, 2)) {
		copy.bufferRowLength = aspect.block_width *
			(blocks(copy.imageExtent.width, aspect.block_width) + random_below(random, 5));
	}
	if (random_below(random, 2)) {
		copy.bufferImageHeight = aspect.block_height *
			(blocks(copy.imageExtent.height, aspect.block_height) + random_below(random, 5));
	}
	return copy;
}

#define ROOM (1 << 20)

static void fill(struct parity *parity, VkBuffer buffer, const struct parity_image *image) {
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	for (VkImageAspectFlags bits = image->aspects; bits; bits &= bits - 1) {
		for (uint32_t level = 0; level < image->info.mipLevels; level++) {
			const VkBufferImageCopy copy = {
				.bufferOffset = level * 192,
				.imageSubresource = {bits & ~(bits - 1), level, 0, image->info.arrayLayers},
				.imageExtent = {size_of_level(image->info.extent.width, level),
					size_of_level(image->info.extent.height, level),
					size_of_level(image->info.extent.depth, level)},
			};
			vkCmdCopyBufferToImage(
				commands, buffer, image->image, VK_IMAGE_LAYOUT_GENERAL, 1, &copy);
		}
	}
	parity_run(parity, commands);
}

static void destroy_image(struct parity *parity, const struct parity_image *image) {
	vkDestroyImage(parity->device, image->image, NULL);
	vkFreeMemory(parity->device, image->memory, NULL);
}

static void init_buffers(
		struct parity *parity, struct parity_buffer *in, struct parity_buffer *out) {
	parity_buffer_init(parity, in, ROOM * 2, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
	parity_buffer_init(parity, out, ROOM * 2, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	for (uint32_t i = 0; i < ROOM * 2; i++) {
		/* no number that has several representations */
		((uint8_t *)in->data)[i] = (uint8_t)((i * 7 + i / 100) % 60);
	}
}

static void buffer_copies(struct parity *parity) {
	struct random random = random_from(4);
	struct parity_buffer in, out;
	init_buffers(parity, &in, &out);
	for (uint32_t i = 0; i < 200; i++) {
		const VkFormat format = pick_format(&random);
		struct parity_image image;
		if (!aspects_of(format) || !init_image(parity, &random, format, &image)) {
			continue;
		}
		fill(parity, in.buffer, &image);
		memset(out.data, 0, 1 << 16);
		VkCommandBuffer commands = parity_begin(parity);
		for (uint32_t j = 0; j < 4; j++) {
			VkBufferImageCopy copy = pick_copy(&random, &image);
			if (j % 2) {
				vkCmdCopyImageToBuffer(commands, image.image, VK_IMAGE_LAYOUT_GENERAL, out.buffer,
					1, &copy);
			} else {
				vkCmdCopyBufferToImage(commands, in.buffer, image.image, VK_IMAGE_LAYOUT_GENERAL,
					1, &copy);
			}
			parity_barrier(commands);
		}
		parity_run(parity, commands);
		say("format %d, type %d, tiling %d", format, image.info.imageType, image.info.tiling);
		say_hash("copied", out.data, 1 << 16);
		destroy_image(parity, &image);
	}
	parity_buffer_finish(parity, &in);
	parity_buffer_finish(parity, &out);
}

/** Between images of formats whose blocks are alike, of whatever type and tiling. */
static void image_copies(struct parity *parity) {
	struct random random = random_from(5);
	struct parity_buffer in, out;
	init_buffers(parity, &in, &out);
	for (uint32_t i = 0; i < 400; i++) {
		const VkFormat formats[2] = {pick_format(&random), pick_format(&random)};
		struct vk_format_aspect aspects[2];
		struct parity_image image[2];
		if (!vk_format_aspect(formats[0], COLOUR, &aspects[0]) ||
				!vk_format_aspect(formats[1], COLOUR, &aspects[1]) ||
				aspects[0].bytes != aspects[1].bytes || is_ycbcr(formats[0]) ||
				is_ycbcr(formats[1]) || aspects[0].block_width != aspects[1].block_width ||
				aspects[0].block_height != aspects[1].block_height ||
				!init_image(parity, &random, formats[0], &image[0])) {
			continue;
		}
		if (!init_image(parity, &random, formats[1], &image[1])) {
			destroy_image(parity, &image[0]);
			continue;
		}
		fill(parity, in.buffer, &image[0]);
		fill(parity, in.buffer, &image[1]);
		/* whole blocks of the first layer of each, so that all fits */
		const uint32_t width = least(image[0].info.extent.width, image[1].info.extent.width) /
			aspects[0].block_width * aspects[0].block_width;
		const uint32_t height = least(image[0].info.extent.height, image[1].info.extent.height) /
			aspects[0].block_height * aspects[0].block_height;
		say("formats %d %d, types %d %d, tilings %d %d", formats[0], formats[1],
			image[0].info.imageType, image[1].info.imageType, image[0].info.tiling,
			image[1].info.tiling);
		if (width && height) {
			const VkImageCopy copy = {
				.srcSubresource = {COLOUR, 0, random_below(&random, image[0].info.arrayLayers), 1},
				.srcOffset = {0, 0, (int32_t)random_below(&random, image[0].info.extent.depth)},
				.dstSubresource = {COLOUR, 0, random_below(&random, image[1].info.arrayLayers), 1},
				.dstOffset = {0, 0, (int32_t)random_below(&random, image[1].info.extent.depth)},
				.extent = {width, height, 1},
			};
			VkCommandBuffer commands = parity_begin(parity);
			vkCmdCopyImage(commands, image[0].image, VK_IMAGE_LAYOUT_GENERAL, image[1].image,
				VK_IMAGE_LAYOUT_GENERAL, 1, &copy);
			parity_barrier(commands);
			const VkBufferImageCopy whole = {
				.imageSubresource = {COLOUR, 0, 0, image[1].info.arrayLayers},
				.imageExtent = image[1].info.extent,
			};
			vkCmdCopyImageToBuffer(commands, image[1].image, VK_IMAGE_LAYOUT_GENERAL, out.buffer,
				1, &whole);
			parity_run(parity, commands);
			say_hash("copied", out.data, 1 << 16);
		}
		destroy_image(parity, &image[0]);
		destroy_image(parity, &image[1]);
	}
	parity_buffer_finish(parity, &in);
	parity_buffer_finish(parity, &out);
}

const struct parity_case parity_random_cases[] = {
	{"random formats", formats},
	{"random set-layouts", set_layouts},
	{"random images", images},
	{"random buffer-copies", buffer_copies},
	{"random image-copies", image_copies},
	{NULL, NULL},
};
