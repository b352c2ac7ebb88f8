#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_life.py VENERA-GPU [TEST...]: fences, lost contexts, pauses, resets, hostile rings, ends."""

import glob
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from fake_render import Blob, Do
from front_end import *

GPU = sys.argv[1]


def test_fence_order():
    """Within a timeline in order, between timelines independent."""
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(ctx_create(2))
    f.command(submit(1, Do.HOLD))
    a = [f.send(submit(1, 1, fence=10 + i, ring=1)) for i in range(3)]
    b = [f.send(submit(1, 1, fence=20 + i, ring=2)) for i in range(3)]
    # other commands with a fence stand on the timeline, too
    late = f.send(create_2d(5, 4, 4, context=1, fence=13, ring=1))
    glob_a = f.send(submit(1, 1, fence=30))
    glob_b = f.send(transfer(99, (0, 0, 1, 1), fence=31))
    f.command(create_2d(6, 4, 4))  # no fence: at once
    response = f.command(submit(2, 1, fence=40, ring=1))
    check_equal((response.flags, response.fence, response.context, response.ring), (3, 40, 2, 1))
    f.quiet()
    check(not any(f.is_done(h) for h in a + b + [late, glob_a, glob_b]), "a fence is early")
    f.command(submit(1, Do.RELEASE_ONE, 2))
    response = f.take(b[0])
    check_equal((response.type, response.flags, response.fence, response.ring), (OK, 3, 20, 2))
    f.quiet(0.05)
    check(not any(f.is_done(h) for h in a + b[1:] + [late, glob_a, glob_b]), "a fence is early")
    f.command(submit(1, Do.RELEASE_ONE, 0))
    check_equal(f.take(glob_a).type, OK)
    response = f.take(glob_b)
    check_equal((response.type, response.flags, response.fence), (ERR_RESOURCE, 1, 31))
    f.command(submit(1, Do.RELEASE))
    for head in a + b[1:] + [late]:
        check_equal(f.take(head).type, OK)
    order = f.queues[0].order
    check_equal([h for h in order if h in a + [late]], a + [late], "the order of ring 1")
    check_equal([h for h in order if h in b], b, "the order of ring 2")
    f.gpu.finish()


def test_fence_behind_resource():
    """A request that waits for a resource keeps its place on its timeline."""
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    create = f.send(create_blob(7, Blob.HELD, fence=1))
    uuid = f.send(assign_uuid(7, fence=2))
    later = f.send(create_2d(8, 4, 4, fence=3))
    other = f.send(submit(1, 1, fence=4, ring=0))
    check_equal(f.take(other).type, OK)
    f.quiet(0.05)
    check(not any(f.is_done(h) for h in (create, uuid, later)), "a fence is early")
    f.command(submit(1, Do.RELEASE))
    check_equal([f.take(h).type for h in (create, uuid, later)], [OK, UUID, OK])
    check_equal([h for h in f.queues[0].order if h in (create, uuid, later)],
                [create, uuid, later], "the order")
    f.gpu.finish()


def test_destroyed_context():
    """All its fences retire; blobs under way may still be meant for somebody else."""
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(ctx_create(2))
    f.command(submit(1, Do.HOLD))
    fences = [f.send(submit(1, 1, fence=10 + i, ring=i % 3)) for i in range(6)]
    create = f.send(create_blob(7, Blob.HELD, fence=20, ring=1))
    uuid = f.send(assign_uuid(7, context=1, fence=21, ring=1))
    attach = f.send(ctx_attach(2, 7))
    f.command(submit(1, Do.STALL, 300))
    f.command(submit(1, Do.RELEASE))
    f.command(ctx_destroy(1, fence=22, ring=1))
    for head in fences:
        check_equal(f.take(head).type, OK)
    f.command(ctx_create(1))  # its id is free
    check_equal([f.take(h).type for h in (create, uuid, attach)], [OK, UUID, OK])
    f.command(map_blob(7, 0), MAP_INFO)
    f.command(submit(2, Do.WRITE, 7, 0, 99, fence=1, ring=0))
    check_equal(f.maps[0][1][:4], struct.pack("=I", 99), "what the other context wrote")
    f.command(submit(1, 1, fence=23, ring=1))
    # one that never answers gets the time that an ending process has
    create = f.send(create_blob(8, Blob.HELD))
    f.command(ctx_destroy(1))
    begin = time.monotonic()
    check(f.take(create).type >= ERR_UNSPEC, "a blob was made by nobody")
    check(1.5 < time.monotonic() - begin < 4, "the time is wrong")
    f.wait(lambda: len(f.gpu.children()) == 1, "the end of the process")
    f.gpu.finish()


