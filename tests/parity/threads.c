/* SPDX-License-Identifier: MIT */

/* Several threads that record, submit, signal and wait at once, and long chains of submissions. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "parity.h"

#define THREADS 6
#define ROUNDS 12
#define WORDS 1024

static VkSemaphore create_timeline(struct parity *parity, uint64_t value) {
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
		.initialValue = value,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
	VkSemaphore semaphore;
	MUST(vkCreateSemaphore(parity->device, &info, NULL, &semaphore));
	return semaphore;
}

static VkResult signal_timeline(struct parity *parity, VkSemaphore semaphore, uint64_t value) {
	const VkSemaphoreSignalInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = semaphore,
		.value = value,
	};
	return vkSignalSemaphore(parity->device, &info);
}

static VkResult wait_timeline(struct parity *parity, VkSemaphore semaphore, uint64_t value) {
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &semaphore,
		.pValues = &value,
	};
	return vkWaitSemaphores(parity->device, &info, UINT64_MAX);
}

struct worker {
	struct parity *parity;
	pthread_mutex_t *queue_lock;
	VkCommandPool pool;
	VkSemaphore semaphore;
	struct parity_buffer buffer;
	uint32_t number;
	VkResult result;
	pthread_t thread;
};

static VkCommandBuffer allocate(struct worker *worker, VkCommandBufferLevel level) {
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = worker->pool,
		.level = level,
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands;
	MUST(vkAllocateCommandBuffers(worker->parity->device, &info, &commands));
	return commands;
}

/** Records a secondary and a primary command buffer again and again, and submits them. */
static void *work(void *data) {
	struct worker *worker = data;
	struct parity *parity = worker->parity;
	const VkBuffer buffer = worker->buffer.buffer;
	VkCommandBuffer secondary = allocate(worker, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
	VkCommandBuffer primary = allocate(worker, VK_COMMAND_BUFFER_LEVEL_PRIMARY);
	const VkCommandBufferInheritanceInfo inheritance = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.pInheritanceInfo = &inheritance,
	};
	for (uint32_t round = 0; round < ROUNDS && worker->result == VK_SUCCESS; round++) {
		if (round % 4 == 3) {
			MUST(vkResetCommandPool(parity->device, worker->pool, 0));
		}
		MUST(vkBeginCommandBuffer(secondary, &begin));
		for (uint32_t i = 0; i < 100; i++) {
			vkCmdFillBuffer(secondary, buffer, (round * 36 + i * 8) % (WORDS * 4 - 16), 8,
				worker->number * 1000000 + round * 1000 + i);
		}
		MUST(vkEndCommandBuffer(secondary));
		MUST(vkBeginCommandBuffer(primary, &begin));
		vkCmdExecuteCommands(primary, 1, &secondary);
		parity_barrier(primary);
		vkCmdUpdateBuffer(primary, buffer, WORDS * 4 - 16, sizeof(round), &round);
		parity_barrier(primary);
		MUST(vkEndCommandBuffer(primary));
		const VkCommandBufferSubmitInfo command = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = primary};
		const VkSemaphoreSubmitInfo signal = {
			.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
			.semaphore = worker->semaphore,
			.value = round + 1,
			.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
		};
		const VkSubmitInfo2 submit = {
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
			.commandBufferInfoCount = 1,
			.pCommandBufferInfos = &command,
			.signalSemaphoreInfoCount = 1,
			.pSignalSemaphoreInfos = &signal,
		};
		pthread_mutex_lock(worker->queue_lock);
		worker->result = vkQueueSubmit2(parity->queue, 1, &submit, VK_NULL_HANDLE);
		pthread_mutex_unlock(worker->queue_lock);
		if (worker->result == VK_SUCCESS) {
			worker->result = wait_timeline(parity, worker->semaphore, round + 1);
		}
	}
	return NULL;
}

