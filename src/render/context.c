/* SPDX-License-Identifier: MIT */
#include "render/context.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "render/fence.h"
#include "render/instance.h"
#include "render/memory.h"
#include "render/resource.h"
#include "render/ring.h"

int render_context_init(
		struct render_context *context, int channel_fd, const struct render_options *options) {
	memset(context, 0, sizeof(*context));
	context->options = *options;
	context->counters = &context->own_counters;
	context->counters_memory = SHMEM_NONE;
	int ret = channel_init(&context->channel, channel_fd);
	if (ret < 0) {
		return ret;
	}
	if (options->counters_fd >= 0) {
		ret = shmem_import(&context->counters_memory, options->counters_fd,
			sizeof(*context->counters));
		if (ret < 0) {
			channel_finish(&context->channel);
			return ret;
		}
		context->counters = context->counters_memory.data;
	}
	epoch_init(&context->epoch);
	ret = venus_object_table_init(&context->objects, &context->epoch);
	if (ret < 0) {
		goto finish_channel;
	}
	id_table_init(&context->resources);
	list_init(&context->rings);
	pthread_mutex_init(&context->resource_lock, NULL);
	pthread_mutex_init(&context->ring_lock, NULL);
	pthread_mutex_init(&context->instance_lock, NULL);
	pthread_mutex_init(&context->timeline_lock, NULL);
	render_executor_init(&context->path, context, NULL);
	ret = render_monitor_start(&context->monitor, context);
	if (ret < 0) {
		goto finish_locks;
	}
	return 0;

finish_locks:
	render_executor_finish(&context->path);
	pthread_mutex_destroy(&context->timeline_lock);
	pthread_mutex_destroy(&context->instance_lock);
	pthread_mutex_destroy(&context->ring_lock);
	pthread_mutex_destroy(&context->resource_lock);
	venus_object_table_finish(&context->objects);
finish_channel:
	epoch_finish(&context->epoch);
	shmem_finish(&context->counters_memory);
	channel_finish(&context->channel);
	return ret;
}

void render_context_finish(struct render_context *context) {
	render_context_stop(context);
	while (!list_empty(&context->rings)) {
		render_ring_destroy(LIST_CONTAINER(context->rings.next, struct render_ring, link));
	}
	render_instance_destroy_all(context);
	/* last: it is what ends the process if the driver does not come back from the above */
	render_monitor_stop(&context->monitor);

	render_executor_finish(&context->path);
	render_resource_remove_all(context);
	id_table_finish(&context->resources);
	pthread_mutex_destroy(&context->timeline_lock);
	pthread_mutex_destroy(&context->instance_lock);
	pthread_mutex_destroy(&context->ring_lock);
	pthread_mutex_destroy(&context->resource_lock);
	venus_object_table_finish(&context->objects);
	epoch_finish(&context->epoch);
	render_spare_finish(&context->spare);
	vk_loader_finish(&context->loader);
	shmem_finish(&context->counters_memory);
	channel_finish(&context->channel);
}

/** Makes every ring look at lost and stopping. */
static void wake_rings(struct render_context *context) {
	pthread_mutex_lock(&context->ring_lock);
	LIST_FOR_EACH(ring, &context->rings, struct render_ring, link) {
		render_ring_wake(ring);
	}
	pthread_mutex_unlock(&context->ring_lock);
}

void render_context_stop(struct render_context *context) {
	atomic_store(&context->stopping, true);
	wake_rings(context);
}

void render_context_lose(struct render_context *context, const char *format, ...) {
	if (atomic_exchange(&context->lost, true)) {
		return;
	}
	struct render_lost lost = {0};
	va_list args;
	va_start(args, format);
	vsnprintf(lost.reason, sizeof(lost.reason), format, args);
	va_end(args);
	log_error("%s: context lost: %s", context->options.name, lost.reason);

	pthread_mutex_lock(&context->ring_lock);
	LIST_FOR_EACH(ring, &context->rings, struct render_ring, link) {
		atomic_fetch_or(ring->status, RENDER_RING_FATAL);
	}
	pthread_mutex_unlock(&context->ring_lock);
	wake_rings(context);
	channel_send(&context->channel, RENDER_EVENT_LOST, &lost, sizeof(lost), NULL, 0, NULL, 0);
}

void render_context_fence_retired(
		struct render_context *context, uint32_t ring_idx, uint64_t fence_id) {
	struct render_fence fence = {.fence_id = fence_id, .ring_idx = ring_idx};
	/* an error means that the channel is closed, which the monitor sees as well */
	channel_send(&context->channel, RENDER_EVENT_FENCE, &fence, sizeof(fence), NULL, 0, NULL, 0);
}

static int answer_blob(struct render_context *context, const struct render_blob *blob, int fd) {
	return channel_send(&context->channel, RENDER_EVENT_BLOB, blob, sizeof(*blob), NULL, 0, &fd,
		fd >= 0 ? 1 : 0);
}

