/* SPDX-License-Identifier: MIT */
#include "render_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filler.h"
#include "fuzz.h"
#include "render/call.h"
#include "still_base.h"
#include "still_threads.h"
#include "vk/loader.h"
#include "wire_commands.h"

/** After so many waits the device gives up: what the guest waits for does not come. */
#define MAX_WAITS 64

struct render_context render_world;
void (*render_world_waits)(void);
bool render_world_rewinds;
size_t render_world_resource_size = RENDER_WORLD_RESOURCE_SIZE;

static struct {
	unsigned waits;
	bool broken; /* the channel */
	struct channel_message message;
	bool has_message;
	uint8_t stock[64 * 1024]; /* commands that make the objects of the stock */
	size_t stock_size;
	size_t replies; /* where the command begins that says where replies go */
	struct {
		size_t begin, size;
	} makes[WIRE_OBJECT_TYPE_COUNT]; /* of them, those that make the one of that type */
} world;

/* --- what is not linked --- */

bool vk_loader_init(struct vk_loader *loader, struct vk_error *error) {
	(void)error;
	*loader = (struct vk_loader){
		.library = &world,
		.get_instance_proc_addr = fake_vkGetInstanceProcAddr,
		.api_version = VK_MAKE_API_VERSION(0, 1, 4, 0),
	};
	vk_global_table_load(&loader->global, loader->get_instance_proc_addr);
	return true;
}

void vk_loader_finish(struct vk_loader *loader) {
	*loader = (struct vk_loader){0};
}

/* names are looked up once: that takes longer than all else together */

static bool some_are_missing(void) {
	return fake_get_plan()->lies & FAKE_LIE_FUNCTIONS;
}

void __real_vk_global_table_load(struct vk_global_table *table, PFN_vkGetInstanceProcAddr get);
void __wrap_vk_global_table_load(struct vk_global_table *table, PFN_vkGetInstanceProcAddr get);
void __wrap_vk_global_table_load(struct vk_global_table *table, PFN_vkGetInstanceProcAddr get) {
	static struct vk_global_table loaded;
	if (!loaded.CreateInstance) {
		__real_vk_global_table_load(&loaded, get);
	}
	*table = loaded;
}

void __real_vk_instance_table_load(
	struct vk_instance_table *table, PFN_vkGetInstanceProcAddr get, VkInstance instance);
void __wrap_vk_instance_table_load(
	struct vk_instance_table *table, PFN_vkGetInstanceProcAddr get, VkInstance instance);
void __wrap_vk_instance_table_load(
		struct vk_instance_table *table, PFN_vkGetInstanceProcAddr get, VkInstance instance) {
	static struct vk_instance_table loaded;
	if (!loaded.CreateDevice) {
		__real_vk_instance_table_load(&loaded, get, instance);
	}
	*table = loaded;
}

void __real_vk_device_table_load(
	struct vk_device_table *table, PFN_vkGetDeviceProcAddr get, VkDevice device);
void __wrap_vk_device_table_load(
	struct vk_device_table *table, PFN_vkGetDeviceProcAddr get, VkDevice device);
void __wrap_vk_device_table_load(
		struct vk_device_table *table, PFN_vkGetDeviceProcAddr get, VkDevice device) {
	static struct vk_device_table loaded;
	if (some_are_missing()) {
		__real_vk_device_table_load(table, get, device);
		return;
	}
	if (!loaded.DestroyDevice) {
		__real_vk_device_table_load(&loaded, get, device);
	}
	*table = loaded;
}

int render_monitor_start(struct render_monitor *monitor, struct render_context *context) {
	monitor->context = context;
	return 0;
}

void render_monitor_stop(struct render_monitor *monitor) {
	(void)monitor;
}

void render_monitor_watch(struct render_monitor *monitor, uint64_t period_ns) {
	(void)monitor;
	(void)period_ns;
}

/* --- the channel: this end is the device --- */

int channel_init(struct channel *channel, int fd) {
	*channel = (struct channel){.fd = fd};
	return 0;
}

void channel_finish(struct channel *channel) {
	(void)channel;
}

