/* SPDX-License-Identifier: MIT */
/*
 * test_window VENERA-VIEW ICD.json [--validate]: venera-view's window, on an X server of our own
 * whose screen is a file that we can look into. Skipped where there is no Xvfb.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/socket.h"

#include "../unit/test.h"
#include "peer.h"

#define WIDTH 320
#define HEIGHT 200
#define SCREEN_WIDTH 800
#define SCREEN_HEIGHT 600

static struct peer_options options = {.width = WIDTH, .height = HEIGHT, .window = true};

static struct {
	pid_t pid;
	char folder[256];
	const uint8_t *pixels; /* blue, green, red, nothing */
	uint32_t stride;
} screen;

static void stop_screen(void) {
	if (screen.pid > 0) {
		process_terminate(screen.pid, 2000);
	}
	char file[300];
	snprintf(file, sizeof(file), "%s/Xvfb_screen0", screen.folder);
	unlink(file);
	rmdir(screen.folder);
}

static uint32_t big_endian(const uint8_t *bytes, size_t word) {
	bytes += word * 4;
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Maps the file that Xvfb keeps its screen in: an XWD dump. */
static void map_screen(void) {
	char path[300];
	snprintf(path, sizeof(path), "%s/Xvfb_screen0", screen.folder);
	FILE *file = fopen(path, "rb");
	CHECK(file);
	struct stat status;
	CHECK_INT(fstat(fileno(file), &status), 0);
	void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fileno(file), 0);
	CHECK(data != MAP_FAILED);
	fclose(file);

	enum { HEADER_SIZE = 0, IMAGE_WIDTH = 4, IMAGE_HEIGHT = 5, BYTE_ORDER_ = 7, BITS = 11,
		BYTES_PER_LINE = 12, COLORS = 19, COLOR_SIZE = 12 };
	const uint8_t *bytes = data;
	CHECK_INT(big_endian(bytes, IMAGE_WIDTH), SCREEN_WIDTH);
	CHECK_INT(big_endian(bytes, IMAGE_HEIGHT), SCREEN_HEIGHT);
	CHECK_INT(big_endian(bytes, BITS), 32);
	CHECK_INT(big_endian(bytes, BYTE_ORDER_), 0);
	screen.stride = big_endian(bytes, BYTES_PER_LINE);
	screen.pixels = bytes + big_endian(bytes, HEADER_SIZE)
		+ (size_t)big_endian(bytes, COLORS) * COLOR_SIZE;
}

static bool start_screen(void) {
	char *program = process_find_program("Xvfb");
	if (!program) {
		return false;
	}
	const char *temporary = getenv("TMPDIR");
	snprintf(screen.folder, sizeof(screen.folder), "%s/venera-test-screen.XXXXXX",
		temporary ? temporary : "/tmp");
	CHECK(mkdtemp(screen.folder));
	int pipe_fds[2];
	CHECK_INT(pipe(pipe_fds), 0);
	char fd_text[16], geometry[32];
	snprintf(fd_text, sizeof(fd_text), "%d", pipe_fds[1]);
	snprintf(geometry, sizeof(geometry), "%dx%dx24", SCREEN_WIDTH, SCREEN_HEIGHT);
	const char *const argv[] = {"Xvfb", "-displayfd", fd_text, "-screen", "0", geometry, "-fbdir",
		screen.folder, "-nolisten", "tcp", "-noreset", NULL};
	struct process_options process = PROCESS_OPTIONS_DEFAULT;
	process.path = program;
	process.argv = argv;
	process.fds = &pipe_fds[1];
	process.fd_count = 1;
	screen.pid = process_spawn(&process);
	CHECK(screen.pid > 0);
	atexit(stop_screen);
	free(program);
	close(pipe_fds[1]);

	/* it says the number of its display, and a newline, when it is ready */
	char display[16] = ":";
	size_t length = 1;
	while (length < sizeof(display) - 1 && read(pipe_fds[0], display + length, 1) == 1
			&& display[length] != '\n') {
		length++;
	}
	CHECK(length > 1 && display[length] == '\n');
	display[length] = '\0';
	close(pipe_fds[0]);
	setenv("DISPLAY", display, 1);
	unsetenv("WAYLAND_DISPLAY");
	map_screen();
	return true;
}

