#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_hard_times.py VENERA-VTEST busy HARD-TIMES COMPUTE: while the GPU works for one client for long, the others, and
other threads of that one, go on; and nothing is left of it when it is killed.

test_hard_times.py VENERA-VTEST refused HARD-TIMES [mesa-25]: what the host refuses a real client's driver makes an error
where the API has one, and costs the client no more than that. Needs VK_LAYER_VENERA_fail over the host's
driver.

test_hard_times.py VENERA-VTEST lost HARD-TIMES [mesa-25]: a client whose device the host loses ends in an error: of its
own if it asks, else its driver aborts it. Needs the same layer.

test_hard_times.py VENERA-VTEST hang COMPUTE: the host's driver hangs. Needs the layer, too."""

import os
import signal
import sys

import harness
import mesa_25

# some minutes of work for a software renderer
LONG = 10000000
SHORT = 2000


def busy(server, _, program, compute):
    client = server.start([program, "busy", str(LONG)])
    for line in client.stdout:
        print(line, end="")
        if line.startswith("another thread is done"):
            break
    harness.check(client.poll() is None, "the client has ended")
    print(server.run([compute, "--driver=venus"]))
    print(server.run([program, "busy", str(SHORT)]))
    harness.check(client.poll() is None, "the work was too short")
    client.kill()
    client.communicate()
    server.expect_idle()


# What the host refuses (with VK_ERROR_OUT_OF_DEVICE_MEMORY if nothing else is said), what the client's driver
# is told not to do at once, and the last that the client must say of its first try.
REFUSALS = (
    # the renderer tries with one buffer and one memory what it can import
    ("vkCreateBuffer:2", "", "buffer VK_ERROR_OUT_OF_DEVICE_MEMORY"),
    ("vkAllocateMemory:2", "", "not-computed"),
    ("vkAllocateMemory:2", "no_async_mem_alloc", "memory VK_ERROR_OUT_OF_DEVICE_MEMORY"),
    ("vkBindBufferMemory2:1", "", "not-computed"),
    ("vkCreateDescriptorSetLayout:1", "", "not-computed"),
    ("vkCreateDescriptorPool:1", "", "not-computed"),
    ("vkAllocateDescriptorSets:1", "", "not-computed"),
    ("vkAllocateDescriptorSets:1", "no_async_set_alloc", "set VK_ERROR_OUT_OF_DEVICE_MEMORY"),
    ("vkCreatePipelineLayout:1", "", "not-computed"),
    ("vkCreateShaderModule:1", "", "not-computed"),
    ("vkCreateComputePipelines:1", "", "not-computed"),
    # the first is one of the driver's own, which it cannot do without
    ("vkBeginCommandBuffer:2", "", "not-computed"),
    ("vkEndCommandBuffer:2", "", "not-computed"),
    ("vkCreateFence:1", "", "computed"),
    ("vkQueueSubmit:1", "", "computed"),
    ("vkQueueSubmit:1", "no_async_queue_submit", "submit VK_ERROR_OUT_OF_DEVICE_MEMORY"),
)


def choose_driver(server, folder, driver):
    """The client's environment."""
    if not driver:
        return {}
    env = mesa_25.environment(folder)
    if not env:
        server.stop()
        harness.skip("Debian 13's own mesa-vulkan-drivers cannot be had")
    return env


def lost(server, folder, program, *driver):
    env = choose_driver(server, folder, driver)
    os.environ["VENERA_HOST_VENERA_FAIL"] = "vkQueueSubmit:1+:VK_ERROR_DEVICE_LOST"
    place = os.path.join(folder, "lost")
    os.mkdir(place)
    one = harness.Server(server.program, place)
    try:
        command = [program, "refused"]
        # its driver sees from time to time whether it waits in vain
        waiting = one.start(command, env)
        for perf, found_by in (("no_async_queue_submit", "submit"), ("no_fence_feedback", "wait")):
            said = harness.finish(one.start(command, dict(env, VN_PERF=perf)), command, code=1)
            harness.check(said.count(found_by + " VK_ERROR_DEVICE_LOST") == 2,
                          "both tries should find the device lost:\n" + said)
        harness.finish(waiting, command, code=-signal.SIGABRT)
        one.expect_idle()
        print(one.log())
    finally:
        one.stop()


def refused(server, folder, program, *driver):
    """Each with a server of its own, whose host's side is told what to refuse."""
    env = choose_driver(server, folder, driver)
    for i, (fault, perf, expected) in enumerate(REFUSALS):
        fault += ":VK_ERROR_OUT_OF_DEVICE_MEMORY" if fault.count(":") == 1 else ""
        print("%s, %s" % (fault, perf or "default"))
        os.environ["VENERA_HOST_VENERA_FAIL"] = fault
        env["VN_PERF"] = perf
        place = os.path.join(folder, str(i))
        os.mkdir(place)
        one = harness.Server(server.program, place)
        try:
            said = one.run([program, "refused"], env, 60)
            one.expect_idle()
            log = one.log()
        finally:
            one.stop()
        first = [line for line in said.splitlines() if line.startswith("first:")]
        second = [line for line in said.splitlines() if line.startswith("second:")]
        harness.check(first and first[0].endswith(" " + expected),
                      "the first try should end with '%s':\n%s" % (expected, said))
        harness.check(second and second[0].endswith(" computed"),
                      "the second try fails:\n" + said)
        # one line for each that failed, and not for each that uses it
        lines = [line for line in log.splitlines() if line.startswith("venera-render")]
        harness.check(len(lines) <= 5, "the log is too long:\n" + log)


# What the driver never comes back from, or dies of.
HANGS = ("vkQueueSubmit:4:HANG", "vkAllocateMemory:2:HANG")


def hang(server, folder, compute):
    """A driver that hangs, or crashes, costs its own client only, and neither the server nor its end."""
    harness.need("vulkaninfo")
    os.environ["VENERA_HOST_VENERA_LAYER_LOG"] = "1"
    for i, fault in enumerate((*HANGS, "vkQueueSubmit:4:CRASH")):
        print(fault)
        os.environ["VENERA_HOST_VENERA_FAIL"] = fault
        place = os.path.join(folder, str(i))
        os.mkdir(place)
        one = harness.Server(server.program, place, ["--no-spare"])
        said = "%s: call %s: %s" % tuple(fault.split(":"))

        def start():
            before = one.log().count(said)
            client = one.start([compute, "--driver=venus"])
            harness.wait_until(
                lambda: one.log().count(said) > before, "the call of the driver")
            return client
        try:
            client = start()
            one.run(["vulkaninfo", "--summary"])
            if fault.endswith("CRASH"):
                harness.finish(client, [compute], 30, code=None)
                harness.check(client.returncode != 0, "the client has noticed nothing")
            else:
                harness.check(client.poll() is None, "the client has ended")
                client.kill()
                client.communicate()
            one.expect_idle()
            # and the end of everything
            client = start()
            one.stop()
            client.kill()
            client.communicate()
        finally:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait()


def main():
    tests = {"busy": busy, "refused": refused, "lost": lost, "hang": hang}
    harness.main(lambda server, folder, arguments:
                 tests[arguments[0]](server, folder, *arguments[1:]))


main()
