/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_QUEUE_H
#define VENERA_RENDER_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "base/list.h"
#include "venus/object_table.h"

struct render_context;
struct render_device;

/** A VkQueue that the guest has fetched, bound to a fence timeline. */
struct render_queue {
	struct venus_object base;
	struct list link; /* in the device's list */
	struct render_context *context;
	struct render_device *device;
	VkQueue handle;
	uint32_t ring_idx;

	/* every host call on the queue: rings and the context path use it */
	pthread_mutex_t submit_lock;
	uint64_t submissions;        /* batches handed to the host, under submit_lock */
	uint64_t fenced_submissions; /* of those, how many the newest fence covers */
	_Atomic uint64_t completed;  /* of those, how many are known to be done */

	/* fences that have not retired, oldest first, and the thread that waits for them */
	pthread_mutex_t fence_lock;
	pthread_cond_t fence_cond;
	struct list pending; /* struct pending_fence */
	struct list unused;  /* host fences to use again */
	_Atomic bool stop;
	bool started;
	pthread_t thread;
};

/** Prepares all but the handle and the binding to id and timeline. */
void render_queue_init(struct render_queue *queue, struct render_context *context,
	struct render_device *device);

/** Retires what is left, stops the thread. The queue must be idle or lost. */
void render_queue_finish(struct render_queue *queue);

/** Puts a fence behind the work that was submitted so far. Any thread. */
void render_queue_fence(struct render_queue *queue, uint64_t fence_id);

/** Puts a fence of our own there, for `completed` to move on. Any thread. */
void render_queue_mark(struct render_queue *queue);

#endif
