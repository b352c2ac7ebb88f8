/* SPDX-License-Identifier: MIT */

/*
 * VK_LAYER_VENERA_capture: writes down what a program shows, so that two runs of it can be
 * compared: for each image that is presented a line with its size, format and the hash of its
 * pixels.
 *
 * VENERA_CAPTURE=FILE         where the lines go; a file for each process that shows something,
 *                             the first FILE.0
 * VENERA_CAPTURE_FRAMES=N     the process ends, with code 0, when it has presented N images
 * VENERA_CAPTURE_PPM=FOLDER   the images themselves, too, as far as they have 8 bits per colour
 *
 * Programs that animate by the clock show the same only if the clock is the same. Preloaded
 * (LD_PRELOAD), this library is their clock, too: see clock.c.
 */

#include "clock.h"
#include "layer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGES 16

struct swapchain {
	struct swapchain *next;
	VkSwapchainKHR handle;
	unsigned number;
	VkExtent2D extent;
	VkFormat format;
	uint32_t image_count;
	VkImage images[IMAGES];
};

struct queue {
	struct queue *next;
	VkQueue handle;
	VkDevice device;
	uint32_t family;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct swapchain *swapchains;
static struct queue *queues;
static unsigned swapchain_count;
static unsigned frame_count;
static FILE *output;

/* --- what is written --- */

static void fail(const char *what, long detail) {
	fprintf(stderr, "capture layer: %s: %ld\n", what, detail);
	abort(); /* a test that compares nothing must not pass */
}

static void open_output(void) {
	const char *base = getenv("VENERA_CAPTURE");
	if (output || !base) {
		return;
	}
	for (unsigned i = 0; !output; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s.%u", base, i);
		const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0) {
			output = fdopen(fd, "w");
		} else if (errno != EEXIST) {
			fail("cannot create the file VENERA_CAPTURE names", errno);
		}
	}
}

static size_t pixel_size(VkFormat format) {
	switch (format) {
	case VK_FORMAT_R5G6B5_UNORM_PACK16:
	case VK_FORMAT_B5G6R5_UNORM_PACK16:
	case VK_FORMAT_A1R5G5B5_UNORM_PACK16:
	case VK_FORMAT_R4G4B4A4_UNORM_PACK16:
		return 2;
	case VK_FORMAT_R8G8B8A8_UNORM:
	case VK_FORMAT_R8G8B8A8_SRGB:
	case VK_FORMAT_B8G8R8A8_UNORM:
	case VK_FORMAT_B8G8R8A8_SRGB:
	case VK_FORMAT_A8B8G8R8_UNORM_PACK32:
	case VK_FORMAT_A8B8G8R8_SRGB_PACK32:
	case VK_FORMAT_A2R10G10B10_UNORM_PACK32:
	case VK_FORMAT_A2B10G10R10_UNORM_PACK32:
		return 4;
	case VK_FORMAT_R16G16B16A16_UNORM:
	case VK_FORMAT_R16G16B16A16_SFLOAT:
		return 8;
	default:
		fail("a swapchain's format is not known", format);
		return 0;
	}
}

/* FNV-1a, 64 bits */
static uint64_t hash(const unsigned char *bytes, size_t size) {
	uint64_t value = 0xcbf29ce484222325;
	for (size_t i = 0; i < size; i++) {
		value = (value ^ bytes[i]) * 0x100000001b3;
	}
	return value;
}

static void write_picture(const struct swapchain *swapchain, const unsigned char *pixels) {
	const char *folder = getenv("VENERA_CAPTURE_PPM");
	if (!folder || pixel_size(swapchain->format) != 4) {
		return;
	}
	const bool bgr = swapchain->format == VK_FORMAT_B8G8R8A8_UNORM ||
		swapchain->format == VK_FORMAT_B8G8R8A8_SRGB;
	char path[4096];
	snprintf(path, sizeof(path), "%s/%ld-%u-%04u.ppm", folder, (long)getpid(),
		swapchain->number, frame_count);
	FILE *file = fopen(path, "wb");
	if (!file) {
		fail("cannot create a picture in VENERA_CAPTURE_PPM", errno);
	}
	const size_t count = (size_t)swapchain->extent.width * swapchain->extent.height;
	fprintf(file, "P6 %u %u 255\n", swapchain->extent.width, swapchain->extent.height);
	for (size_t i = 0; i < count; i++) {
		const unsigned char *pixel = pixels + 4 * i;
		putc(pixel[bgr ? 2 : 0], file);
		putc(pixel[1], file);
		putc(pixel[bgr ? 0 : 2], file);
	}
	fclose(file);
}

