/* SPDX-License-Identifier: MIT */
/*
 * A cube that turns, without a desktop and without a copy: Vulkan draws each frame into one of three images that are
 * dma-bufs, and KMS shows that very memory.
 *
 *   vkGetMemoryFdKHR -> drmPrimeFDToHandle -> drmModeAddFB2        once for each image
 *   draw, wait for the fence, drmModePageFlip, wait for the event  for each frame
 *
 * While frame N waits for the screen's refresh, frame N + 1 is drawn. No frame is shown before its
 * fence is signalled, and none is drawn into an image that is shown or about to be.
 *
 * The picture, for whoever checks it: the background is (20, 26, 46), and so are all corners; the cube is always in the
 * middle.
 */
#include "common.h"
#include "display.h"
#include "options.h"
#include "raster.h"
#include "shared_image.h"

#include "cube_frag_spv.h"
#include "cube_vert_spv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAMES 3
#define TEXTURE_SIZE 64
#define FRAME_TIMEOUT_NS (UINT64_C(120) * 1000000000) /* software drivers in emulated guests */

static const uint8_t background[3] = {20, 26, 46};

static const char usage[] =
	"usage: cube [OPTION...]\n"
	"\n"
	"Shows a turning cube on the screen, without a desktop. Vulkan draws it into dma-bufs, which\n"
	"KMS shows: nothing is copied.\n"
	"\n"
	"  --size=WxH         size in pixels (default: the screen's)\n"
	"  --seconds=N        show it for so long (default: 10)\n"
	"  --buffers=2|3      images to take turns (default: 3)\n"
	"  --drm-driver=NAME  driver of the screen (default: virtio_gpu)\n"
	"  --driver=NAME      Vulkan driver that must be used, as venus\n"
	"  --help             print this\n";

struct options {
	uint32_t extent[2]; /* 0: as the screen */
	double seconds;
	unsigned int buffers;
	const char *drm_driver, *driver;
};

struct frame {
	struct shared_image image;
	VkImageView view;
	VkFramebuffer framebuffer;
	VkCommandBuffer commands;
	VkFence fence;
	uint32_t fb_id;
};

struct cube {
	struct demo_gpu gpu;
	struct display display;
	uint32_t width, height;
	struct frame frames[MAX_FRAMES];
	unsigned int frame_count;
	VkRenderPass pass;
	VkImage texture;
	VkDeviceMemory texture_memory;
	VkImageView texture_view;
	VkSampler sampler;
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool descriptor_pool;
	VkDescriptorSet set;
	VkShaderModule vertex, fragment;
	VkPipelineLayout layout;
	VkPipeline pipeline;
};

/* --- matrices, by columns --- */

struct matrix {
	float m[16];
};

static struct matrix multiply(const struct matrix *a, const struct matrix *b) {
	struct matrix product = {{0}};
	for (int column = 0; column < 4; column++) {
		for (int row = 0; row < 4; row++) {
			for (int i = 0; i < 4; i++) {
				product.m[4 * column + row] += a->m[4 * i + row] * b->m[4 * column + i];
			}
		}
	}
	return product;
}

/* About the axis 0 (x), 1 or 2. */
static struct matrix rotate(int axis, float angle) {
	struct matrix matrix = {{[0] = 1.0f, [5] = 1.0f, [10] = 1.0f, [15] = 1.0f}};
	const int a = (axis + 1) % 3, b = (axis + 2) % 3;
	matrix.m[5 * a] = matrix.m[5 * b] = cosf(angle);
	matrix.m[4 * a + b] = sinf(angle);
	matrix.m[4 * b + a] = -sinf(angle);
	return matrix;
}

/* From a camera that looks at the origin from (0, 0, distance); up is up, as Vulkan's y is not. */
static struct matrix look(float aspect, float distance) {
	const float near = 1.0f, far = 20.0f, scale = 2.2f;
	const struct matrix projection = {{
		[0] = scale / aspect,
		[5] = -scale,
		[10] = far / (near - far),
		[11] = -1.0f,
		[14] = near * far / (near - far),
	}};
	const struct matrix back = {
		{[0] = 1.0f, [5] = 1.0f, [10] = 1.0f, [14] = -distance, [15] = 1.0f}};
	return multiply(&projection, &back);
}

/* --- what is drawn --- */

