/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/notifier.h"
#include "base/socket.h"
#include "virtio/vhost_user_qemu.h"
#include "virtio/vhost_user_server.h"

/*
 * Theory of operation
 *
 * The front end connects and asks what we can do; that is before the guest runs. When the guest's
 * driver has set up its queues, the front end sends their addresses, sizes and descriptors and
 * enables them: a queue *runs* once it has a kick descriptor and is enabled. When the driver
 * resets the device, and also when the VM is paused, it disables the queues and asks for their
 * base, the index of the next request to take. From the answer on we keep our hands off the
 * guest.
 *
 * Requests that were taken and not given back stay with the device, whose state outlives a pause:
 * after it, the front end sets the base that it was told and the queue goes on as if nothing had
 * been.
 *
 * A reset of the guest is not announced (QEMU sends RESET_DEVICE to no device of this kind).
 * It looks like a pause but is followed by a base that is not the one we told:
 * 0. Only if the index had just wrapped round to 0 are the two alike; then a reset
 * is told by the driver's reading the configuration space, which a VM that goes on does not do.
 *
 * Guest memory comes as a table or in single regions. Each change of it moves the queues' pointers.
 */

#define OFFERED_PROTOCOL_FEATURES \
	(UINT64_C(1) << VHOST_USER_PROTOCOL_F_MQ | \
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_REPLY_ACK | \
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_BACKEND_REQ | \
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_CONFIG | \
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_BACKEND_SEND_FD | \
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_RESET_DEVICE | \
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS | \
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_STATUS | \
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_SHARED_OBJECT | \
		UINT64_C(1) << VHOST_USER_PROTOCOL_F_SHMEM_MAP)

void vhost_user_receiver_init(struct vhost_user_receiver *receiver) {
	receiver->filled = 0;
	receiver->fd_count = 0;
}

void vhost_user_receiver_clear(struct vhost_user_receiver *receiver) {
	for (int i = 0; i < receiver->fd_count; i++) {
		if (receiver->fds[i] >= 0) {
			close(receiver->fds[i]);
		}
	}
	vhost_user_receiver_init(receiver);
}

/* The next descriptor of the message; the caller owns it. -1 when there is none. */
static int take_fd(struct vhost_user_receiver *receiver) {
	for (int i = 0; i < receiver->fd_count; i++) {
		if (receiver->fds[i] >= 0) {
			int fd = receiver->fds[i];
			receiver->fds[i] = -1;
			return fd;
		}
	}
	return -1;
}

int vhost_user_receive(struct vhost_user_receiver *receiver, int fd) {
	for (;;) {
		uint8_t *target;
		size_t want;
		if (receiver->filled < VHOST_USER_HEADER_SIZE) {
			target = (uint8_t *)&receiver->header + receiver->filled;
			want = VHOST_USER_HEADER_SIZE - receiver->filled;
		} else {
			size_t size = receiver->header.size;
			if (size > sizeof(receiver->payload) ||
					(receiver->header.flags & VHOST_USER_VERSION_MASK) !=
						VHOST_USER_VERSION) {
				return -EPROTO;
			}
			size_t filled = receiver->filled - VHOST_USER_HEADER_SIZE;
			if (filled == size) {
				return 1;
			}
			target = (uint8_t *)&receiver->payload + filled;
			want = size - filled;
		}
		if (receiver->filled == 0) {
			memset(&receiver->payload, 0, sizeof(receiver->payload));
		}
		int fd_count;
		ssize_t got = socket_recv_fds(fd, target, want, receiver->fds + receiver->fd_count,
			VHOST_USER_MAX_FDS - receiver->fd_count, &fd_count);
		if (got < 0) {
			return (int)got;
		}
		receiver->fd_count += fd_count;
		if (got == 0) {
			return receiver->filled ? -EPROTO : 0;
		}
		receiver->filled += (size_t)got;
	}
}

/* Replies are small and the front end waits for them: the socket takes them at once, or soon. */
static int send_all(int fd, const void *data, size_t size) {
	const uint8_t *bytes = data;
	while (size > 0) {
		ssize_t sent = socket_send_fds(fd, bytes, size, NULL, 0);
		if (sent == -EAGAIN) {
			struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
			poll(&poll_fd, 1, 100);
			continue;
		}
		if (sent < 0) {
			return (int)sent;
		}
		bytes += sent;
		size -= (size_t)sent;
	}
	return 0;
}

