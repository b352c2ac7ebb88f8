/* SPDX-License-Identifier: MIT */
#ifndef VENERA_DEMOS_KERNELS_H
#define VENERA_DEMOS_KERNELS_H

#include "common.h"

/** The buffers and pipelines of the compute demo. */

/** Elements of x and of y. */
#define KERNELS_MAX (1u << 20)
/** Elements that a work group of saxpy handles, by a specialization constant. */
#define KERNELS_GROUP 64

enum kernel {
	KERNEL_SAXPY,
	KERNEL_REDUCE,
	KERNEL_INDIRECT,
	KERNEL_COUNT,
};

struct kernels {
	struct demo_gpu *gpu;
	struct demo_buffer x, y; /* floats, mapped and coherent; y may also be copied from and to */
	struct demo_buffer arguments; /* of an indirect dispatch; the CPU does not see it */
	VkDescriptorSetLayout set_layout; /* x or another input at 0, y or another output at 1 */
	VkDescriptorPool pool;
	VkDescriptorSet set;           /* all of x and of y */
	VkDescriptorSet arguments_set; /* all of x and the arguments */
	VkPipelineLayout layout;
	VkPipelineCache cache;
	VkPipeline pipelines[KERNEL_COUNT];
};

/** On failure kernels_finish() is still due. */
bool kernels_init(struct kernels *kernels, struct demo_gpu *gpu);
void kernels_finish(struct kernels *kernels);

/** Frees all command buffers. */
bool kernels_recreate_pool(struct kernels *kernels);

/** A pool of its own with `count` sets, which can be freed one by one. */
bool kernels_allocate_sets(
	const struct kernels *kernels, VkDescriptorPool *pool, VkDescriptorSet *sets, uint32_t count);
/** `count` elements of x and of y from `first` on. */
void kernels_write_set(
	const struct kernels *kernels, VkDescriptorSet set, uint32_t first, uint32_t count);
void kernels_copy_set(const struct kernels *kernels, VkDescriptorSet from, VkDescriptorSet to);

void kernels_dispatch(const struct kernels *kernels, VkCommandBuffer commands, enum kernel kernel,
	VkDescriptorSet set, uint32_t groups);
void kernels_saxpy(const struct kernels *kernels, VkCommandBuffer commands, VkDescriptorSet set,
	float a, uint32_t count);
/** The number of groups comes from kernels->arguments. */
void kernels_saxpy_indirect(const struct kernels *kernels, VkCommandBuffer commands,
	VkDescriptorSet set, float a, uint32_t count);

/** Orders a dispatch behind one before. */
void kernels_barrier(VkCommandBuffer commands);
/** Makes what dispatches wrote visible to the CPU. */
void kernels_barrier_to_host(VkCommandBuffer commands);

#endif
