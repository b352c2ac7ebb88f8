/* SPDX-License-Identifier: MIT */

/* As test_driver.c, with what is recorded into command buffers, executed, and waited for. */

#include "../unit/test.h"
#include "hostile.h"
#include "scene.h"

#define DEVICE PEER_DEVICE_HANDLE
#define ID SCENE_ID
#define DO SCENE_DO
#define MOST UINT32_MAX
#define COMMANDS ID(CommandBuffer, SCENE_COMMANDS)

/* --- recorded and executed --- */

#define RECORD(name, command, ...) \
	static void name(struct peer *peer) { \
		scene_begin(peer); \
		DO(peer, command, .commandBuffer = COMMANDS, __VA_ARGS__); \
		scene_submit(peer); \
	}
/** What indirect commands find in the buffer must not keep the driver busy. */
static void begin_with_zeros(struct peer *peer) {
	scene_begin(peer);
	DO(peer, vkCmdFillBuffer, .commandBuffer = COMMANDS, .dstBuffer = ID(Buffer, SCENE_BUFFER),
		.size = VK_WHOLE_SIZE);
}

#define DRAW(name, command, ...) \
	static void name(struct peer *peer) { \
		begin_with_zeros(peer); \
		scene_begin_pass(peer); \
		DO(peer, command, .commandBuffer = COMMANDS, __VA_ARGS__); \
		DO(peer, vkCmdEndRenderPass, .commandBuffer = COMMANDS); \
		scene_submit(peer); \
	}
#define DISPATCH(name, command, ...) \
	static void name(struct peer *peer) { \
		begin_with_zeros(peer); \
		scene_bind_compute(peer); \
		DO(peer, command, .commandBuffer = COMMANDS, __VA_ARGS__); \
		scene_submit(peer); \
	}
#define BUFFER ID(Buffer, SCENE_BUFFER)
#define IMAGE ID(Image, SCENE_IMAGE)
#define QUERIES ID(QueryPool, SCENE_QUERIES)
#define GENERAL VK_IMAGE_LAYOUT_GENERAL

RECORD(fill_behind, vkCmdFillBuffer, .dstBuffer = BUFFER, .dstOffset = SCENE_SIZE, .size = 4096)
RECORD(fill_long, vkCmdFillBuffer, .dstBuffer = BUFFER, .size = SCENE_SIZE * 16)
RECORD(fill_far, vkCmdFillBuffer, .dstBuffer = BUFFER, .dstOffset = UINT64_C(1) << 62, .size = 4)
RECORD(fill_behind_whole, vkCmdFillBuffer, .dstBuffer = BUFFER, .dstOffset = SCENE_SIZE + 64,
	.size = VK_WHOLE_SIZE)
RECORD(fill_unaligned, vkCmdFillBuffer, .dstBuffer = BUFFER, .dstOffset = 1, .size = 3)
RECORD(update_behind, vkCmdUpdateBuffer, .dstBuffer = BUFFER, .dstOffset = SCENE_SIZE - 4,
	.dataSize = 64, .pData = (const uint32_t[16]){0})
RECORD(update_far, vkCmdUpdateBuffer, .dstBuffer = BUFFER, .dstOffset = UINT64_C(1) << 62,
	.dataSize = 64, .pData = (const uint32_t[16]){0})
RECORD(copy_long, vkCmdCopyBuffer, .srcBuffer = BUFFER, .dstBuffer = BUFFER, .regionCount = 1,
	.pRegions = &(const VkBufferCopy){0, 32768, UINT64_C(1) << 40})
RECORD(copy_far, vkCmdCopyBuffer, .srcBuffer = BUFFER, .dstBuffer = BUFFER, .regionCount = 1,
	.pRegions = &(const VkBufferCopy){UINT64_C(1) << 50, 0, 4096})
RECORD(copy_none, vkCmdCopyBuffer, .srcBuffer = BUFFER, .dstBuffer = BUFFER, .regionCount = 1,
	.pRegions = &(const VkBufferCopy){0, 0, 0})
RECORD(copy_no_regions, vkCmdCopyBuffer, .srcBuffer = BUFFER, .dstBuffer = BUFFER)

