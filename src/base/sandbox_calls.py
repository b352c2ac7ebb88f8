#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
sandbox_calls.py OUTPUT COMPILER...: the names of all system calls that the compiler's headers
know, in alphabetical order, as lines {"name", __NR_name}, for sandbox_calls_linux.c.
"""

import re
import subprocess
import sys


def main():
    output, compiler = sys.argv[1], sys.argv[2:]
    macros = subprocess.run(compiler + ["-E", "-dM", "-x", "c", "-"], check=True, text=True,
        input="#include <asm/unistd.h>\n", stdout=subprocess.PIPE).stdout
    names = set(re.findall(r"^#define __NR_([a-z]\w*) ", macros, re.MULTILINE))
    names -= {"syscalls", "arch_specific_syscall"}  # not calls, but numbers of them
    with open(output, "w", encoding="ascii") as file:
        for name in sorted(names):
            file.write('{"%s", __NR_%s},\n' % (name, name))


if __name__ == "__main__":
    main()
