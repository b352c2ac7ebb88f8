/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/socket.h"
#include "test.h"

static struct event_loop *loop;

/* A socket pair with a source on one end; the callback does what `action` says. */
struct watched {
	int fd, peer;
	struct event_source *source;
	int calls;
	uint32_t last_mask;
	void (*action)(struct watched *watched);
};

static void watched_ready(void *data, int fd, uint32_t mask) {
	struct watched *watched = data;
	CHECK_INT(fd, watched->fd);
	watched->calls++;
	watched->last_mask = mask;
	if (watched->action) {
		watched->action(watched);
	}
}

static void watched_init(struct watched *watched, uint32_t mask) {
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
	*watched = (struct watched){.fd = pair[0], .peer = pair[1]};
	watched->source = event_loop_add_fd(loop, watched->fd, mask, watched_ready, watched);
	CHECK(watched->source);
}

static void watched_finish(struct watched *watched) {
	event_source_remove(watched->source);
	close(watched->fd);
	if (watched->peer >= 0) {
		close(watched->peer);
	}
}

static void dispatch(void) {
	CHECK_INT(event_loop_dispatch(loop, 0), 0);
}

static void test_masks(void) {
	struct watched a;
	watched_init(&a, EVENT_READABLE);
	dispatch();
	CHECK_INT(a.calls, 0);
	CHECK(write(a.peer, "x", 1) == 1);
	dispatch();
	CHECK(a.calls == 1 && a.last_mask == EVENT_READABLE);
	dispatch(); /* level-triggered */
	CHECK_INT(a.calls, 2);
	event_source_fd_update(a.source, EVENT_WRITABLE);
	dispatch();
	CHECK(a.calls == 3 && a.last_mask == EVENT_WRITABLE);
	event_source_fd_update(a.source, EVENT_READABLE | EVENT_WRITABLE);
	dispatch();
	CHECK(a.calls == 4 && a.last_mask == (EVENT_READABLE | EVENT_WRITABLE));
	event_source_fd_update(a.source, 0);
	dispatch();
	CHECK_INT(a.calls, 4);
	close(a.peer);
	a.peer = -1;
	dispatch();
	CHECK(a.calls == 5 && (a.last_mask & EVENT_HANGUP) && !(a.last_mask & EVENT_READABLE));
	watched_finish(&a);
	dispatch();
	CHECK_INT(a.calls, 5);
}

static void remove_own(struct watched *watched) {
	event_source_remove(watched->source);
	watched->source = NULL;
}

static struct watched all[3];
static int victim;

static void remove_victim(struct watched *watched) {
	(void)watched;
	event_source_remove(all[victim].source);
	all[victim].source = NULL;
}

static void test_removal_in_callback(void) {
	/* each of three removes each of three, all ready in the same round */
	for (int actor = 0; actor < 3; actor++) {
		for (victim = 0; victim < 3; victim++) {
			for (int i = 0; i < 3; i++) {
				watched_init(&all[i], EVENT_READABLE);
				CHECK(write(all[i].peer, "x", 1) == 1);
			}
			all[actor].action = actor == victim ? remove_own : remove_victim;
			dispatch();
			for (int i = 0; i < 3; i++) {
				/* the victim is called only if its turn came before */
				CHECK_INT(all[i].calls, i == victim && victim > actor ? 0 : 1);
			}
			all[actor].action = NULL;
			dispatch();
			for (int i = 0; i < 3; i++) {
				CHECK_INT(all[i].calls,
					i != victim ? 2 : victim > actor ? 0 : 1);
				watched_finish(&all[i]);
			}
		}
	}
}

static struct watched *reuse_victim;
static struct watched reused;

static void reuse_number(struct watched *watched) {
	/* the other's descriptor number is closed and given to a source that is not ready */
	int old_fd = reuse_victim->fd;
	event_source_remove(reuse_victim->source);
	reuse_victim->source = NULL;
	close(old_fd);
	watched_init(&reused, EVENT_READABLE);
	int moved = reused.fd;
	if (moved != old_fd) {
		CHECK(dup2(moved, old_fd) == old_fd);
		event_source_remove(reused.source);
		close(moved);
		reused.fd = old_fd;
		reused.source =
			event_loop_add_fd(loop, old_fd, EVENT_READABLE, watched_ready, &reused);
		CHECK(reused.source);
	}
	reuse_victim->fd = -1;
	watched->action = NULL;
}

