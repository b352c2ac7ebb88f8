/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <unistd.h>

#include "gpu/bounds.h"
#include "gpu/context.h"
#include "gpu/device.h"
#include "gpu/image.h"
#include "gpu/limit.h"
#include "gpu/renderer.h"
#include "gpu/request.h"
#include "gpu/resource.h"

void gpu_resource_changed(struct gpu_resource *resource, const struct gpu_rect *rect,
		const struct backing_lines *lines) {
	if (lines->count == 0) {
		return;
	}
	struct gpu_rect part = {rect->x, rect->y + lines->first, rect->width, lines->count};
	resource->changed = resource->changed.width ? image_join(&resource->changed, &part) : part;
}

struct gpu_resource *gpu_resource_get(struct gpu_device *device, uint32_t id) {
	return id_table_get(&device->resources, id);
}

struct gpu_resource *gpu_resource_create(
		struct gpu_device *device, uint32_t id, enum gpu_resource_kind kind) {
	if (!gpu_limit_allows(device, NULL, LIMIT_RESOURCES, device->resources.count, 1)) {
		return NULL;
	}
	struct gpu_resource *resource = calloc(1, sizeof(*resource));
	if (!resource || !id_table_add(&device->resources, id, resource)) {
		free(resource);
		return NULL;
	}
	resource->device = device;
	resource->id = id;
	resource->kind = kind;
	resource->fd = -1;
	resource->storage = SHMEM_NONE;
	resource->buffer.fd = -1;
	list_init(&resource->pending);
	list_init(&resource->creating_link);
	list_init(&resource->owned_link);
	list_init(&resource->map_link);
	list_init(&resource->attachments);
	return resource;
}

static bool takes_mapping(const struct gpu_resource *resource) {
	return resource->mapped && !resource->unmapping;
}

/* Adds it to those of its owner, or of nobody; or takes it away. */
static void count_owned(struct gpu_resource *resource, bool adds) {
	struct gpu_context *owner = resource->owner;
	const uint64_t one = adds ? 1 : (uint64_t)-1;
	if (owner) {
		owner->owned_count += one;
		owner->owned_bytes += one * resource->fd_size;
		owner->mapped_count += one * takes_mapping(resource);
	} else if (resource->kind == GPU_RESOURCE_HOST) {
		resource->device->orphan_bytes += one * resource->fd_size;
	}
}

void gpu_resource_set_owner(struct gpu_resource *resource, struct gpu_context *owner) {
	count_owned(resource, false);
	list_remove(&resource->owned_link);
	resource->owner = owner;
	if (owner) {
		list_append(&owner->owned, &resource->owned_link);
	}
	count_owned(resource, true);
}

void gpu_resource_set_memory(struct gpu_resource *resource, int fd, uint64_t size) {
	count_owned(resource, false);
	resource->fd = fd;
	resource->fd_size = fd >= 0 ? size : 0;
	count_owned(resource, true);
}

void gpu_resource_set_mapped(struct gpu_resource *resource, bool mapped) {
	struct gpu_device *device = resource->device;
	count_owned(resource, false);
	device->mapped_count -= takes_mapping(resource);
	resource->mapped = mapped;
	resource->unmapping = false;
	device->mapped_count += takes_mapping(resource);
	list_remove(&resource->map_link);
	if (mapped) {
		list_append(&device->mapped, &resource->map_link);
	}
	count_owned(resource, true);
}

void gpu_resource_set_unmapping(struct gpu_resource *resource) {
	count_owned(resource, false);
	resource->device->mapped_count -= takes_mapping(resource);
	resource->unmapping = true;
	count_owned(resource, true);
}

static void free_storage(struct gpu_device *device, struct gpu_resource *resource) {
	if (resource->storage.fd >= 0) {
		display_forget_buffer(device->display, &resource->buffer);
		device->storage_bytes -= resource->storage.size;
		shmem_finish(&resource->storage);
		resource->buffer = (struct display_buffer){.fd = -1};
	}
}

void gpu_resource_destroy(struct gpu_device *device, struct gpu_resource *resource) {
	LIST_FOR_EACH_SAFE (attachment, &resource->attachments, struct gpu_attachment, resource_link) {
		gpu_attachment_destroy(device, attachment);
	}
	display_forget_buffer(device->display, &resource->buffer);
	free_storage(device, resource);
	gpu_resource_unset_backing(device, resource);
	gpu_resource_unblock(device, resource);
	list_remove(&resource->creating_link);
	list_remove(&resource->owned_link);
	count_owned(resource, false);
	list_remove(&resource->map_link);
	device->mapped_count -= takes_mapping(resource);
	id_table_remove(&device->resources, resource->id);
	if (resource->fd >= 0) {
		close(resource->fd);
	}
	free(resource);
}

