/* SPDX-License-Identifier: MIT */
#include "render/memory.h"

#include <errno.h>

#include "render/call.h"
#include "render/chain.h"
#include "render/device.h"
#include "render/limit.h"
#include "render/physical_device.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"
#include "venus/venus_mesa.h"

/*
 * Theory of operation
 *
 * Memory that the guest may map is not allocated by the host's driver. It is shared memory of ours,
 * imported into the driver (vk/host_memory.h). When the guest maps the
 * memory it asks for a *blob* of it, and gets the descriptor; driver, guest and display then see the
 * same pages, and nothing is ever copied. Every HOST_VISIBLE type that the guest was told of works so; memory of
 * other types is the driver's own.
 *
 * An import is an external allocation in Vulkan's terms: what it is bound to must have been made
 * with that in mind (buffer_image.c), it takes no export and, by address, no dedicated allocation, and Vulkan
 * gives it no device address of the guest's choice.
 *
 * The shared memory is counted: the VkDeviceMemory, the blob's resource, and imports of that resource into
 * further VkDeviceMemory each hold it. The guest may free them in any order.
 */

/**
 * Blobs are whole pages of the guest, which may be larger than the host's: arm64 has up to 64 KiB. What is never
 * touched costs nothing, and the driver is given no more than the guest asked for.
 */
#define BLOB_UNIT (UINT64_C(64) << 10)

