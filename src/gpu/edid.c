/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "gpu/edid.h"

/*
 * The base block has its fields at fixed places:
 *
 *     0  header             54  detailed timing: the preferred mode
 *     8  vendor, product    72  descriptor: range limits
 *    18  version            90  descriptor: monitor name
 *    20  what it can do    108  descriptor: unused
 *    25  colours           126  number of extensions
 *    35  common timings    127  checksum
 *
 * Its timing has 12 bits for a size and 16 for the pixel clock. A mode that does not fit
 * stands in a DisplayID extension, where everything is wider, and the base block has a smaller one.
 */

/* The timings are those of CVT with reduced blanking. */
#define H_BLANK 160
#define H_FRONT 48
#define H_SYNC 32
#define V_FRONT 3
#define V_SYNC 6
#define V_BACK_MIN 6
#define V_BLANK_NS 460000 /* at least */

#define BASE_MAX_SIZE 4095
#define BASE_MAX_CLOCK 65535 /* of 10 kHz */
#define EXTENSION_MAX_SIZE 65535
#define EXTENSION_MAX_CLOCK 0xffffff
#define DOTS_PER_INCH 96

struct timing {
	uint32_t width, height;
	uint32_t v_blank; /* lines */
	uint32_t clock;   /* of 10 kHz */
	uint32_t refresh_hz;
};

static uint32_t clamp(uint32_t value, uint32_t min, uint32_t max) {
	return value < min ? min : value > max ? max : value;
}

static struct timing make_timing(
		uint32_t width, uint32_t height, uint32_t refresh_mhz, uint32_t max_clock) {
	struct timing timing = {.width = width, .height = height};
	refresh_mhz = refresh_mhz ? clamp(refresh_mhz, 1000, 1000000) : 60000;

	/* as many lines of blanking as last for the time that monitors used to need */
	timing.v_blank = V_FRONT + V_SYNC + V_BACK_MIN;
	uint64_t frame_ns = UINT64_C(1000000000000) / refresh_mhz;
	if (frame_ns > 2 * V_BLANK_NS) {
		uint64_t lines = (uint64_t)height * V_BLANK_NS / (frame_ns - V_BLANK_NS) + 1;
		timing.v_blank = clamp((uint32_t)lines, timing.v_blank, BASE_MAX_SIZE);
	}
	uint64_t dots = (uint64_t)(width + H_BLANK) * (height + timing.v_blank);
	uint64_t clock = (dots * refresh_mhz + 5000000) / 10000000;
	/* a picture too large for the clock is shown less often */
	timing.clock = clock < 1 ? 1 : clock > max_clock ? max_clock : (uint32_t)clock;
	timing.refresh_hz = (uint32_t)(((uint64_t)timing.clock * 10000 + dots / 2) / dots);
	return timing;
}

static uint32_t millimetres(uint32_t pixels) {
	return (pixels * 254 + 5 * DOTS_PER_INCH) / (10 * DOTS_PER_INCH);
}

static void put_u16(uint8_t *bytes, uint32_t value) {
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
}

/* The byte that makes the sum of all 0. */
static uint8_t checksum(const uint8_t *bytes, size_t size) {
	uint8_t sum = 0;
	for (size_t i = 0; i < size; i++) {
		sum = (uint8_t)(sum + bytes[i]);
	}
	return (uint8_t)-sum;
}

static void put_detailed_timing(
		uint8_t *d, const struct timing *timing, uint32_t width_mm, uint32_t height_mm) {
	width_mm = clamp(width_mm, 1, BASE_MAX_SIZE);
	height_mm = clamp(height_mm, 1, BASE_MAX_SIZE);
	put_u16(d, timing->clock);
	d[2] = (uint8_t)timing->width;
	d[3] = H_BLANK;
	d[4] = (uint8_t)(timing->width >> 8 << 4 | H_BLANK >> 8);
	d[5] = (uint8_t)timing->height;
	d[6] = (uint8_t)timing->v_blank;
	d[7] = (uint8_t)(timing->height >> 8 << 4 | timing->v_blank >> 8);
	d[8] = H_FRONT;
	d[9] = H_SYNC;
	d[10] = V_FRONT << 4 | V_SYNC;
	d[12] = (uint8_t)width_mm;
	d[13] = (uint8_t)height_mm;
	d[14] = (uint8_t)(width_mm >> 8 << 4 | height_mm >> 8);
	d[17] = 0x1a; /* separate syncs, horizontal positive, vertical negative */
}

