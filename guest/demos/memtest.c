/* SPDX-License-Identifier: MIT */
/*
 * Tests that the CPU and the GPU see the same memory, for every HOST_VISIBLE memory type: what
 * one of them writes, the other one reads. Prints a line for each test that begins with "ok",
 * "skip" or "FAIL".
 */
#include "common.h"
#include "options.h"

#include "pattern_comp_spv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The GPU writes patterns in pieces, which any device takes as a storage buffer. */
#define PIECE (UINT64_C(64) << 20)
#define WORDS_PER_GROUP (256 * 4)

#define MAP_CYCLES 1000
#define MAP_OFFSET 16384 /* a multiple of any page and of any nonCoherentAtomSize */
#define MANY 200

static const char usage[] =
	"usage: memtest [OPTION...]\n"
	"\n"
	"Tests that the CPU and the GPU see the same memory.\n"
	"\n"
	"  --max-size=BYTES  leave out larger allocations (K, M and G are known)\n"
	"  --type=N          test this memory type only\n"
	"  --driver=NAME     Vulkan driver that must be used, as venus\n"
	"  --linger=SECONDS  when everything has been freed, wait before the device is destroyed\n"
	"  --help            print this\n";

struct memtest {
	struct demo_gpu gpu;
	VkShaderModule shader;
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool pool;
	VkDescriptorSet set;
	VkPipelineLayout layout;
	VkPipeline pipeline;
	unsigned int failed;
};

struct parameters {
	uint32_t first, count, seed;
};

static uint32_t pattern(uint64_t index, uint32_t seed) {
	return ((uint32_t)index * 2654435761u) ^ seed;
}

static void fill(void *data, uint64_t size, uint32_t seed) {
	uint32_t *words = data;
	for (uint64_t i = 0; i < size / 4; i++) {
		words[i] = pattern(i, seed);
	}
}

static bool check(const void *data, uint64_t size, uint32_t seed) {
	const uint32_t *words = data;
	for (uint64_t i = 0; i < size / 4; i++) {
		uint32_t word = words[i];
		if (word != pattern(i, seed)) {
			return demo_fail("at byte %llu there is 0x%08x and should be 0x%08x",
				(unsigned long long)i * 4, word, pattern(i, seed));
		}
	}
	return true;
}

static bool create_pipeline(struct memtest *test) {
	const struct demo_gpu *gpu = &test->gpu;
	if (!demo_shader_init(&test->shader, gpu, pattern_comp_spv, sizeof(pattern_comp_spv))) {
		return false;
	}
	const VkDescriptorSetLayoutBinding binding = {
		.binding = 0,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.descriptorCount = 1,
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
	};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	DEMO_TRY(vkCreateDescriptorSetLayout(gpu->device, &set_layout, NULL, &test->set_layout));
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	DEMO_TRY(vkCreateDescriptorPool(gpu->device, &pool, NULL, &test->pool));
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = test->pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &test->set_layout,
	};
	DEMO_TRY(vkAllocateDescriptorSets(gpu->device, &allocate, &test->set));
	const VkPushConstantRange range = {
		VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(struct parameters)};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &test->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	DEMO_TRY(vkCreatePipelineLayout(gpu->device, &layout, NULL, &test->layout));
	const VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage =
			{
				.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
				.stage = VK_SHADER_STAGE_COMPUTE_BIT,
				.module = test->shader,
				.pName = "main",
			},
		.layout = test->layout,
	};
	DEMO_TRY(vkCreateComputePipelines(
		gpu->device, VK_NULL_HANDLE, 1, &info, NULL, &test->pipeline));
	return true;
}

static void finish(struct memtest *test) {
	const struct demo_gpu *gpu = &test->gpu;
	if (gpu->device) {
		vkDestroyPipeline(gpu->device, test->pipeline, NULL);
		vkDestroyPipelineLayout(gpu->device, test->layout, NULL);
		vkDestroyDescriptorPool(gpu->device, test->pool, NULL);
		vkDestroyDescriptorSetLayout(gpu->device, test->set_layout, NULL);
		vkDestroyShaderModule(gpu->device, test->shader, NULL);
	}
	demo_gpu_finish(&test->gpu);
}

/* Has the GPU copy all of `from` into `to`. */
static bool gpu_copy(const struct memtest *test, const struct demo_buffer *from,
		const struct demo_buffer *to, VkDeviceSize to_offset) {
	VkCommandBuffer commands;
	if (!demo_commands_begin(&commands, &test->gpu)) {
		return false;
	}
	const VkBufferCopy region = {0, to_offset, from->size};
	vkCmdCopyBuffer(commands, from->buffer, to->buffer, 1, &region);
	demo_barrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
		VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
	return demo_commands_run(commands, &test->gpu);
}

