/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/id_table.h"
#include "base/log.h"
#include "view/layout.h"
#include "view/png_file.h"
#include "view/session.h"

/*
 * Theory of operation
 *
 * A round takes all messages that are there, up to a limit, and only then shows: of several flushes
 * that came while the last frame was waiting for the monitor, one frame is made, and all are
 * answered after it. So a guest that does not wait for answers cannot pile up frames.
 *
 * Scanout 0 is shown. Others are accepted; their flushes are answered at once. (`next` and
 * `shown` below are scanout 0's.)
 *
 * SET_SCANOUT is remembered in `next`, and becomes what is `shown` with the flush after it. Taking
 * something away (no buffer, a forgotten buffer) counts at once, because no flush follows.
 *
 * While nobody can see the window, nothing is drawn, but flushes are still copied, so that the
 * picture is there when the window comes back. Answers are never faster than the monitor, unless
 * the user asked for that: a guest must not run free because its window was minimised.
 *
 * Moving the cursor makes a frame of its own only if none came for a frame's time: it must not take
 * the guest's turn at the monitor.
 *
 * What a guest can cause (wrong geometry, strange formats, unknown ids) never ends the
 * session; what only a broken venera-gpu can (messages of the wrong size) does.
 */

#define MESSAGES_PER_ROUND 256
#define MAX_ANSWERS MESSAGES_PER_ROUND
#define MAX_BUFFERS 4096

#define RESIZE_DELAY (100 * CLOCK_NS_PER_MS)
#define DEFAULT_REFRESH_MHZ 60000

/* How long a frame waits for the display to give an image; a slow monitor takes 42 ms. */
#define SHOW_PATIENCE (100 * CLOCK_NS_PER_MS)
/* How often a display that gave none is asked again. */
#define BUSY_RETRY (100 * CLOCK_NS_PER_MS)

/* Guests can repeat what these are about at will: each is a warning once, then a debug message. */
enum complaint {
	COMPLAINT_BUFFER,
	COMPLAINT_SCANOUT,
	COMPLAINT_CURSOR,
	COMPLAINT_COPY,
	COMPLAINT_ID,
	COMPLAINT_COUNT,
};

struct answer {
	uint64_t serial;
	uint64_t presented_at; /* as in struct view_presented */
	uint32_t scanout;
	uint32_t blits;
};

struct view_session {
	struct event_loop *loop;
	struct channel channel;
	struct view_presenter *presenter;
	struct view_window *window;
	const char *screenshot;
	bool ended, failed;
	bool complained[COMPLAINT_COUNT];

	struct event_source *channel_source, *window_source;
	struct event_source *round_timer;  /* messages were left for another round */
	struct event_source *redraw_timer; /* the cursor moved, or the display was busy */
	struct event_source *answer_timer; /* answers that are held back */
	struct event_source *resize_timer; /* the window's size has been still for a while */

	struct id_table buffers;           /* of struct view_import */
	struct view_layout next, shown;
	bool copy_due;                     /* a flush wants `damage` of `shown` to be copied */
	struct view_rect damage;
	uint64_t cursor_buffer;            /* 0: hidden, or a buffer of no use */
	int64_t cursor_hot_x, cursor_hot_y;
	bool redraw_due;

	struct answer answers[MAX_ANSWERS];
	size_t answer_count;
	struct answer *unshown;            /* the last one of this round; NULL: no flush came in it */
	uint32_t blits_told;               /* of the presenter's blits */
	uint64_t frame_time;               /* nanoseconds */
	uint64_t last_frame, last_answer;  /* when */

	uint32_t width, height;            /* of the window; kept while it is minimised */
	uint32_t told_width, told_height;  /* what venera-gpu knows */
	bool hidden;                       /* minimised, or without size */
	bool busy;                         /* the display takes no frames at present */
};

static void end(struct view_session *session, bool failed) {
	session->ended = true;
	session->failed |= failed;
	event_loop_stop(session->loop);
}

static void complain(struct view_session *session, enum complaint about, const char *what,
	uint64_t id, const char *why) {
	enum log_level level = session->complained[about] ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN;
	session->complained[about] = true;
	log_write(level, "%s %" PRIu64 ": %s", what, id, why);
}

/* ---- talking ---- */

static void watch_channel(struct view_session *session) {
	event_source_fd_update(session->channel_source,
		EVENT_READABLE | (channel_queued(&session->channel) ? (uint32_t)EVENT_WRITABLE : 0));
}

