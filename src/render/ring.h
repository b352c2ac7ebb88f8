/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_RING_H
#define VENERA_RENDER_RING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "render/executor.h"

struct render_context;
struct render_resource;

/** The largest ring buffer that is accepted, in bytes. */
#define RENDER_RING_MAX_BUFFER (UINT64_C(16) << 20)

/** Bits of a ring's status word (VkRingStatusFlagsMESA). */
enum render_ring_status {
	RENDER_RING_IDLE = 1 << 0,
	RENDER_RING_FATAL = 1 << 1,
	RENDER_RING_ALIVE = 1 << 2,
};

/** Where the parts of a ring lie in its resource: absolute offsets and sizes, checked. */
struct render_ring_layout {
	uint64_t head, tail, status; /* 4 bytes each */
	uint64_t buffer, buffer_size;
	uint64_t extra, extra_size;
};

struct render_ring {
	struct list link; /* in the context's list */
	struct render_context *context;
	uint64_t id;      /* chosen by the guest */
	struct render_resource *resource; /* a reference */

	/* in the guest's memory */
	_Atomic uint32_t *head, *tail, *status;
	const uint8_t *buffer;
	uint32_t buffer_size; /* bytes, a power of two */
	uint8_t *extra;
	uint64_t extra_size;

	uint64_t idle_timeout_ns;
	bool monitored;
	int priority; /* nice value */

	_Atomic uint64_t virtqueue_seqno; /* how far the context path has got */
	_Atomic bool stop;
	_Atomic bool wakened;         /* somebody rang since the ring last looked */
	_Atomic unsigned head_waiters; /* threads that wait for the head to move */

	/* what the ring's thread, and those who wait for its head, sleep on */
	pthread_mutex_t lock;
	pthread_cond_t cond;

	/* the thread's own */
	uint32_t position;   /* bytes executed; what head says */
	uint8_t *batch;      /* private copy of what is executed, buffer_size bytes */
	struct render_executor executor;

	pthread_t thread;
};

/**
 * Makes a ring and starts its thread. The layout was checked; `resource` is a reference that the
 * ring takes over, also on failure. 0 or -errno.
 */
int render_ring_create(struct render_context *context, uint64_t id,
	struct render_resource *resource, const struct render_ring_layout *layout,
	uint64_t idle_timeout_ns, uint64_t monitor_period_ns, int priority);

/** Stops the thread after its present command, joins it, frees the ring. */
void render_ring_destroy(struct render_ring *ring);

/** NULL if there is none. Rings are destroyed on the context path only, so it may use what it finds. */
struct render_ring *render_ring_find(struct render_context *context, uint64_t id);

/** Makes the ring's thread, and whoever waits for it, look again. Any thread that keeps the ring alive. */
void render_ring_wake(struct render_ring *ring);

/** Blocks until the ring has executed up to `seqno`. false: the context is ending, or the guest lied. */
bool render_ring_wait_seqno(struct render_ring *ring, uint32_t seqno);

/** Records that the context path has got as far as `seqno`. */
void render_ring_submit_virtqueue_seqno(struct render_ring *ring, uint64_t seqno);

/** Blocks the ring's own thread until then. */
void render_ring_wait_virtqueue_seqno(struct render_ring *ring, uint64_t seqno);

/** Publishes that `size` more bytes are executed. The ring's own thread. */
void render_ring_advance(struct render_ring *ring, size_t size);

static inline bool render_ring_should_stop(const struct render_ring *ring) {
	return atomic_load_explicit(&ring->stop, memory_order_relaxed);
}

#endif
