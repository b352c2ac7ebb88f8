/* SPDX-License-Identifier: MIT */
#include "render/external_memory.h"

#include "render/buffer_image.h"
#include "render/call.h"
#include "render/chain.h"
#include "render/physical_device.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

/*
 * Theory of operation
 *
 * Guests share memory between their processes, and show it, by descriptors:
 * VK_KHR_external_memory_fd, VK_EXT_external_memory_dma_buf, VK_EXT_image_drm_format_modifier,
 * VK_EXT_queue_family_foreign. Hosts may have these or not; to us it makes no difference, as a
 * descriptor of the host means nothing in a guest. We implement them on what all mappable memory
 * is here, shared memory that the host's driver imports (memory.c):
 *
 *  - vkAllocateMemory with an export makes shared memory, as without one; of memory types that are
 *    not made of it nothing is exported, and buffers and images to be shared do not name them.
 *    The guest's driver makes a blob resource of the memory at once; what the guest's kernel
 *    calls a dma-buf is that resource.
 *  - Import by resource maps the same pages in the process of another context. Every resource that
 *    has shared memory will do.
 *  - An image to be shared is LINEAR, the one layout that two drivers, or two processes, agree on,
 *    and the one in which every driver takes imports. The only DRM format modifier is therefore
 *    DRM_FORMAT_MOD_LINEAR, with one memory plane, and only for what the host's driver does with
 *    LINEAR images on imported memory.
 *  - The row pitch is the host driver's. A guest that brings pixels of another pitch is refused.
 *  - The foreign queue family becomes the external one, which is Vulkan 1.1 and asks of the host
 *    all that is needed: its caches are written back for whoever else looks at the memory
 *    (barrier.c).
 *
 * Nothing of these extensions is ever named to the host.
 */

bool render_format_is_shareable(VkFormat format) {
	switch (format) {
	case VK_FORMAT_A4R4G4B4_UNORM_PACK16:
	case VK_FORMAT_A4B4G4R4_UNORM_PACK16:
		return true;
	default:
		return format >= VK_FORMAT_R4G4_UNORM_PACK8 &&
			format <= VK_FORMAT_E5B9G9R9_UFLOAT_PACK32;
	}
}

static bool can_be_shared(VkFormat format, VkImageType type, VkImageCreateFlags flags) {
	const VkImageCreateFlags impossible = VK_IMAGE_CREATE_SPARSE_BINDING_BIT |
		VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT | VK_IMAGE_CREATE_SPARSE_ALIASED_BIT |
		VK_IMAGE_CREATE_PROTECTED_BIT | VK_IMAGE_CREATE_DISJOINT_BIT |
		VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT;
	return type == VK_IMAGE_TYPE_2D && !(flags & impossible) &&
		render_format_is_shareable(format);
}

/* --- what there is --- */

