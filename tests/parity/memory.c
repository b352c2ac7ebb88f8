/* SPDX-License-Identifier: MIT */

/* Memory, buffers and the requirements of both kinds of resources. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void types(struct parity *parity) {
	for (uint32_t i = 0; i < parity->memory.memoryTypeCount; i++) {
		say("type %u: flags %x, heap %u", i, parity->memory.memoryTypes[i].propertyFlags,
			parity->memory.memoryTypes[i].heapIndex);
		VkDeviceSize commitment = 0;
		const VkMemoryAllocateInfo info = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
			.allocationSize = 12345,
			.memoryTypeIndex = i,
		};
		VkDeviceMemory memory;
		SAY_RESULT(vkAllocateMemory(parity->device, &info, NULL, &memory));
		if (parity->memory.memoryTypes[i].propertyFlags &
				VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT) {
			vkGetDeviceMemoryCommitment(parity->device, memory, &commitment);
		}
		vkFreeMemory(parity->device, memory, NULL);
	}
	for (uint32_t i = 0; i < parity->memory.memoryHeapCount; i++) {
		say("heap %u: flags %x", i, parity->memory.memoryHeaps[i].flags);
	}
}

/** More than one allocation's worth of many small ones. */
static void many(struct parity *parity) {
	VkDeviceMemory memories[300];
	uint32_t wrong = 0;
	for (uint32_t i = 0; i < COUNT(memories); i++) {
		const VkMemoryAllocateInfo info = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
			.allocationSize = 1 + i * 37,
			.memoryTypeIndex = i % parity->memory.memoryTypeCount,
		};
		wrong += vkAllocateMemory(parity->device, &info, NULL, &memories[i]) != VK_SUCCESS;
	}
	for (uint32_t i = 0; i < COUNT(memories); i += 3) {
		vkFreeMemory(parity->device, memories[i], NULL);
	}
	for (uint32_t i = 0; i < COUNT(memories); i++) {
		if (i % 3) {
			vkFreeMemory(parity->device, memories[i], NULL);
		}
	}
	say("%u failed", wrong);
}

static void too_much(struct parity *parity) {
	const VkDeviceSize heap = parity->memory.memoryHeaps[0].size;
	const VkDeviceSize sizes[] = {heap + 1, heap * 2, UINT64_C(1) << 46, UINT64_C(1) << 62,
		UINT64_MAX / 2 + 1};
	for (uint32_t type = 0; type < parity->memory.memoryTypeCount; type++) {
		for (size_t i = 0; i < COUNT(sizes); i++) {
			const VkMemoryAllocateInfo info = {
				.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
				.allocationSize = sizes[i],
				.memoryTypeIndex = type,
			};
			VkDeviceMemory memory = VK_NULL_HANDLE;
			if (vkAllocateMemory(parity->device, &info, NULL, &memory) == VK_SUCCESS) {
				vkFreeMemory(parity->device, memory, NULL);
			}
		}
	}
	/* lavapipe promises everything, and Venera only what there can be; but life goes on */
	many(parity);
}

/** The guest's driver computes sizes of buffers from the alignment that it was told once. */
static unsigned long long aligned_size(const VkMemoryRequirements *requirements) {
	const VkDeviceSize alignment = requirements->alignment;
	return (requirements->size + alignment - 1) / alignment * alignment;
}

static void big_buffers(struct parity *parity) {
	const VkDeviceSize sizes[] = {1, 3, 4095, 65537, UINT64_C(1) << 30, UINT64_C(1) << 33,
		UINT64_C(1) << 40, UINT64_MAX};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const VkBufferCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
			.size = sizes[i],
			.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
		};
		VkBuffer buffer = VK_NULL_HANDLE;
		const VkResult result = vkCreateBuffer(parity->device, &info, NULL, &buffer);
		say("%zu: %d", i, result);
		if (result == VK_SUCCESS) {
			VkMemoryRequirements requirements;
			vkGetBufferMemoryRequirements(parity->device, buffer, &requirements);
			say("%llu, alignment %llu, types %x", aligned_size(&requirements),
				(unsigned long long)requirements.alignment, requirements.memoryTypeBits);
			vkDestroyBuffer(parity->device, buffer, NULL);
		}
	}
}

