/* SPDX-License-Identifier: MIT */

/*
 * Device memory: what there is of it and what is bound to it, what becomes of too much and of
 * nothing, that all of it is given back, and copies between images and the guest's host memory,
 * right ones and hostile ones.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test.h"
#include "base/log.h"
#include "peer_device.h"

static const char *program, *option;

/* of images: what fits into a stream of the peer's */
enum { WIDTH = 32, HEIGHT = 16, BYTES = WIDTH * HEIGHT * 4 };

enum { MEMORY = 0x100, IMAGE = 0x200, OTHER_IMAGE, BUFFER, MANY = 0x1000, RESOURCE = 20 };

static const VkMemoryPropertyFlags host_flags = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
	VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

static void start(struct peer *peer, uint32_t api_version, void *features) {
	const struct peer_device_options options = {
		.api_version = api_version, .features = features};
	peer_start_with(peer, program, option);
	peer_create_ring(peer, 1 << 17);
	peer_create_device(peer, &options);
}

static VkPhysicalDeviceMemoryProperties memory_types(struct peer *peer) {
	VkPhysicalDeviceMemoryProperties properties;
	struct venus_vkGetPhysicalDeviceMemoryProperties get = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pMemoryProperties = &properties};
	PEER_CALL(peer, vkGetPhysicalDeviceMemoryProperties, &get);
	return *get.pMemoryProperties;
}

/** The first of `bits` with all of `flags` and nothing of `without`; UINT32_MAX: none. */
static uint32_t find_type(struct peer *peer, uint32_t bits, VkMemoryPropertyFlags flags,
		VkMemoryPropertyFlags without) {
	const VkPhysicalDeviceMemoryProperties types = memory_types(peer);
	for (uint32_t i = 0; i < types.memoryTypeCount; i++) {
		const VkMemoryPropertyFlags has = types.memoryTypes[i].propertyFlags;
		if ((bits >> i & 1) && (has & flags) == flags && !(has & without)) {
			return i;
		}
	}
	return UINT32_MAX;
}

static VkResult allocate(struct peer *peer, uint64_t id, uint64_t size, uint32_t type,
		const void *chain, bool reply) {
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = chain,
		.allocationSize = size,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory memory = PEER_HANDLE(VkDeviceMemory, id);
	struct venus_vkAllocateMemory args = {
		.device = PEER_DEVICE_HANDLE, .pAllocateInfo = &info, .pMemory = &memory};
	if (reply) {
		PEER_CALL(peer, vkAllocateMemory, &args);
		return args.ret;
	}
	peer_begin(peer);
	venus_encode_vkAllocateMemory_request(&peer->encoder, 0, &args);
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
	return VK_SUCCESS;
}

static void free_memory(struct peer *peer, uint64_t id) {
	peer_begin(peer);
	PEER_ADD(peer, vkFreeMemory, .device = PEER_DEVICE_HANDLE,
		.memory = PEER_HANDLE(VkDeviceMemory, id));
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
}

static void detach(struct peer *peer, uint32_t resource_id) {
	const struct render_detach_resource request = {.resource_id = resource_id};
	CHECK_INT(channel_send(&peer->channel, RENDER_REQUEST_DETACH_RESOURCE, &request,
			  sizeof(request), NULL, 0, NULL, 0), 0);
}

static VkImageCreateInfo image_info(VkImageTiling tiling, VkImageUsageFlags usage) {
	return (VkImageCreateInfo){
		.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
		.imageType = VK_IMAGE_TYPE_2D,
		.format = VK_FORMAT_R8G8B8A8_UNORM,
		.extent = {WIDTH, HEIGHT, 1},
		.mipLevels = 1,
		.arrayLayers = 1,
		.samples = VK_SAMPLE_COUNT_1_BIT,
		.tiling = tiling,
		.usage = usage,
	};
}

/** Creates an image and returns what memory it wants. */
static VkMemoryRequirements create_image(
		struct peer *peer, uint64_t id, const VkImageCreateInfo *info) {
	VkImage image = PEER_HANDLE(VkImage, id);
	struct venus_vkCreateImage create = {
		.device = PEER_DEVICE_HANDLE, .pCreateInfo = info, .pImage = &image};
	PEER_CALL(peer, vkCreateImage, &create);
	CHECK_INT(create.ret, VK_SUCCESS);
	VkMemoryRequirements requirements;
	struct venus_vkGetImageMemoryRequirements get = {.device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, id), .pMemoryRequirements = &requirements};
	PEER_CALL(peer, vkGetImageMemoryRequirements, &get);
	return *get.pMemoryRequirements;
}

