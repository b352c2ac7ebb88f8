/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "gpu/command.h"

/* What a guest without Venus would use; we have no renderer for it. */
static uint32_t refuse(struct gpu_device *device, struct gpu_request *request, const void *bytes,
		size_t size) {
	(void)device;
	(void)request;
	(void)bytes;
	(void)size;
	return GPU_RESP_ERR_UNSPEC;
}

#define RESOURCE(structure) offsetof(struct structure, resource_id)

/* Fields left out are 0. */
static const struct gpu_command_info basic_commands[] = {
	{GPU_CMD_GET_DISPLAY_INFO, sizeof(struct gpu_header), 0, gpu_get_display_info},
	{GPU_CMD_RESOURCE_CREATE_2D, sizeof(struct gpu_resource_create_2d), 0,
		gpu_resource_create_2d},
	{GPU_CMD_RESOURCE_UNREF, sizeof(struct gpu_resource_command),
		RESOURCE(gpu_resource_command), gpu_resource_unref},
	{GPU_CMD_SET_SCANOUT, sizeof(struct gpu_set_scanout), RESOURCE(gpu_set_scanout),
		gpu_set_scanout},
	{GPU_CMD_RESOURCE_FLUSH, sizeof(struct gpu_resource_flush), RESOURCE(gpu_resource_flush),
		gpu_resource_flush},
	{GPU_CMD_TRANSFER_TO_HOST_2D, sizeof(struct gpu_transfer_to_host_2d),
		RESOURCE(gpu_transfer_to_host_2d), gpu_transfer_to_host_2d},
	{GPU_CMD_RESOURCE_ATTACH_BACKING, sizeof(struct gpu_attach_backing),
		RESOURCE(gpu_attach_backing), gpu_attach_backing},
	{GPU_CMD_RESOURCE_DETACH_BACKING, sizeof(struct gpu_resource_command),
		RESOURCE(gpu_resource_command), gpu_detach_backing},
	{GPU_CMD_GET_CAPSET_INFO, sizeof(struct gpu_get_capset_info), 0, gpu_get_capset_info},
	{GPU_CMD_GET_CAPSET, sizeof(struct gpu_get_capset), 0, gpu_get_capset},
	{GPU_CMD_GET_EDID, sizeof(struct gpu_get_edid), 0, gpu_get_edid},
	{GPU_CMD_RESOURCE_ASSIGN_UUID, sizeof(struct gpu_resource_command),
		RESOURCE(gpu_resource_command), gpu_assign_uuid},
	{GPU_CMD_RESOURCE_CREATE_BLOB, sizeof(struct gpu_resource_create_blob), 0,
		gpu_resource_create_blob},
	{GPU_CMD_SET_SCANOUT_BLOB, sizeof(struct gpu_set_scanout_blob),
		RESOURCE(gpu_set_scanout_blob), gpu_set_scanout_blob},
};

static const struct gpu_command_info context_commands[] = {
	{GPU_CMD_CTX_CREATE, sizeof(struct gpu_ctx_create), 0, gpu_ctx_create},
	{GPU_CMD_CTX_DESTROY, sizeof(struct gpu_header), 0, gpu_ctx_destroy},
	{GPU_CMD_CTX_ATTACH_RESOURCE, sizeof(struct gpu_resource_command),
		RESOURCE(gpu_resource_command), gpu_ctx_attach, true},
	{GPU_CMD_CTX_DETACH_RESOURCE, sizeof(struct gpu_resource_command),
		RESOURCE(gpu_resource_command), gpu_ctx_detach, true},
	{GPU_CMD_RESOURCE_CREATE_3D, sizeof(struct gpu_header), 0, refuse},
	{GPU_CMD_TRANSFER_TO_HOST_3D, sizeof(struct gpu_header), 0, refuse},
	{GPU_CMD_TRANSFER_FROM_HOST_3D, sizeof(struct gpu_header), 0, refuse},
	{GPU_CMD_SUBMIT_3D, sizeof(struct gpu_submit_3d), 0, gpu_submit_3d},
	{GPU_CMD_RESOURCE_MAP_BLOB, sizeof(struct gpu_resource_map_blob),
		RESOURCE(gpu_resource_map_blob), gpu_map_blob},
	{GPU_CMD_RESOURCE_UNMAP_BLOB, sizeof(struct gpu_resource_command),
		RESOURCE(gpu_resource_command), gpu_unmap_blob},
};

static const struct gpu_command_info cursor_commands[] = {
	{GPU_CMD_UPDATE_CURSOR, sizeof(struct gpu_cursor_command), 0, gpu_update_cursor},
	{GPU_CMD_MOVE_CURSOR, sizeof(struct gpu_cursor_command), 0, gpu_move_cursor},
};

/* The entries stand in the order of their types, without gaps. */
static const struct gpu_command_info *find_in(
		const struct gpu_command_info *table, size_t count, uint32_t type) {
	uint32_t index = type - table[0].type;
	return index < count ? &table[index] : NULL;
}

#define FIND_IN(table, type) find_in(table, sizeof(table) / sizeof((table)[0]), type)

const struct gpu_command_info *gpu_command_find(enum gpu_queue queue, uint32_t type) {
	if (queue == GPU_QUEUE_CURSOR) {
		return FIND_IN(cursor_commands, type);
	}
	const struct gpu_command_info *info = FIND_IN(basic_commands, type);
	return info ? info : FIND_IN(context_commands, type);
}
