# SPDX-License-Identifier: MIT
"""Generates the functions that write replies (for the renderer) and requests (for a client).

The mirror of decode.py: what has a size that is known here is written in runs.
"""

from dataclasses import dataclass

from decode import advance
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
    count_expression,
)
from registry import Error
from writer import Writer


@dataclass(frozen=True)
class Source:
    """Where a value comes from."""

    value: str  # C expression
    variable: object
    name: str
    holder: str
    parameter: object = None

    def at(self, value):
        return Source(value, self.variable, self.name, self.holder, self.parameter)


class Run:
    def __init__(self, body):
        self.body = body
        self.size = 0
        self.stores = []

    def add(self, size, store):
        self.stores.append((self.size, store))
        self.size += size

    def flush(self):
        stores, size = self.stores, self.size
        self.size, self.stores = 0, []
        if not size:
            return
        self.body.uses_p = True
        self.body.line(f'p = venus_encoder_take(e, {size});')
        self.body.writer.open('if (!p) {')
        self.body.line('return;')
        self.body.writer.close()
        for offset, store in stores:
            store(advance('p', offset))


class Body:
    def __init__(self):
        self.writer = Writer.body(1)
        self.run = Run(self)
        self.uses_p = False

    def line(self, text):
        self.writer.line(text)

    def finish(self, head):
        self.run.flush()
        writer = Writer.body(0)
        writer.open(head + ' {')
        if self.uses_p:
            writer.line('uint8_t *p;')
        writer.lines += self.writer.lines
        writer.close()
        writer.line()
        return writer.lines


