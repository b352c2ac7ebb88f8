#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_memory.py BUILD-FOLDER MEMTEST: in a virtual machine, the guest's program MEMTEST allocates, maps and frees
device memory. When all is freed nothing of it is left on the host: no mapping in QEMU and no descriptor in
venera-gpu and venera-render."""

import os
import sys
import time

import guest

sys.path.insert(0, os.path.join(guest.SOURCE, "tests", "vtest"))
from harness import memory_holders, most_held  # noqa: E402

BUILD, PROGRAM = sys.argv[1:3]
# MEMTEST maps so many allocations at once, and the guest's driver keeps a few for itself.
MANY, KEPT = 200, 4


def watch(machine, condition, what, seconds):
    """Looks at the holders until the condition holds."""
    from machine import Failed
    end = time.monotonic() + seconds
    while True:
        found = memory_holders(machine.process.pid)
        if condition(found):
            return found
        if machine.ended or time.monotonic() > end:
            raise Failed("%s: %s" % (what, found))
        time.sleep(0.005)


def test(machine, _folder):
    machine.wait_for("^memory type")
    seen = watch(machine, lambda found: most_held(found) >= MANY, "so much is never mapped", 60)
    print("in use:", seen)
    machine.wait_for("^everything is freed")
    left = watch(machine, lambda found: most_held(found) <= KEPT, "freed memory is still held", 10)
    print("left:", left)


guest.run(BUILD, test, [PROGRAM], "memtest --driver=venus --max-size=16M --linger=15")
