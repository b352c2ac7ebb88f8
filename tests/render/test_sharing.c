/* SPDX-License-Identifier: MIT */

/*
 * Memory and images that guests share, as Mesa's driver asks for them: what is offered, what is
 * made, that two contexts see the same texels, and what becomes of requests that cannot be met.
 * "test_sharing VENERA-RENDER [OPTION]" hands the option on.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"
#include "base/log.h"
#include "peer_device.h"

#define LINEAR UINT64_C(0)
#define SOME_TILED_MODIFIER UINT64_C(0x0100000000000001) /* of Intel: X tiles */
#define FORMAT VK_FORMAT_B8G8R8A8_UNORM

enum { WIDTH = 61, HEIGHT = 47 }; /* rows that nobody would align so */

/* ids of the guest's objects and resources */
enum { BUFFER = 0x100, BUFFER_MEMORY, IMAGE, IMAGE_MEMORY, POOL, COMMANDS, VIEW, OTHER };
enum { BUFFER_RESOURCE = 10, IMAGE_RESOURCE, ODD_RESOURCE };

static const char *program, *option;

static const char *const extensions[] = {
	VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
	VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
	VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME,
	VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,
};
enum { EXTENSION_COUNT = sizeof(extensions) / sizeof(extensions[0]) };

static void start(struct peer *peer) {
	VkPhysicalDeviceSynchronization2Features features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES,
		.synchronization2 = VK_TRUE,
	};
	peer_start_with(peer, program, option);
	peer_create_ring(peer, 65536);
	peer_create_device(peer, &(struct peer_device_options){
		.api_version = VK_API_VERSION_1_3,
		.features = &features,
		.extensions = extensions,
		.extension_count = EXTENSION_COUNT,
	});
}

/* --- what is offered --- */

static bool offers(struct peer *peer, const char *extension) {
	uint32_t count = 0;
	struct venus_vkEnumerateDeviceExtensionProperties args = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pPropertyCount = &count};
	PEER_CALL(peer, vkEnumerateDeviceExtensionProperties, &args);
	count = *args.pPropertyCount;
	VkExtensionProperties *properties = calloc(count, sizeof(*properties));
	CHECK(properties);
	args = (struct venus_vkEnumerateDeviceExtensionProperties){
		.physicalDevice = PEER_PHYSICAL_HANDLE,
		.pPropertyCount = &count,
		.pProperties = properties,
		.pProperties_capacity = count,
	};
	PEER_CALL(peer, vkEnumerateDeviceExtensionProperties, &args);
	bool found = false;
	for (uint32_t i = 0; i < *args.pPropertyCount; i++) {
		found |= strcmp(args.pProperties[i].extensionName, extension) == 0;
	}
	free(properties);
	return found;
}

static void test_extensions(void) {
	struct peer peer;
	start(&peer);
	for (size_t i = 0; i < EXTENSION_COUNT; i++) {
		CHECK(offers(&peer, extensions[i]));
	}
	peer_stop(&peer);

	peer_start_with(&peer, program, "--no-dma-buf");
	peer_create_ring(&peer, 65536);
	peer_create_device(
		&peer, &(struct peer_device_options){.api_version = VK_API_VERSION_1_3});
	for (size_t i = 0; i < EXTENSION_COUNT; i++) {
		CHECK(!offers(&peer, extensions[i]));
	}
	peer_stop(&peer);
}

/** The number of modifiers; with one, it is LINEAR, and *features are what it can. */
static uint32_t modifiers_of(struct peer *peer, VkFormat format, VkFormatFeatureFlags *features) {
	VkDrmFormatModifierPropertiesListEXT list = {
		.sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT};
	VkFormatProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, .pNext = &list};
	struct venus_vkGetPhysicalDeviceFormatProperties2 args = {
		.physicalDevice = PEER_PHYSICAL_HANDLE,
		.format = format,
		.pFormatProperties = &properties,
	};
	PEER_CALL(peer, vkGetPhysicalDeviceFormatProperties2, &args);
	const VkDrmFormatModifierPropertiesListEXT *counted = args.pFormatProperties->pNext;
	const uint32_t count = counted->drmFormatModifierCount;

	/* again with room, more than is needed, and with its younger relative before it */
	VkDrmFormatModifierPropertiesEXT items[3] = {0};
	VkDrmFormatModifierProperties2EXT items2[1] = {0};
	list.drmFormatModifierCount = 3;
	list.pDrmFormatModifierProperties = items;
	VkDrmFormatModifierPropertiesList2EXT list2 = {
		.sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_2_EXT,
		.pNext = &list,
		.drmFormatModifierCount = 1,
		.pDrmFormatModifierProperties = items2,
	};
	properties.pNext = &list2;
	args.pFormatProperties = &properties;
	PEER_CALL(peer, vkGetPhysicalDeviceFormatProperties2, &args);
	const VkDrmFormatModifierPropertiesList2EXT *filled2 = args.pFormatProperties->pNext;
	CHECK_INT(filled2->sType, VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_2_EXT);
	const VkDrmFormatModifierPropertiesListEXT *filled = filled2->pNext;
	CHECK_INT(filled->drmFormatModifierCount, count);
	CHECK_INT(filled2->drmFormatModifierCount, count);
	if (count) {
		const VkDrmFormatModifierPropertiesEXT *item = filled->pDrmFormatModifierProperties;
		const VkDrmFormatModifierProperties2EXT *item2 =
			filled2->pDrmFormatModifierProperties;
		CHECK_INT(item->drmFormatModifier, LINEAR);
		CHECK_INT(item->drmFormatModifierPlaneCount, 1);
		*features = item->drmFormatModifierTilingFeatures;
		CHECK_INT(item2->drmFormatModifier, LINEAR);
		CHECK_INT(item2->drmFormatModifierPlaneCount, 1);
		CHECK_INT(item2->drmFormatModifierTilingFeatures & INT32_MAX, *features);
		/* no more than the host has for LINEAR images */
		CHECK_INT(*features &
			~args.pFormatProperties->formatProperties.linearTilingFeatures, 0);
	}
	return count;
}

