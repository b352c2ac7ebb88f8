/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_IMPORT_H
#define VENERA_VIEW_IMPORT_H

#include <stdint.h>

#include "base/shmem.h"
#include "view/device.h"

/**
 * Shared memory of venera-gpu's that the GPU copies from. Of a large buffer only what is shown is
 * imported: drivers pin what they import, and a guest must not be able to pin the host's memory at
 * will. No CPU reads it.
 */
struct view_import {
	uint64_t id;
	uint64_t size;       /* bytes that may be shown */
	struct shmem shared; /* mapped as the driver wants it */
	VkDeviceSize begin;  /* the part that is imported; empty before the first use */
	VkDeviceSize end;
	VkDeviceMemory memory;
	VkBuffer buffer; /* byte 0 is byte `begin` of the shared memory */
};

/** The most that is imported of one buffer: an image of 16384 x 16384 pixels. */
#define VIEW_IMPORT_MAX (UINT64_C(1) << 30)

/** For that device. Takes ownership of `fd`, also on failure. 0 or -errno (of shmem_import()). */
int view_import_create(struct view_import **import, const struct view_device *device, uint64_t id,
	int fd, uint64_t size);

/** The GPU does not use it any more. NULL is accepted. */
void view_import_destroy(struct view_import *import, const struct view_device *device);

/**
 * Sees to it that bytes [begin, end), which lie in the buffer, are in import->buffer. The GPU does
 * not use the import at the time.
 */
VkResult view_import_reach(struct view_import *import, const struct view_device *device,
	uint64_t begin, uint64_t end);

#endif
