/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_PROTOCOL_H
#define VENERA_GPU_PROTOCOL_H

#include <assert.h>
#include <stdint.h>

/**
 * The virtio-gpu device's numbers and structures, little endian as the host. Every field
 * lies at its natural alignment.
 */

enum gpu_feature {
	GPU_F_VIRGL = 0,
	GPU_F_EDID = 1,
	GPU_F_RESOURCE_UUID = 2,
	GPU_F_RESOURCE_BLOB = 3,
	GPU_F_CONTEXT_INIT = 4,
	GPU_F_BLOB_ALIGNMENT = 5,
};

/** The smallest pages of guests, in bytes. */
#define GPU_GUEST_PAGE 4096

/** The shared-memory region in which blobs are mapped. */
#define GPU_SHMEM_HOST_VISIBLE 1

#define GPU_CAPSET_VENUS 4

struct gpu_config {
	uint32_t events_read;
	uint32_t events_clear;
	uint32_t num_scanouts;
	uint32_t num_capsets;
	uint32_t blob_alignment; /* bytes; with GPU_F_BLOB_ALIGNMENT */
};

#define GPU_EVENT_DISPLAY 1

enum gpu_command {
	GPU_CMD_GET_DISPLAY_INFO = 0x0100,
	GPU_CMD_RESOURCE_CREATE_2D = 0x0101,
	GPU_CMD_RESOURCE_UNREF = 0x0102,
	GPU_CMD_SET_SCANOUT = 0x0103,
	GPU_CMD_RESOURCE_FLUSH = 0x0104,
	GPU_CMD_TRANSFER_TO_HOST_2D = 0x0105,
	GPU_CMD_RESOURCE_ATTACH_BACKING = 0x0106,
	GPU_CMD_RESOURCE_DETACH_BACKING = 0x0107,
	GPU_CMD_GET_CAPSET_INFO = 0x0108,
	GPU_CMD_GET_CAPSET = 0x0109,
	GPU_CMD_GET_EDID = 0x010a,
	GPU_CMD_RESOURCE_ASSIGN_UUID = 0x010b,
	GPU_CMD_RESOURCE_CREATE_BLOB = 0x010c,
	GPU_CMD_SET_SCANOUT_BLOB = 0x010d,

	GPU_CMD_CTX_CREATE = 0x0200,
	GPU_CMD_CTX_DESTROY = 0x0201,
	GPU_CMD_CTX_ATTACH_RESOURCE = 0x0202,
	GPU_CMD_CTX_DETACH_RESOURCE = 0x0203,
	GPU_CMD_RESOURCE_CREATE_3D = 0x0204,
	GPU_CMD_TRANSFER_TO_HOST_3D = 0x0205,
	GPU_CMD_TRANSFER_FROM_HOST_3D = 0x0206,
	GPU_CMD_SUBMIT_3D = 0x0207,
	GPU_CMD_RESOURCE_MAP_BLOB = 0x0208,
	GPU_CMD_RESOURCE_UNMAP_BLOB = 0x0209,

	GPU_CMD_UPDATE_CURSOR = 0x0300,
	GPU_CMD_MOVE_CURSOR = 0x0301,
};

enum gpu_response {
	GPU_RESP_OK_NODATA = 0x1100,
	GPU_RESP_OK_DISPLAY_INFO = 0x1101,
	GPU_RESP_OK_CAPSET_INFO = 0x1102,
	GPU_RESP_OK_CAPSET = 0x1103,
	GPU_RESP_OK_EDID = 0x1104,
	GPU_RESP_OK_RESOURCE_UUID = 0x1105,
	GPU_RESP_OK_MAP_INFO = 0x1106,

	GPU_RESP_ERR_UNSPEC = 0x1200,
	GPU_RESP_ERR_OUT_OF_MEMORY = 0x1201,
	GPU_RESP_ERR_INVALID_SCANOUT_ID = 0x1202,
	GPU_RESP_ERR_INVALID_RESOURCE_ID = 0x1203,
	GPU_RESP_ERR_INVALID_CONTEXT_ID = 0x1204,
	GPU_RESP_ERR_INVALID_PARAMETER = 0x1205,
};

enum gpu_flag {
	GPU_FLAG_FENCE = 1 << 0,
	GPU_FLAG_RING_IDX = 1 << 1,
};

/** In front of every request and every response. */
struct gpu_header {
	uint32_t type; /* gpu_command or gpu_response */
	uint32_t flags;
	uint64_t fence_id;
	uint32_t ctx_id;
	uint8_t ring_idx; /* with GPU_FLAG_RING_IDX */
	uint8_t padding[3];
};

struct gpu_rect {
	uint32_t x, y, width, height;
};

struct gpu_resource_create_2d {
	struct gpu_header header;
	uint32_t resource_id;
	uint32_t format;
	uint32_t width, height;
};

/** Commands of which a resource is all there is. */
struct gpu_resource_command {
	struct gpu_header header;
	uint32_t resource_id;
	uint32_t padding;
};

struct gpu_set_scanout {
	struct gpu_header header;
	struct gpu_rect rect;
	uint32_t scanout_id;
	uint32_t resource_id;
};

