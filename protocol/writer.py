# SPDX-License-Identifier: MIT
"""Writes C text."""

import os
import textwrap


class Writer:
    """One file. Indentation follows open() and close()."""

    def __init__(self, about=None):
        self.lines = ['/* SPDX-License-Identifier: MIT */', '/* Made by protocol/generate.py. */']
        self.depth = 0
        self.guard = None
        self.about = about

    @classmethod
    def body(cls, depth):
        """A piece of a file."""
        self = cls()
        self.lines = []
        self.depth = depth
        return self

    def line(self, text=''):
        self.lines.append('\t' * self.depth + text if text else '')

    def open(self, text):
        self.line(text)
        self.depth += 1

    def close(self, text='}'):
        self.depth -= 1
        self.line(text)

    def comment(self, text):
        lines = textwrap.wrap(text, 92 - 4 * self.depth)
        if len(lines) == 1:
            self.line(f'/** {lines[0]} */')
            return
        self.line('/**')
        for line in lines:
            self.line(f' * {line}')
        self.line(' */')

    def guard_begin(self, name):
        self.line(f'#ifndef {name}')
        self.line(f'#define {name}')
        self.line()
        if self.about:
            self.comment(self.about)

    def include_vulkan(self, registry):
        self.line('#ifndef VK_NO_PROTOTYPES')
        self.line('#define VK_NO_PROTOTYPES')
        self.line('#endif')
        self.line('#include <vulkan/vulkan.h>')
        self.line()
        version = '.'.join(str(number) for number in registry.version)
        self.line(f'#if VK_HEADER_VERSION != {registry.patch}')
        self.line(
            f'#error "The Vulkan headers are not {version} as vk.xml is: name theirs with '
            '-Dvk_xml="'
        )
        self.line('#endif')
        self.line()

    def guard_end(self):
        self.line()
        self.line('#endif')

    def text(self):
        while self.lines[-1] == '':
            self.lines.pop()
        return '\n'.join(self.lines) + '\n'


class Output:
    """The folder that the files go to."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, name, writer):
        with open(os.path.join(self.folder, name), 'w', encoding='utf-8') as file:
            file.write(writer.text())
