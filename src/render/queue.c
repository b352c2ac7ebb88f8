/* SPDX-License-Identifier: MIT */
#include "render/queue.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/process.h"
#include "render/call.h"
#include "render/chain.h"
#include "render/context.h"
#include "render/device.h"
#include "render/failure.h"
#include "render/fence.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"
#include "venus/venus_mesa.h"

/*
 * Theory of operation: fences
 *
 * A fence of a queue's timeline retires when the work submitted to the queue before is done. We put an
 * empty submission with a VkFence behind that work; a thread for each queue that ever had a fence waits for
 * these in order and reports them. A fence with no submission since the last one needs no
 * VkFence of its own: it retires with its predecessor, in order.
 *
 * A fence must never stay pending, or the guest's kernel hangs: when the host refuses the submission or
 * loses the device, when the context is lost, or when the queue goes away, it retires at once.
 */

struct pending_fence {
	struct list link;
	uint64_t fence_id;
	VkFence fence; /* VK_NULL_HANDLE: retires with the one before */
};

/** How long the thread waits before it looks whether it shall stop. */
#define FENCE_SLICE_NS (200 * CLOCK_NS_PER_MS)

static void wait_for_host(struct render_queue *queue, VkFence fence) {
	const struct vk_device_table *vk = &queue->device->vk;
	VkDevice device = render_device_handle(queue->device);
	VkResult result;
	do {
		result = vk->WaitForFences(device, 1, &fence, VK_TRUE, FENCE_SLICE_NS);
	} while (result == VK_TIMEOUT && !render_context_is_ending(queue->context));
}

static void *fence_main(void *data) {
	struct render_queue *queue = data;
	const struct vk_device_table *vk = &queue->device->vk;
	thread_set_name("fences");

	pthread_mutex_lock(&queue->fence_lock);
	for (;;) {
		while (list_empty(&queue->pending) && !queue->stop) {
			pthread_cond_wait(&queue->fence_cond, &queue->fence_lock);
		}
		if (list_empty(&queue->pending)) {
			break;
		}
		struct pending_fence *pending =
			LIST_CONTAINER(queue->pending.next, struct pending_fence, link);
		pthread_mutex_unlock(&queue->fence_lock);

		if (pending->fence) {
			wait_for_host(queue, pending->fence);
		}
		render_context_fence_retired(queue->context, queue->ring_idx, pending->fence_id);

		/* of an ending context the fence may still be in use; nobody will take it again */
		if (pending->fence && !render_context_is_ending(queue->context)) {
			vk->ResetFences(render_device_handle(queue->device), 1, &pending->fence);
		}
		pthread_mutex_lock(&queue->fence_lock);
		list_remove(&pending->link);
		if (pending->fence) {
			list_insert(&queue->unused, &pending->link);
		} else {
			free(pending);
		}
	}
	pthread_mutex_unlock(&queue->fence_lock);
	return NULL;
}

void render_queue_init(struct render_queue *queue, struct render_context *context,
		struct render_device *device) {
	queue->context = context;
	queue->device = device;
	list_init(&queue->link);
	list_init(&queue->pending);
	list_init(&queue->unused);
	pthread_mutex_init(&queue->submit_lock, NULL);
	pthread_mutex_init(&queue->fence_lock, NULL);
	pthread_cond_init(&queue->fence_cond, NULL);
}

void render_queue_finish(struct render_queue *queue) {
	pthread_mutex_lock(&queue->fence_lock);
	queue->stop = true;
	pthread_cond_signal(&queue->fence_cond);
	pthread_mutex_unlock(&queue->fence_lock);
	if (queue->started) {
		pthread_join(queue->thread, NULL);
	}
	LIST_FOR_EACH_SAFE(fence, &queue->unused, struct pending_fence, link) {
		queue->device->vk.DestroyFence(
			render_device_handle(queue->device), fence->fence, NULL);
		free(fence);
	}
	pthread_cond_destroy(&queue->fence_cond);
	pthread_mutex_destroy(&queue->fence_lock);
	pthread_mutex_destroy(&queue->submit_lock);
}

