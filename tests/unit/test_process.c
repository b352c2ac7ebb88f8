/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/os.h"
#include "base/process.h"
#include "base/shmem.h"
#include "base/socket.h"
#include "test.h"

/*
 * The test runs itself again as the child; its first argument says what that does.
 */

static char *self;

static int child_main(int argc, char **argv) {
	const char *what = argv[1];
	if (strcmp(what, "fds") == 0) {
		/* the open descriptors, then whether signals are as they should be */
		for (int fd = 0; fd < 1024; fd++) {
			if (fcntl(fd, F_GETFD) >= 0) {
				printf("%d ", fd);
			}
		}
		sigset_t mask;
		struct sigaction action;
		sigprocmask(SIG_BLOCK, NULL, &mask);
		sigaction(SIGPIPE, NULL, &action);
		printf("pipe %s", action.sa_handler == SIG_DFL ? "default" : "kept");
		sigaction(SIGINT, NULL, &action);
		printf(" int %s", action.sa_handler == SIG_DFL ? "default" : "kept");
		printf(" usr2 %s", sigismember(&mask, SIGUSR2) ? "blocked" : "open");
	} else if (strcmp(what, "env") == 0) {
		for (int i = 2; i < argc; i++) {
			const char *value = getenv(argv[i]);
			printf("%s=%s ", argv[i], value ? value : "(unset)");
		}
	} else if (strcmp(what, "echo") == 0) {
		char line[64] = "";
		ssize_t got = read(0, line, sizeof(line) - 1);
		line[got > 0 ? got : 0] = '\0';
		printf("out %s", line);
		fflush(stdout);
		fprintf(stderr, "err %s", line);
	} else if (strcmp(what, "group") == 0) {
		printf("%s", getpgrp() == getpid() ? "own" : "parent's");
	} else if (strcmp(what, "exit") == 0) {
		return atoi(argv[2]);
	} else if (strcmp(what, "sleep") == 0 || strcmp(what, "stubborn") == 0) {
		if (strcmp(what, "stubborn") == 0) {
			signal(SIGTERM, SIG_IGN);
		}
		(void)!write(1, "ready", 5);
		for (;;) {
			pause();
		}
	}
	return 0;
}

/* Starts itself with `options` completed; its standard output comes in *out_fd. */
static pid_t start(struct process_options options, const char *const *argv, int *out_fd) {
	int fds[2];
	CHECK(pipe(fds) == 0);
	CHECK_INT(fd_set_cloexec(fds[0], true), 0);
	CHECK_INT(fd_set_cloexec(fds[1], true), 0);
	options.path = self;
	options.argv = argv;
	options.stdout_fd = fds[1];
	pid_t pid = process_spawn(&options);
	CHECK(pid > 0);
	close(fds[1]);
	*out_fd = fds[0];
	return pid;
}

static void run(struct process_options options, const char *const *argv, const char *expected) {
	int fds_before = test_count_fds();
	int out_fd;
	pid_t pid = start(options, argv, &out_fd);
	char text[1000];
	size_t used = 0;
	ssize_t got;
	while ((got = read(out_fd, text + used, sizeof(text) - 1 - used)) > 0) {
		used += (size_t)got;
	}
	text[used] = '\0';
	close(out_fd);
	int status;
	CHECK_INT(process_wait(pid, -1, &status), 1);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK_STR(text, expected);
	CHECK_INT(test_count_fds(), fds_before);
}

static void test_descriptors_and_signals(void) {
	const char *const argv[] = {"child", "fds", NULL};
	struct process_options options = PROCESS_OPTIONS_DEFAULT;

	/* what a shell's child would not have */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_BLOCK, &mask, NULL);

	struct shmem shm;
	CHECK_INT(shmem_create(&shm, "test", 1), 0);
	int kept = fcntl(shm.fd, F_DUPFD_CLOEXEC, 30);
	int other = fcntl(shm.fd, F_DUPFD_CLOEXEC, 20);
	int high = fcntl(shm.fd, F_DUPFD_CLOEXEC, 100);
	CHECK(kept == 30 && other == 20 && high == 100);
	run(options, argv, "0 1 2 pipe default int default usr2 open");
	int fds[2] = {kept, other};
	options.fds = fds;
	options.fd_count = 2;
	run(options, argv, "0 1 2 20 30 pipe default int default usr2 open");
	/* they are close-on-exec here as before */
	CHECK(fcntl(kept, F_GETFD) & FD_CLOEXEC);

