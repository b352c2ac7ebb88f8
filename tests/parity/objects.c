/* SPDX-License-Identifier: MIT */

/* Objects of every type: one, several at once, many at once, and by several threads. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "parity.h"

#include "fill_comp_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** What objects are made of. */
struct parts {
	VkDevice device;
	VkBuffer buffer;
	VkImage image;
	VkImageView view;
	VkDeviceMemory buffer_memory, image_memory;
	VkSampler sampler;
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkRenderPass pass;
	VkShaderModule compute;
	VkDescriptorPool descriptor_pool;
	VkCommandPool command_pool;
	uint32_t family;
	uint32_t memory_type;
};

union handle {
	uint64_t number;
	void *pointer;
};

struct kind {
	const char *name;
	VkResult (*create)(const struct parts *parts, union handle *handle);
	void (*destroy)(const struct parts *parts, union handle handle);
	uint32_t many; /* how many at once */
};

/* Functions create_NAME and destroy_NAME for a kind whose create info is `...`. */
#define KIND(name, Type, ...) \
	static VkResult create_##name(const struct parts *parts, union handle *handle) { \
		const Vk##Type##CreateInfo info = {__VA_ARGS__}; \
		Vk##Type object = VK_NULL_HANDLE; \
		const VkResult result = vkCreate##Type(parts->device, &info, NULL, &object); \
		handle->number = (uint64_t)(uintptr_t)object; \
		return result; \
	} \
	static void destroy_##name(const struct parts *parts, union handle handle) { \
		vkDestroy##Type(parts->device, (Vk##Type)(uintptr_t)handle.number, NULL); \
	}

KIND(fence, Fence, .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO)
KIND(signalled, Fence, .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
	.flags = VK_FENCE_CREATE_SIGNALED_BIT)
KIND(semaphore, Semaphore, .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO)
KIND(event, Event, .sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO)
KIND(buffer, Buffer, .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = 1024,
	.usage = VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT)
KIND(view, BufferView, .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
	.buffer = parts->buffer, .format = VK_FORMAT_R8G8B8A8_UNORM, .range = VK_WHOLE_SIZE)
KIND(image1d, Image, .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO, .imageType = VK_IMAGE_TYPE_1D,
	.format = VK_FORMAT_R8G8B8A8_UNORM, .extent = {256, 1, 1}, .mipLevels = 1, .arrayLayers = 4,
	.samples = VK_SAMPLE_COUNT_1_BIT, .usage = VK_IMAGE_USAGE_SAMPLED_BIT)
KIND(image2d, Image, .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO, .imageType = VK_IMAGE_TYPE_2D,
	.format = VK_FORMAT_R8G8B8A8_UNORM, .extent = {64, 64, 1}, .mipLevels = 1, .arrayLayers = 12,
	.samples = VK_SAMPLE_COUNT_1_BIT, .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT)
KIND(image3d, Image, .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO, .imageType = VK_IMAGE_TYPE_3D,
	.format = VK_FORMAT_R8G8B8A8_UNORM, .extent = {32, 32, 4}, .mipLevels = 1, .arrayLayers = 1,
	.samples = VK_SAMPLE_COUNT_1_BIT, .usage = VK_IMAGE_USAGE_SAMPLED_BIT)
KIND(image_view, ImageView, .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
	.image = parts->image, .viewType = VK_IMAGE_VIEW_TYPE_2D_ARRAY,
	.format = VK_FORMAT_R8G8B8A8_UNORM,
	.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 4})
KIND(shader, ShaderModule, .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
	.codeSize = sizeof(fill_comp_spv), .pCode = fill_comp_spv)
KIND(cache, PipelineCache, .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO)
KIND(sampler, Sampler, .sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO, .maxAnisotropy = 1)
KIND(queries, QueryPool, .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
	.queryType = VK_QUERY_TYPE_OCCLUSION, .queryCount = 1)
KIND(no_layout, PipelineLayout, .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO)
KIND(layout, PipelineLayout, .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
	.setLayoutCount = 1, .pSetLayouts = &parts->set_layout)
KIND(no_set_layout, DescriptorSetLayout,
	.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO)
KIND(set_layout, DescriptorSetLayout, .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
	.bindingCount = 1, .pBindings = &(VkDescriptorSetLayoutBinding){0,
		VK_DESCRIPTOR_TYPE_SAMPLER, 1, VK_SHADER_STAGE_ALL, &parts->sampler})
