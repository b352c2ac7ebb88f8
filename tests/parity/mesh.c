/* SPDX-License-Identifier: MIT */

/* Task and mesh shaders, and the queries about them. */

#include <string.h>

#include "scene.h"

#include "mesh_mesh_spv.h"
#include "mesh_task_spv.h"

static void draws(struct parity *parity) {
	if (!parity->mesh_shader.meshShader || !parity->mesh_shader.taskShader) {
		say("there are no mesh shaders");
		return;
	}
	PROC(parity, vkCmdDrawMeshTasksEXT);
	PROC(parity, vkCmdDrawMeshTasksIndirectEXT);
	PROC(parity, vkCmdDrawMeshTasksIndirectCountEXT);
	struct scene scene;
	struct scene_state state;
	scene_init(parity, &scene, VK_SAMPLE_COUNT_1_BIT, 0);
	scene_state_init(&scene, &state);
	VkShaderModule task = parity_shader(parity, mesh_task_spv, sizeof(mesh_task_spv));
	VkShaderModule mesh = parity_shader(parity, mesh_mesh_spv, sizeof(mesh_mesh_spv));
	state.stages[0].stage = VK_SHADER_STAGE_MESH_BIT_EXT;
	state.stages[0].module = mesh;
	scene_state_add_stage(&state, VK_SHADER_STAGE_TASK_BIT_EXT, task);
	state.info.pVertexInputState = NULL;
	state.info.pInputAssemblyState = NULL;
	VkPipeline pipeline = scene_pipeline(parity, &state);
	const VkDrawMeshTasksIndirectCommandEXT indirect[2] = {{2, 1, 1}, {1, 2, 1}};
	const uint32_t count = 1;
	memcpy((char *)scene.buffer.data + 800, indirect, sizeof(indirect));
	memcpy((char *)scene.buffer.data + 900, &count, 4);

	VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_MESH_PRIMITIVES_GENERATED_EXT,
		.queryCount = 1,
	};
	VkQueryPool pools[2] = {VK_NULL_HANDLE, VK_NULL_HANDLE};
	const bool queries = parity->mesh_shader.meshShaderQueries;
	if (queries) {
		MUST(vkCreateQueryPool(parity->device, &info, NULL, &pools[0]));
		info.queryType = VK_QUERY_TYPE_PIPELINE_STATISTICS;
		info.pipelineStatistics = VK_QUERY_PIPELINE_STATISTIC_TASK_SHADER_INVOCATIONS_BIT_EXT |
			VK_QUERY_PIPELINE_STATISTIC_MESH_SHADER_INVOCATIONS_BIT_EXT;
		MUST(vkCreateQueryPool(parity->device, &info, NULL, &pools[1]));
	}
	for (int way = 0; way < 3; way++) {
		VkCommandBuffer commands = parity_begin(parity);
		scene_prepare(commands, &scene);
		for (int i = 0; queries && i < 2; i++) {
			vkCmdResetQueryPool(commands, pools[i], 0, 1);
		}
		scene_begin_rendering(commands, &scene, 0);
		scene_bind(commands, &scene, pipeline);
		for (int i = 0; queries && i < 2; i++) {
			vkCmdBeginQuery(commands, pools[i], 0, 0);
		}
		const uint32_t stride = sizeof(indirect[0]);
		if (way == 0) {
			vkCmdDrawMeshTasksEXT(commands, 3, 2, 1);
			vkCmdDrawMeshTasksEXT(commands, 0, 2, 1);
		} else if (way == 1) {
			vkCmdDrawMeshTasksIndirectEXT(commands, scene.buffer.buffer, 800, 2, stride);
		} else {
			vkCmdDrawMeshTasksIndirectCountEXT(
				commands, scene.buffer.buffer, 800, scene.buffer.buffer, 900, 2, stride);
		}
		for (int i = 0; queries && i < 2; i++) {
			vkCmdEndQuery(commands, pools[i], 0);
		}
		vkCmdEndRendering(commands);
		scene_say(parity, commands, &scene);
		for (uint32_t i = 0; queries && i < 2; i++) {
			uint64_t values[3] = {0};
			SAY_RESULT(vkGetQueryPoolResults(parity->device, pools[i], 0, 1, sizeof(values), values,
				sizeof(values), VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
			say("%llu %llu %llu", (unsigned long long)values[0], (unsigned long long)values[1],
				(unsigned long long)values[2]);
		}
	}
	vkDestroyQueryPool(parity->device, pools[0], NULL);
	vkDestroyQueryPool(parity->device, pools[1], NULL);
	vkDestroyPipeline(parity->device, pipeline, NULL);
	vkDestroyShaderModule(parity->device, task, NULL);
	vkDestroyShaderModule(parity->device, mesh, NULL);
	scene_finish(parity, &scene);
}

const struct parity_case parity_mesh_cases[] = {
	{"mesh draws", draws},
	{NULL, NULL},
};
