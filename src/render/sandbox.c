/* SPDX-License-Identifier: MIT */
#include "render/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"

/*
 * A render process enters its sandbox before it has a thread, has loaded a driver, or has read a byte from
 * its channel. So the lists have to do for a driver's whole life: the loader looks for manifests and layers,
 * libraries are opened when a device is made, shaders are compiled to code by threads (lavapipe), and read from and
 * written to a cache. How the lists were found, and how they are for another driver: docs/security.md.
 */

static const char *const calls[] = {
	SANDBOX_CALLS_OF_C,
	"ioctl",
	SANDBOX_CALLS_OF_CHANNELS,
	"eventfd2", "pipe2", "dup", "dup2", "dup3", "select", "pselect6",
	/* libraries, manifests, /proc and /sys, the shader cache */
	"openat", "open", "stat", "lstat", "statx", "access", "faccessat", "faccessat2", "readlink",
	"readlinkat", "getdents64", "pread64", "pwrite64", "readv", "writev", "statfs", "fstatfs",
	"getcwd", "flock", "fallocate", "fadvise64", "fsync", "fdatasync", "mkdir", "mkdirat", "unlink",
	"unlinkat", "rmdir", "rename", "renameat", "renameat2", "utimensat", "umask",
	/* what there is of processors and memory, and threads on them */
	"getcpu", "sched_setaffinity", "sched_setscheduler", "sched_getscheduler", "sched_getparam",
	"sched_get_priority_max", "sched_get_priority_min", "setpriority", "getpriority", "mincore",
	"mlock", "mlock2", "munlock", "msync", "getrusage", "times", "time",
	/* who we are */
	"uname", "getuid", "geteuid", "getgid", "getegid", "getppid", "set_tid_address", "arch_prctl",
	"get_robust_list",
	/* NVIDIA's driver waits for events with these */
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "timerfd_create", "timerfd_settime",
	/* on the channel */
	"shutdown", "getsockopt", "setsockopt",
	NULL,
};

static const char *const refused[] = {
	/* Mesa and the loader for windows, NVIDIA's driver for its daemons */
	"socket", "connect", "socketpair", "bind", "listen", "sendto", "recvfrom", "getpeername",
	"getsockname",
	/* NVIDIA's driver, to make its devices */
	"fork", "vfork", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "chown", "fchown",
	/* Mesa, to tell whether two descriptors are one device; without, it takes them for two */
	"kcmp", "inotify_init1", "inotify_add_watch", "perf_event_open", "sched_setattr", "setrlimit",
	"mbind", "set_mempolicy", "get_mempolicy", "capget", "personality", "shmget", "shmat", "shmctl",
	"shmdt", "symlink", "link", "sync", "kill",
	NULL,
};

/* Programs and data that every user can read: libraries, manifests, drirc. */
static const char *const program_files[] = {
	"/usr", "/lib", "/lib64", "/lib32", "/opt", "/nix/store", "/gnu/store", "/run/opengl-driver",
	"/etc/vulkan", "/etc/xdg/vulkan", "/etc/drirc", "/etc/nvidia", "/etc/OpenCL", "/etc/ld.so.cache",
	"/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
};

/* What the machine is. Of /proc only our own process. */
static const char *const machine_files[] = {
	"/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/devices",
	"/proc/modules", "/proc/filesystems", "/proc/driver/nvidia", "/proc/sys/vm", "/proc/sys/kernel",
	"/proc/bus/pci",
	"/sys/devices", "/sys/dev", "/sys/class/drm", "/sys/bus/pci", "/sys/module",
	"/dev/urandom", "/dev/random", "/dev/zero",
};

/* The cards' display side, /dev/dri/card*, is not among them. */
static const char *const device_files[] = {
	"/dev/null", "/dev/udmabuf", "/dev/nvidiactl", "/dev/nvidia-modeset",
	"/dev/nvidia-caps",
};

