/* SPDX-License-Identifier: MIT */

/* What the driver says of formats: every one of them, with every kind of image. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Formats are numbered in runs: the core's, and those of extensions. */
static const struct {
	uint32_t first, last;
} runs[] = {
	{0, VK_FORMAT_ASTC_12x12_SRGB_BLOCK},
	{VK_FORMAT_G8B8G8R8_422_UNORM, VK_FORMAT_G16_B16_R16_3PLANE_444_UNORM},
	{VK_FORMAT_G8_B8R8_2PLANE_444_UNORM, VK_FORMAT_G16_B16R16_2PLANE_444_UNORM},
	{VK_FORMAT_A4R4G4B4_UNORM_PACK16, VK_FORMAT_A4B4G4R4_UNORM_PACK16},
	{VK_FORMAT_ASTC_4x4_SFLOAT_BLOCK, VK_FORMAT_ASTC_12x12_SFLOAT_BLOCK},
	{VK_FORMAT_A1B5G5R5_UNORM_PACK16_KHR, VK_FORMAT_A8_UNORM_KHR},
};

static const VkImageUsageFlags usages[] = {
	VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
	VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	VK_IMAGE_USAGE_SAMPLED_BIT,
	VK_IMAGE_USAGE_STORAGE_BIT,
	VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
	VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT,
	VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT,
	VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSIENT_ATTACHMENT_BIT,
	VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT,
	0x1f,
	0x27,
};

static const VkImageCreateFlags image_flags[] = {
	0,
	VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT,
	VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT | VK_IMAGE_CREATE_EXTENDED_USAGE_BIT,
	VK_IMAGE_CREATE_2D_ARRAY_COMPATIBLE_BIT,
	VK_IMAGE_CREATE_ALIAS_BIT | VK_IMAGE_CREATE_DISJOINT_BIT,
	VK_IMAGE_CREATE_SPLIT_INSTANCE_BIND_REGIONS_BIT,
	VK_IMAGE_CREATE_PROTECTED_BIT,
	VK_IMAGE_CREATE_BLOCK_TEXEL_VIEW_COMPATIBLE_BIT | VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT,
	VK_IMAGE_CREATE_SPARSE_BINDING_BIT,
	VK_IMAGE_CREATE_SPARSE_BINDING_BIT | VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT,
	VK_IMAGE_CREATE_SPARSE_BINDING_BIT | VK_IMAGE_CREATE_SPARSE_ALIASED_BIT,
	VK_IMAGE_CREATE_SAMPLE_LOCATIONS_COMPATIBLE_DEPTH_BIT_EXT,
};

/** With several usages and flags for each, or, to be quick, with the one of either that is the format's turn. */
static void image_formats_of(struct parity *parity, VkFormat format, uint32_t turn, bool all) {
	struct {
		VkResult first, second;
		VkImageFormatProperties properties, properties2;
		VkDeviceSize bytes;
		uint32_t ycbcr, cubic[2];
	} said[3 * 2 * COUNT(usages) * COUNT(image_flags)];
	memset(said, 0, sizeof(said));
	size_t n = 0;
	for (uint32_t type = 0; type < 3; type++) {
		for (uint32_t tiling = 0; tiling < 2; tiling++) {
			for (size_t usage = 0; usage < COUNT(usages); usage++) {
				for (size_t flags = 0; flags < COUNT(image_flags); flags++) {
					if (!all && (turn + flags + usage * 5) % 23) {
						continue;
					}
					VkImageFormatProperties *properties = &said[n].properties;
					said[n].first = vkGetPhysicalDeviceImageFormatProperties(
						parity->physical, format, (VkImageType)type, (VkImageTiling)tiling,
						usages[usage], image_flags[flags], properties);
					VkSamplerYcbcrConversionImageFormatProperties ycbcr = {
						.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_IMAGE_FORMAT_PROPERTIES,
					};
					VkImageFormatProperties2 second = {
						.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
						.pNext = &ycbcr,
					};
					const VkPhysicalDeviceImageFormatInfo2 info = {
						.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
						.format = format,
						.type = (VkImageType)type,
						.tiling = (VkImageTiling)tiling,
						.usage = usages[usage],
						.flags = image_flags[flags],
					};
					said[n].second = vkGetPhysicalDeviceImageFormatProperties2(
						parity->physical, &info, &second);
					said[n].properties2 = second.imageFormatProperties;
					said[n].ycbcr = said[n].second == VK_SUCCESS ?
						ycbcr.combinedImageSamplerDescriptorCount : 0;
					n++;
				}
			}
		}
	}
	say("format %d, %zu", format, n);
	say_hash("images", said, n * sizeof(said[0]));
}

