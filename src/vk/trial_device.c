/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "vk/count.h"
#include "vk/extensions.h"
#include "vk/trial_device.h"

/* vulkan_core.h has it only among the beta extensions */
#define PORTABILITY_SUBSET "VK_KHR_portability_subset"

static uint32_t find_queue_family(
	const struct vk_instance_table *table, VkPhysicalDevice physical_device) {
	const VkQueueFlags with_transfer =
		VK_QUEUE_TRANSFER_BIT | VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
	uint32_t count = 0;
	table->GetPhysicalDeviceQueueFamilyProperties(physical_device, &count, NULL);
	const uint32_t room = count = vk_count(count, VK_COUNT_MAX);
	VkQueueFamilyProperties *families = count ? calloc(count, sizeof(families[0])) : NULL;
	if (!families) {
		return UINT32_MAX;
	}
	table->GetPhysicalDeviceQueueFamilyProperties(physical_device, &count, families);
	uint32_t found = UINT32_MAX;
	for (uint32_t i = 0; i < vk_count(count, room) && found == UINT32_MAX; i++) {
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
	if (vk_extensions_have(&offered, PORTABILITY_SUBSET)) { /* must be enabled where it exists */
		extensions[extension_count++] = PORTABILITY_SUBSET;
	}
	vk_extensions_finish(&offered);

	const float priority = 1.0f;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = device->queue_family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = extension_count,
		.ppEnabledExtensionNames = extensions,
	};
	result = table->CreateDevice(physical_device, &info, NULL, &device->handle);
	if (result != VK_SUCCESS) {
		device->handle = VK_NULL_HANDLE;
		return result;
	}
	vk_device_table_load(&device->table, table->GetDeviceProcAddr, device->handle);
	device->table.GetDeviceQueue(device->handle, device->queue_family, 0, &device->queue);
	return VK_SUCCESS;
}

void vk_trial_device_finish(struct vk_trial_device *device) {
	if (device->handle) {
		device->table.DestroyDevice(device->handle, NULL);
	}
	*device = (struct vk_trial_device){0};
}
