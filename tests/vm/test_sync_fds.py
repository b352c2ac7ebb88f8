#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_sync_fds.py BUILD-FOLDER SYNC-FDS COMPUTE MESA: in a virtual machine, the guest's program SYNC-FDS finds that
sync_fds work, and COMPUTE computes. MESA is 'newest', the guest's own, or '25', that of Debian 13 as it was
released."""

import os
import shutil
import subprocess
import sys
import tempfile

BUILD, PROGRAM, COMPUTE, MESA = sys.argv[1:5]
os.environ["VENERA_BUILD"] = os.path.abspath(BUILD)
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tools"))
sys.path.insert(0, os.path.join(SOURCE, "tests", "vtest"))

import mesa_25  # noqa: E402
from machine import GUEST, Failed, Machine  # noqa: E402

SECONDS = 240
INSIDE = "/opt/venera/bin/"
SKIPPED = 77


def add_driver(folder):
    """The files of the old driver, for the guest."""
    library = mesa_25.fetch(os.path.join(folder, "apt"))
    if not library:
        print("skipped: Debian 13's own mesa-vulkan-drivers cannot be had")
        sys.exit(SKIPPED)
    manifest = os.path.join(folder, "mesa-25.json")
    mesa_25.write_manifest(manifest, INSIDE + os.path.basename(library))
    return [library, manifest]


def run(folder):
    programs = [PROGRAM, COMPUTE]
    command = "sync_fds && compute --driver=venus"
    if MESA == "25":
        programs += add_driver(folder)
        # vkSignalSemaphore of this driver may write its value over what the GPU has written
        command = "export VK_DRIVER_FILES=%smesa-25.json VN_PERF=no_semaphore_feedback; %s" % (
            INSIDE, command)
    shutil.copy(os.path.join(GUEST, "initrd-base.img"), folder)
    subprocess.run([os.path.join(SOURCE, "guest", "image", "update-programs"), "--output", folder,
                    *programs], check=True, stdout=subprocess.DEVNULL)
    machine = Machine(folder, command, ["--display=headless"], ["-no-reboot"], "quiet", SECONDS,
                      initrd=os.path.join(folder, "initrd.img"))
    try:
        machine.wait()
        said = "\n".join(machine.lines)
        if "all of it works" not in said or (MESA == "25") != ("Mesa 25." in said):
            raise Failed("that is not what it should say")
        print(said[said.index("Virtio-GPU"):])
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
