/* SPDX-License-Identifier: MIT */
#include "parity.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void say(const char *format, ...) {
	va_list args;
	va_start(args, format);
	putchar('\t');
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

VkResult say_result(const char *what, VkResult result) {
	say("%s: %d", what, result);
	return result;
}

void say_hash(const char *what, const void *data, size_t size) {
	const uint8_t *bytes = data;
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < size; i++) {
		hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
	}
	say("%s: %zu bytes, %016llx", what, size, (unsigned long long)hash);
}

void parity_fail(const char *what, VkResult result) {
	say("%s failed: %d", what, result);
	fflush(stdout);
	_Exit(1);
}

static const char *const known_extensions[] = {
	VK_EXT_TRANSFORM_FEEDBACK_EXTENSION_NAME,
	VK_EXT_ROBUSTNESS_2_EXTENSION_NAME,
	VK_EXT_EXTENDED_DYNAMIC_STATE_EXTENSION_NAME,
	VK_EXT_EXTENDED_DYNAMIC_STATE_2_EXTENSION_NAME,
	VK_EXT_EXTENDED_DYNAMIC_STATE_3_EXTENSION_NAME,
	VK_EXT_VERTEX_INPUT_DYNAMIC_STATE_EXTENSION_NAME,
	VK_EXT_HOST_IMAGE_COPY_EXTENSION_NAME,
	VK_KHR_PIPELINE_LIBRARY_EXTENSION_NAME,
	VK_EXT_GRAPHICS_PIPELINE_LIBRARY_EXTENSION_NAME,
	VK_EXT_PRIMITIVES_GENERATED_QUERY_EXTENSION_NAME,
	VK_EXT_MULTI_DRAW_EXTENSION_NAME,
	VK_EXT_CONDITIONAL_RENDERING_EXTENSION_NAME,
	VK_EXT_CUSTOM_BORDER_COLOR_EXTENSION_NAME,
	VK_EXT_MESH_SHADER_EXTENSION_NAME,
	VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
	VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME,
	VK_KHR_MAINTENANCE_5_EXTENSION_NAME,
	VK_KHR_MAINTENANCE_6_EXTENSION_NAME,
	VK_EXT_TOOLING_INFO_EXTENSION_NAME,
	VK_EXT_SAMPLE_LOCATIONS_EXTENSION_NAME,
	VK_EXT_DEPTH_CLIP_ENABLE_EXTENSION_NAME,
	VK_EXT_SAMPLER_FILTER_MINMAX_EXTENSION_NAME,
	VK_KHR_LINE_RASTERIZATION_EXTENSION_NAME,
	VK_KHR_DEFERRED_HOST_OPERATIONS_EXTENSION_NAME,
	VK_EXT_COLOR_WRITE_ENABLE_EXTENSION_NAME,
	VK_EXT_DEPTH_CLIP_CONTROL_EXTENSION_NAME,
	VK_EXT_DEPTH_BIAS_CONTROL_EXTENSION_NAME,
	VK_EXT_PROVOKING_VERTEX_EXTENSION_NAME,
	VK_EXT_PRIMITIVE_TOPOLOGY_LIST_RESTART_EXTENSION_NAME,
	VK_EXT_BLEND_OPERATION_ADVANCED_EXTENSION_NAME,
	VK_EXT_ATTACHMENT_FEEDBACK_LOOP_LAYOUT_EXTENSION_NAME,
	VK_EXT_ATTACHMENT_FEEDBACK_LOOP_DYNAMIC_STATE_EXTENSION_NAME,
	VK_EXT_DYNAMIC_RENDERING_UNUSED_ATTACHMENTS_EXTENSION_NAME,
	VK_EXT_MULTISAMPLED_RENDER_TO_SINGLE_SAMPLED_EXTENSION_NAME,
	VK_EXT_NESTED_COMMAND_BUFFER_EXTENSION_NAME,
	VK_EXT_MUTABLE_DESCRIPTOR_TYPE_EXTENSION_NAME,
	VK_EXT_FRAGMENT_SHADER_INTERLOCK_EXTENSION_NAME,
	VK_EXT_SHADER_ATOMIC_FLOAT_EXTENSION_NAME,
	VK_EXT_PIPELINE_ROBUSTNESS_EXTENSION_NAME,
	VK_KHR_INDEX_TYPE_UINT8_EXTENSION_NAME,
	VK_KHR_VERTEX_ATTRIBUTE_DIVISOR_EXTENSION_NAME,
	VK_KHR_DYNAMIC_RENDERING_LOCAL_READ_EXTENSION_NAME,
	VK_KHR_LOAD_STORE_OP_NONE_EXTENSION_NAME,
	VK_KHR_GLOBAL_PRIORITY_EXTENSION_NAME,
	VK_KHR_ACCELERATION_STRUCTURE_EXTENSION_NAME,
	VK_KHR_RAY_QUERY_EXTENSION_NAME,
	VK_KHR_RAY_TRACING_PIPELINE_EXTENSION_NAME,
	VK_KHR_RAY_TRACING_MAINTENANCE_1_EXTENSION_NAME,
	VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME,
	VK_KHR_WORKGROUP_MEMORY_EXPLICIT_LAYOUT_EXTENSION_NAME,
};

