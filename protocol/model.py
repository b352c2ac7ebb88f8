# SPDX-License-Identifier: MIT
"""The protocol as far as the Vulkan headers can express it: the tables joined with vk.xml."""

import re
from dataclasses import dataclass, field

import tables
from notation import (
    Array,
    Bytes,
    Fixed,
    Handle,
    Null,
    Out,
    Pointer,
    Scalar,
    String,
    Struct,
    Union,
    parse_items,
    parse_kind,
)
from registry import Error, Variable

# The newest Vulkan version that the tables were checked against.
CHECKED_VERSION = (1, 4, 343)

# Private commands are of use only with the host's function that does their work.
HOST_FUNCTION = {
    'vkCopyImageToMemoryMESA': 'vkCopyImageToMemory',
    'vkCopyMemoryToImageMESA': 'vkCopyMemoryToImage',
    'vkWriteSamplerDescriptorMESA': 'vkWriteSamplerDescriptorsEXT',
    'vkWriteResourceDescriptorMESA': 'vkWriteResourceDescriptorsEXT',
}

# Can travel, but is not offered: commands that it needs are not accepted
# (render_dispatch.REJECTED).
NOT_OFFERED = {'VK_EXT_descriptor_heap'}

# Typedefs of the protocol itself.
PRIVATE_TYPES = (
    'VkRingCreateFlagsMESA',
    'VkRingNotifyFlagsMESA',
    'VkCommandStreamExecutionFlagsMESA',
)

C_TYPES = {
    'u8': 'uint8_t',
    'u16': 'uint16_t',
    'u32': 'uint32_t',
    'i32': 'int32_t',
    'f32': 'float',
    'u64': 'uint64_t',
}
PLAIN_TYPES = set(C_TYPES.values()) | {'size_t', 'void', 'char', 'int'}


@dataclass
class Member:
    name: str  # in C
    kind: object
    variable: Variable


@dataclass
class Form:
    chain: list  # names of the structures that may be chained; None for structures without sType
    members: list


@dataclass
class Structure:
    name: str  # in the tables
    ctype: str
    stype: int  # None for plain structures
    stype_name: str
    forms: dict


@dataclass
class Case:
    tag: int
    member: str
    kind: object
    sent: bool
    variable: Variable


@dataclass
class UnionType:
    name: str
    cases: list
    selected: bool  # the tag repeats a member of the enclosing structure


@dataclass
class Parameter:
    name: str
    variable: Variable
    request: object
    reply: object  # None: not in the reply
    first: bool  # the dispatchable handle that the command belongs to

    @property
    def capacity(self):
        """Is it an output array, which the reply may show less of?"""
        return isinstance(self.reply, Array)


@dataclass
class Command:
    number: int
    name: str  # the newest
    definition: str  # the name that the headers define it under
    result: str  # C type, 'void' for none
    result_kind: object
    parameters: list
    where: str
    vkr: str
    private: bool

    @property
    def level(self):
        """Whose function it is: 'instance', 'device', or '' if it belongs to no object."""
        if not self.parameters or not self.parameters[0].first:
            return ''
        return (
            'instance'
            if self.parameters[0].variable.type in ('VkInstance', 'VkPhysicalDevice')
            else 'device'
        )


@dataclass
class Extension:
    name: str
    number: int
    spec_version: int
    offered: bool  # the renderer may list it for a device
    private: bool


