/* SPDX-License-Identifier: MIT */
#include "venus/decoder.h"

#include <stdlib.h>

bool venus_decoder_fail(struct venus_decoder *d, const char *error, const char *argument) {
	if (!d->error) {
		d->error = error;
		d->error_argument = argument;
	}
	return false;
}

bool venus_fail_short(struct venus_decoder *d, const char *argument) {
	return venus_decoder_fail(d, "the stream ends within the command", argument);
}

bool venus_fail_null(struct venus_decoder *d, const char *argument) {
	return venus_decoder_fail(d, "must not be NULL", argument);
}

bool venus_fail_count(struct venus_decoder *d, const char *argument) {
	return venus_decoder_fail(d, "the array's length is not what it must be", argument);
}

bool venus_fail_host_pointer(struct venus_decoder *d, const char *argument) {
	return venus_decoder_fail(d, "must be NULL: host pointers do not travel", argument);
}

bool venus_fail_stype(struct venus_decoder *d, const char *argument) {
	return venus_decoder_fail(d, "wrong sType", argument);
}

bool venus_fail_chain(struct venus_decoder *d, const char *argument) {
	return venus_decoder_fail(d, "a structure is chained that does not belong there", argument);
}

bool venus_fail_tag(struct venus_decoder *d, const char *argument) {
	return venus_decoder_fail(d, "wrong union tag", argument);
}

bool venus_fail_object(
		struct venus_decoder *d, const struct venus_object *object, const char *argument) {
	return venus_decoder_fail(
		d, object ? "names an object of another type" : "names no object", argument);
}

static bool fail_memory(struct venus_decoder *d, const char *argument) {
	return venus_decoder_fail(d, "too large: out of temporary memory", argument);
}

void *venus_decoder_alloc(struct venus_decoder *d, size_t size, const char *argument) {
	void *data = arena_alloc(d->arena, size);
	if (!data) {
		fail_memory(d, argument);
	}
	return data;
}

void *venus_decoder_zeroed(struct venus_decoder *d, size_t size, const char *argument) {
	void *data = venus_decoder_alloc(d, size, argument);
	if (data) {
		memset(data, 0, size);
	}
	return data;
}

void *venus_decoder_array(struct venus_decoder *d, uint64_t count, size_t least, size_t size,
		const char *argument) {
	if (least && !venus_decoder_has(d, count, least)) {
		venus_fail_short(d, argument);
		return NULL;
	}
	void *data = arena_alloc_array(d->arena, count, size);
	if (!data) {
		fail_memory(d, argument);
	}
	return data;
}

void *venus_decoder_zeroed_array(
		struct venus_decoder *d, uint64_t count, size_t size, const char *argument) {
	void *data = venus_decoder_array(d, count, 0, size, argument);
	if (data) {
		memset(data, 0, (size_t)count * size);
	}
	return data;
}

void *venus_decoder_outputs(
		struct venus_decoder *d, uint64_t count, size_t size, const char *argument) {
	if (d->output_max && count > d->output_max / size) {
		venus_decoder_fail(d, "more outputs than the reply stream has room for", argument);
		return NULL;
	}
	return venus_decoder_zeroed_array(d, count, size, argument);
}

const void *venus_decode_array(struct venus_decoder *d, uint64_t count, size_t size,
		size_t alignment, const char *argument) {
	const uint8_t *data = venus_decoder_take_array(d, count, size);
	if (!data) {
		venus_fail_short(d, argument);
		return NULL;
	}
	if ((uintptr_t)data % alignment == 0) {
		return data;
	}
	void *copy = venus_decoder_alloc(d, (size_t)count * size, argument);
	if (copy) {
		memcpy(copy, data, (size_t)count * size);
	}
	return copy;
}

void *venus_decode_array_copy(
		struct venus_decoder *d, uint64_t count, size_t size, const char *argument) {
	const uint8_t *data = venus_decoder_take_array(d, count, size);
	if (!data) {
		venus_fail_short(d, argument);
		return NULL;
	}
	void *copy = venus_decoder_alloc(d, (size_t)count * size, argument);
	if (copy) {
		memcpy(copy, data, (size_t)count * size);
	}
	return copy;
}

