/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gpu/bounds.h"
#include "gpu/options.h"
#include "gpu/protocol.h"
#include "venera_version.h"

static const char usage[] =
	"Usage: venera-gpu --socket-path=PATH|--fd=N [OPTIONS]\n"
	"\n"
	"A virtio-gpu device with Venus (Vulkan) for a virtual machine, as a vhost-user back\n"
	"end. `venera run` starts it; `venera run --print-command` shows how.\n"
	"\n"
	"  --socket-path=PATH     listen here for the front end (QEMU)\n"
	"  --fd=N                 or use this socket, connected or listening\n"
	"  --view-socket=PATH     listen here for venera-view\n"
	"  --view-fd=N            or use this socket, connected or listening\n"
	"  --control-socket=PATH  listen here for `venera stat`\n"
	"  --hostmem=SIZE         the guest's window for GPU memory, a power of two (8G)\n"
	"  --limit=NAME=VALUE     of what the guest can have; --limit=help lists them\n"
	"  --blob-alignment       tell the guest to keep to this host's page size\n"
	"  --size=WIDTHxHEIGHT    of the display until a view tells another one (1280x800);\n"
	"                         0x0: not connected until then\n"
	"  --max-outputs=N        displays of the device, 1 to 16 (1)\n"
	"  --driver=ICD.json      the host's Vulkan driver to use\n"
	"  --validate             run guests' Vulkan under the validation layer; log its messages\n"
	"  --sandbox=MODE         on (default), log: deny nothing but log what would be, or off;\n"
	"                         for render processes, too\n"
	"  --log-level=LEVEL      error, warn, info (default) or debug\n"
	"  --print-capabilities   for the program that starts it\n"
	"  --help, --version\n";

static bool parse_u64(const char *text, uint64_t max, uint64_t *value, const char **end) {
	if (*text < '0' || *text > '9') {
		return false;
	}
	char *stop;
	errno = 0;
	unsigned long long number = strtoull(text, &stop, 10);
	if (errno || number > max) {
		return false;
	}
	*value = number;
	*end = stop;
	return true;
}

