/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/sandbox_linux.h"

/*
 * --sandbox=log: the filter asks this thread about every call that it would deny, and about calls
 * with paths. It writes a line, once for each call and path, and the call goes on.
 */

#define MAX_LINES 1024

/* Calls with paths. What they do needs SANDBOX_WRITE, but for the flags of an open. */
static const struct path_call {
	const char *name;
	int folder; /* the argument that is a folder's descriptor; -1: none */
	int path;
	int flags; /* of an open; -1: it always writes */
} path_calls[] = {
	{"openat", 0, 1, 2},
	{"open", -1, 0, 1},
	{"creat", -1, 0, -1},
	{"mkdirat", 0, 1, -1},
	{"mkdir", -1, 0, -1},
	{"unlinkat", 0, 1, -1},
	{"unlink", -1, 0, -1},
	{"rmdir", -1, 0, -1},
	{"renameat2", 2, 3, -1},
	{"renameat", 2, 3, -1},
	{"rename", -1, 1, -1},
	{"truncate", -1, 0, -1},
};

static struct logger {
	const struct sandbox_policy *policy;
	char **places; /* the policy's files, free of links; NULL: not there */
	sem_t ready;
	int listener;
	uint64_t lines[MAX_LINES]; /* hashes of those that were written */
	size_t line_count;
} logger;

static const struct path_call *find_path_call(const char *name) {
	for (size_t i = 0; i < sizeof(path_calls) / sizeof(path_calls[0]); i++) {
		if (strcmp(path_calls[i].name, name) == 0) {
			return &path_calls[i];
		}
	}
	return NULL;
}

bool sandbox_log_looks_at(const char *call) {
	return find_path_call(call) != NULL;
}

/* The process may have given us any address: through the kernel a wrong one is no fault of ours. */
static bool read_path(uint64_t address, char *text, size_t size) {
	size_t used = 0;
	while (used + 1 < size) {
		/* not over the end of a page, behind which there may be nothing */
		size_t part = 4096 - (address + used) % 4096;
		part = part < size - 1 - used ? part : size - 1 - used;
		struct iovec local = {.iov_base = text + used, .iov_len = part};
		struct iovec remote = {.iov_base = (void *)(uintptr_t)(address + used), .iov_len = part};
		if (syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0) != (long)part) {
			return false;
		}
		if (memchr(text + used, '\0', part)) {
			return true;
		}
		used += part;
	}
	text[used] = '\0';
	return true;
}

/* The file's path free of links; if it is yet to be made, that of its folder with its name. */
static bool resolve(int folder, const char *path, char *resolved) {
	char whole[2 * PATH_MAX], descriptor[64];
	if (path[0] == '/') {
		snprintf(whole, sizeof(whole), "%s", path);
	} else if (folder == AT_FDCWD) {
		snprintf(whole, sizeof(whole), "./%s", path);
	} else {
		snprintf(descriptor, sizeof(descriptor), "/proc/self/fd/%d", folder);
		snprintf(whole, sizeof(whole), "%s/%s", descriptor, path);
	}
	if (realpath(whole, resolved)) {
		return true;
	}
	char *slash = strrchr(whole, '/');
	char name[NAME_MAX + 1];
	snprintf(name, sizeof(name), "%.*s", NAME_MAX, slash + 1);
	slash[slash == whole] = '\0';
	if (!realpath(whole, resolved)) {
		return false;
	}
	size_t length = strlen(resolved);
	snprintf(resolved + length, PATH_MAX - length, "/%s", name);
	return true;
}

static bool lies_in(const char *path, const char *folder) {
	size_t length = strlen(folder);
	return strncmp(path, folder, length) == 0 &&
		(path[length] == '\0' || path[length] == '/' || length == 1);
}

static bool is_allowed(const char *path, bool writes, bool changes_folder) {
	for (size_t i = 0; i < logger.policy->files.count; i++) {
		enum sandbox_access access = logger.policy->files.list[i].access;
		if (logger.places[i] && lies_in(path, logger.places[i]) &&
				(access == SANDBOX_WRITE || (access == SANDBOX_DEVICE && !changes_folder) ||
					!writes)) {
			return true;
		}
	}
	return false;
}

