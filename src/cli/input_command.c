/* SPDX-License-Identifier: MIT */
#include "cli/input_command.h"

#include <stdio.h>

#include "ipc/input_codes.h"

/* QEMU's names (QKeyCode), of which its virtio keyboard makes the codes that stand here again. */
static const char *const key_names[] = {
	[INPUT_KEY_ESC] = "esc", [INPUT_KEY_1] = "1", [INPUT_KEY_2] = "2", [INPUT_KEY_3] = "3",
	[INPUT_KEY_4] = "4", [INPUT_KEY_5] = "5", [INPUT_KEY_6] = "6", [INPUT_KEY_7] = "7",
	[INPUT_KEY_8] = "8", [INPUT_KEY_9] = "9", [INPUT_KEY_0] = "0", [INPUT_KEY_MINUS] = "minus",
	[INPUT_KEY_EQUAL] = "equal", [INPUT_KEY_BACKSPACE] = "backspace", [INPUT_KEY_TAB] = "tab",
	[INPUT_KEY_Q] = "q", [INPUT_KEY_W] = "w", [INPUT_KEY_E] = "e", [INPUT_KEY_R] = "r",
	[INPUT_KEY_T] = "t", [INPUT_KEY_Y] = "y", [INPUT_KEY_U] = "u", [INPUT_KEY_I] = "i",
	[INPUT_KEY_O] = "o", [INPUT_KEY_P] = "p", [INPUT_KEY_LEFTBRACE] = "bracket_left",
	[INPUT_KEY_RIGHTBRACE] = "bracket_right", [INPUT_KEY_ENTER] = "ret",
	[INPUT_KEY_LEFTCTRL] = "ctrl", [INPUT_KEY_A] = "a", [INPUT_KEY_S] = "s", [INPUT_KEY_D] = "d",
	[INPUT_KEY_F] = "f", [INPUT_KEY_G] = "g", [INPUT_KEY_H] = "h", [INPUT_KEY_J] = "j",
	[INPUT_KEY_K] = "k", [INPUT_KEY_L] = "l", [INPUT_KEY_SEMICOLON] = "semicolon",
	[INPUT_KEY_APOSTROPHE] = "apostrophe", [INPUT_KEY_GRAVE] = "grave_accent",
	[INPUT_KEY_LEFTSHIFT] = "shift", [INPUT_KEY_BACKSLASH] = "backslash", [INPUT_KEY_Z] = "z",
	[INPUT_KEY_X] = "x", [INPUT_KEY_C] = "c", [INPUT_KEY_V] = "v", [INPUT_KEY_B] = "b",
	[INPUT_KEY_N] = "n", [INPUT_KEY_M] = "m", [INPUT_KEY_COMMA] = "comma", [INPUT_KEY_DOT] = "dot",
	[INPUT_KEY_SLASH] = "slash", [INPUT_KEY_RIGHTSHIFT] = "shift_r",
	[INPUT_KEY_KPASTERISK] = "kp_multiply", [INPUT_KEY_LEFTALT] = "alt", [INPUT_KEY_SPACE] = "spc",
	[INPUT_KEY_CAPSLOCK] = "caps_lock", [INPUT_KEY_F1] = "f1", [INPUT_KEY_F2] = "f2",
	[INPUT_KEY_F3] = "f3", [INPUT_KEY_F4] = "f4", [INPUT_KEY_F5] = "f5", [INPUT_KEY_F6] = "f6",
	[INPUT_KEY_F7] = "f7", [INPUT_KEY_F8] = "f8", [INPUT_KEY_F9] = "f9", [INPUT_KEY_F10] = "f10",
	[INPUT_KEY_NUMLOCK] = "num_lock", [INPUT_KEY_SCROLLLOCK] = "scroll_lock",
	[INPUT_KEY_KP7] = "kp_7", [INPUT_KEY_KP8] = "kp_8", [INPUT_KEY_KP9] = "kp_9",
	[INPUT_KEY_KPMINUS] = "kp_subtract", [INPUT_KEY_KP4] = "kp_4", [INPUT_KEY_KP5] = "kp_5",
	[INPUT_KEY_KP6] = "kp_6", [INPUT_KEY_KPPLUS] = "kp_add", [INPUT_KEY_KP1] = "kp_1",
	[INPUT_KEY_KP2] = "kp_2", [INPUT_KEY_KP3] = "kp_3", [INPUT_KEY_KP0] = "kp_0",
	[INPUT_KEY_KPDOT] = "kp_decimal", [INPUT_KEY_102ND] = "less", [INPUT_KEY_F11] = "f11",
	[INPUT_KEY_F12] = "f12", [INPUT_KEY_RO] = "ro", [INPUT_KEY_HIRAGANA] = "hiragana",
	[INPUT_KEY_HENKAN] = "henkan", [INPUT_KEY_KATAKANAHIRAGANA] = "katakanahiragana",
	[INPUT_KEY_MUHENKAN] = "muhenkan", [INPUT_KEY_KPENTER] = "kp_enter",
	[INPUT_KEY_RIGHTCTRL] = "ctrl_r", [INPUT_KEY_KPSLASH] = "kp_divide",
	[INPUT_KEY_SYSRQ] = "print", [INPUT_KEY_RIGHTALT] = "alt_r", [INPUT_KEY_LINEFEED] = "lf",
	[INPUT_KEY_HOME] = "home", [INPUT_KEY_UP] = "up", [INPUT_KEY_PAGEUP] = "pgup",
	[INPUT_KEY_LEFT] = "left", [INPUT_KEY_RIGHT] = "right", [INPUT_KEY_END] = "end",
	[INPUT_KEY_DOWN] = "down", [INPUT_KEY_PAGEDOWN] = "pgdn", [INPUT_KEY_INSERT] = "insert",
	[INPUT_KEY_DELETE] = "delete", [INPUT_KEY_MUTE] = "audiomute",
	[INPUT_KEY_VOLUMEDOWN] = "volumedown", [INPUT_KEY_VOLUMEUP] = "volumeup",
	[INPUT_KEY_POWER] = "power", [INPUT_KEY_KPEQUAL] = "kp_equals", [INPUT_KEY_PAUSE] = "pause",
	[INPUT_KEY_KPCOMMA] = "kp_comma", [INPUT_KEY_HANGEUL] = "lang1", [INPUT_KEY_HANJA] = "lang2",
	[INPUT_KEY_YEN] = "yen", [INPUT_KEY_LEFTMETA] = "meta_l", [INPUT_KEY_RIGHTMETA] = "meta_r",
	[INPUT_KEY_COMPOSE] = "compose", [INPUT_KEY_STOP] = "stop", [INPUT_KEY_AGAIN] = "again",
	[INPUT_KEY_PROPS] = "props", [INPUT_KEY_UNDO] = "undo", [INPUT_KEY_FRONT] = "front",
	[INPUT_KEY_COPY] = "copy", [INPUT_KEY_OPEN] = "open", [INPUT_KEY_PASTE] = "paste",
	[INPUT_KEY_FIND] = "find", [INPUT_KEY_CUT] = "cut", [INPUT_KEY_HELP] = "help",
	[INPUT_KEY_MENU] = "menu", [INPUT_KEY_CALC] = "calculator", [INPUT_KEY_SLEEP] = "sleep",
	[INPUT_KEY_WAKEUP] = "wake", [INPUT_KEY_MAIL] = "mail", [INPUT_KEY_BOOKMARKS] = "ac_bookmarks",
	[INPUT_KEY_COMPUTER] = "computer", [INPUT_KEY_BACK] = "ac_back",
	[INPUT_KEY_FORWARD] = "ac_forward", [INPUT_KEY_NEXTSONG] = "audionext",
	[INPUT_KEY_PLAYPAUSE] = "audioplay", [INPUT_KEY_PREVIOUSSONG] = "audioprev",
	[INPUT_KEY_STOPCD] = "audiostop", [INPUT_KEY_HOMEPAGE] = "ac_home",
	[INPUT_KEY_REFRESH] = "ac_refresh", [INPUT_KEY_F13] = "f13", [INPUT_KEY_F14] = "f14",
	[INPUT_KEY_F15] = "f15", [INPUT_KEY_F16] = "f16", [INPUT_KEY_F17] = "f17",
	[INPUT_KEY_F18] = "f18", [INPUT_KEY_F19] = "f19", [INPUT_KEY_F20] = "f20",
	[INPUT_KEY_F21] = "f21", [INPUT_KEY_F22] = "f22", [INPUT_KEY_F23] = "f23",
	[INPUT_KEY_F24] = "f24", [INPUT_KEY_MEDIA] = "mediaselect",};

