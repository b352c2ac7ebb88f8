/* SPDX-License-Identifier: MIT */
/*
 * Renders a triangle with Vulkan into a LINEAR image in HOST_VISIBLE memory, copies what the CPU
 * sees there into a buffer, and shows that on the screen with KMS, or writes it to a file. With
 * --zero-copy KMS shows the image itself, as a dma-buf.
 *
 * The picture, for whoever checks it: W x H pixels, x to the right, y down.
 *
 *   background  (26, 51, 153), everywhere outside the triangle
 *   red         (255, 0, 0) at ( W/2,   H/8): top
 *   green       (0, 255, 0) at (7W/8, 7H/8): bottom right
 *   blue        (0, 0, 255) at ( W/8, 7H/8): bottom left
 *
 * Inside, the colour is the linear mix of the three by the distance from the vertices
 * (barycentric), with no gamma curve: in the centre of mass (W/2, 5H/8) it is (85, 85, 85).
 * At the size of 1280x800 the vertices are (640, 100), (1120, 700) and (160, 700).
 */
#include "common.h"
#include "display.h"
#include "options.h"
#include "raster.h"
#include "shared_image.h"

#include "triangle_frag_spv.h"
#include "triangle_vert_spv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FORMAT SHARED_IMAGE_FORMAT

static const uint8_t background[3] = {26, 51, 153};

static const char usage[] =
	"usage: triangle [OPTION...]\n"
	"\n"
	"Renders a triangle with Vulkan and shows it on the screen, without a desktop.\n"
	"\n"
	"  --size=WxH         size in pixels (default: the screen's, or 1280x800)\n"
	"  --seconds=N        show it for so long (default: 5)\n"
	"  --buffer=gbm|dumb  kind of the buffer that is shown (default: gbm)\n"
	"  --zero-copy        show the memory into which Vulkan draws, in place of a copy\n"
	"  --drm-driver=NAME  driver of the screen (default: virtio_gpu)\n"
	"  --driver=NAME      Vulkan driver that must be used, as venus\n"
	"  --ppm=FILE         write a picture file instead of showing it\n"
	"  --help             print this\n";

struct options {
	uint32_t extent[2]; /* 0: as the screen */
	double seconds;
	enum display_buffer buffer;
	bool zero_copy;
	const char *drm_driver, *driver, *ppm;
};

struct picture {
	uint32_t width, height;
	struct shared_image shared; /* with --zero-copy, the image and its memory */
	uint32_t fb_id;             /* of that */
	VkImage image;
	VkDeviceMemory memory;
	uint32_t memory_type;
	VkImageView view;
	VkRenderPass pass;
	VkFramebuffer framebuffer;
	VkShaderModule vertex, fragment;
	VkPipelineLayout layout;
	VkPipeline pipeline;
	const uint8_t *pixels; /* mapped */
	size_t stride;         /* bytes from line to line */
};

static bool create_image(struct picture *picture, const struct demo_gpu *gpu) {
	VkFormatProperties format;
	vkGetPhysicalDeviceFormatProperties(gpu->physical, FORMAT, &format);
	if (!(format.linearTilingFeatures & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT)) {
		return demo_fail("the device cannot render to LINEAR images of B8G8R8A8_UNORM");
	}
	VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = FORMAT,
		.extent = {picture->width, picture->height, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_LINEAR,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
		.sharingMode = VK_SHARING_MODE_EXCLUSIVE,
	};
	VkImageFormatProperties limits;
	DEMO_TRY(vkGetPhysicalDeviceImageFormatProperties(
		gpu->physical, FORMAT, info.imageType, info.tiling, info.usage, 0, &limits));
	if (limits.maxExtent.width < picture->width || limits.maxExtent.height < picture->height) {
		return demo_fail("the device can render to LINEAR images of at most %ux%u",
			limits.maxExtent.width, limits.maxExtent.height);
	}
	DEMO_TRY(vkCreateImage(gpu->device, &info, NULL, &picture->image));

	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(gpu->device, picture->image, &requirements);
	int type = demo_find_memory(gpu, requirements.memoryTypeBits,
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT,
		VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
	if (type < 0) {
		return demo_fail("no HOST_VISIBLE memory type suits the image");
	}
	picture->memory_type = (uint32_t)type;
	const VkMemoryAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = requirements.size,
		.memoryTypeIndex = picture->memory_type,
	};
	DEMO_TRY(vkAllocateMemory(gpu->device, &allocate, NULL, &picture->memory));
	DEMO_TRY(vkBindImageMemory(gpu->device, picture->image, picture->memory, 0));

	char flags[160];
	demo_memory_flags_text(
		gpu->memory.memoryTypes[picture->memory_type].propertyFlags, flags, sizeof(flags));
	printf("image: %ux%u, LINEAR, B8G8R8A8_UNORM, memory type %u (%s)\n", picture->width,
		picture->height, picture->memory_type, flags);
	return true;
}

