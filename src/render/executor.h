/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_EXECUTOR_H
#define VENERA_RENDER_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/epoch.h"
#include "venus/decoder.h"
#include "venus/encoder.h"

struct render_context;
struct render_resource;
struct render_ring;

/** Where replies of one ring, or of the context path, are written. */
struct render_reply_stream {
	struct render_resource *resource; /* a reference, or NULL: never set */
	uint64_t generation;              /* of the resource table when the reference was taken */
	uint64_t offset, size;            /* the range in the resource */
	uint64_t position;                /* of the next reply, from offset; at most size */
};

/**
 * Executes Venus command streams for one thread: a ring's or the context path.
 */
struct render_executor {
	struct render_context *context;
	struct render_ring *ring; /* NULL on the context path */
	struct epoch_reader reader;
	struct arena arena;        /* temporaries of a command */
	struct arena stream_arena; /* those of a command inside vkExecuteCommandStreamsMESA */
	struct render_reply_stream reply;
	uint8_t *stream; /* private copies of the streams of vkExecuteCommandStreamsMESA */
	size_t stream_capacity;
	bool in_stream;  /* executing one now: it must not name others */
	uint64_t command_count; /* executed and not yet added to the context's counters */
};

void render_executor_init(
	struct render_executor *executor, struct render_context *context, struct render_ring *ring);
void render_executor_finish(struct render_executor *executor);

/**
 * Executes all commands in [data, data + size): private memory of ours, 4-byte aligned. After each command of a
 * ring the ring's head is moved. Stops early when the ring is told to stop. false when the context is lost.
 */
bool render_executor_run(struct render_executor *executor, const uint8_t *data, size_t size);

/**
 * For a wait in a command that others may have to end: it keeps nobody from freeing what has been
 * destroyed, nor from render_executor_claim(). Whatever object the command has named may be gone
 * afterwards.
 */
void render_executor_pause(struct render_executor *executor);
void render_executor_resume(struct render_executor *executor);

/**
 * Waits until no other ring, nor the context path, executes anything; then none does until the
 * release. For commands that destroy what others may be using: guests must not do that, but it is
 * not them who would crash. Whatever object the command has named may be gone afterwards. false:
 * they take too long, or everything ends.
 */
bool render_executor_claim(struct render_executor *executor);
void render_executor_release(struct render_executor *executor);

/** Executes a copy of [offset, offset + size) of a resource, as vkExecuteCommandStreamsMESA does. false: lost. */
bool render_executor_run_resource(struct render_executor *executor,
	const struct render_resource *resource, uint64_t offset, uint64_t size);

#endif
