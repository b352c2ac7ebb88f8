#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_commands.py VENERA-GPU [TEST...]: each command of virtio-gpu, its errors, and the window."""

import os
import struct
import sys
import time

from fake_render import Blob, Do
from front_end import *

GPU = sys.argv[1]


def test_handshake():
    f = FrontEnd(GPU)
    check_equal(f.offered & ~(1 << 5), FEATURES, "the features")  # 5: hosts with large pages
    check_equal(f.protocol_features, PROTOCOL_FEATURES, "the protocol features")
    shmem = f.message(GET_SHMEM_CONFIG)
    check_equal(len(shmem), 2056, "the size of the answer")
    count, = struct.unpack_from("=I", shmem)
    sizes = struct.unpack_from("=256Q", shmem, 8)
    check_equal((count, sizes[1], sum(sizes)), (1, 8 << 30, 8 << 30), "the window")
    events, _, scanouts, capsets = struct.unpack("=IIII", f.config())
    check_equal((events, scanouts, capsets), (0, 1, 1), "the configuration")
    check_equal(f.config(8, 4), struct.pack("=I", 1), "a part of it")
    check_equal(f.config(16, 200), b"", "what is behind its end")
    check(f.u64_raw(99, b"", []) != 0, "an unknown message is accepted")
    check(f.u64_raw(SET_FEATURES, struct.pack("=Q", 1 << 60), []) != 0, "a feature not offered is")
    check(f.u64_raw(SET_VRING_NUM, struct.pack("=II", 0, 100), []) != 0, "an odd queue size is")
    check(f.u64_raw(SET_VRING_NUM, struct.pack("=II", 9, 128), []) != 0, "a queue too many is")
    f.start()
    f.command(get_display_info(), DISPLAY_INFO, 512)
    check_equal(f.close(), 0, "the exit code")
    f.gpu.finish()


def test_without_negotiation():
    """A front end that has only what is necessary: a memory table, no shared memory."""
    f = FrontEnd(GPU, protocol_features=1 << 3 | 1 << 9).start()
    f.command(get_display_info(), DISPLAY_INFO, 512)
    f.command(ctx_create(1))
    f.command(create_blob(7, 5))
    f.command(map_blob(7, 0), ERR_OUT_OF_MEMORY)
    f.command(unref(7))
    f.set_table(f.regions[1:] + f.regions[:1])
    f.command(get_display_info(), DISPLAY_INFO, 512)
    check_equal(f.close(), 0, "the exit code")
    f.gpu.finish()


def test_no_event_idx():
    f = FrontEnd(GPU, features=FEATURES & ~EVENT_IDX).start()
    for _ in range(3):
        f.command(get_display_info(), DISPLAY_INFO, 512)
    check_equal(f.queues[0].interrupts, 3, "the number of interrupts")
    f.write(f.queues[0].avail, struct.pack("=H", 1))  # no interrupts, please
    f.command(get_display_info(), DISPLAY_INFO, 512)
    check_equal(f.queues[0].interrupts, 3, "the number of interrupts")
    f.gpu.finish()


def test_event_idx():
    """One interrupt for many requests, when the guest asks for that."""
    f = FrontEnd(GPU).start()
    queue = f.queues[0]
    heads = [queue.add(header(0x201, context=9), kick=False) for _ in range(20)]
    f.write(queue.avail + 4 + 2 * queue.size, struct.pack("=H", queue.used_index + 19))
    queue.kick()
    # taking some of them would ask for another interrupt
    last = (queue.used_index + len(heads)) & 0xffff
    end = time.monotonic() + TIMEOUT
    while struct.unpack("=H", f.read(queue.used + 2, 2))[0] != last and time.monotonic() < end:
        time.sleep(0.001)
    for head in heads:
        check_equal(f.take(head).type, ERR_CONTEXT)
    check_equal(queue.interrupts, 1, "the number of interrupts")
    f.gpu.finish()


