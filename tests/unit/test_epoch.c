/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/epoch.h"
#include "test.h"

#define MAGIC UINT64_C(0x600df00d)

struct object {
	uint64_t magic;
	uint64_t slot;
	struct epoch_retired retired;
};

static atomic_int freed;

static void object_free(struct epoch_retired *retired) {
	struct object *object =
		(struct object *)(void *)((char *)retired - offsetof(struct object, retired));
	CHECK(object->magic == MAGIC);
	object->magic = 0; /* a reader that still has it notices */
	free(object);
	atomic_fetch_add_explicit(&freed, 1, memory_order_relaxed);
}

static struct object *object_create(uint64_t slot) {
	struct object *object = malloc(sizeof(*object));
	CHECK(object);
	object->magic = MAGIC;
	object->slot = slot;
	return object;
}

static void test_without_readers(void) {
	struct epoch epoch;
	epoch_init(&epoch);
	atomic_store(&freed, 0);
	epoch_collect(&epoch);
	epoch_retire(&epoch, &object_create(0)->retired, object_free);
	CHECK_INT(atomic_load(&freed), 1);
	epoch_finish(&epoch);
}

static void test_others_inside(void) {
	struct epoch epoch;
	struct epoch_reader a, b;
	epoch_init(&epoch);
	epoch_reader_add(&epoch, &a);
	epoch_reader_add(&epoch, &b);
	CHECK(!epoch_others_inside(&epoch, &a));
	epoch_enter(&epoch, &a);
	CHECK(!epoch_others_inside(&epoch, &a));
	CHECK(epoch_others_inside(&epoch, &b));
	epoch_enter(&epoch, &b);
	CHECK(epoch_others_inside(&epoch, &a));
	epoch_exit(&b);
	CHECK(!epoch_others_inside(&epoch, &a));
	epoch_exit(&a);
	epoch_reader_remove(&epoch, &a);
	epoch_reader_remove(&epoch, &b);
	epoch_finish(&epoch);
}

static void test_section_delays(void) {
	struct epoch epoch;
	struct epoch_reader a, b;
	epoch_init(&epoch);
	epoch_reader_add(&epoch, &a);
	epoch_reader_add(&epoch, &b);
	atomic_store(&freed, 0);

	epoch_enter(&epoch, &a);
	epoch_retire(&epoch, &object_create(0)->retired, object_free);
	epoch_retire(&epoch, &object_create(1)->retired, object_free);
	CHECK_INT(atomic_load(&freed), 0);
	/* a section that began after the removal delays nothing */
	epoch_enter(&epoch, &b);
	epoch_collect(&epoch);
	CHECK_INT(atomic_load(&freed), 0);
	epoch_exit(&a);
	epoch_collect(&epoch);
	CHECK_INT(atomic_load(&freed), 2);

	/* but later ones; `a` may come and go in the meantime */
	epoch_retire(&epoch, &object_create(2)->retired, object_free);
	epoch_enter(&epoch, &a);
	epoch_exit(&a);
	epoch_collect(&epoch);
	CHECK_INT(atomic_load(&freed), 2);
	epoch_exit(&b);
	epoch_retire(&epoch, &object_create(3)->retired, object_free);
	CHECK_INT(atomic_load(&freed), 4);

	/* a reader that is gone delays nothing */
	epoch_enter(&epoch, &b);
	epoch_retire(&epoch, &object_create(4)->retired, object_free);
	CHECK_INT(atomic_load(&freed), 4);
	epoch_reader_remove(&epoch, &b);
	epoch_collect(&epoch);
	CHECK_INT(atomic_load(&freed), 5);

	/* what waits at the end is freed */
	epoch_enter(&epoch, &a);
	epoch_retire(&epoch, &object_create(5)->retired, object_free);
	epoch_retire(&epoch, &object_create(6)->retired, object_free);
	epoch_exit(&a);
	epoch_reader_remove(&epoch, &a);
	epoch_finish(&epoch);
	CHECK_INT(atomic_load(&freed), 7);
}

static struct epoch nested_epoch;

static void free_and_retire(struct epoch_retired *retired) {
	object_free(retired);
	epoch_retire(&nested_epoch, &object_create(1)->retired, object_free);
}

static void test_retire_while_freeing(void) {
	struct epoch_reader reader;
	epoch_init(&nested_epoch);
	atomic_store(&freed, 0);
	epoch_retire(&nested_epoch, &object_create(0)->retired, free_and_retire);
	CHECK_INT(atomic_load(&freed), 2);

	epoch_reader_add(&nested_epoch, &reader);
	epoch_enter(&nested_epoch, &reader);
	epoch_retire(&nested_epoch, &object_create(0)->retired, free_and_retire);
	CHECK_INT(atomic_load(&freed), 2);
	epoch_exit(&reader);
	epoch_reader_remove(&nested_epoch, &reader);
	epoch_finish(&nested_epoch);
	CHECK_INT(atomic_load(&freed), 4);
}

/*
 * Stress: readers look objects up in slots while writers replace them. Whatever a reader
 * finds must be alive until its section ends.
 */

#define SLOTS 16
#define READERS 3
#define WRITERS 2
#define REPLACEMENTS 20000

static struct epoch stress_epoch;
static _Atomic(struct object *) slots[SLOTS];
static atomic_int writers_running;

