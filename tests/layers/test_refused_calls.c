/* SPDX-License-Identifier: MIT */

/*
 * The host refuses to enumerate, to reset, to tell, or to copy; or to make a part of a pipeline that is
 * linked later. The guest gets the error, and the second try goes well.
 */

#include <stdio.h>
#include <string.h>

#include "refusals.h"

#include "../unit/test.h"
#include "base/log.h"

#include "empty_rgen_spv.h"
#include "triangle_vert_spv.h"

/* --- enumeration --- */

static void test_enumeration(void) {
	struct peer peer;
	/* both are asked twice: for the number, and for the handles */
	start_bare(&peer, FAULT(vkEnumeratePhysicalDevices, 1) ","
		FAULT(vkEnumeratePhysicalDevices, 3) ","
		FAULT(vkEnumeratePhysicalDeviceGroups, 1) ","
		FAULT(vkEnumeratePhysicalDeviceGroups, 3));
	const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
	VkInstance instance = ID(Instance, PEER_INSTANCE);
	EXPECT(VK_SUCCESS, &peer, vkCreateInstance, .pCreateInfo = &info, .pInstance = &instance);
	for (int i = 0; i < 3; i++) {
		uint32_t count = 1;
		VkPhysicalDevice physical = PEER_PHYSICAL_HANDLE;
		EXPECT(i < 2 ? OUT_OF_MEMORY : VK_SUCCESS, &peer, vkEnumeratePhysicalDevices,
			.instance = instance, .pPhysicalDeviceCount = &count,
			.pPhysicalDevices = &physical);
	}
	for (int i = 0; i < 3; i++) {
		uint32_t count = 1;
		VkPhysicalDeviceGroupProperties group = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES};
		struct venus_vkEnumeratePhysicalDeviceGroups enumerate = {.instance = instance,
			.pPhysicalDeviceGroupCount = &count,
			.pPhysicalDeviceGroupProperties = &group};
		PEER_CALL(&peer, vkEnumeratePhysicalDeviceGroups, &enumerate);
		CHECK_INT(enumerate.ret, i < 2 ? OUT_OF_MEMORY : VK_SUCCESS);
		if (i == 2) {
			CHECK_INT(*enumerate.pPhysicalDeviceGroupCount, 1);
			CHECK(enumerate.pPhysicalDeviceGroupProperties->physicalDevices[0] ==
				PEER_PHYSICAL_HANDLE);
		}
	}
	stop(&peer);
}

/* --- resets --- */

/** Leaves the command buffer in a recording that cannot be ended. */
static void spoil_commands(struct peer *peer) {
	VkBuffer buffer = ID(Buffer, BUFFERS);
	CHECK_INT(record_fill(peer, BUFFERS), VK_ERROR_OUT_OF_HOST_MEMORY);
	DO(peer, vkDestroyBuffer, .device = DEVICE, .buffer = buffer);
}

/** A failed buffer; the renderer's own is the first. */
static void make_failed_buffer(struct peer *peer) {
	VkBuffer buffer = ID(Buffer, BUFFERS);
	DO(peer, vkCreateBuffer, .device = DEVICE, .pCreateInfo = &buffer_info, .pBuffer = &buffer);
}

static VkResult record_nothing(struct peer *peer) {
	const VkCommandBuffer commands = ID(CommandBuffer, COMMANDS);
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	DO(peer, vkBeginCommandBuffer, .commandBuffer = commands, .pBeginInfo = &begin);
	VkResult result;
	ASK(&result, peer, vkEndCommandBuffer, .commandBuffer = commands);
	return result;
}

static void test_reset_command_buffer(void) {
	struct peer peer;
	/* the guest resets once; the second and third are the renderer's, before a new recording */
	start(&peer, FAULT(vkCreateBuffer, 2) "," FAULT(vkResetCommandBuffer, 1) ","
		FAULT(vkResetCommandBuffer, 2));
	allocate_commands(&peer);
	make_failed_buffer(&peer);
	spoil_commands(&peer);
	EXPECT(OUT_OF_MEMORY, &peer, vkResetCommandBuffer,
		.commandBuffer = ID(CommandBuffer, COMMANDS));
	CHECK_INT(record_nothing(&peer), VK_ERROR_OUT_OF_HOST_MEMORY);
	CHECK_INT(record_nothing(&peer), VK_SUCCESS);
	EXPECT(VK_SUCCESS, &peer, vkResetCommandBuffer,
		.commandBuffer = ID(CommandBuffer, COMMANDS));
	CHECK_INT(record_nothing(&peer), VK_SUCCESS);
	stop(&peer);
}