def test_display_and_capsets():
    f = FrontEnd(GPU, "--max-outputs=2", "--size=1024x768").start()
    check_equal(struct.unpack("=IIII", f.config())[2], 2, "num_scanouts")
    info = f.command(get_display_info(), DISPLAY_INFO, 1024).body
    check_equal(len(info), 384, "the size of the display information")
    modes = list(struct.iter_unpack("=IIIIII", info))
    check_equal(modes[0], (0, 0, 1024, 768, 1, 0), "the first output")
    check_equal(modes[1], (1024, 0, 1024, 768, 1, 0), "the second output")
    check_equal(set(modes[2:]), {(0,) * 6}, "the others")

    edid = f.command(get_edid(1), EDID, 2048).body
    size, = struct.unpack_from("=I", edid)
    block = edid[8:8 + size]
    check_equal((len(edid), size), (1032, 128), "the size of the EDID")
    check_equal(block[:8], b"\0\xff\xff\xff\xff\xff\xff\0", "its beginning")
    check_equal(sum(block) % 256, 0, "its checksum")
    check(b"Venera\n" in block, "it has no name")
    width = block[56] | (block[58] >> 4) << 8
    height = block[59] | (block[61] >> 4) << 8
    check_equal((width, height), (1024, 768), "its mode")
    f.command(get_edid(2), ERR_SCANOUT, 2048)

    info = f.command(get_capset_info(0), CAPSET_INFO).body
    check_equal(struct.unpack("=IIII", info), (4, 0, 160, 0), "the capset's information")
    f.command(get_capset_info(1), ERR_PARAMETER)
    capset = f.command(get_capset(4, 0), CAPSET, 256).body
    check_equal((len(capset), struct.unpack_from("=I", capset)[0]), (160, 1), "the capset")
    f.command(get_capset(1, 0), ERR_PARAMETER, 256)
    f.command(get_capset(4, 1), ERR_PARAMETER, 256)
    # a guest with too little room gets what fits
    check_equal(len(f.command(get_display_info(), DISPLAY_INFO, 100).data), 100, "a short answer")
    f.gpu.finish()


def test_not_connected():
    f = FrontEnd(GPU, "--size=0x0").start()
    info = f.command(get_display_info(), DISPLAY_INFO, 1024).body
    check_equal(struct.unpack_from("=IIIIII", info), (0,) * 6, "the output")
    check_equal(struct.unpack_from("=I", f.command(get_edid(0), EDID, 2048).body)[0], 0, "the EDID")
    f.gpu.finish()


def test_malformed():
    f = FrontEnd(GPU).start()
    for kind in (0, 1, 0xff, 0x10e, 0x1ff, 0x20a, 0x300, 0x301, 0x1100, 0xffffffff):
        response = f.command(header(kind, context=3, fence=8), ERR_UNSPEC)
        check_equal((response.flags, response.fence, response.context), (FENCE, 8, 3), "the fence")
    for size in range(0, 24):
        f.command(header(0x100)[:size], ERR_UNSPEC)
    whole = [create_2d(1, 4, 4), unref(1), set_scanout(1, (0, 0, 1, 1)), flush(1, (0, 0, 1, 1)),
             transfer(1, (0, 0, 1, 1)), attach_backing(1, []), detach_backing(1),
             get_capset_info(0), get_capset(4, 0), get_edid(0), assign_uuid(1), create_blob(1),
             set_scanout_blob(1, (0, 0, 1, 1), 1, 1, 4), ctx_create(1), ctx_attach(1, 1),
             ctx_detach(1, 1), submit(1), map_blob(1, 0), unmap_blob(1)]
    for request in whole:
        f.command(request[:-1], ERR_UNSPEC)
        f.command(request[:24], ERR_UNSPEC)
    for kind in (0x204, 0x205, 0x206):  # no virgl
        f.command(header(kind) + bytes(48), ERR_UNSPEC)
    # requests in many pieces, with and without an indirect table
    for pieces in (2, 3, 24, 40):
        f.command(create_2d(1, 4, 4), pieces=pieces)
        f.command(unref(1), pieces=pieces, indirect=False)
    # larger than the largest
    big = f.send(bytes(64))
    f.take(big)
    gpa = 4 << 30
    queue = f.queues[0]
    head = queue.add(header(0x100), 64, kick=False)
    table = f.allocate(64)
    f.write(table, struct.pack("=QIHHQIHH", gpa, 5 << 20, 1, 1, queue.waiting[head][1], 64, 2, 0))
    queue.set_desc(head, table, 32, 4)
    queue.kick()
    check_equal(f.take(head).type, ERR_UNSPEC, "the response to 5 MiB")
    # answers are not needed
    head = f.send(header(0x100), 0)
    f.wait(lambda: f.is_done(head))
    f.command(get_display_info(), DISPLAY_INFO, 512)
    f.gpu.finish()


