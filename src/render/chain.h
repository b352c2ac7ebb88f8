/* SPDX-License-Identifier: MIT */
#ifndef VENERA_RENDER_CHAIN_H
#define VENERA_RENDER_CHAIN_H

#include <stddef.h>
#include <vulkan/vulkan.h>

/*
 * pNext chains of decoded structures. They live in the executor's arena, so they may be changed although
 * the API calls them const. `head` is any structure with sType and pNext.
 */

/** The first structure of that type behind `head`, or NULL. */
static inline void *chain_find(const void *head, VkStructureType type) {
	VkBaseOutStructure *item = ((const VkBaseOutStructure *)head)->pNext;
	while (item && item->sType != type) {
		item = item->pNext;
	}
	return item;
}

/** Takes the first structure of that type out of the chain and returns it, or NULL. */
static inline void *chain_remove(const void *head, VkStructureType type) {
	VkBaseOutStructure *previous = (VkBaseOutStructure *)head;
	while (previous->pNext && previous->pNext->sType != type) {
		previous = previous->pNext;
	}
	VkBaseOutStructure *item = previous->pNext;
	if (item) {
		previous->pNext = item->pNext;
		item->pNext = NULL;
	}
	return item;
}

/** Puts `item` right behind `head`. */
static inline void chain_insert(const void *head, void *item) {
	VkBaseOutStructure *first = (VkBaseOutStructure *)head;
	((VkBaseOutStructure *)item)->pNext = first->pNext;
	first->pNext = item;
}

#endif
