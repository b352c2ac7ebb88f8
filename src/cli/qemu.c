/* SPDX-License-Identifier: MIT */
#include "cli/qemu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/process.h"
#include "cli/capture.h"

/* The first version with shared-memory regions for vhost-user devices. */
#define QEMU_MIN_MAJOR 11
#define QEMU_MIN_MINOR 1
#define QEMU_HOW_TO_GET \
	"install it (Debian: qemu-system from backports; macOS: brew install qemu) or name it " \
	"with --qemu=PATH"

/* QEMU answers such questions in a tenth of a second. */
#define QEMU_QUESTION_MS 20000

static bool host_is_arm64(void) {
	struct utsname name;
	return uname(&name) == 0 &&
		(!strcmp(name.machine, "aarch64") || !strcmp(name.machine, "arm64"));
}

static bool emulates_arm64(const char *path) {
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (strstr(name, "aarch64")) {
		return true;
	}
	return !strstr(name, "x86_64") && host_is_arm64();
}

/* What QEMU prints with a list of arguments. */
static char *question(const struct qemu *qemu, const char *option, const char *value,
		char **output) {
	struct args args = {0};
	args_add(&args, qemu->path);
	args_add(&args, option);
	if (value) {
		args_add(&args, value);
	}
	struct capture capture;
	int err = capture_run(&capture, &args, NULL, QEMU_QUESTION_MS);
	args_finish(&args);
	if (err) {
		return text_format("cannot run QEMU, %s: %s", qemu->path, strerror(-err));
	}
	if (!capture_succeeded(&capture)) {
		char *problem = capture.timed_out ?
			text_format("QEMU, %s, does not answer to %s", qemu->path, option) :
			text_format("QEMU, %s, fails with %s: %.*s", qemu->path, option,
				(int)strcspn(capture.output, "\n"), capture.output);
		capture_finish(&capture);
		return problem;
	}
	*output = capture.output;
	return NULL;
}

/* Is `word` alone on one of the lines? */
static bool has_line(const char *text, const char *word) {
	size_t length = strlen(word);
	while (*text) {
		text += strspn(text, " \t\r\n");
		size_t line = strcspn(text, "\r\n");
		if (line == length && !strncmp(text, word, length)) {
			return true;
		}
		text += line;
	}
	return false;
}

static char *check_version(struct qemu *qemu) {
	char *output;
	char *problem = question(qemu, "--version", NULL, &output);
	if (problem) {
		return problem;
	}
	const char *version = strstr(output, "QEMU") ? strstr(output, "version ") : NULL;
	version = version ? version + strlen("version ") : "";
	size_t length = strspn(version, "0123456789.");
	unsigned long major = strtoul(version, NULL, 10);
	const char *dot = memchr(version, '.', length);
	unsigned long minor = dot ? strtoul(dot + 1, NULL, 10) : 0;
	if (!dot) {
		problem = text_format("%s is not QEMU; " QEMU_HOW_TO_GET, qemu->path);
	} else {
		qemu->version = text_format("%.*s", (int)length, version);
		if (major < QEMU_MIN_MAJOR || (major == QEMU_MIN_MAJOR && minor < QEMU_MIN_MINOR)) {
			problem = text_format("QEMU is too old: %s is version %s, needed is %d.%d or newer; "
				QEMU_HOW_TO_GET, qemu->path, qemu->version, QEMU_MIN_MAJOR, QEMU_MIN_MINOR);
		}
	}
	free(output);
	return problem;
}

static char *check_devices(struct qemu *qemu) {
	char *output;
	char *problem = question(qemu, "-device", "help", &output);
	if (problem) {
		return problem;
	}
	if (!strstr(output, "\"" QEMU_DEVICE "\"")) {
		problem = text_format("QEMU %s, %s, was built without the device " QEMU_DEVICE
			"; " QEMU_HOW_TO_GET, qemu->version, qemu->path);
	}
	free(output);
	return problem;
}

char *qemu_find(struct qemu *qemu, const char *path) {
	*qemu = (struct qemu){0};
	const char *name = host_is_arm64() ? "qemu-system-aarch64" : "qemu-system-x86_64";
	qemu->path = process_find_program(path ? path : name);
	if (!qemu->path) {
		return path ?
			text_format("cannot run QEMU, %s: %s; " QEMU_HOW_TO_GET, path, strerror(errno)) :
			text_format("no QEMU: %s is not in PATH; " QEMU_HOW_TO_GET, name);
	}
	qemu->arm64 = emulates_arm64(qemu->path);
	qemu->native = qemu->arm64 == host_is_arm64();

	char *problem = check_version(qemu);
	if (!problem) {
		problem = check_devices(qemu);
	}
	char *output;
	if (!problem) {
		problem = question(qemu, "-object", "help", &output);
	}
	if (!problem) {
		qemu->has_memfd = has_line(output, "memory-backend-memfd");
		free(output);
		problem = question(qemu, "-accel", "help", &output);
	}
	if (!problem) {
		qemu->may_have_kvm = has_line(output, "kvm");
		qemu->may_have_hvf = has_line(output, "hvf");
		free(output);
	}
	return problem;
}

void qemu_finish(struct qemu *qemu) {
	free(qemu->path);
	free(qemu->version);
	*qemu = (struct qemu){0};
}

void qemu_add_basics(const struct qemu *qemu, struct args *args) {
	args_add(args, qemu->path);
	args_add(args, "-nodefaults");
	args_add(args, "-vga");
	args_add(args, "none");
	args_add(args, "-display");
	args_add(args, "none");
}

void qemu_add_machine(const struct qemu *qemu, struct args *args, uint64_t bytes) {
	/* Another process reads and writes the guest's RAM: it has to be shared memory. */
	args_add(args, "-object");
	args_add_format(args, "%s,id=mem,size=%" PRIu64 "M,share=on",
		qemu->has_memfd ? "memory-backend-memfd" : "memory-backend-shm", bytes >> 20);
	args_add(args, "-machine");
	args_add_format(args, "%s,memory-backend=mem", qemu->arm64 ? "virt" : "q35");
	args_add(args, "-m");
	args_add_format(args, "%" PRIu64 "M", bytes >> 20);
}

void qemu_add_accelerator(struct args *args, const char *name) {
	args_add(args, "-accel");
	args_add(args, name);
	args_add(args, "-cpu");
	args_add(args, !strcmp(name, "tcg") ? "max" : "host");
}

void qemu_add_gpu(struct args *args, const char *socket_path, bool blob_alignment) {
	char *path = text_escape_commas(socket_path);
	args_add(args, "-chardev");
	args_add_format(args, "socket,id=venera,path=%s", path);
	args_add(args, "-device");
	args_add_format(args, QEMU_DEVICE
		",chardev=venera,virtio-id=16,num_vqs=2,config_size=%d,vq_size=256",
		blob_alignment ? 20 : 16);
	free(path);
}
