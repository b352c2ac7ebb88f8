/* SPDX-License-Identifier: MIT */

/*
 * What the guest is told of formats with DRM format modifiers. Of these there is
 * DRM_FORMAT_MOD_LINEAR, and the host is not asked about modifiers but about LINEAR images on
 * imported memory (external_memory.c). A driver names features of LINEAR images in general, and
 * need not have them for those: so each kind of use is tried.
 */

#include "render/call.h"
#include "render/chain.h"
#include "render/external_memory.h"
#include "render/physical_device.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

/*
 * NVIDIA's driver names blending, in VkFormatProperties3 alone, of LINEAR images that are no colour
 * attachments (but with VK_NV_linear_color_attachment): without one of `any_of` the rest is void.
 */
static const struct {
	VkImageUsageFlags usage;
	VkFormatFeatureFlags2 any_of, features;
} uses[] = {
	{VK_IMAGE_USAGE_SAMPLED_BIT, VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT,
		VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT |
			VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_FILTER_LINEAR_BIT |
			VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_FILTER_MINMAX_BIT |
			VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_FILTER_CUBIC_BIT_EXT},
	{VK_IMAGE_USAGE_STORAGE_BIT, VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT,
		VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT |
			VK_FORMAT_FEATURE_2_STORAGE_IMAGE_ATOMIC_BIT |
			VK_FORMAT_FEATURE_2_STORAGE_READ_WITHOUT_FORMAT_BIT |
			VK_FORMAT_FEATURE_2_STORAGE_WRITE_WITHOUT_FORMAT_BIT},
	{VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BIT,
		VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BIT |
			VK_FORMAT_FEATURE_2_COLOR_ATTACHMENT_BLEND_BIT},
	{VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
		VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT | VK_FORMAT_FEATURE_2_BLIT_SRC_BIT,
		VK_FORMAT_FEATURE_2_TRANSFER_SRC_BIT | VK_FORMAT_FEATURE_2_BLIT_SRC_BIT},
	{VK_IMAGE_USAGE_TRANSFER_DST_BIT,
		VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT | VK_FORMAT_FEATURE_2_BLIT_DST_BIT,
		VK_FORMAT_FEATURE_2_TRANSFER_DST_BIT | VK_FORMAT_FEATURE_2_BLIT_DST_BIT},
};

/** What can be done with shared images of the format; 0: there are none. */
static VkFormatFeatureFlags2 shared_features(const struct render_physical_device *physical,
		const struct vk_instance_table *vk, VkFormat format) {
	const bool has_more = physical->properties.apiVersion >= VK_API_VERSION_1_3 ||
		vk_extensions_have(&physical->host_extensions,
			VK_KHR_FORMAT_FEATURE_FLAGS_2_EXTENSION_NAME);
	VkFormatProperties3 more = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3};
	VkFormatProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2,
		.pNext = has_more ? &more : NULL,
	};
	if (!render_format_is_shareable(format)) {
		return 0;
	}
	vk->GetPhysicalDeviceFormatProperties2(
		render_physical_device_handle(physical), format, &properties);
	const VkFormatFeatureFlags2 named = has_more ?
		more.linearTilingFeatures : properties.formatProperties.linearTilingFeatures;
	VkFormatFeatureFlags2 features = 0;
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if (!(named & uses[i].any_of)) {
			continue;
		}
		VkPhysicalDeviceImageFormatInfo2 info = {
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
			.format = format,
			.type = VK_IMAGE_TYPE_2D,
			.tiling = VK_IMAGE_TILING_LINEAR,
			.usage = uses[i].usage,
		};
		VkImageFormatProperties2 limits = {
			.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
		};
		if (render_shared_image_properties(physical, vk, &info, &limits) == VK_SUCCESS) {
			features |= named & uses[i].features;
		}
	}
	return features;
}

/** A structure that the host must not see, taken out of a chain whose order matters. */
struct hidden {
	VkBaseOutStructure *before, *item;
};

static struct hidden hide(void *head, VkStructureType type) {
	struct hidden hidden = {.before = head};
	while (hidden.before->pNext && hidden.before->pNext->sType != type) {
		hidden.before = hidden.before->pNext;
	}
	hidden.item = hidden.before->pNext;
	if (hidden.item) {
		hidden.before->pNext = hidden.item->pNext;
	}
	return hidden;
}

/** In the opposite order of hiding. */
static void *show(const struct hidden *hidden) {
	if (hidden->item) {
		hidden->before->pNext = hidden->item;
	}
	return hidden->item;
}

static void fill_list(VkDrmFormatModifierPropertiesListEXT *list, VkFormatFeatureFlags2 features) {
	const uint32_t count = features ? 1 : 0;
	if (list->pDrmFormatModifierProperties && list->drmFormatModifierCount >= count && count) {
		list->pDrmFormatModifierProperties[0] = (VkDrmFormatModifierPropertiesEXT){
			.drmFormatModifier = RENDER_MODIFIER_LINEAR,
			.drmFormatModifierPlaneCount = 1,
			/* the younger ones have numbers of their own */
			.drmFormatModifierTilingFeatures =
				(VkFormatFeatureFlags)(features & INT32_MAX),
		};
	}
	if (!list->pDrmFormatModifierProperties || list->drmFormatModifierCount > count) {
		list->drmFormatModifierCount = count;
	}
}

static void fill_list2(
		VkDrmFormatModifierPropertiesList2EXT *list, VkFormatFeatureFlags2 features) {
	const uint32_t count = features ? 1 : 0;
	if (list->pDrmFormatModifierProperties && list->drmFormatModifierCount >= count && count) {
		list->pDrmFormatModifierProperties[0] = (VkDrmFormatModifierProperties2EXT){
			.drmFormatModifier = RENDER_MODIFIER_LINEAR,
			.drmFormatModifierPlaneCount = 1,
			.drmFormatModifierTilingFeatures = features,
		};
	}
	if (!list->pDrmFormatModifierProperties || list->drmFormatModifierCount > count) {
		list->drmFormatModifierCount = count;
	}
}

void render_handle_vkGetPhysicalDeviceFormatProperties2(struct render_call *call,
		struct venus_vkGetPhysicalDeviceFormatProperties2 *args) {
	struct render_physical_device *physical =
		(struct render_physical_device *)args->physicalDevice_object;
	const struct vk_instance_table *vk = render_instance_table_of(call->context);
	struct hidden hidden = hide(
		args->pFormatProperties, VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT);
	struct hidden hidden2 = hide(args->pFormatProperties,
		VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_2_EXT);
	vk->GetPhysicalDeviceFormatProperties2(
		args->physicalDevice, args->format, args->pFormatProperties);
	VkDrmFormatModifierPropertiesList2EXT *list2 = show(&hidden2);
	VkDrmFormatModifierPropertiesListEXT *list = show(&hidden);
	if (!list && !list2) {
		return;
	}
	VkFormatFeatureFlags2 features = 0;
	if (render_physical_device_fill_extensions(call->context, physical) == VK_SUCCESS &&
			physical->shares_memory) {
		features = shared_features(physical, vk, args->format);
	}
	if (list) {
		fill_list(list, features);
	}
	if (list2) {
		fill_list2(list2, features);
	}
}
