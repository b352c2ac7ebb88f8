/* SPDX-License-Identifier: MIT */

/*
 * The host refuses what a guest waits for: the guest gets the error, its ids are free again, and the
 * second try goes well. And what the host refuses in part, or with what is bound and inherited.
 * Needs VK_LAYER_VENERA_fail over the driver.
 */

#include <stdio.h>
#include <string.h>

#include "refusals.h"

#include "../unit/test.h"
#include "base/log.h"

#include "pattern_comp_spv.h"

/* --- creation, one by one --- */

/** Refused, made under the same id, and destroyed. */
#define REFUSED_ONCE(peer, kind, id, info) \
	do { \
		Vk##kind handle_ = ID(kind, id); \
		EXPECT(OUT_OF_MEMORY, peer, vkCreate##kind, .device = DEVICE, \
			.pCreateInfo = &(info), .p##kind = &handle_); \
		EXPECT(VK_SUCCESS, peer, vkCreate##kind, .device = DEVICE, \
			.pCreateInfo = &(info), .p##kind = &handle_); \
	} while (0)

static void test_answered_creations(void) {
	struct peer peer;
	/* one buffer is the renderer's own, to find out what the driver takes */
	start(&peer, FAULT(vkCreateBuffer, 2) "," FAULT(vkCreateImage, 1) ","
		FAULT(vkCreateCommandPool, 1) "," FAULT(vkCreateFence, 1) ","
		FAULT(vkCreateSemaphore, 1) "," FAULT(vkCreateQueryPool, 1) ","
		FAULT(vkCreateDescriptorPool, 1) "," FAULT(vkCreatePipelineCache, 1));
	REFUSED_ONCE(&peer, Buffer, BUFFERS, buffer_info);
	REFUSED_ONCE(&peer, Image, IMAGES, image_info);
	REFUSED_ONCE(&peer, CommandPool, POOL, command_pool_info);
	REFUSED_ONCE(&peer, Fence, FENCE, fence_info);
	REFUSED_ONCE(&peer, Semaphore, SEMAPHORE, semaphore_info);
	const VkQueryPoolCreateInfo queries = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_OCCLUSION,
		.queryCount = 1,
	};
	REFUSED_ONCE(&peer, QueryPool, QUERIES, queries);
	REFUSED_ONCE(&peer, DescriptorPool, DESCRIPTOR_POOL, descriptor_pool_info);
	/* as those that need no thought */
	const VkPipelineCacheCreateInfo cache = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
	REFUSED_ONCE(&peer, PipelineCache, CACHE, cache);
	stop(&peer);
}

/* --- several at a time --- */

/** All or none, and all ids are free again. */
static void test_allocations(void) {
	struct peer peer;
	start(&peer, FAULT(vkAllocateCommandBuffers, 1) ",vkAllocateDescriptorSets:1:"
		"VK_ERROR_FRAGMENTED_POOL");
	create_pool_and_layout(&peer);
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = ID(CommandPool, POOL),
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 3,
	};
	VkCommandBuffer commands[] = {ID(CommandBuffer, COMMANDS), ID(CommandBuffer, COMMANDS + 1),
		ID(CommandBuffer, COMMANDS + 2)};
	EXPECT(OUT_OF_MEMORY, &peer, vkAllocateCommandBuffers, .device = DEVICE,
		.pAllocateInfo = &info, .pCommandBuffers = commands);
	EXPECT(VK_SUCCESS, &peer, vkAllocateCommandBuffers, .device = DEVICE, .pAllocateInfo = &info,
		.pCommandBuffers = commands);

	VkDescriptorPool pool = ID(DescriptorPool, DESCRIPTOR_POOL);
	EXPECT(VK_SUCCESS, &peer, vkCreateDescriptorPool, .device = DEVICE,
		.pCreateInfo = &descriptor_pool_info, .pDescriptorPool = &pool);
	const VkDescriptorSetLayout layouts[] = {ID(DescriptorSetLayout, SET_LAYOUT),
		ID(DescriptorSetLayout, SET_LAYOUT), ID(DescriptorSetLayout, SET_LAYOUT)};
	const VkDescriptorSetAllocateInfo set_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = pool,
		.descriptorSetCount = 3,
		.pSetLayouts = layouts,
	};
	VkDescriptorSet sets[] = {
		ID(DescriptorSet, SETS), ID(DescriptorSet, SETS + 1), ID(DescriptorSet, SETS + 2)};
	EXPECT(VK_ERROR_FRAGMENTED_POOL, &peer, vkAllocateDescriptorSets, .device = DEVICE,
		.pAllocateInfo = &set_info, .pDescriptorSets = sets);
	EXPECT(VK_SUCCESS, &peer, vkAllocateDescriptorSets, .device = DEVICE,
		.pAllocateInfo = &set_info, .pDescriptorSets = sets);
	stop(&peer);
}

