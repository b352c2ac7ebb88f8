# SPDX-License-Identifier: MIT
"""Generates render_dispatch: what venera-render does with each command."""

import model as model_module
from notation import Handle, Null, Pointer
from registry import Error
from writer import Writer

# Commands that need thought: src/render has render_handle_<command>() for each.
HANDLED = {
    # instance and physical devices
    'vkCreateInstance',
    'vkDestroyInstance',
    'vkEnumerateDeviceExtensionProperties',
    'vkEnumerateInstanceExtensionProperties',
    'vkEnumerateInstanceVersion',
    'vkEnumeratePhysicalDeviceGroups',
    'vkEnumeratePhysicalDevices',
    'vkGetPhysicalDeviceExternalBufferProperties',
    'vkGetPhysicalDeviceExternalFenceProperties',
    'vkGetPhysicalDeviceExternalSemaphoreProperties',
    'vkGetPhysicalDeviceFormatProperties2',
    'vkGetPhysicalDeviceImageFormatProperties2',
    'vkGetPhysicalDeviceMemoryProperties',
    'vkGetPhysicalDeviceMemoryProperties2',
    'vkGetPhysicalDeviceProperties',
    'vkGetPhysicalDeviceProperties2',
    'vkGetPhysicalDeviceSparseImageFormatProperties2',
    # devices and queues
    'vkCreateDevice',
    'vkDestroyDevice',
    'vkGetDeviceQueue2',
    'vkQueueBindSparse',
    'vkQueueSubmit',
    'vkQueueSubmit2',
    # memory, buffers and images
    'vkAllocateMemory',
    'vkBindBufferMemory',
    'vkBindBufferMemory2',
    'vkBindImageMemory',
    'vkBindImageMemory2',
    'vkCopyImageToImage',
    'vkCopyImageToMemoryMESA',
    'vkCopyMemoryToImageMESA',
    'vkCreateBuffer',
    'vkCreateImage',
    'vkFreeMemory',
    'vkGetBufferMemoryRequirements',
    'vkGetBufferMemoryRequirements2',
    'vkGetDeviceBufferMemoryRequirements',
    'vkGetDeviceImageMemoryRequirements',
    'vkGetDeviceImageSparseMemoryRequirements',
    'vkGetDeviceImageSubresourceLayout',
    'vkGetImageDrmFormatModifierPropertiesEXT',
    'vkGetImageMemoryRequirements',
    'vkGetImageMemoryRequirements2',
    'vkGetMemoryResourcePropertiesMESA',
    # pools and what is allocated from them
    'vkAllocateCommandBuffers',
    'vkAllocateDescriptorSets',
    'vkBeginCommandBuffer',
    'vkCreateCommandPool',
    'vkCreateDescriptorPool',
    'vkDestroyCommandPool',
    'vkDestroyDescriptorPool',
    'vkEndCommandBuffer',
    'vkFreeCommandBuffers',
    'vkFreeDescriptorSets',
    'vkResetCommandBuffer',
    'vkResetCommandPool',
    'vkResetDescriptorPool',
    'vkUpdateDescriptorSets',
    # pipelines and queries
    'vkCreateComputePipelines',
    'vkCreateGraphicsPipelines',
    'vkCreateQueryPool',
    'vkCreateRayTracingPipelinesKHR',
    'vkDestroyPipeline',
    'vkGetQueryPoolResults',
    # synchronisation
    'vkCreateFence',
    'vkCreateSemaphore',
    'vkDestroySemaphore',
    'vkImportSemaphoreResourceMESA',
    'vkResetFenceResourceMESA',
    'vkResetFences',
    'vkWaitForFences',
    'vkWaitSemaphoreResourceMESA',
    'vkWaitSemaphores',
    # rings and streams
    'vkCreateRingMESA',
    'vkDestroyRingMESA',
    'vkExecuteCommandStreamsMESA',
    'vkNotifyRingMESA',
    'vkSeekReplyCommandStreamMESA',
    'vkSetReplyCommandStreamMESA',
    'vkSubmitVirtqueueSeqnoMESA',
    'vkWaitRingSeqnoMESA',
    'vkWaitVirtqueueSeqnoMESA',
    'vkWriteRingExtraMESA',
}

