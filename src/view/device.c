/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/log.h"
#include "view/device.h"
#include "vk/device.h"
#include "vk/driver.h"
#include "vk/extensions.h"

/* Lower is better. */
static int rank(VkPhysicalDeviceType type) {
	switch (type) {
	case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
		return 0;
	case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
		return 1;
	case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
		return 2;
	case VK_PHYSICAL_DEVICE_TYPE_OTHER:
		return 3;
	default:
		return 4;
	}
}

/* A queue family for graphics that can present to the surface, if there is one. */
static bool find_queue_family(const struct vk_instance_table *vk, VkPhysicalDevice physical,
	VkSurfaceKHR surface, uint32_t *family) {
	uint32_t count;
	VkQueueFamilyProperties *families = vk_device_queue_families(vk, physical, &count);
	bool found = false;
	for (uint32_t i = 0; i < count && !found; i++) {
		VkBool32 presents = VK_TRUE;
		if (!(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT) || families[i].queueCount == 0) {
			continue;
		}
		if (surface && vk->GetPhysicalDeviceSurfaceSupportKHR(physical, i, surface, &presents)
				!= VK_SUCCESS) {
			presents = VK_FALSE;
		}
		if (presents) {
			*family = i;
			found = true;
		}
	}
	free(families);
	return found;
}

static VkResult create_device(struct view_device *device, bool swapchain, bool portability) {
	const struct vk_instance_table *vk = &device->instance->table;
	const char *extensions[VK_HOST_MEMORY_MAX_EXTENSIONS + 3];
	uint32_t extension_count = vk_host_memory_extensions(&device->host_memory, extensions);
	if (swapchain) {
		extensions[extension_count++] = VK_KHR_SWAPCHAIN_EXTENSION_NAME;
	}
	if (device->incremental_present) {
		extensions[extension_count++] = VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME;
	}
	if (portability) {
		extensions[extension_count++] = VK_DEVICE_PORTABILITY_SUBSET;
	}
	const VkResult result = vk_device_create(vk, device->physical, device->queue_family, extensions,
		extension_count, &device->handle, &device->vk, &device->queue);
	if (result != VK_SUCCESS) {
		return result;
	}

	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = device->queue_family,
	};
	return device->vk.CreateCommandPool(device->handle, &pool, NULL, &device->command_pool);
}

/* Everything that makes a GPU fit for us; leaves no VkDevice behind if it is not. */
static bool try_device(struct view_device *device, const struct vk_instance *instance,
	VkPhysicalDevice physical, VkSurfaceKHR surface, struct vk_error *error) {
	const struct vk_instance_table *vk = &instance->table;
	*device = (struct view_device){.instance = instance, .physical = physical};
	vk->GetPhysicalDeviceProperties(physical, &device->properties);
	vk_memory_properties(vk, physical, &device->memory);
	const char *name = device->properties.deviceName;

	struct vk_error why;
	if (!vk_driver_is_known_good(vk, physical, &why)) {
		vk_error_set(error, "%.80s: %s", name, why.text);
		return false;
	}
	VkResult result = vk_host_memory_query(&device->host_memory, vk, physical);
	struct vk_extensions extensions = {0};
	if (result == VK_SUCCESS) {
		result = vk_extensions_of_device(&extensions, vk, physical);
	}
	if (result != VK_SUCCESS) {
		vk_error_set(error, "%s: cannot ask the Vulkan driver what it offers: %s", name,
			vk_result_name(result));
		return false;
	}
	bool has_swapchain = vk_extensions_have(&extensions, VK_KHR_SWAPCHAIN_EXTENSION_NAME);
	bool portability = vk_extensions_have(&extensions, VK_DEVICE_PORTABILITY_SUBSET);
	device->incremental_present = surface && has_swapchain
		&& vk_extensions_have(&extensions, VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME);
	/* Metal gives its layer's textures in any order, whatever image of Vulkan's they are for. */
	device->keeps_images = !portability;
	vk_extensions_finish(&extensions);

	if (!device->host_memory.candidates) {
		vk_error_set(error, "%s: the Vulkan driver has no VK_EXT_external_memory_host: update it, "
			"or choose another with --driver=ICD.json", name);
		return false;
	}
	if (surface && !has_swapchain) {
		vk_error_set(error, "%s: the Vulkan driver has no VK_KHR_swapchain: choose another with "
			"--driver=ICD.json, or use --display=headless", name);
		return false;
	}
	if (!find_queue_family(vk, physical, surface, &device->queue_family)) {
		vk_error_set(error, "%s: the Vulkan driver cannot %s: choose another with "
			"--driver=ICD.json%s", name, surface ? "present to this display" : "draw",
			surface ? ", or use --display=headless" : "");
		return false;
	}

	result = create_device(device, surface != VK_NULL_HANDLE, portability);
	if (result == VK_SUCCESS) {
		result = vk_host_memory_probe(
			&device->host_memory, vk, physical, &device->vk, device->handle);
	}
	if (result != VK_SUCCESS) {
		vk_error_set(error, "%s: the Vulkan driver makes no device: %s", name,
			vk_result_name(result));
		goto error_device;
	}
	if (device->host_memory.importable_types == 0) {
		vk_error_set(error, "%s: the Vulkan driver imports no shared memory although it has "
			"the extensions: see to it that /dev/udmabuf exists and may be opened, update the driver, "
			"or choose another with --driver=ICD.json",
			name);
		goto error_device;
	}
	return true;

error_device:
	view_device_finish(device);
	return false;
}

