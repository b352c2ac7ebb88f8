/* SPDX-License-Identifier: MIT */
#include "render/failure.h"

#include <stdlib.h>

#include "render/call.h"
#include "render/device.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

/*
 * Theory of operation
 *
 * Guests do not wait for most commands. When the host refuses one of them the guest goes on, and uses
 * what it did not get. A command that names a failed object is skipped (or gives an error, if somebody
 * listens), but not every object that depends on it is a failed one then, and drivers do not check what the API
 * forbids: they crash. So the failure is passed on:
 *
 *  - A command buffer in which a command was skipped is *spoiled*: a draw must not be recorded without its render
 *    pass or pipeline. It loses its handle until it is begun again or reset; all that names it is skipped,
 *    vkEndCommandBuffer gives the error, and submissions leave it out. So is one that the host refuses to
 *    reset, or that only its pool could: until that succeeds.
 *  - A descriptor set that was not written for a failed object is spoiled for good: it would lead the GPU
 *    anywhere. Binding it spoils the command buffer.
 *  - A buffer or image whose binding to memory failed, unseen by the guest, becomes a failed object.
 *  - A submission that the guest hears nothing of is made without what failed, and, if the host
 *    refuses it, without any command buffer: somebody may wait for its fence.
 *
 * Nothing of this costs anything as long as nothing fails.
 */

static VkResult error_of_failed_object(void) {
	return VK_ERROR_OUT_OF_HOST_MEMORY;
}

static void spoil(struct render_call *call, struct venus_object *object) {
	const uint64_t handle = atomic_exchange(&object->handle, 0);
	if (!handle) {
		return;
	}
	atomic_store(&((struct render_pool_child *)object)->spoiled, handle);
	/* one line is enough: a program that goes on draws the like in each frame */
	const bool again = atomic_exchange(&call->context->any_spoiled, true);
	log_write(again ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		"%s: %s failed, or named what had failed: the %s is given up",
		call->context->options.name, venus_command_name(call->command),
		object->type == VK_OBJECT_TYPE_COMMAND_BUFFER ? "command buffer" : "descriptor set");
}

bool render_pool_child_restore(struct render_pool_child *child) {
	if (!atomic_load_explicit(&child->spoiled, memory_order_relaxed)) {
		return false;
	}
	const uint64_t handle = atomic_exchange(&child->spoiled, 0);
	if (handle) {
		atomic_store(&child->base.handle, handle);
	}
	return handle;
}

/** The object with that handle of the host's; NULL if there is none. Slow. */
static struct venus_object *find_by_handle(
		struct render_call *call, VkObjectType type, uint64_t handle) {
	size_t count;
	struct venus_object **objects =
		venus_object_table_snapshot(&call->context->objects, &count);
	struct venus_object *found = NULL;
	for (size_t i = 0; i < count && !found; i++) {
		if (objects[i]->type == type && objects[i]->device == call->decoder->device &&
				atomic_load(&objects[i]->handle) == handle) {
			found = objects[i];
		}
	}
	free(objects);
	return found;
}

/* --- command buffers --- */

void render_command_buffer_spoil(struct render_call *call, struct venus_object *command_buffer) {
	spoil(call, command_buffer);
}

void render_handle_vkBeginCommandBuffer(
		struct render_call *call, struct venus_vkBeginCommandBuffer *args) {
	struct render_pool_child *child = (struct render_pool_child *)args->commandBuffer_object;
	const struct vk_device_table *vk = render_call_device_table(call);
	const bool restored = render_pool_child_restore(child);
	const VkCommandBuffer handle = (VkCommandBuffer)(uintptr_t)atomic_load(&child->base.handle);
	args->ret = error_of_failed_object();
	if (!handle) {
		return;
	}
	/* the recording never ended, and one must not begin in another */
	if (restored && (!child->resettable || vk->ResetCommandBuffer(handle, 0) != VK_SUCCESS)) {
		render_command_buffer_spoil(call, &child->base);
		return;
	}
	/* what is inherited may have failed, too */
	const struct venus_object *failed = call->decoder->failed_object;
	if (!failed || failed == &child->base) {
		args->ret = vk->BeginCommandBuffer(handle, args->pBeginInfo);
	}
	if (args->ret != VK_SUCCESS) {
		render_command_buffer_spoil(call, &child->base);
	}
}

