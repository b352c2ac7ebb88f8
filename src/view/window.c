/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define GLFW_INCLUDE_NONE
#include <vulkan/vulkan_core.h>

#include <GLFW/glfw3.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notifier.h"
#include "view/keyboard_grab.h"
#include "view/window.h"

#define CLOSE_PATIENCE (3 * CLOCK_NS_PER_S)

struct view_window {
	GLFWwindow *handle;
	uint32_t refresh_mhz;
	struct notifier notifier; /* the state changed */
	atomic_bool quit;
	pthread_mutex_t lock;     /* of what follows, up to the blank line */
	struct view_window_state state;
	struct view_rect picture; /* in the framebuffer */
	bool has_pointer;         /* the picture shows one */

	/* the main thread's */
	struct view_input *input;
	GLFWcursor *no_cursor;    /* an image of nothing */
	bool hides_cursor;
	bool grabbed;
	const char *title;
	int normal_x, normal_y;   /* of the window when it does not cover the monitor */
	int normal_width, normal_height;
};

static void handle_glfw_error(int code, const char *description) {
	log_debug("window: %s (%#x)", description, (unsigned)code);
}

static void handle_size(GLFWwindow *handle, int width, int height) {
	struct view_window *window = glfwGetWindowUserPointer(handle);
	pthread_mutex_lock(&window->lock);
	window->state.width = width > 0 ? (uint32_t)width : 0;
	window->state.height = height > 0 ? (uint32_t)height : 0;
	pthread_mutex_unlock(&window->lock);
	notifier_signal(&window->notifier);
}

static void handle_iconify(GLFWwindow *handle, int iconified) {
	struct view_window *window = glfwGetWindowUserPointer(handle);
	pthread_mutex_lock(&window->lock);
	window->state.hidden = iconified;
	window->state.exposed |= !iconified;
	pthread_mutex_unlock(&window->lock);
	notifier_signal(&window->notifier);
}

static void handle_refresh(GLFWwindow *handle) {
	struct view_window *window = glfwGetWindowUserPointer(handle);
	pthread_mutex_lock(&window->lock);
	window->state.exposed = true;
	pthread_mutex_unlock(&window->lock);
	notifier_signal(&window->notifier);
}

static void handle_close(GLFWwindow *handle) {
	struct view_window *window = glfwGetWindowUserPointer(handle);
	pthread_mutex_lock(&window->lock);
	window->state.closed = true;
	pthread_mutex_unlock(&window->lock);
	notifier_signal(&window->notifier);
}

/* ---- what the user does ---- */

/*
 * The system's pointer gives way to the guest's by an image of nothing, not by GLFW's hidden
 * mode, which cannot be had together with the captured one.
 */
static void update_cursor(struct view_window *window) {
	pthread_mutex_lock(&window->lock);
	const bool hide = window->has_pointer && window->picture.width && window->input;
	pthread_mutex_unlock(&window->lock);
	if (hide != window->hides_cursor && window->no_cursor) {
		window->hides_cursor = hide;
		glfwSetCursor(window->handle, hide ? window->no_cursor : NULL);
	}
}

/* All keys, those of the window manager too, go to the guest, and the pointer stays inside. */
static void set_grab(struct view_window *window, bool grab) {
	if (grab == window->grabbed) {
		return;
	}
	window->grabbed = grab;
	glfwSetInputMode(
		window->handle, GLFW_CURSOR, grab ? GLFW_CURSOR_CAPTURED : GLFW_CURSOR_NORMAL);
	char title[256];
	snprintf(title, sizeof(title), grab ? "Ctrl+Alt+G lets mouse and keyboard go - %s" : "%s",
		window->title);
	glfwSetWindowTitle(window->handle, title);
	keyboard_grab(window->handle, grab);
}

