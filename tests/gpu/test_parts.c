/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/shmem.h"
#include "gpu/backing.h"
#include "gpu/edid.h"
#include "virtio/guest_memory.h"
#include "virtio/virtqueue.h"

/* What venera-gpu is made of, as far as it can be tried without a front end. */

static uint32_t edid_sum(const uint8_t *edid, size_t size) {
	uint32_t sum = 0;
	for (size_t i = 0; i < size; i++) {
		sum += edid[i];
	}
	return sum % 256;
}

/* Refresh rate in millihertz of a timing in the base block, and its size. */
static uint32_t edid_timing(const uint8_t *d, uint32_t *width, uint32_t *height) {
	*width = d[2] | (uint32_t)(d[4] >> 4) << 8;
	*height = d[5] | (uint32_t)(d[7] >> 4) << 8;
	uint64_t dots = (uint64_t)(*width + (d[3] | (d[4] & 15U) << 8)) *
		(*height + (d[6] | (d[7] & 15U) << 8));
	uint64_t clock = (uint64_t)(d[0] | d[1] << 8) * 10000;
	return (uint32_t)(clock * 1000 / dots);
}

static void edid_of_all_sizes(void) {
	static const uint32_t rates[] = {0, 30000, 59940, 60000, 75000, 144000, 240000, 4000000};
	for (uint32_t width = 1; width < 20000; width += width < 100 ? 1 : 397) {
		for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
			uint8_t edid[EDID_MAX_SIZE];
			struct edid_options options = {
				.width = width,
				.height = width * 5 / 8,
				.refresh_mhz = rates[i],
				.serial = 3,
			};
			size_t size = edid_generate(edid, &options);
			CHECK_INT(size, edid[126] ? 256 : 128);
			CHECK_INT(edid_sum(edid, 128), 0);
			uint32_t base_width, base_height;
			uint32_t rate = edid_timing(edid + 54, &base_width, &base_height);
			CHECK(base_width > 0 && base_height > 0);
			if (size == 128) {
				CHECK_INT(base_width, width);
				/* the clock's unit is coarse for small pictures */
				if (width > 600 && rates[i] && rates[i] < 1000000) {
					CHECK(rate > rates[i] - rates[i] / 500);
					CHECK(rate < rates[i] + rates[i] / 500);
				}
			} else {
				CHECK_INT(edid_sum(edid + 128, 128), 0);
				/* the section of the extension has a checksum of its own */
				CHECK_INT(edid_sum(edid + 129, edid[130] + 5U), 0);
				const uint8_t *d = edid + 128 + 5 + 15 + 15 + 3;
				CHECK_INT((d[4] | d[5] << 8) + 1, width);
				CHECK_INT((d[12] | d[13] << 8) + 1, width * 5 / 8);
				CHECK(base_width <= width);
			}
		}
	}
}

enum { RAM_SIZE = 1 << 20 };

/* Two regions that touch and one far away, of one memory. */
static void make_memory(struct guest_memory *memory, struct shmem *ram) {
	CHECK_INT(shmem_create(ram, "ram", RAM_SIZE), 0);
	guest_memory_init(memory);
	static const struct guest_memory_range ranges[] = {
		{.guest_addr = 0x1000, .size = 0x3000, .user_addr = 0x700000},
		{.guest_addr = 0x4000, .size = 0x3000, .user_addr = 0x500000, .fd_offset = 0x10000},
		{.guest_addr = 0x100000000, .size = 0x8000, .user_addr = 0x900000,
			.fd_offset = 0x20040},
	};
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		CHECK_INT(guest_memory_add(memory, &ranges[i], dup(ram->fd)), 0);
	}
}

