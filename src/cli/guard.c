/* SPDX-License-Identifier: MIT */
#include "cli/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/socket.h"
#include "cli/cli.h"
#include "cli/runtime.h"
#include "cli/text.h"

/*
 * Theory of operation
 *
 * QEMU does not notice when the process that started it is killed, and no way to tell it
 * works on every system. So `venera run` starts one more process, `venera guard`, whose
 * standard input is a pipe that only `venera run` can write to. Through it the guard is told, line
 * by line, what will have to be cleaned up:
 *
 *   folder PATH     a folder with our sockets
 *   process PID     a process that must not outlive us
 *   gone PID        it ended and was reaped: its number may belong to somebody else now
 *
 * When `venera run` ends, in whatever way, the pipe ends. The guard then terminates the
 * processes that are left (none in an orderly end), removes the folders and exits. Between the
 * death of `venera run` and that of its children their numbers cannot be reused unless a child ends
 * by itself in just these milliseconds and the system runs through all its process
 * numbers: this is accepted.
 *
 * The guard leads a process group of its own and ignores the signals of the terminal, so that what
 * ends the others does not end it.
 */

#define GUARD_MAX_PROCESSES 16
/* QEMU restores the terminal when it is asked to end; it gets time for that. */
#define GUARD_GRACE_MS 2000

struct guard_state {
	pid_t processes[GUARD_MAX_PROCESSES];
	int process_count;
	char *folder;
};

int guard_start(struct guard *guard) {
	*guard = (struct guard){.fd = -1};
	char *program = process_find_sibling("venera");
	if (!program) {
		return -errno;
	}
	int fds[2];
	int err = pipe(fds) < 0 ? -errno : 0;
	if (err) {
		goto out_program;
	}
	for (int i = 0; i < 2 && !err; i++) {
		err = fd_set_cloexec(fds[i], true);
	}
	if (!err) {
		const char *const argv[] = {"venera", "guard", NULL};
		struct process_options options = PROCESS_OPTIONS_DEFAULT;
		options.path = program;
		options.argv = argv;
		options.stdin_fd = fds[0];
		options.new_group = true;
		pid_t pid = process_spawn(&options);
		err = pid < 0 ? pid : 0;
		guard->pid = pid;
	}
	close(fds[0]);
	if (err) {
		close(fds[1]);
	} else {
		guard->fd = fds[1];
	}
out_program:
	free(program);
	return err;
}

static void send_line(int fd, const char *text) {
	/* Shorter than PIPE_BUF: written whole. If the guard is gone, there is nothing to be done. */
	ssize_t written;
	do {
		written = write(fd, text, strlen(text));
	} while (written < 0 && errno == EINTR);
}

static void send_number(int fd, const char *word, pid_t pid) {
	char text[64];
	snprintf(text, sizeof(text), "%s %ld\n", word, (long)pid);
	send_line(fd, text);
}

void guard_add_process(int guard_fd, pid_t pid) {
	send_number(guard_fd, "process", pid);
}

void guard_remove_process(int guard_fd, pid_t pid) {
	send_number(guard_fd, "gone", pid);
}

void guard_add_folder(int guard_fd, const char *folder) {
	char *text = text_format("folder %s\n", folder);
	send_line(guard_fd, text);
	free(text);
}

void guard_finish(struct guard *guard) {
	if (guard->fd >= 0) {
		close(guard->fd);
		guard->fd = -1;
		process_wait(guard->pid, -1, NULL);
	}
}

/* --- in the guard's own process --- */

static void handle_line(struct guard_state *state, const char *line) {
	long number = 0;
	if (!strncmp(line, "folder /", 8)) {
		free(state->folder);
		state->folder = text_copy(line + 7);
	} else if (sscanf(line, "process %ld", &number) == 1) {
		if (number > 1 && state->process_count < GUARD_MAX_PROCESSES) {
			state->processes[state->process_count++] = (pid_t)number;
		}
	} else if (sscanf(line, "gone %ld", &number) == 1) {
		for (int i = 0; i < state->process_count; i++) {
			if (state->processes[i] == (pid_t)number) {
				state->processes[i] = state->processes[--state->process_count];
				break;
			}
		}
	}
}

static void signal_all(const struct guard_state *state, int signal_number) {
	for (int i = 0; i < state->process_count; i++) {
		kill(state->processes[i], signal_number);
	}
}

/* Forgets those that ended. (They are not our children, so nobody tells us.) */
static void forget_ended(struct guard_state *state) {
	int kept = 0;
	for (int i = 0; i < state->process_count; i++) {
		if (kill(state->processes[i], 0) == 0) {
			state->processes[kept++] = state->processes[i];
		}
	}
	state->process_count = kept;
}

int guard_main(int argc, char **argv) {
	(void)argc;
	(void)argv;
	const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		signal(ignored[i], SIG_IGN);
	}
	struct guard_state state = {0};
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	while ((length = getline(&line, &capacity, stdin)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		handle_line(&state, line);
	}
	free(line);

	signal_all(&state, SIGTERM);
	uint64_t deadline = clock_now() + GUARD_GRACE_MS * CLOCK_NS_PER_MS;
	for (;;) {
		forget_ended(&state);
		if (!state.process_count || clock_now() >= deadline) {
			break;
		}
		clock_sleep(10 * CLOCK_NS_PER_MS);
	}
	signal_all(&state, SIGKILL);
	if (state.folder) {
		runtime_folder_remove(state.folder);
		free(state.folder);
	}
	return CLI_EXIT_OK;
}
