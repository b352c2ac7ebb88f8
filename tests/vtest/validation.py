# SPDX-License-Identifier: MIT
"""Whose fault is what Khronos' validation layer says on the host's side? The program's own, if the layer
says it about the program without Venera, too; else ours."""

import re

# What is ours and stays, with the reason in docs/validation.md. venera-render names images that begin
# PREINITIALIZED, so that nothing else passes for it.
OURS = re.compile(r"validation: VUID-VkBindImageMemoryInfo-memory-02989: "
                  r".*VkImage 0x[0-9a-f]+\[begins PREINITIALIZED\]")


def messages_of(text):
    """The names of what the layer has found wrong, from its own output or the log of venera-render; but for
    what is ours."""
    found = set()
    for line in text.splitlines():
        if not OURS.search(line):
            found.update(re.findall(r"(?:Validation (?:Error|Warning): \[ |error: .*?validation: )([\w-]+)",
                                    line))
    return found


def host_environment(server):
    """To run a program without Venera under the layer, set as venera-render sets it."""
    env = server.host_environment()
    env["VK_INSTANCE_LAYERS"] = "VK_LAYER_KHRONOS_validation"
    env["VK_LAYER_REPORT_FLAGS"] = "error,warn"
    env["VK_VALIDATION_VALIDATE_SYNC"] = "1"
    return env