static void bind_image(struct peer *peer, uint64_t id, uint64_t memory) {
	struct venus_vkBindImageMemory bind = {.device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, id),
		.memory = PEER_HANDLE(VkDeviceMemory, memory)};
	PEER_CALL(peer, vkBindImageMemory, &bind);
	CHECK_INT(bind.ret, VK_SUCCESS);
}

static void destroy_image(struct peer *peer, uint64_t id) {
	peer_begin(peer);
	PEER_ADD(peer, vkDestroyImage, .device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, id));
	peer_ring_write(peer);
	CHECK(peer_ring_wait(peer));
}

/* --- memory types --- */

/* Whatever the host imports, every type that an image or a buffer names can be allocated and bound. */
static void test_all_types_bind(void) {
	struct peer peer;
	start(&peer, VK_API_VERSION_1_1, NULL);
	static const VkImageUsageFlags usages[] = {
		VK_IMAGE_USAGE_TRANSFER_DST_BIT,
		VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
	};
	for (int tiling = VK_IMAGE_TILING_OPTIMAL; tiling <= VK_IMAGE_TILING_LINEAR; tiling++) {
		for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
			const VkImageCreateInfo info = image_info((VkImageTiling)tiling, usages[i]);
			const VkMemoryRequirements needs = create_image(&peer, IMAGE, &info);
			CHECK(needs.memoryTypeBits);
			destroy_image(&peer, IMAGE);
			for (uint32_t type = 0; type < VK_MAX_MEMORY_TYPES; type++) {
				if (!(needs.memoryTypeBits >> type & 1)) {
					continue;
				}
				create_image(&peer, IMAGE, &info);
				CHECK_INT(allocate(&peer, MEMORY, needs.size, type, NULL, true),
					VK_SUCCESS);
				bind_image(&peer, IMAGE, MEMORY);
				destroy_image(&peer, IMAGE);
				free_memory(&peer, MEMORY);
			}
			if (tiling == VK_IMAGE_TILING_LINEAR) { /* as Vulkan promises */
				CHECK(find_type(&peer, needs.memoryTypeBits,
					      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
						      VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, 0) !=
					UINT32_MAX);
			}
		}
	}
	peer_stop(&peer);
}

/* Memory of the driver's own cannot be mapped, whatever it is on the host. */
static void test_own_memory_is_not_mapped(void) {
	struct peer peer;
	start(&peer, VK_API_VERSION_1_1, NULL);
	const uint32_t own = find_type(&peer, UINT32_MAX, 0, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
	if (own == UINT32_MAX) {
		printf("  all types are shared here\n");
	} else {
		CHECK(!(memory_types(&peer).memoryTypes[own].propertyFlags & host_flags));
		CHECK_INT(allocate(&peer, MEMORY, 4096, own, NULL, true), VK_SUCCESS);
		CHECK_INT(peer_create_blob(&peer, RESOURCE, RENDER_BLOB_MAPPABLE, MEMORY, 4096, NULL),
			-EACCES);
	}
	peer_stop(&peer);
}

static void test_budget(void) {
	struct peer peer;
	start(&peer, VK_API_VERSION_1_1, NULL);
	VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
	VkPhysicalDeviceMemoryProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget};
	struct venus_vkGetPhysicalDeviceMemoryProperties2 get = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pMemoryProperties = &properties};
	PEER_CALL(&peer, vkGetPhysicalDeviceMemoryProperties2, &get);
	const VkPhysicalDeviceMemoryProperties types = memory_types(&peer);
	const VkPhysicalDeviceMemoryProperties *second = &get.pMemoryProperties->memoryProperties;
	CHECK_INT(second->memoryTypeCount, types.memoryTypeCount);
	CHECK_INT(second->memoryHeapCount, types.memoryHeapCount);
	const VkPhysicalDeviceMemoryBudgetPropertiesEXT *heaps = get.pMemoryProperties->pNext;
	for (uint32_t i = 0; i < VK_MAX_MEMORY_HEAPS; i++) {
		CHECK_INT(heaps->heapBudget[i] != 0, i < types.memoryHeapCount);
		CHECK(heaps->heapBudget[i] <= (i < types.memoryHeapCount ?
			types.memoryHeaps[i].size : 0));
	}
	peer_stop(&peer);
}

