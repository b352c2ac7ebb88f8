/* SPDX-License-Identifier: MIT */
#ifndef VENERA_DEMOS_DISPLAY_H
#define VENERA_DEMOS_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

/**
 * A screen, through DRM and KMS. Prints the result of every call, and on failure one line more that
 * says what is wrong; then returns false.
 */
struct display {
	int fd; /* of the DRM device; -1 if there is none */
	drmModeRes *resources;
	drmModeConnector *connector;
	drmModeModeInfo mode;
	uint32_t crtc_id;
	drmModeCrtc *saved_crtc; /* what was shown before */
	bool changed;            /* the CRTC shows what is ours */
	bool flipping;           /* a page flip was asked for and is not done */
	uint32_t fb_id;          /* 0: none */

	struct gbm_device *gbm; /* NULL: none */
	struct gbm_bo *bo;
	uint32_t dumb_handle; /* 0: none */
};

enum display_buffer {
	DISPLAY_BUFFER_GBM, /* a dumb one if that does not work */
	DISPLAY_BUFFER_DUMB,
};

/**
 * Takes the first screen of the DRM device that has this driver, in a mode of this size (0, 0:
 * the one the screen prefers). display_close() is due also on failure.
 */
bool display_open(struct display *display, const char *driver, uint32_t width, uint32_t height);

/** Shows the picture: XRGB8888, as large as the mode, `stride` bytes from line to line. */
bool display_show(struct display *display, enum display_buffer kind, const void *pixels,
	size_t stride);

/**
 * Makes a framebuffer of a dma-buf, of which nothing is copied: XRGB8888, as large as the mode, the first line at
 * `offset`, `stride` bytes from line to line. display_remove_framebuffer() is due.
 */
bool display_add_framebuffer(struct display *display, int dma_buf, uint32_t offset, uint32_t stride,
	uint32_t *fb_id);
void display_remove_framebuffer(struct display *display, uint32_t fb_id);

/** Shows a framebuffer, in the screen's mode. */
bool display_show_framebuffer(struct display *display, uint32_t fb_id);

/** Shows another one from the next refresh on. Nothing else is printed than what goes wrong. */
bool display_flip(struct display *display, uint32_t fb_id);

/** Waits until the flip that was asked for is done, if one was. */
bool display_wait_for_flip(struct display *display);

/** Shows again what was there before. false if that does not work. */
bool display_restore(struct display *display);

void display_close(struct display *display);

#endif