static bool create_texture_image(struct cube *cube) {
	const struct demo_gpu *gpu = &cube->gpu;
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {TEXTURE_SIZE, TEXTURE_SIZE, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_OPTIMAL,
		.usage = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
		.sharingMode = VK_SHARING_MODE_EXCLUSIVE,
	};
	DEMO_TRY(vkCreateImage(gpu->device, &info, NULL, &cube->texture));
	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(gpu->device, cube->texture, &requirements);
	int type = demo_find_memory(
		gpu, requirements.memoryTypeBits, 0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
	if (type < 0) {
		return demo_fail("no memory type suits the texture");
	}
	const VkMemoryAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = requirements.size,
		.memoryTypeIndex = (uint32_t)type,
	};
	DEMO_TRY(vkAllocateMemory(gpu->device, &allocate, NULL, &cube->texture_memory));
	DEMO_TRY(vkBindImageMemory(gpu->device, cube->texture, cube->texture_memory, 0));
	const VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = cube->texture,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = info.format,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	DEMO_TRY(vkCreateImageView(gpu->device, &view, NULL, &cube->texture_view));
	return true;
}

/* Rings on a checkerboard, in a frame. */
static void paint_texture(uint8_t *texels) {
	for (int y = 0; y < TEXTURE_SIZE; y++) {
		for (int x = 0; x < TEXTURE_SIZE; x++) {
			const int dx = 2 * x + 1 - TEXTURE_SIZE, dy = 2 * y + 1 - TEXTURE_SIZE;
			const int ring = (dx * dx + dy * dy) / 512;
			const bool frame = x < 3 || y < 3 || x >= TEXTURE_SIZE - 3 || y >= TEXTURE_SIZE - 3;
			const bool check = (x / 8 + y / 8) % 2 == 0;
			uint8_t grey = check ? 255 : 200;
			grey = ring == 3 || ring == 1 ? 90 : grey;
			grey = frame ? 60 : grey;
			uint8_t *texel = texels + 4 * (TEXTURE_SIZE * y + x);
			memset(texel, grey, 3);
			texel[3] = 255;
		}
	}
}

static bool upload_texture(struct cube *cube, const struct demo_buffer *buffer) {
	const struct demo_gpu *gpu = &cube->gpu;
	paint_texture(buffer->data);
	VkCommandBuffer commands;
	if (!demo_flush(gpu, buffer->memory, buffer->type) || !demo_commands_begin(&commands, gpu)) {
		return false;
	}
	VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.oldLayout = VK_IMAGE_LAYOUT_UNDEFINED,
		.newLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
		.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
		.image = cube->texture,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
		VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
	const VkBufferImageCopy copy = {
		.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
		.imageExtent = {TEXTURE_SIZE, TEXTURE_SIZE, 1},
	};
	vkCmdCopyBufferToImage(commands, buffer->buffer, cube->texture,
		VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &copy);
	barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
	barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT;
	barrier.oldLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL;
	barrier.newLayout = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL;
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
		VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
	return demo_commands_run(commands, gpu);
}

static bool create_texture(struct cube *cube) {
	struct demo_buffer buffer = {0};
	bool ok = create_texture_image(cube) &&
		demo_buffer_init(&buffer, &cube->gpu, 4 * TEXTURE_SIZE * TEXTURE_SIZE,
			VK_BUFFER_USAGE_TRANSFER_SRC_BIT, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) &&
		upload_texture(cube, &buffer);
	demo_buffer_finish(&buffer, &cube->gpu);
	if (!ok) {
		return false;
	}
	const VkSamplerCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
		.magFilter = VK_FILTER_LINEAR,
		.minFilter = VK_FILTER_LINEAR,
		.addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
		.addressModeV = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
		.addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
	};
	DEMO_TRY(vkCreateSampler(cube->gpu.device, &info, NULL, &cube->sampler));
	return true;
}

static bool create_descriptors(struct cube *cube) {
	VkDevice device = cube->gpu.device;
	const VkDescriptorSetLayoutBinding binding = {
		.descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
		.descriptorCount = 1,
		.stageFlags = VK_SHADER_STAGE_FRAGMENT_BIT,
	};
	const VkDescriptorSetLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	DEMO_TRY(vkCreateDescriptorSetLayout(device, &layout, NULL, &cube->set_layout));
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	DEMO_TRY(vkCreateDescriptorPool(device, &pool, NULL, &cube->descriptor_pool));
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = cube->descriptor_pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &cube->set_layout,
	};
	DEMO_TRY(vkAllocateDescriptorSets(device, &allocate, &cube->set));
	const VkDescriptorImageInfo image = {cube->sampler, cube->texture_view,
		VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = cube->set,
		.descriptorCount = 1,
		.descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
		.pImageInfo = &image,
	};
	vkUpdateDescriptorSets(device, 1, &write, 0, NULL);
	return true;
}

