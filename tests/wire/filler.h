/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_WIRE_FILLER_H
#define VENERA_TESTS_WIRE_FILLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "base/arena.h"
#include "venus/object_table.h"

/**
 * Makes up contents of structures: always the same for the same seed, and always such that a
 * renderer with filler_objects_init()'s objects accepts them.
 */
struct filler {
	uint64_t state;
	struct arena *arena; /* what pointers point to */
	bool *covered;       /* which structures and chains were filled in: see wire_coverage */
	uint32_t per_type;   /* objects of each type that are named, at most FILLER_OBJECTS_PER_TYPE */
};

#define FILLER_OBJECTS_PER_TYPE 4

/** A structure that may be chained. */
struct filler_chain_entry {
	uint32_t stype;
	uint32_t size;
	void (*members)(struct filler *f, void *structure);
	uint32_t coverage;
};

void filler_init(struct filler *f, struct arena *arena, bool *covered, uint64_t seed);

uint64_t filler_u64(struct filler *f);
uint32_t filler_u32(struct filler *f);
int32_t filler_i32(struct filler *f);
uint16_t filler_u16(struct filler *f);
uint8_t filler_u8(struct filler *f);
float filler_f32(struct filler *f);

/** 0 to limit - 1. */
uint32_t filler_below(struct filler *f, uint32_t limit);

/** A length for arrays. They become short when much was filled in. */
uint32_t filler_count(struct filler *f);
uint32_t filler_byte_count(struct filler *f);

/** What a driver may set a count to that had `capacity`, and an array or none. */
uint32_t filler_output_count(struct filler *f, bool present, size_t capacity);

void filler_bytes(struct filler *f, void *data, size_t size);
const char *filler_string(struct filler *f, bool nullable);

/** Cleared. */
void *filler_alloc(struct filler *f, size_t size);

/** The id of one of filler_objects. There is one device, which everything belongs to. */
uint64_t filler_object_id(VkObjectType type, uint32_t index);

/** Of one of filler_objects. */
uint64_t filler_id(struct filler *f, VkObjectType type, bool nullable);
uint64_t filler_new_id(struct filler *f);

/** A chain of some of the structures; those come first that were not yet filled in here. */
void *filler_chain(struct filler *f, const struct filler_chain_entry *entries, size_t count);

/** Fills in the outputs of a chain. */
void filler_chain_outputs(struct filler *f, const struct filler_chain_entry *entries, size_t count,
	void *chain);

/* What the decoder demands beyond the format. */
void filler_adjust_VkBufferCreateInfo(struct filler *f, VkBufferCreateInfo *v);
void filler_adjust_VkFramebufferCreateInfo(struct filler *f, VkFramebufferCreateInfo *v);
void filler_adjust_VkImageCreateInfo(struct filler *f, VkImageCreateInfo *v);
void filler_adjust_VkShaderModuleCreateInfo(struct filler *f, VkShaderModuleCreateInfo *v);
void filler_adjust_VkWriteDescriptorSet(struct filler *f, VkWriteDescriptorSet *v);

/**
 * Objects of every type, all of one device; host handles equal ids, so that what is decoded
 * can be encoded again.
 */
struct filler_objects {
	struct epoch epoch;
	struct venus_object_table table;
	struct venus_object *objects;
};

bool filler_objects_init(struct filler_objects *objects);
void filler_objects_finish(struct filler_objects *objects);

#endif
