/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_TRIAL_DEVICE_H
#define VENERA_VK_TRIAL_DEVICE_H

#include <stdint.h>

#include "vk/vk_tables.h"

/** A VkDevice with one queue and host-memory import, to try things on. */
struct vk_trial_device {
	VkDevice handle;
	VkQueue queue; /* takes transfer commands */
	uint32_t queue_family;
	struct vk_device_table table;
};

/** The physical device has Vulkan 1.1 and VK_EXT_external_memory_host. */
VkResult vk_trial_device_init(struct vk_trial_device *device,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device);

/** Nothing made with it is left, and nothing runs on its queue. */
void vk_trial_device_finish(struct vk_trial_device *device);

#endif
