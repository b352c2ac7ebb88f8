/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "cli/cli.h"
#include "cli/display.h"
#include "cli/drivers.h"
#include "cli/guard.h"
#include "cli/options.h"
#include "cli/runtime.h"
#include "cli/vm.h"
#include "ipc/limits.h"

enum {
	OPTION_DESKTOP,
	OPTION_IMAGE,
	OPTION_IMAGE_FORMAT,
	OPTION_SNAPSHOT,
	OPTION_KERNEL,
	OPTION_INITRD,
	OPTION_APPEND,
	OPTION_MEMORY,
	OPTION_CPUS,
	OPTION_SSH_PORT,
	OPTION_WINDOW_SIZE,
	OPTION_DISPLAY,
	OPTION_PRESENT_MODE,
	OPTION_SCREENSHOT,
	OPTION_HOSTMEM,
	OPTION_LIMIT,
	OPTION_BLOB_ALIGNMENT,
	OPTION_DRIVER,
	OPTION_ACCEL,
	OPTION_QEMU,
	OPTION_PRINT_COMMAND,
	OPTION_VALIDATE,
	OPTION_SANDBOX,
	OPTION_LOG_LEVEL,
	OPTION_HELP,
};

static const struct option_spec specs[] = {
	[OPTION_DESKTOP] = {"desktop", NULL, "boot the guest with a desktop that guest/image/build\n"
		"--desktop made; what it writes is forgotten in the end"},
	[OPTION_IMAGE] = {"image", "FILE", "the guest's disk, raw or qcow2"},
	[OPTION_IMAGE_FORMAT] = {"image-format", "FORMAT", "auto (default), raw or qcow2"},
	[OPTION_SNAPSHOT] = {"snapshot", NULL, "forget in the end what the guest wrote to the disk"},
	[OPTION_KERNEL] = {"kernel", "FILE", "boot this Linux kernel, not the disk's boot loader"},
	[OPTION_INITRD] = {"initrd", "FILE", "its initial RAM disk"},
	[OPTION_APPEND] = {"append", "TEXT", "its command line\n"
		"(default: console=tty0 console=ttyS0, or ttyAMA0 on arm64)"},
	[OPTION_MEMORY] = {"memory", "SIZE", "the guest's RAM (default 4G)"},
	[OPTION_CPUS] = {"cpus", "N", "its processors (default: the host's, at most 4)"},
	[OPTION_SSH_PORT] = {"ssh-port", "PORT", "this port of 127.0.0.1 leads to the guest's ssh\n"
		"(default 2222, 0: none)"},
	[OPTION_WINDOW_SIZE] = {"window-size", "WxH", "of the guest's screen (default 1280x800)"},
	[OPTION_DISPLAY] = {"display", "KIND", "window or headless\n"
		"(default: window if there is a display)"},
	[OPTION_PRESENT_MODE] = {"present-mode", "MODE",
		"how frames reach the window: fifo (default), mailbox or\n"
		"immediate"},
	[OPTION_SCREENSHOT] = {"screenshot", "FILE.png",
		"where SIGUSR1 to this command saves what the window shows"},
	[OPTION_HOSTMEM] = {"hostmem", "SIZE", "of the window through which the guest sees the GPU's\n"
		"memory: a power of two (default 8G)"},
	[OPTION_LIMIT] = {"limit", "NAME=VALUE", "of what the guest can have; may be given several\n"
		"times; --limit=help lists them"},
	[OPTION_BLOB_ALIGNMENT] = {"blob-alignment", NULL,
		"tell a guest of smaller pages than this host's to keep to\n"
		"these (see docs/macos.md)"},
	[OPTION_DRIVER] = {"driver", "ICD.json", "use only the Vulkan driver of this manifest"},
	[OPTION_ACCEL] = {"accel", "KIND", "auto (default), kvm, hvf or tcg"},
	[OPTION_QEMU] = {"qemu", "PATH", "the QEMU to use, 11.1 or newer (default: from PATH)"},
	[OPTION_PRINT_COMMAND] = {"print-command", NULL,
		"print what would be run, one line a process, and exit"},
	[OPTION_VALIDATE] = {"validate", NULL,
		"run the guest's Vulkan and ours under the validation layer;\n"
		"its messages become log lines"},
	[OPTION_SANDBOX] = {"sandbox", "MODE", "on (default), log: deny nothing but log what would be, or\n"
		"off; of the GPU's device, its renderers and the window"},
	[OPTION_LOG_LEVEL] = {"log-level", "LEVEL", "error, warn, info (default) or debug"},
	[OPTION_HELP] = {"help", NULL, "this text"},
	{NULL, NULL, NULL},
};

