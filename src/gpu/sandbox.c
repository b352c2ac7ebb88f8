/* SPDX-License-Identifier: MIT */
#include "gpu/sandbox.h"

#include <stddef.h>

/*
 * From its sandbox on, venera-gpu opens no file, makes no socket but pairs, runs nothing, and
 * maps nothing as code. It accepts connections at the sockets that it has, maps the memory that
 * it is sent, and talks to the processes that it knows. Render processes are started and ended by
 * the broker (ipc/broker.h), which also removes sockets from the file system.
 */

static const char *const calls[] = {
	SANDBOX_CALLS_OF_CHANNELS,
	SANDBOX_CALLS_OF_C,
	"accept4", "recvfrom", "sendto", "getsockopt", "setsockopt", "shutdown", "socketpair",
	"getsockname",
	"eventfd2", "ioctl", "geteuid",
	/* the broker's end */
	"wait4",
	NULL,
};

const struct sandbox_policy *gpu_sandbox_policy(void) {
	static const struct sandbox_policy policy = {.calls = calls};
	return &policy;
}
