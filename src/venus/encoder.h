/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VENUS_ENCODER_H
#define VENERA_VENUS_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Writes replies. The memory may be the guest's: it is only ever written to.
 * Once something did not fit, nothing more is written and `overflow` stays set.
 */
struct venus_encoder {
	uint8_t *cursor, *end; /* multiples of 4 apart */
	bool overflow;
};

/** The members of a structure that may be chained. Tables are sorted by sType. */
struct venus_encode_entry {
	uint32_t stype;
	void (*members)(struct venus_encoder *e, const void *structure);
};

/* The rest is for the generated functions. */

static inline void venus_store_u32(uint8_t *p, uint32_t value) {
	memcpy(p, &value, sizeof(value));
}

static inline void venus_store_i32(uint8_t *p, int32_t value) {
	memcpy(p, &value, sizeof(value));
}

static inline void venus_store_f32(uint8_t *p, float value) {
	memcpy(p, &value, sizeof(value));
}

static inline void venus_store_u64(uint8_t *p, uint64_t value) {
	memcpy(p, &value, sizeof(value));
}

/** Room for `size` bytes, a multiple of 4, or NULL. */
static inline uint8_t *venus_encoder_take(struct venus_encoder *e, uint64_t size) {
	uint8_t *data = e->cursor;
	if ((size_t)(e->end - data) < size) {
		e->overflow = true;
		e->end = data;
		return NULL;
	}
	e->cursor = data + size;
	return data;
}

/** Room for `count` elements of `size` bytes, or NULL. */
static inline uint8_t *venus_encoder_take_array(
		struct venus_encoder *e, uint64_t count, size_t size) {
	return venus_encoder_take(e, count <= SIZE_MAX / size ? count * size : SIZE_MAX);
}

/** Bytes with their padding. */
void venus_encode_bytes(struct venus_encoder *e, const void *data, uint64_t size);

/** A string with its prefix; NULL is allowed. */
void venus_encode_string(struct venus_encoder *e, const char *string);

/** A whole chain. Structures that are not in the table are left out. */
void venus_encode_chain(struct venus_encoder *e, const struct venus_encode_entry *entries,
	size_t count, const void *chain);

#endif
