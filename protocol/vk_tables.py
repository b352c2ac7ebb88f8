# SPDX-License-Identifier: MIT
"""Generates src/vk/vk_tables: the host's Vulkan functions, found at run time."""

import tables
from writer import Writer

# What we call beside the commands that travel.
EXTENSIONS = (
    'VK_KHR_surface',
    'VK_KHR_get_surface_capabilities2',
    'VK_KHR_swapchain',
    'VK_EXT_headless_surface',
    'VK_EXT_debug_utils',
    'VK_EXT_external_memory_host',
    'VK_KHR_external_memory_fd',
    'VK_KHR_external_fence_fd',
    'VK_KHR_external_semaphore_fd',
    'VK_EXT_host_image_copy',
    'VK_EXT_descriptor_heap',
)

GLOBAL = (
    'vkCreateInstance',
    'vkEnumerateInstanceExtensionProperties',
    'vkEnumerateInstanceLayerProperties',
    'vkEnumerateInstanceVersion',
    'vkGetInstanceProcAddr',
)


class Function:
    def __init__(self, registry, names):
        """`names`: newest first; those that the header lacks are still looked up in the driver."""
        self.member = names[0].removeprefix('vk')
        self.names = names
        self.pfn = 'PFN_' + next(name for name in names if name in registry.commands)
        command = registry.commands[self.pfn.removeprefix('PFN_')]
        first = command.params[0].type
        if names[0] in GLOBAL:
            self.level = 'global'
        elif first in ('VkInstance', 'VkPhysicalDevice') or names[0] == 'vkGetDeviceProcAddr':
            self.level = 'instance'
        else:
            self.level = 'device'


def functions(registry):
    """Every function of the tables, in the order of the commands' numbers."""
    found = {}
    rows = tables.read('commands')
    for row in rows:
        if row['alias_of'] == '-':
            aliases = [r['command'] for r in rows if r['alias_of'] == row['command']]
            names = [row['command']] + aliases
            if any(name in registry.commands for name in names):
                found[row['command']] = names
    known = {name for names in found.values() for name in names}
    for name in sorted(registry.commands):
        command = registry.commands[name]
        if command.name in known or name != command.name:
            continue
        names = registry.command_names(name)
        if any(registry.extension_of.get(n) in EXTENSIONS for n in names):
            found[command.name] = names
    return [Function(registry, names) for names in found.values()]


def generate(registry, output):
    table = functions(registry)
    levels = ('global', 'instance', 'device')

    header = Writer('The host\'s Vulkan functions, found at run time: one table per level.')
    header.guard_begin('VENERA_VK_VK_TABLES_H')
    header.include_vulkan(registry)
    header.comment(
        'A member bears the newest name of its function, and is NULL where the host lacks it: core '
        'functions are '
        'also found under the names they had as extensions.'
    )
    for level in levels:
        header.open(f'struct vk_{level}_table {{')
        for function in table:
            if function.level == level:
                header.line(f'{function.pfn} {function.member};')
        header.close('};')
        header.line()
    header.line(
        'void vk_global_table_load(struct vk_global_table *table, PFN_vkGetInstanceProcAddr get);'
    )
    header.line(
        'void vk_instance_table_load(struct vk_instance_table *table, PFN_vkGetInstanceProcAddr '
        'get,'
    )
    header.line('\tVkInstance instance);')
    header.line(
        'void vk_device_table_load(struct vk_device_table *table, PFN_vkGetDeviceProcAddr get,'
    )
    header.line('\tVkDevice device);')
    header.guard_end()
    output.write('vk_tables.h', header)

    source = Writer()
    source.line('#include "vk/vk_tables.h"')
    source.line()
    source.comment(
        'The first that the host has of several names, each ended by a NUL, the list by an empty '
        'one.'
    )
    for level, handle in (('instance', 'Instance'), ('device', 'Device')):
        source.line(
            f'static PFN_vkVoidFunction {level}_function(PFN_vkGet{handle}ProcAddr get, Vk{handle} '
            f'{level},'
        )
        source.open('\t\tconst char *names) {')
        source.line('PFN_vkVoidFunction function = NULL;')
        source.open('while (!function && *names) {')
        source.line(f'function = get({level}, names);')
        source.open('while (*names++) {')
        source.close('}')
        source.close('}')
        source.line('return function;')
        source.close('}')
        source.line()
    for level in levels:
        if level == 'device':
            source.line(
                'void vk_device_table_load(struct vk_device_table *table, PFN_vkGetDeviceProcAddr '
                'get,'
            )
            source.open('\t\tVkDevice device) {')
            call = 'device_function(get, device'
        elif level == 'instance':
            source.line(
                'void vk_instance_table_load(struct vk_instance_table *table, '
                'PFN_vkGetInstanceProcAddr get,'
            )
            source.open('\t\tVkInstance instance) {')
            call = 'instance_function(get, instance'
        else:
            source.open(
                'void vk_global_table_load(struct vk_global_table *table, '
                'PFN_vkGetInstanceProcAddr get) {'
            )
            call = 'instance_function(get, VK_NULL_HANDLE'
        for function in table:
            if function.level != level:
                continue
            if function.names[0] == 'vkGetInstanceProcAddr':
                # Old loaders do not find it by itself.
                source.line('table->GetInstanceProcAddr = get;')
                continue
            names = '\\0'.join(function.names) + '\\0'
            source.line(f'table->{function.member} = ({function.pfn}){call},')
            source.line(f'\t"{names}");')
        source.close('}')
        source.line()
    output.write('vk_tables.c', source)
