# SPDX-License-Identifier: MIT
"""Generates the functions that read commands (for the renderer) and replies (for a client).

A function reads *runs*: everything up to the next place where the content decides how it goes on
has a size that is known here, so its bytes are asked for once and then read at constant offsets.
"""

from dataclasses import dataclass, replace

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
from registry import Error, Variable
from writer import Writer

# Bytes that the driver reads in place, in the private copy of the stream, where they lie on a
# multiple of 4. Others are copied to where malloc's alignment holds: they may be structures.
IN_PLACE = {
    'VkMemoryToImageCopyMESA.pData',
    'VkPushConstantsInfo.pValues',
    'VkWriteDescriptorSetInlineUniformBlock.pData',
    'vkCmdPushConstants.pValues',
    'vkCmdUpdateBuffer.pData',
}

# What hand-written code looks at when a structure is complete: venus_check_<structure>() in
# decoder.c.
CHECKED = {
    'VkBufferCreateInfo',
    'VkFramebufferCreateInfo',
    'VkImageCreateInfo',
    'VkShaderModuleCreateInfo',
    'VkWriteDescriptorSet',
}

# Arrays of handles for which the renderer also gets the objects, in <parameter>_objects.
OBJECT_ARRAYS = {
    'vkCmdExecuteCommands.pCommandBuffers',
    'vkFreeCommandBuffers.pCommandBuffers',
    'vkFreeDescriptorSets.pDescriptorSets',
    'vkResetFences.pFences',
    'vkWaitForFences.pFences',
}

# Structures with more stores than this get a function of their own.
INLINE_LEAVES = 6

CHAIN_MAX = 128  # VENUS_CHAIN_MAX


@dataclass(frozen=True)
class Place:
    """Where a value goes, and what it is called."""

    target: str  # C lvalue
    variable: Variable
    path: str  # structure.member or command.parameter
    argument: str  # for error messages: a C string
    holder: str  # what reaches the other members or parameters: 'v->', 'args->'
    parameter: object = None  # of a command

    @property
    def name(self):
        return self.path.partition('.')[2]

    def at(self, target):
        return replace(self, target=target)


class Run:
    """Values of fixed size that follow one another."""

    def __init__(self, body):
        self.body = body
        self.size = 0
        self.stores = []
        self.argument = None

    def add(self, size, argument, store):
        """`store(where)` writes the statements, with the bytes at the C expression `where`."""
        self.stores.append((self.size, store))
        self.size += size
        self.argument = self.argument or argument

    def flush(self):
        stores, size = self.stores, self.size
        self.size, self.stores = 0, []
        if size:
            self.body.uses_p = True
            self.body.writer.line(f'p = venus_decoder_take(d, {size});')
            self.body.fail_if('!p', f'venus_fail_short(d, {self.argument})')
        self.argument = None
        for offset, store in stores:
            store(advance('p', offset))


class Body:
    """A function under construction."""

    def __init__(self):
        self.writer = Writer.body(1)
        self.run = Run(self)
        self.uses_p = False
        self.uses_handle = False

    def line(self, text):
        self.writer.line(text)

    def fail_if(self, condition, fail='false'):
        self.writer.open(f'if ({condition}) {{')
        self.writer.line(f'return {fail};')
        self.writer.close()

    def finish(self, head, result='true'):
        """The whole function."""
        self.run.flush()
        self.writer.line(f'return {result};')
        writer = Writer.body(0)
        writer.open(head + ' {')
        if self.uses_p:
            writer.line('const uint8_t *p;')
        if self.uses_handle:
            writer.line('uint64_t handle;')
        writer.lines += self.writer.lines
        writer.close()
        writer.line()
        return writer.lines


