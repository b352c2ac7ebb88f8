#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_display.py VENERA-GPU [TEST...]: scanouts, flushes, cursors and the view."""

import os
import signal
import socket
import struct
import sys
import tempfile
import time

from fake_render import Do
from front_end import *

GPU = sys.argv[1]


def front_with_view(*arguments, **view_options):
    ours, theirs = socket.socketpair()
    front = FrontEnd(GPU, "--view-fd=%d" % theirs.fileno(), *arguments, fds=[theirs.fileno()])
    theirs.close()
    front.view = View(ours, **view_options)
    return front.start()


def wait_view(front, condition, what, timeout=TIMEOUT):
    def seen():
        front.view.pump()
        return condition()
    front.wait(seen, what, timeout)


def settle(front, seconds=0.1):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        front.quiet(0.01)
        front.view.pump()


def scattered(front, width, height, at=0x900000):
    """An image in guest memory, in pieces of odd lengths at odd places. Returns entries and bytes."""
    size = width * height * 4
    data = bytearray(os.urandom(size))
    entries, offset, step = [], 0, 0
    # the place where two regions meet, and a region far away
    places = [(16 << 20) - 50000, (4 << 30) + 0x1000, at, 0xc00000]
    lengths = [4096, 12, 8192, 4, 65536, 20000, 68]
    while offset < size:
        length = min(lengths[step % len(lengths)], size - offset)
        place = step % len(places)
        entries.append((places[place], length))
        front.write(places[place], bytes(data[offset:offset + length]))
        places[place] += length + (0 if step % 3 else 4)
        offset += length
        step += 1
    return entries, data


def test_console():
    """What Linux does for its console, over scattered pages; only the damage is copied."""
    f = front_with_view()
    width, height = 333, 57
    entries, image = scattered(f, width, height)
    whole = (0, 0, width, height)
    f.command(create_2d(5, width, height))
    f.command(attach_backing(5, entries))
    f.command(transfer(5, whole))
    f.command(set_scanout(5, whole))
    head = f.send(flush(5, whole))
    wait_view(f, lambda: f.is_done(head), "the flush")
    check_equal(f.view.flushes, [(0, *whole)], "the flushes")
    buffer, pixel_format, offset, stride, *rect = f.view.scanouts[0]
    check_equal((pixel_format, offset, stride, tuple(rect)), (BGRX, 0, width * 4, whole), "the scanout")
    shown = f.view.buffers[buffer]
    check_equal(shown[:len(image)] == image, True, "the picture is right")

    def guest_writes(x, y, w, h, value):
        """Changes a rectangle in guest memory and in `image`."""
        for line in range(y, y + h):
            at = line * width * 4 + x * 4
            image[at:at + w * 4] = bytes([value]) * (w * 4)
        offset = 0
        for gpa, length in entries:
            f.write(gpa, bytes(image[offset:offset + length]))
            offset += length

    expected = bytearray(image)
    for x, y, w, h, value in ((0, 0, 1, 1, 1), (17, 3, 100, 20, 2), (332, 56, 1, 1, 3), (0, 10, 333, 5, 4),
                              (300, 0, 33, 57, 5)):
        guest_writes(0, 0, width, height, value + 100)  # outside of the damage: not to be seen
        f.command(transfer(5, (x, y, w, h), offset=(y * width + x) * 4))
        for line in range(y, y + h):
            at = line * width * 4 + x * 4
            expected[at:at + w * 4] = bytes([value + 100]) * (w * 4)
        check(shown[:len(expected)] == expected, "the damage %r is wrong" % ((x, y, w, h),))
    # the offset tells where the rectangle is read from
    guest_writes(0, 0, width, 1, 7)
    guest_writes(0, 1, width, 1, 8)
    f.command(transfer(5, (0, 20, 10, 1), offset=width * 4))
    check_equal(f.view.pixel(0, 20), b"\x08" * 4, "a pixel")
    # part of a resource is shown
    f.command(set_scanout(5, (10, 20, 50, 30)))
    head = f.send(flush(5, (0, 0, 20, 25)))
    wait_view(f, lambda: f.is_done(head), "the flush")
    check_equal(f.view.flushes[-1], (0, 0, 0, 10, 5), "the damage")
    head = f.send(flush(5, (0, 0, 5, 5)))  # is not seen
    check_equal(f.take(head).type, OK)
    check_equal(len(f.view.flushes), 2, "the number of flushes")
    # it goes
    f.command(unref(5))
    wait_view(f, lambda: f.view.buffers[buffer] is None and f.view.scanouts[0][0] == 0, "darkness")
    check_equal(f.close(), 0, "the exit code")
    f.view.pump(1)
    check(f.view.closed, "the view's channel is open still")
    f.gpu.finish()


