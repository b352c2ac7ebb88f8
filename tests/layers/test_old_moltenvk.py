#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_old_moltenvk.py VENERA VENERA-VIEW ICD: MoltenVK that is too old is refused, with what to do, and that which is
not is taken. The strict layer, which is in the environment, says to be either."""

import os
import subprocess
import sys

VENERA, VIEW, ICD = sys.argv[1:]
TOO_OLD = "MoltenVK %s is too old, 1.4.2 or newer is needed"


def run(version, *command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, universal_newlines=True, check=False,
                            timeout=60, env=dict(os.environ, VENERA_STRICT_VERSION=version))
    return result.returncode, result.stdout


def check(condition, output):
    if not condition:
        sys.exit(output)


for old in ("1.4.1", "1.3.0", "0.2.2"):
    code, output = run(old, VENERA, "doctor", "--driver=" + ICD)
    check(code != 0 and TOO_OLD % old in output, output)
code, output = run("1.4.1", VIEW, "--display=headless", "--driver=" + ICD,
                   "--socket-path=/nonexistent/socket")
check(code != 0 and TOO_OLD % "1.4.1" in output, output)
for new in ("1.4.2", "1.5.0", "2.0.0"):
    _, output = run(new, VENERA, "doctor", "--driver=" + ICD)
    check("too old" not in output and "GPU and CPU see the same shared memory" in output, output)
