/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/text.h"
#include "vk/device.h"
#include "vk/driver.h"
#include "vk/extensions.h"
#include "vk/host_memory.h"
#include "vk/instance.h"
#include "vk/loader.h"

/*
 * `venera probe`, which drivers.c starts: tries what Vulkan this process can have and prints a line
 * for each thing, fields separated by tabs:
 *
 *   loader   PATH (VERSION)
 *   device   NAME   VERSION   KIND   "portability" or ""   why it cannot be used, or ""
 *   none     (no driver has a device)
 *   error    why there is nothing else
 *
 * Drivers print what they like to both outputs: other lines are not ours.
 */

static const char *device_kind(VkPhysicalDeviceType type) {
	switch (type) {
	case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
		return "integrated GPU";
	case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
		return "discrete GPU";
	case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
		return "virtual GPU";
	case VK_PHYSICAL_DEVICE_TYPE_CPU:
		return "software";
	default:
		return "other";
	}
}

static char *version_text(uint32_t version) {
	return text_format("%u.%u.%u", (unsigned)VK_API_VERSION_MAJOR(version),
		(unsigned)VK_API_VERSION_MINOR(version), (unsigned)VK_API_VERSION_PATCH(version));
}

static void check_device(const struct vk_instance *instance, VkPhysicalDevice device,
		uint32_t version, bool thorough, struct vk_error *problem) {
	problem->text[0] = '\0';
	if (version < VK_API_VERSION_1_1) {
		vk_error_set(problem, "the driver has no Vulkan 1.1; update it");
		return;
	}
	if (!vk_driver_is_known_good(&instance->table, device, problem)) {
		return;
	}
	struct vk_host_memory memory;
	VkResult result = vk_host_memory_query(&memory, &instance->table, device);
	if (result != VK_SUCCESS) {
		vk_error_set(problem, "asking for extensions fails with %s", vk_result_name(result));
	} else if (!memory.candidates) {
		vk_error_set(problem, "the driver lacks VK_EXT_external_memory_host; update it, or choose "
			"another with --driver");
	} else if (thorough) {
		struct vk_host_memory_check check;
		if (vk_host_memory_check(&check, &instance->table, device, problem)) {
			problem->text[0] = '\0';
		}
	}
}

static void print_device(const struct vk_instance *instance, VkPhysicalDevice device,
		bool thorough) {
	VkPhysicalDeviceProperties properties;
	instance->table.GetPhysicalDeviceProperties(device, &properties);
	struct vk_extensions extensions;
	bool portability =
		vk_extensions_of_device(&extensions, &instance->table, device) == VK_SUCCESS &&
		vk_extensions_have(&extensions, VK_DEVICE_PORTABILITY_SUBSET);
	vk_extensions_finish(&extensions);
	struct vk_error problem;
	check_device(instance, device, properties.apiVersion, thorough, &problem);
	char *version = version_text(properties.apiVersion);
	printf("device\t%s\t%s\t%s\t%s\t%s\n", properties.deviceName, version,
		device_kind(properties.deviceType), portability ? "portability" : "", problem.text);
	fflush(stdout); /* the next device may bring us down */
	free(version);
}

static int fail(const char *text) {
	printf("error\t%s\n", text);
	return CLI_EXIT_FAILED;
}

int probe_main(int argc, char **argv) {
	static const struct option_spec specs[] = {
		{"thorough", NULL, "make the GPU and the CPU write to shared memory"},
		{NULL, NULL, NULL},
	};
	bool thorough = false;
	struct option_parser parser = OPTION_PARSER(specs, argc, argv);
	const char *value;
	int option;
	while ((option = option_next(&parser, &value)) >= 0) {
		thorough = true;
	}
	if (option == OPTION_ERROR) {
		return CLI_EXIT_USAGE;
	}

	struct vk_loader loader;
	struct vk_error error;
	if (!vk_loader_init(&loader, &error)) {
		return fail(error.text);
	}
	char *version = version_text(loader.api_version);
	printf("loader\t%s (%s)\n", loader.path, version);
	fflush(stdout);
	free(version);

	int code = CLI_EXIT_FAILED;
	struct vk_instance instance;
	const struct vk_instance_options options = {
		.application_name = "venera",
		.api_version = VK_API_VERSION_1_1,
	};
	if (!vk_instance_init(&instance, &loader, &options, &error)) {
		fail(error.text);
		goto out_loader;
	}
	VkPhysicalDevice *devices;
	uint32_t count;
	VkResult result = vk_instance_enumerate_devices(
		&instance.table, instance.handle, &devices, &count);
	if (result != VK_SUCCESS) {
		fail(vk_result_name(result));
		goto out_instance;
	}
	for (uint32_t i = 0; i < count; i++) {
		print_device(&instance, devices[i], thorough);
	}
	if (!count) {
		printf("none\n");
	}
	code = CLI_EXIT_OK;
	free(devices);

out_instance:
	vk_instance_finish(&instance);
out_loader:
	vk_loader_finish(&loader);
	return code;
}
