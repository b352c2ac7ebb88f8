/* SPDX-License-Identifier: MIT */

/* Command pools and descriptor pools, and what is allocated from them. */

#include <stdlib.h>

#include "render/call.h"
#include "render/device.h"
#include "render/failure.h"
#include "render/limit.h"
#include "render/object.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

static struct render_pool *create_pool(
		struct render_call *call, uint64_t id, VkObjectType type, bool resettable) {
	struct render_pool *pool = (struct render_pool *)render_object_alloc(
		call, id, type, sizeof(struct render_pool));
	if (!pool) {
		return NULL;
	}
	list_init(&pool->children);
	pool->resettable = resettable;
	return render_object_publish(call, &pool->base) ? pool : NULL;
}

/** Unbinds everything that was allocated from the pool. The host frees it with the pool. */
static void release_children(struct render_call *call, struct render_pool *pool, bool with_pool) {
	struct render_device *device = render_device_of(pool->base.device);
	pthread_mutex_lock(&device->pool_lock);
	pool->released |= with_pool;
	LIST_FOR_EACH_SAFE(child, &pool->children, struct render_pool_child, link) {
		list_remove(&child->link);
		render_object_unbind(call->context, &child->base);
	}
	pthread_mutex_unlock(&device->pool_lock);
}

/** Unbinds a pool and what was allocated from it; returns the host's handle. */
static uint64_t release_pool(struct render_call *call, struct venus_object *object) {
	if (!object) {
		return 0;
	}
	release_children(call, (struct render_pool *)object, true);
	return render_object_release(call, object);
}

/** What one call allocates from a pool. */
struct children {
	struct render_pool *pool;
	struct venus_object **objects;
	uint64_t *handles; /* for the host to fill in */
	uint32_t count;
};

/** Binds `ids` to objects without a host handle. false: the call has failed, and nothing is bound. */
static bool begin_children(struct render_call *call, struct children *children,
		const uint64_t *ids, uint32_t count, VkObjectType type) {
	struct arena *arena = call->decoder->arena;
	struct render_pool *pool = (struct render_pool *)call->decoder->pool;
	if (!pool || !count || !ids) {
		render_call_fail(call, "no pool, or nothing to allocate");
		return false;
	}
	*children = (struct children){
		.pool = pool,
		.objects = arena_alloc_array(arena, count, sizeof(*children->objects)),
		.handles = arena_alloc_array(arena, count, sizeof(*children->handles)),
		.count = count,
	};
	if (!children->objects || !children->handles) {
		render_call_fail(call, "out of memory");
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct venus_object *object = render_object_alloc(
			call, ids[i], type, sizeof(struct render_pool_child));
		if (object) {
			struct render_pool_child *child = (struct render_pool_child *)object;
			child->pool = pool;
			child->resettable = pool->resettable;
			list_init(&child->link);
		}
		if (!object || !render_object_publish(call, object)) {
			while (i-- > 0) {
				render_object_unbind(call->context, children->objects[i]);
			}
			return false;
		}
		children->objects[i] = object;
	}
	return true;
}

/** All or nothing. */
static void end_children(
		struct render_call *call, const struct children *children, VkResult result) {
	struct render_pool *pool = children->pool;
	struct render_device *device = render_device_of(pool->base.device);
	pthread_mutex_lock(&device->pool_lock);
	for (uint32_t i = 0; i < children->count; i++) {
		struct venus_object *object = children->objects[i];
		if (pool->released) {
			/* another thread destroys the pool, and the host's part with it */
			render_object_unbind(call->context, object);
			continue;
		}
		/* failed objects, too, go with their pool */
		if (result == VK_SUCCESS || !call->wants_reply) {
			list_append(&pool->children, &((struct render_pool_child *)object)->link);
		}
		render_object_complete(
			call, object, result == VK_SUCCESS ? children->handles[i] : 0, result);
	}
	pthread_mutex_unlock(&device->pool_lock);
}

/** Unbinds one child of `pool`; returns the host's handle. */
static uint64_t release_child(
		struct render_call *call, struct venus_object *pool, struct venus_object *object) {
	struct render_pool_child *child = (struct render_pool_child *)object;
	if (&child->pool->base != pool) {
		render_call_fail(call, "it was allocated from another pool");
		return 0;
	}
	render_pool_child_restore(child);
	struct render_device *device = render_device_of(object->device);
	pthread_mutex_lock(&device->pool_lock);
	list_remove(&child->link);
	pthread_mutex_unlock(&device->pool_lock);
	return render_object_release(call, object);
}

void render_handle_vkCreateCommandPool(
		struct render_call *call, struct venus_vkCreateCommandPool *args) {
	struct render_pool *pool = create_pool(call, RENDER_HANDLE(*args->pCommandPool),
		VK_OBJECT_TYPE_COMMAND_POOL,
		args->pCreateInfo->flags & VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT);
	if (!pool) {
		return;
	}
	VkCommandPool handle = VK_NULL_HANDLE;
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!render_object_is_refused(call)) {
		args->ret = render_call_device_table(call)->CreateCommandPool(
			args->device, args->pCreateInfo, NULL, &handle);
	}
	render_object_complete(call, &pool->base, RENDER_HANDLE(handle), args->ret);
}

