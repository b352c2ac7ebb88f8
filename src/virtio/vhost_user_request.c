/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/socket.h"
#include "virtio/vhost_user_qemu.h"
#include "virtio/vhost_user_server.h"

/*
 * Theory of operation
 *
 * Requests to the front end go over a channel of their own, one at a time: the first of the queue
 * is under way, the others wait. Nothing here blocks. To wait for the acknowledgement would be a
 * deadlock: the front end may ask us something on the main channel before it acknowledges, and it
 * is answered from the same event loop.
 *
 *   IDLE -> GUARDED -> SENT -> BARRIER -> IDLE, done
 *              |
 *              +-> ABANDONED -> IDLE, to be sent again after the pause
 *
 * Requests wait while the device is stopped. GUARDED, BARRIER and ABANDONED belong to QEMU
 * (vhost_user_qemu.c); with other front ends a request goes from IDLE to SENT and is done.
 *
 * A reset of the guest empties the queue. The request that is under way cannot be taken back;
 * what comes of it is ignored (request_cancelled).
 */

#define GUARD_POLL_NS (500 * CLOCK_NS_PER_US)

static void handle_channel(void *data, int fd, uint32_t mask);

static void handle_timer(void *data);

void vhost_user_requests_init(struct vhost_user *server) {
	server->request_fd = -1;
	list_init(&server->requests);
	list_init(&server->maps);
	server->request_state = REQUEST_IDLE;
	vhost_user_receiver_init(&server->request_receiver);
}

static void destroy_map(struct vhost_user *server, struct vhost_user_map *map) {
	list_remove(&map->link);
	free(map);
	server->map_count--;
}

static void destroy_request(struct vhost_user_request *request) {
	list_remove(&request->link);
	free(request);
}

static struct vhost_user_request *first_request(struct vhost_user *server) {
	return LIST_CONTAINER(server->requests.next, struct vhost_user_request, link);
}

static void disconnect(struct vhost_user *server) {
	event_source_remove(server->request_source);
	server->request_source = NULL;
	event_source_remove(server->request_timer);
	server->request_timer = NULL;
	if (server->request_fd >= 0) {
		close(server->request_fd);
		server->request_fd = -1;
	}
	vhost_user_receiver_clear(&server->request_receiver);
	server->request_state = REQUEST_IDLE;
	server->request_cancelled = false;
}

void vhost_user_requests_finish(struct vhost_user *server) {
	disconnect(server);
	vhost_user_requests_reset(server);
}

void vhost_user_requests_connect(struct vhost_user *server, int fd) {
	disconnect(server);
	int err = socket_prepare(fd);
	if (!err) {
		err = socket_set_blocking(fd, false);
	}
	if (!err) {
		server->request_source =
			event_loop_add_fd(server->loop, fd, EVENT_READABLE, handle_channel, server);
		server->request_timer = event_loop_add_timer(server->loop, handle_timer, server);
		if (!server->request_source || !server->request_timer) {
			err = -ENOMEM;
		}
	}
	server->request_fd = fd;
	if (err) {
		log_error("vhost-user: the back-end channel cannot be used: %s", strerror(-err));
		disconnect(server);
		return;
	}
	if (vhost_user_qemu_guards(server)) {
		vhost_user_qemu_prepare_channel(fd);
	}
}

void vhost_user_requests_reset(struct vhost_user *server) {
	LIST_FOR_EACH_SAFE (request, &server->requests, struct vhost_user_request, link) {
		destroy_request(request);
	}
	LIST_FOR_EACH_SAFE (map, &server->maps, struct vhost_user_map, link) {
		destroy_map(server, map);
	}
	server->request_cancelled = server->request_state != REQUEST_IDLE;
}

/*
 * Sending failed. Nothing more is sent, and the end of the channel that is seen then, from the
 * event loop, fails all requests: not from here, since the caller may be one who makes a request.
 */
static void break_channel(struct vhost_user *server, int err) {
	log_warn("vhost-user: the back-end channel broke: %s", strerror(-err));
	server->request_state = REQUEST_SENT;
	shutdown(server->request_fd, SHUT_RDWR);
}

/* The request under way has come to its end. */
static void finish_request(struct vhost_user *server, int result) {
	server->request_state = REQUEST_IDLE;
	if (server->request_cancelled) {
		server->request_cancelled = false;
		return;
	}
	struct vhost_user_request *request = first_request(server);
	struct vhost_user_map *map = request->mapping;
	bool gone = request->id == VHOST_USER_BACKEND_SHMEM_MAP ? result != 0 : true;
	vhost_user_done_func done = request->done;
	void *data = request->data;
	destroy_request(request);
	if (map && gone) {
		destroy_map(server, map);
	}
	if (done) {
		done(data, result);
	}
}

