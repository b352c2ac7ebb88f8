/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "test.h"

static void test_goes_forward(void) {
	uint64_t last = clock_now();
	CHECK(last > 0);
	for (int i = 0; i < 10000; i++) {
		uint64_t now = clock_now();
		CHECK(now >= last);
		last = now;
	}
}

static void test_sleep(void) {
	uint64_t begin = clock_now();
	clock_sleep(20 * CLOCK_NS_PER_MS);
	uint64_t slept = clock_now() - begin;
	CHECK(slept >= 19 * CLOCK_NS_PER_MS);
	CHECK(slept < 10 * CLOCK_NS_PER_S);

	begin = clock_now();
	clock_sleep(0);
	clock_sleep(1);
	CHECK(clock_now() - begin < 10 * CLOCK_NS_PER_S);
}

int main(void) {
	RUN(test_goes_forward);
	RUN(test_sleep);
	return 0;
}
