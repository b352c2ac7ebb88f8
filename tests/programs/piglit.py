#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""piglit.py VENERA-VTEST [--cases=N] [--profile=NAME] [--jobs=N] [--keep=FOLDER]: runs N cases of
Piglit, spread evenly over a profile (quick_gl, quick_shader, ...), in OpenGL by zink on Vulkan: on
the host's driver, and through Venera. No case may do worse through Venera than it does without."""

import argparse
import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vtest"))
import harness  # noqa: E402

# from good to bad; a case that is slower than Piglit's limit says nothing either way
RANKS = ["pass", "warn", "skip", "fail", "crash", "incomplete", "timeout"]
# Parts of names of cases that say nothing about Venera:
EXCLUDED = (
    # they depend on the speed of the machine
    "timer_query", "time-elapsed", "glx-swap", "perf@", "streaming-texture-leak",
    # memory of the program's own and of other programs, for which Venus has no extension over vtest
    "amd_pinned_memory", "ext_external_objects", "ext_memory_object", "ext_semaphore",
    # ends with a crash after it has passed: a thread outlives Venus, which zink unloads
    "glx-multithread",
    # comments, to Piglit's own reader of lists
    "#",
)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--profile", default="quick_gl")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=int, default=60, help="seconds for a case")
    parser.add_argument("--match", default="", help="of cases whose name contains this")
    parser.add_argument("--keep", help="an empty folder for Piglit's results")
    return parser.parse_args()


def choose_cases(arguments):
    listed = subprocess.run(
        ["piglit", "print-cmd", arguments.profile, "--format", "{name}"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    names = sorted(name for name in listed.stdout.split("\n") if name and arguments.match in name
                   and not any(word in name for word in EXCLUDED))
    count = min(arguments.cases, len(names))
    return [names[i * len(names) // count] for i in range(count)]


def run_cases(arguments, env, cases, results):
    # Venus does not know VK_EXT_descriptor_buffer. Without it, zink uses pushed descriptors,
    # of which lavapipe survives no more than 65530 in a command buffer, with or without Venera.
    env = dict(env, LIBGL_ALWAYS_SOFTWARE="1", GALLIUM_DRIVER="zink",
               MESA_LOADER_DRIVER_OVERRIDE="zink", ZINK_DESCRIPTORS="lazy",
               PIGLIT_NO_FAST_SKIP="true")  # what the driver can is for the cases to find out
    path = results + ".cases"
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(case + "\n" for case in cases))
    done = subprocess.run(
        ["piglit", "run", "-l", "quiet", "-c", "-j", str(arguments.jobs), "-p", "glx",
         "--process-isolation", "true", "--timeout", str(arguments.timeout), "--test-list", path,
         arguments.profile, results],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", check=False)
    if done.returncode:
        raise harness.Failure("piglit does not run:\n" + done.stdout[-2000:])
    for name, opener in (("results.json", open), ("results.json.bz2", bz2.open),
                         ("results.json.gz", gzip.open), ("results.json.xz", lzma.open)):
        path = os.path.join(results, name)
        if os.path.exists(path):
            with opener(path, "rt", encoding="utf-8") as file:
                return {name: test["result"] for name, test in json.load(file)["tests"].items()}
    raise harness.Failure("piglit left no results")


def is_worse(theirs, ours):
    if theirs == ours or "timeout" in (theirs, ours) and theirs != "pass":
        return False
    return RANKS.index(ours) > RANKS.index(theirs)


ARGUMENTS = parse()


def test(server, folder, _):
    harness.need("piglit")
    base = ARGUMENTS.keep or folder
    cases = choose_cases(ARGUMENTS)
    with harness.display(folder) as display:
        theirs = run_cases(ARGUMENTS, {**server.host_environment(), **display}, cases,
                           os.path.join(base, "host"))
        ours = run_cases(ARGUMENTS, {**server.client_environment(), **display}, cases,
                         os.path.join(base, "venera"))
    for name, results in (("host", theirs), ("Venera", ours)):
        counts = {rank: list(results.values()).count(rank) for rank in RANKS}
        print("%-6s " % name + ", ".join("%d %s" % (n, rank) for rank, n in counts.items() if n))
    different = sorted(name for name in theirs if theirs[name] != ours.get(name))
    for name in different:
        print("%s: %s, through Venera %s" % (name, theirs[name], ours.get(name)))
    harness.check("pass" in theirs.values(), "nothing passes on the host")
    harness.check(not any(is_worse(theirs[name], ours.get(name, "incomplete"))
                          for name in different), "cases do worse through Venera")


harness.main(test)