/* What the command line says; what it does not say is NULL. */
struct run_options {
	const char *text[sizeof(specs) / sizeof(specs[0])];
	struct args limits; /* may be given several times */
	char **extra;
	int extra_count;
};

static void print_help(void) {
	printf("Usage: venera run [OPTIONS] [-- EXTRA QEMU ARGUMENTS]\n"
		"\n"
		"Starts a virtual machine that renders with this host's GPU. The guest's serial console\n"
		"is this terminal: ^C goes to the guest, ctrl-a x ends QEMU.\n"
		"\n");
	option_print_help(specs);
	printf("\nSizes have a unit: 512M, 8G. 'venera doctor' tells whether all that is needed is "
		"there.\n");
}

/* false when the process is to end with `*code`. */
static bool parse(struct run_options *options, int argc, char **argv, int *code) {
	*options = (struct run_options){0};
	struct option_parser parser = OPTION_PARSER(specs, argc, argv);
	const char *value;
	int option;
	while ((option = option_next(&parser, &value)) >= 0) {
		options->text[option] = value ? value : "";
		if (option == OPTION_LIMIT) {
			args_add(&options->limits, value);
		}
	}
	if (option == OPTION_ERROR) {
		*code = CLI_EXIT_USAGE;
		return false;
	}
	if (options->text[OPTION_HELP]) {
		print_help();
		*code = CLI_EXIT_OK;
		return false;
	}
	struct limits limits;
	limits_init(&limits);
	for (size_t i = 0; i < options->limits.count; i++) {
		if (!strcmp(options->limits.list[i], "help")) {
			limits_print(stdout, &limits, LIMIT_OF_GPU);
			*code = CLI_EXIT_OK;
			return false;
		}
		if (!limits_parse(&limits, LIMIT_OF_GPU, options->limits.list[i])) {
			*code = CLI_EXIT_USAGE;
			return false;
		}
	}
	options->extra = argv + parser.next;
	options->extra_count = argc - parser.next;
	return true;
}

/* --- from options to a configuration; each returns NULL or what is wrong --- */

/* Our children run in the same folder, but a printed command may be pasted elsewhere. */
static char *absolute_path(const char *path) {
	char folder[PATH_MAX];
	if (*path == '/' || !getcwd(folder, sizeof(folder))) {
		return text_copy(path);
	}
	return text_format("%s/%s", folder, path);
}

/* The absolute path of a file that is there and can be read. */
static char *resolve_file(const char *option, const char *path, char **resolved) {
	*resolved = absolute_path(path);
	struct stat st;
	if (stat(path, &st) < 0) {
		return text_format("--%s=%s: %s", option, path, strerror(errno));
	}
	if (S_ISDIR(st.st_mode)) {
		return text_format("--%s=%s is a folder; name the file", option, path);
	}
	if (access(*resolved, R_OK) < 0) {
		return text_format("--%s=%s cannot be read: %s", option, path, strerror(errno));
	}
	return NULL;
}

/* A number of the file's header, most significant byte first. */
static uint64_t header_number(const uint8_t *bytes, int count) {
	uint64_t number = 0;
	for (int i = 0; i < count; i++) {
		number = number << 8 | bytes[i];
	}
	return number;
}

