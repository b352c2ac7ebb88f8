/* SPDX-License-Identifier: MIT */
/*
 * Threads that make, use and destroy Vulkan objects of every kind, in random order, and check what was computed: each
 * with a device of its own, or all with one. Any thread is in any state while others are in any other, which
 * is what a renderer's locks are for. Prints how much was done.
 */
#include "common.h"
#include "options.h"
#include "raster.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pattern_comp_spv.h"
#include "triangle_frag_spv.h"
#include "triangle_vert_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TIMEOUT_NS UINT64_C(120000000000)
#define PICTURE_SIZE 64
#define PICTURE_FORMAT VK_FORMAT_R8G8B8A8_UNORM

static const char usage[] =
	"usage: churn [OPTION...]\n"
	"\n"
	"Makes, uses and destroys Vulkan objects in many threads and checks what they compute.\n"
	"\n"
	"  --driver=NAME  Vulkan driver that must be used, as venus\n"
	"  --threads=N    number of threads (default: 8)\n"
	"  --seconds=N    for how long (default: 5)\n"
	"  --shared       one device for all threads, in place of one for each\n"
	"  --seed=N       of the random choices (default: 1)\n"
	"  --help         print this\n";

struct options {
	struct demo_gpu_options gpu;
	uint64_t threads, seconds, seed;
	bool shared;
};

struct worker {
	struct demo_gpu gpu;         /* with a command pool of its own */
	pthread_mutex_t *queue_lock; /* Vulkan wants queues locked by who uses them */
	uint64_t random;
	uint32_t *picture; /* what the first draw gave */
	double end;        /* as demo_now() */
	uint64_t rounds;
	bool ok;
	pthread_t thread;
};

/** xorshift64*: the same choices for the same seed. */
static uint32_t draw_lot(struct worker *worker, uint32_t choices) {
	worker->random ^= worker->random >> 12;
	worker->random ^= worker->random << 25;
	worker->random ^= worker->random >> 27;
	return (uint32_t)((worker->random * UINT64_C(2685821657736338717)) >> 32) % choices;
}

static bool submit(struct worker *worker, const VkSubmitInfo *info, VkFence fence) {
	pthread_mutex_lock(worker->queue_lock);
	VkResult result = vkQueueSubmit(worker->gpu.queue, 1, info, fence);
	pthread_mutex_unlock(worker->queue_lock);
	return demo_check(result, "vkQueueSubmit");
}

/** Ends recording, submits, and waits in one of the ways that there are. */
static bool run(struct worker *worker, VkCommandBuffer commands) {
	const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	VkDevice device = worker->gpu.device;
	VkFence fence;
	DEMO_TRY(vkEndCommandBuffer(commands));
	DEMO_TRY(vkCreateFence(device, &fence_info, NULL, &fence));
	bool ok = submit(worker, &info, fence);
	VkResult result = VK_NOT_READY;
	switch (draw_lot(worker, 8)) {
	case 0:
		pthread_mutex_lock(worker->queue_lock);
		result = vkQueueWaitIdle(worker->gpu.queue);
		pthread_mutex_unlock(worker->queue_lock);
		break;
	case 1:
		while (ok && (result = vkGetFenceStatus(device, fence)) == VK_NOT_READY) {
		}
		break;
	default:
		result = vkWaitForFences(device, 1, &fence, VK_TRUE, TIMEOUT_NS);
		break;
	}
	ok = ok && (result == VK_SUCCESS || demo_fail("waiting: %s", demo_result_name(result)));
	vkDestroyFence(device, fence, NULL);
	vkFreeCommandBuffers(device, worker->gpu.pool, 1, &commands);
	return ok;
}

static const VkMemoryPropertyFlags mapped_flags =
	VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

static bool check_words(const struct demo_buffer *buffer, uint32_t count, uint32_t expected) {
	const uint32_t *words = buffer->data;
	for (uint32_t i = 0; i < count; i++) {
		if (words[i] != expected) {
			return demo_fail("word %u is %08x and should be %08x", i, words[i], expected);
		}
	}
	return true;
}

