/* SPDX-License-Identifier: MIT */
#include "render/library.h"

#include <stdbool.h>
#include <stdlib.h>

#include "render/chain.h"
#include "render/device.h"

/*
 * A pipeline has four parts, each from one library, and a library may be linked of others, which have fewer parts
 * than it. What is linked of more, or deeper, is against the API, and nothing is kept for it: so a guest that destroys
 * libraries cannot hide many of them behind one pipeline that it keeps.
 */
enum { MAX_PARTS = 4, MAX_DEPTH = 4 };

struct render_library {
	uint64_t handle;
	unsigned users; /* the guest, until it destroys it; and pipelines that are linked of it */
	unsigned depth;
	unsigned part_count;
	struct render_library *parts[MAX_PARTS];
	struct render_library *next; /* in a list of those that nobody uses */
};

void render_libraries_init(struct render_libraries *libraries) {
	pthread_mutex_init(&libraries->lock, NULL);
	id_table_init(&libraries->table);
}

void render_libraries_finish(struct render_libraries *libraries) {
	id_table_finish(&libraries->table);
	pthread_mutex_destroy(&libraries->lock);
}

static bool is_library(const VkGraphicsPipelineCreateInfo *info) {
	const VkPipelineCreateFlags2CreateInfo *flags =
		chain_find(info, VK_STRUCTURE_TYPE_PIPELINE_CREATE_FLAGS_2_CREATE_INFO);
	return flags ? flags->flags & VK_PIPELINE_CREATE_2_LIBRARY_BIT_KHR
	             : info->flags & VK_PIPELINE_CREATE_LIBRARY_BIT_KHR;
}

/** With the lock. What nobody uses any more is put before `dead`; returns that list. */
static struct render_library *release(struct render_libraries *libraries,
		struct render_library *library, struct render_library *dead) {
	if (--library->users > 0) {
		return dead;
	}
	id_table_remove(&libraries->table, library->handle);
	for (unsigned i = 0; i < library->part_count; i++) {
		dead = release(libraries, library->parts[i], dead);
	}
	library->next = dead;
	return library;
}

/** Without the lock: drivers may take their time. */
static void destroy_list(struct render_device *device, struct render_library *dead) {
	while (dead) {
		struct render_library *next = dead->next;
		if (dead->handle) {
			device->vk.DestroyPipeline(render_device_handle(device),
				(VkPipeline)(uintptr_t)dead->handle, NULL);
		}
		free(dead);
		dead = next;
	}
}

struct render_library *render_library_begin(
		struct render_device *device, const VkGraphicsPipelineCreateInfo *info) {
	const VkPipelineLibraryCreateInfoKHR *link =
		chain_find(info, VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR);
	const uint32_t count = link && link->libraryCount <= MAX_PARTS ? link->libraryCount : 0;
	if (!count && !is_library(info)) {
		return NULL;
	}
	struct render_library *library = calloc(1, sizeof(*library));
	if (!library) {
		return NULL;
	}
	library->users = 1;
	struct render_libraries *libraries = &device->libraries;
	pthread_mutex_lock(&libraries->lock);
	for (uint32_t i = 0; i < count; i++) {
		struct render_library *part =
			id_table_get(&libraries->table, (uint64_t)(uintptr_t)link->pLibraries[i]);
		if (!part || part->depth + 1 >= MAX_DEPTH) {
			continue;
		}
		part->users++;
		library->parts[library->part_count++] = part;
		if (library->depth < part->depth + 1) {
			library->depth = part->depth + 1;
		}
	}
	pthread_mutex_unlock(&libraries->lock);
	return library;
}

void render_library_end(
		struct render_device *device, struct render_library *library, uint64_t handle) {
	if (!library) {
		return;
	}
	struct render_libraries *libraries = &device->libraries;
	struct render_library *dead = NULL;
	pthread_mutex_lock(&libraries->lock);
	if (handle && id_table_add(&libraries->table, handle, library)) {
		library->handle = handle;
	} else {
		dead = release(libraries, library, NULL);
	}
	pthread_mutex_unlock(&libraries->lock);
	destroy_list(device, dead);
}

void render_pipeline_destroy(struct render_device *device, uint64_t handle) {
	struct render_libraries *libraries = &device->libraries;
	struct render_library *dead = NULL;
	pthread_mutex_lock(&libraries->lock);
	struct render_library *library = id_table_get(&libraries->table, handle);
	if (library) {
		dead = release(libraries, library, NULL);
	}
	pthread_mutex_unlock(&libraries->lock);
	if (library) {
		destroy_list(device, dead);
	} else {
		device->vk.DestroyPipeline(
			render_device_handle(device), (VkPipeline)(uintptr_t)handle, NULL);
	}
}
