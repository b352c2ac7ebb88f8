/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/dynlib.h"
#include "base/log.h"
#include "vk/loader.h"

/* Is the library at loader->path one that Vulkan can be had from? */
static bool loader_try(struct vk_loader *loader, char *why, size_t why_size) {
	loader->library = dynlib_open(loader->path, why, why_size);
	if (!loader->library) {
		return false;
	}

	/* A driver has the second name; the loader and MoltenVK have the first. */
	dynlib_func func = dynlib_function(loader->library, "vkGetInstanceProcAddr");
	if (!func) {
		func = dynlib_function(loader->library, "vk_icdGetInstanceProcAddr");
	}
	loader->get_instance_proc_addr = (PFN_vkGetInstanceProcAddr)func;
	if (func) {
		vk_global_table_load(&loader->global, loader->get_instance_proc_addr);
	}
	if (!func || !loader->global.CreateInstance
			|| !loader->global.EnumerateInstanceExtensionProperties) {
		snprintf(why, why_size, "%.200s: not a Vulkan library", loader->path);
		dynlib_close(loader->library);
		loader->library = NULL;
		return false;
	}
	return true;
}

bool vk_loader_init(struct vk_loader *loader, struct vk_error *error) {
	*loader = (struct vk_loader){0};
	char first_why[256] = "no place to look in";
	int applies;
	size_t tried = 0;
	for (size_t i = 0; !loader->library
			&& (applies = dynlib_vulkan_place(i, loader->path, sizeof(loader->path))) >= 0; i++) {
		char why[256];
		if (applies && !loader_try(loader, why, sizeof(why))) {
			log_debug("Vulkan loader: %s", why);
			if (tried++ == 0) {
				memcpy(first_why, why, sizeof(why));
			}
		}
	}
	if (!loader->library) {
		vk_error_set(error, "no Vulkan loader found: install it (Debian and Ubuntu: libvulkan1, "
			"Fedora: vulkan-loader, Homebrew: vulkan-loader) (%s)", first_why);
		return false;
	}

	/* 1.0 loaders lack the function that tells the version. */
	loader->api_version = VK_API_VERSION_1_0;
	if (loader->global.EnumerateInstanceVersion) {
		loader->global.EnumerateInstanceVersion(&loader->api_version);
	}
	return true;
}

void vk_loader_finish(struct vk_loader *loader) {
	dynlib_close(loader->library);
	*loader = (struct vk_loader){0};
}
