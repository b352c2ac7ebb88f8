/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIRTIO_VHOST_USER_H
#define VENERA_VIRTIO_VHOST_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/guest_memory.h"
#include "virtio/virtqueue.h"

/**
 * A vhost-user back end: it serves a front end (the VMM) that emulates the virtio transport and
 * leaves the device to us. Knows nothing of the device but its features, its configuration space,
 * its number of queues and the size of its shared-memory region.
 *
 * Everything happens on the event loop's thread. No function here waits for the front end.
 */
struct vhost_user;
struct event_loop;

/** Called from the event loop only, never from inside a function of this header. */
struct vhost_user_ops {
	/**
	 * A queue runs: requests can be taken and given back, what had been taken before a stop
	 * can be given back now.
	 */
	void (*queue_started)(void *data, unsigned queue);
	/** It does not any more: guest memory is not to be touched and nothing is given back. */
	void (*queue_stopped)(void *data, unsigned queue);
	/** There may be requests in a running queue. */
	void (*queue_ready)(void *data, unsigned queue);
	/**
	 * The guest's driver starts afresh: all that was taken is void, and so are all mappings, and
	 * no `done` function of an earlier request to the front end will be called.
	 */
	void (*reset)(void *data);
	/** Fills the configuration space, `config_size` bytes. */
	void (*read_config)(void *data, uint8_t *config);
	/** The guest wrote to it; the range lies inside. */
	void (*write_config)(void *data, uint32_t offset, const uint8_t *bytes, uint32_t size);
	/**
	 * The front end is gone, or broke the protocol (`err` is not 0 then). Nothing else is
	 * called after this.
	 */
	void (*closed)(void *data, int err);
};

struct vhost_user_options {
	uint64_t features;    /* virtio feature bits offered, without the transport's own bit 30 */
	unsigned queue_count; /* 1 to VHOST_USER_MAX_QUEUES. The first is the device's main one */
	uint32_t config_size; /* bytes, at most 256 */
	uint8_t shmem_id;     /* of the shared-memory region */
	uint64_t shmem_size;  /* bytes, a power of two; 0: there is none */
	const struct vhost_user_ops *ops;
	void *data;
};

#define VHOST_USER_MAX_QUEUES 8

/** Takes ownership of the connected socket `fd`, also on failure. NULL with a line in the log. */
struct vhost_user *vhost_user_create(
	struct event_loop *loop, int fd, const struct vhost_user_options *options);
void vhost_user_destroy(struct vhost_user *server);

/** The guest's memory. To be used only while a queue runs. */
struct guest_memory *vhost_user_memory(struct vhost_user *server);

bool vhost_user_queue_running(const struct vhost_user *server, unsigned queue);
/** In descriptors. */
unsigned vhost_user_queue_size(const struct vhost_user *server, unsigned queue);

/** As virtqueue_take(); VIRTQUEUE_EMPTY when the queue does not run. */
enum virtqueue_result vhost_user_take(struct vhost_user *server, unsigned queue,
	struct virtqueue_element *element, void *request, size_t capacity);

/** As virtqueue_give(). The queue must run. */
void vhost_user_give(struct vhost_user *server, unsigned queue,
	const struct virtqueue_element *element, const void *response, size_t size);

/** Interrupts the guest for what was given on any queue, if it wants that. */
void vhost_user_notify(struct vhost_user *server);

/** Can shared memory be mapped for the guest (the front end has negotiated what that needs)? */
bool vhost_user_can_map(const struct vhost_user *server);

/**
 * The outcome of a request to the front end: 0; -EIO: it refused; -ENOTCONN: its channel is gone.
 */
typedef void (*vhost_user_done_func)(void *data, int result);

/**
 * Makes `size` bytes of shared memory appear in the region at `shmem_offset`. When `done` is
 * called with 0 the guest sees them. While the device is stopped the request waits. `fd` stays
 * the caller's and must stay open until vhost_user_unmap() is done or the device is reset.
 *
 * -ENOTSUP when vhost_user_can_map() is false, -ENOSPC when the front end takes no more
 * mappings, -ENOMEM. 0: `done` will be called.
 */
int vhost_user_map(struct vhost_user *server, int fd, uint64_t shmem_offset, uint64_t size,
	vhost_user_done_func done, void *data);

/**
 * Takes one whole mapping away. When `done` is called, with whatever result, its place can be used
 * again. -ENOTCONN when the channel is gone, and the front end with it, -ENOMEM. 0: `done` will be
 * called.
 */
int vhost_user_unmap(struct vhost_user *server, int fd, uint64_t shmem_offset, uint64_t size,
	vhost_user_done_func done, void *data);

/** Tells the guest that the configuration space has changed. */
void vhost_user_config_changed(struct vhost_user *server);

#endif
