/* SPDX-License-Identifier: MIT */

/* Query pools: results in every form, and what of them is not there yet. */

#include <string.h>

#include "scene.h"

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
			/*
			 * Mesa's feedback answers VK_NOT_READY also when partial results are asked for. And
			 * in 32 bits its times end at the largest number, where the host's wrap: there is
			 * nothing that we could do.
			 */
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

/** A draw in every other query of many; recordings that run again; all ways to reset. */
static void draws(struct parity *parity) {
	enum { QUERIES = 300 };
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	VkQueryPool pool = create_pool(parity, VK_QUERY_TYPE_OCCLUSION, QUERIES, 0);
	struct parity_buffer copied;
	parity_buffer_init(parity, &copied, QUERIES * 16, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	for (int way = 0; way < 4; way++) {
		VkCommandBuffer commands = parity_begin(parity);
		scene_prepare(commands, &scene);
		if (way & 1) {
			vkResetQueryPool(parity->device, pool, 0, QUERIES);
		} else {
			vkCmdResetQueryPool(commands, pool, 0, QUERIES);
		}
		if (way & 2) { /* around it */
			vkCmdBeginQuery(commands, pool, QUERIES - 1, VK_QUERY_CONTROL_PRECISE_BIT);
		}
		scene_begin_rendering(commands, &scene, 0);
		scene_bind(commands, &scene, pipeline);
		for (uint32_t i = 0; !(way & 2) && i < QUERIES; i += 2) {
			vkCmdBeginQuery(commands, pool, i, i % 4 ? 0 : VK_QUERY_CONTROL_PRECISE_BIT);
			vkCmdDraw(commands, 3, 1, i % 4, i % 3);
			vkCmdEndQuery(commands, pool, i);
		}
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndRendering(commands);
		if (way & 2) {
			vkCmdEndQuery(commands, pool, QUERIES - 1);
		}
		scene_say(parity, commands, &scene);
		say("way %d", way);
		/* later: until then lavapipe may still be drawing */
		commands = parity_begin(parity);
		vkCmdCopyQueryPoolResults(commands, pool, 0, QUERIES, copied.buffer, 0, 16,
			VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
		parity_run(parity, commands);
		uint64_t *pairs = copied.data;
		uint32_t available = 0;
		uint64_t sum = 0, weak = 0;
		for (uint32_t i = 0; i < QUERIES; i++) {
			if (pairs[i * 2 + 1] && i % 4 == 0) {
				sum += pairs[i * 2] * (i + 1);
			} else if (pairs[i * 2 + 1]) {
				weak += pairs[i * 2] != 0;
			}
			available += pairs[i * 2 + 1] != 0;
		}
		say("copied: %u available, sum %llu, %llu drawn", available, (unsigned long long)sum,
			(unsigned long long)weak);
		uint32_t got[QUERIES][2];
		memset(got, 0, sizeof(got));
		SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 0, QUERIES, sizeof(got), got,
			sizeof(got[0]), VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
		available = 0;
		sum = 0;
		for (uint32_t i = 0; i < QUERIES; i++) {
			sum += got[i][1] && i % 4 == 0 ? (uint64_t)got[i][0] * (i + 1) : 0;
			available += got[i][1] != 0;
		}
		say("got: %u available, sum %llu", available, (unsigned long long)sum);
	}
	vkDestroyQueryPool(parity->device, pool, NULL);

	/* one recording that runs several times, with its reset inside, or with the host's between */
	for (int way = 0; way < 2; way++) {
		pool = create_pool(parity, VK_QUERY_TYPE_OCCLUSION, 2, 0);
		const VkCommandBufferAllocateInfo allocate = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
			.commandPool = parity->pool,
			.commandBufferCount = 1,
		};
		const VkCommandBufferBeginInfo begin = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
			.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
		};
		VkCommandBuffer commands;
		MUST(vkAllocateCommandBuffers(parity->device, &allocate, &commands));
		MUST(vkBeginCommandBuffer(commands, &begin));
		if (way == 0) {
			vkCmdResetQueryPool(commands, pool, 0, 2);
		}
		scene_prepare(commands, &scene);
		scene_begin_rendering(commands, &scene, 0);
		scene_bind(commands, &scene, pipeline);
		vkCmdBeginQuery(commands, pool, 1, VK_QUERY_CONTROL_PRECISE_BIT);
		vkCmdDraw(commands, 6, 1, 0, 0);
		vkCmdEndQuery(commands, pool, 1);
		vkCmdEndRendering(commands);
		MUST(vkEndCommandBuffer(commands));
		const VkSubmitInfo submit = {
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.commandBufferCount = 1,
			.pCommandBuffers = &commands,
		};
		for (int i = 0; i < 3; i++) {
			uint64_t got[2] = {77, 77};
			if (way == 1) {
				vkResetQueryPool(parity->device, pool, 0, 2);
				SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 1, 1, 16, got, 16,
					VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
				say("after the reset: %d", got[1] != 0);
			}
			SAY_RESULT(vkQueueSubmit(parity->queue, 1, &submit, VK_NULL_HANDLE));
			if (way == 1 || i == 0) {
				/* no fence, nothing waited for but the result */
				SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 1, 1, 8, got, 8,
					VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
				say("%llu samples", (unsigned long long)got[0]);
			}
			if (way == 1) {
				SAY_RESULT(vkQueueWaitIdle(parity->queue));
			}
		}
		SAY_RESULT(vkQueueWaitIdle(parity->queue));
		uint64_t got[4] = {0};
		SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 0, 2, 32, got, 16,
			VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
		say("%llu samples, %d %d", (unsigned long long)got[2], got[1] != 0, got[3] != 0);
		vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
		vkDestroyQueryPool(parity->device, pool, NULL);
	}
	parity_buffer_finish(parity, &copied);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	scene_finish(parity, &scene);
}