int channel_send(struct channel *channel, uint32_t type, const void *body, size_t size,
		const void *extra, size_t extra_size, const int *fds, int fd_count) {
	(void)channel;
	(void)extra;
	union {
		struct render_blob blob;
		struct render_fence fence;
		struct render_lost lost;
	} event;
	const size_t wanted = type == RENDER_EVENT_BLOB ? sizeof(event.blob) :
		type == RENDER_EVENT_FENCE ? sizeof(event.fence) :
		type == RENDER_EVENT_LOST ? sizeof(event.lost) : 0;
	if (size != wanted || extra_size || fd_count > 1) {
		abort();
	}
	if (size) {
		memcpy(&event, body, size);
	}
	size_t there;
	if (fd_count && (event.blob.error || !still_fd_data(fds[0], &there) ||
				there < event.blob.size)) {
		abort();
	}
	return 0;
}

int channel_recv(struct channel *channel, struct channel_message *message) {
	(void)channel;
	if (!world.has_message) {
		return 0;
	}
	world.has_message = false;
	*message = world.message;
	return 1;
}

void channel_message_close_fds(struct channel_message *message) {
	for (int i = 0; i < message->fd_count; i++) {
		if (message->fds[i] >= 0) {
			still_fd_close(message->fds[i]);
		}
	}
}

bool render_world_message(uint32_t type, const void *body, size_t size, int fd) {
	if (world.broken) {
		if (fd >= 0) {
			still_fd_close(fd);
		}
		return false;
	}
	world.has_message = true;
	world.message = (struct channel_message){
		.type = type,
		.size = (uint32_t)size,
		.body = body,
		.fds = {fd},
		.fd_count = fd >= 0,
	};
	world.broken = render_context_run(&render_world) < 0;
	if (world.has_message) { /* a context that stops reads no more */
		world.has_message = false;
		channel_message_close_fds(&world.message);
	}
	return !world.broken;
}

void render_world_submit(const void *commands, size_t size, int fence_ring) {
	struct render_submit *submit = malloc(sizeof(*submit) + size);
	if (!submit) {
		abort();
	}
	*submit = (struct render_submit){
		.fence_id = 1,
		.flags = fence_ring >= 0 ? RENDER_SUBMIT_FENCE : 0,
		.ring_idx = fence_ring >= 0 ? (uint32_t)fence_ring : 0,
	};
	if (size) {
		memcpy(submit + 1, commands, size);
	}
	render_world_message(RENDER_REQUEST_SUBMIT, submit, sizeof(*submit) + size, -1);
	free(submit);
}

/* --- waits and replies --- */

static void wait(void) {
	still_clock_advance(UINT64_C(1) << 30);
	if (render_world_waits) {
		render_world_waits();
	}
	if (++world.waits > MAX_WAITS) {
		atomic_store(&render_world.stopping, true);
	}
}

struct venus_encoder *__real_render_call_begin_reply(struct render_call *call);
struct venus_encoder *__wrap_render_call_begin_reply(struct render_call *call);
struct venus_encoder *__wrap_render_call_begin_reply(struct render_call *call) {
	if (render_world_rewinds) {
		call->executor->reply.position = 0;
	}
	return __real_render_call_begin_reply(call);
}

/* --- the stock --- */

static bool covered[WIRE_COVERAGE_COUNT];

static const struct wire_command *command_named(const char *name) {
	for (size_t i = 0; i < WIRE_COMMAND_COUNT; i++) {
		if (strcmp(wire_commands[i].name, name) == 0) {
			return &wire_commands[i];
		}
	}
	abort();
}

/** Of the id of an object of the stock; WIRE_OBJECT_TYPE_COUNT if it is none. */
static uint64_t type_index(uint64_t id) {
	const uint64_t first = filler_object_id(wire_object_types[0], 0);
	const uint64_t index = (id - first) / FILLER_OBJECTS_PER_TYPE;
	return id >= first && index < WIRE_OBJECT_TYPE_COUNT &&
		(id - first) % FILLER_OBJECTS_PER_TYPE == 0 ? index : WIRE_OBJECT_TYPE_COUNT;
}

static void add(const char *name, const void *args) {
	struct venus_encoder e = {
		.cursor = world.stock + world.stock_size,
		.end = world.stock + sizeof(world.stock),
	};
	command_named(name)->encode_request(&e, args);
	if (e.overflow) {
		abort();
	}
	/* nobody asks for replies */
	venus_store_u32(world.stock + world.stock_size + 4, 0);
	world.stock_size = (size_t)(e.cursor - world.stock);
}

static void add_maker(VkObjectType type, const char *name, const void *args) {
	const size_t begin = world.stock_size;
	add(name, args);
	const uint64_t index = type_index(filler_object_id(type, 0));
	world.makes[index].begin = begin;
	world.makes[index].size = world.stock_size - begin;
}

