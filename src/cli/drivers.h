/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_DRIVERS_H
#define VENERA_CLI_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * This host's Vulkan drivers. They are tried in processes of their own (`venera probe`): a driver
 * that crashes or hangs is a finding then, not our end.
 */

/** A physical device. */
struct driver_device {
	char *name;        /* "llvmpipe (LLVM 19.1.7, 256 bits)" */
	char *api_version; /* "1.4.318" */
	char *kind;        /* "discrete GPU" */
	bool portability;  /* conforms only in part, as MoltenVK does */
	char *problem;     /* why no VM can use it; NULL: one can */
};

struct driver_report {
	char *loader; /* path and version of the Vulkan loader; NULL: there is none */
	struct driver_device *devices;
	size_t device_count;
	bool no_device; /* all went well, but no driver has a device: a problem as well */
};

/**
 * Tries the driver of a manifest, or, with `manifest` NULL, all that the loader finds. With
 * `thorough` it makes the GPU and the CPU write to shared memory, else it believes what the driver
 * says.
 * NULL, or what went wrong on the heap; no device is a problem. driver_report_finish() is due
 * in either case.
 */
char *driver_report_init(struct driver_report *report, const char *manifest, bool thorough);
void driver_report_finish(struct driver_report *report);

/** How many of the devices a VM can use. */
size_t driver_report_usable(const struct driver_report *report);

/**
 * The manifests in the places where the Vulkan loader looks: a list that ends with NULL, the caller
 * frees it and its strings.
 */
char **driver_find_manifests(void);

#endif
