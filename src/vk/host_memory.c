/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/shmem.h"
#include "base/socket.h"
#include "base/udmabuf.h"
#include "vk/count.h"
#include "vk/extensions.h"
#include "vk/host_memory.h"
#include "vk/trial_device.h"

#define HOST_POINTER VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT
#define DMA_BUF VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT

/* --- what the driver says --- */

VkResult vk_host_memory_query(struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device) {
	*memory = (struct vk_host_memory){.alignment = page_size()};

	VkPhysicalDeviceProperties basic;
	table->GetPhysicalDeviceProperties(physical_device, &basic);
	if (basic.apiVersion < VK_API_VERSION_1_1) {
		return VK_SUCCESS;
	}
	struct vk_extensions extensions;
	VkResult result = vk_extensions_of_device(&extensions, table, physical_device);
	if (result != VK_SUCCESS) {
		return result;
	}
	if (vk_extensions_have(&extensions, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME)) {
		memory->candidates |= HOST_POINTER;
	}
	if (vk_extensions_have(&extensions, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME)
			&& vk_extensions_have(&extensions, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME)
			&& udmabuf_is_there()) {
		memory->candidates |= DMA_BUF;
	}
	vk_extensions_finish(&extensions);

	if (memory->candidates & HOST_POINTER) {
		VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT,
		};
		VkPhysicalDeviceProperties2 properties = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
			.pNext = &host,
		};
		table->GetPhysicalDeviceProperties2(physical_device, &properties);
		if (host.minImportedHostPointerAlignment > memory->alignment) {
			memory->alignment = host.minImportedHostPointerAlignment;
		}
	}
	return VK_SUCCESS;
}

uint32_t vk_host_memory_extensions(
	const struct vk_host_memory *memory, const char *names[VK_HOST_MEMORY_MAX_EXTENSIONS]) {
	const VkExternalMemoryHandleTypeFlags types =
		memory->handle_type ? (VkExternalMemoryHandleTypeFlags)memory->handle_type
			: memory->candidates;
	uint32_t count = 0;
	if (types & HOST_POINTER) {
		names[count++] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
	}
	if (types & DMA_BUF) {
		names[count++] = VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME;
		names[count++] = VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME;
	}
	return count;
}

/* --- what it does --- */

/* Shared memory of which `size` bytes at `*offset` can be imported. */
static VkResult make_shared(
	struct shmem *shared, uint64_t size, uint64_t alignment, uint64_t *offset) {
	/* A mapping begins at a page; drivers that want more get it from the inside of a larger one. */
	uint64_t slack = alignment > page_size() ? alignment : 0;
	if (shmem_create(shared, "venera-probe", size + slack) < 0) {
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	*offset = (alignment - (uintptr_t)shared->data % alignment) % alignment;
	return VK_SUCCESS;
}

bool vk_host_memory_takes(
	const struct vk_host_memory *memory, const VkExternalMemoryProperties *properties) {
	const VkExternalMemoryFeatureFlags features = properties->externalMemoryFeatures;
	return (features & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT)
		&& (memory->handle_type == DMA_BUF
			|| !(features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT));
}

/* Can a buffer be made for imported memory as Vulkan wants it? */
static bool try_external_buffer(const struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device,
	const struct vk_device_table *device_table, VkDevice device) {
	const VkBufferUsageFlags usage =
		VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
	const VkPhysicalDeviceExternalBufferInfo query = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
		.usage = usage,
		.handleType = memory->handle_type,
	};
	VkExternalBufferProperties properties = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
	};
	table->GetPhysicalDeviceExternalBufferProperties(physical_device, &query, &properties);
	if (!vk_host_memory_takes(memory, &properties.externalMemoryProperties)) {
		return false;
	}
	const VkExternalMemoryBufferCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = memory->handle_type,
	};
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = &external,
		.size = page_size(),
		.usage = usage,
	};
	VkBuffer buffer;
	if (device_table->CreateBuffer(device, &info, NULL, &buffer) != VK_SUCCESS) {
		return false;
	}
	device_table->DestroyBuffer(device, buffer, NULL);
	return true;
}

