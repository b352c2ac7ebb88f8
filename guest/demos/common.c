/* SPDX-License-Identifier: MIT */
#include "common.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A wait that takes longer than this has failed. Software drivers in emulated guests are slow. */
#define TIMEOUT_S 120u

static const char *program = "demo";

void demo_start(const char *name) {
	program = name;
	setvbuf(stdout, NULL, _IOLBF, 0);
}

bool demo_fail(const char *format, ...) {
	va_list args;
	va_start(args, format);
	fflush(stdout);
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return false;
}

const char *demo_result_name(VkResult result) {
	switch (result) {
#define NAME(value) \
	case value: \
		return #value
		NAME(VK_SUCCESS);
		NAME(VK_NOT_READY);
		NAME(VK_TIMEOUT);
		NAME(VK_EVENT_SET);
		NAME(VK_EVENT_RESET);
		NAME(VK_INCOMPLETE);
		NAME(VK_ERROR_OUT_OF_HOST_MEMORY);
		NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY);
		NAME(VK_ERROR_INITIALIZATION_FAILED);
		NAME(VK_ERROR_DEVICE_LOST);
		NAME(VK_ERROR_MEMORY_MAP_FAILED);
		NAME(VK_ERROR_LAYER_NOT_PRESENT);
		NAME(VK_ERROR_EXTENSION_NOT_PRESENT);
		NAME(VK_ERROR_FEATURE_NOT_PRESENT);
		NAME(VK_ERROR_INCOMPATIBLE_DRIVER);
		NAME(VK_ERROR_TOO_MANY_OBJECTS);
		NAME(VK_ERROR_FORMAT_NOT_SUPPORTED);
		NAME(VK_ERROR_OUT_OF_POOL_MEMORY);
		NAME(VK_ERROR_INVALID_EXTERNAL_HANDLE);
#undef NAME
	default:
		return NULL;
	}
}

bool demo_check(VkResult result, const char *what) {
	if (result >= 0) {
		return true;
	}
	/* "vkCreateDevice(a, b)": the name is enough */
	int length = (int)strcspn(what, "(");
	const char *name = demo_result_name(result);
	return name ? demo_fail("%.*s: %s", length, what, name)
	            : demo_fail("%.*s: VkResult %d", length, what, (int)result);
}