#define LAYERS {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1}
#define RANGE {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}
RECORD(image_copy_beyond, vkCmdCopyImage, .srcImage = IMAGE, .srcImageLayout = GENERAL,
	.dstImage = IMAGE, .dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkImageCopy){LAYERS, {0, 0, 0}, LAYERS, {0, 0, 0}, {4096, 4096, 1}})
RECORD(image_copy_negative, vkCmdCopyImage, .srcImage = IMAGE, .srcImageLayout = GENERAL,
	.dstImage = IMAGE, .dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkImageCopy){LAYERS, {-4096, -4096, 0}, LAYERS, {0, 0, 0}, {16, 16, 1}})
RECORD(image_copy_layers, vkCmdCopyImage, .srcImage = IMAGE, .srcImageLayout = GENERAL,
	.dstImage = IMAGE, .dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkImageCopy){{1, 0, 0, 4096}, {0, 0, 0}, {1, 0, 0, 4096}, {0, 0, 0},
		{16, 16, 1}})
RECORD(image_copy_level, vkCmdCopyImage, .srcImage = IMAGE, .srcImageLayout = GENERAL,
	.dstImage = IMAGE, .dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkImageCopy){{1, 40, 0, 1}, {0, 0, 0}, {1, 40, 0, 1}, {0, 0, 0},
		{16, 16, 1}})
RECORD(to_image_beyond, vkCmdCopyBufferToImage, .srcBuffer = BUFFER, .dstImage = IMAGE,
	.dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkBufferImageCopy){0, 0, 0, LAYERS, {0, 0, 0}, {4096, 4096, 1}})
RECORD(to_image_far, vkCmdCopyBufferToImage, .srcBuffer = BUFFER, .dstImage = IMAGE,
	.dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkBufferImageCopy){UINT64_C(1) << 50, 0, 0, LAYERS, {0, 0, 0}, {16, 16, 1}})
RECORD(to_image_layer, vkCmdCopyBufferToImage, .srcBuffer = BUFFER, .dstImage = IMAGE,
	.dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkBufferImageCopy){0, 0, 0, {1, 0, 100000, 1}, {0, 0, 0}, {16, 16, 1}})
RECORD(from_image_beyond, vkCmdCopyImageToBuffer, .srcImage = IMAGE, .srcImageLayout = GENERAL,
	.dstBuffer = BUFFER, .regionCount = 1,
	.pRegions = &(const VkBufferImageCopy){SCENE_SIZE - 4, MOST, MOST, LAYERS, {0, 0, 0}, {16, 16, 1}})
RECORD(from_image_far, vkCmdCopyImageToBuffer, .srcImage = IMAGE, .srcImageLayout = GENERAL,
	.dstBuffer = BUFFER, .regionCount = 1,
	.pRegions = &(const VkBufferImageCopy){UINT64_C(1) << 50, 0, 0, LAYERS, {0, 0, 0}, {16, 16, 1}})
RECORD(blit_beyond, vkCmdBlitImage, .srcImage = IMAGE, .srcImageLayout = GENERAL, .dstImage = IMAGE,
	.dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkImageBlit){LAYERS, {{-100, -100, 0}, {0x7fffffff, 9, 1}}, LAYERS,
		{{0, 0, 0}, {16, 16, 1}}})
RECORD(blit_layer, vkCmdBlitImage, .srcImage = IMAGE, .srcImageLayout = GENERAL, .dstImage = IMAGE,
	.dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkImageBlit){{1, 0, 77777, 1}, {{0, 0, 0}, {16, 16, 1}}, {1, 0, 77777, 1},
		{{0, 0, 0}, {16, 16, 1}}})
RECORD(resolve_single, vkCmdResolveImage, .srcImage = IMAGE, .srcImageLayout = GENERAL,
	.dstImage = IMAGE, .dstImageLayout = GENERAL, .regionCount = 1,
	.pRegions = &(const VkImageResolve){LAYERS, {0, 0, 0}, LAYERS, {0, 0, 0}, {4096, 4096, 1}})