static void format_properties_of(struct peer *peer, VkFormat format, VkFormatProperties *result) {
	VkFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2};
	struct venus_vkGetPhysicalDeviceFormatProperties2 args = {
		.physicalDevice = PEER_PHYSICAL_HANDLE,
		.format = format,
		.pFormatProperties = &properties,
	};
	PEER_CALL(peer, vkGetPhysicalDeviceFormatProperties2, &args);
	*result = args.pFormatProperties->formatProperties;
}

static void test_format_modifiers(void) {
	struct peer peer;
	start(&peer);
	const VkFormat shown[] = {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB,
		VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_A2B10G10R10_UNORM_PACK32};
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		VkFormatFeatureFlags features = 0;
		CHECK_INT(modifiers_of(&peer, shown[i], &features), 1);
		CHECK(features & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT);
		CHECK(features & VK_FORMAT_FEATURE_TRANSFER_DST_BIT);
		/* some drivers do not draw to LINEAR images; then they do not blend either */
		const bool drawn = features & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT;
		CHECK(drawn || !(features & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BLEND_BIT));
		VkFormatProperties properties;
		format_properties_of(&peer, shown[i], &properties);
		CHECK(drawn == !!(properties.linearTilingFeatures &
			VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT));
	}
	const VkFormat others[] = {VK_FORMAT_UNDEFINED, VK_FORMAT_D32_SFLOAT,
		VK_FORMAT_D24_UNORM_S8_UINT, VK_FORMAT_BC1_RGB_UNORM_BLOCK,
		VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, VK_FORMAT_G8B8G8R8_422_UNORM};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		VkFormatFeatureFlags features;
		CHECK_INT(modifiers_of(&peer, others[i], &features), 0);
	}
	peer_stop(&peer);
}

struct query {
	VkFormat format;
	VkImageTiling tiling;
	uint64_t modifier;
	VkExternalMemoryHandleTypeFlagBits handle_type; /* 0: none */
	VkImageCreateFlags flags;
};

