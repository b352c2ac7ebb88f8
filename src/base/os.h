/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_OS_H
#define VENERA_BASE_OS_H

/**
 * What the system under us has beyond POSIX. Only src/base (and its unit tests) may ask. Every
 * OS_HAVE_* has a fallback that needs nothing but POSIX; a build with -Dportable=true
 * defines VENERA_PORTABLE, which turns all of them off, so that the fallbacks can be tested on
 * any machine.
 *
 * OS_LINUX and OS_MACOS are for questions that only the system at hand can answer (where
 * our executable is, what the processor can do); a portable build asks them, too.
 */

#if defined(__linux__)
#define OS_LINUX 1
#else
#define OS_LINUX 0
#endif

#if defined(__APPLE__)
#define OS_MACOS 1
#else
#define OS_MACOS 0
#endif

#if OS_LINUX && !defined(VENERA_PORTABLE)
#define OS_EXTRAS_LINUX 1
#else
#define OS_EXTRAS_LINUX 0
#endif

#if OS_MACOS && !defined(VENERA_PORTABLE)
#define OS_EXTRAS_MACOS 1
#else
#define OS_EXTRAS_MACOS 0
#endif

/* memfd_create() and F_ADD_SEALS; without: shm_open(), unlinked at once, and no seals */
#define OS_HAVE_MEMFD OS_EXTRAS_LINUX
/* without: a pipe */
#define OS_HAVE_EVENTFD OS_EXTRAS_LINUX
/* SOCK_CLOEXEC, accept4(), pipe2(), MSG_CMSG_CLOEXEC; without: fcntl() after the fact */
#define OS_HAVE_ATOMIC_CLOEXEC OS_EXTRAS_LINUX
/* SIOCOUTQ on a Unix socket counts what the peer has not read; without: nobody knows */
#define OS_HAVE_SIOCOUTQ OS_EXTRAS_LINUX
/* close_range(), if the kernel has it, too; without: a call for each possible number */
#define OS_HAVE_CLOSE_RANGE OS_EXTRAS_LINUX
/* SO_PEERCRED; without: getpeereid() */
#define OS_HAVE_PEERCRED OS_LINUX
/* setpriority() of a single thread; without: threads keep the process's */
#define OS_HAVE_THREAD_NICE OS_EXTRAS_LINUX
/* /dev/udmabuf, and the memfds that it takes */
#define OS_HAVE_UDMABUF OS_EXTRAS_LINUX
/* prctl(PR_SET_NAME), for debuggers and tests: nothing takes its place */
#define OS_HAVE_PRCTL_NAME OS_LINUX
/* pthread_setname_np() of the calling thread, thread QoS classes */
#define OS_HAVE_PTHREAD_DARWIN OS_EXTRAS_MACOS
/* posix_spawn() that closes everything which is not asked for */
#define OS_HAVE_SPAWN_CLOEXEC_DEFAULT OS_EXTRAS_MACOS

/* posix_spawn_file_actions_addclosefrom_np() */
#if OS_EXTRAS_LINUX && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 34)
#define OS_HAVE_SPAWN_CLOSEFROM 1
#endif
#endif
#ifndef OS_HAVE_SPAWN_CLOSEFROM
#define OS_HAVE_SPAWN_CLOSEFROM 0
#endif

#endif
