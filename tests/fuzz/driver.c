/* SPDX-License-Identifier: MIT */

/*
 * Runs a fuzz target without libFuzzer:
 *
 *   fuzz_X [--changes=N] [--seconds=N] [--first=N] [--last=N] [FILE|FOLDER...]
 *
 * tries each file as it is (of a file NAME.pack, which pack.py makes, each that is in it), then N
 * random changes of files that were picked at random (of nothing, if there are none), or as many
 * as fit into the time. Change number n is the same in each run: --first=n --last=n tries it
 * alone.
 */

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "fuzz.h"

#define MAX_INPUT ((size_t)256 * 1024)

struct input_file {
	const char *path;
	uint8_t *data;
	size_t size;
};

static struct input_file *files;
static size_t file_count;
static uint64_t state = 1;

static uint64_t random_u64(void) {
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static size_t below(size_t limit) {
	return limit ? (size_t)(random_u64() % limit) : 0;
}

static void add_input(const char *path, const uint8_t *data, size_t size) {
	struct input_file *more = realloc(files, (file_count + 1) * sizeof(*files));
	if (!more) {
		abort();
	}
	files = more;
	struct input_file *input = &files[file_count++];
	input->path = path;
	input->size = size > MAX_INPUT ? MAX_INPUT : size;
	input->data = malloc(input->size ? input->size : 1);
	if (!input->data) {
		abort();
	}
	memcpy(input->data, data, input->size);
}

/** Each input behind its length, 4 bytes. */
static bool add_pack(const char *path, const uint8_t *data, size_t size) {
	while (size >= 4) {
		uint32_t length;
		memcpy(&length, data, sizeof(length));
		if (length > size - 4) {
			break;
		}
		add_input(path, data + 4, length);
		data += 4 + length;
		size -= 4 + length;
	}
	if (size) {
		fprintf(stderr, "%s: not a pack\n", path);
	}
	return !size;
}

static bool add_file(const char *path) {
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return false;
	}
	static uint8_t data[4 * MAX_INPUT];
	const size_t size = fread(data, 1, sizeof(data), file);
	fclose(file);
	const char *end = strrchr(path, '.');
	if (end && strcmp(end, ".pack") == 0) {
		return add_pack(path, data, size);
	}
	add_input(path, data, size);
	return true;
}

/** A copy that lives as long as the program. */
static const char *keep(const char *name) {
	static struct kept {
		struct kept *next;
		char name[4096];
	} *all;
	struct kept *kept = malloc(sizeof(*kept));
	if (!kept) {
		abort();
	}
	kept->next = all;
	all = kept;
	strcpy(kept->name, name);
	return kept->name;
}

static bool add_path(const char *path) {
	struct stat info;
	if (stat(path, &info) != 0) {
		perror(path);
		return false;
	}
	if (!S_ISDIR(info.st_mode)) {
		return add_file(path);
	}
	DIR *folder = opendir(path);
	if (!folder) {
		perror(path);
		return false;
	}
	bool ok = true;
	for (const struct dirent *entry; (entry = readdir(folder));) {
		char name[4096];
		if (entry->d_name[0] != '.' &&
				snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) <
					(int)sizeof(name)) {
			ok = add_path(keep(name)) && ok;
		}
	}
	closedir(folder);
	return ok;
}

