/* SPDX-License-Identifier: MIT */

/*
 * Buffers and images. Mappable memory is an import on the host (memory.c), and Vulkan wants what is bound to an
 * import to be made with the import's handle type. So it is added wherever the driver can take it, and what the
 * guest asked for in its place, which means nothing to the host, is dropped. Where the driver cannot, memory types that
 * are imports are taken out of the object's memory requirements; the guest then binds it to the driver's
 * own memory. What the guest wants to share (external_memory.c) has no types but those.
 */

#include "render/buffer_image.h"
#include "render/call.h"
#include "render/check.h"
#include "render/chain.h"
#include "render/device.h"
#include "render/external_memory.h"
#include "render/physical_device.h"
#include "render_dispatch.h"
#include "venus/venus_commands.h"

/* --- making them bindable to imports --- */

/** Has the driver such buffers for imports? Of those without flags that is known. */
static bool has_external_buffers(struct render_call *call, const VkBufferCreateInfo *info) {
	const struct render_physical_device *physical =
		render_device_of(call->decoder->device)->physical;
	if (!info->flags) {
		return true;
	}
	const VkPhysicalDeviceExternalBufferInfo query = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
		.flags = info->flags,
		.usage = info->usage,
		.handleType = physical->host_memory.handle_type,
	};
	VkExternalBufferProperties properties = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
	};
	render_call_instance_table(call)->GetPhysicalDeviceExternalBufferProperties(
		render_physical_device_handle(physical), &query, &properties);
	return vk_host_memory_takes(&physical->host_memory, &properties.externalMemoryProperties);
}

/**
 * Makes a buffer to be created one that takes imports, if there are such. `external` is the caller's, to be
 * chained.
 */
static enum render_binding prepare_buffer(struct render_call *call, const VkBufferCreateInfo *info,
		VkExternalMemoryBufferCreateInfo *external) {
	const struct render_physical_device *physical =
		render_device_of(call->decoder->device)->physical;
	const struct vk_host_memory *host_memory = &physical->host_memory;
	const VkExternalMemoryBufferCreateInfo *asked =
		chain_remove(info, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
	const enum render_binding binding =
		physical->shares_memory && asked && asked->handleTypes ? RENDER_BINDS_SHARED :
									 RENDER_BINDS_ANY;
	if (!host_memory->external_buffers) {
		/* the driver refuses the structure, and binds buffers without */
		return info->flags & VK_BUFFER_CREATE_SPARSE_BINDING_BIT ? RENDER_BINDS_OWN : binding;
	}
	if (!has_external_buffers(call, info)) {
		return RENDER_BINDS_OWN;
	}
	*external = (VkExternalMemoryBufferCreateInfo){
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = host_memory->handle_type,
	};
	chain_insert(info, external);
	return binding;
}

/** The same for an image that is no more than the host knows of. Are there such? */
static bool prepare_image(struct render_call *call, const VkImageCreateInfo *info,
		VkExternalMemoryImageCreateInfo *external) {
	const struct render_device *device = render_device_of(call->decoder->device);
	if (info->initialLayout != VK_IMAGE_LAYOUT_UNDEFINED ||
			!device->physical->host_memory.external_buffers) {
		/*
		 * An external image begins in the undefined layout: Vulkan knows no other. And a driver that
		 * refuses the structure for buffers, whatever it says, refuses it for images.
		 */
		return info->tiling == VK_IMAGE_TILING_LINEAR;
	}
	if ((info->usage & VK_IMAGE_USAGE_HOST_TRANSFER_BIT) &&
			info->tiling == VK_IMAGE_TILING_OPTIMAL &&
			render_memory_types_own(&device->physical->memory_types)) {
		/* NVIDIA's driver has memory for either, says that it has images for both, and then no memory */
		return false;
	}

	VkImageFormatListCreateInfo list;
	VkImageStencilUsageCreateInfo stencil;
	VkPhysicalDeviceExternalImageFormatInfo external_info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
		.handleType = device->physical->host_memory.handle_type,
	};
	VkPhysicalDeviceImageFormatInfo2 format = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
		.pNext = &external_info,
		.format = info->format,
		.type = info->imageType,
		.tiling = info->tiling,
		.usage = info->usage,
		.flags = info->flags,
	};
	const VkImageFormatListCreateInfo *guest_list =
		chain_find(info, VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO);
	if (guest_list) {
		list = *guest_list;
		chain_insert(&format, &list);
	}
	const VkImageStencilUsageCreateInfo *guest_stencil =
		chain_find(info, VK_STRUCTURE_TYPE_IMAGE_STENCIL_USAGE_CREATE_INFO);
	if (guest_stencil) {
		stencil = *guest_stencil;
		chain_insert(&format, &stencil);
	}
	VkExternalImageFormatProperties external_properties = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES,
	};
	VkImageFormatProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
		.pNext = &external_properties,
	};
	const VkResult result = render_call_instance_table(call)->GetPhysicalDeviceImageFormatProperties2(
		render_physical_device_handle(device->physical), &format, &properties);
	const VkImageFormatProperties *limits = &properties.imageFormatProperties;
	if (result != VK_SUCCESS || !vk_host_memory_takes(&device->physical->host_memory,
				&external_properties.externalMemoryProperties) ||
			info->mipLevels > limits->maxMipLevels ||
			info->arrayLayers > limits->maxArrayLayers ||
			!(info->samples & limits->sampleCounts)) {
		return false;
	}
	*external = (VkExternalMemoryImageCreateInfo){
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
		.handleTypes = device->physical->host_memory.handle_type,
	};
	chain_insert(info, external);
	return true;
}