static void barrier_to_host(VkCommandBuffer commands, VkPipelineStageFlags stage) {
	demo_barrier(commands, stage, VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_SHADER_WRITE_BIT,
		VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
}

/** Transfers between buffers of random sizes. */
static bool do_transfer(struct worker *worker) {
	const uint32_t words = 16 + draw_lot(worker, 1 << draw_lot(worker, 18));
	const uint32_t value = draw_lot(worker, UINT32_MAX);
	const VkDeviceSize size = words * sizeof(uint32_t);
	const VkBufferUsageFlags usage =
		VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
	struct demo_buffer from = {0}, to = {0};
	VkCommandBuffer commands;
	bool ok = demo_buffer_init(&from, &worker->gpu, size, usage, 0) &&
		demo_buffer_init(&to, &worker->gpu, size, usage, mapped_flags) &&
		demo_commands_begin(&commands, &worker->gpu);
	if (ok) {
		const VkBufferCopy copy = {.size = size};
		vkCmdFillBuffer(commands, from.buffer, 0, VK_WHOLE_SIZE, value);
		demo_barrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
			VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT);
		vkCmdCopyBuffer(commands, from.buffer, to.buffer, 1, &copy);
		barrier_to_host(commands, VK_PIPELINE_STAGE_TRANSFER_BIT);
		ok = run(worker, commands) && check_words(&to, words, value);
	}
	demo_buffer_finish(&from, &worker->gpu);
	demo_buffer_finish(&to, &worker->gpu);
	return ok;
}

struct pattern {
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkShaderModule shader;
	VkPipelineCache cache;
	VkPipeline pipeline;
	VkDescriptorPool pool;
	VkDescriptorSet set;
	struct demo_buffer buffer;
};

#define PATTERN_WORDS 4096u

static bool pattern_init(struct pattern *pattern, const struct demo_gpu *gpu) {
	const VkDescriptorSetLayoutBinding binding = {
		0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	DEMO_TRY(vkCreateDescriptorSetLayout(gpu->device, &set_layout, NULL, &pattern->set_layout));
	const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 12};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &pattern->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	DEMO_TRY(vkCreatePipelineLayout(gpu->device, &layout, NULL, &pattern->layout));
	const VkPipelineCacheCreateInfo cache = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
	DEMO_TRY(vkCreatePipelineCache(gpu->device, &cache, NULL, &pattern->cache));
	if (!demo_shader_init(&pattern->shader, gpu, pattern_comp_spv, sizeof(pattern_comp_spv))) {
		return false;
	}
	const VkComputePipelineCreateInfo pipeline = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = pattern->shader,
			.pName = "main",
		},
		.layout = pattern->layout,
	};
	DEMO_TRY(vkCreateComputePipelines(
		gpu->device, pattern->cache, 1, &pipeline, NULL, &pattern->pipeline));
	const VkDescriptorPoolSize pool_size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &pool_size,
	};
	DEMO_TRY(vkCreateDescriptorPool(gpu->device, &pool, NULL, &pattern->pool));
	const VkDescriptorSetAllocateInfo set = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = pattern->pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &pattern->set_layout,
	};
	DEMO_TRY(vkAllocateDescriptorSets(gpu->device, &set, &pattern->set));
	if (!demo_buffer_init(&pattern->buffer, gpu, PATTERN_WORDS * sizeof(uint32_t),
			VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, mapped_flags)) {
		return false;
	}
	const VkDescriptorBufferInfo buffer = {pattern->buffer.buffer, 0, VK_WHOLE_SIZE};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = pattern->set,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.pBufferInfo = &buffer,
	};
	vkUpdateDescriptorSets(gpu->device, 1, &write, 0, NULL);
	return true;
}

