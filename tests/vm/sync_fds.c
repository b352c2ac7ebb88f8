/* SPDX-License-Identifier: MIT */

/*
 * Runs in the guest: fences and semaphores as sync_fds, exported before and after they are
 * signalled, imported, waited for by poll() and by the GPU, and sent to another process. Prints a
 * line for each test that begins with "ok" or "FAIL".
 */

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vulkan/vulkan.h>

#include "spin_comp_spv.h"

#define TIMEOUT_NS UINT64_C(60000000000)
#define TIMEOUT_MS 60000
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LONG_WORK 3000 /* work groups: longer than it takes to submit them */

static struct {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkDevice device;
	VkQueue queue;
	VkCommandPool pool;
	VkBuffer buffer;
	VkDeviceMemory memory;
	volatile uint32_t *data;
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool descriptors;
	VkDescriptorSet set;
	VkPipelineLayout layout;
	VkPipeline pipeline;
	PFN_vkGetFenceFdKHR get_fence_fd;
	PFN_vkImportFenceFdKHR import_fence_fd;
	PFN_vkGetSemaphoreFdKHR get_semaphore_fd;
	PFN_vkImportSemaphoreFdKHR import_semaphore_fd;
	/*
	 * Mesa 25's driver waits until what it exports is signalled; later ones only for
	 * semaphores.
	 */
	bool export_waits;
} gpu;

static const char *test_name = "start";

static void fail(const char *what, long long value) {
	printf("FAIL %s: %s (%lld)\n", test_name, what, value);
	fflush(stdout);
	_exit(1);
}

#define MUST(call) \
	do { \
		const VkResult must_result = (call); \
		if (must_result != VK_SUCCESS) { \
			fail(#call, must_result); \
		} \
	} while (0)
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fail(#condition, errno); \
		} \
	} while (0)
#define CHECK_RESULT(call, expected) \
	do { \
		const VkResult check_result = (call); \
		if (check_result != (expected)) { \
			fail(#call " is not " #expected, check_result); \
		} \
	} while (0)

/* --- a device --- */

static void create_device(void) {
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_2};
	const VkInstanceCreateInfo instance_info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
	MUST(vkCreateInstance(&instance_info, NULL, &gpu.instance));
	uint32_t count = 1;
	CHECK(vkEnumeratePhysicalDevices(gpu.instance, &count, &gpu.physical) >= 0 && count == 1);

	const char *const extensions[] = {
		VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME,
		VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME,
	};
	const float priority = 1;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
		.timelineSemaphore = VK_TRUE,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &timeline,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = COUNT(extensions),
		.ppEnabledExtensionNames = extensions,
	};
	MUST(vkCreateDevice(gpu.physical, &info, NULL, &gpu.device));
	vkGetDeviceQueue(gpu.device, 0, 0, &gpu.queue);
	gpu.get_fence_fd = (PFN_vkGetFenceFdKHR)vkGetDeviceProcAddr(gpu.device, "vkGetFenceFdKHR");
	gpu.import_fence_fd =
		(PFN_vkImportFenceFdKHR)vkGetDeviceProcAddr(gpu.device, "vkImportFenceFdKHR");
	gpu.get_semaphore_fd =
		(PFN_vkGetSemaphoreFdKHR)vkGetDeviceProcAddr(gpu.device, "vkGetSemaphoreFdKHR");
	gpu.import_semaphore_fd =
		(PFN_vkImportSemaphoreFdKHR)vkGetDeviceProcAddr(gpu.device, "vkImportSemaphoreFdKHR");
	CHECK(gpu.get_fence_fd && gpu.import_fence_fd && gpu.get_semaphore_fd &&
		gpu.import_semaphore_fd);
	const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
	MUST(vkCreateCommandPool(gpu.device, &pool, NULL, &gpu.pool));
}

