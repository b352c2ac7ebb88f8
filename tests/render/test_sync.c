/* SPDX-License-Identifier: MIT */

/*
 * Queues, their fences, semaphores and waits: in order, early, late, and when the host refuses.
 * Without VK_LAYER_VENERA_fail over the driver ("--faults") only what needs no faults is tried.
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"
#include "base/clock.h"
#include "base/log.h"
#include "peer_device.h"

static const char *program;

#define SECOND_RING_ID (PEER_RING_ID + 1)

enum { FENCE = 0x100, SEMAPHORE, OTHER_SEMAPHORE, GATE, COUNTER, QUERIES, POOL, COMMANDS, EVENT,
	SECOND_DEVICE, SECOND_QUEUE };

#define DEVICE PEER_DEVICE_HANDLE
#define ID(type, id) PEER_HANDLE(Vk##type, id)

/** One command that the guest does not wait for. */
#define DO(peer, command, ...) \
	do { \
		peer_begin(peer); \
		PEER_ADD(peer, command, __VA_ARGS__); \
		peer_ring_write(peer); \
	} while (0)

/* --- what the tests are made of --- */

static void make_semaphore(struct peer *peer, uint64_t id, VkSemaphoreType kind) {
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO, .semaphoreType = kind};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
	VkSemaphore semaphore = ID(Semaphore, id);
	DO(peer, vkCreateSemaphore, .device = DEVICE, .pCreateInfo = &info, .pSemaphore = &semaphore);
}

static void start(struct peer *peer, const char *fail) {
	if (*fail) {
		printf("%s\n", fail);
		fflush(stdout);
	}
	CHECK_INT(setenv("VENERA_FAIL", fail, 1), 0);
	peer_start(peer, program);
	peer_create_ring(peer, 65536);
	VkPhysicalDeviceSynchronization2Features synchronization2 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES,
		.synchronization2 = VK_TRUE,
	};
	VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
		.pNext = &synchronization2,
		.timelineSemaphore = VK_TRUE,
	};
	peer_create_device(peer, &(struct peer_device_options){
		.api_version = VK_API_VERSION_1_3, .features = &timeline});
	make_semaphore(peer, GATE, VK_SEMAPHORE_TYPE_TIMELINE);
	make_semaphore(peer, COUNTER, VK_SEMAPHORE_TYPE_TIMELINE);
	make_semaphore(peer, SEMAPHORE, VK_SEMAPHORE_TYPE_BINARY);
	make_semaphore(peer, OTHER_SEMAPHORE, VK_SEMAPHORE_TYPE_BINARY);
	const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence = ID(Fence, FENCE);
	DO(peer, vkCreateFence, .device = DEVICE, .pCreateInfo = &info, .pFence = &fence);
	CHECK(peer_ring_wait(peer));
}

/** Waits for `wait`, of the value if that is a timeline's, and signals the counter with `count`. */
static void submit(struct peer *peer, uint64_t wait, uint64_t value, uint64_t signal,
		uint64_t count, uint64_t fence) {
	const VkSemaphore waits[] = {ID(Semaphore, wait)};
	const uint64_t values[] = {value}, counts[] = {count, 0};
	const VkSemaphore signals[] = {ID(Semaphore, COUNTER), ID(Semaphore, signal)};
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	const VkTimelineSemaphoreSubmitInfo timeline = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = wait != 0,
		.pWaitSemaphoreValues = values,
		.signalSemaphoreValueCount = signal ? 2 : 1,
		.pSignalSemaphoreValues = counts,
	};
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &timeline,
		.waitSemaphoreCount = wait != 0,
		.pWaitSemaphores = waits,
		.pWaitDstStageMask = &stage,
		.signalSemaphoreCount = signal ? 2 : 1,
		.pSignalSemaphores = signals,
	};
	DO(peer, vkQueueSubmit, .queue = PEER_QUEUE_HANDLE, .submitCount = 1, .pSubmits = &info,
		.fence = ID(Fence, fence));
}

static void submit2(struct peer *peer, uint64_t wait, uint64_t value, uint64_t count) {
	const VkSemaphoreSubmitInfo waits = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
		.semaphore = ID(Semaphore, wait),
		.value = value,
		.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
	};
	const VkSemaphoreSubmitInfo signals = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
		.semaphore = ID(Semaphore, COUNTER),
		.value = count,
		.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
	};
	const VkSubmitInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
		.waitSemaphoreInfoCount = wait != 0,
		.pWaitSemaphoreInfos = &waits,
		.signalSemaphoreInfoCount = 1,
		.pSignalSemaphoreInfos = &signals,
	};
	DO(peer, vkQueueSubmit2, .queue = PEER_QUEUE_HANDLE, .submitCount = 1, .pSubmits = &info);
}

/** Lets what was submitted behind `GATE, value` begin. */
static void open_gate(struct peer *peer, uint64_t value) {
	const VkSemaphoreSignalInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = ID(Semaphore, GATE), .value = value};
	DO(peer, vkSignalSemaphore, .device = DEVICE, .pSignalInfo = &info);
}

