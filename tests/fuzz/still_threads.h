/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_FUZZ_STILL_THREADS_H
#define VENERA_TESTS_FUZZ_STILL_THREADS_H

#include <stdbool.h>

/*
 * Threads that are none: while it is switched on, a thread that is started does nothing until it
 * is joined, or until the target runs it; and every wait calls the target's function instead. So an
 * input does the same each time.
 */

/**
 * `wait` is called for every sleep and every wait for a condition: it must see to it that they
 * end.
 */
void still_threads_begin(void (*wait)(void));

/** Aborts if a thread was not joined. */
void still_threads_end(void);

/**
 * Runs the threads that were started and have not run, until they return. They can be run again.
 */
void still_threads_run(void);

#endif
