/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/virtqueue.h"

/*
 * Theory of operation
 *
 * A split ring is three tables in guest memory:
 *
 *   descriptors  size x {u64 address, u32 length, u16 flags, u16 next}
 *   avail        u16 flags, u16 index, u16 heads[size], u16 used_event
 *   used         u16 flags, u16 index, {u32 head, u32 length}[size], u16 avail_event
 *
 * The guest puts the head of a chain of descriptors into avail and moves its index; we move the
 * index of used when a chain is given back. With EVENT_IDX each side tells the other, in the
 * field that follows the ring, at which index it wants to be woken.
 *
 * To fall asleep without losing a wake-up we publish the index at which we want to be
 * woken and only then look at the guest's index for the last time; the guest stores its
 * index and then looks at ours. Both need a sequentially consistent fence in between. The same
 * pair, with the roles exchanged, decides about interrupts.
 *
 * What a hostile guest can do: point anywhere (translation fails: bad chain), make loops or
 * endless chains (counted), nest indirect tables (refused), move the index further than
 * the ring is long (the ring is broken: no entry can be trusted). It can change
 * a descriptor while we read it; each one is copied and looked at only in the copy.
 */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "virtqueues are little endian, and so must be the host"
#endif

#define DESC_SIZE 16
#define USED_ELEMENT_SIZE 8
#define RING_HEADER_SIZE 4

enum desc_flag {
	DESC_NEXT = 1 << 0,
	DESC_WRITE = 1 << 1,
	DESC_INDIRECT = 1 << 2,
};

#define AVAIL_NO_INTERRUPT 1

struct desc {
	uint64_t guest_addr;
	uint32_t size;
	uint16_t flags;
	uint16_t next;
};

void virtqueue_element_finish(struct virtqueue_element *element) {
	free(element->more_segments);
	*element = (struct virtqueue_element){0};
}

/* The parts are 2-byte aligned at least: virtqueue_translate() checks that. */
static _Atomic uint16_t *u16_at(uint8_t *part, size_t offset) {
	return (_Atomic uint16_t *)(void *)(part + offset);
}

static uint16_t load_avail_index(const struct virtqueue *queue) {
	return atomic_load_explicit(u16_at(queue->avail, 2), memory_order_acquire);
}

bool virtqueue_translate(struct virtqueue *queue) {
	size_t size = queue->size;
	queue->desc = NULL;
	queue->avail = NULL;
	queue->used = NULL;
	if (size == 0 || queue->desc_addr % 16 || queue->avail_addr % 2 || queue->used_addr % 4) {
		return false;
	}
	uint8_t *desc = guest_memory_at_user(queue->memory, queue->desc_addr, size * DESC_SIZE);
	uint8_t *avail = guest_memory_at_user(
		queue->memory, queue->avail_addr, RING_HEADER_SIZE + size * 2 + 2);
	uint8_t *used = guest_memory_at_user(
		queue->memory, queue->used_addr, RING_HEADER_SIZE + size * USED_ELEMENT_SIZE + 2);
	/* page-aligned mappings keep the alignment, odd offsets behind a descriptor would not */
	if (!desc || !avail || !used || (uintptr_t)avail % 2 || (uintptr_t)used % 4) {
		return false;
	}
	queue->desc = desc;
	queue->avail = avail;
	queue->used = used;
	return true;
}

bool virtqueue_start(struct virtqueue *queue) {
	queue->broken = false;
	queue->notified_valid = false;
	if (!virtqueue_translate(queue)) {
		return false;
	}
	queue->next_used = atomic_load_explicit(u16_at(queue->used, 2), memory_order_relaxed);
	return true;
}

/* Says that we want to be woken for the next entry. */
static void publish_avail_event(struct virtqueue *queue) {
	if (queue->event_idx) {
		size_t offset = RING_HEADER_SIZE + (size_t)queue->size * USED_ELEMENT_SIZE;
		atomic_store_explicit(
			u16_at(queue->used, offset), queue->next_avail, memory_order_relaxed);
	}
	atomic_thread_fence(memory_order_seq_cst);
}

static bool remember_segment(struct virtqueue_element *element, const struct desc *desc) {
	size_t room = VIRTQUEUE_MAX_RESPONSE - element->writable_size;
	if (desc->size == 0 || room == 0) {
		return true;
	}
	struct virtqueue_segment segment = {
		.guest_addr = desc->guest_addr,
		.size = desc->size < room ? desc->size : (uint32_t)room,
	};
	if (element->segment_count < VIRTQUEUE_INLINE_SEGMENTS) {
		element->inline_segments[element->segment_count] = segment;
	} else {
		size_t index = element->segment_count - VIRTQUEUE_INLINE_SEGMENTS;
		if (index == element->more_capacity) {
			size_t capacity = index ? index * 2 : 16;
			struct virtqueue_segment *segments =
				realloc(element->more_segments, capacity * sizeof(*segments));
			if (!segments) {
				return false;
			}
			element->more_segments = segments;
			element->more_capacity = capacity;
		}
		element->more_segments[index] = segment;
	}
	element->segment_count++;
	element->writable_size += segment.size;
	return true;
}

struct chain_reader {
	struct virtqueue *queue;
	struct virtqueue_element *element;
	uint8_t *request;
	size_t capacity;
};

static bool read_data(struct chain_reader *reader, const struct desc *desc) {
	if (desc->flags & DESC_WRITE) {
		return remember_segment(reader->element, desc);
	}
	if (reader->element->writable_size > 0) {
		return false; /* what is readable comes first */
	}
	size_t copied = reader->element->request_size;
	reader->element->request_size += desc->size;
	if (copied >= reader->capacity) {
		return true;
	}
	size_t room = reader->capacity - copied;
	size_t size = desc->size < room ? desc->size : room;
	return guest_memory_read(
		reader->queue->memory, desc->guest_addr, reader->request + copied, size);
}