static VkResult query_image(struct peer *peer, const struct query *query) {
	const VkPhysicalDeviceImageDrmFormatModifierInfoEXT modifier = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT,
		.drmFormatModifier = query->modifier,
	};
	const VkPhysicalDeviceExternalImageFormatInfo external = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
		.pNext = query->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT ? &modifier : NULL,
		.handleType = query->handle_type,
	};
	const VkPhysicalDeviceImageFormatInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
		.pNext = &external,
		.format = query->format,
		.type = VK_IMAGE_TYPE_2D,
		.tiling = query->tiling,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_SAMPLED_BIT,
		.flags = query->flags,
	};
	VkExternalImageFormatProperties memory = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES};
	VkImageFormatProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2, .pNext = &memory};
	struct venus_vkGetPhysicalDeviceImageFormatProperties2 args = {
		.physicalDevice = PEER_PHYSICAL_HANDLE,
		.pImageFormatInfo = &info,
		.pImageFormatProperties = &properties,
	};
	PEER_CALL(peer, vkGetPhysicalDeviceImageFormatProperties2, &args);
	if (args.ret == VK_SUCCESS) {
		const VkImageFormatProperties *limits =
			&args.pImageFormatProperties->imageFormatProperties;
		CHECK(limits->maxExtent.width >= 4096 && limits->maxExtent.height >= 4096);
		CHECK_INT(limits->maxMipLevels, 1);
		CHECK_INT(limits->maxArrayLayers, 1);
		CHECK_INT(limits->sampleCounts, VK_SAMPLE_COUNT_1_BIT);
		const VkExternalImageFormatProperties *external_properties =
			args.pImageFormatProperties->pNext;
		const VkExternalMemoryProperties *features =
			&external_properties->externalMemoryProperties;
		CHECK_INT(features->externalMemoryFeatures,
			VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT |
				VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
		CHECK(features->compatibleHandleTypes & VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
		CHECK_INT(features->exportFromImportedHandleTypes, features->compatibleHandleTypes);
	}
	return args.ret;
}

static void test_image_queries(void) {
	const VkImageTiling tiled = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
	const VkExternalMemoryHandleTypeFlagBits dma_buf =
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
	const VkExternalMemoryHandleTypeFlagBits opaque_fd =
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
	const struct query good[] = {
		{FORMAT, tiled, LINEAR, 0, 0},
		{FORMAT, tiled, LINEAR, dma_buf, 0},
		{FORMAT, tiled, LINEAR, opaque_fd, 0},
		{FORMAT, VK_IMAGE_TILING_LINEAR, 0, dma_buf, 0},
		{FORMAT, tiled, LINEAR, dma_buf, VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT},
	};
	const struct query bad[] = {
		{FORMAT, tiled, SOME_TILED_MODIFIER, dma_buf, 0},
		{FORMAT, tiled, (UINT64_C(1) << 56) - 1, dma_buf, 0},
		{FORMAT, VK_IMAGE_TILING_OPTIMAL, 0, dma_buf, 0},
		{FORMAT, tiled, LINEAR, dma_buf | opaque_fd, 0},
		{FORMAT, tiled, LINEAR, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, 0},
		{FORMAT, tiled, LINEAR, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_WIN32_BIT, 0},
		{FORMAT, tiled, LINEAR, dma_buf, VK_IMAGE_CREATE_SPARSE_BINDING_BIT},
		{FORMAT, tiled, LINEAR, dma_buf, VK_IMAGE_CREATE_DISJOINT_BIT},
		{FORMAT, tiled, LINEAR, dma_buf, VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT},
		{VK_FORMAT_D32_SFLOAT, tiled, LINEAR, dma_buf, 0},
		{VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, tiled, LINEAR, dma_buf, 0},
	};
	struct peer peer;
	start(&peer);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK_INT(query_image(&peer, &good[i]), VK_SUCCESS);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_INT(query_image(&peer, &bad[i]), VK_ERROR_FORMAT_NOT_SUPPORTED);
	}
	peer_stop(&peer);
}

static VkExternalMemoryFeatureFlags query_buffer(
		struct peer *peer, VkExternalMemoryHandleTypeFlagBits type, VkBufferCreateFlags flags) {
	const VkPhysicalDeviceExternalBufferInfo info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
		.flags = flags,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
		.handleType = type,
	};
	VkExternalBufferProperties properties = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
	struct venus_vkGetPhysicalDeviceExternalBufferProperties args = {
		.physicalDevice = PEER_PHYSICAL_HANDLE,
		.pExternalBufferInfo = &info,
		.pExternalBufferProperties = &properties,
	};
	PEER_CALL(peer, vkGetPhysicalDeviceExternalBufferProperties, &args);
	return args.pExternalBufferProperties->externalMemoryProperties.externalMemoryFeatures;
}

static void test_buffer_queries(void) {
	const VkExternalMemoryFeatureFlags both = VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT |
		VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
	struct peer peer;
	start(&peer);
	CHECK_INT(query_buffer(&peer, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, 0), both);
	CHECK_INT(query_buffer(&peer, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT, 0), both);
	CHECK_INT(query_buffer(&peer, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_WIN32_BIT, 0), 0);
	CHECK_INT(query_buffer(&peer, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
			  VK_BUFFER_CREATE_SPARSE_BINDING_BIT), 0);
	peer_stop(&peer);
}

/* --- images --- */

static const VkImageCreateInfo plain_image = {
	.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
	.imageType = VK_IMAGE_TYPE_2D,
	.format = FORMAT,
	.extent = {WIDTH, HEIGHT, 1},
	.mipLevels = 1,
	.arrayLayers = 1,
	.samples = VK_SAMPLE_COUNT_1_BIT,
	.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
	.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
		VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_SAMPLED_BIT,
};

/** An image like plain_image, with what is in `chain`. */
static VkResult create_image(struct peer *peer, const VkImageCreateInfo *like, const void *chain) {
	const VkExternalMemoryImageCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
		.pNext = chain,
		.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	VkImageCreateInfo info = *like;
	info.pNext = &external;
	VkImage image = PEER_HANDLE(VkImage, IMAGE);
	struct venus_vkCreateImage args = {
		.device = PEER_DEVICE_HANDLE, .pCreateInfo = &info, .pImage = &image};
	PEER_CALL(peer, vkCreateImage, &args);
	return args.ret;
}

static void destroy_image(struct peer *peer) {
	peer_begin(peer);
	PEER_ADD(peer, vkDestroyImage, .device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, IMAGE));
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
}

static VkResult create_listed_image(struct peer *peer, const uint64_t *modifiers, uint32_t count) {
	const VkImageDrmFormatModifierListCreateInfoEXT list = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
		.drmFormatModifierCount = count,
		.pDrmFormatModifiers = modifiers,
	};
	return create_image(peer, &plain_image, &list);
}

