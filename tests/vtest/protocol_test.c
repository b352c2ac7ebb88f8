/* SPDX-License-Identifier: MIT */
/*
 * venera-vtest as a client sees it, byte by byte: what it answers, what it does not
 * accept, and that one client or one render process that misbehaves harms no other.
 *
 * usage: protocol_test VENERA-VTEST FAKE-RENDER
 */
#include "fake_render.h"
#include "raw_client.h"

#include "base/clock.h"
#include "venus/capset.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH_RING_IDX VTEST_BATCH_RING_IDX
#define INFINITE VTEST_TIMEOUT_INFINITE

static struct raw_server server;

static void submit_words(int fd, uint32_t first, uint32_t second) {
	const uint32_t stream[2] = {first, second};
	raw_submit(fd, 4, BATCH_RING_IDX, 0, stream, 2, 0, 0);
}

static void test_handshake(void) {
	int fd = raw_connect(&server);
	raw_create_renderer(fd, "handshake");
	RAW_SEND(fd, VTEST_PING_PROTOCOL_VERSION, 0);
	close(fd);

	fd = raw_connect(&server);
	raw_create_renderer(fd, "handshake");
	/* both first, then both answers */
	raw_send(fd, VTEST_PING_PROTOCOL_VERSION, NULL, 0);
	RAW_SEND(fd, VTEST_RESOURCE_BUSY_WAIT, 0, 0);
	uint32_t words[64];
	raw_receive(fd, VTEST_PING_PROTOCOL_VERSION, NULL, 0);
	raw_receive(fd, VTEST_RESOURCE_BUSY_WAIT, words, 1);
	CHECK(words[0] == 0);
	RAW_SEND(fd, VTEST_PROTOCOL_VERSION, 99);
	raw_receive(fd, VTEST_PROTOCOL_VERSION, words, 1);
	CHECK(words[0] == 4);
	RAW_SEND(fd, VTEST_GET_PARAM, VTEST_PARAM_MAX_TIMELINE_COUNT);
	raw_receive(fd, VTEST_GET_PARAM, words, 2);
	CHECK(words[0] == 1 && words[1] == 64);
	RAW_SEND(fd, VTEST_GET_PARAM, 2);
	raw_receive(fd, VTEST_GET_PARAM, words, 2);
	CHECK(words[0] == 0 && words[1] == 0);
	RAW_SEND(fd, VTEST_GET_CAPSET, VTEST_CAPSET_VENUS, 1);
	raw_receive(fd, VTEST_GET_CAPSET, words, 1);
	CHECK(words[0] == 0);
	RAW_SEND(fd, VTEST_GET_CAPSET, 2, 0);
	raw_receive(fd, VTEST_GET_CAPSET, words, 1);
	CHECK(words[0] == 0);
	RAW_SEND(fd, VTEST_GET_CAPSET, VTEST_CAPSET_VENUS, 0);
	raw_receive(fd, VTEST_GET_CAPSET, words, 1 + VENUS_CAPSET_SIZE / 4);
	uint8_t capset[VENUS_CAPSET_SIZE];
	venus_capset_fill(capset);
	CHECK(words[0] == 1 && memcmp(words + 1, capset, sizeof(capset)) == 0);
	RAW_SEND(fd, VTEST_CONTEXT_INIT, VTEST_CAPSET_VENUS);
	RAW_SEND(fd, VTEST_CONTEXT_INIT, VTEST_CAPSET_VENUS);
	raw_expect_alive(fd);
	RAW_SEND(fd, VTEST_CONTEXT_INIT, 1);
	raw_expect_closed(fd);
}

static void test_order(void) {
	int fd = raw_connect(&server);
	RAW_SEND(fd, VTEST_PROTOCOL_VERSION, 4);
	raw_expect_closed(fd);

	fd = raw_connect(&server);
	raw_create_renderer(fd, "order");
	raw_create_renderer(fd, "order");
	raw_expect_closed(fd);

	fd = raw_connect(&server);
	raw_create_renderer(fd, "order");
	RAW_SEND(fd, VTEST_PROTOCOL_VERSION, 2);
	raw_expect_closed(fd);

	fd = raw_connect(&server);
	raw_create_renderer(fd, "order");
	RAW_SEND(fd, VTEST_CONTEXT_INIT, VTEST_CAPSET_VENUS);
	RAW_SEND(fd, VTEST_SYNC_CREATE, 0, 0);
	raw_expect_closed(fd);

	fd = raw_connect(&server);
	raw_create_renderer(fd, "order");
	RAW_SEND(fd, VTEST_PROTOCOL_VERSION, 4);
	raw_receive(fd, VTEST_PROTOCOL_VERSION, &(uint32_t){0}, 1);
	RAW_SEND(fd, VTEST_RESOURCE_CREATE_BLOB, 2, 1, 4096, 0, 0, 0);
	raw_expect_closed(fd);
}