def lose(f, context, *stream):
    """Makes a context lost that has requests under way; all must be answered."""
    f.command(ctx_create(context))
    f.command(submit(context, Do.HOLD))
    heads = [f.send(submit(context, 1, fence=100 + i, ring=i % 4)) for i in range(8)]
    create = f.send(create_blob(7, Blob.HELD, context=context))
    mapped = f.send(map_blob(7, 0))
    f.command(submit(context, *stream))
    for head in heads:
        check_equal(f.take(head).type, OK)
    check_equal(f.take(create).type, ERR_UNSPEC)
    check_equal(f.take(mapped).type, ERR_RESOURCE)
    # it stays lost
    for i in range(3):
        response = f.command(submit(context, 1, fence=200 + i, ring=1))
        check_equal(response.fence, 200 + i, "the fence")
    f.command(create_blob(9, 5, context=context), ERR_UNSPEC)
    f.command(map_blob(9, 0), ERR_RESOURCE)
    # and nobody else is
    f.command(submit(50, 1, fence=300, ring=1))


def test_lost_contexts():
    f = FrontEnd(GPU).start()
    f.command(ctx_create(50))
    for i, do in enumerate((Do.ABORT, Do.EXIT, Do.LOST, Do.BAD_FENCE, Do.BAD_BLOB, Do.BAD_EVENT,
                            Do.BAD_FRAME)):
        lose(f, i + 1, do)
    lose(f, 20, Do.OLD_FENCE, 1)
    # left are that of 50 and the one that said LOST
    f.wait(lambda: len(f.gpu.children()) <= 2, "the collection of children")
    log = f.gpu.log()
    check("signal 9" in log, "the log does not tell the signal")
    check("exit code 3" in log, "the log does not tell the exit code")
    check("it is ?[31mMonday" in log, "the log does not tell the reason")
    check("\x1b" not in log, "the log has control characters of the guest's")
    check("context 4 (test) is lost" in log, "the log does not tell the context")
    for i in range(1, 8):
        f.command(ctx_destroy(i))
    f.command(create_blob(7, 5, context=50))
    f.command(map_blob(7, 0), MAP_INFO)
    check_equal(f.close(), 0, "the exit code")
    f.gpu.finish()


def test_log_is_not_the_guests():
    f = FrontEnd(GPU).start()
    for _ in range(100):
        f.queues[0].publish(f.queues[0].size)
        f.queues[0].kick()
        time.sleep(0.003)
        f.reboot()
    log = f.gpu.log()
    check("broke its queue" in log and "is not logged" in log, "the log:\n" + log)
    # a build without a sandbox says so first
    lines = [line for line in log.splitlines() if "no sandbox" not in line]
    check_equal(len(lines), 40, "the number of lines")
    f.gpu.finish()


def test_driver():
    """Render processes use the Vulkan driver that was asked for."""
    f = FrontEnd(GPU, "--driver=" + os.path.abspath(__file__)).start()
    f.command(ctx_create(1))
    f.wait(lambda: f.gpu.requests(), "the start of the render process")
    check_equal(f.gpu.requests()[0][-1], os.path.abspath(__file__), "the driver")
    f.gpu.finish()


def test_render_program_fails():
    f = FrontEnd(GPU, render="front_end.py").start()  # not a program
    f.command(ctx_create(1), ERR_OUT_OF_MEMORY)
    f.command(submit(1, 1, fence=1, ring=1), ERR_CONTEXT)
    f.command(get_display_info(), DISPLAY_INFO, 512)
    f.gpu.finish()


