/* SPDX-License-Identifier: MIT */
#include "render/sync_fd.h"

#include <stdlib.h>

#include "render/call.h"
#include "render/chain.h"
#include "render/device.h"
#include "render/queue.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"
#include "venus/venus_mesa.h"

/*
 * Theory of operation
 *
 * Guests turn fences and binary semaphores into sync_fds and back. What is exported is a fence of
 * the guest's own kernel; what is imported was waited for by the guest. The host's object has to
 * follow: its payload was taken away by an export, or is there after an import. The host's driver
 * need not know sync_fds for that (MoltenVK does not), and is not told. Nothing here waits or
 * submits anything: what a queue does next may itself depend on what the guest does next.
 *
 *  - Export. The payload may still be pending, so the host's object can be neither reset nor waited
 *    for. It is *replaced*: the guest's object gets a new handle, unsignalled, and the old one is
 *    destroyed when the host is done with it. Fences tell that themselves. A semaphore is done
 *    with when all that was submitted by then to any queue is complete.
 *
 *  - Import. The semaphore is remembered; the next wait for it is left out of its submission. That
 *    is also what the API says of such imports: they last until they are waited for, and what the
 *    semaphore had before is there again.
 */

struct imported {
	struct list link;
	VkSemaphore semaphore;
};

struct replaced {
	struct list link;
	VkObjectType type;
	uint64_t handle;
	uint32_t queue_count; /* of the device, then */
	uint64_t submissions[]; /* of each queue, then */
};

/**
 * With more than this many waiting, the queues are marked, in case no fence of the guest's does
 * that.
 */
#define MARK_EVERY 64

void render_sync_fd_init(struct render_sync_fd *sync) {
	pthread_mutex_init(&sync->lock, NULL);
	list_init(&sync->imported);
	list_init(&sync->replaced);
}

static void destroy_replaced(struct render_device *device, struct replaced *replaced) {
	list_remove(&replaced->link);
	device->sync_fd.replaced_count--;
	if (replaced->type == VK_OBJECT_TYPE_FENCE) {
		device->vk.DestroyFence(render_device_handle(device),
			(VkFence)(uintptr_t)replaced->handle, NULL);
	} else {
		device->vk.DestroySemaphore(render_device_handle(device),
			(VkSemaphore)(uintptr_t)replaced->handle, NULL);
	}
	free(replaced);
}

void render_sync_fd_finish(struct render_device *device) {
	struct render_sync_fd *sync = &device->sync_fd;
	LIST_FOR_EACH_SAFE(replaced, &sync->replaced, struct replaced, link) {
		destroy_replaced(device, replaced);
	}
	LIST_FOR_EACH_SAFE(imported, &sync->imported, struct imported, link) {
		free(imported);
	}
	pthread_mutex_destroy(&sync->lock);
}

/* --- imports --- */

static struct imported *find_imported(struct render_sync_fd *sync, VkSemaphore semaphore) {
	LIST_FOR_EACH(imported, &sync->imported, struct imported, link) {
		if (imported->semaphore == semaphore) {
			return imported;
		}
	}
	return NULL;
}

bool render_sync_fd_take(struct render_sync_fd *sync, VkSemaphore semaphore, struct list *taken) {
	pthread_mutex_lock(&sync->lock);
	struct imported *imported = find_imported(sync, semaphore);
	if (imported) {
		list_remove(&imported->link);
		list_append(taken, &imported->link);
		atomic_store(&sync->any_imported, !list_empty(&sync->imported));
	}
	pthread_mutex_unlock(&sync->lock);
	return imported;
}

void render_sync_fd_settle(struct render_sync_fd *sync, struct list *taken, bool done) {
	pthread_mutex_lock(&sync->lock);
	LIST_FOR_EACH_SAFE(imported, taken, struct imported, link) {
		list_remove(&imported->link);
		if (done) {
			free(imported);
		} else {
			list_append(&sync->imported, &imported->link);
			atomic_store(&sync->any_imported, true);
		}
	}
	pthread_mutex_unlock(&sync->lock);
}

