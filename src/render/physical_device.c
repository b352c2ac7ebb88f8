/* SPDX-License-Identifier: MIT */
#include "render/physical_device.h"

#include <stdlib.h>
#include <string.h>

#include "render/call.h"
#include "render/chain.h"
#include "render/device.h"
#include "render/instance.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"
#include "vk/count.h"
#include "vk/driver.h"

/*
 * What the guest is told of the host's devices differs from what the host says in this:
 *
 *  - Memory types are those of memory_types.h.
 *  - Extensions are those that the protocol can carry and that need nothing of the host's operating system.
 *    Sharing by descriptor is not passed through, as a descriptor of the host means nothing in the guest. It is
 *    ours: of memory see external_memory.c, of fences and semaphores sync.c.
 */

/** Extensions that we implement, whether the host has them or not; it is never asked to enable them. */
static const char *const own_extensions[] = {
	VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME,
	VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME,
	/* with physical->shares_memory: */
	VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
	VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
	VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME,
	VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,
};
#define OWN_EXTENSION_COUNT (sizeof(own_extensions) / sizeof(own_extensions[0]))
#define ALWAYS_OWN_EXTENSION_COUNT 2

static bool name_in(const char *name, const char *const *names, size_t count) {
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

bool render_extension_is_ours(const char *name) {
	return name_in(name, own_extensions, OWN_EXTENSION_COUNT);
}

/* --- enumeration --- */

/** Can a guest use it? Finds out how it imports memory. */
static bool is_usable(struct render_context *context, VkPhysicalDevice handle,
		struct vk_host_memory *host_memory) {
	const struct vk_instance_table *vk = render_instance_table_of(context);
	VkPhysicalDeviceProperties properties;
	vk->GetPhysicalDeviceProperties(handle, &properties);
	if (properties.apiVersion < VK_API_VERSION_1_1) {
		log_info("%s: %s is left out: it has no Vulkan 1.1", context->options.name,
			properties.deviceName);
		return false;
	}
	struct vk_error error;
	if (!vk_driver_is_known_good(vk, handle, &error)) {
		log_error("%s: %s is left out: %s", context->options.name, properties.deviceName,
			error.text);
		return false;
	}
	const VkResult result = render_spare_find(&context->spare, vk, handle, host_memory) ?
		VK_SUCCESS :
		vk_host_memory_probe_physical_device(host_memory, vk, handle);
	if (result != VK_SUCCESS) {
		log_error("%s: %s is left out: cannot find out which memory it shares: %s",
			context->options.name, properties.deviceName, vk_result_name(result));
		return false;
	}
	if (!host_memory->candidates) {
		log_info("%s: %s is left out: it has no VK_EXT_external_memory_host",
			context->options.name, properties.deviceName);
		return false;
	}
	if (!host_memory->importable_types) {
		log_info("%s: %s is left out: it imports no shared memory",
			context->options.name, properties.deviceName);
		return false;
	}
	return true;
}

/** Asks the host, once. With the instance's lock. */
static VkResult enumerate(struct render_context *context, struct render_instance *instance) {
	if (instance->enumerated) {
		return VK_SUCCESS;
	}
	uint32_t host_count = 0;
	VkResult result = vk_instance_enumerate_devices(
		&instance->host.table, instance->host.handle, &instance->handles, &host_count);
	if (result != VK_SUCCESS) {
		return result;
	}
	instance->host_memory = calloc((size_t)host_count + 1, sizeof(*instance->host_memory));
	instance->devices = calloc((size_t)host_count + 1, sizeof(*instance->devices));
	if (!instance->host_memory || !instance->devices) {
		free(instance->host_memory);
		free(instance->devices);
		free(instance->handles);
		instance->host_memory = NULL;
		instance->devices = NULL;
		instance->handles = NULL;
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	uint32_t count = 0;
	for (uint32_t i = 0; i < host_count; i++) {
		if (is_usable(context, instance->handles[i], &instance->host_memory[count])) {
			instance->handles[count++] = instance->handles[i];
		}
	}
	instance->count = count;
	instance->enumerated = true;
	return VK_SUCCESS;
}

/** Gives device `index` the guest's id, or checks it if it has one. */
static bool bind_device(struct render_call *call, struct render_instance *instance,
		uint32_t index, uint64_t id) {
	if (instance->devices[index]) {
		if (instance->devices[index]->base.id != id) {
			render_call_fail(call, "a physical device got another id before");
			return false;
		}
		return true;
	}
	struct venus_object *object = render_object_reserve(
		call, id, VK_OBJECT_TYPE_PHYSICAL_DEVICE, sizeof(struct render_physical_device));
	if (!object) {
		return false;
	}
	struct render_physical_device *physical = (struct render_physical_device *)object;
	const uint32_t instance_version = instance->host.api_version;
	instance->host.table.GetPhysicalDeviceProperties(
		instance->handles[index], &physical->properties);
	if (physical->properties.apiVersion > instance_version) {
		physical->properties.apiVersion = instance_version;
	}
	VkPhysicalDeviceMemoryProperties memory;
	vk_memory_properties(&instance->host.table, instance->handles[index], &memory);
	physical->host_memory = instance->host_memory[index];
	render_memory_types_init(&physical->memory_types, &memory, &physical->host_memory);
	object->handle = RENDER_HANDLE(instance->handles[index]);
	instance->devices[index] = physical;
	return true;
}

void render_handle_vkEnumeratePhysicalDevices(
		struct render_call *call, struct venus_vkEnumeratePhysicalDevices *args) {
	struct render_instance *instance = (struct render_instance *)args->instance_object;
	pthread_mutex_lock(&instance->lock);
	args->ret = enumerate(call->context, instance);
	if (args->ret != VK_SUCCESS) {
		goto unlock;
	}
	if (!args->pPhysicalDevices) {
		*args->pPhysicalDeviceCount = instance->count;
		goto unlock;
	}
	if (*args->pPhysicalDeviceCount < instance->count) {
		args->ret = VK_INCOMPLETE;
	} else {
		*args->pPhysicalDeviceCount = instance->count;
	}
	for (uint32_t i = 0; i < *args->pPhysicalDeviceCount; i++) {
		if (!bind_device(call, instance, i, RENDER_HANDLE(args->pPhysicalDevices[i]))) {
			break;
		}
	}
unlock:
	pthread_mutex_unlock(&instance->lock);
}

/** The guest's id of a host device, 0 if it has none. With the instance's lock. */
static uint64_t id_of_host_device(const struct render_instance *instance, VkPhysicalDevice handle) {
	for (uint32_t i = 0; i < instance->count; i++) {
		if (instance->handles[i] == handle && instance->devices[i]) {
			return instance->devices[i]->base.id;
		}
	}
	return 0;
}

void render_handle_vkEnumeratePhysicalDeviceGroups(
		struct render_call *call, struct venus_vkEnumeratePhysicalDeviceGroups *args) {
	(void)call;
	struct render_instance *instance = (struct render_instance *)args->instance_object;
	const struct vk_instance_table *vk = &instance->host.table;
	VkPhysicalDeviceGroupProperties *groups = NULL;
	args->ret = VK_ERROR_INITIALIZATION_FAILED;
	pthread_mutex_lock(&instance->lock);

	/* the host's groups, without those that hold a device which the guest does not have */
	uint32_t host_count = 0;
	if (!instance->enumerated || !vk->EnumeratePhysicalDeviceGroups) {
		goto unlock;
	}
	args->ret = vk->EnumeratePhysicalDeviceGroups(instance->host.handle, &host_count, NULL);
	if (args->ret < 0) {
		goto unlock;
	}
	const uint32_t host_room = host_count = vk_count(host_count, VK_COUNT_MAX);
	groups = calloc(host_count ? host_count : 1, sizeof(*groups));
	if (!groups) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		goto unlock;
	}
	for (uint32_t i = 0; i < host_count; i++) {
		groups[i].sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES;
	}
	args->ret = vk->EnumeratePhysicalDeviceGroups(instance->host.handle, &host_count, groups);
	if (args->ret < 0) {
		goto unlock;
	}
	uint32_t count = 0;
	for (uint32_t i = 0; i < vk_count(host_count, host_room); i++) {
		bool known = true;
		groups[i].physicalDeviceCount =
			vk_count(groups[i].physicalDeviceCount, VK_MAX_DEVICE_GROUP_SIZE);
		for (uint32_t j = 0; j < groups[i].physicalDeviceCount; j++) {
			uint64_t id = id_of_host_device(instance, groups[i].physicalDevices[j]);
			known &= id != 0;
			groups[i].physicalDevices[j] = (VkPhysicalDevice)(uintptr_t)id;
		}
		if (known) {
			groups[count++] = groups[i];
		}
	}

	args->ret = VK_SUCCESS;
	if (args->pPhysicalDeviceGroupProperties) {
		uint32_t room = *args->pPhysicalDeviceGroupCount;
		if (room < count) {
			args->ret = VK_INCOMPLETE;
			count = room;
		}
		for (uint32_t i = 0; i < count; i++) {
			VkPhysicalDeviceGroupProperties *out = &args->pPhysicalDeviceGroupProperties[i];
			out->physicalDeviceCount = groups[i].physicalDeviceCount;
			memcpy(out->physicalDevices, groups[i].physicalDevices,
				sizeof(out->physicalDevices));
			out->subsetAllocation = groups[i].subsetAllocation;
		}
	}
	*args->pPhysicalDeviceGroupCount = count;
unlock:
	pthread_mutex_unlock(&instance->lock);
	free(groups);
}

/* --- extensions --- */

VkResult render_physical_device_fill_extensions(
		struct render_context *context, struct render_physical_device *physical) {
	struct render_instance *instance = render_instance_of(context);
	VkResult result = VK_SUCCESS;
	pthread_mutex_lock(&instance->lock);
	if (physical->extensions) {
		goto unlock;
	}
	result = vk_extensions_of_device(&physical->host_extensions, &instance->host.table,
		render_physical_device_handle(physical));
	if (result != VK_SUCCESS) {
		goto unlock;
	}
	const struct vk_extensions *host = &physical->host_extensions;
	VkExtensionProperties *offered = calloc(host->count + OWN_EXTENSION_COUNT, sizeof(*offered));
	if (!offered) {
		result = VK_ERROR_OUT_OF_HOST_MEMORY;
		vk_extensions_finish(&physical->host_extensions);
		goto unlock;
	}
	uint32_t count = 0;
	for (uint32_t i = 0; i < host->count; i++) {
		const struct venus_extension *known =
			venus_extension_find(host->items[i].extensionName);
		if (!known || !known->offered || render_extension_is_ours(known->name)) {
			continue;
		}
		offered[count] = host->items[i];
		if (offered[count].specVersion > known->spec_version) {
			offered[count].specVersion = known->spec_version;
		}
		count++;
	}
	/* modifiers need this, as guests know */
	physical->shares_memory = !context->options.no_dma_buf &&
		(physical->properties.apiVersion >= VK_API_VERSION_1_2 ||
			vk_extensions_have(host, VK_KHR_IMAGE_FORMAT_LIST_EXTENSION_NAME));
	const size_t own_count =
		physical->shares_memory ? OWN_EXTENSION_COUNT : ALWAYS_OWN_EXTENSION_COUNT;
	for (size_t i = 0; i < own_count; i++) {
		const struct venus_extension *known = venus_extension_find(own_extensions[i]);
		if (known) {
			offered[count].specVersion = known->spec_version;
			strcpy(offered[count].extensionName, known->name);
			count++;
		}
	}
	physical->extension_count = count;
	physical->extensions = offered;
unlock:
	pthread_mutex_unlock(&instance->lock);
	return result;
}

bool render_physical_device_offers(
		const struct render_physical_device *physical, const char *extension) {
	for (uint32_t i = 0; i < physical->extension_count; i++) {
		if (strcmp(physical->extensions[i].extensionName, extension) == 0) {
			return true;
		}
	}
	return false;
}

void render_physical_device_release(struct render_physical_device *physical) {
	vk_extensions_finish(&physical->host_extensions);
	free(physical->extensions);
	physical->extensions = NULL;
}

static struct render_physical_device *physical_of(struct venus_object *object) {
	return (struct render_physical_device *)object;
}

void render_handle_vkEnumerateDeviceExtensionProperties(struct render_call *call,
		struct venus_vkEnumerateDeviceExtensionProperties *args) {
	struct render_physical_device *physical = physical_of(args->physicalDevice_object);
	if (args->pLayerName) {
		render_call_fail(call, "pLayerName is not NULL");
		return;
	}
	args->ret = render_physical_device_fill_extensions(call->context, physical);
	if (args->ret != VK_SUCCESS) {
		*args->pPropertyCount = 0;
		return;
	}
	uint32_t count = physical->extension_count;
	if (args->pProperties) {
		if (*args->pPropertyCount < count) {
			args->ret = VK_INCOMPLETE;
			count = *args->pPropertyCount;
		}
		memcpy(args->pProperties, physical->extensions,
			count * sizeof(physical->extensions[0]));
	}
	*args->pPropertyCount = count;
}

/* --- properties --- */

void render_handle_vkGetPhysicalDeviceProperties(
		struct render_call *call, struct venus_vkGetPhysicalDeviceProperties *args) {
	(void)call;
	*args->pProperties = physical_of(args->physicalDevice_object)->properties;
}

void render_handle_vkGetPhysicalDeviceProperties2(
		struct render_call *call, struct venus_vkGetPhysicalDeviceProperties2 *args) {
	render_instance_table_of(call->context)->GetPhysicalDeviceProperties2(
		args->physicalDevice, args->pProperties);
	args->pProperties->properties.apiVersion =
		physical_of(args->physicalDevice_object)->properties.apiVersion;
}

/* --- memory --- */

void render_handle_vkGetPhysicalDeviceMemoryProperties(
		struct render_call *call, struct venus_vkGetPhysicalDeviceMemoryProperties *args) {
	(void)call;
	*args->pMemoryProperties = physical_of(args->physicalDevice_object)->memory_types.guest;
}

void render_handle_vkGetPhysicalDeviceMemoryProperties2(
		struct render_call *call, struct venus_vkGetPhysicalDeviceMemoryProperties2 *args) {
	if (args->pMemoryProperties->pNext) { /* the budget: of heaps, which are the host's */
		render_instance_table_of(call->context)->GetPhysicalDeviceMemoryProperties2(
			args->physicalDevice, args->pMemoryProperties);
	}
	args->pMemoryProperties->memoryProperties =
		physical_of(args->physicalDevice_object)->memory_types.guest;
}

/* --- sharing --- */

/* sync_fds are the guest's own affair (sync.c): they need nothing of the host */

void render_handle_vkGetPhysicalDeviceExternalFenceProperties(struct render_call *call,
		struct venus_vkGetPhysicalDeviceExternalFenceProperties *args) {
	const VkExternalFenceHandleTypeFlags sync_fd = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;
	VkExternalFenceProperties *properties = args->pExternalFenceProperties;
	(void)call;
	if (args->pExternalFenceInfo->handleType == sync_fd) {
		properties->exportFromImportedHandleTypes = sync_fd;
		properties->compatibleHandleTypes = sync_fd;
		properties->externalFenceFeatures = VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT |
			VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT;
	}
}

void render_handle_vkGetPhysicalDeviceExternalSemaphoreProperties(struct render_call *call,
		struct venus_vkGetPhysicalDeviceExternalSemaphoreProperties *args) {
	const VkExternalSemaphoreHandleTypeFlags sync_fd =
		VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
	const VkSemaphoreTypeCreateInfo *type = chain_find(args->pExternalSemaphoreInfo,
		VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
	const bool binary = !type || type->semaphoreType == VK_SEMAPHORE_TYPE_BINARY;
	VkExternalSemaphoreProperties *properties = args->pExternalSemaphoreProperties;
	(void)call;
	if (binary && args->pExternalSemaphoreInfo->handleType == sync_fd) {
		properties->exportFromImportedHandleTypes = sync_fd;
		properties->compatibleHandleTypes = sync_fd;
		properties->externalSemaphoreFeatures =
			VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT |
			VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
	}
}
