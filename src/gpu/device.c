/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/event_loop.h"
#include "base/shmem.h"
#include "gpu/bounds.h"
#include "gpu/command.h"
#include "gpu/context.h"
#include "gpu/device.h"
#include "gpu/guest_log.h"
#include "gpu/limit.h"
#include "gpu/renderer.h"
#include "gpu/resource.h"

/*
 * Theory of operation
 *
 * Requests are taken off a queue in order, and each is executed at once, if it can be. It cannot
 * while it names a resource with which something is under way (it is being made by a render
 * process, mapped or unmapped): then it waits behind that resource, in order with others that
 * name it, and those that do not name it overtake it. When the resource is free again they all
 * become *runnable*, and those are executed before anything new is taken.
 *
 *   queue -> execute -> (wait for a render process, the front end, a view) -> complete -> give back
 *              | ^
 *              v | runnable
 *            pending behind a resource
 *
 * A request with a fence stands on a timeline from its arrival. The response tells the guest that
 * this fence and all earlier ones of the timeline are signalled, so it is given back only
 * when all before it were; a response that is ready earlier waits there. Other requests
 * are given back when they are executed.
 *
 * While the VM is paused nothing is executed or given back: what gets ready then is held. A reset
 * of the guest forgets everything.
 */

#define FEATURES \
	(UINT64_C(1) << GPU_F_VIRGL | UINT64_C(1) << GPU_F_EDID | \
		UINT64_C(1) << GPU_F_RESOURCE_UUID | UINT64_C(1) << GPU_F_RESOURCE_BLOB | \
		UINT64_C(1) << GPU_F_CONTEXT_INIT | UINT64_C(1) << VIRTIO_F_INDIRECT_DESC | \
		UINT64_C(1) << VIRTIO_F_EVENT_IDX | UINT64_C(1) << VIRTIO_F_VERSION_1)


static struct gpu_request *new_request(struct gpu_device *device, unsigned queue) {
	struct gpu_request *request;
	if (!list_empty(&device->free_requests)) {
		request = LIST_CONTAINER(device->free_requests.next, struct gpu_request, live_link);
		list_remove(&request->live_link);
	} else {
		request = calloc(1, sizeof(*request));
		if (!request) {
			return NULL;
		}
		list_init(&request->link);
		list_init(&request->timeline_link);
		list_init(&request->submit_link);
		display_waiter_init(&request->waiter);
	}
	request->queue = queue;
	request->done = false;
	list_append(&device->live, &request->live_link);
	device->outstanding[queue]++;
	return request;
}

static void drop_bytes(struct gpu_device *device, struct gpu_request *request) {
	if (request->bytes) {
		free(request->bytes);
		request->bytes = NULL;
		device->deferred_bytes -= request->size;
	}
}

/* It is over, wherever it was. */
static void recycle_request(struct gpu_device *device, struct gpu_request *request) {
	drop_bytes(device, request);
	renderer_give_up(request->slot);
	list_remove(&request->link);
	list_remove(&request->timeline_link);
	list_remove(&request->submit_link);
	display_forget_waiter(&request->waiter);
	list_remove(&request->live_link);
	list_append(&device->free_requests, &request->live_link);
	device->outstanding[request->queue]--;
}

static void give_back(struct gpu_device *device, struct gpu_request *request) {
	vhost_user_give(device->server, request->queue, &request->element, &request->response,
		request->response_size);
	recycle_request(device, request);
}

static void answer(struct gpu_device *device, struct gpu_request *request) {
	list_remove(&request->timeline_link);
	if (vhost_user_queue_running(device->server, request->queue)) {
		give_back(device, request);
	} else {
		list_append(&device->held, &request->link);
	}
}

static size_t response_size(uint32_t type) {
	switch (type) {
	case GPU_RESP_OK_DISPLAY_INFO:
		return sizeof(struct gpu_display_info);
	case GPU_RESP_OK_CAPSET_INFO:
		return sizeof(struct gpu_capset_info);
	case GPU_RESP_OK_EDID:
		return sizeof(struct gpu_edid);
	case GPU_RESP_OK_RESOURCE_UUID:
		return sizeof(struct gpu_resource_uuid);
	case GPU_RESP_OK_MAP_INFO:
		return sizeof(struct gpu_map_info);
	default: /* also that of a capset, which its handler knows */
		return sizeof(struct gpu_header);
	}
}

/* Answers those at the head of a timeline that are done. */
static void advance_timeline(struct gpu_device *device, struct list *timeline) {
	while (!list_empty(timeline)) {
		struct gpu_request *first =
			LIST_CONTAINER(timeline->next, struct gpu_request, timeline_link);
		if (!first->done) {
			return;
		}
		answer(device, first);
	}
}