static void recording(struct parity *parity) {
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct worker workers[THREADS];
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.parity = parity, .queue_lock = &lock, .number = i,
			.semaphore = create_timeline(parity, 0)};
		const VkCommandPoolCreateInfo pool = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
			.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT |
				(i % 2 ? VK_COMMAND_POOL_CREATE_TRANSIENT_BIT : 0),
			.queueFamilyIndex = parity->family,
		};
		MUST(vkCreateCommandPool(parity->device, &pool, NULL, &workers[i].pool));
		parity_buffer_init(
			parity, &workers[i].buffer, WORDS * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			parity_fail("no thread", 0);
		}
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		say("thread %u: %d", i, workers[i].result);
		say_hash("buffer", workers[i].buffer.data, WORDS * 4);
		vkDestroyCommandPool(parity->device, workers[i].pool, NULL);
		vkDestroySemaphore(parity->device, workers[i].semaphore, NULL);
		parity_buffer_finish(parity, &workers[i].buffer);
	}
}

struct signaller {
	struct parity *parity;
	VkSemaphore heard, said;
	VkResult result;
};

/** Answers each value that it hears of. */
static void *answer(void *data) {
	struct signaller *signaller = data;
	for (uint64_t i = 1; i <= ROUNDS && signaller->result == VK_SUCCESS; i++) {
		signaller->result = wait_timeline(signaller->parity, signaller->heard, i);
		if (signaller->result == VK_SUCCESS) {
			signaller->result = signal_timeline(signaller->parity, signaller->said, i);
		}
	}
	return NULL;
}

/** The queue and a thread wait for each other; all is submitted before the first answer. */
static void ping_pong(struct parity *parity) {
	struct signaller signaller = {.parity = parity, .heard = create_timeline(parity, 0),
		.said = create_timeline(parity, 0)};
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkCommandBuffer commands[ROUNDS];
	VkSubmitInfo submits[ROUNDS];
	VkTimelineSemaphoreSubmitInfo values[ROUNDS];
	uint64_t numbers[ROUNDS + 1];
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	for (uint32_t i = 0; i <= ROUNDS; i++) {
		numbers[i] = i;
	}
	for (uint32_t i = 0; i < ROUNDS; i++) {
		commands[i] = parity_begin(parity);
		vkCmdFillBuffer(commands[i], buffer.buffer, i * 64, 4096 - i * 64, i);
		parity_barrier(commands[i]);
		MUST(vkEndCommandBuffer(commands[i]));
		values[i] = (VkTimelineSemaphoreSubmitInfo){
			.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
			.waitSemaphoreValueCount = i ? 1 : 0,
			.pWaitSemaphoreValues = &numbers[i],
			.signalSemaphoreValueCount = 1,
			.pSignalSemaphoreValues = &numbers[i + 1],
		};
		submits[i] = (VkSubmitInfo){
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.pNext = &values[i],
			.waitSemaphoreCount = i ? 1 : 0,
			.pWaitSemaphores = &signaller.said,
			.pWaitDstStageMask = &stage,
			.commandBufferCount = 1,
			.pCommandBuffers = &commands[i],
			.signalSemaphoreCount = 1,
			.pSignalSemaphores = &signaller.heard,
		};
	}
	for (uint32_t i = 0; i < ROUNDS; i += 3) {
		SAY_RESULT(vkQueueSubmit(parity->queue, 3, &submits[i], VK_NULL_HANDLE));
	}
	pthread_t thread;
	if (pthread_create(&thread, NULL, answer, &signaller)) {
		parity_fail("no thread", 0);
	}
	SAY_RESULT(wait_timeline(parity, signaller.said, ROUNDS));
	SAY_RESULT(vkDeviceWaitIdle(parity->device));
	pthread_join(thread, NULL);
	say("answered: %d", signaller.result);
	uint64_t value = 0;
	SAY_RESULT(vkGetSemaphoreCounterValue(parity->device, signaller.heard, &value));
	say("heard %llu", (unsigned long long)value);
	say_hash("buffer", buffer.data, buffer.size);
	vkFreeCommandBuffers(parity->device, parity->pool, ROUNDS, commands);
	vkDestroySemaphore(parity->device, signaller.heard, NULL);
	vkDestroySemaphore(parity->device, signaller.said, NULL);
	parity_buffer_finish(parity, &buffer);
}

