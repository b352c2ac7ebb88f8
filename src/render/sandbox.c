/* SPDX-License-Identifier: MIT */
#include "render/sandbox.h"

#include "vk/sandbox.h"

/*
 * A render process enters its sandbox before it has a thread, has loaded a driver, or has read a
 * byte from its channel. So the lists have to do for a driver's whole life: the loader looks for
 * manifests and layers, libraries are opened when a device is made, shaders are compiled to code
 * by threads (lavapipe), and read from and written to a cache.
 */

static const char *const calls[] = {
	SANDBOX_CALLS_OF_C,
	SANDBOX_CALLS_OF_CHANNELS,
	VK_SANDBOX_CALLS,
	/* on the channel */
	"shutdown", "getsockopt", "setsockopt",
	NULL,
};

static const char *const refused[] = {
	VK_SANDBOX_REFUSED,
	/* for windows, which there are none of */
	"socket", "connect", "socketpair", "bind", "listen", "sendto", "recvfrom", "getpeername",
	"getsockname", "shmget", "shmat", "shmctl", "shmdt",
	NULL,
};

const struct sandbox_policy *render_sandbox_policy(void) {
	static struct sandbox_policy policy = {
		.calls = calls,
		.refused = refused,
		.ioctl_types = VK_SANDBOX_IOCTL_TYPES,
		.makes_code = true,
		.quiet = true,
	};
	if (!policy.files.count) {
		vk_sandbox_choose_cache();
		vk_sandbox_add_files(&policy.files);
	}
	return &policy;
}
