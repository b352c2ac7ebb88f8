/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/process.h"
#include "base/socket.h"
#include "ipc/limits.h"
#include "render/context.h"
#include "render/sandbox.h"
#include "venera_version.h"

/*
 * In this order: options; the sandbox (sandbox.c); the context with its threads; for a spare, the driver; and only
 * then what the device sends, which is the first that a guest has a say in.
 */

static const char usage[] =
	"Usage: venera-render --fd=N [OPTIONS]\n"
	"\n"
	"Runs one Venus context on the host's Vulkan driver. venera-gpu and venera-vtest\n"
	"start it; there is no use in starting it by hand.\n"
	"\n"
	"  --fd=N             the connected socket to the device\n"
	"  --name=NAME        the guest process's name, for log lines\n"
	"  --counters-fd=N    shared memory in which to count what it does\n"
	"  --limit=NAME=VALUE  of what the guest can have; --limit=help lists them\n"
	"  --no-dma-buf       do not offer to share memory by descriptor\n"
	"  --sandbox=MODE     on (default), log: deny nothing but log what would be, or off\n"
	"  --spare            load the driver and wait for a context, whose name comes first\n"
	"  --validate         run under the Khronos validation layer and log what it finds\n"
	"  --log-level=LEVEL  error, warn, info (default) or debug\n"
	"  --help, --version\n";

static char program[96] = "venera-render";

int main(int argc, char **argv) {
	enum {
		OPT_FD = 1,
		OPT_COUNTERS_FD,
		OPT_NAME,
		OPT_LIMIT,
		OPT_NO_DMA_BUF,
		OPT_SANDBOX,
		OPT_SPARE,
		OPT_VALIDATE,
		OPT_LOG_LEVEL,
		OPT_HELP,
		OPT_VERSION,
	};
	static const struct option long_options[] = {
		{"fd", required_argument, NULL, OPT_FD},
		{"counters-fd", required_argument, NULL, OPT_COUNTERS_FD},
		{"name", required_argument, NULL, OPT_NAME},
		{"limit", required_argument, NULL, OPT_LIMIT},
		{"no-dma-buf", no_argument, NULL, OPT_NO_DMA_BUF},
		{"sandbox", required_argument, NULL, OPT_SANDBOX},
		{"spare", no_argument, NULL, OPT_SPARE},
		{"validate", no_argument, NULL, OPT_VALIDATE},
		{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, OPT_VERSION},
		{0},
	};

	log_init(program, LOG_LEVEL_INFO);
	struct render_options options = {.name = "guest", .counters_fd = -1};
	limits_init(&options.limits);
	enum log_level level = LOG_LEVEL_INFO;
	enum sandbox_mode sandbox = SANDBOX_ON;
	bool spare = false;
	int fd = -1;
	int option;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case OPT_FD:
		case OPT_COUNTERS_FD: {
			char *end;
			long value = strtol(optarg, &end, 10);
			if (*end || end == optarg || value < 0 || value > 1 << 20) {
				log_error("--%s=%s is not a descriptor",
					option == OPT_FD ? "fd" : "counters-fd", optarg);
				return EXIT_FAILURE;
			}
			*(option == OPT_FD ? &fd : &options.counters_fd) = (int)value;
			break;
		}
		case OPT_NAME:
			options.name = optarg;
			break;
		case OPT_LIMIT:
			if (!strcmp(optarg, "help")) {
				limits_print(stdout, &options.limits, LIMIT_OF_RENDER);
				return EXIT_SUCCESS;
			}
			if (!limits_parse(&options.limits, LIMIT_OF_RENDER, optarg)) {
				return EXIT_FAILURE;
			}
			break;
		case OPT_NO_DMA_BUF:
			options.no_dma_buf = true;
			break;
		case OPT_SANDBOX:
			if (!sandbox_mode_parse(optarg, &sandbox)) {
				log_error("--sandbox=%s: on, log or off is meant", optarg);
				return EXIT_FAILURE;
			}
			break;
		case OPT_SPARE:
			spare = true;
			break;
		case OPT_VALIDATE:
			options.validate = true;
			break;
		case OPT_LOG_LEVEL:
			if (!log_level_parse(optarg, &level)) {
				log_error("--log-level=%s: error, warn, info or debug is meant", optarg);
				return EXIT_FAILURE;
			}
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case OPT_VERSION:
			puts("venera-render " VENERA_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_FAILURE;
		}
	}
	if (optind < argc || fd < 0) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	log_init(program, level);
	fd_set_cloexec(fd, true);
	fd_limit_raise();
	if (sandbox_enter(render_sandbox_policy(), sandbox) < 0) {
		return EXIT_FAILURE;
	}

	static struct render_context context;
	int ret = render_context_init(&context, fd, &options);
	if (ret < 0) {
		log_error("%s: cannot start: %s", options.name, strerror(-ret));
		return EXIT_FAILURE;
	}
	if (spare) {
		thread_set_name(RENDER_SPARE_THREAD_NAME);
		render_spare_prepare(&context);
	}
	ret = render_context_run(&context);
	if (ret < 0) {
		log_error("%s: the device's channel broke: %s", options.name, strerror(-ret));
	}
	render_context_finish(&context);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
