/* SPDX-License-Identifier: MIT */
/*
 * Computes, and checks what comes out, in the ways in which programs use a queue: submissions,
 * fences, semaphores, events, descriptors, queries. Prints a line for each test that begins with
 * "ok", "skip" or "FAIL". All values are whole numbers that a float holds exactly.
 */
#include "common.h"
#include "kernels.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_NS UINT64_C(120000000000)
#define COUNT 4096 /* elements of most tests */

static const char usage[] =
	"usage: compute [OPTION...]\n"
	"\n"
	"Computes on the GPU in many ways and checks the results.\n"
	"\n"
	"  --driver=NAME  Vulkan driver that must be used, as venus\n"
	"  --only=NAME    run this test only\n"
	"  --repeat=N     run everything N times\n"
	"  --help         print this\n";

static float value_of(uint32_t i) {
	return (float)(i % 1000);
}

static void fill(float *data, uint32_t count) {
	for (uint32_t i = 0; i < count; i++) {
		data[i] = value_of(i);
	}
}

/* Is every element the `factor`-fold of value_of() plus `sum`? */
static bool check(const float *data, uint32_t count, float factor, float sum) {
	for (uint32_t i = 0; i < count; i++) {
		float expected = factor * value_of(i) + sum;
		if (data[i] < expected || data[i] > expected) {
			return demo_fail("element %u is %g and should be %g", i, (double)data[i],
				(double)expected);
		}
	}
	return true;
}

static bool wait_fence(const struct demo_gpu *gpu, VkFence fence) {
	VkResult result = vkWaitForFences(gpu->device, 1, &fence, VK_TRUE, TIMEOUT_NS);
	return result == VK_TIMEOUT ? demo_fail("a fence is not signalled in time")
	                            : demo_check(result, "vkWaitForFences");
}

static bool create_fence(const struct demo_gpu *gpu, VkFenceCreateFlags flags, VkFence *fence) {
	const VkFenceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .flags = flags};
	DEMO_TRY(vkCreateFence(gpu->device, &info, NULL, fence));
	return true;
}

static bool submit(const struct demo_gpu *gpu, VkCommandBuffer commands, VkFence fence) {
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	DEMO_TRY(vkQueueSubmit(gpu->queue, 1, &info, fence));
	return true;
}

/* Records y = a * x + y, ordered behind everything before it. */
static bool record_saxpy(const struct kernels *kernels, VkCommandBuffer commands, float a,
		VkCommandBufferUsageFlags usage) {
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, .flags = usage};
	DEMO_TRY(vkBeginCommandBuffer(commands, &begin));
	kernels_barrier(commands);
	kernels_saxpy(kernels, commands, kernels->set, a, COUNT);
	kernels_barrier_to_host(commands);
	DEMO_TRY(vkEndCommandBuffer(commands));
	return true;
}

static bool allocate_commands(const struct demo_gpu *gpu, VkCommandBufferLevel level,
		VkCommandBuffer *commands, uint32_t count) {
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = gpu->pool,
		.level = level,
		.commandBufferCount = count,
	};
	DEMO_TRY(vkAllocateCommandBuffers(gpu->device, &info, commands));
	return true;
}

static void reset_data(const struct kernels *kernels) {
	fill(kernels->x.data, COUNT);
	memset(kernels->y.data, 0, COUNT * sizeof(float));
}

static bool test_saxpy(struct kernels *kernels) {
	const struct demo_gpu *gpu = kernels->gpu;
	const uint32_t count = KERNELS_MAX;
	fill(kernels->x.data, count);
	fill(kernels->y.data, count);
	VkCommandBuffer commands;
	if (!demo_commands_begin(&commands, gpu)) {
		return false;
	}
	kernels_saxpy(kernels, commands, kernels->set, 3.0f, count);
	kernels_barrier_to_host(commands);
	return demo_commands_run(commands, gpu) && check(kernels->y.data, count, 4.0f, 0.0f);
}

