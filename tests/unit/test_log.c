/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/log.h"
#include "test.h"

static int real_stderr;
static int pipe_fds[2];

/* Log lines go to a pipe between the two. */
static void capture_begin(void) {
	CHECK(pipe(pipe_fds) == 0);
	real_stderr = dup(2);
	CHECK(real_stderr >= 0);
	CHECK(dup2(pipe_fds[1], 2) == 2);
}

static void capture_end(char *text, size_t size) {
	CHECK(dup2(real_stderr, 2) == 2);
	close(real_stderr);
	close(pipe_fds[1]);
	size_t used = 0;
	ssize_t got;
	while ((got = read(pipe_fds[0], text + used, size - 1 - used)) > 0) {
		used += (size_t)got;
	}
	text[used] = '\0';
	close(pipe_fds[0]);
}

static char text[1 << 20];

static void test_format(void) {
	capture_begin();
	log_info("before %s", "init");
	log_init("prog", LOG_LEVEL_INFO);
	errno = 1234;
	log_error("no file %d", 7);
	int errno_after = errno;
	log_warn("careful");
	log_info("hello");
	log_debug("not printed");
	log_init("prog", LOG_LEVEL_DEBUG);
	log_debug("printed");
	log_init("prog", LOG_LEVEL_ERROR);
	log_warn("not printed");
	log_error("%s", "");
	capture_end(text, sizeof(text));
	CHECK_STR(text, "venera: before init\n"
			"prog: error: no file 7\n"
			"prog: warn: careful\n"
			"prog: hello\n"
			"prog: debug: printed\n"
			"prog: error: \n");
	CHECK_INT(errno_after, 1234);
}

static void test_levels(void) {
	enum log_level level = LOG_LEVEL_ERROR;
	CHECK(log_level_parse("debug", &level) && level == LOG_LEVEL_DEBUG);
	CHECK(log_level_parse("error", &level) && level == LOG_LEVEL_ERROR);
	CHECK(log_level_parse("warn", &level) && level == LOG_LEVEL_WARN);
	CHECK(log_level_parse("info", &level) && level == LOG_LEVEL_INFO);
	CHECK(!log_level_parse("", &level) && !log_level_parse("warning", &level));
	log_init("prog", LOG_LEVEL_WARN);
	CHECK(log_get_level() == LOG_LEVEL_WARN);
}

static void test_truncation(void) {
	static char longest[5000];
	memset(longest, 'x', sizeof(longest) - 1);
	log_init("prog", LOG_LEVEL_INFO);
	for (size_t length = 900; length < 1100; length++) {
		capture_begin();
		log_info("%s", longest + sizeof(longest) - 1 - length);
		capture_end(text, sizeof(text));
		size_t got = strlen(text);
		CHECK(got <= 1024);
		CHECK(text[got - 1] == '\n');
		CHECK(strchr(text, '\n') == text + got - 1);
		if (strlen("prog: ") + length + 1 <= 1024) {
			CHECK_INT(got, strlen("prog: ") + length + 1);
			CHECK(!strstr(text, "..."));
		} else {
			CHECK_INT(got, 1024);
			CHECK_STR(text + got - 4, "...\n");
		}
	}
	capture_begin();
	log_init(longest, LOG_LEVEL_INFO);
	log_info("text");
	capture_end(text, sizeof(text));
	log_init("prog", LOG_LEVEL_INFO);
	CHECK_INT(strlen(text), 1024);
}

static void test_control_characters(void) {
	log_init("prog", LOG_LEVEL_INFO);
	capture_begin();
	log_info("a\nprog: error: forged\x1b[2J\tb\xc3\xa9");
	capture_end(text, sizeof(text));
	CHECK_STR(text, "prog: a?prog: error: forged?[2J\tb\xc3\xa9\n");
}

static void *log_many(void *data) {
	for (int i = 0; i < 100; i++) {
		log_info("thread %s line %d end", (const char *)data, i);
	}
	return NULL;
}

static void test_threads(void) {
	log_init("prog", LOG_LEVEL_INFO);
	capture_begin();
	pthread_t threads[4];
	static char names[4][2] = {"a", "b", "c", "d"};
	for (int i = 0; i < 4; i++) {
		CHECK(pthread_create(&threads[i], NULL, log_many, names[i]) == 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
	}
	capture_end(text, sizeof(text));
	int next[4] = {0}, lines = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char name;
		int number;
		CHECK(sscanf(line, "prog: thread %c line %d end", &name, &number) == 2);
		CHECK(name >= 'a' && name <= 'd');
		CHECK_INT(number, next[name - 'a']++);
		lines++;
	}
	CHECK_INT(lines, 400);
}

int main(void) {
	RUN(test_format);
	RUN(test_levels);
	RUN(test_truncation);
	RUN(test_control_characters);
	RUN(test_threads);
	return 0;
}
