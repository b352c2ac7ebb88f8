/* SPDX-License-Identifier: MIT */

/* The functions that do not travel, and the way to all others. */

#include <stdlib.h>
#include <string.h>

#include "fake.h"

#define HANDLE(handle) ((uint64_t)(uintptr_t)(handle))

static int compare(const void *name, const void *function) {
	return strcmp(name, ((const struct fake_function *)function)->name);
}

static PFN_vkVoidFunction find(const char *name) {
	const struct fake_function *found = bsearch(
		name, fake_functions, fake_function_count, sizeof(fake_functions[0]), compare);
	if (!found || (!found->always && (fake_get_plan()->lies & FAKE_LIE_FUNCTIONS) &&
				fake_random() % 64 == 0)) {
		return NULL;
	}
	return found->function;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL fake_vkGetInstanceProcAddr(
		VkInstance instance, const char *pName) {
	(void)instance;
	return find(pName);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL fake_vkGetDeviceProcAddr(
		VkDevice device, const char *pName) {
	(void)device;
	return find(pName);
}

VKAPI_ATTR VkResult VKAPI_CALL fake_vkEnumerateInstanceLayerProperties(
		uint32_t *pPropertyCount, VkLayerProperties *pProperties) {
	(void)pProperties;
	*pPropertyCount = 0;
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL fake_vkCreateDebugUtilsMessengerEXT(VkInstance instance,
		const VkDebugUtilsMessengerCreateInfoEXT *pCreateInfo,
		const VkAllocationCallbacks *pAllocator, VkDebugUtilsMessengerEXT *pMessenger) {
	(void)pCreateInfo;
	(void)pAllocator;
	fake_check(HANDLE(instance), VK_OBJECT_TYPE_INSTANCE);
	*pMessenger = VK_NULL_HANDLE;
	return VK_ERROR_OUT_OF_HOST_MEMORY;
}

VKAPI_ATTR void VKAPI_CALL fake_vkDestroyDebugUtilsMessengerEXT(VkInstance instance,
		VkDebugUtilsMessengerEXT messenger, const VkAllocationCallbacks *pAllocator) {
	(void)instance;
	(void)messenger;
	(void)pAllocator;
}

VKAPI_ATTR void VKAPI_CALL fake_vkGetDeviceQueue(
		VkDevice device, uint32_t queueFamilyIndex, uint32_t queueIndex, VkQueue *pQueue) {
	*pQueue = (VkQueue)(uintptr_t)fake_queue(device, queueFamilyIndex, queueIndex);
}

VKAPI_ATTR void VKAPI_CALL fake_vkGetDeviceQueue2(
		VkDevice device, const VkDeviceQueueInfo2 *pQueueInfo, VkQueue *pQueue) {
	const bool none =
		(fake_get_plan()->lies & FAKE_LIE_HANDLES) && fake_random() % 4 == 0;
	*pQueue = none ? VK_NULL_HANDLE :
			 (VkQueue)(uintptr_t)fake_queue(
				 device, pQueueInfo->queueFamilyIndex, pQueueInfo->queueIndex);
}

static uint32_t importable(void) {
	return fake_get_plan()->lies & FAKE_LIE_TYPES ? (uint32_t)fake_random() : 0x7;
}

VKAPI_ATTR VkResult VKAPI_CALL fake_vkGetMemoryFdPropertiesKHR(VkDevice device,
		VkExternalMemoryHandleTypeFlagBits handleType, int fd,
		VkMemoryFdPropertiesKHR *pMemoryFdProperties) {
	(void)handleType;
	fake_check(HANDLE(device), VK_OBJECT_TYPE_DEVICE);
	if (fd < 0) {
		abort();
	}
	pMemoryFdProperties->memoryTypeBits = importable();
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL fake_vkGetMemoryHostPointerPropertiesEXT(VkDevice device,
		VkExternalMemoryHandleTypeFlagBits handleType, const void *pHostPointer,
		VkMemoryHostPointerPropertiesEXT *pMemoryHostPointerProperties) {
	(void)handleType;
	fake_check(HANDLE(device), VK_OBJECT_TYPE_DEVICE);
	if (!pHostPointer) {
		abort();
	}
	pMemoryHostPointerProperties->memoryTypeBits = importable();
	return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL fake_vkMapMemory(VkDevice device, VkDeviceMemory memory,
		VkDeviceSize offset, VkDeviceSize size, VkMemoryMapFlags flags, void **ppData) {
	(void)offset;
	(void)size;
	(void)flags;
	(void)ppData;
	fake_check(HANDLE(device), VK_OBJECT_TYPE_DEVICE);
	fake_check(HANDLE(memory), VK_OBJECT_TYPE_DEVICE_MEMORY);
	return VK_ERROR_MEMORY_MAP_FAILED;
}

VKAPI_ATTR void VKAPI_CALL fake_vkUnmapMemory(VkDevice device, VkDeviceMemory memory) {
	fake_check(HANDLE(device), VK_OBJECT_TYPE_DEVICE);
	fake_check(HANDLE(memory), VK_OBJECT_TYPE_DEVICE_MEMORY);
}
