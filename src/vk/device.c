/* SPDX-License-Identifier: MIT */
#include "vk/device.h"

#include <stdlib.h>

#include "vk/count.h"

VkQueueFamilyProperties *vk_device_queue_families(
	const struct vk_instance_table *table, VkPhysicalDevice physical, uint32_t *count) {
	*count = 0;
	table->GetPhysicalDeviceQueueFamilyProperties(physical, count, NULL);
	const uint32_t room = *count = vk_count(*count, VK_COUNT_MAX);
	VkQueueFamilyProperties *families = room ? calloc(room, sizeof(families[0])) : NULL;
	if (!families) {
		*count = 0;
		return NULL;
	}
	table->GetPhysicalDeviceQueueFamilyProperties(physical, count, families);
	*count = vk_count(*count, room);
	return families;
}

VkResult vk_device_create(const struct vk_instance_table *table, VkPhysicalDevice physical,
	uint32_t queue_family, const char *const *extensions, uint32_t extension_count,
	VkDevice *handle, struct vk_device_table *functions, VkQueue *queue) {
	const float priority = 1.0f;
	const VkDeviceQueueCreateInfo queue_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = queue_family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue_info,
		.enabledExtensionCount = extension_count,
		.ppEnabledExtensionNames = extensions,
	};
	const VkResult result = table->CreateDevice(physical, &info, NULL, handle);
	if (result != VK_SUCCESS) {
		*handle = VK_NULL_HANDLE;
		return result;
	}
	vk_device_table_load(functions, table->GetDeviceProcAddr, *handle);
	functions->GetDeviceQueue(*handle, queue_family, 0, queue);
	return VK_SUCCESS;
}
