/* SPDX-License-Identifier: MIT */

/* Descriptors: every way to write them, null and mutable ones, immutable samplers, pools that run out. */

#include <stdlib.h>
#include <string.h>

#include "parity.h"

#include "descriptors_comp_spv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BINDINGS 7

static const VkDescriptorType types[BINDINGS] = {
	VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
	VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
	VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE,
	VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
	VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
	VK_DESCRIPTOR_TYPE_STORAGE_IMAGE,
	VK_DESCRIPTOR_TYPE_SAMPLER, /* the last: an immutable one is not written */
};
static const uint32_t counts[BINDINGS] = {1, 2, 1, 1, 2, 1, 1};

static const VkDescriptorType mutable_types[] = {
	VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
	VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
	VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE,
	VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
	VK_DESCRIPTOR_TYPE_STORAGE_IMAGE,
};

/** What the shader reads, and the pipeline. */
struct scene {
	struct parity_buffer result, uniforms;
	struct parity_image image;
	VkBufferView texels;
	VkSampler samplers[2];
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkShaderModule shader;
	VkPipeline pipeline;
};

/** What the bindings are written with; a template reads it, too. */
struct content {
	VkDescriptorBufferInfo result, uniforms[2];
	VkDescriptorImageInfo image, sampler, both[2], stored;
	VkBufferView texels;
};

enum kind {
	PLAIN,
	IMMUTABLE, /* samplers */
	MUTABLE,   /* all descriptors but samplers: each can be any of them */
};

static bool is_sampler(VkDescriptorType type) {
	return type == VK_DESCRIPTOR_TYPE_SAMPLER || type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
}

static void scene_init(struct parity *parity, struct scene *scene,
		VkDescriptorSetLayoutCreateFlags flags, enum kind kind) {
	const VkDevice device = parity->device;
	memset(scene, 0, sizeof(*scene));
	parity_buffer_init(parity, &scene->result, 64 * 64, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
	parity_buffer_init(parity, &scene->uniforms, 4096, VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
		VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
	float *floats = scene->uniforms.data;
	for (size_t i = 0; i < 1024; i++) {
		floats[i] = (float)i / 16;
	}
	const VkImageCreateInfo image = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {8, 8, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_STORAGE_BIT |
			VK_IMAGE_USAGE_TRANSFER_DST_BIT,
	};
	parity_image_init(
		parity, &scene->image, &image, VK_IMAGE_VIEW_TYPE_2D, VK_IMAGE_ASPECT_COLOR_BIT);
	VkCommandBuffer commands = parity_begin(parity);
	const VkBufferImageCopy copy = {
		.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
		.imageExtent = image.extent,
	};
	parity_transition(
		commands, &scene->image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
	vkCmdCopyBufferToImage(commands, scene->uniforms.buffer, scene->image.image,
		VK_IMAGE_LAYOUT_GENERAL, 1, &copy);
	parity_run(parity, commands);
	const VkBufferViewCreateInfo texels = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
		.buffer = scene->uniforms.buffer,
		.format = VK_FORMAT_R32G32B32A32_SFLOAT,
		.range = VK_WHOLE_SIZE,
	};
	MUST(vkCreateBufferView(device, &texels, NULL, &scene->texels));
	for (size_t i = 0; i < 2; i++) {
		const VkSamplerCreateInfo sampler = {
			.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
			.magFilter = i ? VK_FILTER_LINEAR : VK_FILTER_NEAREST,
			.minFilter = i ? VK_FILTER_LINEAR : VK_FILTER_NEAREST,
			.addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_BORDER,
			.addressModeV = i ? VK_SAMPLER_ADDRESS_MODE_REPEAT :
				VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
			.borderColor = VK_BORDER_COLOR_FLOAT_OPAQUE_WHITE,
		};
		MUST(vkCreateSampler(device, &sampler, NULL, &scene->samplers[i]));
	}
	VkDescriptorSetLayoutBinding bindings[BINDINGS];
	VkMutableDescriptorTypeListEXT lists[BINDINGS] = {{0, NULL}};
	for (uint32_t i = 0; i < BINDINGS; i++) {
		bindings[i] = (VkDescriptorSetLayoutBinding){
			i, types[i], counts[i], VK_SHADER_STAGE_COMPUTE_BIT, NULL};
		if (kind == IMMUTABLE && is_sampler(types[i])) {
			bindings[i].pImmutableSamplers = scene->samplers;
		}
		if (kind == MUTABLE && !is_sampler(types[i])) {
			bindings[i].descriptorType = VK_DESCRIPTOR_TYPE_MUTABLE_EXT;
			lists[i] = (VkMutableDescriptorTypeListEXT){COUNT(mutable_types), mutable_types};
		}
	}
	const VkMutableDescriptorTypeCreateInfoEXT mutable_info = {
		.sType = VK_STRUCTURE_TYPE_MUTABLE_DESCRIPTOR_TYPE_CREATE_INFO_EXT,
		.mutableDescriptorTypeListCount = BINDINGS,
		.pMutableDescriptorTypeLists = lists,
	};
	const VkDescriptorSetLayoutCreateInfo set_layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.pNext = kind == MUTABLE ? &mutable_info : NULL,
		.flags = flags,
		.bindingCount = BINDINGS,
		.pBindings = bindings,
	};
	MUST(vkCreateDescriptorSetLayout(device, &set_layout, NULL, &scene->set_layout));
	const VkPipelineLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1,
		.pSetLayouts = &scene->set_layout,
	};
	MUST(vkCreatePipelineLayout(device, &layout, NULL, &scene->layout));
	scene->shader = parity_shader(parity, descriptors_comp_spv, sizeof(descriptors_comp_spv));
	const VkComputePipelineCreateInfo pipeline = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = scene->shader,
			.pName = "main",
		},
		.layout = scene->layout,
	};
	MUST(vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &pipeline, NULL, &scene->pipeline));
}