/* A peer that went away is heard of when reading. */
static bool peer_is_gone(int err) {
	return err == -EPIPE || err == -ECONNRESET;
}

static void send_event(struct view_session *session, uint32_t type, const void *body, size_t size) {
	int err = channel_send(&session->channel, type, body, size, NULL, 0, NULL, 0);
	if (err && !peer_is_gone(err)) {
		log_error("cannot talk to venera-gpu: %s", strerror(-err));
		end(session, true);
	}
	watch_channel(session);
}

static void send_presented(struct view_session *session, const struct answer *answer) {
	const struct view_presented presented = {
		.serial = answer->serial,
		.presented_at = answer->presented_at,
		.scanout = answer->scanout,
		.blits = answer->blits,
	};
	send_event(session, VIEW_EVENT_PRESENTED, &presented, sizeof(presented));
}

static void send_answers(struct view_session *session) {
	for (size_t i = 0; i < session->answer_count; i++) {
		send_presented(session, &session->answers[i]);
	}
	session->answer_count = 0;
	session->unshown = NULL;
	session->last_answer = clock_now();
	event_source_timer_disarm(session->answer_timer);
}

/* ---- showing ---- */

/* Copies what flushes asked for. False if all is over. */
static bool copy_picture(struct view_session *session) {
	session->copy_due = false;
	const struct view_layout *shown = &session->shown;
	struct view_scene *scene = &session->presenter->scene;
	struct view_import *import = id_table_get(&session->buffers, shown->buffer_id);
	if (!import) {
		scene->has_picture = false;
		return true;
	}
	struct view_rect rect = session->damage;
	session->damage = (struct view_rect){0};
	if (!view_presenter_has_layer(
			session->presenter, VIEW_LAYER_PICTURE, shown->width, shown->height)) {
		rect = (struct view_rect){.width = shown->width, .height = shown->height};
	}
	if (rect.width == 0 || rect.height == 0) {
		return true;
	}

	const struct view_copy copy = {
		.layer = VIEW_LAYER_PICTURE,
		.layer_width = shown->width,
		.layer_height = shown->height,
		.import = import,
		.offset = shown->offset,
		.stride = shown->stride,
		.x = rect.x,
		.y = rect.y,
		.width = rect.width,
		.height = rect.height,
	};
	VkResult why;
	enum view_copy_result result = view_presenter_copy(session->presenter, &copy, &why);
	if (result == VIEW_COPY_FAILED) {
		return false;
	}
	if (result == VIEW_COPY_REFUSED) {
		complain(session, COMPLAINT_COPY, "the Vulkan driver cannot show buffer",
			shown->buffer_id, vk_result_name(why));
	}
	scene->has_picture = result == VIEW_COPIED;
	scene->width = shown->width;
	scene->height = shown->height;
	scene->order = shown->order;
	return true;
}

/* The last flush of this round is on the display; those before it in this round never will be. */
static void note_presented(struct view_session *session, uint64_t when) {
	if (session->unshown) {
		session->unshown->presented_at = when;
	}
}

/* Shows the scene in the window. False if all is over. */
static bool redraw(struct view_session *session) {
	session->redraw_due = false;
	event_source_timer_disarm(session->redraw_timer);
	enum view_show_result result =
		view_presenter_show(session->presenter, session->busy ? 0 : SHOW_PATIENCE);
	if (result == VIEW_FAILED) {
		return false;
	}
	session->busy = result != VIEW_SHOWN;
	if (session->busy) {
		session->redraw_due = true;
		event_source_timer_arm(session->redraw_timer, BUSY_RETRY);
	} else {
		session->last_frame = clock_now();
		note_presented(session, session->last_frame);
	}
	return true;
}

/* The least time from answer to answer. */
static uint64_t answer_interval(const struct view_session *session, bool visible) {
	if (!session->window) {
		return 0;
	}
	if (!visible || session->busy) {
		return session->frame_time;
	}
	/* Some displays (software drivers, X servers without a monitor) take frames in FIFO mode as
	 * fast as they come. A little less than a frame's time, so as not to add to what a monitor
	 * holds back. */
	bool fifo = session->presenter->swapchain.present_mode == VK_PRESENT_MODE_FIFO_KHR;
	return fifo ? session->frame_time / 10 * 9 : 0;
}

