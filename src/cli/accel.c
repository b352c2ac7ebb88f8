/* SPDX-License-Identifier: MIT */
#include "cli/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"

/* An accelerator that does not work stops the machine at its first instructions. */
#define TRIAL_MS 150

const char *accel_name(enum accel accel) {
	switch (accel) {
	case ACCEL_KVM:
		return "kvm";
	case ACCEL_HVF:
		return "hvf";
	case ACCEL_TCG:
	case ACCEL_AUTO:
		break;
	}
	return "tcg";
}

static void note_status(void *data, const char *command, struct json answer) {
	bool *running = data;
	(void)command;
	*running = json_is_true(json_member(answer, "running"));
}

/* Lets a machine without disks run its firmware for a moment. */
static char *try_machine(enum accel accel, const struct qemu *qemu) {
	struct args args = {0};
	qemu_add_basics(qemu, &args);
	qemu_add_machine(qemu, &args, UINT64_C(64) << 20);
	qemu_add_accelerator(&args, accel_name(accel));
	const char *const commands[] = {"query-status", NULL};
	bool running = false;
	char *problem = qemu_ask(&args, TRIAL_MS, commands, note_status, &running);
	args_finish(&args);
	if (!problem && !running) {
		problem = text_format("a machine with %s stops by itself", accel_name(accel));
	}
	return problem;
}

static char *check_kvm(const struct qemu *qemu) {
	if (!qemu->may_have_kvm) {
		return text_format("QEMU, %s, was built without KVM", qemu->path);
	}
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		switch (errno) {
		case ENOENT:
			return text_copy("there is no /dev/kvm; load the module kvm_intel or kvm_amd, and "
				"allow virtualisation in the firmware's set-up");
		case EACCES:
		case EPERM:
			return text_copy("no permission for /dev/kvm; join its group: "
				"sudo usermod -aG kvm \"$USER\", then log in again");
		default:
			return text_format("/dev/kvm cannot be opened: %s", strerror(errno));
		}
	}
	close(fd);
	/* A device that opens proves little: in some containers and nested machines it is there
	 * without a processor that could do the work. */
	if (!cpu_has_virtualization()) {
		return text_copy("the processor shows no virtualisation here (neither vmx nor svm in "
			"/proc/cpuinfo), though /dev/kvm is there; in a VM, turn nested virtualisation on");
	}
	return try_machine(ACCEL_KVM, qemu);
}

static char *check_hvf(const struct qemu *qemu) {
	if (!qemu->may_have_hvf) {
		return text_format("QEMU, %s, was built without HVF", qemu->path);
	}
	if (!cpu_has_virtualization()) {
		return text_copy("this Mac's processor offers no virtualisation here");
	}
	return try_machine(ACCEL_HVF, qemu);
}

char *accel_check(enum accel accel, const struct qemu *qemu) {
	if (accel == ACCEL_TCG || accel == ACCEL_AUTO) {
		return NULL;
	}
	if (!qemu->native) {
		return text_format("%s runs %s guests, which this machine's processor cannot execute",
			qemu->path, qemu->arm64 ? "arm64" : "x86-64");
	}
	return accel == ACCEL_KVM ? check_kvm(qemu) : check_hvf(qemu);
}

enum accel accel_choose(const struct qemu *qemu, char **why) {
	enum accel best = qemu->may_have_hvf ? ACCEL_HVF : ACCEL_KVM;
	*why = accel_check(best, qemu);
	return *why ? ACCEL_TCG : best;
}