static VkResult create_explicit_image(struct peer *peer, uint64_t modifier,
		const VkSubresourceLayout *planes, uint32_t count) {
	const VkImageDrmFormatModifierExplicitCreateInfoEXT layout = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
		.drmFormatModifier = modifier,
		.drmFormatModifierPlaneCount = count,
		.pPlaneLayouts = planes,
	};
	return create_image(peer, &plain_image, &layout);
}

static VkSubresourceLayout layout_of_image(struct peer *peer, VkImageAspectFlags aspect) {
	const VkImageSubresource subresource = {.aspectMask = aspect};
	VkSubresourceLayout layout;
	struct venus_vkGetImageSubresourceLayout args = {
		.device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, IMAGE),
		.pSubresource = &subresource,
		.pLayout = &layout,
	};
	PEER_CALL(peer, vkGetImageSubresourceLayout, &args);
	return *args.pLayout;
}

/** The first memory type of a mask that is mappable, if there is one, or else the first. */
static uint32_t choose_type(struct peer *peer, uint32_t types) {
	VkPhysicalDeviceMemoryProperties properties;
	struct venus_vkGetPhysicalDeviceMemoryProperties args = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pMemoryProperties = &properties};
	PEER_CALL(peer, vkGetPhysicalDeviceMemoryProperties, &args);
	CHECK(types);
	for (uint32_t i = 0; i < args.pMemoryProperties->memoryTypeCount; i++) {
		if ((types >> i & 1) && (args.pMemoryProperties->memoryTypes[i].propertyFlags &
						VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) {
			return i;
		}
	}
	uint32_t first = 0;
	while (!(types >> first & 1)) {
		first++;
	}
	return first;
}

static VkMemoryRequirements image_requirements(struct peer *peer) {
	VkMemoryRequirements requirements;
	struct venus_vkGetImageMemoryRequirements args = {
		.device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, IMAGE),
		.pMemoryRequirements = &requirements,
	};
	PEER_CALL(peer, vkGetImageMemoryRequirements, &args);
	return *args.pMemoryRequirements;
}

static uint32_t types_of_resource(struct peer *peer, uint32_t resource_id, uint64_t *size) {
	VkMemoryResourceAllocationSizePropertiesMESA size_properties = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_RESOURCE_ALLOCATION_SIZE_PROPERTIES_MESA};
	VkMemoryResourcePropertiesMESA properties = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_RESOURCE_PROPERTIES_MESA, .pNext = &size_properties};
	struct venus_vkGetMemoryResourcePropertiesMESA args = {
		.device = PEER_DEVICE_HANDLE,
		.resourceId = resource_id,
		.pMemoryResourceProperties = &properties,
	};
	PEER_CALL(peer, vkGetMemoryResourcePropertiesMESA, &args);
	CHECK_INT(args.ret, VK_SUCCESS);
	const VkMemoryResourceAllocationSizePropertiesMESA *filled =
		args.pMemoryResourceProperties->pNext;
	*size = filled->allocationSize;
	return args.pMemoryResourceProperties->memoryTypeBits;
}

static void test_modifier_lists(void) {
	struct peer peer;
	start(&peer);
	const uint64_t useful[] = {SOME_TILED_MODIFIER, LINEAR};
	CHECK_INT(create_listed_image(&peer, useful, 2), VK_SUCCESS);
	VkImageDrmFormatModifierPropertiesEXT properties = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_PROPERTIES_EXT,
		.drmFormatModifier = 99,
	};
	struct venus_vkGetImageDrmFormatModifierPropertiesEXT get = {
		.device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, IMAGE),
		.pProperties = &properties,
	};
	PEER_CALL(&peer, vkGetImageDrmFormatModifierPropertiesEXT, &get);
	CHECK_INT(get.ret, VK_SUCCESS);
	CHECK_INT(get.pProperties->drmFormatModifier, LINEAR);

	const VkSubresourceLayout colour = layout_of_image(&peer, VK_IMAGE_ASPECT_COLOR_BIT);
	const VkSubresourceLayout plane =
		layout_of_image(&peer, VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT);
	CHECK(plane.rowPitch >= WIDTH * 4);
	CHECK_INT(plane.rowPitch, colour.rowPitch);
	CHECK_INT(plane.offset, colour.offset);
	destroy_image(&peer);

	const uint64_t useless[] = {SOME_TILED_MODIFIER};
	CHECK(create_listed_image(&peer, useless, 1) < 0);
	VkImageCreateInfo info = plain_image;
	CHECK(create_image(&peer, &info, NULL) < 0); /* neither a list nor a layout */
	/* what cannot be shared */
	info.tiling = VK_IMAGE_TILING_LINEAR;
	info.mipLevels = 2;
	CHECK(create_image(&peer, &info, NULL) < 0);
	info.mipLevels = 1;
	info.format = VK_FORMAT_D32_SFLOAT;
	info.usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
	CHECK(create_image(&peer, &info, NULL) < 0);
	info.format = FORMAT;
	CHECK_INT(create_image(&peer, &info, NULL), VK_SUCCESS);
	destroy_image(&peer);
	peer_stop(&peer);
}

