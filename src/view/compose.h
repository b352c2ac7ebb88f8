/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_COMPOSE_H
#define VENERA_VIEW_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "view/device.h"
#include "view/rect.h"
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

	/* since the scene was last shown */
	struct view_rect changed;     /* of the picture, guest pixels */
	bool cursor_changed;          /* the cursor's image is another one */
	bool lost;                    /* the window has lost what it showed */
};

/** A rectangle of the target in pixels. */
struct view_placement {
	double x, y, width, height;
};

/** Where in a target of this size the picture is drawn: whole pixels. There is a picture. */
struct view_placement view_scene_place(const struct view_scene *scene, VkExtent2D target);

/**
 * What has to be drawn anew of a target of this size that shows a scene as it was, so that it shows
 * it as it is. All of it, or a part that lies in the picture.
 */
struct view_rect view_scene_difference(
	const struct view_scene *was, const struct view_scene *is, VkExtent2D target);

struct view_composer {
	const struct view_device *device;
	VkSampler samplers[2]; /* nearest, linear */
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool descriptor_pool;
	VkDescriptorSet sets[VIEW_LAYER_COUNT][2]; /* with each of the samplers */
	const struct view_texture *textures[VIEW_LAYER_COUNT]; /* not owned */
	VkPipelineLayout layout;
	VkShaderModule vertex_shader, fragment_shader;
};

/** For targets of one format and one use. */
struct view_pass {
	VkRenderPass clear; /* begins with black */
	VkRenderPass load;  /* begins with what the target shows */
	VkPipeline pipeline;
	VkImageLayout layout; /* of the target before (if it is to keep anything) and after */
};

/** What a scene is drawn to. */
struct view_target {
	VkImage image;
	VkFramebuffer framebuffer;
	VkExtent2D size;
	/* a picture that is not scaled and has this order of components can be copied to it: its usage
	 * has TRANSFER_DST, and what is in its alpha does not matter */
	bool takes_copies;
	struct view_components order;
};

VkResult view_composer_init(struct view_composer *composer, const struct view_device *device);
/** The GPU draws nothing any more. Safe on a zeroed struct. */
void view_composer_finish(struct view_composer *composer);

/**
 * The layer is drawn from `texture`, which stays where it is, from now on. The GPU draws nothing
 * at the time, or nothing with this layer.
 */
void view_composer_set_layer(struct view_composer *composer, enum view_layer layer,
	const struct view_texture *texture);

/** `layout` is what the target is in between drawings: presented, or copied from. */
VkResult view_pass_init(struct view_pass *pass, const struct view_composer *composer,
	VkFormat format, VkImageLayout layout);
/** Safe on a zeroed struct. */
void view_pass_finish(struct view_pass *pass, const struct view_composer *composer);

/**
 * Records the drawing of a part of a scene: all of the target, whose content may be undefined, or
 * a part as of view_scene_difference(); then the rest of the target stays. What waits for the
 * target to be free has to wait in the stages COLOR_ATTACHMENT_OUTPUT and TRANSFER.
 */
void view_compose(const struct view_composer *composer, const struct view_pass *pass,
	VkCommandBuffer commands, const struct view_target *target, const struct view_scene *scene,
	const struct view_rect *part);

#endif
