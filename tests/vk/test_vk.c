/* SPDX-License-Identifier: MIT */
/*
 * test_vk ICD.json [--validate]: src/vk on a real driver. Skipped without one, or without the
 * validation layer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/shmem.h"
#include "vk/extensions.h"
#include "vk/host_memory.h"
#include "vk/instance.h"
#include "vk/loader.h"
#include "vk/trial_device.h"

#include "../unit/test.h"

static struct vk_loader loader;
static bool validate;

static void test_result_names(void) {
	CHECK_STR(vk_result_name(VK_ERROR_DEVICE_LOST), "VK_ERROR_DEVICE_LOST");
	CHECK_STR(vk_result_name((VkResult)-12345), "unknown VkResult");
}

static void test_loader(void) {
	CHECK(loader.path[0] != '\0');
	CHECK(loader.api_version >= VK_API_VERSION_1_1);
	struct vk_extensions extensions;
	CHECK_INT(vk_extensions_of_instance(&extensions, &loader.global, NULL), VK_SUCCESS);
	CHECK(vk_extensions_have(&extensions, VK_KHR_SURFACE_EXTENSION_NAME));
	CHECK(!vk_extensions_have(&extensions, "VK_KHR_surf"));
	vk_extensions_finish(&extensions);
	CHECK_INT(extensions.count, 0);
}

static void test_missing_extension(void) {
	const char *const extensions[] = {"VK_VENERA_no_such_extension"};
	const struct vk_instance_options options = {
		.extensions = extensions,
		.extension_count = 1,
	};
	struct vk_instance instance;
	struct vk_error error;
	CHECK(!vk_instance_init(&instance, &loader, &options, &error));
	CHECK(strstr(error.text, extensions[0]));
	vk_instance_finish(&instance);
}

static void test_version_is_clamped(void) {
	const struct vk_instance_options options = {.api_version = VK_MAKE_API_VERSION(0, 1, 999, 0)};
	struct vk_instance instance;
	CHECK(vk_instance_init(&instance, &loader, &options, NULL));
	CHECK_INT(instance.api_version, loader.api_version);
	vk_instance_finish(&instance);
}

/* The messenger must hear what the layer says, or clean runs would prove nothing. */
static void test_validation_is_heard(void) {
	const struct vk_instance_options options = {.validate = true};
	struct vk_instance instance;
	CHECK(vk_instance_init(&instance, &loader, &options, NULL));
	VkPhysicalDevice *devices;
	uint32_t count;
	CHECK_INT(vk_instance_enumerate_devices(
		&instance.table, instance.handle, &devices, &count), VK_SUCCESS);
	const VkPhysicalDeviceExternalBufferInfo wrong = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, /* on purpose */
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
		.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
	};
	VkExternalBufferProperties properties = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
	};
	fprintf(stderr, "one complaint is expected here:\n");
	instance.table.GetPhysicalDeviceExternalBufferProperties(devices[0], &wrong, &properties);
	CHECK(atomic_load(&instance.validation_messages) > 0);
	free(devices);
	vk_instance_finish(&instance);
}

static void probe_with_own_device(
	const struct vk_instance *instance, VkPhysicalDevice device, uint32_t expected_types) {
	struct vk_host_memory memory;
	CHECK_INT(vk_host_memory_query(&memory, &instance->table, device), VK_SUCCESS);
	CHECK(memory.candidates);
	CHECK_INT(memory.importable_types, 0);
	CHECK(memory.alignment >= page_size() && memory.alignment % page_size() == 0);

	struct vk_trial_device trial;
	CHECK_INT(vk_trial_device_init(&trial, &instance->table, device, &memory), VK_SUCCESS);
	uint64_t begin = clock_now();
	CHECK_INT(vk_host_memory_probe(&memory, &instance->table, device, &trial.table,
			  trial.handle), VK_SUCCESS);
	printf("  probe on a device: %.3f ms\n", (double)(clock_now() - begin) / 1e6);
	CHECK_INT(memory.importable_types, expected_types);
	vk_trial_device_finish(&trial);
}