/** Turns the host's memory types into the guest's. */
static void translate_types(const struct render_device *device, enum render_binding binding,
		VkMemoryRequirements *requirements) {
	const struct render_memory_types *types = &device->physical->memory_types;
	requirements->memoryTypeBits = render_memory_types_of_host(
		types, requirements->memoryTypeBits, binding != RENDER_BINDS_OWN);
	if (binding == RENDER_BINDS_SHARED) {
		requirements->memoryTypeBits &= render_memory_types_shared(types);
	}
}

/* --- buffers --- */

void render_handle_vkCreateBuffer(struct render_call *call, struct venus_vkCreateBuffer *args) {
	VkExternalMemoryBufferCreateInfo external;
	struct venus_object *object = render_object_reserve(call, RENDER_HANDLE(*args->pBuffer),
		VK_OBJECT_TYPE_BUFFER, sizeof(struct render_buffer));
	if (!object) {
		return;
	}
	struct render_buffer *buffer = (struct render_buffer *)object;
	buffer->size = args->pCreateInfo->size;
	buffer->binding = prepare_buffer(call, args->pCreateInfo, &external);
	VkBuffer handle = VK_NULL_HANDLE;
	args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	if (!render_object_is_refused(call)) {
		args->ret = render_call_device_table(call)->CreateBuffer(
			args->device, args->pCreateInfo, NULL, &handle);
	}
	render_object_complete(call, object, RENDER_HANDLE(handle), args->ret);
}

void render_handle_vkGetBufferMemoryRequirements(
		struct render_call *call, struct venus_vkGetBufferMemoryRequirements *args) {
	const struct render_device *device = render_device_of(call->decoder->device);
	if (!args->buffer) {
		return; /* a failed object */
	}
	device->vk.GetBufferMemoryRequirements(
		args->device, args->buffer, args->pMemoryRequirements);
	translate_types(device,
		((const struct render_buffer *)args->buffer_object)->binding,
		args->pMemoryRequirements);
}

