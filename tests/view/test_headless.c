/* SPDX-License-Identifier: MIT */
/*
 * test_headless VENERA-VIEW ICD.json [--validate]: what venera-view makes of what venera-gpu says,
 * right and wrong, by screenshots without a window.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shmem.h"
#include "base/socket.h"

#include "../unit/test.h"
#include "peer.h"

#define WIDTH 160
#define HEIGHT 100

static const uint32_t formats[] = {
	VIEW_FORMAT_B8G8R8A8, VIEW_FORMAT_B8G8R8X8, VIEW_FORMAT_A8R8G8B8, VIEW_FORMAT_X8R8G8B8,
	VIEW_FORMAT_R8G8B8A8, VIEW_FORMAT_X8B8G8R8, VIEW_FORMAT_A8B8G8R8, VIEW_FORMAT_R8G8B8X8,
};
#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

static struct peer_options options = {.width = WIDTH, .height = HEIGHT};

/* A picture of the window's size, all of its buffer. */
static void simple_picture(struct peer *peer, struct picture *picture) {
	*picture = (struct picture){
		.format = VIEW_FORMAT_B8G8R8X8,
		.stride = WIDTH * 4,
		.width = WIDTH,
		.height = HEIGHT,
	};
	picture_create(peer, picture, WIDTH * 4 * HEIGHT);
}

static void test_formats_and_layouts(void) {
	static const struct {
		uint32_t offset, stride, x, y;
	} layouts[] = {
		{0, WIDTH * 4, 0, 0},
		{52, WIDTH * 4 + 12, 0, 0},
		{8196, (WIDTH + 7) * 4, 7, 3}, /* in the third page, up to the last pixel of a line */
		{4, 4096, 77, 5},
	};
	struct peer peer;
	peer_start(&peer, &options);
	CHECK_INT(peer.hello.width, WIDTH);
	CHECK_INT(peer.hello.height, HEIGHT);
	peer_check_shows(&peer, NULL, "before all");
	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		const size_t layout = i % (sizeof(layouts) / sizeof(layouts[0]));
		struct picture picture = {
			.format = formats[i],
			.offset = layouts[layout].offset,
			.stride = layouts[layout].stride,
			.x = layouts[layout].x,
			.y = layouts[layout].y,
			.width = WIDTH,
			.height = HEIGHT,
		};
		/* ends with the last pixel: not one byte too much is asked for */
		uint64_t size = picture.offset
			+ (uint64_t)(picture.y + HEIGHT - 1) * picture.stride
			+ (picture.x + WIDTH) * UINT64_C(4);
		picture_create(&peer, &picture, size);
		peer_set_scanout(&peer, &picture);
		peer_flush(&peer);
		char what[32];
		snprintf(what, sizeof(what), "format %" PRIu32, formats[i]);
		peer_check_shows(&peer, &picture, what);
		peer_forget(&peer, picture.id);
		picture_destroy(&picture);
	}
	peer_stop(&peer);
}

