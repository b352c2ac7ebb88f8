/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/sandbox.h"
#include "base/sandbox_linux.h"

/*
 * Theory of operation
 *
 * The policy's lists of names become a program for the kernel's seccomp filter. It answers
 *  - another processor mode's calls: with the end of the process;
 *  - calls of the first list: yes, if their arguments obey the rules below;
 *  - calls of the second list, and some whose arguments do not: with an error;
 *  - calls newer than the headers that we were built with: ENOSYS, as an old kernel would. C
 *    libraries try these and go on without; clone3() for the same reason, whose flags a filter
 *    cannot see;
 *  - all else with SIGSYS, of which the process ends, after a line that names the call.
 *
 * The list is gone through from its beginning, so frequent calls stand first. Since Linux 5.11
 * that matters only for calls with rules: the kernel remembers which numbers are always allowed.
 *
 * To log instead, what is not a yes becomes a question to user space (SECCOMP_RET_USER_NOTIF),
 * and so do calls that open or change files, because files are otherwise Landlock's. A thread of
 * ours, which is older than the filter and therefore free of it, writes the line and lets the
 * call go on (sandbox_log_linux.c).
 */

#if defined(__x86_64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "sandbox: say in which architecture's numbers the filter sees calls"
#endif

#define MAX_INSTRUCTIONS 2048
#define MAX_NUMBER 1024

static const struct sandbox_call known_calls[] = {
#include "sandbox_calls_table.h"
};

#define KNOWN_COUNT (sizeof(known_calls) / sizeof(known_calls[0]))

const char *sandbox_call_name(int number) {
	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		if (known_calls[i].number == number) {
			return known_calls[i].name;
		}
	}
	return "unknown call";
}

static int compare_names(const void *name, const void *call) {
	return strcmp(name, ((const struct sandbox_call *)call)->name);
}

int sandbox_call_number(const char *name) {
	const struct sandbox_call *found =
		bsearch(name, known_calls, KNOWN_COUNT, sizeof(known_calls[0]), compare_names);
	return found ? found->number : -1;
}

/* --- what arguments are harmless --- */

enum test {
	TEST_END,
	TEST_IS_ONE_OF, /* the argument is one of the values */
	TEST_IS_SELF,   /* it is our process id */
	TEST_IS_SELF_OR_0,
	TEST_HAS,       /* one of these bits is set */
	TEST_HAS_NOT,   /* none is */
	TEST_IS_DRIVERS_IOCTL, /* it is one of the values or of a type that the policy names */
};

enum { MAX_VALUES = 16, MAX_CONDITIONS = 2 };

struct condition {
	enum test test;
	unsigned argument;
	uint32_t values[MAX_VALUES]; /* only the first may be 0: the list ends before the next 0 */
};

struct rule {
	const char *call;
	int err; /* what it fails with otherwise; 0: the process ends */
	bool unless_code; /* only for policies without makes_code */
	bool unless_sanitized;
	struct condition conditions[MAX_CONDITIONS];
};

static const struct rule rules[] = {
	/* threads, no processes */
	{"clone", EPERM, false, true, {{TEST_HAS, 0, {CLONE_THREAD}}}},
	{"mmap", 0, true, false, {{TEST_HAS_NOT, 2, {PROT_EXEC}}}},
	{"mprotect", 0, true, false, {{TEST_HAS_NOT, 2, {PROT_EXEC}}}},
	/* no F_SETOWN and its like, which make the kernel send signals */
	{"fcntl", EPERM, false, false, {{TEST_IS_ONE_OF, 1, {
		F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS,
		F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW}}}},
	{"prctl", EINVAL, false, true, {{TEST_IS_ONE_OF, 0, {
		PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_GET_DUMPABLE, PR_SET_TIMERSLACK,
		PR_GET_TIMERSLACK, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS}}}},
	{"kill", EPERM, false, false, {{TEST_IS_SELF, 0, {0}}}},
	{"tgkill", EPERM, false, false, {{TEST_IS_SELF, 0, {0}}}},
	{"prlimit64", EPERM, false, false, {{TEST_IS_SELF_OR_0, 0, {0}}}},
	{"setpriority", EPERM, false, false,
		{{TEST_IS_ONE_OF, 0, {PRIO_PROCESS}}, {TEST_IS_ONE_OF, 1, {0}}}},
	{"sched_setaffinity", EPERM, false, false, {{TEST_IS_SELF_OR_0, 0, {0}}}},
	{"sched_setscheduler", EPERM, false, false, {{TEST_IS_SELF_OR_0, 0, {0}}}},
	{"socketpair", EPERM, false, false, {{TEST_IS_ONE_OF, 0, {AF_UNIX}}}},
	/* no TIOCSTI, which types into the terminal that we may have inherited */
	{"ioctl", ENOTTY, false, false, {{TEST_IS_DRIVERS_IOCTL, 1, {
		FIONREAD, TIOCOUTQ, FIONBIO, FIOCLEX, TCGETS}}}},
};

