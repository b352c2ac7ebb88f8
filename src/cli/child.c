/* SPDX-License-Identifier: MIT */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/socket.h"

void child_init(struct child *child, const char *name, struct event_loop *loop) {
	*child = (struct child){.name = name, .loop = loop, .error_fd = -1};
}

static bool is_harmless(const struct child *child, const char *line) {
	for (size_t i = 0; child->harmless && child->harmless[i]; i++) {
		if (strstr(line, child->harmless[i])) {
			return true;
		}
	}
	return false;
}

/*
 * Our own programs begin their lines with their names already, and so does QEMU, with the
 * name of its executable: that one is replaced.
 */
static void print_line(struct child *child, const char *line) {
	if (is_harmless(child, line)) {
		return;
	}
	child->spoke = true;
	char text[CHILD_LINE_BYTES + 64];
	int length;
	if (!strncmp(line, "venera", 6)) {
		length = snprintf(text, sizeof(text), "%s\n", line);
	} else {
		size_t name_length = strcspn(line, ": ");
		if (!strncmp(line, "qemu-system-", 12) && !strncmp(line + name_length, ": ", 2)) {
			line += name_length + 2;
		}
		length = snprintf(text, sizeof(text), "%s: %s\n", child->name, line);
	}
	/* one write for a line, so that lines of several processes do not mix */
	ssize_t written;
	do {
		written = write(STDERR_FILENO, text, (size_t)length);
	} while (written < 0 && errno == EINTR);
}

static void flush_line(struct child *child) {
	if (child->line_length) {
		child->line[child->line_length] = '\0';
		print_line(child, child->line);
		child->line_length = 0;
	}
}

/* false when there is no more to come. */
static bool read_errors(struct child *child) {
	for (;;) {
		char bytes[4096];
		ssize_t count = read(child->error_fd, bytes, sizeof(bytes));
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count <= 0) {
			return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
		}
		for (ssize_t i = 0; i < count; i++) {
			if (bytes[i] == '\n' || bytes[i] == '\r' || !bytes[i]) {
				flush_line(child);
				continue;
			}
			if (child->line_length == sizeof(child->line) - 1) {
				flush_line(child);
			}
			child->line[child->line_length++] = bytes[i];
		}
	}
}

static void close_errors(struct child *child) {
	event_source_remove(child->error_source);
	child->error_source = NULL;
	if (child->error_fd >= 0) {
		close(child->error_fd);
		child->error_fd = -1;
	}
	flush_line(child);
}

static void handle_errors(void *data, int fd, uint32_t mask) {
	struct child *child = data;
	(void)fd;
	(void)mask;
	if (!read_errors(child)) {
		close_errors(child);
	}
}

bool child_start(struct child *child, const struct args *args, enum child_terminal terminal) {
	int pipe_fds[2] = {-1, -1}, null_fd = -1;
	int err = pipe(pipe_fds) < 0 ? -errno : 0;
	if (err) {
		goto error;
	}
	if (terminal == CHILD_DETACHED) {
		null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null_fd < 0) {
			err = -errno;
			goto error;
		}
	}
	for (int i = 0; i < 2 && !err; i++) {
		err = fd_set_cloexec(pipe_fds[i], true);
	}
	if (!err) {
		err = socket_set_blocking(pipe_fds[0], false);
	}
	if (err) {
		goto error;
	}
	child->error_source =
		event_loop_add_fd(child->loop, pipe_fds[0], EVENT_READABLE, handle_errors, child);
	if (!child->error_source) {
		err = -ENOMEM;
		goto error;
	}
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.path = args->list[0];
	options.argv = (const char *const *)args->list;
	options.stdin_fd = null_fd;
	options.stdout_fd = terminal == CHILD_DETACHED ? pipe_fds[1] : -1;
	options.stderr_fd = pipe_fds[1];
	/* Without a terminal there is no need for the child to be in our group, and outside it the
	 * signals that are meant for us do not end it before its time. */
	options.new_group = terminal == CHILD_DETACHED || !isatty(STDIN_FILENO);
	pid_t pid = process_spawn(&options);
	if (pid < 0) {
		err = pid;
		event_source_remove(child->error_source);
		child->error_source = NULL;
		goto error;
	}
	child->started = true;
	child->pid = pid;
	child->error_fd = pipe_fds[0];
	close(pipe_fds[1]);
	if (null_fd >= 0) {
		close(null_fd);
	}
	return true;

error:
	log_error("cannot start %s (%s): %s", child->name, args->list[0], strerror(-err));
	for (int i = 0; i < 2; i++) {
		if (pipe_fds[i] >= 0) {
			close(pipe_fds[i]);
		}
	}
	if (null_fd >= 0) {
		close(null_fd);
	}
	return false;
}

bool child_reap(struct child *child) {
	if (!child_running(child) || process_wait(child->pid, 0, &child->status) == 0) {
		return false;
	}
	child->pid = 0;
	if (child->error_fd >= 0) {
		/* Not to the end of the pipe: what the child started may still hold it. */
		read_errors(child);
	}
	close_errors(child);
	return true;
}

int child_exit_code(const struct child *child) {
	if (WIFSIGNALED(child->status)) {
		return 128 + WTERMSIG(child->status);
	}
	return WEXITSTATUS(child->status);
}

void child_signal(const struct child *child, int signal_number) {
	if (child_running(child)) {
		kill(child->pid, signal_number);
	}
}

void child_finish(struct child *child) {
	if (child_running(child)) {
		process_terminate(child->pid, 0);
		child->pid = 0;
	}
	close_errors(child);
}