/** One of the changes that every format knows. */
static size_t change_bytes(uint8_t *data, size_t size) {
	static const uint64_t values[] = {
		0, 1, 2, 4, 8, 16, 64, 127, 128, 255, 256, 4095, 4096, 4097, 32767, 65535, 65536,
		0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, UINT64_MAX / 2, UINT64_MAX / 2 + 1,
		UINT64_MAX - 3, UINT64_MAX,
	};
	const size_t at = below(size);
	switch (below(7)) {
	case 0: /* a bit */
		if (size) {
			data[at] ^= (uint8_t)(1 << below(8));
		}
		break;
	case 1: /* a byte */
		if (size) {
			data[at] = (uint8_t)random_u64();
		}
		break;
	case 2: { /* a number */
		const uint64_t value = values[below(sizeof(values) / sizeof(values[0]))];
		const size_t width = (size_t)1 << below(4);
		const size_t aligned = at / width * width;
		if (aligned + width <= size) {
			memcpy(data + aligned, &value, width);
		}
		break;
	}
	case 3: /* a cut */
		if (size) {
			size_t length = 1 + below(size - at);
			length = length > 4 && below(2) ? length & ~(size_t)3 : length;
			memmove(data + at, data + at + length, size - at - length);
			size -= length;
		}
		break;
	case 4: /* a piece of another input */
		if (file_count) {
			const struct input_file *other = &files[below(file_count)];
			if (other->size) {
				const size_t from = below(other->size) & ~(size_t)3;
				size_t length = 1 + below(other->size - from);
				if (length > MAX_INPUT - at) {
					length = MAX_INPUT - at;
				}
				memcpy(data + at, other->data + from, length);
				size = at + length > size ? at + length : size;
			}
		}
		break;
	case 5: /* the end is missing */
		size = at;
		break;
	default: /* twice */
		if (size - at <= MAX_INPUT - size) {
			memmove(data + size, data + at, size - at);
			size += size - at;
		}
		break;
	}
	return size;
}

/** Says which input it was that ended the program. */
static const char *present_file;
static uint64_t present_change;

static void tell(void) {
	if (present_file) {
		fprintf(stderr, "that was an input of %s\n", present_file);
	} else if (present_change) {
		fprintf(stderr, "that was --first=%llu --last=%llu --changes=1\n",
			(unsigned long long)present_change, (unsigned long long)present_change);
	}
}

static void handle_abort(int signal_number) {
	(void)signal_number;
	tell();
}

static uint64_t now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static bool number(const char *text, const char *name, uint64_t *value) {
	const size_t length = strlen(name);
	if (strncmp(text, name, length) != 0) {
		return false;
	}
	*value = strtoull(text + length, NULL, 10);
	return true;
}

static void try_one(const uint8_t *data, size_t size) {
	/* of its own size, where AddressSanitizer sees what is read behind it */
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy) {
		abort();
	}
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

int main(int argc, char *argv[]) {
	uint64_t changes = 0, seconds = 0, first = 1, stop = 0;
	bool ok = true;
	signal(SIGABRT, handle_abort);
	atexit(tell); /* a sanitizer may exit() */
	for (int i = 1; i < argc; i++) {
		if (number(argv[i], "--changes=", &changes) || number(argv[i], "--seconds=", &seconds) ||
				number(argv[i], "--first=", &first) ||
				number(argv[i], "--last=", &stop)) {
			continue;
		}
		if (argv[i][0] == '-') {
			fprintf(stderr,
				"usage: %s [--changes=N] [--seconds=N] [--first=N] [--last=N] "
				"[FILE|FOLDER...]\n", argv[0]);
			return 2;
		}
		ok = add_path(argv[i]) && ok;
	}
	for (size_t i = 0; i < file_count && first == 1; i++) {
		present_file = files[i].path;
		try_one(files[i].data, files[i].size);
	}
	present_file = NULL;
	static uint8_t data[2 * MAX_INPUT];
	const uint64_t deadline = now() + seconds * 1000;
	uint64_t tried = 0;
	for (uint64_t n = first; seconds ? now() < deadline : tried < changes; n++) {
		present_change = n;
		state = n * UINT64_C(0x2545f4914f6cdd1d);
		size_t size = 0;
		if (file_count) {
			const struct input_file *file = &files[below(file_count)];
			memcpy(data, file->data, file->size);
			size = file->size;
		}
		for (size_t k = 1 + below(4); k > 0; k--) {
			size = below(2) ? fuzz_mutate(data, size, MAX_INPUT, random_u64()) :
					  change_bytes(data, size);
			size = size > MAX_INPUT ? MAX_INPUT : size;
		}
		try_one(data, size);
		tried++;
		if (stop && n >= stop) {
			break;
		}
	}
	present_change = 0;
	printf("%zu files and %llu changes of them tried\n", file_count, (unsigned long long)tried);
	fuzz_finish();
	for (size_t i = 0; i < file_count; i++) {
		free(files[i].data);
	}
	free(files);
	return ok ? 0 : 1;
}
