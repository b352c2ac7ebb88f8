/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VTEST_RENDERER_H
#define VENERA_VTEST_RENDERER_H

#include "base/event_loop.h"
#include "base/list.h"
#include "ipc/limits.h"
#include "ipc/render_protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The venera-render processes. Nothing here blocks: what a process does not take at
 * once is queued.
 */

/** How render processes are started. */
struct renderer_options {
	struct broker *broker; /* starts them; not owned */
	struct limits limits;
	bool spare;            /* keep one ahead of its client */
};

/** All render processes of the server. */
struct renderer_pool {
	struct event_loop *loop;
	struct renderer_options options;
	struct list renderers; /* renderer.link: those whose process has not been reaped */
	uint32_t renderer_count;
	struct renderer *spare;          /* has had no client yet; NULL: none */
	struct event_source *spare_timer; /* when the next one is started after one that failed; or NULL */
	uint64_t spare_pause;             /* ns; grows as they fail */
	void (*idle_func)(void *data); /* called after the last process was reaped; NULL: not */
	void *idle_data;
};

/** `options` is copied, its strings are not. 0 or -errno. */
int renderer_pool_init(struct renderer_pool *pool, struct event_loop *loop,
	const struct renderer_options *options);

/** Processes that are left are killed and waited for. Every renderer has been released. */
void renderer_pool_finish(struct renderer_pool *pool);

/** Ends the spare, and there is none any more. */
void renderer_pool_drop_spare(struct renderer_pool *pool);

/** What a render process says. Each function may call renderer_release(). */
struct renderer_listener {
	/** The function owns `fd` (-1 if none). Nothing in `blob` has been checked. */
	void (*blob)(void *data, const struct render_blob *blob, int fd);
	/** Nothing in `fence` has been checked. */
	void (*fence)(void *data, const struct render_fence *fence);
	/** The context is of no further use and should be released; `why` is fit for a log. */
	void (*lost)(void *data, const char *why);
	/** Less is queued than before; see renderer_is_busy(). */
	void (*drained)(void *data);
};

struct renderer;

/** Takes the spare or starts a process; `name` is its client's. Returns NULL, with errno set, on failure. */
struct renderer *renderer_create(struct renderer_pool *pool, const char *name,
	const struct renderer_listener *listener, void *data);

/**
 * Destroys the context. The process has RENDER_EXIT_GRACE_MS to exit. NULL is accepted.
 * No function of the listener is called any more.
 */
void renderer_release(struct renderer *renderer);

/** Does its process execute what its client sent, behind which requests wait? */
bool renderer_does_guest_work(const struct renderer *renderer);

/** So much is queued that the client should be kept waiting. */
bool renderer_is_busy(const struct renderer *renderer);

/** These return 0, or -errno when the channel is broken. */
int renderer_create_blob(struct renderer *renderer, const struct render_create_blob *blob);
int renderer_attach_resource(
	struct renderer *renderer, const struct render_attach_resource *resource, int fd);
int renderer_detach_resource(struct renderer *renderer, uint32_t resource_id);
int renderer_submit(struct renderer *renderer, const struct render_submit *submit,
	const void *stream, size_t size);

#endif
