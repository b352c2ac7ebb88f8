/* SPDX-License-Identifier: MIT */
#include "vtest/sandbox.h"

#include <stddef.h>

/*
 * From its sandbox on, venera-vtest opens no file, makes no socket but pairs, runs nothing, and
 * maps nothing as code. It accepts clients, passes on what they send and the memory that render
 * processes make. Those are started and ended by the broker (ipc/broker.h), which also removes
 * the socket from the file system.
 */

static const char *const calls[] = {
	SANDBOX_CALLS_OF_CHANNELS,
	SANDBOX_CALLS_OF_C,
	"accept4", "recvfrom", "sendto", "getsockopt", "setsockopt", "shutdown", "socketpair",
	"getsockname",
	"eventfd2", "pipe2", "ioctl",
	/* the broker's end */
	"wait4",
	NULL,
};

const struct sandbox_policy *vtest_sandbox_policy(void) {
	static const struct sandbox_policy policy = {.calls = calls};
	return &policy;
}
