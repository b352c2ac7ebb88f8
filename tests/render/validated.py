#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""validated.py TEST VENERA-RENDER: runs the test with venera-render under the host's validation
layer, which must have nothing to say."""

import subprocess
import sys

result = subprocess.run(sys.argv[1:] + ["--validate"], stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
print(result.stdout)
if "the Vulkan validation layer is not installed" in result.stdout:
    print("skipped: no validation layer")
    sys.exit(77)
sys.exit(result.returncode or "validation: " in result.stdout)
