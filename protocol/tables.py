# SPDX-License-Identifier: MIT
"""Reads the protocol's tables (venus-*.tsv)."""

import os

from registry import Error


def read(name):
    """The rows of one table as dictionaries."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f'venus-{name}.tsv')
    with open(path, encoding='utf-8') as file:
        lines = [
            line.rstrip('\n').split('\t')
            for line in file
            if line.strip() and not line.startswith('#')
        ]
    header, rows = lines[0], lines[1:]
    for row in rows:
        if len(row) != len(header):
            raise Error(f'{path}: {row[0]}: {len(row)} columns where the header has {len(header)}')
    return [dict(zip(header, row)) for row in rows]
