/* SPDX-License-Identifier: MIT */

/* Query pools: results in every form, and what of them is not there yet. */

#include <string.h>

#include "parity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static VkQueryPool create_pool(struct parity *parity, VkQueryType type, uint32_t count,
		VkQueryPipelineStatisticFlags statistics) {
	const VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = type,
		.queryCount = count,
		.pipelineStatistics = statistics,
	};
	VkQueryPool pool;
	MUST(vkCreateQueryPool(parity->device, &info, NULL, &pool));
	return pool;
}

static const VkQueryResultFlags all_flags[] = {
	0,
	VK_QUERY_RESULT_64_BIT,
	VK_QUERY_RESULT_WITH_AVAILABILITY_BIT,
	VK_QUERY_RESULT_PARTIAL_BIT,
	VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT,
	VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT | VK_QUERY_RESULT_PARTIAL_BIT,
};

/** Results of all queries in every form. Timestamps say only what is there. */
static void say_results(struct parity *parity, VkQueryPool pool, uint32_t count, uint32_t values,
		bool is_time) {
	for (size_t i = 0; i < COUNT(all_flags); i++) {
		const bool available = all_flags[i] & VK_QUERY_RESULT_WITH_AVAILABILITY_BIT;
		const size_t width = all_flags[i] & VK_QUERY_RESULT_64_BIT ? 8 : 4;
		for (size_t gap = 0; gap < 2; gap++) {
			uint8_t data[4096];
			const size_t one = (values + available) * width;
			const size_t stride = one + gap * 2 * width;
			/* values of queries that are not available are undefined: see none of what is there */
			memset(data, 0xab, sizeof(data));
			for (uint32_t query = 0; query < count; query++) {
				memset(data + query * stride, 0, one);
			}
			const VkResult result = vkGetQueryPoolResults(parity->device, pool, 0, count,
				stride * (count - 1) + one, data, stride, all_flags[i]);
			/* Mesa's feedback answers VK_NOT_READY also when partial results are asked for */
			const bool partial = all_flags[i] & VK_QUERY_RESULT_PARTIAL_BIT;
			say("flags %x, stride %zu: %d", all_flags[i], stride, partial ? result < 0 : result);
			if (!is_time) {
				say_hash("results", data, sizeof(data));
			}
		}
	}
}

static void never_used(struct parity *parity) {
	VkQueryPool pool = create_pool(parity, VK_QUERY_TYPE_OCCLUSION, 8, 0);
	vkResetQueryPool(parity->device, pool, 0, 8);
	say_results(parity, pool, 8, 1, false);
	vkDestroyQueryPool(parity->device, pool, NULL);
	pool = create_pool(parity, VK_QUERY_TYPE_TIMESTAMP, 8, 0);
	vkResetQueryPool(parity->device, pool, 0, 8);
	say_results(parity, pool, 8, 1, false);
	vkDestroyQueryPool(parity->device, pool, NULL);
}

static void occlusion(struct parity *parity) {
	VkQueryPool pool = create_pool(parity, VK_QUERY_TYPE_OCCLUSION, 4, 0);
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdResetQueryPool(commands, pool, 0, 4);
	for (uint32_t i = 0; i < 3; i++) {
		vkCmdBeginQuery(commands, pool, i, 0);
		vkCmdEndQuery(commands, pool, i);
	}
	parity_run(parity, commands);
	/* the last was never begun */
	say_results(parity, pool, 4, 1, false);

	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 256, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	commands = parity_begin(parity);
	vkCmdCopyQueryPoolResults(commands, pool, 0, 3, buffer.buffer, 16, 24,
		VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
	parity_run(parity, commands);
	say_hash("copied", buffer.data, buffer.size);
	parity_buffer_finish(parity, &buffer);
	vkResetQueryPool(parity->device, pool, 1, 1);
	say_results(parity, pool, 3, 1, false);
	vkDestroyQueryPool(parity->device, pool, NULL);
}

static void timestamps(struct parity *parity) {
	VkQueryPool pool = create_pool(parity, VK_QUERY_TYPE_TIMESTAMP, 3, 0);
	for (int round = 0; round < 3; round++) {
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdResetQueryPool(commands, pool, 0, 3);
		vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, pool, 0);
		vkCmdWriteTimestamp2(commands, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, pool, 1);
		parity_run(parity, commands);
		say_results(parity, pool, 2, 1, true);
		say_results(parity, pool, 3, 1, true);
		uint64_t times[2] = {0, 0};
		SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 0, 2, sizeof(times), times, 8,
			VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
		say("in order: %d", times[1] >= times[0] && times[0] > 0);
	}
	vkDestroyQueryPool(parity->device, pool, NULL);
}

static void statistics(struct parity *parity) {
	for (uint32_t flags = 1; flags < 1u << 11; flags = flags * 5 + 3) {
		VkQueryPool pool = create_pool(parity, VK_QUERY_TYPE_PIPELINE_STATISTICS, 2, flags);
		uint32_t values = 0;
		for (uint32_t bits = flags; bits; bits &= bits - 1) {
			values++;
		}
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdResetQueryPool(commands, pool, 0, 2);
		vkCmdBeginQuery(commands, pool, 0, 0);
		vkCmdEndQuery(commands, pool, 0);
		parity_run(parity, commands);
		say_results(parity, pool, 1, values, false);
		say_results(parity, pool, 2, values, false);
		vkDestroyQueryPool(parity->device, pool, NULL);
	}
}

static void streams(struct parity *parity) {
	if (!parity_has(parity, VK_EXT_TRANSFORM_FEEDBACK_EXTENSION_NAME)) {
		return;
	}
	PROC(parity, vkCmdBeginQueryIndexedEXT);
	PROC(parity, vkCmdEndQueryIndexedEXT);
	VkQueryPool pool = create_pool(parity, VK_QUERY_TYPE_TRANSFORM_FEEDBACK_STREAM_EXT, 2, 0);
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdResetQueryPool(commands, pool, 0, 2);
	vkCmdBeginQueryIndexedEXT(commands, pool, 0, 0, 0);
	vkCmdEndQueryIndexedEXT(commands, pool, 0, 0);
	parity_run(parity, commands);
	say_results(parity, pool, 1, 2, false);
	say_results(parity, pool, 2, 2, false);
	vkDestroyQueryPool(parity->device, pool, NULL);
}

const struct parity_case parity_query_cases[] = {
	{"query never-used", never_used},
	{"query occlusion", occlusion},
	{"query timestamps", timestamps},
	{"query statistics", statistics},
	{"query streams", streams},
	{NULL, NULL},
};
