/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_PARITY_RANDOM_H
#define VENERA_TESTS_PARITY_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers for cases that try many mixtures: the same natively and through Venera, in every run. */
struct random {
	uint64_t state;
};

static inline struct random random_from(uint32_t seed) {
	return (struct random){seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
}

/** All 32 bits (xorshift64*). */
static inline uint32_t random_bits(struct random *random) {
	uint64_t x = random->state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	random->state = x;
	return (uint32_t)((x * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

/** From 0 to `end` - 1. */
static inline uint32_t random_below(struct random *random, uint32_t end) {
	return random_bits(random) % end;
}

/** True once in so many times. */
static inline bool random_once_in(struct random *random, uint32_t times) {
	return random_below(random, times) == 0;
}

/** From 0 to 1, in 64 steps. */
static inline float random_fraction(struct random *random) {
	return (float)random_below(random, 65) / 64.0f;
}

#endif
