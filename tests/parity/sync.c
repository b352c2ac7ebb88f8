/* SPDX-License-Identifier: MIT */

/* Fences, semaphores of both kinds, events, and both generations of submission. */

#include <string.h>

#include "parity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static VkFence create_fence(struct parity *parity, VkFenceCreateFlags flags) {
	const VkFenceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .flags = flags};
	VkFence fence;
	MUST(vkCreateFence(parity->device, &info, NULL, &fence));
	return fence;
}

static VkSemaphore create_semaphore(struct parity *parity, VkSemaphoreType type, uint64_t value) {
	const VkSemaphoreTypeCreateInfo type_info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = type,
		.initialValue = value,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type_info};
	VkSemaphore semaphore;
	MUST(vkCreateSemaphore(parity->device, &info, NULL, &semaphore));
	return semaphore;
}

static void fences(struct parity *parity) {
	VkFence fences[4];
	for (size_t i = 0; i < 4; i++) {
		fences[i] = create_fence(parity, i == 1 ? VK_FENCE_CREATE_SIGNALED_BIT : 0);
		SAY_RESULT(vkGetFenceStatus(parity->device, fences[i]));
	}
	const uint64_t timeouts[] = {0, 1, 1000000, 20000000};
	for (size_t i = 0; i < COUNT(timeouts); i++) {
		SAY_RESULT(vkWaitForFences(parity->device, 4, fences, VK_TRUE, timeouts[i]));
		SAY_RESULT(vkWaitForFences(parity->device, 4, fences, VK_FALSE, timeouts[i]));
	}
	for (size_t i = 0; i < 4; i++) {
		if (i != 1) {
			SAY_RESULT(vkQueueSubmit(parity->queue, 0, NULL, fences[i]));
		}
	}
	SAY_RESULT(vkWaitForFences(parity->device, 4, fences, VK_TRUE, UINT64_MAX));
	SAY_RESULT(vkGetFenceStatus(parity->device, fences[3]));
	SAY_RESULT(vkResetFences(parity->device, 3, &fences[1]));
	for (size_t i = 0; i < 4; i++) {
		SAY_RESULT(vkGetFenceStatus(parity->device, fences[i]));
		vkDestroyFence(parity->device, fences[i], NULL);
	}
}

static VkCommandBuffer filling(struct parity *parity, const struct parity_buffer *buffer,
		uint32_t offset, uint32_t size, uint32_t value) {
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
	parity_barrier(commands);
	vkCmdFillBuffer(commands, buffer->buffer, offset, size, value);
	parity_barrier(commands);
	MUST(vkEndCommandBuffer(commands));
	return commands;
}

/** A chain of batches, each waiting for the one before by a binary semaphore. */
static void binary(struct parity *parity) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 1024, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkSemaphore semaphores[4];
	VkSubmitInfo submits[5];
	VkCommandBuffer commands[5];
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	for (uint32_t i = 0; i < 5; i++) {
		if (i < 4) {
			semaphores[i] = create_semaphore(parity, VK_SEMAPHORE_TYPE_BINARY, 0);
		}
		commands[i] = filling(parity, &buffer, i * 100, 400, i + 1);
		submits[i] = (VkSubmitInfo){
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.waitSemaphoreCount = i > 0,
			.pWaitSemaphores = i > 0 ? &semaphores[i - 1] : NULL,
			.pWaitDstStageMask = &stage,
			.commandBufferCount = 1,
			.pCommandBuffers = &commands[i],
			.signalSemaphoreCount = i < 4,
			.pSignalSemaphores = &semaphores[i < 4 ? i : 0],
		};
	}
	VkFence fence = create_fence(parity, 0);
	for (int round = 0; round < 3; round++) {
		SAY_RESULT(vkQueueSubmit(parity->queue, 5, submits, fence));
		SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
		SAY_RESULT(vkResetFences(parity->device, 1, &fence));
		say_hash("chained", buffer.data, buffer.size);
		memset(buffer.data, 0, buffer.size);
	}
	vkDestroyFence(parity->device, fence, NULL);
	for (size_t i = 0; i < 4; i++) {
		vkDestroySemaphore(parity->device, semaphores[i], NULL);
	}
	parity_buffer_finish(parity, &buffer);
}

static void say_counter(struct parity *parity, VkSemaphore semaphore) {
	uint64_t value = 0;
	SAY_RESULT(vkGetSemaphoreCounterValue(parity->device, semaphore, &value));
	say("counter: %llu", (unsigned long long)value);
}

static VkResult wait_semaphores(struct parity *parity, const VkSemaphore *semaphores,
		const uint64_t *values, bool any, uint64_t timeout) {
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.flags = any ? VK_SEMAPHORE_WAIT_ANY_BIT : 0,
		.semaphoreCount = 2,
		.pSemaphores = semaphores,
		.pValues = values,
	};
	return vkWaitSemaphores(parity->device, &info, timeout);
}

