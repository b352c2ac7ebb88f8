/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_SYNC_FD_H
#define VENERA_RENDER_SYNC_FD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <vulkan/vulkan.h>

#include "base/list.h"

struct render_context;
struct render_device;

/** What a device knows of payloads that the guest has exported and imported, see sync_fd.c. */
struct render_sync_fd {
	pthread_mutex_t lock;
	_Atomic bool any_imported; /* `imported` is not empty */
	struct list imported;      /* semaphores whose next wait is satisfied */
	struct list replaced;      /* handles that the host may still use */
	unsigned replaced_count;
};

void render_sync_fd_init(struct render_sync_fd *sync);

/** Destroys what was replaced. The device must be idle. */
void render_sync_fd_finish(struct render_device *device);

/** Whether the wait for this semaphore is satisfied by an import, which moves to `taken` then. */
bool render_sync_fd_take(struct render_sync_fd *sync, VkSemaphore semaphore, struct list *taken);

/** The waits were made (`done`), or were not, and the imports are there again. */
void render_sync_fd_settle(struct render_sync_fd *sync, struct list *taken, bool done);

static inline bool render_sync_fd_any(const struct render_sync_fd *sync) {
	return atomic_load_explicit(&sync->any_imported, memory_order_acquire);
}

#endif