@dataclass
class Model:
    registry: object
    structs: dict = field(default_factory=dict)
    unions: dict = field(default_factory=dict)
    commands: list = field(default_factory=list)
    extensions: list = field(default_factory=list)
    names: dict = field(default_factory=dict)  # number -> name, of every command of the protocol
    private_members: dict = field(default_factory=dict)  # structure -> (sType, variables)
    missing_structs: list = field(default_factory=list)
    missing_commands: list = field(default_factory=list)

    # Sizes on the wire, in bytes.

    def constant(self, text):
        if text.isdigit():
            return int(text)
        value = self.registry.values.get(text)
        if not isinstance(value, int):
            raise Error(f'{text}: vk.xml has no such constant')
        return value

    def form(self, kind, direction):
        """Form and its name of a Struct kind."""
        name = 'partial' if kind.partial else direction
        return self.structs[kind.name].forms[name], name

    def fixed_size(self, kind, direction):
        """Bytes, or None if it depends on the content."""
        if isinstance(kind, Scalar):
            return kind.size
        if isinstance(kind, (Handle, Null)):
            return 8
        if isinstance(kind, Out):
            return 0
        if isinstance(kind, Fixed):
            if isinstance(kind.of, Bytes) or kind.of == Scalar('u8'):
                return 8 + (self.constant(kind.count) + 3) // 4 * 4
            size = self.fixed_size(kind.of, direction)
            return None if size is None else 8 + self.constant(kind.count) * size
        if isinstance(kind, Struct):
            form, _ = self.form(kind, direction)
            if form.chain:
                return None
            total = 12 if form.chain is not None else 0
            for member in form.members:
                size = self.fixed_size(member.kind, direction)
                if size is None:
                    return None
                total += size
            return total
        return None

    def least_size(self, kind, direction):
        size = self.fixed_size(kind, direction)
        if size is not None:
            return size
        if isinstance(kind, Struct):
            form, _ = self.form(kind, direction)
            return (12 if form.chain is not None else 0) + sum(
                self.least_size(m.kind, direction) for m in form.members
            )
        if isinstance(kind, Union):
            return 4 + min(self.least_size(c.kind, direction) for c in self.unions[kind.name].cases)
        if isinstance(kind, (Pointer, Array, String)):
            return 8
        raise Error(f'{kind}: no size')

    def silent(self, kind, direction):
        """Has a structure no members that travel in this form?"""
        form, _ = self.form(kind, direction)
        return all(self.fixed_size(m.kind, direction) == 0 for m in form.members)

    def packed(self, name, form_name):
        """(size, alignment) of a structure that is in memory what it is on the wire, else None."""
        form = self.structs[name].forms.get(form_name)
        if form is None or form.chain is not None or not form.members:
            return None
        offset, alignment = 0, 1
        for member in form.members:
            if isinstance(member.kind, Scalar) and member.kind.wire in ('u32', 'i32', 'f32', 'u64'):
                size = align = member.kind.size
            elif isinstance(member.kind, Struct) and not member.kind.partial:
                inner = self.packed(member.kind.name, form_name)
                if inner is None:
                    return None
                size, align = inner
            else:
                return None
            if offset % align:
                return None
            offset += size
            alignment = max(alignment, align)
        return None if offset % alignment else (offset, alignment)

    def leaves(self, kind, direction):
        """How many stores a fixed-size value takes."""
        if isinstance(kind, Struct):
            form, _ = self.form(kind, direction)
            return (2 if form.chain is not None else 0) + sum(
                self.leaves(m.kind, direction) for m in form.members
            )
        if isinstance(kind, Fixed) and isinstance(kind.of, Struct):
            return 1 + min(4, self.constant(kind.count)) * self.leaves(kind.of, direction)
        return 1


def load(registry):
    model = Model(registry)
    _load_private_structs(model)
    _load_structs(model)
    _load_unions(model)
    _drop_incomplete(model)
    _load_commands(model)
    _load_extensions(model)
    return model


def _load_private_structs(model):
    """What C declares for the structures of the protocol itself."""
    for row in tables.read('structs'):
        variables = [Variable.from_text(text) for text in row['members'].split('; ')]
        model.private_members[row['struct']] = (row['stype'], variables)


def private_stype_name(name):
    """VkRingCreateInfoMESA -> VK_STRUCTURE_TYPE_RING_CREATE_INFO_MESA"""
    words = re.findall(r'[A-Z][a-z]+|MESA', name.removeprefix('Vk'))
    return 'VK_STRUCTURE_TYPE_' + '_'.join(words).upper()


def _load_structs(model):
    registry = model.registry
    for row in tables.read('struct-encoding'):
        name = row['struct']
        stype = None if row['stype'] == '-' else int(row['stype'])
        if name in model.private_members:
            ctype, stype_name = name, private_stype_name(name) if stype else None
            variables = model.private_members[name][1]
        else:
            definition = registry.structs.get(name)
            if definition is None and stype is not None:
                definition = registry.struct_of_stype(stype)
            if definition is None:
                if name not in model.missing_structs:
                    model.missing_structs.append(name)
                continue
            ctype, stype_name = definition.name, definition.stype
            if stype is not None and registry.values.get(stype_name) != stype:
                raise Error(f'{name}: vk.xml gives {stype_name} another value than {stype}')
            variables = [
                v
                for v in definition.members
                if v.name not in ('sType', 'pNext') or definition.stype is None
            ]
        items = parse_items(row['members'])
        by_name = {v.name: v for v in variables}
        members = []
        for position, item in enumerate(items):
            variable = by_name.get(item.name)
            if variable is None and len(items) == len(variables):
                variable = variables[position]  # it has been renamed
            if variable is None:
                raise Error(f'{name}.{item.name}: vk.xml has no such member')
            members.append(Member(variable.name, item.kind, variable))
        chain = {'-': None, 'none': []}.get(row['pnext'], row['pnext'].split(','))
        if row['form'] != 'partial' and len(members) < len(variables):
            raise Error(f'{name}: vk.xml has members that the table lacks')
        structure = model.structs.setdefault(name, Structure(name, ctype, stype, stype_name, {}))
        structure.forms[row['form']] = Form(chain, members)


def _load_unions(model):
    for row in tables.read('unions'):
        name = row['union']
        definition = model.registry.structs.get(name)
        if definition is None:
            continue
        tag = row['tag']
        value = int(tag) if tag.isdigit() else model.registry.values.get(tag)
        if not isinstance(value, int):
            continue
        union = model.unions.setdefault(name, UnionType(name, [], row['sent'] == '-'))
        union.cases.append(
            Case(
                value,
                row['member'],
                parse_kind(row['content']),
                row['sent'] == 'yes',
                definition.member(row['member']),
            )
        )