static void answer(struct view_session *session, bool visible) {
	uint64_t now = clock_now();
	uint64_t due = session->last_answer + answer_interval(session, visible);
	if (now >= due || session->answer_count == MAX_ANSWERS) {
		send_answers(session);
	} else {
		event_source_timer_arm(session->answer_timer, due - now);
	}
}

/* Where the pointer is in the guest's picture depends on where that is in the window. */
static void tell_window(struct view_session *session) {
	const struct view_scene *scene = &session->presenter->scene;
	struct view_rect picture = {0};
	if (scene->has_picture) {
		const struct view_placement place = view_scene_place(
			scene, (VkExtent2D){session->width, session->height});
		picture = (struct view_rect){
			(uint32_t)place.x, (uint32_t)place.y, (uint32_t)place.width, (uint32_t)place.height};
	}
	view_window_set_picture(session->window, &picture, scene->has_picture && scene->has_cursor);
}

/* The end of every round: does what became due in it. */
static void finish_round(struct view_session *session) {
	if (session->ended) {
		return;
	}
	bool flushed = session->unshown;
	if (session->copy_due && !copy_picture(session)) {
		end(session, true);
		return;
	}
	if (session->window) {
		tell_window(session);
	}
	bool visible = session->window && !session->hidden;
	if (session->redraw_due && visible && !redraw(session)) {
		end(session, true);
		return;
	}
	if (!view_presenter_wait_copy(session->presenter)) {
		end(session, true);
		return;
	}
	if (flushed) {
		if (!session->window) {
			note_presented(session, clock_now());
		}
		session->unshown->blits = session->presenter->blits - session->blits_told;
		session->blits_told = session->presenter->blits;
		session->unshown = NULL;
		answer(session, visible);
	}
}

/* Makes a frame soon, if none comes by itself. */
static void redraw_soon(struct view_session *session) {
	if (!session->window || session->redraw_due) {
		return;
	}
	uint64_t now = clock_now();
	uint64_t due = session->last_frame + session->frame_time;
	event_source_timer_arm(session->redraw_timer, due > now ? due - now : 0);
}

static void handle_redraw_timer(void *data) {
	struct view_session *session = data;
	session->redraw_due = true;
	finish_round(session);
}

static void handle_answer_timer(void *data) {
	struct view_session *session = data;
	send_answers(session);
}

/* ---- what venera-gpu says ---- */

static void go_dark(struct view_session *session) {
	session->shown = (struct view_layout){0};
	session->copy_due = false;
	session->presenter->scene.has_picture = false;
	session->redraw_due = true;
}

static void handle_add_buffer(
	struct view_session *session, const struct view_buffer *buffer, int fd) {
	if (buffer->buffer_id == 0 || id_table_get(&session->buffers, buffer->buffer_id)) {
		close(fd);
		complain(session, COMPLAINT_ID, "buffer", buffer->buffer_id, "not a new id");
		return;
	}
	if (session->buffers.count >= MAX_BUFFERS) {
		close(fd);
		complain(session, COMPLAINT_BUFFER, "buffer", buffer->buffer_id, "too many of them");
		return;
	}
	struct view_import *import;
	int err = view_import_create(
		&import, session->presenter->device, buffer->buffer_id, fd, buffer->size);
	if (err) {
		complain(session, COMPLAINT_BUFFER, "cannot map buffer", buffer->buffer_id,
			err == -EPERM ? "its memory is not sealed against shrinking" : strerror(-err));
		return;
	}
	if (!id_table_add(&session->buffers, import->id, import)) {
		complain(session, COMPLAINT_BUFFER, "buffer", import->id, "out of memory");
		view_import_destroy(import, session->presenter->device);
	}
}

static void handle_forget_buffer(struct view_session *session, uint64_t id) {
	struct view_import *import = id_table_remove(&session->buffers, id);
	if (!import) {
		complain(session, COMPLAINT_ID, "buffer", id, "to be forgotten, but not known");
		return;
	}
	/* no copy is under way between rounds, nor before the end of one */
	view_import_destroy(import, session->presenter->device);
	if (session->next.buffer_id == id) {
		session->next = (struct view_layout){0};
	}
	/* If another picture has been announced, the old one, of which we have a copy, may stay till
	 * it comes. A cursor stays anyway, until venera-gpu hides it. */
	if (session->shown.buffer_id == id) {
		session->copy_due = false;
		if (session->next.buffer_id == 0) {
			go_dark(session);
		}
	}
}

