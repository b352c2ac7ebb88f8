/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_LAYERS_REFUSALS_H
#define VENERA_TESTS_LAYERS_REFUSALS_H

/** What the tests of refusals are made of. They need VK_LAYER_VENERA_fail over the driver. */

#include "../render/peer_device.h"

/* ids of the guest's objects; of the plural ones there are up to three */
enum { BUFFERS = 0x40, IMAGES = 0x44, COMMANDS = 0x48, SETS = 0x4c, PIPELINES = 0x50,
	MEMORY = 0x60, IMAGE_MEMORY, POOL, DESCRIPTOR_POOL, SET_LAYOUT, LAYOUT, SHADER, CACHE, FENCE,
	SEMAPHORE, QUERIES, PASS, SECONDARY, EVENT, LIBRARY };
enum { SIZE = 65536 };

#define ID(type, id) PEER_HANDLE(Vk##type, id)
#define DEVICE PEER_DEVICE_HANDLE
#define OUT_OF_MEMORY VK_ERROR_OUT_OF_DEVICE_MEMORY
#define FAULT(function, n) #function ":" #n ":VK_ERROR_OUT_OF_DEVICE_MEMORY"

/** One command that the guest does not wait for. */
#define DO(peer, command, ...) \
	do { \
		peer_begin(peer); \
		PEER_ADD(peer, command, __VA_ARGS__); \
		peer_ring_write(peer); \
	} while (0)

/** One that it waits for; its result. */
#define ASK(result, peer, command, ...) \
	do { \
		struct venus_##command args_ = {__VA_ARGS__}; \
		PEER_CALL(peer, command, &args_); \
		*(result) = args_.ret; \
	} while (0)

#define EXPECT(expected, peer, command, ...) \
	do { \
		VkResult result_; \
		ASK(&result_, peer, command, __VA_ARGS__); \
		CHECK_INT(result_, expected); \
	} while (0)

/** One or the other. */
#define DO_OR_ASK(result, answered, peer, command, ...) \
	do { \
		*(result) = VK_SUCCESS; \
		if (answered) { \
			ASK(result, peer, command, __VA_ARGS__); \
		} else { \
			DO(peer, command, __VA_ARGS__); \
		} \
	} while (0)

extern const char *refusals_program; /* venera-render */

/** Starts it with those faults; without a device. */
void start_bare(struct peer *peer, const char *fail);

/** With a device that has `more`, a chain of features, and the extensions. */
void start_with(struct peer *peer, const char *fail, uint32_t version, void *more,
	const char *const *extensions, uint32_t extension_count);
void start(struct peer *peer, const char *fail);
void stop(struct peer *peer);

extern const VkBufferCreateInfo buffer_info;
extern const VkImageCreateInfo image_info;
extern const VkCommandPoolCreateInfo command_pool_info;
extern const VkFenceCreateInfo fence_info;
extern const VkSemaphoreCreateInfo semaphore_info;
extern const VkDescriptorPoolCreateInfo descriptor_pool_info;

/** A command pool, and a layout of one storage buffer. */
void create_pool_and_layout(struct peer *peer);

/** The same, and one command buffer. */
void allocate_commands(struct peer *peer);

VkResult allocate(struct peer *peer, uint64_t id, uint64_t size, uint32_t type, bool answered);

/** Fills the buffer in a command buffer: can it be recorded? */
VkResult record_fill(struct peer *peer, uint64_t buffer);

#endif
