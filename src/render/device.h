/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_DEVICE_H
#define VENERA_RENDER_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "base/list.h"
#include "render/instance.h"
#include "render/library.h"
#include "render/sync_fd.h"
#include "venus/object_table.h"
#include "vk/vk_tables.h"

struct render_context;

/** What vkCreateDevice asked of one queue family. */
struct render_device_queues {
	uint32_t family, count;
	VkDeviceQueueCreateFlags flags;
};

struct render_device {
	struct venus_object base;
	struct render_physical_device *physical;
	struct vk_device_table vk;
	struct list queues; /* struct render_queue that the guest has fetched; under the context's timeline_lock */
	struct render_device_queues *families;
	uint32_t family_count;
	struct render_sync_fd sync_fd;
	struct render_libraries libraries;
	pthread_mutex_t pool_lock; /* of the children lists of the device's pools */
	_Atomic bool destroyed;    /* or about to be: by one thread, whoever else wants it */
	_Atomic bool lost;         /* the host has said so: see device_loss.c */
	_Atomic bool loss_told;
};

static inline struct render_device *render_device_of(struct venus_object *object) {
	return (struct render_device *)object;
}

static inline VkDevice render_device_handle(const struct render_device *device) {
	return (VkDevice)(uintptr_t)device->base.handle;
}

bool render_device_has_queue(const struct render_device *device, uint32_t family, uint32_t index,
	VkDeviceQueueCreateFlags flags);

/** Are these bytes within maxPushConstantsSize? */
bool render_device_has_push_constants(
	struct venus_object *device, uint32_t offset, uint32_t size);

/**
 * Waits for the device and destroys it with everything that was made from it. Nothing if another
 * thread is at it.
 */
void render_device_destroy(struct render_context *context, struct render_device *device);

#endif
