/* SPDX-License-Identifier: MIT */

/*
 * hard_times refused: does everything that a small program does, twice, and says what came of each
 * step; whatever the host refuses the first time, the second must go well.
 * hard_times busy N: lets the GPU work on N work groups, and waits for them in one thread while
 * another goes on.
 */

#include "common.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "spin_comp_spv.h"

#define VALUE 0x12345678u

struct program {
	struct demo_gpu gpu;
	VkBuffer buffer;
	VkDeviceMemory memory;
	volatile uint32_t *data;
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool pool;
	VkDescriptorSet set;
	VkPipelineLayout layout;
	VkPipeline pipeline;
};

/** Prints the step's result. */
static bool step(const char *name, VkResult result) {
	printf(" %s %s", name, demo_result_name(result));
	return result == VK_SUCCESS;
}

static bool make_memory(struct program *program) {
	const struct demo_gpu *gpu = &program->gpu;
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 4096,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
	};
	if (!step("buffer", vkCreateBuffer(gpu->device, &info, NULL, &program->buffer))) {
		return false;
	}
	VkMemoryRequirements requirements;
	vkGetBufferMemoryRequirements(gpu->device, program->buffer, &requirements);
	const int type = demo_find_memory(gpu, requirements.memoryTypeBits,
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, 0);
	const VkMemoryAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = requirements.size,
		.memoryTypeIndex = (uint32_t)type,
	};
	void *data = NULL;
	if (!step("memory", vkAllocateMemory(gpu->device, &allocate, NULL, &program->memory)) ||
			!step("bind", vkBindBufferMemory(
				gpu->device, program->buffer, program->memory, 0)) ||
			!step("map", vkMapMemory(
				gpu->device, program->memory, 0, VK_WHOLE_SIZE, 0, &data))) {
		return false;
	}
	program->data = data;
	program->data[0] = 0;
	return true;
}

static bool make_descriptors(struct program *program) {
	const struct demo_gpu *gpu = &program->gpu;
	const VkDescriptorSetLayoutBinding binding = {
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.descriptorCount = 1,
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
	};
	const VkDescriptorSetLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	if (!step("set-layout", vkCreateDescriptorSetLayout(
				gpu->device, &layout, NULL, &program->set_layout)) ||
			!step("pool", vkCreateDescriptorPool(
				gpu->device, &pool, NULL, &program->pool))) {
		return false;
	}
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = program->pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &program->set_layout,
	};
	if (!step("set", vkAllocateDescriptorSets(gpu->device, &allocate, &program->set))) {
		return false;
	}
	const VkDescriptorBufferInfo buffer = {program->buffer, 0, VK_WHOLE_SIZE};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = program->set,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = &buffer,
	};
	vkUpdateDescriptorSets(gpu->device, 1, &write, 0, NULL);
	return true;
}

static bool make_pipeline(struct program *program) {
	const struct demo_gpu *gpu = &program->gpu;
	const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 8};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &program->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	VkShaderModule shader;
	if (!step("layout", vkCreatePipelineLayout(gpu->device, &layout, NULL, &program->layout)) ||
			!demo_shader_init(&shader, gpu, spin_comp_spv, sizeof(spin_comp_spv))) {
		return false;
	}
	const VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = shader,
			.pName = "main",
		},
		.layout = program->layout,
	};
	const bool ok = step("pipeline", vkCreateComputePipelines(gpu->device, VK_NULL_HANDLE, 1,
		&info, NULL, &program->pipeline));
	vkDestroyShaderModule(gpu->device, shader, NULL);
	return ok;
}

static bool record(struct program *program, VkCommandBuffer commands, uint32_t groups) {
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	const uint32_t parameters[] = {20000, VALUE};
	if (!step("begin", vkBeginCommandBuffer(commands, &begin))) {
		return false;
	}
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, program->pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, program->layout, 0, 1,
		&program->set, 0, NULL);
	vkCmdPushConstants(commands, program->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
		sizeof(parameters), parameters);
	vkCmdDispatch(commands, groups, 1, 1);
	demo_barrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
		VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
	return step("end", vkEndCommandBuffer(commands));
}

