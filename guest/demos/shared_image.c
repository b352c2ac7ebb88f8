/* SPDX-License-Identifier: MIT */
#include "shared_image.h"

#include <drm_fourcc.h>
#include <unistd.h>

#define HANDLE_TYPE VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT

const char *const shared_image_extensions[] = {
	VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
	VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
	VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME,
	VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,
};
const uint32_t shared_image_extension_count =
	sizeof(shared_image_extensions) / sizeof(shared_image_extensions[0]);

/* Can the device make such images, and do with them what is needed (`feature`)? */
static bool check_support(const struct shared_image *image, const struct demo_gpu *gpu,
		VkImageUsageFlags usage, VkExternalMemoryFeatureFlags feature) {
	const VkPhysicalDeviceImageDrmFormatModifierInfoEXT modifier = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT,
		.drmFormatModifier = DRM_FORMAT_MOD_LINEAR,
		.sharingMode = VK_SHARING_MODE_EXCLUSIVE,
	};
	const VkPhysicalDeviceExternalImageFormatInfo external = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
		.pNext = &modifier,
		.handleType = HANDLE_TYPE,
	};
	const VkPhysicalDeviceImageFormatInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
		.pNext = &external,
		.format = SHARED_IMAGE_FORMAT,
		.type = VK_IMAGE_TYPE_2D,
		.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
		.usage = usage,
	};
	VkExternalImageFormatProperties memory = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES};
	VkImageFormatProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2, .pNext = &memory};
	VkResult result =
		vkGetPhysicalDeviceImageFormatProperties2(gpu->physical, &info, &properties);
	if (result == VK_ERROR_FORMAT_NOT_SUPPORTED) {
		return demo_fail("the device cannot use LINEAR images of B8G8R8A8_UNORM that are shared as "
			"dma-bufs as is needed here (VkImageUsageFlags 0x%x)", usage);
	}
	if (!demo_check(result, "vkGetPhysicalDeviceImageFormatProperties2")) {
		return false;
	}
	if (!(memory.externalMemoryProperties.externalMemoryFeatures & feature)) {
		return demo_fail("the device cannot %s images as dma-bufs",
			feature == VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT ? "export" : "import");
	}
	const VkExtent3D *most = &properties.imageFormatProperties.maxExtent;
	return (most->width >= image->width && most->height >= image->height) ||
		demo_fail("the device has shared images of at most %ux%u", most->width, most->height);
}

/* `layout` is the chained description of the modifier. */
static bool create_image(struct shared_image *image, const struct demo_gpu *gpu,
		VkImageUsageFlags usage, const void *layout) {
	const VkExternalMemoryImageCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
		.pNext = layout,
		.handleTypes = HANDLE_TYPE,
	};
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.pNext = &external,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = SHARED_IMAGE_FORMAT,
		.extent = {image->width, image->height, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
		.usage = usage,
		.sharingMode = VK_SHARING_MODE_EXCLUSIVE,
	};
	DEMO_TRY(vkCreateImage(gpu->device, &info, NULL, &image->image));
	return true;
}

static bool bind_memory(struct shared_image *image, const struct demo_gpu *gpu,
		uint32_t type_bits, uint64_t size, const void *chain) {
	int type = demo_find_memory(gpu, type_bits, 0, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
		VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
	if (type < 0) {
		return demo_fail("no memory type suits a shared image");
	}
	const VkMemoryDedicatedAllocateInfo dedicated = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
		.pNext = chain,
		.image = image->image,
	};
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = &dedicated,
		.allocationSize = size,
		.memoryTypeIndex = (uint32_t)type,
	};
	image->memory_type = (uint32_t)type;
	image->size = size;
	DEMO_TRY(vkAllocateMemory(gpu->device, &info, NULL, &image->memory));
	DEMO_TRY(vkBindImageMemory(gpu->device, image->image, image->memory, 0));
	return true;
}

static bool export_memory(struct shared_image *image, const struct demo_gpu *gpu) {
	PFN_vkGetMemoryFdKHR get_fd =
		(PFN_vkGetMemoryFdKHR)vkGetDeviceProcAddr(gpu->device, "vkGetMemoryFdKHR");
	const VkMemoryGetFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
		.memory = image->memory,
		.handleType = HANDLE_TYPE,
	};
	return demo_check(get_fd(gpu->device, &info, &image->fd), "vkGetMemoryFdKHR");
}

static bool get_layout(struct shared_image *image, const struct demo_gpu *gpu) {
	PFN_vkGetImageDrmFormatModifierPropertiesEXT get_modifier =
		(PFN_vkGetImageDrmFormatModifierPropertiesEXT)vkGetDeviceProcAddr(
			gpu->device, "vkGetImageDrmFormatModifierPropertiesEXT");
	VkImageDrmFormatModifierPropertiesEXT modifier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_PROPERTIES_EXT};
	if (!demo_check(get_modifier(gpu->device, image->image, &modifier),
			"vkGetImageDrmFormatModifierPropertiesEXT")) {
		return false;
	}
	if (modifier.drmFormatModifier != DRM_FORMAT_MOD_LINEAR) {
		return demo_fail("a LINEAR image was asked for, and modifier 0x%llx came",
			(unsigned long long)modifier.drmFormatModifier);
	}
	const VkImageSubresource subresource = {VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT, 0, 0};
	VkSubresourceLayout layout;
	vkGetImageSubresourceLayout(gpu->device, image->image, &subresource, &layout);
	image->offset = (uint32_t)layout.offset;
	image->stride = (uint32_t)layout.rowPitch;
	return true;
}

