/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_KEYBOARD_GRAB_H
#define VENERA_VIEW_KEYBOARD_GRAB_H

#include <stdbool.h>

struct GLFWwindow;

/**
 * Takes all keys of the keyboard for the window, those that the window manager would act on
 * too, or gives them back. Under X11; elsewhere the system keeps its own (docs/input.md).
 */
void keyboard_grab(struct GLFWwindow *window, bool grab);

#endif
