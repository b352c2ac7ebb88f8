/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_LIMIT_H
#define VENERA_RENDER_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/limits.h"

struct render_context;

/**
 * What this context may have of something, counted where the device sees it. No locks: two threads
 * that ask at once may both be refused what one of them could have had.
 */

/** Takes `amount`. false: it is too much; the first time that is logged. Any thread. */
bool render_limit_take(struct render_context *context, enum limit limit, uint64_t amount);

/** Gives it back. */
void render_limit_give(struct render_context *context, enum limit limit, uint64_t amount);

/** Logs, once, that the limit is reached by `value`. */
void render_limit_log(struct render_context *context, enum limit limit, uint64_t value);


#endif
