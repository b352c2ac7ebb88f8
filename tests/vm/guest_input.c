/* SPDX-License-Identifier: MIT */
/*
 * guest_input: in the guest, prints what comes from QEMU's virtio keyboard and tablet, one line for
 * each event ("key CODE VALUE", "abs CODE VALUE", "rel CODE VALUE"), until the button
 * BTN_EXTRA is released.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_DEVICES 16
#define WANTED_DEVICES 2
#define PATIENCE_MS 10000

static int open_devices(struct pollfd fds[WANTED_DEVICES]) {
	int count = 0;
	for (int i = 0; i < MAX_DEVICES && count < WANTED_DEVICES; i++) {
		char path[32], name[64] = "";
		snprintf(path, sizeof(path), "/dev/input/event%d", i);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			continue;
		}
		ioctl(fd, EVIOCGNAME(sizeof(name) - 1), name);
		if (strncmp(name, "QEMU Virtio", 11) == 0) {
			fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
		} else {
			close(fd);
		}
	}
	return count;
}

/* false at the end. */
static bool print_event(int fd) {
	struct input_event event;
	if (read(fd, &event, sizeof(event)) != (ssize_t)sizeof(event)) {
		printf("error: %s\n", strerror(errno));
		return false;
	}
	const char *type = event.type == EV_KEY ? "key" : event.type == EV_ABS ? "abs"
		: event.type == EV_REL ? "rel" : NULL;
	if (type) {
		printf("%s %d %d\n", type, event.code, event.value);
	}
	return event.type != EV_KEY || event.code != BTN_EXTRA || event.value != 0;
}

int main(void) {
	struct pollfd fds[WANTED_DEVICES];
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* the drivers may be on their way */
	int waited = 0, count;
	while ((count = open_devices(fds)) < WANTED_DEVICES) {
		for (int i = 0; i < count; i++) {
			close(fds[i].fd);
		}
		if (waited >= PATIENCE_MS) {
			printf("no keyboard, or no tablet\n");
			return 1;
		}
		poll(NULL, 0, 100);
		waited += 100;
	}
	printf("input: ready\n");
	for (;;) {
		if (poll(fds, WANTED_DEVICES, -1) < 0) {
			printf("error: %s\n", strerror(errno));
			return 1;
		}
		for (int i = 0; i < WANTED_DEVICES; i++) {
			if (fds[i].revents && !print_event(fds[i].fd)) {
				return 0;
			}
		}
	}
}
