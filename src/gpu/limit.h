/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_LIMIT_H
#define VENERA_GPU_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/limits.h"

struct gpu_context;
struct gpu_device;

/**
 * Is there room for `more` beside the `used`? If not, that is logged, once for each limit and context;
 * `context` is NULL if none is concerned.
 */
bool gpu_limit_allows(struct gpu_device *device, struct gpu_context *context, enum limit limit,
	uint64_t used, uint64_t more);

/** What a context's render process has by its own count, but no more than its limit. */
uint64_t gpu_limit_used(const struct gpu_context *context, enum limit limit);

/** Tells each render process what all others have. To be called when one's share has changed. */
void gpu_limit_share(struct gpu_device *device);

#endif
