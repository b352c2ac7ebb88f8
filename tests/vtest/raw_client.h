/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_VTEST_RAW_CLIENT_H
#define VENERA_TESTS_VTEST_RAW_CLIENT_H

#include "vtest/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * A vtest client for tests, and the server it talks to. Whatever fails, and whatever does not
 * happen in time, ends the test with a line that says where.
 */

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			raw_fail(__FILE__, __LINE__, #condition); \
		} \
	} while (0)

_Noreturn void raw_fail(const char *file, int line, const char *what);

struct raw_server {
	pid_t pid;
	char folder[64], socket[96];
};

/** Starts `program` with `render` and, unless NULL, one more option; returns when it listens. */
void raw_server_start(
	struct raw_server *server, const char *program, const char *render, const char *option);

/** The same with its log, and that of its children, going to `log_fd`; -1: to ours. */
void raw_server_start_logged(struct raw_server *server, const char *program, const char *render,
	const char *option, int log_fd);

/** Waits until it ends by itself; returns its exit code. */
int raw_server_wait(struct raw_server *server);

/** SIGTERM, then as raw_server_wait(). */
int raw_server_stop(struct raw_server *server);

/** Open descriptors and children of the server; -1 if the system does not tell. */
int raw_server_count_fds(const struct raw_server *server);
int raw_server_count_children(const struct raw_server *server);

/** Returns a connected socket. */
int raw_connect(const struct raw_server *server);

/** Connects and does what a client of this version does up to CONTEXT_INIT. */
int raw_open(const struct raw_server *server, uint32_t version);
int raw_open_as(const struct raw_server *server, uint32_t version, const char *name);

void raw_write(int fd, const void *data, size_t size);
void raw_send(int fd, uint32_t id, const uint32_t *words, uint32_t count);
/** raw_send() with the words as further arguments. */
#define RAW_SEND(fd, id, ...) \
	raw_send(fd, id, (const uint32_t[]){__VA_ARGS__}, \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

void raw_create_renderer(int fd, const char *name);

/** Receives a reply and checks that it is header(count, id). */
void raw_receive(int fd, uint32_t id, uint32_t *words, uint32_t count);

/** Receives the message of one byte that carries a descriptor. */
int raw_receive_fd(int fd);

/** The server must close the connection; ours is closed as well. */
void raw_expect_closed(int fd);

/**
 * The server must answer with everything but the descriptor, and then close the connection:
 * that is what makes a real client give up.
 */
void raw_expect_broken_reply(int fd, uint32_t id, uint32_t count);

/** Nothing comes for 50 ms. */
void raw_expect_silence(int fd);

/** Waits at most `timeout_ms` for the descriptor to become readable. */
bool raw_is_readable(int fd, int timeout_ms);

/** Returns the id; `*blob_fd` is the memory. */
uint32_t raw_create_blob(int fd, uint32_t type, uint64_t size, uint64_t blob_id, int *blob_fd);

uint32_t raw_create_sync(int fd, uint64_t value);
uint64_t raw_read_sync(int fd, uint32_t sync);

/** A batch of one command stream with at most one sync, laid out as by a client of `version`. */
void raw_submit(int fd, uint32_t version, uint32_t flags, uint32_t ring_idx,
	const uint32_t *stream, uint32_t stream_words, uint32_t sync, uint64_t value);

/** Does the server answer a client that is open? */
void raw_expect_alive(int fd);

#endif
