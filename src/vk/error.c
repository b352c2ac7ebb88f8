/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "vk/error.h"

void vk_error_set(struct vk_error *error, const char *format, ...) {
	if (!error) {
		return;
	}
	va_list args;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
}

const char *vk_result_name(VkResult result) {
	switch (result) {
#define NAME(result) \
	case result: \
		return #result
	NAME(VK_SUCCESS);
	NAME(VK_NOT_READY);
	NAME(VK_TIMEOUT);
	NAME(VK_EVENT_SET);
	NAME(VK_EVENT_RESET);
	NAME(VK_INCOMPLETE);
	NAME(VK_SUBOPTIMAL_KHR);
	NAME(VK_ERROR_OUT_OF_HOST_MEMORY);
	NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY);
	NAME(VK_ERROR_INITIALIZATION_FAILED);
	NAME(VK_ERROR_DEVICE_LOST);
	NAME(VK_ERROR_MEMORY_MAP_FAILED);
	NAME(VK_ERROR_LAYER_NOT_PRESENT);
	NAME(VK_ERROR_EXTENSION_NOT_PRESENT);
	NAME(VK_ERROR_FEATURE_NOT_PRESENT);
	NAME(VK_ERROR_INCOMPATIBLE_DRIVER);
	NAME(VK_ERROR_TOO_MANY_OBJECTS);
	NAME(VK_ERROR_FORMAT_NOT_SUPPORTED);
	NAME(VK_ERROR_FRAGMENTED_POOL);
	NAME(VK_ERROR_UNKNOWN);
	NAME(VK_ERROR_OUT_OF_POOL_MEMORY);
	NAME(VK_ERROR_INVALID_EXTERNAL_HANDLE);
	NAME(VK_ERROR_FRAGMENTATION);
	NAME(VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS);
	NAME(VK_ERROR_SURFACE_LOST_KHR);
	NAME(VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
	NAME(VK_ERROR_OUT_OF_DATE_KHR);
	NAME(VK_ERROR_VALIDATION_FAILED_EXT);
#undef NAME
	default:
		return "unknown VkResult";
	}
}
