/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/shmem.h"
#include "base/socket.h"
#include "virtio/vhost_user_qemu.h"
#include "virtio/vhost_user_server.h"

/*
 * Theory of operation
 *
 * Everything in Venera that is there only because of QEMU's faults is in this file. All of it was
 * seen with QEMU 11.1.3 and its vhost-user-test-device-pci; docs/vhost-user.md tells how to see
 * whether a newer one still needs it.
 *
 * A front end is taken for QEMU when it negotiates configurable memory slots, shared objects and
 * SHMEM_MAP together; no other one is known that does. What is here would do no harm to another
 * one.
 *
 * 1. Regions. QEMU adds each blob that it maps for us to the table of memory regions that it
 *    announces to us, as if it were guest memory. It keeps a copy of what it has announced, and a
 *    guest reset with blobs in that copy makes it crash when the driver starts again (stale
 *    entries). So we refuse them while the queues run: then they never enter the copy. QEMU
 *    prints "vhost_set_mem_table failed: Input/output error (5)" and goes on. During a start a
 *    refusal would fail the start; there they are accepted, but not mapped.
 *
 * 2. The last resort. Blobs that were accepted during a start (of a VM that was paused and goes
 *    on) are in the copy. A reset with them would crash QEMU at the driver's next start. The only
 *    way out that is left is to fail that start, by answering GET_STATUS with nonsense: the GPU
 *    is gone until QEMU is restarted, but the VM lives. (Closing the connection so
 *    that QEMU connects anew is no way: with a chardev that reconnects the device does not even
 *    start.)
 *
 * 3. The cap. QEMU aborts when RAM regions and mapped blobs together are more than 512.
 *
 * 4. The guard. QEMU crashes on SHMEM_MAP, SHMEM_UNMAP and CONFIG_CHANGE when it reads one while
 *    the device is stopped (a null pointer). A message that is under way when the VM is paused
 *    would do that. So at first only its first bytes are sent. QEMU, once it has begun to read,
 *    stays inside the handler until the whole message is there, and cannot stop the device
 *    meanwhile. When we see that it took the bytes and no stop came before, the rest is sent. If
 *    one came, what is sent then makes it a message of an unknown kind, which QEMU answers with
 *    an error and forgets.
 *
 *    To see that the bytes were taken without polling, the socket's send buffer is made so small
 *    that a few sends of one byte each fill it (each is accounted for with its overhead): it
 *    becomes writable when the peer reads. Where that does not work we ask for the number of
 *    unread bytes, now and then; where that cannot be asked, the guard is open.
 *
 * 5. The barrier. QEMU may acknowledge SHMEM_MAP and SHMEM_UNMAP before the guest sees the change
 *    (once in 2,000 times under TCG). A second round trip of its main loop suffices. A look-up of
 *    a shared object that nobody has is one that changes nothing and prints nothing.
 *
 * Each of them can be left out, to see whether a QEMU still needs it, by naming it in the
 * environment variable VENERA_QEMU_WITHOUT: refusal, veto, cap, guard, barrier.
 */

#define MAX_MAPPINGS 480

/* A byte of the message's id that no known id has; guard_send() must not have sent it yet. */
#define GUARD_MAX_BYTES 3
#define UNKNOWN_ID_BYTE 0xee

static const char *const workaround_names[] = {
	[QEMU_REFUSAL] = "refusal",
	[QEMU_VETO] = "veto",
	[QEMU_CAP] = "cap",
	[QEMU_GUARD] = "guard",
	[QEMU_BARRIER] = "barrier",
};

void vhost_user_qemu_init(struct vhost_user *server) {
	const char *left_out = getenv("VENERA_QEMU_WITHOUT");
	for (unsigned i = 0; i < QEMU_WORKAROUND_COUNT; i++) {
		if (left_out && strstr(left_out, workaround_names[i])) {
			log_warn("QEMU is treated without this: %s", workaround_names[i]);
		} else {
			server->qemu_workarounds |= 1U << i;
		}
	}
}

bool vhost_user_is_qemu(const struct vhost_user *server) {
	return vhost_user_has(server, VHOST_USER_PROTOCOL_F_SHMEM_MAP) &&
		vhost_user_has(server, VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS) &&
		vhost_user_has(server, VHOST_USER_PROTOCOL_F_SHARED_OBJECT);
}

