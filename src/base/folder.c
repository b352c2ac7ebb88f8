/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <unistd.h>

#include "base/folder.h"

bool folder_make_unique(char *path) {
	return mkdtemp(path) != NULL;
}
