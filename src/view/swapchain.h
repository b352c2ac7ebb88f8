/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_SWAPCHAIN_H
#define VENERA_VIEW_SWAPCHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "view/compose.h"
#include "view/device.h"
#include "view/options.h"

/** The images that the window is shown from. */

#define VIEW_FRAMES_IN_FLIGHT 2

/**
 * Theory of operation
 *
 * An image comes back from the display as it went, if the driver keeps images. So each image
 * remembers which part of it is older than the scene that is to be shown: what has changed since is
 * joined to that part of all images, and the one that is presented is brought up to date. A cursor
 * that moves, a line of text that is typed draw a few pixels. Where the driver keeps no images, or
 * made them anew, that part is all of the image.
 */
struct view_swapchain_image {
	VkImage handle;
	VkImageView view;
	VkFramebuffer framebuffer;
	VkSemaphore drawn; /* presenting waits for it */
	struct view_rect old; /* what it does not show as `shown` is */
};

struct view_swapchain_frame {
	VkCommandBuffer commands;
	VkFence done;
	VkSemaphore acquired; /* drawing waits for it */
};

struct view_swapchain {
	const struct view_device *device;
	const struct view_composer *composer;
	VkSurfaceKHR surface;
	VkSurfaceFormatKHR format;
	VkPresentModeKHR present_mode;
	struct view_pass pass;
	uint32_t window_width, window_height; /* as of the window; 0: nothing can be shown */

	VkSwapchainKHR handle; /* VK_NULL_HANDLE: to be made before the next frame */
	VkExtent2D size;
	struct view_swapchain_image *images;
	uint32_t image_count;
	bool stale; /* fits the window no more */
	bool takes_copies; /* see struct view_target */
	struct view_components order;

	struct view_scene shown;  /* what `old` of the images is about */
	struct view_rect changed; /* since an image was last presented */

	struct view_swapchain_frame frames[VIEW_FRAMES_IN_FLIGHT];
	uint32_t next_frame;
};

enum view_show_result {
	VIEW_SHOWN,  /* handed to the display */
	VIEW_HIDDEN, /* there is nothing to show it on: the window has no size or just changed it */
	VIEW_BUSY,   /* the display gave no image in time: perhaps nobody sees the window */
	VIEW_FAILED, /* and said why */
};

/** The surface stays the caller's and must outlive the swapchain. Makes no images yet. */
bool view_swapchain_init(struct view_swapchain *swapchain, const struct view_composer *composer,
	VkSurfaceKHR surface, enum view_present_mode mode, struct vk_error *error);

/** Waits for the GPU. Safe on a zeroed struct. */
void view_swapchain_finish(struct view_swapchain *swapchain);

/** The window's framebuffer has this size now. */
void view_swapchain_resize(struct view_swapchain *swapchain, uint32_t width, uint32_t height);

/**
 * Draws the scene and presents it; what is said in it to have changed has not any more. Waits for
 * an image to draw on for at most `patience_ns`; in FIFO mode that is what keeps us in step with
 * the monitor.
 */
enum view_show_result view_swapchain_show(
	struct view_swapchain *swapchain, struct view_scene *scene, uint64_t patience_ns);

#endif
