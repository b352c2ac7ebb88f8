/* SPDX-License-Identifier: MIT */

/*
 * Streams as a Mesa guest writes them, byte for byte: encoding the arguments must give these
 * bytes, decoding these bytes must give the arguments.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venus/venus_client.h"

static unsigned failures;

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			failures++; \
		} \
	} while (0)

static struct epoch epoch;
static struct venus_object_table table;
static struct arena arena;
static _Alignas(8) uint8_t stream[4096];

/**
 * Bytes in hexadecimal, with blanks anywhere; "xx" is 0. Each u64 may be written as "#" and
 * its number.
 */
static size_t parse(const char *text, uint8_t *bytes) {
	size_t count = 0;
	while (*text) {
		if (*text == ' ') {
			text++;
		} else if (*text == '#') {
			char *end;
			uint64_t value = strtoull(text + 1, &end, 16);
			memcpy(bytes + count, &value, sizeof(value));
			count += sizeof(value);
			text = end;
		} else {
			char digits[3] = {text[0], text[1], '\0'};
			bytes[count++] = (uint8_t)strtoul(digits, NULL, 16);
			text += 2;
		}
	}
	return count;
}

static void check_bytes(const char *name, const struct venus_encoder *e, const uint8_t *begin,
		const char *text) {
	static uint8_t expected[4096];
	size_t expected_size = parse(text, expected);
	size_t size = (size_t)(e->cursor - begin);
	if (e->overflow || size != expected_size || memcmp(begin, expected, size) != 0) {
		fprintf(stderr, "%s: %zu bytes, expected %zu\n", name, size, expected_size);
		for (size_t i = 0; i < size || i < expected_size; i += 4) {
			static const uint8_t none[4];
			const uint8_t *a = i < size ? begin + i : none;
			const uint8_t *b = i < expected_size ? expected + i : none;
			if (memcmp(a, b, 4) != 0) {
				fprintf(stderr, "  %03zx: %02x %02x %02x %02x, expected %02x %02x %02x %02x\n", i,
					a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]);
			}
		}
		failures++;
	}
}