/** Command buffers that only their pool resets wait until it does. */
static void test_reset_command_pool(void) {
	for (int answered = 0; answered < 2; answered++) {
		struct peer peer;
		start(&peer, FAULT(vkResetCommandPool, 1));
		const VkCommandPoolCreateInfo pool_info = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
		VkCommandPool pool = ID(CommandPool, POOL);
		EXPECT(VK_SUCCESS, &peer, vkCreateCommandPool, .device = DEVICE,
			.pCreateInfo = &pool_info, .pCommandPool = &pool);
		const VkCommandBufferAllocateInfo info = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
			.commandPool = pool,
			.commandBufferCount = 1,
		};
		VkCommandBuffer commands = ID(CommandBuffer, COMMANDS);
		EXPECT(VK_SUCCESS, &peer, vkAllocateCommandBuffers, .device = DEVICE,
			.pAllocateInfo = &info, .pCommandBuffers = &commands);
		CHECK_INT(record_nothing(&peer), VK_SUCCESS);
		VkResult result;
		DO_OR_ASK(&result, answered, &peer, vkResetCommandPool, .device = DEVICE,
			.commandPool = pool);
		CHECK_INT(result, answered ? OUT_OF_MEMORY : VK_SUCCESS);
		CHECK_INT(record_nothing(&peer), VK_ERROR_OUT_OF_HOST_MEMORY);
		EXPECT(VK_SUCCESS, &peer, vkResetCommandPool, .device = DEVICE,
			.commandPool = pool);
		CHECK_INT(record_nothing(&peer), VK_SUCCESS);
		stop(&peer);
	}
}

/** The sets' ids are free, whatever the host says. */
static void test_reset_descriptor_pool(void) {
	struct peer peer;
	start(&peer, FAULT(vkResetDescriptorPool, 1));
	create_pool_and_layout(&peer);
	VkDescriptorPool pool = ID(DescriptorPool, DESCRIPTOR_POOL);
	EXPECT(VK_SUCCESS, &peer, vkCreateDescriptorPool, .device = DEVICE,
		.pCreateInfo = &descriptor_pool_info, .pDescriptorPool = &pool);
	const VkDescriptorSetLayout layout = ID(DescriptorSetLayout, SET_LAYOUT);
	const VkDescriptorSetAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &layout,
	};
	VkDescriptorSet set = ID(DescriptorSet, SETS);
	for (int i = 0; i < 3; i++) {
		EXPECT(VK_SUCCESS, &peer, vkAllocateDescriptorSets, .device = DEVICE,
			.pAllocateInfo = &info, .pDescriptorSets = &set);
		EXPECT(i == 0 ? OUT_OF_MEMORY : VK_SUCCESS, &peer, vkResetDescriptorPool,
			.device = DEVICE, .descriptorPool = pool);
	}
	stop(&peer);
}

/** A refusal that the guest hears is an error; for one that it does not, once more is tried. */
static void test_reset_fences(void) {
	struct peer peer;
	start(&peer, FAULT(vkResetFences, 1) "," FAULT(vkResetFences, 2));
	const VkFenceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .flags = VK_FENCE_CREATE_SIGNALED_BIT};
	VkFence fence = ID(Fence, FENCE);
	EXPECT(VK_SUCCESS, &peer, vkCreateFence, .device = DEVICE, .pCreateInfo = &info,
		.pFence = &fence);
	EXPECT(OUT_OF_MEMORY, &peer, vkResetFences, .device = DEVICE, .fenceCount = 1,
		.pFences = &fence);
	EXPECT(VK_SUCCESS, &peer, vkGetFenceStatus, .device = DEVICE, .fence = fence);
	DO(&peer, vkResetFences, .device = DEVICE, .fenceCount = 1, .pFences = &fence);
	EXPECT(VK_NOT_READY, &peer, vkGetFenceStatus, .device = DEVICE, .fence = fence);
	stop(&peer);
}

/* --- what the host tells --- */