static void send_reply(struct vhost_user *server, const void *payload, uint32_t size) {
	uint8_t message[VHOST_USER_HEADER_SIZE + sizeof(union vhost_user_payload)];
	struct vhost_user_header header = {
		.id = server->receiver.header.id,
		.flags = VHOST_USER_VERSION | VHOST_USER_REPLY,
		.size = size,
	};
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), payload, size);
	int err = send_all(server->fd, message, sizeof(header) + size);
	if (err) {
		/* the channel's end is seen by the next read */
		log_debug("vhost-user: cannot reply: %s", strerror(-err));
	}
}

static void send_reply_u64(struct vhost_user *server, uint64_t value) {
	send_reply(server, &value, sizeof(value));
}

static void handle_kick(void *data, int fd, uint32_t mask) {
	struct vhost_user_queue *queue = data;
	struct vhost_user *server = queue->server;
	if (mask & EVENT_READABLE) {
		notifier_fd_drain(fd);
		server->options.ops->queue_ready(
			server->options.data, (unsigned)(queue - server->queues));
	} else {
		/* nobody can kick any more; a stop and a new descriptor may follow */
		event_source_remove(queue->kick_source);
		queue->kick_source = NULL;
	}
}

static void stop_queue(struct vhost_user *server, struct vhost_user_queue *queue) {
	if (!queue->running) {
		return;
	}
	queue->running = false;
	event_source_remove(queue->kick_source);
	queue->kick_source = NULL;
	if (queue == &server->queues[0]) {
		server->stop_count++;
		server->config_read = false;
	}
	server->options.ops->queue_stopped(
		server->options.data, (unsigned)(queue - server->queues));
}

/* Brings queues that have all that is needed to run, and stops those that have not any more. */
static void update_queues(struct vhost_user *server) {
	for (unsigned i = 0; i < server->options.queue_count; i++) {
		struct vhost_user_queue *queue = &server->queues[i];
		if (!queue->has_kick || !queue->enabled) {
			stop_queue(server, queue);
			continue;
		}
		if (queue->running) {
			continue;
		}
		queue->ring.event_idx = server->features >> VIRTIO_F_EVENT_IDX & 1;
		if (!virtqueue_start(&queue->ring)) {
			log_warn("vhost-user: queue %u does not lie in the guest's memory", i);
			queue->enabled = false;
			continue;
		}
		if (queue->kick_fd >= 0) {
			queue->kick_source = event_loop_add_fd(
				server->loop, queue->kick_fd, EVENT_READABLE, handle_kick, queue);
			if (!queue->kick_source) {
				log_error("out of memory: queue %u is not served", i);
				queue->enabled = false;
				continue;
			}
		}
		queue->running = true;
		server->ever_started = true;
		server->options.ops->queue_started(server->options.data, i);
		/* requests may lie there without a kick: those from before a pause */
		server->options.ops->queue_ready(server->options.data, i);
	}
	vhost_user_requests_pump(server);
}

static void translate_queues(struct vhost_user *server) {
	for (unsigned i = 0; i < server->options.queue_count; i++) {
		struct vhost_user_queue *queue = &server->queues[i];
		if (queue->running && !virtqueue_translate(&queue->ring)) {
			log_warn("vhost-user: queue %u lost its memory", i);
		}
	}
}

static void reset_device(struct vhost_user *server, const char *why) {
	log_debug("vhost-user: the guest was reset (%s)", why);
	vhost_user_requests_reset(server);
	server->options.ops->reset(server->options.data);
}

static struct guest_memory_range range_of(const struct vhost_user_region *region) {
	return (struct guest_memory_range){
		.guest_addr = region->guest_addr,
		.size = region->size,
		.user_addr = region->user_addr,
		.fd_offset = region->fd_offset,
	};
}

