/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_RENDERER_H
#define VENERA_GPU_RENDERER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/render_protocol.h"

/**
 * The venera-render process of one context, as the device sees it: messages go there and never
 * wait; events come back from the event loop. What comes back is checked as far as this file can
 * know what is right; the rest is for the context.
 */
struct renderer;
struct event_loop;
struct broker;
struct reaper;

/**
 * Called from the event loop only, never from inside a function of this header. The renderer must
 * not be destroyed in them. false: that was not asked for, the process breaks the protocol.
 */
struct renderer_ops {
	/** The answer to the oldest CREATE_BLOB. The callee owns `fd`, -1 if there is none. */
	bool (*blob)(void *data, const struct render_blob *blob, int fd);
	/** A fence has retired; in order for each ring_idx. */
	bool (*fence)(void *data, uint32_t ring_idx, uint64_t fence_id);
	/** What it has of memory has changed. */
	void (*usage)(void *data);
	/**
	 * The guest's context is lost: the process is gone, broke the protocol, does not keep up,
	 * or said so. Once; no other event follows. `reason` is fit for printing.
	 */
	void (*lost)(void *data, const char *reason);
};

struct renderer_options {
	struct event_loop *loop;
	struct reaper *reaper;
	struct broker *broker; /* starts the process */
	const struct limits *limits;
	const char *name;   /* of the context, in our log lines */
	const char *guest_name; /* of the guest's process, in its log lines */
	const struct renderer_ops *ops;
	void *data;
};

/** Starts the process. NULL with a line in the log. */
struct renderer *renderer_create(const struct renderer_options *options);

/** Closes the channel, at which the process ends; the reaper sees to it. NULL is accepted. */
void renderer_destroy(struct renderer *renderer);

/** What its process says that it has done; it may say anything. And what it is told. */
struct render_counters *renderer_counters(const struct renderer *renderer);

/** Ends it: `lost` will be called with the reason. */
void renderer_abandon(struct renderer *renderer, const char *reason);

/** Its process id; 0: it has ended. */
pid_t renderer_process(const struct renderer *renderer);

/** Bytes that it has not read. */
size_t renderer_queued(const struct renderer *renderer);

/**
 * Requests of render_protocol.h. Errors show as a lost context, later. Descriptors stay the
 * caller's.
 */
void renderer_create_blob(struct renderer *renderer, const struct render_create_blob *request);
void renderer_attach(
	struct renderer *renderer, const struct render_attach_resource *request, int fd);
void renderer_detach(struct renderer *renderer, uint32_t resource_id);
void renderer_submit(struct renderer *renderer, const struct render_submit *request,
	const void *stream, size_t size);

/**
 * A place in the order of requests for an attach whose resource is not there yet. Until it is
 * filled or given up, what is sent after it waits.
 */
struct renderer_slot;

/**
 * Reserves a place and stores it in `*slot`, which becomes NULL when the place is used, given up,
 * or gone with the renderer. Out of memory: the context is lost.
 */
void renderer_reserve(struct renderer *renderer, struct renderer_slot **slot);
/** Attaches in a reserved place. NULL is accepted: the place is gone, and nothing happens. */
void renderer_fill(
	struct renderer_slot *slot, const struct render_attach_resource *request, int fd);
/** Gives it up. NULL is accepted. */
void renderer_give_up(struct renderer_slot *slot);

#endif