static void scene_finish(struct parity *parity, struct scene *scene) {
	const VkDevice device = parity->device;
	vkDestroyPipeline(device, scene->pipeline, NULL);
	vkDestroyShaderModule(device, scene->shader, NULL);
	vkDestroyPipelineLayout(device, scene->layout, NULL);
	vkDestroyDescriptorSetLayout(device, scene->set_layout, NULL);
	vkDestroySampler(device, scene->samplers[0], NULL);
	vkDestroySampler(device, scene->samplers[1], NULL);
	vkDestroyBufferView(device, scene->texels, NULL);
	parity_image_finish(parity, &scene->image);
	parity_buffer_finish(parity, &scene->uniforms);
	parity_buffer_finish(parity, &scene->result);
}

static struct content content_of(const struct scene *scene, bool immutable) {
	/* what a type does not use may be anything */
	const VkSampler no_sampler = (VkSampler)(uintptr_t)0x1234567;
	const VkImageView no_view = (VkImageView)(uintptr_t)0x7654321;
	const VkImageLayout layout = VK_IMAGE_LAYOUT_GENERAL;
	return (struct content){
		.result = {scene->result.buffer, 0, VK_WHOLE_SIZE},
		.uniforms = {
			{scene->uniforms.buffer, 256, 16},
			{scene->uniforms.buffer, 512, VK_WHOLE_SIZE},
		},
		.image = {no_sampler, scene->image.view, layout},
		.sampler = {immutable ? no_sampler : scene->samplers[0], no_view, (VkImageLayout)77},
		.both = {
			{immutable ? no_sampler : scene->samplers[0], scene->image.view, layout},
			{immutable ? no_sampler : scene->samplers[1], scene->image.view, layout},
		},
		.stored = {no_sampler, scene->image.view, layout},
		.texels = scene->texels,
	};
}

static void fill_writes(
		VkWriteDescriptorSet *writes, VkDescriptorSet set, const struct content *content) {
	for (uint32_t i = 0; i < BINDINGS; i++) {
		writes[i] = (VkWriteDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = set,
			.dstBinding = i,
			.descriptorCount = counts[i],
			.descriptorType = types[i],
			/* again what is not used */
			.pImageInfo = (const void *)(uintptr_t)8,
			.pBufferInfo = (const void *)(uintptr_t)8,
			.pTexelBufferView = (const void *)(uintptr_t)8,
		};
	}
	writes[0].pBufferInfo = &content->result;
	writes[1].pBufferInfo = content->uniforms;
	writes[2].pImageInfo = &content->image;
	writes[3].pTexelBufferView = &content->texels;
	writes[4].pImageInfo = content->both;
	writes[5].pImageInfo = &content->stored;
	writes[6].pImageInfo = &content->sampler;
}

