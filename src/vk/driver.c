/* SPDX-License-Identifier: MIT */
#include "vk/driver.h"
#include "vk/extensions.h"

/* as MoltenVK counts: 1.4.2 is 10402 */
#define MOLTENVK_MIN 10402

static bool has_driver_properties(
	const struct vk_instance_table *table, VkPhysicalDevice physical_device, uint32_t version) {
	if (version >= VK_API_VERSION_1_2) {
		return true;
	}
	struct vk_extensions extensions;
	if (vk_extensions_of_device(&extensions, table, physical_device) != VK_SUCCESS) {
		return false;
	}
	const bool found =
		vk_extensions_have(&extensions, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
	vk_extensions_finish(&extensions);
	return found;
}

bool vk_driver_is_known_good(const struct vk_instance_table *table,
	VkPhysicalDevice physical_device, struct vk_error *error) {
	VkPhysicalDeviceProperties basic;
	table->GetPhysicalDeviceProperties(physical_device, &basic);
	if (basic.apiVersion < VK_API_VERSION_1_1
			|| !has_driver_properties(table, physical_device, basic.apiVersion)) {
		return true;
	}
	VkPhysicalDeviceDriverProperties driver = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
	};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
		.pNext = &driver,
	};
	table->GetPhysicalDeviceProperties2(physical_device, &properties);
	const uint32_t version = properties.properties.driverVersion;
	if (driver.driverID != VK_DRIVER_ID_MOLTENVK || version >= MOLTENVK_MIN) {
		return true;
	}
	vk_error_set(error, "MoltenVK %u.%u.%u is too old, 1.4.2 or newer is needed: update it "
		"(brew upgrade molten-vk), or choose another driver with --driver",
		(unsigned)(version / 10000), (unsigned)(version / 100 % 100), (unsigned)(version % 100));
	return false;
}