static bool parse_fd(const char *name, const char *text, int *fd) {
	uint64_t value;
	const char *end;
	if (!parse_u64(text, 1 << 20, &value, &end) || *end) {
		log_error("--%s=%s is not the number of a descriptor", name, text);
		return false;
	}
	struct stat st;
	if (fstat((int)value, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		log_error("--%s=%s: no socket was inherited under this number", name, text);
		return false;
	}
	*fd = (int)value;
	return true;
}

static bool parse_size(const char *text, uint64_t *bytes) {
	static const char units[] = "KMGT";
	const char *end;
	if (!parse_u64(text, UINT64_C(1) << 40, bytes, &end)) {
		return false;
	}
	unsigned shift = 0;
	if (*end) {
		const char *unit = strchr(units, *end);
		if (!unit || end[1]) {
			return false;
		}
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (*bytes > UINT64_MAX >> shift) {
		return false;
	}
	*bytes <<= shift;
	return true;
}

static bool parse_hostmem(const char *text, uint64_t *bytes) {
	if (!parse_size(text, bytes) || *bytes < (1 << 20) || (*bytes & (*bytes - 1))) {
		log_error("--hostmem=%s: give a power of two of 1M or more, such as 8G", text);
		return false;
	}
	return true;
}

static bool parse_extent(const char *text, uint32_t *width, uint32_t *height) {
	uint64_t w, h;
	const char *end;
	if (!parse_u64(text, GPU_MAX_EXTENT, &w, &end) || *end != 'x' ||
			!parse_u64(end + 1, GPU_MAX_EXTENT, &h, &end) || *end || !w != !h) {
		log_error("--size=%s: give WIDTHxHEIGHT, each up to %d, such as 1280x800", text,
			GPU_MAX_EXTENT);
		return false;
	}
	*width = (uint32_t)w;
	*height = (uint32_t)h;
	return true;
}

static bool parse_outputs(const char *text, unsigned *outputs) {
	uint64_t value;
	const char *end;
	if (!parse_u64(text, GPU_MAX_SCANOUTS, &value, &end) || *end || value == 0) {
		log_error("--max-outputs=%s: give a number from 1 to %d", text, GPU_MAX_SCANOUTS);
		return false;
	}
	*outputs = (unsigned)value;
	return true;
}

enum option_id {
	OPT_SOCKET_PATH = 1,
	OPT_FD,
	OPT_VIEW_SOCKET,
	OPT_VIEW_FD,
	OPT_CONTROL_SOCKET,
	OPT_HOSTMEM,
	OPT_LIMIT,
	OPT_BLOB_ALIGNMENT,
	OPT_SIZE,
	OPT_MAX_OUTPUTS,
	OPT_DRIVER,
	OPT_VALIDATE,
	OPT_SANDBOX,
	OPT_LOG_LEVEL,
	OPT_PRINT_CAPABILITIES,
	OPT_HELP,
	OPT_VERSION,
};

static bool parse_value(struct options *options, int id, const char *value) {
	switch (id) {
	case OPT_SOCKET_PATH:
		options->socket_path = value;
		return true;
	case OPT_FD:
		return parse_fd("fd", value, &options->fd);
	case OPT_VIEW_SOCKET:
		options->view_socket = value;
		return true;
	case OPT_VIEW_FD:
		return parse_fd("view-fd", value, &options->view_fd);
	case OPT_CONTROL_SOCKET:
		options->control_socket = value;
		return true;
	case OPT_HOSTMEM:
		return parse_hostmem(value, &options->hostmem);
	case OPT_LIMIT:
		return limits_parse(&options->limits, LIMIT_OF_GPU, value);
	case OPT_BLOB_ALIGNMENT:
		options->blob_alignment = true;
		return true;
	case OPT_SIZE:
		return parse_extent(value, &options->width, &options->height);
	case OPT_MAX_OUTPUTS:
		return parse_outputs(value, &options->max_outputs);
	case OPT_DRIVER:
		options->driver = value;
		return true;
	case OPT_VALIDATE:
		options->validate = true;
		return true;
	case OPT_SANDBOX:
		if (!sandbox_mode_parse(value, &options->sandbox)) {
			log_error("--sandbox=%s: it is on, log or off", value);
			return false;
		}
		return true;
	case OPT_LOG_LEVEL:
		if (!log_level_parse(value, &options->log_level)) {
			log_error("--log-level=%s: it is error, warn, info or debug", value);
			return false;
		}
		return true;
	default:
		return false; /* getopt_long() has said what is wrong */
	}
}

static bool check(const struct options *options) {
	if (!options->socket_path == (options->fd < 0)) {
		log_error("give either --socket-path=PATH or --fd=N, where the front end is met");
		return false;
	}
	if (options->view_socket && options->view_fd >= 0) {
		log_error("--view-socket and --view-fd exclude each other");
		return false;
	}
	struct stat st;
	if (options->driver && stat(options->driver, &st) < 0) {
		log_error("--driver=%s: %s", options->driver, strerror(errno));
		return false;
	}
	return true;
}

enum options_result options_parse(struct options *options, int argc, char **argv) {
	static const struct option long_options[] = {
		{"socket-path", required_argument, NULL, OPT_SOCKET_PATH},
		{"fd", required_argument, NULL, OPT_FD},
		{"view-socket", required_argument, NULL, OPT_VIEW_SOCKET},
		{"view-fd", required_argument, NULL, OPT_VIEW_FD},
		{"control-socket", required_argument, NULL, OPT_CONTROL_SOCKET},
		{"hostmem", required_argument, NULL, OPT_HOSTMEM},
		{"limit", required_argument, NULL, OPT_LIMIT},
		{"blob-alignment", no_argument, NULL, OPT_BLOB_ALIGNMENT},
		{"size", required_argument, NULL, OPT_SIZE},
		{"max-outputs", required_argument, NULL, OPT_MAX_OUTPUTS},
		{"driver", required_argument, NULL, OPT_DRIVER},
		{"validate", no_argument, NULL, OPT_VALIDATE},
		{"sandbox", required_argument, NULL, OPT_SANDBOX},
		{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
		{"print-capabilities", no_argument, NULL, OPT_PRINT_CAPABILITIES},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, OPT_VERSION},
		{0},
	};
	*options = (struct options){
		.fd = -1,
		.view_fd = -1,
		.hostmem = UINT64_C(8) << 30,
		.width = 1280,
		.height = 800,
		.max_outputs = 1,
		.log_level = LOG_LEVEL_INFO,
	};
	limits_init(&options->limits);
	int id;
	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (id) {
		case OPT_PRINT_CAPABILITIES:
			puts("{\n  \"type\": \"gpu\"\n}");
			return OPTIONS_DONE;
		case OPT_HELP:
			fputs(usage, stdout);
			return OPTIONS_DONE;
		case OPT_VERSION:
			puts("venera-gpu " VENERA_VERSION);
			return OPTIONS_DONE;
		case OPT_LIMIT:
			if (!strcmp(optarg, "help")) {
				limits_print(stdout, &options->limits, LIMIT_OF_GPU);
				return OPTIONS_DONE;
			}
			/* fall through */
		default:
			if (!parse_value(options, id, optarg)) {
				return OPTIONS_ERROR;
			}
		}
	}
	if (optind < argc) {
		log_error("%s: all arguments are options, see --help", argv[optind]);
		return OPTIONS_ERROR;
	}
	return check(options) ? OPTIONS_RUN : OPTIONS_ERROR;
}
