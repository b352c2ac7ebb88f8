/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_PARITY_H
#define VENERA_TESTS_PARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

/*
 * A program that uses Vulkan in many small ways and says what came of it. It judges nothing: what it prints on the
 * host's driver and through Venera is compared. So cases print results and what was computed, never
 * handles, addresses, times or names.
 */

/** A device with all the features and extensions that the cases know of and the driver has. */
struct parity {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkPhysicalDeviceProperties properties;
	VkPhysicalDeviceMemoryProperties memory;
	VkPhysicalDeviceFeatures2 features; /* heads the chain of the below */
	VkPhysicalDeviceVulkan11Features vulkan11;
	VkPhysicalDeviceVulkan12Features vulkan12;
	VkPhysicalDeviceVulkan13Features vulkan13;
	VkPhysicalDeviceTransformFeedbackFeaturesEXT transform_feedback;
	VkPhysicalDeviceRobustness2FeaturesEXT robustness2;
	VkPhysicalDeviceExtendedDynamicStateFeaturesEXT dynamic_state;
	VkPhysicalDeviceExtendedDynamicState2FeaturesEXT dynamic_state2;
	VkPhysicalDeviceExtendedDynamicState3FeaturesEXT dynamic_state3;
	VkPhysicalDeviceVertexInputDynamicStateFeaturesEXT vertex_input;
	VkPhysicalDeviceHostImageCopyFeaturesEXT host_image_copy;
	VkPhysicalDeviceGraphicsPipelineLibraryFeaturesEXT pipeline_library;
	VkPhysicalDevicePrimitivesGeneratedQueryFeaturesEXT primitives_generated;
	VkPhysicalDeviceMultiDrawFeaturesEXT multi_draw;
	VkPhysicalDeviceConditionalRenderingFeaturesEXT conditional_rendering;
	VkPhysicalDeviceCustomBorderColorFeaturesEXT border_color;
	VkPhysicalDeviceMeshShaderFeaturesEXT mesh_shader;
	VkPhysicalDeviceColorWriteEnableFeaturesEXT color_write;
	VkPhysicalDeviceDepthClipEnableFeaturesEXT depth_clip_enable;
	VkPhysicalDeviceDepthClipControlFeaturesEXT depth_clip_control;
	VkPhysicalDeviceDepthBiasControlFeaturesEXT depth_bias_control;
	VkPhysicalDeviceProvokingVertexFeaturesEXT provoking_vertex;
	VkPhysicalDevicePrimitiveTopologyListRestartFeaturesEXT list_restart;
	VkPhysicalDeviceBlendOperationAdvancedFeaturesEXT blend_advanced;
	VkPhysicalDeviceAttachmentFeedbackLoopLayoutFeaturesEXT feedback_loop;
	VkPhysicalDeviceAttachmentFeedbackLoopDynamicStateFeaturesEXT feedback_loop_dynamic;
	VkPhysicalDeviceDynamicRenderingUnusedAttachmentsFeaturesEXT unused_attachments;
	VkPhysicalDeviceMultisampledRenderToSingleSampledFeaturesEXT to_single_sampled;
	VkPhysicalDeviceNestedCommandBufferFeaturesEXT nested;
	VkPhysicalDeviceMutableDescriptorTypeFeaturesEXT mutable_type;
	VkPhysicalDeviceFragmentShaderInterlockFeaturesEXT interlock;
	VkPhysicalDeviceShaderAtomicFloatFeaturesEXT atomic_float;
	VkPhysicalDevicePipelineRobustnessFeaturesEXT pipeline_robustness;
	VkPhysicalDeviceMaintenance5FeaturesKHR maintenance5;
	VkPhysicalDeviceMaintenance6FeaturesKHR maintenance6;
	VkPhysicalDeviceIndexTypeUint8FeaturesKHR index_uint8;
	VkPhysicalDeviceVertexAttributeDivisorFeaturesKHR divisor;
	VkPhysicalDeviceLineRasterizationFeaturesKHR line;
	VkPhysicalDeviceDynamicRenderingLocalReadFeaturesKHR local_read;
	VkPhysicalDeviceGlobalPriorityQueryFeaturesKHR global_priority;
	VkPhysicalDeviceAccelerationStructureFeaturesKHR acceleration;
	VkPhysicalDeviceRayQueryFeaturesKHR ray_query;
	VkPhysicalDeviceRayTracingPipelineFeaturesKHR ray_tracing;
	VkPhysicalDeviceRayTracingMaintenance1FeaturesKHR ray_maintenance;
	VkPhysicalDeviceCooperativeMatrixFeaturesKHR cooperative_matrix;
	VkPhysicalDeviceWorkgroupMemoryExplicitLayoutFeaturesKHR workgroup_layout;
	const char *extensions[128];
	uint32_t extension_count;
	uint32_t family;
	VkDevice device;
	VkQueue queue;
	VkCommandPool pool;
};

struct parity_case {
	const char *name;
	void (*run)(struct parity *parity);
};