/* Takes ownership of `fd`. */
static int add_region(
		struct vhost_user *server, const struct vhost_user_region *region, int fd) {
	struct guest_memory_range range = range_of(region);
	int err = guest_memory_add(&server->memory, &range, fd);
	if (err) {
		log_error("vhost-user: cannot map the guest's memory at 0x%" PRIx64
			" (%" PRIu64 " bytes): %s; it must be shared (share=on)",
			region->guest_addr, region->size, strerror(-err));
	}
	return err;
}

static int set_mem_table(struct vhost_user *server) {
	const struct vhost_user_mem_table *table = &server->receiver.payload.mem_table;
	if (table->count > VHOST_USER_MAX_FDS ||
			table->count != (uint32_t)server->receiver.fd_count) {
		return -EINVAL;
	}
	guest_memory_clear(&server->memory);
	int result = 0;
	for (uint32_t i = 0; i < table->count; i++) {
		int fd = take_fd(&server->receiver);
		if (vhost_user_qemu_judge_region(server, fd, false) != REGION_IS_MEMORY) {
			close(fd);
			continue;
		}
		int err = add_region(server, &table->regions[i], fd);
		result = result ? result : err;
	}
	translate_queues(server);
	return result;
}

static int add_mem_region(struct vhost_user *server) {
	int fd = take_fd(&server->receiver);
	if (fd < 0) {
		return -EINVAL;
	}
	switch (vhost_user_qemu_judge_region(server, fd, true)) {
	case REGION_IS_MEMORY:
		break;
	case REGION_IGNORE:
		close(fd);
		return 0;
	case REGION_REFUSE:
		close(fd);
		return -EIO;
	}
	int err = add_region(server, &server->receiver.payload.single_region.region, fd);
	translate_queues(server);
	return err;
}

static int remove_mem_region(struct vhost_user *server) {
	struct guest_memory_range range =
		range_of(&server->receiver.payload.single_region.region);
	if (guest_memory_remove(&server->memory, &range)) {
		translate_queues(server);
	} else {
		vhost_user_qemu_unknown_region_removed(server);
	}
	return 0;
}

/* The queue that a message is about, or NULL. */
static struct vhost_user_queue *queue_of(struct vhost_user *server, uint64_t index) {
	return index < server->options.queue_count ? &server->queues[index] : NULL;
}

static int set_vring_num(struct vhost_user *server) {
	struct vhost_user_queue *queue = queue_of(server, server->receiver.payload.state.index);
	uint32_t size = server->receiver.payload.state.value;
	if (!queue || queue->running || size == 0 || size > VIRTQUEUE_MAX_SIZE ||
			(size & (size - 1))) {
		return -EINVAL;
	}
	queue->ring.size = (uint16_t)size;
	return 0;
}

static int set_vring_addr(struct vhost_user *server) {
	const struct vhost_user_vring_addr *addr = &server->receiver.payload.addr;
	struct vhost_user_queue *queue = queue_of(server, addr->index);
	if (!queue || queue->running) {
		return -EINVAL;
	}
	queue->ring.desc_addr = addr->desc;
	queue->ring.avail_addr = addr->avail;
	queue->ring.used_addr = addr->used;
	return 0;
}

static int set_vring_base(struct vhost_user *server) {
	struct vhost_user_queue *queue = queue_of(server, server->receiver.payload.state.index);
	uint32_t base = server->receiver.payload.state.value;
	if (!queue || queue->running || base > UINT16_MAX) {
		return -EINVAL;
	}
	queue->ring.next_avail = (uint16_t)base;
	if (queue == &server->queues[0] && server->ever_started) {
		bool resumed = queue->was_stopped && base == queue->stopped_base &&
			!(base == 0 && server->config_read);
		if (!resumed) {
			reset_device(server, "the main queue begins anew");
		}
	}
	return 0;
}

static void get_vring_base(struct vhost_user *server) {
	struct vhost_user_vring_state state = server->receiver.payload.state;
	struct vhost_user_queue *queue = queue_of(server, state.index);
	if (!queue) {
		send_reply(server, &state, 0);
		return;
	}
	queue->has_kick = false;
	stop_queue(server, queue);
	queue->stopped_base = queue->ring.next_avail;
	queue->was_stopped = true;
	state.value = queue->ring.next_avail;
	send_reply(server, &state, sizeof(state));
}

