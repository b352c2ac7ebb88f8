# SPDX-License-Identifier: MIT
"""Generates what tests/wire tries with every command: random contents that are legal."""

import re

import model as model_module
from decode import CHECKED
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
from writer import Writer


def generate(registry, output):
    model = model_module.load(registry)
    generator = Filler(model)
    functions = []
    for command in model.commands:
        functions += generator.command(command)

    header = Writer('Every command, with functions that fill in legal contents.')
    header.guard_begin('VENERA_TESTS_WIRE_COMMANDS_H')
    header.line('#include "filler.h"')
    header.line('#include "venus/venus_client.h"')
    header.line()
    header.open('struct wire_command {')
    header.line('const char *name;')
    header.line('uint32_t number;')
    header.line('size_t args_size;')
    header.line('void (*fill_request)(struct filler *f, void *args);')
    header.line('/** Outputs of decoded arguments, as a driver would set them. */')
    header.line('void (*fill_reply)(struct filler *f, void *args);')
    header.line('void (*encode_request)(struct venus_encoder *e, const void *args);')
    header.line('bool (*decode_request)(struct venus_decoder *d, void *args);')
    header.line('void (*encode_reply)(struct venus_encoder *e, const void *args);')
    header.line('bool (*decode_reply)(struct venus_decoder *d, void *args);')
    header.close('};')
    header.line()
    header.line(f'#define WIRE_COMMAND_COUNT {len(model.commands)}')
    header.line('extern const struct wire_command wire_commands[WIRE_COMMAND_COUNT];')
    header.line()
    header.comment(
        'Every structure in each of its forms, and every structure that may be chained to it: what '
        'filler.covered counts.'
    )
    header.line(f'#define WIRE_COVERAGE_COUNT {len(generator.coverage)}')
    header.line('extern const char *const wire_coverage[WIRE_COVERAGE_COUNT];')
    header.line()
    header.comment('The types of objects that travel.')
    types = sorted({registry.handles[name].object_type for name in generator.handles})
    header.line(f'#define WIRE_OBJECT_TYPE_COUNT {len(types)}')
    header.line('extern const VkObjectType wire_object_types[WIRE_OBJECT_TYPE_COUNT];')
    header.guard_end()
    output.write('wire_commands.h', header)

    source = Writer()
    source.line('#include "wire_commands.h"')
    source.line()
    source.line('#include <string.h>')
    source.line()
    source.lines += generator.lines + functions
    source.open('const struct wire_command wire_commands[WIRE_COMMAND_COUNT] = {')
    for command in model.commands:
        name = command.name
        source.line(
            f'{{"{name}", VENUS_COMMAND_{name}, sizeof(struct venus_{name}), request_{name}, '
            f'reply_{name},'
        )
        source.line(f'\tencode_{name}, decode_{name}, encode_reply_{name}, decode_reply_{name}}},')
    source.close('};')
    source.line()
    source.open('const char *const wire_coverage[WIRE_COVERAGE_COUNT] = {')
    for name in generator.coverage:
        source.line(f'"{name}",')
    source.close('};')
    source.line()
    source.open('const VkObjectType wire_object_types[WIRE_OBJECT_TYPE_COUNT] = {')
    for name in types:
        source.line(f'{name},')
    source.close('};')
    output.write('wire_commands.c', source)


