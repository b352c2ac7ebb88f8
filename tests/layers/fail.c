/* SPDX-License-Identifier: MIT */

/*
 * VK_LAYER_VENERA_fail: makes functions of the driver fail. VENERA_FAIL is a list, separated by
 * commas, of FUNCTION:N:RESULT, as in vkCreateBuffer:3:VK_ERROR_OUT_OF_DEVICE_MEMORY: the third
 * call of the function in this process fails. HANG in place of a result means that it never returns, CRASH that
 * it ends the process. N+ means that call and all that follow. A process in
 * which there were fewer calls aborts in the end: its test would have tried nothing.
 */

#include "layer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	VkResult result;
} results[] = {
	{"VK_ERROR_OUT_OF_HOST_MEMORY", VK_ERROR_OUT_OF_HOST_MEMORY},
	{"VK_ERROR_OUT_OF_DEVICE_MEMORY", VK_ERROR_OUT_OF_DEVICE_MEMORY},
	{"VK_ERROR_INITIALIZATION_FAILED", VK_ERROR_INITIALIZATION_FAILED},
	{"VK_ERROR_DEVICE_LOST", VK_ERROR_DEVICE_LOST},
	{"VK_ERROR_MEMORY_MAP_FAILED", VK_ERROR_MEMORY_MAP_FAILED},
	{"VK_ERROR_FEATURE_NOT_PRESENT", VK_ERROR_FEATURE_NOT_PRESENT},
	{"VK_ERROR_TOO_MANY_OBJECTS", VK_ERROR_TOO_MANY_OBJECTS},
	{"VK_ERROR_FORMAT_NOT_SUPPORTED", VK_ERROR_FORMAT_NOT_SUPPORTED},
	{"VK_ERROR_OUT_OF_POOL_MEMORY", VK_ERROR_OUT_OF_POOL_MEMORY},
	{"VK_ERROR_FRAGMENTED_POOL", VK_ERROR_FRAGMENTED_POOL},
	{"VK_ERROR_INVALID_EXTERNAL_HANDLE", VK_ERROR_INVALID_EXTERNAL_HANDLE},
	{"VK_ERROR_UNKNOWN", VK_ERROR_UNKNOWN},
	{"VK_PIPELINE_COMPILE_REQUIRED", VK_PIPELINE_COMPILE_REQUIRED},
};

static void complain(const char *entry) {
	fprintf(stderr, "VENERA_FAIL: \"%s\" is not FUNCTION:N:VkResult\n", entry);
	abort(); /* a test that asks for nothing must not pass */
}

static void do_not_return(bool hangs) {
	while (hangs) {
		sleep(1000);
	}
	abort();
}

#define ENTRIES 16
static _Atomic bool used[ENTRIES]; /* entries of the list */

/** What VENERA_FAIL has for call `n` of a function: VK_SUCCESS if nothing. */
static VkResult asked_for(const char *function, unsigned n) {
	const char *list = getenv("VENERA_FAIL");
	size_t number = 0;
	for (const char *entry = list; entry && *entry; number++) {
		const size_t length = strcspn(entry, ",");
		char name[64], result[64], plus = 0;
		unsigned first;
		if (sscanf(entry, "%63[^:,]:%u+:%63[A-Z_]", name, &first, result) == 3) {
			plus = 1;
		} else if (sscanf(entry, "%63[^:,]:%u:%63[A-Z_]", name, &first, result) != 3) {
			complain(entry);
		}
		if (number == ENTRIES) {
			complain("more than 16 entries");
		}
		const bool applies =
			strcmp(name, function) == 0 && (n == first || (plus && n > first));
		const bool hangs = strcmp(result, "HANG") == 0;
		if (hangs || strcmp(result, "CRASH") == 0) {
			used[number] = true; /* that it comes to it, others see */
			if (applies) {
				layer_log("%s: call %u: %s", function, n, result);
				do_not_return(hangs);
			}
			entry += length + (entry[length] == ',');
			continue;
		}
		size_t i = 0;
		while (i < sizeof(results) / sizeof(results[0]) && strcmp(results[i].name, result) != 0) {
			i++;
		}
		if (i == sizeof(results) / sizeof(results[0])) {
			complain(entry);
		}
		if (applies) {
			used[number] = true;
			layer_log("%s: call %u fails with %s", function, n, result);
			return results[i].result;
		}
		entry += length + (entry[length] == ',');
	}
	return VK_SUCCESS;
}

