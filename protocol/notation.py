# SPDX-License-Identifier: MIT
"""The notation of the encoding tables: see notation.md."""

import re
from dataclasses import dataclass

from registry import Error


@dataclass(frozen=True)
class Scalar:
    wire: str  # u8, u16, u32, i32, f32 or u64

    @property
    def size(self):
        return 8 if self.wire == 'u64' else 4


@dataclass(frozen=True)
class Handle:
    """The id of an object that exists (or 0), or the id for a new one."""

    type: str
    new: bool


@dataclass(frozen=True)
class Struct:
    name: str
    partial: bool


@dataclass(frozen=True)
class Union:
    name: str


@dataclass(frozen=True)
class String:
    nullable: bool


@dataclass(frozen=True)
class Pointer:
    to: object
    nullable: bool


@dataclass(frozen=True)
class Array:
    count: str
    of: object
    nullable: bool


@dataclass(frozen=True)
class Fixed:
    count: str
    of: object


@dataclass(frozen=True)
class Bytes:
    """As an element: one opaque byte; the last one is followed by padding to 4."""

    text: bool = False


@dataclass(frozen=True)
class Out:
    """Nothing in the request; the value is in the reply."""


@dataclass(frozen=True)
class Null:
    """A pointer that must be NULL."""


@dataclass(frozen=True)
class Item:
    name: str
    kind: object


def parse_kind(text):
    if text == 'NULL':
        return Null()
    if text == 'out':
        return Out()
    if text in ('bytes', 'char'):
        return Bytes(text == 'char')
    nullable = text.startswith('?')
    rest = text.removeprefix('?')
    if rest == 'string':
        return String(nullable)
    if rest.startswith('&'):
        return Pointer(parse_kind(rest[1:]), nullable)
    if rest.startswith('['):
        count, rest = _bracket(rest)
        return Array(count, parse_kind(rest), nullable)
    if nullable:
        raise Error(f'{text}: only pointers, arrays and strings can be NULL')
    if text.startswith('fixed['):
        count, rest = _bracket(text.removeprefix('fixed'))
        return Fixed(count, parse_kind(rest))
    match = re.fullmatch(r'([HNSPU]):(\w+)', text)
    if match:
        letter, name = match.groups()
        if letter in 'HN':
            return Handle(name, letter == 'N')
        return Union(name) if letter == 'U' else Struct(name, letter == 'P')
    match = re.fullmatch(r'(u8|u16|u32|i32|f32|u64)([<(]\w+[>)])?', text)
    if match:
        return Scalar(match.group(1))
    raise Error(f'{text}: not in the notation')


def parse_items(text):
    if text == '(nothing)':
        return []
    items = []
    for part in text.split('; '):
        name, _, kind = part.partition('=')
        items.append(Item(name, parse_kind(kind)))
    return items


def _bracket(text):
    """'[expr]rest' -> expr, rest. Brackets nest."""
    depth = 0
    for i, character in enumerate(text):
        depth += {'[': 1, ']': -1}.get(character, 0)
        if depth == 0:
            return text[1:i], text[i + 1 :]
    raise Error(f'{text}: a bracket is not closed')


def count_expression(text, holder, index='i'):
    """C for a count expression, uint64_t. `holder`, 'args->' and the like, reaches the members."""
    match = re.fullmatch(r'\w+', text)
    if match:
        return text if text[0].isdigit() else f'(uint64_t){holder}{text}'
    match = re.fullmatch(r'\*(\w+)', text)
    if match:
        name = holder + match.group(1)
        return f'({name} ? (uint64_t)*{name} : 0)'
    match = re.fullmatch(r'(\w+)->(\w+)', text)
    if match:
        name = holder + match.group(1)
        return f'({name} ? (uint64_t){name}->{match.group(2)} : 0)'
    match = re.fullmatch(r'\(?(?:\w+ \? )?(\w+)\[i\]\.(\w+)(?: : 0\))?', text)
    if match:
        name = holder + match.group(1)
        return f'({name} ? (uint64_t){name}[{index}].{match.group(2)} : 0)'
    match = re.fullmatch(r'\((\w+) \+ 31\) / 32', text)
    if match:
        return f'((uint64_t)(uint32_t){holder}{match.group(1)} + 31) / 32'
    match = re.fullmatch(r'(\w+) / 4', text)
    if match:
        return f'(uint64_t){holder}{match.group(1)} / 4'
    match = re.fullmatch(r'2\*(VK_\w+)', text)
    if match:
        return f'UINT64_C(2) * {match.group(1)}'
    raise Error(f'{text}: not a count expression that is understood')