static void test_malformed_headers(void) {
	static const uint32_t headers[][2] = {
		{0, 0},
		{0, 1},
		{0, 9},
		{0, 25},
		{0, 37},
		{0, 39},
		{0, 0xffffffff},
		{0xffffffff, VTEST_CREATE_RENDERER},
		{0xffffffff, VTEST_SUBMIT_CMD2},
		{0xffffffff, VTEST_SYNC_WAIT},
		{2, VTEST_SYNC_READ},
		{0, VTEST_SYNC_READ},
		{0, VTEST_SUBMIT_CMD2},
		{1, VTEST_SYNC_WAIT},
	};
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		int fd = raw_open(&server, 4);
		raw_write(fd, headers[i], 8);
		if (headers[i][0] == 1) {
			raw_write(fd, headers[i], 4);
		}
		raw_expect_closed(fd);
	}
}

/* A renderer's name has any length, so what follows need not be aligned; and it may have no end. */
static void test_unaligned(void) {
	static const struct {
		const char *name;
		uint32_t size;
	} names[] = {{"", 0}, {"", 1}, {"ab", 2}, {"abc", 3}, {"x\ny\0z", 6}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = raw_connect(&server);
		uint8_t bytes[64];
		memcpy(bytes, (const uint32_t[]){names[i].size, VTEST_CREATE_RENDERER}, 8);
		memcpy(bytes + 8, names[i].name, names[i].size);
		memcpy(bytes + 8 + names[i].size,
			(const uint32_t[]){
				1, VTEST_PROTOCOL_VERSION, 3, 2, VTEST_RESOURCE_BUSY_WAIT, 0, 0},
			28);
		raw_write(fd, bytes, 36 + names[i].size);
		uint32_t word;
		raw_receive(fd, VTEST_PROTOCOL_VERSION, &word, 1);
		CHECK(word == 3);
		raw_receive(fd, VTEST_RESOURCE_BUSY_WAIT, &word, 1);
		close(fd);
	}
	/* a long name is cut, and one that is too long refused */
	char *name = malloc(2 << 20);
	CHECK(name);
	memset(name, 'n', 2 << 20);
	name[1000000] = '\0';
	int fd = raw_connect(&server);
	raw_create_renderer(fd, name);
	raw_expect_alive(fd);
	close(fd);
	free(name);
	fd = raw_connect(&server);
	raw_write(fd, (const uint32_t[]){(1 << 20) + 1, VTEST_CREATE_RENDERER}, 8);
	raw_expect_closed(fd);
}

static void test_byte_by_byte(void) {
	int fd = raw_connect(&server);
	const uint32_t words[] = {4, VTEST_CREATE_RENDERER, 0x636261, 1, VTEST_PROTOCOL_VERSION, 4, 1,
		VTEST_CONTEXT_INIT, 4, 2, VTEST_SYNC_CREATE, 7, 9};
	for (size_t i = 0; i < sizeof(words); i++) {
		raw_write(fd, (const char *)words + i, 1);
		clock_sleep(CLOCK_NS_PER_MS / 2);
	}
	uint32_t reply;
	raw_receive(fd, VTEST_PROTOCOL_VERSION, &reply, 1);
	raw_receive(fd, VTEST_SYNC_CREATE, &reply, 1);
	CHECK(raw_read_sync(fd, reply) == (UINT64_C(9) << 32 | 7));
	close(fd);
}

static void *map(int fd, size_t size) {
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(data != MAP_FAILED);
	return data;
}