const void *venus_decode_bytes(struct venus_decoder *d, uint64_t size, const char *argument) {
	/* what is left is a multiple of 4, so the padding is there if the bytes are */
	if (!venus_decoder_has(d, size, 1)) {
		venus_fail_short(d, argument);
		return NULL;
	}
	return venus_decoder_take(d, ((size_t)size + 3) & ~(size_t)3);
}

void *venus_decode_bytes_copy(struct venus_decoder *d, uint64_t size, const char *argument) {
	const void *data = venus_decode_bytes(d, size, argument);
	void *copy = data ? venus_decoder_alloc(d, (size_t)size, argument) : NULL;
	if (copy) {
		memcpy(copy, data, (size_t)size);
	}
	return copy;
}

bool venus_decode_string(struct venus_decoder *d, uint64_t size, bool nullable,
		const char **string, const char *argument) {
	*string = NULL;
	if (!size) {
		return nullable || venus_fail_null(d, argument);
	}
	char *copy = venus_decode_bytes_copy(d, size, argument);
	if (!copy) {
		return false;
	}
	copy[size - 1] = '\0';
	*string = copy;
	return true;
}

bool venus_decode_strings(struct venus_decoder *d, uint64_t count, const char *const **strings,
		const char *argument) {
	const char **array = venus_decoder_array(d, count, 8, sizeof(*array), argument);
	if (!array) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const uint8_t *p = venus_decoder_take(d, 8);
		if (!p) {
			return venus_fail_short(d, argument);
		}
		if (!venus_decode_string(d, venus_load_u64(p), false, &array[i], argument)) {
			return false;
		}
	}
	*strings = array;
	return true;
}

static int compare_stype(const void *key, const void *entry) {
	const uint32_t a = *(const uint32_t *)key;
	const uint32_t b = ((const struct venus_chain_entry *)entry)->stype;
	return (a > b) - (a < b);
}

bool venus_decode_chain(struct venus_decoder *d, const struct venus_chain_entry *entries,
		size_t count, void **chain, const char *argument) {
	struct {
		const struct venus_chain_entry *entry;
		VkBaseOutStructure *structure;
	} links[VENUS_CHAIN_MAX];
	uint64_t seen[VENUS_CHAIN_MAX / 64] = {0};
	size_t length = 0;

	*chain = NULL;
	/* First come all sTypes. None may come twice, so there are no more than entries. */
	for (bool more = true; more; length++) {
		const uint8_t *p = venus_decoder_take(d, 12);
		if (!p) {
			return venus_fail_short(d, argument);
		}
		const uint32_t stype = venus_load_u32(p);
		const struct venus_chain_entry *entry =
			bsearch(&stype, entries, count, sizeof(*entries), compare_stype);
		if (!entry) {
			return venus_fail_chain(d, argument);
		}
		size_t i = (size_t)(entry - entries);
		if (seen[i / 64] & UINT64_C(1) << i % 64) {
			return venus_decoder_fail(d, "the same structure is chained twice", argument);
		}
		seen[i / 64] |= UINT64_C(1) << i % 64;

		VkBaseOutStructure *structure = venus_decoder_zeroed(d, entry->size, argument);
		if (!structure) {
			return false;
		}
		structure->sType = (VkStructureType)entry->stype;
		if (length > 0) {
			links[length - 1].structure->pNext = structure;
		} else {
			*chain = structure;
		}
		links[length].entry = entry;
		links[length].structure = structure;
		more = venus_load_u64(p + 4) != 0;
	}
	/* Then the members, those of the last structure first. */
	while (length-- > 0) {
		if (!links[length].entry->members(d, links[length].structure)) {
			return false;
		}
	}
	return true;
}

bool venus_decoder_object(struct venus_decoder *d, uint64_t id, VkObjectType type,
		struct venus_object **object, uint64_t *handle, const char *argument) {
	*object = NULL;
	*handle = 0;
	if (!id) {
		return true;
	}
	struct venus_object *found = venus_object_table_get(d->objects, id);
	if (!found || found->type != type) {
		return venus_fail_object(d, found, argument);
	}
	bool of_device = type != VK_OBJECT_TYPE_INSTANCE &&
		type != VK_OBJECT_TYPE_PHYSICAL_DEVICE && type != VK_OBJECT_TYPE_DEVICE;
	if (of_device && d->device && found->device != d->device) {
		return venus_decoder_fail(d, "names an object of another device", argument);
	}
	if (type == VK_OBJECT_TYPE_COMMAND_POOL || type == VK_OBJECT_TYPE_DESCRIPTOR_POOL) {
		d->pool = found;
	} else if (type == VK_OBJECT_TYPE_BUFFER || type == VK_OBJECT_TYPE_IMAGE) {
		d->previous_resource = d->resource;
		d->resource = found;
	}
	*object = found;
	*handle = atomic_load_explicit(&found->handle, memory_order_acquire);
	if (!*handle) {
		d->failed_object = found;
	}
	return true;
}

