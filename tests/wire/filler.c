/* SPDX-License-Identifier: MIT */
#include "filler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire_commands.h"

/** From here on arrays are short: a command should not become huge. */
#define ENOUGH ((size_t)8 * 1024)

void filler_init(struct filler *f, struct arena *arena, bool *covered, uint64_t seed) {
	*f = (struct filler){.state = seed, .arena = arena, .covered = covered,
		.per_type = FILLER_OBJECTS_PER_TYPE};
}

/* splitmix64 */
uint64_t filler_u64(struct filler *f) {
	uint64_t z = f->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t filler_u32(struct filler *f) {
	return (uint32_t)(filler_u64(f) >> 32);
}

int32_t filler_i32(struct filler *f) {
	return (int32_t)(filler_u32(f) & 0x7fffffff) - (int32_t)(filler_u32(f) & 0x7fffffff);
}

uint16_t filler_u16(struct filler *f) {
	return (uint16_t)filler_u32(f);
}

uint8_t filler_u8(struct filler *f) {
	return (uint8_t)filler_u32(f);
}

float filler_f32(struct filler *f) {
	return (float)filler_i32(f) / 1024.0f;
}

uint32_t filler_below(struct filler *f, uint32_t limit) {
	return filler_u32(f) % limit;
}

static size_t bytes_used(const struct arena *arena) {
	return arena->allocated - (size_t)(arena->end - arena->next);
}

uint32_t filler_count(struct filler *f) {
	return filler_below(f, bytes_used(f->arena) > ENOUGH ? 2 : 4);
}

uint32_t filler_byte_count(struct filler *f) {
	return filler_below(f, 21);
}

uint32_t filler_output_count(struct filler *f, bool present, size_t capacity) {
	return filler_below(f, present ? (uint32_t)capacity + 1 : 8);
}

void filler_bytes(struct filler *f, void *data, size_t size) {
	uint8_t *bytes = data;
	for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
		const uint64_t value = filler_u64(f);
		memcpy(bytes + i, &value, size - i < sizeof(value) ? size - i : sizeof(value));
	}
}

const char *filler_string(struct filler *f, bool nullable) {
	if (nullable && filler_below(f, 3) == 0) {
		return NULL;
	}
	uint32_t length = filler_below(f, 12);
	char *string = filler_alloc(f, length + 1);
	for (uint32_t i = 0; i < length; i++) {
		string[i] = (char)('a' + filler_below(f, 26));
	}
	return string;
}

void *filler_alloc(struct filler *f, size_t size) {
	void *data = arena_alloc(f->arena, size ? size : 1);
	if (!data) {
		fprintf(stderr, "filler: out of memory\n");
		abort();
	}
	memset(data, 0, size);
	return data;
}

uint64_t filler_object_id(VkObjectType type, uint32_t index) {
	for (uint32_t i = 0; i < WIRE_OBJECT_TYPE_COUNT; i++) {
		if (wire_object_types[i] == type) {
			return 0x1000 + i * FILLER_OBJECTS_PER_TYPE +
				(type == VK_OBJECT_TYPE_DEVICE ? 0 : index);
		}
	}
	abort();
}

uint64_t filler_id(struct filler *f, VkObjectType type, bool nullable) {
	if (nullable && filler_below(f, 4) == 0) {
		return 0;
	}
	return filler_object_id(type, filler_below(f, f->per_type));
}

uint64_t filler_new_id(struct filler *f) {
	return filler_u64(f) | 1;
}

void *filler_chain(struct filler *f, const struct filler_chain_entry *entries, size_t count) {
	uint32_t length = filler_below(f, count < 4 ? (uint32_t)count + 1 : 4);
	size_t first = filler_below(f, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		size_t candidate = (first + i) % count;
		if (!f->covered[entries[candidate].coverage]) {
			first = candidate;
			length += length == 0;
			break;
		}
	}
	VkBaseOutStructure *chain = NULL, *last = NULL;
	for (uint32_t i = 0; i < length; i++) {
		const struct filler_chain_entry *entry = &entries[(first + i) % count];
		VkBaseOutStructure *structure = filler_alloc(f, entry->size);
		structure->sType = (VkStructureType)entry->stype;
		entry->members(f, structure);
		f->covered[entry->coverage] = true;
		if (last) {
			last->pNext = structure;
		} else {
			chain = structure;
		}
		last = structure;
	}
	return chain;
}