static void each_format(struct parity *parity,
		void (*say_format)(struct parity *parity, VkFormat format, uint32_t turn)) {
	uint32_t turn = 0;
	for (size_t run = 0; run < COUNT(runs); run++) {
		for (uint32_t format = runs[run].first; format <= runs[run].last; format++) {
			say_format(parity, (VkFormat)format, turn++);
		}
	}
}

static void say_images(struct parity *parity, VkFormat format, uint32_t turn) {
	image_formats_of(parity, format, turn, false);
}

static void images(struct parity *parity) {
	each_format(parity, say_images);
	image_formats_of(parity, VK_FORMAT_R8G8B8A8_UNORM, 0, true);
	image_formats_of(parity, VK_FORMAT_D32_SFLOAT_S8_UINT, 0, true);
	image_formats_of(parity, VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, 0, true);
}

static void say_features(struct parity *parity, VkFormat format, uint32_t turn) {
	VkFormatProperties first;
	VkFormatProperties3 third = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3};
	VkFormatProperties2 second = {
		.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, .pNext = turn % 3 ? &third : NULL};
	memset(&first, 0x77, sizeof(first));
	vkGetPhysicalDeviceFormatProperties2(parity->physical, format, &second);
	vkGetPhysicalDeviceFormatProperties(parity->physical, format, &first);
	/* of these the guest's driver holds back what it has no use for */
	if (format == VK_FORMAT_G8_B8R8_2PLANE_420_UNORM ||
			format == VK_FORMAT_R10X6G10X6B10X6A10X6_UNORM_4PACK16 ||
			format == VK_FORMAT_G12X4_B12X4R12X4_2PLANE_420_UNORM_3PACK16) {
		return;
	}
	say("%d: %x %x %x, %llx %llx %llx, both the same: %d", format, first.linearTilingFeatures,
		first.optimalTilingFeatures, first.bufferFeatures,
		(unsigned long long)third.linearTilingFeatures,
		(unsigned long long)third.optimalTilingFeatures, (unsigned long long)third.bufferFeatures,
		memcmp(&first, &second.formatProperties, sizeof(first)) == 0);
}

static void features(struct parity *parity) {
	each_format(parity, say_features);
}

static void say_sparse(struct parity *parity, VkFormat format, uint32_t turn) {
	VkSparseImageFormatProperties first[4];
	VkSparseImageFormatProperties2 second[4];
	for (uint32_t type = 0; type < 3; type++) {
		for (uint32_t samples = 1; samples <= 16; samples *= 4) {
			uint32_t counts[3] = {0, 1 + turn % 3, 4};
			memset(first, 0, sizeof(first));
			memset(second, 0, sizeof(second));
			for (size_t i = 0; i < 4; i++) {
				second[i].sType = VK_STRUCTURE_TYPE_SPARSE_IMAGE_FORMAT_PROPERTIES_2;
			}
			vkGetPhysicalDeviceSparseImageFormatProperties(parity->physical, format,
				(VkImageType)type, (VkSampleCountFlagBits)samples, VK_IMAGE_USAGE_SAMPLED_BIT,
				VK_IMAGE_TILING_OPTIMAL, &counts[0], NULL);
			vkGetPhysicalDeviceSparseImageFormatProperties(parity->physical, format,
				(VkImageType)type, (VkSampleCountFlagBits)samples, VK_IMAGE_USAGE_SAMPLED_BIT,
				VK_IMAGE_TILING_OPTIMAL, &counts[1], first);
			const VkPhysicalDeviceSparseImageFormatInfo2 info = {
				.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SPARSE_IMAGE_FORMAT_INFO_2,
				.format = format,
				.type = (VkImageType)type,
				.samples = (VkSampleCountFlagBits)samples,
				.usage = VK_IMAGE_USAGE_STORAGE_BIT,
				.tiling = VK_IMAGE_TILING_OPTIMAL,
			};
			vkGetPhysicalDeviceSparseImageFormatProperties2(
				parity->physical, &info, &counts[2], second);
			if (counts[0] || counts[2]) {
				say("%d: %u %u %u", format, counts[0], counts[1], counts[2]);
				say_hash("first", first, sizeof(first));
				for (uint32_t i = 0; i < counts[2]; i++) {
					say_hash("second", &second[i].properties, sizeof(second[i].properties));
				}
			}
		}
	}
}

