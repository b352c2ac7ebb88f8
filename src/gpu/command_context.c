/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "gpu/command.h"
#include "gpu/context.h"
#include "gpu/resource.h"
#include "venus/capset.h"

/* Contexts of Linux that no program has asked a renderer for. */
#define CAPSET_NONE 0

uint32_t gpu_get_capset_info(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_get_capset_info *command = bytes;
	(void)device;
	(void)size;
	if (command->index != 0) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	request->response.capset_info = (struct gpu_capset_info){
		.capset_id = GPU_CAPSET_VENUS,
		.max_version = 0,
		.max_size = VENUS_CAPSET_SIZE,
	};
	return GPU_RESP_OK_CAPSET_INFO;
}

uint32_t gpu_get_capset(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_get_capset *command = bytes;
	(void)device;
	(void)size;
	if (command->capset_id != GPU_CAPSET_VENUS || command->version != 0) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	static_assert(sizeof(struct gpu_header) + VENUS_CAPSET_SIZE <=
		sizeof(request->response.bytes), "the response holds the capset");
	venus_capset_fill(request->response.bytes + sizeof(struct gpu_header));
	request->response_size = sizeof(struct gpu_header) + VENUS_CAPSET_SIZE;
	return GPU_RESP_OK_CAPSET;
}

uint32_t gpu_ctx_create(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_ctx_create *command = bytes;
	(void)request;
	(void)size;
	uint32_t id = command->header.ctx_id;
	uint32_t capset = command->context_init & GPU_CONTEXT_INIT_CAPSET_MASK;
	if (id == 0 || gpu_context_get(device, id)) {
		return GPU_RESP_ERR_INVALID_CONTEXT_ID;
	}
	if (capset != GPU_CAPSET_VENUS && capset != CAPSET_NONE) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	size_t name_size = command->name_size < sizeof(command->name) ?
		command->name_size : sizeof(command->name);
	if (!gpu_context_create(device, id, capset == GPU_CAPSET_VENUS, command->name, name_size)) {
		return GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	return GPU_RESP_OK_NODATA;
}

uint32_t gpu_ctx_destroy(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_header *header = bytes;
	(void)request;
	(void)size;
	struct gpu_context *context = gpu_context_get(device, header->ctx_id);
	if (!context) {
		return GPU_RESP_ERR_INVALID_CONTEXT_ID;
	}
	gpu_context_destroy(context, false);
	return GPU_RESP_OK_NODATA;
}

uint32_t gpu_ctx_attach(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_resource_command *command = bytes;
	(void)size;
	struct gpu_context *context = gpu_context_get(device, command->header.ctx_id);
	if (!context) {
		return GPU_RESP_ERR_INVALID_CONTEXT_ID;
	}
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	return gpu_resource_attach(device, resource, context, request->slot) ?
		GPU_RESP_OK_NODATA : GPU_RESP_ERR_OUT_OF_MEMORY;
}

uint32_t gpu_ctx_detach(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_resource_command *command = bytes;
	(void)request;
	(void)size;
	struct gpu_context *context = gpu_context_get(device, command->header.ctx_id);
	if (!context) {
		return GPU_RESP_ERR_INVALID_CONTEXT_ID;
	}
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	gpu_resource_detach(device, resource, context);
	return GPU_RESP_OK_NODATA;
}

uint32_t gpu_submit_3d(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_submit_3d *command = bytes;
	const struct gpu_header *header = &request->header;
	struct gpu_context *context = gpu_context_get(device, header->ctx_id);
	if (!context || !context->renderer) {
		return GPU_RESP_ERR_INVALID_CONTEXT_ID;
	}
	if (command->size > size - sizeof(*command) || command->size % 4) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	bool fence = header->flags & GPU_FLAG_FENCE;
	uint32_t ring_idx = header->flags & GPU_FLAG_RING_IDX ? header->ring_idx : 0;
	if (ring_idx >= RENDER_MAX_TIMELINES) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	if (context->lost) {
		return GPU_RESP_OK_NODATA; /* the fence retires */
	}
	if (command->size > 0 || fence) {
		gpu_context_submit(
			context, command + 1, command->size, ring_idx, fence ? request : NULL);
	}
	return fence ? GPU_PENDING : GPU_RESP_OK_NODATA;
}