/* --- too much, too little, too many --- */

static void test_impossible_sizes(void) {
	struct peer peer;
	start(&peer, VK_API_VERSION_1_1, NULL);
	const VkPhysicalDeviceMemoryProperties types = memory_types(&peer);
	for (uint32_t type = 0; type < types.memoryTypeCount; type++) {
		const uint64_t heap = types.memoryHeaps[types.memoryTypes[type].heapIndex].size;
		const uint64_t sizes[] = {0, heap + 1, heap * 2, UINT64_MAX / 2, UINT64_MAX - 4096,
			UINT64_MAX};
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			CHECK_INT(allocate(&peer, MEMORY, sizes[i], type, NULL, true),
				VK_ERROR_OUT_OF_DEVICE_MEMORY);
			/* the guest that did not wait goes on with a failed object */
			allocate(&peer, MEMORY, sizes[i], type, NULL, false);
			CHECK(peer_create_blob(&peer, RESOURCE, RENDER_BLOB_MAPPABLE, MEMORY, 4096,
				      NULL) < 0);
			uint64_t committed = 1;
			struct venus_vkGetDeviceMemoryCommitment commitment = {
				.device = PEER_DEVICE_HANDLE,
				.memory = PEER_HANDLE(VkDeviceMemory, MEMORY),
				.pCommittedMemoryInBytes = &committed};
			PEER_CALL(&peer, vkGetDeviceMemoryCommitment, &commitment);
			free_memory(&peer, MEMORY);
		}
	}
	CHECK_INT(allocate(&peer, MEMORY, 4096, types.memoryTypeCount, NULL, true),
		VK_ERROR_UNKNOWN);
	CHECK_INT(allocate(&peer, MEMORY, 4096, UINT32_MAX, NULL, true), VK_ERROR_UNKNOWN);
	peer_stop(&peer);
}

/* An import never gets an address of the guest's choice. */
static void test_capture_address(void) {
	struct peer peer;
	start(&peer, VK_API_VERSION_1_2, NULL);
	const uint32_t type = find_type(&peer, UINT32_MAX, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, 0);
	VkMemoryOpaqueCaptureAddressAllocateInfo address = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_OPAQUE_CAPTURE_ADDRESS_ALLOCATE_INFO,
		.opaqueCaptureAddress = 0x10000,
	};
	CHECK_INT(allocate(&peer, MEMORY, 4096, type, &address, true),
		VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS);
	address.opaqueCaptureAddress = 0;
	CHECK_INT(allocate(&peer, MEMORY, 4096, type, &address, true), VK_SUCCESS);
	peer_stop(&peer);
}

static void test_many(void) {
	enum { COUNT = 10000 };
	struct peer peer;
	start(&peer, VK_API_VERSION_1_1, NULL);
	const uint32_t type = find_type(&peer, UINT32_MAX, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, 0);
	uint64_t got = 0;
	VkResult result = VK_SUCCESS;
	while (got < COUNT && result == VK_SUCCESS) {
		result = allocate(&peer, MANY + got, 4096, type, NULL, true);
		got += result == VK_SUCCESS;
	}
	/* a machine may grant us fewer descriptors than that */
	printf("  %d allocations\n", (int)got);
	CHECK(result == VK_SUCCESS || (result == VK_ERROR_TOO_MANY_OBJECTS && got > 500));
	for (uint64_t i = 0; i < got; i++) {
		peer_begin(&peer);
		PEER_ADD(&peer, vkFreeMemory, .device = PEER_DEVICE_HANDLE,
			.memory = PEER_HANDLE(VkDeviceMemory, MANY + i));
		peer_ring_write(&peer);
	}
	CHECK(peer_ring_wait(&peer));
	CHECK_INT(allocate(&peer, MEMORY, 4096, type, NULL, true), VK_SUCCESS);
	peer_stop(&peer);
}

/* --- giving it back --- */

#ifdef __linux__
/* What shared memory is called: a memfd, or, in a portable build, one of shm_open(). */
#define SHARED_MEMORY "-e /memfd: -e /dev/shm/ven"