/* The monitor on which the middle of the window is, or the first one. NULL: there is none. */
static GLFWmonitor *find_monitor(struct view_window *window) {
	int x, y, width, height, count;
	glfwGetWindowPos(window->handle, &x, &y);
	glfwGetWindowSize(window->handle, &width, &height);
	GLFWmonitor **monitors = glfwGetMonitors(&count);
	for (int i = 0; i < count; i++) {
		int left, top;
		glfwGetMonitorPos(monitors[i], &left, &top);
		const GLFWvidmode *mode = glfwGetVideoMode(monitors[i]);
		if (mode && x + width / 2 >= left && x + width / 2 < left + mode->width
				&& y + height / 2 >= top && y + height / 2 < top + mode->height) {
			return monitors[i];
		}
	}
	return count > 0 ? monitors[0] : NULL;
}

static void toggle_full_screen(struct view_window *window) {
	if (glfwGetWindowMonitor(window->handle)) {
		glfwSetWindowMonitor(window->handle, NULL, window->normal_x, window->normal_y,
			window->normal_width, window->normal_height, GLFW_DONT_CARE);
		return;
	}
	GLFWmonitor *monitor = find_monitor(window);
	const GLFWvidmode *mode = monitor ? glfwGetVideoMode(monitor) : NULL;
	if (!mode) {
		log_warn("no monitor to cover");
		return;
	}
	glfwGetWindowPos(window->handle, &window->normal_x, &window->normal_y);
	glfwGetWindowSize(window->handle, &window->normal_width, &window->normal_height);
	glfwSetWindowMonitor(
		window->handle, monitor, 0, 0, mode->width, mode->height, mode->refreshRate);
}

static void handle_key(GLFWwindow *handle, int key, int scancode, int action, int mods) {
	struct view_window *window = glfwGetWindowUserPointer(handle);
	switch (view_input_key(window->input, key, scancode, action, mods)) {
	case VIEW_SHORTCUT_NONE:
		break;
	case VIEW_SHORTCUT_GRAB:
		if (window->input) {
			set_grab(window, !window->grabbed);
		}
		break;
	case VIEW_SHORTCUT_FULL_SCREEN:
		toggle_full_screen(window);
		break;
	}
}

static void handle_button(GLFWwindow *handle, int button, int action, int mods) {
	(void)mods;
	struct view_window *window = glfwGetWindowUserPointer(handle);
	view_input_button(window->input, button, action);
}

static void handle_pointer(GLFWwindow *handle, double x, double y) {
	struct view_window *window = glfwGetWindowUserPointer(handle);
	pthread_mutex_lock(&window->lock);
	const struct view_rect picture = window->picture;
	const double pixels_x = window->state.width, pixels_y = window->state.height;
	pthread_mutex_unlock(&window->lock);
	int width, height; /* in the unit of x and y, which may be larger than pixels */
	glfwGetWindowSize(handle, &width, &height);
	if (picture.width < 2 || picture.height < 2 || width <= 0 || height <= 0) {
		return;
	}
	/* the guest's picture ends with the middle of its last pixel: 0 and 1 can both be reached */
	view_input_pointer(window->input,
		(x * pixels_x / width - picture.x) / (picture.width - 1),
		(y * pixels_y / height - picture.y) / (picture.height - 1));
}

static void handle_scroll(GLFWwindow *handle, double x, double y) {
	struct view_window *window = glfwGetWindowUserPointer(handle);
	view_input_scroll(window->input, x, y);
}

static void handle_focus(GLFWwindow *handle, int focused) {
	struct view_window *window = glfwGetWindowUserPointer(handle);
	if (!focused) {
		set_grab(window, false);
	}
	view_input_focus(window->input, focused);
}

static void start_input(struct view_window *window) {
	const unsigned char nothing[4] = {0};
	const GLFWimage image = {.width = 1, .height = 1, .pixels = (unsigned char *)nothing};
	window->no_cursor = glfwCreateCursor(&image, 0, 0);
	glfwSetInputMode(window->handle, GLFW_LOCK_KEY_MODS, GLFW_TRUE);
	glfwSetMouseButtonCallback(window->handle, handle_button);
	glfwSetCursorPosCallback(window->handle, handle_pointer);
	glfwSetScrollCallback(window->handle, handle_scroll);
	glfwSetWindowFocusCallback(window->handle, handle_focus);
}

