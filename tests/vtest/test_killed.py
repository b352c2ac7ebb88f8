#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_killed.py VENERA-VTEST client|render|server COMPUTE MEMTEST: one of them is killed in the
middle of its work. A killed client leaves nothing behind; a killed render process ends its own
client and no other; and clients of a killed server end."""

import os
import signal
import time

import harness


def start_busy(server, program):
    """A client that has its render process and works; it would go on for minutes."""
    before = set(server.render_processes())
    client = server.start([program, "--repeat=100000"])
    client.stdout.readline()
    harness.wait_until(lambda: set(server.render_processes()) - before, "the client has connected")
    render = (set(server.render_processes()) - before).pop()
    # beyond start-up
    for line in client.stdout:
        if line.startswith("ok"):
            break
    return client, render


def end_within(client, seconds, what):
    """The client notices that it has lost its device, in whatever way."""
    output = harness.finish(client, [what], seconds, code=None)
    harness.check(client.returncode != 0, "%s ended as if nothing had happened" % what)
    print("%s: ended with code %d: %s" % (what, client.returncode, output[-300:]))


def kill_client(server, compute, memtest):
    for delay in (0.0, 0.01, 0.05, 0.1, 0.3, 0.7):
        # the one has large memory, the other many submissions
        first = server.start([memtest, "--linger=60"])
        second, _ = start_busy(server, compute)
        time.sleep(delay)
        first.kill()
        second.kill()
        first.communicate()
        second.communicate()
        server.expect_idle()
    server.run([compute, "--driver=venus"])


def kill_render(server, compute, memtest):
    other, other_render = start_busy(server, compute)
    for _ in range(3):
        client, render = start_busy(server, compute)
        os.kill(render, signal.SIGKILL)
        end_within(client, 30, "client")
        harness.check("signal 9" in server.log(), "the server does not say what happened")
    harness.check(other.poll() is None, "another client ended, too")
    harness.check(server.render_processes() == [other_render], "there is another render process")
    server.run([compute, "--driver=venus"])
    other.kill()
    other.communicate()


def kill_server(server, compute, memtest):
    clients = [start_busy(server, compute) for _ in range(2)]
    renders = server.render_processes()
    harness.check(len(renders) == 2, "there are not two render processes")
    server.process.kill()
    server.process.wait()
    for client, _ in clients:
        end_within(client, 30, "client")
    for pid in renders:
        harness.wait_until(lambda: not os.path.exists("/proc/%d" % pid) or zombie(pid),
                           "the render processes end by themselves", 10)
    # what follows needs a server: a new one replaces the socket that the old one left
    server.__init__(server.program, os.path.dirname(server.socket), ["--no-spare"])
    server.run([compute, "--driver=venus"])


def zombie(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test(server, folder, arguments):
    what, compute, memtest = arguments
    {"client": kill_client, "render": kill_render, "server": kill_server}[what](
        server, compute, memtest)


harness.main(test, "--no-spare")