static bool is_new(const char *line) {
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (; *line; line++) {
		hash = (hash ^ (uint8_t)*line) * UINT64_C(0x100000001b3);
	}
	for (size_t i = 0; i < logger.line_count; i++) {
		if (logger.lines[i] == hash) {
			return false;
		}
	}
	if (logger.line_count < MAX_LINES) {
		logger.lines[logger.line_count++] = hash;
	}
	return true;
}

/* Of a call that the filter lets through, if Landlock does, too. */
static void look_at_path(const struct seccomp_data *data, const struct path_call *call) {
	char path[PATH_MAX], resolved[PATH_MAX];
	if (!read_path(data->args[call->path], path, sizeof(path)) ||
			!resolve(call->folder < 0 ? AT_FDCWD : (int)data->args[call->folder], path, resolved)) {
		return; /* it fails by itself */
	}
	uint64_t flags = call->flags < 0 ? O_WRONLY | O_CREAT : data->args[call->flags];
	bool creates = flags & (O_CREAT | O_TRUNC);
	bool writes = creates || (flags & O_ACCMODE) != O_RDONLY;
	bool exists = access(resolved, F_OK) == 0;
	if ((!exists && !creates) || is_allowed(resolved, writes, creates && !exists)) {
		return;
	}
	char line[PATH_MAX + 64];
	snprintf(line, sizeof(line), "%s of %s to %s", call->name, resolved,
		writes ? "write" : "read");
	if (is_new(line)) {
		log_warn("sandbox: would be denied: %s", line);
	}
}

static void look_at_call(const struct seccomp_data *data) {
	const char *name = sandbox_call_name(data->nr);
	const struct path_call *call = find_path_call(name);
	bool listed = false;
	for (const char *const *known = logger.policy->calls; *known && !listed; known++) {
		listed = strcmp(*known, name) == 0;
	}
	if (call && listed) {
		look_at_path(data, call);
		return;
	}
	int err = sandbox_call_error(logger.policy, name);
	char line[160];
	snprintf(line, sizeof(line), "%s (%d) with 0x%llx, 0x%llx, 0x%llx", name, data->nr,
		(unsigned long long)data->args[0], (unsigned long long)data->args[1],
		(unsigned long long)data->args[2]);
	/* of the arguments only those with rules matter, and addresses are always new */
	if (is_new(listed ? line : name)) {
		log_warn("sandbox: would %s: %s", err ? "fail" : "end the process", line);
	}
}

static void *run(void *data) {
	(void)data;
	thread_set_name("sandbox log");
	while (sem_wait(&logger.ready) < 0) {
	}
	/* the kernel may have more to say than our header knows */
	union {
		struct seccomp_notif notif;
		char room[512];
	} question;
	union {
		struct seccomp_notif_resp response;
		char room[512];
	} answer;
	while (logger.listener >= 0) {
		memset(&question, 0, sizeof(question));
		if (ioctl(logger.listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0) {
			if (errno == EINTR || errno == ENOENT) {
				continue;
			}
			log_error("sandbox: nothing is logged any more: %s", strerror(errno));
			break;
		}
		look_at_call(&question.notif.data);
		memset(&answer, 0, sizeof(answer));
		answer.response.id = question.notif.id;
		answer.response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(logger.listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	return NULL;
}

int sandbox_log_start(const struct sandbox_policy *policy) {
	logger.policy = policy;
	logger.places = calloc(policy->files.count + 1, sizeof(*logger.places));
	if (!logger.places || sem_init(&logger.ready, 0, 0) < 0) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < policy->files.count; i++) {
		logger.places[i] = realpath(policy->files.list[i].path, NULL);
	}
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_t thread;
	int err = pthread_create(&thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err) {
		pthread_detach(thread);
	}
	return -err;
}

void sandbox_log_serve(int listener) {
	logger.listener = listener;
	sem_post(&logger.ready);
}
