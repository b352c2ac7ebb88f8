/* SPDX-License-Identifier: MIT */
#include "display.h"

#include "common.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <gbm.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Emulated guests are slow, and a host may hold a frame back; but not for ever. */
#define FLIP_TIMEOUT_MS 30000

/* Prints how a call ended. `ok` is its result; the reason for a failure is in errno. */
static bool report(const char *call, bool ok) {
	if (ok) {
		printf("%s: ok\n", call);
	} else {
		printf("%s: %s\n", call, strerror(errno));
	}
	return ok;
}

static bool open_device(struct display *display, const char *driver) {
	bool denied = false;
	for (int i = 0; i < 64; i++) {
		char path[32];
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		int fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			if (errno != ENOENT) {
				printf("open %s: %s\n", path, strerror(errno));
				denied = true;
			}
			continue;
		}
		drmVersion *version = drmGetVersion(fd);
		bool found = version && strcmp(version->name, driver) == 0;
		printf("%s: driver %s\n", path, version ? version->name : "unknown");
		drmFreeVersion(version);
		if (found) {
			display->fd = fd;
			return true;
		}
		close(fd);
	}
	return demo_fail("no /dev/dri/card* has the driver %s%s", driver,
		denied ? " and can be opened; try it as root" : "");
}

static bool pick_connector(struct display *display) {
	for (int i = 0; i < display->resources->count_connectors; i++) {
		drmModeConnector *connector =
			drmModeGetConnector(display->fd, display->resources->connectors[i]);
		if (connector && connector->connection == DRM_MODE_CONNECTED &&
				connector->count_modes > 0) {
			printf("connector %u: connected, %d modes\n", connector->connector_id,
				connector->count_modes);
			display->connector = connector;
			return true;
		}
		drmModeFreeConnector(connector);
	}
	return demo_fail("none of %d connectors has a screen", display->resources->count_connectors);
}

static bool pick_mode(struct display *display, uint32_t width, uint32_t height) {
	const drmModeConnector *connector = display->connector;
	const drmModeModeInfo *found = NULL;
	for (int i = 0; i < connector->count_modes && !found; i++) {
		const drmModeModeInfo *mode = &connector->modes[i];
		if (width ? mode->hdisplay == width && mode->vdisplay == height
		          : (mode->type & DRM_MODE_TYPE_PREFERRED) != 0) {
			found = mode;
		}
	}
	if (!found && width) {
		demo_fail("the screen has no mode of %ux%u, but", width, height);
		for (int i = 0; i < connector->count_modes; i++) {
			fprintf(stderr, " %s", connector->modes[i].name);
		}
		fputc('\n', stderr);
		return false;
	}
	display->mode = found ? *found : connector->modes[0];
	printf("mode: %ux%u, %u Hz\n", display->mode.hdisplay, display->mode.vdisplay,
		display->mode.vrefresh);
	return true;
}

/* The CRTC that drives the connector now, or one that could. */
static bool pick_crtc(struct display *display) {
	for (int i = -1; i < display->connector->count_encoders; i++) {
		uint32_t id =
			i < 0 ? display->connector->encoder_id : display->connector->encoders[i];
		drmModeEncoder *encoder = id ? drmModeGetEncoder(display->fd, id) : NULL;
		if (!encoder) {
			continue;
		}
		if (i < 0) {
			display->crtc_id = encoder->crtc_id;
		}
		for (int j = 0; j < display->resources->count_crtcs && !display->crtc_id; j++) {
			if (encoder->possible_crtcs >> j & 1) {
				display->crtc_id = display->resources->crtcs[j];
			}
		}
		drmModeFreeEncoder(encoder);
		if (display->crtc_id) {
			display->saved_crtc = drmModeGetCrtc(display->fd, display->crtc_id);
			return report("drmModeGetCrtc", display->saved_crtc != NULL) ||
				demo_fail("the state of CRTC %u cannot be read", display->crtc_id);
		}
	}
	return demo_fail("no CRTC can drive the screen");
}

