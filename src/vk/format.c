/* SPDX-License-Identifier: MIT */
#include "vk/format.h"

/* Colours in one plane, by ranges of the enumeration. */
static const struct {
	VkFormat first, last;
	uint8_t bytes, block_width, block_height;
} colours[] = {
	{VK_FORMAT_R4G4_UNORM_PACK8, VK_FORMAT_R4G4_UNORM_PACK8, 1, 1, 1},
	{VK_FORMAT_R4G4B4A4_UNORM_PACK16, VK_FORMAT_A1R5G5B5_UNORM_PACK16, 2, 1, 1},
	{VK_FORMAT_R8_UNORM, VK_FORMAT_R8_SRGB, 1, 1, 1},
	{VK_FORMAT_R8G8_UNORM, VK_FORMAT_R8G8_SRGB, 2, 1, 1},
	{VK_FORMAT_R8G8B8_UNORM, VK_FORMAT_B8G8R8_SRGB, 3, 1, 1},
	{VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_A2B10G10R10_SINT_PACK32, 4, 1, 1},
	{VK_FORMAT_R16_UNORM, VK_FORMAT_R16_SFLOAT, 2, 1, 1},
	{VK_FORMAT_R16G16_UNORM, VK_FORMAT_R16G16_SFLOAT, 4, 1, 1},
	{VK_FORMAT_R16G16B16_UNORM, VK_FORMAT_R16G16B16_SFLOAT, 6, 1, 1},
	{VK_FORMAT_R16G16B16A16_UNORM, VK_FORMAT_R16G16B16A16_SFLOAT, 8, 1, 1},
	{VK_FORMAT_R32_UINT, VK_FORMAT_R32_SFLOAT, 4, 1, 1},
	{VK_FORMAT_R32G32_UINT, VK_FORMAT_R32G32_SFLOAT, 8, 1, 1},
	{VK_FORMAT_R32G32B32_UINT, VK_FORMAT_R32G32B32_SFLOAT, 12, 1, 1},
	{VK_FORMAT_R32G32B32A32_UINT, VK_FORMAT_R32G32B32A32_SFLOAT, 16, 1, 1},
	{VK_FORMAT_R64_UINT, VK_FORMAT_R64_SFLOAT, 8, 1, 1},
	{VK_FORMAT_R64G64_UINT, VK_FORMAT_R64G64_SFLOAT, 16, 1, 1},
	{VK_FORMAT_R64G64B64_UINT, VK_FORMAT_R64G64B64_SFLOAT, 24, 1, 1},
	{VK_FORMAT_R64G64B64A64_UINT, VK_FORMAT_R64G64B64A64_SFLOAT, 32, 1, 1},
	{VK_FORMAT_B10G11R11_UFLOAT_PACK32, VK_FORMAT_E5B9G9R9_UFLOAT_PACK32, 4, 1, 1},
	{VK_FORMAT_BC1_RGB_UNORM_BLOCK, VK_FORMAT_BC1_RGBA_SRGB_BLOCK, 8, 4, 4},
	{VK_FORMAT_BC2_UNORM_BLOCK, VK_FORMAT_BC3_SRGB_BLOCK, 16, 4, 4},
	{VK_FORMAT_BC4_UNORM_BLOCK, VK_FORMAT_BC4_SNORM_BLOCK, 8, 4, 4},
	{VK_FORMAT_BC5_UNORM_BLOCK, VK_FORMAT_BC7_SRGB_BLOCK, 16, 4, 4},
	{VK_FORMAT_ETC2_R8G8B8_UNORM_BLOCK, VK_FORMAT_ETC2_R8G8B8A1_SRGB_BLOCK, 8, 4, 4},
	{VK_FORMAT_ETC2_R8G8B8A8_UNORM_BLOCK, VK_FORMAT_ETC2_R8G8B8A8_SRGB_BLOCK, 16, 4, 4},
	{VK_FORMAT_EAC_R11_UNORM_BLOCK, VK_FORMAT_EAC_R11_SNORM_BLOCK, 8, 4, 4},
	{VK_FORMAT_EAC_R11G11_UNORM_BLOCK, VK_FORMAT_EAC_R11G11_SNORM_BLOCK, 16, 4, 4},
	{VK_FORMAT_G8B8G8R8_422_UNORM, VK_FORMAT_B8G8R8G8_422_UNORM, 4, 2, 1},
	{VK_FORMAT_R10X6_UNORM_PACK16, VK_FORMAT_R10X6_UNORM_PACK16, 2, 1, 1},
	{VK_FORMAT_R10X6G10X6_UNORM_2PACK16, VK_FORMAT_R10X6G10X6_UNORM_2PACK16, 4, 1, 1},
	{VK_FORMAT_R10X6G10X6B10X6A10X6_UNORM_4PACK16,
		VK_FORMAT_R10X6G10X6B10X6A10X6_UNORM_4PACK16, 8, 1, 1},
	{VK_FORMAT_G10X6B10X6G10X6R10X6_422_UNORM_4PACK16,
		VK_FORMAT_B10X6G10X6R10X6G10X6_422_UNORM_4PACK16, 8, 2, 1},
	{VK_FORMAT_R12X4_UNORM_PACK16, VK_FORMAT_R12X4_UNORM_PACK16, 2, 1, 1},
	{VK_FORMAT_R12X4G12X4_UNORM_2PACK16, VK_FORMAT_R12X4G12X4_UNORM_2PACK16, 4, 1, 1},
	{VK_FORMAT_R12X4G12X4B12X4A12X4_UNORM_4PACK16,
		VK_FORMAT_R12X4G12X4B12X4A12X4_UNORM_4PACK16, 8, 1, 1},
	{VK_FORMAT_G12X4B12X4G12X4R12X4_422_UNORM_4PACK16,
		VK_FORMAT_B12X4G12X4R12X4G12X4_422_UNORM_4PACK16, 8, 2, 1},
	{VK_FORMAT_G16B16G16R16_422_UNORM, VK_FORMAT_B16G16R16G16_422_UNORM, 8, 2, 1},
	{VK_FORMAT_A4R4G4B4_UNORM_PACK16, VK_FORMAT_A4B4G4R4_UNORM_PACK16, 2, 1, 1},
	{VK_FORMAT_R16G16_SFIXED5_NV, VK_FORMAT_R16G16_SFIXED5_NV, 4, 1, 1},
	{VK_FORMAT_A1B5G5R5_UNORM_PACK16, VK_FORMAT_A1B5G5R5_UNORM_PACK16, 2, 1, 1},
	{VK_FORMAT_A8_UNORM, VK_FORMAT_A8_UNORM, 1, 1, 1},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool find_colour(VkFormat format, struct vk_format_aspect *found) {
	for (size_t i = 0; i < COUNT(colours); i++) {
		if (format >= colours[i].first && format <= colours[i].last) {
			*found = (struct vk_format_aspect){colours[i].bytes, colours[i].block_width,
				colours[i].block_height, 1, 1};
			return true;
		}
	}

	/* two of each size, but for floats */
	static const uint8_t astc[][2] = {{4, 4}, {5, 4}, {5, 5}, {6, 5}, {6, 6}, {8, 5}, {8, 6},
		{8, 8}, {10, 5}, {10, 6}, {10, 8}, {10, 10}, {12, 10}, {12, 12}};
	size_t size = COUNT(astc);
	if (format >= VK_FORMAT_ASTC_4x4_UNORM_BLOCK && format <= VK_FORMAT_ASTC_12x12_SRGB_BLOCK) {
		size = (size_t)(format - VK_FORMAT_ASTC_4x4_UNORM_BLOCK) / 2;
	} else if (format >= VK_FORMAT_ASTC_4x4_SFLOAT_BLOCK &&
			format <= VK_FORMAT_ASTC_12x12_SFLOAT_BLOCK) {
		size = (size_t)(format - VK_FORMAT_ASTC_4x4_SFLOAT_BLOCK);
	}
	if (size < COUNT(astc)) {
		*found = (struct vk_format_aspect){16, astc[size][0], astc[size][1], 1, 1};
		return true;
	}

	/* with 2 and 4 bits per texel in turn */
	if (format >= VK_FORMAT_PVRTC1_2BPP_UNORM_BLOCK_IMG &&
			format <= VK_FORMAT_PVRTC2_4BPP_SRGB_BLOCK_IMG) {
		const bool wide = (format - VK_FORMAT_PVRTC1_2BPP_UNORM_BLOCK_IMG) % 2 == 0;
		*found = (struct vk_format_aspect){8, wide ? 8 : 4, 4, 1, 1};
		return true;
	}
	return false;
}

static bool find_depth(
		VkFormat format, VkImageAspectFlags aspect, struct vk_format_aspect *found) {
	uint8_t depth = 0, stencil = 0;
	switch (format) {
	case VK_FORMAT_D16_UNORM:
		depth = 2;
		break;
	case VK_FORMAT_X8_D24_UNORM_PACK32:
	case VK_FORMAT_D32_SFLOAT:
		depth = 4;
		break;
	case VK_FORMAT_S8_UINT:
		stencil = 1;
		break;
	case VK_FORMAT_D16_UNORM_S8_UINT:
		depth = 2;
		stencil = 1;
		break;
	case VK_FORMAT_D24_UNORM_S8_UINT:
	case VK_FORMAT_D32_SFLOAT_S8_UINT:
		depth = 4;
		stencil = 1;
		break;
	default:
		break;
	}
	*found = (struct vk_format_aspect){
		aspect == VK_IMAGE_ASPECT_DEPTH_BIT ? depth : stencil, 1, 1, 1, 1};
	return found->bytes != 0;
}

static bool find_plane(VkFormat format, uint32_t plane, struct vk_format_aspect *found) {
	/* each in the order of the enumeration: 3 planes 4:2:0, 2 of 4:2:0, 3 of 4:2:2, 2 of 4:2:2, 3 of 4:4:4 */
	static const struct {
		uint32_t planes;
		uint8_t width_divisor, height_divisor;
	} layouts[] = {{3, 2, 2}, {2, 2, 2}, {3, 2, 1}, {2, 2, 1}, {3, 1, 1}, {2, 1, 1}};
	static const struct {
		VkFormat first;   /* of the first five layouts */
		VkFormat two_444; /* of the last */
		uint8_t bytes;    /* of a component */
	} depths[] = {
		{VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, VK_FORMAT_G8_B8R8_2PLANE_444_UNORM, 1},
		{VK_FORMAT_G10X6_B10X6_R10X6_3PLANE_420_UNORM_3PACK16,
			VK_FORMAT_G10X6_B10X6R10X6_2PLANE_444_UNORM_3PACK16, 2},
		{VK_FORMAT_G12X4_B12X4_R12X4_3PLANE_420_UNORM_3PACK16,
			VK_FORMAT_G12X4_B12X4R12X4_2PLANE_444_UNORM_3PACK16, 2},
		{VK_FORMAT_G16_B16_R16_3PLANE_420_UNORM, VK_FORMAT_G16_B16R16_2PLANE_444_UNORM, 2},
	};
	for (size_t i = 0; i < COUNT(depths); i++) {
		const int64_t number = format == depths[i].two_444 ?
			(int64_t)COUNT(layouts) - 1 : (int64_t)format - depths[i].first;
		if (number < 0 || number >= (int64_t)COUNT(layouts) ||
				(number == (int64_t)COUNT(layouts) - 1 && format != depths[i].two_444)) {
			continue;
		}
		const uint32_t planes = layouts[number].planes;
		const uint8_t components = planes == 2 && plane == 1 ? 2 : 1;
		*found = (struct vk_format_aspect){(uint8_t)(components * depths[i].bytes), 1, 1,
			plane ? layouts[number].width_divisor : 1,
			plane ? layouts[number].height_divisor : 1};
		return plane < planes;
	}
	return false;
}

bool vk_format_aspect(
		VkFormat format, VkImageAspectFlags aspect, struct vk_format_aspect *found) {
	switch (aspect) {
	case VK_IMAGE_ASPECT_COLOR_BIT:
		return find_colour(format, found);
	case VK_IMAGE_ASPECT_DEPTH_BIT:
	case VK_IMAGE_ASPECT_STENCIL_BIT:
		return find_depth(format, aspect, found);
	case VK_IMAGE_ASPECT_PLANE_0_BIT:
		return find_plane(format, 0, found);
	case VK_IMAGE_ASPECT_PLANE_1_BIT:
		return find_plane(format, 1, found);
	case VK_IMAGE_ASPECT_PLANE_2_BIT:
		return find_plane(format, 2, found);
	default:
		return false;
	}
}
