/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/event_loop.h"
#include "base/list.h"
#include "base/shmem.h"
#include "base/socket.h"
#include "gpu/bounds.h"
#include "gpu/guest_log.h"
#include "gpu/reaper.h"
#include "gpu/renderer.h"
#include "ipc/broker.h"

/*
 * Theory of operation
 *
 * Messages go straight into the channel, which keeps what the socket does not take. There is one
 * exception. The guest may attach a resource that another context has not finished making; the
 * process must learn of it before it sees the commands that follow and use it. So a place is
 * reserved, and messages behind it are held here, in order, until it is known what stands in that
 * place.
 */

#define EVENTS_PER_ROUND 64

struct renderer_slot {
	struct renderer *renderer;
	struct list link;
	struct renderer_slot **owner; /* NULL: a held message. Else nothing stands here yet */
	uint32_t type;
	int fd; /* owned; -1: none */
	size_t size;
	uint8_t body[];
};

struct renderer {
	const struct renderer_ops *ops;
	void *data;
	struct reaper *reaper;
	uint64_t max_queued; /* bytes */
	pid_t pid;
	struct channel channel;
	struct event_source *source;
	struct event_source *again; /* more was received than one round may handle */
	struct list held; /* struct renderer_slot; the first one is not filled */
	size_t held_size; /* bytes */
	unsigned queued_fds; /* sent since the queue was last empty */
	struct shmem counters; /* struct render_counters; the descriptor is closed */
	bool broken; /* nothing is sent any more; `lost` was or will be called */
	bool lost;   /* it was called */
	char name[80];
	char reason[160]; /* why it is broken */
};

/*
 * From now on the context is lost. This may be inside a call of the context's; it learns of it
 * from the event loop, which finds the channel closed.
 */
static void break_off(struct renderer *renderer, const char *reason) {
	if (!renderer->broken) {
		renderer->broken = true;
		snprintf(renderer->reason, sizeof(renderer->reason), "%s", reason);
		shutdown(renderer->channel.fd, SHUT_RDWR);
	}
}

static void report_lost(struct renderer *renderer, const char *reason) {
	renderer->broken = true;
	if (!renderer->lost) {
		renderer->lost = true;
		renderer->ops->lost(renderer->data, renderer->reason[0] ? renderer->reason : reason);
	}
}

static void update_mask(struct renderer *renderer) {
	bool queued = !renderer->broken && channel_queued(&renderer->channel) > 0;
	event_source_fd_update(
		renderer->source, EVENT_READABLE | (queued ? (uint32_t)EVENT_WRITABLE : 0U));
}

size_t renderer_queued(const struct renderer *renderer) {
	return renderer->broken ? 0 : channel_queued(&renderer->channel) + renderer->held_size;
}

static bool is_flooded(struct renderer *renderer, bool has_fd) {
	const size_t queued = renderer_queued(renderer);
	if (queued == 0) {
		renderer->queued_fds = 0;
	}
	renderer->queued_fds += has_fd;
	return queued > renderer->max_queued || renderer->queued_fds > GPU_MAX_RENDERER_FDS;
}

static void send_now(struct renderer *renderer, uint32_t type, const void *body, size_t size,
		const void *extra, size_t extra_size, int fd) {
	int err = channel_send(
		&renderer->channel, type, body, size, extra, extra_size, &fd, fd >= 0 ? 1 : 0);
	if (err) {
		char reason[80];
		snprintf(reason, sizeof(reason), "its render process cannot be reached: %s",
			strerror(-err));
		break_off(renderer, reason);
		return;
	}
	update_mask(renderer);
}

static struct renderer_slot *add_slot(struct renderer *renderer, size_t size) {
	struct renderer_slot *slot = malloc(sizeof(*slot) + size);
	if (!slot) {
		break_off(renderer, "out of memory");
		return NULL;
	}
	*slot = (struct renderer_slot){.renderer = renderer, .fd = -1, .size = size};
	list_append(&renderer->held, &slot->link);
	renderer->held_size += size;
	return slot;
}

static void remove_slot(struct renderer_slot *slot) {
	list_remove(&slot->link);
	slot->renderer->held_size -= slot->size;
	if (slot->owner) {
		*slot->owner = NULL;
	}
	if (slot->fd >= 0) {
		close(slot->fd);
	}
	free(slot);
}

static void hold(struct renderer *renderer, uint32_t type, const void *body, size_t size,
		const void *extra, size_t extra_size, int fd) {
	struct renderer_slot *slot = add_slot(renderer, size + extra_size);
	if (!slot) {
		return;
	}
	slot->type = type;
	memcpy(slot->body, body, size);
	if (extra_size) {
		memcpy(slot->body + size, extra, extra_size);
	}
	if (fd >= 0) {
		slot->fd = fd_dup(fd);
		if (slot->fd < 0) {
			break_off(renderer, strerror(-slot->fd));
		}
	}
}