static void buffer_requirements(struct parity *parity) {
	const VkBufferUsageFlags usages[] = {
		VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
		VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT,
		VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT,
		VK_BUFFER_USAGE_INDEX_BUFFER_BIT | VK_BUFFER_USAGE_VERTEX_BUFFER_BIT,
		VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
	};
	for (size_t i = 0; i < COUNT(usages); i++) {
		for (VkBufferCreateFlags flags = 0; flags <= VK_BUFFER_CREATE_SPARSE_BINDING_BIT; flags++) {
			VkBufferCreateInfo info = {
				.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
				.flags = flags,
				.size = 1001 + i,
				.usage = usages[i],
			};
			const VkDeviceBufferMemoryRequirements direct = {
				.sType = VK_STRUCTURE_TYPE_DEVICE_BUFFER_MEMORY_REQUIREMENTS,
				.pCreateInfo = &info,
			};
			VkMemoryDedicatedRequirements dedicated = {
				.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
			VkMemoryRequirements2 requirements = {
				.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, .pNext = &dedicated};
			vkGetDeviceBufferMemoryRequirements(parity->device, &direct, &requirements);
			say("%llu, alignment %llu, types %x, dedicated %u %u",
				aligned_size(&requirements.memoryRequirements),
				(unsigned long long)requirements.memoryRequirements.alignment,
				requirements.memoryRequirements.memoryTypeBits, dedicated.prefersDedicatedAllocation,
				dedicated.requiresDedicatedAllocation);
		}
	}
}

static void say_image_requirements(struct parity *parity, const VkImageCreateInfo *info) {
	VkMemoryDedicatedRequirements dedicated = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
	VkMemoryRequirements2 requirements = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, .pNext = &dedicated};
	const VkDeviceImageMemoryRequirements direct = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_IMAGE_MEMORY_REQUIREMENTS,
		.pCreateInfo = info,
	};
	vkGetDeviceImageMemoryRequirements(parity->device, &direct, &requirements);
	say("%llu, alignment %llu, types %x, dedicated %u %u",
		(unsigned long long)requirements.memoryRequirements.size,
		(unsigned long long)requirements.memoryRequirements.alignment,
		requirements.memoryRequirements.memoryTypeBits, dedicated.prefersDedicatedAllocation,
		dedicated.requiresDedicatedAllocation);
	VkImage image;
	if (say_result("image", vkCreateImage(parity->device, info, NULL, &image)) != VK_SUCCESS) {
		return;
	}
	VkMemoryRequirements plain;
	vkGetImageMemoryRequirements(parity->device, image, &plain);
	say("the same: %d", plain.size == requirements.memoryRequirements.size &&
		plain.alignment == requirements.memoryRequirements.alignment &&
		plain.memoryTypeBits == requirements.memoryRequirements.memoryTypeBits);
	if (info->tiling == VK_IMAGE_TILING_LINEAR) {
		const VkImageSubresource subresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0};
		VkSubresourceLayout layout;
		vkGetImageSubresourceLayout(parity->device, image, &subresource, &layout);
		say("linear: offset %llu, size %llu, pitch %llu", (unsigned long long)layout.offset,
			(unsigned long long)layout.size, (unsigned long long)layout.rowPitch);
	}
	vkDestroyImage(parity->device, image, NULL);
}

static void image_requirements(struct parity *parity) {
	const VkFormat formats[] = {VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8B8A8_UNORM,
		VK_FORMAT_R32G32B32A32_SFLOAT, VK_FORMAT_BC1_RGB_UNORM_BLOCK};
	for (size_t format = 0; format < COUNT(formats); format++) {
		for (uint32_t tiling = 0; tiling < 2; tiling++) {
			for (uint32_t size = 1; size < 2000; size = size * 5 + 2) {
				const VkImageCreateInfo info = {
					.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
					.imageType = VK_IMAGE_TYPE_2D,
					.format = formats[format],
					.extent = {size, size / 2 + 1, 1},
					.mipLevels = 1,
					.arrayLayers = 1,
					.samples = VK_SAMPLE_COUNT_1_BIT,
					.tiling = (VkImageTiling)tiling,
					.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
				};
				say_image_requirements(parity, &info);
			}
		}
	}
	VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.flags = VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {64, 64, 1},
		.mipLevels = 7,
		.arrayLayers = 12,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_SAMPLED_BIT,
	};
	say_image_requirements(parity, &info);
	info.flags = 0;
	info.mipLevels = 1;
	info.samples = VK_SAMPLE_COUNT_4_BIT;
	info.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
	say_image_requirements(parity, &info);
	info.samples = VK_SAMPLE_COUNT_1_BIT;
	info.format = VK_FORMAT_D32_SFLOAT_S8_UINT;
	info.usage = VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT;
	say_image_requirements(parity, &info);
	info.format = VK_FORMAT_R8G8B8A8_UNORM;
	info.usage = VK_IMAGE_USAGE_SAMPLED_BIT;
	info.flags = VK_IMAGE_CREATE_SPARSE_BINDING_BIT | VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT;
	say_image_requirements(parity, &info);
}