double demo_now(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static volatile sig_atomic_t interrupted;

static void handle_signal(int signal_number) {
	interrupted = signal_number;
}

void demo_catch_signals(void) {
	const struct sigaction action = {.sa_handler = handle_signal};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int demo_interrupted(void) {
	return interrupted;
}

static bool create_instance(struct demo_gpu *gpu) {
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = program,
		.apiVersion = VK_API_VERSION_1_2,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
	};
	DEMO_TRY(vkCreateInstance(&info, NULL, &gpu->instance));
	return true;
}

static void get_properties(VkPhysicalDevice physical, VkPhysicalDeviceProperties *properties,
		VkPhysicalDeviceDriverProperties *driver) {
	vkGetPhysicalDeviceProperties(physical, properties);
	*driver = (VkPhysicalDeviceDriverProperties){
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
	if (properties->apiVersion >= VK_API_VERSION_1_2) {
		VkPhysicalDeviceProperties2 properties2 = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = driver};
		vkGetPhysicalDeviceProperties2(physical, &properties2);
		driver->pNext = NULL;
	}
}

static bool pick_physical_device(struct demo_gpu *gpu, const char *driver_name) {
	VkPhysicalDevice devices[16];
	uint32_t count = sizeof(devices) / sizeof(devices[0]);
	DEMO_TRY(vkEnumeratePhysicalDevices(gpu->instance, &count, devices));
	if (count == 0) {
		return demo_fail("there is no Vulkan device; is a driver installed, and has the virtual "
			"machine a GPU?");
	}
	for (uint32_t i = 0; i < count; i++) {
		VkPhysicalDeviceProperties properties;
		VkPhysicalDeviceDriverProperties driver;
		get_properties(devices[i], &properties, &driver);
		bool wanted = driver_name ? strcmp(driver.driverName, driver_name) == 0
		                          : driver.driverID == VK_DRIVER_ID_MESA_VENUS;
		if (wanted || (!driver_name && !gpu->physical)) {
			gpu->physical = devices[i];
			gpu->properties = properties;
			gpu->driver = driver;
		}
		if (wanted) {
			break;
		}
	}
	if (!gpu->physical) {
		return demo_fail("none of %u Vulkan devices has the driver %s", count, driver_name);
	}
	printf("device: %s\n", gpu->properties.deviceName);
	printf("driver: %s (%s)\n", gpu->driver.driverName, gpu->driver.driverInfo);
	printf("Vulkan: %u.%u.%u\n", VK_API_VERSION_MAJOR(gpu->properties.apiVersion),
		VK_API_VERSION_MINOR(gpu->properties.apiVersion),
		VK_API_VERSION_PATCH(gpu->properties.apiVersion));
	vkGetPhysicalDeviceMemoryProperties(gpu->physical, &gpu->memory);
	return true;
}

static bool pick_queue_family(struct demo_gpu *gpu, VkQueueFlags flags) {
	VkQueueFamilyProperties families[32];
	uint32_t count = sizeof(families) / sizeof(families[0]);
	vkGetPhysicalDeviceQueueFamilyProperties(gpu->physical, &count, families);
	for (uint32_t i = 0; i < count; i++) {
		if ((families[i].queueFlags & flags) == flags) {
			gpu->family_index = i;
			gpu->family = families[i];
			return true;
		}
	}
	return demo_fail("no queue family can do what is needed (VkQueueFlags 0x%x)", flags);
}

static bool check_extensions(const struct demo_gpu *gpu, const struct demo_gpu_options *options) {
	uint32_t count = 0;
	DEMO_TRY(vkEnumerateDeviceExtensionProperties(gpu->physical, NULL, &count, NULL));
	VkExtensionProperties *found = calloc(count ? count : 1, sizeof(*found));
	if (!found) {
		return demo_fail("out of memory");
	}
	const char *missing = NULL;
	VkResult result = vkEnumerateDeviceExtensionProperties(gpu->physical, NULL, &count, found);
	for (uint32_t i = 0; i < options->extension_count && !missing; i++) {
		missing = options->extensions[i];
		for (uint32_t j = 0; j < count && missing; j++) {
			if (strcmp(found[j].extensionName, missing) == 0) {
				missing = NULL;
			}
		}
	}
	free(found);
	if (!demo_check(result, "vkEnumerateDeviceExtensionProperties")) {
		return false;
	}
	return !missing || demo_fail("the Vulkan driver has no %s, which is needed for this", missing);
}

static bool create_device(struct demo_gpu *gpu, const struct demo_gpu_options *options) {
	VkPhysicalDeviceVulkan12Features features12 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
	const bool has_12 = gpu->properties.apiVersion >= VK_API_VERSION_1_2;
	if (has_12) {
		VkPhysicalDeviceFeatures2 features = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &features12};
		vkGetPhysicalDeviceFeatures2(gpu->physical, &features);
		gpu->host_query_reset = options->host_query_reset && features12.hostQueryReset;
		gpu->timeline_semaphore = options->timeline_semaphore && features12.timelineSemaphore;
	}
	features12 = (VkPhysicalDeviceVulkan12Features){
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.hostQueryReset = gpu->host_query_reset,
		.timelineSemaphore = gpu->timeline_semaphore,
	};
	const float priority = 1.0f;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = gpu->family_index,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = has_12 ? &features12 : NULL,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = options->extension_count,
		.ppEnabledExtensionNames = options->extensions,
	};
	DEMO_TRY(vkCreateDevice(gpu->physical, &info, NULL, &gpu->device));
	vkGetDeviceQueue(gpu->device, gpu->family_index, 0, &gpu->queue);
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = gpu->family_index,
	};
	DEMO_TRY(vkCreateCommandPool(gpu->device, &pool, NULL, &gpu->pool));
	return true;
}

bool demo_gpu_init(struct demo_gpu *gpu, const struct demo_gpu_options *options) {
	*gpu = (struct demo_gpu){0};
	return create_instance(gpu) && pick_physical_device(gpu, options->driver_name) &&
		pick_queue_family(gpu, options->queue_flags) && check_extensions(gpu, options) &&
		create_device(gpu, options);
}

