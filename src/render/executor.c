/* SPDX-License-Identifier: MIT */
#include "render/executor.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "render/call.h"
#include "render/limit.h"
#include "render/resource.h"
#include "render/ring.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

/** A stream copy larger than this is given back after use. */
#define EXECUTOR_STREAM_KEEP (UINT64_C(1) << 20)
/** Room for outputs that need not fit into a reply. */
#define EXECUTOR_OUTPUT_ROOM (UINT64_C(64) << 10)

enum { COMMAND_HEADER_SIZE = 8, COMMAND_FLAG_GENERATE_REPLY = 1 };

void render_executor_init(
		struct render_executor *executor, struct render_context *context, struct render_ring *ring) {
	*executor = (struct render_executor){.context = context, .ring = ring};
	const uint64_t arena_bytes = context->options.limits.value[LIMIT_ARENA];
	arena_init(&executor->arena, (size_t)arena_bytes);
	arena_init(&executor->stream_arena, (size_t)arena_bytes);
	epoch_reader_add(&context->epoch, &executor->reader);
}

void render_executor_finish(struct render_executor *executor) {
	epoch_reader_remove(&executor->context->epoch, &executor->reader);
	arena_finish(&executor->arena);
	arena_finish(&executor->stream_arena);
	render_resource_unref(executor->reply.resource);
	free(executor->stream);
}

/** A claim that is not granted in that time is given up: somebody waits for who claims. */
#define CLAIM_PATIENCE_NS (60 * CLOCK_NS_PER_S)
#define CLAIM_POLL_NS (100 * CLOCK_NS_PER_US)

void render_executor_pause(struct render_executor *executor) {
	epoch_exit(&executor->reader);
}

void render_executor_resume(struct render_executor *executor) {
	struct render_context *context = executor->context;
	for (;;) {
		epoch_enter(&context->epoch, &executor->reader);
		const struct render_executor *exclusive = atomic_load(&context->exclusive);
		if (!exclusive || exclusive == executor) {
			return;
		}
		epoch_exit(&executor->reader);
		clock_sleep(CLAIM_POLL_NS);
	}
}

static bool should_end(const struct render_executor *executor) {
	return render_context_is_ending(executor->context) ||
		(executor->ring && render_ring_should_stop(executor->ring));
}

bool render_executor_claim(struct render_executor *executor) {
	struct render_context *context = executor->context;
	struct render_executor *nobody = NULL;
	while (!atomic_compare_exchange_strong(&context->exclusive, &nobody, executor)) {
		nobody = NULL;
		render_executor_pause(executor);
		render_executor_resume(executor);
	}
	const uint64_t deadline = clock_now() + CLAIM_PATIENCE_NS;
	while (epoch_others_inside(&context->epoch, &executor->reader)) {
		if (should_end(executor) || clock_now() > deadline) {
			render_executor_release(executor);
			return false;
		}
		clock_sleep(CLAIM_POLL_NS);
	}
	return true;
}

void render_executor_release(struct render_executor *executor) {
	atomic_store(&executor->context->exclusive, NULL);
}

static void lose_for_decode_error(
		const struct render_executor *executor, const struct venus_decoder *decoder, uint32_t command) {
	render_context_lose(executor->context, "%s%s%s: %s", venus_command_name(command),
		decoder->error_argument ? ": " : "",
		decoder->error_argument ? decoder->error_argument : "", decoder->error);
}

/**
 * Outputs are as large as the guest says, but it must have made room for them in its reply stream.
 * Structures may be larger in memory than on the wire, by padding.
 */
static uint64_t reply_room(const struct render_executor *executor) {
	return 2 * (executor->reply.size - executor->reply.position);
}

