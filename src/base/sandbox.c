/* SPDX-License-Identifier: MIT */
#include "base/sandbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const char *const mode_names[] = {
	[SANDBOX_ON] = "on",
	[SANDBOX_LOG] = "log",
	[SANDBOX_OFF] = "off",
};

bool sandbox_mode_parse(const char *text, enum sandbox_mode *mode) {
	for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
		if (strcmp(text, mode_names[i]) == 0) {
			*mode = (enum sandbox_mode)i;
			return true;
		}
	}
	return false;
}

const char *sandbox_mode_name(enum sandbox_mode mode) {
	return mode_names[mode];
}

static void add(struct sandbox_files *files, enum sandbox_access access, const char *path,
		size_t length) {
	if (length == 0 || path[0] != '/') {
		return; /* what is relative now may be something else later */
	}
	struct sandbox_file *list =
		realloc(files->list, (files->count + 1) * sizeof(files->list[0]));
	char *copy = list ? malloc(length + 1) : NULL;
	if (list) {
		files->list = list;
	}
	if (!copy) {
		log_error("out of memory"); /* whoever needs the file will say so */
		return;
	}
	memcpy(copy, path, length);
	copy[length] = '\0';
	files->list[files->count++] = (struct sandbox_file){.path = copy, .access = access};
}

void sandbox_files_add(
		struct sandbox_files *files, enum sandbox_access access, const char *path) {
	add(files, access, path, strlen(path));
}

void sandbox_files_add_folder_of(
		struct sandbox_files *files, enum sandbox_access access, const char *path) {
	const char *slash = strrchr(path, '/');
	if (slash) {
		add(files, access, path, (size_t)(slash - path));
	}
}

void sandbox_files_add_list(
		struct sandbox_files *files, enum sandbox_access access, const char *list) {
	while (list && *list) {
		size_t length = strcspn(list, ":");
		add(files, access, list, length);
		list += length;
		list += *list == ':';
	}
}

void sandbox_files_finish(struct sandbox_files *files) {
	for (size_t i = 0; i < files->count; i++) {
		free(files->list[i].path);
	}
	free(files->list);
	*files = (struct sandbox_files){0};
}

int sandbox_enter(const struct sandbox_policy *policy, enum sandbox_mode mode) {
	int err = sandbox_confine(policy, mode);
	return err ? err : sandbox_filter(policy, mode);
}