/* Sends what is held up to the next place that is not filled. */
static void release_held(struct renderer *renderer) {
	while (!list_empty(&renderer->held)) {
		struct renderer_slot *slot =
			LIST_CONTAINER(renderer->held.next, struct renderer_slot, link);
		if (slot->owner) {
			return;
		}
		if (!renderer->broken) {
			send_now(renderer, slot->type, slot->body, slot->size, NULL, 0, slot->fd);
		}
		remove_slot(slot);
	}
}

static void send_request(struct renderer *renderer, uint32_t type, const void *body, size_t size,
		const void *extra, size_t extra_size, int fd) {
	if (renderer->broken) {
		return;
	}
	if (is_flooded(renderer, fd >= 0)) {
		break_off(renderer, "its render process does not keep up with the guest");
	} else if (!list_empty(&renderer->held)) {
		hold(renderer, type, body, size, extra, extra_size, fd);
	} else {
		send_now(renderer, type, body, size, extra, extra_size, fd);
	}
}

void renderer_reserve(struct renderer *renderer, struct renderer_slot **owner) {
	*owner = NULL;
	if (renderer->broken) {
		return;
	}
	struct renderer_slot *slot = add_slot(renderer, sizeof(struct render_attach_resource));
	if (slot) {
		slot->owner = owner;
		*owner = slot;
	}
}

void renderer_fill(
		struct renderer_slot *slot, const struct render_attach_resource *request, int fd) {
	if (!slot) {
		return;
	}
	struct renderer *renderer = slot->renderer;
	slot->type = RENDER_REQUEST_ATTACH_RESOURCE;
	memcpy(slot->body, request, sizeof(*request));
	slot->fd = fd_dup(fd);
	if (slot->fd < 0) {
		break_off(renderer, strerror(-slot->fd));
	}
	*slot->owner = NULL;
	slot->owner = NULL;
	release_held(renderer);
}

void renderer_give_up(struct renderer_slot *slot) {
	if (slot) {
		struct renderer *renderer = slot->renderer;
		remove_slot(slot);
		release_held(renderer);
	}
}

void renderer_create_blob(struct renderer *renderer, const struct render_create_blob *request) {
	send_request(renderer, RENDER_REQUEST_CREATE_BLOB, request, sizeof(*request), NULL, 0, -1);
}

void renderer_attach(
		struct renderer *renderer, const struct render_attach_resource *request, int fd) {
	send_request(
		renderer, RENDER_REQUEST_ATTACH_RESOURCE, request, sizeof(*request), NULL, 0, fd);
}

void renderer_detach(struct renderer *renderer, uint32_t resource_id) {
	struct render_detach_resource request = {.resource_id = resource_id};
	send_request(
		renderer, RENDER_REQUEST_DETACH_RESOURCE, &request, sizeof(request), NULL, 0, -1);
}

void renderer_submit(struct renderer *renderer, const struct render_submit *request,
		const void *stream, size_t size) {
	send_request(
		renderer, RENDER_REQUEST_SUBMIT, request, sizeof(*request), stream, size, -1);
}