static void *read_objects(void *data) {
	unsigned state = *(unsigned *)data;
	struct epoch_reader reader;
	epoch_reader_add(&stress_epoch, &reader);
	uint64_t sections = 0;
	while (atomic_load_explicit(&writers_running, memory_order_relaxed) > 0) {
		epoch_enter(&stress_epoch, &reader);
		struct object *found[4];
		uint64_t wanted[4];
		for (int i = 0; i < 4; i++) {
			wanted[i] = test_random(&state) % SLOTS;
			found[i] = atomic_load_explicit(&slots[wanted[i]], memory_order_acquire);
		}
		for (int i = 0; i < 4; i++) {
			CHECK(found[i]->magic == MAGIC);
			CHECK_INT(found[i]->slot, wanted[i]);
		}
		epoch_exit(&reader);
		if (++sections % 5000 == 0) {
			/* readers come and go */
			epoch_reader_remove(&stress_epoch, &reader);
			epoch_reader_add(&stress_epoch, &reader);
		}
	}
	epoch_reader_remove(&stress_epoch, &reader);
	return NULL;
}

static void *replace_objects(void *data) {
	unsigned state = *(unsigned *)data;
	struct epoch_reader reader;
	epoch_reader_add(&stress_epoch, &reader);
	for (int i = 0; i < REPLACEMENTS; i++) {
		uint64_t slot = test_random(&state) % SLOTS;
		struct object *object = object_create(slot);
		bool inside = i % 2; /* a writer may be in a section of its own */
		if (inside) {
			epoch_enter(&stress_epoch, &reader);
		}
		struct object *old =
			atomic_exchange_explicit(&slots[slot], object, memory_order_acq_rel);
		epoch_retire(&stress_epoch, &old->retired, object_free);
		if (inside) {
			epoch_exit(&reader);
		}
	}
	epoch_reader_remove(&stress_epoch, &reader);
	atomic_fetch_sub_explicit(&writers_running, 1, memory_order_relaxed);
	return NULL;
}

static void test_stress(void) {
	epoch_init(&stress_epoch);
	atomic_store(&freed, 0);
	for (uint64_t i = 0; i < SLOTS; i++) {
		atomic_store(&slots[i], object_create(i));
	}
	atomic_store(&writers_running, WRITERS);
	pthread_t threads[READERS + WRITERS];
	unsigned seeds[READERS + WRITERS];
	for (int i = 0; i < READERS + WRITERS; i++) {
		seeds[i] = (unsigned)i + 1;
		CHECK(pthread_create(&threads[i], NULL,
			i < READERS ? read_objects : replace_objects, &seeds[i]) == 0);
	}
	for (int i = 0; i < READERS + WRITERS; i++) {
		pthread_join(threads[i], NULL);
	}
	epoch_collect(&stress_epoch);
	CHECK_INT(atomic_load(&freed), WRITERS * REPLACEMENTS);
	for (uint64_t i = 0; i < SLOTS; i++) {
		epoch_retire(&stress_epoch, &atomic_load(&slots[i])->retired, object_free);
	}
	CHECK_INT(atomic_load(&freed), WRITERS * REPLACEMENTS + SLOTS);
	epoch_finish(&stress_epoch);
}

/*
 * The narrowest gap: a reader finds the object although its entry is still in the store buffer of
 * its processor, where the writer does not see it. Stores to memory that both write keep
 * the buffer full, and the reader looks at the object for a while.
 */

#define LINES 8
#define NARROW_REPLACEMENTS 300000

static struct {
	_Atomic unsigned value;
	char padding[60];
} contended[LINES];

static void write_contended(unsigned value) {
	for (int i = 0; i < LINES; i++) {
		atomic_store_explicit(&contended[i].value, value, memory_order_relaxed);
	}
}

static void *read_narrowly(void *data) {
	struct epoch_reader *reader = data;
	unsigned value = 0;
	while (atomic_load_explicit(&writers_running, memory_order_relaxed) > 0) {
		write_contended(value++);
		epoch_enter(&stress_epoch, reader);
		const struct object *object = atomic_load_explicit(&slots[0], memory_order_acquire);
		for (int i = 0; i < 30; i++) {
			CHECK(*(const volatile uint64_t *)&object->magic == MAGIC);
		}
		epoch_exit(reader);
	}
	return NULL;
}

static void test_narrow_gap(void) {
	struct epoch_reader reader;
	epoch_init(&stress_epoch);
	epoch_reader_add(&stress_epoch, &reader);
	atomic_store(&freed, 0);
	atomic_store(&slots[0], object_create(0));
	atomic_store(&writers_running, 1);
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, read_narrowly, &reader) == 0);
	for (unsigned i = 0; i < NARROW_REPLACEMENTS; i++) {
		struct object *object = object_create(0);
		write_contended(i);
		struct object *old =
			atomic_exchange_explicit(&slots[0], object, memory_order_acq_rel);
		epoch_retire(&stress_epoch, &old->retired, object_free);
	}
	atomic_store(&writers_running, 0);
	pthread_join(thread, NULL);
	epoch_reader_remove(&stress_epoch, &reader);
	epoch_retire(&stress_epoch, &atomic_load(&slots[0])->retired, object_free);
	epoch_finish(&stress_epoch);
	CHECK_INT(atomic_load(&freed), NARROW_REPLACEMENTS + 1);
}

int main(void) {
	RUN(test_without_readers);
	RUN(test_others_inside);
	RUN(test_section_delays);
	RUN(test_retire_while_freeing);
	RUN(test_stress);
	RUN(test_narrow_gap);
	return 0;
}