static VkDescriptorUpdateTemplate create_template(struct parity *parity, const struct scene *scene,
		VkDescriptorUpdateTemplateType type, uint32_t count) {
	const size_t offsets[BINDINGS] = {offsetof(struct content, result),
		offsetof(struct content, uniforms), offsetof(struct content, image),
		offsetof(struct content, texels), offsetof(struct content, both),
		offsetof(struct content, stored), offsetof(struct content, sampler)};
	VkDescriptorUpdateTemplateEntry entries[BINDINGS];
	for (uint32_t i = 0; i < BINDINGS; i++) {
		entries[i] = (VkDescriptorUpdateTemplateEntry){i, 0, counts[i], types[i], offsets[i],
			i == 1 ? sizeof(VkDescriptorBufferInfo) : sizeof(VkDescriptorImageInfo)};
	}
	const VkDescriptorUpdateTemplateCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
		.descriptorUpdateEntryCount = count,
		.pDescriptorUpdateEntries = entries,
		.templateType = type,
		.descriptorSetLayout = scene->set_layout,
		.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
		.pipelineLayout = scene->layout,
	};
	VkDescriptorUpdateTemplate template;
	MUST(vkCreateDescriptorUpdateTemplate(parity->device, &info, NULL, &template));
	return template;
}

static VkDescriptorPool create_pool(struct parity *parity, VkDescriptorPoolCreateFlags flags,
		uint32_t sets, const uint32_t *per_set) {
	VkDescriptorPoolSize sizes[BINDINGS + 1];
	uint32_t all = 0;
	for (uint32_t i = 0; i < BINDINGS; i++) {
		sizes[i] = (VkDescriptorPoolSize){types[i], per_set[i] * sets};
		all += sizes[i].descriptorCount;
	}
	sizes[BINDINGS] = (VkDescriptorPoolSize){VK_DESCRIPTOR_TYPE_MUTABLE_EXT, all};
	const VkDescriptorPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.flags = flags,
		.maxSets = sets,
		.poolSizeCount = parity->mutable_type.mutableDescriptorType ? BINDINGS + 1 : BINDINGS,
		.pPoolSizes = sizes,
	};
	VkDescriptorPool pool;
	MUST(vkCreateDescriptorPool(parity->device, &info, NULL, &pool));
	return pool;
}

static void say_scene(struct parity *parity, const struct scene *scene, VkCommandBuffer commands) {
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, scene->pipeline);
	vkCmdDispatch(commands, 1, 1, 1);
	parity_run(parity, commands);
	say_hash("result", scene->result.data, scene->result.size);
	memset(scene->result.data, 0xcc, scene->result.size);
}

static void sets(struct parity *parity) {
	for (enum kind kind = PLAIN; kind <= MUTABLE; kind++) {
		if (kind == MUTABLE && !parity->mutable_type.mutableDescriptorType) {
			say("there are no mutable descriptors");
			break;
		}
		struct scene scene;
		const uint32_t count = kind == IMMUTABLE ? BINDINGS - 1 : BINDINGS;
		scene_init(parity, &scene, 0, kind);
		const struct content content = content_of(&scene, kind == IMMUTABLE);
		VkDescriptorPool pool = create_pool(parity, 0, 4, counts);
		const VkDescriptorSetLayout layouts[3] = {
			scene.set_layout, scene.set_layout, scene.set_layout};
		const VkDescriptorSetAllocateInfo allocate = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
			.descriptorPool = pool,
			.descriptorSetCount = 3,
			.pSetLayouts = layouts,
		};
		VkDescriptorSet set[3];
		MUST(vkAllocateDescriptorSets(parity->device, &allocate, set));
		VkWriteDescriptorSet writes[BINDINGS];
		fill_writes(writes, set[0], &content);
		vkUpdateDescriptorSets(parity->device, count, writes, 0, NULL);
		VkDescriptorUpdateTemplate template = create_template(
			parity, &scene, VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET, count);
		vkUpdateDescriptorSetWithTemplate(parity->device, set[1], template, &content);
		VkCopyDescriptorSet copies[BINDINGS];
		for (uint32_t i = 0; i < BINDINGS; i++) {
			copies[i] = (VkCopyDescriptorSet){
				.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
				.srcSet = set[0],
				.srcBinding = i,
				.dstSet = set[2],
				.dstBinding = i,
				.descriptorCount = counts[i],
			};
		}
		vkUpdateDescriptorSets(parity->device, 0, NULL, count, copies);
		for (size_t i = 0; i < 3; i++) {
			VkCommandBuffer commands = parity_begin(parity);
			vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, scene.layout, 0, 1,
				&set[i], 0, NULL);
			say_scene(parity, &scene, commands);
		}
		vkDestroyDescriptorUpdateTemplate(parity->device, template, NULL);
		vkDestroyDescriptorPool(parity->device, pool, NULL);
		scene_finish(parity, &scene);
	}
}