/*
 * A raw disk belongs to the guest down to its first byte: a hostile guest could write a qcow2
 * header there that names any file of the host as its backing file, and get to read that in its next
 * life. So a header that names other files is believed only of a file whose name says qcow2.
 */
static char *detect_format(const char *path, enum vm_disk_format *format) {
	uint8_t header[80] = {0};
	FILE *file = fopen(path, "rb");
	if (!file) {
		return text_format("--image=%s cannot be read: %s", path, strerror(errno));
	}
	size_t size = fread(header, 1, sizeof(header), file);
	fclose(file);
	*format = VM_DISK_RAW;
	if (size < sizeof(header) || memcmp(header, "QFI\xfb", 4) != 0) {
		return NULL;
	}
	*format = VM_DISK_QCOW2;
	uint64_t version = header_number(header + 4, 4);
	uint64_t backing_file = header_number(header + 8, 8);
	uint64_t incompatible = version >= 3 ? header_number(header + 72, 8) : 0;
	bool other_files = backing_file != 0 || (incompatible & (1 << 2)) != 0;
	if (other_files && !text_ends_with(path, ".qcow2")) {
		return text_format("%s is a qcow2 image that names other files of this host, but its name "
			"does not end in .qcow2; if you made it so, say --image-format=qcow2", path);
	}
	return NULL;
}

static char *configure_image(struct vm_config *config, const struct run_options *options) {
	const char *path = options->text[OPTION_IMAGE], *format = options->text[OPTION_IMAGE_FORMAT];
	if (format && strcmp(format, "auto") != 0 && strcmp(format, "raw") != 0 &&
			strcmp(format, "qcow2") != 0) {
		return text_format("--image-format=%s: it is auto, raw or qcow2", format);
	}
	config->snapshot = options->text[OPTION_SNAPSHOT] != NULL;
	if (!path) {
		return format || config->snapshot ?
			text_copy("--image-format and --snapshot are of use only with --image") : NULL;
	}
	char *problem = resolve_file("image", path, &config->image);
	if (problem) {
		return problem;
	}
	if (!config->snapshot && access(config->image, W_OK) < 0) {
		return text_format("--image=%s cannot be written to: %s; with --snapshot it need not be",
			path, strerror(errno));
	}
	if (!format || !strcmp(format, "auto")) {
		return detect_format(config->image, &config->image_format);
	}
	config->image_format = !strcmp(format, "raw") ? VM_DISK_RAW : VM_DISK_QCOW2;
	return NULL;
}

/* Is there a file of this name in the folder? */
static char *find_in(const char *folder, const char *name) {
	char *path = text_format("%s/%s", folder, name);
	if (access(path, R_OK) < 0) {
		free(path);
		return NULL;
	}
	return path;
}

/*
 * The folder with the desktop's files: the one that VENERA_DESKTOP names, or guest-desktop beside
 * the build folder that we were started from. NULL: there is none.
 */
static char *find_desktop(void) {
	const char *named = getenv("VENERA_DESKTOP");
	if (named && *named) {
		return absolute_path(named);
	}
	char *path = process_find_sibling("venera-gpu");
	char *folder = NULL;
	while (path && !folder) {
		char *slash = strrchr(path, '/');
		if (!slash) {
			break;
		}
		*slash = '\0';
		folder = find_in(path, "guest-desktop");
	}
	free(path);
	return folder;
}

static char *configure_desktop(struct vm_config *config, const struct run_options *options) {
	if (options->text[OPTION_IMAGE] || options->text[OPTION_KERNEL]) {
		return text_copy("--desktop has an image and a kernel of its own");
	}
	char *folder = find_desktop();
	if (folder) {
		config->image = find_in(folder, "disk.ext4");
		config->kernel = find_in(folder, "vmlinuz");
		config->initrd = find_in(folder, "initrd.img");
		free(folder);
	}
	if (!config->image || !config->kernel || !config->initrd) {
		return text_copy("there is no guest with a desktop yet; make one with guest/image/build "
			"--desktop, and name its folder in VENERA_DESKTOP if it is not in build/guest-desktop");
	}
	config->image_format = VM_DISK_RAW;
	config->snapshot = true;
	config->append = options->text[OPTION_APPEND];
	return NULL;
}