static struct list *find_timeline(struct gpu_device *device, const struct gpu_header *header) {
	if (!(header->flags & GPU_FLAG_FENCE)) {
		return NULL;
	}
	if (!(header->flags & GPU_FLAG_RING_IDX)) {
		return &device->timeline;
	}
	struct gpu_context *context = gpu_context_get(device, header->ctx_id);
	return context && header->ring_idx < RENDER_MAX_TIMELINES ?
		&context->timelines[header->ring_idx] : NULL;
}

void gpu_request_complete(struct gpu_device *device, struct gpu_request *request, uint32_t type) {
	struct gpu_header *header = &request->response.header;
	*header = (struct gpu_header){.type = type, .ctx_id = request->header.ctx_id};
	if (request->header.flags & GPU_FLAG_FENCE) {
		header->flags = request->header.flags & (GPU_FLAG_FENCE | GPU_FLAG_RING_IDX);
		header->fence_id = request->header.fence_id;
		header->ring_idx = request->header.ring_idx;
	}
	if (type != GPU_RESP_OK_CAPSET) { /* how much that is, its handler has said */
		request->response_size = response_size(type);
	}
	if (type >= GPU_RESP_ERR_UNSPEC) {
		log_debug("command 0x%x is answered with error 0x%x",
			(unsigned)request->header.type, (unsigned)type);
	}
	request->done = true;
	renderer_give_up(request->slot); /* if it has not been used */
	if (request->timeline) {
		advance_timeline(device, request->timeline);
	} else {
		answer(device, request);
	}
}

void gpu_request_leave_timeline(struct gpu_device *device, struct gpu_request *request) {
	list_remove(&request->timeline_link);
	request->timeline = NULL;
	if (request->done) {
		answer(device, request);
	}
}

/* Keeps the request for later: it is executed when the resource is not busy any more. */
static uint32_t defer(struct gpu_device *device, struct gpu_resource *resource,
		struct gpu_request *request, const void *bytes, size_t size) {
	if (!request->bytes) {
		if (!gpu_limit_allows(device, NULL, LIMIT_DEFERRED_BYTES, device->deferred_bytes, size)) {
			return GPU_RESP_ERR_OUT_OF_MEMORY;
		}
		request->bytes = malloc(size);
		if (!request->bytes) {
			return GPU_RESP_ERR_OUT_OF_MEMORY;
		}
		memcpy(request->bytes, bytes, size);
		request->size = size;
		device->deferred_bytes += size;
	}
	list_append(&resource->pending, &request->link);
	return GPU_PENDING;
}

/* The context's later commands may rely on the resource: they must not overtake the attach. */
static void reserve_attach(struct gpu_device *device, const struct gpu_resource *resource,
		struct gpu_request *request) {
	struct gpu_context *context = gpu_context_get(device, request->header.ctx_id);
	if (context && context->renderer && !context->lost && context != resource->creator &&
			!request->slot) {
		renderer_reserve(context->renderer, &request->slot);
	}
}

static uint32_t execute(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	const struct gpu_command_info *info =
		gpu_command_find(request->queue, request->header.type);
	if (!info || size < info->size) {
		return GPU_RESP_ERR_UNSPEC;
	}
	if (info->resource_offset) {
		uint32_t resource_id;
		memcpy(&resource_id, (const uint8_t *)bytes + info->resource_offset,
			sizeof(resource_id));
		struct gpu_resource *resource = gpu_resource_get(device, resource_id);
		if (resource && resource->busy && (resource->creator || !info->only_creation)) {
			if (info->type == GPU_CMD_CTX_ATTACH_RESOURCE) {
				reserve_attach(device, resource, request);
			}
			return defer(device, resource, request, bytes, size);
		}
	}
	return info->func(device, request, bytes, size);
}

static void run_request(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	uint32_t type = execute(device, request, bytes, size);
	if (type != GPU_PENDING) {
		gpu_request_complete(device, request, type);
	} else if (request->bytes && list_empty(&request->link)) {
		drop_bytes(device, request); /* it waits for something else, which needs them no more */
	}
}

static void run_runnable(struct gpu_device *device) {
	struct gpu_request *request =
		LIST_CONTAINER(device->runnable.next, struct gpu_request, link);
	list_remove(&request->link);
	run_request(device, request, request->bytes, request->size);
}