static void pushed(struct parity *parity) {
	for (int immutable = 0; immutable < 2; immutable++) {
		struct scene scene;
		const uint32_t count = immutable ? BINDINGS - 1 : BINDINGS;
		scene_init(parity, &scene, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR,
			immutable ? IMMUTABLE : PLAIN);
		const struct content content = content_of(&scene, immutable);
		VkWriteDescriptorSet writes[BINDINGS];
		fill_writes(writes, (VkDescriptorSet)(uintptr_t)0x1111, &content);
		PROC(parity, vkCmdPushDescriptorSetKHR);
		PROC(parity, vkCmdPushDescriptorSetWithTemplateKHR);
		VkCommandBuffer commands = parity_begin(parity);
		vkCmdPushDescriptorSetKHR(
			commands, VK_PIPELINE_BIND_POINT_COMPUTE, scene.layout, 0, count, writes);
		say_scene(parity, &scene, commands);
		VkDescriptorUpdateTemplate template = create_template(
			parity, &scene, VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS_KHR, count);
		commands = parity_begin(parity);
		vkCmdPushDescriptorSetWithTemplateKHR(commands, template, scene.layout, 0, &content);
		say_scene(parity, &scene, commands);
		if (parity_has(parity, VK_KHR_MAINTENANCE_6_EXTENSION_NAME)) {
			PROC(parity, vkCmdPushDescriptorSet2KHR);
			PROC(parity, vkCmdPushDescriptorSetWithTemplate2KHR);
			const VkPushDescriptorSetInfoKHR info = {
				.sType = VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_INFO_KHR,
				.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
				.layout = scene.layout,
				.descriptorWriteCount = count,
				.pDescriptorWrites = writes,
			};
			commands = parity_begin(parity);
			vkCmdPushDescriptorSet2KHR(commands, &info);
			say_scene(parity, &scene, commands);
			const VkPushDescriptorSetWithTemplateInfoKHR with_template = {
				.sType = VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_WITH_TEMPLATE_INFO_KHR,
				.descriptorUpdateTemplate = template,
				.layout = scene.layout,
				.pData = &content,
			};
			commands = parity_begin(parity);
			vkCmdPushDescriptorSetWithTemplate2KHR(commands, &with_template);
			say_scene(parity, &scene, commands);
		}
		vkDestroyDescriptorUpdateTemplate(parity->device, template, NULL);
		scene_finish(parity, &scene);
	}
}

