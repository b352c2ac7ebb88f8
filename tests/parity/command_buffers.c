/* SPDX-License-Identifier: MIT */

/* Command buffers: used again, reset in every way, secondary ones, long ones, and many. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static VkCommandPool create_pool(struct parity *parity, VkCommandPoolCreateFlags flags) {
	const VkCommandPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = flags,
		.queueFamilyIndex = parity->family,
	};
	VkCommandPool pool;
	MUST(vkCreateCommandPool(parity->device, &info, NULL, &pool));
	return pool;
}

static void allocate(struct parity *parity, VkCommandPool pool, VkCommandBufferLevel level,
		uint32_t count, VkCommandBuffer *commands) {
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = pool,
		.level = level,
		.commandBufferCount = count,
	};
	MUST(vkAllocateCommandBuffers(parity->device, &info, commands));
}

static void begin(VkCommandBuffer commands, VkCommandBufferUsageFlags flags,
		const VkCommandBufferInheritanceInfo *inheritance) {
	const VkCommandBufferBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = flags,
		.pInheritanceInfo = inheritance,
	};
	SAY_RESULT(vkBeginCommandBuffer(commands, &info));
}

static void submit(struct parity *parity, const struct parity_buffer *buffer, uint32_t count,
		const VkCommandBuffer *commands) {
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = count,
		.pCommandBuffers = commands,
	};
	SAY_RESULT(vkQueueSubmit(parity->queue, 1, &info, VK_NULL_HANDLE));
	SAY_RESULT(vkQueueWaitIdle(parity->queue));
	say_hash("buffer", buffer->data, buffer->size);
}

static const VkCommandBufferInheritanceInfo nothing_inherited = {
	.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};

static void lives(struct parity *parity) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 65536, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	const VkCommandBufferUsageFlags again = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
	for (VkCommandPoolCreateFlags flags = 0; flags < 4; flags++) {
		say("pool flags %x", flags);
		VkCommandPool pool = create_pool(parity, flags);
		VkCommandBuffer primary[2], secondary[2];
		allocate(parity, pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 2, primary);
		allocate(parity, pool, VK_COMMAND_BUFFER_LEVEL_SECONDARY, 2, secondary);

		/* primary ones inherit nothing, whatever there is */
		begin(primary[0], again, (const VkCommandBufferInheritanceInfo *)(uintptr_t)16);
		vkCmdFillBuffer(primary[0], buffer.buffer, 0, 1024, 0x1111 * (flags + 1));
		SAY_RESULT(vkEndCommandBuffer(primary[0]));
		submit(parity, &buffer, 1, primary);
		memset(buffer.data, 0, buffer.size);
		submit(parity, &buffer, 1, primary);

		begin(secondary[0], again, &nothing_inherited);
		vkCmdUpdateBuffer(secondary[0], buffer.buffer, 2048, 16, "abcdefghijklmnop");
		SAY_RESULT(vkEndCommandBuffer(secondary[0]));
		/* and secondary ones no render pass, unless they say so */
		const VkCommandBufferInheritanceInfo useless = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
			.renderPass = (VkRenderPass)(uintptr_t)0x77,
			.subpass = 99,
			.framebuffer = (VkFramebuffer)(uintptr_t)0x99,
		};
		begin(secondary[1], again, &useless);
		SAY_RESULT(vkEndCommandBuffer(secondary[1]));
		begin(primary[1], again, NULL);
		vkCmdExecuteCommands(primary[1], 2, secondary);
		vkCmdExecuteCommands(primary[1], 1, secondary);
		SAY_RESULT(vkEndCommandBuffer(primary[1]));
		const VkCommandBuffer twice[3] = {primary[1], primary[0], primary[1]};
		submit(parity, &buffer, 3, twice);

		if (flags & VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT) {
			SAY_RESULT(vkResetCommandBuffer(primary[0], 0));
			SAY_RESULT(vkResetCommandBuffer(
				primary[0], VK_COMMAND_BUFFER_RESET_RELEASE_RESOURCES_BIT));
			begin(primary[0], 0, NULL);
			vkCmdFillBuffer(primary[0], buffer.buffer, 4096, 8, 9);
			/* in the middle of it, and begun without a reset */
			SAY_RESULT(vkResetCommandBuffer(primary[0], 0));
			begin(primary[0], 0, NULL);
			SAY_RESULT(vkEndCommandBuffer(primary[0]));
			begin(primary[0], VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT, NULL);
			vkCmdFillBuffer(primary[0], buffer.buffer, 8192, 8, 10);
			SAY_RESULT(vkEndCommandBuffer(primary[0]));
			submit(parity, &buffer, 1, primary);
		}
		SAY_RESULT(vkResetCommandPool(parity->device, pool, 0));
		vkTrimCommandPool(parity->device, pool, 0);
		begin(primary[0], 0, NULL);
		vkCmdFillBuffer(primary[0], buffer.buffer, 0, 64, 7);
		SAY_RESULT(vkResetCommandPool(
			parity->device, pool, VK_COMMAND_POOL_RESET_RELEASE_RESOURCES_BIT));
		begin(primary[0], 0, NULL);
		vkCmdFillBuffer(primary[0], buffer.buffer, 0, 64, 8);
		SAY_RESULT(vkEndCommandBuffer(primary[0]));
		submit(parity, &buffer, 1, primary);
		vkFreeCommandBuffers(parity->device, pool, 1, &primary[1]);
		vkDestroyCommandPool(parity->device, pool, NULL);
	}
	parity_buffer_finish(parity, &buffer);
}

