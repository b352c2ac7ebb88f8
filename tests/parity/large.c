/* SPDX-License-Identifier: MIT */

/* Commands with more in them than a ring holds, and lists as long as programs like. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#include "fill_comp_spv.h"

#define SIZE (1 << 20)

static void init_buffers(
		struct parity *parity, struct parity_buffer *from, struct parity_buffer *to) {
	const VkBufferUsageFlags usage =
		VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
	parity_buffer_init(parity, from, SIZE, usage);
	parity_buffer_init(parity, to, SIZE, usage);
	for (uint32_t i = 0; i < SIZE; i++) {
		((uint8_t *)from->data)[i] = (uint8_t)(i * 13 + i / 777);
	}
}

static void commands(struct parity *parity) {
	enum { REGIONS = 100000, FILLS = 20000, UPDATES = 64, UPDATE_SIZE = 65536 };
	struct parity_buffer from, to;
	init_buffers(parity, &from, &to);
	VkBufferCopy *regions = calloc(REGIONS, sizeof(*regions));
	VkMemoryBarrier *barriers = calloc(REGIONS, sizeof(*barriers));
	for (uint32_t i = 0; i < REGIONS; i++) {
		regions[i] = (VkBufferCopy){4 * i, SIZE - 4 - 4 * i, 4};
		barriers[i] = (VkMemoryBarrier){
			.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
			.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
			.dstAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		};
	}
	VkCommandBuffer recorded = parity_begin(parity);
	vkCmdCopyBuffer(recorded, from.buffer, to.buffer, REGIONS, regions);
	vkCmdPipelineBarrier(recorded, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
		VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, REGIONS, barriers, 0, NULL, 0, NULL);
	for (uint32_t i = 0; i < FILLS; i++) {
		vkCmdFillBuffer(recorded, to.buffer, i * 36 % SIZE, 4, i);
	}
	parity_run(parity, recorded);
	say_hash("copied and filled", to.data, SIZE);
	recorded = parity_begin(parity);
	for (uint32_t i = 0; i < UPDATES; i++) {
		parity_barrier(recorded);
		vkCmdUpdateBuffer(recorded, to.buffer, i * 7 % 16 * UPDATE_SIZE, UPDATE_SIZE,
			(const uint8_t *)from.data + i * 5 % 16 * UPDATE_SIZE);
	}
	parity_run(parity, recorded);
	say_hash("updated", to.data, SIZE);
	free(regions);
	free(barriers);
	parity_buffer_finish(parity, &from);
	parity_buffer_finish(parity, &to);
}

/** With nothing in it but no-operations, behind what it does. */
static void shaders(struct parity *parity) {
	for (size_t more = 65536; more <= 16 << 20; more *= 16) {
		const size_t size = sizeof(fill_comp_spv) + more;
		uint32_t *code = malloc(size);
		memcpy(code, fill_comp_spv, sizeof(fill_comp_spv));
		for (size_t i = sizeof(fill_comp_spv) / 4; i < size / 4; i++) {
			code[i] = 0x00010000; /* OpNop */
		}
		const VkShaderModuleCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
			.codeSize = size,
			.pCode = code,
		};
		VkShaderModule shader = VK_NULL_HANDLE;
		say("%zu bytes: %d", size, vkCreateShaderModule(parity->device, &info, NULL, &shader));
		vkDestroyShaderModule(parity->device, shader, NULL);
		free(code);
	}
}

static VkDescriptorSetLayout create_layout(
		struct parity *parity, uint32_t count, VkDescriptorSetLayoutCreateFlags flags) {
	const VkDescriptorSetLayoutBinding binding = {
		0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, count, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
	const VkDescriptorBindingFlags of_binding =
		flags ? VK_DESCRIPTOR_BINDING_UPDATE_AFTER_BIND_BIT : 0;
	const VkDescriptorSetLayoutBindingFlagsCreateInfo flags_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
		.bindingCount = 1,
		.pBindingFlags = &of_binding,
	};
	const VkDescriptorSetLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.pNext = &flags_info,
		.flags = flags,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	VkDescriptorSetLayout layout;
	MUST(vkCreateDescriptorSetLayout(parity->device, &info, NULL, &layout));
	return layout;
}

