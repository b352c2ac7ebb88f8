/* SPDX-License-Identifier: MIT */

/* Images of several planes: their memory together or plane by plane, copies, and sampling. */

#include <string.h>

#include "parity.h"

#include "image_comp_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIZE 32

struct planes {
	VkFormat format;
	uint32_t count;
	uint32_t texel_sizes[3];
	uint32_t divisor; /* of the chroma planes' sides */
};

static const struct planes formats[] = {
	{VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, 3, {1, 1, 1}, 2},
	{VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, 2, {1, 2, 0}, 2},
	{VK_FORMAT_G8_B8_R8_3PLANE_444_UNORM, 3, {1, 1, 1}, 1},
	{VK_FORMAT_G10X6_B10X6R10X6_2PLANE_420_UNORM_3PACK16, 2, {2, 4, 0}, 2},
	{VK_FORMAT_G16_B16_R16_3PLANE_444_UNORM, 3, {2, 2, 2}, 1},
};

struct image {
	VkImage image;
	VkDeviceMemory memory[3];
};

static bool image_init(struct parity *parity, struct image *image, const struct planes *planes,
		VkImageTiling tiling, bool disjoint) {
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.flags = disjoint ? VK_IMAGE_CREATE_DISJOINT_BIT : 0,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = planes->format,
		.extent = {SIZE, SIZE, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = tiling,
		.usage = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
			VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	};
	VkImageFormatProperties limits;
	memset(image, 0, sizeof(*image));
	if (SAY_RESULT(vkGetPhysicalDeviceImageFormatProperties(parity->physical, info.format,
			info.imageType, info.tiling, info.usage, info.flags, &limits)) != VK_SUCCESS) {
		return false;
	}
	MUST(vkCreateImage(parity->device, &info, NULL, &image->image));
	VkBindImagePlaneMemoryInfo of_plane[3];
	VkBindImageMemoryInfo binds[3];
	const uint32_t count = disjoint ? planes->count : 1;
	for (uint32_t i = 0; i < count; i++) {
		const VkImageAspectFlagBits aspect =
			(VkImageAspectFlagBits)(VK_IMAGE_ASPECT_PLANE_0_BIT << i);
		const VkImagePlaneMemoryRequirementsInfo plane = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_PLANE_MEMORY_REQUIREMENTS_INFO,
			.planeAspect = aspect,
		};
		const VkImageMemoryRequirementsInfo2 of_image = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2,
			.pNext = disjoint ? &plane : NULL,
			.image = image->image,
		};
		VkMemoryRequirements2 requirements = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
		vkGetImageMemoryRequirements2(parity->device, &of_image, &requirements);
		const VkDeviceImageMemoryRequirements direct = {
			.sType = VK_STRUCTURE_TYPE_DEVICE_IMAGE_MEMORY_REQUIREMENTS,
			.pCreateInfo = &info,
			.planeAspect = aspect,
		};
		VkMemoryRequirements2 before = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
		vkGetDeviceImageMemoryRequirements(parity->device, &direct, &before);
		say("plane %u of %u: %llu, alignment %llu, types %x, known before: %d", i, count,
			(unsigned long long)requirements.memoryRequirements.size,
			(unsigned long long)requirements.memoryRequirements.alignment,
			requirements.memoryRequirements.memoryTypeBits,
			requirements.memoryRequirements.size == before.memoryRequirements.size);
		image->memory[i] = parity_allocate(parity, &requirements.memoryRequirements, 0, NULL);
		of_plane[i] = (VkBindImagePlaneMemoryInfo){
			.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_PLANE_MEMORY_INFO,
			.planeAspect = aspect,
		};
		binds[i] = (VkBindImageMemoryInfo){
			.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
			.pNext = disjoint ? &of_plane[i] : NULL,
			.image = image->image,
			.memory = image->memory[i],
		};
	}
	SAY_RESULT(vkBindImageMemory2(parity->device, count, binds));
	if (tiling == VK_IMAGE_TILING_LINEAR) {
		for (uint32_t i = 0; i < planes->count; i++) {
			const VkImageSubresource subresource = {VK_IMAGE_ASPECT_PLANE_0_BIT << i, 0, 0};
			VkSubresourceLayout layout;
			vkGetImageSubresourceLayout(parity->device, image->image, &subresource, &layout);
			say("plane %u: at %llu, %llu bytes, rows of %llu", i, (unsigned long long)layout.offset,
				(unsigned long long)layout.size, (unsigned long long)layout.rowPitch);
		}
	}
	return true;
}

static void image_finish(struct parity *parity, struct image *image) {
	vkDestroyImage(parity->device, image->image, NULL);
	for (size_t i = 0; i < COUNT(image->memory); i++) {
		vkFreeMemory(parity->device, image->memory[i], NULL);
	}
}

/** Between the planes of the image and a buffer that has them one behind the other. */
static void copy(VkCommandBuffer commands, const struct image *image, const struct planes *planes,
		VkBuffer buffer, bool to_image) {
	VkDeviceSize offset = 0;
	for (uint32_t i = 0; i < planes->count; i++) {
		const uint32_t side = i ? SIZE / planes->divisor : SIZE;
		const VkBufferImageCopy region = {
			.bufferOffset = offset,
			.imageSubresource = {VK_IMAGE_ASPECT_PLANE_0_BIT << i, 0, 0, 1},
			.imageExtent = {side, side, 1},
		};
		if (to_image) {
			vkCmdCopyBufferToImage(
				commands, buffer, image->image, VK_IMAGE_LAYOUT_GENERAL, 1, &region);
		} else {
			vkCmdCopyImageToBuffer(
				commands, image->image, VK_IMAGE_LAYOUT_GENERAL, buffer, 1, &region);
		}
		offset += (VkDeviceSize)planes->texel_sizes[i] * side * side;
	}
}