static VkResult wait_for_count(struct peer *peer, uint64_t count, uint64_t timeout) {
	const VkSemaphore semaphore = ID(Semaphore, COUNTER);
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &semaphore,
		.pValues = &count,
	};
	struct venus_vkWaitSemaphores wait = {
		.device = DEVICE, .pWaitInfo = &info, .timeout = timeout};
	PEER_CALL(peer, vkWaitSemaphores, &wait);
	return wait.ret;
}
#define LONG UINT64_C(20000000000)

static VkResult wait_for_fence(struct peer *peer, uint64_t timeout) {
	const VkFence fence = ID(Fence, FENCE);
	struct venus_vkWaitForFences wait = {.device = DEVICE, .fenceCount = 1, .pFences = &fence,
		.waitAll = VK_TRUE, .timeout = timeout};
	PEER_CALL(peer, vkWaitForFences, &wait);
	return wait.ret;
}

static VkResult fence_status(struct peer *peer) {
	struct venus_vkGetFenceStatus get = {.device = DEVICE, .fence = ID(Fence, FENCE)};
	PEER_CALL(peer, vkGetFenceStatus, &get);
	return get.ret;
}

static void reset_fence(struct peer *peer) {
	const VkFence fence = ID(Fence, FENCE);
	DO(peer, vkResetFences, .device = DEVICE, .fenceCount = 1, .pFences = &fence);
}

/**
 * A fence of the queue's timeline between what is in the ring and what comes after, as Mesa
 * makes it.
 */
static uint64_t put_fence(struct peer *peer) {
	peer_begin(peer);
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position);
	const uint64_t fence = peer_submit(peer, 1);
	peer_begin(peer);
	PEER_ADD(peer, vkSubmitVirtqueueSeqnoMESA, .ring = PEER_RING_ID, .seqno = fence);
	peer_submit(peer, -1);
	DO(peer, vkWaitVirtqueueSeqnoMESA, .seqno = fence);
	return fence;
}

static void expect_no_event(struct peer *peer, int timeout_ms) {
	struct pollfd entry = {.fd = peer->channel.fd, .events = POLLIN};
	CHECK_INT(poll(&entry, 1, timeout_ms), 0);
}

/* --- fences --- */

/** A fence is no sooner than the work, however many there are, and however long that takes. */
static void test_fences_wait(void) {
	struct peer peer;
	start(&peer, "");
	uint64_t fences[10];
	submit(&peer, GATE, 1, 0, 1, 0);
	for (int i = 0; i < 5; i++) {
		fences[i] = put_fence(&peer);
	}
	submit2(&peer, GATE, 2, 2);
	for (int i = 5; i < 10; i++) {
		fences[i] = put_fence(&peer);
	}
	expect_no_event(&peer, 50);
	open_gate(&peer, 1);
	for (int i = 0; i < 5; i++) {
		peer_expect_fence(&peer, 1, fences[i]);
	}
	expect_no_event(&peer, 50);
	peer_sync(&peer); /* timeline 0 goes on meanwhile */
	open_gate(&peer, 2);
	for (int i = 5; i < 10; i++) {
		peer_expect_fence(&peer, 1, fences[i]);
	}
	peer_stop(&peer);
}

/** What the host refuses is not done yet. */
static void fence_is_owed(const char *fail) {
	struct peer peer;
	start(&peer, fail);
	submit(&peer, GATE, 1, 0, 1, 0);
	const uint64_t first = put_fence(&peer), second = put_fence(&peer);
	expect_no_event(&peer, 100);
	open_gate(&peer, 1);
	peer_expect_fence(&peer, 1, first);
	peer_expect_fence(&peer, 1, second);
	submit(&peer, 0, 0, 0, 2, 0);
	peer_expect_fence(&peer, 1, put_fence(&peer));
	peer_stop(&peer);
}

static void test_refused_fences_are_owed(void) {
	fence_is_owed("vkQueueSubmit:2:VK_ERROR_OUT_OF_DEVICE_MEMORY");
	fence_is_owed("vkQueueSubmit:2:VK_ERROR_OUT_OF_DEVICE_MEMORY,"
		      "vkQueueSubmit:3:VK_ERROR_OUT_OF_HOST_MEMORY");
	fence_is_owed("vkCreateFence:2:VK_ERROR_OUT_OF_HOST_MEMORY");
	fence_is_owed("vkWaitForFences:1:VK_ERROR_OUT_OF_HOST_MEMORY");
}

/**
 * Of a host that never takes it, neither the end of the device nor that of the context waits
 * for it.
 */
static void test_owed_fences_end(void) {
	struct peer peer;
	start(&peer, "vkQueueSubmit:2+:VK_ERROR_OUT_OF_HOST_MEMORY");
	submit(&peer, 0, 0, 0, 1, 0);
	const uint64_t fence = put_fence(&peer);
	expect_no_event(&peer, 50);
	DO(&peer, vkDestroyDevice, .device = DEVICE);
	peer_expect_fence(&peer, 1, fence);
	peer_stop(&peer);

	start(&peer, "vkQueueSubmit:2+:VK_ERROR_OUT_OF_HOST_MEMORY");
	submit(&peer, 0, 0, 0, 1, 0);
	put_fence(&peer);
	expect_no_event(&peer, 50);
	const uint64_t begin = clock_now();
	peer_stop(&peer);
	CHECK(clock_now() - begin < RENDER_EXIT_GRACE_MS * CLOCK_NS_PER_MS);
}