static void test_blobs(void) {
	for (uint32_t type = VTEST_BLOB_GUEST; type <= VTEST_BLOB_HOST3D_GUEST; type++) {
		int fd = raw_open(&server, 4), blob_fd;
		uint32_t blob = raw_create_blob(fd, type, 10000, 1, &blob_fd);
		uint32_t *data = map(blob_fd, 10000);
		const uint32_t stream[] = {FAKE_COPY, blob, 0x11111111, 0x22222222};
		uint32_t sync = raw_create_sync(fd, 0);
		raw_submit(fd, 4, BATCH_RING_IDX, 0, stream, 4, sync, 1);
		while (raw_read_sync(fd, sync) == 0) {
		}
		CHECK(data[0] == 0x11111111 && data[1] == 0x22222222);
		munmap(data, 10000);

		/* the same memory once more */
		RAW_SEND(fd, VTEST_RESOURCE_EXPORT_FD, blob);
		raw_receive(fd, VTEST_RESOURCE_EXPORT_FD, NULL, 0);
		int exported = raw_receive_fd(fd);
		data = map(exported, 4096);
		CHECK(data[0] == 0x11111111);
		munmap(data, 4096);
		close(exported);
		close(blob_fd);

		RAW_SEND(fd, VTEST_RESOURCE_UNREF, blob);
		RAW_SEND(fd, VTEST_RESOURCE_UNREF, blob);
		RAW_SEND(fd, VTEST_RESOURCE_UNREF, 0);
		raw_expect_alive(fd);
		RAW_SEND(fd, VTEST_RESOURCE_EXPORT_FD, blob);
		raw_expect_broken_reply(fd, VTEST_RESOURCE_EXPORT_FD, 0);
	}

	static const uint32_t refused[][6] = {
		{0, 1, 4096, 0, 0, 0},          /* no such type */
		{4, 1, 4096, 0, 0, 0},
		{2, 8, 4096, 0, 0, 0},          /* no such flag */
		{2, 1, 0, 0, 0, 0},             /* no bytes */
		{1, 1, 0, 0x80000000, 0, 0},    /* more than there can be */
		{1, 1, 0xffffffff, 0xffffffff, 0, 0},
		{2, 1, 4096, 0, FAKE_BLOB_UNKNOWN, 0},
		{2, 1, 4096, 0, FAKE_BLOB_NO_FD, 0},
		{2, 1, 8192, 0, FAKE_BLOB_SMALL, 0},
		{2, 1, 4096, 0, FAKE_BLOB_OTHER, 0},
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int fd = raw_open(&server, 4);
		raw_send(fd, VTEST_RESOURCE_CREATE_BLOB, refused[i], 6);
		raw_expect_broken_reply(fd, VTEST_RESOURCE_CREATE_BLOB, 1);
	}

	/* memory that the host has refused: some to go on with */
	int fd = raw_open(&server, 4), blob_fd;
	const uint32_t blob =
		raw_create_blob(fd, VTEST_BLOB_HOST3D, 10000, FAKE_BLOB_NO_MEMORY, &blob_fd);
	uint32_t *data = map(blob_fd, 10000);
	CHECK(data[0] == 0 && data[2499] == 0);
	munmap(data, 10000);
	close(blob_fd);
	RAW_SEND(fd, VTEST_RESOURCE_UNREF, blob);
	raw_expect_alive(fd);
	close(fd);
}

static void test_many_blobs(void) {
	int fd = raw_open(&server, 4);
	uint32_t ids[200];
	for (int i = 0; i < 200; i++) {
		int blob_fd;
		ids[i] = raw_create_blob(fd, VTEST_BLOB_HOST3D, 4096, 0, &blob_fd);
		close(blob_fd);
		for (int j = 0; j < i; j++) {
			CHECK(ids[i] != ids[j]);
		}
	}
	for (int i = 0; i < 200; i++) {
		RAW_SEND(fd, VTEST_RESOURCE_UNREF, ids[i]);
	}
	raw_expect_alive(fd);
	close(fd);
}

static int wait_syncs(int fd, uint32_t flags, uint32_t timeout_ms, const uint32_t *points,
		uint32_t count) {
	uint32_t words[2 + 3 * 8] = {flags, timeout_ms};
	if (count) {
		memcpy(words + 2, points, count * 12);
	}
	raw_send(fd, VTEST_SYNC_WAIT, words, 2 + 3 * count);
	raw_receive(fd, VTEST_SYNC_WAIT, NULL, 0);
	return raw_receive_fd(fd);
}