KIND(descriptor_pool, DescriptorPool, .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
	.maxSets = 4, .poolSizeCount = 1,
	.pPoolSizes = &(VkDescriptorPoolSize){VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 3})
KIND(pass, RenderPass, .sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO, .subpassCount = 1,
	.pSubpasses = &(VkSubpassDescription){.flags = 0})
KIND(framebuffer, Framebuffer, .sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
	.renderPass = parts->pass, .attachmentCount = 1, .pAttachments = &parts->view, .width = 64,
	.height = 64, .layers = 1)
KIND(command_pool, CommandPool, .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
	.queueFamilyIndex = parts->family)
KIND(template, DescriptorUpdateTemplate,
	.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
	.descriptorUpdateEntryCount = 1,
	.pDescriptorUpdateEntries = &(VkDescriptorUpdateTemplateEntry){0, 0, 1,
		VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0, 0},
	.descriptorSetLayout = parts->set_layout)
KIND(slot, PrivateDataSlot, .sType = VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO)

static VkResult create_memory(const struct parts *parts, union handle *handle) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = 1024,
		.memoryTypeIndex = parts->memory_type,
	};
	VkDeviceMemory memory = VK_NULL_HANDLE;
	const VkResult result = vkAllocateMemory(parts->device, &info, NULL, &memory);
	handle->number = (uint64_t)(uintptr_t)memory;
	return result;
}

static void destroy_memory(const struct parts *parts, union handle handle) {
	vkFreeMemory(parts->device, (VkDeviceMemory)(uintptr_t)handle.number, NULL);
}

static VkResult create_mapped(const struct parts *parts, union handle *handle) {
	const VkResult result = create_memory(parts, handle);
	if (result != VK_SUCCESS) {
		return result;
	}
	void *data;
	return vkMapMemory(parts->device, (VkDeviceMemory)(uintptr_t)handle->number, 0, VK_WHOLE_SIZE,
		0, &data);
}

static VkResult create_compute(const struct parts *parts, union handle *handle) {
	const VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = parts->compute,
			.pName = "main",
		},
		.layout = parts->layout,
	};
	VkPipeline pipeline = VK_NULL_HANDLE;
	const VkResult result = vkCreateComputePipelines(
		parts->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
	handle->number = (uint64_t)(uintptr_t)pipeline;
	return result;
}

static void destroy_pipeline(const struct parts *parts, union handle handle) {
	vkDestroyPipeline(parts->device, (VkPipeline)(uintptr_t)handle.number, NULL);
}

static VkResult create_set(const struct parts *parts, union handle *handle) {
	const VkDescriptorSetAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = parts->descriptor_pool,
		.descriptorSetCount = 1,
		.pSetLayouts = &parts->set_layout,
	};
	VkDescriptorSet set = VK_NULL_HANDLE;
	const VkResult result = vkAllocateDescriptorSets(parts->device, &info, &set);
	handle->number = (uint64_t)(uintptr_t)set;
	return result;
}

static void destroy_set(const struct parts *parts, union handle handle) {
	const VkDescriptorSet set = (VkDescriptorSet)(uintptr_t)handle.number;
	vkFreeDescriptorSets(parts->device, parts->descriptor_pool, 1, &set);
}

static VkResult create_commands(const struct parts *parts, union handle *handle) {
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = parts->command_pool,
		.level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands = VK_NULL_HANDLE;
	const VkResult result = vkAllocateCommandBuffers(parts->device, &info, &commands);
	handle->pointer = commands;
	return result;
}

static void destroy_commands(const struct parts *parts, union handle handle) {
	const VkCommandBuffer commands = handle.pointer;
	vkFreeCommandBuffers(parts->device, parts->command_pool, 1, &commands);
}

#define MANY 400