/** Host and queue in turns; a wait that is submitted before its signal. */
static void timeline(struct parity *parity) {
	VkSemaphore semaphores[2] = {
		create_semaphore(parity, VK_SEMAPHORE_TYPE_TIMELINE, 7),
		create_semaphore(parity, VK_SEMAPHORE_TYPE_TIMELINE, 3),
	};
	/* the same for both: Mesa's driver mixes values up once one of several has been reached */
	const uint64_t values[2] = {9, 9};
	say_counter(parity, semaphores[0]);
	say_counter(parity, semaphores[1]);
	SAY_RESULT(wait_semaphores(parity, semaphores, values, false, 0));
	SAY_RESULT(wait_semaphores(parity, semaphores, values, true, 1000000));

	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 1024, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkCommandBuffer commands = filling(parity, &buffer, 0, 512, 0x12345678);
	const VkSemaphoreSubmitInfo wait = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
		.semaphore = semaphores[0],
		.value = 9,
		.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
	};
	const VkSemaphoreSubmitInfo signal = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
		.semaphore = semaphores[1],
		.value = values[1],
		.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
	};
	const VkCommandBufferSubmitInfo command = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = commands};
	const VkSubmitInfo2 submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
		.waitSemaphoreInfoCount = 1,
		.pWaitSemaphoreInfos = &wait,
		.commandBufferInfoCount = 1,
		.pCommandBufferInfos = &command,
		.signalSemaphoreInfoCount = 1,
		.pSignalSemaphoreInfos = &signal,
	};
	VkFence fence = create_fence(parity, 0);
	SAY_RESULT(vkQueueSubmit2(parity->queue, 1, &submit, fence));
	SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, 10000000));
	say_counter(parity, semaphores[1]);
	SAY_RESULT(wait_semaphores(parity, semaphores, values, true, 1000000));
	say_hash("not yet", buffer.data, buffer.size);
	const VkSemaphoreSignalInfo go = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = semaphores[0], .value = 9};
	SAY_RESULT(vkSignalSemaphore(parity->device, &go));
	SAY_RESULT(wait_semaphores(parity, semaphores, values, false, UINT64_MAX));
	say_hash("now", buffer.data, buffer.size);
	say_counter(parity, semaphores[0]);
	say_counter(parity, semaphores[1]);
	SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
	say_hash("done", buffer.data, buffer.size);
	vkDestroyFence(parity->device, fence, NULL);
	SAY_RESULT(vkQueueWaitIdle(parity->queue));
	vkDestroySemaphore(parity->device, semaphores[0], NULL);
	vkDestroySemaphore(parity->device, semaphores[1], NULL);
	parity_buffer_finish(parity, &buffer);
}

static void events(struct parity *parity) {
	const VkEventCreateInfo infos[2] = {
		{.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO},
		{.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO, .flags = VK_EVENT_CREATE_DEVICE_ONLY_BIT},
	};
	VkEvent host, device;
	MUST(vkCreateEvent(parity->device, &infos[0], NULL, &host));
	MUST(vkCreateEvent(parity->device, &infos[1], NULL, &device));
	SAY_RESULT(vkGetEventStatus(parity->device, host));
	SAY_RESULT(vkSetEvent(parity->device, host));
	SAY_RESULT(vkGetEventStatus(parity->device, host));
	SAY_RESULT(vkResetEvent(parity->device, host));
	SAY_RESULT(vkGetEventStatus(parity->device, host));

	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 256, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkCommandBuffer commands = parity_begin(parity);
	const VkMemoryBarrier2 barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
		.srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
		.srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
		.dstAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
	};
	const VkDependencyInfo dependency = {
		.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
		.memoryBarrierCount = 1,
		.pMemoryBarriers = &barrier,
	};
	vkCmdFillBuffer(commands, buffer.buffer, 0, 128, 1);
	vkCmdSetEvent(commands, host, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
	vkCmdSetEvent2(commands, device, &dependency);
	vkCmdWaitEvents2(commands, 1, &device, &dependency);
	vkCmdFillBuffer(commands, buffer.buffer, 64, 128, 2);
	vkCmdResetEvent2(commands, device, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
	parity_run(parity, commands);
	SAY_RESULT(vkGetEventStatus(parity->device, host));
	say_hash("filled", buffer.data, buffer.size);

	commands = parity_begin(parity);
	vkCmdResetEvent(commands, host, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
	parity_run(parity, commands);
	SAY_RESULT(vkGetEventStatus(parity->device, host));
	vkDestroyEvent(parity->device, host, NULL);
	vkDestroyEvent(parity->device, device, NULL);
	parity_buffer_finish(parity, &buffer);
}

/** Secondary command buffers, and primaries that are submitted again and again. */
static void command_buffers(struct parity *parity) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 1024, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkCommandBuffer secondaries[3];
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = parity->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 3,
	};
	MUST(vkAllocateCommandBuffers(parity->device, &allocate, secondaries));
	const VkCommandBufferInheritanceInfo inheritance = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
		.pInheritanceInfo = &inheritance,
	};
	for (uint32_t i = 0; i < 3; i++) {
		MUST(vkBeginCommandBuffer(secondaries[i], &begin));
		parity_barrier(secondaries[i]);
		vkCmdFillBuffer(secondaries[i], buffer.buffer, i * 64, 256, i + 10);
		SAY_RESULT(vkEndCommandBuffer(secondaries[i]));
	}
	for (int round = 0; round < 2; round++) {
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdExecuteCommands(commands, 2, secondaries);
		vkCmdExecuteCommands(commands, 1, &secondaries[2]);
		vkCmdExecuteCommands(commands, 1, &secondaries[1]);
		parity_run(parity, commands);
		say_hash("executed", buffer.data, buffer.size);
		SAY_RESULT(vkResetCommandBuffer(
			secondaries[2], VK_COMMAND_BUFFER_RESET_RELEASE_RESOURCES_BIT));
		MUST(vkBeginCommandBuffer(secondaries[2], &begin));
		vkCmdFillBuffer(secondaries[2], buffer.buffer, 512, VK_WHOLE_SIZE, 99);
		SAY_RESULT(vkEndCommandBuffer(secondaries[2]));
	}
	vkFreeCommandBuffers(parity->device, parity->pool, 3, secondaries);
	parity_buffer_finish(parity, &buffer);
}