static void test_damage(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture;
	simple_picture(&peer, &picture);
	peer_set_scanout(&peer, &picture);
	peer_check_shows(&peer, NULL, "before the first flush");
	peer_flush_rect(&peer, 5, 5, 1, 1); /* the first shows all, whatever it says */
	peer_check_shows(&peer, &picture, "first flush");

	struct image expected, shown;
	image_create(&expected, WIDTH, HEIGHT);
	image_draw_picture(&expected, &picture);
	picture_fill_noise(&picture, 77);
	peer_flush_rect(&peer, WIDTH, 0, 10, 10); /* outside */
	peer_flush_rect(&peer, 10, 10, 0, 10);    /* empty */
	peer_screenshot(&peer, &shown);
	image_check_equal(&shown, &expected, 0, "nothing flushed");
	image_destroy(&shown);

	/* Two rectangles of which one reaches over the edge; only they change. */
	const uint32_t rects[2][4] = {{20, 30, 17, 5}, {WIDTH - 3, HEIGHT - 2, UINT32_MAX, 100}};
	for (int i = 0; i < 2; i++) {
		const uint32_t *r = rects[i];
		peer_flush_rect(&peer, r[0], r[1], r[2], r[3]);
		for (uint32_t y = r[1]; y < HEIGHT && y - r[1] < r[3]; y++) {
			for (uint32_t x = r[0]; x < WIDTH && x - r[0] < r[2]; x++) {
				expected.pixels[y * WIDTH + x] = picture_pixel(&picture, x, y);
			}
		}
		peer_screenshot(&peer, &shown);
		image_check_equal(&shown, &expected, 0, "rectangle flushed");
		image_destroy(&shown);
	}
	image_destroy(&expected);

	/* The same scanout said again is not a new one; another offset is. */
	peer_set_scanout(&peer, &picture);
	peer_flush(&peer);
	peer_check_shows(&peer, &picture, "all flushed");
	picture.offset = WIDTH * 4;
	picture.height = HEIGHT - 1;
	peer_set_scanout(&peer, &picture);
	peer_flush_rect(&peer, 0, 0, 1, 1);
	peer_check_shows(&peer, &picture, "another part of the buffer");
	picture_destroy(&picture);
	peer_stop(&peer);
}

/* Once a flush is answered the guest may draw its next frame. */
static void test_answer_frees_memory(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture;
	simple_picture(&peer, &picture);
	peer_set_scanout(&peer, &picture);
	for (uint32_t i = 0; i < 20; i++) {
		picture_fill_noise(&picture, i);
		peer_flush(&peer);
		memset(picture.memory.data, 0xee, picture.memory.size);
		struct image shown, expected;
		peer_screenshot(&peer, &shown);
		picture_fill_noise(&picture, i);
		image_create(&expected, WIDTH, HEIGHT);
		image_draw_picture(&expected, &picture);
		image_check_equal(&shown, &expected, 0, "flushed frame");
		image_destroy(&shown);
		image_destroy(&expected);
	}
	picture_destroy(&picture);
	peer_stop(&peer);
}

static void test_dark(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture first, second;
	simple_picture(&peer, &first);
	simple_picture(&peer, &second);

	peer_set_scanout(&peer, &first);
	peer_flush(&peer);
	const struct view_scanout nothing = {.buffer_id = 0};
	peer_send(&peer, VIEW_REQUEST_SET_SCANOUT, &nothing, sizeof(nothing));
	peer_flush(&peer);
	peer_check_shows(&peer, NULL, "scanout turned off");

	peer_set_scanout(&peer, &first);
	peer_flush(&peer);
	peer_check_shows(&peer, &first, "scanout turned on");
	peer_set_scanout(&peer, &second);
	peer_check_shows(&peer, &first, "second announced");
	peer_forget(&peer, first.id);
	peer_check_shows(&peer, &first, "first forgotten when second is announced");
	peer_flush(&peer);
	peer_check_shows(&peer, &second, "second shown");
	peer_forget(&peer, second.id);
	peer_flush(&peer);
	peer_check_shows(&peer, NULL, "second forgotten");

	/* In one go, and the other way round: what is gone is not read. */
	struct picture third;
	simple_picture(&peer, &third);
	peer_set_scanout(&peer, &third);
	const struct view_flush flush = {.serial = 1, .width = WIDTH, .height = HEIGHT};
	peer_send(&peer, VIEW_REQUEST_FLUSH, &flush, sizeof(flush));
	peer_forget(&peer, third.id);
	struct view_presented presented;
	peer_expect(&peer, VIEW_EVENT_PRESENTED, &presented, sizeof(presented));
	CHECK_INT(presented.serial, 1);
	peer_flush(&peer);
	peer_check_shows(&peer, NULL, "third forgotten");
	picture_destroy(&first);
	picture_destroy(&second);
	picture_destroy(&third);
	peer_stop(&peer);
}