/* Work groups, shared memory and barriers within a shader. */
static bool test_reduction(struct kernels *kernels) {
	const struct demo_gpu *gpu = kernels->gpu;
	float *x = kernels->x.data;
	const float *y = kernels->y.data;
	reset_data(kernels);
	VkCommandBuffer commands;
	if (!demo_commands_begin(&commands, gpu)) {
		return false;
	}
	kernels_dispatch(kernels, commands, KERNEL_REDUCE, kernels->set, COUNT / 256);
	kernels_barrier_to_host(commands);
	if (!demo_commands_run(commands, gpu)) {
		return false;
	}
	for (uint32_t group = 0; group < COUNT / 256; group++) {
		float sum = 0.0f;
		for (uint32_t i = 0; i < 256; i++) {
			sum += x[group * 256 + i];
		}
		if (y[group] < sum || y[group] > sum) {
			return demo_fail("sum %u is %g and should be %g", group, (double)y[group], (double)sum);
		}
	}
	return true;
}

/* Many small submissions of which some are always in flight. */
static bool test_submissions(struct kernels *kernels) {
	enum { SUBMISSIONS = 200, IN_FLIGHT = 4 };
	const struct demo_gpu *gpu = kernels->gpu;
	VkFence fences[IN_FLIGHT] = {0};
	VkCommandBuffer commands[IN_FLIGHT];
	reset_data(kernels);
	bool ok = allocate_commands(gpu, VK_COMMAND_BUFFER_LEVEL_PRIMARY, commands, IN_FLIGHT);
	for (uint32_t i = 0; i < IN_FLIGHT && ok; i++) {
		ok = create_fence(gpu, VK_FENCE_CREATE_SIGNALED_BIT, &fences[i]);
	}
	for (uint32_t i = 0; i < SUBMISSIONS && ok; i++) {
		uint32_t slot = i % IN_FLIGHT;
		ok = wait_fence(gpu, fences[slot]) &&
			demo_check(vkResetFences(gpu->device, 1, &fences[slot]), "vkResetFences") &&
			record_saxpy(
				kernels, commands[slot], 1.0f, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT) &&
			submit(gpu, commands[slot], fences[slot]);
	}
	ok = ok &&
		demo_check(vkWaitForFences(gpu->device, IN_FLIGHT, fences, VK_TRUE, TIMEOUT_NS),
			"vkWaitForFences");
	for (uint32_t i = 0; i < IN_FLIGHT && ok; i++) {
		ok = vkGetFenceStatus(gpu->device, fences[i]) == VK_SUCCESS ||
			demo_fail("a fence that was waited for is not signalled");
	}
	vkDeviceWaitIdle(gpu->device);
	for (uint32_t i = 0; i < IN_FLIGHT; i++) {
		vkDestroyFence(gpu->device, fences[i], NULL);
	}
	return ok && check(kernels->y.data, COUNT, SUBMISSIONS, 0.0f);
}

