/* SPDX-License-Identifier: MIT */

/* What one context can have, and what it gets where that ends. The witness has the usual limits. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../hostile/witness.h"
#include "../unit/test.h"

#define DEVICE PEER_DEVICE_HANDLE
#define H(type, id) PEER_HANDLE(type, id)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

enum {
	FIRST = 0x1000,
	SECOND_RING = 0x300,
	STREAM_RESOURCE = 60,
};

static VkResult make_buffer(struct peer *peer, uint64_t id) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 64,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = H(VkBuffer, id);
	struct venus_vkCreateBuffer args = {.device = DEVICE, .pCreateInfo = &info, .pBuffer = &buffer};
	PEER_CALL(peer, vkCreateBuffer, &args);
	return args.ret;
}

static void destroy_buffer(struct peer *peer, uint64_t id) {
	peer_begin(peer);
	PEER_ADD(peer, vkDestroyBuffer, .device = DEVICE, .buffer = H(VkBuffer, id));
	peer_ring_write(peer);
}

/* --- one function for each limit; whatever it leaves, the context goes on --- */

static void objects(struct peer *peer) {
	uint64_t id = FIRST;
	while (make_buffer(peer, id) == VK_SUCCESS) {
		id++;
	}
	/* instance, physical device, device and queue are objects, too */
	CHECK_INT(id - FIRST, 40 - 4);
	CHECK_INT(make_buffer(peer, id), VK_ERROR_OUT_OF_HOST_MEMORY);
	destroy_buffer(peer, FIRST);
	CHECK_INT(make_buffer(peer, id), VK_SUCCESS);

	/* without a reply it becomes a failed object, which can be named */
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 64,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = H(VkBuffer, id + 1);
	VkMemoryRequirements needs;
	peer_begin(peer);
	PEER_ADD(peer, vkCreateBuffer, .device = DEVICE, .pCreateInfo = &info, .pBuffer = &buffer);
	peer_ring_write(peer);
	struct venus_vkGetBufferMemoryRequirements get = {
		.device = DEVICE, .buffer = H(VkBuffer, id + 1), .pMemoryRequirements = &needs};
	PEER_CALL(peer, vkGetBufferMemoryRequirements, &get);

	/* commands that make several, or other kinds */
	const VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
	VkCommandPool pool = H(VkCommandPool, id + 2);
	struct venus_vkCreateCommandPool create_pool = {
		.device = DEVICE, .pCreateInfo = &pool_info, .pCommandPool = &pool};
	PEER_CALL(peer, vkCreateCommandPool, &create_pool);
	CHECK_INT(create_pool.ret, VK_ERROR_OUT_OF_HOST_MEMORY);
	const VkSemaphoreCreateInfo semaphore_info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	VkSemaphore semaphore = H(VkSemaphore, id + 3);
	struct venus_vkCreateSemaphore create_semaphore = {
		.device = DEVICE, .pCreateInfo = &semaphore_info, .pSemaphore = &semaphore};
	PEER_CALL(peer, vkCreateSemaphore, &create_semaphore);
	CHECK_INT(create_semaphore.ret, VK_ERROR_OUT_OF_HOST_MEMORY);
	const VkEventCreateInfo event_info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	VkEvent event = H(VkEvent, id + 4);
	struct venus_vkCreateEvent create_event = {
		.device = DEVICE, .pCreateInfo = &event_info, .pEvent = &event};
	PEER_CALL(peer, vkCreateEvent, &create_event);
	CHECK_INT(create_event.ret, VK_ERROR_OUT_OF_HOST_MEMORY);
}

/** A guest that never listens: failed objects end somewhere, too. */
static void failed_objects(struct peer *peer) {
	const VkEventCreateInfo info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	for (uint64_t id = FIRST; id < FIRST + 66000; id += 64) {
		peer_begin(peer);
		for (uint64_t i = id; i < id + 64; i++) {
			VkEvent event = H(VkEvent, i);
			PEER_ADD(peer, vkCreateEvent, .device = DEVICE, .pCreateInfo = &info,
				.pEvent = &event);
		}
		peer_ring_write(peer);
		if (!peer_ring_wait(peer)) {
			return;
		}
	}
}

static void rings(struct peer *peer) {
	peer_layout_ring(peer, 4096);
	for (uint32_t i = 0; i < 2; i++) {
		CHECK_INT(peer_create_blob(peer, STREAM_RESOURCE + i, RENDER_BLOB_MAPPABLE, 0,
				  peer->ring_info.size, NULL), 0);
		peer->ring_info.resourceId = STREAM_RESOURCE + i;
		peer_begin(peer);
		PEER_ADD(peer, vkCreateRingMESA, .ring = SECOND_RING + i,
			.pCreateInfo = &peer->ring_info);
		peer_submit(peer, -1);
	}
}