# Commands that are passed through, but not as the guest sent them: src/render has
# render_prepare_<command>() for each.
PREPARED = {
    'vkCmdPipelineBarrier',
    'vkCmdPipelineBarrier2',
    'vkCmdSetEvent2',
    'vkCmdWaitEvents',
    'vkCmdWaitEvents2',
    'vkGetImageSubresourceLayout',
    'vkGetImageSubresourceLayout2',
}

# Commands that are passed through, but can find the device lost. Of HANDLED those that can see to it
# themselves.
FIND_LOSSES = {
    'vkGetEventStatus',
    'vkGetFenceStatus',
    'vkGetSemaphoreCounterValue',
}

# Never accepted, beside those that the table marks so.
REJECTED = {
    # of VK_EXT_descriptor_heap: the driver writes as much as it likes, whatever size the guest gave
    'vkGetImageOpaqueCaptureDataEXT',
    'vkWriteResourceDescriptorMESA',
    'vkWriteSamplerDescriptorMESA',
}

# What must hold before the host may be called: (condition of the violation, what is wrong).
CHECKS = {
    # handles have 32 bytes on every implementation, those for replay at most 64
    'vkGetRayTracingShaderGroupHandlesKHR': (
        'args.dataSize / 32 < args.groupCount',
        'dataSize is too small',
    ),
    'vkGetRayTracingCaptureReplayShaderGroupHandlesKHR': (
        'args.dataSize / 64 < args.groupCount',
        'dataSize is too small',
    ),
    # drivers copy them to where they keep that many
    'vkCmdPushConstants': (
        '!render_device_has_push_constants(call->decoder->device, args.offset, args.size)',
        'offset and size are beyond maxPushConstantsSize',
    ),
    'vkCmdPushConstants2': (
        '!render_device_has_push_constants(call->decoder->device, args.pPushConstantsInfo->offset, '
        'args.pPushConstantsInfo->size)',
        'offset and size are beyond maxPushConstantsSize',
    ),
    # and read and write where they are told
    **{
        name: (f'!render_check_{what}', 'outside of the buffer')
        for name, what in {
            'vkCmdCopyBuffer': 'copies(args.srcBuffer_object, args.dstBuffer_object, '
            'args.pRegions, args.regionCount)',
            'vkCmdDispatchIndirect': 'range(args.buffer_object, args.offset, '
            'sizeof(VkDispatchIndirectCommand))',
            'vkCmdDrawIndexedIndirect': 'array(args.buffer_object, args.offset, args.drawCount, '
            'args.stride, sizeof(VkDrawIndexedIndirectCommand))',
            'vkCmdDrawIndexedIndirectCount': 'range(args.countBuffer_object, '
            'args.countBufferOffset, sizeof(uint32_t))',
            'vkCmdDrawIndirect': 'array(args.buffer_object, args.offset, args.drawCount, '
            'args.stride, sizeof(VkDrawIndirectCommand))',
            'vkCmdDrawIndirectCount': 'range(args.countBuffer_object, args.countBufferOffset, '
            'sizeof(uint32_t))',
            'vkCmdDrawMeshTasksIndirectEXT': 'array(args.buffer_object, args.offset, '
            'args.drawCount, args.stride, sizeof(VkDrawMeshTasksIndirectCommandEXT))',
            'vkCmdFillBuffer': 'range(args.dstBuffer_object, args.dstOffset, args.size)',
            'vkCmdUpdateBuffer': 'range(args.dstBuffer_object, args.dstOffset, args.dataSize)',
        }.items()
    },
    # drivers take these for indices into what they have
    **{
        name: (
            f'!render_check_queries(args.queryPool_object, {queries})',
            'the pool has no such query',
        )
        for name, queries in {
            'vkCmdBeginQuery': 'args.query, 1',
            'vkCmdBeginQueryIndexedEXT': 'args.query, 1',
            'vkCmdCopyQueryPoolResults': 'args.firstQuery, args.queryCount',
            'vkCmdEndQuery': 'args.query, 1',
            'vkCmdEndQueryIndexedEXT': 'args.query, 1',
            'vkCmdResetQueryPool': 'args.firstQuery, args.queryCount',
            'vkCmdWriteTimestamp': 'args.query, 1',
            'vkCmdWriteTimestamp2': 'args.query, 1',
            'vkResetQueryPool': 'args.firstQuery, args.queryCount',
        }.items()
    },
    'vkCmdBindDescriptorSets': (
        '!render_check_sets(call->decoder->device, args.firstSet, args.descriptorSetCount)',
        'firstSet and descriptorSetCount are beyond maxBoundDescriptorSets',
    ),
    'vkCmdBindDescriptorSets2': (
        '!render_check_sets(call->decoder->device, args.pBindDescriptorSetsInfo->firstSet, '
        'args.pBindDescriptorSetsInfo->descriptorSetCount)',
        'firstSet and descriptorSetCount are beyond maxBoundDescriptorSets',
    ),
    'vkCreatePipelineLayout': (
        '!render_check_sets(call->decoder->device, 0, args.pCreateInfo->setLayoutCount)',
        'setLayoutCount is beyond maxBoundDescriptorSets',
    ),
    'vkCreateDescriptorSetLayout': (
        '!render_check_bindings(args.pCreateInfo)',
        'the number of a binding is too large',
    ),
    'vkCreateImageView': (
        '!args.pCreateInfo->subresourceRange.levelCount || '
        '!args.pCreateInfo->subresourceRange.layerCount',
        'a view of no levels or layers',
    ),
    'vkCreateShaderModule': (
        '!render_check_spirv(args.pCreateInfo->pCode, args.pCreateInfo->codeSize)',
        'the code is no SPIR-V',
    ),
}

