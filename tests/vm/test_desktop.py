#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_desktop.py BUILD-FOLDER: a Wayland desktop in a virtual machine, with a terminal, vkcube for
Wayland and X11, and gears by Vulkan and by OpenGL, all at once. A word is typed into the terminal
through venera-view's window. The picture is kept as BUILD-FOLDER/desktop.png."""

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
os.environ["VENERA_BUILD"] = BUILD
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, "tools"))

from machine import Failed, Machine, Xvfb  # noqa: E402

SKIPPED = 77
GUEST = os.path.join(SOURCE, "build", "guest-desktop")
WORD = "Aurora-42_venera"
PAINT = (240, 180, 40)  # see desktop_paint
SIZE = (1280, 800)
TERMINAL = (200, 150)  # in the first window, which is put into the corner
SECONDS = 150


def load_picture(path):
    tool = os.path.join(SOURCE, "tools", "check-picture")
    loader = importlib.machinery.SourceFileLoader("check_picture", tool)
    spec = importlib.util.spec_from_loader("check_picture", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module.Picture(path)


def pixels(path):
    picture = load_picture(path)
    return [picture.pixel(x, y) for y in range(0, SIZE[1], 2) for x in range(0, SIZE[0], 2)]


def count_red(shot):
    return sum(r > 140 and g < 60 and b < 60 for r, g, b in shot)


def xdotool(*arguments):
    subprocess.run(["xdotool", *[str(a) for a in arguments]], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)


def shoot_until(machine, path, condition, what):
    """The guest may take its time to show something."""
    while True:
        machine.shoot(path)
        shot = pixels(path)
        if condition(shot):
            return shot
        if time.monotonic() > machine.deadline - 20:
            raise Failed("the screen does not show " + what)
        time.sleep(0.5)


def watch(machine, folder):
    path = os.path.join(folder, "shot.png")
    machine.wait_for("^desktop: started")
    # the large gear of each pair is red, more than 3000 of the pixels that are looked at
    shot = shoot_until(machine, path, lambda s: count_red(s) > 6000, "two red gears")
    shoot_until(machine, path, lambda s: sum(a != b for a, b in zip(shot, s)) > 2000,
                "anything that moves")

    # nobody manages windows here, and gives one the keyboard
    xdotool("search", "--onlyvisible", "--class", "Venera", "windowfocus", "--sync")
    xdotool("mousemove", *TERMINAL, "click", 1)
    time.sleep(1)
    xdotool("type", "--delay", 40, "desktop_paint %s\n" % WORD)
    line = machine.wait_for("^desktop: typed")
    if machine.lines[line] != "desktop: typed '%s'" % WORD:
        raise Failed("what was typed came as: " + machine.lines[line])
    shoot_until(machine, path, lambda s: s.count(PAINT) > 1500, "what was painted in the terminal")
    shutil.copy(path, os.path.join(BUILD, "desktop.png"))
    ended = [l for l in machine.lines if l.startswith("desktop: ended")]
    if ended:
        raise Failed("\n".join(ended))
    print("a terminal, two cubes, two pairs of gears; '%s' was typed" % WORD)

    # closing the window presses the power button
    end = time.monotonic() + 10
    machine.process.terminate()
    machine.wait_for("Power down|Power off")
    if time.monotonic() > end:
        raise Failed("the guest takes long to power off")
    print("the power button is heard")


def run(folder):
    shutil.copy(os.path.join(GUEST, "initrd-base.img"), folder)
    subprocess.run([os.path.join(SOURCE, "guest", "image", "update-programs"), "--output", folder,
                    os.path.join(HERE, "desktop_session"), os.path.join(HERE, "desktop_paint")],
                   check=True, stdout=subprocess.DEVNULL)
    machine = Machine(folder, "/usr/lib/venera/desktop desktop_session",
                      ["--display=window", "--window-size=%dx%d" % SIZE], ["-no-reboot"],
                      seconds=SECONDS, initrd=os.path.join(folder, "initrd.img"), guest=GUEST)
    try:
        watch(machine, folder)
    except Failed as failure:
        print("failed: %s" % failure)
        if os.path.exists(os.path.join(folder, "shot.png")):
            shutil.copy(os.path.join(folder, "shot.png"), os.path.join(BUILD, "desktop-failed.png"))
        machine.stop()
        machine.print_logs()
        sys.exit(1)
    finally:
        machine.stop()


def main():
    for program in ("Xvfb", "xdotool"):
        if not shutil.which(program):
            print("skipped: there is no %s" % program)
            sys.exit(SKIPPED)
    build = subprocess.run([os.path.join(SOURCE, "guest", "image", "build"), "--desktop"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           universal_newlines=True)
    if build.returncode:
        print("skipped: the guest with a desktop cannot be made: " + build.stdout)
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
