#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_sync_fds.py BUILD-FOLDER SYNC-FDS COMPUTE MESA: in a virtual machine, the guest's program SYNC-FDS finds that
sync_fds work, and COMPUTE computes. MESA is 'newest', the guest's own, or '25', that of Debian 13 as it was
released."""

import os
import sys
import tempfile

import guest

sys.path.insert(0, os.path.join(guest.SOURCE, "tests", "vtest"))
import mesa_25  # noqa: E402

BUILD, PROGRAM, COMPUTE, MESA = sys.argv[1:5]
INSIDE = "/opt/venera/bin/"
COMMAND = "sync_fds && compute --driver=venus"


def old_driver(folder):
    """The files of the old driver, for the guest."""
    library = mesa_25.fetch(os.path.join(folder, "apt"))
    if not library:
        print("skipped: Debian 13's own mesa-vulkan-drivers cannot be had")
        sys.exit(guest.SKIPPED)
    manifest = os.path.join(folder, "mesa-25.json")
    mesa_25.write_manifest(manifest, INSIDE + os.path.basename(library))
    return [library, manifest]


def test(machine, _folder):
    from machine import Failed
    machine.wait()
    said = "\n".join(machine.lines)
    if "all of it works" not in said or (MESA == "25") != ("Mesa 25." in said):
        raise Failed("that is not what it should say")


if MESA == "25":
    with tempfile.TemporaryDirectory(prefix="venera-test-") as driver:
        # vkSignalSemaphore of this driver may write its value over what the GPU has written
        guest.run(BUILD, test, [PROGRAM, COMPUTE] + old_driver(driver),
                  "export VK_DRIVER_FILES=%smesa-25.json VN_PERF=no_semaphore_feedback; %s" % (
                      INSIDE, COMMAND))
else:
    guest.run(BUILD, test, [PROGRAM, COMPUTE], COMMAND)
