/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* With its newline. Writes to a pipe of up to PIPE_BUF bytes (4096 on Linux, 512 on macOS) are
 * not torn; lines over 512 are rare. */
#define LINE_MAX_BYTES 1024

static _Atomic(const char *) log_program = "venera";
static _Atomic int log_level = LOG_LEVEL_INFO;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_init(const char *program, enum log_level level) {
	atomic_store_explicit(&log_program, program, memory_order_release);
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

bool log_level_parse(const char *text, enum log_level *level) {
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *log_level_name(enum log_level level) {
	return level_names[level];
}

enum log_level log_get_level(void) {
	return (enum log_level)atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* Adds what a printf function wrote, or wanted to write, to the used part of the line. */
static size_t line_grow(size_t used, size_t capacity, int written) {
	if (written < 0) {
		return used;
	}
	return (size_t)written < capacity - used ? used + (size_t)written : capacity;
}

void log_write(enum log_level level, const char *format, ...) {
	if ((int)level > atomic_load_explicit(&log_level, memory_order_relaxed)) {
		return;
	}
	int saved_errno = errno;

	char line[LINE_MAX_BYTES];
	const size_t capacity = LINE_MAX_BYTES - 1; /* leaves room for the newline */
	const char *program = atomic_load_explicit(&log_program, memory_order_acquire);
	bool named = level != LOG_LEVEL_INFO;
	size_t used = line_grow(0, capacity, snprintf(line, capacity + 1, "%s: %s%s", program,
		named ? level_names[level] : "", named ? ": " : ""));

	va_list args;
	va_start(args, format);
	size_t wanted = used;
	int written = vsnprintf(line + used, capacity + 1 - used, format, args);
	va_end(args);
	if (written > 0) {
		wanted += (size_t)written;
	}
	used = line_grow(used, capacity, written);
	if (wanted > capacity) {
		memcpy(line + capacity - 3, "...", 3);
	}

	/* What a guest named must neither forge lines nor talk to the terminal. */
	for (size_t i = 0; i < used; i++) {
		unsigned char c = (unsigned char)line[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			line[i] = '?';
		}
	}
	line[used++] = '\n';

	ssize_t result;
	do {
		result = write(STDERR_FILENO, line, used);
	} while (result < 0 && errno == EINTR);
	errno = saved_errno;
}
