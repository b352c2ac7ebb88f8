/* SPDX-License-Identifier: MIT */

/* Prints what vk/format.h knows: "FORMAT ASPECT BYTES BLOCK-WIDTH BLOCK-HEIGHT WIDTH-DIVISOR HEIGHT-DIVISOR". */

#include <stdio.h>

#include "vk/format.h"

static void print(uint32_t first, uint32_t count) {
	for (uint32_t number = first; number < first + count; number++) {
		for (VkImageAspectFlags aspect = 1; aspect; aspect <<= 1) {
			struct vk_format_aspect found;
			if (vk_format_aspect((VkFormat)number, aspect, &found)) {
				printf("%u %u %u %u %u %u %u\n", number, aspect, found.bytes,
					found.block_width, found.block_height, found.width_divisor,
					found.height_divisor);
			}
		}
	}
}

int main(void) {
	print(0, 200);
	for (uint32_t extension = 0; extension < 1000; extension++) {
		print(1000000000 + extension * 1000, 100);
	}
	return 0;
}