static void chain(struct parity *parity, void *structure, VkStructureType type) {
	VkBaseOutStructure *item = structure;
	item->sType = type;
	item->pNext = parity->features.pNext;
	parity->features.pNext = item;
}

static void find_extensions(struct parity *parity) {
	uint32_t count = 0;
	MUST(vkEnumerateDeviceExtensionProperties(parity->physical, NULL, &count, NULL));
	VkExtensionProperties *all = calloc(count, sizeof(*all));
	MUST(vkEnumerateDeviceExtensionProperties(parity->physical, NULL, &count, all));
	for (size_t i = 0; i < sizeof(known_extensions) / sizeof(known_extensions[0]); i++) {
		for (uint32_t j = 0; j < count; j++) {
			if (strcmp(all[j].extensionName, known_extensions[i]) == 0) {
				parity->extensions[parity->extension_count++] = known_extensions[i];
			}
		}
	}
	free(all);
}

VkDevice parity_device(struct parity *parity) {
	const float priority = 1.0f;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = parity->family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &parity->features,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = parity->extension_count,
		.ppEnabledExtensionNames = parity->extensions,
	};
	VkDevice device;
	MUST(vkCreateDevice(parity->physical, &info, NULL, &device));
	return device;
}

void parity_init(struct parity *parity) {
	memset(parity, 0, sizeof(*parity));
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.apiVersion = VK_API_VERSION_1_3,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
	};
	MUST(vkCreateInstance(&info, NULL, &parity->instance));
	uint32_t count = 1;
	MUST(vkEnumeratePhysicalDevices(parity->instance, &count, &parity->physical));
	if (count == 0) {
		parity_fail("there is no device", 0);
	}
	vkGetPhysicalDeviceProperties(parity->physical, &parity->properties);
	vkGetPhysicalDeviceMemoryProperties(parity->physical, &parity->memory);
	find_extensions(parity);

	parity->features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