/* Has the GPU write the pattern into all of `buffer`. */
static bool gpu_fill(struct memtest *test, const struct demo_buffer *buffer, uint32_t seed) {
	for (VkDeviceSize offset = 0; offset < buffer->size; offset += PIECE) {
		VkDeviceSize size = buffer->size - offset < PIECE ? buffer->size - offset : PIECE;
		const VkDescriptorBufferInfo range = {buffer->buffer, offset, size};
		const VkWriteDescriptorSet write = {
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = test->set,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &range,
		};
		vkUpdateDescriptorSets(test->gpu.device, 1, &write, 0, NULL);
		const struct parameters parameters = {
			(uint32_t)(offset / 4), (uint32_t)(size / 4), seed};
		VkCommandBuffer commands;
		if (!demo_commands_begin(&commands, &test->gpu)) {
			return false;
		}
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, test->pipeline);
		vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, test->layout, 0, 1,
			&test->set, 0, NULL);
		vkCmdPushConstants(commands, test->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
			sizeof(parameters), &parameters);
		vkCmdDispatch(
			commands, (parameters.count + WORDS_PER_GROUP - 1) / WORDS_PER_GROUP, 1, 1);
		demo_barrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
			VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
		if (!demo_commands_run(commands, &test->gpu)) {
			return false;
		}
	}
	return true;
}

/* A buffer that can be copied from and to and be written by the shader. */
static bool create_buffer(
		struct memtest *test, struct demo_buffer *buffer, uint64_t size, uint32_t type) {
	return demo_buffer_init_type(buffer, &test->gpu, size,
		VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
			VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
		type);
}

static bool cpu_writes(struct memtest *test, uint32_t type, uint64_t size) {
	struct demo_buffer from = {0}, to = {0};
	bool ok = create_buffer(test, &from, size, type) && create_buffer(test, &to, size, type);
	if (ok) {
		fill(from.data, size, 0x12345678);
		memset(to.data, 0xcc, size);
		ok = demo_flush(&test->gpu, from.memory, type) && demo_flush(&test->gpu, to.memory, type) &&
			gpu_copy(test, &from, &to, 0) && demo_invalidate(&test->gpu, to.memory, type) &&
			check(to.data, size, 0x12345678) && check(from.data, size, 0x12345678);
	}
	demo_buffer_finish(&from, &test->gpu);
	demo_buffer_finish(&to, &test->gpu);
	return ok;
}

static bool gpu_writes(struct memtest *test, uint32_t type, uint64_t size) {
	struct demo_buffer buffer = {0};
	bool ok = create_buffer(test, &buffer, size, type);
	if (ok) {
		memset(buffer.data, 0x33, size);
		ok = demo_flush(&test->gpu, buffer.memory, type) &&
			gpu_fill(test, &buffer, 0x9abcdef0) &&
			demo_invalidate(&test->gpu, buffer.memory, type) &&
			check(buffer.data, size, 0x9abcdef0);
	}
	demo_buffer_finish(&buffer, &test->gpu);
	return ok;
}

static bool map_and_unmap(struct memtest *test, struct demo_buffer *buffer) {
	const struct demo_gpu *gpu = &test->gpu;
	/* what must be at the two places where mappings begin */
	uint32_t expected[2] = {pattern(0, 1), pattern(MAP_OFFSET / 4, 1)};
	for (uint32_t i = 0; i < MAP_CYCLES; i++) {
		vkUnmapMemory(gpu->device, buffer->memory);
		buffer->data = NULL;
		/* now the whole, now a part at its beginning, now one within */
		uint32_t place = i % 3 == 1;
		DEMO_TRY(vkMapMemory(gpu->device, buffer->memory, place * MAP_OFFSET,
			i % 3 ? 4096 : VK_WHOLE_SIZE, 0, &buffer->data));
		if (!demo_invalidate(gpu, buffer->memory, buffer->type)) {
			return false;
		}
		volatile uint32_t *word = buffer->data;
		if (*word != expected[place]) {
			return demo_fail("mapping %u: there is 0x%08x and should be 0x%08x", i, *word,
				expected[place]);
		}
		*word = expected[place] = i;
		if (!demo_flush(gpu, buffer->memory, buffer->type)) {
			return false;
		}
	}
	return true;
}

static bool map_often(struct memtest *test, uint32_t type, uint64_t size) {
	struct demo_buffer buffer = {0};
	bool ok = create_buffer(test, &buffer, size, type);
	if (ok) {
		fill(buffer.data, size, 1);
		ok = demo_flush(&test->gpu, buffer.memory, type) && map_and_unmap(test, &buffer);
	}
	demo_buffer_finish(&buffer, &test->gpu);
	return ok;
}

/* `size` bytes in each of many allocations that are mapped at the same time. */
static bool many_at_once(struct memtest *test, uint32_t type, uint64_t size) {
	struct demo_buffer buffers[MANY] = {0}, to = {0};
	bool ok = create_buffer(test, &to, size * MANY, type);
	for (uint32_t i = 0; i < MANY && ok; i++) {
		ok = create_buffer(test, &buffers[i], size, type);
		if (ok) {
			fill(buffers[i].data, size, i);
			ok = demo_flush(&test->gpu, buffers[i].memory, type);
		}
	}
	for (uint32_t i = 0; i < MANY && ok; i++) {
		/* in another order than they were made */
		uint32_t j = i * 37 % MANY;
		ok = gpu_copy(test, &buffers[j], &to, j * size);
	}
	ok = ok && demo_invalidate(&test->gpu, to.memory, type);
	for (uint32_t i = 0; i < MANY && ok; i++) {
		ok = check((const char *)to.data + i * size, size, i) && check(buffers[i].data, size, i);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		demo_buffer_finish(&buffers[i * 7 % MANY], &test->gpu);
	}
	demo_buffer_finish(&to, &test->gpu);
	return ok;
}

