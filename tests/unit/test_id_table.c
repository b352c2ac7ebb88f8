/* SPDX-License-Identifier: MIT */
#include "base/id_table.h"
#include "test.h"

static int values[5000];

static void test_basics(void) {
	struct id_table table;
	id_table_init(&table);
	CHECK(!id_table_get(&table, 0));
	CHECK(!id_table_get(&table, 1));
	CHECK(!id_table_remove(&table, 1));
	CHECK(!id_table_add(&table, 0, &values[0]));
	CHECK(id_table_add(&table, 1, &values[1]));
	CHECK(!id_table_add(&table, 1, &values[2])); /* taken */
	CHECK(id_table_add(&table, UINT64_MAX, &values[3]));
	CHECK(id_table_get(&table, 1) == &values[1]);
	CHECK(id_table_get(&table, UINT64_MAX) == &values[3]);
	CHECK(!id_table_get(&table, 0)); /* not a tombstone or an empty slot either */
	CHECK_INT(table.count, 2);
	CHECK(id_table_remove(&table, 1) == &values[1]);
	CHECK(!id_table_get(&table, 1));
	CHECK(!id_table_get(&table, 0));
	CHECK(!id_table_remove(&table, 0));
	CHECK(!id_table_remove(&table, 1));
	CHECK(id_table_add(&table, 1, &values[4]));
	CHECK(id_table_get(&table, 1) == &values[4]);
	id_table_finish(&table);
	CHECK(!id_table_get(&table, 1));
	CHECK(id_table_add(&table, 1, &values[4]));
	id_table_finish(&table);
}

/* Against an array that says what must be there; ids are multiples of `stride`. */
static void check_against_model(uint64_t stride) {
	static bool present[5000];
	memset(present, 0, sizeof(present));
	struct id_table table;
	id_table_init(&table);
	unsigned state = 1;
	size_t count = 0;
	for (int round = 0; round < 200000; round++) {
		/* waves: the table fills, then empties */
		bool filling = round / 20000 % 2 == 0;
		size_t i = test_random(&state) % 5000;
		uint64_t id = (i + 1) * stride;
		CHECK(id_table_get(&table, id) == (present[i] ? &values[i] : NULL));
		if (test_random(&state) % 4 < (filling ? 3U : 1U)) {
			CHECK(id_table_add(&table, id, &values[i]) == !present[i]);
			count += !present[i];
			present[i] = true;
		} else {
			CHECK(id_table_remove(&table, id) == (present[i] ? &values[i] : NULL));
			count -= present[i];
			present[i] = false;
		}
		CHECK_INT(table.count, count);
		CHECK(table.used < table.capacity || table.capacity == 0);
	}
	for (size_t i = 0; i < 5000; i++) {
		CHECK(id_table_get(&table, (i + 1) * stride) == (present[i] ? &values[i] : NULL));
	}
	id_table_finish(&table);
}

static void test_dense_ids(void) {
	check_against_model(1);
}

static void test_strided_ids(void) {
	check_against_model(4096);
	check_against_model(UINT64_C(1) << 48);
}

static void test_churn_does_not_grow(void) {
	/* ever new ids, few at a time: tombstones must not fill the table or make it grow */
	struct id_table table;
	id_table_init(&table);
	for (uint64_t id = 1; id < 200000; id++) {
		CHECK(id_table_add(&table, id, &values[0]));
		if (id > 10) {
			CHECK(id_table_remove(&table, id - 10));
		}
	}
	CHECK(table.capacity <= 64);
	id_table_finish(&table);
}

static void test_walk(void) {
	struct id_table table;
	id_table_init(&table);
	size_t cursor = 0;
	CHECK(!id_table_next(&table, &cursor));
	for (uint64_t id = 1; id <= 1000; id++) {
		CHECK(id_table_add(&table, id, &values[id]));
	}
	static int seen[1001];
	cursor = 0;
	int *value;
	while ((value = id_table_next(&table, &cursor))) {
		size_t id = (size_t)(value - values);
		seen[id]++;
		if (id % 2) {
			CHECK(id_table_remove(&table, id) == value);
		}
	}
	for (size_t id = 1; id <= 1000; id++) {
		CHECK_INT(seen[id], 1);
	}
	CHECK_INT(table.count, 500);
	size_t left = 0;
	cursor = 0;
	while ((value = id_table_next(&table, &cursor))) {
		CHECK_INT((value - values) % 2, 0);
		left++;
	}
	CHECK_INT(left, 500);
	id_table_finish(&table);
}

int main(void) {
	RUN(test_basics);
	RUN(test_dense_ids);
	RUN(test_strided_ids);
	RUN(test_churn_does_not_grow);
	RUN(test_walk);
	return 0;
}
