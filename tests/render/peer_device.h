/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_RENDER_PEER_DEVICE_H
#define VENERA_TESTS_RENDER_PEER_DEVICE_H

#include "peer.h"

/** Ids of the objects that peer_create_device() makes. */
enum { PEER_INSTANCE = 0x10, PEER_PHYSICAL = 0x20, PEER_DEVICE = 0x30, PEER_QUEUE };

#define PEER_DEVICE_HANDLE PEER_HANDLE(VkDevice, PEER_DEVICE)
#define PEER_PHYSICAL_HANDLE PEER_HANDLE(VkPhysicalDevice, PEER_PHYSICAL)
#define PEER_QUEUE_HANDLE PEER_HANDLE(VkQueue, PEER_QUEUE)

struct peer_device_options {
	uint32_t api_version;
	void *features; /* chained to the VkDeviceCreateInfo; NULL: none */
	const char *const *extensions;
	uint32_t extension_count;
};

/** An instance, its first device, and a queue whose timeline is 1. There is a ring. */
void peer_create_device(struct peer *peer, const struct peer_device_options *options);

#endif
