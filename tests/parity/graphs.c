/* SPDX-License-Identifier: MIT */

/*
 * Mixtures of submissions: of both generations, with batches of any number of command buffers that
 * wait for and signal semaphores of both kinds, and waits of the host between. Each signals only what
 * is not pending, and waits for what has been submitted; so there is one outcome.
 */

#include <string.h>

#include "random.h"
#include "parity.h"

#define GRAPHS 60
#define SUBMISSIONS 6
#define MAX_BATCHES 3
#define MAX_COMMANDS 3
#define TIMELINES 6
#define BINARIES 12
#define MAX_SEMAPHORES (TIMELINES + BINARIES + 1)
#define GATE_VALUE 5

struct graph {
	struct parity *parity;
	struct random random;
	struct parity_buffer *buffer;
	VkSemaphore timelines[TIMELINES];
	uint64_t first[TIMELINES]; /* the value that it began with */
	uint64_t last[TIMELINES];  /* the newest that has been submitted */
	VkSemaphore binaries[BINARIES];
	bool is_signalled[BINARIES];
	VkSemaphore gate; /* if `is_gated`, holds everything up until all has been submitted */
	bool is_gated;
	VkCommandBuffer commands[SUBMISSIONS * MAX_BATCHES * MAX_COMMANDS];
	uint32_t command_count;
	VkFence fences[SUBMISSIONS];
	uint32_t fence_count;
};

struct semaphores {
	VkSemaphore list[MAX_SEMAPHORES];
	uint64_t values[MAX_SEMAPHORES];
	VkPipelineStageFlags stages[MAX_SEMAPHORES];
	VkSemaphoreSubmitInfo infos[MAX_SEMAPHORES];
	uint32_t count;
};

struct batch {
	struct semaphores waits, signals;
	const VkCommandBuffer *commands;
	VkCommandBufferSubmitInfo command_infos[MAX_COMMANDS];
	uint32_t command_count;
	VkTimelineSemaphoreSubmitInfo values;
};

static VkSemaphore create_semaphore(struct parity *parity, const void *next) {
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = next};
	VkSemaphore semaphore;
	MUST(vkCreateSemaphore(parity->device, &info, NULL, &semaphore));
	return semaphore;
}

static VkSemaphore create_timeline(struct parity *parity, uint64_t value) {
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
		.initialValue = value,
	};
	return create_semaphore(parity, &type);
}

static VkCommandBuffer record_fill(struct graph *graph) {
	VkCommandBuffer commands = parity_begin(graph->parity);
	const uint32_t offset = 4 * random_below(&graph->random, 900);
	const uint32_t words = 1 + random_below(&graph->random, 100);
	parity_barrier(commands);
	vkCmdFillBuffer(
		commands, graph->buffer->buffer, offset, 4 * words, random_bits(&graph->random));
	parity_barrier(commands);
	MUST(vkEndCommandBuffer(commands));
	return commands;
}

static void graph_init(struct graph *graph, struct parity *parity, struct parity_buffer *buffer,
		uint32_t number) {
	*graph = (struct graph){
		.parity = parity,
		.random = random_from(number),
		.buffer = buffer,
		.is_gated = number % 2,
		.gate = create_timeline(parity, 0),
	};
	for (size_t i = 0; i < TIMELINES; i++) {
		const uint64_t value = random_once_in(&graph->random, 3) ?
			(uint64_t)random_bits(&graph->random) << random_below(&graph->random, 30) :
			random_below(&graph->random, 3);
		graph->first[i] = graph->last[i] = value;
		graph->timelines[i] = create_timeline(parity, value);
	}
	for (size_t i = 0; i < BINARIES; i++) {
		graph->binaries[i] = create_semaphore(parity, NULL);
	}
	memset(buffer->data, 0, buffer->size);
}

static void graph_finish(struct graph *graph) {
	const VkDevice device = graph->parity->device;
	for (size_t i = 0; i < TIMELINES; i++) {
		vkDestroySemaphore(device, graph->timelines[i], NULL);
	}
	for (size_t i = 0; i < BINARIES; i++) {
		vkDestroySemaphore(device, graph->binaries[i], NULL);
	}
	vkDestroySemaphore(device, graph->gate, NULL);
	for (uint32_t i = 0; i < graph->fence_count; i++) {
		vkDestroyFence(device, graph->fences[i], NULL);
	}
	vkFreeCommandBuffers(device, graph->parity->pool, graph->command_count, graph->commands);
}

