/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_CAPTURE_H
#define VENERA_CLI_CAPTURE_H

#include <stdbool.h>

#include "cli/text.h"

/** A program that was run to read what it prints. */
struct capture {
	char *output;   /* standard output and error together, ends with NUL; never NULL */
	int status;     /* as of waitpid; meaningless when timed_out */
	bool timed_out; /* it took too long and was killed */
};

/**
 * Runs args->list[0] with /dev/null as its input, waits for its end, and gives what it printed
 * (at most the first mebibyte). `env` as in struct process_options. 0, or -errno if it could not be
 * started; capture_finish() is due only after 0.
 */
int capture_run(struct capture *capture, const struct args *args, const char *const *env,
	int timeout_ms);

/** Did it exit with code 0? */
bool capture_succeeded(const struct capture *capture);

void capture_finish(struct capture *capture);

#endif
