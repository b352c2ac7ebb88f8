/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vk/count.h"
#include "vk/extensions.h"
#include "vk/instance.h"

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

/* ours, besides those of the caller */
#define OWN_EXTENSIONS 3

static VKAPI_ATTR VkBool32 VKAPI_CALL handle_message(
	VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
	const VkDebugUtilsMessengerCallbackDataEXT *message, void *data) {
	(void)severity; /* only errors and warnings are asked for */
	(void)types;
	struct vk_instance *instance = data;
	atomic_fetch_add_explicit(&instance->validation_messages, 1, memory_order_relaxed);
	char line[1024]; /* a log line's most */
	snprintf(line, sizeof(line), "%s: %s",
		message->pMessageIdName ? message->pMessageIdName : "nameless", message->pMessage);
	for (char *newline = line; (newline = strchr(newline, '\n'));) {
		*newline = ' ';
	}
	if (instance->validated_name) {
		log_error("%s: validation: %s", instance->validated_name, line);
	} else {
		log_error("validation: %s", line);
	}
	return VK_FALSE;
}

static bool has_layer(const struct vk_global_table *table, const char *name) {
	uint32_t count = 0;
	if (!table->EnumerateInstanceLayerProperties
			|| table->EnumerateInstanceLayerProperties(&count, NULL) != VK_SUCCESS
			|| count == 0) {
		return false;
	}
	const uint32_t room = count = vk_count(count, VK_COUNT_MAX);
	VkLayerProperties *layers = calloc(count, sizeof(layers[0]));
	bool found = false;
	if (layers && table->EnumerateInstanceLayerProperties(&count, layers) >= 0) {
		for (uint32_t i = 0; i < vk_count(count, room) && !found; i++) {
			found = strcmp(layers[i].layerName, name) == 0;
		}
	}
	free(layers);
	return found;
}

static bool name_in(const char *const *names, uint32_t count, const char *name) {
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static void explain_failure(struct vk_error *error, VkResult result,
	const struct vk_instance_options *options, const struct vk_extensions *offered) {
	if (result == VK_ERROR_EXTENSION_NOT_PRESENT) {
		for (uint32_t i = 0; i < options->extension_count; i++) {
			if (!vk_extensions_have(offered, options->extensions[i])) {
				vk_error_set(error, "the Vulkan drivers offer no %s", options->extensions[i]);
				return;
			}
		}
	}
	if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
		vk_error_set(error, "no Vulkan driver found: install the one of the GPU, or "
			"Mesa's (Debian and Ubuntu: mesa-vulkan-drivers)");
		return;
	}
	vk_error_set(error, "cannot make a Vulkan instance: %s", vk_result_name(result));
}

