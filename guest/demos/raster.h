/* SPDX-License-Identifier: MIT */
#ifndef VENERA_DEMOS_RASTER_H
#define VENERA_DEMOS_RASTER_H

#include "common.h"

/** What demos that draw need: a pass with one image, which they clear and fill. */

/** The image is cleared, and left in the layout GENERAL, where the CPU may look at it. */
bool demo_pass_init(VkRenderPass *pass, const struct demo_gpu *gpu, VkFormat format);

/** A view of the image, and a framebuffer of that for the pass. */
bool demo_target_init(VkImageView *view, VkFramebuffer *framebuffer, const struct demo_gpu *gpu,
	VkRenderPass pass, VkImage image, VkFormat format, uint32_t width, uint32_t height);

struct demo_pipeline_options {
	VkShaderModule vertex, fragment;
	VkPipelineLayout layout;
	VkRenderPass pass;
	uint32_t width, height; /* of the image */
	VkCullModeFlags cull_mode; /* fronts are counterclockwise */
};

/** Draws lists of triangles without vertex buffers. */
bool demo_pipeline_init(VkPipeline *pipeline, const struct demo_gpu *gpu,
	const struct demo_pipeline_options *options);

#endif
