#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_vulkaninfo_differences.py VENERA-VTEST LIST: what vulkaninfo tells of a device is the same
on the host's driver and through Venera, but for the differences that LIST explains.

Each line of vulkaninfo becomes a path, the headings above it and its own name, and a value. A
line of LIST is a comment (#), or a pattern (fnmatch) for such paths."""

import fnmatch
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vtest"))
import harness  # noqa: E402


def split(line):
    """The name and the value of a line."""
    found = re.match(r"(.*?)(?:\s+= | : | = |:\s+)(.*)$", line)
    return (found.group(1).strip(), found.group(2).strip()) if found else (line.rstrip(":"), "")


def parse(text):
    """{path: [values]}"""
    values, titles, parents = {}, [], {}
    lines = text.splitlines()
    for i, line in enumerate(lines):
        below = lines[i + 1] if i + 1 < len(lines) else ""
        name = line.strip()
        if not name or re.fullmatch(r"[=-]+", name):
            continue
        # a heading is underlined: ==== for the first level, ---- for the second
        if re.fullmatch(r"\s*[=-]+", below):
            level = 0 if "=" in below else 1
            titles = titles[:level] + [name.split(":")[0]]
            parents = {}
            continue
        depth = len(line) - len(line.lstrip("\t"))
        name, value = split(name)
        if depth == 0:
            titles = titles[:1]
        parents = {d: parents[d] for d in parents if d < depth}
        path = "/".join(titles + list(parents.values()) + [name])
        parents[depth] = name
        values.setdefault(path, []).append(value)
    return values


def patterns_of(path):
    with open(path, encoding="utf-8") as lines:
        return [line.strip() for line in lines if line.strip() and line[0] != "#"]


def test(server, folder, arguments):
    harness.need("vulkaninfo")
    command = ["vulkaninfo"]
    ours = server.run(command)
    theirs = harness.finish(server.start(command, server.host_environment()), command)
    # the name is the one difference by design
    ours = re.sub(r"Virtio-GPU Venus \((.*)\)", r"\1", ours)
    ours, theirs = parse(ours), parse(theirs)
    harness.check(len(theirs) > 1000, "vulkaninfo was not understood")

    patterns = patterns_of(arguments[0])
    used = set()
    unexplained = []
    for path in sorted(set(ours) | set(theirs)):
        if ours.get(path) == theirs.get(path):
            continue
        matching = [pattern for pattern in patterns if fnmatch.fnmatchcase(path, pattern)]
        used.update(matching)
        if not matching:
            unexplained.append("%s: %s on the host, %s through Venera" % (
                path, theirs.get(path, "absent"), ours.get(path, "absent")))
    for pattern in patterns:
        if pattern not in used:
            print("not met on this host: " + pattern)
    print("\n".join(unexplained))
    harness.check(not unexplained, "%d differences are not explained" % len(unexplained))


harness.main(test)
