/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_HOSTILE_HOSTILE_H
#define VENERA_TESTS_HOSTILE_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>

#include "../render/peer.h"
#include "../render/peer_device.h"
#include "transport.h"

/**
 * Cases of guests that mean harm. Each is done to a context of its own, the *victim*; a second one, the
 * *witness*, must afterwards still render what it should. The same cases are run over every transport.
 *
 * What a victim may do: go on as if nothing had been, or lose its context, with one line in the log
 * that says why. It may neither crash nor hang nor keep anything.
 */

/** What a victim has before the case begins. */
enum hostile_stage {
	HOSTILE_BARE,   /* nothing but the context */
	HOSTILE_RING,   /* ring and reply area, see peer_create_ring() */
	HOSTILE_DEVICE, /* and instance, physical device, device and queue, see peer_create_device() */
};

enum hostile_end {
	HOSTILE_SURVIVES, /* the context goes on; the next case of that stage gets the same */
	HOSTILE_LOST,     /* the context is lost, and `reason` is why */
	HOSTILE_EITHER,   /* it depends on the driver, or on who is faster; never a crash */
	HOSTILE_DRIVER,   /* and the driver may crash: there is no knowing what it makes of that */
};

struct hostile_case {
	const char *name;
	enum hostile_stage stage;
	enum hostile_end end;
	const char *reason; /* HOSTILE_LOST: part of it */
	/** Does it. A stream is begun; what was added must be sent by it. */
	void (*run)(struct peer *peer);
	bool not_vtest; /* what is refused there ends the connection */
};

/**
 * Starts the witness. The command line is TRANSPORT PROGRAM..., from which `*argc` and `*argv` step to what
 * follows.
 */
void hostile_start(int *argc, char ***argv);

/** Runs the cases; ends the test with a line that says what went wrong. */
void hostile_run(const char *group, const struct hostile_case *cases, size_t count);

/** Says how many cases there were. The exit code. */
int hostile_finish(void);

/** Counts a case that was run otherwise. */
void hostile_count(void);

enum victim_state {
	VICTIM_ALIVE,
	VICTIM_LOST, /* its context, with a line in the log */
	VICTIM_DEAD, /* its process has crashed, or may do so at its end */
};

/** A victim, and where in the log it begins. */
struct victim {
	struct peer peer;
	char name[16];
	long log_begin;
	int own_fds, server_fds; /* that this process and the server had before; -1: unknown */
};

void victim_start(struct victim *victim, enum hostile_stage stage);

/** Its context must be lost for that reason, and all that this promises must hold. */
void victim_check_lost(struct victim *victim, const char *reason);

/** What has become of it. If it is alive it executes commands. */
enum victim_state victim_look(struct victim *victim);

/**
 * Who was started last is stopped first. It must leave in order, and nothing may be left of it, with at most one line in the log about a lost context.
 */
void victim_stop(struct victim *victim, enum victim_state state, const char *reason);
/** The same if it may or may not have come to what would lose its context. */
void victim_stop_in_race(struct victim *victim);

/** The witness renders an image and compares it. */
void hostile_check_witness(void);

/** A resource that is the witness's. */
uint32_t hostile_foreign_resource(void);

#endif
