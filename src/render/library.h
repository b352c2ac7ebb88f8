/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_LIBRARY_H
#define VENERA_RENDER_LIBRARY_H

#include <pthread.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "base/id_table.h"

struct render_call;
struct render_device;
struct render_library;

/*
 * A pipeline library may be destroyed while pipelines that were linked of it are in use. lavapipe (Mesa 26.1)
 * goes on reading the library, so here the host's is destroyed with the last of these pipelines.
 */

/** The libraries of a device, and the pipelines that are linked of any. */
struct render_libraries {
	pthread_mutex_t lock;
	struct id_table table; /* struct render_library, by the host's handle */
};

void render_libraries_init(struct render_libraries *libraries);
/** Every pipeline has been destroyed. */
void render_libraries_finish(struct render_libraries *libraries);

/**
 * Before a pipeline is made: keeps what it is linked of. NULL: it is neither linked nor a library, or memory is
 * out. To be given to render_library_end().
 */
struct render_library *render_library_begin(
	struct render_device *device, const VkGraphicsPipelineCreateInfo *info);

/** Afterwards: `handle` is the host's, 0 if it was not made. NULL is accepted. */
void render_library_end(
	struct render_device *device, struct render_library *library, uint64_t handle);

/** Destroys a pipeline of the host, unless others are linked of it: then with the last of them. */
void render_pipeline_destroy(struct render_device *device, uint64_t handle);

#endif
