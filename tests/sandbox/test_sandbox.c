/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/sandbox_linux.h"

#if defined(POLICY_OF_GPU)
#include "gpu/sandbox.h"
#define get_policy gpu_sandbox_policy
#elif defined(POLICY_OF_RENDER)
#include "render/sandbox.h"
#define get_policy render_sandbox_policy
#elif defined(POLICY_OF_VIEW)
#include "view/sandbox.h"
static const struct sandbox_policy *get_policy(void) {
	return view_sandbox_policy(false, NULL);
}
#elif defined(POLICY_OF_VTEST)
#include "vtest/sandbox.h"
#define get_policy vtest_sandbox_policy
#endif

/*
 * Every attempt is made by a process of its own: without a sandbox, where it should succeed,
 * because only then its failure later says something; in the whole sandbox; and behind each wall
 * that has to hold alone.
 */

enum setting { NO_SANDBOX, WHOLE_SANDBOX, ONLY_CALLS, ONLY_CONFINED };

static const char *const setting_names[] = {
	[NO_SANDBOX] = "without a sandbox",
	[WHOLE_SANDBOX] = "in the sandbox",
	[ONLY_CALLS] = "behind the filter of calls alone",
	[ONLY_CONFINED] = "behind Landlock and name spaces alone",
};

static int failures;

static void enter(enum setting setting) {
	const struct sandbox_policy *policy = get_policy();
	log_init("test_sandbox", LOG_LEVEL_INFO);
	int err = 0;
	if (setting == WHOLE_SANDBOX) {
		err = sandbox_enter(policy, SANDBOX_ON);
	} else if (setting == ONLY_CALLS) {
		err = sandbox_filter(policy, SANDBOX_ON);
	} else if (setting == ONLY_CONFINED) {
		err = sandbox_confine(policy, SANDBOX_ON);
	}
	if (err) {
		_exit(99);
	}
}

enum outcome { SUCCEEDED, FAILED, ENDED, BROKEN };

/* In a process of its own, whose lines are not of interest when it is to end. */
static enum outcome run(int (*function)(void), enum setting setting) {
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, STDERR_FILENO);
		enter(setting);
		int err = function();
		_exit(err ? 1 : 0);
	}
	int status = 0;
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		return BROKEN;
	}
	if (WIFSIGNALED(status)) {
		return WTERMSIG(status) == SIGSYS ? ENDED : BROKEN;
	}
	return WEXITSTATUS(status) == 0 ? SUCCEEDED : WEXITSTATUS(status) == 1 ? FAILED : BROKEN;
}

/* --- the scene --- */

static void write_file(const char *name) {
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", scene.folder, name);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd >= 0) {
		close(fd);
	}
	chmod(path, 0600);
}

static void remove_one(const char *name) {
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", scene.folder, name);
	if (unlink(path) < 0) {
		rmdir(path);
	}
}

static void reset_folder(void) {
	static const char *const made[] = {"new", "new folder", "new link", "another"};
	static const char *const wanted[] = {"secret", "spare", "other"};
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		remove_one(made[i]);
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		remove_one(wanted[i]);
		write_file(wanted[i]);
	}
}

static int listen_at(const struct sockaddr *address, socklen_t size) {
	int fd = socket(address->sa_family, SOCK_STREAM, 0);
	return fd >= 0 && bind(fd, address, size) == 0 && listen(fd, 128) == 0 ? fd : -1;
}

static bool set_scene(void) {
	snprintf(scene.folder, sizeof(scene.folder), "/tmp/venera-sandbox-XXXXXX");
	if (!mkdtemp(scene.folder)) {
		return false;
	}
	reset_folder();
	struct sockaddr_in inet = {.sin_family = AF_INET};
	inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = listen_at((struct sockaddr *)&inet, sizeof(inet));
	socklen_t size = sizeof(inet);
	getsockname(fd, (struct sockaddr *)&inet, &size);
	scene.port = ntohs(inet.sin_port);

	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/listener", scene.folder);
	bool ok = fd >= 0 && listen_at((struct sockaddr *)&address, sizeof(address)) >= 0;
	snprintf(scene.abstract, sizeof(scene.abstract), "venera-sandbox-%d", (int)getpid());
	size_t length = strlen(scene.abstract);
	address.sun_path[0] = '\0';
	memcpy(address.sun_path + 1, scene.abstract, length);
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
	ok = ok && listen_at((struct sockaddr *)&address, size) >= 0;

	/* typing works into the terminal that controls one, or as root */
	scene.terminal = posix_openpt(O_RDWR | O_NOCTTY);
	signal(SIGURG, SIG_IGN);
	scene.victim = fork();
	if (scene.victim == 0) {
		for (;;) {
			pause();
		}
	}
	return ok && scene.victim > 0;
}

static void clear_scene(void) {
	kill(scene.victim, SIGKILL);
	waitpid(scene.victim, NULL, 0);
	reset_folder();
	static const char *const left[] = {"secret", "spare", "other", "listener"};
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		remove_one(left[i]);
	}
	rmdir(scene.folder);
}

