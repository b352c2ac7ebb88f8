/* SPDX-License-Identifier: MIT */
#include "bench.h"

/* recorded only, then a round trip so that the host has decoded everything */
static void test_rec_draw(void) {
	struct gpu_target target = gpu_create_target(64, 64);
	const VkCommandBuffer commands = gpu_allocate_commands();
	BENCH_TIME(1, BENCH_NOTHING, {
		gpu_begin(commands);
		gpu_begin_pass(commands, &target, VK_SUBPASS_CONTENTS_INLINE);
		gpu_push_offset(commands, &target, 0);
		for (uint32_t i = 0; i < bench_options.commands; i++) {
			vkCmdDraw(commands, 3, 1, i & 1, 0);
		}
		vkCmdEndRenderPass(commands);
		BENCH_TRY(vkEndCommandBuffer(commands));
		gpu_round_trip();
	})
	BENCH_REPORT_RATE(bench_options.commands, 1e-3, "kcmds/s");
}

/* a draw as an engine makes it: push constants, viewport, scissor, draw */
static void test_rec_draw_state(void) {
	struct gpu_target target = gpu_create_target(64, 64);
	const VkCommandBuffer commands = gpu_allocate_commands();
	const VkViewport vp = {0, 0, 64, 64, 0, 1};
	const VkRect2D sc = {{0, 0}, {64, 64}};
	BENCH_TIME(1, BENCH_NOTHING, {
		gpu_begin(commands);
		gpu_begin_pass(commands, &target, VK_SUBPASS_CONTENTS_INLINE);
		for (uint32_t i = 0; i < bench_options.commands / 4; i++) {
			gpu_push_offset(commands, &target, i);
			vkCmdSetViewport(commands, 0, 1, &vp);
			vkCmdSetScissor(commands, 0, 1, &sc);
			vkCmdDraw(commands, 3, 1, 0, 0);
		}
		vkCmdEndRenderPass(commands);
		BENCH_TRY(vkEndCommandBuffer(commands));
		gpu_round_trip();
	})
	BENCH_REPORT_RATE(bench_options.commands / 4 * 4, 1e-3, "kcmds/s");
}

static void test_rec_copy(void) {
	struct gpu_buffer a = gpu_create_buffer(65536, GPU_MEMORY_LOCAL),
					  b = gpu_create_buffer(65536, GPU_MEMORY_LOCAL);
	const VkCommandBuffer commands = gpu_allocate_commands();
	BENCH_TIME(1, BENCH_NOTHING, {
		gpu_begin(commands);
		for (uint32_t i = 0; i < bench_options.commands; i++) {
			const VkBufferCopy r = {(i & 255) * 64, (i & 255) * 64, 64};
			vkCmdCopyBuffer(commands, a.handle, b.handle, 1, &r);
		}
		BENCH_TRY(vkEndCommandBuffer(commands));
		gpu_round_trip();
	})
	BENCH_REPORT_RATE(bench_options.commands, 1e-3, "kcmds/s");
}

/* recorded, submitted and waited for: what the host spends on each draw is in it */
static void test_exec_draw(void) {
	struct gpu_target target = gpu_create_target(64, 64);
	const VkCommandBuffer commands = gpu_allocate_commands();
	BENCH_TIME(1, BENCH_NOTHING, {
		gpu_begin(commands);
		gpu_begin_pass(commands, &target, VK_SUBPASS_CONTENTS_INLINE);
		gpu_push_offset(commands, &target, 5); /* off the target: no pixels */
		for (uint32_t i = 0; i < bench_options.commands; i++) {
			vkCmdDraw(commands, 3, 1, i & 1, 0);
		}
		vkCmdEndRenderPass(commands);
		BENCH_TRY(vkEndCommandBuffer(commands));
		gpu_run(commands);
	})
	BENCH_REPORT_RATE(bench_options.commands, 1e-3, "kcmds/s");
}

static void test_exec_dispatch(void) {
	struct gpu_buffer b = gpu_create_buffer(65536, GPU_MEMORY_LOCAL);
	const VkDescriptorSetLayout l = gpu_create_set_layout(1, 0);
	const VkPipelineLayout pl = gpu_create_pipeline_layout(l);
	const VkPipeline p = gpu_create_compute_pipeline(
		gpu_create_module(GPU_SHADER_SAXPY), pl, VK_NULL_HANDLE, 0);
	const VkDescriptorSet s = gpu_allocate_set(gpu_create_descriptor_pool(1, 1), l);
	gpu_write_set(s, b.handle, 1);
	const uint32_t pc[4] = {3, 1};
	const VkCommandBuffer commands = gpu_allocate_commands();
	const uint32_t n = bench_options.commands / 10;
	BENCH_TIME(1, BENCH_NOTHING, {
		gpu_begin(commands);
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, p);
		vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pl, 0, 1, &s, 0, NULL);
		vkCmdPushConstants(commands, pl, VK_SHADER_STAGE_ALL, 0, 8, pc);
		for (uint32_t i = 0; i < n; i++) {
			vkCmdDispatch(commands, 1, 1, 1);
			gpu_barrier(commands);
		}
		BENCH_TRY(vkEndCommandBuffer(commands));
		gpu_run(commands);
	})
	BENCH_REPORT_RATE(n, 1e-3, "kcmds/s");
}

const struct bench_test bench_record_tests[] = {
	{"rec_draw", test_rec_draw, "vkCmdDraw recorded (-n a buffer), host has seen them all"},
	{"rec_draw_state", test_rec_draw_state, "push constants + viewport + scissor + draw"},
	{"rec_copy", test_rec_copy, "vkCmdCopyBuffer of 64 bytes"},
	{"exec_draw", test_exec_draw, "vkCmdDraw recorded, submitted and waited for; no pixels"},
	{"exec_dispatch", test_exec_dispatch,
		"vkCmdDispatch of 1 group + barrier (-n/10 a buffer), executed"},
	{0},
};