static bool check_fences(const struct demo_gpu *gpu, VkFence unsignalled, VkFence signalled,
		VkCommandBuffer commands) {
	const VkFence both[2] = {unsignalled, signalled};
	if (vkGetFenceStatus(gpu->device, unsignalled) != VK_NOT_READY ||
			vkGetFenceStatus(gpu->device, signalled) != VK_SUCCESS) {
		return demo_fail("new fences are not in the state they were made in");
	}
	if (vkWaitForFences(gpu->device, 2, both, VK_FALSE, 0) != VK_SUCCESS ||
			vkWaitForFences(gpu->device, 2, both, VK_TRUE, 0) != VK_TIMEOUT) {
		return demo_fail("waiting for any or for all of two fences is wrong");
	}
	double begin = demo_now();
	if (vkWaitForFences(gpu->device, 1, &unsignalled, VK_TRUE, 50000000) != VK_TIMEOUT) {
		return demo_fail("a fence that nobody signals was waited for");
	}
	double waited = demo_now() - begin;
	if (waited < 0.045) {
		return demo_fail("a wait of 50 ms took only %.3f s", waited);
	}
	/* a submission of nothing signals its fence, too */
	DEMO_TRY(vkQueueSubmit(gpu->queue, 0, NULL, unsignalled));
	if (!wait_fence(gpu, unsignalled)) {
		return false;
	}
	DEMO_TRY(vkResetFences(gpu->device, 2, both));
	if (vkGetFenceStatus(gpu->device, signalled) != VK_NOT_READY) {
		return demo_fail("a fence that was reset is signalled");
	}
	/* polled instead of waited for */
	if (!submit(gpu, commands, signalled)) {
		return false;
	}
	begin = demo_now();
	VkResult result;
	while ((result = vkGetFenceStatus(gpu->device, signalled)) == VK_NOT_READY) {
		if (demo_now() - begin > 120.0) {
			return demo_fail("a fence is not signalled in time");
		}
	}
	return demo_check(result, "vkGetFenceStatus");
}

static bool test_fences(struct kernels *kernels) {
	const struct demo_gpu *gpu = kernels->gpu;
	VkFence fences[2] = {0};
	VkCommandBuffer commands;
	reset_data(kernels);
	bool ok = allocate_commands(gpu, VK_COMMAND_BUFFER_LEVEL_PRIMARY, &commands, 1) &&
		record_saxpy(kernels, commands, 1.0f, 0) && create_fence(gpu, 0, &fences[0]) &&
		create_fence(gpu, VK_FENCE_CREATE_SIGNALED_BIT, &fences[1]) &&
		check_fences(gpu, fences[0], fences[1], commands);
	vkDeviceWaitIdle(gpu->device);
	vkDestroyFence(gpu->device, fences[0], NULL);
	vkDestroyFence(gpu->device, fences[1], NULL);
	return ok && check(kernels->y.data, COUNT, 1.0f, 0.0f);
}

/* One call with three batches that semaphores put in order, each with two command buffers. */
static bool test_semaphores(struct kernels *kernels) {
	enum { BATCHES = 3 };
	const struct demo_gpu *gpu = kernels->gpu;
	const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
	VkSemaphore semaphores[BATCHES] = {0};
	VkSubmitInfo batches[BATCHES];
	VkCommandBuffer commands[2 * BATCHES];
	reset_data(kernels);
	bool ok = allocate_commands(gpu, VK_COMMAND_BUFFER_LEVEL_PRIMARY, commands, 2 * BATCHES);
	for (uint32_t i = 0; i < BATCHES && ok; i++) {
		ok = record_saxpy(kernels, commands[2 * i], 1.0f, 0) &&
			record_saxpy(kernels, commands[2 * i + 1], 10.0f, 0) &&
			demo_check(vkCreateSemaphore(gpu->device, &info, NULL, &semaphores[i]),
				"vkCreateSemaphore");
		batches[i] = (VkSubmitInfo){
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.waitSemaphoreCount = i > 0,
			.pWaitSemaphores = i > 0 ? &semaphores[i - 1] : NULL,
			.pWaitDstStageMask = &stage,
			.commandBufferCount = 2,
			.pCommandBuffers = &commands[2 * i],
			.signalSemaphoreCount = i < BATCHES - 1,
			.pSignalSemaphores = &semaphores[i],
		};
	}
	ok = ok &&
		demo_check(vkQueueSubmit(gpu->queue, BATCHES, batches, VK_NULL_HANDLE), "vkQueueSubmit") &&
		demo_check(vkQueueWaitIdle(gpu->queue), "vkQueueWaitIdle");
	for (uint32_t i = 0; i < BATCHES; i++) {
		vkDestroySemaphore(gpu->device, semaphores[i], NULL);
	}
	return ok && check(kernels->y.data, COUNT, 11.0f * BATCHES, 0.0f);
}

