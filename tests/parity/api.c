/* SPDX-License-Identifier: MIT */

/* Instances, devices, queries of what there is, and calls with nothing in them. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "parity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- functions that are called twice --- */

static void two_calls(struct parity *parity) {
	VkPhysicalDevice devices[8];
	uint32_t count = 0;
	SAY_RESULT(vkEnumeratePhysicalDevices(parity->instance, &count, NULL));
	say("%u devices", count);
	count = 0;
	SAY_RESULT(vkEnumeratePhysicalDevices(parity->instance, &count, devices));
	say("%u devices", count);
	count = 8;
	SAY_RESULT(vkEnumeratePhysicalDevices(parity->instance, &count, devices));
	say("%u devices", count);

	VkPhysicalDeviceGroupProperties groups[4];
	for (size_t i = 0; i < COUNT(groups); i++) {
		groups[i] = (VkPhysicalDeviceGroupProperties){
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES};
	}
	for (uint32_t room = 0; room < 4; room++) {
		count = room;
		SAY_RESULT(vkEnumeratePhysicalDeviceGroups(parity->instance, &count, groups));
		say("%u groups of %u", count, count ? groups[0].physicalDeviceCount : 0);
	}

	SAY_RESULT(vkEnumerateDeviceExtensionProperties(parity->physical, NULL, &count, NULL));
	VkExtensionProperties *extensions = calloc(count + 1, sizeof(*extensions));
	const uint32_t whole = count;
	count = whole - 1;
	SAY_RESULT(vkEnumerateDeviceExtensionProperties(parity->physical, NULL, &count, extensions));
	say("%d less", (int)(whole - count));
	count = whole + 1;
	SAY_RESULT(vkEnumerateDeviceExtensionProperties(parity->physical, NULL, &count, extensions));
	say("%d less", (int)(whole - count));
	count = 0;
	SAY_RESULT(vkEnumerateDeviceExtensionProperties(parity->physical, NULL, &count, extensions));
	say("%u extensions", count);
	free(extensions);

	VkQueueFamilyProperties families[8];
	for (uint32_t room = 0; room <= 8; room += 4) {
		count = room;
		vkGetPhysicalDeviceQueueFamilyProperties(parity->physical, &count, families);
		say("%u families", count);
	}
	for (uint32_t i = 0; i < count; i++) {
		say("family %u: flags %x, %u queues, %u bits, granularity %u %u %u", i,
			families[i].queueFlags, families[i].queueCount, families[i].timestampValidBits,
			families[i].minImageTransferGranularity.width,
			families[i].minImageTransferGranularity.height,
			families[i].minImageTransferGranularity.depth);
	}

	VkLayerProperties layers[4];
	count = 4;
	SAY_RESULT(vkEnumerateDeviceLayerProperties(parity->physical, &count, layers));

	VkPhysicalDeviceToolProperties tools[4];
	count = 0;
	SAY_RESULT(vkGetPhysicalDeviceToolProperties(parity->physical, &count, NULL));
	say("%u tools", count);
	for (size_t i = 0; i < COUNT(tools); i++) {
		tools[i] = (VkPhysicalDeviceToolProperties){
			.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TOOL_PROPERTIES};
	}
	count = 4;
	SAY_RESULT(vkGetPhysicalDeviceToolProperties(parity->physical, &count, tools));
	say("%u tools", count);
}

/* --- formats --- */

static void formats(struct parity *parity) {
	for (uint32_t format = 0; format <= VK_FORMAT_ASTC_12x12_SRGB_BLOCK; format++) {
		VkFormatProperties3 third = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3};
		VkFormatProperties2 second = {
			.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, .pNext = &third};
		vkGetPhysicalDeviceFormatProperties2(parity->physical, (VkFormat)format, &second);
		say("format %u: %x %x %x, %llx %llx %llx", format,
			second.formatProperties.linearTilingFeatures,
			second.formatProperties.optimalTilingFeatures,
			second.formatProperties.bufferFeatures,
			(unsigned long long)third.linearTilingFeatures,
			(unsigned long long)third.optimalTilingFeatures,
			(unsigned long long)third.bufferFeatures);
	}
}