#define FEATURE(member, type) chain(parity, &parity->member, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_##type)
	FEATURE(vulkan11, VULKAN_1_1_FEATURES);
	FEATURE(vulkan12, VULKAN_1_2_FEATURES);
	FEATURE(vulkan13, VULKAN_1_3_FEATURES);
	FEATURE(transform_feedback, TRANSFORM_FEEDBACK_FEATURES_EXT);
	FEATURE(robustness2, ROBUSTNESS_2_FEATURES_EXT);
	FEATURE(dynamic_state, EXTENDED_DYNAMIC_STATE_FEATURES_EXT);
	FEATURE(dynamic_state2, EXTENDED_DYNAMIC_STATE_2_FEATURES_EXT);
	FEATURE(dynamic_state3, EXTENDED_DYNAMIC_STATE_3_FEATURES_EXT);
	FEATURE(vertex_input, VERTEX_INPUT_DYNAMIC_STATE_FEATURES_EXT);
	FEATURE(host_image_copy, HOST_IMAGE_COPY_FEATURES_EXT);
	FEATURE(pipeline_library, GRAPHICS_PIPELINE_LIBRARY_FEATURES_EXT);
	FEATURE(primitives_generated, PRIMITIVES_GENERATED_QUERY_FEATURES_EXT);
	FEATURE(multi_draw, MULTI_DRAW_FEATURES_EXT);
	FEATURE(conditional_rendering, CONDITIONAL_RENDERING_FEATURES_EXT);
	FEATURE(border_color, CUSTOM_BORDER_COLOR_FEATURES_EXT);
	FEATURE(mesh_shader, MESH_SHADER_FEATURES_EXT);
	FEATURE(color_write, COLOR_WRITE_ENABLE_FEATURES_EXT);
	FEATURE(depth_clip_enable, DEPTH_CLIP_ENABLE_FEATURES_EXT);
	FEATURE(depth_clip_control, DEPTH_CLIP_CONTROL_FEATURES_EXT);
	FEATURE(depth_bias_control, DEPTH_BIAS_CONTROL_FEATURES_EXT);
	FEATURE(provoking_vertex, PROVOKING_VERTEX_FEATURES_EXT);
	FEATURE(list_restart, PRIMITIVE_TOPOLOGY_LIST_RESTART_FEATURES_EXT);
	FEATURE(blend_advanced, BLEND_OPERATION_ADVANCED_FEATURES_EXT);
	FEATURE(feedback_loop, ATTACHMENT_FEEDBACK_LOOP_LAYOUT_FEATURES_EXT);
	FEATURE(feedback_loop_dynamic, ATTACHMENT_FEEDBACK_LOOP_DYNAMIC_STATE_FEATURES_EXT);
	FEATURE(unused_attachments, DYNAMIC_RENDERING_UNUSED_ATTACHMENTS_FEATURES_EXT);
	FEATURE(to_single_sampled, MULTISAMPLED_RENDER_TO_SINGLE_SAMPLED_FEATURES_EXT);
	FEATURE(nested, NESTED_COMMAND_BUFFER_FEATURES_EXT);
	FEATURE(mutable_type, MUTABLE_DESCRIPTOR_TYPE_FEATURES_EXT);
	FEATURE(interlock, FRAGMENT_SHADER_INTERLOCK_FEATURES_EXT);
	FEATURE(atomic_float, SHADER_ATOMIC_FLOAT_FEATURES_EXT);
	FEATURE(pipeline_robustness, PIPELINE_ROBUSTNESS_FEATURES_EXT);
	FEATURE(maintenance5, MAINTENANCE_5_FEATURES_KHR);
	FEATURE(maintenance6, MAINTENANCE_6_FEATURES_KHR);
	FEATURE(index_uint8, INDEX_TYPE_UINT8_FEATURES_KHR);
	FEATURE(divisor, VERTEX_ATTRIBUTE_DIVISOR_FEATURES_KHR);
	FEATURE(line, LINE_RASTERIZATION_FEATURES_KHR);
	FEATURE(local_read, DYNAMIC_RENDERING_LOCAL_READ_FEATURES_KHR);
	FEATURE(global_priority, GLOBAL_PRIORITY_QUERY_FEATURES_KHR);
	FEATURE(acceleration, ACCELERATION_STRUCTURE_FEATURES_KHR);
	FEATURE(ray_query, RAY_QUERY_FEATURES_KHR);
	FEATURE(ray_tracing, RAY_TRACING_PIPELINE_FEATURES_KHR);
	FEATURE(ray_maintenance, RAY_TRACING_MAINTENANCE_1_FEATURES_KHR);
	FEATURE(cooperative_matrix, COOPERATIVE_MATRIX_FEATURES_KHR);
	FEATURE(workgroup_layout, WORKGROUP_MEMORY_EXPLICIT_LAYOUT_FEATURES_KHR);
#undef FEATURE
	vkGetPhysicalDeviceFeatures2(parity->physical, &parity->features);
	/* these need more features than are chained */
	parity->mesh_shader.multiviewMeshShader = VK_FALSE;
	parity->mesh_shader.primitiveFragmentShadingRateMeshShader = VK_FALSE;

	parity->device = parity_device(parity);
	vkGetDeviceQueue(parity->device, parity->family, 0, &parity->queue);
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = parity->family,
	};
	MUST(vkCreateCommandPool(parity->device, &pool, NULL, &parity->pool));
}

