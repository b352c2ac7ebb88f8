/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VTEST_SERVER_H
#define VENERA_VTEST_SERVER_H

#include "base/event_loop.h"
#include "base/list.h"
#include "vtest/renderer.h"

#include <stdbool.h>
#include <stdint.h>

/** A socket, its clients and their render processes, all served by one thread. */
struct vtest_server {
	struct event_loop *loop;
	struct event_source *listen_source;
	struct event_source *accept_timer;
	int listen_fd; /* -1 when nobody is accepted any more */
	bool once;     /* end after the last client has left */
	bool stopping;
	struct list clients; /* vtest_client.link */
	uint32_t next_client;
	uint64_t max_resources;  /* blobs that one client may have */
	uint64_t free_resources; /* descriptors for more blobs of all clients */
	struct renderer_pool pool;
};

struct vtest_server_options {
	int fd;    /* a socket that listens or is connected to the only client; the server owns it */
	bool once; /* end after the last client has left */
	struct renderer_options renderer;
};

/** 0 or -errno; on failure nothing is left and the descriptor is closed. */
int vtest_server_init(struct vtest_server *server, struct event_loop *loop,
	const struct vtest_server_options *options);

/** Whatever is left of clients and render processes ends here. */
void vtest_server_finish(struct vtest_server *server);

/** Drops all clients and, when their render processes have exited, stops the loop. */
void vtest_server_stop(struct vtest_server *server);

/** Called by a client, which is gone. */
void vtest_server_client_left(struct vtest_server *server);

#endif