static VkDescriptorPool create_pool(struct parity *parity, uint32_t sets, uint32_t descriptors,
		VkDescriptorPoolCreateFlags flags) {
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptors};
	const VkDescriptorPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.flags = flags,
		.maxSets = sets,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	VkDescriptorPool pool;
	MUST(vkCreateDescriptorPool(parity->device, &info, NULL, &pool));
	return pool;
}

/** Many descriptors in one set, by one write, and by a template. */
static void one_set(struct parity *parity, const struct parity_buffer *buffer) {
	enum { DESCRIPTORS = 50000 };
	VkDescriptorSetLayout layout = create_layout(
		parity, DESCRIPTORS, VK_DESCRIPTOR_SET_LAYOUT_CREATE_UPDATE_AFTER_BIND_POOL_BIT);
	VkDescriptorPool pool = create_pool(
		parity, 1, DESCRIPTORS, VK_DESCRIPTOR_POOL_CREATE_UPDATE_AFTER_BIND_BIT);
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &layout,
	};
	VkDescriptorSet set;
	MUST(vkAllocateDescriptorSets(parity->device, &allocate, &set));
	VkDescriptorBufferInfo *infos = calloc(DESCRIPTORS, sizeof(*infos));
	for (uint32_t i = 0; i < DESCRIPTORS; i++) {
		infos[i] = (VkDescriptorBufferInfo){buffer->buffer, 0, 64 + i};
	}
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = set,
		.descriptorCount = DESCRIPTORS,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = infos,
	};
	vkUpdateDescriptorSets(parity->device, 1, &write, 0, NULL);
	const VkDescriptorUpdateTemplateEntry entry = {
		0, 0, DESCRIPTORS, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0, sizeof(*infos)};
	const VkDescriptorUpdateTemplateCreateInfo template_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
		.descriptorUpdateEntryCount = 1,
		.pDescriptorUpdateEntries = &entry,
		.descriptorSetLayout = layout,
	};
	VkDescriptorUpdateTemplate template;
	MUST(vkCreateDescriptorUpdateTemplate(parity->device, &template_info, NULL, &template));
	vkUpdateDescriptorSetWithTemplate(parity->device, set, template, infos);
	vkDestroyDescriptorUpdateTemplate(parity->device, template, NULL);
	free(infos);
	vkDestroyDescriptorPool(parity->device, pool, NULL);
	vkDestroyDescriptorSetLayout(parity->device, layout, NULL);
}

/** Many sets at once: allocated, written, copied, freed. */
static void many_sets(struct parity *parity, const struct parity_buffer *buffer) {
	enum { SETS = 5000 };
	VkDescriptorSetLayout layout = create_layout(parity, 1, 0);
	VkDescriptorPool pool =
		create_pool(parity, SETS, SETS, VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT);
	VkDescriptorSetLayout *layouts = calloc(SETS, sizeof(*layouts));
	VkDescriptorSet *sets = calloc(SETS, sizeof(*sets));
	VkWriteDescriptorSet *writes = calloc(SETS, sizeof(*writes));
	VkCopyDescriptorSet *copies = calloc(SETS, sizeof(*copies));
	for (uint32_t i = 0; i < SETS; i++) {
		layouts[i] = layout;
	}
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = pool,
		.descriptorSetCount = SETS,
		.pSetLayouts = layouts,
	};
	SAY_RESULT(vkAllocateDescriptorSets(parity->device, &allocate, sets));
	const VkDescriptorBufferInfo info = {buffer->buffer, 0, VK_WHOLE_SIZE};
	for (uint32_t i = 0; i < SETS; i++) {
		writes[i] = (VkWriteDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = sets[i],
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &info,
		};
		copies[i] = (VkCopyDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
			.srcSet = sets[i],
			.dstSet = sets[(i + 1) % SETS],
			.descriptorCount = 1,
		};
	}
	vkUpdateDescriptorSets(parity->device, SETS, writes, SETS, copies);
	SAY_RESULT(vkFreeDescriptorSets(parity->device, pool, SETS, sets));
	SAY_RESULT(vkAllocateDescriptorSets(parity->device, &allocate, sets));
	free(layouts);
	free(sets);
	free(writes);
	free(copies);
	vkDestroyDescriptorPool(parity->device, pool, NULL);
	vkDestroyDescriptorSetLayout(parity->device, layout, NULL);
}