#define CHECK_REQUEST(command, flags, args, text) \
	do { \
		struct venus_encoder e_ = {.cursor = stream, .end = stream + sizeof(stream)}; \
		venus_encode_##command##_request(&e_, flags, args); \
		check_bytes(#command, &e_, stream, text); \
	} while (0)

#define CHECK_REPLY(command, args, text) \
	do { \
		struct venus_encoder e_ = {.cursor = stream, .end = stream + sizeof(stream)}; \
		venus_encode_##command##_reply(&e_, args); \
		check_bytes(#command " reply", &e_, stream, text); \
	} while (0)

static struct venus_decoder decoder_for(const char *text, uint32_t command, uint32_t flags) {
	size_t size = parse(text, stream);
	CHECK(venus_load_u32(stream) == command);
	CHECK(venus_load_u32(stream + 4) == flags);
	return (struct venus_decoder){
		.cursor = stream + 8,
		.end = stream + size,
		.arena = &arena,
		.objects = &table,
	};
}

#define CHECK_DECODED(d, ok) \
	do { \
		bool ok_ = ok; \
		if (!ok_ || (d).cursor != (d).end) { \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, \
				(d).error_argument ? (d).error_argument : "?", \
				(d).error ? (d).error : "something is left"); \
			exit(1); \
		} \
	} while (0)

static struct venus_object *add_object(uint64_t id, VkObjectType type,
		struct venus_object *device) {
	struct venus_object *object = calloc(1, sizeof(*object));
	if (!object) {
		exit(1);
	}
	object->id = id;
	atomic_init(&object->handle, id << 16); /* host handles are something else */
	object->type = type;
	object->device = type == VK_OBJECT_TYPE_DEVICE ? object : device;
	CHECK(venus_object_table_add(&table, object));
	return object;
}

#define ID(type, id) ((type)(uintptr_t)(id))
#define HOST(type, id) ((type)(uintptr_t)((uint64_t)(id) << 16))

static void test_create_instance(void) {
	const char *request =
		"00 00 00 00  01 00 00 00 "
		"#1  01 00 00 00  #0  00 00 00 00 "
		"#1  00 00 00 00  #0 "
		"#5  63 75 62 65 00 00 00 00 "
		"00 00 00 00  #0  00 00 00 00  00 30 40 00 "
		"00 00 00 00  #0  00 00 00 00  #0 "
		"#0  #1  88 77 66 55 44 33 22 11";
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "cube",
		.apiVersion = VK_API_VERSION_1_3,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
	};
	VkInstance instance = ID(VkInstance, 0x1122334455667788);
	struct venus_vkCreateInstance sent = {.pCreateInfo = &info, .pInstance = &instance};
	CHECK_REQUEST(vkCreateInstance, 1, &sent, request);

	struct venus_decoder d = decoder_for(request, VENUS_COMMAND_vkCreateInstance, 1);
	struct venus_vkCreateInstance args;
	CHECK_DECODED(d, venus_decode_vkCreateInstance(&d, &args));
	CHECK(strcmp(args.pCreateInfo->pApplicationInfo->pApplicationName, "cube") == 0);
	CHECK(!args.pCreateInfo->pApplicationInfo->pEngineName);
	CHECK(args.pCreateInfo->pApplicationInfo->apiVersion == VK_API_VERSION_1_3);
	CHECK(!args.pCreateInfo->ppEnabledExtensionNames);
	CHECK((uint64_t)(uintptr_t)*args.pInstance == 0x1122334455667788);
	CHECK(args.ret == VK_SUCCESS && !d.device);
	CHECK_REPLY(vkCreateInstance, &args, "00 00 00 00  00 00 00 00  #1  88 77 66 55 44 33 22 11");
}

static void test_enumerate_physical_devices(void) {
	const char *first = "02 00 00 00  01 00 00 00  #10  #1  00 00 00 00  #0";
	const char *second = "02 00 00 00  01 00 00 00  #10  #1  01 00 00 00  #1  #20";
	uint32_t count = 0;
	struct venus_vkEnumeratePhysicalDevices sent = {
		.instance = ID(VkInstance, 0x10),
		.pPhysicalDeviceCount = &count,
	};
	CHECK_REQUEST(vkEnumeratePhysicalDevices, 1, &sent, first);
	VkPhysicalDevice device = ID(VkPhysicalDevice, 0x20);
	count = 1;
	sent.pPhysicalDevices = &device;
	CHECK_REQUEST(vkEnumeratePhysicalDevices, 1, &sent, second);

	struct venus_decoder d = decoder_for(first, VENUS_COMMAND_vkEnumeratePhysicalDevices, 1);
	struct venus_vkEnumeratePhysicalDevices args;
	CHECK_DECODED(d, venus_decode_vkEnumeratePhysicalDevices(&d, &args));
	CHECK(args.instance == HOST(VkInstance, 0x10) && args.instance_object->id == 0x10);
	CHECK(*args.pPhysicalDeviceCount == 0 && !args.pPhysicalDevices);
	*args.pPhysicalDeviceCount = 1;
	CHECK_REPLY(vkEnumeratePhysicalDevices, &args, "02 00 00 00  00 00 00 00  #1  01 00 00 00  #0");

	d = decoder_for(second, VENUS_COMMAND_vkEnumeratePhysicalDevices, 1);
	CHECK_DECODED(d, venus_decode_vkEnumeratePhysicalDevices(&d, &args));
	CHECK(*args.pPhysicalDeviceCount == 1 && args.pPhysicalDevices_capacity == 1);
	CHECK(args.pPhysicalDevices[0] == ID(VkPhysicalDevice, 0x20));
	*args.pPhysicalDeviceCount = 7; /* more than was asked for is never shown */
	CHECK_REPLY(vkEnumeratePhysicalDevices, &args,
		"02 00 00 00  00 00 00 00  #1  07 00 00 00  #1  #20");
	*args.pPhysicalDeviceCount = 1;
	CHECK_REPLY(vkEnumeratePhysicalDevices, &args,
		"02 00 00 00  00 00 00 00  #1  01 00 00 00  #1  #20");
}

