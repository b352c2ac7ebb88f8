/* SPDX-License-Identifier: MIT */

/*
 * Executes a long stream of commands, made of recorded sessions of real clients one after the
 * other, and variants of it in which random bits are flipped:
 *
 *   fuzz_stream [--commands=N] [--variants=N] [--first=N] FOLDER-OR-PACK...
 *
 * Each pack is a session: all that one client sent, from its vkCreateInstance to the end. First
 * the whole stream is executed as it is, N commands. Then the variants. A session leaves nothing
 * behind, so what a variant executes before the session in which its bits are flipped is what was
 * executed before: it is left out. A variant is the session that is hit and the one that follows
 * it.
 *
 * Variant number n is the same in each run.
 */

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render_world.h"

#define MAX_SESSION ((size_t)4 * 1024 * 1024)
#define MAX_SESSIONS 256
#define MAX_FLIPS 16

struct session {
	uint8_t *commands; /* without the lengths */
	size_t size;
	size_t count;
};

static struct session sessions[MAX_SESSIONS];
static size_t session_count;
static uint64_t state;

static uint64_t random_u64(void) {
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static bool load(const char *path) {
	FILE *file = fopen(path, "rb");
	if (!file || session_count == MAX_SESSIONS) {
		perror(path);
		return false;
	}
	struct session *session = &sessions[session_count++];
	session->commands = malloc(MAX_SESSION);
	if (!session->commands) {
		abort();
	}
	uint32_t length;
	while (fread(&length, sizeof(length), 1, file) == 1 &&
			length <= MAX_SESSION - session->size &&
			fread(session->commands + session->size, 1, length, file) == length) {
		session->size += length;
		session->count++;
	}
	fclose(file);
	return session->count > 0;
}

static bool load_all(const char *path) {
	DIR *folder = opendir(path);
	if (!folder) {
		return load(path);
	}
	bool ok = true;
	for (const struct dirent *entry; (entry = readdir(folder));) {
		char name[4096];
		if (entry->d_name[0] != '.') {
			snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
			ok = load(name) && ok;
		}
	}
	closedir(folder);
	return ok;
}

static void begin(uint64_t seed) {
	const struct fake_plan plan = {.seed = seed, .all_extensions = true};
	render_world_rewinds = true;
	render_world_begin(&plan, true, NULL, 0);
	fake_replan(&plan);
}

/** false: the context is lost. */
static bool run(const uint8_t *commands, size_t size) {
	render_world_submit(commands, size, -1);
	return !atomic_load(&render_world.lost);
}

static bool run_whole(uint64_t wanted) {
	begin(1);
	uint64_t count = 0;
	for (size_t i = 0; count < wanted; i = (i + 1) % session_count) {
		if (!run(sessions[i].commands, sessions[i].size)) {
			fprintf(stderr, "session %zu is refused as it was recorded\n", i);
			render_world_end();
			return false;
		}
		count += sessions[i].count;
	}
	render_world_end();
	printf("%llu commands in sessions of %zu clients executed\n", (unsigned long long)count,
		session_count);
	return true;
}

/** The commands that were begun: those of the session that is hit, at most, and of the next. */
static bool run_variant(uint64_t number, uint8_t *copy) {
	state = number * UINT64_C(0x2545f4914f6cdd1d);
	const struct session *hit = &sessions[random_u64() % session_count];
	const struct session *next = &sessions[random_u64() % session_count];
	memcpy(copy, hit->commands, hit->size);
	for (uint64_t flips = 1 + random_u64() % MAX_FLIPS; flips > 0; flips--) {
		const uint64_t bit = random_u64() % (hit->size * 8);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	begin(number);
	const bool alive = run(copy, hit->size) && run(next->commands, next->size);
	render_world_end();
	return alive;
}

static bool number(const char *text, const char *name, uint64_t *value) {
	const size_t length = strlen(name);
	if (strncmp(text, name, length) != 0) {
		return false;
	}
	*value = strtoull(text + length, NULL, 10);
	return true;
}

static uint64_t present;

static void tell(void) {
	if (present) {
		fprintf(stderr, "that was --first=%llu --variants=1\n", (unsigned long long)present);
	}
}

static void handle_abort(int signal_number) {
	(void)signal_number;
	tell();
}

int main(int argc, char *argv[]) {
	uint64_t commands = 1000000, variants = 10000, first = 1;
	bool ok = true;
	setvbuf(stdout, NULL, _IOLBF, 0); /* it takes long */
	signal(SIGABRT, handle_abort);
	atexit(tell);
	for (int i = 1; i < argc; i++) {
		if (!number(argv[i], "--commands=", &commands) &&
				!number(argv[i], "--variants=", &variants) &&
				!number(argv[i], "--first=", &first)) {
			ok = load_all(argv[i]) && ok;
		}
	}
	if (!ok || !session_count) {
		fprintf(stderr, "usage: %s [--commands=N] [--variants=N] [--first=N] FOLDER|PACK...\n",
			argv[0]);
		return 2;
	}
	render_world_resource_size = 128 * 1024; /* lists of extensions are long */
	ok = run_whole(commands);
	uint8_t *copy = malloc(MAX_SESSION);
	uint64_t alive = 0;
	for (uint64_t n = first; ok && n < first + variants; n++) {
		present = n;
		alive += run_variant(n, copy);
	}
	present = 0;
	if (ok) {
		printf("%llu variants executed, of which %llu broke no rule\n",
			(unsigned long long)variants, (unsigned long long)alive);
	}
	free(copy);
	for (size_t i = 0; i < session_count; i++) {
		free(sessions[i].commands);
	}
	render_world_finish();
	return ok ? 0 : 1;
}
