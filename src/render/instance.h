/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_INSTANCE_H
#define VENERA_RENDER_INSTANCE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

#include "render/context.h"
#include "venus/object_table.h"
#include "vk/host_memory.h"
#include "vk/instance.h"
#include "vk/vk_tables.h"

struct render_physical_device;

/** The context's VkInstance. */
struct render_instance {
	struct venus_object base;
	struct vk_instance host;
	pthread_mutex_t lock; /* of everything below, and of what physical devices fill in late */
	bool enumerated;
	/* the host's devices that a guest can use, how they import memory, and the guest's objects for them (NULL until named) */
	VkPhysicalDevice *handles;
	struct vk_host_memory *host_memory;
	struct render_physical_device **devices;
	uint32_t count;
};

static inline struct render_instance *render_instance_of(struct render_context *context) {
	return atomic_load_explicit(&context->instance, memory_order_acquire);
}

/** Only for commands that name an object of the instance, so that there is one. */
static inline const struct vk_instance_table *render_instance_table_of(
		struct render_context *context) {
	return &render_instance_of(context)->host.table;
}

/** Destroys the context's instance, if there is one, and all that was made from it. */
void render_instance_destroy_all(struct render_context *context);

#endif