static void memory_table(void) {
	struct guest_memory memory;
	struct shmem ram;
	make_memory(&memory, &ram);
	uint8_t *bytes = ram.data;
	for (size_t i = 0; i < RAM_SIZE; i++) {
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	}

	static const struct guest_memory_range bad[] = {
		{.guest_addr = 0x8000, .size = 0, .user_addr = 0x10000},
		{.guest_addr = UINT64_MAX - 10, .size = 100, .user_addr = 0x10000},
		{.guest_addr = 0x8000, .size = 100, .user_addr = UINT64_MAX - 10},
		{.guest_addr = 0x8000, .size = 100, .user_addr = 0x10000, .fd_offset = UINT64_MAX - 5},
		{.guest_addr = 0x8000, .size = UINT64_MAX, .user_addr = 0},
		{.guest_addr = 0x8000, .size = 100, .user_addr = 0x10000, .fd_offset = RAM_SIZE},
		{.guest_addr = 0x8000, .size = RAM_SIZE + 1, .user_addr = 0x10000},
		{.guest_addr = 0x6fff, .size = 100, .user_addr = 0x10000}, /* overlaps */
		{.guest_addr = 0x8000, .size = 100, .user_addr = 0x702fff},
	};
	int fds = test_count_fds();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(guest_memory_add(&memory, &bad[i], dup(ram.fd)) < 0);
	}
	CHECK_INT(test_count_fds(), fds);

	uint8_t copy[0x6000];
	CHECK(guest_memory_read(&memory, 0x1000, copy, sizeof(copy)));
	CHECK(memcmp(copy, bytes, 0x3000) == 0);
	CHECK(memcmp(copy + 0x3000, bytes + 0x10000, 0x3000) == 0);
	CHECK(!guest_memory_read(&memory, 0x1001, copy, sizeof(copy)));
	CHECK(!guest_memory_read(&memory, 0xfff, copy, 2));
	CHECK(!guest_memory_read(&memory, UINT64_MAX, copy, 2));
	CHECK(guest_memory_read(&memory, 0x100007fff, copy, 1));
	CHECK_INT(copy[0], bytes[0x20040 + 0x7fff]);
	CHECK(guest_memory_write(&memory, 0x3ffe, "abcd", 4));
	CHECK(memcmp(bytes + 0x2ffe, "ab", 2) == 0 && memcmp(bytes + 0x10000, "cd", 2) == 0);

	CHECK(guest_memory_at_user(&memory, 0x500000, 0x3000) != NULL);
	CHECK(guest_memory_at_user(&memory, 0x500000, 0x3001) == NULL);
	CHECK(guest_memory_at_user(&memory, 0x4fffff, 1) == NULL);
	CHECK(guest_memory_at_user(&memory, 0x502fff, SIZE_MAX) == NULL);

	struct guest_memory_range second = {0x4000, 0x3000, 0x500000, 77}; /* the offset is no matter */
	CHECK(guest_memory_remove(&memory, &second));
	CHECK(!guest_memory_remove(&memory, &second));
	CHECK(!guest_memory_read(&memory, 0x3ffe, copy, 4));
	CHECK(guest_memory_read(&memory, 0x100000000, copy, 0x6000));
	guest_memory_finish(&memory);
	CHECK_INT(test_count_fds(), fds);
	shmem_finish(&ram);
}

