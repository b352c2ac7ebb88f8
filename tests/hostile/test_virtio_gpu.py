#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_virtio_gpu.py VENERA-GPU [GROUP...]: a guest whose kernel means harm, command by command. Each is answered with
an error or with success, as its case says; after each a context of somebody else still works, and at the end nothing is
left.
"""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "gpu"))

from fake_render import Do  # noqa: E402
from front_end import *  # noqa: E402

GPU = sys.argv[1]
MOST32, MOST = (1 << 32) - 1, (1 << 64) - 1
FAR = 4 << 30  # the region that no test allocates from
WINDOW = 64 << 20
# what a case finds: contexts 1 and 9, a 2D resource, a blob, one that is mapped, memory of the guest, somebody else's
IMAGE, BLOB, MAPPED, GUEST, FOREIGN = 5, 7, 8, 10, 90
WITNESS = 9


class Device:
    def __init__(self):
        self.f = f = FrontEnd(GPU, "--hostmem=64M").start()
        self.turn = 0
        self.has_context = False
        f.command(ctx_create(WITNESS))
        f.command(create_blob(FOREIGN, 0x900, context=WITNESS))
        f.command(map_blob(FOREIGN, WINDOW - PAGE), MAP_INFO)
        self.begin()

    def begin(self):
        f = self.f
        if not self.has_context:  # a process each time takes its time
            f.command(ctx_create(1))
            self.has_context = True
        f.command(create_2d(IMAGE, 64, 64))
        f.command(create_blob(BLOB, 0x500, 4 * PAGE))
        f.command(create_blob(MAPPED, 0x600, 4 * PAGE))
        f.command(map_blob(MAPPED, 16 * PAGE), MAP_INFO)
        f.command(create_blob(GUEST, 0, 16384, mem=1, flags=0, entries=[(0x100000, 16384)]))

    def end(self, keep_context=False):
        """All ids that a case may have used, and the state of the display."""
        f = self.f
        f.command(set_scanout(0, (0, 0, 0, 0)))
        for resource in (IMAGE, BLOB, MAPPED, GUEST, *range(11, 20)):
            f.take(f.send(unref(resource)))
        for context in (2, 3) if keep_context else (1, 2, 3):
            f.take(f.send(ctx_destroy(context)))
        self.has_context = keep_context
        f.wait(lambda: len(f.gpu.children()) == 1 + keep_context, "the end of the render processes")
        check_equal(list(f.maps), [WINDOW - PAGE], "the mappings")

    def check_witness(self):
        self.turn += 1
        self.f.command(submit(WITNESS, Do.WRITE, FOREIGN, 3, self.turn, fence=self.turn, ring=1))
        check_equal(struct.unpack_from("=IIII", self.f.maps[WINDOW - PAGE][1])[3], self.turn,
                    "what the witness rendered")

    def count(self):
        pid = self.f.gpu.process.pid
        with open("/proc/%d/maps" % pid, encoding="utf-8") as maps:
            return len(os.listdir("/proc/%d/fd" % pid)), sum("memfd" in line for line in maps)

    def close(self):
        check_equal(self.f.close(), 0, "the exit code")
        log = self.f.gpu.log()
        check("Sanitizer" not in log and "runtime error" not in log, log)
        self.f.gpu.finish()


def large(f, request):
    """A request that is larger than what the tests' allocator has."""
    region = f.regions[2]
    region.map[:len(request)] = request
    queue = f.queues[0]
    head = queue.add(header(0), 64, kick=False)
    table = f.allocate(64)
    f.write(table, struct.pack("=QIHHQIHH", region.gpa, len(request), 1, 1,
                               queue.waiting[head][1], 64, 2, 0))
    queue.set_desc(head, table, 32, 4)
    queue.kick()
    return f.take(head).type


def entries(number, size=4096):
    return [(0x100000 + 8192 * (i % 8), size) for i in range(number)]


def show(expected, **changes):
    good = {"resource": BLOB, "rect": (0, 0, 16, 16), "width": 16, "height": 16, "stride": 64}
    return expected, set_scanout_blob(**{**good, **changes})


