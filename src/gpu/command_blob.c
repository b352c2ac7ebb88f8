/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/shmem.h"
#include "gpu/bounds.h"
#include "gpu/command.h"
#include "gpu/context.h"
#include "gpu/guest_log.h"
#include "gpu/limit.h"
#include "gpu/resource.h"

/*
 * Blobs, and the window in the guest's address space in which it sees them.
 *
 * A blob of HOST3D is made by a render process, in order with the command streams sent there
 * before. Mapping and unmapping is done by the front end. All three take their time, during which
 * the resource is busy: commands that name it wait, all others go on.
 */

static uint32_t create_guest_blob(struct gpu_device *device,
		const struct gpu_resource_create_blob *command, const struct gpu_memory_entry *entries) {
	if (command->blob_id != 0 || (command->blob_flags & GPU_BLOB_MAPPABLE)) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	struct gpu_resource *resource =
		gpu_resource_create(device, command->resource_id, GPU_RESOURCE_GUEST);
	if (!resource) {
		return GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	resource->size = command->size;
	resource->blob_flags = command->blob_flags;
	uint32_t type =
		gpu_resource_set_backing(device, resource, entries, command->entry_count);
	if (type == GPU_RESP_OK_NODATA && resource->backing.size < resource->size) {
		type = GPU_RESP_ERR_INVALID_PARAMETER;
	}
	if (type != GPU_RESP_OK_NODATA) {
		gpu_resource_destroy(device, resource);
	}
	return type;
}

static uint32_t create_host_blob(struct gpu_device *device, struct gpu_request *request,
		const struct gpu_resource_create_blob *command) {
	struct gpu_context *context = gpu_context_get(device, command->header.ctx_id);
	if (!context || !context->renderer) {
		return GPU_RESP_ERR_INVALID_CONTEXT_ID;
	}
	if (context->lost) {
		return GPU_RESP_ERR_UNSPEC;
	}
	if (command->entry_count != 0) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	if (!gpu_limit_allows(
			device, context, LIMIT_CONTEXT_RESOURCES, context->owned_count, 1)) {
		return GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	struct gpu_resource *resource =
		gpu_resource_create(device, command->resource_id, GPU_RESOURCE_HOST);
	if (!resource) {
		return GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	gpu_resource_set_owner(resource, context);
	resource->size = command->size;
	resource->blob_flags = command->blob_flags;
	resource->request = request;
	gpu_context_create_blob(context, resource, command->blob_id);
	return GPU_PENDING;
}

uint32_t gpu_resource_create_blob(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_resource_create_blob *command = bytes;
	const uint32_t known_flags =
		GPU_BLOB_MAPPABLE | GPU_BLOB_SHAREABLE | GPU_BLOB_CROSS_DEVICE;
	if (command->resource_id == 0 || gpu_resource_get(device, command->resource_id)) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (command->size == 0 || command->size > GPU_MAX_BLOB_SIZE ||
			(command->blob_flags & ~known_flags)) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	const struct gpu_memory_entry *entries = (const void *)(command + 1);
	if (command->entry_count > (size - sizeof(*command)) / sizeof(*entries)) {
		return GPU_RESP_ERR_UNSPEC;
	}
	switch (command->blob_mem) {
	case GPU_BLOB_MEM_GUEST:
		return create_guest_blob(device, command, entries);
	case GPU_BLOB_MEM_HOST3D:
		return create_host_blob(device, request, command);
	default:
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
}

/** The host maps whole pages, which may be larger than the guest's. There is memory behind them: see check_memory(). */
static uint64_t map_size(const struct gpu_resource *resource) {
	return page_align(resource->size);
}

static bool is_range_free(const struct gpu_device *device, uint64_t offset, uint64_t size) {
	LIST_FOR_EACH (resource, &device->mapped, struct gpu_resource, map_link) {
		if (offset < resource->map_offset + map_size(resource) &&
				resource->map_offset < offset + size) {
			return false;
		}
	}
	return true;
}

/* The front end has answered: so is the request that waited for it. */
static void finish_mapping(
		struct gpu_device *device, struct gpu_resource *resource, uint32_t type) {
	struct gpu_request *request = resource->request;
	resource->request = NULL;
	gpu_request_complete(device, request, type);
	gpu_resource_unblock(device, resource);
}

static void set_unmapped(struct gpu_resource *resource) {
	gpu_resource_set_mapped(resource, false);
}

static void handle_mapped(void *data, int result) {
	struct gpu_resource *resource = data;
	struct gpu_device *device = resource->device;
	if (result < 0) {
		guest_log_warn("the front end does not map a blob of %llu bytes",
			(unsigned long long)resource->size);
		set_unmapped(resource);
		finish_mapping(device, resource, GPU_RESP_ERR_UNSPEC);
	} else {
		struct gpu_map_info *response = &resource->request->response.map_info;
		*response = (struct gpu_map_info){.map_info = resource->map_info};
		finish_mapping(device, resource, GPU_RESP_OK_MAP_INFO);
	}
	gpu_device_run(device);
}

static void handle_unmapped(void *data, int result) {
	struct gpu_resource *resource = data;
	struct gpu_device *device = resource->device;
	if (result < 0) {
		guest_log_warn("the front end does not unmap a blob of %llu bytes",
			(unsigned long long)resource->size);
	}
	set_unmapped(resource);
	if (resource->unreferenced) {
		struct gpu_request *request = resource->request;
		gpu_resource_destroy(device, resource);
		gpu_request_complete(device, request, GPU_RESP_OK_NODATA);
	} else {
		finish_mapping(
			device, resource, result < 0 ? GPU_RESP_ERR_UNSPEC : GPU_RESP_OK_NODATA);
	}
	gpu_device_run(device);
}

uint32_t gpu_map_blob(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_resource_map_blob *command = bytes;
	(void)size;
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (resource->kind != GPU_RESOURCE_HOST || resource->fd < 0 || resource->mapped ||
			!(resource->blob_flags & GPU_BLOB_MAPPABLE)) {
		return GPU_RESP_ERR_UNSPEC;
	}
	const uint64_t offset = command->offset, map = map_size(resource);
	const uint64_t window = device->options.hostmem;
	if (offset % page_size() && offset % GPU_GUEST_PAGE == 0) {
		guest_log_warn("the guest maps GPU memory at 0x%llx, but pages here have %zu bytes: give it a "
			"kernel with pages of that size (Debian: linux-image-arm64-16k), or start it with "
			"--blob-alignment if its drivers know that", (unsigned long long)offset, page_size());
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	if (offset % page_size() || map == 0 || map > window || offset > window - map ||
			!is_range_free(device, offset, map)) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	struct gpu_context *owner = resource->owner;
	if (!gpu_limit_allows(device, NULL, LIMIT_MAPPINGS, device->mapped_count, 1) || (owner &&
			!gpu_limit_allows(
				device, owner, LIMIT_CONTEXT_MAPPINGS, owner->mapped_count, 1))) {
		return GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	int err = vhost_user_map(device->server, resource->fd, offset, map, handle_mapped, resource);
	if (err) {
		log_debug("a blob is not mapped: %s", err == -ENOSPC ?
			"the front end takes no more" : "the front end cannot do it");
		return GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	resource->busy = true;
	resource->request = request;
	resource->map_offset = offset;
	gpu_resource_set_mapped(resource, true);
	return GPU_PENDING;
}

bool gpu_blob_unmap(struct gpu_device *device, struct gpu_resource *resource) {
	int err = vhost_user_unmap(device->server, resource->fd, resource->map_offset,
		map_size(resource), handle_unmapped, resource);
	if (err) {
		set_unmapped(resource);
		return false;
	}
	gpu_resource_set_unmapping(resource);
	resource->busy = true;
	return true;
}

uint32_t gpu_unmap_blob(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_resource_command *command = bytes;
	(void)size;
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!resource->mapped) {
		return GPU_RESP_ERR_UNSPEC;
	}
	if (!gpu_blob_unmap(device, resource)) {
		return GPU_RESP_ERR_UNSPEC;
	}
	resource->request = request;
	return GPU_PENDING;
}
