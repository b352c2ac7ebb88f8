/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIRTIO_VHOST_USER_PROTOCOL_H
#define VENERA_VIRTIO_VHOST_USER_PROTOCOL_H

#include <stdint.h>

/**
 * The messages of the vhost-user protocol that the server knows, as QEMU 11.1 numbers them. A
 * message is a header and a payload, in the host's byte order; descriptors travel with the
 * header.
 */

enum vhost_user_message_id {
	VHOST_USER_GET_FEATURES = 1,
	VHOST_USER_SET_FEATURES = 2,
	VHOST_USER_SET_OWNER = 3,
	VHOST_USER_RESET_OWNER = 4,
	VHOST_USER_SET_MEM_TABLE = 5,
	VHOST_USER_SET_VRING_NUM = 8,
	VHOST_USER_SET_VRING_ADDR = 9,
	VHOST_USER_SET_VRING_BASE = 10,
	VHOST_USER_GET_VRING_BASE = 11,
	VHOST_USER_SET_VRING_KICK = 12,
	VHOST_USER_SET_VRING_CALL = 13,
	VHOST_USER_SET_VRING_ERR = 14,
	VHOST_USER_GET_PROTOCOL_FEATURES = 15,
	VHOST_USER_SET_PROTOCOL_FEATURES = 16,
	VHOST_USER_GET_QUEUE_NUM = 17,
	VHOST_USER_SET_VRING_ENABLE = 18,
	VHOST_USER_SET_BACKEND_REQ_FD = 21,
	VHOST_USER_GET_CONFIG = 24,
	VHOST_USER_SET_CONFIG = 25,
	VHOST_USER_RESET_DEVICE = 34,
	VHOST_USER_GET_MAX_MEM_SLOTS = 36,
	VHOST_USER_ADD_MEM_REG = 37,
	VHOST_USER_REM_MEM_REG = 38,
	VHOST_USER_SET_STATUS = 39,
	VHOST_USER_GET_STATUS = 40,
	VHOST_USER_GET_SHMEM_CONFIG = 44,
};

/** What the back end asks of the front end, on a channel of its own. */
enum vhost_user_backend_message_id {
	VHOST_USER_BACKEND_CONFIG_CHANGE = 2,
	VHOST_USER_BACKEND_SHARED_OBJECT_LOOKUP = 8,
	VHOST_USER_BACKEND_SHMEM_MAP = 9,
	VHOST_USER_BACKEND_SHMEM_UNMAP = 10,
};

enum vhost_user_header_flag {
	VHOST_USER_VERSION = 1,
	VHOST_USER_VERSION_MASK = 3,
	VHOST_USER_REPLY = 1 << 2,
	VHOST_USER_NEED_REPLY = 1 << 3,
};

/** A virtio feature: the front end knows the protocol features. */
#define VHOST_USER_F_PROTOCOL_FEATURES 30

enum vhost_user_protocol_feature {
	VHOST_USER_PROTOCOL_F_MQ = 0,
	VHOST_USER_PROTOCOL_F_REPLY_ACK = 3,
	VHOST_USER_PROTOCOL_F_BACKEND_REQ = 5,
	VHOST_USER_PROTOCOL_F_CONFIG = 9,
	VHOST_USER_PROTOCOL_F_BACKEND_SEND_FD = 10,
	VHOST_USER_PROTOCOL_F_RESET_DEVICE = 13,
	VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS = 15,
	VHOST_USER_PROTOCOL_F_STATUS = 16,
	VHOST_USER_PROTOCOL_F_SHARED_OBJECT = 18,
	VHOST_USER_PROTOCOL_F_SHMEM_MAP = 22,
};

struct vhost_user_header {
	uint32_t id;
	uint32_t flags;
	uint32_t size; /* of the payload, in bytes */
};

#define VHOST_USER_HEADER_SIZE 12
#define VHOST_USER_MAX_FDS 8

struct vhost_user_vring_state {
	uint32_t index;
	uint32_t value;
};

struct vhost_user_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail; /* user addresses */
	uint64_t log;
};

/** Payload of SET_VRING_KICK, _CALL and _ERR: a u64. */
#define VHOST_USER_VRING_INDEX_MASK 0xff
#define VHOST_USER_VRING_NO_FD (1 << 8)

struct vhost_user_region {
	uint64_t guest_addr, size, user_addr, fd_offset;
};

struct vhost_user_mem_table {
	uint32_t count;
	uint32_t padding;
	struct vhost_user_region regions[VHOST_USER_MAX_FDS];
};

struct vhost_user_single_region {
	uint64_t padding;
	struct vhost_user_region region;
};

#define VHOST_USER_MAX_CONFIG 256

struct vhost_user_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t bytes[VHOST_USER_MAX_CONFIG];
};

struct vhost_user_shmem_config {
	uint32_t count; /* of nonzero sizes */
	uint32_t padding;
	uint64_t sizes[256]; /* indexed by the region's id */
};

struct vhost_user_shmem_map {
	uint8_t shmem_id;
	uint8_t padding[7];
	uint64_t fd_offset;
	uint64_t shmem_offset;
	uint64_t size;
	uint64_t flags; /* 1: writable */
};

union vhost_user_payload {
	uint64_t u64;
	struct vhost_user_vring_state state;
	struct vhost_user_vring_addr addr;
	struct vhost_user_mem_table mem_table;
	struct vhost_user_single_region single_region;
	struct vhost_user_config config;
	struct vhost_user_shmem_config shmem_config;
	struct vhost_user_shmem_map shmem_map;
};

#endif
