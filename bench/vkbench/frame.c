/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static void frame_tri(uint32_t w, uint32_t h) {
	struct gpu_target target = gpu_create_target(w, h);
	const VkCommandBuffer commands = gpu_allocate_commands();
	BENCH_TIME(1, BENCH_NOTHING, {
		gpu_begin(commands);
		gpu_begin_pass(commands, &target, VK_SUBPASS_CONTENTS_INLINE);
		gpu_push_offset(commands, &target, 0);
		vkCmdDraw(commands, 3, 1, 0, 0);
		vkCmdEndRenderPass(commands);
		BENCH_TRY(vkEndCommandBuffer(commands));
		gpu_run(commands);
	})
	BENCH_REPORT_RATE(1, 1, "frames/s");
}

static void test_frame_64(void) {
	frame_tri(64, 64);
}
static void test_frame_640x480(void) {
	frame_tri(640, 480);
}
static void test_frame_1080p(void) {
	frame_tri(1920, 1080);
}

/* render, copy to mapped memory, look at two pixels; dump the image to $VKBENCH_PPM */
static void test_frame_readback(void) {
	const uint32_t w = 640, h = 480;
	struct gpu_target target = gpu_create_target(w, h);
	struct gpu_buffer b = gpu_create_buffer(w * h * 4, GPU_MEMORY_HOST);
	const uint8_t *p = gpu_map(b.memory);
	const VkCommandBuffer commands = gpu_allocate_commands();
	const VkBufferImageCopy r = {.imageSubresource = {1, 0, 0, 1}, .imageExtent = {w, h, 1}};
	uint32_t sum = 0;
	BENCH_TIME(1, BENCH_NOTHING, {
		gpu_begin(commands);
		gpu_begin_pass(commands, &target, VK_SUBPASS_CONTENTS_INLINE);
		gpu_push_offset(commands, &target, 0);
		vkCmdDraw(commands, 3, 1, 0, 0);
		vkCmdEndRenderPass(commands);
		vkCmdCopyImageToBuffer(
			commands, target.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, b.handle, 1, &r);
		gpu_barrier(commands);
		BENCH_TRY(vkEndCommandBuffer(commands));
		gpu_run(commands);
		for (uint32_t i = 0; i < w * h * 4; i += 64) {
			sum += p[i];
		}
		const uint8_t *c = p + 4 * (h / 4 * w + w / 4), *e = p + 4 * (w * h - 1);
		if (c[2] != 255 || c[3] != 255) {
			bench_fail("triangle pixel %u,%u,%u,%u", c[0], c[1], c[2], c[3]);
		}
		if (abs(e[0] - 64) > 1 || abs(e[1] - 128) > 1 || abs(e[2] - 191) > 1) {
			bench_fail("clear pixel %u,%u,%u,%u", e[0], e[1], e[2], e[3]);
		}
	})
	const char *ppm = getenv("VKBENCH_PPM");
	FILE *f = ppm ? fopen(ppm, "wb") : NULL;
	if (f) {
		fprintf(f, "P6 %u %u 255\n", w, h);
		for (uint32_t i = 0; i < w * h; i++) {
			fwrite(p + 4 * i, 1, 3, f);
		}
		fclose(f);
	}
	BENCH_REPORT_RATE(1, 1, "frames/s");
}

const struct bench_test bench_frame_tests[] = {
	{"frame_64", test_frame_64, "record, submit, wait: clear + triangle, 64x64"},
	{"frame_640x480", test_frame_640x480, "the same, 640x480"},
	{"frame_1080p", test_frame_1080p, "the same, 1920x1080"},
	{"frame_readback", test_frame_readback, "the same at 640x480 + copy to mapped memory + verify"},
	{0},
};