static void *id_of(VkObjectType type) {
	return (void *)(uintptr_t)filler_object_id(type, 0);
}

/** A creation with made-up arguments; the new id is what its request ends with. */
static void add_made_up(const char *name, VkObjectType type) {
	const struct wire_command *command = command_named(name);
	struct arena arena;
	arena_init(&arena, (size_t)1 << 20);
	void *args = arena_alloc(&arena, command->args_size);
	memset(args, 0, command->args_size);
	/* the one with the least in it */
	size_t least = SIZE_MAX, at = world.stock_size;
	static uint8_t best[4096];
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct arena temporary;
		arena_init(&temporary, (size_t)1 << 20);
		struct filler f;
		filler_init(&f, &temporary, covered, seed);
		memset(covered, 1, sizeof(covered));
		f.per_type = 1;
		command->fill_request(&f, args);
		world.stock_size = at;
		add(name, args);
		const size_t size = world.stock_size - at;
		if (size < least && size <= sizeof(best)) {
			least = size;
			memcpy(best, world.stock + at, size);
		}
		arena_finish(&temporary);
	}
	memcpy(world.stock + at, best, least);
	const uint64_t id = filler_object_id(type, 0);
	venus_store_u64(world.stock + at + least - 8, id);
	world.stock_size = at + least;
	world.makes[type_index(id)].begin = at;
	world.makes[type_index(id)].size = least;
	arena_finish(&arena);
}

/** What would be refused if it were made up. */
static void make_checked(VkDevice device) {
	const VkImageCreateInfo image_info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {16, 16, 1},
		.mipLevels = 2,
		.arrayLayers = 2,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.usage = VK_IMAGE_USAGE_SAMPLED_BIT,
	};
	VkImage image = id_of(VK_OBJECT_TYPE_IMAGE);
	add_maker(VK_OBJECT_TYPE_IMAGE, "vkCreateImage", &(struct venus_vkCreateImage){
		.device = device, .pCreateInfo = &image_info, .pImage = &image});
	const VkImageViewCreateInfo view_info = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
		.image = image,
		.viewType = VK_IMAGE_VIEW_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	VkImageView view = id_of(VK_OBJECT_TYPE_IMAGE_VIEW);
	add_maker(VK_OBJECT_TYPE_IMAGE_VIEW, "vkCreateImageView", &(struct venus_vkCreateImageView){
		.device = device, .pCreateInfo = &view_info, .pView = &view});
	const uint32_t code[] = {0x07230203, 0x10000, 0, 1, 0};
	const VkShaderModuleCreateInfo module_info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = sizeof(code),
		.pCode = code,
	};
	VkShaderModule module = id_of(VK_OBJECT_TYPE_SHADER_MODULE);
	add_maker(VK_OBJECT_TYPE_SHADER_MODULE, "vkCreateShaderModule",
		&(struct venus_vkCreateShaderModule){
			.device = device, .pCreateInfo = &module_info, .pShaderModule = &module});
	const VkDescriptorSetLayoutBinding binding = {
		0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_ALL, NULL};
	const VkDescriptorSetLayoutCreateInfo set_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding,
	};
	VkDescriptorSetLayout set_layout = id_of(VK_OBJECT_TYPE_DESCRIPTOR_SET_LAYOUT);
	add_maker(VK_OBJECT_TYPE_DESCRIPTOR_SET_LAYOUT, "vkCreateDescriptorSetLayout",
		&(struct venus_vkCreateDescriptorSetLayout){
			.device = device, .pCreateInfo = &set_info, .pSetLayout = &set_layout});
	const VkPipelineLayoutCreateInfo layout_info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
	VkPipelineLayout layout = id_of(VK_OBJECT_TYPE_PIPELINE_LAYOUT);
	add_maker(VK_OBJECT_TYPE_PIPELINE_LAYOUT, "vkCreatePipelineLayout",
		&(struct venus_vkCreatePipelineLayout){
			.device = device, .pCreateInfo = &layout_info, .pPipelineLayout = &layout});
}

