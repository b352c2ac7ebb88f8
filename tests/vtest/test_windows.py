#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_windows.py VENERA-VTEST vkcube|vkmark|vkmark-headless: programs that others wrote show what
they draw, the first two in a window on an X server without a screen."""

import re

import harness

SCENES = [
    "clear", "vertex:device-local=true", "vertex:device-local=false",
    "texture:texture-filter=linear", "shading:shading=phong", "effect2d:kernel=edge", "desktop",
    "cube",
]


def vkcube(server, folder):
    harness.need("vkcube")
    with harness.display(folder) as env:
        print(server.run(["vkcube", "--c", "200", "--suppress_popups"], env))


def vkmark(server, folder, winsys):
    harness.need("vkmark")
    command = ["vkmark", "--winsys", winsys, "--size", "320x240"]
    for scene in SCENES:
        command += ["--benchmark", scene + ":duration=0.5"]
    with harness.display(folder) as env:
        output = server.run(command, env)
    print(output)
    harness.check("Virtio-GPU Venus" in output, "vkmark did not use Venus")
    rates = re.findall(r"FPS: (\d+)", output)
    harness.check(len(rates) == len(SCENES), "%d of %d scenes ran" % (len(rates), len(SCENES)))
    harness.check(all(int(rate) > 0 for rate in rates), "a scene did not draw anything")


def test(server, folder, arguments):
    if arguments[0] == "vkcube":
        vkcube(server, folder)
    elif arguments[0] == "vkmark":
        vkmark(server, folder, "xcb")
    else:
        vkmark(server, folder, "headless")


harness.main(test)