void render_handle_vkEndCommandBuffer(
		struct render_call *call, struct venus_vkEndCommandBuffer *args) {
	args->ret = error_of_failed_object();
	if (!call->decoder->failed_object) {
		args->ret = render_call_device_table(call)->EndCommandBuffer(args->commandBuffer);
		if (args->ret < 0) {
			render_command_buffer_spoil(call, args->commandBuffer_object);
		}
	}
}

void render_handle_vkResetCommandBuffer(
		struct render_call *call, struct venus_vkResetCommandBuffer *args) {
	struct render_pool_child *child = (struct render_pool_child *)args->commandBuffer_object;
	render_pool_child_restore(child);
	const VkCommandBuffer handle = (VkCommandBuffer)(uintptr_t)atomic_load(&child->base.handle);
	args->ret = error_of_failed_object();
	if (handle) {
		args->ret = render_call_device_table(call)->ResetCommandBuffer(handle, args->flags);
		if (args->ret != VK_SUCCESS) {
			render_command_buffer_spoil(call, &child->base);
		}
	}
}

void render_handle_vkResetCommandPool(
		struct render_call *call, struct venus_vkResetCommandPool *args) {
	if (call->decoder->failed_object) {
		args->ret = error_of_failed_object();
		return;
	}
	args->ret = render_call_device_table(call)->ResetCommandPool(
		args->device, args->commandPool, args->flags);
	const bool refused = args->ret != VK_SUCCESS;
	if (!refused &&
			!atomic_load_explicit(&call->context->any_spoiled, memory_order_relaxed)) {
		return;
	}
	struct render_pool *pool = (struct render_pool *)args->commandPool_object;
	struct render_device *device = render_device_of(pool->base.device);
	pthread_mutex_lock(&device->pool_lock);
	LIST_FOR_EACH(child, &pool->children, struct render_pool_child, link) {
		if (refused) {
			render_command_buffer_spoil(call, &child->base);
		} else {
			render_pool_child_restore(child);
		}
	}
	pthread_mutex_unlock(&device->pool_lock);
}

/* --- descriptor sets --- */

static bool names_nothing(const VkWriteDescriptorSet *write) {
	for (uint32_t i = 0; i < write->descriptorCount; i++) {
		const VkDescriptorImageInfo *image = write->pImageInfo ? &write->pImageInfo[i] : NULL;
		switch (write->descriptorType) {
		case VK_DESCRIPTOR_TYPE_SAMPLER:
			if (image && !image->sampler) {
				return true;
			}
			break;
		case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
			if (image && (!image->sampler || !image->imageView)) {
				return true;
			}
			break;
		case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
		case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
		case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
			if (image && !image->imageView) {
				return true;
			}
			break;
		case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
		case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
			if (write->pTexelBufferView && !write->pTexelBufferView[i]) {
				return true;
			}
			break;
		case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
		case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
		case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
		case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
			if (write->pBufferInfo && !write->pBufferInfo[i].buffer) {
				return true;
			}
			break;
		case VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR:
			return true; /* rather once too often */
		default:
			return false;
		}
	}
	return false;
}

static void spoil_set(struct render_call *call, VkDescriptorSet set) {
	struct venus_object *object =
		set ? find_by_handle(call, VK_OBJECT_TYPE_DESCRIPTOR_SET, RENDER_HANDLE(set)) : NULL;
	if (object) {
		spoil(call, object);
	}
}

/** Makes the updates that are whole, and spoils the sets of the others. */
static void update_what_is_there(
		struct render_call *call, const struct venus_vkUpdateDescriptorSets *args) {
	const struct vk_device_table *vk = render_call_device_table(call);
	for (uint32_t i = 0; i < args->descriptorWriteCount; i++) {
		const VkWriteDescriptorSet *write = &args->pDescriptorWrites[i];
		if (!write->dstSet) {
			continue;
		}
		if (names_nothing(write)) {
			spoil_set(call, write->dstSet);
		} else {
			vk->UpdateDescriptorSets(args->device, 1, write, 0, NULL);
		}
	}
	for (uint32_t i = 0; i < args->descriptorCopyCount; i++) {
		const VkCopyDescriptorSet *copy = &args->pDescriptorCopies[i];
		if (copy->srcSet && copy->dstSet) {
			vk->UpdateDescriptorSets(args->device, 0, NULL, 1, copy);
		} else {
			spoil_set(call, copy->dstSet);
		}
	}
}