void gpu_resource_unblock(struct gpu_device *device, struct gpu_resource *resource) {
	resource->busy = false;
	while (!list_empty(&resource->pending)) {
		struct list *first = resource->pending.next;
		list_remove(first);
		list_append(&device->runnable, first);
	}
}

bool gpu_resource_allocate(
		struct gpu_device *device, struct gpu_resource *resource, uint64_t size) {
	free_storage(device, resource);
	const uint64_t aligned = page_align(size);
	if (!aligned || !gpu_limit_allows(
			device, NULL, LIMIT_SCREEN_MEMORY, device->storage_bytes, aligned)) {
		return false;
	}
	if (shmem_create(&resource->storage, "venera-2d", size) < 0) {
		return false;
	}
	device->storage_bytes += resource->storage.size;
	resource->buffer = (struct display_buffer){
		.fd = resource->storage.fd,
		.size = resource->storage.size,
	};
	return true;
}

uint32_t gpu_resource_set_backing(struct gpu_device *device, struct gpu_resource *resource,
		const struct gpu_memory_entry *entries, size_t count) {
	if (resource->backing.pieces) {
		return GPU_RESP_ERR_UNSPEC;
	}
	const uint64_t most = device->options.limits.value[LIMIT_BACKING_PIECES];
	if (count > most / GPU_BACKING_SHARE ||
			!gpu_limit_allows(
				device, NULL, LIMIT_BACKING_PIECES, device->backing_entries, count) ||
			!backing_init(&resource->backing, entries, count)) {
		return GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	device->backing_entries += resource->backing.count;
	return GPU_RESP_OK_NODATA;
}

void gpu_resource_unset_backing(struct gpu_device *device, struct gpu_resource *resource) {
	device->backing_entries -= resource->backing.count;
	backing_finish(&resource->backing);
}

int gpu_resource_memory(const struct gpu_resource *resource, uint64_t *size) {
	switch (resource->kind) {
	case GPU_RESOURCE_2D:
		*size = resource->storage.size;
		return resource->storage.fd;
	case GPU_RESOURCE_HOST:
		*size = resource->fd_size;
		return resource->fd;
	case GPU_RESOURCE_GUEST:
		break; /* what we have is a copy of what is shown */
	}
	*size = 0;
	return -1;
}

static struct gpu_attachment *find_attachment(
		const struct gpu_resource *resource, const struct gpu_context *context) {
	LIST_FOR_EACH (attachment, &resource->attachments, struct gpu_attachment, resource_link) {
		if (attachment->context == context) {
			return attachment;
		}
	}
	return NULL;
}

bool gpu_resource_attach(struct gpu_device *device, struct gpu_resource *resource,
		struct gpu_context *context, struct renderer_slot *slot) {
	if (find_attachment(resource, context)) {
		return true;
	}
	if (!gpu_limit_allows(
			device, context, LIMIT_ATTACHMENTS, device->attachment_count, 1)) {
		return false;
	}
	struct gpu_attachment *attachment = calloc(1, sizeof(*attachment));
	if (!attachment) {
		return false;
	}
	attachment->resource = resource;
	attachment->context = context;
	list_append(&resource->attachments, &attachment->resource_link);
	list_append(&context->attachments, &attachment->context_link);
	device->attachment_count++;

	if (!context->renderer || context->lost) {
		return true;
	}
	uint64_t size;
	int fd = gpu_resource_memory(resource, &size);
	if (context == resource->creator) {
		attachment->announced = true; /* it made it */
	} else if (fd >= 0) {
		struct render_attach_resource request = {
			.resource_id = resource->id,
			.map_info = resource->map_info,
			.size = size,
		};
		if (slot) {
			renderer_fill(slot, &request, fd);
		} else {
			renderer_attach(context->renderer, &request, fd);
		}
		attachment->announced = true;
	}
	return true;
}

void gpu_attachment_destroy(struct gpu_device *device, struct gpu_attachment *attachment) {
	struct gpu_context *context = attachment->context;
	if (attachment->announced && context->renderer && !context->lost) {
		renderer_detach(context->renderer, attachment->resource->id);
	}
	list_remove(&attachment->resource_link);
	list_remove(&attachment->context_link);
	free(attachment);
	device->attachment_count--;
}

void gpu_resource_detach(struct gpu_device *device, struct gpu_resource *resource,
		struct gpu_context *context) {
	struct gpu_attachment *attachment = find_attachment(resource, context);
	if (attachment) {
		gpu_attachment_destroy(device, attachment);
	}
}
