/* SPDX-License-Identifier: MIT */
/*
 * Small headless measurements, to compare a Vulkan driver with the same driver reached through a
 * server. Each test runs in a process of its own, so that one that hangs or aborts spares the others.
 */
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: vkbench [OPTION...] [TEST...]\n"
	"\n"
	"Measures a Vulkan driver. Prints a line for each test, \"name value unit\", where less is better\n"
	"if the unit is us, more otherwise; or \"name FAIL why\". TEST is the beginning of names; all\n"
	"tests run if none is given.\n"
	"\n"
	"  -l        list the tests\n"
	"  -p        print the device's name first\n"
	"  -d NAME   use the first device with NAME in its name\n"
	"  -t SEC    seconds of a repetition (0.5)\n"
	"  -r N      repetitions, of which the median is printed (5)\n"
	"  -T SEC    how long a test may take (60)\n"
	"  -m MIB    size of the big buffers (64)\n"
	"  -n N      commands in a command buffer (10000)\n"
	"  -v        print the least and the most, too\n"
	"  -F        run the tests in this process, for a debugger\n";

struct bench_options bench_options = {
	.seconds = 0.5,
	.limit = 60,
	.repetitions = 5,
	.mib = 64,
	.commands = 10000,
};

static const struct bench_test *const groups[] = {
	bench_start_tests,
	bench_latency_tests,
	bench_object_tests,
	bench_record_tests,
	bench_memory_tests,
	bench_compute_tests,
	bench_frame_tests,
};
#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

/** The exit code of a test that has printed why it failed. */
#define EXIT_FAILED 3

static const char *current_test = "vkbench";

double bench_now(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void bench_fail(const char *format, ...) {
	va_list args;
	va_start(args, format);
	printf("%s FAIL ", current_test);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
	_exit(EXIT_FAILED);
}

static int compare(const void *a, const void *b) {
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

void bench_report(const char *unit, double *values, int count) {
	qsort(values, (size_t)count, sizeof(*values), compare);
	const double median =
		count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
	printf("%s %.6g %s", current_test, median, unit);
	if (bench_options.verbose) {
		printf(" min %.6g max %.6g", values[0], values[count - 1]);
	}
	putchar('\n');
	fflush(stdout);
}

static void run_test(const struct bench_test *test) {
	current_test = test->name;
	gpu_open_instance();
	gpu_open_device();
	test->run();
	vkDeviceWaitIdle(gpu.device);
	fflush(stdout);
}

/** A process for `test`, or to print the device's name if that is NULL. false: it failed. */
static bool run_process(const struct bench_test *test) {
	const char *name = test ? test->name : "vkbench";
	fflush(stdout);
	const pid_t pid = fork();
	if (pid < 0) {
		printf("%s FAIL no process: %s\n", name, strerror(errno));
		return false;
	}
	if (pid == 0) {
		if (test) {
			run_test(test);
		} else {
			gpu_open_instance();
			const uint32_t version = gpu.properties.apiVersion;
			printf("# device: %s (Vulkan %u.%u.%u)\n", gpu.properties.deviceName,
				VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version),
				VK_API_VERSION_PATCH(version));
			fflush(stdout);
		}
		_exit(EXIT_SUCCESS); /* what is left is the driver's to clean up */
	}
	const double end = bench_now() + bench_options.limit;
	int status;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (bench_now() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			printf("%s FAIL not done after %g s\n", name, bench_options.limit);
			return false;
		}
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	if (WIFSIGNALED(status)) {
		printf("%s FAIL signal %d\n", name, WTERMSIG(status));
	} else if (WEXITSTATUS(status) != EXIT_SUCCESS && WEXITSTATUS(status) != EXIT_FAILED) {
		printf("%s FAIL exit code %d\n", name, WEXITSTATUS(status));
	}
	return status == 0;
}

static bool is_wanted(const struct bench_test *test, int count, char *prefixes[]) {
	for (int i = 0; i < count; i++) {
		if (strncmp(test->name, prefixes[i], strlen(prefixes[i])) == 0) {
			return true;
		}
	}
	return count == 0;
}

static void list_tests(void) {
	for (size_t i = 0; i < GROUP_COUNT; i++) {
		for (const struct bench_test *test = groups[i]; test->name; test++) {
			printf("%-26s %s\n", test->name, test->what);
		}
	}
}

/** Of a whole command line. false: the options make no sense. */
static bool parse_options(int argc, char *argv[], bool *show_device) {
	for (int option; (option = getopt(argc, argv, "lpd:t:r:T:m:n:vF")) != -1;) {
		switch (option) {
		case 'l':
			list_tests();
			exit(EXIT_SUCCESS);
		case 'p':
			*show_device = true;
			break;
		case 'd':
			bench_options.device = optarg;
			break;
		case 't':
			bench_options.seconds = strtod(optarg, NULL);
			break;
		case 'r':
			bench_options.repetitions = (int)strtol(optarg, NULL, 10);
			break;
		case 'T':
			bench_options.limit = strtod(optarg, NULL);
			break;
		case 'm':
			bench_options.mib = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			bench_options.commands = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'v':
			bench_options.verbose = true;
			break;
		case 'F':
			bench_options.no_fork = true;
			break;
		default:
			return false;
		}
	}
	if (bench_options.repetitions < 1 || bench_options.repetitions > BENCH_MAX_REPETITIONS ||
		bench_options.commands < 40 || bench_options.mib < 1 || bench_options.mib > 1024 ||
		!(bench_options.seconds > 0) || !(bench_options.limit > 0)) {
		fprintf(stderr, "vkbench: -t and -T are more than 0, -r is 1 to %d, -n at least 40, "
						"-m 1 to 1024\n",
			BENCH_MAX_REPETITIONS);
		return false;
	}
	return true;
}

int main(int argc, char *argv[]) {
	bool show_device = false;
	if (!parse_options(argc, argv, &show_device)) {
		fputs(usage, stderr);
		return 2;
	}
	bool good = !show_device || run_process(NULL);
	for (size_t i = 0; i < GROUP_COUNT; i++) {
		for (const struct bench_test *test = groups[i]; test->name; test++) {
			if (!is_wanted(test, argc - optind, argv + optind)) {
				continue;
			}
			if (bench_options.no_fork) {
				run_test(test);
			} else {
				good &= run_process(test);
			}
		}
	}
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