# Arguments that we know better than the guest: its arrays arrive without gaps.
ARGUMENTS = {
    ('vkCmdDrawMultiEXT', 'stride'): 'sizeof(VkMultiDrawInfoEXT)',
    ('vkCmdDrawMultiIndexedEXT', 'stride'): 'sizeof(VkMultiDrawIndexedInfoEXT)',
}

WHERE = {
    'any': 'RENDER_WHERE_CONTEXT | RENDER_WHERE_RING',
    'ctx': 'RENDER_WHERE_CONTEXT',
    'ring': 'RENDER_WHERE_RING',
}


def generate(registry, output):
    model = model_module.load(registry)
    names = set(model.names.values())
    for name in HANDLED | PREPARED | FIND_LOSSES | REJECTED | set(CHECKS):
        if name not in names:
            raise Error(f'render_dispatch.py: {name} is no command')
    output.write('render_dispatch.h', header(model))
    output.write('render_dispatch.c', source(model))


def header(model):
    writer = Writer('What to do with each command.')
    writer.guard_begin('VENERA_RENDER_RENDER_DISPATCH_H')
    writer.line('#include <stdint.h>')
    writer.line()
    writer.line('#include "venus/venus_commands.h"')
    writer.line()
    writer.line('struct render_call;')
    writer.line()
    writer.comment('Where a command is legal.')
    writer.line('enum { RENDER_WHERE_CONTEXT = 1, RENDER_WHERE_RING = 2 };')
    writer.line()
    writer.comment(
        'Decodes the command behind its header, executes it, and writes the reply if one is '
        'wanted. Afterwards the '
        'decoder\'s error is set, or the call has failed, if the guest broke a rule.'
    )
    writer.line('typedef void (*render_dispatch_func)(struct render_call *call);')
    writer.line()
    writer.open('struct render_dispatch_entry {')
    writer.line('render_dispatch_func func; /* NULL: there is no such command */')
    writer.line('uint8_t where;')
    writer.close('};')
    writer.line()
    writer.line('/** By number. */')
    writer.line(
        'extern const struct render_dispatch_entry render_dispatch_table[VENUS_COMMAND_COUNT];'
    )
    writer.line()
    writer.comment(
        'The commands that need thought. They set args->ret, fill in the outputs, and may fail the '
        'call; the reply is '
        'encoded after them. They are called also when the decoder has met a failed object.'
    )
    for command in model.commands:
        if command.name in HANDLED:
            writer.line(f'void render_handle_{command.name}(')
            writer.line(f'\tstruct render_call *call, struct venus_{command.name} *args);')
    writer.line()
    writer.comment('Make of what the guest sent what the host is told.')
    for command in model.commands:
        if command.name in PREPARED:
            writer.line(f'void render_prepare_{command.name}(')
            writer.line(f'\tstruct render_call *call, struct venus_{command.name} *args);')
    writer.guard_end()
    return writer


