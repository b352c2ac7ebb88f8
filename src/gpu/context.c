/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/socket.h"
#include "gpu/bounds.h"
#include "gpu/context.h"
#include "gpu/device.h"
#include "gpu/guest_log.h"
#include "gpu/limit.h"
#include "gpu/reaper.h"
#include "gpu/renderer.h"
#include "gpu/request.h"
#include "gpu/resource.h"

/*
 * Theory of operation
 *
 * What the guest sends to a context goes to its render process in the order in which it came;
 * nothing here waits for that process. Two kinds of events come back. A fence completes the
 * oldest request of its ring_idx that the process knows of, and a blob the oldest resource being
 * made; anything else is a breach.
 *
 * When the context is lost everything that waits for the process gets its answer at once, and
 * everything that comes later is answered without asking it. Other contexts do not notice.
 *
 * A process that does not answer is given up after LIMIT_ANSWER_TIME, if it owes the answer. The
 * work that the guest gave it may take as long as it likes, and hang: then nobody but its own guest
 * process waits, who can be killed. It owes an answer
 *
 *  - for a blob, when it is not executing the guest's commands on the context path, behind which the
 *    request waits;
 *  - for a blob in any case when somebody else waits for it: another context, or the screen;
 *  - for any request, when LIMIT_FENCES of them are unanswered: each has a place in the queue, which
 *    is everybody's.
 *
 * The guest may destroy a context while it makes a blob that somebody else is to use. Then the
 * context lives on without an id, for as long as its process would have to end anyway.
 */

struct gpu_context *gpu_context_get(struct gpu_device *device, uint32_t id) {
	return id_table_get(&device->contexts, id);
}

static void count_answer(struct gpu_context *context) {
	context->waiting_count--;
	context->answered_count++;
}

/* A blob is not made: whoever waits for the resource will find that there is none. */
static void fail_creation(
		struct gpu_resource *resource, struct gpu_context *context, uint32_t type) {
	struct gpu_request *request = resource->request;
	count_answer(context);
	gpu_resource_destroy(context->device, resource);
	gpu_request_complete(context->device, request, type);
}

/* --- the watchdog --- */

/* Does anybody but the blob's own context wait for it? Mapping it is that context's affair. */
static bool is_waited_for(const struct gpu_resource *resource) {
	LIST_FOR_EACH (request, &resource->pending, struct gpu_request, link) {
		switch (request->header.type) {
		case GPU_CMD_CTX_ATTACH_RESOURCE:
			if (request->header.ctx_id != resource->creator->id) {
				return true;
			}
			break;
		case GPU_CMD_SET_SCANOUT:
		case GPU_CMD_SET_SCANOUT_BLOB:
		case GPU_CMD_RESOURCE_FLUSH:
		case GPU_CMD_UPDATE_CURSOR:
			return true;
		default:
			break;
		}
	}
	return false;
}

static bool owes_blob(const struct gpu_context *context) {
	if (list_empty(&context->creating)) {
		return false;
	}
	const struct render_counters *counters = renderer_counters(context->renderer);
	if (!atomic_load_explicit(&counters->guest_work, memory_order_relaxed)) {
		return true;
	}
	LIST_FOR_EACH (resource, &context->creating, struct gpu_resource, creating_link) {
		if (is_waited_for(resource)) {
			return true;
		}
	}
	return false;
}

static bool is_over_share(const struct gpu_context *context) {
	return context->waiting_count >= context->device->options.limits.value[LIMIT_FENCES];
}

static void watch(struct gpu_context *context);