def test_hanging_process():
    """One that does not end is killed, after a time that is not forever."""
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(ctx_create(2))
    f.command(submit(1, Do.HANG))
    fence = f.send(submit(1, 1, fence=5, ring=0))
    f.command(submit(2, 1, fence=6, ring=0))
    f.quiet(0.2)
    check(not f.is_done(fence), "a fence is early")
    f.command(ctx_destroy(1))
    check_equal(f.take(fence).type, OK)
    check_equal(len(f.gpu.children()), 2, "the number of processes")
    f.wait(lambda: len(f.gpu.children()) == 1, "the end of the process", 5)
    # the end of everything does not wait longer
    f.command(submit(2, Do.HANG))
    f.quiet(0.2)
    begin = time.monotonic()
    check_equal(f.close(), 0, "the exit code")
    check(time.monotonic() - begin < 4, "it takes too long to end")
    f.gpu.finish()


def test_flood():
    """A process that does not keep up loses its context before it fills the memory."""
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(ctx_create(2))
    f.command(submit(1, Do.STALL, 60000))
    stream = [0] * 65536
    fence = f.send(submit(1, 1, fence=1, ring=0))
    for i in range(400):
        f.command(submit(1, *stream))
        if f.is_done(fence):
            break
    check(200 < i < 399, "the context is lost after %d x 256 KiB" % i)
    check_equal(f.take(fence).type, OK)
    check("does not keep up" in f.gpu.log(), "the log does not tell why")
    f.command(submit(2, 1, fence=2, ring=0))
    # so does one to which too many descriptors are sent
    f.command(ctx_create(3))
    f.command(create_blob(7, 5, context=2))
    f.command(submit(3, Do.STALL, 60000))
    for i in range(60):
        f.command(submit(3, *([0] * 4096)))
    fence = f.send(submit(3, 1, fence=3, ring=0))
    for i in range(400):
        f.command(ctx_attach(3, 7))
        f.command(ctx_detach(3, 7))
        if f.is_done(fence):
            break
    check(50 < i < 399, "the context is lost after %d descriptors" % i)
    f.gpu.process.send_signal(signal.SIGTERM)
    check_equal(f.gpu.wait(), 0, "the exit code")
    f.gpu.finish()


def test_pause():
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(submit(1, Do.HOLD))
    f.command(create_blob(6, 0x60))
    f.command(map_blob(6, 8 * PAGE), MAP_INFO)
    fences = [f.send(submit(1, 1, fence=i, ring=1)) for i in range(1, 4)]
    create = f.send(create_blob(7, Blob.HELD))
    waiting = [f.send(map_blob(7, 0)), f.send(unref(7))]
    f.command(create_2d(5, 4, 4))
    f.command(attach_backing(5, [(0x100000, 64)]))
    f.send(submit(1, Do.STALL, 100))
    f.quiet(0.05)
    release = f.send(submit(1, Do.RELEASE))
    f.take(release)
    bases = f.stop()
    check_equal(bases[0], f.queues[0].avail_index, "the base")
    used = f.read(f.queues[0].used, 2048)
    # fences retire, the blob is made; the guest must not see it
    time.sleep(0.3)
    unseen = f.send(get_display_info(), 512)
    time.sleep(0.1)
    check_equal(f.read(f.queues[0].used, 2048), used, "the used ring of a guest that is paused")
    f.start(bases, regions=False, fresh=False)
    for head in fences + [create]:
        check_equal(f.take(head).type, OK)
    check_equal([f.take(h).type for h in waiting], [MAP_INFO, OK], "the responses")
    check_equal(f.take(unseen).type, DISPLAY_INFO)
    check_equal(list(f.maps), [8 * PAGE], "the mappings")
    f.command(transfer(5, (0, 0, 4, 4)))
    f.command(unref(6))
    # a hundred times, with work under way
    for i in range(100):
        heads = [f.send(submit(1, 1, fence=100 + 3 * i + k, ring=k)) for k in range(3)]
        heads.append(f.send(create_blob(8, 0x80)))
        heads.append(f.send(map_blob(8, 0)))
        heads.append(f.send(unref(8)))
        if i % 3:
            f.pump(0.001 * (i % 5))
        f.start(f.stop(), regions=False, fresh=False)
        for head in heads:
            check_equal(f.take(head).type, MAP_INFO if head == heads[4] else OK)
    check(not f.maps, "something is still mapped")
    f.gpu.finish()


