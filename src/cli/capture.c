/* SPDX-License-Identifier: MIT */
#include "cli/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/socket.h"

#define CAPTURE_MAX_BYTES ((size_t)1 << 20)

/* Reads until the pipe's end or the time is over. */
static char *read_all(int fd, uint64_t deadline) {
	size_t size = 0, capacity = 0;
	char *text = NULL;
	for (;;) {
		if (capacity - size < 4096) {
			capacity = capacity ? 2 * capacity : 8192;
			char *larger = realloc(text, capacity);
			if (!larger) {
				log_error("out of memory");
				exit(1);
			}
			text = larger;
		}
		uint64_t now = clock_now();
		int wait_ms = now < deadline ? (int)((deadline - now) / CLOCK_NS_PER_MS) + 1 : 0;
		struct pollfd pollfd = {.fd = fd, .events = POLLIN};
		int ready = poll(&pollfd, 1, wait_ms);
		if (ready < 0 && errno == EINTR) {
			continue;
		}
		ssize_t count = ready > 0 ? read(fd, text + size, capacity - size - 1) : 0;
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count <= 0) {
			break;
		}
		size += (size_t)count;
		if (size >= CAPTURE_MAX_BYTES) {
			break;
		}
	}
	text[size] = '\0';
	return text;
}

int capture_run(struct capture *capture, const struct args *args, const char *const *env,
		int timeout_ms) {
	int fds[2];
	if (pipe(fds) < 0) {
		return -errno;
	}
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int err = null_fd < 0 ? -errno : 0;
	for (int i = 0; i < 2 && !err; i++) {
		err = fd_set_cloexec(fds[i], true);
	}
	pid_t pid = 0;
	if (!err) {
		struct process_options options = PROCESS_OPTIONS_DEFAULT;
		options.path = args->list[0];
		options.argv = (const char *const *)args->list;
		options.env = env;
		options.stdin_fd = null_fd;
		options.stdout_fd = fds[1];
		options.stderr_fd = fds[1];
		pid = process_spawn(&options);
		err = pid < 0 ? pid : 0;
	}
	close(fds[1]);
	if (null_fd >= 0) {
		close(null_fd);
	}
	if (err) {
		close(fds[0]);
		return err;
	}

	uint64_t deadline = clock_now() + (uint64_t)timeout_ms * CLOCK_NS_PER_MS;
	capture->output = read_all(fds[0], deadline);
	close(fds[0]);
	uint64_t now = clock_now();
	int left_ms = now < deadline ? (int)((deadline - now) / CLOCK_NS_PER_MS) + 1 : 0;
	capture->timed_out = process_wait(pid, left_ms, &capture->status) == 0;
	if (capture->timed_out) {
		kill(pid, SIGKILL);
		process_wait(pid, -1, &capture->status);
	}
	return 0;
}

bool capture_succeeded(const struct capture *capture) {
	return !capture->timed_out && WIFEXITED(capture->status) && WEXITSTATUS(capture->status) == 0;
}

void capture_finish(struct capture *capture) {
	free(capture->output);
	capture->output = NULL;
}
