/* SPDX-License-Identifier: MIT */

/*
 * What the decoder cannot know to be wrong: handles that exist, numbers that have the right size, and a driver that
 * believes them. Where a driver is known to crash on it, and to see that is cheap and certain, it is refused before.
 * What is left may cost the one who sent it its process (HOSTILE_DRIVER), and nobody else anything.
 */

#include <stdio.h>
#include <string.h>

#include "../unit/test.h"
#include "hostile.h"
#include "scene.h"

#define DEVICE PEER_DEVICE_HANDLE
#define ID SCENE_ID
#define DO SCENE_DO
#define MOST UINT32_MAX

/* --- what is made --- */

#define NEW(kind, field, ...) \
	do { \
		const Vk##kind##CreateInfo info_ = {__VA_ARGS__}; \
		Vk##kind object_ = ID(kind, SCENE_FREE); \
		scene_make(peer); \
		DO(peer, vkCreate##kind, .device = DEVICE, .pCreateInfo = &info_, .field = &object_); \
		DO(peer, vkDestroy##kind, .device = DEVICE, OBJECT_##kind); \
		scene_settle(peer); \
	} while (0)
#define OBJECT_Image .image = ID(Image, SCENE_FREE)
#define OBJECT_ImageView .imageView = ID(ImageView, SCENE_FREE)
#define OBJECT_BufferView .bufferView = ID(BufferView, SCENE_FREE)
#define OBJECT_Sampler .sampler = ID(Sampler, SCENE_FREE)
#define OBJECT_QueryPool .queryPool = ID(QueryPool, SCENE_FREE)
#define OBJECT_RenderPass .renderPass = ID(RenderPass, SCENE_FREE)
#define OBJECT_Framebuffer .framebuffer = ID(Framebuffer, SCENE_FREE)
#define OBJECT_DescriptorPool .descriptorPool = ID(DescriptorPool, SCENE_FREE)
#define OBJECT_DescriptorSetLayout .descriptorSetLayout = ID(DescriptorSetLayout, SCENE_FREE)
#define OBJECT_PipelineLayout .pipelineLayout = ID(PipelineLayout, SCENE_FREE)
#define OBJECT_Buffer .buffer = ID(Buffer, SCENE_FREE)

#define IMAGE_CASE(name, ...) \
	static void image_##name(struct peer *peer) { \
		VkImageCreateInfo info = { \
			.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO, \
			.imageType = VK_IMAGE_TYPE_2D, \
			.format = VK_FORMAT_R8G8B8A8_UNORM, \
			.extent = {4, 4, 1}, \
			.mipLevels = 1, \
			.arrayLayers = 1, \
			.samples = VK_SAMPLE_COUNT_1_BIT, \
			.usage = VK_IMAGE_USAGE_SAMPLED_BIT, \
		}; \
		__VA_ARGS__; \
		VkImage image = ID(Image, SCENE_FREE); \
		DO(peer, vkCreateImage, .device = DEVICE, .pCreateInfo = &info, .pImage = &image); \
		DO(peer, vkDestroyImage, .device = DEVICE, .image = image); \
		scene_settle(peer); \
	}
IMAGE_CASE(of_nothing, info.extent = (VkExtent3D){0, 0, 0})
IMAGE_CASE(without_width, info.extent.width = 0)
IMAGE_CASE(without_depth, info.extent.depth = 0)
IMAGE_CASE(of_2g, info.extent.width = UINT32_C(1) << 31)
IMAGE_CASE(of_4g, info.extent = (VkExtent3D){MOST, MOST, 1})
IMAGE_CASE(of_everything, info.extent = (VkExtent3D){MOST, MOST, MOST})
IMAGE_CASE(of_3d, info.imageType = VK_IMAGE_TYPE_3D; info.extent = (VkExtent3D){MOST, 4, MOST})
IMAGE_CASE(whose_size_wraps, info.extent = (VkExtent3D){65536, 65536, 1})
IMAGE_CASE(levels_0, info.mipLevels = 0)
IMAGE_CASE(levels_15, info.mipLevels = 15)
IMAGE_CASE(levels_17, info.mipLevels = 17)
IMAGE_CASE(levels_33, info.mipLevels = 33)
IMAGE_CASE(levels_most, info.mipLevels = MOST)
IMAGE_CASE(layers_0, info.arrayLayers = 0)
IMAGE_CASE(layers_2049, info.arrayLayers = 2049)
IMAGE_CASE(layers_most, info.arrayLayers = MOST)
IMAGE_CASE(samples_0, info.samples = (VkSampleCountFlagBits)0)
IMAGE_CASE(samples_3, info.samples = (VkSampleCountFlagBits)3)
IMAGE_CASE(samples_64, info.samples = VK_SAMPLE_COUNT_64_BIT)
IMAGE_CASE(samples_most, info.samples = (VkSampleCountFlagBits)0x7fffffff)
IMAGE_CASE(format_0, info.format = VK_FORMAT_UNDEFINED)
IMAGE_CASE(format_999, info.format = (VkFormat)999)
IMAGE_CASE(format_most, info.format = (VkFormat)0x7fffffff)
IMAGE_CASE(format_far, info.format = (VkFormat)1000999999)
IMAGE_CASE(type_7, info.imageType = (VkImageType)7)
IMAGE_CASE(tiling_9, info.tiling = (VkImageTiling)9)
IMAGE_CASE(usage_0, info.usage = 0)
IMAGE_CASE(usage_all, info.usage = MOST)
IMAGE_CASE(flags_all, info.flags = MOST)
IMAGE_CASE(families, info.sharingMode = VK_SHARING_MODE_CONCURRENT; info.queueFamilyIndexCount = 1;
	info.pQueueFamilyIndices = &(const uint32_t){MOST})
IMAGE_CASE(planes, info.format = VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM; info.extent.width = 3;
	info.mipLevels = 4)
IMAGE_CASE(compressed, info.format = VK_FORMAT_BC7_UNORM_BLOCK; info.extent = (VkExtent3D){1, 1, 1};
	info.mipLevels = 9)
IMAGE_CASE(depth_3d, info.format = VK_FORMAT_D32_SFLOAT; info.imageType = VK_IMAGE_TYPE_3D;
	info.usage = VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT)
IMAGE_CASE(sparse, info.flags = VK_IMAGE_CREATE_SPARSE_BINDING_BIT |
	VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT; info.extent = (VkExtent3D){MOST, MOST, 1})

#define VIEW_CASE(name, ...) \
	static void view_##name(struct peer *peer) { \
		VkImageViewCreateInfo info = { \
			.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO, \
			.image = ID(Image, SCENE_IMAGE), \
			.viewType = VK_IMAGE_VIEW_TYPE_2D, \
			.format = VK_FORMAT_R8G8B8A8_UNORM, \
			.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}, \
		}; \
		scene_make(peer); \
		__VA_ARGS__; \
		VkImageView view = ID(ImageView, SCENE_FREE); \
		DO(peer, vkCreateImageView, .device = DEVICE, .pCreateInfo = &info, .pView = &view); \
		DO(peer, vkDestroyImageView, .device = DEVICE, .imageView = view); \
		scene_settle(peer); \
	}