class Decoder:
    """`server`: reads requests, and looks handles up; else reads replies, where handles are ids."""

    def __init__(self, model, server):
        self.model = model
        self.server = server
        self.direction = 'in' if server else 'out'
        self.done = {}
        self.lines = []

    # Functions for structures and unions are made on demand, callees first. Their call graph has
    # no cycles, so that nothing a peer sends can make the decoder recurse without end.

    def require(self, name, make):
        if name not in self.done:
            self.done[name] = False
            self.lines += make(name)
            self.done[name] = True
        elif not self.done[name]:
            raise Error(f'{name}: a structure that contains itself cannot be decoded')
        return name

    def form(self, kind):
        return self.model.form(kind, self.direction)[0]

    def load_function(self, kind):
        """bool f(d, p, v): reads a structure of fixed size whose bytes are there."""

        def make(name):
            body = Body()
            self.structure_fixed(body, kind, '(*v)', 'p', flat=True)
            ctype = self.model.structs[kind.name].ctype
            return body.finish(
                f'static bool {name}(struct venus_decoder *d, const uint8_t *p, {ctype} *v)'
            )

        return self.require(f'load_{_suffix(kind)}', make)

    def decode_function(self, kind):
        """bool f(d, v): reads a structure with everything that belongs to it."""

        def make(name):
            body = Body()
            result = 'true'
            if self.form(kind).chain is not None:
                self.chain(body, kind, 'v->')
                if not self.model.silent(kind, self.direction):
                    result = f'{self.members_function(kind)}(d, v)'
            else:
                self.members(body, kind)
            ctype = self.model.structs[kind.name].ctype
            return body.finish(f'static bool {name}(struct venus_decoder *d, {ctype} *v)', result)

        return self.require(f'decode_{_suffix(kind)}', make)

    def members_function(self, kind):
        """bool f(d, v): reads what follows a structure's sType and chain."""

        def make(name):
            body = Body()
            ctype = self.model.structs[kind.name].ctype
            self.members(body, kind)
            body.run.flush()
            if not body.writer.lines:
                body.line('(void)d;')
            if any('v->' in line for line in body.writer.lines):
                body.writer.lines.insert(0, f'\t{ctype} *v = structure;')
            else:
                body.line('(void)structure;')
            return body.finish(f'static bool {name}(struct venus_decoder *d, void *structure)')

        return self.require(f'members_{_suffix(kind)}', make)

    def chain_table(self, kind):
        """The structures that may be chained to one, by sType."""

        def make(name):
            entries = sorted(
                (self.model.structs[n] for n in self.form(kind).chain), key=lambda s: s.stype
            )
            if len(entries) > CHAIN_MAX:
                raise Error(f'{kind.name}: more than {CHAIN_MAX} structures may be chained')
            functions = [self.members_function(Struct(s.name, kind.partial)) for s in entries]
            writer = Writer.body(0)
            writer.open(f'static const struct venus_chain_entry {name}[] = {{')
            for structure, function in zip(entries, functions):
                writer.line(f'{{{structure.stype_name}, sizeof({structure.ctype}), {function}}},')
            writer.close('};')
            writer.line()
            return writer.lines

        return self.require(f'chain_{_suffix(kind)}', make)

    def union_function(self, kind):
        """bool f(d, v[, selector]): reads a union with its tag."""

        def make(name):
            union = self.model.unions[kind.name]
            body = Body()
            body.run.add(
                4, f'"{kind.name}"', lambda at: body.line(f'uint32_t tag = venus_load_u32({at});')
            )
            body.run.flush()
            if union.selected:
                body.fail_if('tag != selector', f'venus_fail_tag(d, "{kind.name}")')
            body.line('switch (tag) {')
            for member in dict.fromkeys(case.member for case in union.cases):
                cases = [case for case in union.cases if case.member == member]
                for case in cases:
                    body.line(f'case {case.tag}:')
                body.writer.depth += 1
                path = f'{kind.name}.{member}'
                self.value(
                    body,
                    cases[0].kind,
                    Place(f'v->{member}', cases[0].variable, path, f'"{path}"', 'v->'),
                )
                body.run.flush()
                body.line('break;')
                body.writer.depth -= 1
            body.line('default:')
            body.line(f'\treturn venus_fail_tag(d, "{kind.name}");')
            body.line('}')
            selector = ', uint32_t selector' if union.selected else ''
            return body.finish(
                f'static bool {name}(struct venus_decoder *d, {kind.name} *v{selector})'
            )

        return self.require(f'union_{kind.name}', make)

    def assert_packed(self, name, size):
        """The C compiler must agree that the bytes in memory are those on the wire."""
        ctype = self.model.structs[name].ctype
        self.require(
            f'packed_{name}',
            lambda _: [f'_Static_assert(sizeof({ctype}) == {size}, "{ctype} is not packed");', ''],
        )

    # Values.

    def chain(self, body, kind, v):
        """sType and chain of the structure whose members `v` reaches."""
        structure = self.model.structs[kind.name]
        chain = self.form(kind).chain

        def stype(at):
            body.fail_if(
                f'venus_load_u32({at}) != {structure.stype_name}',
                f'venus_fail_stype(d, "{kind.name}")',
            )
            body.line(f'{v}sType = {structure.stype_name};')
            body.line(f'{v}pNext = NULL;')

        def following(at):
            if not chain:
                body.fail_if(f'venus_load_u64({at})', f'venus_fail_chain(d, "{kind.name}")')
                return
            body.writer.open(f'if (venus_load_u64({at})) {{')
            body.line('void *next;')
            body.fail_if(
                f'!venus_decode_chain(d, {self.chain_table(kind)}, {len(chain)}, &next, '
                f'"{kind.name}")'
            )
            body.line(f'{v}pNext = next;')
            body.writer.close()

        body.run.add(4, f'"{kind.name}"', stype)
        body.run.add(8, f'"{kind.name}"', following)
        if chain:
            body.run.flush()

    def members(self, body, kind, v='v->'):
        for member in self.form(kind).members:
            path = f'{kind.name}.{member.name}'
            self.value(
                body, member.kind, Place(v + member.name, member.variable, path, f'"{path}"', v)
            )
        if self.server and not kind.partial and kind.name in CHECKED:
            body.run.flush()
            body.fail_if(f'!venus_check_{kind.name}(d, v)')

    def value(self, body, kind, place):
        """One value of any kind."""
        size = self.model.fixed_size(kind, self.direction)
        if size is not None:
            body.run.add(size, place.argument, lambda at: self.fixed(body, kind, place, at))
        elif isinstance(kind, String):
            self.string(body, kind, place)
        elif isinstance(kind, Pointer):
            self.pointer(body, kind, place)
        elif isinstance(kind, Array):
            self.array(body, kind, place)
        elif isinstance(kind, Struct):
            body.run.flush()
            body.fail_if(f'!{self.decode_function(kind)}(d, &{place.target})')
        elif isinstance(kind, Union):
            body.run.flush()
            selector = ''
            if self.model.unions[kind.name].selected:
                selector = f', (uint32_t){place.holder}{place.variable.selector}'
            body.fail_if(f'!{self.union_function(kind)}(d, &{place.target}{selector})')
        else:
            raise Error(f'{place.path}: {kind} cannot stand here')

    def fixed(self, body, kind, place, at):
        """A value of fixed size, whose bytes are at `at`."""
        if isinstance(kind, Scalar):
            if kind.wire in ('u8', 'u16'):
                body.line(f'{place.target} = (uint{kind.wire[1:]}_t)venus_load_u32({at});')
            else:
                body.line(f'{place.target} = venus_load_{kind.wire}({at});')
        elif isinstance(kind, Handle):
            self.handle(body, kind, place, at)
        elif isinstance(kind, Null):
            body.fail_if(f'venus_load_u64({at})', f'venus_fail_host_pointer(d, {place.argument})')
            body.line(f'{place.target} = NULL;')
        elif isinstance(kind, Struct):
            self.structure_fixed(body, kind, place.target, at)
        elif isinstance(kind, Fixed):
            self.fixed_array(body, kind, place, at)
        else:
            raise Error(f'{place.path}: {kind} has no fixed size')

    def structure_fixed(self, body, kind, target, at, flat=False):
        model = self.model
        form, form_name = model.form(kind, self.direction)
        if not form.members and form.chain is None:
            return
        packed = model.packed(kind.name, form_name)
        if packed and packed[0] > 8:
            self.assert_packed(kind.name, packed[0])
            body.line(f'memcpy(&{target}, {at}, sizeof({target}));')
            return
        if not flat and model.leaves(kind, self.direction) > INLINE_LEAVES:
            body.fail_if(f'!{self.load_function(kind)}(d, {at}, &{target})')
            return
        inner = Body()
        inner.writer = body.writer
        v = 'v->' if target == '(*v)' else f'{target}.'
        if form.chain is not None:
            self.chain(inner, kind, v)
        self.members(inner, kind, v)
        for offset, store in inner.run.stores:
            store(advance(at, offset))
        body.uses_handle |= inner.uses_handle

    def fixed_array(self, body, kind, place, at):
        count = self.model.constant(kind.count)
        body.fail_if(f'venus_load_u64({at}) != {count}', f'venus_fail_count(d, {place.argument})')
        content = advance(at, 8)
        if isinstance(kind.of, (Scalar, Bytes)):
            body.line(f'memcpy({place.target}, {content}, sizeof({place.target}));')
            if isinstance(kind.of, Bytes) and kind.of.text:
                body.line(f'{place.target}[{count - 1}] = 0;')
            return
        size = self.model.fixed_size(kind.of, self.direction)
        if size == 0:
            return
        if count <= 2:
            for i in range(count):
                self.fixed(
                    body, kind.of, place.at(f'{place.target}[{i}]'), advance(content, i * size)
                )
            return
        body.writer.open(f'for (size_t k = 0; k < {count}; k++) {{')
        body.line(f'const uint8_t *r = {content} + k * {size};')
        self.fixed(body, kind.of, place.at(f'{place.target}[k]'), 'r')
        body.writer.close()

    def handle(self, body, kind, place, at):
        """An id. A parameter has its object beside it, and is NULL only if the API allows that."""
        if not self.server or kind.new:
            body.line(f'{place.target} = ({kind.type})(uintptr_t)venus_load_u64({at});')
            return
        object_type = self.model.registry.handles[kind.type].object_type
        body.uses_handle = True
        parameter = place.parameter
        id_type = f'venus_load_u64({at}), {object_type}'
        if parameter is None:
            body.fail_if(f'!venus_decoder_handle(d, {id_type}, &handle, {place.argument})')
        else:
            find = 'dispatchable' if parameter.first else 'object'
            body.fail_if(
                f'!venus_decoder_{find}(d, {id_type}, &{place.target}_object, &handle, '
                f'{place.argument})'
            )
        body.line(f'{place.target} = ({kind.type})(uintptr_t)handle;')
        if parameter and not parameter.first and not parameter.variable.nullable(0):
            body.fail_if(f'!{place.target}_object', f'venus_fail_null(d, {place.argument})')

    def number(self, body, place, name):
        """A u64 that ends a run, in a variable of its own."""
        body.run.add(
            8, place.argument, lambda at: body.line(f'uint64_t {name} = venus_load_u64({at});')
        )
        body.run.flush()
        return name

    def string(self, body, kind, place):
        size = self.number(body, place, f'size_{place.name}')
        nullable = 'true' if kind.nullable else 'false'
        body.fail_if(
            f'!venus_decode_string(d, {size}, {nullable}, &{place.target}, {place.argument})'
        )

    def ctype(self, kind, variable):
        """The C type that an array or a pointer's target is made of."""
        if isinstance(kind, Struct):
            return self.model.structs[kind.name].ctype
        return 'uint8_t' if variable.type == 'void' else variable.type

    def pointer(self, body, kind, place):
        present = self.number(body, place, f'has_{place.name}')
        body.line(f'{place.target} = NULL;')
        if kind.nullable:
            body.writer.open(f'if ({present}) {{')
        else:
            body.fail_if(f'!{present}', f'venus_fail_null(d, {place.argument})')
            body.writer.open('{')
        empty = isinstance(kind.to, Out)
        zeroed = empty or isinstance(kind.to, Struct) and kind.to.partial
        allocate = 'venus_decoder_zeroed' if zeroed else 'venus_decoder_alloc'
        body.line(
            f'{self.ctype(kind.to, place.variable)} *object = {allocate}(d, sizeof(*object), '
            f'{place.argument});'
        )
        body.fail_if('!object')
        if not empty:
            self.value(body, kind.to, place.at('(*object)'))
            body.run.flush()
            if self.server and isinstance(kind.to, Handle):
                body.fail_if('!*object', f'venus_fail_null(d, {place.argument})')
        body.line(f'{place.target} = object;')
        body.writer.close()

    def array(self, body, kind, place):
        count = self.number(body, place, f'count_{place.name}')
        self.array_of(body, kind, place, count, 'i')

    def array_of(self, body, kind, place, count, index):
        """An array whose prefix was read into `count`. `index` is free as a name."""
        outer = chr(ord(index) - 1)
        expression = count_expression(kind.count, place.holder, outer)
        nullable = 'true' if kind.nullable else 'false'
        body.fail_if(
            f'!venus_decoder_count(d, {count}, {expression}, {nullable}, {place.argument})'
        )
        body.line(f'{place.target} = NULL;')
        if place.parameter and place.parameter.capacity:
            body.line(f'{place.target}_capacity = (size_t){count};')
        if self.server and place.path in OBJECT_ARRAYS:
            body.line(f'{place.target}_objects = NULL;')
        body.writer.open(f'if ({count}) {{')
        self.elements(body, kind.of, place, count, index)
        body.writer.close()

    def elements(self, body, element, place, count, index):
        ctype = self.ctype(element, place.variable)
        if isinstance(element, Out):
            size = f'sizeof({ctype})'
            body.line(
                f'{place.target} = venus_decoder_outputs(d, {count}, {size}, '
                f'{place.argument});'
            )
            body.fail_if(f'!{place.target}')
        elif isinstance(element, Bytes) or element == Scalar('u8'):
            in_place = self.server and place.path in IN_PLACE
            decode = 'venus_decode_bytes' if in_place else 'venus_decode_bytes_copy'
            body.line(f'{place.target} = {decode}(d, {count}, {place.argument});')
            body.fail_if(f'!{place.target}')
        elif isinstance(element, Scalar):
            self.plain_elements(body, place, count, element.size, element.size)
        elif isinstance(element, Struct) and self.packed(element):
            size, alignment = self.packed(element)
            self.assert_packed(element.name, size)
            self.plain_elements(body, place, count, size, alignment)
        elif isinstance(element, String):
            body.fail_if(f'!venus_decode_strings(d, {count}, &{place.target}, {place.argument})')
        elif isinstance(element, Array):
            self.array_elements(body, element, place, count, index)
        elif self.model.fixed_size(element, self.direction):
            self.fixed_elements(body, element, place, count, index)
        else:
            self.variable_elements(body, element, place, count, index)

    def packed(self, kind):
        return self.model.packed(kind.name, self.model.form(kind, self.direction)[1])

    def plain_elements(self, body, place, count, size, alignment):
        """Elements that are in memory what they are on the wire."""
        if place.variable.const and self.server:
            decode = f'venus_decode_array(d, {count}, {size}, {alignment}, {place.argument})'
        else:
            decode = f'venus_decode_array_copy(d, {count}, {size}, {place.argument})'
        body.line(f'{place.target} = {decode};')
        body.fail_if(f'!{place.target}')

    def array_elements(self, body, element, place, count, index):
        """An array of pointers to arrays."""
        const = 'const ' if place.variable.const else ''
        ctype = self.ctype(element.of, place.variable)
        array = f'array_{index}'
        body.line(
            f'{const}{ctype} **{array} = venus_decoder_array(d, {count}, 8, sizeof(*{array}), '
            f'{place.argument});'
        )
        body.fail_if(f'!{array}')
        body.writer.open(f'for (size_t {index} = 0; {index} < {count}; {index}++) {{')
        inner = self.number(body, place, 'inner')
        self.array_of(body, element, place.at(f'{array}[{index}]'), inner, chr(ord(index) + 1))
        body.writer.close()
        body.line(f'{place.target} = ({const}{ctype} *const *){array};')

    def fixed_elements(self, body, element, place, count, index):
        """Elements of one size: the bytes of all are asked for at once."""
        size = self.model.fixed_size(element, self.direction)
        array = f'array_{index}'
        zeroed = isinstance(element, Struct) and element.partial
        body.line(f'const uint8_t *q = venus_decoder_take_array(d, {count}, {size});')
        body.fail_if('!q', f'venus_fail_short(d, {place.argument})')
        self.allocate(body, element, place, count, array, 0, zeroed)
        objects = self.server and place.path in OBJECT_ARRAYS
        if objects:
            body.line(f'{place.target}_objects = venus_decoder_array(')
            body.line(f'\td, {count}, 0, sizeof(*{place.target}_objects), {place.argument});')
            body.fail_if(f'!{place.target}_objects')
        body.writer.open(f'for (size_t {index} = 0; {index} < {count}; {index}++, q += {size}) {{')
        if self.server and isinstance(element, Handle) and place.parameter:
            if element.new or not place.parameter.variable.nullable(1):
                body.fail_if('!venus_load_u64(q)', f'venus_fail_null(d, {place.argument})')
        target = f'{array}[{index}]'
        if objects:
            object_type = self.model.registry.handles[element.type].object_type
            body.uses_handle = True
            body.fail_if(
                f'!venus_decoder_object(d, venus_load_u64(q), {object_type}, '
                f'&{place.target}_objects[{index}], &handle, {place.argument})'
            )
            body.line(f'{target} = ({element.type})(uintptr_t)handle;')
        else:
            self.fixed(body, element, replace(place, target=target, parameter=None), 'q')
        body.writer.close()
        body.line(f'{place.target} = {array};')

    def variable_elements(self, body, element, place, count, index):
        least = self.model.least_size(element, self.direction)
        array = f'array_{index}'
        self.allocate(
            body,
            element,
            place,
            count,
            array,
            least,
            isinstance(element, Struct) and element.partial,
        )
        if self.model.fixed_size(element, self.direction) is None:
            body.writer.open(f'for (size_t {index} = 0; {index} < {count}; {index}++) {{')
            self.value(body, element, place.at(f'{array}[{index}]'))
            body.run.flush()
            body.writer.close()
        body.line(f'{place.target} = {array};')

    def allocate(self, body, element, place, count, array, least, zeroed):
        ctype = self.ctype(element, place.variable)
        if zeroed:
            if least:
                body.fail_if(
                    f'!venus_decoder_has(d, {count}, {least})',
                    f'venus_fail_short(d, {place.argument})',
                )
            # of outputs the stream has nothing but their number
            function = 'venus_decoder_zeroed_array' if least else 'venus_decoder_outputs'
            call = f'{function}(d, {count}, sizeof(*{array}), {place.argument})'
        else:
            call = f'venus_decoder_array(d, {count}, {least}, sizeof(*{array}), {place.argument})'
        body.line(f'{ctype} *{array} = {call};')
        body.fail_if(f'!{array}')

    # Commands.

    def request(self, command):
        """bool venus_decode_vkX(d, args)"""
        body = Body()
        for parameter in command.parameters:
            place = Place(
                f'args->{parameter.name}',
                parameter.variable,
                f'{command.name}.{parameter.name}',
                f'"{parameter.name}"',
                'args->',
                parameter,
            )
            self.value(body, parameter.request, place)
        body.run.flush()
        if command.result != 'void':
            body.line('args->ret = 0;')
        return body.finish(
            f'bool venus_decode_{command.name}(struct venus_decoder *d, struct '
            f'venus_{command.name} *args)'
        )

    def reply(self, command):
        """bool venus_decode_vkX_reply(d, args): outputs replace what args had."""
        body = Body()
        body.run.add(
            4,
            '"command"',
            lambda at: body.fail_if(
                f'venus_load_u32({at}) != VENUS_COMMAND_{command.name}',
                'venus_fail_stype(d, "command")',
            ),
        )
        if command.result_kind:
            result = Variable('ret', command.result)
            self.value(
                body,
                command.result_kind,
                Place('args->ret', result, f'{command.name}.ret', '"ret"', 'args->'),
            )
        for parameter in command.parameters:
            if parameter.reply is not None:
                place = Place(
                    f'args->{parameter.name}',
                    parameter.variable,
                    f'{command.name}.{parameter.name}',
                    f'"{parameter.name}"',
                    'args->',
                    parameter,
                )
                self.value(body, parameter.reply, place)
        if not any(parameter.reply for parameter in command.parameters) and not command.result_kind:
            body.run.flush()
            body.line('(void)args;')
        return body.finish(
            f'bool venus_decode_{command.name}_reply(struct venus_decoder *d, struct '
            f'venus_{command.name} *args)'
        )


def advance(at, offset):
    """The C expression `at`, which is a name or a name + number, further on."""
    base, _, number = at.partition(' + ')
    total = int(number or 0) + offset if number.isdigit() or not number else None
    if total is None:
        return f'{at} + {offset}' if offset else at
    return f'{base} + {total}' if total else base


def _suffix(kind):
    return f'partial_{kind.name}' if kind.partial else kind.name