def test_pause_with_request_in_flight():
    """QEMU must never read a request while the device is stopped."""
    if PORTABLE:
        print("  (nothing tells when QEMU reads)")
        return
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(create_blob(7, 0x70))
    f.command(create_blob(8, 0x80))
    f.backend_frozen = True
    mapped = f.send(map_blob(7, 0))
    second = f.send(map_blob(8, PAGE))
    f.quiet(0.1)
    check(not f.is_done(mapped), "it was mapped by nobody")
    bases = f.stop()
    f.backend_frozen = False
    f.quiet(0.1)
    check_equal((f.unknown_requests, f.map_requests), (1, 0), "what the front end has read")
    f.start(bases, regions=False, fresh=False)
    check_equal([f.take(mapped).type, f.take(second).type], [MAP_INFO, MAP_INFO], "the responses")
    check_equal(f.map_requests, 2, "the number of map requests")
    # the same with a reset instead
    f.backend_frozen = True
    f.send(unmap_blob(7))
    f.quiet(0.1)
    f.reboot()
    f.backend_frozen = False
    f.quiet(0.1)
    check_equal((f.unknown_requests, f.map_requests), (2, 2), "what the front end has read")
    f.command(ctx_create(1))
    f.command(create_blob(7, 0x70))
    f.command(map_blob(7, 0), MAP_INFO)
    # stopped and started again before the front end reads
    f.backend_frozen = True
    unmapped = f.send(unmap_blob(7))
    f.quiet(0.1)
    f.start(f.stop(), regions=False, fresh=False)
    f.backend_frozen = False
    check_equal(f.take(unmapped).type, OK)
    check_equal(f.unknown_requests, 3, "the number of void requests")
    check(not f.maps, "something is still mapped")
    f.gpu.finish()


def test_pause_with_maps():
    """Blobs in the front end's table at a start: accepted there, and a later reset is vetoed."""
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(create_blob(7, 0x70))
    f.command(map_blob(7, 0), MAP_INFO)
    _, _, fd = f.maps[0]
    region = bytes(8) + struct.pack("=QQQQ", 1 << 38, PAGE, 1 << 46, 0)
    check(f.u64_raw(ADD_MEM_REG, region, [fd]) != 0, "a blob is taken for memory while it runs")
    bases = f.stop()
    check_equal(f.u64_raw(ADD_MEM_REG, region, [fd]), 0, "the answer during a start")
    f.start(bases, regions=False, fresh=False)
    f.command(get_display_info(), DISPLAY_INFO, 512)
    # a reset now would crash QEMU
    f.stop()
    f.config()
    check(len(f.message(GET_STATUS)) != 8, "the start is not vetoed")
    # it forgets the region: all is well again
    f.ack(REM_MEM_REG, region)
    check_equal(len(f.message(GET_STATUS)), 8, "the size of the status")
    f.start(regions=False)
    f.command(get_display_info(), DISPLAY_INFO, 512)
    f.gpu.finish()


def test_reset():
    f = FrontEnd(GPU).start()
    for turn in range(3):
        f.command(ctx_create(1))
        f.command(ctx_create(2))
        f.command(submit(1, Do.HOLD))
        f.command(create_2d(5, 64, 64))
        f.command(set_scanout(5, (0, 0, 64, 64)))
        f.command(create_blob(7, 0x70))
        f.command(map_blob(7, 0), MAP_INFO)
        f.command(ctx_attach(2, 7))
        for i in range(5):
            f.send(submit(1, 1, fence=10 + i, ring=i))
        f.send(create_blob(8, Blob.HELD))
        f.send(map_blob(8, 0))
        f.send(transfer(5, (0, 0, 4, 4), fence=20))
        f.quiet(0.02)
        f.reboot()
        f.wait(lambda: not f.gpu.children(), "the end of the render processes")
    check_equal(f.unknown_requests, 0, "requests of the guest before")
    # by a message
    f.command(ctx_create(1))
    f.command(create_2d(5, 64, 64))
    f.stop()
    f.ack(RESET_DEVICE)
    f.start(regions=False)
    f.command(create_2d(5, 64, 64))
    f.wait(lambda: not f.gpu.children(), "the end of the render process")
    # by the status
    f.stop()
    f.ack(SET_STATUS, struct.pack("=Q", 0))
    f.start(regions=False)
    f.command(create_2d(5, 64, 64))
    check_equal(f.close(), 0, "the exit code")
    f.gpu.finish()