VIEW_CASE(level_1, info.subresourceRange.baseMipLevel = 1)
VIEW_CASE(level_most, info.subresourceRange.baseMipLevel = MOST)
VIEW_CASE(levels_0, info.subresourceRange.levelCount = 0)
VIEW_CASE(levels_100, info.subresourceRange.levelCount = 100)
VIEW_CASE(layer_1, info.subresourceRange.baseArrayLayer = 1)
VIEW_CASE(layer_most, info.subresourceRange.baseArrayLayer = MOST)
VIEW_CASE(layers_100, info.subresourceRange.layerCount = 100)
VIEW_CASE(aspect_0, info.subresourceRange.aspectMask = 0)
VIEW_CASE(aspect_depth, info.subresourceRange.aspectMask = VK_IMAGE_ASPECT_DEPTH_BIT)
VIEW_CASE(aspect_plane, info.subresourceRange.aspectMask = VK_IMAGE_ASPECT_PLANE_2_BIT)
VIEW_CASE(aspect_all, info.subresourceRange.aspectMask = MOST)
VIEW_CASE(format_0, info.format = VK_FORMAT_UNDEFINED)
VIEW_CASE(format_depth, info.format = VK_FORMAT_D32_SFLOAT)
VIEW_CASE(format_wide, info.format = VK_FORMAT_R64G64B64A64_SFLOAT)
VIEW_CASE(format_most, info.format = (VkFormat)0x7fffffff)
VIEW_CASE(type_cube, info.viewType = VK_IMAGE_VIEW_TYPE_CUBE)
VIEW_CASE(type_3d, info.viewType = VK_IMAGE_VIEW_TYPE_3D)
VIEW_CASE(type_most, info.viewType = (VkImageViewType)0x7fffffff)
VIEW_CASE(swizzle, info.components.r = (VkComponentSwizzle)0x7fffffff)

#define BUFFER_VIEW_CASE(name, format_, offset_, range_) \
	static void buffer_view_##name(struct peer *peer) { \
		const VkBufferViewCreateInfo info = { \
			.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO, \
			.buffer = ID(Buffer, SCENE_BUFFER), \
			.format = format_, \
			.offset = offset_, \
			.range = range_, \
		}; \
		scene_make(peer); \
		VkBufferView view = ID(BufferView, SCENE_FREE); \
		DO(peer, vkCreateBufferView, .device = DEVICE, .pCreateInfo = &info, .pView = &view); \
		DO(peer, vkDestroyBufferView, .device = DEVICE, .bufferView = view); \
		scene_settle(peer); \
	}