static char *configure_boot(struct vm_config *config, const struct run_options *options) {
	if (options->text[OPTION_DESKTOP]) {
		return configure_desktop(config, options);
	}
	char *problem = configure_image(config, options);
	if (problem) {
		return problem;
	}
	const char *kernel = options->text[OPTION_KERNEL], *initrd = options->text[OPTION_INITRD];
	if (!kernel && (initrd || options->text[OPTION_APPEND])) {
		return text_copy("--initrd and --append are of use only with --kernel");
	}
	if (!kernel && !config->image && !options->extra_count) {
		return text_copy("nothing to boot; give a disk with --image=FILE or a kernel with "
			"--kernel=FILE, or --desktop");
	}
	if (kernel) {
		problem = resolve_file("kernel", kernel, &config->kernel);
	}
	if (!problem && initrd) {
		problem = resolve_file("initrd", initrd, &config->initrd);
	}
	config->append = options->text[OPTION_APPEND];
	return problem;
}

static uint32_t default_cpus(void) {
	long count = 2;
#ifdef _SC_NPROCESSORS_ONLN /* POSIX has it since 2024 */
	count = sysconf(_SC_NPROCESSORS_ONLN);
#endif
	return count < 1 ? 1 : count > 4 ? 4 : (uint32_t)count;
}

static char *configure_size(
		const char *option, const char *text, uint64_t fallback, uint64_t *bytes) {
	*bytes = fallback;
	if (!text || text_parse_size(text, bytes)) {
		return NULL;
	}
	return text_format("--%s=%s: not a size; give a number with a unit, as in 512M or 4G",
		option, text);
}

static char *configure_machine(struct vm_config *config, const struct run_options *options) {
	char *problem = configure_size("memory", options->text[OPTION_MEMORY], UINT64_C(4) << 30,
		&config->memory);
	if (problem) {
		return problem;
	}
	if (config->memory < UINT64_C(16) << 20 || config->memory % (1 << 20) != 0) {
		return text_copy("--memory: give at least 16M, in whole megabytes");
	}
	problem = configure_size("hostmem", options->text[OPTION_HOSTMEM], UINT64_C(8) << 30,
		&config->hostmem);
	if (problem) {
		return problem;
	}
	/* It is a PCI memory range: QEMU aborts if it is not a power of two. */
	if (config->hostmem < 1 << 20 || (config->hostmem & (config->hostmem - 1)) != 0) {
		return text_format("--hostmem=%s is not a power of two of 1M or more",
			options->text[OPTION_HOSTMEM]);
	}
	config->blob_alignment = options->text[OPTION_BLOB_ALIGNMENT] != NULL;
	uint64_t number = default_cpus();
	const char *text = options->text[OPTION_CPUS];
	if (text && !text_parse_uint(text, 1, 255, &number)) {
		return text_format("--cpus=%s: give a number from 1 to 255", text);
	}
	config->cpus = (uint32_t)number;
	number = 2222;
	text = options->text[OPTION_SSH_PORT];
	if (text && !text_parse_uint(text, 0, 65535, &number)) {
		return text_format("--ssh-port=%s: give a number from 1 to 65535, or 0 for none", text);
	}
	config->ssh_port = (uint16_t)number;
	return NULL;
}