#if OS_HAVE_SPAWN_CLOSEFROM || OS_HAVE_SPAWN_CLOEXEC_DEFAULT
	/* somebody else's descriptors, which are not close-on-exec */
	for (int fd = 18; fd <= 120; fd += 17) {
		CHECK(dup2(0, fd) == fd);
	}
	run(options, argv, "0 1 2 20 30 pipe default int default usr2 open");
	for (int fd = 18; fd <= 120; fd += 17) {
		close(fd);
	}
#endif
	close(kept);
	close(other);
	close(high);
	shmem_finish(&shm);

	struct process_options bad = PROCESS_OPTIONS_DEFAULT;
	int bad_fd = 900;
	bad.path = self;
	bad.argv = argv;
	bad.fds = &bad_fd;
	bad.fd_count = 1;
	CHECK_INT(process_spawn(&bad), -EBADF);

	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

static void read_text(int fd, char *text, size_t size) {
	size_t used = 0;
	ssize_t got;
	while ((got = read(fd, text + used, size - 1 - used)) > 0) {
		used += (size_t)got;
	}
	text[used] = '\0';
	close(fd);
}

static void test_standard_streams(void) {
	int in[2], out[2], err[2];
	CHECK(pipe(in) == 0 && pipe(out) == 0 && pipe(err) == 0);
	for (int i = 0; i < 2; i++) {
		fd_set_cloexec(in[i], true);
		fd_set_cloexec(out[i], true);
		fd_set_cloexec(err[i], true);
	}
	CHECK(write(in[1], "hello", 5) == 5);
	close(in[1]);
	const char *const argv[] = {"child", "echo", NULL};
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.path = self;
	options.argv = argv;
	options.stdin_fd = in[0];
	options.stdout_fd = out[1];
	options.stderr_fd = err[1];
	pid_t pid = process_spawn(&options);
	CHECK(pid > 0);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	char text[100];
	read_text(out[0], text, sizeof(text));
	CHECK_STR(text, "out hello");
	read_text(err[0], text, sizeof(text));
	CHECK_STR(text, "err hello");
	CHECK_INT(process_wait(pid, -1, NULL), 1);
}

static void test_streams_swapped(void) {
	/* output and error change places: neither may be overwritten before it is copied */
	fflush(stdout);
	int saved_out = fcntl(1, F_DUPFD_CLOEXEC, 3), saved_err = fcntl(2, F_DUPFD_CLOEXEC, 3);
	int saved_in = fcntl(0, F_DUPFD_CLOEXEC, 3);
	int out[2], err[2], in[2];
	CHECK(pipe(out) == 0 && pipe(err) == 0 && pipe(in) == 0);
	CHECK(write(in[1], "x", 1) == 1);
	close(in[1]);
	for (int i = 0; i < 2; i++) {
		fd_set_cloexec(out[i], true);
		fd_set_cloexec(err[i], true);
	}
	dup2(in[0], 0);
	dup2(out[1], 1);
	dup2(err[1], 2);
	const char *const argv[] = {"child", "echo", NULL};
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.path = self;
	options.argv = argv;
	options.stdout_fd = 2;
	options.stderr_fd = 1;
	options.stdin_fd = 0;
	pid_t pid = process_spawn(&options);
	dup2(saved_in, 0);
	dup2(saved_out, 1);
	dup2(saved_err, 2);
	close(saved_in);
	close(saved_out);
	close(saved_err);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	CHECK(pid > 0);
	char text[100];
	read_text(out[0], text, sizeof(text));
	CHECK_STR(text, "err x");
	read_text(err[0], text, sizeof(text));
	CHECK_STR(text, "out x");
	CHECK_INT(process_wait(pid, -1, NULL), 1);
}