def test_index_wraps():
    """A pause just when the ring's index is 0 again is not a reset; a reset then is one."""
    f = FrontEnd(GPU).start()
    queue = f.queues[0]

    def run_to(index):
        while queue.avail_index != index:
            left = (index - queue.avail_index) & 0xffff
            heads = [queue.add(header(0x201, context=9), kick=False) for _ in range(min(left, 200))]
            queue.kick()
            for head in heads:
                check_equal(f.take(head).type, ERR_CONTEXT)

    f.command(create_2d(5, 64, 64))
    run_to(0)
    bases = f.stop()
    check_equal(bases[0], 0, "the base")
    f.start(bases, regions=False, fresh=False)
    f.command(create_2d(5, 64, 64), ERR_RESOURCE)
    run_to(0)
    f.reboot()
    f.command(create_2d(5, 64, 64))
    f.gpu.finish()


def hostile(f, action):
    """A queue that `action` has spoilt: the device lives on and works after a reset."""
    action(f.queues[0])
    f.queues[0].kick()
    time.sleep(0.05)
    check(f.gpu.process.poll() is None, "venera-gpu has ended")
    f.main.settimeout(TIMEOUT)
    f.config()
    f.stop()
    f.start(regions=False)
    f.command(get_display_info(), DISPLAY_INFO, 512)


def test_hostile_rings():
    f = FrontEnd(GPU).start()

    def head_outside(q):
        q.publish(q.size)

    def index_jumps(q):
        f.write(q.avail + 2, struct.pack("=H", 5000))

    def loop(q):
        q.set_desc(0, 0x100000, 16, 1, 1)
        q.set_desc(1, 0x100000, 16, 1, 0)
        q.publish(0)

    def own_loop(q):
        q.set_desc(0, 0x100000, 1 << 31, 1, 0)
        q.publish(0)

    def next_outside(q):
        q.set_desc(0, 0x100000, 16, 1, 40000)
        q.publish(0)

    def no_memory(q):
        for i, gpa in enumerate((1 << 40, (4 << 30) - 8, (1 << 64) - 4, 32 << 20)):
            q.set_desc(i, gpa, 24, 0)
            q.publish(i)

    def response_nowhere(q):
        f.write(0x100000, header(0x100))
        q.set_desc(0, 0x100000, 24, 1, 1)
        q.set_desc(1, 1 << 40, 512, 2)
        q.publish(0)

    def writable_first(q):
        f.write(0x100000, header(0x100))
        q.set_desc(0, 0x200000, 24, 3, 1)
        q.set_desc(1, 0x100000, 24, 0)
        q.publish(0)

    def huge_sizes(q):
        for i in range(200):
            q.set_desc(i, 4 << 30, 0xffffffff, 1 | (2 if i > 100 else 0), i + 1)
        q.set_desc(200, 4 << 30, 0xffffffff, 2)
        q.publish(0)

    def indirect(size, flags=4, table=0x100000, entries=()):
        def action(q):
            for i, entry in enumerate(entries):
                f.write(0x100000 + 16 * i, struct.pack("=QIHH", *entry))
            q.set_desc(0, table, size, flags, 1)
            q.publish(0)
        return action

    for action in (head_outside, index_jumps, loop, own_loop, next_outside, no_memory,
                   response_nowhere, writable_first, huge_sizes,
                   indirect(0), indirect(15), indirect(0xfffffff0), indirect(16 * 5000),
                   indirect(32, table=1 << 40), indirect(32, flags=5),
                   indirect(32, entries=[(0x100000, 32, 4, 0), (0, 0, 0, 0)]),
                   indirect(32, entries=[(0x200000, 16, 1, 1), (0x200000, 16, 1, 0)]),
                   indirect(32, entries=[(0x200000, 16, 1, 9), (0x200000, 16, 1, 0)]),
                   indirect(16, entries=[(0x200000, 16, 1, 0)]),
                   indirect(16, flags=6, entries=[(0x200000, 16, 1, 0)])):
        hostile(f, action)

    # a chain that ends badly is still answered, if it has room for that
    f.write(0x100000, header(0x100))
    q = f.queues[0]
    head = q.add(header(0x100), 64, indirect=False, kick=False)
    heads = q.waiting[head][0]
    f.write(q.desc + 16 * heads[0], struct.pack("=Q", 1 << 40))
    q.kick()
    f.wait(lambda: f.is_done(head))

    # more requests than the queue has places: the same head again and again
    f.command(ctx_create(1))
    f.command(submit(1, Do.HOLD))
    f.command(submit(1, 1))

    def again(q):
        head = q.add(submit(1, 1, fence=5, ring=1), kick=False)
        for _ in range(4):
            for _ in range(q.size - 1):
                q.publish(head)
            q.kick()
            time.sleep(0.02)
    hostile(f, again)
    check("more requests than its queue holds" in f.gpu.log(), "the log does not tell")

    # noise in the rings
    import random
    rand = random.Random(7)

    def noise(q):
        f.write(q.desc, rand.randbytes(q.end - q.desc))
        if rand.random() < 0.7:
            f.write(q.avail + 2, struct.pack("=H", rand.randrange(q.size)))
    for _ in range(20):
        hostile(f, noise)
    # rings outside of memory
    f.stop()
    f.u64_raw(SET_VRING_ADDR, struct.pack("=IIQQQQ", 0, 0, 1, 2, 3, 4), [])
    f.ack(SET_VRING_KICK, struct.pack("=Q", 0), [f.queues[0].kicks.read_fd])
    f.ack(SET_VRING_ENABLE, struct.pack("=II", 0, 1))
    f.stop()
    f.start(regions=False)
    f.command(get_display_info(), DISPLAY_INFO, 512)
    f.gpu.finish()