static void test_explicit_layouts(void) {
	const VkResult refused = VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT;
	struct peer peer;
	start(&peer);
	const uint64_t linear = LINEAR;
	CHECK_INT(create_listed_image(&peer, &linear, 1), VK_SUCCESS);
	const VkSubresourceLayout layout = layout_of_image(&peer, VK_IMAGE_ASPECT_COLOR_BIT);
	destroy_image(&peer);

	VkSubresourceLayout planes[2] = {
		{.offset = layout.offset, .rowPitch = layout.rowPitch},
		{.offset = layout.offset, .rowPitch = layout.rowPitch},
	};
	CHECK_INT(create_explicit_image(&peer, LINEAR, planes, 1), VK_SUCCESS);
	destroy_image(&peer);
	CHECK_INT(create_explicit_image(&peer, LINEAR, planes, 2), refused);
	CHECK_INT(create_explicit_image(&peer, LINEAR, NULL, 0), refused);
	CHECK_INT(create_explicit_image(&peer, SOME_TILED_MODIFIER, planes, 1), refused);
	planes[0].rowPitch = layout.rowPitch * 2;
	CHECK_INT(create_explicit_image(&peer, LINEAR, planes, 1), refused);
	planes[0].rowPitch = 0;
	CHECK_INT(create_explicit_image(&peer, LINEAR, planes, 1), refused);
	planes[0].rowPitch = UINT64_MAX;
	CHECK_INT(create_explicit_image(&peer, LINEAR, planes, 1), refused);
	planes[0] = (VkSubresourceLayout){.offset = 4096, .rowPitch = layout.rowPitch};
	CHECK_INT(create_explicit_image(&peer, LINEAR, planes, 1), refused);
	peer_stop(&peer);
}

/* --- sharing --- */

static VkResult allocate(struct peer *peer, uint64_t id, uint64_t size, uint32_t type,
		const void *chain) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = chain,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory memory = PEER_HANDLE(VkDeviceMemory, id);
	struct venus_vkAllocateMemory args = {
		.device = PEER_DEVICE_HANDLE, .pAllocateInfo = &info, .pMemory = &memory};
	PEER_CALL(peer, vkAllocateMemory, &args);
	return args.ret;
}

static VkResult import(struct peer *peer, uint32_t resource_id, uint64_t size, uint32_t type) {
	const VkImportMemoryResourceInfoMESA info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA, .resourceId = resource_id};
	return allocate(peer, IMAGE_MEMORY, size, type, &info);
}

static void bind_image(struct peer *peer) {
	struct venus_vkBindImageMemory args = {
		.device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, IMAGE),
		.memory = PEER_HANDLE(VkDeviceMemory, IMAGE_MEMORY),
	};
	PEER_CALL(peer, vkBindImageMemory, &args);
	CHECK_INT(args.ret, VK_SUCCESS);
}

/** The image in memory of its own that is exported and has become a resource, mapped at `shm`. */
static void create_exported_image(struct peer *peer, struct shmem *shm, uint64_t *size) {
	const uint64_t linear = LINEAR;
	CHECK_INT(create_listed_image(peer, &linear, 1), VK_SUCCESS);
	const VkMemoryRequirements requirements = image_requirements(peer);
	const VkMemoryDedicatedAllocateInfo dedicated = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
		.image = PEER_HANDLE(VkImage, IMAGE),
	};
	const VkExportMemoryAllocateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.pNext = &dedicated,
		.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	CHECK_INT(allocate(peer, IMAGE_MEMORY, requirements.size,
			  choose_type(peer, requirements.memoryTypeBits), &export), VK_SUCCESS);
	bind_image(peer);
	*size = page_align(requirements.size); /* as guests map it */
	CHECK_INT(peer_create_blob(peer, IMAGE_RESOURCE, RENDER_BLOB_SHAREABLE, IMAGE_MEMORY, *size,
			  shm), 0);
}

static uint32_t texel(uint32_t x, uint32_t y) {
	return (x * 77 + y * 1234567 + 1) * UINT32_C(2654435761);
}

/** A buffer that holds the image without gaps, and that we see. */
static void create_buffer(struct peer *peer, struct shmem *shm) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = WIDTH * HEIGHT * 4,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = PEER_HANDLE(VkBuffer, BUFFER);
	struct venus_vkCreateBuffer create = {
		.device = PEER_DEVICE_HANDLE, .pCreateInfo = &info, .pBuffer = &buffer};
	PEER_CALL(peer, vkCreateBuffer, &create);
	CHECK_INT(create.ret, VK_SUCCESS);
	VkMemoryRequirements requirements;
	struct venus_vkGetBufferMemoryRequirements get = {
		.device = PEER_DEVICE_HANDLE,
		.buffer = PEER_HANDLE(VkBuffer, BUFFER),
		.pMemoryRequirements = &requirements,
	};
	PEER_CALL(peer, vkGetBufferMemoryRequirements, &get);
	requirements = *get.pMemoryRequirements;
	CHECK_INT(allocate(peer, BUFFER_MEMORY, requirements.size,
			  choose_type(peer, requirements.memoryTypeBits), NULL), VK_SUCCESS);
	struct venus_vkBindBufferMemory bind = {
		.device = PEER_DEVICE_HANDLE,
		.buffer = PEER_HANDLE(VkBuffer, BUFFER),
		.memory = PEER_HANDLE(VkDeviceMemory, BUFFER_MEMORY),
	};
	PEER_CALL(peer, vkBindBufferMemory, &bind);
	CHECK_INT(bind.ret, VK_SUCCESS);
	CHECK_INT(peer_create_blob(peer, BUFFER_RESOURCE, RENDER_BLOB_MAPPABLE, BUFFER_MEMORY,
			  info.size, shm), 0);
}