/* --- pipelines --- */

static void create_shader(struct peer *peer) {
	create_pool_and_layout(peer);
	const VkDescriptorSetLayout set_layout = ID(DescriptorSetLayout, SET_LAYOUT);
	const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 12};
	const VkPipelineLayoutCreateInfo layout_info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	VkPipelineLayout layout = ID(PipelineLayout, LAYOUT);
	EXPECT(VK_SUCCESS, peer, vkCreatePipelineLayout, .device = DEVICE,
		.pCreateInfo = &layout_info, .pPipelineLayout = &layout);
	const VkShaderModuleCreateInfo shader_info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(pattern_comp_spv),
		.pCode = pattern_comp_spv,
	};
	VkShaderModule shader = ID(ShaderModule, SHADER);
	EXPECT(VK_SUCCESS, peer, vkCreateShaderModule, .device = DEVICE, .pCreateInfo = &shader_info,
		.pShaderModule = &shader);
	const VkPipelineCacheCreateInfo cache_info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
	VkPipelineCache cache = ID(PipelineCache, CACHE);
	EXPECT(VK_SUCCESS, peer, vkCreatePipelineCache, .device = DEVICE, .pCreateInfo = &cache_info,
		.pPipelineCache = &cache);
}

/**
 * Three pipelines, the second with `flags`, as an answered call or not. Of an answered one `made` says
 * which are there.
 */
static VkResult create_pipelines(struct peer *peer, VkPipelineCreateFlags flags, bool answered,
		bool *made) {
	VkComputePipelineCreateInfo infos[3];
	VkPipeline pipelines[3];
	for (uint32_t i = 0; i < 3; i++) {
		infos[i] = (VkComputePipelineCreateInfo){
			.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
			.flags = i == 1 ? flags : 0,
			.stage = {
				.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
				.stage = VK_SHADER_STAGE_COMPUTE_BIT,
				.module = ID(ShaderModule, SHADER),
				.pName = "main",
			},
			.layout = ID(PipelineLayout, LAYOUT),
		};
		pipelines[i] = ID(Pipeline, PIPELINES + i);
	}
	struct venus_vkCreateComputePipelines args = {.device = DEVICE,
		.pipelineCache = ID(PipelineCache, CACHE), .createInfoCount = 3,
		.pCreateInfos = infos, .pPipelines = pipelines};
	if (!answered) {
		peer_begin(peer);
		venus_encode_vkCreateComputePipelines_request(&peer->encoder, 0, &args);
		peer_ring_write(peer);
		return VK_SUCCESS;
	}
	PEER_CALL(peer, vkCreateComputePipelines, &args);
	for (uint32_t i = 0; i < 3; i++) {
		made[i] = args.pPipelines[i] != VK_NULL_HANDLE;
	}
	return args.ret;
}

static void destroy_pipelines(struct peer *peer, const bool *made) {
	for (uint32_t i = 0; i < 3; i++) {
		if (made[i]) {
			DO(peer, vkDestroyPipeline, .device = DEVICE,
				.pipeline = ID(Pipeline, PIPELINES + i));
		}
	}
}

