/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/shmem.h"
#include "base/socket.h"
#include "test.h"

/* Objects whose descriptors are sent and recognised at the other end. */
#define OBJECT_COUNT 8
static struct shmem objects[OBJECT_COUNT];

static void open_pair(struct channel *a, struct channel *b) {
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
	CHECK_INT(channel_init(a, pair[0]), 0);
	CHECK_INT(channel_init(b, pair[1]), 0);
}

/* The other end is a bare socket, to write what a channel never would. */
static int open_raw(struct channel *channel) {
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
	CHECK_INT(channel_init(channel, pair[0]), 0);
	CHECK_INT(socket_set_blocking(pair[0], false), 0);
	return pair[1];
}

static void write_all(int fd, const void *data, size_t size, const int *fds, int fd_count) {
	CHECK_INT(socket_send_fds(fd, data, size, fds, fd_count), size);
}

static void test_round_trip(void) {
	int fds_before = test_count_fds();
	struct channel a, b;
	open_pair(&a, &b);
	uint64_t body[3] = {1, 2, 3};
	int fds[2] = {objects[3].fd, objects[5].fd};
	CHECK_INT(channel_send(&a, 7, body, sizeof(body), "extra", 5, fds, 2), 0);
	CHECK_INT(channel_send(&a, 8, NULL, 0, NULL, 0, NULL, 0), 0);
	CHECK_INT(channel_send(&b, 9, NULL, 0, "x", 1, NULL, 0), 0);

	struct channel_message message;
	CHECK_INT(channel_recv(&b, &message), 1);
	CHECK_INT(message.type, 7);
	CHECK_INT(message.size, 29);
	CHECK(memcmp(message.body, body, 24) == 0);
	CHECK(memcmp((const char *)message.body + 24, "extra", 5) == 0);
	CHECK_INT(message.fd_count, 2);
	CHECK(fcntl(message.fds[0], F_GETFD) & FD_CLOEXEC);
	CHECK(shmem_fd_same(message.fds[0], objects[3].fd));
	CHECK(shmem_fd_same(message.fds[1], objects[5].fd));
	CHECK_INT(message.fds[2], -1);
	close(message.fds[0]);
	message.fds[0] = -1; /* as one that was kept */
	channel_message_close_fds(&message);
	channel_message_close_fds(&message);

	CHECK_INT(channel_recv(&b, &message), 1);
	CHECK_INT(message.type, 8);
	CHECK_INT(message.size, 0);
	CHECK_INT(message.fd_count, 0);
	CHECK_INT(channel_recv(&a, &message), 1);
	CHECK_INT(message.type, 9);
	CHECK(message.size == 1 && *(const char *)message.body == 'x');

	channel_finish(&a);
	CHECK_INT(channel_recv(&b, &message), 0);
	CHECK_INT(channel_recv(&b, &message), 0);
	CHECK_INT(channel_send(&b, 1, NULL, 0, NULL, 0, NULL, 0), -EPIPE);
	channel_finish(&b);
	channel_finish(&b);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_bad_arguments(void) {
	struct channel a, b;
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
	close(pair[0]);
	CHECK_INT(channel_init(&a, pair[0]), -EBADF);
	channel_finish(&a);
	close(pair[1]);

	open_pair(&a, &b);
	int fds[5] = {0, 0, 0, 0, 0};
	CHECK_INT(channel_send(&a, 1, NULL, 0, NULL, 0, fds, 5), -EINVAL);
	CHECK_INT(channel_send(&a, 1, NULL, 0, NULL, 0, fds, -1), -EINVAL);
	CHECK_INT(channel_send(&a, 1, "", CHANNEL_MAX_BODY + 1, NULL, 0, NULL, 0), -EMSGSIZE);
	CHECK_INT(channel_send(&a, 1, "", 1, "", CHANNEL_MAX_BODY, NULL, 0), -EMSGSIZE);
	CHECK_INT(channel_send(&a, 1, "", 1, "", SIZE_MAX, NULL, 0), -EMSGSIZE);
	CHECK_INT(channel_send(&a, 1, "x", 1, NULL, 0, fds, 4), 0); /* nothing was written before */
	struct channel_message message;
	CHECK_INT(channel_recv(&b, &message), 1);
	CHECK_INT(message.size, 1);
	CHECK_INT(message.fd_count, 4);
	channel_message_close_fds(&message);
	channel_finish(&a);
	channel_finish(&b);
}

/* A stream of messages that both ends can compute: sizes, bytes and descriptors by number. */
struct plan {
	size_t body_size, extra_size;
	int fd_count;
	int object[CHANNEL_MAX_FDS];
};

static unsigned char plan_bytes[400000];

static struct plan make_plan(unsigned number) {
	unsigned state = number * 77777 + 1;
	struct plan plan = {0};
	plan.body_size = test_random(&state) % 100;
	plan.extra_size = number % 3 ? 0 : test_random(&state) % 3000;
	if (number % 500 == 499) {
		plan.extra_size = 100000 + test_random(&state) % 200000;
	}
	plan.fd_count = number % 5 != 4 ? 0 : (int)(test_random(&state) % (CHANNEL_MAX_FDS + 1));
	for (int i = 0; i < plan.fd_count; i++) {
		plan.object[i] = (int)(test_random(&state) % OBJECT_COUNT);
	}
	return plan;
}

static void send_planned(struct channel *channel, unsigned number) {
	struct plan plan = make_plan(number);
	int fds[CHANNEL_MAX_FDS] = {-1, -1, -1, -1};
	for (int i = 0; i < plan.fd_count; i++) {
		fds[i] = fd_dup(objects[plan.object[i]].fd);
		CHECK(fds[i] >= 0);
	}
	CHECK_INT(channel_send(channel, number, plan_bytes + number % 1000, plan.body_size,
		plan_bytes + number % 999, plan.extra_size, fds, plan.fd_count), 0);
	for (int i = 0; i < plan.fd_count; i++) {
		close(fds[i]); /* queued ones must be the channel's own by now */
	}
}

static void check_planned(struct channel_message *message, unsigned number) {
	struct plan plan = make_plan(number);
	CHECK_INT(message->type, number);
	CHECK_INT((uintptr_t)message->body % 8, 0);
	CHECK_INT(message->size, plan.body_size + plan.extra_size);
	CHECK(memcmp(message->body, plan_bytes + number % 1000, plan.body_size) == 0);
	CHECK(memcmp((const char *)message->body + plan.body_size, plan_bytes + number % 999,
		plan.extra_size) == 0);
	CHECK_INT(message->fd_count, plan.fd_count);
	for (int i = 0; i < plan.fd_count; i++) {
		CHECK(shmem_fd_same(message->fds[i], objects[plan.object[i]].fd));
	}
	channel_message_close_fds(message);
}

struct stream {
	struct channel channel;
	unsigned first, count;
	bool slow;
};

static void *send_stream(void *data) {
	struct stream *stream = data;
	for (unsigned i = 0; i < stream->count; i++) {
		send_planned(&stream->channel, i);
	}
	return NULL;
}

static void *recv_stream(void *data) {
	struct stream *stream = data;
	for (unsigned i = stream->first; i < stream->count; i++) {
		struct channel_message message;
		int result;
		while ((result = channel_recv(&stream->channel, &message)) == -EAGAIN) {
			struct pollfd poll_fd = {.fd = stream->channel.fd, .events = POLLIN};
			CHECK(poll(&poll_fd, 1, 20000) == 1);
		}
		CHECK_INT(result, 1);
		check_planned(&message, i);
		if (stream->slow && i % 64 == 0) {
			clock_sleep(CLOCK_NS_PER_MS);
		}
	}
	return NULL;
}

static void test_many(void) {
	int fds_before = test_count_fds();
	struct stream sender = {.count = 10000}, receiver = {.count = 10000};
	open_pair(&sender.channel, &receiver.channel);
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, send_stream, &sender) == 0);
	recv_stream(&receiver);
	pthread_join(thread, NULL);
	channel_finish(&sender.channel);
	channel_finish(&receiver.channel);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_blocking_send_on_nonblocking_socket(void) {
	struct stream sender = {.count = 3000}, receiver = {.count = 3000, .slow = true};
	open_pair(&sender.channel, &receiver.channel);
	CHECK_INT(socket_set_blocking(sender.channel.fd, false), 0);
	CHECK_INT(socket_set_blocking(receiver.channel.fd, false), 0);
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, recv_stream, &receiver) == 0);
	send_stream(&sender);
	pthread_join(thread, NULL);
	CHECK_INT(channel_queued(&sender.channel), 0);
	channel_finish(&sender.channel);
	channel_finish(&receiver.channel);
}