static void test_status(void) {
	struct peer peer;
	start(&peer, FAULT(vkGetEventStatus, 1) "," FAULT(vkGetQueryPoolResults, 1));
	allocate_commands(&peer);
	const VkEventCreateInfo event_info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	VkEvent event = ID(Event, EVENT);
	EXPECT(VK_SUCCESS, &peer, vkCreateEvent, .device = DEVICE, .pCreateInfo = &event_info,
		.pEvent = &event);
	EXPECT(OUT_OF_MEMORY, &peer, vkGetEventStatus, .device = DEVICE, .event = event);
	EXPECT(VK_EVENT_RESET, &peer, vkGetEventStatus, .device = DEVICE, .event = event);

	const VkQueryPoolCreateInfo queries_info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_TIMESTAMP,
		.queryCount = 1,
	};
	VkQueryPool queries = ID(QueryPool, QUERIES);
	EXPECT(VK_SUCCESS, &peer, vkCreateQueryPool, .device = DEVICE, .pCreateInfo = &queries_info,
		.pQueryPool = &queries);
	const VkCommandBuffer commands = ID(CommandBuffer, COMMANDS);
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	DO(&peer, vkBeginCommandBuffer, .commandBuffer = commands, .pBeginInfo = &begin);
	DO(&peer, vkCmdResetQueryPool, .commandBuffer = commands, .queryPool = queries,
		.queryCount = 1);
	DO(&peer, vkCmdWriteTimestamp, .commandBuffer = commands,
		.pipelineStage = VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, .queryPool = queries);
	EXPECT(VK_SUCCESS, &peer, vkEndCommandBuffer, .commandBuffer = commands);
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	EXPECT(VK_SUCCESS, &peer, vkQueueSubmit, .queue = PEER_QUEUE_HANDLE, .submitCount = 1,
		.pSubmits = &submit);
	for (int i = 0; i < 2; i++) {
		uint64_t result = 0;
		EXPECT(i == 0 ? OUT_OF_MEMORY : VK_SUCCESS, &peer, vkGetQueryPoolResults,
			.device = DEVICE, .queryPool = queries, .queryCount = 1,
			.dataSize = sizeof(result), .pData = &result, .stride = sizeof(result),
			.flags = VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
	}
	stop(&peer);
}

/* --- host image copies --- */

static void make_copyable(struct peer *peer, uint32_t i) {
	VkImageCreateInfo info = image_info;
	info.usage = VK_IMAGE_USAGE_HOST_TRANSFER_BIT;
	VkImage image = ID(Image, IMAGES + i);
	EXPECT(VK_SUCCESS, peer, vkCreateImage, .device = DEVICE, .pCreateInfo = &info,
		.pImage = &image);
	VkMemoryRequirements requirements = {0};
	struct venus_vkGetImageMemoryRequirements get = {
		.device = DEVICE, .image = image, .pMemoryRequirements = &requirements};
	PEER_CALL(peer, vkGetImageMemoryRequirements, &get);
	uint32_t type = 0;
	while (!(get.pMemoryRequirements->memoryTypeBits >> type & 1)) {
		type++;
	}
	CHECK_INT(allocate(peer, i ? MEMORY : IMAGE_MEMORY, get.pMemoryRequirements->size, type,
		true), VK_SUCCESS);
	EXPECT(VK_SUCCESS, peer, vkBindImageMemory, .device = DEVICE, .image = image,
		.memory = ID(DeviceMemory, i ? MEMORY : IMAGE_MEMORY));
	const VkHostImageLayoutTransitionInfo to_general = {
		.sType = VK_STRUCTURE_TYPE_HOST_IMAGE_LAYOUT_TRANSITION_INFO,
		.image = image,
		.newLayout = VK_IMAGE_LAYOUT_GENERAL,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	EXPECT(VK_SUCCESS, peer, vkTransitionImageLayout, .device = DEVICE, .transitionCount = 1,
		.pTransitions = &to_general);
}

/** Each is refused once, and then goes well: what was written comes back by way of both images. */
static void test_host_copies(void) {
	VkPhysicalDeviceHostImageCopyFeatures feature = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_HOST_IMAGE_COPY_FEATURES,
		.hostImageCopy = VK_TRUE,
	};
	enum { PIXELS = 16 * 16 };
	const VkImageSubresourceLayers layers = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
	struct peer peer;
	start_with(&peer, FAULT(vkCopyMemoryToImage, 1) "," FAULT(vkCopyImageToImage, 1) ","
		FAULT(vkCopyImageToMemory, 1), VK_API_VERSION_1_4, &feature, NULL, 0);
	make_copyable(&peer, 0);
	make_copyable(&peer, 1);
	uint32_t pixels[PIXELS], found[PIXELS] = {0};
	for (uint32_t i = 0; i < PIXELS; i++) {
		pixels[i] = i * UINT32_C(2654435761);
	}
	const VkMemoryToImageCopyMESA from_memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_TO_IMAGE_COPY_MESA,
		.dataSize = sizeof(pixels),
		.pData = pixels,
		.imageSubresource = layers,
		.imageExtent = image_info.extent,
	};
	const VkCopyMemoryToImageInfoMESA in = {
		.sType = VK_STRUCTURE_TYPE_COPY_MEMORY_TO_IMAGE_INFO_MESA,
		.dstImage = ID(Image, IMAGES),
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 1,
		.pRegions = &from_memory,
	};
	const VkImageCopy2 across_region = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_COPY_2,
		.srcSubresource = layers,
		.dstSubresource = layers,
		.extent = image_info.extent,
	};
	const VkCopyImageToImageInfo across = {
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_IMAGE_INFO,
		.srcImage = ID(Image, IMAGES),
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.dstImage = ID(Image, IMAGES + 1),
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 1,
		.pRegions = &across_region,
	};
	const VkCopyImageToMemoryInfoMESA out = {
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_MEMORY_INFO_MESA,
		.srcImage = ID(Image, IMAGES + 1),
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.imageSubresource = layers,
		.imageExtent = image_info.extent,
	};
	for (int i = 0; i < 2; i++) {
		EXPECT(i == 0 ? OUT_OF_MEMORY : VK_SUCCESS, &peer, vkCopyMemoryToImageMESA,
			.device = DEVICE, .pCopyMemoryToImageInfo = &in);
	}
	for (int i = 0; i < 2; i++) {
		EXPECT(i == 0 ? OUT_OF_MEMORY : VK_SUCCESS, &peer, vkCopyImageToImage,
			.device = DEVICE, .pCopyImageToImageInfo = &across);
	}
	for (int i = 0; i < 2; i++) {
		struct venus_vkCopyImageToMemoryMESA copy = {.device = DEVICE,
			.pCopyImageToMemoryInfo = &out, .dataSize = sizeof(found), .pData = found};
		PEER_CALL(&peer, vkCopyImageToMemoryMESA, &copy);
		CHECK_INT(copy.ret, i == 0 ? OUT_OF_MEMORY : VK_SUCCESS);
		CHECK(i == 0 || memcmp(copy.pData, pixels, sizeof(pixels)) == 0);
	}
	stop(&peer);
}

