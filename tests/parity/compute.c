/* SPDX-License-Identifier: MIT */

/* Compute: specialisation, every kind of descriptor and every way to bind one. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#include "bindings_comp_spv.h"
#include "fill_comp_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static VkComputePipelineCreateInfo fill_info(const struct parity_compute *fill,
		const VkSpecializationInfo *specialization) {
	return (VkComputePipelineCreateInfo){
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = fill->shader,
			.pName = "main",
			.pSpecializationInfo = specialization,
		},
		.layout = fill->layout,
	};
}

static const VkSpecializationMapEntry fill_entries[3] = {{0, 0, 4}, {1, 4, 4}, {2, 8, 4}};

static void fill_init(struct parity *parity, struct parity_compute *fill,
		VkDescriptorSetLayoutCreateFlags flags) {
	const VkDescriptorSetLayoutBinding binding = {
		0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
	const uint32_t values[3] = {32, 5, 0};
	const VkSpecializationInfo specialization = {3, fill_entries, sizeof(values), values};
	parity_compute_init(parity, fill, &(struct parity_compute_info){
		.code = fill_comp_spv,
		.size = sizeof(fill_comp_spv),
		.set_flags = flags,
		.bindings = &binding,
		.binding_count = 1,
		.push_size = 8,
		.specialization = &specialization,
	});
}

static VkDescriptorPool create_pool(struct parity *parity, VkDescriptorPoolCreateFlags flags,
		uint32_t sets) {
	const VkDescriptorPoolSize sizes[] = {
		{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 40}, {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 4},
		{VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 4}, {VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, 4},
		{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 4},
		{VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 256},
	};
	const VkDescriptorPoolInlineUniformBlockCreateInfo blocks = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_INLINE_UNIFORM_BLOCK_CREATE_INFO,
		.maxInlineUniformBlockBindings = 4,
	};
	const VkDescriptorPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.pNext = &blocks,
		.flags = flags,
		.maxSets = sets,
		.poolSizeCount = COUNT(sizes),
		.pPoolSizes = sizes,
	};
	VkDescriptorPool pool;
	MUST(vkCreateDescriptorPool(parity->device, &info, NULL, &pool));
	return pool;
}

static VkResult allocate_set(struct parity *parity, VkDescriptorPool pool,
		const VkDescriptorSetLayout *layout, VkDescriptorSet *set) {
	const VkDescriptorSetAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = pool,
		.descriptorSetCount = 1,
		.pSetLayouts = layout,
	};
	return vkAllocateDescriptorSets(parity->device, &info, set);
}

static VkWriteDescriptorSet write_buffer(VkDescriptorSet set, uint32_t binding,
		VkDescriptorType type, const VkDescriptorBufferInfo *info) {
	return (VkWriteDescriptorSet){
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = set,
		.dstBinding = binding,
		.descriptorCount = 1,
		.descriptorType = type,
		.pBufferInfo = info,
	};
}

static void dispatch(struct parity *parity, const struct parity_compute *fill, VkPipeline pipeline,
		VkDescriptorSet set, const struct parity_buffer *buffer, const char *what) {
	const uint32_t push[2] = {1000, 2000};
	memset(buffer->data, 0xcc, buffer->size);
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, fill->layout, 0, 1, &set, 0,
		NULL);
	vkCmdPushConstants(commands, fill->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 8, push);
	vkCmdDispatch(commands, 16, 2, 1);
	vkCmdDispatch(commands, 0, 2, 1);
	vkCmdDispatchBase(commands, 0, 0, 0, 1, 1, 1);
	parity_run(parity, commands);
	say_hash(what, buffer->data, buffer->size);
}

static void specialization(struct parity *parity) {
	struct parity_compute fill;
	struct parity_buffer buffer;
	fill_init(parity, &fill, 0);
	parity_buffer_init(parity, &buffer, 8192, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
	VkDescriptorPool pool = create_pool(parity, 0, 1);
	VkDescriptorSet set;
	MUST(allocate_set(parity, pool, &fill.set_layout, &set));
	const VkDescriptorBufferInfo info = {buffer.buffer, 0, VK_WHOLE_SIZE};
	const VkWriteDescriptorSet write =
		write_buffer(set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &info);
	vkUpdateDescriptorSets(parity->device, 1, &write, 0, NULL);

	/* several in one call, of which one has no specialisation of its own */
	const uint32_t values[3] = {64, 11, 1};
	const VkSpecializationInfo infos[3] = {
		{3, fill_entries, sizeof(values), values}, {1, fill_entries, sizeof(values), values},
		{0, NULL, 0, NULL}};
	VkComputePipelineCreateInfo create[3];
	VkPipeline pipelines[3];
	for (size_t i = 0; i < 3; i++) {
		create[i] = fill_info(&fill, &infos[i]);
		create[i].flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT;
	}
	SAY_RESULT(vkCreateComputePipelines(
		parity->device, VK_NULL_HANDLE, 3, create, NULL, pipelines));
	for (size_t i = 0; i < 3; i++) {
		dispatch(parity, &fill, pipelines[i], set, &buffer, "filled");
		vkDestroyPipeline(parity->device, pipelines[i], NULL);
	}
	for (size_t i = 0; i < 3; i++) {
		create[i].flags = VK_PIPELINE_CREATE_FAIL_ON_PIPELINE_COMPILE_REQUIRED_BIT;
	}
	SAY_RESULT(vkCreateComputePipelines(
		parity->device, VK_NULL_HANDLE, 3, create, NULL, pipelines));
	for (size_t i = 0; i < 3; i++) {
		say("made: %d", pipelines[i] != VK_NULL_HANDLE);
		vkDestroyPipeline(parity->device, pipelines[i], NULL);
	}
	vkDestroyDescriptorPool(parity->device, pool, NULL);
	parity_buffer_finish(parity, &buffer);
	parity_compute_finish(parity, &fill);
}