/* Lines of what `show` prints about the process that are about shared memory. */
static int count_shared(const struct peer *peer, const char *show, const char *file) {
	char command[128], answer[32];
	snprintf(command, sizeof(command), "%s /proc/%d/%s | grep -c " SHARED_MEMORY, show,
		(int)peer->pid, file);
	FILE *pipe = popen(command, "r");
	CHECK(pipe && fgets(answer, sizeof(answer), pipe));
	pclose(pipe);
	return atoi(answer);
}

static int count_maps(const struct peer *peer) {
	return count_shared(peer, "cat", "maps");
}

static int count_fds(const struct peer *peer) {
	return count_shared(peer, "ls -l", "fd");
}

/* Freed memory leaves no mapping and no descriptor, in whatever order its resource goes. */
static void test_given_back(void) {
	enum { SIZE = 1 << 20 };
	struct peer peer;
	start(&peer, VK_API_VERSION_1_1, NULL);
	const uint32_t type = find_type(&peer, UINT32_MAX, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, 0);
	peer_sync(&peer);
	const int maps = count_maps(&peer);
	const int fds = count_fds(&peer);
	for (int i = 0; i < 100; i++) {
		struct shmem shm;
		CHECK_INT(allocate(&peer, MEMORY, SIZE, type, NULL, true), VK_SUCCESS);
		CHECK_INT(peer_create_blob(&peer, RESOURCE, RENDER_BLOB_MAPPABLE, MEMORY, SIZE, &shm),
			0);
		memset(shm.data, i, SIZE);
		shmem_finish(&shm);
		if (i % 2) {
			detach(&peer, RESOURCE);
			peer_sync(&peer);
			free_memory(&peer, MEMORY);
		} else {
			free_memory(&peer, MEMORY);
			detach(&peer, RESOURCE);
			peer_sync(&peer);
		}
	}
	CHECK_INT(count_maps(&peer), maps);
	CHECK_INT(count_fds(&peer), fds);

	/* and that this would be seen */
	CHECK_INT(allocate(&peer, MEMORY, SIZE, type, NULL, true), VK_SUCCESS);
	CHECK(count_maps(&peer) > maps);
	CHECK(count_fds(&peer) > fds);
	peer_stop(&peer);
}
#endif

/* --- sparse resources --- */

/* Memory of every type that a sparse buffer names is bound to it, imports included. */
static void test_sparse(void) {
	struct peer peer;
	VkPhysicalDeviceFeatures2 features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.features.sparseBinding = VK_TRUE,
	};
	start(&peer, VK_API_VERSION_1_1, NULL);
	VkPhysicalDeviceFeatures there;
	struct venus_vkGetPhysicalDeviceFeatures get_features = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pFeatures = &there};
	PEER_CALL(&peer, vkGetPhysicalDeviceFeatures, &get_features);
	const bool has_sparse = get_features.pFeatures->sparseBinding;
	peer_stop(&peer);
	if (!has_sparse) {
		printf("  no sparse binding here\n");
		return;
	}
	start(&peer, VK_API_VERSION_1_1, &features);
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.flags = VK_BUFFER_CREATE_SPARSE_BINDING_BIT,
		.size = 1 << 20,
		.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer = PEER_HANDLE(VkBuffer, BUFFER);
	struct venus_vkCreateBuffer create = {
		.device = PEER_DEVICE_HANDLE, .pCreateInfo = &info, .pBuffer = &buffer};
	PEER_CALL(&peer, vkCreateBuffer, &create);
	CHECK_INT(create.ret, VK_SUCCESS);
	VkMemoryRequirements requirements;
	struct venus_vkGetBufferMemoryRequirements get = {.device = PEER_DEVICE_HANDLE,
		.buffer = PEER_HANDLE(VkBuffer, BUFFER), .pMemoryRequirements = &requirements};
	PEER_CALL(&peer, vkGetBufferMemoryRequirements, &get);
	const VkMemoryRequirements needs = *get.pMemoryRequirements;
	CHECK(needs.memoryTypeBits);
	for (uint32_t type = 0; type < VK_MAX_MEMORY_TYPES; type++) {
		if (!(needs.memoryTypeBits >> type & 1)) {
			continue;
		}
		CHECK_INT(allocate(&peer, MEMORY + type, needs.size, type, NULL, true), VK_SUCCESS);
		const VkSparseMemoryBind bind = {
			.size = needs.size, .memory = PEER_HANDLE(VkDeviceMemory, MEMORY + type)};
		const VkSparseBufferMemoryBindInfo bind_buffer = {
			.buffer = PEER_HANDLE(VkBuffer, BUFFER), .bindCount = 1, .pBinds = &bind};
		const VkBindSparseInfo bind_info = {
			.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
			.bufferBindCount = 1,
			.pBufferBinds = &bind_buffer,
		};
		struct venus_vkQueueBindSparse queue_bind = {
			.queue = PEER_QUEUE_HANDLE, .bindInfoCount = 1, .pBindInfo = &bind_info};
		PEER_CALL(&peer, vkQueueBindSparse, &queue_bind);
		CHECK_INT(queue_bind.ret, VK_SUCCESS);
	}
	peer_stop(&peer);
}