static VkResult allocate(struct peer *peer, uint64_t id, uint64_t size) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = size,
	};
	VkDeviceMemory memory = H(VkDeviceMemory, id);
	struct venus_vkAllocateMemory args = {
		.device = DEVICE, .pAllocateInfo = &info, .pMemory = &memory};
	PEER_CALL(peer, vkAllocateMemory, &args);
	return args.ret;
}

static void free_memory(struct peer *peer, uint64_t id) {
	peer_begin(peer);
	PEER_ADD(peer, vkFreeMemory, .device = DEVICE, .memory = H(VkDeviceMemory, id));
	peer_ring_write(peer);
}

static void memory_objects(struct peer *peer) {
	for (uint64_t i = 0; i < 3; i++) {
		CHECK_INT(allocate(peer, FIRST + i, 4096), VK_SUCCESS);
	}
	CHECK_INT(allocate(peer, FIRST + 3, 4096), VK_ERROR_TOO_MANY_OBJECTS);
	free_memory(peer, FIRST + 1);
	CHECK_INT(allocate(peer, FIRST + 3, 4096), VK_SUCCESS);
	CHECK_INT(allocate(peer, FIRST + 4, 4096), VK_ERROR_TOO_MANY_OBJECTS);
}

static void memory(struct peer *peer) {
	CHECK_INT(allocate(peer, FIRST, 9 * MIB), VK_ERROR_OUT_OF_DEVICE_MEMORY);
	CHECK_INT(allocate(peer, FIRST, UINT64_MAX / 2), VK_ERROR_OUT_OF_DEVICE_MEMORY);
	CHECK_INT(allocate(peer, FIRST, 5 * MIB), VK_SUCCESS);
	CHECK_INT(allocate(peer, FIRST + 1, 5 * MIB), VK_ERROR_OUT_OF_DEVICE_MEMORY);
	CHECK_INT(allocate(peer, FIRST + 1, 3 * MIB), VK_SUCCESS);
	free_memory(peer, FIRST);
	CHECK_INT(allocate(peer, FIRST + 2, 5 * MIB), VK_SUCCESS);
}

/** Blobs that are no VkDeviceMemory count, and what a blob still shows of one that was freed. */
static void shared_memory(struct peer *peer) {
	CHECK_INT(peer_create_blob(peer, 60, RENDER_BLOB_MAPPABLE, 0, 9 * MIB, NULL), -ENOMEM);
	CHECK_INT(peer_create_blob(peer, 60, RENDER_BLOB_MAPPABLE, 0, UINT64_MAX, NULL), -ENOMEM);
	CHECK_INT(peer_create_blob(peer, 60, RENDER_BLOB_MAPPABLE, 0, 3 * MIB, NULL), 0);
	CHECK_INT(allocate(peer, FIRST, 5 * MIB), VK_ERROR_OUT_OF_DEVICE_MEMORY);
	CHECK_INT(allocate(peer, FIRST, 4 * MIB), VK_SUCCESS);
	CHECK_INT(peer_create_blob(peer, 61, RENDER_BLOB_MAPPABLE, FIRST, 4 * MIB, NULL), 0);
	free_memory(peer, FIRST);
	CHECK_INT(allocate(peer, FIRST + 1, 4 * MIB), VK_ERROR_OUT_OF_DEVICE_MEMORY);
	peer_detach(peer, 61);
	peer_sync(peer);
	CHECK_INT(allocate(peer, FIRST + 1, 4 * MIB), VK_SUCCESS);

	/* memory of other contexts counts where it is used */
	struct shmem other;
	CHECK_INT(shmem_create(&other, "other", 4 * MIB), 0);
	const struct render_attach_resource attach = {
		.resource_id = 62, .map_info = RENDER_MAP_CACHED, .size = 4 * MIB};
	CHECK_INT(channel_send(&peer->channel, RENDER_REQUEST_ATTACH_RESOURCE, &attach,
			  sizeof(attach), NULL, 0, &other.fd, 1), 0);
	shmem_finish(&other);
	CHECK_INT(peer_create_blob(peer, 62, RENDER_BLOB_MAPPABLE, 0, 4096, NULL), 0);
}

static VkResult make_descriptor_pool(struct peer *peer, uint64_t id, uint32_t sets, uint32_t size) {
	const VkDescriptorPoolSize pool_size = {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, size};
	const VkDescriptorPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = sets,
		.poolSizeCount = 1,
		.pPoolSizes = &pool_size,
	};
	VkDescriptorPool pool = H(VkDescriptorPool, id);
	struct venus_vkCreateDescriptorPool args = {
		.device = DEVICE, .pCreateInfo = &info, .pDescriptorPool = &pool};
	PEER_CALL(peer, vkCreateDescriptorPool, &args);
	return args.ret;
}

