/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_PARITY_SCENE_H
#define VENERA_TESTS_PARITY_SCENE_H

#include "parity.h"

/*
 * Two triangles, shaders for them, a colour and a depth-stencil image to draw them to, and the
 * state of a pipeline that does so, of which cases change what they are about.
 */

#define SCENE_SIZE 48

struct scene_vertex {
	float position[4];
	float colour[4];
};

/* what lies where in the buffer of a scene */
#define SCENE_VERTICES 6
#define SCENE_INDEX_OFFSET 512  /* 16 bits: triangle, restart, triangle, and one more */
#define SCENE_INDEX_COUNT 8
#define SCENE_INDIRECT_OFFSET 640 /* three VkDrawIndirectCommand, and how many count: 2 */
#define SCENE_INDIRECT_COUNT_OFFSET 688
#define SCENE_INDEXED_OFFSET 704 /* two VkDrawIndexedIndirectCommand, and how many count: 1 */
#define SCENE_INDEXED_COUNT_OFFSET 744

struct scene {
	VkShaderModule vertex, fragment;
	VkPipelineLayout layout; /* 16 bytes of push constants for the fragment shader */
	struct parity_buffer buffer;
	struct parity_image colour;
	struct parity_image depth;
	VkSampleCountFlagBits samples;
	uint32_t view_mask;
};

void scene_init(struct parity *parity, struct scene *scene, VkSampleCountFlagBits samples,
	uint32_t view_mask);
void scene_finish(struct parity *parity, struct scene *scene);

/** All that makes a pipeline. Its parts point at each other: it cannot be copied. */
struct scene_state {
	VkPipelineShaderStageCreateInfo stages[5];
	VkVertexInputBindingDescription bindings[2];
	VkVertexInputAttributeDescription attributes[2];
	VkPipelineVertexInputStateCreateInfo input;
	VkPipelineInputAssemblyStateCreateInfo assembly;
	VkPipelineTessellationStateCreateInfo tessellation;
	VkViewport viewport;
	VkRect2D scissor;
	VkPipelineViewportStateCreateInfo viewports;
	VkPipelineRasterizationStateCreateInfo rasterization;
	VkSampleMask sample_mask;
	VkPipelineMultisampleStateCreateInfo multisample;
	VkPipelineDepthStencilStateCreateInfo depth;
	VkPipelineColorBlendAttachmentState attachment;
	VkPipelineColorBlendStateCreateInfo blend;
	VkPipelineDynamicStateCreateInfo dynamic;
	VkFormat format;
	VkPipelineRenderingCreateInfo rendering;
	VkGraphicsPipelineCreateInfo info;
};

/** For dynamic rendering of triangle lists, without blending, with nothing dynamic. */
void scene_state_init(const struct scene *scene, struct scene_state *state);
/** With the stage's shader in addition. */
void scene_state_add_stage(struct scene_state *state, VkShaderStageFlagBits stage,
	VkShaderModule module);
/** Makes `list` what is dynamic. */
void scene_state_set_dynamic(struct scene_state *state, const VkDynamicState *list, uint32_t count);
/** For a render pass in place of dynamic rendering. */
void scene_state_set_pass(struct scene_state *state, VkRenderPass pass, uint32_t subpass);
VkPipeline scene_pipeline(struct parity *parity, const struct scene_state *state);

/** Binds the pipeline, the vertices and the indices. */
void scene_bind(VkCommandBuffer commands, const struct scene *scene, VkPipeline pipeline);
/** Makes the images ready to be attachments. */
void scene_prepare(VkCommandBuffer commands, const struct scene *scene);
/** Begins to render to cleared images. */
void scene_begin_rendering(VkCommandBuffer commands, const struct scene *scene,
	VkRenderingFlags flags);
/** A command buffer for which all this has been done. */
VkCommandBuffer scene_begin(struct parity *parity, const struct scene *scene);
/** Runs the commands, which have ended their rendering, and says what is in the images. */
void scene_say(struct parity *parity, VkCommandBuffer commands, const struct scene *scene);

#endif