static bool submit_timeline(const struct demo_gpu *gpu, VkCommandBuffer commands,
		VkSemaphore semaphore, uint64_t wait, uint64_t signal) {
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
	const VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = 1,
		.pWaitSemaphoreValues = &wait,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &signal,
	};
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &values,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &semaphore,
		.pWaitDstStageMask = &stage,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &semaphore,
	};
	DEMO_TRY(vkQueueSubmit(gpu->queue, 1, &info, VK_NULL_HANDLE));
	return true;
}

static bool wait_timeline(const struct demo_gpu *gpu, VkSemaphore semaphore, uint64_t value,
		uint64_t timeout, VkResult expected) {
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &semaphore,
		.pValues = &value,
	};
	VkResult result = vkWaitSemaphores(gpu->device, &info, timeout);
	return result == expected ||
		demo_fail("waiting for value %llu of a semaphore: result %d instead of %d",
			(unsigned long long)value, (int)result, (int)expected);
}

static bool expect_timeline(
		const struct demo_gpu *gpu, VkSemaphore semaphore, uint64_t expected) {
	uint64_t value;
	DEMO_TRY(vkGetSemaphoreCounterValue(gpu->device, semaphore, &value));
	return value == expected ||
		demo_fail("the semaphore is at %llu and should be at %llu", (unsigned long long)value,
			(unsigned long long)expected);
}

static bool run_timeline(struct kernels *kernels, VkSemaphore semaphore, VkCommandBuffer commands) {
	const struct demo_gpu *gpu = kernels->gpu;
	/* both wait for what only comes later, from the CPU */
	if (!expect_timeline(gpu, semaphore, 5) ||
			!record_saxpy(kernels, commands, 1.0f, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT) ||
			!submit_timeline(gpu, commands, semaphore, 10, 20) ||
			!submit_timeline(gpu, commands, semaphore, 20, UINT64_C(1) << 33) ||
			!wait_timeline(gpu, semaphore, 20, 30000000, VK_TIMEOUT) ||
			!expect_timeline(gpu, semaphore, 5) || !check(kernels->y.data, COUNT, 0.0f, 0.0f)) {
		return false;
	}
	const VkSemaphoreSignalInfo signal = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = semaphore,
		.value = 10,
	};
	DEMO_TRY(vkSignalSemaphore(gpu->device, &signal));
	return wait_timeline(gpu, semaphore, UINT64_C(1) << 33, TIMEOUT_NS, VK_SUCCESS) &&
		expect_timeline(gpu, semaphore, UINT64_C(1) << 33);
}

static bool test_timeline(struct kernels *kernels) {
	const struct demo_gpu *gpu = kernels->gpu;
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
		.initialValue = 5,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
	VkSemaphore semaphore = VK_NULL_HANDLE;
	VkCommandBuffer commands;
	reset_data(kernels);
	bool ok = allocate_commands(gpu, VK_COMMAND_BUFFER_LEVEL_PRIMARY, &commands, 1) &&
		demo_check(vkCreateSemaphore(gpu->device, &info, NULL, &semaphore), "vkCreateSemaphore") &&
		run_timeline(kernels, semaphore, commands);
	if (!ok && semaphore) {
		/* let go what waits, or the device will never be idle */
		const VkSemaphoreSignalInfo signal = {
			.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
			.semaphore = semaphore,
			.value = UINT64_C(1) << 34,
		};
		vkSignalSemaphore(gpu->device, &signal);
	}
	vkDeviceWaitIdle(gpu->device);
	vkDestroySemaphore(gpu->device, semaphore, NULL);
	return ok && check(kernels->y.data, COUNT, 2.0f, 0.0f);
}