/* --- lost devices --- */

/** The fence of a device that is lost is done, though its work never is. */
static void fence_of_lost_device(const char *fail) {
	struct peer peer;
	start(&peer, fail);
	submit(&peer, GATE, 1, 0, 1, 0);
	const uint64_t first = put_fence(&peer);
	peer_expect_fence(&peer, 1, first);
	peer_expect_fence(&peer, 1, put_fence(&peer));
	open_gate(&peer, 1); /* the host has not really lost it */
	CHECK(peer_ring_wait(&peer));
	peer_stop(&peer);
}

/** What only those ask that expect_lost() and find_loss() try. */
static void make_event_and_queries(struct peer *peer) {
	const VkEventCreateInfo event_info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	VkEvent event = ID(Event, EVENT);
	DO(peer, vkCreateEvent, .device = DEVICE, .pCreateInfo = &event_info, .pEvent = &event);
	const VkQueryPoolCreateInfo queries_info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_OCCLUSION,
		.queryCount = 1,
	};
	VkQueryPool queries = ID(QueryPool, QUERIES);
	DO(peer, vkCreateQueryPool, .device = DEVICE, .pCreateInfo = &queries_info,
		.pQueryPool = &queries);
}

/** Whatever can say that the device is lost says so. */
static void expect_lost(struct peer *peer) {
	struct venus_vkQueueSubmit submit = {
		.queue = PEER_QUEUE_HANDLE, .fence = ID(Fence, FENCE)};
	PEER_CALL(peer, vkQueueSubmit, &submit);
	CHECK_INT(submit.ret, VK_ERROR_DEVICE_LOST);
	struct venus_vkQueueSubmit2 submit2 = {.queue = PEER_QUEUE_HANDLE};
	PEER_CALL(peer, vkQueueSubmit2, &submit2);
	CHECK_INT(submit2.ret, VK_ERROR_DEVICE_LOST);
	CHECK_INT(fence_status(peer), VK_ERROR_DEVICE_LOST);
	CHECK_INT(wait_for_fence(peer, LONG), VK_ERROR_DEVICE_LOST);
	CHECK_INT(wait_for_count(peer, 1, LONG), VK_ERROR_DEVICE_LOST);
	uint64_t value = 0;
	struct venus_vkGetSemaphoreCounterValue get = {
		.device = DEVICE, .semaphore = ID(Semaphore, COUNTER), .pValue = &value};
	PEER_CALL(peer, vkGetSemaphoreCounterValue, &get);
	CHECK_INT(get.ret, VK_ERROR_DEVICE_LOST);
	struct venus_vkGetEventStatus get_event = {.device = DEVICE, .event = ID(Event, EVENT)};
	PEER_CALL(peer, vkGetEventStatus, &get_event);
	CHECK_INT(get_event.ret, VK_ERROR_DEVICE_LOST);
	uint32_t results[1];
	struct venus_vkGetQueryPoolResults get_results = {.device = DEVICE,
		.queryPool = ID(QueryPool, QUERIES), .queryCount = 1,
		.dataSize = sizeof(results), .pData = results, .stride = sizeof(results)};
	PEER_CALL(peer, vkGetQueryPoolResults, &get_results);
	CHECK_INT(get_results.ret, VK_ERROR_DEVICE_LOST);
	peer_expect_fence(peer, 1, put_fence(peer));
}

/** Has the command find the loss, without a reply. */
static void find_loss(struct peer *peer, const char *finder) {
	const VkFence fence = ID(Fence, FENCE);
	const VkSemaphore counter = ID(Semaphore, COUNTER);
	uint64_t value = 0;
	const VkSemaphoreWaitInfo wait = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &counter,
		.pValues = &value,
	};
	if (strcmp(finder, "vkQueueSubmit") == 0) {
		submit(peer, 0, 0, 0, 1, FENCE);
	} else if (strcmp(finder, "vkQueueSubmit2") == 0) {
		submit2(peer, 0, 0, 1);
	} else if (strcmp(finder, "vkGetFenceStatus") == 0) {
		DO(peer, vkGetFenceStatus, .device = DEVICE, .fence = fence);
	} else if (strcmp(finder, "vkWaitForFences") == 0) {
		DO(peer, vkWaitForFences, .device = DEVICE, .fenceCount = 1, .pFences = &fence,
			.timeout = LONG);
	} else if (strcmp(finder, "vkWaitSemaphores") == 0) {
		DO(peer, vkWaitSemaphores, .device = DEVICE, .pWaitInfo = &wait, .timeout = LONG);
	} else if (strcmp(finder, "vkGetEventStatus") == 0) {
		DO(peer, vkGetEventStatus, .device = DEVICE, .event = ID(Event, EVENT));
	} else if (strcmp(finder, "vkGetQueryPoolResults") == 0) {
		uint32_t results[1];
		DO(peer, vkGetQueryPoolResults, .device = DEVICE,
			.queryPool = ID(QueryPool, QUERIES), .queryCount = 1,
			.dataSize = sizeof(results), .pData = results, .stride = sizeof(results));
	} else {
		DO(peer, vkGetSemaphoreCounterValue, .device = DEVICE, .semaphore = counter,
			.pValue = &value);
	}
}