/** A host fence to use, unsignalled. With `with_host` false just the bookkeeping. NULL: out of memory. */
static struct pending_fence *take_fence(struct render_queue *queue, bool with_host) {
	struct pending_fence *pending = NULL;
	if (with_host) {
		pthread_mutex_lock(&queue->fence_lock);
		if (!list_empty(&queue->unused)) {
			pending = LIST_CONTAINER(queue->unused.next, struct pending_fence, link);
			list_remove(&pending->link);
		}
		pthread_mutex_unlock(&queue->fence_lock);
		if (pending) {
			return pending;
		}
	}
	pending = calloc(1, sizeof(*pending));
	if (!pending) {
		return NULL;
	}
	list_init(&pending->link);
	if (with_host) {
		VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
		if (queue->device->vk.CreateFence(render_device_handle(queue->device), &info, NULL,
				&pending->fence) != VK_SUCCESS) {
			pending->fence = VK_NULL_HANDLE;
		}
	}
	return pending;
}

void render_queue_fence(struct render_queue *queue, uint64_t fence_id) {
	pthread_mutex_lock(&queue->submit_lock);
	bool new_work = queue->submissions != queue->fenced_submissions;
	struct pending_fence *pending = take_fence(queue, new_work);
	bool submitted = !new_work;
	if (new_work && pending && pending->fence) {
		submitted = queue->device->vk.QueueSubmit(
			queue->handle, 0, NULL, pending->fence) == VK_SUCCESS;
		if (submitted) {
			queue->fenced_submissions = queue->submissions;
		} else {
			queue->device->vk.DestroyFence(
				render_device_handle(queue->device), pending->fence, NULL);
			pending->fence = VK_NULL_HANDLE;
		}
	}
	if (!pending || !submitted) {
		log_warn("%s: no fence could be submitted: reported as done",
			queue->context->options.name);
	}
	if (!pending) {
		pthread_mutex_unlock(&queue->submit_lock);
		render_context_fence_retired(queue->context, queue->ring_idx, fence_id);
		return;
	}
	pending->fence_id = fence_id;

	/* still under submit_lock: the order of the list is that of the submissions */
	pthread_mutex_lock(&queue->fence_lock);
	if (!queue->started && pending->fence) {
		queue->started = pthread_create(&queue->thread, NULL, fence_main, queue) == 0;
	}
	bool retired = !queue->started || (!pending->fence && list_empty(&queue->pending));
	if (!retired) {
		list_append(&queue->pending, &pending->link);
		pthread_cond_signal(&queue->fence_cond);
	} else if (pending->fence) {
		list_append(&queue->unused, &pending->link);
	}
	pthread_mutex_unlock(&queue->fence_lock);
	pthread_mutex_unlock(&queue->submit_lock);

	if (retired) {
		if (!pending->fence) {
			free(pending);
		}
		render_context_fence_retired(queue->context, queue->ring_idx, fence_id);
	}
}

bool render_device_submit(struct render_call *call, const VkSubmitInfo *submit) {
	struct render_device *device = render_device_of(call->decoder->device);
	pthread_mutex_lock(&call->context->timeline_lock);
	bool any = !list_empty(&device->queues);
	if (any) {
		struct render_queue *queue =
			LIST_CONTAINER(device->queues.next, struct render_queue, link);
		pthread_mutex_lock(&queue->submit_lock);
		device->vk.QueueSubmit(queue->handle, 1, submit, VK_NULL_HANDLE);
		queue->submissions++;
		pthread_mutex_unlock(&queue->submit_lock);
	}
	pthread_mutex_unlock(&call->context->timeline_lock);
	return any;
}

void render_fence_create(struct render_context *context, uint32_t ring_idx, uint64_t fence_id) {
	if (ring_idx > 0 && ring_idx < RENDER_MAX_TIMELINES && !atomic_load(&context->lost)) {
		/* the lock keeps the queue: its device is destroyed by another thread */
		pthread_mutex_lock(&context->timeline_lock);
		struct render_queue *queue = context->timelines[ring_idx];
		if (queue) {
			render_queue_fence(queue, fence_id);
		}
		pthread_mutex_unlock(&context->timeline_lock);
		if (queue) {
			return;
		}
	}
	render_context_fence_retired(context, ring_idx, fence_id);
}

