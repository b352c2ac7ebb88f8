/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_RECT_H
#define VENERA_VIEW_RECT_H

#include <stdbool.h>
#include <stdint.h>

/** A rectangle of pixels, empty when its width or height is 0. Coordinates are those of images. */
struct view_rect {
	uint32_t x, y, width, height;
};

static inline bool view_rect_is_empty(const struct view_rect *rect) {
	return rect->width == 0 || rect->height == 0;
}

/** The smallest rectangle around both. */
static inline struct view_rect view_rect_join(
	const struct view_rect *a, const struct view_rect *b) {
	if (view_rect_is_empty(a)) {
		return *b;
	}
	if (view_rect_is_empty(b)) {
		return *a;
	}
	struct view_rect join = {
		.x = a->x < b->x ? a->x : b->x,
		.y = a->y < b->y ? a->y : b->y,
	};
	const uint32_t a_right = a->x + a->width, b_right = b->x + b->width;
	const uint32_t a_bottom = a->y + a->height, b_bottom = b->y + b->height;
	join.width = (a_right > b_right ? a_right : b_right) - join.x;
	join.height = (a_bottom > b_bottom ? a_bottom : b_bottom) - join.y;
	return join;
}

#endif
