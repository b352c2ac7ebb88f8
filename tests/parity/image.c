/* SPDX-License-Identifier: MIT */

/* Images: copies, blits, clears, sampling, host image copies. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#include "image_comp_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static VkImageCreateInfo image_info(VkFormat format, uint32_t width, uint32_t height,
		VkImageUsageFlags usage) {
	return (VkImageCreateInfo){
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = format,
		.extent = {width, height, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = usage | VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	};
}

static const VkImageSubresourceLayers colour_layers = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};

/** Fills a buffer with something and copies it to an image. */
static void upload(struct parity *parity, const struct parity_image *image, VkImageLayout layout) {
	struct parity_buffer buffer;
	const VkExtent3D extent = image->info.extent;
	parity_buffer_init(
		parity, &buffer, 16 * extent.width * extent.height, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
	for (size_t i = 0; i < buffer.size; i++) {
		((uint8_t *)buffer.data)[i] = (uint8_t)(i * i / 7 + i);
	}
	const VkBufferImageCopy copies[2] = {
		{0, 0, 0, colour_layers, {0, 0, 0}, extent},
		{64, extent.width + 3, extent.height + 1, colour_layers, {2, 1, 0},
			{extent.width - 4, extent.height - 3, 1}},
	};
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(
		commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
	vkCmdCopyBufferToImage(commands, buffer.buffer, image->image,
		VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &copies[0]);
	parity_barrier(commands);
	vkCmdCopyBufferToImage(commands, buffer.buffer, image->image,
		VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &copies[1]);
	parity_transition(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, layout);
	parity_run(parity, commands);
	parity_buffer_finish(parity, &buffer);
}

static void copies(struct parity *parity) {
	const struct {
		VkFormat format;
		uint32_t size;
	} formats[] = {{VK_FORMAT_R8_UNORM, 1}, {VK_FORMAT_R8G8B8A8_UNORM, 4},
		{VK_FORMAT_B8G8R8A8_SRGB, 4}, {VK_FORMAT_R16G16B16A16_SFLOAT, 8},
		{VK_FORMAT_R32G32B32A32_UINT, 16}, {VK_FORMAT_A2B10G10R10_UNORM_PACK32, 4}};
	for (size_t i = 0; i < COUNT(formats); i++) {
		for (uint32_t width = 5; width < 200; width = width * 3 + 2) {
			for (int tiling = 0; tiling < 2; tiling++) {
				VkImageCreateInfo info = image_info(formats[i].format, width, width / 2 + 3, 0);
				info.tiling = (VkImageTiling)tiling;
				struct parity_image image, other;
				const VkImageUsageFlags view = VK_IMAGE_USAGE_SAMPLED_BIT;
				info.usage |= view;
				parity_image_init(
					parity, &image, &info, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
				parity_image_init(
					parity, &other, &info, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
				upload(parity, &image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
				parity_say_image(parity, "uploaded", &image, formats[i].size);
				VkCommandBuffer commands = parity_begin(parity);
				parity_transition(commands, &other, VK_IMAGE_LAYOUT_UNDEFINED,
					VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
				const VkImageSubresourceRange range = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
				const VkClearColorValue clear = {.float32 = {0.5f, 0.25f, 0.125f, 1}};
				vkCmdClearColorImage(commands, other.image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
					&clear, 1, &range);
				parity_barrier(commands);
				const VkImageCopy copy = {
					colour_layers, {1, 1, 0}, colour_layers, {0, 2, 0}, {width - 2, 2, 1}};
				vkCmdCopyImage(commands, image.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
					other.image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &copy);
				parity_transition(commands, &other, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
					VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
				parity_run(parity, commands);
				parity_say_image(parity, "copied", &other, formats[i].size);
				parity_image_finish(parity, &image);
				parity_image_finish(parity, &other);
			}
		}
	}
}

/** Mip levels by blits, then sampling with every filter and address mode, into a storage image. */
static void sampling(struct parity *parity) {
	const VkDevice device = parity->device;
	VkImageCreateInfo source_info = image_info(VK_FORMAT_R8G8B8A8_UNORM, 32, 16,
		VK_IMAGE_USAGE_SAMPLED_BIT);
	source_info.mipLevels = 3;
	const VkImageCreateInfo target_info = image_info(VK_FORMAT_R8G8B8A8_UNORM, 32, 32,
		VK_IMAGE_USAGE_STORAGE_BIT);
	struct parity_image source, target;
	parity_image_init(
		parity, &source, &source_info, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
	parity_image_init(
		parity, &target, &target_info, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
	upload(parity, &source, VK_IMAGE_LAYOUT_GENERAL);
	VkCommandBuffer commands = parity_begin(parity);
	for (uint32_t level = 1; level < 3; level++) {
		const VkImageBlit blit = {
			{VK_IMAGE_ASPECT_COLOR_BIT, level - 1, 0, 1},
			{{0, 0, 0}, {32 >> (level - 1), 16 >> (level - 1), 1}},
			{VK_IMAGE_ASPECT_COLOR_BIT, level, 0, 1},
			{{32 >> level, 0, 0}, {0, 16 >> level, 1}},
		};
		vkCmdBlitImage(commands, source.image, VK_IMAGE_LAYOUT_GENERAL, source.image,
			VK_IMAGE_LAYOUT_GENERAL, 1, &blit, VK_FILTER_LINEAR);
		parity_barrier(commands);
	}
	parity_run(parity, commands);

	const VkDescriptorSetLayoutBinding bindings[2] = {
		{0, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
		{1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
	};
	struct parity_compute compute;
	parity_compute_init(parity, &compute, &(struct parity_compute_info){
		.code = image_comp_spv,
		.size = sizeof(image_comp_spv),
		.set_flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR,
		.bindings = bindings,
		.binding_count = 2,
	});

	for (int mode = 0; mode < 10; mode++) {
		const VkSamplerCustomBorderColorCreateInfoEXT custom = {
			.sType = VK_STRUCTURE_TYPE_SAMPLER_CUSTOM_BORDER_COLOR_CREATE_INFO_EXT,
			.customBorderColor.float32 = {0.1f, 0.9f, 0.3f, 0.7f},
			.format = VK_FORMAT_R8G8B8A8_UNORM,
		};
		const bool use_custom = mode == 3 && parity->border_color.customBorderColors;
		const VkSamplerCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
			.pNext = use_custom ? &custom : NULL,
			.magFilter = (VkFilter)(mode & 1),
			.minFilter = (VkFilter)(mode & 1),
			.mipmapMode = (VkSamplerMipmapMode)(mode / 5),
			.addressModeU = (VkSamplerAddressMode)(mode % 5),
			.addressModeV = (VkSamplerAddressMode)(mode % 4),
			.maxLod = VK_LOD_CLAMP_NONE,
			.borderColor = use_custom ? VK_BORDER_COLOR_FLOAT_CUSTOM_EXT :
				VK_BORDER_COLOR_FLOAT_OPAQUE_WHITE,
		};
		VkSampler sampler;
		MUST(vkCreateSampler(device, &info, NULL, &sampler));
		const VkDescriptorImageInfo images[2] = {
			{VK_NULL_HANDLE, target.view, VK_IMAGE_LAYOUT_GENERAL},
			{sampler, source.view, VK_IMAGE_LAYOUT_GENERAL},
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
		commands = parity_begin(parity);
		parity_transition(
			commands, &target, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, compute.pipeline);
		vkCmdPushDescriptorSetKHR(
			commands, VK_PIPELINE_BIND_POINT_COMPUTE, compute.layout, 0, 2, writes);
		vkCmdDispatch(commands, 4, 4, 1);
		parity_transition(
			commands, &target, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
		parity_run(parity, commands);
		parity_say_image(parity, "sampled", &target, 4);
		vkDestroySampler(device, sampler, NULL);
	}
	parity_compute_finish(parity, &compute);
	parity_image_finish(parity, &source);
	parity_image_finish(parity, &target);
}

/** Between images and the program's own memory, without a queue; also with rows of a length of its own. */
static void host_copies(struct parity *parity) {
	if (!parity->host_image_copy.hostImageCopy) {
		say("there is no host image copy");
		return;
	}
	PROC(parity, vkCopyMemoryToImageEXT);
	PROC(parity, vkCopyImageToMemoryEXT);
	PROC(parity, vkCopyImageToImageEXT);
	PROC(parity, vkTransitionImageLayoutEXT);
	const VkImageCreateInfo info = image_info(
		VK_FORMAT_R8G8B8A8_UNORM, 20, 12, VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT | VK_IMAGE_USAGE_SAMPLED_BIT);
	struct parity_image images[2];
	VkHostImageLayoutTransitionInfoEXT transitions[2];
	for (size_t i = 0; i < 2; i++) {
		parity_image_init(
			parity, &images[i], &info, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
		transitions[i] = (VkHostImageLayoutTransitionInfoEXT){
			.sType = VK_STRUCTURE_TYPE_HOST_IMAGE_LAYOUT_TRANSITION_INFO_EXT,
			.image = images[i].image,
			.newLayout = VK_IMAGE_LAYOUT_GENERAL,
			.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
		};
	}
	SAY_RESULT(vkTransitionImageLayoutEXT(parity->device, 2, transitions));
	uint8_t memory[32 * 16 * 4];
	for (size_t i = 0; i < sizeof(memory); i++) {
		memory[i] = (uint8_t)(i * 13 + i / 50);
	}
	const VkMemoryToImageCopyEXT in[2] = {
		{.sType = VK_STRUCTURE_TYPE_MEMORY_TO_IMAGE_COPY_EXT, .pHostPointer = memory,
			.imageSubresource = colour_layers, .imageExtent = info.extent},
		{.sType = VK_STRUCTURE_TYPE_MEMORY_TO_IMAGE_COPY_EXT, .pHostPointer = memory + 100,
			.memoryRowLength = 25, .memoryImageHeight = 9, .imageSubresource = colour_layers,
			.imageOffset = {3, 4, 0}, .imageExtent = {11, 5, 1}},
	};
	const VkCopyMemoryToImageInfoEXT to_image = {
		.sType = VK_STRUCTURE_TYPE_COPY_MEMORY_TO_IMAGE_INFO_EXT,
		.dstImage = images[0].image,
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 2,
		.pRegions = in,
	};
	SAY_RESULT(vkCopyMemoryToImageEXT(parity->device, &to_image));
	const VkImageCopy2 region = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_COPY_2,
		.srcSubresource = colour_layers,
		.dstSubresource = colour_layers,
		.extent = info.extent,
	};
	const VkCopyImageToImageInfoEXT between = {
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_IMAGE_INFO_EXT,
		.srcImage = images[0].image,
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.dstImage = images[1].image,
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 1,
		.pRegions = &region,
	};
	SAY_RESULT(vkCopyImageToImageEXT(parity->device, &between));
	for (uint32_t gap = 0; gap < 8; gap += 3) {
		uint8_t result[32 * 16 * 4];
		memset(result, 0xee, sizeof(result));
		const VkImageToMemoryCopyEXT out[2] = {
			{.sType = VK_STRUCTURE_TYPE_IMAGE_TO_MEMORY_COPY_EXT, .pHostPointer = result,
				.memoryRowLength = gap ? 20 + gap : 0, .imageSubresource = colour_layers,
				.imageExtent = info.extent},
			{.sType = VK_STRUCTURE_TYPE_IMAGE_TO_MEMORY_COPY_EXT, .pHostPointer = result + 1600,
				.imageSubresource = colour_layers, .imageOffset = {5, 6, 0},
				.imageExtent = {3, 2, 1}},
		};
		const VkCopyImageToMemoryInfoEXT to_memory = {
			.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_MEMORY_INFO_EXT,
			.srcImage = images[1].image,
			.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
			.regionCount = 2,
			.pRegions = out,
		};
		SAY_RESULT(vkCopyImageToMemoryEXT(parity->device, &to_memory));
		for (size_t y = 0; y < 12; y++) {
			say_hash("row", result + y * (20 + gap) * 4, 80);
		}
		say_hash("part", result + 1600, 24);
	}
	parity_image_finish(parity, &images[0]);
	parity_image_finish(parity, &images[1]);
}

/** With rows so far apart that the reply is larger than that of other commands ever is. */
static void far_host_copies(struct parity *parity) {
	if (!parity->host_image_copy.hostImageCopy) {
		say("there is no host image copy");
		return;
	}
	PROC(parity, vkCopyMemoryToImageEXT);
	PROC(parity, vkCopyImageToMemoryEXT);
	PROC(parity, vkTransitionImageLayoutEXT);
	const VkImageCreateInfo info = image_info(VK_FORMAT_R8G8B8A8_UNORM, 4, 2,
		VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT | VK_IMAGE_USAGE_SAMPLED_BIT);
	struct parity_image image;
	parity_image_init(parity, &image, &info, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
	const VkHostImageLayoutTransitionInfoEXT transition = {
		.sType = VK_STRUCTURE_TYPE_HOST_IMAGE_LAYOUT_TRANSITION_INFO_EXT,
		.image = image.image,
		.newLayout = VK_IMAGE_LAYOUT_GENERAL,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	SAY_RESULT(vkTransitionImageLayoutEXT(parity->device, 1, &transition));
	const uint32_t texels[8] = {1, 20, 300, 4000, 50000, 600000, 7000000, 80000000};
	const VkMemoryToImageCopyEXT in = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_TO_IMAGE_COPY_EXT,
		.pHostPointer = texels,
		.imageSubresource = colour_layers,
		.imageExtent = info.extent,
	};
	const VkCopyMemoryToImageInfoEXT to_image = {
		.sType = VK_STRUCTURE_TYPE_COPY_MEMORY_TO_IMAGE_INFO_EXT,
		.dstImage = image.image,
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 1,
		.pRegions = &in,
	};
	SAY_RESULT(vkCopyMemoryToImageEXT(parity->device, &to_image));
	const size_t distance = (size_t)260 << 20;
	uint8_t *memory = calloc(1, distance + 16);
	const VkImageToMemoryCopyEXT out = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_TO_MEMORY_COPY_EXT,
		.pHostPointer = memory,
		.memoryRowLength = (uint32_t)(distance / 4),
		.imageSubresource = colour_layers,
		.imageExtent = info.extent,
	};
	const VkCopyImageToMemoryInfoEXT to_memory = {
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_MEMORY_INFO_EXT,
		.srcImage = image.image,
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 1,
		.pRegions = &out,
	};
	SAY_RESULT(vkCopyImageToMemoryEXT(parity->device, &to_memory));
	say_hash("first row", memory, 16);
	say_hash("last row", memory + distance, 16);
	free(memory);
	parity_image_finish(parity, &image);
}

const struct parity_case parity_image_cases[] = {
	{"image copies", copies},
	{"image sampling", sampling},
	{"image host-copies", host_copies},
	{"image far-host-copies", far_host_copies},
	{NULL, NULL},
};
