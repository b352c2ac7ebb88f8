/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_INPUT_H
#define VENERA_VIEW_INPUT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * What the user does in the window, told to the process that has the guest's input devices
 * (ipc/input_protocol.h). For the main thread, where windowing systems report it.
 */
struct view_input;

/** What a key means to us instead of the guest. */
enum view_shortcut {
	VIEW_SHORTCUT_NONE,
	VIEW_SHORTCUT_GRAB,        /* Ctrl+Alt+G */
	VIEW_SHORTCUT_FULL_SCREEN, /* Ctrl+Alt+F */
};

/** Takes ownership of a connected socket, also on failure. NULL with a line in the log. */
struct view_input *view_input_create(int fd);
/** NULL is accepted, here and below: then there is nobody to tell. */
void view_input_destroy(struct view_input *input);

/** Arguments are those of GLFW's key callback. */
enum view_shortcut view_input_key(
	struct view_input *input, int key, int scancode, int action, int mods);
void view_input_button(struct view_input *input, int button, int action);
/** Place in the guest's picture; beside it (less than 0, more than 1) is its edge. */
void view_input_pointer(struct view_input *input, double x, double y);
/** Arguments are those of GLFW's scroll callback. */
void view_input_scroll(struct view_input *input, double x, double y);
/** The window got or lost the keyboard. */
void view_input_focus(struct view_input *input, bool focused);

#endif