PARAMETER, RESOURCE, CONTEXT, SCANOUT, UNSPEC, MEMORY = (
    ERR_PARAMETER, ERR_RESOURCE, ERR_CONTEXT, ERR_SCANOUT, ERR_UNSPEC, ERR_OUT_OF_MEMORY)

MAPS = [(offset_name, [(expected, map_blob(BLOB, offset))]) for offset_name, offset, expected in (
    ("at the window's last page", WINDOW - PAGE, PARAMETER),
    ("half outside", WINDOW - 2 * PAGE, PARAMETER),
    ("at the window's end", WINDOW, PARAMETER),
    ("outside", WINDOW + PAGE, PARAMETER),
    ("at 4 GiB", 1 << 32, PARAMETER),
    ("at 2^63", 1 << 63, PARAMETER),
    ("where the sum is 0", MOST - 4 * PAGE + 1, PARAMETER),
    ("where the sum wraps", MOST - PAGE + 1, PARAMETER),
    ("at a byte", 1, PARAMETER),
    ("inside a page", PAGE - 1, PARAMETER),
    ("over another", 16 * PAGE, PARAMETER),
    ("over another's first page", 13 * PAGE, PARAMETER),
    ("over another's last page", 19 * PAGE, PARAMETER),
    ("over somebody else's", WINDOW - 4 * PAGE, PARAMETER),
    ("before another", 12 * PAGE, MAP_INFO),
    ("behind another", 20 * PAGE, MAP_INFO),
)] + [
    ("twice", [(MAP_INFO, map_blob(BLOB, 0)), (UNSPEC, map_blob(BLOB, 4 * PAGE))]),
    ("what is mapped", [(UNSPEC, map_blob(MAPPED, 0))]),
    ("unmapped twice", [(OK, unmap_blob(MAPPED)), (UNSPEC, unmap_blob(MAPPED))]),
    ("unmapped, never mapped", [(UNSPEC, unmap_blob(BLOB))]),
    ("an image", [(UNSPEC, map_blob(IMAGE, 0))]),
    ("the guest's memory", [(UNSPEC, map_blob(GUEST, 0))]),
    ("resource 0", [(RESOURCE, map_blob(0, 0)), (RESOURCE, unmap_blob(0))]),
    ("resource -1", [(RESOURCE, map_blob(MOST32, 0)), (RESOURCE, unmap_blob(MOST32))]),
    ("a resource that was destroyed", [(OK, unref(MAPPED)), (RESOURCE, unmap_blob(MAPPED)),
                                       (RESOURCE, map_blob(MAPPED, 0))]),
    ("an id that is used again", [(OK, unref(MAPPED)), (OK, create_blob(MAPPED, 0x700)),
                                  (UNSPEC, unmap_blob(MAPPED)),
                                  (MAP_INFO, map_blob(MAPPED, 16 * PAGE))]),
]

BLOBS = [("of %s bytes" % size, [(PARAMETER, create_blob(11, 1, size)), (RESOURCE, unref(11))])
         for size in (0, 1 << 41, 1 << 63, MOST, MOST - 4095)] + [
    ("of type %d" % mem, [(PARAMETER, create_blob(11, 1, mem=mem))]) for mem in (0, 3, 4, 5, MOST32)] + [
    ("with flags 0x%x" % flags, [(PARAMETER, create_blob(11, 1, flags=flags))])
    for flags in (8, 16, 1 << 31, MOST32)] + [
    ("of context %d" % context, [(CONTEXT, create_blob(11, 1, context=context))])
    for context in (0, 2, 255, MOST32)] + [
    ("twice", [(OK, create_blob(11, 1)), (RESOURCE, create_blob(11, 1)), (OK, unref(11)),
               (RESOURCE, unref(11))]),
    ("over somebody else's", [(RESOURCE, create_blob(FOREIGN, 1)), (RESOURCE, create_2d(FOREIGN, 4, 4))]),
    ("resource 0", [(RESOURCE, create_blob(0, 1)), (RESOURCE, unref(0))]),
    ("entries that are not there", [(UNSPEC, create_blob(11, 1, count=1))]),
    ("4 Gi entries", [(UNSPEC, create_blob(11, 0, mem=1, flags=0, count=MOST32))]),
    ("entries where none belong", [(PARAMETER, create_blob(11, 1, entries=entries(1)))]),
]


