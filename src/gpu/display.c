/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/socket.h"
#include "gpu/bounds.h"
#include "gpu/display.h"
#include "gpu/image.h"
#include "gpu/view.h"

/*
 * Theory of operation
 *
 * For each output one flush at a time is under way at the view. Damage and waiters that come
 * meanwhile are gathered and go with the next one, so that a guest that flushes faster than the
 * view shows makes neither of them pile up work.
 *
 *   display_flush() -> damage, waiting -> VIEW_REQUEST_FLUSH
 *                                               |
 *          flushed() <- VIEW_EVENT_PRESENTED <- in flight
 *
 * If that event does not come in time the view is *stalled*: everybody who waits is let go and
 * nobody waits any more, but damage is still gathered. When the event comes after all, all is as
 * before.
 *
 * A buffer is announced to the view when it is first needed there; buffers carry the number of the
 * view that knows them. A new view is told everything by the same code.
 */

/* A view that cannot be accepted still calls: not before this time it is tried again. */
#define ACCEPT_PAUSE (100 * CLOCK_NS_PER_MS)

struct output {
	struct display_image image;
	bool damaged;
	struct gpu_rect damage;    /* gathered, not sent */
	struct list waiting;       /* struct display_waiter, for the next flush */
	uint64_t damaged_at;       /* when the first of what is gathered came */
	bool in_flight;
	bool in_flight_direct;     /* it shows memory that a GPU has drawn to */
	uint64_t serial, sent_at;  /* of the flush in flight */
	uint64_t flushed_at;       /* when the guest did; 0: it did not */
	struct list sent;          /* waiters of the flush in flight */

	struct display_cursor cursor;
	bool cursor_moved; /* its place is not sent, since the view is behind */

	struct display_counters counters;
};

struct display {
	struct event_loop *loop;
	const struct display_ops *ops;
	void *data;

	struct output outputs[GPU_MAX_SCANOUTS];
	unsigned output_count;
	struct display_size size;

	int listen_fd; /* -1: none */
	struct event_source *listen_source;
	struct event_source *accept_timer; /* who calls is not answered before */
	struct view *view;    /* NULL: none */
	bool view_ready;      /* it said hello */
	bool view_stalled;
	uint64_t view_number; /* of the present view, or the last one */
	struct event_source *patience; /* armed while a flush is in flight and somebody waits */
	uint64_t next_buffer_id, next_serial;
};

void display_waiter_init(struct display_waiter *waiter) {
	list_init(&waiter->link);
}

void display_forget_waiter(struct display_waiter *waiter) {
	list_remove(&waiter->link);
}

static void let_go(struct display *display, struct list *waiters) {
	while (!list_empty(waiters)) {
		struct display_waiter *waiter =
			LIST_CONTAINER(waiters->next, struct display_waiter, link);
		list_remove(&waiter->link);
		display->ops->flushed(display->data, waiter);
	}
}

static void let_all_go(struct display *display) {
	for (unsigned i = 0; i < display->output_count; i++) {
		let_go(display, &display->outputs[i].sent);
		let_go(display, &display->outputs[i].waiting);
	}
}

static void forget_waiters(struct list *waiters) {
	while (!list_empty(waiters)) {
		list_remove(waiters->next);
	}
}

/* Fires when the flush that was sent first, of those in flight, takes too long. */
static void arm_patience(struct display *display) {
	uint64_t first = UINT64_MAX;
	for (unsigned i = 0; i < display->output_count; i++) {
		const struct output *output = &display->outputs[i];
		if (output->in_flight && output->sent_at < first) {
			first = output->sent_at;
		}
	}
	if (first == UINT64_MAX || display->view_stalled) {
		event_source_timer_disarm(display->patience);
		return;
	}
	uint64_t deadline = first + GPU_VIEW_PATIENCE_MS * CLOCK_NS_PER_MS;
	uint64_t now = clock_now();
	event_source_timer_arm(display->patience, deadline > now ? deadline - now : 0);
}

static void handle_patience(void *data) {
	struct display *display = data;
	log_warn("the view has not shown a frame for %d ms: the guest goes on without it",
		GPU_VIEW_PATIENCE_MS);
	display->view_stalled = true;
	let_all_go(display);
}

/* Tells the view of a buffer unless it knows it. Returns its id. */
static uint64_t announce(struct display *display, struct display_buffer *buffer) {
	if (buffer->id == 0) {
		buffer->id = ++display->next_buffer_id;
	}
	if (buffer->view_number != display->view_number) {
		buffer->view_number = display->view_number;
		struct view_buffer message = {.buffer_id = buffer->id, .size = buffer->size};
		view_send(display->view, VIEW_REQUEST_ADD_BUFFER, &message, sizeof(message),
			buffer->fd);
	}
	return buffer->id;
}