RECORD(clear_level, vkCmdClearColorImage, .image = IMAGE, .imageLayout = GENERAL,
	.pColor = &(const VkClearColorValue){{0}}, .rangeCount = 1,
	.pRanges = &(const VkImageSubresourceRange){1, 12, 40, 0, 1})
RECORD(clear_layer, vkCmdClearColorImage, .image = IMAGE, .imageLayout = GENERAL,
	.pColor = &(const VkClearColorValue){{0}}, .rangeCount = 1,
	.pRanges = &(const VkImageSubresourceRange){1, 0, 1, 5000, 5000})
RECORD(clear_depth, vkCmdClearDepthStencilImage, .image = IMAGE, .imageLayout = GENERAL,
	.pDepthStencil = &(const VkClearDepthStencilValue){0, 0}, .rangeCount = 1,
	.pRanges = &(const VkImageSubresourceRange){VK_IMAGE_ASPECT_DEPTH_BIT, 0, 1, 0, 1})
RECORD(barrier_level, vkCmdPipelineBarrier, .srcStageMask = MOST, .dstStageMask = MOST,
	.imageMemoryBarrierCount = 1, .pImageMemoryBarriers = &(const VkImageMemoryBarrier){
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.image = IMAGE,
		.newLayout = (VkImageLayout)0x7fffffff,
		.subresourceRange = {MOST, 77, 77, 77, 77}})
RECORD(barrier_family, vkCmdPipelineBarrier, .srcStageMask = 1, .dstStageMask = 1,
	.bufferMemoryBarrierCount = 1, .pBufferMemoryBarriers = &(const VkBufferMemoryBarrier){
		.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
		.buffer = BUFFER,
		.srcQueueFamilyIndex = 4711,
		.dstQueueFamilyIndex = MOST - 3,
		.offset = UINT64_C(1) << 60,
		.size = UINT64_C(1) << 60})

RECORD(query_begin_4, vkCmdBeginQuery, .queryPool = QUERIES, .query = SCENE_QUERY_COUNT)
RECORD(query_begin_most, vkCmdBeginQuery, .queryPool = QUERIES, .query = MOST)
RECORD(query_end_most, vkCmdEndQuery, .queryPool = QUERIES, .query = MOST)
RECORD(query_reset_many, vkCmdResetQueryPool, .queryPool = QUERIES, .queryCount = 1 << 20)
RECORD(query_reset_wraps, vkCmdResetQueryPool, .queryPool = QUERIES, .firstQuery = MOST,
	.queryCount = 2)
RECORD(query_stamp_most, vkCmdWriteTimestamp, .pipelineStage = 1, .queryPool = QUERIES, .query = MOST)
RECORD(query_stamp_64k, vkCmdWriteTimestamp, .pipelineStage = 1, .queryPool = QUERIES, .query = 1 << 16)
RECORD(query_copy_many, vkCmdCopyQueryPoolResults, .queryPool = QUERIES, .queryCount = 1 << 20,
	.dstBuffer = BUFFER, .stride = 4)
RECORD(query_copy_far, vkCmdCopyQueryPoolResults, .queryPool = QUERIES, .queryCount = 2,
	.dstBuffer = BUFFER, .dstOffset = UINT64_C(1) << 50, .stride = 4)
RECORD(query_copy_stride, vkCmdCopyQueryPoolResults, .queryPool = QUERIES, .queryCount = 4,
	.dstBuffer = BUFFER, .stride = UINT64_C(1) << 50)

RECORD(dispatch_without_pipeline, vkCmdDispatch, .groupCountX = 1, .groupCountY = 1, .groupCountZ = 1)
RECORD(draw_without_pipeline, vkCmdDraw, .vertexCount = 3, .instanceCount = 1)
RECORD(end_without_pass, vkCmdEndRenderPass, 0)
RECORD(next_without_pass, vkCmdNextSubpass, 0)
RECORD(execute_itself, vkCmdExecuteCommands, .commandBufferCount = 1,
	.pCommandBuffers = &(const VkCommandBuffer){COMMANDS})