def _references(kind):
    """Names of the structures, unions and handles that a kind is made of."""
    while isinstance(kind, (Pointer, Array, Fixed)):
        kind = kind.to if isinstance(kind, Pointer) else kind.of
    if isinstance(kind, (Struct, Union)):
        return [kind.name]
    return [kind.type] if isinstance(kind, Handle) else []


def _known(model, name):
    return name in model.structs or name in model.unions or name in model.registry.handles


def _drop_incomplete(model):
    """Leaves no reference to anything that the headers lack."""
    changed = True
    while changed:
        changed = False
        for name, structure in list(model.structs.items()):
            kinds = [m.kind for form in structure.forms.values() for m in form.members]
            types = [m.variable.type for form in structure.forms.values() for m in form.members]
            if not all(_known(model, r) for kind in kinds for r in _references(kind)) or not all(
                _type_known(model, t) for t in types
            ):
                del model.structs[name]
                model.missing_structs.append(name)
                changed = True
        for union in model.unions.values():
            cases = [c for c in union.cases if all(_known(model, r) for r in _references(c.kind))]
            changed |= len(cases) != len(union.cases)
            union.cases = cases
    for structure in model.structs.values():
        for form in structure.forms.values():
            if form.chain:
                form.chain = [name for name in form.chain if name in model.structs]


def _type_known(model, name):
    return (
        name in PLAIN_TYPES
        or name in PRIVATE_TYPES
        or name in model.private_members
        or name in model.registry.types
    )


def _private_variable(name, kind):
    """The parameter of a private command: its C type follows from how it travels."""
    const = True
    if isinstance(kind, Handle):
        return Variable(name, kind.type)
    if isinstance(kind, Scalar):
        return Variable(name, C_TYPES[kind.wire])
    inner = kind.to if isinstance(kind, Pointer) else kind.of
    if isinstance(inner, Struct):
        const = not inner.partial
        type_name = inner.name
    elif isinstance(inner, Scalar):
        type_name = 'size_t' if inner.wire == 'u64' else C_TYPES[inner.wire]
    else:
        const, type_name = False, 'void'
    return Variable(name, type_name, const, 1)


def _load_commands(model):
    registry = model.registry
    rows = tables.read('commands')
    canonical = {row['command']: row for row in rows if row['alias_of'] == '-'}
    for row in rows:
        if row['alias_of'] == '-':
            model.names[int(row['number'])] = row['command']
    for row in tables.read('command-encoding'):
        name = row['command']
        facts = canonical[name]
        names = [name] + [r['command'] for r in rows if r['alias_of'] == name]
        request, reply = parse_items(row['request']), parse_items(row['reply'])
        private = name.endswith('MESA')
        if private:
            definition = None
            host = HOST_FUNCTION.get(name)
            complete = (host is None or host in registry.commands) and all(
                _known(model, r) for item in request for r in _references(item.kind)
            )
        else:
            definition = next((registry.commands[n] for n in names if n in registry.commands), None)
            complete = definition is not None
            if complete:
                for item in request:
                    for reference in _references(item.kind):
                        if not _known(model, reference):
                            raise Error(f'{name}: {reference} is not in vk.xml, but the command is')
        if not complete:
            model.missing_commands.append(name)
            continue
        results = {item.name: item.kind for item in reply}
        parameters = []
        for position, item in enumerate(request):
            if private:
                variable = _private_variable(item.name, item.kind)
            else:
                if len(definition.params) != len(request):
                    raise Error(
                        f'{name}: vk.xml has {len(definition.params)} parameters, the table '
                        f'{len(request)}'
                    )
                variable = definition.params[position]
            first = (
                position == 0
                and isinstance(item.kind, Handle)
                and registry.handles[item.kind.type].dispatchable
            )
            parameters.append(
                Parameter(variable.name, variable, item.kind, results.get(item.name), first)
            )
        if definition:
            result = definition.result
        else:
            result = 'VkResult' if 'ret' in results else 'void'
        model.commands.append(
            Command(
                int(row['number']),
                name,
                definition.name if definition else name,
                result,
                results.get('ret'),
                parameters,
                facts['where'],
                facts['vkr'],
                private,
            )
        )


def _load_extensions(model):
    """Those whose every structure and command can travel."""
    lacking = set()
    for row in tables.read('struct-encoding'):
        stype = int(row['stype']) if row['stype'] != '-' else 0
        if row['struct'] in model.missing_structs and stype >= 1000000000:
            lacking.add((stype - 1000000000) // 1000 + 1)
    for row in tables.read('commands'):
        if row['command'] in model.missing_commands:
            lacking.update(row['version_or_extensions'].split(','))
    for row in tables.read('extensions'):
        name, number = row['name'], int(row['number'])
        private = row['vkr_advertises'] == 'private'
        if not private:
            if name in lacking or number in lacking:
                continue
            if name not in model.registry.extension_numbers:
                continue
            if model.registry.extension_numbers[name] != number:
                raise Error(f'{name}: vk.xml gives it another number than {number}')
        offered = row['vkr_advertises'] == 'yes' and name not in NOT_OFFERED
        model.extensions.append(
            Extension(name, number, int(row['protocol_spec']), offered, private)
        )
    model.extensions.sort(key=lambda extension: extension.name)