/* Takes a request off a queue and executes it. false: there is none. */
static bool run_next(struct gpu_device *device, enum gpu_queue queue) {
	if (device->overrun[queue] || !vhost_user_queue_running(device->server, queue)) {
		return false;
	}
	struct gpu_request *request = new_request(device, queue);
	if (!request) {
		return false;
	}
	switch (vhost_user_take(device->server, queue, &request->element, device->bytes,
			GPU_MAX_REQUEST_SIZE)) {
	case VIRTQUEUE_EMPTY:
		recycle_request(device, request);
		return false;
	case VIRTQUEUE_BROKEN:
		guest_log_warn("the guest broke its queue %d: it is ignored until the guest's reset", queue);
		recycle_request(device, request);
		return false;
	case VIRTQUEUE_BAD:
		request->header = (struct gpu_header){0};
		gpu_request_complete(device, request, GPU_RESP_ERR_UNSPEC);
		return true;
	case VIRTQUEUE_TAKEN:
		break;
	}
	if (device->outstanding[queue] > vhost_user_queue_size(device->server, queue)) {
		/* an honest guest cannot do that: it had no descriptors left */
		guest_log_warn("the guest makes more requests than its queue holds: they are ignored");
		device->overrun[queue] = true;
		recycle_request(device, request);
		return false;
	}
	size_t size = request->element.request_size;
	request->header = (struct gpu_header){0};
	memcpy(&request->header, device->bytes,
		size < sizeof(request->header) ? size : sizeof(request->header));
	request->timeline = find_timeline(device, &request->header);
	if (request->timeline) {
		list_append(request->timeline, &request->timeline_link);
	}
	if (size < sizeof(request->header) || size > GPU_MAX_REQUEST_SIZE) {
		gpu_request_complete(device, request, GPU_RESP_ERR_UNSPEC);
		return true;
	}
	run_request(device, request, device->bytes, size);
	return true;
}

void gpu_device_run(struct gpu_device *device) {
	int budget = GPU_REQUESTS_PER_ROUND;
	while (vhost_user_queue_running(device->server, GPU_QUEUE_CONTROL) && budget-- > 0) {
		if (!list_empty(&device->runnable)) {
			run_runnable(device);
		} else if (!run_next(device, GPU_QUEUE_CONTROL)) {
			break;
		}
	}
	while (budget-- > 0 && run_next(device, GPU_QUEUE_CURSOR)) {
	}
	if (budget <= 0) {
		event_source_timer_arm(device->again, 0);
	}
	vhost_user_notify(device->server);
}

static void handle_again(void *data) {
	gpu_device_run(data);
}

static void handle_queue_started(void *data, unsigned queue) {
	struct gpu_device *device = data;
	LIST_FOR_EACH_SAFE (request, &device->held, struct gpu_request, link) {
		if (request->queue == queue) {
			give_back(device, request);
		}
	}
}

static void handle_queue_stopped(void *data, unsigned queue) {
	(void)data;
	(void)queue;
}

static void handle_queue_ready(void *data, unsigned queue) {
	(void)queue;
	gpu_device_run(data);
}

/* Contexts and resources go; nothing is answered. */
static void forget_everything(struct gpu_device *device) {
	LIST_FOR_EACH_SAFE (request, &device->live, struct gpu_request, live_link) {
		request->timeline = NULL;
		recycle_request(device, request);
	}
	display_reset(device->display);

	LIST_FOR_EACH_SAFE (context, &device->closing, struct gpu_context, closing_link) {
		gpu_context_destroy(context, true);
	}
	size_t cursor = 0;
	struct gpu_context *context;
	while ((context = id_table_next(&device->contexts, &cursor))) {
		gpu_context_destroy(context, true);
	}
	cursor = 0;
	struct gpu_resource *resource;
	while ((resource = id_table_next(&device->resources, &cursor))) {
		gpu_resource_destroy(device, resource);
	}
}

static void handle_reset(void *data) {
	struct gpu_device *device = data;
	forget_everything(device);
	for (int i = 0; i < GPU_QUEUE_COUNT; i++) {
		device->overrun[i] = false;
	}
	device->events = 0;
	device->display_info_current = false;
}

static void handle_read_config(void *data, uint8_t *bytes) {
	struct gpu_device *device = data;
	struct gpu_config config = {
		.events_read = device->events,
		.num_scanouts = device->options.output_count,
		.num_capsets = 1,
		.blob_alignment = (uint32_t)page_size(),
	};
	memcpy(bytes, &config, sizeof(config));
}