/* The channel is of no further use: everything that waits fails. */
static void fail_all(struct vhost_user *server) {
	disconnect(server);
	while (!list_empty(&server->requests)) {
		finish_request(server, -ENOTCONN);
	}
}

static void begin_request(struct vhost_user *server) {
	struct vhost_user_request *request = first_request(server);
	bool has_map = request->id != VHOST_USER_BACKEND_CONFIG_CHANGE;
	struct vhost_user_header header = {
		.id = request->id,
		.flags = VHOST_USER_VERSION | VHOST_USER_NEED_REPLY,
		.size = has_map ? sizeof(request->map) : 0,
	};
	memcpy(server->message, &header, sizeof(header));
	memcpy(server->message + sizeof(header), &request->map, header.size);
	server->message_size = sizeof(header) + header.size;
	server->message_sent = 0;
	server->message_stop_count = server->stop_count;
}

/* Sends what is left of the message. It is small and the buffer was empty: it goes in one piece. */
static int send_rest(struct vhost_user *server, int fd) {
	while (server->message_sent < server->message_size) {
		ssize_t sent = socket_send_fds(server->request_fd,
			server->message + server->message_sent,
			server->message_size - server->message_sent, &fd, fd >= 0 ? 1 : 0);
		if (sent < 0) {
			return (int)sent;
		}
		server->message_sent += (size_t)sent;
		fd = -1;
	}
	return 0;
}

/* QEMU reads the first bytes: may it have the rest? */
static int pass_guard(struct vhost_user *server) {
	event_source_timer_disarm(server->request_timer);
	event_source_fd_update(server->request_source, EVENT_READABLE);
	if (server->request_cancelled || !server->queues[0].running ||
			server->message_stop_count != server->stop_count) {
		vhost_user_qemu_guard_void(server->message, &server->message_size);
		server->request_state = REQUEST_ABANDONED;
	} else {
		server->request_state = REQUEST_SENT;
	}
	return send_rest(server, -1);
}

static int start_guarded(struct vhost_user *server, int fd) {
	bool poll;
	int sent = vhost_user_qemu_guard_send(server->request_fd, server->message, fd, &poll);
	if (sent < 0) {
		return sent;
	}
	server->message_sent = (size_t)sent;
	server->request_state = REQUEST_GUARDED;
	if (poll && vhost_user_qemu_guard_taken(server->request_fd)) {
		return pass_guard(server);
	}
	if (poll) {
		event_source_timer_arm(server->request_timer, GUARD_POLL_NS);
	} else {
		event_source_fd_update(server->request_source, EVENT_READABLE | EVENT_WRITABLE);
	}
	return 0;
}

void vhost_user_requests_pump(struct vhost_user *server) {
	if (server->request_state != REQUEST_IDLE || list_empty(&server->requests) ||
			!server->queues[0].running || server->request_fd < 0) {
		return;
	}
	struct vhost_user_request *request = first_request(server);
	int fd = request->id == VHOST_USER_BACKEND_SHMEM_MAP ? request->mapping->fd : -1;
	begin_request(server);
	int err;
	if (vhost_user_qemu_guards(server)) {
		err = start_guarded(server, fd);
	} else {
		server->request_state = REQUEST_SENT;
		err = send_rest(server, fd);
	}
	if (err) {
		break_channel(server, err);
	}
}

static int start_barrier(struct vhost_user *server) {
	server->message_size =
		vhost_user_qemu_barrier(server, server->message, sizeof(server->message));
	server->message_sent = 0;
	if (server->message_size == 0) {
		finish_request(server, 0);
		return 0;
	}
	server->request_state = REQUEST_BARRIER;
	return send_rest(server, -1);
}

static int handle_ack(struct vhost_user *server) {
	const struct vhost_user_receiver *receiver = &server->request_receiver;
	bool ok = receiver->header.size >= sizeof(uint64_t) && receiver->payload.u64 == 0;
	switch (server->request_state) {
	case REQUEST_SENT:
		if (ok && !server->request_cancelled &&
				first_request(server)->id != VHOST_USER_BACKEND_CONFIG_CHANGE) {
			return start_barrier(server);
		}
		finish_request(server, ok ? 0 : -EIO);
		return 0;
	case REQUEST_BARRIER:
		finish_request(server, 0);
		return 0;
	case REQUEST_ABANDONED:
		/* still the first of the queue: sent again when the device runs */
		server->request_state = REQUEST_IDLE;
		server->request_cancelled = false;
		return 0;
	case REQUEST_IDLE:
	case REQUEST_GUARDED:
		break;
	}
	return -EPROTO; /* nothing was asked */
}

