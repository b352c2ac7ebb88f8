/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_ERROR_H
#define VENERA_VK_ERROR_H

#include <vulkan/vulkan_core.h>

#include "base/log.h"

/** What went wrong, in one line for the user: what, and where it helps, what to do. */
struct vk_error {
	char text[320];
};

/** `error` may be NULL. */
void vk_error_set(struct vk_error *error, const char *format, ...) LOG_PRINTF(2, 3);

/** "VK_ERROR_DEVICE_LOST" and so on; "unknown VkResult" for what we have no name for. */
const char *vk_result_name(VkResult result);

#endif