/** Binds each of them in a command buffer of its own: can they be recorded? */
static void bind_pipelines(struct peer *peer, const bool *made) {
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = ID(CommandPool, POOL),
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands = ID(CommandBuffer, COMMANDS);
	EXPECT(VK_SUCCESS, peer, vkAllocateCommandBuffers, .device = DEVICE, .pAllocateInfo = &info,
		.pCommandBuffers = &commands);
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	for (uint32_t i = 0; i < 3; i++) {
		DO(peer, vkBeginCommandBuffer, .commandBuffer = commands, .pBeginInfo = &begin);
		DO(peer, vkCmdBindPipeline, .commandBuffer = commands,
			.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
			.pipeline = ID(Pipeline, PIPELINES + i));
		EXPECT(made[i] ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY, peer, vkEndCommandBuffer,
			.commandBuffer = commands);
	}
	DO(peer, vkFreeCommandBuffers, .device = DEVICE, .commandPool = ID(CommandPool, POOL),
		.commandBufferCount = 1, .pCommandBuffers = &commands);
}

static void expect_made(const bool *made, bool first, bool second, bool third) {
	CHECK_INT(made[0], first);
	CHECK_INT(made[1], second);
	CHECK_INT(made[2], third);
}

/** What is not made for want of a compiled shader is no error; what is, costs all. */
static void test_partly_made_pipelines(void) {
	const VkPipelineCreateFlags unless_compiled =
		VK_PIPELINE_CREATE_FAIL_ON_PIPELINE_COMPILE_REQUIRED_BIT;
	const VkPipelineCreateFlags early =
		unless_compiled | VK_PIPELINE_CREATE_EARLY_RETURN_ON_FAILURE_BIT;
	static const bool all[3] = {true, true, true};
	bool made[3];
	struct peer peer;

	/* an error: none is there, and the ids are free */
	start(&peer, FAULT(vkCreateComputePipelines, 1));
	create_shader(&peer);
	CHECK_INT(create_pipelines(&peer, 0, true, made), OUT_OF_MEMORY);
	expect_made(made, false, false, false);
	CHECK_INT(create_pipelines(&peer, 0, true, made), VK_SUCCESS);
	expect_made(made, true, true, true);
	bind_pipelines(&peer, made);
	destroy_pipelines(&peer, all);
	stop(&peer);

	/* the same without an answer: all three are failed objects */
	start(&peer, FAULT(vkCreateComputePipelines, 1));
	create_shader(&peer);
	create_pipelines(&peer, 0, false, NULL);
	bind_pipelines(&peer, (const bool[3]){false, false, false});
	destroy_pipelines(&peer, all);
	CHECK_INT(create_pipelines(&peer, 0, true, made), VK_SUCCESS);
	destroy_pipelines(&peer, all);
	stop(&peer);

	/* the driver itself leaves out the second, and with EARLY_RETURN the third */
	start(&peer, "");
	create_shader(&peer);
	CHECK_INT(create_pipelines(&peer, unless_compiled, true, made), VK_PIPELINE_COMPILE_REQUIRED);
	expect_made(made, true, false, true);
	destroy_pipelines(&peer, made);
	CHECK_INT(create_pipelines(&peer, early, true, made), VK_PIPELINE_COMPILE_REQUIRED);
	expect_made(made, true, false, false);
	destroy_pipelines(&peer, made);
	create_pipelines(&peer, early, false, NULL);
	bind_pipelines(&peer, (const bool[3]){true, false, false});
	destroy_pipelines(&peer, all);
	CHECK_INT(create_pipelines(&peer, 0, true, made), VK_SUCCESS);
	destroy_pipelines(&peer, all);
	stop(&peer);

	/* the layer leaves out the last */
	start(&peer, "vkCreateComputePipelines:1:VK_PIPELINE_COMPILE_REQUIRED");
	create_shader(&peer);
	CHECK_INT(create_pipelines(&peer, 0, true, made), VK_PIPELINE_COMPILE_REQUIRED);
	expect_made(made, true, true, false);
	destroy_pipelines(&peer, made);
	stop(&peer);
}

/* --- memory --- */

static VkPhysicalDeviceMemoryProperties ask_memory_properties(struct peer *peer) {
	VkPhysicalDeviceMemoryProperties properties;
	struct venus_vkGetPhysicalDeviceMemoryProperties get = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pMemoryProperties = &properties};
	PEER_CALL(peer, vkGetPhysicalDeviceMemoryProperties, &get);
	return *get.pMemoryProperties;
}

