/* SPDX-License-Identifier: MIT */
#ifndef VENERA_DEMOS_SHARED_IMAGE_H
#define VENERA_DEMOS_SHARED_IMAGE_H

#include "common.h"

/** In memory what DRM calls XRGB8888. */
#define SHARED_IMAGE_FORMAT VK_FORMAT_B8G8R8A8_UNORM

/**
 * An image that is at the same time a dma-buf: other processes and the screen see, without a copy,
 * what Vulkan draws into it. Its texels lie in lines (the DRM format modifier is LINEAR).
 */
struct shared_image {
	VkImage image;
	VkDeviceMemory memory;
	uint32_t memory_type;
	uint32_t width, height;
	uint32_t offset, stride; /* bytes: of the first line, and from line to line */
	uint64_t size;           /* of the memory */
	int fd;                  /* the dma-buf; -1: none */
};

/** The device extensions that are needed, for struct demo_gpu_options. */
extern const char *const shared_image_extensions[];
extern const uint32_t shared_image_extension_count;

/** shared_image_finish() is due also on failure. */
bool shared_image_init(struct shared_image *image, const struct demo_gpu *gpu, uint32_t width,
	uint32_t height, VkImageUsageFlags usage);

/** The image that another process made: `like` has its size, layout and dma-buf (still the caller's). */
bool shared_image_import(struct shared_image *image, const struct demo_gpu *gpu,
	const struct shared_image *like, VkImageUsageFlags usage);

void shared_image_finish(struct shared_image *image, const struct demo_gpu *gpu);

/**
 * For command buffers: takes the image from whoever else sees it, and makes it ready for `access` in `stage`. Its
 * contents are kept if it comes in the layout GENERAL, lost if in UNDEFINED.
 */
void shared_image_acquire(const struct shared_image *image, const struct demo_gpu *gpu,
	VkCommandBuffer commands, VkImageLayout from, VkImageLayout to, VkPipelineStageFlags stage,
	VkAccessFlags access);

/** Gives it to them, in the layout GENERAL. */
void shared_image_release(const struct shared_image *image, const struct demo_gpu *gpu,
	VkCommandBuffer commands, VkImageLayout from, VkPipelineStageFlags stage,
	VkAccessFlags access);

#endif