/* --- host image copies --- */

static bool start_with_host_copies(struct peer *peer) {
	VkPhysicalDeviceHostImageCopyFeatures features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_HOST_IMAGE_COPY_FEATURES};
	VkPhysicalDeviceFeatures2 all = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &features};
	start(peer, VK_API_VERSION_1_4, NULL);
	struct venus_vkGetPhysicalDeviceFeatures2 get = {
		.physicalDevice = PEER_PHYSICAL_HANDLE, .pFeatures = &all};
	PEER_CALL(peer, vkGetPhysicalDeviceFeatures2, &get);
	const VkPhysicalDeviceHostImageCopyFeatures *found = get.pFeatures->pNext;
	const bool there = found->hostImageCopy;
	peer_stop(peer);
	if (!there) {
		printf("  no host image copies here\n");
		return false;
	}
	features = (VkPhysicalDeviceHostImageCopyFeatures){
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_HOST_IMAGE_COPY_FEATURES,
		.hostImageCopy = VK_TRUE,
	};
	start(peer, VK_API_VERSION_1_4, &features);
	return true;
}

static void make_copyable(struct peer *peer, uint64_t id, uint64_t memory) {
	const VkImageCreateInfo info =
		image_info(VK_IMAGE_TILING_OPTIMAL, VK_IMAGE_USAGE_HOST_TRANSFER_BIT);
	const VkMemoryRequirements needs = create_image(peer, id, &info);
	CHECK_INT(allocate(peer, memory, needs.size, find_type(peer, needs.memoryTypeBits, 0, 0),
			  NULL, true), VK_SUCCESS);
	bind_image(peer, id, memory);
	const VkHostImageLayoutTransitionInfo to_general = {
		.sType = VK_STRUCTURE_TYPE_HOST_IMAGE_LAYOUT_TRANSITION_INFO,
		.image = PEER_HANDLE(VkImage, id),
		.oldLayout = VK_IMAGE_LAYOUT_UNDEFINED,
		.newLayout = VK_IMAGE_LAYOUT_GENERAL,
		.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
	};
	struct venus_vkTransitionImageLayout transition = {
		.device = PEER_DEVICE_HANDLE, .transitionCount = 1, .pTransitions = &to_general};
	PEER_CALL(peer, vkTransitionImageLayout, &transition);
	CHECK_INT(transition.ret, VK_SUCCESS);
}

static VkMemoryToImageCopyMESA whole_in(const void *data) {
	return (VkMemoryToImageCopyMESA){
		.sType = VK_STRUCTURE_TYPE_MEMORY_TO_IMAGE_COPY_MESA,
		.dataSize = BYTES,
		.pData = data,
		.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
		.imageExtent = {WIDTH, HEIGHT, 1},
	};
}

static VkResult copy_in(struct peer *peer, VkMemoryToImageCopyMESA region, VkFlags flags) {
	const VkCopyMemoryToImageInfoMESA info = {
		.sType = VK_STRUCTURE_TYPE_COPY_MEMORY_TO_IMAGE_INFO_MESA,
		.flags = flags,
		.dstImage = PEER_HANDLE(VkImage, IMAGE),
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 1,
		.pRegions = &region,
	};
	struct venus_vkCopyMemoryToImageMESA copy = {
		.device = PEER_DEVICE_HANDLE, .pCopyMemoryToImageInfo = &info};
	PEER_CALL(peer, vkCopyMemoryToImageMESA, &copy);
	return copy.ret;
}

