/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_COUNT_H
#define VENERA_VK_COUNT_H

#include <stdint.h>

/**
 * Drivers are not believed: one that names more elements than it was given room for, or more than
 * make sense, must not make us read or allocate what is not there.
 */

/** More of anything no driver has. */
#define VK_COUNT_MAX 4096

/** How often a list that grows between two calls is asked for. */
#define VK_COUNT_TRIES 8

/** The elements to look at, of those that a driver says it has, where there is room for `room`. */
static inline uint32_t vk_count(uint32_t said, uint32_t room) {
	return said < room ? said : room;
}

#endif
