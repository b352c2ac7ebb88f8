/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "gpu/bounds.h"
#include "gpu/command.h"
#include "gpu/edid.h"
#include "gpu/image.h"
#include "gpu/resource.h"

/* What Linux and others make their cursors of, when the resource itself has no size. */
#define CURSOR_SIZE 64

uint32_t gpu_get_display_info(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	(void)bytes;
	(void)size;
	struct gpu_display_info *response = &request->response.display_info;
	*response = (struct gpu_display_info){0};
	struct display_size display = display_get_size(device->display);
	for (unsigned i = 0; i < device->options.output_count; i++) {
		response->scanouts[i].rect = (struct gpu_rect){
			.x = i * display.width, /* side by side */
			.width = display.width,
			.height = display.height,
		};
		response->scanouts[i].enabled = display.width > 0;
	}
	device->display_info_current = true;
	return GPU_RESP_OK_DISPLAY_INFO;
}

uint32_t gpu_get_edid(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_get_edid *command = bytes;
	(void)size;
	if (command->scanout_id >= device->options.output_count) {
		return GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	struct gpu_edid *response = &request->response.edid;
	*response = (struct gpu_edid){0};
	struct display_size display = display_get_size(device->display);
	if (display.width > 0) { /* else it is not connected and has none */
		struct edid_options options = {
			.width = display.width,
			.height = display.height,
			.refresh_mhz = display.refresh_mhz,
			.serial = command->scanout_id + 1,
		};
		response->size = (uint32_t)edid_generate(response->edid, &options);
	}
	return GPU_RESP_OK_EDID;
}

uint32_t gpu_set_scanout(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_set_scanout *command = bytes;
	(void)request;
	(void)size;
	if (command->scanout_id >= device->options.output_count) {
		return GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	if (command->resource_id == 0) {
		display_set_scanout(device->display, command->scanout_id, NULL);
		return GPU_RESP_OK_NODATA;
	}
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource || resource->kind != GPU_RESOURCE_2D) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!image_contains(resource->width, resource->height, &command->rect)) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	struct display_image image = {
		.buffer = &resource->buffer,
		.format = resource->format,
		.stride = resource->width * IMAGE_PIXEL_SIZE,
		.rect = command->rect,
		.resource_id = resource->id,
	};
	display_set_scanout(device->display, command->scanout_id, &image);
	return GPU_RESP_OK_NODATA;
}

/* Prepares our copy of an image in guest memory, packed. false when out of memory. */
static bool prepare_copy(struct gpu_device *device, struct gpu_resource *resource, uint32_t width,
		uint32_t height, uint32_t offset, uint32_t stride) {
	uint32_t line_size = width * IMAGE_PIXEL_SIZE;
	if (resource->storage.fd < 0 || resource->shown.line_size != line_size ||
			resource->shown.line_count != height) {
		if (!gpu_resource_allocate(device, resource, (uint64_t)line_size * height)) {
			return false;
		}
	}
	resource->shown = (struct backing_image){
		.offset = offset,
		.stride = stride,
		.line_size = line_size,
		.line_count = height,
	};
	return true;
}

/* Brings a rectangle of the copy up to date. */
static bool update_copy(struct gpu_device *device, struct gpu_resource *resource,
		const struct gpu_rect *rect) {
	const struct backing_image *shown = &resource->shown;
	struct backing_image part = {
		.offset = shown->offset + (uint64_t)rect->y * shown->stride +
			(uint64_t)rect->x * IMAGE_PIXEL_SIZE,
		.stride = shown->stride,
		.line_size = rect->width * IMAGE_PIXEL_SIZE,
		.line_count = rect->height,
	};
	uint8_t *target = (uint8_t *)resource->storage.data + (size_t)rect->y * shown->line_size +
		(size_t)rect->x * IMAGE_PIXEL_SIZE;
	struct backing_lines lines;
	bool ok = backing_refresh_image(&resource->backing, vhost_user_memory(device->server),
		&part, target, shown->line_size, &lines);
	gpu_resource_changed(resource, rect, &lines);
	resource->copied_bytes += ok ? (uint64_t)part.line_size * part.line_count : 0;
	return ok;
}

/* The output shows what was copied. */
static void count_copies(
		struct gpu_device *device, unsigned output, struct gpu_resource *resource) {
	display_get_counters(device->display, output)->copied_bytes += resource->copied_bytes;
	resource->copied_bytes = 0;
}

/*
 * Makes damage smaller: of what the guest flushes only what it has changed is to be shown. A
 * pixel is always left, so that the flush takes its turn at the display, which paces the guest.
 */
static void limit_damage(const struct gpu_resource *resource, struct gpu_rect *damage) {
	if (resource->kind == GPU_RESOURCE_HOST) {
		return; /* who knows what its GPU has drawn */
	}
	struct gpu_rect changed;
	if (resource->changed.width && image_intersect(damage, &resource->changed, &changed)) {
		*damage = changed;
	} else {
		damage->width = 1;
		damage->height = 1;
	}
}