static void fill_cursor(struct picture *cursor) {
	for (uint32_t y = 0; y < cursor->height; y++) {
		for (uint32_t x = 0; x < cursor->width; x++) {
			uint32_t alpha = (x * 37 + y * 11) % 256;
			alpha = x == 0 ? 255 : y == 0 ? 0 : alpha;
			picture_set_pixel(cursor, x, y, (uint8_t)(x * alpha / 64),
				(uint8_t)(y * alpha / 64), (uint8_t)(alpha / 2), (uint8_t)alpha);
		}
	}
}

static void check_cursor(struct peer *peer, const struct picture *below,
	const struct picture *cursor, int64_t x, int64_t y, const char *what) {
	struct image shown, expected;
	peer_screenshot(peer, &shown);
	image_create(&expected, WIDTH, HEIGHT);
	image_draw_picture(&expected, below);
	if (cursor) {
		image_draw_cursor(&expected, cursor, x, y, below);
	}
	image_check_equal(&shown, &expected, 1, what);
	image_destroy(&shown);
	image_destroy(&expected);
}

static void test_cursor(void) {
	struct peer peer;
	peer_start(&peer, &options);
	/* narrower than the window: the cursor must not reach into the black beside it */
	struct picture below = {
		.format = VIEW_FORMAT_R8G8B8X8,
		.stride = 120 * 4,
		.width = 120,
		.height = HEIGHT,
	};
	picture_create(&peer, &below, 120 * 4 * HEIGHT);
	struct picture image = {
		.format = VIEW_FORMAT_B8G8R8A8,
		.offset = 512,
		.stride = 260,
		.width = 64,
		.height = 64,
	};
	picture_create(&peer, &image, 512 + 260 * 64);
	fill_cursor(&image);

	struct view_cursor cursor = {
		.buffer_id = image.id,
		.x = 30,
		.y = 20,
		.hot_x = 7,
		.hot_y = 3,
		.offset = image.offset,
		.stride = image.stride,
		.width = image.width,
		.height = image.height,
	};
	peer_send(&peer, VIEW_REQUEST_SET_CURSOR, &cursor, sizeof(cursor));
	peer_check_shows(&peer, NULL, "cursor without a picture");
	peer_set_scanout(&peer, &below);
	peer_flush(&peer);
	check_cursor(&peer, &below, &image, 23, 17, "cursor");

	static const int32_t places[][2] = {
		{0, 0}, {-20, 30}, {119, 99}, {126, 50}, {40, 102}, {-100, -100}, {119 + 8, 0},
		{INT32_MAX, INT32_MIN}, {INT32_MIN, INT32_MAX}, {10, 10},
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct view_cursor place = {.x = places[i][0], .y = places[i][1]};
		peer_send(&peer, VIEW_REQUEST_MOVE_CURSOR, &place, sizeof(place));
		peer_flush_rect(&peer, 0, 0, 0, 0); /* it has arrived */
		check_cursor(&peer, &below, &image, (int64_t)place.x - 7, (int64_t)place.y - 3,
			"moved cursor");
	}

	/* Its image was taken when it was set. */
	struct picture copy = image;
	CHECK_INT(shmem_create(&copy.memory, "copy", image.memory.size), 0);
	memcpy(copy.memory.data, image.memory.data, image.memory.size);
	memset(image.memory.data, 0xff, image.memory.size);
	peer_forget(&peer, image.id);
	peer_flush(&peer);
	check_cursor(&peer, &below, &copy, 3, 7, "cursor whose buffer is gone");

	/* Other scanouts' cursors are not ours. */
	struct view_cursor other = {.scanout = 1, .x = 90, .y = 90};
	peer_send(&peer, VIEW_REQUEST_SET_CURSOR, &other, sizeof(other));
	peer_send(&peer, VIEW_REQUEST_MOVE_CURSOR, &other, sizeof(other));
	peer_flush(&peer);
	check_cursor(&peer, &below, &copy, 3, 7, "other scanout's cursor");

	const struct view_cursor hidden = {.buffer_id = 0, .x = 10, .y = 10};
	peer_send(&peer, VIEW_REQUEST_SET_CURSOR, &hidden, sizeof(hidden));
	peer_flush(&peer);
	check_cursor(&peer, &below, NULL, 0, 0, "hidden cursor");
	picture_destroy(&copy);
	picture_destroy(&image);
	picture_destroy(&below);
	peer_stop(&peer);
}

