/* SPDX-License-Identifier: MIT */
#include "hostile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/clock.h"
#include "base/log.h"
#include "witness.h"

#define PATIENCE_MS 30000

enum { FATAL = 2 };

static const struct hostile_transport *const transports[] = {
	&hostile_transport_render,
	&hostile_transport_vtest,
	&hostile_transport_vhost_user,
};

static struct hostile_server server;
static struct witness witness;
static unsigned case_count, victim_count;
static int server_fds_at_start;
static char **wanted; /* the names of the only cases to run; none: all */

/* --- processes --- */

/** -1 where the system does not tell. */
static int count_fds_of(pid_t pid) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
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

/** The last child of the process; 0 if there is none. */
static pid_t youngest_child_of(pid_t parent) {
	char path[96];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	FILE *file = fopen(path, "r");
	int last = 0;
	if (file) {
		for (int pid; fscanf(file, "%d", &pid) == 1;) {
			last = pid;
		}
		fclose(file);
	}
	return last;
}

/** The render process that the server's broker, its only child, started last; 0 if there is none. */
static pid_t youngest_render(void) {
	pid_t broker = youngest_child_of(server.pid);
	return broker ? youngest_child_of(broker) : 0;
}

/** Is the render process gone, though perhaps not yet waited for? */
static bool is_dead(pid_t pid) {
	if (server.pid) {
		return pid && kill(pid, 0) < 0;
	}
	siginfo_t info = {0};
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

static bool peer_is_gone(const struct peer *peer) {
	return is_dead(peer->pid);
}

static void wait_until_dead(pid_t pid) {
	const uint64_t deadline = clock_now() + PATIENCE_MS * CLOCK_NS_PER_MS;
	while (!is_dead(pid)) {
		CHECK(clock_now() < deadline);
		clock_sleep(CLOCK_NS_PER_MS);
	}
}

/* --- the log --- */

/** What is in it from there on; the caller frees. */
static char *read_log(long begin) {
	struct stat status;
	CHECK(fstat(server.log_fd, &status) == 0 && status.st_size >= begin);
	const size_t size = (size_t)(status.st_size - begin);
	CHECK(size < 1 << 26);
	char *log = calloc(1, size + 1);
	CHECK(log && pread(server.log_fd, log, size, begin) == (ssize_t)size);
	return log;
}

static long log_size(void) {
	struct stat status;
	CHECK(fstat(server.log_fd, &status) == 0);
	return (long)status.st_size;
}

static _Noreturn void fail(const struct victim *victim, const char *what) {
	char *log = read_log(victim->log_begin);
	fprintf(stderr, "%s: %s; the log since it began:\n%s---\n", victim->name, what, log);
	free(log);
	exit(1);
}

/** How often the log says that its context is lost; `*why` is what it says, and the caller frees it. */
static unsigned count_lost(const struct victim *victim, char **why) {
	char mark[64];
	snprintf(mark, sizeof(mark), " %s: context lost: ", victim->name);
	char *log = read_log(victim->log_begin);
	unsigned count = 0;
	*why = NULL;
	for (char *at = log; (at = strstr(at, mark)); count++) {
		at += strlen(mark);
		free(*why);
		*why = strndup(at, strcspn(at, "\n"));
		CHECK(*why);
	}
	free(log);
	return count;
}

/* --- victims --- */

static void open_victim(struct victim *victim) {
	server.transport->open(&server, &victim->peer, victim->name);
	victim->peer.may_be_lost = true;
	victim->peer.is_gone = peer_is_gone;
	if (server.pid) {
		victim->peer.pid = youngest_render();
	}
}

void victim_start(struct victim *victim, enum hostile_stage stage) {
	snprintf(victim->name, sizeof(victim->name), "victim-%u", ++victim_count);
	victim->log_begin = log_size();
	victim->own_fds = test_count_fds();
	victim->server_fds = server.pid ? count_fds_of(server.pid) : -1;
	open_victim(victim);
	if (stage >= HOSTILE_RING) {
		peer_create_ring(&victim->peer, 65536);
	}
	if (stage >= HOSTILE_DEVICE) {
		peer_create_device(&victim->peer,
			&(struct peer_device_options){.api_version = VK_API_VERSION_1_3});
	}
}

/** Submits an empty stream with a fence on that timeline. Does it retire? */
static bool fence_retires(struct peer *peer, uint32_t ring_idx) {
	peer_begin(peer);
	const uint64_t fence = peer_submit(peer, (int)ring_idx);
	return peer->transport->wait_fence(peer, ring_idx, fence);
}

static bool is_lost(const struct victim *victim) {
	char *why;
	const bool lost = count_lost(victim, &why) > 0;
	free(why);
	return lost;
}

/** A ring's thread may still be about to find out. */
static void wait_until_lost(const struct victim *victim) {
	const uint64_t deadline = clock_now() + PATIENCE_MS * CLOCK_NS_PER_MS;
	while (!is_lost(victim)) {
		if (clock_now() > deadline) {
			fail(victim, "it is not lost");
		}
		clock_sleep(CLOCK_NS_PER_MS / 5);
	}
}

void victim_check_lost(struct victim *victim, const char *reason) {
	struct peer *peer = &victim->peer;
	wait_until_lost(victim);
	const uint32_t timelines[] = {0, 1, 7};
	if (server.transport->closes_when_lost) {
		/* the server hears of it after the log */
		while (fence_retires(peer, 0)) {
			clock_sleep(CLOCK_NS_PER_MS / 5);
		}
	}
	for (size_t i = 0; i < sizeof(timelines) / sizeof(timelines[0]); i++) {
		if (fence_retires(peer, timelines[i]) == server.transport->closes_when_lost) {
			fail(victim, "its fences are not what they should be");
		}
	}
	if (peer->status && !peer_wait_bit(peer->status, FATAL, true, PATIENCE_MS)) {
		fail(victim, "its ring does not say that it is lost");
	}
	if (!server.transport->closes_when_lost) {
		CHECK(peer_create_blob(peer, 50, RENDER_BLOB_MAPPABLE, 0, 4096, NULL) != 0);
	}
	char *why;
	const unsigned count = count_lost(victim, &why);
	if (count != 1 || !strstr(why, reason)) {
		fprintf(stderr, "lost %u times, for \"%s\", which lacks \"%s\"\n", count,
			why ? why : "", reason);
		fail(victim, "it is not lost as it should be");
	}
	free(why);
}

/** Executes a command in its ring, if it has one. false: it does not. */
static bool executes(struct peer *peer) {
	if (!peer->status) {
		return true;
	}
	uint32_t version = 0;
	struct venus_vkEnumerateInstanceVersion args = {.pApiVersion = &version};
	peer_begin_call(peer);
	venus_encode_vkEnumerateInstanceVersion_request(&peer->encoder, 1, &args);
	peer_ring_write(peer);
	if (!peer_ring_wait(peer)) {
		return false;
	}
	struct venus_decoder reply = peer_reply(peer);
	CHECK(venus_decode_vkEnumerateInstanceVersion_reply(&reply, &args));
	CHECK_INT(args.ret, VK_SUCCESS);
	CHECK(*args.pApiVersion >= VK_API_VERSION_1_1);
	return !(atomic_load(peer->status) & FATAL);
}

enum victim_state victim_look(struct victim *victim) {
	struct peer *peer = &victim->peer;
	const bool retired = fence_retires(peer, 0);
	if (retired && !is_lost(victim) && executes(peer)) {
		return VICTIM_ALIVE;
	}
	if (is_lost(victim)) {
		return VICTIM_LOST;
	}
	/* who serves it may know before it is gone */
	wait_until_dead(peer->pid);
	return VICTIM_DEAD;
}

/**
 * Whoever serves it may take a moment to close what was somebody's, and what the witness had is closed only when it
 * comes again.
 */
static bool server_has_fds(int expected) {
	enum { WITNESS_FDS = 2 };
	const uint64_t deadline = clock_now() + PATIENCE_MS * CLOCK_NS_PER_MS;
	while (expected >= 0 && count_fds_of(server.pid) > expected + WITNESS_FDS) {
		if (clock_now() > deadline) {
			fprintf(stderr, "%d descriptors, not %d\n", count_fds_of(server.pid), expected);
			return false;
		}
		clock_sleep(CLOCK_NS_PER_MS);
	}
	return true;
}

/** It must say that its context is lost `at_least` times, `at_most` times, and why. */
static void stop_and_check(struct victim *victim, unsigned at_least, unsigned at_most,
		const char *reason, bool dead) {
	const pid_t pid = victim->peer.pid;
	peer_stop(&victim->peer);
	if (server.pid) {
		wait_until_dead(pid);
	}
	char *why;
	const unsigned count = count_lost(victim, &why);
	if (count < at_least || count > at_most || (reason && !strstr(why, reason))) {
		fail(victim, "its log is not what it should be");
	}
	free(why);
	char *log = read_log(victim->log_begin);
	const bool clean = !strstr(log, "does not come back") && !strstr(log, "does not end") &&
		!strstr(log, "Sanitizer") && !strstr(log, "runtime error:");
	free(log);
	if (!clean && !dead) {
		fail(victim, "it did not end in order");
	}
	CHECK(test_count_fds() <= victim->own_fds);
	if (!server_has_fds(victim->server_fds)) {
		fail(victim, "the server keeps descriptors");
	}
}

void victim_stop(struct victim *victim, enum victim_state state, const char *reason) {
	const bool lost = state == VICTIM_LOST;
	stop_and_check(victim, lost, lost || state == VICTIM_DEAD, lost ? reason : NULL, state == VICTIM_DEAD);
}

void victim_stop_in_race(struct victim *victim) {
	stop_and_check(victim, 0, 1, NULL, false);
}

/* --- cases --- */

void hostile_count(void) {
	case_count++;
}

void hostile_check_witness(void) {
	witness_check(&witness);
}

uint32_t hostile_foreign_resource(void) {
	return peer_resource(&witness.peer, PEER_REPLY_RESOURCE);
}

static const struct hostile_transport *find_transport(const char *name) {
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		if (strcmp(transports[i]->name, name) == 0) {
			return transports[i];
		}
	}
	return NULL;
}

