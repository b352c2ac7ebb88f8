/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_RESOURCE_H
#define VENERA_RENDER_RESOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/shmem.h"

struct render_context;

/** Shared memory with several owners: a VkDeviceMemory, a resource, or imports of it. */
struct render_shmem {
	_Atomic unsigned refs;
	struct shmem shm;
	struct render_context *context; /* whose LIMIT_SHARED_MEMORY has it; NULL: `source` has */
	struct render_shmem *source; /* what this is another mapping of: a reference, or NULL */
};

/**
 * One reference is the caller's. NULL with *error set to -errno. `alignment` is that of the mapping, address and size; 0: a
 * page.
 */
struct render_shmem *render_shmem_create(struct render_context *context, const char *name,
	uint64_t size, uint64_t alignment, int *error);
/** Takes over `fd`, also on failure. */
struct render_shmem *render_shmem_import(
	struct render_context *context, int fd, uint64_t size, int *error);
/**
 * The same memory in a mapping of that alignment: `shmem` itself if its own will do. Takes over the reference of it,
 * also on failure.
 */
struct render_shmem *render_shmem_align(
	struct render_shmem *shmem, uint64_t alignment, int *error);
struct render_shmem *render_shmem_ref(struct render_shmem *shmem);
void render_shmem_unref(struct render_shmem *shmem);

/** A virtio-gpu resource as this context sees it. */
struct render_resource {
	_Atomic unsigned refs; /* the table's, and one for each ring, reply stream, or look-up in progress */
	uint32_t id;
	uint32_t map_info;     /* render_map_info */
	uint64_t size;         /* bytes, at most those of the shared memory */
	struct render_shmem *shmem;
};

/** Adds a resource to the context's table; takes over one reference of `shmem`, also on failure. 0 or -errno. */
int render_resource_add(struct render_context *context, uint32_t id, uint32_t map_info,
	uint64_t size, struct render_shmem *shmem);

/** Removes it from the table; those who hold a reference keep it. false if it was not there. */
bool render_resource_remove(struct render_context *context, uint32_t id);

/** A reference to the resource of that id, or NULL. Any thread. */
struct render_resource *render_resource_get(struct render_context *context, uint32_t id);
void render_resource_unref(struct render_resource *resource);

/** Drops the table and its references. */
void render_resource_remove_all(struct render_context *context);

/** Does [offset, offset + size) lie in the resource? */
static inline bool render_resource_contains(
		const struct render_resource *resource, uint64_t offset, uint64_t size) {
	return offset <= resource->size && size <= resource->size - offset;
}

static inline uint8_t *render_resource_data(const struct render_resource *resource) {
	return resource->shmem->shm.data;
}

#endif
