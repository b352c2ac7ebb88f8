/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "vk/count.h"
#include "vk/extensions.h"
#include "vk/vk_tables.h"

/* Whom to ask: a physical device, or else the loader, or a layer of the loader's. */
struct extension_source {
	const struct vk_global_table *global;
	const struct vk_instance_table *instance;
	VkPhysicalDevice device;
	const char *layer;
};

static VkResult source_enumerate(
	const struct extension_source *source, uint32_t *count, VkExtensionProperties *items) {
	if (source->device) {
		return source->instance->EnumerateDeviceExtensionProperties(
			source->device, source->layer, count, items);
	}
	return source->global->EnumerateInstanceExtensionProperties(source->layer, count, items);
}

static VkResult enumerate(
	struct vk_extensions *extensions, const struct extension_source *source) {
	*extensions = (struct vk_extensions){0};
	VkResult result;
	int tries = 0;
	do { /* the number may change between the two calls */
		free(extensions->items);
		*extensions = (struct vk_extensions){0};
		uint32_t count = 0;
		result = source_enumerate(source, &count, NULL);
		if (result != VK_SUCCESS || count == 0) {
			return result;
		}
		count = vk_count(count, VK_COUNT_MAX);
		const uint32_t room = count;
		extensions->items = calloc(count, sizeof(extensions->items[0]));
		if (!extensions->items) {
			return VK_ERROR_OUT_OF_HOST_MEMORY;
		}
		result = source_enumerate(source, &count, extensions->items);
		extensions->count = vk_count(count, room);
	} while (result == VK_INCOMPLETE && ++tries < VK_COUNT_TRIES);
	if (result != VK_SUCCESS) {
		vk_extensions_finish(extensions);
	}
	return result;
}

VkResult vk_extensions_of_instance(
	struct vk_extensions *extensions, const struct vk_global_table *table, const char *layer) {
	return enumerate(
		extensions, &(struct extension_source){.global = table, .layer = layer});
}

VkResult vk_extensions_of_device(struct vk_extensions *extensions,
	const struct vk_instance_table *table, VkPhysicalDevice device) {
	return enumerate(
		extensions, &(struct extension_source){.instance = table, .device = device});
}

void vk_extensions_finish(struct vk_extensions *extensions) {
	free(extensions->items);
	*extensions = (struct vk_extensions){0};
}

bool vk_extensions_have(const struct vk_extensions *extensions, const char *name) {
	for (uint32_t i = 0; i < extensions->count; i++) {
		if (strcmp(extensions->items[i].extensionName, name) == 0) {
			return true;
		}
	}
	return false;
}