static void write_frame(const struct swapchain *swapchain, const unsigned char *pixels) {
	const size_t size = (size_t)swapchain->extent.width * swapchain->extent.height *
		pixel_size(swapchain->format);
	open_output();
	if (output) {
		/* Not which swapchain: how many there have been by then is a matter of time. */
		fprintf(output, "%ux%u format %d %016llx\n", swapchain->extent.width,
			swapchain->extent.height, (int)swapchain->format,
			(unsigned long long)hash(pixels, size));
		fflush(output);
	}
	write_picture(swapchain, pixels);
}

/* --- reading an image back --- */

static void expect(VkResult result, const char *what) {
	if (result != VK_SUCCESS) {
		fail(what, result);
	}
}

struct readback {
	VkDevice device;
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkCommandPool pool;
	VkCommandBuffer commands;
	VkFence fence;
	void *pixels;
};

static void readback_init(struct readback *r, VkDevice device, uint32_t family, VkDeviceSize size) {
	*r = (struct readback){.device = device};
	expect(DEVICE_NEXT(device, CreateBuffer)(device, &(VkBufferCreateInfo){
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	}, NULL, &r->buffer), "vkCreateBuffer");
	VkMemoryRequirements needs;
	DEVICE_NEXT(device, GetBufferMemoryRequirements)(device, r->buffer, &needs);
	/* Which types are host-visible is the physical device's to say, which we have not kept: try. */
	VkResult result = VK_ERROR_MEMORY_MAP_FAILED;
	for (uint32_t type = 0; type < VK_MAX_MEMORY_TYPES && result != VK_SUCCESS; type++) {
		if (!(needs.memoryTypeBits & (1u << type))) {
			continue;
		}
		result = DEVICE_NEXT(device, AllocateMemory)(device, &(VkMemoryAllocateInfo){
			.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
			.allocationSize = needs.size,
			.memoryTypeIndex = type,
		}, NULL, &r->memory);
		if (result == VK_SUCCESS) {
			result = DEVICE_NEXT(device, MapMemory)(
				device, r->memory, 0, VK_WHOLE_SIZE, 0, &r->pixels);
			if (result != VK_SUCCESS) {
				DEVICE_NEXT(device, FreeMemory)(device, r->memory, NULL);
			}
		}
	}
	expect(result, "memory to read a picture from");
	expect(DEVICE_NEXT(device, BindBufferMemory)(device, r->buffer, r->memory, 0),
		"vkBindBufferMemory");
	expect(DEVICE_NEXT(device, CreateCommandPool)(device, &(VkCommandPoolCreateInfo){
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.queueFamilyIndex = family,
	}, NULL, &r->pool), "vkCreateCommandPool");
	expect(DEVICE_NEXT(device, AllocateCommandBuffers)(device, &(VkCommandBufferAllocateInfo){
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = r->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	}, &r->commands), "vkAllocateCommandBuffers");
	/* what the loader would do, had the program asked: layers below find their place by it */
	memcpy(r->commands, device, sizeof(void *));
	expect(DEVICE_NEXT(device, CreateFence)(device, &(VkFenceCreateInfo){
		.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
	}, NULL, &r->fence), "vkCreateFence");
}

static void readback_finish(struct readback *r) {
	DEVICE_NEXT(r->device, DestroyFence)(r->device, r->fence, NULL);
	DEVICE_NEXT(r->device, DestroyCommandPool)(r->device, r->pool, NULL);
	DEVICE_NEXT(r->device, DestroyBuffer)(r->device, r->buffer, NULL);
	DEVICE_NEXT(r->device, FreeMemory)(r->device, r->memory, NULL);
}

static void record_barrier(struct readback *r, VkImage image, VkImageLayout from,
		VkAccessFlags written, VkImageLayout to, VkAccessFlags read) {
	DEVICE_NEXT(r->device, CmdPipelineBarrier)(r->commands,
		VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
		0, 0, NULL, 0, NULL, 1, &(VkImageMemoryBarrier){
			.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
			.srcAccessMask = written,
			.dstAccessMask = read,
			.oldLayout = from,
			.newLayout = to,
			.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
			.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
			.image = image,
			.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
		});
}