def guest_blob(size, *pieces):
    return create_blob(11, 0, size, mem=1, flags=0, entries=pieces)


# The guest's memory: what lies outside is found out when it is used, or at once where that is a blob.
SCATTER = [
    ("no entries", [(OK, attach_backing(IMAGE, [])), (PARAMETER, transfer(IMAGE, (0, 0, 1, 1)))]),
    ("outside of memory", [(OK, attach_backing(IMAGE, [(1 << 40, 16384)])),
                           (PARAMETER, transfer(IMAGE, (0, 0, 64, 64)))]),
    ("half outside", [(OK, attach_backing(IMAGE, [(FAR + (32 << 20) - 8192, 16384)])),
                      (PARAMETER, transfer(IMAGE, (0, 0, 64, 64)))]),
    ("addresses that wrap", [(OK, attach_backing(IMAGE, [(MOST - 4095, 16384)])),
                             (PARAMETER, transfer(IMAGE, (0, 0, 64, 64)))]),
    ("lengths whose sum wraps", [(OK, attach_backing(IMAGE, [(0x100000, MOST32)] * 3)),
                                 (PARAMETER, transfer(IMAGE, (0, 0, 1, 1), offset=MOST - 16383))]),
    ("lengths of 0", [(OK, attach_backing(IMAGE, [(0x100000, 0)] * 8)),
                      (PARAMETER, transfer(IMAGE, (0, 0, 64, 64)))]),
    ("a byte too little", [(OK, attach_backing(IMAGE, [(0x100000, 16383)])),
                           (PARAMETER, transfer(IMAGE, (0, 0, 64, 64)))]),
    ("pieces of one byte", [(OK, attach_backing(IMAGE, [(0x100000 + i, 1) for i in range(4000)])),
                            (OK, transfer(IMAGE, (0, 0, 64, 15))),
                            (PARAMETER, transfer(IMAGE, (0, 0, 64, 16)))]),
    ("twice", [(OK, attach_backing(IMAGE, entries(4))), (UNSPEC, attach_backing(IMAGE, entries(4))),
               (OK, detach_backing(IMAGE)), (UNSPEC, detach_backing(IMAGE))]),
    ("a count too many", [(UNSPEC, attach_backing(IMAGE, entries(4), count=5))]),
    ("a count of 4 Gi", [(UNSPEC, attach_backing(IMAGE, entries(4), count=MOST32))]),
    ("a count whose bytes wrap", [(UNSPEC, attach_backing(IMAGE, entries(4), count=1 << 28))]),
    ("a count of 2^31", [(UNSPEC, attach_backing(IMAGE, entries(4), count=1 << 31))]),
    ("a blob's", [(RESOURCE, attach_backing(BLOB, entries(4))), (RESOURCE, detach_backing(BLOB))]),
    ("nobody's", [(RESOURCE, attach_backing(77, entries(4))), (RESOURCE, detach_backing(77))]),
    ("a guest's blob with too little", [(PARAMETER, guest_blob(8192, (0x100000, 4096)))]),
    ("a guest's blob whose sum wraps", [(PARAMETER, guest_blob(1 << 40, *[(0x100000, MOST32)] * 2))]),
    ("a guest's blob outside, shown", [
        (OK, guest_blob(4096, (1 << 40, 4096))),
        (OK, set_scanout_blob(11, (0, 0, 16, 16), 16, 16, 64)),
        (UNSPEC, flush(11, (0, 0, 16, 16)))]),
]

