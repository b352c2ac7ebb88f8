/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dynlib.h"
#include "base/os.h"

void *dynlib_open(const char *path, char *error, size_t error_size) {
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library && error) {
		const char *why = dlerror();
		snprintf(error, error_size, "%s", why ? why : "cannot be opened");
	}
	return library;
}

void dynlib_close(void *library) {
	if (library) {
		dlclose(library);
	}
}

dynlib_func dynlib_function(void *library, const char *name) {
	void *symbol = dlsym(library, name);
	dynlib_func func = NULL;
	/* POSIX promises that the two kinds of pointer look alike; C has no conversion for it. */
	_Static_assert(sizeof(func) == sizeof(symbol), "function and object pointers differ");
	memcpy(&func, &symbol, sizeof(func));
	return func;
}

struct vulkan_place {
	const char *variable; /* its value goes before the path; NULL: none */
	const char *path;
};

/*
 * Linux has its loader where the dynamic linker looks. macOS has none of its own: it comes with
 * the SDK, with Homebrew (whose folder depends on the processor), or inside an application's
 * bundle, and an application may carry a driver without a loader. A bare name goes first, so
 * that the user's DYLD_LIBRARY_PATH has its say.
 */
static const struct vulkan_place places_macos[] = {
	{NULL, "libvulkan.1.dylib"},
	{"VULKAN_SDK", "/lib/libvulkan.1.dylib"},
	{"VULKAN_SDK", "/macOS/lib/libvulkan.1.dylib"},
	{NULL, "@executable_path/../Frameworks/libvulkan.1.dylib"},
	{NULL, "@executable_path/../lib/libvulkan.1.dylib"},
	{NULL, "@executable_path/libvulkan.1.dylib"},
	{NULL, "/opt/homebrew/lib/libvulkan.1.dylib"},
	{NULL, "/usr/local/lib/libvulkan.1.dylib"},
	{NULL, "libMoltenVK.dylib"},
	{NULL, "@executable_path/../Frameworks/libMoltenVK.dylib"},
	{NULL, "@executable_path/../lib/libMoltenVK.dylib"},
	{NULL, "@executable_path/libMoltenVK.dylib"},
	{NULL, "/opt/homebrew/lib/libMoltenVK.dylib"},
	{NULL, "/usr/local/lib/libMoltenVK.dylib"},
	{"VULKAN_SDK", "/lib/libMoltenVK.dylib"},
	{"VULKAN_SDK", "/macOS/lib/libMoltenVK.dylib"},
	{NULL, "@executable_path/../Frameworks/libvulkan_kosmickrisp.dylib"},
	{NULL, "/opt/homebrew/lib/libvulkan_kosmickrisp.dylib"},
	{NULL, "/usr/local/lib/libvulkan_kosmickrisp.dylib"},
	{"VULKAN_SDK", "/lib/libvulkan_kosmickrisp.dylib"},
};

static const struct vulkan_place places_others[] = {
	{NULL, "libvulkan.so.1"},
	{NULL, "libvulkan.so"},
	{"VULKAN_SDK", "/lib/libvulkan.so.1"},
};

int dynlib_vulkan_place(size_t index, char *path, size_t path_size) {
	return dynlib_vulkan_place_of(OS_MACOS, index, path, path_size);
}

int dynlib_vulkan_place_of(bool macos, size_t index, char *path, size_t path_size) {
	const size_t count = macos ? sizeof(places_macos) / sizeof(places_macos[0])
		: sizeof(places_others) / sizeof(places_others[0]);
	if (index >= count) {
		return -1;
	}
	const struct vulkan_place *place = macos ? &places_macos[index] : &places_others[index];
	const char *folder = "";
	if (place->variable) {
		folder = getenv(place->variable);
		if (!folder || !folder[0]) {
			return 0;
		}
	}
	int length = snprintf(path, path_size, "%s%s", folder, place->path);
	return length >= 0 && (size_t)length < path_size;
}
