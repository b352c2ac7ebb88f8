/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "base/sandbox_linux.h"

/*
 * Theory of operation
 *
 * sandbox_confine() takes, in this order:
 *  1. core dumps, which would hold guests' data;
 *  2. the machine's name spaces: a user name space of its own, with our user alone in it, and in
 *     it empty ones for the network, System V IPC, and mounts. A program that opens no files gets
 *     a root folder that is empty. No process id space: a process cannot move itself into another
 *     one, and who may signal whom is answered by 4 and by the filter;
 *  3. capabilities, those over the new name spaces included, and by no_new_privs all that an exec
 *     could give;
 *  4. files, by Landlock: what the policy names may be opened. By Landlock, too, TCP, others'
 *     abstract sockets, and signals to other processes.
 *
 * sandbox_filter() (sandbox_calls_linux.c) then takes system calls. Each of these holds without
 * the others: a kernel or a container that refuses one does not open what the others keep closed.
 *
 * Landlock and name spaces are per thread, or refused to a process with threads: this has to come
 * before them. Sanitizers' runtimes have threads and read files of /proc: under them there are no
 * name spaces, and files may be read.
 */

/* Those of Landlock's versions 2 and later; a header may be older than the kernel. */
enum {
	RIGHT_REFER = 1 << 13,     /* 2 */
	RIGHT_TRUNCATE = 1 << 14,  /* 3 */
	RIGHT_IOCTL_DEV = 1 << 15, /* 5 */
	NET_TCP_BOTH = 3,          /* 4: bind and connect */
	SCOPE_ABSTRACT_SOCKETS = 1 << 0, /* 6 */
	SCOPE_SIGNALS = 1 << 1,          /* 6 */
};

#define RIGHTS_OF_VERSION_1 ((UINT64_C(1) << 13) - 1)

/* What can be said of a single file. */
#define RIGHTS_OF_FILES (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	LANDLOCK_ACCESS_FS_READ_FILE | RIGHT_TRUNCATE | RIGHT_IOCTL_DEV)

#define RIGHTS_TO_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* struct landlock_ruleset_attr, which has grown; older kernels take its beginning. */
struct ruleset {
	uint64_t rights;
	uint64_t net;    /* since 4 */
	uint64_t scoped; /* since 6 */
};

/* The version of Landlock that the kernel has, or -errno. */
static int landlock_version(void) {
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return version < 0 ? -errno : (int)version;
}

static uint64_t rights_of(enum sandbox_access access) {
	switch (access) {
	case SANDBOX_READ:
		return RIGHTS_TO_READ;
	case SANDBOX_DEVICE:
		return RIGHTS_TO_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_IOCTL_DEV;
	default:
		return RIGHTS_TO_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE |
			LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
			LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | RIGHT_REFER;
	}
}

/* 0, also if there is no such file, or -errno. */
static int allow_file(int ruleset, const struct sandbox_file *file, uint64_t handled) {
	int fd = open(file->path, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		return 0;
	}
	struct stat st;
	struct landlock_path_beneath_attr rule = {
		.parent_fd = fd,
		.allowed_access = rights_of(file->access) & handled,
	};
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
		rule.allowed_access &= RIGHTS_OF_FILES;
	}
	long result =
		syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	int err = result < 0 ? -errno : 0;
	close(fd);
	if (err == -EBADFD) { /* of a kind that nobody can open by a path, such as a pipe */
		err = 0;
	}
	return err;
}

static int restrict_files(const struct sandbox_policy *policy) {
	int version = landlock_version();
	if (version < 0) {
		return version;
	}
	struct ruleset attributes = {.rights = RIGHTS_OF_VERSION_1};
	size_t size = sizeof(attributes.rights);
	attributes.rights |= version >= 2 ? RIGHT_REFER : 0;
	attributes.rights |= version >= 3 ? RIGHT_TRUNCATE : 0;
	attributes.rights |= version >= 5 ? RIGHT_IOCTL_DEV : 0;
	if (version >= 4) {
		size += sizeof(attributes.net);
		attributes.net = policy->shares & SANDBOX_SHARE_NETWORK ? 0 : NET_TCP_BOTH;
	}
	if (version >= 6) {
		size += sizeof(attributes.scoped);
		attributes.scoped = SCOPE_SIGNALS |
			(policy->shares & SANDBOX_SHARE_NETWORK ? 0 : SCOPE_ABSTRACT_SOCKETS);
	}
	long ruleset = syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
	if (ruleset < 0) {
		return -errno;
	}
	int err = 0;
	for (size_t i = 0; i < policy->files.count && !err; i++) {
		err = allow_file((int)ruleset, &policy->files.list[i], attributes.rights);
	}
	if (SANDBOX_SANITIZED && !err) { /* to read what they map, and symbols */
		struct sandbox_file all = {.path = (char *)"/", .access = SANDBOX_READ};
		err = allow_file((int)ruleset, &all, attributes.rights);
	}
	if (!err && syscall(SYS_landlock_restrict_self, (int)ruleset, 0) < 0) {
		err = -errno;
	}
	close((int)ruleset);
	return err;
}