bool view_device_init(struct view_device *device, const struct vk_instance *instance,
	VkSurfaceKHR surface, struct vk_error *error) {
	*device = (struct view_device){0};
	VkPhysicalDevice *physical;
	uint32_t count;
	VkResult result =
		vk_instance_enumerate_devices(&instance->table, instance->handle, &physical, &count);
	if (result != VK_SUCCESS) {
		vk_error_set(error, "cannot list the GPUs: %s", vk_result_name(result));
		return false;
	}
	if (count == 0) {
		vk_error_set(error, "no Vulkan driver found that works: install the one of the GPU, or "
			"Mesa's (Debian and Ubuntu: mesa-vulkan-drivers), or name one with "
			"--driver=ICD.json");
		return false;
	}

	/* What is wrong with the best one is what the user wants to hear. */
	bool found = false, said = false;
	for (int wanted = 0; wanted <= 4 && !found; wanted++) {
		for (uint32_t i = 0; i < count && !found; i++) {
			VkPhysicalDeviceProperties properties;
			instance->table.GetPhysicalDeviceProperties(physical[i], &properties);
			if (rank(properties.deviceType) != wanted) {
				continue;
			}
			struct vk_error why;
			found = try_device(device, instance, physical[i], surface, &why);
			if (!found) {
				log_debug("%s", why.text);
				if (!said) {
					vk_error_set(error, "%s", why.text);
					said = true;
				}
			}
		}
	}
	free(physical);
	if (found) {
		log_debug("GPU: %s", device->properties.deviceName);
	}
	return found;
}

void view_device_finish(struct view_device *device) {
	if (device->handle) {
		device->vk.DeviceWaitIdle(device->handle);
		device->vk.DestroyCommandPool(device->handle, device->command_pool, NULL);
		device->vk.DestroyDevice(device->handle, NULL);
	}
	*device = (struct view_device){0};
}

VkResult view_device_allocate(const struct view_device *device, const VkMemoryRequirements *needs,
	VkMemoryPropertyFlags required, VkMemoryPropertyFlags preferred, VkDeviceMemory *memory,
	uint32_t *type) {
	uint32_t found = UINT32_MAX;
	for (uint32_t i = 0; i < device->memory.memoryTypeCount; i++) {
		VkMemoryPropertyFlags flags = device->memory.memoryTypes[i].propertyFlags;
		if (!(needs->memoryTypeBits >> i & 1) || (flags & required) != required) {
			continue;
		}
		if ((flags & preferred) == preferred) {
			found = i;
			break;
		}
		if (found == UINT32_MAX) {
			found = i;
		}
	}
	if (found == UINT32_MAX) {
		return VK_ERROR_FEATURE_NOT_PRESENT;
	}
	if (type) {
		*type = found;
	}
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = needs->size,
		.memoryTypeIndex = found,
	};
	return device->vk.AllocateMemory(device->handle, &info, NULL, memory);
}

VkResult view_device_begin(const struct view_device *device, VkCommandBuffer commands) {
	const VkCommandBufferBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	return device->vk.BeginCommandBuffer(commands, &info);
}