bool venus_decoder_handle(struct venus_decoder *d, uint64_t id, VkObjectType type,
		uint64_t *handle, const char *argument) {
	struct venus_object *object;
	return venus_decoder_object(d, id, type, &object, handle, argument);
}

bool venus_check_VkBufferCreateInfo(struct venus_decoder *d, const VkBufferCreateInfo *v) {
	if (v->sharingMode == VK_SHARING_MODE_CONCURRENT && !v->pQueueFamilyIndices) {
		return venus_fail_null(d, "VkBufferCreateInfo.pQueueFamilyIndices");
	}
	return true;
}

bool venus_check_VkImageCreateInfo(struct venus_decoder *d, const VkImageCreateInfo *v) {
	if (v->sharingMode == VK_SHARING_MODE_CONCURRENT && !v->pQueueFamilyIndices) {
		return venus_fail_null(d, "VkImageCreateInfo.pQueueFamilyIndices");
	}
	return true;
}

bool venus_check_VkFramebufferCreateInfo(
		struct venus_decoder *d, const VkFramebufferCreateInfo *v) {
	if (v->attachmentCount && !v->pAttachments &&
			!(v->flags & VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT)) {
		return venus_fail_null(d, "VkFramebufferCreateInfo.pAttachments");
	}
	return true;
}

bool venus_check_VkShaderModuleCreateInfo(
		struct venus_decoder *d, const VkShaderModuleCreateInfo *v) {
	if (v->codeSize % 4 != 0 || v->codeSize == 0) {
		return venus_decoder_fail(
			d, "not a positive multiple of 4", "VkShaderModuleCreateInfo.codeSize");
	}
	return true;
}

static const void *find_in_chain(const void *chain, VkStructureType stype) {
	for (const VkBaseInStructure *s = chain; s; s = s->pNext) {
		if (s->sType == stype) {
			return s;
		}
	}
	return NULL;
}

bool venus_check_VkWriteDescriptorSet(struct venus_decoder *d, const VkWriteDescriptorSet *v) {
	if (!v->descriptorCount) {
		return true;
	}
	switch ((int)v->descriptorType) {
	case VK_DESCRIPTOR_TYPE_SAMPLER:
	case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
	case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
	case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
	case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
	case VK_DESCRIPTOR_TYPE_SAMPLE_WEIGHT_IMAGE_QCOM:
	case VK_DESCRIPTOR_TYPE_BLOCK_MATCH_IMAGE_QCOM:
		return v->pImageInfo || venus_fail_null(d, "VkWriteDescriptorSet.pImageInfo");
	case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
	case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
	case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
		return v->pBufferInfo || venus_fail_null(d, "VkWriteDescriptorSet.pBufferInfo");
	case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
	case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
		return v->pTexelBufferView ||
			venus_fail_null(d, "VkWriteDescriptorSet.pTexelBufferView");
	case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK: {
		const VkWriteDescriptorSetInlineUniformBlock *block = find_in_chain(
			v->pNext, VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK);
		return (block && block->dataSize == v->descriptorCount) ||
			venus_fail_count(d, "VkWriteDescriptorSetInlineUniformBlock.dataSize");
	}
	case VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR: {
		const VkWriteDescriptorSetAccelerationStructureKHR *structures = find_in_chain(
			v->pNext, VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_ACCELERATION_STRUCTURE_KHR);
		return (structures && structures->accelerationStructureCount == v->descriptorCount) ||
			venus_fail_count(d,
				"VkWriteDescriptorSetAccelerationStructureKHR.accelerationStructureCount");
	}
	default:
		return venus_decoder_fail(
			d, "unknown type", "VkWriteDescriptorSet.descriptorType");
	}
}
