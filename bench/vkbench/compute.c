/* SPDX-License-Identifier: MIT */
#include "bench.h"

static VkCommandBuffer record_compute(
	struct gpu_buffer *b, VkShaderModule m, uint32_t pc0, uint32_t pc1) {
	const VkDescriptorSetLayout l = gpu_create_set_layout(1, 0);
	const VkPipelineLayout pl = gpu_create_pipeline_layout(l);
	const VkPipeline p = gpu_create_compute_pipeline(m, pl, VK_NULL_HANDLE, 0);
	const VkDescriptorSet s = gpu_allocate_set(gpu_create_descriptor_pool(1, 1), l);
	gpu_write_set(s, b->handle, 1);
	const uint32_t pc[2] = {pc0, pc1};
	const VkCommandBuffer commands = gpu_allocate_commands();
	gpu_begin(commands);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, p);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pl, 0, 1, &s, 0, NULL);
	vkCmdPushConstants(commands, pl, VK_SHADER_STAGE_ALL, 0, 8, pc);
	/* 64 elements a group; in several dispatches the shader would need an offset, so the
	 * buffer is made to fit one (see group_limit_mib) */
	vkCmdDispatch(commands, b->size / 4 / 64, 1, 1);
	gpu_barrier(commands);
	BENCH_TRY(vkEndCommandBuffer(commands));
	return commands;
}

static uint32_t group_limit_mib(void) {
	/* keep within maxComputeWorkGroupCount[0] groups of 64 x 4 bytes */
	const uint64_t max = (uint64_t)gpu.properties.limits.maxComputeWorkGroupCount[0] * 256 >> 20;
	return bench_options.mib < max ? bench_options.mib : max;
}

static void test_compute_saxpy_bw(void) {
	struct gpu_buffer b = gpu_create_buffer(
		(VkDeviceSize)group_limit_mib() << 20, GPU_MEMORY_LOCAL);
	const VkCommandBuffer commands = record_compute(&b, gpu_create_module(GPU_SHADER_SAXPY), 3, 1);
	BENCH_TIME(1, BENCH_NOTHING, gpu_run(commands))
	BENCH_REPORT_RATE(2 * b.size, 1e-9, "GB/s");
}

static void test_compute_alu(void) {
	struct gpu_buffer b = gpu_create_buffer(1 << 20, GPU_MEMORY_LOCAL);
	const uint32_t iters = 256;
	const VkCommandBuffer commands = record_compute(&b, gpu_create_module(GPU_SHADER_ALU), iters, 0);
	BENCH_TIME(1, BENCH_NOTHING, gpu_run(commands))
	BENCH_REPORT_RATE((double)(b.size / 4) * iters * 32, 1e-9, "Gflop/s");
}

/* saxpy through mapped memory, every element looked at: right or FAIL */
static void test_check_compute(void) {
	struct gpu_buffer b = gpu_create_buffer((VkDeviceSize)group_limit_mib() << 20, GPU_MEMORY_HOST);
	uint32_t *p = gpu_map(b.memory);
	const size_t n = b.size / 4;
	const VkCommandBuffer commands = record_compute(&b, gpu_create_module(GPU_SHADER_SAXPY), 3, 1);
	uint32_t seed = 0;
	BENCH_TIME(1, BENCH_NOTHING, {
		seed++;
		for (size_t i = 0; i < n; i++) {
			p[i] = i + seed;
		}
		gpu_run(commands);
		for (size_t i = 0; i < n; i++) {
			if (p[i] != (uint32_t)(i + seed) * 3 + 1) {
				bench_fail("element %zu is %u", i, p[i]);
			}
		}
	})
	BENCH_REPORT_RATE(1, 1, "rounds/s");
}

const struct bench_test bench_compute_tests[] = {
	{"compute_saxpy_bw", test_compute_saxpy_bw, "compute over a buffer (-m), read + write"},
	{"compute_alu", test_compute_alu, "compute, arithmetic only"},
	{"check_compute", test_check_compute, "write, compute and verify through mapped memory"},
	{0},
};
