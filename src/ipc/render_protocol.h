/* SPDX-License-Identifier: MIT */
#ifndef VENERA_IPC_RENDER_PROTOCOL_H
#define VENERA_IPC_RENDER_PROTOCOL_H

#include <stdatomic.h>
#include <stdint.h>

#include "ipc/limits.h"

/**
 * Messages between a device (venera-gpu or venera-vtest) and the venera-render process of one
 * Venus context, over a base/channel. The device starts the process with the
 * channel's descriptor; the context lives as long as the channel. Closing it is how
 * the device destroys the context: the process then frees everything and exits, within
 * RENDER_EXIT_GRACE_MS or by force of the device.
 *
 * The device trusts nothing that comes back: whoever owns the guest may own the
 * render process through a driver's bug.
 *
 * Requests are executed in the order sent, on the context path: one that blocks (a stream with
 * vkWaitRingSeqnoMESA) delays those behind it. Nothing but CREATE_BLOB is answered, in
 * order; fences are reported when they retire, in order for each ring_idx.
 *
 * After RENDER_EVENT_LOST the context is dead: the process answers every CREATE_BLOB with
 * -ENODEV and retires every fence at once, until the channel is closed.
 */

#define RENDER_EXIT_GRACE_MS 2000

/** Fence timelines (ring_idx) of a context: 0 is the context path, the others are queues. */
#define RENDER_MAX_TIMELINES 64

enum render_request {
	/** Makes a resource of a blob id (struct render_create_blob). Answered by RENDER_EVENT_BLOB. */
	RENDER_REQUEST_CREATE_BLOB = 1,
	/**
	 * Gives the context a resource that was made elsewhere (struct render_attach_resource; one
	 * descriptor of shared memory).
	 */
	RENDER_REQUEST_ATTACH_RESOURCE = 2,
	/**
	 * The context loses a resource, own or attached (struct render_detach_resource). Its memory lives on
	 * where it is still imported or mapped.
	 */
	RENDER_REQUEST_DETACH_RESOURCE = 3,
	/** A Venus command stream, then perhaps a fence (struct render_submit, then the stream). */
	RENDER_REQUEST_SUBMIT = 4,
	/**
	 * What the guest's process is called in log lines from now on (struct render_name): the first
	 * message to a process that was started before there was a guest's process for it (--spare).
	 */
	RENDER_REQUEST_NAME = 5,
};

enum render_event {
	/** The answer to CREATE_BLOB (struct render_blob; one descriptor if error is 0 and size is not 0). */
	RENDER_EVENT_BLOB = 1,
	/** A fence has retired (struct render_fence). */
	RENDER_EVENT_FENCE = 2,
	/** The guest violated the protocol or the device failed for good (struct render_lost). Once. */
	RENDER_EVENT_LOST = 3,
	/**
	 * Memory in use has changed by RENDER_USAGE_STEP or more since the last of these: see
	 * render_counters.others (no body).
	 */
	RENDER_EVENT_USAGE = 4,
};

#define RENDER_USAGE_STEP (UINT64_C(16) << 20)

/** The values of virtio-gpu's blob_flags. */
enum render_blob_flag {
	RENDER_BLOB_MAPPABLE = 1 << 0,
	RENDER_BLOB_SHAREABLE = 1 << 1,
	RENDER_BLOB_CROSS_DEVICE = 1 << 2,
};

/** The values of virtio-gpu's map_info. */
enum render_map_info {
	RENDER_MAP_NONE = 0,
	RENDER_MAP_CACHED = 1,
	RENDER_MAP_UNCACHED = 2,
	RENDER_MAP_WRITE_COMBINED = 3,
};

struct render_name {
	char text[64]; /* ends with NUL, printable */
};

/** What a process with --spare is called, in ps and the like, until it is given a name. */
#define RENDER_SPARE_THREAD_NAME "venera-spare"

struct render_create_blob {
	uint32_t resource_id; /* nonzero, not in use in this context */
	uint32_t blob_flags;  /* render_blob_flag */
	uint64_t blob_id;     /* 0: new shared memory; else the id of a VkDeviceMemory */
	uint64_t size;        /* bytes */
};

struct render_attach_resource {
	uint32_t resource_id;
	uint32_t map_info; /* render_map_info */
	uint64_t size;     /* bytes of the shared memory behind the descriptor */
};

struct render_detach_resource {
	uint32_t resource_id;
	uint32_t reserved; /* 0 */
};

enum render_submit_flag {
	/** A fence follows the stream: it retires on ring_idx with fence_id. */
	RENDER_SUBMIT_FENCE = 1 << 0,
};

/** The stream follows: all that is left of the body, a multiple of 4 bytes. */
struct render_submit {
	uint64_t fence_id; /* chosen by the device, growing within a ring_idx */
	uint32_t flags;    /* render_submit_flag */
	uint32_t ring_idx; /* less than RENDER_MAX_TIMELINES */
};

struct render_blob {
	uint32_t resource_id;
	int32_t error;     /* 0 or a negative errno: no such memory, not mappable, ... */
	uint32_t map_info; /* render_map_info */
	uint32_t reserved; /* 0 */
	uint64_t size;     /* bytes of the shared memory behind the descriptor; the blob begins at 0 */
};

struct render_fence {
	uint64_t fence_id;
	uint32_t ring_idx;
	uint32_t reserved; /* 0 */
};

/** What is limited for all contexts together, as what each of them has. */
enum render_shared_limit {
	RENDER_SHARED_MEMORY_TOTAL, /* LIMIT_SHARED_MEMORY, up to LIMIT_SHARED_MEMORY_TOTAL */
	RENDER_MEMORY_TOTAL,        /* LIMIT_MEMORY, up to LIMIT_MEMORY_TOTAL */
	RENDER_TOTAL_COUNT,
};

/**
 * Shared memory of the device and one process, which it may give it when it starts it
 * (--counters-fd). What a process says of itself need not be true: it is for people's eyes, and
 * limits what others get no further than the process's own limits go.
 */
struct render_counters {
	/* the process counts */
	_Atomic uint64_t commands;     /* executed, those in command streams included */
	_Atomic uint64_t submissions;  /* vkQueueSubmit and its like */
	_Atomic uint64_t ring_wakeups; /* the guest rang for a ring that slept */
	_Atomic uint64_t used[LIMIT_RENDER_COUNT]; /* by limit - LIMIT_RENDER_FIRST */
	/*
	 * 1 while the context path executes what the guest sent. How long that takes is the guest's
	 * affair; otherwise requests are answered at once.
	 */
	_Atomic uint64_t guest_work;

	/* the device says: what all other contexts have; by render_shared_limit */
	_Atomic uint64_t others[RENDER_TOTAL_COUNT];
};

struct render_lost {
	char reason[128]; /* for the log; ends with NUL, control characters possible: clean before printing */
};

#endif