static void create_buffer(void) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 4096,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
	};
	MUST(vkCreateBuffer(gpu.device, &info, NULL, &gpu.buffer));
	VkMemoryRequirements requirements;
	vkGetBufferMemoryRequirements(gpu.device, gpu.buffer, &requirements);
	VkPhysicalDeviceMemoryProperties memory;
	vkGetPhysicalDeviceMemoryProperties(gpu.physical, &memory);
	uint32_t type = 0;
	while (type < memory.memoryTypeCount && (!(requirements.memoryTypeBits >> type & 1) ||
			!(memory.memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT))) {
		type++;
	}
	CHECK(type < memory.memoryTypeCount);
	const VkMemoryAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = requirements.size,
		.memoryTypeIndex = type,
	};
	MUST(vkAllocateMemory(gpu.device, &allocate, NULL, &gpu.memory));
	MUST(vkBindBufferMemory(gpu.device, gpu.buffer, gpu.memory, 0));
	void *data;
	MUST(vkMapMemory(gpu.device, gpu.memory, 0, VK_WHOLE_SIZE, 0, &data));
	gpu.data = data;
}

static void create_pipeline(void) {
	const VkDescriptorSetLayoutBinding binding = {
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.descriptorCount = 1,
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
	};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	MUST(vkCreateDescriptorSetLayout(gpu.device, &set_layout, NULL, &gpu.set_layout));
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	MUST(vkCreateDescriptorPool(gpu.device, &pool, NULL, &gpu.descriptors));
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = gpu.descriptors,
		.descriptorSetCount = 1,
		.pSetLayouts = &gpu.set_layout,
	};
	MUST(vkAllocateDescriptorSets(gpu.device, &allocate, &gpu.set));
	const VkDescriptorBufferInfo buffer = {gpu.buffer, 0, VK_WHOLE_SIZE};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = gpu.set,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = &buffer,
	};
	vkUpdateDescriptorSets(gpu.device, 1, &write, 0, NULL);
	const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 8};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &gpu.set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	MUST(vkCreatePipelineLayout(gpu.device, &layout, NULL, &gpu.layout));
	const VkShaderModuleCreateInfo shader = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(spin_comp_spv),
		.pCode = spin_comp_spv,
	};
	VkShaderModule module;
	MUST(vkCreateShaderModule(gpu.device, &shader, NULL, &module));
	const VkComputePipelineCreateInfo pipeline = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = module,
			.pName = "main",
		},
		.layout = gpu.layout,
	};
	MUST(vkCreateComputePipelines(
		gpu.device, VK_NULL_HANDLE, 1, &pipeline, NULL, &gpu.pipeline));
	vkDestroyShaderModule(gpu.device, module, NULL);
}

static void start_gpu(void) {
	create_device();
	create_buffer();
	create_pipeline();
}

static void stop_gpu(void) {
	MUST(vkDeviceWaitIdle(gpu.device));
	vkDestroyPipeline(gpu.device, gpu.pipeline, NULL);
	vkDestroyPipelineLayout(gpu.device, gpu.layout, NULL);
	vkDestroyDescriptorPool(gpu.device, gpu.descriptors, NULL);
	vkDestroyDescriptorSetLayout(gpu.device, gpu.set_layout, NULL);
	vkDestroyBuffer(gpu.device, gpu.buffer, NULL);
	vkFreeMemory(gpu.device, gpu.memory, NULL);
	vkDestroyCommandPool(gpu.device, gpu.pool, NULL);
	vkDestroyDevice(gpu.device, NULL);
	vkDestroyInstance(gpu.instance, NULL);
}

/* --- work --- */

/** Writes `value` into the buffer's first word after some work. Freed with the pool. */
static VkCommandBuffer record(uint32_t groups, uint32_t value) {
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = gpu.pool,
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands;
	MUST(vkAllocateCommandBuffers(gpu.device, &allocate, &commands));
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	MUST(vkBeginCommandBuffer(commands, &begin));
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_HOST_READ_BIT,
	};
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
		VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1, &barrier, 0, NULL, 0, NULL);
	const uint32_t parameters[2] = {20000, value};
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, gpu.pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, gpu.layout, 0, 1, &gpu.set,
		0, NULL);
	vkCmdPushConstants(
		commands, gpu.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(parameters), parameters);
	vkCmdDispatch(commands, groups, 1, 1);
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
		VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0,
		NULL, 0, NULL);
	MUST(vkEndCommandBuffer(commands));
	return commands;
}