static void test_scaling(void) {
	struct peer peer;
	peer_start(&peer, &options);

	/* Half the window's size in plain quarters: the middle of each must be its colour, the
	 * picture must fill the window, and between the quarters it is blended. */
	struct picture half = {
		.format = VIEW_FORMAT_B8G8R8X8,
		.stride = WIDTH / 2 * 4,
		.width = WIDTH / 2,
		.height = HEIGHT / 2,
	};
	picture_create(&peer, &half, WIDTH * HEIGHT);
	for (uint32_t y = 0; y < half.height; y++) {
		for (uint32_t x = 0; x < half.width; x++) {
			bool right = x >= half.width / 2, bottom = y >= half.height / 2;
			picture_set_pixel(&half, x, y, right ? 200 : 0, bottom ? 200 : 0,
				right == bottom ? 255 : 0, 0);
		}
	}
	peer_set_scanout(&peer, &half);
	peer_flush(&peer);
	struct image shown;
	peer_screenshot(&peer, &shown);
	CHECK_INT(image_pixel(&shown, 0, 0), 0xff0000);
	CHECK_INT(image_pixel(&shown, WIDTH / 2 - 2, HEIGHT / 2 - 2), 0xff0000);
	CHECK_INT(image_pixel(&shown, WIDTH - 1, 0), 0x0000c8);
	CHECK_INT(image_pixel(&shown, 0, HEIGHT - 1), 0x00c800);
	CHECK_INT(image_pixel(&shown, WIDTH - 1, HEIGHT - 1), 0xffc8c8);
	uint32_t between = image_pixel(&shown, WIDTH / 2 - 1, HEIGHT / 4);
	CHECK((between & 255) > 20 && (between & 255) < 100);
	image_destroy(&shown);

	/* High and narrow, scaled down: black on both sides, the same width on both. */
	struct picture tall = {
		.format = VIEW_FORMAT_B8G8R8X8,
		.stride = 100 * 4,
		.width = 100,
		.height = HEIGHT * 4,
	};
	picture_create(&peer, &tall, 100 * 4 * HEIGHT * 4);
	memset(tall.memory.data, 0xff, tall.memory.size);
	peer_set_scanout(&peer, &tall);
	peer_flush(&peer);
	peer_screenshot(&peer, &shown);
	for (uint32_t y = 0; y < HEIGHT; y++) {
		for (uint32_t x = 0; x < WIDTH; x++) {
			bool inside = x >= 67 && x < 67 + 25;
			CHECK_INT(image_pixel(&shown, x, y), inside ? 0xffffff : 0);
		}
	}
	image_destroy(&shown);

	/* Of extreme aspect: at least a line of it is seen. */
	struct picture line = {
		.format = VIEW_FORMAT_B8G8R8X8,
		.stride = 8192 * 4,
		.width = 8192,
		.height = 1,
	};
	picture_create(&peer, &line, 8192 * 4);
	memset(line.memory.data, 0xff, line.memory.size);
	peer_set_scanout(&peer, &line);
	peer_flush(&peer);
	peer_screenshot(&peer, &shown);
	uint32_t lit = 0;
	for (uint32_t y = 0; y < HEIGHT; y++) {
		lit += image_pixel(&shown, WIDTH / 2, y) == 0xffffff;
	}
	CHECK_INT(lit, 1);
	image_destroy(&shown);

	/* A cursor is scaled with its picture; on one of a single pixel it covers all. */
	struct picture dot = {.format = VIEW_FORMAT_B8G8R8A8, .stride = 4, .width = 1, .height = 1};
	picture_create(&peer, &dot, 4);
	memset(dot.memory.data, 0x7f, 4);
	struct picture image = {
		.format = VIEW_FORMAT_B8G8R8A8,
		.stride = 512 * 4,
		.width = 512,
		.height = 512,
	};
	picture_create(&peer, &image, 512 * 4 * 512);
	for (uint32_t i = 0; i < 512 * 512; i++) {
		picture_set_pixel(&image, i % 512, i / 512, 0, 255, 0, 255);
	}
	const struct view_cursor cursor = {
		.buffer_id = image.id,
		.hot_x = 300,
		.hot_y = 200,
		.stride = image.stride,
		.width = 512,
		.height = 512,
	};
	peer_send(&peer, VIEW_REQUEST_SET_CURSOR, &cursor, sizeof(cursor));
	peer_set_scanout(&peer, &dot);
	peer_flush(&peer);
	peer_screenshot(&peer, &shown);
	CHECK_INT(image_pixel(&shown, WIDTH / 2, HEIGHT / 2), 0x00ff00);
	CHECK_INT(image_pixel(&shown, 30, 0), 0x00ff00);
	CHECK_INT(image_pixel(&shown, 29, 50), 0);
	image_destroy(&shown);

	picture_destroy(&half);
	picture_destroy(&tall);
	picture_destroy(&line);
	picture_destroy(&dot);
	picture_destroy(&image);
	peer_stop(&peer);
}

