/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

#include "view/png_file.h"

/* libpng's way of failing is to jump; what lives across the jump is here, not in registers. */
struct encoder {
	FILE *file;
	png_structp png;
	png_infop info;
	uint32_t width, height;
	const uint8_t *pixels;
};

/* The reason is errno's, or memory: our input has no errors to tell of. */
static void handle_png_error(png_structp png, png_const_charp message) {
	(void)message;
	png_longjmp(png, 1);
}

static void handle_png_warning(png_structp png, png_const_charp message) {
	(void)png;
	(void)message;
}

static int encode(struct encoder *encoder) {
	encoder->png = png_create_write_struct(
		PNG_LIBPNG_VER_STRING, NULL, handle_png_error, handle_png_warning);
	if (!encoder->png) {
		return -ENOMEM;
	}
	encoder->info = png_create_info_struct(encoder->png);
	if (!encoder->info) {
		return -ENOMEM;
	}
	errno = 0;
	if (setjmp(png_jmpbuf(encoder->png))) {
		return errno ? -errno : -EIO;
	}
	png_init_io(encoder->png, encoder->file);
	png_set_IHDR(encoder->png, encoder->info, encoder->width, encoder->height, 8,
		PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		PNG_FILTER_TYPE_DEFAULT);
	png_write_info(encoder->png, encoder->info);
	png_set_filler(encoder->png, 0, PNG_FILLER_AFTER);
	for (uint32_t y = 0; y < encoder->height; y++) {
		png_write_row(encoder->png, encoder->pixels + (size_t)y * encoder->width * 4);
	}
	png_write_end(encoder->png, encoder->info);
	return 0;
}

int png_file_write(const char *path, uint32_t width, uint32_t height, const uint8_t *pixels) {
	/* beside the final file, so that it can be renamed */
	size_t temporary_size = strlen(path) + 32;
	char *temporary = malloc(temporary_size);
	if (!temporary) {
		return -ENOMEM;
	}
	snprintf(temporary, temporary_size, "%s.%ld.tmp", path, (long)getpid());

	struct encoder encoder = {.width = width, .height = height, .pixels = pixels};
	int err = 0;
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) {
		err = -errno;
		goto free_temporary;
	}
	encoder.file = fdopen(fd, "wb");
	if (!encoder.file) {
		err = -errno;
		close(fd);
		goto remove_temporary;
	}
	err = encode(&encoder);
	png_destroy_write_struct(&encoder.png, &encoder.info);
	if (fclose(encoder.file) != 0 && !err) {
		err = -errno;
	}
	if (!err && rename(temporary, path) < 0) {
		err = -errno;
	}

remove_temporary:
	if (err) {
		unlink(temporary);
	}
free_temporary:
	free(temporary);
	return err;
}