static void handle_set_scanout(struct view_session *session, const struct view_scanout *scanout) {
	if (scanout->scanout != 0) {
		return;
	}
	struct view_layout layout = {0};
	if (scanout->buffer_id != 0) {
		const struct view_import *import =
			id_table_get(&session->buffers, scanout->buffer_id);
		const char *why = "its buffer is unknown";
		if (import) {
			why = view_layout_of_scanout(&layout, scanout, import->size,
				view_presenter_max_size(session->presenter));
		}
		if (why) {
			complain(session, COMPLAINT_SCANOUT, "nothing is shown on scanout",
				scanout->scanout, why);
			layout = (struct view_layout){0};
		}
	}
	session->next = layout;
	if (layout.buffer_id == 0) {
		go_dark(session);
	}
}

static void handle_flush(struct view_session *session, const struct view_flush *flush) {
	if (flush->scanout != 0) {
		if (flush->scanout >= VIEW_MAX_SCANOUTS) {
			complain(session, COMPLAINT_ID, "flush of scanout", flush->scanout, "no such one");
		}
		const struct answer nothing = {.serial = flush->serial, .scanout = flush->scanout};
		send_presented(session, &nothing);
		return;
	}
	if (session->answer_count == MAX_ANSWERS) { /* some were held back */
		send_answers(session);
	}
	session->unshown = &session->answers[session->answer_count++];
	*session->unshown = (struct answer){.serial = flush->serial};

	if (session->next.buffer_id == 0) {
		return;
	}
	const struct view_layout *next = &session->next;
	struct view_rect rect = view_rect_of_flush(flush, next->width, next->height);
	if (!view_layout_equal(&session->shown, next)) {
		session->shown = *next;
		session->damage = (struct view_rect){.width = next->width, .height = next->height};
	} else {
		session->damage = view_rect_join(&session->damage, &rect);
	}
	session->copy_due = true;
	session->redraw_due = true;
}

static void place_cursor(struct view_session *session, const struct view_cursor *cursor) {
	struct view_scene *scene = &session->presenter->scene;
	scene->cursor_x = cursor->x - session->cursor_hot_x;
	scene->cursor_y = cursor->y - session->cursor_hot_y;
	if (scene->has_cursor) {
		redraw_soon(session);
	}
}

static void handle_set_cursor(struct view_session *session, const struct view_cursor *cursor) {
	if (cursor->scanout != 0) {
		return;
	}
	struct view_scene *scene = &session->presenter->scene;
	bool had_cursor = scene->has_cursor;
	scene->has_cursor = false;
	session->cursor_hot_x = cursor->hot_x;
	session->cursor_hot_y = cursor->hot_y;

	struct view_layout layout = {0};
	struct view_import *import = id_table_get(&session->buffers, cursor->buffer_id);
	if (cursor->buffer_id != 0) {
		const char *why = "its buffer is unknown";
		if (import) {
			why = view_layout_of_cursor(&layout, cursor, import->size);
		}
		if (why) {
			complain(session, COMPLAINT_CURSOR, "no cursor from buffer", cursor->buffer_id, why);
			import = NULL;
		}
	}
	if (import) {
		/* at once, and to its end: no flush says when the guest may change it */
		const struct view_copy copy = {
			.layer = VIEW_LAYER_CURSOR,
			.layer_width = layout.width,
			.layer_height = layout.height,
			.import = import,
			.offset = layout.offset,
			.stride = layout.stride,
			.width = layout.width,
			.height = layout.height,
		};
		VkResult why = VK_SUCCESS;
		enum view_copy_result result = view_presenter_copy(session->presenter, &copy, &why);
		if (result == VIEW_COPY_FAILED || !view_presenter_wait_copy(session->presenter)) {
			end(session, true);
			return;
		}
		if (result == VIEW_COPY_REFUSED) {
			complain(session, COMPLAINT_COPY, "the Vulkan driver cannot show buffer",
				cursor->buffer_id, vk_result_name(why));
		}
		scene->has_cursor = result == VIEW_COPIED;
		scene->cursor_width = layout.width;
		scene->cursor_height = layout.height;
	}
	place_cursor(session, cursor);
	if (had_cursor && !scene->has_cursor) {
		redraw_soon(session);
	}
}

static void handle_move_cursor(struct view_session *session, const struct view_cursor *cursor) {
	if (cursor->scanout == 0) {
		place_cursor(session, cursor);
	}
}

