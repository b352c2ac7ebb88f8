/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/os.h"
#include "base/socket.h"
#include "test.h"

static char folder[] = "/tmp/venera-test-XXXXXX";
static char path[100];

static void check_cloexec(int fd) {
	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void test_listen_connect(void) {
	int fds_before = test_count_fds();
	int listener = socket_listen(path);
	check_cloexec(listener);
	CHECK_INT(socket_set_blocking(listener, false), 0);
	CHECK_INT(socket_accept(listener), -EAGAIN);

	int client = socket_connect(path);
	check_cloexec(client);
	int server = socket_accept(listener);
	check_cloexec(server);
	CHECK(!(fcntl(server, F_GETFL) & O_NONBLOCK));
	CHECK(write(client, "hello", 5) == 5);
	char text[8];
	CHECK(read(server, text, sizeof(text)) == 5);
	close(client);
	CHECK(read(server, text, sizeof(text)) == 0);
	close(server);
	close(listener);
	CHECK(unlink(path) == 0);
	CHECK_INT(socket_connect(path), -ENOENT);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_stale_and_live(void) {
	int fds_before = test_count_fds();
	int listener = socket_listen(path);
	CHECK(listener >= 0);
	CHECK_INT(socket_listen(path), -EADDRINUSE);
	/* still reachable: the attempt did not harm it */
	int client = socket_connect(path);
	CHECK(client >= 0);
	close(client);
	close(listener);

	/* now the file is there and nobody listens */
	CHECK(access(path, F_OK) == 0);
	CHECK_INT(socket_connect(path), -ECONNREFUSED);
	listener = socket_listen(path);
	CHECK(listener >= 0);
	client = socket_connect(path);
	CHECK(client >= 0);
	close(client);
	close(listener);
	CHECK(unlink(path) == 0);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_full_backlog_is_live(void) {
	/* nobody accepts and the backlog is full: must neither wait nor take the file */
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strcpy(address.sun_path, path);
	CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(listener, 0) == 0);
	int clients[8];
	for (int i = 0; i < 8; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		CHECK_INT(socket_set_blocking(clients[i], false), 0);
		(void)!connect(clients[i], (struct sockaddr *)&address, sizeof(address));
	}
	CHECK_INT(socket_listen(path), -EADDRINUSE);
	for (int i = 0; i < 8; i++) {
		close(clients[i]);
	}
	close(listener);
	CHECK(unlink(path) == 0);
}

static void test_not_a_socket(void) {
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0 && write(fd, "precious", 8) == 8);
	close(fd);
	CHECK_INT(socket_listen(path), -EEXIST);
	struct stat st;
	CHECK(stat(path, &st) == 0 && st.st_size == 8);
	CHECK(unlink(path) == 0);
	CHECK_INT(socket_listen("/nonexistent/folder/socket"), -ENOENT);
	CHECK_INT(socket_listen(""), -ENOENT);
}

static void test_long_path(void) {
	char longest[300];
	size_t max = socket_path_max();
	CHECK(max >= 100 && max < sizeof(longest) - 1);
	snprintf(longest, sizeof(longest), "%s/", folder);
	size_t length = strlen(longest);
	memset(longest + length, 'p', max - length);
	longest[max] = '\0';
	int listener = socket_listen(longest);
	CHECK(listener >= 0);
	int client = socket_connect(longest);
	CHECK(client >= 0);
	close(client);
	close(listener);
	CHECK(unlink(longest) == 0);

	longest[max] = 'p';
	longest[max + 1] = '\0';
	CHECK_INT(socket_listen(longest), -ENAMETOOLONG);
	CHECK_INT(socket_connect(longest), -ENAMETOOLONG);
	longest[max] = '\0';
	CHECK(access(longest, F_OK) < 0); /* not bound to a shortened name */
}

static void test_no_sigpipe(void) {
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
	check_cloexec(pair[0]);
	check_cloexec(pair[1]);
	close(pair[1]);
	CHECK_INT(socket_send_fds(pair[0], "x", 1, NULL, 0), -EPIPE); /* and still alive */
	close(pair[0]);
}

static void test_pass_fds(void) {
	int fds_before = test_count_fds();
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
	int files[SOCKET_MAX_FDS + 1];
	struct stat stats[SOCKET_MAX_FDS];
	for (int i = 0; i < SOCKET_MAX_FDS; i++) {
		FILE *file = tmpfile();
		CHECK(file);
		files[i] = fd_dup(fileno(file));
		fclose(file);
		check_cloexec(files[i]);
		CHECK(fstat(files[i], &stats[i]) == 0);
	}
	files[SOCKET_MAX_FDS] = files[0];

	CHECK_INT(socket_send_fds(pair[0], "x", 1, files, SOCKET_MAX_FDS + 1), -EINVAL);
	CHECK_INT(socket_send_fds(pair[0], "", 0, files, 1), -EINVAL);
	CHECK_INT(socket_send_fds(pair[0], "abcd", 4, files, SOCKET_MAX_FDS), 4);
	char data[16];
	int received[SOCKET_MAX_FDS], count;
	CHECK_INT(socket_recv_fds(pair[1], data, 16, received, SOCKET_MAX_FDS, &count), 4);
	CHECK(memcmp(data, "abcd", 4) == 0);
	CHECK_INT(count, SOCKET_MAX_FDS);
	for (int i = 0; i < count; i++) {
		struct stat st;
		check_cloexec(received[i]);
		CHECK(fstat(received[i], &st) == 0);
		CHECK(st.st_dev == stats[i].st_dev && st.st_ino == stats[i].st_ino);
		close(received[i]);
	}

	/* those over the number that the receiver wants are closed */
	int fds_now = test_count_fds();
	CHECK_INT(socket_send_fds(pair[0], "abcd", 4, files, SOCKET_MAX_FDS), 4);
	CHECK_INT(socket_recv_fds(pair[1], data, 16, received, 3, &count), 4);
	CHECK_INT(count, 3);
	CHECK_INT(test_count_fds(), fds_now + 3);
	for (int i = 0; i < count; i++) {
		close(received[i]);
	}
	CHECK_INT(socket_send_fds(pair[0], "abcd", 4, files, 2), 4);
	CHECK_INT(socket_recv_fds(pair[1], data, 16, NULL, 0, &count), 4);
	CHECK_INT(count, 0);
	CHECK_INT(test_count_fds(), fds_now);

	/* from several pieces */
	struct iovec iov[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
	CHECK_INT(socket_send_fds_iov(pair[0], iov, 3, files, 1), 5);
	CHECK_INT(socket_recv_fds(pair[1], data, 16, received, 1, &count), 5);
	CHECK(memcmp(data, "abcde", 5) == 0 && count == 1);
	close(received[0]);

	CHECK_INT(socket_set_blocking(pair[1], false), 0);
	CHECK_INT(socket_recv_fds(pair[1], data, 16, received, 1, &count), -EAGAIN);
	close(pair[0]);
	CHECK_INT(socket_recv_fds(pair[1], data, 16, received, 1, &count), 0);
	close(pair[1]);
	for (int i = 0; i < SOCKET_MAX_FDS; i++) {
		close(files[i]);
	}
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_descriptor_table_full(void) {
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
	int sent[4] = {pair[0], pair[0], pair[0], pair[0]};
	CHECK_INT(socket_send_fds(pair[0], "abcd", 4, sent, 4), 4);

	struct rlimit limit, low;
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	low = limit;
	int next = fd_dup(0); /* the lowest free number */
	CHECK(next >= 0);
	close(next);
	low.rlim_cur = (rlim_t)next + 2;
	CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	int fds_before = test_count_fds();
	char data[4];
	int received[4], count;
	ssize_t got = socket_recv_fds(pair[1], data, 4, received, 4, &count);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(got < 0);
	CHECK_INT(count, 0);
	CHECK_INT(test_count_fds(), fds_before);
#if OS_LINUX
	CHECK_INT(got, -EMFILE);
#endif
	close(pair[0]);
	close(pair[1]);
}

static void test_drained(void) {
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
#if OS_HAVE_SIOCOUTQ
	CHECK_INT(socket_is_drained(pair[0]), 1);
	CHECK(write(pair[0], "abc", 3) == 3);
	CHECK_INT(socket_is_drained(pair[0]), 0);
	char data[4];
	CHECK(read(pair[1], data, 1) == 1);
	CHECK_INT(socket_is_drained(pair[0]), 0);
	CHECK(read(pair[1], data, 4) == 2);
	CHECK_INT(socket_is_drained(pair[0]), 1);
	CHECK(socket_is_drained(-1) < 0);
#else
	CHECK_INT(socket_is_drained(pair[0]), -ENOTSUP);
#endif
	close(pair[0]);
	close(pair[1]);
}

static void test_flags(void) {
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
	CHECK_INT(fd_set_cloexec(pair[0], false), 0);
	CHECK(!(fcntl(pair[0], F_GETFD) & FD_CLOEXEC));
	CHECK_INT(socket_prepare(pair[0]), 0);
	check_cloexec(pair[0]);
	CHECK_INT(socket_set_blocking(pair[0], false), 0);
	CHECK(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	CHECK_INT(socket_set_blocking(pair[0], true), 0);
	CHECK(!(fcntl(pair[0], F_GETFL) & O_NONBLOCK));
	close(pair[0]);
	close(pair[1]);
	CHECK_INT(fd_set_cloexec(pair[0], true), -EBADF);
	CHECK_INT(fd_dup(pair[0]), -EBADF);
	CHECK_INT(socket_set_blocking(pair[0], true), -EBADF);
	CHECK_INT(socket_prepare(pair[0]), -EBADF);
}

static void test_raise_limit(void) {
	struct rlimit before, after;
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	before.rlim_cur = 256;
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	fd_limit_raise();
	CHECK(getrlimit(RLIMIT_NOFILE, &after) == 0);
	CHECK(after.rlim_cur > 256 || after.rlim_max == 256);
#if OS_LINUX
	CHECK(after.rlim_cur == after.rlim_max);
#endif
}

int main(void) {
	CHECK(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	RUN(test_listen_connect);
	RUN(test_stale_and_live);
	RUN(test_full_backlog_is_live);
	RUN(test_not_a_socket);
	RUN(test_long_path);
	RUN(test_no_sigpipe);
	RUN(test_pass_fds);
	RUN(test_descriptor_table_full);
	RUN(test_drained);
	RUN(test_flags);
	RUN(test_raise_limit);
	CHECK(rmdir(folder) == 0);
	return 0;
}
