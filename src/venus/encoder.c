/* SPDX-License-Identifier: MIT */
#include "venus/encoder.h"

#include <assert.h>
#include <stdlib.h>
#include <vulkan/vulkan.h>

#include "venus/decoder.h"

void venus_encode_bytes(struct venus_encoder *e, const void *data, uint64_t size) {
	if (!size) {
		return;
	}
	uint64_t padding = -size & 3;
	/* no overflow: nothing in memory is that large */
	uint8_t *p = venus_encoder_take(e, size + padding);
	if (p) {
		memcpy(p, data, (size_t)size);
		memset(p + size, 0, (size_t)padding);
	}
}

void venus_encode_string(struct venus_encoder *e, const char *string) {
	uint64_t size = string ? strlen(string) + 1 : 0;
	uint8_t *p = venus_encoder_take(e, 8);
	if (p) {
		venus_store_u64(p, size);
		venus_encode_bytes(e, string, size);
	}
}

static int compare_stype(const void *key, const void *entry) {
	const uint32_t a = *(const uint32_t *)key;
	const uint32_t b = ((const struct venus_encode_entry *)entry)->stype;
	return (a > b) - (a < b);
}

void venus_encode_chain(struct venus_encoder *e, const struct venus_encode_entry *entries,
		size_t count, const void *chain) {
	struct {
		const struct venus_encode_entry *entry;
		const void *structure;
	} links[VENUS_CHAIN_MAX];
	size_t length = 0;
	uint8_t *p;

	for (const VkBaseInStructure *s = chain; s; s = s->pNext) {
		const uint32_t stype = s->sType;
		const struct venus_encode_entry *entry =
			bsearch(&stype, entries, count, sizeof(*entries), compare_stype);
		if (!entry) {
			continue;
		}
		assert(length < VENUS_CHAIN_MAX);
		links[length].entry = entry;
		links[length++].structure = s;
		p = venus_encoder_take(e, 12);
		if (!p) {
			return;
		}
		venus_store_u64(p, 1);
		venus_store_u32(p + 8, entry->stype);
	}
	p = venus_encoder_take(e, 8);
	if (!p) {
		return;
	}
	venus_store_u64(p, 0);
	while (length-- > 0) {
		links[length].entry->members(e, links[length].structure);
	}
}