/** By template, by push, by push with template. */
static void update_ways(struct parity *parity) {
	struct parity_compute fill, pushed;
	struct parity_buffer buffer;
	fill_init(parity, &fill, 0);
	fill_init(parity, &pushed, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR);
	parity_buffer_init(parity, &buffer, 8192, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
	VkDescriptorPool pool = create_pool(parity, 0, 1);
	VkDescriptorSet set;
	MUST(allocate_set(parity, pool, &fill.set_layout, &set));
	const struct {
		uint32_t unused;
		VkDescriptorBufferInfo info;
	} data = {0, {buffer.buffer, 256, 4096}};
	const VkDescriptorUpdateTemplateEntry entry = {0, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		(size_t)((const char *)&data.info - (const char *)&data), 0};
	VkDescriptorUpdateTemplateCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
		.descriptorUpdateEntryCount = 1,
		.pDescriptorUpdateEntries = &entry,
		.descriptorSetLayout = fill.set_layout,
	};
	VkDescriptorUpdateTemplate templates[2];
	MUST(vkCreateDescriptorUpdateTemplate(parity->device, &info, NULL, &templates[0]));
	info.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS_KHR;
	info.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE;
	info.pipelineLayout = pushed.layout;
	MUST(vkCreateDescriptorUpdateTemplate(parity->device, &info, NULL, &templates[1]));

	vkUpdateDescriptorSetWithTemplate(parity->device, set, templates[0], &data);
	dispatch(parity, &fill, fill.pipeline, set, &buffer, "by template");

	PROC(parity, vkCmdPushDescriptorSetKHR);
	PROC(parity, vkCmdPushDescriptorSetWithTemplateKHR);
	const uint32_t push[2] = {5, 600};
	for (int way = 0; way < 2; way++) {
		const VkWriteDescriptorSet write =
			write_buffer(VK_NULL_HANDLE, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &data.info);
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pushed.pipeline);
		if (way == 0) {
			vkCmdPushDescriptorSetKHR(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pushed.layout, 0, 1,
				&write);
		} else {
			vkCmdPushDescriptorSetWithTemplateKHR(commands, templates[1], pushed.layout, 0, &data);
		}
		vkCmdPushConstants(commands, pushed.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 8, push);
		vkCmdDispatch(commands, 10 + (uint32_t)way, 1, 1);
		parity_run(parity, commands);
		say_hash("pushed", buffer.data, buffer.size);
	}
	vkDestroyDescriptorUpdateTemplate(parity->device, templates[0], NULL);
	vkDestroyDescriptorUpdateTemplate(parity->device, templates[1], NULL);
	vkDestroyDescriptorPool(parity->device, pool, NULL);
	parity_buffer_finish(parity, &buffer);
	parity_compute_finish(parity, &fill);
	parity_compute_finish(parity, &pushed);
}