static void handle_watchdog(void *data) {
	struct gpu_context *context = data;
	context->watching = false;
	if (context->lost || context->closing) {
		return;
	}
	char text[LIMIT_TEXT_SIZE], reason[128];
	limit_format(LIMIT_ANSWER_TIME,
		context->device->options.limits.value[LIMIT_ANSWER_TIME], text);
	if (context->answered_count == context->watched_count && owes_blob(context)) {
		snprintf(reason, sizeof(reason),
			"its render process has not answered within answer-time=%s", text);
	} else if (context->answered_count == context->watched_count && is_over_share(context)) {
		snprintf(reason, sizeof(reason), "it has %llu requests in the queue, of which none was "
			"answered within answer-time=%s", (unsigned long long)context->waiting_count, text);
	} else {
		watch(context);
		return;
	}
	renderer_abandon(context->renderer, reason);
}

/* Nothing is timed but what may be owed, and nothing when an answer comes: that is often. */
static void watch(struct gpu_context *context) {
	struct gpu_device *device = context->device;
	if (context->watching || (list_empty(&context->creating) && !is_over_share(context))) {
		return;
	}
	if (!context->watchdog) {
		context->watchdog = event_loop_add_timer(device->loop, handle_watchdog, context);
	}
	if (context->watchdog) {
		context->watching = true;
		context->watched_count = context->answered_count;
		event_source_timer_arm(context->watchdog,
			device->options.limits.value[LIMIT_ANSWER_TIME] * CLOCK_NS_PER_MS);
	}
}

/* --- answers --- */

static void retire_all(struct gpu_context *context) {
	for (unsigned i = 0; i < RENDER_MAX_TIMELINES; i++) {
		struct list *submitted = &context->submitted[i];
		while (!list_empty(submitted)) {
			struct gpu_request *request =
				LIST_CONTAINER(submitted->next, struct gpu_request, submit_link);
			list_remove(&request->submit_link);
			count_answer(context);
			gpu_request_complete(context->device, request, GPU_RESP_OK_NODATA);
		}
	}
}

static void lose(struct gpu_context *context) {
	context->lost = true;
	while (!list_empty(&context->creating)) {
		struct gpu_resource *resource = LIST_CONTAINER(
			context->creating.next, struct gpu_resource, creating_link);
		fail_creation(resource, context, GPU_RESP_ERR_UNSPEC);
	}
	retire_all(context);
}

/* The process is trusted with nothing: QEMU and others will map what it sent. */
static bool check_memory(const struct gpu_resource *resource, int fd, uint64_t size) {
	uint64_t needed = page_align(resource->size);
	if (needed == 0 || size < needed || size % page_size()) {
		return false;
	}
	int copy = fd_dup(fd);
	struct shmem shm;
	if (copy < 0 || shmem_import(&shm, copy, size) < 0) {
		return false;
	}
	shmem_finish(&shm);
	return true;
}

static bool handle_blob(void *data, const struct render_blob *blob, int fd) {
	struct gpu_context *context = data;
	struct gpu_device *device = context->device;
	struct gpu_resource *resource = list_empty(&context->creating) ? NULL :
		LIST_CONTAINER(context->creating.next, struct gpu_resource, creating_link);
	if (!resource || resource->id != blob->resource_id) {
		if (fd >= 0) {
			close(fd);
		}
		return false;
	}
	if (blob->error) {
		log_debug("%s: blob for resource %u: %s", context->name, (unsigned)resource->id,
			strerror(-blob->error));
		fail_creation(resource, context,
			blob->error == -ENOMEM ? GPU_RESP_ERR_OUT_OF_MEMORY : GPU_RESP_ERR_UNSPEC);
		goto error_fd;
	}
	if (fd >= 0 && !check_memory(resource, fd, blob->size)) {
		guest_log_warn("%s: its render process sent memory that cannot be used", context->name);
		fail_creation(resource, context, GPU_RESP_ERR_UNSPEC);
		goto error_fd;
	}
	list_remove(&resource->creating_link);
	count_answer(context);
	gpu_resource_set_memory(resource, fd, blob->size);
	resource->map_info = blob->map_info;
	resource->buffer = (struct display_buffer){.fd = fd, .size = resource->fd_size};
	if (!context->closing) {
		gpu_resource_attach(device, resource, context, NULL);
	}
	resource->creator = NULL;
	gpu_request_complete(device, resource->request, GPU_RESP_OK_NODATA);
	resource->request = NULL;
	gpu_resource_unblock(device, resource);
	goto out;

error_fd:
	if (fd >= 0) {
		close(fd);
	}
out:
	if (context->closing && list_empty(&context->creating)) {
		event_source_timer_arm(context->closing_timer, 0);
	}
	gpu_device_run(device);
	return true;
}

