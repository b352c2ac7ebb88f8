/* SPDX-License-Identifier: MIT */

/*
 * Queue family ownership of what is shared. To guests we offer VK_QUEUE_FAMILY_FOREIGN_EXT, which
 * the host need not have, and is never asked for. VK_QUEUE_FAMILY_EXTERNAL, which every host has,
 * does the same for us: whoever is on the other side sees the memory through an import, as another
 * process on the same machine.
 */

#include "render/call.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

static void fix_families(uint32_t *source, uint32_t *destination) {
	if (*source == VK_QUEUE_FAMILY_FOREIGN_EXT) {
		*source = VK_QUEUE_FAMILY_EXTERNAL;
	}
	if (*destination == VK_QUEUE_FAMILY_FOREIGN_EXT) {
		*destination = VK_QUEUE_FAMILY_EXTERNAL;
	}
	if (*source == VK_QUEUE_FAMILY_EXTERNAL && *destination == VK_QUEUE_FAMILY_EXTERNAL) {
		/* from one stranger to another: nothing of ours */
		*source = VK_QUEUE_FAMILY_IGNORED;
		*destination = VK_QUEUE_FAMILY_IGNORED;
	}
}

/* The barriers were decoded into our arena: they may be changed. */
#define FIX(type, count, barriers) \
	for (uint32_t i = 0; i < (count); i++) { \
		type *barrier = (type *)&(barriers)[i]; \
		fix_families(&barrier->srcQueueFamilyIndex, &barrier->dstQueueFamilyIndex); \
	}

static void fix_dependency(const VkDependencyInfo *info) {
	FIX(VkBufferMemoryBarrier2, info->bufferMemoryBarrierCount, info->pBufferMemoryBarriers);
	FIX(VkImageMemoryBarrier2, info->imageMemoryBarrierCount, info->pImageMemoryBarriers);
}

void render_prepare_vkCmdPipelineBarrier(
		struct render_call *call, struct venus_vkCmdPipelineBarrier *args) {
	(void)call;
	FIX(VkBufferMemoryBarrier, args->bufferMemoryBarrierCount, args->pBufferMemoryBarriers);
	FIX(VkImageMemoryBarrier, args->imageMemoryBarrierCount, args->pImageMemoryBarriers);
}

void render_prepare_vkCmdPipelineBarrier2(
		struct render_call *call, struct venus_vkCmdPipelineBarrier2 *args) {
	(void)call;
	fix_dependency(args->pDependencyInfo);
}

void render_prepare_vkCmdSetEvent2(
		struct render_call *call, struct venus_vkCmdSetEvent2 *args) {
	(void)call;
	fix_dependency(args->pDependencyInfo);
}

void render_prepare_vkCmdWaitEvents(
		struct render_call *call, struct venus_vkCmdWaitEvents *args) {
	(void)call;
	FIX(VkBufferMemoryBarrier, args->bufferMemoryBarrierCount, args->pBufferMemoryBarriers);
	FIX(VkImageMemoryBarrier, args->imageMemoryBarrierCount, args->pImageMemoryBarriers);
}

void render_prepare_vkCmdWaitEvents2(
		struct render_call *call, struct venus_vkCmdWaitEvents2 *args) {
	(void)call;
	for (uint32_t i = 0; i < args->eventCount; i++) {
		fix_dependency(&args->pDependencyInfos[i]);
	}
}