static void handle_write_config(
		void *data, uint32_t offset, const uint8_t *bytes, uint32_t size) {
	struct gpu_device *device = data;
	uint32_t clear = 0;
	if (offset != offsetof(struct gpu_config, events_clear) || size < sizeof(clear)) {
		return; /* nothing else can be written */
	}
	memcpy(&clear, bytes, sizeof(clear));
	device->events &= ~clear;
	/*
	 * The display may have changed again after the guest had read the information and
	 * before it said that it had. It is told once more; only once, in case it does so first.
	 */
	if ((clear & GPU_EVENT_DISPLAY) && !device->display_info_current &&
			!device->config_change_repeated) {
		device->config_change_repeated = true;
		device->events |= GPU_EVENT_DISPLAY;
		vhost_user_config_changed(device->server);
	}
}

static void handle_closed(void *data, int err) {
	struct gpu_device *device = data;
	device->options.closed(device->options.data, err);
}

static const struct vhost_user_ops server_ops = {
	.queue_started = handle_queue_started,
	.queue_stopped = handle_queue_stopped,
	.queue_ready = handle_queue_ready,
	.reset = handle_reset,
	.read_config = handle_read_config,
	.write_config = handle_write_config,
	.closed = handle_closed,
};

static void handle_flushed(void *data, struct display_waiter *waiter) {
	struct gpu_device *device = data;
	gpu_request_complete(device, LIST_CONTAINER(waiter, struct gpu_request, waiter),
		GPU_RESP_OK_NODATA);
	vhost_user_notify(device->server);
}

static void handle_size_changed(void *data) {
	struct gpu_device *device = data;
	device->events |= GPU_EVENT_DISPLAY;
	device->display_info_current = false;
	device->config_change_repeated = false;
	vhost_user_config_changed(device->server);
}

static const struct display_ops display_ops = {
	.flushed = handle_flushed,
	.size_changed = handle_size_changed,
};

/* Each resource may hold a descriptor, and each context does. */
static void fit_to_descriptors(struct limits *limits) {
	uint64_t *resources = &limits->value[LIMIT_RESOURCES];
	const uint64_t reserved = GPU_RESERVED_FDS + limits->value[LIMIT_CONTEXTS];
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) {
		return;
	}
	/* with few descriptors the contexts will be fewer */
	const uint64_t left =
		limit.rlim_cur < 2 * reserved ? reserved : (uint64_t)limit.rlim_cur - reserved;
	if (left < *resources) {
		*resources = left;
	}
}

struct gpu_device *gpu_device_create(struct event_loop *loop, struct reaper *reaper,
		struct display *display, int fd, const struct gpu_device_options *options) {
	struct gpu_device *device = calloc(1, sizeof(*device));
	if (!device) {
		log_error("out of memory");
		goto error_fd;
	}
	device->loop = loop;
	device->reaper = reaper;
	device->display = display;
	device->options = *options;
	fit_to_descriptors(&device->options.limits);
	list_init(&device->live);
	list_init(&device->free_requests);
	list_init(&device->runnable);
	list_init(&device->held);
	list_init(&device->timeline);
	list_init(&device->closing);
	list_init(&device->mapped);
	id_table_init(&device->resources);
	id_table_init(&device->contexts);
	device->bytes = malloc(GPU_MAX_REQUEST_SIZE);
	device->again = event_loop_add_timer(loop, handle_again, device);
	if (!device->bytes || !device->again) {
		log_error("out of memory");
		goto error_device;
	}
	uint64_t features = FEATURES;
	if (options->blob_alignment) {
		features |= UINT64_C(1) << GPU_F_BLOB_ALIGNMENT;
	}
	struct vhost_user_options server_options = {
		.features = features,
		.queue_count = GPU_QUEUE_COUNT,
		.config_size = sizeof(struct gpu_config),
		.shmem_id = GPU_SHMEM_HOST_VISIBLE,
		.shmem_size = options->hostmem,
		.ops = &server_ops,
		.data = device,
	};
	device->server = vhost_user_create(loop, fd, &server_options);
	if (!device->server) {
		fd = -1; /* it was taken */
		goto error_device;
	}
	display_set_ops(display, &display_ops, device);
	return device;

error_device:
	event_source_remove(device->again);
	free(device->bytes);
	free(device);
error_fd:
	if (fd >= 0) {
		close(fd);
	}
	return NULL;
}

void gpu_device_destroy(struct gpu_device *device) {
	if (!device) {
		return;
	}
	display_set_ops(device->display, NULL, NULL);
	forget_everything(device);
	vhost_user_destroy(device->server);
	LIST_FOR_EACH_SAFE (request, &device->free_requests, struct gpu_request, live_link) {
		virtqueue_element_finish(&request->element);
		free(request);
	}
	id_table_finish(&device->resources);
	id_table_finish(&device->contexts);
	event_source_remove(device->again);
	free(device->bytes);
	free(device);
}
