/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_LAYERS_LAYER_H
#define VENERA_TESTS_LAYERS_LAYER_H

/* beta: VK_KHR_portability_subset */
#define VK_ENABLE_BETA_EXTENSIONS
#define VK_NO_PROTOTYPES
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

/*
 * What every Vulkan layer has to do: find its place in the loader's chains, and the functions
 * below it. A layer is one source file that fills in `layer`, and this. These layers are for
 * tests: they look the next function up by its name in each call.
 */

struct layer_function {
	const char *name;
	PFN_vkVoidFunction function;
};

struct layer {
	/** Functions that the layer replaces; both lists end with a NULL name. */
	const struct layer_function *instance_functions;
	const struct layer_function *device_functions;
	/** Is there no function of that name, whatever is below? May be NULL. */
	bool (*is_hidden)(const char *name);
	/**
	 * What to create in place of what was asked for; both may be NULL. An error ends it.
	 * `extensions` of the device has room for as many names as `info` has.
	 */
	VkResult (*before_instance)(const VkInstanceCreateInfo *info);
	VkResult (*before_device)(VkPhysicalDevice physical, VkDeviceCreateInfo *info,
		const char **extensions);
};

/** The one layer of this library. */
extern const struct layer layer;

/**
 * The function below the layer of that name, or else of that name with KHR behind it. `handle` is any
 * dispatchable one: an instance's or physical device's, or a device's, queue's or command buffer's.
 */
PFN_vkVoidFunction layer_next_of_instance(const void *handle, const char *name);
PFN_vkVoidFunction layer_next_of_device(const void *handle, const char *name);
#define INSTANCE_NEXT(handle, name) ((PFN_vk##name)layer_next_of_instance(handle, "vk" #name))
#define DEVICE_NEXT(handle, name) ((PFN_vk##name)layer_next_of_device(handle, "vk" #name))

/** The structure of that type in a chain, or NULL. */
void *layer_find(const void *chain, VkStructureType type);

/** Says why something is refused, if VENERA_LAYER_LOG is set. */
void layer_log(const char *format, ...);

#endif
