/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "venus/capset.h"
#include "venus/venus_commands.h"

static unsigned failures;

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			failures++; \
		} \
	} while (0)

static uint8_t capset[VENUS_CAPSET_SIZE];

static uint32_t word(size_t offset) {
	uint32_t value;
	memcpy(&value, capset + offset, sizeof(value));
	return value;
}

static unsigned mask_bit(uint32_t number) {
	return word(20 + number / 32 * 4) >> number % 32 & 1;
}

int main(void) {
	memset(capset, 0xaa, sizeof(capset));
	venus_capset_fill(capset);
	CHECK(word(0) == 1);
	CHECK(word(4) >= VK_API_VERSION_1_1 && word(4) <= VK_HEADER_VERSION_COMPLETE);
	CHECK(word(4) <= VK_MAKE_API_VERSION(0, 1, 4, 343));
	CHECK(word(8) == 1);
	CHECK(word(12) >= 1 && word(12) <= 4);
	CHECK(word(16) == 1);
	CHECK(mask_bit(0) == 1);
	CHECK(mask_bit(384) == 1 && mask_bit(385) == 1);
	CHECK(word(148) == 1 && word(152) == 1 && word(156) == 0);

	/* exactly those that the table has */
	unsigned bits = 0;
	for (uint32_t number = 1; number < 1024; number++) {
		bits += mask_bit(number);
	}
	CHECK(bits == VENUS_EXTENSION_COUNT);
	for (size_t i = 0; i < VENUS_EXTENSION_COUNT; i++) {
		const struct venus_extension *extension = &venus_extensions[i];
		CHECK(mask_bit(extension->number));
		CHECK(venus_extension_find(extension->name) == extension);
		CHECK(i == 0 || strcmp(extension[-1].name, extension->name) < 0);
	}
	CHECK(!venus_extension_find("VK_KHR_swapchain"));
	CHECK(venus_extension_find("VK_KHR_timeline_semaphore")->offered);
	CHECK(!venus_extension_find("VK_MESA_venus_protocol")->offered);

	CHECK(strcmp(venus_command_name(VENUS_COMMAND_vkCmdDraw), "vkCmdDraw") == 0);
	CHECK(strcmp(venus_command_name(195), "unknown command") == 0);
	CHECK(strcmp(venus_command_name(VENUS_COMMAND_COUNT), "unknown command") == 0);
	return failures ? 1 : 0;
}
