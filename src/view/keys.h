/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_KEYS_H
#define VENERA_VIEW_KEYS_H

#include <stdint.h>

/** The code (ipc/input_codes.h) of a key as GLFW reports it; 0: none. After glfwInit(). */
uint32_t view_key_code(int key, int scancode);

/** The same for a mouse button. */
uint32_t view_button_code(int button);

#endif