static bool create_pipeline(struct cube *cube) {
	const struct demo_gpu *gpu = &cube->gpu;
	if (!demo_shader_init(&cube->vertex, gpu, cube_vert_spv, sizeof(cube_vert_spv)) ||
			!demo_shader_init(&cube->fragment, gpu, cube_frag_spv, sizeof(cube_frag_spv))) {
		return false;
	}
	const VkPushConstantRange push = {VK_SHADER_STAGE_VERTEX_BIT, 0, 2 * sizeof(struct matrix)};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &cube->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	DEMO_TRY(vkCreatePipelineLayout(gpu->device, &layout, NULL, &cube->layout));
	return demo_pipeline_init(&cube->pipeline, gpu, &(struct demo_pipeline_options){
		.vertex = cube->vertex,
		.fragment = cube->fragment,
		.layout = cube->layout,
		.pass = cube->pass,
		.width = cube->width,
		.height = cube->height,
		/* a convex body without its far sides needs no depth buffer */
		.cull_mode = VK_CULL_MODE_BACK_BIT,
	});
}

/* --- frames --- */

static bool frame_init(struct cube *cube, struct frame *frame) {
	const struct demo_gpu *gpu = &cube->gpu;
	if (!shared_image_init(&frame->image, gpu, cube->width, cube->height,
			VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT) ||
			!display_add_framebuffer(&cube->display, frame->image.fd, frame->image.offset,
				frame->image.stride, &frame->fb_id) ||
			!demo_target_init(&frame->view, &frame->framebuffer, gpu, cube->pass,
				frame->image.image, SHARED_IMAGE_FORMAT, cube->width, cube->height)) {
		return false;
	}
	const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	DEMO_TRY(vkCreateFence(gpu->device, &fence, NULL, &frame->fence));
	const VkCommandBufferAllocateInfo commands = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = gpu->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	DEMO_TRY(vkAllocateCommandBuffers(gpu->device, &commands, &frame->commands));
	return true;
}

static void frame_finish(struct cube *cube, struct frame *frame) {
	display_remove_framebuffer(&cube->display, frame->fb_id);
	vkDestroyFence(cube->gpu.device, frame->fence, NULL);
	vkDestroyFramebuffer(cube->gpu.device, frame->framebuffer, NULL);
	vkDestroyImageView(cube->gpu.device, frame->view, NULL);
	shared_image_finish(&frame->image, &cube->gpu);
}

/* Draws the cube as it stands after `seconds`, and does not wait for that. */
static bool draw(struct cube *cube, struct frame *frame, double seconds) {
	VkCommandBuffer commands = frame->commands;
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	DEMO_TRY(vkBeginCommandBuffer(commands, &begin));
	shared_image_acquire(&frame->image, &cube->gpu, commands, VK_IMAGE_LAYOUT_UNDEFINED,
		VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
		VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT);
	const VkClearValue clear = {.color.float32 = {(float)background[0] / 255.0f,
		(float)background[1] / 255.0f, (float)background[2] / 255.0f, 1.0f}};
	const VkRenderPassBeginInfo pass = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = cube->pass,
		.framebuffer = frame->framebuffer,
		.renderArea = {.extent = {cube->width, cube->height}},
		.clearValueCount = 1,
		.pClearValues = &clear,
	};
	vkCmdBeginRenderPass(commands, &pass, VK_SUBPASS_CONTENTS_INLINE);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, cube->pipeline);
	vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, cube->layout, 0, 1,
		&cube->set, 0, NULL);
	const struct matrix turn = rotate(1, (float)seconds), tilt = rotate(0, 0.6f);
	const struct matrix camera = look((float)cube->width / (float)cube->height, 5.2f);
	struct matrix push[2];
	push[1] = multiply(&tilt, &turn);
	push[0] = multiply(&camera, &push[1]);
	vkCmdPushConstants(
		commands, cube->layout, VK_SHADER_STAGE_VERTEX_BIT, 0, sizeof(push), push);
	vkCmdDraw(commands, 36, 1, 0, 0);
	vkCmdEndRenderPass(commands);
	shared_image_release(&frame->image, &cube->gpu, commands,
		VK_IMAGE_LAYOUT_GENERAL, VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
		VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT);
	DEMO_TRY(vkEndCommandBuffer(commands));
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	DEMO_TRY(vkQueueSubmit(cube->gpu.queue, 1, &submit, frame->fence));
	return true;
}

static bool wait_until_drawn(struct cube *cube, struct frame *frame) {
	VkResult result =
		vkWaitForFences(cube->gpu.device, 1, &frame->fence, VK_TRUE, FRAME_TIMEOUT_NS);
	if (result == VK_TIMEOUT) {
		return demo_fail("the GPU does not finish a frame");
	}
	return demo_check(result, "vkWaitForFences") &&
		demo_check(vkResetFences(cube->gpu.device, 1, &frame->fence), "vkResetFences");
}