void parity_finish(struct parity *parity) {
	MUST(vkDeviceWaitIdle(parity->device));
	vkDestroyCommandPool(parity->device, parity->pool, NULL);
	vkDestroyDevice(parity->device, NULL);
	vkDestroyInstance(parity->instance, NULL);
}

bool parity_has(const struct parity *parity, const char *extension) {
	for (uint32_t i = 0; i < parity->extension_count; i++) {
		if (strcmp(parity->extensions[i], extension) == 0) {
			return true;
		}
	}
	say("there is no %s", extension);
	return false;
}

VkDeviceMemory parity_allocate(struct parity *parity, const VkMemoryRequirements *requirements,
		VkMemoryPropertyFlags flags, const void *next) {
	for (uint32_t i = 0; i < parity->memory.memoryTypeCount; i++) {
		if (!(requirements->memoryTypeBits & UINT32_C(1) << i) ||
				(parity->memory.memoryTypes[i].propertyFlags & flags) != flags) {
			continue;
		}
		const VkMemoryAllocateInfo info = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
			.pNext = next,
			.allocationSize = requirements->size,
			.memoryTypeIndex = i,
		};
		VkDeviceMemory memory;
		MUST(vkAllocateMemory(parity->device, &info, NULL, &memory));
		return memory;
	}
	parity_fail("there is no such memory", 0);
	return VK_NULL_HANDLE;
}

void parity_buffer_init(struct parity *parity, struct parity_buffer *buffer, VkDeviceSize size,
		VkBufferUsageFlags usage) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = usage,
	};
	*buffer = (struct parity_buffer){.size = size};
	MUST(vkCreateBuffer(parity->device, &info, NULL, &buffer->buffer));
	VkMemoryRequirements requirements;
	vkGetBufferMemoryRequirements(parity->device, buffer->buffer, &requirements);
	const bool with_address = usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
	const VkMemoryAllocateFlagsInfo flags = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
		.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
	};
	buffer->memory = parity_allocate(parity, &requirements,
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
		with_address ? &flags : NULL);
	MUST(vkBindBufferMemory(parity->device, buffer->buffer, buffer->memory, 0));
	MUST(vkMapMemory(parity->device, buffer->memory, 0, VK_WHOLE_SIZE, 0, &buffer->data));
	memset(buffer->data, 0xcc, size);
	if (with_address) {
		const VkBufferDeviceAddressInfo address = {
			.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
			.buffer = buffer->buffer,
		};
		buffer->address = vkGetBufferDeviceAddress(parity->device, &address);
	}
}

void parity_buffer_finish(struct parity *parity, struct parity_buffer *buffer) {
	vkDestroyBuffer(parity->device, buffer->buffer, NULL);
	vkFreeMemory(parity->device, buffer->memory, NULL);
}

void parity_image_init(struct parity *parity, struct parity_image *image,
		const VkImageCreateInfo *info, VkImageViewType view_type, VkImageAspectFlags aspect) {
	image->info = *info;
	image->aspects = aspect;
	MUST(vkCreateImage(parity->device, info, NULL, &image->image));
	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(parity->device, image->image, &requirements);
	image->memory = parity_allocate(parity, &requirements, 0, NULL);
	MUST(vkBindImageMemory(parity->device, image->image, image->memory, 0));
	const VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = image->image,
		.viewType = view_type,
		.format = info->format,
		/* the validation layers do not understand the latter everywhere */
		.subresourceRange = {aspect, 0, VK_REMAINING_MIP_LEVELS, 0,
			info->arrayLayers > 1 ? info->arrayLayers : VK_REMAINING_ARRAY_LAYERS},
	};
	MUST(vkCreateImageView(parity->device, &view, NULL, &image->view));
}

void parity_image_finish(struct parity *parity, struct parity_image *image) {
	vkDestroyImageView(parity->device, image->view, NULL);
	vkDestroyImage(parity->device, image->image, NULL);
	vkFreeMemory(parity->device, image->memory, NULL);
}

VkShaderModule parity_shader(struct parity *parity, const uint32_t *code, size_t size) {
	const VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = size,
		.pCode = code,
	};
	VkShaderModule shader;
	MUST(vkCreateShaderModule(parity->device, &info, NULL, &shader));
	return shader;
}