static bool run_events(struct kernels *kernels, VkEvent event) {
	const struct demo_gpu *gpu = kernels->gpu;
	/* on the CPU alone */
	if (vkGetEventStatus(gpu->device, event) != VK_EVENT_RESET) {
		return demo_fail("a new event is set");
	}
	DEMO_TRY(vkSetEvent(gpu->device, event));
	if (vkGetEventStatus(gpu->device, event) != VK_EVENT_SET) {
		return demo_fail("an event that was set is not");
	}
	DEMO_TRY(vkResetEvent(gpu->device, event));

	/* on the GPU alone: it orders two dispatches */
	VkCommandBuffer commands;
	if (!demo_commands_begin(&commands, gpu)) {
		return false;
	}
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT,
	};
	kernels_saxpy(kernels, commands, kernels->set, 1.0f, COUNT);
	vkCmdSetEvent(commands, event, stage);
	vkCmdWaitEvents(commands, 1, &event, stage, stage, 1, &barrier, 0, NULL, 0, NULL);
	kernels_saxpy(kernels, commands, kernels->set, 1.0f, COUNT);
	kernels_barrier_to_host(commands);
	if (!demo_commands_run(commands, gpu)) {
		return false;
	}
	if (vkGetEventStatus(gpu->device, event) != VK_EVENT_SET) {
		return demo_fail("an event that the GPU has set is not");
	}
	if (!demo_commands_begin(&commands, gpu)) {
		return false;
	}
	vkCmdResetEvent(commands, event, stage);
	if (!demo_commands_run(commands, gpu)) {
		return false;
	}
	return vkGetEventStatus(gpu->device, event) == VK_EVENT_RESET ||
		demo_fail("an event that the GPU has reset is set");
}

static bool test_events(struct kernels *kernels) {
	const struct demo_gpu *gpu = kernels->gpu;
	const VkEventCreateInfo info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	VkEvent event;
	reset_data(kernels);
	DEMO_TRY(vkCreateEvent(gpu->device, &info, NULL, &event));
	bool ok = run_events(kernels, event);
	vkDeviceWaitIdle(gpu->device);
	vkDestroyEvent(gpu->device, event, NULL);
	return ok && check(kernels->y.data, COUNT, 2.0f, 0.0f);
}

/* Many descriptor sets on parts of the buffers: written, copied, changed between submissions. */
static bool run_descriptors(struct kernels *kernels, VkDescriptorSet *sets, uint32_t set_count) {
	const struct demo_gpu *gpu = kernels->gpu;
	const uint32_t part = COUNT / set_count;
	for (uint32_t round = 0; round < 2; round++) {
		/* the second time each set works on the part of its neighbour */
		for (uint32_t i = 0; i < set_count; i++) {
			uint32_t j = (i + round) % set_count;
			if (i == set_count - 1) {
				/* x comes from another set, and is not what this one's part is */
				kernels_copy_set(kernels, sets[0], sets[i]);
				continue;
			}
			kernels_write_set(kernels, sets[i], j * part, part);
		}
		VkCommandBuffer commands;
		if (!demo_commands_begin(&commands, gpu)) {
			return false;
		}
		for (uint32_t i = 0; i < set_count - 1; i++) {
			kernels_saxpy(kernels, commands, sets[i], 1.0f, part);
		}
		kernels_barrier(commands);
		kernels_saxpy(kernels, commands, sets[set_count - 1], 1.0f, part);
		kernels_barrier_to_host(commands);
		if (!demo_commands_run(commands, gpu)) {
			return false;
		}
	}
	/* how often each part had its turn */
	const float *y = kernels->y.data;
	for (uint32_t i = 0; i < COUNT; i++) {
		uint32_t p = i / part;
		float times = 0.0f;
		for (uint32_t round = 0; round < 2; round++) {
			times += (p + set_count - round) % set_count != set_count - 1 ? 1.0f : 0.0f;
			times += p == round ? 1.0f : 0.0f;
		}
		if (y[i] < times * value_of(i) || y[i] > times * value_of(i)) {
			return demo_fail("element %u is %g and should be %g", i, (double)y[i],
				(double)(times * value_of(i)));
		}
	}
	return true;
}

