/* SPDX-License-Identifier: MIT */

/*
 * Mixtures of queries: of all kinds, reset by the host and by commands, begun inside and outside of
 * rendering, in both kinds of command buffers; their results in all forms, of all and of some, also
 * of those that are not available.
 */

#include <string.h>

#include "random.h"
#include "scene.h"

#define POOLS 48
#define MAX_QUERIES 9
#define MAX_VALUES 11
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct pool {
	struct parity *parity;
	const struct scene *scene;
	VkPipeline pipeline;
	struct random random;
	VkQueryType type;
	VkQueryPipelineStatisticFlags statistics;
	uint32_t values; /* of one query */
	uint32_t count;
	bool is_available[MAX_QUERIES];
	VkQueryPool pool;
	struct parity_buffer copied;
};

static bool is_time(const struct pool *pool) {
	return pool->type == VK_QUERY_TYPE_TIMESTAMP;
}

static bool all_available(const struct pool *pool, uint32_t first, uint32_t count) {
	for (uint32_t i = first; i < first + count; i++) {
		if (!pool->is_available[i]) {
			return false;
		}
	}
	return true;
}

/* --- results --- */

static const VkQueryResultFlags forms[] = {
	0,
	VK_QUERY_RESULT_64_BIT,
	VK_QUERY_RESULT_WITH_AVAILABILITY_BIT,
	VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT,
	VK_QUERY_RESULT_PARTIAL_BIT,
	VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_PARTIAL_BIT,
	VK_QUERY_RESULT_WAIT_BIT,
	VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT,
	VK_QUERY_RESULT_WAIT_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT,
};

static size_t width_of(VkQueryResultFlags form) {
	return form & VK_QUERY_RESULT_64_BIT ? 8 : 4;
}

/** Bytes that one query takes. */
static size_t size_of(const struct pool *pool, VkQueryResultFlags form) {
	return (pool->values + ((form & VK_QUERY_RESULT_WITH_AVAILABILITY_BIT) != 0)) *
		width_of(form);
}

static void say_form(const struct pool *pool, uint32_t first, uint32_t count,
		VkQueryResultFlags form, size_t gap) {
	const bool is_partial = form & VK_QUERY_RESULT_PARTIAL_BIT;
	const bool all = all_available(pool, first, count);
	const size_t one = size_of(pool, form), stride = one + gap * width_of(form);
	uint8_t data[MAX_QUERIES * (MAX_VALUES + 3) * 8];
	/* values of queries that are not available are undefined: see none of what is there */
	memset(data, 0xab, sizeof(data));
	for (uint32_t i = 0; i < count; i++) {
		memset(data + i * stride, 0, one);
	}
	const VkResult result = vkGetQueryPoolResults(pool->parity->device, pool->pool, first,
		count, stride * (count - 1) + one, data, stride, form);
	/* Mesa's feedback answers VK_NOT_READY also when partial results are asked for */
	say("form %x, stride %zu: %d", form, stride, is_partial && !all ? result < 0 : result);
	if (is_partial && !all) {
		return;
	}
	for (uint32_t i = 0; is_time(pool) && i < count; i++) {
		memset(data + i * stride, 0, pool->values * width_of(form));
	}
	say_hash("results", data, sizeof(data));
}

static void say_results(const struct pool *pool, uint32_t first, uint32_t count) {
	for (size_t i = 0; i < COUNT(forms); i++) {
		if ((forms[i] & VK_QUERY_RESULT_WAIT_BIT && !all_available(pool, first, count)) ||
				(forms[i] & VK_QUERY_RESULT_PARTIAL_BIT && is_time(pool))) {
			continue;
		}
		say_form(pool, first, count, forms[i], 0);
		say_form(pool, first, count, forms[i], 2);
	}
}