static void test_environment(void) {
	setenv("VENERA_TEST_KEPT", "kept", 1);
	setenv("VENERA_TEST_CHANGED", "before", 1);
	setenv("VENERA_TEST_REMOVED", "there", 1);
	unsetenv("VENERA_TEST_NEW");
	const char *const argv[] = {"child", "env", "VENERA_TEST_KEPT", "VENERA_TEST_CHANGED",
		"VENERA_TEST_REMOVED", "VENERA_TEST_NEW", "VENERA_TEST_EMPTY", NULL};
	const char *const env[] = {"VENERA_TEST_CHANGED=first", "VENERA_TEST_REMOVED",
		"VENERA_TEST_NEW=a=b", "VENERA_TEST_CHANGED=after", "VENERA_TEST_EMPTY=", NULL};
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.env = env;
	run(options, argv, "VENERA_TEST_KEPT=kept VENERA_TEST_CHANGED=after "
			"VENERA_TEST_REMOVED=(unset) VENERA_TEST_NEW=a=b VENERA_TEST_EMPTY= ");
	CHECK_STR(getenv("VENERA_TEST_CHANGED"), "before"); /* ours is as it was */
}

static void test_group(void) {
	const char *const argv[] = {"child", "group", NULL};
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.new_group = true;
	run(options, argv, "own");
	options.new_group = false;
	run(options, argv, "parent's");
}

static void test_not_there(void) {
	const char *const argv[] = {"child", NULL};
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	options.argv = argv;
	options.path = "/nonexistent/program";
	CHECK_INT(process_spawn(&options), -ENOENT);
	options.path = "venera-no-such-program";
	CHECK_INT(process_spawn(&options), -ENOENT);
	options.path = "/";
	CHECK(process_spawn(&options) < 0);
}

static void test_wait(void) {
	const char *const exit_argv[] = {"child", "exit", "37", NULL};
	const char *const sleep_argv[] = {"child", "sleep", NULL};
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	int out_fd, status = 0;
	pid_t pid = start(options, exit_argv, &out_fd);
	CHECK_INT(process_wait(pid, 20000, &status), 1);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 37);
	CHECK_INT(process_wait(pid, 0, &status), -ECHILD);
	close(out_fd);

	pid = start(options, sleep_argv, &out_fd);
	char ready[8];
	CHECK(read(out_fd, ready, 5) == 5);
	CHECK_INT(process_wait(pid, 0, &status), 0);
	uint64_t begin = clock_now();
	CHECK_INT(process_wait(pid, 30, &status), 0);
	CHECK(clock_now() - begin >= 30 * CLOCK_NS_PER_MS);
	begin = clock_now();
	process_terminate(pid, 20000);
	CHECK(clock_now() - begin < 10 * CLOCK_NS_PER_S); /* it obeyed */
	CHECK(kill(pid, 0) < 0 && errno == ESRCH);
	close(out_fd);
}

static void test_terminate_stubborn(void) {
	const char *const argv[] = {"child", "stubborn", NULL};
	struct process_options options = PROCESS_OPTIONS_DEFAULT;
	int out_fd;
	pid_t pid = start(options, argv, &out_fd);
	char ready[8];
	CHECK(read(out_fd, ready, 5) == 5);
	process_terminate(pid, 50);
	CHECK(kill(pid, 0) < 0 && errno == ESRCH);
	close(out_fd);
	process_terminate(-1, 0); /* must not mean everybody */
	process_terminate(0, 0);
}

static void make_program(const char *path) {
	int fd = open(path, O_CREAT | O_WRONLY, 0700);
	CHECK(fd >= 0);
	close(fd);
}

static void check_sibling(const char *name, const char *expected) {
	char *path = process_find_sibling(name);
	if (expected) {
		CHECK(path);
		CHECK_STR(path, expected);
	} else {
		CHECK(!path);
		CHECK_INT(errno, ENOENT);
	}
	free(path);
}