static void send_scanout(struct display *display, unsigned index) {
	const struct display_image *image = &display->outputs[index].image;
	struct view_scanout message = {.scanout = index};
	if (image->buffer) {
		message = (struct view_scanout){
			.buffer_id = announce(display, image->buffer),
			.scanout = index,
			.format = image->format,
			.offset = image->offset,
			.stride = image->stride,
			.x = image->rect.x,
			.y = image->rect.y,
			.width = image->rect.width,
			.height = image->rect.height,
		};
	}
	view_send(display->view, VIEW_REQUEST_SET_SCANOUT, &message, sizeof(message), -1);
}

static void send_flush(struct display *display, unsigned index) {
	struct output *output = &display->outputs[index];
	if (!output->damaged || output->in_flight) {
		return;
	}
	struct view_flush message = {
		.serial = ++display->next_serial,
		.scanout = index,
		.x = output->damage.x,
		.y = output->damage.y,
		.width = output->damage.width,
		.height = output->damage.height,
	};
	output->damaged = false;
	output->flushed_at = output->damaged_at;
	output->damaged_at = 0;
	output->in_flight = true;
	output->in_flight_direct = output->image.direct;
	output->serial = message.serial;
	output->sent_at = clock_now();
	while (!list_empty(&output->waiting)) {
		struct list *waiter = output->waiting.next;
		list_remove(waiter);
		list_append(&output->sent, waiter);
	}
	view_send(display->view, VIEW_REQUEST_FLUSH, &message, sizeof(message), -1);
	arm_patience(display);
}

static int32_t hot_spot(int32_t corner, uint32_t hot) {
	return (int32_t)((uint32_t)corner + hot);
}

static void send_cursor(struct display *display, unsigned index, enum view_request type) {
	struct output *output = &display->outputs[index];
	const struct display_cursor *cursor = &output->cursor;
	struct view_cursor message = {
		.scanout = index,
		.x = hot_spot(cursor->x, cursor->hot_x),
		.y = hot_spot(cursor->y, cursor->hot_y),
	};
	if (cursor->image.buffer && type == VIEW_REQUEST_SET_CURSOR) {
		message.buffer_id = announce(display, cursor->image.buffer);
		message.hot_x = cursor->hot_x;
		message.hot_y = cursor->hot_y;
		message.offset = cursor->image.offset;
		message.stride = cursor->image.stride;
		message.width = cursor->image.rect.width;
		message.height = cursor->image.rect.height;
	}
	output->cursor_moved = false;
	view_send(display->view, type, &message, sizeof(message), -1);
}

static void add_damage(struct output *output, const struct gpu_rect *damage) {
	if (!output->damaged) {
		output->damaged = true;
		output->damage = *damage;
		return;
	}
	/* rectangles lie inside the output: no sum wraps around */
	output->damage = image_join(&output->damage, damage);
}

static void damage_all(struct output *output) {
	output->damaged = true;
	output->damage = (struct gpu_rect){
		.width = output->image.rect.width,
		.height = output->image.rect.height,
	};
}

static void change_size(
		struct display *display, uint32_t width, uint32_t height, uint32_t refresh_mhz) {
	if (width == 0 || height == 0) {
		return; /* a window that is minimised does not make the guest's screen smaller */
	}
	struct display_size size = {
		.width = width < GPU_MAX_EXTENT ? width : GPU_MAX_EXTENT,
		.height = height < GPU_MAX_EXTENT ? height : GPU_MAX_EXTENT,
		.refresh_mhz = refresh_mhz,
	};
	if (size.width == display->size.width && size.height == display->size.height &&
			size.refresh_mhz == display->size.refresh_mhz) {
		return;
	}
	log_debug("the display is %ux%u now", (unsigned)size.width, (unsigned)size.height);
	display->size = size;
	display->ops->size_changed(display->data);
}

static void handle_hello(void *data, const struct view_hello *hello) {
	struct display *display = data;
	display->view_ready = true;
	for (unsigned i = 0; i < display->output_count; i++) {
		struct output *output = &display->outputs[i];
		if (output->image.buffer) {
			send_scanout(display, i);
			damage_all(output);
			send_flush(display, i);
		}
		if (output->cursor.image.buffer) {
			send_cursor(display, i, VIEW_REQUEST_SET_CURSOR);
		}
	}
	change_size(display, hello->width, hello->height, hello->refresh_mhz);
}