/** All commands of [data, data + size), inside an epoch section. */
static bool run_commands(struct render_executor *executor, const uint8_t *data, size_t size) {
	struct render_context *context = executor->context;
	struct arena *arena = executor->in_stream ? &executor->stream_arena : &executor->arena;
	struct render_ring *ring = executor->ring;
	const uint8_t here = ring ? RENDER_WHERE_RING : RENDER_WHERE_CONTEXT;
	struct venus_decoder decoder = {
		.cursor = data,
		.end = data + size,
		.arena = arena,
		.objects = &context->objects,
	};
	struct render_call call = {
		.context = context,
		.executor = executor,
		.ring = ring,
		.decoder = &decoder,
	};

	while (decoder.cursor < decoder.end) {
		const uint8_t *begin = decoder.cursor;
		if (decoder.end - begin < COMMAND_HEADER_SIZE) {
			render_context_lose(context, "a stream ends inside a command's header");
			return false;
		}
		uint32_t header[2];
		memcpy(header, begin, sizeof(header));
		decoder.cursor += COMMAND_HEADER_SIZE;
		if (header[0] >= VENUS_COMMAND_COUNT || !render_dispatch_table[header[0]].func) {
			render_context_lose(context, "there is no command %u", header[0]);
			return false;
		}
		if (header[1] & ~(uint32_t)COMMAND_FLAG_GENERATE_REPLY) {
			render_context_lose(context, "%s: unknown command flags 0x%x",
				venus_command_name(header[0]), header[1]);
			return false;
		}
		const struct render_dispatch_entry *entry = &render_dispatch_table[header[0]];
		if (!(entry->where & here)) {
			render_context_lose(context, "%s does not belong %s", venus_command_name(header[0]),
				ring ? "in a ring" : "on the context path");
			return false;
		}

		call.command = header[0];
		call.wants_reply = header[1] & COMMAND_FLAG_GENERATE_REPLY;
		decoder.device = NULL;
		decoder.pool = NULL;
		decoder.resource = NULL;
		decoder.previous_resource = NULL;
		decoder.failed_object = NULL;
		decoder.output_max = EXECUTOR_OUTPUT_ROOM + (call.wants_reply ? reply_room(executor) : 0);
		entry->func(&call);
		if (decoder.error) {
			lose_for_decode_error(executor, &decoder, header[0]);
			return false;
		}
		if (call.failed) {
			return false;
		}
		arena_reset(arena);
		executor->command_count++;
		if (ring && !executor->in_stream) {
			render_ring_advance(ring, (size_t)(decoder.cursor - begin));
			if (render_ring_should_stop(ring)) {
				return true;
			}
		}
	}
	return true;
}

bool render_executor_run(struct render_executor *executor, const uint8_t *data, size_t size) {
	if (atomic_load_explicit(&executor->context->lost, memory_order_relaxed)) {
		return false;
	}
	render_executor_resume(executor);
	bool ok = run_commands(executor, data, size);
	render_executor_pause(executor);
	render_count(&executor->context->counters->commands, executor->command_count);
	executor->command_count = 0;
	return ok;
}

bool render_executor_run_resource(struct render_executor *executor,
		const struct render_resource *resource, uint64_t offset, uint64_t size) {
	if (size > executor->context->options.limits.value[LIMIT_STREAM_BYTES]) {
		render_limit_log(executor->context, LIMIT_STREAM_BYTES, size);
	}
	if (size > executor->context->options.limits.value[LIMIT_STREAM_BYTES] || size % 4) {
		render_context_lose(executor->context,
			"vkExecuteCommandStreamsMESA: a stream of %llu bytes", (unsigned long long)size);
		return false;
	}
	if (size > executor->stream_capacity) {
		free(executor->stream);
		executor->stream = malloc(size);
		executor->stream_capacity = executor->stream ? size : 0;
		if (!executor->stream) {
			render_context_lose(executor->context, "out of memory for a command stream");
			return false;
		}
	}
	memcpy(executor->stream, render_resource_data(resource) + offset, size);

	executor->in_stream = true;
	bool ok = run_commands(executor, executor->stream, size);
	executor->in_stream = false;

	if (executor->stream_capacity > EXECUTOR_STREAM_KEEP) {
		free(executor->stream);
		executor->stream = NULL;
		executor->stream_capacity = 0;
	}
	return ok;
}

struct venus_encoder *render_call_begin_reply(struct render_call *call) {
	const struct render_reply_stream *reply = &call->executor->reply;
	if (!reply->resource) {
		render_call_fail(call, "a reply is wanted and no reply stream is set");
		return NULL;
	}
	uint8_t *base = render_resource_data(reply->resource) + reply->offset;
	call->encoder = (struct venus_encoder){
		.cursor = base + reply->position,
		.end = base + reply->size,
	};
	return &call->encoder;
}

void render_call_end_reply(struct render_call *call, struct venus_encoder *encoder) {
	struct render_reply_stream *reply = &call->executor->reply;
	if (encoder->overflow) {
		render_call_fail(call, "the reply does not fit into the reply stream");
		return;
	}
	const uint8_t *base = render_resource_data(reply->resource) + reply->offset;
	reply->position = (uint64_t)(encoder->cursor - base);
}

void render_call_fail_claim(struct render_call *call) {
	if (!should_end(call->executor)) {
		render_call_fail(call, "others use it, for too long to wait for them");
	}
}

void render_call_fail(struct render_call *call, const char *reason) {
	call->failed = true;
	render_context_lose(call->context, "%s: %s", venus_command_name(call->command), reason);
}
