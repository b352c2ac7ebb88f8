/* SPDX-License-Identifier: MIT */
#include "vk/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"

/* Programs and data that every user can read: libraries, manifests, drirc. */
static const char *const program_files[] = {
	"/usr", "/lib", "/lib64", "/lib32", "/opt", "/nix/store", "/gnu/store", "/run/opengl-driver",
	"/etc/vulkan", "/etc/xdg/vulkan", "/etc/drirc", "/etc/nvidia", "/etc/OpenCL",
	"/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
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

void vk_sandbox_add_files(struct sandbox_files *files) {
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
}

void vk_sandbox_choose_cache(void) {
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