uint32_t gpu_set_scanout_blob(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_set_scanout_blob *command = bytes;
	(void)request;
	(void)size;
	if (command->scanout_id >= device->options.output_count) {
		return GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	if (command->resource_id == 0) {
		display_set_scanout(device->display, command->scanout_id, NULL);
		return GPU_RESP_OK_NODATA;
	}
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource || resource->kind == GPU_RESOURCE_2D) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	uint32_t width = command->width, height = command->height;
	uint32_t offset = command->offsets[0], stride = command->strides[0];
	if (!image_format_known(command->format) || width > GPU_MAX_EXTENT ||
			height > GPU_MAX_EXTENT || !image_contains(width, height, &command->rect) ||
			stride < width * IMAGE_PIXEL_SIZE || stride % IMAGE_PIXEL_SIZE ||
			offset % IMAGE_PIXEL_SIZE) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	uint64_t end = offset + (uint64_t)stride * (height - 1) + width * IMAGE_PIXEL_SIZE;
	if (end > resource->size) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	struct display_image image = {
		.buffer = &resource->buffer,
		.format = command->format,
		.offset = offset,
		.stride = stride,
		.rect = command->rect,
		.resource_id = resource->id,
		.direct = resource->kind == GPU_RESOURCE_HOST,
	};
	if (resource->kind == GPU_RESOURCE_GUEST) {
		if (!prepare_copy(device, resource, width, height, offset, stride)) {
			return GPU_RESP_ERR_OUT_OF_MEMORY;
		}
		image.offset = 0;
		image.stride = width * IMAGE_PIXEL_SIZE;
	} else if (resource->fd < 0) {
		return GPU_RESP_ERR_UNSPEC; /* nobody but its own process can see what is in it */
	}
	display_set_scanout(device->display, command->scanout_id, &image);
	return GPU_RESP_OK_NODATA;
}

uint32_t gpu_resource_flush(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_resource_flush *command = bytes;
	(void)size;
	struct gpu_resource *resource = gpu_resource_get(device, command->resource_id);
	if (!resource) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	const struct gpu_rect *rect = &command->rect;
	if (resource->kind == GPU_RESOURCE_2D ?
			!image_contains(resource->width, resource->height, rect) :
			rect->width > UINT32_MAX - rect->x || rect->height > UINT32_MAX - rect->y) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	bool waits = false;
	for (unsigned i = 0; i < device->options.output_count; i++) {
		const struct display_image *image = display_get_scanout(device->display, i);
		struct gpu_rect damage;
		if (image->buffer != &resource->buffer ||
				!image_intersect(rect, &image->rect, &damage)) {
			continue;
		}
		if (resource->kind == GPU_RESOURCE_GUEST && !update_copy(device, resource, &damage)) {
			return waits ? GPU_PENDING : GPU_RESP_ERR_UNSPEC;
		}
		count_copies(device, i, resource);
		limit_damage(resource, &damage);
		damage.x -= image->rect.x;
		damage.y -= image->rect.y;
		/* the first output that shows it sets the pace */
		waits |= display_flush(device->display, i, &damage, waits ? NULL : &request->waiter);
	}
	struct gpu_rect shown;
	if (image_intersect(rect, &resource->changed, &shown) &&
			memcmp(&shown, &resource->changed, sizeof(shown)) == 0) {
		resource->changed = (struct gpu_rect){0};
	}
	return waits ? GPU_PENDING : GPU_RESP_OK_NODATA;
}

/* The image of a cursor. A virtio response type. */
static uint32_t find_cursor_image(
		struct gpu_device *device, uint32_t resource_id, struct display_image *image) {
	struct gpu_resource *resource = gpu_resource_get(device, resource_id);
	if (!resource || resource->busy) {
		return GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	uint32_t width = CURSOR_SIZE, height = CURSOR_SIZE;
	if (resource->kind == GPU_RESOURCE_2D) {
		width = resource->width;
		height = resource->height;
	} else if (resource->size < (uint64_t)width * height * IMAGE_PIXEL_SIZE) {
		return GPU_RESP_ERR_INVALID_PARAMETER;
	}
	*image = (struct display_image){
		.buffer = &resource->buffer,
		.format = VIEW_FORMAT_B8G8R8A8,
		.stride = width * IMAGE_PIXEL_SIZE,
		.rect = {.width = width, .height = height},
	};
	switch (resource->kind) {
	case GPU_RESOURCE_2D:
		break;
	case GPU_RESOURCE_GUEST:
		if (!prepare_copy(device, resource, width, height, 0, image->stride)) {
			return GPU_RESP_ERR_OUT_OF_MEMORY;
		}
		if (!update_copy(device, resource, &image->rect)) {
			return GPU_RESP_ERR_UNSPEC;
		}
		break;
	case GPU_RESOURCE_HOST:
		if (resource->fd < 0) {
			return GPU_RESP_ERR_UNSPEC;
		}
		break;
	}
	return GPU_RESP_OK_NODATA;
}

/* Places left of or above the output come as large numbers. */
static int32_t signed_place(uint32_t place) {
	return place <= INT32_MAX ? (int32_t)place : -(int32_t)(UINT32_MAX - place) - 1;
}

uint32_t gpu_update_cursor(struct gpu_device *device, struct gpu_request *request,
		const void *bytes, size_t size) {
	const struct gpu_cursor_command *command = bytes;
	(void)request;
	(void)size;
	if (command->scanout_id >= device->options.output_count) {
		return GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	struct display_cursor cursor = {
		.x = signed_place(command->x),
		.y = signed_place(command->y),
		.hot_x = command->hot_x,
		.hot_y = command->hot_y,
	};
	if (command->resource_id != 0) {
		uint32_t type = find_cursor_image(device, command->resource_id, &cursor.image);
		if (type != GPU_RESP_OK_NODATA) {
			return type;
		}
		count_copies(device, command->scanout_id,
			gpu_resource_get(device, command->resource_id));
	}
	display_set_cursor(device->display, command->scanout_id, &cursor);
	return GPU_RESP_OK_NODATA;
}

uint32_t gpu_move_cursor(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_cursor_command *command = bytes;
	(void)request;
	(void)size;
	if (command->scanout_id >= device->options.output_count) {
		return GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	display_move_cursor(device->display, command->scanout_id, signed_place(command->x),
		signed_place(command->y));
	return GPU_RESP_OK_NODATA;
}