/** The semaphore's import was consumed, or the semaphore goes. Was there one? */
static bool forget_import(struct render_sync_fd *sync, VkSemaphore semaphore) {
	if (!render_sync_fd_any(sync)) {
		return false;
	}
	struct list taken;
	list_init(&taken);
	const bool found = render_sync_fd_take(sync, semaphore, &taken);
	render_sync_fd_settle(sync, &taken, true);
	return found;
}

void render_handle_vkImportSemaphoreResourceMESA(
		struct render_call *call, struct venus_vkImportSemaphoreResourceMESA *args) {
	const VkImportSemaphoreResourceInfoMESA *info = args->pImportSemaphoreResourceInfo;
	struct render_sync_fd *sync = &render_device_of(call->decoder->device)->sync_fd;
	if (info->resourceId) {
		render_call_fail(call, "resourceId is not 0");
		return;
	}
	if (call->decoder->failed_object || !info->semaphore) {
		return;
	}
	struct imported *imported = calloc(1, sizeof(*imported));
	if (!imported) {
		render_call_fail(call, "out of memory");
		return;
	}
	list_init(&imported->link);
	imported->semaphore = info->semaphore;
	pthread_mutex_lock(&sync->lock);
	if (find_imported(sync, info->semaphore)) {
		free(imported);
	} else {
		list_append(&sync->imported, &imported->link);
	}
	atomic_store(&sync->any_imported, true);
	pthread_mutex_unlock(&sync->lock);
}

/* --- exports --- */

static bool is_done(struct render_device *device, const struct replaced *replaced) {
	if (replaced->type == VK_OBJECT_TYPE_FENCE) {
		return device->vk.GetFenceStatus(render_device_handle(device),
			(VkFence)(uintptr_t)replaced->handle) != VK_NOT_READY;
	}
	uint32_t i = 0;
	LIST_FOR_EACH(queue, &device->queues, struct render_queue, link) {
		if (i < replaced->queue_count &&
				atomic_load(&queue->completed) < replaced->submissions[i]) {
			return false;
		}
		i++;
	}
	return true;
}

static uint64_t count_submissions(struct render_queue *queue) {
	pthread_mutex_lock(&queue->submit_lock);
	const uint64_t count = queue->submissions;
	pthread_mutex_unlock(&queue->submit_lock);
	return count;
}

/** Destroys `handle` later, and what was replaced earlier now, if it can be. */
static void retire_handle(struct render_call *call, VkObjectType type, uint64_t handle) {
	struct render_device *device = render_device_of(call->decoder->device);
	struct render_sync_fd *sync = &device->sync_fd;
	pthread_mutex_lock(&call->context->timeline_lock); /* of the list of queues */
	pthread_mutex_lock(&sync->lock);
	LIST_FOR_EACH_SAFE(replaced, &sync->replaced, struct replaced, link) {
		if (is_done(device, replaced)) {
			destroy_replaced(device, replaced);
		}
	}
	uint32_t queue_count = 0;
	LIST_FOR_EACH(queue, &device->queues, struct render_queue, link) {
		queue_count++;
	}
	struct replaced *replaced =
		calloc(1, sizeof(*replaced) + queue_count * sizeof(replaced->submissions[0]));
	if (replaced) {
		list_init(&replaced->link);
		replaced->type = type;
		replaced->handle = handle;
		const bool mark = ++sync->replaced_count % MARK_EVERY == 0;
		LIST_FOR_EACH(queue, &device->queues, struct render_queue, link) {
			replaced->submissions[replaced->queue_count++] = count_submissions(queue);
			if (mark) {
				render_queue_mark(queue);
			}
		}
		list_append(&sync->replaced, &replaced->link);
	} else {
		render_call_fail(call, "out of memory");
	}
	pthread_mutex_unlock(&sync->lock);
	pthread_mutex_unlock(&call->context->timeline_lock);
}