/* Rates above 255 are told as offsets to 255, and a flag. */
static uint8_t rate_byte(uint32_t rate) {
	return (uint8_t)(rate > 255 ? clamp(rate - 255, 0, 255) : rate);
}

static void put_range_limits(uint8_t *d, const struct timing *timing) {
	/* at least what the smaller modes need, which have other timings */
	uint32_t line_khz = clamp(timing->clock * 10 / (timing->width + H_BLANK) + 1, 80, UINT32_MAX);
	uint32_t refresh_hz = clamp(timing->refresh_hz + 1, 76, UINT32_MAX);
	d[3] = 0xfd;
	d[4] = (uint8_t)((refresh_hz > 255 ? 2 : 0) | (line_khz > 255 ? 8 : 0));
	d[5] = 1;
	d[6] = rate_byte(refresh_hz);
	d[7] = 1;
	d[8] = rate_byte(line_khz);
	d[9] = (uint8_t)clamp(timing->clock / 1000 + 1, 20, 255);
	d[10] = 1; /* no formula */
	d[11] = '\n';
	memset(d + 12, ' ', 6);
}

static void put_name(uint8_t *d, const char *name) {
	size_t length = strlen(name);
	d[3] = 0xfc;
	memset(d + 5, ' ', 13);
	memcpy(d + 5, name, length);
	d[5 + length] = '\n';
}

/* Well-known modes that are not larger than the native one, at 60 Hz: the view scales them. */
static void put_smaller_modes(uint8_t *edid, const struct timing *native) {
	static const struct {
		uint16_t width, height;
		uint8_t byte, mask; /* the place among the established timings */
	} established[] = {
		{640, 480, 35, 0x20},
		{800, 600, 35, 0x01},
		{1024, 768, 36, 0x08},
	};
	static const struct {
		uint16_t width, height;
		uint8_t aspect; /* as two bits: 16:10, 4:3, 5:4, 16:9 */
	} standard[8] = {
		{1280, 720, 3}, {1280, 800, 0}, {1280, 1024, 2}, {1440, 900, 0},
		{1600, 900, 3}, {1680, 1050, 0}, {1920, 1080, 3}, {1920, 1200, 0},
	};
	for (size_t i = 0; i < sizeof(established) / sizeof(established[0]); i++) {
		if (established[i].width <= native->width && established[i].height <= native->height) {
			edid[established[i].byte] |= established[i].mask;
		}
	}
	uint8_t *d = edid + 38;
	for (size_t i = 0; i < 8; i++, d += 2) {
		bool fits = standard[i].width <= native->width &&
			standard[i].height <= native->height;
		bool same = standard[i].width == native->width &&
			standard[i].height == native->height;
		d[0] = fits && !same ? (uint8_t)(standard[i].width / 8 - 31) : 0x01;
		d[1] = fits && !same ? (uint8_t)(standard[i].aspect << 6) : 0x01;
	}
}

/* `native` is the mode that the monitor is made for, also if it does not stand here. */
static void put_base_block(uint8_t *edid, const struct timing *timing,
		const struct timing *native, uint32_t serial) {
	uint32_t width_mm = millimetres(native->width);
	uint32_t height_mm = millimetres(native->height);
	static const uint8_t header[8] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
	memcpy(edid, header, sizeof(header));
	/* three letters of five bits each, big endian: "VNR" */
	unsigned vendor = ('V' - '@') << 10 | ('N' - '@') << 5 | ('R' - '@');
	edid[8] = (uint8_t)(vendor >> 8);
	edid[9] = (uint8_t)vendor;
	edid[10] = 1; /* product */
	put_u16(edid + 12, serial);
	put_u16(edid + 14, serial >> 16);
	edid[16] = 0xff; /* the year that follows is the model's */
	edid[17] = 2026 - 1990;
	edid[18] = 1;
	edid[19] = 4;
	edid[20] = 0xa0; /* digital, 8 bits per colour, interface not told */
	edid[21] = (uint8_t)clamp((width_mm + 5) / 10, 1, 255);
	edid[22] = (uint8_t)clamp((height_mm + 5) / 10, 1, 255);
	edid[23] = 120;  /* gamma 2.2 */
	edid[24] = 0x06; /* sRGB is the default; the preferred mode is the native one */
	/* the primaries and the white point of sRGB, 10 bits each */
	static const uint8_t srgb[10] = {
		0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54,
	};
	memcpy(edid + 25, srgb, sizeof(srgb));
	put_smaller_modes(edid, native);
	put_detailed_timing(edid + 54, timing, width_mm, height_mm);
	put_range_limits(edid + 72, native);
	put_name(edid + 90, "Venera");
	edid[108 + 3] = 0x10; /* an unused descriptor */
}

