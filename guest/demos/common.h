/* SPDX-License-Identifier: MIT */
#ifndef VENERA_DEMOS_COMMON_H
#define VENERA_DEMOS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <vulkan/vulkan.h>

/**
 * What the demos share: a device with one queue, memory, buffers, shaders, and how things are
 * reported. Functions that can fail print one line that says what failed and return false.
 */

/** Names the program in messages and lets lines appear as they are printed, also in a pipe. */
void demo_start(const char *program);

/** Prints "PROGRAM: text" to standard error; returns false. */
bool demo_fail(const char *format, ...);

/** True if `result` is not an error; else demo_fail() with the name of the result. */
bool demo_check(VkResult result, const char *what);

#define DEMO_TRY(call) \
	do { \
		if (!demo_check((call), #call)) { \
			return false; \
		} \
	} while (0)

const char *demo_result_name(VkResult result);

/** Monotonic, in seconds. */
double demo_now(void);

/** From here on ^C and the like do not end the program: demo_interrupted() tells of them. */
void demo_catch_signals(void);

/** The signal that was caught; 0: none. */
int demo_interrupted(void);

struct demo_gpu_options {
	const char *driver_name; /* only a device of this driver; NULL: Venus if there, else any */
	VkQueueFlags queue_flags;
	bool host_query_reset, timeline_semaphore; /* wanted if they are there */
	const char *const *extensions;             /* of the device, needed */
	uint32_t extension_count;
};

struct demo_gpu {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkPhysicalDeviceProperties properties;
	VkPhysicalDeviceDriverProperties driver; /* empty if the device does not tell */
	VkPhysicalDeviceMemoryProperties memory;
	VkQueueFamilyProperties family;
	uint32_t family_index;
	bool host_query_reset, timeline_semaphore; /* enabled */
	VkDevice device;
	VkQueue queue;
	VkCommandPool pool; /* command buffers can be reset */
};

/** Makes a device and prints which. On failure demo_gpu_finish() is still due. */
bool demo_gpu_init(struct demo_gpu *gpu, const struct demo_gpu_options *options);
/** Another device on the instance of `first`, which must outlive it. The same holds on failure. */
bool demo_gpu_init_another(struct demo_gpu *gpu, const struct demo_gpu *first,
	const struct demo_gpu_options *options);
void demo_gpu_finish(struct demo_gpu *gpu);

/**
 * The first memory type among `type_bits` with all of `flags`, preferably with `preferred` as
 * well; -1 if there is none.
 */
int demo_find_memory(const struct demo_gpu *gpu, uint32_t type_bits, VkMemoryPropertyFlags flags,
	VkMemoryPropertyFlags preferred);

/** "DEVICE_LOCAL|HOST_VISIBLE" in `text`. */
void demo_memory_flags_text(VkMemoryPropertyFlags flags, char *text, size_t size);

/** For the CPU to see what the GPU wrote, and the other way round; nothing to do if coherent. */
bool demo_invalidate(const struct demo_gpu *gpu, VkDeviceMemory memory, uint32_t type);
bool demo_flush(const struct demo_gpu *gpu, VkDeviceMemory memory, uint32_t type);

struct demo_buffer {
	VkBuffer buffer;
	VkDeviceMemory memory;
	uint32_t type; /* of the memory */
	VkDeviceSize size;
	void *data; /* mapped, if the memory is HOST_VISIBLE */
};

/** With memory that has all of `flags`, mapped if that can be. */
bool demo_buffer_init(struct demo_buffer *buffer, const struct demo_gpu *gpu, VkDeviceSize size,
	VkBufferUsageFlags usage, VkMemoryPropertyFlags flags);
/** The same with memory of one type. */
bool demo_buffer_init_type(struct demo_buffer *buffer, const struct demo_gpu *gpu,
	VkDeviceSize size, VkBufferUsageFlags usage, uint32_t type);
void demo_buffer_finish(struct demo_buffer *buffer, const struct demo_gpu *gpu);

bool demo_shader_init(VkShaderModule *shader, const struct demo_gpu *gpu, const uint32_t *code,
	size_t size);

/** A command buffer that is being recorded. */
bool demo_commands_begin(VkCommandBuffer *commands, const struct demo_gpu *gpu);
/** Ends recording, submits, waits until it is done, and frees it. */
bool demo_commands_run(VkCommandBuffer commands, const struct demo_gpu *gpu);

/** Makes writes of `source` in `source_stage` visible to `destination` in `destination_stage`. */
void demo_barrier(VkCommandBuffer commands, VkPipelineStageFlags source_stage, VkAccessFlags source,
	VkPipelineStageFlags destination_stage, VkAccessFlags destination);

#endif
