/* SPDX-License-Identifier: MIT */

/*
 * Buffers and images. Mappable memory is an import on the host (memory.c), and Vulkan wants what is bound to an
 * import to be made with the import's handle type. So it is added wherever the driver can take it, and what the
 * guest asked for in its place, which means nothing to the host, is dropped. Where the driver cannot, memory types that
 * are imports are taken out of the object's memory requirements; the guest then binds it to the driver's
 * own memory.
 */

#include "render/buffer_image.h"
#include "render/call.h"
#include "render/chain.h"
#include "render/device.h"
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
 * Makes a buffer to be created one that takes imports; false if it does not. `external` is the caller's, to be
 * chained.
 */
static bool prepare_buffer(struct render_call *call, const VkBufferCreateInfo *info,
		VkExternalMemoryBufferCreateInfo *external) {
	const struct vk_host_memory *host_memory =
		&render_device_of(call->decoder->device)->physical->host_memory;
	chain_remove(info, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
	if (!host_memory->external_buffers) {
		/* the driver refuses the structure, and binds buffers without */
		return !(info->flags & VK_BUFFER_CREATE_SPARSE_BINDING_BIT);
	}
	if (!has_external_buffers(call, info)) {
		return false;
	}
	*external = (VkExternalMemoryBufferCreateInfo){
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = host_memory->handle_type,
	};
	chain_insert(info, external);
	return true;
}

/** The same for an image; false if the driver has no such images. */
static bool prepare_image(struct render_call *call, const VkImageCreateInfo *info,
		VkExternalMemoryImageCreateInfo *external) {
	const struct render_device *device = render_device_of(call->decoder->device);
	chain_remove(info, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
	if (info->initialLayout != VK_IMAGE_LAYOUT_UNDEFINED ||
			!device->physical->host_memory.external_buffers) {
		/*
		 * An external image begins in the undefined layout: Vulkan knows no other. And a driver that
		 * refuses the structure for buffers, whatever it says, refuses it for images.
		 */
		return info->tiling == VK_IMAGE_TILING_LINEAR;
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
static void translate_types(const struct render_device *device, bool takes_imports,
		VkMemoryRequirements *requirements) {
	requirements->memoryTypeBits = render_memory_types_of_host(
		&device->physical->memory_types, requirements->memoryTypeBits, takes_imports);
}

/* --- buffers --- */

void render_handle_vkCreateBuffer(struct render_call *call, struct venus_vkCreateBuffer *args) {
	VkExternalMemoryBufferCreateInfo external;
	struct venus_object *object = render_object_reserve(call, RENDER_HANDLE(*args->pBuffer),
		VK_OBJECT_TYPE_BUFFER, sizeof(struct render_buffer));
	if (!object) {
		return;
	}
	((struct render_buffer *)object)->takes_imports =
		prepare_buffer(call, args->pCreateInfo, &external);
	VkBuffer handle = VK_NULL_HANDLE;
	args->ret = render_call_device_table(call)->CreateBuffer(
		args->device, args->pCreateInfo, NULL, &handle);
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
		((const struct render_buffer *)args->buffer_object)->takes_imports,
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
	translate_types(device, buffer->takes_imports,
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
	const bool takes_imports = prepare_buffer(call, args->pInfo->pCreateInfo, &external);
	device->vk.GetDeviceBufferMemoryRequirements(
		args->device, args->pInfo, args->pMemoryRequirements);
	translate_types(device, takes_imports, &args->pMemoryRequirements->memoryRequirements);
}

/* --- images --- */

void render_handle_vkCreateImage(struct render_call *call, struct venus_vkCreateImage *args) {
	VkExternalMemoryImageCreateInfo external;
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
	image->takes_imports = prepare_image(call, args->pCreateInfo, &external);
	VkImage handle = VK_NULL_HANDLE;
	args->ret = render_call_device_table(call)->CreateImage(
		args->device, args->pCreateInfo, NULL, &handle);
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
	translate_types(device, ((const struct render_image *)args->image_object)->takes_imports,
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
	translate_types(device, image->takes_imports, &args->pMemoryRequirements->memoryRequirements);
}

void render_handle_vkGetDeviceImageMemoryRequirements(struct render_call *call,
		struct venus_vkGetDeviceImageMemoryRequirements *args) {
	const struct render_device *device = render_device_of(call->decoder->device);
	if (!device->vk.GetDeviceImageMemoryRequirements) {
		render_call_fail(call, "the command is not enabled on the device");
		return;
	}
	VkExternalMemoryImageCreateInfo external;
	const bool takes_imports = prepare_image(call, args->pInfo->pCreateInfo, &external);
	device->vk.GetDeviceImageMemoryRequirements(
		args->device, args->pInfo, args->pMemoryRequirements);
	translate_types(device, takes_imports, &args->pMemoryRequirements->memoryRequirements);
}
