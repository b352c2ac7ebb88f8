/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_DRIVER_H
#define VENERA_VK_DRIVER_H

#include <stdbool.h>

#include "vk/error.h"
#include "vk/vk_tables.h"

/**
 * False, with why in `error` (which may be NULL), if the device's driver is known to be too old:
 * MoltenVK before 1.4.2, which does not take memory as Vulkan says.
 */
bool vk_driver_is_known_good(const struct vk_instance_table *table,
	VkPhysicalDevice physical_device, struct vk_error *error);

#endif
