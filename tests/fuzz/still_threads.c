/* SPDX-License-Identifier: MIT */

/* Linked with --wrap for each function below. */

#include "still_threads.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define MAX_THREADS 64

static struct {
	bool on;
	void (*wait)(void);
	struct {
		void *(*function)(void *data);
		void *data;
		bool used, running;
	} threads[MAX_THREADS];
} still;

void still_threads_begin(void (*wait)(void)) {
	still.on = true;
	still.wait = wait;
}

void still_threads_end(void) {
	for (int i = 0; i < MAX_THREADS; i++) {
		if (still.threads[i].used) {
			fprintf(stderr, "a thread was not joined\n");
			abort();
		}
	}
	still.on = false;
}

static void run(int i) {
	if (still.threads[i].used && !still.threads[i].running) {
		still.threads[i].running = true;
		still.threads[i].function(still.threads[i].data);
		still.threads[i].running = false;
	}
}

void still_threads_run(void) {
	for (int i = 0; i < MAX_THREADS; i++) {
		run(i);
	}
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
	void *(*function)(void *data), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
	void *(*function)(void *data), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		void *(*function)(void *data), void *data) {
	if (!still.on) {
		return __real_pthread_create(thread, attributes, function, data);
	}
	for (int i = 0; i < MAX_THREADS; i++) {
		if (!still.threads[i].used) {
			still.threads[i].used = true;
			still.threads[i].function = function;
			still.threads[i].data = data;
			*thread = (pthread_t)(uintptr_t)(i + 1);
			return 0;
		}
	}
	return EAGAIN;
}

int __real_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result) {
	if (!still.on) {
		return __real_pthread_join(thread, result);
	}
	const int i = (int)(uintptr_t)thread - 1;
	if (still.threads[i].running) {
		fprintf(stderr, "a thread joins itself, or one that waits for it\n");
		abort();
	}
	run(i);
	still.threads[i].used = false;
	return 0;
}

int __real_sched_yield(void);
int __wrap_sched_yield(void);
int __wrap_sched_yield(void) {
	if (!still.on) {
		return __real_sched_yield();
	}
	still.wait();
	return 0;
}

void __real_clock_sleep(uint64_t ns);
void __wrap_clock_sleep(uint64_t ns);
void __wrap_clock_sleep(uint64_t ns) {
	if (still.on) {
		still.wait();
	} else {
		__real_clock_sleep(ns);
	}
}

static int wait_without(pthread_mutex_t *lock) {
	/* what the target does meanwhile may take the lock */
	pthread_mutex_unlock(lock);
	still.wait();
	pthread_mutex_lock(lock);
	return 0;
}

int __real_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock) {
	return still.on ? wait_without(lock) : __real_pthread_cond_wait(cond, lock);
}

int __real_pthread_cond_timedwait(
	pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until);
int __wrap_pthread_cond_timedwait(
	pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until);
int __wrap_pthread_cond_timedwait(
		pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until) {
	return still.on ? wait_without(lock) : __real_pthread_cond_timedwait(cond, lock, until);
}
