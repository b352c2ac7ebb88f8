/* SPDX-License-Identifier: MIT */

/* The private commands about rings, reply streams and command streams. */

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "render/call.h"
#include "render/chain.h"
#include "render/limit.h"
#include "render/resource.h"
#include "render/ring.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"
#include "venus/venus_mesa.h"

struct span {
	uint64_t begin, size;
};

/** Resolves `offset` in a ring's area to the resource and checks that it lies in the area. */
static bool place(struct span *span, const VkRingCreateInfoMESA *info, uint64_t offset, uint64_t size) {
	if (offset % 4 || offset > info->size || size > info->size - offset) {
		return false;
	}
	*span = (struct span){info->offset + offset, size};
	return true;
}

static const char *check_layout(const VkRingCreateInfoMESA *info,
		const struct render_resource *resource, struct render_ring_layout *layout) {
	if (info->flags) {
		return "unknown flags";
	}
	if (info->offset % 4 || !render_resource_contains(resource, info->offset, info->size)) {
		return "the ring lies outside its resource";
	}
	if (info->bufferSize == 0 || info->bufferSize > RENDER_RING_MAX_BUFFER ||
			(info->bufferSize & (info->bufferSize - 1))) {
		return "bufferSize is not a power of two up to 16 MiB";
	}
	enum { HEAD, TAIL, STATUS, BUFFER, EXTRA, SPAN_COUNT };
	struct span spans[SPAN_COUNT];
	if (!place(&spans[HEAD], info, info->headOffset, 4) ||
			!place(&spans[TAIL], info, info->tailOffset, 4) ||
			!place(&spans[STATUS], info, info->statusOffset, 4) ||
			!place(&spans[BUFFER], info, info->bufferOffset, info->bufferSize) ||
			!place(&spans[EXTRA], info, info->extraOffset, info->extraSize) ||
			info->bufferSize % 4 || info->extraSize % 4) {
		return "a part of the ring lies outside it or is not aligned to 4 bytes";
	}
	for (int i = 0; i < SPAN_COUNT; i++) {
		for (int j = i + 1; j < SPAN_COUNT; j++) {
			if (spans[i].size && spans[j].size &&
					spans[i].begin < spans[j].begin + spans[j].size &&
					spans[j].begin < spans[i].begin + spans[i].size) {
				return "parts of the ring overlap";
			}
		}
	}
	*layout = (struct render_ring_layout){
		.head = spans[HEAD].begin,
		.tail = spans[TAIL].begin,
		.status = spans[STATUS].begin,
		.buffer = spans[BUFFER].begin,
		.buffer_size = spans[BUFFER].size,
		.extra = spans[EXTRA].begin,
		.extra_size = spans[EXTRA].size,
	};
	const uint8_t *base = render_resource_data(resource);
	if (atomic_load((const _Atomic uint32_t *)(const void *)(base + layout->head)) ||
			atomic_load((const _Atomic uint32_t *)(const void *)(base + layout->status))) {
		return "head and status are not 0";
	}
	return NULL;
}

void render_handle_vkCreateRingMESA(
		struct render_call *call, struct venus_vkCreateRingMESA *args) {
	struct render_context *context = call->context;
	const VkRingCreateInfoMESA *info = args->pCreateInfo;
	if (render_ring_find(context, args->ring)) {
		render_call_fail(call, "the ring's id is taken");
		return;
	}
	const VkRingMonitorInfoMESA *monitor =
		chain_find(info, VK_STRUCTURE_TYPE_RING_MONITOR_INFO_MESA);
	const VkRingPriorityInfoMESA *priority =
		chain_find(info, VK_STRUCTURE_TYPE_RING_PRIORITY_INFO_MESA);
	if (monitor && !monitor->maxReportingPeriodMicroseconds) {
		render_call_fail(call, "maxReportingPeriodMicroseconds is 0");
		return;
	}
	struct render_resource *resource = render_resource_get(context, info->resourceId);
	if (!resource) {
		render_call_fail(call, "there is no such resource");
		return;
	}
	struct render_ring_layout layout;
	const char *error = check_layout(info, resource, &layout);
	if (error) {
		render_resource_unref(resource);
		render_call_fail(call, error);
		return;
	}
	/* no error comes back from this command: who has no ring waits for it for ever */
	if (!render_limit_take(context, LIMIT_RINGS, 1)) {
		render_resource_unref(resource);
		render_call_fail(call, "too many rings");
		return;
	}
	int ret = render_ring_create(context, args->ring, resource, &layout, info->idleTimeout,
		monitor ? monitor->maxReportingPeriodMicroseconds * UINT64_C(1000) : 0,
		priority ? priority->priority : 0);
	if (ret < 0) {
		render_limit_give(context, LIMIT_RINGS, 1);
		render_call_fail(call, "out of memory or threads");
	}
}

/** Fails the call if there is none. */
static struct render_ring *find_ring(struct render_call *call, uint64_t id) {
	struct render_ring *ring = render_ring_find(call->context, id);
	if (!ring) {
		render_call_fail(call, "there is no such ring");
	}
	return ring;
}

void render_handle_vkDestroyRingMESA(
		struct render_call *call, struct venus_vkDestroyRingMESA *args) {
	struct render_ring *ring = find_ring(call, args->ring);
	if (ring) {
		render_ring_destroy(ring);
		render_limit_give(call->context, LIMIT_RINGS, 1);
	}
}