static void grab(struct image *image, uint32_t width, uint32_t height) {
	image_create(image, width, height);
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			const uint8_t *pixel = screen.pixels + (size_t)y * screen.stride + (size_t)x * 4;
			image->pixels[(size_t)y * width + x] =
				pixel[2] | (uint32_t)pixel[1] << 8 | (uint32_t)pixel[0] << 16;
		}
	}
}

static bool images_equal(const struct image *a, const struct image *b) {
	return memcmp(a->pixels, b->pixels, (size_t)a->width * a->height * sizeof(a->pixels[0])) == 0;
}

/*
 * What is really on the screen, where nobody manages windows and ours lies in the corner, must
 * become what is expected: presenting hands a frame to the X server, which takes its time.
 */
static void check_screen(const struct image *expected, const char *what) {
	struct image shown;
	uint64_t give_up = clock_now() + 3 * CLOCK_NS_PER_S;
	for (;;) {
		grab(&shown, expected->width, expected->height);
		if (images_equal(&shown, expected) || clock_now() > give_up) {
			break;
		}
		image_destroy(&shown);
		clock_sleep(5 * CLOCK_NS_PER_MS);
	}
	image_check_equal(&shown, expected, 0, what);
	image_destroy(&shown);
}

static void check_screen_is_screenshot(struct peer *peer, const char *what) {
	struct image image;
	peer_screenshot(peer, &image);
	check_screen(&image, what);
	image_destroy(&image);
}

static void create_picture(
	struct peer *peer, struct picture *picture, uint32_t width, uint32_t height, uint32_t format) {
	*picture = (struct picture){
		.format = format,
		.stride = width * 4,
		.width = width,
		.height = height,
	};
	picture_create(peer, picture, (uint64_t)width * 4 * height);
}

/* Runs xdotool on the one window of the display. */
static bool xdotool(const char *command, const char *a, const char *b) {
	char *program = process_find_program("xdotool");
	if (!program) {
		return false;
	}
	const char *const argv[] = {"xdotool", "search", "--onlyvisible", "--name", "view under test",
		command, a, b, NULL};
	struct process_options process = PROCESS_OPTIONS_DEFAULT;
	process.path = program;
	process.argv = argv;
	pid_t pid = process_spawn(&process);
	CHECK(pid > 0);
	int status;
	CHECK_INT(process_wait(pid, 10000, &status), 1);
	free(program);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_window_shows_the_picture(void) {
	static const uint32_t formats[] = {
		VIEW_FORMAT_B8G8R8X8, VIEW_FORMAT_B8G8R8A8, VIEW_FORMAT_R8G8B8X8, VIEW_FORMAT_X8R8G8B8,
		VIEW_FORMAT_A8B8G8R8,
	};
	struct peer peer;
	peer_start(&peer, &options);
	CHECK_INT(peer.hello.width, WIDTH);
	CHECK_INT(peer.hello.height, HEIGHT);
	printf("  refresh: %" PRIu32 " mHz\n", peer.hello.refresh_mhz);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct picture picture;
		create_picture(&peer, &picture, WIDTH, HEIGHT, formats[i]);
		peer_set_scanout(&peer, &picture);
		peer_flush(&peer);
		struct image expected;
		image_create(&expected, WIDTH, HEIGHT);
		image_draw_picture(&expected, &picture);
		check_screen(&expected, "picture in the window");
		image_destroy(&expected);
		check_screen_is_screenshot(&peer, "screenshot of the window");
		peer_forget(&peer, picture.id);
		picture_destroy(&picture);
	}
	/* forgotten: dark, without a flush */
	struct image black;
	image_create(&black, WIDTH, HEIGHT);
	check_screen(&black, "dark window");
	image_destroy(&black);
	peer_stop(&peer);
}