/* --- pipelines --- */

static void create_layout_and_shader(struct peer *peer, const uint32_t *code, size_t size) {
	const VkPipelineLayoutCreateInfo layout_info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
	VkPipelineLayout layout = ID(PipelineLayout, LAYOUT);
	EXPECT(VK_SUCCESS, peer, vkCreatePipelineLayout, .device = DEVICE,
		.pCreateInfo = &layout_info, .pPipelineLayout = &layout);
	const VkShaderModuleCreateInfo shader_info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = size,
		.pCode = code,
	};
	VkShaderModule shader = ID(ShaderModule, SHADER);
	EXPECT(VK_SUCCESS, peer, vkCreateShaderModule, .device = DEVICE,
		.pCreateInfo = &shader_info, .pShaderModule = &shader);
}

/** The part of a pipeline that says how vertices come in. */
static VkResult create_library(struct peer *peer, bool answered) {
	const VkGraphicsPipelineLibraryCreateInfoEXT part = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT,
		.flags = VK_GRAPHICS_PIPELINE_LIBRARY_VERTEX_INPUT_INTERFACE_BIT_EXT,
	};
	const VkPipelineVertexInputStateCreateInfo input = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
	const VkPipelineInputAssemblyStateCreateInfo assembly = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
		.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
	};
	const VkGraphicsPipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.pNext = &part,
		.flags = VK_PIPELINE_CREATE_LIBRARY_BIT_KHR,
		.pVertexInputState = &input,
		.pInputAssemblyState = &assembly,
	};
	VkPipeline pipeline = ID(Pipeline, LIBRARY);
	VkResult result;
	DO_OR_ASK(&result, answered, peer, vkCreateGraphicsPipelines, .device = DEVICE,
		.createInfoCount = 1, .pCreateInfos = &info, .pPipelines = &pipeline);
	return result;
}

