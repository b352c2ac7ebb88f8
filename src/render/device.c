/* SPDX-License-Identifier: MIT */
#define VK_ENABLE_BETA_EXTENSIONS /* VK_KHR_portability_subset is among them */
#include "render/device.h"

#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#include "render/call.h"
#include "render/chain.h"
#include "render/device_loss.h"
#include "render/memory.h"
#include "render/physical_device.h"
#include "render/queue.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"
#include "vk/device.h"
#include "vk/count.h"

/** What we enable beside what the guest asks for. */
#define ADDED_EXTENSIONS (VK_HOST_MEMORY_MAX_EXTENSIONS + 1)

static bool queues_are_there(struct render_call *call, const VkDeviceCreateInfo *info,
		VkPhysicalDevice handle) {
	const struct vk_instance_table *vk = render_call_instance_table(call);
	struct arena *arena = call->decoder->arena;
	uint32_t count = 0;
	vk->GetPhysicalDeviceQueueFamilyProperties(handle, &count, NULL);
	const uint32_t room = count = vk_count(count, VK_COUNT_MAX);
	VkQueueFamilyProperties *families = arena_alloc_array(arena, count, sizeof(*families));
	uint64_t *used = arena_alloc_array(arena, count, sizeof(*used));
	if (!families || !used) {
		return false;
	}
	vk->GetPhysicalDeviceQueueFamilyProperties(handle, &count, families);
	count = vk_count(count, room);
	memset(used, 0, count * sizeof(*used));
	for (uint32_t i = 0; i < info->queueCreateInfoCount; i++) {
		const VkDeviceQueueCreateInfo *queue = &info->pQueueCreateInfos[i];
		if (queue->queueFamilyIndex >= count || !queue->queueCount) {
			return false;
		}
		used[queue->queueFamilyIndex] += queue->queueCount;
		if (used[queue->queueFamilyIndex] > families[queue->queueFamilyIndex].queueCount) {
			return false;
		}
	}
	return true;
}

static void add_name(const char **names, uint32_t *count, const char *name) {
	for (uint32_t i = 0; i < *count; i++) {
		if (strcmp(names[i], name) == 0) {
			return;
		}
	}
	names[(*count)++] = name;
}

