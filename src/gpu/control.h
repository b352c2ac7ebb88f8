/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_CONTROL_H
#define VENERA_GPU_CONTROL_H

/**
 * The control socket: a Unix stream socket on which programs of the same user ask the running
 * device something. A client sends one line, gets one JSON object, and the connection ends:
 *
 *	stat	what has happened so far (venera-gpu(1) names the members)
 *
 * Anything else is answered with {"error": "..."}. A client can do nothing to the device, and can
 * hold no more of it than a descriptor, for a few seconds.
 */
struct control;
struct event_loop;
struct json_text;

struct control_ops {
	/** Writes the answer to "stat": one JSON object. */
	void (*stat)(void *data, struct json_text *text);
};

/** Takes ownership of the listening socket, also on failure. NULL with a line in the log. */
struct control *control_create(
	struct event_loop *loop, int listen_fd, const struct control_ops *ops, void *data);

/** NULL is accepted. */
void control_destroy(struct control *control);

#endif