void render_handle_vkUpdateDescriptorSets(
		struct render_call *call, struct venus_vkUpdateDescriptorSets *args) {
	if (call->decoder->failed_object) {
		update_what_is_there(call, args);
		return;
	}
	render_call_device_table(call)->UpdateDescriptorSets(args->device,
		args->descriptorWriteCount, args->pDescriptorWrites, args->descriptorCopyCount,
		args->pDescriptorCopies);
}

/* --- binding --- */

/** Makes a buffer or image without memory a failed object, unless the guest hears of it. */
static void give_up(struct render_call *call, struct venus_object *object) {
	if (call->wants_reply || !object) {
		return;
	}
	const struct render_device *device = render_device_of(call->decoder->device);
	const uint64_t handle = atomic_exchange(&object->handle, 0);
	if (!handle) {
		return;
	}
	log_warn("%s: %s failed: what it was to bind is given up", call->context->options.name,
		venus_command_name(call->command));
	if (object->type == VK_OBJECT_TYPE_BUFFER) {
		device->vk.DestroyBuffer(
			render_device_handle(device), (VkBuffer)(uintptr_t)handle, NULL);
	} else {
		device->vk.DestroyImage(
			render_device_handle(device), (VkImage)(uintptr_t)handle, NULL);
	}
}

void render_handle_vkBindBufferMemory(
		struct render_call *call, struct venus_vkBindBufferMemory *args) {
	args->ret = error_of_failed_object();
	if (!call->decoder->failed_object) {
		args->ret = render_call_device_table(call)->BindBufferMemory(
			args->device, args->buffer, args->memory, args->memoryOffset);
	}
	if (args->ret < 0) {
		give_up(call, args->buffer_object);
	}
}

void render_handle_vkBindImageMemory(
		struct render_call *call, struct venus_vkBindImageMemory *args) {
	args->ret = error_of_failed_object();
	if (!call->decoder->failed_object) {
		args->ret = render_call_device_table(call)->BindImageMemory(
			args->device, args->image, args->memory, args->memoryOffset);
	}
	if (args->ret < 0) {
		give_up(call, args->image_object);
	}
}

/* With several bindings in one command none counts when one failed: Vulkan does not tell which it was. */

void render_handle_vkBindBufferMemory2(
		struct render_call *call, struct venus_vkBindBufferMemory2 *args) {
	args->ret = error_of_failed_object();
	if (!call->decoder->failed_object) {
		args->ret = render_call_device_table(call)->BindBufferMemory2(
			args->device, args->bindInfoCount, args->pBindInfos);
	}
	for (uint32_t i = 0; args->ret < 0 && !call->wants_reply && i < args->bindInfoCount; i++) {
		VkBuffer buffer = args->pBindInfos[i].buffer;
		if (buffer) {
			give_up(call, find_by_handle(
				call, VK_OBJECT_TYPE_BUFFER, RENDER_HANDLE(buffer)));
		}
	}
}

void render_handle_vkBindImageMemory2(
		struct render_call *call, struct venus_vkBindImageMemory2 *args) {
	args->ret = error_of_failed_object();
	if (!call->decoder->failed_object) {
		args->ret = render_call_device_table(call)->BindImageMemory2(
			args->device, args->bindInfoCount, args->pBindInfos);
	}
	for (uint32_t i = 0; args->ret < 0 && !call->wants_reply && i < args->bindInfoCount; i++) {
		VkImage image = args->pBindInfos[i].image;
		if (image) {
			give_up(call,
				find_by_handle(call, VK_OBJECT_TYPE_IMAGE, RENDER_HANDLE(image)));
		}
	}
}