static void test_cursor_moves_without_flushes(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture below, cursor;
	create_picture(&peer, &below, WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);
	create_picture(&peer, &cursor, 64, 64, VIEW_FORMAT_B8G8R8A8);
	for (uint32_t i = 0; i < 64 * 64; i++) {
		picture_set_pixel(&cursor, i % 64, i / 64, 255, 0, (uint8_t)i, 255);
	}
	peer_set_scanout(&peer, &below);
	peer_flush(&peer);
	struct view_cursor place = {
		.buffer_id = cursor.id,
		.stride = 64 * 4,
		.width = 64,
		.height = 64,
	};
	peer_send(&peer, VIEW_REQUEST_SET_CURSOR, &place, sizeof(place));
	for (int32_t i = 0; i <= 100; i++) {
		place.x = i * 2;
		place.y = i;
		peer_send(&peer, VIEW_REQUEST_MOVE_CURSOR, &place, sizeof(place));
	}
	struct image expected;
	image_create(&expected, WIDTH, HEIGHT);
	image_draw_picture(&expected, &below);
	image_draw_cursor(&expected, &cursor, 200, 100, &below);
	check_screen(&expected, "moved cursor");
	place.buffer_id = 0;
	peer_send(&peer, VIEW_REQUEST_SET_CURSOR, &place, sizeof(place));
	image_draw_picture(&expected, &below);
	check_screen(&expected, "hidden cursor");
	image_destroy(&expected);
	picture_destroy(&below);
	picture_destroy(&cursor);
	peer_stop(&peer);
}

/* Xvfb takes frames as fast as they come; in FIFO mode the guest has to be held back anyway. */
static void test_flush_pace(void) {
	const char *const modes[] = {"--present-mode=fifo", "--present-mode=immediate"};
	for (int mode = 0; mode < 2; mode++) {
		const char *const more[] = {modes[mode], NULL};
		struct peer_options paced = options;
		paced.more = more;
		struct peer peer;
		peer_start(&peer, &paced);
		struct picture picture;
		create_picture(&peer, &picture, WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);
		peer_set_scanout(&peer, &picture);
		peer_flush(&peer);
		uint64_t begin = clock_now();
		enum { FRAMES = 30 };
		for (int i = 0; i < FRAMES; i++) {
			peer_flush(&peer);
		}
		uint64_t took = clock_now() - begin;
		printf("  %s: %.1f frames a second\n", modes[mode], FRAMES * 1e9 / (double)took);
		CHECK(took < 5 * CLOCK_NS_PER_S);
		if (mode == 0 && peer.hello.refresh_mhz == 0) { /* then 60 Hz are taken */
			CHECK(took > (FRAMES - 1) * CLOCK_NS_PER_S / 60 / 10 * 9);
		}
		picture_destroy(&picture);
		peer_stop(&peer);
	}
}

/*
 * What the window shows in the end of many small changes is the same as what a screenshot shows,
 * which is drawn anew: of no image of the swapchain was a part left old.
 */
