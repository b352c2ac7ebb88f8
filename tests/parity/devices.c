/* SPDX-License-Identifier: MIT */

/* Instances and devices: of every version, with every extension and feature, and many of them. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static VkInstance create_instance(uint32_t version) {
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.apiVersion = version,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = version ? &application : NULL,
	};
	VkInstance instance = NULL;
	MUST(vkCreateInstance(&info, NULL, &instance));
	return instance;
}

static VkPhysicalDevice first_device(VkInstance instance) {
	VkPhysicalDevice physical = NULL;
	uint32_t count = 1;
	MUST(vkEnumeratePhysicalDevices(instance, &count, &physical));
	return physical;
}

static VkResult create_device(struct parity *parity, VkPhysicalDevice physical, const void *next,
		const VkPhysicalDeviceFeatures *features, const char *const *extensions,
		uint32_t extension_count, VkDevice *device) {
	const float priority = 0.5f;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = parity->family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = next,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = extension_count,
		.ppEnabledExtensionNames = extensions,
		.pEnabledFeatures = features,
	};
	return vkCreateDevice(physical, &info, NULL, device);
}

static void try_device(struct parity *parity, const char *what, const void *next,
		const VkPhysicalDeviceFeatures *features, const char *const *extensions,
		uint32_t extension_count) {
	VkDevice device;
	if (say_result(what, create_device(parity, parity->physical, next, features, extensions,
			extension_count, &device)) == VK_SUCCESS) {
		vkDestroyDevice(device, NULL);
	}
}

static void say_features(const char *what, const void *features, size_t size) {
	char line[100];
	size_t n = 0;
	for (; n < size / sizeof(VkBool32); n++) {
		line[n] = ((const VkBool32 *)features)[n] ? '1' : '0';
	}
	line[n] = '\0';
	say("%s: %s", what, line);
}

/** What a program is told does not depend on the version that it asks for. */
static void versions(struct parity *parity) {
	const uint32_t wanted[] = {0, VK_API_VERSION_1_0, VK_API_VERSION_1_1, VK_API_VERSION_1_2,
		VK_API_VERSION_1_3, VK_MAKE_API_VERSION(0, 1, 9, 0)};
	for (size_t i = 0; i < COUNT(wanted); i++) {
		VkInstance instance = create_instance(wanted[i]);
		VkPhysicalDevice physical = first_device(instance);
		VkPhysicalDeviceProperties properties;
		VkPhysicalDeviceFeatures features;
		vkGetPhysicalDeviceProperties(physical, &properties);
		vkGetPhysicalDeviceFeatures(physical, &features);
		/* Debian 13's driver has 1.3 */
		say("at least 1.3: %d", properties.apiVersion >= VK_API_VERSION_1_3);
		/* Debian 13's driver has no sparse resources */
		memset(&features.sparseBinding, 0,
			sizeof(features) - offsetof(VkPhysicalDeviceFeatures, sparseBinding));
		say_features("1.0", &features, sizeof(features));
		if (wanted[i] >= VK_API_VERSION_1_1) {
			VkPhysicalDeviceVulkan13Features thirteen = {
				.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
			VkPhysicalDeviceVulkan12Features twelve = {
				.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
				.pNext = &thirteen};
			VkPhysicalDeviceVulkan11Features eleven = {
				.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &twelve};
			VkPhysicalDeviceFeatures2 second = {
				.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &eleven};
			vkGetPhysicalDeviceFeatures2(physical, &second);
			say_features("1.1", &eleven.storageBuffer16BitAccess, 12 * sizeof(VkBool32));
			if (wanted[i] >= VK_API_VERSION_1_2) {
				/* else the guest's driver does not ask for what no extension has */
				say_features("1.2", &twelve.samplerMirrorClampToEdge, 47 * sizeof(VkBool32));
			}
			say_features("1.3", &thirteen.robustImageAccess, 15 * sizeof(VkBool32));
			VkPhysicalDeviceVulkan13Properties of_thirteen = {
				.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES};
			VkPhysicalDeviceVulkan11Properties of_eleven = {
				.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES,
				.pNext = &of_thirteen};
			VkPhysicalDeviceProperties2 second_properties = {
				.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &of_eleven};
			vkGetPhysicalDeviceProperties2(physical, &second_properties);
			say("subgroups of %u, %x, %x; %u to %u", of_eleven.subgroupSize,
				of_eleven.subgroupSupportedStages, of_eleven.subgroupSupportedOperations,
				of_thirteen.minSubgroupSize, of_thirteen.maxSubgroupSize);
			say("views %u, sets %u, memory %llu", of_eleven.maxMultiviewViewCount,
				of_eleven.maxPerSetDescriptors,
				(unsigned long long)of_eleven.maxMemoryAllocationSize);
		}
		VkDevice device;
		if (SAY_RESULT(create_device(parity, physical, NULL, &features, NULL, 0, &device)) ==
				VK_SUCCESS) {
			vkDestroyDevice(device, NULL);
		}
		vkDestroyInstance(instance, NULL);
	}
}

/** All that the guest has, that is, and not what there is. */
static void extensions(struct parity *parity) {
	uint32_t count = 0;
	MUST(vkEnumerateDeviceExtensionProperties(parity->physical, NULL, &count, NULL));
	VkExtensionProperties *all = calloc(count, sizeof(*all));
	MUST(vkEnumerateDeviceExtensionProperties(parity->physical, NULL, &count, all));
	const char **names = calloc(count, sizeof(*names));
	uint32_t wrong = 0;
	for (uint32_t i = 0; i < count; i++) {
		names[i] = all[i].extensionName;
		if (i % 16 && !strstr(names[i], "present") && !strstr(names[i], "swapchain")) {
			continue; /* a device takes its time */
		}
		VkDevice device;
		/* also without what it depends on: nobody checks that */
		if (create_device(parity, parity->physical, NULL, NULL, &names[i], 1, &device) == VK_SUCCESS) {
			vkDestroyDevice(device, NULL);
		} else {
			say("not %s", names[i]);
			wrong++;
		}
	}
	say("%u cannot be enabled alone", wrong);
	try_device(parity, "all extensions", NULL, NULL, names, count);
	try_device(parity, "all extensions and features", &parity->features, NULL, names, count);
	const char *twice[2] = {VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME};
	try_device(parity, "one twice", NULL, NULL, twice, 2);
	free(names);
	free(all);
}

/** One feature after the other that there is not. */
static void lacking_features(struct parity *parity) {
	VkPhysicalDeviceFeatures2 second = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
	VkPhysicalDeviceFeatures core;
	vkGetPhysicalDeviceFeatures(parity->physical, &core);
	for (size_t i = 0; i < sizeof(core) / sizeof(VkBool32); i++) {
		VkBool32 *feature = (VkBool32 *)&core + i;
		if (!*feature) {
			*feature = VK_TRUE;
			say("feature %zu", i);
			try_device(parity, "core", NULL, &core, NULL, 0);
			second.features = core;
			try_device(parity, "core, chained", &second, NULL, NULL, 0);
			*feature = VK_FALSE;
		}
	}
	memset(&second.features, 0, sizeof(second.features));
	struct {
		VkBaseOutStructure *structure;
		size_t count;
	} structures[] = {
		{(VkBaseOutStructure *)&parity->vulkan11, 12},
		{(VkBaseOutStructure *)&parity->vulkan12, 47},
		{(VkBaseOutStructure *)&parity->vulkan13, 15},
		{(VkBaseOutStructure *)&parity->robustness2, 3},
		{(VkBaseOutStructure *)&parity->dynamic_state3, 31},
		{(VkBaseOutStructure *)&parity->mesh_shader, 5},
		{(VkBaseOutStructure *)&parity->border_color, 2},
	};
	for (size_t i = 0; i < COUNT(structures); i++) {
		void *next = structures[i].structure->pNext;
		structures[i].structure->pNext = NULL;
		second.pNext = structures[i].structure;
		VkBool32 *features = (VkBool32 *)(structures[i].structure + 1);
		for (size_t j = 0; j < structures[i].count; j++) {
			if (!features[j]) {
				features[j] = VK_TRUE;
				say("feature %zu of %zu", j, i);
				try_device(parity, "chained", &second, NULL, parity->extensions,
					parity->extension_count);
				features[j] = VK_FALSE;
			}
		}
		structures[i].structure->pNext = next;
	}
}

static void queues(struct parity *parity) {
	uint32_t count = 0;
	vkGetPhysicalDeviceQueueFamilyProperties(parity->physical, &count, NULL);
	VkQueueFamilyProperties *families = calloc(count, sizeof(*families));
	vkGetPhysicalDeviceQueueFamilyProperties(parity->physical, &count, families);
	for (uint32_t family = 0; family < count; family++) {
		for (uint32_t queues = 1; queues <= families[family].queueCount; queues++) {
			const float priorities[8] = {0, 1, 0.5f, 0.25f, 1, 1, 1, 1};
			const VkDeviceQueueCreateInfo info = {
				.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
				.queueFamilyIndex = family,
				.queueCount = queues,
				.pQueuePriorities = priorities,
			};
			const VkDeviceCreateInfo device_info = {
				.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
				.queueCreateInfoCount = 1,
				.pQueueCreateInfos = &info,
			};
			VkDevice device;
			say("family %u, %u queues", family, queues);
			if (SAY_RESULT(vkCreateDevice(parity->physical, &device_info, NULL, &device))) {
				continue;
			}
			for (uint32_t i = 0; i < queues; i++) {
				VkQueue queue, again;
				vkGetDeviceQueue(device, family, i, &queue);
				vkGetDeviceQueue(device, family, i, &again);
				say("the same: %d", queue == again);
				SAY_RESULT(vkQueueWaitIdle(queue));
				SAY_RESULT(vkQueueSubmit(queue, 0, NULL, VK_NULL_HANDLE));
			}
			SAY_RESULT(vkDeviceWaitIdle(device));
			vkDestroyDevice(device, NULL);
		}
	}
	free(families);
}

/** With a group of one, which every driver has. */
static void groups(struct parity *parity) {
	const VkDeviceGroupDeviceCreateInfo group = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO,
		.physicalDeviceCount = 1,
		.pPhysicalDevices = &parity->physical,
	};
	VkDevice device;
	if (SAY_RESULT(create_device(parity, parity->physical, &group, NULL, NULL, 0, &device))) {
		return;
	}
	for (uint32_t heap = 0; heap < parity->memory.memoryHeapCount; heap++) {
		VkPeerMemoryFeatureFlags features = 0;
		vkGetDeviceGroupPeerMemoryFeatures(device, heap, 0, 0, &features);
		say("heap %u: %x", heap, features);
	}
	struct parity with = *parity;
	with.device = device;
	vkGetDeviceQueue(device, parity->family, 0, &with.queue);
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.queueFamilyIndex = parity->family,
	};
	MUST(vkCreateCommandPool(device, &pool, NULL, &with.pool));
	const VkBufferCreateInfo buffer_info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 1000,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer;
	MUST(vkCreateBuffer(device, &buffer_info, NULL, &buffer));
	VkMemoryRequirements requirements;
	vkGetBufferMemoryRequirements(device, buffer, &requirements);
	const VkMemoryAllocateFlagsInfo mask = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
		.flags = VK_MEMORY_ALLOCATE_DEVICE_MASK_BIT,
		.deviceMask = 1,
	};
	VkDeviceMemory memory = parity_allocate(
		&with, &requirements, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, &mask);
	const uint32_t index = 0;
	const VkBindBufferMemoryDeviceGroupInfo bind_group = {
		.sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_DEVICE_GROUP_INFO,
		.deviceIndexCount = 1,
		.pDeviceIndices = &index,
	};
	const VkBindBufferMemoryInfo bind = {
		.sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO,
		.pNext = &bind_group,
		.buffer = buffer,
		.memory = memory,
	};
	SAY_RESULT(vkBindBufferMemory2(device, 1, &bind));
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = with.pool,
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands;
	MUST(vkAllocateCommandBuffers(device, &allocate, &commands));
	const VkDeviceGroupCommandBufferBeginInfo begin_group = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_COMMAND_BUFFER_BEGIN_INFO,
		.deviceMask = 1,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.pNext = &begin_group,
	};
	MUST(vkBeginCommandBuffer(commands, &begin));
	vkCmdSetDeviceMask(commands, 1);
	vkCmdFillBuffer(commands, buffer, 0, VK_WHOLE_SIZE, 0x12345678);
	parity_barrier(commands);
	MUST(vkEndCommandBuffer(commands));
	const uint32_t device_mask = 1;
	const VkDeviceGroupSubmitInfo submit_group = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBufferDeviceMasks = &device_mask,
	};
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &submit_group,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	SAY_RESULT(vkQueueSubmit(with.queue, 1, &submit, VK_NULL_HANDLE));
	SAY_RESULT(vkQueueWaitIdle(with.queue));
	void *data;
	MUST(vkMapMemory(device, memory, 0, VK_WHOLE_SIZE, 0, &data));
	say_hash("filled", data, 1000);
	vkDestroyBuffer(device, buffer, NULL);
	vkFreeMemory(device, memory, NULL);
	vkDestroyCommandPool(device, with.pool, NULL);
	vkDestroyDevice(device, NULL);
}

static void many(struct parity *parity) {
	VkInstance instances[12];
	VkDevice devices[12];
	for (size_t i = 0; i < COUNT(instances); i++) {
		instances[i] = create_instance(i % 2 ? VK_API_VERSION_1_1 : VK_API_VERSION_1_3);
	}
	say("%zu instances", COUNT(instances));
	for (size_t i = 0; i < COUNT(devices); i++) {
		VkPhysicalDevice physical = i % 2 ? parity->physical : first_device(instances[i]);
		MUST(create_device(parity, physical, NULL, NULL, NULL, 0, &devices[i]));
	}
	say("%zu devices", COUNT(devices));
	for (size_t i = 0; i < COUNT(devices); i++) {
		vkDestroyDevice(devices[i], NULL);
		vkDestroyInstance(instances[i], NULL);
	}
}

const struct parity_case parity_device_cases[] = {
	{"devices versions", versions},
	{"devices extensions", extensions},
	{"devices lacking-features", lacking_features},
	{"devices queues", queues},
	{"devices groups", groups},
	{"devices many", many},
	{NULL, NULL},
};
