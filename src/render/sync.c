/* SPDX-License-Identifier: MIT */

/* Fences and semaphores: waits that may be long, and what guests export and import of them. */

#include "base/clock.h"
#include "render/call.h"
#include "render/chain.h"
#include "render/device.h"
#include "render/queue.h"
#include "render/ring.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"
#include "venus/venus_mesa.h"

/*
 * A wait of the guest is made in slices, so that a ring which is to stop, because the guest's process
 * ended, comes back from it.
 */
#define WAIT_SLICE_NS (100 * CLOCK_NS_PER_MS)

static bool should_stop_waiting(struct render_call *call) {
	return render_context_is_ending(call->context) ||
		(call->ring && render_ring_should_stop(call->ring));
}

/** What is left until `deadline` (UINT64_MAX: for ever), a slice at most. */
static uint64_t next_slice(uint64_t deadline) {
	uint64_t now = clock_now();
	uint64_t left = deadline > now ? deadline - now : 0;
	return left < WAIT_SLICE_NS ? left : WAIT_SLICE_NS;
}

static uint64_t deadline_of(uint64_t timeout) {
	uint64_t now = clock_now();
	return timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
}

void render_handle_vkWaitForFences(
		struct render_call *call, struct venus_vkWaitForFences *args) {
	if (call->decoder->failed_object) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	const struct vk_device_table *vk = render_call_device_table(call);
	uint64_t deadline = deadline_of(args->timeout);
	uint64_t slice;
	do {
		slice = next_slice(deadline);
		args->ret = vk->WaitForFences(
			args->device, args->fenceCount, args->pFences, args->waitAll, slice);
	} while (args->ret == VK_TIMEOUT && slice && !should_stop_waiting(call));
}

void render_handle_vkWaitSemaphores(
		struct render_call *call, struct venus_vkWaitSemaphores *args) {
	const struct vk_device_table *vk = render_call_device_table(call);
	if (!vk->WaitSemaphores) {
		render_call_fail(call, "the command is not enabled on the device");
		return;
	}
	if (call->decoder->failed_object) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	uint64_t deadline = deadline_of(args->timeout);
	uint64_t slice;
	do {
		slice = next_slice(deadline);
		args->ret = vk->WaitSemaphores(args->device, args->pWaitInfo, slice);
	} while (args->ret == VK_TIMEOUT && slice && !should_stop_waiting(call));
}

/*
 * Guests turn fences and binary semaphores into sync_fds and back, and want the host's object to follow: the
 * payload that was exported is consumed, the one that was imported is there. The host's driver need not know
 * sync_fds for that (MoltenVK does not): what is exported is a fence of the guest's own kernel, and what is imported
 * was waited for by the guest. So export and import are not told to the driver at all, and
 * consuming and providing a payload are empty submissions.
 */

void render_handle_vkCreateFence(struct render_call *call, struct venus_vkCreateFence *args) {
	struct venus_object *object = render_object_reserve(
		call, RENDER_HANDLE(*args->pFence), VK_OBJECT_TYPE_FENCE, 0);
	if (!object) {
		return;
	}
	chain_remove(args->pCreateInfo, VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO);
	VkFence handle = VK_NULL_HANDLE;
	args->ret = render_call_device_table(call)->CreateFence(
		args->device, args->pCreateInfo, NULL, &handle);
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
	args->ret = render_call_device_table(call)->CreateSemaphore(
		args->device, args->pCreateInfo, NULL, &handle);
	render_object_complete(call, object, RENDER_HANDLE(handle), args->ret);
}

/** An exported fence is reset, once what it stands for is done. */
void render_handle_vkResetFenceResourceMESA(
		struct render_call *call, struct venus_vkResetFenceResourceMESA *args) {
	const struct vk_device_table *vk = render_call_device_table(call);
	if (call->decoder->failed_object) {
		return;
	}
	VkResult result;
	do {
		result = vk->WaitForFences(args->device, 1, &args->fence, VK_TRUE, WAIT_SLICE_NS);
	} while (result == VK_TIMEOUT && !should_stop_waiting(call));
	if (result == VK_SUCCESS) {
		vk->ResetFences(args->device, 1, &args->fence);
	}
}

void render_handle_vkWaitSemaphoreResourceMESA(
		struct render_call *call, struct venus_vkWaitSemaphoreResourceMESA *args) {
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &args->semaphore,
		.pWaitDstStageMask = &stage,
	};
	if (!call->decoder->failed_object && !render_device_submit(call, &submit)) {
		render_call_fail(call, "the device has no queue yet");
	}
}

void render_handle_vkImportSemaphoreResourceMESA(
		struct render_call *call, struct venus_vkImportSemaphoreResourceMESA *args) {
	const VkImportSemaphoreResourceInfoMESA *info = args->pImportSemaphoreResourceInfo;
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &info->semaphore,
	};
	if (info->resourceId) {
		render_call_fail(call, "resourceId is not 0");
		return;
	}
	if (!call->decoder->failed_object && !render_device_submit(call, &submit)) {
		render_call_fail(call, "the device has no queue yet");
	}
}