static VkCopyImageToMemoryInfoMESA whole_out(void) {
	return (VkCopyImageToMemoryInfoMESA){
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_MEMORY_INFO_MESA,
		.srcImage = PEER_HANDLE(VkImage, IMAGE),
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
		.imageExtent = {WIDTH, HEIGHT, 1},
	};
}

static VkResult copy_out(
		struct peer *peer, const VkCopyImageToMemoryInfoMESA *info, void *data, size_t size) {
	struct venus_vkCopyImageToMemoryMESA copy = {.device = PEER_DEVICE_HANDLE,
		.pCopyImageToMemoryInfo = info, .dataSize = size, .pData = data};
	PEER_CALL(peer, vkCopyImageToMemoryMESA, &copy);
	if (copy.ret == VK_SUCCESS) {
		memcpy(data, copy.pData, size);
	}
	return copy.ret;
}

static void test_host_copies(void) {
	struct peer peer;
	if (!start_with_host_copies(&peer)) {
		return;
	}
	make_copyable(&peer, IMAGE, MEMORY);
	uint32_t in[BYTES / 4], out[BYTES / 4];
	for (uint32_t i = 0; i < BYTES / 4; i++) {
		in[i] = i * UINT32_C(2654435761);
	}
	CHECK_INT(copy_in(&peer, whole_in(in), 0), VK_SUCCESS);
	VkCopyImageToMemoryInfoMESA info = whole_out();
	CHECK_INT(copy_out(&peer, &info, out, BYTES), VK_SUCCESS);
	CHECK(memcmp(in, out, BYTES) == 0);

	/* rows further apart than they are wide; the last one ends early */
	enum { PITCH = WIDTH + 8, ROWS = 4, LEFT = 8 };
	uint32_t apart[(ROWS - 1) * PITCH + WIDTH - LEFT];
	memset(apart, 0, sizeof(apart));
	info.memoryRowLength = PITCH;
	info.imageOffset = (VkOffset3D){LEFT, 2, 0};
	info.imageExtent = (VkExtent3D){WIDTH - LEFT, ROWS, 1};
	CHECK_INT(copy_out(&peer, &info, apart, sizeof(apart)), VK_SUCCESS);
	for (uint32_t y = 0; y < ROWS; y++) {
		CHECK(memcmp(&apart[y * PITCH], &in[(y + 2) * WIDTH + LEFT], (WIDTH - LEFT) * 4) == 0);
	}
	CHECK_INT(copy_out(&peer, &info, apart, sizeof(apart) - 1), VK_ERROR_UNKNOWN);

	/* in the driver's own layout: as much as it says, or more */
	const VkImageSubresource2 subresource = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_SUBRESOURCE_2,
		.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0},
	};
	VkSubresourceHostMemcpySize size = {.sType = VK_STRUCTURE_TYPE_SUBRESOURCE_HOST_MEMCPY_SIZE};
	VkSubresourceLayout2 layout = {.sType = VK_STRUCTURE_TYPE_SUBRESOURCE_LAYOUT_2, .pNext = &size};
	struct venus_vkGetImageSubresourceLayout2 get = {.device = PEER_DEVICE_HANDLE,
		.image = PEER_HANDLE(VkImage, IMAGE), .pSubresource = &subresource, .pLayout = &layout};
	PEER_CALL(&peer, vkGetImageSubresourceLayout2, &get);
	const uint64_t raw_size =
		((const VkSubresourceHostMemcpySize *)get.pLayout->pNext)->size;
	CHECK(raw_size && raw_size < PEER_REPLY_SIZE / 2);
	void *raw = malloc(raw_size);
	info = whole_out();
	info.flags = VK_HOST_IMAGE_COPY_MEMCPY_EXT;
	CHECK_INT(copy_out(&peer, &info, raw, raw_size), VK_SUCCESS);
	CHECK_INT(copy_out(&peer, &info, raw, raw_size - 1), VK_ERROR_UNKNOWN);
	free(raw);
	peer_stop(&peer);
}

