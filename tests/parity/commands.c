/* SPDX-License-Identifier: MIT */

/* Commands in their newer forms, with many regions, and with buffers that are null. */

#include <stdlib.h>
#include <string.h>

#include "scene.h"

#include "fill_comp_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void fill_words(const struct parity_buffer *buffer) {
	uint32_t *words = buffer->data;
	for (uint32_t i = 0; i < buffer->size / 4; i++) {
		words[i] = i * 2654435761u;
	}
}

static void image_of(
		struct parity *parity, struct parity_image *image, VkSampleCountFlagBits samples) {
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {32, 32, 1},
		.mipLevels = 1,
		.arrayLayers = 3,
		.samples = samples,
		.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
			VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
	};
	parity_image_init(
		parity, image, &info, VK_IMAGE_VIEW_TYPE_2D_ARRAY, VK_IMAGE_ASPECT_COLOR_BIT);
}

/** VK_KHR_copy_commands2. */
static void copies(struct parity *parity) {
	struct parity_buffer from, to;
	parity_buffer_init(parity, &from, 65536, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
	parity_buffer_init(
		parity, &to, 65536, VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
	fill_words(&from);
	struct parity_image images[4];
	for (size_t i = 0; i < COUNT(images); i++) {
		image_of(parity, &images[i], i == 3 ? VK_SAMPLE_COUNT_4_BIT : VK_SAMPLE_COUNT_1_BIT);
	}
	VkCommandBuffer commands = parity_begin(parity);
	for (size_t i = 0; i < COUNT(images); i++) {
		parity_transition(
			commands, &images[i], VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	}
	const VkImageSubresourceRange all = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 3};
	const VkImageSubresourceRange layers[3] = {{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
		{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 1, VK_REMAINING_ARRAY_LAYERS},
		{VK_IMAGE_ASPECT_COLOR_BIT, 0, VK_REMAINING_MIP_LEVELS, 2, 1}};
	const VkClearColorValue colours[2] = {
		{.float32 = {0.25f, 0.5f, 0.75f, 1}}, {.float32 = {1, 0, 0.5f, 0}}};
	vkCmdClearColorImage(
		commands, images[3].image, VK_IMAGE_LAYOUT_GENERAL, &colours[0], 1, &all);
	vkCmdClearColorImage(
		commands, images[1].image, VK_IMAGE_LAYOUT_GENERAL, &colours[1], 3, layers);
	vkCmdClearColorImage(
		commands, images[2].image, VK_IMAGE_LAYOUT_GENERAL, &colours[0], 1, &all);
	parity_barrier(commands);
	/* as many regions as do not fit into one command of the usual size */
	enum { REGIONS = 4000 };
	VkBufferCopy2 *regions = calloc(REGIONS, sizeof(*regions));
	for (uint32_t i = 0; i < REGIONS; i++) {
		regions[i] = (VkBufferCopy2){.sType = VK_STRUCTURE_TYPE_BUFFER_COPY_2,
			.srcOffset = i * 16, .dstOffset = (REGIONS - 1 - i) * 16 + 3, .size = 1 + i % 13};
	}
	const VkCopyBufferInfo2 buffers = {
		.sType = VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2,
		.srcBuffer = from.buffer,
		.dstBuffer = to.buffer,
		.regionCount = REGIONS,
		.pRegions = regions,
	};
	vkCmdCopyBuffer2(commands, &buffers);
	VkBufferCopy *old_regions = calloc(REGIONS, sizeof(*old_regions));
	for (uint32_t i = 0; i < REGIONS; i++) {
		old_regions[i] = (VkBufferCopy){i * 4, i * 16 + 2, 1};
	}
	parity_barrier(commands);
	vkCmdCopyBuffer(commands, from.buffer, to.buffer, REGIONS, old_regions);
	const VkImageSubresourceLayers layer[2] = {
		{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1}, {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 2}};
	VkBufferImageCopy2 to_image_regions[64];
	for (uint32_t i = 0; i < 64; i++) {
		to_image_regions[i] = (VkBufferImageCopy2){
			.sType = VK_STRUCTURE_TYPE_BUFFER_IMAGE_COPY_2,
			.bufferOffset = i * 64,
			.bufferRowLength = 8 + i % 3,
			.bufferImageHeight = i % 2 ? 5 : 0,
			.imageSubresource = layer[i % 2],
			.imageOffset = {(int32_t)(i % 8) * 4, (int32_t)(i / 8) * 4, 0},
			.imageExtent = {4, 4, 1},
		};
	}
	const VkCopyBufferToImageInfo2 to_image = {
		.sType = VK_STRUCTURE_TYPE_COPY_BUFFER_TO_IMAGE_INFO_2,
		.srcBuffer = from.buffer,
		.dstImage = images[0].image,
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 64,
		.pRegions = to_image_regions,
	};
	vkCmdCopyBufferToImage2(commands, &to_image);
	parity_barrier(commands);
	const VkImageCopy2 image_region = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_COPY_2,
		.srcSubresource = layer[0],
		.srcOffset = {3, 5, 0},
		.dstSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 2, 1},
		.dstOffset = {7, 1, 0},
		.extent = {20, 22, 1},
	};
	const VkCopyImageInfo2 image_copy = {
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_INFO_2,
		.srcImage = images[0].image,
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.dstImage = images[1].image,
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 1,
		.pRegions = &image_region,
	};
	vkCmdCopyImage2(commands, &image_copy);
	parity_barrier(commands);
	const VkImageBlit2 blit_regions[2] = {
		{.sType = VK_STRUCTURE_TYPE_IMAGE_BLIT_2, .srcSubresource = layer[0],
			.srcOffsets = {{0, 0, 0}, {32, 32, 1}}, .dstSubresource = layer[0],
			.dstOffsets = {{30, 2, 0}, {4, 19, 1}}},
		{.sType = VK_STRUCTURE_TYPE_IMAGE_BLIT_2, .srcSubresource = layer[1],
			.srcOffsets = {{8, 0, 0}, {0, 32, 1}}, .dstSubresource = layer[1],
			.dstOffsets = {{0, 0, 0}, {32, 32, 1}}},
	};
	const VkBlitImageInfo2 blit = {
		.sType = VK_STRUCTURE_TYPE_BLIT_IMAGE_INFO_2,
		.srcImage = images[0].image,
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.dstImage = images[2].image,
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 2,
		.pRegions = blit_regions,
		.filter = VK_FILTER_LINEAR,
	};
	vkCmdBlitImage2(commands, &blit);
	parity_barrier(commands);
	const VkImageResolve2 resolve_region = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_RESOLVE_2,
		.srcSubresource = layer[0],
		.srcOffset = {1, 1, 0},
		.dstSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 1},
		.dstOffset = {9, 9, 0},
		.extent = {11, 12, 1},
	};
	const VkResolveImageInfo2 resolve = {
		.sType = VK_STRUCTURE_TYPE_RESOLVE_IMAGE_INFO_2,
		.srcImage = images[3].image,
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.dstImage = images[1].image,
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 1,
		.pRegions = &resolve_region,
	};
	vkCmdResolveImage2(commands, &resolve);
	for (size_t i = 0; i < 3; i++) {
		parity_transition(commands, &images[i], VK_IMAGE_LAYOUT_GENERAL,
			VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
	}
	parity_run(parity, commands);
	say_hash("buffer", to.data, to.size);
	for (size_t i = 0; i < 3; i++) {
		parity_say_image(parity, "image", &images[i], 4);
	}
	const VkBufferImageCopy2 to_buffer_region = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_IMAGE_COPY_2,
		.bufferOffset = 32,
		.bufferRowLength = 40,
		.imageSubresource = layer[1],
		.imageOffset = {2, 3, 0},
		.imageExtent = {29, 17, 1},
	};
	const VkCopyImageToBufferInfo2 to_buffer = {
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_BUFFER_INFO_2,
		.srcImage = images[2].image,
		.srcImageLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		.dstBuffer = to.buffer,
		.regionCount = 1,
		.pRegions = &to_buffer_region,
	};
	/* the largest update that there may be */
	commands = parity_begin(parity);
	vkCmdUpdateBuffer(commands, to.buffer, 0, 65536, from.data);
	parity_barrier(commands);
	vkCmdCopyImageToBuffer2(commands, &to_buffer);
	parity_barrier(commands);
	vkCmdFillBuffer(commands, to.buffer, 65532, VK_WHOLE_SIZE, 0x01020304);
	vkCmdUpdateBuffer(commands, to.buffer, 65528, 4, from.data);
	parity_run(parity, commands);
	say_hash("buffer", to.data, to.size);
	free(regions);
	free(old_regions);
	for (size_t i = 0; i < COUNT(images); i++) {
		parity_image_finish(parity, &images[i]);
	}
	parity_buffer_finish(parity, &from);
	parity_buffer_finish(parity, &to);
}