void render_handle_vkGetBufferMemoryRequirements2(
		struct render_call *call, struct venus_vkGetBufferMemoryRequirements2 *args) {
	const struct render_device *device = render_device_of(call->decoder->device);
	const struct render_buffer *buffer = (const struct render_buffer *)call->decoder->resource;
	if (!args->pInfo->buffer || !buffer) {
		if (!call->decoder->failed_object) {
			render_call_fail(call, "pInfo->buffer is NULL");
		}
		return;
	}
	device->vk.GetBufferMemoryRequirements2(
		args->device, args->pInfo, args->pMemoryRequirements);
	translate_types(device, buffer->binding,
		&args->pMemoryRequirements->memoryRequirements);
}

void render_handle_vkGetDeviceBufferMemoryRequirements(struct render_call *call,
		struct venus_vkGetDeviceBufferMemoryRequirements *args) {
	const struct render_device *device = render_device_of(call->decoder->device);
	if (!device->vk.GetDeviceBufferMemoryRequirements) {
		render_call_fail(call, "the command is not enabled on the device");
		return;
	}
	VkExternalMemoryBufferCreateInfo external;
	const enum render_binding binding =
		prepare_buffer(call, args->pInfo->pCreateInfo, &external);
	device->vk.GetDeviceBufferMemoryRequirements(
		args->device, args->pInfo, args->pMemoryRequirements);
	translate_types(device, binding, &args->pMemoryRequirements->memoryRequirements);
}

/* --- images --- */

/**
 * Makes of the description of an image one that the host understands, and that takes imports if there are such.
 * Errors are those of vkCreateImage.
 */
static VkResult describe_image(struct render_call *call, VkImageCreateInfo *info,
		VkExternalMemoryImageCreateInfo *external, struct render_image_request *request,
		enum render_binding *binding) {
	const struct render_device *device = render_device_of(call->decoder->device);
	VkResult result = render_image_translate(device->physical, info, request);
	if (result == VK_SUCCESS) {
		const bool takes_imports = prepare_image(call, info, external);
		if (request->shared && !takes_imports) {
			result = VK_ERROR_FORMAT_NOT_SUPPORTED;
		}
		*binding = !takes_imports ? RENDER_BINDS_OWN :
			request->shared ? RENDER_BINDS_SHARED : RENDER_BINDS_ANY;
	}
	return result;
}

/**
 * Of an image that begins PREINITIALIZED the validation layer says what is so and stays so
 * (docs/memory.md). Its name tells which messages these are.
 */
static void name_preinitialized(
		struct render_call *call, const VkImageCreateInfo *info, VkImage handle) {
	const struct render_device *device = render_device_of(call->decoder->device);
	if (!call->context->options.validate || !device->vk.SetDebugUtilsObjectNameEXT ||
			info->initialLayout != VK_IMAGE_LAYOUT_PREINITIALIZED) {
		return;
	}
	const VkDebugUtilsObjectNameInfoEXT name = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
		.objectType = VK_OBJECT_TYPE_IMAGE,
		.objectHandle = RENDER_HANDLE(handle),
		.pObjectName = "begins PREINITIALIZED",
	};
	device->vk.SetDebugUtilsObjectNameEXT(render_device_handle(device), &name);
}

/** Did the host make of it what can be shared, and lie in memory as the guest wants it? */
static VkResult check_shared_image(const struct render_device *device, VkImage handle,
		const struct render_image_request *request) {
	VkMemoryRequirements requirements;
	device->vk.GetImageMemoryRequirements(
		render_device_handle(device), handle, &requirements);
	translate_types(device, RENDER_BINDS_SHARED, &requirements);
	if (!requirements.memoryTypeBits) {
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	const VkImageSubresource subresource = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT};
	VkSubresourceLayout layout;
	device->vk.GetImageSubresourceLayout(
		render_device_handle(device), handle, &subresource, &layout);
	return render_image_request_fits(request, &layout) ?
		VK_SUCCESS : VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT;
}

