/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_VM_H
#define VENERA_CLI_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sandbox.h"
#include "cli/accel.h"
#include "cli/qemu.h"

enum vm_disk_format {
	VM_DISK_AUTO, /* qcow2 or raw, by what the file begins with */
	VM_DISK_RAW,
	VM_DISK_QCOW2,
};

/** What `venera run` was asked for, checked and complete. Paths are absolute. */
struct vm_config {
	char *image;   /* NULL: no disk */
	enum vm_disk_format image_format; /* never AUTO */
	bool snapshot; /* what the guest writes to the disk is forgotten in the end */
	char *kernel, *initrd; /* NULL: none */
	const char *append;    /* the kernel's command line; NULL: none */
	uint64_t memory;       /* bytes of the guest's RAM */
	uint64_t hostmem;      /* bytes of the window for GPU memory: a power of two */
	struct args limits;    /* venera-gpu's, NAME=VALUE; not owned */
	bool blob_alignment;   /* the guest is told to keep to the host's page size */
	uint32_t cpus;
	uint32_t width, height; /* of the screen at first */
	bool window;           /* else headless */
	uint16_t ssh_port;     /* 0: none */
	enum accel accel;      /* never AUTO */
	char *driver;          /* a Vulkan driver's manifest; NULL: what the loader finds */
	char *screenshot;      /* NULL: none */
	const char *present_mode; /* venera-view's; NULL: its default */
	enum sandbox_mode sandbox;
	bool validate;         /* under the Vulkan validation layer */
	const char *log_level; /* NULL: what is usual */
	char *const *extra;    /* more arguments for QEMU */
	int extra_count;
};

/** Where our programs and their sockets are. All owned. */
struct vm_paths {
	char *gpu, *view;  /* programs */
	char *gpu_socket, *view_socket, *input_socket, *control_socket, *qmp_socket;
};

/**
 * Finds the programs and puts the sockets into `folder`, their names beginning with `prefix`.
 * vm_paths_finish() is due in either case.
 */
char *vm_paths_init(struct vm_paths *paths, const char *folder, const char *prefix);
void vm_paths_finish(struct vm_paths *paths);

/** The command lines of the three processes. */
void vm_gpu_args(struct args *args, const struct vm_config *config, const struct vm_paths *paths);
void vm_view_args(struct args *args, const struct vm_config *config, const struct vm_paths *paths);
void vm_qemu_args(struct args *args, const struct vm_config *config, const struct vm_paths *paths,
	const struct qemu *qemu);

/**
 * Runs it all until everything has ended. `guard_fd` is told what is to be cleaned up if we
 * cannot (see guard.c). Returns the exit code: QEMU's, or CLI_EXIT_FAILED, logged.
 */
int vm_run(const struct vm_config *config, const struct vm_paths *paths, const struct qemu *qemu,
	int guard_fd);

#endif