/** A pipeline that fills a storage buffer, and a set with that buffer. */
struct fill {
	struct parity_compute compute;
	VkDescriptorPool pool;
	VkDescriptorSet set;
	struct parity_buffer buffer;
};

static void fill_init(struct parity *parity, struct fill *fill,
		VkDescriptorSetLayoutCreateFlags flags, const void *stage_next) {
	const VkDevice device = parity->device;
	*fill = (struct fill){.pool = VK_NULL_HANDLE};
	const VkDescriptorSetLayoutBinding binding = {
		0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
	const uint32_t size = 8;
	const VkSpecializationMapEntry entry = {0, 0, 4};
	const VkSpecializationInfo specialization = {1, &entry, 4, &size};
	parity_compute_init(parity, &fill->compute, &(struct parity_compute_info){
		.code = fill_comp_spv,
		.size = sizeof(fill_comp_spv),
		.set_flags = flags,
		.bindings = &binding,
		.binding_count = 1,
		.push_size = 8,
		.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT,
		.stage_next = stage_next,
		.specialization = &specialization,
	});
	parity_buffer_init(parity, &fill->buffer, 8192,
		VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
	if (flags) {
		return;
	}
	const VkDescriptorPoolSize pool_size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &pool_size,
	};
	MUST(vkCreateDescriptorPool(device, &pool, NULL, &fill->pool));
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = fill->pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &fill->compute.set_layout,
	};
	MUST(vkAllocateDescriptorSets(device, &allocate, &fill->set));
	const VkDescriptorBufferInfo info = {fill->buffer.buffer, 0, 4096};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = fill->set,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = &info,
	};
	vkUpdateDescriptorSets(device, 1, &write, 0, NULL);
}