static void image_formats_of(struct parity *parity, VkFormat format) {
	static const VkImageUsageFlags usages[] = {
		VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
		VK_IMAGE_USAGE_STORAGE_BIT,
		VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
		VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT,
		VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSIENT_ATTACHMENT_BIT,
	};
	static const VkImageCreateFlags flags[] = {
		0,
		VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT | VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT,
		VK_IMAGE_CREATE_SPARSE_BINDING_BIT | VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT,
	};
	VkImageFormatProperties all[3 * 2 * COUNT(usages) * COUNT(flags)];
	VkResult results[COUNT(all)];
	memset(all, 0, sizeof(all));
	size_t n = 0;
	for (uint32_t type = 0; type < 3; type++) {
		for (uint32_t tiling = 0; tiling < 2; tiling++) {
			for (size_t usage = 0; usage < COUNT(usages); usage++) {
				for (size_t flag = 0; flag < COUNT(flags); flag++, n++) {
					results[n] = vkGetPhysicalDeviceImageFormatProperties(parity->physical,
						format, (VkImageType)type, (VkImageTiling)tiling, usages[usage],
						flags[flag], &all[n]);
				}
			}
		}
	}
	say("format %d", format);
	say_hash("results", results, sizeof(results));
	say_hash("properties", all, sizeof(all));
}

static void image_formats(struct parity *parity) {
	for (uint32_t format = 1; format <= VK_FORMAT_BC7_SRGB_BLOCK; format += 3) {
		image_formats_of(parity, (VkFormat)format);
	}
	image_formats_of(parity, VK_FORMAT_D24_UNORM_S8_UINT);
	image_formats_of(parity, VK_FORMAT_D32_SFLOAT);
	image_formats_of(parity, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM);
	image_formats_of(parity, VK_FORMAT_A4R4G4B4_UNORM_PACK16);
	/* again, from whatever cache there is */
	image_formats_of(parity, VK_FORMAT_R8G8B8A8_UNORM);
	image_formats_of(parity, VK_FORMAT_R8G8B8A8_UNORM);
}

static void image_formats2(struct parity *parity) {
	const VkFormat views[] = {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_R8G8B8A8_SRGB};
	const VkImageFormatListCreateInfo list = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
		.viewFormatCount = 2,
		.pViewFormats = views,
	};
	const VkImageStencilUsageCreateInfo stencil = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_STENCIL_USAGE_CREATE_INFO,
		.stencilUsage = VK_IMAGE_USAGE_SAMPLED_BIT,
	};
	const VkFormat formats[] = {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_D32_SFLOAT_S8_UINT,
		VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, VK_FORMAT_R64_SFLOAT};
	const void *chains[] = {NULL, &list, &stencil};
	for (size_t i = 0; i < COUNT(formats); i++) {
		for (size_t j = 0; j < COUNT(chains); j++) {
			const VkPhysicalDeviceImageFormatInfo2 info = {
				.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
				.pNext = chains[j],
				.format = formats[i],
				.type = VK_IMAGE_TYPE_2D,
				.usage = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
				.flags = j == 1 ? VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT : 0,
			};
			VkSamplerYcbcrConversionImageFormatProperties ycbcr = {
				.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_IMAGE_FORMAT_PROPERTIES};
			VkImageFormatProperties2 properties = {
				.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2, .pNext = &ycbcr};
			say_result("2", vkGetPhysicalDeviceImageFormatProperties2(
				parity->physical, &info, &properties));
			say_hash("properties", &properties.imageFormatProperties,
				sizeof(properties.imageFormatProperties));
			say("%u descriptors", ycbcr.combinedImageSamplerDescriptorCount);
		}
	}
}

