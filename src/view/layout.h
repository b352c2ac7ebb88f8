/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_LAYOUT_H
#define VENERA_VIEW_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/view_protocol.h"
#include "view/compose.h"
#include "view/rect.h"

/** Where an image lies in a buffer, after it was checked: all its bytes are in it. */
struct view_layout {
	uint64_t buffer_id; /* 0: there is no image, and all else is 0 */
	uint64_t offset;    /* of the first pixel, a multiple of 4 */
	uint32_t stride;    /* bytes, a multiple of 4 */
	uint32_t width, height; /* at least 1 */
	struct view_components order;
};

/** Larger cursors are of no use to anybody. */
#define VIEW_CURSOR_MAX_SIZE 512

/**
 * Fills `layout` from what venera-gpu, and behind it a guest, said of a scanout that shows a
 * buffer of `buffer_size` bytes. Returns NULL, or what is wrong with it.
 */
const char *view_layout_of_scanout(struct view_layout *layout, const struct view_scanout *scanout,
	uint64_t buffer_size, uint32_t max_size);

/** The same for a cursor's image. */
const char *view_layout_of_cursor(
	struct view_layout *layout, const struct view_cursor *cursor, uint64_t buffer_size);

bool view_layout_equal(const struct view_layout *a, const struct view_layout *b);

/** What of the flush's rectangle lies in width x height. */
struct view_rect view_rect_of_flush(
	const struct view_flush *flush, uint32_t width, uint32_t height);

#endif
