/* SPDX-License-Identifier: MIT */
#include "render/spare.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "render/context.h"

/*
 * A process that was started ahead of its context (--spare) has an instance of its own, of which the guest
 * never hears: it holds the driver in memory, so that the guest's is made in no time. Devices are told
 * apart by what drivers give them for that, as the handles of two instances differ.
 */

/** false: the device has no Vulkan 1.1 and so no UUIDs. */
static bool get_uuids(const struct vk_instance_table *table, VkPhysicalDevice physical_device,
		VkPhysicalDeviceIDProperties *id) {
	VkPhysicalDeviceProperties basic;
	table->GetPhysicalDeviceProperties(physical_device, &basic);
	if (basic.apiVersion < VK_API_VERSION_1_1) {
		return false;
	}
	*id = (VkPhysicalDeviceIDProperties){
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = id};
	table->GetPhysicalDeviceProperties2(physical_device, &properties);
	return true;
}

void render_spare_prepare(struct render_context *context) {
	struct render_spare *spare = &context->spare;
	struct vk_error error;
	if (!vk_loader_init(&context->loader, &error)) {
		return;
	}
	const struct vk_instance_options options = {
		.application_name = "venera-render",
		.validate = context->options.validate,
	};
	if (!vk_instance_init(&spare->instance, &context->loader, &options, &error)) {
		return;
	}
	const struct vk_instance_table *table = &spare->instance.table;
	VkPhysicalDevice *devices = NULL;
	uint32_t count = 0;
	if (vk_instance_enumerate_devices(table, spare->instance.handle, &devices, &count) < 0) {
		return;
	}
	for (uint32_t i = 0; i < count && spare->device_count < RENDER_SPARE_MAX_DEVICES; i++) {
		VkPhysicalDeviceIDProperties id;
		struct vk_host_memory known, *found = &spare->devices[spare->device_count].host_memory;
		if (get_uuids(table, devices[i], &id) &&
				!render_spare_find(spare, table, devices[i], &known) &&
				vk_host_memory_probe_physical_device(found, table, devices[i]) == VK_SUCCESS) {
			memcpy(spare->devices[spare->device_count].device_uuid, id.deviceUUID, VK_UUID_SIZE);
			memcpy(spare->devices[spare->device_count].driver_uuid, id.driverUUID, VK_UUID_SIZE);
			spare->device_count++;
		}
	}
	free(devices);
}

bool render_spare_find(const struct render_spare *spare, const struct vk_instance_table *table,
		VkPhysicalDevice physical_device, struct vk_host_memory *host_memory) {
	VkPhysicalDeviceIDProperties id;
	if (!spare->device_count || !get_uuids(table, physical_device, &id)) {
		return false;
	}
	for (uint32_t i = 0; i < spare->device_count; i++) {
		if (memcmp(spare->devices[i].device_uuid, id.deviceUUID, VK_UUID_SIZE) == 0 &&
				memcmp(spare->devices[i].driver_uuid, id.driverUUID, VK_UUID_SIZE) == 0) {
			*host_memory = spare->devices[i].host_memory;
			return true;
		}
	}
	return false;
}

void render_spare_finish(struct render_spare *spare) {
	vk_instance_finish(&spare->instance);
	*spare = (struct render_spare){0};
}
