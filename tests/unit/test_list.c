/* SPDX-License-Identifier: MIT */
#include "base/list.h"
#include "test.h"

struct item {
	int value;
	struct list link;
};

static void check_values(struct list *head, const char *expected) {
	char values[32];
	size_t count = 0;
	LIST_FOR_EACH (item, head, struct item, link) {
		values[count++] = (char)('0' + item->value);
	}
	values[count] = '\0';
	CHECK_STR(values, expected);
}

static void test_order(void) {
	struct list head;
	list_init(&head);
	CHECK(list_empty(&head));
	check_values(&head, "");

	struct item items[5];
	for (int i = 0; i < 5; i++) {
		items[i].value = i;
	}
	list_append(&head, &items[1].link);
	list_append(&head, &items[3].link);
	list_insert(&head, &items[0].link);
	list_insert(&items[1].link, &items[2].link);
	list_append(&head, &items[4].link);
	check_values(&head, "01234");
	CHECK(!list_empty(&head));

	list_remove(&items[2].link);
	list_remove(&items[2].link);
	check_values(&head, "0134");
	list_remove(&items[0].link);
	list_remove(&items[4].link);
	check_values(&head, "13");
}

static void test_remove_in_loop(void) {
	struct list head;
	list_init(&head);
	for (int i = 0; i < 8; i++) {
		struct item *item = malloc(sizeof(*item));
		CHECK(item);
		item->value = i;
		list_append(&head, &item->link);
	}
	LIST_FOR_EACH_SAFE (item, &head, struct item, link) {
		if (item->value % 3 != 1) {
			list_remove(&item->link);
			free(item);
		}
	}
	check_values(&head, "147");
	LIST_FOR_EACH_SAFE (item, &head, struct item, link) {
		list_remove(&item->link);
		free(item);
	}
	CHECK(list_empty(&head));
}

int main(void) {
	RUN(test_order);
	RUN(test_remove_in_loop);
	return 0;
}