def test_hostile_commands():
    """Noise as commands: everything is answered, nothing breaks."""
    import random
    rand = random.Random(11)
    f = FrontEnd(GPU, render="no_render.sh").start()
    kinds = list(range(0x100, 0x10e)) + list(range(0x200, 0x20a))
    numbers = [0, 1, 2, 3, 4, 5, 64, 4096, 8192, 1 << 16, 1 << 20, 1 << 31, 0xffffffff, 0xfffff000]
    pending = 0
    for i in range(6000):
        kind = rand.choice(kinds)
        body = b"".join(struct.pack("=I", rand.choice(numbers) if rand.random() < 0.9 else
                                    rand.getrandbits(32)) for _ in range(rand.randrange(30)))
        # without fences: those of this renderer never retire
        request = struct.pack("=IIQII", kind, 0, rand.getrandbits(64), rand.choice(numbers), 0)
        if kind == 0x10c:
            body = body[:4] + struct.pack("=I", rand.choice([0, 1, 3])) + body[8:]
        f.take(f.send(request + body, 1100))
    check(f.gpu.process.poll() is None, "venera-gpu has ended")
    f.command(get_display_info(), DISPLAY_INFO, 512)
    check_equal(f.close(), 0, "the exit code")
    f.gpu.finish()


def test_end():
    """No process is left, whatever ends it."""
    f = FrontEnd(GPU).start()
    for i in range(1, 4):
        f.command(ctx_create(i))
    f.command(submit(1, 1, fence=1, ring=0))
    children = [pid for pid, _ in f.gpu.children()]
    check_equal(len(children), 3, "the number of render processes")
    check_equal(f.close(), 0, "the exit code")
    check(not any(os.path.exists("/proc/%d" % pid) for pid in children), "a process is left")
    f.gpu.finish()

    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    children = [pid for pid, _ in f.gpu.children()]
    f.gpu.process.send_signal(signal.SIGTERM)
    check_equal(f.gpu.wait(), 0, "the exit code after SIGTERM")
    check(not any(os.path.exists("/proc/%d" % pid) for pid in children), "a process is left")
    f.gpu.finish()

    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    children = [pid for pid, _ in f.gpu.children()]
    f.gpu.process.kill()
    f.gpu.wait()
    deadline = time.monotonic() + 5
    while any(os.path.exists("/proc/%d/fd/0" % pid) for pid in children):
        check(time.monotonic() < deadline, "a render process outlives a killed venera-gpu")
        time.sleep(0.02)
    f.gpu.finish()

    # a front end that speaks nonsense
    f = FrontEnd(GPU)
    f.main.sendall(struct.pack("=III", 1, 1, 1 << 20))
    check_equal(f.gpu.wait(), 1, "the exit code")
    check("broke" in f.gpu.log(), "the log does not tell")
    f.gpu.finish()