/** Mapping again and again, in parts, and binding at offsets. */
static void mapping(struct parity *parity) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 1000,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffers[8];
	VkMemoryRequirements requirements;
	for (size_t i = 0; i < 8; i++) {
		MUST(vkCreateBuffer(parity->device, &info, NULL, &buffers[i]));
	}
	vkGetBufferMemoryRequirements(parity->device, buffers[0], &requirements);
	const VkDeviceSize step = (requirements.size + requirements.alignment - 1) /
		requirements.alignment * requirements.alignment;
	requirements.size = step * 8;
	VkDeviceMemory memory = parity_allocate(parity, &requirements,
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, NULL);
	for (size_t i = 0; i < 8; i++) {
		MUST(vkBindBufferMemory(parity->device, buffers[i], memory, step * i));
	}
	VkCommandBuffer commands = parity_begin(parity);
	for (size_t i = 0; i < 8; i++) {
		vkCmdFillBuffer(commands, buffers[i], 0, VK_WHOLE_SIZE, (uint32_t)i * 0x01010101);
	}
	parity_run(parity, commands);
	for (size_t i = 0; i < 8; i++) {
		uint8_t *data;
		MUST(vkMapMemory(parity->device, memory, step * i, i % 2 ? VK_WHOLE_SIZE : 1000, 0,
			(void **)&data));
		const VkMappedMemoryRange range = {
			.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
			.memory = memory,
			.offset = 0,
			.size = VK_WHOLE_SIZE,
		};
		SAY_RESULT(vkInvalidateMappedMemoryRanges(parity->device, 1, &range));
		say_hash("buffer", data, 1000);
		memset(data, 0x40 + (int)i, 1000);
		SAY_RESULT(vkFlushMappedMemoryRanges(parity->device, 1, &range));
		vkUnmapMemory(parity->device, memory);
	}
	struct parity_buffer copy;
	parity_buffer_init(parity, &copy, 8000, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	commands = parity_begin(parity);
	for (size_t i = 0; i < 8; i++) {
		const VkBufferCopy regions[2] = {{0, 1000 * i, 500}, {500, 1000 * i + 500, 500}};
		vkCmdCopyBuffer(commands, buffers[i], copy.buffer, 2, regions);
	}
	parity_run(parity, commands);
	say_hash("copied back", copy.data, 8000);
	parity_buffer_finish(parity, &copy);
	for (size_t i = 0; i < 8; i++) {
		vkDestroyBuffer(parity->device, buffers[i], NULL);
	}
	vkFreeMemory(parity->device, memory, NULL);
}

static void updates(struct parity *parity) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 65536 * 2,
		VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
	uint8_t *data = malloc(65536);
	for (size_t i = 0; i < 65536; i++) {
		data[i] = (uint8_t)(i * 7 + i / 256);
	}
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdUpdateBuffer(commands, buffer.buffer, 0, 4, data);
	vkCmdUpdateBuffer(commands, buffer.buffer, 65536, 65536, data);
	vkCmdUpdateBuffer(commands, buffer.buffer, 100, 1024, data);
	parity_barrier(commands);
	const VkBufferCopy2 region = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_COPY_2, .srcOffset = 65536, .dstOffset = 20000, .size = 33};
	const VkCopyBufferInfo2 copy = {
		.sType = VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2,
		.srcBuffer = buffer.buffer,
		.dstBuffer = buffer.buffer,
		.regionCount = 1,
		.pRegions = &region,
	};
	vkCmdCopyBuffer2(commands, &copy);
	parity_run(parity, commands);
	say_hash("updated", buffer.data, buffer.size);
	free(data);
	parity_buffer_finish(parity, &buffer);
}