static void write_sync(int fd, uint32_t sync, uint64_t value) {
	RAW_SEND(fd, VTEST_SYNC_WRITE, sync, (uint32_t)value, (uint32_t)(value >> 32));
	raw_expect_alive(fd);
}

static void expect_wait(int wait_fd, bool reached) {
	CHECK(raw_is_readable(wait_fd, reached ? 5000 : 0) == reached);
	close(wait_fd);
}

/* What a client takes as a lost device. */
static void expect_hangup(int wait_fd) {
	struct pollfd poll_fd = {.fd = wait_fd, .events = POLLIN};
	CHECK(poll(&poll_fd, 1, 5000) == 1);
	CHECK(!(poll_fd.revents & POLLIN) && (poll_fd.revents & POLLHUP));
	close(wait_fd);
}

static void test_syncs(void) {
	int fd = raw_open(&server, 4);
	uint32_t a = raw_create_sync(fd, 5), b = raw_create_sync(fd, UINT64_C(1) << 40);
	CHECK(a != b);
	CHECK(raw_read_sync(fd, a) == 5 && raw_read_sync(fd, b) == UINT64_C(1) << 40);

	const uint32_t both[] = {a, 6, 0, b, 0, 256};
	const uint32_t both_later[] = {a, 100, 0, b, 0, 1000};
	expect_wait(wait_syncs(fd, 0, 0, both, 2), false);
	expect_wait(wait_syncs(fd, VTEST_SYNC_WAIT_ANY, 0, both, 2), true);
	expect_wait(wait_syncs(fd, VTEST_SYNC_WAIT_ANY, INFINITE, both, 2), true);
	/* the descriptors of satisfied waits do not disturb one another */
	int first = wait_syncs(fd, 1, 1000, both, 2), second = wait_syncs(fd, 1, 1000, both, 2);
	expect_wait(first, true);
	expect_wait(second, true);

	int all = wait_syncs(fd, 0, INFINITE, both, 2);
	int later = wait_syncs(fd, 0, INFINITE, both_later, 2);
	int any_later = wait_syncs(fd, VTEST_SYNC_WAIT_ANY, INFINITE, both_later, 2);
	CHECK(!raw_is_readable(all, 0));
	write_sync(fd, a, 6);
	expect_wait(all, true);
	CHECK(!raw_is_readable(later, 0) && !raw_is_readable(any_later, 0));
	write_sync(fd, b, UINT64_C(1000) << 32);
	expect_wait(any_later, true);
	CHECK(!raw_is_readable(later, 0));
	/* once reached is reached */
	write_sync(fd, b, 0);
	CHECK(raw_read_sync(fd, b) == 0);
	write_sync(fd, a, 100);
	expect_wait(later, true);

	/* one sync in a wait twice, and a sync that is dropped while it is waited for */
	const uint32_t twice[] = {a, 200, 0, a, 300, 0};
	int wait = wait_syncs(fd, 0, INFINITE, twice, 2);
	write_sync(fd, a, 250);
	CHECK(!raw_is_readable(wait, 0));
	write_sync(fd, a, 300);
	expect_wait(wait, true);
	wait = wait_syncs(fd, 0, INFINITE, (const uint32_t[]){a, 400, 0}, 1);
	RAW_SEND(fd, VTEST_SYNC_UNREF, a);
	raw_expect_alive(fd);
	expect_wait(wait, false);

	expect_wait(wait_syncs(fd, 0, 0, NULL, 0), true);
	RAW_SEND(fd, VTEST_SYNC_READ, a);
	raw_expect_closed(fd);
}

