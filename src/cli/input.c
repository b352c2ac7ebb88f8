/* SPDX-License-Identifier: MIT */
#include "cli/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/socket.h"
#include "cli/input_command.h"
#include "ipc/input_protocol.h"

/*
 * Theory of operation
 *
 * Keys, buttons and notches of the wheel are kept in a queue until QEMU takes them: few commands
 * at a time are without an answer, so that they never fill the socket. Of where the pointer is
 * only the last place counts. It goes out at once if the last one has been out for a
 * while: a guest that lags behind drops events when its queue of 64 is full, and drops releases
 * of keys as well. Before a button or a notch the place is put into the queue, so that
 * the click is where it was made.
 *
 * The guest must never be left with a key held down that nobody holds. So a release is always
 * queued, a press only while there is room for that: of each key at most one release can follow.
 */

#define MAX_PENDING 8
#define POINTER_INTERVAL (4 * CLOCK_NS_PER_MS)

#define MAX_CODES (INPUT_CODE_MAX + 1)
/* Room for the release of every key, and for the pointer before it if it is a button. */
#define QUEUE_SIZE 2048
#define QUEUE_SIZE_FOR_MORE 256
/* More notches at once are a mistake. */
#define MAX_NOTCHES 16

struct input {
	struct event_loop *loop;
	char *path;
	int listen_fd;
	struct event_source *listen_source;
	bool connected;
	struct channel channel; /* if connected */
	struct event_source *channel_source;
	struct event_source *pointer_timer;

	struct qmp *qmp; /* NULL: none yet, or gone */
	struct input_action queue[QUEUE_SIZE];
	size_t first, count;
	bool pressed[MAX_CODES]; /* for the guest, once the queue is empty */
	bool pointer_due;
	struct input_action pointer;
	uint64_t pointer_sent; /* when */
	bool complained_wheel;
};

/* ---- to QEMU ---- */

static void send_action(struct input *input, const struct input_action *action) {
	char text[INPUT_COMMAND_BYTES];
	size_t length = input_command_format(text, action);
	qmp_send(input->qmp, text, length);
	if (action->kind == INPUT_ACTION_POINTER) {
		input->pointer_sent = clock_now();
	}
}

static bool has_room(const struct input *input) {
	return input->qmp && qmp_pending(input->qmp) < MAX_PENDING;
}

static void pump(struct input *input) {
	while (input->count > 0 && has_room(input)) {
		send_action(input, &input->queue[input->first]);
		input->first = (input->first + 1) % QUEUE_SIZE;
		input->count--;
	}
	if (!input->pointer_due || !has_room(input)) {
		return;
	}
	uint64_t now = clock_now(), due = input->pointer_sent + POINTER_INTERVAL;
	if (now < due) {
		event_source_timer_arm(input->pointer_timer, due - now);
		return;
	}
	input->pointer_due = false;
	send_action(input, &input->pointer);
}

static void handle_pointer_timer(void *data) {
	pump(data);
}

static void forget(struct input *input) {
	input->count = 0;
	input->pointer_due = false;
	memset(input->pressed, 0, sizeof(input->pressed));
}

void input_set_monitor(struct input *input, struct qmp *qmp) {
	if (input) {
		input->qmp = qmp;
		forget(input);
	}
}

void input_continue(struct input *input) {
	if (input) {
		pump(input);
	}
}

/* ---- from the view ---- */

static void enqueue(struct input *input, const struct input_action *action) {
	input->queue[(input->first + input->count) % QUEUE_SIZE] = *action;
	input->count++;
}

static void enqueue_pointer(struct input *input) {
	if (input->pointer_due) {
		input->pointer_due = false;
		enqueue(input, &input->pointer);
	}
}

static void handle_key(struct input *input, uint32_t code, bool pressed) {
	if (!input_command_knows(code)) {
		log_debug("QEMU has no key with the code %u", (unsigned)code);
		return;
	}
	if (input->pressed[code] == pressed || (pressed && input->count >= QUEUE_SIZE_FOR_MORE)) {
		return;
	}
	input->pressed[code] = pressed;
	enqueue_pointer(input);
	enqueue(input, &(struct input_action){
		.kind = INPUT_ACTION_KEY, .code = (uint16_t)code, .pressed = pressed});
}

static void release_all(struct input *input) {
	for (uint32_t code = 0; code < MAX_CODES; code++) {
		if (input->pressed[code]) {
			handle_key(input, code, false);
		}
	}
}

static void handle_wheel(struct input *input, const struct input_wheel *wheel) {
	if (wheel->right && !input->complained_wheel) {
		input->complained_wheel = true;
		log_debug("QEMU's tablet has no wheel that turns sideways");
	}
	enqueue_pointer(input);
	int8_t down = wheel->down < 0 ? -1 : 1;
	int notches = wheel->down < -MAX_NOTCHES || wheel->down > MAX_NOTCHES ?
		MAX_NOTCHES : (int)wheel->down * down;
	for (int i = 0; i < notches && input->count < QUEUE_SIZE_FOR_MORE; i++) {
		enqueue(input, &(struct input_action){.kind = INPUT_ACTION_WHEEL, .down = down});
	}
}