def test_resources_2d():
    f = FrontEnd(GPU).start()
    f.command(create_2d(0, 64, 64), ERR_RESOURCE)
    f.command(create_2d(5, 64, 64))
    f.command(create_2d(5, 64, 64), ERR_RESOURCE)
    f.command(create_2d(6, 0, 64), ERR_PARAMETER)
    f.command(create_2d(6, 64, 16385), ERR_PARAMETER)
    f.command(create_2d(6, 0xffffffff, 0xffffffff), ERR_PARAMETER)
    f.command(create_2d(6, 64, 64, pixel_format=5), ERR_PARAMETER)
    for pixel_format in (1, 2, 3, 4, 67, 68, 121, 134):
        f.command(create_2d(6, 64, 64, pixel_format=pixel_format))
        f.command(unref(6))
    f.command(unref(6), ERR_RESOURCE)
    f.command(transfer(5, (0, 0, 64, 64)), ERR_UNSPEC)  # from nowhere
    f.command(detach_backing(5), ERR_UNSPEC)
    f.command(attach_backing(6, [(0, 4096)]), ERR_RESOURCE)
    f.command(attach_backing(5, [(0, 4096)], count=2), ERR_UNSPEC)
    f.command(attach_backing(5, [(0, 4096)], count=0xffffffff), ERR_UNSPEC)
    f.command(attach_backing(5, [(4 << 30, 16384)]))
    f.command(attach_backing(5, [(4 << 30, 16384)]), ERR_UNSPEC)
    f.command(transfer(5, (0, 0, 64, 64)))
    for rect in ((0, 0, 65, 64), (1, 0, 64, 64), (0, 64, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0),
                 (0xffffffff, 0, 2, 1), (1, 1, 0xffffffff, 0xffffffff)):
        f.command(transfer(5, rect), ERR_PARAMETER)
        f.command(flush(5, rect), ERR_PARAMETER)
        f.command(set_scanout(5, rect), ERR_PARAMETER)
    f.command(transfer(5, (0, 0, 64, 64), offset=4), ERR_PARAMETER)
    f.command(transfer(5, (0, 0, 64, 64), offset=1 << 63), ERR_PARAMETER)
    f.command(transfer(5, (0, 0, 64, 64), offset=(1 << 64) - 4), ERR_PARAMETER)
    f.command(detach_backing(5))
    f.command(attach_backing(5, [(1 << 40, 16384)]))  # no memory there, which is no sin yet
    f.command(transfer(5, (0, 0, 64, 64)), ERR_PARAMETER)
    f.command(detach_backing(5))
    f.command(attach_backing(5, []))
    f.command(transfer(5, (0, 0, 1, 1)), ERR_PARAMETER)
    f.command(set_scanout(5, (0, 0, 64, 64), scanout=1), ERR_SCANOUT)
    f.command(set_scanout(7, (0, 0, 64, 64)), ERR_RESOURCE)
    f.command(set_scanout(5, (0, 0, 64, 64)))
    f.command(flush(5, (0, 0, 64, 64)))
    f.command(set_scanout(0, (0, 0, 0, 0)))
    f.command(set_scanout(0, (0, 0, 0, 0), scanout=16), ERR_SCANOUT)
    uuid = f.command(assign_uuid(5), UUID).body
    check_equal((len(uuid), uuid[6] >> 4, uuid[8] >> 6), (16, 4, 2), "the UUID")
    check_equal(f.command(assign_uuid(5), UUID).body, uuid, "the UUID, asked for again")
    f.command(create_2d(6, 1, 1))
    check(f.command(assign_uuid(6), UUID).body != uuid, "two resources have one UUID")
    f.command(assign_uuid(7), ERR_RESOURCE)
    f.gpu.finish()