class Encoder:
    """`server`: writes replies; else requests."""

    def __init__(self, model, server):
        self.model = model
        self.server = server
        self.direction = 'out' if server else 'in'
        self.done = set()
        self.lines = []

    def require(self, name, make):
        if name not in self.done:
            self.done.add(name)
            self.lines += make(name)
        return name

    def form(self, kind):
        return self.model.form(kind, self.direction)[0]

    # Functions.

    def store_function(self, kind):
        """void f(p, v): writes a structure of fixed size."""

        def make(name):
            body = Body()
            self.structure_fixed(body, kind, '(*v)', 'p', flat=True)
            ctype = self.model.structs[kind.name].ctype
            return body.finish(f'static void {name}(uint8_t *p, const {ctype} *v)')

        return self.require(f'store_{_suffix(kind)}', make)

    def encode_function(self, kind):
        """void f(e, v): writes a structure with everything that belongs to it."""

        def make(name):
            body = Body()
            if self.form(kind).chain is not None:
                self.chain(body, kind, 'v->')
            if self.form(kind).chain is not None and not self.model.silent(kind, self.direction):
                body.run.flush()
                body.line(f'{self.members_function(kind)}(e, v);')
            else:
                self.members(body, kind)
            ctype = self.model.structs[kind.name].ctype
            return body.finish(f'static void {name}(struct venus_encoder *e, const {ctype} *v)')

        return self.require(f'encode_{_suffix(kind)}', make)

    def members_function(self, kind):
        """void f(e, v): writes what follows a structure's sType and chain."""

        def make(name):
            body = Body()
            ctype = self.model.structs[kind.name].ctype
            self.members(body, kind)
            body.run.flush()
            if not body.writer.lines:
                body.line('(void)e;')
            if any('v->' in line for line in body.writer.lines):
                body.writer.lines.insert(0, f'\tconst {ctype} *v = structure;')
            else:
                body.line('(void)structure;')
            return body.finish(
                f'static void {name}(struct venus_encoder *e, const void *structure)'
            )

        return self.require(f'members_{_suffix(kind)}', make)

    def chain_table(self, kind):
        def make(name):
            entries = sorted(
                (self.model.structs[n] for n in self.form(kind).chain), key=lambda s: s.stype
            )
            functions = [self.members_function(Struct(s.name, kind.partial)) for s in entries]
            writer = Writer.body(0)
            writer.open(f'static const struct venus_encode_entry {name}[] = {{')
            for structure, function in zip(entries, functions):
                writer.line(f'{{{structure.stype_name}, {function}}},')
            writer.close('};')
            writer.line()
            return writer.lines

        return self.require(f'chain_{_suffix(kind)}', make)

    def union_function(self, kind):
        def make(name):
            union = self.model.unions[kind.name]
            body = Body()
            if union.selected:
                body.run.add(4, lambda at: body.line(f'venus_store_u32({at}, selector);'))
                body.run.flush()
                body.line('switch (selector) {')
                for case in union.cases:
                    body.line(f'case {case.tag}:')
                    body.writer.depth += 1
                    self.value(
                        body,
                        case.kind,
                        Source(f'v->{case.member}', case.variable, case.member, 'v->'),
                    )
                    body.run.flush()
                    body.line('break;')
                    body.writer.depth -= 1
                body.line('default:')
                body.line('\tbreak;')
                body.line('}')
            else:
                case = next(c for c in union.cases if c.sent)
                body.run.add(4, lambda at: body.line(f'venus_store_u32({at}, {case.tag});'))
                self.value(
                    body, case.kind, Source(f'v->{case.member}', case.variable, case.member, 'v->')
                )
            selector = ', uint32_t selector' if union.selected else ''
            return body.finish(
                f'static void {name}(struct venus_encoder *e, const {kind.name} *v{selector})'
            )

        return self.require(f'union_{kind.name}', make)

    # Values.

    def chain(self, body, kind, v):
        structure = self.model.structs[kind.name]
        form = self.form(kind)
        body.run.add(4, lambda at: body.line(f'venus_store_u32({at}, {structure.stype_name});'))
        if form.chain:
            body.run.flush()
            body.line(
                f'venus_encode_chain(e, {self.chain_table(kind)}, {len(form.chain)}, {v}pNext);'
            )
        else:
            body.run.add(8, lambda at: body.line(f'venus_store_u64({at}, 0);'))

    def members(self, body, kind, v='v->'):
        for member in self.form(kind).members:
            self.value(body, member.kind, Source(v + member.name, member.variable, member.name, v))

    def value(self, body, kind, source):
        size = self.model.fixed_size(kind, self.direction)
        if size is not None:
            if size:
                body.run.add(size, lambda at: self.fixed(body, kind, source, at))
        elif isinstance(kind, String):
            body.run.flush()
            body.line(f'venus_encode_string(e, {source.value});')
        elif isinstance(kind, Pointer):
            self.pointer(body, kind, source)
        elif isinstance(kind, Array):
            self.array(body, kind, source)
        elif isinstance(kind, Struct):
            body.run.flush()
            body.line(f'{self.encode_function(kind)}(e, &{source.value});')
        elif isinstance(kind, Union):
            body.run.flush()
            selector = ''
            if self.model.unions[kind.name].selected:
                selector = f', (uint32_t){source.holder}{source.variable.selector}'
            body.line(f'{self.union_function(kind)}(e, &{source.value}{selector});')
        else:
            raise Error(f'{source.name}: {kind} cannot stand here')

    def fixed(self, body, kind, source, at):
        if isinstance(kind, Scalar):
            wire = 'u32' if kind.wire in ('u8', 'u16') else kind.wire
            body.line(f'venus_store_{wire}({at}, {source.value});')
        elif isinstance(kind, Handle):
            body.line(f'venus_store_u64({at}, (uint64_t)(uintptr_t){source.value});')
        elif isinstance(kind, Null):
            body.line(f'venus_store_u64({at}, 0);')
        elif isinstance(kind, Struct):
            self.structure_fixed(body, kind, source.value, at)
        elif isinstance(kind, Fixed):
            self.fixed_array(body, kind, source, at)
        else:
            raise Error(f'{source.name}: {kind} has no fixed size')

    def structure_fixed(self, body, kind, value, at, flat=False):
        model = self.model
        form, form_name = model.form(kind, self.direction)
        packed = model.packed(kind.name, form_name)
        if packed and packed[0] > 8:
            self.assert_packed(kind.name, packed[0])
            body.line(f'memcpy({at}, &{value}, sizeof({value}));')
            return
        if not flat and model.leaves(kind, self.direction) > 6:
            body.line(f'{self.store_function(kind)}({at}, &{value});')
            return
        inner = Body()
        inner.writer = body.writer
        v = 'v->' if value == '(*v)' else f'{value}.'
        if form.chain is not None:
            self.chain(inner, kind, v)
        self.members(inner, kind, v)
        for offset, store in inner.run.stores:
            store(advance(at, offset))

    def assert_packed(self, name, size):
        ctype = self.model.structs[name].ctype
        self.require(
            f'packed_{name}',
            lambda _: [f'_Static_assert(sizeof({ctype}) == {size}, "{ctype} is not packed");', ''],
        )

    def fixed_array(self, body, kind, source, at):
        count = self.model.constant(kind.count)
        body.line(f'venus_store_u64({at}, {count});')
        content = advance(at, 8)
        if isinstance(kind.of, (Scalar, Bytes)):
            body.line(f'memcpy({content}, {source.value}, sizeof({source.value}));')
            if count % 4 and (isinstance(kind.of, Bytes) or kind.of.wire == 'u8'):
                body.line(f'memset({content} + {count}, 0, {-count % 4});')
            return
        size = self.model.fixed_size(kind.of, self.direction)
        if size == 0:
            return
        if count <= 2:
            for i in range(count):
                self.fixed(
                    body, kind.of, source.at(f'{source.value}[{i}]'), advance(content, i * size)
                )
            return
        body.writer.open(f'for (size_t k = 0; k < {count}; k++) {{')
        body.line(f'uint8_t *r = {content} + k * {size};')
        self.fixed(body, kind.of, source.at(f'{source.value}[k]'), 'r')
        body.writer.close()

    def pointer(self, body, kind, source):
        body.run.add(8, lambda at: body.line(f'venus_store_u64({at}, {source.value} != NULL);'))
        body.run.flush()
        if (
            isinstance(kind.to, Out)
            or isinstance(kind.to, Struct)
            and self.model.fixed_size(kind.to, self.direction) == 0
        ):
            return
        body.writer.open(f'if ({source.value}) {{')
        self.value(body, kind.to, source.at(f'(*{source.value})'))
        body.run.flush()
        body.writer.close()

    def array(self, body, kind, source):
        body.run.flush()
        count = f'count_{source.name}'
        self.count(body, kind, source, count, 'h')
        self.elements(body, kind.of, source, count, 'i')

    def count(self, body, kind, source, count, index):
        expression = count_expression(kind.count, source.holder, index)
        body.line(f'uint64_t {count} = {source.value} ? {expression} : 0;')
        if self.server and source.parameter:
            body.writer.open(f'if ({count} > {source.value}_capacity) {{')
            body.line(f'{count} = {source.value}_capacity;')
            body.writer.close()
        body.run.add(8, lambda at: body.line(f'venus_store_u64({at}, {count});'))
        body.run.flush()

    def elements(self, body, element, source, count, index):
        if isinstance(element, Out):
            return
        if isinstance(element, Bytes) or element == Scalar('u8'):
            body.line(f'venus_encode_bytes(e, {source.value}, {count});')
            return
        if isinstance(element, Scalar):
            body.line(f'venus_encode_bytes(e, {source.value}, {count} * {element.size});')
            return
        if isinstance(element, Struct):
            size = self.model.fixed_size(element, self.direction)
            if size == 0:
                return
            packed = self.model.packed(element.name, self.model.form(element, self.direction)[1])
            if packed:
                self.assert_packed(element.name, packed[0])
                body.line(f'venus_encode_bytes(e, {source.value}, {count} * {packed[0]});')
                return
        item = source.at(f'{source.value}[{index}]')
        size = self.model.fixed_size(element, self.direction)
        if size:
            body.uses_p = True
            body.line(f'p = venus_encoder_take_array(e, {count}, {size});')
            body.writer.open('if (!p) {')
            body.line('return;')
            body.writer.close()
            body.writer.open(
                f'for (size_t {index} = 0; {index} < {count}; {index}++, p += {size}) {{'
            )
            self.fixed(body, element, item, 'p')
            body.writer.close()
            return
        body.writer.open(f'for (size_t {index} = 0; {index} < {count}; {index}++) {{')
        if isinstance(element, Array):
            self.count(
                body,
                element,
                Source(item.value, item.variable, item.name, item.holder),
                'inner',
                index,
            )
            self.elements(body, element.of, item, 'inner', chr(ord(index) + 1))
        else:
            self.value(body, element, item)
            body.run.flush()
        body.writer.close()

    # Commands.

    def source(self, parameter):
        return Source(
            f'args->{parameter.name}',
            parameter.variable,
            parameter.name,
            'args->',
            parameter if parameter.capacity else None,
        )

    def reply(self, command):
        """void venus_encode_vkX_reply(e, args)"""
        body = Body()
        body.run.add(
            4, lambda at: body.line(f'venus_store_u32({at}, VENUS_COMMAND_{command.name});')
        )
        used = False
        if command.result_kind:
            used = True
            self.value(body, command.result_kind, Source('args->ret', None, 'ret', 'args->'))
        for parameter in command.parameters:
            if parameter.reply is not None:
                used = True
                self.value(body, parameter.reply, self.source(parameter))
        if not used:
            body.run.flush()
            body.line('(void)args;')
        return body.finish(
            f'void venus_encode_{command.name}_reply(struct venus_encoder *e, const struct '
            f'venus_{command.name} *args)'
        )

    def request(self, command):
        """void venus_encode_vkX_request(e, flags, args)"""
        body = Body()
        body.run.add(
            4, lambda at: body.line(f'venus_store_u32({at}, VENUS_COMMAND_{command.name});')
        )
        body.run.add(4, lambda at: body.line(f'venus_store_u32({at}, flags);'))
        for parameter in command.parameters:
            self.value(body, parameter.request, self.source(parameter))
        return body.finish(
            f'void venus_encode_{command.name}_request(struct venus_encoder *e, uint32_t flags,\n'
            f'\t\tconst struct venus_{command.name} *args)'
        )


def _suffix(kind):
    return f'partial_{kind.name}' if kind.partial else kind.name
