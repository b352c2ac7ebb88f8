/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/virtgpu_drm.h>

/*
 * Runs in a guest whose device has the renderer of fake_render.py: blobs, through the kernel's own
 * interface, without Mesa. Memory of blob id N holds N + i in its word i, so that it can be seen
 * whether the right memory is mapped, and whether what is seen is not what was there before.
 *
 *   guest_blobs cycles N         make, map, check and free a blob, N times
 *   guest_blobs hold N SECONDS   have N mapped, check them and cycle one more, again and again
 *   guest_blobs fill             map until it fails, check, free some, map again
 */

#define BLOB_SIZE 65536U
#define WORDS (BLOB_SIZE / 4)
#define PATTERN_WORDS 4096 /* fake_render.py writes so many */
#define WRITE_COMMAND 0x7e57000dU

static int card = -1;
static uint32_t next_id = 1000;

static int retry_ioctl(unsigned long request, void *argument) {
	int result;
	do {
		result = ioctl(card, request, argument);
	} while (result < 0 && (errno == EINTR || errno == EAGAIN));
	return result;
}

static void open_card(void) {
	for (int i = 0; i < 8 && card < 0; i++) {
		char path[32];
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		card = open(path, O_RDWR | O_CLOEXEC);
	}
	if (card < 0) {
		perror("no card in /dev/dri");
		exit(1);
	}
	struct drm_virtgpu_context_set_param params[] = {
		{VIRTGPU_CONTEXT_PARAM_CAPSET_ID, 4},
		{VIRTGPU_CONTEXT_PARAM_NUM_RINGS, 64},
		{VIRTGPU_CONTEXT_PARAM_POLL_RINGS_MASK, 0},
	};
	struct drm_virtgpu_context_init init = {
		.num_params = 3,
		.ctx_set_params = (uintptr_t)params,
	};
	if (retry_ioctl(DRM_IOCTL_VIRTGPU_CONTEXT_INIT, &init) < 0) {
		perror("CONTEXT_INIT");
		exit(1);
	}
}

struct blob {
	uint32_t handle, resource, id;
	volatile uint32_t *words;
};

static bool blob_create(struct blob *blob) {
	*blob = (struct blob){.id = next_id++};
	struct drm_virtgpu_resource_create_blob create = {
		.blob_mem = VIRTGPU_BLOB_MEM_HOST3D,
		.blob_flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE,
		.size = BLOB_SIZE,
		.blob_id = blob->id,
	};
	if (retry_ioctl(DRM_IOCTL_VIRTGPU_RESOURCE_CREATE_BLOB, &create) < 0) {
		return false;
	}
	blob->handle = create.bo_handle;
	blob->resource = create.res_handle;
	struct drm_virtgpu_map map = {.handle = blob->handle};
	if (retry_ioctl(DRM_IOCTL_VIRTGPU_MAP, &map) < 0) {
		return false;
	}
	void *data = mmap(NULL, BLOB_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, card, (off_t)map.offset);
	if (data == MAP_FAILED) {
		return false;
	}
	blob->words = data;
	return true;
}

static void blob_free(struct blob *blob) {
	if (blob->words) {
		munmap((void *)blob->words, BLOB_SIZE);
	}
	if (blob->handle) {
		struct drm_gem_close close_handle = {.handle = blob->handle};
		retry_ioctl(DRM_IOCTL_GEM_CLOSE, &close_handle);
	}
	*blob = (struct blob){0};
}

static bool blob_check(const struct blob *blob) {
	static const uint32_t places[] = {0, 1, 1023, 1024, PATTERN_WORDS - 1};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint32_t have = blob->words[places[i]];
		if (have != blob->id + places[i]) {
			printf("blob %u, word %u: %u\n", blob->id, places[i], have);
			return false;
		}
	}
	return true;
}

