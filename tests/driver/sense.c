/* SPDX-License-Identifier: MIT */

/* Values that those who ask go by: without them, few would get further than vkCreateDevice. */

#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "venus/venus_commands.h"

static bool lies(enum fake_lie lie) {
	return (fake_get_plan()->lies & lie) && fake_random() % 2;
}

/** The next structure of that type behind `head`. */
static void *chained(void *head, VkStructureType type) {
	VkBaseOutStructure *item = ((VkBaseOutStructure *)head)->pNext;
	while (item && item->sType != type) {
		item = item->pNext;
	}
	return item;
}

/* --- physical devices --- */

static void limits(VkPhysicalDeviceProperties *properties) {
	properties->apiVersion = VK_MAKE_API_VERSION(0, 1, 4, 0);
	properties->limits.maxPushConstantsSize = 256;
	properties->limits.maxBoundDescriptorSets = 32;
	properties->limits.nonCoherentAtomSize = 64;
	properties->limits.minMemoryMapAlignment = 64;
	properties->limits.maxMemoryAllocationCount = 4096;
}

static void properties2(VkPhysicalDeviceProperties2 *properties) {
	limits(&properties->properties);
	VkPhysicalDeviceExternalMemoryHostPropertiesEXT *host = chained(properties,
		VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT);
	if (host) {
		host->minImportedHostPointerAlignment =
			lies(FAKE_LIE_REQUIREMENTS) ? UINT64_C(1) << fake_random() % 64 : 4096;
	}
	VkPhysicalDeviceIDProperties *id =
		chained(properties, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES);
	if (id) {
		memset(id->deviceUUID, 1, VK_UUID_SIZE);
		memset(id->driverUUID, 2, VK_UUID_SIZE);
	}
}

static void memory(VkPhysicalDeviceMemoryProperties *memory) {
	if (lies(FAKE_LIE_TYPES)) {
		return;
	}
	*memory = (VkPhysicalDeviceMemoryProperties){
		.memoryTypeCount = 3,
		.memoryTypes = {
			{VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0},
			{VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
				VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 1},
			{VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
				VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0},
		},
		.memoryHeapCount = 2,
		.memoryHeaps = {
			{UINT64_C(1) << 32, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT},
			{UINT64_C(1) << 33, 0},
		},
	};
}

static void family(VkQueueFamilyProperties *family) {
	if (!lies(FAKE_LIE_TYPES)) {
		*family = (VkQueueFamilyProperties){
			.queueFlags = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT |
				VK_QUEUE_TRANSFER_BIT | VK_QUEUE_SPARSE_BINDING_BIT,
			.queueCount = 4,
			.timestampValidBits = 64,
			.minImageTransferGranularity = {1, 1, 1},
		};
	}
}

static void external(VkExternalMemoryProperties *properties) {
	if (!lies(FAKE_LIE_VALUES)) {
		properties->externalMemoryFeatures = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT |
			VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
	}
}