/* Lists as PATH has it, of folders and files that users add. */
static const char *const read_variables[] = {
	"VK_LAYER_PATH", "VK_ADD_LAYER_PATH", "VK_IMPLICIT_LAYER_PATH", "VK_ADD_IMPLICIT_LAYER_PATH",
	"LD_LIBRARY_PATH", "LD_PRELOAD",
};
static const char *const driver_variables[] = {
	"VK_DRIVER_FILES", "VK_ADD_DRIVER_FILES", "VK_ICD_FILENAMES",
};
/* The first is everybody's, and set by render_sandbox_choose_cache(). */
static const char *const cache_variables[] = {
	"XDG_CACHE_HOME", "MESA_SHADER_CACHE_DIR", "__GL_SHADER_DISK_CACHE_PATH",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The library's folder, if the manifest names one: it may need others beside it. */
static void add_driver_library(struct sandbox_files *files, const char *manifest, size_t length) {
	char path[4096], text[8192];
	if (length >= sizeof(path)) {
		return;
	}
	memcpy(path, manifest, length);
	path[length] = '\0';
	sandbox_files_add_folder_of(files, SANDBOX_READ, path);
	FILE *file = fopen(path, "r");
	if (!file) {
		return;
	}
	size_t size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	/* A string without escapes will do: a path with a quote in it is not worth a parser. */
	char *key = strstr(text, "\"library_path\"");
	char *begin = key ? strchr(key + strlen("\"library_path\""), '"') : NULL;
	char *end = begin ? strchr(begin + 1, '"') : NULL;
	if (!end) {
		return;
	}
	*end = '\0';
	begin++;
	if (begin[0] == '/') {
		sandbox_files_add_folder_of(files, SANDBOX_READ, begin);
	} else if (strchr(begin, '/')) { /* relative to the manifest */
		char library[sizeof(path) + sizeof(text)];
		char *slash = strrchr(path, '/');
		snprintf(library, sizeof(library), "%.*s/%s", (int)(slash - path), path, begin);
		sandbox_files_add_folder_of(files, SANDBOX_READ, library);
	}
}

static void add_drivers(struct sandbox_files *files, const char *list) {
	while (list && *list) {
		size_t length = strcspn(list, ":");
		if (list[0] == '/') {
			add_driver_library(files, list, length);
		}
		list += length;
		list += *list == ':';
	}
}

/* $variable, or the folder in $HOME that stands for it. */
static bool user_folder(char *path, size_t size, const char *variable, const char *in_home,
		const char *name) {
	const char *base = getenv(variable), *home = getenv("HOME");
	int length;
	if (base && base[0] == '/') {
		length = snprintf(path, size, "%s/%s", base, name);
	} else if (home && home[0] == '/') {
		length = snprintf(path, size, "%s/%s/%s", home, in_home, name);
	} else {
		return false;
	}
	return length > 0 && (size_t)length < size;
}

static void add_user_files(struct sandbox_files *files) {
	char path[4096];
	if (user_folder(path, sizeof(path), "XDG_CONFIG_HOME", ".config", "vulkan")) {
		sandbox_files_add(files, SANDBOX_READ, path);
	}
	if (user_folder(path, sizeof(path), "XDG_DATA_HOME", ".local/share", "vulkan")) {
		sandbox_files_add(files, SANDBOX_READ, path);
	}
	/* "folder:folder", in each of which there may be vulkan/ */
	const char *const lists[] = {getenv("XDG_DATA_DIRS"), getenv("XDG_CONFIG_DIRS")};
	for (size_t i = 0; i < COUNT(lists); i++) {
		for (const char *list = lists[i]; list && *list; list += *list == ':') {
			size_t length = strcspn(list, ":");
			snprintf(path, sizeof(path), "%.*s/vulkan", (int)length, list);
			sandbox_files_add(files, SANDBOX_READ, path);
			list += length;
		}
	}
}

/* Devices that are numbered. */
static void add_devices(struct sandbox_files *files) {
	char path[64];
	for (int i = 128; i < 128 + 64; i++) {
		snprintf(path, sizeof(path), "/dev/dri/renderD%d", i);
		sandbox_files_add(files, SANDBOX_DEVICE, path);
	}
	for (int i = 0; i < 32; i++) {
		snprintf(path, sizeof(path), "/dev/nvidia%d", i);
		sandbox_files_add(files, SANDBOX_DEVICE, path);
	}
}

const struct sandbox_policy *render_sandbox_policy(void) {
	static struct sandbox_policy policy = {
		.calls = calls,
		.refused = refused,
		/* DRM, NVIDIA, its mode setting, dma-bufs, their fences, udmabuf */
		.ioctl_types = "dFmb>u",
		.makes_code = true,
		.quiet = true,
	};
	struct sandbox_files *files = &policy.files;
	if (files->count) {
		return &policy;
	}
	for (size_t i = 0; i < COUNT(program_files); i++) {
		sandbox_files_add(files, SANDBOX_READ, program_files[i]);
	}
	for (size_t i = 0; i < COUNT(machine_files); i++) {
		sandbox_files_add(files, SANDBOX_READ, machine_files[i]);
	}
	for (size_t i = 0; i < COUNT(device_files); i++) {
		sandbox_files_add(files, SANDBOX_DEVICE, device_files[i]);
	}
	add_devices(files);
	add_user_files(files);
	for (size_t i = 0; i < COUNT(read_variables); i++) {
		sandbox_files_add_list(files, SANDBOX_READ, getenv(read_variables[i]));
	}
	for (size_t i = 0; i < COUNT(driver_variables); i++) {
		add_drivers(files, getenv(driver_variables[i]));
	}
	for (size_t i = 0; i < COUNT(cache_variables); i++) {
		sandbox_files_add_list(files, SANDBOX_WRITE, getenv(cache_variables[i]));
	}
	return &policy;
}

void render_sandbox_choose_cache(void) {
	char path[4096];
	if (!user_folder(path, sizeof(path), "XDG_CACHE_HOME", ".cache", "venera")) {
		return; /* then drivers do not find one either */
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		log_debug("no shader cache at %s: %s", path, strerror(errno));
	}
	setenv("XDG_CACHE_HOME", path, 1);
}
