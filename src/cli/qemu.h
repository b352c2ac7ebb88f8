/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_QEMU_H
#define VENERA_CLI_QEMU_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/json.h"
#include "cli/text.h"

/*
 * Functions here and in the other files of this folder that find out whether something is
 * usable return NULL if it is, or a line for the user on the heap: what is wrong, and what to do.
 */

/** The device that hosts a vhost-user back end of any kind, of QEMU 11.1 and later. */
#define QEMU_DEVICE "vhost-user-test-device-pci"

/** A QEMU on this machine. */
struct qemu {
	char *path;
	char *version;   /* "11.1.3" */
	bool arm64;      /* what it emulates: an arm64 machine, else an x86-64 one */
	bool native;     /* this machine's processor is of that kind, too */
	bool has_memfd;  /* has memory-backend-memfd */
	bool may_have_kvm, may_have_hvf; /* it was built with that accelerator */
};

/**
 * Finds QEMU (`path`, or, when that is NULL, the one in PATH for this machine's architecture) and
 * makes sure that it has what Venera needs. qemu_finish() is due in either case.
 */
char *qemu_find(struct qemu *qemu, const char *path);

void qemu_finish(struct qemu *qemu);

/** The first arguments of any command line: the program, and nothing that is not asked for. */
void qemu_add_basics(const struct qemu *qemu, struct args *args);

/** Shared memory of `bytes` as the guest's RAM, in a machine of the guest's architecture. */
void qemu_add_machine(const struct qemu *qemu, struct args *args, uint64_t bytes);

/** "kvm", "hvf" or "tcg", with the processor that goes with it. */
void qemu_add_accelerator(struct args *args, const char *name);

/** The GPU device, behind the socket of venera-gpu, which may have that option. */
void qemu_add_gpu(struct args *args, const char *socket_path, bool blob_alignment);

/** What qemu_ask() hands over for each command. May be called with a value that does not exist. */
typedef void (*qemu_answer_func)(void *data, const char *command, struct json answer);

/**
 * Starts QEMU with `args` (and a monitor of its own), gives it `settle_ms` to run, sends it
 * the monitor commands of the list, which ends with NULL, hands each answer to `func`, and
 * ends it. Gives what went wrong: what QEMU itself said where it said something.
 */
char *qemu_ask(const struct args *args, int settle_ms, const char *const *commands,
	qemu_answer_func func, void *data);

#endif
