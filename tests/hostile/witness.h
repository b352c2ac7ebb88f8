/* SPDX-License-Identifier: MIT */
#ifndef VENERA_TESTS_HOSTILE_WITNESS_H
#define VENERA_TESTS_HOSTILE_WITNESS_H

#include "../render/peer.h"
#include "../render/peer_device.h"

/** A context that must not notice what others suffer. */
struct witness {
	struct peer peer;
	struct shmem picture;
	uint32_t turn;
};

/** Makes what it renders with in a peer that is open, and renders once. */
void witness_start(struct witness *witness);

/** It must still render what it should: each time another colour. */
void witness_check(struct witness *witness);

void witness_finish(struct witness *witness);

#endif
