/* SPDX-License-Identifier: MIT */
#include "render/queue.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/process.h"
#include "render/call.h"
#include "render/chain.h"
#include "render/context.h"
#include "render/device.h"
#include "render/device_loss.h"
#include "render/fence.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"
#include "venus/venus_mesa.h"

/*
 * Theory of operation: fences
 *
 * A fence of a queue's timeline retires when the work submitted to the queue before is done. We put
 * an empty submission with a VkFence behind that work; a thread for each queue that ever had a
 * fence waits for these in order and reports them. A fence with no submission since the last one
 * needs no VkFence of its own: it retires with its predecessor, in order.
 *
 * A fence must never stay pending, or the guest's kernel hangs: when the host loses the device,
 * when the context is lost, or when the queue goes away, it retires at once. Nor must it retire
 * early, or the guest uses again what the host still writes to. So when the host refuses the empty
 * submission the fence is *owed*: the thread goes on trying, and what it then waits for includes
 * what was submitted meanwhile. A host that refuses for FENCE_PATIENCE_NS takes no work on that
 * queue any more.
 */

struct pending_fence {
	struct list link;
	uint64_t fence_id;
	VkFence fence;    /* perhaps left from an earlier use */
	uint64_t covers;  /* the queue's submissions that are done with it */
	enum {
		FENCE_FOLLOWS, /* the one before, without a submission of its own */
		FENCE_SUBMITTED,
		FENCE_OWED,
	} state;
	bool is_our_own;  /* nobody is told */
};

/** How long the thread waits before it looks whether it shall stop. */
#define FENCE_SLICE_NS (200 * CLOCK_NS_PER_MS)
/** For how long, and how often at least, a host that refuses a fence is asked again. */
#define FENCE_PATIENCE_NS (10 * CLOCK_NS_PER_S)
#define FENCE_RETRY_MAX_NS (100 * CLOCK_NS_PER_MS)

static bool fences_should_end(struct render_queue *queue) {
	return atomic_load(&queue->stop) || render_context_is_ending(queue->context);
}

/** Puts the fence behind the work so far. With submit_lock held. */
static VkResult submit_fence(struct render_queue *queue, struct pending_fence *pending) {
	const struct vk_device_table *vk = &queue->device->vk;
	if (!pending->fence) {
		const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
		VkFence fence = VK_NULL_HANDLE;
		const VkResult result =
			vk->CreateFence(render_device_handle(queue->device), &info, NULL, &fence);
		if (result != VK_SUCCESS) {
			return result;
		}
		pending->fence = fence;
	}
	pending->covers = queue->submissions;
	return vk->QueueSubmit(queue->handle, 0, NULL, pending->fence);
}

/** Tries again what the host has refused. false: there is nothing to wait for. */
static bool submit_owed_fence(struct render_queue *queue, struct pending_fence *pending) {
	const uint64_t deadline = clock_now() + FENCE_PATIENCE_NS;
	uint64_t pause = CLOCK_NS_PER_MS;
	while (!fences_should_end(queue)) {
		pthread_mutex_lock(&queue->submit_lock);
		const VkResult result = submit_fence(queue, pending);
		pthread_mutex_unlock(&queue->submit_lock);
		if (result == VK_SUCCESS) {
			return true;
		}
		if (result == VK_ERROR_DEVICE_LOST) {
			render_device_lose(queue->context, queue->device);
			return false;
		}
		if (clock_now() >= deadline) {
			log_warn("%s: the host takes no fence any more (VkResult %d): it counts as done",
				queue->context->options.name, result);
			return false;
		}
		clock_sleep(pause);
		pause = pause * 2 < FENCE_RETRY_MAX_NS ? pause * 2 : FENCE_RETRY_MAX_NS;
	}
	return false;
}

static void wait_for_host(struct render_queue *queue, VkFence fence) {
	const struct vk_device_table *vk = &queue->device->vk;
	VkDevice device = render_device_handle(queue->device);
	while (!fences_should_end(queue)) {
		const VkResult result =
			vk->WaitForFences(device, 1, &fence, VK_TRUE, FENCE_SLICE_NS);
		if (result == VK_ERROR_DEVICE_LOST) {
			render_device_lose(queue->context, queue->device);
		}
		if (result == VK_SUCCESS || result == VK_ERROR_DEVICE_LOST) {
			return;
		}
		if (result < 0) {
			clock_sleep(CLOCK_NS_PER_MS); /* out of memory: the work still goes on */
		}
	}
}