/* Are OPTIMAL images made for imported memory, of colours as well as of depths? */
static bool has_external_images(const struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device) {
	static const struct {
		VkFormat format;
		VkImageUsageFlags usage;
	} kinds[] = {
		{VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT
			| VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT},
		{VK_FORMAT_D16_UNORM, VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const VkPhysicalDeviceExternalImageFormatInfo external = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
			.handleType = memory->handle_type,
		};
		const VkPhysicalDeviceImageFormatInfo2 info = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
			.pNext = &external,
			.format = kinds[i].format,
			.type = VK_IMAGE_TYPE_2D,
			.tiling = VK_IMAGE_TILING_OPTIMAL,
			.usage = kinds[i].usage,
		};
		VkExternalImageFormatProperties found = {
			.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES,
		};
		VkImageFormatProperties2 properties = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
			.pNext = &found,
		};
		const VkResult result = table->GetPhysicalDeviceImageFormatProperties2(
			physical_device, &info, &properties);
		if (result != VK_SUCCESS || !vk_host_memory_takes(memory, &found.externalMemoryProperties)) {
			return false;
		}
	}
	return true;
}

/* The memory types that the driver names for the shared memory. */
static uint32_t claimed_types(const struct vk_host_memory *memory,
	const struct vk_device_table *table, VkDevice device, const struct shmem *shared,
	uint64_t offset) {
	if (memory->handle_type == HOST_POINTER) {
		VkMemoryHostPointerPropertiesEXT properties = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT,
		};
		const VkResult result = table->GetMemoryHostPointerPropertiesEXT(
			device, HOST_POINTER, (const char *)shared->data + offset, &properties);
		return result == VK_SUCCESS ? properties.memoryTypeBits : 0;
	}
	const int fd = udmabuf_create(shared->fd, offset, memory->alignment);
	if (fd < 0) {
		return 0;
	}
	VkMemoryFdPropertiesKHR properties = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR,
	};
	const VkResult result = table->GetMemoryFdPropertiesKHR(device, DMA_BUF, fd, &properties);
	close(fd);
	return result == VK_SUCCESS ? properties.memoryTypeBits : 0;
}

/* Fills in importable_types for the handle type. */
static VkResult try_types(struct vk_host_memory *memory, const struct vk_device_table *table,
	VkDevice device) {
	struct shmem shared;
	uint64_t offset;
	VkResult result = make_shared(&shared, memory->alignment, memory->alignment, &offset);
	if (result != VK_SUCCESS) {
		return result;
	}
	const uint32_t claimed = claimed_types(memory, table, device, &shared, offset);
	for (uint32_t type = 0; type < VK_MAX_MEMORY_TYPES; type++) {
		const VkMemoryAllocateInfo info = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
			.allocationSize = memory->alignment,
			.memoryTypeIndex = type,
		};
		VkDeviceMemory device_memory;
		if ((claimed >> type & 1)
				&& vk_host_memory_import(memory, table, device, &shared, offset, &info,
					&device_memory) == VK_SUCCESS) {
			memory->importable_types |= UINT32_C(1) << type;
			table->FreeMemory(device, device_memory, NULL);
		}
	}
	shmem_finish(&shared);
	return VK_SUCCESS;
}

VkResult vk_host_memory_probe(struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device,
	const struct vk_device_table *device_table, VkDevice device) {
	VkResult result = VK_SUCCESS;
	memory->importable_types = 0;
	if (memory->candidates & HOST_POINTER) {
		memory->handle_type = HOST_POINTER;
		result = try_types(memory, device_table, device);
	}
	if (result == VK_SUCCESS && !memory->importable_types && (memory->candidates & DMA_BUF)) {
		memory->handle_type = DMA_BUF;
		memory->alignment = page_size();
		result = try_types(memory, device_table, device);
	}
	/* memory that no memory type takes is an answer, not an error */
	if (result != VK_SUCCESS || !memory->importable_types) {
		memory->handle_type = 0;
		return result;
	}
	memory->external_buffers = try_external_buffer(
		memory, table, physical_device, device_table, device);
	memory->external_images = memory->external_buffers
		&& has_external_images(memory, table, physical_device);
	return VK_SUCCESS;
}

