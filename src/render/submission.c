/* SPDX-License-Identifier: MIT */

/*
 * Theory of operation
 *
 * A submission is decoded into our arena, and changed there: waits for payloads that the guest has
 * imported are left out (sync_fd.c), and what failed before (failure.c).
 *
 * Guests mostly do not wait for the answer, and then count on what the submission would signal. So
 * one that the host refuses, which leaves everything as it was, is made again, after a moment; and
 * if that does not help, without its command buffers. To a lost device nothing is submitted
 * (device_loss.c).
 */

#include "base/clock.h"
#include "render/call.h"
#include "render/chain.h"
#include "render/device.h"
#include "render/device_loss.h"
#include "render/queue.h"
#include "render/sync_fd.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

#define RETRIES 4
#define RETRY_PAUSE_NS (1 * CLOCK_NS_PER_MS) /* at first; then four times as long each time */

struct submission {
	struct render_call *call;
	struct render_queue *queue;
	enum { SUBMIT, SUBMIT2, BIND_SPARSE } kind;
	/* one of these; NULL if `count` is 0 */
	const VkSubmitInfo *infos;
	const VkSubmitInfo2 *infos2;
	const VkBindSparseInfo *sparse;
	uint32_t count;
	VkFence fence;
	struct list imports; /* whose waits were left out */
};

/* --- leaving out --- */

static bool is_left_out(struct submission *submission, VkSemaphore semaphore, bool is_wait) {
	struct render_sync_fd *sync = &submission->queue->device->sync_fd;
	return !semaphore || (is_wait && render_sync_fd_any(sync) &&
				     render_sync_fd_take(sync, semaphore, &submission->imports));
}

static uint32_t strip_semaphores(struct submission *submission, const VkSemaphore *list,
		uint32_t count, bool is_wait, const VkPipelineStageFlags *stages,
		const uint64_t *values, uint32_t value_count) {
	VkSemaphore *semaphores = (VkSemaphore *)list;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (is_left_out(submission, semaphores[i], is_wait)) {
			continue;
		}
		semaphores[kept] = semaphores[i];
		if (stages) {
			((VkPipelineStageFlags *)stages)[kept] = stages[i];
		}
		if (values && i < value_count) {
			((uint64_t *)values)[kept] = values[i];
		}
		kept++;
	}
	return kept;
}

static void shorten(uint32_t *count, uint32_t limit) {
	if (*count > limit) {
		*count = limit;
	}
}

/** The semaphores of a VkSubmitInfo or VkBindSparseInfo, whose chain `head` begins. */
static void strip_binary_or_timeline(struct submission *submission, const void *head,
		uint32_t *wait_count, const VkSemaphore *waits, const VkPipelineStageFlags *stages,
		uint32_t *signal_count, const VkSemaphore *signals) {
	VkTimelineSemaphoreSubmitInfo none = {0};
	VkTimelineSemaphoreSubmitInfo *timeline =
		chain_find(head, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
	timeline = timeline ? timeline : &none;
	*wait_count = strip_semaphores(submission, waits, *wait_count, true, stages,
		timeline->pWaitSemaphoreValues, timeline->waitSemaphoreValueCount);
	*signal_count = strip_semaphores(submission, signals, *signal_count, false, NULL,
		timeline->pSignalSemaphoreValues, timeline->signalSemaphoreValueCount);
	shorten(&timeline->waitSemaphoreValueCount, *wait_count);
	shorten(&timeline->signalSemaphoreValueCount, *signal_count);
}

static void strip_info(struct submission *submission, VkSubmitInfo *info, bool without_commands) {
	VkCommandBuffer *commands = (VkCommandBuffer *)info->pCommandBuffers;
	uint32_t kept = 0;
	for (uint32_t i = 0; !without_commands && i < info->commandBufferCount; i++) {
		if (commands[i]) {
			commands[kept++] = commands[i];
		}
	}
	info->commandBufferCount = kept;
	/* its counts would be wrong now; with one device in the group it says nothing */
	chain_remove(info, VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO);
	strip_binary_or_timeline(submission, info, &info->waitSemaphoreCount, info->pWaitSemaphores,
		info->pWaitDstStageMask, &info->signalSemaphoreCount, info->pSignalSemaphores);
}

static uint32_t strip_semaphores2(struct submission *submission,
		const VkSemaphoreSubmitInfo *list, uint32_t count, bool is_wait) {
	VkSemaphoreSubmitInfo *semaphores = (VkSemaphoreSubmitInfo *)list;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!is_left_out(submission, semaphores[i].semaphore, is_wait)) {
			semaphores[kept++] = semaphores[i];
		}
	}
	return kept;
}

static void strip_info2(struct submission *submission, VkSubmitInfo2 *info, bool without_commands) {
	VkCommandBufferSubmitInfo *commands =
		(VkCommandBufferSubmitInfo *)info->pCommandBufferInfos;
	uint32_t kept = 0;
	for (uint32_t i = 0; !without_commands && i < info->commandBufferInfoCount; i++) {
		if (commands[i].commandBuffer) {
			commands[kept++] = commands[i];
		}
	}
	info->commandBufferInfoCount = kept;
	info->waitSemaphoreInfoCount = strip_semaphores2(
		submission, info->pWaitSemaphoreInfos, info->waitSemaphoreInfoCount, true);
	info->signalSemaphoreInfoCount = strip_semaphores2(
		submission, info->pSignalSemaphoreInfos, info->signalSemaphoreInfoCount, false);
}

