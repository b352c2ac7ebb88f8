/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <string.h>

#include "bench_alu_comp_spv.h"
#include "bench_saxpy_comp_spv.h"
#include "bench_tri_frag_spv.h"
#include "bench_tri_vert_spv.h"

#define MAX_DEVICES 16
#define MAX_FAMILIES 16
#define FENCE_TIMEOUT_NS UINT64_C(20000000000)

struct gpu gpu;

void gpu_open_instance(void) {
	const VkApplicationInfo app = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "vkbench",
		.apiVersion = VK_API_VERSION_1_2,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &app};
	BENCH_TRY(vkCreateInstance(&info, NULL, &gpu.instance));

	VkPhysicalDevice devices[MAX_DEVICES];
	uint32_t n = MAX_DEVICES;
	BENCH_TRY(vkEnumeratePhysicalDevices(gpu.instance, &n, devices));
	gpu.physical = VK_NULL_HANDLE;
	for (uint32_t i = 0; i < n && !gpu.physical; i++) {
		vkGetPhysicalDeviceProperties(devices[i], &gpu.properties);
		if (!bench_options.device || strstr(gpu.properties.deviceName, bench_options.device)) {
			gpu.physical = devices[i];
		}
	}
	if (!gpu.physical) {
		bench_fail("no such device among %u", n);
	}
	vkGetPhysicalDeviceMemoryProperties(gpu.physical, &gpu.memory);
}

void gpu_open_device(void) {
	VkQueueFamilyProperties families[MAX_FAMILIES];
	uint32_t n = MAX_FAMILIES;
	vkGetPhysicalDeviceQueueFamilyProperties(gpu.physical, &n, families);
	const VkQueueFlags wanted = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
	for (gpu.family = 0; gpu.family < n; gpu.family++) {
		if ((families[gpu.family].queueFlags & wanted) == wanted) {
			break;
		}
	}
	if (gpu.family == n) {
		bench_fail("no graphics+compute queue");
	}

	VkPhysicalDeviceVulkan12Features offered = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
	VkPhysicalDeviceFeatures2 features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &offered};
	const bool has_1_2 = gpu.properties.apiVersion >= VK_API_VERSION_1_2;
	if (has_1_2) {
		vkGetPhysicalDeviceFeatures2(gpu.physical, &features);
	}
	gpu.has_timeline = has_1_2 && offered.timelineSemaphore;
	gpu.has_addresses = has_1_2 && offered.bufferDeviceAddress;
	const VkPhysicalDeviceVulkan12Features enabled = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.timelineSemaphore = gpu.has_timeline,
		.bufferDeviceAddress = gpu.has_addresses,
	};
	const float priority = 1;
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = gpu.family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo device = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = has_1_2 ? &enabled : NULL,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
	};
	BENCH_TRY(vkCreateDevice(gpu.physical, &device, NULL, &gpu.device));
	vkGetDeviceQueue(gpu.device, gpu.family, 0, &gpu.queue);
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
		.queueFamilyIndex = gpu.family,
	};
	BENCH_TRY(vkCreateCommandPool(gpu.device, &pool, NULL, &gpu.command_pool));
}

uint32_t gpu_memory_type(uint32_t bits, VkMemoryPropertyFlags want) {
	for (uint32_t i = 0; i < gpu.memory.memoryTypeCount; i++) {
		if ((bits & (UINT32_C(1) << i)) &&
			(gpu.memory.memoryTypes[i].propertyFlags & want) == want) {
			return i;
		}
	}
	if (want & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) {
		return gpu_memory_type(bits, want & ~VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
	}
	bench_fail("no memory type for flags %#x", want);
}

VkDeviceMemory gpu_allocate(VkDeviceSize size, uint32_t type) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory m;
	BENCH_TRY(vkAllocateMemory(gpu.device, &info, NULL, &m));
	return m;
}

void *gpu_map(VkDeviceMemory m) {
	void *p = NULL;
	BENCH_TRY(vkMapMemory(gpu.device, m, 0, VK_WHOLE_SIZE, 0, &p));
	if (!p) {
		bench_fail("vkMapMemory gave NULL");
	}
	return p;
}

VkBuffer gpu_create_plain_buffer(VkDeviceSize size) {
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
			VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
			(gpu.has_addresses ? VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT : 0),
	};
	VkBuffer b;
	BENCH_TRY(vkCreateBuffer(gpu.device, &info, NULL, &b));
	return b;
}