static void record_copy(struct readback *r, VkImage image, VkExtent2D extent) {
	expect(DEVICE_NEXT(r->device, BeginCommandBuffer)(r->commands, &(VkCommandBufferBeginInfo){
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	}), "vkBeginCommandBuffer");
	record_barrier(r, image, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR, VK_ACCESS_MEMORY_WRITE_BIT,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_ACCESS_TRANSFER_READ_BIT);
	DEVICE_NEXT(r->device, CmdCopyImageToBuffer)(r->commands, image,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, r->buffer, 1, &(VkBufferImageCopy){
			.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
			.imageExtent = {extent.width, extent.height, 1},
		});
	DEVICE_NEXT(r->device, CmdPipelineBarrier)(r->commands,
		VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0,
		1, &(VkMemoryBarrier){
			.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
			.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
			.dstAccessMask = VK_ACCESS_HOST_READ_BIT,
		}, 0, NULL, 0, NULL);
	record_barrier(r, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, 0,
		VK_IMAGE_LAYOUT_PRESENT_SRC_KHR, VK_ACCESS_MEMORY_READ_BIT);
	expect(DEVICE_NEXT(r->device, EndCommandBuffer)(r->commands), "vkEndCommandBuffer");
}

/** Waits for the semaphores, which are then unsignalled, and for the copy. */
static void capture(const struct queue *queue, const struct swapchain *swapchain, VkImage image,
		uint32_t wait_count, const VkSemaphore *waits) {
	const VkDevice device = queue->device;
	struct readback r;
	readback_init(&r, device, queue->family, (VkDeviceSize)swapchain->extent.width *
		swapchain->extent.height * pixel_size(swapchain->format));
	record_copy(&r, image, swapchain->extent);

	VkPipelineStageFlags *stages = malloc((wait_count + 1) * sizeof(*stages));
	if (!stages) {
		fail("no memory", wait_count);
	}
	for (uint32_t i = 0; i < wait_count; i++) {
		stages[i] = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	}
	expect(DEVICE_NEXT(device, QueueSubmit)(queue->handle, 1, &(VkSubmitInfo){
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.waitSemaphoreCount = wait_count,
		.pWaitSemaphores = waits,
		.pWaitDstStageMask = stages,
		.commandBufferCount = 1,
		.pCommandBuffers = &r.commands,
	}, r.fence), "vkQueueSubmit");
	free(stages);
	expect(DEVICE_NEXT(device, WaitForFences)(device, 1, &r.fence, VK_TRUE, UINT64_MAX),
		"vkWaitForFences");
	/* Allowed for coherent memory, too. */
	expect(DEVICE_NEXT(device, InvalidateMappedMemoryRanges)(device, 1, &(VkMappedMemoryRange){
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
		.memory = r.memory,
		.size = VK_WHOLE_SIZE,
	}), "vkInvalidateMappedMemoryRanges");
	write_frame(swapchain, r.pixels);
	readback_finish(&r);
}

/* --- the functions that are replaced --- */

static void remember_queue(VkDevice device, uint32_t family, VkQueue handle) {
	pthread_mutex_lock(&lock);
	struct queue *queue = queues;
	while (queue && queue->handle != handle) {
		queue = queue->next;
	}
	if (!queue) {
		queue = calloc(1, sizeof(*queue));
		if (!queue) {
			fail("no memory", 0);
		}
		queue->next = queues;
		queues = queue;
	}
	queue->handle = handle;
	queue->device = device;
	queue->family = family;
	pthread_mutex_unlock(&lock);
}

static VKAPI_ATTR void VKAPI_CALL capture_GetDeviceQueue(
		VkDevice device, uint32_t family, uint32_t index, VkQueue *queue) {
	DEVICE_NEXT(device, GetDeviceQueue)(device, family, index, queue);
	remember_queue(device, family, *queue);
}

static VKAPI_ATTR void VKAPI_CALL capture_GetDeviceQueue2(
		VkDevice device, const VkDeviceQueueInfo2 *info, VkQueue *queue) {
	DEVICE_NEXT(device, GetDeviceQueue2)(device, info, queue);
	if (*queue) {
		remember_queue(device, info->queueFamilyIndex, *queue);
	}
}

/**
 * ffmpeg wants to export its timeline semaphores and does not ask whether it can. Lavapipe cannot:
 * there would be nothing to compare with. What nobody exports in the end need not be exportable.
 */
