/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_FUZZ_FUZZ_H
#define VENERA_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * What every target has: one function that tries one input, leaves no state behind, and makes
 * no system calls if it can be helped.
 *
 * A target is built twice: with libFuzzer (clang, -Dfuzz=true), and with driver.c, which any
 * compiler builds and `make check` runs: it tries the inputs of the corpus and random changes of
 * them.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/**
 * Changes an input in place; returns the new size, at most `max_size`. Targets need not have it.
 */
size_t fuzz_mutate(uint8_t *data, size_t size, size_t max_size, uint64_t random);

/** Frees what is kept between inputs, so that at the end nothing is leaked. */
void fuzz_finish(void);

/** The bytes of an input, taken from the front; what is not there is 0. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

static inline void fuzz_take(struct fuzz_input *input, void *to, size_t size) {
	size_t have = size < input->size ? size : input->size;
	memset(to, 0, size);
	if (have) {
		memcpy(to, input->data, have);
		input->data += have;
		input->size -= have;
	}
}

static inline uint8_t fuzz_u8(struct fuzz_input *input) {
	uint8_t value;
	fuzz_take(input, &value, sizeof(value));
	return value;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input) {
	uint16_t value;
	fuzz_take(input, &value, sizeof(value));
	return value;
}

static inline uint32_t fuzz_u32(struct fuzz_input *input) {
	uint32_t value;
	fuzz_take(input, &value, sizeof(value));
	return value;
}

static inline uint64_t fuzz_u64(struct fuzz_input *input) {
	uint64_t value;
	fuzz_take(input, &value, sizeof(value));
	return value;
}

/** The next `size` bytes, or as many as there are; *size becomes their number. */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t *size) {
	const uint8_t *data = input->data;
	if (*size > input->size) {
		*size = input->size;
	}
	input->data += *size;
	input->size -= *size;
	return data;
}

#endif