bool shared_image_init(struct shared_image *image, const struct demo_gpu *gpu, uint32_t width,
		uint32_t height, VkImageUsageFlags usage) {
	*image = (struct shared_image){.width = width, .height = height, .fd = -1};
	const uint64_t linear = DRM_FORMAT_MOD_LINEAR;
	const VkImageDrmFormatModifierListCreateInfoEXT list = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
		.drmFormatModifierCount = 1,
		.pDrmFormatModifiers = &linear,
	};
	if (!check_support(image, gpu, usage, VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT) ||
			!create_image(image, gpu, usage, &list)) {
		return false;
	}
	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(gpu->device, image->image, &requirements);
	const VkExportMemoryAllocateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.handleTypes = HANDLE_TYPE,
	};
	return bind_memory(image, gpu, requirements.memoryTypeBits, requirements.size, &export) &&
		export_memory(image, gpu) && get_layout(image, gpu);
}

/* On success the descriptor is Vulkan's. */
static bool import_memory(
		struct shared_image *image, const struct demo_gpu *gpu, uint64_t size, int fd) {
	PFN_vkGetMemoryFdPropertiesKHR get_properties =
		(PFN_vkGetMemoryFdPropertiesKHR)vkGetDeviceProcAddr(
			gpu->device, "vkGetMemoryFdPropertiesKHR");
	VkMemoryFdPropertiesKHR properties = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
	if (!demo_check(get_properties(gpu->device, HANDLE_TYPE, fd, &properties),
			"vkGetMemoryFdPropertiesKHR")) {
		return false;
	}
	VkMemoryRequirements requirements;
	vkGetImageMemoryRequirements(gpu->device, image->image, &requirements);
	if (requirements.size > size) {
		return demo_fail("the dma-buf is too small for the image");
	}
	const VkImportMemoryFdInfoKHR import = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
		.handleType = HANDLE_TYPE,
		.fd = fd,
	};
	return bind_memory(image, gpu, requirements.memoryTypeBits & properties.memoryTypeBits, size,
		&import);
}

bool shared_image_import(struct shared_image *image, const struct demo_gpu *gpu,
		const struct shared_image *like, VkImageUsageFlags usage) {
	*image = (struct shared_image){.width = like->width, .height = like->height, .fd = -1};
	const VkSubresourceLayout plane = {.offset = like->offset, .rowPitch = like->stride};
	const VkImageDrmFormatModifierExplicitCreateInfoEXT layout = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
		.drmFormatModifier = DRM_FORMAT_MOD_LINEAR,
		.drmFormatModifierPlaneCount = 1,
		.pPlaneLayouts = &plane,
	};
	if (!check_support(image, gpu, usage, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) ||
			!create_image(image, gpu, usage, &layout)) {
		return false;
	}
	int fd = dup(like->fd);
	if (fd < 0 || !import_memory(image, gpu, like->size, fd)) {
		if (fd >= 0 && !image->memory) {
			close(fd);
		}
		return false;
	}
	image->offset = like->offset;
	image->stride = like->stride;
	return true;
}

void shared_image_finish(struct shared_image *image, const struct demo_gpu *gpu) {
	if (gpu->device) {
		vkDestroyImage(gpu->device, image->image, NULL);
		vkFreeMemory(gpu->device, image->memory, NULL);
	}
	if (image->image && image->fd >= 0) {
		close(image->fd);
	}
	*image = (struct shared_image){.fd = -1};
}

static VkImageMemoryBarrier barrier_of(const struct shared_image *image) {
	return (VkImageMemoryBarrier){
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.oldLayout = VK_IMAGE_LAYOUT_GENERAL,
		.newLayout = VK_IMAGE_LAYOUT_GENERAL,
		.image = image->image,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
}

void shared_image_acquire(const struct shared_image *image, const struct demo_gpu *gpu,
		VkCommandBuffer commands, VkImageLayout from, VkImageLayout to, VkPipelineStageFlags stage,
		VkAccessFlags access) {
	VkImageMemoryBarrier barrier = barrier_of(image);
	barrier.dstAccessMask = access;
	barrier.oldLayout = from;
	barrier.newLayout = to;
	barrier.srcQueueFamilyIndex = VK_QUEUE_FAMILY_FOREIGN_EXT;
	barrier.dstQueueFamilyIndex = gpu->family_index;
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, stage, 0, 0, NULL, 0, NULL, 1,
		&barrier);
}

void shared_image_release(const struct shared_image *image, const struct demo_gpu *gpu,
		VkCommandBuffer commands, VkImageLayout from, VkPipelineStageFlags stage,
		VkAccessFlags access) {
	VkImageMemoryBarrier barrier = barrier_of(image);
	barrier.srcAccessMask = access;
	barrier.oldLayout = from;
	barrier.srcQueueFamilyIndex = gpu->family_index;
	barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_FOREIGN_EXT;
	vkCmdPipelineBarrier(commands, stage, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, NULL, 0, NULL,
		1, &barrier);
}
