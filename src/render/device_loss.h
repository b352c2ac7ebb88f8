/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_DEVICE_LOSS_H
#define VENERA_RENDER_DEVICE_LOSS_H

#include "base/clock.h"
#include "render/call.h"

/** How long a guest that lost a device may go on without hearing of it; see device_loss.c. */
#define RENDER_LOSS_GRACE_NS (5 * CLOCK_NS_PER_S)

/** The host has said VK_ERROR_DEVICE_LOST. Any thread, any number of times. */
void render_device_lose(struct render_context *context, struct render_device *device);

/** The guest knows, or the device is gone. */
void render_device_tell_loss(struct render_context *context, struct render_device *device);

/** Ends the context if the guest has not heard of a loss in time. */
void render_device_check_losses(struct render_context *context);

static inline bool render_call_device_is_lost(const struct render_call *call) {
	return atomic_load_explicit(
		&render_device_of(call->decoder->device)->lost, memory_order_relaxed);
}

/** For the result, unchanged, of every command that can find out that the device is lost. */
VkResult render_call_heed_loss(struct render_call *call, VkResult result);

#endif