/* --- --- */

static void check_attempt(const struct attempt *attempt, enum setting setting) {
	enum outcome outcome = run(attempt->run, setting);
	reset_folder();
	if (outcome != FAILED && outcome != ENDED) {
		printf("FAIL: %s, %s: %s\n", attempt->name, setting_names[setting],
			outcome == SUCCEEDED ? "it succeeded" : "the test is broken");
		failures++;
	}
}

static void check_attempts(bool have_confinement) {
	const struct sandbox_policy *policy = get_policy();
	int tried = 0, untold = 0;
	for (const struct attempt *attempt = attempts; attempt->name; attempt++) {
		if ((attempt->walls & WALL_UNLESS_CODE) && policy->makes_code) {
			continue;
		}
		bool tells = run(attempt->run, NO_SANDBOX) == SUCCEEDED;
		reset_folder();
		if (!tells) {
			printf("does not work here without a sandbox either: %s\n", attempt->name);
			untold++;
		}
		check_attempt(attempt, WHOLE_SANDBOX);
		if ((attempt->walls & WALL_CALLS) ||
				((attempt->walls & WALL_CALLS_UNLESS_FILES) && !policy->files.count)) {
			check_attempt(attempt, ONLY_CALLS);
		}
		if ((attempt->walls & WALL_CONFINE) && have_confinement) {
			check_attempt(attempt, ONLY_CONFINED);
		}
		tried++;
	}
	printf("%d attempts, %d of which do not work here in any case\n", tried, untold);
	/* most have to work outside, or this test shows nothing */
	if (untold > tried / 3) {
		printf("FAIL: too few of them work without a sandbox\n");
		failures++;
	}
}

static void *do_nothing(void *data) {
	return data;
}

/* What every program does. */
static int live(void) {
	int fd = (int)syscall(SYS_memfd_create, "memory", 2U /* MFD_ALLOW_SEALING */);
	if (fd < 0 || ftruncate(fd, 4096) < 0) {
		return 1;
	}
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pthread_t thread;
	if (memory == MAP_FAILED || pthread_create(&thread, NULL, do_nothing, NULL) ||
			pthread_join(thread, NULL)) {
		return 1;
	}
	return malloc(1 << 20) && write(STDERR_FILENO, "", 0) == 0 ? 0 : 1;
}

static int abort_in_order(void) {
	abort();
}

static void check_life(void) {
	if (run(live, WHOLE_SANDBOX) != SUCCEEDED) {
		printf("FAIL: what every program needs does not work\n");
		failures++;
	}
	/* an assertion that fails is not a forbidden call */
	if (run(abort_in_order, WHOLE_SANDBOX) != BROKEN) {
		printf("FAIL: abort() is stopped\n");
		failures++;
	}
}

/* A name with a slip of the pen would allow or refuse nothing. */
static void check_names(const char *const *names) {
	for (; names && *names; names++) {
#if defined(__x86_64__)
		if (sandbox_call_number(*names) < 0) {
			printf("FAIL: there is no system call %s\n", *names);
			failures++;
		}
#endif
	}
}

/* The first line that it logs when it does what is forbidden. */
static int forbidden(void) {
	return (int)syscall(SYS_keyctl, 0, 0, 0);
}

static void check_line(enum sandbox_mode mode, const char *wanted, bool ends) {
	int fds[2];
	if (pipe(fds) < 0) {
		abort();
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		log_init("test", LOG_LEVEL_INFO);
		if (sandbox_enter(get_policy(), mode)) {
			_exit(99);
		}
		forbidden();
		_exit(0);
	}
	close(fds[1]);
	char text[4096];
	size_t size = 0;
	for (ssize_t got; (got = read(fds[0], text + size, sizeof(text) - 1 - size)) > 0;) {
		size += (size_t)got;
	}
	text[size] = '\0';
	close(fds[0]);
	int status;
	waitpid(pid, &status, 0);
	bool ended = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
	if (!strstr(text, wanted) || ended != ends) {
		printf("FAIL: --sandbox=%s: it %s, and logs: %s\n", sandbox_mode_name(mode),
			ended ? "ends" : "goes on", text);
		failures++;
	}
}

int main(void) {
#if defined(SANITIZED)
	printf("sanitizers' runtimes need more than the sandbox allows without them\n");
	return 77;
#endif
	if (!set_scene()) {
		perror("cannot set the scene");
		return 1;
	}
	char *missing = sandbox_what_is_missing();
	if (missing) {
		printf("this system has %s: the walls are not tried alone\n", missing);
	}
	check_names(get_policy()->calls);
	check_names(get_policy()->refused);
	check_life();
	check_attempts(!missing);
	check_line(SANDBOX_ON, "sandbox: keyctl (", true);
	check_line(SANDBOX_LOG, "sandbox: would end the process: keyctl (", false);
	check_line(SANDBOX_OFF, "", false);
	free(missing);
	clear_scene();
	return failures ? 1 : 0;
}