struct gpu_resource_flush {
	struct gpu_header header;
	struct gpu_rect rect;
	uint32_t resource_id;
	uint32_t padding;
};

struct gpu_transfer_to_host_2d {
	struct gpu_header header;
	struct gpu_rect rect;
	uint64_t offset;
	uint32_t resource_id;
	uint32_t padding;
};

struct gpu_memory_entry {
	uint64_t guest_addr;
	uint32_t size;
	uint32_t padding;
};

/** The entries follow. */
struct gpu_attach_backing {
	struct gpu_header header;
	uint32_t resource_id;
	uint32_t entry_count;
};

struct gpu_get_capset_info {
	struct gpu_header header;
	uint32_t index;
	uint32_t padding;
};

struct gpu_get_capset {
	struct gpu_header header;
	uint32_t capset_id;
	uint32_t version;
};

struct gpu_get_edid {
	struct gpu_header header;
	uint32_t scanout_id;
	uint32_t padding;
};

enum gpu_blob_mem {
	GPU_BLOB_MEM_GUEST = 1,
	GPU_BLOB_MEM_HOST3D = 2,
	GPU_BLOB_MEM_HOST3D_GUEST = 3,
};

enum gpu_blob_flag {
	GPU_BLOB_MAPPABLE = 1 << 0,
	GPU_BLOB_SHAREABLE = 1 << 1,
	GPU_BLOB_CROSS_DEVICE = 1 << 2,
};

/** The entries follow. */
struct gpu_resource_create_blob {
	struct gpu_header header;
	uint32_t resource_id;
	uint32_t blob_mem;
	uint32_t blob_flags;
	uint32_t entry_count;
	uint64_t blob_id;
	uint64_t size;
};

struct gpu_set_scanout_blob {
	struct gpu_header header;
	struct gpu_rect rect;
	uint32_t scanout_id;
	uint32_t resource_id;
	uint32_t width, height;
	uint32_t format;
	uint32_t padding;
	uint32_t strides[4];
	uint32_t offsets[4];
};

#define GPU_CONTEXT_INIT_CAPSET_MASK 0xff

struct gpu_ctx_create {
	struct gpu_header header;
	uint32_t name_size;
	uint32_t context_init;
	char name[64];
};

/** The stream follows. */
struct gpu_submit_3d {
	struct gpu_header header;
	uint32_t size;
	uint32_t padding;
};

struct gpu_resource_map_blob {
	struct gpu_header header;
	uint32_t resource_id;
	uint32_t padding;
	uint64_t offset;
};

struct gpu_cursor_command {
	struct gpu_header header;
	uint32_t scanout_id;
	uint32_t x, y;
	uint32_t padding;
	uint32_t resource_id;
	uint32_t hot_x, hot_y;
	uint32_t padding2;
};

#define GPU_MAX_SCANOUTS 16

struct gpu_display_info {
	struct gpu_header header;
	struct {
		struct gpu_rect rect;
		uint32_t enabled;
		uint32_t flags;
	} scanouts[GPU_MAX_SCANOUTS];
};

struct gpu_capset_info {
	struct gpu_header header;
	uint32_t capset_id;
	uint32_t max_version;
	uint32_t max_size;
	uint32_t padding;
};

#define GPU_EDID_SIZE 1024

struct gpu_edid {
	struct gpu_header header;
	uint32_t size;
	uint32_t padding;
	uint8_t edid[GPU_EDID_SIZE];
};

struct gpu_resource_uuid {
	struct gpu_header header;
	uint8_t uuid[16];
};

struct gpu_map_info {
	struct gpu_header header;
	uint32_t map_info;
	uint32_t padding;
};

static_assert(sizeof(struct gpu_header) == 24, "wire size");
static_assert(sizeof(struct gpu_resource_create_2d) == 40, "wire size");
static_assert(sizeof(struct gpu_resource_command) == 32, "wire size");
static_assert(sizeof(struct gpu_set_scanout) == 48, "wire size");
static_assert(sizeof(struct gpu_resource_flush) == 48, "wire size");
static_assert(sizeof(struct gpu_transfer_to_host_2d) == 56, "wire size");
static_assert(sizeof(struct gpu_attach_backing) == 32, "wire size");
static_assert(sizeof(struct gpu_resource_create_blob) == 56, "wire size");
static_assert(sizeof(struct gpu_set_scanout_blob) == 96, "wire size");
static_assert(sizeof(struct gpu_ctx_create) == 96, "wire size");
static_assert(sizeof(struct gpu_submit_3d) == 32, "wire size");
static_assert(sizeof(struct gpu_resource_map_blob) == 40, "wire size");
static_assert(sizeof(struct gpu_cursor_command) == 56, "wire size");
static_assert(sizeof(struct gpu_display_info) == 408, "wire size");
static_assert(sizeof(struct gpu_capset_info) == 40, "wire size");
static_assert(sizeof(struct gpu_edid) == 1056, "wire size");
static_assert(sizeof(struct gpu_resource_uuid) == 40, "wire size");
static_assert(sizeof(struct gpu_map_info) == 32, "wire size");

#endif