static void test_host_memory(void) {
	const struct vk_instance_options options = {
		.application_name = "test_vk",
		.validate = validate,
	};
	struct vk_instance instance;
	struct vk_error error;
	if (!vk_instance_init(&instance, &loader, &options, &error)) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	VkPhysicalDevice *devices;
	uint32_t count;
	CHECK_INT(vk_instance_enumerate_devices(
		&instance.table, instance.handle, &devices, &count), VK_SUCCESS);
	CHECK(count > 0);
	for (uint32_t i = 0; i < count; i++) {
		VkPhysicalDeviceProperties properties;
		instance.table.GetPhysicalDeviceProperties(devices[i], &properties);
		uint64_t begin = clock_now();
		struct vk_host_memory memory;
		CHECK_INT(vk_host_memory_probe_physical_device(
			&memory, &instance.table, devices[i]), VK_SUCCESS);
		printf("  %s: types %#x, alignment %llu, probe with a new device: %.3f ms\n",
			properties.deviceName, (unsigned)memory.importable_types,
			(unsigned long long)memory.alignment, (double)(clock_now() - begin) / 1e6);
		CHECK(memory.candidates);
		CHECK(memory.importable_types != 0);
		probe_with_own_device(&instance, devices[i], memory.importable_types);

		VkPhysicalDeviceMemoryProperties types;
		instance.table.GetPhysicalDeviceMemoryProperties(devices[i], &types);
		uint32_t type = vk_host_memory_choose_type(&types, memory.importable_types);
		CHECK(memory.importable_types >> type & 1);
		CHECK(types.memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
		CHECK_INT(vk_host_memory_choose_type(&types, 0), UINT32_MAX);

		struct vk_host_memory_check check;
		bool ok = vk_host_memory_check(&check, &instance.table, devices[i], &error);
		if (!ok) {
			fprintf(stderr, "%s\n", error.text);
		}
		CHECK(ok);
		CHECK(check.gpu_writes_seen);
		CHECK(check.cpu_writes_seen);
		CHECK_INT(check.memory.importable_types, memory.importable_types);
	}
	free(devices);
	vk_instance_finish(&instance);
	CHECK_INT(atomic_load(&instance.validation_messages), 0);
}

static void test_no_driver(void) {
	setenv("VK_DRIVER_FILES", "/dev/null/no-driver.json", 1);
	setenv("VK_ICD_FILENAMES", "/dev/null/no-driver.json", 1);
	struct vk_instance instance;
	struct vk_error error;
	if (vk_instance_init(&instance, &loader, &(struct vk_instance_options){0}, &error)) {
		VkPhysicalDevice *devices;
		uint32_t count;
		CHECK_INT(vk_instance_enumerate_devices(
			&instance.table, instance.handle, &devices, &count), VK_SUCCESS);
		CHECK_INT(count, 0);
		CHECK(!devices);
		vk_instance_finish(&instance);
	} else {
		CHECK(strstr(error.text, "no Vulkan driver"));
	}
}

static bool has_validation_layer(void) {
	VkLayerProperties layers[64];
	uint32_t count = sizeof(layers) / sizeof(layers[0]);
	if (loader.global.EnumerateInstanceLayerProperties(&count, layers) < 0) {
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(layers[i].layerName, "VK_LAYER_KHRONOS_validation") == 0) {
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv) {
	if (argc < 2 || argv[1][0] == '\0') {
		printf("no lavapipe here\n");
		return TEST_SKIPPED;
	}
	setenv("VK_DRIVER_FILES", argv[1], 1);
	setenv("VK_ICD_FILENAMES", argv[1], 1);
	validate = argc > 2 && strcmp(argv[2], "--validate") == 0;

	struct vk_error error;
	if (!vk_loader_init(&loader, &error)) {
		printf("%s\n", error.text);
		return TEST_SKIPPED;
	}
	if (validate && !has_validation_layer()) {
		printf("no validation layer here\n");
		return TEST_SKIPPED;
	}
	RUN(test_result_names);
	RUN(test_loader);
	RUN(test_missing_extension);
	RUN(test_version_is_clamped);
	if (validate) {
		RUN(test_validation_is_heard);
	}
	RUN(test_host_memory);
	RUN(test_no_driver);
	vk_loader_finish(&loader);
	return 0;
}
