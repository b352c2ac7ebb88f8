/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "virtio/guest_memory.h"

#define MAX_REGIONS 512

void guest_memory_init(struct guest_memory *memory) {
	*memory = (struct guest_memory){0};
}

void guest_memory_clear(struct guest_memory *memory) {
	for (size_t i = 0; i < memory->count; i++) {
		munmap(memory->regions[i].map, memory->regions[i].map_size);
	}
	memory->count = 0;
	memory->recent = 0;
}

void guest_memory_finish(struct guest_memory *memory) {
	guest_memory_clear(memory);
	free(memory->regions);
	memory->regions = NULL;
	memory->capacity = 0;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) {
	return a < b + b_size && b < a + a_size; /* neither wraps around */
}

static int check_range(const struct guest_memory *memory, const struct guest_memory_range *range) {
	if (range->size == 0 || range->size > PTRDIFF_MAX ||
			range->fd_offset > PTRDIFF_MAX - range->size ||
			range->guest_addr > UINT64_MAX - range->size ||
			range->user_addr > UINT64_MAX - range->size) {
		return -EINVAL;
	}
	for (size_t i = 0; i < memory->count; i++) {
		const struct guest_memory_range *other = &memory->regions[i].range;
		if (overlap(range->guest_addr, range->size, other->guest_addr, other->size) ||
				overlap(range->user_addr, range->size, other->user_addr, other->size)) {
			return -EEXIST;
		}
	}
	return memory->count < MAX_REGIONS ? 0 : -ENOSPC;
}

static int reserve_region(struct guest_memory *memory) {
	if (memory->count < memory->capacity) {
		return 0;
	}
	size_t capacity = memory->capacity ? memory->capacity * 2 : 8;
	struct guest_memory_region *regions =
		realloc(memory->regions, capacity * sizeof(*regions));
	if (!regions) {
		return -ENOMEM;
	}
	memory->regions = regions;
	memory->capacity = capacity;
	return 0;
}

int guest_memory_add(
		struct guest_memory *memory, const struct guest_memory_range *range, int fd) {
	int err = check_range(memory, range);
	if (!err) {
		err = reserve_region(memory);
	}
	if (err) {
		goto out_fd;
	}
	size_t map_size = (size_t)(range->fd_offset + range->size);
	struct stat st;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		goto out_fd;
	}
	/* an access behind the end of a file would be a signal, not an error */
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < map_size) {
		err = -EINVAL;
		goto out_fd;
	}
	/* from 0, since with huge pages the offset may not be a multiple of theirs */
	void *map = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		goto out_fd;
	}
	memory->regions[memory->count++] = (struct guest_memory_region){
		.range = *range,
		.data = (uint8_t *)map + range->fd_offset,
		.map = map,
		.map_size = map_size,
	};

out_fd:
	close(fd);
	return err;
}

bool guest_memory_remove(struct guest_memory *memory, const struct guest_memory_range *range) {
	for (size_t i = 0; i < memory->count; i++) {
		struct guest_memory_region *region = &memory->regions[i];
		if (region->range.guest_addr == range->guest_addr &&
				region->range.user_addr == range->user_addr &&
				region->range.size == range->size) {
			munmap(region->map, region->map_size);
			*region = memory->regions[--memory->count];
			memory->recent = 0;
			return true;
		}
	}
	return false;
}

static uint8_t *at_region(const struct guest_memory_region *region, uint64_t guest_addr,
		size_t size, size_t *available) {
	if (guest_addr < region->range.guest_addr ||
			guest_addr - region->range.guest_addr >= region->range.size) {
		return NULL;
	}
	uint64_t offset = guest_addr - region->range.guest_addr;
	uint64_t left = region->range.size - offset;
	*available = left < size ? (size_t)left : size;
	return region->data + offset;
}

uint8_t *guest_memory_at(
		struct guest_memory *memory, uint64_t guest_addr, size_t size, size_t *available) {
	if (memory->recent < memory->count) {
		uint8_t *data =
			at_region(&memory->regions[memory->recent], guest_addr, size, available);
		if (data) {
			return data;
		}
	}
	for (size_t i = 0; i < memory->count; i++) {
		uint8_t *data = at_region(&memory->regions[i], guest_addr, size, available);
		if (data) {
			memory->recent = i;
			return data;
		}
	}
	*available = 0;
	return NULL;
}

void *guest_memory_at_user(const struct guest_memory *memory, uint64_t user_addr, size_t size) {
	for (size_t i = 0; i < memory->count; i++) {
		const struct guest_memory_region *region = &memory->regions[i];
		if (user_addr >= region->range.user_addr) {
			uint64_t offset = user_addr - region->range.user_addr;
			if (offset < region->range.size && region->range.size - offset >= size) {
				return region->data + offset;
			}
		}
	}
	return NULL;
}

bool guest_memory_read(
		struct guest_memory *memory, uint64_t guest_addr, void *data, size_t size) {
	uint8_t *to = data;
	while (size > 0) {
		size_t piece;
		const uint8_t *from = guest_memory_at(memory, guest_addr, size, &piece);
		if (!from) {
			return false;
		}
		memcpy(to, from, piece);
		to += piece;
		guest_addr += piece;
		size -= piece;
	}
	return true;
}

bool guest_memory_refresh(struct guest_memory *memory, uint64_t guest_addr, void *data,
		size_t size, bool *changed) {
	uint8_t *to = data;
	while (size > 0) {
		size_t piece;
		const uint8_t *from = guest_memory_at(memory, guest_addr, size, &piece);
		if (!from) {
			return false;
		}
		if (memcmp(to, from, piece) != 0) {
			memcpy(to, from, piece);
			*changed = true;
		}
		to += piece;
		guest_addr += piece;
		size -= piece;
	}
	return true;
}

bool guest_memory_write(
		struct guest_memory *memory, uint64_t guest_addr, const void *data, size_t size) {
	const uint8_t *from = data;
	while (size > 0) {
		size_t piece;
		uint8_t *to = guest_memory_at(memory, guest_addr, size, &piece);
		if (!to) {
			return false;
		}
		memcpy(to, from, piece);
		from += piece;
		guest_addr += piece;
		size -= piece;
	}
	return true;
}
