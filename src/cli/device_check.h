/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_DEVICE_CHECK_H
#define VENERA_CLI_DEVICE_CHECK_H

#include "cli/qemu.h"

/**
 * Starts venera-gpu and a QEMU with its device, which does not run, and looks whether the device
 * has a 64-bit memory range of the size of the window for GPU memory. NULL, or on the heap what
 * is wrong.
 */
char *device_check(const struct qemu *qemu);

#endif