static void *fence_main(void *data) {
	struct render_queue *queue = data;
	const struct vk_device_table *vk = &queue->device->vk;
	thread_set_name("fences");

	pthread_mutex_lock(&queue->fence_lock);
	for (;;) {
		while (list_empty(&queue->pending) && !atomic_load(&queue->stop)) {
			pthread_cond_wait(&queue->fence_cond, &queue->fence_lock);
		}
		if (list_empty(&queue->pending)) {
			break;
		}
		struct pending_fence *pending =
			LIST_CONTAINER(queue->pending.next, struct pending_fence, link);
		pthread_mutex_unlock(&queue->fence_lock);

		const bool submitted = pending->state == FENCE_SUBMITTED ||
			(pending->state == FENCE_OWED && submit_owed_fence(queue, pending));
		if (submitted) {
			wait_for_host(queue, pending->fence);
			atomic_store(&queue->completed, pending->covers);
		}
		if (!pending->is_our_own) {
			render_context_fence_retired(
				queue->context, queue->ring_idx, pending->fence_id);
		}

		/* of an ending context the fence may still be in use; nobody will take it again */
		if (submitted && !fences_should_end(queue)) {
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
	atomic_store(&queue->stop, true);
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

/** With a host fence that was used before, if one is `wanted` and there. NULL: out of memory. */
static struct pending_fence *take_fence(struct render_queue *queue, bool wanted) {
	struct pending_fence *pending = NULL;
	pthread_mutex_lock(&queue->fence_lock);
	if (wanted && !list_empty(&queue->unused)) {
		pending = LIST_CONTAINER(queue->unused.next, struct pending_fence, link);
		list_remove(&pending->link);
	}
	pthread_mutex_unlock(&queue->fence_lock);
	if (!pending) {
		pending = calloc(1, sizeof(*pending));
		if (pending) {
			list_init(&pending->link);
		}
	}
	return pending;
}

/** Hands it to the thread. false: there is nothing to wait for. With submit_lock held. */
static bool expect_fence(struct render_queue *queue, struct pending_fence *pending) {
	const bool to_wait = pending->state != FENCE_FOLLOWS;
	/* still under submit_lock: the order of the list is that of the submissions */
	pthread_mutex_lock(&queue->fence_lock);
	if (to_wait && !queue->started) {
		queue->started = pthread_create(&queue->thread, NULL, fence_main, queue) == 0;
		if (!queue->started) {
			render_context_lose(queue->context, "no thread for fences can be started");
		}
	}
	const bool expected = queue->started && (to_wait || !list_empty(&queue->pending));
	if (expected) {
		list_append(&queue->pending, &pending->link);
		pthread_cond_signal(&queue->fence_cond);
	} else if (pending->fence) {
		list_append(&queue->unused, &pending->link);
	} else {
		free(pending);
	}
	pthread_mutex_unlock(&queue->fence_lock);
	return expected;
}

/** false: it has retired. */
static bool put_fence(struct render_queue *queue, bool is_our_own, uint64_t fence_id) {
	pthread_mutex_lock(&queue->submit_lock);
	const bool new_work = queue->submissions != queue->fenced_submissions;
	struct pending_fence *pending = take_fence(queue, new_work);
	bool expected = false;
	if (pending) {
		pending->fence_id = fence_id;
		pending->is_our_own = is_our_own;
		pending->state = FENCE_FOLLOWS;
		if (new_work) {
			const VkResult result = submit_fence(queue, pending);
			queue->fenced_submissions = queue->submissions;
			if (result == VK_SUCCESS) {
				pending->state = FENCE_SUBMITTED;
			} else if (result == VK_ERROR_DEVICE_LOST) {
				render_device_lose(queue->context, queue->device);
			} else {
				pending->state = FENCE_OWED;
				log_warn("%s: the host refused a fence (VkResult %d)",
					queue->context->options.name, result);
			}
		}
		expected = expect_fence(queue, pending);
	} else {
		render_context_lose(queue->context, "out of memory for a fence");
	}
	pthread_mutex_unlock(&queue->submit_lock);
	return expected;
}

void render_queue_fence(struct render_queue *queue, uint64_t fence_id) {
	if (!put_fence(queue, false, fence_id)) {
		render_context_fence_retired(queue->context, queue->ring_idx, fence_id);
	}
}

void render_queue_mark(struct render_queue *queue) {
	put_fence(queue, true, 0);
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
