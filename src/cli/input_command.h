/* SPDX-License-Identifier: MIT */
#ifndef VENERA_CLI_INPUT_COMMAND_H
#define VENERA_CLI_INPUT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** QEMU's input-send-event: what is done to the guest's keyboard and tablet. */

#define INPUT_COMMAND_BYTES 256

enum input_action_kind {
	INPUT_ACTION_KEY,     /* a key or button: code and pressed count */
	INPUT_ACTION_POINTER, /* x and y count */
	INPUT_ACTION_WHEEL,   /* one notch: down counts, 1 or -1 */
};

struct input_action {
	enum input_action_kind kind;
	uint16_t code; /* ipc/input_codes.h */
	bool pressed;
	int8_t down;
	uint16_t x, y; /* 0 to INPUT_POINTER_MAX */
};

/** Does QEMU have a name for this key or button? Any number may be asked about. */
bool input_command_knows(uint32_t code);

/** Writes the command, one line of JSON, and returns its length. The code is one that is known. */
size_t input_command_format(char text[INPUT_COMMAND_BYTES], const struct input_action *action);

#endif