static void image_format(VkImageFormatProperties2 *properties) {
	properties->imageFormatProperties = (VkImageFormatProperties){
		{16384, 16384, 2048}, 15, 2048, VK_SAMPLE_COUNT_1_BIT | VK_SAMPLE_COUNT_4_BIT,
		UINT64_C(1) << 31};
	VkExternalImageFormatProperties *found =
		chained(properties, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
	if (found) {
		external(&found->externalMemoryProperties);
	}
}

static void format(VkFormatProperties *format) {
	format->linearTilingFeatures |= VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT |
		VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT | VK_FORMAT_FEATURE_TRANSFER_SRC_BIT;
	format->optimalTilingFeatures |= format->linearTilingFeatures;
}

static void device_extensions(struct venus_vkEnumerateDeviceExtensionProperties *args) {
	static const char *const needed[] = {
		VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME,
		VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME,
	};
	const uint32_t needed_count = sizeof(needed) / sizeof(needed[0]);
	const uint32_t count =
		needed_count + (fake_get_plan()->all_extensions ? VENUS_EXTENSION_COUNT : 0);
	if (!args->pProperties) {
		*args->pPropertyCount = count;
		return;
	}
	if (args->pProperties_capacity < count) {
		args->ret = VK_INCOMPLETE;
		*args->pPropertyCount = (uint32_t)args->pProperties_capacity;
	} else {
		*args->pPropertyCount = count;
	}
	for (uint32_t i = 0; i < *args->pPropertyCount; i++) {
		const char *name =
			i < needed_count ? needed[i] : venus_extensions[i - needed_count].name;
		args->pProperties[i].specVersion = 1;
		memset(args->pProperties[i].extensionName, 0, VK_MAX_EXTENSION_NAME_SIZE);
		memcpy(args->pProperties[i].extensionName, name, strlen(name));
	}
}

static void enumerate(uint32_t *count, bool with_array, size_t capacity, VkResult *result) {
	*count = 1;
	if (with_array && capacity < 1) {
		*count = 0;
		*result = VK_INCOMPLETE;
	}
}

static void families(uint32_t *count, bool with_array, size_t capacity) {
	*count = with_array && capacity < 2 ? (uint32_t)capacity : 2;
}

/* --- memory --- */

static void requirements(VkMemoryRequirements *requirements) {
	if (lies(FAKE_LIE_REQUIREMENTS)) {
		const uint64_t random = fake_random();
		requirements->size = random % 3 ? UINT64_MAX >> random % 64 : UINT64_C(1) << 63;
		requirements->alignment = random % 5 ? UINT64_C(1) << random % 64 : random;
		requirements->memoryTypeBits = random % 2 ? 0 : (uint32_t)fake_random();
		return;
	}
	*requirements = (VkMemoryRequirements){64 * 1024, 256, 0x7};
}

static void layout(VkSubresourceLayout *layout) {
	if (!lies(FAKE_LIE_LAYOUTS)) {
		*layout = (VkSubresourceLayout){0, 64 * 1024, 256, 64 * 1024, 64 * 1024};
	}
}

/** Writes where a driver would: whatever stride and size are. */
static void query_results(const struct venus_vkGetQueryPoolResults *args) {
	const size_t width = args->flags & VK_QUERY_RESULT_64_BIT ? 8 : 4;
	uint8_t *data = args->pData;
	for (uint32_t i = 0; i < args->queryCount; i++) {
		memset(data + i * args->stride, 0xa5, width);
	}
}

/* --- all --- */

#define ARGS(command) struct venus_##command *a = args

void fake_make_sense(uint32_t command, void *args, VkResult *result) {
	switch (command) {
	case VENUS_COMMAND_vkEnumerateInstanceVersion: {
		ARGS(vkEnumerateInstanceVersion);
		*a->pApiVersion = VK_MAKE_API_VERSION(0, 1, 4, 0);
		break;
	}
	case VENUS_COMMAND_vkEnumerateInstanceExtensionProperties: {
		ARGS(vkEnumerateInstanceExtensionProperties);
		*a->pPropertyCount = 0;
		break;
	}
	case VENUS_COMMAND_vkEnumerateDeviceExtensionProperties:
		device_extensions(args);
		break;
	case VENUS_COMMAND_vkEnumeratePhysicalDevices: {
		ARGS(vkEnumeratePhysicalDevices);
		enumerate(a->pPhysicalDeviceCount, a->pPhysicalDevices, a->pPhysicalDevices_capacity,
			result);
		break;
	}
	case VENUS_COMMAND_vkEnumeratePhysicalDeviceGroups: {
		ARGS(vkEnumeratePhysicalDeviceGroups);
		enumerate(a->pPhysicalDeviceGroupCount, a->pPhysicalDeviceGroupProperties,
			a->pPhysicalDeviceGroupProperties_capacity, result);
		if (a->pPhysicalDeviceGroupProperties && *a->pPhysicalDeviceGroupCount) {
			VkPhysicalDeviceGroupProperties *group = a->pPhysicalDeviceGroupProperties;
			uint64_t handle = 0;
			fake_make(true, (uint64_t)(uintptr_t)a->instance,
				VK_OBJECT_TYPE_PHYSICAL_DEVICE, &handle, true, 1, 1);
			group->physicalDeviceCount = lies(FAKE_LIE_COUNTS) ? (uint32_t)fake_random() : 1;
			group->physicalDevices[0] = (VkPhysicalDevice)(uintptr_t)handle;
		}
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceProperties: {
		ARGS(vkGetPhysicalDeviceProperties);
		limits(a->pProperties);
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceProperties2: {
		ARGS(vkGetPhysicalDeviceProperties2);
		properties2(a->pProperties);
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceQueueFamilyProperties: {
		ARGS(vkGetPhysicalDeviceQueueFamilyProperties);
		families(a->pQueueFamilyPropertyCount, a->pQueueFamilyProperties,
			a->pQueueFamilyProperties_capacity);
		for (uint32_t i = 0; a->pQueueFamilyProperties && i < *a->pQueueFamilyPropertyCount;
				i++) {
			family(&a->pQueueFamilyProperties[i]);
		}
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceQueueFamilyProperties2: {
		ARGS(vkGetPhysicalDeviceQueueFamilyProperties2);
		families(a->pQueueFamilyPropertyCount, a->pQueueFamilyProperties,
			a->pQueueFamilyProperties_capacity);
		for (uint32_t i = 0; a->pQueueFamilyProperties && i < *a->pQueueFamilyPropertyCount;
				i++) {
			family(&a->pQueueFamilyProperties[i].queueFamilyProperties);
		}
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceMemoryProperties: {
		ARGS(vkGetPhysicalDeviceMemoryProperties);
		memory(a->pMemoryProperties);
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceMemoryProperties2: {
		ARGS(vkGetPhysicalDeviceMemoryProperties2);
		memory(&a->pMemoryProperties->memoryProperties);
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceFormatProperties: {
		ARGS(vkGetPhysicalDeviceFormatProperties);
		format(a->pFormatProperties);
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceFormatProperties2: {
		ARGS(vkGetPhysicalDeviceFormatProperties2);
		format(&a->pFormatProperties->formatProperties);
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceImageFormatProperties2: {
		ARGS(vkGetPhysicalDeviceImageFormatProperties2);
		image_format(a->pImageFormatProperties);
		break;
	}
	case VENUS_COMMAND_vkGetPhysicalDeviceExternalBufferProperties: {
		ARGS(vkGetPhysicalDeviceExternalBufferProperties);
		external(&a->pExternalBufferProperties->externalMemoryProperties);
		break;
	}
	case VENUS_COMMAND_vkGetBufferMemoryRequirements: {
		ARGS(vkGetBufferMemoryRequirements);
		requirements(a->pMemoryRequirements);
		break;
	}
	case VENUS_COMMAND_vkGetBufferMemoryRequirements2: {
		ARGS(vkGetBufferMemoryRequirements2);
		requirements(&a->pMemoryRequirements->memoryRequirements);
		break;
	}
	case VENUS_COMMAND_vkGetDeviceBufferMemoryRequirements: {
		ARGS(vkGetDeviceBufferMemoryRequirements);
		requirements(&a->pMemoryRequirements->memoryRequirements);
		break;
	}
	case VENUS_COMMAND_vkGetImageMemoryRequirements: {
		ARGS(vkGetImageMemoryRequirements);
		requirements(a->pMemoryRequirements);
		break;
	}
	case VENUS_COMMAND_vkGetImageMemoryRequirements2: {
		ARGS(vkGetImageMemoryRequirements2);
		requirements(&a->pMemoryRequirements->memoryRequirements);
		break;
	}
	case VENUS_COMMAND_vkGetDeviceImageMemoryRequirements: {
		ARGS(vkGetDeviceImageMemoryRequirements);
		requirements(&a->pMemoryRequirements->memoryRequirements);
		break;
	}
	case VENUS_COMMAND_vkGetImageSubresourceLayout: {
		ARGS(vkGetImageSubresourceLayout);
		layout(a->pLayout);
		break;
	}
	case VENUS_COMMAND_vkGetImageSubresourceLayout2: {
		ARGS(vkGetImageSubresourceLayout2);
		layout(&a->pLayout->subresourceLayout);
		break;
	}
	case VENUS_COMMAND_vkGetDeviceImageSubresourceLayout: {
		ARGS(vkGetDeviceImageSubresourceLayout);
		layout(&a->pLayout->subresourceLayout);
		break;
	}
	case VENUS_COMMAND_vkGetQueryPoolResults:
		query_results(args);
		break;
	default:
		break;
	}
}