static void descriptors(struct parity *parity) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 65536,
		VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	if (parity->vulkan12.descriptorBindingStorageBufferUpdateAfterBind) {
		one_set(parity, &buffer);
	}
	many_sets(parity, &buffer);
	VkCommandBuffer recorded = parity_begin(parity);
	vkCmdFillBuffer(recorded, buffer.buffer, 0, VK_WHOLE_SIZE, 7);
	parity_run(parity, recorded);
	say_hash("life goes on", buffer.data, buffer.size);
	parity_buffer_finish(parity, &buffer);
}

/** All in one batch, and each in a batch of its own. */
static void submissions(struct parity *parity) {
	enum { COMMANDS = 2000, FENCES = 2000, SEMAPHORES = 300 };
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, COMMANDS * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkCommandBuffer *all = calloc(COMMANDS, sizeof(VkCommandBuffer));
	VkSubmitInfo *batches = calloc(COMMANDS, sizeof(*batches));
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = parity->pool,
		.commandBufferCount = COMMANDS,
	};
	MUST(vkAllocateCommandBuffers(parity->device, &allocate, all));
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	for (uint32_t i = 0; i < COMMANDS; i++) {
		MUST(vkBeginCommandBuffer(all[i], &begin));
		vkCmdFillBuffer(all[i], buffer.buffer, i * 4, 4, i * 3);
		MUST(vkEndCommandBuffer(all[i]));
		batches[i] = (VkSubmitInfo){
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.commandBufferCount = 1,
			.pCommandBuffers = &all[i],
		};
	}
	const VkSubmitInfo batch = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = COMMANDS,
		.pCommandBuffers = all,
	};
	SAY_RESULT(vkQueueSubmit(parity->queue, 1, &batch, VK_NULL_HANDLE));
	MUST(vkQueueWaitIdle(parity->queue));
	say_hash("filled", buffer.data, buffer.size);
	memset(buffer.data, 0, buffer.size);
	SAY_RESULT(vkQueueSubmit(parity->queue, COMMANDS, batches, VK_NULL_HANDLE));
	MUST(vkQueueWaitIdle(parity->queue));
	say_hash("filled", buffer.data, buffer.size);
	vkFreeCommandBuffers(parity->device, parity->pool, COMMANDS, all);
	free(batches);
	free(all);
	parity_buffer_finish(parity, &buffer);

	VkFence *fences = calloc(FENCES, sizeof(*fences));
	const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	for (uint32_t i = 0; i < FENCES; i++) {
		MUST(vkCreateFence(parity->device, &fence_info, NULL, &fences[i]));
		MUST(vkQueueSubmit(parity->queue, 0, NULL, fences[i]));
	}
	SAY_RESULT(vkWaitForFences(parity->device, FENCES, fences, VK_TRUE, UINT64_MAX));
	SAY_RESULT(vkResetFences(parity->device, FENCES, fences));
	SAY_RESULT(vkWaitForFences(parity->device, FENCES, fences, VK_FALSE, 0));
	MUST(vkQueueSubmit(parity->queue, 0, NULL, fences[FENCES - 1]));
	SAY_RESULT(vkWaitForFences(parity->device, FENCES, fences, VK_FALSE, UINT64_MAX));
	for (uint32_t i = 0; i < FENCES; i++) {
		vkDestroyFence(parity->device, fences[i], NULL);
	}
	free(fences);

	VkSemaphore semaphores[SEMAPHORES];
	uint64_t values[SEMAPHORES];
	const VkSemaphoreTypeCreateInfo timeline = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
	};
	const VkSemaphoreCreateInfo semaphore_info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &timeline};
	for (uint32_t i = 0; i < SEMAPHORES; i++) {
		MUST(vkCreateSemaphore(parity->device, &semaphore_info, NULL, &semaphores[i]));
		values[i] = i + 1;
	}
	const VkTimelineSemaphoreSubmitInfo to_signal = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.signalSemaphoreValueCount = SEMAPHORES,
		.pSignalSemaphoreValues = values,
	};
	const VkSubmitInfo signal = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &to_signal,
		.signalSemaphoreCount = SEMAPHORES,
		.pSignalSemaphores = semaphores,
	};
	SAY_RESULT(vkQueueSubmit(parity->queue, 1, &signal, VK_NULL_HANDLE));
	const VkSemaphoreWaitInfo wait = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = SEMAPHORES,
		.pSemaphores = semaphores,
		.pValues = values,
	};
	SAY_RESULT(vkWaitSemaphores(parity->device, &wait, UINT64_MAX));
	for (uint32_t i = 0; i < SEMAPHORES; i++) {
		vkDestroySemaphore(parity->device, semaphores[i], NULL);
	}
}