void render_handle_vkDestroyCommandPool(
		struct render_call *call, struct venus_vkDestroyCommandPool *args) {
	uint64_t handle = release_pool(call, args->commandPool_object);
	if (handle) {
		render_call_device_table(call)->DestroyCommandPool(
			args->device, (VkCommandPool)(uintptr_t)handle, NULL);
	}
}

void render_handle_vkAllocateCommandBuffers(
		struct render_call *call, struct venus_vkAllocateCommandBuffers *args) {
	struct children children;
	if (!begin_children(call, &children, (const uint64_t *)(const void *)args->pCommandBuffers,
			args->pAllocateInfo->commandBufferCount, VK_OBJECT_TYPE_COMMAND_BUFFER)) {
		return;
	}
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!call->decoder->failed_object && !render_object_is_refused(call)) {
		args->ret = render_call_device_table(call)->AllocateCommandBuffers(args->device,
			args->pAllocateInfo, (VkCommandBuffer *)(void *)children.handles);
	}
	end_children(call, &children, args->ret);
}

void render_handle_vkFreeCommandBuffers(
		struct render_call *call, struct venus_vkFreeCommandBuffers *args) {
	if (args->commandBufferCount && !args->pCommandBuffers) {
		render_call_fail(call, "pCommandBuffers is NULL");
		return;
	}
	for (uint32_t i = 0; i < args->commandBufferCount; i++) {
		struct venus_object *object = args->pCommandBuffers_objects[i];
		if (!object) {
			continue;
		}
		VkCommandBuffer handle =
			(VkCommandBuffer)(uintptr_t)release_child(call, args->commandPool_object, object);
		if (handle && args->commandPool) {
			render_call_device_table(call)->FreeCommandBuffers(
				args->device, args->commandPool, 1, &handle);
		}
	}
}

/** What a driver may make room for: it does so when the pool is made, whatever is then used. */
static uint64_t count_descriptors(const VkDescriptorPoolCreateInfo *info) {
	uint64_t count = info->maxSets;
	for (uint32_t i = 0; i < info->poolSizeCount; i++) {
		count += info->pPoolSizes[i].descriptorCount;
	}
	return count;
}

void render_handle_vkCreateDescriptorPool(
		struct render_call *call, struct venus_vkCreateDescriptorPool *args) {
	struct render_pool *pool = create_pool(
		call, RENDER_HANDLE(*args->pDescriptorPool), VK_OBJECT_TYPE_DESCRIPTOR_POOL,
		false);
	if (!pool) {
		return;
	}
	VkDescriptorPool handle = VK_NULL_HANDLE;
	const uint64_t descriptors = count_descriptors(args->pCreateInfo);
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!render_object_is_refused(call) &&
			render_limit_take(call->context, LIMIT_DESCRIPTORS, descriptors)) {
		pool->descriptors = descriptors;
		args->ret = render_call_device_table(call)->CreateDescriptorPool(
			args->device, args->pCreateInfo, NULL, &handle);
	}
	render_object_complete(call, &pool->base, RENDER_HANDLE(handle), args->ret);
}

void render_handle_vkDestroyDescriptorPool(
		struct render_call *call, struct venus_vkDestroyDescriptorPool *args) {
	uint64_t handle = release_pool(call, args->descriptorPool_object);
	if (handle) {
		render_call_device_table(call)->DestroyDescriptorPool(
			args->device, (VkDescriptorPool)(uintptr_t)handle, NULL);
	}
}

void render_handle_vkResetDescriptorPool(
		struct render_call *call, struct venus_vkResetDescriptorPool *args) {
	release_children(call, (struct render_pool *)args->descriptorPool_object, false);
	args->ret = VK_SUCCESS;
	if (args->descriptorPool) {
		args->ret = render_call_device_table(call)->ResetDescriptorPool(
			args->device, args->descriptorPool, args->flags);
	}
}

void render_handle_vkAllocateDescriptorSets(
		struct render_call *call, struct venus_vkAllocateDescriptorSets *args) {
	struct children children;
	if (!begin_children(call, &children, (const uint64_t *)(const void *)args->pDescriptorSets,
			args->pAllocateInfo->descriptorSetCount, VK_OBJECT_TYPE_DESCRIPTOR_SET)) {
		return;
	}
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!call->decoder->failed_object && !render_object_is_refused(call)) {
		args->ret = render_call_device_table(call)->AllocateDescriptorSets(args->device,
			args->pAllocateInfo, (VkDescriptorSet *)(void *)children.handles);
	}
	end_children(call, &children, args->ret);
}

void render_handle_vkFreeDescriptorSets(
		struct render_call *call, struct venus_vkFreeDescriptorSets *args) {
	args->ret = VK_SUCCESS;
	if (args->descriptorSetCount && !args->pDescriptorSets) {
		render_call_fail(call, "pDescriptorSets is NULL");
		return;
	}
	for (uint32_t i = 0; i < args->descriptorSetCount; i++) {
		struct venus_object *object = args->pDescriptorSets_objects[i];
		if (!object) {
			continue;
		}
		VkDescriptorSet handle = (VkDescriptorSet)(uintptr_t)release_child(
			call, args->descriptorPool_object, object);
		if (handle && args->descriptorPool) {
			render_call_device_table(call)->FreeDescriptorSets(
				args->device, args->descriptorPool, 1, &handle);
		}
	}
}