static void handle_message(struct view_session *session, struct channel_message *message) {
	static const size_t sizes[] = {
		[VIEW_REQUEST_ADD_BUFFER] = sizeof(struct view_buffer),
		[VIEW_REQUEST_FORGET_BUFFER] = sizeof(struct view_forget_buffer),
		[VIEW_REQUEST_SET_SCANOUT] = sizeof(struct view_scanout),
		[VIEW_REQUEST_FLUSH] = sizeof(struct view_flush),
		[VIEW_REQUEST_SET_CURSOR] = sizeof(struct view_cursor),
		[VIEW_REQUEST_MOVE_CURSOR] = sizeof(struct view_cursor),
	};
	const int fd_count = message->type == VIEW_REQUEST_ADD_BUFFER;
	if (message->type == 0 || message->type >= sizeof(sizes) / sizeof(sizes[0])
			|| message->size != sizes[message->type] || message->fd_count != fd_count) {
		log_error("venera-gpu sent a message that is none (type %" PRIu32 ", %" PRIu32
			" bytes, %d descriptors): are both of one version?",
			message->type, message->size, message->fd_count);
		channel_message_close_fds(message);
		end(session, true);
		return;
	}
	switch (message->type) {
	case VIEW_REQUEST_ADD_BUFFER:
		handle_add_buffer(session, message->body, message->fds[0]);
		break;
	case VIEW_REQUEST_FORGET_BUFFER: {
		const struct view_forget_buffer *forget = message->body;
		handle_forget_buffer(session, forget->buffer_id);
		break;
	}
	case VIEW_REQUEST_SET_SCANOUT:
		handle_set_scanout(session, message->body);
		break;
	case VIEW_REQUEST_FLUSH:
		handle_flush(session, message->body);
		break;
	case VIEW_REQUEST_SET_CURSOR:
		handle_set_cursor(session, message->body);
		break;
	case VIEW_REQUEST_MOVE_CURSOR:
		handle_move_cursor(session, message->body);
		break;
	}
}

static void receive(struct view_session *session) {
	for (int i = 0; i < MESSAGES_PER_ROUND && !session->ended; i++) {
		struct channel_message message;
		int result = channel_recv(&session->channel, &message);
		if (result == -EAGAIN) {
			return;
		}
		if (result == 0 || peer_is_gone(result)) {
			log_debug("venera-gpu closed the connection");
			end(session, false);
			return;
		}
		if (result < 0) {
			log_error("cannot understand venera-gpu: %s", strerror(-result));
			end(session, true);
			return;
		}
		handle_message(session, &message);
	}
	/* There may be more, and perhaps not in the socket any more but in the channel's buffer. */
	event_source_timer_arm(session->round_timer, 0);
}

static void handle_channel(void *data, int fd, uint32_t mask) {
	(void)fd;
	struct view_session *session = data;
	if (mask & EVENT_WRITABLE) {
		int err = channel_flush(&session->channel);
		if (err < 0 && !peer_is_gone(err)) {
			log_error("cannot talk to venera-gpu: %s", strerror(-err));
			end(session, true);
			return;
		}
		watch_channel(session);
	}
	if (mask & ~(uint32_t)EVENT_WRITABLE) {
		receive(session);
		finish_round(session);
	}
}

static void handle_round_timer(void *data) {
	struct view_session *session = data;
	receive(session);
	finish_round(session);
}

/* ---- what happens to the window ---- */

static void handle_resize_timer(void *data) {
	struct view_session *session = data;
	if (session->width == session->told_width && session->height == session->told_height) {
		return;
	}
	const struct view_resize resize = {.width = session->width, .height = session->height};
	send_event(session, VIEW_EVENT_RESIZE, &resize, sizeof(resize));
	session->told_width = session->width;
	session->told_height = session->height;
}

static void take_window_state(struct view_session *session) {
	struct view_window_state state;
	view_window_take_state(session->window, &state);
	if (state.closed) {
		log_debug("the window was closed");
		end(session, false);
		return;
	}
	bool was_hidden = session->hidden;
	session->hidden = state.hidden || state.width == 0 || state.height == 0;
	if (state.exposed || (was_hidden && !session->hidden)) {
		session->presenter->scene.lost = true;
		session->redraw_due = true;
	}
	if (session->hidden) {
		return;
	}
	if (state.width != session->width || state.height != session->height) {
		session->width = state.width;
		session->height = state.height;
		view_swapchain_resize(&session->presenter->swapchain, state.width, state.height);
		session->redraw_due = true;
		event_source_timer_arm(session->resize_timer, RESIZE_DELAY);
	}
}