static void begin_commands(struct peer *peer) {
	const VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
	const VkCommandBufferAllocateInfo allocate_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = PEER_HANDLE(VkCommandPool, POOL),
		.commandBufferCount = 1,
	};
	const VkCommandBufferBeginInfo begin_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	VkCommandPool pool = PEER_HANDLE(VkCommandPool, POOL);
	VkCommandBuffer commands = PEER_HANDLE(VkCommandBuffer, COMMANDS);
	peer_begin(peer);
	PEER_ADD(peer, vkCreateCommandPool, .device = PEER_DEVICE_HANDLE, .pCreateInfo = &pool_info,
		.pCommandPool = &pool);
	PEER_ADD(peer, vkAllocateCommandBuffers, .device = PEER_DEVICE_HANDLE,
		.pAllocateInfo = &allocate_info, .pCommandBuffers = &commands);
	PEER_ADD(peer, vkBeginCommandBuffer, .commandBuffer = PEER_HANDLE(VkCommandBuffer, COMMANDS),
		.pBeginInfo = &begin_info);
}

/** Submits, waits, and takes the pool away. */
static void end_commands(struct peer *peer) {
	const VkCommandBuffer commands = PEER_HANDLE(VkCommandBuffer, COMMANDS);
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};
	PEER_ADD(peer, vkEndCommandBuffer, .commandBuffer = commands);
	PEER_ADD(peer, vkQueueSubmit, .queue = PEER_QUEUE_HANDLE, .submitCount = 1,
		.pSubmits = &submit);
	peer_ring_write(peer);
	peer_begin(peer);
	PEER_ADD(peer, vkWaitRingSeqnoMESA, .ring = PEER_RING_ID, .seqno = peer->position);
	peer_expect_fence(peer, 1, peer_submit(peer, 1));
	peer_begin(peer);
	PEER_ADD(peer, vkDestroyCommandPool, .device = PEER_DEVICE_HANDLE,
		.commandPool = PEER_HANDLE(VkCommandPool, POOL));
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
}

static const VkImageSubresourceRange whole = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
static const VkBufferImageCopy whole_copy = {
	.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
	.imageExtent = {WIDTH, HEIGHT, 1},
};

static void add_barrier(struct peer *peer, VkPipelineStageFlags from_stage, VkAccessFlags from,
		VkPipelineStageFlags to_stage, VkAccessFlags to, VkImageLayout from_layout,
		VkImageLayout to_layout, uint32_t from_family, uint32_t to_family) {
	const VkImageMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.srcAccessMask = from,
		.dstAccessMask = to,
		.oldLayout = from_layout,
		.newLayout = to_layout,
		.srcQueueFamilyIndex = from_family,
		.dstQueueFamilyIndex = to_family,
		.image = PEER_HANDLE(VkImage, IMAGE),
		.subresourceRange = whole,
	};
	PEER_ADD(peer, vkCmdPipelineBarrier, .commandBuffer = PEER_HANDLE(VkCommandBuffer, COMMANDS),
		.srcStageMask = from_stage, .dstStageMask = to_stage, .imageMemoryBarrierCount = 1,
		.pImageMemoryBarriers = &barrier);
}

/** The same, younger. */
static void add_barrier2(struct peer *peer, VkPipelineStageFlags2 from_stage, VkAccessFlags2 from,
		VkPipelineStageFlags2 to_stage, VkAccessFlags2 to, VkImageLayout from_layout,
		VkImageLayout to_layout, uint32_t from_family, uint32_t to_family) {
	const VkImageMemoryBarrier2 barrier = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2,
		.srcStageMask = from_stage,
		.srcAccessMask = from,
		.dstStageMask = to_stage,
		.dstAccessMask = to,
		.oldLayout = from_layout,
		.newLayout = to_layout,
		.srcQueueFamilyIndex = from_family,
		.dstQueueFamilyIndex = to_family,
		.image = PEER_HANDLE(VkImage, IMAGE),
		.subresourceRange = whole,
	};
	const VkDependencyInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
		.imageMemoryBarrierCount = 1,
		.pImageMemoryBarriers = &barrier,
	};
	PEER_ADD(peer, vkCmdPipelineBarrier2, .commandBuffer = PEER_HANDLE(VkCommandBuffer, COMMANDS),
		.pDependencyInfo = &info);
}

