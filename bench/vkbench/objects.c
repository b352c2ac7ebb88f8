/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <time.h>

static void test_rate_buffer(void) {
	VkMemoryRequirements req;
	BENCH_TIME(64, gpu_round_trip(), {
		const VkBuffer b = gpu_create_plain_buffer(65536);
		vkGetBufferMemoryRequirements(gpu.device, b, &req);
		vkDestroyBuffer(gpu.device, b, NULL);
	})
	BENCH_REPORT_RATE(1, 1, "ops/s");
}

static void test_rate_image(void) {
	VkMemoryRequirements req;
	BENCH_TIME(64, gpu_round_trip(), {
		const VkImage i = gpu_create_image(64, 64);
		vkGetImageMemoryRequirements(gpu.device, i, &req);
		vkDestroyImage(gpu.device, i, NULL);
	})
	BENCH_REPORT_RATE(1, 1, "ops/s");
}

/* one descriptor set, n writes a call; b changes so nothing can be elided */
static void desc_update(uint32_t n) {
	struct gpu_buffer b[2] = {
		gpu_create_buffer(4096, GPU_MEMORY_LOCAL), gpu_create_buffer(4096, GPU_MEMORY_LOCAL)};
	const VkDescriptorSet s = gpu_allocate_set(
		gpu_create_descriptor_pool(1, 16), gpu_create_set_layout(16, 0));
	uint32_t seq = 0;
	BENCH_TIME(64, gpu_round_trip(), gpu_write_set(s, b[seq++ & 1].handle, n))
	BENCH_REPORT_RATE(n, 1, "writes/s");
}

static void test_desc_update1(void) {
	desc_update(1);
}
static void test_desc_update16(void) {
	desc_update(16);
}

static void test_desc_alloc(void) {
	const VkDescriptorPool p = gpu_create_descriptor_pool(256, 1024);
	const VkDescriptorSetLayout l = gpu_create_set_layout(4, 0);
	BENCH_TIME(1, gpu_round_trip(), {
		for (int i = 0; i < 256; i++) {
			gpu_allocate_set(p, l);
		}
		BENCH_TRY(vkResetDescriptorPool(gpu.device, p, 0));
	})
	BENCH_REPORT_RATE(256, 1, "sets/s");
}

static void test_shader_module(void) {
	BENCH_TIME(
		16, gpu_round_trip(), vkDestroyShaderModule(gpu.device, gpu_create_module(GPU_SHADER_ALU), NULL))
	BENCH_REPORT_RATE(1, 1, "modules/s");
}

static void test_pipe_compute(void) {
	const VkShaderModule m = gpu_create_module(GPU_SHADER_SAXPY);
	const VkPipelineLayout l = gpu_create_pipeline_layout(gpu_create_set_layout(1, 0));
	uint32_t salt = (uint32_t)time(NULL) * 65537;
	BENCH_TIME(4, gpu_round_trip(),
		vkDestroyPipeline(
			gpu.device, gpu_create_compute_pipeline(m, l, VK_NULL_HANDLE, ++salt), NULL))
	BENCH_REPORT_RATE(1, 1, "pipes/s");
}

static void test_pipe_graphics(void) {
	struct gpu_target target = gpu_create_target(64, 64);
	uint32_t salt = (uint32_t)time(NULL) * 65537;
	BENCH_TIME(4, gpu_round_trip(),
		vkDestroyPipeline(gpu.device, gpu_create_graphics_pipeline(&target, ++salt), NULL))
	BENCH_REPORT_RATE(1, 1, "pipes/s");
}

const struct bench_test bench_object_tests[] = {
	{"rate_buffer", test_rate_buffer, "create, memory requirements, destroy"},
	{"rate_image", test_rate_image, "create 64x64, memory requirements, destroy"},
	{"desc_update1", test_desc_update1, "vkUpdateDescriptorSets, 1 write a call"},
	{"desc_update16", test_desc_update16, "the same, 16 writes a call"},
	{"desc_alloc", test_desc_alloc, "vkAllocateDescriptorSets of 4 buffers + pool reset"},
	{"shader_module", test_shader_module, "vkCreateShaderModule + destroy"},
	{"pipe_compute", test_pipe_compute, "small compute pipeline, each different"},
	{"pipe_graphics", test_pipe_graphics, "small graphics pipeline, each different"},
	{0},
};
