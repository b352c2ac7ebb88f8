/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_FUZZ_RENDER_WORLD_H
#define VENERA_TESTS_FUZZ_RENDER_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../driver/fake.h"
#include "base/channel.h"
#include "render/context.h"

/**
 * A render process inside the target: all of src/render but main() and the monitor, with
 * the fake driver behind it and a made-up device in front of it.
 */

extern struct render_context render_world;

/** The resource that replies go to, if there is a stock. */
#define RENDER_WORLD_RESOURCE 1
#define RENDER_WORLD_RESOURCE_SIZE 16384

/** Its size, if that is to be another one; to be set before anything else. */
extern size_t render_world_resource_size;

/**
 * Begins with an empty context; with `stock` it has a reply stream, and of each type that the
 * commands name an object (the first of filler_objects). The plan begins behind it.
 */
void render_world_begin(const struct fake_plan *plan, bool stock, const uint8_t *commands,
	size_t size);

/** Ends the context as its channel's end does, and aborts if something is left. */
void render_world_end(void);

/** Hands the context a message of the device's. false: it broke the channel. */
bool render_world_message(uint32_t type, const void *body, size_t size, int fd);

/** Executes commands on the context path. `size` is a multiple of 4. */
void render_world_submit(const void *commands, size_t size, int fence_ring);

/** Called for every wait, before the context is stopped for waiting too long. NULL: none. */
extern void (*render_world_waits)(void);

/** Every reply begins at the beginning of the reply stream, as if the guest had set it. */
extern bool render_world_rewinds;

void render_world_finish(void);

#endif
