/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_INSTANCE_H
#define VENERA_VK_INSTANCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vk/loader.h"

struct vk_instance_options {
	/** For the driver and for debugging tools. NULL: none. */
	const char *application_name;
	/**
	 * Somebody else's application, which the driver is told about as it is (some know
	 * applications and engines by name), but for the API version. NULL: application_name, and
	 * Venera as the engine.
	 */
	const VkApplicationInfo *application;
	/** The newest version that is used; at most what the loader offers is asked for. 0: 1.1. */
	uint32_t api_version;
	/** Must be there, or there is no instance. */
	const char *const *extensions;
	uint32_t extension_count;
	/**
	 * Runs under the Khronos validation layer, which looks for missing barriers, too: its errors
	 * and warnings become log lines and are counted. Asked for and not installed is an error.
	 */
	bool validate;
	/** Whose calls are validated, for these lines; must outlive the instance. NULL: our own. */
	const char *validated_name;
};

struct vk_instance {
	VkInstance handle;
	uint32_t api_version; /* what was asked for, after clamping */
	struct vk_instance_table table;
	VkDebugUtilsMessengerEXT messenger;
	const char *validated_name;
	atomic_uint validation_messages; /* errors and warnings so far */
};

/**
 * Drivers that conform only in part (MoltenVK) are enumerated, too. `loader` must outlive the
 * instance, and the struct must stay where it is. On failure nothing is left.
 */
bool vk_instance_init(struct vk_instance *instance, const struct vk_loader *loader,
	const struct vk_instance_options *options, struct vk_error *error);

/** Safe on a zeroed struct. */
void vk_instance_finish(struct vk_instance *instance);

/**
 * All physical devices. Caller frees `*devices`, which is NULL when there are none; that is
 * a success here.
 */
VkResult vk_instance_enumerate_devices(const struct vk_instance_table *table, VkInstance instance,
	VkPhysicalDevice **devices, uint32_t *count);

#endif
