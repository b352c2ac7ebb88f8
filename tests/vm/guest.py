# SPDX-License-Identifier: MIT
"""Virtual machines with programs of a test's own in the guest, and what they leave on the host."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tools"))

SKIPPED = 77
PROGRAMS = ("venera-gpu", "venera-render", "venera-view", "qemu-system-x86")


def run(build, test, programs, command, layers=None, seconds=240):
    """Boots a guest that has `programs` and runs `command`, and calls test(machine, folder) beside it; ends the
    process unless all went well. `layers` is a folder of Vulkan layers: then the host is as poor as MoltenVK."""
    os.environ["VENERA_BUILD"] = os.path.abspath(build)
    from machine import GUEST, Failed, Machine
    for name in ("initrd-base.img", "vmlinuz", "disk.ext4"):
        if not os.path.exists(os.path.join(GUEST, name)):
            print("skipped: there is no guest image")
            sys.exit(SKIPPED)
    folder = tempfile.mkdtemp(prefix="venera-test-")
    machine = None
    try:
        shutil.copy(os.path.join(GUEST, "initrd-base.img"), folder)
        subprocess.run([os.path.join(SOURCE, "guest", "image", "update-programs"), "--output",
                        folder, *programs], check=True, stdout=subprocess.DEVNULL)
        # "venera stat" finds no other machine there
        env = dict(os.environ, XDG_RUNTIME_DIR=folder)
        if layers:
            env.update(VENERA_STRICT="moltenvk", VK_INSTANCE_LAYERS="VK_LAYER_VENERA_strict",
                       VK_ADD_LAYER_PATH=layers)
        machine = Machine(folder, command, ["--display=headless"], ["-no-reboot"], "quiet", seconds,
                          env, os.path.join(folder, "initrd.img"))
        test(machine, folder)
        machine.wait()
        print("\n".join(machine.lines))
    except Failed as failure:
        print("failed: %s" % failure)
        if machine:
            machine.stop()
            machine.print_logs()
        sys.exit(1)
    finally:
        if machine:
            machine.stop()
        shutil.rmtree(folder, ignore_errors=True)


def children_of(pid):
    found = []
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as children:
                found += [int(child) for child in children.read().split()]
    except FileNotFoundError:
        pass
    return found


def name_of(pid):
    try:
        with open("/proc/%d/comm" % pid, encoding="ascii", errors="replace") as comm:
            return comm.read().strip()
    except FileNotFoundError:
        return ""


def is_memory(text):
    return "/memfd:" in text or "/dev/shm/ven" in text  # the latter in a portable build


def count_memory_files(pid):
    """(descriptors, mappings) of shared memory."""
    descriptors = mappings = 0
    try:
        for fd in os.listdir("/proc/%d/fd" % pid):
            descriptors += is_memory(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        with open("/proc/%d/maps" % pid, encoding="utf-8", errors="replace") as maps:
            mappings = sum(is_memory(line) for line in maps)
    except FileNotFoundError:
        pass
    return descriptors, mappings


def host_state(machine):
    """{program: [(descriptors of it, shared memory it has open, and mapped) of each process]}"""
    state = {}
    pids = [machine.process.pid]
    while pids:
        pid = pids.pop()
        pids += children_of(pid)
        name = name_of(pid)
        if name in PROGRAMS:
            try:
                count = len(os.listdir("/proc/%d/fd" % pid))
            except FileNotFoundError:
                continue
            state.setdefault(name, []).append((count, *count_memory_files(pid)))
    return state


def settled_state(machine, wanted=None, seconds=10):
    """The state when it is as wanted, or else when it has not changed for half a second."""
    end = time.monotonic() + seconds
    since, state = time.monotonic(), host_state(machine)
    while time.monotonic() < end:
        time.sleep(0.1)
        before, state = state, host_state(machine)
        if state != before:
            since = time.monotonic()
        elif state == wanted or (wanted is None and time.monotonic() - since > 0.5):
            break
    return state