static void test_number_reused(void) {
	struct watched a, b;
	watched_init(&a, EVENT_READABLE);
	watched_init(&b, EVENT_READABLE);
	CHECK(write(a.peer, "x", 1) == 1);
	CHECK(write(b.peer, "x", 1) == 1);
	a.action = reuse_number;
	reuse_victim = &b;
	dispatch();
	CHECK(a.calls == 1 && b.calls == 0);
	CHECK_INT(reused.calls, 0); /* what was ready was the old one */
	dispatch();
	CHECK_INT(reused.calls, 0);
	CHECK(write(reused.peer, "x", 1) == 1);
	dispatch();
	CHECK_INT(reused.calls, 1);
	watched_finish(&a);
	watched_finish(&reused);
	close(b.peer);
}

static struct watched added[100];

static void add_many(struct watched *watched) {
	for (int i = 0; i < 100; i++) {
		watched_init(&added[i], EVENT_READABLE);
		CHECK(write(added[i].peer, "x", 1) == 1);
	}
	watched->action = NULL;
}

static void test_add_in_callback(void) {
	struct watched a, b;
	watched_init(&a, EVENT_READABLE);
	watched_init(&b, EVENT_READABLE);
	CHECK(write(a.peer, "x", 1) == 1);
	CHECK(write(b.peer, "x", 1) == 1);
	a.action = add_many; /* the loop's arrays move */
	dispatch();
	CHECK(a.calls == 1 && b.calls == 1);
	CHECK_INT(added[0].calls, 0);
	dispatch();
	CHECK(a.calls == 2 && b.calls == 2);
	for (int i = 0; i < 100; i++) {
		CHECK_INT(added[i].calls, 1);
		watched_finish(&added[i]);
	}
	watched_finish(&a);
	watched_finish(&b);
}

static void stop_watching_other(struct watched *watched) {
	(void)watched;
	event_source_fd_update(all[1].source, 0);
}

static void test_update_in_callback(void) {
	watched_init(&all[0], EVENT_READABLE);
	watched_init(&all[1], EVENT_READABLE);
	CHECK(write(all[0].peer, "x", 1) == 1);
	CHECK(write(all[1].peer, "x", 1) == 1);
	all[0].action = stop_watching_other;
	dispatch();
	CHECK_INT(all[0].calls, 1);
	CHECK_INT(all[1].calls, 0);
	watched_finish(&all[0]);
	watched_finish(&all[1]);
}

/* Timers write their letter. */
static char fired[64];
static struct event_source *timers[8];

static void fire(void *data) {
	size_t length = strlen(fired);
	CHECK(length + 1 < sizeof(fired));
	fired[length] = *(const char *)data;
	fired[length + 1] = '\0';
	switch (*(const char *)data) {
	case 'R': /* again, in the next round */
		event_source_timer_arm(timers[0], 0);
		break;
	case 'D': /* stops one that is due in the same round, and removes another */
		event_source_timer_disarm(timers[1]);
		event_source_remove(timers[2]);
		timers[2] = NULL;
		break;
	case 'O': /* removes itself */
		event_source_remove(timers[0]);
		timers[0] = NULL;
		break;
	case 'L': /* puts one off that is due in the same round */
		event_source_timer_arm(timers[1], 3600 * CLOCK_NS_PER_S);
		break;
	default:
		break;
	}
}

static void make_timers(const char *letters) {
	fired[0] = '\0';
	for (size_t i = 0; letters[i]; i++) {
		timers[i] = event_loop_add_timer(loop, fire, (void *)(letters + i));
		CHECK(timers[i]);
	}
}

static void remove_timers(const char *letters) {
	for (size_t i = 0; letters[i]; i++) {
		event_source_remove(timers[i]);
	}
}

