/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/process.h"
#include "base/socket.h"
#include "view/device.h"
#include "view/input.h"
#include "view/options.h"
#include "view/presenter.h"
#include "view/sandbox.h"
#include "view/session.h"
#include "view/window.h"
#include "vk/instance.h"
#include "vk/loader.h"

/*
 * The main thread belongs to the window. The session, with everything of Vulkan, runs in an event
 * loop on a thread of its own, or, without a window, on the main thread.
 *
 * In this order: options; the first half of the sandbox (sandbox.c); the window, the driver, the device; the connection
 * to venera-gpu; the second half; what venera-gpu sends.
 */

#define CONNECT_PATIENCE (5 * CLOCK_NS_PER_S)
#define CONNECT_INTERVAL_MS 50

#define EXIT_USAGE 2

struct view {
	struct view_options options;
	const struct sandbox_policy *policy;
	struct event_loop *loop;
	bool stop_asked;        /* by a signal */
	bool screenshot_asked;  /* before there was a session */
	struct view_session *session;

	struct vk_loader loader;
	struct view_input *input;   /* NULL: nobody wants to know */
	struct view_window *window; /* NULL: headless */
	struct vk_instance instance;
	VkSurfaceKHR surface;
	struct view_device device;
	struct view_presenter presenter;
};

static void handle_stop_signal(void *data, int signal_number) {
	(void)signal_number;
	struct view *view = data;
	view->stop_asked = true;
	event_loop_stop(view->loop);
}

static void handle_screenshot_signal(void *data, int signal_number) {
	(void)signal_number;
	struct view *view = data;
	if (view->session) {
		view_session_screenshot(view->session);
	} else {
		view->screenshot_asked = true;
	}
}

static bool start_loop(struct view *view) {
	view->loop = event_loop_create();
	if (!view->loop || !event_loop_add_signal(view->loop, SIGTERM, handle_stop_signal, view)
			|| !event_loop_add_signal(view->loop, SIGINT, handle_stop_signal, view)
			|| !event_loop_add_signal(view->loop, SIGUSR1, handle_screenshot_signal, view)) {
		log_error("out of memory or file descriptors");
		return false;
	}
	return true;
}

/* Logging begins here, too: what is opened while all is set up is of interest. */
static bool confine(struct view *view) {
	const struct view_options *options = &view->options;
	view->policy = view_sandbox_policy(
		options->display == VIEW_DISPLAY_WINDOW, options->screenshot);
	if (options->sandbox == SANDBOX_LOG) {
		return sandbox_filter(view->policy, SANDBOX_LOG) == 0;
	}
	return sandbox_confine(view->policy, options->sandbox) == 0;
}

/* Must come before the loader is opened. */
static bool choose_driver(const char *driver) {
	if (!driver) {
		return true;
	}
	if (access(driver, R_OK) < 0) {
		log_error("cannot read the driver manifest %s: %s", driver, strerror(errno));
		return false;
	}
	/* the second is the name that loaders before 1.3.207 know */
	return setenv("VK_DRIVER_FILES", driver, 1) == 0
		&& setenv("VK_ICD_FILENAMES", driver, 1) == 0;
}

/* Without a window there is no input. */
static bool start_input(struct view *view) {
	const char *path = view->options.input_socket;
	if (!path || view->options.display != VIEW_DISPLAY_WINDOW) {
		return true;
	}
	int fd = socket_connect(path);
	if (fd < 0) {
		log_error("cannot connect to the input socket %s: %s", path, strerror(-fd));
		return false;
	}
	view->input = view_input_create(fd);
	return view->input != NULL;
}

static bool start_vulkan(struct view *view) {
	const struct view_options *options = &view->options;
	struct vk_error error;
	if (!vk_loader_init(&view->loader, &error)) {
		goto error;
	}

	struct vk_instance_options instance_options = {
		.application_name = "venera-view",
		.api_version = VK_API_VERSION_1_1,
		.validate = options->validate,
	};
	if (options->display == VIEW_DISPLAY_WINDOW) {
		view->window = view_window_create(
			&(struct view_window_options){
				.get_instance_proc_addr = view->loader.get_instance_proc_addr,
				.width = options->width,
				.height = options->height,
				.full_screen = options->full_screen,
				.title = options->title,
				.input = view->input,
			},
			&error);
		if (!view->window) {
			goto error;
		}
		instance_options.extensions =
			view_window_extensions(view->window, &instance_options.extension_count);
		if (!instance_options.extensions) {
			vk_error_set(&error, "no Vulkan driver that can show something in a window: install "
				"the one of the GPU, or Mesa's, or use --display=headless");
			goto error;
		}
	}
	if (!vk_instance_init(&view->instance, &view->loader, &instance_options, &error)) {
		goto error;
	}
	if (view->window) {
		VkResult result = view_window_create_surface(
			view->window, view->instance.handle, &view->surface);
		if (result != VK_SUCCESS) {
			view->surface = VK_NULL_HANDLE;
			vk_error_set(&error, "Vulkan cannot show anything in a window here: %s",
				vk_result_name(result));
			goto error;
		}
	}
	if (!view_device_init(&view->device, &view->instance, view->surface, &error)
			|| !view_presenter_init(&view->presenter, &view->device, view->surface,
				options->present_mode, &error)) {
		goto error;
	}
	return true;

error:
	log_error("%s", error.text);
	return false;
}

