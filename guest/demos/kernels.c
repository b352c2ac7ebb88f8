/* SPDX-License-Identifier: MIT */
#include "kernels.h"

#include "indirect_comp_spv.h"
#include "reduce_comp_spv.h"
#include "saxpy_comp_spv.h"

#include <stdlib.h>

struct parameters {
	float a;
	uint32_t count;
};

static bool create_buffers(struct kernels *kernels) {
	const VkDeviceSize size = KERNELS_MAX * sizeof(float);
	const VkMemoryPropertyFlags visible =
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	const VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
		VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
	return demo_buffer_init(&kernels->x, kernels->gpu, size, usage, visible) &&
		demo_buffer_init(&kernels->y, kernels->gpu, size, usage, visible) &&
		demo_buffer_init(&kernels->arguments, kernels->gpu, sizeof(VkDispatchIndirectCommand),
			VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT,
			VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
}

bool kernels_allocate_sets(const struct kernels *kernels, VkDescriptorPool *pool,
		VkDescriptorSet *sets, uint32_t count) {
	VkDevice device = kernels->gpu->device;
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2 * count};
	const VkDescriptorPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
		.maxSets = count,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	VkDescriptorSetLayout *layouts = malloc(count * sizeof(VkDescriptorSetLayout));
	if (!layouts) {
		return demo_fail("out of memory");
	}
	for (uint32_t i = 0; i < count; i++) {
		layouts[i] = kernels->set_layout;
	}
	bool ok =
		demo_check(vkCreateDescriptorPool(device, &info, NULL, pool), "vkCreateDescriptorPool");
	if (ok) {
		const VkDescriptorSetAllocateInfo allocate = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
			.descriptorPool = *pool,
			.descriptorSetCount = count,
			.pSetLayouts = layouts,
		};
		ok = demo_check(
			vkAllocateDescriptorSets(device, &allocate, sets), "vkAllocateDescriptorSets");
	}
	free(layouts);
	return ok;
}

static void write_set(const struct kernels *kernels, VkDescriptorSet set,
		const VkDescriptorBufferInfo buffers[2]) {
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = set,
		/* runs over into the next binding */
		.descriptorCount = 2,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = buffers,
	};
	vkUpdateDescriptorSets(kernels->gpu->device, 1, &write, 0, NULL);
}

void kernels_write_set(
		const struct kernels *kernels, VkDescriptorSet set, uint32_t first, uint32_t count) {
	const VkDeviceSize offset = first * sizeof(float), size = count * sizeof(float);
	const VkDescriptorBufferInfo buffers[2] = {
		{kernels->x.buffer, offset, size}, {kernels->y.buffer, offset, size}};
	write_set(kernels, set, buffers);
}

void kernels_copy_set(const struct kernels *kernels, VkDescriptorSet from, VkDescriptorSet to) {
	VkCopyDescriptorSet copies[2];
	for (uint32_t i = 0; i < 2; i++) {
		copies[i] = (VkCopyDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
			.srcSet = from,
			.srcBinding = i,
			.dstSet = to,
			.dstBinding = i,
			.descriptorCount = 1,
		};
	}
	vkUpdateDescriptorSets(kernels->gpu->device, 0, NULL, 2, copies);
}

static bool create_layouts(struct kernels *kernels) {
	VkDevice device = kernels->gpu->device;
	VkDescriptorSetLayoutBinding bindings[2];
	for (uint32_t i = 0; i < 2; i++) {
		bindings[i] = (VkDescriptorSetLayoutBinding){
			.binding = i,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		};
	}
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 2,
		.pBindings = bindings,
	};
	DEMO_TRY(vkCreateDescriptorSetLayout(device, &set_layout, NULL, &kernels->set_layout));
	const VkPushConstantRange range = {
		VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(struct parameters)};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &kernels->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	DEMO_TRY(vkCreatePipelineLayout(device, &layout, NULL, &kernels->layout));

	VkDescriptorSet sets[2];
	if (!kernels_allocate_sets(kernels, &kernels->pool, sets, 2)) {
		return false;
	}
	kernels->set = sets[0];
	kernels->arguments_set = sets[1];
	kernels_write_set(kernels, kernels->set, 0, KERNELS_MAX);
	const VkDescriptorBufferInfo buffers[2] = {
		{kernels->x.buffer, 0, VK_WHOLE_SIZE}, {kernels->arguments.buffer, 0, VK_WHOLE_SIZE}};
	write_set(kernels, kernels->arguments_set, buffers);
	return true;
}

static bool create_pipeline(struct kernels *kernels, enum kernel kernel, const uint32_t *code,
		size_t size, const VkSpecializationInfo *specialization) {
	VkDevice device = kernels->gpu->device;
	VkShaderModule shader;
	if (!demo_shader_init(&shader, kernels->gpu, code, size)) {
		return false;
	}
	const VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage =
			{
				.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
				.stage = VK_SHADER_STAGE_COMPUTE_BIT,
				.module = shader,
				.pName = "main",
				.pSpecializationInfo = specialization,
			},
		.layout = kernels->layout,
	};
	VkResult result = vkCreateComputePipelines(
		device, kernels->cache, 1, &info, NULL, &kernels->pipelines[kernel]);
	vkDestroyShaderModule(device, shader, NULL);
	return demo_check(result, "vkCreateComputePipelines");
}