struct gpu_buffer gpu_create_buffer(VkDeviceSize size, VkMemoryPropertyFlags want) {
	struct gpu_buffer r = {.size = size, .handle = gpu_create_plain_buffer(size)};
	VkMemoryRequirements req;
	vkGetBufferMemoryRequirements(gpu.device, r.handle, &req);
	const VkMemoryAllocateFlagsInfo fi = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
		.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
	};
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = gpu.has_addresses ? &fi : NULL,
		.allocationSize = req.size,
		.memoryTypeIndex = gpu_memory_type(req.memoryTypeBits, want),
	};
	BENCH_TRY(vkAllocateMemory(gpu.device, &info, NULL, &r.memory));
	BENCH_TRY(vkBindBufferMemory(gpu.device, r.handle, r.memory, 0));
	return r;
}

VkFence gpu_create_fence(void) {
	const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence f;
	BENCH_TRY(vkCreateFence(gpu.device, &info, NULL, &f));
	return f;
}

VkCommandBuffer gpu_allocate_commands(void) {
	const VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = gpu.command_pool,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	VkCommandBuffer commands;
	BENCH_TRY(vkAllocateCommandBuffers(gpu.device, &info, &commands));
	return commands;
}

void gpu_begin(VkCommandBuffer commands) {
	const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	BENCH_TRY(vkBeginCommandBuffer(commands, &info));
}

void gpu_submit(VkCommandBuffer commands, VkFence f) {
	const VkSubmitInfo si = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = commands ? 1 : 0,
		.pCommandBuffers = &commands,
	};
	BENCH_TRY(vkQueueSubmit(gpu.queue, 1, &si, f));
}

void gpu_wait_fence(VkFence f) {
	VkResult r = vkWaitForFences(gpu.device, 1, &f, VK_TRUE, FENCE_TIMEOUT_NS);
	if (r != VK_SUCCESS) {
		bench_fail("vkWaitForFences -> %d", r);
	}
	BENCH_TRY(vkResetFences(gpu.device, 1, &f));
}

static VkFence run_fence;

void gpu_run(VkCommandBuffer commands) {
	if (!run_fence) {
		run_fence = gpu_create_fence();
	}
	gpu_submit(commands, run_fence);
	gpu_wait_fence(run_fence);
}

void gpu_barrier(VkCommandBuffer commands) {
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
	};
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
		VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1, &barrier, 0, NULL, 0, NULL);
}

static void fill_bindings(VkDescriptorSetLayoutBinding *bindings, uint32_t count) {
	for (uint32_t i = 0; i < count; i++) {
		bindings[i] = (VkDescriptorSetLayoutBinding){
			.binding = i,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_ALL,
		};
	}
}

void gpu_round_trip(void) {
	VkDescriptorSetLayoutBinding binding;
	fill_bindings(&binding, 1);
	const VkDescriptorSetLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	VkDescriptorSetLayoutSupport support = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_SUPPORT};
	vkGetDescriptorSetLayoutSupport(gpu.device, &info, &support);
}

VkDescriptorSetLayout gpu_create_set_layout(
	uint32_t count, VkDescriptorSetLayoutCreateFlags flags) {
	VkDescriptorSetLayoutBinding bindings[GPU_MAX_DESCRIPTORS];
	fill_bindings(bindings, count);
	const VkDescriptorSetLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.flags = flags,
		.bindingCount = count,
		.pBindings = bindings,
	};
	VkDescriptorSetLayout layout;
	BENCH_TRY(vkCreateDescriptorSetLayout(gpu.device, &info, NULL, &layout));
	return layout;
}

VkPipelineLayout gpu_create_pipeline_layout(VkDescriptorSetLayout dsl) {
	const VkPushConstantRange pc = {VK_SHADER_STAGE_ALL, 0, 16};
	const VkPipelineLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = dsl ? 1 : 0,
		.pSetLayouts = &dsl,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &pc,
	};
	VkPipelineLayout l;
	BENCH_TRY(vkCreatePipelineLayout(gpu.device, &info, NULL, &l));
	return l;
}

VkDescriptorPool gpu_create_descriptor_pool(uint32_t sets, uint32_t descriptors) {
	const VkDescriptorPoolSize sz = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptors};
	const VkDescriptorPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = sets,
		.poolSizeCount = 1,
		.pPoolSizes = &sz,
	};
	VkDescriptorPool p;
	BENCH_TRY(vkCreateDescriptorPool(gpu.device, &info, NULL, &p));
	return p;
}