/** Who hears nothing of it for long loses the context; who has heard of it goes on. */
static void test_lost_device_is_told(void) {
	struct peer deaf, told;
	start(&told, "vkQueueSubmit:1:VK_ERROR_DEVICE_LOST");
	submit(&told, 0, 0, 0, 1, FENCE);
	CHECK_INT(fence_status(&told), VK_ERROR_DEVICE_LOST);
	start(&deaf, "vkQueueSubmit:1:VK_ERROR_DEVICE_LOST");
	submit(&deaf, 0, 0, 0, 1, FENCE);
	peer_expect_lost(&deaf, "the host has lost a device");
	submit(&deaf, 0, 0, 0, 2, 0);
	CHECK(!peer_ring_wait(&deaf));
	CHECK_INT(fence_status(&told), VK_ERROR_DEVICE_LOST);
	peer_stop(&deaf);
	peer_stop(&told);
}

static void test_lost_device(void) {
	struct peer peer;
	fence_of_lost_device("vkQueueSubmit:2:VK_ERROR_DEVICE_LOST");
	fence_of_lost_device("vkCreateFence:2:VK_ERROR_DEVICE_LOST");
	fence_of_lost_device("vkWaitForFences:1:VK_ERROR_DEVICE_LOST");

	/* whichever command finds it, none asks the host any more, which would say something else */
	static const char *const finders[] = {"vkQueueSubmit", "vkQueueSubmit2", "vkGetFenceStatus",
		"vkWaitForFences", "vkWaitSemaphores", "vkGetSemaphoreCounterValue",
		"vkGetEventStatus", "vkGetQueryPoolResults"};
	for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]); i++) {
		char fail[64];
		snprintf(fail, sizeof(fail), "%s:1:VK_ERROR_DEVICE_LOST", finders[i]);
		start(&peer, fail);
		make_event_and_queries(&peer);
		find_loss(&peer, finders[i]);
		expect_lost(&peer);
		peer_stop(&peer);
	}

	start(&peer, "vkQueueSubmit:1:VK_ERROR_DEVICE_LOST");
	make_event_and_queries(&peer);
	submit(&peer, 0, 0, 0, 1, FENCE);
	expect_lost(&peer);

	/* and can begin anew */
	DO(&peer, vkDestroyDevice, .device = DEVICE);
	const float priority = 1;
	const VkDeviceQueueCreateInfo queue_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue_info,
	};
	VkDevice device = ID(Device, SECOND_DEVICE);
	struct venus_vkCreateDevice create = {.physicalDevice = PEER_PHYSICAL_HANDLE,
		.pCreateInfo = &info, .pDevice = &device};
	PEER_CALL(&peer, vkCreateDevice, &create);
	CHECK_INT(create.ret, VK_SUCCESS);
	peer_stop(&peer);
}

/**
 * Submissions that the guest hears nothing of, once refused, are made; with all that they
 * signal.
 */
static void test_refused_submissions_are_made(void) {
	static const char *const faults[] = {
		"vkQueueSubmit:1:VK_ERROR_OUT_OF_DEVICE_MEMORY",
		"vkQueueSubmit:1:VK_ERROR_OUT_OF_DEVICE_MEMORY,"
		"vkQueueSubmit:2:VK_ERROR_OUT_OF_DEVICE_MEMORY,"
		"vkQueueSubmit:3:VK_ERROR_OUT_OF_DEVICE_MEMORY,"
		"vkQueueSubmit:4:VK_ERROR_OUT_OF_DEVICE_MEMORY,"
		"vkQueueSubmit:5:VK_ERROR_OUT_OF_DEVICE_MEMORY",
		"vkQueueSubmit2:1:VK_ERROR_OUT_OF_HOST_MEMORY,"
		"vkQueueSubmit2:2:VK_ERROR_OUT_OF_HOST_MEMORY",
	};
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct peer peer;
		start(&peer, faults[i]);
		submit(&peer, 0, 0, 0, 1, FENCE);
		submit2(&peer, 0, 0, 2);
		CHECK_INT(wait_for_fence(&peer, LONG), VK_SUCCESS);
		CHECK_INT(wait_for_count(&peer, 2, LONG), VK_SUCCESS);
		peer_expect_fence(&peer, 1, put_fence(&peer));
		peer_stop(&peer);
	}
	/* who waits for the answer gets it */
	struct peer peer;
	start(&peer, "vkQueueSubmit:1:VK_ERROR_OUT_OF_DEVICE_MEMORY");
	struct venus_vkQueueSubmit once = {
		.queue = PEER_QUEUE_HANDLE, .fence = ID(Fence, FENCE)};
	PEER_CALL(&peer, vkQueueSubmit, &once);
	CHECK_INT(once.ret, VK_ERROR_OUT_OF_DEVICE_MEMORY);
	CHECK_INT(fence_status(&peer), VK_NOT_READY);
	PEER_CALL(&peer, vkQueueSubmit, &once);
	CHECK_INT(once.ret, VK_SUCCESS);
	CHECK_INT(wait_for_fence(&peer, LONG), VK_SUCCESS);
	peer_stop(&peer);
}

