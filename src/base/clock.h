/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_CLOCK_H
#define VENERA_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_US UINT64_C(1000)
#define CLOCK_NS_PER_MS UINT64_C(1000000)
#define CLOCK_NS_PER_S UINT64_C(1000000000)

/** Monotonic time in nanoseconds. */
uint64_t clock_now(void);

/** Sleeps for about `ns` nanoseconds; a signal may end it early. */
void clock_sleep(uint64_t ns);

#endif