/** With several views one query becomes as many. */
static void views(struct parity *parity) {
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 3);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	const VkQueryType types[3] = {VK_QUERY_TYPE_OCCLUSION, VK_QUERY_TYPE_PIPELINE_STATISTICS,
		VK_QUERY_TYPE_TIMESTAMP};
	for (uint32_t i = 0; i < 3; i++) {
		const VkQueryPipelineStatisticFlags statistic = i == 1 ?
			VK_QUERY_PIPELINE_STATISTIC_VERTEX_SHADER_INVOCATIONS_BIT : 0;
		VkQueryPool pool = create_pool(parity, types[i], 6, statistic);
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdResetQueryPool(commands, pool, 0, 6);
		scene_prepare(commands, &scene);
		scene_begin_rendering(commands, &scene, 0);
		scene_bind(commands, &scene, pipeline);
		for (uint32_t j = 0; j < 4; j += 2) {
			if (i < 2) {
				vkCmdBeginQuery(commands, pool, j, i ? 0 : VK_QUERY_CONTROL_PRECISE_BIT);
			}
			vkCmdDraw(commands, 3, 1, j, 0);
			if (i < 2) {
				vkCmdEndQuery(commands, pool, j);
			} else {
				vkCmdWriteTimestamp(
					commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, j);
			}
		}
		vkCmdEndRendering(commands);
		scene_say(parity, commands, &scene);
		say("type %d", types[i]);
		uint64_t got[6][2] = {{0}};
		SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 0, 6, sizeof(got), got, 16,
			VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
		for (uint32_t j = 0; j < 6; j++) {
			say("%d: %llu", got[j][1] != 0, i == 2 ? 0 : (unsigned long long)got[j][0]);
		}
		SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 0, 4, 64, got, 16,
			VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
		vkDestroyQueryPool(parity->device, pool, NULL);
	}
	vkDestroyPipeline(parity->device, pipeline, NULL);
	scene_finish(parity, &scene);
}

