/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_SANDBOX_LINUX_H
#define VENERA_BASE_SANDBOX_LINUX_H

#include <stdbool.h>

#include "base/sandbox.h"

/** Private to the sandbox of Linux. */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

struct sandbox_call {
	const char *name;
	int number;
};

/** Of this processor's calls; text in any case. */
const char *sandbox_call_name(int number);
/** -1: there is none of this name here. */
int sandbox_call_number(const char *name);

/** What a denied call fails with; 0: it ends the process. */
int sandbox_call_error(const struct sandbox_policy *policy, const char *call);

/** Is it a call that opens or changes files by their paths? */
bool sandbox_log_looks_at(const char *call);
/** Starts the thread that logs. `policy` has to stay as it is. 0 or -errno. */
int sandbox_log_start(const struct sandbox_policy *policy);
/** Gives it the filter's descriptor; -1: there is none, and the thread ends. */
void sandbox_log_serve(int listener);

#endif