static void sparse_formats(struct parity *parity) {
	for (uint32_t format = VK_FORMAT_R8_UNORM; format < VK_FORMAT_D32_SFLOAT; format += 7) {
		uint32_t count = 0;
		vkGetPhysicalDeviceSparseImageFormatProperties(parity->physical, (VkFormat)format,
			VK_IMAGE_TYPE_2D, VK_SAMPLE_COUNT_1_BIT, VK_IMAGE_USAGE_SAMPLED_BIT,
			VK_IMAGE_TILING_OPTIMAL, &count, NULL);
		VkSparseImageFormatProperties properties[4] = {{0}};
		const uint32_t whole = count;
		count = count > 4 ? 4 : count;
		vkGetPhysicalDeviceSparseImageFormatProperties(parity->physical, (VkFormat)format,
			VK_IMAGE_TYPE_2D, VK_SAMPLE_COUNT_1_BIT, VK_IMAGE_USAGE_SAMPLED_BIT,
			VK_IMAGE_TILING_OPTIMAL, &count, properties);
		say("format %u: %u, %u", format, whole, count);
		say_hash("sparse", properties, sizeof(properties));
	}
}

/* --- nothing --- */

static void null_handles(struct parity *parity) {
	const VkDevice device = parity->device;
#define DESTROY(type) vkDestroy##type(device, VK_NULL_HANDLE, NULL)
	DESTROY(Fence);
	DESTROY(Semaphore);
	DESTROY(Event);
	DESTROY(QueryPool);
	DESTROY(Buffer);
	DESTROY(BufferView);
	DESTROY(Image);
	DESTROY(ImageView);
	DESTROY(ShaderModule);
	DESTROY(PipelineCache);
	DESTROY(Pipeline);
	DESTROY(PipelineLayout);
	DESTROY(Sampler);
	DESTROY(DescriptorSetLayout);
	DESTROY(DescriptorPool);
	DESTROY(Framebuffer);
	DESTROY(RenderPass);
	DESTROY(CommandPool);
	DESTROY(SamplerYcbcrConversion);
	DESTROY(DescriptorUpdateTemplate);
	DESTROY(PrivateDataSlot);
#undef DESTROY
	vkFreeMemory(device, VK_NULL_HANDLE, NULL);
	vkDestroyDevice(VK_NULL_HANDLE, NULL);
	vkDestroyInstance(VK_NULL_HANDLE, NULL);

	const VkCommandBuffer none[3] = {NULL, NULL, NULL};
	vkFreeCommandBuffers(device, parity->pool, 3, none);
	const VkCommandBufferAllocateInfo allocate = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = parity->pool,
		.commandBufferCount = 2,
	};
	VkCommandBuffer some[4] = {NULL};
	MUST(vkAllocateCommandBuffers(device, &allocate, &some[1]));
	vkFreeCommandBuffers(device, parity->pool, 4, some);

	const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 4};
	const VkDescriptorPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
		.maxSets = 4,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	VkDescriptorPool pool;
	MUST(vkCreateDescriptorPool(device, &pool_info, NULL, &pool));
	const VkDescriptorSet no_sets[2] = {VK_NULL_HANDLE, VK_NULL_HANDLE};
	SAY_RESULT(vkFreeDescriptorSets(device, pool, 2, no_sets));
	vkUpdateDescriptorSets(device, 0, NULL, 0, NULL);
	SAY_RESULT(vkResetDescriptorPool(device, pool, 0));
	vkDestroyDescriptorPool(device, pool, NULL);

	SAY_RESULT(vkQueueSubmit(parity->queue, 0, NULL, VK_NULL_HANDLE));
	SAY_RESULT(vkQueueSubmit2(parity->queue, 0, NULL, VK_NULL_HANDLE));
	SAY_RESULT(vkQueueBindSparse(parity->queue, 0, NULL, VK_NULL_HANDLE));
	const VkSubmitInfo empty = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO};
	SAY_RESULT(vkQueueSubmit(parity->queue, 1, &empty, VK_NULL_HANDLE));
	SAY_RESULT(vkQueueWaitIdle(parity->queue));

	VkCommandBuffer commands = parity_begin(parity);
	vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
		VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, NULL, 0, NULL, 0, NULL);
	const VkDependencyInfo dependency = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO};
	vkCmdPipelineBarrier2(commands, &dependency);
	parity_run(parity, commands);
	SAY_RESULT(vkResetCommandPool(device, parity->pool, VK_COMMAND_POOL_RESET_RELEASE_RESOURCES_BIT));
	vkTrimCommandPool(device, parity->pool, 0);
}

/* --- private data --- */

