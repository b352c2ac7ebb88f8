/* SPDX-License-Identifier: MIT */
#include "ipc/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/process.h"
#include "base/socket.h"
#include "ipc/render_protocol.h"

/*
 * Theory of operation
 *
 * Both ends share a stream socket. The device sends requests of one size, with descriptors if it
 * starts a process; START and REMOVE are answered, in order. Between the answers come reports of
 * processes that ended, which the device keeps until somebody asks (broker_wait()). While it
 * waits for an answer it may receive reports, too; the loop is then told by a timer that there is
 * something to ask for.
 *
 * The broker is outside of every sandbox and trusts the device with nothing: of a request it
 * takes the name, as one argument that cannot become another option, a process id that it looks
 * up among its children, and the number of a file.
 *
 * When the device is gone, in whatever way, the socket ends. What processes there still are see
 * that on their own channels; the broker waits for them, and kills those that take too long.
 */

#define MAX_CHILDREN 1024

/* the channel's and that of the counters */
#define START_FDS 2

enum request_type { REQUEST_START = 1, REQUEST_KILL, REQUEST_REMOVE };

struct request {
	uint32_t type;
	int32_t number;  /* KILL: a process id; REMOVE: index of a file */
	uint32_t spare;  /* START: nobody's yet */
	char name[64];   /* START: ends with NUL */
};

enum report_type { REPORT_ANSWER = 1, REPORT_ENDED };

struct report {
	uint32_t type;
	int32_t number; /* ANSWER: a process id, 0 or -errno; ENDED: a process id */
	int32_t status; /* ENDED: as of waitpid() */
};

/* --- in the broker's process --- */

struct server {
	const struct broker_options *options;
	struct event_loop *loop;
	int fd;
	int null_fd; /* what they read from standard input */
	pid_t children[MAX_CHILDREN];
	int child_count;
};

static bool send_report(struct server *server, const struct report *report) {
	/* small, and to a device that reads: it is written whole */
	return socket_send_fds(server->fd, report, sizeof(*report), NULL, 0) ==
		(ssize_t)sizeof(*report);
}

static pid_t start(struct server *server, const struct request *request, const int *fds) {
	if (server->child_count == MAX_CHILDREN) {
		return -EAGAIN;
	}
	const struct broker_options *options = server->options;
	char fd_text[32], counters_text[40], name_text[96], level_text[32], sandbox_text[32];
	char limit_texts[LIMIT_COUNT][LIMIT_OPTION_SIZE];
	snprintf(fd_text, sizeof(fd_text), "--fd=%d", fds[0]);
	snprintf(counters_text, sizeof(counters_text), "--counters-fd=%d", fds[1]);
	snprintf(name_text, sizeof(name_text), "--name=%.*s", (int)sizeof(request->name) - 1,
		request->spare ? "spare" : request->name);
	snprintf(level_text, sizeof(level_text), "--log-level=%s", log_level_name(options->log_level));
	snprintf(sandbox_text, sizeof(sandbox_text), "--sandbox=%s",
		sandbox_mode_name(options->sandbox));
	const char *argv[10 + LIMIT_COUNT] = {
		"venera-render", fd_text, counters_text, name_text, level_text, sandbox_text};
	size_t count = 6;
	for (int i = 0; i < LIMIT_COUNT; i++) {
		if (limit_is_of((enum limit)i, LIMIT_OF_RENDER)) {
			argv[count++] = limit_option((enum limit)i, options->limits, limit_texts[i]);
		}
	}
	if (options->validate) {
		argv[count++] = "--validate";
	}
	if (options->no_dma_buf) {
		argv[count++] = "--no-dma-buf";
	}
	if (request->spare) {
		argv[count++] = "--spare";
	}

	struct process_options process = PROCESS_OPTIONS_DEFAULT;
	process.path = options->program;
	process.argv = argv;
	process.env = options->env;
	process.fds = fds;
	process.fd_count = START_FDS;
	process.new_group = true;
	process.stdin_fd = server->null_fd;
	pid_t pid = process_spawn(&process);
	if (pid > 0) {
		server->children[server->child_count++] = pid;
	}
	return pid;
}

static void kill_child(struct server *server, pid_t pid) {
	for (int i = 0; i < server->child_count; i++) {
		if (server->children[i] == pid) {
			kill(pid, SIGKILL);
		}
	}
}

static int remove_file(struct server *server, int number) {
	for (int i = 0; server->options->files && server->options->files[i]; i++) {
		if (i == number) {
			return unlink(server->options->files[i]) < 0 ? -errno : 0;
		}
	}
	return -EINVAL;
}

