/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VTEST_CLIENT_H
#define VENERA_VTEST_CLIENT_H

#include "base/event_loop.h"
#include "base/id_table.h"
#include "base/list.h"
#include "base/log.h"
#include "base/shmem.h"
#include "vtest/renderer.h"
#include "vtest/server.h"
#include "vtest/sync.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The longest reply in bytes: the capset with its header and its validity word. */
#define VTEST_MAX_REPLY 256

/** One connection, which is one Venus context. */
struct vtest_client {
	struct list link; /* in vtest_server.clients */
	struct vtest_server *server;
	uint32_t number; /* for the log */
	char name[32];   /* printable */
	int fd;
	struct event_source *source;
	uint32_t watched;           /* event_mask */
	struct event_source *timer; /* the deadline of a wait, or to go on in the next round */
	uint64_t timer_deadline;    /* UINT64_MAX: not armed */

	/* received and not handled: bytes [begin, end) of the buffer */
	uint8_t *buffer;
	size_t begin, end, capacity;

	/* replied and not yet taken by the socket: bytes, then perhaps a descriptor (-1: none) */
	uint8_t reply[VTEST_MAX_REPLY];
	size_t reply_begin, reply_end;
	int reply_fd; /* owned */

	/* the message in work if its reply ends with a descriptor, else 0, and the words before that */
	uint32_t owed_fd, owed_words;

	const char *request; /* the name of the message in work, for the log */
	uint32_t version;    /* agreed upon; 0 before that */
	bool has_context;
	struct renderer *renderer; /* NULL before CREATE_RENDERER */
	struct id_table resources; /* vtest_resource */
	uint32_t resource_count;
	uint32_t next_resource_id;
	uint32_t wanted_blob; /* id of the resource that the render process is making; 0: none */
	uint64_t blob_deadline; /* when that must be there (as of clock_now()) */
	uint64_t own_bytes; /* of blobs that we made ourselves */
	struct sync_table syncs;
};

struct vtest_resource {
	uint32_t id;
	uint64_t size;    /* bytes, as asked for */
	int fd;           /* owned; -1 while the render process has not answered, or when shm has it */
	struct shmem shm; /* of blobs that we make ourselves */
};

/** A message: `size` bytes at `data`, not aligned. */
struct vtest_request {
	uint32_t id;
	const uint8_t *data;
	size_t size;
};

/** Takes ownership of a connected socket, also on failure. 0 or -errno. */
int vtest_client_create(struct vtest_server *server, int fd);

/** Closes the connection and frees everything. NULL is accepted. */
void vtest_client_destroy(struct vtest_client *client);

/** Goes on with messages that had to wait. The client may be gone afterwards. */
void vtest_client_resume(struct vtest_client *client);

/**
 * Logs why the connection must be closed, with the name of the message in work, and
 * returns false, which is what handlers return to close it.
 */
bool vtest_client_fail(struct vtest_client *client, const char *format, ...) LOG_PRINTF(2, 3);

/**
 * Sends header and words, then, unless `fd` is -1, that descriptor, which stays the caller's.
 * At most one reply per message. false: the connection must be closed.
 */
bool vtest_client_reply(
	struct vtest_client *client, uint32_t id, const uint32_t *words, uint32_t count, int fd);

/** Makes sure that the client's timer runs at `deadline` (as of clock_now()) at the latest. */
void vtest_client_arm_timer(struct vtest_client *client, uint64_t deadline);

/**
 * The longest message with this id in bytes, without header; -1 if there is no such message. In
 * dispatch.c, as everything below.
 */
int64_t vtest_dispatch_max_size(uint32_t id);

/** Handles a message. false: the connection must be closed. */
bool vtest_dispatch(struct vtest_client *client, const struct vtest_request *request);

/**
 * Looks whether the render process has made the wanted blob in time, or when to look again. false: the
 * connection must be closed.
 */
bool vtest_client_watch_blob(struct vtest_client *client);

/** What the render process of a client says. */
extern const struct renderer_listener vtest_renderer_listener;

void vtest_resource_destroy(struct vtest_resource *resource);

#endif