static void test_many_flushes(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture;
	simple_picture(&peer, &picture);
	peer_set_scanout(&peer, &picture);
	enum { COUNT = 2000 };
	/* Nothing is waited for: answers come in the order of each scanout, none is lost. */
	for (uint32_t i = 0; i < COUNT; i++) {
		struct view_flush flush = {.serial = i, .width = WIDTH, .height = HEIGHT};
		if (i % 8 == 7) {
			flush.scanout = 1 + i % 5;
		}
		peer_send(&peer, VIEW_REQUEST_FLUSH, &flush, sizeof(flush));
	}
	int64_t last_of_first = -1, last_of_others = -1;
	for (uint32_t i = 0; i < COUNT; i++) {
		struct view_presented presented;
		peer_expect(&peer, VIEW_EVENT_PRESENTED, &presented, sizeof(presented));
		bool other = presented.serial % 8 == 7;
		CHECK_INT(presented.scanout, other ? 1 + presented.serial % 5 : 0);
		int64_t *last = other ? &last_of_others : &last_of_first;
		CHECK((int64_t)presented.serial > *last);
		*last = (int64_t)presented.serial;
	}
	peer_expect_silence(&peer, 50);
	peer_check_shows(&peer, &picture, "after many flushes");
	picture_destroy(&picture);
	peer_stop(&peer);
}

static void send_with_fd(struct peer *peer, const struct view_buffer *buffer, int fd) {
	CHECK_INT(channel_send(&peer->channel, VIEW_REQUEST_ADD_BUFFER, buffer, sizeof(*buffer), NULL,
		0, &fd, 1), 0);
}