static void make_stock(void) {
	const VkInstanceCreateInfo instance_info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
	};
	VkInstance instance = id_of(VK_OBJECT_TYPE_INSTANCE);
	add_maker(VK_OBJECT_TYPE_INSTANCE, "vkCreateInstance", &(struct venus_vkCreateInstance){
					.pCreateInfo = &instance_info, .pInstance = &instance});

	uint32_t count = 1;
	VkPhysicalDevice physical = id_of(VK_OBJECT_TYPE_PHYSICAL_DEVICE);
	add_maker(VK_OBJECT_TYPE_PHYSICAL_DEVICE, "vkEnumeratePhysicalDevices",
		&(struct venus_vkEnumeratePhysicalDevices){.instance = instance,
			.pPhysicalDeviceCount = &count, .pPhysicalDevices = &physical});

	const float priority = 1;
	const VkDeviceQueueCreateInfo queue_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo device_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue_info,
	};
	VkDevice device = id_of(VK_OBJECT_TYPE_DEVICE);
	add_maker(VK_OBJECT_TYPE_DEVICE, "vkCreateDevice", &(struct venus_vkCreateDevice){.physicalDevice = physical,
				      .pCreateInfo = &device_info, .pDevice = &device});

	VkDeviceQueueTimelineInfoMESA timeline = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA, .ringIdx = 1};
	const VkDeviceQueueInfo2 get_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, .pNext = &timeline};
	VkQueue queue = id_of(VK_OBJECT_TYPE_QUEUE);
	add_maker(VK_OBJECT_TYPE_QUEUE, "vkGetDeviceQueue2", &(struct venus_vkGetDeviceQueue2){
					 .device = device, .pQueueInfo = &get_info, .pQueue = &queue});

	const VkMemoryAllocateInfo memory_info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = 4096,
		.memoryTypeIndex = 1,
	};
	VkDeviceMemory memory = id_of(VK_OBJECT_TYPE_DEVICE_MEMORY);
	add_maker(VK_OBJECT_TYPE_DEVICE_MEMORY, "vkAllocateMemory", &(struct venus_vkAllocateMemory){.device = device,
					.pAllocateInfo = &memory_info, .pMemory = &memory});

	static const struct {
		const char *name;
		VkObjectType type;
	} made_up[] = {
		{"vkCreateFence", VK_OBJECT_TYPE_FENCE},
		{"vkCreateSemaphore", VK_OBJECT_TYPE_SEMAPHORE},
		{"vkCreateEvent", VK_OBJECT_TYPE_EVENT},
		{"vkCreateQueryPool", VK_OBJECT_TYPE_QUERY_POOL},
		{"vkCreateBuffer", VK_OBJECT_TYPE_BUFFER},
		{"vkCreateBufferView", VK_OBJECT_TYPE_BUFFER_VIEW},
		{"vkCreatePipelineCache", VK_OBJECT_TYPE_PIPELINE_CACHE},
		{"vkCreateSampler", VK_OBJECT_TYPE_SAMPLER},
		{"vkCreateDescriptorPool", VK_OBJECT_TYPE_DESCRIPTOR_POOL},
		{"vkCreateRenderPass2", VK_OBJECT_TYPE_RENDER_PASS},
		{"vkCreateFramebuffer", VK_OBJECT_TYPE_FRAMEBUFFER},
		{"vkCreateCommandPool", VK_OBJECT_TYPE_COMMAND_POOL},
		{"vkCreateSamplerYcbcrConversion", VK_OBJECT_TYPE_SAMPLER_YCBCR_CONVERSION},
		{"vkCreateDescriptorUpdateTemplate", VK_OBJECT_TYPE_DESCRIPTOR_UPDATE_TEMPLATE},
		{"vkCreateAccelerationStructureKHR", VK_OBJECT_TYPE_ACCELERATION_STRUCTURE_KHR},
	};
	for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++) {
		add_made_up(made_up[i].name, made_up[i].type);
	}

	make_checked(device);

	const VkCommandBufferAllocateInfo buffer_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = id_of(VK_OBJECT_TYPE_COMMAND_POOL),
		.commandBufferCount = 1,
	};
	VkCommandBuffer buffer = id_of(VK_OBJECT_TYPE_COMMAND_BUFFER);
	add_maker(VK_OBJECT_TYPE_COMMAND_BUFFER, "vkAllocateCommandBuffers",
		&(struct venus_vkAllocateCommandBuffers){.device = device,
			.pAllocateInfo = &buffer_info, .pCommandBuffers = &buffer});

	VkDescriptorSetLayout set_layout = id_of(VK_OBJECT_TYPE_DESCRIPTOR_SET_LAYOUT);
	const VkDescriptorSetAllocateInfo set_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorPool = id_of(VK_OBJECT_TYPE_DESCRIPTOR_POOL),
		.descriptorSetCount = 1,
		.pSetLayouts = &set_layout,
	};
	VkDescriptorSet set = id_of(VK_OBJECT_TYPE_DESCRIPTOR_SET);
	add_maker(VK_OBJECT_TYPE_DESCRIPTOR_SET, "vkAllocateDescriptorSets",
		&(struct venus_vkAllocateDescriptorSets){
			.device = device, .pAllocateInfo = &set_info, .pDescriptorSets = &set});

	VkComputePipelineCreateInfo pipeline_info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {
			.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = id_of(VK_OBJECT_TYPE_SHADER_MODULE),
			.pName = "main",
		},
		.layout = id_of(VK_OBJECT_TYPE_PIPELINE_LAYOUT),
	};
	VkPipeline pipeline = id_of(VK_OBJECT_TYPE_PIPELINE);
	add_maker(VK_OBJECT_TYPE_PIPELINE, "vkCreateComputePipelines",
		&(struct venus_vkCreateComputePipelines){.device = device, .createInfoCount = 1,
			.pCreateInfos = &pipeline_info, .pPipelines = &pipeline});

	world.replies = world.stock_size;
	VkCommandStreamDescriptionMESA stream = {
		.resourceId = RENDER_WORLD_RESOURCE,
		.size = render_world_resource_size,
	};
	add("vkSetReplyCommandStreamMESA",
		&(struct venus_vkSetReplyCommandStreamMESA){.pStream = &stream});
}