static void check_small_changes(uint32_t width, uint32_t height, uint32_t format) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture, cursor;
	create_picture(&peer, &picture, width, height, format);
	create_picture(&peer, &cursor, 16, 16, VIEW_FORMAT_B8G8R8A8);
	for (uint32_t i = 0; i < 16 * 16; i++) {
		picture_set_pixel(&cursor, i % 16, i / 16, 128, 64, 0, 128);
	}
	peer_set_scanout(&peer, &picture);
	peer_flush(&peer);
	struct view_cursor place = {
		.buffer_id = cursor.id,
		.stride = 16 * 4,
		.width = 16,
		.height = 16,
	};
	peer_send(&peer, VIEW_REQUEST_SET_CURSOR, &place, sizeof(place));
	uint32_t random = 1;
	for (uint32_t i = 0; i < 60; i++) {
		random = random * 1103515245 + 12345;
		const uint32_t x = (random >> 8) % (width - 10), y = (random >> 16) % (height - 10);
		for (uint32_t j = 0; j < 10 * 10; j++) {
			picture_set_pixel(&picture, x + j % 10, y + j / 10, (uint8_t)(random >> 4),
				(uint8_t)(random >> 12), (uint8_t)j, 255);
		}
		place.x = (int32_t)(x % 300) - 5;
		place.y = (int32_t)(y % 200) + 5;
		peer_send(&peer, VIEW_REQUEST_MOVE_CURSOR, &place, sizeof(place));
		peer_flush_rect(&peer, x, y, 10, 10);
		if (i % 20 == 19) {
			check_screen_is_screenshot(&peer, "small changes");
		}
	}
	picture_destroy(&picture);
	picture_destroy(&cursor);
	peer_stop(&peer);
}

static void test_small_changes(void) {
	check_small_changes(WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);          /* copied */
	check_small_changes(WIDTH - 31, HEIGHT - 20, VIEW_FORMAT_B8G8R8X8); /* scaled */
	check_small_changes(WIDTH, HEIGHT, VIEW_FORMAT_X8B8G8R8);          /* drawn */
	check_small_changes(WIDTH, HEIGHT / 2, VIEW_FORMAT_B8G8R8X8);      /* black above and below */
}

/* Flushes are told when they were shown, and what it took. */
static void test_presented(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture;
	create_picture(&peer, &picture, WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);
	peer_set_scanout(&peer, &picture);
	uint64_t last = clock_now();
	for (uint64_t i = 1; i <= 10; i++) {
		const struct view_flush flush = {.serial = i, .width = WIDTH, .height = HEIGHT};
		peer_send(&peer, VIEW_REQUEST_FLUSH, &flush, sizeof(flush));
		struct view_presented presented;
		peer_expect(&peer, VIEW_EVENT_PRESENTED, &presented, sizeof(presented));
		CHECK_INT(presented.serial, i);
		CHECK(presented.presented_at > last && presented.presented_at <= clock_now());
		CHECK(presented.blits >= 1);
		last = presented.presented_at;
	}
	picture_destroy(&picture);
	peer_stop(&peer);
}

static void test_full_screen_key(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture;
	create_picture(&peer, &picture, WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);
	peer_set_scanout(&peer, &picture);
	peer_flush(&peer);
	if (xdotool("key", "ctrl+alt+f", NULL)) {
		struct view_resize resize;
		peer_expect(&peer, VIEW_EVENT_RESIZE, &resize, sizeof(resize));
		CHECK_INT(resize.width, SCREEN_WIDTH);
		CHECK_INT(resize.height, SCREEN_HEIGHT);
		check_screen_is_screenshot(&peer, "full screen");
		CHECK(xdotool("key", "ctrl+alt+f", NULL));
		peer_expect(&peer, VIEW_EVENT_RESIZE, &resize, sizeof(resize));
		CHECK_INT(resize.width, WIDTH);
		CHECK_INT(resize.height, HEIGHT);
	} else {
		printf("  no xdotool here\n");
	}
	picture_destroy(&picture);
	peer_stop(&peer);
}