static void test_find(void) {
	char folder[] = "/tmp/venera-test-XXXXXX";
	char gpu_folder[100], gpu[150], cli_folder[100], cli[150];
	CHECK(mkdtemp(folder));
	snprintf(gpu_folder, sizeof(gpu_folder), "%s/gpu", folder);
	snprintf(gpu, sizeof(gpu), "%s/venera-gpu", gpu_folder);
	snprintf(cli_folder, sizeof(cli_folder), "%s/cli", folder);
	snprintf(cli, sizeof(cli), "%s/venera", cli_folder);
	CHECK(mkdir(gpu_folder, 0700) == 0 && mkdir(cli_folder, 0700) == 0);
	make_program(gpu);
	make_program(cli);
	CHECK(setenv("VENERA_BINDIR", folder, 1) == 0);
	check_sibling("venera-gpu", gpu);
	check_sibling("venera", cli);
	check_sibling("venera-view", NULL);
	CHECK(setenv("VENERA_BINDIR", gpu_folder, 1) == 0);
	check_sibling("venera-gpu", gpu);
	check_sibling("venera", NULL);
	CHECK(unsetenv("VENERA_BINDIR") == 0);
	check_sibling("venera-no-such-program", NULL);
	const char *own_name = strrchr(self, '/') + 1;
	check_sibling(own_name, self);

	char *old_path = strdup(getenv("PATH"));
	char search[300];
	snprintf(search, sizeof(search), "/nonexistent:%s:%s", cli_folder, gpu_folder);
	CHECK(setenv("PATH", search, 1) == 0);
	char *found = process_find_program("venera-gpu");
	CHECK(found);
	CHECK_STR(found, gpu);
	free(found);
	CHECK(chmod(gpu, 0600) == 0);
	CHECK(!process_find_program("venera-gpu")); /* not executable */
	CHECK(!process_find_program(gpu));
	CHECK(!process_find_program("gpu"));
	CHECK(!process_find_program(""));
	snprintf(search, sizeof(search), "%s", folder);
	CHECK(setenv("PATH", search, 1) == 0);
	CHECK(!process_find_program("gpu")); /* a folder */
	CHECK(setenv("PATH", old_path, 1) == 0);
	free(old_path);
	found = process_find_program(cli);
	CHECK(found);
	CHECK_STR(found, cli);
	free(found);
	CHECK(!process_find_program("/nonexistent/program"));

	CHECK(unlink(gpu) == 0 && unlink(cli) == 0);
	CHECK(rmdir(gpu_folder) == 0 && rmdir(cli_folder) == 0 && rmdir(folder) == 0);
}

/* A compiler that sees through malloc() and memset() could leave both out. */
static void touch_pages(volatile char *memory, size_t size) {
	for (size_t i = 0; i < size; i += 1024) {
		memory[i] = 1;
	}
}

static void test_system(void) {
	/* what they say depends on the machine */
	printf("virtualization %d\n", cpu_has_virtualization());
	thread_set_name("a-name-of-more-than-15-bytes");
	thread_set_nice(0);

	size_t before = process_private_memory();
	CHECK(before > 0);
	size_t size = (size_t)32 << 20;
	char *memory = malloc(size);
	CHECK(memory);
	touch_pages(memory, size);
	size_t grown = process_private_memory();
	CHECK(grown >= before + size / 2);
	free(memory);

	/* shared memory is not our own */
	struct shmem shm;
	before = process_private_memory();
	CHECK_INT(shmem_create(&shm, "test", size), 0);
	touch_pages(shm.data, size);
	grown = process_private_memory();
	/* ThreadSanitizer keeps private notes on every byte that is touched */
	CHECK(grown < before + size / 2 || TEST_UNDER_TSAN);
	shmem_finish(&shm);
}

int main(int argc, char **argv) {
	if (argc > 1) {
		return child_main(argc, argv);
	}
	self = process_self_path();
	CHECK(self && self[0] == '/');
	/* The test harness may have left descriptors open, which a build that has nothing but POSIX
	 * cannot keep from its children. */
	for (int fd = 3; fd < 1024; fd++) {
		fd_set_cloexec(fd, true);
	}
	RUN(test_descriptors_and_signals);
	RUN(test_standard_streams);
	RUN(test_streams_swapped);
	RUN(test_environment);
	RUN(test_group);
	RUN(test_not_there);
	RUN(test_wait);
	RUN(test_terminate_stubborn);
	RUN(test_find);
	RUN(test_system);
	free(self);
	return 0;
}