#define DEFINE_FUNCTION_OF(NEXT, name, parameters, ...) \
	static VKAPI_ATTR VkResult VKAPI_CALL fail_##name parameters { \
		static _Atomic unsigned calls; \
		const VkResult result = asked_for("vk" #name, atomic_fetch_add(&calls, 1) + 1); \
		return result != VK_SUCCESS ? result : NEXT(handle, name)(__VA_ARGS__); \
	}
#define DEFINE_FUNCTION(name, parameters, ...) \
	DEFINE_FUNCTION_OF(DEVICE_NEXT, name, parameters, __VA_ARGS__)

DEFINE_FUNCTION_OF(INSTANCE_NEXT, EnumeratePhysicalDevices,
	(VkInstance handle, uint32_t *count, VkPhysicalDevice *devices), handle, count, devices)
DEFINE_FUNCTION_OF(INSTANCE_NEXT, EnumeratePhysicalDeviceGroups,
	(VkInstance handle, uint32_t *count, VkPhysicalDeviceGroupProperties *groups),
	handle, count, groups)

/* vkCreateBuffer and all that are like it */
#define CREATE_FUNCTIONS(X) \
	X(Buffer) \
	X(BufferView) \
	X(CommandPool) \
	X(DescriptorPool) \
	X(DescriptorSetLayout) \
	X(DescriptorUpdateTemplate) \
	X(Event) \
	X(Fence) \
	X(Framebuffer) \
	X(Image) \
	X(ImageView) \
	X(PipelineCache) \
	X(PipelineLayout) \
	X(QueryPool) \
	X(RenderPass) \
	X(Sampler) \
	X(SamplerYcbcrConversion) \
	X(Semaphore) \
	X(ShaderModule)