static VKAPI_ATTR VkResult VKAPI_CALL capture_CreateSemaphore(VkDevice device,
		const VkSemaphoreCreateInfo *info, const VkAllocationCallbacks *allocator,
		VkSemaphore *semaphore) {
	VkSemaphoreCreateInfo changed = *info;
	const VkSemaphoreTypeCreateInfo *type =
		layer_find(info->pNext, VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
	VkSemaphoreTypeCreateInfo timeline;
	if (type && type->semaphoreType == VK_SEMAPHORE_TYPE_TIMELINE) {
		timeline = *type;
		timeline.pNext = NULL;
		changed.pNext = &timeline;
	}
	return DEVICE_NEXT(device, CreateSemaphore)(device, &changed, allocator, semaphore);
}

static VKAPI_ATTR VkResult VKAPI_CALL capture_CreateSwapchainKHR(VkDevice device,
		const VkSwapchainCreateInfoKHR *info, const VkAllocationCallbacks *allocator,
		VkSwapchainKHR *handle) {
	VkSwapchainCreateInfoKHR changed = *info;
	changed.imageUsage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
	VkResult result = DEVICE_NEXT(device, CreateSwapchainKHR)(device, &changed, allocator, handle);
	if (result != VK_SUCCESS) {
		return result;
	}
	struct swapchain *swapchain = calloc(1, sizeof(*swapchain));
	if (!swapchain) {
		fail("no memory", 0);
	}
	swapchain->handle = *handle;
	swapchain->extent = info->imageExtent;
	swapchain->format = info->imageFormat;
	swapchain->image_count = IMAGES;
	expect(DEVICE_NEXT(device, GetSwapchainImagesKHR)(
		device, *handle, &swapchain->image_count, swapchain->images), "vkGetSwapchainImagesKHR");
	pthread_mutex_lock(&lock);
	swapchain->number = swapchain_count++;
	swapchain->next = swapchains;
	swapchains = swapchain;
	pthread_mutex_unlock(&lock);
	return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL capture_DestroySwapchainKHR(
		VkDevice device, VkSwapchainKHR handle, const VkAllocationCallbacks *allocator) {
	pthread_mutex_lock(&lock);
	for (struct swapchain **at = &swapchains; *at; at = &(*at)->next) {
		if ((*at)->handle == handle) {
			struct swapchain *gone = *at;
			*at = gone->next;
			free(gone);
			break;
		}
	}
	pthread_mutex_unlock(&lock);
	DEVICE_NEXT(device, DestroySwapchainKHR)(device, handle, allocator);
}

static VKAPI_ATTR VkResult VKAPI_CALL capture_QueuePresentKHR(
		VkQueue handle, const VkPresentInfoKHR *info) {
	pthread_mutex_lock(&lock);
	const struct queue *queue = queues;
	while (queue && queue->handle != handle) {
		queue = queue->next;
	}
	if (!queue) {
		fail("a queue that was never looked up", 0);
	}
	VkPresentInfoKHR changed = *info;
	for (uint32_t i = 0; i < info->swapchainCount; i++) {
		const struct swapchain *swapchain = swapchains;
		while (swapchain && swapchain->handle != info->pSwapchains[i]) {
			swapchain = swapchain->next;
		}
		if (!swapchain || info->pImageIndices[i] >= swapchain->image_count) {
			fail("no such image in a swapchain", info->pImageIndices[i]);
		}
		capture(queue, swapchain, swapchain->images[info->pImageIndices[i]],
			changed.waitSemaphoreCount, changed.pWaitSemaphores);
		changed.waitSemaphoreCount = 0; /* the copy has waited for them */
	}
	const char *frames = getenv("VENERA_CAPTURE_FRAMES");
	if (++frame_count == (frames ? strtoul(frames, NULL, 10) : 0)) {
		_exit(0);
	}
	clock_next_frame();
	pthread_mutex_unlock(&lock);
	return DEVICE_NEXT(handle, QueuePresentKHR)(handle, &changed);
}

#define ENTRY(name) {"vk" #name, (PFN_vkVoidFunction)capture_##name},
static const struct layer_function device_functions[] = {
	ENTRY(GetDeviceQueue)
	ENTRY(GetDeviceQueue2)
	ENTRY(CreateSemaphore)
	ENTRY(CreateSwapchainKHR)
	ENTRY(DestroySwapchainKHR)
	ENTRY(QueuePresentKHR)
	{NULL, NULL},
};
static const struct layer_function instance_functions[] = {{NULL, NULL}};

const struct layer layer = {
	.instance_functions = instance_functions,
	.device_functions = device_functions,
};