/* Against the obvious way: all pieces in one buffer. */
static void backing_of_pieces(void) {
	struct guest_memory memory;
	struct shmem ram;
	make_memory(&memory, &ram);
	unsigned seed = 5;
	for (size_t i = 0; i < RAM_SIZE; i++) {
		((uint8_t *)ram.data)[i] = (uint8_t)test_random(&seed);
	}
	for (int round = 0; round < 500; round++) {
		struct gpu_memory_entry entries[40];
		size_t count = test_random(&seed) % 40;
		static uint8_t whole[40 * 3000];
		size_t size = 0;
		for (size_t i = 0; i < count; i++) {
			bool touches = i > 0 && test_random(&seed) % 4 == 0;
			entries[i].size = test_random(&seed) % 3000;
			entries[i].guest_addr = touches ?
				entries[i - 1].guest_addr + entries[i - 1].size :
				(test_random(&seed) % 2 ? UINT64_C(0x1000) : UINT64_C(0x100000000)) +
					test_random(&seed) % 0x3000;
			if (!guest_memory_read(&memory, entries[i].guest_addr, whole + size, entries[i].size)) {
				count = i;
				break;
			}
			size += entries[i].size;
		}
		struct backing backing;
		CHECK(backing_init(&backing, entries, count));
		CHECK_INT(backing.size, size);
		CHECK(backing.count <= count);
		for (int i = 0; i < 20; i++) {
			struct backing_image image = {
				.offset = test_random(&seed) % (size + 10),
				.stride = test_random(&seed) % 500,
				.line_size = test_random(&seed) % 400,
				.line_count = test_random(&seed) % 60,
			};
			size_t stride = test_random(&seed) % 4 ? 512 : image.line_size;
			if (i % 5 == 0) {
				stride = image.stride = image.line_size;
			}
			size_t span = image.line_count && image.line_size ?
				(size_t)(image.line_count - 1) * image.stride + image.line_size : 0;
			static uint8_t target[60 * 512];
			struct backing_lines lines;
			bool ok = backing_refresh_image(
				&backing, &memory, &image, target, stride, &lines);
			CHECK_INT(ok, span == 0 || image.offset + span <= size);
			for (uint32_t line = 0; ok && span && line < image.line_count; line++) {
				CHECK(memcmp(target + line * stride,
					whole + image.offset + (size_t)line * image.stride,
					image.line_size) == 0);
			}
			if (!ok || !span || stride < image.line_size) {
				continue; /* lines lie on one another */
			}
			/* what is the same is not touched; what is not is told */
			CHECK(backing_refresh_image(
				&backing, &memory, &image, target, stride, &lines));
			CHECK_INT(lines.count, 0);
			uint32_t first = test_random(&seed) % image.line_count;
			uint32_t last = first + test_random(&seed) % (image.line_count - first);
			target[first * stride] ^= 1;
			target[last * stride + image.line_size - 1] ^= 1;
			CHECK(backing_refresh_image(
				&backing, &memory, &image, target, stride, &lines));
			bool undone = first == last && image.line_size == 1;
			CHECK_INT(lines.count, undone ? 0 : last - first + 1);
			CHECK(undone || lines.first == first);
			CHECK(memcmp(target + last * stride,
				whole + image.offset + (size_t)last * image.stride, image.line_size) == 0);
		}
		backing_finish(&backing);
	}
	struct backing empty;
	CHECK(backing_init(&empty, NULL, 0));
	struct backing_image image = {.line_size = 4, .line_count = 1};
	uint8_t pixel[4];
	struct backing_lines lines;
	CHECK(!backing_refresh_image(&empty, &memory, &image, pixel, 4, &lines));
	image = (struct backing_image){UINT64_MAX - 3, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	CHECK(!backing_refresh_image(&empty, &memory, &image, pixel, 4, &lines));
	backing_finish(&empty);
	guest_memory_finish(&memory);
	shmem_finish(&ram);
}

/* When the guest is interrupted, with and without EVENT_IDX, and where the indices wrap round. */
static void interrupts(void) {
	struct guest_memory memory;
	struct shmem ram;
	make_memory(&memory, &ram);
	uint8_t *bytes = ram.data;
	enum { SIZE = 8, DESC = 0, AVAIL = 0x200, USED = 0x300 };
	struct virtqueue queue = {
		.memory = &memory,
		.size = SIZE,
		.event_idx = true,
		.desc_addr = 0x700000 + DESC,
		.avail_addr = 0x700000 + AVAIL,
		.used_addr = 0x700000 + USED,
	};
	uint16_t start = 65530;
	memcpy(bytes + AVAIL + 2, &start, 2);
	memcpy(bytes + USED + 2, &start, 2);
	queue.next_avail = start;
	CHECK(virtqueue_start(&queue));
	struct virtqueue_element element = {0};
	uint8_t request[16];
	uint16_t index = start;
	uint16_t wanted = (uint16_t)(start + 2); /* an interrupt for the third */
	memcpy(bytes + AVAIL + 4 + 2 * SIZE, &wanted, 2);
	bool first = true;
	for (int i = 0; i < 20; i++) {
		CHECK_INT(virtqueue_take(&queue, &element, request, sizeof(request)), VIRTQUEUE_EMPTY);
		uint16_t event;
		memcpy(&event, bytes + USED + 4 + 8 * SIZE, 2);
		CHECK_INT(event, index); /* we want to be kicked for this one */

		uint64_t addr = 0x1800;
		uint32_t size = 4;
		uint16_t flags = 2, head = (uint16_t)(i % SIZE);
		memcpy(bytes + DESC + 16 * head, &addr, 8);
		memcpy(bytes + DESC + 16 * head + 8, &size, 4);
		memcpy(bytes + DESC + 16 * head + 12, &flags, 2);
		memcpy(bytes + AVAIL + 4 + 2 * (index % SIZE), &head, 2);
		index++;
		memcpy(bytes + AVAIL + 2, &index, 2);
		CHECK_INT(virtqueue_take(&queue, &element, request, sizeof(request)), VIRTQUEUE_TAKEN);
		CHECK_INT(element.writable_size, 4);
		virtqueue_give(&queue, &element, "wxyz1234", 8);
		uint16_t used;
		memcpy(&used, bytes + USED + 2, 2);
		CHECK_INT(used, index);
		CHECK(memcmp(bytes + 0x800, "wxyz", 4) == 0);
		uint32_t length;
		memcpy(&length, bytes + USED + 4 + 8 * ((uint16_t)(index - 1) % SIZE) + 4, 4);
		CHECK_INT(length, 4);
		/* after a start always; then when the wanted index is passed, and only then */
		CHECK_INT(virtqueue_wants_notify(&queue), first || (uint16_t)(index - 1) == wanted);
		CHECK(!virtqueue_wants_notify(&queue)); /* nothing new was given */
		first = false;
	}
	virtqueue_element_finish(&element);
	guest_memory_finish(&memory);
	shmem_finish(&ram);
}

int main(void) {
	RUN(edid_of_all_sizes);
	RUN(memory_table);
	RUN(backing_of_pieces);
	RUN(interrupts);
	return 0;
}
