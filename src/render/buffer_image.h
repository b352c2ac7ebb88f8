/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_BUFFER_IMAGE_H
#define VENERA_RENDER_BUFFER_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

#include "venus/object_table.h"

struct render_buffer {
	struct venus_object base;
	bool takes_imports; /* can be bound to memory that is an import */
	bool shared;        /* and only to such */
};

struct render_image {
	struct venus_object base;
	bool takes_imports, shared;
	bool linear;
	/* as it was created */
	VkFormat format;
	VkImageType type;
	VkExtent3D extent;
	uint32_t mip_levels, array_layers;
	VkSampleCountFlagBits samples;
};

#endif
