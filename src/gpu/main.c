/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/event_loop.h"
#include "base/process.h"
#include "base/socket.h"
#include "gpu/control.h"
#include "gpu/device.h"
#include "gpu/display.h"
#include "gpu/options.h"
#include "gpu/reaper.h"
#include "gpu/sandbox.h"
#include "gpu/stat.h"
#include "ipc/broker.h"

/*
 * In this order: options; the broker, which can do what the sandbox takes; sockets, of which nothing is read yet;
 * the sandbox (sandbox.c); events, guests' among them.
 */

struct program {
	struct options options;
	struct event_loop *loop;
	struct broker *broker;
	struct reaper *reaper;
	struct display *display;
	char *renderer;
	const char *files[4]; /* our sockets; ends with NULL */

	int listen_fd; /* -1: none, or the front end is there */
	struct event_source *listen_source;
	int caller_fd; /* has connected and said nothing yet; -1: nobody */
	struct event_source *caller_source;
	bool listens_for_view; /* at a socket that is ours */
	struct control *control; /* NULL: none */
	struct gpu_device *device; /* NULL until the front end is there */
	int exit_code;
};

static void stop(struct program *program, int exit_code) {
	program->exit_code = exit_code;
	event_loop_stop(program->loop);
}

static void handle_signal(void *data, int signal_number) {
	log_debug("ended by signal %d", signal_number);
	stop(data, EXIT_SUCCESS);
}

