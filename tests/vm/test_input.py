#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_input.py BUILD-FOLDER GUEST-INPUT INPUT-CODES.H: what is done with keyboard
and mouse in venera-view's window, by xdotool on an X server of our own, arrives in a virtual
machine, where the program GUEST-INPUT prints it. Every key of INPUT-CODES.H is pressed."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

BUILD, PROGRAM, CODES = sys.argv[1:4]
os.environ["VENERA_BUILD"] = os.path.abspath(BUILD)
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tools"))

from machine import GUEST, Failed, Machine, Xvfb  # noqa: E402

SKIPPED = 77
SIZE = (800, 600)
X11_OFFSET = 8
KEYS = {"ESC": 1, "A": 30, "LEFTCTRL": 29, "LEFTALT": 56, "CAPSLOCK": 58}
BUTTONS = {1: 0x110, 3: 0x111, 2: 0x112, 8: 0x113, 9: 0x114}  # by the number in X11
ABS_X, ABS_Y, REL_WHEEL = 0, 1, 8
# The guest's keyboard driver may put repetitions between what we wait for.
REPEAT = 2


def check(actual, expected, what):
    if actual != expected:
        raise Failed("%s: expected %s, got %s" % (what, expected, actual))


class Window:
    """xdotool on venera-view's window."""

    def __init__(self, machine):
        self.machine = machine
        self.seen = machine.wait_for("^input: ready") + 1
        self.id = self.xdotool("search", "--sync", "--onlyvisible", "--class", "Venera").split()[0]
        self.xdotool("windowfocus", "--sync", self.id)
        self.settle_pointer()

    def xdotool(self, *arguments):
        return subprocess.run(["xdotool", *[str(a) for a in arguments]], check=True, timeout=60,
                              stdout=subprocess.PIPE, universal_newlines=True).stdout

    def move(self, x, y):
        self.xdotool("mousemove", "--sync", x, y)

    def settle_pointer(self):
        """In the end it is in a known place, and the guest knows it. The picture, without which
        it is nowhere, may come late."""
        for i in range(100):
            self.move(10 + i, 10)
            time.sleep(0.2)
            if any(line.startswith("abs") for line in self.machine.lines[self.seen:]):
                break
        time.sleep(0.5)
        self.seen = len(self.machine.lines)

    def key(self, action, code):
        # a single digit would be the name of a key
        keycode = code + X11_OFFSET
        self.xdotool(action, keycode if keycode > 9 else "Escape")

    def next(self):
        """The guest's next event that is no repetition."""
        while True:
            line = self.machine.wait_for("^(key|abs|rel) ", self.seen)
            self.seen = line + 1
            kind, code, value = self.machine.lines[line].split()
            if kind != "key" or int(value) != REPEAT:
                return kind, int(code), int(value)

    def expect(self, *events):
        for event in events:
            check(self.next(), event, "event in the guest")


def test_keys(window):
    with open(CODES) as file:
        codes = [int(c) for c in re.findall(r"INPUT_KEY_\w+ = (\d+),", file.read())]
    if len(codes) < 140:
        raise Failed("%s names few keys" % CODES)
    for code in codes:
        window.key("key", code)
        window.expect(("key", code, 1), ("key", code, 0))
    print("%d keys are right" % len(codes))


def test_held_key(window):
    """The guest repeats it, by itself; it is released with the focus."""
    window.key("keydown", KEYS["A"])
    window.expect(("key", KEYS["A"], 1))
    window.machine.wait_for("^key %d %d$" % (KEYS["A"], REPEAT), window.seen)
    window.xdotool("windowfocus", 0)
    window.expect(("key", KEYS["A"], 0))
    window.key("keyup", KEYS["A"])
    window.xdotool("windowfocus", "--sync", window.id)
    print("a held key is right")


def test_locks(window):
    """A lock that is toggled while another window has the keyboard is toggled later."""
    window.xdotool("windowfocus", 0)
    window.key("key", KEYS["CAPSLOCK"])
    window.xdotool("windowfocus", "--sync", window.id)
    window.key("key", KEYS["A"])
    window.expect(("key", KEYS["CAPSLOCK"], 1), ("key", KEYS["CAPSLOCK"], 0),
                  ("key", KEYS["A"], 1), ("key", KEYS["A"], 0))
    window.key("key", KEYS["CAPSLOCK"])
    window.expect(("key", KEYS["CAPSLOCK"], 1), ("key", KEYS["CAPSLOCK"], 0))
    window.key("key", KEYS["A"])
    window.expect(("key", KEYS["A"], 1), ("key", KEYS["A"], 0))
    print("locks are right")