VkResult vk_host_memory_probe_physical_device(struct vk_host_memory *memory,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device) {
	VkResult result = vk_host_memory_query(memory, table, physical_device);
	if (result != VK_SUCCESS || !memory->candidates) {
		return result;
	}
	struct vk_trial_device trial;
	result = vk_trial_device_init(&trial, table, physical_device, memory);
	if (result != VK_SUCCESS) {
		return result;
	}
	result = vk_host_memory_probe(memory, table, physical_device, &trial.table, trial.handle);
	vk_trial_device_finish(&trial);
	return result;
}

VkResult vk_host_memory_import(const struct vk_host_memory *memory,
	const struct vk_device_table *table, VkDevice device, const struct shmem *shared,
	uint64_t offset, const VkMemoryAllocateInfo *info, VkDeviceMemory *device_memory) {
	VkMemoryAllocateInfo with_import = *info;
	if (memory->handle_type == HOST_POINTER) {
		const VkImportMemoryHostPointerInfoEXT import = {
			.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
			.pNext = info->pNext,
			.handleType = HOST_POINTER,
			.pHostPointer = (char *)shared->data + offset,
		};
		with_import.pNext = &import;
		return table->AllocateMemory(device, &with_import, NULL, device_memory);
	}

	const int fd = udmabuf_create(shared->fd, offset, page_align(info->allocationSize));
	if (fd < 0) {
		log_warn("no dma-buf of %llu bytes: %s%s", (unsigned long long)info->allocationSize,
			strerror(-fd), fd == -EINVAL
				? "; raise /sys/module/udmabuf/parameters/size_limit_mb" : "");
		return fd == -EMFILE || fd == -ENFILE ? VK_ERROR_TOO_MANY_OBJECTS
			: VK_ERROR_OUT_OF_DEVICE_MEMORY;
	}
	const VkImportMemoryFdInfoKHR import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
		.pNext = info->pNext,
		.handleType = DMA_BUF,
		.fd = fd,
	};
	with_import.pNext = &import;
	const VkResult result = table->AllocateMemory(device, &with_import, NULL, device_memory);
	if (result != VK_SUCCESS) {
		close(fd); /* a driver that imports takes it over */
	}
	return result;
}

void vk_memory_properties(const struct vk_instance_table *table, VkPhysicalDevice physical_device,
	VkPhysicalDeviceMemoryProperties *properties) {
	table->GetPhysicalDeviceMemoryProperties(physical_device, properties);
	properties->memoryHeapCount = vk_count(properties->memoryHeapCount, VK_MAX_MEMORY_HEAPS);
	properties->memoryTypeCount = vk_count(properties->memoryTypeCount, VK_MAX_MEMORY_TYPES);
	for (uint32_t i = 0; i < properties->memoryTypeCount; i++) {
		if (properties->memoryTypes[i].heapIndex >= properties->memoryHeapCount) {
			properties->memoryTypeCount = i; /* of this and what follows it nothing is known */
		}
	}
}

uint32_t vk_host_memory_choose_type(
	const VkPhysicalDeviceMemoryProperties *properties, uint32_t memory_types) {
	static const VkMemoryPropertyFlags preferences[] = {
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
			| VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT,
	};
	for (size_t i = 0; i < sizeof(preferences) / sizeof(preferences[0]); i++) {
		for (uint32_t type = 0; type < properties->memoryTypeCount; type++) {
			VkMemoryPropertyFlags flags = properties->memoryTypes[type].propertyFlags;
			if ((memory_types >> type & 1) && (flags & preferences[i]) == preferences[i]) {
				return type;
			}
		}
	}
	return UINT32_MAX;
}

/* The check's shared memory has two halves: the GPU fills or reads the first, and copies it by
 * way of memory of its own to the second. */
#define CHECK_HALF (UINT64_C(256) << 10)
#define GPU_PATTERN UINT32_C(0x5ea1f00d)

struct check_run {
	struct vk_trial_device device;
	struct shmem shared;  /* as the driver knows it */
	struct shmem witness; /* another mapping of it, which the driver knows nothing of */
	uint32_t *seen;       /* what was imported, in the witness */
	VkDeviceMemory imported, own;
	VkBuffer shared_buffer, own_buffer;
	VkCommandPool pool;
	VkCommandBuffer commands;
};

