/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_EPOCH_H
#define VENERA_BASE_EPOCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * Lets threads read shared objects without a lock while others remove them: what was removed
 * is freed only when every thread that could still see it has left the section in
 * which it might have found it.
 *
 * Readers: epoch_enter(), look up and use objects, epoch_exit(). Sections of one reader do
 * not nest. A long section only delays freeing. Writers, any thread: make the object
 * unreachable, then epoch_retire() it.
 */
struct epoch {
	_Atomic uint64_t current; /* grows by one with every retirement; starts at 1 */
	pthread_mutex_t lock;     /* of everything below */
	struct epoch_reader *readers;
	struct epoch_retired *retired, **retired_tail; /* oldest first */
};

struct epoch_reader {
	_Atomic uint64_t entered; /* the epoch in which the section began; 0: outside */
	struct epoch_reader *next;
};

/** Embedded in what is retired. */
struct epoch_retired {
	struct epoch_retired *next;
	uint64_t epoch;
	void (*free_func)(struct epoch_retired *retired);
};

void epoch_init(struct epoch *epoch);

/** Frees everything that waits. No reader may be left. */
void epoch_finish(struct epoch *epoch);

void epoch_reader_add(struct epoch *epoch, struct epoch_reader *reader);
void epoch_reader_remove(struct epoch *epoch, struct epoch_reader *reader);

static inline void epoch_enter(struct epoch *epoch, struct epoch_reader *reader) {
	/* Why these orders are enough is said in epoch.c. */
	uint64_t now = atomic_load_explicit(&epoch->current, memory_order_acquire);
	atomic_exchange_explicit(&reader->entered, now, memory_order_acq_rel);
}

static inline void epoch_exit(struct epoch_reader *reader) {
	atomic_store_explicit(&reader->entered, 0, memory_order_release);
}

/**
 * Is any other reader inside a section? Once a writer has done something that readers look at behind
 * epoch_enter(), false means that each of them will see it before it goes on.
 */
bool epoch_others_inside(struct epoch *epoch, const struct epoch_reader *self);

/**
 * Calls `free_func(retired)` when no reader can see it any more: in this call or in a later
 * epoch_retire() or epoch_collect(), on the thread that makes it. May be called inside a section.
 */
void epoch_retire(struct epoch *epoch, struct epoch_retired *retired,
	void (*free_func)(struct epoch_retired *retired));

/** Frees what can be freed now. */
void epoch_collect(struct epoch *epoch);

#endif
