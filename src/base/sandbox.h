/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_SANDBOX_H
#define VENERA_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Takes from the running process what it does not need, for good. What it needs is said by a
 * policy, which lies beside the code that needs it (src/gpu/sandbox.c and its like); how each
 * system enforces it is said in sandbox_linux.c and sandbox_darwin.c. See docs/security.md.
 */

enum sandbox_mode {
	SANDBOX_ON,
	SANDBOX_LOG, /* nothing is taken; what would have been denied becomes log lines */
	SANDBOX_OFF,
};

/** Parses "on", "log" or "off"; false if it is none of them. */
bool sandbox_mode_parse(const char *text, enum sandbox_mode *mode);
const char *sandbox_mode_name(enum sandbox_mode mode);

enum sandbox_access {
	SANDBOX_READ,   /* the file, or all files below the folder */
	SANDBOX_WRITE,  /* all files below the folder, which may be made and removed, too */
	SANDBOX_DEVICE, /* read, write and ioctl */
};

/** Files that may be opened. All zero: none. */
struct sandbox_files {
	struct sandbox_file {
		char *path;
		enum sandbox_access access;
	} *list;
	size_t count;
};

/** Adds a path; one that is not there when the sandbox is entered is ignored. */
void sandbox_files_add(
	struct sandbox_files *files, enum sandbox_access access, const char *path);
/** Adds the folder of a path. */
void sandbox_files_add_folder_of(
	struct sandbox_files *files, enum sandbox_access access, const char *path);
/** Adds each path of a list as PATH has it. NULL: none. */
void sandbox_files_add_list(
	struct sandbox_files *files, enum sandbox_access access, const char *list);
void sandbox_files_finish(struct sandbox_files *files);

/** What of the machine's name spaces a process goes on to share. */
enum sandbox_share {
	SANDBOX_SHARE_NETWORK = 1 << 0, /* abstract and network sockets */
	SANDBOX_SHARE_IPC = 1 << 1,     /* System V shared memory */
};

struct sandbox_policy {
	/**
	 * Names of the system calls (of Linux) that the program needs, the frequent ones first; ends
	 * with NULL. Names that a machine does not have are ignored. Calls that can do harm with some
	 * arguments are allowed only with others: sandbox_calls_linux.c lists these.
	 */
	const char *const *calls;
	/**
	 * Calls that libraries try and can do without: they fail with EPERM. NULL: none. Every call
	 * that is in neither list ends the process.
	 */
	const char *const *refused;
	/** ioctl() is allowed for drivers' numbers of these types (the second byte). NULL: none. */
	const char *ioctl_types;
	bool makes_code; /* may map memory that can be executed: loads libraries, compiles shaders */
	struct sandbox_files files;
	unsigned shares; /* enum sandbox_share */
	/** The process that started this one has told already what the system lacks. */
	bool quiet;
};

/** What about every program needs: memory, threads, clocks, descriptors, the end. */
#define SANDBOX_CALLS_OF_C \
	"futex", "clock_nanosleep", "nanosleep", "sched_yield", "clock_gettime", "gettimeofday", \
	"mmap", "munmap", "mprotect", "madvise", "mremap", "brk", "rt_sigprocmask", "rt_sigreturn", \
	"rt_sigaction", "sigaltstack", "restart_syscall", "clone", "set_robust_list", "rseq", \
	"membarrier", "getrandom", "getpid", "gettid", "tgkill", "prctl", "exit", "exit_group", \
	"clock_getres", "sysinfo", "prlimit64", "getrlimit", "sched_getaffinity"

/** What src/base needs to serve sockets and to share memory. */
#define SANDBOX_CALLS_OF_CHANNELS \
	"poll", "ppoll", "read", "write", "sendmsg", "recvmsg", "fcntl", "close", "memfd_create", \
	"ftruncate", "fstat", "newfstatat", "lseek"

/**
 * The first step, before there are threads: files, name spaces, rights, limits. 0 or -errno, with
 * a line in the log. What the system lacks is no error; it is named in one line.
 */
int sandbox_confine(const struct sandbox_policy *policy, enum sandbox_mode mode);

/** The second step, with or without threads: system calls. As above. */
int sandbox_filter(const struct sandbox_policy *policy, enum sandbox_mode mode);

/** Both. */
int sandbox_enter(const struct sandbox_policy *policy, enum sandbox_mode mode);

/**
 * What of the sandbox this system has not, as part of a sentence, or NULL: it has all. Found out
 * by trying, in a process of its own. Caller frees.
 */
char *sandbox_what_is_missing(void);

#endif
