/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_CONTEXT_H
#define VENERA_GPU_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "ipc/render_protocol.h"

struct event_source;
struct gpu_device;
struct gpu_request;
struct gpu_resource;
struct renderer;

/**
 * A context of the guest. A Venus context has a render process; any other (the kernel makes
 * some that are never used) can only have resources attached.
 */
struct gpu_context {
	struct gpu_device *device;
	uint32_t id;
	char guest_name[49]; /* "glxgears", fit for printing */
	char name[80];       /* "context 5 (glxgears)" */
	struct renderer *renderer; /* NULL: not a Venus context */
	bool lost;                 /* the render process is of no more use; nothing is sent to it */

	/* Destroyed by the guest, but the render process still makes a blob that the guest was not
	 * answered for; it may be meant for somebody else. */
	bool closing;
	struct list closing_link;
	struct event_source *closing_timer;

	struct list owned;       /* struct gpu_resource, of its making */
	uint64_t owned_count, owned_bytes, mapped_count; /* of these */
	uint32_t limits_reached; /* bits: what was logged */

	/* requests that wait for the render process, and how many were answered; see watch() */
	uint64_t waiting_count, answered_count, watched_count;
	struct event_source *watchdog; /* NULL: nothing was waited for yet */
	bool watching;

	struct list creating;    /* struct gpu_resource, in the order of the requests */
	struct list attachments; /* struct gpu_attachment */
	uint64_t next_fence;

	/*
	 * struct gpu_request: fences in the guest's order, and those that the render process
	 * knows
	 */
	struct list timelines[RENDER_MAX_TIMELINES];
	struct list submitted[RENDER_MAX_TIMELINES];
};

/** Contexts with those that are ending, each a process. */
size_t gpu_context_count(const struct gpu_device *device);

/** Of the id, or NULL. */
struct gpu_context *gpu_context_get(struct gpu_device *device, uint32_t id);

/**
 * Makes a context and, for Venus, starts its render process. `name` is the guest's, of `name_size`
 * bytes. NULL with a line in the log.
 */
struct gpu_context *gpu_context_create(struct gpu_device *device, uint32_t id, bool venus,
	const char *name, size_t name_size);

/**
 * The guest destroys it: its id is free and its fences retire at once. `now`: nothing is waited for
 * and no request is answered (a reset).
 */
void gpu_context_destroy(struct gpu_context *context, bool now);

/** Forwards a stream; with `request` not NULL, it completes when the fence that follows retires. */
void gpu_context_submit(struct gpu_context *context, const void *stream, size_t size,
	uint32_t ring_idx, struct gpu_request *request);

/** Has a new resource made; its request completes then. */
void gpu_context_create_blob(
	struct gpu_context *context, struct gpu_resource *resource, uint64_t blob_id);

#endif