/* false: the device is gone, or speaks nonsense, which is as good. */
static bool serve(struct server *server) {
	struct request request;
	uint8_t *bytes = (uint8_t *)&request;
	size_t size = 0;
	int fds[START_FDS], fd_count = 0;
	bool ok = true;
	while (size < sizeof(request) && ok) {
		int more[START_FDS], more_count;
		ssize_t got = socket_recv_fds(
			server->fd, bytes + size, sizeof(request) - size, more, START_FDS, &more_count);
		for (int i = 0; i < more_count; i++) {
			if (fd_count < START_FDS) {
				fds[fd_count++] = more[i];
			} else {
				close(more[i]);
			}
		}
		ok = got > 0;
		size += ok ? (size_t)got : 0;
	}
	struct report answer = {.type = REPORT_ANSWER};
	if (!ok) {
		/* nothing */
	} else if (request.type == REQUEST_START && fd_count == START_FDS) {
		request.name[sizeof(request.name) - 1] = '\0';
		answer.number = (int32_t)start(server, &request, fds);
		ok = send_report(server, &answer);
	} else if (request.type == REQUEST_KILL) {
		kill_child(server, (pid_t)request.number);
	} else if (request.type == REQUEST_REMOVE) {
		answer.number = remove_file(server, request.number);
		ok = send_report(server, &answer);
	} else {
		ok = false;
	}
	for (int i = 0; i < fd_count; i++) {
		close(fds[i]);
	}
	return ok;
}

/* Collects a child if it has ended within the time. */
static bool collect(struct server *server, int index, int timeout_ms) {
	struct report report = {.type = REPORT_ENDED, .number = (int32_t)server->children[index]};
	int status = 0;
	if (process_wait(server->children[index], timeout_ms, &status) == 0) {
		return false;
	}
	report.status = (int32_t)status;
	server->children[index] = server->children[--server->child_count];
	send_report(server, &report);
	return true;
}

static void handle_child(void *data, int signal_number) {
	struct server *server = data;
	(void)signal_number;
	for (int i = 0; i < server->child_count;) {
		i += !collect(server, i, 0);
	}
}

static void handle_request(void *data, int fd, uint32_t mask) {
	struct server *server = data;
	(void)fd;
	(void)mask;
	if (!serve(server)) {
		event_loop_stop(server->loop);
	}
}

static void end_children(struct server *server) {
	uint64_t deadline = clock_now() + RENDER_EXIT_GRACE_MS * CLOCK_NS_PER_MS;
	while (server->child_count) {
		uint64_t now = clock_now();
		int left_ms = now < deadline ? (int)((deadline - now) / CLOCK_NS_PER_MS) : 0;
		if (!collect(server, 0, left_ms)) {
			kill(server->children[0], SIGKILL);
			collect(server, 0, -1);
		}
	}
}

static int run(const struct broker_options *options, int fd) {
	/* what ends the device from a terminal ends us when it has ended */
	const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE, SIGUSR1, SIGUSR2};
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		signal(ignored[i], SIG_IGN);
	}
	thread_set_name("venera-broker");
	static struct server server;
	server.options = options;
	server.fd = fd;
	server.null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	server.loop = event_loop_create();
	if (!server.loop || !event_loop_add_signal(server.loop, SIGCHLD, handle_child, &server) ||
			!event_loop_add_fd(server.loop, fd, EVENT_READABLE, handle_request, &server)) {
		log_error("the process that starts render processes: out of memory");
		return 1;
	}
	int err = event_loop_run(server.loop);
	if (err) {
		log_error("the process that starts render processes: %s", strerror(-err));
	}
	end_children(&server);
	return err ? 1 : 0;
}

/* --- in the device's process --- */

struct ended {
	pid_t pid;
	int status;
};

struct broker {
	struct broker_options options;
	pid_t pid;
	int fd;
	bool gone; /* the process has ended: nobody can be started, or waited for */

	struct report partial; /* the beginning of the next one */
	size_t partial_size;
	struct ended ended[MAX_CHILDREN]; /* reported, and not asked for yet */
	int ended_count;

	struct event_source *source;
	struct event_source *news; /* armed: there is something to ask for */
	void (*ended_func)(void *data);
	void *ended_data;
};

struct broker *broker_create(const struct broker_options *options) {
	struct broker *broker = calloc(1, sizeof(*broker));
	if (!broker) {
		return NULL;
	}
	int fds[2];
	int err = socket_pair(fds);
	if (err) {
		goto error_broker;
	}
	broker->pid = fork();
	if (broker->pid == 0) {
		fd_close_from(3, fds[1]);
		_exit(run(options, fds[1]));
	}
	err = broker->pid < 0 ? -errno : 0;
	close(fds[1]);
	broker->fd = fds[0];
	if (!err) {
		err = socket_set_blocking(fds[0], false);
	}
	if (err) {
		close(fds[0]);
		goto error_broker;
	}
	broker->options = *options;
	return broker;

error_broker:
	free(broker);
	errno = -err;
	return NULL;
}

static void lose(struct broker *broker) {
	if (!broker->gone) {
		log_error("the process that starts render processes is gone");
	}
	broker->gone = true;
}

/*
 * Takes what has been sent. 1: an answer is in `*answer`; 0: there is none, so far; -1: there
 * will be none. An answer that nobody waits for is an error of ours.
 */