static bool read_indirect(struct chain_reader *reader, const struct desc *table) {
	if (table->size == 0 || table->size % DESC_SIZE || (table->flags & DESC_NEXT)) {
		return false;
	}
	uint32_t count = table->size / DESC_SIZE;
	if (count > VIRTQUEUE_MAX_CHAIN) {
		return false;
	}
	uint32_t index = 0;
	for (uint32_t read = 0; read < count; read++) {
		struct desc desc;
		if (!guest_memory_read(reader->queue->memory,
				table->guest_addr + (uint64_t)index * DESC_SIZE, &desc, sizeof(desc)) ||
				(desc.flags & DESC_INDIRECT) || !read_data(reader, &desc)) {
			return false;
		}
		if (!(desc.flags & DESC_NEXT)) {
			return true;
		}
		index = desc.next;
		if (index >= count) {
			return false;
		}
	}
	return false; /* a loop */
}

static bool read_chain(struct chain_reader *reader) {
	const struct virtqueue *queue = reader->queue;
	uint16_t index = reader->element->head;
	for (uint32_t read = 0; read < queue->size; read++) {
		struct desc desc;
		memcpy(&desc, queue->desc + (size_t)index * DESC_SIZE, sizeof(desc));
		if (desc.flags & DESC_INDIRECT) {
			/* allowed as the last link; that it is the last is checked there */
			return read_indirect(reader, &desc);
		}
		if (!read_data(reader, &desc)) {
			return false;
		}
		if (!(desc.flags & DESC_NEXT)) {
			return true;
		}
		index = desc.next;
		if (index >= queue->size) {
			return false;
		}
	}
	return false; /* a loop */
}

enum virtqueue_result virtqueue_take(struct virtqueue *queue, struct virtqueue_element *element,
		void *request, size_t capacity) {
	if (queue->broken || !queue->avail) {
		return VIRTQUEUE_EMPTY;
	}
	uint16_t avail = load_avail_index(queue);
	if (avail == queue->next_avail) {
		publish_avail_event(queue);
		avail = load_avail_index(queue);
		if (avail == queue->next_avail) {
			return VIRTQUEUE_EMPTY;
		}
	}
	if ((uint16_t)(avail - queue->next_avail) > queue->size) {
		queue->broken = true;
		return VIRTQUEUE_BROKEN;
	}
	size_t slot = queue->next_avail & (queue->size - 1U);
	uint16_t head = atomic_load_explicit(
		u16_at(queue->avail, RING_HEADER_SIZE + slot * 2), memory_order_relaxed);
	if (head >= queue->size) {
		queue->broken = true;
		return VIRTQUEUE_BROKEN;
	}
	queue->next_avail++;

	element->head = head;
	element->request_size = 0;
	element->writable_size = 0;
	element->segment_count = 0;
	struct chain_reader reader = {
		.queue = queue,
		.element = element,
		.request = request,
		.capacity = capacity,
	};
	return read_chain(&reader) ? VIRTQUEUE_TAKEN : VIRTQUEUE_BAD;
}

/* Returns how much the guest has room for and was written. */
static size_t write_response(struct guest_memory *memory, const struct virtqueue_element *element,
		const uint8_t *response, size_t size) {
	size_t written = 0;
	for (size_t i = 0; i < element->segment_count && written < size; i++) {
		const struct virtqueue_segment *segment = i < VIRTQUEUE_INLINE_SEGMENTS ?
			&element->inline_segments[i] :
			&element->more_segments[i - VIRTQUEUE_INLINE_SEGMENTS];
		size_t piece = size - written < segment->size ? size - written : segment->size;
		if (!guest_memory_write(memory, segment->guest_addr, response + written, piece)) {
			break; /* the guest named memory that it does not have: its loss */
		}
		written += piece;
	}
	return written;
}

void virtqueue_give(struct virtqueue *queue, const struct virtqueue_element *element,
		const void *response, size_t size) {
	if (!queue->used) {
		return;
	}
	size_t written = write_response(queue->memory, element, response, size);
	uint32_t used[2] = {element->head, (uint32_t)written};
	size_t slot = queue->next_used & (queue->size - 1U);
	memcpy(queue->used + RING_HEADER_SIZE + slot * USED_ELEMENT_SIZE, used, sizeof(used));
	queue->next_used++;
	atomic_store_explicit(u16_at(queue->used, 2), queue->next_used, memory_order_release);
}

bool virtqueue_wants_notify(struct virtqueue *queue) {
	if (!queue->used || (queue->notified_valid && queue->notified == queue->next_used)) {
		return false;
	}
	atomic_thread_fence(memory_order_seq_cst);
	bool wants;
	if (queue->event_idx) {
		/* has next_used passed the index at which the guest wants to be woken? */
		uint16_t event = atomic_load_explicit(
			u16_at(queue->avail, RING_HEADER_SIZE + (size_t)queue->size * 2),
			memory_order_relaxed);
		wants = !queue->notified_valid ||
			(uint16_t)(queue->next_used - event - 1) <
				(uint16_t)(queue->next_used - queue->notified);
	} else {
		uint16_t flags =
			atomic_load_explicit(u16_at(queue->avail, 0), memory_order_relaxed);
		wants = !(flags & AVAIL_NO_INTERRUPT);
	}
	queue->notified = queue->next_used;
	queue->notified_valid = true;
	return wants;
}
