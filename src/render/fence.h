/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_FENCE_H
#define VENERA_RENDER_FENCE_H

#include <stdint.h>

struct render_context;

/**
 * Makes a fence on a timeline: it retires when all work that was submitted to the timeline's queue before
 * is complete; on ring_idx 0, or a timeline without a queue, at once. Always retires, whatever fails. Context path only.
 */
void render_fence_create(struct render_context *context, uint32_t ring_idx, uint64_t fence_id);

#endif