static void handle_closed(void *data, int err) {
	if (err) {
		log_error("the front end's connection broke: %s", strerror(-err));
	}
	stop(data, err ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Takes ownership of the front end's socket. */
static bool start_device(struct program *program, int fd) {
	struct gpu_device_options options = {
		.hostmem = program->options.hostmem,
		.limits = program->options.limits,
		.blob_alignment = program->options.blob_alignment,
		.output_count = program->options.max_outputs,
		.broker = program->broker,
		.closed = handle_closed,
		.data = program,
	};
	program->device = gpu_device_create(
		program->loop, program->reaper, program->display, fd, &options);
	return program->device != NULL;
}

/* There is one front end; whoever comes later finds nobody. */
static void close_listener(struct program *program) {
	event_source_remove(program->listen_source);
	program->listen_source = NULL;
	if (program->listen_fd >= 0) {
		close(program->listen_fd);
		program->listen_fd = -1;
		if (program->options.socket_path) {
			broker_remove_file(program->broker, program->options.socket_path);
		}
	}
}

static void close_caller(struct program *program) {
	event_source_remove(program->caller_source);
	program->caller_source = NULL;
	if (program->caller_fd >= 0) {
		close(program->caller_fd);
		program->caller_fd = -1;
	}
}

/*
 * Whoever connects is the front end when it says something. Others connect only to see whether
 * somebody listens: that must not be the end of us.
 */
static void handle_caller(void *data, int fd, uint32_t mask) {
	struct program *program = data;
	(void)mask;
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_PEEK);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (got <= 0) {
		close_caller(program);
		event_source_fd_update(program->listen_source, EVENT_READABLE);
		return;
	}
	program->caller_fd = -1; /* it is the device's */
	close_caller(program);
	close_listener(program);
	if (!start_device(program, fd)) {
		stop(program, EXIT_FAILURE);
	}
}

static void handle_listen(void *data, int listen_fd, uint32_t mask) {
	struct program *program = data;
	(void)mask;
	int fd = socket_accept(listen_fd);
	if (fd == -EAGAIN) {
		return;
	}
	if (fd >= 0) {
		program->caller_fd = fd;
		program->caller_source =
			event_loop_add_fd(program->loop, fd, EVENT_READABLE, handle_caller, program);
		if (program->caller_source) {
			event_source_fd_update(program->listen_source, 0);
			return;
		}
		close_caller(program);
		fd = -ENOMEM;
	}
	log_error("the front end cannot connect: %s", strerror(-fd));
	stop(program, EXIT_FAILURE);
}

static bool is_listening(int fd) {
	int listening = 0;
	socklen_t size = sizeof(listening);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

static int listen_at(const char *option, const char *path) {
	int fd = socket_listen(path);
	if (fd == -EADDRINUSE) {
		log_error("--%s=%s: another program listens there; end it or choose another path",
			option, path);
	} else if (fd == -ENAMETOOLONG) {
		log_error("--%s=%s: the path is too long; sockets take %zu bytes", option, path,
			socket_path_max());
	} else if (fd < 0) {
		log_error("--%s=%s: cannot listen there: %s", option, path, strerror(-fd));
	}
	return fd;
}

static bool wait_for_front_end(struct program *program) {
	int fd = program->options.fd;
	if (program->options.socket_path) {
		fd = listen_at("socket-path", program->options.socket_path);
	} else if (!is_listening(fd)) {
		return start_device(program, fd);
	}
	if (fd < 0) {
		return false;
	}
	program->listen_fd = fd;
	int err = socket_set_blocking(fd, false);
	if (!err) {
		err = fd_set_cloexec(fd, true);
	}
	if (!err) {
		program->listen_source =
			event_loop_add_fd(program->loop, fd, EVENT_READABLE, handle_listen, program);
		err = program->listen_source ? 0 : -ENOMEM;
	}
	if (err) {
		log_error("cannot wait for the front end: %s", strerror(-err));
	}
	return !err;
}

static bool wait_for_view(struct program *program) {
	int fd = program->options.view_fd;
	int err = 0;
	if (program->options.view_socket) {
		fd = listen_at("view-socket", program->options.view_socket);
		if (fd < 0) {
			return false;
		}
		program->listens_for_view = true;
		err = display_listen(program->display, fd);
	} else if (fd >= 0 && is_listening(fd)) {
		err = display_listen(program->display, fd);
	} else if (fd >= 0) {
		err = display_connect_view(program->display, fd);
	}
	if (err) {
		log_error("cannot serve a view: %s", strerror(-err));
	}
	return !err;
}

static void write_stat(void *data, struct json_text *text) {
	const struct program *program = data;
	gpu_stat_write(text, program->device, program->display, program->options.max_outputs);
}

static const struct control_ops control_ops = {.stat = write_stat};

static bool start_control(struct program *program) {
	const char *path = program->options.control_socket;
	if (!path) {
		return true;
	}
	int fd = listen_at("control-socket", path);
	if (fd < 0) {
		return false;
	}
	program->control = control_create(program->loop, fd, &control_ops, program);
	if (!program->control) {
		broker_remove_file(program->broker, path);
	}
	return program->control != NULL;
}

/* Before there is anything that it would inherit. */
static bool start_broker(struct program *program) {
	const struct options *options = &program->options;
	const char **file = program->files;
	const char *const sockets[] = {
		options->socket_path, options->view_socket, options->control_socket};
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		if (sockets[i]) {
			*file++ = sockets[i];
		}
	}
	program->broker = broker_create(&(struct broker_options){
		.program = program->renderer,
		.sandbox = options->sandbox,
		.log_level = options->log_level,
		.validate = options->validate,
		.limits = &options->limits,
		.files = program->files,
	});
	return program->broker != NULL;
}

static bool start(struct program *program) {
	/* a front end that is gone shows in the channel, not as a signal */
	signal(SIGPIPE, SIG_IGN);
	fd_limit_raise();
	/* for the render processes; the second name is that of loaders before 1.3.207 */
	const char *driver = program->options.driver;
	if (driver && (setenv("VK_DRIVER_FILES", driver, 1) < 0 ||
			setenv("VK_ICD_FILENAMES", driver, 1) < 0)) {
		log_error("cannot start: %s", strerror(errno));
		return false;
	}
	program->renderer = process_find_sibling("venera-render");
	if (!program->renderer) {
		log_error("venera-render is missing: it should be beside venera-gpu; "
			"install both or set VENERA_BINDIR");
		return false;
	}
	if (!start_broker(program)) {
		log_error("cannot start: %s", strerror(errno));
		return false;
	}
	program->loop = event_loop_create();
	if (!program->loop ||
			!event_loop_add_signal(program->loop, SIGTERM, handle_signal, program) ||
			!event_loop_add_signal(program->loop, SIGINT, handle_signal, program)) {
		log_error("cannot start: %s", strerror(errno));
		return false;
	}
	program->reaper = reaper_create(program->loop, program->broker);
	struct display_options display_options = {
		.width = program->options.width,
		.height = program->options.height,
		.output_count = program->options.max_outputs,
	};
	program->display = display_create(program->loop, &display_options);
	if (!program->reaper || !program->display) {
		log_error("cannot start: %s", strerror(errno));
		return false;
	}
	if (!start_control(program)) {
		return false;
	}
	/* In this order: who sees the view's socket knows that the front end's is listened to. */
	return wait_for_front_end(program) && wait_for_view(program) &&
		sandbox_enter(gpu_sandbox_policy(), program->options.sandbox) == 0;
}

static void finish(struct program *program) {
	if (program->control) {
		control_destroy(program->control);
		broker_remove_file(program->broker, program->options.control_socket);
	}
	gpu_device_destroy(program->device);
	display_destroy(program->display);
	close_caller(program);
	close_listener(program);
	if (program->listens_for_view) {
		broker_remove_file(program->broker, program->options.view_socket);
	}
	/* waits for the render processes, whose channels were closed above */
	reaper_destroy(program->reaper);
	broker_destroy(program->broker);
	event_loop_destroy(program->loop);
	free(program->renderer);
}

int main(int argc, char **argv) {
	log_init("venera-gpu", LOG_LEVEL_INFO);
	struct program program = {.listen_fd = -1, .caller_fd = -1, .exit_code = EXIT_SUCCESS};
	switch (options_parse(&program.options, argc, argv)) {
	case OPTIONS_RUN:
		break;
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_ERROR:
		return EXIT_FAILURE;
	}
	log_init("venera-gpu", program.options.log_level);

	if (!start(&program)) {
		program.exit_code = EXIT_FAILURE;
	} else {
		int err = event_loop_run(program.loop);
		if (err) {
			log_error("cannot wait for events: %s", strerror(-err));
			program.exit_code = EXIT_FAILURE;
		}
	}
	finish(&program);
	return program.exit_code;
}
