/* SPDX-License-Identifier: MIT */
#include "cli/device_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/process.h"
#include "cli/runtime.h"
#include "cli/vm.h"

#define CHECK_HOSTMEM (UINT64_C(8) << 30)
#define CHECK_SOCKET_MS 5000

#define PCI_VENDOR_VIRTIO 0x1af4
#define PCI_DEVICE_VIRTIO_GPU 0x1050

/* Looks for the range in what query-pci answers: a list of buses with lists of devices. */
static void look_for_range(void *data, const char *command, struct json buses) {
	bool *found = data;
	(void)command;
	struct json bus, device, region;
	for (size_t i = 0; bus = json_element(buses, i), json_exists(bus); i++) {
		struct json devices = json_member(bus, "devices");
		for (size_t j = 0; device = json_element(devices, j), json_exists(device); j++) {
			struct json id = json_member(device, "id");
			if (json_uint(json_member(id, "vendor"), 0) != PCI_VENDOR_VIRTIO ||
					json_uint(json_member(id, "device"), 0) != PCI_DEVICE_VIRTIO_GPU) {
				continue;
			}
			struct json regions = json_member(device, "regions");
			for (size_t k = 0; region = json_element(regions, k), json_exists(region); k++) {
				*found = *found || (json_is_true(json_member(region, "mem_type_64")) &&
					json_uint(json_member(region, "size"), 0) == CHECK_HOSTMEM);
			}
		}
	}
}

/* Waits until venera-gpu listens. */
static bool wait_for_socket(pid_t pid, const char *path) {
	uint64_t deadline = clock_now() + CHECK_SOCKET_MS * CLOCK_NS_PER_MS;
	struct stat st;
	while (clock_now() < deadline && process_wait(pid, 5, NULL) == 0) {
		if (stat(path, &st) == 0) {
			return true;
		}
	}
	return false;
}

char *device_check(const struct qemu *qemu) {
	char *folder = runtime_folder_create();
	if (!folder) {
		return text_format("cannot make a folder for sockets in %s: %s", runtime_base(),
			strerror(errno));
	}
	struct vm_paths paths;
	char *problem = vm_paths_init(&paths, folder, "");
	struct args args = {0};
	if (problem) {
		goto out;
	}
	const struct vm_config config = {.hostmem = CHECK_HOSTMEM, .width = 1280, .height = 800};
	vm_gpu_args(&args, &config, &paths);
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.path = args.list[0];
	options.argv = (const char *const *)args.list;
	options.new_group = true;
	pid_t pid = process_spawn(&options);
	args_finish(&args);
	if (pid < 0) {
		problem = text_format("cannot start venera-gpu: %s", strerror(-pid));
		goto out;
	}
	if (!wait_for_socket(pid, paths.view_socket)) {
		problem = text_copy("venera-gpu does not start");
	} else {
		qemu_add_basics(qemu, &args);
		qemu_add_machine(qemu, &args, UINT64_C(64) << 20);
		qemu_add_accelerator(&args, "tcg");
		qemu_add_gpu(&args, paths.gpu_socket, false);
		args_add(&args, "-S");
		const char *const commands[] = {"query-pci", NULL};
		bool found = false;
		problem = qemu_ask(&args, 0, commands, look_for_range, &found);
		args_finish(&args);
		if (!problem && !found) {
			problem = text_copy("the device has no shared memory; use QEMU 11.1 or newer");
		}
	}
	if (process_wait(pid, 2000, NULL) == 0) { /* it ends when QEMU does */
		process_terminate(pid, 1000);
	}

out:
	vm_paths_finish(&paths);
	runtime_folder_destroy(folder);
	return problem;
}
