# SPDX-License-Identifier: MIT
"""Generates src/venus: the commands' arguments, the codec, and the capset's constants."""

import model as model_module
from decode import OBJECT_ARRAYS, Decoder
from encode import Encoder
from notation import Handle
from writer import Writer


def generate(registry, output):
    model = model_module.load(registry)
    output.write('venus_mesa.h', private_types(model))
    output.write('venus_commands.h', commands_header(model))
    output.write('venus_commands.c', commands_source(model))
    output.write('venus_decode.c', decode_source(model))
    output.write('venus_encode.c', encode_source(model))


def generate_capset(registry, output):
    output.write('venus_capset_data.h', capset_header(model_module.load(registry)))


def generate_client(registry, output):
    model = model_module.load(registry)
    output.write('venus_client.h', client_header(model))
    output.write('venus_client_encode.c', client_encode_source(model))
    output.write('venus_client_decode.c', client_decode_source(model))


def private_types(model):
    writer = Writer(
        'What the protocol adds to Vulkan\'s types: the structures of VK_MESA_venus_protocol.'
    )
    writer.guard_begin('VENERA_VENUS_VENUS_MESA_H')
    writer.line('#include <stddef.h>')
    writer.line('#include <stdint.h>')
    writer.line()
    writer.include_vulkan(model.registry)
    for name in model_module.PRIVATE_TYPES:
        writer.line(f'typedef VkFlags {name};')
    writer.line()
    private = [
        (name, stype, variables)
        for name, (stype, variables) in model.private_members.items()
        if name in model.structs
    ]
    for name, stype, _ in private:
        if stype != '-':
            writer.line(
                f'#define {model_module.private_stype_name(name)} ((VkStructureType){stype})'
            )
    writer.line()
    for name, stype, variables in private:
        writer.open(f'typedef struct {name} {{')
        if stype != '-':
            writer.line('VkStructureType sType;')
            const = '' if 'Properties' in name else 'const '
            writer.line(f'{const}void *pNext;')
        for variable in variables:
            writer.line(variable.declaration() + ';')
        writer.close(f'}} {name};')
        writer.line()
    writer.guard_end()
    return writer


def commands_header(model):
    writer = Writer(
        'The commands of the protocol, as far as the Vulkan headers know what they are about.'
    )
    writer.guard_begin('VENERA_VENUS_VENUS_COMMANDS_H')
    writer.line('#include <stdbool.h>')
    writer.line('#include <stddef.h>')
    writer.line('#include <stdint.h>')
    writer.line('#include <vulkan/vulkan.h>')
    writer.line()
    writer.line('#include "venus/venus_mesa.h"')
    writer.line()
    writer.line('struct venus_decoder;')
    writer.line('struct venus_encoder;')
    writer.line('struct venus_object;')
    writer.line()
    writer.comment('Numbers on the wire. Those without VENUS_HAVE_ have no codec here.')
    writer.open('enum venus_command {')
    for number, name in sorted(model.names.items()):
        writer.line(f'VENUS_COMMAND_{name} = {number},')
    writer.close('};')
    writer.line()
    writer.line(f'#define VENUS_COMMAND_COUNT {max(model.names) + 1}')
    writer.line()
    for command in model.commands:
        writer.line(f'#define VENUS_HAVE_{command.name} 1')
    writer.line()
    writer.comment('"unknown command" for a number that has none.')
    writer.line('const char *venus_command_name(uint32_t command);')
    writer.line()
    writer.comment('An extension whose structures and commands can all travel.')
    writer.open('struct venus_extension {')
    writer.line('const char *name;')
    writer.line('uint32_t number;       /* in the registry: its bit in the capset */')
    writer.line('uint32_t spec_version; /* the newest one that the protocol knows */')
    writer.line(
        'bool offered;          /* a device may offer it to the guest; else the guest implements '
        'it alone, or it is private */'
    )
    writer.close('};')
    writer.line()
    writer.line(f'#define VENUS_EXTENSION_COUNT {len(model.extensions)}')
    writer.line('/** By name. */')
    writer.line('extern const struct venus_extension venus_extensions[VENUS_EXTENSION_COUNT];')
    writer.line()
    writer.comment('NULL if the protocol does not know it, or not all of it can travel.')
    writer.line('const struct venus_extension *venus_extension_find(const char *name);')
    writer.line()
    writer.comment(
        'The arguments of each command. A handle\'s object is beside it (NULL where the guest sent '
        '0); the handle of a failed '
        'object is NULL. Output parameters point to memory of the decoder\'s arena, cleared, with '
        'chains as the guest '
        'asked for; those for new handles hold the ids that the guest chose, and are left so. '
        '_capacity: elements that an output array has room for; the reply never shows more. ret: 0 '
        'after decoding.'
    )
    writer.line()
    for command in model.commands:
        arguments(writer, command)
    writer.comment(
        'Decoders begin behind the 8 bytes of the header. They return false and set the decoder\'s '
        'error if the guest broke '
        'a rule. Encoders write the whole reply.'
    )
    writer.line()
    for command in model.commands:
        writer.line(f'bool venus_decode_{command.name}(')
        writer.line(f'\tstruct venus_decoder *d, struct venus_{command.name} *args);')
        writer.line(f'void venus_encode_{command.name}_reply(')
        writer.line(f'\tstruct venus_encoder *e, const struct venus_{command.name} *args);')
    writer.guard_end()
    return writer