static bool test_descriptors(struct kernels *kernels) {
	enum { SETS = 16 };
	VkDescriptorPool pool;
	VkDescriptorSet sets[SETS];
	reset_data(kernels);
	if (!kernels_allocate_sets(kernels, &pool, sets, SETS)) {
		return false;
	}
	bool ok = run_descriptors(kernels, sets, SETS);
	vkDeviceWaitIdle(kernels->gpu->device);
	/* freed one by one, and allocated once more */
	ok = ok && demo_check(vkFreeDescriptorSets(kernels->gpu->device, pool, SETS / 2, sets),
			"vkFreeDescriptorSets") &&
		demo_check(vkResetDescriptorPool(kernels->gpu->device, pool, 0), "vkResetDescriptorPool");
	vkDestroyDescriptorPool(kernels->gpu->device, pool, NULL);
	return ok;
}

/* The GPU computes how many groups it is to dispatch. */
static bool test_indirect(struct kernels *kernels) {
	const struct demo_gpu *gpu = kernels->gpu;
	const uint32_t count = 64 * 11;
	float *x = kernels->x.data;
	reset_data(kernels);
	x[0] = (float)count;
	VkCommandBuffer commands;
	if (!demo_commands_begin(&commands, gpu)) {
		return false;
	}
	kernels_dispatch(kernels, commands, KERNEL_INDIRECT, kernels->arguments_set, 1);
	demo_barrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
		VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT, VK_ACCESS_INDIRECT_COMMAND_READ_BIT);
	kernels_saxpy_indirect(kernels, commands, kernels->set, 1.0f, COUNT);
	kernels_barrier_to_host(commands);
	if (!demo_commands_run(commands, gpu)) {
		return false;
	}
	const float *y = kernels->y.data;
	for (uint32_t i = 0; i < COUNT; i++) {
		float expected = i < count ? x[i] : 0.0f;
		if (y[i] < expected || y[i] > expected) {
			return demo_fail(
				"element %u is %g and should be %g", i, (double)y[i], (double)expected);
		}
	}
	return true;
}

