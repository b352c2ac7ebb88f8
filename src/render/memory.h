/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_MEMORY_H
#define VENERA_RENDER_MEMORY_H

#include <stdint.h>
#include <vulkan/vulkan.h>

#include "render/resource.h"
#include "venus/object_table.h"

struct render_context;

struct render_memory {
	struct venus_object base;
	struct render_shmem *shmem; /* what it is made of; NULL: the driver's own memory */
	uint64_t size;              /* bytes, as allocated by the guest */
	VkMemoryPropertyFlags flags; /* of its type, as the guest sees them */
};

/**
 * The shared memory behind a VkDeviceMemory, for a blob of `size` bytes: a reference, or NULL with
 * *error. Context path only.
 */
struct render_shmem *render_memory_export(struct render_context *context, uint64_t memory_id,
	uint32_t blob_flags, uint64_t size, uint32_t *map_info, int *error);

/** Unbinds it and frees the host's memory and our share of what it is made of. */
void render_memory_free(struct render_context *context, struct render_memory *memory);

#endif
