/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include "base/channel.h"
#include "base/log.h"
#include "ipc/input_codes.h"
#include "ipc/input_protocol.h"
#include "view/input.h"
#include "view/keys.h"

/*
 * Lock keys. The guest toggles its own state with each press that it hears of. What was pressed
 * while another window had the keyboard it did not hear: when ours has it again, the host's
 * state is compared with the one at the time of leaving, and what differs is pressed for the
 * guest. So both states stay as far apart as they were at the beginning, which is not at all
 * unless the user began with a lock on.
 */

/* If the other side reads nothing we do not keep the past for it; 1,000 events are seconds of it. */
#define MAX_QUEUED (1000 * sizeof(struct input_pointer))

struct view_input {
	struct channel channel;
	bool failed;
	double scrolled_x, scrolled_y; /* less than a notch, not told yet */
	int swallowed_key;             /* pressed as a shortcut: its release is none of the guest's */
	int locks;                     /* GLFW_MOD_CAPS_LOCK and _NUM_LOCK, as the guest knows them */
	bool locks_known;              /* else the next key tells them */
	bool locks_stale;              /* the window had not the keyboard since */
};

struct view_input *view_input_create(int fd) {
	struct view_input *input = calloc(1, sizeof(*input));
	if (!input) {
		close(fd);
		log_error("out of memory");
		return NULL;
	}
	int err = channel_init(&input->channel, fd);
	if (!err) {
		err = channel_set_queueing(&input->channel, true);
	}
	if (err) {
		log_error("the input socket is of no use: %s", strerror(-err));
		view_input_destroy(input);
		return NULL;
	}
	return input;
}

void view_input_destroy(struct view_input *input) {
	if (input) {
		channel_finish(&input->channel);
		free(input);
	}
}

static void tell(struct view_input *input, uint32_t type, const void *body, size_t size) {
	if (input->failed) {
		return;
	}
	/* what waited goes first; nothing else tries again, since there is always a next event */
	int result = channel_flush(&input->channel);
	if (result >= 0 && channel_queued(&input->channel) < MAX_QUEUED) {
		result = channel_send(&input->channel, type, body, size, NULL, 0, NULL, 0);
	}
	if (result < 0) {
		/* an end in order is heard of on the other socket, too */
		log_debug("nobody takes the input: %s", strerror(-result));
		input->failed = true;
	}
}

static void tell_key(struct view_input *input, uint32_t code, bool pressed) {
	const struct input_key key = {.code = code, .pressed = pressed};
	tell(input, INPUT_EVENT_KEY, &key, sizeof(key));
}

static void tap_key(struct view_input *input, uint32_t code) {
	tell_key(input, code, true);
	tell_key(input, code, false);
}

/* A key other than a lock was pressed: now `mods` tells in which state the locks are. */
static void follow_locks(struct view_input *input, int mods) {
	const int locks = mods & (GLFW_MOD_CAPS_LOCK | GLFW_MOD_NUM_LOCK);
	if (input->locks_known && input->locks_stale) {
		if ((locks ^ input->locks) & GLFW_MOD_CAPS_LOCK) {
			tap_key(input, INPUT_KEY_CAPSLOCK);
		}
		if ((locks ^ input->locks) & GLFW_MOD_NUM_LOCK) {
			tap_key(input, INPUT_KEY_NUMLOCK);
		}
	}
	input->locks = locks;
	input->locks_known = true;
	input->locks_stale = false;
}

static enum view_shortcut find_shortcut(int key, int mods) {
	const int wanted = GLFW_MOD_CONTROL | GLFW_MOD_ALT;
	if ((mods & (wanted | GLFW_MOD_SHIFT | GLFW_MOD_SUPER)) != wanted) {
		return VIEW_SHORTCUT_NONE;
	}
	return key == GLFW_KEY_G ? VIEW_SHORTCUT_GRAB
		: key == GLFW_KEY_F ? VIEW_SHORTCUT_FULL_SCREEN : VIEW_SHORTCUT_NONE;
}

enum view_shortcut view_input_key(
	struct view_input *input, int key, int scancode, int action, int mods) {
	const bool pressed = action == GLFW_PRESS;
	const enum view_shortcut shortcut = pressed ? find_shortcut(key, mods) : VIEW_SHORTCUT_NONE;
	if (!input || action == GLFW_REPEAT) {
		return shortcut;
	}
	if (shortcut != VIEW_SHORTCUT_NONE) {
		input->swallowed_key = key;
		return shortcut;
	}
	if (!pressed && key == input->swallowed_key) {
		input->swallowed_key = 0;
		return VIEW_SHORTCUT_NONE;
	}
	const uint32_t code = view_key_code(key, scancode);
	if (code == 0) {
		log_debug("key without a code (scan code %d)", scancode);
		return VIEW_SHORTCUT_NONE;
	}
	if (key == GLFW_KEY_CAPS_LOCK && glfwGetPlatform() == GLFW_PLATFORM_COCOA) {
		/* a Mac presses this key when the lock goes on, and releases it when it goes off */
		tap_key(input, code);
		return VIEW_SHORTCUT_NONE;
	}
	if (pressed && key != GLFW_KEY_CAPS_LOCK && key != GLFW_KEY_NUM_LOCK) {
		follow_locks(input, mods);
	}
	tell_key(input, code, pressed);
	return VIEW_SHORTCUT_NONE;
}

void view_input_button(struct view_input *input, int button, int action) {
	const uint32_t code = view_button_code(button);
	if (input && code) {
		tell_key(input, code, action == GLFW_PRESS);
	}
}

static uint32_t pointer_position(double place) {
	place = place < 0 ? 0 : place > 1 ? 1 : place;
	return (uint32_t)(place * INPUT_POINTER_MAX + 0.5);
}

void view_input_pointer(struct view_input *input, double x, double y) {
	if (input) {
		const struct input_pointer pointer = {pointer_position(x), pointer_position(y)};
		tell(input, INPUT_EVENT_POINTER, &pointer, sizeof(pointer));
	}
}

/* The whole notches in `*scrolled`, which keeps the rest: touchpads report parts of one. */
static int32_t take_notches(double *scrolled, double more) {
	*scrolled += more;
	const int32_t whole = (int32_t)*scrolled;
	*scrolled -= whole;
	return whole;
}

static bool is_sane(double distance) {
	return distance > -1000 && distance < 1000;
}

void view_input_scroll(struct view_input *input, double x, double y) {
	if (!input || !is_sane(x) || !is_sane(y)) {
		return;
	}
	/* GLFW counts as the content moves: right with a wheel turned to the left, down with up */
	const struct input_wheel wheel = {
		.right = -take_notches(&input->scrolled_x, x),
		.down = -take_notches(&input->scrolled_y, y),
	};
	if (wheel.right || wheel.down) {
		tell(input, INPUT_EVENT_WHEEL, &wheel, sizeof(wheel));
	}
}

void view_input_focus(struct view_input *input, bool focused) {
	if (input && !focused) {
		tell(input, INPUT_EVENT_RELEASE_ALL, NULL, 0);
		input->swallowed_key = 0;
		input->locks_stale = true;
	}
}