# Guest memory that the front end does not use itself.
PAGES = 0x1800000


def show(f, resource=5, width=64, height=64):
    f.command(create_2d(resource, width, height))
    f.command(attach_backing(resource, [(PAGES, width * height * 4)]))
    f.command(set_scanout(resource, (0, 0, width, height)))


def test_no_view():
    f = FrontEnd(GPU).start()
    show(f)
    begin = time.monotonic()
    for i in range(50):
        f.command(flush(5, (0, 0, 64, 64), fence=i))
    check(time.monotonic() - begin < 0.9, "flushes wait for nobody")
    f.gpu.finish()


def test_pacing():
    """A flush is answered when it was presented; meanwhile others are gathered into one."""
    f = front_with_view()
    f.view.present = False
    show(f)
    f.write(PAGES, b"\x01" * (64 * 64 * 4))
    f.command(transfer(5, (0, 0, 64, 64)))
    first = f.send(flush(5, (0, 0, 10, 10), fence=1))
    wait_view(f, lambda: f.view.unanswered, "the flush at the view")
    more = [f.send(flush(5, (i, i, 10, 10), fence=i)) for i in range(2, 30)]
    other = f.send(transfer(5, (0, 0, 1, 1), fence=99))
    f.command(transfer(5, (0, 0, 1, 1)))
    settle(f)
    check(not any(f.is_done(h) for h in [first, *more, other]), "a flush is early")
    check_equal(len(f.view.flushes), 1, "the number of flushes at the view")
    f.view.answer_all()
    check_equal(f.take(first).type, OK)
    wait_view(f, lambda: f.view.unanswered, "the second flush at the view")
    check_equal(f.view.flushes[1], (0, 2, 2, 37, 37), "the damage gathered")
    settle(f)
    check(not any(f.is_done(h) for h in more), "a flush is early")
    f.view.answer_all()
    for head in more + [other]:
        check_equal(f.take(head).type, OK)
    check_equal(len(f.view.flushes), 2, "the number of flushes at the view")
    # a flip while a flush is gathered
    a = f.send(flush(5, (0, 0, 10, 10)))
    wait_view(f, lambda: f.view.unanswered, "a flush at the view")
    b = f.send(flush(5, (0, 0, 10, 10)))
    show(f, 6, 32, 16)
    f.view.answer_all()
    f.take(a)
    wait_view(f, lambda: f.view.unanswered, "a flush at the view")
    check_equal(f.view.flushes[-1], (0, 0, 0, 32, 16), "the damage")
    f.view.answer_all()
    f.take(b)
    f.gpu.finish()


def test_damage():
    """The guest flushes the whole screen; what is shown is what has changed."""
    f = front_with_view()
    show(f)

    def flush_whole(expected):
        f.command(transfer(5, (0, 0, 64, 64)))
        head = f.send(flush(5, (0, 0, 64, 64)))
        wait_view(f, lambda: f.is_done(head), "the flush")
        check_equal(f.view.flushes[-1], (0, *expected), "the damage")

    f.write(PAGES, b"\x05" * (64 * 64 * 4))
    flush_whole((0, 0, 64, 64))
    f.write(PAGES + (10 * 64 + 7) * 4, b"\x06")
    f.write(PAGES + (12 * 64 + 9) * 4, b"\x06")
    flush_whole((0, 10, 64, 3))
    flush_whole((0, 0, 1, 1))  # nothing, but it has its turn
    # what was changed and not flushed is remembered
    f.write(PAGES, b"\x07")
    f.command(transfer(5, (0, 0, 64, 64)))
    head = f.send(flush(5, (0, 30, 64, 34)))
    wait_view(f, lambda: f.is_done(head), "the flush")
    f.write(PAGES + 3 * 64 * 4, b"\x07")
    flush_whole((0, 0, 64, 4))
    f.gpu.finish()


