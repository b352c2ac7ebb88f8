/* SPDX-License-Identifier: MIT */
#include "attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene scene;

static int result_of(long result) {
	return result < 0 ? errno : 0;
}

static const char *path_of(const char *name) {
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", scene.folder, name);
	return path;
}

/* --- files --- */

static int read_passwd(void) {
	return result_of(open("/etc/passwd", O_RDONLY));
}

static int read_secret(void) {
	return result_of(open(path_of("secret"), O_RDONLY));
}

static int write_secret(void) {
	return result_of(open(path_of("secret"), O_WRONLY));
}

static int truncate_secret(void) {
	return result_of(truncate(path_of("secret"), 0));
}

static int make_file(void) {
	return result_of(open(path_of("new"), O_WRONLY | O_CREAT, 0600));
}

static int make_folder(void) {
	return result_of(mkdir(path_of("new folder"), 0700));
}

static int make_link(void) {
	return result_of(symlink("/etc/passwd", path_of("new link")));
}

static int remove_file(void) {
	return result_of(unlink(path_of("spare")));
}

static int rename_file(void) {
	char from[128];
	snprintf(from, sizeof(from), "%s", path_of("other"));
	return result_of(rename(from, path_of("another")));
}

static int change_mode(void) {
	return result_of(chmod(path_of("secret"), 0777));
}

static int list_folder(void) {
	return result_of(open(scene.folder, O_RDONLY | O_DIRECTORY));
}

static int read_memory_file(void) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)scene.victim);
	return result_of(open(path, O_RDWR));
}

static int read_environment(void) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)scene.victim);
	return result_of(open(path, O_RDONLY));
}

static int leave_by_root_link(void) {
	return result_of(open("/proc/self/root/etc/passwd", O_RDONLY));
}

/* --- sockets --- */

static int connect_inet(void) {
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(scene.port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? errno :
		result_of(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
}

static int send_datagram(void) {
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? errno :
		result_of(sendto(fd, "", 1, 0, (const struct sockaddr *)&address, sizeof(address)));
}

static int connect_name(const char *name, size_t length) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, name, length);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd < 0 ? errno : result_of(connect(fd, (const struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)));
}

static int connect_unix(void) {
	const char *path = path_of("listener");
	return connect_name(path, strlen(path) + 1);
}

static int connect_abstract(void) {
	char name[64] = "";
	size_t length = strlen(scene.abstract);
	memcpy(name + 1, scene.abstract, length);
	return connect_name(name, length + 1);
}

static int listen_inet(void) {
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = 0};
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		return errno;
	}
	return result_of(listen(fd, 1));
}

static int open_packet_socket(void) {
	return result_of(socket(AF_NETLINK, SOCK_RAW, 0));
}

/* --- programs and processes --- */

static char *const no_arguments[] = {(char *)"true", NULL};

static int run_program(void) {
	execv("/bin/true", no_arguments);
	return errno;
}

static int run_memory(void) {
	int from = open("/bin/true", O_RDONLY);
	int to = (int)syscall(SYS_memfd_create, "program", 0);
	char bytes[4096];
	for (ssize_t got; from >= 0 && (got = read(from, bytes, sizeof(bytes))) > 0;) {
		if (write(to, bytes, (size_t)got) != got) {
			return EIO;
		}
	}
	syscall(SYS_execveat, to, "", no_arguments, NULL, 0x1000 /* AT_EMPTY_PATH */);
	return errno;
}

static int fork_many(void) {
	for (int i = 0; i < 64; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			_exit(0);
		}
		if (pid > 0) {
			waitpid(pid, NULL, 0);
			return 0;
		}
	}
	return errno;
}

static int trace(void) {
	long result = ptrace(PTRACE_SEIZE, scene.victim, NULL, NULL);
	if (result == 0) {
		ptrace(PTRACE_DETACH, scene.victim, NULL, NULL);
	}
	return result_of(result);
}

static int read_memory(void) {
	static int target; /* at the same place in the other process */
	int copy;
	struct iovec local = {&copy, sizeof(copy)}, remote = {&target, sizeof(target)};
	return result_of(process_vm_readv(scene.victim, &local, 1, &remote, 1, 0));
}

static int take_descriptor(void) {
	long pidfd = syscall(SYS_pidfd_open, scene.victim, 0);
	return pidfd < 0 ? errno : result_of(syscall(SYS_pidfd_getfd, pidfd, 1, 0));
}

static int signal_by_kill(void) {
	return result_of(kill(scene.victim, SIGURG));
}

static int signal_by_tgkill(void) {
	return result_of(syscall(SYS_tgkill, scene.victim, scene.victim, SIGURG));
}

static int signal_by_queue(void) {
	union sigval value = {0};
	return result_of(sigqueue(scene.victim, SIGURG, value));
}

static int signal_group(void) {
	return result_of(kill(-getpgid(0), SIGURG));
}