void render_handle_vkGetDeviceQueue2(
		struct render_call *call, struct venus_vkGetDeviceQueue2 *args) {
	struct render_context *context = call->context;
	struct render_device *device = render_device_of(call->decoder->device);
	VkDeviceQueueInfo2 *info = (VkDeviceQueueInfo2 *)args->pQueueInfo;
	const VkDeviceQueueTimelineInfoMESA *timeline =
		chain_remove(info, VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA);
	if (!timeline) {
		render_call_fail(call, "no VkDeviceQueueTimelineInfoMESA is chained");
		return;
	}
	if (timeline->ringIdx == 0 || timeline->ringIdx >= RENDER_MAX_TIMELINES) {
		render_call_fail(call, "ringIdx is out of range");
		return;
	}
	if (!render_device_has_queue(device, info->queueFamilyIndex, info->queueIndex, info->flags)) {
		render_call_fail(call, "the device has no such queue");
		return;
	}

	struct render_queue *queue = (struct render_queue *)render_object_alloc(
		call, RENDER_HANDLE(*args->pQueue), VK_OBJECT_TYPE_QUEUE, sizeof(*queue));
	if (!queue) {
		return;
	}
	render_queue_init(queue, context, device);
	queue->ring_idx = timeline->ringIdx;
	device->vk.GetDeviceQueue2(render_device_handle(device), info, &queue->handle);
	queue->base.handle = RENDER_HANDLE(queue->handle);

	const char *error = NULL;
	pthread_mutex_lock(&context->timeline_lock);
	if (!queue->handle) {
		error = "the device has no such queue";
	} else if (context->timelines[queue->ring_idx]) {
		error = "ringIdx is in use";
	}
	LIST_FOR_EACH(other, &device->queues, struct render_queue, link) {
		if (other->handle == queue->handle) {
			error = "the queue was fetched before";
		}
	}
	if (!error && !venus_object_table_add(&context->objects, &queue->base)) {
		error = "the new object's id is taken";
	}
	if (!error) {
		context->timelines[queue->ring_idx] = queue;
		list_append(&device->queues, &queue->link);
	}
	pthread_mutex_unlock(&context->timeline_lock);
	if (error) {
		render_queue_finish(queue);
		free(queue);
		render_call_fail(call, error);
	}
}

/**
 * The queue of a submission, locked; NULL when a failed object is named, and the guest will hear of it, or nothing
 * can be left out.
 */
static struct render_queue *lock_queue(
		struct render_call *call, struct venus_object *object, bool can_strip) {
	if (call->decoder->failed_object && (call->wants_reply || !can_strip)) {
		return NULL;
	}
	struct render_queue *queue = (struct render_queue *)object;
	pthread_mutex_lock(&queue->submit_lock);
	return queue;
}

/** Shall a submission that the host refused be made without its command buffers? */
static bool shall_retry(struct render_call *call, VkResult result) {
	if (result >= 0 || call->wants_reply) {
		return false;
	}
	log_warn("%s: %s failed on the host (VkResult %d) after the guest went on",
		call->context->options.name, venus_command_name(call->command), result);
	return result != VK_ERROR_DEVICE_LOST;
}

static void unlock_queue(struct render_queue *queue) {
	queue->submissions++;
	pthread_mutex_unlock(&queue->submit_lock);
}

void render_handle_vkQueueSubmit(struct render_call *call, struct venus_vkQueueSubmit *args) {
	struct render_queue *queue = lock_queue(call, args->queue_object, true);
	if (!queue) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	if (call->decoder->failed_object) {
		render_submits_strip(args->submitCount, args->pSubmits, false);
	}
	args->ret = queue->device->vk.QueueSubmit(
		queue->handle, args->submitCount, args->pSubmits, args->fence);
	if (shall_retry(call, args->ret)) {
		render_submits_strip(args->submitCount, args->pSubmits, true);
		args->ret = queue->device->vk.QueueSubmit(
			queue->handle, args->submitCount, args->pSubmits, args->fence);
	}
	unlock_queue(queue);
}

void render_handle_vkQueueSubmit2(struct render_call *call, struct venus_vkQueueSubmit2 *args) {
	const PFN_vkQueueSubmit2 submit = render_call_device_table(call)->QueueSubmit2;
	if (!submit) {
		render_call_fail(call, "the command is not enabled on the device");
		return;
	}
	struct render_queue *queue = lock_queue(call, args->queue_object, true);
	if (!queue) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	if (call->decoder->failed_object) {
		render_submits2_strip(args->submitCount, args->pSubmits, false);
	}
	args->ret = submit(queue->handle, args->submitCount, args->pSubmits, args->fence);
	if (shall_retry(call, args->ret)) {
		render_submits2_strip(args->submitCount, args->pSubmits, true);
		args->ret = submit(queue->handle, args->submitCount, args->pSubmits, args->fence);
	}
	unlock_queue(queue);
}

void render_handle_vkQueueBindSparse(
		struct render_call *call, struct venus_vkQueueBindSparse *args) {
	struct render_queue *queue = lock_queue(call, args->queue_object, false);
	if (!queue) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	args->ret = queue->device->vk.QueueBindSparse(
		queue->handle, args->bindInfoCount, args->pBindInfo, args->fence);
	unlock_queue(queue);
}
