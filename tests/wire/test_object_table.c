/* SPDX-License-Identifier: MIT */

/*
 * The object table: against a plain list of what must be in it, and with readers beside a
 * writer.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "venus/object_table.h"

static unsigned failures;

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			failures++; \
		} \
	} while (0)

static struct epoch epoch;
static struct venus_object_table table;

static void free_object(struct epoch_retired *retired) {
	free((char *)retired - offsetof(struct venus_object, retired));
}

static struct venus_object *new_object(uint64_t id) {
	struct venus_object *object = calloc(1, sizeof(*object));
	if (!object) {
		abort();
	}
	object->id = id;
	object->type = VK_OBJECT_TYPE_FENCE;
	atomic_init(&object->handle, ~id);
	return object;
}

static uint64_t random_u64(uint64_t *state) {
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/** Adds and removes objects with ids `stride` apart, and looks all of them up now and then. */
static void test_ids(uint64_t first, uint64_t stride) {
	enum { IDS = 3000, STEPS = 20000 };
	static struct venus_object *present[IDS];
	uint64_t state = 88172645463325252u;
	size_t count = 0;
	for (unsigned step = 0; step < STEPS; step++) {
		size_t i = random_u64(&state) % IDS;
		uint64_t id = first + i * stride;
		struct venus_object *found = venus_object_table_get(&table, id);
		if (found != present[i]) {
			fprintf(stderr, "id %llu: wrong result\n", (unsigned long long)id);
			failures++;
			break;
		}
		if (!found) {
			present[i] = new_object(id);
			CHECK(venus_object_table_add(&table, present[i]));
			struct venus_object *twin = new_object(id);
			CHECK(!venus_object_table_add(&table, twin));
			CHECK(!venus_object_table_remove(&table, twin));
			free(twin);
			count++;
		} else {
			CHECK(venus_object_table_remove(&table, found));
			CHECK(!venus_object_table_remove(&table, found));
			epoch_retire(&epoch, &found->retired, free_object);
			present[i] = NULL;
			count--;
		}
	}
	size_t walked = 0, cursor = 0;
	struct venus_object *object;
	while ((object = venus_object_table_next(&table, &cursor))) {
		walked++;
		CHECK(object == present[(object->id - first) / stride]);
	}
	CHECK(walked == count);
	for (size_t i = 0; i < IDS; i++) {
		CHECK(venus_object_table_get(&table, first + i * stride) == present[i]);
		if (present[i]) {
			CHECK(venus_object_table_remove(&table, present[i]));
			epoch_retire(&epoch, &present[i]->retired, free_object);
			present[i] = NULL;
		}
	}
	CHECK(table.count == 0);
	cursor = 0;
	CHECK(!venus_object_table_next(&table, &cursor));
}

static void test_edges(void) {
	struct venus_object *zero = new_object(0);
	CHECK(!venus_object_table_add(&table, zero));
	CHECK(!venus_object_table_get(&table, 0));
	CHECK(!venus_object_table_remove(&table, zero));
	free(zero);
	struct venus_object *last = new_object(UINT64_MAX);
	CHECK(venus_object_table_add(&table, last));
	CHECK(venus_object_table_get(&table, UINT64_MAX) == last);
	CHECK(venus_object_table_remove(&table, last));
	free(last);
}

/*
 * Readers look for ids that are always there (they must find them) and for ids that come and
 * go (what they find must be whole), while the table grows and shrinks under them.
 */
enum { PERMANENT = 100, CHANGING = 4000, READERS = 3 };
static _Atomic bool stop;
static _Atomic unsigned reader_failures;

static void *read_objects(void *data) {
	uint64_t state = (uintptr_t)data * 2654435761u + 1;
	struct epoch_reader reader;
	epoch_reader_add(&epoch, &reader);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		epoch_enter(&epoch, &reader);
		for (unsigned i = 0; i < 50; i++) {
			uint64_t id = 1 + random_u64(&state) % PERMANENT;
			struct venus_object *object = venus_object_table_get(&table, id);
			if (!object || object->id != id) {
				atomic_fetch_add(&reader_failures, 1);
			}
			id = 1000 + random_u64(&state) % CHANGING;
			object = venus_object_table_get(&table, id);
			if (object && (object->id != id || object->type != VK_OBJECT_TYPE_FENCE ||
					      atomic_load(&object->handle) != ~id)) {
				atomic_fetch_add(&reader_failures, 1);
			}
		}
		epoch_exit(&reader);
	}
	epoch_reader_remove(&epoch, &reader);
	return NULL;
}

static void test_threads(void) {
	for (uint64_t id = 1; id <= PERMANENT; id++) {
		CHECK(venus_object_table_add(&table, new_object(id)));
	}
	pthread_t threads[READERS];
	for (uintptr_t i = 0; i < READERS; i++) {
		if (pthread_create(&threads[i], NULL, read_objects, (void *)i) != 0) {
			abort();
		}
	}
	uint64_t state = 12345;
	for (unsigned step = 0; step < 60000; step++) {
		uint64_t id = 1000 + random_u64(&state) % CHANGING;
		struct venus_object *object = venus_object_table_get(&table, id);
		if (!object) {
			CHECK(venus_object_table_add(&table, new_object(id)));
		} else {
			CHECK(venus_object_table_remove(&table, object));
			epoch_retire(&epoch, &object->retired, free_object);
		}
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
	}
	CHECK(atomic_load(&reader_failures) == 0);
	size_t cursor = 0;
	struct venus_object *object;
	while ((object = venus_object_table_next(&table, &cursor))) {
		CHECK(venus_object_table_remove(&table, object));
		epoch_retire(&epoch, &object->retired, free_object);
	}
}

int main(void) {
	epoch_init(&epoch);
	if (venus_object_table_init(&table, &epoch) < 0) {
		return 1;
	}
	test_edges();
	test_ids(1, 1);
	test_ids(8, 8);
	test_ids(16, 4096);
	test_ids(UINT64_C(1) << 32, UINT64_C(1) << 32);
	test_threads();
	venus_object_table_finish(&table);
	epoch_finish(&epoch);
	return failures ? 1 : 0;
}