/** Of memory that can be mapped; the renderer's own tries come first. */
static uint32_t find_mappable_type(struct peer *peer, unsigned *tries) {
	const VkPhysicalDeviceMemoryProperties properties = ask_memory_properties(peer);
	uint32_t type = UINT32_MAX;
	*tries = 0;
	for (uint32_t i = 0; i < properties.memoryTypeCount; i++) {
		if (properties.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) {
			type = i;
			++*tries;
		}
	}
	CHECK(type != UINT32_MAX);
	return type;
}

static void create_buffers(struct peer *peer, uint32_t count) {
	for (uint32_t i = 0; i < count; i++) {
		VkBuffer buffer = ID(Buffer, BUFFERS + i);
		EXPECT(VK_SUCCESS, peer, vkCreateBuffer, .device = DEVICE, .pCreateInfo = &buffer_info,
			.pBuffer = &buffer);
	}
}

/** Two bindings in one command. */
static VkResult bind_buffers(struct peer *peer, bool answered) {
	VkBindBufferMemoryInfo infos[2];
	for (uint32_t i = 0; i < 2; i++) {
		infos[i] = (VkBindBufferMemoryInfo){
			.sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO,
			.buffer = ID(Buffer, BUFFERS + i),
			.memory = ID(DeviceMemory, MEMORY),
			.memoryOffset = (uint64_t)i * SIZE,
		};
	}
	VkResult result;
	DO_OR_ASK(&result, answered, peer, vkBindBufferMemory2, .device = DEVICE, .bindInfoCount = 2,
		.pBindInfos = infos);
	return result;
}

static VkResult bind_images(struct peer *peer, bool answered) {
	VkBindImageMemoryInfo infos[2];
	for (uint32_t i = 0; i < 2; i++) {
		infos[i] = (VkBindImageMemoryInfo){
			.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
			.image = ID(Image, IMAGES + i),
			.memory = ID(DeviceMemory, IMAGE_MEMORY),
			.memoryOffset = (uint64_t)i * SIZE,
		};
	}
	VkResult result;
	DO_OR_ASK(&result, answered, peer, vkBindImageMemory2, .device = DEVICE, .bindInfoCount = 2,
		.pBindInfos = infos);
	return result;
}

static void create_images(struct peer *peer, uint32_t *type) {
	for (uint32_t i = 0; i < 2; i++) {
		VkImage image = ID(Image, IMAGES + i);
		EXPECT(VK_SUCCESS, peer, vkCreateImage, .device = DEVICE, .pCreateInfo = &image_info,
			.pImage = &image);
	}
	VkMemoryRequirements requirements = {0};
	struct venus_vkGetImageMemoryRequirements get = {.device = DEVICE,
		.image = ID(Image, IMAGES), .pMemoryRequirements = &requirements};
	PEER_CALL(peer, vkGetImageMemoryRequirements, &get);
	*type = 0;
	while (!(get.pMemoryRequirements->memoryTypeBits >> *type & 1)) {
		++*type;
	}
}

/** An answered refusal changes nothing; an unheard one takes all that was to be bound. */
static void test_bindings(void) {
	for (int answered = 0; answered < 2; answered++) {
		struct peer peer;
		unsigned tries;
		uint32_t image_type;
		start(&peer, FAULT(vkBindBufferMemory2, 1) "," FAULT(vkBindImageMemory2, 1));
		allocate_commands(&peer);
		create_buffers(&peer, 2);
		create_images(&peer, &image_type);
		CHECK_INT(allocate(&peer, MEMORY, 2 * SIZE, find_mappable_type(&peer, &tries), true),
			VK_SUCCESS);
		CHECK_INT(allocate(&peer, IMAGE_MEMORY, 2 * SIZE, image_type, true), VK_SUCCESS);
		CHECK_INT(bind_buffers(&peer, answered), answered ? OUT_OF_MEMORY : VK_SUCCESS);
		CHECK_INT(bind_images(&peer, answered), answered ? OUT_OF_MEMORY : VK_SUCCESS);
		if (answered) {
			CHECK_INT(bind_buffers(&peer, true), VK_SUCCESS);
			CHECK_INT(bind_images(&peer, true), VK_SUCCESS);
		} else {
			CHECK_INT(bind_buffers(&peer, true), VK_ERROR_OUT_OF_HOST_MEMORY);
			CHECK_INT(bind_images(&peer, true), VK_ERROR_OUT_OF_HOST_MEMORY);
		}
		for (uint32_t i = 0; i < 2; i++) {
			CHECK_INT(record_fill(&peer, BUFFERS + i),
				answered ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY);
			DO(&peer, vkDestroyBuffer, .device = DEVICE, .buffer = ID(Buffer, BUFFERS + i));
			DO(&peer, vkDestroyImage, .device = DEVICE, .image = ID(Image, IMAGES + i));
		}
		stop(&peer);
	}
}

