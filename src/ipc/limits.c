/* SPDX-License-Identifier: MIT */
#include "ipc/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/process.h"

#define K(n) ((uint64_t)(n) << 10)
#define M(n) ((uint64_t)(n) << 20)
#define G(n) ((uint64_t)(n) << 30)

enum unit {
	COUNT,
	BYTES,
	TIME, /* ms */
};

struct limit_info {
	const char *name;
	enum unit unit;
	unsigned programs;
	uint64_t fallback; /* 0: a part of the host's memory, see limits_init() */
	uint64_t min, max;
	const char *text;
};

#define DEVICE (LIMIT_OF_GPU | LIMIT_OF_VTEST)
#define ALL (LIMIT_OF_GPU | LIMIT_OF_VTEST | LIMIT_OF_RENDER)

static const struct limit_info infos[LIMIT_COUNT] = {
	[LIMIT_CONTEXTS] = {"contexts", COUNT, DEVICE, 256, 1, 4096,
		"contexts, each a process, with those that are ending"},
	[LIMIT_RESOURCES] = {"resources", COUNT, LIMIT_OF_GPU, 16384, 1, 1 << 20,
		"resources of the guest; at most what descriptors there are for"},
	[LIMIT_ATTACHMENTS] = {"attachments", COUNT, LIMIT_OF_GPU, 65536, 1, 1 << 24,
		"pairs of a context and a resource that it uses"},
	[LIMIT_MAPPINGS] = {"mappings", COUNT, LIMIT_OF_GPU, 4096, 1, 1 << 20,
		"resources mapped by the guest; QEMU has room for 480"},
	[LIMIT_MEMORY_TOTAL] = {"memory-total", BYTES, ALL, G(1024), M(1), G(1 << 20),
		"VkDeviceMemory of all contexts"},
	[LIMIT_SHARED_MEMORY_TOTAL] = {"shared-memory-total", BYTES, ALL, 0, M(1), G(1 << 20),
		"shared memory of all contexts, with what no context owns any more"},
	[LIMIT_SCREEN_MEMORY] = {"screen-memory", BYTES, LIMIT_OF_GPU, G(2), M(1), G(1024),
		"copies of 2D resources, that is, screens drawn without a GPU"},
	[LIMIT_BACKING_PIECES] = {"backing-pieces", COUNT, LIMIT_OF_GPU, 1 << 20, 1, 1 << 26,
		"pieces of guest memory behind all resources; an eighth of it behind one"},
	[LIMIT_DEFERRED_BYTES] = {"deferred-bytes", BYTES, LIMIT_OF_GPU, M(64), K(64), G(4),
		"requests that wait for a resource to be made"},

	[LIMIT_CONTEXT_RESOURCES] = {"context-resources", COUNT, DEVICE, 8192, 1, 1 << 20,
		"resources that one context made"},
	[LIMIT_CONTEXT_MAPPINGS] = {"context-mappings", COUNT, LIMIT_OF_GPU, 384, 1, 1 << 20,
		"of these, mapped by the guest"},
	[LIMIT_FENCES] = {"fences", COUNT, LIMIT_OF_GPU, 128, 1, 1 << 15,
		"unanswered requests of one context; see answer-time"},
	[LIMIT_QUEUED_BYTES] = {"queued-bytes", BYTES, LIMIT_OF_GPU, M(64), K(64), G(4),
		"what one context's render process has not yet read"},
	[LIMIT_SYNCS] = {"syncs", COUNT, LIMIT_OF_VTEST, 1 << 20, 1, 1 << 24,
		"sync objects of one client"},
	[LIMIT_SYNC_POINTS] = {"sync-points", COUNT, LIMIT_OF_VTEST, 65536, 1, 65536,
		"values that fences of one client shall set, and that its waits wait for"},
	[LIMIT_WAITS] = {"waits", COUNT, LIMIT_OF_VTEST, 512, 1, 65536,
		"waits of one client, each a descriptor"},

	[LIMIT_MEMORY_OBJECTS] = {"memory-objects", COUNT, ALL, 32768, 1, 1 << 24,
		"VkDeviceMemory of one context, in number"},
	[LIMIT_MEMORY] = {"memory", BYTES, ALL, G(256), M(1), G(1 << 20),
		"and in bytes; the driver's heaps may end before"},
	[LIMIT_SHARED_MEMORY] = {"shared-memory", BYTES, ALL, 0, M(1), G(1 << 20),
		"shared memory that one context made or uses: what guests can map, and rings"},
	[LIMIT_OBJECTS] = {"objects", COUNT, ALL, 1 << 20, 16, 1 << 28,
		"Vulkan objects of one context"},
	[LIMIT_RINGS] = {"rings", COUNT, ALL, 256, 1, 4096,
		"rings of one context, each a thread"},
	[LIMIT_DESCRIPTORS] = {"descriptors", COUNT, ALL, 1 << 24, 1, UINT32_MAX,
		"sets, descriptors and inline bytes in all descriptor pools of one context"},
	[LIMIT_QUERIES] = {"queries", COUNT, ALL, 1 << 20, 1, UINT32_MAX,
		"in all query pools of one context"},
	[LIMIT_STREAM_BYTES] = {"stream-bytes", BYTES, ALL, M(2049), K(64), G(4),
		"one command stream outside of a ring, and so one command"},
	[LIMIT_ARENA] = {"arena", BYTES, ALL, M(2049), K(256), G(4),
		"one command's structures, when it is executed"},

	[LIMIT_ANSWER_TIME] = {"answer-time", TIME, DEVICE, 30000, 100, UINT64_C(86400000),
		"until a render process that owes an answer is given up, in seconds"},
};