static void test_devices_fail(void) {
	/* the renderer makes one to see what it can import */
	struct peer peer;
	start(&peer, "vkCreateDevice:3:VK_ERROR_TOO_MANY_OBJECTS");
	const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
	VkDevice device = ID(Device, SECOND_DEVICE);
	struct venus_vkCreateDevice create = {.physicalDevice = PEER_PHYSICAL_HANDLE,
		.pCreateInfo = &info, .pDevice = &device};
	PEER_CALL(&peer, vkCreateDevice, &create);
	CHECK_INT(create.ret, VK_ERROR_TOO_MANY_OBJECTS);
	device = ID(Device, SECOND_DEVICE);
	create.pDevice = &device;
	PEER_CALL(&peer, vkCreateDevice, &create);
	CHECK_INT(create.ret, VK_SUCCESS); /* the id is free; a device needs no queues */
	peer_stop(&peer);
}

/* --- sync_fds: what older guests tell of them --- */

/** A fence is exported while it is pending: the ring goes on, and so can the fence. */
static void test_exported_fence(void) {
	struct peer peer;
	start(&peer, "");
	for (uint64_t i = 1; i < 100; i++) {
		submit(&peer, GATE, i, 0, 2 * i - 1, FENCE);
		DO(&peer, vkResetFenceResourceMESA, .device = DEVICE, .fence = ID(Fence, FENCE));
		CHECK_INT(fence_status(&peer), VK_NOT_READY);
		submit(&peer, 0, 0, 0, 2 * i, FENCE);
		CHECK_INT(wait_for_fence(&peer, i % 20 ? 0 : 1000000), VK_TIMEOUT);
		open_gate(&peer, i);
		CHECK_INT(wait_for_fence(&peer, LONG), VK_SUCCESS);
		CHECK_INT(wait_for_count(&peer, 2 * i, LONG), VK_SUCCESS);
		/* exported when it is signalled */
		DO(&peer, vkResetFenceResourceMESA, .device = DEVICE, .fence = ID(Fence, FENCE));
		CHECK_INT(fence_status(&peer), VK_NOT_READY);
	}
	peer_expect_fence(&peer, 1, put_fence(&peer));
	peer_stop(&peer);
}

static void test_exported_semaphore(void) {
	struct peer peer;
	start(&peer, "");
	for (uint64_t i = 1; i < 200; i++) {
		submit(&peer, GATE, i, SEMAPHORE, 2 * i - 1, 0);
		DO(&peer, vkWaitSemaphoreResourceMESA, .device = DEVICE,
			.semaphore = ID(Semaphore, SEMAPHORE));
		open_gate(&peer, i);
		/* it can be signalled again, and waited for */
		submit(&peer, 0, 0, SEMAPHORE, 2 * i, 0);
		if (i % 50 == 0) {
			peer_expect_fence(&peer, 1, put_fence(&peer));
		}
		DO(&peer, vkWaitSemaphoreResourceMESA, .device = DEVICE,
			.semaphore = ID(Semaphore, SEMAPHORE));
	}
	submit(&peer, 0, 0, SEMAPHORE, 1000, 0);
	submit(&peer, SEMAPHORE, 0, 0, 1001, FENCE);
	CHECK_INT(wait_for_fence(&peer, LONG), VK_SUCCESS);
	peer_expect_fence(&peer, 1, put_fence(&peer));
	peer_stop(&peer);
}

static void import(struct peer *peer, uint64_t semaphore) {
	const VkImportSemaphoreResourceInfoMESA info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_RESOURCE_INFO_MESA,
		.semaphore = ID(Semaphore, semaphore),
	};
	DO(peer, vkImportSemaphoreResourceMESA, .device = DEVICE,
		.pImportSemaphoreResourceInfo = &info);
}

static void test_imported_semaphore(void) {
	struct peer peer;
	start(&peer, "");
	uint64_t count = 0;
	for (int i = 0; i < 10; i++) {
		import(&peer, SEMAPHORE);
		if (i % 2) {
			submit(&peer, SEMAPHORE, 0, 0, ++count, 0);
		} else {
			submit2(&peer, SEMAPHORE, 0, ++count);
		}
		CHECK_INT(wait_for_count(&peer, count, LONG), VK_SUCCESS);
		/* an import counts once */
		submit(&peer, 0, 0, SEMAPHORE, ++count, 0);
		submit(&peer, SEMAPHORE, 0, 0, ++count, FENCE);
		CHECK_INT(wait_for_fence(&peer, LONG), VK_SUCCESS);
		reset_fence(&peer);
	}
	/* over another, exported, and never used */
	import(&peer, SEMAPHORE);
	import(&peer, SEMAPHORE);
	import(&peer, OTHER_SEMAPHORE);
	DO(&peer, vkWaitSemaphoreResourceMESA, .device = DEVICE,
		.semaphore = ID(Semaphore, SEMAPHORE));
	submit(&peer, 0, 0, SEMAPHORE, ++count, 0);
	submit(&peer, SEMAPHORE, 0, 0, ++count, FENCE);
	CHECK_INT(wait_for_fence(&peer, LONG), VK_SUCCESS);
	import(&peer, SEMAPHORE);
	DO(&peer, vkDestroySemaphore, .device = DEVICE, .semaphore = ID(Semaphore, SEMAPHORE));
	peer_expect_fence(&peer, 1, put_fence(&peer));
	peer_stop(&peer); /* with an import that nobody waited for */
}