static const struct rule *find_rule(const char *call, bool makes_code) {
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].call, call) == 0) {
			bool moot = (rules[i].unless_code && makes_code) ||
				(rules[i].unless_sanitized && SANDBOX_SANITIZED);
			return moot ? NULL : &rules[i];
		}
	}
	return NULL;
}

int sandbox_call_error(const struct sandbox_policy *policy, const char *call) {
	for (const char *const *name = policy->refused; name && *name; name++) {
		if (strcmp(*name, call) == 0) {
			return EPERM;
		}
	}
	const struct rule *rule = find_rule(call, policy->makes_code);
	return rule ? rule->err : 0;
}

/* --- the filter --- */

struct filter {
	struct sock_filter instructions[MAX_INSTRUCTIONS];
	unsigned count;
	bool full;
	bool log;
	bool seen[MAX_NUMBER];
};

static void emit(struct filter *filter, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k) {
	if (filter->count == MAX_INSTRUCTIONS) {
		filter->full = true;
		return;
	}
	filter->instructions[filter->count++] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
}

static void emit_load(struct filter *filter, size_t offset) {
	emit(filter, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_return(struct filter *filter, uint32_t value) {
	emit(filter, BPF_RET | BPF_K, 0, 0, value);
}

/* Goes on `taken` instructions later if it is equal, or `not_taken` ones. */
static void emit_if(struct filter *filter, uint32_t value, unsigned taken, unsigned not_taken) {
	emit(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)taken, (uint8_t)not_taken, value);
}

static uint32_t denial(const struct filter *filter, int err) {
	return filter->log ? SECCOMP_RET_USER_NOTIF :
		err ? SECCOMP_RET_ERRNO | (uint32_t)err : SECCOMP_RET_TRAP;
}

static unsigned count_values(const uint32_t *values) {
	unsigned count = 1;
	while (count < MAX_VALUES && values[count]) {
		count++;
	}
	return count;
}

/* Falls through if the condition holds, and else answers with `otherwise`. */
static void emit_condition(struct filter *filter, const struct condition *condition,
		const char *ioctl_types, uint32_t otherwise) {
	uint32_t self[] = {(uint32_t)getpid(), 0};
	const uint32_t *values = condition->values;
	unsigned count = count_values(values), types = 0;
	/* the kernel looks at no more than the lower half of any argument that has a rule */
	emit_load(filter, offsetof(struct seccomp_data, args) + 8 * condition->argument);
	switch (condition->test) {
	case TEST_HAS:
		emit(filter, BPF_JMP | BPF_JSET | BPF_K, 1, 0, values[0]);
		break;
	case TEST_HAS_NOT:
		emit(filter, BPF_JMP | BPF_JSET | BPF_K, 0, 1, values[0]);
		break;
	case TEST_IS_SELF:
	case TEST_IS_SELF_OR_0:
		values = self;
		count = condition->test == TEST_IS_SELF ? 1 : 2;
		/* fall through */
	default:
		if (condition->test == TEST_IS_DRIVERS_IOCTL) {
			types = ioctl_types ? (unsigned)strlen(ioctl_types) : 0;
		}
		for (unsigned i = 0; i < count; i++) { /* behind the others and what follows them */
			emit_if(filter, values[i], count - i + (types ? 2 + types : 0), 0);
		}
		if (types) {
			emit(filter, BPF_ALU | BPF_RSH | BPF_K, 0, 0, 8);
			emit(filter, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xff);
			for (unsigned i = 0; i < types; i++) {
				emit_if(filter, (uint8_t)ioctl_types[i], types - i, 0);
			}
		}
	}
	emit_return(filter, otherwise);
}

static void emit_call(struct filter *filter, const struct sandbox_policy *policy,
		const char *name, bool allowed) {
	int number = sandbox_call_number(name);
	if (number < 0 || number >= MAX_NUMBER || filter->seen[number]) {
		return;
	}
	filter->seen[number] = true;
	const unsigned begin = filter->count;
	emit_if(filter, (uint32_t)number, 0, 0);
	const struct rule *rule = allowed ? find_rule(name, policy->makes_code) : NULL;
	for (unsigned i = 0; rule && i < MAX_CONDITIONS && rule->conditions[i].test; i++) {
		emit_condition(filter, &rule->conditions[i], policy->ioctl_types,
			denial(filter, rule->err));
	}
	bool ask = filter->log && policy->files.count && sandbox_log_looks_at(name);
	emit_return(filter, !allowed ? denial(filter, EPERM) :
		ask ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
	filter->instructions[begin].jf = (uint8_t)(filter->count - begin - 1);
}

/* What sanitizers' runtimes do at the start and the end of threads and the process. */
static const char *const sanitizer_calls[] = {
	"open", "openat", "readlink", "readlinkat", "stat", "lstat", "statx", "access", "getdents64",
	"ptrace", "wait4", "process_vm_readv", "personality", "getppid", "kill", "getcwd",
	"pipe2", "dup2", "pread64", "getuid", "geteuid", "sched_setaffinity", "uname",
	"arch_prctl", NULL,
};

static void build(struct filter *filter, const struct sandbox_policy *policy, bool log) {
	filter->log = log;
	emit_load(filter, offsetof(struct seccomp_data, arch));
	emit_if(filter, OUR_ARCHITECTURE, 1, 0);
	emit_return(filter, SECCOMP_RET_KILL_PROCESS);
	emit_load(filter, offsetof(struct seccomp_data, nr));
	for (const char *const *name = policy->calls; *name; name++) {
		emit_call(filter, policy, *name, true);
	}
	for (const char *const *name = sanitizer_calls; SANDBOX_SANITIZED && *name; name++) {
		emit_call(filter, policy, *name, true);
	}
	for (const char *const *name = policy->refused; name && *name; name++) {
		emit_call(filter, policy, *name, false);
	}
	int clone3 = sandbox_call_number("clone3");
	if (clone3 >= 0) {
		emit_if(filter, (uint32_t)clone3, 0, 1);
		emit_return(filter, SECCOMP_RET_ERRNO | ENOSYS);
	}
	int newest = 0;
	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		newest = known_calls[i].number > newest ? known_calls[i].number : newest;
	}
	emit(filter, BPF_JMP | BPF_JGT | BPF_K, 0, 1, (uint32_t)newest);
	emit_return(filter, SECCOMP_RET_ERRNO | ENOSYS);
	emit_return(filter, denial(filter, 0));
}

/* On the thread that made the call, which it made in vain. */
static void handle_violation(int signal_number, siginfo_t *info, void *context) {
	(void)context;
	log_error("sandbox: %s (%d), or these arguments of it, is not allowed: the process ends; "
		"--sandbox=log shows all (docs/security.md)", sandbox_call_name(info->si_syscall),
		info->si_syscall);
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigaction(signal_number, &action, NULL);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	raise(signal_number);
	_exit(128 + signal_number);
}

int sandbox_filter(const struct sandbox_policy *policy, enum sandbox_mode mode) {
	if (mode == SANDBOX_OFF) {
		return 0;
	}
	struct filter *filter = calloc(1, sizeof(*filter));
	if (!filter) {
		log_error("out of memory");
		return -ENOMEM;
	}
	int err = 0;
	build(filter, policy, mode == SANDBOX_LOG);
	if (filter->full) {
		err = -E2BIG;
		goto out;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		err = -errno;
		goto out;
	}
	struct sock_fprog program = {
		.len = (unsigned short)filter->count, .filter = filter->instructions};
	if (mode == SANDBOX_LOG) {
		err = sandbox_log_start(policy);
		if (err) {
			goto out;
		}
		long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
		err = listener < 0 ? -errno : 0;
		sandbox_log_serve(err ? -1 : (int)listener);
		goto out;
	}
	struct sigaction action = {.sa_sigaction = handle_violation, .sa_flags = SA_SIGINFO};
	sigemptyset(&action.sa_mask);
	sigaction(SIGSYS, &action, NULL);
	long result =
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	if (result < 0 && (errno == ENOSYS || errno == EINVAL)) {
		if (!policy->quiet) {
			log_warn("the sandbox has holes here: this kernel has no seccomp filter; the "
				"other walls stand (docs/security.md)");
		}
	} else if (result) { /* a thread could not be brought to it */
		err = result < 0 ? -errno : -EBUSY;
	}

out:
	if (err) {
		log_error("cannot enter the sandbox (--sandbox=%s): system calls: %s",
			sandbox_mode_name(mode), strerror(-err));
	}
	free(filter);
	return err;
}