static void pattern_finish(struct pattern *pattern, const struct demo_gpu *gpu) {
	demo_buffer_finish(&pattern->buffer, gpu);
	vkDestroyDescriptorPool(gpu->device, pattern->pool, NULL);
	vkDestroyPipeline(gpu->device, pattern->pipeline, NULL);
	vkDestroyPipelineCache(gpu->device, pattern->cache, NULL);
	vkDestroyShaderModule(gpu->device, pattern->shader, NULL);
	vkDestroyPipelineLayout(gpu->device, pattern->layout, NULL);
	vkDestroyDescriptorSetLayout(gpu->device, pattern->set_layout, NULL);
}

/** A compute pipeline and its descriptors, from nothing to a result and to nothing again. */
static bool do_compute(struct worker *worker) {
	struct pattern pattern = {0};
	const uint32_t parameters[3] = {0, PATTERN_WORDS, draw_lot(worker, UINT32_MAX)};
	VkCommandBuffer commands;
	bool ok = pattern_init(&pattern, &worker->gpu) && demo_commands_begin(&commands, &worker->gpu);
	if (ok) {
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pattern.pipeline);
		vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pattern.layout, 0, 1,
			&pattern.set, 0, NULL);
		vkCmdPushConstants(commands, pattern.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
			sizeof(parameters), parameters);
		vkCmdDispatch(commands, PATTERN_WORDS / 1024, 1, 1);
		barrier_to_host(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT);
		ok = run(worker, commands);
	}
	const uint32_t *words = pattern.buffer.data;
	for (uint32_t i = 0; i < PATTERN_WORDS && ok; i++) {
		if (words[i] != ((i * 2654435761u) ^ parameters[2])) {
			ok = demo_fail("word %u of the pattern is wrong", i);
		}
	}
	pattern_finish(&pattern, &worker->gpu);
	return ok;
}

struct picture {
	VkImage image;
	VkDeviceMemory memory;
	VkImageView view;
	VkRenderPass pass;
	VkFramebuffer framebuffer;
	VkPipelineLayout layout;
	VkShaderModule vertex, fragment;
	VkPipeline pipeline;
	struct demo_buffer buffer;
};

static bool picture_init_image(struct picture *picture, const struct demo_gpu *gpu) {
	const VkImageCreateInfo image = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = PICTURE_FORMAT,
		.extent = {PICTURE_SIZE, PICTURE_SIZE, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
	};
	DEMO_TRY(vkCreateImage(gpu->device, &image, NULL, &picture->image));
	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(gpu->device, picture->image, &requirements);
	int type = demo_find_memory(gpu, requirements.memoryTypeBits, 0, 0);
	if (type < 0) {
		return demo_fail("no memory type for an image");
	}
	const VkMemoryAllocateInfo memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = requirements.size,
		.memoryTypeIndex = (uint32_t)type,
	};
	DEMO_TRY(vkAllocateMemory(gpu->device, &memory, NULL, &picture->memory));
	DEMO_TRY(vkBindImageMemory(gpu->device, picture->image, picture->memory, 0));
	return true;
}

static bool picture_init(struct picture *picture, const struct demo_gpu *gpu) {
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
	if (!picture_init_image(picture, gpu) ||
			!demo_pass_init(&picture->pass, gpu, PICTURE_FORMAT) ||
			!demo_target_init(&picture->view, &picture->framebuffer, gpu, picture->pass,
				picture->image, PICTURE_FORMAT, PICTURE_SIZE, PICTURE_SIZE) ||
			!demo_check(vkCreatePipelineLayout(gpu->device, &layout, NULL, &picture->layout),
				"vkCreatePipelineLayout") ||
			!demo_shader_init(
				&picture->vertex, gpu, triangle_vert_spv, sizeof(triangle_vert_spv)) ||
			!demo_shader_init(
				&picture->fragment, gpu, triangle_frag_spv, sizeof(triangle_frag_spv))) {
		return false;
	}
	const struct demo_pipeline_options options = {
		.vertex = picture->vertex,
		.fragment = picture->fragment,
		.layout = picture->layout,
		.pass = picture->pass,
		.width = PICTURE_SIZE,
		.height = PICTURE_SIZE,
	};
	return demo_pipeline_init(&picture->pipeline, gpu, &options) &&
		demo_buffer_init(&picture->buffer, gpu, PICTURE_SIZE * PICTURE_SIZE * sizeof(uint32_t),
			VK_BUFFER_USAGE_TRANSFER_DST_BIT, mapped_flags);
}