def test_limits():
    f = FrontEnd(GPU).start()
    # 2 GiB of storage
    made = 0
    for i in range(1, 12):
        response = f.take(f.send(create_2d(i, 8192, 8192)))
        if response.type != OK:
            check_equal(response.type, ERR_OUT_OF_MEMORY)
            break
        made += 1
    check_equal(made, 8, "the number of resources of 256 MiB")
    f.command(unref(1))
    f.command(create_2d(1, 8192, 8192))
    for i in range(1, 9):
        f.command(unref(i))
    # entries behind all resources together
    entries = [(0x100000 + 8192 * (i % 8), 4096) for i in range(60000)]
    fitted = 0
    for i in range(1, 30):
        f.command(create_2d(i, 8, 8))
        request = attach_backing(i, entries)
        region = f.regions[2]
        region.map[:len(request)] = request
        queue = f.queues[0]
        head = queue.add(header(0), 64, kick=False)
        table = f.allocate(64)
        f.write(table, struct.pack(
            "=QIHHQIHH", region.gpa, len(request), 1, 1, queue.waiting[head][1], 64, 2, 0))
        queue.set_desc(head, table, 32, 4)
        queue.kick()
        response = f.take(head)
        if response.type != OK:
            check_equal(response.type, ERR_OUT_OF_MEMORY)
            break
        fitted += 1
    check_equal(fitted, (1 << 20) // 60000, "the number of resources with 60,000 entries")
    for i in range(1, 30):
        f.take(f.send(unref(i)))
    # resources
    limit = 16384
    refused = 0
    for i in range(1, limit + 10):
        # guest blobs need no descriptor of the test's
        response = f.take(f.send(create_blob(
            i, 0, 4096, mem=1, flags=0, entries=[(0x100000, 4096)])))
        if response.type != OK:
            check_equal(response.type, ERR_OUT_OF_MEMORY)
            refused += 1
    check(refused >= 9, "there is no limit to resources")
    f.command(get_display_info(), DISPLAY_INFO, 512)
    f.gpu.finish()


def test_context_errors():
    f = FrontEnd(GPU).start()
    f.command(ctx_create(0), ERR_CONTEXT)
    f.command(ctx_create(1))
    f.command(ctx_create(1), ERR_CONTEXT)
    f.command(ctx_create(2, init=1), ERR_PARAMETER)
    f.command(ctx_create(2, init=0x104))  # bits above the capset's are the kernel's
    f.command(ctx_create(3, init=0))      # nobody's renderer
    f.command(ctx_destroy(4), ERR_CONTEXT)
    f.command(submit(4, 1), ERR_CONTEXT)
    f.command(submit(3, 1), ERR_CONTEXT)
    f.command(submit(1, 1, size=3), ERR_PARAMETER)
    f.command(submit(1, 1, size=8), ERR_PARAMETER)
    f.command(submit(1, 1, size=0xfffffffc), ERR_PARAMETER)
    response = f.command(submit(1, 1, ring=64, fence=77), ERR_PARAMETER)
    check_equal((response.fence, response.ring, response.flags), (77, 64, 3), "the fence")
    f.command(submit(1, 0xabcd, 2, 3, size=8))
    f.command(submit(1, fence=1))
    f.command(submit(1, 5, fence=2, ring=0))
    lines = [" ".join(line[1:]) for line in f.gpu.requests()]
    check("submit abcd 2" in lines, "a stream did not arrive, or with more than its size")
    check("submit  fence 1 ring 0" in lines or "submit fence 1 ring 0" in lines,
          "an empty stream's fence did not arrive: %r" % lines)
    f.command(ctx_attach(9, 1), ERR_CONTEXT)
    f.command(ctx_attach(1, 99), ERR_RESOURCE)
    f.command(ctx_detach(9, 1), ERR_CONTEXT)
    f.command(ctx_detach(1, 99), ERR_RESOURCE)
    f.command(create_2d(5, 4, 4))
    f.command(ctx_attach(3, 5))
    f.command(ctx_attach(3, 5))
    f.command(ctx_detach(3, 5))
    f.command(ctx_detach(3, 5))
    f.command(ctx_destroy(3))
    f.command(ctx_destroy(1))
    check_equal(f.close(), 0, "the exit code")
    names = [line[2] for line in f.gpu.requests() if line[1] == "start"]
    check_equal(names, ["test", "test"], "the names of the render processes")
    f.gpu.finish()


def test_context_names():
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1, b"a" * 64))
    f.command(ctx_create(2, b"evil\n\x1b[2Jname"))
    f.command(header(0x200, context=3) + struct.pack("=II64s", 0xffffffff, 4, b"b" * 64))
    f.command(header(0x200, context=4) + struct.pack("=II64s", 0, 4, b"b" * 64))
    f.wait(lambda: len(f.gpu.requests()) == 4, "four starts")
    names = sorted(line[2] for line in f.gpu.requests())
    check_equal(names, ["a" * 48, "b" * 48, "evil??[2Jname", "guest"], "the names")
    f.gpu.finish()


