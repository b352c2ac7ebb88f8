/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_IMAGE_H
#define VENERA_GPU_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "gpu/protocol.h"
#include "ipc/view_protocol.h"

/** Of all formats that there are. */
#define IMAGE_PIXEL_SIZE 4

static inline bool image_format_known(uint32_t format) {
	switch (format) {
	case VIEW_FORMAT_B8G8R8A8:
	case VIEW_FORMAT_B8G8R8X8:
	case VIEW_FORMAT_A8R8G8B8:
	case VIEW_FORMAT_X8R8G8B8:
	case VIEW_FORMAT_R8G8B8A8:
	case VIEW_FORMAT_X8B8G8R8:
	case VIEW_FORMAT_A8B8G8R8:
	case VIEW_FORMAT_R8G8B8X8:
		return true;
	default:
		return false;
	}
}

/** Does a rectangle that is not empty lie inside an image? */
static inline bool image_contains(uint32_t width, uint32_t height, const struct gpu_rect *rect) {
	return rect->width > 0 && rect->height > 0 && rect->x < width && rect->y < height &&
		rect->width <= width - rect->x && rect->height <= height - rect->y;
}

/** The part that two rectangles share. false: none. Neither wraps around. */
static inline bool image_intersect(
		const struct gpu_rect *a, const struct gpu_rect *b, struct gpu_rect *both) {
	uint32_t left = a->x > b->x ? a->x : b->x;
	uint32_t top = a->y > b->y ? a->y : b->y;
	uint32_t a_right = a->x + a->width, b_right = b->x + b->width;
	uint32_t a_bottom = a->y + a->height, b_bottom = b->y + b->height;
	uint32_t right = a_right < b_right ? a_right : b_right;
	uint32_t bottom = a_bottom < b_bottom ? a_bottom : b_bottom;
	if (left >= right || top >= bottom) {
		return false;
	}
	*both = (struct gpu_rect){left, top, right - left, bottom - top};
	return true;
}

/** The smallest rectangle that holds both. Neither wraps around. */
static inline struct gpu_rect image_join(const struct gpu_rect *a, const struct gpu_rect *b) {
	uint32_t left = a->x < b->x ? a->x : b->x;
	uint32_t top = a->y < b->y ? a->y : b->y;
	uint32_t a_right = a->x + a->width, b_right = b->x + b->width;
	uint32_t a_bottom = a->y + a->height, b_bottom = b->y + b->height;
	return (struct gpu_rect){
		.x = left,
		.y = top,
		.width = (a_right > b_right ? a_right : b_right) - left,
		.height = (a_bottom > b_bottom ? a_bottom : b_bottom) - top,
	};
}

#endif
