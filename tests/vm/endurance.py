#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""endurance.py BUILD-FOLDER [SECONDS]: the cube at full speed in a window for SECONDS (600). Every
5 s the window gets another size, which the guest is told; every 15 s the cube ends and starts with
the mode that the display prefers then; in the middle the guest reboots. Nothing may crash, leak,
or stop for longer than 1 s while the cube turns, and no processor may copy a frame. Prints what it
saw."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tools"))

RESIZE_SECONDS = 5
RUN_SECONDS = 15
MAX_GAP = 1.0
# What a process may have more at the end than after its first minute.
MAX_GROWTH_KIB = 8192
SIZES = ((1280, 800), (1024, 768), (1600, 900), (801, 601), (1920, 1080), (640, 480))
PROCESSES = ("venera-gpu", "venera-view")


def children(pid):
    """Names by ids of all processes below one."""
    parents, names = {}, {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % entry) as file:
                text = file.read()
        except OSError:
            continue
        parents[int(entry)] = int(text.rsplit(")", 1)[1].split()[1])
        names[int(entry)] = text[text.index("(") + 1:text.rindex(")")]
    found = {pid}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more:
            return {p: names[p] for p in found}
        found |= more


def usage(pid):
    """Descriptors, mappings, and KiB of private memory."""
    with open("/proc/%d/status" % pid) as status, open("/proc/%d/maps" % pid) as maps:
        memory = int(re.search(r"^RssAnon:\s+(\d+)", status.read(), re.M).group(1))
        return len(os.listdir("/proc/%d/fd" % pid)), len(maps.readlines()), memory


