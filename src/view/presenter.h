/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_PRESENTER_H
#define VENERA_VIEW_PRESENTER_H

#include <stdbool.h>
#include <stdint.h>

#include "view/compose.h"
#include "view/import.h"
#include "view/swapchain.h"

/**
 * Theory of operation
 *
 * What a flush says has changed is copied once, by the GPU, from the imported shared memory into a
 * texture of our own. The window is drawn from the texture: what of it is old (see swapchain.h),
 * and by a copy of texels where the picture is not scaled and has the window's format. So the
 * guest's memory is read only between a flush and its answer, at no other time: a window that is
 * resized or uncovered, a cursor that moves, a screenshot never catch the guest in the middle of
 * its next frame. (To sample the shared memory directly would save that copy, but would bind us to
 * the row pitches that the driver likes, and would tear.)
 *
 * The copy is submitted first and by itself, the drawing after it; the answer waits for the copy's
 * fence only, not for the drawing, which may wait for the monitor.
 *
 * All functions are for one thread. Those that return false have logged why, and nothing
 * more can be shown.
 */
struct view_presenter {
	struct view_device *device;
	struct view_composer composer;
	bool has_swapchain;
	struct view_swapchain swapchain;

	VkCommandBuffer copy_commands;
	VkFence copy_done;
	bool copy_running;

	struct view_texture layers[VIEW_LAYER_COUNT];
	uint32_t blits; /* what the GPU has copied or drawn so far, in pieces */
	struct view_scene scene; /* the owner changes it as it likes, but for what is not there */
};

/**
 * `surface` VK_NULL_HANDLE: there is no window. The surface stays the caller's; device and surface
 * must outlive the presenter.
 */
bool view_presenter_init(struct view_presenter *presenter, struct view_device *device,
	VkSurfaceKHR surface, enum view_present_mode mode, struct vk_error *error);

/** Waits for the GPU. Safe on a zeroed struct. */
void view_presenter_finish(struct view_presenter *presenter);

/** The largest width and height of a picture. */
uint32_t view_presenter_max_size(const struct view_presenter *presenter);

enum view_copy_result {
	VIEW_COPIED,       /* or soon: see view_presenter_wait_copy() */
	VIEW_COPY_REFUSED, /* the driver does not take this memory or this size; `*why` says so */
	VIEW_COPY_FAILED,  /* as false elsewhere */
};

/**
 * Starts to copy the rectangle (x, y, width, height) of an image that begins at byte `offset` of
 * the import and has `stride` bytes a line; both are multiples of 4, and the image lies in the
 * buffer. The layer gets the size `layer_width` x `layer_height`; if it has no content of that
 * size yet the rectangle must be all of it. Waits for a copy that is under way.
 */
struct view_copy {
	enum view_layer layer;
	uint32_t layer_width, layer_height;
	struct view_import *import;
	uint64_t offset;
	uint32_t stride;
	uint32_t x, y, width, height;
};
enum view_copy_result view_presenter_copy(
	struct view_presenter *presenter, const struct view_copy *copy, VkResult *why);

/** Does a layer of this size have content? */
bool view_presenter_has_layer(const struct view_presenter *presenter, enum view_layer layer,
	uint32_t width, uint32_t height);

/** When this returns the GPU reads nothing of the guest's. */
bool view_presenter_wait_copy(struct view_presenter *presenter);

/** Shows the scene in the window (see view_swapchain_show()). Without a window: VIEW_HIDDEN. */
enum view_show_result view_presenter_show(struct view_presenter *presenter, uint64_t patience_ns);

/**
 * Draws the scene as a window of this size shows it, and reads it back. `*pixels` gets
 * width * height * 4 bytes, red, green, blue, alpha; the caller frees them. NULL, and said why, if
 * memory is short.
 */
bool view_presenter_capture(struct view_presenter *presenter, uint32_t width, uint32_t height,
	uint8_t **pixels);

#endif
