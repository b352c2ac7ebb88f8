/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_LOADER_H
#define VENERA_VK_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "vk/error.h"
#include "vk/vk_tables.h"

/**
 * The host's Vulkan library: the Khronos loader, or, on systems where that is customary, a driver
 * that is used without one.
 */
struct vk_loader {
	void *library;
	char path[512];       /* as it was opened: a bare name or a path */
	uint32_t api_version; /* of the instance level, VK_MAKE_API_VERSION() */
	PFN_vkGetInstanceProcAddr get_instance_proc_addr;
	struct vk_global_table global;
};

/** Finds and opens it. On failure nothing is left open and `error` says what to do. */
bool vk_loader_init(struct vk_loader *loader, struct vk_error *error);

/** After everything that was made with it is gone. Safe on a zeroed struct. */
void vk_loader_finish(struct vk_loader *loader);

#endif
