/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <pthread.h>

static void test_lat_roundtrip(void) {
	BENCH_TIME(64, BENCH_NOTHING, gpu_round_trip())
	BENCH_REPORT_US();
}

static void test_lat_ext_buffer_props(void) {
	const VkPhysicalDeviceExternalBufferInfo info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
		.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
	VkExternalBufferProperties bp = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
	BENCH_TIME(
		64, BENCH_NOTHING, vkGetPhysicalDeviceExternalBufferProperties(gpu.physical, &info, &bp))
	BENCH_REPORT_US();
}

/* more different keys than a guest-side cache would keep */
static void test_lat_image_format_uncached(void) {
	uint32_t seq = 0;
	VkPhysicalDeviceImageFormatInfo2 fi = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2};
	VkImageFormatProperties2 fp = {.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2};
	BENCH_TIME(64, BENCH_NOTHING, {
		fi.format = 1 + seq % 124;
		fi.type = (seq / 124) % 3;
		fi.usage = 1 + (seq / 372) % 15;
		seq = (seq + 1) % (372 * 15);
		vkGetPhysicalDeviceImageFormatProperties2(gpu.physical, &fi, &fp);
	})
	BENCH_REPORT_US();
}

static void test_lat_image_format_cached(void) {
	const VkPhysicalDeviceImageFormatInfo2 fi = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
		.format = GPU_FORMAT,
		.type = VK_IMAGE_TYPE_2D,
		.usage = VK_IMAGE_USAGE_SAMPLED_BIT};
	VkImageFormatProperties2 fp = {.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2};
	BENCH_TIME(64, BENCH_NOTHING,
		BENCH_TRY(vkGetPhysicalDeviceImageFormatProperties2(gpu.physical, &fi, &fp)))
	BENCH_REPORT_US();
}

static void test_lat_format_props(void) {
	VkFormatProperties fp;
	uint32_t seq = 0;
	BENCH_TIME(
		64, BENCH_NOTHING, vkGetPhysicalDeviceFormatProperties(gpu.physical, 1 + seq++ % 184, &fp))
	BENCH_REPORT_US();
}

static void test_lat_fence_status(void) {
	const VkFence f = gpu_create_fence();
	BENCH_TIME(64, BENCH_NOTHING, BENCH_TRY(vkGetFenceStatus(gpu.device, f)))
	BENCH_REPORT_US();
}

static void test_lat_event_set_get(void) {
	const VkEventCreateInfo info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	VkEvent e;
	BENCH_TRY(vkCreateEvent(gpu.device, &info, NULL, &e));
	BENCH_TIME(16, BENCH_NOTHING, {
		BENCH_TRY(vkSetEvent(gpu.device, e));
		if (vkGetEventStatus(gpu.device, e) != VK_EVENT_SET) {
			bench_fail("event not set");
		}
		BENCH_TRY(vkResetEvent(gpu.device, e));
	})
	BENCH_REPORT_US();
}

static void test_lat_sampler(void) {
	const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
	VkSampler s;
	BENCH_TIME(64, gpu_round_trip(), {
		BENCH_TRY(vkCreateSampler(gpu.device, &info, NULL, &s));
		vkDestroySampler(gpu.device, s, NULL);
	})
	BENCH_REPORT_US();
}

static void test_lat_bda(void) {
	if (!gpu.has_addresses) {
		bench_fail("no bufferDeviceAddress");
	}
	struct gpu_buffer b = gpu_create_buffer(4096, GPU_MEMORY_LOCAL);
	const VkBufferDeviceAddressInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, .buffer = b.handle};
	BENCH_TIME(64, BENCH_NOTHING,
		if (!vkGetBufferDeviceAddress(gpu.device, &info)) bench_fail("address 0"))
	BENCH_REPORT_US();
}

static void test_lat_submit_empty(void) {
	gpu_run(VK_NULL_HANDLE);
	BENCH_TIME(4, BENCH_NOTHING, gpu_run(VK_NULL_HANDLE))
	BENCH_REPORT_US();
}

static void test_lat_submit_fill(void) {
	struct gpu_buffer b = gpu_create_buffer(4096, GPU_MEMORY_LOCAL);
	const VkCommandBuffer commands = gpu_allocate_commands();
	gpu_begin(commands);
	vkCmdFillBuffer(commands, b.handle, 0, 64, 1);
	BENCH_TRY(vkEndCommandBuffer(commands));
	BENCH_TIME(4, BENCH_NOTHING, gpu_run(commands))
	BENCH_REPORT_US();
}

static void test_lat_record_submit_fill(void) {
	struct gpu_buffer b = gpu_create_buffer(4096, GPU_MEMORY_LOCAL);
	const VkCommandBuffer commands = gpu_allocate_commands();
	BENCH_TIME(4, BENCH_NOTHING, {
		gpu_begin(commands);
		vkCmdFillBuffer(commands, b.handle, 0, 64, 1);
		BENCH_TRY(vkEndCommandBuffer(commands));
		gpu_run(commands);
	})
	BENCH_REPORT_US();
}