bool demo_gpu_init_another(struct demo_gpu *gpu, const struct demo_gpu *first,
		const struct demo_gpu_options *options) {
	*gpu = *first;
	gpu->instance = VK_NULL_HANDLE;
	gpu->device = VK_NULL_HANDLE;
	gpu->pool = VK_NULL_HANDLE;
	return create_device(gpu, options);
}

void demo_gpu_finish(struct demo_gpu *gpu) {
	if (gpu->device) {
		vkDeviceWaitIdle(gpu->device);
		vkDestroyCommandPool(gpu->device, gpu->pool, NULL);
		vkDestroyDevice(gpu->device, NULL);
	}
	if (gpu->instance) {
		vkDestroyInstance(gpu->instance, NULL);
	}
	*gpu = (struct demo_gpu){0};
}

int demo_find_memory(const struct demo_gpu *gpu, uint32_t type_bits, VkMemoryPropertyFlags flags,
		VkMemoryPropertyFlags preferred) {
	const VkMemoryPropertyFlags wanted[2] = {flags | preferred, flags};
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < gpu->memory.memoryTypeCount; i++) {
			VkMemoryPropertyFlags has = gpu->memory.memoryTypes[i].propertyFlags;
			if ((type_bits >> i & 1) && (has & wanted[pass]) == wanted[pass]) {
				return (int)i;
			}
		}
	}
	return -1;
}

void demo_memory_flags_text(VkMemoryPropertyFlags flags, char *text, size_t size) {
	static const struct {
		VkMemoryPropertyFlags flag;
		const char *name;
	} names[] = {
		{VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, "DEVICE_LOCAL"},
		{VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, "HOST_VISIBLE"},
		{VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, "HOST_COHERENT"},
		{VK_MEMORY_PROPERTY_HOST_CACHED_BIT, "HOST_CACHED"},
		{VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT, "LAZILY_ALLOCATED"},
		{VK_MEMORY_PROPERTY_PROTECTED_BIT, "PROTECTED"},
	};
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((flags & names[i].flag) && used < size) {
			int length = snprintf(
				text + used, size - used, "%s%s", used ? "|" : "", names[i].name);
			used += length > 0 ? (size_t)length : 0;
		}
	}
}

static bool is_coherent(const struct demo_gpu *gpu, uint32_t type) {
	return gpu->memory.memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
}

bool demo_invalidate(const struct demo_gpu *gpu, VkDeviceMemory memory, uint32_t type) {
	const VkMappedMemoryRange range = {
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, .memory = memory, .size = VK_WHOLE_SIZE};
	return is_coherent(gpu, type) ||
		demo_check(vkInvalidateMappedMemoryRanges(gpu->device, 1, &range),
			"vkInvalidateMappedMemoryRanges");
}

bool demo_flush(const struct demo_gpu *gpu, VkDeviceMemory memory, uint32_t type) {
	const VkMappedMemoryRange range = {
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, .memory = memory, .size = VK_WHOLE_SIZE};
	return is_coherent(gpu, type) ||
		demo_check(vkFlushMappedMemoryRanges(gpu->device, 1, &range), "vkFlushMappedMemoryRanges");
}

static bool create_buffer(struct demo_buffer *buffer, const struct demo_gpu *gpu, VkDeviceSize size,
		VkBufferUsageFlags usage, VkMemoryRequirements *requirements) {
	*buffer = (struct demo_buffer){.size = size};
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = usage,
		.sharingMode = VK_SHARING_MODE_EXCLUSIVE,
	};
	DEMO_TRY(vkCreateBuffer(gpu->device, &info, NULL, &buffer->buffer));
	vkGetBufferMemoryRequirements(gpu->device, buffer->buffer, requirements);
	return true;
}

