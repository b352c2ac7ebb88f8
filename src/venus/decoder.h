/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VENUS_DECODER_H
#define VENERA_VENUS_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <vulkan/vulkan.h>

#include "base/arena.h"
#include "venus/object_table.h"

/**
 * Reads commands from a private copy of a stream: nothing that the guest can still change.
 *
 * Trust nothing: every length is checked against the bytes that are there before anything is
 * allocated for it, and against what the rest of the command says it must be. What comes out
 * is a native structure in the arena, or points into the copy; it lives until the arena is
 * reset.
 *
 * The caller fills in `cursor`, `end`, `arena` and `objects`, and before each command clears
 * `device`, `pool`, the resources and `failed_object`. After an error nothing more may be decoded.
 */
struct venus_decoder {
	const uint8_t *cursor, *end; /* multiples of 4 apart, and 4-byte aligned */
	const char *error;           /* the first violation, static text; NULL: none */
	const char *error_argument;  /* the parameter or member it was found in, static text, or NULL */
	struct arena *arena;
	const struct venus_object_table *objects;
	uint64_t output_max; /* bytes that the command's outputs may take; 0: what the arena has */

	/* of the command that is or was decoded; NULL: none */
	struct venus_object *device;        /* of its first argument; NULL: of the instance's level */
	struct venus_object *pool;          /* the VkCommandPool or VkDescriptorPool it named last */
	struct venus_object *resource;      /* the VkBuffer or VkImage it named last */
	struct venus_object *previous_resource; /* and that before */
	struct venus_object *failed_object; /* one that it named, and that got a NULL handle */
};

/** Structures that a chain may have at most. */
#define VENUS_CHAIN_MAX 128

/** A structure that may be chained. Tables are sorted by sType. */
struct venus_chain_entry {
	uint32_t stype;
	uint32_t size; /* of the C structure, bytes */
	/** Decodes what follows its sType and chain. */
	bool (*members)(struct venus_decoder *d, void *structure);
};

/* The rest is for the generated functions. They return false, or NULL, after the error was set. */

/** Sets the error; false. */
bool venus_decoder_fail(struct venus_decoder *d, const char *error, const char *argument);

bool venus_fail_short(struct venus_decoder *d, const char *argument);
bool venus_fail_null(struct venus_decoder *d, const char *argument);
bool venus_fail_count(struct venus_decoder *d, const char *argument);
bool venus_fail_host_pointer(struct venus_decoder *d, const char *argument);
bool venus_fail_stype(struct venus_decoder *d, const char *argument);
bool venus_fail_chain(struct venus_decoder *d, const char *argument);
bool venus_fail_tag(struct venus_decoder *d, const char *argument);
bool venus_fail_object(
	struct venus_decoder *d, const struct venus_object *object, const char *argument);

static inline uint32_t venus_load_u32(const uint8_t *p) {
	uint32_t value;
	memcpy(&value, p, sizeof(value));
	return value;
}

static inline int32_t venus_load_i32(const uint8_t *p) {
	int32_t value;
	memcpy(&value, p, sizeof(value));
	return value;
}

static inline float venus_load_f32(const uint8_t *p) {
	float value;
	memcpy(&value, p, sizeof(value));
	return value;
}

static inline uint64_t venus_load_u64(const uint8_t *p) {
	uint64_t value;
	memcpy(&value, p, sizeof(value));
	return value;
}

/** The next `size` bytes, a multiple of 4; NULL, without an error, if they are not there. */
static inline const uint8_t *venus_decoder_take(struct venus_decoder *d, size_t size) {
	const uint8_t *data = d->cursor;
	if ((size_t)(d->end - data) < size) {
		return NULL;
	}
	d->cursor = data + size;
	return data;
}

/** Are `count` times `size` bytes there? */
static inline bool venus_decoder_has(const struct venus_decoder *d, uint64_t count, size_t size) {
	return count <= (size_t)(d->end - d->cursor) / size;
}

/** `count` elements of `size` bytes; NULL, without an error, if they are not there. */
static inline const uint8_t *venus_decoder_take_array(
		struct venus_decoder *d, uint64_t count, size_t size) {
	return venus_decoder_has(d, count, size) ? venus_decoder_take(d, (size_t)count * size) : NULL;
}