/** The library and a vertex shader; nothing is rasterized. */
static VkResult link_library(struct peer *peer, bool answered) {
	const VkPipeline library = ID(Pipeline, LIBRARY);
	const VkPipelineLibraryCreateInfoKHR libraries = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR,
		.libraryCount = 1,
		.pLibraries = &library,
	};
	const VkGraphicsPipelineLibraryCreateInfoEXT part = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT,
		.pNext = &libraries,
		.flags = VK_GRAPHICS_PIPELINE_LIBRARY_PRE_RASTERIZATION_SHADERS_BIT_EXT,
	};
	const VkPipelineShaderStageCreateInfo vertex = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
		.stage = VK_SHADER_STAGE_VERTEX_BIT,
		.module = ID(ShaderModule, SHADER),
		.pName = "main",
	};
	const VkPipelineRasterizationStateCreateInfo raster = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
		.rasterizerDiscardEnable = VK_TRUE,
		.lineWidth = 1,
	};
	const VkGraphicsPipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.pNext = &part,
		.stageCount = 1,
		.pStages = &vertex,
		.pRasterizationState = &raster,
		.layout = ID(PipelineLayout, LAYOUT),
	};
	VkPipeline pipeline = ID(Pipeline, PIPELINES);
	VkResult result;
	DO_OR_ASK(&result, answered, peer, vkCreateGraphicsPipelines, .device = DEVICE,
		.createInfoCount = 1, .pCreateInfos = &info, .pPipelines = &pipeline);
	return result;
}

/** Binds the first pipeline in a command buffer: can it be recorded? */
static VkResult bind_pipeline(struct peer *peer, VkPipelineBindPoint point) {
	const VkCommandBuffer commands = ID(CommandBuffer, COMMANDS);
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	DO(peer, vkBeginCommandBuffer, .commandBuffer = commands, .pBeginInfo = &begin);
	DO(peer, vkCmdBindPipeline, .commandBuffer = commands,
		.pipelineBindPoint = point, .pipeline = ID(Pipeline, PIPELINES));
	VkResult result;
	ASK(&result, peer, vkEndCommandBuffer, .commandBuffer = commands);
	return result;
}

/** What is linked with a library that failed fails with it, heard or not. */
static void test_failed_libraries(void) {
	static const char *const extensions[] = {
		"VK_KHR_pipeline_library", "VK_EXT_graphics_pipeline_library"};
	VkPhysicalDeviceGraphicsPipelineLibraryFeaturesEXT feature = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GRAPHICS_PIPELINE_LIBRARY_FEATURES_EXT,
		.graphicsPipelineLibrary = VK_TRUE,
	};
	struct peer peer;
	start_with(&peer, FAULT(vkCreateGraphicsPipelines, 1) "," FAULT(vkCreateGraphicsPipelines, 2),
		VK_API_VERSION_1_3, &feature, extensions, 2);
	allocate_commands(&peer);
	create_layout_and_shader(&peer, triangle_vert_spv, sizeof(triangle_vert_spv));

	CHECK_INT(create_library(&peer, true), OUT_OF_MEMORY);
	create_library(&peer, false);
	CHECK_INT(link_library(&peer, true), VK_ERROR_OUT_OF_HOST_MEMORY);
	link_library(&peer, false);
	CHECK_INT(bind_pipeline(&peer, VK_PIPELINE_BIND_POINT_GRAPHICS), VK_ERROR_OUT_OF_HOST_MEMORY);
	DO(&peer, vkDestroyPipeline, .device = DEVICE, .pipeline = ID(Pipeline, PIPELINES));
	DO(&peer, vkDestroyPipeline, .device = DEVICE, .pipeline = ID(Pipeline, LIBRARY));

	CHECK_INT(create_library(&peer, true), VK_SUCCESS);
	CHECK_INT(link_library(&peer, true), VK_SUCCESS);
	CHECK_INT(bind_pipeline(&peer, VK_PIPELINE_BIND_POINT_GRAPHICS), VK_SUCCESS);
	stop(&peer);
}

