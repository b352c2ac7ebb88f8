/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_EDID_H
#define VENERA_GPU_EDID_H

#include <stddef.h>
#include <stdint.h>

#define EDID_BLOCK_SIZE 128
#define EDID_MAX_SIZE (2 * EDID_BLOCK_SIZE)

struct edid_options {
	uint32_t width, height; /* of the preferred mode in pixels; at most 65535 counts */
	uint32_t refresh_mhz;   /* thousandths of a hertz; 0: 60,000 */
	uint32_t serial;        /* tells the outputs of one device apart */
};

/**
 * Describes a monitor of this size: an EDID 1.4 base block and, when the mode is too large for it,
 * a DisplayID extension. Returns the number of bytes.
 */
size_t edid_generate(uint8_t edid[EDID_MAX_SIZE], const struct edid_options *options);

#endif
