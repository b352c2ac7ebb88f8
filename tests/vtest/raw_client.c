/* SPDX-License-Identifier: MIT */
#include "raw_client.h"

#include "base/clock.h"
#include "base/process.h"
#include "base/socket.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 10000

/* A failed check must not leave the server behind. */
static pid_t running_server;
static char running_folder[64];

static void remove_folder(const char *folder) {
	char socket[96];
	snprintf(socket, sizeof(socket), "%s/vtest", folder);
	unlink(socket);
	rmdir(folder);
}

void raw_fail(const char *file, int line, const char *what) {
	fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	if (running_server > 0) {
		kill(running_server, SIGTERM);
		process_wait(running_server, 4000, NULL);
		kill(running_server, SIGKILL);
		remove_folder(running_folder);
	}
	exit(1);
}

void raw_server_start(struct raw_server *server, const char *program, const char *render,
		const char *option) {
	raw_server_start_logged(server, program, render, option, -1);
}

void raw_server_start_logged(struct raw_server *server, const char *program, const char *render,
		const char *option, int log_fd) {
	snprintf(server->folder, sizeof(server->folder), "/tmp/venera-test-XXXXXX");
	CHECK(mkdtemp(server->folder));
	snprintf(server->socket, sizeof(server->socket), "%s/vtest", server->folder);
	char socket_option[128], render_option[4096];
	snprintf(socket_option, sizeof(socket_option), "--socket-path=%s", server->socket);
	snprintf(render_option, sizeof(render_option), "--render=%s", render);
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.path = program;
	options.argv = (const char *const[]){
		"venera-vtest", socket_option, render_option, "--log-level=debug", "--no-spare",
		option, NULL};
	options.stderr_fd = log_fd;
	server->pid = process_spawn(&options);
	CHECK(server->pid > 0);
	running_server = server->pid;
	memcpy(running_folder, server->folder, sizeof(running_folder));
	for (int i = 0; i < TIMEOUT_MS / 10 && access(server->socket, F_OK) < 0; i++) {
		CHECK(process_wait(server->pid, 10, NULL) == 0);
	}
}

int raw_server_wait(struct raw_server *server) {
	int status;
	CHECK(process_wait(server->pid, TIMEOUT_MS, &status) == 1);
	running_server = 0;
	CHECK(WIFEXITED(status));
	/* it has removed its socket */
	CHECK(rmdir(server->folder) == 0);
	return WEXITSTATUS(status);
}

int raw_server_stop(struct raw_server *server) {
	CHECK(kill(server->pid, SIGTERM) == 0);
	return raw_server_wait(server);
}

int raw_server_count_fds(const struct raw_server *server) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)server->pid);
	DIR *dir = opendir(path);
	if (!dir) {
		return -1;
	}
	int count = 0;
	while (readdir(dir)) {
		count++;
	}
	closedir(dir);
	return count;
}

int raw_server_count_children(const struct raw_server *server) {
	char path[96];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)server->pid, (int)server->pid);
	FILE *file = fopen(path, "r");
	int broker = 0;
	if (!file) {
		return -1;
	}
	if (fscanf(file, "%d", &broker) != 1) {
		broker = 0;
	}
	fclose(file);
	/* it starts the render processes */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", broker, broker);
	file = broker ? fopen(path, "r") : NULL;
	if (!file) {
		return -1;
	}
	int count = 0;
	for (int pid; fscanf(file, "%d", &pid) == 1;) {
		count++;
	}
	fclose(file);
	return count;
}

int raw_connect(const struct raw_server *server) {
	int fd = -1;
	for (int i = 0; i < TIMEOUT_MS / 10 && fd < 0; i++) {
		fd = socket_connect(server->socket);
		if (fd < 0) {
			clock_sleep(10 * CLOCK_NS_PER_MS);
		}
	}
	CHECK(fd >= 0);
	return fd;
}

int raw_open(const struct raw_server *server, uint32_t version) {
	return raw_open_as(server, version, "raw client");
}

int raw_open_as(const struct raw_server *server, uint32_t version, const char *name) {
	int fd = raw_connect(server);
	raw_create_renderer(fd, name);
	RAW_SEND(fd, VTEST_PROTOCOL_VERSION, version);
	uint32_t agreed;
	raw_receive(fd, VTEST_PROTOCOL_VERSION, &agreed, 1);
	CHECK(agreed == (version < 4 ? version : 4));
	RAW_SEND(fd, VTEST_CONTEXT_INIT, VTEST_CAPSET_VENUS);
	return fd;
}

void raw_write(int fd, const void *data, size_t size) {
	const char *bytes = data;
	while (size > 0) {
		ssize_t written = socket_send_fds(fd, bytes, size, NULL, 0);
		CHECK(written > 0);
		bytes += written;
		size -= (size_t)written;
	}
}