static void test_lat_queue_wait_idle(void) {
	BENCH_TIME(4, BENCH_NOTHING, BENCH_TRY(vkQueueWaitIdle(gpu.queue)))
	BENCH_REPORT_US();
}

static void test_lat_timeline(void) {
	if (!gpu.has_timeline) {
		bench_fail("no timelineSemaphore");
	}
	const VkSemaphoreTypeCreateInfo ti = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &ti};
	VkSemaphore s;
	BENCH_TRY(vkCreateSemaphore(gpu.device, &info, NULL, &s));
	uint64_t val = 0;
	const VkTimelineSemaphoreSubmitInfo tsi = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &val};
	const VkSubmitInfo si = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &tsi,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &s,
	};
	const VkSemaphoreWaitInfo wi = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &s,
		.pValues = &val,
	};
	BENCH_TIME(4, BENCH_NOTHING, {
		val++;
		BENCH_TRY(vkQueueSubmit(gpu.queue, 1, &si, VK_NULL_HANDLE));
		VkResult r = vkWaitSemaphores(gpu.device, &wi, 20ull * 1000000000ull);
		if (r != VK_SUCCESS) {
			bench_fail("vkWaitSemaphores -> %d", r);
		}
	})
	BENCH_REPORT_US();
}

static void *mt_worker(void *arg) {
	const double end = bench_now() + bench_options.seconds;
	long *n = arg;
	do {
		for (int k = 0; k < 64; k++) {
			gpu_round_trip();
		}
		*n += 64;
	} while (bench_now() < end);
	return NULL;
}

/* two threads each making round trips: calls/s of both together */
static void test_lat_mt2_calls(void) {
	double v[64];
	for (int rep = 0; rep < bench_options.repetitions; rep++) {
		pthread_t th[2];
		long n[2] = {0, 0};
		const double t0 = bench_now();
		for (int i = 0; i < 2; i++) {
			pthread_create(&th[i], NULL, mt_worker, &n[i]);
		}
		for (int i = 0; i < 2; i++) {
			pthread_join(th[i], NULL);
		}
		v[rep] = (n[0] + n[1]) / (bench_now() - t0);
	}
	bench_report("calls/s", v, bench_options.repetitions);
}

static void test_rate_submit(void) {
	struct gpu_buffer b = gpu_create_buffer(4096, GPU_MEMORY_LOCAL);
	const VkCommandBuffer commands = gpu_allocate_commands();
	const VkCommandBufferBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
	};
	BENCH_TRY(vkBeginCommandBuffer(commands, &info));
	vkCmdFillBuffer(commands, b.handle, 0, 64, 1);
	BENCH_TRY(vkEndCommandBuffer(commands));
	BENCH_TIME(100, BENCH_TRY(vkQueueWaitIdle(gpu.queue)), gpu_submit(commands, VK_NULL_HANDLE))
	BENCH_REPORT_RATE(1, 1, "submits/s");
}

const struct bench_test bench_latency_tests[] = {
	{"lat_roundtrip", test_lat_roundtrip,
		"vkGetDescriptorSetLayoutSupport: must go to the host and back"},
	{"lat_mt2_calls", test_lat_mt2_calls, "the same from two threads"},
	{"lat_ext_buffer_props", test_lat_ext_buffer_props,
		"vkGetPhysicalDeviceExternalBufferProperties"},
	{"lat_image_format_uncached", test_lat_image_format_uncached,
		"vkGetPhysicalDeviceImageFormatProperties2, 5580 keys in turn"},
	{"lat_image_format_cached", test_lat_image_format_cached, "the same, one key"},
	{"lat_format_props", test_lat_format_props,
		"vkGetPhysicalDeviceFormatProperties, 184 formats in turn"},
	{"lat_fence_status", test_lat_fence_status, "vkGetFenceStatus, unsignalled"},
	{"lat_event_set_get", test_lat_event_set_get, "vkSetEvent + vkGetEventStatus + vkResetEvent"},
	{"lat_sampler", test_lat_sampler, "vkCreateSampler + vkDestroySampler"},
	{"lat_bda", test_lat_bda, "vkGetBufferDeviceAddress"},
	{"lat_submit_empty", test_lat_submit_empty,
		"vkQueueSubmit of nothing + vkWaitForFences + vkResetFences"},
	{"lat_submit_fill", test_lat_submit_fill, "the same with a 64-byte fill"},
	{"lat_record_submit_fill", test_lat_record_submit_fill, "the same, recorded each time"},
	{"lat_queue_wait_idle", test_lat_queue_wait_idle, "vkQueueWaitIdle, idle"},
	{"lat_timeline", test_lat_timeline, "timeline semaphore: submit signal + vkWaitSemaphores"},
	{"rate_submit", test_rate_submit, "vkQueueSubmit of a 64-byte fill, idle wait at the end"},
	{0},
};