static bool run(struct program *program, uint32_t groups) {
	const struct demo_gpu *gpu = &program->gpu;
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = gpu->pool,
		.commandBufferCount = 1,
	};
	const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkCommandBuffer commands = NULL;
	VkFence fence = VK_NULL_HANDLE;
	bool ok = step("commands", vkAllocateCommandBuffers(gpu->device, &allocate, &commands)) &&
		step("fence", vkCreateFence(gpu->device, &fence_info, NULL, &fence)) &&
		record(program, commands, groups);
	if (ok) {
		const VkSubmitInfo submit = {
			.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			.commandBufferCount = 1,
			.pCommandBuffers = &commands,
		};
		ok = step("submit", vkQueueSubmit(gpu->queue, 1, &submit, fence)) &&
			step("wait", vkWaitForFences(gpu->device, 1, &fence, VK_TRUE, UINT64_MAX));
	}
	if (ok) {
		ok = program->data[0] == VALUE;
		printf(" %s", ok ? "computed" : "not-computed");
	}
	vkDestroyFence(gpu->device, fence, NULL);
	if (commands) {
		vkFreeCommandBuffers(gpu->device, gpu->pool, 1, &commands);
	}
	return ok;
}

static bool make(struct program *program) {
	return make_memory(program) && make_descriptors(program) && make_pipeline(program);
}

static void unmake(struct program *program) {
	const struct demo_gpu *gpu = &program->gpu;
	vkDestroyPipeline(gpu->device, program->pipeline, NULL);
	vkDestroyPipelineLayout(gpu->device, program->layout, NULL);
	vkDestroyDescriptorPool(gpu->device, program->pool, NULL);
	vkDestroyDescriptorSetLayout(gpu->device, program->set_layout, NULL);
	vkDestroyBuffer(gpu->device, program->buffer, NULL);
	vkFreeMemory(gpu->device, program->memory, NULL);
	const struct demo_gpu kept = *gpu;
	*program = (struct program){.gpu = kept};
}

static bool be_refused(struct program *program) {
	bool ok = false;
	for (int i = 0; i < 2; i++) {
		printf(i == 0 ? "first:" : "second:");
		ok = make(program) && run(program, 1);
		printf("\n");
		unmake(program);
	}
	return ok;
}

/** Asks the host for something, and waits for the answer, again and again. */
static void *ask(void *data) {
	struct program *program = data;
	const VkPipelineCacheCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
	for (int i = 0; i < 100; i++) {
		VkPipelineCache cache;
		size_t size = 0;
		if (vkCreatePipelineCache(program->gpu.device, &info, NULL, &cache) != VK_SUCCESS ||
				vkGetPipelineCacheData(program->gpu.device, cache, &size, NULL) < 0) {
			return program;
		}
		vkDestroyPipelineCache(program->gpu.device, cache, NULL);
	}
	printf("\nanother thread is done\n");
	fflush(stdout);
	return NULL;
}

static bool be_busy(struct program *program, uint32_t groups) {
	pthread_t thread;
	if (!make(program)) {
		return false;
	}
	if (pthread_create(&thread, NULL, ask, program) != 0) {
		return demo_fail("no thread");
	}
	bool ok = run(program, groups);
	void *failed = program;
	pthread_join(thread, &failed);
	printf("\ndone\n");
	unmake(program);
	return ok && !failed;
}

int main(int argc, char **argv) {
	demo_start("hard_times");
	const struct demo_gpu_options options = {
		.driver_name = "venus", .queue_flags = VK_QUEUE_COMPUTE_BIT};
	struct program program = {0};
	bool ok = demo_gpu_init(&program.gpu, &options);
	if (ok && argc == 2 && strcmp(argv[1], "refused") == 0) {
		ok = be_refused(&program);
	} else if (ok && argc == 3 && strcmp(argv[1], "busy") == 0) {
		ok = be_busy(&program, (uint32_t)strtoul(argv[2], NULL, 10));
	} else {
		ok = false;
	}
	demo_gpu_finish(&program.gpu);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