def test_stuck_view():
    f = front_with_view()
    show(f)
    f.view.present = False
    begin = time.monotonic()
    heads = [f.send(flush(5, (0, 0, 64, 64), fence=i)) for i in range(3)]
    for head in heads:
        f.take(head)
    check(0.8 < time.monotonic() - begin < 2, "the guest waited %.2f s" % (time.monotonic() - begin))
    # from now on nobody waits
    begin = time.monotonic()
    for i in range(20):
        f.command(flush(5, (0, 0, 64, 64), fence=10 + i))
    check(time.monotonic() - begin < 0.7, "the guest waits again and again")
    f.view.pump()
    check_equal(len(f.view.flushes), 1, "the number of flushes at the view")
    # it lives again: it gets what was gathered, and is waited for
    f.view.answer_all()
    wait_view(f, lambda: f.view.unanswered, "a flush at the view")
    head = f.send(flush(5, (0, 0, 64, 64)))
    settle(f)
    check(not f.is_done(head), "a flush is early")
    f.view.present = True
    f.view.answer_all()
    wait_view(f, lambda: f.is_done(head), "the flush")
    # it dies
    f.view.present = False
    heads = [f.send(flush(5, (0, 0, 64, 64))) for i in range(3)]
    settle(f, 0.05)
    check(not any(f.is_done(h) for h in heads), "a flush is early")
    f.view.close()
    for head in heads:
        f.take(head)
    f.command(flush(5, (0, 0, 64, 64)))
    f.gpu.finish()


def test_stopped_view():
    """One that reads nothing does not fill our memory, nor hold up the guest."""
    f = front_with_view()
    show(f)
    f.command(create_2d(6, 64, 64))
    for i in range(30000):
        f.send(update_cursor(6, i % 1000, 5), 24, queue=1)
        if i % 100 == 99:
            f.wait(lambda: not f.queues[1].waiting, "the cursor queue")
        if "cut off" in f.gpu.log():
            break
    check("cut off" in f.gpu.log(), "the view was not cut off")
    f.command(flush(5, (0, 0, 64, 64)))
    f.gpu.finish()


def test_views_come_and_go():
    folder = tempfile.mkdtemp()
    path = folder + "/view.sock"
    f = FrontEnd(GPU, "--view-socket=" + path).start()

    def connect(**more):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        return View(sock, **more)
    show(f)
    f.command(create_2d(6, 64, 64))
    f.take(f.send(update_cursor(6, 7, 8, 1, 2), 24, queue=1), queue=1)
    f.command(flush(5, (0, 0, 64, 64)))
    # the first is told what is shown
    f.view = connect()
    wait_view(f, lambda: f.view.flushes and f.view.cursors, "the present state")
    check_equal(f.view.flushes, [(0, 0, 0, 64, 64)], "the flushes")
    check_equal(f.view.cursors[0][1:6], (0, 8, 10, 1, 2), "the cursor")
    # a second is turned away
    second = connect(hello=False)  # it may be gone before it can say anything
    second.pump(1)
    check(second.closed, "a second view was let in")
    head = f.send(flush(5, (0, 0, 64, 64)))
    wait_view(f, lambda: f.is_done(head), "the flush")
    # the next one is welcome when it is gone
    f.view.close()
    f.quiet(0.05)
    f.view = connect()
    wait_view(f, lambda: f.view.flushes and f.view.cursors, "the present state")
    # one that breaks the protocol is cut off
    f.view.send(9, b"hello?")
    wait_view(f, lambda: f.view.closed, "the end of the view")
    f.view = connect()
    wait_view(f, lambda: f.view.flushes, "the present state")
    # and so is one that is stuck, if another one comes
    f.view.present = False
    head = f.send(flush(5, (0, 0, 64, 64)))
    f.take(head)
    old, f.view = f.view, connect()
    wait_view(f, lambda: f.view.flushes, "the present state")
    old.pump(1)
    check(old.closed, "the stuck view is there still")
    # one that never says hello is no view
    f.view.close()
    f.quiet(0.05)
    silent = connect(hello=False)
    f.command(flush(5, (0, 0, 64, 64)))
    f.view = connect()
    wait_view(f, lambda: f.view.flushes, "the present state")
    check_equal(f.close(), 0, "the exit code")
    check(not os.path.exists(path), "the view's socket is left")
    os.rmdir(folder)
    f.gpu.finish()