static void handle_channel(void *data, int fd, uint32_t mask) {
	struct vhost_user *server = data;
	int err = 0;
	if ((mask & EVENT_WRITABLE) && server->request_state == REQUEST_GUARDED &&
			vhost_user_qemu_guard_taken(fd)) {
		err = pass_guard(server);
	}
	if (!err && (mask & ~(uint32_t)EVENT_WRITABLE)) {
		int result = vhost_user_receive(&server->request_receiver, fd);
		if (result == 1) {
			err = handle_ack(server);
			vhost_user_receiver_clear(&server->request_receiver);
		} else if (result == 0) {
			err = -ECONNRESET;
		} else if (result != -EAGAIN) {
			err = result;
		}
	}
	if (err) {
		if (err != -ECONNRESET) {
			log_warn("vhost-user: the back-end channel broke: %s", strerror(-err));
		}
		fail_all(server);
	}
	vhost_user_requests_pump(server);
}

static void handle_timer(void *data) {
	struct vhost_user *server = data;
	if (server->request_state != REQUEST_GUARDED) {
		return;
	}
	if (!vhost_user_qemu_guard_taken(server->request_fd)) {
		event_source_timer_arm(server->request_timer, GUARD_POLL_NS);
		return;
	}
	int err = pass_guard(server);
	if (err) {
		break_channel(server, err);
	}
}

bool vhost_user_can_map(const struct vhost_user *server) {
	return server->options.shmem_size > 0 && server->request_fd >= 0 &&
		vhost_user_has(server, VHOST_USER_PROTOCOL_F_BACKEND_REQ) &&
		vhost_user_has(server, VHOST_USER_PROTOCOL_F_SHMEM_MAP);
}

static struct vhost_user_request *add_request(struct vhost_user *server, uint32_t id) {
	struct vhost_user_request *request = calloc(1, sizeof(*request));
	if (request) {
		request->id = id;
		list_append(&server->requests, &request->link);
	}
	return request;
}

int vhost_user_map(struct vhost_user *server, int fd, uint64_t shmem_offset, uint64_t size,
		vhost_user_done_func done, void *data) {
	if (!vhost_user_can_map(server)) {
		return -ENOTSUP;
	}
	if (!vhost_user_qemu_may_map(server)) {
		return -ENOSPC;
	}
	struct vhost_user_map *map = calloc(1, sizeof(*map));
	if (!map) {
		return -ENOMEM;
	}
	struct vhost_user_request *request = add_request(server, VHOST_USER_BACKEND_SHMEM_MAP);
	if (!request) {
		free(map);
		return -ENOMEM;
	}
	*map = (struct vhost_user_map){.fd = fd, .shmem_offset = shmem_offset, .size = size};
	list_insert(&server->maps, &map->link);
	server->map_count++;
	request->map = (struct vhost_user_shmem_map){
		.shmem_id = server->options.shmem_id,
		.shmem_offset = shmem_offset,
		.size = size,
		.flags = 1,
	};
	request->mapping = map;
	request->done = done;
	request->data = data;
	vhost_user_requests_pump(server);
	return 0;
}

int vhost_user_unmap(struct vhost_user *server, int fd, uint64_t shmem_offset, uint64_t size,
		vhost_user_done_func done, void *data) {
	if (server->request_fd < 0) {
		return -ENOTCONN;
	}
	struct vhost_user_request *request = add_request(server, VHOST_USER_BACKEND_SHMEM_UNMAP);
	if (!request) {
		return -ENOMEM;
	}
	LIST_FOR_EACH (map, &server->maps, struct vhost_user_map, link) {
		if (map->fd == fd && map->shmem_offset == shmem_offset) {
			request->mapping = map;
			break;
		}
	}
	request->map = (struct vhost_user_shmem_map){
		.shmem_id = server->options.shmem_id,
		.shmem_offset = shmem_offset,
		.size = size,
	};
	request->done = done;
	request->data = data;
	vhost_user_requests_pump(server);
	return 0;
}

void vhost_user_config_changed(struct vhost_user *server) {
	if (server->request_fd < 0) {
		return; /* there is no way to say it */
	}
	LIST_FOR_EACH (request, &server->requests, struct vhost_user_request, link) {
		bool under_way = request == first_request(server) &&
			server->request_state != REQUEST_IDLE && !server->request_cancelled;
		if (request->id == VHOST_USER_BACKEND_CONFIG_CHANGE && !under_way) {
			return; /* one will be sent that tells this change, too */
		}
	}
	if (add_request(server, VHOST_USER_BACKEND_CONFIG_CHANGE)) {
		vhost_user_requests_pump(server);
	}
}