/* The renderer writes a word, and the guest sees it: fences and memory both work. */
static bool blob_write_by_host(struct blob *blob, uint32_t place, uint32_t value) {
	uint32_t stream[] = {WRITE_COMMAND, blob->resource, place, value};
	struct drm_virtgpu_execbuffer submit = {
		.flags = VIRTGPU_EXECBUF_FENCE_FD_OUT | VIRTGPU_EXECBUF_RING_IDX,
		.size = sizeof(stream),
		.command = (uintptr_t)stream,
		.fence_fd = -1,
		.ring_idx = 1,
	};
	if (retry_ioctl(DRM_IOCTL_VIRTGPU_EXECBUFFER, &submit) < 0) {
		perror("EXECBUFFER");
		return false;
	}
	struct pollfd fence = {.fd = submit.fence_fd, .events = POLLIN};
	int result = poll(&fence, 1, 20000);
	close(submit.fence_fd);
	if (result != 1) {
		printf("a fence does not retire\n");
		return false;
	}
	return blob->words[place] == value;
}

static bool cycle(void) {
	struct blob blob;
	if (!blob_create(&blob)) {
		perror("cannot make a blob");
		return false;
	}
	bool ok = blob_check(&blob);
	blob.words[WORDS - 1] = 1;
	ok = ok && blob_write_by_host(&blob, 5000, blob.id ^ 0x5555);
	blob_free(&blob);
	return ok;
}

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int run_cycles(int count) {
	double begin = now();
	int bad = 0;
	for (int i = 0; i < count; i++) {
		bad += !cycle();
	}
	printf("cycles: %d, %d bad, %.0f us each\n", count, bad, (now() - begin) / count * 1e6);
	return bad != 0;
}

static int hold(int count, int seconds) {
	struct blob *blobs = calloc((size_t)count, sizeof(*blobs));
	for (int i = 0; i < count; i++) {
		if (!blob_create(&blobs[i])) {
			perror("cannot make a blob to hold");
			return 1;
		}
	}
	printf("hold: %d mapped\n", count);
	fflush(stdout);
	double begin = now();
	for (int tick = 0; now() < begin + seconds; tick++) {
		int bad = 0;
		for (int i = 0; i < count; i++) {
			bad += !blob_check(&blobs[i]);
			if (tick > 0) {
				bad += blobs[i].words[6000] != (uint32_t)(tick - 1 + i);
			}
			blobs[i].words[6000] = (uint32_t)(tick + i);
		}
		bad += !cycle();
		printf("hold: tick %d, %d bad\n", tick, bad);
		fflush(stdout);
		usleep(100000);
	}
	free(blobs);
	return 0;
}

static int fill(void) {
	enum { MANY = 600 };
	static struct blob blobs[MANY];
	int count = 0;
	while (count < MANY && blob_create(&blobs[count])) {
		count++;
	}
	int error = errno, bad = 0;
	for (int i = 0; i < count; i++) {
		bad += !blob_check(&blobs[i]);
	}
	printf("fill: %d mapped, then: %s, %d bad\n", count, strerror(error), bad);
	if (count < MANY) {
		blob_free(&blobs[count]);
	}
	for (int i = 0; i < 10 && i < count; i++) {
		blob_free(&blobs[i]);
	}
	int again = 0;
	for (int i = 0; i < 10; i++) {
		again += cycle();
	}
	printf("fill: %d of 10 more\n", again);
	return bad || again < 10;
}

int main(int argc, char **argv) {
	open_card();
	if (argc == 3 && strcmp(argv[1], "cycles") == 0) {
		return run_cycles(atoi(argv[2]));
	}
	if (argc == 4 && strcmp(argv[1], "hold") == 0) {
		return hold(atoi(argv[2]), atoi(argv[3]));
	}
	if (argc == 2 && strcmp(argv[1], "fill") == 0) {
		return fill();
	}
	fprintf(stderr, "guest_blobs: cycles N | hold N SECONDS | fill\n");
	return 2;
}
