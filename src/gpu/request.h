/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_REQUEST_H
#define VENERA_GPU_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "gpu/display.h"
#include "gpu/protocol.h"
#include "virtio/virtqueue.h"

struct renderer_slot;

/** Instead of a response type: the request completes later. */
#define GPU_PENDING 0

/** The response to any request; the header comes first. */
union gpu_response_body {
	struct gpu_header header;
	struct gpu_display_info display_info;
	struct gpu_capset_info capset_info;
	struct gpu_edid edid;
	struct gpu_resource_uuid resource_uuid;
	struct gpu_map_info map_info;
	uint8_t bytes[sizeof(struct gpu_header) + 256]; /* a capset */
};

/**
 * A request of the guest from the time it is taken off its queue until it is given back. It may
 * have to wait for a resource before it is executed, for somebody else after that, and, when it
 * has a fence, for earlier fences of its timeline.
 */
struct gpu_request {
	struct list live_link; /* of all that are not given back */
	/*
	 * where it waits: behind a resource, among those to execute, or to be given back after a
	 * pause
	 */
	struct list link;
	struct list *timeline;         /* with a fence: the line in which it stands; or NULL */
	struct list timeline_link;
	struct list submit_link;       /* those whose fence a render process knows */
	struct display_waiter waiter;  /* for a flush */

	unsigned queue;
	struct virtqueue_element element;
	struct gpu_header header; /* as the guest wrote it */
	bool done;                /* executed: the response is there */
	uint64_t render_fence;    /* with submit_link */

	struct renderer_slot *slot; /* of a CTX_ATTACH_RESOURCE that waits, or NULL */

	void *bytes; /* our copy of it while it waits to be executed, else NULL */
	size_t size;

	union gpu_response_body response;
	size_t response_size;
};

#endif