static void test_allocate_memory(void) {
	const char *request =
		"15 00 00 00  00 00 00 00  #30  #1 "
		"05 00 00 00  #1  19 ba 9c 3b  #1  42 e3 9b 3b  #0 "
		"00 02 00 00  #40  #0  #10000  02 00 00 00 "
		"#0  #1  #50";
	const VkExportMemoryAllocateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	const VkMemoryDedicatedAllocateInfo dedicated = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
		.pNext = &export,
		.image = ID(VkImage, 0x40),
	};
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = &dedicated,
		.allocationSize = 0x10000,
		.memoryTypeIndex = 2,
	};
	VkDeviceMemory memory = ID(VkDeviceMemory, 0x50);
	struct venus_vkAllocateMemory sent = {
		.device = ID(VkDevice, 0x30),
		.pAllocateInfo = &info,
		.pMemory = &memory,
	};
	CHECK_REQUEST(vkAllocateMemory, 0, &sent, request);

	struct venus_decoder d = decoder_for(request, VENUS_COMMAND_vkAllocateMemory, 0);
	struct venus_vkAllocateMemory args;
	CHECK_DECODED(d, venus_decode_vkAllocateMemory(&d, &args));
	CHECK(args.device == HOST(VkDevice, 0x30) && d.device == args.device_object);
	CHECK(args.pAllocateInfo->allocationSize == 0x10000);
	CHECK(args.pAllocateInfo->memoryTypeIndex == 2);
	const VkMemoryDedicatedAllocateInfo *a = args.pAllocateInfo->pNext;
	CHECK(a && a->sType == VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
	CHECK(a->image == HOST(VkImage, 0x40) && !a->buffer);
	const VkExportMemoryAllocateInfo *b = a->pNext;
	CHECK(b && b->sType == VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
	CHECK(b->handleTypes == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT && !b->pNext);
	CHECK(*args.pMemory == ID(VkDeviceMemory, 0x50));
}

static void test_draw(void) {
	const char *request =
		"6a 00 00 00  00 00 00 00  #60  03 00 00 00  01 00 00 00  00 00 00 00  00 00 00 00";
	struct venus_vkCmdDraw sent = {
		.commandBuffer = ID(VkCommandBuffer, 0x60),
		.vertexCount = 3,
		.instanceCount = 1,
	};
	CHECK_REQUEST(vkCmdDraw, 0, &sent, request);
	struct venus_decoder d = decoder_for(request, VENUS_COMMAND_vkCmdDraw, 0);
	struct venus_vkCmdDraw args;
	CHECK_DECODED(d, venus_decode_vkCmdDraw(&d, &args));
	CHECK(args.commandBuffer == HOST(VkCommandBuffer, 0x60));
	CHECK(args.vertexCount == 3 && args.instanceCount == 1);
	CHECK(args.firstVertex == 0 && args.firstInstance == 0);
	CHECK(d.device && d.device->id == 0x30);
	CHECK_REPLY(vkCmdDraw, &args, "6a 00 00 00");
}

static void test_push_constants(void) {
	const char *request =
		"84 00 00 00  00 00 00 00  #60  #70  10 00 00 00  00 00 00 00  06 00 00 00 "
		"#6  01 02 03 04  05 06 xx xx";
	const uint8_t values[] = {1, 2, 3, 4, 5, 6};
	struct venus_vkCmdPushConstants sent = {
		.commandBuffer = ID(VkCommandBuffer, 0x60),
		.layout = ID(VkPipelineLayout, 0x70),
		.stageFlags = VK_SHADER_STAGE_FRAGMENT_BIT,
		.size = sizeof(values),
		.pValues = values,
	};
	CHECK_REQUEST(vkCmdPushConstants, 0, &sent, request);
	struct venus_decoder d = decoder_for(request, VENUS_COMMAND_vkCmdPushConstants, 0);
	struct venus_vkCmdPushConstants args;
	CHECK_DECODED(d, venus_decode_vkCmdPushConstants(&d, &args));
	CHECK(args.layout == HOST(VkPipelineLayout, 0x70));
	CHECK(args.size == 6 && memcmp(args.pValues, values, 6) == 0);
}

static void test_memory_properties(void) {
	const char *request = "98 00 00 00  01 00 00 00  #20  #1  7e b0 9b 3b  #0  #20  #10";
	VkPhysicalDeviceMemoryProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
	};
	struct venus_vkGetPhysicalDeviceMemoryProperties2 sent = {
		.physicalDevice = ID(VkPhysicalDevice, 0x20),
		.pMemoryProperties = &properties,
	};
	CHECK_REQUEST(vkGetPhysicalDeviceMemoryProperties2, 1, &sent, request);
	struct venus_decoder d =
		decoder_for(request, VENUS_COMMAND_vkGetPhysicalDeviceMemoryProperties2, 1);
	struct venus_vkGetPhysicalDeviceMemoryProperties2 args;
	CHECK_DECODED(d, venus_decode_vkGetPhysicalDeviceMemoryProperties2(&d, &args));
	VkPhysicalDeviceMemoryProperties *out = &args.pMemoryProperties->memoryProperties;
	CHECK(out->memoryTypeCount == 0);
	out->memoryTypeCount = 2;
	out->memoryTypes[1].propertyFlags = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
	out->memoryHeapCount = 1;
	out->memoryHeaps[0].size = 0x123456789;
	out->memoryHeaps[15].flags = 1;

	struct venus_encoder e = {.cursor = stream, .end = stream + sizeof(stream)};
	venus_encode_vkGetPhysicalDeviceMemoryProperties2_reply(&e, &args);
	CHECK(e.cursor - stream == 496);
	CHECK(venus_load_u64(stream + 4) == 1);                        /* the pointer */
	CHECK(venus_load_u32(stream + 24) == 2);                       /* memoryTypeCount */
	CHECK(venus_load_u64(stream + 28) == 32);                      /* memoryTypes */
	CHECK(venus_load_u32(stream + 36 + 8) == 2);                   /* HOST_VISIBLE */
	CHECK(venus_load_u32(stream + 36 + 256) == 1);                 /* memoryHeapCount */
	CHECK(venus_load_u64(stream + 40 + 256) == 16);                /* memoryHeaps */
	CHECK(venus_load_u64(stream + 48 + 256) == 0x123456789);       /* of the first */
	CHECK(venus_load_u32(stream + 48 + 256 + 15 * 12 + 8) == 1);   /* of the last */

	d = (struct venus_decoder){.cursor = stream, .end = e.cursor, .arena = &arena,
		.objects = &table};
	CHECK_DECODED(d, venus_decode_vkGetPhysicalDeviceMemoryProperties2_reply(&d, &sent));
	CHECK(sent.pMemoryProperties->memoryProperties.memoryHeaps[0].size == 0x123456789);
}

