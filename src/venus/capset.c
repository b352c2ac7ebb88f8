/* SPDX-License-Identifier: MIT */
#include "venus/capset.h"

#include <string.h>

#include "venus/venus_capset_data.h"

void venus_capset_fill(uint8_t capset[VENUS_CAPSET_SIZE]) {
	const struct {
		uint32_t wire_format_version;
		uint32_t vk_xml_version;
		uint32_t command_serialization_spec_version;
		uint32_t venus_protocol_spec_version;
		uint32_t supports_blob_id_0;
		uint32_t extension_mask[32];
		uint32_t allow_vk_wait_syncs;
		uint32_t supports_multiple_timelines;
		uint32_t use_guest_vram;
	} fields = {
		.wire_format_version = VENUS_WIRE_FORMAT_VERSION,
		.vk_xml_version = VENUS_VK_XML_VERSION,
		.command_serialization_spec_version = VENUS_COMMAND_SERIALIZATION_SPEC_VERSION,
		.venus_protocol_spec_version = VENUS_PROTOCOL_SPEC_VERSION,
		.supports_blob_id_0 = 1,
		.extension_mask = {VENUS_EXTENSION_MASK},
		.allow_vk_wait_syncs = 1,
		.supports_multiple_timelines = 1,
		.use_guest_vram = 0,
	};
	_Static_assert(sizeof(fields) == VENUS_CAPSET_SIZE, "the capset's layout is fixed");
	memcpy(capset, &fields, sizeof(fields));
}