void parity_compute_init(struct parity *parity, struct parity_compute *compute,
		const struct parity_compute_info *info) {
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.flags = info->set_flags,
		.bindingCount = info->binding_count,
		.pBindings = info->bindings,
	};
	MUST(vkCreateDescriptorSetLayout(parity->device, &set_layout, NULL, &compute->set_layout));
	const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, info->push_size};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &compute->set_layout,
		.pushConstantRangeCount = info->push_size ? 1 : 0,
		.pPushConstantRanges = &push,
	};
	MUST(vkCreatePipelineLayout(parity->device, &layout, NULL, &compute->layout));
	compute->shader = parity_shader(parity, info->code, info->size);
	const VkComputePipelineCreateInfo pipeline = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.flags = info->flags,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.pNext = info->stage_next,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = compute->shader,
			.pName = "main",
			.pSpecializationInfo = info->specialization,
		},
		.layout = compute->layout,
	};
	MUST(vkCreateComputePipelines(
		parity->device, VK_NULL_HANDLE, 1, &pipeline, NULL, &compute->pipeline));
}

void parity_compute_finish(struct parity *parity, struct parity_compute *compute) {
	vkDestroyPipeline(parity->device, compute->pipeline, NULL);
	vkDestroyShaderModule(parity->device, compute->shader, NULL);
	vkDestroyPipelineLayout(parity->device, compute->layout, NULL);
	vkDestroyDescriptorSetLayout(parity->device, compute->set_layout, NULL);
}

VkCommandBuffer parity_begin(struct parity *parity) {
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = parity->pool,
		.commandBufferCount = 1,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	VkCommandBuffer commands;
	MUST(vkAllocateCommandBuffers(parity->device, &allocate, &commands));
	MUST(vkBeginCommandBuffer(commands, &begin));
	return commands;
}

void parity_run(struct parity *parity, VkCommandBuffer commands) {
	parity_barrier(commands);
	MUST(vkEndCommandBuffer(commands));
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence;
	MUST(vkCreateFence(parity->device, &info, NULL, &fence));
	MUST(vkQueueSubmit(parity->queue, 1, &submit, fence));
	MUST(vkWaitForFences(parity->device, 1, &fence, VK_TRUE, UINT64_MAX));
	vkDestroyFence(parity->device, fence, NULL);
	vkFreeCommandBuffers(parity->device, parity->pool, 1, &commands);
}

void parity_barrier(VkCommandBuffer commands) {
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT |
			VK_ACCESS_HOST_READ_BIT,
	};
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
		VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, NULL,
		0, NULL);
}

void parity_transition(VkCommandBuffer commands, const struct parity_image *image,
		VkImageLayout from, VkImageLayout to) {
	const VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
		.oldLayout = from,
		.newLayout = to,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.image = image->image,
		.subresourceRange = {
			image->aspects, 0, VK_REMAINING_MIP_LEVELS, 0, VK_REMAINING_ARRAY_LAYERS,
		},
	};
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
		VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
}

static void say_aspect(struct parity *parity, const char *what, const struct parity_image *image,
		VkImageAspectFlags aspect, uint32_t texel_size) {
	const VkExtent3D extent = image->info.extent;
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, (VkDeviceSize)texel_size * extent.width * extent.height *
		extent.depth * image->info.arrayLayers, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	const VkBufferImageCopy copy = {
		.imageSubresource = {aspect, 0, 0, image->info.arrayLayers},
		.imageExtent = extent,
	};
	VkCommandBuffer commands = parity_begin(parity);
	parity_barrier(commands);
	vkCmdCopyImageToBuffer(commands, image->image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		buffer.buffer, 1, &copy);
	parity_run(parity, commands);
	say_hash(what, buffer.data, buffer.size);
	parity_buffer_finish(parity, &buffer);
}

void parity_say_image(struct parity *parity, const char *what, const struct parity_image *image,
		uint32_t texel_size) {
	for (VkImageAspectFlags bits = image->aspects; bits; bits &= bits - 1) {
		const VkImageAspectFlags aspect = bits & ~(bits - 1);
		say_aspect(parity, what, image, aspect,
			aspect == VK_IMAGE_ASPECT_STENCIL_BIT ? 1 : texel_size);
	}
}