static void test_refused_import_is_there_again(void) {
	struct peer peer;
	start(&peer, "vkQueueSubmit:1:VK_ERROR_OUT_OF_HOST_MEMORY");
	import(&peer, SEMAPHORE);
	const VkSemaphore wait = ID(Semaphore, SEMAPHORE);
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = 1,
		.pWaitSemaphores = &wait,
		.pWaitDstStageMask = &stage,
	};
	struct venus_vkQueueSubmit once = {.queue = PEER_QUEUE_HANDLE, .submitCount = 1,
		.pSubmits = &info, .fence = ID(Fence, FENCE)};
	PEER_CALL(&peer, vkQueueSubmit, &once);
	CHECK_INT(once.ret, VK_ERROR_OUT_OF_HOST_MEMORY);
	PEER_CALL(&peer, vkQueueSubmit, &once);
	CHECK_INT(once.ret, VK_SUCCESS);
	CHECK_INT(wait_for_fence(&peer, LONG), VK_SUCCESS);
	peer_stop(&peer);
}

/** The host makes no other semaphore or fence in place of the exported one. */
static void test_refused_exports(void) {
	struct peer peer;
	start(&peer, "vkCreateSemaphore:5:VK_ERROR_OUT_OF_HOST_MEMORY,"
		     "vkCreateFence:2:VK_ERROR_OUT_OF_HOST_MEMORY");
	submit(&peer, GATE, 1, SEMAPHORE, 1, FENCE);
	DO(&peer, vkWaitSemaphoreResourceMESA, .device = DEVICE,
		.semaphore = ID(Semaphore, SEMAPHORE));
	DO(&peer, vkResetFenceResourceMESA, .device = DEVICE, .fence = ID(Fence, FENCE));
	open_gate(&peer, 1);
	submit(&peer, SEMAPHORE, 0, 0, 2, FENCE);
	CHECK_INT(wait_for_count(&peer, 2, LONG), VK_SUCCESS);
	CHECK(wait_for_fence(&peer, LONG) < 0);
	DO(&peer, vkDestroyFence, .device = DEVICE, .fence = ID(Fence, FENCE));
	DO(&peer, vkDestroySemaphore, .device = DEVICE, .semaphore = ID(Semaphore, SEMAPHORE));
	peer_expect_fence(&peer, 1, put_fence(&peer));
	peer_stop(&peer);
}

/* --- rings --- */

/** One more ring of the same context. It never sleeps, so that it need not be rung at. */
static void add_ring(struct peer *first, struct peer *second, const void *next) {
	peer_init(second, first->transport);
	peer_layout_ring(second, 4096);
	second->ring_info.pNext = next;
	second->ring_info.resourceId = 3;
	second->ring_info.idleTimeout = UINT64_MAX;
	CHECK_INT(peer_create_blob(first, 3, RENDER_BLOB_MAPPABLE, 0, second->ring_info.size,
			  &second->ring_shm), 0);
	uint8_t *base = second->ring_shm.data;
	second->head = (_Atomic uint32_t *)(void *)base;
	second->tail = (_Atomic uint32_t *)(void *)(base + second->ring_info.tailOffset);
	second->status = (_Atomic uint32_t *)(void *)(base + second->ring_info.statusOffset);
	second->buffer = base + second->ring_info.bufferOffset;
	peer_begin(first);
	PEER_ADD(first, vkCreateRingMESA, .ring = SECOND_RING_ID, .pCreateInfo = &second->ring_info);
	peer_submit(first, -1);
	peer_sync(first);
}

static void remove_ring(struct peer *first, struct peer *second) {
	peer_begin(first);
	PEER_ADD(first, vkDestroyRingMESA, .ring = SECOND_RING_ID);
	peer_submit(first, -1);
	peer_sync(first);
	const struct render_detach_resource detach = {.resource_id = 3};
	CHECK_INT(channel_send(&first->channel, RENDER_REQUEST_DETACH_RESOURCE, &detach,
			  sizeof(detach), NULL, 0, NULL, 0), 0);
	shmem_finish(&second->ring_shm);
}

/**
 * As guests of protocol versions 1, 2 and later make them; with a child's and with a parent's
 * priority.
 */