/** All but the result's buffer is nothing. */
static void null_descriptors(struct parity *parity) {
	if (!parity->robustness2.nullDescriptor) {
		say("there are no null descriptors");
		return;
	}
	for (int push = 0; push < 2; push++) {
		struct scene scene;
		scene_init(parity, &scene,
			push ? VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR : 0, PLAIN);
		struct content content = content_of(&scene, false);
		content.uniforms[0].buffer = content.uniforms[1].buffer = VK_NULL_HANDLE;
		content.uniforms[0].offset = content.uniforms[1].offset = 0;
		content.uniforms[0].range = content.uniforms[1].range = VK_WHOLE_SIZE;
		content.image.imageView = content.stored.imageView = VK_NULL_HANDLE;
		content.both[0].imageView = content.both[1].imageView = VK_NULL_HANDLE;
		content.texels = VK_NULL_HANDLE;
		VkWriteDescriptorSet writes[BINDINGS];
		VkCommandBuffer commands = parity_begin(parity);
		VkDescriptorPool pool = create_pool(parity, 0, 1, counts);
		if (push) {
			PROC(parity, vkCmdPushDescriptorSetKHR);
			fill_writes(writes, VK_NULL_HANDLE, &content);
			vkCmdPushDescriptorSetKHR(
				commands, VK_PIPELINE_BIND_POINT_COMPUTE, scene.layout, 0, BINDINGS, writes);
		} else {
			const VkDescriptorSetAllocateInfo allocate = {
				.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
				.descriptorPool = pool,
				.descriptorSetCount = 1,
				.pSetLayouts = &scene.set_layout,
			};
			VkDescriptorSet set;
			MUST(vkAllocateDescriptorSets(parity->device, &allocate, &set));
			fill_writes(writes, set, &content);
			vkUpdateDescriptorSets(parity->device, BINDINGS, writes, 0, NULL);
			vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, scene.layout, 0, 1,
				&set, 0, NULL);
		}
		say_scene(parity, &scene, commands);
		vkDestroyDescriptorPool(parity->device, pool, NULL);
		scene_finish(parity, &scene);
	}
}

/**
 * Allocated, freed in another order, and allocated again. Not more than there is: lavapipe does not count, and the
 * guest's driver does.
 */
static void pools(struct parity *parity) {
	struct scene scene;
	scene_init(parity, &scene, 0, PLAIN);
	const VkDescriptorSetLayout layouts[8] = {scene.set_layout, scene.set_layout, scene.set_layout,
		scene.set_layout, scene.set_layout, scene.set_layout, scene.set_layout, scene.set_layout};
	for (VkDescriptorPoolCreateFlags flags = 0; flags <= 1; flags++) {
		VkDescriptorPool pool = create_pool(parity, flags, 8, counts);
		VkDescriptorSetAllocateInfo allocate = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
			.descriptorPool = pool,
			.pSetLayouts = layouts,
		};
		const uint32_t rounds[4][4] = {{8, 0}, {1, 2, 4, 1}, {3, 5, 0}, {4, 4, 0}};
		for (size_t round = 0; round < COUNT(rounds); round++) {
			VkDescriptorSet set[8];
			uint32_t made = 0;
			for (size_t i = 0; i < 4 && rounds[round][i]; i++) {
				allocate.descriptorSetCount = rounds[round][i];
				say("%u: %d", rounds[round][i],
					vkAllocateDescriptorSets(parity->device, &allocate, &set[made]));
				made += rounds[round][i];
			}
			const struct content content = content_of(&scene, false);
			VkWriteDescriptorSet writes[BINDINGS];
			fill_writes(writes, set[7 - round], &content);
			vkUpdateDescriptorSets(parity->device, BINDINGS, writes, 0, NULL);
			VkCommandBuffer commands = parity_begin(parity);
			vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, scene.layout, 0, 1,
				&set[7 - round], 0, NULL);
			say_scene(parity, &scene, commands);
			if (flags && round % 2) {
				const VkDescriptorSet some[5] = {set[5], VK_NULL_HANDLE, set[0], set[7], set[2]};
				SAY_RESULT(vkFreeDescriptorSets(parity->device, pool, 5, some));
				const VkDescriptorSet others[4] = {set[1], set[3], set[4], set[6]};
				SAY_RESULT(vkFreeDescriptorSets(parity->device, pool, 4, others));
			} else {
				SAY_RESULT(vkResetDescriptorPool(parity->device, pool, 0));
			}
		}
		vkDestroyDescriptorPool(parity->device, pool, NULL);
	}
	scene_finish(parity, &scene);
}

const struct parity_case parity_descriptor_cases[] = {
	{"descriptors sets", sets},
	{"descriptors pushed", pushed},
	{"descriptors null", null_descriptors},
	{"descriptors pools", pools},
	{NULL, NULL},
};
