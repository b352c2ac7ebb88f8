/* SPDX-License-Identifier: MIT */
#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#ifdef HAVE_X11
#include <X11/Xlib.h>

/* As in GLFW/glfw3native.h, which wants the headers of Xrandr as well. */
Display *glfwGetX11Display(void);
Window glfwGetX11Window(GLFWwindow *window);
#endif

#include "base/log.h"
#include "view/keyboard_grab.h"

void keyboard_grab(struct GLFWwindow *window, bool grab) {
#ifdef HAVE_X11
	if (glfwGetPlatform() == GLFW_PLATFORM_X11) {
		Display *display = glfwGetX11Display();
		if (!grab) {
			XUngrabKeyboard(display, CurrentTime);
		} else if (XGrabKeyboard(display, glfwGetX11Window(window), True, GrabModeAsync,
				GrabModeAsync, CurrentTime) != GrabSuccess) {
			log_debug("another program has the keyboard for itself");
		}
		XFlush(display);
		return;
	}
#endif
	(void)window;
	(void)grab;
}