static void test_ring_generations(void) {
	struct peer peer, second;
	start(&peer, "");
	const VkRingPriorityInfoMESA nice = {
		.sType = VK_STRUCTURE_TYPE_RING_PRIORITY_INFO_MESA, .priority = 5};
	const VkRingMonitorInfoMESA monitor = {
		.sType = VK_STRUCTURE_TYPE_RING_MONITOR_INFO_MESA,
		.pNext = &nice,
		.maxReportingPeriodMicroseconds = 3000000,
	};
	const VkRingPriorityInfoMESA mean = {
		.sType = VK_STRUCTURE_TYPE_RING_PRIORITY_INFO_MESA, .priority = -1000000};
	const void *const chains[] = {NULL, &nice, &monitor, &mean};
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		add_ring(&peer, &second, chains[i]);
		const bool alive = atomic_load(second.status) & 4;
		CHECK_INT(alive, chains[i] == &monitor);
		peer_begin(&peer);
		PEER_ADD(&peer, vkSubmitVirtqueueSeqnoMESA, .ring = SECOND_RING_ID, .seqno = 1);
		peer_submit(&peer, -1);
		DO(&second, vkWaitVirtqueueSeqnoMESA, .seqno = 1);
		CHECK(peer_ring_wait(&second));
		remove_ring(&peer, &second);
	}
	peer_stop(&peer);
}

/** A ring that waits for long holds up neither others nor the context path, and is alive. */
static void test_waits_hold_up_nobody_else(void) {
	struct peer peer, second;
	start(&peer, "");
	const VkRingMonitorInfoMESA monitor = {
		.sType = VK_STRUCTURE_TYPE_RING_MONITOR_INFO_MESA,
		.maxReportingPeriodMicroseconds = 100000,
	};
	add_ring(&peer, &second, &monitor);
	submit(&peer, GATE, 1, 0, 1, FENCE);
	const uint64_t fence = put_fence(&peer);
	CHECK(peer_ring_wait(&peer));

	const VkFence waited = ID(Fence, FENCE);
	const uint64_t count = 2;
	const VkSemaphore semaphore = ID(Semaphore, COUNTER);
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &semaphore,
		.pValues = &count,
	};
	DO(&second, vkWaitForFences, .device = DEVICE, .fenceCount = 1, .pFences = &waited,
		.waitAll = VK_TRUE, .timeout = UINT64_MAX);
	DO(&second, vkWaitSemaphores, .device = DEVICE, .pWaitInfo = &info, .timeout = UINT64_MAX);
	for (int i = 0; i < 3; i++) {
		atomic_fetch_and(second.status, ~UINT32_C(4));
		CHECK(peer_wait_bit(second.status, 4, true, 30000));
		CHECK_INT(fence_status(&peer), VK_NOT_READY);
		peer_sync(&peer);
	}
	CHECK_INT(atomic_load(second.head), 0);
	open_gate(&peer, 1);
	peer_expect_fence(&peer, 1, fence);
	submit(&peer, 0, 0, 0, 2, 0);
	CHECK(peer_ring_wait(&second));
	remove_ring(&peer, &second);
	peer_stop(&peer);
}

/** A ring that waits for ever can be destroyed, and so can the context. */
static void test_endless_waits_end(void) {
	for (int with_ring = 0; with_ring < 2; with_ring++) {
		struct peer peer, second;
		start(&peer, "");
		add_ring(&peer, &second, NULL);
		const VkFence fence = ID(Fence, FENCE);
		DO(&second, vkWaitForFences, .device = DEVICE, .fenceCount = 1, .pFences = &fence,
			.waitAll = VK_TRUE, .timeout = UINT64_MAX);
		clock_sleep(20 * CLOCK_NS_PER_MS);
		CHECK_INT(atomic_load(second.head), 0);
		const uint64_t begin = clock_now();
		if (with_ring) {
			remove_ring(&peer, &second);
		} else {
			shmem_finish(&second.ring_shm);
		}
		peer_stop(&peer);
		CHECK(clock_now() - begin < RENDER_EXIT_GRACE_MS * CLOCK_NS_PER_MS);
	}
}

/* --- queues --- */

static void get_queue(struct peer *peer, uint64_t id, const VkDeviceQueueInfo2 *info) {
	VkQueue queue = ID(Queue, id);
	DO(peer, vkGetDeviceQueue2, .device = DEVICE, .pQueueInfo = info, .pQueue = &queue);
}

