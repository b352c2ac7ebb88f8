/* SPDX-License-Identifier: MIT */
#include "render/resource.h"

#include <errno.h>
#include <stdlib.h>

#include "base/socket.h"
#include "render/context.h"
#include "render/limit.h"

static struct render_shmem *shmem_wrap(void) {
	struct render_shmem *shmem = calloc(1, sizeof(*shmem));
	if (shmem) {
		atomic_init(&shmem->refs, 1);
		shmem->shm = SHMEM_NONE;
	}
	return shmem;
}

struct render_shmem *render_shmem_create(struct render_context *context, const char *name,
		uint64_t size, uint64_t alignment, int *error) {
	*error = -ENOMEM;
	if (!render_limit_take(context, LIMIT_SHARED_MEMORY, page_align(size))) {
		return NULL;
	}
	struct render_shmem *shmem = shmem_wrap();
	if (shmem) {
		*error = shmem_create_aligned(&shmem->shm, name, size, (size_t)alignment);
	}
	if (*error) {
		free(shmem);
		render_limit_give(context, LIMIT_SHARED_MEMORY, page_align(size));
		return NULL;
	}
	shmem->context = context;
	return shmem;
}

struct render_shmem *render_shmem_import(
		struct render_context *context, int fd, uint64_t size, int *error) {
	struct shmem shm;
	*error = shmem_import(&shm, fd, size);
	if (*error) {
		return NULL;
	}
	*error = -ENOMEM;
	if (!render_limit_take(context, LIMIT_SHARED_MEMORY, shm.size)) {
		goto finish_shm;
	}
	struct render_shmem *shmem = shmem_wrap();
	if (!shmem) {
		goto give;
	}
	*error = 0;
	shmem->shm = shm;
	shmem->context = context;
	return shmem;

give:
	render_limit_give(context, LIMIT_SHARED_MEMORY, shm.size);
finish_shm:
	shmem_finish(&shm);
	return NULL;
}

struct render_shmem *render_shmem_align(
		struct render_shmem *shmem, uint64_t alignment, int *error) {
	const struct shmem *shm = &shmem->shm;
	if ((uintptr_t)shm->data % alignment == 0 && shm->mapped % alignment == 0) {
		return shmem;
	}
	struct render_shmem *aligned = shmem_wrap();
	const int fd = aligned ? fd_dup(shm->fd) : -ENOMEM;
	*error = fd < 0 ? fd : shmem_import_aligned(&aligned->shm, fd, shm->size, (size_t)alignment);
	if (*error) {
		render_shmem_unref(shmem);
		free(aligned);
		return NULL;
	}
	aligned->source = shmem;
	return aligned;
}

struct render_shmem *render_shmem_ref(struct render_shmem *shmem) {
	atomic_fetch_add_explicit(&shmem->refs, 1, memory_order_relaxed);
	return shmem;
}

void render_shmem_unref(struct render_shmem *shmem) {
	if (shmem && atomic_fetch_sub_explicit(&shmem->refs, 1, memory_order_acq_rel) == 1) {
		if (shmem->context) {
			render_limit_give(shmem->context, LIMIT_SHARED_MEMORY, shmem->shm.size);
		}
		shmem_finish(&shmem->shm);
		render_shmem_unref(shmem->source);
		free(shmem);
	}
}

int render_resource_add(struct render_context *context, uint32_t id, uint32_t map_info,
		uint64_t size, struct render_shmem *shmem) {
	struct render_resource *resource = calloc(1, sizeof(*resource));
	if (!resource) {
		render_shmem_unref(shmem);
		return -ENOMEM;
	}
	atomic_init(&resource->refs, 1);
	resource->id = id;
	resource->map_info = map_info;
	resource->size = size;
	resource->shmem = shmem;

	pthread_mutex_lock(&context->resource_lock);
	bool added = id_table_add(&context->resources, id, resource);
	atomic_fetch_add_explicit(&context->resource_generation, 1, memory_order_release);
	pthread_mutex_unlock(&context->resource_lock);
	if (!added) {
		render_resource_unref(resource);
		return -EEXIST;
	}
	return 0;
}

bool render_resource_remove(struct render_context *context, uint32_t id) {
	pthread_mutex_lock(&context->resource_lock);
	struct render_resource *resource = id_table_remove(&context->resources, id);
	atomic_fetch_add_explicit(&context->resource_generation, 1, memory_order_release);
	pthread_mutex_unlock(&context->resource_lock);
	render_resource_unref(resource);
	return resource;
}

struct render_resource *render_resource_get(struct render_context *context, uint32_t id) {
	pthread_mutex_lock(&context->resource_lock);
	struct render_resource *resource = id_table_get(&context->resources, id);
	if (resource) {
		atomic_fetch_add_explicit(&resource->refs, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&context->resource_lock);
	return resource;
}

void render_resource_unref(struct render_resource *resource) {
	if (resource && atomic_fetch_sub_explicit(&resource->refs, 1, memory_order_acq_rel) == 1) {
		render_shmem_unref(resource->shmem);
		free(resource);
	}
}

void render_resource_remove_all(struct render_context *context) {
	size_t cursor = 0;
	struct render_resource *resource;
	while ((resource = id_table_next(&context->resources, &cursor))) {
		render_resource_unref(resource);
	}
	id_table_finish(&context->resources);
	id_table_init(&context->resources);
}