static void test_update_descriptor_sets(void) {
	const char *request =
		"4f 00 00 00  00 00 00 00  #30 "
		"01 00 00 00  #1  23 00 00 00  #0  #90  00 00 00 00  00 00 00 00 "
		"01 00 00 00  06 00 00 00  #0  #1  #80  #0  #100  #0 "
		"00 00 00 00  #0";
	const VkDescriptorBufferInfo buffer = {.buffer = ID(VkBuffer, 0x80), .range = 256};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = ID(VkDescriptorSet, 0x90),
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
		.pBufferInfo = &buffer,
	};
	struct venus_vkUpdateDescriptorSets sent = {
		.device = ID(VkDevice, 0x30),
		.descriptorWriteCount = 1,
		.pDescriptorWrites = &write,
	};
	CHECK_REQUEST(vkUpdateDescriptorSets, 0, &sent, request);
	struct venus_decoder d = decoder_for(request, VENUS_COMMAND_vkUpdateDescriptorSets, 0);
	struct venus_vkUpdateDescriptorSets args;
	CHECK_DECODED(d, venus_decode_vkUpdateDescriptorSets(&d, &args));
	CHECK(args.descriptorWriteCount == 1 && !args.pDescriptorCopies);
	CHECK(args.pDescriptorWrites[0].dstSet == HOST(VkDescriptorSet, 0x90));
	CHECK(args.pDescriptorWrites[0].pBufferInfo[0].buffer == HOST(VkBuffer, 0x80));
	CHECK(args.pDescriptorWrites[0].pBufferInfo[0].range == 256);
}