/* What a guest may bring about must be answered, shown as black, and survived. */
static void test_hostile_guest(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture good;
	simple_picture(&peer, &good);
	const uint32_t size = WIDTH * 4 * HEIGHT;

	const struct {
		const char *what;
		struct view_scanout scanout;
	} bad[] = {
		{"unknown buffer", {.buffer_id = 999, .format = 2, .stride = 640, .width = 8, .height = 8}},
		{"unknown format", {.format = 3000, .stride = 640, .width = 8, .height = 8}},
		{"format 0", {.format = 0, .stride = 640, .width = 8, .height = 8}},
		{"no width", {.format = 2, .stride = 640, .height = 8}},
		{"no height", {.format = 2, .stride = 640, .width = 8}},
		{"odd stride", {.format = 2, .stride = 641, .width = 8, .height = 8}},
		{"odd offset", {.format = 2, .stride = 640, .offset = 2, .width = 8, .height = 8}},
		{"stride 0", {.format = 2, .width = 8, .height = 8}},
		{"stride less than a line", {.format = 2, .stride = 28, .width = 8, .height = 8}},
		{"a line too many", {.format = 2, .stride = 640, .width = 160, .height = 101}},
		{"a pixel too many", {.format = 2, .stride = 640, .offset = 4, .width = 160,
			.height = 100}},
		{"offset behind the end", {.format = 2, .stride = 640, .offset = size, .width = 1,
			.height = 1}},
		{"largest offset", {.format = 2, .stride = 640, .offset = UINT32_MAX - 3, .width = 1,
			.height = 1}},
		{"largest all", {.format = 2, .stride = UINT32_MAX - 3, .offset = UINT32_MAX - 3,
			.x = UINT32_MAX, .y = UINT32_MAX, .width = UINT32_MAX, .height = UINT32_MAX}},
		{"sums that wrap", {.format = 2, .stride = 640, .x = UINT32_MAX, .y = UINT32_MAX,
			.width = 1, .height = 1}},
		{"products that wrap", {.format = 2, .stride = UINT32_MAX - 3, .y = UINT32_MAX, .width = 1,
			.height = 1}},
		{"too wide", {.format = 2, .stride = UINT32_MAX - 3, .width = 1 << 20, .height = 1}},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		peer_set_scanout(&peer, &good);
		peer_flush(&peer);
		struct view_scanout scanout = bad[i].scanout;
		scanout.buffer_id = scanout.buffer_id ? scanout.buffer_id : good.id;
		peer_send(&peer, VIEW_REQUEST_SET_SCANOUT, &scanout, sizeof(scanout));
		peer_flush(&peer);
		peer_check_shows(&peer, NULL, bad[i].what);
	}
	peer_set_scanout(&peer, &good);
	peer_flush(&peer);

	/* scanouts that there are not */
	for (uint32_t scanout = 1; scanout; scanout = scanout < 64 ? scanout * 2 : 0) {
		const struct view_flush flush = {.serial = scanout, .scanout = scanout};
		peer_send(&peer, VIEW_REQUEST_FLUSH, &flush, sizeof(flush));
		struct view_presented presented;
		peer_expect(&peer, VIEW_EVENT_PRESENTED, &presented, sizeof(presented));
		CHECK_INT(presented.serial, scanout);
		CHECK_INT(presented.scanout, scanout);
	}
	const struct view_scanout far_scanout = {.buffer_id = good.id, .scanout = UINT32_MAX};
	peer_send(&peer, VIEW_REQUEST_SET_SCANOUT, &far_scanout, sizeof(far_scanout));

	/* buffers that are none */
	size_t fds_before = process_fd_count(peer.pid);
	send_with_fd(&peer, &(struct view_buffer){.buffer_id = 0, .size = 4096}, good.memory.fd);
	send_with_fd(&peer, &(struct view_buffer){.buffer_id = good.id, .size = 4096}, good.memory.fd);
	send_with_fd(&peer, &(struct view_buffer){.buffer_id = 50, .size = 0}, good.memory.fd);
	send_with_fd(&peer, &(struct view_buffer){.buffer_id = 51, .size = UINT64_MAX}, good.memory.fd);
	send_with_fd(&peer, &(struct view_buffer){.buffer_id = 52, .size = good.memory.size + 1},
		good.memory.fd);
	int null_fd = open("/dev/null", O_RDWR);
	CHECK(null_fd >= 0);
	send_with_fd(&peer, &(struct view_buffer){.buffer_id = 53, .size = 4096}, null_fd);
	close(null_fd);
	FILE *file = tmpfile();
	CHECK(file && ftruncate(fileno(file), 1 << 20) == 0);
	send_with_fd(&peer, &(struct view_buffer){.buffer_id = 54, .size = 1 << 20}, fileno(file));
	/* not every system can tell a file from shared memory */
	struct shmem taken;
	const bool file_is_taken = shmem_import(&taken, fd_dup(fileno(file)), 1 << 20) == 0;
	shmem_finish(&taken);
	fclose(file);
	peer_forget(&peer, 0);
	peer_forget(&peer, 55);
	for (uint64_t id = 50; id < 56; id++) {
		struct view_scanout scanout = {
			.buffer_id = id,
			.format = VIEW_FORMAT_B8G8R8X8,
			.stride = 64,
			.width = 16,
			.height = 16,
		};
		peer_send(&peer, VIEW_REQUEST_SET_SCANOUT, &scanout, sizeof(scanout));
		peer_flush(&peer);
	}
	peer_check_shows(&peer, NULL, "buffers that are none");
	CHECK_INT(process_fd_count(peer.pid), fds_before + file_is_taken);

	/* cursors that are none */
	struct view_cursor cursors[] = {
		{.buffer_id = 999, .stride = 256, .width = 64, .height = 64},
		{.buffer_id = good.id, .stride = 256, .width = 64, .height = 10000},
		{.buffer_id = good.id, .stride = 255, .width = 63, .height = 63},
		{.buffer_id = good.id, .stride = 640, .width = 64, .height = 101},
		{.buffer_id = good.id, .stride = 640, .offset = UINT32_MAX, .width = 64, .height = 64},
		{.buffer_id = good.id, .stride = 640, .width = 0, .height = 64},
		{.buffer_id = good.id, .stride = 640, .width = 64, .height = 64, .x = INT_MIN, .y = INT_MAX,
			.hot_x = UINT32_MAX, .hot_y = UINT32_MAX},
		{.buffer_id = good.id, .stride = 640, .width = 64, .height = 64, .x = INT_MAX, .y = INT_MIN,
			.hot_x = UINT32_MAX, .hot_y = 0},
	};
	peer_set_scanout(&peer, &good);
	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		peer_send(&peer, VIEW_REQUEST_SET_CURSOR, &cursors[i], sizeof(cursors[i]));
		peer_flush(&peer);
	}
	peer_check_shows(&peer, &good, "after all that");
	picture_destroy(&good);
	peer_stop(&peer);
}

