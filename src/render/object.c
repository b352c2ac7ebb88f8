/* SPDX-License-Identifier: MIT */
#include "render/object.h"

#include <stdlib.h>

#include "render/call.h"
#include "render/limit.h"
#include "venus/venus_commands.h"

static void free_object(struct epoch_retired *retired) {
	free((char *)retired - offsetof(struct venus_object, retired));
}

struct venus_object *render_object_alloc(
		struct render_call *call, uint64_t id, VkObjectType type, size_t size) {
	struct venus_object *object = calloc(1, size ? size : sizeof(*object));
	if (!object) {
		render_call_fail(call, "out of memory");
		return NULL;
	}
	object->id = id;
	object->type = type;
	object->device = type == VK_OBJECT_TYPE_DEVICE ? object : call->decoder->device;
	return object;
}

/** The log is not the guest's to fill. */
#define FAILURE_LINES 40

/** Failed objects of a guest that does not listen: so many more than it may have. */
#define REFUSED_MAX 65536

static uint64_t count_objects(struct render_context *context) {
	const uint64_t count =
		atomic_load_explicit(&context->objects.count, memory_order_relaxed);
	atomic_store_explicit(&context->counters->used[LIMIT_OBJECTS - LIMIT_RENDER_FIRST], count,
		memory_order_relaxed);
	return count;
}

bool render_object_publish(struct render_call *call, struct venus_object *object) {
	struct render_context *context = call->context;
	const bool too_many = count_objects(context) >=
		context->options.limits.value[LIMIT_OBJECTS] + REFUSED_MAX;
	if (!too_many && venus_object_table_add(&context->objects, object)) {
		count_objects(context);
		return true;
	}
	free(object);
	render_call_fail(call, too_many ? "far too many objects" : "the new object's id is taken");
	return false;
}

bool render_object_is_refused(struct render_call *call) {
	const uint64_t count = count_objects(call->context);
	if (count <= call->context->options.limits.value[LIMIT_OBJECTS]) {
		return false;
	}
	render_limit_log(call->context, LIMIT_OBJECTS, count);
	return true;
}

struct venus_object *render_object_reserve(
		struct render_call *call, uint64_t id, VkObjectType type, size_t size) {
	struct venus_object *object = render_object_alloc(call, id, type, size);
	return object && render_object_publish(call, object) ? object : NULL;
}

void render_object_complete(
		struct render_call *call, struct venus_object *object, uint64_t handle, VkResult result) {
	if (result >= 0 && handle) {
		object->handle = handle;
		return;
	}
	if (call->wants_reply) {
		render_object_unbind(call->context, object);
		return;
	}
	const uint32_t lines = atomic_fetch_add_explicit(
		&call->context->failure_lines, 1, memory_order_relaxed);
	log_write(lines < FAILURE_LINES ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG,
		"%s: %s failed on the host (VkResult %d) after the guest went on",
		call->context->options.name, venus_command_name(call->command), result);
}

uint64_t render_object_unbind(struct render_context *context, struct venus_object *object) {
	if (!object || !venus_object_table_remove(&context->objects, object)) {
		return 0;
	}
	uint64_t handle = object->handle;
	count_objects(context);
	if (object->type == VK_OBJECT_TYPE_DESCRIPTOR_POOL) {
		render_limit_give(context, LIMIT_DESCRIPTORS,
			((const struct render_pool *)object)->descriptors);
	} else if (object->type == VK_OBJECT_TYPE_QUERY_POOL) {
		render_limit_give(context, LIMIT_QUERIES,
			((const struct render_query_pool *)object)->count);
	}
	epoch_retire(&context->epoch, &object->retired, free_object);
	return handle;
}

uint64_t render_object_release(struct render_call *call, struct venus_object *object) {
	return render_object_unbind(call->context, object);
}