/* The session is gone. */
static void stop_vulkan(struct view *view) {
	view_presenter_finish(&view->presenter);
	view_device_finish(&view->device);
	if (view->surface) {
		view->instance.table.DestroySurfaceKHR(view->instance.handle, view->surface, NULL);
	}
	vk_instance_finish(&view->instance);
	view_window_destroy(view->window);
	view_input_destroy(view->input);
	vk_loader_finish(&view->loader);
}

/* A connected descriptor, or -1 with the reason logged or a signal heard. */
static int connect_to_gpu(struct view *view) {
	const struct view_options *options = &view->options;
	if (!options->socket_path) {
		int err = fd_set_cloexec(options->fd, true);
		if (err) {
			log_error("--fd=%d: %s", options->fd, strerror(-err));
			return -1;
		}
		return options->fd;
	}
	const uint64_t give_up = clock_now() + CONNECT_PATIENCE;
	while (!view->stop_asked) {
		int fd = socket_connect(options->socket_path);
		if (fd >= 0) {
			return fd;
		}
		/* not made yet, or made and not listened to yet */
		bool early = fd == -ENOENT || fd == -ECONNREFUSED;
		if (fd == -ENAMETOOLONG) {
			log_error("the socket path %s is too long: at most %zu bytes", options->socket_path,
				socket_path_max());
			return -1;
		}
		if (!early || clock_now() >= give_up) {
			log_error("cannot connect to venera-gpu at %s: %s%s", options->socket_path,
				strerror(-fd), early ? ": is venera-gpu running?" : "");
			return -1;
		}
		event_loop_dispatch(view->loop, CONNECT_INTERVAL_MS);
	}
	return -1;
}

static void run_loop(struct view *view) {
	int err = view->stop_asked ? 0 : event_loop_run(view->loop);
	if (err) {
		log_error("waiting for events: %s", strerror(-err));
	}
}

static void *run_session_thread(void *data) {
	struct view *view = data;
	thread_set_name("session");
	run_loop(view);
	view_window_quit(view->window);
	return NULL;
}

/* Serves the window while the session runs on another thread. */
static bool run_with_window(struct view *view) {
	view_window_show(view->window);
	pthread_t thread;
	int err = pthread_create(&thread, NULL, run_session_thread, view);
	if (err) {
		log_error("cannot start a thread: %s", strerror(err));
		return false;
	}
	if (!view_window_run(view->window)) {
		log_debug("the Vulkan driver hangs: leaving without it");
		_Exit(EXIT_SUCCESS);
	}
	pthread_join(thread, NULL);
	return true;
}

static bool run(struct view *view) {
	const struct view_options *options = &view->options;
	int fd = connect_to_gpu(view);
	if (fd < 0) {
		return view->stop_asked;
	}
	if (options->sandbox == SANDBOX_ON && sandbox_filter(view->policy, SANDBOX_ON) < 0) {
		close(fd);
		return false;
	}
	view->session = view_session_create(&(struct view_session_options){
		.loop = view->loop,
		.fd = fd,
		.presenter = &view->presenter,
		.window = view->window,
		.width = options->width,
		.height = options->height,
		.screenshot = options->screenshot,
	});
	if (!view->session) {
		return false;
	}
	if (view->screenshot_asked) {
		view_session_screenshot(view->session);
	}
	bool ok = true;
	if (view->window) {
		ok = run_with_window(view);
	} else {
		run_loop(view);
	}
	ok = ok && !view_session_failed(view->session);
	view_session_destroy(view->session);
	view->session = NULL;
	return ok;
}

int main(int argc, char **argv) {
	static struct view view; /* the validation layer keeps pointers into it */
	log_init("venera-view", LOG_LEVEL_INFO);
	switch (view_options_parse(&view.options, argc, (const char *const *)argv)) {
	case VIEW_OPTIONS_RUN:
		break;
	case VIEW_OPTIONS_DONE:
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	case VIEW_OPTIONS_WRONG:
		return EXIT_USAGE;
	}
	log_init("venera-view", view.options.log_level);

	bool ok = start_loop(&view) && choose_driver(view.options.driver) && confine(&view)
		&& start_input(&view)
		&& start_vulkan(&view) && run(&view);
	stop_vulkan(&view);
	event_loop_destroy(view.loop);
	unsigned messages = atomic_load(&view.instance.validation_messages);
	if (messages > 0) {
		log_error("the validation layer complained %u times", messages);
		ok = false;
	}
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
