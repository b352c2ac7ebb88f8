# SPDX-License-Identifier: MIT
"""Whose fault is what Khronos' validation layer says on the host's side? The program's own, if the layer
says it about the program without Venera, too; else ours."""

import re

# What is ours and stays, with the reason in docs/validation.md:
OURS = {
    # images that begin PREINITIALIZED
    "VUID-VkBindImageMemoryInfo-memory-02989",
}


def messages_of(text):
    """The names of what the layer has found wrong, from its own output or the log of venera-render."""
    return set(re.findall(
        r"(?:Validation (?:Error|Warning): \[ |error: [^\n]*?validation: )([\w-]+)", text))


def host_environment(server):
    """To run a program without Venera under the layer, set as venera-render sets it."""
    env = server.host_environment()
    env["VK_INSTANCE_LAYERS"] = "VK_LAYER_KHRONOS_validation"
    env["VK_LAYER_REPORT_FLAGS"] = "error,warn"
    env["VK_VALIDATION_VALIDATE_SYNC"] = "1"
    return env
