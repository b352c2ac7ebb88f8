/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_GUEST_LOG_H
#define VENERA_GPU_GUEST_LOG_H

#include <stdbool.h>

#include "base/log.h"

/**
 * Lines that a guest can cause as often as it likes: so many are printed in a while, and then that
 * there are more. The log is not the guest's to fill.
 */
#define guest_log_warn(...) guest_log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define guest_log_error(...) guest_log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

#define guest_log_write(...) \
	do { \
		if (guest_log_allowed()) { \
			log_write(__VA_ARGS__); \
		} \
	} while (0)

/** May one more be printed now? */
bool guest_log_allowed(void);

#endif