most = MOST32
TRANSFERS = [("rectangle %d %d %d %d" % rect, [
    (OK, attach_backing(IMAGE, [(FAR, 16384)])), (PARAMETER, transfer(IMAGE, rect)),
    (PARAMETER, flush(IMAGE, rect)), (PARAMETER, set_scanout(IMAGE, rect))]) for rect in (
        (0, 0, 65, 64), (0, 0, 64, 65), (64, 0, 1, 1), (0, 64, 1, 1), (0, 0, 0, 0), (1, 1, 0, 0),
        (most, 0, 2, 1), (0, most, 1, 2), (most, most, most, most), (1, 1, most, most),
        (0, 0, most, most), (32, 32, 1 << 31, 1 << 31))] + [
    ("offset 0x%x" % offset, [(OK, attach_backing(IMAGE, [(FAR, 16384)])),
                              (PARAMETER, transfer(IMAGE, (0, 0, 64, 64), offset=offset))])
    for offset in (1, 4, 16384, 1 << 31, 1 << 32, 1 << 63, MOST - 3, MOST - 16383)] + [
    ("images of %d x %d" % size, [(PARAMETER, create_2d(11, *size))])
    for size in ((0, 1), (1, 0), (16385, 1), (1, 16385), (most, most), (1 << 31, 2), (1 << 16, 1 << 16))] + [
    ("format %d" % n, [(PARAMETER, create_2d(11, 4, 4, pixel_format=n))]) for n in (0, 5, 66, most)]

SHOWN = [("scanout %d" % n, [(SCANOUT, set_scanout(IMAGE, (0, 0, 64, 64), scanout=n)),
                             show(SCANOUT, scanout=n), (SCANOUT, get_edid(n))])
         for n in (1, 15, 16, 255, most)] + [
    (str(change), [show(PARAMETER, **change), (OK, create_2d(11, 4, 4))]) for change in (
        {"stride": 0}, {"stride": 60}, {"stride": 63}, {"stride": 65}, {"stride": most}, {"stride": 1 << 31},
        {"offset": 1}, {"offset": 4 * PAGE}, {"offset": most}, {"offset": most - 3},
        {"width": 0}, {"height": 0}, {"width": most}, {"height": most}, {"height": 1 << 26},
        {"width": 1 << 30, "stride": 4, "height": 1}, {"rect": (0, 0, 17, 16)}, {"rect": (0, 0, 0, 0)},
        {"rect": (16, 16, 1, 1)}, {"rect": (most, most, 2, 2)}, {"pixel_format": 0}, {"pixel_format": most})] + [
    ("destroyed while shown", [show(OK), (OK, unref(BLOB)), (RESOURCE, flush(BLOB, (0, 0, 16, 16)))]),
    ("destroyed while shown and mapped", [show(OK, resource=MAPPED), (OK, unref(MAPPED)),
                                          (RESOURCE, unmap_blob(MAPPED))]),
    ("backing taken away while shown", [
        (OK, attach_backing(IMAGE, [(FAR, 16384)])), (OK, set_scanout(IMAGE, (0, 0, 64, 64))),
        (OK, detach_backing(IMAGE)), (OK, flush(IMAGE, (0, 0, 64, 64)))]),
    ("its context destroyed while shown", [show(OK), (OK, ctx_destroy(1)),
                                           (OK, flush(BLOB, (0, 0, 16, 16)))]),
    ("a cursor that is no resource", [(ERR_UNSPEC, update_cursor(77, 0, 0))]),
    ("capset 1", [(PARAMETER, get_capset_info(1)), (PARAMETER, get_capset_info(most))]),
    ("capset ids", [(PARAMETER, get_capset(n, 0)) for n in (0, 1, 2, 3, 5, most)]),
    ("capset versions", [(PARAMETER, get_capset(4, n)) for n in (1, most)]),
]

