/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "gpu/bounds.h"
#include "gpu/view.h"

struct view {
	const struct view_ops *ops;
	void *data;
	struct channel channel;
	struct event_source *source;
	bool greeted;
	bool broken; /* nothing is sent any more; the end of the channel will be seen */
};

static void break_off(struct view *view, const char *reason) {
	if (!view->broken) {
		view->broken = true;
		log_warn("the view is cut off: %s", reason);
		shutdown(view->channel.fd, SHUT_RDWR);
	}
}

static void update_mask(struct view *view) {
	bool queued = !view->broken && channel_queued(&view->channel) > 0;
	event_source_fd_update(
		view->source, EVENT_READABLE | (queued ? (uint32_t)EVENT_WRITABLE : 0U));
}

void view_send(struct view *view, enum view_request type, const void *body, size_t size, int fd) {
	if (view->broken) {
		return;
	}
	if (channel_queued(&view->channel) > GPU_MAX_VIEW_QUEUE) {
		break_off(view, "it does not read what it is sent");
		return;
	}
	int err = channel_send(&view->channel, type, body, size, NULL, 0, &fd, fd >= 0 ? 1 : 0);
	if (err) {
		break_off(view, strerror(-err));
		return;
	}
	update_mask(view);
}

bool view_is_behind(const struct view *view) {
	return channel_queued(&view->channel) > 0;
}

/* false: it broke the protocol. */
static bool handle_event(struct view *view, const struct channel_message *message) {
	switch (message->type) {
	case VIEW_EVENT_HELLO: {
		struct view_hello hello;
		if (message->size != sizeof(hello) || view->greeted) {
			return false;
		}
		memcpy(&hello, message->body, sizeof(hello));
		view->greeted = true;
		view->ops->hello(view->data, &hello);
		return true;
	}
	case VIEW_EVENT_PRESENTED: {
		struct view_presented presented;
		if (message->size != sizeof(presented) || !view->greeted) {
			return false;
		}
		memcpy(&presented, message->body, sizeof(presented));
		if (presented.scanout >= VIEW_MAX_SCANOUTS) {
			return false;
		}
		view->ops->presented(view->data, &presented);
		return true;
	}
	case VIEW_EVENT_RESIZE: {
		struct view_resize resize;
		if (message->size != sizeof(resize) || !view->greeted) {
			return false;
		}
		memcpy(&resize, message->body, sizeof(resize));
		view->ops->resize(view->data, &resize);
		return true;
	}
	default:
		return false;
	}
}

static void handle_channel(void *data, int fd, uint32_t mask) {
	struct view *view = data;
	(void)fd;
	if (mask & EVENT_WRITABLE) {
		if (!view->broken && channel_flush(&view->channel) < 0) {
			break_off(view, "it cannot be reached");
		}
		update_mask(view);
		if (!view->broken && !view_is_behind(view)) {
			view->ops->drained(view->data);
		}
	}
	if (!(mask & ~(uint32_t)EVENT_WRITABLE)) {
		return;
	}
	for (;;) {
		struct channel_message message;
		int result = channel_recv(&view->channel, &message);
		if (result == -EAGAIN) {
			return;
		}
		if (result <= 0) {
			event_source_remove(view->source);
			view->source = NULL;
			view->broken = true;
			view->ops->gone(view->data);
			return;
		}
		bool ok = view->broken || handle_event(view, &message);
		channel_message_close_fds(&message);
		if (!ok) {
			break_off(view, "it sent garbage");
		}
	}
}

struct view *view_create(
		struct event_loop *loop, int fd, const struct view_ops *ops, void *data) {
	struct view *view = calloc(1, sizeof(*view));
	if (!view) {
		log_error("out of memory");
		close(fd);
		return NULL;
	}
	view->ops = ops;
	view->data = data;
	int err = channel_init(&view->channel, fd);
	if (err) {
		goto error_view;
	}
	err = channel_set_queueing(&view->channel, true);
	if (!err) {
		view->source = event_loop_add_fd(
			loop, view->channel.fd, EVENT_READABLE, handle_channel, view);
		err = view->source ? 0 : -ENOMEM;
	}
	if (err) {
		channel_finish(&view->channel);
		goto error_view;
	}
	return view;

error_view:
	log_error("cannot talk to the view: %s", strerror(-err));
	free(view);
	return NULL;
}

void view_destroy(struct view *view) {
	if (!view) {
		return;
	}
	event_source_remove(view->source);
	channel_finish(&view->channel);
	free(view);
}