RECORD(indirect_far, vkCmdDispatchIndirect, .buffer = BUFFER, .offset = UINT64_C(1) << 50)
RECORD(viewports_most, vkCmdSetViewport, .firstViewport = MOST, .viewportCount = 1,
	.pViewports = &(const VkViewport){0})
RECORD(viewports_100, vkCmdSetViewport, .firstViewport = 100, .viewportCount = 1,
	.pViewports = &(const VkViewport){0})
RECORD(scissors_most, vkCmdSetScissor, .firstScissor = MOST, .scissorCount = 1,
	.pScissors = &(const VkRect2D){{-1, -1}, {MOST, MOST}})
RECORD(vertex_binding_most, vkCmdBindVertexBuffers, .firstBinding = MOST, .bindingCount = 1,
	.pBuffers = &(const VkBuffer){BUFFER}, .pOffsets = &(const VkDeviceSize){UINT64_C(1) << 60})
RECORD(vertex_binding_1000, vkCmdBindVertexBuffers, .firstBinding = 1000, .bindingCount = 1,
	.pBuffers = &(const VkBuffer){BUFFER}, .pOffsets = &(const VkDeviceSize){0})
RECORD(sets_most, vkCmdBindDescriptorSets, .pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
	.layout = ID(PipelineLayout, SCENE_LAYOUT), .firstSet = MOST, .descriptorSetCount = 1,
	.pDescriptorSets = &(const VkDescriptorSet){ID(DescriptorSet, SCENE_SET)})
RECORD(sets_100, vkCmdBindDescriptorSets, .pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
	.layout = ID(PipelineLayout, SCENE_LAYOUT), .firstSet = 100, .descriptorSetCount = 1,
	.pDescriptorSets = &(const VkDescriptorSet){ID(DescriptorSet, SCENE_SET)})
RECORD(sets_of_no_point, vkCmdBindDescriptorSets, .pipelineBindPoint = (VkPipelineBindPoint)0x7fffffff,
	.layout = ID(PipelineLayout, SCENE_LAYOUT), .descriptorSetCount = 1,
	.pDescriptorSets = &(const VkDescriptorSet){ID(DescriptorSet, SCENE_SET)})
RECORD(pipeline_of_no_point, vkCmdBindPipeline, .pipelineBindPoint = (VkPipelineBindPoint)0x7fffffff,
	.pipeline = ID(Pipeline, SCENE_COMPUTE_PIPELINE))
RECORD(pipeline_of_other_point, vkCmdBindPipeline,
	.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
	.pipeline = ID(Pipeline, SCENE_COMPUTE_PIPELINE))

DISPATCH(dispatch_none, vkCmdDispatch, 0)
DISPATCH(dispatch_indirect_behind, vkCmdDispatchIndirect, .buffer = BUFFER, .offset = SCENE_SIZE - 4)
DISPATCH(dispatch_base_most, vkCmdDispatchBase, .baseGroupX = MOST, .groupCountX = 1,
	.groupCountY = 1, .groupCountZ = 1)

DRAW(draw_none, vkCmdDraw, 0)
DRAW(draw_first_most, vkCmdDraw, .vertexCount = 3, .instanceCount = 1, .firstVertex = MOST,
	.firstInstance = MOST)
DRAW(draw_indexed_without_indices, vkCmdDrawIndexed, .indexCount = 3, .instanceCount = 1)
DRAW(draw_indexed_far, vkCmdDrawIndexed, .indexCount = 3, .instanceCount = 1, .firstIndex = MOST,
	.vertexOffset = 0x7fffffff)
DRAW(draw_indirect_many, vkCmdDrawIndirect, .buffer = BUFFER, .drawCount = 1 << 16, .stride = 16)
DRAW(draw_indirect_far, vkCmdDrawIndirect, .buffer = BUFFER, .offset = UINT64_C(1) << 50,
	.drawCount = 1, .stride = 16)
DRAW(draw_indirect_stride, vkCmdDrawIndirect, .buffer = BUFFER, .drawCount = 2, .stride = 0x7ffffffc)
DRAW(draw_indirect_stride_0, vkCmdDrawIndirect, .buffer = BUFFER, .drawCount = 64, .stride = 0)
DRAW(clear_no_rects, vkCmdClearAttachments, .attachmentCount = 1,
	.pAttachments = &(const VkClearAttachment){.aspectMask = 1})
