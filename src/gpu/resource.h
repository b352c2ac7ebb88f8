/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_RESOURCE_H
#define VENERA_GPU_RESOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/shmem.h"
#include "gpu/backing.h"
#include "gpu/display.h"

struct gpu_context;
struct gpu_device;
struct gpu_request;
struct renderer_slot;

enum gpu_resource_kind {
	/** An image in our own shared memory, filled from guest memory when the guest says so. */
	GPU_RESOURCE_2D,
	/** Guest memory only. What is shown of it is copied to our shared memory first. */
	GPU_RESOURCE_GUEST,
	/** Shared memory that a render process made. */
	GPU_RESOURCE_HOST,
};

struct gpu_resource {
	struct gpu_device *device;
	uint32_t id; /* chosen by the guest */
	enum gpu_resource_kind kind;

	/* Something is under way that commands which name the resource wait for, in `pending`. */
	bool busy;
	struct gpu_context *creator; /* while it is being made: by whom */
	struct list pending; /* struct gpu_request */

	uint32_t format, width, height; /* of a 2D resource; pixels have 4 bytes */
	struct backing backing;         /* guest memory behind it */
	struct shmem storage;           /* ours: 2D, or the shown copy of GUEST */
	struct gpu_rect changed;        /* of that, since it was last flushed; width 0: nothing */
	uint64_t copied_bytes;          /* into that, since it was last shown */

	/* blobs */
	uint32_t blob_flags;
	uint64_t size;     /* bytes the guest asked for */
	int fd;            /* HOST: the shared memory; -1: the guest cannot see what is in it */
	uint64_t fd_size;  /* bytes of it, at least `size` */
	uint32_t map_info; /* how the guest is to map it */

	/* HOST: whose LIMIT_CONTEXT_RESOURCES has it; NULL: its context is gone */
	struct gpu_context *owner;
	struct list owned_link;

	/* while a render process makes it */
	struct list creating_link;
	struct gpu_request *request; /* what to answer then, or when it is mapped or unmapped */

	/* GUEST: the image that is shown, as it lies in `storage` */
	struct backing_image shown;

	bool unreferenced; /* it is destroyed when it is out of the window */
	bool mapped; /* in the window, or on its way in or out */
	bool unmapping; /* on its way out: the front end keeps the order, so limits count it no more */
	uint64_t map_offset;
	struct list map_link;

	bool has_uuid;
	uint8_t uuid[16];

	struct list attachments; /* struct gpu_attachment */
	struct display_buffer buffer;
};

/** A context that may use a resource. */
struct gpu_attachment {
	struct gpu_resource *resource;
	struct gpu_context *context;
	struct list resource_link, context_link;
	bool announced; /* the render process knows it */
};

/** These lines of a rectangle of the copy are not what they were. */
void gpu_resource_changed(struct gpu_resource *resource, const struct gpu_rect *rect,
	const struct backing_lines *lines);

/** Of the id, or NULL. */
struct gpu_resource *gpu_resource_get(struct gpu_device *device, uint32_t id);

/** Makes one under a new id and puts it into the device's table. NULL when there are too many. */
struct gpu_resource *gpu_resource_create(
	struct gpu_device *device, uint32_t id, enum gpu_resource_kind kind);

/**
 * Removes it from contexts, outputs and the table and frees it. It is not mapped, and nothing is
 * under way. Commands that wait for it are executed later (and find nothing).
 */
void gpu_resource_destroy(struct gpu_device *device, struct gpu_resource *resource);

/** It is one of the context's, or, NULL, of none any more. */
void gpu_resource_set_owner(struct gpu_resource *resource, struct gpu_context *owner);

/** The render process has sent the memory. */
void gpu_resource_set_memory(struct gpu_resource *resource, int fd, uint64_t size);

/** It goes into the window, or out of it. */
void gpu_resource_set_mapped(struct gpu_resource *resource, bool mapped);
/** It was mapped, and the front end has been told to end that. */
void gpu_resource_set_unmapping(struct gpu_resource *resource);

/** What was under way is over: those who wait are executed when the device gets to it. */
void gpu_resource_unblock(struct gpu_device *device, struct gpu_resource *resource);

/** Our own shared memory within the device's limit. false when that is reached or memory is out. */
bool gpu_resource_allocate(
	struct gpu_device *device, struct gpu_resource *resource, uint64_t size);

/** Sets the guest memory behind it. `device` counts the entries. A virtio response type. */
uint32_t gpu_resource_set_backing(struct gpu_device *device, struct gpu_resource *resource,
	const struct gpu_memory_entry *entries, size_t count);
void gpu_resource_unset_backing(struct gpu_device *device, struct gpu_resource *resource);

/**
 * The shared memory of its content, or -1; `*size` in bytes. This is what other processes may be
 * given.
 */
int gpu_resource_memory(const struct gpu_resource *resource, uint64_t *size);

/**
 * Lets a context use it; once more does no harm. The context's process is told, in the place that
 * was reserved for that if `slot` is not NULL. false when there are too many.
 */
bool gpu_resource_attach(struct gpu_device *device, struct gpu_resource *resource,
	struct gpu_context *context, struct renderer_slot *slot);
void gpu_resource_detach(struct gpu_device *device, struct gpu_resource *resource,
	struct gpu_context *context);
void gpu_attachment_destroy(struct gpu_device *device, struct gpu_attachment *attachment);

#endif