static void sparse(struct parity *parity) {
	if (parity->features.features.sparseBinding) {
		each_format(parity, say_sparse);
	}
}

/** Not all that drivers say yes to is legal. */
static bool is_possible(
		VkFormat format, VkImageCreateFlags flags, uint32_t type, uint32_t tiling) {
	const bool sparse = flags & VK_IMAGE_CREATE_SPARSE_BINDING_BIT;
	const bool planes = format >= VK_FORMAT_G8B8G8R8_422_UNORM &&
		format <= VK_FORMAT_G16_B16R16_2PLANE_444_UNORM;
	const bool blocks = format >= VK_FORMAT_BC1_RGB_UNORM_BLOCK &&
		format <= VK_FORMAT_ASTC_12x12_SRGB_BLOCK;
	const bool depth = format >= VK_FORMAT_D16_UNORM && format <= VK_FORMAT_D32_SFLOAT_S8_UINT;
	const VkImageCreateFlags of_group = VK_IMAGE_CREATE_SPLIT_INSTANCE_BIND_REGIONS_BIT;
	return (type == VK_IMAGE_TYPE_2D || !planes) &&
		(type == VK_IMAGE_TYPE_2D || !(flags & VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT)) &&
		(type == VK_IMAGE_TYPE_3D || !(flags & VK_IMAGE_CREATE_2D_ARRAY_COMPATIBLE_BIT)) &&
		(blocks || !(flags & VK_IMAGE_CREATE_BLOCK_TEXEL_VIEW_COMPATIBLE_BIT)) &&
		(depth || !(flags & VK_IMAGE_CREATE_SAMPLE_LOCATIONS_COMPATIBLE_DEPTH_BIT_EXT)) &&
		(!sparse || (type != VK_IMAGE_TYPE_1D && tiling == VK_IMAGE_TILING_OPTIMAL)) &&
		!(flags & (of_group | VK_IMAGE_CREATE_PROTECTED_BIT));
}