static void fill_finish(struct parity *parity, struct fill *fill) {
	parity_buffer_finish(parity, &fill->buffer);
	vkDestroyDescriptorPool(parity->device, fill->pool, NULL);
	parity_compute_finish(parity, &fill->compute);
}

static void dispatches(struct parity *parity) {
	struct fill fill;
	const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroups = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
		.requiredSubgroupSize = 8,
	};
	VkPhysicalDeviceVulkan13Properties thirteen = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &thirteen};
	vkGetPhysicalDeviceProperties2(parity->physical, &properties);
	say("required sizes %u to %u in %x", thirteen.minSubgroupSize, thirteen.maxSubgroupSize,
		thirteen.requiredSubgroupSizeStages);
	const bool can_require =
		thirteen.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT;
	fill_init(parity, &fill, 0, can_require ? &subgroups : NULL);
	const VkDispatchIndirectCommand indirect[3] = {{5, 1, 1}, {0, 3, 1}, {3, 1, 4}};
	for (uint32_t way = 0; way < 4; way++) {
		memset(fill.buffer.data, 0xaa, 8192);
		memcpy((char *)fill.buffer.data + 4096, indirect, sizeof(indirect));
		const uint32_t push[2] = {way * 100, 900};
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, fill.compute.pipeline);
		vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, fill.compute.layout, 0, 1,
			&fill.set, 0, NULL);
		vkCmdPushConstants(commands, fill.compute.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 8, push);
		if (way < 3) {
			vkCmdDispatchIndirect(
				commands, fill.buffer.buffer, 4096 + way * sizeof(VkDispatchIndirectCommand));
		} else {
			vkCmdSetDeviceMask(commands, 1);
			vkCmdDispatchBase(commands, 7, 0, 0, 9, 1, 1);
		}
		parity_run(parity, commands);
		say_hash("filled", fill.buffer.data, 4096);
	}
	fill_finish(parity, &fill);
}

