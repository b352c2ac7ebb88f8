/* SPDX-License-Identifier: MIT */
#include "cli/display.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/socket.h"
#include "cli/text.h"
#include "ipc/view_protocol.h"

#define DISPLAY_NEEDED "set DISPLAY or WAYLAND_DISPLAY, or use --display=headless"
#define DISPLAY_TRY_MS 15000

static bool socket_lives(const char *path) {
	int fd = socket_connect(path);
	if (fd < 0) {
		return false;
	}
	close(fd);
	return true;
}

char *display_find(void) {
	struct utsname name;
	if (uname(&name) == 0 && !strcmp(name.sysname, "Darwin")) {
		return NULL; /* programs find the window server without being told */
	}
	const char *wayland = getenv("WAYLAND_DISPLAY");
	if (wayland && *wayland) {
		const char *folder = getenv("XDG_RUNTIME_DIR");
		char *path = *wayland == '/' ? text_copy(wayland) :
			text_format("%s/%s", folder ? folder : "", wayland);
		bool lives = socket_lives(path);
		free(path);
		if (lives) {
			return NULL;
		}
	}
	const char *x11 = getenv("DISPLAY");
	if (x11 && *x11) {
		if (*x11 != ':') {
			return NULL; /* on another machine: venera-view will see */
		}
		size_t digits = strspn(x11 + 1, "0123456789");
		char *path = text_format("/tmp/.X11-unix/X%.*s", (int)digits, x11 + 1);
		bool lives = socket_lives(path);
		free(path);
		if (lives) {
			return NULL;
		}
		return text_format("no display: nobody answers at DISPLAY=%s; " DISPLAY_NEEDED, x11);
	}
	if (wayland && *wayland) {
		return text_format("no display: nobody answers at WAYLAND_DISPLAY=%s; " DISPLAY_NEEDED,
			wayland);
	}
	return text_copy("no display; " DISPLAY_NEEDED);
}

/* Waits for the view's first message. */
static bool wait_for_hello(struct channel *channel, struct view_hello *hello) {
	struct pollfd pollfd = {.fd = channel->fd, .events = POLLIN};
	struct channel_message message;
	if (poll(&pollfd, 1, DISPLAY_TRY_MS) <= 0 || channel_recv(channel, &message) != 1) {
		return false;
	}
	bool is_hello = message.type == VIEW_EVENT_HELLO && message.size == sizeof(*hello);
	if (is_hello) {
		memcpy(hello, message.body, sizeof(*hello));
	}
	channel_message_close_fds(&message);
	return is_hello;
}

/* What a program wrote to a file, its last line, without its name. */
static char *read_last_line(FILE *file, const char *otherwise) {
	char text[4096];
	rewind(file);
	size_t size = fread(text, 1, sizeof(text) - 1, file);
	while (size && text[size - 1] == '\n') {
		size--;
	}
	text[size] = '\0';
	char *newline = strrchr(text, '\n');
	char *line = newline ? newline + 1 : text;
	char *error = strstr(line, "error: ");
	return text_copy(!*line ? otherwise : error ? error + strlen("error: ") : line);
}

char *display_try(const char *driver, char **text) {
	char *problem = display_find();
	if (problem) {
		return problem;
	}
	char *program = process_find_sibling("venera-view");
	if (!program) {
		return text_copy("venera-view is not where venera is; install Venera again");
	}
	int fds[2];
	int err = socket_pair(fds);
	FILE *errors = tmpfile();
	struct channel channel;
	if (err || !errors || channel_init(&channel, fds[0])) {
		problem = text_copy("out of descriptors");
		goto out_program;
	}

	struct args args = {0};
	args_add(&args, program);
	args_add_format(&args, "--fd=%d", fds[1]);
	args_add(&args, "--display=window");
	args_add(&args, "--title=venera doctor");
	if (driver) {
		args_add_format(&args, "--driver=%s", driver);
	}
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.path = program;
	options.argv = (const char *const *)args.list;
	options.fds = &fds[1];
	options.fd_count = 1;
	options.stderr_fd = fileno(errors);
	pid_t pid = process_spawn(&options);
	args_finish(&args);
	close(fds[1]);
	struct view_hello hello;
	bool works = pid > 0 && wait_for_hello(&channel, &hello);
	channel_finish(&channel); /* makes it end */
	if (pid > 0 && process_wait(pid, 3000, NULL) == 0) {
		process_terminate(pid, 1000);
	}
	if (!works) {
		problem = read_last_line(errors, "venera-view opens no window and does not say why");
	} else if (hello.refresh_mhz) {
		*text = text_format("a window of %ux%u, %u.%u Hz", hello.width, hello.height,
			hello.refresh_mhz / 1000, hello.refresh_mhz % 1000 / 100);
	} else {
		*text = text_format("a window of %ux%u", hello.width, hello.height);
	}

out_program:
	if (errors) {
		fclose(errors);
	}
	free(program);
	return problem;
}
