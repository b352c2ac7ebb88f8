/* SPDX-License-Identifier: MIT */
#include "base/event_loop.h"
#include "base/log.h"
#include "base/process.h"
#include "base/sandbox.h"
#include "base/socket.h"
#include "ipc/broker.h"
#include "venera_version.h"
#include "vtest/sandbox.h"
#include "vtest/server.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where Mesa's clients look when VTEST_SOCKET_NAME is not set. */
#define DEFAULT_SOCKET "/tmp/.virgl_test"

/*
 * In this order: options; the broker; the socket, from which nothing is read yet; a spare render process; the
 * sandbox (sandbox.c); clients.
 */

static const char usage[] =
	"usage: venera-vtest [OPTION...]\n"
	"\n"
	"Gives programs on this machine the Vulkan driver of Venera's renderer, through Mesa's\n"
	"Venus driver: start them with VN_DEBUG=vtest and the Venus driver's manifest in\n"
	"VK_DRIVER_FILES.\n"
	"\n"
	"  --socket-path=PATH  listen on PATH (default: $VTEST_SOCKET_NAME or " DEFAULT_SOCKET ")\n"
	"  --fd=N              use the socket N instead: one that listens, or one that is\n"
	"                      connected to the only client\n"
	"  --driver=FILE       let the renderer use this Vulkan driver manifest and no other\n"
	"  --render=PROGRAM    the renderer to start for each client (default: the\n"
	"                      venera-render that belongs to this program)\n"
	"  --limit=NAME=VALUE  of what clients can have; --limit=help lists them\n"
	"  --no-spare          do not keep a renderer ready for the next client\n"
	"  --sandbox=MODE      on (default), log: deny nothing but log what would be, or off; for\n"
	"                      renderers, too\n"
	"  --validate          run the renderer under the Vulkan validation layer\n"
	"  --once              end after the last client has left\n"
	"  --log-level=LEVEL   error, warn, info (default) or debug\n"
	"  --help              print this\n"
	"  --version           print the version\n";

struct options {
	const char *socket_path;
	int fd; /* -1: make a socket */
	const char *driver;
	const char *render;
	struct limits limits;
	bool no_spare, validate, once;
	enum sandbox_mode sandbox;
	enum log_level log_level;
};

static bool parse_fd(const char *text, int *fd) {
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 0 || value > INT_MAX) {
		log_error("--fd=%s: not the number of a descriptor", text);
		return false;
	}
	if (fcntl((int)value, F_GETFD) < 0) {
		log_error("--fd=%s: no such descriptor is open", text);
		return false;
	}
	*fd = (int)value;
	return true;
}

/* 0: go on; 1: exit in order; -1: exit with an error, which has been printed. */
static int parse_options(struct options *options, int argc, char *argv[]) {
	enum { SOCKET_PATH = 256, FD, DRIVER, RENDER, LIMIT, NO_SPARE, SANDBOX, VALIDATE, ONCE,
		LOG_LEVEL, HELP, VERSION };
	static const struct option known[] = {
		{"socket-path", required_argument, NULL, SOCKET_PATH},
		{"fd", required_argument, NULL, FD},
		{"driver", required_argument, NULL, DRIVER},
		{"render", required_argument, NULL, RENDER},
		{"limit", required_argument, NULL, LIMIT},
		{"no-spare", no_argument, NULL, NO_SPARE},
		{"sandbox", required_argument, NULL, SANDBOX},
		{"validate", no_argument, NULL, VALIDATE},
		{"once", no_argument, NULL, ONCE},
		{"log-level", required_argument, NULL, LOG_LEVEL},
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION},
		{0},
	};
	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (option) {
		case SOCKET_PATH:
			options->socket_path = optarg;
			break;
		case FD:
			if (!parse_fd(optarg, &options->fd)) {
				return -1;
			}
			break;
		case DRIVER:
			options->driver = optarg;
			break;
		case RENDER:
			options->render = optarg;
			break;
		case LIMIT:
			if (!strcmp(optarg, "help")) {
				limits_print(stdout, &options->limits, LIMIT_OF_VTEST);
				return 1;
			}
			if (!limits_parse(&options->limits, LIMIT_OF_VTEST, optarg)) {
				return -1;
			}
			break;
		case NO_SPARE:
			options->no_spare = true;
			break;
		case SANDBOX:
			if (!sandbox_mode_parse(optarg, &options->sandbox)) {
				log_error("--sandbox=%s: give on, log or off", optarg);
				return -1;
			}
			break;
		case VALIDATE:
			options->validate = true;
			break;
		case ONCE:
			options->once = true;
			break;
		case LOG_LEVEL:
			if (!log_level_parse(optarg, &options->log_level)) {
				log_error("--log-level=%s: give error, warn, info or debug", optarg);
				return -1;
			}
			break;
		case HELP:
			fputs(usage, stdout);
			return 1;
		case VERSION:
			puts("venera-vtest " VENERA_VERSION);
			return 1;
		default:
			log_error("try: venera-vtest --help");
			return -1;
		}
	}
	if (optind < argc) {
		log_error("%s: there are only options; try: venera-vtest --help", argv[optind]);
		return -1;
	}
	if (options->fd != -1 && options->socket_path) {
		log_error("--socket-path and --fd exclude each other");
		return -1;
	}
	return 0;
}