class Watch:
    def __init__(self, machine, folder, seconds):
        self.machine = machine
        self.folder = folder
        self.control = None
        self.end = time.monotonic() + 3 * seconds + 300
        self.line = 0
        self.turning = False
        self.runs = self.boots = 0
        self.gaps = []
        self.rates = []
        self.last_frames = self.last_change = None
        self.stat = None
        self.at_run_end = []  # what the processes had when a run had ended
        self.copied_at_start = None
        self.next_resize = 0
        self.resizes = 0

    def fail(self, text):
        from machine import Failed
        raise Failed(text)

    def read_stat(self):
        import socket
        if not self.control:
            for name in os.listdir(self.folder):
                path = os.path.join(self.folder, name, "control.sock")
                if os.path.exists(path):
                    self.control = path
            if not self.control:
                return None
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(self.control)
                client.sendall(b"stat\n")
                with client.makefile() as file:
                    return json.load(file)["scanouts"][0]
        except (OSError, ValueError):
            return None  # the machine has ended

    def resize(self):
        width, height = SIZES[self.resizes % len(SIZES)]
        self.resizes += 1
        subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "Venera", "windowsize",
                        str(width), str(height)], stdout=subprocess.DEVNULL, check=False)

    def read_lines(self):
        while self.line < len(self.machine.lines):
            text = self.machine.lines[self.line]
            self.line += 1
            if text.startswith("turning for"):
                self.turning = True
                self.last_change = time.monotonic()
                self.last_frames = None
                self.copied_at_start = None
            elif re.match(r"\d+ frames in ", text):
                self.turning = False
                self.runs += 1
                self.rates.append(float(re.search(r"([\d.]+) frames per second", text).group(1)))
            elif text.startswith("endurance: boot"):
                self.boots += 1
            elif text.startswith("endurance: run over"):
                self.note_usage()

    def note_usage(self):
        time.sleep(0.3)  # until the renderer has ended
        names = children(self.machine.process.pid)
        if "venera-render" in names.values():
            time.sleep(2)
            names = children(self.machine.process.pid)
            if "venera-render" in names.values():
                self.fail("a render process outlives its program")
        self.at_run_end.append({name: usage(pid) for pid, name in names.items()
                                if name in PROCESSES})

    def look_at_frames(self):
        stat = self.read_stat()
        now = time.monotonic()
        if not stat or not self.turning:
            return
        self.stat = stat
        if self.copied_at_start is None and stat["direct"]:
            self.copied_at_start = stat["cpu_copied_bytes"]
        elif self.copied_at_start is not None and stat["direct"] and \
                stat["cpu_copied_bytes"] != self.copied_at_start:
            self.fail("a processor copies frames")
        if stat["frames"] != self.last_frames:
            if self.last_frames is not None:
                self.gaps.append(now - self.last_change)
            self.last_frames, self.last_change = stat["frames"], now
        elif now - self.last_change > 10:
            self.fail("no frame for 10 s")

    def run(self):
        while not self.machine.ended:
            if time.monotonic() > self.end:
                self.fail("it does not end")
            self.read_lines()
            self.look_at_frames()
            if time.monotonic() >= self.next_resize:
                self.next_resize = time.monotonic() + RESIZE_SECONDS
                self.resize()
            time.sleep(0.05)
        self.read_lines()

    def report(self, runs):
        print("%d runs of the cube in %d boots, %d sizes of the window" % (
            self.runs, self.boots, self.resizes))
        print("frames per second: %.1f to %.1f; the longest time without one: %.2f s" % (
            min(self.rates), max(self.rates), max(self.gaps)))
        print("the last counters: %s" % json.dumps(self.stat))
        for name in PROCESSES:
            print("%s: descriptors, mappings, KiB after each run: %s" % (
                name, " ".join("%d,%d,%d" % u[name] for u in self.at_run_end if name in u)))
        if self.runs != runs or self.boots != 2:
            self.fail("%d runs and 2 boots were expected" % runs)
        if max(self.gaps) > MAX_GAP:
            self.fail("nothing was shown for %.2f s" % max(self.gaps))
        ends = [u for u in self.at_run_end if len(u) == len(PROCESSES)]
        early, last = ends[min(3, len(ends) - 1)], ends[-1]
        for name in PROCESSES:
            for what, limit, a, b in zip(("descriptors", "mappings", "KiB of memory"),
                                         (2, 40, MAX_GROWTH_KIB), early[name], last[name]):
                if b > a + limit:
                    self.fail("%s leaks %s: %d, later %d" % (name, what, a, b))


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    build, seconds = os.path.abspath(sys.argv[1]), int((sys.argv[2:] or ["600"])[0])
    os.environ["VENERA_BUILD"] = build
    from machine import GUEST, Failed, Machine, Xvfb
    half = max(1, math.ceil(seconds / 2 / RUN_SECONDS))
    command = ("echo endurance: boot; i=0; while [ $i -lt %d ]; do i=$((i+1)); "
               "cube --driver=venus --seconds=%d || exit 1; "
               "echo endurance: run over; sleep 3; done; "
               "if [ ! -e /root/again ]; then "
               "touch /root/again; sync; reboot -f; sleep 60; exit 1; fi" % (half, RUN_SECONDS))
    folder = tempfile.mkdtemp(prefix="venera-endurance-")
    machine = server = None
    try:
        shutil.copy(os.path.join(GUEST, "initrd-base.img"), folder)
        subprocess.run([os.path.join(SOURCE, "guest", "image", "update-programs"),
                        "--output", folder, os.path.join(build, "guest", "demos", "cube")],
                       check=True, stdout=subprocess.DEVNULL)
        server = Xvfb(os.path.join(folder, "xvfb.log"), "1920x1080")
        os.environ["DISPLAY"] = server.display
        machine = Machine(folder, command, ["--display=window"], [], "quiet", 3 * seconds + 300,
                          dict(os.environ, XDG_RUNTIME_DIR=folder),
                          os.path.join(folder, "initrd.img"))
        watch = Watch(machine, folder, seconds)
        watch.run()
        machine.wait()
        watch.report(2 * half)
        with open(os.path.join(folder, "venera.log")) as log:
            said = [line for line in log if ": error: " in line or ": warning: " in line]
        if said:
            raise Failed("Venera said:\n" + "".join(said))
        print("endurance: ok")
    except Failed as failure:
        print("failed: %s" % failure)
        if machine:
            machine.stop()
            machine.print_logs()
        sys.exit(1)
    finally:
        if machine:
            machine.stop()
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
