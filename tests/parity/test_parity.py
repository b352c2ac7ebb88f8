#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_parity.py VENERA-VTEST PARITY MODE [CASE...]: the program PARITY, with its arguments CASE, says the same on
the host's driver and through Venera.

MODE is 'default', a list for VN_PERF (the guest driver's ways to use the protocol differently,
all of which must come to the same), or 'mesa-25' or 'mesa-25:LIST' for the driver of Debian 13 as it
was released. With "windows" as MODE there is an X server, and nothing is run but what needs it."""

import contextlib
import difflib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vtest"))
import harness  # noqa: E402
import mesa_25  # noqa: E402

# What Debian 13's driver has not: sparse resources, VK_EXT_sample_locations, host image copies.
NOT_IN_MESA_25 = ("api sparse-formats", "api sample-locations",
                  "devices lacking-features", "descriptors pushed", "sparse buffers",
                  "sparse images", "sparse batches", "swapchain headless", "windows without",
                  "random formats", "random images", "random set-layouts",
                  "memory sparse", "image host-copies", "formats sparse", "formats requirements",
                  "draw nested", "dynamic alone-new", "mesh draws", "ray queries", "ray pipelines",
                  "pass nothing", "pass local-read", "pass to-single-sampled",
                  "commands second-binds", "commands inputs", "commands robustness")

# The modes make no difference to these.
ONLY_BY_DEFAULT = ("image far-host-copies", "random formats", "random set-layouts",
                   "large shaders", "large passes")


def test(server, folder, arguments):
    program, mode, *cases = arguments
    env = {}
    command = [program, *cases]
    version, _, perf = mode.partition(":")
    screen = contextlib.nullcontext({})
    if mode == "windows":
        command += ["windows with"]
        screen = harness.display(folder)
    elif version == "mesa-25":
        env = mesa_25.environment(folder)
        if not env:
            server.stop()
            harness.skip("Debian 13's own mesa-vulkan-drivers cannot be had")
        command += ["-" + name for name in NOT_IN_MESA_25]
    elif version != "default":
        perf = mode
    if mode != "default":
        command += ["-" + name for name in ONLY_BY_DEFAULT]
    if perf:
        env["VN_PERF"] = perf
        env["VN_DEBUG"] = "vtest," + perf  # where some versions have some of them
    with screen as of_screen:
        native = server.host_environment()
        native.update(of_screen)
        env.update(of_screen)
        theirs = harness.finish(server.start(command, native), command)
        ours = server.run(command, env)
    # Mesa 25 tells us of a leak of its own
    ours = "".join(line for line in ours.splitlines(keepends=True)
                   if not line.startswith("MESA-VIRTIO: debug:"))
    harness.check(len(theirs.splitlines()) > 100, "the program says too little:\n" + theirs)
    harness.check("ended " not in theirs, "it does not work on the host:\n" + theirs[-2000:])
    different = list(difflib.unified_diff(
        theirs.splitlines(), ours.splitlines(), "host", "Venera", lineterm="", n=3))
    print("\n".join(different[:300]))
    harness.check(not different, "there are differences")
    print("%d lines are the same" % len(theirs.splitlines()))


harness.main(test)