/** Gives the object a new handle. After an error it is a failed object. */
static void replace_handle(struct render_call *call, struct venus_object *object, uint64_t handle,
		VkResult result) {
	const uint64_t old = atomic_exchange(&object->handle, result == VK_SUCCESS ? handle : 0);
	if (result != VK_SUCCESS) {
		log_warn("%s: %s: the host makes no other (VkResult %d): it is given up",
			call->context->options.name, venus_command_name(call->command), result);
	}
	retire_handle(call, object->type, old);
}

/** An exported fence is as if it were reset. */
void render_handle_vkResetFenceResourceMESA(
		struct render_call *call, struct venus_vkResetFenceResourceMESA *args) {
	const struct vk_device_table *vk = render_call_device_table(call);
	if (call->decoder->failed_object || !args->fence) {
		return;
	}
	if (vk->GetFenceStatus(args->device, args->fence) == VK_SUCCESS) {
		vk->ResetFences(args->device, 1, &args->fence);
		return;
	}
	const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence = VK_NULL_HANDLE;
	const VkResult result = vk->CreateFence(args->device, &info, NULL, &fence);
	replace_handle(call, args->fence_object, RENDER_HANDLE(fence), result);
}

/** An exported semaphore is as if it were waited for. */
void render_handle_vkWaitSemaphoreResourceMESA(
		struct render_call *call, struct venus_vkWaitSemaphoreResourceMESA *args) {
	struct render_device *device = render_device_of(call->decoder->device);
	if (call->decoder->failed_object || !args->semaphore ||
			forget_import(&device->sync_fd, args->semaphore)) {
		return;
	}
	const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	VkSemaphore semaphore = VK_NULL_HANDLE;
	const VkResult result =
		device->vk.CreateSemaphore(args->device, &info, NULL, &semaphore);
	replace_handle(call, args->semaphore_object, RENDER_HANDLE(semaphore), result);
}

/* --- the objects themselves --- */

void render_handle_vkCreateFence(struct render_call *call, struct venus_vkCreateFence *args) {
	struct venus_object *object = render_object_reserve(
		call, RENDER_HANDLE(*args->pFence), VK_OBJECT_TYPE_FENCE, 0);
	if (!object) {
		return;
	}
	chain_remove(args->pCreateInfo, VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO);
	VkFence handle = VK_NULL_HANDLE;
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!render_object_is_refused(call)) {
		args->ret = render_call_device_table(call)->CreateFence(
			args->device, args->pCreateInfo, NULL, &handle);
	}
	render_object_complete(call, object, RENDER_HANDLE(handle), args->ret);
}

void render_handle_vkCreateSemaphore(
		struct render_call *call, struct venus_vkCreateSemaphore *args) {
	struct venus_object *object = render_object_reserve(
		call, RENDER_HANDLE(*args->pSemaphore), VK_OBJECT_TYPE_SEMAPHORE, 0);
	if (!object) {
		return;
	}
	chain_remove(args->pCreateInfo, VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO);
	VkSemaphore handle = VK_NULL_HANDLE;
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!render_object_is_refused(call)) {
		args->ret = render_call_device_table(call)->CreateSemaphore(
			args->device, args->pCreateInfo, NULL, &handle);
	}
	render_object_complete(call, object, RENDER_HANDLE(handle), args->ret);
}

void render_handle_vkDestroySemaphore(
		struct render_call *call, struct venus_vkDestroySemaphore *args) {
	struct render_device *device = render_device_of(call->decoder->device);
	const VkSemaphore handle =
		(VkSemaphore)(uintptr_t)render_object_release(call, args->semaphore_object);
	if (handle) {
		/* another semaphore may get the same handle */
		forget_import(&device->sync_fd, handle);
		device->vk.DestroySemaphore(args->device, handle, NULL);
	}
}
