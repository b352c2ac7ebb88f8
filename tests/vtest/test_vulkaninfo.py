#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_vulkaninfo.py VENERA-VTEST: all of vulkaninfo works, and says what it should."""

import re

import harness

# Without these there is no window, and no Vulkan 1.3.
WANTED = (
    "VK_KHR_swapchain",
    "VK_KHR_synchronization2",
    "VK_KHR_timeline_semaphore",
)


def field(text, name):
    found = re.search(r"^\s*%s\s*= (.*)$" % name, text, re.MULTILINE)
    harness.check(found, "vulkaninfo does not tell %s" % name)
    return found.group(1).strip()


def test(server, folder, arguments):
    harness.need("vulkaninfo")
    with harness.display(folder) as env:
        info = server.run(["vulkaninfo"], env)
        summary = server.run(["vulkaninfo", "--summary"], env)
    host = harness.finish(
        server.start(["vulkaninfo", "--summary"], server.host_environment()), ["vulkaninfo"])
    harness.check(field(summary, "driverName") == "venus", "the driver is not Venus")
    harness.check(
        field(summary, "deviceName") == "Virtio-GPU Venus (%s)" % field(host, "deviceName"),
        "deviceName is " + field(summary, "deviceName"))
    harness.check("ERROR" not in info, "vulkaninfo found an error")
    extensions = set(re.findall(r"^\s+(VK_\w+)\s*: extension revision", info, re.MULTILINE))
    missing = [name for name in WANTED if name not in extensions]
    harness.check(not missing, "these extensions are missing: " + " ".join(missing))
    version = tuple(int(part) for part in field(summary, "apiVersion").split(".")[:2])
    harness.check(version >= (1, 3), "the device has only Vulkan %d.%d" % version)
    print("%d extensions, Vulkan %d.%d" % (len(extensions), *version))


harness.main(test)