/** Bindings of failed objects; what was to be bound to failed memory is bound to none. */
static void strip_sparse(
		struct submission *submission, VkBindSparseInfo *info, bool without_binds) {
	VkSparseBufferMemoryBindInfo *buffers = (VkSparseBufferMemoryBindInfo *)info->pBufferBinds;
	VkSparseImageOpaqueMemoryBindInfo *opaque =
		(VkSparseImageOpaqueMemoryBindInfo *)info->pImageOpaqueBinds;
	VkSparseImageMemoryBindInfo *images = (VkSparseImageMemoryBindInfo *)info->pImageBinds;
	uint32_t kept = 0;
	for (uint32_t i = 0; !without_binds && i < info->bufferBindCount; i++) {
		if (buffers[i].buffer) {
			buffers[kept++] = buffers[i];
		}
	}
	info->bufferBindCount = kept;
	kept = 0;
	for (uint32_t i = 0; !without_binds && i < info->imageOpaqueBindCount; i++) {
		if (opaque[i].image) {
			opaque[kept++] = opaque[i];
		}
	}
	info->imageOpaqueBindCount = kept;
	kept = 0;
	for (uint32_t i = 0; !without_binds && i < info->imageBindCount; i++) {
		if (images[i].image) {
			images[kept++] = images[i];
		}
	}
	info->imageBindCount = kept;
	strip_binary_or_timeline(submission, info, &info->waitSemaphoreCount, info->pWaitSemaphores,
		NULL, &info->signalSemaphoreCount, info->pSignalSemaphores);
}

/** Takes out what failed and waits for imports, and, if `without_work`, all that is to be done. */
static void strip(struct submission *submission, bool without_work) {
	for (uint32_t i = 0; i < submission->count; i++) {
		if (submission->kind == SUBMIT) {
			strip_info(submission, (VkSubmitInfo *)&submission->infos[i], without_work);
		} else if (submission->kind == SUBMIT2) {
			strip_info2(
				submission, (VkSubmitInfo2 *)&submission->infos2[i], without_work);
		} else {
			strip_sparse(submission, (VkBindSparseInfo *)&submission->sparse[i],
				without_work);
		}
	}
}

/* --- submitting --- */

static VkResult try_once(const struct submission *submission) {
	const struct vk_device_table *vk = &submission->queue->device->vk;
	const VkQueue queue = submission->queue->handle;
	if (submission->kind == SUBMIT2) {
		return vk->QueueSubmit2(
			queue, submission->count, submission->infos2, submission->fence);
	}
	if (submission->kind == BIND_SPARSE) {
		return vk->QueueBindSparse(
			queue, submission->count, submission->sparse, submission->fence);
	}
	return vk->QueueSubmit(queue, submission->count, submission->infos, submission->fence);
}

static bool can_be_retried(VkResult result) {
	return result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

/** The guest hears nothing of it: what can be done is done. */
static VkResult try_hard(struct submission *submission) {
	const struct render_call *call = submission->call;
	VkResult result = try_once(submission);
	uint64_t pause = RETRY_PAUSE_NS;
	for (int i = 0; i < RETRIES && can_be_retried(result) &&
			!render_context_is_ending(call->context); i++) {
		clock_sleep(pause);
		pause *= 4;
		result = try_once(submission);
	}
	if (result < 0 && result != VK_ERROR_DEVICE_LOST) {
		log_warn("%s: %s failed on the host (VkResult %d) after the guest went on",
			call->context->options.name, venus_command_name(call->command), result);
		strip(submission, true);
		result = try_once(submission);
	}
	return result;
}

static VkResult submit(struct submission *submission) {
	struct render_call *call = submission->call;
	struct render_queue *queue = submission->queue;
	struct render_sync_fd *sync = &queue->device->sync_fd;
	if (call->decoder->failed_object && call->wants_reply) {
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	if (render_call_device_is_lost(call)) {
		return render_call_heed_loss(call, VK_ERROR_DEVICE_LOST);
	}
	list_init(&submission->imports);
	if (call->decoder->failed_object || render_sync_fd_any(sync)) {
		strip(submission, false);
	}
	pthread_mutex_lock(&queue->submit_lock);
	const VkResult result =
		call->wants_reply ? try_once(submission) : try_hard(submission);
	queue->submissions++;
	pthread_mutex_unlock(&queue->submit_lock);
	render_count(&call->context->counters->submissions, 1);
	if (!list_empty(&submission->imports)) {
		render_sync_fd_settle(
			sync, &submission->imports, result >= 0 || !call->wants_reply);
	}
	return render_call_heed_loss(call, result);
}

void render_handle_vkQueueSubmit(struct render_call *call, struct venus_vkQueueSubmit *args) {
	struct submission submission = {
		.call = call,
		.queue = (struct render_queue *)args->queue_object,
		.kind = SUBMIT,
		.infos = args->pSubmits,
		.count = args->submitCount,
		.fence = args->fence,
	};
	args->ret = submit(&submission);
}

void render_handle_vkQueueSubmit2(struct render_call *call, struct venus_vkQueueSubmit2 *args) {
	if (!render_call_device_table(call)->QueueSubmit2) {
		render_call_fail(call, "the command is not enabled on the device");
		return;
	}
	struct submission submission = {
		.call = call,
		.queue = (struct render_queue *)args->queue_object,
		.kind = SUBMIT2,
		.infos2 = args->pSubmits,
		.count = args->submitCount,
		.fence = args->fence,
	};
	args->ret = submit(&submission);
}

void render_handle_vkQueueBindSparse(
		struct render_call *call, struct venus_vkQueueBindSparse *args) {
	struct submission submission = {
		.call = call,
		.queue = (struct render_queue *)args->queue_object,
		.kind = BIND_SPARSE,
		.sparse = args->pBindInfo,
		.count = args->bindInfoCount,
		.fence = args->fence,
	};
	args->ret = submit(&submission);
}
