/* SPDX-License-Identifier: MIT */

/* Waits that may be long, and the private commands about semaphores and fences. */

#include "base/clock.h"
#include "render/call.h"
#include "render/device.h"
#include "render/ring.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

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
 * The three commands below serve sync_fd export and import of guests up to Mesa 26.0. The host's
 * external fences and semaphores are not offered to the guest, so no guest that keeps to what it was
 * told sends them.
 */

void render_handle_vkResetFenceResourceMESA(
		struct render_call *call, struct venus_vkResetFenceResourceMESA *args) {
	(void)args;
	render_call_fail(call, "exportable fences are not offered");
}

void render_handle_vkWaitSemaphoreResourceMESA(
		struct render_call *call, struct venus_vkWaitSemaphoreResourceMESA *args) {
	(void)args;
	render_call_fail(call, "exportable semaphores are not offered");
}

void render_handle_vkImportSemaphoreResourceMESA(
		struct render_call *call, struct venus_vkImportSemaphoreResourceMESA *args) {
	(void)args;
	render_call_fail(call, "importable semaphores are not offered");
}