static void test_create_ring(void) {
	const char *request =
		"bc 00 00 00  00 00 00 00  #7f00aa00  #1 "
		"00 a6 a0 3b  #1  06 a6 a0 3b  #0  c0 c6 2d 00 "
		"00 00 00 00  05 00 00 00  #0  #200c4  #f4240 "
		"#0  #40  #80  #c0  #20000  #200c0  #4";
	const VkRingMonitorInfoMESA monitor = {
		.sType = VK_STRUCTURE_TYPE_RING_MONITOR_INFO_MESA,
		.maxReportingPeriodMicroseconds = 3000000,
	};
	const VkRingCreateInfoMESA info = {
		.sType = VK_STRUCTURE_TYPE_RING_CREATE_INFO_MESA,
		.pNext = &monitor,
		.resourceId = 5,
		.size = 131268,
		.idleTimeout = 1000000,
		.tailOffset = 64,
		.statusOffset = 128,
		.bufferOffset = 192,
		.bufferSize = 131072,
		.extraOffset = 131264,
		.extraSize = 4,
	};
	struct venus_vkCreateRingMESA sent = {.ring = 0x7f00aa00, .pCreateInfo = &info};
	CHECK_REQUEST(vkCreateRingMESA, 0, &sent, request);
	struct venus_decoder d = decoder_for(request, VENUS_COMMAND_vkCreateRingMESA, 0);
	struct venus_vkCreateRingMESA args;
	CHECK_DECODED(d, venus_decode_vkCreateRingMESA(&d, &args));
	CHECK(args.ring == 0x7f00aa00 && args.pCreateInfo->bufferSize == 131072);
	const VkRingMonitorInfoMESA *decoded = args.pCreateInfo->pNext;
	CHECK(decoded && decoded->maxReportingPeriodMicroseconds == 3000000);
}

int main(void) {
	arena_init(&arena, 1024 * 1024);
	epoch_init(&epoch);
	if (venus_object_table_init(&table, &epoch) < 0) {
		return 1;
	}
	add_object(0x10, VK_OBJECT_TYPE_INSTANCE, NULL);
	add_object(0x20, VK_OBJECT_TYPE_PHYSICAL_DEVICE, NULL);
	struct venus_object *device = add_object(0x30, VK_OBJECT_TYPE_DEVICE, NULL);
	add_object(0x40, VK_OBJECT_TYPE_IMAGE, device);
	add_object(0x60, VK_OBJECT_TYPE_COMMAND_BUFFER, device);
	add_object(0x70, VK_OBJECT_TYPE_PIPELINE_LAYOUT, device);
	add_object(0x80, VK_OBJECT_TYPE_BUFFER, device);
	add_object(0x90, VK_OBJECT_TYPE_DESCRIPTOR_SET, device);

	test_create_instance();
	test_enumerate_physical_devices();
	test_allocate_memory();
	test_draw();
	test_push_constants();
	test_memory_properties();
	test_update_descriptor_sets();
	test_create_ring();

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