def test_idle():
    """Nothing happens when nothing happens."""
    f = FrontEnd(GPU).start()
    f.command(ctx_create(1))
    f.command(create_2d(5, 1280, 800))
    f.command(set_scanout(5, (0, 0, 1280, 800)))
    f.command(flush(5, (0, 0, 1280, 800)))
    f.command(create_blob(7, 5))
    f.command(map_blob(7, 0), MAP_INFO)
    f.quiet(0.3)

    def switches():
        with open("/proc/%d/status" % f.gpu.process.pid) as status:
            return [int(line.split()[1]) for line in status if "ctxt_switches" in line]
    before = switches()
    time.sleep(1.5)
    after = switches()
    check_equal(after[0], before[0], "the number of times it woke up")
    with open("/proc/%d/smaps_rollup" % f.gpu.process.pid) as rollup:
        sizes = {line.split()[0]: int(line.split()[1]) for line in rollup if " kB" in line}
    private = sizes["Private_Clean:"] + sizes["Private_Dirty:"]
    print("  resident memory %d KiB, private %d KiB" % (sizes["Rss:"], private))
    sanitized = sizes["Rss:"] > 100 << 10
    check(private < 20 << 10 or sanitized, "too much memory is in use")
    f.gpu.finish()


def test_no_leaks():
    """Descriptors and memory are the same after many of everything."""
    f = FrontEnd(GPU).start()

    def round_trip():
        f.command(ctx_create(1))
        f.command(ctx_create(2))
        for i in range(1, 6):
            f.command(create_blob(i, i))
            f.command(map_blob(i, i * PAGE), MAP_INFO)
            f.command(ctx_attach(2, i))
            f.command(create_2d(10 + i, 100, 100))
            f.command(attach_backing(10 + i, [(0x100000, 40000)]))
            f.command(transfer(10 + i, (0, 0, 100, 100)))
        f.command(submit(1, 1, fence=1, ring=1))
        for i in range(1, 6):
            f.command(unref(i))
            f.command(unref(10 + i))
        f.command(ctx_destroy(1))
        f.command(ctx_destroy(2))
        f.wait(lambda: not f.gpu.children(), "the end of the render processes")

    def count():
        return len(os.listdir("/proc/%d/fd" % f.gpu.process.pid)), \
            sum(1 for _ in open("/proc/%d/maps" % f.gpu.process.pid))
    for _ in range(3):
        round_trip()
    before = count()
    for _ in range(10):
        round_trip()
    after = count()
    check_equal(after[0], before[0], "the number of descriptors")
    check(after[1] <= before[1] + 3, "mappings grew from %d to %d" % (before[1], after[1]))
    f.gpu.finish()


