/* SPDX-License-Identifier: MIT */
#include "render/instance.h"

#include <stdlib.h>
#include <string.h>

#include "render/call.h"
#include "render/device.h"
#include "render/physical_device.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

/** The newest version of Vulkan that guests see: structures of later ones are not on the wire. */
static const uint32_t newest_version = VK_MAKE_API_VERSION(0, 1, 4, VK_HEADER_VERSION);

/** Opens the Vulkan library on first use. */
static bool open_loader(struct render_context *context) {
	if (context->loader.library) {
		return true;
	}
	struct vk_error error;
	if (!vk_loader_init(&context->loader, &error)) {
		log_error("%s: %s", context->options.name, error.text);
		return false;
	}
	return true;
}

void render_handle_vkEnumerateInstanceVersion(
		struct render_call *call, struct venus_vkEnumerateInstanceVersion *args) {
	struct render_context *context = call->context;
	pthread_mutex_lock(&context->instance_lock);
	args->ret = VK_ERROR_INITIALIZATION_FAILED;
	if (open_loader(context)) {
		uint32_t host = context->loader.api_version;
		*args->pApiVersion = host < newest_version ? host : newest_version;
		args->ret = VK_SUCCESS;
	}
	pthread_mutex_unlock(&context->instance_lock);
}

void render_handle_vkEnumerateInstanceExtensionProperties(struct render_call *call,
		struct venus_vkEnumerateInstanceExtensionProperties *args) {
	/* the guest's driver has its own; the host's say nothing about a guest */
	static const VkExtensionProperties extensions[] = {
		{"VK_EXT_command_serialization", 1},
		{"VK_MESA_venus_protocol", 4},
	};
	const uint32_t count = sizeof(extensions) / sizeof(extensions[0]);
	(void)call;

	args->ret = VK_SUCCESS;
	if (!args->pProperties) {
		*args->pPropertyCount = count;
		return;
	}
	if (*args->pPropertyCount < count) {
		args->ret = VK_INCOMPLETE;
	} else {
		*args->pPropertyCount = count;
	}
	memcpy(args->pProperties, extensions, *args->pPropertyCount * sizeof(extensions[0]));
}

void render_handle_vkCreateInstance(
		struct render_call *call, struct venus_vkCreateInstance *args) {
	struct render_context *context = call->context;
	const VkInstanceCreateInfo *info = args->pCreateInfo;
	if (info->enabledLayerCount) {
		args->ret = VK_ERROR_LAYER_NOT_PRESENT;
		return;
	}
	if (info->enabledExtensionCount) {
		args->ret = VK_ERROR_EXTENSION_NOT_PRESENT;
		return;
	}

	pthread_mutex_lock(&context->instance_lock);
	if (atomic_load(&context->instance)) {
		render_call_fail(call, "the context has an instance already");
		goto unlock;
	}
	struct render_instance *instance = (struct render_instance *)render_object_alloc(
		call, RENDER_HANDLE(*args->pInstance), VK_OBJECT_TYPE_INSTANCE, sizeof(*instance));
	if (!instance) {
		goto unlock;
	}
	/*
	 * The version that the application asks for says what it uses, not what the device has: the device's own
	 * is told to programs that ask for Vulkan 1.0, too, and the guest's driver uses what is new.
	 */
	const struct vk_instance_options options = {
		.application = info->pApplicationInfo,
		.api_version = newest_version,
		.validate = context->options.validate,
		.validated_name = context->options.name,
	};
	struct vk_error error;
	args->ret = VK_ERROR_INITIALIZATION_FAILED;
	if (!open_loader(context)) {
		goto free_instance;
	}
	if (!vk_instance_init(&instance->host, &context->loader, &options, &error)) {
		log_error("%s: %s", context->options.name, error.text);
		goto free_instance;
	}
	pthread_mutex_init(&instance->lock, NULL);
	instance->base.handle = RENDER_HANDLE(instance->host.handle);
	atomic_store_explicit(&context->instance, instance, memory_order_release);
	if (venus_object_table_add(&context->objects, &instance->base)) {
		args->ret = VK_SUCCESS;
		goto unlock;
	}
	render_call_fail(call, "the new object's id is taken");
	atomic_store(&context->instance, NULL);
	pthread_mutex_destroy(&instance->lock);
	vk_instance_finish(&instance->host);

free_instance:
	free(instance);
unlock:
	pthread_mutex_unlock(&context->instance_lock);
}

void render_instance_destroy_all(struct render_context *context) {
	struct render_instance *instance = render_instance_of(context);
	if (!instance) {
		return;
	}
	size_t count;
	struct venus_object **objects = venus_object_table_snapshot(&context->objects, &count);
	size_t devices = 0;
	for (size_t i = 0; i < count; i++) {
		if (objects[i]->type == VK_OBJECT_TYPE_DEVICE) {
			objects[devices++] = objects[i];
		}
	}
	for (size_t i = 0; i < devices; i++) {
		render_device_destroy(context, render_device_of(objects[i]));
	}
	free(objects);
	for (uint32_t i = 0; i < instance->count; i++) {
		if (instance->devices[i]) {
			render_physical_device_release(instance->devices[i]);
			render_object_unbind(context, &instance->devices[i]->base);
		}
	}
	free(instance->handles);
	free(instance->host_memory);
	free(instance->devices);
	vk_instance_finish(&instance->host);
	pthread_mutex_destroy(&instance->lock);
	atomic_store(&context->instance, NULL);
	render_object_unbind(context, &instance->base);
}

void render_handle_vkDestroyInstance(
		struct render_call *call, struct venus_vkDestroyInstance *args) {
	struct render_context *context = call->context;
	if (!args->instance) {
		return;
	}
	const uint64_t id = args->instance_object->id;
	if (!render_executor_claim(call->executor)) {
		render_call_fail_claim(call);
		return;
	}
	pthread_mutex_lock(&context->instance_lock);
	struct render_instance *instance = render_instance_of(context);
	/* another thread may have destroyed it while we waited for our turn */
	if (instance && instance->base.id == id) {
		render_instance_destroy_all(context);
	}
	pthread_mutex_unlock(&context->instance_lock);
	render_executor_release(call->executor);
}
