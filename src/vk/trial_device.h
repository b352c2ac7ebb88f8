/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_TRIAL_DEVICE_H
#define VENERA_VK_TRIAL_DEVICE_H

#include <stdint.h>

#include "vk/host_memory.h"
#include "vk/vk_tables.h"

/** A VkDevice with one queue that can import shared memory, to try things on. */
struct vk_trial_device {
	VkDevice handle;
	VkQueue queue; /* takes transfer commands */
	uint32_t queue_family;
	struct vk_device_table table;
};

/** `memory`, as vk_host_memory_query() filled it, has candidates; their extensions are enabled. */
VkResult vk_trial_device_init(struct vk_trial_device *device,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device,
	const struct vk_host_memory *memory);

/** Nothing made with it is left, and nothing runs on its queue. */
void vk_trial_device_finish(struct vk_trial_device *device);

#endif
