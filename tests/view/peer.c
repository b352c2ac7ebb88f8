/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <png.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/socket.h"

#include "../unit/test.h"
#include "peer.h"

#define PATIENCE_MS 10000

void peer_start(struct peer *peer, const struct peer_options *options) {
	static int counter;
	*peer = (struct peer){.next_id = 1, .next_serial = 1000};
	const char *folder = getenv("TMPDIR");
	snprintf(peer->screenshot, sizeof(peer->screenshot), "%s/venera-test-view.%ld.%d.png",
		folder ? folder : "/tmp", (long)getpid(), counter++);

	int fds[2];
	CHECK_INT(socket_pair(fds), 0);
	char fd_arg[32], size_arg[64], screenshot_arg[300];
	snprintf(fd_arg, sizeof(fd_arg), "--fd=%d", fds[1]);
	snprintf(size_arg, sizeof(size_arg), "--size=%" PRIu32 "x%" PRIu32, options->width,
		options->height);
	snprintf(screenshot_arg, sizeof(screenshot_arg), "--screenshot=%s", peer->screenshot);
	const char *argv[16] = {
		"venera-view",
		fd_arg,
		size_arg,
		screenshot_arg,
		options->window ? "--display=window" : "--display=headless",
		"--log-level=warn",
	};
	size_t count = 6;
	if (options->validate) {
		argv[count++] = "--validate";
	}
	for (const char *const *more = options->more; more && *more; more++) {
		argv[count++] = *more;
	}
	CHECK(count < sizeof(argv) / sizeof(argv[0]));

	struct process_options process = PROCESS_OPTIONS_DEFAULT;
	process.path = options->program;
	process.argv = argv;
	process.fds = &fds[1];
	process.fd_count = 1;
	peer->pid = process_spawn(&process);
	CHECK(peer->pid > 0);
	close(fds[1]);
	CHECK_INT(channel_init(&peer->channel, fds[0]), 0);
	peer_expect(peer, VIEW_EVENT_HELLO, &peer->hello, sizeof(peer->hello));
	CHECK_INT(peer->hello.reserved, 0);
}

