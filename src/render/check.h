/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_CHECK_H
#define VENERA_RENDER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vulkan/vulkan_core.h>

struct venus_object;

/**
 * What drivers are known to crash on, as far as it shows in the call itself. Vulkan forbids nearly all of it, so no
 * program that works anywhere is told "no" here. protocol/render_dispatch.py says where these are asked.
 */

/** Does the buffer have these bytes? VK_WHOLE_SIZE: those from `offset` on. */
bool render_check_range(const struct venus_object *buffer, VkDeviceSize offset, VkDeviceSize size);

/** The same for `count` structures of `size` bytes, one each `stride` bytes. */
bool render_check_array(const struct venus_object *buffer, VkDeviceSize offset, uint32_t count,
	uint32_t stride, uint32_t size);

bool render_check_copies(const struct venus_object *source, const struct venus_object *target,
	const VkBufferCopy *copies, uint32_t count);

/** Does the pool have these queries? */
bool render_check_queries(const struct venus_object *query_pool, uint32_t first, uint32_t count);

/** Can so many sets be bound there? */
bool render_check_sets(struct venus_object *device, uint32_t first, uint32_t count);

/** Bindings of a set layout: drivers make arrays as long as the largest number. */
bool render_check_bindings(const VkDescriptorSetLayoutCreateInfo *info);

/** Does it begin as SPIR-V does, with a bound that SPIR-V allows? */
bool render_check_spirv(const uint32_t *code, size_t size);

/** Do its constants lie in its data? NULL: there are none. */
bool render_check_specialization(const VkSpecializationInfo *info);

/** Are there as many levels, layers and samples as an image can have? */
bool render_check_image(const VkImageCreateInfo *info);

#endif