/** Look-ups that there is no answer to; each ends its context. */
static void test_wrong_queues(void) {
	VkDeviceQueueTimelineInfoMESA timelines[] = {
		{.ringIdx = 2}, {.ringIdx = 2}, {.ringIdx = 2}, {.ringIdx = 2}, {.ringIdx = 0},
		{.ringIdx = 64}, {.ringIdx = 1}, {.ringIdx = 2},
	};
	const struct {
		VkDeviceQueueInfo2 info;
		const char *reason;
	} cases[] = {
		{{.queueFamilyIndex = 1}, "has no such queue"},
		{{.queueFamilyIndex = UINT32_MAX}, "has no such queue"},
		{{.queueIndex = 1}, "has no such queue"},
		{{.flags = VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT}, "has no such queue"},
		{{0}, "ringIdx is out of range"},
		{{0}, "ringIdx is out of range"},
		{{0}, "was fetched before"},
		{{0}, "was fetched before"},
		{{0}, "no VkDeviceQueueTimelineInfoMESA"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer peer;
		start(&peer, "");
		VkDeviceQueueInfo2 info = cases[i].info;
		info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2;
		if (i < sizeof(timelines) / sizeof(timelines[0])) {
			timelines[i].sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA;
			info.pNext = &timelines[i];
		}
		submit(&peer, 0, 0, 0, 1, 0);
		peer_expect_fence(&peer, 1, put_fence(&peer));
		get_queue(&peer, SECOND_QUEUE, &info);
		peer_expect_lost(&peer, cases[i].reason);
		peer_expect_fence(&peer, 1, put_fence(&peer));
		peer_stop(&peer);
	}
}

/** Guests wait for queues by fences, and say which timeline a queue is. */
static void test_forbidden_waits(void) {
	for (int i = 0; i < 3; i++) {
		struct peer peer;
		start(&peer, "");
		submit(&peer, 0, 0, 0, 1, 0);
		if (i == 0) {
			DO(&peer, vkQueueWaitIdle, .queue = PEER_QUEUE_HANDLE);
		} else if (i == 1) {
			DO(&peer, vkDeviceWaitIdle, .device = DEVICE);
		} else {
			VkQueue queue = ID(Queue, SECOND_QUEUE);
			DO(&peer, vkGetDeviceQueue, .device = DEVICE, .pQueue = &queue);
		}
		peer_expect_lost(&peer, "never accepted");
		peer_stop(&peer);
	}
}

/* --- query pools --- */

static void test_query_results_fit(void) {
	static const struct {
		uint32_t first, count;
		uint64_t size, stride;
		VkQueryResultFlags flags;
		bool good;
	} cases[] = {
		{0, 8, 32, 4, 0, true},
		{0, 8, 64, 8, VK_QUERY_RESULT_64_BIT, true},
		{0, 8, 64, 8, VK_QUERY_RESULT_WITH_AVAILABILITY_BIT, true},
		{0, 8, 128, 16, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT, true},
		{0, 8, 116, 16, VK_QUERY_RESULT_PARTIAL_BIT, true}, /* the last needs no stride */
		{0, 8, 4, 0, 0, true},                              /* all to the same place */
		{7, 1, 4, 0, 0, true},
		{7, 1, 4, UINT64_MAX, 0, true},
		{0, 0, 0, 0, 0, true},
		{8, 0, 0, 0, 0, true},
		{0, 9, 64, 4, 0, false},
		{8, 1, 64, 4, 0, false},
		{9, 0, 64, 4, 0, false},
		{1, UINT32_MAX, 64, 4, 0, false},
		{0, 8, 28, 4, 0, false},
		{0, 8, 60, 8, VK_QUERY_RESULT_64_BIT, false},
		{0, 1, 8, 8, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT, false},
		{0, 2, 64, UINT64_MAX - 3, 0, false},
		{0, 2, 64, 2, 0, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer peer;
		start(&peer, "");
		const VkQueryPoolCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
			.queryType = VK_QUERY_TYPE_OCCLUSION,
			.queryCount = 8,
		};
		VkQueryPool pool = ID(QueryPool, QUERIES);
		DO(&peer, vkCreateQueryPool, .device = DEVICE, .pCreateInfo = &info,
			.pQueryPool = &pool);
		uint8_t data[256];
		struct venus_vkGetQueryPoolResults get = {
			.device = DEVICE,
			.queryPool = pool,
			.firstQuery = cases[i].first,
			.queryCount = cases[i].count,
			.dataSize = (size_t)cases[i].size,
			.pData = data,
			.stride = cases[i].stride,
			.flags = cases[i].flags,
		};
		if (cases[i].good) {
			PEER_CALL(&peer, vkGetQueryPoolResults, &get);
			CHECK(get.ret >= 0);
		} else {
			peer_begin_call(&peer);
			venus_encode_vkGetQueryPoolResults_request(&peer.encoder, 1, &get);
			peer_ring_write(&peer);
			peer_expect_lost(&peer, "vkGetQueryPoolResults: the ");
		}
		peer_stop(&peer);
	}
}

int main(int argc, char **argv) {
	const bool faults = argc == 3 && strcmp(argv[2], "--faults") == 0;
	if (argc != 2 && !faults) {
		fprintf(stderr, "usage: %s VENERA-RENDER [--faults]\n", argv[0]);
		return 2;
	}
	program = argv[1];
	log_init("test", LOG_LEVEL_INFO);
	if (faults) {
		RUN(test_refused_fences_are_owed);
		RUN(test_owed_fences_end);
		RUN(test_lost_device);
		RUN(test_lost_device_is_told);
		RUN(test_refused_submissions_are_made);
		RUN(test_refused_import_is_there_again);
		RUN(test_refused_exports);
		RUN(test_devices_fail);
		return 0;
	}
	RUN(test_fences_wait);
	RUN(test_exported_fence);
	RUN(test_exported_semaphore);
	RUN(test_imported_semaphore);
	RUN(test_ring_generations);
	RUN(test_waits_hold_up_nobody_else);
	RUN(test_endless_waits_end);
	RUN(test_wrong_queues);
	RUN(test_forbidden_waits);
	RUN(test_query_results_fit);
	return 0;
}