bool display_open(struct display *display, const char *driver, uint32_t width, uint32_t height) {
	*display = (struct display){.fd = -1};
	if (!open_device(display, driver)) {
		return false;
	}
	if (!report("drmSetMaster", drmSetMaster(display->fd) == 0)) {
		return demo_fail("somebody else has the screen; end the desktop or try another console");
	}
	display->resources = drmModeGetResources(display->fd);
	if (!report("drmModeGetResources", display->resources != NULL)) {
		return demo_fail("the device has no screens at all");
	}
	return pick_connector(display) && pick_mode(display, width, height) && pick_crtc(display);
}

static void copy_lines(const struct display *display, void *to, size_t to_stride, const void *from,
		size_t from_stride) {
	for (uint32_t y = 0; y < display->mode.vdisplay; y++) {
		memcpy((char *)to + y * to_stride, (const char *)from + y * from_stride,
			(size_t)display->mode.hdisplay * 4);
	}
}

static bool add_framebuffer(struct display *display, uint32_t handle, uint32_t offset,
		uint32_t stride, uint32_t *fb_id) {
	const uint32_t handles[4] = {handle}, strides[4] = {stride}, offsets[4] = {offset};
	printf("buffer: %ux%u, stride %u, format XRGB8888\n", display->mode.hdisplay,
		display->mode.vdisplay, stride);
	return report("drmModeAddFB2",
		drmModeAddFB2(display->fd, display->mode.hdisplay, display->mode.vdisplay,
			DRM_FORMAT_XRGB8888, handles, strides, offsets, fb_id, 0) == 0);
}

static bool fill_gbm_buffer(struct display *display, const void *pixels, size_t stride) {
	display->gbm = gbm_create_device(display->fd);
	if (!report("gbm_create_device", display->gbm != NULL)) {
		return false;
	}
	printf("GBM: back end %s\n", gbm_device_get_backend_name(display->gbm));
	display->bo = gbm_bo_create(display->gbm, display->mode.hdisplay, display->mode.vdisplay,
		GBM_FORMAT_XRGB8888, GBM_BO_USE_SCANOUT | GBM_BO_USE_LINEAR);
	if (!report("gbm_bo_create", display->bo != NULL)) {
		return false;
	}
	uint32_t map_stride;
	void *map_data = NULL;
	void *map = gbm_bo_map(display->bo, 0, 0, display->mode.hdisplay, display->mode.vdisplay,
		GBM_BO_TRANSFER_WRITE, &map_stride, &map_data);
	if (!report("gbm_bo_map", map != NULL && map != MAP_FAILED)) {
		return false;
	}
	copy_lines(display, map, map_stride, pixels, stride);
	gbm_bo_unmap(display->bo, map_data);
	return add_framebuffer(display, gbm_bo_get_handle(display->bo).u32, 0,
		gbm_bo_get_stride(display->bo), &display->fb_id);
}

static bool fill_dumb_buffer(struct display *display, const void *pixels, size_t stride) {
	uint32_t dumb_stride;
	uint64_t size, offset;
	if (!report("drmModeCreateDumbBuffer",
			drmModeCreateDumbBuffer(display->fd, display->mode.hdisplay, display->mode.vdisplay, 32,
				0, &display->dumb_handle, &dumb_stride, &size) == 0)) {
		return false;
	}
	if (!report("drmModeMapDumbBuffer",
			drmModeMapDumbBuffer(display->fd, display->dumb_handle, &offset) == 0)) {
		return false;
	}
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, display->fd, (off_t)offset);
	if (!report("mmap", map != MAP_FAILED)) {
		return false;
	}
	copy_lines(display, map, dumb_stride, pixels, stride);
	munmap(map, size);
	return add_framebuffer(display, display->dumb_handle, 0, dumb_stride, &display->fb_id);
}

static void destroy_buffers(struct display *display) {
	if (display->fb_id) {
		drmModeRmFB(display->fd, display->fb_id);
		display->fb_id = 0;
	}
	if (display->bo) {
		gbm_bo_destroy(display->bo);
		display->bo = NULL;
	}
	if (display->gbm) {
		gbm_device_destroy(display->gbm);
		display->gbm = NULL;
	}
	if (display->dumb_handle) {
		drmModeDestroyDumbBuffer(display->fd, display->dumb_handle);
		display->dumb_handle = 0;
	}
}