/** The extensions to enable: the guest's, checked, and ours. */
static VkResult choose_extensions(struct render_call *call,
		const struct render_physical_device *physical, VkDeviceCreateInfo *info) {
	const char **names = arena_alloc_array(call->decoder->arena,
		(size_t)info->enabledExtensionCount + ADDED_EXTENSIONS, sizeof(*names));
	if (!names) {
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	uint32_t count = 0;
	for (uint32_t i = 0; i < info->enabledExtensionCount; i++) {
		const char *name = info->ppEnabledExtensionNames[i];
		const struct venus_extension *known = venus_extension_find(name);
		if (!known) {
			/* of the window system, which is the guest's: its driver keeps most of them to itself */
			continue;
		}
		if (!known->offered) {
			/* the guest's driver implements it; others may need it (ray tracing does) */
			if (vk_extensions_have(&physical->host_extensions, name)) {
				add_name(names, &count, name);
			}
			continue;
		}
		if (!render_physical_device_offers(physical, name)) {
			log_warn("%s: vkCreateDevice: %.64s is not offered",
				call->context->options.name, name);
			return VK_ERROR_EXTENSION_NOT_PRESENT;
		}
		if (!render_extension_is_ours(name)) {
			add_name(names, &count, name);
		}
	}
	const char *imports[VK_HOST_MEMORY_MAX_EXTENSIONS];
	const uint32_t import_count = vk_host_memory_extensions(&physical->host_memory, imports);
	for (uint32_t i = 0; i < import_count; i++) {
		add_name(names, &count, imports[i]);
	}
	if (vk_extensions_have(&physical->host_extensions, VK_DEVICE_PORTABILITY_SUBSET)) {
		add_name(names, &count, VK_DEVICE_PORTABILITY_SUBSET);
	}
	info->enabledExtensionCount = count;
	info->ppEnabledExtensionNames = names;
	info->enabledLayerCount = 0;
	info->ppEnabledLayerNames = NULL;
	return VK_SUCCESS;
}

static bool remember_queues(struct render_device *device, const VkDeviceCreateInfo *info) {
	device->families = calloc(info->queueCreateInfoCount, sizeof(*device->families));
	if (!device->families && info->queueCreateInfoCount) {
		return false;
	}
	device->family_count = info->queueCreateInfoCount;
	for (uint32_t i = 0; i < info->queueCreateInfoCount; i++) {
		device->families[i] = (struct render_device_queues){
			.family = info->pQueueCreateInfos[i].queueFamilyIndex,
			.count = info->pQueueCreateInfos[i].queueCount,
			.flags = info->pQueueCreateInfos[i].flags,
		};
	}
	return true;
}

bool render_device_has_queue(const struct render_device *device, uint32_t family, uint32_t index,
		VkDeviceQueueCreateFlags flags) {
	for (uint32_t i = 0; i < device->family_count; i++) {
		const struct render_device_queues *queues = &device->families[i];
		if (queues->family == family && queues->flags == flags && index < queues->count) {
			return true;
		}
	}
	return false;
}

/**
 * What every driver has to have, but those that conform only in part have as features. Venus knows nothing of them, so
 * that guests take them for granted: all that are there are enabled.
 */
static void enable_portability(const struct render_physical_device *physical,
		const struct vk_instance_table *vk, VkPhysicalDevice handle, VkDeviceCreateInfo *info,
		VkPhysicalDevicePortabilitySubsetFeaturesKHR *portability) {
	if (!vk_extensions_have(&physical->host_extensions, VK_DEVICE_PORTABILITY_SUBSET)) {
		return;
	}
	*portability = (VkPhysicalDevicePortabilitySubsetFeaturesKHR){
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_FEATURES_KHR};
	VkPhysicalDeviceFeatures2 features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.pNext = portability,
	};
	vk->GetPhysicalDeviceFeatures2(handle, &features);
	chain_insert(info, portability);
}

void render_handle_vkCreateDevice(struct render_call *call, struct venus_vkCreateDevice *args) {
	struct render_context *context = call->context;
	struct render_physical_device *physical =
		(struct render_physical_device *)args->physicalDevice_object;
	/* decoded into our arena: what the host is given may differ from what the guest sent */
	VkDeviceCreateInfo *info = (VkDeviceCreateInfo *)args->pCreateInfo;

	args->ret = render_physical_device_fill_extensions(context, physical);
	if (args->ret == VK_SUCCESS && !queues_are_there(call, info, args->physicalDevice)) {
		args->ret = VK_ERROR_INITIALIZATION_FAILED;
	}
	if (args->ret == VK_SUCCESS) {
		args->ret = choose_extensions(call, physical, info);
	}
	if (args->ret != VK_SUCCESS) {
		return;
	}

	/* nobody sees a device that is not whole; and a failed one leaves nothing to name */
	struct render_device *device = render_device_of(render_object_alloc(
		call, RENDER_HANDLE(*args->pDevice), VK_OBJECT_TYPE_DEVICE, sizeof(*device)));
	if (!device) {
		return;
	}
	device->physical = physical;
	list_init(&device->queues);
	pthread_mutex_init(&device->pool_lock, NULL);
	render_libraries_init(&device->libraries);
	render_sync_fd_init(&device->sync_fd);
	const struct vk_instance_table *vk = render_call_instance_table(call);
	VkPhysicalDevicePortabilitySubsetFeaturesKHR portability;
	enable_portability(physical, vk, args->physicalDevice, info, &portability);
	VkDevice handle = VK_NULL_HANDLE;
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (remember_queues(device, info)) {
		args->ret = vk->CreateDevice(args->physicalDevice, info, NULL, &handle);
	}
	if (args->ret != VK_SUCCESS) {
		goto free_device;
	}
	vk_device_table_load(&device->vk, vk->GetDeviceProcAddr, handle);
	device->base.handle = RENDER_HANDLE(handle);
	if (venus_object_table_add(&context->objects, &device->base)) {
		return;
	}
	render_call_fail(call, "the new object's id is taken");
	device->vk.DestroyDevice(handle, NULL);

free_device:
	free(device->families);
	render_sync_fd_finish(device);
	render_libraries_finish(&device->libraries);
	pthread_mutex_destroy(&device->pool_lock);
	free(device);
}