/** VK_KHR_maintenance6 and 5. */
static void second_binds(struct parity *parity) {
	if (!parity->maintenance6.maintenance6 || !parity->maintenance5.maintenance5) {
		say("there are no such commands");
		return;
	}
	PROC(parity, vkCmdBindDescriptorSets2KHR);
	PROC(parity, vkCmdPushConstants2KHR);
	PROC(parity, vkCmdPushDescriptorSet2KHR);
	PROC(parity, vkCmdPushDescriptorSetWithTemplate2KHR);
	struct fill fills[2];
	fill_init(parity, &fills[0], 0, NULL);
	fill_init(parity, &fills[1], VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR, NULL);
	const VkDescriptorUpdateTemplateEntry entry = {
		0, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0, 0};
	const VkDescriptorUpdateTemplateCreateInfo template_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
		.descriptorUpdateEntryCount = 1,
		.pDescriptorUpdateEntries = &entry,
		.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS_KHR,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
		.pipelineLayout = fills[1].compute.layout,
	};
	VkDescriptorUpdateTemplate template;
	MUST(vkCreateDescriptorUpdateTemplate(parity->device, &template_info, NULL, &template));
	for (int way = 0; way < 3; way++) {
		struct fill *fill = &fills[way > 0];
		memset(fill->buffer.data, 0xaa, 8192);
		const uint32_t words[2] = {3, 500};
		const VkPushConstantsInfoKHR push = {
			.sType = VK_STRUCTURE_TYPE_PUSH_CONSTANTS_INFO_KHR,
			.layout = fill->compute.layout,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
			.size = 8,
			.pValues = words,
		};
		const VkDescriptorBufferInfo info = {fill->buffer.buffer, 256, 4096};
		const VkWriteDescriptorSet write = {
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &info,
		};
		const VkBindDescriptorSetsInfoKHR bind = {
			.sType = VK_STRUCTURE_TYPE_BIND_DESCRIPTOR_SETS_INFO_KHR,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
			.layout = fill->compute.layout,
			.descriptorSetCount = 1,
			.pDescriptorSets = &fill->set,
		};
		const VkPushDescriptorSetInfoKHR push_set = {
			.sType = VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_INFO_KHR,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
			.layout = fill->compute.layout,
			.descriptorWriteCount = 1,
			.pDescriptorWrites = &write,
		};
		const VkPushDescriptorSetWithTemplateInfoKHR with_template = {
			.sType = VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_WITH_TEMPLATE_INFO_KHR,
			.descriptorUpdateTemplate = template,
			.layout = fill->compute.layout,
			.pData = &info,
		};
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, fill->compute.pipeline);
		if (way == 0) {
			vkCmdBindDescriptorSets2KHR(commands, &bind);
		} else if (way == 1) {
			vkCmdPushDescriptorSet2KHR(commands, &push_set);
		} else {
			vkCmdPushDescriptorSetWithTemplate2KHR(commands, &with_template);
		}
		vkCmdPushConstants2KHR(commands, &push);
		vkCmdDispatch(commands, 20, 1, 1);
		parity_run(parity, commands);
		say_hash("filled", fill->buffer.data, 8192);
	}
	vkDestroyDescriptorUpdateTemplate(parity->device, template, NULL);
	fill_finish(parity, &fills[0]);
	fill_finish(parity, &fills[1]);
}