BUFFER_VIEW_CASE(behind, VK_FORMAT_R32_UINT, SCENE_SIZE, 64)
BUFFER_VIEW_CASE(far, VK_FORMAT_R32_UINT, UINT64_MAX - 3, 8)
BUFFER_VIEW_CASE(long, VK_FORMAT_R32_UINT, 0, UINT64_MAX - 1)
BUFFER_VIEW_CASE(empty, VK_FORMAT_R32_UINT, 0, 0)
BUFFER_VIEW_CASE(unformatted, VK_FORMAT_UNDEFINED, 0, 64)
BUFFER_VIEW_CASE(compressed, VK_FORMAT_BC1_RGB_UNORM_BLOCK, 0, 64)
BUFFER_VIEW_CASE(format_most, 0x7fffffff, 0, 64)

static void queries_0(struct peer *peer) {
	NEW(QueryPool, pQueryPool, .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO);
}

static void queries_most(struct peer *peer) {
	NEW(QueryPool, pQueryPool, .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryCount = MOST);
}

static void queries_wrap(struct peer *peer) {
	NEW(QueryPool, pQueryPool, .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryCount = UINT32_C(1) << 28);
}

static void queries_of_no_type(struct peer *peer) {
	NEW(QueryPool, pQueryPool, .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = (VkQueryType)0x7fffffff, .queryCount = 4);
}

static void queries_of_statistics(struct peer *peer) {
	NEW(QueryPool, pQueryPool, .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_PIPELINE_STATISTICS, .queryCount = 4,
		.pipelineStatistics = MOST);
}

static void sampler_of_nonsense(struct peer *peer) {
	NEW(Sampler, pSampler, .sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
		.magFilter = (VkFilter)0x7fffffff, .mipmapMode = (VkSamplerMipmapMode)77,
		.addressModeU = (VkSamplerAddressMode)0x7fffffff,
		.compareOp = (VkCompareOp)0x7fffffff, .compareEnable = 0x80000000,
		.borderColor = (VkBorderColor)0x7fffffff, .maxAnisotropy = -1,
		.anisotropyEnable = 2, .minLod = 1e30f, .maxLod = -1e30f);
}

/* --- passes --- */

static void pass_case(struct peer *peer, VkRenderPassCreateInfo info) {
	info.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO;
	VkRenderPass pass = ID(RenderPass, SCENE_FREE);
	DO(peer, vkCreateRenderPass, .device = DEVICE, .pCreateInfo = &info, .pRenderPass = &pass);
	DO(peer, vkDestroyRenderPass, .device = DEVICE, .renderPass = pass);
	scene_settle(peer);
}

static void pass_of_nothing(struct peer *peer) {
	pass_case(peer, (VkRenderPassCreateInfo){0});
}

static const VkAttachmentDescription an_attachment = {
	.format = VK_FORMAT_R8G8B8A8_UNORM, .samples = VK_SAMPLE_COUNT_1_BIT};

static void pass_with_reference(struct peer *peer, uint32_t attachment, uint32_t resolve,
		uint32_t preserve, const VkAttachmentReference *depth) {
	const VkAttachmentReference color = {attachment, VK_IMAGE_LAYOUT_GENERAL};
	const VkAttachmentReference resolved = {resolve, VK_IMAGE_LAYOUT_GENERAL};
	const VkSubpassDescription subpass = {
		.colorAttachmentCount = 1,
		.pColorAttachments = &color,
		.pResolveAttachments = &resolved,
		.preserveAttachmentCount = 1,
		.pPreserveAttachments = &preserve,
		.pDepthStencilAttachment = depth,
	};
	pass_case(peer, (VkRenderPassCreateInfo){.attachmentCount = 1,
		.pAttachments = &an_attachment, .subpassCount = 1, .pSubpasses = &subpass});
}

static void pass_attachment_1(struct peer *peer) {
	pass_with_reference(peer, 1, VK_ATTACHMENT_UNUSED, 0, NULL);
}

static void pass_attachment_far(struct peer *peer) {
	pass_with_reference(peer, 0x7fffffff, VK_ATTACHMENT_UNUSED, 0, NULL);
}

static void pass_resolve_far(struct peer *peer) {
	pass_with_reference(peer, 0, 0x10000, 0, NULL);
}

static void pass_preserve_far(struct peer *peer) {
	pass_with_reference(peer, 0, VK_ATTACHMENT_UNUSED, MOST - 1, NULL);
}

static void pass_depth_far(struct peer *peer) {
	const VkAttachmentReference depth = {123456, VK_IMAGE_LAYOUT_GENERAL};
	pass_with_reference(peer, 0, VK_ATTACHMENT_UNUSED, 0, &depth);
}