static void submit(VkCommandBuffer commands, VkSemaphore wait, VkSemaphore signal, VkFence fence) {
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = wait != VK_NULL_HANDLE,
		.pWaitSemaphores = &wait,
		.pWaitDstStageMask = &stage,
		.commandBufferCount = commands != NULL,
		.pCommandBuffers = &commands,
		.signalSemaphoreCount = signal != VK_NULL_HANDLE,
		.pSignalSemaphores = &signal,
	};
	MUST(vkQueueSubmit(gpu.queue, 1, &info, fence));
}

static VkFence create_fence(VkFenceCreateFlags flags) {
	const VkExportFenceCreateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
		.handleTypes = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	const VkFenceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = &export, .flags = flags};
	VkFence fence;
	MUST(vkCreateFence(gpu.device, &info, NULL, &fence));
	return fence;
}

static VkSemaphore create_semaphore_with(const void *next) {
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = next};
	VkSemaphore semaphore;
	MUST(vkCreateSemaphore(gpu.device, &info, NULL, &semaphore));
	return semaphore;
}

static VkSemaphore create_semaphore(void) {
	const VkExportSemaphoreCreateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
		.handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	return create_semaphore_with(&export);
}

static int export_fence(VkFence fence) {
	const VkFenceGetFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR,
		.fence = fence,
		.handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	int fd = -2;
	MUST(gpu.get_fence_fd(gpu.device, &info, &fd));
	CHECK(fd >= -1);
	return fd;
}

static int export_semaphore(VkSemaphore semaphore) {
	const VkSemaphoreGetFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
		.semaphore = semaphore,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	int fd = -2;
	MUST(gpu.get_semaphore_fd(gpu.device, &info, &fd));
	CHECK(fd >= -1);
	return fd;
}

/** Takes over the descriptor. */
static void import_fence(VkFence fence, int fd) {
	const VkImportFenceFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
		.fence = fence,
		.flags = VK_FENCE_IMPORT_TEMPORARY_BIT,
		.handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
		.fd = fd,
	};
	MUST(gpu.import_fence_fd(gpu.device, &info));
}

static void import_semaphore(VkSemaphore semaphore, int fd) {
	const VkImportSemaphoreFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
		.semaphore = semaphore,
		.flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
		.fd = fd,
	};
	MUST(gpu.import_semaphore_fd(gpu.device, &info));
}

static bool is_signalled(int fd, int timeout_ms) {
	struct pollfd entry = {.fd = fd, .events = POLLIN};
	return fd == -1 || poll(&entry, 1, timeout_ms) == 1;
}

static void wait_fence(VkFence fence) {
	MUST(vkWaitForFences(gpu.device, 1, &fence, VK_TRUE, TIMEOUT_NS));
}

/** Holds up what is submitted behind it until open_gate(). */
static VkSemaphore create_gate(void) {
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
	};
	return create_semaphore_with(&type);
}

static void open_gate(VkSemaphore gate) {
	const VkSemaphoreSignalInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = gate, .value = 1};
	MUST(vkSignalSemaphore(gpu.device, &info));
}

static void submit_behind_gate(VkSemaphore gate, VkCommandBuffer commands, VkFence fence) {
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	const uint64_t value = 1;
	const VkTimelineSemaphoreSubmitInfo timeline = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = 1,
		.pWaitSemaphoreValues = &value,
	};
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &timeline,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &gate,
		.pWaitDstStageMask = &stage,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	MUST(vkQueueSubmit(gpu.queue, 1, &info, fence));
}

/* --- tests --- */