DRAW(clear_empty_rects, vkCmdClearAttachments, .attachmentCount = 1,
	.pAttachments = &(const VkClearAttachment){.aspectMask = 1}, .rectCount = 1,
	.pRects = &(const VkClearRect){{{0, 0}, {0, 0}}, 0, 0})
DRAW(clear_huge_rects, vkCmdClearAttachments, .attachmentCount = 1,
	.pAttachments = &(const VkClearAttachment){.aspectMask = 1}, .rectCount = 1,
	.pRects = &(const VkClearRect){{{-5, -5}, {MOST, MOST}}, 0, 1})
DRAW(clear_layers, vkCmdClearAttachments, .attachmentCount = 1,
	.pAttachments = &(const VkClearAttachment){.aspectMask = 1}, .rectCount = 1,
	.pRects = &(const VkClearRect){{{0, 0}, {16, 16}}, 4096, 4096})
DRAW(clear_attachment_9, vkCmdClearAttachments, .attachmentCount = 1,
	.pAttachments = &(const VkClearAttachment){.aspectMask = 1, .colorAttachment = 9},
	.rectCount = 1, .pRects = &(const VkClearRect){{{0, 0}, {16, 16}}, 0, 1})
DRAW(clear_attachment_most, vkCmdClearAttachments, .attachmentCount = 1,
	.pAttachments = &(const VkClearAttachment){.aspectMask = 1, .colorAttachment = MOST - 1},
	.rectCount = 1, .pRects = &(const VkClearRect){{{0, 0}, {16, 16}}, 0, 1})
DRAW(next_subpass, vkCmdNextSubpass, 0)
DRAW(pass_in_pass, vkCmdBeginRenderPass, .pRenderPassBegin = &(const VkRenderPassBeginInfo){
	.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO, .renderPass = ID(RenderPass, SCENE_PASS),
	.framebuffer = ID(Framebuffer, SCENE_FRAMEBUFFER),
	.renderArea = {{-100, -100}, {MOST, MOST}}})
DRAW(dispatch_in_pass, vkCmdDispatch, .groupCountX = 1, .groupCountY = 1, .groupCountZ = 1)

static void dispatch_without_set(struct peer *peer) {
	scene_begin(peer);
	DO(peer, vkCmdBindPipeline, .commandBuffer = COMMANDS,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
		.pipeline = ID(Pipeline, SCENE_COMPUTE_PIPELINE));
	DO(peer, vkCmdDispatch, .commandBuffer = COMMANDS, .groupCountX = 1, .groupCountY = 1,
		.groupCountZ = 1);
	scene_submit(peer);
}

/** The shader writes where there is no buffer. */
static void dispatch_unclamped(struct peer *peer) {
	scene_begin(peer);
	scene_bind_compute(peer);
	const uint32_t parameters[] = {0, MOST, 7};
	DO(peer, vkCmdPushConstants, .commandBuffer = COMMANDS,
		.layout = ID(PipelineLayout, SCENE_LAYOUT), .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		.size = sizeof(parameters), .pValues = parameters);
	DO(peer, vkCmdDispatch, .commandBuffer = COMMANDS, .groupCountX = 4096, .groupCountY = 1,
		.groupCountZ = 1);
	scene_submit(peer);
}

static void indices_unclamped(struct peer *peer) {
	scene_begin(peer);
	DO(peer, vkCmdFillBuffer, .commandBuffer = COMMANDS, .dstBuffer = BUFFER, .size = VK_WHOLE_SIZE,
		.data = 0x7fffffff);
	scene_begin_pass(peer);
	DO(peer, vkCmdBindIndexBuffer, .commandBuffer = COMMANDS, .buffer = BUFFER,
		.indexType = VK_INDEX_TYPE_UINT32);
	DO(peer, vkCmdDrawIndexed, .commandBuffer = COMMANDS, .indexCount = 96, .instanceCount = 1);
	DO(peer, vkCmdEndRenderPass, .commandBuffer = COMMANDS);
	scene_submit(peer);
}