static bool run_timestamps(struct kernels *kernels, VkQueryPool queries) {
	const struct demo_gpu *gpu = kernels->gpu;
	uint64_t *copied = kernels->y.data;
	VkCommandBuffer commands;
	if (!demo_commands_begin(&commands, gpu)) {
		return false;
	}
	vkCmdResetQueryPool(commands, queries, 0, 3);
	vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, queries, 0);
	kernels_saxpy(kernels, commands, kernels->set, 1.0f, COUNT);
	vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries, 1);
	demo_barrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
		VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT);
	vkCmdCopyQueryPoolResults(commands, queries, 0, 2, kernels->y.buffer, 0, sizeof(uint64_t),
		VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
	demo_barrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
		VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
	if (!demo_commands_run(commands, gpu)) {
		return false;
	}
	uint64_t results[3][2] = {{0}};
	DEMO_TRY(vkGetQueryPoolResults(gpu->device, queries, 0, 2, sizeof(results), results,
		sizeof(results[0]),
		VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
	if (!results[0][1] || !results[1][1]) {
		return demo_fail("timestamps that were written are not available");
	}
	if (results[1][0] < results[0][0]) {
		return demo_fail("time runs backwards: %llu, then %llu",
			(unsigned long long)results[0][0], (unsigned long long)results[1][0]);
	}
	if (copied[0] != results[0][0] || copied[1] != results[1][0]) {
		return demo_fail("the GPU copied other timestamps than the CPU got");
	}
	/* the third was reset and not written */
	VkResult result = vkGetQueryPoolResults(gpu->device, queries, 2, 1, sizeof(results[2]),
		results[2], sizeof(results[2]),
		VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
	if (result != VK_NOT_READY || results[2][1] != 0) {
		return demo_fail("a timestamp that was not written is available");
	}
	return true;
}

static bool test_timestamps(struct kernels *kernels) {
	const struct demo_gpu *gpu = kernels->gpu;
	const VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_TIMESTAMP,
		.queryCount = 3,
	};
	VkQueryPool queries;
	reset_data(kernels);
	DEMO_TRY(vkCreateQueryPool(gpu->device, &info, NULL, &queries));
	bool ok = run_timestamps(kernels, queries);
	if (ok && gpu->host_query_reset) {
		uint64_t result[2];
		vkResetQueryPool(gpu->device, queries, 0, 3);
		ok = vkGetQueryPoolResults(gpu->device, queries, 0, 1, sizeof(result), result,
				sizeof(result), VK_QUERY_RESULT_64_BIT) == VK_NOT_READY ||
			demo_fail("a query that was reset is available");
	}
	vkDeviceWaitIdle(gpu->device);
	vkDestroyQueryPool(gpu->device, queries, NULL);
	return ok;
}

/* Through memory that the CPU does not see, with all kinds of transfers. */
static bool test_transfers(struct kernels *kernels) {
	const struct demo_gpu *gpu = kernels->gpu;
	const VkDeviceSize size = COUNT * sizeof(float);
	struct demo_buffer local = {0};
	reset_data(kernels);
	VkCommandBuffer commands;
	bool ok = demo_buffer_init(&local, gpu, 2 * size,
				  VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
				  VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) &&
		demo_commands_begin(&commands, gpu);
	if (ok) {
		const VkBufferCopy halves[2] = {{0, size / 2, size / 2}, {size / 2, 0, size / 2}};
		const VkBufferCopy back = {0, 0, size};
		const float words[4] = {7.0f, 8.0f, 9.0f, 10.0f};
		vkCmdCopyBuffer(commands, kernels->x.buffer, local.buffer, 2, halves);
		demo_barrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
			VK_PIPELINE_STAGE_TRANSFER_BIT,
			VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT);
		vkCmdFillBuffer(commands, local.buffer, 16, 16, 0x40400000); /* 3.0f */
		vkCmdUpdateBuffer(commands, local.buffer, 32, sizeof(words), words);
		demo_barrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
			VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT);
		vkCmdCopyBuffer(commands, local.buffer, kernels->y.buffer, 1, &back);
		demo_barrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
			VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
		ok = demo_commands_run(commands, gpu);
	}
	const float *y = kernels->y.data;
	for (uint32_t i = 0; i < COUNT && ok; i++) {
		float expected = value_of((i + COUNT / 2) % COUNT);
		if (i >= 4 && i < 8) {
			expected = 3.0f;
		} else if (i >= 8 && i < 12) {
			expected = (float)(i - 1);
		}
		ok = !(y[i] < expected || y[i] > expected) ||
			demo_fail("element %u is %g and should be %g", i, (double)y[i], (double)expected);
	}
	vkDeviceWaitIdle(gpu->device);
	demo_buffer_finish(&local, gpu);
	return ok;
}

/* A secondary command buffer in a primary one that is submitted again and again. */
static bool test_command_buffers(struct kernels *kernels) {
	enum { TIMES = 10 };
	const struct demo_gpu *gpu = kernels->gpu;
	const VkCommandBufferInheritanceInfo inheritance = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
	const VkCommandBufferBeginInfo begin_secondary = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
		.pInheritanceInfo = &inheritance,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
	};
	VkCommandBuffer primary, secondary;
	reset_data(kernels);
	if (!allocate_commands(gpu, VK_COMMAND_BUFFER_LEVEL_PRIMARY, &primary, 1) ||
			!allocate_commands(gpu, VK_COMMAND_BUFFER_LEVEL_SECONDARY, &secondary, 1)) {
		return false;
	}
	DEMO_TRY(vkBeginCommandBuffer(secondary, &begin_secondary));
	kernels_barrier(secondary);
	kernels_saxpy(kernels, secondary, kernels->set, 1.0f, COUNT);
	DEMO_TRY(vkEndCommandBuffer(secondary));
	DEMO_TRY(vkBeginCommandBuffer(primary, &begin));
	vkCmdExecuteCommands(primary, 1, &secondary);
	vkCmdExecuteCommands(primary, 1, &secondary);
	kernels_barrier_to_host(primary);
	DEMO_TRY(vkEndCommandBuffer(primary));
	for (int i = 0; i < TIMES; i++) {
		if (!submit(gpu, primary, VK_NULL_HANDLE)) {
			return false;
		}
	}
	DEMO_TRY(vkDeviceWaitIdle(gpu->device));
	return check(kernels->y.data, COUNT, 2.0f * TIMES, 0.0f);
}