static void private_data(struct parity *parity) {
	const VkPrivateDataSlotCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
	VkPrivateDataSlot slots[2];
	MUST(vkCreatePrivateDataSlot(parity->device, &info, NULL, &slots[0]));
	MUST(vkCreatePrivateDataSlot(parity->device, &info, NULL, &slots[1]));
	const uint64_t handle = (uint64_t)(uintptr_t)parity->queue;
	SAY_RESULT(vkSetPrivateData(
		parity->device, VK_OBJECT_TYPE_QUEUE, handle, slots[0], UINT64_C(0x123456789abcdef0)));
	for (size_t i = 0; i < 2; i++) {
		uint64_t data = 77;
		vkGetPrivateData(parity->device, VK_OBJECT_TYPE_QUEUE, handle, slots[i], &data);
		say("%llx", (unsigned long long)data);
		vkDestroyPrivateDataSlot(parity->device, slots[i], NULL);
	}
}

/* --- instances and devices --- */

static VkResult create_device(struct parity *parity, const char *extension, uint32_t count,
		const void *next) {
	const float priorities[2] = {1, 1};
	const VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = parity->family,
		.queueCount = count,
		.pQueuePriorities = priorities,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = next,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = extension ? 1 : 0,
		.ppEnabledExtensionNames = &extension,
	};
	VkDevice device;
	const VkResult result = vkCreateDevice(parity->physical, &info, NULL, &device);
	if (result == VK_SUCCESS) {
		vkDestroyDevice(device, NULL);
	}
	return result;
}

static void failing_creation(struct parity *parity) {
	SAY_RESULT(create_device(parity, NULL, 1, NULL));
	SAY_RESULT(create_device(parity, "VK_none_such", 1, NULL));
	VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
	VkPhysicalDeviceVulkan11Features eleven = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
		.protectedMemory = VK_TRUE,
	};
	features.pNext = &eleven;
	SAY_RESULT(create_device(parity, NULL, 1, &features));
	features.pNext = NULL;
	for (size_t i = 0; i < sizeof(features.features) / sizeof(VkBool32); i++) {
		((VkBool32 *)&features.features)[i] = VK_TRUE;
	}
	SAY_RESULT(create_device(parity, NULL, 1, &features));

	const char *name = "VK_none_such";
	VkInstance instance;
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.enabledExtensionCount = 1,
		.ppEnabledExtensionNames = &name,
	};
	SAY_RESULT(vkCreateInstance(&info, NULL, &instance));
	info.enabledExtensionCount = 0;
	info.enabledLayerCount = 1;
	info.ppEnabledLayerNames = &name;
	SAY_RESULT(vkCreateInstance(&info, NULL, &instance));
}