/* ---- the window ---- */

static bool is_set(const char *variable) {
	const char *value = getenv(variable);
	return value && value[0];
}

/*
 * Where there are both X11 and Wayland the choice follows from the environment. GLFW would
 * try Wayland in any case, and the Wayland library complains on standard error if there is none.
 */
static bool choose_platform(void) {
	bool x11 = glfwPlatformSupported(GLFW_PLATFORM_X11);
	bool wayland = glfwPlatformSupported(GLFW_PLATFORM_WAYLAND);
	if (!x11 && !wayland) {
		return true;
	}
	if (wayland && (is_set("WAYLAND_DISPLAY") || is_set("WAYLAND_SOCKET"))) {
		return true;
	}
	if (x11 && is_set("DISPLAY")) {
		glfwInitHint(GLFW_PLATFORM, GLFW_PLATFORM_X11);
		return true;
	}
	return false;
}

static const char *glfw_reason(void) {
	const char *description = NULL;
	glfwGetError(&description);
	return description ? description : "no reason given";
}

struct view_window *view_window_create(
	const struct view_window_options *options, struct vk_error *error) {
	struct view_window *window = calloc(1, sizeof(*window));
	if (!window || notifier_init(&window->notifier) < 0) {
		vk_error_set(error, "out of memory or file descriptors");
		free(window);
		return NULL;
	}
	pthread_mutex_init(&window->lock, NULL);
	window->input = options->input;
	window->title = options->title;

	/* Vulkan comes from where ours does, not from a second loader of GLFW's choice. */
	glfwInitVulkanLoader(options->get_instance_proc_addr);
	glfwInitHint(GLFW_COCOA_CHDIR_RESOURCES, GLFW_FALSE); /* paths of the command line stay true */
	bool chosen = choose_platform();
	if (!chosen || !glfwInit()) {
		vk_error_set(error, "no display to open a window on: set DISPLAY or WAYLAND_DISPLAY, or "
			"use --display=headless (%s)", chosen ? glfw_reason() : "neither is set");
		goto error_lock;
	}
	glfwSetErrorCallback(handle_glfw_error);

	GLFWmonitor *monitor = glfwGetPrimaryMonitor();
	const GLFWvidmode *mode = monitor ? glfwGetVideoMode(monitor) : NULL;
	if (mode && mode->refreshRate > 0) {
		window->refresh_mhz = (uint32_t)mode->refreshRate * 1000;
	}
	bool full_screen = options->full_screen && mode;
	if (options->full_screen && !mode) {
		log_warn("no monitor to cover: opening an ordinary window");
	}

	glfwWindowHint(GLFW_CLIENT_API, GLFW_NO_API);
	glfwWindowHint(GLFW_VISIBLE, GLFW_FALSE);
	/* Sizes are in pixels everywhere: the guest's pixels are ours to scale, not the system's. But macOS
	 * measures windows in points, which have several pixels on some screens. */
	float pixels = 1.0f;
	const bool in_points = glfwGetPlatform() == GLFW_PLATFORM_COCOA;
	if (in_points && monitor) {
		glfwGetMonitorContentScale(monitor, &pixels, NULL);
	}
	glfwWindowHint(GLFW_SCALE_FRAMEBUFFER, in_points);
	glfwWindowHint(GLFW_AUTO_ICONIFY, GLFW_FALSE);
	glfwWindowHintString(GLFW_X11_CLASS_NAME, "Venera");
	glfwWindowHintString(GLFW_X11_INSTANCE_NAME, "venera-view");
	glfwWindowHintString(GLFW_WAYLAND_APP_ID, "venera-view");
	if (full_screen) { /* the monitor's own mode: no mode switch */
		glfwWindowHint(GLFW_RED_BITS, mode->redBits);
		glfwWindowHint(GLFW_GREEN_BITS, mode->greenBits);
		glfwWindowHint(GLFW_BLUE_BITS, mode->blueBits);
		glfwWindowHint(GLFW_REFRESH_RATE, mode->refreshRate);
	}
	window->normal_width = (int)((float)options->width / pixels);
	window->normal_height = (int)((float)options->height / pixels);
	int width = full_screen ? mode->width : window->normal_width;
	int height = full_screen ? mode->height : window->normal_height;
	window->handle = glfwCreateWindow(
		width, height, options->title, full_screen ? monitor : NULL, NULL);
	if (!window->handle) {
		vk_error_set(error, "cannot open a window: %s", glfw_reason());
		goto error_glfw;
	}
	glfwSetWindowUserPointer(window->handle, window);
	glfwSetFramebufferSizeCallback(window->handle, handle_size);
	glfwSetWindowIconifyCallback(window->handle, handle_iconify);
	glfwSetWindowRefreshCallback(window->handle, handle_refresh);
	glfwSetWindowCloseCallback(window->handle, handle_close);
	glfwSetKeyCallback(window->handle, handle_key);
	if (window->input) {
		start_input(window);
	}
	glfwGetFramebufferSize(window->handle, &width, &height);
	handle_size(window->handle, width, height);
	return window;

error_glfw:
	glfwTerminate();
error_lock:
	pthread_mutex_destroy(&window->lock);
	notifier_finish(&window->notifier);
	free(window);
	return NULL;
}

