/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/socket.h"
#include "cli/qemu.h"

/*
 * Theory of operation
 *
 * QEMU is started with its monitor on standard input and output, which is one end of a socket
 * pair, and its errors in a pipe. Commands are sent one after the other, each when the one
 * before was answered. Whatever goes wrong, the error is the last line that QEMU wrote to the pipe,
 * if there is one: it knows best.
 */

#define ASK_TIMEOUT_MS 20000
#define ASK_MAX_LINE ((size_t)1 << 20)

struct conversation {
	pid_t pid;
	int monitor_fd, error_fd;
	uint64_t deadline;
	char *buffer; /* of the monitor: `size` bytes, of which `line` are the present line */
	size_t size, line;
};

static bool start(struct conversation *talk, const struct args *qemu_args) {
	struct args args = {0};
	for (size_t i = 0; i < qemu_args->count; i++) {
		args_add(&args, qemu_args->list[i]);
	}
	args_add(&args, "-qmp");
	args_add(&args, "stdio");

	int monitor[2] = {-1, -1}, errors[2] = {-1, -1};
	bool started = false;
	if (socket_pair(monitor) == 0 && pipe(errors) == 0 && fd_set_cloexec(errors[0], true) == 0 &&
			fd_set_cloexec(errors[1], true) == 0 &&
			socket_set_blocking(errors[0], false) == 0) {
		struct process_options options = PROCESS_OPTIONS_DEFAULT;
		options.path = args.list[0];
		options.argv = (const char *const *)args.list;
		options.stdin_fd = monitor[1];
		options.stdout_fd = monitor[1];
		options.stderr_fd = errors[1];
		options.new_group = true;
		talk->pid = process_spawn(&options);
		started = talk->pid > 0;
	}
	args_finish(&args);
	for (int i = 0; i < 2; i++) {
		if (i == 0 && started) {
			continue; /* our ends */
		}
		if (monitor[i] >= 0) {
			close(monitor[i]);
		}
		if (errors[i] >= 0) {
			close(errors[i]);
		}
	}
	talk->monitor_fd = monitor[0];
	talk->error_fd = errors[0];
	return started;
}

/* The next message; one that does not exist when QEMU ended, hangs or talks too much. */
static struct json next_message(struct conversation *talk) {
	const struct json none = {0};
	if (talk->line) { /* the one before is done with */
		talk->size -= talk->line;
		memmove(talk->buffer, talk->buffer + talk->line, talk->size);
		talk->line = 0;
	}
	for (;;) {
		char *newline = talk->size ? memchr(talk->buffer, '\n', talk->size) : NULL;
		if (newline) {
			talk->line = (size_t)(newline - talk->buffer) + 1;
			return json_parse(talk->buffer, talk->line);
		}
		uint64_t now = clock_now();
		if (now >= talk->deadline || talk->size >= ASK_MAX_LINE) {
			return none;
		}
		struct pollfd pollfd = {.fd = talk->monitor_fd, .events = POLLIN};
		int ready = poll(&pollfd, 1, (int)((talk->deadline - now) / CLOCK_NS_PER_MS) + 1);
		if (ready < 0 && errno != EINTR) {
			return none;
		}
		if (ready <= 0) {
			continue;
		}
		char *buffer = realloc(talk->buffer, talk->size + 4096);
		if (!buffer) {
			return none;
		}
		talk->buffer = buffer;
		ssize_t count = read(talk->monitor_fd, buffer + talk->size, 4096);
		if (count == 0 || (count < 0 && errno != EINTR)) {
			return none;
		}
		talk->size += count > 0 ? (size_t)count : 0;
	}
}

/* Sends a command and returns its answer, an object with "return" or "error". */
static struct json execute(struct conversation *talk, const char *command) {
	char *text = text_format("{\"execute\": \"%s\"}\n", command);
	ssize_t sent = socket_send_fds(talk->monitor_fd, text, strlen(text), NULL, 0);
	bool complete = sent == (ssize_t)strlen(text);
	free(text);
	while (complete) {
		struct json message = next_message(talk);
		if (!json_exists(message) || json_exists(json_member(message, "return")) ||
				json_exists(json_member(message, "error"))) {
			return message;
		}
	}
	return (struct json){0};
}

/* The last line that QEMU wrote about errors, without its name, or `otherwise`. */
static char *last_words(const struct conversation *talk, const char *otherwise) {
	char text[2048];
	size_t size = 0;
	for (;;) {
		if (size == sizeof(text)) { /* the end is what counts */
			memmove(text, text + sizeof(text) / 2, sizeof(text) / 2);
			size = sizeof(text) / 2;
		}
		ssize_t count = read(talk->error_fd, text + size, sizeof(text) - size);
		if (count <= 0) {
			break;
		}
		size += (size_t)count;
	}
	while (size && (text[size - 1] == '\n' || text[size - 1] == '\r')) {
		size--;
	}
	if (!size) {
		return text_copy(otherwise);
	}
	size_t begin = size;
	while (begin && text[begin - 1] != '\n') {
		begin--;
	}
	char *line = text_format("%.*s", (int)(size - begin), text + begin);
	char *colon = strstr(line, ": ");
	if (!strncmp(line, "qemu-system-", 12) && colon) {
		memmove(line, colon + 2, strlen(colon + 2) + 1);
	}
	return line;
}

char *qemu_ask(const struct args *args, int settle_ms, const char *const *commands,
		qemu_answer_func func, void *data) {
	struct conversation talk = {.monitor_fd = -1, .error_fd = -1};
	talk.deadline = clock_now() + ASK_TIMEOUT_MS * CLOCK_NS_PER_MS;
	if (!start(&talk, args)) {
		return text_format("cannot start %s", args->list[0]);
	}
	bool alive = json_exists(json_member(next_message(&talk), "QMP")) &&
		json_exists(json_member(execute(&talk, "qmp_capabilities"), "return"));
	if (alive && settle_ms) {
		clock_sleep((uint64_t)settle_ms * CLOCK_NS_PER_MS);
	}
	for (int i = 0; alive && commands[i]; i++) {
		struct json message = execute(&talk, commands[i]);
		alive = json_exists(message);
		if (alive) {
			func(data, commands[i], json_member(message, "return"));
		}
	}
	if (alive) {
		execute(&talk, "quit");
	}
	if (process_wait(talk.pid, alive ? 2000 : 200, NULL) == 0) {
		kill(talk.pid, SIGKILL);
		process_wait(talk.pid, -1, NULL);
	}
	char *problem = alive ? NULL : last_words(&talk, "QEMU gives no answer");
	close(talk.monitor_fd);
	close(talk.error_fd);
	free(talk.buffer);
	return problem;
}