static void sample(struct parity *parity, const struct image *image, const struct planes *planes) {
	const VkDevice device = parity->device;
	const VkSamplerYcbcrConversionCreateInfo conversion_info = {
		.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_CREATE_INFO,
		.format = planes->format,
		.ycbcrModel = VK_SAMPLER_YCBCR_MODEL_CONVERSION_YCBCR_709,
		.ycbcrRange = VK_SAMPLER_YCBCR_RANGE_ITU_NARROW,
		.components = {.r = VK_COMPONENT_SWIZZLE_IDENTITY},
		.xChromaOffset = VK_CHROMA_LOCATION_COSITED_EVEN,
		.yChromaOffset = VK_CHROMA_LOCATION_COSITED_EVEN,
	};
	VkSamplerYcbcrConversion conversion;
	MUST(vkCreateSamplerYcbcrConversion(device, &conversion_info, NULL, &conversion));
	const VkSamplerYcbcrConversionInfo with = {
		.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_INFO,
		.conversion = conversion,
	};
	const VkSamplerCreateInfo sampler_info = {
		.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
		.pNext = &with,
		.addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
		.addressModeV = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
		.addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
	};
	VkSampler sampler;
	MUST(vkCreateSampler(device, &sampler_info, NULL, &sampler));
	const VkImageViewCreateInfo view_info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.pNext = &with,
		.image = image->image,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = planes->format,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	VkImageView view;
	MUST(vkCreateImageView(device, &view_info, NULL, &view));
	const VkImageCreateInfo target_info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {32, 32, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
	};
	struct parity_image target;
	parity_image_init(
		parity, &target, &target_info, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
	const VkDescriptorSetLayoutBinding bindings[2] = {
		{0, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
		{1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_COMPUTE_BIT, &sampler},
	};
	struct parity_compute compute;
	parity_compute_init(parity, &compute, &(struct parity_compute_info){
		.code = image_comp_spv,
		.size = sizeof(image_comp_spv),
		.set_flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR,
		.bindings = bindings,
		.binding_count = 2,
	});
	const VkDescriptorImageInfo images[2] = {
		{VK_NULL_HANDLE, target.view, VK_IMAGE_LAYOUT_GENERAL},
		{VK_NULL_HANDLE, view, VK_IMAGE_LAYOUT_GENERAL},
	};
	VkWriteDescriptorSet writes[2];
	for (uint32_t i = 0; i < 2; i++) {
		writes[i] = (VkWriteDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstBinding = i,
			.descriptorCount = 1,
			.descriptorType = bindings[i].descriptorType,
			.pImageInfo = &images[i],
		};
	}
	PROC(parity, vkCmdPushDescriptorSetKHR);
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(commands, &target, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, compute.pipeline);
	vkCmdPushDescriptorSetKHR(
		commands, VK_PIPELINE_BIND_POINT_COMPUTE, compute.layout, 0, 2, writes);
	vkCmdDispatch(commands, 4, 4, 1);
	parity_transition(
		commands, &target, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_run(parity, commands);
	parity_say_image(parity, "sampled", &target, 4);
	parity_compute_finish(parity, &compute);
	vkDestroyImageView(device, view, NULL);
	vkDestroySampler(device, sampler, NULL);
	vkDestroySamplerYcbcrConversion(device, conversion, NULL);
	parity_image_finish(parity, &target);
}

static void images(struct parity *parity) {
	for (size_t i = 0; i < COUNT(formats) * 4; i++) {
		const struct planes *planes = &formats[i / 4];
		struct image image;
		say("format %d, tiling %zu, disjoint %zu", planes->format, i % 2, i / 2 % 2);
		if (!image_init(parity, &image, planes, (VkImageTiling)(i % 2), i / 2 % 2)) {
			continue;
		}
		struct parity_buffer in, out;
		parity_buffer_init(parity, &in, 16384, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
		parity_buffer_init(parity, &out, 16384, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
		for (size_t j = 0; j < in.size; j++) {
			((uint8_t *)in.data)[j] = (uint8_t)(j * 5 + j / 77);
		}
		const struct parity_image of_image = {
			.image = image.image, .aspects = VK_IMAGE_ASPECT_COLOR_BIT};
		VkCommandBuffer commands = parity_begin(parity);
		parity_transition(commands, &of_image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
		copy(commands, &image, planes, in.buffer, true);
		parity_barrier(commands);
		copy(commands, &image, planes, out.buffer, false);
		parity_run(parity, commands);
		say_hash("copied", out.data, out.size);
		sample(parity, &image, planes);
		parity_buffer_finish(parity, &in);
		parity_buffer_finish(parity, &out);
		image_finish(parity, &image);
	}
}

const struct parity_case parity_plane_cases[] = {
	{"planes images", images},
	{NULL, NULL},
};