static bool applies(const struct vhost_user *server, enum vhost_user_qemu_workaround workaround) {
	return (server->qemu_workarounds >> workaround & 1) && vhost_user_is_qemu(server);
}

/* Is this descriptor of one of our mapped blobs? */
static bool is_ours(struct vhost_user *server, int fd) {
	LIST_FOR_EACH (map, &server->maps, struct vhost_user_map, link) {
		if (shmem_fd_same(map->fd, fd)) {
			/* QEMU asks about the same one each time: keep it in front */
			list_remove(&map->link);
			list_insert(&server->maps, &map->link);
			return true;
		}
	}
	return false;
}

enum vhost_user_region_kind vhost_user_qemu_judge_region(
		struct vhost_user *server, int fd, bool single) {
	if (!is_ours(server, fd)) {
		return REGION_IS_MEMORY;
	}
	if (single && server->queues[0].running && applies(server, QEMU_REFUSAL)) {
		return REGION_REFUSE;
	}
	server->shadow_regions += single;
	return REGION_IGNORE;
}

void vhost_user_qemu_unknown_region_removed(struct vhost_user *server) {
	if (server->shadow_regions > 0) {
		server->shadow_regions--;
	}
}

bool vhost_user_qemu_vetoes_start(const struct vhost_user *server) {
	/*
	 * reading the configuration space while stopped means a reset: a VM that goes on does not
	 */
	if (!applies(server, QEMU_VETO) || server->shadow_regions == 0 ||
			server->queues[0].running || !server->config_read) {
		return false;
	}
	log_error("the guest was reset with GPU memory mapped from before a pause: "
		"QEMU would crash, so the GPU stays off until QEMU is started again");
	return true;
}

bool vhost_user_qemu_may_map(const struct vhost_user *server) {
	return !applies(server, QEMU_CAP) || server->map_count < MAX_MAPPINGS;
}

bool vhost_user_qemu_guards(const struct vhost_user *server) {
	return applies(server, QEMU_GUARD);
}

void vhost_user_qemu_prepare_channel(int fd) {
	int smallest = 1; /* the system raises it to what it can do */
	if (socket_is_drained(fd) == -ENOTSUP) {
		return; /* a system where the trick is not known to work */
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest)) < 0) {
		log_debug("vhost-user: the send buffer's size cannot be set");
	}
}

static bool is_writable(int fd) {
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLOUT);
}

int vhost_user_qemu_guard_send(int fd, const uint8_t *message, int message_fd, bool *poll_needed) {
	int sent = 0;
	while (sent < GUARD_MAX_BYTES) {
		/* the descriptor travels with the first byte */
		ssize_t result = socket_send_fds(
			fd, message + sent, 1, &message_fd, sent == 0 && message_fd >= 0 ? 1 : 0);
		if (result < 0) {
			return (int)result;
		}
		sent += (int)result;
		if (!is_writable(fd)) {
			*poll_needed = false;
			return sent;
		}
	}
	*poll_needed = true;
	return sent;
}

bool vhost_user_qemu_guard_taken(int fd) {
	return socket_is_drained(fd) != 0; /* an error is as good: nothing better will come */
}

void vhost_user_qemu_guard_void(uint8_t *message, size_t *size) {
	struct vhost_user_header header;
	memcpy(&header, message, sizeof(header));
	header.size = 0;
	memcpy(message, &header, sizeof(header));
	/* little endian, as all hosts are: the last byte of the id */
	message[GUARD_MAX_BYTES] = UNKNOWN_ID_BYTE;
	*size = sizeof(header);
}

size_t vhost_user_qemu_barrier(const struct vhost_user *server, uint8_t *message, size_t capacity) {
	static const uint8_t nobodys_uuid[16] = {
		0x56, 0x65, 0x6e, 0x65, 0x72, 0x61, 0x20, 0x62, 0x61, 0x72, 0x72, 0x69, 0x65, 0x72,
	};
	size_t size = VHOST_USER_HEADER_SIZE + sizeof(nobodys_uuid);
	if (!applies(server, QEMU_BARRIER) || size > capacity) {
		return 0;
	}
	struct vhost_user_header header = {
		.id = VHOST_USER_BACKEND_SHARED_OBJECT_LOOKUP,
		.flags = VHOST_USER_VERSION | VHOST_USER_NEED_REPLY,
		.size = sizeof(nobodys_uuid),
	};
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), nobodys_uuid, sizeof(nobodys_uuid));
	return size;
}
