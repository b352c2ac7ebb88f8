#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_cube.py BUILD-FOLDER CUBE TRIANGLE [LAYERS]: in a virtual machine there is a swapchain and all
that it needs, the cube turns, the triangle is shown, and no processor of the host copies any of that. A view
that is killed comes back, with the picture. With LAYERS, on a host as poor as MoltenVK."""

import os
import signal
import subprocess
import sys
import time

import guest

BUILD, CUBE, TRIANGLE = sys.argv[1:4]
LAYERS = sys.argv[4] if len(sys.argv) > 4 else None
CHECK_PICTURE = os.path.join(guest.SOURCE, "tools", "check-picture")
EXTENSIONS = ("VK_KHR_swapchain", "VK_KHR_external_memory_fd", "VK_EXT_external_memory_dma_buf",
              "VK_EXT_image_drm_format_modifier", "VK_EXT_queue_family_foreign")
PICTURES = 3


def shoot(machine, folder, what, number=0):
    """A screenshot, which must be right; its bytes."""
    from machine import Failed
    path = os.path.join(folder, "%s%d.png" % (what, number))
    machine.shoot(path)
    result = subprocess.run([sys.executable, CHECK_PICTURE, what, path], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    if result.returncode:
        raise Failed(result.stdout)
    with open(path, "rb") as picture:
        return picture.read()


def view_process(machine):
    """The id of venera-view; 0: there is none."""
    pids = [machine.process.pid]
    while pids:
        pid = pids.pop()
        if guest.name_of(pid) == "venera-view":
            return pid
        pids += guest.children_of(pid)
    return 0


def kill_view(machine, folder):
    from machine import Failed
    killed = view_process(machine)
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 20
    frames = None
    while True:
        if time.monotonic() > deadline:
            raise Failed("no view comes back")
        time.sleep(0.1)
        if view_process(machine) in (0, killed):
            continue
        now = machine.stat()["frames"]
        if frames is not None and now > frames + 1:
            break
        frames = now if frames is None else frames
    shoot(machine, folder, "cube", PICTURES)


def test(machine, folder):
    from machine import Failed
    start = machine.wait_for("^turning for")
    for name in EXTENSIONS:
        if not any(line.strip().startswith(name + " ") for line in machine.lines[:start]):
            raise Failed("vulkaninfo in the guest does not list " + name)
    machine.wait_for("frames per second", start)  # the first second is over
    before = machine.stat()
    pictures = set()
    for number in range(PICTURES):
        pictures.add(shoot(machine, folder, "cube", number))
        time.sleep(0.4)
    after = machine.stat()
    if len(pictures) != PICTURES:
        raise Failed("the cube does not turn: of %d pictures only %d differ" % (
            PICTURES, len(pictures)))
    if any("frames in" in line for line in machine.lines[start:]):
        raise Failed("the cube had ended before all was seen")
    print("before: %s\nafter:  %s" % (before, after))
    if after["cpu_copied_bytes"] != before["cpu_copied_bytes"]:
        raise Failed("a processor copies what is shown")
    frames, blits = after["frames"] - before["frames"], after["gpu_blits"] - before["gpu_blits"]
    if frames < PICTURES or blits < frames:
        raise Failed("%d frames with %d GPU blits" % (frames, blits))

    kill_view(machine, folder)
    if any("frames in" in line for line in machine.lines[start:]):
        raise Failed("the cube had ended before all was seen")

    machine.wait_for("^showing for")
    time.sleep(0.5)
    shoot(machine, folder, "triangle")


# each program prints enough when it fails
COMMAND = ("vulkaninfo | grep ' VK_\\|\tVK_'; cube --driver=venus --seconds=20 && "
           "cube --buffers=2 --seconds=1 --size=800x600 && "
           "triangle --driver=venus --zero-copy --seconds=4")
guest.run(BUILD, test, [CUBE, TRIANGLE], COMMAND, LAYERS)
