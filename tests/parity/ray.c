/* SPDX-License-Identifier: MIT */

/* Acceleration structures: made, updated, copied, asked, and looked at by rays of both kinds. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#include "ray_comp_spv.h"
#include "ray_rchit_spv.h"
#include "ray_rgen_spv.h"
#include "ray_rmiss_spv.h"

#define RESULTS 256
#define RESULT_SIZE (RESULTS * 16)
#define STORAGE (VK_BUFFER_USAGE_ACCELERATION_STRUCTURE_STORAGE_BIT_KHR | \
	VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT)
#define INPUT (VK_BUFFER_USAGE_ACCELERATION_STRUCTURE_BUILD_INPUT_READ_ONLY_BIT_KHR | \
	VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT)

struct structure {
	struct parity_buffer storage;
	VkAccelerationStructureKHR handle;
	VkDeviceAddress address;
};

static void structure_init(struct parity *parity, struct structure *structure,
		VkAccelerationStructureTypeKHR type, VkDeviceSize size) {
	PROC(parity, vkCreateAccelerationStructureKHR);
	PROC(parity, vkGetAccelerationStructureDeviceAddressKHR);
	parity_buffer_init(parity, &structure->storage, size + 256, STORAGE);
	const VkAccelerationStructureCreateInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_CREATE_INFO_KHR,
		.buffer = structure->storage.buffer,
		.offset = 256,
		.size = size,
		.type = type,
	};
	MUST(vkCreateAccelerationStructureKHR(parity->device, &info, NULL, &structure->handle));
	const VkAccelerationStructureDeviceAddressInfoKHR address = {
		.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_DEVICE_ADDRESS_INFO_KHR,
		.accelerationStructure = structure->handle,
	};
	structure->address = vkGetAccelerationStructureDeviceAddressKHR(parity->device, &address);
}

static void structure_finish(struct parity *parity, struct structure *structure) {
	PROC(parity, vkDestroyAccelerationStructureKHR);
	vkDestroyAccelerationStructureKHR(parity->device, structure->handle, NULL);
	parity_buffer_finish(parity, &structure->storage);
}

/** A structure of triangles below a structure of instances; what rays find there. */
struct world {
	struct parity_buffer input, scratch, results;
	struct structure bottom, top;
	VkAccelerationStructureGeometryKHR geometries[3];
	VkAccelerationStructureBuildSizesInfoKHR sizes;
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkDescriptorPool pool;
	VkDescriptorSet set;
};

enum { AABB_OFFSET = 512, INDEX_OFFSET = 640, INSTANCE_OFFSET = 1024, RANGE_OFFSET = 2048 };

static void fill_input(struct world *world) {
	char *data = world->input.data;
	const float triangles[] = {-0.8f, -0.8f, 0.5f, 0.8f, -0.7f, 0.5f, 0, 0.9f, 0.5f, -0.5f, -0.5f,
		0.25f, 0.5f, -0.5f, 0.75f, 0, 0.5f, 0.25f};
	memcpy(data, triangles, sizeof(triangles));
	const VkAabbPositionsKHR box = {0.5f, 0.5f, 1, 0.75f, 0.75f, 1.5f};
	memcpy(data + AABB_OFFSET, &box, sizeof(box));
	const uint32_t indices[6] = {0, 1, 2, 5, 4, 3};
	memcpy(data + INDEX_OFFSET, indices, sizeof(indices));
	const VkDeviceAddress address = world->input.address;
	world->geometries[0] = (VkAccelerationStructureGeometryKHR){
		.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR,
		.geometryType = VK_GEOMETRY_TYPE_TRIANGLES_KHR,
		.geometry.triangles = {
			.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_TRIANGLES_DATA_KHR,
			.vertexFormat = VK_FORMAT_R32G32B32_SFLOAT,
			.vertexData.deviceAddress = address,
			.vertexStride = 12,
			.maxVertex = 5,
			.indexType = VK_INDEX_TYPE_UINT32,
			.indexData.deviceAddress = address + INDEX_OFFSET,
		},
		.flags = VK_GEOMETRY_OPAQUE_BIT_KHR,
	};
	world->geometries[1] = (VkAccelerationStructureGeometryKHR){
		.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR,
		.geometryType = VK_GEOMETRY_TYPE_TRIANGLES_KHR,
		.geometry.triangles = {
			.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_TRIANGLES_DATA_KHR,
			.vertexFormat = VK_FORMAT_R32G32B32_SFLOAT,
			.vertexData.deviceAddress = address,
			.vertexStride = 12,
			.maxVertex = 5,
			.indexType = VK_INDEX_TYPE_NONE_KHR,
		},
	};
	world->geometries[2] = (VkAccelerationStructureGeometryKHR){
		.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR,
		.geometryType = VK_GEOMETRY_TYPE_INSTANCES_KHR,
		.geometry.instances = {
			.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_INSTANCES_DATA_KHR,
			.data.deviceAddress = address + INSTANCE_OFFSET,
		},
	};
	/* for indirect builds, too */
	const VkAccelerationStructureBuildRangeInfoKHR ranges[2] = {{2, 0, 0, 0}, {1, 36, 0, 0}};
	memcpy(data + RANGE_OFFSET, ranges, sizeof(ranges));
}

