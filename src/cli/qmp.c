/* SPDX-License-Identifier: MIT */
#include "cli/qmp.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/socket.h"
#include "cli/text.h"

/* The longest answer that we ask for (query-pci) has some ten thousand bytes. */
#define QMP_MAX_LINE ((size_t)1 << 20)
/* More commands than anybody here queues before QEMU is ready. */
#define QMP_MAX_EARLY 4

struct qmp {
	struct event_source *source;
	int fd;
	bool ready; /* capabilities were negotiated */
	unsigned pending; /* commands without an answer, once ready */
	qmp_func func;
	void *data;
	char *buffer; /* bytes that were read and are not a whole line yet */
	size_t size, capacity;
	const char *early[QMP_MAX_EARLY];
	int early_count;
	bool *destroyed; /* set by qmp_destroy() while a callback runs */
};

static void handle_socket(void *data, int fd, uint32_t mask);

struct qmp *qmp_connect(
		struct event_loop *loop, const char *path, qmp_func func, void *data) {
	int fd = socket_connect(path);
	if (fd < 0) {
		return NULL;
	}
	struct qmp *qmp = calloc(1, sizeof(*qmp));
	if (!qmp) {
		goto error_fd;
	}
	qmp->fd = fd;
	qmp->func = func;
	qmp->data = data;
	if (socket_set_blocking(fd, false) < 0) {
		goto error_qmp;
	}
	qmp->source = event_loop_add_fd(loop, fd, EVENT_READABLE, handle_socket, qmp);
	if (!qmp->source) {
		goto error_qmp;
	}
	return qmp;

error_qmp:
	free(qmp);
error_fd:
	close(fd);
	return NULL;
}

void qmp_destroy(struct qmp *qmp) {
	if (!qmp) {
		return;
	}
	if (qmp->destroyed) {
		*qmp->destroyed = true;
	}
	event_source_remove(qmp->source);
	close(qmp->fd);
	free(qmp->buffer);
	free(qmp);
}

void qmp_send(struct qmp *qmp, const char *text, size_t size) {
	/* A few hundred bytes always fit the socket. If QEMU is gone, reading tells. */
	(void)socket_send_fds(qmp->fd, text, size, NULL, 0);
	qmp->pending++;
}

unsigned qmp_pending(const struct qmp *qmp) {
	return qmp->ready ? qmp->pending : UINT_MAX;
}

static void send_command(struct qmp *qmp, const char *command) {
	char *text = text_format("{\"execute\": \"%s\"}\n", command);
	qmp_send(qmp, text, strlen(text));
	free(text);
}

void qmp_execute(struct qmp *qmp, const char *command) {
	if (qmp->ready) {
		send_command(qmp, command);
	} else if (qmp->early_count < QMP_MAX_EARLY) {
		qmp->early[qmp->early_count++] = command;
	}
}

static void count_answer(struct qmp *qmp) {
	qmp->pending -= qmp->pending > 0;
}

static void handle_line(struct qmp *qmp, const char *line, size_t length) {
	struct json message = json_parse(line, length);
	struct json value = json_member(message, "QMP");
	if (json_exists(value)) {
		qmp->func(qmp->data, QMP_READY, json_member(value, "version"));
		return;
	}
	value = json_member(message, "return");
	if (json_exists(value)) {
		count_answer(qmp);
		qmp->func(qmp->data, QMP_RETURN, value);
		return;
	}
	value = json_member(message, "error");
	if (json_exists(value)) {
		count_answer(qmp);
		qmp->func(qmp->data, QMP_ERROR, value);
	} else if (json_exists(json_member(message, "event"))) {
		qmp->func(qmp->data, QMP_EVENT, message);
	}
}

/* The handshake: the greeting, then the answer to qmp_capabilities. */
static void handle_early_line(struct qmp *qmp, const char *line, size_t length) {
	struct json message = json_parse(line, length);
	if (json_exists(json_member(message, "QMP"))) {
		send_command(qmp, "qmp_capabilities");
		handle_line(qmp, line, length);
	} else if (json_exists(json_member(message, "return"))) {
		qmp->ready = true;
		count_answer(qmp);
		for (int i = 0; i < qmp->early_count; i++) {
			send_command(qmp, qmp->early[i]);
		}
		qmp->early_count = 0;
	} else {
		handle_line(qmp, line, length);
	}
}

static bool grow_buffer(struct qmp *qmp) {
	if (qmp->capacity >= QMP_MAX_LINE) {
		return false;
	}
	size_t capacity = qmp->capacity ? 2 * qmp->capacity : 4096;
	char *buffer = realloc(qmp->buffer, capacity);
	if (!buffer) {
		return false;
	}
	qmp->buffer = buffer;
	qmp->capacity = capacity;
	return true;
}

static void handle_socket(void *data, int fd, uint32_t mask) {
	struct qmp *qmp = data;
	(void)mask;
	if (qmp->size == qmp->capacity && !grow_buffer(qmp)) {
		qmp->func(qmp->data, QMP_CLOSED, (struct json){0});
		return;
	}
	ssize_t count = read(fd, qmp->buffer + qmp->size, qmp->capacity - qmp->size);
	if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
		return;
	}
	if (count <= 0) {
		qmp->func(qmp->data, QMP_CLOSED, (struct json){0});
		return;
	}
	qmp->size += (size_t)count;

	bool destroyed = false;
	qmp->destroyed = &destroyed;
	size_t begin = 0;
	for (;;) {
		char *newline = memchr(qmp->buffer + begin, '\n', qmp->size - begin);
		if (!newline) {
			break;
		}
		size_t length = (size_t)(newline - (qmp->buffer + begin));
		if (qmp->ready) {
			handle_line(qmp, qmp->buffer + begin, length);
		} else {
			handle_early_line(qmp, qmp->buffer + begin, length);
		}
		if (destroyed) {
			return;
		}
		begin += length + 1;
	}
	qmp->destroyed = NULL;
	memmove(qmp->buffer, qmp->buffer + begin, qmp->size - begin);
	qmp->size -= begin;
}