static void test_timer_order(void) {
	make_timers("abcde");
	dispatch();
	CHECK_STR(fired, "");
	event_source_timer_arm(timers[0], 20 * CLOCK_NS_PER_MS);
	event_source_timer_arm(timers[1], 5 * CLOCK_NS_PER_MS);
	event_source_timer_arm(timers[2], 10 * CLOCK_NS_PER_MS);
	event_source_timer_arm(timers[3], UINT64_MAX);
	event_source_timer_arm(timers[4], 1 * CLOCK_NS_PER_MS);
	event_source_timer_arm(timers[4], 15 * CLOCK_NS_PER_MS); /* replaces */
	uint64_t begin = clock_now();
	while (strlen(fired) < 4) {
		CHECK_INT(event_loop_dispatch(loop, -1), 0);
	}
	CHECK_STR(fired, "bcea");
	CHECK(clock_now() - begin >= 20 * CLOCK_NS_PER_MS);

	/* all due in one round */
	fired[0] = '\0';
	event_source_timer_arm(timers[0], 3 * CLOCK_NS_PER_MS);
	event_source_timer_arm(timers[1], 1 * CLOCK_NS_PER_MS);
	event_source_timer_arm(timers[2], 2 * CLOCK_NS_PER_MS);
	event_source_timer_arm(timers[4], 0);
	clock_sleep(5 * CLOCK_NS_PER_MS);
	dispatch();
	CHECK_STR(fired, "ebca");
	event_source_timer_arm(timers[0], 0);
	event_source_timer_disarm(timers[0]);
	event_source_timer_disarm(timers[0]);
	dispatch();
	CHECK_STR(fired, "ebca");
	remove_timers("abcde");
}

static void test_timer_wakes_wait(void) {
	make_timers("a");
	event_source_timer_arm(timers[0], 10 * CLOCK_NS_PER_MS);
	uint64_t begin = clock_now();
	int rounds = 0;
	while (!fired[0]) {
		CHECK_INT(event_loop_dispatch(loop, 10000), 0);
		rounds++;
	}
	CHECK(clock_now() - begin >= 10 * CLOCK_NS_PER_MS);
	CHECK(rounds <= 2); /* it slept, it did not spin */
	remove_timers("a");

	/* and the round's own limit, with a timer that is far away */
	make_timers("a");
	event_source_timer_arm(timers[0], 3600 * CLOCK_NS_PER_S);
	begin = clock_now();
	CHECK_INT(event_loop_dispatch(loop, 20), 0);
	CHECK(clock_now() - begin >= 20 * CLOCK_NS_PER_MS);
	CHECK_STR(fired, "");
	remove_timers("a");
}

static void test_timers_in_callbacks(void) {
	make_timers("R");
	event_source_timer_arm(timers[0], 0);
	dispatch();
	CHECK_STR(fired, "R");
	dispatch();
	dispatch();
	CHECK_STR(fired, "RRR");
	remove_timers("R");

	make_timers("Dbc");
	event_source_timer_arm(timers[0], 0);
	event_source_timer_arm(timers[1], 0);
	event_source_timer_arm(timers[2], 0);
	clock_sleep(CLOCK_NS_PER_MS);
	dispatch();
	dispatch();
	CHECK_STR(fired, "D");
	remove_timers("Dbc");

	make_timers("O");
	event_source_timer_arm(timers[0], 0);
	dispatch();
	dispatch();
	CHECK_STR(fired, "O");

	make_timers("Lb");
	event_source_timer_arm(timers[0], 0);
	event_source_timer_arm(timers[1], 0);
	clock_sleep(CLOCK_NS_PER_MS);
	dispatch();
	dispatch();
	CHECK_STR(fired, "L");
	remove_timers("Lb");
}

static int signal_calls;
static struct event_source *signal_source;

static void signalled(void *data, int signal_number) {
	CHECK(data == &signal_calls);
	CHECK_INT(signal_number, SIGUSR1);
	signal_calls++;
}

static void signalled_once(void *data, int signal_number) {
	signalled(data, signal_number);
	event_source_remove(signal_source);
	signal_source = NULL;
}

static atomic_int old_handler_calls;

static void old_handler(int signal_number) {
	(void)signal_number;
	atomic_fetch_add(&old_handler_calls, 1);
}