static bool bind_buffer(struct demo_buffer *buffer, const struct demo_gpu *gpu,
		const VkMemoryRequirements *requirements, uint32_t type) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = requirements->size,
		.memoryTypeIndex = type,
	};
	buffer->type = type;
	DEMO_TRY(vkAllocateMemory(gpu->device, &info, NULL, &buffer->memory));
	DEMO_TRY(vkBindBufferMemory(gpu->device, buffer->buffer, buffer->memory, 0));
	if (gpu->memory.memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) {
		DEMO_TRY(vkMapMemory(gpu->device, buffer->memory, 0, VK_WHOLE_SIZE, 0, &buffer->data));
	}
	return true;
}

bool demo_buffer_init(struct demo_buffer *buffer, const struct demo_gpu *gpu, VkDeviceSize size,
		VkBufferUsageFlags usage, VkMemoryPropertyFlags flags) {
	VkMemoryRequirements requirements;
	if (!create_buffer(buffer, gpu, size, usage, &requirements)) {
		return false;
	}
	int type = demo_find_memory(
		gpu, requirements.memoryTypeBits, flags, VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
	if (type < 0) {
		char text[160];
		demo_memory_flags_text(flags, text, sizeof(text));
		return demo_fail("no memory type for a buffer is %s", text);
	}
	return bind_buffer(buffer, gpu, &requirements, (uint32_t)type);
}

bool demo_buffer_init_type(struct demo_buffer *buffer, const struct demo_gpu *gpu,
		VkDeviceSize size, VkBufferUsageFlags usage, uint32_t type) {
	VkMemoryRequirements requirements;
	if (!create_buffer(buffer, gpu, size, usage, &requirements)) {
		return false;
	}
	if (!(requirements.memoryTypeBits >> type & 1)) {
		return demo_fail("memory type %u does not suit a buffer", type);
	}
	return bind_buffer(buffer, gpu, &requirements, type);
}

void demo_buffer_finish(struct demo_buffer *buffer, const struct demo_gpu *gpu) {
	if (gpu->device) {
		vkDestroyBuffer(gpu->device, buffer->buffer, NULL);
		vkFreeMemory(gpu->device, buffer->memory, NULL);
	}
	*buffer = (struct demo_buffer){0};
}

bool demo_shader_init(VkShaderModule *shader, const struct demo_gpu *gpu, const uint32_t *code,
		size_t size) {
	const VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = size,
		.pCode = code,
	};
	DEMO_TRY(vkCreateShaderModule(gpu->device, &info, NULL, shader));
	return true;
}

bool demo_commands_begin(VkCommandBuffer *commands, const struct demo_gpu *gpu) {
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = gpu->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	DEMO_TRY(vkAllocateCommandBuffers(gpu->device, &allocate, commands));
	DEMO_TRY(vkBeginCommandBuffer(*commands, &begin));
	return true;
}

static bool submit_and_wait(VkCommandBuffer commands, const struct demo_gpu *gpu, VkFence fence) {
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	DEMO_TRY(vkQueueSubmit(gpu->queue, 1, &submit, fence));
	const uint64_t timeout = TIMEOUT_S * UINT64_C(1000000000);
	VkResult result = vkWaitForFences(gpu->device, 1, &fence, VK_TRUE, timeout);
	if (result == VK_TIMEOUT) {
		return demo_fail("the GPU did not finish within %u s", TIMEOUT_S);
	}
	return demo_check(result, "vkWaitForFences");
}

bool demo_commands_run(VkCommandBuffer commands, const struct demo_gpu *gpu) {
	DEMO_TRY(vkEndCommandBuffer(commands));
	const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence;
	DEMO_TRY(vkCreateFence(gpu->device, &info, NULL, &fence));
	if (!submit_and_wait(commands, gpu, fence)) {
		return false; /* still in use, perhaps: left to the device's end */
	}
	vkDestroyFence(gpu->device, fence, NULL);
	vkFreeCommandBuffers(gpu->device, gpu->pool, 1, &commands);
	return true;
}

void demo_barrier(VkCommandBuffer commands, VkPipelineStageFlags source_stage, VkAccessFlags source,
		VkPipelineStageFlags destination_stage, VkAccessFlags destination) {
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = source,
		.dstAccessMask = destination,
	};
	vkCmdPipelineBarrier(
		commands, source_stage, destination_stage, 0, 1, &barrier, 0, NULL, 0, NULL);
}
