/* SPDX-License-Identifier: MIT */
#include "view/sandbox.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vk/sandbox.h"

/*
 * What venera-view shows comes from guests, but it hears of them only through venera-gpu: sizes
 * and places, checked twice, and pixels, at which only the GPU looks. It gives up files before it
 * loads a driver, and system calls when the window, the Vulkan device and all connections are
 * there: connecting is what it must do before and not later. Displays of X11 may be anywhere on
 * the network, and exchange pixels by System V shared memory, so with a window these name spaces
 * stay the machine's.
 *
 * A screenshot is written to a file beside the final one, so with --screenshot its folder can be
 * written to.
 */

static const char *const calls[] = {
	SANDBOX_CALLS_OF_C,
	SANDBOX_CALLS_OF_CHANNELS,
	VK_SANDBOX_CALLS,
	"shutdown", "getsockopt", "setsockopt",
	/* with the display server and its libraries */
	"recvfrom", "sendto", "getpeername", "getsockname", "socketpair", "getresuid", "getresgid",
	"shmget", "shmat", "shmctl", "shmdt",
	NULL,
};

static const char *const refused[] = {
	VK_SANDBOX_REFUSED,
	"socket", "connect", "bind", "listen", "wait4", "waitid",
	NULL,
};

/* For the display's name and how to be let in, cursors, the keyboard, and the window's frame. */
static const char *const window_files[] = {
	"/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
	"/etc/fonts", "/etc/gtk-3.0", "/etc/X11", "/tmp/.X11-unix",
};
static const char *const window_files_in_home[] = {
	".Xauthority", ".XCompose", ".icons", ".fonts", ".local/share/icons", ".local/share/fonts",
	".config/fontconfig", ".config/gtk-3.0",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void add_window_files(struct sandbox_files *files) {
	for (size_t i = 0; i < COUNT(window_files); i++) {
		sandbox_files_add(files, SANDBOX_READ, window_files[i]);
	}
	const char *home = getenv("HOME");
	for (size_t i = 0; home && i < COUNT(window_files_in_home); i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", home, window_files_in_home[i]);
		sandbox_files_add(files, SANDBOX_READ, path);
	}
	sandbox_files_add_list(files, SANDBOX_READ, getenv("XAUTHORITY"));
	sandbox_files_add_list(files, SANDBOX_READ, getenv("XCURSOR_PATH"));
}

/* The path may be relative. */
static void add_folder_of(struct sandbox_files *files, const char *path) {
	char folder[PATH_MAX] = "", whole[2 * PATH_MAX];
	if (path[0] != '/' && !getcwd(folder, sizeof(folder))) {
		return;
	}
	snprintf(whole, sizeof(whole), "%s/%s", folder, path);
	sandbox_files_add_folder_of(files, SANDBOX_WRITE, whole);
}

const struct sandbox_policy *view_sandbox_policy(bool window, const char *screenshot) {
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
		if (window) {
			add_window_files(&policy.files);
			policy.shares = SANDBOX_SHARE_NETWORK | SANDBOX_SHARE_IPC;
		}
		if (screenshot) {
			add_folder_of(&policy.files, screenshot);
		}
	}
	return &policy;
}
