/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_MEMORY_TYPES_H
#define VENERA_RENDER_MEMORY_TYPES_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

#include "vk/host_memory.h"

/**
 * The memory types that a guest is told of, and what they are on the host. They differ from the
 * host's:
 *
 *  - A type that takes imports is our shared memory, always: the guest may map it. Other types
 *    lose HOST_VISIBLE and what goes with it.
 *  - Where every type takes imports but images do not, there would be no memory for images. There
 *    each type has a twin of the driver's own memory, which the guest cannot map. KosmicKrisp is
 *    so, with its one type.
 *  - They are in the order that Vulkan wants: less able ones before those that can the same and
 *    more.
 *
 * Heaps are the host's. Type numbers of the guest go through this table and nothing else.
 */
struct render_memory_types {
	VkPhysicalDeviceMemoryProperties guest; /* what the guest is told */
	struct {
		uint32_t host; /* the type's number there */
		bool shared;   /* it is made of our shared memory */
	} of[VK_MAX_MEMORY_TYPES]; /* by the guest's number */
};

void render_memory_types_init(struct render_memory_types *types,
	const VkPhysicalDeviceMemoryProperties *host, const struct vk_host_memory *host_memory);

/**
 * The guest's types among the host's memoryTypeBits of a buffer or image. If it does not take
 * imports, only the driver's own memory is left; unless nothing would be: a driver with just one
 * kind of memory binds what it does not say it binds.
 */
uint32_t render_memory_types_of_host(
	const struct render_memory_types *types, uint32_t host_bits, bool takes_imports);

/** The guest's types that take imports, and the others. */
uint32_t render_memory_types_shared(const struct render_memory_types *types);
uint32_t render_memory_types_own(const struct render_memory_types *types);

#endif
