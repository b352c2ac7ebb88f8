#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_fake_driver.py VENERA-VTEST FAKE-ICD.JSON: clients of a host driver that fails, lies, crashes
or hangs (tests/driver/icd.c). Whatever becomes of the client, its render process ends, nothing is
left of it, and the server goes on."""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vtest"))
import harness  # noqa: E402

CLIENT = ["vulkaninfo", "--summary"]
# VkResult: memory of the host, of the device, initialisation, device lost, feature, format, unknown, no error
# of Vulkan's at all, and successes that are not VK_SUCCESS
ERRORS = (-1, -2, -3, -4, -8, -11, -13, -123456, 1, 2, 5)
LIES = 8
SANITIZERS = ("AddressSanitizer:", "runtime error:", "detected memory leaks")
NO_HANDLES = 5  # of the lies: the loader passes on, in a handle of its own, that there is none


def behaviours():
    yield "all_extensions=1"
    for lie in range(LIES):
        for seed in (1, 2):
            yield "lies=%d,seed=%d" % (1 << lie, seed)
    yield "lies=%d" % ((1 << LIES) - 1)
    for number, error in enumerate(ERRORS):
        yield "fail_at=%d,error=%d" % (1 + 3 * number, error)
    for error in (-1, -4):
        yield "fail_at=1,fail_every=1,error=%d" % error
    for call in (1, 8, 30):
        yield "crash_at=%d" % call
    yield "hang_at=12"


def try_behaviour(program, manifest, behaviour):
    os.environ["VENERA_HOST_VENERA_FAKE_DRIVER"] = behaviour
    with tempfile.TemporaryDirectory() as folder:
        server = harness.Server(program, folder, ["--driver=" + manifest, "--no-spare"])
        try:
            client = server.start(CLIENT)
            try:
                output, _ = client.communicate(timeout=3 if "hang" in behaviour else 60)
            except subprocess.TimeoutExpired:
                harness.check("hang" in behaviour, "the client does not end")
                client.kill()
                output, _ = client.communicate()
            if behaviour == "all_extensions=1":
                harness.check(client.returncode == 0 and "GPU0" in output, output)
            server.expect_idle()
            harness.check(server.process.poll() is None, "the server is gone")
            server.stop()
            wrong = () if "lies=%d" % (1 << NO_HANDLES) in behaviour or "255" in behaviour else (
                "fake driver:",)
            for word in SANITIZERS + wrong:
                harness.check(word not in server.log(), word)
        except harness.Failure:
            print("with", behaviour)
            print(server.log()[-4000:])
            server.process.kill()
            raise
    print(behaviour, "client", client.returncode)


def main():
    program, manifest = sys.argv[1:3]
    for behaviour in behaviours():
        try_behaviour(program, manifest, behaviour)


if __name__ == "__main__":
    main()