/** Memory that the host refuses is no blob, and no import; the next try goes well. */
static void test_memory(void) {
	struct peer peer;
	unsigned tries;
	char fail[192];
	start(&peer, "");
	const uint32_t type = find_mappable_type(&peer, &tries);
	stop(&peer);

	snprintf(fail, sizeof(fail), "vkAllocateMemory:%u:VK_ERROR_INVALID_EXTERNAL_HANDLE,"
		"vkAllocateMemory:%u:VK_ERROR_OUT_OF_DEVICE_MEMORY,"
		"vkAllocateMemory:%u:VK_ERROR_OUT_OF_HOST_MEMORY", tries + 1, tries + 2, tries + 4);
	start(&peer, fail);
	/* an import that the driver refuses is no mistake of the guest's */
	CHECK(allocate(&peer, MEMORY, SIZE, type, true) < 0);
	CHECK_INT(allocate(&peer, MEMORY, SIZE, type, false), VK_SUCCESS);
	CHECK(peer_ring_wait(&peer));
	CHECK(peer_create_blob(&peer, 20, RENDER_BLOB_MAPPABLE, MEMORY, SIZE, NULL) < 0);
	DO(&peer, vkFreeMemory, .device = DEVICE, .memory = ID(DeviceMemory, MEMORY));
	CHECK_INT(allocate(&peer, MEMORY, SIZE, type, true), VK_SUCCESS);
	struct shmem shm;
	CHECK_INT(peer_create_blob(&peer, 21, RENDER_BLOB_MAPPABLE, MEMORY, SIZE, &shm), 0);
	shmem_finish(&shm);

	/* the import of a guest's resource: another try goes well */
	const VkImportMemoryResourceInfoMESA import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA,
		.resourceId = peer_resource(&peer, 21),
	};
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = &import,
		.allocationSize = SIZE,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory memory = ID(DeviceMemory, IMAGE_MEMORY);
	EXPECT(VK_ERROR_OUT_OF_HOST_MEMORY, &peer, vkAllocateMemory, .device = DEVICE,
		.pAllocateInfo = &info, .pMemory = &memory);
	EXPECT(VK_SUCCESS, &peer, vkAllocateMemory, .device = DEVICE, .pAllocateInfo = &info,
		.pMemory = &memory);
	stop(&peer);
}

/* --- command buffers that others execute --- */

static VkResult execute_secondary(struct peer *peer) {
	const VkCommandBuffer primary = ID(CommandBuffer, COMMANDS);
	const VkCommandBuffer secondary = ID(CommandBuffer, SECONDARY);
	const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	DO(peer, vkBeginCommandBuffer, .commandBuffer = primary, .pBeginInfo = &begin);
	DO(peer, vkCmdExecuteCommands, .commandBuffer = primary, .commandBufferCount = 1,
		.pCommandBuffers = &secondary);
	VkResult result;
	ASK(&result, peer, vkEndCommandBuffer, .commandBuffer = primary);
	return result;
}

static void record_secondary(struct peer *peer, uint64_t pass) {
	const VkCommandBufferInheritanceInfo inherited = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
		.renderPass = ID(RenderPass, pass),
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = pass ? VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT : 0,
		.pInheritanceInfo = &inherited,
	};
	DO(peer, vkBeginCommandBuffer, .commandBuffer = ID(CommandBuffer, SECONDARY),
		.pBeginInfo = &begin);
	DO(peer, vkEndCommandBuffer, .commandBuffer = ID(CommandBuffer, SECONDARY));
}

