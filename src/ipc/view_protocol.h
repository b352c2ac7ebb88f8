/* SPDX-License-Identifier: MIT */
#ifndef VENERA_IPC_VIEW_PROTOCOL_H
#define VENERA_IPC_VIEW_PROTOCOL_H

#include <stdint.h>

/**
 * Messages between venera-gpu, which owns the scanouts, and a venera-view, which shows them,
 * over a base/channel. venera-gpu listens; a view connects, says VIEW_EVENT_HELLO, and is told the
 * present state. One view at a time: a second is closed. Without a view flushes retire at once.
 *
 * What is shown is shared memory, named by a *buffer id* that venera-gpu never uses again: the view
 * imports each buffer once and keeps it until VIEW_REQUEST_FORGET_BUFFER.
 */

#define VIEW_MAX_SCANOUTS 16

enum view_request {
	/** Shared memory that later requests name (struct view_buffer; one descriptor). */
	VIEW_REQUEST_ADD_BUFFER = 1,
	/** The buffer will not be named again; a scanout that still shows it goes dark (struct view_forget_buffer). */
	VIEW_REQUEST_FORGET_BUFFER = 2,
	/** What a scanout shows from now on, visible at the next flush (struct view_scanout). */
	VIEW_REQUEST_SET_SCANOUT = 3,
	/** Show the present content (struct view_flush). Answered by VIEW_EVENT_PRESENTED. */
	VIEW_REQUEST_FLUSH = 4,
	/** The cursor's image and place (struct view_cursor). */
	VIEW_REQUEST_SET_CURSOR = 5,
	/** Its place only (struct view_cursor, of which scanout, x and y count). */
	VIEW_REQUEST_MOVE_CURSOR = 6,
};

enum view_event {
	/** First message (struct view_hello). */
	VIEW_EVENT_HELLO = 1,
	/** A flush was handed to the display (struct view_presented). In order for each scanout. */
	VIEW_EVENT_PRESENTED = 2,
	/** The window's size changed: the guest is told a new preferred mode (struct view_resize). */
	VIEW_EVENT_RESIZE = 3,
};

/** virtio-gpu's format numbers: the components in the order of memory. */
enum view_format {
	VIEW_FORMAT_B8G8R8A8 = 1,
	VIEW_FORMAT_B8G8R8X8 = 2,
	VIEW_FORMAT_A8R8G8B8 = 3,
	VIEW_FORMAT_X8R8G8B8 = 4,
	VIEW_FORMAT_R8G8B8A8 = 67,
	VIEW_FORMAT_X8B8G8R8 = 68,
	VIEW_FORMAT_A8B8G8R8 = 121,
	VIEW_FORMAT_R8G8B8X8 = 134,
};

struct view_buffer {
	uint64_t buffer_id; /* nonzero */
	uint64_t size;      /* bytes, at most those of the shared memory behind the descriptor */
};

struct view_forget_buffer {
	uint64_t buffer_id;
};

/**
 * The rectangle (x, y, width, height) of an image is shown. The image lies in the buffer: line n
 * begins at offset + n * stride. venera-gpu has checked that the rectangle lies in the buffer; the view checks again.
 */
struct view_scanout {
	uint64_t buffer_id; /* 0: nothing is shown */
	uint32_t scanout;   /* less than VIEW_MAX_SCANOUTS */
	uint32_t format;    /* view_format */
	uint32_t offset;    /* bytes */
	uint32_t stride;    /* bytes */
	uint32_t x, y, width, height; /* pixels */
};

struct view_flush {
	uint64_t serial;              /* comes back in VIEW_EVENT_PRESENTED */
	uint32_t scanout;
	uint32_t x, y, width, height; /* what changed, pixels of the scanout's rectangle */
	uint32_t reserved;            /* 0 */
};

struct view_cursor {
	uint64_t buffer_id; /* 0: hidden. B8G8R8A8 premultiplied */
	uint32_t scanout;
	int32_t x, y;       /* of the hot spot, pixels of the scanout */
	uint32_t hot_x, hot_y;
	uint32_t offset, stride;
	uint32_t width, height;
	uint32_t reserved;  /* 0 */
};

struct view_hello {
	uint32_t width, height; /* of the window, in pixels */
	uint32_t refresh_mhz;   /* of its monitor in thousandths of a hertz; 0: unknown */
	uint32_t reserved;      /* 0 */
};

struct view_presented {
	uint64_t serial;
	uint64_t presented_at; /* when it was handed to the display, nanoseconds of the monotonic
	                        * clock; 0: it was not shown (nobody can see the window, or a later
	                        * frame took its place) */
	uint32_t scanout;
	uint32_t blits;        /* what the GPU copied for it: images or parts of them */
};

struct view_resize {
	uint32_t width, height;
};

#endif
