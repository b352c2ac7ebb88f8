/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_COMMAND_H
#define VENERA_GPU_COMMAND_H

#include "gpu/device.h"
#include "gpu/request.h"

/**
 * The commands of the guest. A handler gets the request's bytes, at least as many as the
 * command's structure has, and returns the type of the response, or GPU_PENDING: then
 * gpu_request_complete() will be called, or the request was put where it waits.
 */

typedef uint32_t (*gpu_command_func)(struct gpu_device *device, struct gpu_request *request,
	const void *bytes, size_t size);

struct gpu_command_info {
	uint32_t type;
	uint32_t size;            /* of the structure, in bytes */
	uint32_t resource_offset; /* where the resource's id stands; 0: none is waited for */
	gpu_command_func func;
	bool only_creation;       /* it need not wait while the resource is mapped or unmapped */
};

/** NULL for a command that does not exist on this queue. */
const struct gpu_command_info *gpu_command_find(enum gpu_queue queue, uint32_t type);

/* command_display.c */
uint32_t gpu_get_display_info(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_get_edid(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_set_scanout(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_set_scanout_blob(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_resource_flush(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_update_cursor(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_move_cursor(struct gpu_device *, struct gpu_request *, const void *, size_t);

/* command_resource.c */
uint32_t gpu_resource_create_2d(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_resource_unref(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_transfer_to_host_2d(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_attach_backing(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_detach_backing(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_assign_uuid(struct gpu_device *, struct gpu_request *, const void *, size_t);

/* command_blob.c */
uint32_t gpu_resource_create_blob(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_map_blob(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_unmap_blob(struct gpu_device *, struct gpu_request *, const void *, size_t);

/** Takes it out of the window: it is busy until then. false: it is out already. */
bool gpu_blob_unmap(struct gpu_device *device, struct gpu_resource *resource);

/* command_context.c */
uint32_t gpu_get_capset_info(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_get_capset(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_ctx_create(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_ctx_destroy(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_ctx_attach(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_ctx_detach(struct gpu_device *, struct gpu_request *, const void *, size_t);
uint32_t gpu_submit_3d(struct gpu_device *, struct gpu_request *, const void *, size_t);

#endif
