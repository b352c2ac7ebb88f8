/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_OPTIONS_H
#define VENERA_GPU_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "ipc/limits.h"

/** The command line. Strings are argv's. */
struct options {
	const char *socket_path; /* NULL: fd is used */
	int fd;                  /* connected or listening; -1: none */
	const char *view_socket; /* NULL: none */
	int view_fd;             /* connected or listening; -1: none */
	const char *control_socket; /* NULL: none */
	const char *driver;      /* NULL: the loader chooses */
	uint64_t hostmem;        /* bytes */
	struct limits limits;
	bool blob_alignment;     /* the guest makes and maps blobs in units of our pages */
	uint32_t width, height;  /* 0: no display until there is a view */
	unsigned max_outputs;
	bool validate;           /* guests' Vulkan runs under the validation layer */
	enum sandbox_mode sandbox;
	enum log_level log_level;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_DONE,  /* what was asked for was printed */
	OPTIONS_ERROR, /* was logged */
};

enum options_result options_parse(struct options *options, int argc, char **argv);

#endif