static VkAccelerationStructureBuildGeometryInfoKHR build_info(const struct world *world, bool top,
		VkBuildAccelerationStructureModeKHR mode) {
	return (VkAccelerationStructureBuildGeometryInfoKHR){
		.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_BUILD_GEOMETRY_INFO_KHR,
		.type = top ? VK_ACCELERATION_STRUCTURE_TYPE_TOP_LEVEL_KHR :
			VK_ACCELERATION_STRUCTURE_TYPE_BOTTOM_LEVEL_KHR,
		.flags = VK_BUILD_ACCELERATION_STRUCTURE_ALLOW_UPDATE_BIT_KHR |
			VK_BUILD_ACCELERATION_STRUCTURE_ALLOW_COMPACTION_BIT_KHR,
		.mode = mode,
		.srcAccelerationStructure = mode == VK_BUILD_ACCELERATION_STRUCTURE_MODE_UPDATE_KHR ?
			(top ? world->top.handle : world->bottom.handle) : VK_NULL_HANDLE,
		.dstAccelerationStructure = top ? world->top.handle : world->bottom.handle,
		.geometryCount = top ? 1 : 2,
		.pGeometries = &world->geometries[top ? 2 : 0],
		.scratchData.deviceAddress = world->scratch.address,
	};
}

static VkDeviceSize say_sizes(struct parity *parity, struct world *world, bool top) {
	PROC(parity, vkGetAccelerationStructureBuildSizesKHR);
	const VkAccelerationStructureBuildGeometryInfoKHR info =
		build_info(world, top, VK_BUILD_ACCELERATION_STRUCTURE_MODE_BUILD_KHR);
	const uint32_t counts[2] = {2, 1};
	VkAccelerationStructureBuildSizesInfoKHR sizes = {
		.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_BUILD_SIZES_INFO_KHR};
	vkGetAccelerationStructureBuildSizesKHR(parity->device,
		VK_ACCELERATION_STRUCTURE_BUILD_TYPE_DEVICE_KHR, &info, counts, &sizes);
	say("sizes %llu %llu %llu", (unsigned long long)sizes.accelerationStructureSize,
		(unsigned long long)sizes.buildScratchSize, (unsigned long long)sizes.updateScratchSize);
	return sizes.accelerationStructureSize;
}

