/* SPDX-License-Identifier: MIT */

/* Query pools. */

#include "render/call.h"
#include "render/device.h"
#include "render/device_loss.h"
#include "render/limit.h"
#include "render/object.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"
#include "venus/venus_mesa.h"

/** Integers that the host writes for one query, without availability. */
static uint32_t values_per_query(const VkQueryPoolCreateInfo *info) {
	switch (info->queryType) {
	case VK_QUERY_TYPE_PIPELINE_STATISTICS: {
		uint32_t bits = info->pipelineStatistics, count = 0;
		for (; bits; bits &= bits - 1) {
			count++;
		}
		return count;
	}
	case VK_QUERY_TYPE_TRANSFORM_FEEDBACK_STREAM_EXT:
		return 2;
	default:
		return 1;
	}
}

void render_handle_vkCreateQueryPool(
		struct render_call *call, struct venus_vkCreateQueryPool *args) {
	struct venus_object *object = render_object_reserve(call, RENDER_HANDLE(*args->pQueryPool),
		VK_OBJECT_TYPE_QUERY_POOL, sizeof(struct render_query_pool));
	if (!object) {
		return;
	}
	struct render_query_pool *pool = (struct render_query_pool *)object;
	pool->values = values_per_query(args->pCreateInfo);
	VkQueryPool handle = VK_NULL_HANDLE;
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	/* drivers make room for all queries at once */
	if (!render_object_is_refused(call) && render_limit_take(call->context, LIMIT_QUERIES,
			args->pCreateInfo->queryCount)) {
		pool->count = args->pCreateInfo->queryCount;
		args->ret = render_call_device_table(call)->CreateQueryPool(
			args->device, args->pCreateInfo, NULL, &handle);
	}
	render_object_complete(call, object, RENDER_HANDLE(handle), args->ret);
}

void render_handle_vkGetQueryPoolResults(
		struct render_call *call, struct venus_vkGetQueryPoolResults *args) {
	const struct render_query_pool *pool =
		(const struct render_query_pool *)args->queryPool_object;
	if (call->decoder->failed_object) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	/* the host writes as much as the queries have, whatever dataSize says */
	const uint64_t width = args->flags & VK_QUERY_RESULT_64_BIT ? 8 : 4;
	const uint64_t extra = args->flags & (VK_QUERY_RESULT_WITH_AVAILABILITY_BIT |
						     VK_QUERY_RESULT_WITH_STATUS_BIT_KHR) ? 1 : 0;
	const uint64_t one = (pool->values + extra) * width;
	if (args->firstQuery > pool->count || args->queryCount > pool->count - args->firstQuery) {
		render_call_fail(call, "the queries lie outside the pool");
		return;
	}
	if (args->queryCount == 0) {
		args->ret = VK_SUCCESS;
		return;
	}
	if (!args->pData || args->dataSize < one ||
			(args->queryCount > 1 &&
				(args->stride % width ||
					args->stride > (args->dataSize - one) / (args->queryCount - 1)))) {
		render_call_fail(call, "the results do not fit into dataSize");
		return;
	}
	args->ret = render_call_device_is_lost(call) ? VK_ERROR_DEVICE_LOST :
		render_call_device_table(call)->GetQueryPoolResults(args->device, args->queryPool,
			args->firstQuery, args->queryCount, args->dataSize, args->pData, args->stride,
			args->flags);
	render_call_heed_loss(call, args->ret);
}