def test_grab(window):
    """Ctrl+Alt+G is ours; while it holds, the title tells how to get away."""
    for grabbed in (True, False):
        window.xdotool("key", "ctrl+alt+g")
        window.expect(("key", KEYS["LEFTCTRL"], 1), ("key", KEYS["LEFTALT"], 1))
        # released in whatever order
        check({window.next(), window.next()},
              {("key", KEYS["LEFTCTRL"], 0), ("key", KEYS["LEFTALT"], 0)}, "releases")
        title = window.xdotool("getwindowname", window.id)
        check("Ctrl+Alt+G" in title, grabbed, "title '%s' speaks of the grab" % title.strip())
    print("the grab is right")


def test_pointer(window):
    # GLFW says nothing of a pointer that comes to (0, 0)
    for x, y in ((0, 5), (SIZE[0] - 1, SIZE[1] - 1), (5, 0), (200, 450), (400, 300)):
        window.move(x, y)
        window.expect(("abs", ABS_X, int(x / (SIZE[0] - 1) * 0x7fff + 0.5)),
                      ("abs", ABS_Y, int(y / (SIZE[1] - 1) * 0x7fff + 0.5)))
    for button, code in sorted(BUTTONS.items()):
        if button == 9:
            continue  # ends the guest's program
        window.xdotool("click", button)
        window.expect(("key", code, 1), ("key", code, 0))
    window.xdotool("click", 4)
    window.expect(("rel", REL_WHEEL, 1))
    window.xdotool("click", 5)
    window.expect(("rel", REL_WHEEL, -1))
    print("pointer, buttons and wheel are right")


def test_speed(window):
    """Nothing is lost however fast it comes, but for where the pointer was between."""
    path = []
    for i in range(100):
        path += ["mousemove", 100 + i * 3, 100 + i]
    window.xdotool(*path, "mousedown", 1, "mousemove", 100, 100, "mouseup", 1)
    last = None
    while True:
        kind, code, value = window.next()
        if kind == "key":
            break
        last = (code, value) if code == ABS_X else last
    check((code, value), (BUTTONS[1], 1), "press")
    check(last, (ABS_X, int(397 / (SIZE[0] - 1) * 0x7fff + 0.5)), "where it was pressed")
    window.expect(("abs", ABS_X, int(100 / (SIZE[0] - 1) * 0x7fff + 0.5)),
                  ("abs", ABS_Y, int(100 / (SIZE[1] - 1) * 0x7fff + 0.5)),
                  ("key", BUTTONS[1], 0))
    print("a fast pointer is right")


def run(folder):
    shutil.copy(os.path.join(GUEST, "initrd-base.img"), folder)
    subprocess.run([os.path.join(SOURCE, "guest", "image", "update-programs"), "--output", folder,
                    PROGRAM], check=True, stdout=subprocess.DEVNULL)
    # the key for power would end the guest, as the button does
    command = "rm -r /etc/acpi; modprobe -a evdev virtio_input; guest_input"
    machine = Machine(folder, command, ["--display=window", "--window-size=%dx%d" % SIZE],
                      ["-no-reboot"], "quiet", initrd=os.path.join(folder, "initrd.img"))
    try:
        window = Window(machine)
        test_keys(window)
        test_held_key(window)
        test_locks(window)
        test_grab(window)
        test_pointer(window)
        test_speed(window)
        window.xdotool("click", 9)
        window.expect(("key", BUTTONS[9], 1), ("key", BUTTONS[9], 0))
        machine.wait()
    except Failed as failure:
        print("failed: %s" % failure)
        machine.stop()
        machine.print_logs()
        sys.exit(1)
    finally:
        machine.stop()


def main():
    for name in ("initrd-base.img", "vmlinuz", "disk.ext4"):
        if not os.path.exists(os.path.join(GUEST, name)):
            print("skipped: there is no guest image")
            sys.exit(SKIPPED)
    for program in ("Xvfb", "xdotool"):
        if not shutil.which(program):
            print("skipped: there is no %s" % program)
            sys.exit(SKIPPED)
    folder = tempfile.mkdtemp(prefix="venera-test-")
    server = Xvfb(os.path.join(folder, "xvfb.log"))
    os.environ["DISPLAY"] = server.display
    os.environ.pop("WAYLAND_DISPLAY", None)
    try:
        run(folder)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
