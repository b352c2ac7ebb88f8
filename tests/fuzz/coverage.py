#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads what llvm-cov export -summary-only prints and shows the covered lines and branches of
each folder of src/."""

import json
import os
import re
import sys


def main():
    folders = {}
    for file in json.load(sys.stdin)['data'][0]['files']:
        path = os.path.normpath(file['filename'])
        match = re.search(r'(?:^|/)src/(\w+)/[^/]+\.[ch]$', path)
        generated = re.search(r'/(?:protocol)/(render_dispatch)\.c$', path)
        if not match and not generated:
            continue
        folder = match.group(1) if match else 'render'
        sums = folders.setdefault(folder, {'lines': [0, 0], 'branches': [0, 0]})
        for kind, numbers in sums.items():
            numbers[0] += file['summary'][kind]['covered']
            numbers[1] += file['summary'][kind]['count']
    print(f'{"folder":12} {"lines":>16} {"branches":>18}')
    for folder in sorted(folders):
        text = f'{folder:12}'
        for kind in ('lines', 'branches'):
            covered, count = folders[folder][kind]
            text += f' {covered:6} of {count:6} {100 * covered // count if count else 0:3} %'
        print(text)


if __name__ == '__main__':
    main()
