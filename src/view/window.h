/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_WINDOW_H
#define VENERA_VIEW_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "view/input.h"
#include "view/layout.h"
#include "vk/error.h"

/**
 * The window. Windowing systems talk to the main thread only (macOS insists, and a slow present
 * must not make the window look dead), Vulkan work is done on another one. The main thread runs
 * view_window_run(); what happens to the window is kept in a state that the other thread takes
 * when the event descriptor becomes readable.
 */
struct view_window;

struct view_window_state {
	uint32_t width, height; /* of the framebuffer, pixels; 0 while minimised on some systems */
	bool hidden;            /* minimised */
	bool closed;            /* the user asked for it to be closed */
	bool exposed;           /* its content was lost since the last time the state was taken */
};

struct view_window_options {
	PFN_vkGetInstanceProcAddr get_instance_proc_addr;
	uint32_t width, height; /* pixels */
	bool full_screen;       /* covers the primary monitor, whose size it gets */
	const char *title;      /* outlives the window */
	struct view_input *input; /* told what the user does, outlives the window; NULL: nobody is */
};

/** Makes a window that is not shown yet. Main thread. NULL on failure. One at a time. */
struct view_window *view_window_create(
	const struct view_window_options *options, struct vk_error *error);

/** Main thread; its surface is gone. NULL is accepted. */
void view_window_destroy(struct view_window *window);

/** The instance extensions that view_window_create_surface() needs. NULL if none will do. */
const char *const *view_window_extensions(struct view_window *window, uint32_t *count);

VkResult view_window_create_surface(
	struct view_window *window, VkInstance instance, VkSurfaceKHR *surface);

/** Main thread. */
void view_window_show(struct view_window *window);

/**
 * Serves the window until view_window_quit(). Main thread. False if the user closed the
 * window and nobody called view_window_quit() within 3 s: the other thread hangs in a driver.
 */
bool view_window_run(struct view_window *window);

/** Ends view_window_run(). Any thread. */
void view_window_quit(struct view_window *window);

/** Readable when the state changed. */
int view_window_event_fd(struct view_window *window);

/** The present state. Any thread. */
void view_window_take_state(struct view_window *window, struct view_window_state *state);

/**
 * Where in the framebuffer the guest's picture is (empty: nowhere), and whether a pointer is drawn
 * in it: then the system shows none of its own above the window. Any thread.
 */
void view_window_set_picture(
	struct view_window *window, const struct view_rect *picture, bool has_pointer);

/** Of the monitor, in thousandths of a hertz; 0: unknown. */
uint32_t view_window_refresh_mhz(const struct view_window *window);

#endif
