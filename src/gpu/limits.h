/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_LIMITS_H
#define VENERA_GPU_LIMITS_H

#include <stdint.h>

/**
 * What a guest can make the device hold. Everything else is bounded by these or by the size of
 * the queues.
 */

/** Resources alive at once. */
#define GPU_MAX_RESOURCES 16384
/** Contexts alive at once, those whose process is still ending included. */
#define GPU_MAX_CONTEXTS 256
/** Pairs of a resource and a context that it is attached to. */
#define GPU_MAX_ATTACHMENTS 65536
/** Bytes of one request, command streams and tables of memory entries included. */
#define GPU_MAX_REQUEST_SIZE (UINT32_C(4) << 20)
/** Pieces of guest memory behind one resource, and behind all of them. */
#define GPU_MAX_BACKING_ENTRIES (UINT32_C(1) << 17)
#define GPU_MAX_BACKING_ENTRIES_TOTAL (UINT32_C(1) << 20)
/** Width and height of an image that is shown, in pixels. */
#define GPU_MAX_EXTENT 16384
/** Bytes of our own storage for 2D resources, all together. */
#define GPU_MAX_2D_BYTES (UINT64_C(2) << 30)
/** Bytes of one blob. */
#define GPU_MAX_BLOB_SIZE (UINT64_C(1) << 40)
/** Bytes that may wait for one render process. Beyond, its context is lost. */
#define GPU_MAX_RENDERER_QUEUE (UINT32_C(64) << 20)
/** Bytes of commands that wait for a resource to be made, all together. */
#define GPU_MAX_DEFERRED_BYTES (UINT32_C(64) << 20)

/** Requests handled before other events get their turn. */
#define GPU_REQUESTS_PER_ROUND 64

/** A view that does not show a frame within this time is not waited for any more. */
#define GPU_VIEW_PATIENCE_MS 1000
/** Bytes that may wait for the view. Beyond, it is cut off. */
#define GPU_MAX_VIEW_QUEUE (UINT32_C(1) << 20)

/** Descriptors that may wait for one render process. Beyond, its context is lost. */
#define GPU_MAX_RENDERER_FDS 128
/** Descriptors kept free for everything that is neither a resource nor a context. */
#define GPU_RESERVED_FDS 256

#endif