static void picture_finish(struct picture *picture, const struct demo_gpu *gpu) {
	demo_buffer_finish(&picture->buffer, gpu);
	vkDestroyPipeline(gpu->device, picture->pipeline, NULL);
	vkDestroyShaderModule(gpu->device, picture->vertex, NULL);
	vkDestroyShaderModule(gpu->device, picture->fragment, NULL);
	vkDestroyPipelineLayout(gpu->device, picture->layout, NULL);
	vkDestroyFramebuffer(gpu->device, picture->framebuffer, NULL);
	vkDestroyRenderPass(gpu->device, picture->pass, NULL);
	vkDestroyImageView(gpu->device, picture->view, NULL);
	vkDestroyImage(gpu->device, picture->image, NULL);
	vkFreeMemory(gpu->device, picture->memory, NULL);
}

/** A picture, with all that it takes; each time the same one. */
static bool do_draw(struct worker *worker) {
	const struct demo_gpu *gpu = &worker->gpu;
	const VkDeviceSize size = PICTURE_SIZE * PICTURE_SIZE * sizeof(uint32_t);
	struct picture picture = {0};
	VkCommandBuffer commands;
	bool ok = picture_init(&picture, gpu) && demo_commands_begin(&commands, gpu);
	if (ok) {
		const VkClearValue clear = {.color = {.float32 = {0.2f, 0.4f, 0.6f, 1}}};
		const VkRenderPassBeginInfo begin = {
			.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
			.renderPass = picture.pass,
			.framebuffer = picture.framebuffer,
			.renderArea = {{0, 0}, {PICTURE_SIZE, PICTURE_SIZE}},
			.clearValueCount = 1,
			.pClearValues = &clear,
		};
		vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
		vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, picture.pipeline);
		vkCmdDraw(commands, 3, 1, 0, 0);
		vkCmdEndRenderPass(commands);
		demo_barrier(commands, VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
			VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
			VK_ACCESS_TRANSFER_READ_BIT);
		const VkBufferImageCopy copy = {
			.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
			.imageExtent = {PICTURE_SIZE, PICTURE_SIZE, 1},
		};
		vkCmdCopyImageToBuffer(commands, picture.image, VK_IMAGE_LAYOUT_GENERAL,
			picture.buffer.buffer, 1, &copy);
		barrier_to_host(commands, VK_PIPELINE_STAGE_TRANSFER_BIT);
		ok = run(worker, commands);
	}
	if (ok && !worker->picture) {
		worker->picture = malloc(size);
		ok = worker->picture || demo_fail("out of memory");
		if (ok) {
			memcpy(worker->picture, picture.buffer.data, size);
		}
		const uint32_t *pixels = picture.buffer.data;
		ok = ok &&
			(pixels[0] != pixels[PICTURE_SIZE * PICTURE_SIZE / 2 + PICTURE_SIZE / 2] ||
				demo_fail("the picture is empty"));
	}
	if (ok && memcmp(worker->picture, picture.buffer.data, size)) {
		ok = demo_fail("the picture is another than at first");
	}
	picture_finish(&picture, gpu);
	return ok;
}

