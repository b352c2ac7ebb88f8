/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_SPARE_H
#define VENERA_RENDER_SPARE_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

#include "vk/host_memory.h"
#include "vk/instance.h"

struct render_context;

/** The most devices whose answers are kept; others are asked again. */
#define RENDER_SPARE_MAX_DEVICES 8

/** What a process has done ahead of its context. All zero if it did nothing. */
struct render_spare {
	struct vk_instance instance; /* keeps the driver loaded */
	uint32_t device_count;
	struct {
		uint8_t device_uuid[VK_UUID_SIZE], driver_uuid[VK_UUID_SIZE];
		struct vk_host_memory host_memory;
	} devices[RENDER_SPARE_MAX_DEVICES];
};

/**
 * Loads the host's driver and finds out how its devices import memory, which is most of what a context's start
 * takes. What fails is left for the context to try again, and to report.
 */
void render_spare_prepare(struct render_context *context);

/** What was found out of a device; false: nothing. */
bool render_spare_find(const struct render_spare *spare, const struct vk_instance_table *table,
	VkPhysicalDevice physical_device, struct vk_host_memory *host_memory);

/** Safe on a zeroed struct. */
void render_spare_finish(struct render_spare *spare);

#endif