/* The same, in memory that the screen can show. */
static bool create_shared_image(struct picture *picture, const struct demo_gpu *gpu) {
	if (!shared_image_init(&picture->shared, gpu, picture->width, picture->height,
			VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT)) {
		return false;
	}
	picture->image = picture->shared.image;
	picture->memory = picture->shared.memory;
	picture->memory_type = picture->shared.memory_type;
	if (!(gpu->memory.memoryTypes[picture->memory_type].propertyFlags &
			VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) {
		return demo_fail("shared images are in memory that cannot be mapped: the picture cannot "
			"be checked");
	}
	printf("image: %ux%u, a dma-buf, LINEAR, B8G8R8A8_UNORM\n", picture->width, picture->height);
	return true;
}

static bool create_target(struct picture *picture, const struct demo_gpu *gpu) {
	return demo_pass_init(&picture->pass, gpu, FORMAT) &&
		demo_target_init(&picture->view, &picture->framebuffer, gpu, picture->pass,
			picture->image, FORMAT, picture->width, picture->height);
}

static bool create_pipeline(struct picture *picture, const struct demo_gpu *gpu) {
	if (!demo_shader_init(&picture->vertex, gpu, triangle_vert_spv, sizeof(triangle_vert_spv)) ||
			!demo_shader_init(
				&picture->fragment, gpu, triangle_frag_spv, sizeof(triangle_frag_spv))) {
		return false;
	}
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
	DEMO_TRY(vkCreatePipelineLayout(gpu->device, &layout, NULL, &picture->layout));

	return demo_pipeline_init(&picture->pipeline, gpu, &(struct demo_pipeline_options){
		.vertex = picture->vertex,
		.fragment = picture->fragment,
		.layout = picture->layout,
		.pass = picture->pass,
		.width = picture->width,
		.height = picture->height,
	});
}

static bool render(struct picture *picture, const struct demo_gpu *gpu) {
	VkCommandBuffer commands;
	if (!demo_commands_begin(&commands, gpu)) {
		return false;
	}
	const VkClearValue clear = {.color.float32 = {(float)background[0] / 255.0f,
		(float)background[1] / 255.0f, (float)background[2] / 255.0f, 1.0f}};
	const VkRenderPassBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = picture->pass,
		.framebuffer = picture->framebuffer,
		.renderArea = {.extent = {picture->width, picture->height}},
		.clearValueCount = 1,
		.pClearValues = &clear,
	};
	vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, picture->pipeline);
	vkCmdDraw(commands, 3, 1, 0, 0);
	vkCmdEndRenderPass(commands);
	if (picture->shared.image) {
		shared_image_release(&picture->shared, gpu, commands, VK_IMAGE_LAYOUT_GENERAL,
			VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT);
	}
	return demo_commands_run(commands, gpu);
}

