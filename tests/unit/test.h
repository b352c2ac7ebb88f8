/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_UNIT_TEST_H
#define VENERA_TESTS_UNIT_TEST_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * What the unit tests share. A program calls its tests one after the other with RUN(); the
 * first check that fails ends it.
 */

/* what meson takes for "skipped" */
#define TEST_SKIPPED 77

#if defined(__SANITIZE_THREAD__)
#define TEST_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_UNDER_TSAN 1
#endif
#endif
#ifndef TEST_UNDER_TSAN
#define TEST_UNDER_TSAN 0
#endif

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			exit(1); \
		} \
	} while (0)

/* of integers of any kind that fit into long long */
#define CHECK_INT(actual, expected) \
	do { \
		long long check_actual = (long long)(actual), check_expected = (long long)(expected); \
		if (check_actual != check_expected) { \
			fprintf(stderr, "%s:%d: %s is %lld, not %s, which is %lld\n", __FILE__, \
				__LINE__, #actual, check_actual, #expected, check_expected); \
			exit(1); \
		} \
	} while (0)

#define CHECK_STR(actual, expected) \
	do { \
		const char *check_actual = (actual), *check_expected = (expected); \
		if (strcmp(check_actual, check_expected) != 0) { \
			fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, \
				#actual, check_actual, check_expected); \
			exit(1); \
		} \
	} while (0)

#define RUN(test) \
	do { \
		printf("%s\n", #test); \
		fflush(stdout); \
		test(); \
	} while (0)

/** How many of the first descriptors are open: to find leaks. */
static inline int test_count_fds(void) {
	int count = 0;
	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) >= 0) {
			count++;
		}
	}
	return count;
}

/** The same numbers in every run. */
static inline unsigned test_random(unsigned *state) {
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

#endif
