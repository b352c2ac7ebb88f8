/* SPDX-License-Identifier: MIT */
#include "cli/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/text.h"

const char *runtime_base(void) {
	const char *const names[] = {"XDG_RUNTIME_DIR", "TMPDIR"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *folder = getenv(names[i]);
		/* absolute, because a relative one means something else to each process */
		if (folder && folder[0] == '/' && access(folder, W_OK | X_OK) == 0) {
			return folder;
		}
	}
	return "/tmp";
}

char *runtime_folder_create(void) {
	char *folder = text_format("%s/venera-XXXXXX", runtime_base());
	if (!mkdtemp(folder)) {
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