/* Returns the listening socket or -1. */
static int listen_on(const char *path) {
	int fd = socket_listen(path);
	if (fd == -EADDRINUSE) {
		log_error("%s: a server listens there already; end it or give another --socket-path", path);
	} else if (fd == -ENAMETOOLONG) {
		log_error("%s: too long for a socket, at most %zu bytes; give another --socket-path", path,
			socket_path_max());
	} else if (fd < 0) {
		log_error("%s: %s; give another --socket-path", path, strerror(-fd));
	}
	return fd < 0 ? -1 : fd;
}

/* Caller frees; NULL after an error has been printed. */
static char *find_render(const char *name) {
	char *path = name ? process_find_program(name) : process_find_sibling("venera-render");
	if (!path && name) {
		log_error("--render=%s: no such program", name);
	} else if (!path) {
		log_error("venera-render is not there, neither beside this program nor in its build tree: "
			"install both together, or give --render=PROGRAM");
	}
	return path;
}

/*
 * Starts the process that can do what the sandbox takes: start render processes, and remove the socket. NULL
 * with errno set.
 */
static struct broker *start_broker(const struct options *options, const char *render,
		const char *path) {
	/* it may be asked for as long as we live */
	static const char *env[4], *files[2];
	static char driver[4096 + 32];
	const char **variable = env;
	if (options->driver) {
		snprintf(driver, sizeof(driver), "VK_DRIVER_FILES=%s", options->driver);
		*variable++ = driver;
	}
	/* Were a process to use the Venus driver on this very socket, it would never end. */
	const char *venus_debug = getenv("VN_DEBUG");
	if (venus_debug && strstr(venus_debug, "vtest")) {
		*variable++ = "VN_DEBUG";
	}
	files[0] = path;
	return broker_create(&(struct broker_options){
		.program = render,
		.sandbox = options->sandbox,
		.log_level = options->log_level,
		.validate = options->validate,
		/* a descriptor from us would pass for a dma-buf, and Mesa give it to a display server */
		.no_dma_buf = true,
		.limits = &options->limits,
		.env = env,
		.files = files,
	});
}

static void handle_signal(void *data, int signal_number) {
	struct vtest_server *server = data;
	if (server->stopping) {
		/* the second time: do not wait for anybody */
		event_loop_stop(server->loop);
		return;
	}
	log_info("signal %d: ending", signal_number);
	vtest_server_stop(server);
}

/* 0 or an exit code. */
/* `path` is that of the socket, or NULL if somebody else made it. */
static int serve(const struct vtest_server_options *options, enum sandbox_mode sandbox,
		const char *path) {
	int result = 1;
	struct event_loop *loop = event_loop_create();
	if (!loop) {
		log_error("out of memory or descriptors");
		close(options->fd);
		return result;
	}
	struct vtest_server server;
	int error = vtest_server_init(&server, loop, options);
	if (error) {
		log_error("the socket cannot be served: %s", strerror(-error));
		goto destroy_loop;
	}
	struct event_source *interrupt = event_loop_add_signal(loop, SIGINT, handle_signal, &server);
	struct event_source *terminate = event_loop_add_signal(loop, SIGTERM, handle_signal, &server);
	if (!interrupt || !terminate) {
		log_error("out of memory");
		goto finish_server;
	}
	if (sandbox_enter(vtest_sandbox_policy(), sandbox) < 0) {
		goto finish_server;
	}
	if (path) {
		log_info("listening on %s", path);
	}
	error = event_loop_run(loop);
	if (error) {
		log_error("%s", strerror(-error));
		goto finish_server;
	}
	result = 0;

finish_server:
	event_source_remove(interrupt);
	event_source_remove(terminate);
	vtest_server_finish(&server);
destroy_loop:
	event_loop_destroy(loop);
	return result;
}

int main(int argc, char *argv[]) {
	log_init("venera-vtest", LOG_LEVEL_INFO);
	struct options options = {.fd = -1, .log_level = LOG_LEVEL_INFO};
	limits_init(&options.limits);
	int parsed = parse_options(&options, argc, argv);
	if (parsed) {
		return parsed < 0 ? 2 : 0;
	}
	log_init("venera-vtest", options.log_level);
	fd_limit_raise();
	/* a client may have closed the pipe that tells it of the end of its wait */
	signal(SIGPIPE, SIG_IGN);

	if (options.driver && access(options.driver, R_OK) < 0) {
		log_error("--driver=%s: %s; give the path of a Vulkan driver manifest (.json)",
			options.driver, strerror(errno));
		return 1;
	}
	char *render = find_render(options.render);
	if (!render) {
		return 1;
	}

	const char *path = NULL;
	if (options.fd == -1) {
		path = options.socket_path ? options.socket_path : getenv("VTEST_SOCKET_NAME");
		if (!path || !*path) {
			path = DEFAULT_SOCKET;
		}
	}
	struct broker *broker = start_broker(&options, render, path);
	int result = 1;
	if (!broker) {
		log_error("cannot start: %s", strerror(errno));
		goto free_render;
	}
	if (path) {
		options.fd = listen_on(path);
		if (options.fd == -1) {
			goto destroy_broker;
		}
	} else {
		fd_set_cloexec(options.fd, true);
	}

	result = serve(
		&(struct vtest_server_options){
			.fd = options.fd,
			.once = options.once,
			.renderer = {
				.broker = broker,
				.limits = options.limits,
				.spare = !options.no_spare,
			},
		},
		options.sandbox, path);
	if (path) {
		broker_remove_file(broker, path);
	}

destroy_broker:
	broker_destroy(broker);
free_render:
	free(render);
	return result;
}