/** Allocates memory of a shared type: of `shmem` if not NULL (a reference, taken over), else of new shared memory. */
static VkResult allocate_shared(struct render_call *call, struct render_memory *memory,
		VkMemoryAllocateInfo *info, struct render_shmem *shmem, VkDeviceMemory *handle) {
	struct render_device *device = render_device_of(call->decoder->device);
	const uint64_t alignment = device->physical->host_memory.alignment;
	const VkMemoryOpaqueCaptureAddressAllocateInfo *address =
		chain_find(info, VK_STRUCTURE_TYPE_MEMORY_OPAQUE_CAPTURE_ADDRESS_ALLOCATE_INFO);
	if (address && address->opaqueCaptureAddress) {
		render_shmem_unref(shmem);
		return VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS;
	}
	const uint64_t size = (info->allocationSize + alignment - 1) / alignment * alignment;
	int error;
	if (!shmem) {
		shmem = render_shmem_create(call->context, "venus-memory",
			(size + BLOB_UNIT - 1) / BLOB_UNIT * BLOB_UNIT, alignment, &error);
	} else if (page_align(info->allocationSize) > shmem->shm.size) {
		render_shmem_unref(shmem);
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	} else {
		/* mapped by who did not know the driver, and perhaps less of it than the driver takes */
		shmem = render_shmem_align(shmem, alignment, &error);
	}
	if (!shmem) {
		return error == -EMFILE || error == -ENFILE ? VK_ERROR_TOO_MANY_OBJECTS :
							      VK_ERROR_OUT_OF_DEVICE_MEMORY;
	}
	chain_remove(info, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
	if (device->physical->host_memory.handle_type ==
			VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT) {
		/* memory at an address belongs to no image or buffer, and ends where its unit ends */
		chain_remove(info, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
		info->allocationSize = size;
	}
	VkResult result = vk_host_memory_import(&device->physical->host_memory, &device->vk,
		render_device_handle(device), &shmem->shm, 0, info, handle);
	if (result != VK_SUCCESS) {
		render_shmem_unref(shmem);
		return result;
	}
	memory->shmem = shmem;
	return VK_SUCCESS;
}

/** Is that much of the type to be had? Shared memory is made page by page as it is used: it would not fail. */
static bool is_possible(const struct render_memory_types *types, const VkMemoryAllocateInfo *info) {
	const uint32_t heap = types->guest.memoryTypes[info->memoryTypeIndex].heapIndex;
	const uint64_t most = types->guest.memoryHeaps[heap].size;
	return info->allocationSize && info->allocationSize <= most && most <= INT64_MAX;
}

/** Is it to be shared? What cannot be is not offered for that: neither buffers nor images name such types. */
static bool is_export(
		const struct render_physical_device *physical, const VkMemoryAllocateInfo *info) {
	const VkExportMemoryAllocateInfo *export =
		chain_find(info, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
	return physical->shares_memory && export && export->handleTypes;
}

static void give_memory(struct render_context *context, uint64_t size) {
	render_limit_give(context, LIMIT_MEMORY_OBJECTS, 1);
	render_limit_give(context, LIMIT_MEMORY, size);
}

static VkResult take_memory(struct render_context *context, uint64_t size) {
	if (!render_limit_take(context, LIMIT_MEMORY_OBJECTS, 1)) {
		return VK_ERROR_TOO_MANY_OBJECTS;
	}
	if (!render_limit_take(context, LIMIT_MEMORY, size)) {
		render_limit_give(context, LIMIT_MEMORY_OBJECTS, 1);
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	}
	return VK_SUCCESS;
}

void render_handle_vkAllocateMemory(
		struct render_call *call, struct venus_vkAllocateMemory *args) {
	struct render_device *device = render_device_of(call->decoder->device);
	const struct render_memory_types *types = &device->physical->memory_types;
	VkMemoryAllocateInfo *info = (VkMemoryAllocateInfo *)args->pAllocateInfo;
	const VkImportMemoryResourceInfoMESA *import =
		chain_remove(info, VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA);
	struct render_shmem *shmem = NULL;
	if (import) {
		struct render_resource *resource =
			render_resource_get(call->context, import->resourceId);
		if (!resource) {
			render_call_fail(call, "the resource to import does not exist");
			return;
		}
		shmem = render_shmem_ref(resource->shmem);
		render_resource_unref(resource);
	}

	struct venus_object *object = render_object_reserve(call, RENDER_HANDLE(*args->pMemory),
		VK_OBJECT_TYPE_DEVICE_MEMORY, sizeof(struct render_memory));
	if (!object) {
		render_shmem_unref(shmem);
		return;
	}
	struct render_memory *memory = (struct render_memory *)object;
	memory->size = info->allocationSize;
	VkDeviceMemory handle = VK_NULL_HANDLE;
	bool taken = false;
	if (call->decoder->failed_object || render_object_is_refused(call)) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		render_shmem_unref(shmem);
	} else if (info->memoryTypeIndex >= types->guest.memoryTypeCount) {
		args->ret = VK_ERROR_UNKNOWN;
		render_shmem_unref(shmem);
	} else if (!is_possible(types, info)) {
		args->ret = VK_ERROR_OUT_OF_DEVICE_MEMORY;
		render_shmem_unref(shmem);
	} else if ((args->ret = take_memory(call->context, memory->size)) != VK_SUCCESS) {
		render_shmem_unref(shmem);
	} else {
		taken = true;
		const uint32_t type = info->memoryTypeIndex;
		memory->flags = types->guest.memoryTypes[type].propertyFlags;
		info->memoryTypeIndex = types->of[type].host;
		if (types->of[type].shared) {
			args->ret = allocate_shared(call, memory, info, shmem, &handle);
		} else if (shmem) {
			render_shmem_unref(shmem);
			args->ret = VK_ERROR_INVALID_EXTERNAL_HANDLE;
		} else if (is_export(device->physical, info)) {
			args->ret = VK_ERROR_INVALID_EXTERNAL_HANDLE;
		} else {
			chain_remove(info, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
			args->ret = device->vk.AllocateMemory(args->device, info, NULL, &handle);
		}
	}
	if (taken && !handle) {
		give_memory(call->context, memory->size);
	}
	render_object_complete(call, object, RENDER_HANDLE(handle), args->ret);
}

void render_memory_free(struct render_context *context, struct render_memory *memory) {
	const struct render_device *device = render_device_of(memory->base.device);
	const uint64_t size = memory->size;
	/* the lock: the context path may be exporting it */
	pthread_mutex_lock(&context->resource_lock);
	struct render_shmem *shmem = memory->shmem;
	memory->shmem = NULL;
	VkDeviceMemory handle =
		(VkDeviceMemory)(uintptr_t)render_object_unbind(context, &memory->base);
	pthread_mutex_unlock(&context->resource_lock);
	if (handle) {
		device->vk.FreeMemory(render_device_handle(device), handle, NULL);
		render_shmem_unref(shmem);
		give_memory(context, size);
	}
}

void render_handle_vkFreeMemory(struct render_call *call, struct venus_vkFreeMemory *args) {
	if (args->memory_object) {
		render_memory_free(call->context, (struct render_memory *)args->memory_object);
	}
}

static struct render_shmem *export_memory(struct render_context *context, uint64_t memory_id,
		uint32_t blob_flags, uint64_t size, uint32_t *map_info, int *error) {
	struct venus_object *object = venus_object_table_get(&context->objects, memory_id);
	if (!object || object->type != VK_OBJECT_TYPE_DEVICE_MEMORY || !object->handle) {
		/* the host may have refused it after the guest went on */
		*error = object && !object->handle ? -ENOMEM : -ENOENT;
		return NULL;
	}
	/* a ring may be freeing it */
	pthread_mutex_lock(&context->resource_lock);
	struct render_shmem *shmem = ((const struct render_memory *)object)->shmem;
	if (!shmem) {
		*error = -EACCES;
	} else if (size > shmem->shm.size) {
		*error = -EINVAL;
		shmem = NULL;
	} else {
		*error = 0;
		render_shmem_ref(shmem);
	}
	pthread_mutex_unlock(&context->resource_lock);
	if (shmem) {
		*map_info = blob_flags & RENDER_BLOB_MAPPABLE ? RENDER_MAP_CACHED : RENDER_MAP_NONE;
	}
	return shmem;
}

struct render_shmem *render_memory_export(struct render_context *context, uint64_t memory_id,
		uint32_t blob_flags, uint64_t size, uint32_t *map_info, int *error) {
	epoch_enter(&context->epoch, &context->path.reader);
	struct render_shmem *shmem =
		export_memory(context, memory_id, blob_flags, size, map_info, error);
	epoch_exit(&context->path.reader);
	return shmem;
}

void render_handle_vkGetMemoryResourcePropertiesMESA(struct render_call *call,
		struct venus_vkGetMemoryResourcePropertiesMESA *args) {
	struct render_device *device = render_device_of(call->decoder->device);
	struct render_resource *resource = render_resource_get(call->context, args->resourceId);
	if (!resource) {
		render_call_fail(call, "there is no such resource");
		return;
	}
	args->ret = VK_SUCCESS;
	args->pMemoryResourceProperties->memoryTypeBits =
		render_memory_types_shared(&device->physical->memory_types);
	VkMemoryResourceAllocationSizePropertiesMESA *size =
		chain_find(args->pMemoryResourceProperties,
			VK_STRUCTURE_TYPE_MEMORY_RESOURCE_ALLOCATION_SIZE_PROPERTIES_MESA);
	if (size) {
		size->allocationSize = resource->size;
	}
	render_resource_unref(resource);
}
