#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_several_clients.py VENERA-VTEST COMPUTE TRIANGLE: clients that run at the same time do not
disturb each other, and each has a render process of its own."""

import os
import time

import harness

CLIENTS = 4


def test(server, folder, arguments):
    compute, triangle = arguments
    running = []
    for i in range(CLIENTS):
        picture = os.path.join(folder, "%d.ppm" % i)
        for command in ([compute, "--driver=venus", "--repeat=5"],
                        [triangle, "--driver=venus", "--size=%dx300" % (200 + 100 * i),
                         "--ppm=" + picture]):
            running.append((server.start(command), command))
    most = 0
    while any(process.poll() is None for process, _ in running):
        most = max(most, len(server.render_processes()))
        # what they print meanwhile fits into the pipes
        time.sleep(0.02)
    for process, command in running:
        harness.finish(process, command)
    print("up to %d render processes at once" % most)
    harness.check(most >= 2, "the clients did not run at the same time")


harness.main(test)
