/* SPDX-License-Identifier: MIT */
#include "cli/drivers.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/process.h"
#include "cli/capture.h"

/* A driver that compiles shaders for the first time may take its time. */
#define DRIVER_TIMEOUT_MS 60000

/* Cuts the field before the next tab off `*rest`. "" when there is none. */
static char *take_field(char **rest) {
	char *field = *rest;
	size_t length = strcspn(field, "\t");
	*rest = field + length + (field[length] == '\t');
	field[length] = '\0';
	return field;
}

static void add_device(struct driver_report *report, char *fields) {
	struct driver_device *devices =
		realloc(report->devices, (report->device_count + 1) * sizeof(devices[0]));
	if (!devices) {
		log_error("out of memory");
		exit(1);
	}
	report->devices = devices;
	struct driver_device *device = &devices[report->device_count++];
	*device = (struct driver_device){0};
	device->name = text_copy(take_field(&fields));
	device->api_version = text_copy(take_field(&fields));
	device->kind = text_copy(take_field(&fields));
	device->portability = !strcmp(take_field(&fields), "portability");
	char *problem = take_field(&fields);
	device->problem = *problem ? text_copy(problem) : NULL;
}

/* Takes in a line of `venera probe` (see probe.c). Returns the text of an error line. */
static char *read_line(struct driver_report *report, char *line) {
	char *rest = line;
	char *word = take_field(&rest);
	if (!strcmp(word, "loader")) {
		free(report->loader);
		report->loader = text_copy(take_field(&rest));
	} else if (!strcmp(word, "device")) {
		add_device(report, rest);
	} else if (!strcmp(word, "none")) {
		report->no_device = true;
	} else if (!strcmp(word, "error")) {
		return text_copy(take_field(&rest));
	}
	return NULL; /* a driver's or the loader's own chatter */
}

char *driver_report_init(struct driver_report *report, const char *manifest, bool thorough) {
	*report = (struct driver_report){0};
	char *program = process_find_sibling("venera");
	if (!program) {
		return text_format("cannot find myself: %s", strerror(errno));
	}
	struct args args = {0};
	args_add(&args, program);
	args_add(&args, "probe");
	if (thorough) {
		args_add(&args, "--thorough");
	}
	char *assignment = manifest ? text_format("VK_DRIVER_FILES=%s", manifest) : NULL;
	/* the older name would win over nothing but confuse */
	const char *const env[] = {assignment, "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES", NULL};
	struct capture capture;
	int err = capture_run(&capture, &args, assignment ? env : NULL, DRIVER_TIMEOUT_MS);
	args_finish(&args);
	free(assignment);
	free(program);
	if (err) {
		return text_format("cannot start the probe: %s", strerror(-err));
	}

	char *problem = NULL;
	char *line = capture.output;
	while (*line) {
		size_t length = strcspn(line, "\n");
		bool last = !line[length];
		line[length] = '\0';
		char *error = read_line(report, line);
		if (error) {
			free(problem);
			problem = error;
		}
		line += last ? length : length + 1;
	}
	if (capture.timed_out) {
		free(problem);
		problem = text_format("the Vulkan driver hangs (no answer within %d s)",
			DRIVER_TIMEOUT_MS / 1000);
	} else if (WIFSIGNALED(capture.status)) {
		free(problem);
		problem = text_format("the Vulkan driver crashes (signal %d)", WTERMSIG(capture.status));
	} else if (!problem && WEXITSTATUS(capture.status) != 0) {
		problem = text_format("the Vulkan driver ends the process (code %d)",
			WEXITSTATUS(capture.status));
	} else if (!problem && !report->device_count) {
		problem = text_copy("no Vulkan driver has a device here; install the GPU's, or Mesa's "
			"(Debian: mesa-vulkan-drivers)");
	}
	capture_finish(&capture);
	return problem;
}

void driver_report_finish(struct driver_report *report) {
	for (size_t i = 0; i < report->device_count; i++) {
		free(report->devices[i].name);
		free(report->devices[i].api_version);
		free(report->devices[i].kind);
		free(report->devices[i].problem);
	}
	free(report->devices);
	free(report->loader);
	*report = (struct driver_report){0};
}

size_t driver_report_usable(const struct driver_report *report) {
	size_t usable = 0;
	for (size_t i = 0; i < report->device_count; i++) {
		usable += !report->devices[i].problem;
	}
	return usable;
}

/* --- manifests --- */

static int is_manifest(const struct dirent *entry) {
	return text_ends_with(entry->d_name, ".json");
}

/* Adds a file unless it, or another way to it, is there already. */
static void add_manifest(struct args *list, const char *path) {
	struct stat st, other;
	if (stat(path, &st) < 0) {
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (stat(list->list[i], &other) == 0 && other.st_dev == st.st_dev &&
				other.st_ino == st.st_ino) {
			return;
		}
	}
	args_add(list, path);
}

static void add_folder(struct args *list, const char *folder) {
	struct dirent **entries;
	int count = scandir(folder, &entries, is_manifest, alphasort);
	for (int i = 0; i < count; i++) {
		char *path = text_format("%s/%s", folder, entries[i]->d_name);
		add_manifest(list, path);
		free(path);
		free(entries[i]);
	}
	if (count >= 0) {
		free(entries);
	}
}

/* `suffix` in each folder of a list with colons. Without a suffix it may have files in it, too. */
static void add_search_path(struct args *list, const char *folders, const char *suffix) {
	while (folders && *folders) {
		size_t length = strcspn(folders, ":");
		if (length) {
			char *path = text_format("%.*s%s", (int)length, folders, suffix);
			struct stat st;
			if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
				add_manifest(list, path);
			} else {
				add_folder(list, path);
			}
			free(path);
		}
		folders += length;
		folders += *folders == ':';
	}
}

static const char *environment(const char *name, const char *fallback) {
	const char *value = getenv(name);
	return value && *value ? value : fallback;
}

char **driver_find_manifests(void) {
	struct args list = {0};
	const char *chosen = environment("VK_DRIVER_FILES", environment("VK_ICD_FILENAMES", NULL));
	if (chosen) {
		add_search_path(&list, chosen, "");
	} else {
		const char *home = environment("HOME", "");
		char *home_config = text_format("%s/.config", home);
		char *home_data = text_format("%s/.local/share", home);
		const char *suffix = "/vulkan/icd.d";
		add_search_path(&list, environment("VK_ADD_DRIVER_FILES", NULL), "");
		add_search_path(&list, environment("XDG_CONFIG_HOME", home_config), suffix);
		add_search_path(&list, environment("XDG_CONFIG_DIRS", "/etc/xdg"), suffix);
		add_search_path(&list, "/usr/local/etc:/opt/homebrew/etc:/etc", suffix);
		add_search_path(&list, environment("XDG_DATA_HOME", home_data), suffix);
		add_search_path(&list, environment("XDG_DATA_DIRS", "/usr/local/share:/usr/share"),
			suffix);
		add_search_path(&list, "/usr/local/share:/opt/homebrew/share", suffix);
		free(home_config);
		free(home_data);
	}
	if (!list.list) {
		return calloc(1, sizeof(list.list[0]));
	}
	return list.list;
}
