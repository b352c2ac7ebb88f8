#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill_renders.py BUILD-FOLDER [KILLS]: in a guest four programs work, of which one shows a cube;
whoever of them renders has its render process killed, KILLS (500) times in all, and is started
again by the guest. The machine and its display live on, the cube turns in the end, and nothing has
leaked. Says how it goes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import guest

WORKERS = 4
# With a software renderer and an emulated processor that others use, too.
SECONDS_FOR_A_KILL = 15
SECONDS_TO_BOOT = 240
CHECK_PICTURE = os.path.join(guest.SOURCE, "tools", "check-picture")

BUILD = os.path.abspath(sys.argv[1])
KILLS = int((sys.argv[2:] or ["500"])[0])
ROUNDS = -(-KILLS // WORKERS)

PROGRAMS = [os.path.join(BUILD, "guest", "demos", name) for name in ("cube", "compute")]
COMMAND = (
    "work() { i=0; while [ $i -lt %d ]; do i=$((i+1)); $@ >/dev/null 2>&1; done; }; "
    "echo kills: begin; work cube --driver=venus --seconds=80000 & "
    "for n in 2 3 4; do work compute --driver=venus --repeat=1000000 & done; "
    "wait; echo kills: end; sleep 4; cube --driver=venus --seconds=12" % ROUNDS)


def contexts(control):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(control)
        client.sendall(b"stat\n")
        with client.makefile() as answer:
            return json.load(answer)["contexts"]


def kill_one(control):
    """One that has made a few submissions, and goes on making them. false: there is none now."""
    before = {c["id"]: c["submissions"] for c in contexts(control)}
    time.sleep(0.05)
    for context in contexts(control):
        pid, count = context["process"], context["submissions"]
        if pid and not context["lost"] and count >= 3 and count > before.get(context["id"], count):
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def usage(machine):
    """Of venera-gpu: descriptors, shared memory open and mapped."""
    return guest.settled_state(machine).get("venera-gpu", [None])[0]


def test(machine, folder):
    from machine import Failed
    machine.wait_for("^kills: begin")
    control = machine.control_socket()
    kills, begin = 0, time.monotonic()
    last_kill = begin
    while not any(line == "kills: end" for line in machine.lines):
        if machine.ended:
            raise Failed("the machine ended after %d kills" % kills)
        if time.monotonic() - last_kill > 20 * SECONDS_FOR_A_KILL:
            raise Failed("after %d kills nothing renders any more" % kills)
        if kill_one(control):
            kills += 1
            last_kill = time.monotonic()
            if kills % 25 == 0:
                print("%d kills in %d s" % (kills, last_kill - begin), flush=True)
    end = machine.wait_for("^kills: end")
    time.sleep(2)
    after = usage(machine)
    left = contexts(control)
    machine.wait_for("^turning for", end)
    time.sleep(3)
    path = os.path.join(folder, "cube.png")
    machine.shoot(path)
    result = subprocess.run([sys.executable, CHECK_PICTURE, "cube", path], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    if result.returncode:
        raise Failed(result.stdout)
    print("%d render processes were killed within %d s; venera-gpu then: %s; contexts: %s" % (
        kills, last_kill - begin, after, left), flush=True)
    if kills < KILLS:
        raise Failed("%d kills were asked for; some programs ended by themselves" % KILLS)
    descriptors, opened, mapped = after
    # nothing of what the contexts had is left; there is the console's memory
    if left or opened > 8 or mapped > 8 or descriptors > 64:
        raise Failed("something has leaked")


guest.run(BUILD, test, PROGRAMS, COMMAND,
          seconds=SECONDS_TO_BOOT + SECONDS_FOR_A_KILL * KILLS)