static void replace_fd(int *target, int fd) {
	if (*target >= 0) {
		close(*target);
	}
	*target = fd;
}

static int set_vring_fd(struct vhost_user *server) {
	uint64_t value = server->receiver.payload.u64;
	struct vhost_user_queue *queue = queue_of(server, value & VHOST_USER_VRING_INDEX_MASK);
	int fd = value & VHOST_USER_VRING_NO_FD ? -1 : take_fd(&server->receiver);
	if (!queue) {
		replace_fd(&fd, -1);
		return -EINVAL;
	}
	switch (server->receiver.header.id) {
	case VHOST_USER_SET_VRING_KICK:
		/* a queue that runs gets a new descriptor without a stop in between */
		event_source_remove(queue->kick_source);
		queue->kick_source = NULL;
		queue->running = false;
		replace_fd(&queue->kick_fd, fd);
		queue->has_kick = true;
		if (!(server->features >> VHOST_USER_F_PROTOCOL_FEATURES & 1)) {
			queue->enabled = true;
		}
		break;
	case VHOST_USER_SET_VRING_CALL:
		replace_fd(&queue->call_fd, fd);
		break;
	default: /* SET_VRING_ERR: we have no use for it */
		replace_fd(&fd, -1);
		break;
	}
	return 0;
}

static int set_vring_enable(struct vhost_user *server) {
	struct vhost_user_queue *queue = queue_of(server, server->receiver.payload.state.index);
	if (!queue) {
		return -EINVAL;
	}
	queue->enabled = server->receiver.payload.state.value != 0;
	return 0;
}

static void get_config(struct vhost_user *server) {
	struct vhost_user_config config = server->receiver.payload.config;
	const uint32_t head = offsetof(struct vhost_user_config, bytes);
	uint32_t config_size = server->options.config_size;
	if (!server->queues[0].running) {
		server->config_read = true;
	}
	if (config.offset > config_size || config.size > config_size - config.offset) {
		config.size = 0;
		send_reply(server, &config, head);
		return;
	}
	uint8_t bytes[VHOST_USER_MAX_CONFIG] = {0};
	server->options.ops->read_config(server->options.data, bytes);
	memcpy(config.bytes, bytes + config.offset, config.size);
	send_reply(server, &config, head + config.size);
}

static int set_config(struct vhost_user *server) {
	const struct vhost_user_config *config = &server->receiver.payload.config;
	uint32_t config_size = server->options.config_size;
	if (server->receiver.header.size < offsetof(struct vhost_user_config, bytes) ||
			config->size > server->receiver.header.size -
				offsetof(struct vhost_user_config, bytes) ||
			config->offset > config_size || config->size > config_size - config->offset) {
		return -EINVAL;
	}
	server->options.ops->write_config(
		server->options.data, config->offset, config->bytes, config->size);
	return 0;
}

static void get_shmem_config(struct vhost_user *server) {
	struct vhost_user_shmem_config config = {0};
	if (server->options.shmem_size > 0) {
		config.count = 1;
		config.sizes[server->options.shmem_id] = server->options.shmem_size;
	}
	send_reply(server, &config, sizeof(config));
}

static void get_status(struct vhost_user *server) {
	if (vhost_user_qemu_vetoes_start(server)) {
		uint32_t nonsense = 0;
		send_reply(server, &nonsense, sizeof(nonsense));
		return;
	}
	send_reply_u64(server, server->status);
}

static int set_status(struct vhost_user *server) {
	uint8_t status = (uint8_t)server->receiver.payload.u64;
	if (status == 0 && server->status != 0) {
		reset_device(server, "status 0");
	}
	server->status = status;
	return 0;
}

static int set_features(struct vhost_user *server) {
	uint64_t offered = server->options.features | UINT64_C(1) << VHOST_USER_F_PROTOCOL_FEATURES;
	uint64_t features = server->receiver.payload.u64;
	if (features & ~offered) {
		log_warn("vhost-user: the front end took features that are not there (0x%" PRIx64 ")",
			features & ~offered);
		return -EINVAL;
	}
	server->features = features;
	return 0;
}