static void world_init(struct parity *parity, struct world *world) {
	memset(world, 0, sizeof(*world));
	parity_buffer_init(parity, &world->input, 4096, INPUT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
	parity_buffer_init(parity, &world->scratch, 1 << 20,
		VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT);
	parity_buffer_init(parity, &world->results, RESULT_SIZE,
		VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	fill_input(world);
	structure_init(parity, &world->bottom, VK_ACCELERATION_STRUCTURE_TYPE_BOTTOM_LEVEL_KHR,
		say_sizes(parity, world, false));
	structure_init(parity, &world->top, VK_ACCELERATION_STRUCTURE_TYPE_TOP_LEVEL_KHR,
		say_sizes(parity, world, true));
	say("addresses: %d %d", world->bottom.address != 0, world->top.address != 0);
	for (uint32_t i = 0; i < 2; i++) {
		const VkAccelerationStructureInstanceKHR instance = {
			.transform.matrix = {
				{1 - 0.5f * (float)i, 0, 0, 0.25f * (float)i}, {0, 1, 0, 0}, {0, 0, 1, 0}},
			.instanceCustomIndex = 5 + i,
			.mask = 0xff,
			.accelerationStructureReference = world->bottom.address,
		};
		memcpy((char *)world->input.data + INSTANCE_OFFSET + i * sizeof(instance), &instance,
			sizeof(instance));
	}

	const VkShaderStageFlags stages = VK_SHADER_STAGE_COMPUTE_BIT | VK_SHADER_STAGE_RAYGEN_BIT_KHR;
	const VkDescriptorSetLayoutBinding bindings[2] = {
		{0, VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR, 1, stages, NULL},
		{1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, stages, NULL},
	};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 2,
		.pBindings = bindings,
	};
	MUST(vkCreateDescriptorSetLayout(parity->device, &set_layout, NULL, &world->set_layout));
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &world->set_layout,
	};
	MUST(vkCreatePipelineLayout(parity->device, &layout, NULL, &world->layout));
	const VkDescriptorPoolSize sizes[2] = {{VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR, 1},
		{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1}};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 2,
		.pPoolSizes = sizes,
	};
	MUST(vkCreateDescriptorPool(parity->device, &pool, NULL, &world->pool));
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = world->pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &world->set_layout,
	};
	MUST(vkAllocateDescriptorSets(parity->device, &allocate, &world->set));
	const VkDescriptorBufferInfo results = {world->results.buffer, 0, VK_WHOLE_SIZE};
	const VkWriteDescriptorSetAccelerationStructureKHR structure = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_ACCELERATION_STRUCTURE_KHR,
		.accelerationStructureCount = 1,
		.pAccelerationStructures = &world->top.handle,
	};
	const VkWriteDescriptorSet writes[2] = {
		{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .pNext = &structure, .dstSet = world->set,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR},
		{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = world->set, .dstBinding = 1,
			.descriptorCount = 1, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &results},
	};
	vkUpdateDescriptorSets(parity->device, 2, writes, 0, NULL);
}

static void world_finish(struct parity *parity, struct world *world) {
	vkDestroyDescriptorPool(parity->device, world->pool, NULL);
	vkDestroyPipelineLayout(parity->device, world->layout, NULL);
	vkDestroyDescriptorSetLayout(parity->device, world->set_layout, NULL);
	structure_finish(parity, &world->top);
	structure_finish(parity, &world->bottom);
	parity_buffer_finish(parity, &world->results);
	parity_buffer_finish(parity, &world->scratch);
	parity_buffer_finish(parity, &world->input);
}

static void build(struct parity *parity, VkCommandBuffer commands, const struct world *world,
		VkBuildAccelerationStructureModeKHR mode, bool is_indirect) {
	PROC(parity, vkCmdBuildAccelerationStructuresKHR);
	PROC(parity, vkCmdBuildAccelerationStructuresIndirectKHR);
	for (int top = 0; top < 2; top++) {
		const VkAccelerationStructureBuildGeometryInfoKHR info = build_info(world, top, mode);
		const VkAccelerationStructureBuildRangeInfoKHR bottom_ranges[2] = {
			{2, 0, 0, 0}, {1, 36, 0, 0}};
		const VkAccelerationStructureBuildRangeInfoKHR top_range = {2, 0, 0, 0};
		const VkAccelerationStructureBuildRangeInfoKHR *ranges = top ? &top_range : bottom_ranges;
		const VkDeviceAddress address = world->input.address + RANGE_OFFSET;
		const uint32_t stride = sizeof(top_range), most[2] = {2, 1};
		const uint32_t *counts = most;
		if (is_indirect) {
			vkCmdBuildAccelerationStructuresIndirectKHR(
				commands, 1, &info, &address, &stride, &counts);
		} else {
			vkCmdBuildAccelerationStructuresKHR(commands, 1, &info, &ranges);
		}
		parity_barrier(commands);
	}
}