CONTEXTS = [("id %d" % n, [(CONTEXT, submit(n, 1)), (CONTEXT, ctx_destroy(n)), (CONTEXT, ctx_attach(n, BLOB)),
                           (CONTEXT, ctx_detach(n, BLOB))]) for n in (0, 2, 4096, most)] + [
    ("id 0 created", [(CONTEXT, ctx_create(0))]),
    ("created twice", [(CONTEXT, ctx_create(1))]),
    ("destroyed twice", [(OK, ctx_destroy(1)), (CONTEXT, ctx_destroy(1))]),
    ("of capset 1", [(PARAMETER, ctx_create(2, init=1)), (PARAMETER, ctx_create(2, init=0xff))]),
    ("a name without end", [(OK, ctx_create(2, b"x" * 64))]),
    ("a name of 4 Gi", [(OK, header(0x200, context=2) + struct.pack("=II64s", most, 4, b"n" * 64))]),
    ("attached what is not there", [(RESOURCE, ctx_attach(1, n)) for n in (0, 77, most)]),
    ("attached 20 times", [(OK, ctx_attach(WITNESS, BLOB))] * 20 + [(OK, ctx_detach(WITNESS, BLOB))] * 20),
    ("attached, then destroyed", [(OK, ctx_create(2)), (OK, ctx_attach(2, BLOB)), (OK, unref(BLOB)),
                                  (RESOURCE, ctx_detach(2, BLOB)), (OK, ctx_destroy(2))]),
    ("a fence on timeline 64", [(PARAMETER, submit(1, 1, fence=3, ring=64))]),
    ("a fence on timeline 255", [(PARAMETER, submit(1, 1, fence=3, ring=255))]),
    ("a fence of no context", [(CONTEXT, submit(77, 1, fence=3, ring=1))]),
    ("a fence number twice", [(OK, submit(1, 1, fence=3, ring=1))] * 2),
    ("a fence number that goes back", [(OK, submit(1, 1, fence=MOST, ring=1)),
                                       (OK, submit(1, 1, fence=0, ring=1))]),
    ("streams of odd sizes", [(PARAMETER, submit(1, 1, 2, size=n)) for n in (1, 2, 3, 5, 7)]),
    ("streams longer than they are", [(PARAMETER, submit(1, 1, size=n))
                                      for n in (8, 4096, 1 << 31, most - 3)]),
]

GROUPS = {"maps": MAPS, "blobs": BLOBS, "scatter": SCATTER, "transfers": TRANSFERS, "shown": SHOWN,
          "contexts": CONTEXTS}


def scatter_of_a_million(device):
    """As much as one request may hold, and more."""
    check_equal(large(device.f, attach_backing(IMAGE, entries(1 << 17), count=1 << 17)), OK, "2^17 entries")
    device.f.command(detach_backing(IMAGE))
    check_equal(large(device.f, attach_backing(IMAGE, entries((1 << 17) + 1))), MEMORY, "2^17 + 1 entries")
    check_equal(large(device.f, attach_backing(IMAGE, entries(10 ** 6))), ERR_UNSPEC, "10^6 entries")


def lost_context_of_many(device):
    """A render process that dies with everything under way."""
    f = device.f
    f.command(submit(1, Do.HOLD))
    heads = [f.send(submit(1, 1, fence=i, ring=i % 64)) for i in range(1, 100)]
    f.command(submit(1, Do.ABORT))
    for head in heads:
        check_equal(f.take(head).type, OK, "the answer to a fence")
    f.command(create_blob(11, 1), ERR_UNSPEC)


SPECIAL = {"a scatter list of a million": scatter_of_a_million,
           "a lost context with 100 fences": lost_context_of_many}


def main():
    device = Device()
    device.end()
    before = {False: device.count()}
    device.begin()
    device.end(keep_context=True)
    before[True] = device.count()
    total = 0

    def done(keep_context):
        device.check_witness()
        device.end(keep_context)
        device.check_witness()
        device.f.wait(lambda: device.count() <= before[keep_context], "what the case made is gone")

    for group, cases in GROUPS.items():
        if len(sys.argv) > 2 and group not in sys.argv[2:]:
            continue
        for name, requests in cases:
            print("%s: %s" % (group, name), flush=True)
            device.begin()
            for i, (expected, request) in enumerate(requests):
                got = device.f.take(device.f.send(request, 2048)).type
                check_equal(got, expected, "the answer to request %d" % i)
            done(keep_context=group != "contexts" and ctx_destroy(1) not in [r for _, r in requests])
            total += 1
    for name, run in SPECIAL.items():
        print("special: " + name, flush=True)
        device.begin()
        run(device)
        done(keep_context=False)
        total += 1
    device.close()
    print("%d cases" % total)


if __name__ == "__main__":
    main()
