/* SPDX-License-Identifier: MIT */
#include "render/memory_types.h"

#include <string.h>

#define HOST_FLAGS \
	((VkMemoryPropertyFlags)(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | \
		VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT))

/** Adds a type before the first one that can the same and more, or at the end. */
static void add_type(struct render_memory_types *types, VkMemoryType type, uint32_t host, bool shared) {
	VkPhysicalDeviceMemoryProperties *guest = &types->guest;
	if (guest->memoryTypeCount == VK_MAX_MEMORY_TYPES) {
		return;
	}
	uint32_t place = 0;
	while (place < guest->memoryTypeCount &&
			((type.propertyFlags & ~guest->memoryTypes[place].propertyFlags) ||
				type.propertyFlags == guest->memoryTypes[place].propertyFlags)) {
		place++;
	}
	const uint32_t behind = guest->memoryTypeCount++ - place;
	memmove(&guest->memoryTypes[place + 1], &guest->memoryTypes[place],
		behind * sizeof(guest->memoryTypes[0]));
	memmove(&types->of[place + 1], &types->of[place], behind * sizeof(types->of[0]));
	guest->memoryTypes[place] = type;
	types->of[place].host = host;
	types->of[place].shared = shared;
}

/** Has the driver memory of its own that any image can be made of? */
static bool has_own_memory(
		const VkPhysicalDeviceMemoryProperties *host, uint32_t importable_types) {
	const VkMemoryPropertyFlags special =
		VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT;
	for (uint32_t i = 0; i < host->memoryTypeCount; i++) {
		if (!(importable_types >> i & 1) && !(host->memoryTypes[i].propertyFlags & special)) {
			return true;
		}
	}
	return false;
}

void render_memory_types_init(struct render_memory_types *types,
		const VkPhysicalDeviceMemoryProperties *host, const struct vk_host_memory *host_memory) {
	*types = (struct render_memory_types){.guest.memoryHeapCount = host->memoryHeapCount};
	memcpy(types->guest.memoryHeaps, host->memoryHeaps, sizeof(host->memoryHeaps));
	const bool with_twins = !host_memory->external_images &&
		!has_own_memory(host, host_memory->importable_types);
	for (uint32_t i = 0; i < host->memoryTypeCount; i++) {
		const bool shared = host_memory->importable_types >> i & 1;
		VkMemoryType own = host->memoryTypes[i];
		own.propertyFlags &= ~HOST_FLAGS;
		if (!shared || with_twins) {
			add_type(types, own, i, false);
		}
		if (shared) {
			add_type(types, host->memoryTypes[i], i, true);
		}
	}
}

uint32_t render_memory_types_of_host(
		const struct render_memory_types *types, uint32_t host_bits, bool takes_imports) {
	uint32_t all = 0;
	for (uint32_t i = 0; i < types->guest.memoryTypeCount; i++) {
		all |= (host_bits >> types->of[i].host & 1) << i;
	}
	const uint32_t own = all & ~render_memory_types_shared(types);
	return takes_imports || !own ? all : own;
}

uint32_t render_memory_types_shared(const struct render_memory_types *types) {
	uint32_t shared = 0;
	for (uint32_t i = 0; i < types->guest.memoryTypeCount; i++) {
		shared |= (uint32_t)types->of[i].shared << i;
	}
	return shared;
}

uint32_t render_memory_types_own(const struct render_memory_types *types) {
	const uint32_t unused = VK_MAX_MEMORY_TYPES - types->guest.memoryTypeCount;
	return ~render_memory_types_shared(types) & (UINT32_MAX >> unused);
}