static void handle_window(void *data, int fd, uint32_t mask) {
	(void)fd;
	(void)mask;
	struct view_session *session = data;
	take_window_state(session);
	session->busy = false; /* worth another try */
	finish_round(session);
}

/* ---- the session ---- */

void view_session_screenshot(struct view_session *session) {
	if (!session->screenshot) {
		log_warn("no screenshot: venera-view was started without --screenshot=FILE.png");
		return;
	}
	uint8_t *pixels;
	if (!view_presenter_capture(
			session->presenter, session->width, session->height, &pixels)) {
		end(session, true);
		return;
	}
	if (!pixels) {
		return;
	}
	int err = png_file_write(session->screenshot, session->width, session->height, pixels);
	free(pixels);
	if (err) {
		log_error("cannot write the screenshot %s: %s", session->screenshot, strerror(-err));
	} else {
		log_info("screenshot of %" PRIu32 "x%" PRIu32 " pixels saved as %s", session->width,
			session->height, session->screenshot);
	}
}

bool view_session_failed(const struct view_session *session) {
	return session->failed;
}

static bool add_sources(struct view_session *session) {
	struct event_loop *loop = session->loop;
	session->channel_source = event_loop_add_fd(
		loop, session->channel.fd, EVENT_READABLE, handle_channel, session);
	session->round_timer = event_loop_add_timer(loop, handle_round_timer, session);
	session->redraw_timer = event_loop_add_timer(loop, handle_redraw_timer, session);
	session->answer_timer = event_loop_add_timer(loop, handle_answer_timer, session);
	session->resize_timer = event_loop_add_timer(loop, handle_resize_timer, session);
	if (session->window) {
		session->window_source = event_loop_add_fd(loop,
			view_window_event_fd(session->window), EVENT_READABLE, handle_window, session);
	}
	return session->channel_source && session->round_timer && session->redraw_timer
		&& session->answer_timer && session->resize_timer
		&& (!session->window || session->window_source);
}

struct view_session *view_session_create(const struct view_session_options *options) {
	struct view_session *session = calloc(1, sizeof(*session));
	if (!session) {
		close(options->fd);
		log_error("out of memory");
		return NULL;
	}
	session->loop = options->loop;
	session->presenter = options->presenter;
	session->window = options->window;
	session->screenshot = options->screenshot;
	session->width = options->width;
	session->height = options->height;
	id_table_init(&session->buffers);

	int err = channel_init(&session->channel, options->fd);
	if (!err) {
		err = channel_set_queueing(&session->channel, true);
	}
	if (err) {
		log_error("the socket to venera-gpu is of no use: %s", strerror(-err));
		goto error_session;
	}
	if (!add_sources(session)) {
		log_error("out of memory");
		goto error_session;
	}

	uint32_t refresh_mhz = 0;
	if (session->window) {
		refresh_mhz = view_window_refresh_mhz(session->window);
		view_swapchain_resize(
			&session->presenter->swapchain, session->width, session->height);
		take_window_state(session);
		event_source_timer_disarm(session->resize_timer); /* the hello tells the size */
	}
	session->frame_time = CLOCK_NS_PER_S * 1000
		/ (refresh_mhz ? refresh_mhz : DEFAULT_REFRESH_MHZ);
	session->told_width = session->width;
	session->told_height = session->height;
	const struct view_hello hello = {
		.width = session->width,
		.height = session->height,
		.refresh_mhz = refresh_mhz,
	};
	send_event(session, VIEW_EVENT_HELLO, &hello, sizeof(hello));
	if (session->window) { /* black, till there is something to show */
		event_source_timer_arm(session->redraw_timer, 0);
	}
	return session;

error_session:
	view_session_destroy(session);
	return NULL;
}

void view_session_destroy(struct view_session *session) {
	if (!session) {
		return;
	}
	event_source_remove(session->channel_source);
	event_source_remove(session->window_source);
	event_source_remove(session->round_timer);
	event_source_remove(session->redraw_timer);
	event_source_remove(session->answer_timer);
	event_source_remove(session->resize_timer);
	view_presenter_wait_copy(session->presenter); /* after an error one may be under way */
	size_t cursor = 0;
	struct view_import *import;
	while ((import = id_table_next(&session->buffers, &cursor))) {
		view_import_destroy(import, session->presenter->device);
	}
	id_table_finish(&session->buffers);
	channel_finish(&session->channel);
	free(session);
}
