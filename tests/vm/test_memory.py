#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_memory.py BUILD-FOLDER MEMTEST: in a virtual machine, the guest's program MEMTEST allocates, maps and frees
device memory. When all is freed nothing of it is left on the host: no mapping in QEMU and no descriptor in
venera-gpu and venera-render."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

BUILD, PROGRAM = sys.argv[1:3]
os.environ["VENERA_BUILD"] = os.path.abspath(BUILD)
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tools"))
sys.path.insert(0, os.path.join(SOURCE, "tests", "vtest"))

from harness import memory_holders, most_held  # noqa: E402
from machine import GUEST, Failed, Machine  # noqa: E402

SECONDS = 240
SKIPPED = 77
# MEMTEST maps so many allocations at once, and the guest's driver keeps a few for itself.
MANY, KEPT = 200, 4


def watch(machine, condition, what, seconds):
    """Looks at the holders until the condition holds."""
    end = time.monotonic() + seconds
    while True:
        found = memory_holders(machine.process.pid)
        if condition(found):
            return found
        if machine.ended or time.monotonic() > end:
            raise Failed("%s: %s" % (what, found))
        time.sleep(0.005)


def run(folder):
    shutil.copy(os.path.join(GUEST, "initrd-base.img"), folder)
    subprocess.run([os.path.join(SOURCE, "guest", "image", "update-programs"), "--output", folder,
                    PROGRAM], check=True, stdout=subprocess.DEVNULL)
    machine = Machine(folder, "memtest --driver=venus --max-size=16M --linger=15",
                      ["--display=headless"], ["-no-reboot"], "quiet", SECONDS,
                      initrd=os.path.join(folder, "initrd.img"))
    try:
        machine.wait_for("^memory type")
        seen = watch(machine, lambda found: most_held(found) >= MANY, "so much is never mapped", 60)
        print("in use:", seen)
        freed = machine.wait_for("^everything is freed")
        left = watch(machine, lambda found: most_held(found) <= KEPT, "freed memory is still held", 10)
        print("left:", left)
        print("\n".join(machine.lines[:freed]))
    except Failed as failure:
        machine.stop()
        print("failed: %s" % failure)
        machine.print_logs()
        sys.exit(1)
    finally:
        machine.stop()


def main():
    for name in ("initrd-base.img", "vmlinuz", "disk.ext4"):
        if not os.path.exists(os.path.join(GUEST, name)):
            print("skipped: there is no guest image")
            sys.exit(SKIPPED)
    folder = tempfile.mkdtemp(prefix="venera-test-")
    try:
        run(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
