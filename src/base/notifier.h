/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_NOTIFIER_H
#define VENERA_BASE_NOTIFIER_H

/**
 * Wakes a poll() from another thread or a signal handler. An eventfd where there is
 * one, else a non-blocking pipe.
 */
struct notifier {
	int read_fd;  /* poll this one for POLLIN */
	int write_fd; /* the same descriptor when it is an eventfd */
};

/** 0 or -errno. */
int notifier_init(struct notifier *notifier);
void notifier_finish(struct notifier *notifier);

/** Any thread, async-signal-safe. Several signals before a drain count as one. */
void notifier_signal(const struct notifier *notifier);

void notifier_drain(const struct notifier *notifier);

/**
 * The same two operations on a descriptor that a peer made, which is an eventfd or,
 * on systems without them, a pipe end (vhost-user kick and call descriptors). A drain
 * reads once: only after poll() said that it is readable, since the peer may have made it
 * blocking. What it leaves makes the descriptor readable again.
 */
void notifier_fd_signal(int fd);
void notifier_fd_drain(int fd);

#endif
