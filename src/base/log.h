/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_LOG_H
#define VENERA_BASE_LOG_H

#include <stdbool.h>

/**
 * Log lines go to standard error, one write each, so that lines of several
 * processes never mix: "program: error: text". Info lines carry no level word.
 */
enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/**
 * Sets the name that begins every line and the most talkative level that is
 * printed. `program` must outlive the process. Before the call the name is "venera"
 * and the level LOG_LEVEL_INFO.
 */
void log_init(const char *program, enum log_level level);

/** Parses "error", "warn", "info" or "debug"; false if it is none of them. */
bool log_level_parse(const char *text, enum log_level *level);

const char *log_level_name(enum log_level level);

enum log_level log_get_level(void);

#if defined(__GNUC__)
#define LOG_PRINTF(format_index, first_arg) \
	__attribute__((format(printf, format_index, first_arg)))
#else
#define LOG_PRINTF(format_index, first_arg)
#endif

void log_write(enum log_level level, const char *format, ...) LOG_PRINTF(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