static void indices_behind(struct peer *peer) {
	scene_begin(peer);
	scene_begin_pass(peer);
	DO(peer, vkCmdBindIndexBuffer, .commandBuffer = COMMANDS, .buffer = BUFFER,
		.offset = SCENE_SIZE - 8, .indexType = VK_INDEX_TYPE_UINT32);
	DO(peer, vkCmdDrawIndexed, .commandBuffer = COMMANDS, .indexCount = 4096, .instanceCount = 1);
	DO(peer, vkCmdEndRenderPass, .commandBuffer = COMMANDS);
	scene_submit(peer);
}

static void indices_of_no_type(struct peer *peer) {
	scene_begin(peer);
	scene_begin_pass(peer);
	DO(peer, vkCmdBindIndexBuffer, .commandBuffer = COMMANDS, .buffer = BUFFER,
		.indexType = (VkIndexType)0x7fffffff);
	DO(peer, vkCmdDrawIndexed, .commandBuffer = COMMANDS, .indexCount = 3, .instanceCount = 1);
	DO(peer, vkCmdEndRenderPass, .commandBuffer = COMMANDS);
	scene_submit(peer);
}

static void unbound_buffer(struct peer *peer) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 4096,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = ID(Buffer, SCENE_FREE);
	scene_begin(peer);
	DO(peer, vkCreateBuffer, .device = DEVICE, .pCreateInfo = &info, .pBuffer = &buffer);
	DO(peer, vkCmdFillBuffer, .commandBuffer = COMMANDS, .dstBuffer = buffer, .size = 4096);
	scene_submit(peer);
	DO(peer, vkDestroyBuffer, .device = DEVICE, .buffer = buffer);
	scene_settle(peer);
}

static void destroyed_while_recorded(struct peer *peer) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 4096,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = ID(Buffer, SCENE_FREE);
	scene_begin(peer);
	DO(peer, vkCreateBuffer, .device = DEVICE, .pCreateInfo = &info, .pBuffer = &buffer);
	DO(peer, vkCmdFillBuffer, .commandBuffer = COMMANDS, .dstBuffer = buffer, .size = 4096);
	DO(peer, vkDestroyBuffer, .device = DEVICE, .buffer = buffer);
	scene_submit(peer);
}

static void memory_freed_in_use(struct peer *peer) {
	scene_begin(peer);
	DO(peer, vkCmdFillBuffer, .commandBuffer = COMMANDS, .dstBuffer = BUFFER, .size = VK_WHOLE_SIZE);
	DO(peer, vkFreeMemory, .device = DEVICE, .memory = ID(DeviceMemory, SCENE_MEMORY));
	scene_submit(peer);
}

static void pipeline_destroyed_in_use(struct peer *peer) {
	scene_begin(peer);
	scene_bind_compute(peer);
	DO(peer, vkDestroyPipeline, .device = DEVICE, .pipeline = ID(Pipeline, SCENE_COMPUTE_PIPELINE));
	DO(peer, vkCmdDispatch, .commandBuffer = COMMANDS, .groupCountX = 1, .groupCountY = 1,
		.groupCountZ = 1);
	scene_submit(peer);
}

static void view_destroyed_in_use(struct peer *peer) {
	scene_begin(peer);
	scene_begin_pass(peer);
	DO(peer, vkDestroyImageView, .device = DEVICE, .imageView = ID(ImageView, SCENE_VIEW));
	DO(peer, vkCmdDraw, .commandBuffer = COMMANDS, .vertexCount = 3, .instanceCount = 1);
	DO(peer, vkCmdEndRenderPass, .commandBuffer = COMMANDS);
	scene_submit(peer);
}

static void bind_beyond(struct peer *peer, uint64_t offset) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 4096,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = ID(Buffer, SCENE_FREE);
	scene_begin(peer);
	DO(peer, vkCreateBuffer, .device = DEVICE, .pCreateInfo = &info, .pBuffer = &buffer);
	DO(peer, vkBindBufferMemory, .device = DEVICE, .buffer = buffer,
		.memory = ID(DeviceMemory, SCENE_MEMORY), .memoryOffset = offset);
	DO(peer, vkCmdFillBuffer, .commandBuffer = COMMANDS, .dstBuffer = buffer, .size = 4096);
	scene_submit(peer);
	DO(peer, vkDestroyBuffer, .device = DEVICE, .buffer = buffer);
	scene_settle(peer);
}