void raw_send(int fd, uint32_t id, const uint32_t *words, uint32_t count) {
	raw_write(fd, (const uint32_t[]){count, id}, 8);
	raw_write(fd, words, count * sizeof(*words));
}

void raw_create_renderer(int fd, const char *name) {
	uint32_t size = (uint32_t)strlen(name) + 1;
	raw_write(fd, (const uint32_t[]){size, VTEST_CREATE_RENDERER}, 8);
	raw_write(fd, name, size);
}

bool raw_is_readable(int fd, int timeout_ms) {
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	return poll(&poll_fd, 1, timeout_ms) == 1 && (poll_fd.revents & POLLIN);
}

void raw_receive(int fd, uint32_t id, uint32_t *words, uint32_t count) {
	uint32_t header[2];
	char *parts[2] = {(char *)header, (char *)words};
	size_t sizes[2] = {sizeof(header), count * sizeof(*words)};
	for (int i = 0; i < 2; i++) {
		for (size_t done = 0; done < sizes[i];) {
			CHECK(raw_is_readable(fd, TIMEOUT_MS));
			ssize_t size = read(fd, parts[i] + done, sizes[i] - done);
			CHECK(size > 0);
			done += (size_t)size;
		}
	}
	CHECK(header[0] == count);
	CHECK(header[1] == id);
}

int raw_receive_fd(int fd) {
	CHECK(raw_is_readable(fd, TIMEOUT_MS));
	char byte;
	int received, count;
	CHECK(socket_recv_fds(fd, &byte, 1, &received, 1, &count) == 1);
	CHECK(count == 1);
	return received;
}

void raw_expect_closed(int fd) {
	char byte;
	CHECK(raw_is_readable(fd, TIMEOUT_MS));
	ssize_t size = read(fd, &byte, 1);
	CHECK(size == 0 || (size < 0 && errno == ECONNRESET));
	close(fd);
}

void raw_expect_broken_reply(int fd, uint32_t id, uint32_t count) {
	uint32_t words[4];
	CHECK(count <= 4);
	raw_receive(fd, id, words, count);
	raw_expect_closed(fd);
}

void raw_expect_silence(int fd) {
	CHECK(!raw_is_readable(fd, 50));
}

uint32_t raw_create_blob(int fd, uint32_t type, uint64_t size, uint64_t blob_id, int *blob_fd) {
	RAW_SEND(fd, VTEST_RESOURCE_CREATE_BLOB, type, 1, (uint32_t)size, (uint32_t)(size >> 32),
		(uint32_t)blob_id, (uint32_t)(blob_id >> 32));
	uint32_t id;
	raw_receive(fd, VTEST_RESOURCE_CREATE_BLOB, &id, 1);
	CHECK(id != 0);
	*blob_fd = raw_receive_fd(fd);
	return id;
}

uint32_t raw_create_sync(int fd, uint64_t value) {
	RAW_SEND(fd, VTEST_SYNC_CREATE, (uint32_t)value, (uint32_t)(value >> 32));
	uint32_t sync;
	raw_receive(fd, VTEST_SYNC_CREATE, &sync, 1);
	CHECK(sync != 0);
	return sync;
}

uint64_t raw_read_sync(int fd, uint32_t sync) {
	RAW_SEND(fd, VTEST_SYNC_READ, sync);
	uint32_t words[2];
	raw_receive(fd, VTEST_SYNC_READ, words, 2);
	return words[0] | (uint64_t)words[1] << 32;
}

void raw_submit(int fd, uint32_t version, uint32_t flags, uint32_t ring_idx,
		const uint32_t *stream, uint32_t stream_words, uint32_t sync, uint64_t value) {
	/* clients of version 3 believe that a batch has 6 words */
	uint32_t batch_words = version >= 4 ? VTEST_BATCH_WORDS_V4 : VTEST_BATCH_WORDS_V3;
	uint32_t sync_words = sync ? 3 : 0;
	uint32_t cmd_offset = 1 + batch_words;
	const uint32_t batch[1 + VTEST_BATCH_WORDS_V4] = {1, flags, cmd_offset, stream_words,
		cmd_offset + stream_words, sync ? 1 : 0, ring_idx};
	const uint32_t point[3] = {sync, (uint32_t)value, (uint32_t)(value >> 32)};
	raw_write(fd, (const uint32_t[]){cmd_offset + stream_words + sync_words, VTEST_SUBMIT_CMD2}, 8);
	raw_write(fd, batch, cmd_offset * 4);
	raw_write(fd, stream, stream_words * 4);
	raw_write(fd, point, sync_words * 4);
}

void raw_expect_alive(int fd) {
	uint32_t busy;
	RAW_SEND(fd, VTEST_RESOURCE_BUSY_WAIT, 0, 0);
	raw_receive(fd, VTEST_RESOURCE_BUSY_WAIT, &busy, 1);
	CHECK(busy == 0);
}