/* Makes the pipelines twice, the second time with what the cache of the first has learned. */
static bool create_pipelines(struct kernels *kernels, const void *cache_data, size_t cache_size) {
	const VkPipelineCacheCreateInfo cache = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
		.initialDataSize = cache_size,
		.pInitialData = cache_data,
	};
	DEMO_TRY(vkCreatePipelineCache(kernels->gpu->device, &cache, NULL, &kernels->cache));
	const uint32_t group = KERNELS_GROUP;
	const VkSpecializationMapEntry entry = {0, 0, sizeof(group)};
	const VkSpecializationInfo specialization = {1, &entry, sizeof(group), &group};
	return create_pipeline(kernels, KERNEL_SAXPY, saxpy_comp_spv, sizeof(saxpy_comp_spv),
			   &specialization) &&
		create_pipeline(
			kernels, KERNEL_REDUCE, reduce_comp_spv, sizeof(reduce_comp_spv), NULL) &&
		create_pipeline(
			kernels, KERNEL_INDIRECT, indirect_comp_spv, sizeof(indirect_comp_spv), NULL);
}

static void destroy_pipelines(struct kernels *kernels) {
	for (int i = 0; i < KERNEL_COUNT; i++) {
		vkDestroyPipeline(kernels->gpu->device, kernels->pipelines[i], NULL);
		kernels->pipelines[i] = VK_NULL_HANDLE;
	}
	vkDestroyPipelineCache(kernels->gpu->device, kernels->cache, NULL);
	kernels->cache = VK_NULL_HANDLE;
}

static bool create_pipelines_from_cache(struct kernels *kernels) {
	VkDevice device = kernels->gpu->device;
	if (!create_pipelines(kernels, NULL, 0)) {
		return false;
	}
	size_t size = 0;
	DEMO_TRY(vkGetPipelineCacheData(device, kernels->cache, &size, NULL));
	void *data = malloc(size ? size : 1);
	if (!data) {
		return demo_fail("out of memory");
	}
	bool ok = demo_check(vkGetPipelineCacheData(device, kernels->cache, &size, data),
		"vkGetPipelineCacheData");
	destroy_pipelines(kernels);
	ok = ok && create_pipelines(kernels, data, size);
	free(data);
	return ok;
}

bool kernels_init(struct kernels *kernels, struct demo_gpu *gpu) {
	*kernels = (struct kernels){.gpu = gpu};
	return create_buffers(kernels) && create_layouts(kernels) &&
		create_pipelines_from_cache(kernels);
}

void kernels_finish(struct kernels *kernels) {
	if (!kernels->gpu || !kernels->gpu->device) {
		return;
	}
	VkDevice device = kernels->gpu->device;
	destroy_pipelines(kernels);
	vkDestroyPipelineLayout(device, kernels->layout, NULL);
	vkDestroyDescriptorPool(device, kernels->pool, NULL);
	vkDestroyDescriptorSetLayout(device, kernels->set_layout, NULL);
	demo_buffer_finish(&kernels->x, kernels->gpu);
	demo_buffer_finish(&kernels->y, kernels->gpu);
	demo_buffer_finish(&kernels->arguments, kernels->gpu);
}

bool kernels_recreate_pool(struct kernels *kernels) {
	struct demo_gpu *gpu = kernels->gpu;
	const VkCommandPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = gpu->family_index,
	};
	vkDestroyCommandPool(gpu->device, gpu->pool, NULL);
	gpu->pool = VK_NULL_HANDLE;
	DEMO_TRY(vkCreateCommandPool(gpu->device, &info, NULL, &gpu->pool));
	return true;
}

static void bind(const struct kernels *kernels, VkCommandBuffer commands, enum kernel kernel,
		VkDescriptorSet set) {
	vkCmdBindPipeline(
		commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernels->pipelines[kernel]);
	vkCmdBindDescriptorSets(
		commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernels->layout, 0, 1, &set, 0, NULL);
}

void kernels_dispatch(const struct kernels *kernels, VkCommandBuffer commands, enum kernel kernel,
		VkDescriptorSet set, uint32_t groups) {
	bind(kernels, commands, kernel, set);
	vkCmdDispatch(commands, groups, 1, 1);
}

static void bind_saxpy(const struct kernels *kernels, VkCommandBuffer commands, VkDescriptorSet set,
		float a, uint32_t count) {
	const struct parameters parameters = {a, count};
	bind(kernels, commands, KERNEL_SAXPY, set);
	vkCmdPushConstants(commands, kernels->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
		sizeof(parameters), &parameters);
}

void kernels_saxpy(const struct kernels *kernels, VkCommandBuffer commands, VkDescriptorSet set,
		float a, uint32_t count) {
	bind_saxpy(kernels, commands, set, a, count);
	vkCmdDispatch(commands, (count + KERNELS_GROUP - 1) / KERNELS_GROUP, 1, 1);
}

void kernels_saxpy_indirect(const struct kernels *kernels, VkCommandBuffer commands,
		VkDescriptorSet set, float a, uint32_t count) {
	bind_saxpy(kernels, commands, set, a, count);
	vkCmdDispatchIndirect(commands, kernels->arguments.buffer, 0);
}

void kernels_barrier(VkCommandBuffer commands) {
	demo_barrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
		VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
		VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
}

void kernels_barrier_to_host(VkCommandBuffer commands) {
	demo_barrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
		VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
}
