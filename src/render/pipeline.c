/* SPDX-License-Identifier: MIT */

/* Pipelines, which are made several at a time, and the caches that their making fills. */

#include <string.h>

#include "render/call.h"
#include "render/chain.h"
#include "render/check.h"
#include "render/device.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

struct batch {
	struct venus_object **objects;
	uint64_t *handles; /* the host's; VK_NULL_HANDLE at first */
	VkPipeline *ids;   /* the guest's, which the reply repeats */
	uint32_t count;
};

/** Binds all ids of a call. false: the call has failed. */
static bool batch_begin(
		struct render_call *call, struct batch *batch, VkPipeline *ids, uint32_t count) {
	struct arena *arena = call->decoder->arena;
	if (!count || !ids) {
		render_call_fail(call, "no pipelines");
		return false;
	}
	*batch = (struct batch){
		.objects = arena_alloc_array(arena, count, sizeof(*batch->objects)),
		.handles = arena_alloc_array(arena, count, sizeof(*batch->handles)),
		.ids = ids,
		.count = count,
	};
	if (!batch->objects || !batch->handles) {
		render_call_fail(call, "out of memory");
		return false;
	}
	memset(batch->handles, 0, count * sizeof(*batch->handles));
	for (uint32_t i = 0; i < count; i++) {
		batch->objects[i] =
			render_object_reserve(call, RENDER_HANDLE(ids[i]), VK_OBJECT_TYPE_PIPELINE, 0);
		if (!batch->objects[i]) {
			while (i-- > 0) {
				render_object_unbind(call->context, batch->objects[i]);
			}
			return false;
		}
	}
	return true;
}

/**
 * A result that is not an error may leave single pipelines unmade (VK_PIPELINE_COMPILE_REQUIRED): their ids become
 * unbound, or failed objects. After an error none stays. The guest learns from zeros in the reply which
 * were not made.
 */
static void batch_end(struct render_call *call, struct batch *batch, VkResult result) {
	const struct render_device *device = render_device_of(call->decoder->device);
	for (uint32_t i = 0; i < batch->count; i++) {
		uint64_t handle = batch->handles[i];
		if (result < 0 && handle) {
			device->vk.DestroyPipeline(render_device_handle(device),
				(VkPipeline)(uintptr_t)handle, NULL);
			handle = 0;
		}
		if (!handle) {
			batch->ids[i] = VK_NULL_HANDLE;
		}
		render_object_complete(call, batch->objects[i], handle, result);
	}
}

/** Not all stages have a shader that we see: it may be a module's, or named by its hash. */
static bool check_stages(struct render_call *call, const VkPipelineShaderStageCreateInfo *stages,
		uint32_t count) {
	for (uint32_t i = 0; stages && i < count; i++) {
		const VkShaderModuleCreateInfo *code =
			chain_find(&stages[i], VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
		if (code && !render_check_spirv(code->pCode, code->codeSize)) {
			render_call_fail(call, "the code is no SPIR-V");
			return false;
		}
		if (!render_check_specialization(stages[i].pSpecializationInfo)) {
			render_call_fail(call, "a constant lies outside its data");
			return false;
		}
	}
	return true;
}

void render_handle_vkCreateComputePipelines(
		struct render_call *call, struct venus_vkCreateComputePipelines *args) {
	struct batch batch;
	for (uint32_t i = 0; args->pCreateInfos && i < args->createInfoCount; i++) {
		if (!check_stages(call, &args->pCreateInfos[i].stage, 1)) {
			return;
		}
	}
	if (!batch_begin(call, &batch, args->pPipelines, args->createInfoCount)) {
		return;
	}
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!call->decoder->failed_object && !render_object_is_refused(call)) {
		args->ret = render_call_device_table(call)->CreateComputePipelines(args->device,
			args->pipelineCache, args->createInfoCount, args->pCreateInfos, NULL,
			(VkPipeline *)(void *)batch.handles);
	}
	batch_end(call, &batch, args->ret);
}

/**
 * From a library that has a fragment output and discards its primitives, the guest's driver takes the
 * multisample state, which nothing uses then. lavapipe (Mesa 26.1) reads it all the same.
 */