void limits_init(struct limits *limits) {
	/* unknown: as if there were little */
	const uint64_t memory = system_memory() ? system_memory() : G(4);
	for (int i = 0; i < LIMIT_COUNT; i++) {
		limits->value[i] = infos[i].fallback;
	}
	limits->value[LIMIT_SHARED_MEMORY] = memory / M(2) * M(1);
	limits->value[LIMIT_SHARED_MEMORY_TOTAL] = memory / M(4) * M(3);
}

const char *limit_name(enum limit limit) {
	return infos[limit].name;
}

bool limit_is_of(enum limit limit, unsigned program) {
	return infos[limit].programs & program;
}

/* Of a unit behind a number, or 0. */
static uint64_t unit_factor(enum unit unit, const char *text) {
	static const char letters[] = "KMGT";
	if (unit == TIME) {
		return !*text ? 1000 : !strcmp(text, "ms");
	}
	if (!*text) {
		return 1;
	}
	const char *letter = strchr(letters, *text);
	return unit == BYTES && letter && !text[1] ? UINT64_C(1) << 10 * (letter - letters + 1) : 0;
}

static bool parse_value(const struct limit_info *info, const char *text, uint64_t *value) {
	if (*text < '0' || *text > '9') {
		return false;
	}
	char *end;
	errno = 0;
	const uint64_t number = strtoull(text, &end, 10);
	const uint64_t factor = unit_factor(info->unit, end);
	if (errno || !factor || number > UINT64_MAX / factor) {
		return false;
	}
	*value = number * factor;
	return *value >= info->min && *value <= info->max;
}

bool limits_parse(struct limits *limits, unsigned program, const char *text) {
	const char *equals = strchr(text, '=');
	const size_t length = equals ? (size_t)(equals - text) : strlen(text);
	for (int i = 0; i < LIMIT_COUNT; i++) {
		const struct limit_info *info = &infos[i];
		if (!(info->programs & program) || strlen(info->name) != length ||
				strncmp(info->name, text, length) != 0) {
			continue;
		}
		if (equals && parse_value(info, equals + 1, &limits->value[i])) {
			return true;
		}
		char low[LIMIT_TEXT_SIZE], high[LIMIT_TEXT_SIZE];
		log_error("--limit=%s: %s is %s from %s to %s", text, info->name,
			info->unit == BYTES ? "a number of bytes, such as 512M," :
			info->unit == TIME ? "a number of seconds" : "a number",
			limit_format((enum limit)i, info->min, low),
			limit_format((enum limit)i, info->max, high));
		return false;
	}
	log_error("--limit=%s: there is no limit %.*s; --limit=help lists them", text, (int)length,
		text);
	return false;
}

const char *limit_format(enum limit limit, uint64_t value, char text[LIMIT_TEXT_SIZE]) {
	static const char letters[] = "TGMK";
	if (infos[limit].unit == TIME) {
		const bool whole = value % 1000 == 0;
		snprintf(text, LIMIT_TEXT_SIZE, "%" PRIu64 "%s", whole ? value / 1000 : value,
			whole ? "" : "ms");
		return text;
	}
	for (int i = 0; infos[limit].unit == BYTES && value && i < 4; i++) {
		const uint64_t factor = UINT64_C(1) << 10 * (4 - i);
		if (value % factor == 0) {
			snprintf(text, LIMIT_TEXT_SIZE, "%" PRIu64 "%c", value / factor, letters[i]);
			return text;
		}
	}
	snprintf(text, LIMIT_TEXT_SIZE, "%" PRIu64, value);
	return text;
}

const char *limit_format_about(enum limit limit, uint64_t value, char text[LIMIT_TEXT_SIZE]) {
	static const char letters[] = "TGMK";
	for (int i = 0; infos[limit].unit == BYTES && i < 4; i++) {
		const double factor = (double)(UINT64_C(1) << 10 * (4 - i));
		if ((double)value >= factor) {
			snprintf(text, LIMIT_TEXT_SIZE, "%.1f%c", (double)value / factor, letters[i]);
			return text;
		}
	}
	return limit_format(limit, value, text);
}

const char *limit_option(
		enum limit limit, const struct limits *limits, char text[LIMIT_OPTION_SIZE]) {
	char value[LIMIT_TEXT_SIZE];
	snprintf(text, LIMIT_OPTION_SIZE, "--limit=%s=%s", infos[limit].name,
		limit_format(limit, limits->value[limit], value));
	return text;
}

void limits_print(FILE *file, const struct limits *limits, unsigned program) {
	for (int i = 0; i < LIMIT_COUNT; i++) {
		if (infos[i].programs & program) {
			char text[LIMIT_TEXT_SIZE];
			fprintf(file, "%20s = %-8s  %s\n", infos[i].name,
				limit_format((enum limit)i, limits->value[i], text), infos[i].text);
		}
	}
}
