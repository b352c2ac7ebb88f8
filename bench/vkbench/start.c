/* SPDX-License-Identifier: MIT */
#include "bench.h"

static void test_start_instance(void) {
	const VkApplicationInfo app = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_2};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &app};
	BENCH_TIME(1, BENCH_NOTHING, {
		VkInstance i;
		VkPhysicalDevice p[16];
		uint32_t c = 16;
		BENCH_TRY(vkCreateInstance(&info, NULL, &i));
		BENCH_TRY(vkEnumeratePhysicalDevices(i, &c, p));
		vkDestroyInstance(i, NULL);
	})
	BENCH_REPORT_US();
}

static void test_start_device(void) {
	const float prio = 1;
	const VkDeviceQueueCreateInfo qci = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = gpu.family,
		.queueCount = 1,
		.pQueuePriorities = &prio,
	};
	const VkDeviceCreateInfo dci = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &qci,
	};
	BENCH_TIME(1, BENCH_NOTHING, {
		VkDevice d;
		BENCH_TRY(vkCreateDevice(gpu.physical, &dci, NULL, &d));
		vkDestroyDevice(d, NULL);
	})
	BENCH_REPORT_US();
}

const struct bench_test bench_start_tests[] = {
	{"start_instance", test_start_instance, "vkCreateInstance + enumerate + destroy"},
	{"start_device", test_start_device, "vkCreateDevice + destroy"},
	{0},
};