static void drop_view(struct display *display) {
	view_destroy(display->view);
	display->view = NULL;
	display->view_ready = false;
	display->view_stalled = false;
	for (unsigned i = 0; i < display->output_count; i++) {
		struct output *output = &display->outputs[i];
		output->counters.dropped += (output->in_flight && output->flushed_at) +
			(output->damaged && output->damaged_at);
		output->in_flight = false;
		output->damaged = false;
		output->damaged_at = 0;
		output->cursor_moved = false;
	}
	arm_patience(display);
	let_all_go(display);
}

static void count_frame(struct output *output, const struct view_presented *presented) {
	struct display_counters *counters = &output->counters;
	counters->blits += presented->blits;
	if (output->flushed_at == 0) {
		return; /* not the guest's frame: a new view, or darkness */
	}
	if (presented->presented_at == 0) {
		counters->dropped++;
		return;
	}
	counters->frames++;
	counters->direct_frames += output->in_flight_direct;
	/* a view may say what it likes */
	uint64_t latency = presented->presented_at > output->flushed_at ?
		presented->presented_at - output->flushed_at : 0;
	counters->latency_last = latency;
	counters->latency_sum += latency;
	if (latency > counters->latency_max) {
		counters->latency_max = latency;
	}
}

static void handle_presented(void *data, const struct view_presented *presented) {
	struct display *display = data;
	if (presented->scanout >= display->output_count) {
		return;
	}
	struct output *output = &display->outputs[presented->scanout];
	if (!output->in_flight || output->serial != presented->serial) {
		return; /* not one that is awaited */
	}
	if (display->view_stalled) {
		log_info("the view shows frames again");
		display->view_stalled = false;
	}
	output->in_flight = false;
	count_frame(output, presented);
	let_go(display, &output->sent);
	send_flush(display, presented->scanout);
	arm_patience(display);
}

static void handle_resize(void *data, const struct view_resize *resize) {
	struct display *display = data;
	change_size(display, resize->width, resize->height, display->size.refresh_mhz);
}

static void handle_drained(void *data) {
	struct display *display = data;
	for (unsigned i = 0; i < display->output_count; i++) {
		if (display->outputs[i].cursor_moved) {
			send_cursor(display, i, VIEW_REQUEST_MOVE_CURSOR);
		}
	}
}

static void handle_gone(void *data) {
	struct display *display = data;
	log_debug("the view is gone");
	drop_view(display);
}

static const struct view_ops view_ops = {
	.hello = handle_hello,
	.presented = handle_presented,
	.resize = handle_resize,
	.drained = handle_drained,
	.gone = handle_gone,
};

int display_connect_view(struct display *display, int fd) {
	if (display->view && display->view_ready && !display->view_stalled) {
		log_warn("a second view was turned away: there is one already");
		close(fd);
		return -EBUSY;
	}
	if (display->view) {
		drop_view(display);
	}
	display->view = view_create(display->loop, fd, &view_ops, display);
	if (!display->view) {
		return -ENOMEM;
	}
	display->view_number++;
	return 0;
}

static void handle_listen(void *data, int fd, uint32_t mask) {
	struct display *display = data;
	(void)mask;
	int view_fd = socket_accept(fd);
	if (view_fd >= 0) {
		display_connect_view(display, view_fd);
	} else if (view_fd != -EAGAIN) {
		log_warn("a view cannot connect: %s", strerror(-view_fd));
		/* it still calls, and would do so without a pause */
		event_source_fd_update(display->listen_source, 0);
		event_source_timer_arm(display->accept_timer, ACCEPT_PAUSE);
	}
}

static void resume_accepting(void *data) {
	struct display *display = data;
	event_source_fd_update(display->listen_source, EVENT_READABLE);
}

int display_listen(struct display *display, int fd) {
	int err = socket_set_blocking(fd, false);
	if (!err) {
		display->listen_source = event_loop_add_fd(
			display->loop, fd, EVENT_READABLE, handle_listen, display);
		display->accept_timer =
			event_loop_add_timer(display->loop, resume_accepting, display);
		err = display->listen_source && display->accept_timer ? 0 : -ENOMEM;
	}
	if (err) {
		event_source_remove(display->listen_source);
		event_source_remove(display->accept_timer);
		display->listen_source = NULL;
		display->accept_timer = NULL;
		close(fd);
		return err;
	}
	display->listen_fd = fd;
	return 0;
}

static void ignore_flushed(void *data, struct display_waiter *waiter) {
	(void)data;
	(void)waiter;
}

static void ignore_size_changed(void *data) {
	(void)data;
}

static const struct display_ops no_ops = {
	.flushed = ignore_flushed,
	.size_changed = ignore_size_changed,
};

void display_set_ops(struct display *display, const struct display_ops *ops, void *data) {
	display->ops = ops ? ops : &no_ops;
	display->data = data;
}

