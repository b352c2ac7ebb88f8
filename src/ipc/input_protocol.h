/* SPDX-License-Identifier: MIT */
#ifndef VENERA_IPC_INPUT_PROTOCOL_H
#define VENERA_IPC_INPUT_PROTOCOL_H

#include <stdint.h>

/**
 * What the user does, from a venera-view to the process that has the guest's input devices
 * (`venera run`), over a base/channel. That process listens; one view at a time. Nothing
 * comes back. When the view goes away, all that it pressed counts as released.
 */

enum input_event {
	/** A key or a button is pressed or released (struct input_key). */
	INPUT_EVENT_KEY = 1,
	/** Where the pointer is (struct input_pointer). */
	INPUT_EVENT_POINTER = 2,
	/** The wheel was turned (struct input_wheel). */
	INPUT_EVENT_WHEEL = 3,
	/** All keys and buttons are released (no body): the window lost the keyboard. */
	INPUT_EVENT_RELEASE_ALL = 4,
};

/** Codes are those of Linux's evdev, KEY_* and BTN_*; larger ones do not exist. */
#define INPUT_CODE_MAX 0x2ff

struct input_key {
	uint32_t code;    /* 1 to INPUT_CODE_MAX */
	uint32_t pressed; /* 0 or 1; holding a key down is no event: the guest repeats keys itself */
};

/** The right or lower edge of the guest's picture; the left or upper one is 0. */
#define INPUT_POINTER_MAX 0x7fff

struct input_pointer {
	uint32_t x, y; /* 0 to INPUT_POINTER_MAX */
};

struct input_wheel {
	int32_t right, down; /* notches, negative for left and up */
};

#endif