static void put_extension(uint8_t *block, const struct timing *timing, uint32_t serial) {
	enum { SECTION = 121, IDENTIFICATION_SIZE = 12, PARAMETERS_SIZE = 12, TIMING_SIZE = 20 };
	block[0] = 0x70;
	block[1] = 0x13; /* DisplayID 1.3 */
	block[2] = SECTION;
	block[3] = 3; /* a monitor */

	uint8_t *d = block + 5;
	d[0] = 0x00; /* identification */
	d[2] = IDENTIFICATION_SIZE;
	memcpy(d + 3, "VNR", 3);
	d[6] = 1; /* product */
	put_u16(d + 8, serial);
	put_u16(d + 10, serial >> 16);
	d[13] = 2026 - 2000;

	d += 3 + IDENTIFICATION_SIZE;
	d[0] = 0x01; /* parameters: size in tenths of a millimetre, then in pixels */
	d[2] = PARAMETERS_SIZE;
	put_u16(d + 3, clamp(millimetres(timing->width) * 10, 0, 0xffff));
	put_u16(d + 5, clamp(millimetres(timing->height) * 10, 0, 0xffff));
	put_u16(d + 7, timing->width);
	put_u16(d + 9, timing->height);
	d[12] = 120; /* gamma 2.2 */
	uint32_t longer = timing->width > timing->height ? timing->width : timing->height;
	uint32_t shorter = timing->width + timing->height - longer;
	d[13] = (uint8_t)clamp(longer * 100 / shorter - 100, 0, 255); /* aspect ratio */
	d[14] = 0x77; /* 8 bits per colour */

	d += 3 + PARAMETERS_SIZE;
	d[0] = 0x03; /* timings of type I: one */
	d[2] = TIMING_SIZE;
	d += 3;
	put_u16(d, timing->clock - 1);
	d[2] = (uint8_t)((timing->clock - 1) >> 16);
	d[3] = 0x88; /* preferred; aspect ratio not told */
	put_u16(d + 4, timing->width - 1);
	put_u16(d + 6, H_BLANK - 1);
	put_u16(d + 8, (H_FRONT - 1) | 0x8000); /* positive */
	put_u16(d + 10, H_SYNC - 1);
	put_u16(d + 12, timing->height - 1);
	put_u16(d + 14, timing->v_blank - 1);
	put_u16(d + 16, V_FRONT - 1);
	put_u16(d + 18, V_SYNC - 1);

	block[5 + SECTION] = checksum(block + 1, 4 + SECTION);
	block[EDID_BLOCK_SIZE - 1] = checksum(block, EDID_BLOCK_SIZE - 1);
}

size_t edid_generate(uint8_t edid[EDID_MAX_SIZE], const struct edid_options *options) {
	memset(edid, 0, EDID_MAX_SIZE);
	uint32_t width = clamp(options->width, 1, EXTENSION_MAX_SIZE);
	uint32_t height = clamp(options->height, 1, EXTENSION_MAX_SIZE);
	struct timing mode = make_timing(width, height, options->refresh_mhz, EXTENSION_MAX_CLOCK);
	struct timing base = mode;
	bool extended =
		width > BASE_MAX_SIZE || height > BASE_MAX_SIZE || mode.clock > BASE_MAX_CLOCK;
	if (extended) {
		put_extension(edid + EDID_BLOCK_SIZE, &mode, options->serial);
		/* of the same shape */
		while (width > BASE_MAX_SIZE / 2 || height > BASE_MAX_SIZE / 2) {
			width = clamp(width / 2, 1, EXTENSION_MAX_SIZE);
			height = clamp(height / 2, 1, EXTENSION_MAX_SIZE);
		}
		base = make_timing(width, height, 0, BASE_MAX_CLOCK);
	}
	put_base_block(edid, &base, &mode, options->serial);
	edid[126] = extended;
	edid[EDID_BLOCK_SIZE - 1] = checksum(edid, EDID_BLOCK_SIZE - 1);
	return extended ? EDID_MAX_SIZE : EDID_BLOCK_SIZE;
}
