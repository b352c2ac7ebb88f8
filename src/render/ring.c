/* SPDX-License-Identifier: MIT */
#include "render/ring.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/process.h"
#include "render/context.h"
#include "render/resource.h"

/*
 * Theory of operation
 *
 * The guest writes whole commands into the buffer and then moves the tail; a thread of ours copies what
 * lies between head and tail out of the guest's reach, executes it, and moves the head after each
 * command: the guest reads from the head that a command is done and its reply is written.
 *
 * Without work the thread polls the tail, first giving up the processor, then sleeping for
 * growing times, until the ring's idle timeout. Then it says IDLE, *then looks at the tail once more*, and blocks. The guest
 * moves the tail and *then* looks at IDLE, and sends vkNotifyRingMESA if it is set. Both sides store first
 * and load second, sequentially consistent, so at least one of the two sees the other: no wake-up is lost.
 * The guest rings at most once in a while, so a ring that was woken looks at its tail and goes
 * to sleep only after a whole idle timeout again.
 *
 * Waits for another party (the context path for a ring's head, a ring for the context path's seqno) poll
 * a moment, because what they wait for is usually about to happen, and then sleep on the ring's
 * condition. Whoever moves a head takes a look at head_waiters only; it is not ordered after the store of the head, which
 * would cost a full barrier for each command, so the waiter never sleeps for longer than
 * WAIT_SLICE_NS before it looks again.
 */

#define POLL_YIELDS 64                            /* rounds of sched_yield() before sleeping */
#define POLL_SLEEP_MIN (10 * CLOCK_NS_PER_US)
#define POLL_SLEEP_MAX (200 * CLOCK_NS_PER_US)
#define WAIT_SLICE_NS (1 * CLOCK_NS_PER_MS)
#define IDLE_SLICE_NS (60 * CLOCK_NS_PER_S)

/** A wait that gives the processor away more and more. */
struct backoff {
	unsigned rounds;
	uint64_t sleep_ns;
};

static void backoff_wait(struct backoff *backoff) {
	if (backoff->rounds < POLL_YIELDS) {
		backoff->rounds++;
		sched_yield();
		return;
	}
	if (!backoff->sleep_ns) {
		backoff->sleep_ns = POLL_SLEEP_MIN;
	} else if (backoff->sleep_ns < POLL_SLEEP_MAX) {
		backoff->sleep_ns += backoff->sleep_ns / 4;
	}
	clock_sleep(backoff->sleep_ns);
}

static bool seqno_reached(uint32_t head, uint32_t seqno) {
	return head - seqno <= INT32_MAX;
}

/** Copies [position, position + size) of the buffer, which may wrap, to batch. */
static void fetch(struct render_ring *ring, uint32_t size) {
	uint32_t begin = ring->position & (ring->buffer_size - 1);
	uint32_t first = ring->buffer_size - begin;
	if (first > size) {
		first = size;
	}
	memcpy(ring->batch, ring->buffer + begin, first);
	memcpy(ring->batch + first, ring->buffer, size - first);
}

static bool ring_should_end(struct render_ring *ring) {
	return render_ring_should_stop(ring) || render_context_is_ending(ring->context);
}

/** Sleeps on the ring's condition, with its lock held; wakes for no reason at times. */
static void ring_sleep(struct render_ring *ring, uint64_t timeout_ns) {
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	uint64_t ns = (uint64_t)until.tv_nsec + timeout_ns;
	until.tv_sec += (time_t)(ns / CLOCK_NS_PER_S);
	until.tv_nsec = (long)(ns % CLOCK_NS_PER_S);
	pthread_cond_timedwait(&ring->cond, &ring->lock, &until);
}

static void ring_broadcast(struct render_ring *ring) {
	/* with the lock, so that it cannot fall between a waiter's look and its sleep */
	pthread_mutex_lock(&ring->lock);
	pthread_cond_broadcast(&ring->cond);
	pthread_mutex_unlock(&ring->lock);
}

