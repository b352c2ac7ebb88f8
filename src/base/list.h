/* SPDX-License-Identifier: MIT */
#ifndef VENERA_BASE_LIST_H
#define VENERA_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/**
 * A doubly linked list whose links live in the elements. The head is a link as well; a list is
 * empty when its head points to itself.
 */
struct list {
	struct list *prev, *next;
};

#define LIST_CONTAINER(link, type, member) \
	((type *)(void *)((char *)(link) - offsetof(type, member)))

/** `type` is that of the elements, `member` their link. */
#define LIST_FOR_EACH(element, head, type, member) \
	for (type *element = LIST_CONTAINER((head)->next, type, member); \
			&element->member != (head); \
			element = LIST_CONTAINER(element->member.next, type, member))

/** The body may remove and free `element`. */
#define LIST_FOR_EACH_SAFE(element, head, type, member) \
	for (type *element = LIST_CONTAINER((head)->next, type, member), \
			*element##_next = LIST_CONTAINER(element->member.next, type, member); \
			&element->member != (head); \
			element = element##_next, \
			element##_next = LIST_CONTAINER(element->member.next, type, member))

static inline void list_init(struct list *list) {
	list->prev = list;
	list->next = list;
}

/** Inserts `element` behind `list`: at the front when `list` is the head. */
static inline void list_insert(struct list *list, struct list *element) {
	element->prev = list;
	element->next = list->next;
	list->next->prev = element;
	list->next = element;
}

/** Appends when `list` is the head. */
static inline void list_append(struct list *list, struct list *element) {
	list_insert(list->prev, element);
}

/** The element's link is a list of its own afterwards: removing it twice does no harm. */
static inline void list_remove(struct list *element) {
	element->prev->next = element->next;
	element->next->prev = element->prev;
	list_init(element);
}

static inline bool list_empty(const struct list *list) {
	return list->next == list;
}

#endif