static int receive(struct broker *broker, struct report *answer) {
	while (!broker->gone) {
		ssize_t got = recv(broker->fd, (uint8_t *)&broker->partial + broker->partial_size,
			sizeof(broker->partial) - broker->partial_size, 0);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			return 0;
		}
		if (got <= 0) {
			lose(broker);
			break;
		}
		broker->partial_size += (size_t)got;
		if (broker->partial_size < sizeof(broker->partial)) {
			continue;
		}
		broker->partial_size = 0;
		if (broker->partial.type == REPORT_ANSWER) {
			*answer = broker->partial;
			return 1;
		}
		if (broker->ended_count < MAX_CHILDREN) {
			broker->ended[broker->ended_count++] =
				(struct ended){broker->partial.number, broker->partial.status};
		}
		if (broker->news) {
			event_source_timer_arm(broker->news, 0);
		}
	}
	if (broker->news) {
		event_source_timer_arm(broker->news, 0);
	}
	return -1;
}

static bool wait_readable(struct broker *broker, int timeout_ms) {
	struct pollfd entry = {.fd = broker->fd, .events = POLLIN};
	return poll(&entry, 1, timeout_ms) > 0;
}

static int send_request(
		struct broker *broker, const struct request *request, const int *fds, int fd_count) {
	if (broker->gone) {
		return -ECHILD;
	}
	/* It is read at once, so there is room for it, or there is after a moment. */
	ssize_t sent;
	while ((sent = socket_send_fds(broker->fd, request, sizeof(*request), fds, fd_count)) ==
			-EAGAIN) {
		struct pollfd entry = {.fd = broker->fd, .events = POLLOUT};
		poll(&entry, 1, -1);
	}
	if (sent != (ssize_t)sizeof(*request)) { /* a socket takes so little whole or not at all */
		lose(broker);
		return -ECHILD;
	}
	return 0;
}

static int ask(struct broker *broker, const struct request *request, const int *fds, int fd_count) {
	int err = send_request(broker, request, fds, fd_count);
	if (err) {
		return err;
	}
	struct report answer;
	int result;
	while ((result = receive(broker, &answer)) == 0) {
		wait_readable(broker, -1);
	}
	return result < 0 ? -ECHILD : answer.number;
}

pid_t broker_start(struct broker *broker, const char *name, int channel_fd, int counters_fd) {
	const int fds[START_FDS] = {channel_fd, counters_fd};
	struct request request = {.type = REQUEST_START, .spare = name == NULL};
	snprintf(request.name, sizeof(request.name), "%s", name ? name : "");
	return (pid_t)ask(broker, &request, fds, START_FDS);
}

int broker_wait(struct broker *broker, pid_t pid, int timeout_ms, int *status) {
	uint64_t deadline = timeout_ms < 0 ? 0 : clock_now() + (uint64_t)timeout_ms * CLOCK_NS_PER_MS;
	for (;;) {
		struct report answer;
		receive(broker, &answer);
		for (int i = 0; i < broker->ended_count; i++) {
			if (broker->ended[i].pid == pid) {
				if (status) {
					*status = broker->ended[i].status;
				}
				broker->ended[i] = broker->ended[--broker->ended_count];
				return 1;
			}
		}
		if (broker->gone) {
			return -ECHILD;
		}
		uint64_t now = clock_now();
		if (timeout_ms >= 0 && now >= deadline) {
			return 0;
		}
		wait_readable(broker,
			timeout_ms < 0 ? -1 : (int)((deadline - now) / CLOCK_NS_PER_MS) + 1);
	}
}

void broker_kill(struct broker *broker, pid_t pid) {
	struct request request = {.type = REQUEST_KILL, .number = (int32_t)pid};
	send_request(broker, &request, NULL, 0);
}

void broker_remove_file(struct broker *broker, const char *path) {
	for (int i = 0; broker->options.files && broker->options.files[i]; i++) {
		if (strcmp(broker->options.files[i], path) == 0) {
			struct request request = {.type = REQUEST_REMOVE, .number = i};
			int err = ask(broker, &request, NULL, 0);
			if (err && err != -ENOENT) {
				log_warn("cannot remove %s: %s", path, strerror(-err));
			}
			return;
		}
	}
}

static void handle_report(void *data, int fd, uint32_t mask) {
	struct broker *broker = data;
	struct report answer;
	(void)fd;
	(void)mask;
	receive(broker, &answer);
	if (broker->gone) {
		event_source_remove(broker->source);
		broker->source = NULL;
	}
}

static void handle_news(void *data) {
	struct broker *broker = data;
	broker->ended_func(broker->ended_data);
}

int broker_watch(
		struct broker *broker, struct event_loop *loop, void (*ended)(void *data), void *data) {
	broker->ended_func = ended;
	broker->ended_data = data;
	broker->source = event_loop_add_fd(loop, broker->fd, EVENT_READABLE, handle_report, broker);
	broker->news = event_loop_add_timer(loop, handle_news, broker);
	if (!broker->source || !broker->news) {
		broker_unwatch(broker);
		return -ENOMEM;
	}
	return 0;
}

void broker_unwatch(struct broker *broker) {
	event_source_remove(broker->source);
	event_source_remove(broker->news);
	broker->source = NULL;
	broker->news = NULL;
}

void broker_destroy(struct broker *broker) {
	if (!broker) {
		return;
	}
	broker_unwatch(broker);
	close(broker->fd);
	process_wait(broker->pid, -1, NULL);
	free(broker);
}
