/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/list.h"
#include "gpu/guest_log.h"
#include "gpu/reaper.h"
#include "ipc/broker.h"

struct child {
	struct list link;
	pid_t pid;
	uint64_t deadline; /* when it is killed */
	bool killed;
	char name[80];
};

struct reaper {
	struct broker *broker;
	struct event_source *timer;
	struct list children;
	size_t count;
};

static void remove_child(struct reaper *reaper, struct child *child) {
	list_remove(&child->link);
	free(child);
	reaper->count--;
}

/* Waits for at most `timeout_ms`. true: it is gone, and so is `child`. */
static bool collect(struct reaper *reaper, struct child *child, int timeout_ms) {
	int status = 0;
	int result = broker_wait(reaper->broker, child->pid, timeout_ms, &status);
	if (result == 0) {
		return false;
	}
	if (result > 0 && WIFSIGNALED(status) && !child->killed) {
		guest_log_warn("the render process of %s was ended by signal %d (%s)", child->name,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else if (result > 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0) {
		guest_log_warn("the render process of %s ended with exit code %d", child->name,
			WEXITSTATUS(status));
	}
	remove_child(reaper, child);
	return true;
}

static void kill_child(struct reaper *reaper, struct child *child) {
	guest_log_warn("the render process of %s (%d) does not end: it is killed", child->name,
		(int)child->pid);
	broker_kill(reaper->broker, child->pid);
	child->killed = true;
}

static void arm_timer(struct reaper *reaper) {
	uint64_t first = UINT64_MAX;
	LIST_FOR_EACH (child, &reaper->children, struct child, link) {
		if (!child->killed && child->deadline < first) {
			first = child->deadline;
		}
	}
	if (first == UINT64_MAX) {
		event_source_timer_disarm(reaper->timer);
		return;
	}
	uint64_t now = clock_now();
	event_source_timer_arm(reaper->timer, first > now ? first - now : 0);
}

static void handle_ended(void *data) {
	struct reaper *reaper = data;
	LIST_FOR_EACH_SAFE (child, &reaper->children, struct child, link) {
		collect(reaper, child, 0);
	}
	arm_timer(reaper);
}

static void handle_timer(void *data) {
	struct reaper *reaper = data;
	uint64_t now = clock_now();
	LIST_FOR_EACH_SAFE (child, &reaper->children, struct child, link) {
		if (!child->killed && child->deadline <= now && !collect(reaper, child, 0)) {
			kill_child(reaper, child);
		}
	}
	arm_timer(reaper);
}

struct reaper *reaper_create(struct event_loop *loop, struct broker *broker) {
	struct reaper *reaper = calloc(1, sizeof(*reaper));
	if (!reaper) {
		return NULL;
	}
	list_init(&reaper->children);
	reaper->broker = broker;
	reaper->timer = event_loop_add_timer(loop, handle_timer, reaper);
	if (!reaper->timer || broker_watch(broker, loop, handle_ended, reaper) < 0) {
		event_source_remove(reaper->timer);
		free(reaper);
		return NULL;
	}
	return reaper;
}

void reaper_destroy(struct reaper *reaper) {
	if (!reaper) {
		return;
	}
	broker_unwatch(reaper->broker);
	event_source_remove(reaper->timer);
	LIST_FOR_EACH_SAFE (child, &reaper->children, struct child, link) {
		uint64_t now = clock_now();
		uint64_t left = child->deadline > now ? child->deadline - now : 0;
		if (!collect(reaper, child, (int)(left / CLOCK_NS_PER_MS))) {
			kill_child(reaper, child);
			collect(reaper, child, -1);
		}
	}
	free(reaper);
}

void reaper_add(struct reaper *reaper, pid_t pid, const char *name, unsigned grace_ms) {
	struct child *child = calloc(1, sizeof(*child));
	if (!child) {
		/* it cannot be remembered, so it cannot be given time */
		broker_kill(reaper->broker, pid);
		broker_wait(reaper->broker, pid, -1, NULL);
		return;
	}
	child->pid = pid;
	child->deadline = clock_now() + grace_ms * CLOCK_NS_PER_MS;
	snprintf(child->name, sizeof(child->name), "%s", name);
	list_append(&reaper->children, &child->link);
	reaper->count++;
	/* it may have ended before it was ours: that signal is over */
	if (!collect(reaper, child, 0)) {
		arm_timer(reaper);
	}
}

size_t reaper_count(const struct reaper *reaper) {
	return reaper->count;
}