/** Dedicated, with flags, by the second generation of bind functions. */
static void dedicated(struct parity *parity) {
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {33, 17, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_LINEAR,
		.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
		.initialLayout = VK_IMAGE_LAYOUT_PREINITIALIZED,
	};
	struct parity_image image = {.info = info, .aspects = VK_IMAGE_ASPECT_COLOR_BIT};
	MUST(vkCreateImage(parity->device, &info, NULL, &image.image));
	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(parity->device, image.image, &requirements);
	const VkMemoryDedicatedAllocateInfo alone = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = image.image};
	image.memory = parity_allocate(parity, &requirements,
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, &alone);
	const VkBindImageMemoryInfo bind = {
		.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
		.image = image.image,
		.memory = image.memory,
	};
	SAY_RESULT(vkBindImageMemory2(parity->device, 1, &bind));
	const VkImageSubresource subresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0};
	VkSubresourceLayout layout;
	vkGetImageSubresourceLayout(parity->device, image.image, &subresource, &layout);
	uint8_t *data;
	MUST(vkMapMemory(parity->device, image.memory, 0, VK_WHOLE_SIZE, 0, (void **)&data));
	for (size_t y = 0; y < 17; y++) {
		for (size_t x = 0; x < 33 * 4; x++) {
			data[layout.offset + y * layout.rowPitch + x] = (uint8_t)(x * y + x);
		}
	}
	VkCommandBuffer commands = parity_begin(parity);
	parity_transition(commands, &image, VK_IMAGE_LAYOUT_PREINITIALIZED,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	parity_run(parity, commands);
	parity_say_image(parity, "preinitialised", &image, 4);
	vkDestroyImage(parity->device, image.image, NULL);
	vkFreeMemory(parity->device, image.memory, NULL);
}

static void sparse(struct parity *parity) {
	say("sparse: %u %u", parity->features.features.sparseBinding,
		parity->features.features.sparseResidencyBuffer);
	if (!parity->features.features.sparseBinding) {
		return;
	}
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.flags = VK_BUFFER_CREATE_SPARSE_BINDING_BIT,
		.size = 1 << 20,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer;
	MUST(vkCreateBuffer(parity->device, &info, NULL, &buffer));
	VkMemoryRequirements requirements;
	vkGetBufferMemoryRequirements(parity->device, buffer, &requirements);
	say("size %llu, alignment %llu, types %x", (unsigned long long)requirements.size,
		(unsigned long long)requirements.alignment, requirements.memoryTypeBits);
	VkDeviceMemory memory = parity_allocate(parity, &requirements, 0, NULL);
	const VkDeviceSize half = requirements.size / 2;
	const VkSparseMemoryBind binds[2] = {{0, half, memory, half, 0}, {half, half, memory, 0, 0}};
	const VkSparseBufferMemoryBindInfo buffer_bind = {buffer, 2, binds};
	const VkBindSparseInfo bind = {
		.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
		.bufferBindCount = 1,
		.pBufferBinds = &buffer_bind,
	};
	const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence;
	MUST(vkCreateFence(parity->device, &fence_info, NULL, &fence));
	SAY_RESULT(vkQueueBindSparse(parity->queue, 1, &bind, fence));
	SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
	struct parity_buffer copy;
	parity_buffer_init(parity, &copy, 1 << 20, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdFillBuffer(commands, buffer, 0, half, 0x11223344);
	vkCmdFillBuffer(commands, buffer, half, VK_WHOLE_SIZE, 0x55667788);
	parity_barrier(commands);
	const VkBufferCopy region = {0, 0, 1 << 20};
	vkCmdCopyBuffer(commands, buffer, copy.buffer, 1, &region);
	parity_run(parity, commands);
	say_hash("sparse buffer", copy.data, copy.size);
	parity_buffer_finish(parity, &copy);
	vkDestroyFence(parity->device, fence, NULL);
	vkDestroyBuffer(parity->device, buffer, NULL);
	vkFreeMemory(parity->device, memory, NULL);
}

const struct parity_case parity_memory_cases[] = {
	{"memory types", types},
	{"memory too-much", too_much},
	{"memory big-buffers", big_buffers},
	{"memory buffer-requirements", buffer_requirements},
	{"memory image-requirements", image_requirements},
	{"memory mapping", mapping},
	{"memory updates", updates},
	{"memory dedicated", dedicated},
	{"memory many", many},
	{"memory sparse", sparse},
	{NULL, NULL},
};