/** The GPU puts the buffer into the image and gives it away, as a client does for its compositor. */
static void draw(struct peer *peer) {
	begin_commands(peer);
	add_barrier(peer, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, 0, VK_PIPELINE_STAGE_TRANSFER_BIT,
		VK_ACCESS_TRANSFER_WRITE_BIT, VK_IMAGE_LAYOUT_UNDEFINED,
		VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_QUEUE_FAMILY_FOREIGN_EXT, 0);
	PEER_ADD(peer, vkCmdCopyBufferToImage,
		.commandBuffer = PEER_HANDLE(VkCommandBuffer, COMMANDS),
		.srcBuffer = PEER_HANDLE(VkBuffer, BUFFER), .dstImage = PEER_HANDLE(VkImage, IMAGE),
		.dstImageLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, .regionCount = 1,
		.pRegions = &whole_copy);
	add_barrier2(peer, VK_PIPELINE_STAGE_2_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_WRITE_BIT,
		VK_PIPELINE_STAGE_2_NONE, 0, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
		VK_IMAGE_LAYOUT_GENERAL, 0, VK_QUEUE_FAMILY_FOREIGN_EXT);
	end_commands(peer);
}

/** The compositor's part: takes the image and reads it. */
static void read_back(struct peer *peer) {
	begin_commands(peer);
	add_barrier2(peer, VK_PIPELINE_STAGE_2_NONE, 0, VK_PIPELINE_STAGE_2_TRANSFER_BIT,
		VK_ACCESS_2_TRANSFER_READ_BIT, VK_IMAGE_LAYOUT_GENERAL,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_QUEUE_FAMILY_FOREIGN_EXT, 0);
	PEER_ADD(peer, vkCmdCopyImageToBuffer,
		.commandBuffer = PEER_HANDLE(VkCommandBuffer, COMMANDS),
		.srcImage = PEER_HANDLE(VkImage, IMAGE),
		.srcImageLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
		.dstBuffer = PEER_HANDLE(VkBuffer, BUFFER), .regionCount = 1, .pRegions = &whole_copy);
	add_barrier(peer, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0,
		VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_IMAGE_LAYOUT_GENERAL, 0,
		VK_QUEUE_FAMILY_FOREIGN_EXT);
	end_commands(peer);
}

/** Gives a context a resource of another one's, as the device does. */
static void attach(struct peer *peer, uint32_t resource_id, const struct shmem *shm) {
	const struct render_attach_resource request = {
		.resource_id = resource_id, .map_info = RENDER_MAP_CACHED, .size = shm->size};
	CHECK_INT(channel_send(&peer->channel, RENDER_REQUEST_ATTACH_RESOURCE, &request,
			  sizeof(request), NULL, 0, &shm->fd, 1), 0);
	peer_sync(peer);
}

static void test_two_contexts_share_an_image(void) {
	struct peer client, compositor;
	struct shmem image_shm, client_shm, compositor_shm;
	uint64_t size;
	start(&client);
	create_exported_image(&client, &image_shm, &size);
	create_buffer(&client, &client_shm);
	const VkSubresourceLayout layout =
		layout_of_image(&client, VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT);

	start(&compositor);
	attach(&compositor, IMAGE_RESOURCE, &image_shm);
	uint64_t found_size;
	const uint32_t types = types_of_resource(&compositor, IMAGE_RESOURCE, &found_size);
	CHECK_INT(found_size, size);
	const VkSubresourceLayout plane = {.offset = layout.offset, .rowPitch = layout.rowPitch};
	CHECK_INT(create_explicit_image(&compositor, LINEAR, &plane, 1), VK_SUCCESS);
	const VkMemoryRequirements requirements = image_requirements(&compositor);
	CHECK(requirements.size <= size);
	/* whatever binds the image takes the resource, too */
	CHECK_INT(requirements.memoryTypeBits & ~types, 0);
	const uint32_t type = choose_type(&compositor, requirements.memoryTypeBits & types);
	CHECK_INT(import(&compositor, IMAGE_RESOURCE, size, type), VK_SUCCESS);
	bind_image(&compositor);
	create_buffer(&compositor, &compositor_shm);

	for (uint32_t frame = 0; frame < 3; frame++) {
		uint32_t *texels = client_shm.data;
		for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
			texels[i] = texel(i % WIDTH, i / WIDTH + frame * HEIGHT);
		}
		draw(&client);
		memset(compositor_shm.data, 0, WIDTH * HEIGHT * 4);
		read_back(&compositor);
		CHECK(memcmp(texels, compositor_shm.data, WIDTH * HEIGHT * 4) == 0);
		/* the display, which knows offset and pitch, sees the same */
		for (uint32_t y = 0; y < HEIGHT; y++) {
			CHECK(memcmp((uint8_t *)image_shm.data + layout.offset + y * layout.rowPitch,
				      texels + y * WIDTH, WIDTH * 4) == 0);
		}
	}

	/* the client goes; the compositor still has the last frame */
	peer_stop(&client);
	memset(compositor_shm.data, 0, WIDTH * HEIGHT * 4);
	read_back(&compositor);
	CHECK(memcmp(client_shm.data, compositor_shm.data, WIDTH * HEIGHT * 4) == 0);
	peer_stop(&compositor);
	shmem_finish(&image_shm);
	shmem_finish(&client_shm);
	shmem_finish(&compositor_shm);
}