static const struct kind kinds[] = {
	{"fence", create_fence, destroy_fence, MANY},
	{"signalled fence", create_signalled, destroy_signalled, MANY},
	{"semaphore", create_semaphore, destroy_semaphore, MANY},
	{"event", create_event, destroy_event, MANY},
	{"buffer", create_buffer, destroy_buffer, MANY},
	{"buffer view", create_view, destroy_view, MANY},
	{"1D image", create_image1d, destroy_image1d, MANY},
	{"2D image", create_image2d, destroy_image2d, MANY},
	{"3D image", create_image3d, destroy_image3d, MANY},
	{"image view", create_image_view, destroy_image_view, MANY},
	{"shader module", create_shader, destroy_shader, MANY},
	{"pipeline cache", create_cache, destroy_cache, MANY / 4},
	{"sampler", create_sampler, destroy_sampler, MANY},
	{"query pool", create_queries, destroy_queries, MANY},
	{"empty pipeline layout", create_no_layout, destroy_no_layout, MANY},
	{"pipeline layout", create_layout, destroy_layout, MANY},
	{"empty descriptor set layout", create_no_set_layout, destroy_no_set_layout, MANY},
	{"descriptor set layout", create_set_layout, destroy_set_layout, MANY},
	{"descriptor pool", create_descriptor_pool, destroy_descriptor_pool, MANY},
	{"render pass", create_pass, destroy_pass, MANY},
	{"framebuffer", create_framebuffer, destroy_framebuffer, MANY},
	{"command pool", create_command_pool, destroy_command_pool, MANY},
	{"update template", create_template, destroy_template, MANY},
	{"private data slot", create_slot, destroy_slot, MANY},
	{"memory", create_memory, destroy_memory, MANY},
	{"mapped memory", create_mapped, destroy_memory, MANY},
	{"compute pipeline", create_compute, destroy_pipeline, MANY / 8},
	{"descriptor set", create_set, destroy_set, MANY},
	{"command buffer", create_commands, destroy_commands, MANY},
};

static void parts_init(struct parts *parts, const struct parity *parity) {
	union handle handle;
	memset(parts, 0, sizeof(*parts));
	parts->device = parity->device;
	parts->family = parity->family;
	for (uint32_t i = 0; i < parity->memory.memoryTypeCount; i++) {
		if (parity->memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) {
			parts->memory_type = i;
		}
	}
#define PART(name, Type, kind) \
	MUST(create_##kind(parts, &handle)); \
	parts->name = (Vk##Type)(uintptr_t)handle.number
	PART(sampler, Sampler, sampler);
	PART(compute, ShaderModule, shader);
	PART(command_pool, CommandPool, command_pool);
#undef PART
	const VkBufferCreateInfo buffer = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = 4096,
		.usage = VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT,
	};
	MUST(vkCreateBuffer(parts->device, &buffer, NULL, &parts->buffer));
	VkMemoryRequirements requirements;
	vkGetBufferMemoryRequirements(parts->device, parts->buffer, &requirements);
	VkMemoryAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = requirements.size,
		.memoryTypeIndex = (uint32_t)__builtin_ctz(requirements.memoryTypeBits),
	};
	MUST(vkAllocateMemory(parts->device, &allocate, NULL, &parts->buffer_memory));
	MUST(vkBindBufferMemory(parts->device, parts->buffer, parts->buffer_memory, 0));
	MUST(create_image2d(parts, &handle));
	parts->image = (VkImage)(uintptr_t)handle.number;
	vkGetImageMemoryRequirements(parts->device, parts->image, &requirements);
	allocate.allocationSize = requirements.size;
	allocate.memoryTypeIndex = (uint32_t)__builtin_ctz(requirements.memoryTypeBits);
	MUST(vkAllocateMemory(parts->device, &allocate, NULL, &parts->image_memory));
	MUST(vkBindImageMemory(parts->device, parts->image, parts->image_memory, 0));
	const VkImageViewCreateInfo view = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = parts->image,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	MUST(vkCreateImageView(parts->device, &view, NULL, &parts->view));
	const VkDescriptorSetLayoutBinding binding = {
		0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_ALL, NULL};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	MUST(vkCreateDescriptorSetLayout(parts->device, &set_layout, NULL, &parts->set_layout));
	const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 8};
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &parts->set_layout,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &push,
	};
	MUST(vkCreatePipelineLayout(parts->device, &layout, NULL, &parts->layout));
	const VkAttachmentDescription attachment = {
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.loadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
		.finalLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
	};
	const VkAttachmentReference reference = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
	const VkSubpassDescription subpass = {
		.colorAttachmentCount = 1,
		.pColorAttachments = &reference,
	};
	const VkRenderPassCreateInfo pass = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &attachment,
		.subpassCount = 1,
		.pSubpasses = &subpass,
	};
	MUST(vkCreateRenderPass(parts->device, &pass, NULL, &parts->pass));
	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, MANY};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
		.maxSets = MANY,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	MUST(vkCreateDescriptorPool(parts->device, &pool, NULL, &parts->descriptor_pool));
}