def source(model):
    writer = Writer()
    writer.line('#include "render_dispatch.h"')
    writer.line()
    writer.line('#include "render/call.h"')
    writer.line('#include "render/check.h"')
    writer.line('#include "render/device.h"')
    writer.line('#include "render/device_loss.h"')
    writer.line('#include "render/failure.h"')
    writer.line('#include "render/object.h"')
    writer.line('#include "venus/decoder.h"')
    writer.line('#include "venus/encoder.h"')
    writer.line('#include "vk/vk_tables.h"')
    writer.line()
    for command in model.commands:
        function(writer, model, command)
    writer.open('const struct render_dispatch_entry render_dispatch_table[VENUS_COMMAND_COUNT] = {')
    for command in model.commands:
        writer.line(
            f'[VENUS_COMMAND_{command.name}] = {{dispatch_{command.name}, {WHERE[command.where]}}},'
        )
    writer.close('};')
    return writer


def kind_of(command):
    name = command.name
    if command.vkr in ('fatal', 'reject') and name not in HANDLED or name in REJECTED:
        return 'reject'
    if name in HANDLED:
        return 'handled'
    if command.private:
        raise Error(f'{name}: a private command needs a handler')
    if any(
        isinstance(p.request, Pointer) and isinstance(p.request.to, Handle)
        for p in command.parameters
    ):
        return 'create'
    if name.startswith('vkDestroy') or name == 'vkFreeMemory':
        return 'destroy'
    return 'pass'


def function(writer, model, command):
    kind = kind_of(command)
    name = command.name
    writer.open(f'static void dispatch_{name}(struct render_call *call) {{')
    if kind == 'reject':
        writer.line('render_call_fail(call, "never accepted");')
        writer.close()
        writer.line()
        return
    writer.line(f'struct venus_{name} args;')
    writer.open(f'if (!venus_decode_{name}(call->decoder, &args)) {{')
    writer.line('return;')
    writer.close()
    if kind == 'handled':
        writer.line(f'render_handle_{name}(call, &args);')
    else:
        {'create': create, 'destroy': destroy, 'pass': pass_through}[kind](writer, model, command)
    writer.open('if (call->wants_reply && !call->failed) {')
    writer.line('struct venus_encoder *reply = render_call_begin_reply(call);')
    writer.open('if (reply) {')
    writer.line(f'venus_encode_{name}_reply(reply, &args);')
    writer.line('render_call_end_reply(call, reply);')
    writer.close()
    writer.close()
    writer.close()
    writer.line()


def host_function(command):
    if not command.level:
        raise Error(f'{command.name}: a command without an object needs a handler')
    return f'render_call_{command.level}_table(call)->{command.name.removeprefix("vk")}'


