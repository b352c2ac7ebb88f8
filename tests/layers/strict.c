/* SPDX-License-Identifier: MIT */

/*
 * VK_LAYER_VENERA_strict: makes any driver, lavapipe in the tests, as poor as MoltenVK 1.4 on Apple silicon:
 *
 *  - nothing is shared by descriptor, and handle types other than host memory are refused;
 *  - host memory is imported in multiples of 16 KiB at multiples of 16 KiB, nothing else;
 *  - there is private, shared and lazily allocated memory; only shared memory is mapped and imported;
 *  - OPTIMAL images are not bound to imports;
 *  - there are no geometry shaders, no logic operations, no wide lines, no 64-bit floats, no sparse
 *    resources, and few of the younger extensions;
 *  - the device is a portability one: who does not know of that gets neither instance nor device.
 *
 * In the environment:
 *  VENERA_STRICT=kosmickrisp  as KosmicKrisp: no portability subset, one memory type for all, and the device says that
 *                             OPTIMAL images are not made for host memory
 *  VENERA_STRICT=old          as MoltenVK before 1.4.1: buffers and images cannot be made for host memory, though
 *                             the device says so; they are bound to it all the same
 *  VENERA_STRICT=udmabuf      as AMD's drivers on Linux: no portability subset, and shared memory is imported only as
 *                             a dma-buf; images ask for dedicated ones, and do without
 *  VENERA_STRICT_VERSION=1.4.1  the driver says to be MoltenVK of that version
 *  VENERA_LAYER_LOG=1         says on stderr what is refused
 */

#include "layer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 16384

enum { TYPE_PRIVATE, TYPE_SHARED, TYPE_LAZY, TYPE_COUNT };

#define HOST_MEMORY \
	(VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT | \
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_MAPPED_FOREIGN_MEMORY_BIT_EXT)

static bool is_mode(const char *mode) {
	const char *set = getenv("VENERA_STRICT");
	return set && strcmp(set, mode) == 0;
}

static bool has_portability_subset(void) {
	return !is_mode("kosmickrisp") && !is_mode("udmabuf");
}

/** The number of a memory type, of which there may be one only. */
static uint32_t type_number(uint32_t type) {
	return is_mode("kosmickrisp") ? 0 : type;
}

/** The handle types that imports have. */
static VkExternalMemoryHandleTypeFlags import_types(void) {
	return is_mode("udmabuf") ?
		(VkExternalMemoryHandleTypeFlags)VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT :
		HOST_MEMORY;
}

/* --- extensions --- */

static const char *const hidden_extensions[] = {
	"VK_ANDROID_external_memory_android_hardware_buffer",
	"VK_ANDROID_native_buffer",
	"VK_EXT_acquire_drm_display",
	"VK_EXT_attachment_feedback_loop_dynamic_state",
	"VK_EXT_attachment_feedback_loop_layout",
	"VK_EXT_blend_operation_advanced",
	"VK_EXT_border_color_swizzle",
	"VK_EXT_color_write_enable",
	"VK_EXT_conditional_rendering",
	"VK_EXT_custom_border_color",
	"VK_EXT_depth_bias_control",
	"VK_EXT_depth_clamp_control",
	"VK_EXT_depth_clamp_zero_one",
	"VK_EXT_depth_clip_enable",
	"VK_EXT_depth_range_unrestricted",
	"VK_EXT_descriptor_buffer",
	"VK_EXT_device_generated_commands",
	"VK_EXT_discard_rectangles",
	"VK_EXT_dynamic_rendering_unused_attachments",
	"VK_EXT_external_memory_dma_buf",
	"VK_EXT_graphics_pipeline_library",
	"VK_EXT_image_drm_format_modifier",
	"VK_EXT_image_sliced_view_of_3d",
	"VK_EXT_image_view_min_lod",
	"VK_EXT_legacy_vertex_attributes",
	"VK_EXT_map_memory_placed",
	"VK_EXT_memory_priority",
	"VK_EXT_mesh_shader",
	"VK_EXT_multisampled_render_to_single_sampled",
	"VK_EXT_mutable_descriptor_type",
	"VK_EXT_non_seamless_cube_map",
	"VK_EXT_pageable_device_local_memory",
	"VK_EXT_physical_device_drm",
	"VK_EXT_primitive_topology_list_restart",
	"VK_EXT_primitives_generated_query",
	"VK_EXT_provoking_vertex",
	"VK_EXT_queue_family_foreign",
	"VK_EXT_rasterization_order_attachment_access",
	"VK_EXT_sampler_filter_minmax",
	"VK_EXT_shader_atomic_float2",
	"VK_EXT_shader_object",
	"VK_EXT_shader_tile_image",
	"VK_EXT_transform_feedback",
	"VK_EXT_vertex_input_dynamic_state",
	"VK_EXT_ycbcr_image_arrays",
	"VK_EXT_zero_initialize_device_memory",
	"VK_KHR_acceleration_structure",
	"VK_KHR_cooperative_matrix",
	"VK_KHR_depth_clamp_zero_one",
	"VK_KHR_external_fence_fd",
	"VK_KHR_external_memory_fd",
	"VK_KHR_external_semaphore_fd",
	"VK_KHR_maintenance10",
	"VK_KHR_pipeline_library",
	"VK_KHR_ray_query",
	"VK_KHR_ray_tracing_maintenance1",
	"VK_KHR_ray_tracing_pipeline",
	"VK_KHR_ray_tracing_position_fetch",
	"VK_KHR_shader_atomic_int64",
	"VK_KHR_shader_clock",
	"VK_KHR_unified_image_layouts",
	"VK_KHR_workgroup_memory_explicit_layout",
	"VK_NV_device_generated_commands",
	"VK_VALVE_mutable_descriptor_type",
};

