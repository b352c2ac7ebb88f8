/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_RENDER_PEER_H
#define VENERA_TESTS_RENDER_PEER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/channel.h"
#include "base/shmem.h"
#include "ipc/render_protocol.h"
#include "venus/venus_client.h"
#include "venus/venus_mesa.h"

/**
 * Both of venera-render's peers in one: the device, on the channel, and the guest, in shared memory.
 * Whatever does not go as a test expects ends the test.
 */

#define PEER_RING_ID UINT64_C(0x7f00aa00)
#define PEER_RING_RESOURCE 1
#define PEER_REPLY_RESOURCE 2
#define PEER_REPLY_SIZE 65536
#define PEER_IDLE_TIMEOUT_NS UINT64_C(1000000)
#define PEER_MONITOR_PERIOD_US 300000

struct peer;

/** How a peer's messages get to its render process. */
struct peer_transport {
	/** See peer_create_blob(). */
	int (*create_blob)(struct peer *peer, uint32_t resource_id, uint32_t flags,
		uint64_t blob_id, uint64_t size, struct shmem *shm);
	/** The context loses the resource. */
	void (*detach)(struct peer *peer, uint32_t resource_id);
	/** Sends the stream, then, if `ring_idx` is not negative, a fence. */
	void (*submit)(struct peer *peer, int ring_idx, uint64_t fence_id);
	/** Waits until it has retired. false: whoever was to say so is gone. */
	bool (*wait_fence)(struct peer *peer, uint32_t ring_idx, uint64_t fence_id);
	/** What streams call that resource. NULL: the same. */
	uint32_t (*name_resource)(const struct peer *peer, uint32_t resource_id);
	/** See peer_stop(). */
	void (*stop)(struct peer *peer);
};

/** Straight to a render process that peer_start() started. */
extern const struct peer_transport peer_channel_transport;

struct peer {
	const struct peer_transport *transport;
	void *link;                 /* the transport's */
	bool may_be_lost;           /* else that ends the test where a fence is waited for */
	bool lost;                  /* said so, there */
	bool (*is_gone)(const struct peer *peer); /* nothing more will be executed; NULL: never */
	pid_t pid;                  /* 0: it is somebody else's child */
	struct channel channel;
	struct shmem ring_shm, reply_shm;
	VkRingCreateInfoMESA ring_info;
	VkRingMonitorInfoMESA monitor_info;
	_Atomic uint32_t *head, *tail, *status;
	uint8_t *buffer;
	uint32_t position;          /* what tail says, or will */
	uint64_t next_fence;
	struct arena arena;         /* of what is decoded */

	/* what is encoded now, see PEER_ADD() */
	uint8_t commands[8192];
	struct venus_encoder encoder;
};

/** Starts the program at `path` (its context's name is "test"), with one option more if that is not NULL. */
void peer_start(struct peer *peer, const char *path);
void peer_start_with(struct peer *peer, const char *path, const char *option);

/** The same with its log going to `log_fd`; -1: to ours. */
void peer_start_logged(struct peer *peer, const char *path, const char *option, int log_fd);

/** Begins with a transport of somebody else's; peer->channel and `link` are its to fill in. */
void peer_init(struct peer *peer, const struct peer_transport *transport);

/** Ends the context. A process of ours must leave in order. */
void peer_stop(struct peer *peer);

/** What streams call the resource: a transport may give them other ids than peer_create_blob() was told. */
uint32_t peer_resource(const struct peer *peer, uint32_t resource_id);

/** The context loses a resource. */
void peer_detach(struct peer *peer, uint32_t resource_id);

/** CREATE_BLOB; returns the error (0 or -errno) and, if `shm` is not NULL and it is 0, maps it. */
int peer_create_blob(struct peer *peer, uint32_t resource_id, uint32_t flags, uint64_t blob_id,
	uint64_t size, struct shmem *shm);

/** Fills in ring_info with Mesa's layout for a buffer of that size. */
void peer_layout_ring(struct peer *peer, uint32_t buffer_size);

/** Makes the resources of ring and replies and the ring. */
void peer_create_ring(struct peer *peer, uint32_t buffer_size);

/** Begins a stream; PEER_ADD() adds commands. */
void peer_begin(struct peer *peer);
#define PEER_ADD(peer, command, ...) \
	venus_encode_##command##_request( \
		&(peer)->encoder, 0, &(struct venus_##command){__VA_ARGS__})
size_t peer_stream_size(const struct peer *peer);

/** Sends the stream on the context path; with a fence if `ring_idx` is not negative. Returns the fence's id. */
uint64_t peer_submit(struct peer *peer, int ring_idx);

/** Waits for the next event, which must be this fence, or, if that is allowed, the context's loss before it. */
void peer_expect_fence(struct peer *peer, uint32_t ring_idx, uint64_t fence_id);

/** Submits an empty stream and waits for its fence. */
void peer_sync(struct peer *peer);

/** Waits for LOST, whose reason must hold `text`. */
void peer_expect_lost(struct peer *peer, const char *text);

/** Puts the stream into the ring, wrapping, and rings if it sleeps. */
void peer_ring_write(struct peer *peer);

/** Waits until the ring has executed all that was written. false: FATAL, or is_gone(). */
bool peer_ring_wait(struct peer *peer);

/** Executes one command in the ring and decodes its reply into `args`. */
#define PEER_CALL(peer, command, args) \
	do { \
		peer_begin_call(peer); \
		venus_encode_##command##_request(&(peer)->encoder, 1, args); \
		peer_end_call(peer); \
		struct venus_decoder decoder_ = peer_reply(peer); \
		CHECK(venus_decode_##command##_reply(&decoder_, args)); \
	} while (0)
void peer_begin_call(struct peer *peer);
void peer_end_call(struct peer *peer);
struct venus_decoder peer_reply(struct peer *peer);

/** Sleeps until `*word & bit` is `set`; false after `timeout_ms`. */
bool peer_wait_bit(_Atomic uint32_t *word, uint32_t bit, bool set, int timeout_ms);

#define PEER_HANDLE(type, id) ((type)(uintptr_t)(id))

#endif