static void test_signals(void) {
	struct sigaction old = {.sa_handler = old_handler};
	CHECK(sigaction(SIGUSR1, &old, NULL) == 0);

	signal_calls = 0;
	signal_source = event_loop_add_signal(loop, SIGUSR1, signalled, &signal_calls);
	CHECK(signal_source);
	CHECK(!event_loop_add_signal(loop, SIGUSR1, signalled, &signal_calls));
	struct event_loop *other = event_loop_create();
	CHECK(other);
	CHECK(!event_loop_add_signal(other, SIGUSR1, signalled, &signal_calls));
	CHECK(!event_loop_add_signal(loop, SIGKILL, signalled, &signal_calls));
	CHECK(!event_loop_add_signal(loop, 0, signalled, &signal_calls));
	CHECK(!event_loop_add_signal(loop, 1000, signalled, &signal_calls));

	dispatch();
	CHECK_INT(signal_calls, 0);
	raise(SIGUSR1);
	CHECK_INT(signal_calls, 0); /* not in the handler */
	CHECK_INT(event_loop_dispatch(loop, -1), 0);
	CHECK_INT(signal_calls, 1);
	dispatch();
	CHECK_INT(signal_calls, 1);

	/* given back: the old handler runs again, and another loop may have it */
	event_source_remove(signal_source);
	CHECK_INT(atomic_load(&old_handler_calls), 0);
	raise(SIGUSR1);
	CHECK_INT(atomic_load(&old_handler_calls), 1);
	signal_source = event_loop_add_signal(other, SIGUSR1, signalled_once, &signal_calls);
	CHECK(signal_source);
	raise(SIGUSR1);
	dispatch();
	CHECK_INT(signal_calls, 1);
	CHECK_INT(event_loop_dispatch(other, -1), 0);
	CHECK_INT(signal_calls, 2);
	CHECK(!signal_source);
	raise(SIGUSR1);
	CHECK_INT(atomic_load(&old_handler_calls), 2);
	event_loop_destroy(other);
}

static void *signal_process(void *data) {
	(void)data;
	clock_sleep(10 * CLOCK_NS_PER_MS);
	kill(getpid(), SIGUSR1);
	return NULL;
}

static void test_signal_wakes_wait(void) {
	signal_calls = 0;
	signal_source = event_loop_add_signal(loop, SIGUSR1, signalled, &signal_calls);
	CHECK(signal_source);
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, signal_process, NULL) == 0);
	uint64_t begin = clock_now();
	while (!signal_calls && clock_now() - begin < 10 * CLOCK_NS_PER_S) {
		CHECK_INT(event_loop_dispatch(loop, 10000), 0);
	}
	CHECK_INT(signal_calls, 1);
	pthread_join(thread, NULL);
	event_source_remove(signal_source);
}

static void *stop_later(void *data) {
	clock_sleep(10 * CLOCK_NS_PER_MS);
	event_loop_stop(data);
	return NULL;
}

static void stop_loop(void *data) {
	++*(int *)data;
	event_loop_stop(loop);
}

static void test_stop(void) {
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, stop_later, loop) == 0);
	CHECK_INT(event_loop_run(loop), 0);
	pthread_join(thread, NULL);

	/* before it runs */
	event_loop_stop(loop);
	CHECK_INT(event_loop_run(loop), 0);

	/* from a callback, and again */
	int calls = 0;
	struct event_source *timer = event_loop_add_timer(loop, stop_loop, &calls);
	CHECK(timer);
	for (int i = 1; i <= 3; i++) {
		event_source_timer_arm(timer, 0);
		CHECK_INT(event_loop_run(loop), 0);
		CHECK_INT(calls, i);
	}
	event_source_remove(timer);
}

static void test_destroy_frees_all(void) {
	struct event_loop *other = event_loop_create();
	CHECK(other);
	int pair[2];
	CHECK_INT(socket_pair(pair), 0);
	for (int i = 0; i < 40; i++) {
		CHECK(event_loop_add_fd(other, pair[i % 2], EVENT_READABLE, watched_ready, NULL));
	}
	struct event_source *timer = event_loop_add_timer(other, fire, NULL);
	CHECK(timer);
	event_source_timer_arm(timer, 0);
	CHECK(event_loop_add_signal(other, SIGUSR1, signalled, &signal_calls));
	event_loop_destroy(other);
	event_loop_destroy(NULL);
	event_source_remove(NULL);
	CHECK(fcntl(pair[0], F_GETFD) >= 0); /* still the caller's */
	close(pair[0]);
	close(pair[1]);
}

int main(void) {
	int fds_before = test_count_fds();
	loop = event_loop_create();
	CHECK(loop);
	RUN(test_masks);
	RUN(test_removal_in_callback);
	RUN(test_number_reused);
	RUN(test_add_in_callback);
	RUN(test_update_in_callback);
	RUN(test_timer_order);
	RUN(test_timer_wakes_wait);
	RUN(test_timers_in_callbacks);
	RUN(test_signals);
	RUN(test_signal_wakes_wait);
	RUN(test_stop);
	RUN(test_destroy_frees_all);
	event_loop_destroy(loop);
	CHECK_INT(test_count_fds(), fds_before);
	return 0;
}
