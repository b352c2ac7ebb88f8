/* SPDX-License-Identifier: MIT */

/*
 * What a guest may not do: each case is a command that would be right but for one thing, and
 * must end in the error that names it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venus/venus_client.h"

static unsigned failures;
static struct epoch epoch;
static struct venus_object_table table;
static struct arena arena;
static _Alignas(8) uint8_t stream[4096];
static size_t stream_size;
static uint8_t *copy;

static void put_u32(uint32_t value) {
	venus_store_u32(stream + stream_size, value);
	stream_size += 4;
}

static void put_u64(uint64_t value) {
	venus_store_u64(stream + stream_size, value);
	stream_size += 8;
}

static struct venus_decoder decoder(void) {
	/* in an allocation of its own: reads behind its end are seen */
	free(copy);
	copy = malloc(stream_size ? stream_size : 1);
	if (!copy) {
		exit(1);
	}
	memcpy(copy, stream, stream_size);
	struct venus_decoder d = {
		.cursor = copy,
		.end = copy + stream_size,
		.arena = &arena,
		.objects = &table,
	};
	stream_size = 0;
	return d;
}

static void expect(const char *test, const struct venus_decoder *d, bool ok, const char *error,
		const char *argument) {
	if (ok != !error || (d->error == NULL) != ok) {
		fprintf(stderr, "%s: %s: %s\n", test, ok ? "accepted" : "refused",
			d->error ? d->error : "");
		failures++;
	} else if (error && (!strstr(d->error, error) || !d->error_argument ||
				    strcmp(d->error_argument, argument) != 0)) {
		fprintf(stderr, "%s: %s: %s\n", test, d->error_argument ? d->error_argument : "-",
			d->error);
		failures++;
	}
	arena_reset(&arena);
}

enum {
	INSTANCE = 1, PHYSICAL_DEVICE, DEVICE, COMMAND_BUFFER, BUFFER, IMAGE, LAYOUT, POOL, SET, FENCE,
	FAILED_BUFFER,
	OTHER_DEVICE = 101, OTHER_BUFFER, OTHER_IMAGE,
	NOTHING = 999,
};

static void add(uint64_t id, VkObjectType type, uint64_t device, bool failed) {
	struct venus_object *object = calloc(1, sizeof(*object));
	if (!object) {
		exit(1);
	}
	object->id = id;
	object->type = type;
	atomic_init(&object->handle, failed ? 0 : id << 8);
	object->device = device == id ? object : device ? venus_object_table_get(&table, device) : NULL;
	if (!venus_object_table_add(&table, object)) {
		exit(1);
	}
}

static void bind_index_buffer(const char *test, uint64_t command_buffer, uint64_t buffer,
		const char *error, const char *argument) {
	put_u64(command_buffer);
	put_u64(buffer);
	put_u64(0);
	put_u32(0);
	struct venus_decoder d = decoder();
	struct venus_vkCmdBindIndexBuffer args;
	expect(test, &d, venus_decode_vkCmdBindIndexBuffer(&d, &args), error, argument);
	if (!error && buffer == FAILED_BUFFER) {
		if (args.buffer || !args.buffer_object || d.failed_object != args.buffer_object) {
			fprintf(stderr, "%s: the failed object was not reported\n", test);
			failures++;
		}
	}
}