/* The kernel sends SIGIO to whoever is said to own a descriptor. */
static int signal_by_owner(void) {
	int fds[2];
	if (pipe(fds) < 0) {
		return errno;
	}
	return result_of(fcntl(fds[0], F_SETOWN, scene.victim));
}

static int slow_down(void) {
	return result_of(setpriority(PRIO_PROCESS, (id_t)scene.victim, 19));
}

static int limit_others(void) {
	struct rlimit limit = {64, 64};
	return result_of(prlimit(scene.victim, RLIMIT_NOFILE, NULL, &limit) < 0 ? -1 : 0);
}

/* --- the kernel --- */

static int map_code(void) {
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return code == MAP_FAILED ? errno : 0;
}

static int make_code(void) {
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return code == MAP_FAILED ? errno : result_of(mprotect(code, 4096, PROT_READ | PROT_EXEC));
}

static int new_namespace(void) {
	return result_of(unshare(CLONE_NEWUSER));
}

static int mount_something(void) {
	int err = result_of(mount("none", scene.folder, "tmpfs", 0, NULL));
	if (!err) {
		umount(scene.folder);
	}
	return err;
}

static int change_root(void) {
	return result_of(chroot("/"));
}

static int type_into_terminal(void) {
	return result_of(ioctl(scene.terminal, TIOCSTI, "x"));
}

static int use_io_uring(void) {
	char parameters[120] = {0};
	return result_of(syscall(SYS_io_uring_setup, 4, parameters));
}

static int use_keys(void) {
	return result_of(syscall(SYS_add_key, "user", "venera", "x", 1, -3 /* the session's */));
}

static int watch_performance(void) {
	struct {
		uint32_t type, size;
		uint64_t config, rest[12];
	} attributes = {.type = 1, .size = 112};
	return result_of(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static int dump_core(void) {
	struct rlimit limit;
	getrlimit(RLIMIT_CORE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_CORE, &limit);
	getrlimit(RLIMIT_CORE, &limit);
	return limit.rlim_cur ? 0 : EPERM;
}

static int be_root(void) {
	/* chown() of our own file to somebody else takes a capability */
	return result_of(chown(path_of("secret"), 1, 1));
}

const struct attempt attempts[] = {
	{"read /etc/passwd", read_passwd, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"read a user's file", read_secret, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"write a user's file", write_secret, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"truncate a user's file", truncate_secret, WALL_BOTH},
	{"make a file", make_file, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"make a folder", make_folder, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"make a link", make_link, WALL_BOTH},
	{"remove a file", remove_file, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"rename a file", rename_file, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"change a file's mode", change_mode, WALL_CALLS},
	{"list a folder", list_folder, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"open a process's memory", read_memory_file, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"open a process's environment", read_environment, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"leave by /proc/self/root", leave_by_root_link, WALL_CONFINE | WALL_CALLS_UNLESS_FILES},
	{"connect to a TCP port", connect_inet, WALL_BOTH},
	{"send a datagram", send_datagram, WALL_BOTH},
	{"connect to a Unix socket", connect_unix, WALL_CALLS},
	{"connect to an abstract socket", connect_abstract, WALL_BOTH},
	{"listen at a TCP port", listen_inet, WALL_CALLS},
	{"open a netlink socket", open_packet_socket, WALL_CALLS},
	{"run a program", run_program, WALL_BOTH},
	{"run memory as a program", run_memory, WALL_CALLS},
	{"fork", fork_many, WALL_CALLS},
	{"trace a process", trace, WALL_BOTH},
	{"read a process's memory", read_memory, WALL_BOTH},
	{"take a process's descriptor", take_descriptor, WALL_BOTH},
	{"signal a process", signal_by_kill, WALL_BOTH},
	{"signal a thread", signal_by_tgkill, WALL_BOTH},
	{"queue a signal", signal_by_queue, WALL_BOTH},
	{"signal the process group", signal_group, WALL_CALLS},
	{"have the kernel send a signal", signal_by_owner, WALL_CALLS},
	{"slow a process down", slow_down, WALL_CALLS},
	{"limit a process", limit_others, WALL_CALLS},
	{"map code", map_code, WALL_CALLS | WALL_UNLESS_CODE},
	{"turn data into code", make_code, WALL_CALLS | WALL_UNLESS_CODE},
	{"make a user name space", new_namespace, WALL_CALLS},
	{"mount something", mount_something, WALL_BOTH},
	{"change the root folder", change_root, WALL_BOTH},
	{"type into the terminal", type_into_terminal, WALL_CALLS},
	{"use io_uring", use_io_uring, WALL_CALLS},
	{"use the kernel's keys", use_keys, WALL_CALLS},
	{"watch performance counters", watch_performance, WALL_CALLS},
	{"have its core dumped", dump_core, WALL_CONFINE},
	{"use a capability", be_root, WALL_BOTH},
	{NULL, NULL, 0},
};