static void *send_small(void *data) {
	struct channel *channel = data;
	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t body[8] = {i, i, i, i, i, i, i, i};
		CHECK_INT(channel_send(channel, 1, body, sizeof(body), body, 16, NULL, 0), 0);
	}
	return NULL;
}

static void test_senders_on_many_threads(void) {
	struct channel a, b;
	open_pair(&a, &b);
	pthread_t threads[3];
	for (int i = 0; i < 3; i++) {
		CHECK(pthread_create(&threads[i], NULL, send_small, &a) == 0);
	}
	for (int i = 0; i < 3 * 2000; i++) {
		struct channel_message message;
		CHECK_INT(channel_recv(&b, &message), 1);
		CHECK_INT(message.size, 48);
		const uint32_t *words = message.body;
		for (int j = 1; j < 12; j++) {
			CHECK_INT(words[j], words[0]);
		}
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
	}
	channel_finish(&a);
	channel_finish(&b);
}

static void test_queueing(void) {
	int fds_before = test_count_fds();
	struct stream sender = {.count = 2000}, receiver = {.count = 2000};
	open_pair(&sender.channel, &receiver.channel);
	CHECK_INT(channel_set_queueing(&sender.channel, true), 0);
	/* the peer is stuck: all of this must return at once */
	send_stream(&sender);
	size_t queued = channel_queued(&sender.channel);
	CHECK(queued > 500000);
	CHECK_INT(channel_flush(&sender.channel), 1);
	CHECK_INT(channel_queued(&sender.channel), queued);

	/* there is room again, but what comes now must not overtake what waits */
	struct channel_message message;
	for (unsigned i = 0; i < 50; i++) {
		CHECK_INT(channel_recv(&receiver.channel, &message), 1);
		check_planned(&message, i);
	}
	receiver.first = 50;
	receiver.count++;
	send_planned(&sender.channel, sender.count);

	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, recv_stream, &receiver) == 0);
	int result;
	while ((result = channel_flush(&sender.channel)) == 1) {
		CHECK(channel_queued(&sender.channel) > 0);
		struct pollfd poll_fd = {.fd = sender.channel.fd, .events = POLLOUT};
		CHECK(poll(&poll_fd, 1, 20000) == 1);
	}
	CHECK_INT(result, 0);
	CHECK_INT(channel_queued(&sender.channel), 0);
	pthread_join(thread, NULL);

	/* with nothing queued sends go straight out again */
	send_planned(&sender.channel, 0);
	CHECK_INT(channel_queued(&sender.channel), 0);
	CHECK_INT(channel_recv(&receiver.channel, &message), 1);
	check_planned(&message, 0);

	/* what is queued when the channel goes away leaks nothing */
	send_stream(&sender);
	channel_finish(&sender.channel);
	channel_finish(&receiver.channel);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_queueing_off(void) {
	struct stream sender = {.count = 2000}, receiver = {.count = 2000};
	open_pair(&sender.channel, &receiver.channel);
	CHECK_INT(channel_set_queueing(&sender.channel, true), 0);
	send_stream(&sender);
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, recv_stream, &receiver) == 0);
	CHECK_INT(channel_set_queueing(&sender.channel, false), 0);
	CHECK_INT(channel_queued(&sender.channel), 0);
	CHECK(!(fcntl(sender.channel.fd, F_GETFL) & O_NONBLOCK));
	pthread_join(thread, NULL);
	channel_finish(&sender.channel);
	channel_finish(&receiver.channel);
}

