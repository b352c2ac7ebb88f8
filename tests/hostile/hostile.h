/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_HOSTILE_HOSTILE_H
#define VENERA_TESTS_HOSTILE_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>

#include "../render/peer.h"
#include "../render/peer_device.h"

/**
 * Cases of guests that mean harm. Each is done to a render process of its own, the *victim*; a
 * second one, the *witness*, must afterwards still render what it should.
 *
 * What a victim may do: go on as if nothing had been, or lose its context, with one line in its log
 * that says why. It may neither crash nor hang nor keep anything.
 */

/** What a victim has before the case begins. */
enum hostile_stage {
	HOSTILE_BARE,   /* nothing but the channel */
	HOSTILE_RING,   /* ring and reply area, see peer_create_ring() */
	HOSTILE_DEVICE, /* and instance, physical device, device and queue, see peer_create_device() */
};

enum hostile_end {
	HOSTILE_SURVIVES, /* the context goes on; the next case of that stage gets the same */
	HOSTILE_LOST,     /* the context is lost, and `reason` is why */
	HOSTILE_EITHER,   /* it depends on the driver, or on who is faster; never a crash */
};

struct hostile_case {
	const char *name;
	enum hostile_stage stage;
	enum hostile_end end;
	const char *reason; /* HOSTILE_LOST: part of it */
	/** Does it. A stream is begun; what was added must be sent by it. */
	void (*run)(struct peer *peer);
};

/** Starts the witness. `program` is venera-render's path. */
void hostile_start(const char *program);

/** Runs the cases; ends the test with a line that says what went wrong. */
void hostile_run(const char *group, const struct hostile_case *cases, size_t count);

/** Says how many cases there were. The exit code. */
int hostile_finish(void);

/** Counts a case that was run otherwise. */
void hostile_count(void);

/** A victim whose log is kept, and its end. */
struct victim {
	struct peer peer;
	int log_fd;
	bool ready; /* and not yet known to be lost */
};

void victim_start(struct victim *victim, enum hostile_stage stage);

/** Its context must be lost for that reason, and all that this promises must hold. */
void victim_check_lost(struct victim *victim, const char *reason);

/** true: it still executes commands; false: the context was lost. Else the test ends. */
bool victim_check_alive(struct victim *victim);

/** It must leave in order, with at most one line in its log about a lost context. */
void victim_stop(struct victim *victim, bool lost, const char *reason);
/** The same if it may or may not have come to what would lose its context. */
void victim_stop_in_race(struct victim *victim);

/** The witness renders an image and compares it. */
void hostile_check_witness(void);

#endif