/** Pools that are reset and used again. */
static void pools(struct parity *parity) {
	struct parity_compute fill;
	fill_init(parity, &fill, 0);
	for (VkDescriptorPoolCreateFlags flags = 0;
			flags <= VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT; flags++) {
		VkDescriptorPool pool = create_pool(parity, flags, 3);
		VkDescriptorSet sets[5];
		for (size_t i = 0; i < 3; i++) {
			SAY_RESULT(allocate_set(parity, pool, &fill.set_layout, &sets[i]));
		}
		if (flags) {
			SAY_RESULT(vkFreeDescriptorSets(parity->device, pool, 2, sets));
			SAY_RESULT(allocate_set(parity, pool, &fill.set_layout, &sets[0]));
		}
		SAY_RESULT(vkResetDescriptorPool(parity->device, pool, 0));
		for (size_t i = 0; i < 3; i++) {
			SAY_RESULT(allocate_set(parity, pool, &fill.set_layout, &sets[i]));
		}
		vkDestroyDescriptorPool(parity->device, pool, NULL);
	}
	parity_compute_finish(parity, &fill);
}

/** Uniform, inline, texel, dynamic and indexed buffers, addresses, update after bind, copies of sets. */
static void bindings(struct parity *parity) {
	const VkDevice device = parity->device;
	const VkShaderStageFlags stage = VK_SHADER_STAGE_COMPUTE_BIT;
	const VkDescriptorSetLayoutBinding first[] = {
		{0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, stage, NULL},
		{1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1, stage, NULL},
		{2, VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 32, stage, NULL},
		{3, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 1, stage, NULL},
		{4, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, 1, stage, NULL},
		{5, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 1, stage, NULL},
	};
	const VkDescriptorSetLayoutBinding second = {
		0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 16, stage, NULL};
	const VkDescriptorBindingFlags flags = VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT |
		VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT | VK_DESCRIPTOR_BINDING_UPDATE_AFTER_BIND_BIT;
	const VkDescriptorSetLayoutBindingFlagsCreateInfo flags_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
		.bindingCount = 1,
		.pBindingFlags = &flags,
	};
	const VkDescriptorSetLayoutCreateInfo layout_infos[2] = {
		{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = COUNT(first),
			.pBindings = first},
		{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .pNext = &flags_info,
			.flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_UPDATE_AFTER_BIND_POOL_BIT, .bindingCount = 1,
			.pBindings = &second},
	};
	VkDescriptorSetLayout layouts[2];
	MUST(vkCreateDescriptorSetLayout(device, &layout_infos[0], NULL, &layouts[0]));
	MUST(vkCreateDescriptorSetLayout(device, &layout_infos[1], NULL, &layouts[1]));
	const VkPushConstantRange push = {stage, 0, 8};
	const VkPipelineLayoutCreateInfo layout_info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 2,
		.pSetLayouts = layouts,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	struct parity_compute fill = {0};
	MUST(vkCreatePipelineLayout(device, &layout_info, NULL, &fill.layout));
	fill.shader = parity_shader(parity, bindings_comp_spv, sizeof(bindings_comp_spv));
	const VkComputePipelineCreateInfo pipeline_info = fill_info(&fill, NULL);
	MUST(vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &pipeline_info, NULL, &fill.pipeline));

	struct parity_buffer result, all;
	parity_buffer_init(parity, &result, 512, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
	parity_buffer_init(parity, &all, 65536, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
		VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT |
		VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT);
	uint32_t *words = all.data;
	for (uint32_t i = 0; i < 16384; i++) {
		words[i] = i * 2654435761u;
	}
	/* four links, each of a word and the address of the next, at 32768 */
	say("an address: %d", all.address != 0);
	for (uint32_t i = 0; i < 4; i++) {
		const uint64_t next = all.address + 32768 + (i + 1) % 4 * 16;
		words[8192 + i * 4] = 100 + i;
		memcpy(&words[8192 + i * 4 + 2], &next, 8);
	}
	VkBufferView views[2];
	for (uint32_t i = 0; i < 2; i++) {
		const VkBufferViewCreateInfo view = {
			.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
			.buffer = all.buffer,
			.format = VK_FORMAT_R32_UINT,
			.offset = 4096 + i * 4096,
			.range = 256,
		};
		MUST(vkCreateBufferView(device, &view, NULL, &views[i]));
	}
	VkDescriptorPool pool =
		create_pool(parity, VK_DESCRIPTOR_POOL_CREATE_UPDATE_AFTER_BIND_BIT, 4);
	VkDescriptorSet sets[3];
	MUST(allocate_set(parity, pool, &layouts[0], &sets[0]));
	MUST(allocate_set(parity, pool, &layouts[0], &sets[2]));
	const uint32_t counts[1] = {7};
	const VkDescriptorSetVariableDescriptorCountAllocateInfo variable = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_ALLOCATE_INFO,
		.descriptorSetCount = 1,
		.pDescriptorCounts = counts,
	};
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.pNext = &variable,
		.descriptorPool = pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &layouts[1],
	};
	MUST(vkAllocateDescriptorSets(device, &allocate, &sets[1]));

	const VkDescriptorBufferInfo infos[] = {
		{result.buffer, 0, VK_WHOLE_SIZE}, {all.buffer, 256, 64}, {all.buffer, 0, 512}};
	const uint32_t block[8] = {1, 2, 3, 4, 50, 60, 70, 80};
	const VkWriteDescriptorSetInlineUniformBlock inline_block = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK,
		.dataSize = sizeof(block),
		.pData = block,
	};
	VkWriteDescriptorSet writes[6] = {
		write_buffer(sets[2], 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &infos[0]),
		write_buffer(sets[2], 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, &infos[1]),
		write_buffer(sets[2], 2, VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, NULL),
		write_buffer(sets[2], 3, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, NULL),
		write_buffer(sets[2], 4, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, NULL),
		write_buffer(sets[2], 5, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, &infos[2]),
	};
	writes[2].pNext = &inline_block;
	writes[2].descriptorCount = sizeof(block);
	writes[3].pTexelBufferView = &views[0];
	writes[4].pTexelBufferView = &views[1];
	/* written to one set, copied to the other */
	VkCopyDescriptorSet copies[6];
	for (uint32_t i = 0; i < 6; i++) {
		copies[i] = (VkCopyDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
			.srcSet = sets[2],
			.srcBinding = i,
			.dstSet = sets[0],
			.dstBinding = i,
			.descriptorCount = writes[i].descriptorCount,
		};
	}
	vkUpdateDescriptorSets(device, 6, writes, 6, copies);

	VkCommandBuffer commands = parity_begin(parity);
	const uint32_t offset = 1024;
	const uint64_t address = all.address + 32768;
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, fill.pipeline);
	vkCmdBindDescriptorSets(
		commands, VK_PIPELINE_BIND_POINT_COMPUTE, fill.layout, 0, 2, sets, 1, &offset);
	vkCmdPushConstants(commands, fill.layout, stage, 0, 8, &address);
	/* after it was bound */
	VkDescriptorBufferInfo many[5];
	for (uint32_t i = 0; i < 5; i++) {
		many[i] = (VkDescriptorBufferInfo){all.buffer, 16384 + i * 512, 512};
	}
	VkWriteDescriptorSet late =
		write_buffer(sets[1], 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, many);
	late.descriptorCount = 5;
	vkUpdateDescriptorSets(device, 1, &late, 0, NULL);
	vkCmdDispatch(commands, 1, 1, 1);
	parity_run(parity, commands);
	say_hash("result", result.data, result.size);
	say_hash("texels", &words[2048], 256);

	vkDestroyBufferView(device, views[0], NULL);
	vkDestroyBufferView(device, views[1], NULL);
	vkDestroyDescriptorPool(device, pool, NULL);
	vkDestroyDescriptorSetLayout(device, layouts[1], NULL);
	fill.set_layout = layouts[0];
	parity_compute_finish(parity, &fill);
	parity_buffer_finish(parity, &result);
	parity_buffer_finish(parity, &all);
}

const struct parity_case parity_compute_cases[] = {
	{"compute specialization", specialization},
	{"compute update-ways", update_ways},
	{"compute pools", pools},
	{"compute bindings", bindings},
	{NULL, NULL},
};
