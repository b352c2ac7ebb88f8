#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_demos.py VENERA-VTEST DEMO...: our demo programs work, triangle draws exactly what it draws
on the host's driver, and what memtest frees is given back to the host. With --validate
in front of the demos, the host's validation layer has nothing to say about it."""

import filecmp
import os
import sys

import harness

# What a render process shares with its client besides device memory: rings, replies, uploads.
SHARED_REST = 24 << 20


def triangle(server, folder, program):
    ours, theirs = os.path.join(folder, "ours.ppm"), os.path.join(folder, "theirs.ppm")
    print(server.run([program, "--driver=venus", "--ppm=" + ours]))
    harness.finish(server.start([program, "--ppm=" + theirs], server.host_environment()), [program])
    harness.check(filecmp.cmp(ours, theirs, shallow=False),
                  "the picture is not the one that the host draws")


def compute(server, folder, program):
    print(server.run([program, "--driver=venus", "--repeat=3"]))


def memtest(server, folder, program):
    command = [program, "--driver=venus", "--linger=2"]
    if "--validate" in sys.argv:
        command += ["--max-size=1M"]
    client = server.start(command)
    lines, shared = [], None
    for line in client.stdout:
        lines.append(line)
        if line.startswith("everything is freed"):
            render = server.render_processes()[0]
            harness.wait_until(lambda: harness.status_field(render, "RssShmem") < SHARED_REST,
                               "freed memory is given back to the host", 1.5)
            shared = harness.status_field(render, "RssShmem")
            # but for a few that the client's driver keeps for itself
            harness.wait_until(
                lambda: harness.most_held(harness.memory_holders(server.process.pid)) <= 4,
                "nobody holds freed memory", 1.5)
    print("".join(lines))
    harness.finish(client, command)
    harness.check(shared is not None, "memtest did not say when everything was freed")
    print("%d KiB are still shared when everything is freed" % (shared >> 10))


def test(server, folder, arguments):
    tests = {"triangle": triangle, "compute": compute, "memtest": memtest}
    for program in arguments:
        if not program.startswith("--"):
            tests[os.path.basename(program)](server, folder, program)
            server.expect_idle()
    found = [line for line in server.log().splitlines()
             if "VUID" in line or "Validation" in line or "error" in line]
    harness.check(not found, "the host's side has found errors")


harness.main(test, *(["--validate"] if "--validate" in sys.argv else []))