def run(*arguments, fds=(), env=None):
    done = subprocess.run([GPU, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=TIMEOUT, pass_fds=fds,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


def test_options():
    import json
    code, out, _ = run("--print-capabilities")
    check_equal((code, json.loads(out)["type"]), (0, "gpu"), "the capabilities")
    code, out, _ = run("--help")
    check(code == 0 and "--hostmem" in out, "the help")
    code, out, _ = run("--version")
    check(code == 0 and out.startswith("venera-gpu "), "the version")
    folder = tempfile.mkdtemp()
    path = folder + "/gpu.sock"
    renders = {"VENERA_BINDIR": folder}
    os.symlink(os.path.join(HERE, "fake_render.py"), folder + "/venera-render")
    ours, theirs = socket.socketpair()
    for arguments, words in (
            ([], ["--socket-path", "--fd"]),
            (["--socket-path=" + path, "--fd=%d" % theirs.fileno()], ["either"]),
            (["--fd=77"], ["--fd=77", "socket"]),
            (["--fd=zwei"], ["--fd=zwei"]),
            (["--fd=1"], ["--fd=1", "socket"]),
            (["--hostmem=3G", "--socket-path=" + path], ["--hostmem=3G", "power of two"]),
            (["--hostmem=8Q", "--socket-path=" + path], ["--hostmem=8Q"]),
            (["--hostmem=", "--socket-path=" + path], ["--hostmem="]),
            (["--hostmem=99999999999999999999", "--socket-path=" + path], ["--hostmem="]),
            (["--hostmem=1099511627776T", "--socket-path=" + path], ["--hostmem="]),
            (["--size=12", "--socket-path=" + path], ["--size=12", "1280x800"]),
            (["--size=0x7", "--socket-path=" + path], ["--size=0x7"]),
            (["--size=99999x7", "--socket-path=" + path], ["--size=99999x7"]),
            (["--max-outputs=17", "--socket-path=" + path], ["--max-outputs=17", "16"]),
            (["--max-outputs=0", "--socket-path=" + path], ["--max-outputs=0"]),
            (["--log-level=loud", "--socket-path=" + path], ["--log-level=loud", "debug"]),
            (["--driver=/nowhere.json", "--socket-path=" + path], ["/nowhere.json"]),
            (["--socket-path=/nowhere/gpu.sock"], ["/nowhere/gpu.sock"]),
            (["--socket-path=" + folder + "/" + "x" * 200], ["too long"]),
            (["--socket-path=" + path, "--view-socket=/nowhere/x"], ["/nowhere/x"]),
            (["--view-socket=" + path, "--view-fd=%d" % theirs.fileno(), "--socket-path=" + path],
             ["--view-fd"]),
            (["--frobnicate"], ["frobnicate"]),
            (["nonsense"], ["nonsense"])):
        code, _, err = run(*arguments, fds=[theirs.fileno()], env=renders)
        check_equal(code, 1, "the exit code of %s" % arguments)
        check(all(w in err for w in words), "%s says: %s" % (arguments, err))
        check_equal(err.count("\n"), 1, "the lines of: %s" % err)
        check(not os.path.exists(path), "%s left a socket" % arguments)
    code, _, err = run("--socket-path=" + path, env={"VENERA_BINDIR": "/nowhere"})
    check(code == 1 and "venera-render" in err, err)
    # a socket in use
    gpu = Gpu(GPU, "--socket-path=" + path)
    deadline = time.monotonic() + TIMEOUT
    while not os.path.exists(path):
        check(time.monotonic() < deadline, "there is no socket")
        time.sleep(0.01)
    for arguments in (["--socket-path=" + path],
                      ["--view-socket=" + path, "--socket-path=" + folder + "/2"]):
        code, _, err = run(*arguments, env=renders)
        check(code == 1 and path in err and "listens there" in err, err)
        check(os.path.exists(path), "it took away another one's socket")
        check(not os.path.exists(folder + "/2"), "it left a socket")
    gpu.process.send_signal(signal.SIGTERM)
    check_equal(gpu.wait(), 0, "the exit code after SIGTERM")
    check(not os.path.exists(path), "the socket is left")
    gpu.finish()
    os.unlink(folder + "/venera-render")
    os.rmdir(folder)


def test_sockets():
    """The front end's socket by its path, and a listening descriptor."""
    gpu = None
    folder = tempfile.mkdtemp()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(folder + "/fd.sock")
    listener.listen()
    for arguments, path, fds in (
            (["--socket-path=" + folder + "/path.sock"], folder + "/path.sock", []),
            (["--fd=%d" % listener.fileno()], folder + "/fd.sock", [listener.fileno()])):
        gpu = Gpu(GPU, *arguments, fds=fds)
        deadline = time.monotonic() + TIMEOUT
        front = socket.socket(socket.AF_UNIX)
        while True:
            try:
                front.connect(path)
                break
            except OSError:
                check(time.monotonic() < deadline, "nobody listens")
                time.sleep(0.01)
        front.sendall(struct.pack("=III", GET_FEATURES, 1, 0))
        front.settimeout(TIMEOUT)
        check_equal(len(front.recv(100)), 20, "the size of the answer")
        front.close()
        check_equal(gpu.wait(), 0, "the exit code")
        gpu.finish()
    check(not os.path.exists(folder + "/path.sock"), "the socket is left")
    os.unlink(folder + "/fd.sock")
    os.rmdir(folder)


TESTS = {name[5:]: test for name, test in list(globals().items()) if name.startswith("test_")}

if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:], TESTS))
