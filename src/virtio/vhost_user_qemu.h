/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIRTIO_VHOST_USER_QEMU_H
#define VENERA_VIRTIO_VHOST_USER_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhost_user;

/**
 * What is done only because of how QEMU behaves. Each function does nothing of note
 * for other front ends.
 */

/** The memory regions that QEMU may have with us; its own table ends at 512. */
#define VHOST_USER_QEMU_MEM_SLOTS 509

enum vhost_user_qemu_workaround {
	QEMU_REFUSAL,
	QEMU_VETO,
	QEMU_CAP,
	QEMU_GUARD,
	QEMU_BARRIER,
	QEMU_WORKAROUND_COUNT,
};

/** Chooses the workarounds: all but those that the environment leaves out. */
void vhost_user_qemu_init(struct vhost_user *server);

/**
 * Is the front end a QEMU that maps shared memory? Known once the protocol features are
 * negotiated.
 */
bool vhost_user_is_qemu(const struct vhost_user *server);

enum vhost_user_region_kind {
	REGION_IS_MEMORY, /* the guest's memory: map it */
	REGION_IGNORE,    /* our own shared memory: acknowledge, never map */
	REGION_REFUSE,    /* our own shared memory: answer with an error */
};

/** What to do with a region announced to us. `single`: by ADD_MEM_REG. */
enum vhost_user_region_kind vhost_user_qemu_judge_region(
	struct vhost_user *server, int fd, bool single);

/** REM_MEM_REG named a region that we have not mapped. */
void vhost_user_qemu_unknown_region_removed(struct vhost_user *server);

/** Must the start that is under way be kept from happening? */
bool vhost_user_qemu_vetoes_start(const struct vhost_user *server);

/** Can one more mapping be asked for? */
bool vhost_user_qemu_may_map(const struct vhost_user *server);

/** Must a message not be sent at once? */
bool vhost_user_qemu_guards(const struct vhost_user *server);

/** Makes the back-end channel fit for vhost_user_qemu_guard_send(). */
void vhost_user_qemu_prepare_channel(int fd);

/**
 * Sends so much of a message that QEMU must begin to read it but cannot act on it. Returns the
 * number of bytes sent, or -errno. When the front end begins to read, the descriptor becomes
 * writable, or, if `*poll` is set, vhost_user_qemu_guard_taken() must be asked from time to time.
 */
int vhost_user_qemu_guard_send(int fd, const uint8_t *message, int message_fd, bool *poll);

/** Has the front end begun to read? */
bool vhost_user_qemu_guard_taken(int fd);

/** Turns the message, of which guard_send() has sent the beginning, into one that does nothing. */
void vhost_user_qemu_guard_void(uint8_t *message, size_t *size);

/**
 * Writes the message that makes sure that an acknowledged change of mappings has been
 * seen by the guest, if one is needed. Returns its size, or 0.
 */
size_t vhost_user_qemu_barrier(const struct vhost_user *server, uint8_t *message, size_t capacity);

#endif