/** Makes every object of the stock that is named in the commands, and what these are made of. */
static void make_named(const uint8_t *commands, size_t size, bool *made) {
	for (size_t i = 0; i + 8 <= size; i += 4) {
		const uint64_t index = type_index(venus_load_u64(commands + i));
		if (index == WIRE_OBJECT_TYPE_COUNT || made[index] || !world.makes[index].size) {
			continue;
		}
		made[index] = true;
		const uint8_t *maker = world.stock + world.makes[index].begin;
		make_named(maker, world.makes[index].size, made);
		render_world_submit(maker, world.makes[index].size, -1);
	}
}

/* --- begin and end --- */

void render_world_begin(const struct fake_plan *plan, bool stock, const uint8_t *commands,
		size_t size) {
	const struct fake_plan sober = {.seed = 1};
	if (!world.stock_size) {
		make_stock();
	}
	world.waits = 0;
	world.broken = false;
	world.has_message = false;
	still_base_begin();
	still_threads_begin(wait);
	fake_reset(stock ? &sober : plan);
	struct render_options options = {.name = "fuzz", .counters_fd = -1};
	limits_init(&options.limits);
	/* the same on every machine */
	options.limits.value[LIMIT_SHARED_MEMORY] = UINT64_C(1) << 32;
	options.limits.value[LIMIT_SHARED_MEMORY_TOTAL] = UINT64_C(1) << 32;
	if (render_context_init(&render_world, -1, &options) < 0) {
		abort();
	}
	if (stock) {
		/* what a process that was started ahead knows of its device */
		struct render_spare *spare = &render_world.spare;
		spare->device_count = 1;
		memset(spare->devices[0].device_uuid, 1, VK_UUID_SIZE);
		memset(spare->devices[0].driver_uuid, 2, VK_UUID_SIZE);
		spare->devices[0].host_memory = (struct vk_host_memory){
			.candidates = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
			.handle_type = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
			.alignment = 4096,
			.external_buffers = true,
			.external_images = true,
			.importable_types = 0x7,
		};
		const struct render_create_blob blob = {
			.resource_id = RENDER_WORLD_RESOURCE,
			.blob_flags = RENDER_BLOB_MAPPABLE,
			.size = render_world_resource_size,
		};
		render_world_message(RENDER_REQUEST_CREATE_BLOB, &blob, sizeof(blob), -1);
		bool made[WIRE_OBJECT_TYPE_COUNT] = {false};
		make_named(commands, size, made);
		render_world_submit(
			world.stock + world.replies, world.stock_size - world.replies, -1);
		if (atomic_load(&render_world.lost) || world.broken) {
			fprintf(stderr, "the stock was refused\n");
			abort();
		}
		fake_replan(plan);
	}
}

void render_world_end(void) {
	render_context_finish(&render_world);
	still_threads_end();
	const size_t left = fake_reset(&(struct fake_plan){0});
	if (left || still_fd_count()) {
		fprintf(stderr, "left behind: %zu objects, %u descriptors\n", left, still_fd_count());
		abort();
	}
}

void render_world_finish(void) {
	fake_finish();
}