static VkResult check_make_buffers(struct check_run *run, const struct vk_host_memory *memory,
	const VkPhysicalDeviceMemoryProperties *types, uint64_t offset, const char **step) {
	const struct vk_device_table *table = &run->device.table;
	VkDevice device = run->device.handle;
	const VkDeviceSize size = 2 * CHECK_HALF;

	*step = "making a buffer for imported memory";
	const VkExternalMemoryBufferCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = memory->handle_type,
	};
	VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = memory->external_buffers ? &external : NULL,
		.size = size,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkResult result = table->CreateBuffer(device, &info, NULL, &run->shared_buffer);
	if (result != VK_SUCCESS) {
		return result;
	}

	*step = "importing shared memory";
	VkMemoryRequirements needs;
	table->GetBufferMemoryRequirements(device, run->shared_buffer, &needs);
	uint32_t type = vk_host_memory_choose_type(
		types, memory->importable_types & needs.memoryTypeBits);
	if (type == UINT32_MAX) {
		return VK_ERROR_FEATURE_NOT_PRESENT;
	}
	const VkMemoryAllocateInfo import = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	result = vk_host_memory_import(
		memory, table, device, &run->shared, offset, &import, &run->imported);
	if (result == VK_SUCCESS) {
		result = table->BindBufferMemory(device, run->shared_buffer, run->imported, 0);
	}
	if (result != VK_SUCCESS) {
		return result;
	}

	*step = "allocating memory of the GPU's own";
	info.pNext = NULL;
	info.size = CHECK_HALF;
	result = table->CreateBuffer(device, &info, NULL, &run->own_buffer);
	if (result != VK_SUCCESS) {
		return result;
	}
	table->GetBufferMemoryRequirements(device, run->own_buffer, &needs);
	type = 0;
	while (!(needs.memoryTypeBits >> type & 1)) { /* Vulkan promises at least one */
		type++;
	}
	const VkMemoryAllocateInfo allocation = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = needs.size,
		.memoryTypeIndex = type,
	};
	result = table->AllocateMemory(device, &allocation, NULL, &run->own);
	if (result == VK_SUCCESS) {
		result = table->BindBufferMemory(device, run->own_buffer, run->own, 0);
	}
	return result;
}

static void check_barrier(struct check_run *run, VkPipelineStageFlags dst_stage,
	VkAccessFlags dst_access) {
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = dst_access,
	};
	run->device.table.CmdPipelineBarrier(run->commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
		dst_stage, 0, 1, &barrier, 0, NULL, 0, NULL);
}

/* Records and runs: a fill of the first half, or its copy to the second. */
static VkResult check_submit(struct check_run *run, bool fill) {
	const struct vk_device_table *table = &run->device.table;
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	VkResult result = table->BeginCommandBuffer(run->commands, &begin);
	if (result != VK_SUCCESS) {
		return result;
	}
	if (fill) {
		table->CmdFillBuffer(run->commands, run->shared_buffer, 0, CHECK_HALF, GPU_PATTERN);
	} else {
		const VkBufferCopy in = {.srcOffset = 0, .dstOffset = 0, .size = CHECK_HALF};
		const VkBufferCopy out = {.srcOffset = 0, .dstOffset = CHECK_HALF, .size = CHECK_HALF};
		table->CmdCopyBuffer(run->commands, run->shared_buffer, run->own_buffer, 1, &in);
		check_barrier(run, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT);
		table->CmdCopyBuffer(run->commands, run->own_buffer, run->shared_buffer, 1, &out);
	}
	check_barrier(run, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
	result = table->EndCommandBuffer(run->commands);
	if (result != VK_SUCCESS) {
		return result;
	}
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &run->commands,
	};
	result = table->QueueSubmit(run->device.queue, 1, &submit, VK_NULL_HANDLE);
	return result == VK_SUCCESS ? table->QueueWaitIdle(run->device.queue) : result;
}