static bool handle_fence(void *data, uint32_t ring_idx, uint64_t fence_id) {
	struct gpu_context *context = data;
	struct list *submitted = &context->submitted[ring_idx];
	if (context->closing) {
		return true; /* they were all retired when the guest destroyed it */
	}
	if (list_empty(submitted)) {
		return false;
	}
	struct gpu_request *request =
		LIST_CONTAINER(submitted->next, struct gpu_request, submit_link);
	if (request->render_fence != fence_id) {
		return false;
	}
	list_remove(&request->submit_link);
	count_answer(context);
	gpu_request_complete(context->device, request, GPU_RESP_OK_NODATA);
	gpu_device_run(context->device);
	return true;
}

static void handle_usage(void *data) {
	const struct gpu_context *context = data;
	gpu_limit_share(context->device);
}

static void handle_lost(void *data, const char *reason) {
	struct gpu_context *context = data;
	struct gpu_device *device = context->device;
	if (!context->closing) {
		guest_log_warn("%s is lost: %s", context->name, reason);
	}
	lose(context);
	gpu_limit_share(device);
	if (context->closing) {
		event_source_timer_arm(context->closing_timer, 0);
	}
	gpu_device_run(device);
}

static const struct renderer_ops renderer_ops = {
	.blob = handle_blob,
	.fence = handle_fence,
	.usage = handle_usage,
	.lost = handle_lost,
};