static void pass_dependency(struct peer *peer, uint32_t from, uint32_t to) {
	const VkSubpassDescription subpass = {0};
	const VkSubpassDependency dependency = {.srcSubpass = from, .dstSubpass = to,
		.srcStageMask = MOST, .dstStageMask = MOST};
	pass_case(peer, (VkRenderPassCreateInfo){.subpassCount = 1, .pSubpasses = &subpass,
		.dependencyCount = 1, .pDependencies = &dependency});
}

static void pass_dependency_1(struct peer *peer) {
	pass_dependency(peer, 0, 1);
}

static void pass_dependency_far(struct peer *peer) {
	pass_dependency(peer, 0x7fffffff, 0x7ffffffe);
}

static void pass_without_samples(struct peer *peer) {
	VkAttachmentDescription attachment = an_attachment;
	attachment.samples = (VkSampleCountFlagBits)0;
	const VkAttachmentReference color = {0, VK_IMAGE_LAYOUT_GENERAL};
	const VkSubpassDescription subpass = {.colorAttachmentCount = 1, .pColorAttachments = &color};
	pass_case(peer, (VkRenderPassCreateInfo){.attachmentCount = 1, .pAttachments = &attachment,
		.subpassCount = 1, .pSubpasses = &subpass});
}

static void pass_of_no_format(struct peer *peer) {
	const VkAttachmentDescription attachment = {.format = (VkFormat)0x7fffffff};
	const VkAttachmentReference color = {0, VK_IMAGE_LAYOUT_GENERAL};
	const VkSubpassDescription subpass = {.colorAttachmentCount = 1, .pColorAttachments = &color};
	pass_case(peer, (VkRenderPassCreateInfo){.attachmentCount = 1, .pAttachments = &attachment,
		.subpassCount = 1, .pSubpasses = &subpass});
}

static void framebuffer_case(struct peer *peer, uint32_t count, uint32_t side, uint32_t layers) {
	const VkImageView views[] = {ID(ImageView, SCENE_VIEW), ID(ImageView, SCENE_VIEW)};
	NEW(Framebuffer, pFramebuffer, .sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.renderPass = ID(RenderPass, SCENE_PASS), .attachmentCount = count, .pAttachments = views,
		.width = side, .height = side, .layers = layers);
}

static void framebuffer_without_views(struct peer *peer) {
	framebuffer_case(peer, 0, 16, 1);
}

static void framebuffer_with_2_views(struct peer *peer) {
	framebuffer_case(peer, 2, 16, 1);
}

static void framebuffer_of_0(struct peer *peer) {
	framebuffer_case(peer, 1, 0, 0);
}

static void framebuffer_of_4g(struct peer *peer) {
	framebuffer_case(peer, 1, MOST, MOST);
}

/* --- descriptors --- */

static void layout_case(struct peer *peer, uint32_t binding, uint32_t type, uint32_t count) {
	const VkDescriptorSetLayoutBinding bindings[] = {
		{binding, (VkDescriptorType)type, count, VK_SHADER_STAGE_ALL, NULL}};
	const VkDescriptorSetLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = bindings,
	};
	VkDescriptorSetLayout layout = ID(DescriptorSetLayout, SCENE_FREE);
	scene_make(peer);
	DO(peer, vkCreateDescriptorSetLayout, .device = DEVICE, .pCreateInfo = &info,
		.pSetLayout = &layout);
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1};
	const VkDescriptorPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	VkDescriptorPool pool = ID(DescriptorPool, SCENE_FREE + 2);
	DO(peer, vkCreateDescriptorPool, .device = DEVICE, .pCreateInfo = &pool_info,
		.pDescriptorPool = &pool);
	const VkDescriptorSetAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &layout,
	};
	VkDescriptorSet set = ID(DescriptorSet, SCENE_FREE + 1);
	DO(peer, vkAllocateDescriptorSets, .device = DEVICE, .pAllocateInfo = &allocate,
		.pDescriptorSets = &set);
	DO(peer, vkDestroyDescriptorSetLayout, .device = DEVICE, .descriptorSetLayout = layout);
	DO(peer, vkDestroyDescriptorPool, .device = DEVICE, .descriptorPool = pool);
	scene_settle(peer);
}

#define LAYOUT_CASE(name, ...) \
	static void layout_##name(struct peer *peer) { \
		layout_case(peer, __VA_ARGS__); \
	}
LAYOUT_CASE(binding_most, MOST, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1)
LAYOUT_CASE(binding_1m, 1 << 20, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1)
LAYOUT_CASE(count_0, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0)
LAYOUT_CASE(count_most, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, MOST)
LAYOUT_CASE(count_2g, 0, VK_DESCRIPTOR_TYPE_SAMPLER, UINT32_C(1) << 31)
LAYOUT_CASE(count_1m, 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 1 << 20)
LAYOUT_CASE(type_most, 0, 0x7fffffff, 1)
LAYOUT_CASE(type_99, 0, 99, 1)
LAYOUT_CASE(block_odd, 0, VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 7)
LAYOUT_CASE(block_most, 0, VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, MOST)