/** What is to be known of an image of a format before it is made, and of one that is. */
static void say_requirements(struct parity *parity, VkFormat format, uint32_t turn) {
	for (uint32_t i = 0; i < COUNT(image_flags); i++) {
		const VkImageCreateFlags flags = image_flags[i];
		if ((i + turn) % 5) {
			continue;
		}
		for (uint32_t j = 0; j < 6; j++) {
			if (!is_possible(format, flags, j % 3, j / 3)) {
				continue;
			}
			VkImageCreateInfo info = {
				.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
				.flags = flags,
				.format = format,
				.imageType = (VkImageType)(j % 3),
				.tiling = (VkImageTiling)(j / 3),
				.extent = {36, j % 3 > 0 ? 36 : 1, j % 3 > 1 ? 6 : 1},
				.mipLevels = 1,
				.arrayLayers = flags & VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT ? 6 : 1,
				.samples = VK_SAMPLE_COUNT_1_BIT,
				.usage = usages[turn % 7] | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
			};
			VkImageFormatProperties limits;
			if (vkGetPhysicalDeviceImageFormatProperties(parity->physical, format, info.imageType,
					info.tiling, info.usage, flags, &limits) != VK_SUCCESS ||
					info.arrayLayers > limits.maxArrayLayers) {
				continue;
			}
			if (limits.maxMipLevels > 3 && format < VK_FORMAT_G8B8G8R8_422_UNORM) {
				info.mipLevels = 3;
			}
			VkImage image;
			if (SAY_RESULT(vkCreateImage(parity->device, &info, NULL, &image)) != VK_SUCCESS) {
				continue;
			}
			const VkDeviceImageMemoryRequirements direct = {
				.sType = VK_STRUCTURE_TYPE_DEVICE_IMAGE_MEMORY_REQUIREMENTS,
				.pCreateInfo = &info,
				.planeAspect = VK_IMAGE_ASPECT_PLANE_0_BIT,
			};
			const bool disjoint = flags & VK_IMAGE_CREATE_DISJOINT_BIT;
			const VkImagePlaneMemoryRequirementsInfo plane = {
				.sType = VK_STRUCTURE_TYPE_IMAGE_PLANE_MEMORY_REQUIREMENTS_INFO,
				.planeAspect = VK_IMAGE_ASPECT_PLANE_0_BIT,
			};
			const VkImageMemoryRequirementsInfo2 of_image = {
				.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2,
				.pNext = disjoint ? &plane : NULL,
				.image = image,
			};
			VkMemoryDedicatedRequirements dedicated[2];
			VkMemoryRequirements2 requirements[2];
			for (size_t k = 0; k < 2; k++) {
				dedicated[k] = (VkMemoryDedicatedRequirements){
					.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
				requirements[k] = (VkMemoryRequirements2){
					.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, .pNext = &dedicated[k]};
			}
			vkGetImageMemoryRequirements2(parity->device, &of_image, &requirements[0]);
			vkGetDeviceImageMemoryRequirements(parity->device, &direct, &requirements[1]);
			for (size_t k = 0; k < 2; k++) {
				const VkMemoryRequirements *plain = &requirements[k].memoryRequirements;
				say("%d %x %d %d: %llu, alignment %llu, types %x, dedicated %u %u", format, flags,
					info.imageType, info.tiling, (unsigned long long)plain->size,
					(unsigned long long)plain->alignment, plain->memoryTypeBits,
					dedicated[k].prefersDedicatedAllocation,
					dedicated[k].requiresDedicatedAllocation);
			}
			if (flags & VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT) {
				VkSparseImageMemoryRequirements all[4];
				uint32_t count = 0;
				vkGetImageSparseMemoryRequirements(parity->device, image, &count, NULL);
				say("%u", count);
				count = 1 + turn % 3;
				vkGetImageSparseMemoryRequirements(parity->device, image, &count, all);
				say("%u", count);
				for (uint32_t k = 0; k < count; k++) {
					say_hash("sparse", &all[k], sizeof(all[k]));
				}
				VkSparseImageMemoryRequirements2 second[3] = {
					{.sType = VK_STRUCTURE_TYPE_SPARSE_IMAGE_MEMORY_REQUIREMENTS_2},
					{.sType = VK_STRUCTURE_TYPE_SPARSE_IMAGE_MEMORY_REQUIREMENTS_2},
					{.sType = VK_STRUCTURE_TYPE_SPARSE_IMAGE_MEMORY_REQUIREMENTS_2},
				};
				count = 3;
				vkGetDeviceImageSparseMemoryRequirements(parity->device, &direct, &count, second);
				say("%u", count);
				for (uint32_t k = 0; k < count; k++) {
					say_hash("sparse", &second[k].memoryRequirements,
						sizeof(second[k].memoryRequirements));
				}
			}
			vkDestroyImage(parity->device, image, NULL);
		}
	}
}

static void requirements(struct parity *parity) {
	each_format(parity, say_requirements);
}

const struct parity_case parity_format_cases[] = {
	{"formats images", images},
	{"formats features", features},
	{"formats sparse", sparse},
	{"formats requirements", requirements},
	{NULL, NULL},
};
