/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_FAILURE_H
#define VENERA_RENDER_FAILURE_H

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "render/object.h"

struct render_call;

/** A command could not be recorded: no more is recorded, and the command buffer cannot be submitted. */
void render_command_buffer_spoil(struct render_call *call, struct venus_object *command_buffer);

/** Gives a spoiled command buffer or descriptor set its handle back. Was it spoiled? */
bool render_pool_child_restore(struct render_pool_child *child);

#endif