/** Says IDLE and blocks until somebody rings. */
static void sleep_until_notified(struct render_ring *ring) {
	atomic_fetch_or(ring->status, RENDER_RING_IDLE);
	if (atomic_load(ring->tail) == ring->position) {
		pthread_mutex_lock(&ring->lock);
		while (!atomic_load(&ring->wakened) && !ring_should_end(ring)) {
			ring_sleep(ring, IDLE_SLICE_NS);
		}
		pthread_mutex_unlock(&ring->lock);
	}
	atomic_store(&ring->wakened, false);
	atomic_fetch_and(ring->status, ~(uint32_t)RENDER_RING_IDLE);
}

static void *ring_main(void *data) {
	struct render_ring *ring = data;
	thread_set_name("ring");
	if (ring->priority) {
		thread_set_nice(ring->priority);
	}

	struct backoff backoff = {0};
	uint64_t idle_since = 0;
	while (!ring_should_end(ring)) {
		uint32_t tail = atomic_load_explicit(ring->tail, memory_order_acquire);
		uint32_t size = tail - ring->position;
		if (size) {
			if (size > ring->buffer_size || size % 4) {
				render_context_lose(ring->context, "ring: tail is %u bytes ahead of head", size);
				break;
			}
			fetch(ring, size);
			if (!render_executor_run(&ring->executor, ring->batch, size)) {
				break;
			}
			backoff = (struct backoff){0};
			idle_since = 0;
			continue;
		}

		if (backoff.rounds >= POLL_YIELDS) {
			uint64_t now = clock_now();
			if (!idle_since) {
				idle_since = now;
			} else if (now - idle_since >= ring->idle_timeout_ns) {
				sleep_until_notified(ring);
				backoff = (struct backoff){0};
				idle_since = 0;
				continue;
			}
		}
		backoff_wait(&backoff);
	}
	return NULL;
}

/** Undoes all that render_ring_create() does before the thread starts, but for the resource. */
static void ring_finish_parts(struct render_ring *ring) {
	pthread_mutex_lock(&ring->context->ring_lock);
	list_remove(&ring->link);
	pthread_mutex_unlock(&ring->context->ring_lock);
	render_executor_finish(&ring->executor);
	pthread_cond_destroy(&ring->cond);
	pthread_mutex_destroy(&ring->lock);
	free(ring->batch);
}

int render_ring_create(struct render_context *context, uint64_t id,
		struct render_resource *resource, const struct render_ring_layout *layout,
		uint64_t idle_timeout_ns, uint64_t monitor_period_ns, int priority) {
	struct render_ring *ring = calloc(1, sizeof(*ring));
	if (!ring) {
		render_resource_unref(resource);
		return -ENOMEM;
	}
	uint8_t *base = render_resource_data(resource);
	ring->context = context;
	ring->id = id;
	ring->resource = resource;
	ring->head = (_Atomic uint32_t *)(void *)(base + layout->head);
	ring->tail = (_Atomic uint32_t *)(void *)(base + layout->tail);
	ring->status = (_Atomic uint32_t *)(void *)(base + layout->status);
	ring->buffer = base + layout->buffer;
	ring->buffer_size = (uint32_t)layout->buffer_size;
	ring->extra = base + layout->extra;
	ring->extra_size = layout->extra_size;
	ring->idle_timeout_ns = idle_timeout_ns;
	ring->monitored = monitor_period_ns != 0;
	ring->priority = priority;
	list_init(&ring->link);

	int ret = -ENOMEM;
	ring->batch = malloc(layout->buffer_size);
	if (!ring->batch) {
		goto free_ring;
	}
	pthread_mutex_init(&ring->lock, NULL);
	pthread_cond_init(&ring->cond, NULL);
	render_executor_init(&ring->executor, context, ring);

	/* the first report is immediate, and before the thread so that the guest finds it */
	if (ring->monitored) {
		atomic_fetch_or(ring->status, RENDER_RING_ALIVE);
	}
	pthread_mutex_lock(&context->ring_lock);
	list_append(&context->rings, &ring->link);
	pthread_mutex_unlock(&context->ring_lock);
	ret = -pthread_create(&ring->thread, NULL, ring_main, ring);
	if (ret) {
		goto finish_parts;
	}
	if (ring->monitored) {
		render_monitor_watch(&context->monitor, monitor_period_ns);
	}
	return 0;

finish_parts:
	ring_finish_parts(ring);
free_ring:
	render_resource_unref(resource);
	free(ring);
	return ret;
}