class Filler:
    """fill_<form>_X(f, v) for each structure: for inputs, and for allocated outputs (form out)."""

    def __init__(self, model):
        self.model = model
        self.done = set()
        self.lines = []
        self.coverage = []
        self.handles = set()
        self.remote_counts = self.find_remote_counts()

    def find_remote_counts(self):
        """(structure, member) of members that say how long an array elsewhere is."""
        found = set()
        for command in self.model.commands:
            types = {p.name: p.variable.type for p in command.parameters}
            for parameter in command.parameters:
                kind = parameter.request
                while isinstance(kind, Array):
                    for name, member in re.findall(r'(\w+)(?:->|\[i\]\.)(\w+)', kind.count):
                        found.add((types[name], member))
                    kind = kind.of
        return found

    def require(self, name, make):
        if name not in self.done:
            self.done.add(name)
            self.lines += make(name)
        return name

    def cover(self, name):
        self.coverage.append(name)
        return len(self.coverage) - 1

    def structure(self, name, form_name):
        """void f(f, v): the whole structure."""

        def make(function):
            structure = self.model.structs[name]
            form = structure.forms[form_name]
            writer = Writer.body(0)
            members = self.members(name, form_name)
            writer.open(f'static void {function}(struct filler *f, {structure.ctype} *v) {{')
            if form.chain is not None and form_name != 'out':
                writer.line(f'v->sType = {structure.stype_name};')
                chain = (
                    f'filler_chain(f, {self.chain(name, form_name)}, {len(form.chain)})'
                    if form.chain
                    else 'NULL'
                )
                writer.line(f'v->pNext = {chain};')
            elif form.chain:
                writer.line(
                    f'filler_chain_outputs(f, {self.chain(name, form_name)}, {len(form.chain)}, '
                    'v->pNext);'
                )
            writer.line(f'{members}(f, v);')
            writer.close()
            writer.line()
            return writer.lines

        return self.require(f'fill_{form_name}_{name}', make)

    def chain(self, name, form_name):
        def make(table):
            form = self.model.structs[name].forms[form_name]
            entries = sorted((self.model.structs[n] for n in form.chain), key=lambda s: s.stype)
            functions = [self.members(s.name, form_name) for s in entries]
            writer = Writer.body(0)
            writer.open(f'static const struct filler_chain_entry {table}[] = {{')
            for structure, function in zip(entries, functions):
                number = self.cover(f'{name} ({form_name}) chained {structure.name}')
                writer.line(
                    f'{{{structure.stype_name}, sizeof({structure.ctype}), {function}, {number}}},'
                )
            writer.close('};')
            writer.line()
            return writer.lines

        return self.require(f'chain_{form_name}_{name}', make)

    def members(self, name, form_name):
        """void f(f, structure): all but sType and chain."""

        def make(function):
            structure = self.model.structs[name]
            form = structure.forms[form_name]
            body = Writer.body(1)
            counts = _counts([m.kind for m in form.members])
            for member in form.members:
                if (structure.ctype, member.name) in self.remote_counts:
                    counts[member.name] = 'filler_count(f)'
                selector = next(
                    (
                        m.kind.name
                        for m in form.members
                        if isinstance(m.kind, Union)
                        and self.model.unions[m.kind.name].selected
                        and m.variable.selector == member.name
                    ),
                    None,
                )
                self.value(
                    body,
                    member.kind,
                    f'v->{member.name}',
                    member.variable,
                    'v->',
                    form_name,
                    counts.get(member.name),
                    selector,
                )
            if name in CHECKED and form_name == 'in':
                body.line(f'filler_adjust_{name}(f, v);')
            writer = Writer.body(0)
            writer.open(f'static void {function}(struct filler *f, void *structure) {{')
            if any('v->' in line or '(f, v)' in line for line in body.lines):
                writer.line(f'{structure.ctype} *v = structure;')
            else:
                writer.line('(void)structure;')
            writer.line(f'f->covered[{self.cover(f"{name} ({form_name})")}] = true;')
            writer.lines += body.lines
            writer.close()
            writer.line()
            return writer.lines

        return self.require(f'members_{form_name}_{name}', make)

    def union(self, name, form_name):
        def make(function):
            union = self.model.unions[name]
            writer = Writer.body(0)
            selector = ', uint32_t selector' if union.selected else ''
            writer.open(f'static void {function}(struct filler *f, {name} *v{selector}) {{')
            if union.selected:
                writer.line('switch (selector) {')
                for case in union.cases:
                    writer.line(f'case {case.tag}:')
                    writer.depth += 1
                    self.value(
                        writer, case.kind, f'v->{case.member}', case.variable, 'v->', form_name
                    )
                    writer.line('break;')
                    writer.depth -= 1
                writer.line('}')
            else:
                case = next(c for c in union.cases if c.sent)
                self.value(writer, case.kind, f'v->{case.member}', case.variable, 'v->', form_name)
            writer.close()
            writer.line()
            return writer.lines

        return self.require(f'union_{form_name}_{name}', make)

    def value(
        self,
        writer,
        kind,
        target,
        variable,
        holder,
        form_name,
        count=None,
        selector=None,
        nullable=True,
    ):
        if isinstance(kind, Scalar):
            if selector:
                tags = ', '.join(str(c.tag) for c in self.model.unions[selector].cases)
                writer.line(f'static const uint32_t tags_{selector}[] = {{{tags}}};')
                writer.line(
                    f'{target} = tags_{selector}[filler_below(f, '
                    f'sizeof(tags_{selector}) / sizeof(tags_{selector}[0]))];'
                )
            elif count:
                # an output's own count tells how much room there is
                if form_name != 'out':
                    writer.line(f'{target} = {count};')
            else:
                writer.line(f'{target} = filler_{kind.wire}(f);')
        elif isinstance(kind, Handle):
            self.handles.add(kind.type)
            object_type = self.model.registry.handles[kind.type].object_type
            if form_name == 'out':
                value = 'filler_u64(f)'
            elif kind.new:
                value = 'filler_new_id(f)'
            else:
                value = f'filler_id(f, {object_type}, {"true" if nullable else "false"})'
            writer.line(f'{target} = ({kind.type})(uintptr_t){value};')
        elif isinstance(kind, Null):
            writer.line(f'{target} = NULL;')
        elif isinstance(kind, String):
            writer.line(f'{target} = filler_string(f, {"true" if kind.nullable else "false"});')
        elif isinstance(kind, Struct):
            inner = 'partial' if kind.partial else form_name
            writer.line(f'{self.structure(kind.name, inner)}(f, &{target});')
        elif isinstance(kind, Union):
            selector = (
                f', (uint32_t){holder}{variable.selector}'
                if self.model.unions[kind.name].selected
                else ''
            )
            writer.line(f'{self.union(kind.name, form_name)}(f, &{target}{selector});')
        elif isinstance(kind, Fixed):
            self.fixed(writer, kind, target, variable, holder, form_name)
        elif isinstance(kind, Pointer):
            self.pointer(writer, kind, target, variable, holder, form_name, count)
        elif isinstance(kind, Array):
            self.array(writer, kind, target, variable, holder, form_name, 'i', nullable)

    def fixed(self, writer, kind, target, variable, holder, form_name):
        if isinstance(kind.of, Bytes) or kind.of == Scalar('u8'):
            writer.line(f'filler_bytes(f, {target}, sizeof({target}));')
            if isinstance(kind.of, Bytes):
                writer.line(f'{target}[sizeof({target}) - 1] = 0;')
            return
        if isinstance(kind.of, Handle) and form_name == 'partial':
            writer.line(f'memset({target}, 0, sizeof({target}));')
            return
        writer.open(f'for (size_t k = 0; k < {self.model.constant(kind.count)}; k++) {{')
        self.value(writer, kind.of, f'{target}[k]', variable, holder, form_name)
        writer.close()

    def ctype(self, kind, variable):
        if isinstance(kind, Struct):
            return self.model.structs[kind.name].ctype
        return 'uint8_t' if variable.type == 'void' else variable.type

    def pointer(self, writer, kind, target, variable, holder, form_name, count):
        if form_name == 'out':
            writer.open(f'if ({target}) {{')
            if count:
                array = count
                writer.line(
                    f'*{target} = filler_output_count(f, {array} != NULL, {array}_capacity);'
                )
            elif isinstance(kind.to, Struct):
                self.value(writer, kind.to, f'(*{target})', variable, holder, form_name)
            else:
                self.value(writer, kind.to, f'*{target}', variable, holder, form_name)
            writer.close()
            return
        writer.line(f'{target} = NULL;')
        writer.open('if (filler_below(f, 3)) {' if kind.nullable else '{')
        writer.line(f'{self.ctype(kind.to, variable)} *object = filler_alloc(f, sizeof(*object));')
        if not isinstance(kind.to, Out):
            self.value(writer, kind.to, '(*object)', variable, holder, form_name, count)
        writer.line(f'{target} = object;')
        writer.close()

    def array(self, writer, kind, target, variable, holder, form_name, index, nullable, outer='h'):
        ctype = self.ctype(kind.of.of if isinstance(kind.of, Array) else kind.of, variable)
        if form_name == 'out':
            # filled in where it is
            expression = count_expression(kind.count, holder, outer)
            writer.open(
                f'for (size_t {index} = 0; {target} && {index} < {expression}; {index}++) {{'
            )
            if isinstance(kind.of, (Bytes, Out)):
                writer.line(f'((uint8_t *){target})[{index}] = filler_u8(f);')
            else:
                self.value(writer, kind.of, f'{target}[{index}]', variable, holder, form_name)
            writer.close()
            return
        size = f'n_{index}'
        writer.line(f'{target} = NULL;')
        writer.open('{')
        writer.line(f'const uint64_t {size} = {count_expression(kind.count, holder, outer)};')
        condition = f'{size} && filler_below(f, 3)' if kind.nullable else size
        writer.open(f'if ({condition}) {{')
        array = f'array_{index}'
        element = kind.of
        if isinstance(element, Array):
            const = 'const ' if variable.const else ''
            writer.line(f'{const}{ctype} **{array} = filler_alloc(f, {size} * sizeof(*{array}));')
            writer.open(f'for (size_t {index} = 0; {index} < {size}; {index}++) {{')
            self.array(
                writer,
                element,
                f'{array}[{index}]',
                variable,
                holder,
                form_name,
                chr(ord(index) + 1),
                nullable,
                index,
            )
            writer.close()
            writer.line(f'{target} = ({const}{ctype} *const *){array};')
        elif isinstance(element, String):
            writer.line(f'const char **{array} = filler_alloc(f, {size} * sizeof(*{array}));')
            writer.open(f'for (size_t {index} = 0; {index} < {size}; {index}++) {{')
            writer.line(f'{array}[{index}] = filler_string(f, false);')
            writer.close()
            writer.line(f'{target} = {array};')
        else:
            writer.line(f'{ctype} *{array} = filler_alloc(f, {size} * sizeof(*{array}));')
            if isinstance(element, Bytes) or element == Scalar('u8'):
                writer.line(f'filler_bytes(f, {array}, {size});')
            elif not isinstance(element, Out):
                writer.open(f'for (size_t {index} = 0; {index} < {size}; {index}++) {{')
                self.value(
                    writer,
                    element,
                    f'{array}[{index}]',
                    variable,
                    holder,
                    form_name,
                    nullable=nullable,
                )
                writer.close()
            writer.line(f'{target} = {array};')
        writer.close()
        writer.close()

    def command(self, command):
        name = command.name
        args = f'struct venus_{name}'
        writer = Writer.body(0)
        body = Writer.body(1)
        counts = _counts([p.request for p in command.parameters])
        for parameter in command.parameters:
            kind = parameter.request
            nullable = not parameter.first and parameter.variable.nullable(
                1 if isinstance(kind, Array) else 0
            )
            self.value(
                body,
                kind,
                f'args->{parameter.name}',
                parameter.variable,
                'args->',
                'in',
                counts.get(parameter.name),
                nullable=nullable,
            )
        writer.open(f'static void request_{name}(struct filler *f, void *v) {{')
        writer.line(f'{args} *args = v;')
        writer.lines += body.lines or ['\t(void)f;', '\t(void)args;']
        writer.close()
        writer.line()

        body = Writer.body(1)
        if command.result_kind:
            self.value(body, command.result_kind, 'args->ret', None, 'args->', 'out')
        outputs = {}
        for parameter in command.parameters:
            if isinstance(parameter.reply, Array) and parameter.reply.count.startswith('*'):
                outputs[parameter.reply.count[1:]] = f'args->{parameter.name}'
        for parameter in command.parameters:
            if parameter.reply is not None:
                self.value(
                    body,
                    parameter.reply,
                    f'args->{parameter.name}',
                    parameter.variable,
                    'args->',
                    'out',
                    outputs.get(parameter.name),
                )
        writer.open(f'static void reply_{name}(struct filler *f, void *v) {{')
        if body.lines:
            writer.line(f'{args} *args = v;')
            writer.lines += body.lines
            if not any('(f' in line for line in body.lines):
                writer.line('(void)f;')
        else:
            writer.line('(void)f;')
            writer.line('(void)v;')
        writer.close()
        writer.line()
        for head, call in (
            (
                f'void encode_{name}(struct venus_encoder *e, const void *args)',
                f'venus_encode_{name}_request(e, 1, args)',
            ),
            (
                f'bool decode_{name}(struct venus_decoder *d, void *args)',
                f'return venus_decode_{name}(d, args)',
            ),
            (
                f'void encode_reply_{name}(struct venus_encoder *e, const void *args)',
                f'venus_encode_{name}_reply(e, args)',
            ),
            (
                f'bool decode_reply_{name}(struct venus_decoder *d, void *args)',
                f'return venus_decode_{name}_reply(d, args)',
            ),
        ):
            writer.open(f'static {head} {{')
            writer.line(call + ';')
            writer.close()
            writer.line()
        return writer.lines


def _counts(kinds):
    """member -> C expression for a value that makes arrays of a reasonable length."""
    counts = {}
    for kind in kinds:
        while isinstance(kind, Array):
            match = re.fullmatch(r'\*?(\w+)', kind.count)
            if match and not match.group(1).isdigit():
                counts[match.group(1)] = (
                    'filler_byte_count(f)'
                    if isinstance(kind.of, (Bytes, Out))
                    else 'filler_count(f)'
                )
            match = re.fullmatch(r'(\w+) / 4', kind.count)
            if match:
                counts[match.group(1)] = '4 + 4 * filler_count(f)'
            match = re.fullmatch(r'\((\w+) \+ 31\) / 32', kind.count)
            if match:
                counts[match.group(1)] = '1 + filler_below(f, 64)'
            kind = kind.of
    return counts
