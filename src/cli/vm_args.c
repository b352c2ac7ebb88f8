/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "base/socket.h"
#include "cli/runtime.h"
#include "cli/vm.h"

static char *find_program(const char *name, char **path) {
	*path = process_find_sibling(name);
	return *path ? NULL : text_format("%s is not where venera is; install Venera again, "
		"or set VENERA_BINDIR to the folder that it is in", name);
}

char *vm_paths_init(struct vm_paths *paths, const char *folder, const char *prefix) {
	*paths = (struct vm_paths){0};
	char *problem = find_program("venera-gpu", &paths->gpu);
	if (!problem) {
		problem = find_program("venera-view", &paths->view);
	}
	if (problem) {
		return problem;
	}
	paths->gpu_socket = text_format("%s/%sgpu.sock", folder, prefix);
	paths->view_socket = text_format("%s/%sview.sock", folder, prefix);
	paths->control_socket = text_format("%s/%s" RUNTIME_CONTROL_SOCKET, folder, prefix);
	paths->input_socket = text_format("%s/%sinput.sock", folder, prefix);
	paths->qmp_socket = text_format("%s/%sqmp.sock", folder, prefix);
	/* the longest of them */
	if (strlen(paths->control_socket) > socket_path_max()) {
		return text_format("the socket path %s is longer than the %zu bytes that the system takes; "
			"set XDG_RUNTIME_DIR to a folder with a shorter name",
			paths->control_socket, socket_path_max());
	}
	return NULL;
}

void vm_paths_finish(struct vm_paths *paths) {
	free(paths->gpu);
	free(paths->view);
	free(paths->gpu_socket);
	free(paths->view_socket);
	free(paths->input_socket);
	free(paths->control_socket);
	free(paths->qmp_socket);
	*paths = (struct vm_paths){0};
}

/* What gpu and view both take. */
static void add_common(struct args *args, const struct vm_config *config) {
	args_add_format(args, "--size=%" PRIu32 "x%" PRIu32, config->width, config->height);
	if (config->driver) {
		args_add_format(args, "--driver=%s", config->driver);
	}
	if (config->validate) {
		args_add(args, "--validate");
	}
	if (config->sandbox != SANDBOX_ON) {
		args_add_format(args, "--sandbox=%s", sandbox_mode_name(config->sandbox));
	}
	if (config->log_level) {
		args_add_format(args, "--log-level=%s", config->log_level);
	}
}

void vm_gpu_args(struct args *args, const struct vm_config *config, const struct vm_paths *paths) {
	args_add(args, paths->gpu);
	args_add_format(args, "--socket-path=%s", paths->gpu_socket);
	args_add_format(args, "--view-socket=%s", paths->view_socket);
	args_add_format(args, "--control-socket=%s", paths->control_socket);
	char *hostmem = text_format_size(config->hostmem);
	args_add_format(args, "--hostmem=%s", hostmem);
	free(hostmem);
	for (size_t i = 0; i < config->limits.count; i++) {
		args_add_format(args, "--limit=%s", config->limits.list[i]);
	}
	if (config->blob_alignment) {
		args_add(args, "--blob-alignment");
	}
	add_common(args, config);
}

void vm_view_args(struct args *args, const struct vm_config *config, const struct vm_paths *paths) {
	args_add(args, paths->view);
	args_add_format(args, "--socket-path=%s", paths->view_socket);
	args_add_format(args, "--display=%s", config->window ? "window" : "headless");
	const char *name = config->image ? config->image : config->kernel;
	const char *slash = name ? strrchr(name, '/') : NULL;
	args_add_format(args, "--title=%s - Venera", slash ? slash + 1 : "virtual machine");
	if (config->present_mode) {
		args_add_format(args, "--present-mode=%s", config->present_mode);
	}
	if (config->screenshot) {
		args_add_format(args, "--screenshot=%s", config->screenshot);
	}
	add_common(args, config);
}

static void add_disk(struct args *args, const struct vm_config *config) {
	char *file = text_escape_commas(config->image);
	args_add(args, "-drive");
	args_add_format(args, "if=none,id=disk,format=%s,file=%s%s",
		config->image_format == VM_DISK_QCOW2 ? "qcow2" : "raw", file,
		config->snapshot ? ",snapshot=on" : "");
	args_add(args, "-device");
	args_add(args, "virtio-blk-pci,drive=disk");
	free(file);
}

static void add_kernel(struct args *args, const struct vm_config *config, bool arm64) {
	if (config->kernel) {
		args_add(args, "-kernel");
		args_add(args, config->kernel);
		if (config->initrd) {
			args_add(args, "-initrd");
			args_add(args, config->initrd);
		}
		if (config->append) {
			args_add(args, "-append");
			args_add(args, config->append);
		}
	} else if (arm64) {
		/* This machine has no firmware of its own; QEMU finds the file among its data. */
		args_add(args, "-bios");
		args_add(args, "edk2-aarch64-code.fd");
	}
}

void vm_qemu_args(struct args *args, const struct vm_config *config, const struct vm_paths *paths,
		const struct qemu *qemu) {
	qemu_add_basics(qemu, args);
	qemu_add_machine(qemu, args, config->memory);
	qemu_add_accelerator(args, accel_name(config->accel));
	args_add(args, "-smp");
	args_add_format(args, "%" PRIu32, config->cpus);
	qemu_add_gpu(args, paths->gpu_socket, config->blob_alignment);
	add_kernel(args, config, qemu->arm64);
	if (config->image) {
		add_disk(args, config);
	}
	args_add(args, "-nic");
	if (config->ssh_port) {
		args_add_format(args, "user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:%u-:22",
			config->ssh_port);
	} else {
		args_add(args, "user,model=virtio-net-pci");
	}
	args_add(args, "-device");
	args_add(args, "virtio-rng-pci");
	if (config->window) {
		args_add(args, "-device");
		args_add(args, "virtio-keyboard-pci");
		args_add(args, "-device");
		args_add(args, "virtio-tablet-pci");
	}
	args_add(args, "-serial");
	args_add(args, "mon:stdio");
	char *qmp = text_escape_commas(paths->qmp_socket);
	args_add(args, "-qmp");
	args_add_format(args, "unix:%s,server=on,wait=off", qmp);
	free(qmp);
	for (int i = 0; i < config->extra_count; i++) {
		args_add(args, config->extra[i]);
	}
}
