/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_VIEW_H
#define VENERA_GPU_VIEW_H

#include <stdbool.h>

#include "ipc/view_protocol.h"

/**
 * The connection to one venera-view. Messages go there and never wait. A view that breaks the
 * protocol, leaves, or lets too much pile up is gone.
 */
struct view;
struct event_loop;

/** Called from the event loop only, never from inside a function of this header. */
struct view_ops {
	/** Comes first, once. */
	void (*hello)(void *data, const struct view_hello *hello);
	void (*presented)(void *data, const struct view_presented *presented);
	void (*resize)(void *data, const struct view_resize *resize);
	/** All that had piled up is sent. */
	void (*drained)(void *data);
	/** Nothing follows. The callee destroys the view, now or later. */
	void (*gone)(void *data);
};

/** Takes ownership of `fd`, also on failure. NULL with a line in the log. */
struct view *view_create(
	struct event_loop *loop, int fd, const struct view_ops *ops, void *data);
void view_destroy(struct view *view);

/** One of the messages of view_protocol.h. `fd`, or -1, stays the caller's. */
void view_send(struct view *view, enum view_request type, const void *body, size_t size, int fd);

/** Has something piled up? */
bool view_is_behind(const struct view *view);

#endif