static void add_multisample_state(VkGraphicsPipelineCreateInfo *info) {
	static const VkPipelineMultisampleStateCreateInfo unused = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
		.rasterizationSamples = VK_SAMPLE_COUNT_1_BIT,
	};
	const VkGraphicsPipelineLibraryCreateInfoEXT *library =
		chain_find(info, VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT);
	const VkGraphicsPipelineLibraryFlagsEXT output =
		VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_OUTPUT_INTERFACE_BIT_EXT;
	if (library && library->flags & output && !info->pMultisampleState &&
			info->pRasterizationState &&
			info->pRasterizationState->rasterizerDiscardEnable) {
		info->pMultisampleState = &unused;
	}
}

/** The host's call; what linked pipelines need of their libraries is kept. */
static VkResult create_graphics_pipelines(struct render_call *call,
		const struct venus_vkCreateGraphicsPipelines *args, uint64_t *handles) {
	struct render_device *device = render_device_of(call->decoder->device);
	struct render_library **libraries =
		arena_alloc_array(call->decoder->arena, args->createInfoCount, sizeof(*libraries));
	if (!libraries) {
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	for (uint32_t i = 0; i < args->createInfoCount; i++) {
		libraries[i] = render_library_begin(device, &args->pCreateInfos[i]);
	}
	VkResult result = device->vk.CreateGraphicsPipelines(args->device, args->pipelineCache,
		args->createInfoCount, args->pCreateInfos, NULL, (VkPipeline *)(void *)handles);
	for (uint32_t i = 0; i < args->createInfoCount; i++) {
		/* after an error all are destroyed at once */
		render_library_end(device, libraries[i], result < 0 ? 0 : handles[i]);
	}
	return result;
}

void render_handle_vkCreateGraphicsPipelines(
		struct render_call *call, struct venus_vkCreateGraphicsPipelines *args) {
	struct batch batch;
	for (uint32_t i = 0; args->pCreateInfos && i < args->createInfoCount; i++) {
		/* in our arena */
		VkGraphicsPipelineCreateInfo *info =
			(VkGraphicsPipelineCreateInfo *)&args->pCreateInfos[i];
		if (!check_stages(call, info->pStages, info->stageCount)) {
			return;
		}
		add_multisample_state(info);
	}
	if (!batch_begin(call, &batch, args->pPipelines, args->createInfoCount)) {
		return;
	}
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!call->decoder->failed_object && !render_object_is_refused(call)) {
		args->ret = create_graphics_pipelines(call, args, batch.handles);
	}
	batch_end(call, &batch, args->ret);
}

void render_handle_vkCreateRayTracingPipelinesKHR(
		struct render_call *call, struct venus_vkCreateRayTracingPipelinesKHR *args) {
	const struct vk_device_table *vk = render_call_device_table(call);
	if (!vk->CreateRayTracingPipelinesKHR) {
		render_call_fail(call, "the command is not enabled on the device");
		return;
	}
	for (uint32_t i = 0; args->pCreateInfos && i < args->createInfoCount; i++) {
		if (!check_stages(call, args->pCreateInfos[i].pStages,
				args->pCreateInfos[i].stageCount)) {
			return;
		}
	}
	struct batch batch;
	if (!batch_begin(call, &batch, args->pPipelines, args->createInfoCount)) {
		return;
	}
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!call->decoder->failed_object && !render_object_is_refused(call)) {
		args->ret = vk->CreateRayTracingPipelinesKHR(args->device, VK_NULL_HANDLE,
			args->pipelineCache, args->createInfoCount, args->pCreateInfos, NULL,
			(VkPipeline *)(void *)batch.handles);
	}
	batch_end(call, &batch, args->ret);
}

void render_handle_vkDestroyPipeline(
		struct render_call *call, struct venus_vkDestroyPipeline *args) {
	const uint64_t handle = render_object_release(call, args->pipeline_object);
	if (handle) {
		render_pipeline_destroy(render_device_of(call->decoder->device), handle);
	}
}
