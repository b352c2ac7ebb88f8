/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_CONTEXT_H
#define VENERA_RENDER_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/epoch.h"
#include "base/id_table.h"
#include "base/list.h"
#include "base/log.h"
#include "base/shmem.h"
#include "ipc/limits.h"
#include "ipc/render_protocol.h"
#include "render/executor.h"
#include "render/monitor.h"
#include "render/spare.h"
#include "venus/object_table.h"
#include "vk/loader.h"

struct render_instance;
struct render_queue;

/** How this process was asked to behave; set by main(), constant afterwards. */
struct render_options {
	const char *name;  /* the guest process's name, for logs; the device may give another */
	bool validate;     /* run under the Khronos validation layer and log what it says */
	struct limits limits;
	bool no_dma_buf;   /* descriptors of memory are nothing to the guest: do not offer any */
	int counters_fd;   /* shared memory of a struct render_counters, taken over; -1: none */
};

/**
 * The Venus context that this process serves.
 *
 * Threads: the *context path* (main thread: the channel's requests), one for each ring, one for each
 * queue that has had a fence, and the monitor. Objects are looked up without locks, inside
 * sections of `epoch`.
 */
struct render_context {
	struct render_options options;
	struct channel channel;
	struct vk_loader loader;
	struct render_spare spare;
	struct render_name name; /* what the device gave */

	struct epoch epoch;
	struct venus_object_table objects;

	/* who executes a command that bears no others beside it: see render_executor_claim() */
	struct render_executor *_Atomic exclusive;

	pthread_mutex_t resource_lock;
	struct id_table resources;            /* struct render_resource */
	_Atomic uint64_t resource_generation; /* grows when a resource id is added or removed */

	pthread_mutex_t ring_lock; /* never held over a driver call or a wait */
	struct list rings;         /* struct render_ring, link */

	struct render_instance *_Atomic instance; /* a context has one at most, at a time */
	pthread_mutex_t instance_lock;            /* of creating and destroying it */

	pthread_mutex_t timeline_lock; /* held while a fence is put on a queue */
	struct render_queue *timelines[RENDER_MAX_TIMELINES]; /* by ring_idx; 0 is never used */

	_Atomic bool lost;     /* the guest broke the protocol: nothing is executed any more */
	_Atomic bool stopping; /* the channel was closed */
	_Atomic bool any_spoiled; /* a pool's child ever was: see failure.c */
	_Atomic int untold_losses;      /* devices that the host lost and the guest knows nothing of */
	_Atomic uint64_t loss_deadline; /* of the last of them; on clock_now() */

	struct shmem counters_memory;      /* the device's, or nobody's */
	struct render_counters own_counters; /* those that nobody looks at */
	struct render_counters *counters;
	_Atomic uint32_t failure_lines; /* of what guests do not hear of */
	_Atomic uint32_t limits_reached; /* bits: what was logged */
	_Atomic uint64_t reported[RENDER_TOTAL_COUNT]; /* what the device was told of */

	struct render_monitor monitor;
	struct render_executor path;
};

/** Adds to a counter. Any thread. */
static inline void render_count(_Atomic uint64_t *counter, uint64_t more) {
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/** Takes ownership of `channel_fd`, also on failure. 0 or -errno. */
int render_context_init(
	struct render_context *context, int channel_fd, const struct render_options *options);

/** Serves the channel until it is closed. 0, or -errno when the channel broke. */
int render_context_run(struct render_context *context);

/** Stops every thread and destroys everything that the guest made. */
void render_context_finish(struct render_context *context);

/**
 * Declares the context lost, with one log line, for what the guest did: the rings say FATAL, the device is
 * told, fences retire. Only the first call counts. Any thread.
 */
void render_context_lose(struct render_context *context, const char *format, ...) LOG_PRINTF(2, 3);

/** Should a wait be given up? */
static inline bool render_context_is_ending(struct render_context *context) {
	return atomic_load_explicit(&context->lost, memory_order_relaxed) ||
		atomic_load_explicit(&context->stopping, memory_order_relaxed);
}

/** Ends every wait, because the channel was closed. Any thread. */
void render_context_stop(struct render_context *context);

/** Reports a retired fence to the device. Any thread. */
void render_context_fence_retired(
	struct render_context *context, uint32_t ring_idx, uint64_t fence_id);

#endif