def mode(f):
    f_info = f.command(get_display_info(), DISPLAY_INFO, 512).body
    edid = f.command(get_edid(0), EDID, 2048).body[8:]
    width = edid[56] | (edid[58] >> 4) << 8
    height = edid[59] | (edid[61] >> 4) << 8
    size = struct.unpack_from("=IIII", f_info)[2:]
    check_equal((width, height), size, "the mode of the EDID")
    return size


def test_resize():
    f = front_with_view(width=800, height=600)
    f.wait(lambda: f.config_changes == 1, "the change of the configuration")
    check_equal(struct.unpack("=I", f.config(0, 4))[0], 1, "events_read")
    check_equal(mode(f), (800, 600), "the mode")
    f.set_config(4, struct.pack("=I", 1))
    check_equal(struct.unpack("=I", f.config(0, 4))[0], 0, "events_read")
    f.view.resize(1000, 700)
    f.wait(lambda: f.config_changes == 2, "the change of the configuration")
    check_equal(mode(f), (1000, 700), "the mode")
    # it changes again after the guest has looked and before it says so: it is told once more
    f.view.resize(1001, 701)
    f.wait(lambda: f.config_changes == 3, "the change of the configuration")
    f.set_config(4, struct.pack("=I", 1))
    f.wait(lambda: f.config_changes == 4, "the change of the configuration")
    check_equal(struct.unpack("=I", f.config(0, 4))[0], 1, "events_read")
    # a guest that only says so is not told for ever
    f.set_config(4, struct.pack("=I", 1))
    f.quiet(0.05)
    check_equal(f.config_changes, 4, "the changes of the configuration")
    check_equal(mode(f), (1001, 701), "the mode")
    # the same size, and none
    f.view.resize(1001, 701)
    f.view.resize(0, 0)
    f.quiet(0.05)
    check_equal(f.config_changes, 4, "the changes of the configuration")
    # while the VM is paused QEMU must not be told; afterwards once
    bases = f.stop()
    for i in range(20):
        f.view.resize(900 + i, 500)
    f.quiet(0.05)
    f.start(bases, regions=False, fresh=False)
    f.wait(lambda: f.config_changes == 5, "the change of the configuration")
    f.quiet(0.05)
    check_equal(f.config_changes, 5, "the changes of the configuration")
    check_equal(mode(f), (919, 500), "the mode")
    # writes to other places change nothing
    f.ack(SET_CONFIG, struct.pack("=III", 0, 4, 0) + struct.pack("=I", 77))
    f.ack(SET_CONFIG, struct.pack("=III", 8, 4, 0) + struct.pack("=I", 77))
    check(f.u64_raw(SET_CONFIG, struct.pack("=III", 4, 400, 0) + bytes(4), []) != 0, "a long write")
    check(f.u64_raw(SET_CONFIG, struct.pack("=III", 4, 0xffffffff, 0) + bytes(4), []) != 0, "a long write")
    check_equal(struct.unpack("=IIII", f.config())[1:], (0, 1, 1), "the configuration")
    # larger than an EDID block can say
    f.view.resize(7680, 4320)
    f.wait(lambda: f.config_changes == 6, "the change of the configuration")
    edid = f.command(get_edid(0), EDID, 2048).body
    size, = struct.unpack_from("=I", edid)
    check_equal((size, sum(edid[8:136]) % 256, sum(edid[136:264]) % 256, edid[8 + 126]), (256, 0, 0, 1),
                "the EDID's size, checksums and number of extensions")
    f.gpu.finish()


