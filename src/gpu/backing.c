/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "gpu/backing.h"

bool backing_init(struct backing *backing, const struct gpu_memory_entry *entries, size_t count) {
	*backing = (struct backing){0};
	struct backing_piece *pieces = malloc((count ? count : 1) * sizeof(*pieces));
	if (!pieces) {
		return false;
	}
	uint64_t end = 0; /* guest address behind the last piece */
	for (size_t i = 0; i < count; i++) {
		if (entries[i].size == 0) {
			continue;
		}
		if (backing->count == 0 || entries[i].guest_addr != end) {
			pieces[backing->count++] = (struct backing_piece){
				.guest_addr = entries[i].guest_addr,
				.offset = backing->size,
			};
		}
		end = entries[i].guest_addr + entries[i].size;
		backing->size += entries[i].size;
	}
	struct backing_piece *fitted =
		realloc(pieces, (backing->count ? backing->count : 1) * sizeof(*pieces));
	backing->pieces = fitted ? fitted : pieces;
	return true;
}

void backing_finish(struct backing *backing) {
	free(backing->pieces);
	*backing = (struct backing){0};
}

/* The piece in which a byte lies, which must be one of the backing. */
static size_t find_piece(const struct backing *backing, uint64_t offset) {
	size_t low = 0, high = backing->count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (backing->pieces[middle].offset <= offset) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return low;
}

static uint64_t piece_end(const struct backing *backing, size_t index) {
	return index + 1 < backing->count ? backing->pieces[index + 1].offset : backing->size;
}

/*
 * Brings `data` up to date from `*index` on, the piece in which the range begins, and moves it to
 * where it ends.
 */
static bool refresh_from(const struct backing *backing, struct guest_memory *memory,
		size_t *index, uint64_t offset, uint8_t *data, size_t size, bool *changed) {
	while (size > 0) {
		const struct backing_piece *piece = &backing->pieces[*index];
		uint64_t end = piece_end(backing, *index);
		size_t part = end - offset < size ? (size_t)(end - offset) : size;
		if (!guest_memory_refresh(memory, piece->guest_addr + (offset - piece->offset), data,
				part, changed)) {
			return false;
		}
		data += part;
		offset += part;
		size -= part;
		if (offset == end) {
			++*index;
		}
	}
	return true;
}

bool backing_refresh_image(const struct backing *backing, struct guest_memory *memory,
		const struct backing_image *image, uint8_t *data, size_t stride,
		struct backing_lines *changed) {
	*changed = (struct backing_lines){0};
	if (image->line_count == 0 || image->line_size == 0) {
		return true;
	}
	/* neither product nor sum wraps around: the factors have 32 bits */
	uint64_t span = (uint64_t)(image->line_count - 1) * image->stride + image->line_size;
	if (image->offset > backing->size || span > backing->size - image->offset) {
		return false;
	}
	size_t index = find_piece(backing, image->offset);
	for (uint32_t line = 0; line < image->line_count; line++) {
		uint64_t offset = image->offset + (uint64_t)line * image->stride;
		/* lines go up: the piece is this one or a later one */
		while (piece_end(backing, index) <= offset) {
			index++;
		}
		size_t end_index = index;
		bool line_changed = false;
		if (!refresh_from(backing, memory, &end_index, offset, data + line * stride,
				image->line_size, &line_changed)) {
			return false;
		}
		if (line_changed) {
			if (changed->count == 0) {
				changed->first = line;
			}
			changed->count = line - changed->first + 1;
		}
	}
	return true;
}
