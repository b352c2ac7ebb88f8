/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "base/clock.h"
#include "gpu/context.h"
#include "gpu/device.h"
#include "gpu/json_text.h"
#include "gpu/limit.h"
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

static void write_limit(struct json_text *text, const struct gpu_device *device, enum limit limit,
		uint64_t used) {
	json_text_begin(text, limit_name(limit), '{');
	json_text_uint(text, "used", used);
	json_text_uint(text, "max", device->options.limits.value[limit]);
	json_text_end(text, '}');
}

static void write_context_limits(struct json_text *text, const struct gpu_context *context) {
	const struct gpu_device *device = context->device;
	json_text_begin(text, "limits", '{');
	write_limit(text, device, LIMIT_CONTEXT_RESOURCES, context->owned_count);
	write_limit(text, device, LIMIT_CONTEXT_MAPPINGS, context->mapped_count);
	write_limit(text, device, LIMIT_FENCES, context->waiting_count);
	write_limit(text, device, LIMIT_QUEUED_BYTES, renderer_queued(context->renderer));
	for (int i = LIMIT_RENDER_FIRST; i < LIMIT_RENDER_END; i++) {
		write_limit(text, device, (enum limit)i, gpu_limit_used(context, (enum limit)i));
	}
	json_text_end(text, '}');
}

static void write_limits(struct json_text *text, struct gpu_device *device) {
	gpu_limit_share(device);
	json_text_begin(text, "limits", '{');
	write_limit(text, device, LIMIT_CONTEXTS, gpu_context_count(device));
	write_limit(text, device, LIMIT_RESOURCES, device->resources.count);
	write_limit(text, device, LIMIT_ATTACHMENTS, device->attachment_count);
	write_limit(text, device, LIMIT_MAPPINGS, device->mapped_count);
	write_limit(text, device, LIMIT_MEMORY_TOTAL, device->used[RENDER_MEMORY_TOTAL]);
	write_limit(text, device, LIMIT_SHARED_MEMORY_TOTAL,
		device->used[RENDER_SHARED_MEMORY_TOTAL]);
	write_limit(text, device, LIMIT_SCREEN_MEMORY, device->storage_bytes);
	write_limit(text, device, LIMIT_BACKING_PIECES, device->backing_entries);
	write_limit(text, device, LIMIT_DEFERRED_BYTES, device->deferred_bytes);
	json_text_end(text, '}');
}

static void write_context(struct json_text *text, const struct gpu_context *context) {
	json_text_begin(text, NULL, '{');
	json_text_uint(text, "id", context->id);
	json_text_string(text, "name", context->guest_name);
	json_text_bool(text, "lost", context->lost);
	json_text_uint(text, "process", (uint64_t)renderer_process(context->renderer));
	const struct render_counters *counters = renderer_counters(context->renderer);
	write_counter(text, "commands", &counters->commands);
	write_counter(text, "submissions", &counters->submissions);
	write_counter(text, "ring_wakeups", &counters->ring_wakeups);
	write_counter(text, "memory_objects",
		&counters->used[LIMIT_MEMORY_OBJECTS - LIMIT_RENDER_FIRST]);
	write_counter(text, "memory_bytes", &counters->used[LIMIT_MEMORY - LIMIT_RENDER_FIRST]);
	write_context_limits(text, context);
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
	if (device) {
		write_limits(text, device);
	}
	json_text_begin(text, "contexts", '[');
	if (device) {
		write_contexts(text, device);
	}
	json_text_end(text, ']');
	json_text_end(text, '}');
}