def test_many_contexts():
    f = FrontEnd(GPU, render="no_render.sh").start()
    refused = 0
    for i in range(1, 300):
        refused += f.take(f.send(ctx_create(i))).type != OK
    check(refused >= 43, "there is no limit to contexts")
    check_equal(f.close(), 0, "the exit code")
    f.gpu.finish()


def test_blob_errors():
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(ctx_create(2, init=0))
    f.command(create_blob(0, 5), ERR_RESOURCE)
    f.command(create_blob(7, 5, context=9), ERR_CONTEXT)
    f.command(create_blob(7, 5, context=2), ERR_CONTEXT)
    f.command(create_blob(7, 5, size=0), ERR_PARAMETER)
    f.command(create_blob(7, 5, size=1 << 62), ERR_PARAMETER)
    f.command(create_blob(7, 5, flags=8), ERR_PARAMETER)
    f.command(create_blob(7, 5, mem=0), ERR_PARAMETER)
    f.command(create_blob(7, 5, mem=3), ERR_PARAMETER)
    f.command(create_blob(7, 5, mem=4), ERR_PARAMETER)
    f.command(create_blob(7, 5, count=5), ERR_UNSPEC)
    f.command(create_blob(7, 5, entries=[(0x100000, 4096)]), ERR_PARAMETER)
    f.command(create_blob(7, Blob.FAIL), ERR_UNSPEC)
    f.command(map_blob(7, 0), ERR_RESOURCE)  # what Linux sends next
    bad = [Blob.SMALL, Blob.NOT_MEMORY] + ([] if PORTABLE else [Blob.SHRINKABLE])
    for blob in bad:
        f.command(create_blob(7, blob, size=PAGE * 4), ERR_UNSPEC)
    f.command(create_blob(7, 5))
    f.command(create_blob(7, 5), ERR_RESOURCE)
    f.command(create_2d(7, 4, 4), ERR_RESOURCE)
    f.command(attach_backing(7, [(0x100000, 4096)]), ERR_RESOURCE)
    f.command(transfer(7, (0, 0, 1, 1)), ERR_RESOURCE)
    f.command(detach_backing(7), ERR_RESOURCE)
    # memory that only the GPU sees
    f.command(create_blob(8, Blob.NO_MEMORY))
    f.command(map_blob(8, 0), ERR_UNSPEC)
    f.command(set_scanout_blob(8, (0, 0, 1, 1), 1, 1, 4), ERR_UNSPEC)
    f.command(create_blob(9, 5, flags=2))
    f.command(map_blob(9, 0), ERR_UNSPEC)
    # guest memory
    f.command(create_blob(10, 0, 8192, mem=1, flags=0, entries=[(0x100000, 4096)]), ERR_PARAMETER)
    f.command(create_blob(10, 3, 4096, mem=1, flags=0, entries=[(0x100000, 4096)]), ERR_PARAMETER)
    f.command(create_blob(10, 0, 4096, mem=1, flags=1, entries=[(0x100000, 4096)]), ERR_PARAMETER)
    f.command(create_blob(10, 0, 4096, mem=1, flags=0, entries=[(0x100000, 4096)]))
    f.command(map_blob(10, 0), ERR_UNSPEC)
    for i in (7, 8, 9, 10):
        f.command(unref(i))
    f.gpu.finish()


