/* SPDX-License-Identifier: MIT */
/* The table of keys, which systems use whose keyboard drivers have other numbers than Linux's. */
#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <stdbool.h>

#include "ipc/input_codes.h"
#include "ipc/input_protocol.h"
#include "view/keys.h"

#include "../unit/test.h"

static const struct {
	int key;
	uint32_t code;
} known[] = {
	{GLFW_KEY_A, INPUT_KEY_A},
	{GLFW_KEY_0, INPUT_KEY_0},
	{GLFW_KEY_GRAVE_ACCENT, INPUT_KEY_GRAVE},
	{GLFW_KEY_ENTER, INPUT_KEY_ENTER},
	{GLFW_KEY_KP_ENTER, INPUT_KEY_KPENTER},
	{GLFW_KEY_PRINT_SCREEN, INPUT_KEY_SYSRQ},
	{GLFW_KEY_MENU, INPUT_KEY_COMPOSE},
	{GLFW_KEY_RIGHT_SUPER, INPUT_KEY_RIGHTMETA},
	{GLFW_KEY_F24, INPUT_KEY_F24},
	{GLFW_KEY_WORLD_1, INPUT_KEY_102ND},
	{GLFW_KEY_WORLD_2, INPUT_KEY_102ND},
};

static void test_known(void) {
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		CHECK_INT(view_key_code(known[i].key, 0), known[i].code);
	}
}

/* No two keys are one, and none that has a number on this system is missing. */
static void test_all(void) {
	bool seen[INPUT_CODE_MAX + 1] = {false};
	const int none = glfwGetKeyScancode(GLFW_KEY_SPACE + 1); /* is no key's name */
	for (int key = GLFW_KEY_SPACE; key <= GLFW_KEY_LAST; key++) {
		uint32_t code = view_key_code(key, 0);
		CHECK(code <= INPUT_CODE_MAX);
		if (glfwGetKeyScancode(key) != none && key != GLFW_KEY_F25) { /* which Linux lacks */
			CHECK(code != 0);
		}
		if (code != 0 && code != INPUT_KEY_102ND) {
			CHECK(!seen[code]);
			seen[code] = true;
		}
	}
}

static void test_none(void) {
	CHECK_INT(view_key_code(GLFW_KEY_UNKNOWN, 5), 0);
	CHECK_INT(view_key_code(GLFW_KEY_LAST + 1, 5), 0);
	CHECK_INT(view_button_code(-1), 0);
	CHECK_INT(view_button_code(GLFW_MOUSE_BUTTON_LAST), 0);
	CHECK_INT(view_button_code(GLFW_MOUSE_BUTTON_LEFT), INPUT_BTN_LEFT);
}

int main(void) {
	glfwInitHint(GLFW_PLATFORM, GLFW_PLATFORM_NULL);
	if (!glfwInit()) {
		printf("skipped: GLFW has no platform without a display\n");
		return TEST_SKIPPED;
	}
	RUN(test_known);
	RUN(test_all);
	RUN(test_none);
	glfwTerminate();
	return 0;
}
