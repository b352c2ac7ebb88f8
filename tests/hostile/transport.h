/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_HOSTILE_TRANSPORT_H
#define VENERA_TESTS_HOSTILE_TRANSPORT_H

#include <stdbool.h>
#include <sys/types.h>

#include "../render/peer.h"

/** What all contexts of a test share, by which way so ever they are reached. */
struct hostile_server {
	const struct hostile_transport *transport;
	char **programs; /* paths from the command line, the renderer's first */
	pid_t pid;       /* serves all contexts, as a child does for each; 0: there is none */
	int log_fd;      /* of all that is said by it and by the render processes; readable */
	void *data;      /* the transport's */
};

/** A way from a guest to its render process. */
struct hostile_transport {
	const char *name;
	int program_count;
	/** What a context that is lost looks like: its connection is closed, or each fence retires at once. */
	bool closes_when_lost;
	/** log_fd is a file; the transport may replace it by another one. */
	void (*start)(struct hostile_server *server);
	/** Makes a context that log lines call `name`. */
	void (*open)(struct hostile_server *server, struct peer *peer, const char *name);
	/** All contexts are gone. What served them must end in order. */
	void (*stop)(struct hostile_server *server);
};

/** A process of its own for each context, and we are the device. */
extern const struct hostile_transport hostile_transport_render;
/** venera-vtest. */
extern const struct hostile_transport hostile_transport_vtest;
/** venera-gpu, whose front end is front_end.py of tests/gpu; behind that we are the guest. */
extern const struct hostile_transport hostile_transport_vhost_user;

#endif