static void queries(struct parity *parity) {
	enum { QUERIES = 50000, STEP = 500 };
	const VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_OCCLUSION,
		.queryCount = QUERIES,
	};
	VkQueryPool pool;
	MUST(vkCreateQueryPool(parity->device, &info, NULL, &pool));
	VkCommandBuffer recorded = parity_begin(parity);
	vkCmdResetQueryPool(recorded, pool, 0, QUERIES);
	for (uint32_t i = 0; i < QUERIES; i += STEP) {
		vkCmdBeginQuery(recorded, pool, i, 0);
		vkCmdEndQuery(recorded, pool, i);
	}
	parity_run(parity, recorded);
	uint64_t *results = calloc(QUERIES, 2 * sizeof(*results));
	SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 0, QUERIES,
		QUERIES * 2 * sizeof(*results), results, 2 * sizeof(*results),
		VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
	uint32_t available = 0;
	for (uint32_t i = 0; i < QUERIES; i++) {
		available += results[2 * i + 1] != 0;
	}
	say("%u are available", available);
	free(results);
	vkDestroyQueryPool(parity->device, pool, NULL);
}

static void passes(struct parity *parity) {
	enum { SUBPASSES = 2000, ATTACHMENTS = 8 };
	VkAttachmentDescription attachments[ATTACHMENTS];
	VkAttachmentReference references[ATTACHMENTS];
	for (uint32_t i = 0; i < ATTACHMENTS; i++) {
		attachments[i] = (VkAttachmentDescription){
			.format = VK_FORMAT_R8G8B8A8_UNORM,
			.samples = VK_SAMPLE_COUNT_1_BIT,
			.loadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
			.finalLayout = VK_IMAGE_LAYOUT_GENERAL,
		};
		references[i] = (VkAttachmentReference){i, VK_IMAGE_LAYOUT_GENERAL};
	}
	VkSubpassDescription *subpasses = calloc(SUBPASSES, sizeof(*subpasses));
	VkSubpassDependency *dependencies = calloc(SUBPASSES, sizeof(*dependencies));
	for (uint32_t i = 0; i < SUBPASSES; i++) {
		subpasses[i].colorAttachmentCount = ATTACHMENTS;
		subpasses[i].pColorAttachments = references;
		dependencies[i] = (VkSubpassDependency){
			.srcSubpass = i,
			.dstSubpass = i + 1,
			.srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
			.dstStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
			.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
			.dstAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
		};
	}
	const VkRenderPassCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.attachmentCount = ATTACHMENTS,
		.pAttachments = attachments,
		.subpassCount = SUBPASSES,
		.pSubpasses = subpasses,
		.dependencyCount = SUBPASSES - 1,
		.pDependencies = dependencies,
	};
	VkRenderPass pass;
	SAY_RESULT(vkCreateRenderPass(parity->device, &info, NULL, &pass));
	VkExtent2D granularity;
	vkGetRenderAreaGranularity(parity->device, pass, &granularity);
	say("granularity %u x %u", granularity.width, granularity.height);
	vkDestroyRenderPass(parity->device, pass, NULL);
	free(subpasses);
	free(dependencies);
}

const struct parity_case parity_large_cases[] = {
	{"large commands", commands},
	{"large shaders", shaders},
	{"large descriptors", descriptors},
	{"large submissions", submissions},
	{"large queries", queries},
	{"large passes", passes},
	{NULL, NULL},
};
