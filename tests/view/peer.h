/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_VIEW_PEER_H
#define VENERA_TESTS_VIEW_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/channel.h"
#include "base/shmem.h"
#include "ipc/view_protocol.h"

/**
 * What the tests of venera-view share: the part of venera-gpu, a venera-view that is started for
 * it, and a computation of what has to be seen. Everything that goes wrong ends the test.
 */

struct peer_options {
	const char *program;    /* venera-view */
	bool window;
	bool validate;
	uint32_t width, height; /* of the window */
	const char *const *more; /* further arguments, ends with NULL; or NULL */
};

struct peer {
	struct channel channel;
	pid_t pid;
	struct view_hello hello;
	char screenshot[256]; /* where the view saves it */
	uint64_t next_id;     /* of buffers */
	uint64_t next_serial; /* of flushes */
};

/** Starts a view on a socket pair and takes its hello. */
void peer_start(struct peer *peer, const struct peer_options *options);

/** The view ends by itself or because of a signal; its exit code, which must come within 10 s. */
int peer_wait(struct peer *peer);

/** Closes the connection, upon which the view must end with exit code 0. */
void peer_stop(struct peer *peer);

void peer_send(struct peer *peer, uint32_t type, const void *body, size_t size);

/** The next event, which must come within 10 s and be of this type and size. */
void peer_expect(struct peer *peer, uint32_t type, void *body, size_t size);

/** No event comes for `ms` milliseconds. */
void peer_expect_silence(struct peer *peer, int ms);

/** Pictures of the guest. */
struct picture {
	struct shmem memory;
	uint64_t id;
	uint32_t format, offset, stride;
	uint32_t x, y, width, height;
};

/** Makes shared memory of `size` bytes with noise in it, and adds it as a buffer. */
void picture_create(struct peer *peer, struct picture *picture, uint64_t size);
void picture_destroy(struct picture *picture);

void picture_fill_noise(struct picture *picture, uint32_t seed);

/** A pixel as red | green << 8 | blue << 16, by the format's definition. */
uint32_t picture_pixel(const struct picture *picture, uint32_t x, uint32_t y);
void picture_set_pixel(
	struct picture *picture, uint32_t x, uint32_t y, uint8_t r, uint8_t g, uint8_t b, uint8_t a);

void peer_set_scanout(struct peer *peer, const struct picture *picture);
void peer_forget(struct peer *peer, uint64_t id);

/** Flushes a rectangle of scanout 0 and waits for the answer. */
void peer_flush_rect(struct peer *peer, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
/** All of it. */
void peer_flush(struct peer *peer);

/** Pixels as of picture_pixel(). */
struct image {
	uint32_t width, height;
	uint32_t *pixels;
};

void image_create(struct image *image, uint32_t width, uint32_t height);
void image_destroy(struct image *image);
uint32_t image_pixel(const struct image *image, uint32_t x, uint32_t y);

/** Asks for a screenshot and reads it. */
void peer_screenshot(struct peer *peer, struct image *image);

/** Puts the picture where the view has to show it, if that is without scaling. */
void image_draw_picture(struct image *image, const struct picture *picture);
/** Blends a premultiplied B8G8R8A8 cursor on it, clipped to the picture at (left, top). */
void image_draw_cursor(struct image *image, const struct picture *cursor, int64_t x, int64_t y,
	const struct picture *below);

/** Every component of every pixel differs by `tolerance` at most. Says where it does not. */
void image_check_equal(const struct image *actual, const struct image *expected, int tolerance,
	const char *what);

/** Takes a screenshot and compares it with the picture as it is (NULL: with black). */
void peer_check_shows(struct peer *peer, const struct picture *picture, const char *what);

/** Switches of all threads of the process so far: grows when something in it wakes up. */
uint64_t process_switches(pid_t pid);

/** Open descriptors and memory mappings of a process. */
size_t process_fd_count(pid_t pid);
size_t process_mapping_count(pid_t pid);

#endif