static void run(struct memtest *test, uint32_t type, const char *name,
		bool (*function)(struct memtest *test, uint32_t type, uint64_t size), uint64_t size,
		uint64_t needed) {
	char label[128];
	snprintf(label, sizeof(label), "type %u: %s, %llu bytes", type, name, (unsigned long long)size);
	const VkMemoryType *memory_type = &test->gpu.memory.memoryTypes[type];
	VkDeviceSize heap = test->gpu.memory.memoryHeaps[memory_type->heapIndex].size;
	if (needed > heap) {
		printf("skip %s: the heap has %llu bytes\n", label, (unsigned long long)heap);
		return;
	}
	double begin = demo_now();
	bool ok = function(test, type, size);
	printf("%s %s (%.3f s)\n", ok ? "ok  " : "FAIL", label, demo_now() - begin);
	test->failed += !ok;
}

static void test_type(struct memtest *test, uint32_t type, uint64_t max_size) {
	static const uint64_t sizes[] = {
		4 << 10, 64 << 10, 1 << 20, 64 << 20, 256 << 20,
		/* and some that are no multiple of a page */
		4, 4100, 123456,
	};
	char flags[160];
	demo_memory_flags_text(
		test->gpu.memory.memoryTypes[type].propertyFlags, flags, sizeof(flags));
	printf("memory type %u: %s\n", type, flags);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] <= max_size) {
			run(test, type, "CPU writes, GPU reads", cpu_writes, sizes[i], 2 * sizes[i]);
			run(test, type, "GPU writes, CPU reads", gpu_writes, sizes[i], sizes[i]);
		}
	}
	run(test, type, "mapped 1000 times", map_often, 64 << 10, 64 << 10);
	run(test, type, "200 mapped at once", many_at_once, 64 << 10, 2 * MANY * (64 << 10));
}

/* Can a buffer like ours lie in that memory? */
static uint32_t usable_types(const struct memtest *test) {
	struct demo_buffer buffer;
	VkMemoryRequirements requirements = {0};
	if (demo_buffer_init(&buffer, &test->gpu, 4096,
			VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
				VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
			VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) {
		vkGetBufferMemoryRequirements(test->gpu.device, buffer.buffer, &requirements);
	}
	demo_buffer_finish(&buffer, &test->gpu);
	return requirements.memoryTypeBits;
}

struct options {
	uint64_t max_size;
	int type; /* -1: all */
	const char *driver;
	double linger;
};

static bool parse_type(const char *text, void *value) {
	int *type = value;
	char end;
	return sscanf(text, "%d%c", type, &end) == 1 && *type >= 0 &&
		*type < (int)VK_MAX_MEMORY_TYPES;
}

static bool run_all(struct memtest *test, const struct options *options) {
	const struct demo_gpu_options gpu_options = {
		.driver_name = options->driver,
		.queue_flags = VK_QUEUE_COMPUTE_BIT,
	};
	if (!demo_gpu_init(&test->gpu, &gpu_options) || !create_pipeline(test)) {
		return false;
	}
	uint32_t usable = usable_types(test);
	unsigned int tested = 0;
	for (uint32_t i = 0; i < test->gpu.memory.memoryTypeCount; i++) {
		bool visible = test->gpu.memory.memoryTypes[i].propertyFlags &
			VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
		if (!visible || (options->type != -1 && options->type != (int)i)) {
			continue;
		}
		if (!(usable >> i & 1)) {
			printf("skip memory type %u: no buffer can be there\n", i);
			continue;
		}
		test_type(test, i, options->max_size);
		tested++;
	}
	if (tested == 0) {
		return demo_fail("there is no HOST_VISIBLE memory type to be tested");
	}
	return test->failed == 0 || demo_fail("%u tests failed", test->failed);
}

int main(int argc, char *argv[]) {
	demo_start("memtest");
	struct options options = {.max_size = UINT64_MAX, .type = -1};
	const struct demo_option known[] = {
		{"max-size", demo_parse_size, &options.max_size},
		{"type", parse_type, &options.type},
		{"driver", demo_parse_string, &options.driver},
		{"linger", demo_parse_seconds, &options.linger},
		{0},
	};
	int code = demo_parse_options(argc, argv, usage, known);
	if (code >= 0) {
		return code;
	}
	struct memtest test = {0};
	bool ok = run_all(&test, &options);
	if (options.linger > 0.0) {
		printf("everything is freed\n");
		struct timespec pause = {.tv_sec = (time_t)options.linger};
		nanosleep(&pause, NULL);
	}
	finish(&test);
	if (ok) {
		printf("memtest: ok\n");
	}
	return ok ? 0 : 1;
}