def words(mapping, count=4):
    return struct.unpack("=%dI" % count, mapping[:4 * count])


def test_window():
    f = FrontEnd(GPU, "--hostmem=64M").start()
    window = 64 << 20
    f.command(ctx_create(1))
    f.command(create_blob(7, 0x500, 4 * PAGE))
    f.command(unmap_blob(7), ERR_UNSPEC)
    f.command(map_blob(99, 0), ERR_RESOURCE)
    f.command(unmap_blob(99), ERR_RESOURCE)
    for offset in (1, PAGE // 2, window, window - 3 * PAGE, 1 << 63, (1 << 64) - PAGE):
        f.command(map_blob(7, offset), ERR_PARAMETER)
    response = f.command(map_blob(7, 16 * PAGE), MAP_INFO)
    check_equal(struct.unpack("=II", response.body), (1, 0), "map_info")
    size, mapping, _ = f.maps[16 * PAGE]
    check_equal(size, 4 * PAGE, "the size of the mapping")
    check_equal(words(mapping), (0x500, 0x501, 0x502, 0x503), "what is mapped")
    f.command(submit(1, Do.WRITE, 7, 2, 0xcafe, fence=1, ring=0))
    check_equal(words(mapping), (0x500, 0x501, 0xcafe, 0x503), "what is mapped")
    check_equal(f.refused_regions, 1, "the number of regions refused")
    f.command(map_blob(7, 0), ERR_UNSPEC)  # it has its place
    f.command(create_blob(8, 0x600, 4 * PAGE))
    for offset in (13, 16, 19):
        f.command(map_blob(8, offset * PAGE), ERR_PARAMETER)
    f.command(map_blob(8, 20 * PAGE), MAP_INFO)
    f.command(create_blob(9, 0x700, 2 * window))
    f.command(map_blob(9, 0), ERR_PARAMETER)
    f.command(unmap_blob(7))
    check_equal(list(f.maps), [20 * PAGE], "the mappings")
    f.command(map_blob(7, 24 * PAGE), MAP_INFO)
    f.command(unref(7))  # unmaps
    check_equal(list(f.maps), [20 * PAGE], "the mappings")
    f.command(create_blob(7, 0x800, 4 * PAGE))
    f.command(map_blob(7, 24 * PAGE), MAP_INFO)
    check_equal(words(f.maps[24 * PAGE][1])[0], 0x800, "what is mapped")
    # the last page
    f.command(create_blob(10, 0x900))
    f.command(map_blob(10, window - PAGE), MAP_INFO)
    # a front end that refuses
    f.command(create_blob(11, 0xa00))
    f.map_result = 12
    f.command(map_blob(11, 0), ERR_UNSPEC)
    f.map_result = 0
    f.command(map_blob(11, 0), MAP_INFO)
    # the context's end takes nothing away
    f.command(ctx_destroy(1))
    check_equal(len(f.maps), 4, "the number of mappings")
    f.command(unref(11))
    check_equal(f.close(), 0, "the exit code")
    f.gpu.finish()


def test_smaller_pages_in_the_guest():
    """With pages of 4 KiB, on a host whose pages may be larger."""
    small = 4096
    f = FrontEnd(GPU, "--hostmem=64M").start()
    f.command(ctx_create(1))
    f.command(create_blob(7, 0x500, small))
    f.command(create_blob(8, 0x600, 3 * small))
    f.command(map_blob(7, 0), MAP_INFO)
    check_equal(f.maps[0][0], PAGE, "the size of the mapping")
    if PAGE == small:
        f.command(map_blob(8, small), MAP_INFO)
    else:
        f.command(map_blob(8, small), ERR_PARAMETER)
        check("pages here have %d bytes: give it a kernel" % PAGE in f.gpu.log(), f.gpu.log())
        f.command(map_blob(8, PAGE), MAP_INFO)
        check_equal(f.maps[PAGE][0], PAGE, "the size of the mapping")
    f.command(unmap_blob(7))
    f.command(unmap_blob(8))
    check(not f.maps, "something is still mapped")
    f.gpu.finish()


def test_many_maps():
    f = FrontEnd(GPU, "--limit=context-mappings=600").start()
    f.command(ctx_create(1))
    for i in range(1, 483):
        f.command(create_blob(i, i))
        f.command(map_blob(i, i * PAGE), MAP_INFO if i <= 480 else ERR_OUT_OF_MEMORY)
    check_equal(len(f.maps), 480, "the number of mappings")
    f.command(unref(17))
    f.command(map_blob(481, 17 * PAGE), MAP_INFO)
    check_equal(words(f.maps[17 * PAGE][1])[0], 481, "what is mapped")
    f.command(map_blob(482, 500 * PAGE), ERR_OUT_OF_MEMORY)
    # without QEMU's limits there is none
    g = FrontEnd(GPU, "--limit=context-mappings=600", protocol_features=PROTOCOL_FEATURES & ~(1 << 15)).start()
    g.command(ctx_create(1))
    for i in range(1, 490):
        g.command(create_blob(i, i))
        g.command(map_blob(i, i * PAGE), MAP_INFO)
    check_equal(g.close(), 0, "the exit code")
    g.gpu.finish()
    f.gpu.finish()


def test_pipelined():
    """Everything that Linux queues without waiting, at once."""
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    for turn in range(20):
        queue = f.queues[0]
        heads = []
        for i in range(1, 9):
            heads.append((queue.add(submit(1, 1), kick=False), OK))
            heads.append((queue.add(create_blob(i, 0x1000 * i), kick=False), OK))
            heads.append((queue.add(map_blob(i, i * PAGE), kick=False), MAP_INFO))
            heads.append((queue.add(ctx_attach(1, i), kick=False), OK))
        queue.kick()
        for head, expected in heads:
            check_equal(f.take(head).type, expected)
        for i in range(1, 9):
            check_equal(words(f.maps[i * PAGE][1])[0], 0x1000 * i, "what is mapped")
        heads = []
        for i in range(1, 9):
            heads.append(queue.add(ctx_detach(1, i), kick=False))
            heads.append(queue.add(unmap_blob(i), kick=False))
            heads.append(queue.add(unref(i), kick=False))
        queue.kick()
        for head in heads:
            check_equal(f.take(head).type, OK)
        check(not f.maps, "something is still mapped")
    f.gpu.finish()


def test_creating():
    """Commands that name a resource wait until it is made; others go on."""
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(ctx_create(2))
    create = f.send(create_blob(7, Blob.HELD))
    waiting = [f.send(map_blob(7, 0)), f.send(assign_uuid(7))]
    attach = f.send(ctx_attach(2, 7))
    waiting += [attach,
               f.send(set_scanout_blob(7, (0, 0, 4, 4), 4, 4, 16)), f.send(flush(7, (0, 0, 4, 4))),
               f.send(unmap_blob(7)), f.send(unref(7)), f.send(map_blob(7, 0))]
    f.command(create_2d(8, 4, 4))
    f.command(get_display_info(), DISPLAY_INFO, 512)
    f.command(create_blob(7, 5), ERR_RESOURCE)
    # the other context's later commands do not overtake its attach
    second = f.send(submit(2, 0x55, fence=1, ring=0))
    f.command(submit(1, 0x66, fence=2, ring=0))
    f.quiet()
    check(not any(f.is_done(h) for h in [create, second, *waiting]), "something did not wait")
    f.command(submit(1, Do.RELEASE))
    check_equal(f.take(create).type, OK)
    types = [f.take(head).type for head in waiting]
    check_equal(types, [MAP_INFO, UUID, OK, OK, OK, OK, OK, ERR_RESOURCE], "the responses")
    check_equal(f.take(second).type, OK)
    waiting.remove(attach)  # does not wait for the mapping
    check_equal([h for h in f.queues[0].order if h in waiting], waiting, "the order")
    f.wait(lambda: "detach" in [line[1] for line in f.gpu.requests()], "a detach")
    # the processes of the two contexts write when they come to it: look at the one that was attached to
    requests = f.gpu.requests()
    process = next(line[0] for line in requests if line[1:3] == ["attach", "7"])
    f.wait(lambda: [process, "detach", "7"] in [line[:3] for line in f.gpu.requests()], "a detach")
    asked = [line[1:3] for line in f.gpu.requests() if line[0] == process]
    check(asked.index(["attach", "7"]) < asked.index(["submit", "55"]), "the attach came too late")
    check(asked.index(["detach", "7"]) > asked.index(["attach", "7"]), "the detach came too early")

    # it fails: whoever waits finds nothing
    f.command(submit(1, Do.HOLD))
    create = f.send(create_blob(7, Blob.HELD))
    waiting = [f.send(map_blob(7, 0)), f.send(ctx_attach(2, 7)), f.send(unref(7))]
    second = f.send(submit(2, 0x57, fence=3, ring=0))
    f.quiet()
    f.command(submit(1, Do.EXIT))
    check(f.take(create).type >= ERR_UNSPEC, "a blob of a dead process was made")
    for head in waiting:
        check_equal(f.take(head).type, ERR_RESOURCE)
    check_equal(f.take(second).type, OK)
    f.gpu.finish()


def test_sharing():
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(ctx_create(2))
    f.command(create_blob(7, 0x770, 2 * PAGE))
    f.command(ctx_attach(1, 7))  # its own: nothing to say
    f.command(ctx_attach(2, 7))
    f.command(ctx_attach(2, 7))
    f.command(submit(2, Do.WRITE, 7, 0, 0x1234, fence=1, ring=0))
    f.command(map_blob(7, 0), MAP_INFO)
    check_equal(words(f.maps[0][1])[0], 0x1234, "what the other context wrote")
    f.command(create_2d(8, 4, 4))
    f.command(ctx_attach(2, 8))
    f.command(create_blob(9, 0, 4096, mem=1, flags=0, entries=[(0x100000, 4096)]))
    f.command(ctx_attach(2, 9))
    f.command(ctx_detach(2, 7))
    f.command(ctx_attach(2, 7))
    f.command(unref(7))
    f.command(unref(9))
    f.command(ctx_destroy(2))
    f.command(unref(8))
    f.command(submit(1, fence=9))
    f.close()
    asked = [" ".join(line[1:]) for line in f.gpu.requests() if line[1] in ("attach", "detach")]
    check_equal(sorted(asked), sorted([
        "attach 7 size %d map 1 word 770" % (2 * PAGE), "attach 8 size %d map 1 word 0" % PAGE,
        "attach 7 size %d map 1 word 1234" % (2 * PAGE), "detach 7", "detach 7", "detach 7"]),
        "what was attached")
    f.gpu.finish()


TESTS = {name[5:]: test for name, test in list(globals().items()) if name.startswith("test_")}

if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:], TESTS))