static char *configure_screen(struct vm_config *config, const struct run_options *options) {
	config->width = 1280;
	config->height = 800;
	const char *text = options->text[OPTION_WINDOW_SIZE];
	if (text && (!text_parse_extent(text, &config->width, &config->height) ||
			config->width < 64 || config->height < 64 ||
			config->width > 16384 || config->height > 16384)) {
		return text_format("--window-size=%s: give WIDTHxHEIGHT, each from 64 to 16384", text);
	}
	text = options->text[OPTION_DISPLAY];
	if (text && strcmp(text, "window") != 0 && strcmp(text, "headless") != 0) {
		return text_format("--display=%s: it is window or headless", text);
	}
	config->window = !text || !strcmp(text, "window");
	if (config->window) {
		char *problem = display_find();
		if (problem && text) {
			return problem;
		}
		if (problem) {
			log_info("no window: %s", problem);
			config->window = false;
			free(problem);
		}
	}
	text = options->text[OPTION_PRESENT_MODE];
	if (text && strcmp(text, "fifo") != 0 && strcmp(text, "mailbox") != 0 &&
			strcmp(text, "immediate") != 0) {
		return text_format("--present-mode=%s: it is fifo, mailbox or immediate", text);
	}
	config->present_mode = text;
	text = options->text[OPTION_SCREENSHOT];
	if (text) {
		if (!*text) {
			return text_copy("--screenshot: give the name of a PNG file");
		}
		config->screenshot = absolute_path(text);
	}
	text = options->text[OPTION_DRIVER];
	return text ? resolve_file("driver", text, &config->driver) : NULL;
}

static char *configure_log_level(struct vm_config *config, const struct run_options *options) {
	config->log_level = options->text[OPTION_LOG_LEVEL];
	enum log_level level;
	if (!config->log_level) {
		return NULL;
	}
	if (!log_level_parse(config->log_level, &level)) {
		return text_format("--log-level=%s: it is error, warn, info or debug", config->log_level);
	}
	log_init("venera", level);
	return NULL;
}

static char *configure(struct vm_config *config, const struct run_options *options) {
	config->extra = options->extra;
	config->extra_count = options->extra_count;
	config->validate = options->text[OPTION_VALIDATE] != NULL;
	config->limits = options->limits;
	const char *sandbox = options->text[OPTION_SANDBOX];
	if (sandbox && !sandbox_mode_parse(sandbox, &config->sandbox)) {
		return text_format("--sandbox=%s: it is on, log or off", sandbox);
	}
	char *problem = configure_log_level(config, options);
	if (!problem) {
		problem = configure_boot(config, options);
	}
	if (!problem) {
		problem = configure_machine(config, options);
	}
	if (!problem) {
		problem = configure_screen(config, options);
	}
	return problem;
}

static void config_finish(struct vm_config *config) {
	free(config->image);
	free(config->kernel);
	free(config->initrd);
	free(config->driver);
	free(config->screenshot);
}

/* --- what this host has --- */

static char *choose_accel(struct vm_config *config, const struct run_options *options,
		const struct qemu *qemu) {
	const char *text = options->text[OPTION_ACCEL] ? options->text[OPTION_ACCEL] : "auto";
	if (!strcmp(text, "auto")) {
		char *why;
		config->accel = accel_choose(qemu, &why);
		if (why) {
			log_info("the guest runs in software (TCG), which is slow: %s", why);
			free(why);
		}
		return NULL;
	}
	config->accel = !strcmp(text, "kvm") ? ACCEL_KVM : !strcmp(text, "hvf") ? ACCEL_HVF : ACCEL_TCG;
	char *why = accel_check(config->accel, qemu);
	if (!why) {
		return NULL;
	}
	char *problem = text_format("--accel=%s does not work here: %s", text, why);
	free(why);
	return problem;
}

static bool is_accel(const char *text) {
	return !strcmp(text, "auto") || !strcmp(text, "kvm") || !strcmp(text, "hvf") ||
		!strcmp(text, "tcg");
}

static char *check_ssh_port(uint16_t port) {
	int fd = port ? socket(AF_INET, SOCK_STREAM, 0) : -1;
	if (fd < 0) {
		return NULL;
	}
	/* As QEMU does: connections that just ended do not count. */
	int one = 1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	address.sin_addr.s_addr = inet_addr("127.0.0.1");
	int err = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	if (!err && listen(fd, 1) < 0) {
		err = errno;
	}
	close(fd);
	return !err ? NULL : text_format("port %u of 127.0.0.1, for the guest's ssh, cannot be had: "
		"%s; choose another with --ssh-port=PORT, or 0 for none", port, strerror(err));
}