static void test_views(void) {
	struct peer peer;
	struct shmem shm;
	uint64_t size;
	start(&peer);
	create_exported_image(&peer, &shm, &size);
	const VkImageViewCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = PEER_HANDLE(VkImage, IMAGE),
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = FORMAT,
		.subresourceRange = whole,
	};
	VkImageView view = PEER_HANDLE(VkImageView, VIEW);
	struct venus_vkCreateImageView args = {
		.device = PEER_DEVICE_HANDLE, .pCreateInfo = &info, .pView = &view};
	PEER_CALL(&peer, vkCreateImageView, &args);
	CHECK_INT(args.ret, VK_SUCCESS);
	/* between two strangers: nothing that the host could be told */
	begin_commands(&peer);
	add_barrier(&peer, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, 0,
		VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, VK_IMAGE_LAYOUT_UNDEFINED,
		VK_IMAGE_LAYOUT_GENERAL, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_QUEUE_FAMILY_EXTERNAL);
	end_commands(&peer);
	peer_stop(&peer);
	shmem_finish(&shm);
}

/* --- what cannot be --- */

static void test_poor_imports(void) {
	struct peer peer;
	struct shmem shm;
	start(&peer);
	const uint64_t linear = LINEAR;
	CHECK_INT(create_listed_image(&peer, &linear, 1), VK_SUCCESS);
	const VkMemoryRequirements requirements = image_requirements(&peer);
	const uint32_t type = choose_type(&peer, requirements.memoryTypeBits);
	CHECK_INT(shmem_create(&shm, "small", 1), 0);
	attach(&peer, ODD_RESOURCE, &shm);
	/* more than there is */
	CHECK_INT(import(&peer, ODD_RESOURCE, requirements.size + page_size(), type),
		VK_ERROR_INVALID_EXTERNAL_HANDLE);
	CHECK_INT(import(&peer, ODD_RESOURCE, UINT64_MAX, type) < 0, true);
	uint64_t size;
	CHECK(types_of_resource(&peer, ODD_RESOURCE, &size) & UINT32_C(1) << type);
	CHECK_INT(size, page_size());

	/* types that cannot be shared are not exported, nor is anything imported as such */
	VkPhysicalDeviceMemoryProperties properties;
	struct venus_vkGetPhysicalDeviceMemoryProperties get = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pMemoryProperties = &properties};
	PEER_CALL(&peer, vkGetPhysicalDeviceMemoryProperties, &get);
	const uint32_t shared = types_of_resource(&peer, ODD_RESOURCE, &size);
	const VkExportMemoryAllocateInfo export = {
		.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
		.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
	};
	for (uint32_t i = 0; i < get.pMemoryProperties->memoryTypeCount; i++) {
		const VkResult expected =
			shared >> i & 1 ? VK_SUCCESS : VK_ERROR_INVALID_EXTERNAL_HANDLE;
		CHECK_INT(allocate(&peer, OTHER + 2 * i, 65536, i, &export), expected);
		const VkImportMemoryResourceInfoMESA import_info = {
			.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA,
			.resourceId = ODD_RESOURCE,
		};
		CHECK_INT(allocate(&peer, OTHER + 2 * i + 1, 4096, i, &import_info), expected);
	}
	peer_stop(&peer);
	shmem_finish(&shm);
}

static void test_import_of_nothing(void) {
	struct peer peer;
	start(&peer);
	const VkImportMemoryResourceInfoMESA info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA, .resourceId = 4711};
	const VkMemoryAllocateInfo allocate_info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = &info,
		.allocationSize = 4096,
	};
	VkDeviceMemory memory = PEER_HANDLE(VkDeviceMemory, IMAGE_MEMORY);
	peer_begin(&peer);
	PEER_ADD(&peer, vkAllocateMemory, .device = PEER_DEVICE_HANDLE,
		.pAllocateInfo = &allocate_info, .pMemory = &memory);
	peer_ring_write(&peer);
	peer_expect_lost(&peer, "the resource to import does not exist");
	peer_stop(&peer);
}

int main(int argc, char **argv) {
	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: %s VENERA-RENDER [OPTION]\n", argv[0]);
		return 2;
	}
	program = argv[1];
	option = argc > 2 ? argv[2] : NULL;
	log_init("test", LOG_LEVEL_INFO);
	RUN(test_extensions);
	RUN(test_format_modifiers);
	RUN(test_image_queries);
	RUN(test_buffer_queries);
	RUN(test_modifier_lists);
	RUN(test_explicit_layouts);
	RUN(test_two_contexts_share_an_image);
	RUN(test_views);
	RUN(test_poor_imports);
	RUN(test_import_of_nothing);
	return 0;
}
