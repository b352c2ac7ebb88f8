/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/socket.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/runtime.h"
#include "cli/text.h"
#include "ipc/limits.h"

/*
 * Asks venera-gpu over its control socket, and prints the JSON that comes back, or the same for
 * people to read.
 */

#define PATIENCE_S 5
#define MAX_ANSWER (1 << 20)

enum {
	OPTION_JSON,
	OPTION_SOCKET,
	OPTION_HELP,
};

static const struct option_spec specs[] = {
	[OPTION_JSON] = {"json", NULL, "print JSON"},
	[OPTION_SOCKET] = {"socket", "PATH",
		"venera-gpu's control socket\n(default: that of the only machine that runs)"},
	[OPTION_HELP] = {"help", NULL, "this text"},
	{NULL, NULL, NULL},
};

/* The control socket of the only machine, or NULL with the reason logged. */
static char *find_machine(void) {
	struct args paths = {0};
	runtime_find_machines(&paths);
	char *path = NULL;
	if (paths.count == 1) {
		path = text_copy(paths.list[0]);
	} else if (paths.count == 0) {
		log_error("no machine of 'venera run' is running; name the control socket of another with "
			"--socket=PATH");
	} else {
		log_error("several machines are running; choose one:");
		for (size_t i = 0; i < paths.count; i++) {
			log_error("  --socket=%s", paths.list[i]);
		}
	}
	args_finish(&paths);
	return path;
}

/* The answer, NUL at its end; NULL with errno set. */
static char *ask(const char *path, size_t *size) {
	static const char request[] = "stat\n";
	int fd = socket_connect(path);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	char *answer = malloc(MAX_ANSWER);
	ssize_t got = answer ? socket_send_fds(fd, request, strlen(request), NULL, 0) : -ENOMEM;
	if (got < 0) {
		errno = (int)-got;
	}
	for (*size = 0; got > 0;) {
		got = recv(fd, answer + *size, MAX_ANSWER - 1 - *size, 0);
		*size += got > 0 ? (size_t)got : 0;
	}
	int saved_errno = errno;
	close(fd);
	if (got < 0) {
		free(answer);
		errno = saved_errno;
		return NULL;
	}
	answer[*size] = '\0';
	return answer;
}

static uint64_t number(struct json object, const char *name) {
	return json_uint(json_member(object, name), 0);
}

static void print_scanout(struct json scanout) {
	printf("scanout %" PRIu64 ": ", number(scanout, "id"));
	if (number(scanout, "resource") == 0) {
		printf("shows nothing\n");
	} else {
		printf("%" PRIu64 "x%" PRIu64 ", resource %" PRIu64 ", %s\n", number(scanout, "width"),
			number(scanout, "height"), number(scanout, "resource"),
			json_is_true(json_member(scanout, "direct")) ? "shown from the guest's GPU memory"
				: "shown from a copy of guest memory");
	}
	printf("  %" PRIu64 " flushes, %" PRIu64 " frames (%" PRIu64 " from GPU memory), %" PRIu64
		" dropped\n", number(scanout, "flushes"), number(scanout, "frames"),
		number(scanout, "direct_frames"), number(scanout, "dropped_frames"));
	printf("  %" PRIu64 " bytes copied by a CPU, %" PRIu64 " GPU blits\n",
		number(scanout, "cpu_copied_bytes"), number(scanout, "gpu_blits"));
	struct json latency = json_member(scanout, "flush_to_present_ns");
	printf("  flush to present: last %.2f ms, mean %.2f ms, slowest %.2f ms\n",
		(double)number(latency, "last") / 1e6, (double)number(latency, "mean") / 1e6,
		(double)number(latency, "max") / 1e6);
}

