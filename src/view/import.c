/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "view/import.h"

int view_import_create(struct view_import **out, const struct view_device *device, uint64_t id,
	int fd, uint64_t size) {
	*out = NULL;
	struct view_import *import = calloc(1, sizeof(*import));
	if (!import) {
		close(fd);
		return -ENOMEM;
	}
	import->id = id;
	import->size = size;
	int err = shmem_import_aligned(
		&import->shared, fd, size, (size_t)device->host_memory.alignment);
	if (err) {
		free(import);
		return err;
	}
	*out = import;
	return 0;
}

static void release(struct view_import *import, const struct view_device *device) {
	device->vk.DestroyBuffer(device->handle, import->buffer, NULL);
	device->vk.FreeMemory(device->handle, import->memory, NULL);
	import->buffer = VK_NULL_HANDLE;
	import->memory = VK_NULL_HANDLE;
	import->begin = 0;
	import->end = 0;
}

void view_import_destroy(struct view_import *import, const struct view_device *device) {
	if (import) {
		release(import, device);
		shmem_finish(&import->shared);
		free(import);
	}
}

/* Imports [begin, end), whole multiples of the driver's alignment in the address space. */
static VkResult import_part(struct view_import *import, const struct view_device *device,
	VkDeviceSize begin, VkDeviceSize end) {
	const VkExternalMemoryBufferCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = device->host_memory.handle_type,
	};
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = device->host_memory.external_buffers ? &external : NULL,
		.size = end - begin,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
	};
	VkResult result = device->vk.CreateBuffer(device->handle, &info, NULL, &import->buffer);
	if (result != VK_SUCCESS) {
		import->buffer = VK_NULL_HANDLE;
		return result;
	}
	VkMemoryRequirements needs;
	device->vk.GetBufferMemoryRequirements(device->handle, import->buffer, &needs);
	uint32_t type = vk_host_memory_choose_type(
		&device->memory, needs.memoryTypeBits & device->host_memory.importable_types);
	if (type == UINT32_MAX || needs.size > end - begin) {
		result = VK_ERROR_FEATURE_NOT_PRESENT;
		goto error;
	}
	const VkMemoryAllocateInfo allocation = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = end - begin,
		.memoryTypeIndex = type,
	};
	result = vk_host_memory_import(&device->host_memory, &device->vk, device->handle,
		&import->shared, begin, &allocation, &import->memory);
	if (result != VK_SUCCESS) {
		import->memory = VK_NULL_HANDLE;
		goto error;
	}
	result = device->vk.BindBufferMemory(device->handle, import->buffer, import->memory, 0);
	if (result != VK_SUCCESS) {
		goto error;
	}
	import->begin = begin;
	import->end = end;
	return VK_SUCCESS;

error:
	release(import, device);
	return result;
}

VkResult view_import_reach(struct view_import *import, const struct view_device *device,
	uint64_t begin, uint64_t end) {
	if (begin >= import->begin && end <= import->end) {
		return VK_SUCCESS;
	}
	/* A guest that shows two images of one buffer in turn gets both into the import. */
	if (import->end > 0) {
		uint64_t both_begin = begin < import->begin ? begin : import->begin;
		uint64_t both_end = end > import->end ? end : import->end;
		if (both_end - both_begin <= VIEW_IMPORT_MAX) {
			begin = both_begin;
			end = both_end;
		}
		release(import, device);
	}

	VkDeviceSize alignment = device->host_memory.alignment;
	begin -= begin % alignment;
	uint64_t size = (end - begin + alignment - 1) / alignment * alignment;
	if (size > VIEW_IMPORT_MAX + 2 * alignment) {
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	}
	if (size > import->shared.mapped - begin) {
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	}
	return import_part(import, device, begin, begin + size);
}