static VkResult check_both_ways(
	struct check_run *run, struct vk_host_memory_check *check, const char **step) {
	const struct vk_device_table *table = &run->device.table;
	*step = "making a command buffer";
	const VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = run->device.queue_family,
	};
	VkResult result = table->CreateCommandPool(run->device.handle, &pool_info, NULL, &run->pool);
	if (result != VK_SUCCESS) {
		return result;
	}
	const VkCommandBufferAllocateInfo commands_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = run->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	result = table->AllocateCommandBuffers(run->device.handle, &commands_info, &run->commands);
	if (result != VK_SUCCESS) {
		return result;
	}

	const size_t half_words = CHECK_HALF / sizeof(uint32_t);
	*step = "running commands";
	result = check_submit(run, true);
	if (result != VK_SUCCESS) {
		return result;
	}
	check->gpu_writes_seen = true;
	for (size_t i = 0; i < half_words; i++) {
		check->gpu_writes_seen &= run->seen[i] == GPU_PATTERN;
	}

	for (size_t i = 0; i < half_words; i++) {
		run->seen[i] = (uint32_t)i * UINT32_C(2654435761);
	}
	result = check_submit(run, false);
	if (result != VK_SUCCESS) {
		return result;
	}
	check->cpu_writes_seen = true;
	for (size_t i = 0; i < half_words; i++) {
		check->cpu_writes_seen &=
			run->seen[half_words + i] == (uint32_t)i * UINT32_C(2654435761);
	}
	return VK_SUCCESS;
}

bool vk_host_memory_check(struct vk_host_memory_check *check, const struct vk_instance_table *table,
	VkPhysicalDevice physical_device, struct vk_error *error) {
	*check = (struct vk_host_memory_check){0};
	struct check_run run = {.shared = SHMEM_NONE, .witness = SHMEM_NONE};

	const char *step = "asking for its properties";
	VkResult result = vk_host_memory_query(&check->memory, table, physical_device);
	if (result != VK_SUCCESS) {
		vk_error_set(error, "%s failed: %s", step, vk_result_name(result));
		return false;
	}
	if (!check->memory.candidates) {
		vk_error_set(error, "no " VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME
			": the driver is too old or cannot share memory; update it");
		return false;
	}

	step = "making a device";
	result = vk_trial_device_init(&run.device, table, physical_device, &check->memory);
	if (result != VK_SUCCESS) {
		vk_error_set(error, "%s failed: %s", step, vk_result_name(result));
		return false;
	}
	step = "importing a page";
	result = vk_host_memory_probe(
		&check->memory, table, physical_device, &run.device.table, run.device.handle);
	if (result != VK_SUCCESS) {
		goto finish;
	}
	if (check->memory.importable_types == 0) {
		result = VK_ERROR_INVALID_EXTERNAL_HANDLE;
		goto finish;
	}

	step = "making shared memory";
	uint64_t offset;
	result = make_shared(&run.shared, 2 * CHECK_HALF, check->memory.alignment, &offset);
	if (result != VK_SUCCESS) {
		goto finish;
	}
	int fd = fd_dup(run.shared.fd);
	if (fd < 0 || shmem_import(&run.witness, fd, run.shared.size) < 0) {
		result = VK_ERROR_OUT_OF_HOST_MEMORY;
		goto finish;
	}
	run.seen = (uint32_t *)(void *)((char *)run.witness.data + offset);
	VkPhysicalDeviceMemoryProperties types;
	vk_memory_properties(table, physical_device, &types);
	result = check_make_buffers(&run, &check->memory, &types, offset, &step);
	if (result == VK_SUCCESS) {
		result = check_both_ways(&run, check, &step);
	}

finish:;
	const struct vk_device_table *device = &run.device.table;
	device->DestroyCommandPool(run.device.handle, run.pool, NULL);
	device->DestroyBuffer(run.device.handle, run.own_buffer, NULL);
	device->FreeMemory(run.device.handle, run.own, NULL);
	device->DestroyBuffer(run.device.handle, run.shared_buffer, NULL);
	device->FreeMemory(run.device.handle, run.imported, NULL);
	vk_trial_device_finish(&run.device);
	shmem_finish(&run.witness);
	shmem_finish(&run.shared);

	if (result != VK_SUCCESS) {
		vk_error_set(error, "%s failed: %s", step, vk_result_name(result));
		return false;
	}
	if (!check->gpu_writes_seen || !check->cpu_writes_seen) {
		vk_error_set(error, "the driver imports shared memory, but %s sees what %s writes: "
			"it made a copy; update the driver",
			!check->gpu_writes_seen && !check->cpu_writes_seen ? "neither CPU nor GPU"
				: !check->gpu_writes_seen ? "the CPU never" : "the GPU never",
			!check->gpu_writes_seen && !check->cpu_writes_seen ? "the other"
				: !check->gpu_writes_seen ? "the GPU" : "the CPU");
		return false;
	}
	return true;
}