def test_cursor():
    f = front_with_view()
    show(f)
    f.command(create_2d(6, 64, 64, pixel_format=1))

    def cursor(request, response_size=0):
        head = f.send(request, response_size, queue=1)
        f.wait(lambda: f.is_done(head, 1), "the cursor queue")
        return f.queues[1].done.pop(head)
    check_equal(cursor(update_cursor(6, 100, 50, 3, 4)), b"", "what is written where there is no room")
    wait_view(f, lambda: f.view.cursors, "the cursor")
    buffer, _, x, y, hot_x, hot_y, offset, stride, width, height, _ = f.view.cursors[0]
    check(f.view.buffers[buffer], "the cursor's buffer is not there")
    check_equal((x, y, hot_x, hot_y, offset, stride, width, height), (103, 54, 3, 4, 0, 256, 64, 64),
                "the cursor")
    cursor(move_cursor(200, 0xfffffff0))
    wait_view(f, lambda: f.view.cursors[0][2] == 203, "the cursor's move")
    check_equal(f.view.cursors[0][3], -12, "the cursor's place")
    check_equal(f.view.cursors[0][0], buffer, "the cursor's image")
    check_equal(Response(cursor(update_cursor(99, 0, 0), 64)).type, ERR_RESOURCE)
    check_equal(Response(cursor(update_cursor(6, 0, 0, scanout=3), 64)).type, ERR_SCANOUT)
    check_equal(Response(cursor(move_cursor(0, 0, scanout=3), 64)).type, ERR_SCANOUT)
    check_equal(Response(cursor(header(0x100), 64)).type, ERR_UNSPEC)
    check_equal(Response(cursor(header(0x300), 64)).type, ERR_UNSPEC)
    check_equal(Response(cursor(b"", 64)).type, ERR_UNSPEC)
    cursor(update_cursor(0, 5, 5))
    wait_view(f, lambda: f.view.cursors[0][0] == 0, "no cursor")
    cursor(update_cursor(6, 5, 5))
    wait_view(f, lambda: f.view.cursors[0][0] != 0, "the cursor")
    f.command(unref(6))
    wait_view(f, lambda: f.view.cursors[0][0] == 0, "no cursor")
    # many moves
    for i in range(1000):
        head = f.send(move_cursor(i, i), 0, queue=1)
        if i % 50 == 0:
            f.wait(lambda: f.is_done(head, 1), "the cursor queue")
    wait_view(f, lambda: f.view.cursors[0][2] == 999, "the last place")
    f.gpu.finish()


def test_guest_blobs():
    """Without 3D, Linux makes framebuffers and cursors of blobs in guest memory."""
    f = front_with_view()
    width, height = 100, 40
    entries, image = scattered(f, width, height + 1)
    size = len(image)
    f.command(create_blob(5, 0, size, mem=1, flags=0, entries=entries, context=0))
    rect = (0, 0, 90, 40)
    for wrong in (set_scanout_blob(5, rect, 90, 40, 356), set_scanout_blob(5, rect, 90, 42, 400),
                  set_scanout_blob(5, rect, 90, 40, 400, offset=804), set_scanout_blob(5, rect, 90, 40, 402),
                  set_scanout_blob(5, rect, 90, 40, 400, offset=2), set_scanout_blob(5, (0, 0, 91, 40), 90, 40, 400),
                  set_scanout_blob(5, rect, 0xffffffff, 0xffffffff, 0xffffffff),
                  set_scanout_blob(5, rect, 90, 40, 400, pixel_format=0)):
        f.command(wrong, ERR_PARAMETER)
    f.command(set_scanout_blob(5, rect, 90, 40, 400, scanout=5), ERR_SCANOUT)
    f.command(set_scanout_blob(9, rect, 90, 40, 400), ERR_RESOURCE)
    f.command(set_scanout(5, rect), ERR_RESOURCE)
    f.command(set_scanout_blob(5, rect, 90, 40, 400, offset=400))
    head = f.send(flush(5, rect))
    wait_view(f, lambda: f.is_done(head), "the flush")

    def pixel(x, y):
        at = 400 + y * 400 + x * 4
        return bytes(image[at:at + 4])
    for x, y in ((0, 0), (89, 0), (0, 39), (89, 39), (40, 20)):
        check_equal(f.view.pixel(x, y), pixel(x, y), "the pixel at %d, %d" % (x, y))
    before = {(x, y): pixel(x, y) for x, y in ((9, 10), (10, 10), (19, 12), (20, 12), (10, 13))}
    offset = 0
    for i in range(size):
        image[i] ^= 0x55
    for gpa, length in entries:
        f.write(gpa, bytes(image[offset:offset + length]))
        offset += length
    head = f.send(flush(5, (10, 10, 10, 3)))
    wait_view(f, lambda: f.is_done(head), "the flush")
    for x, y in before:
        inside = 10 <= x < 20 and 10 <= y < 13
        check_equal(f.view.pixel(x, y), pixel(x, y) if inside else before[x, y], "the pixel at %d, %d" % (x, y))
    f.command(flush(5, (0xffffffff, 0, 2, 1)), ERR_PARAMETER)
    # another size
    f.command(set_scanout_blob(5, (5, 5, 10, 10), 20, 20, 80))
    head = f.send(flush(5, (0, 0, 20, 20)))
    wait_view(f, lambda: f.is_done(head), "the flush")
    check_equal(f.view.scanouts[0][4:], (5, 5, 10, 10), "the scanout")
    check_equal(f.view.pixel(2, 3), bytes(image[8 * 80 + 7 * 4:][:4]), "a pixel")
    # a cursor
    f.command(create_blob(6, 0, 16384, mem=1, flags=0, entries=[(0x900000, 16384)], context=0))
    f.write(0x900000, b"\x11\x22\x33\x44" * 4096)
    f.send(update_cursor(6, 1, 1), 24, queue=1)
    wait_view(f, lambda: f.view.cursors, "the cursor")
    check_equal(f.view.buffers[f.view.cursors[0][0]][16380:16384], b"\x11\x22\x33\x44", "a cursor's pixel")
    # guest memory that is not there
    f.command(create_blob(7, 0, 16384, mem=1, flags=0, entries=[(1 << 50, 16384)], context=0))
    f.command(set_scanout_blob(7, (0, 0, 64, 64), 64, 64, 256))
    f.command(flush(7, (0, 0, 64, 64)), ERR_UNSPEC)
    f.gpu.finish()