static void fill_and_say(struct parity *parity, uint32_t value) {
	struct parity_buffer buffer;
	parity_buffer_init(parity, &buffer, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	VkCommandBuffer commands = parity_begin(parity);
	vkCmdFillBuffer(commands, buffer.buffer, 4, 4000, value);
	parity_run(parity, commands);
	say_hash("filled", buffer.data, 4096);
	parity_buffer_finish(parity, &buffer);
}

static void several_devices(struct parity *parity) {
	struct parity others[3];
	for (size_t i = 0; i < COUNT(others); i++) {
		/* the first two have an instance of their own */
		if (i < 2) {
			parity_init(&others[i]);
			continue;
		}
		others[i] = *parity;
		others[i].device = parity_device(parity);
		vkGetDeviceQueue(others[i].device, parity->family, 0, &others[i].queue);
		const VkCommandPoolCreateInfo pool = {
			.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
			.queueFamilyIndex = parity->family,
		};
		MUST(vkCreateCommandPool(others[i].device, &pool, NULL, &others[i].pool));
	}
	fill_and_say(parity, 1);
	for (size_t i = 0; i < COUNT(others); i++) {
		fill_and_say(&others[i], 2 + (uint32_t)i);
	}
	vkDestroyCommandPool(others[2].device, others[2].pool, NULL);
	vkDestroyDevice(others[2].device, NULL);
	parity_finish(&others[0]);
	fill_and_say(parity, 9);
	fill_and_say(&others[1], 10);
	parity_finish(&others[1]);
}

/** Vulkan wants children to be gone first. Programs that end badly do not care. */
static void children_left(struct parity *parity) {
	struct parity other;
	parity_init(&other);
	struct parity_buffer buffer;
	parity_buffer_init(&other, &buffer, 65536, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
	const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
	VkFence fence;
	MUST(vkCreateFence(other.device, &info, NULL, &fence));
	fill_and_say(&other, 5);
	fill_and_say(parity, 6);
}

struct worker {
	struct parity *parity;
	pthread_mutex_t *lock;
	uint32_t number, wrong;
};

static void *work(void *data) {
	struct worker *worker = data;
	struct parity mine = *worker->parity;
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.queueFamilyIndex = mine.family,
	};
	MUST(vkCreateCommandPool(mine.device, &pool, NULL, &mine.pool));
	for (uint32_t round = 0; round < 20; round++) {
		struct parity_buffer buffer;
		parity_buffer_init(&mine, &buffer, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
		VkCommandBuffer commands = parity_begin(&mine);
		vkCmdFillBuffer(commands, buffer.buffer, 0, VK_WHOLE_SIZE, worker->number + round);
		pthread_mutex_lock(worker->lock);
		parity_run(&mine, commands);
		pthread_mutex_unlock(worker->lock);
		for (size_t i = 0; i < 1024; i++) {
			worker->wrong += ((uint32_t *)buffer.data)[i] != worker->number + round;
		}
		parity_buffer_finish(&mine, &buffer);
	}
	vkDestroyCommandPool(mine.device, mine.pool, NULL);
	return NULL;
}

static void threads(struct parity *parity) {
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t ids[8];
	struct worker workers[8];
	for (uint32_t i = 0; i < 8; i++) {
		workers[i] = (struct worker){parity, &lock, i * 1000, 0};
		if (pthread_create(&ids[i], NULL, work, &workers[i]) != 0) {
			parity_fail("pthread_create", 0);
		}
	}
	for (uint32_t i = 0; i < 8; i++) {
		pthread_join(ids[i], NULL);
		say("%u wrong", workers[i].wrong);
	}
}

/* --- smaller queries --- */

static void layout_support(struct parity *parity) {
	for (uint32_t count = 1; count <= 1u << 24; count *= 64) {
		const VkDescriptorBindingFlags flags = VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT;
		const VkDescriptorSetLayoutBindingFlagsCreateInfo flags_info = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
			.bindingCount = 1,
			.pBindingFlags = &flags,
		};
		const VkDescriptorSetLayoutBinding binding = {
			.descriptorType = VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE,
			.descriptorCount = count,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		};
		const VkDescriptorSetLayoutCreateInfo info = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
			.pNext = &flags_info,
			.bindingCount = 1,
			.pBindings = &binding,
		};
		VkDescriptorSetVariableDescriptorCountLayoutSupport variable = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_LAYOUT_SUPPORT};
		VkDescriptorSetLayoutSupport support = {
			.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_SUPPORT, .pNext = &variable};
		vkGetDescriptorSetLayoutSupport(parity->device, &info, &support);
		say("%u: %u, %u", count, support.supported, variable.maxVariableDescriptorCount);
	}
}

static void small_queries(struct parity *parity) {
	uint32_t version = 0;
	SAY_RESULT(vkEnumerateInstanceVersion(&version));
	VkQueue queue = NULL;
	const VkDeviceQueueInfo2 info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, .queueFamilyIndex = parity->family};
	vkGetDeviceQueue2(parity->device, &info, &queue);
	say("the same queue: %d", queue == parity->queue);

	PROC(parity, vkGetCalibratedTimestampsEXT);
	PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsEXT domains_of =
		(PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsEXT)vkGetInstanceProcAddr(
			parity->instance, "vkGetPhysicalDeviceCalibrateableTimeDomainsEXT");
	if (parity_has(parity, VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME)) {
		VkTimeDomainEXT domains[8];
		uint32_t count = 1;
		say_result("domains", domains_of(parity->physical, &count, domains));
		count = 8;
		say_result("all domains", domains_of(parity->physical, &count, domains));
		for (uint32_t i = 0; i < count; i++) {
			if (domains[i] == VK_TIME_DOMAIN_CLOCK_MONOTONIC_RAW_EXT) {
				continue; /* Mesa's common code decides about it for each driver */
			}
			const VkCalibratedTimestampInfoEXT which = {
				.sType = VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT,
				.timeDomain = domains[i],
			};
			uint64_t first = 0, second = 0, deviation;
			say("domain %d", domains[i]);
			SAY_RESULT(vkGetCalibratedTimestampsEXT(parity->device, 1, &which, &first, &deviation));
			SAY_RESULT(vkGetCalibratedTimestampsEXT(parity->device, 1, &which, &second, &deviation));
			say("time goes on: %d", second >= first && first > 0);
		}
	}
}