VkDescriptorSet gpu_allocate_set(VkDescriptorPool p, VkDescriptorSetLayout l) {
	const VkDescriptorSetAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = p,
		.descriptorSetCount = 1,
		.pSetLayouts = &l,
	};
	VkDescriptorSet s;
	BENCH_TRY(vkAllocateDescriptorSets(gpu.device, &info, &s));
	return s;
}

void gpu_write_set(VkDescriptorSet s, VkBuffer b, uint32_t n) {
	VkDescriptorBufferInfo info[GPU_MAX_DESCRIPTORS];
	VkWriteDescriptorSet w[GPU_MAX_DESCRIPTORS];
	for (uint32_t i = 0; i < n; i++) {
		info[i] = (VkDescriptorBufferInfo){b, 0, VK_WHOLE_SIZE};
		w[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = s,
			.dstBinding = i,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &info[i]};
	}
	vkUpdateDescriptorSets(gpu.device, n, w, 0, NULL);
}

VkShaderModule gpu_create_module(enum gpu_shader shader) {
	static const struct {
		const uint32_t *code;
		size_t size; /* bytes */
	} shaders[] = {
		[GPU_SHADER_SAXPY] = {saxpy_comp_spv, sizeof(saxpy_comp_spv)},
		[GPU_SHADER_ALU] = {alu_comp_spv, sizeof(alu_comp_spv)},
		[GPU_SHADER_VERTEX] = {tri_vert_spv, sizeof(tri_vert_spv)},
		[GPU_SHADER_FRAGMENT] = {tri_frag_spv, sizeof(tri_frag_spv)},
	};
	const VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = shaders[shader].size,
		.pCode = shaders[shader].code,
	};
	VkShaderModule module;
	BENCH_TRY(vkCreateShaderModule(gpu.device, &info, NULL, &module));
	return module;
}

VkPipeline gpu_create_compute_pipeline(
	VkShaderModule m, VkPipelineLayout layout, VkPipelineCache cache, uint32_t salt) {
	const VkSpecializationMapEntry e = {0, 0, 4};
	const VkSpecializationInfo spec = {1, &e, 4, &salt};
	const VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = m,
			.pName = "main",
			.pSpecializationInfo = &spec},
		.layout = layout,
	};
	VkPipeline p;
	BENCH_TRY(vkCreateComputePipelines(gpu.device, cache, 1, &info, NULL, &p));
	return p;
}

/* --- a target to draw into --- */

VkImage gpu_create_image(uint32_t width, uint32_t height) {
	const VkImageCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = GPU_FORMAT,
		.extent = {width, height, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = 1,
		.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
			VK_IMAGE_USAGE_SAMPLED_BIT,
	};
	VkImage i;
	BENCH_TRY(vkCreateImage(gpu.device, &info, NULL, &i));
	return i;
}

VkPipeline gpu_create_graphics_pipeline(const struct gpu_target *target, uint32_t salt) {
	const VkSpecializationMapEntry e = {0, 0, 4};
	const VkSpecializationInfo spec = {1, &e, 4, &salt};
	const VkPipelineShaderStageCreateInfo st[2] = {
		{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_VERTEX_BIT,
			.module = target->vertex,
			.pName = "main"},
		{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_FRAGMENT_BIT,
			.module = target->fragment,
			.pName = "main",
			.pSpecializationInfo = &spec},
	};
	const VkPipelineVertexInputStateCreateInfo vi = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
	const VkPipelineInputAssemblyStateCreateInfo ia = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
		.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
	const VkPipelineViewportStateCreateInfo vs = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
		.viewportCount = 1,
		.scissorCount = 1};
	const VkDynamicState dyn[2] = {VK_DYNAMIC_STATE_VIEWPORT, VK_DYNAMIC_STATE_SCISSOR};
	const VkPipelineDynamicStateCreateInfo ds = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
		.dynamicStateCount = 2,
		.pDynamicStates = dyn};
	const VkPipelineRasterizationStateCreateInfo rs = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
	const VkPipelineMultisampleStateCreateInfo ms = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
		.rasterizationSamples = 1};
	const VkPipelineColorBlendAttachmentState ba = {.colorWriteMask = 15};
	const VkPipelineColorBlendStateCreateInfo blend = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &ba};
	const VkGraphicsPipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
		.stageCount = 2,
		.pStages = st,
		.pVertexInputState = &vi,
		.pInputAssemblyState = &ia,
		.pViewportState = &vs,
		.pRasterizationState = &rs,
		.pMultisampleState = &ms,
		.pColorBlendState = &blend,
		.pDynamicState = &ds,
		.layout = target->layout,
		.renderPass = target->render_pass};
	VkPipeline p;
	BENCH_TRY(vkCreateGraphicsPipelines(gpu.device, VK_NULL_HANDLE, 1, &info, NULL, &p));
	return p;
}