static void bound_behind(struct peer *peer) {
	bind_beyond(peer, SCENE_SIZE);
}

static void bound_far(struct peer *peer) {
	bind_beyond(peer, UINT64_C(1) << 60);
}

static void bound_unaligned(struct peer *peer) {
	bind_beyond(peer, 1);
}

/* --- synchronisation --- */

static void signal_case(struct peer *peer, uint64_t value) {
	const VkSemaphoreSignalInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = ID(Semaphore, SCENE_SEMAPHORE),
		.value = value,
	};
	scene_make(peer);
	DO(peer, vkSignalSemaphore, .device = DEVICE, .pSignalInfo = &info);
	scene_settle(peer);
}

static void signalled_back(struct peer *peer) {
	signal_case(peer, 0);
}

static void signalled_most(struct peer *peer) {
	signal_case(peer, UINT64_MAX);
}

static void submitted_unended(struct peer *peer) {
	const VkCommandBuffer commands = COMMANDS;
	const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1,
		.pCommandBuffers = &commands};
	scene_begin(peer);
	DO(peer, vkQueueSubmit, .queue = PEER_QUEUE_HANDLE, .submitCount = 1, .pSubmits = &submit);
	scene_settle(peer);
	scene_submit(peer);
}

static void submitted_twice(struct peer *peer) {
	const VkCommandBuffer commands[] = {COMMANDS, COMMANDS, COMMANDS};
	const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 3,
		.pCommandBuffers = commands};
	scene_begin(peer);
	scene_submit(peer);
	DO(peer, vkQueueSubmit, .queue = PEER_QUEUE_HANDLE, .submitCount = 1, .pSubmits = &submit);
	scene_settle(peer);
}

static void ended_twice(struct peer *peer) {
	scene_begin(peer);
	DO(peer, vkEndCommandBuffer, .commandBuffer = COMMANDS);
	scene_submit(peer);
}

static void begun_twice(struct peer *peer) {
	scene_begin(peer);
	scene_begin_pass(peer);
	scene_begin(peer);
	scene_submit(peer);
}

static void queue_submit_of_nothing(struct peer *peer) {
	static const VkSubmitInfo submits[64] = {{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO}};
	VkSubmitInfo all[64];
	for (size_t i = 0; i < 64; i++) {
		all[i] = submits[0];
	}
	scene_make(peer);
	DO(peer, vkQueueSubmit, .queue = PEER_QUEUE_HANDLE, .submitCount = 64, .pSubmits = all);
	scene_settle(peer);
}

#define REFUSED(name, reason) {#name, HOSTILE_DEVICE, HOSTILE_LOST, reason, name}
#define HARMLESS(name) {#name, HOSTILE_DEVICE, HOSTILE_EITHER, NULL, name}
#define WILD(name) {#name, HOSTILE_DEVICE, HOSTILE_DRIVER, NULL, name}