#define DEFINE_CREATE(kind) \
	DEFINE_FUNCTION(Create##kind, \
		(VkDevice handle, const Vk##kind##CreateInfo *info, \
			const VkAllocationCallbacks *allocator, Vk##kind *object), \
		handle, info, allocator, object)
CREATE_FUNCTIONS(DEFINE_CREATE)

DEFINE_FUNCTION(CreateRenderPass2,
	(VkDevice handle, const VkRenderPassCreateInfo2 *info,
		const VkAllocationCallbacks *allocator, VkRenderPass *object),
	handle, info, allocator, object)
DEFINE_FUNCTION(AllocateMemory,
	(VkDevice handle, const VkMemoryAllocateInfo *info,
		const VkAllocationCallbacks *allocator, VkDeviceMemory *object),
	handle, info, allocator, object)

/*
 * Of several pipelines the last fails, and the others are there: who asked for them has to see
 * to that.
 */
#define DEFINE_CREATE_PIPELINES(function, info_type, parameters, ...) \
	static VKAPI_ATTR VkResult VKAPI_CALL fail_##function(VkDevice handle, \
			PARAMETERS parameters, uint32_t count, const info_type *infos, \
			const VkAllocationCallbacks *allocator, VkPipeline *objects) { \
		static _Atomic unsigned calls; \
		const VkResult result = \
			asked_for("vk" #function, atomic_fetch_add(&calls, 1) + 1); \
		const VkResult real = DEVICE_NEXT(handle, function)( \
			handle, __VA_ARGS__, count, infos, allocator, objects); \
		if (result == VK_SUCCESS || real != VK_SUCCESS) { \
			return real; \
		} \
		DEVICE_NEXT(handle, DestroyPipeline)(handle, objects[count - 1], allocator); \
		objects[count - 1] = VK_NULL_HANDLE; \
		return result; \
	}
#define PARAMETERS(...) __VA_ARGS__
DEFINE_CREATE_PIPELINES(
	CreateGraphicsPipelines, VkGraphicsPipelineCreateInfo, (VkPipelineCache cache), cache)
DEFINE_CREATE_PIPELINES(
	CreateComputePipelines, VkComputePipelineCreateInfo, (VkPipelineCache cache), cache)
DEFINE_CREATE_PIPELINES(CreateRayTracingPipelinesKHR, VkRayTracingPipelineCreateInfoKHR,
	(VkDeferredOperationKHR operation, VkPipelineCache cache), operation, cache)

DEFINE_FUNCTION(BindBufferMemory2,
	(VkDevice handle, uint32_t count, const VkBindBufferMemoryInfo *infos), handle, count, infos)
DEFINE_FUNCTION(BindImageMemory2,
	(VkDevice handle, uint32_t count, const VkBindImageMemoryInfo *infos), handle, count, infos)
DEFINE_FUNCTION(WaitForFences,
	(VkDevice handle, uint32_t count, const VkFence *fences, VkBool32 all, uint64_t timeout),
	handle, count, fences, all, timeout)
DEFINE_FUNCTION(GetFenceStatus, (VkDevice handle, VkFence fence), handle, fence)
DEFINE_FUNCTION(WaitSemaphores,
	(VkDevice handle, const VkSemaphoreWaitInfo *info, uint64_t timeout), handle, info, timeout)
DEFINE_FUNCTION(GetSemaphoreCounterValue,
	(VkDevice handle, VkSemaphore semaphore, uint64_t *value), handle, semaphore, value)
DEFINE_FUNCTION(QueueBindSparse,
	(VkQueue handle, uint32_t count, const VkBindSparseInfo *infos, VkFence fence),
	handle, count, infos, fence)
DEFINE_FUNCTION(AllocateCommandBuffers,
	(VkDevice handle, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *objects),
	handle, info, objects)
DEFINE_FUNCTION(AllocateDescriptorSets,
	(VkDevice handle, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *objects),
	handle, info, objects)
DEFINE_FUNCTION(BindBufferMemory,
	(VkDevice handle, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset),
	handle, buffer, memory, offset)
DEFINE_FUNCTION(BindImageMemory,
	(VkDevice handle, VkImage image, VkDeviceMemory memory, VkDeviceSize offset),
	handle, image, memory, offset)
DEFINE_FUNCTION(BeginCommandBuffer,
	(VkCommandBuffer handle, const VkCommandBufferBeginInfo *info), handle, info)
DEFINE_FUNCTION(EndCommandBuffer, (VkCommandBuffer handle), handle)
DEFINE_FUNCTION(ResetCommandBuffer,
	(VkCommandBuffer handle, VkCommandBufferResetFlags flags), handle, flags)
DEFINE_FUNCTION(ResetCommandPool,
	(VkDevice handle, VkCommandPool pool, VkCommandPoolResetFlags flags), handle, pool, flags)
DEFINE_FUNCTION(ResetDescriptorPool,
	(VkDevice handle, VkDescriptorPool pool, VkDescriptorPoolResetFlags flags),
	handle, pool, flags)
DEFINE_FUNCTION(ResetFences,
	(VkDevice handle, uint32_t count, const VkFence *fences), handle, count, fences)
DEFINE_FUNCTION(GetEventStatus, (VkDevice handle, VkEvent event), handle, event)
DEFINE_FUNCTION(GetQueryPoolResults,
	(VkDevice handle, VkQueryPool pool, uint32_t first, uint32_t count, size_t size, void *data,
		VkDeviceSize stride, VkQueryResultFlags flags),
	handle, pool, first, count, size, data, stride, flags)
DEFINE_FUNCTION(CopyMemoryToImage,
	(VkDevice handle, const VkCopyMemoryToImageInfo *info), handle, info)
DEFINE_FUNCTION(CopyImageToMemory,
	(VkDevice handle, const VkCopyImageToMemoryInfo *info), handle, info)
DEFINE_FUNCTION(CopyImageToImage,
	(VkDevice handle, const VkCopyImageToImageInfo *info), handle, info)
DEFINE_FUNCTION(QueueSubmit,
	(VkQueue handle, uint32_t count, const VkSubmitInfo *infos, VkFence fence),
	handle, count, infos, fence)
DEFINE_FUNCTION(QueueSubmit2,
	(VkQueue handle, uint32_t count, const VkSubmitInfo2 *infos, VkFence fence),
	handle, count, infos, fence)

#define ENTRY(name) {"vk" #name, (PFN_vkVoidFunction)fail_##name},
#define CREATE_ENTRY(kind) ENTRY(Create##kind)
static const struct layer_function device_functions[] = {
	CREATE_FUNCTIONS(CREATE_ENTRY)
	ENTRY(CreateRenderPass2)
	ENTRY(AllocateMemory)
	ENTRY(CreateGraphicsPipelines)
	ENTRY(CreateComputePipelines)
	ENTRY(CreateRayTracingPipelinesKHR)
	ENTRY(AllocateCommandBuffers)
	ENTRY(AllocateDescriptorSets)
	ENTRY(BindBufferMemory)
	ENTRY(BindImageMemory)
	ENTRY(BindBufferMemory2)
	ENTRY(BindImageMemory2)
	ENTRY(WaitForFences)
	ENTRY(GetFenceStatus)
	ENTRY(WaitSemaphores)
	ENTRY(GetSemaphoreCounterValue)
	ENTRY(QueueBindSparse)
	ENTRY(BeginCommandBuffer)
	ENTRY(EndCommandBuffer)
	ENTRY(ResetCommandBuffer)
	ENTRY(ResetCommandPool)
	ENTRY(ResetDescriptorPool)
	ENTRY(ResetFences)
	ENTRY(GetEventStatus)
	ENTRY(GetQueryPoolResults)
	ENTRY(CopyMemoryToImage)
	ENTRY(CopyImageToMemory)
	ENTRY(CopyImageToImage)
	ENTRY(QueueSubmit)
	ENTRY(QueueSubmit2)
	{NULL, NULL},
};
static const struct layer_function instance_functions[] = {
	ENTRY(EnumeratePhysicalDevices)
	ENTRY(EnumeratePhysicalDeviceGroups)
	{NULL, NULL},
};

static void check_used(void) {
	const char *list = getenv("VENERA_FAIL");
	size_t number = 0;
	for (const char *entry = list; entry && *entry; number++) {
		const size_t length = strcspn(entry, ",");
		if (!used[number]) {
			fprintf(stderr, "VENERA_FAIL: never came to %.*s\n", (int)length, entry);
			abort();
		}
		entry += length + (entry[length] == ',');
	}
}

static VkResult before_instance(const VkInstanceCreateInfo *info) {
	(void)info;
	static _Atomic bool registered;
	if (!atomic_exchange(&registered, true)) {
		atexit(check_used); /* or when the loader lets go of us */
	}
	return VK_SUCCESS;
}

static VkResult before_device(
		VkPhysicalDevice physical, VkDeviceCreateInfo *info, const char **extensions) {
	static _Atomic unsigned calls;
	(void)physical;
	(void)info;
	(void)extensions;
	return asked_for("vkCreateDevice", atomic_fetch_add(&calls, 1) + 1);
}

const struct layer layer = {
	.instance_functions = instance_functions,
	.device_functions = device_functions,
	.before_instance = before_instance,
	.before_device = before_device,
};