static void test_sync_errors(void) {
	static const uint32_t ids[] = {
		VTEST_SYNC_READ, VTEST_SYNC_UNREF, VTEST_SYNC_WRITE, VTEST_SYNC_WAIT};
	static const uint32_t sizes[] = {1, 1, 3, 5};
	for (int i = 0; i < 4; i++) {
		int fd = raw_open(&server, 4);
		const uint32_t words[5] = {i == 3 ? 0 : 77, 0, 77, 0, 0};
		raw_send(fd, ids[i], words, sizes[i]);
		if (ids[i] == VTEST_SYNC_WAIT) {
			raw_expect_broken_reply(fd, VTEST_SYNC_WAIT, 0);
		} else {
			raw_expect_closed(fd);
		}
	}
	int fd = raw_open(&server, 4);
	RAW_SEND(fd, VTEST_SYNC_WAIT, 0, 0, 1, 1);
	raw_expect_broken_reply(fd, VTEST_SYNC_WAIT, 0);
	fd = raw_open(&server, 4);
	RAW_SEND(fd, VTEST_SYNC_WAIT, 2, 0);
	raw_expect_broken_reply(fd, VTEST_SYNC_WAIT, 0);

	/* waits are not for ever, and not without end */
	fd = raw_open(&server, 4);
	uint32_t sync = raw_create_sync(fd, 0);
	int before = raw_server_count_fds(&server);
	for (int i = 0; i < 100; i++) {
		close(wait_syncs(fd, 0, 10, (const uint32_t[]){sync, 1, 0}, 1));
	}
	for (int i = 0; i < 500 && raw_server_count_fds(&server) > before; i++) {
		clock_sleep(10 * CLOCK_NS_PER_MS);
	}
	CHECK(raw_server_count_fds(&server) == before);
	/* those that nobody looks at any more do not count */
	const uint32_t wait[] = {0, INFINITE, sync, 1, 0};
	int waits[512];
	for (int i = 0; i < 1000; i++) {
		close(wait_syncs(fd, 0, INFINITE, wait + 2, 1));
	}
	for (int i = 0; i < 512; i++) {
		waits[i] = wait_syncs(fd, 0, INFINITE, wait + 2, 1);
	}
	raw_send(fd, VTEST_SYNC_WAIT, wait, 5);
	raw_expect_broken_reply(fd, VTEST_SYNC_WAIT, 0);
	/* and the others learn that they will never be satisfied */
	for (int i = 0; i < 512; i++) {
		expect_hangup(waits[i]);
	}
}

static void test_fences(void) {
	for (uint32_t version = 3; version <= 4; version++) {
		int fd = raw_open(&server, version);
		const uint32_t hold = FAKE_HOLD, release = FAKE_RELEASE;
		uint32_t a = raw_create_sync(fd, 0), b = raw_create_sync(fd, 0);
		raw_submit(fd, version, BATCH_RING_IDX, 63, &hold, 1, a, 1);
		raw_submit(fd, version, BATCH_RING_IDX, 63, NULL, 0, a, UINT64_C(2) << 32);
		raw_submit(fd, version, BATCH_RING_IDX, 1, NULL, 0, b, 3);
		int wait = wait_syncs(fd, 0, INFINITE, (const uint32_t[]){a, 0, 2, b, 3, 0}, 2);
		/* without RING_IDX the value is set at once */
		uint32_t c = raw_create_sync(fd, 0);
		raw_submit(fd, version, 0, 0, NULL, 0, c, 8);
		CHECK(raw_read_sync(fd, c) == 8);
		CHECK(raw_read_sync(fd, a) == 0);
		CHECK(!raw_is_readable(wait, 50));
		/* dropped while a fence will still write to it */
		raw_submit(fd, version, BATCH_RING_IDX, 1, NULL, 0, c, 9);
		RAW_SEND(fd, VTEST_SYNC_UNREF, c);
		raw_submit(fd, version, BATCH_RING_IDX, 0, &release, 1, 0, 0);
		expect_wait(wait, true);
		CHECK(raw_read_sync(fd, a) == UINT64_C(2) << 32 && raw_read_sync(fd, b) == 3);
		close(fd);
	}
}

