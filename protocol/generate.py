#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns the protocol's tables and the installed vk.xml into C.

One run makes the files of one part of the tree, so that each lands in the build
folder of the part that compiles it.
"""

import argparse
import sys

import fake_driver
import render_dispatch
import venus_codec
import vk_tables
import wire_tests
from registry import Error, Registry
from writer import Output

PARTS = {
    'vk': vk_tables.generate,
    'venus': venus_codec.generate,
    'capset': venus_codec.generate_capset,
    'client': venus_codec.generate_client,
    'dispatch': render_dispatch.generate,
    'tests': wire_tests.generate,
    'driver': fake_driver.generate,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('part', choices=PARTS, help='which files to make')
    parser.add_argument(
        '--vk-xml',
        required=True,
        help='the registry that the installed Vulkan headers were made from',
    )
    parser.add_argument('--output-dir', required=True)
    arguments = parser.parse_args()
    try:
        PARTS[arguments.part](Registry(arguments.vk_xml), Output(arguments.output_dir))
    except Error as error:
        sys.exit(f'generate.py: {error}')


if __name__ == '__main__':
    main()