/* Messages that are answered with data of their own. false: it is not one of them. */
static bool answer_message(struct vhost_user *server) {
	switch (server->receiver.header.id) {
	case VHOST_USER_GET_FEATURES:
		send_reply_u64(server, server->options.features |
			UINT64_C(1) << VHOST_USER_F_PROTOCOL_FEATURES);
		return true;
	case VHOST_USER_GET_PROTOCOL_FEATURES:
		send_reply_u64(server, OFFERED_PROTOCOL_FEATURES);
		return true;
	case VHOST_USER_GET_QUEUE_NUM:
		send_reply_u64(server, server->options.queue_count);
		return true;
	case VHOST_USER_GET_MAX_MEM_SLOTS:
		send_reply_u64(server, VHOST_USER_QEMU_MEM_SLOTS);
		return true;
	case VHOST_USER_GET_VRING_BASE:
		get_vring_base(server);
		return true;
	case VHOST_USER_GET_CONFIG:
		get_config(server);
		return true;
	case VHOST_USER_GET_SHMEM_CONFIG:
		get_shmem_config(server);
		return true;
	case VHOST_USER_GET_STATUS:
		get_status(server);
		return true;
	default:
		return false;
	}
}

static int execute_message(struct vhost_user *server) {
	switch (server->receiver.header.id) {
	case VHOST_USER_SET_OWNER:
		return 0;
	case VHOST_USER_SET_FEATURES:
		return set_features(server);
	case VHOST_USER_SET_PROTOCOL_FEATURES:
		server->protocol_features = server->receiver.payload.u64 & OFFERED_PROTOCOL_FEATURES;
		return 0;
	case VHOST_USER_RESET_OWNER:
	case VHOST_USER_RESET_DEVICE:
		for (unsigned i = 0; i < server->options.queue_count; i++) {
			server->queues[i].has_kick = false;
			server->queues[i].enabled = false;
			stop_queue(server, &server->queues[i]);
		}
		reset_device(server, "asked for");
		return 0;
	case VHOST_USER_SET_MEM_TABLE:
		return set_mem_table(server);
	case VHOST_USER_ADD_MEM_REG:
		return add_mem_region(server);
	case VHOST_USER_REM_MEM_REG:
		return remove_mem_region(server);
	case VHOST_USER_SET_VRING_NUM:
		return set_vring_num(server);
	case VHOST_USER_SET_VRING_ADDR:
		return set_vring_addr(server);
	case VHOST_USER_SET_VRING_BASE:
		return set_vring_base(server);
	case VHOST_USER_SET_VRING_KICK:
	case VHOST_USER_SET_VRING_CALL:
	case VHOST_USER_SET_VRING_ERR:
		return set_vring_fd(server);
	case VHOST_USER_SET_VRING_ENABLE:
		return set_vring_enable(server);
	case VHOST_USER_SET_CONFIG:
		return set_config(server);
	case VHOST_USER_SET_STATUS:
		return set_status(server);
	case VHOST_USER_SET_BACKEND_REQ_FD: {
		int fd = take_fd(&server->receiver);
		if (fd < 0) {
			return -EINVAL;
		}
		vhost_user_requests_connect(server, fd);
		return 0;
	}
	default:
		log_debug("vhost-user: message %" PRIu32 " is not known",
			server->receiver.header.id);
		return -ENOTSUP;
	}
}

static void handle_message(struct vhost_user *server) {
	log_debug("vhost-user: message %" PRIu32 ", %" PRIu32 " bytes, %d descriptors",
		server->receiver.header.id, server->receiver.header.size, server->receiver.fd_count);
	if (!answer_message(server)) {
		int err = execute_message(server);
		/* without the feature nothing may be sent that is not waited for */
		if ((server->receiver.header.flags & VHOST_USER_NEED_REPLY) &&
				vhost_user_has(server, VHOST_USER_PROTOCOL_F_REPLY_ACK)) {
			send_reply_u64(server, err ? 1 : 0);
		}
	}
	vhost_user_receiver_clear(&server->receiver);
	update_queues(server);
	vhost_user_notify(server); /* of what could not be told before there was a descriptor for it */
}

