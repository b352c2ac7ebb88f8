/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

static void test_mem_alloc_free_64k(void) {
	const uint32_t type = gpu_memory_type(~0u, GPU_MEMORY_HOST);
	BENCH_TIME(8, gpu_round_trip(), vkFreeMemory(gpu.device, gpu_allocate(65536, type), NULL))
	BENCH_REPORT_RATE(1, 1, "ops/s");
}

static void mem_cycle(VkDeviceSize size, int batch) {
	const uint32_t type = gpu_memory_type(~0u, GPU_MEMORY_HOST);
	uint8_t x = 0;
	BENCH_TIME(batch, gpu_round_trip(), {
		const VkDeviceMemory m = gpu_allocate(size, type);
		void *p = gpu_map(m);
		memset(p, ++x, size);
		vkUnmapMemory(gpu.device, m);
		vkFreeMemory(gpu.device, m, NULL);
	})
	BENCH_REPORT_RATE(1, 1, "ops/s");
}

static void test_mem_cycle_64k(void) {
	mem_cycle(65536, 4);
}
static void test_mem_cycle_16m(void) {
	mem_cycle(16 << 20, 1);
}

static void test_mem_remap_64k(void) {
	const VkDeviceMemory m = gpu_allocate(65536, gpu_memory_type(~0u, GPU_MEMORY_HOST));
	BENCH_TIME(16, BENCH_NOTHING, {
		*(volatile uint8_t *)gpu_map(m) = 1;
		vkUnmapMemory(gpu.device, m);
	})
	BENCH_REPORT_RATE(1, 1, "ops/s");
}

static void test_mem_write_bw(void) {
	const size_t size = (size_t)bench_options.mib << 20;
	void *p = gpu_map(gpu_allocate(size, gpu_memory_type(~0u, GPU_MEMORY_HOST))),
		 *src = malloc(size);
	memset(src, 1, size);
	BENCH_TIME(1, BENCH_NOTHING, memcpy(p, src, size))
	BENCH_REPORT_RATE(size, 1e-9, "GB/s");
}

static void test_mem_read_bw(void) {
	const size_t size = (size_t)bench_options.mib << 20;
	void *p = gpu_map(gpu_allocate(size, gpu_memory_type(~0u, GPU_MEMORY_HOST))),
		 *dst = malloc(size);
	memset(p, 1, size);
	memset(dst, 2, size);
	BENCH_TIME(1, BENCH_NOTHING, memcpy(dst, p, size))
	BENCH_REPORT_RATE(size, 1e-9, "GB/s");
}

static void test_xfer_fill_bw(void) {
	struct gpu_buffer b = gpu_create_buffer(
		(VkDeviceSize)bench_options.mib << 20, GPU_MEMORY_LOCAL);
	const VkCommandBuffer commands = gpu_allocate_commands();
	gpu_begin(commands);
	vkCmdFillBuffer(commands, b.handle, 0, VK_WHOLE_SIZE, 0x01020304);
	BENCH_TRY(vkEndCommandBuffer(commands));
	BENCH_TIME(1, BENCH_NOTHING, gpu_run(commands))
	BENCH_REPORT_RATE(b.size, 1e-9, "GB/s");
}

static void test_xfer_copy_bw(void) {
	struct gpu_buffer a = gpu_create_buffer(
		(VkDeviceSize)bench_options.mib << 20, GPU_MEMORY_LOCAL);
	struct gpu_buffer b = gpu_create_buffer(a.size, GPU_MEMORY_LOCAL);
	const VkCommandBuffer commands = gpu_allocate_commands();
	const VkBufferCopy r = {0, 0, a.size};
	gpu_begin(commands);
	vkCmdCopyBuffer(commands, a.handle, b.handle, 1, &r);
	BENCH_TRY(vkEndCommandBuffer(commands));
	BENCH_TIME(1, BENCH_NOTHING, gpu_run(commands))
	BENCH_REPORT_RATE(a.size, 1e-9, "GB/s");
}

/* the data travels inside the command stream: 64 x 64 KiB a submission */
static void test_xfer_update_bw(void) {
	static uint8_t data[65536];
	struct gpu_buffer b = gpu_create_buffer(64 * sizeof(data), GPU_MEMORY_LOCAL);
	const VkCommandBuffer commands = gpu_allocate_commands();
	BENCH_TIME(1, BENCH_NOTHING, {
		gpu_begin(commands);
		data[0]++;
		for (int i = 0; i < 64; i++) {
			vkCmdUpdateBuffer(commands, b.handle, i * sizeof(data), sizeof(data), data);
		}
		BENCH_TRY(vkEndCommandBuffer(commands));
		gpu_run(commands);
	})
	BENCH_REPORT_RATE(b.size, 1e-9, "GB/s");
}

const struct bench_test bench_memory_tests[] = {
	{"mem_alloc_free_64k", test_mem_alloc_free_64k,
		"vkAllocateMemory + vkFreeMemory, HOST_VISIBLE"},
	{"mem_cycle_64k", test_mem_cycle_64k, "allocate, map, write all, unmap, free"},
	{"mem_cycle_16m", test_mem_cycle_16m, "the same, 16 MiB"},
	{"mem_remap_64k", test_mem_remap_64k, "map, write a byte, unmap"},
	{"mem_write_bw", test_mem_write_bw, "memcpy into mapped memory (-m)"},
	{"mem_read_bw", test_mem_read_bw, "memcpy from mapped memory (-m)"},
	{"xfer_fill_bw", test_xfer_fill_bw, "vkCmdFillBuffer (-m)"},
	{"xfer_copy_bw", test_xfer_copy_bw, "vkCmdCopyBuffer (-m)"},
	{"xfer_update_bw", test_xfer_update_bw, "vkCmdUpdateBuffer 64 x 64 KiB, data in the stream"},
	{0},
};
