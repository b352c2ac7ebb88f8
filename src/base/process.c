/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/os.h"
#include "base/process.h"

extern char **environ;

/* What a program that was started from a shell finds at its default. */
static const int default_signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2, SIGTSTP,
	SIGTTIN, SIGTTOU,
};

/* The length of the name in "NAME=value" or "NAME". */
static size_t name_length(const char *assignment) {
	const char *equals = strchr(assignment, '=');
	return equals ? (size_t)(equals - assignment) : strlen(assignment);
}

/* Our environment with `changes` applied: an array to free, of strings that are not ours. */
static char **make_env(const char *const *changes) {
	size_t count = 0, change_count = 0;
	while (environ && environ[count]) {
		count++;
	}
	while (changes[change_count]) {
		change_count++;
	}
	char **env = malloc((count + change_count + 1) * sizeof(*env));
	if (!env) {
		return NULL;
	}
	if (count) {
		memcpy(env, environ, count * sizeof(*env));
	}
	for (size_t i = 0; i < change_count; i++) {
		size_t length = name_length(changes[i]);
		size_t kept = 0;
		for (size_t j = 0; j < count; j++) {
			if (name_length(env[j]) != length || memcmp(env[j], changes[i], length) != 0) {
				env[kept++] = env[j];
			}
		}
		count = kept;
		if (changes[i][length] == '=') {
			env[count++] = (char *)changes[i]; /* posix_spawn only reads it */
		}
	}
	env[count] = NULL;
	return env;
}

#if OS_HAVE_SPAWN_CLOSEFROM
static bool is_kept(const struct process_options *options, int fd) {
	for (int i = 0; i < options->fd_count; i++) {
		if (options->fds[i] == fd) {
			return true;
		}
	}
	return false;
}
#endif

/*
 * What the child does with descriptors. All that we open are close-on-exec, so it would be
 * enough to keep those that are asked for. But descriptors that we inherited or that a
 * library opened may not be, so these are closed where the system has a way that does
 * not take a call per possible number.
 */
static int add_fd_actions(posix_spawn_file_actions_t *actions,
		const struct process_options *options, const int std_fds[3]) {
	for (int target = 0; target < 3; target++) {
		int err = 0;
		if (std_fds[target] >= 0) {
			err = posix_spawn_file_actions_adddup2(actions, std_fds[target], target);
		} else if (OS_HAVE_SPAWN_CLOEXEC_DEFAULT) {
#if OS_HAVE_SPAWN_CLOEXEC_DEFAULT
			if (fcntl(target, F_GETFD) >= 0) {
				err = posix_spawn_file_actions_addinherit_np(actions, target);
			}
#endif
		}
		if (err) {
			return -err;
		}
	}
	for (int i = 0; i < options->fd_count; i++) {
#if OS_HAVE_SPAWN_CLOEXEC_DEFAULT
		int err = posix_spawn_file_actions_addinherit_np(actions, options->fds[i]);
#else
		/* onto itself: that clears FD_CLOEXEC in the child */
		int err = posix_spawn_file_actions_adddup2(
			actions, options->fds[i], options->fds[i]);
#endif
		if (err) {
			return -err;
		}
	}
#if OS_HAVE_SPAWN_CLOSEFROM
	int last = 2;
	for (int i = 0; i < options->fd_count; i++) {
		last = options->fds[i] > last ? options->fds[i] : last;
	}
	for (int fd = 3; fd < last; fd++) {
		int flags = fcntl(fd, F_GETFD);
		if (flags < 0 || (flags & FD_CLOEXEC) || is_kept(options, fd)) {
			continue;
		}
		int err = posix_spawn_file_actions_addclose(actions, fd);
		if (err) {
			return -err;
		}
	}
	int err = posix_spawn_file_actions_addclosefrom_np(actions, last + 1);
	if (err) {
		return -err;
	}
#endif
	return 0;
}

static int set_attributes(posix_spawnattr_t *attributes, const struct process_options *options) {
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	if (options->new_group) {
		flags |= POSIX_SPAWN_SETPGROUP;
	}
#if OS_HAVE_SPAWN_CLOEXEC_DEFAULT
	flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
	sigset_t none, defaults;
	sigemptyset(&none);
	sigemptyset(&defaults);
	for (size_t i = 0; i < sizeof(default_signals) / sizeof(default_signals[0]); i++) {
		sigaddset(&defaults, default_signals[i]);
	}
	int err = posix_spawnattr_setflags(attributes, flags);
	if (!err) {
		err = posix_spawnattr_setsigmask(attributes, &none);
	}
	if (!err) {
		err = posix_spawnattr_setsigdefault(attributes, &defaults);
	}
	if (!err && options->new_group) {
		err = posix_spawnattr_setpgroup(attributes, 0);
	}
	return -err;
}

