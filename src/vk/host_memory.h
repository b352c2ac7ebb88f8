/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_HOST_MEMORY_H
#define VENERA_VK_HOST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "vk/error.h"
#include "vk/vk_tables.h"

/**
 * Theory of operation
 *
 * Everything that guest and host GPU share is our own shared memory, which is imported into the
 * host's driver as VkDeviceMemory (VK_EXT_external_memory_host, handle type HOST_ALLOCATION):
 * GPU, CPU and other processes then see the same bytes. This file finds out what a driver makes of
 * it. What a driver says is only half of that: some name memory types for a pointer and then
 * refuse to import it as such, so each type is tried.
 *
 * The caller may have made its instance and device itself: it passes handles and tables.
 */
struct vk_host_memory {
	/** The device has Vulkan 1.1 and VK_EXT_external_memory_host. If not, all below is 0. */
	bool supported;
	/** Pointers and sizes of imports are multiples of this: the driver's need, at least a page. */
	VkDeviceSize alignment;
	/**
	 * Buffers may be made with a VkExternalMemoryBufferCreateInfo that names HOST_ALLOCATION,
	 * as Vulkan asks of those bound to imported memory. False on MoltenVK up to 1.4.0, which
	 * refuses the structure and binds buffers without it. What the driver says before
	 * vk_host_memory_probe(), what it does after it.
	 */
	bool external_buffers;
	/** Bit n: shared memory was imported as memory type n (0 before vk_host_memory_probe()). */
	uint32_t importable_types;
};

/** The part that needs no VkDevice: what the driver says; importable_types is left 0. */
VkResult vk_host_memory_query(struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device);

/**
 * Tries what a `memory` that vk_host_memory_query() filled is worth, and fills in importable_types.
 * `device` has the extension enabled. Takes one page of shared memory, and one trial import per
 * memory type.
 */
VkResult vk_host_memory_probe(struct vk_host_memory *memory,
	const struct vk_device_table *table, VkDevice device);

/** Query and probe with a VkDevice made for the purpose: for who has none yet. */
VkResult vk_host_memory_probe_physical_device(struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device);

/**
 * Imports `size` bytes at `pointer`, both multiples of memory->alignment, as `memory_type`.
 * The bytes must stay mapped for as long as the VkDeviceMemory lives.
 */
VkResult vk_host_memory_import(const struct vk_device_table *table, VkDevice device, void *pointer,
	VkDeviceSize size, uint32_t memory_type, VkDeviceMemory *device_memory);

/**
 * The best of `memory_types` (a mask) for what the CPU and the GPU both read and write:
 * coherent first, then cached. UINT32_MAX if the mask has none that is host-visible.
 */
uint32_t vk_host_memory_choose_type(
	const VkPhysicalDeviceMemoryProperties *properties, uint32_t memory_types);

/** What vk_host_memory_check() saw. */
struct vk_host_memory_check {
	struct vk_host_memory memory;
	bool gpu_writes_seen; /* by the CPU, through another mapping of the same shared memory */
	bool cpu_writes_seen; /* by the GPU */
};

/**
 * The whole truth, for `venera doctor`: on a VkDevice of its own, the GPU fills shared memory
 * and the CPU reads it, then the CPU fills it and the GPU copies it to where the CPU can see what
 * it read. False, with why in `error`, if that could not be tried, or if it was and one side did
 * not see what the other wrote.
 */
bool vk_host_memory_check(struct vk_host_memory_check *check, const struct vk_instance_table *table,
	VkPhysicalDevice physical_device, struct vk_error *error);

#endif