void view_window_destroy(struct view_window *window) {
	if (!window) {
		return;
	}
	glfwDestroyWindow(window->handle);
	glfwTerminate();
	pthread_mutex_destroy(&window->lock);
	notifier_finish(&window->notifier);
	free(window);
}

const char *const *view_window_extensions(struct view_window *window, uint32_t *count) {
	(void)window;
	*count = 0;
	return glfwGetRequiredInstanceExtensions(count);
}

VkResult view_window_create_surface(
	struct view_window *window, VkInstance instance, VkSurfaceKHR *surface) {
	return glfwCreateWindowSurface(instance, window->handle, NULL, surface);
}

void view_window_show(struct view_window *window) {
	glfwShowWindow(window->handle);
}

bool view_window_run(struct view_window *window) {
	uint64_t closed_at = 0;
	while (!atomic_load(&window->quit)) {
		if (closed_at == 0) {
			glfwWaitEvents();
			update_cursor(window);
			if (glfwWindowShouldClose(window->handle)) {
				closed_at = clock_now();
			}
		} else {
			/* still served: a driver may need this thread to finish what it does */
			glfwWaitEventsTimeout(0.1);
			if (clock_now() - closed_at > CLOSE_PATIENCE) {
				return atomic_load(&window->quit);
			}
		}
	}
	return true;
}

void view_window_quit(struct view_window *window) {
	atomic_store(&window->quit, true);
	glfwPostEmptyEvent();
}

int view_window_event_fd(struct view_window *window) {
	return window->notifier.read_fd;
}

void view_window_take_state(struct view_window *window, struct view_window_state *state) {
	notifier_drain(&window->notifier);
	pthread_mutex_lock(&window->lock);
	*state = window->state;
	window->state.exposed = false;
	pthread_mutex_unlock(&window->lock);
}

void view_window_set_picture(
	struct view_window *window, const struct view_rect *picture, bool has_pointer) {
	pthread_mutex_lock(&window->lock);
	const bool pointer_changed = has_pointer != window->has_pointer
		|| !picture->width != !window->picture.width;
	window->picture = *picture;
	window->has_pointer = has_pointer;
	pthread_mutex_unlock(&window->lock);
	if (pointer_changed) {
		glfwPostEmptyEvent(); /* for update_cursor() */
	}
}

uint32_t view_window_refresh_mhz(const struct view_window *window) {
	return window->refresh_mhz;
}