static bool map_image(struct picture *picture, const struct demo_gpu *gpu) {
	size_t offset = picture->shared.offset;
	picture->stride = picture->shared.stride;
	if (!picture->shared.image) {
		const VkImageSubresource subresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0};
		VkSubresourceLayout layout;
		vkGetImageSubresourceLayout(gpu->device, picture->image, &subresource, &layout);
		offset = (size_t)layout.offset;
		picture->stride = (size_t)layout.rowPitch;
	}
	void *data;
	DEMO_TRY(vkMapMemory(gpu->device, picture->memory, 0, VK_WHOLE_SIZE, 0, &data));
	if (!demo_invalidate(gpu, picture->memory, picture->memory_type)) {
		return false;
	}
	picture->pixels = (const uint8_t *)data + offset;
	printf("image: stride %zu\n", picture->stride);
	return true;
}

static bool picture_init(struct picture *picture, const struct demo_gpu *gpu, bool shared) {
	return (shared ? create_shared_image(picture, gpu) : create_image(picture, gpu)) && create_target(picture, gpu) &&
		create_pipeline(picture, gpu) && render(picture, gpu) && map_image(picture, gpu);
}

static void picture_finish(struct picture *picture, const struct demo_gpu *gpu) {
	if (!gpu->device) {
		return;
	}
	vkDestroyPipeline(gpu->device, picture->pipeline, NULL);
	vkDestroyPipelineLayout(gpu->device, picture->layout, NULL);
	vkDestroyShaderModule(gpu->device, picture->vertex, NULL);
	vkDestroyShaderModule(gpu->device, picture->fragment, NULL);
	vkDestroyFramebuffer(gpu->device, picture->framebuffer, NULL);
	vkDestroyRenderPass(gpu->device, picture->pass, NULL);
	vkDestroyImageView(gpu->device, picture->view, NULL);
	if (picture->shared.image) {
		shared_image_finish(&picture->shared, gpu);
	} else {
		vkDestroyImage(gpu->device, picture->image, NULL);
		vkFreeMemory(gpu->device, picture->memory, NULL);
	}
}

/* Looks at one pixel, `x` 64ths of the width from the left and `y` of the height from the top. */
static bool check_pixel(const struct picture *picture, uint32_t x, uint32_t y, uint8_t red,
		uint8_t green, uint8_t blue, int tolerance) {
	x = x * (picture->width - 1) / 64;
	y = y * (picture->height - 1) / 64;
	const uint8_t *bgr = picture->pixels + y * picture->stride + x * 4;
	if (abs(bgr[2] - red) > tolerance || abs(bgr[1] - green) > tolerance ||
			abs(bgr[0] - blue) > tolerance) {
		return demo_fail("the rendered image is wrong: pixel (%u, %u) is (%u, %u, %u) and should "
			"be (%u, %u, %u)", x, y, bgr[2], bgr[1], bgr[0], red, green, blue);
	}
	return true;
}

/* Tells a picture that was not rendered from one that was not shown. */
static bool check_picture(const struct picture *picture) {
	for (uint32_t corner = 0; corner < 4; corner++) {
		if (!check_pixel(picture, corner & 1 ? 64 : 0, corner & 2 ? 64 : 0, background[0],
				background[1], background[2], 1)) {
			return false;
		}
	}
	return check_pixel(picture, 32, 9, 250, 3, 3, 20) &&
		check_pixel(picture, 54, 55, 6, 241, 8, 20) &&
		check_pixel(picture, 10, 55, 6, 8, 241, 20) && check_pixel(picture, 32, 40, 85, 85, 85, 12);
}

static bool write_ppm(const struct picture *picture, const char *path) {
	FILE *file = fopen(path, "wb");
	if (!file) {
		return demo_fail("%s: %s", path, strerror(errno));
	}
	fprintf(file, "P6\n%u %u\n255\n", picture->width, picture->height);
	for (uint32_t y = 0; y < picture->height; y++) {
		const uint8_t *bgr = picture->pixels + y * picture->stride;
		for (uint32_t x = 0; x < picture->width; x++) {
			const uint8_t rgb[3] = {bgr[4 * x + 2], bgr[4 * x + 1], bgr[4 * x]};
			fwrite(rgb, 1, 3, file);
		}
	}
	bool ok = !ferror(file);
	ok = fclose(file) == 0 && ok;
	return ok || demo_fail("%s: %s", path, strerror(errno));
}

