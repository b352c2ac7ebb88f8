/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VENUS_CAPSET_H
#define VENERA_VENUS_CAPSET_H

#include <stdint.h>

/* Knows nothing of Vulkan: programs that load no driver use it, too. */

/** Bytes of the Venus capset. */
#define VENUS_CAPSET_SIZE 160

/**
 * What the renderer tells the guest about itself: versions, and which extensions' structures it can
 * decode. It does not depend on the host's GPU.
 */
void venus_capset_fill(uint8_t capset[VENUS_CAPSET_SIZE]);

#endif