struct gpu_target gpu_create_target(uint32_t width, uint32_t height) {
	struct gpu_target target = {
		.width = width, .height = height, .image = gpu_create_image(width, height)};
	VkMemoryRequirements req;
	vkGetImageMemoryRequirements(gpu.device, target.image, &req);
	BENCH_TRY(vkBindImageMemory(gpu.device, target.image,
		gpu_allocate(req.size, gpu_memory_type(req.memoryTypeBits, GPU_MEMORY_LOCAL)), 0));
	const VkImageViewCreateInfo vi = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = target.image,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = GPU_FORMAT,
		.subresourceRange = {1, 0, 1, 0, 1},
	};
	BENCH_TRY(vkCreateImageView(gpu.device, &vi, NULL, &target.view));
	const VkAttachmentDescription ad = {
		.format = GPU_FORMAT,
		.samples = 1,
		.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
		.storeOp = VK_ATTACHMENT_STORE_OP_STORE,
		.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
		.stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
		.initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
		.finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
	};
	const VkAttachmentReference ar = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
	const VkSubpassDescription sp = {.colorAttachmentCount = 1, .pColorAttachments = &ar};
	const VkSubpassDependency dep = {
		.srcSubpass = 0,
		.dstSubpass = VK_SUBPASS_EXTERNAL,
		.srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
		.dstStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT,
		.srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
	};
	const VkRenderPassCreateInfo ri = {
		.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
		.attachmentCount = 1,
		.pAttachments = &ad,
		.subpassCount = 1,
		.pSubpasses = &sp,
		.dependencyCount = 1,
		.pDependencies = &dep,
	};
	BENCH_TRY(vkCreateRenderPass(gpu.device, &ri, NULL, &target.render_pass));
	const VkFramebufferCreateInfo fi = {
		.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
		.renderPass = target.render_pass,
		.attachmentCount = 1,
		.pAttachments = &target.view,
		.width = width,
		.height = height,
		.layers = 1,
	};
	BENCH_TRY(vkCreateFramebuffer(gpu.device, &fi, NULL, &target.framebuffer));
	target.layout = gpu_create_pipeline_layout(VK_NULL_HANDLE);
	target.vertex = gpu_create_module(GPU_SHADER_VERTEX);
	target.fragment = gpu_create_module(GPU_SHADER_FRAGMENT);
	target.pipeline = gpu_create_graphics_pipeline(&target, 1);
	return target;
}

void gpu_begin_pass(
	VkCommandBuffer commands, const struct gpu_target *target, VkSubpassContents contents) {
	const VkClearValue cv = {.color = {.float32 = {0.25, 0.5, 0.75, 1}}};
	const VkRenderPassBeginInfo info = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
		.renderPass = target->render_pass,
		.framebuffer = target->framebuffer,
		.renderArea = {{0, 0}, {target->width, target->height}},
		.clearValueCount = 1,
		.pClearValues = &cv};
	vkCmdBeginRenderPass(commands, &info, contents);
	if (contents == VK_SUBPASS_CONTENTS_INLINE) {
		gpu_bind_target(commands, target);
	}
}

void gpu_bind_target(VkCommandBuffer commands, const struct gpu_target *target) {
	vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, target->pipeline);
	const VkViewport vp = {0, 0, target->width, target->height, 0, 1};
	const VkRect2D sc = {{0, 0}, {target->width, target->height}};
	vkCmdSetViewport(commands, 0, 1, &vp);
	vkCmdSetScissor(commands, 0, 1, &sc);
}

void gpu_push_offset(VkCommandBuffer commands, const struct gpu_target *target, float x) {
	const float off[4] = {x, 0, 0, 0};
	vkCmdPushConstants(commands, target->layout, VK_SHADER_STAGE_ALL, 0, 16, off);
}
