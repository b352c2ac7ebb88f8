#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""qemu_faults.py VENERA-GPU GUEST-BLOBS: which of the workarounds of vhost_user_qemu.c does this
QEMU need? Leaves out one after the other and tries what it is there for. Takes some minutes; to be
run by hand when there is a new QEMU. The exit code is 0 when all are needed that show: what the barrier
is there for happens once in thousands of times, on some machines (CYCLES, default 3000).
"""

import os
import sys
import time

import test_qemu
from front_end import Failure
from test_qemu import Machine

BARRIER_CYCLES = int(os.environ.get("CYCLES", "3000"))


def reset(machine):
    machine.wait_more("hold: 100 mapped")
    machine.wait_more("hold: tick", 3)
    machine.qmp("system_reset")
    machine.wait_more("hold: 100 mapped")


def pause_and_reset(machine):
    machine.wait_more("hold: 100 mapped")
    machine.wait_more("hold: tick", 3)
    machine.qmp("stop")
    machine.qmp("cont")
    machine.wait_more("hold: tick", 3)
    machine.qmp("system_reset")
    machine.wait_more("hold: 100 mapped")


def pause_often(machine):
    machine.wait_more("hold: 100 mapped")
    for i in range(100):
        machine.qmp("stop")
        machine.qmp("cont")
        time.sleep(0.01 * (i % 7))
    machine.wait_more("hold: tick", 3)


def fill(machine):
    machine.wait_more("fill: 600 mapped")


def cycles(machine):
    machine.wait_more("cycles: %d," % BARRIER_CYCLES)
    if "cycles: %d, 0 bad" % BARRIER_CYCLES not in machine.serial():
        raise Failure("the guest saw memory of before")


HOLD = "guest_blobs hold 5 1000 & guest_blobs hold 10 1000 & guest_blobs hold 100 1000; sleep 1000"
CASES = (
    ("refusal", HOLD, reset),
    ("refusal,veto", HOLD, pause_and_reset),
    ("guard", HOLD, pause_often),
    ("cap", "guest_blobs fill; sleep 1000", fill),
    ("barrier", "guest_blobs cycles %d; sleep 1000" % BARRIER_CYCLES, cycles),
)


def main():
    needed = set()
    test_qemu.PATIENCE = 60
    for names, command, try_it in CASES:
        if len(sys.argv) > 3 and names not in sys.argv[3:]:
            continue
        os.environ["VENERA_QEMU_WITHOUT"] = names
        machine = Machine(command)
        try:
            try_it(machine)
            print("%s: not needed, as far as this shows" % names)
        except (Failure, OSError) as failure:
            needed.add(names)
            time.sleep(0.5)
            code = machine.qemu.poll()
            if os.environ.get("VERBOSE"):
                print(failure)
            print("%s: needed: %s" % (names, str(failure).split("\n")[0] if code is None else
                                      "QEMU ended with code %d" % code))
        finally:
            machine.finish()
        sys.stdout.flush()
    return 0 if needed >= {"refusal", "refusal,veto", "guard", "cap"} else 1


if __name__ == "__main__":
    sys.exit(main())