static void copy_some(struct pool *pool) {
	struct random *random = &pool->random;
	const uint32_t first = random_below(random, pool->count);
	const uint32_t count = 1 + random_below(random, pool->count - first);
	VkQueryResultFlags form = forms[random_below(random, COUNT(forms))];
	if (!all_available(pool, first, count)) {
		form &= ~(VkQueryResultFlags)(VK_QUERY_RESULT_WAIT_BIT | VK_QUERY_RESULT_PARTIAL_BIT);
	}
	if (is_time(pool)) {
		form &= ~(VkQueryResultFlags)VK_QUERY_RESULT_PARTIAL_BIT;
	}
	const size_t stride = size_of(pool, form) + random_below(random, 3) * width_of(form);
	memset(pool->copied.data, 0, pool->copied.size);
	VkCommandBuffer commands = parity_begin(pool->parity);
	vkCmdCopyQueryPoolResults(commands, pool->pool, first, count, pool->copied.buffer,
		8 * random_below(random, 8), stride, form);
	parity_run(pool->parity, commands);
	if (!is_time(pool)) {
		say_hash("copied", pool->copied.data, pool->copied.size);
	}
}

/* --- queries --- */

static VkQueryControlFlags control_of(const struct pool *pool) {
	return pool->type == VK_QUERY_TYPE_OCCLUSION ? VK_QUERY_CONTROL_PRECISE_BIT : 0;
}

static void query(struct pool *pool, VkCommandBuffer commands, uint32_t index) {
	struct random *random = &pool->random;
	pool->is_available[index] = true;
	if (is_time(pool)) {
		if (random_below(random, 2)) {
			vkCmdWriteTimestamp(
				commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool->pool, index);
		} else {
			vkCmdWriteTimestamp2(
				commands, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, pool->pool, index);
		}
		return;
	}
	vkCmdBeginQuery(commands, pool->pool, index, control_of(pool));
	const uint32_t draws = random_below(random, 3);
	for (uint32_t i = 0; i < draws; i++) {
		const uint32_t vertices = 3 * (1 + random_below(random, 2));
		vkCmdDraw(commands, vertices, 1 + random_below(random, 3), 0, i);
	}
	vkCmdEndQuery(commands, pool->pool, index);
}

/** With a query around it, if `is_counted`. */
static VkCommandBuffer begin_secondary(const struct pool *pool, bool is_counted) {
	const VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
	const VkCommandBufferInheritanceRenderingInfo rendering = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_RENDERING_INFO,
		.colorAttachmentCount = 1,
		.pColorAttachmentFormats = &format,
		.depthAttachmentFormat = VK_FORMAT_D32_SFLOAT_S8_UINT,
		.stencilAttachmentFormat = VK_FORMAT_D32_SFLOAT_S8_UINT,
		.rasterizationSamples = VK_SAMPLE_COUNT_1_BIT,
	};
	const VkCommandBufferInheritanceInfo inheritance = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
		.pNext = &rendering,
		.occlusionQueryEnable = is_counted && pool->type == VK_QUERY_TYPE_OCCLUSION,
		.queryFlags = is_counted ? control_of(pool) : 0,
		.pipelineStatistics = is_counted ? pool->statistics : 0,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT,
		.pInheritanceInfo = &inheritance,
	};
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = pool->parity->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 1,
	};
	VkCommandBuffer secondary;
	MUST(vkAllocateCommandBuffers(pool->parity->device, &allocate, &secondary));
	MUST(vkBeginCommandBuffer(secondary, &begin));
	return secondary;
}

static void reset(struct pool *pool, VkCommandBuffer commands, uint32_t first, uint32_t count) {
	if (commands) {
		vkCmdResetQueryPool(commands, pool->pool, first, count);
	} else {
		vkResetQueryPool(pool->parity->device, pool->pool, first, count);
	}
	memset(&pool->is_available[first], 0, count * sizeof(pool->is_available[0]));
}

