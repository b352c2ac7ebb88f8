#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""shader.py GLSLANG ENVIRONMENT SOURCE HEADER NAME: compiles a shader into a C array that any number of
files may include."""

import subprocess
import sys

glslang, environment, source, header, name = sys.argv[1:]
subprocess.run([glslang, "-V", "--target-env", environment, "--quiet", "--vn", name, "-o", header,
                source], check=True)
with open(header, encoding="ascii") as file:
    text = file.read()
declaration = "const uint32_t %s[]" % name
if text.count(declaration) != 1:
    sys.exit("shader.py: %s does not declare %s" % (header, name))
with open(header, "w", encoding="ascii") as file:
    file.write(text.replace(declaration, "static " + declaration))
