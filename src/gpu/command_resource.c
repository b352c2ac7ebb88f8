/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/process.h"
#include "gpu/bounds.h"
#include "gpu/command.h"
#include "gpu/image.h"
#include "gpu/resource.h"
#include "ipc/render_protocol.h"

uint32_t gpu_resource_create_2d(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_resource_create_2d *command = bytes;
	(void)request;
	(void)size;
	if (command->resource_id == 0 || gpu_resource_get(device, command->resource_id)) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!image_format_known(command->format) || command->width == 0 || command->height == 0 ||
			command->width > GPU_MAX_EXTENT || command->height > GPU_MAX_EXTENT) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	struct gpu_resource *resource =
		gpu_resource_create(device, command->resource_id, GPU_RESOURCE_2D);
	if (!resource) {
		return GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	resource->format = command->format;
	resource->width = command->width;
	resource->height = command->height;
	resource->map_info = RENDER_MAP_CACHED;
	uint64_t storage = (uint64_t)command->width * command->height * IMAGE_PIXEL_SIZE;
	if (!gpu_resource_allocate(device, resource, storage)) {
		gpu_resource_destroy(device, resource);
		return GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	return GPU_RESP_OK_NODATA;
}

uint32_t gpu_resource_unref(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_resource_command *command = bytes;
	(void)size;
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	/* the guest reuses its place in the window when this is answered */
	if (resource->mapped && gpu_blob_unmap(device, resource)) {
		resource->unreferenced = true;
		resource->request = request;
		return GPU_PENDING;
	}
	gpu_resource_destroy(device, resource);
	return GPU_RESP_OK_NODATA;
}

uint32_t gpu_transfer_to_host_2d(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_transfer_to_host_2d *command = bytes;
	(void)request;
	(void)size;
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource || resource->kind != GPU_RESOURCE_2D) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!resource->backing.pieces) {
		return GPU_RESP_ERR_UNSPEC;
	}
	const struct gpu_rect *rect = &command->rect;
	if (!image_contains(resource->width, resource->height, rect)) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	uint32_t stride = resource->width * IMAGE_PIXEL_SIZE;
	struct backing_image image = {
		.offset = command->offset,
		.stride = stride,
		.line_size = rect->width * IMAGE_PIXEL_SIZE,
		.line_count = rect->height,
	};
	uint8_t *target = (uint8_t *)resource->storage.data + (size_t)rect->y * stride +
		(size_t)rect->x * IMAGE_PIXEL_SIZE;
	struct backing_lines lines;
	bool ok = backing_refresh_image(&resource->backing, vhost_user_memory(device->server),
		&image, target, stride, &lines);
	gpu_resource_changed(resource, rect, &lines);
	if (!ok) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	resource->copied_bytes += (uint64_t)image.line_size * image.line_count;
	return GPU_RESP_OK_NODATA;
}

uint32_t gpu_attach_backing(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_attach_backing *command = bytes;
	(void)request;
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource || resource->kind != GPU_RESOURCE_2D) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	const struct gpu_memory_entry *entries = (const void *)(command + 1);
	if (command->entry_count > (size - sizeof(*command)) / sizeof(*entries)) {
		return GPU_RESP_ERR_UNSPEC;
	}
	return gpu_resource_set_backing(device, resource, entries, command->entry_count);
}

uint32_t gpu_detach_backing(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_resource_command *command = bytes;
	(void)request;
	(void)size;
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource || resource->kind == GPU_RESOURCE_HOST) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!resource->backing.pieces) {
		return GPU_RESP_ERR_UNSPEC;
	}
	gpu_resource_unset_backing(device, resource);
	return GPU_RESP_OK_NODATA;
}

uint32_t gpu_assign_uuid(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_resource_command *command = bytes;
	(void)size;
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!resource->has_uuid) {
		if (!system_random(resource->uuid, sizeof(resource->uuid))) {
			log_error("no random numbers: %s", strerror(errno));
			return GPU_RESP_ERR_UNSPEC;
		}
		/* version 4, the variant of RFC 9562 */
		resource->uuid[6] = (uint8_t)((resource->uuid[6] & 0x0f) | 0x40);
		resource->uuid[8] = (uint8_t)((resource->uuid[8] & 0x3f) | 0x80);
		resource->has_uuid = true;
	}
	struct gpu_resource_uuid *response = &request->response.resource_uuid;
	*response = (struct gpu_resource_uuid){0};
	memcpy(response->uuid, resource->uuid, sizeof(response->uuid));
	return GPU_RESP_OK_RESOURCE_UUID;
}