/* --- destruction --- */

/**
 * In which round an object is destroyed with its device: users before what they use. Objects of no
 * round go with another (sets with their pool) or have no host handle of their own (queues).
 */
static int destruction_round(VkObjectType type) {
	switch (type) {
	case VK_OBJECT_TYPE_COMMAND_POOL:
	case VK_OBJECT_TYPE_DESCRIPTOR_POOL:
	case VK_OBJECT_TYPE_FRAMEBUFFER:
	case VK_OBJECT_TYPE_PIPELINE:
		return 0;
	case VK_OBJECT_TYPE_DESCRIPTOR_UPDATE_TEMPLATE:
	case VK_OBJECT_TYPE_EVENT:
	case VK_OBJECT_TYPE_FENCE:
	case VK_OBJECT_TYPE_PIPELINE_CACHE:
	case VK_OBJECT_TYPE_PIPELINE_LAYOUT:
	case VK_OBJECT_TYPE_QUERY_POOL:
	case VK_OBJECT_TYPE_RENDER_PASS:
	case VK_OBJECT_TYPE_SEMAPHORE:
	case VK_OBJECT_TYPE_SHADER_MODULE:
	case VK_OBJECT_TYPE_BUFFER_VIEW:
	case VK_OBJECT_TYPE_IMAGE_VIEW:
	case VK_OBJECT_TYPE_ACCELERATION_STRUCTURE_KHR:
		return 1;
	case VK_OBJECT_TYPE_DESCRIPTOR_SET_LAYOUT:
	case VK_OBJECT_TYPE_SAMPLER:
	case VK_OBJECT_TYPE_BUFFER:
	case VK_OBJECT_TYPE_IMAGE:
		return 2;
	case VK_OBJECT_TYPE_SAMPLER_YCBCR_CONVERSION:
	case VK_OBJECT_TYPE_DEVICE_MEMORY:
		return 3;
	default:
		return -1;
	}
}
#define DESTRUCTION_ROUNDS 4

#define DESTROY(type) \
	vk->Destroy##type(device, (Vk##type)(uintptr_t)handle, NULL); \
	break

static void destroy_child(const struct vk_device_table *vk, VkDevice device, VkObjectType type,
		uint64_t handle) {
	switch (type) {
	case VK_OBJECT_TYPE_COMMAND_POOL:
		DESTROY(CommandPool);
	case VK_OBJECT_TYPE_DESCRIPTOR_POOL:
		DESTROY(DescriptorPool);
	case VK_OBJECT_TYPE_FRAMEBUFFER:
		DESTROY(Framebuffer);
	case VK_OBJECT_TYPE_DESCRIPTOR_UPDATE_TEMPLATE:
		DESTROY(DescriptorUpdateTemplate);
	case VK_OBJECT_TYPE_EVENT:
		DESTROY(Event);
	case VK_OBJECT_TYPE_FENCE:
		DESTROY(Fence);
	case VK_OBJECT_TYPE_PIPELINE_CACHE:
		DESTROY(PipelineCache);
	case VK_OBJECT_TYPE_PIPELINE_LAYOUT:
		DESTROY(PipelineLayout);
	case VK_OBJECT_TYPE_QUERY_POOL:
		DESTROY(QueryPool);
	case VK_OBJECT_TYPE_RENDER_PASS:
		DESTROY(RenderPass);
	case VK_OBJECT_TYPE_SEMAPHORE:
		DESTROY(Semaphore);
	case VK_OBJECT_TYPE_SHADER_MODULE:
		DESTROY(ShaderModule);
	case VK_OBJECT_TYPE_BUFFER_VIEW:
		DESTROY(BufferView);
	case VK_OBJECT_TYPE_IMAGE_VIEW:
		DESTROY(ImageView);
	case VK_OBJECT_TYPE_ACCELERATION_STRUCTURE_KHR:
		DESTROY(AccelerationStructureKHR);
	case VK_OBJECT_TYPE_DESCRIPTOR_SET_LAYOUT:
		DESTROY(DescriptorSetLayout);
	case VK_OBJECT_TYPE_SAMPLER:
		DESTROY(Sampler);
	case VK_OBJECT_TYPE_BUFFER:
		DESTROY(Buffer);
	case VK_OBJECT_TYPE_IMAGE:
		DESTROY(Image);
	case VK_OBJECT_TYPE_SAMPLER_YCBCR_CONVERSION:
		DESTROY(SamplerYcbcrConversion);
	default:
		break;
	}
}