static const struct hostile_case cases[] = {
	REFUSED(fill_behind, "vkCmdFillBuffer: outside of the buffer"),
	REFUSED(fill_long, "vkCmdFillBuffer: outside of the buffer"),
	REFUSED(fill_far, "vkCmdFillBuffer: outside of the buffer"),
	REFUSED(fill_behind_whole, "vkCmdFillBuffer: outside of the buffer"),
	WILD(fill_unaligned),
	REFUSED(update_behind, "vkCmdUpdateBuffer: outside of the buffer"),
	REFUSED(update_far, "vkCmdUpdateBuffer: outside of the buffer"),
	REFUSED(copy_long, "vkCmdCopyBuffer: outside of the buffer"),
	REFUSED(copy_far, "vkCmdCopyBuffer: outside of the buffer"),
	HARMLESS(copy_none),
	HARMLESS(copy_no_regions),
	WILD(image_copy_beyond),
	WILD(image_copy_negative),
	WILD(image_copy_layers),
	WILD(image_copy_level),
	WILD(to_image_beyond),
	WILD(to_image_far),
	WILD(to_image_layer),
	WILD(from_image_beyond),
	WILD(from_image_far),
	WILD(blit_beyond),
	WILD(blit_layer),
	WILD(resolve_single),
	WILD(clear_level),
	WILD(clear_layer),
	WILD(clear_depth),
	WILD(barrier_level),
	WILD(barrier_family),
	REFUSED(query_begin_4, "vkCmdBeginQuery: the pool has no such query"),
	REFUSED(query_begin_most, "vkCmdBeginQuery: the pool has no such query"),
	REFUSED(query_end_most, "vkCmdEndQuery: the pool has no such query"),
	REFUSED(query_reset_many, "vkCmdResetQueryPool: the pool has no such query"),
	REFUSED(query_reset_wraps, "vkCmdResetQueryPool: the pool has no such query"),
	REFUSED(query_stamp_most, "vkCmdWriteTimestamp: the pool has no such query"),
	REFUSED(query_stamp_64k, "vkCmdWriteTimestamp: the pool has no such query"),
	REFUSED(query_copy_many, "vkCmdCopyQueryPoolResults: the pool has no such query"),
	WILD(query_copy_far),
	WILD(query_copy_stride),
	WILD(dispatch_without_pipeline),
	WILD(draw_without_pipeline),
	WILD(end_without_pass),
	WILD(next_without_pass),
	WILD(execute_itself),
	REFUSED(indirect_far, "vkCmdDispatchIndirect: outside of the buffer"),
	WILD(viewports_most),
	WILD(viewports_100),
	WILD(scissors_most),
	WILD(vertex_binding_most),
	WILD(vertex_binding_1000),
	REFUSED(sets_most, "firstSet and descriptorSetCount are beyond"),
	REFUSED(sets_100, "firstSet and descriptorSetCount are beyond"),
	WILD(sets_of_no_point),
	WILD(pipeline_of_no_point),
	WILD(pipeline_of_other_point),
	HARMLESS(dispatch_none),
	REFUSED(dispatch_indirect_behind, "vkCmdDispatchIndirect: outside of the buffer"),
	WILD(dispatch_base_most),
	HARMLESS(draw_none),
	WILD(draw_first_most),
	WILD(draw_indexed_without_indices),
	WILD(draw_indexed_far),
	REFUSED(draw_indirect_many, "vkCmdDrawIndirect: outside of the buffer"),
	REFUSED(draw_indirect_far, "vkCmdDrawIndirect: outside of the buffer"),
	REFUSED(draw_indirect_stride, "vkCmdDrawIndirect: outside of the buffer"),
	WILD(draw_indirect_stride_0),
	HARMLESS(clear_no_rects),
	HARMLESS(clear_empty_rects),
	WILD(clear_huge_rects),
	WILD(clear_layers),
	WILD(clear_attachment_9),
	WILD(clear_attachment_most),
	WILD(next_subpass),
	WILD(pass_in_pass),
	WILD(dispatch_in_pass),
	WILD(dispatch_without_set),
	WILD(dispatch_unclamped),
	WILD(indices_unclamped),
	WILD(indices_behind),
	WILD(indices_of_no_type),
	WILD(unbound_buffer),
	WILD(destroyed_while_recorded),
	WILD(memory_freed_in_use),
	WILD(pipeline_destroyed_in_use),
	WILD(view_destroyed_in_use),
	WILD(bound_behind),
	WILD(bound_far),
	WILD(bound_unaligned),
	HARMLESS(signalled_back),
	HARMLESS(signalled_most),
	WILD(submitted_unended),
	WILD(submitted_twice),
	WILD(ended_twice),
	WILD(begun_twice),
	HARMLESS(queue_submit_of_nothing),
};

int main(int argc, char **argv) {
	hostile_start(&argc, &argv);
	hostile_run("recording", cases, sizeof(cases) / sizeof(cases[0]));
	return hostile_finish();
}