static void pool_case(struct peer *peer, uint32_t sets, uint32_t type, uint32_t count) {
	const VkDescriptorPoolSize size = {(VkDescriptorType)type, count};
	NEW(DescriptorPool, pDescriptorPool, .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = sets, .poolSizeCount = 1, .pPoolSizes = &size);
}

static void pool_of_0(struct peer *peer) {
	pool_case(peer, 0, VK_DESCRIPTOR_TYPE_SAMPLER, 0);
}

static void pool_of_most(struct peer *peer) {
	pool_case(peer, MOST, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, MOST);
}

static void pool_of_no_type(struct peer *peer) {
	pool_case(peer, 4, 0x7fffffff, 4);
}

/** Writes into a set that has one descriptor. */
static void write_case(struct peer *peer, uint32_t binding, uint32_t element, uint32_t count,
		VkDescriptorType type, bool image) {
	static VkDescriptorBufferInfo buffers[64];
	static VkDescriptorImageInfo images[64];
	for (size_t i = 0; i < 64; i++) {
		buffers[i] = (VkDescriptorBufferInfo){ID(Buffer, SCENE_BUFFER), 0, VK_WHOLE_SIZE};
		images[i] = (VkDescriptorImageInfo){ID(Sampler, SCENE_SAMPLER),
			ID(ImageView, SCENE_VIEW), VK_IMAGE_LAYOUT_GENERAL};
	}
	const VkWriteDescriptorSet write = {
		.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
		.dstSet = ID(DescriptorSet, SCENE_SET),
		.dstBinding = binding,
		.dstArrayElement = element,
		.descriptorCount = count,
		.descriptorType = type,
		.pBufferInfo = image ? NULL : buffers,
		.pImageInfo = image ? images : NULL,
	};
	scene_make(peer);
	DO(peer, vkUpdateDescriptorSets, .device = DEVICE, .descriptorWriteCount = 1,
		.pDescriptorWrites = &write);
	scene_settle(peer);
}

#define WRITE_CASE(name, ...) \
	static void write_##name(struct peer *peer) { \
		write_case(peer, __VA_ARGS__); \
	}
#define STORAGE VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
WRITE_CASE(binding_1, 1, 0, 1, STORAGE, false)
WRITE_CASE(binding_most, MOST, 0, 1, STORAGE, false)
WRITE_CASE(element_1, 0, 1, 1, STORAGE, false)
WRITE_CASE(element_1m, 0, 1 << 20, 1, STORAGE, false)
WRITE_CASE(element_most, 0, MOST, 1, STORAGE, false)
WRITE_CASE(count_64, 0, 0, 64, STORAGE, false)
WRITE_CASE(count_0, 0, 0, 0, STORAGE, false)
WRITE_CASE(other_type, 0, 0, 1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, true)
WRITE_CASE(no_array, 0, 0, 1, STORAGE, true)
WRITE_CASE(type_most, 0, 0, 1, (VkDescriptorType)0x7fffffff, false)

static void copy_set(struct peer *peer, uint32_t from, uint32_t to, uint32_t count) {
	const VkCopyDescriptorSet copy = {
		.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
		.srcSet = ID(DescriptorSet, SCENE_SET),
		.srcBinding = from,
		.dstSet = ID(DescriptorSet, SCENE_SET),
		.dstBinding = to,
		.descriptorCount = count,
	};
	scene_make(peer);
	DO(peer, vkUpdateDescriptorSets, .device = DEVICE, .descriptorCopyCount = 1,
		.pDescriptorCopies = &copy);
	scene_settle(peer);
}

static void copy_of_binding_9(struct peer *peer) {
	copy_set(peer, 9, 0, 1);
}

static void copy_to_binding_most(struct peer *peer) {
	copy_set(peer, 0, MOST, 1);
}

static void copy_of_most(struct peer *peer) {
	copy_set(peer, 0, 0, MOST);
}

static void pipeline_layout_push(struct peer *peer, uint32_t offset, uint32_t size) {
	const VkPushConstantRange range = {MOST, offset, size};
	NEW(PipelineLayout, pPipelineLayout,
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .pushConstantRangeCount = 1,
		.pPushConstantRanges = &range);
}

static void pipeline_layout_push_most(struct peer *peer) {
	pipeline_layout_push(peer, 0, MOST);
}

static void pipeline_layout_push_wraps(struct peer *peer) {
	pipeline_layout_push(peer, MOST - 3, 8);
}

static void pipeline_layout_of_sets(struct peer *peer) {
	VkDescriptorSetLayout layouts[64];
	for (size_t i = 0; i < 64; i++) {
		layouts[i] = ID(DescriptorSetLayout, SCENE_SET_LAYOUT);
	}
	NEW(PipelineLayout, pPipelineLayout,
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 64,
		.pSetLayouts = layouts);
}

/* --- shaders --- */