/* By the same names as the option --limit: what is used of each, up to what. */
static void print_limits(struct json limits) {
	int column = 0;
	for (int i = 0; i < LIMIT_COUNT; i++) {
		const char *name = limit_name((enum limit)i);
		struct json limit = json_member(limits, name);
		if (!json_exists(limit)) {
			continue;
		}
		char max[LIMIT_TEXT_SIZE], used[LIMIT_TEXT_SIZE], text[96];
		limit_format((enum limit)i, number(limit, "max"), max);
		limit_format_about((enum limit)i, number(limit, "used"), used);
		const int width = snprintf(text, sizeof(text), "%s %s of %s", name, used, max);
		if (column && column + 2 + width > 96) {
			printf(",\n    %s", text);
			column = 4 + width;
		} else {
			column += printf("%s%s", column ? ", " : "  limits: ", text);
		}
	}
	if (column) {
		printf("\n");
	}
}

static void print_string(struct json string) {
	for (const char *c = string.begin + 1; c < string.end - 1; c++) {
		c += *c == '\\';
		putchar(*c);
	}
}

static void print_context(struct json context) {
	struct json name = json_member(context, "name");
	printf("context %" PRIu64 " (", number(context, "id"));
	if (json_exists(name) && *name.begin == '"') {
		print_string(name);
	}
	printf(")%s\n", json_is_true(json_member(context, "lost")) ? ": lost" : "");
	printf("  %" PRIu64 " commands, %" PRIu64 " submissions, %" PRIu64 " ring wake-ups\n",
		number(context, "commands"), number(context, "submissions"),
		number(context, "ring_wakeups"));
	printf("  %.1f MiB in %" PRIu64 " pieces of GPU memory\n",
		(double)number(context, "memory_bytes") / (1 << 20),
		number(context, "memory_objects"));
	print_limits(json_member(context, "limits"));
}

static void print_array(struct json array, void (*print)(struct json)) {
	struct json element;
	for (size_t i = 0; json_exists(element = json_element(array, i)); i++) {
		print(element);
	}
}

static int print_answer(const char *answer, size_t size, bool as_json) {
	struct json json = json_parse(answer, size);
	if (!json_exists(json_member(json, "scanouts"))) {
		log_error("what answers there is not venera-gpu, or one of another version");
		return CLI_EXIT_FAILED;
	}
	if (as_json) {
		fputs(answer, stdout);
	} else {
		if (!json_is_true(json_member(json, "view"))) {
			printf("no venera-view is connected\n");
		}
		print_array(json_member(json, "scanouts"), print_scanout);
		if (json_exists(json_member(json, "limits"))) {
			printf("all contexts\n");
			print_limits(json_member(json, "limits"));
		}
		print_array(json_member(json, "contexts"), print_context);
	}
	return fflush(stdout) == 0 ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}

static void print_help(void) {
	printf("Usage: venera stat [OPTIONS]\n"
		"\n"
		"Prints what a running machine has drawn, copied and shown since it started. venera(1)\n"
		"says what the numbers mean.\n"
		"\n");
	option_print_help(specs);
}

int stat_main(int argc, char **argv) {
	struct option_parser parser = OPTION_PARSER(specs, argc, argv);
	const char *value, *socket = NULL;
	bool as_json = false;
	int option;
	while ((option = option_next(&parser, &value)) >= 0) {
		switch (option) {
		case OPTION_JSON:
			as_json = true;
			break;
		case OPTION_SOCKET:
			socket = value;
			break;
		case OPTION_HELP:
			print_help();
			return CLI_EXIT_OK;
		}
	}
	if (option == OPTION_ERROR) {
		return CLI_EXIT_USAGE;
	}
	if (parser.next < argc) {
		log_error("'%s': all arguments are options; see 'venera stat --help'", argv[parser.next]);
		return CLI_EXIT_USAGE;
	}

	char *path = socket ? text_copy(socket) : find_machine();
	if (!path) {
		return CLI_EXIT_FAILED;
	}
	int code = CLI_EXIT_FAILED;
	size_t size = 0;
	char *answer = ask(path, &size);
	if (answer) {
		code = print_answer(answer, size, as_json);
	} else {
		log_error("%s: %s", path, strerror(errno));
	}
	free(answer);
	free(path);
	return code;
}