static void test_properties(void) {
	const VkPhysicalDeviceExternalFenceInfo fence_info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO,
		.handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	VkExternalFenceProperties fence = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES};
	vkGetPhysicalDeviceExternalFenceProperties(gpu.physical, &fence_info, &fence);
	CHECK(fence.externalFenceFeatures == (VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT |
						     VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT));
	const VkPhysicalDeviceExternalSemaphoreInfo semaphore_info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
		.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
	};
	VkExternalSemaphoreProperties semaphore = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES};
	vkGetPhysicalDeviceExternalSemaphoreProperties(gpu.physical, &semaphore_info, &semaphore);
	CHECK(semaphore.externalSemaphoreFeatures ==
		(VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT |
			VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT));
}

/** Exported when its work is done, it is signalled, and the fence is reset. */
static void test_fence_that_is_done(void) {
	VkFence fence = create_fence(0);
	for (uint32_t i = 1; i < 4; i++) {
		submit(record(1, i), VK_NULL_HANDLE, VK_NULL_HANDLE, fence);
		wait_fence(fence);
		const int fd = export_fence(fence);
		CHECK(is_signalled(fd, TIMEOUT_MS));
		close(fd);
		CHECK(gpu.data[0] == i);
		CHECK_RESULT(vkGetFenceStatus(gpu.device, fence), VK_NOT_READY);
	}
	vkDestroyFence(gpu.device, fence, NULL);

	fence = create_fence(VK_FENCE_CREATE_SIGNALED_BIT);
	const int fd = export_fence(fence);
	CHECK(is_signalled(fd, TIMEOUT_MS));
	close(fd);
	CHECK_RESULT(vkGetFenceStatus(gpu.device, fence), VK_NOT_READY);
	submit(NULL, VK_NULL_HANDLE, VK_NULL_HANDLE, fence);
	wait_fence(fence);
	vkDestroyFence(gpu.device, fence, NULL);
}

/**
 * Exported while its work cannot begin: what the guest does next is what makes it begin. The fence
 * can be used again at once.
 */
static void test_fence_that_is_pending(void) {
	VkFence fence = create_fence(0);
	VkSemaphore gate = create_gate();
	gpu.data[0] = 0;
	if (gpu.export_waits) {
		open_gate(gate);
	}
	submit_behind_gate(gate, record(1, 11), fence);
	const int fd = export_fence(fence);
	CHECK(fd >= 0);
	CHECK_RESULT(vkGetFenceStatus(gpu.device, fence), VK_NOT_READY);
	CHECK(gpu.export_waits || !is_signalled(fd, 100));
	CHECK(gpu.export_waits || gpu.data[0] == 0);
	submit(record(1, 12), VK_NULL_HANDLE, VK_NULL_HANDLE, fence);
	if (!gpu.export_waits) {
		CHECK_RESULT(vkGetFenceStatus(gpu.device, fence), VK_NOT_READY);
		open_gate(gate);
	}
	CHECK(is_signalled(fd, TIMEOUT_MS));
	CHECK(gpu.data[0] >= 11);
	wait_fence(fence);
	CHECK(gpu.data[0] == 12);
	close(fd);
	vkDestroyFence(gpu.device, fence, NULL);
	vkDestroySemaphore(gpu.device, gate, NULL);
}

static void test_fence_import(void) {
	VkFence from = create_fence(0), to = create_fence(0);
	VkSemaphore gate = create_gate();
	if (gpu.export_waits) {
		open_gate(gate);
	}
	submit_behind_gate(gate, record(1, 21), from);
	import_fence(to, export_fence(from));
	if (!gpu.export_waits) {
		CHECK_RESULT(vkGetFenceStatus(gpu.device, to), VK_NOT_READY);
		CHECK_RESULT(vkWaitForFences(gpu.device, 1, &to, VK_TRUE, 50000000), VK_TIMEOUT);
		open_gate(gate);
	}
	wait_fence(to);
	CHECK(gpu.data[0] == 21);
	/* -1 is signalled; after a reset it is a fence like any other */
	MUST(vkResetFences(gpu.device, 1, &to));
	CHECK_RESULT(vkGetFenceStatus(gpu.device, to), VK_NOT_READY);
	import_fence(to, -1);
	CHECK_RESULT(vkGetFenceStatus(gpu.device, to), VK_SUCCESS);
	wait_fence(to);
	MUST(vkResetFences(gpu.device, 1, &to));
	submit(record(1, 22), VK_NULL_HANDLE, VK_NULL_HANDLE, to);
	wait_fence(to);
	CHECK(gpu.data[0] == 22);
	MUST(vkQueueWaitIdle(gpu.queue));
	vkDestroyFence(gpu.device, from, NULL);
	vkDestroyFence(gpu.device, to, NULL);
	vkDestroySemaphore(gpu.device, gate, NULL);
}