/** What executes a failed one fails with it, whatever the reason; recorded anew, both are well. */
static void test_secondary_command_buffers(void) {
	static const char *const faults[] = {
		FAULT(vkAllocateCommandBuffers, 2),
		FAULT(vkBeginCommandBuffer, 1),
		FAULT(vkEndCommandBuffer, 1),
		FAULT(vkCreateRenderPass, 1),
	};
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct peer peer;
		start(&peer, faults[i]);
		allocate_commands(&peer);
		const VkSubpassDescription subpass = {
			.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS};
		const VkRenderPassCreateInfo pass_info = {
			.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
			.subpassCount = 1,
			.pSubpasses = &subpass,
		};
		VkRenderPass pass = ID(RenderPass, PASS);
		DO(&peer, vkCreateRenderPass, .device = DEVICE, .pCreateInfo = &pass_info,
			.pRenderPass = &pass);
		const VkCommandBufferAllocateInfo info = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
			.commandPool = ID(CommandPool, POOL),
			.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
			.commandBufferCount = 1,
		};
		VkCommandBuffer secondary = ID(CommandBuffer, SECONDARY);
		DO(&peer, vkAllocateCommandBuffers, .device = DEVICE, .pAllocateInfo = &info,
			.pCommandBuffers = &secondary);
		const bool inherits = strstr(faults[i], "vkCreateRenderPass") != NULL;
		record_secondary(&peer, inherits ? PASS : 0);
		CHECK_INT(execute_secondary(&peer), VK_ERROR_OUT_OF_HOST_MEMORY);

		if (strstr(faults[i], "vkAllocateCommandBuffers")) {
			DO(&peer, vkFreeCommandBuffers, .device = DEVICE,
				.commandPool = ID(CommandPool, POOL), .commandBufferCount = 1,
				.pCommandBuffers = &secondary);
			DO(&peer, vkAllocateCommandBuffers, .device = DEVICE, .pAllocateInfo = &info,
				.pCommandBuffers = &secondary);
		}
		record_secondary(&peer, 0);
		CHECK_INT(execute_secondary(&peer), VK_SUCCESS);
		stop(&peer);
	}
}

/* --- sparse binding --- */

/** Refused, unheard, it signals all the same; heard, it is an error. */
static void test_sparse_binding(void) {
	struct peer peer;
	start(&peer, FAULT(vkQueueBindSparse, 1) "," FAULT(vkQueueBindSparse, 3) ","
		FAULT(vkQueueBindSparse, 4) "," FAULT(vkQueueBindSparse, 5) ","
		FAULT(vkQueueBindSparse, 6) "," FAULT(vkQueueBindSparse, 7) ","
		FAULT(vkQueueBindSparse, 9));
	VkFence fence = ID(Fence, FENCE);
	EXPECT(VK_SUCCESS, &peer, vkCreateFence, .device = DEVICE, .pCreateInfo = &fence_info,
		.pFence = &fence);
	const VkBindSparseInfo info = {.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO};
	for (int i = 0; i < 2; i++) { /* once it helps to try again; once nothing helps */
		DO(&peer, vkQueueBindSparse, .queue = PEER_QUEUE_HANDLE, .bindInfoCount = 1,
			.pBindInfo = &info, .fence = fence);
		EXPECT(VK_SUCCESS, &peer, vkWaitForFences, .device = DEVICE, .fenceCount = 1,
			.pFences = &fence, .waitAll = VK_TRUE, .timeout = UINT64_C(20000000000));
		DO(&peer, vkResetFences, .device = DEVICE, .fenceCount = 1, .pFences = &fence);
	}
	EXPECT(OUT_OF_MEMORY, &peer, vkQueueBindSparse, .queue = PEER_QUEUE_HANDLE,
		.bindInfoCount = 1, .pBindInfo = &info, .fence = fence);
	EXPECT(VK_SUCCESS, &peer, vkQueueBindSparse, .queue = PEER_QUEUE_HANDLE, .bindInfoCount = 1,
		.pBindInfo = &info, .fence = fence);
	stop(&peer);
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: %s VENERA-RENDER\n", argv[0]);
		return 2;
	}
	refusals_program = argv[1];
	log_init("test", LOG_LEVEL_INFO);
	RUN(test_answered_creations);
	RUN(test_allocations);
	RUN(test_partly_made_pipelines);
	RUN(test_bindings);
	RUN(test_memory);
	RUN(test_secondary_command_buffers);
	RUN(test_sparse_binding);
	return 0;
}