static int handle_create_blob(
		struct render_context *context, const struct render_create_blob *request) {
	struct render_blob blob = {.resource_id = request->resource_id};
	struct render_shmem *shmem = NULL;
	uint64_t size = request->size;
	if (!request->resource_id || !size) {
		blob.error = -EINVAL;
	} else if (atomic_load(&context->lost)) {
		blob.error = -ENODEV;
	} else if (request->blob_id == 0) {
		/* anonymous memory for rings, streams and replies */
		if (request->blob_flags != RENDER_BLOB_MAPPABLE) {
			blob.error = -EINVAL;
		} else {
			shmem = render_shmem_create(
				context, "venus-shmem", size, 0, &blob.error);
			blob.map_info = RENDER_MAP_CACHED;
		}
	} else {
		shmem = render_memory_export(context, request->blob_id, request->blob_flags, size,
			&blob.map_info, &blob.error);
	}
	if (!shmem) {
		log_debug("%s: blob of memory %llu, %llu bytes: error %d", context->options.name,
			(unsigned long long)request->blob_id, (unsigned long long)size, -blob.error);
		return answer_blob(context, &blob, -1);
	}

	render_shmem_ref(shmem); /* for the answer */
	blob.error =
		render_resource_add(context, request->resource_id, blob.map_info, size, shmem);
	blob.size = shmem->shm.size;
	int ret = answer_blob(context, &blob, blob.error ? -1 : shmem->shm.fd);
	render_shmem_unref(shmem);
	return ret;
}

static int handle_attach(struct render_context *context,
		const struct render_attach_resource *request, struct channel_message *message) {
	if (message->fd_count != 1) {
		return -EPROTO;
	}
	int error = 0;
	struct render_shmem *shmem = render_shmem_import(
		context, message->fds[0], request->size, &error);
	message->fds[0] = -1;
	if (!shmem) {
		log_warn("%s: resource %u cannot be mapped: errno %d", context->options.name,
			request->resource_id, -error);
		return 0;
	}
	error = render_resource_add(
		context, request->resource_id, request->map_info, request->size, shmem);
	if (error) {
		log_warn("%s: resource %u is there already", context->options.name,
			request->resource_id);
	}
	return 0;
}

static int handle_submit(
		struct render_context *context, const struct channel_message *message) {
	const struct render_submit *submit = message->body;
	const uint8_t *stream = (const uint8_t *)(submit + 1);
	size_t size = message->size - sizeof(*submit);
	if (size % 4) {
		return -EPROTO;
	}
	/* of the end of a lost or stopping context only the fence matters */
	if (size && !render_context_is_ending(context)) {
		_Atomic uint64_t *guest_work = &context->counters->guest_work;
		atomic_store_explicit(guest_work, 1, memory_order_relaxed);
		render_executor_run(&context->path, stream, size);
		atomic_store_explicit(guest_work, 0, memory_order_relaxed);
	}
	if (submit->flags & RENDER_SUBMIT_FENCE) {
		render_fence_create(context, submit->ring_idx, submit->fence_id);
	}
	return 0;
}

/** Before anything else: nobody reads the name meanwhile. */
static void handle_name(struct render_context *context, const struct render_name *name) {
	context->name = *name;
	context->name.text[sizeof(context->name.text) - 1] = '\0';
	context->options.name = context->name.text;
	thread_set_name("venera-render");
}

static int handle_message(struct render_context *context, struct channel_message *message) {
	switch (message->type) {
	case RENDER_REQUEST_CREATE_BLOB:
		if (message->size != sizeof(struct render_create_blob)) {
			return -EPROTO;
		}
		return handle_create_blob(context, message->body);
	case RENDER_REQUEST_ATTACH_RESOURCE:
		if (message->size != sizeof(struct render_attach_resource)) {
			return -EPROTO;
		}
		return handle_attach(context, message->body, message);
	case RENDER_REQUEST_DETACH_RESOURCE: {
		if (message->size != sizeof(struct render_detach_resource)) {
			return -EPROTO;
		}
		const struct render_detach_resource *request = message->body;
		render_resource_remove(context, request->resource_id);
		return 0;
	}
	case RENDER_REQUEST_NAME:
		if (message->size != sizeof(struct render_name)) {
			return -EPROTO;
		}
		handle_name(context, message->body);
		return 0;
	case RENDER_REQUEST_SUBMIT:
		if (message->size < sizeof(struct render_submit)) {
			return -EPROTO;
		}
		return handle_submit(context, message);
	default:
		return -EPROTO;
	}
}

int render_context_run(struct render_context *context) {
	while (!atomic_load(&context->stopping)) {
		struct channel_message message;
		int ret = channel_recv(&context->channel, &message);
		if (ret == 0) {
			break;
		}
		if (ret < 0) {
			/* a device that died leaves its end with unread data: also an end */
			return ret == -ECONNRESET ? 0 : ret;
		}
		ret = handle_message(context, &message);
		channel_message_close_fds(&message);
		if (ret == -EPIPE || ret == -ECONNRESET) {
			break;
		}
		if (ret < 0) {
			return ret;
		}
	}
	return 0;
}