pid_t process_spawn(const struct process_options *options) {
	for (int i = 0; i < options->fd_count; i++) {
		if (options->fds[i] < 3 || fcntl(options->fds[i], F_GETFD) < 0) {
			return -EBADF; /* the standard ones have fields of their own */
		}
	}

	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t result = -posix_spawn_file_actions_init(&actions);
	if (result) {
		return result;
	}
	result = -posix_spawnattr_init(&attributes);
	if (result) {
		goto out_actions;
	}

	/* A standard descriptor that is to become another one (2 as output, 1 as error) must not be
	 * overwritten before it is used: such are copied out of the way first. */
	int std_fds[3] = {options->stdin_fd, options->stdout_fd, options->stderr_fd};
	int copies[3] = {-1, -1, -1};
	for (int i = 0; i < 3; i++) {
		if (std_fds[i] >= 0 && std_fds[i] < 3 && std_fds[i] != i) {
			copies[i] = fcntl(std_fds[i], F_DUPFD_CLOEXEC, 3);
			if (copies[i] < 0) {
				result = -errno;
				goto out_copies;
			}
			std_fds[i] = copies[i];
		}
	}

	result = add_fd_actions(&actions, options, std_fds);
	if (result) {
		goto out_copies;
	}
	result = set_attributes(&attributes, options);
	if (result) {
		goto out_copies;
	}
	char **env = environ;
	if (options->env) {
		env = make_env(options->env);
		if (!env) {
			result = -ENOMEM;
			goto out_copies;
		}
	}

	/* posix_spawnp() looks in PATH unless there is a slash; it only reads argv */
	pid_t pid;
	int err = posix_spawnp(
		&pid, options->path, &actions, &attributes, (char **)options->argv, env);
	result = err ? -err : pid;
	if (env != environ) {
		free(env);
	}

out_copies:
	for (int i = 0; i < 3; i++) {
		if (copies[i] >= 0) {
			close(copies[i]);
		}
	}
	posix_spawnattr_destroy(&attributes);
out_actions:
	posix_spawn_file_actions_destroy(&actions);
	return result;
}

static bool is_program(const char *path) {
	struct stat st;
	if (stat(path, &st) < 0) {
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;
		return false;
	}
	return access(path, X_OK) == 0;
}

/* "<folder>/<middle><name>" if it is a program; else NULL with errno set. */
static char *program_in(const char *folder, size_t folder_length, const char *middle,
		const char *name) {
	size_t size = folder_length + strlen(middle) + strlen(name) + 2;
	char *path = malloc(size);
	if (!path) {
		return NULL;
	}
	snprintf(path, size, "%.*s/%s%s", (int)folder_length, folder, middle, name);
	if (is_program(path)) {
		return path;
	}
	int saved_errno = errno;
	free(path);
	errno = saved_errno;
	return NULL;
}

/* Looks beside and in the build tree's layout below or, with `up`, beside the folder. */
static char *find_in_layouts(const char *folder, size_t folder_length, bool up, const char *name) {
	char *path = program_in(folder, folder_length, "", name);
	if (path || errno == ENOMEM) {
		return path;
	}
	/* venera-gpu is built in gpu/, venera itself in cli/ */
	const char *part = strcmp(name, "venera") == 0 ? "cli" : name;
	if (strncmp(name, "venera-", 7) == 0) {
		part = name + 7;
	}
	char middle[64];
	int length = snprintf(middle, sizeof(middle), "%s%s/", up ? "../" : "", part);
	if (length < 0 || (size_t)length >= sizeof(middle)) {
		errno = ENOENT;
		return NULL;
	}
	return program_in(folder, folder_length, middle, name);
}

char *process_find_sibling(const char *name) {
	const char *bindir = getenv("VENERA_BINDIR");
	if (bindir && *bindir) {
		return find_in_layouts(bindir, strlen(bindir), false, name);
	}
	char *self = process_self_path();
	if (!self) {
		return NULL;
	}
	char *slash = strrchr(self, '/');
	char *path = find_in_layouts(self, slash ? (size_t)(slash - self) : 0, true, name);
	int saved_errno = errno;
	free(self);
	errno = saved_errno;
	return path;
}

char *process_find_program(const char *name) {
	if (strchr(name, '/')) {
		return is_program(name) ? strdup(name) : NULL;
	}
	const char *search = getenv("PATH");
	if (!search || !*name) {
		errno = ENOENT;
		return NULL;
	}
	while (*search) {
		size_t length = strcspn(search, ":");
		char *path = length ? program_in(search, length, "", name) : program_in(".", 1, "", name);
		if (path || errno == ENOMEM) {
			return path;
		}
		search += length;
		search += *search == ':';
	}
	errno = ENOENT;
	return NULL;
}

int process_wait(pid_t pid, int timeout_ms, int *status) {
	int ignored;
	if (!status) {
		status = &ignored;
	}
	uint64_t deadline = timeout_ms < 0 ? 0 : clock_now() + (uint64_t)timeout_ms * CLOCK_NS_PER_MS;
	uint64_t pause = CLOCK_NS_PER_MS / 4;
	for (;;) {
		pid_t ended = waitpid(pid, status, timeout_ms < 0 ? 0 : WNOHANG);
		if (ended > 0) {
			return 1;
		}
		if (ended < 0) {
			if (errno == EINTR) {
				continue;
			}
			return -errno;
		}
		uint64_t now = clock_now();
		if (now >= deadline) {
			return 0;
		}
		clock_sleep(pause < deadline - now ? pause : deadline - now);
		if (pause < 10 * CLOCK_NS_PER_MS) {
			pause *= 2;
		}
	}
}

void process_terminate(pid_t pid, int grace_ms) {
	if (pid <= 0) { /* to kill() these mean groups and everybody */
		return;
	}
	kill(pid, SIGTERM);
	if (process_wait(pid, grace_ms < 0 ? 0 : grace_ms, NULL) == 0) {
		kill(pid, SIGKILL);
		process_wait(pid, -1, NULL);
	}
}