static void many(struct parity *parity) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 65536, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkCommandPool pool = create_pool(parity, 0);
	VkCommandBuffer *all = calloc(2000, sizeof(*all));
	allocate(parity, pool, VK_COMMAND_BUFFER_LEVEL_SECONDARY, 1000, all);
	allocate(parity, pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1000, all + 1000);
	const VkCommandBufferBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.pInheritanceInfo = &nothing_inherited,
	};
	for (uint32_t i = 0; i < 2000; i++) {
		MUST(vkBeginCommandBuffer(all[i], &info));
		vkCmdFillBuffer(all[i], buffer.buffer, i * 8, 4, i * 3);
		MUST(vkEndCommandBuffer(all[i]));
	}
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdExecuteCommands(commands, 1000, all);
	parity_run(parity, commands);
	say_hash("secondaries", buffer.data, buffer.size);
	submit(parity, &buffer, 1000, all + 1000);
	vkFreeCommandBuffers(parity->device, pool, 2000, all);

	allocate(parity, pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 64, all);
	VkSubmitInfo submits[64];
	for (uint32_t i = 0; i < 64; i++) {
		MUST(vkBeginCommandBuffer(all[i], &info));
		vkCmdFillBuffer(all[i], buffer.buffer, i * 4, 4, ~i);
		MUST(vkEndCommandBuffer(all[i]));
		submits[i] = (VkSubmitInfo){
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.commandBufferCount = i % 3 ? 1 : 0,
			.pCommandBuffers = &all[i],
		};
	}
	const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence;
	MUST(vkCreateFence(parity->device, &fence_info, NULL, &fence));
	SAY_RESULT(vkQueueSubmit(parity->queue, 64, submits, fence));
	SAY_RESULT(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
	say_hash("submits", buffer.data, buffer.size);
	vkDestroyFence(parity->device, fence, NULL);
	vkDestroyCommandPool(parity->device, pool, NULL);
	free(all);

	/* longer than the guest's ring, and than what it sends at once */
	commands = parity_begin(parity);
	for (uint32_t i = 0; i < 30000; i++) {
		vkCmdFillBuffer(commands, buffer.buffer, i % 16384 * 4, 4, i);
	}
	parity_run(parity, commands);
	say_hash("long", buffer.data, buffer.size);
	uint8_t *data = malloc(65536);
	commands = parity_begin(parity);
	for (size_t i = 0; i < 100; i++) {
		memset(data, (int)i, 65536);
		data[i] = 0xff;
		vkCmdUpdateBuffer(commands, buffer.buffer, i * 64, 65536 - i * 64, data);
	}
	parity_run(parity, commands);
	say_hash("updates", buffer.data, buffer.size);
	free(data);
	parity_buffer_finish(parity, &buffer);
}

const struct parity_case parity_command_buffer_cases[] = {
	{"command-buffers lives", lives},
	{"command-buffers many", many},
	{NULL, NULL},
};
