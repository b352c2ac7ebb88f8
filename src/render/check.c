/* SPDX-License-Identifier: MIT */
#include "render/check.h"

#include "render/buffer_image.h"
#include "render/device.h"
#include "render/object.h"
#include "render/physical_device.h"

#define SPIRV_MAGIC UINT32_C(0x07230203)
#define SPIRV_HEADER_WORDS 5
/** The universal limit on ids, from SPIR-V's section on limits. */
#define SPIRV_MAX_BOUND UINT32_C(0x3fffff)

/** Vulkan has no limit; programs number from 0, and drivers allocate for those between. */
#define MAX_BINDING (UINT32_C(1) << 20)

/** 2^31 pixels, and then one. */
#define MAX_LEVELS 32

bool render_check_range(const struct venus_object *buffer, VkDeviceSize offset, VkDeviceSize size) {
	const VkDeviceSize there = ((const struct render_buffer *)buffer)->size;
	return offset <= there && (size == VK_WHOLE_SIZE || size <= there - offset);
}

bool render_check_array(const struct venus_object *buffer, VkDeviceSize offset, uint32_t count,
		uint32_t stride, uint32_t size) {
	return count == 0 ||
		render_check_range(buffer, offset, (VkDeviceSize)(count - 1) * stride + size);
}

bool render_check_copies(const struct venus_object *source, const struct venus_object *target,
		const VkBufferCopy *copies, uint32_t count) {
	for (uint32_t i = 0; copies && i < count; i++) {
		if (copies[i].size == VK_WHOLE_SIZE ||
				!render_check_range(source, copies[i].srcOffset, copies[i].size) ||
				!render_check_range(target, copies[i].dstOffset, copies[i].size)) {
			return false;
		}
	}
	return true;
}

bool render_check_queries(const struct venus_object *query_pool, uint32_t first, uint32_t count) {
	const struct render_query_pool *pool = (const struct render_query_pool *)query_pool;
	return first <= pool->count && count <= pool->count - first;
}

bool render_check_sets(struct venus_object *device, uint32_t first, uint32_t count) {
	const uint32_t limit =
		render_device_of(device)->physical->properties.limits.maxBoundDescriptorSets;
	return first <= limit && count <= limit - first;
}

bool render_check_bindings(const VkDescriptorSetLayoutCreateInfo *info) {
	for (uint32_t i = 0; info->pBindings && i < info->bindingCount; i++) {
		if (info->pBindings[i].binding > MAX_BINDING) {
			return false;
		}
	}
	return true;
}

bool render_check_spirv(const uint32_t *code, size_t size) {
	return size >= SPIRV_HEADER_WORDS * sizeof(*code) && size % sizeof(*code) == 0 && code &&
		code[0] == SPIRV_MAGIC && code[3] <= SPIRV_MAX_BOUND;
}

bool render_check_specialization(const VkSpecializationInfo *info) {
	for (uint32_t i = 0; info && info->pMapEntries && i < info->mapEntryCount; i++) {
		const VkSpecializationMapEntry *entry = &info->pMapEntries[i];
		if (entry->offset > info->dataSize || entry->size > info->dataSize - entry->offset) {
			return false;
		}
	}
	return true;
}

bool render_check_image(const VkImageCreateInfo *info) {
	const uint32_t samples = info->samples;
	return info->mipLevels > 0 && info->mipLevels <= MAX_LEVELS && info->arrayLayers > 0 &&
		samples != 0 && (samples & (samples - 1)) == 0;
}