bool render_device_has_push_constants(
		struct venus_object *device, uint32_t offset, uint32_t size) {
	const uint32_t limit =
		render_device_of(device)->physical->properties.limits.maxPushConstantsSize;
	return offset <= limit && size <= limit - offset;
}

static void destroy_queues(struct render_context *context, struct render_device *device) {
	/* from here on no fence finds the queues */
	pthread_mutex_lock(&context->timeline_lock);
	LIST_FOR_EACH(queue, &device->queues, struct render_queue, link) {
		context->timelines[queue->ring_idx] = NULL;
	}
	pthread_mutex_unlock(&context->timeline_lock);

	while (!list_empty(&device->queues)) {
		struct render_queue *queue =
			LIST_CONTAINER(device->queues.next, struct render_queue, link);
		list_remove(&queue->link);
		render_queue_finish(queue);
		render_object_unbind(context, &queue->base);
	}
}

static void destroy_children(struct render_context *context, struct render_device *device) {
	/* a copy: other threads go on making objects of other devices */
	size_t count;
	struct venus_object **objects = venus_object_table_snapshot(&context->objects, &count);
	for (int round = -1; round < DESTRUCTION_ROUNDS; round++) {
		for (size_t i = 0; i < count; i++) {
			struct venus_object *object = objects[i];
			if (!object || object->device != &device->base ||
					object == &device->base ||
					destruction_round(object->type) != round) {
				continue;
			}
			objects[i] = NULL;
			if (object->type == VK_OBJECT_TYPE_DEVICE_MEMORY) {
				render_memory_free(context, (struct render_memory *)object);
				continue;
			}
			VkObjectType type = object->type;
			uint64_t handle = render_object_unbind(context, object);
			if (handle && type == VK_OBJECT_TYPE_PIPELINE) {
				render_pipeline_destroy(device, handle);
			} else if (handle) {
				destroy_child(&device->vk, render_device_handle(device), type,
					handle);
			}
		}
	}
	free(objects);
}

void render_device_destroy(struct render_context *context, struct render_device *device) {
	if (atomic_exchange(&device->destroyed, true)) {
		return;
	}
	VkDevice handle = render_device_handle(device);
	if (handle) {
		/* all that is destroyed here may be in use by what was submitted */
		device->vk.DeviceWaitIdle(handle);
		destroy_queues(context, device);
	}
	destroy_children(context, device);
	render_device_tell_loss(context, device);
	render_sync_fd_finish(device);
	if (handle) {
		device->vk.DestroyDevice(handle, NULL);
	}
	render_libraries_finish(&device->libraries);
	pthread_mutex_destroy(&device->pool_lock);
	free(device->families);
	device->families = NULL;
	device->family_count = 0;
	render_object_unbind(context, &device->base);
}

void render_handle_vkDestroyDevice(struct render_call *call, struct venus_vkDestroyDevice *args) {
	if (!args->device_object) {
		return;
	}
	const uint64_t id = args->device_object->id;
	if (!render_executor_claim(call->executor)) {
		render_call_fail_claim(call);
		return;
	}
	/* another thread may have destroyed it while we waited for our turn */
	struct venus_object *device = venus_object_table_get(&call->context->objects, id);
	if (device && device->type == VK_OBJECT_TYPE_DEVICE) {
		render_device_destroy(call->context, render_device_of(device));
	}
	render_executor_release(call->executor);
}