/** A test that fails leaves nothing behind. */
static void kill_server(void) {
	if (server.pid) {
		kill(server.pid, SIGTERM);
	}
}

void hostile_start(int *argc, char ***argv) {
	const struct hostile_transport *transport = *argc > 1 ? find_transport((*argv)[1]) : NULL;
	if (!transport || *argc - 2 < transport->program_count) {
		fprintf(stderr, "usage: %s render|vtest|vhost-user RENDER PROGRAM... [CASE...]\n",
			(*argv)[0]);
		exit(2);
	}
	char path[] = "/tmp/venera-hostile-XXXXXX";
	server = (struct hostile_server){
		.transport = transport, .programs = *argv + 2, .log_fd = mkstemp(path)};
	CHECK(server.log_fd >= 0);
	unlink(path);
	CHECK(fcntl(server.log_fd, F_SETFD, FD_CLOEXEC) == 0);
	*argc -= 1 + transport->program_count;
	*argv += 1 + transport->program_count;
	wanted = *argv + 1;

	log_init("test", LOG_LEVEL_INFO);
	setvbuf(stdout, NULL, _IOLBF, 0);
	transport->start(&server);
	atexit(kill_server);
	transport->open(&server, &witness.peer, "witness");
	witness_start(&witness);
	server_fds_at_start = server.pid ? count_fds_of(server.pid) : -1;
}