void render_handle_vkNotifyRingMESA(
		struct render_call *call, struct venus_vkNotifyRingMESA *args) {
	struct render_ring *ring = find_ring(call, args->ring);
	if (ring) {
		render_count(&call->context->counters->ring_wakeups, 1);
		render_ring_wake(ring);
	}
}

void render_handle_vkWriteRingExtraMESA(
		struct render_call *call, struct venus_vkWriteRingExtraMESA *args) {
	struct render_ring *ring = find_ring(call, args->ring);
	if (!ring) {
		return;
	}
	if (args->offset % 4 || ring->extra_size < 4 || args->offset > ring->extra_size - 4) {
		render_call_fail(call, "offset lies outside the extra region");
		return;
	}
	_Atomic uint32_t *word = (_Atomic uint32_t *)(void *)(ring->extra + args->offset);
	atomic_store_explicit(word, args->value, memory_order_release);
}

void render_handle_vkSubmitVirtqueueSeqnoMESA(
		struct render_call *call, struct venus_vkSubmitVirtqueueSeqnoMESA *args) {
	struct render_ring *ring = find_ring(call, args->ring);
	if (ring) {
		render_ring_submit_virtqueue_seqno(ring, args->seqno);
	}
}

void render_handle_vkWaitVirtqueueSeqnoMESA(
		struct render_call *call, struct venus_vkWaitVirtqueueSeqnoMESA *args) {
	render_executor_pause(call->executor);
	render_ring_wait_virtqueue_seqno(call->ring, args->seqno);
	render_executor_resume(call->executor);
}

void render_handle_vkWaitRingSeqnoMESA(
		struct render_call *call, struct venus_vkWaitRingSeqnoMESA *args) {
	struct render_ring *ring = find_ring(call, args->ring);
	if (!ring) {
		return;
	}
	render_executor_pause(call->executor);
	const bool reached = render_ring_wait_seqno(ring, (uint32_t)args->seqno);
	render_executor_resume(call->executor);
	if (!reached && !render_context_is_ending(call->context)) {
		render_call_fail(call, "the ring is drained and does not hold that seqno");
	}
}

void render_handle_vkSetReplyCommandStreamMESA(
		struct render_call *call, struct venus_vkSetReplyCommandStreamMESA *args) {
	struct render_context *context = call->context;
	struct render_reply_stream *reply = &call->executor->reply;
	const VkCommandStreamDescriptionMESA *stream = args->pStream;

	/* guests set it before nearly every reply, mostly in the same resource */
	uint64_t generation =
		atomic_load_explicit(&context->resource_generation, memory_order_acquire);
	if (!reply->resource || reply->resource->id != stream->resourceId ||
			reply->generation != generation) {
		struct render_resource *resource = render_resource_get(context, stream->resourceId);
		if (!resource) {
			render_call_fail(call, "there is no such resource");
			return;
		}
		render_resource_unref(reply->resource);
		reply->resource = resource;
		reply->generation = generation;
	}
	if (!render_resource_contains(reply->resource, stream->offset, stream->size) ||
			stream->offset % 4) {
		render_call_fail(call, "the stream lies outside its resource");
		return;
	}
	reply->offset = stream->offset;
	reply->size = stream->size;
	reply->position = 0;
}

void render_handle_vkSeekReplyCommandStreamMESA(
		struct render_call *call, struct venus_vkSeekReplyCommandStreamMESA *args) {
	struct render_reply_stream *reply = &call->executor->reply;
	if (!reply->resource || args->position > reply->size || args->position % 4) {
		render_call_fail(call, "position lies outside the reply stream");
		return;
	}
	reply->position = args->position;
}

void render_handle_vkExecuteCommandStreamsMESA(
		struct render_call *call, struct venus_vkExecuteCommandStreamsMESA *args) {
	if (call->executor->in_stream) {
		render_call_fail(call, "command streams may not be nested");
		return;
	}
	if (!args->streamCount || !args->pStreams) {
		render_call_fail(call, "no streams");
		return;
	}
	for (uint32_t i = 0; i < args->streamCount; i++) {
		if (args->pReplyPositions) {
			struct render_reply_stream *reply = &call->executor->reply;
			if (args->pReplyPositions[i] > reply->size || args->pReplyPositions[i] % 4) {
				render_call_fail(call, "a reply position lies outside the reply stream");
				return;
			}
			reply->position = args->pReplyPositions[i];
		}
		const VkCommandStreamDescriptionMESA *stream = &args->pStreams[i];
		if (!stream->size) {
			continue;
		}
		struct render_resource *resource =
			render_resource_get(call->context, stream->resourceId);
		if (!resource) {
			render_call_fail(call, "there is no such resource");
			return;
		}
		bool inside = render_resource_contains(resource, stream->offset, stream->size);
		bool ok = inside && render_executor_run_resource(
						    call->executor, resource, stream->offset, stream->size);
		render_resource_unref(resource);
		if (!inside) {
			render_call_fail(call, "a stream lies outside its resource");
			return;
		}
		if (!ok) {
			call->failed = true; /* the inner command has said why */
			return;
		}
	}
}
