/* SPDX-License-Identifier: MIT */
#ifndef VENERA_VIEW_PNG_FILE_H
#define VENERA_VIEW_PNG_FILE_H

#include <stdint.h>

/**
 * Writes width * height pixels of four bytes (red, green, blue, and one that is ignored) as a PNG
 * file. Whoever opens `path` sees the old file or the whole new one. 0 or -errno.
 */
int png_file_write(const char *path, uint32_t width, uint32_t height, const uint8_t *pixels);

#endif