struct display *display_create(
		struct event_loop *loop, const struct display_options *options) {
	struct display *display = calloc(1, sizeof(*display));
	if (!display) {
		log_error("out of memory");
		return NULL;
	}
	display->loop = loop;
	display->listen_fd = -1;
	display->output_count = options->output_count;
	display->size = (struct display_size){
		.width = options->width,
		.height = options->height,
	};
	display_set_ops(display, NULL, NULL);
	for (unsigned i = 0; i < GPU_MAX_SCANOUTS; i++) {
		list_init(&display->outputs[i].waiting);
		list_init(&display->outputs[i].sent);
	}
	display->patience = event_loop_add_timer(loop, handle_patience, display);
	if (!display->patience) {
		log_error("out of memory");
		free(display);
		return NULL;
	}
	return display;
}

void display_destroy(struct display *display) {
	if (!display) {
		return;
	}
	display_reset(display);
	view_destroy(display->view);
	event_source_remove(display->accept_timer);
	event_source_remove(display->listen_source);
	event_source_remove(display->patience);
	if (display->listen_fd >= 0) {
		close(display->listen_fd);
	}
	free(display);
}

struct display_counters *display_get_counters(struct display *display, unsigned output) {
	return &display->outputs[output].counters;
}

bool display_has_view(const struct display *display) {
	return display->view_ready;
}

struct display_size display_get_size(const struct display *display) {
	return display->size;
}

void display_set_scanout(
		struct display *display, unsigned index, const struct display_image *image) {
	struct output *output = &display->outputs[index];
	bool was_dark = !output->image.buffer;
	output->image = image ? *image : (struct display_image){0};
	if (!display->view_ready || (was_dark && !output->image.buffer)) {
		return;
	}
	send_scanout(display, index);
	if (output->damaged) {
		/* gathered for another picture; who waits for it is served by this one */
		damage_all(output);
		if (!output->image.buffer) {
			output->damage = (struct gpu_rect){0};
		}
	} else if (!output->image.buffer) {
		/* going dark is seen without a flush of the guest */
		damage_all(output);
		send_flush(display, index);
	}
}

const struct display_image *display_get_scanout(const struct display *display, unsigned output) {
	return &display->outputs[output].image;
}

bool display_flush(struct display *display, unsigned index, const struct gpu_rect *damage,
		struct display_waiter *waiter) {
	struct output *output = &display->outputs[index];
	output->counters.flushes++;
	if (!display->view_ready) {
		output->counters.dropped++;
		return false;
	}
	if (output->damaged_at) {
		output->counters.dropped++;
	} else {
		output->damaged_at = clock_now();
	}
	add_damage(output, damage);
	bool waits = waiter && !display->view_stalled;
	if (waits) {
		list_append(&output->waiting, &waiter->link);
	}
	send_flush(display, index);
	return waits;
}

void display_set_cursor(
		struct display *display, unsigned index, const struct display_cursor *cursor) {
	display->outputs[index].cursor = *cursor;
	if (display->view_ready) {
		send_cursor(display, index, VIEW_REQUEST_SET_CURSOR);
	}
}

void display_move_cursor(struct display *display, unsigned index, int32_t x, int32_t y) {
	struct output *output = &display->outputs[index];
	output->cursor.x = x;
	output->cursor.y = y;
	if (!display->view_ready) {
		return;
	}
	if (view_is_behind(display->view)) {
		output->cursor_moved = true; /* the last place counts: sent when the view has read */
	} else {
		send_cursor(display, index, VIEW_REQUEST_MOVE_CURSOR);
	}
}

void display_forget_buffer(struct display *display, struct display_buffer *buffer) {
	if (buffer->id == 0) {
		return;
	}
	for (unsigned i = 0; i < display->output_count; i++) {
		struct output *output = &display->outputs[i];
		if (output->image.buffer == buffer) {
			display_set_scanout(display, i, NULL);
		}
		if (output->cursor.image.buffer == buffer) {
			output->cursor.image.buffer = NULL;
			if (display->view_ready) {
				send_cursor(display, i, VIEW_REQUEST_SET_CURSOR);
			}
		}
	}
	if (display->view_ready && buffer->view_number == display->view_number) {
		struct view_forget_buffer message = {.buffer_id = buffer->id};
		view_send(display->view, VIEW_REQUEST_FORGET_BUFFER, &message, sizeof(message), -1);
	}
	buffer->id = 0;
	buffer->view_number = 0;
}

void display_reset(struct display *display) {
	for (unsigned i = 0; i < display->output_count; i++) {
		struct output *output = &display->outputs[i];
		forget_waiters(&output->sent);
		forget_waiters(&output->waiting);
		display_set_scanout(display, i, NULL);
		if (output->cursor.image.buffer) {
			display_set_cursor(display, i, &(struct display_cursor){0});
		}
	}
}