static void query(struct parity *parity, const struct world *world, VkPipeline pipeline,
		const char *what) {
	memset(world->results.data, 0, RESULT_SIZE);
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, world->layout, 0, 1,
		&world->set, 0, NULL);
	vkCmdDispatch(commands, 2, 2, 1);
	parity_run(parity, commands);
	say_hash(what, world->results.data, RESULT_SIZE);
}

static void queries(struct parity *parity) {
	if (!parity->ray_query.rayQuery) {
		say("there are no ray queries");
		return;
	}
	struct world world;
	world_init(parity, &world);
	VkShaderModule shader = parity_shader(parity, ray_comp_spv, sizeof(ray_comp_spv));
	const VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT, .module = shader, .pName = "main"},
		.layout = world.layout,
	};
	VkPipeline pipeline;
	MUST(vkCreateComputePipelines(parity->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
	const VkBuildAccelerationStructureModeKHR modes[2] = {
		VK_BUILD_ACCELERATION_STRUCTURE_MODE_BUILD_KHR,
		VK_BUILD_ACCELERATION_STRUCTURE_MODE_UPDATE_KHR};
	const int indirect = parity->acceleration.accelerationStructureIndirectBuild;
	for (int i = 0; i < 2 + 2 * indirect; i++) {
		VkCommandBuffer commands = parity_begin(parity);
		build(parity, commands, &world, modes[i % 2], i >= 2);
		parity_run(parity, commands);
		query(parity, &world, pipeline, "found");
	}

	/* compacted, and serialized, and back */
	PROC(parity, vkCmdWriteAccelerationStructuresPropertiesKHR);
	PROC(parity, vkCmdCopyAccelerationStructureKHR);
	PROC(parity, vkCmdCopyAccelerationStructureToMemoryKHR);
	PROC(parity, vkCmdCopyMemoryToAccelerationStructureKHR);
	PROC(parity, vkGetDeviceAccelerationStructureCompatibilityKHR);
	const VkQueryType types[4] = {VK_QUERY_TYPE_ACCELERATION_STRUCTURE_COMPACTED_SIZE_KHR,
		VK_QUERY_TYPE_ACCELERATION_STRUCTURE_SERIALIZATION_SIZE_KHR,
		VK_QUERY_TYPE_ACCELERATION_STRUCTURE_SIZE_KHR,
		VK_QUERY_TYPE_ACCELERATION_STRUCTURE_SERIALIZATION_BOTTOM_LEVEL_POINTERS_KHR};
	const uint32_t type_count = parity->ray_maintenance.rayTracingMaintenance1 ? 4 : 2;
	uint64_t sizes[4][2] = {{0}};
	for (uint32_t i = 0; i < type_count; i++) {
		const VkQueryPoolCreateInfo pool_info = {
			.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
			.queryType = types[i],
			.queryCount = 2,
		};
		VkQueryPool pool;
		MUST(vkCreateQueryPool(parity->device, &pool_info, NULL, &pool));
		const VkAccelerationStructureKHR both[2] = {world.bottom.handle, world.top.handle};
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdResetQueryPool(commands, pool, 0, 2);
		vkCmdWriteAccelerationStructuresPropertiesKHR(commands, 2, both, types[i], pool, 0);
		parity_run(parity, commands);
		SAY_RESULT(vkGetQueryPoolResults(parity->device, pool, 0, 2, sizeof(sizes[i]), sizes[i], 8,
			VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
		say("property %u: %llu %llu", i, (unsigned long long)sizes[i][0],
			(unsigned long long)sizes[i][1]);
		vkDestroyQueryPool(parity->device, pool, NULL);
	}
	struct structure compact;
	struct parity_buffer serial;
	structure_init(
		parity, &compact, VK_ACCELERATION_STRUCTURE_TYPE_BOTTOM_LEVEL_KHR, sizes[0][0]);
	parity_buffer_init(parity, &serial, sizes[1][0],
		VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
	const VkCopyAccelerationStructureInfoKHR to_compact = {
		.sType = VK_STRUCTURE_TYPE_COPY_ACCELERATION_STRUCTURE_INFO_KHR,
		.src = world.bottom.handle,
		.dst = compact.handle,
		.mode = VK_COPY_ACCELERATION_STRUCTURE_MODE_COMPACT_KHR,
	};
	const VkCopyAccelerationStructureToMemoryInfoKHR to_memory = {
		.sType = VK_STRUCTURE_TYPE_COPY_ACCELERATION_STRUCTURE_TO_MEMORY_INFO_KHR,
		.src = world.bottom.handle,
		.dst.deviceAddress = serial.address,
		.mode = VK_COPY_ACCELERATION_STRUCTURE_MODE_SERIALIZE_KHR,
	};
	const VkCopyMemoryToAccelerationStructureInfoKHR from_memory = {
		.sType = VK_STRUCTURE_TYPE_COPY_MEMORY_TO_ACCELERATION_STRUCTURE_INFO_KHR,
		.src.deviceAddress = serial.address,
		.dst = world.bottom.handle,
		.mode = VK_COPY_ACCELERATION_STRUCTURE_MODE_DESERIALIZE_KHR,
	};
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdCopyAccelerationStructureKHR(commands, &to_compact);
	vkCmdCopyAccelerationStructureToMemoryKHR(commands, &to_memory);
	parity_run(parity, commands);
	const VkAccelerationStructureVersionInfoKHR version = {
		.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_VERSION_INFO_KHR,
		.pVersionData = serial.data,
	};
	VkAccelerationStructureCompatibilityKHR compatibility = 0;
	vkGetDeviceAccelerationStructureCompatibilityKHR(parity->device, &version, &compatibility);
	say("compatible: %d", compatibility);
	commands = parity_begin(parity);
	vkCmdCopyMemoryToAccelerationStructureKHR(commands, &from_memory);
	parity_run(parity, commands);
	query(parity, &world, pipeline, "deserialized");
	structure_finish(parity, &compact);
	parity_buffer_finish(parity, &serial);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	vkDestroyShaderModule(parity->device, shader, NULL);
	world_finish(parity, &world);
}

static void pipelines(struct parity *parity) {
	if (!parity->ray_tracing.rayTracingPipeline) {
		say("there are no ray tracing pipelines");
		return;
	}
	PROC(parity, vkCreateRayTracingPipelinesKHR);
	PROC(parity, vkGetRayTracingShaderGroupHandlesKHR);
	PROC(parity, vkGetRayTracingShaderGroupStackSizeKHR);
	PROC(parity, vkCmdSetRayTracingPipelineStackSizeKHR);
	PROC(parity, vkCmdTraceRaysKHR);
	PROC(parity, vkCmdTraceRaysIndirectKHR);
	PROC(parity, vkCmdTraceRaysIndirect2KHR);
	VkPhysicalDeviceRayTracingPipelinePropertiesKHR rays = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_RAY_TRACING_PIPELINE_PROPERTIES_KHR};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &rays};
	vkGetPhysicalDeviceProperties2(parity->physical, &properties);
	struct world world;
	world_init(parity, &world);
	VkCommandBuffer commands = parity_begin(parity);
	build(parity, commands, &world, VK_BUILD_ACCELERATION_STRUCTURE_MODE_BUILD_KHR, false);
	parity_run(parity, commands);

	VkShaderModule shaders[3] = {parity_shader(parity, ray_rgen_spv, sizeof(ray_rgen_spv)),
		parity_shader(parity, ray_rmiss_spv, sizeof(ray_rmiss_spv)),
		parity_shader(parity, ray_rchit_spv, sizeof(ray_rchit_spv))};
	const VkShaderStageFlagBits bits[3] = {VK_SHADER_STAGE_RAYGEN_BIT_KHR,
		VK_SHADER_STAGE_MISS_BIT_KHR, VK_SHADER_STAGE_CLOSEST_HIT_BIT_KHR};
	VkPipelineShaderStageCreateInfo stages[3];
	VkRayTracingShaderGroupCreateInfoKHR groups[3];
	for (uint32_t i = 0; i < 3; i++) {
		stages[i] = (VkPipelineShaderStageCreateInfo){
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = bits[i],
			.module = shaders[i],
			.pName = "main",
		};
		groups[i] = (VkRayTracingShaderGroupCreateInfoKHR){
			.sType = VK_STRUCTURE_TYPE_RAY_TRACING_SHADER_GROUP_CREATE_INFO_KHR,
			.type = i == 2 ? VK_RAY_TRACING_SHADER_GROUP_TYPE_TRIANGLES_HIT_GROUP_KHR :
				VK_RAY_TRACING_SHADER_GROUP_TYPE_GENERAL_KHR,
			.generalShader = i == 2 ? VK_SHADER_UNUSED_KHR : i,
			.closestHitShader = i == 2 ? i : VK_SHADER_UNUSED_KHR,
			.anyHitShader = VK_SHADER_UNUSED_KHR,
			.intersectionShader = VK_SHADER_UNUSED_KHR,
		};
	}
	const VkDynamicState state = VK_DYNAMIC_STATE_RAY_TRACING_PIPELINE_STACK_SIZE_KHR;
	const VkPipelineDynamicStateCreateInfo dynamic = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
		.dynamicStateCount = 1,
		.pDynamicStates = &state,
	};
	VkRayTracingPipelineCreateInfoKHR infos[2];
	for (int i = 0; i < 2; i++) {
		infos[i] = (VkRayTracingPipelineCreateInfoKHR){
			.sType = VK_STRUCTURE_TYPE_RAY_TRACING_PIPELINE_CREATE_INFO_KHR,
			.stageCount = 3,
			.pStages = stages,
			.groupCount = 3,
			.pGroups = groups,
			.maxPipelineRayRecursionDepth = 1,
			.pDynamicState = i ? &dynamic : NULL,
			.layout = world.layout,
		};
	}
	VkPipeline both[2] = {VK_NULL_HANDLE, VK_NULL_HANDLE};
	SAY_RESULT(vkCreateRayTracingPipelinesKHR(
		parity->device, VK_NULL_HANDLE, VK_NULL_HANDLE, 2, infos, NULL, both));

	/* the same through a deferred operation, which the guest's driver need not defer */
	PROC(parity, vkCreateDeferredOperationKHR);
	PROC(parity, vkDeferredOperationJoinKHR);
	PROC(parity, vkGetDeferredOperationResultKHR);
	PROC(parity, vkDestroyDeferredOperationKHR);
	VkDeferredOperationKHR operation;
	VkPipeline deferred = VK_NULL_HANDLE;
	MUST(vkCreateDeferredOperationKHR(parity->device, NULL, &operation));
	VkResult result = vkCreateRayTracingPipelinesKHR(
		parity->device, operation, VK_NULL_HANDLE, 1, infos, NULL, &deferred);
	while (result == VK_OPERATION_DEFERRED_KHR &&
			vkDeferredOperationJoinKHR(parity->device, operation) == VK_THREAD_IDLE_KHR) {
	}
	SAY_RESULT(vkGetDeferredOperationResultKHR(parity->device, operation));
	vkDestroyDeferredOperationKHR(parity->device, operation, NULL);
	say("made: %d", deferred != VK_NULL_HANDLE);
	vkDestroyPipeline(parity->device, deferred, NULL);

	say("handles of %u, aligned to %u, base %u, replay %u", rays.shaderGroupHandleSize,
		rays.shaderGroupHandleAlignment, rays.shaderGroupBaseAlignment,
		rays.shaderGroupHandleCaptureReplaySize);
	const uint32_t size = rays.shaderGroupHandleSize, stride = 256;
	uint8_t *handles = calloc(3, size);
	struct parity_buffer table;
	parity_buffer_init(parity, &table, 4096, VK_BUFFER_USAGE_SHADER_BINDING_TABLE_BIT_KHR |
		VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
	for (int i = 0; i < 2; i++) {
		SAY_RESULT(vkGetRayTracingShaderGroupHandlesKHR(
			parity->device, both[i], 0, 3, 3 * (size_t)size, handles));
		SAY_RESULT(vkGetRayTracingShaderGroupHandlesKHR(
			parity->device, both[i], 2, 1, size, handles + 2 * (size_t)size));
		const VkDeviceSize stack = vkGetRayTracingShaderGroupStackSizeKHR(
			parity->device, both[i], 0, VK_SHADER_GROUP_SHADER_GENERAL_KHR);
		say("stack %llu", (unsigned long long)stack);
		VkStridedDeviceAddressRegionKHR regions[4] = {{0}};
		const float scale = 0.5f + (float)i;
		for (uint32_t j = 0; j < 3; j++) {
			memcpy((char *)table.data + j * stride, handles + j * (size_t)size, size);
			memcpy((char *)table.data + j * stride + size, &scale, sizeof(scale));
			regions[j] = (VkStridedDeviceAddressRegionKHR){
				table.address + j * stride, stride, stride};
		}
		const VkTraceRaysIndirectCommand2KHR second = {regions[0].deviceAddress, stride,
			regions[1].deviceAddress, stride, stride, regions[2].deviceAddress, stride, stride, 0,
			0, 0, 8, 8, 1};
		const VkTraceRaysIndirectCommandKHR first = {4, 16, 1};
		memcpy((char *)table.data + 2048, &first, sizeof(first));
		memcpy((char *)table.data + 2560, &second, sizeof(second));
		for (int way = 0; way < 3; way++) {
			memset(world.results.data, 0, RESULT_SIZE);
			commands = parity_begin(parity);
			vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_RAY_TRACING_KHR, both[i]);
			vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_RAY_TRACING_KHR, world.layout,
				0, 1, &world.set, 0, NULL);
			if (i == 1) {
				vkCmdSetRayTracingPipelineStackSizeKHR(commands, 4096);
			}
			if (way == 0) {
				vkCmdTraceRaysKHR(
					commands, &regions[0], &regions[1], &regions[2], &regions[3], 16, 16, 1);
				vkCmdTraceRaysKHR(
					commands, &regions[0], &regions[1], &regions[2], &regions[3], 0, 16, 1);
			} else if (way == 1 && parity->ray_tracing.rayTracingPipelineTraceRaysIndirect) {
				vkCmdTraceRaysIndirectKHR(commands, &regions[0], &regions[1], &regions[2],
					&regions[3], table.address + 2048);
			} else if (way == 2 &&
					parity->ray_maintenance.rayTracingPipelineTraceRaysIndirect2) {
				vkCmdTraceRaysIndirect2KHR(commands, table.address + 2560);
			}
			parity_run(parity, commands);
			say_hash("traced", world.results.data, RESULT_SIZE);
		}
	}
	free(handles);
	parity_buffer_finish(parity, &table);
	for (int i = 0; i < 3; i++) {
		vkDestroyShaderModule(parity->device, shaders[i], NULL);
	}
	vkDestroyPipeline(parity->device, both[0], NULL);
	vkDestroyPipeline(parity->device, both[1], NULL);
	world_finish(parity, &world);
}

const struct parity_case parity_ray_cases[] = {
	{"ray queries", queries},
	{"ray pipelines", pipelines},
	{NULL, NULL},
};
