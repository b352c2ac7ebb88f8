/* SPDX-License-Identifier: MIT */

/* Sparse resources: buffers with holes, images page by page, in order by semaphores. */

#include <string.h>

#include "parity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static VkSemaphore create_semaphore(struct parity *parity) {
	const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	VkSemaphore semaphore;
	MUST(vkCreateSemaphore(parity->device, &info, NULL, &semaphore));
	return semaphore;
}

/** Runs commands after a semaphore. */
static void run_after(struct parity *parity, VkCommandBuffer commands, VkSemaphore semaphore) {
	parity_barrier(commands);
	MUST(vkEndCommandBuffer(commands));
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &semaphore,
		.pWaitDstStageMask = &stage,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	MUST(vkQueueSubmit(parity->queue, 1, &submit, VK_NULL_HANDLE));
	MUST(vkQueueWaitIdle(parity->queue));
	vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
}

/** Every other page is there, the others are bound later, or taken away. */
static void buffers(struct parity *parity) {
	if (!parity->features.features.sparseResidencyBuffer) {
		say("there are no sparse buffers");
		return;
	}
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.flags = VK_BUFFER_CREATE_SPARSE_BINDING_BIT | VK_BUFFER_CREATE_SPARSE_RESIDENCY_BIT,
		.size = 1 << 20,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer;
	MUST(vkCreateBuffer(parity->device, &info, NULL, &buffer));
	VkMemoryRequirements requirements;
	vkGetBufferMemoryRequirements(parity->device, buffer, &requirements);
	const VkDeviceSize page = requirements.alignment;
	const uint32_t pages = (uint32_t)(requirements.size / page);
	say("%u pages of %llu, types %x", pages, (unsigned long long)page, requirements.memoryTypeBits);
	VkDeviceMemory memory = parity_allocate(parity, &requirements, 0, NULL);
	struct parity_buffer copy;
	parity_buffer_init(parity, &copy, info.size, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	for (uint32_t round = 0; round < 3; round++) {
		VkSparseMemoryBind binds[64];
		uint32_t count = 0;
		for (uint32_t i = 0; i < pages && count < 64; i++) {
			if (i % 2 == round % 2) {
				binds[count++] = (VkSparseMemoryBind){i * page, page,
					round < 2 ? memory : VK_NULL_HANDLE, (pages - 1 - i) * page, 0};
			}
		}
		const VkSparseBufferMemoryBindInfo buffer_bind = {buffer, count, binds};
		VkSemaphore bound = create_semaphore(parity);
		const VkBindSparseInfo bind = {
			.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
			.bufferBindCount = 1,
			.pBufferBinds = &buffer_bind,
			.signalSemaphoreCount = 1,
			.pSignalSemaphores = &bound,
		};
		SAY_RESULT(vkQueueBindSparse(parity->queue, 1, &bind, VK_NULL_HANDLE));
		VkCommandBuffer commands = parity_begin(parity);
		for (uint32_t i = 0; i < pages; i++) {
			const bool there = round == 0 ? i % 2 == 0 : round == 1 || i % 2;
			if (there) {
				vkCmdFillBuffer(commands, buffer, i * page, page, i * 3 + round);
			}
		}
		parity_barrier(commands);
		for (uint32_t i = 0; i < pages; i++) {
			const bool there = round == 0 ? i % 2 == 0 : round == 1 || i % 2;
			const VkBufferCopy region = {i * page, i * page, page};
			if (there) {
				vkCmdCopyBuffer(commands, buffer, copy.buffer, 1, &region);
			}
		}
		run_after(parity, commands, bound);
		say_hash("buffer", copy.data, copy.size);
		vkDestroySemaphore(parity->device, bound, NULL);
	}
	parity_buffer_finish(parity, &copy);
	vkDestroyBuffer(parity->device, buffer, NULL);
	vkFreeMemory(parity->device, memory, NULL);
}

static void bind_image(struct parity *parity, const VkImageCreateInfo *info, VkImage image,
		VkDeviceMemory memory, VkSemaphore bound) {
	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(parity->device, image, &requirements);
	if (!(info->flags & VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT)) {
		const VkSparseMemoryBind whole = {0, requirements.size, memory, 0, 0};
		const VkSparseImageOpaqueMemoryBindInfo opaque = {image, 1, &whole};
		const VkBindSparseInfo bind = {
			.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
			.imageOpaqueBindCount = 1,
			.pImageOpaqueBinds = &opaque,
			.signalSemaphoreCount = 1,
			.pSignalSemaphores = &bound,
		};
		SAY_RESULT(vkQueueBindSparse(parity->queue, 1, &bind, VK_NULL_HANDLE));
		return;
	}
	VkSparseImageMemoryRequirements all[4];
	uint32_t count = 4;
	vkGetImageSparseMemoryRequirements(parity->device, image, &count, all);
	const VkExtent3D granularity = all[0].formatProperties.imageGranularity;
	say("%u: %u %u %u, tail from %u, %llu at %llu every %llu", count, granularity.width,
		granularity.height, granularity.depth, all[0].imageMipTailFirstLod,
		(unsigned long long)all[0].imageMipTailSize, (unsigned long long)all[0].imageMipTailOffset,
		(unsigned long long)all[0].imageMipTailStride);
	VkSparseImageMemoryBind binds[256];
	uint32_t bind_count = 0;
	VkDeviceSize used = 0;
	for (uint32_t layer = 0; layer < info->arrayLayers; layer++) {
		for (uint32_t level = 0; level < all[0].imageMipTailFirstLod && level < info->mipLevels;
				level++) {
			const uint32_t width = info->extent.width >> level;
			const uint32_t height = info->extent.height >> level;
			const uint32_t depth = info->extent.depth >> level ? info->extent.depth >> level : 1;
			for (uint32_t z = 0; z < depth; z += granularity.depth) {
				for (uint32_t y = 0; y < height; y += granularity.height) {
					for (uint32_t x = 0; x < width && bind_count < 256; x += granularity.width) {
						const VkExtent3D rest = {width - x, height - y, depth - z};
						binds[bind_count++] = (VkSparseImageMemoryBind){
							.subresource = {VK_IMAGE_ASPECT_COLOR_BIT, level, layer},
							.offset = {(int32_t)x, (int32_t)y, (int32_t)z},
							.extent = {
								rest.width < granularity.width ? rest.width : granularity.width,
								rest.height < granularity.height ? rest.height : granularity.height,
								rest.depth < granularity.depth ? rest.depth : granularity.depth,
							},
							.memory = memory,
							.memoryOffset = used,
						};
						used += requirements.alignment;
					}
				}
			}
		}
	}
	VkSparseMemoryBind tails[16];
	uint32_t tail_count = 0;
	const bool single =
		all[0].formatProperties.flags & VK_SPARSE_IMAGE_FORMAT_SINGLE_MIPTAIL_BIT;
	for (uint32_t layer = 0; all[0].imageMipTailSize && layer < (single ? 1 : info->arrayLayers);
			layer++) {
		tails[tail_count++] = (VkSparseMemoryBind){
			all[0].imageMipTailOffset + layer * all[0].imageMipTailStride,
			all[0].imageMipTailSize, memory, used, 0};
		used += all[0].imageMipTailSize;
	}
	say("%u pages, %u tails, too many: %d", bind_count, tail_count,
		used > requirements.size * 2);
	const VkSparseImageMemoryBindInfo pages = {image, bind_count, binds};
	const VkSparseImageOpaqueMemoryBindInfo opaque = {image, tail_count, tails};
	const VkBindSparseInfo bind = {
		.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
		.imageOpaqueBindCount = tail_count ? 1 : 0,
		.pImageOpaqueBinds = &opaque,
		.imageBindCount = bind_count ? 1 : 0,
		.pImageBinds = &pages,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &bound,
	};
	SAY_RESULT(vkQueueBindSparse(parity->queue, 1, &bind, VK_NULL_HANDLE));
}

static void images(struct parity *parity) {
	if (!parity->features.features.sparseResidencyImage2D) {
		say("there are no sparse images");
		return;
	}
	const struct {
		VkImageCreateFlags flags;
		VkImageType type;
		VkExtent3D extent;
		uint32_t levels, layers;
		VkFormat format;
		uint32_t texel_size;
	} shapes[] = {
		{0, VK_IMAGE_TYPE_2D, {256, 256, 1}, 1, 1, VK_FORMAT_R8G8B8A8_UNORM, 4},
		{VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT, VK_IMAGE_TYPE_2D, {256, 256, 1}, 1, 1,
			VK_FORMAT_R8G8B8A8_UNORM, 4},
		{VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT, VK_IMAGE_TYPE_2D, {512, 256, 1}, 9, 2,
			VK_FORMAT_R8_UINT, 1},
		{VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT, VK_IMAGE_TYPE_3D, {64, 64, 32}, 2, 1,
			VK_FORMAT_R16_UINT, 2},
		{VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT | VK_IMAGE_CREATE_SPARSE_ALIASED_BIT,
			VK_IMAGE_TYPE_2D, {256, 128, 1}, 3, 1, VK_FORMAT_R32G32B32A32_SFLOAT, 16},
	};
	for (size_t i = 0; i < COUNT(shapes); i++) {
		const VkImageCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
			.flags = shapes[i].flags | VK_IMAGE_CREATE_SPARSE_BINDING_BIT,
			.imageType = shapes[i].type,
			.format = shapes[i].format,
			.extent = shapes[i].extent,
			.mipLevels = shapes[i].levels,
			.arrayLayers = shapes[i].layers,
			.samples = VK_SAMPLE_COUNT_1_BIT,
			.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
		};
		struct parity_image image = {.info = info, .aspects = VK_IMAGE_ASPECT_COLOR_BIT};
		if (SAY_RESULT(vkCreateImage(parity->device, &info, NULL, &image.image)) != VK_SUCCESS) {
			continue;
		}
		VkMemoryRequirements requirements;
		vkGetImageMemoryRequirements(parity->device, image.image, &requirements);
		say("%zu: %llu, alignment %llu, types %x", i, (unsigned long long)requirements.size,
			(unsigned long long)requirements.alignment, requirements.memoryTypeBits);
		requirements.size *= 2;
		image.memory = parity_allocate(parity, &requirements, 0, NULL);
		VkSemaphore bound = create_semaphore(parity);
		bind_image(parity, &info, image.image, image.memory, bound);

		struct parity_buffer in, out;
		const VkDeviceSize size = (VkDeviceSize)info.extent.width * info.extent.height *
			info.extent.depth * shapes[i].texel_size * 2;
		parity_buffer_init(parity, &in, size, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
		parity_buffer_init(parity, &out, size, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
		for (size_t j = 0; j < size; j++) {
			((uint8_t *)in.data)[j] = (uint8_t)(j * 3 + j / 251);
		}
		VkCommandBuffer commands = parity_begin(parity);
		parity_transition(commands, &image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
		VkDeviceSize offset = 0;
		for (uint32_t level = 0; level < info.mipLevels; level++) {
			const VkExtent3D extent = {info.extent.width >> level,
				info.extent.height >> level ? info.extent.height >> level : 1,
				info.extent.depth >> level ? info.extent.depth >> level : 1};
			const VkBufferImageCopy copy = {
				.bufferOffset = offset,
				.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, level, info.arrayLayers - 1, 1},
				.imageExtent = extent,
			};
			vkCmdCopyBufferToImage(
				commands, in.buffer, image.image, VK_IMAGE_LAYOUT_GENERAL, 1, &copy);
			parity_barrier(commands);
			vkCmdCopyImageToBuffer(
				commands, image.image, VK_IMAGE_LAYOUT_GENERAL, out.buffer, 1, &copy);
			offset += (VkDeviceSize)extent.width * extent.height * extent.depth *
				shapes[i].texel_size;
			offset = (offset + 15) / 16 * 16;
		}
		run_after(parity, commands, bound);
		say_hash("image", out.data, out.size);
		parity_buffer_finish(parity, &in);
		parity_buffer_finish(parity, &out);
		vkDestroySemaphore(parity->device, bound, NULL);
		vkDestroyImage(parity->device, image.image, NULL);
		vkFreeMemory(parity->device, image.memory, NULL);
	}
}

/** Several binds in one call, with a timeline semaphore and a fence; and none at all. */
static void batches(struct parity *parity) {
	if (!parity->features.features.sparseBinding) {
		say("there is no sparse binding");
		return;
	}
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
		.initialValue = 3,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
	VkSemaphore timeline;
	MUST(vkCreateSemaphore(parity->device, &info, NULL, &timeline));
	const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence;
	MUST(vkCreateFence(parity->device, &fence_info, NULL, &fence));
	VkSemaphore binary = create_semaphore(parity);
	const uint64_t waits[2] = {4, 0}, signals[2] = {5, 6};
	const VkTimelineSemaphoreSubmitInfo values[2] = {
		{
			.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
			.waitSemaphoreValueCount = 1,
			.pWaitSemaphoreValues = &waits[0],
			.signalSemaphoreValueCount = 2,
			.pSignalSemaphoreValues = (const uint64_t[2]){signals[0], 0},
		},
		{
			.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
			.waitSemaphoreValueCount = 1,
			.pWaitSemaphoreValues = &waits[1],
			.signalSemaphoreValueCount = 1,
			.pSignalSemaphoreValues = &signals[1],
		},
	};
	const VkSemaphore both[2] = {timeline, binary};
	const VkBindSparseInfo binds[2] = {
		{
			.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
			.pNext = &values[0],
			.waitSemaphoreCount = 1,
			.pWaitSemaphores = &timeline,
			.signalSemaphoreCount = 2,
			.pSignalSemaphores = both,
		},
		{
			.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
			.pNext = &values[1],
			.waitSemaphoreCount = 1,
			.pWaitSemaphores = &binary,
			.signalSemaphoreCount = 1,
			.pSignalSemaphores = &timeline,
		},
	};
	const VkSemaphoreSignalInfo signal = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = timeline,
		.value = 4,
	};
	SAY_RESULT(vkSignalSemaphore(parity->device, &signal));
	SAY_RESULT(vkQueueBindSparse(parity->queue, 2, binds, fence));
	SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
	const VkSemaphoreWaitInfo wait = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &timeline,
		.pValues = &signals[1],
	};
	SAY_RESULT(vkWaitSemaphores(parity->device, &wait, UINT64_MAX));
	uint64_t value = 0;
	SAY_RESULT(vkGetSemaphoreCounterValue(parity->device, timeline, &value));
	say("value %llu", (unsigned long long)value);
	SAY_RESULT(vkResetFences(parity->device, 1, &fence));
	SAY_RESULT(vkQueueBindSparse(parity->queue, 0, NULL, fence));
	SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
	vkDestroySemaphore(parity->device, binary, NULL);
	vkDestroySemaphore(parity->device, timeline, NULL);
	vkDestroyFence(parity->device, fence, NULL);
}

const struct parity_case parity_sparse_cases[] = {
	{"sparse buffers", buffers},
	{"sparse images", images},
	{"sparse batches", batches},
	{NULL, NULL},
};
