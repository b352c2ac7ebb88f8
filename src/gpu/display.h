/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_DISPLAY_H
#define VENERA_GPU_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "gpu/protocol.h"

/**
 * The outputs of the device: what each of them shows, the cursors, and the view that puts it all on
 * somebody's screen. Without a view everything is remembered for one that may come.
 *
 * The guest is paced by flushes, but never depends on the view: one that goes away or
 * is stuck is not waited for.
 */
struct display;
struct event_loop;

/** Memory that is shown. Zeroed but for `fd` and `size`; the rest is the display's. */
struct display_buffer {
	int fd; /* shared memory; open as long as the buffer is used */
	uint64_t size; /* bytes */
	uint64_t id;       /* 0: never shown */
	uint64_t view_number; /* the view that knows it */
};

/** A rectangle of an image that lies in a buffer. */
struct display_image {
	struct display_buffer *buffer; /* NULL: nothing */
	uint32_t format;               /* view_format */
	uint32_t offset, stride;       /* bytes */
	struct gpu_rect rect;          /* pixels; inside the image, which lies inside the buffer */
	uint32_t resource_id;          /* the guest's name of it, for people */
	bool direct;                   /* a GPU has drawn to this memory; else a CPU copied */
};

/** Who waits for a flush. */
struct display_waiter {
	struct list link;
};

/** Called from the event loop only, never from inside a function of this header. */
struct display_ops {
	/** The flush was handed to somebody's display, or nobody is there to show it. */
	void (*flushed)(void *data, struct display_waiter *waiter);
	/** display_get_size() tells something new. */
	void (*size_changed)(void *data);
};

struct display_options {
	uint32_t width, height; /* of each output until a view tells another size; 0: not connected */
	unsigned output_count;  /* 1 to GPU_MAX_SCANOUTS */
};

/** NULL with a line in the log. */
struct display *display_create(
	struct event_loop *loop, const struct display_options *options);
void display_destroy(struct display *display);

/** Sets, or with NULL removes, the one who is called. */
void display_set_ops(struct display *display, const struct display_ops *ops, void *data);

/**
 * Views come from a listening socket, or one is connected already. Take ownership of `fd`. 0 or
 * -errno.
 */
int display_listen(struct display *display, int fd);
int display_connect_view(struct display *display, int fd);

/** What happened on an output so far. */
struct display_counters {
	uint64_t flushes;        /* of the guest */
	uint64_t frames;         /* handed to the display */
	uint64_t direct_frames;  /* of these, shown from memory that a GPU has drawn to */
	uint64_t dropped;        /* flushes that were not a frame of their own */
	uint64_t copied_bytes;   /* by the CPU, from guest memory into shared memory */
	uint64_t blits;          /* by the GPU, for frames */
	/* from the guest's flush (the first one, if several became a frame) to the frame's present
	 * call, nanoseconds; all frames together, the slowest, the last one */
	uint64_t latency_sum, latency_max, latency_last;
};

/** For who fills in `copied_bytes`, and who reads. */
struct display_counters *display_get_counters(struct display *display, unsigned output);

/** Is there a view? */
bool display_has_view(const struct display *display);

struct display_size {
	uint32_t width, height; /* pixels; 0: not connected */
	uint32_t refresh_mhz;   /* 0: unknown */
};

struct display_size display_get_size(const struct display *display);

/** What an output shows from the next flush on. NULL: nothing. */
void display_set_scanout(
	struct display *display, unsigned output, const struct display_image *image);

/** What it shows; its buffer is NULL for nothing. */
const struct display_image *display_get_scanout(const struct display *display, unsigned output);

/**
 * The content changed in a rectangle, in pixels of the output. true: `waiter`, which may be
 * NULL, will be called or is forgotten with display_forget_waiter(); false: it need not wait.
 */
bool display_flush(struct display *display, unsigned output, const struct gpu_rect *damage,
	struct display_waiter *waiter);

void display_waiter_init(struct display_waiter *waiter);
/** It will not be called. */
void display_forget_waiter(struct display_waiter *waiter);

struct display_cursor {
	struct display_image image; /* buffer NULL: hidden. As large as its rectangle */
	int32_t x, y;               /* of its upper left corner, pixels of the output */
	uint32_t hot_x, hot_y;
};

void display_set_cursor(
	struct display *display, unsigned output, const struct display_cursor *cursor);
void display_move_cursor(struct display *display, unsigned output, int32_t x, int32_t y);

/** The buffer is about to go: outputs that show it go dark, cursors made of it are hidden. */
void display_forget_buffer(struct display *display, struct display_buffer *buffer);

/** All outputs go dark; waiters are forgotten. */
void display_reset(struct display *display);

#endif