def test_host_blobs():
    """Frames of Venus: shared memory of a render process goes to the view as it is."""
    f = front_with_view()
    f.command(ctx_create(1))
    f.command(create_blob(5, 0x1000, 64 * 64 * 4 + PAGE, flags=3))
    f.command(create_blob(6, 0x2000, 64 * 64 * 4, flags=3))
    f.command(set_scanout_blob(5, (0, 0, 64, 64), 64, 64, 256, offset=PAGE))
    head = f.send(flush(5, (0, 0, 64, 64)))
    wait_view(f, lambda: f.is_done(head), "the flush")
    check_equal(f.view.pixel(0, 0), struct.pack("=I", 0x1000 + PAGE // 4), "a pixel")
    check_equal(f.view.scanouts[0][2], PAGE, "the offset")
    # flips
    for i in range(50):
        f.command(set_scanout_blob(5 + i % 2, (0, 0, 64, 64), 64, 64, 256))
        head = f.send(flush(5 + i % 2, (0, 0, 64, 64), fence=i))
        wait_view(f, lambda: f.is_done(head), "the flush")
    check_equal(len(f.view.buffers), 2, "the number of buffers")
    f.command(submit(1, Do.WRITE, 6, 0, 0x99, fence=100, ring=0))
    check_equal(f.view.pixel(0, 0), struct.pack("=I", 0x99), "a pixel")
    # it stays when its process goes, until the guest takes it away
    f.command(ctx_destroy(1))
    head = f.send(flush(6, (0, 0, 64, 64)))
    wait_view(f, lambda: f.is_done(head), "the flush")
    check_equal(f.view.pixel(0, 0), struct.pack("=I", 0x99), "a pixel")
    f.command(set_scanout_blob(0, (0, 0, 0, 0), 0, 0, 0))
    wait_view(f, lambda: f.view.scanouts[0][0] == 0, "darkness")
    f.command(unref(5))
    f.command(unref(6))
    wait_view(f, lambda: not any(f.view.buffers.values()), "the end of the buffers")
    # numbers are not used again
    f.command(create_2d(5, 64, 64))
    f.command(set_scanout(5, (0, 0, 64, 64)))
    wait_view(f, lambda: len(f.view.buffers) == 3, "a new buffer")
    f.gpu.finish()


def test_hostile_scanouts():
    """Blobs shown with strides, offsets and rectangles that do not lie in them."""
    f = front_with_view()
    f.command(ctx_create(1))
    f.command(create_blob(5, 0x1000, 64 * 64 * 4, flags=3))
    entries = [(0x1800000, 64 * 64 * 4)]
    f.command(create_blob(6, 0, 64 * 64 * 4, mem=1, flags=0, context=0, entries=entries))
    good = dict(rect=(0, 0, 64, 64), width=64, height=64, stride=256)
    most = 0xffffffff
    for resource in (5, 6):
        f.command(set_scanout_blob(resource, **good))
        for wrong in (dict(stride=260), dict(stride=252), dict(stride=0), dict(stride=most),
                      dict(stride=most - 3), dict(stride=257), dict(offset=4), dict(offset=1),
                      dict(offset=most), dict(offset=most - 3), dict(width=65), dict(height=65),
                      dict(width=0), dict(height=0), dict(width=most), dict(height=most),
                      dict(width=1 << 30, stride=4), dict(height=1 << 30, stride=1 << 30),
                      dict(rect=(0, 0, 65, 64)), dict(rect=(0, 0, 64, 65)), dict(rect=(0, 0, 0, 0)),
                      dict(rect=(1, 0, 64, 64)), dict(rect=(most, 0, 2, 64)),
                      dict(rect=(0, most, 64, most)), dict(pixel_format=0), dict(pixel_format=5),
                      dict(pixel_format=most)):
            f.command(set_scanout_blob(resource, **{**good, **wrong}), ERR_PARAMETER)
        f.command(set_scanout_blob(resource, **good, scanout=1), ERR_SCANOUT)
        f.command(set_scanout_blob(resource, **good, scanout=most), ERR_SCANOUT)
        # what was shown is shown still
        head = f.send(flush(resource, (0, 0, 64, 64)))
        wait_view(f, lambda: f.is_done(head), "the flush")
        check_equal(f.view.scanouts[0][2:], (0, 256, 0, 0, 64, 64), "the scanout")
        for rect in ((0, 0, most, 2), (1, 0, most, most), (most, most, most, most)):
            f.send(flush(resource, rect))
        head = f.send(flush(resource, (0, 0, 64, 64)))
        wait_view(f, lambda: f.is_done(head), "the flush")
        for output, x, y, width, height in f.view.flushes:
            check(x + width <= 64 and y + height <= 64, "damage beyond the picture")
    f.command(set_scanout_blob(99, **good), ERR_RESOURCE)
    f.gpu.finish()


def test_several_outputs():
    f = front_with_view("--max-outputs=3")
    f.command(create_2d(5, 300, 100))
    f.command(attach_backing(5, [(PAGES, 120000)]))
    f.write(PAGES, b"\x01" * 120000)
    f.command(transfer(5, (0, 0, 300, 100)))
    for i in range(3):
        f.command(set_scanout(5, (100 * i, 0, 100, 100), scanout=i))
    head = f.send(flush(5, (150, 10, 100, 20)))
    wait_view(f, lambda: f.is_done(head) and len(f.view.flushes) == 2, "the flushes")
    check_equal(sorted(f.view.flushes), [(1, 50, 10, 50, 20), (2, 0, 10, 50, 20)], "the flushes")
    f.command(unref(5))
    wait_view(f, lambda: all(s[0] == 0 for s in f.view.scanouts.values()), "darkness")
    f.gpu.finish()


def test_reset_and_pause():
    f = front_with_view()
    show(f)
    f.command(create_2d(6, 64, 64))
    f.send(update_cursor(6, 7, 8), 24, queue=1)
    wait_view(f, lambda: f.view.cursors, "the cursor")
    # presented while the VM is paused: told afterwards
    f.view.present = False
    head = f.send(flush(5, (0, 0, 64, 64), fence=1))
    wait_view(f, lambda: f.view.unanswered, "the flush at the view")
    bases = f.stop()
    f.view.answer_all()
    time.sleep(0.05)
    f.start(bases, regions=False, fresh=False)
    f.take(head)
    # reset with a flush under way
    f.send(flush(5, (0, 0, 64, 64), fence=2))
    wait_view(f, lambda: f.view.unanswered, "the flush at the view")
    f.send(flush(5, (0, 0, 64, 64), fence=3))
    settle(f, 0.02)
    f.reboot()
    f.view.present = True
    f.view.answer_all()
    wait_view(f, lambda: f.view.scanouts[0][0] == 0 and f.view.cursors[0][0] == 0, "darkness")
    wait_view(f, lambda: not any(f.view.buffers.values()), "the end of the buffers")
    show(f)
    head = f.send(flush(5, (0, 0, 64, 64), fence=1))
    wait_view(f, lambda: f.is_done(head), "the flush")
    f.gpu.finish()


TESTS = {name[5:]: test for name, test in list(globals().items()) if name.startswith("test_")}

if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:], TESTS))