/* The guest's name for it, cut and free of what is not fit for printing. */
static void clean_name(char *clean, size_t clean_size, const char *name, size_t size) {
	size_t length = 0;
	for (; length < size && length + 1 < clean_size && name[length]; length++) {
		unsigned char c = (unsigned char)name[length];
		clean[length] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	clean[length] = '\0';
}

size_t gpu_context_count(const struct gpu_device *device) {
	return device->contexts.count + device->closing_count + reaper_count(device->reaper);
}

struct gpu_context *gpu_context_create(struct gpu_device *device, uint32_t id, bool venus,
		const char *name, size_t name_size) {
	if (!gpu_limit_allows(device, NULL, LIMIT_CONTEXTS, gpu_context_count(device), 1)) {
		return NULL;
	}
	struct gpu_context *context = calloc(1, sizeof(*context));
	if (!context) {
		log_error("out of memory");
		return NULL;
	}
	context->device = device;
	context->id = id;
	clean_name(context->guest_name, sizeof(context->guest_name), name, name_size);
	const char *guest_name = context->guest_name;
	snprintf(context->name, sizeof(context->name), "context %u (%s)", (unsigned)id,
		guest_name[0] ? guest_name : "no name");
	list_init(&context->closing_link);
	list_init(&context->creating);
	list_init(&context->owned);
	list_init(&context->attachments);
	for (unsigned i = 0; i < RENDER_MAX_TIMELINES; i++) {
		list_init(&context->timelines[i]);
		list_init(&context->submitted[i]);
	}
	if (venus) {
		struct renderer_options options = {
			.loop = device->loop,
			.reaper = device->reaper,
			.limits = &device->options.limits,
			.broker = device->options.broker,
			.name = context->name,
			.guest_name = guest_name[0] ? guest_name : "guest",
			.ops = &renderer_ops,
			.data = context,
		};
		context->renderer = renderer_create(&options);
		if (!context->renderer) {
			goto error_context;
		}
	}
	if (!id_table_add(&device->contexts, id, context)) {
		log_error("out of memory");
		goto error_renderer;
	}
	gpu_limit_share(device);
	return context;

error_renderer:
	renderer_destroy(context->renderer);
error_context:
	free(context);
	return NULL;
}

static void free_context(struct gpu_context *context) {
	event_source_remove(context->closing_timer);
	event_source_remove(context->watchdog);
	renderer_destroy(context->renderer);
	free(context);
}

static void handle_closing(void *data) {
	struct gpu_context *context = data;
	struct gpu_device *device = context->device;
	if (!context->lost) {
		lose(context);
	}
	list_remove(&context->closing_link);
	device->closing_count--;
	free_context(context);
	gpu_device_run(device);
}

/* Keeps the context until its blobs are made. false: it cannot be kept. */
static bool start_closing(struct gpu_context *context) {
	struct gpu_device *device = context->device;
	context->closing_timer = event_loop_add_timer(device->loop, handle_closing, context);
	if (!context->closing_timer) {
		return false;
	}
	context->closing = true;
	list_append(&device->closing, &context->closing_link);
	device->closing_count++;
	event_source_timer_arm(context->closing_timer, RENDER_EXIT_GRACE_MS * CLOCK_NS_PER_MS);
	return true;
}

void gpu_context_destroy(struct gpu_context *context, bool now) {
	struct gpu_device *device = context->device;
	LIST_FOR_EACH_SAFE (attachment, &context->attachments, struct gpu_attachment, context_link) {
		/* the process frees it all when it ends: it need not be told of each */
		attachment->announced = false;
		gpu_attachment_destroy(device, attachment);
	}
	LIST_FOR_EACH_SAFE (resource, &context->owned, struct gpu_resource, owned_link) {
		gpu_resource_set_owner(resource, NULL);
	}
	if (now) {
		while (!list_empty(&context->creating)) {
			list_remove(context->creating.next);
		}
		if (context->closing) {
			list_remove(&context->closing_link);
			device->closing_count--;
		} else {
			id_table_remove(&device->contexts, context->id);
		}
		free_context(context);
		return;
	}
	id_table_remove(&device->contexts, context->id);
	gpu_limit_share(device);
	retire_all(context);
	/* what is left on a timeline waits for a resource, and is answered when it was executed */
	for (unsigned i = 0; i < RENDER_MAX_TIMELINES; i++) {
		while (!list_empty(&context->timelines[i])) {
			gpu_request_leave_timeline(device, LIST_CONTAINER(
				context->timelines[i].next, struct gpu_request, timeline_link));
		}
	}
	if (!list_empty(&context->creating) && start_closing(context)) {
		return;
	}
	lose(context);
	free_context(context);
}

void gpu_context_submit(struct gpu_context *context, const void *stream, size_t size,
		uint32_t ring_idx, struct gpu_request *request) {
	assert(context->renderer && !context->lost && ring_idx < RENDER_MAX_TIMELINES);
	struct render_submit submit = {.ring_idx = ring_idx};
	if (request) {
		submit.flags = RENDER_SUBMIT_FENCE;
		submit.fence_id = ++context->next_fence;
		request->render_fence = submit.fence_id;
		list_append(&context->submitted[ring_idx], &request->submit_link);
		context->waiting_count++;
		watch(context);
	}
	renderer_submit(context->renderer, &submit, stream, size);
}

void gpu_context_create_blob(
		struct gpu_context *context, struct gpu_resource *resource, uint64_t blob_id) {
	assert(context->renderer && !context->lost);
	resource->busy = true;
	resource->creator = context;
	list_append(&context->creating, &resource->creating_link);
	context->waiting_count++;
	watch(context);
	struct render_create_blob request = {
		.resource_id = resource->id,
		.blob_flags = resource->blob_flags,
		.blob_id = blob_id,
		.size = resource->size,
	};
	renderer_create_blob(context->renderer, &request);
}