static void finish_victim(
		struct victim *victim, enum victim_state state, const char *reason) {
	victim_stop(victim, state, reason);
	hostile_check_witness();
}

static bool is_allowed(enum hostile_end end, enum victim_state state) {
	switch (end) {
	case HOSTILE_SURVIVES:
		return state == VICTIM_ALIVE;
	case HOSTILE_LOST:
		return state == VICTIM_LOST;
	case HOSTILE_EITHER:
		return state != VICTIM_DEAD;
	default:
		return true;
	}
}

static bool is_wanted(const struct hostile_case *c) {
	if (c->not_vtest && server.transport == &hostile_transport_vtest) {
		return false;
	}
	bool found = !wanted[0];
	for (char **name = wanted; *name; name++) {
		found |= strcmp(*name, c->name) == 0;
	}
	return found;
}

/** Those that a driver may not survive, or the others: what such a driver is like afterwards is not for the others. */
static void run_some(
		const char *group, const struct hostile_case *cases, size_t count, bool wild) {
	static const char *const states[] = {"alive", "lost", "dead"};
	static struct victim victims[HOSTILE_DEVICE + 1];
	bool running[HOSTILE_DEVICE + 1] = {false};
	for (size_t i = 0; i < count; i++) {
		const struct hostile_case *c = &cases[i];
		struct victim *victim = &victims[c->stage];
		if (!is_wanted(c) || (c->end == HOSTILE_DRIVER) != wild) {
			continue;
		}
		printf("%s: %s\n", group, c->name);
		hostile_count();
		if (!running[c->stage]) {
			victim_start(victim, c->stage);
			running[c->stage] = true;
		}
		peer_begin(&victim->peer);
		c->run(&victim->peer);
		enum victim_state state = VICTIM_LOST;
		if (c->end == HOSTILE_LOST) {
			victim_check_lost(victim, c->reason);
		} else {
			state = victim_look(victim);
			char *why;
			count_lost(victim, &why);
			printf("  %s%s%s\n", states[state], why ? ": " : "", why ? why : "");
			free(why);
			if (!is_allowed(c->end, state)) {
				fprintf(stderr, "%s\n", states[state]);
				fail(victim, "that is not what should become of it");
			}
		}
		if (state == VICTIM_ALIVE) {
			hostile_check_witness();
		} else {
			finish_victim(victim, state, c->reason);
			running[c->stage] = false;
		}
	}
	for (size_t i = 0; i <= HOSTILE_DEVICE; i++) {
		if (running[i]) {
			finish_victim(&victims[i], wild ? VICTIM_DEAD : VICTIM_ALIVE, NULL);
		}
	}
}

void hostile_run(const char *group, const struct hostile_case *cases, size_t count) {
	run_some(group, cases, count, false);
	run_some(group, cases, count, true);
}

int hostile_finish(void) {
	CHECK(server_has_fds(server_fds_at_start)); /* also not one for each victim */
	witness_finish(&witness);
	server.transport->stop(&server);
	server.pid = 0;
	close(server.log_fd);
	printf("%u cases over %s\n", case_count, server.transport->name);
	return 0;
}