static const struct {
	const char *name;
	bool (*run)(struct kernels *kernels);
} tests[] = {
	{"saxpy", test_saxpy},
	{"reduction", test_reduction},
	{"submissions", test_submissions},
	{"fences", test_fences},
	{"semaphores", test_semaphores},
	{"timeline", test_timeline},
	{"events", test_events},
	{"descriptors", test_descriptors},
	{"indirect", test_indirect},
	{"timestamps", test_timestamps},
	{"transfers", test_transfers},
	{"command-buffers", test_command_buffers},
};

/* NULL, or why the device cannot do it. */
static const char *reason_to_skip(
		const struct demo_gpu *gpu, bool (*run)(struct kernels *kernels)) {
	if (run == test_timeline && !gpu->timeline_semaphore) {
		return "no timeline semaphores";
	}
	if (run == test_timestamps && gpu->family.timestampValidBits == 0) {
		return "no timestamps on this queue";
	}
	return NULL;
}

static bool run_all(struct kernels *kernels, const char *only, int repeat) {
	const struct demo_gpu *gpu = kernels->gpu;
	unsigned int failed = 0, known = 0;
	for (int round = 0; round < repeat; round++) {
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
			if (only && strcmp(only, tests[i].name) != 0) {
				continue;
			}
			known++;
			const char *reason = reason_to_skip(gpu, tests[i].run);
			if (reason) {
				printf("skip %s: %s\n", tests[i].name, reason);
				continue;
			}
			double begin = demo_now();
			bool ok = tests[i].run(kernels);
			/* command buffers are not kept from one test to the next */
			ok = demo_check(vkDeviceWaitIdle(gpu->device), "vkDeviceWaitIdle") &&
				kernels_recreate_pool(kernels) && ok;
			printf("%s %s (%.3f s)\n", ok ? "ok  " : "FAIL", tests[i].name, demo_now() - begin);
			failed += !ok;
		}
	}
	if (known == 0) {
		return demo_fail("there is no test %s", only);
	}
	return failed == 0 || demo_fail("%u tests failed", failed);
}

int main(int argc, char *argv[]) {
	demo_start("compute");
	const char *driver = NULL, *only = NULL;
	int repeat = 1;
	const struct demo_option known[] = {
		{"driver", demo_parse_string, &driver},
		{"only", demo_parse_string, &only},
		{"repeat", demo_parse_count, &repeat},
		{0},
	};
	int code = demo_parse_options(argc, argv, usage, known);
	if (code >= 0) {
		return code;
	}

	const struct demo_gpu_options options = {
		.driver_name = driver,
		.queue_flags = VK_QUEUE_COMPUTE_BIT,
		.host_query_reset = true,
		.timeline_semaphore = true,
	};
	struct demo_gpu gpu = {0};
	struct kernels kernels = {0};
	bool ok = demo_gpu_init(&gpu, &options) && kernels_init(&kernels, &gpu) &&
		run_all(&kernels, only, repeat);
	kernels_finish(&kernels);
	demo_gpu_finish(&gpu);
	if (ok) {
		printf("compute: ok\n");
	}
	return ok ? 0 : 1;
}