def arguments(writer, command):
    writer.open(f'struct venus_{command.name} {{')
    for parameter in command.parameters:
        writer.line(parameter.variable.declaration() + ';')
        if isinstance(parameter.request, Handle):
            writer.line(f'struct venus_object *{parameter.name}_object;')
        if f'{command.name}.{parameter.name}' in OBJECT_ARRAYS:
            writer.line(f'struct venus_object **{parameter.name}_objects;')
        if parameter.capacity:
            writer.line(f'size_t {parameter.name}_capacity;')
    if command.result != 'void':
        writer.line(f'{command.result} ret;')
    writer.close('};')
    writer.line()


def commands_source(model):
    writer = Writer()
    writer.line('#include "venus/venus_commands.h"')
    writer.line()
    writer.line('#include <stdlib.h>')
    writer.line('#include <string.h>')
    writer.line()
    writer.open('static const char *const names[VENUS_COMMAND_COUNT] = {')
    for number, name in sorted(model.names.items()):
        writer.line(f'[{number}] = "{name}",')
    writer.close('};')
    writer.line()
    writer.open('const char *venus_command_name(uint32_t command) {')
    writer.line('const char *name = command < VENUS_COMMAND_COUNT ? names[command] : NULL;')
    writer.line('return name ? name : "unknown command";')
    writer.close()
    writer.line()
    writer.open('const struct venus_extension venus_extensions[VENUS_EXTENSION_COUNT] = {')
    for extension in model.extensions:
        offered = 'true' if extension.offered else 'false'
        writer.line(
            f'{{"{extension.name}", {extension.number}, {extension.spec_version}, {offered}}},'
        )
    writer.close('};')
    writer.line()
    writer.open('static int compare(const void *key, const void *element) {')
    writer.line('return strcmp(key, ((const struct venus_extension *)element)->name);')
    writer.close()
    writer.line()
    writer.open('const struct venus_extension *venus_extension_find(const char *name) {')
    writer.line(
        'return bsearch(name, venus_extensions, VENUS_EXTENSION_COUNT, '
        'sizeof(venus_extensions[0]), compare);'
    )
    writer.close()
    return writer


def codec_source(*names):
    writer = Writer()
    for name in names:
        writer.line(f'#include "{name}"')
    writer.line()
    writer.line('#include <string.h>')
    writer.line()
    return writer