static void test_queue_to_dead_peer(void) {
	int fds_before = test_count_fds();
	struct stream sender = {.count = 1000}, receiver;
	open_pair(&sender.channel, &receiver.channel);
	CHECK_INT(channel_set_queueing(&sender.channel, true), 0);
	send_stream(&sender);
	CHECK(channel_queued(&sender.channel) > 0);
	channel_finish(&receiver.channel);
	CHECK(channel_flush(&sender.channel) < 0);
	CHECK(channel_flush(&sender.channel) < 0);
	CHECK(channel_send(&sender.channel, 1, NULL, 0, NULL, 0, NULL, 0) < 0);
	channel_finish(&sender.channel);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_byte_by_byte(void) {
	int fds_before = test_count_fds();
	struct channel channel;
	int raw = open_raw(&channel);
	for (uint32_t size = 0; size < 40; size++) {
		uint32_t header[4] = {100 + size, size, size % 3, 0};
		unsigned char bytes[16 + 40];
		memcpy(bytes, header, 16);
		memcpy(bytes + 16, plan_bytes, size);
		int fds[2] = {objects[size % OBJECT_COUNT].fd, objects[(size + 1) % OBJECT_COUNT].fd};
		struct channel_message message;
		for (size_t i = 0; i < 16 + size; i++) {
			CHECK_INT(channel_recv(&channel, &message), -EAGAIN);
			write_all(raw, bytes + i, 1, fds, i == 0 ? (int)(size % 3) : 0);
		}
		CHECK_INT(channel_recv(&channel, &message), 1);
		CHECK_INT(message.type, 100 + size);
		CHECK_INT(message.size, size);
		CHECK_INT((uintptr_t)message.body % 8, 0);
		CHECK(memcmp(message.body, plan_bytes, size) == 0);
		CHECK_INT(message.fd_count, size % 3);
		for (int i = 0; i < message.fd_count; i++) {
			CHECK(shmem_fd_same(message.fds[i], fds[i]));
		}
		channel_message_close_fds(&message);
	}
	close(raw);
	channel_finish(&channel);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_coalesced(void) {
	/* three messages in one write, with the descriptors of two of them */
	struct channel channel;
	int raw = open_raw(&channel);
	unsigned char bytes[3 * 16 + 3 + 5];
	uint32_t headers[3][4] = {{1, 3, 1, 0}, {2, 5, 0, 0}, {3, 0, 2, 0}};
	memcpy(bytes, headers[0], 16);
	memcpy(bytes + 16, "abc", 3);
	memcpy(bytes + 19, headers[1], 16);
	memcpy(bytes + 35, "defgh", 5);
	memcpy(bytes + 40, headers[2], 16);
	int fds[3] = {objects[0].fd, objects[1].fd, objects[2].fd};
	write_all(raw, bytes, sizeof(bytes), fds, 3);

	struct channel_message message;
	CHECK_INT(channel_recv(&channel, &message), 1);
	CHECK(message.size == 3 && memcmp(message.body, "abc", 3) == 0);
	CHECK(message.fd_count == 1 && shmem_fd_same(message.fds[0], fds[0]));
	channel_message_close_fds(&message);
	CHECK_INT(channel_recv(&channel, &message), 1);
	CHECK(message.size == 5 && memcmp(message.body, "defgh", 5) == 0 && message.fd_count == 0);
	CHECK_INT((uintptr_t)message.body % 8, 0);
	CHECK_INT(channel_recv(&channel, &message), 1);
	CHECK(message.type == 3 && message.fd_count == 2);
	CHECK(shmem_fd_same(message.fds[0], fds[1]) && shmem_fd_same(message.fds[1], fds[2]));
	channel_message_close_fds(&message);
	CHECK_INT(channel_recv(&channel, &message), -EAGAIN);

	/* the descriptors of one message, spread over its bytes */
	uint32_t header[4] = {4, 4, 3, 0};
	write_all(raw, header, 16, fds, 1);
	CHECK_INT(channel_recv(&channel, &message), -EAGAIN);
	write_all(raw, "ab", 2, fds + 1, 1);
	CHECK_INT(channel_recv(&channel, &message), -EAGAIN);
	write_all(raw, "cd", 2, fds + 2, 1);
	CHECK_INT(channel_recv(&channel, &message), 1);
	CHECK(message.size == 4 && memcmp(message.body, "abcd", 4) == 0 && message.fd_count == 3);
	for (int i = 0; i < 3; i++) {
		CHECK(shmem_fd_same(message.fds[i], fds[i]));
	}
	channel_message_close_fds(&message);
	close(raw);
	channel_finish(&channel);
}

/* One header, some bytes and descriptors: what does a receiver say? */
static int receive_raw(const uint32_t header[4], size_t bytes, int fd_count, bool then_close) {
	int fds_before = test_count_fds();
	struct channel channel;
	int raw = open_raw(&channel);
	int fds[SOCKET_MAX_FDS];
	for (int i = 0; i < SOCKET_MAX_FDS; i++) {
		fds[i] = objects[i].fd;
	}
	unsigned char data[16 + 100] = {0};
	memcpy(data, header, 16);
	write_all(raw, data, bytes, fds, fd_count);
	if (then_close) {
		close(raw);
	}
	struct channel_message message;
	int result = channel_recv(&channel, &message);
	if (result == 1) {
		channel_message_close_fds(&message);
		result = channel_recv(&channel, &message);
	}
	if (result == -EPROTO) {
		/* those received are closed at once, and there is no way back */
		CHECK_INT(test_count_fds(), fds_before + (then_close ? 1 : 2));
		CHECK_INT(channel_recv(&channel, &message), -EPROTO);
	}
	channel_finish(&channel);
	if (!then_close) {
		close(raw);
	}
	CHECK_INT(test_count_fds(), fds_before);
	return result;
}

static void test_framing_violations(void) {
	const uint32_t good[4] = {1, 10, 1, 0};
	const uint32_t no_fds[4] = {1, 10, 0, 0};
	const uint32_t too_large[4] = {1, CHANNEL_MAX_BODY + 1, 0, 0};
	const uint32_t huge[4] = {1, UINT32_MAX, 0, 0};
	const uint32_t many_fds[4] = {1, 10, CHANNEL_MAX_FDS + 1, 0};
	const uint32_t negative_fds[4] = {1, 10, UINT32_MAX, 0};
	const uint32_t not_zero[4] = {1, 10, 0, 1};
	CHECK_INT(receive_raw(good, 26, 1, false), -EAGAIN);
	CHECK_INT(receive_raw(good, 26, 1, true), 0);
	CHECK_INT(receive_raw(too_large, 16, 0, false), -EPROTO);
	CHECK_INT(receive_raw(huge, 16, 0, false), -EPROTO);
	CHECK_INT(receive_raw(many_fds, 16, 5, false), -EPROTO);
	CHECK_INT(receive_raw(negative_fds, 16, 1, false), -EPROTO);
	CHECK_INT(receive_raw(not_zero, 16, 0, false), -EPROTO);
	/* descriptors: too many, too few */
	CHECK_INT(receive_raw(no_fds, 26, 1, false), -EPROTO);
	CHECK_INT(receive_raw(no_fds, 16, 1, false), -EPROTO);
	CHECK_INT(receive_raw(no_fds, 3, 5, false), -EPROTO);
	CHECK_INT(receive_raw(good, 26, 2, false), -EPROTO);
	CHECK_INT(receive_raw(good, 20, 8, false), -EPROTO);
	CHECK_INT(receive_raw(good, 26, 0, false), -EPROTO);
	/* the end comes early */
	CHECK_INT(receive_raw(good, 25, 1, true), -EPROTO);
	CHECK_INT(receive_raw(good, 16, 1, true), -EPROTO);
	CHECK_INT(receive_raw(good, 1, 0, true), -EPROTO);
}

static void test_more_descriptors_than_fit(void) {
	/* more in one go than the receiver's control buffer holds */
	int fds_before = test_count_fds();
	struct channel channel;
	int raw = open_raw(&channel);
	enum { COUNT = 100 };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(COUNT * sizeof(int))];
	} control;
	memset(&control, 0, sizeof(control));
	uint32_t header[4] = {1, 0, 4, 0};
	struct iovec iov = {.iov_base = header, .iov_len = sizeof(header)};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(COUNT * sizeof(int));
	for (size_t i = 0; i < COUNT; i++) {
		memcpy(CMSG_DATA(rights) + i * sizeof(int), &objects[0].fd, sizeof(int));
	}
	CHECK_INT(sendmsg(raw, &message, 0), 16);
	struct channel_message received;
	CHECK_INT(channel_recv(&channel, &received), -EPROTO);
	channel_finish(&channel);
	close(raw);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_announced_is_not_allocated(void) {
	struct channel channel;
	int raw = open_raw(&channel);
	uint32_t header[4] = {1, CHANNEL_MAX_BODY, 0, 0};
	write_all(raw, header, 16, NULL, 0);
	struct channel_message message;
	CHECK_INT(channel_recv(&channel, &message), -EAGAIN);
	size_t sent = 16;
	for (int i = 0; i < 100; i++) {
		write_all(raw, plan_bytes, 10000, NULL, 0);
		sent += 10000;
		CHECK_INT(channel_recv(&channel, &message), -EAGAIN);
		CHECK(channel.capacity <= 2 * sent + 65536);
	}
	close(raw);
	CHECK_INT(channel_recv(&channel, &message), -EPROTO);
	channel_finish(&channel);
}

static unsigned char *giant;

static void *send_giant(void *data) {
	CHECK_INT(channel_send(data, 1, "12345678", 8, giant, CHANNEL_MAX_BODY - 8, NULL, 0), 0);
	CHECK_INT(channel_send(data, 2, "odd", 3, NULL, 0, NULL, 0), 0);
	return NULL;
}

static void test_largest_body(void) {
	giant = malloc(CHANNEL_MAX_BODY);
	CHECK(giant);
	for (size_t i = 0; i < CHANNEL_MAX_BODY; i++) {
		giant[i] = (unsigned char)(i >> 12 ^ i);
	}
	struct channel a, b;
	open_pair(&a, &b);
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, send_giant, &a) == 0);
	struct channel_message message;
	CHECK_INT(channel_recv(&b, &message), 1);
	CHECK_INT(message.size, CHANNEL_MAX_BODY);
	CHECK(memcmp(message.body, "12345678", 8) == 0);
	CHECK(memcmp((const char *)message.body + 8, giant, CHANNEL_MAX_BODY - 8) == 0);
	CHECK_INT(channel_recv(&b, &message), 1);
	CHECK(message.type == 2 && message.size == 3 && memcmp(message.body, "odd", 3) == 0);
	pthread_join(thread, NULL);

	/* the memory is given back when the next one is waited for */
	CHECK_INT(socket_set_blocking(b.fd, false), 0);
	CHECK_INT(channel_recv(&b, &message), -EAGAIN);
	CHECK(b.capacity <= 1 << 20);
	channel_finish(&a);
	channel_finish(&b);
	free(giant);
}