static void test_resize(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture;
	create_picture(&peer, &picture, WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);
	peer_set_scanout(&peer, &picture);
	peer_flush(&peer);
	if (!xdotool("windowsize", "500", "420")) {
		printf("  no xdotool here\n");
		picture_destroy(&picture);
		peer_stop(&peer);
		return;
	}
	xdotool("windowsize", "480", "400");
	/* told once, when it is still */
	struct view_resize resize;
	peer_expect(&peer, VIEW_EVENT_RESIZE, &resize, sizeof(resize));
	if (resize.width == 500) { /* xdotool took its time */
		peer_expect(&peer, VIEW_EVENT_RESIZE, &resize, sizeof(resize));
	}
	CHECK_INT(resize.width, 480);
	CHECK_INT(resize.height, 400);
	peer_expect_silence(&peer, 150);
	/* the old picture is scaled to the new size, without a flush: black above and below */
	check_screen_is_screenshot(&peer, "scaled picture");
	struct image shown;
	peer_screenshot(&peer, &shown);
	CHECK_INT(shown.width, 480);
	CHECK_INT(shown.height, 400);
	CHECK_INT(image_pixel(&shown, 240, 49), 0);
	CHECK_INT(image_pixel(&shown, 240, 350), 0);
	CHECK(image_pixel(&shown, 0, 50) == picture_pixel(&picture, 0, 0));
	CHECK(image_pixel(&shown, 479, 349) == picture_pixel(&picture, WIDTH - 1, HEIGHT - 1));
	image_destroy(&shown);

	/* the guest follows */
	peer.hello.width = 480;
	peer.hello.height = 400;
	struct picture larger;
	create_picture(&peer, &larger, 480, 400, VIEW_FORMAT_B8G8R8X8);
	peer_set_scanout(&peer, &larger);
	peer_flush(&peer);
	peer_check_shows(&peer, &larger, "new mode");
	check_screen_is_screenshot(&peer, "new mode in the window");

	/* flushes go on being answered while the window changes all the time */
	for (int i = 0; i < 10; i++) {
		char width[16], height[16];
		snprintf(width, sizeof(width), "%d", 200 + i * 37 % 200);
		snprintf(height, sizeof(height), "%d", 100 + i * 91 % 300);
		struct view_flush flush = {.width = 480, .height = 400};
		for (int j = 0; j < 5; j++) {
			flush.serial = (uint64_t)(i * 5 + j);
			peer_send(&peer, VIEW_REQUEST_FLUSH, &flush, sizeof(flush));
		}
		CHECK(xdotool("windowsize", width, height));
	}
	xdotool("windowsize", "480", "400");
	uint64_t expected = 0;
	while (expected < 50) {
		struct channel_message message;
		CHECK_INT(channel_recv(&peer.channel, &message), 1);
		if (message.type == VIEW_EVENT_PRESENTED) {
			const struct view_presented *presented = message.body;
			CHECK_INT(presented->serial, expected++);
		} else {
			CHECK_INT(message.type, VIEW_EVENT_RESIZE);
		}
	}
	/* it has heard of the last size when it has been still for a while */
	struct pollfd pollfd = {.fd = peer.channel.fd, .events = POLLIN};
	while (poll(&pollfd, 1, 300) > 0) {
		struct channel_message message;
		CHECK_INT(channel_recv(&peer.channel, &message), 1);
		CHECK_INT(message.type, VIEW_EVENT_RESIZE);
	}
	check_screen_is_screenshot(&peer, "after many sizes");
	picture_destroy(&picture);
	picture_destroy(&larger);
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
	create_picture(&peer, &picture, WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);
	peer_set_scanout(&peer, &picture);
	peer_flush(&peer);
	clock_sleep(500 * CLOCK_NS_PER_MS);
	uint64_t before = process_switches(peer.pid);
	clock_sleep(CLOCK_NS_PER_S);
	uint64_t after = process_switches(peer.pid);
	printf("  woke up %" PRIu64 " times in 1 s\n", after - before);
	CHECK(after - before <= 4);
	picture_destroy(&picture);
	peer_stop(&peer);
}

static void x_write(int fd, const void *data, size_t size) {
	CHECK(write(fd, data, size) == (ssize_t)size);
}

static void x_read(int fd, void *data, size_t size) {
	for (size_t got = 0; got < size;) {
		ssize_t n = read(fd, (uint8_t *)data + got, size - got);
		CHECK(n > 0);
		got += (size_t)n;
	}
}

