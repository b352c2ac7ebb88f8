/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_PARITY_PRESENTER_H
#define VENERA_TESTS_PARITY_PRESENTER_H

#include "parity.h"

/** An instance and a device that can present, in place of those of the program, and a surface. */
struct presenter {
	struct parity parity;
	VkSurfaceKHR surface;
	VkSurfaceCapabilitiesKHR limits;
	bool maintained; /* VK_EXT_swapchain_maintenance1 is enabled, and what it needs */
	void *display;   /* of Xlib; NULL: the surface is without a window */
};

#define PRESENTER_SIZE 64

/** A surface without a window, or with one on the X server of DISPLAY. false if there is no such server. */
bool presenter_init(struct presenter *presenter, bool window);
void presenter_finish(struct presenter *presenter);

/** One more surface like the presenter's, of the same size. */
VkSurfaceKHR presenter_surface(struct presenter *presenter);

/** What makes the least swapchain of the surface, to be cleared: of BGRA, with the mode that all have. */
VkSwapchainCreateInfoKHR presenter_swapchain_info(
	const struct presenter *presenter, VkSurfaceKHR surface);

/** Commands that clear the image and make it ready to be presented, ended. */
VkCommandBuffer presenter_clear(struct presenter *presenter, VkImage image, float red);

#endif