void render_handle_vkCreateImage(struct render_call *call, struct venus_vkCreateImage *args) {
	VkExternalMemoryImageCreateInfo external;
	if (!render_check_image(args->pCreateInfo)) {
		render_call_fail(call, "no image has so many levels, layers or samples");
		return;
	}
	struct venus_object *object = render_object_reserve(call, RENDER_HANDLE(*args->pImage),
		VK_OBJECT_TYPE_IMAGE, sizeof(struct render_image));
	if (!object) {
		return;
	}
	struct render_image *image = (struct render_image *)object;
	image->format = args->pCreateInfo->format;
	image->type = args->pCreateInfo->imageType;
	image->extent = args->pCreateInfo->extent;
	image->mip_levels = args->pCreateInfo->mipLevels;
	image->array_layers = args->pCreateInfo->arrayLayers;
	image->samples = args->pCreateInfo->samples;
	const struct render_device *device = render_device_of(call->decoder->device);
	VkImageCreateInfo *info = (VkImageCreateInfo *)args->pCreateInfo;
	struct render_image_request request;
	VkImage handle = VK_NULL_HANDLE;
	args->ret = describe_image(call, info, &external, &request, &image->binding);
	image->linear = info->tiling == VK_IMAGE_TILING_LINEAR;
	if (args->ret == VK_SUCCESS && render_object_is_refused(call)) {
		args->ret = VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	if (args->ret == VK_SUCCESS) {
		args->ret = device->vk.CreateImage(args->device, info, NULL, &handle);
	}
	if (args->ret == VK_SUCCESS && request.shared) {
		args->ret = check_shared_image(device, handle, &request);
		if (args->ret != VK_SUCCESS) {
			device->vk.DestroyImage(args->device, handle, NULL);
			handle = VK_NULL_HANDLE;
		}
	}
	if (handle) {
		name_preinitialized(call, info, handle);
	}
	render_object_complete(call, object, RENDER_HANDLE(handle), args->ret);
}

void render_handle_vkGetImageMemoryRequirements(
		struct render_call *call, struct venus_vkGetImageMemoryRequirements *args) {
	const struct render_device *device = render_device_of(call->decoder->device);
	if (!args->image) {
		return; /* a failed object */
	}
	device->vk.GetImageMemoryRequirements(
		args->device, args->image, args->pMemoryRequirements);
	translate_types(device, ((const struct render_image *)args->image_object)->binding,
		args->pMemoryRequirements);
}

void render_handle_vkGetImageMemoryRequirements2(
		struct render_call *call, struct venus_vkGetImageMemoryRequirements2 *args) {
	const struct render_device *device = render_device_of(call->decoder->device);
	const struct render_image *image = (const struct render_image *)call->decoder->resource;
	if (!args->pInfo->image || !image) {
		if (!call->decoder->failed_object) {
			render_call_fail(call, "pInfo->image is NULL");
		}
		return;
	}
	device->vk.GetImageMemoryRequirements2(
		args->device, args->pInfo, args->pMemoryRequirements);
	translate_types(device, image->binding, &args->pMemoryRequirements->memoryRequirements);
}

void render_handle_vkGetDeviceImageMemoryRequirements(struct render_call *call,
		struct venus_vkGetDeviceImageMemoryRequirements *args) {
	const struct render_device *device = render_device_of(call->decoder->device);
	if (!device->vk.GetDeviceImageMemoryRequirements) {
		render_call_fail(call, "the command is not enabled on the device");
		return;
	}
	VkExternalMemoryImageCreateInfo external;
	struct render_image_request request;
	enum render_binding binding;
	if (describe_image(call, (VkImageCreateInfo *)args->pInfo->pCreateInfo, &external, &request,
			    &binding) != VK_SUCCESS) {
		args->pMemoryRequirements->memoryRequirements = (VkMemoryRequirements){0};
		return; /* the image will not be made either */
	}
	device->vk.GetDeviceImageMemoryRequirements(
		args->device, args->pInfo, args->pMemoryRequirements);
	translate_types(device, binding, &args->pMemoryRequirements->memoryRequirements);
}