/** A compute pipeline of the code, which is begun from a working one. */
static void shader_case(struct peer *peer, void (*spoil)(uint32_t *words, size_t *count), unsigned seed) {
	static uint32_t words[1024];
	size_t count;
	const uint32_t *code = scene_compute_code(&count);
	CHECK(count <= sizeof(words) / sizeof(words[0]));
	memcpy(words, code, count * sizeof(*words));
	if (seed) {
		unsigned state = seed;
		for (int i = 0; i < 4; i++) {
			const size_t at = 5 + test_random(&state) % (count - 5);
			words[at] = test_random(&state) << 16 | test_random(&state);
		}
	}
	if (spoil) {
		spoil(words, &count);
	}
	scene_make(peer);
	const VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = count * 4,
		.pCode = words,
	};
	VkShaderModule module = ID(ShaderModule, SCENE_FREE);
	DO(peer, vkCreateShaderModule, .device = DEVICE, .pCreateInfo = &info, .pShaderModule = &module);
	const VkComputePipelineCreateInfo compute = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = module,
			.pName = "main",
		},
		.layout = ID(PipelineLayout, SCENE_LAYOUT),
	};
	VkPipeline pipeline = ID(Pipeline, SCENE_FREE + 1);
	DO(peer, vkCreateComputePipelines, .device = DEVICE, .createInfoCount = 1,
		.pCreateInfos = &compute, .pPipelines = &pipeline);
	DO(peer, vkDestroyPipeline, .device = DEVICE, .pipeline = pipeline);
	DO(peer, vkDestroyShaderModule, .device = DEVICE, .shaderModule = module);
	scene_settle(peer);
}

static void huge_bound(uint32_t *words, size_t *count) {
	(void)count;
	words[3] = 0x7fffffff;
}

static void bound_most(uint32_t *words, size_t *count) {
	(void)count;
	words[3] = MOST;
}

static void bound_1(uint32_t *words, size_t *count) {
	(void)count;
	words[3] = 1;
}

static void no_magic(uint32_t *words, size_t *count) {
	(void)count;
	words[0] = 0;
}

static void other_endian(uint32_t *words, size_t *count) {
	(void)count;
	words[0] = 0x03022307;
}

static void only_header(uint32_t *words, size_t *count) {
	(void)words;
	*count = 5;
}

static void half(uint32_t *words, size_t *count) {
	(void)words;
	*count /= 2;
}

static void a_word_short(uint32_t *words, size_t *count) {
	(void)words;
	*count -= 1;
}

static void length_0(uint32_t *words, size_t *count) {
	(void)count;
	words[5] &= 0xffff;
}

static void length_most(uint32_t *words, size_t *count) {
	(void)count;
	words[5] |= 0xffff0000;
}

static void random_words(uint32_t *words, size_t *count) {
	unsigned state = 7;
	for (size_t i = 5; i < *count; i++) {
		words[i] = test_random(&state) << 16 | test_random(&state);
	}
}

#define SHADER_CASE(name, spoil, seed) \
	static void shader_##name(struct peer *peer) { \
		shader_case(peer, spoil, seed); \
	}
SHADER_CASE(bound_huge, huge_bound, 0)
SHADER_CASE(bound_most, bound_most, 0)
SHADER_CASE(bound_1, bound_1, 0)
SHADER_CASE(no_magic, no_magic, 0)
SHADER_CASE(other_endian, other_endian, 0)
SHADER_CASE(only_header, only_header, 0)
SHADER_CASE(half, half, 0)
SHADER_CASE(a_word_short, a_word_short, 0)
SHADER_CASE(length_0, length_0, 0)
SHADER_CASE(length_most, length_most, 0)
SHADER_CASE(random, random_words, 0)
SHADER_CASE(spoilt_1, NULL, 1)
SHADER_CASE(spoilt_2, NULL, 2)
SHADER_CASE(spoilt_3, NULL, 3)
SHADER_CASE(spoilt_4, NULL, 4)
SHADER_CASE(spoilt_5, NULL, 5)
SHADER_CASE(spoilt_6, NULL, 6)

static void shader_of_no_name(struct peer *peer) {
	scene_make(peer);
	const VkComputePipelineCreateInfo compute = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = ID(ShaderModule, SCENE_COMPUTE),
			.pName = "nobody",
		},
		.layout = ID(PipelineLayout, SCENE_LAYOUT),
	};
	VkPipeline pipeline = ID(Pipeline, SCENE_FREE + 1);
	DO(peer, vkCreateComputePipelines, .device = DEVICE, .createInfoCount = 1,
		.pCreateInfos = &compute, .pPipelines = &pipeline);
	DO(peer, vkDestroyPipeline, .device = DEVICE, .pipeline = pipeline);
	scene_settle(peer);
}

