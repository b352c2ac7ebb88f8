/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_DEVICE_H
#define VENERA_GPU_DEVICE_H

#include "base/id_table.h"
#include "base/list.h"
#include "gpu/display.h"
#include "gpu/protocol.h"
#include "gpu/request.h"
#include "ipc/limits.h"
#include "ipc/render_protocol.h"
#include "virtio/vhost_user.h"

struct broker;
struct event_loop;
struct event_source;
struct gpu_resource;
struct reaper;

enum gpu_queue {
	GPU_QUEUE_CONTROL,
	GPU_QUEUE_CURSOR,
	GPU_QUEUE_COUNT,
};

struct gpu_device_options {
	uint64_t hostmem;        /* bytes of the window for mapped blobs: a power of two; 0: none */
	/**
	 * The guest is told of our page size, and to make and map blobs in units of it
	 * (GPU_F_BLOB_ALIGNMENT). Kernels refuse what is not: only for guests whose Mesa rounds.
	 */
	bool blob_alignment;
	unsigned output_count;   /* 1 to GPU_MAX_SCANOUTS */
	struct limits limits;
	struct broker *broker;   /* starts render processes */
	/** The front end is gone; `err` is not 0 if that was not in order. */
	void (*closed)(void *data, int err);
	void *data;
};

/** The virtio-gpu device of one front end. */
struct gpu_device {
	struct event_loop *loop;
	struct reaper *reaper;   /* not owned */
	struct display *display; /* not owned */
	struct gpu_device_options options;
	struct vhost_user *server;
	struct event_source *again; /* more requests lie there than one round may handle */

	struct list live;     /* all requests that are not given back */
	struct list free_requests;
	struct list runnable; /* those that waited for a resource and can be executed now */
	struct list held;     /* those that are answered, to be given back after a pause of the VM */
	size_t outstanding[GPU_QUEUE_COUNT];
	bool overrun[GPU_QUEUE_COUNT]; /* the guest has made more requests than its queue has places */
	struct list timeline; /* fences that belong to no context */
	uint8_t *bytes;       /* the request being taken */
	size_t deferred_bytes;

	struct id_table resources; /* struct gpu_resource */
	struct id_table contexts;  /* struct gpu_context */
	struct list closing;       /* contexts that are ending */
	size_t closing_count;
	struct list mapped;        /* resources in the window */
	size_t mapped_count;
	size_t attachment_count;
	size_t backing_entries;
	uint64_t storage_bytes;
	uint64_t orphan_bytes;     /* of blobs whose context is gone */
	uint64_t used[RENDER_TOTAL_COUNT]; /* by all contexts, when it was last added up */
	uint32_t limits_reached;   /* bits: what was logged */

	uint32_t events;           /* events_read of the configuration */
	bool display_info_current; /* the guest has read what is true now */
	bool config_change_repeated;
};

/** Takes ownership of the front end's socket, also on failure. NULL with a line in the log. */
struct gpu_device *gpu_device_create(struct event_loop *loop, struct reaper *reaper,
	struct display *display, int fd, const struct gpu_device_options *options);
void gpu_device_destroy(struct gpu_device *device);

/** Executes what can be executed, as far as a round goes, and interrupts the guest if needed. */
void gpu_device_run(struct gpu_device *device);

/**
 * The request is executed; `type` is that of the response, of which all but the header is filled.
 */
void gpu_request_complete(struct gpu_device *device, struct gpu_request *request, uint32_t type);

/** Takes it off its timeline, which goes away. */
void gpu_request_leave_timeline(struct gpu_device *device, struct gpu_request *request);

#endif
