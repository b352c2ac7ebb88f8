/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "vk/device.h"
#include "vk/extensions.h"
#include "vk/trial_device.h"

static uint32_t find_queue_family(
	const struct vk_instance_table *table, VkPhysicalDevice physical_device) {
	const VkQueueFlags with_transfer =
		VK_QUEUE_TRANSFER_BIT | VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
	uint32_t count;
	VkQueueFamilyProperties *families =
		vk_device_queue_families(table, physical_device, &count);
	uint32_t found = UINT32_MAX;
	for (uint32_t i = 0; i < count && found == UINT32_MAX; i++) {
		if (families[i].queueCount && (families[i].queueFlags & with_transfer)) {
			found = i;
		}
	}
	free(families);
	return found;
}

VkResult vk_trial_device_init(struct vk_trial_device *device,
	const struct vk_instance_table *table, VkPhysicalDevice physical_device,
	const struct vk_host_memory *memory) {
	*device = (struct vk_trial_device){0};
	device->queue_family = find_queue_family(table, physical_device);
	if (device->queue_family == UINT32_MAX) {
		return VK_ERROR_INITIALIZATION_FAILED;
	}

	struct vk_extensions offered;
	VkResult result = vk_extensions_of_device(&offered, table, physical_device);
	if (result != VK_SUCCESS) {
		return result;
	}
	const char *extensions[VK_HOST_MEMORY_MAX_EXTENSIONS + 1];
	uint32_t extension_count = vk_host_memory_extensions(memory, extensions);
	if (vk_extensions_have(&offered, VK_DEVICE_PORTABILITY_SUBSET)) {
		extensions[extension_count++] = VK_DEVICE_PORTABILITY_SUBSET;
	}
	vk_extensions_finish(&offered);

	return vk_device_create(table, physical_device, device->queue_family, extensions,
		extension_count, &device->handle, &device->table, &device->queue);
}

void vk_trial_device_finish(struct vk_trial_device *device) {
	if (device->handle) {
		device->table.DestroyDevice(device->handle, NULL);
	}
	*device = (struct vk_trial_device){0};
}