void render_ring_destroy(struct render_ring *ring) {
	atomic_store(&ring->stop, true);
	ring_broadcast(ring);
	pthread_join(ring->thread, NULL);
	ring_finish_parts(ring);
	render_resource_unref(ring->resource);
	free(ring);
}

struct render_ring *render_ring_find(struct render_context *context, uint64_t id) {
	struct render_ring *found = NULL;
	pthread_mutex_lock(&context->ring_lock);
	LIST_FOR_EACH(ring, &context->rings, struct render_ring, link) {
		if (ring->id == id) {
			found = ring;
			break;
		}
	}
	pthread_mutex_unlock(&context->ring_lock);
	return found;
}

void render_ring_wake(struct render_ring *ring) {
	atomic_store(&ring->wakened, true);
	ring_broadcast(ring);
}

bool render_ring_wait_seqno(struct render_ring *ring, uint32_t seqno) {
	struct render_context *context = ring->context;
	if (seqno_reached(atomic_load_explicit(ring->head, memory_order_acquire), seqno)) {
		return true;
	}
	render_ring_wake(ring);

	bool reached = false;
	for (unsigned i = 0; i < POLL_YIELDS && !reached; i++) {
		sched_yield();
		reached = seqno_reached(atomic_load_explicit(ring->head, memory_order_acquire), seqno);
	}
	if (reached) {
		return true;
	}

	atomic_fetch_add(&ring->head_waiters, 1);
	pthread_mutex_lock(&ring->lock);
	while (!render_context_is_ending(context)) {
		uint32_t head = atomic_load_explicit(ring->head, memory_order_acquire);
		reached = seqno_reached(head, seqno);
		if (reached) {
			break;
		}
		/* what the guest waits for must have been in the ring before it sent the wait */
		uint32_t tail = atomic_load_explicit(ring->tail, memory_order_acquire);
		if (head == tail && !seqno_reached(tail, seqno)) {
			break;
		}
		ring_sleep(ring, WAIT_SLICE_NS);
	}
	pthread_mutex_unlock(&ring->lock);
	atomic_fetch_sub(&ring->head_waiters, 1);
	return reached;
}

void render_ring_submit_virtqueue_seqno(struct render_ring *ring, uint64_t seqno) {
	atomic_store_explicit(&ring->virtqueue_seqno, seqno, memory_order_release);
	render_ring_wake(ring);
}

void render_ring_wait_virtqueue_seqno(struct render_ring *ring, uint64_t seqno) {
	for (unsigned i = 0; i < POLL_YIELDS; i++) {
		if (atomic_load_explicit(&ring->virtqueue_seqno, memory_order_acquire) >= seqno) {
			return;
		}
		sched_yield();
	}
	pthread_mutex_lock(&ring->lock);
	while (atomic_load_explicit(&ring->virtqueue_seqno, memory_order_acquire) < seqno &&
			!ring_should_end(ring)) {
		ring_sleep(ring, IDLE_SLICE_NS);
	}
	pthread_mutex_unlock(&ring->lock);
}

void render_ring_advance(struct render_ring *ring, size_t size) {
	ring->position += (uint32_t)size;
	atomic_store_explicit(ring->head, ring->position, memory_order_release);
	if (atomic_load_explicit(&ring->head_waiters, memory_order_relaxed)) {
		ring_broadcast(ring);
	}
}
