/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/notifier.h"
#include "base/socket.h"
#include "test.h"

static bool is_readable(int fd) {
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	return poll(&poll_fd, 1, 0) == 1;
}

static void test_signal_and_drain(void) {
	int fds_before = test_count_fds();
	struct notifier notifier;
	CHECK(notifier_init(&notifier) == 0);
	CHECK(fcntl(notifier.read_fd, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(notifier.write_fd, F_GETFD) & FD_CLOEXEC);
	CHECK(!is_readable(notifier.read_fd));
	notifier_drain(&notifier); /* nothing there: must not block */
	for (int count = 1; count <= 1000; count *= 10) {
		for (int i = 0; i < count; i++) {
			notifier_signal(&notifier);
		}
		CHECK(is_readable(notifier.read_fd));
		notifier_drain(&notifier);
		CHECK(!is_readable(notifier.read_fd));
	}
	/* more than a pipe holds */
	errno = 0;
	for (int i = 0; i < 100000; i++) {
		notifier_signal(&notifier);
	}
	CHECK_INT(errno, 0); /* a handler's errno must stay */
	notifier_drain(&notifier);
	CHECK(!is_readable(notifier.read_fd));
	notifier_finish(&notifier);
	notifier_finish(&notifier);
	CHECK_INT(test_count_fds(), fds_before);
}

static void *signal_later(void *data) {
	notifier_signal(data);
	return NULL;
}

static void test_wakes_poll(void) {
	struct notifier notifier;
	CHECK(notifier_init(&notifier) == 0);
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, signal_later, &notifier) == 0);
	struct pollfd poll_fd = {.fd = notifier.read_fd, .events = POLLIN};
	CHECK(poll(&poll_fd, 1, 10000) == 1);
	pthread_join(thread, NULL);
	notifier_finish(&notifier);
}

static void test_peers_descriptor(void) {
	/* of a notifier's kind, and a blocking pipe */
	struct notifier notifier;
	CHECK(notifier_init(&notifier) == 0);
	notifier_fd_signal(notifier.write_fd);
	CHECK(is_readable(notifier.read_fd));
	notifier_fd_drain(notifier.read_fd);
	CHECK(!is_readable(notifier.read_fd));
	notifier_finish(&notifier);

	int fds[2];
	CHECK(pipe(fds) == 0);
	for (int i = 0; i < 10; i++) {
		notifier_fd_signal(fds[1]);
	}
	CHECK(is_readable(fds[0]));
	notifier_fd_drain(fds[0]);
	CHECK(!is_readable(fds[0]));
	close(fds[0]);
	close(fds[1]);
}

int main(void) {
	RUN(test_signal_and_drain);
	RUN(test_wakes_poll);
	RUN(test_peers_descriptor);
	return 0;
}