/* --- name spaces --- */

static bool write_file(const char *path, const char *text) {
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	ssize_t written = write(fd, text, strlen(text));
	close(fd);
	return written == (ssize_t)strlen(text);
}

/* Only our user and our group have a name there, the one that they had. */
static void map_user(uid_t user, gid_t group) {
	char text[64];
	write_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%lu %lu 1", (unsigned long)user, (unsigned long)user);
	bool mapped = write_file("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "%lu %lu 1", (unsigned long)group, (unsigned long)group);
	mapped = write_file("/proc/self/gid_map", text) && mapped;
	if (!mapped) {
		log_debug("sandbox: the user has no name in its name space: %s", strerror(errno));
	}
}

/* Leaves nothing in the root folder. What is open stays so. */
static bool empty_root(void) {
	/* nothing of ours must reach the machine's mounts; any folder serves as a place */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			mount("none", "/dev", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
				"size=4k,nr_inodes=2,mode=0555") < 0) {
		return false;
	}
	return chdir("/dev") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
		umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 &&
		mount(NULL, "/", NULL,
			MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

static bool leave_namespaces(const struct sandbox_policy *policy, bool *own_user) {
	if (SANDBOX_SANITIZED) {
		return true;
	}
	int spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWCGROUP;
	spaces |= policy->shares & SANDBOX_SHARE_NETWORK ? 0 : CLONE_NEWNET;
	spaces |= policy->shares & SANDBOX_SHARE_IPC ? 0 : CLONE_NEWIPC;
	const uid_t user = geteuid();
	const gid_t group = getegid();
	*own_user = unshare(CLONE_NEWUSER | spaces) == 0;
	if (*own_user) {
		map_user(user, group);
	} else if (unshare(spaces) < 0) { /* without a user name space that is for root only */
		return false;
	}
	if (policy->files.count == 0 && !empty_root()) {
		log_debug("sandbox: no empty root folder: %s", strerror(errno));
	}
	return true;
}

/* --- rights --- */

static void set_limit(int resource, rlim_t value) {
	struct rlimit limit;
	if (getrlimit(resource, &limit) == 0 && limit.rlim_max > value) {
		limit = (struct rlimit){.rlim_cur = value, .rlim_max = value};
		setrlimit(resource, &limit);
	}
}

static int drop_capabilities(void) {
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
			capability++) {
		/* fails without CAP_SETPCAP, and then no_new_privs has to do */
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/*
 * Threads and processes together. Vulkan drivers have some for each processor, guests' rings one
 * each.
 */
#define MAX_TASKS 4096

static void say_missing(const struct sandbox_policy *policy, bool files, bool spaces) {
	if (policy->quiet || (files && spaces)) {
		return;
	}
	log_warn("the sandbox has holes here: %s%s%s; the other walls stand (docs/security.md)",
		files ? "" : "this kernel has no Landlock, which keeps files closed",
		files || spaces ? "" : ", and ",
		spaces ? "" : "name spaces are not allowed");
}

int sandbox_confine(const struct sandbox_policy *policy, enum sandbox_mode mode) {
	if (mode != SANDBOX_ON) {
		return 0;
	}
	set_limit(RLIMIT_CORE, 0);
	bool own_user = false;
	bool spaces = leave_namespaces(policy, &own_user);
	if (own_user) {
		set_limit(RLIMIT_NPROC, MAX_TASKS); /* counts in the name space alone */
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		int err = -errno;
		log_error("cannot enter the sandbox: no_new_privs: %s", strerror(-err));
		return err;
	}
	int err = drop_capabilities();
	if (err) {
		log_error("cannot enter the sandbox: capabilities: %s", strerror(-err));
		return err;
	}
	err = restrict_files(policy);
	if (err && err != -ENOSYS && err != -EOPNOTSUPP && err != -EPERM) {
		log_error("cannot enter the sandbox: Landlock: %s", strerror(-err));
		return err;
	}
	say_missing(policy, err == 0, spaces);
	return 0;
}

/* In a process of its own: can we have name spaces? */
static bool try_namespaces(void) {
	pid_t pid = fork();
	if (pid == 0) {
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) == 0 ? 0 : 1);
	}
	int status = 1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return pid > 0 && status == 0;
}

char *sandbox_what_is_missing(void) {
	char text[200] = "";
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		strcat(text, ", no seccomp");
	}
	if (landlock_version() < 0) {
		strcat(text, ", no Landlock (in kernels since 5.13, if lsm= names it)");
	}
	if (!try_namespaces()) {
		strcat(text, ", no user name spaces");
	}
	return text[0] ? strdup(text + 2) : NULL;
}