static VkResult create_ray_pipelines(struct peer *peer, bool answered) {
	const VkPipelineShaderStageCreateInfo stage = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
		.stage = VK_SHADER_STAGE_RAYGEN_BIT_KHR,
		.module = ID(ShaderModule, SHADER),
		.pName = "main",
	};
	const VkRayTracingShaderGroupCreateInfoKHR group = {
		.sType = VK_STRUCTURE_TYPE_RAY_TRACING_SHADER_GROUP_CREATE_INFO_KHR,
		.type = VK_RAY_TRACING_SHADER_GROUP_TYPE_GENERAL_KHR,
		.generalShader = 0,
		.closestHitShader = VK_SHADER_UNUSED_KHR,
		.anyHitShader = VK_SHADER_UNUSED_KHR,
		.intersectionShader = VK_SHADER_UNUSED_KHR,
	};
	const VkRayTracingPipelineCreateInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_RAY_TRACING_PIPELINE_CREATE_INFO_KHR,
		.stageCount = 1,
		.pStages = &stage,
		.groupCount = 1,
		.pGroups = &group,
		.maxPipelineRayRecursionDepth = 1,
		.layout = ID(PipelineLayout, LAYOUT),
	};
	const VkRayTracingPipelineCreateInfoKHR infos[] = {info, info};
	VkPipeline pipelines[] = {ID(Pipeline, PIPELINES), ID(Pipeline, PIPELINES + 1)};
	VkResult result;
	DO_OR_ASK(&result, answered, peer, vkCreateRayTracingPipelinesKHR, .device = DEVICE,
		.createInfoCount = 2, .pCreateInfos = infos, .pPipelines = pipelines);
	return result;
}

static void destroy_ray_pipelines(struct peer *peer) {
	for (uint32_t i = 0; i < 2; i++) {
		DO(peer, vkDestroyPipeline, .device = DEVICE,
			.pipeline = ID(Pipeline, PIPELINES + i));
	}
}

/** Of two the driver refuses the second: neither is there. */
static void test_ray_tracing_pipelines(void) {
	static const char *const extensions[] = {"VK_KHR_acceleration_structure",
		"VK_KHR_deferred_host_operations", "VK_KHR_ray_tracing_pipeline"};
	VkPhysicalDeviceRayTracingPipelineFeaturesKHR rays = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_RAY_TRACING_PIPELINE_FEATURES_KHR};
	VkPhysicalDeviceFeatures2 all = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &rays};
	struct peer peer;
	start(&peer, "");
	struct venus_vkGetPhysicalDeviceFeatures2 get = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pFeatures = &all};
	PEER_CALL(&peer, vkGetPhysicalDeviceFeatures2, &get);
	const bool there = ((const VkPhysicalDeviceRayTracingPipelineFeaturesKHR *)
		get.pFeatures->pNext)->rayTracingPipeline;
	stop(&peer);
	if (!there) {
		printf("  no ray tracing pipelines here\n");
		return;
	}
	VkPhysicalDeviceBufferDeviceAddressFeatures addresses = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES,
		.bufferDeviceAddress = VK_TRUE,
	};
	VkPhysicalDeviceAccelerationStructureFeaturesKHR structures = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ACCELERATION_STRUCTURE_FEATURES_KHR,
		.pNext = &addresses,
		.accelerationStructure = VK_TRUE,
	};
	rays.pNext = &structures;
	rays.rayTracingPipeline = VK_TRUE;
	start_with(&peer, FAULT(vkCreateRayTracingPipelinesKHR, 1) ","
		FAULT(vkCreateRayTracingPipelinesKHR, 2), VK_API_VERSION_1_3, &rays, extensions, 3);
	allocate_commands(&peer);
	create_layout_and_shader(&peer, empty_rgen_spv, sizeof(empty_rgen_spv));

	CHECK_INT(create_ray_pipelines(&peer, true), OUT_OF_MEMORY);
	create_ray_pipelines(&peer, false);
	CHECK_INT(bind_pipeline(&peer, VK_PIPELINE_BIND_POINT_RAY_TRACING_KHR),
		VK_ERROR_OUT_OF_HOST_MEMORY);
	destroy_ray_pipelines(&peer);
	CHECK_INT(create_ray_pipelines(&peer, true), VK_SUCCESS);
	CHECK_INT(bind_pipeline(&peer, VK_PIPELINE_BIND_POINT_RAY_TRACING_KHR), VK_SUCCESS);
	destroy_ray_pipelines(&peer);
	stop(&peer);
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: %s VENERA-RENDER\n", argv[0]);
		return 2;
	}
	refusals_program = argv[1];
	log_init("test", LOG_LEVEL_INFO);
	RUN(test_enumeration);
	RUN(test_reset_command_buffer);
	RUN(test_reset_command_pool);
	RUN(test_reset_descriptor_pool);
	RUN(test_reset_fences);
	RUN(test_status);
	RUN(test_host_copies);
	RUN(test_failed_libraries);
	RUN(test_ray_tracing_pipelines);
	return 0;
}