static void parts_finish(struct parts *parts) {
#define DESTROY(Type, name) vkDestroy##Type(parts->device, parts->name, NULL)
	DESTROY(DescriptorPool, descriptor_pool);
	DESTROY(CommandPool, command_pool);
	DESTROY(RenderPass, pass);
	DESTROY(PipelineLayout, layout);
	DESTROY(DescriptorSetLayout, set_layout);
	DESTROY(ImageView, view);
	DESTROY(Image, image);
	DESTROY(Buffer, buffer);
	DESTROY(ShaderModule, compute);
	DESTROY(Sampler, sampler);
#undef DESTROY
	vkFreeMemory(parts->device, parts->image_memory, NULL);
	vkFreeMemory(parts->device, parts->buffer_memory, NULL);
}

static void many_at_once(struct parity *parity) {
	struct parts parts;
	parts_init(&parts, parity);
	union handle *handles = calloc(MANY, sizeof(*handles));
	for (size_t kind = 0; kind < COUNT(kinds); kind++) {
		uint32_t wrong = 0;
		for (uint32_t i = 0; i < kinds[kind].many; i++) {
			wrong += kinds[kind].create(&parts, &handles[i]) != VK_SUCCESS;
		}
		/* not in the order they came; the numbers are even */
		for (uint32_t i = 0; i < kinds[kind].many; i++) {
			kinds[kind].destroy(&parts, handles[i % 2 ? kinds[kind].many - i : i]);
		}
		say("%s: %u failed", kinds[kind].name, wrong);
	}
	free(handles);
	parts_finish(&parts);
}

/** As many mapped at once as the program may have files open, in part: whoever makes them may need one for each. */
static void many_mapped(struct parity *parity) {
	struct parts parts;
	parts_init(&parts, parity);
	struct rlimit limit = {0};
	getrlimit(RLIMIT_NOFILE, &limit);
	const uint32_t count = limit.rlim_cur < 9000 ? (uint32_t)limit.rlim_cur / 3 : 3000;
	union handle *handles = calloc(count, sizeof(*handles));
	uint32_t wrong = 0;
	for (uint32_t i = 0; i < count; i++) {
		wrong += create_mapped(&parts, &handles[i]) != VK_SUCCESS;
	}
	for (uint32_t i = 0; i < count; i++) {
		destroy_memory(&parts, handles[i]);
	}
	say("%u of %u failed", wrong, count);
	free(handles);
	parts_finish(&parts);
}

struct thread {
	const struct parts *parts;
	const struct kind *kind;
	pthread_t id;
	uint32_t wrong;
};

static void *create_and_destroy(void *data) {
	struct thread *thread = data;
	for (uint32_t i = 0; i < 50; i++) {
		union handle handles[2];
		thread->wrong += thread->kind->create(thread->parts, &handles[0]) != VK_SUCCESS;
		thread->wrong += thread->kind->create(thread->parts, &handles[1]) != VK_SUCCESS;
		thread->kind->destroy(thread->parts, handles[0]);
		thread->kind->destroy(thread->parts, handles[1]);
	}
	return NULL;
}

/** Several threads make objects of one kind of the same parts. Pools would have to be locked. */
static void by_threads(struct parity *parity) {
	struct parts parts;
	parts_init(&parts, parity);
	for (size_t kind = 0; kind < COUNT(kinds); kind++) {
		if (kinds[kind].create == create_set || kinds[kind].create == create_commands) {
			continue;
		}
		struct thread threads[4];
		uint32_t wrong = 0;
		for (size_t i = 0; i < COUNT(threads); i++) {
			threads[i] = (struct thread){.parts = &parts, .kind = &kinds[kind]};
			if (pthread_create(&threads[i].id, NULL, create_and_destroy, &threads[i]) != 0) {
				parity_fail("pthread_create", 0);
			}
		}
		for (size_t i = 0; i < COUNT(threads); i++) {
			pthread_join(threads[i].id, NULL);
			wrong += threads[i].wrong;
		}
		say("%s: %u failed", kinds[kind].name, wrong);
	}
	parts_finish(&parts);
}

const struct parity_case parity_object_cases[] = {
	{"objects many", many_at_once},
	{"objects many-mapped", many_mapped},
	{"objects threads", by_threads},
	{NULL, NULL},
};