/** By poll(), then by the GPU; and the semaphore is used again. */
static void test_semaphore(void) {
	VkSemaphore from = create_semaphore(), to = create_semaphore();
	VkFence fence = create_fence(0);
	for (uint32_t i = 0; i < 3; i++) {
		gpu.data[0] = 0;
		submit(record(LONG_WORK, 30 + i), VK_NULL_HANDLE, from, VK_NULL_HANDLE);
		int fd = export_semaphore(from);
		CHECK(fd >= 0);
		CHECK(is_signalled(fd, TIMEOUT_MS));
		CHECK(gpu.data[0] == 30 + i);
		close(fd);

		submit(record(LONG_WORK / 4, 40 + i), VK_NULL_HANDLE, from, VK_NULL_HANDLE);
		fd = export_semaphore(from);
		const int copy = dup(fd);
		import_semaphore(to, fd);
		submit(record(1, 50 + i), to, VK_NULL_HANDLE, fence);
		wait_fence(fence);
		CHECK(is_signalled(copy, 0));
		CHECK(gpu.data[0] == 50 + i);
		close(copy);
		MUST(vkResetFences(gpu.device, 1, &fence));
	}
	/* not exported in between */
	submit(record(1, 60), VK_NULL_HANDLE, from, VK_NULL_HANDLE);
	submit(record(1, 61), from, VK_NULL_HANDLE, fence);
	wait_fence(fence);
	CHECK(gpu.data[0] == 61);
	vkDestroyFence(gpu.device, fence, NULL);
	vkDestroySemaphore(gpu.device, from, NULL);
	vkDestroySemaphore(gpu.device, to, NULL);
}

/** An import lasts until it is waited for, and then the semaphore's own payload is back. */
static void test_semaphore_import_of_nothing(void) {
	VkSemaphore semaphore = create_semaphore();
	VkFence fence = create_fence(0);
	for (uint32_t i = 0; i < 3; i++) {
		import_semaphore(semaphore, -1);
		submit(record(1, 70 + i), semaphore, VK_NULL_HANDLE, VK_NULL_HANDLE);
		submit(record(1, 80 + i), VK_NULL_HANDLE, semaphore, VK_NULL_HANDLE);
		submit(record(1, 90 + i), semaphore, VK_NULL_HANDLE, fence);
		wait_fence(fence);
		CHECK(gpu.data[0] == 90 + i);
		MUST(vkResetFences(gpu.device, 1, &fence));
	}
	/* imported over what nobody waited for yet, and exported again */
	import_semaphore(semaphore, -1);
	const int fd = export_semaphore(semaphore);
	CHECK(is_signalled(fd, TIMEOUT_MS));
	close(fd);
	submit(NULL, VK_NULL_HANDLE, semaphore, VK_NULL_HANDLE);
	submit(record(1, 99), semaphore, VK_NULL_HANDLE, fence);
	wait_fence(fence);
	CHECK(gpu.data[0] == 99);
	vkDestroyFence(gpu.device, fence, NULL);
	vkDestroySemaphore(gpu.device, semaphore, NULL);
}

/** As a compositor and its client do it, frame by frame. */
static void test_many(void) {
	VkSemaphore from = create_semaphore(), to = create_semaphore();
	VkFence fence = create_fence(0);
	for (uint32_t i = 0; i < 200; i++) {
		submit(NULL, VK_NULL_HANDLE, from, VK_NULL_HANDLE);
		import_semaphore(to, export_semaphore(from));
		submit(NULL, to, VK_NULL_HANDLE, fence);
		const int fd = export_fence(fence);
		if (i % 50 == 0) {
			CHECK(is_signalled(fd, TIMEOUT_MS));
		}
		close(fd);
	}
	MUST(vkQueueWaitIdle(gpu.queue));
	vkDestroyFence(gpu.device, fence, NULL);
	vkDestroySemaphore(gpu.device, from, NULL);
	vkDestroySemaphore(gpu.device, to, NULL);
}

