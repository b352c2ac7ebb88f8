/* SPDX-License-Identifier: MIT */
#include "peer_device.h"

#include "../unit/test.h"

void peer_create_device(struct peer *peer, const struct peer_device_options *options) {
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "test",
		.apiVersion = options->api_version,
	};
	const VkInstanceCreateInfo instance_info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
	};
	VkInstance instance = PEER_HANDLE(VkInstance, PEER_INSTANCE);
	struct venus_vkCreateInstance create_instance = {
		.pCreateInfo = &instance_info, .pInstance = &instance};
	PEER_CALL(peer, vkCreateInstance, &create_instance);
	CHECK_INT(create_instance.ret, VK_SUCCESS);

	uint32_t count = 1;
	VkPhysicalDevice physical = PEER_PHYSICAL_HANDLE;
	struct venus_vkEnumeratePhysicalDevices enumerate = {
		.instance = instance, .pPhysicalDeviceCount = &count, .pPhysicalDevices = &physical};
	PEER_CALL(peer, vkEnumeratePhysicalDevices, &enumerate);
	CHECK(enumerate.ret >= 0);
	CHECK_INT(*enumerate.pPhysicalDeviceCount, 1);

	const float priority = 1;
	const VkDeviceQueueCreateInfo queue_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo device_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = options->features,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue_info,
		.enabledExtensionCount = options->extension_count,
		.ppEnabledExtensionNames = options->extensions,
	};
	VkDevice device = PEER_DEVICE_HANDLE;
	struct venus_vkCreateDevice create = {.physicalDevice = PEER_PHYSICAL_HANDLE,
		.pCreateInfo = &device_info, .pDevice = &device};
	PEER_CALL(peer, vkCreateDevice, &create);
	CHECK_INT(create.ret, VK_SUCCESS);

	VkDeviceQueueTimelineInfoMESA timeline = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA, .ringIdx = 1};
	const VkDeviceQueueInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, .pNext = &timeline};
	VkQueue queue = PEER_QUEUE_HANDLE;
	struct venus_vkGetDeviceQueue2 get = {
		.device = PEER_DEVICE_HANDLE, .pQueueInfo = &info, .pQueue = &queue};
	PEER_CALL(peer, vkGetDeviceQueue2, &get);
}