static void descriptors(struct peer *peer) {
	CHECK_INT(make_descriptor_pool(peer, FIRST, UINT32_MAX, UINT32_MAX),
		VK_ERROR_OUT_OF_HOST_MEMORY);
	CHECK_INT(make_descriptor_pool(peer, FIRST, 10, 50), VK_SUCCESS);
	CHECK_INT(make_descriptor_pool(peer, FIRST + 1, 10, 50), VK_ERROR_OUT_OF_HOST_MEMORY);
	peer_begin(peer);
	PEER_ADD(peer, vkDestroyDescriptorPool, .device = DEVICE,
		.descriptorPool = H(VkDescriptorPool, FIRST));
	peer_ring_write(peer);
	CHECK_INT(make_descriptor_pool(peer, FIRST + 1, 10, 50), VK_SUCCESS);
}

static VkResult make_queries(struct peer *peer, uint64_t id, uint32_t count) {
	const VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_OCCLUSION,
		.queryCount = count,
	};
	VkQueryPool pool = H(VkQueryPool, id);
	struct venus_vkCreateQueryPool args = {
		.device = DEVICE, .pCreateInfo = &info, .pQueryPool = &pool};
	PEER_CALL(peer, vkCreateQueryPool, &args);
	return args.ret;
}

static void queries(struct peer *peer) {
	CHECK_INT(make_queries(peer, FIRST, UINT32_MAX), VK_ERROR_OUT_OF_HOST_MEMORY);
	CHECK_INT(make_queries(peer, FIRST, 60), VK_SUCCESS);
	CHECK_INT(make_queries(peer, FIRST + 1, 60), VK_ERROR_OUT_OF_HOST_MEMORY);
	peer_begin(peer);
	PEER_ADD(peer, vkDestroyQueryPool, .device = DEVICE, .queryPool = H(VkQueryPool, FIRST));
	peer_ring_write(peer);
	CHECK_INT(make_queries(peer, FIRST + 1, 60), VK_SUCCESS);
}

/** Executes `size` bytes of a resource, filled in by `fill` if that is not NULL. */
static void execute_stream(
		struct peer *peer, uint64_t size, void (*fill)(struct venus_encoder *encoder)) {
	struct shmem shm;
	CHECK_INT(peer_create_blob(peer, STREAM_RESOURCE, RENDER_BLOB_MAPPABLE, 0, size, &shm), 0);
	if (fill) {
		struct venus_encoder encoder = {
			.cursor = shm.data, .end = (uint8_t *)shm.data + size};
		fill(&encoder);
		CHECK(!encoder.overflow);
		size = (uint64_t)(encoder.cursor - (uint8_t *)shm.data);
	}
	shmem_finish(&shm);
	const VkCommandStreamDescriptionMESA stream = {.resourceId = STREAM_RESOURCE, .size = size};
	peer_begin(peer);
	PEER_ADD(peer, vkExecuteCommandStreamsMESA, .streamCount = 1, .pStreams = &stream);
	peer_ring_write(peer);
}

static void stream_bytes(struct peer *peer) {
	execute_stream(peer, 128 * KIB, NULL);
}

static void fill_arena(struct venus_encoder *encoder) {
	enum { COUNT = 40000 };
	static VkCommandBuffer nothing[COUNT];
	venus_encode_vkFreeCommandBuffers_request(encoder, 0, &(struct venus_vkFreeCommandBuffers){
		.device = DEVICE, .commandPool = H(VkCommandPool, FIRST), .commandBufferCount = COUNT,
		.pCommandBuffers = nothing});
}

static void arena(struct peer *peer) {
	const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
	VkCommandPool pool = H(VkCommandPool, FIRST);
	PEER_ADD(peer, vkCreateCommandPool, .device = DEVICE, .pCreateInfo = &info,
		.pCommandPool = &pool);
	peer_ring_write(peer);
	execute_stream(peer, MIB, fill_arena);
}

