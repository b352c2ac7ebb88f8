/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VK_SANDBOX_H
#define VENERA_VK_SANDBOX_H

#include "base/sandbox.h"

/**
 * What the host's Vulkan loader, layers and drivers need in a sandbox, from their loading on:
 * parts of the policies of those who use them. How the lists were found, and how they are for
 * another driver: docs/security.md.
 */

#define VK_SANDBOX_CALLS \
	"ioctl", \
	"eventfd2", "pipe2", "dup", "dup2", "dup3", "select", "pselect6", \
	/* libraries, manifests, /proc and /sys, the shader cache */ \
	"openat", "open", "stat", "lstat", "statx", "access", "faccessat", "faccessat2", "readlink", \
	"readlinkat", "getdents64", "pread64", "pwrite64", "readv", "writev", "statfs", "fstatfs", \
	"getcwd", "flock", "fallocate", "fadvise64", "fsync", "fdatasync", "mkdir", "mkdirat", \
	"unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "utimensat", "umask", \
	/* what there is of processors and memory, and threads on them */ \
	"getcpu", "sched_setaffinity", "sched_setscheduler", "sched_getscheduler", "sched_getparam", \
	"sched_get_priority_max", "sched_get_priority_min", "setpriority", "getpriority", "mincore", \
	"mlock", "mlock2", "munlock", "msync", "getrusage", "times", "time", \
	/* who we are */ \
	"uname", "getuid", "geteuid", "getgid", "getegid", "getppid", "set_tid_address", "arch_prctl", \
	"get_robust_list", \
	/* NVIDIA's driver waits for events with these */ \
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "timerfd_create", "timerfd_settime"

/** What they try, and can do without. */
#define VK_SANDBOX_REFUSED \
	/* NVIDIA's driver, to make its devices */ \
	"fork", "vfork", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "chown", "fchown", \
	/* Mesa, to tell whether two descriptors are one device; without, it takes them for two */ \
	"kcmp", "inotify_init1", "inotify_add_watch", "perf_event_open", "sched_setattr", \
	"setrlimit", "mbind", "set_mempolicy", "get_mempolicy", "capget", "personality", "symlink", \
	"link", "sync", "kill"

/** DRM, NVIDIA, its mode setting, dma-bufs, their fences, udmabuf. */
#define VK_SANDBOX_IOCTL_TYPES "dFmb>u"

/**
 * Gives drivers a folder for caches of Venera's own, by XDG_CACHE_HOME: what a guest makes its
 * render process write there, no other program of the user's reads. Once, before
 * vk_sandbox_add_files().
 */
void vk_sandbox_choose_cache(void);

/** Libraries, manifests, devices, caches. They come from the environment, too. */
void vk_sandbox_add_files(struct sandbox_files *files);

#endif
