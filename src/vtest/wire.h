/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VTEST_WIRE_H
#define VENERA_VTEST_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Word `index` of data that need not be aligned: a message begins wherever the one
 * before it ended, and a renderer's name may have any length.
 */
static inline uint32_t wire_u32(const uint8_t *data, size_t index) {
	uint32_t value;
	memcpy(&value, data + index * 4, sizeof(value));
	return value;
}

/** The 64-bit value in the words `index` (low) and `index` + 1. */
static inline uint64_t wire_u64(const uint8_t *data, size_t index) {
	return wire_u32(data, index) | (uint64_t)wire_u32(data, index + 1) << 32;
}

#endif
