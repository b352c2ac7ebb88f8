/* SPDX-License-Identifier: MIT */
#include "render/device_loss.h"

/*
 * Theory of operation
 *
 * When the host loses a device (VK_ERROR_DEVICE_LOST), what the guest waits for never happens, and
 * the guest is told of it only by the replies to commands that can say so. So the loss is
 * remembered: these commands do not ask the host any more, and all of them give the error, as
 * Vulkan wants it.
 *
 * Mesa's driver does not wait for replies but looks at memory that the GPU would write. From 26.1
 * on it asks now and then (vkGetFenceStatus and the like, first after 3.5 s of waiting), and aborts
 * the program when it hears of the loss. That of 25.0 never asks: its program would wait for ever.
 * So a guest that has not been told within RENDER_LOSS_GRACE_NS loses its context, which its driver
 * sees in the ring's status: it aborts, too. One that has been told goes on as it likes, and may
 * make another device.
 *
 * The monitor looks at the clock; it wakes as often as it has to for the rings.
 */

void render_device_lose(struct render_context *context, struct render_device *device) {
	if (atomic_exchange(&device->lost, true)) {
		return;
	}
	log_warn("%s: the host has lost the device", context->options.name);
	atomic_store(&context->loss_deadline, clock_now() + RENDER_LOSS_GRACE_NS);
	atomic_fetch_add(&context->untold_losses, 1);
}

void render_device_tell_loss(struct render_context *context, struct render_device *device) {
	if (atomic_load(&device->lost) && !atomic_exchange(&device->loss_told, true)) {
		atomic_fetch_sub(&context->untold_losses, 1);
	}
}

void render_device_check_losses(struct render_context *context) {
	if (atomic_load(&context->untold_losses) > 0 &&
			clock_now() >= atomic_load(&context->loss_deadline)) {
		render_context_lose(context, "the host has lost a device, and the guest did not ask");
	}
}

VkResult render_call_heed_loss(struct render_call *call, VkResult result) {
	if (result == VK_ERROR_DEVICE_LOST) {
		struct render_device *device = render_device_of(call->decoder->device);
		render_device_lose(call->context, device);
		if (call->wants_reply) {
			render_device_tell_loss(call->context, device);
		}
	}
	return result;
}