/** Waits for events in both ways, with barriers of all kinds; the host sets one of them. */
static void barriers(struct parity *parity) {
	const VkEventCreateInfo event_info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	VkEvent events[4];
	for (size_t i = 0; i < 4; i++) {
		MUST(vkCreateEvent(parity->device, &event_info, NULL, &events[i]));
	}
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 4096,
		VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
	const VkImageCreateInfo image_info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {16, 16, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
			VK_IMAGE_USAGE_SAMPLED_BIT,
	};
	struct parity_image image;
	parity_image_init(
		parity, &image, &image_info, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
	const VkImageSubresourceRange range = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
	const VkMemoryBarrier memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
	};
	const VkBufferMemoryBarrier of_buffer = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.buffer = buffer.buffer,
		.offset = 64,
		.size = VK_WHOLE_SIZE,
	};
	const VkImageMemoryBarrier of_image = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.newLayout = VK_IMAGE_LAYOUT_GENERAL,
		.srcQueueFamilyIndex = parity->family,
		.dstQueueFamilyIndex = parity->family,
		.image = image.image,
		.subresourceRange = range,
	};
	const VkMemoryBarrier2 memory2 = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
		.srcStageMask = VK_PIPELINE_STAGE_2_CLEAR_BIT | VK_PIPELINE_STAGE_2_COPY_BIT,
		.srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
		.dstAccessMask = VK_ACCESS_2_TRANSFER_READ_BIT,
	};
	const VkBufferMemoryBarrier2 of_buffer2 = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER_2,
		.srcStageMask = VK_PIPELINE_STAGE_2_COPY_BIT,
		.srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_2_HOST_BIT,
		.dstAccessMask = VK_ACCESS_2_HOST_READ_BIT,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.buffer = buffer.buffer,
		.size = 2048,
	};
	const VkImageMemoryBarrier2 of_image2 = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2,
		.srcStageMask = VK_PIPELINE_STAGE_2_CLEAR_BIT,
		.srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_2_COPY_BIT,
		.dstAccessMask = VK_ACCESS_2_TRANSFER_READ_BIT,
		.oldLayout = VK_IMAGE_LAYOUT_GENERAL,
		.newLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.image = image.image,
		.subresourceRange = range,
	};
	const VkDependencyInfo dependencies[2] = {
		{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO, .memoryBarrierCount = 1,
			.pMemoryBarriers = &memory2, .imageMemoryBarrierCount = 1,
			.pImageMemoryBarriers = &of_image2},
		{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO, .bufferMemoryBarrierCount = 1,
			.pBufferMemoryBarriers = &of_buffer2},
	};
	const VkClearColorValue colour = {.float32 = {0.5f, 0.25f, 1, 0}};
	const VkBufferImageCopy copy = {
		.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
		.imageExtent = {16, 16, 1},
	};
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdFillBuffer(commands, buffer.buffer, 0, 4096, 0x11111111);
	vkCmdSetEvent(commands, events[0], VK_PIPELINE_STAGE_TRANSFER_BIT);
	vkCmdSetEvent(commands, events[1], VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT);
	const VkEvent some[3] = {events[0], events[1], events[3]};
	vkCmdWaitEvents(commands, 3, some,
		VK_PIPELINE_STAGE_TRANSFER_BIT | VK_PIPELINE_STAGE_HOST_BIT |
			VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
		VK_PIPELINE_STAGE_TRANSFER_BIT, 1, &memory, 1, &of_buffer, 1, &of_image);
	vkCmdClearColorImage(commands, image.image, VK_IMAGE_LAYOUT_GENERAL, &colour, 1, &range);
	vkCmdSetEvent2(commands, events[2], &dependencies[0]);
	vkCmdResetEvent2(commands, events[1], VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
	vkCmdWaitEvents2(commands, 1, &events[2], &dependencies[0]);
	vkCmdCopyImageToBuffer(commands, image.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		buffer.buffer, 1, &copy);
	vkCmdPipelineBarrier2(commands, &dependencies[1]);
	const VkDependencyInfo nothing = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO};
	vkCmdPipelineBarrier2(commands, &nothing);
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
		VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, NULL, 0, NULL, 0, NULL);
	MUST(vkEndCommandBuffer(commands));
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence;
	MUST(vkCreateFence(parity->device, &fence_info, NULL, &fence));
	SAY_RESULT(vkSetEvent(parity->device, events[3]));
	SAY_RESULT(vkQueueSubmit(parity->queue, 1, &submit, fence));
	SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
	for (size_t i = 0; i < 4; i++) {
		SAY_RESULT(vkGetEventStatus(parity->device, events[i]));
		vkDestroyEvent(parity->device, events[i], NULL);
	}
	say_hash("buffer", buffer.data, buffer.size);
	vkDestroyFence(parity->device, fence, NULL);
	vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
	parity_image_finish(parity, &image);
	parity_buffer_finish(parity, &buffer);
}

