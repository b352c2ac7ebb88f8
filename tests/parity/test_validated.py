#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_validated.py VENERA-VTEST PARITY [CASE...]: with Khronos' validation layer on the host's side, each
case of the program PARITY says through Venera what it says on the host's driver, and the layer finds
nothing that it does not find in the same case without Venera."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vtest"))
import harness  # noqa: E402
import validation  # noqa: E402


def split(output):
    """{case: what it says}"""
    cases = {}
    for line in output.splitlines():
        if line.startswith("\t"):
            cases[name].append(line)
        else:
            name = line
            cases[name] = []
    return cases


def run_natively(server, command):
    return harness.finish(server.start(command, server.host_environment()), command)


def run_validated(server, command):
    """What it says, and the lines of our log."""
    before = len(server.log())
    output = server.run(command)
    # what is left over at the end is found at the end
    harness.wait_until(lambda: not server.render_processes(), "the render processes are gone")
    return output, server.log()[before:]


def messages_without_venera(server, command):
    env = validation.host_environment(server)
    return validation.messages_of(harness.finish(server.start(command, env), command))


def test(server, folder, arguments):
    program, wanted = arguments[0], arguments[1:]
    cases = split(run_natively(server, [program, *wanted]))
    wrong, known = [], 0
    for case, theirs in cases.items():
        output, log = run_validated(server, [program, case])
        if "the Vulkan validation layer is not installed" in log:
            server.stop()
            harness.skip("no validation layer")
        ours = split(output).get(case)
        if ours != theirs:
            wrong.append("%s: says\n%s\nand through Venera\n%s" %
                         (case, "\n".join(theirs), "\n".join(ours or [])))
        found = validation.messages_of(log)
        if found:
            known += 1
            found -= messages_without_venera(server, [program, case])
        if found:
            wrong.append("%s: %s\n%s" % (case, ", ".join(sorted(found)), log))
    print("%d cases, %d with messages of their own" % (len(cases), known))
    print("\n".join(wrong))
    harness.check(not wrong, "%d complaints" % len(wrong))


harness.main(test, "--validate", "--no-spare")