static uint32_t x_intern_atom(int fd, const char *name) {
	uint8_t request[64] = {16, 0};
	uint16_t length = (uint16_t)strlen(name);
	uint16_t words = (uint16_t)(2 + (length + 3) / 4);
	memcpy(request + 2, &words, 2);
	memcpy(request + 4, &length, 2);
	memcpy(request + 8, name, length);
	x_write(fd, request, words * (size_t)4);
	uint32_t reply[8];
	x_read(fd, reply, sizeof(reply));
	return reply[2];
}

/* A connection to the display and the windows on it, most of which nobody sees. */
struct x_display {
	int fd;
	uint32_t windows[64];
	uint32_t window_count;
};

static void x_open(struct x_display *display) {
	char path[64];
	snprintf(path, sizeof(path), "/tmp/.X11-unix/X%s", getenv("DISPLAY") + 1);
	display->fd = socket_connect(path);
	CHECK(display->fd >= 0);
	const uint16_t one = 1;
	const bool little = *(const uint8_t *)&one;
	const uint8_t hello[12] = {little ? 'l' : 'B', 0, little ? 11 : 0, little ? 0 : 11};
	x_write(display->fd, hello, sizeof(hello));
	uint16_t head[4];
	x_read(display->fd, head, sizeof(head));
	uint8_t accepted;
	memcpy(&accepted, head, 1);
	CHECK_INT(accepted, 1);
	static uint8_t setup[65536 * 4];
	x_read(display->fd, setup, head[3] * (size_t)4);
	uint16_t vendor_length;
	memcpy(&vendor_length, setup + 16, 2);
	const size_t formats = setup[21];
	uint32_t root;
	memcpy(&root, setup + 32 + (vendor_length + 3) / 4 * 4 + formats * 8, 4);

	uint8_t query_tree[8] = {15};
	const uint16_t words = sizeof(query_tree) / 4;
	memcpy(query_tree + 2, &words, 2);
	memcpy(query_tree + 4, &root, 4);
	x_write(display->fd, query_tree, sizeof(query_tree));
	uint32_t tree[8];
	x_read(display->fd, tree, sizeof(tree));
	display->window_count = tree[1];
	CHECK(display->window_count > 0 && display->window_count <= 64);
	x_read(display->fd, display->windows, display->window_count * sizeof(uint32_t));
}

static void x_close(struct x_display *display) {
	x_intern_atom(display->fd, "WM_STATE"); /* all has been received when this is answered */
	close(display->fd);
}

/*
 * No tool does these two where there is no window manager. What one does when its close button is
 * pressed: it asks the client, by a message WM_DELETE_WINDOW, to close.
 */
static void press_close_button(void) {
	struct x_display display;
	x_open(&display);
	const uint32_t protocols = x_intern_atom(display.fd, "WM_PROTOCOLS");
	const uint32_t delete_window = x_intern_atom(display.fd, "WM_DELETE_WINDOW");
	for (uint32_t i = 0; i < display.window_count; i++) {
		uint8_t send_event[44] = {25};
		const uint16_t words = sizeof(send_event) / 4;
		memcpy(send_event + 2, &words, 2);
		memcpy(send_event + 4, &display.windows[i], 4);
		send_event[12] = 33; /* ClientMessage */
		send_event[13] = 32; /* bits of its data's units */
		memcpy(send_event + 16, &display.windows[i], 4);
		memcpy(send_event + 20, &protocols, 4);
		memcpy(send_event + 24, &delete_window, 4);
		x_write(display.fd, send_event, sizeof(send_event));
	}
	x_close(&display);
}

/* What one notes on a window that it minimised (3), or that it shows again (1). */
static void set_wm_state(uint32_t state) {
	struct x_display display;
	x_open(&display);
	const uint32_t wm_state = x_intern_atom(display.fd, "WM_STATE");
	for (uint32_t i = 0; i < display.window_count; i++) {
		uint8_t change_property[32] = {18};
		const uint16_t words = sizeof(change_property) / 4;
		const uint32_t items = 2;
		memcpy(change_property + 2, &words, 2);
		memcpy(change_property + 4, &display.windows[i], 4);
		memcpy(change_property + 8, &wm_state, 4);
		memcpy(change_property + 12, &wm_state, 4);
		change_property[16] = 32; /* bits of an item */
		memcpy(change_property + 20, &items, 4);
		memcpy(change_property + 24, &state, 4);
		x_write(display.fd, change_property, sizeof(change_property));
	}
	x_close(&display);
}