/** Memory that comes and goes, mapped, of many sizes at once. */
static bool do_memory(struct worker *worker) {
	VkDevice device = worker->gpu.device;
	int type = demo_find_memory(&worker->gpu, UINT32_MAX, mapped_flags, 0);
	VkDeviceMemory memories[12] = {0};
	uint64_t *words[COUNT(memories)];
	uint64_t sizes[COUNT(memories)];
	if (type < 0) {
		return demo_fail("no memory type to map");
	}
	bool ok = true;
	size_t count = 0;
	for (; count < COUNT(memories) && ok; count++) {
		sizes[count] = 8 + 8 * draw_lot(worker, 1 << draw_lot(worker, 19));
		const VkMemoryAllocateInfo info = {
			.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
			.allocationSize = sizes[count],
			.memoryTypeIndex = (uint32_t)type,
		};
		void *data = NULL;
		ok = demo_check(
			     vkAllocateMemory(device, &info, NULL, &memories[count]), "vkAllocateMemory") &&
			demo_check(vkMapMemory(device, memories[count], 0, VK_WHOLE_SIZE, 0, &data),
				"vkMapMemory");
		words[count] = data;
		if (ok) {
			words[count][0] = worker->random + count;
			words[count][sizes[count] / 8 - 1] = worker->random + count;
		}
		if (count && draw_lot(worker, 3) == 0) {
			vkFreeMemory(device, memories[count - 1], NULL);
			memories[count - 1] = VK_NULL_HANDLE;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (ok && memories[i] && words[i][0] != words[i][sizes[i] / 8 - 1]) {
			ok = demo_fail("memory does not keep what was written");
		}
		vkFreeMemory(device, memories[i], NULL);
	}
	return ok;
}

/** A submission that waits for the host, by a timeline. */
static bool do_timeline(struct worker *worker) {
	VkDevice device = worker->gpu.device;
	const VkSemaphoreTypeCreateInfo type = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
		.initialValue = 5,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
	VkSemaphore semaphore;
	if (!worker->gpu.timeline_semaphore) {
		return true;
	}
	DEMO_TRY(vkCreateSemaphore(device, &info, NULL, &semaphore));
	const uint64_t signalled = 6 + draw_lot(worker, 100);
	const VkTimelineSemaphoreSubmitInfo values = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &signalled,
	};
	const VkSubmitInfo submission = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &values,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &semaphore,
	};
	const VkSemaphoreWaitInfo wait = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &semaphore,
		.pValues = &signalled,
	};
	const VkSemaphoreSignalInfo by_host = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = semaphore,
		.value = signalled + 1,
	};
	uint64_t value = 0;
	bool ok = submit(worker, &submission, VK_NULL_HANDLE);
	VkResult result = ok ? vkWaitSemaphores(device, &wait, TIMEOUT_NS) : VK_ERROR_UNKNOWN;
	ok = ok && (result == VK_SUCCESS || demo_fail("vkWaitSemaphores: %s", demo_result_name(result)));
	ok = ok && demo_check(vkSignalSemaphore(device, &by_host), "vkSignalSemaphore") &&
		demo_check(vkGetSemaphoreCounterValue(device, semaphore, &value),
			"vkGetSemaphoreCounterValue") &&
		(value == signalled + 1 || demo_fail("a semaphore has not the value that it was given"));
	vkDestroySemaphore(device, semaphore, NULL);
	return ok;
}

static bool record_secondary(VkCommandBuffer commands, const struct demo_buffer *buffer,
		VkDeviceSize offset, VkDeviceSize size, uint32_t value) {
	const VkCommandBufferInheritanceInfo inheritance = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
		.pInheritanceInfo = &inheritance,
	};
	DEMO_TRY(vkBeginCommandBuffer(commands, &begin));
	vkCmdFillBuffer(commands, buffer->buffer, offset, size, value);
	DEMO_TRY(vkEndCommandBuffer(commands));
	return true;
}

