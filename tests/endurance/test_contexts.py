#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_contexts.py VENERA-VTEST COMPUTE COUNT: contexts come and go, each with devices, memory and rings,
a few of them by being killed, and leave nothing behind: no process, descriptor, mapping or memory."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vtest"))
import harness  # noqa: E402

AT_ONCE = 2
WARM_UP = 4
# Of a server that has handed out gigabytes meanwhile; its heap may be a few pages larger.
MAX_GROWTH = 1 << 20


def footprint(server):
    pid = server.process.pid
    with open("/proc/%d/maps" % pid, encoding="utf-8", errors="replace") as maps:
        lines = maps.read().splitlines()
    permissions = [line.split(" ", 2)[1] for line in lines]
    found = {"shared": harness.status_field(pid, "RssShmem"),
             "mappings": len(permissions),
             "shared mappings": sum(text.endswith("s") for text in permissions)}
    # a sanitizer keeps what was freed, and much besides
    if not any("/libasan." in line or "/libtsan." in line for line in lines):
        found["resident"] = harness.status_field(pid, "RssAnon")
    return found


def run_clients(server, compute, count):
    commands = [compute, "--driver=venus", "--only=saxpy"]
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        clients = [server.start(commands) for _ in numbers]
        for number, client in zip(numbers, clients):
            if number % 10 == 9:
                client.stdout.readline()
                client.kill()
                client.communicate()
            else:
                harness.finish(client, commands)
    server.expect_idle()


def test(server, folder, arguments):
    compute, count = arguments[0], int(arguments[1])
    run_clients(server, compute, WARM_UP)
    before = footprint(server)
    run_clients(server, compute, count)
    after = footprint(server)
    print("%d contexts\nbefore: %s\nafter:  %s" % (count, before, after))
    for name, value in before.items():
        allowed = MAX_GROWTH if name == "resident" else 0
        harness.check(after[name] <= value + allowed,
                      "%s: %d before, %d after" % (name, value, after[name]))


harness.main(test)