static char *check_driver(const struct vm_config *config) {
	struct driver_report report;
	char *problem = driver_report_init(&report, config->driver, false);
	if (!problem && !driver_report_usable(&report)) {
		problem = text_format("no Vulkan device can be used; %s: %s",
			report.devices[0].name, report.devices[0].problem);
	} else if (problem && driver_report_usable(&report)) {
		log_warn("%s; going on with %s", problem, report.devices[0].name);
		free(problem);
		problem = NULL;
	}
	driver_report_finish(&report);
	return problem;
}

/* --- */

static const char *default_append(const struct qemu *qemu) {
	return qemu->arm64 ? "console=tty0 console=ttyAMA0" : "console=tty0 console=ttyS0";
}

/* Sockets of a printed command have to be where no folder must be made for them. */
static int print_command(const struct vm_config *config, const struct qemu *qemu) {
	struct vm_paths paths;
	char *problem = vm_paths_init(&paths, runtime_base(), "venera-");
	if (problem) {
		log_error("%s", problem);
		free(problem);
	} else {
		struct args args = {0};
		vm_gpu_args(&args, config, &paths);
		args_print(stdout, &args);
		args_finish(&args);
		vm_view_args(&args, config, &paths);
		args_print(stdout, &args);
		args_finish(&args);
		vm_qemu_args(&args, config, &paths, qemu);
		args_print(stdout, &args);
		args_finish(&args);
	}
	vm_paths_finish(&paths);
	return problem ? CLI_EXIT_FAILED : CLI_EXIT_OK;
}

static int run(const struct vm_config *config, const struct qemu *qemu) {
	int code = CLI_EXIT_FAILED;
	signal(SIGPIPE, SIG_IGN); /* the guard's pipe */
	struct guard guard;
	int err = guard_start(&guard);
	if (err) {
		log_error("cannot start a process: %s", strerror(-err));
		return code;
	}
	struct vm_paths paths = {0};
	char *folder = runtime_folder_create();
	if (!folder) {
		log_error("cannot make a folder for sockets in %s: %s; set XDG_RUNTIME_DIR to where that "
			"works", runtime_base(), strerror(errno));
		goto out;
	}
	guard_add_folder(guard.fd, folder);
	char *problem = vm_paths_init(&paths, folder, "");
	if (problem) {
		log_error("%s", problem);
		free(problem);
		goto out;
	}
	code = vm_run(config, &paths, qemu, guard.fd);

out:
	vm_paths_finish(&paths);
	runtime_folder_destroy(folder);
	guard_finish(&guard);
	return code;
}

int run_main(int argc, char **argv) {
	struct run_options options;
	int code;
	if (!parse(&options, argc, argv, &code)) {
		args_finish(&options.limits);
		return code;
	}
	code = CLI_EXIT_FAILED;
	struct vm_config config = {0};
	struct qemu qemu = {0};
	const char *accel = options.text[OPTION_ACCEL];
	char *problem = accel && !is_accel(accel) ?
		text_format("--accel=%s: it is auto, kvm, hvf or tcg", accel) : NULL;
	if (!problem) {
		problem = configure(&config, &options);
	}
	if (!problem) {
		problem = qemu_find(&qemu, options.text[OPTION_QEMU]);
	}
	if (!problem) {
		problem = choose_accel(&config, &options, &qemu);
	}
	if (!problem && config.kernel && !config.append) {
		config.append = default_append(&qemu);
	}
	if (!problem && options.text[OPTION_PRINT_COMMAND]) {
		code = print_command(&config, &qemu);
		goto out;
	}
	if (!problem) {
		problem = check_ssh_port(config.ssh_port);
	}
	if (!problem) {
		problem = check_driver(&config);
	}
	if (problem) {
		log_error("%s", problem);
		free(problem);
	} else {
		code = run(&config, &qemu);
	}

out:
	qemu_finish(&qemu);
	config_finish(&config);
	args_finish(&options.limits);
	return code;
}