static void shader_specialized(struct peer *peer) {
	scene_make(peer);
	const uint32_t data = 0;
	const VkSpecializationMapEntry entry = {0, 0x7ffffff0, 4};
	const VkSpecializationInfo special = {1, &entry, 4, &data};
	const VkComputePipelineCreateInfo compute = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = ID(ShaderModule, SCENE_COMPUTE),
			.pName = "main",
			.pSpecializationInfo = &special,
		},
		.layout = ID(PipelineLayout, SCENE_LAYOUT),
	};
	VkPipeline pipeline = ID(Pipeline, SCENE_FREE + 1);
	DO(peer, vkCreateComputePipelines, .device = DEVICE, .createInfoCount = 1,
		.pCreateInfos = &compute, .pPipelines = &pipeline);
	DO(peer, vkDestroyPipeline, .device = DEVICE, .pipeline = pipeline);
	scene_settle(peer);
}

/* --- chains --- */

/** What was encoded for a chain of one is made a chain of `length`, whose types are all `type`. */
static void chain_of(struct peer *peer, uint32_t type, size_t length) {
	const VkExternalMemoryBufferCreateInfo link = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO};
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .pNext = &link, .size = 64};
	VkBuffer buffer = ID(Buffer, SCENE_FREE);
	peer_begin(peer);
	PEER_ADD(peer, vkCreateBuffer, .device = DEVICE, .pCreateInfo = &info, .pBuffer = &buffer);
	const uint32_t known = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
	const size_t size = peer_stream_size(peer);
	size_t at = 8;
	while (at < size && memcmp(peer->commands + at, &known, 4) != 0) {
		at += 4;
	}
	/* each is a pointer that is not NULL and a type, then what it points to itself, then the rest */
	enum { LINK = 12 };
	const size_t more = (length - 1) * LINK;
	CHECK(at < size && size + more <= sizeof(peer->commands));
	memmove(peer->commands + at - 8 + more, peer->commands + at - 8, size - at + 8);
	for (size_t i = 0; i < length; i++) {
		const uint64_t there = 1;
		memcpy(peer->commands + at - 8 + i * LINK, &there, 8);
		memcpy(peer->commands + at + i * LINK, &type, 4);
	}
	peer->encoder.cursor += more;
	peer_ring_write(peer);
	scene_settle(peer);
}

static void chain_twice(struct peer *peer) {
	chain_of(peer, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, 2);
}

static void chain_deep(struct peer *peer) {
	chain_of(peer, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, 600);
}

static void chain_unknown_deep(struct peer *peer) {
	chain_of(peer, 0x3fffffff, 600);
}

static void chain_unknown(struct peer *peer) {
	chain_of(peer, 0x3fffffff, 1);
}

static void chain_of_head(struct peer *peer) {
	chain_of(peer, VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, 1);
}

static void chain_of_others(struct peer *peer) {
	chain_of(peer, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, 1);
}

#define REFUSED(name, reason) {#name, HOSTILE_DEVICE, HOSTILE_LOST, reason, name}
#define HARMLESS(name) {#name, HOSTILE_DEVICE, HOSTILE_EITHER, NULL, name}
#define WILD(name) {#name, HOSTILE_DEVICE, HOSTILE_DRIVER, NULL, name}