/* What would make the driver read or write where it must not. */
static void test_hostile_host_copies(void) {
	struct peer peer;
	if (!start_with_host_copies(&peer)) {
		return;
	}
	make_copyable(&peer, IMAGE, MEMORY);
	uint32_t data[BYTES / 4] = {0};
	const VkMemoryToImageCopyMESA whole = whole_in(data);
	VkMemoryToImageCopyMESA bad[16];
	size_t count = 0;
#define BAD(member, ...) \
	bad[count] = whole; \
	bad[count++].member = __VA_ARGS__
	BAD(dataSize, BYTES - 1);
	BAD(dataSize, 4);
	BAD(memoryRowLength, WIDTH + 1);
	BAD(memoryRowLength, UINT32_MAX);
	BAD(imageExtent.width, WIDTH + 1);
	BAD(imageExtent.height, 0);
	BAD(imageExtent.depth, 2);
	BAD(imageExtent, (VkExtent3D){UINT32_MAX, UINT32_MAX, UINT32_MAX});
	BAD(imageOffset.x, 1);
	BAD(imageOffset.y, -1);
	BAD(imageOffset.z, INT32_MAX);
	BAD(imageSubresource.mipLevel, 1);
	BAD(imageSubresource.baseArrayLayer, 1);
	BAD(imageSubresource.layerCount, 2);
	BAD(imageSubresource.layerCount, 0);
	BAD(imageSubresource.aspectMask, VK_IMAGE_ASPECT_DEPTH_BIT);
#undef BAD
	for (size_t i = 0; i < count; i++) {
		CHECK_INT(copy_in(&peer, bad[i], 0), VK_ERROR_UNKNOWN);
		const VkCopyImageToMemoryInfoMESA out = {
			.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_MEMORY_INFO_MESA,
			.srcImage = PEER_HANDLE(VkImage, IMAGE),
			.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
			.memoryRowLength = bad[i].memoryRowLength,
			.imageSubresource = bad[i].imageSubresource,
			.imageOffset = bad[i].imageOffset,
			.imageExtent = bad[i].imageExtent,
		};
		CHECK_INT(copy_out(&peer, &out, data, bad[i].dataSize), VK_ERROR_UNKNOWN);
	}
	/* a part is no copy of the whole memory */
	VkMemoryToImageCopyMESA part = whole;
	part.imageExtent.height = HEIGHT / 2;
	CHECK_INT(copy_in(&peer, part, VK_HOST_IMAGE_COPY_MEMCPY_EXT), VK_ERROR_UNKNOWN);
	/* all layers that there are is a number, too */
	VkMemoryToImageCopyMESA rest = whole;
	rest.imageSubresource.layerCount = VK_REMAINING_ARRAY_LAYERS;
	CHECK_INT(copy_in(&peer, rest, 0), VK_SUCCESS);

	/* between images: inside of both */
	make_copyable(&peer, OTHER_IMAGE, MEMORY + 1);
	VkImageCopy2 region = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_COPY_2,
		.srcSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
		.dstSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
		.extent = {WIDTH, HEIGHT, 1},
	};
	const VkCopyImageToImageInfo between = {
		.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_IMAGE_INFO,
		.srcImage = PEER_HANDLE(VkImage, IMAGE),
		.srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.dstImage = PEER_HANDLE(VkImage, OTHER_IMAGE),
		.dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
		.regionCount = 1,
		.pRegions = &region,
	};
	struct venus_vkCopyImageToImage copy = {
		.device = PEER_DEVICE_HANDLE, .pCopyImageToImageInfo = &between};
	PEER_CALL(&peer, vkCopyImageToImage, &copy);
	CHECK_INT(copy.ret, VK_SUCCESS);
	region.dstOffset.x = 1;
	PEER_CALL(&peer, vkCopyImageToImage, &copy);
	CHECK_INT(copy.ret, VK_ERROR_UNKNOWN);
	region.dstOffset.x = 0;
	region.srcSubresource.baseArrayLayer = 7;
	PEER_CALL(&peer, vkCopyImageToImage, &copy);
	CHECK_INT(copy.ret, VK_ERROR_UNKNOWN);
	peer_stop(&peer);
}

int main(int argc, char **argv) {
	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: %s VENERA-RENDER [OPTION]\n", argv[0]);
		return 2;
	}
	program = argv[1];
	option = argc > 2 ? argv[2] : NULL;
	log_init("test", LOG_LEVEL_INFO);
	RUN(test_all_types_bind);
	RUN(test_own_memory_is_not_mapped);
	RUN(test_budget);
	RUN(test_impossible_sizes);
	RUN(test_capture_address);
	RUN(test_many);
#ifdef __linux__
	RUN(test_given_back);
#endif
	RUN(test_sparse);
	RUN(test_host_copies);
	RUN(test_hostile_host_copies);
	return 0;
}
