/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VTEST_PROTOCOL_H
#define VENERA_VTEST_PROTOCOL_H

/**
 * The numbers of the vtest protocol, as far as a Venus client uses it. Everything is in
 * 32-bit words of host byte order; a 64-bit value is two words, the low one first. A
 * message is a header of two words, {length of the rest in words, id}, and the rest.
 */

/** The newest version that we speak, and the oldest: before it clients chose resource ids. */
#define VTEST_VERSION_MAX 4
#define VTEST_VERSION_MIN 3

#define VTEST_HEADER_SIZE 8 /* bytes */

enum vtest_message {
	VTEST_RESOURCE_UNREF = 3,
	VTEST_RESOURCE_BUSY_WAIT = 7,
	VTEST_CREATE_RENDERER = 8, /* the one whose length counts bytes */
	VTEST_PING_PROTOCOL_VERSION = 10,
	VTEST_PROTOCOL_VERSION = 11,
	VTEST_GET_PARAM = 15,
	VTEST_GET_CAPSET = 16,
	VTEST_CONTEXT_INIT = 17,
	VTEST_RESOURCE_CREATE_BLOB = 18,
	VTEST_SYNC_CREATE = 19,
	VTEST_SYNC_UNREF = 20,
	VTEST_SYNC_READ = 21,
	VTEST_SYNC_WRITE = 22,
	VTEST_SYNC_WAIT = 23,
	VTEST_SUBMIT_CMD2 = 24,
	VTEST_RESOURCE_EXPORT_FD = 38,
	VTEST_MESSAGE_COUNT,
};

enum vtest_param {
	VTEST_PARAM_MAX_TIMELINE_COUNT = 1,
};

#define VTEST_CAPSET_VENUS 4

enum vtest_blob_type {
	VTEST_BLOB_GUEST = 1,
	VTEST_BLOB_HOST3D = 2,
	VTEST_BLOB_HOST3D_GUEST = 3,
};

#define VTEST_SYNC_WAIT_ANY (1u << 0)
#define VTEST_TIMEOUT_INFINITE 0xffffffffu

enum vtest_batch_flag {
	VTEST_BATCH_RING_IDX = 1 << 0,
	VTEST_BATCH_IN_FENCE_FD = 1 << 1,
	VTEST_BATCH_OUT_FENCE_FD = 1 << 2,
};

/** Words from one batch to the next, in every version. */
#define VTEST_BATCH_STRIDE 8
/** Words of a batch that exist: clients of version 3 put the commands right behind the first 6. */
#define VTEST_BATCH_WORDS_V3 6
#define VTEST_BATCH_WORDS_V4 8

#endif