/** Many submissions in a row with nobody waiting between. */
static void many(struct parity *parity) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkFence fences[100];
	for (uint32_t i = 0; i < COUNT(fences); i++) {
		VkCommandBuffer commands = filling(parity, &buffer, i * 8, 512, i);
		const VkSubmitInfo submit = {
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.commandBufferCount = 1,
			.pCommandBuffers = &commands,
		};
		fences[i] = create_fence(parity, 0);
		MUST(vkQueueSubmit(parity->queue, 1, &submit, fences[i]));
	}
	SAY_RESULT(vkWaitForFences(parity->device, COUNT(fences), fences, VK_TRUE, UINT64_MAX));
	say_hash("filled", buffer.data, buffer.size);
	for (uint32_t i = 0; i < COUNT(fences); i++) {
		vkDestroyFence(parity->device, fences[i], NULL);
	}
	parity_buffer_finish(parity, &buffer);
}

/** As to a group, which has one device; with what is chained for that in any order. */
static void device_groups(struct parity *parity) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 256, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkSemaphore semaphore = create_semaphore(parity, VK_SEMAPHORE_TYPE_BINARY, 0);
	const uint32_t index = 0, mask = 1;
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	for (uint32_t way = 0; way < 4; way++) {
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdSetDeviceMask(commands, mask);
		vkCmdFillBuffer(commands, buffer.buffer, 0, 128, way);
		parity_barrier(commands);
		MUST(vkEndCommandBuffer(commands));
		const VkDeviceGroupSubmitInfo first = {
			.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO,
			.commandBufferCount = 1,
			.pCommandBufferDeviceMasks = &mask,
			.signalSemaphoreCount = 1,
			.pSignalSemaphoreDeviceIndices = &index,
		};
		const VkDeviceGroupSubmitInfo second = {
			.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO,
			.waitSemaphoreCount = 1,
			.pWaitSemaphoreDeviceIndices = &index,
		};
		const VkProtectedSubmitInfo not_protected = {
			.sType = VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO,
			.pNext = way & 1 ? &first : NULL,
		};
		const VkSubmitInfo submits[2] = {
			{
				.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
				.pNext = way & 2 ? (const void *)&not_protected : &first,
				.commandBufferCount = 1,
				.pCommandBuffers = &commands,
				.signalSemaphoreCount = 1,
				.pSignalSemaphores = &semaphore,
			},
			{
				.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
				.pNext = &second,
				.waitSemaphoreCount = 1,
				.pWaitSemaphores = &semaphore,
				.pWaitDstStageMask = &stage,
			},
		};
		SAY_RESULT(vkQueueSubmit(parity->queue, 2, submits, VK_NULL_HANDLE));
		SAY_RESULT(vkQueueWaitIdle(parity->queue));
		say_hash("filled", buffer.data, buffer.size);
		vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
	}
	vkDestroySemaphore(parity->device, semaphore, NULL);
	parity_buffer_finish(parity, &buffer);
}

const struct parity_case parity_sync_cases[] = {
	{"sync fences", fences},
	{"sync binary", binary},
	{"sync timeline", timeline},
	{"sync events", events},
	{"sync command-buffers", command_buffers},
	{"sync many", many},
	{"sync device-groups", device_groups},
	{NULL, NULL},
};