static void sample_locations(struct parity *parity) {
	if (parity_has(parity, VK_EXT_SAMPLE_LOCATIONS_EXTENSION_NAME)) {
		PFN_vkGetPhysicalDeviceMultisamplePropertiesEXT samples_of =
			(PFN_vkGetPhysicalDeviceMultisamplePropertiesEXT)vkGetInstanceProcAddr(
				parity->instance, "vkGetPhysicalDeviceMultisamplePropertiesEXT");
		for (uint32_t samples = 1; samples <= 64; samples *= 2) {
			VkMultisamplePropertiesEXT properties = {
				.sType = VK_STRUCTURE_TYPE_MULTISAMPLE_PROPERTIES_EXT};
			samples_of(parity->physical, (VkSampleCountFlagBits)samples, &properties);
			say("%u samples: %u %u", samples, properties.maxSampleLocationGridSize.width,
				properties.maxSampleLocationGridSize.height);
		}
	}
}

static void pipeline_caches(struct parity *parity) {
	const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
	VkPipelineCache caches[3];
	MUST(vkCreatePipelineCache(parity->device, &info, NULL, &caches[0]));
	MUST(vkCreatePipelineCache(parity->device, &info, NULL, &caches[1]));
	size_t size = 0;
	SAY_RESULT(vkGetPipelineCacheData(parity->device, caches[0], &size, NULL));
	say("at least a header: %d", size >= 32);
	uint8_t *data = calloc(1, size + 16);
	const size_t sizes[] = {0, 8, 31, size, size + 16};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t got = sizes[i];
		const VkResult result = vkGetPipelineCacheData(parity->device, caches[0], &got, data);
		say("%d, as much as there is: %d, nothing: %d", result, got == size, got == 0);
	}
	uint32_t header[4];
	memcpy(header, data, sizeof(header));
	say("header of %u bytes, version %u, ids match: %d %d", header[0], header[1],
		header[2] == parity->properties.vendorID, header[3] == parity->properties.deviceID);
	say("uuid matches: %d",
		memcmp(data + 16, parity->properties.pipelineCacheUUID, VK_UUID_SIZE) == 0);
	const VkPipelineCacheCreateInfo again = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
		.initialDataSize = size,
		.pInitialData = data,
	};
	SAY_RESULT(vkCreatePipelineCache(parity->device, &again, NULL, &caches[2]));
	SAY_RESULT(vkMergePipelineCaches(parity->device, caches[2], 2, caches));
	vkDestroyPipelineCache(parity->device, caches[2], NULL);
	/* of another device; the guest's driver does not survive a wrong header size */
	memset(data + 16, 0xff, size - 16);
	SAY_RESULT(vkCreatePipelineCache(parity->device, &again, NULL, &caches[2]));
	for (size_t i = 0; i < 3; i++) {
		vkDestroyPipelineCache(parity->device, caches[i], NULL);
	}
	free(data);
}

const struct parity_case parity_api_cases[] = {
	{"api two-calls", two_calls},
	{"api formats", formats},
	{"api image-formats", image_formats},
	{"api image-formats2", image_formats2},
	{"api sparse-formats", sparse_formats},
	{"api null-handles", null_handles},
	{"api private-data", private_data},
	{"api failing-creation", failing_creation},
	{"api several-devices", several_devices},
	{"api children-left", children_left},
	{"api threads", threads},
	{"api layout-support", layout_support},
	{"api small-queries", small_queries},
	{"api sample-locations", sample_locations},
	{"api pipeline-caches", pipeline_caches},
	{NULL, NULL},
};