static void close_main(struct vhost_user *server, int err) {
	event_source_remove(server->source);
	server->source = NULL;
	for (unsigned i = 0; i < server->options.queue_count; i++) {
		server->queues[i].has_kick = false;
		stop_queue(server, &server->queues[i]);
	}
	server->options.ops->closed(server->options.data, err);
}

static void handle_main(void *data, int fd, uint32_t mask) {
	struct vhost_user *server = data;
	(void)mask;
	for (;;) {
		int result = vhost_user_receive(&server->receiver, fd);
		if (result == -EAGAIN) {
			return;
		}
		if (result <= 0) {
			close_main(server, result == -ECONNRESET ? 0 : result);
			return;
		}
		handle_message(server);
	}
}

struct vhost_user *vhost_user_create(
		struct event_loop *loop, int fd, const struct vhost_user_options *options) {
	struct vhost_user *server = calloc(1, sizeof(*server));
	if (!server) {
		log_error("vhost-user: out of memory");
		goto error_fd;
	}
	server->loop = loop;
	server->options = *options;
	server->fd = fd;
	guest_memory_init(&server->memory);
	vhost_user_receiver_init(&server->receiver);
	for (unsigned i = 0; i < VHOST_USER_MAX_QUEUES; i++) {
		server->queues[i] = (struct vhost_user_queue){
			.server = server,
			.ring = {.memory = &server->memory},
			.kick_fd = -1,
			.call_fd = -1,
		};
	}
	vhost_user_requests_init(server);
	vhost_user_qemu_init(server);
	int err = socket_prepare(fd);
	if (!err) {
		err = socket_set_blocking(fd, false);
	}
	if (err) {
		log_error("vhost-user: cannot use the front end's socket: %s", strerror(-err));
		goto error_server;
	}
	server->source = event_loop_add_fd(loop, fd, EVENT_READABLE, handle_main, server);
	if (!server->source) {
		log_error("vhost-user: out of memory");
		goto error_server;
	}
	return server;

error_server:
	vhost_user_requests_finish(server);
	free(server);
error_fd:
	close(fd);
	return NULL;
}

void vhost_user_destroy(struct vhost_user *server) {
	if (!server) {
		return;
	}
	vhost_user_requests_finish(server);
	for (unsigned i = 0; i < VHOST_USER_MAX_QUEUES; i++) {
		struct vhost_user_queue *queue = &server->queues[i];
		event_source_remove(queue->kick_source);
		replace_fd(&queue->kick_fd, -1);
		replace_fd(&queue->call_fd, -1);
	}
	event_source_remove(server->source);
	vhost_user_receiver_clear(&server->receiver);
	guest_memory_finish(&server->memory);
	close(server->fd);
	free(server);
}

struct guest_memory *vhost_user_memory(struct vhost_user *server) {
	return &server->memory;
}

bool vhost_user_queue_running(const struct vhost_user *server, unsigned queue) {
	return server->queues[queue].running;
}

unsigned vhost_user_queue_size(const struct vhost_user *server, unsigned queue) {
	return server->queues[queue].ring.size;
}

enum virtqueue_result vhost_user_take(struct vhost_user *server, unsigned queue,
		struct virtqueue_element *element, void *request, size_t capacity) {
	if (!server->queues[queue].running) {
		return VIRTQUEUE_EMPTY;
	}
	return virtqueue_take(&server->queues[queue].ring, element, request, capacity);
}

void vhost_user_give(struct vhost_user *server, unsigned queue,
		const struct virtqueue_element *element, const void *response, size_t size) {
	virtqueue_give(&server->queues[queue].ring, element, response, size);
	server->queues[queue].given = true;
}

void vhost_user_notify(struct vhost_user *server) {
	for (unsigned i = 0; i < server->options.queue_count; i++) {
		struct vhost_user_queue *queue = &server->queues[i];
		if (queue->given && queue->running && queue->call_fd >= 0) {
			queue->given = false;
			if (virtqueue_wants_notify(&queue->ring)) {
				notifier_fd_signal(queue->call_fd);
			}
		}
	}
}
