/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_DRIVER_FAKE_H
#define VENERA_TESTS_DRIVER_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

#include "fake_written.h"

/**
 * A Vulkan driver that renders nothing, and says and does what a test wants to hear.
 *
 * What it is given it reads to the last byte, for AddressSanitizer to see, and it checks that
 * every handle is one that it gave out, of the right type and device, and not destroyed: it
 * aborts if not. What it gives are made-up values, the same for the same plan; those that
 * matter to who asks (memory types, extensions and the like) make sense, unless the plan says
 * otherwise.
 *
 * Any thread may call it; a plan is changed by one alone.
 */

/** What it lies about: bits. */
enum fake_lie {
	FAKE_LIE_COUNTS = 1 << 0,       /* more elements than there was room for; very many */
	FAKE_LIE_VALUES = 1 << 1,       /* all values are random, also those that matter */
	FAKE_LIE_REQUIREMENTS = 1 << 2, /* sizes, alignments and memory types of buffers and images */
	FAKE_LIE_TYPES = 1 << 3,        /* memory types, heaps and queue families */
	FAKE_LIE_LAYOUTS = 1 << 4,      /* where images' texels are */
	FAKE_LIE_HANDLES = 1 << 5,      /* a success without a handle */
	FAKE_LIE_CHANGES = 1 << 6,      /* counts differ between two calls, and VK_INCOMPLETE */
	FAKE_LIE_FUNCTIONS = 1 << 7,    /* some functions of extensions and versions are missing */
};

struct fake_plan {
	uint64_t seed;    /* of made-up values */
	uint32_t fail_at; /* the call that gives `error`, counted from 1; 0: none */
	uint32_t fail_every; /* 0: only that one; else that one and then each so-many-th */
	VkResult error;
	uint32_t lies;    /* enum fake_lie */
	bool all_extensions; /* offers every device extension that the protocol knows */
	/** Called at the beginning of each call, unless NULL: others do things meanwhile. */
	void (*meanwhile)(void *data);
	void *data;
};

/**
 * Before the first call and between tests. Frees what is left of the objects; returns how many
 * there were.
 */
size_t fake_reset(const struct fake_plan *plan);

/** Changes the plan in the middle. */
void fake_replan(const struct fake_plan *plan);

/** The present plan. */
const struct fake_plan *fake_get_plan(void);

/** Frees all memory. */
void fake_finish(void);

/* For the generated functions. */

struct wire_command;

/**
 * Checks and reads the arguments (struct venus_<command>), and fills in the outputs and
 * `result` (NULL: it has none). `owner` is the dispatchable handle. false: an error.
 */
bool fake_call(const struct wire_command *command, const void *owner, void *args, VkResult *result);

/** Where handles will be written there are none yet: nobody may use what a failed call leaves. */
void fake_unmake(uint64_t *handles, uint64_t capacity);

/**
 * Gives out `count` new objects, in an array of `capacity` elements. If not `ok`, the elements of
 * arrays (`many`) are VK_NULL_HANDLE, as Vulkan says of them, and a single handle is nonsense.
 */
void fake_make(bool ok, uint64_t parent, VkObjectType type, uint64_t *handles, bool many,
	uint64_t count, uint64_t capacity);
void fake_destroy(uint64_t handle);
void fake_destroy_children(uint64_t handle);

/** The number of elements that is told: the plan's lies about it. */
void fake_count32(uint32_t *count, bool with_array, uint64_t capacity, VkResult *result);
void fake_count64(size_t *count, bool with_array, uint64_t capacity, VkResult *result);

/** Replaces made-up values by such as make sense. */
void fake_make_sense(uint32_t command, void *args, VkResult *result);

/** The queue's handle; 0 if the device has no such queue. */
uint64_t fake_queue(VkDevice device, uint32_t family, uint32_t index);

/** A made-up value. */
uint64_t fake_random(void);

/** Is it an object of ours that lives? Aborts if not. NULL: no. */
struct fake_object *fake_check(uint64_t handle, VkObjectType type);

struct fake_function {
	const char *name;
	PFN_vkVoidFunction function;
	bool always; /* of Vulkan 1.0: no driver is without it */
};

/** Sorted by name. */
extern const struct fake_function fake_functions[];
extern const size_t fake_function_count;

#endif
