/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIRTIO_VHOST_USER_SERVER_H
#define VENERA_VIRTIO_VHOST_USER_SERVER_H

#include "base/event_loop.h"
#include "base/list.h"
#include "virtio/vhost_user.h"
#include "virtio/vhost_user_protocol.h"

/** What the files of the vhost-user server share. */

/** Collects one message after the other from a non-blocking socket. */
struct vhost_user_receiver {
	struct vhost_user_header header; /* valid when HEADER_SIZE bytes are there */
	union vhost_user_payload payload;
	size_t filled; /* bytes of header and payload so far */
	int fds[VHOST_USER_MAX_FDS];
	int fd_count;
};

struct vhost_user_queue {
	struct vhost_user *server;
	struct virtqueue ring;
	bool has_kick; /* SET_VRING_KICK came since the last stop */
	bool enabled;
	bool running; /* both, and the ring's addresses are good */
	bool given;   /* something was given back since the last notify */
	int kick_fd, call_fd; /* -1: none */
	struct event_source *kick_source; /* while running */

	uint16_t stopped_base; /* what GET_VRING_BASE was answered */
	bool was_stopped;      /* it was asked at all */
};

/** A mapping that the front end has, or is asked to make or to remove. */
struct vhost_user_map {
	struct list link;
	int fd; /* the caller's */
	uint64_t shmem_offset, size;
};

/** What we ask of the front end. */
struct vhost_user_request {
	struct list link;
	uint32_t id;
	struct vhost_user_shmem_map map; /* the payload of SHMEM_MAP and _UNMAP */
	struct vhost_user_map *mapping;  /* of those; of the server's list */
	vhost_user_done_func done;       /* NULL: nobody waits for it */
	void *data;
};

enum vhost_user_request_state {
	REQUEST_IDLE,
	REQUEST_GUARDED,   /* its first bytes are sent, the front end has not begun to read */
	REQUEST_SENT,      /* the acknowledgement is awaited */
	REQUEST_BARRIER,   /* it was acknowledged; so is now the message that follows it */
	REQUEST_ABANDONED, /* it was made void; that is to be acknowledged */
};

struct vhost_user {
	struct event_loop *loop;
	struct vhost_user_options options;

	/* the main channel */
	int fd;
	struct event_source *source;
	struct vhost_user_receiver receiver;

	uint64_t features, protocol_features; /* negotiated */
	uint8_t status;
	struct guest_memory memory;
	struct vhost_user_queue queues[VHOST_USER_MAX_QUEUES];
	bool config_read; /* since the last stop: a driver is looking at the device */
	bool ever_started;
	unsigned stop_count; /* of the main queue */

	/* the back-end channel */
	int request_fd; /* -1: none */
	struct event_source *request_source;
	struct event_source *request_timer;
	struct vhost_user_receiver request_receiver;
	struct list requests; /* struct vhost_user_request; the first may be under way */
	enum vhost_user_request_state request_state;
	uint8_t message[VHOST_USER_HEADER_SIZE + sizeof(struct vhost_user_shmem_map)];
	size_t message_size, message_sent; /* of the request under way */
	unsigned message_stop_count;       /* stop_count when it was begun */
	bool request_cancelled;            /* the one under way is void, whatever comes of it */
	struct list maps;                  /* struct vhost_user_map, the one last asked about first */
	size_t map_count;

	/* vhost_user_qemu.c */
	unsigned shadow_regions;   /* our blobs in QEMU's copy of the memory table */
	unsigned qemu_workarounds; /* a bit for each vhost_user_qemu_workaround */
};

static inline bool vhost_user_has(const struct vhost_user *server, unsigned protocol_feature) {
	return server->protocol_features >> protocol_feature & 1;
}

void vhost_user_receiver_init(struct vhost_user_receiver *receiver);
/** Closes descriptors that nobody took and makes room for the next message. */
void vhost_user_receiver_clear(struct vhost_user_receiver *receiver);
/** 1: a message is there; 0: the peer closed; -EAGAIN: not yet; or another -errno. */
int vhost_user_receive(struct vhost_user_receiver *receiver, int fd);

/* vhost_user_request.c */
void vhost_user_requests_init(struct vhost_user *server);
void vhost_user_requests_finish(struct vhost_user *server);
/** Takes ownership of the channel's descriptor. */
void vhost_user_requests_connect(struct vhost_user *server, int fd);
/** Sends what waits, if the device runs. */
void vhost_user_requests_pump(struct vhost_user *server);
/** All requests and mappings are void. */
void vhost_user_requests_reset(struct vhost_user *server);

#endif