def call_text(command, replaced):
    arguments = []
    for parameter in command.parameters:
        text = f'args.{parameter.name}'
        if isinstance(parameter.request, Null):
            text = 'NULL'
        text = ARGUMENTS.get((command.name, parameter.name), text)
        arguments.append(replaced.get(parameter.name, text))
    return ', '.join(arguments)


def find_function(writer, command):
    """The host's function in a variable, or the call fails."""
    writer.line(f'const PFN_{command.definition} function =')
    writer.line(f'\t{host_function(command)};')
    writer.open('if (!function) {')
    writer.line('render_call_fail(call, "the device has no such function");')
    writer.line('return;')
    writer.close()


def check(writer, command):
    """Refuses what is in CHECKS. A failed object may be smaller than the guest thinks: it is skipped."""
    found = CHECKS.get(command.name)
    if found:
        writer.open(f'if (!call->decoder->failed_object && ({found[0]})) {{')
        writer.line(f'render_call_fail(call, "{found[1]}");')
        writer.line('return;')
        writer.close()


def pass_through(writer, model, command):
    check(writer, command)
    failed = None
    if command.name.startswith('vkCmd'):
        failed = 'render_command_buffer_spoil(call, args.commandBuffer_object)'
    elif command.result == 'VkResult':
        failed = 'args.ret = VK_ERROR_OUT_OF_HOST_MEMORY'
    elif command.result != 'void':
        failed = 'args.ret = 0'
    writer.open('if (!call->decoder->failed_object) {')
    find_function(writer, command)
    if command.name in PREPARED:
        writer.line(f'render_prepare_{command.name}(call, &args);')
    result = '' if command.result == 'void' else 'args.ret = '
    if command.name in FIND_LOSSES:
        result += 'render_call_device_is_lost(call) ? VK_ERROR_DEVICE_LOST : '
    writer.line(f'{result}function({call_text(command, {})});')
    if command.name in FIND_LOSSES:
        writer.line('render_call_heed_loss(call, args.ret);')
    writer.depth -= 1
    if failed:
        writer.open('} else {')
        writer.line(f'{failed};')
        writer.depth -= 1
    writer.line('}')


def create(writer, model, command):
    output = next(
        p
        for p in command.parameters
        if isinstance(p.request, Pointer) and isinstance(p.request.to, Handle)
    )
    handle = output.request.to.type
    object_type = model.registry.handles[handle].object_type
    check(writer, command)
    writer.line(f'PFN_{command.definition} function = NULL;')
    writer.open('if (!call->decoder->failed_object) {')
    writer.line(f'function = {host_function(command)};')
    writer.open('if (!function) {')
    writer.line('render_call_fail(call, "the device has no such function");')
    writer.line('return;')
    writer.close()
    writer.close()
    writer.line('struct venus_object *object = render_object_reserve(')
    writer.line(f'\tcall, (uint64_t)(uintptr_t)*args.{output.name}, {object_type}, 0);')
    writer.open('if (!object) {')
    writer.line('return;')
    writer.close()
    writer.line(f'{handle} handle = VK_NULL_HANDLE;')
    writer.line('args.ret = VK_ERROR_OUT_OF_HOST_MEMORY;')
    writer.open('if (function && !render_object_is_refused(call)) {')
    writer.line(f'args.ret = function({call_text(command, {output.name: "&handle"})});')
    writer.close()
    writer.line('render_object_complete(call, object, (uint64_t)(uintptr_t)handle, args.ret);')


def destroy(writer, model, command):
    target = command.parameters[1]
    handle = target.request.type
    writer.line(f'const uint64_t handle = render_object_release(call, args.{target.name}_object);')
    writer.open('if (handle) {')
    find_function(writer, command)
    writer.line(f'function({call_text(command, {target.name: f"({handle})(uintptr_t)handle"})});')
    writer.close()