def decode_source(model):
    writer = codec_source('venus/decoder.h', 'venus/venus_commands.h')
    decoder = Decoder(model, server=True)
    functions = []
    for command in model.commands:
        functions += decoder.request(command)
    writer.lines += decoder.lines + functions
    return writer


def encode_source(model):
    writer = codec_source('venus/encoder.h', 'venus/venus_commands.h')
    encoder = Encoder(model, server=True)
    functions = []
    for command in model.commands:
        functions += encoder.reply(command)
    writer.lines += encoder.lines + functions
    return writer


def client_header(model):
    writer = Writer(
        'The guest\'s side of the codec, for tests and benchmarks. Handles are ids here.'
    )
    writer.guard_begin('VENERA_VENUS_VENUS_CLIENT_H')
    writer.line('#include "venus/decoder.h"')
    writer.line('#include "venus/encoder.h"')
    writer.line('#include "venus/venus_commands.h"')
    writer.line()
    writer.comment(
        'Requests are written with their header. Replies are read into args that hold the request: '
        'outputs are replaced '
        'by memory of the decoder\'s arena.'
    )
    for command in model.commands:
        writer.line(
            f'void venus_encode_{command.name}_request(struct venus_encoder *e, uint32_t flags,'
        )
        writer.line(f'\tconst struct venus_{command.name} *args);')
        writer.line(f'bool venus_decode_{command.name}_reply(')
        writer.line(f'\tstruct venus_decoder *d, struct venus_{command.name} *args);')
    writer.guard_end()
    return writer


def client_encode_source(model):
    writer = codec_source('venus/venus_client.h')
    encoder = Encoder(model, server=False)
    functions = []
    for command in model.commands:
        functions += encoder.request(command)
    writer.lines += encoder.lines + functions
    return writer


def client_decode_source(model):
    writer = codec_source('venus/venus_client.h')
    decoder = Decoder(model, server=False)
    functions = []
    for command in model.commands:
        functions += decoder.reply(command)
    writer.lines += decoder.lines + functions
    return writer


def capset_header(model):
    """Numbers only: programs that know nothing of Vulkan include it."""
    writer = Writer('What the capset says. Fields as in capset.c.')
    writer.guard_begin('VENERA_VENUS_VENUS_CAPSET_DATA_H')
    version = min(model.registry.version, model_module.CHECKED_VERSION)
    number = version[0] << 22 | version[1] << 12 | version[2]
    present = {command.name for command in model.commands}
    spec = 2
    if {'vkCopyImageToMemoryMESA', 'vkCopyMemoryToImageMESA'} <= present:
        spec = 3
        if {'vkWriteSamplerDescriptorMESA', 'vkWriteResourceDescriptorMESA'} <= present:
            spec = 4
    serialization = next(e for e in model.extensions if e.name == 'VK_EXT_command_serialization')
    writer.line('#define VENUS_WIRE_FORMAT_VERSION 1')
    writer.line(
        f'#define VENUS_VK_XML_VERSION 0x{number:08x} /* {version[0]}.{version[1]}.{version[2]} */'
    )
    writer.line(f'#define VENUS_COMMAND_SERIALIZATION_SPEC_VERSION {serialization.spec_version}')
    writer.line(f'#define VENUS_PROTOCOL_SPEC_VERSION {spec}')
    writer.line()
    mask = [0] * 32
    mask[0] = 1  # the mask is valid
    for extension in model.extensions:
        mask[extension.number // 32] |= 1 << extension.number % 32
    writer.comment(
        'Bit n % 32 of word n / 32: extension number n can travel. Bit 0 of word 0: the mask is '
        'valid.'
    )
    writer.line('#define VENUS_EXTENSION_MASK \\')
    for i in range(0, 32, 4):
        words = ', '.join(f'0x{word:08x}' for word in mask[i : i + 4])
        writer.line(f'\t{words}' + (', \\' if i < 28 else ''))
    writer.guard_end()
    return writer
