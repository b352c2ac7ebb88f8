/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIRTIO_GUEST_MEMORY_H
#define VENERA_VIRTIO_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The guest's memory as the front end has shared it: a table of regions, mapped here. Guest and
 * front end name it differently, by guest physical addresses and by the front end's own ("user")
 * addresses; both are translated.
 *
 * What lies behind a pointer got here can change at any time, since the guest runs. Copy, then
 * check. The pointers themselves are good until the next change of the table.
 */

/** Where a region lies; what the front end announces. */
struct guest_memory_range {
	uint64_t guest_addr; /* guest physical */
	uint64_t size;       /* bytes, not 0 */
	uint64_t user_addr;  /* in the front end */
	uint64_t fd_offset;  /* where it begins behind the descriptor; any alignment */
};

struct guest_memory_region {
	struct guest_memory_range range;
	uint8_t *data; /* of range.guest_addr */
	void *map;     /* the mapping, which begins at offset 0 of the descriptor */
	size_t map_size;
};

struct guest_memory {
	struct guest_memory_region *regions;
	size_t count, capacity;
	size_t recent; /* the region that served last: most accesses stay in one */
};

void guest_memory_init(struct guest_memory *memory);
void guest_memory_finish(struct guest_memory *memory);

/**
 * Maps a region. Takes ownership of `fd`, also on failure. -EINVAL for a range that wraps
 * around or is larger than what is behind the descriptor, -EEXIST when it overlaps another
 * one, -ENOSPC when there are too many. 0 or -errno.
 */
int guest_memory_add(
	struct guest_memory *memory, const struct guest_memory_range *range, int fd);

/** Unmaps the region of these addresses and this size. false if there is none. */
bool guest_memory_remove(struct guest_memory *memory, const struct guest_memory_range *range);

/** Unmaps all. */
void guest_memory_clear(struct guest_memory *memory);

/**
 * The memory at a guest physical address. `*available` is how much of `size` lies there in one
 * piece; the rest, if any, is to be asked for again. NULL when the guest has no memory there.
 */
uint8_t *guest_memory_at(
	struct guest_memory *memory, uint64_t guest_addr, size_t size, size_t *available);

/** The memory of `size` bytes at a user address, all in one region, or NULL. */
void *guest_memory_at_user(const struct guest_memory *memory, uint64_t user_addr, size_t size);

/**
 * The same for `data` that was copied before: writes to it only where the guest's bytes differ,
 * and then sets *changed. The guest may change its bytes between the look and the copy: what is
 * in `data` means nothing to us.
 */
bool guest_memory_refresh(struct guest_memory *memory, uint64_t guest_addr, void *data,
	size_t size, bool *changed);

/** Copies out of or into guest memory, over regions that touch. false if a part is missing. */
bool guest_memory_read(
	struct guest_memory *memory, uint64_t guest_addr, void *data, size_t size);
bool guest_memory_write(
	struct guest_memory *memory, uint64_t guest_addr, const void *data, size_t size);

#endif