static void test_finish_with_unread(void) {
	/* messages with descriptors in the buffer that nobody asked for */
	int fds_before = test_count_fds();
	struct channel channel;
	int raw = open_raw(&channel);
	uint32_t header[8] = {1, 0, 2, 0, 2, 0, 2, 0};
	int fds[4] = {objects[0].fd, objects[1].fd, objects[2].fd, objects[3].fd};
	write_all(raw, header, 32, fds, 4);
	struct channel_message message;
	CHECK_INT(channel_recv(&channel, &message), 1);
	channel_message_close_fds(&message);
	channel_finish(&channel);
	close(raw);
	CHECK_INT(test_count_fds(), fds_before);
}

int main(void) {
	fd_limit_raise();
	for (int i = 0; i < OBJECT_COUNT; i++) {
		CHECK_INT(shmem_create(&objects[i], "object", 1), 0);
	}
	unsigned state = 5;
	for (size_t i = 0; i < sizeof(plan_bytes); i++) {
		plan_bytes[i] = (unsigned char)test_random(&state);
	}
	RUN(test_round_trip);
	RUN(test_bad_arguments);
	RUN(test_many);
	RUN(test_blocking_send_on_nonblocking_socket);
	RUN(test_senders_on_many_threads);
	RUN(test_queueing);
	RUN(test_queueing_off);
	RUN(test_queue_to_dead_peer);
	RUN(test_byte_by_byte);
	RUN(test_coalesced);
	RUN(test_framing_violations);
	RUN(test_more_descriptors_than_fit);
	RUN(test_announced_is_not_allocated);
	RUN(test_largest_body);
	RUN(test_finish_with_unread);
	for (int i = 0; i < OBJECT_COUNT; i++) {
		shmem_finish(&objects[i]);
	}
	return 0;
}