/** Secondary command buffers, of which each fills a part; then their pool is reset. */
static bool do_secondary(struct worker *worker) {
	enum { PARTS = 8, PART_WORDS = 256 };
	const struct demo_gpu *gpu = &worker->gpu;
	const VkDeviceSize part = PART_WORDS * sizeof(uint32_t);
	const uint32_t value = draw_lot(worker, UINT32_MAX);
	struct demo_buffer buffer = {0};
	VkCommandPool pool = VK_NULL_HANDLE;
	VkCommandBuffer parts[PARTS], commands;
	const VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.queueFamilyIndex = gpu->family_index,
	};
	bool ok = demo_buffer_init(&buffer, gpu, PARTS * part, VK_BUFFER_USAGE_TRANSFER_DST_BIT,
			  mapped_flags) &&
		demo_check(vkCreateCommandPool(gpu->device, &pool_info, NULL, &pool),
			"vkCreateCommandPool");
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = PARTS,
	};
	ok = ok && demo_check(vkAllocateCommandBuffers(gpu->device, &allocate, parts),
			   "vkAllocateCommandBuffers");
	for (uint32_t i = 0; i < PARTS && ok; i++) {
		ok = record_secondary(parts[i], &buffer, i * part, part, value);
	}
	ok = ok && demo_commands_begin(&commands, gpu);
	if (ok) {
		vkCmdExecuteCommands(commands, PARTS, parts);
		barrier_to_host(commands, VK_PIPELINE_STAGE_TRANSFER_BIT);
		ok = run(worker, commands) && check_words(&buffer, PARTS * PART_WORDS, value) &&
			demo_check(vkResetCommandPool(gpu->device, pool, 0), "vkResetCommandPool");
	}
	vkDestroyCommandPool(gpu->device, pool, NULL);
	demo_buffer_finish(&buffer, gpu);
	return ok;
}

/** Queries whose results come by a wait. */
static bool do_queries(struct worker *worker) {
	enum { QUERIES = 16 };
	const struct demo_gpu *gpu = &worker->gpu;
	const VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_TIMESTAMP,
		.queryCount = QUERIES,
	};
	uint64_t results[QUERIES][2];
	VkQueryPool pool;
	VkCommandBuffer commands;
	if (!gpu->family.timestampValidBits) {
		return true;
	}
	DEMO_TRY(vkCreateQueryPool(gpu->device, &info, NULL, &pool));
	bool ok = demo_commands_begin(&commands, gpu);
	if (ok) {
		vkCmdResetQueryPool(commands, pool, 0, QUERIES);
		for (uint32_t i = 0; i < QUERIES; i++) {
			vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, i);
		}
		ok = run(worker, commands) &&
			demo_check(vkGetQueryPoolResults(gpu->device, pool, 0, QUERIES, sizeof(results),
					   results, sizeof(results[0]),
					   VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT |
						   VK_QUERY_RESULT_WITH_AVAILABILITY_BIT),
				"vkGetQueryPoolResults");
	}
	for (uint32_t i = 0; i < QUERIES && ok; i++) {
		ok = (results[i][1] && (i == 0 || results[i][0] >= results[i - 1][0])) ||
			demo_fail("timestamp %u is not there, or before the one before", i);
	}
	vkDestroyQueryPool(gpu->device, pool, NULL);
	return ok;
}

/** Objects that nobody uses. */
static bool do_nothing(struct worker *worker) {
	VkDevice device = worker->gpu.device;
	const VkSamplerCreateInfo sampler_info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
	const VkEventCreateInfo event_info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
	const VkBufferCreateInfo buffer_info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 1 + draw_lot(worker, 100000),
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
	};
	VkSampler samplers[20];
	VkEvent events[20];
	VkBuffer buffers[20];
	for (uint32_t i = 0; i < 20; i++) {
		DEMO_TRY(vkCreateSampler(device, &sampler_info, NULL, &samplers[i]));
		DEMO_TRY(vkCreateEvent(device, &event_info, NULL, &events[i]));
		DEMO_TRY(vkCreateBuffer(device, &buffer_info, NULL, &buffers[i]));
	}
	for (uint32_t i = 0; i < 20; i++) {
		DEMO_TRY(vkSetEvent(device, events[i]));
		if (vkGetEventStatus(device, events[i]) != VK_EVENT_SET) {
			return demo_fail("an event that was set is not");
		}
		vkDestroySampler(device, samplers[i], NULL);
		vkDestroyEvent(device, events[i], NULL);
		vkDestroyBuffer(device, buffers[i], NULL);
	}
	return true;
}

