/* SPDX-License-Identifier: MIT */
#include "render/object.h"

#include <stdlib.h>

#include "render/call.h"
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

bool render_object_publish(struct render_call *call, struct venus_object *object) {
	if (venus_object_table_add(&call->context->objects, object)) {
		return true;
	}
	free(object);
	render_call_fail(call, "the new object's id is taken");
	return false;
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
	log_warn("%s: %s failed on the host (VkResult %d) after the guest went on",
		call->context->options.name, venus_command_name(call->command), result);
}

uint64_t render_object_unbind(struct render_context *context, struct venus_object *object) {
	if (!object || !venus_object_table_remove(&context->objects, object)) {
		return 0;
	}
	uint64_t handle = object->handle;
	epoch_retire(&context->epoch, &object->retired, free_object);
	return handle;
}

uint64_t render_object_release(struct render_call *call, struct venus_object *object) {
	return render_object_unbind(call->context, object);
}
