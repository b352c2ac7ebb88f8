/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VKBENCH_BENCH_H
#define VENERA_VKBENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

/**
 * What the tests of vkbench are made of. Each runs in a process of its own, so that nothing needs
 * to be freed, and whatever fails ends it, with a line that says what.
 */

/** Of the command line. */
struct bench_options {
	const char *device; /* part of the device's name; NULL: the first one */
	double seconds;     /* of a repetition */
	double limit;       /* seconds that a test may take */
	int repetitions;    /* 1 to BENCH_MAX_REPETITIONS */
	bool verbose, no_fork;
	uint32_t mib;      /* size of the big buffers */
	uint32_t commands; /* in a command buffer */
};
extern struct bench_options bench_options;

#define BENCH_MAX_REPETITIONS 64

struct bench_test {
	const char *name;
	void (*run)(void);
	const char *what; /* for the list of tests */
};

/* Each ends with an empty one. */
extern const struct bench_test bench_start_tests[];
extern const struct bench_test bench_latency_tests[];
extern const struct bench_test bench_object_tests[];
extern const struct bench_test bench_record_tests[];
extern const struct bench_test bench_memory_tests[];
extern const struct bench_test bench_compute_tests[];
extern const struct bench_test bench_frame_tests[];

/** Seconds. */
double bench_now(void);

/** Prints "test FAIL ..." and ends the process. */
_Noreturn void bench_fail(const char *format, ...);

#define BENCH_TRY(call) \
	do { \
		const VkResult result_ = (call); \
		if (result_ < 0) { \
			bench_fail("%s -> %d", #call, result_); \
		} \
	} while (0)

/** Prints the median. Sorts the values. */
void bench_report(const char *unit, double *values, int count);

/**
 * Repeats the body until the time of a repetition has passed, looking at the clock every `batch`
 * times, then does `sync`, which counts, too. Leaves the seconds of a body in `values`. A short
 * repetition for warming up is not recorded.
 */
#define BENCH_TIME(batch, sync, ...) \
	double values[BENCH_MAX_REPETITIONS]; \
	for (int repetition_ = -1; repetition_ < bench_options.repetitions; repetition_++) { \
		const double limit_ = bench_options.seconds / (repetition_ < 0 ? 5 : 1); \
		const double begin_ = bench_now(); \
		long count_ = 0; \
		do { \
			for (int k_ = 0; k_ < (batch); k_++) { \
				__VA_ARGS__; \
			} \
			count_ += (batch); \
		} while (bench_now() - begin_ < limit_); \
		sync; \
		const double seconds_ = (bench_now() - begin_) / (double)count_; \
		if (repetition_ >= 0) { \
			values[repetition_] = seconds_; \
		} \
	}

#define BENCH_REPORT_US() \
	do { \
		for (int i_ = 0; i_ < bench_options.repetitions; i_++) { \
			values[i_] *= 1e6; \
		} \
		bench_report("us", values, bench_options.repetitions); \
	} while (0)

/** A body does `per` of what the unit counts, in units of 1/scale. */
#define BENCH_REPORT_RATE(per, scale, unit) \
	do { \
		for (int i_ = 0; i_ < bench_options.repetitions; i_++) { \
			values[i_] = (double)(per) * (scale) / values[i_]; \
		} \
		bench_report(unit, values, bench_options.repetitions); \
	} while (0)

#define BENCH_NOTHING ((void)0)

/* --- the GPU --- */

struct gpu {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkPhysicalDeviceProperties properties;
	VkPhysicalDeviceMemoryProperties memory;
	VkDevice device;
	uint32_t family; /* of the queue: graphics and compute */
	VkQueue queue;
	VkCommandPool command_pool;
	bool has_timeline, has_addresses;
	bool has_push_descriptors; /* VK_KHR_push_descriptor is enabled */
};
extern struct gpu gpu;

void gpu_open_instance(void);
void gpu_open_device(void);

#define GPU_MEMORY_HOST (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)
#define GPU_MEMORY_LOCAL VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT

/** The first of `bits` that has all that is wanted; DEVICE_LOCAL need not be. */
uint32_t gpu_memory_type(uint32_t bits, VkMemoryPropertyFlags want);

VkDeviceMemory gpu_allocate(VkDeviceSize size, uint32_t type);
void *gpu_map(VkDeviceMemory memory);

struct gpu_buffer {
	VkBuffer handle;
	VkDeviceMemory memory;
	VkDeviceSize size;
};

/** Without memory. */
VkBuffer gpu_create_plain_buffer(VkDeviceSize size);
struct gpu_buffer gpu_create_buffer(VkDeviceSize size, VkMemoryPropertyFlags want);

VkFence gpu_create_fence(void);
VkCommandBuffer gpu_allocate_commands(void);
void gpu_begin(VkCommandBuffer commands);
/** Of nothing, if `commands` is VK_NULL_HANDLE. */
void gpu_submit(VkCommandBuffer commands, VkFence fence);
void gpu_wait_fence(VkFence fence); /* and resets it */
/** Submits and waits. */
void gpu_run(VkCommandBuffer commands);
void gpu_barrier(VkCommandBuffer commands);

/** A call whose result a guest cannot know: it goes to the host and back. */
void gpu_round_trip(void);

/** Descriptors are storage buffers. */
VkDescriptorSetLayout gpu_create_set_layout(uint32_t count, VkDescriptorSetLayoutCreateFlags flags);
VkPipelineLayout gpu_create_pipeline_layout(VkDescriptorSetLayout set_layout);
VkDescriptorPool gpu_create_descriptor_pool(uint32_t sets, uint32_t descriptors);
VkDescriptorSet gpu_allocate_set(VkDescriptorPool pool, VkDescriptorSetLayout layout);
#define GPU_MAX_DESCRIPTORS 16
/** One call for all descriptors. */
void gpu_write_set(VkDescriptorSet set, VkBuffer buffer, uint32_t count);

enum gpu_shader { GPU_SHADER_SAXPY, GPU_SHADER_ALU, GPU_SHADER_VERTEX, GPU_SHADER_FRAGMENT };
VkShaderModule gpu_create_module(enum gpu_shader shader);

/** `salt`: makes pipelines that no cache knows. */
VkPipeline gpu_create_compute_pipeline(
	VkShaderModule module, VkPipelineLayout layout, VkPipelineCache cache, uint32_t salt);

#define GPU_FORMAT VK_FORMAT_R8G8B8A8_UNORM

/** An image and all that it takes to draw a triangle into it. */
struct gpu_target {
	uint32_t width, height;
	VkImage image;
	VkImageView view;
	VkRenderPass render_pass;
	VkFramebuffer framebuffer;
	VkPipelineLayout layout;
	VkShaderModule vertex, fragment;
	VkPipeline pipeline;
};

/** Without memory. */
VkImage gpu_create_image(uint32_t width, uint32_t height);
struct gpu_target gpu_create_target(uint32_t width, uint32_t height);
VkPipeline gpu_create_graphics_pipeline(const struct gpu_target *target, uint32_t salt);
void gpu_begin_pass(
	VkCommandBuffer commands, const struct gpu_target *target, VkSubpassContents contents);
void gpu_bind_target(VkCommandBuffer commands, const struct gpu_target *target);
/** Moves what is drawn: 2 is off the image. */
void gpu_push_offset(VkCommandBuffer commands, const struct gpu_target *target, float x);

#endif