bool vk_instance_init(struct vk_instance *instance, const struct vk_loader *loader,
	const struct vk_instance_options *options, struct vk_error *error) {
	*instance = (struct vk_instance){.validated_name = options->validated_name};
	uint32_t wanted = options->api_version ? options->api_version : VK_API_VERSION_1_1;
	instance->api_version = wanted < loader->api_version ? wanted : loader->api_version;
	if (instance->api_version < VK_API_VERSION_1_1) {
		vk_error_set(error, "the Vulkan loader is too old: it offers 1.0, 1.1 is needed");
		return false;
	}
	const char *const layers[] = {VALIDATION_LAYER};
	if (options->validate && !has_layer(&loader->global, VALIDATION_LAYER)) {
		vk_error_set(error, "the Vulkan validation layer is not installed "
			"(Debian and Ubuntu: vulkan-validationlayers)");
		return false;
	}

	struct vk_extensions offered;
	VkResult result = vk_extensions_of_instance(&offered, &loader->global, NULL);
	if (result != VK_SUCCESS) {
		vk_error_set(error, "cannot list what the Vulkan loader offers: %s",
			vk_result_name(result));
		return false;
	}
	struct vk_extensions layer_offered = {0};
	if (options->validate) {
		vk_extensions_of_instance(&layer_offered, &loader->global, VALIDATION_LAYER);
	}

	bool ok = false;
	uint32_t count = 0;
	const char **extensions =
		calloc(options->extension_count + OWN_EXTENSIONS, sizeof(*extensions));
	if (!extensions) {
		vk_error_set(error, "out of memory");
		goto free_lists;
	}
	for (uint32_t i = 0; i < options->extension_count; i++) {
		extensions[count++] = options->extensions[i];
	}

	VkInstanceCreateFlags flags = 0;
	if (vk_extensions_have(&offered, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME)) {
		flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
		if (!name_in(extensions, count, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME)) {
			extensions[count++] = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
		}
	}

	/* Given to the creation, too: it then hears of vkCreateInstance and vkDestroyInstance. */
	VkDebugUtilsMessengerCreateInfoEXT messenger = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
		.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
			| VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
		.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
		.pfnUserCallback = handle_message,
		.pUserData = instance,
	};
	const VkValidationFeatureEnableEXT synchronization =
		VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
	const VkValidationFeaturesEXT features = {
		.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
		.enabledValidationFeatureCount = 1,
		.pEnabledValidationFeatures = &synchronization,
	};
	bool with_messenger = options->validate
		&& (vk_extensions_have(&offered, VK_EXT_DEBUG_UTILS_EXTENSION_NAME)
			|| vk_extensions_have(&layer_offered, VK_EXT_DEBUG_UTILS_EXTENSION_NAME));
	if (with_messenger) {
		if (!name_in(extensions, count, VK_EXT_DEBUG_UTILS_EXTENSION_NAME)) {
			extensions[count++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
		}
		if (vk_extensions_have(
				&layer_offered, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME)) {
			extensions[count++] = VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME;
			messenger.pNext = &features;
		}
	}

	VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = options->application_name,
		.pEngineName = "Venera",
	};
	if (options->application) {
		application = *options->application;
	}
	application.apiVersion = instance->api_version;
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pNext = with_messenger ? &messenger : NULL,
		.flags = flags,
		.pApplicationInfo = &application,
		.enabledLayerCount = options->validate ? 1 : 0,
		.ppEnabledLayerNames = layers,
		.enabledExtensionCount = count,
		.ppEnabledExtensionNames = extensions,
	};
	result = loader->global.CreateInstance(&info, NULL, &instance->handle);
	if (result != VK_SUCCESS) {
		instance->handle = VK_NULL_HANDLE;
		explain_failure(error, result, options, &offered);
		goto free_lists;
	}
	vk_instance_table_load(&instance->table, loader->get_instance_proc_addr, instance->handle);

	if (with_messenger) {
		messenger.pNext = NULL;
		result = instance->table.CreateDebugUtilsMessengerEXT(
			instance->handle, &messenger, NULL, &instance->messenger);
		if (result != VK_SUCCESS) {
			vk_error_set(error, "cannot listen to the validation layer: %s",
				vk_result_name(result));
			vk_instance_finish(instance);
			goto free_lists;
		}
	}
	ok = true;

free_lists:
	free(extensions);
	vk_extensions_finish(&layer_offered);
	vk_extensions_finish(&offered);
	return ok;
}

void vk_instance_finish(struct vk_instance *instance) {
	if (!instance->handle) {
		return;
	}
	if (instance->messenger) {
		instance->table.DestroyDebugUtilsMessengerEXT(
			instance->handle, instance->messenger, NULL);
	}
	instance->table.DestroyInstance(instance->handle, NULL);
	instance->handle = VK_NULL_HANDLE;
	instance->messenger = VK_NULL_HANDLE;
}

VkResult vk_instance_enumerate_devices(const struct vk_instance_table *table, VkInstance instance,
	VkPhysicalDevice **devices, uint32_t *count) {
	*devices = NULL;
	*count = 0;
	VkResult result;
	int tries = 0;
	do { /* a GPU may come or go between the two calls */
		free(*devices);
		*devices = NULL;
		uint32_t n = 0;
		result = table->EnumeratePhysicalDevices(instance, &n, NULL);
		/* With no driver that works some loaders give an error, some an empty list. */
		if (result == VK_ERROR_INITIALIZATION_FAILED || (result == VK_SUCCESS && n == 0)) {
			return VK_SUCCESS;
		}
		if (result != VK_SUCCESS) {
			return result;
		}
		const uint32_t room = n = vk_count(n, VK_COUNT_MAX);
		*devices = calloc(n, sizeof((*devices)[0]));
		if (!*devices) {
			return VK_ERROR_OUT_OF_HOST_MEMORY;
		}
		result = table->EnumeratePhysicalDevices(instance, &n, *devices);
		*count = vk_count(n, room);
	} while (result == VK_INCOMPLETE && ++tries < VK_COUNT_TRIES);
	if (result != VK_SUCCESS) {
		free(*devices);
		*devices = NULL;
		*count = 0;
	}
	return result;
}