/** Is an array's prefix what the count says? 0 is right for nullable arrays whatever that is. */
static inline bool venus_decoder_count(struct venus_decoder *d, uint64_t count, uint64_t expected,
		bool nullable, const char *argument) {
	if (count == expected || (count == 0 && nullable)) {
		return true;
	}
	return venus_fail_count(d, argument);
}

/** Memory in the arena: not cleared, or cleared. */
void *venus_decoder_alloc(struct venus_decoder *d, size_t size, const char *argument);
void *venus_decoder_zeroed(struct venus_decoder *d, size_t size, const char *argument);

/**
 * The same for `count` > 0 elements of `size` bytes. The stream must have `least` bytes for
 * each, 0: not looked at.
 */
void *venus_decoder_array(struct venus_decoder *d, uint64_t count, size_t least, size_t size,
	const char *argument);
void *venus_decoder_zeroed_array(
	struct venus_decoder *d, uint64_t count, size_t size, const char *argument);

/** For outputs, of which the stream says only how many there are: zeroed, up to `output_max`. */
void *venus_decoder_outputs(
	struct venus_decoder *d, uint64_t count, size_t size, const char *argument);

/**
 * Elements that are in memory what they are in the stream: in place if their alignment (4 or
 * 8) allows it.
 */
const void *venus_decode_array(struct venus_decoder *d, uint64_t count, size_t size,
	size_t alignment, const char *argument);
void *venus_decode_array_copy(
	struct venus_decoder *d, uint64_t count, size_t size, const char *argument);

/** Opaque bytes, with their padding: in place, 4-byte aligned; or a copy, 16-byte aligned. */
const void *venus_decode_bytes(struct venus_decoder *d, uint64_t size, const char *argument);
void *venus_decode_bytes_copy(struct venus_decoder *d, uint64_t size, const char *argument);

/** A string whose prefix was `size`. It ends in a NUL, whatever the guest sent. */
bool venus_decode_string(struct venus_decoder *d, uint64_t size, bool nullable,
	const char **string, const char *argument);
bool venus_decode_strings(struct venus_decoder *d, uint64_t count, const char *const **strings,
	const char *argument);

/** A chain that is not empty: the prefix of its first structure has been read. */
bool venus_decode_chain(struct venus_decoder *d, const struct venus_chain_entry *entries,
	size_t count, void **chain, const char *argument);

/**
 * Looks an id up: 0 gives NULL. The object must be of the type, and of the command's device.
 * `handle` is the host's, 0 for NULL and for a failed object.
 */
bool venus_decoder_object(struct venus_decoder *d, uint64_t id, VkObjectType type,
	struct venus_object **object, uint64_t *handle, const char *argument);
bool venus_decoder_handle(struct venus_decoder *d, uint64_t id, VkObjectType type,
	uint64_t *handle, const char *argument);

/**
 * The same for a command's first argument, which says what device the others must be of. 0 is
 * an error.
 */
static inline bool venus_decoder_dispatchable(struct venus_decoder *d, uint64_t id,
		VkObjectType type, struct venus_object **object, uint64_t *handle,
		const char *argument) {
	struct venus_object *found = venus_object_table_get(d->objects, id);
	if (!found || found->type != type) {
		venus_fail_object(d, found, argument);
		return false;
	}
	d->device = found->device;
	*object = found;
	*handle = atomic_load_explicit(&found->handle, memory_order_acquire);
	if (!*handle) {
		d->failed_object = found;
	}
	return true;
}

/* What the wire format leaves open, and would make a host driver read where nothing is. */
bool venus_check_VkBufferCreateInfo(struct venus_decoder *d, const VkBufferCreateInfo *v);
bool venus_check_VkFramebufferCreateInfo(
	struct venus_decoder *d, const VkFramebufferCreateInfo *v);
bool venus_check_VkImageCreateInfo(struct venus_decoder *d, const VkImageCreateInfo *v);
bool venus_check_VkShaderModuleCreateInfo(
	struct venus_decoder *d, const VkShaderModuleCreateInfo *v);
bool venus_check_VkWriteDescriptorSet(struct venus_decoder *d, const VkWriteDescriptorSet *v);

#endif
