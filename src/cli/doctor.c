/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "base/process.h"
#include "base/sandbox.h"
#include "base/shmem.h"
#include "cli/accel.h"
#include "cli/cli.h"
#include "cli/device_check.h"
#include "cli/display.h"
#include "cli/drivers.h"
#include "cli/options.h"
#include "cli/runtime.h"
#include "cli/vm.h"

/* Each mapped GPU buffer of a guest is a descriptor in several processes. */
#define ENOUGH_DESCRIPTORS 4096

struct doctor {
	const char *driver, *qemu; /* as of the command line; NULL: whatever is found */
	unsigned failures;         /* without which no VM can be run */
};

enum verdict {
	VERDICT_OK,
	VERDICT_WARN, /* a VM can be run without it */
	VERDICT_FAIL,
};

static void say(struct doctor *doctor, enum verdict verdict, const char *format, ...)
	LOG_PRINTF(3, 4);

static void say(struct doctor *doctor, enum verdict verdict, const char *format, ...) {
	static const char *const words[] = {"ok  ", "warn", "FAIL"};
	va_list list;
	printf("%s  ", words[verdict]);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	fflush(stdout);
	doctor->failures += verdict == VERDICT_FAIL;
}

/* The same for the result of a check, which is freed: `ok_text` if it is NULL. */
static void say_result(struct doctor *doctor, enum verdict bad, const char *what, char *problem,
		const char *ok_text) {
	say(doctor, problem ? bad : VERDICT_OK, "%s: %s", what, problem ? problem : ok_text);
	free(problem);
}

static void check_host(struct doctor *doctor) {
	struct utsname name = {0};
	uname(&name);
	say(doctor, VERDICT_OK, "host: %s %s, %s, pages of %zu bytes", name.sysname, name.release,
		name.machine, page_size());

	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY &&
			limit.rlim_max < ENOUGH_DESCRIPTORS) {
		say(doctor, VERDICT_WARN, "open files: at most %llu for a process; guests with many GPU "
			"buffers need %d: raise the hard limit (ulimit -Hn)",
			(unsigned long long)limit.rlim_max, ENOUGH_DESCRIPTORS);
	}
	char *missing = sandbox_what_is_missing();
	if (missing) {
		say(doctor, VERDICT_WARN, "sandbox: this system has %s: a guest that breaks out of the GPU's "
			"driver meets fewer walls (docs/security.md)", missing);
	} else {
		say(doctor, VERDICT_OK, "sandbox: the system has all of it");
	}
	free(missing);
}

static void check_programs(struct doctor *doctor) {
	static const char *const names[] = {"venera-gpu", "venera-render", "venera-view"};
	char *problem = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !problem; i++) {
		char *path = process_find_sibling(names[i]);
		if (!path) {
			problem = text_format("%s is not where venera is; install Venera again, or set "
				"VENERA_BINDIR to the folder that it is in", names[i]);
		}
		free(path);
	}
	bool missing = problem != NULL;
	say_result(doctor, VERDICT_FAIL, "programs", problem, "venera-gpu, venera-render, venera-view");
	if (missing) {
		return;
	}
	struct vm_paths paths;
	char *folder = runtime_folder_create();
	problem = folder ? vm_paths_init(&paths, folder, "") : text_format(
		"cannot make a folder in %s; set XDG_RUNTIME_DIR to where that works", runtime_base());
	if (folder) {
		vm_paths_finish(&paths);
	}
	runtime_folder_destroy(folder);
	say_result(doctor, VERDICT_FAIL, "sockets", problem, runtime_base());
}

/* --- Vulkan --- */

