/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_BOUNDS_H
#define VENERA_GPU_BOUNDS_H

#include <stdint.h>

/**
 * Bounds of single things, which nobody needs to change. What a guest can make the device hold in
 * all is in ipc/limits.h.
 */

/** Bytes of one request, command streams and tables of memory entries included. */
#define GPU_MAX_REQUEST_SIZE (UINT32_C(4) << 20)
/** Of LIMIT_BACKING_PIECES one resource may have a part. */
#define GPU_BACKING_SHARE 8
/** Width and height of an image that is shown, in pixels. */
#define GPU_MAX_EXTENT 16384
/** Bytes of one blob. */
#define GPU_MAX_BLOB_SIZE (UINT64_C(1) << 40)

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