static const char *const hidden_functions[] = {
	"vkGetFenceFdKHR",
	"vkGetImageDrmFormatModifierPropertiesEXT",
	"vkGetMemoryFdKHR",
	"vkGetMemoryFdPropertiesKHR",
	"vkGetSemaphoreFdKHR",
	"vkImportFenceFdKHR",
	"vkImportSemaphoreFdKHR",
};

/* not hidden from drivers that import dma-bufs */
static const char *const dma_buf_names[] = {
	"VK_EXT_external_memory_dma_buf",
	"VK_KHR_external_memory_fd",
	"vkGetMemoryFdPropertiesKHR",
};

static bool name_in(const char *name, const char *const *names, size_t count) {
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}
#define NAME_IN(name, names) name_in(name, names, sizeof(names) / sizeof((names)[0]))

static bool is_hidden_function(const char *name) {
	return NAME_IN(name, hidden_functions) &&
		!(is_mode("udmabuf") && NAME_IN(name, dma_buf_names));
}

static bool is_hidden_extension(const char *name) {
	return NAME_IN(name, hidden_extensions) &&
		!(is_mode("udmabuf") && NAME_IN(name, dma_buf_names));
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_extensions(VkPhysicalDevice physical,
		const char *layer_name, uint32_t *count, VkExtensionProperties *properties) {
	const PFN_vkEnumerateDeviceExtensionProperties next =
		INSTANCE_NEXT(physical, EnumerateDeviceExtensionProperties);
	if (layer_name) {
		return next(physical, layer_name, count, properties);
	}
	uint32_t all = 0;
	VkResult result = next(physical, NULL, &all, NULL);
	if (result != VK_SUCCESS) {
		return result;
	}
	VkExtensionProperties *list = calloc((size_t)all + 1, sizeof(*list));
	if (!list) {
		return VK_ERROR_OUT_OF_HOST_MEMORY;
	}
	result = next(physical, NULL, &all, list);
	uint32_t kept = 0;
	for (uint32_t i = 0; result == VK_SUCCESS && i < all; i++) {
		if (!is_hidden_extension(list[i].extensionName)) {
			list[kept++] = list[i];
		}
	}
	if (has_portability_subset()) {
		list[kept] = (VkExtensionProperties){.specVersion = 1};
		strcpy(list[kept++].extensionName, VK_KHR_PORTABILITY_SUBSET_EXTENSION_NAME);
	}
	if (result == VK_SUCCESS && properties) {
		const uint32_t room = *count;
		result = room < kept ? VK_INCOMPLETE : VK_SUCCESS;
		kept = room < kept ? room : kept;
		memcpy(properties, list, kept * sizeof(*list));
	}
	*count = kept;
	free(list);
	return result;
}

/* --- features and properties --- */

static void limit_features(VkPhysicalDeviceFeatures *features) {
	features->geometryShader = VK_FALSE;
	features->logicOp = VK_FALSE;
	features->pipelineStatisticsQuery = VK_FALSE;
	features->shaderCullDistance = VK_FALSE;
	features->shaderFloat64 = VK_FALSE;
	features->shaderResourceResidency = VK_FALSE;
	features->shaderStorageImageMultisample = VK_FALSE;
	features->sparseBinding = VK_FALSE;
	features->sparseResidency16Samples = VK_FALSE;
	features->sparseResidency2Samples = VK_FALSE;
	features->sparseResidency4Samples = VK_FALSE;
	features->sparseResidency8Samples = VK_FALSE;
	features->sparseResidencyAliased = VK_FALSE;
	features->sparseResidencyBuffer = VK_FALSE;
	features->sparseResidencyImage2D = VK_FALSE;
	features->sparseResidencyImage3D = VK_FALSE;
	features->variableMultisampleRate = VK_FALSE;
	features->wideLines = VK_FALSE;
}

static VKAPI_ATTR void VKAPI_CALL get_features(
		VkPhysicalDevice physical, VkPhysicalDeviceFeatures *features) {
	INSTANCE_NEXT(physical, GetPhysicalDeviceFeatures)(physical, features);
	limit_features(features);
}

static VKAPI_ATTR void VKAPI_CALL get_features2(
		VkPhysicalDevice physical, VkPhysicalDeviceFeatures2 *features) {
	INSTANCE_NEXT(physical, GetPhysicalDeviceFeatures2)(physical, features);
	limit_features(&features->features);
	VkPhysicalDeviceVulkan12Features *core12 =
		layer_find(features, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
	if (core12) {
		core12->samplerFilterMinmax = VK_FALSE;
		core12->shaderBufferInt64Atomics = VK_FALSE;
		core12->shaderSharedInt64Atomics = VK_FALSE;
	}
	VkPhysicalDevicePortabilitySubsetFeaturesKHR *subset = layer_find(
		features, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_FEATURES_KHR);
	if (subset && has_portability_subset()) {
		void *chain = subset->pNext;
		*subset = (VkPhysicalDevicePortabilitySubsetFeaturesKHR){
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_FEATURES_KHR,
			.pNext = chain,
			.constantAlphaColorBlendFactors = VK_TRUE,
			.events = VK_TRUE,
			.imageViewFormatReinterpretation = VK_TRUE,
			.imageViewFormatSwizzle = VK_TRUE,
			.imageView2DOn3DImage = VK_TRUE,
			.multisampleArrayImage = VK_TRUE,
			.mutableComparisonSamplers = VK_TRUE,
			.separateStencilMaskRef = VK_TRUE,
			.shaderSampleRateInterpolationFunctions = VK_TRUE,
			.triangleFans = VK_TRUE,
			.vertexAttributeAccessBeyondStride = VK_TRUE,
		};
	}
}

/** The version that it says to be of, as MoltenVK counts; 0 if it says what it is. */
static uint32_t moltenvk_version(void) {
	const char *set = getenv("VENERA_STRICT_VERSION");
	unsigned major, minor, patch;
	return set && sscanf(set, "%u.%u.%u", &major, &minor, &patch) == 3 ?
		major * 10000 + minor * 100 + patch : 0;
}

static void limit_properties(VkPhysicalDeviceProperties *properties) {
	if (moltenvk_version()) {
		properties->driverVersion = moltenvk_version();
	}
	VkPhysicalDeviceLimits *limits = &properties->limits;
	limits->bufferImageGranularity = 256;
	limits->maxCullDistances = 0;
	limits->maxGeometryInputComponents = 0;
	limits->maxGeometryOutputComponents = 0;
	limits->maxGeometryOutputVertices = 0;
	limits->maxGeometryShaderInvocations = 0;
	limits->maxGeometryTotalOutputComponents = 0;
	limits->minMemoryMapAlignment = 256;
	limits->minTexelBufferOffsetAlignment = 256;
	limits->minUniformBufferOffsetAlignment = 256;
	limits->nonCoherentAtomSize = 256;
	limits->sparseAddressSpaceSize = 0;
	properties->sparseProperties = (VkPhysicalDeviceSparseProperties){0};
}

static VKAPI_ATTR void VKAPI_CALL get_properties(
		VkPhysicalDevice physical, VkPhysicalDeviceProperties *properties) {
	INSTANCE_NEXT(physical, GetPhysicalDeviceProperties)(physical, properties);
	limit_properties(properties);
}

static VKAPI_ATTR void VKAPI_CALL get_properties2(
		VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *properties) {
	INSTANCE_NEXT(physical, GetPhysicalDeviceProperties2)(physical, properties);
	limit_properties(&properties->properties);
	VkPhysicalDeviceExternalMemoryHostPropertiesEXT *host = layer_find(properties,
		VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT);
	if (host) {
		host->minImportedHostPointerAlignment = PAGE;
	}
	VkPhysicalDeviceDriverProperties *driver =
		layer_find(properties, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES);
	if (driver && moltenvk_version()) {
		driver->driverID = VK_DRIVER_ID_MOLTENVK;
	}
	VkPhysicalDevicePortabilitySubsetPropertiesKHR *subset = layer_find(properties,
		VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_PROPERTIES_KHR);
	if (subset && has_portability_subset()) {
		subset->minVertexInputBindingStrideAlignment = 4;
	}
}

static void limit_memory(VkPhysicalDeviceMemoryProperties *memory) {
	const uint32_t heap = memory->memoryTypes[0].heapIndex;
	const VkMemoryType shared = {
		VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
			VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
		heap};
	memory->memoryTypeCount = type_number(TYPE_COUNT - 1) + 1;
	memory->memoryTypes[type_number(TYPE_SHARED)] = shared;
	if (memory->memoryTypeCount == 1) {
		return;
	}
	memory->memoryTypes[TYPE_PRIVATE] = (VkMemoryType){VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, heap};
	memory->memoryTypes[TYPE_LAZY] = (VkMemoryType){
		VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT, heap};
}

static VKAPI_ATTR void VKAPI_CALL get_memory(
		VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties *memory) {
	INSTANCE_NEXT(physical, GetPhysicalDeviceMemoryProperties)(physical, memory);
	limit_memory(memory);
}

static VKAPI_ATTR void VKAPI_CALL get_memory2(
		VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties2 *memory) {
	INSTANCE_NEXT(physical, GetPhysicalDeviceMemoryProperties2)(physical, memory);
	limit_memory(&memory->memoryProperties);
}

/** The driver's own type for all that we show: host-visible and coherent, which lavapipe imports. */
static uint32_t driver_type(VkPhysicalDevice physical) {
	VkPhysicalDeviceMemoryProperties memory;
	INSTANCE_NEXT(physical, GetPhysicalDeviceMemoryProperties)(physical, &memory);
	const VkMemoryPropertyFlags wanted =
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	for (uint32_t i = 0; i < memory.memoryTypeCount; i++) {
		if ((memory.memoryTypes[i].propertyFlags & wanted) == wanted) {
			return i;
		}
	}
	return 0;
}

/* --- handle types --- */

static VkExternalMemoryProperties external_properties(VkExternalMemoryHandleTypeFlags type) {
	/* with dma-bufs, those of host memory are of private memory, which we cannot tell from shared */
	if (!(type & (HOST_MEMORY | import_types()))) {
		return (VkExternalMemoryProperties){0};
	}
	return (VkExternalMemoryProperties){
		.externalMemoryFeatures = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT,
		.compatibleHandleTypes = type & HOST_MEMORY ? HOST_MEMORY : type,
	};
}

static VKAPI_ATTR void VKAPI_CALL get_external_buffer(VkPhysicalDevice physical,
		const VkPhysicalDeviceExternalBufferInfo *info, VkExternalBufferProperties *properties) {
	(void)physical;
	properties->externalMemoryProperties = external_properties(info->handleType);
}

static VKAPI_ATTR void VKAPI_CALL get_external_fence(VkPhysicalDevice physical,
		const VkPhysicalDeviceExternalFenceInfo *info, VkExternalFenceProperties *properties) {
	(void)physical;
	(void)info;
	properties->exportFromImportedHandleTypes = 0;
	properties->compatibleHandleTypes = 0;
	properties->externalFenceFeatures = 0;
}

static VKAPI_ATTR void VKAPI_CALL get_external_semaphore(VkPhysicalDevice physical,
		const VkPhysicalDeviceExternalSemaphoreInfo *info,
		VkExternalSemaphoreProperties *properties) {
	(void)physical;
	(void)info;
	properties->exportFromImportedHandleTypes = 0;
	properties->compatibleHandleTypes = 0;
	properties->externalSemaphoreFeatures = 0;
}

/** LINEAR images are plain 2D ones of a colour. */
static bool is_linear_format(VkFormat format, VkImageType type) {
	const bool depth = format >= VK_FORMAT_D16_UNORM && format <= VK_FORMAT_D32_SFLOAT_S8_UINT;
	const bool compressed =
		format >= VK_FORMAT_BC1_RGB_UNORM_BLOCK && format <= VK_FORMAT_ASTC_12x12_SRGB_BLOCK;
	return type == VK_IMAGE_TYPE_2D && !depth && !compressed;
}

static VkResult limit_format(VkFormat format, VkImageType type, VkImageTiling tiling,
		VkResult result, VkImageFormatProperties *properties) {
	if (result != VK_SUCCESS || tiling != VK_IMAGE_TILING_LINEAR) {
		return result;
	}
	if (!is_linear_format(format, type)) {
		*properties = (VkImageFormatProperties){0};
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	properties->maxMipLevels = 1;
	properties->maxArrayLayers = 1;
	properties->sampleCounts = VK_SAMPLE_COUNT_1_BIT;
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL get_image_format(VkPhysicalDevice physical, VkFormat format,
		VkImageType type, VkImageTiling tiling, VkImageUsageFlags usage, VkImageCreateFlags flags,
		VkImageFormatProperties *properties) {
	const VkResult result = INSTANCE_NEXT(physical, GetPhysicalDeviceImageFormatProperties)(
		physical, format, type, tiling, usage, flags, properties);
	return limit_format(format, type, tiling, result, properties);
}

static VKAPI_ATTR VkResult VKAPI_CALL get_image_format2(VkPhysicalDevice physical,
		const VkPhysicalDeviceImageFormatInfo2 *info, VkImageFormatProperties2 *properties) {
	const VkPhysicalDeviceExternalImageFormatInfo *external =
		layer_find(info, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO);
	if (info->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT ||
			(external && (external->handleType & ~(HOST_MEMORY | import_types())))) {
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	if (external && external->handleType && !has_portability_subset() &&
			info->tiling != VK_IMAGE_TILING_LINEAR) {
		return VK_ERROR_FORMAT_NOT_SUPPORTED;
	}
	VkResult result = INSTANCE_NEXT(physical, GetPhysicalDeviceImageFormatProperties2)(
		physical, info, properties);
	VkExternalImageFormatProperties *found =
		layer_find(properties, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
	if (found) {
		/* like MoltenVK, also for OPTIMAL images, although they do not take it */
		found->externalMemoryProperties =
			external_properties(external ? external->handleType : 0);
		if (is_mode("udmabuf") && external && external->handleType) {
			found->externalMemoryProperties.externalMemoryFeatures |=
				VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT;
		}
	}
	return limit_format(info->format, info->type, info->tiling, result,
		&properties->imageFormatProperties);
}

static VkResult check_handle_types(const char *what, VkExternalMemoryHandleTypeFlags types) {
	if (types && (is_mode("old") || (types & ~import_types()) || (types & (types - 1)))) {
		layer_log("%s: handle types 0x%x are refused", what, types);
		return VK_ERROR_FEATURE_NOT_PRESENT;
	}
	return VK_SUCCESS;
}

/* --- what we remember of images and memory --- */

enum { MEMORY_IMPORTED = 1, MEMORY_PRIVATE = 2, IMAGE_OPTIMAL = 4, IMAGE_TRANSIENT = 8 };

struct note {
	struct note *next;
	uint64_t handle;
	unsigned flags;
};

#define NOTE_BUCKETS 1024
static struct note *notes[NOTE_BUCKETS];
static pthread_mutex_t note_lock = PTHREAD_MUTEX_INITIALIZER;

static struct note **find_note(uint64_t handle) {
	struct note **place = &notes[(handle * UINT64_C(0x9e3779b97f4a7c15)) >> 54];
	while (*place && (*place)->handle != handle) {
		place = &(*place)->next;
	}
	return place;
}

static void forget(uint64_t handle) {
	pthread_mutex_lock(&note_lock);
	struct note **place = find_note(handle), *found = *place;
	if (found) {
		*place = found->next;
		free(found);
	}
	pthread_mutex_unlock(&note_lock);
}

static void remember(uint64_t handle, unsigned flags) {
	forget(handle);
	struct note *new = malloc(sizeof(*new));
	if (!new) {
		abort();
	}
	pthread_mutex_lock(&note_lock);
	struct note **place = find_note(handle);
	*new = (struct note){.next = *place, .handle = handle, .flags = flags};
	*place = new;
	pthread_mutex_unlock(&note_lock);
}

static unsigned recall(uint64_t handle) {
	pthread_mutex_lock(&note_lock);
	const struct note *found = *find_note(handle);
	const unsigned flags = found ? found->flags : 0;
	pthread_mutex_unlock(&note_lock);
	return flags;
}

#define NUMBER(handle) ((uint64_t)(uintptr_t)(handle))

/* --- memory --- */

/* the driver's type for a device; all of a process are of the same driver */
static _Atomic uint32_t real_type;

static VKAPI_ATTR VkResult VKAPI_CALL allocate_memory(VkDevice device,
		const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *allocator,
		VkDeviceMemory *memory) {
	unsigned flags = info->memoryTypeIndex == type_number(TYPE_SHARED) ? 0 : MEMORY_PRIVATE;
	if (info->memoryTypeIndex > type_number(TYPE_COUNT - 1)) {
		layer_log("vkAllocateMemory: there is no type %u", info->memoryTypeIndex);
		return VK_ERROR_UNKNOWN;
	}
	const VkExportMemoryAllocateInfo *export =
		layer_find(info, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
	if (export && export->handleTypes) {
		layer_log("vkAllocateMemory: export of handle types 0x%x", export->handleTypes);
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	}
	const VkImportMemoryHostPointerInfoEXT *import =
		layer_find(info, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
	const VkImportMemoryFdInfoKHR *fd_import =
		layer_find(info, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR);
	if (fd_import && fd_import->handleType) {
		if ((fd_import->handleType & ~import_types()) || (flags & MEMORY_PRIVATE)) {
			layer_log("vkAllocateMemory: import of handle type 0x%x as type %u",
				fd_import->handleType, info->memoryTypeIndex);
			return VK_ERROR_INVALID_EXTERNAL_HANDLE;
		}
		flags |= MEMORY_IMPORTED;
	}
	if (import && import->handleType) {
		if (import->handleType & ~import_types()) {
			layer_log("vkAllocateMemory: import of handle type 0x%x", import->handleType);
			return VK_ERROR_INVALID_EXTERNAL_HANDLE;
		}
		if (flags & MEMORY_PRIVATE) {
			layer_log("vkAllocateMemory: import as type %u", info->memoryTypeIndex);
			return VK_ERROR_INVALID_EXTERNAL_HANDLE;
		}
		if (NUMBER(import->pHostPointer) % PAGE || info->allocationSize % PAGE) {
			layer_log("vkAllocateMemory: import of %p, %#llx bytes: not 16 KiB pages",
				import->pHostPointer, (unsigned long long)info->allocationSize);
			return VK_ERROR_INVALID_EXTERNAL_HANDLE;
		}
		flags |= MEMORY_IMPORTED;
	}
	VkMemoryAllocateInfo changed = *info;
	changed.memoryTypeIndex = real_type;
	const VkResult result =
		DEVICE_NEXT(device, AllocateMemory)(device, &changed, allocator, memory);
	if (result == VK_SUCCESS) {
		remember(NUMBER(*memory), flags);
	}
	return result;
}

static VKAPI_ATTR void VKAPI_CALL free_memory(
		VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks *allocator) {
	forget(NUMBER(memory));
	DEVICE_NEXT(device, FreeMemory)(device, memory, allocator);
}

static VkResult check_map(VkDeviceMemory memory) {
	if (recall(NUMBER(memory)) & MEMORY_PRIVATE) {
		layer_log("private memory is mapped");
		return VK_ERROR_MEMORY_MAP_FAILED;
	}
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL map_memory(VkDevice device, VkDeviceMemory memory,
		VkDeviceSize offset, VkDeviceSize size, VkMemoryMapFlags flags, void **data) {
	const VkResult result = check_map(memory);
	return result != VK_SUCCESS ? result :
		DEVICE_NEXT(device, MapMemory)(device, memory, offset, size, flags, data);
}

static VKAPI_ATTR VkResult VKAPI_CALL map_memory2(
		VkDevice device, const VkMemoryMapInfo *info, void **data) {
	const VkResult result = check_map(info->memory);
	return result != VK_SUCCESS ? result : DEVICE_NEXT(device, MapMemory2)(device, info, data);
}

static VKAPI_ATTR VkResult VKAPI_CALL get_host_pointer(VkDevice device,
		VkExternalMemoryHandleTypeFlagBits type, const void *pointer,
		VkMemoryHostPointerPropertiesEXT *properties) {
	(void)device;
	properties->memoryTypeBits = 0;
	if (!(type & HOST_MEMORY) || NUMBER(pointer) % PAGE) {
		layer_log("vkGetMemoryHostPointerPropertiesEXT: type 0x%x, %p", type, pointer);
		return VK_ERROR_INVALID_EXTERNAL_HANDLE;
	}
	properties->memoryTypeBits = 1 << type_number(TYPE_SHARED);
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL get_fd_properties(VkDevice device,
		VkExternalMemoryHandleTypeFlagBits type, int fd, VkMemoryFdPropertiesKHR *properties) {
	(void)device;
	(void)fd;
	properties->memoryTypeBits = 1 << type_number(TYPE_SHARED);
	return type & import_types() ? VK_SUCCESS : VK_ERROR_INVALID_EXTERNAL_HANDLE;
}

/* --- buffers and images --- */

static void limit_buffer_types(VkMemoryRequirements *requirements) {
	requirements->memoryTypeBits = 1 << type_number(TYPE_PRIVATE) | 1 << type_number(TYPE_SHARED);
}

static void limit_image_types(unsigned flags, VkMemoryRequirements *requirements) {
	requirements->memoryTypeBits = 1 << type_number(TYPE_PRIVATE);
	if (!(flags & IMAGE_OPTIMAL)) {
		requirements->memoryTypeBits |= 1 << type_number(TYPE_SHARED);
	} else if (flags & IMAGE_TRANSIENT) {
		requirements->memoryTypeBits |= 1 << type_number(TYPE_LAZY);
	}
}

static unsigned image_flags(const VkImageCreateInfo *info) {
	return (info->tiling == VK_IMAGE_TILING_LINEAR ? 0 : IMAGE_OPTIMAL) |
		(info->usage & VK_IMAGE_USAGE_TRANSIENT_ATTACHMENT_BIT ? IMAGE_TRANSIENT : 0);
}

static VKAPI_ATTR VkResult VKAPI_CALL create_buffer(VkDevice device,
		const VkBufferCreateInfo *info, const VkAllocationCallbacks *allocator,
		VkBuffer *buffer) {
	const VkExternalMemoryBufferCreateInfo *external =
		layer_find(info, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
	const VkResult result =
		external ? check_handle_types("vkCreateBuffer", external->handleTypes) : VK_SUCCESS;
	return result != VK_SUCCESS ? result :
		DEVICE_NEXT(device, CreateBuffer)(device, info, allocator, buffer);
}

static VKAPI_ATTR void VKAPI_CALL buffer_requirements(
		VkDevice device, VkBuffer buffer, VkMemoryRequirements *requirements) {
	DEVICE_NEXT(device, GetBufferMemoryRequirements)(device, buffer, requirements);
	limit_buffer_types(requirements);
}

static VKAPI_ATTR void VKAPI_CALL buffer_requirements2(VkDevice device,
		const VkBufferMemoryRequirementsInfo2 *info, VkMemoryRequirements2 *requirements) {
	DEVICE_NEXT(device, GetBufferMemoryRequirements2)(device, info, requirements);
	limit_buffer_types(&requirements->memoryRequirements);
}

static VKAPI_ATTR void VKAPI_CALL device_buffer_requirements(VkDevice device,
		const VkDeviceBufferMemoryRequirements *info, VkMemoryRequirements2 *requirements) {
	DEVICE_NEXT(device, GetDeviceBufferMemoryRequirements)(device, info, requirements);
	limit_buffer_types(&requirements->memoryRequirements);
}

static VKAPI_ATTR VkResult VKAPI_CALL create_image(VkDevice device, const VkImageCreateInfo *info,
		const VkAllocationCallbacks *allocator, VkImage *image) {
	const VkExternalMemoryImageCreateInfo *external =
		layer_find(info, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
	VkResult result =
		external ? check_handle_types("vkCreateImage", external->handleTypes) : VK_SUCCESS;
	if (result != VK_SUCCESS) {
		return result;
	}
	if (info->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT ||
			(info->tiling == VK_IMAGE_TILING_LINEAR &&
				(!is_linear_format(info->format, info->imageType) ||
					info->mipLevels != 1 || info->arrayLayers != 1 ||
					info->samples != VK_SAMPLE_COUNT_1_BIT))) {
		layer_log("vkCreateImage: tiling %d of format %d", info->tiling, info->format);
		return VK_ERROR_FEATURE_NOT_PRESENT;
	}
	if (external && external->handleTypes && !has_portability_subset() &&
			info->tiling != VK_IMAGE_TILING_LINEAR) {
		layer_log("vkCreateImage: handle types 0x%x for an OPTIMAL image", external->handleTypes);
		return VK_ERROR_FEATURE_NOT_PRESENT;
	}
	result = DEVICE_NEXT(device, CreateImage)(device, info, allocator, image);
	if (result == VK_SUCCESS) {
		remember(NUMBER(*image), image_flags(info));
	}
	return result;
}

static VKAPI_ATTR void VKAPI_CALL destroy_image(
		VkDevice device, VkImage image, const VkAllocationCallbacks *allocator) {
	forget(NUMBER(image));
	DEVICE_NEXT(device, DestroyImage)(device, image, allocator);
}

static VKAPI_ATTR void VKAPI_CALL image_requirements(
		VkDevice device, VkImage image, VkMemoryRequirements *requirements) {
	DEVICE_NEXT(device, GetImageMemoryRequirements)(device, image, requirements);
	limit_image_types(recall(NUMBER(image)), requirements);
}

static VKAPI_ATTR void VKAPI_CALL image_requirements2(VkDevice device,
		const VkImageMemoryRequirementsInfo2 *info, VkMemoryRequirements2 *requirements) {
	DEVICE_NEXT(device, GetImageMemoryRequirements2)(device, info, requirements);
	limit_image_types(recall(NUMBER(info->image)), &requirements->memoryRequirements);
}

static VKAPI_ATTR void VKAPI_CALL device_image_requirements(VkDevice device,
		const VkDeviceImageMemoryRequirements *info, VkMemoryRequirements2 *requirements) {
	DEVICE_NEXT(device, GetDeviceImageMemoryRequirements)(device, info, requirements);
	limit_image_types(image_flags(info->pCreateInfo), &requirements->memoryRequirements);
}

static VkResult check_bind(VkImage image, VkDeviceMemory memory) {
	if ((recall(NUMBER(image)) & IMAGE_OPTIMAL) && (recall(NUMBER(memory)) & MEMORY_IMPORTED)) {
		layer_log("vkBindImageMemory: an OPTIMAL image and imported memory");
		return VK_ERROR_OUT_OF_DEVICE_MEMORY;
	}
	return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL bind_image(
		VkDevice device, VkImage image, VkDeviceMemory memory, VkDeviceSize offset) {
	const VkResult result = check_bind(image, memory);
	return result != VK_SUCCESS ? result :
		DEVICE_NEXT(device, BindImageMemory)(device, image, memory, offset);
}

static VKAPI_ATTR VkResult VKAPI_CALL bind_image2(
		VkDevice device, uint32_t count, const VkBindImageMemoryInfo *infos) {
	for (uint32_t i = 0; i < count; i++) {
		const VkResult result = check_bind(infos[i].image, infos[i].memory);
		if (result != VK_SUCCESS) {
			return result;
		}
	}
	return DEVICE_NEXT(device, BindImageMemory2)(device, count, infos);
}

/* --- creation --- */

static VkResult before_instance(const VkInstanceCreateInfo *info) {
	bool enabled = false;
	for (uint32_t i = 0; i < info->enabledExtensionCount; i++) {
		enabled |= strcmp(info->ppEnabledExtensionNames[i],
			VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME) == 0;
	}
	if (has_portability_subset() &&
			(!enabled || !(info->flags & VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR))) {
		/* as the loader, when there are portability drivers only */
		layer_log("vkCreateInstance: portability enumeration is not enabled");
		return VK_ERROR_INCOMPATIBLE_DRIVER;
	}
	return VK_SUCCESS;
}

static VkResult check_features(
		VkPhysicalDevice physical, const VkPhysicalDeviceFeatures *features) {
	VkPhysicalDeviceFeatures offered;
	get_features(physical, &offered);
	const VkBool32 *wanted = (const VkBool32 *)features, *there = (const VkBool32 *)&offered;
	for (size_t i = 0; i < sizeof(offered) / sizeof(VkBool32); i++) {
		if (wanted[i] && !there[i]) {
			layer_log("vkCreateDevice: feature %zu is not there", i);
			return VK_ERROR_FEATURE_NOT_PRESENT;
		}
	}
	return VK_SUCCESS;
}

static VkResult before_device(
		VkPhysicalDevice physical, VkDeviceCreateInfo *info, const char **extensions) {
	real_type = driver_type(physical);
	bool subset = false;
	uint32_t count = 0;
	for (uint32_t i = 0; i < info->enabledExtensionCount; i++) {
		const char *name = info->ppEnabledExtensionNames[i];
		if (strcmp(name, VK_KHR_PORTABILITY_SUBSET_EXTENSION_NAME) == 0) {
			subset = true;
			continue;
		}
		if (is_hidden_extension(name)) {
			layer_log("vkCreateDevice: there is no %s", name);
			return VK_ERROR_EXTENSION_NOT_PRESENT;
		}
		extensions[count++] = name;
	}
	info->enabledExtensionCount = count;
	info->ppEnabledExtensionNames = extensions;
	if (subset != has_portability_subset()) {
		layer_log("vkCreateDevice: %s is %s", VK_KHR_PORTABILITY_SUBSET_EXTENSION_NAME,
			subset ? "not there" : "not enabled");
		return subset ? VK_ERROR_EXTENSION_NOT_PRESENT : VK_ERROR_INITIALIZATION_FAILED;
	}
	const VkPhysicalDeviceFeatures2 *features2 =
		layer_find(info, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
	const VkPhysicalDeviceFeatures *features =
		features2 ? &features2->features : info->pEnabledFeatures;
	return features ? check_features(physical, features) : VK_SUCCESS;
}

#define ENTRY(name, function) {"vk" #name, (PFN_vkVoidFunction)function}

static const struct layer_function instance_functions[] = {
	ENTRY(EnumerateDeviceExtensionProperties, enumerate_extensions),
	ENTRY(GetPhysicalDeviceExternalBufferProperties, get_external_buffer),
	ENTRY(GetPhysicalDeviceExternalFenceProperties, get_external_fence),
	ENTRY(GetPhysicalDeviceExternalSemaphoreProperties, get_external_semaphore),
	ENTRY(GetPhysicalDeviceFeatures, get_features),
	ENTRY(GetPhysicalDeviceFeatures2, get_features2),
	ENTRY(GetPhysicalDeviceImageFormatProperties, get_image_format),
	ENTRY(GetPhysicalDeviceImageFormatProperties2, get_image_format2),
	ENTRY(GetPhysicalDeviceMemoryProperties, get_memory),
	ENTRY(GetPhysicalDeviceMemoryProperties2, get_memory2),
	ENTRY(GetPhysicalDeviceProperties, get_properties),
	ENTRY(GetPhysicalDeviceProperties2, get_properties2),
	{NULL, NULL},
};

static const struct layer_function device_functions[] = {
	ENTRY(AllocateMemory, allocate_memory),
	ENTRY(BindImageMemory, bind_image),
	ENTRY(BindImageMemory2, bind_image2),
	ENTRY(CreateBuffer, create_buffer),
	ENTRY(CreateImage, create_image),
	ENTRY(DestroyImage, destroy_image),
	ENTRY(FreeMemory, free_memory),
	ENTRY(GetBufferMemoryRequirements, buffer_requirements),
	ENTRY(GetBufferMemoryRequirements2, buffer_requirements2),
	ENTRY(GetDeviceBufferMemoryRequirements, device_buffer_requirements),
	ENTRY(GetDeviceImageMemoryRequirements, device_image_requirements),
	ENTRY(GetImageMemoryRequirements, image_requirements),
	ENTRY(GetImageMemoryRequirements2, image_requirements2),
	ENTRY(GetMemoryFdPropertiesKHR, get_fd_properties),
	ENTRY(GetMemoryHostPointerPropertiesEXT, get_host_pointer),
	ENTRY(MapMemory, map_memory),
	ENTRY(MapMemory2, map_memory2),
	{NULL, NULL},
};

const struct layer layer = {
	.instance_functions = instance_functions,
	.device_functions = device_functions,
	.is_hidden = is_hidden_function,
	.before_instance = before_instance,
	.before_device = before_device,
};