/* Nothing of a large sparse buffer but what is shown is imported. */
static void test_large_buffer(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture = {
		.format = VIEW_FORMAT_B8G8R8X8,
		.stride = WIDTH * 4,
		.width = WIDTH,
		.height = HEIGHT,
	};
	const uint64_t size = UINT64_C(64) << 30;
	if (shmem_create(&picture.memory, "large", size) < 0) {
		printf("  no address space for it\n");
		peer_stop(&peer);
		return;
	}
	picture.id = peer.next_id++;
	send_with_fd(&peer, &(struct view_buffer){.buffer_id = picture.id, .size = size},
		picture.memory.fd);
	const uint32_t offsets[] = {0, 3000000000u, 1u << 20, UINT32_MAX - 3, 3000000000u};
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		picture.offset = offsets[i];
		for (uint32_t p = 0; p < WIDTH * HEIGHT; p++) {
			picture_set_pixel(&picture, p % WIDTH, p / WIDTH, (uint8_t)p, (uint8_t)(p >> 8),
				(uint8_t)i, 0);
		}
		peer_set_scanout(&peer, &picture);
		peer_flush(&peer);
		peer_check_shows(&peer, &picture, "part of a large buffer");
	}
	/* more than is ever imported */
	picture.stride = UINT32_C(1) << 28;
	peer_set_scanout(&peer, &picture);
	peer_flush(&peer);
	peer_check_shows(&peer, NULL, "an image of too large a stride");
	picture_destroy(&picture);
	peer_stop(&peer);
}

