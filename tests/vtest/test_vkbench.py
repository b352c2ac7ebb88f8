#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_vkbench.py VENERA-VTEST VKBENCH: each measurement of vkbench works through Venera, if only
once: it checks some of the results, too."""

import harness


def test(server, folder, arguments):
    vkbench, = arguments
    names = {line.split()[0] for line in server.run([vkbench, "-l"]).splitlines()}
    harness.check(len(names) > 40, "vkbench -l lists its tests")
    output = server.run([vkbench, "-t", "0.01", "-r", "1", "-m", "4", "-n", "1000", "-p"])
    print(output)
    lines = [line.split() for line in output.splitlines() if not line.startswith("#")]
    for words in lines:
        harness.check(words[1] != "FAIL", " ".join(words))
        harness.check(float(words[1]) > 0, "%s measures something" % words[0])
    harness.check({words[0] for words in lines} == names, "a line for each test")
    harness.check("Virtio-GPU Venus" in output, "they ran on Venus")


harness.main(test)
