/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vulkan/vk_icd.h>
#include <vulkan/vulkan_core.h>

/*
 * A Vulkan driver with a single device, which has no extensions and can do nothing, for the real
 * Vulkan loader. FAKE_ICD=crash: listing its devices crashes.
 */

#define EXPORT __attribute__((visibility("default")))

/* The loader writes its own pointer at the beginning of dispatchable objects. */
static VK_LOADER_DATA instance_data = {ICD_LOADER_MAGIC};
static VK_LOADER_DATA device_data = {ICD_LOADER_MAGIC};

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info,
		const VkAllocationCallbacks *allocator, VkInstance *instance) {
	(void)info;
	(void)allocator;
	*instance = (VkInstance)&instance_data;
	return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL destroy_instance(
		VkInstance instance, const VkAllocationCallbacks *allocator) {
	(void)instance;
	(void)allocator;
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_instance_extensions(
		const char *layer, uint32_t *count, VkExtensionProperties *properties) {
	(void)layer;
	(void)properties;
	*count = 0;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_instance_version(uint32_t *version) {
	*version = VK_API_VERSION_1_3;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_devices(
		VkInstance instance, uint32_t *count, VkPhysicalDevice *devices) {
	(void)instance;
	const char *mode = getenv("FAKE_ICD");
	if (mode && !strcmp(mode, "crash")) {
		abort();
	}
	if (!devices) {
		*count = 1;
		return VK_SUCCESS;
	}
	if (*count < 1) {
		return VK_INCOMPLETE;
	}
	*count = 1;
	devices[0] = (VkPhysicalDevice)&device_data;
	return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL get_properties(
		VkPhysicalDevice device, VkPhysicalDeviceProperties *properties) {
	(void)device;
	memset(properties, 0, sizeof(*properties));
	properties->apiVersion = VK_API_VERSION_1_3;
	properties->deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
	strcpy(properties->deviceName, "Paperweight 3000");
}

static VKAPI_ATTR void VKAPI_CALL get_properties2(
		VkPhysicalDevice device, VkPhysicalDeviceProperties2 *properties) {
	get_properties(device, &properties->properties);
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_device_extensions(VkPhysicalDevice device,
		const char *layer, uint32_t *count, VkExtensionProperties *properties) {
	(void)device;
	(void)layer;
	(void)properties;
	*count = 0;
	return VK_SUCCESS;
}

/* Never called: the loader only wants to see that it is there. */
static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice device,
		const VkDeviceCreateInfo *info, const VkAllocationCallbacks *allocator, VkDevice *created) {
	(void)device;
	(void)info;
	(void)allocator;
	(void)created;
	return VK_ERROR_INITIALIZATION_FAILED;
}

static VKAPI_ATTR void VKAPI_CALL do_nothing(void) {
}

static PFN_vkVoidFunction find(const char *name) {
	static const struct {
		const char *name;
		PFN_vkVoidFunction func;
	} functions[] = {
		{"vkCreateInstance", (PFN_vkVoidFunction)create_instance},
		{"vkDestroyInstance", (PFN_vkVoidFunction)destroy_instance},
		{"vkEnumerateInstanceExtensionProperties",
			(PFN_vkVoidFunction)enumerate_instance_extensions},
		{"vkEnumerateInstanceVersion", (PFN_vkVoidFunction)enumerate_instance_version},
		{"vkEnumeratePhysicalDevices", (PFN_vkVoidFunction)enumerate_devices},
		{"vkGetPhysicalDeviceProperties", (PFN_vkVoidFunction)get_properties},
		{"vkGetPhysicalDeviceProperties2", (PFN_vkVoidFunction)get_properties2},
		{"vkEnumerateDeviceExtensionProperties",
			(PFN_vkVoidFunction)enumerate_device_extensions},
		{"vkCreateDevice", (PFN_vkVoidFunction)create_device},
		{"vkGetDeviceProcAddr", do_nothing},
		{"vkGetPhysicalDeviceFeatures", do_nothing},
		{"vkGetPhysicalDeviceFormatProperties", do_nothing},
		{"vkGetPhysicalDeviceImageFormatProperties", do_nothing},
		{"vkGetPhysicalDeviceMemoryProperties", do_nothing},
		{"vkGetPhysicalDeviceQueueFamilyProperties", do_nothing},
		{"vkGetPhysicalDeviceSparseImageFormatProperties", do_nothing},
	};
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (!strcmp(functions[i].name, name)) {
			return functions[i].func;
		}
	}
	return NULL;
}

EXPORT VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(
		VkInstance instance, const char *name) {
	(void)instance;
	return find(name);
}

EXPORT VKAPI_ATTR VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
	*version = *version < 5 ? *version : 5;
	return VK_SUCCESS;
}
