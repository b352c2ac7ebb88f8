/* SPDX-License-Identifier: MIT */

/* Which memory types guests are told of, on hosts of several kinds. */

#include "../unit/test.h"
#include "render/memory_types.h"

enum {
	LOCAL = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
	VISIBLE = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
	CACHED = VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
	LAZY = VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT,
};

struct host {
	VkMemoryPropertyFlags flags[VK_MAX_MEMORY_TYPES];
	uint32_t count;
	uint32_t importable;
	bool external_images;
};

static void make(struct render_memory_types *types, const struct host *host) {
	VkPhysicalDeviceMemoryProperties properties = {
		.memoryTypeCount = host->count,
		.memoryHeapCount = 1,
		.memoryHeaps[0].size = 1234,
	};
	for (uint32_t i = 0; i < host->count; i++) {
		properties.memoryTypes[i].propertyFlags = host->flags[i];
	}
	const struct vk_host_memory host_memory = {
		.importable_types = host->importable,
		.external_images = host->external_images,
	};
	render_memory_types_init(types, &properties, &host_memory);
	CHECK_INT(types->guest.memoryHeapCount, 1);
	CHECK_INT(types->guest.memoryHeaps[0].size, 1234);
	for (uint32_t i = 0; i < types->guest.memoryTypeCount; i++) {
		const VkMemoryPropertyFlags flags = types->guest.memoryTypes[i].propertyFlags;
		CHECK_INT(types->of[i].shared, (flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0);
		for (uint32_t j = 0; j < i; j++) { /* as Vulkan orders them */
			const VkMemoryPropertyFlags before = types->guest.memoryTypes[j].propertyFlags;
			CHECK(flags == before || (flags & ~before));
		}
	}
}

static void check_type(const struct render_memory_types *types, uint32_t type,
		VkMemoryPropertyFlags flags, uint32_t host) {
	CHECK_INT(types->guest.memoryTypes[type].propertyFlags, flags);
	CHECK_INT(types->of[type].host, host);
}

/* One type for all, and everything takes imports: as the host has it. */
static void test_software(void) {
	struct render_memory_types types;
	make(&types, &(struct host){{LOCAL | VISIBLE | CACHED}, 1, 1, true});
	CHECK_INT(types.guest.memoryTypeCount, 1);
	check_type(&types, 0, LOCAL | VISIBLE | CACHED, 0);
	CHECK_INT(render_memory_types_of_host(&types, 1, true), 1);
	CHECK_INT(render_memory_types_of_host(&types, 1, false), 1); /* or nothing would be left */
	CHECK_INT(render_memory_types_shared(&types), 1);
	CHECK_INT(render_memory_types_own(&types), 0);
}

/* One type for all, which images are not imported as: it has a twin. */
static void test_unified(void) {
	struct render_memory_types types;
	make(&types, &(struct host){{LOCAL | VISIBLE | CACHED}, 1, 1, false});
	CHECK_INT(types.guest.memoryTypeCount, 2);
	check_type(&types, 0, LOCAL, 0);
	check_type(&types, 1, LOCAL | VISIBLE | CACHED, 0);
	CHECK_INT(render_memory_types_of_host(&types, 1, true), 3);
	CHECK_INT(render_memory_types_of_host(&types, 1, false), 1);
	CHECK_INT(render_memory_types_shared(&types), 2);
}

/* Memory of its own that is for attachments only does not help other images. */
static void test_lazy_is_not_enough(void) {
	struct render_memory_types types;
	make(&types, &(struct host){{LOCAL | VISIBLE, LOCAL | LAZY}, 2, 1, false});
	CHECK_INT(types.guest.memoryTypeCount, 3);
	check_type(&types, 0, LOCAL, 0);
	check_type(&types, 1, LOCAL | VISIBLE, 0);
	check_type(&types, 2, LOCAL | LAZY, 1);
	CHECK_INT(render_memory_types_of_host(&types, 3, false), 5);
}

/* A card: system memory is imported, and what is mapped of its own is not. */
static void test_card(void) {
	struct render_memory_types types;
	make(&types, &(struct host){{0, LOCAL, VISIBLE, VISIBLE | CACHED, LOCAL | VISIBLE}, 5, 0xc, false});
	CHECK_INT(types.guest.memoryTypeCount, 5);
	check_type(&types, 0, 0, 0);
	check_type(&types, 1, LOCAL, 1);
	check_type(&types, 2, VISIBLE, 2);
	check_type(&types, 3, VISIBLE | CACHED, 3);
	check_type(&types, 4, LOCAL, 4);
	CHECK_INT(render_memory_types_of_host(&types, 0x1f, true), 0x1f);
	CHECK_INT(render_memory_types_of_host(&types, 0x1f, false), 0x13);
	CHECK_INT(render_memory_types_of_host(&types, 0x1e, true), 0x1e);
	CHECK_INT(render_memory_types_shared(&types), 0xc);
	CHECK_INT(render_memory_types_own(&types), 0x13);
}

/* What is no longer mapped can less than what stands before it. */
static void test_order(void) {
	struct render_memory_types types;
	make(&types, &(struct host){{LOCAL, VISIBLE, VISIBLE | CACHED}, 3, 4, true});
	CHECK_INT(types.guest.memoryTypeCount, 3);
	check_type(&types, 0, 0, 1);
	check_type(&types, 1, LOCAL, 0);
	check_type(&types, 2, VISIBLE | CACHED, 2);
	CHECK_INT(render_memory_types_of_host(&types, 2, true), 1);
}

static void test_many(void) {
	struct host host = {.count = VK_MAX_MEMORY_TYPES, .importable = UINT32_MAX};
	for (uint32_t i = 0; i < host.count; i++) {
		host.flags[i] = VISIBLE;
	}
	struct render_memory_types types;
	make(&types, &host);
	CHECK_INT(types.guest.memoryTypeCount, VK_MAX_MEMORY_TYPES);
}

int main(void) {
	RUN(test_software);
	RUN(test_unified);
	RUN(test_lazy_is_not_enough);
	RUN(test_card);
	RUN(test_order);
	RUN(test_many);
	return 0;
}