static const char *file_name(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void say_devices(struct doctor *doctor, const char *manifest,
		const struct driver_report *report, enum verdict bad) {
	for (size_t i = 0; i < report->device_count; i++) {
		const struct driver_device *device = &report->devices[i];
		say(doctor, device->problem ? bad : VERDICT_OK, "%s: %s, Vulkan %s, %s%s: %s",
			file_name(manifest), device->name, device->api_version, device->kind,
			device->portability ? ", conforms in part (portability)" : "",
			device->problem ? device->problem : "GPU and CPU see the same shared memory");
	}
}

static void check_vulkan(struct doctor *doctor) {
	char *single[] = {(char *)doctor->driver, NULL};
	char **manifests = doctor->driver ? single : driver_find_manifests();
	size_t count = 0;
	while (manifests[count]) {
		count++;
	}
	/* first all are tried: what is wrong with one counts less if another works */
	struct driver_report *reports = calloc(count + 1, sizeof(reports[0]));
	char **problems = calloc(count + 1, sizeof(problems[0]));
	size_t usable = 0;
	const char *loader = NULL;
	for (size_t i = 0; reports && problems && i < count; i++) {
		problems[i] = driver_report_init(&reports[i], manifests[i], true);
		usable += driver_report_usable(&reports[i]);
		loader = reports[i].loader ? reports[i].loader : loader;
	}

	if (loader) {
		say(doctor, VERDICT_OK, "Vulkan loader: %s", loader);
	} else if (count) {
		say(doctor, VERDICT_FAIL, "Vulkan loader: %s", problems[0]);
	}
	enum verdict bad = usable ? VERDICT_WARN : VERDICT_FAIL;
	char *absent = text_copy("");
	for (size_t i = 0; loader && i < count; i++) {
		say_devices(doctor, manifests[i], &reports[i], bad);
		if (reports[i].no_device) {
			char *longer = text_format("%s%s%s", absent, *absent ? ", " : "",
				file_name(manifests[i]));
			free(absent);
			absent = longer;
		} else if (problems[i]) {
			say(doctor, bad, "%s: %s", file_name(manifests[i]), problems[i]);
		}
	}
	if (*absent) {
		say(doctor, VERDICT_OK, "drivers without a device here: %s", absent);
	}
	if (!usable && (loader || !count)) {
		say(doctor, VERDICT_FAIL, "Vulkan: no driver with a device that can be used; install the "
			"GPU's, or Mesa's (Debian: mesa-vulkan-drivers)");
	}

	free(absent);
	for (size_t i = 0; i < count; i++) {
		driver_report_finish(&reports[i]);
		free(problems[i]);
		if (!doctor->driver) {
			free(manifests[i]);
		}
	}
	if (!doctor->driver) {
		free(manifests);
	}
	free(reports);
	free(problems);
}

/* --- QEMU --- */

static void check_accelerator(struct doctor *doctor, const struct qemu *qemu) {
	char *why;
	enum accel accel = accel_choose(qemu, &why);
	if (why) {
		say(doctor, VERDICT_WARN, "accelerator: only TCG, which is slow: %s", why);
		free(why);
	} else {
		say(doctor, VERDICT_OK, "accelerator: %s", accel_name(accel));
	}
}

static void check_qemu(struct doctor *doctor) {
	struct qemu qemu;
	char *problem = qemu_find(&qemu, doctor->qemu);
	if (problem) {
		say(doctor, VERDICT_FAIL, "QEMU: %s", problem);
		free(problem);
	} else {
		say(doctor, VERDICT_OK, "QEMU: %s, version %s, for %s guests", qemu.path, qemu.version,
			qemu.arm64 ? "arm64" : "x86-64");
		say_result(doctor, VERDICT_FAIL, "GPU device", device_check(&qemu),
			QEMU_DEVICE " with shared memory behind a 64-bit BAR");
		check_accelerator(doctor, &qemu);
	}
	qemu_finish(&qemu);
}

static void check_display(struct doctor *doctor) {
	char *text = NULL;
	char *problem = display_try(doctor->driver, &text);
	say_result(doctor, VERDICT_WARN, "display", problem, text);
	free(text);
}

int doctor_main(int argc, char **argv) {
	enum {
		OPTION_DRIVER,
		OPTION_QEMU,
		OPTION_HELP,
	};
	static const struct option_spec specs[] = {
		[OPTION_DRIVER] = {"driver", "ICD.json", "try only the Vulkan driver of this manifest"},
		[OPTION_QEMU] = {"qemu", "PATH", "the QEMU to try (default: from PATH)"},
		[OPTION_HELP] = {"help", NULL, "this text"},
		{NULL, NULL, NULL},
	};
	struct doctor doctor = {0};
	struct option_parser parser = OPTION_PARSER(specs, argc, argv);
	const char *value;
	int option;
	while ((option = option_next(&parser, &value)) >= 0) {
		if (option == OPTION_DRIVER) {
			doctor.driver = value;
		} else if (option == OPTION_QEMU) {
			doctor.qemu = value;
		} else {
			printf("Usage: venera doctor [OPTIONS]\n\n"
				"Tries what a virtual machine needs on this host, a line each. Exit code 0: one\n"
				"can be run here.\n\n");
			option_print_help(specs);
			return CLI_EXIT_OK;
		}
	}
	if (option == OPTION_ERROR) {
		return CLI_EXIT_USAGE;
	}
	if (parser.next < argc) {
		log_error("'%s' is one argument too many; see 'venera doctor --help'", argv[parser.next]);
		return CLI_EXIT_USAGE;
	}

	check_host(&doctor);
	check_programs(&doctor);
	check_vulkan(&doctor);
	check_qemu(&doctor);
	check_display(&doctor);
	if (doctor.failures) {
		printf("No virtual machine can be run here before what is marked FAIL is put right.\n");
		return CLI_EXIT_FAILED;
	}
	printf("A virtual machine can be run here.\n");
	return CLI_EXIT_OK;
}
