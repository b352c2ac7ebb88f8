/* SPDX-License-Identifier: MIT */

/* Waits for fences and semaphores, which may be long. */

#include "base/clock.h"
#include "render/call.h"
#include "render/device.h"
#include "render/device_loss.h"
#include "render/ring.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

/*
 * A wait of the guest is made in slices, so that a ring which is to stop, because the guest's
 * process ended, comes back from it.
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
		args->ret = render_call_device_is_lost(call) ? VK_ERROR_DEVICE_LOST :
			vk->WaitForFences(args->device, args->fenceCount, args->pFences,
				args->waitAll, slice);
	} while (args->ret == VK_TIMEOUT && slice && !should_stop_waiting(call));
	render_call_heed_loss(call, args->ret);
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
		args->ret = render_call_device_is_lost(call) ? VK_ERROR_DEVICE_LOST :
			vk->WaitSemaphores(args->device, args->pWaitInfo, slice);
	} while (args->ret == VK_TIMEOUT && slice && !should_stop_waiting(call));
	render_call_heed_loss(call, args->ret);
}

/** The fences that there are are reset, also if one among them failed. */
void render_handle_vkResetFences(struct render_call *call, struct venus_vkResetFences *args) {
	VkFence *fences = (VkFence *)args->pFences; /* in our arena */
	uint32_t count = 0;
	for (uint32_t i = 0; i < args->fenceCount; i++) {
		if (fences[i]) {
			fences[count++] = fences[i];
		}
	}
	args->ret = VK_SUCCESS;
	if (count) {
		const struct vk_device_table *vk = render_call_device_table(call);
		args->ret = vk->ResetFences(args->device, count, fences);
		if (args->ret < 0 && !call->wants_reply) {
			/* the next wait for a fence that is still signalled would end too early */
			args->ret = vk->ResetFences(args->device, count, fences);
		}
	}
	if (call->decoder->failed_object) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	}
}