static void test_nothing_leaks(void) {
	struct peer peer;
	peer_start(&peer, &options);
	size_t fds = 0, mappings = 0;
	for (int round = 0; round < 4; round++) {
		struct picture pictures[40];
		for (int i = 0; i < 40; i++) {
			simple_picture(&peer, &pictures[i]);
			pictures[i].height = HEIGHT / 2 + (uint32_t)i; /* a texture of its own */
			peer_set_scanout(&peer, &pictures[i]);
			peer_flush(&peer);
		}
		for (int i = 0; i < 40; i++) {
			peer_forget(&peer, pictures[i].id);
			picture_destroy(&pictures[i]);
		}
		peer_flush(&peer);
		if (round == 1) {
			fds = process_fd_count(peer.pid);
			mappings = process_mapping_count(peer.pid);
		}
	}
	CHECK_INT(process_fd_count(peer.pid), fds);
	/* the allocator's own may come and go */
	CHECK(process_mapping_count(peer.pid) < mappings + 20);
	peer_stop(&peer);
}

static void test_idle(void) {
	if (TEST_UNDER_TSAN) {
		printf("  the sanitizer's own thread wakes up\n");
		return;
	}
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture;
	simple_picture(&peer, &picture);
	peer_set_scanout(&peer, &picture);
	peer_flush(&peer);
	clock_sleep(200 * CLOCK_NS_PER_MS);
	uint64_t before = process_switches(peer.pid);
	if (before == 0) {
		printf("  no /proc here\n");
	}
	clock_sleep(500 * CLOCK_NS_PER_MS);
	uint64_t after = process_switches(peer.pid);
	printf("  woke up %" PRIu64 " times in 500 ms\n", after - before);
	CHECK(after - before <= 2);
	picture_destroy(&picture);
	peer_stop(&peer);
}

static void test_signals_end_it(void) {
	const int signals[] = {SIGTERM, SIGINT};
	for (int i = 0; i < 2; i++) {
		struct peer peer;
		peer_start(&peer, &options);
		CHECK_INT(kill(peer.pid, signals[i]), 0);
		CHECK_INT(peer_wait(&peer), 0);
	}
}

static void test_broken_peer(void) {
	struct peer peer;
	const struct view_flush flush = {.serial = 1};
	const struct {
		uint32_t type;
		size_t size;
	} messages[] = {
		{0, 0}, {99, 0}, {VIEW_REQUEST_FLUSH, sizeof(flush) - 1}, {VIEW_REQUEST_FLUSH, 0},
		{VIEW_REQUEST_ADD_BUFFER, sizeof(struct view_buffer)}, /* without its descriptor */
	};
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		peer_start(&peer, &options);
		peer_send(&peer, messages[i].type, &flush, messages[i].size);
		CHECK_INT(peer_wait(&peer), 1);
	}

	/* garbage instead of a header */
	peer_start(&peer, &options);
	uint32_t garbage[64];
	memset(garbage, 0xa5, sizeof(garbage));
	CHECK(write(peer.channel.fd, garbage, sizeof(garbage)) == sizeof(garbage));
	CHECK_INT(peer_wait(&peer), 1);

	/* the end in the middle of a message is not one in order */
	peer_start(&peer, &options);
	CHECK(write(peer.channel.fd, "\4\0\0", 3) == 3);
	channel_finish(&peer.channel);
	CHECK_INT(peer_wait(&peer), 1);
}

int main(int argc, char **argv) {
	if (argc < 3 || argv[2][0] == '\0') {
		printf("no lavapipe here\n");
		return TEST_SKIPPED;
	}
	setenv("VK_DRIVER_FILES", argv[2], 1);
	setenv("VK_ICD_FILENAMES", argv[2], 1);
	signal(SIGPIPE, SIG_IGN);
	options.program = argv[1];
	options.validate = argc > 3 && strcmp(argv[3], "--validate") == 0;

	RUN(test_formats_and_layouts);
	RUN(test_damage);
	RUN(test_answer_frees_memory);
	RUN(test_dark);
	RUN(test_cursor);
	RUN(test_scaling);
	RUN(test_many_flushes);
	RUN(test_hostile_guest);
	RUN(test_large_buffer);
	RUN(test_nothing_leaks);
	RUN(test_idle);
	if (!options.validate) {
		RUN(test_signals_end_it);
		RUN(test_broken_peer);
	}
	return 0;
}
