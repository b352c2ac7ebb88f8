/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_FUZZ_MUTATE_COMMANDS_H
#define VENERA_TESTS_FUZZ_MUTATE_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

/**
 * Changes a stream of commands by what it is made of: puts in a command with made-up legal
 * contents, takes one out, doubles one, or replaces a number or an id. Where commands begin is a
 * guess. Returns the new size.
 */
size_t mutate_commands(uint8_t *stream, size_t size, size_t max_size, uint64_t random);

#endif