static void add(struct semaphores *semaphores, VkSemaphore semaphore, uint64_t value,
		VkPipelineStageFlags stages) {
	const uint32_t i = semaphores->count++;
	semaphores->list[i] = semaphore;
	semaphores->values[i] = value;
	semaphores->stages[i] = stages;
	semaphores->infos[i] = (VkSemaphoreSubmitInfo){
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
		.semaphore = semaphore,
		.value = value,
		.stageMask = stages,
	};
}

static void mix_waits(struct graph *graph, struct semaphores *waits) {
	struct random *random = &graph->random;
	for (size_t i = 0; i < TIMELINES; i++) {
		const uint64_t range = graph->last[i] - graph->first[i];
		if (range && random_once_in(random, 3)) {
			add(waits, graph->timelines[i], graph->first[i] + 1 + random_bits(random) % range,
				VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
		}
	}
	for (size_t i = 0; i < BINARIES; i++) {
		if (graph->is_signalled[i] && random_once_in(random, 3)) {
			graph->is_signalled[i] = false;
			/* the value of a binary semaphore says nothing */
			add(waits, graph->binaries[i], random_bits(random), VK_PIPELINE_STAGE_TRANSFER_BIT);
		}
	}
}

static bool has(const struct semaphores *semaphores, VkSemaphore wanted) {
	for (uint32_t i = 0; i < semaphores->count; i++) {
		if (semaphores->list[i] == wanted) {
			return true;
		}
	}
	return false;
}

static void mix_signals(struct graph *graph, struct semaphores *signals,
		const struct semaphores *waits) {
	struct random *random = &graph->random;
	for (size_t i = 0; i < TIMELINES; i++) {
		if (random_once_in(random, 3)) {
			graph->last[i] += 1 + (random_once_in(random, 4) ? random_bits(random) / 2 :
				random_below(random, 3));
			add(signals, graph->timelines[i], graph->last[i],
				VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
		}
	}
	/* a submission that waits for a binary semaphore, lavapipe holds up until the gate opens */
	for (size_t i = 0; !graph->is_gated && i < BINARIES; i++) {
		if (!graph->is_signalled[i] && !has(waits, graph->binaries[i]) &&
				random_once_in(random, 5)) {
			graph->is_signalled[i] = true;
			add(signals, graph->binaries[i], 0, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
		}
	}
}

static void mix_batch(struct graph *graph, struct batch *batch, bool is_first) {
	*batch = (struct batch){.commands = &graph->commands[graph->command_count]};
	if (is_first && graph->is_gated) {
		add(&batch->waits, graph->gate, GATE_VALUE, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
	}
	mix_waits(graph, &batch->waits);
	mix_signals(graph, &batch->signals, &batch->waits);
	batch->command_count = random_below(&graph->random, MAX_COMMANDS + 1);
	for (uint32_t i = 0; i < batch->command_count; i++) {
		VkCommandBuffer commands = record_fill(graph);
		graph->commands[graph->command_count++] = commands;
		batch->command_infos[i] = (VkCommandBufferSubmitInfo){
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
			.commandBuffer = commands,
			.deviceMask = i % 2,
		};
	}
	batch->values = (VkTimelineSemaphoreSubmitInfo){
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = batch->waits.count,
		.pWaitSemaphoreValues = batch->waits.values,
		.signalSemaphoreValueCount = batch->signals.count,
		.pSignalSemaphoreValues = batch->signals.values,
	};
}

static void submit(struct graph *graph, bool is_first, VkFence fence) {
	struct batch batches[MAX_BATCHES];
	VkSubmitInfo infos[MAX_BATCHES];
	VkSubmitInfo2 infos2[MAX_BATCHES];
	const uint32_t count = random_below(&graph->random, MAX_BATCHES + 1);
	for (uint32_t i = 0; i < count; i++) {
		struct batch *batch = &batches[i];
		mix_batch(graph, batch, is_first && i == 0);
		infos[i] = (VkSubmitInfo){
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.pNext = &batch->values,
			.waitSemaphoreCount = batch->waits.count,
			.pWaitSemaphores = batch->waits.list,
			.pWaitDstStageMask = batch->waits.stages,
			.commandBufferCount = batch->command_count,
			.pCommandBuffers = batch->commands,
			.signalSemaphoreCount = batch->signals.count,
			.pSignalSemaphores = batch->signals.list,
		};
		infos2[i] = (VkSubmitInfo2){
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
			.waitSemaphoreInfoCount = batch->waits.count,
			.pWaitSemaphoreInfos = batch->waits.infos,
			.commandBufferInfoCount = batch->command_count,
			.pCommandBufferInfos = batch->command_infos,
			.signalSemaphoreInfoCount = batch->signals.count,
			.pSignalSemaphoreInfos = batch->signals.infos,
		};
	}
	const VkQueue queue = graph->parity->queue;
	if (random_below(&graph->random, 2)) {
		SAY_RESULT(vkQueueSubmit2(queue, count, infos2, fence));
	} else {
		SAY_RESULT(vkQueueSubmit(queue, count, infos, fence));
	}
}

static void say_counters(const struct graph *graph) {
	for (size_t i = 0; i < TIMELINES; i++) {
		uint64_t value = 0;
		MUST(vkGetSemaphoreCounterValue(graph->parity->device, graph->timelines[i], &value));
		say("timeline %zu: %llu", i, (unsigned long long)value);
	}
}

/** Waits in one of three ways, or not at all. */
static void wait_between(struct graph *graph, VkFence fence) {
	const VkDevice device = graph->parity->device;
	switch (random_below(&graph->random, 6)) {
	case 0:
		if (fence) {
			SAY_RESULT(vkWaitForFences(device, 1, &fence, VK_TRUE, UINT64_MAX));
			say_hash("so far", graph->buffer->data, graph->buffer->size);
		}
		break;
	case 1:
		/* one by one: Mesa's driver mixes values up once one of several has been reached */
		for (size_t i = 0; i < TIMELINES; i++) {
			const VkSemaphoreWaitInfo info = {
				.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
				.semaphoreCount = 1,
				.pSemaphores = &graph->timelines[i],
				.pValues = &graph->last[i],
			};
			SAY_RESULT(vkWaitSemaphores(device, &info, UINT64_MAX));
		}
		break;
	case 2:
		SAY_RESULT(vkQueueWaitIdle(graph->parity->queue));
		say_counters(graph);
		break;
	default:
		break;
	}
}

static void try_graph(struct graph *graph) {
	const VkDevice device = graph->parity->device;
	for (uint32_t i = 0; i < SUBMISSIONS; i++) {
		VkFence fence = VK_NULL_HANDLE;
		if (random_once_in(&graph->random, 2)) {
			const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
			MUST(vkCreateFence(device, &info, NULL, &fence));
			graph->fences[graph->fence_count++] = fence;
		}
		submit(graph, i == 0, fence);
		if (!graph->is_gated) {
			wait_between(graph, fence);
		}
	}
	if (graph->is_gated) {
		const VkSemaphoreSignalInfo open = {
			.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
			.semaphore = graph->gate,
			.value = GATE_VALUE,
		};
		SAY_RESULT(vkSignalSemaphore(device, &open));
	}
	if (graph->fence_count) {
		SAY_RESULT(vkWaitForFences(
			device, graph->fence_count, graph->fences, VK_TRUE, UINT64_MAX));
	}
	SAY_RESULT(vkDeviceWaitIdle(device));
	say_counters(graph);
	say_hash("filled", graph->buffer->data, graph->buffer->size);
}

static void graphs(struct parity *parity) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	for (uint32_t i = 0; i < GRAPHS; i++) {
		struct graph graph;
		say("graph %u", i);
		graph_init(&graph, parity, &buffer, i);
		try_graph(&graph);
		graph_finish(&graph);
	}
	parity_buffer_finish(parity, &buffer);
}

const struct parity_case parity_graph_cases[] = {
	{"graphs mixed", graphs},
	{NULL, NULL},
};
