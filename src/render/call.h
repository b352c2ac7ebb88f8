/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_CALL_H
#define VENERA_RENDER_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "render/context.h"
#include "render/device.h"
#include "render/executor.h"
#include "render/instance.h"
#include "render/object.h"
#include "venus/decoder.h"
#include "venus/encoder.h"

/** One command under execution. */
struct render_call {
	struct render_context *context;
	struct render_executor *executor;
	struct render_ring *ring; /* NULL on the context path */
	struct venus_decoder *decoder;
	uint32_t command;         /* enum venus_command */
	bool wants_reply;
	bool failed;              /* the guest broke a rule: the context is lost */
	struct venus_encoder encoder;
};

/** The functions of the device that the command's first argument names. */
static inline const struct vk_device_table *render_call_device_table(
		const struct render_call *call) {
	return &render_device_of(call->decoder->device)->vk;
}

static inline const struct vk_instance_table *render_call_instance_table(
		const struct render_call *call) {
	return render_instance_table_of(call->context);
}

/** Where to write the reply. NULL: there is no reply stream, and the call has failed. */
struct venus_encoder *render_call_begin_reply(struct render_call *call);
void render_call_end_reply(struct render_call *call, struct venus_encoder *encoder);

/** render_executor_claim() has failed: unless all ends anyway the context is lost. */
void render_call_fail_claim(struct render_call *call);

/** The guest broke a rule, which `reason` (static text) names: the context is lost. */
void render_call_fail(struct render_call *call, const char *reason);

#endif
