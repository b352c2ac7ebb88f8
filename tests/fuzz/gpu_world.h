/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_FUZZ_GPU_WORLD_H
#define VENERA_TESTS_FUZZ_GPU_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * venera-gpu inside the target: all of src/gpu and src/virtio but main(). Around it are a guest,
 * a front end, render processes, a view, and somebody at the control socket; the input says what
 * the one does that is not trusted, and when; the others behave.
 *
 * An input is a series of steps: struct gpu_world_step, then its bytes.
 */
struct gpu_world_step {
	uint8_t what; /* enum gpu_world_party */
	uint8_t how;  /* see there */
	uint16_t size;
};

enum gpu_world_party {
	/**
	 * A request on a queue. how: bit 0: the cursor's; bits 1, 2: in pieces, indirect; bit 3: no
	 * room.
	 */
	GPU_WORLD_REQUEST,
	/** Bytes of guest memory: u32 where, then what; then both queues are kicked. */
	GPU_WORLD_POKE,
	/** What a render process sends: u32 type and a body; how: bits 0-2: which process, 3: a
	 * descriptor comes with it, 4: the bytes are not framed, 5: it is not sealed, 6: it ends. */
	GPU_WORLD_RENDER,
	/** What the view sends; how: bits 3 to 6 as above, bit 0: another view connects. */
	GPU_WORLD_VIEW,
	/** What the front end sends; how: bits 0-2: memory descriptors, 3: eventfds behind them,
	 * 4: on the back-end channel, 6: it ends. */
	GPU_WORLD_FRONT,
	/** A request at the control socket. */
	GPU_WORLD_CONTROL,
	/** Time passes: `how` tenths of a second. */
	GPU_WORLD_TIME,
	/** The front end pauses and continues (bit 0), or resets (bit 1) the guest. */
	GPU_WORLD_PAUSE,
	GPU_WORLD_PARTY_COUNT,
};

struct gpu_world_options {
	uint32_t parties;    /* bits: whose steps count; others are those of the first one */
	bool set_up;         /* the front end has done so: the queues run */
	bool has_view;       /* one is connected and has said hello */
	bool has_contexts;   /* the guest has made two, with blobs */
	bool render_behaves; /* answers what it is asked */
};

/** Runs an input from beginning to end; aborts if something is left. */
void gpu_world_run(
	const struct gpu_world_options *options, const uint8_t *data, size_t size);

#endif
