/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIRTIO_VIRTQUEUE_H
#define VENERA_VIRTIO_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/guest_memory.h"

/**
 * The device's side of a split virtqueue. Everything in it is written by the guest, which may
 * change it at any time and may be hostile: each field is read once and checked.
 *
 * A request's device-readable bytes are copied when it is taken; where its device-writable
 * part lies is remembered in the element as guest addresses, so that it can be answered at any
 * later time, in any order, even after the table of memory regions has changed.
 */

/** The largest queue, in descriptors. */
#define VIRTQUEUE_MAX_SIZE 4096
/** The longest chain of descriptors, also in an indirect table. */
#define VIRTQUEUE_MAX_CHAIN 4096
/** Of the device-writable part of a request no more than this is remembered, in bytes. */
#define VIRTQUEUE_MAX_RESPONSE 4096

enum virtqueue_feature {
	VIRTIO_F_INDIRECT_DESC = 28,
	VIRTIO_F_EVENT_IDX = 29,
	VIRTIO_F_VERSION_1 = 32,
};

struct virtqueue {
	struct guest_memory *memory; /* not owned */
	uint16_t size;               /* descriptors: a power of two; 0: not set up */
	bool event_idx;              /* VIRTIO_F_EVENT_IDX was negotiated */
	bool broken;                 /* the guest violated the protocol; nothing more is taken */
	uint64_t desc_addr, avail_addr, used_addr; /* user addresses */

	/* the three parts, as long as they can be translated, else NULL */
	uint8_t *desc, *avail, *used;

	uint16_t next_avail;  /* index of the next entry to take */
	uint16_t next_used;   /* index of the next entry to write */
	uint16_t notified;    /* next_used when the guest was last interrupted */
	bool notified_valid;  /* false after a start: interrupt in any case */
};

struct virtqueue_segment {
	uint64_t guest_addr;
	uint32_t size;
};

#define VIRTQUEUE_INLINE_SEGMENTS 2

/**
 * A request in the hands of the device. To be zeroed once, then used for one request
 * after the other; virtqueue_element_finish() frees what it has grown.
 */
struct virtqueue_element {
	uint16_t head;
	size_t request_size;  /* device-readable bytes in all, also if not all were copied */
	size_t writable_size; /* device-writable bytes remembered */
	size_t segment_count;
	struct virtqueue_segment inline_segments[VIRTQUEUE_INLINE_SEGMENTS];
	struct virtqueue_segment *more_segments; /* those that follow, or NULL */
	size_t more_capacity;
};

void virtqueue_element_finish(struct virtqueue_element *element);

/**
 * Takes over the addresses set by the caller: translates them and reads the place in the used ring.
 * false if a part lies outside the guest's memory.
 */
bool virtqueue_start(struct virtqueue *queue);

/** Translates the addresses again after a change of the memory table. false as above. */
bool virtqueue_translate(struct virtqueue *queue);

enum virtqueue_result {
	VIRTQUEUE_EMPTY,  /* nothing to take; the guest will kick when there is */
	VIRTQUEUE_TAKEN,  /* the element is filled */
	VIRTQUEUE_BAD,    /* the chain is malformed; the element can be given back, with an error */
	VIRTQUEUE_BROKEN, /* the ring itself is; said once, VIRTQUEUE_EMPTY from then on */
};

/**
 * Takes the next request. At most `capacity` of its readable bytes are copied to `request`; the
 * element tells how many there are.
 */
enum virtqueue_result virtqueue_take(struct virtqueue *queue, struct virtqueue_element *element,
	void *request, size_t capacity);

/**
 * Gives an element back with a response, cut to what the guest has room for. The guest sees it at
 * once but is interrupted only if virtqueue_wants_notify() is asked and heeded.
 */
void virtqueue_give(struct virtqueue *queue, const struct virtqueue_element *element,
	const void *response, size_t size);

/** Is the guest to be interrupted for what was given since this was last asked? */
bool virtqueue_wants_notify(struct virtqueue *queue);

#endif
