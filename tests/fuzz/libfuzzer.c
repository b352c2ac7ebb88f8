/* SPDX-License-Identifier: MIT */

/* Every other change that libFuzzer makes is one of the target's own. */

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
	return seed % 2 ? LLVMFuzzerMutate(data, size, max_size) :
			  fuzz_mutate(data, size, max_size, seed / 2);
}
