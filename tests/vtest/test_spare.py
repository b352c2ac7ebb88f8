#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_spare.py VENERA-VTEST COMPUTE: a render process is ready before its client comes, serves that
client only, and is replaced, also when it is killed."""

import os
import signal
import tempfile
import time

import harness


def wait_for_spare(server, but=None):
    harness.wait_until(lambda: len(server.spares()) == 1 and server.spares() != [but],
                       "there is a spare")
    return server.spares()[0]


def sleeps(pid):
    """How often its threads have gone to sleep."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, task), encoding="ascii") as status:
            for line in status:
                if line.startswith("voluntary_ctxt_switches:"):
                    total += int(line.split()[1])
    return total


def wait_until_asleep(pid):
    """Until its threads sleep, and have done so for a while without one waking up."""
    seen = [sleeps(pid)]

    def is_asleep():
        time.sleep(0.5)
        seen.append(sleeps(pid))
        return seen[-1] == seen[-2]

    harness.wait_until(is_asleep, "the spare sleeps")


def test(server, folder, arguments):
    compute, = arguments
    spare = wait_for_spare(server)
    wait_until_asleep(spare)

    client = server.start([compute, "--driver=venus", "--repeat=1000"])
    harness.wait_until(lambda: harness.process_name(spare) == "venera-render",
                       "the spare serves the client")
    second = wait_for_spare(server, but=spare)
    harness.check(spare in server.render_processes(), "the client's process is still there")
    client.kill()
    client.communicate()
    harness.wait_until(lambda: spare not in server.children(), "it ends with its client")
    harness.check(server.spares() == [second], "the other one still waits")

    os.kill(second, signal.SIGKILL)
    harness.wait_until(lambda: "the spare render process is lost" in server.log(),
                       "the server notices that the spare was killed")
    server.run([compute, "--driver=venus"])
    third = wait_for_spare(server, but=second)
    wait_until_asleep(third)

    with tempfile.TemporaryDirectory(dir=folder) as other:
        without = harness.Server(server.program, other, ["--no-spare"])
        try:
            without.run([compute, "--driver=venus"])
            without.expect_idle()
            harness.check(not without.children(), "--no-spare means none")
            without.stop()
        finally:
            if without.process.poll() is None:
                without.process.kill()
                without.process.wait()


harness.main(test)