/* What another process wrote, cut and free of control characters. */
static void clean_text(char *clean, size_t clean_size, const char *text, size_t text_size) {
	size_t i = 0;
	for (; i + 1 < clean_size && i < text_size && text[i]; i++) {
		unsigned char c = (unsigned char)text[i];
		clean[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	clean[i] = '\0';
}

/* false: the process broke the protocol. */
static bool handle_event(struct renderer *renderer, struct channel_message *message) {
	switch (message->type) {
	case RENDER_EVENT_BLOB: {
		struct render_blob blob;
		if (message->size != sizeof(blob) || message->fd_count > 1) {
			return false;
		}
		memcpy(&blob, message->body, sizeof(blob));
		int fd = message->fds[0];
		bool wants_fd = blob.error == 0 && blob.size > 0;
		const bool is_errno = blob.error <= 0 && blob.error >= -4095;
		if (wants_fd != (fd >= 0) || !is_errno || blob.map_info > RENDER_MAP_WRITE_COMBINED) {
			return false;
		}
		message->fds[0] = -1;
		return renderer->ops->blob(renderer->data, &blob, fd);
	}
	case RENDER_EVENT_FENCE: {
		struct render_fence fence;
		if (message->size != sizeof(fence)) {
			return false;
		}
		memcpy(&fence, message->body, sizeof(fence));
		return fence.ring_idx < RENDER_MAX_TIMELINES &&
			renderer->ops->fence(renderer->data, fence.ring_idx, fence.fence_id);
	}
	case RENDER_EVENT_LOST: {
		struct render_lost lost;
		if (message->size != sizeof(lost)) {
			return false;
		}
		memcpy(&lost, message->body, sizeof(lost));
		char reason[sizeof(lost.reason)];
		clean_text(reason, sizeof(reason), lost.reason, sizeof(lost.reason));
		report_lost(renderer, reason[0] ? reason : "no reason given");
		return true;
	}
	case RENDER_EVENT_USAGE:
		if (message->size != 0 || message->fd_count > 0) {
			return false;
		}
		renderer->ops->usage(renderer->data);
		return true;
	default:
		return false;
	}
}

/* There is nobody to talk to any more. */
static void end_process(struct renderer *renderer) {
	event_source_remove(renderer->source);
	renderer->source = NULL;
	event_source_remove(renderer->again);
	renderer->again = NULL;
	channel_finish(&renderer->channel);
	LIST_FOR_EACH_SAFE (slot, &renderer->held, struct renderer_slot, link) {
		remove_slot(slot);
	}
	if (renderer->pid > 0) {
		reaper_add(renderer->reaper, renderer->pid, renderer->name, RENDER_EXIT_GRACE_MS);
		renderer->pid = -1;
	}
}

/*
 * Events still come from a process that said LOST, until it is told to end; they are of no
 * interest.
 */
static void handle_readable(struct renderer *renderer) {
	for (int i = 0; i < EVENTS_PER_ROUND; i++) {
		struct channel_message message;
		int result = channel_recv(&renderer->channel, &message);
		if (result == -EAGAIN) {
			return;
		}
		if (result <= 0) {
			end_process(renderer);
			report_lost(renderer, result == 0 ? "its render process ended" :
				result == -EPROTO ? "its render process sent garbage" : strerror(-result));
			return;
		}
		bool ok = renderer->broken || handle_event(renderer, &message);
		channel_message_close_fds(&message);
		if (!ok) {
			break_off(renderer, "its render process sent garbage");
		}
	}
	/* what is left may have been read from the socket already, which then says nothing of it */
	event_source_timer_arm(renderer->again, 0);
}

static void handle_again(void *data) {
	handle_readable(data);
}

static void handle_channel(void *data, int fd, uint32_t mask) {
	struct renderer *renderer = data;
	(void)fd;
	if (mask & EVENT_WRITABLE) {
		if (!renderer->broken && channel_flush(&renderer->channel) < 0) {
			break_off(renderer, "its render process cannot be reached");
		}
		update_mask(renderer);
	}
	if (mask & ~(uint32_t)EVENT_WRITABLE) {
		handle_readable(renderer);
	}
}

struct renderer *renderer_create(const struct renderer_options *options) {
	struct renderer *renderer = calloc(1, sizeof(*renderer));
	if (!renderer) {
		log_error("out of memory");
		return NULL;
	}
	list_init(&renderer->held);
	renderer->ops = options->ops;
	renderer->data = options->data;
	renderer->reaper = options->reaper;
	renderer->max_queued = options->limits->value[LIMIT_QUEUED_BYTES];
	snprintf(renderer->name, sizeof(renderer->name), "%s", options->name);

	int err = shmem_create(
		&renderer->counters, "venera-counters", sizeof(struct render_counters));
	if (err) {
		guest_log_error("%s: no shared memory: %s", options->name, strerror(-err));
		goto error_renderer;
	}
	int fds[2];
	err = socket_pair(fds);
	if (err) {
		guest_log_error("%s: no socket for its render process: %s", options->name, strerror(-err));
		goto error_counters;
	}
	renderer->pid = broker_start(
		options->broker, options->guest_name, fds[1], renderer->counters.fd);
	close(fds[1]);
	if (renderer->pid < 0) {
		guest_log_error("%s: cannot start its render process: %s", options->name,
			strerror(-renderer->pid));
		close(fds[0]);
		goto error_counters;
	}
	close(renderer->counters.fd); /* the mapping stays */
	renderer->counters.fd = -1;
	err = channel_init(&renderer->channel, fds[0]);
	if (err) {
		guest_log_error("%s: no channel to its render process: %s", options->name, strerror(-err));
		goto error_process;
	}
	err = channel_set_queueing(&renderer->channel, true);
	if (!err) {
		renderer->source = event_loop_add_fd(
			options->loop, renderer->channel.fd, EVENT_READABLE, handle_channel, renderer);
		renderer->again = event_loop_add_timer(options->loop, handle_again, renderer);
	}
	if (!renderer->source || !renderer->again) {
		guest_log_error("%s: no channel to its render process: %s", options->name,
			strerror(err ? -err : ENOMEM));
		goto error_channel;
	}
	return renderer;

error_channel:
	event_source_remove(renderer->source);
	event_source_remove(renderer->again);
	channel_finish(&renderer->channel);
error_process:
	reaper_add(renderer->reaper, renderer->pid, renderer->name, 0);
error_counters:
	shmem_finish(&renderer->counters);
error_renderer:
	free(renderer);
	return NULL;
}

void renderer_destroy(struct renderer *renderer) {
	if (!renderer) {
		return;
	}
	end_process(renderer);
	shmem_finish(&renderer->counters);
	free(renderer);
}

struct render_counters *renderer_counters(const struct renderer *renderer) {
	return renderer->counters.data;
}

pid_t renderer_process(const struct renderer *renderer) {
	return renderer->pid > 0 ? renderer->pid : 0;
}

void renderer_abandon(struct renderer *renderer, const char *reason) {
	break_off(renderer, reason);
}