/** Indices of bytes, index buffers with a size and none; steps of instances; null vertices. */
static void inputs(struct parity *parity) {
	if (!parity->maintenance6.maintenance6 || !parity->index_uint8.indexTypeUint8 ||
			!parity->robustness2.nullDescriptor) {
		say("there are no such inputs");
		return;
	}
	PROC(parity, vkCmdBindIndexBuffer2KHR);
	struct scene scene;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	const uint8_t bytes[8] = {0, 2, 1, 5, 3, 4, 255, 0};
	memcpy((char *)scene.buffer.data + 800, bytes, sizeof(bytes));
	for (uint32_t way = 0; way < 8; way++) {
		struct scene_state state;
		scene_state_init(&scene, &state);
		const VkVertexInputBindingDivisorDescriptionKHR divisor = {1, way == 6 ? 0 : 2};
		const VkPipelineVertexInputDivisorStateCreateInfoKHR divisors = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_DIVISOR_STATE_CREATE_INFO_KHR,
			.vertexBindingDivisorCount = 1,
			.pVertexBindingDivisors = &divisor,
		};
		if (way >= 5) { /* colours from a second binding */
			state.bindings[1] = (VkVertexInputBindingDescription){
				1, sizeof(struct scene_vertex), VK_VERTEX_INPUT_RATE_INSTANCE};
			state.input.vertexBindingDescriptionCount = 2;
			state.attributes[1].binding = 1;
			state.input.pNext = &divisors;
		}
		VkPipeline pipeline = scene_pipeline(parity, &state);
		VkCommandBuffer commands = scene_begin(parity, &scene);
		scene_bind(commands, &scene, pipeline);
		const VkBuffer buffers[2] = {
			scene.buffer.buffer, way == 7 ? VK_NULL_HANDLE : scene.buffer.buffer};
		const VkDeviceSize offsets[2] = {0, 0};
		const VkDeviceSize sizes[2] = {way == 4 ? 100 : VK_WHOLE_SIZE, VK_WHOLE_SIZE};
		vkCmdBindVertexBuffers2(commands, 0, 2, buffers, offsets, sizes, NULL);
		if (way < 3) {
			vkCmdBindIndexBuffer2KHR(commands, scene.buffer.buffer, 800,
				way == 0 ? VK_WHOLE_SIZE : 2 + 2 * way, VK_INDEX_TYPE_UINT8_KHR);
			vkCmdDrawIndexed(commands, 6, 1, 0, 0, 0);
		} else if (way == 3) {
			vkCmdBindIndexBuffer2KHR(commands, VK_NULL_HANDLE, 0, 0, VK_INDEX_TYPE_UINT32);
			vkCmdDrawIndexed(commands, 6, 1, 0, 0, 0);
			vkCmdBindIndexBuffer(commands, VK_NULL_HANDLE, 0, VK_INDEX_TYPE_UINT16);
			vkCmdDrawIndexed(commands, 6, 1, 0, 0, 0);
		} else {
			vkCmdDraw(commands, 6, 4, 0, 0);
		}
		vkCmdEndRendering(commands);
		say("way %u", way);
		scene_say(parity, commands, &scene);
		vkDestroyPipeline(parity->device, pipeline, NULL);
	}
	scene_finish(parity, &scene);
}

/** What a pipeline says about its own robustness, in each place where it may. */
static void robustness(struct parity *parity) {
	if (!parity->pipeline_robustness.pipelineRobustness) {
		say("there is no robustness of pipelines");
		return;
	}
	for (int i = 0; i < 4; i++) {
		struct fill fill;
		const VkPipelineRobustnessCreateInfoEXT info = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_ROBUSTNESS_CREATE_INFO_EXT,
			.storageBuffers = (VkPipelineRobustnessBufferBehaviorEXT)i,
			.uniformBuffers = (VkPipelineRobustnessBufferBehaviorEXT)(3 - i),
			.vertexInputs = (VkPipelineRobustnessBufferBehaviorEXT)i,
			.images = (VkPipelineRobustnessImageBehaviorEXT)(i % 3),
		};
		fill_init(parity, &fill, 0, &info);
		const uint32_t push[2] = {11, i >= 2 ? 5000 : 1000}; /* beyond the descriptor's end */
		memset(fill.buffer.data, 0, 8192);
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, fill.compute.pipeline);
		vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, fill.compute.layout, 0, 1,
			&fill.set, 0, NULL);
		vkCmdPushConstants(commands, fill.compute.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 8, push);
		vkCmdDispatch(commands, 200, 1, 1);
		parity_run(parity, commands);
		say_hash("filled", fill.buffer.data, 8192);
		fill_finish(parity, &fill);
	}
}

const struct parity_case parity_command_cases[] = {
	{"commands copies", copies},
	{"commands dispatches", dispatches},
	{"commands second-binds", second_binds},
	{"commands inputs", inputs},
	{"commands robustness", robustness},
	{NULL, NULL},
};
