# SPDX-License-Identifier: MIT
"""Generates the functions of tests/driver: a Vulkan driver that renders nothing."""

import model as model_module
import vk_tables
from notation import Array, Handle, Pointer, count_expression
from writer import Writer

# tests/driver/extra.c has fake_<command>() for each of these, which do not travel or need more.
WRITTEN = (
    'vkCreateDebugUtilsMessengerEXT',
    'vkDestroyDebugUtilsMessengerEXT',
    'vkEnumerateInstanceLayerProperties',
    'vkGetDeviceProcAddr',
    'vkGetDeviceQueue',
    'vkGetDeviceQueue2',
    'vkGetInstanceProcAddr',
    'vkGetMemoryFdPropertiesKHR',
    'vkGetMemoryHostPointerPropertiesEXT',
    'vkMapMemory',
    'vkUnmapMemory',
)


def generate(registry, output):
    model = model_module.load(registry)
    commands = {c.definition: c for c in model.commands if not c.private}
    numbers = {c.name: i for i, c in enumerate(model.commands)}

    writer = Writer()
    writer.line('#include "fake.h"')
    writer.line()
    writer.line('#include <string.h>')
    writer.line()
    writer.line('#include "wire_commands.h"')
    writer.line()
    names = {}
    for function in vk_tables.functions(registry):
        definition = function.pfn.removeprefix('PFN_')
        if definition in WRITTEN:
            names.update({name: definition for name in function.names})
        elif definition in commands:
            names.update({name: definition for name in function.names})
            write_function(writer, registry, commands[definition], numbers)
    writer.open('const struct fake_function fake_functions[] = {')
    for name in sorted(names):
        always = str(registry.extension_of.get(name, '').endswith('_1_0')).lower()
        writer.line(f'{{"{name}", (PFN_vkVoidFunction)fake_{names[name]}, {always}}},')
    writer.close('};')
    writer.line()
    writer.line(
        'const size_t fake_function_count = sizeof(fake_functions) / sizeof(fake_functions[0]);'
    )
    output.write('fake_functions.c', writer)

    header = Writer('The functions that tests/driver/extra.c has.')
    header.guard_begin('VENERA_TESTS_DRIVER_FAKE_WRITTEN_H')
    header.include_vulkan(registry)
    for name in WRITTEN:
        command = registry.commands[name]
        arguments = ', '.join(declaration(v) for v in command.params)
        header.line(f'VKAPI_ATTR {command.result} VKAPI_CALL fake_{name}({arguments});')
    header.guard_end()
    output.write('fake_written.h', header)


def declaration(variable):
    return ('const ' if variable.array and variable.const else '') + variable.declaration()


def handles(parameter):
    """The handle type that a parameter gives out, or None."""
    kind = parameter.reply
    if isinstance(kind, Pointer):
        kind = kind.to
    elif isinstance(kind, Array):
        kind = kind.of
    return kind.type if isinstance(kind, Handle) else None


def write_function(writer, registry, command, numbers):
    name = command.definition
    arguments = ', '.join(declaration(p.variable) for p in command.parameters)
    writer.line(f'static VKAPI_ATTR {command.result} VKAPI_CALL fake_{name}(')
    writer.open(f'\t\t{arguments}) {{')
    writer.open(f'struct venus_{command.name} args = {{')
    for parameter in command.parameters:
        if not parameter.variable.array:
            writer.line(f'.{parameter.name} = {parameter.name},')
    writer.close('};')
    for parameter in command.parameters:
        if parameter.variable.array:
            writer.line(f'memcpy(args.{parameter.name}, {parameter.name}, sizeof(args.{parameter.name}));')
    for parameter in command.parameters:
        if parameter.capacity:
            count = count_expression(parameter.reply.count, 'args.')
            writer.line(f'args.{parameter.name}_capacity = {parameter.name} ? {count} : 0;')
    made = [p for p in command.parameters if handles(p)]
    for parameter in made:
        capacity = (
            f'args.{parameter.name}_capacity' if isinstance(parameter.reply, Array) else '1'
        )
        writer.line(f'fake_unmake((uint64_t *)(void *){parameter.name}, {capacity});')
    result = '&args.ret' if command.result == 'VkResult' else 'NULL'
    owner = command.parameters[0].name if command.parameters else 'NULL'
    owner = f'(const void *){owner}' if command.parameters and command.parameters[0].first else 'NULL'
    writer.line(
        f'const bool ok = fake_call(&wire_commands[{numbers[command.name]}], {owner}, &args, {result});'
    )
    for parameter in command.parameters:
        if parameter.capacity and parameter.reply.count.startswith('*'):
            count = parameter.reply.count[1:]
            bits = next(p for p in command.parameters if p.name == count).variable.type
            bits = '64' if bits == 'size_t' else '32'
            writer.line(
                f'fake_count{bits}({count}, {parameter.name} != NULL, args.{parameter.name}_capacity, '
                f'{result});'
            )
    if made:
        parent = parent_of(command)
        for parameter in made:
            object_type = registry.handles[handles(parameter)].object_type
            count, capacity, many = '1', '1', 'false'
            if isinstance(parameter.reply, Array):
                many = 'true'
                count = count_expression(parameter.reply.count, 'args.')
                capacity = f'args.{parameter.name}_capacity'
            writer.line(
                f'fake_make(ok, {parent}, {object_type}, (uint64_t *)(void *){parameter.name}, '
                f'{many}, {count}, {capacity});'
            )
    elif name.startswith('vkDestroy') or name == 'vkFreeMemory':
        target = command.parameters[1 if command.parameters[1].name != 'pAllocator' else 0]
        writer.line(f'fake_destroy((uint64_t)(uintptr_t){target.name});')
    elif name in ('vkFreeCommandBuffers', 'vkFreeDescriptorSets'):
        count, array = command.parameters[2].name, command.parameters[3].name
        writer.open(f'for (uint32_t i = 0; i < {count}; i++) {{')
        writer.line(f'fake_destroy((uint64_t)(uintptr_t){array}[i]);')
        writer.close()
    elif name == 'vkResetDescriptorPool':
        writer.line('fake_destroy_children((uint64_t)(uintptr_t)descriptorPool);')
    if command.result != 'void':
        writer.line('return args.ret;')
    if not made:
        # the warning about it
        writer.lines.insert(len(writer.lines) - (command.result != 'void'), '\t(void)ok;')
    writer.close()
    writer.line()


def parent_of(command):
    """Of what an object is made: a pool goes with what was allocated from it."""
    text = f'(uint64_t)(uintptr_t){command.parameters[0].name}' if command.parameters[0].first else '0'
    pool = {
        'vkAllocateCommandBuffers': 'pAllocateInfo->commandPool',
        'vkAllocateDescriptorSets': 'pAllocateInfo->descriptorPool',
    }.get(command.definition)
    return f'(uint64_t)(uintptr_t){pool}' if pool else text