int peer_wait(struct peer *peer) {
	int status;
	int result = process_wait(peer->pid, PATIENCE_MS, &status);
	if (result == 0) {
		fprintf(stderr, "venera-view does not end\n");
		process_terminate(peer->pid, 0);
		exit(1);
	}
	CHECK_INT(result, 1);
	channel_finish(&peer->channel);
	unlink(peer->screenshot);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void peer_stop(struct peer *peer) {
	channel_finish(&peer->channel);
	CHECK_INT(peer_wait(peer), 0);
}

void peer_send(struct peer *peer, uint32_t type, const void *body, size_t size) {
	CHECK_INT(channel_send(&peer->channel, type, body, size, NULL, 0, NULL, 0), 0);
}

static bool readable(struct peer *peer, int ms) {
	/* nothing is ever left in the channel's own buffer: events are waited for one by one */
	struct pollfd poll_fd = {.fd = peer->channel.fd, .events = POLLIN};
	int ready;
	do {
		ready = poll(&poll_fd, 1, ms);
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}

void peer_expect(struct peer *peer, uint32_t type, void *body, size_t size) {
	if (peer->channel.begin == peer->channel.end && !readable(peer, PATIENCE_MS)) {
		fprintf(stderr, "venera-view does not answer\n");
		process_terminate(peer->pid, 0);
		exit(1);
	}
	struct channel_message message;
	int result = channel_recv(&peer->channel, &message);
	if (result != 1) {
		fprintf(stderr, "venera-view went away (%d)\n", result);
		exit(1);
	}
	CHECK_INT(message.type, type);
	CHECK_INT(message.size, size);
	CHECK_INT(message.fd_count, 0);
	memcpy(body, message.body, size);
}

void peer_expect_silence(struct peer *peer, int ms) {
	CHECK(peer->channel.begin == peer->channel.end);
	CHECK(!readable(peer, ms));
}

/* ---- pictures ---- */

void picture_fill_noise(struct picture *picture, uint32_t seed) {
	uint32_t *words = picture->memory.data;
	uint32_t state = seed * UINT32_C(2654435761) + 1;
	for (size_t i = 0; i < picture->memory.size / sizeof(words[0]); i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		words[i] = state;
	}
}

void picture_create(struct peer *peer, struct picture *picture, uint64_t size) {
	CHECK_INT(shmem_create(&picture->memory, "test-picture", size), 0);
	picture->id = peer->next_id++;
	picture_fill_noise(picture, (uint32_t)picture->id);
	const struct view_buffer buffer = {.buffer_id = picture->id, .size = size};
	CHECK_INT(channel_send(&peer->channel, VIEW_REQUEST_ADD_BUFFER, &buffer, sizeof(buffer), NULL,
		0, &picture->memory.fd, 1), 0);
}

void picture_destroy(struct picture *picture) {
	shmem_finish(&picture->memory);
}

/* At which byte of a pixel are red, green, blue, and alpha or what is there instead. */
static const uint8_t *byte_order(uint32_t format) {
	static const uint8_t bgra[] = {2, 1, 0, 3}, argb[] = {1, 2, 3, 0}, rgba[] = {0, 1, 2, 3},
		abgr[] = {3, 2, 1, 0};
	switch (format) {
	case VIEW_FORMAT_B8G8R8A8:
	case VIEW_FORMAT_B8G8R8X8:
		return bgra;
	case VIEW_FORMAT_A8R8G8B8:
	case VIEW_FORMAT_X8R8G8B8:
		return argb;
	case VIEW_FORMAT_R8G8B8A8:
	case VIEW_FORMAT_R8G8B8X8:
		return rgba;
	default:
		return abgr;
	}
}

static uint8_t *pixel_address(const struct picture *picture, uint32_t x, uint32_t y) {
	return (uint8_t *)picture->memory.data + picture->offset
		+ (size_t)(picture->y + y) * picture->stride + (size_t)(picture->x + x) * 4;
}

uint32_t picture_pixel(const struct picture *picture, uint32_t x, uint32_t y) {
	const uint8_t *bytes = pixel_address(picture, x, y), *order = byte_order(picture->format);
	return bytes[order[0]] | (uint32_t)bytes[order[1]] << 8 | (uint32_t)bytes[order[2]] << 16;
}

void picture_set_pixel(
	struct picture *picture, uint32_t x, uint32_t y, uint8_t r, uint8_t g, uint8_t b, uint8_t a) {
	uint8_t *bytes = pixel_address(picture, x, y);
	const uint8_t *order = byte_order(picture->format);
	bytes[order[0]] = r;
	bytes[order[1]] = g;
	bytes[order[2]] = b;
	bytes[order[3]] = a;
}

void peer_set_scanout(struct peer *peer, const struct picture *picture) {
	const struct view_scanout scanout = {
		.buffer_id = picture->id,
		.format = picture->format,
		.offset = picture->offset,
		.stride = picture->stride,
		.x = picture->x,
		.y = picture->y,
		.width = picture->width,
		.height = picture->height,
	};
	peer_send(peer, VIEW_REQUEST_SET_SCANOUT, &scanout, sizeof(scanout));
}

void peer_forget(struct peer *peer, uint64_t id) {
	const struct view_forget_buffer forget = {.buffer_id = id};
	peer_send(peer, VIEW_REQUEST_FORGET_BUFFER, &forget, sizeof(forget));
}

void peer_flush_rect(struct peer *peer, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
	const struct view_flush flush = {
		.serial = peer->next_serial++,
		.x = x,
		.y = y,
		.width = width,
		.height = height,
	};
	peer_send(peer, VIEW_REQUEST_FLUSH, &flush, sizeof(flush));
	struct view_presented presented;
	peer_expect(peer, VIEW_EVENT_PRESENTED, &presented, sizeof(presented));
	CHECK_INT(presented.serial, flush.serial);
	CHECK_INT(presented.scanout, 0);
}

void peer_flush(struct peer *peer) {
	peer_flush_rect(peer, 0, 0, UINT32_MAX, UINT32_MAX);
}

/* ---- images ---- */

void image_create(struct image *image, uint32_t width, uint32_t height) {
	*image = (struct image){.width = width, .height = height};
	image->pixels = calloc((size_t)width * height, sizeof(image->pixels[0]));
	CHECK(image->pixels);
}

void image_destroy(struct image *image) {
	free(image->pixels);
}

uint32_t image_pixel(const struct image *image, uint32_t x, uint32_t y) {
	return image->pixels[(size_t)y * image->width + x];
}

void peer_screenshot(struct peer *peer, struct image *image) {
	unlink(peer->screenshot);
	CHECK_INT(kill(peer->pid, SIGUSR1), 0);
	uint64_t give_up = clock_now() + PATIENCE_MS * CLOCK_NS_PER_MS;
	while (access(peer->screenshot, R_OK) < 0) { /* it appears when it is whole */
		CHECK(clock_now() < give_up);
		clock_sleep(2 * CLOCK_NS_PER_MS);
	}

	png_image png = {.version = PNG_IMAGE_VERSION};
	CHECK(png_image_begin_read_from_file(&png, peer->screenshot));
	CHECK(!(png.format & PNG_FORMAT_FLAG_ALPHA));
	png.format = PNG_FORMAT_RGBA;
	image_create(image, png.width, png.height);
	uint8_t *bytes = malloc(PNG_IMAGE_SIZE(png));
	CHECK(bytes);
	CHECK(png_image_finish_read(&png, NULL, bytes, 0, NULL));
	for (size_t i = 0; i < (size_t)image->width * image->height; i++) {
		image->pixels[i] = bytes[i * 4] | (uint32_t)bytes[i * 4 + 1] << 8
			| (uint32_t)bytes[i * 4 + 2] << 16;
	}
	free(bytes);
}

void image_draw_picture(struct image *image, const struct picture *picture) {
	CHECK(picture->width == image->width || picture->height == image->height);
	CHECK(picture->width <= image->width && picture->height <= image->height);
	uint32_t left = (image->width - picture->width) / 2;
	uint32_t top = (image->height - picture->height) / 2;
	for (uint32_t y = 0; y < picture->height; y++) {
		for (uint32_t x = 0; x < picture->width; x++) {
			image->pixels[(size_t)(top + y) * image->width + left + x] =
				picture_pixel(picture, x, y);
		}
	}
}

void image_draw_cursor(struct image *image, const struct picture *cursor, int64_t x, int64_t y,
	const struct picture *below) {
	uint32_t left = (image->width - below->width) / 2;
	uint32_t top = (image->height - below->height) / 2;
	for (uint32_t j = 0; j < cursor->height; j++) {
		for (uint32_t i = 0; i < cursor->width; i++) {
			int64_t guest_x = x + i, guest_y = y + j;
			if (guest_x < 0 || guest_y < 0 || guest_x >= below->width
					|| guest_y >= below->height) {
				continue;
			}
			uint32_t *pixel = &image->pixels[(size_t)(top + guest_y) * image->width
				+ left + (size_t)guest_x];
			uint32_t over = picture_pixel(cursor, i, j);
			uint32_t alpha = pixel_address(cursor, i, j)[3];
			uint32_t blended = 0;
			for (int shift = 0; shift < 24; shift += 8) {
				uint32_t value = (over >> shift & 255)
					+ ((*pixel >> shift & 255) * (255 - alpha) + 127) / 255;
				blended |= (value > 255 ? 255 : value) << shift;
			}
			*pixel = blended;
		}
	}
}

void image_check_equal(const struct image *actual, const struct image *expected, int tolerance,
	const char *what) {
	CHECK_INT(actual->width, expected->width);
	CHECK_INT(actual->height, expected->height);
	size_t wrong = 0;
	for (uint32_t y = 0; y < actual->height; y++) {
		for (uint32_t x = 0; x < actual->width; x++) {
			uint32_t a = image_pixel(actual, x, y), b = image_pixel(expected, x, y);
			bool equal = true;
			for (int shift = 0; shift < 24; shift += 8) {
				int difference = (int)(a >> shift & 255) - (int)(b >> shift & 255);
				equal &= abs(difference) <= tolerance;
			}
			if (!equal && wrong++ == 0) {
				fprintf(stderr, "%s: pixel %" PRIu32 ", %" PRIu32 " is %06" PRIx32
					" and not %06" PRIx32 " (blue, green, red)\n", what, x, y, a, b);
			}
		}
	}
	if (wrong) {
		fprintf(stderr, "%s: %zu pixels are wrong\n", what, wrong);
		exit(1);
	}
}

void peer_check_shows(struct peer *peer, const struct picture *picture, const char *what) {
	struct image shown, expected;
	peer_screenshot(peer, &shown);
	image_create(&expected, peer->hello.width, peer->hello.height);
	if (picture) {
		image_draw_picture(&expected, picture);
	}
	image_check_equal(&shown, &expected, 0, what);
	image_destroy(&shown);
	image_destroy(&expected);
}

/* ---- processes ---- */

uint64_t process_switches(pid_t pid) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	DIR *tasks = opendir(path);
	if (!tasks) {
		return 0;
	}
	uint64_t total = 0;
	struct dirent *task;
	while ((task = readdir(tasks))) {
		char file[400], line[200];
		snprintf(file, sizeof(file), "%s/%s/status", path, task->d_name);
		FILE *status = task->d_name[0] == '.' ? NULL : fopen(file, "r");
		while (status && fgets(line, sizeof(line), status)) {
			const char *number = strstr(line, "voluntary_ctxt_switches:");
			if (number) {
				total += strtoull(strchr(number, ':') + 1, NULL, 10);
			}
		}
		if (status) {
			fclose(status);
		}
	}
	closedir(tasks);
	return total;
}

size_t process_fd_count(pid_t pid) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	DIR *folder = opendir(path);
	size_t count = 0;
	while (folder && readdir(folder)) {
		count++;
	}
	if (folder) {
		closedir(folder);
	}
	return count;
}

size_t process_mapping_count(pid_t pid) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	FILE *maps = fopen(path, "r");
	size_t count = 0;
	for (int c; maps && (c = fgetc(maps)) != EOF;) {
		count += c == '\n';
	}
	if (maps) {
		fclose(maps);
	}
	return count;
}
