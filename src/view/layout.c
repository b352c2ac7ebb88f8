/* SPDX-License-Identifier: MIT */
#include "view/layout.h"

#define PIXEL_SIZE 4
#define OPAQUE 4

/* Formats are named by the components in the order of memory. */
static bool components_of(uint32_t format, struct view_components *order) {
	switch (format) {
	case VIEW_FORMAT_B8G8R8A8:
	case VIEW_FORMAT_B8G8R8X8:
		*order = (struct view_components){.red = 2, .green = 1, .blue = 0};
		break;
	case VIEW_FORMAT_A8R8G8B8:
	case VIEW_FORMAT_X8R8G8B8:
		*order = (struct view_components){.red = 1, .green = 2, .blue = 3};
		break;
	case VIEW_FORMAT_R8G8B8A8:
	case VIEW_FORMAT_R8G8B8X8:
		*order = (struct view_components){.red = 0, .green = 1, .blue = 2};
		break;
	case VIEW_FORMAT_A8B8G8R8:
	case VIEW_FORMAT_X8B8G8R8:
		*order = (struct view_components){.red = 3, .green = 2, .blue = 1};
		break;
	default:
		return false;
	}
	/* Nothing lies behind a screen: alpha, where there is one, is already in the colours. */
	order->alpha = OPAQUE;
	return true;
}

/*
 * The rectangle (x, y, width, height) of an image that begins at `offset`. No sum here can
 * overflow: factors are 32 bits wide, and the number of lines is bounded by the buffer first.
 */
static const char *check(struct view_layout *layout, uint64_t buffer_size, uint64_t offset,
	uint32_t stride, const struct view_rect *rect, uint32_t max_size) {
	if (rect->width == 0 || rect->height == 0) {
		return "its size is 0";
	}
	if (rect->width > max_size || rect->height > max_size) {
		return "it is larger than the GPU's images can be";
	}
	if (stride % PIXEL_SIZE || offset % PIXEL_SIZE) {
		return "stride or offset is not a multiple of the pixel's 4 bytes";
	}
	uint64_t line_end = ((uint64_t)rect->x + rect->width) * PIXEL_SIZE;
	if (line_end > stride) {
		return "its lines are longer than the stride";
	}
	uint64_t lines_before_last = (uint64_t)rect->y + rect->height - 1;
	if (offset > buffer_size || lines_before_last > (buffer_size - offset) / stride
			|| lines_before_last * stride + line_end > buffer_size - offset) {
		return "it does not lie in its buffer";
	}
	layout->offset = offset + (uint64_t)rect->y * stride + (uint64_t)rect->x * PIXEL_SIZE;
	layout->stride = stride;
	layout->width = rect->width;
	layout->height = rect->height;
	return NULL;
}

const char *view_layout_of_scanout(struct view_layout *layout, const struct view_scanout *scanout,
	uint64_t buffer_size, uint32_t max_size) {
	*layout = (struct view_layout){.buffer_id = scanout->buffer_id};
	if (!components_of(scanout->format, &layout->order)) {
		return "its format is unknown";
	}
	const struct view_rect rect = {scanout->x, scanout->y, scanout->width, scanout->height};
	return check(layout, buffer_size, scanout->offset, scanout->stride, &rect, max_size);
}

const char *view_layout_of_cursor(
	struct view_layout *layout, const struct view_cursor *cursor, uint64_t buffer_size) {
	*layout = (struct view_layout){.buffer_id = cursor->buffer_id};
	const struct view_rect rect = {0, 0, cursor->width, cursor->height};
	return check(layout, buffer_size, cursor->offset, cursor->stride, &rect,
		VIEW_CURSOR_MAX_SIZE);
}

bool view_layout_equal(const struct view_layout *a, const struct view_layout *b) {
	return a->buffer_id == b->buffer_id && a->offset == b->offset && a->stride == b->stride
		&& a->width == b->width && a->height == b->height && a->order.red == b->order.red
		&& a->order.green == b->order.green && a->order.blue == b->order.blue
		&& a->order.alpha == b->order.alpha;
}

struct view_rect view_rect_of_flush(
	const struct view_flush *flush, uint32_t width, uint32_t height) {
	if (flush->x >= width || flush->y >= height) {
		return (struct view_rect){0};
	}
	const struct view_rect rect = {
		.x = flush->x,
		.y = flush->y,
		.width = flush->width < width - flush->x ? flush->width : width - flush->x,
		.height = flush->height < height - flush->y ? flush->height : height - flush->y,
	};
	return rect.width && rect.height ? rect : (struct view_rect){0};
}
