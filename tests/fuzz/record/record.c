/* SPDX-License-Identifier: MIT */

/*
 * Linked into a venera-render of its own, which writes the commands that it executes to
 * $VENERA_RECORD/<process id>.pack: one behind the other, each behind its length, from all rings,
 * without those that only say where commands and replies lie. pack.py makes inputs for fuzzers of
 * that.
 *
 * Each function is linked with --wrap.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "render/context.h"
#include "render/executor.h"
#include "render/resource.h"
#include "render/ring.h"
#include "venus/venus_commands.h"

static FILE *file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/** What the calling thread executes now. */
static _Thread_local const uint8_t *batch;

static bool is_transport(uint32_t command) {
	switch (command) {
	case VENUS_COMMAND_vkSetReplyCommandStreamMESA:
	case VENUS_COMMAND_vkSeekReplyCommandStreamMESA:
	case VENUS_COMMAND_vkExecuteCommandStreamsMESA:
	case VENUS_COMMAND_vkCreateRingMESA:
	case VENUS_COMMAND_vkDestroyRingMESA:
	case VENUS_COMMAND_vkNotifyRingMESA:
	case VENUS_COMMAND_vkWriteRingExtraMESA:
	case VENUS_COMMAND_vkSubmitVirtqueueSeqnoMESA:
	case VENUS_COMMAND_vkWaitVirtqueueSeqnoMESA:
	case VENUS_COMMAND_vkWaitRingSeqnoMESA:
		return true;
	default:
		return false;
	}
}

static void write_command(const uint8_t *data, size_t size) {
	uint32_t command;
	if (size < 8) {
		return;
	}
	memcpy(&command, data, sizeof(command));
	if (is_transport(command)) {
		return;
	}
	pthread_mutex_lock(&lock);
	if (!file) {
		const char *folder = getenv("VENERA_RECORD");
		char path[4096];
		snprintf(path, sizeof(path), "%s/%ld.pack", folder ? folder : ".", (long)getpid());
		file = fopen(path, "wb");
		if (!file) {
			perror(path);
			exit(EXIT_FAILURE);
		}
	}
	const uint32_t length = (uint32_t)size;
	fwrite(&length, sizeof(length), 1, file);
	fwrite(data, size, 1, file);
	fflush(file); /* the process may end in any way */
	pthread_mutex_unlock(&lock);
}

bool __real_render_executor_run(struct render_executor *executor, const uint8_t *data, size_t size);
bool __wrap_render_executor_run(struct render_executor *executor, const uint8_t *data, size_t size);
bool __wrap_render_executor_run(
		struct render_executor *executor, const uint8_t *data, size_t size) {
	batch = data;
	const bool ok = __real_render_executor_run(executor, data, size);
	if (!executor->ring) {
		/* mostly one command: nobody tells where it ends */
		write_command(data, size);
	}
	return ok;
}

void __real_render_ring_advance(struct render_ring *ring, size_t size);
void __wrap_render_ring_advance(struct render_ring *ring, size_t size);
void __wrap_render_ring_advance(struct render_ring *ring, size_t size) {
	write_command(batch, size);
	batch += size;
	__real_render_ring_advance(ring, size);
}

bool __real_render_executor_run_resource(struct render_executor *executor,
	const struct render_resource *resource, uint64_t offset, uint64_t size);
bool __wrap_render_executor_run_resource(struct render_executor *executor,
	const struct render_resource *resource, uint64_t offset, uint64_t size);
bool __wrap_render_executor_run_resource(struct render_executor *executor,
		const struct render_resource *resource, uint64_t offset, uint64_t size) {
	write_command(render_resource_data(resource) + offset, size);
	return __real_render_executor_run_resource(executor, resource, offset, size);
}
