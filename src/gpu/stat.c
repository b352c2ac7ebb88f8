/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "base/clock.h"
#include "gpu/context.h"
#include "gpu/device.h"
#include "gpu/json_text.h"
#include "gpu/renderer.h"
#include "gpu/stat.h"

/* They are counted where things happen, and only put together here, when somebody asks. */

static void write_scanout(struct json_text *text, struct display *display, unsigned output) {
	const struct display_image *image = display_get_scanout(display, output);
	const struct display_counters *counters = display_get_counters(display, output);
	json_text_begin(text, NULL, '{');
	json_text_uint(text, "id", output);
	json_text_uint(text, "resource", image->buffer ? image->resource_id : 0);
	json_text_uint(text, "width", image->buffer ? image->rect.width : 0);
	json_text_uint(text, "height", image->buffer ? image->rect.height : 0);
	json_text_bool(text, "direct", image->buffer && image->direct);
	json_text_uint(text, "flushes", counters->flushes);
	json_text_uint(text, "frames", counters->frames);
	json_text_uint(text, "direct_frames", counters->direct_frames);
	json_text_uint(text, "dropped_frames", counters->dropped);
	json_text_uint(text, "cpu_copied_bytes", counters->copied_bytes);
	json_text_uint(text, "gpu_blits", counters->blits);
	json_text_begin(text, "flush_to_present_ns", '{');
	json_text_uint(text, "last", counters->latency_last);
	json_text_uint(text, "mean",
		counters->frames ? counters->latency_sum / counters->frames : 0);
	json_text_uint(text, "max", counters->latency_max);
	json_text_end(text, '}');
	json_text_end(text, '}');
}

static void write_counter(
		struct json_text *text, const char *name, const _Atomic uint64_t *counter) {
	json_text_uint(text, name, atomic_load_explicit(counter, memory_order_relaxed));
}

static void write_context(struct json_text *text, const struct gpu_context *context) {
	json_text_begin(text, NULL, '{');
	json_text_uint(text, "id", context->id);
	json_text_string(text, "name", context->guest_name);
	json_text_bool(text, "lost", context->lost);
	const struct render_counters *counters = renderer_counters(context->renderer);
	write_counter(text, "commands", &counters->commands);
	write_counter(text, "submissions", &counters->submissions);
	write_counter(text, "ring_wakeups", &counters->ring_wakeups);
	write_counter(text, "memory_objects", &counters->memory_objects);
	write_counter(text, "memory_bytes", &counters->memory_bytes);
	json_text_end(text, '}');
}

static void write_contexts(struct json_text *text, const struct gpu_device *device) {
	size_t cursor = 0;
	const struct gpu_context *context;
	while ((context = id_table_next(&device->contexts, &cursor))) {
		if (context->renderer) {
			write_context(text, context);
		}
	}
}

void gpu_stat_write(struct json_text *text, struct gpu_device *device, struct display *display,
		unsigned outputs) {
	json_text_begin(text, NULL, '{');
	json_text_uint(text, "time_ns", clock_now());
	json_text_bool(text, "view", display_has_view(display));
	json_text_begin(text, "scanouts", '[');
	for (unsigned i = 0; i < outputs; i++) {
		write_scanout(text, display, i);
	}
	json_text_end(text, ']');
	json_text_uint(text, "resources", device ? device->resources.count : 0);
	json_text_begin(text, "contexts", '[');
	if (device) {
		write_contexts(text, device);
	}
	json_text_end(text, ']');
	json_text_end(text, '}');
}
