/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_COMPOSE_H
#define VENERA_VIEW_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "view/device.h"
#include "view/texture.h"

/**
 * Draws what the window shows: the guest's picture, scaled to fit with its aspect kept, black
 * beside it, and the cursor above it. The same for windows and screenshots, for all formats.
 */

/** The images of a scene. */
enum view_layer {
	VIEW_LAYER_PICTURE,
	VIEW_LAYER_CURSOR,
	VIEW_LAYER_COUNT,
};

/** Which byte of a texel is which component; 4: opaque, whatever the texel says. */
struct view_components {
	uint32_t red, green, blue, alpha;
};

struct view_scene {
	bool has_picture;             /* else all is black, without a cursor */
	uint32_t width, height;       /* of the picture, guest pixels */
	struct view_components order; /* of the picture */
	bool has_cursor;
	uint32_t cursor_width, cursor_height;
	int64_t cursor_x, cursor_y;   /* of its upper left corner, guest pixels; may be outside */
};

struct view_composer {
	const struct view_device *device;
	VkSampler samplers[2]; /* nearest, linear */
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool descriptor_pool;
	VkDescriptorSet sets[VIEW_LAYER_COUNT][2]; /* with each of the samplers */
	VkPipelineLayout layout;
	VkShaderModule vertex_shader, fragment_shader;
};

/** For targets of one format and one use. */
struct view_pass {
	VkRenderPass render_pass;
	VkPipeline pipeline;
};

VkResult view_composer_init(struct view_composer *composer, const struct view_device *device);
/** The GPU draws nothing any more. Safe on a zeroed struct. */
void view_composer_finish(struct view_composer *composer);

/**
 * The layer is drawn from `texture` from now on. The GPU draws nothing at the time, or nothing with
 * this layer.
 */
void view_composer_set_layer(struct view_composer *composer, enum view_layer layer,
	const struct view_texture *texture);

/** `final_layout` is what the target is in after drawing: presented, or copied from. */
VkResult view_pass_init(struct view_pass *pass, const struct view_composer *composer,
	VkFormat format, VkImageLayout final_layout);
/** Safe on a zeroed struct. */
void view_pass_finish(struct view_pass *pass, const struct view_composer *composer);

/** Records the drawing of a scene; what the target showed before is lost. */
void view_compose(const struct view_composer *composer, const struct view_pass *pass,
	VkCommandBuffer commands, VkFramebuffer target, VkExtent2D size,
	const struct view_scene *scene);

#endif
