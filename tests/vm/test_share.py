#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_share.py BUILD-FOLDER SHARE ROUNDS: in a virtual machine, the guest's program SHARE shares images between
processes, of which one is killed in each round. Afterwards the host has as many processes,
descriptors and mappings as before."""

import sys

import guest

BUILD, PROGRAM, ROUNDS = sys.argv[1:4]


def test(machine, _folder):
    from machine import Failed
    machine.wait_for("^share: before")
    before = guest.settled_state(machine)
    if sorted(before) != ["qemu-system-x86", "venera-gpu", "venera-view"]:
        raise Failed("processes that were not expected: %s" % before)
    machine.wait_for("^share: after")
    after = guest.settled_state(machine, before)
    print("before: %s\nafter:  %s" % (before, after))
    if before != after:
        raise Failed("something was left on the host: %s before, %s after" % (before, after))


# the first rounds fill what is kept: the guest's caches, pools of descriptors
COMMAND = "share 4 && echo share: before && sleep 3 && share %s && echo share: after && sleep 12"
guest.run(BUILD, test, [PROGRAM], COMMAND % ROUNDS, seconds=540)