static bool handle_message(struct input *input, const struct channel_message *message) {
	static const size_t sizes[] = {
		[INPUT_EVENT_KEY] = sizeof(struct input_key),
		[INPUT_EVENT_POINTER] = sizeof(struct input_pointer),
		[INPUT_EVENT_WHEEL] = sizeof(struct input_wheel),
		[INPUT_EVENT_RELEASE_ALL] = 0,
	};
	if (message->type == 0 || message->type >= sizeof(sizes) / sizeof(sizes[0])
			|| message->size != sizes[message->type] || message->fd_count != 0) {
		return false;
	}
	if (!input->qmp) {
		return true; /* no machine yet, or no more */
	}
	switch (message->type) {
	case INPUT_EVENT_KEY: {
		const struct input_key *key = message->body;
		if (key->code > INPUT_CODE_MAX) {
			return false;
		}
		handle_key(input, key->code, key->pressed);
		break;
	}
	case INPUT_EVENT_POINTER: {
		const struct input_pointer *pointer = message->body;
		if (pointer->x > INPUT_POINTER_MAX || pointer->y > INPUT_POINTER_MAX) {
			return false;
		}
		input->pointer = (struct input_action){
			.kind = INPUT_ACTION_POINTER,
			.x = (uint16_t)pointer->x,
			.y = (uint16_t)pointer->y,
		};
		input->pointer_due = true;
		break;
	}
	case INPUT_EVENT_WHEEL:
		handle_wheel(input, message->body);
		break;
	case INPUT_EVENT_RELEASE_ALL:
		release_all(input);
		break;
	}
	return true;
}

static void disconnect(struct input *input) {
	event_source_remove(input->channel_source);
	input->channel_source = NULL;
	channel_finish(&input->channel);
	input->connected = false;
	release_all(input);
}

static void handle_channel(void *data, int fd, uint32_t mask) {
	(void)fd;
	(void)mask;
	struct input *input = data;
	for (;;) {
		struct channel_message message;
		int result = channel_recv(&input->channel, &message);
		if (result == -EAGAIN) {
			break;
		}
		bool understood = result == 1 && handle_message(input, &message);
		if (result == 1) {
			channel_message_close_fds(&message);
		}
		if (result == 1 && !understood) {
			log_error("venera-view sent an input event that is none: are both of one version?");
		}
		if (!understood) {
			disconnect(input);
			break;
		}
	}
	pump(input);
}

static void handle_listen(void *data, int listen_fd, uint32_t mask) {
	(void)mask;
	struct input *input = data;
	int fd = socket_accept(listen_fd);
	if (fd < 0) {
		return;
	}
	if (input->connected) {
		close(fd);
		return;
	}
	int err = channel_init(&input->channel, fd);
	if (!err) {
		err = socket_set_blocking(fd, false);
	}
	if (!err) {
		input->channel_source = event_loop_add_fd(
			input->loop, fd, EVENT_READABLE, handle_channel, input);
		err = input->channel_source ? 0 : -ENOMEM;
	}
	if (err) {
		log_error("cannot take input from venera-view: %s", strerror(-err));
		channel_finish(&input->channel);
		return;
	}
	input->connected = true;
}

/* ---- */

struct input *input_create(struct event_loop *loop, const char *path) {
	struct input *input = calloc(1, sizeof(*input));
	char *copy = strdup(path);
	if (!input || !copy) {
		log_error("out of memory");
		free(copy);
		free(input);
		return NULL;
	}
	input->loop = loop;
	input->path = copy;
	input->listen_fd = socket_listen(path);
	if (input->listen_fd < 0) {
		log_error("cannot listen at %s: %s", path, strerror(-input->listen_fd));
		goto error;
	}
	input->pointer_timer = event_loop_add_timer(loop, handle_pointer_timer, input);
	input->listen_source = event_loop_add_fd(
		loop, input->listen_fd, EVENT_READABLE, handle_listen, input);
	if (!input->pointer_timer || !input->listen_source) {
		log_error("out of memory");
		goto error;
	}
	return input;

error:
	input_destroy(input);
	return NULL;
}

void input_destroy(struct input *input) {
	if (!input) {
		return;
	}
	if (input->connected) {
		event_source_remove(input->channel_source);
		channel_finish(&input->channel);
	}
	event_source_remove(input->listen_source);
	event_source_remove(input->pointer_timer);
	if (input->listen_fd >= 0) {
		close(input->listen_fd);
		unlink(input->path);
	}
	free(input->path);
	free(input);
}
