#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_formats.py PRINT-FORMATS: compares our table of formats with Khronos' vk.xml, if that is
installed."""

import subprocess
import sys
import xml.etree.ElementTree

REGISTRY = "/usr/share/vulkan/registry/vk.xml"
COLOR, DEPTH, STENCIL, PLANE_0 = 1, 2, 4, 0x10
# Combined formats are copied aspect by aspect: bytes of depth and of stencil.
DEPTHS = {"VK_FORMAT_D16_UNORM": (2, 0), "VK_FORMAT_X8_D24_UNORM_PACK32": (4, 0),
          "VK_FORMAT_D32_SFLOAT": (4, 0), "VK_FORMAT_S8_UINT": (0, 1),
          "VK_FORMAT_D16_UNORM_S8_UINT": (2, 1), "VK_FORMAT_D24_UNORM_S8_UINT": (4, 1),
          "VK_FORMAT_D32_SFLOAT_S8_UINT": (4, 1)}


def numbers(root):
    found = {}
    for enum in root.findall("enums[@name='VkFormat']/enum"):
        if "value" in enum.attrib:
            found[enum.get("name")] = int(enum.get("value"))
    for owner in [*root.iter("extension"), *root.iter("feature")]:
        for enum in owner.iter("enum"):
            if enum.get("extends") == "VkFormat" and enum.get("offset"):
                extension = int(enum.get("extnumber") or owner.get("number"))
                found[enum.get("name")] = (1000000000 + (extension - 1) * 1000
                                           + int(enum.get("offset")))
    return found


def expected(root):
    number = numbers(root)
    formats = {form.get("name"): form for form in root.iter("format")}
    result = set()
    for name, form in formats.items():
        if name not in number:
            continue
        if name in DEPTHS:
            for aspect, size in zip((DEPTH, STENCIL), DEPTHS[name]):
                if size:
                    result.add((number[name], aspect, size, 1, 1, 1, 1))
            continue
        planes = form.findall("plane")
        for i, plane in enumerate(planes):
            size = int(formats[plane.get("compatible")].get("blockSize"))
            result.add((number[name], PLANE_0 << i, size, 1, 1,
                        int(plane.get("widthDivisor")), int(plane.get("heightDivisor"))))
        if not planes:
            width, height, _ = (form.get("blockExtent") or "1,1,1").split(",")
            result.add((number[name], COLOR, int(form.get("blockSize")), int(width), int(height),
                        1, 1))
    return result


def main():
    try:
        root = xml.etree.ElementTree.parse(REGISTRY).getroot()
    except OSError:
        print("there is no " + REGISTRY)
        sys.exit(77)
    output = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout
    ours = {tuple(map(int, line.split())) for line in output.splitlines()}
    wanted = expected(root)
    for row in sorted(ours - wanted):
        print("wrong:", *row)
    names = {number: name for name, number in numbers(root).items()}
    for row in sorted(wanted - ours):
        print("missing:", names[row[0]], *row)
    print("%d aspects of formats" % len(ours))
    sys.exit(0 if ours == wanted and ours else 1)


main()