static const struct hostile_case cases[] = {
	HARMLESS(image_of_nothing),
	HARMLESS(image_without_width),
	HARMLESS(image_without_depth),
	HARMLESS(image_of_2g),
	HARMLESS(image_of_4g),
	HARMLESS(image_of_everything),
	HARMLESS(image_of_3d),
	HARMLESS(image_whose_size_wraps),
	REFUSED(image_levels_0, "vkCreateImage: no image has so many levels, layers or samples"),
	HARMLESS(image_levels_15),
	HARMLESS(image_levels_17),
	REFUSED(image_levels_33, "vkCreateImage: no image has so many levels, layers or samples"),
	REFUSED(image_levels_most, "vkCreateImage: no image has so many levels, layers or samples"),
	REFUSED(image_layers_0, "vkCreateImage: no image has so many levels, layers or samples"),
	HARMLESS(image_layers_2049),
	HARMLESS(image_layers_most),
	REFUSED(image_samples_0, "vkCreateImage: no image has so many levels, layers or samples"),
	REFUSED(image_samples_3, "vkCreateImage: no image has so many levels, layers or samples"),
	HARMLESS(image_samples_64),
	REFUSED(image_samples_most, "vkCreateImage: no image has so many levels, layers or samples"),
	HARMLESS(image_format_0),
	HARMLESS(image_format_999),
	HARMLESS(image_format_most),
	HARMLESS(image_format_far),
	HARMLESS(image_type_7),
	HARMLESS(image_tiling_9),
	HARMLESS(image_usage_0),
	HARMLESS(image_usage_all),
	HARMLESS(image_flags_all),
	HARMLESS(image_families),
	HARMLESS(image_planes),
	HARMLESS(image_compressed),
	HARMLESS(image_depth_3d),
	HARMLESS(image_sparse),
	WILD(view_level_1),
	WILD(view_level_most),
	REFUSED(view_levels_0, "vkCreateImageView: a view of no levels or layers"),
	WILD(view_levels_100),
	WILD(view_layer_1),
	WILD(view_layer_most),
	WILD(view_layers_100),
	WILD(view_aspect_0),
	WILD(view_aspect_depth),
	WILD(view_aspect_plane),
	WILD(view_aspect_all),
	WILD(view_format_0),
	WILD(view_format_depth),
	WILD(view_format_wide),
	WILD(view_format_most),
	WILD(view_type_cube),
	WILD(view_type_3d),
	WILD(view_type_most),
	WILD(view_swizzle),
	HARMLESS(buffer_view_behind),
	HARMLESS(buffer_view_far),
	HARMLESS(buffer_view_long),
	HARMLESS(buffer_view_empty),
	HARMLESS(buffer_view_unformatted),
	HARMLESS(buffer_view_compressed),
	HARMLESS(buffer_view_format_most),
	HARMLESS(queries_0),
	HARMLESS(queries_most),
	HARMLESS(queries_wrap),
	HARMLESS(queries_of_no_type),
	HARMLESS(queries_of_statistics),
	WILD(sampler_of_nonsense),
	HARMLESS(pass_of_nothing),
	HARMLESS(pass_attachment_1),
	HARMLESS(pass_attachment_far),
	HARMLESS(pass_resolve_far),
	HARMLESS(pass_preserve_far),
	HARMLESS(pass_depth_far),
	HARMLESS(pass_dependency_1),
	HARMLESS(pass_dependency_far),
	HARMLESS(pass_without_samples),
	HARMLESS(pass_of_no_format),
	HARMLESS(framebuffer_without_views),
	HARMLESS(framebuffer_with_2_views),
	HARMLESS(framebuffer_of_0),
	HARMLESS(framebuffer_of_4g),
	REFUSED(layout_binding_most, "the number of a binding is too large"),
	HARMLESS(layout_binding_1m),
	HARMLESS(layout_count_0),
	HARMLESS(layout_count_most),
	HARMLESS(layout_count_2g),
	HARMLESS(layout_count_1m),
	HARMLESS(layout_type_most),
	HARMLESS(layout_type_99),
	HARMLESS(layout_block_odd),
	HARMLESS(layout_block_most),
	HARMLESS(pool_of_0),
	HARMLESS(pool_of_most),
	HARMLESS(pool_of_no_type),
	WILD(write_binding_1),
	WILD(write_binding_most),
	WILD(write_element_1),
	WILD(write_element_1m),
	WILD(write_element_most),
	WILD(write_count_64),
	WILD(write_count_0),
	WILD(write_other_type),
	REFUSED(write_no_array, "VkWriteDescriptorSet.pBufferInfo: must not be NULL"),
	REFUSED(write_type_most, "VkWriteDescriptorSet.descriptorType: unknown type"),
	WILD(copy_of_binding_9),
	WILD(copy_to_binding_most),
	WILD(copy_of_most),
	HARMLESS(pipeline_layout_push_most),
	HARMLESS(pipeline_layout_push_wraps),
	REFUSED(pipeline_layout_of_sets, "setLayoutCount is beyond"),
	REFUSED(shader_bound_huge, "vkCreateShaderModule: the code is no SPIR-V"),
	REFUSED(shader_bound_most, "vkCreateShaderModule: the code is no SPIR-V"),
	WILD(shader_bound_1),
	REFUSED(shader_no_magic, "vkCreateShaderModule: the code is no SPIR-V"),
	REFUSED(shader_other_endian, "vkCreateShaderModule: the code is no SPIR-V"),
	WILD(shader_only_header),
	WILD(shader_half),
	WILD(shader_a_word_short),
	WILD(shader_length_0),
	WILD(shader_length_most),
	WILD(shader_random),
	WILD(shader_spoilt_1),
	WILD(shader_spoilt_2),
	WILD(shader_spoilt_3),
	WILD(shader_spoilt_4),
	WILD(shader_spoilt_5),
	WILD(shader_spoilt_6),
	WILD(shader_of_no_name),
	REFUSED(shader_specialized, "vkCreateComputePipelines: a constant lies outside its data"),
	REFUSED(chain_twice, "vkCreateBuffer: VkBufferCreateInfo: the same structure is chained twice"),
	REFUSED(chain_deep, "vkCreateBuffer: VkBufferCreateInfo: the same structure is chained twice"),
	REFUSED(chain_unknown_deep, "a structure is chained that does not belong there"),
	REFUSED(chain_unknown, "a structure is chained that does not belong there"),
	REFUSED(chain_of_head, "a structure is chained that does not belong there"),
	REFUSED(chain_of_others, "a structure is chained that does not belong there"),
};

int main(int argc, char **argv) {
	hostile_start(&argc, &argv);
	hostile_run("driver", cases, sizeof(cases) / sizeof(cases[0]));
	return hostile_finish();
}