static void test_submit_errors(void) {
	/* words of a message with one batch */
	static const struct {
		uint32_t version, count;
		uint32_t words[16];
	} refused[] = {
		{4, 8, {1}},                                      /* the batch is cut short */
		{3, 6, {1}},
		{4, 9, {2}},                                      /* the second batch is missing */
		{4, 9, {0xffffffff}},
		{4, 9, {0x20000001}},                             /* 8 times that is 8 again in 32 bits */
		{4, 9, {1, 0, 9, 1}},                             /* commands beyond the end */
		{4, 9, {1, 0, 10, 0}},
		{4, 9, {1, 0, 8, 0xffffffff}},
		{4, 9, {1, 0, 0xffffffff, 2}},
		{4, 9, {1, 0, 0, 0, 9, 1}},                       /* syncs beyond the end */
		{4, 9, {1, 0, 0, 0, 0xfffffffd, 3}},
		{4, 9, {1, 0, 0, 0, 0, 0x55555556}},              /* 3 times that is 2 in 32 bits */
		{4, 12, {1, 0, 0, 0, 9, 1, 0, 0, 0, 77, 0, 0}},   /* no such sync */
		{4, 12, {1, 1, 0, 0, 9, 1, 0, 0, 0, 77, 0, 0}},
		{4, 9, {1, 1, 0, 0, 0, 0, 64}},                   /* no such ring_idx */
		{4, 9, {1, 2}},                                   /* fence descriptors, syncobjs */
		{4, 9, {1, 5}},
		{4, 9, {1, 8}},
		{4, 9, {1, 0, 0, 0, 0, 0, 0, 1, 0}},
		{4, 9, {1, 0, 0, 0, 0, 0, 0, 0, 1}},
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int fd = raw_open(&server, refused[i].version);
		raw_send(fd, VTEST_SUBMIT_CMD2, refused[i].words, refused[i].count);
		raw_expect_closed(fd);
	}
	/* nothing wrong with these: no batch, no commands, and version 3's short batch */
	int fd = raw_open(&server, 3);
	RAW_SEND(fd, VTEST_SUBMIT_CMD2, 0);
	RAW_SEND(fd, VTEST_SUBMIT_CMD2, 1, 0, 7, 0, 7, 0, 0);
	RAW_SEND(fd, VTEST_SUBMIT_CMD2, 1, 1, 7, 2, 9, 0, 0, 0x12345678, 0x9abcdef0);
	raw_expect_alive(fd);
	close(fd);
}

static void test_several_batches(void) {
	int fd = raw_open(&server, 4), blob_fd;
	uint32_t blob = raw_create_blob(fd, VTEST_BLOB_HOST3D, 4096, 0, &blob_fd);
	uint32_t *data = map(blob_fd, 4096);
	uint32_t sync = raw_create_sync(fd, 0);
	/* the second overwrites what the first wrote; both lists lie before the commands */
	RAW_SEND(fd, VTEST_SUBMIT_CMD2, 2, /* batches */
		0, 17 + 6, 3, 17, 1, 0, 0, 0, /* first */
		1, 17 + 9, 3, 20, 1, 7, 0, 0, /* second */
		sync, 1, 0, sync, 2, 0,       /* syncs */
		FAKE_COPY, blob, 0xaaaa, FAKE_COPY, blob, 0xbbbb);
	while (raw_read_sync(fd, sync) != 2) {
	}
	CHECK(data[0] == 0xbbbb);
	munmap(data, 4096);
	close(blob_fd);
	close(fd);
}

static void test_large_stream(void) {
	const uint32_t words = 8 << 20; /* 32 MiB */
	uint32_t *stream = malloc(words * sizeof(*stream));
	CHECK(stream);
	int fd = raw_open(&server, 4), blob_fd;
	uint32_t blob = raw_create_blob(fd, VTEST_BLOB_HOST3D, words * 4, 0, &blob_fd);
	uint32_t *data = map(blob_fd, words * 4);
	for (uint32_t i = 0; i < words; i++) {
		stream[i] = i * 2654435761u;
	}
	stream[0] = FAKE_COPY;
	stream[1] = blob;
	uint32_t sync = raw_create_sync(fd, 0);
	raw_submit(fd, 4, BATCH_RING_IDX, 0, stream, words, sync, 1);
	expect_wait(wait_syncs(fd, 0, INFINITE, (const uint32_t[]){sync, 1, 0}, 1), true);
	CHECK(memcmp(data, stream + 2, (words - 2) * 4) == 0);
	munmap(data, words * 4);
	close(blob_fd);
	close(fd);
	free(stream);
}