/* QEMU's InputButton. */
static const char *const button_names[] = {
	[INPUT_BTN_LEFT - INPUT_BTN_LEFT] = "left",
	[INPUT_BTN_RIGHT - INPUT_BTN_LEFT] = "right",
	[INPUT_BTN_MIDDLE - INPUT_BTN_LEFT] = "middle",
	[INPUT_BTN_SIDE - INPUT_BTN_LEFT] = "side",
	[INPUT_BTN_EXTRA - INPUT_BTN_LEFT] = "extra",
};

static const char *key_name(uint32_t code) {
	return code < sizeof(key_names) / sizeof(key_names[0]) ? key_names[code] : NULL;
}

static const char *button_name(uint32_t code) {
	const uint32_t count = sizeof(button_names) / sizeof(button_names[0]);
	return code >= INPUT_BTN_LEFT && code - INPUT_BTN_LEFT < count ?
		button_names[code - INPUT_BTN_LEFT] : NULL;
}

bool input_command_knows(uint32_t code) {
	return key_name(code) || button_name(code);
}

#define BEGIN "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":["
#define END "]}}\n"
#define BUTTON "{\"type\":\"btn\",\"data\":{\"down\":%s,\"button\":\"%s\"}}"
#define KEY "{\"type\":\"key\",\"data\":{\"down\":%s,\"key\":{\"type\":\"qcode\",\"data\":\"%s\"}}}"
#define AXIS "{\"type\":\"abs\",\"data\":{\"axis\":\"%s\",\"value\":%u}}"

size_t input_command_format(char text[INPUT_COMMAND_BYTES], const struct input_action *action) {
	const char *pressed = action->pressed ? "true" : "false";
	int length = 0;
	switch (action->kind) {
	case INPUT_ACTION_KEY:
		if (key_name(action->code)) {
			length = snprintf(text, INPUT_COMMAND_BYTES, BEGIN KEY END,
				pressed, key_name(action->code));
		} else {
			length = snprintf(text, INPUT_COMMAND_BYTES, BEGIN BUTTON END,
				pressed, button_name(action->code));
		}
		break;
	case INPUT_ACTION_POINTER:
		length = snprintf(text, INPUT_COMMAND_BYTES, BEGIN AXIS "," AXIS END,
			"x", (unsigned)action->x, "y", (unsigned)action->y);
		break;
	case INPUT_ACTION_WHEEL: /* a notch is a button's press, of which no release is needed */
		length = snprintf(text, INPUT_COMMAND_BYTES, BEGIN BUTTON END,
			"true", action->down > 0 ? "wheel-down" : "wheel-up");
		break;
	}
	return (size_t)length;
}