/** Submissions of nothing, of much at once, and a binary semaphore handed along a long chain. */
static void submissions(struct parity *parity) {
	enum { LINKS = 200 };
	const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	const VkSemaphoreCreateInfo semaphore_info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	VkFence fence;
	VkSemaphore semaphores[LINKS];
	MUST(vkCreateFence(parity->device, &fence_info, NULL, &fence));
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, LINKS * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkSubmitInfo2 *submits = calloc(LINKS, sizeof(*submits));
	VkSemaphoreSubmitInfo *infos = calloc(LINKS * 2, sizeof(*infos));
	VkCommandBufferSubmitInfo *command_infos = calloc(LINKS, sizeof(*command_infos));
	VkCommandBuffer commands[LINKS];
	for (uint32_t i = 0; i < LINKS; i++) {
		MUST(vkCreateSemaphore(parity->device, &semaphore_info, NULL, &semaphores[i]));
		commands[i] = parity_begin(parity);
		vkCmdFillBuffer(commands[i], buffer.buffer, i * 4, (LINKS - i) * 4, i);
		parity_barrier(commands[i]);
		MUST(vkEndCommandBuffer(commands[i]));
		command_infos[i] = (VkCommandBufferSubmitInfo){
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
			.commandBuffer = commands[i],
			.deviceMask = i % 2,
		};
		for (uint32_t j = 0; j < 2; j++) {
			infos[i * 2 + j] = (VkSemaphoreSubmitInfo){
				.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
				.semaphore = j ? semaphores[i] : i ? semaphores[i - 1] : VK_NULL_HANDLE,
				.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
			};
		}
		submits[i] = (VkSubmitInfo2){
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
			.waitSemaphoreInfoCount = i ? 1 : 0,
			.pWaitSemaphoreInfos = &infos[i * 2],
			.commandBufferInfoCount = 1,
			.pCommandBufferInfos = &command_infos[i],
			.signalSemaphoreInfoCount = i < LINKS - 1 ? 1 : 0,
			.pSignalSemaphoreInfos = &infos[i * 2 + 1],
		};
	}
	SAY_RESULT(vkQueueSubmit2(parity->queue, LINKS, submits, fence));
	SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
	say_hash("buffer", buffer.data, buffer.size);
	const VkSubmitInfo2 empty2[2] = {{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2},
		{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2}};
	const VkSubmitInfo empty = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO};
	for (int i = 0; i < 4; i++) {
		SAY_RESULT(vkResetFences(parity->device, 1, &fence));
		SAY_RESULT(i == 0 ? vkQueueSubmit2(parity->queue, 2, empty2, fence) :
			i == 1 ? vkQueueSubmit2(parity->queue, 0, NULL, fence) :
			i == 2 ? vkQueueSubmit(parity->queue, 1, &empty, fence) :
			vkQueueBindSparse(parity->queue, 0, NULL, fence));
		SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
		SAY_RESULT(vkGetFenceStatus(parity->device, fence));
	}
	vkFreeCommandBuffers(parity->device, parity->pool, LINKS, commands);
	for (uint32_t i = 0; i < LINKS; i++) {
		vkDestroySemaphore(parity->device, semaphores[i], NULL);
	}
	vkDestroyFence(parity->device, fence, NULL);
	free(submits);
	free(infos);
	free(command_infos);
	parity_buffer_finish(parity, &buffer);
}

const struct parity_case parity_thread_cases[] = {
	{"threads recording", recording},
	{"threads ping-pong", ping_pong},
	{"threads barriers", barriers},
	{"threads submissions", submissions},
	{NULL, NULL},
};