/* each ends with an entry without a name */
extern const struct parity_case parity_api_cases[];
extern const struct parity_case parity_command_buffer_cases[];
extern const struct parity_case parity_command_cases[];
extern const struct parity_case parity_compute_cases[];
extern const struct parity_case parity_descriptor_cases[];
extern const struct parity_case parity_device_cases[];
extern const struct parity_case parity_draw_cases[];
extern const struct parity_case parity_dynamic_cases[];
extern const struct parity_case parity_format_cases[];
extern const struct parity_case parity_graph_cases[];
extern const struct parity_case parity_image_cases[];
extern const struct parity_case parity_large_cases[];
extern const struct parity_case parity_memory_cases[];
extern const struct parity_case parity_mesh_cases[];
extern const struct parity_case parity_mixed_pass_cases[];
extern const struct parity_case parity_mixed_query_cases[];
extern const struct parity_case parity_object_cases[];
extern const struct parity_case parity_pass_cases[];
extern const struct parity_case parity_pipeline_cases[];
extern const struct parity_case parity_plane_cases[];
extern const struct parity_case parity_query_cases[];
extern const struct parity_case parity_random_cases[];
extern const struct parity_case parity_ray_cases[];
extern const struct parity_case parity_sparse_cases[];
extern const struct parity_case parity_stage_cases[];
extern const struct parity_case parity_state_cases[];
extern const struct parity_case parity_swapchain_cases[];
extern const struct parity_case parity_sync_cases[];
extern const struct parity_case parity_thread_cases[];
extern const struct parity_case parity_transfer_cases[];
extern const struct parity_case parity_window_cases[];

/* --- saying --- */

/** One line of the result. */
void say(const char *format, ...);
/** "WHAT: VkResult", and returns the result. */
VkResult say_result(const char *what, VkResult result);
#define SAY_RESULT(call) say_result(#call, (call))
/** A number that stands for the bytes. */
void say_hash(const char *what, const void *data, size_t size);
/** Prints what went wrong and ends the case. */
void parity_fail(const char *what, VkResult result);
#define MUST(call) \
	do { \
		VkResult must_result = (call); \
		if (must_result < 0) { \
			parity_fail(#call, must_result); \
		} \
	} while (0)

/* --- a device --- */

void parity_init(struct parity *parity);
/** A further device like the first, to be destroyed by the caller. */
VkDevice parity_device(struct parity *parity);
void parity_finish(struct parity *parity);
/** Whether an extension is enabled; says so if not. */
bool parity_has(const struct parity *parity, const char *extension);
#define PROC(parity, name) PFN_##name name = (PFN_##name)vkGetDeviceProcAddr((parity)->device, #name)

/* --- things to work with --- */

struct parity_buffer {
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkDeviceSize size;
	void *data;
	VkDeviceAddress address; /* if made with that usage */
};

/** Host-visible memory of the given flags that the bits allow, allocated. */
VkDeviceMemory parity_allocate(struct parity *parity, const VkMemoryRequirements *requirements,
	VkMemoryPropertyFlags flags, const void *next);
/** Mapped, filled with 0xcc. */
void parity_buffer_init(struct parity *parity, struct parity_buffer *buffer, VkDeviceSize size,
	VkBufferUsageFlags usage);
void parity_buffer_finish(struct parity *parity, struct parity_buffer *buffer);

struct parity_image {
	VkImage image;
	VkDeviceMemory memory;
	VkImageView view;
	VkImageCreateInfo info;
	VkImageAspectFlags aspects;
};

/** With a view of all of it. */
void parity_image_init(struct parity *parity, struct parity_image *image,
	const VkImageCreateInfo *info, VkImageViewType view_type, VkImageAspectFlags aspect);
void parity_image_finish(struct parity *parity, struct parity_image *image);

VkShaderModule parity_shader(struct parity *parity, const uint32_t *code, size_t size);

/** A pipeline of one compute shader with one descriptor set. */
struct parity_compute {
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkShaderModule shader;
	VkPipeline pipeline;
};

struct parity_compute_info {
	const uint32_t *code;
	size_t size;
	VkDescriptorSetLayoutCreateFlags set_flags;
	const VkDescriptorSetLayoutBinding *bindings;
	uint32_t binding_count;
	uint32_t push_size; /* bytes of push constants */
	VkPipelineCreateFlags flags;
	const void *stage_next;
	const VkSpecializationInfo *specialization;
};

void parity_compute_init(struct parity *parity, struct parity_compute *compute,
	const struct parity_compute_info *info);
void parity_compute_finish(struct parity *parity, struct parity_compute *compute);

/** A primary command buffer that is being recorded. */
VkCommandBuffer parity_begin(struct parity *parity);
/** Ends, submits, waits for, and frees it. */
void parity_run(struct parity *parity, VkCommandBuffer commands);
/** All that was written before can be read by what comes after. */
void parity_barrier(VkCommandBuffer commands);
/** The same for an image, which changes its layout. */
void parity_transition(VkCommandBuffer commands, const struct parity_image *image,
	VkImageLayout from, VkImageLayout to);
/** Says the hashes of level 0 of an image in layout TRANSFER_SRC, with all its layers, one for each aspect. */
void parity_say_image(struct parity *parity, const char *what, const struct parity_image *image,
	uint32_t texel_size);

#endif