/** What was generated, and what was captured of it. */
static void primitives(struct parity *parity) {
	if (!parity->primitives_generated.primitivesGeneratedQuery ||
			!parity->transform_feedback.transformFeedback) {
		say("there are no such queries");
		return;
	}
	PROC(parity, vkCmdBeginQueryIndexedEXT);
	PROC(parity, vkCmdEndQueryIndexedEXT);
	PROC(parity, vkCmdBindTransformFeedbackBuffersEXT);
	PROC(parity, vkCmdBeginTransformFeedbackEXT);
	PROC(parity, vkCmdEndTransformFeedbackEXT);
	struct scene scene;
	struct scene_state state;
	struct parity_buffer captured;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	/* room for one triangle and a half */
	parity_buffer_init(parity, &captured, 72, VK_BUFFER_USAGE_TRANSFORM_FEEDBACK_BUFFER_BIT_EXT);
	VkQueryPool pools[2] = {
		create_pool(parity, VK_QUERY_TYPE_PRIMITIVES_GENERATED_EXT, 2, 0),
		create_pool(parity, VK_QUERY_TYPE_TRANSFORM_FEEDBACK_STREAM_EXT, 2, 0)};
	for (int round = 0; round < 2; round++) {
		VkCommandBuffer commands = parity_begin(parity);
		scene_prepare(commands, &scene);
		vkCmdResetQueryPool(commands, pools[0], 0, 2);
		vkCmdResetQueryPool(commands, pools[1], 0, 2);
		scene_begin_rendering(commands, &scene, 0);
		scene_bind(commands, &scene, pipeline);
		const VkDeviceSize zero = 0, size = 72;
		vkCmdBindTransformFeedbackBuffersEXT(commands, 0, 1, &captured.buffer, &zero, &size);
		vkCmdBeginQueryIndexedEXT(commands, pools[0], 0, 0, 0);
		vkCmdBeginQueryIndexedEXT(commands, pools[1], 0, 0, 0);
		vkCmdBeginTransformFeedbackEXT(commands, 0, 0, NULL, NULL);
		vkCmdDraw(commands, 6, 1 + round, 0, 0);
		vkCmdEndTransformFeedbackEXT(commands, 0, 0, NULL, NULL);
		vkCmdEndQueryIndexedEXT(commands, pools[1], 0, 0);
		vkCmdEndQueryIndexedEXT(commands, pools[0], 0, 0);
		vkCmdBeginQuery(commands, pools[0], 1, 0);
		vkCmdDraw(commands, 3, 5, 0, 0);
		vkCmdEndQuery(commands, pools[0], 1);
		vkCmdEndRendering(commands);
		parity_run(parity, commands);
		say_results(parity, pools[0], 2, 1, false);
		say_results(parity, pools[1], 1, 2, false);
		say_hash("captured", captured.data, captured.size);
	}
	vkDestroyQueryPool(parity->device, pools[0], NULL);
	vkDestroyQueryPool(parity->device, pools[1], NULL);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	parity_buffer_finish(parity, &captured);
	scene_finish(parity, &scene);
}

/** Queries in a secondary command buffer that is executed twice, and copies in all forms. */
static void secondaries(struct parity *parity) {
	VkQueryPool pool = create_pool(parity, VK_QUERY_TYPE_PIPELINE_STATISTICS, 4, 0x7f);
	VkQueryPool times = create_pool(parity, VK_QUERY_TYPE_TIMESTAMP, 2, 0);
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = parity->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 1,
	};
	const VkCommandBufferInheritanceInfo inheritance = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
		.pInheritanceInfo = &inheritance,
	};
	VkCommandBuffer secondary;
	MUST(vkAllocateCommandBuffers(parity->device, &allocate, &secondary));
	MUST(vkBeginCommandBuffer(secondary, &begin));
	vkCmdResetQueryPool(secondary, pool, 0, 2);
	vkCmdBeginQuery(secondary, pool, 0, 0);
	vkCmdEndQuery(secondary, pool, 0);
	vkCmdResetQueryPool(secondary, times, 0, 2);
	vkCmdWriteTimestamp2(secondary, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, times, 0);
	MUST(vkEndCommandBuffer(secondary));
	struct parity_buffer copied;
	parity_buffer_init(parity, &copied, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	vkResetQueryPool(parity->device, pool, 0, 4);
	for (uint32_t flags = 0; flags < 16; flags++) {
		const VkQueryResultFlags wanted = flags & ~(uint32_t)VK_QUERY_RESULT_WAIT_BIT;
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdExecuteCommands(commands, 1, &secondary);
		vkCmdExecuteCommands(commands, 1, &secondary);
		vkCmdFillBuffer(commands, copied.buffer, 0, VK_WHOLE_SIZE, 0x55555555);
		parity_barrier(commands);
		vkCmdCopyQueryPoolResults(commands, pool, 0, 1, copied.buffer, 64, 128,
			wanted | VK_QUERY_RESULT_WAIT_BIT);
		parity_run(parity, commands);
		say_hash("copied", copied.data, copied.size);
	}
	say_results(parity, pool, 1, 7, false);
	say_results(parity, times, 1, 1, true);
	parity_buffer_finish(parity, &copied);
	vkFreeCommandBuffers(parity->device, parity->pool, 1, &secondary);
	vkDestroyQueryPool(parity->device, pool, NULL);
	vkDestroyQueryPool(parity->device, times, NULL);
}

const struct parity_case parity_query_cases[] = {
	{"query never-used", never_used},
	{"query occlusion", occlusion},
	{"query timestamps", timestamps},
	{"query statistics", statistics},
	{"query streams", streams},
	{"query draws", draws},
	{"query views", views},
	{"query primitives", primitives},
	{"query secondaries", secondaries},
	{NULL, NULL},
};
