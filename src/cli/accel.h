/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_ACCEL_H
#define VENERA_CLI_ACCEL_H

#include "cli/qemu.h"

/** How the guest's instructions are executed. */
enum accel {
	ACCEL_AUTO, /* the processor's virtualisation if it works, else TCG */
	ACCEL_KVM,
	ACCEL_HVF,
	ACCEL_TCG, /* in software: works everywhere, ten times slower */
};

/** QEMU's name. Not for ACCEL_AUTO. */
const char *accel_name(enum accel accel);

/**
 * Is it usable with this QEMU? Really starts a machine for a moment. NULL, or on the heap
 * why not.
 */
char *accel_check(enum accel accel, const struct qemu *qemu);

/**
 * What ACCEL_AUTO means here. When that is TCG, `*why` is why nothing better is used, on the heap;
 * else it is NULL.
 */
enum accel accel_choose(const struct qemu *qemu, char **why);

#endif