static void test_render_process_fails(void) {
	static const uint32_t ways[] = {
		FAKE_ABORT, FAKE_EXIT, FAKE_LOST, FAKE_BAD_FENCE, FAKE_BAD_BLOB, FAKE_BAD_EVENT};
	int other = raw_open(&server, 4);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int fd = raw_open(&server, 4);
		uint32_t sync = raw_create_sync(fd, 0);
		int wait = wait_syncs(fd, 0, INFINITE, (const uint32_t[]){sync, 1, 0}, 1);
		submit_words(fd, ways[i], 0);
		raw_expect_closed(fd);
		expect_hangup(wait);
		raw_expect_alive(other);

		/* while it is asked for a blob */
		fd = raw_open(&server, 4);
		submit_words(fd, FAKE_STALL, 50);
		submit_words(fd, ways[i], 0);
		RAW_SEND(fd, VTEST_RESOURCE_CREATE_BLOB, 2, 1, 4096, 0, FAKE_BLOB_NEVER, 0);
		raw_expect_broken_reply(fd, VTEST_RESOURCE_CREATE_BLOB, 1);
	}
	/* the context of the other client is what it was */
	uint32_t sync = raw_create_sync(other, 0);
	raw_submit(other, 4, BATCH_RING_IDX, 5, NULL, 0, sync, 1);
	expect_wait(wait_syncs(other, 0, INFINITE, (const uint32_t[]){sync, 1, 0}, 1), true);
	close(other);
}

static void test_hanging_render_process(void) {
	int fd = raw_open(&server, 4);
	submit_words(fd, FAKE_HANG, 0);
	RAW_SEND(fd, VTEST_RESOURCE_CREATE_BLOB, 2, 1, 4096, 0, 0, 0);
	RAW_SEND(fd, VTEST_RESOURCE_BUSY_WAIT, 0, 0);
	raw_expect_silence(fd);
	int other = raw_open(&server, 4);
	raw_expect_alive(other);
	close(other);
	/* its process is killed when it does not exit by itself */
	close(fd);
}

static void test_waiting_for_a_blob(void) {
	int slow = raw_open(&server, 4), other = raw_open(&server, 4);
	RAW_SEND(slow, VTEST_RESOURCE_CREATE_BLOB, 2, 1, 4096, 0, FAKE_BLOB_SLOW, 0);
	RAW_SEND(slow, VTEST_RESOURCE_BUSY_WAIT, 0, 0);
	uint64_t begin = clock_now();
	for (int i = 0; i < 20; i++) {
		int blob_fd;
		raw_create_blob(other, VTEST_BLOB_HOST3D, 4096, 0, &blob_fd);
		close(blob_fd);
	}
	CHECK(clock_now() - begin < 900 * CLOCK_NS_PER_MS);
	/* and the answers come in order */
	uint32_t word;
	raw_receive(slow, VTEST_RESOURCE_CREATE_BLOB, &word, 1);
	close(raw_receive_fd(slow));
	raw_receive(slow, VTEST_RESOURCE_BUSY_WAIT, &word, 1);
	close(slow);
	close(other);
}

static void test_disconnects(void) {
	/* in the middle of a header, of a message, of a name */
	int fd = raw_open(&server, 4);
	raw_write(fd, (const uint32_t[]){1000}, 4);
	close(fd);
	fd = raw_open(&server, 4);
	raw_write(fd, (const uint32_t[]){1000, VTEST_SUBMIT_CMD2, 1, 0}, 16);
	close(fd);
	fd = raw_connect(&server);
	raw_write(fd, (const uint32_t[]){1000, VTEST_CREATE_RENDERER, 'a'}, 12);
	shutdown(fd, SHUT_WR);
	raw_expect_closed(fd);
	/* before saying anything */
	close(raw_connect(&server));
	/* while a blob is made, with fences pending and waits open */
	fd = raw_open(&server, 4);
	uint32_t sync = raw_create_sync(fd, 0);
	close(wait_syncs(fd, 0, INFINITE, (const uint32_t[]){sync, 1, 0}, 1));
	const uint32_t hold = FAKE_HOLD;
	raw_submit(fd, 4, BATCH_RING_IDX, 3, &hold, 1, sync, 1);
	RAW_SEND(fd, VTEST_RESOURCE_CREATE_BLOB, 2, 1, 4096, 0, FAKE_BLOB_NEVER, 0);
	close(fd);
}

