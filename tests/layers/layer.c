/* SPDX-License-Identifier: MIT */
#include "layer.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The loader finds a handle's functions by its first word, which all handles of a family share. */
struct family {
	const void *key; /* NULL: unused */
	VkInstance instance;
	VkDevice device;
	PFN_vkGetInstanceProcAddr get_instance_proc_addr;
	PFN_vkGetDeviceProcAddr get_device_proc_addr;
};

#define FAMILIES 64
static struct family families[FAMILIES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const void *key_of(const void *handle) {
	return *(const void *const *)handle;
}

static struct family find_family(const void *handle) {
	struct family found = {0};
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < FAMILIES; i++) {
		if (families[i].key == key_of(handle)) {
			found = families[i];
		}
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static void add_family(struct family family) {
	pthread_mutex_lock(&lock);
	size_t i = 0;
	while (i < FAMILIES && families[i].key) {
		i++;
	}
	if (i == FAMILIES) {
		fprintf(stderr, "test layer: more than %d instances and devices\n", FAMILIES);
		abort();
	}
	families[i] = family;
	pthread_mutex_unlock(&lock);
}

static void remove_family(const void *key) {
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < FAMILIES; i++) {
		if (families[i].key == key) {
			families[i] = (struct family){0};
		}
	}
	pthread_mutex_unlock(&lock);
}

PFN_vkVoidFunction layer_next_of_instance(const void *handle, const char *name) {
	const struct family family = find_family(handle);
	PFN_vkVoidFunction function = family.get_instance_proc_addr(family.instance, name);
	if (!function) {
		char khr[128];
		snprintf(khr, sizeof(khr), "%sKHR", name);
		function = family.get_instance_proc_addr(family.instance, khr);
	}
	return function;
}

PFN_vkVoidFunction layer_next_of_device(const void *handle, const char *name) {
	const struct family family = find_family(handle);
	PFN_vkVoidFunction function = family.get_device_proc_addr(family.device, name);
	if (!function) {
		char khr[128];
		snprintf(khr, sizeof(khr), "%sKHR", name);
		function = family.get_device_proc_addr(family.device, khr);
	}
	return function;
}

void *layer_find(const void *chain, VkStructureType type) {
	VkBaseOutStructure *item = (VkBaseOutStructure *)chain;
	while (item && item->sType != type) {
		item = item->pNext;
	}
	return item;
}

void layer_log(const char *format, ...) {
	if (!getenv("VENERA_LAYER_LOG")) {
		return;
	}
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "test layer: %s\n", text);
}

