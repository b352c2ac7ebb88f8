/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_BACKING_H
#define VENERA_GPU_BACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpu/protocol.h"
#include "virtio/guest_memory.h"

/** Guest memory in pieces that together are the content of a resource. */
struct backing_piece {
	uint64_t guest_addr;
	uint64_t offset; /* of its first byte in the whole */
};

struct backing {
	struct backing_piece *pieces; /* NULL: there is no backing */
	size_t count;
	uint64_t size; /* bytes of all pieces */
};

/**
 * Takes over the entries of a request, joining those that touch. false when out of memory. No
 * entry is checked against the guest's memory, which may change before it is used.
 */
bool backing_init(struct backing *backing, const struct gpu_memory_entry *entries, size_t count);

/** Safe on a zeroed one. */
void backing_finish(struct backing *backing);

struct backing_image {
	uint64_t offset;      /* of its first byte in the backing */
	uint32_t stride;      /* bytes from one line to the next */
	uint32_t line_size;   /* bytes of a line that count */
	uint32_t line_count;
};

/** A run of lines of an image; count 0: none. */
struct backing_lines {
	uint32_t first, count;
};

/**
 * Brings the copy of lines at `data`, `stride` bytes apart, up to date, and tells between which
 * lines it had changed. Guests flush whole screens for a cursor that blinks: who shows the copy
 * need not. false if a part of the range is not there; then some lines may have been copied.
 */
bool backing_refresh_image(const struct backing *backing, struct guest_memory *memory,
	const struct backing_image *image, uint8_t *data, size_t stride,
	struct backing_lines *changed);

#endif