static void test_handles(void) {
	bind_index_buffer("right", COMMAND_BUFFER, BUFFER, NULL, NULL);
	bind_index_buffer("failed object", COMMAND_BUFFER, FAILED_BUFFER, NULL, NULL);
	bind_index_buffer("no object", COMMAND_BUFFER, NOTHING, "no object", "buffer");
	bind_index_buffer("other type", COMMAND_BUFFER, IMAGE, "another type", "buffer");
	bind_index_buffer("other device", COMMAND_BUFFER, OTHER_BUFFER, "another device", "buffer");
	bind_index_buffer("first is NULL", 0, BUFFER, "no object", "commandBuffer");
	bind_index_buffer("first of other type", BUFFER, BUFFER, "another type", "commandBuffer");

	/* a draw indirect buffer may never be NULL */
	put_u64(COMMAND_BUFFER);
	put_u64(0);
	put_u64(0);
	put_u32(1);
	put_u32(16);
	struct venus_decoder d = decoder();
	struct venus_vkCmdDrawIndirect indirect;
	expect("NULL", &d, venus_decode_vkCmdDrawIndirect(&d, &indirect), "NULL", "buffer");

	/* destroying nothing is allowed */
	put_u64(DEVICE);
	put_u64(0);
	put_u64(0);
	d = decoder();
	struct venus_vkDestroyBuffer destroy;
	expect("destroy NULL", &d, venus_decode_vkDestroyBuffer(&d, &destroy), NULL, NULL);
	if (destroy.buffer || destroy.buffer_object) {
		failures++;
	}

	/* allocation callbacks do not travel */
	put_u64(DEVICE);
	put_u64(BUFFER);
	put_u64(1);
	d = decoder();
	expect("allocator", &d, venus_decode_vkDestroyBuffer(&d, &destroy), "host pointers",
		"pAllocator");

	/* the pool is remembered */
	put_u64(DEVICE);
	put_u64(1);
	put_u32(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
	put_u64(0);
	put_u64(POOL);
	put_u32(0);
	put_u32(2);
	put_u64(2);
	put_u64(5001);
	put_u64(5002);
	d = decoder();
	struct venus_vkAllocateCommandBuffers allocate;
	expect("pool", &d, venus_decode_vkAllocateCommandBuffers(&d, &allocate), NULL, NULL);
	if (!d.pool || d.pool->id != POOL || d.device->id != DEVICE) {
		fprintf(stderr, "the pool was not remembered\n");
		failures++;
	}
}

static void allocate_command_buffers(const char *test, uint32_t count, uint64_t prefix,
		uint64_t id, const char *error, const char *argument) {
	put_u64(DEVICE);
	put_u64(1);
	put_u32(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
	put_u64(0);
	put_u64(POOL);
	put_u32(0);
	put_u32(count);
	put_u64(prefix);
	for (uint64_t i = 0; i < prefix && i < 4; i++) {
		put_u64(id);
	}
	struct venus_decoder d = decoder();
	struct venus_vkAllocateCommandBuffers args;
	expect(test, &d, venus_decode_vkAllocateCommandBuffers(&d, &args), error, argument);
}

static void test_arrays(void) {
	allocate_command_buffers("array", 2, 2, 5000, NULL, NULL);
	allocate_command_buffers("empty array", 0, 0, 5000, NULL, NULL);
	allocate_command_buffers("array is missing", 2, 0, 5000, "length", "pCommandBuffers");
	allocate_command_buffers("array is too long", 2, 3, 5000, "length", "pCommandBuffers");
	allocate_command_buffers("array is not there", UINT32_MAX, UINT32_MAX, 5000, "ends",
		"pCommandBuffers");
	allocate_command_buffers("new id 0", 2, 2, 0, "NULL", "pCommandBuffers");

	/* structures of 0 bytes: only the arena's limit stands against 4 billion of them */
	put_u64(PHYSICAL_DEVICE);
	put_u64(1);
	put_u32(UINT32_MAX);
	put_u64(UINT32_MAX);
	struct venus_decoder d = decoder();
	struct venus_vkGetPhysicalDeviceQueueFamilyProperties families;
	expect("billions of outputs", &d,
		venus_decode_vkGetPhysicalDeviceQueueFamilyProperties(&d, &families), "memory",
		"pQueueFamilyProperties");

	/* an output of any size */
	put_u64(DEVICE);
	put_u64(NOTHING);
	d = decoder();
	struct venus_vkGetQueryPoolResults results;
	expect("short", &d, venus_decode_vkGetQueryPoolResults(&d, &results), "ends", "device");

	/* strings */
	for (int i = 0; i < 4; i++) {
		put_u64(1);
		put_u32(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
		put_u64(0);
		put_u32(0);
		put_u64(0);
		put_u32(0);
		put_u64(0);
		put_u32(1);
		put_u64(1);
		switch (i) {
		case 0: /* its NUL is missing */
			put_u64(4);
			memcpy(stream + stream_size, "abcd", 4);
			stream_size += 4;
			break;
		case 1:
			put_u64(0);
			break;
		case 2:
			put_u64(UINT64_MAX);
			break;
		default:
			put_u64((uint64_t)1 << 32);
			break;
		}
		put_u64(0);
		put_u64(1);
		put_u64(5000);
		d = decoder();
		struct venus_vkCreateInstance create;
		bool ok = venus_decode_vkCreateInstance(&d, &create);
		if (i == 0 && ok && strcmp(create.pCreateInfo->ppEnabledExtensionNames[0], "abc") != 0) {
			fprintf(stderr, "string: not ended\n");
			failures++;
		}
		expect("string", &d, ok, i == 0 ? NULL : i == 1 ? "NULL" : "ends",
			"VkInstanceCreateInfo.ppEnabledExtensionNames");
	}
}

/** vkCreateBuffer with a chain of these sTypes; each structure has one word. */
static void create_buffer(const char *test, const uint32_t *stypes, size_t count,
		uint32_t sharing, const char *error, const char *argument) {
	put_u64(DEVICE);
	put_u64(1);
	put_u32(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
	for (size_t i = 0; i < count; i++) {
		put_u64(1);
		put_u32(stypes[i]);
	}
	put_u64(0);
	for (size_t i = 0; i < count; i++) {
		put_u32(0x10 + (uint32_t)i);
	}
	put_u32(0);
	put_u64(256);
	put_u32(1);
	put_u32(sharing);
	put_u32(3); /* without an array: legal unless the sharing mode needs it */
	put_u64(0);
	put_u64(0);
	put_u64(1);
	put_u64(5000);
	struct venus_decoder d = decoder();
	struct venus_vkCreateBuffer args;
	expect(test, &d, venus_decode_vkCreateBuffer(&d, &args), error, argument);
}

static void test_chains(void) {
	const uint32_t good = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
	const uint32_t bad = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO;
	create_buffer("no chain", NULL, 0, 0, NULL, NULL);
	create_buffer("chain", &good, 1, 0, NULL, NULL);
	create_buffer("foreign structure", &bad, 1, 0, "does not belong", "VkBufferCreateInfo");
	create_buffer("twice", (uint32_t[]){good, good}, 2, 0, "twice", "VkBufferCreateInfo");
	create_buffer("concurrent", NULL, 0, VK_SHARING_MODE_CONCURRENT, "NULL",
		"VkBufferCreateInfo.pQueueFamilyIndices");

	/* wrong sType of the head */
	put_u64(DEVICE);
	put_u64(1);
	put_u32(VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO);
	put_u64(0);
	struct venus_decoder d = decoder();
	struct venus_vkCreateFence fence;
	expect("sType", &d, venus_decode_vkCreateFence(&d, &fence), "sType", "VkFenceCreateInfo");

	/* a chain where there may be none */
	put_u64(COMMAND_BUFFER);
	put_u64(1);
	put_u32(VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2);
	put_u64(1);
	put_u32(good);
	put_u64(0);
	d = decoder();
	struct venus_vkCmdCopyBuffer2 copy_buffer;
	expect("no chain allowed", &d, venus_decode_vkCmdCopyBuffer2(&d, &copy_buffer),
		"does not belong", "VkCopyBufferInfo2");

	/* a mandatory structure is missing */
	put_u64(DEVICE);
	put_u64(0);
	put_u64(0);
	put_u64(1);
	put_u64(5000);
	d = decoder();
	expect("missing structure", &d, venus_decode_vkCreateFence(&d, &fence), "NULL", "pCreateInfo");

	/* the object's id is missing */
	put_u64(DEVICE);
	put_u64(1);
	put_u32(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
	put_u64(0);
	put_u32(0);
	put_u64(0);
	put_u64(1);
	put_u64(0);
	d = decoder();
	expect("new id is 0", &d, venus_decode_vkCreateFence(&d, &fence), "NULL", "pFence");

	/* a handle of another device deep inside */
	put_u64(COMMAND_BUFFER);
	put_u32(0);
	put_u32(0);
	put_u32(0);
	put_u32(0);
	put_u64(0);
	put_u32(1);
	put_u64(1);
	put_u32(VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER);
	put_u64(0);
	put_u32(0);
	put_u32(0);
	put_u32(0);
	put_u32(0);
	put_u64(OTHER_BUFFER);
	put_u64(0);
	put_u64(0);
	put_u32(0);
	put_u64(0);
	d = decoder();
	struct venus_vkCmdPipelineBarrier barrier;
	expect("barrier of another device", &d, venus_decode_vkCmdPipelineBarrier(&d, &barrier),
		"another device", "VkBufferMemoryBarrier.buffer");
}

static void write_descriptor(const char *test, uint32_t type, uint64_t images, uint64_t buffers,
		const char *error, const char *argument) {
	put_u64(DEVICE);
	put_u32(1);
	put_u64(1);
	put_u32(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
	put_u64(0);
	put_u64(SET);
	put_u32(0);
	put_u32(0);
	put_u32(1);
	put_u32(type);
	put_u64(images);
	if (images) {
		put_u64(0);
		put_u64(0);
		put_u32(0);
	}
	put_u64(buffers);
	if (buffers) {
		put_u64(BUFFER);
		put_u64(0);
		put_u64(16);
	}
	put_u64(0);
	put_u32(0);
	put_u64(0);
	struct venus_decoder d = decoder();
	struct venus_vkUpdateDescriptorSets args;
	expect(test, &d, venus_decode_vkUpdateDescriptorSets(&d, &args), error, argument);
}

static void test_special(void) {
	write_descriptor("buffer", VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0, 1, NULL, NULL);
	write_descriptor("image", VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 1, 0, NULL, NULL);
	write_descriptor("buffer without array", VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, 0, "NULL",
		"VkWriteDescriptorSet.pBufferInfo");
	write_descriptor("image without array", VK_DESCRIPTOR_TYPE_SAMPLER, 0, 1, "NULL",
		"VkWriteDescriptorSet.pImageInfo");
	write_descriptor("inline block without data", VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 0, 0,
		"length", "VkWriteDescriptorSetInlineUniformBlock.dataSize");
	write_descriptor("unknown type", 12345, 1, 1, "unknown type",
		"VkWriteDescriptorSet.descriptorType");

	/* SPIR-V is made of words */
	put_u64(DEVICE);
	put_u64(1);
	put_u32(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
	put_u64(0);
	put_u32(0);
	put_u64(6);
	put_u64(1);
	put_u32(0x07230203);
	put_u64(0);
	put_u64(1);
	put_u64(5000);
	struct venus_decoder d = decoder();
	struct venus_vkCreateShaderModule module;
	expect("codeSize", &d, venus_decode_vkCreateShaderModule(&d, &module), "multiple of 4",
		"VkShaderModuleCreateInfo.codeSize");

	/* unions: a clear colour has three tags */
	for (uint32_t tag = 2; tag <= 3; tag++) {
		put_u64(COMMAND_BUFFER);
		put_u64(IMAGE);
		put_u32(0);
		put_u64(1);
		put_u32(tag);
		put_u64(4);
		put_u64(0);
		put_u64(0);
		put_u32(0);
		put_u64(0);
		d = decoder();
		struct venus_vkCmdClearColorImage clear;
		expect("union tag", &d, venus_decode_vkCmdClearColorImage(&d, &clear),
			tag == 2 ? NULL : "tag", "VkClearColorValue");
	}

	/* the tag must be what the structure says */
	for (uint32_t tag = 0; tag <= 1; tag++) {
		put_u64(DEVICE);
		put_u32(1);
		put_u64(1);
		put_u32(VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_BUILD_GEOMETRY_INFO_KHR);
		put_u64(0);
		put_u32(0);
		put_u32(0);
		put_u32(0);
		put_u64(0);
		put_u64(0);
		put_u32(1);
		put_u64(1);
		put_u32(VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR);
		put_u64(0);
		put_u32(VK_GEOMETRY_TYPE_AABBS_KHR);
		put_u32(tag);
		put_u32(VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_AABBS_DATA_KHR);
		put_u64(0);
		put_u32(0);
		put_u64(0x1000);
		put_u64(24);
		put_u32(0);
		put_u64(0); /* ppGeometries */
		put_u32(0);
		put_u64(0);
		put_u64(1);
		put_u32(3);
		put_u64(1);
		put_u32(VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_BUILD_SIZES_INFO_KHR);
		put_u64(0);
		d = decoder();
		struct venus_vkGetAccelerationStructureBuildSizesKHR sizes;
		expect("selector", &d, venus_decode_vkGetAccelerationStructureBuildSizesKHR(&d, &sizes),
			tag == 1 ? NULL : "tag", "VkAccelerationStructureGeometryDataKHR");
	}
}

int main(void) {
	arena_init(&arena, 1024 * 1024);
	epoch_init(&epoch);
	if (venus_object_table_init(&table, &epoch) < 0) {
		return 1;
	}
	add(INSTANCE, VK_OBJECT_TYPE_INSTANCE, 0, false);
	add(PHYSICAL_DEVICE, VK_OBJECT_TYPE_PHYSICAL_DEVICE, 0, false);
	add(DEVICE, VK_OBJECT_TYPE_DEVICE, DEVICE, false);
	add(COMMAND_BUFFER, VK_OBJECT_TYPE_COMMAND_BUFFER, DEVICE, false);
	add(BUFFER, VK_OBJECT_TYPE_BUFFER, DEVICE, false);
	add(IMAGE, VK_OBJECT_TYPE_IMAGE, DEVICE, false);
	add(LAYOUT, VK_OBJECT_TYPE_PIPELINE_LAYOUT, DEVICE, false);
	add(POOL, VK_OBJECT_TYPE_COMMAND_POOL, DEVICE, false);
	add(SET, VK_OBJECT_TYPE_DESCRIPTOR_SET, DEVICE, false);
	add(FENCE, VK_OBJECT_TYPE_FENCE, DEVICE, false);
	add(FAILED_BUFFER, VK_OBJECT_TYPE_BUFFER, DEVICE, true);
	add(OTHER_DEVICE, VK_OBJECT_TYPE_DEVICE, OTHER_DEVICE, false);
	add(OTHER_BUFFER, VK_OBJECT_TYPE_BUFFER, OTHER_DEVICE, false);
	add(OTHER_IMAGE, VK_OBJECT_TYPE_IMAGE, OTHER_DEVICE, false);

	test_handles();
	test_arrays();
	test_chains();
	test_special();

	free(copy);
	size_t cursor = 0;
	struct venus_object *object;
	while ((object = venus_object_table_next(&table, &cursor))) {
		venus_object_table_remove(&table, object);
		free(object);
	}
	venus_object_table_finish(&table);
	epoch_finish(&epoch);
	arena_finish(&arena);
	return failures ? 1 : 0;
}