static bool (*const activities[])(struct worker *worker) = {
	do_transfer,
	do_compute,
	do_draw,
	do_memory,
	do_timeline,
	do_secondary,
	do_queries,
	do_nothing,
};

static void *work(void *data) {
	struct worker *worker = data;
	worker->ok = true;
	while (worker->ok && demo_now() < worker->end) {
		worker->ok = activities[draw_lot(worker, COUNT(activities))](worker);
		worker->rounds++;
	}
	return NULL;
}

/** A device of its own, or that of `first` with a command pool of its own. */
static bool worker_init(struct worker *worker, const struct options *options,
		const struct demo_gpu *first) {
	if (!options->shared) {
		return demo_gpu_init_another(&worker->gpu, first, &options->gpu);
	}
	const VkCommandPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = first->family_index,
	};
	worker->gpu = *first;
	worker->gpu.pool = VK_NULL_HANDLE;
	DEMO_TRY(vkCreateCommandPool(first->device, &info, NULL, &worker->gpu.pool));
	return true;
}

static void worker_finish(struct worker *worker, bool shared) {
	free(worker->picture);
	if (shared) {
		vkDestroyCommandPool(worker->gpu.device, worker->gpu.pool, NULL);
	} else {
		demo_gpu_finish(&worker->gpu);
	}
}

static bool parse_number(const char *text, void *value) {
	uint64_t *number = value;
	return demo_parse_size(text, number) && *number > 0 && *number <= 1000000;
}

static bool churn(const struct options *options, struct worker *workers, pthread_mutex_t *locks) {
	struct demo_gpu gpu;
	bool ok = demo_gpu_init(&gpu, &options->gpu);
	size_t ready = 0, started = 0;
	for (; ready < options->threads && ok; ready++) {
		struct worker *worker = &workers[ready];
		pthread_mutex_init(&locks[ready], NULL);
		worker->queue_lock = &locks[options->shared ? 0 : ready];
		worker->random = options->seed * UINT64_C(0x9e3779b97f4a7c15) + ready + 1;
		ok = worker_init(worker, options, &gpu);
	}
	const double end = demo_now() + (double)options->seconds;
	while (started < options->threads && ok) {
		struct worker *worker = &workers[started];
		worker->end = end;
		ok = !pthread_create(&worker->thread, NULL, work, worker) ||
			demo_fail("a thread cannot be started");
		started += ok;
	}
	uint64_t rounds = 0;
	for (size_t i = 0; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		ok = ok && workers[i].ok;
		rounds += workers[i].rounds;
	}
	for (size_t i = 0; i < ready; i++) {
		worker_finish(&workers[i], options->shared);
		pthread_mutex_destroy(&locks[i]);
	}
	demo_gpu_finish(&gpu);
	printf("%llu rounds in %llu threads\n", (unsigned long long)rounds,
		(unsigned long long)started);
	return ok;
}

int main(int argc, char **argv) {
	struct options options = {
		.gpu = {.queue_flags = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT,
			.timeline_semaphore = true},
		.threads = 8,
		.seconds = 5,
		.seed = 1,
	};
	demo_start("churn");
	const struct demo_option known[] = {
		{"driver", demo_parse_string, &options.gpu.driver_name},
		{"threads", parse_number, &options.threads},
		{"seconds", parse_number, &options.seconds},
		{"shared", NULL, &options.shared},
		{"seed", parse_number, &options.seed},
		{0},
	};
	int code = demo_parse_options(argc, argv, usage, known);
	if (code >= 0) {
		return code;
	}
	struct worker *workers = calloc(options.threads, sizeof(*workers));
	pthread_mutex_t *locks = calloc(options.threads, sizeof(*locks));
	bool ok = workers && locks && churn(&options, workers, locks);
	free(workers);
	free(locks);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