/* --- the chain --- */

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info,
		const VkAllocationCallbacks *allocator, VkInstance *instance) {
	VkLayerInstanceCreateInfo *link =
		layer_find(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
	while (link && link->function != VK_LAYER_LINK_INFO) {
		link = layer_find(link->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
	}
	if (!link) {
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	struct family family = {
		.get_instance_proc_addr = link->u.pLayerInfo->pfnNextGetInstanceProcAddr};
	link->u.pLayerInfo = link->u.pLayerInfo->pNext;
	VkResult result = layer.before_instance ? layer.before_instance(info) : VK_SUCCESS;
	if (result == VK_SUCCESS) {
		PFN_vkCreateInstance next = (PFN_vkCreateInstance)family.get_instance_proc_addr(
			NULL, "vkCreateInstance");
		result = next(info, allocator, instance);
	}
	if (result == VK_SUCCESS) {
		family.instance = *instance;
		family.key = key_of(*instance);
		add_family(family);
	}
	return result;
}

static VKAPI_ATTR void VKAPI_CALL destroy_instance(
		VkInstance instance, const VkAllocationCallbacks *allocator) {
	if (instance) {
		const void *key = key_of(instance);
		INSTANCE_NEXT(instance, DestroyInstance)(instance, allocator);
		remove_family(key);
	}
}

static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical,
		const VkDeviceCreateInfo *info, const VkAllocationCallbacks *allocator, VkDevice *device) {
	VkLayerDeviceCreateInfo *link =
		layer_find(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
	while (link && link->function != VK_LAYER_LINK_INFO) {
		link = layer_find(link->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
	}
	if (!link) {
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	PFN_vkGetInstanceProcAddr get_instance_proc_addr =
		link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
	struct family family = {
		.get_device_proc_addr = link->u.pLayerInfo->pfnNextGetDeviceProcAddr};
	link->u.pLayerInfo = link->u.pLayerInfo->pNext;

	VkDeviceCreateInfo changed = *info;
	const char **extensions =
		calloc((size_t)info->enabledExtensionCount + 1, sizeof(*extensions));
	if (!extensions) {
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	VkResult result = VK_SUCCESS;
	if (layer.before_device) {
		result = layer.before_device(physical, &changed, extensions);
	}
	if (result == VK_SUCCESS) {
		PFN_vkCreateDevice next = (PFN_vkCreateDevice)get_instance_proc_addr(
			find_family(physical).instance, "vkCreateDevice");
		result = next(physical, &changed, allocator, device);
	}
	free(extensions);
	if (result == VK_SUCCESS) {
		family.device = *device;
		family.key = key_of(*device);
		add_family(family);
	}
	return result;
}

static VKAPI_ATTR void VKAPI_CALL destroy_device(
		VkDevice device, const VkAllocationCallbacks *allocator) {
	if (device) {
		const void *key = key_of(device);
		DEVICE_NEXT(device, DestroyDevice)(device, allocator);
		remove_family(key);
	}
}

/* --- the way in --- */

#define EXPORT __attribute__((visibility("default")))

static PFN_vkVoidFunction find_function(const struct layer_function *list, const char *name) {
	for (; list->name; list++) {
		const size_t length = strlen(list->name);
		if (strncmp(list->name, name, length) == 0 &&
				(!name[length] || strcmp(name + length, "KHR") == 0)) {
			return list->function;
		}
	}
	return NULL;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device_proc_addr(
		VkDevice device, const char *name) {
	static const struct layer_function own[] = {
		{"vkGetDeviceProcAddr", (PFN_vkVoidFunction)get_device_proc_addr},
		{"vkDestroyDevice", (PFN_vkVoidFunction)destroy_device},
		{NULL, NULL},
	};
	PFN_vkVoidFunction function = find_function(own, name);
	if (function) {
		return function;
	}
	if (layer.is_hidden && layer.is_hidden(name)) {
		return NULL;
	}
	PFN_vkVoidFunction next = find_family(device).get_device_proc_addr(device, name);
	function = next ? find_function(layer.device_functions, name) : NULL;
	return function ? function : next;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_instance_proc_addr(
		VkInstance instance, const char *name) {
	static const struct layer_function own[] = {
		{"vkGetInstanceProcAddr", (PFN_vkVoidFunction)get_instance_proc_addr},
		{"vkGetDeviceProcAddr", (PFN_vkVoidFunction)get_device_proc_addr},
		{"vkCreateInstance", (PFN_vkVoidFunction)create_instance},
		{"vkDestroyInstance", (PFN_vkVoidFunction)destroy_instance},
		{"vkCreateDevice", (PFN_vkVoidFunction)create_device},
		{"vkDestroyDevice", (PFN_vkVoidFunction)destroy_device},
		{NULL, NULL},
	};
	PFN_vkVoidFunction function = find_function(own, name);
	if (function || !instance) {
		return function;
	}
	if (layer.is_hidden && layer.is_hidden(name)) {
		return NULL;
	}
	PFN_vkVoidFunction next = find_family(instance).get_instance_proc_addr(instance, name);
	if (!next) {
		return NULL;
	}
	function = find_function(layer.instance_functions, name);
	if (!function) {
		function = find_function(layer.device_functions, name);
	}
	return function ? function : next;
}

EXPORT VKAPI_ATTR VkResult VKAPI_CALL vkNegotiateLoaderLayerInterfaceVersion(
		VkNegotiateLayerInterface *version);

EXPORT VKAPI_ATTR VkResult VKAPI_CALL vkNegotiateLoaderLayerInterfaceVersion(
		VkNegotiateLayerInterface *version) {
	if (version->loaderLayerInterfaceVersion < 2) {
		return VK_ERROR_INITIALIZATION_FAILED;
	}
	version->loaderLayerInterfaceVersion = 2;
	version->pfnGetInstanceProcAddr = get_instance_proc_addr;
	version->pfnGetDeviceProcAddr = get_device_proc_addr;
	version->pfnGetPhysicalDeviceProcAddr = NULL;
	return VK_SUCCESS;
}
