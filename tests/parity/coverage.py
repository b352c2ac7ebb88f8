#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coverage.py PROTOCOL-FOLDER [PAGE]: prints docs/coverage.md, made of the protocol's tables. With
PAGE, tells whether that file is what would be printed."""

import sys

HEAD = """# What is passed through

Made by `tests/parity/coverage.py protocol >docs/coverage.md`; a test sees to it that it is current.

What the installed vulkan.h does not know is left out of the build, and guests are told so. Of the
rest a guest gets what the host's driver has. What the protocol has no structures for cannot travel:
VK_EXT_memory_priority, VK_EXT_pageable_device_local_memory and VK_EXT_descriptor_buffer are among it.
Differences that a program can see are explained one
by one in `tests/parity/vulkaninfo-differences.txt`.
"""

# As in src/render/physical_device.c.
OWN = ("VK_KHR_external_fence_fd", "VK_KHR_external_semaphore_fd", "VK_EXT_external_memory_dma_buf",
       "VK_EXT_image_drm_format_modifier", "VK_EXT_queue_family_foreign",
       "VK_KHR_external_memory_fd")


def rows(path):
    with open(path, encoding="utf-8") as lines:
        lines = [line.rstrip("\n").split("\t") for line in lines if line[0] != "#"]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def section(title, text, names):
    names = sorted(names)
    return "## %s\n\n%s There are %d:\n\n%s\n" % (
        title, text, len(names), "\n".join("* " + name for name in names))


def page(folder):
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    import model
    import render_dispatch
    rejected, accepted = set(render_dispatch.REJECTED), set()
    for row in rows(folder + "/venus-commands.tsv"):
        name = row["command"]
        if row["codec"] != "yes" or row["alias_of"] != "-":
            continue
        if row["vkr"] in ("fatal", "reject"):
            rejected.add(name)
        elif name not in rejected:
            accepted.add(name)
    rejected -= render_dispatch.HANDLED
    extensions = rows(folder + "/venus-extensions.tsv")

    def marked(mark):
        return [row["name"] for row in extensions if row["vkr_advertises"] == mark
                and row["name"] not in OWN and row["name"] not in model.NOT_OFFERED]
    return "\n".join([
        HEAD,
        section("Extensions passed through", "If the host has them.", marked("yes")),
        section("Extensions that Venera implements",
                "Sharing by descriptor, within the guest: of fences, semaphores, memory and images.",
                OWN),
        section("Extensions of the guest's driver", "It implements them alone.",
                marked("guest")),
        section("Extensions not offered",
                "Commands that they need are never accepted: the host's driver would write as much "
                "as it likes,\nwhatever size the guest gave.", model.NOT_OFFERED),
        section("Commands never accepted",
                "The guest's driver implements them, or has another command in their place.",
                rejected),
        section("Commands accepted",
                "The host's driver does the work. HANDLED in protocol/render_dispatch.py names those "
                "which are\nmore than a translation of names and handles.", accepted),
    ]).rstrip("\n") + "\n"


text = page(sys.argv[1])
if len(sys.argv) < 3:
    print(text, end="")
else:
    with open(sys.argv[2], encoding="utf-8") as current:
        if current.read() != text:
            sys.exit("%s is not current: tests/parity/coverage.py protocol >docs/coverage.md"
                     % sys.argv[2])
