/* SPDX-License-Identifier: MIT */
#ifndef VENERA_GPU_STAT_H
#define VENERA_GPU_STAT_H

struct display;
struct gpu_device;
struct json_text;

/**
 * Writes what happened so far as a JSON object; venera-gpu(1) says what the members mean. `device`
 * is NULL before there is a front end.
 */
void gpu_stat_write(
	struct json_text *text, struct gpu_device *device, struct display *display, unsigned outputs);

#endif
