/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_HOST_MEMORY_H
#define VENERA_VK_HOST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shmem.h"
#include "vk/error.h"
#include "vk/vk_tables.h"

/**
 * Theory of operation
 *
 * Everything that guest and host GPU share is our own shared memory, which is imported into the
 * host's driver as VkDeviceMemory: GPU, CPU and other processes then see the same bytes. There are
 * two ways in:
 *
 *  - by the address of a mapping (VK_EXT_external_memory_host, handle type HOST_ALLOCATION): any
 *    system, nearly any driver;
 *  - on Linux, as a dma-buf that the kernel makes of the same pages (base/udmabuf.h, handle type
 *    DMA_BUF): for drivers that take addresses only of private memory, as AMD's do.
 *
 * This file finds out what a driver makes of them. What a driver says is only half of that: some
 * name memory types for a pointer and then refuse to import it as such, so each type is tried. The
 * first way that works is taken, and from then on `handle_type` tells what buffers and images are
 * to be made for.
 *
 * The caller may have made its instance and device itself: it passes handles and tables.
 */
struct vk_host_memory {
	/**
	 * How the driver may take shared memory: what it has the extensions for. 0: not at all, as
	 * below Vulkan 1.1.
	 */
	VkExternalMemoryHandleTypeFlags candidates;
	/** How it does. 0 before vk_host_memory_probe(), or if nothing worked. */
	VkExternalMemoryHandleTypeFlagBits handle_type;
	/** Addresses and sizes of imports are multiples of this: the driver's need, at least a page. */
	VkDeviceSize alignment;
	/**
	 * Buffers may be made with a VkExternalMemoryBufferCreateInfo that names the handle type,
	 * as Vulkan asks of those bound to imported memory. False on MoltenVK up to 1.4.0, which
	 * refuses the structure and binds buffers without it.
	 */
	bool external_buffers;
	/** So may ordinary OPTIMAL images (VkExternalMemoryImageCreateInfo): what the driver says. */
	bool external_images;
	/** Bit n: shared memory was imported as memory type n. */
	uint32_t importable_types;
};

/** The part that needs no VkDevice: candidates and alignment. */
VkResult vk_host_memory_query(struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device);

/** The most names that vk_host_memory_extensions() gives. */
#define VK_HOST_MEMORY_MAX_EXTENSIONS 3

/**
 * The device extensions that imports need: of all candidates, or, after the probe, of what worked.
 * Returns their number.
 */
uint32_t vk_host_memory_extensions(
	const struct vk_host_memory *memory, const char *names[VK_HOST_MEMORY_MAX_EXTENSIONS]);

/**
 * Tries what a `memory` that vk_host_memory_query() filled is worth, and fills in the rest.
 * `device` has the extensions of all candidates enabled. Takes one page of shared memory, and one
 * trial import per memory type.
 */
VkResult vk_host_memory_probe(struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device,
	const struct vk_device_table *device_table, VkDevice device);

/** Query and probe with a VkDevice made for the purpose: for who has none yet. */
VkResult vk_host_memory_probe_physical_device(struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device);

/**
 * vkAllocateMemory of `info`, as an import of the shared memory at `offset` of `shared`. The size
 * is `info`'s; address and size are multiples of memory->alignment. The memory must stay mapped for
 * as long as the VkDeviceMemory lives.
 */
VkResult vk_host_memory_import(const struct vk_host_memory *memory,
	const struct vk_device_table *table, VkDevice device, const struct shmem *shared,
	uint64_t offset, const VkMemoryAllocateInfo *info, VkDeviceMemory *device_memory);

/**
 * Can buffers or images of which the driver says this, asked for our handle type, be bound to
 * imports? An import of an address is never a dedicated allocation, so that what wants one cannot.
 */
bool vk_host_memory_takes(
	const struct vk_host_memory *memory, const VkExternalMemoryProperties *properties);

/** The device's memory types and heaps, as many as there can be, each type of a heap that is there. */
void vk_memory_properties(const struct vk_instance_table *table, VkPhysicalDevice physical_device,
	VkPhysicalDeviceMemoryProperties *properties);

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