/** Outputs, of which the guest sends only how many there shall be. */
static void outputs(struct peer *peer, bool wants_reply, uint32_t count) {
	struct venus_vkEnumerateInstanceExtensionProperties args = {
		.pPropertyCount = &count, .pProperties = NULL};
	/* as the encoder has it, but for the array's length, which is its last word */
	peer_begin(peer);
	if (wants_reply) {
		peer_begin_call(peer);
	}
	static VkExtensionProperties properties[1];
	uint32_t one = 1;
	args.pPropertyCount = &one;
	args.pProperties = properties;
	uint8_t *begin = peer->encoder.cursor;
	venus_encode_vkEnumerateInstanceExtensionProperties_request(
		&peer->encoder, wants_reply, &args);
	const uint64_t wide = count;
	unsigned replaced = 0;
	/* behind the header: pLayerName, then the count, then the array's length */
	for (uint8_t *at = begin + 8; at + 4 <= peer->encoder.cursor; at += 4) {
		uint32_t word;
		memcpy(&word, at, 4);
		if (word == 1 && replaced == 1) {
			memcpy(at, &count, 4);
			replaced++;
		} else if (word == 1 && replaced == 2) {
			memcpy(at, &wide, 4);
			replaced++;
		} else if (word == 1) {
			replaced++; /* the pointer to the count is not NULL */
		}
	}
	CHECK_INT(replaced, 3);
	peer_ring_write(peer);
}

static void outputs_unheard(struct peer *peer) {
	outputs(peer, false, 200000);
}

static void outputs_beyond_reply(struct peer *peer) {
	outputs(peer, true, 200000);
}

/* --- */

static const struct limit_case {
	const char *option;
	const char *text; /* in the log, once */
	bool loses;       /* the context; else it goes on */
	void (*run)(struct peer *peer);
} limit_cases[] = {
	{"--limit=objects=40", "limit reached: objects=40", false, objects},
	{"--limit=objects=40", "far too many objects", true, failed_objects},
	{"--limit=rings=2", "limit reached: rings=2", true, rings},
	{"--limit=memory-objects=3", "limit reached: memory-objects=3", false, memory_objects},
	{"--limit=memory=8M", "limit reached: memory=8M", false, memory},
	{"--limit=memory-total=8M", "limit reached: memory-total=8M", false, memory},
	{"--limit=shared-memory=8M", "limit reached: shared-memory=8M", false, shared_memory},
	{"--limit=shared-memory-total=8M", "limit reached: shared-memory-total=8M", false,
		shared_memory},
	{"--limit=descriptors=100", "limit reached: descriptors=100", false, descriptors},
	{"--limit=queries=100", "limit reached: queries=100", false, queries},
	{"--limit=stream-bytes=64K", "limit reached: stream-bytes=64K", true, stream_bytes},
	{"--limit=arena=256K", "out of temporary memory", true, arena},
	{NULL, "more outputs than the reply stream", true, outputs_unheard},
	{NULL, "more outputs than the reply stream", true, outputs_beyond_reply},
};

static int open_log(void) {
	char path[] = "/tmp/venera-limits-XXXXXX";
	const int fd = mkstemp(path);
	CHECK(fd >= 0);
	unlink(path);
	return fd;
}

/** The text stands in the log once, and the log is short. */
static void check_log(int fd, const char *text) {
	char log[16384];
	const ssize_t size = pread(fd, log, sizeof(log) - 1, 0);
	CHECK(size >= 0);
	log[size] = '\0';
	const char *found = strstr(log, text);
	if (!found || strstr(found + 1, text) || size == (ssize_t)sizeof(log) - 1) {
		fprintf(stderr, "'%s' should be in the log, once:\n%s", text, log);
		exit(1);
	}
}

static void run_case(const struct limit_case *c, const char *program) {
	const int log_fd = open_log();
	struct peer peer;
	peer_start_logged(&peer, program, c->option, log_fd);
	peer_create_ring(&peer, 65536);
	peer_create_device(&peer, &(struct peer_device_options){.api_version = VK_API_VERSION_1_3});
	peer_begin(&peer);
	c->run(&peer);
	if (c->loses) {
		peer_expect_lost(&peer, "");
	} else {
		uint32_t version = 0;
		struct venus_vkEnumerateInstanceVersion args = {.pApiVersion = &version};
		PEER_CALL(&peer, vkEnumerateInstanceVersion, &args);
		CHECK_INT(args.ret, VK_SUCCESS);
	}
	peer_stop(&peer);
	check_log(log_fd, c->text);
	close(log_fd);
}

int main(int argc, char *argv[]) {
	CHECK_INT(argc, 2);
	setvbuf(stdout, NULL, _IOLBF, 0);
	static struct witness witness;
	peer_start(&witness.peer, argv[1]);
	witness_start(&witness);
	for (size_t i = 0; i < sizeof(limit_cases) / sizeof(limit_cases[0]); i++) {
		const struct limit_case *c = &limit_cases[i];
		printf("%s: %s\n", c->option ? c->option : "outputs", c->text);
		run_case(c, argv[1]);
		witness_check(&witness);
	}
	witness_finish(&witness);
	return 0;
}
