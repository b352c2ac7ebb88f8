/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_BUFFER_IMAGE_H
#define VENERA_RENDER_BUFFER_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

#include "venus/object_table.h"

/** To what memory a buffer or image can be bound. */
enum render_binding {
	RENDER_BINDS_OWN,    /* the driver's own */
	RENDER_BINDS_ANY,    /* that, and imports of shared memory */
	RENDER_BINDS_SHARED, /* nothing but imports, as the guest wants to share it */
};

struct render_buffer {
	struct venus_object base;
	enum render_binding binding;
	VkDeviceSize size; /* as it was created */
};

struct render_image {
	struct venus_object base;
	enum render_binding binding;
	bool linear;
	/* as it was created */
	VkFormat format;
	VkImageType type;
	VkExtent3D extent;
	uint32_t mip_levels, array_layers;
	VkSampleCountFlagBits samples;
};

#endif