/* false if a signal ended it early. */
static bool show_for(double seconds) {
	demo_catch_signals();
	printf("showing for %g s\n", seconds);
	double end = demo_now() + seconds;
	for (double left; !demo_interrupted() && (left = end - demo_now()) > 0.0;) {
		struct timespec pause = {.tv_sec = (time_t)left};
		pause.tv_nsec = (long)((left - (double)pause.tv_sec) * 1e9);
		nanosleep(&pause, NULL);
	}
	return !demo_interrupted() || demo_fail("ended by signal %d", demo_interrupted());
}

static bool show(
		const struct options *options, struct picture *picture, struct display *display) {
	if (!options->zero_copy) {
		return display_show(display, options->buffer, picture->pixels, picture->stride);
	}
	const struct shared_image *image = &picture->shared;
	return display_add_framebuffer(
			display, image->fd, image->offset, image->stride, &picture->fb_id) &&
		display_show_framebuffer(display, picture->fb_id);
}

static bool render_and_show(const struct options *options, struct demo_gpu *gpu,
		struct picture *picture, struct display *display) {
	if (options->ppm) {
		picture->width = options->extent[0] ? options->extent[0] : 1280;
		picture->height = options->extent[0] ? options->extent[1] : 800;
	} else {
		if (!display_open(display, options->drm_driver, options->extent[0], options->extent[1])) {
			return false;
		}
		picture->width = display->mode.hdisplay;
		picture->height = display->mode.vdisplay;
	}
	const struct demo_gpu_options gpu_options = {
		.driver_name = options->driver,
		.queue_flags = VK_QUEUE_GRAPHICS_BIT,
		.extensions = shared_image_extensions,
		.extension_count = options->zero_copy ? shared_image_extension_count : 0,
	};
	if (!demo_gpu_init(gpu, &gpu_options) ||
			!picture_init(picture, gpu, options->zero_copy)) {
		return false;
	}
	if (options->ppm) {
		return write_ppm(picture, options->ppm) && check_picture(picture);
	}
	return check_picture(picture) && show(options, picture, display) &&
		show_for(options->seconds) && display_restore(display);
}

static bool parse_buffer(const char *text, void *value) {
	bool dumb = strcmp(text, "dumb") == 0;
	*(enum display_buffer *)value = dumb ? DISPLAY_BUFFER_DUMB : DISPLAY_BUFFER_GBM;
	return dumb || strcmp(text, "gbm") == 0;
}

int main(int argc, char *argv[]) {
	demo_start("triangle");
	struct options options = {.seconds = 5.0, .drm_driver = "virtio_gpu"};
	const struct demo_option known[] = {
		{"size", demo_parse_extent, options.extent},
		{"seconds", demo_parse_seconds, &options.seconds},
		{"buffer", parse_buffer, &options.buffer},
		{"zero-copy", NULL, &options.zero_copy},
		{"drm-driver", demo_parse_string, &options.drm_driver},
		{"driver", demo_parse_string, &options.driver},
		{"ppm", demo_parse_string, &options.ppm},
		{0},
	};
	int code = demo_parse_options(argc, argv, usage, known);
	if (code >= 0) {
		return code;
	}
	struct demo_gpu gpu = {0};
	struct picture picture = {0};
	struct display display = {.fd = -1};
	bool ok = render_and_show(&options, &gpu, &picture, &display);
	display_remove_framebuffer(&display, picture.fb_id);
	display_close(&display);
	picture_finish(&picture, &gpu);
	demo_gpu_finish(&gpu);
	if (ok) {
		printf("triangle: ok\n");
	}
	return ok ? 0 : 1;
}
