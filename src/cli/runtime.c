/* SPDX-License-Identifier: MIT */
#include "cli/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/socket.h"
#include "cli/text.h"

#define FOLDER_PREFIX "venera-"

enum { BASE_COUNT = 3 };

/* The places for folders in the order of preference; NULL: one that is of no use. */
static void list_bases(const char *bases[BASE_COUNT]) {
	const char *const names[] = {"XDG_RUNTIME_DIR", "TMPDIR"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *folder = getenv(names[i]);
		/* absolute, because a relative one means something else to each process */
		bool usable = folder && folder[0] == '/' && access(folder, W_OK | X_OK) == 0;
		bases[i] = usable ? folder : NULL;
	}
	bases[BASE_COUNT - 1] = "/tmp";
}

const char *runtime_base(void) {
	const char *bases[BASE_COUNT];
	list_bases(bases);
	for (int i = 0;; i++) {
		if (bases[i]) {
			return bases[i];
		}
	}
}

static void find_machines_in(struct args *paths, const char *base) {
	DIR *dir = opendir(base);
	if (!dir) {
		return;
	}
	struct dirent *entry;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) != 0) {
			continue;
		}
		char *path = text_format("%s/%s/" RUNTIME_CONTROL_SOCKET, base, entry->d_name);
		struct stat st;
		/* in a folder of somebody else's there may be anything */
		if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == geteuid()) {
			int fd = socket_connect(path);
			if (fd >= 0) { /* one that was killed leaves its socket behind */
				close(fd);
				args_add(paths, path);
			}
		}
		free(path);
	}
	closedir(dir);
}

void runtime_find_machines(struct args *paths) {
	const char *bases[BASE_COUNT];
	list_bases(bases);
	for (int i = 0; i < BASE_COUNT && paths->count == 0; i++) {
		if (bases[i]) {
			find_machines_in(paths, bases[i]);
		}
	}
}

char *runtime_folder_create(void) {
	char *folder = text_format("%s/" FOLDER_PREFIX "XXXXXX", runtime_base());
	if (!folder_make_unique(folder)) {
		int saved_errno = errno;
		free(folder);
		errno = saved_errno;
		return NULL;
	}
	return folder;
}

void runtime_folder_remove(const char *folder) {
	DIR *dir = opendir(folder);
	if (!dir) {
		return;
	}
	struct dirent *entry;
	while ((entry = readdir(dir))) {
		struct stat st;
		char *path = text_format("%s/%s", folder, entry->d_name);
		if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
			unlink(path);
		}
		free(path);
	}
	closedir(dir);
	rmdir(folder);
}

void runtime_folder_destroy(char *folder) {
	if (folder) {
		runtime_folder_remove(folder);
		free(folder);
	}
}
