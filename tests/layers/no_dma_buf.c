/* SPDX-License-Identifier: MIT */

/*
 * VK_LAYER_VENERA_no_dma_buf: the driver below shares no memory as a dma-buf. Lavapipe says that it
 * does even where the kernel has no /dev/udmabuf to make them with, and then fails to allocate: who
 * goes by what it says, as virglrenderer does, needs this layer there. All else is passed by.
 */

#include "layer.h"

#include <stdlib.h>
#include <string.h>

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_extensions(VkPhysicalDevice physical,
		const char *layer_name, uint32_t *count, VkExtensionProperties *properties) {
	const PFN_vkEnumerateDeviceExtensionProperties next =
		INSTANCE_NEXT(physical, EnumerateDeviceExtensionProperties);
	if (layer_name) {
		return next(physical, layer_name, count, properties);
	}
	uint32_t all = 0;
	VkResult result = next(physical, NULL, &all, NULL);
	VkExtensionProperties *list = calloc((size_t)all + 1, sizeof(*list));
	if (result == VK_SUCCESS) {
		result = list ? next(physical, NULL, &all, list) : VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	uint32_t kept = 0;
	for (uint32_t i = 0; result == VK_SUCCESS && i < all; i++) {
		if (strcmp(list[i].extensionName, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME) != 0) {
			list[kept++] = list[i];
		}
	}
	if (result == VK_SUCCESS && properties) {
		result = *count < kept ? VK_INCOMPLETE : VK_SUCCESS;
		kept = *count < kept ? *count : kept;
		memcpy(properties, list, kept * sizeof(*list));
	}
	*count = kept;
	free(list);
	return result;
}

static const struct layer_function instance_functions[] = {
	{"vkEnumerateDeviceExtensionProperties", (PFN_vkVoidFunction)enumerate_extensions},
	{NULL, NULL},
};

static const struct layer_function device_functions[] = {
	{NULL, NULL},
};

const struct layer layer = {
	.instance_functions = instance_functions,
	.device_functions = device_functions,
};