bool display_show(struct display *display, enum display_buffer kind, const void *pixels,
		size_t stride) {
	bool filled = kind == DISPLAY_BUFFER_GBM && fill_gbm_buffer(display, pixels, stride);
	if (!filled && kind == DISPLAY_BUFFER_GBM) {
		printf("GBM does not work here: taking a dumb buffer\n");
		destroy_buffers(display);
	}
	if (!filled && !fill_dumb_buffer(display, pixels, stride)) {
		return demo_fail("there is no buffer that can be shown");
	}
	return display_show_framebuffer(display, display->fb_id);
}

bool display_add_framebuffer(struct display *display, int dma_buf, uint32_t offset, uint32_t stride,
		uint32_t *fb_id) {
	uint32_t handle;
	*fb_id = 0;
	if (!report("drmPrimeFDToHandle", drmPrimeFDToHandle(display->fd, dma_buf, &handle) == 0)) {
		return demo_fail("the screen's driver does not take the dma-buf");
	}
	bool ok = add_framebuffer(display, handle, offset, stride, fb_id);
	drmCloseBufferHandle(display->fd, handle); /* the framebuffer keeps what it needs */
	return ok || demo_fail("the screen's driver makes no framebuffer of the dma-buf");
}

void display_remove_framebuffer(struct display *display, uint32_t fb_id) {
	if (fb_id) {
		drmModeRmFB(display->fd, fb_id);
	}
}

bool display_show_framebuffer(struct display *display, uint32_t fb_id) {
	bool ok = drmModeSetCrtc(display->fd, display->crtc_id, fb_id, 0, 0,
		&display->connector->connector_id, 1, &display->mode) == 0;
	if (!report("drmModeSetCrtc", ok)) {
		return demo_fail("the buffer cannot be shown");
	}
	display->changed = true;
	return true;
}

bool display_flip(struct display *display, uint32_t fb_id) {
	if (drmModePageFlip(display->fd, display->crtc_id, fb_id, DRM_MODE_PAGE_FLIP_EVENT, display)) {
		return demo_fail("drmModePageFlip: %s", strerror(errno));
	}
	display->flipping = true;
	return true;
}

static void handle_flip(int fd, unsigned int sequence, unsigned int seconds,
		unsigned int microseconds, void *data) {
	struct display *display = data;
	(void)fd;
	(void)sequence;
	(void)seconds;
	(void)microseconds;
	display->flipping = false;
}

bool display_wait_for_flip(struct display *display) {
	drmEventContext events = {.version = 2, .page_flip_handler = handle_flip};
	while (display->flipping) {
		struct pollfd poll_fd = {.fd = display->fd, .events = POLLIN};
		int ready = poll(&poll_fd, 1, FLIP_TIMEOUT_MS);
		if (ready < 0 && errno == EINTR) {
			continue;
		}
		if (ready <= 0) {
			return demo_fail("the screen did not flip within %d s", FLIP_TIMEOUT_MS / 1000);
		}
		if (drmHandleEvent(display->fd, &events) != 0) {
			return demo_fail("drmHandleEvent: %s", strerror(errno));
		}
	}
	return true;
}

bool display_restore(struct display *display) {
	if (!display->changed) {
		return true;
	}
	drmModeCrtc *crtc = display->saved_crtc;
	bool ok;
	if (crtc->mode_valid && crtc->buffer_id) {
		ok = drmModeSetCrtc(display->fd, crtc->crtc_id, crtc->buffer_id, crtc->x, crtc->y,
			&display->connector->connector_id, 1, &crtc->mode) == 0;
	} else {
		ok = drmModeSetCrtc(display->fd, crtc->crtc_id, 0, 0, 0, NULL, 0, NULL) == 0;
	}
	display->changed = false;
	return report("drmModeSetCrtc to what was there before", ok) ||
		demo_fail("the screen could not be restored");
}

void display_close(struct display *display) {
	if (display->fd == -1) {
		return;
	}
	if (display->changed) {
		display_restore(display);
	}
	destroy_buffers(display);
	drmModeFreeCrtc(display->saved_crtc);
	drmModeFreeConnector(display->connector);
	drmModeFreeResources(display->resources);
	close(display->fd);
	display->fd = -1;
}