/* The frame after the one that is shown next is drawn only when there is a third image for it. */
static bool turn(struct cube *cube, double seconds) {
	demo_catch_signals();
	printf("turning for %g s\n", seconds);
	const bool ahead = cube->frame_count > 2;
	const double begin = demo_now();
	double now = begin, reported = begin;
	unsigned long count = 0, reported_count = 0;
	struct frame *frames = cube->frames;
	if (!draw(cube, &frames[0], 0.0)) {
		return false;
	}
	while (!demo_interrupted() && now < begin + seconds) {
		struct frame *frame = &frames[count % cube->frame_count];
		struct frame *next = &frames[(count + 1) % cube->frame_count];
		if ((ahead && (!display_wait_for_flip(&cube->display) || !draw(cube, next, now - begin))) ||
				!wait_until_drawn(cube, frame) || !display_wait_for_flip(&cube->display)) {
			return false;
		}
		if (!(count ? display_flip(&cube->display, frame->fb_id)
		            : display_show_framebuffer(&cube->display, frame->fb_id))) {
			return false;
		}
		if (!ahead && (!display_wait_for_flip(&cube->display) || !draw(cube, next, now - begin))) {
			return false;
		}
		count++;
		now = demo_now();
		if (now - reported >= 1.0) {
			printf("%.1f frames per second\n", (double)(count - reported_count) / (now - reported));
			reported = now;
			reported_count = count;
		}
	}
	printf("%lu frames in %.1f s: %.1f frames per second\n", count, now - begin,
		(double)count / (now - begin));
	if (!display_wait_for_flip(&cube->display)) {
		return false;
	}
	return !demo_interrupted() || demo_fail("ended by signal %d", demo_interrupted());
}

/* --- all --- */

static bool run(struct cube *cube, const struct options *options) {
	const struct demo_gpu_options gpu_options = {
		.driver_name = options->driver,
		.queue_flags = VK_QUEUE_GRAPHICS_BIT,
		.extensions = shared_image_extensions,
		.extension_count = shared_image_extension_count,
	};
	if (!demo_gpu_init(&cube->gpu, &gpu_options) ||
			!display_open(&cube->display, options->drm_driver, options->extent[0], options->extent[1])) {
		return false;
	}
	cube->width = cube->display.mode.hdisplay;
	cube->height = cube->display.mode.vdisplay;
	if (!demo_pass_init(&cube->pass, &cube->gpu, SHARED_IMAGE_FORMAT) ||
			!create_texture(cube) || !create_descriptors(cube) || !create_pipeline(cube)) {
		return false;
	}
	while (cube->frame_count < options->buffers) {
		if (!frame_init(cube, &cube->frames[cube->frame_count++])) {
			return false;
		}
	}
	return turn(cube, options->seconds) && display_restore(&cube->display);
}

static void cube_finish(struct cube *cube) {
	VkDevice device = cube->gpu.device;
	if (device) {
		vkDeviceWaitIdle(device);
		for (unsigned int i = 0; i < cube->frame_count; i++) {
			frame_finish(cube, &cube->frames[i]);
		}
		vkDestroyPipeline(device, cube->pipeline, NULL);
		vkDestroyPipelineLayout(device, cube->layout, NULL);
		vkDestroyShaderModule(device, cube->vertex, NULL);
		vkDestroyShaderModule(device, cube->fragment, NULL);
		vkDestroyDescriptorPool(device, cube->descriptor_pool, NULL);
		vkDestroyDescriptorSetLayout(device, cube->set_layout, NULL);
		vkDestroySampler(device, cube->sampler, NULL);
		vkDestroyImageView(device, cube->texture_view, NULL);
		vkDestroyImage(device, cube->texture, NULL);
		vkFreeMemory(device, cube->texture_memory, NULL);
		vkDestroyRenderPass(device, cube->pass, NULL);
	}
	display_close(&cube->display);
	demo_gpu_finish(&cube->gpu);
}

static bool parse_buffers(const char *text, void *value) {
	*(unsigned int *)value = (unsigned int)(text[0] - '0');
	return strcmp(text, "2") == 0 || strcmp(text, "3") == 0;
}

int main(int argc, char *argv[]) {
	demo_start("cube");
	struct options options = {.seconds = 10.0, .buffers = 3, .drm_driver = "virtio_gpu"};
	const struct demo_option known[] = {
		{"size", demo_parse_extent, options.extent},
		{"seconds", demo_parse_seconds, &options.seconds},
		{"buffers", parse_buffers, &options.buffers},
		{"drm-driver", demo_parse_string, &options.drm_driver},
		{"driver", demo_parse_string, &options.driver},
		{0},
	};
	int code = demo_parse_options(argc, argv, usage, known);
	if (code >= 0) {
		return code;
	}
	struct cube cube = {.display.fd = -1};
	bool ok = run(&cube, &options);
	cube_finish(&cube);
	if (ok) {
		printf("cube: ok\n");
	}
	return ok ? 0 : 1;
}