/* --- another process --- */

static void send_fd(int socket_fd, int fd) {
	char byte = 0;
	struct iovec part = {&byte, 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	CHECK(sendmsg(socket_fd, &message, 0) == 1);
}

static int receive_fd(int socket_fd) {
	char byte;
	struct iovec part = {&byte, 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	CHECK(recvmsg(socket_fd, &message, 0) == 1);
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	CHECK(header && header->cmsg_type == SCM_RIGHTS);
	int fd;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

enum { FRAMES = 4 };

/** The one that is told when the other's GPU is done, and whose own GPU waits for it. */
static void be_another_process(int socket_fd) {
	test_name = "another process";
	start_gpu();
	char ready = 1;
	CHECK(write(socket_fd, &ready, 1) == 1);
	VkSemaphore semaphore = create_semaphore();
	VkFence fence = create_fence(0);
	for (uint32_t i = 0; i < FRAMES; i++) {
		const int fd = receive_fd(socket_fd);
		const int copy = dup(fd);
		if (i % 2) {
			import_semaphore(semaphore, fd);
			submit(record(1, i + 1), semaphore, VK_NULL_HANDLE, fence);
			wait_fence(fence);
			CHECK(is_signalled(copy, 0));
			CHECK(gpu.data[0] == i + 1);
		} else {
			import_fence(fence, fd);
			wait_fence(fence);
			CHECK(is_signalled(copy, 0));
		}
		close(copy);
		MUST(vkResetFences(gpu.device, 1, &fence));
		CHECK(write(socket_fd, &ready, 1) == 1);
	}
	vkDestroyFence(gpu.device, fence, NULL);
	vkDestroySemaphore(gpu.device, semaphore, NULL);
	stop_gpu();
	_exit(0);
}

static void test_another_process(int socket_fd, pid_t pid) {
	char ready;
	CHECK(read(socket_fd, &ready, 1) == 1);
	VkSemaphore semaphore = create_semaphore();
	for (uint32_t i = 0; i < FRAMES; i++) {
		submit(record(LONG_WORK / 2, i), VK_NULL_HANDLE, semaphore, VK_NULL_HANDLE);
		const int fd = export_semaphore(semaphore);
		send_fd(socket_fd, fd);
		close(fd);
		CHECK(read(socket_fd, &ready, 1) == 1);
	}
	int status = 0;
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	vkDestroySemaphore(gpu.device, semaphore, NULL);
}

#define RUN(call) \
	do { \
		test_name = #call; \
		call; \
		MUST(vkDeviceWaitIdle(gpu.device)); \
		printf("ok %s\n", #call); \
		fflush(stdout); \
	} while (0)

int main(void) {
	int sockets[2];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	const pid_t pid = fork(); /* before there is anything of Vulkan */
	CHECK(pid >= 0);
	if (pid == 0) {
		close(sockets[0]);
		be_another_process(sockets[1]);
	}
	close(sockets[1]);
	start_gpu();
	VkPhysicalDeviceDriverProperties driver = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &driver};
	vkGetPhysicalDeviceProperties2(gpu.physical, &properties);
	gpu.export_waits = strncmp(driver.driverInfo, "Mesa 25.", 8) == 0;
	printf("%s, %s, %s\n", properties.properties.deviceName, driver.driverName,
		driver.driverInfo);
	RUN(test_properties());
	RUN(test_fence_that_is_done());
	RUN(test_fence_that_is_pending());
	RUN(test_fence_import());
	RUN(test_semaphore());
	RUN(test_semaphore_import_of_nothing());
	RUN(test_many());
	RUN(test_another_process(sockets[0], pid));
	stop_gpu();
	printf("all of it works\n");
	return 0;
}