static void test_minimised(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture first, second;
	create_picture(&peer, &first, WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);
	create_picture(&peer, &second, WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);
	peer_set_scanout(&peer, &first);
	peer_flush(&peer);
	check_screen_is_screenshot(&peer, "before");

	set_wm_state(3);
	clock_sleep(100 * CLOCK_NS_PER_MS);
	struct image before;
	grab(&before, WIDTH, HEIGHT);
	/* answered in the monitor's time, and copied, but not drawn */
	uint64_t begin = clock_now();
	peer_set_scanout(&peer, &second);
	enum { FRAMES = 30 };
	for (int i = 0; i < FRAMES; i++) {
		peer_flush(&peer);
	}
	uint64_t took = clock_now() - begin;
	printf("  %.1f frames a second while minimised\n", FRAMES * 1e9 / (double)took);
	CHECK(took > (FRAMES - 2) * CLOCK_NS_PER_S / 60);
	CHECK(took < 5 * CLOCK_NS_PER_S);
	struct image after;
	grab(&after, WIDTH, HEIGHT);
	image_check_equal(&after, &before, 0, "while minimised");
	image_destroy(&before);
	image_destroy(&after);
	peer_check_shows(&peer, &second, "screenshot while minimised");

	/* comes back with what was flushed last, and with nothing that came after it */
	struct image expected;
	image_create(&expected, WIDTH, HEIGHT);
	image_draw_picture(&expected, &second);
	picture_fill_noise(&second, 4711);
	set_wm_state(1);
	check_screen(&expected, "shown again");
	image_destroy(&expected);
	picture_destroy(&first);
	picture_destroy(&second);
	peer_stop(&peer);
}

static void test_closing_ends_it(void) {
	struct peer peer;
	peer_start(&peer, &options);
	struct picture picture; /* the window is there when a flush is answered */
	create_picture(&peer, &picture, WIDTH, HEIGHT, VIEW_FORMAT_B8G8R8X8);
	peer_set_scanout(&peer, &picture);
	peer_flush(&peer);
	picture_destroy(&picture);
	press_close_button();
	CHECK_INT(peer_wait(&peer), 0);
}

static void test_full_screen(void) {
	const char *const more[] = {"--full-screen", "--present-mode=immediate", NULL};
	struct peer_options full = options;
	full.more = more;
	struct peer peer;
	peer_start(&peer, &full);
	CHECK_INT(peer.hello.width, SCREEN_WIDTH);
	CHECK_INT(peer.hello.height, SCREEN_HEIGHT);
	struct picture picture;
	create_picture(&peer, &picture, SCREEN_WIDTH, SCREEN_HEIGHT, VIEW_FORMAT_B8G8R8X8);
	peer_set_scanout(&peer, &picture);
	peer_flush(&peer);
	check_screen_is_screenshot(&peer, "full screen");
	picture_destroy(&picture);
	peer_stop(&peer);
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
	static const char *const more[] = {"--title=view under test", NULL};
	options.more = more;
	if (!start_screen()) {
		printf("no Xvfb here\n");
		return TEST_SKIPPED;
	}

	RUN(test_window_shows_the_picture);
	RUN(test_cursor_moves_without_flushes);
	RUN(test_flush_pace);
	RUN(test_small_changes);
	RUN(test_presented);
	RUN(test_full_screen_key);
	RUN(test_resize);
	RUN(test_minimised);
	RUN(test_idle);
	RUN(test_closing_ends_it);
	RUN(test_full_screen);
	return 0;
}
