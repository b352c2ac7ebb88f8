#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_churn.py VENERA-VTEST CHURN own|shared SECONDS: 8 threads of one client, each with a device of
its own or all with one, make, use and destroy objects for that long. A sanitizer that the renderer
was built with must find nothing."""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FOLDER, "..", "vtest"))
import harness  # noqa: E402

SANITIZER_OPTIONS = {
    "TSAN_OPTIONS": "halt_on_error=1:suppressions=" + os.path.join(FOLDER, "tsan.supp"),
    "ASAN_OPTIONS": "halt_on_error=1:detect_leaks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


def test(server, folder, arguments):
    churn, mode, seconds = arguments
    command = [churn, "--driver=venus", "--threads=8", "--seconds=" + seconds]
    if mode == "shared":
        command.append("--shared")
    print(server.run(command, timeout=int(seconds) + harness.TIMEOUT))
    server.expect_idle()
    for line in server.log().splitlines():
        harness.check("Sanitizer" not in line and "runtime error:" not in line, line)


os.environ.update(SANITIZER_OPTIONS)
harness.main(test)