/** Queries some of those that may be. */
static void run(struct pool *pool, bool is_first) {
	struct random *random = &pool->random;
	struct parity *parity = pool->parity;
	const struct scene *scene = pool->scene;
	VkCommandBuffer commands = parity_begin(parity), secondary = NULL;
	const uint32_t first = is_first ? 0 : random_below(random, pool->count);
	const uint32_t count = is_first ? pool->count :
		1 + random_below(random, pool->count - first);
	reset(pool, random_below(random, 2) ? commands : NULL, first, count);
	scene_prepare(commands, scene);

	const uint32_t around = random_below(random, pool->count);
	const bool is_around = !is_time(pool) && !pool->is_available[around] &&
		random_once_in(random, 3);
	const bool is_secondary = !is_time(pool) && random_once_in(random, 3) &&
		(!is_around || parity->features.features.inheritedQueries);
	if (is_around) {
		vkCmdBeginQuery(commands, pool->pool, around, control_of(pool));
		pool->is_available[around] = true;
	}
	scene_begin_rendering(commands, scene,
		is_secondary ? VK_RENDERING_CONTENTS_SECONDARY_COMMAND_BUFFERS_BIT : 0);
	if (is_secondary) {
		secondary = begin_secondary(pool, is_around);
	}
	VkCommandBuffer drawing = is_secondary ? secondary : commands;
	scene_bind(drawing, scene, pool->pipeline);
	for (uint32_t i = 0; !is_around && i < pool->count; i++) {
		if (!pool->is_available[i] && random_below(random, 2)) {
			query(pool, drawing, i);
		}
	}
	vkCmdDraw(drawing, 6, 1, 0, 0);
	if (is_secondary) {
		MUST(vkEndCommandBuffer(secondary));
		vkCmdExecuteCommands(commands, 1, &secondary);
	}
	vkCmdEndRendering(commands);
	if (is_around) {
		vkCmdEndQuery(commands, pool->pool, around);
	}
	parity_run(parity, commands);
	if (is_secondary) {
		vkFreeCommandBuffers(parity->device, parity->pool, 1, &secondary);
	}
}

static void choose_type(struct pool *pool) {
	struct random *random = &pool->random;
	pool->type = VK_QUERY_TYPE_OCCLUSION;
	pool->values = 1;
	switch (random_below(random, 4)) {
	case 0:
		if (pool->parity->features.features.pipelineStatisticsQuery) {
			pool->type = VK_QUERY_TYPE_PIPELINE_STATISTICS;
			pool->statistics = 1 + random_below(random, (1 << MAX_VALUES) - 1);
			pool->values = 0;
			for (uint32_t bits = pool->statistics; bits; bits &= bits - 1) {
				pool->values++;
			}
		}
		break;
	case 1:
		pool->type = VK_QUERY_TYPE_TIMESTAMP;
		break;
	case 2:
		if (pool->parity->primitives_generated.primitivesGeneratedQuery) {
			pool->type = VK_QUERY_TYPE_PRIMITIVES_GENERATED_EXT;
		}
		break;
	default:
		break;
	}
}

static void try_pool(struct parity *parity, const struct scene *scene, VkPipeline pipeline,
		uint32_t number) {
	struct pool pool = {.parity = parity, .scene = scene, .pipeline = pipeline,
		.random = random_from(number)};
	choose_type(&pool);
	pool.count = 1 + random_below(&pool.random, MAX_QUERIES);
	const VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = pool.type,
		.queryCount = pool.count,
		.pipelineStatistics = pool.statistics,
	};
	MUST(vkCreateQueryPool(parity->device, &info, NULL, &pool.pool));
	parity_buffer_init(parity, &pool.copied, 2048, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	say("pool %u: type %d, statistics %x, %u queries", number, pool.type, pool.statistics,
		pool.count);
	const uint32_t rounds = 1 + random_below(&pool.random, 3);
	for (uint32_t i = 0; i < rounds; i++) {
		run(&pool, i == 0);
		copy_some(&pool);
		say_results(&pool, 0, pool.count);
		const uint32_t first = random_below(&pool.random, pool.count);
		say_results(&pool, first, 1 + random_below(&pool.random, pool.count - first));
	}
	parity_buffer_finish(parity, &pool.copied);
	vkDestroyQueryPool(parity->device, pool.pool, NULL);
}

static void mixed(struct parity *parity) {
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	VkPipeline pipeline = scene_pipeline(parity, &state);
	for (uint32_t i = 0; i < POOLS; i++) {
		try_pool(parity, &scene, pipeline, i);
	}
	vkDestroyPipeline(parity->device, pipeline, NULL);
	scene_finish(parity, &scene);
}

const struct parity_case parity_mixed_query_cases[] = {
	{"queries mixed", mixed},
	{NULL, NULL},
};