VkResult render_shared_image_properties(const struct render_physical_device *physical,
		const struct vk_instance_table *vk, VkPhysicalDeviceImageFormatInfo2 *info,
		VkImageFormatProperties2 *properties) {
	if (!can_be_shared(info->format, info->type, info->flags)) {
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	/* a driver that refuses the structures, whatever it says, binds LINEAR images without */
	const bool declared = physical->host_memory.external_buffers;
	VkPhysicalDeviceExternalImageFormatInfo external_info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
		.handleType = physical->host_memory.handle_type,
	};
	/* the guest's structure stays where it is in its chain: replies are read in order */
	VkExternalImageFormatProperties own = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES,
	};
	VkExternalImageFormatProperties *external =
		chain_find(properties, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
	if (declared) {
		chain_insert(info, &external_info);
	}
	if (!external) {
		chain_insert(properties, &own);
	}
	VkResult result = vk->GetPhysicalDeviceImageFormatProperties2(
		render_physical_device_handle(physical), info, properties);
	if (!external) {
		chain_remove(properties, own.sType);
	}
	if (declared) {
		chain_remove(info, external_info.sType);
	}
	VkExternalMemoryProperties *memory =
		&(external ? external : &own)->externalMemoryProperties;
	VkImageFormatProperties *limits = &properties->imageFormatProperties;
	if (result == VK_SUCCESS &&
			((declared && !vk_host_memory_takes(&physical->host_memory, memory)) ||
				!(limits->sampleCounts & VK_SAMPLE_COUNT_1_BIT))) {
		result = VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	if (result != VK_SUCCESS) {
		*limits = (VkImageFormatProperties){0};
		*memory = (VkExternalMemoryProperties){0};
		return result;
	}
	limits->maxMipLevels = 1;
	limits->maxArrayLayers = 1;
	limits->sampleCounts = VK_SAMPLE_COUNT_1_BIT;
	*memory = (VkExternalMemoryProperties){
		.externalMemoryFeatures = VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT |
			VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT,
		.exportFromImportedHandleTypes = RENDER_GUEST_HANDLE_TYPES,
		.compatibleHandleTypes = RENDER_GUEST_HANDLE_TYPES,
	};
	return VK_SUCCESS;
}

/** Is it one of the guest's handle types? Queries name one at a time. */
static bool is_guest_handle_type(VkExternalMemoryHandleTypeFlags type) {
	return (type & RENDER_GUEST_HANDLE_TYPES) && !(type & (type - 1));
}

void render_handle_vkGetPhysicalDeviceImageFormatProperties2(struct render_call *call,
		struct venus_vkGetPhysicalDeviceImageFormatProperties2 *args) {
	struct render_physical_device *physical =
		(struct render_physical_device *)args->physicalDevice_object;
	const struct vk_instance_table *vk = render_instance_table_of(call->context);
	VkPhysicalDeviceImageFormatInfo2 *info =
		(VkPhysicalDeviceImageFormatInfo2 *)args->pImageFormatInfo;
	const VkPhysicalDeviceExternalImageFormatInfo *external =
		chain_remove(info, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO);
	const VkPhysicalDeviceImageDrmFormatModifierInfoEXT *modifier = chain_remove(info,
		VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT);
	const VkExternalMemoryHandleTypeFlags handle_type = external ? external->handleType : 0;
	const bool has_modifier = info->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
	if (!handle_type && !has_modifier) {
		args->ret = vk->GetPhysicalDeviceImageFormatProperties2(
			args->physicalDevice, info, args->pImageFormatProperties);
		return;
	}
	args->ret = VK_ERROR_FORMAT_NOT_SUPPORTED;
	if (render_physical_device_fill_extensions(call->context, physical) != VK_SUCCESS ||
			!physical->shares_memory ||
			(handle_type && !is_guest_handle_type(handle_type))) {
		return;
	}
	if (has_modifier) {
		if (!modifier || modifier->drmFormatModifier != RENDER_MODIFIER_LINEAR) {
			return;
		}
		info->tiling = VK_IMAGE_TILING_LINEAR;
	}
	if (info->tiling == VK_IMAGE_TILING_LINEAR) {
		args->ret = render_shared_image_properties(
			physical, vk, info, args->pImageFormatProperties);
	}
}

void render_handle_vkGetPhysicalDeviceExternalBufferProperties(struct render_call *call,
		struct venus_vkGetPhysicalDeviceExternalBufferProperties *args) {
	struct render_physical_device *physical =
		(struct render_physical_device *)args->physicalDevice_object;
	VkPhysicalDeviceExternalBufferInfo *info =
		(VkPhysicalDeviceExternalBufferInfo *)args->pExternalBufferInfo;
	VkExternalMemoryProperties *memory =
		&args->pExternalBufferProperties->externalMemoryProperties;
	const bool possible = is_guest_handle_type(info->handleType) &&
		!(info->flags & (VK_BUFFER_CREATE_SPARSE_BINDING_BIT |
					VK_BUFFER_CREATE_PROTECTED_BIT)) &&
		render_physical_device_fill_extensions(call->context, physical) == VK_SUCCESS &&
		physical->shares_memory;
	*memory = (VkExternalMemoryProperties){0};
	if (!possible) {
		return;
	}
	if (physical->host_memory.external_buffers) {
		info->handleType = physical->host_memory.handle_type;
		render_instance_table_of(call->context)->GetPhysicalDeviceExternalBufferProperties(
			args->physicalDevice, info, args->pExternalBufferProperties);
		if (!vk_host_memory_takes(&physical->host_memory, memory)) {
			*memory = (VkExternalMemoryProperties){0};
			return;
		}
	}
	*memory = (VkExternalMemoryProperties){
		.externalMemoryFeatures = VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT |
			VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT,
		.exportFromImportedHandleTypes = RENDER_GUEST_HANDLE_TYPES,
		.compatibleHandleTypes = RENDER_GUEST_HANDLE_TYPES,
	};
}

/* --- images --- */

static bool lists_linear(const VkImageDrmFormatModifierListCreateInfoEXT *list) {
	for (uint32_t i = 0; i < list->drmFormatModifierCount; i++) {
		if (list->pDrmFormatModifiers[i] == RENDER_MODIFIER_LINEAR) {
			return true;
		}
	}
	return false;
}

/** Reads what the guest says of modifiers. */
static VkResult translate_modifiers(const VkImageDrmFormatModifierListCreateInfoEXT *list,
		const VkImageDrmFormatModifierExplicitCreateInfoEXT *explicit_info,
		struct render_image_request *request) {
	if (!explicit_info) {
		return list && lists_linear(list) ? VK_SUCCESS : VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	if (explicit_info->drmFormatModifier != RENDER_MODIFIER_LINEAR ||
			explicit_info->drmFormatModifierPlaneCount != 1) {
		return VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT;
	}
	request->has_layout = true;
	request->layout = explicit_info->pPlaneLayouts[0];
	return VK_SUCCESS;
}

VkResult render_image_translate(const struct render_physical_device *physical,
		VkImageCreateInfo *info, struct render_image_request *request) {
	const VkExternalMemoryImageCreateInfo *external =
		chain_remove(info, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
	const VkImageDrmFormatModifierListCreateInfoEXT *list = chain_remove(
		info, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT);
	const VkImageDrmFormatModifierExplicitCreateInfoEXT *explicit_info = chain_remove(
		info, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT);
	const bool has_modifier = info->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
	*request = (struct render_image_request){
		.shared = has_modifier ||
			(physical->shares_memory && external && external->handleTypes),
	};
	if (!request->shared) {
		return VK_SUCCESS;
	}
	if (!physical->shares_memory || info->mipLevels != 1 || info->arrayLayers != 1 ||
			info->samples != VK_SAMPLE_COUNT_1_BIT ||
			(external && (external->handleTypes & ~RENDER_GUEST_HANDLE_TYPES)) ||
			!can_be_shared(info->format, info->imageType, info->flags)) {
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	/* also of OPTIMAL ones, of which nobody else would know how their texels lie */
	info->tiling = VK_IMAGE_TILING_LINEAR;
	return has_modifier ? translate_modifiers(list, explicit_info, request) : VK_SUCCESS;
}

bool render_image_request_fits(
		const struct render_image_request *request, const VkSubresourceLayout *layout) {
	const VkSubresourceLayout *wanted = &request->layout;
	/* the other pitches and the size say nothing of an image of one layer */
	return !request->has_layout ||
		(wanted->offset == layout->offset && wanted->rowPitch == layout->rowPitch);
}

void render_handle_vkGetImageDrmFormatModifierPropertiesEXT(struct render_call *call,
		struct venus_vkGetImageDrmFormatModifierPropertiesEXT *args) {
	const struct render_image *image = (const struct render_image *)args->image_object;
	if (!args->image || call->decoder->failed_object) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
		return;
	}
	args->pProperties->drmFormatModifier =
		image->linear ? RENDER_MODIFIER_LINEAR : RENDER_MODIFIER_INVALID;
	args->ret = VK_SUCCESS;
}

/** Memory planes are those of modifiers; ours have one, which the host calls colour. */
static void fix_aspect(const VkImageSubresource *subresource) {
	const VkImageAspectFlags memory_planes = VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT |
		VK_IMAGE_ASPECT_MEMORY_PLANE_1_BIT_EXT | VK_IMAGE_ASPECT_MEMORY_PLANE_2_BIT_EXT |
		VK_IMAGE_ASPECT_MEMORY_PLANE_3_BIT_EXT;
	if (subresource->aspectMask & memory_planes) {
		((VkImageSubresource *)subresource)->aspectMask = VK_IMAGE_ASPECT_COLOR_BIT;
	}
}

void render_prepare_vkGetImageSubresourceLayout(
		struct render_call *call, struct venus_vkGetImageSubresourceLayout *args) {
	(void)call;
	fix_aspect(args->pSubresource);
}

void render_prepare_vkGetImageSubresourceLayout2(
		struct render_call *call, struct venus_vkGetImageSubresourceLayout2 *args) {
	(void)call;
	fix_aspect(&args->pSubresource->imageSubresource);
}

void render_handle_vkGetDeviceImageSubresourceLayout(
		struct render_call *call, struct venus_vkGetDeviceImageSubresourceLayout *args) {
	const struct render_device *device = render_device_of(call->decoder->device);
	const VkDeviceImageSubresourceInfo *info = args->pInfo;
	if (!device->vk.GetDeviceImageSubresourceLayout) {
		render_call_fail(call, "the command is not enabled on the device");
		return;
	}
	struct render_image_request request;
	args->pLayout->subresourceLayout = (VkSubresourceLayout){0};
	if (render_image_translate(device->physical, (VkImageCreateInfo *)info->pCreateInfo,
			    &request) == VK_SUCCESS) {
		fix_aspect(&info->pSubresource->imageSubresource);
		device->vk.GetDeviceImageSubresourceLayout(args->device, info, args->pLayout);
	}
}

/* --- sparse images have no modifiers --- */

void render_handle_vkGetPhysicalDeviceSparseImageFormatProperties2(struct render_call *call,
		struct venus_vkGetPhysicalDeviceSparseImageFormatProperties2 *args) {
	if (args->pFormatInfo->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) {
		*args->pPropertyCount = 0;
		return;
	}
	render_instance_table_of(call->context)->GetPhysicalDeviceSparseImageFormatProperties2(
		args->physicalDevice, args->pFormatInfo, args->pPropertyCount, args->pProperties);
}

void render_handle_vkGetDeviceImageSparseMemoryRequirements(struct render_call *call,
		struct venus_vkGetDeviceImageSparseMemoryRequirements *args) {
	const struct vk_device_table *vk = render_call_device_table(call);
	if (!vk->GetDeviceImageSparseMemoryRequirements) {
		render_call_fail(call, "the command is not enabled on the device");
		return;
	}
	if (args->pInfo->pCreateInfo->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) {
		*args->pSparseMemoryRequirementCount = 0;
		return;
	}
	vk->GetDeviceImageSparseMemoryRequirements(args->device, args->pInfo,
		args->pSparseMemoryRequirementCount, args->pSparseMemoryRequirements);
}