void filler_chain_outputs(struct filler *f, const struct filler_chain_entry *entries, size_t count,
		void *chain) {
	for (VkBaseOutStructure *s = chain; s; s = s->pNext) {
		for (size_t i = 0; i < count; i++) {
			if (entries[i].stype == (uint32_t)s->sType) {
				entries[i].members(f, s);
				f->covered[entries[i].coverage] = true;
			}
		}
	}
}

void filler_adjust_VkBufferCreateInfo(struct filler *f, VkBufferCreateInfo *v) {
	(void)f;
	v->sharingMode =
		v->pQueueFamilyIndices ? VK_SHARING_MODE_CONCURRENT : VK_SHARING_MODE_EXCLUSIVE;
}

void filler_adjust_VkImageCreateInfo(struct filler *f, VkImageCreateInfo *v) {
	(void)f;
	v->sharingMode =
		v->pQueueFamilyIndices ? VK_SHARING_MODE_CONCURRENT : VK_SHARING_MODE_EXCLUSIVE;
}

void filler_adjust_VkFramebufferCreateInfo(struct filler *f, VkFramebufferCreateInfo *v) {
	(void)f;
	v->flags = v->pAttachments ? 0 : VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT;
}

void filler_adjust_VkShaderModuleCreateInfo(struct filler *f, VkShaderModuleCreateInfo *v) {
	(void)f;
	(void)v;
}

void filler_adjust_VkWriteDescriptorSet(struct filler *f, VkWriteDescriptorSet *v) {
	(void)f;
	if (v->pImageInfo) {
		v->descriptorType = VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE;
		return;
	}
	if (v->pBufferInfo) {
		v->descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
		return;
	}
	if (v->pTexelBufferView) {
		v->descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
		return;
	}
	v->descriptorCount = 0;
	for (const VkBaseInStructure *s = v->pNext; s; s = s->pNext) {
		if (s->sType == VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK) {
			v->descriptorType = VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
			v->descriptorCount =
				((const VkWriteDescriptorSetInlineUniformBlock *)s)->dataSize;
			return;
		}
		if (s->sType == VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_ACCELERATION_STRUCTURE_KHR) {
			v->descriptorType = VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR;
			v->descriptorCount =
				((const VkWriteDescriptorSetAccelerationStructureKHR *)s)
					->accelerationStructureCount;
			return;
		}
	}
}

bool filler_objects_init(struct filler_objects *objects) {
	epoch_init(&objects->epoch);
	if (venus_object_table_init(&objects->table, &objects->epoch) < 0) {
		return false;
	}
	objects->objects =
		calloc((size_t)WIRE_OBJECT_TYPE_COUNT * FILLER_OBJECTS_PER_TYPE, sizeof(*objects->objects));
	if (!objects->objects) {
		return false;
	}
	struct venus_object *device = NULL;
	for (uint32_t i = 0; i < WIRE_OBJECT_TYPE_COUNT; i++) {
		if (wire_object_types[i] == VK_OBJECT_TYPE_DEVICE) {
			device = &objects->objects[i * FILLER_OBJECTS_PER_TYPE];
		}
	}
	for (uint32_t i = 0; i < WIRE_OBJECT_TYPE_COUNT; i++) {
		VkObjectType type = wire_object_types[i];
		for (uint32_t k = 0; k < FILLER_OBJECTS_PER_TYPE; k++) {
			struct venus_object *object = &objects->objects[i * FILLER_OBJECTS_PER_TYPE + k];
			object->type = type;
			object->id = 0x1000 + i * FILLER_OBJECTS_PER_TYPE + k;
			atomic_init(&object->handle, object->id);
			object->device = type == VK_OBJECT_TYPE_INSTANCE ||
					type == VK_OBJECT_TYPE_PHYSICAL_DEVICE ? NULL : device;
			if (!venus_object_table_add(&objects->table, object)) {
				return false;
			}
		}
	}
	return true;
}

void filler_objects_finish(struct filler_objects *objects) {
	venus_object_table_finish(&objects->table);
	epoch_finish(&objects->epoch);
	free(objects->objects);
}