/* Asks and asks and does not take the answers: it is not read from any more, and others go on. */
static void test_deaf_client(void) {
	int fd = raw_open(&server, 4);
	static uint32_t flood[4 * 4096];
	for (size_t i = 0; i < sizeof(flood) / 16; i++) {
		memcpy(flood + 4 * i, (const uint32_t[]){2, VTEST_RESOURCE_BUSY_WAIT, 0, 0}, 16);
	}
	size_t sent = 0;
	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
		if (poll(&poll_fd, 1, 300) != 1) {
			break;
		}
		ssize_t size = send(fd, (const char *)flood + sent % sizeof(flood),
			sizeof(flood) - sent % sizeof(flood), MSG_DONTWAIT);
		CHECK(size > 0);
		sent += (size_t)size;
		CHECK(sent < 64 << 20);
	}
	int other = raw_open(&server, 4);
	raw_expect_alive(other);
	close(other);
	/* when it listens again, everything has been kept */
	for (size_t i = 0; i < sent / 16; i++) {
		uint32_t busy;
		raw_receive(fd, VTEST_RESOURCE_BUSY_WAIT, &busy, 1);
	}
	close(fd);
}

/* The same towards the render process: a client that is faster than it is kept waiting. */
static void test_slow_render_process(void) {
	int fd = raw_open(&server, 4);
	submit_words(fd, FAKE_STALL, 700);
	static uint32_t stream[64 << 10];
	uint64_t begin = clock_now();
	for (int i = 0; i < 100; i++) {
		raw_submit(fd, 4, BATCH_RING_IDX, 0, stream, 64 << 10, 0, 0);
	}
	CHECK(clock_now() - begin > 300 * CLOCK_NS_PER_MS);
	uint32_t sync = raw_create_sync(fd, 0);
	raw_submit(fd, 4, BATCH_RING_IDX, 0, NULL, 0, sync, 1);
	expect_wait(wait_syncs(fd, 0, INFINITE, (const uint32_t[]){sync, 1, 0}, 1), true);
	close(fd);
}

/* After all that the server has what it had in the beginning. */
static void expect_nothing_left(int fds_before) {
	for (int i = 0; i < 500; i++) {
		if (raw_server_count_fds(&server) <= fds_before &&
				raw_server_count_children(&server) <= 0) {
			return;
		}
		clock_sleep(10 * CLOCK_NS_PER_MS);
	}
	fprintf(stderr, "%d descriptors (%d before), %d processes\n", raw_server_count_fds(&server),
		fds_before, raw_server_count_children(&server));
	CHECK(!"nothing is left behind");
}

int main(int argc, char *argv[]) {
	if (argc != 3) {
		fprintf(stderr, "usage: protocol_test VENERA-VTEST FAKE-RENDER\n");
		return 2;
	}
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		{"handshake", test_handshake},
		{"order", test_order},
		{"malformed headers", test_malformed_headers},
		{"unaligned", test_unaligned},
		{"byte by byte", test_byte_by_byte},
		{"blobs", test_blobs},
		{"many blobs", test_many_blobs},
		{"syncs", test_syncs},
		{"sync errors", test_sync_errors},
		{"fences", test_fences},
		{"submit errors", test_submit_errors},
		{"several batches", test_several_batches},
		{"large stream", test_large_stream},
		{"render process fails", test_render_process_fails},
		{"hanging render process", test_hanging_render_process},
		{"waiting for a blob", test_waiting_for_a_blob},
		{"disconnects", test_disconnects},
		{"deaf client", test_deaf_client},
		{"slow render process", test_slow_render_process},
	};
	raw_server_start(&server, argv[1], argv[2], NULL);
	close(raw_open(&server, 4));
	clock_sleep(100 * CLOCK_NS_PER_MS);
	int fds_before = raw_server_count_fds(&server);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		fprintf(stderr, "--- %s\n", tests[i].name);
		tests[i].run();
		expect_nothing_left(fds_before);
	}

	fprintf(stderr, "--- end with clients\n");
	int fd = raw_open(&server, 4), hanging = raw_open(&server, 4);
	submit_words(hanging, FAKE_HANG, 0);
	CHECK(raw_server_stop(&server) == 0);
	raw_expect_closed(fd);
	raw_expect_closed(hanging);

	fprintf(stderr, "--- once\n");
	raw_server_start(&server, argv[1], argv[2], "--once");
	fd = raw_open(&server, 4);
	int second = raw_open(&server, 4);
	close(fd);
	raw_expect_alive(second);
	close(second);
	CHECK(raw_server_wait(&server) == 0);
	return 0;
}
