#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_vhost_user.py VENERA-GPU [GROUP...]: a front end, and a guest below it, that mean harm to venera-gpu, case by
case. Each case says what the device must make of it; afterwards another driver must find everything working, and when
the front end leaves, the device ends in order and leaves nothing.
"""

import os
import select
import socket
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "gpu"))

from fake_render import Do  # noqa: E402
from front_end import *  # noqa: E402

GPU = sys.argv[1]
MOST = (1 << 64) - 1
RAM = 4 << 30  # where the far region of the front end begins


def count(what, pid):
    if what == "fd":
        return len(os.listdir("/proc/%d/fd" % pid))
    with open("/proc/%d/maps" % pid, encoding="utf-8") as maps:
        return sum("guest" in line or "fake" in line for line in maps)


class Patient:
    """A venera-gpu that is harmed, again and again, while it lives."""

    def __init__(self):
        self.f = FrontEnd(GPU)
        self.begin()
        pid = self.f.gpu.process.pid
        self.cure()
        self.fds, self.maps = count("fd", pid), count("maps", pid)

    def begin(self):
        self.f.start()

    def cure(self):
        """Another driver in the guest finds everything working."""
        f = self.f
        check(f.gpu.process.poll() is None, "venera-gpu has ended:\n" + f.gpu.log())
        f.running = False
        f.maps.clear()
        f.ack(SET_FEATURES, struct.pack("=Q", f.features))
        f.config()
        f.stop()
        f.set_table(f.regions)
        f.start(regions=False)
        f.command(get_display_info(), DISPLAY_INFO, 512)
        f.command(ctx_create(1))
        f.command(create_blob(7, 0x500))
        f.command(map_blob(7, 0), MAP_INFO)
        f.command(submit(1, Do.WRITE, 7, 2, 0xcafe, fence=1, ring=1))
        check_equal(struct.unpack_from("=III", f.maps[0][1])[2], 0xcafe, "what was rendered")
        f.command(unref(7))
        f.command(ctx_destroy(1))

    def check_nothing_left(self):
        f, pid = self.f, self.f.gpu.process.pid
        f.wait(lambda: not f.gpu.children(), "the end of the render processes")
        f.wait(lambda: count("fd", pid) <= self.fds, "the descriptors are closed")
        check(count("maps", pid) <= self.maps, "memory stays mapped")

    def end(self):
        check_equal(self.f.close(), 0, "the exit code")
        log = self.f.gpu.log()
        check("Sanitizer" not in log and "runtime error" not in log, log)
        self.f.gpu.finish()


# --- messages of vhost-user ---


def ask(f, kind, payload=b"", fds=(), size=None, flags=9):
    """Sends a message as it is; True if it is said to be accepted, None if it is not answered with that."""
    data = HEADER.pack(kind, flags, len(payload) if size is None else size) + payload
    socket.send_fds(f.main, [data], list(fds))
    got, _, got_size = HEADER.unpack(f.receive(f.main, HEADER.size))
    body = f.receive(f.main, got_size)
    check_equal(got, kind, "the answer's number")
    if kind in HAS_REPLY or got_size != 8:
        return None
    return struct.unpack("=Q", body)[0] == 0


def region(gpa, size, user, offset=0):
    return struct.pack("=QQQQ", gpa, size, user, offset)


def memory(size=1 << 16):
    fd = os.memfd_create("guest")
    os.ftruncate(fd, size)
    return fd


def with_fds(action):
    """Calls action(open) and closes what it opened."""
    def run(f):
        opened = []

        def keep(fd):
            opened.append(fd)
            return fd
        try:
            return action(f, keep)
        finally:
            for fd in opened:
                os.close(fd)
    return run


def add(gpa, size, user, offset=0, file_size=1 << 16):
    return with_fds(lambda f, keep: ask(
        f, ADD_MEM_REG, bytes(8) + region(gpa, size, user, offset), [keep(memory(file_size))]))


def table(*regions, number=None, fds=None):
    def action(f, keep):
        number_of_fds = len(regions) if fds is None else fds
        return ask(f, SET_MEM_TABLE, struct.pack(
            "=II", len(regions) if number is None else number, 0) + b"".join(regions),
            [keep(memory()) for _ in range(number_of_fds)])
    return with_fds(action)


def message(kind, *words, fmt="=II", **more):
    return lambda f: ask(f, kind, struct.pack(fmt, *words), **more)


def addresses(desc, used, avail, index=0):
    """A stopped queue is started with these."""
    def action(f):
        f.stop()
        ask(f, SET_VRING_ADDR, struct.pack("=IIQQQQ", index, 0, desc, used, avail, 0))
        f.ack(SET_VRING_KICK, struct.pack("=Q", index), [f.queues[index].kicks.read_fd])
        return ask(f, SET_VRING_ENABLE, struct.pack("=II", index, 1))
    return action


def kick_with(opened):
    def action(f, keep):
        fd = keep(opened())
        f.ack(SET_VRING_KICK, struct.pack("=Q", 0), [fd])
        f.ack(SET_VRING_CALL, struct.pack("=Q", 0), [fd])
        f.send(get_display_info(), 512)
        return True
    return with_fds(action)


def a_file():
    with tempfile.TemporaryFile() as file:
        file.write(bytes(64))
        return os.dup(file.fileno())


def a_socket():
    pair = socket.socketpair()
    pair[1].sendall(bytes(64))
    pair[1].close()
    return pair[0].detach()


def an_epoll():
    with select.epoll() as epoll:
        return os.dup(epoll.fileno())


def a_pipe(end):
    def make():
        ends = os.pipe()
        os.close(ends[1 - end])
        return ends[end]
    return make


def backend_with(opened):
    return with_fds(lambda f, keep: ask(f, SET_BACKEND_REQ_FD, b"", [keep(opened())]))


def many_regions(f):
    fd = memory()
    accepted = sum(bool(ask(f, ADD_MEM_REG, bytes(8) + region(
        (1 << 40) + (i << 16), 1 << 16, (1 << 44) + (i << 16)), [fd])) for i in range(600))
    os.close(fd)
    check(accepted <= 512, "600 regions are accepted")
    return accepted == 600


def table_while_running(f):
    """The memory goes away under a request."""
    f.command(ctx_create(1))
    f.command(submit(1, Do.HOLD))
    f.send(submit(1, 1, fence=7, ring=3))
    f.quiet(0.02)
    table()(f)
    f.main.settimeout(TIMEOUT)
    return True


def regions_removed(f):
    for r in f.regions:
        ask(f, REM_MEM_REG, bytes(8) + r.pack())
    f.queues[0].kick()
    return True


def num_while_pending(f):
    """The queue becomes larger, and moves, between a request and its answer."""
    f.command(ctx_create(1))
    f.command(submit(1, Do.HOLD))
    f.send(submit(1, 1, fence=7, ring=3))
    f.quiet(0.02)
    f.stop()
    accepted = ask(f, SET_VRING_NUM, struct.pack("=II", 0, 32768))
    top = f.regions[2].user + f.regions[2].size
    ask(f, SET_VRING_ADDR, struct.pack("=IIQQQQ", 0, 0, top - 16, top - 4, top - 2, 0))
    f.ack(SET_VRING_KICK, struct.pack("=Q", 0), [f.queues[0].kicks.read_fd])
    f.ack(SET_VRING_ENABLE, struct.pack("=II", 0, 1))
    return accepted


def index_jump(by):
    def action(f):
        queue = f.queues[0]
        f.write(queue.avail + 2, struct.pack("=H", (queue.avail_index + by) & 0xffff))
        queue.kick()
        return None
    return action


def used_in_descriptors(f):
    """The parts of a queue lie in each other."""
    queue = f.queues[0]
    at = f.user(queue.desc)
    return addresses(at, at, at)(f)


def answers_unasked(f):
    f.backend.sendall(HEADER.pack(BACKEND_MAP, 5, 8) + bytes(8))
    check_equal(f.backend.recv(1), b"", "what comes before the end of the channel")
    f.backend.close()
    ours, theirs = socket.socketpair()
    f.ack(SET_BACKEND_REQ_FD, b"", [theirs.fileno()])
    theirs.close()
    f.backend = ours
    f.backend.settimeout(TIMEOUT)
    return True


def repeated(action, times):
    def run(f):
        return [action(f) for _ in range(times)][-1]
    return run


REFUSED, ACCEPTED, ANY = False, True, None
FAR = 1 << 40
MESSAGES = [
    # name, what is said to it, what is done
    ("SET_FEATURES of all", REFUSED, message(SET_FEATURES, MOST, fmt="=Q")),
    ("SET_FEATURES, cut", ANY, lambda f: ask(f, SET_FEATURES, b"\0\0\0")),
    ("SET_FEATURES, empty", ANY, lambda f: ask(f, SET_FEATURES)),
    ("SET_OWNER twice", ACCEPTED, repeated(lambda f: ask(f, SET_OWNER), 2)),
    ("SET_OWNER with descriptors", ACCEPTED, with_fds(
        lambda f, keep: ask(f, SET_OWNER, b"", [keep(memory()) for _ in range(8)]))),
    ("SET_OWNER with too many", ACCEPTED, with_fds(
        lambda f, keep: ask(f, SET_OWNER, b"", [keep(memory()) for _ in range(40)]))),
    ("a message of number 0", REFUSED, lambda f: ask(f, 0)),
    ("a message of number -1", REFUSED, lambda f: ask(f, 0xffffffff)),
    ("a message that says it is a reply", ANY, lambda f: ask(f, SET_OWNER, flags=0xd)),
    ("all flags", ANY, lambda f: ask(f, SET_OWNER, flags=0xfffffffd)),
    ("RESET_DEVICE, running", ACCEPTED, lambda f: ask(f, RESET_DEVICE)),
    ("RESET_OWNER, running", ACCEPTED, lambda f: ask(f, 4)),
    ("SET_STATUS 0, running", ACCEPTED, message(SET_STATUS, 0, fmt="=Q")),
    ("SET_STATUS of all", ACCEPTED, message(SET_STATUS, MOST, fmt="=Q")),
    # memory
    ("a region of nothing", REFUSED, add(FAR, 0, FAR)),
    ("a region without a descriptor", REFUSED, lambda f: ask(
        f, ADD_MEM_REG, bytes(8) + region(FAR, 1 << 16, FAR))),
    ("a region, cut", REFUSED, with_fds(lambda f, keep: ask(
        f, ADD_MEM_REG, bytes(20), [keep(memory())]))),
    ("a region that wraps", REFUSED, add(MOST - 4095, 1 << 16, FAR)),
    ("a region whose user address wraps", REFUSED, add(FAR, 1 << 16, MOST - 4095)),
    ("a region beyond its file", REFUSED, add(FAR, 1 << 20, FAR)),
    ("a region behind its file", REFUSED, add(FAR, 1 << 16, FAR, offset=1 << 16)),
    ("a region whose offset wraps", REFUSED, add(FAR, 1 << 16, FAR, offset=MOST - 4095)),
    ("a region of half of everything", REFUSED, add(0, 1 << 63, 0)),
    ("a region of everything", REFUSED, add(0, MOST, 0)),
    ("a region over another", REFUSED, add(8 << 20, 1 << 16, FAR)),
    ("a region over another for the user", REFUSED, add(FAR, 1 << 16, 0x7f0000001000)),
    ("a region twice", REFUSED, repeated(add(FAR, 1 << 16, FAR), 2)),
    ("a region of a socket", REFUSED, with_fds(lambda f, keep: ask(
        f, ADD_MEM_REG, bytes(8) + region(FAR, 64, FAR), [keep(a_socket())]))),
    ("a region of a pipe", REFUSED, with_fds(lambda f, keep: ask(
        f, ADD_MEM_REG, bytes(8) + region(FAR, 64, FAR), [keep(a_pipe(0)())]))),
    ("a region of a directory", REFUSED, with_fds(lambda f, keep: ask(
        f, ADD_MEM_REG, bytes(8) + region(FAR, 64, FAR), [keep(os.open("/tmp", os.O_RDONLY))]))),
    ("a region that is read only", REFUSED, with_fds(lambda f, keep: ask(
        f, ADD_MEM_REG, bytes(8) + region(FAR, 64, FAR), [keep(os.open(GPU, os.O_RDONLY))]))),
    ("a region of the null device", REFUSED, with_fds(lambda f, keep: ask(
        f, ADD_MEM_REG, bytes(8) + region(FAR, 64, FAR), [keep(os.open("/dev/null", os.O_RDWR))]))),
    ("600 regions", REFUSED, many_regions),
    ("a region removed that is not there", ACCEPTED, lambda f: ask(
        f, REM_MEM_REG, bytes(8) + region(FAR, 64, FAR))),
    ("a region removed with another size", ACCEPTED, lambda f: ask(
        f, REM_MEM_REG, bytes(8) + region(0, 4096, 0x7f0000000000))),
    ("all regions removed, running", ACCEPTED, regions_removed),
    ("a table of nothing, running", ACCEPTED, table()),
    ("a table under a request", ACCEPTED, table_while_running),
    ("a table of a million", REFUSED, table(number=10 ** 6)),
    ("a table of 4 Gi", REFUSED, table(number=0xffffffff)),
    ("a table of 9", REFUSED, table(*[region(i << 20, 1 << 16, i << 20) for i in range(8)], number=9)),
    ("a table without descriptors", REFUSED, table(region(0, 4096, 0), fds=0)),
    ("a table with a descriptor too few", REFUSED, table(
        region(0, 4096, 0), region(4096, 4096, 4096), fds=1)),
    ("a table with a descriptor too many", REFUSED, table(region(0, 4096, 0), fds=2)),
    ("a table that overlaps", REFUSED, table(region(0, 8192, 0), region(4096, 8192, 1 << 20))),
    ("a table that overlaps for the user", REFUSED, table(region(0, 8192, 0), region(8192, 8192, 1))),
    ("a table that wraps", REFUSED, table(region(MOST - 10, 4096, 0))),
    ("a table, cut", REFUSED, with_fds(lambda f, keep: ask(
        f, SET_MEM_TABLE, struct.pack("=II", 1, 0), [keep(memory())]))),
    # queues
    ("a queue of 0", REFUSED, lambda f: (f.stop(), message(SET_VRING_NUM, 0, 0)(f))[1]),
    ("a queue of 3", REFUSED, lambda f: (f.stop(), message(SET_VRING_NUM, 0, 3)(f))[1]),
    ("a queue of 32769", REFUSED, lambda f: (f.stop(), message(SET_VRING_NUM, 0, 32769)(f))[1]),
    ("a queue of 65536", REFUSED, lambda f: (f.stop(), message(SET_VRING_NUM, 0, 65536)(f))[1]),
    ("a queue of 2 Gi", REFUSED, lambda f: (f.stop(), message(SET_VRING_NUM, 0, 1 << 31)(f))[1]),
    ("a queue of 1", ANY, lambda f: (f.stop(), message(SET_VRING_NUM, 0, 1)(f))[1]),
    ("the size of a queue that runs", REFUSED, message(SET_VRING_NUM, 0, 64)),
    ("the size of a queue with a request", ANY, num_while_pending),
    ("the address of a queue that runs", REFUSED, message(
        SET_VRING_ADDR, 0, 0, 1, 2, 3, 4, fmt="=IIQQQQ")),
    ("the base of a queue that runs", REFUSED, message(SET_VRING_BASE, 0, 7)),
    ("a base of 65536", REFUSED, lambda f: (f.stop(), message(SET_VRING_BASE, 0, 65536)(f))[1]),
    ("a base of 65535", ACCEPTED, lambda f: (f.stop(), message(SET_VRING_BASE, 0, 65535)(f))[1]),
    ("queue 2's size", REFUSED, message(SET_VRING_NUM, 2, 64)),
    ("queue -1's size", REFUSED, message(SET_VRING_NUM, 0xffffffff, 64)),
    ("queue 2's base", REFUSED, message(SET_VRING_BASE, 2, 0)),
    ("queue -1's base asked for", ANY, message(GET_VRING_BASE, 0xffffffff, 0)),
    ("queue 2's addresses", REFUSED, message(SET_VRING_ADDR, 2, 0, 0, 0, 0, 0, fmt="=IIQQQQ")),
    ("queue 9 enabled", REFUSED, message(SET_VRING_ENABLE, 9, 1)),
    ("queue 255's kick", REFUSED, with_fds(lambda f, keep: ask(
        f, SET_VRING_KICK, struct.pack("=Q", 255), [keep(memory())]))),
    ("queue 2's call", REFUSED, with_fds(lambda f, keep: ask(
        f, SET_VRING_CALL, struct.pack("=Q", 2), [keep(memory())]))),
    ("a queue at 0", ANY, addresses(0, 0, 0)),
    ("a queue at the end", ANY, addresses(MOST - 15, MOST - 3, MOST - 1)),
    ("a queue, unaligned", ANY, addresses(0x7f0000000001, 0x7f0000010001, 0x7f0000020001)),
    ("a queue half outside", ANY, addresses(
        0x7f0001000000 - 16, 0x7f0001000000 - 4, 0x7f0001000000 - 4)),
    ("a queue in two regions", ANY, addresses(0x7f0000ffff00, 0x7e0000ffff00, 0x7d0001ffff00)),
    ("a queue behind memory", ANY, addresses(0x7f0001000000, 0x7f0000010000, 0x7f0000020000)),
    ("used outside", ANY, addresses(0x7f0000010000, 1 << 50, 0x7f0000020000)),
    ("a queue in itself", ANY, used_in_descriptors),
    ("both queues in one place", ANY, lambda f: addresses(
        f.user(f.queues[0].desc), f.user(f.queues[0].used), f.user(f.queues[0].avail), 1)(f)),
    ("the index jumps by 257", ANY, index_jump(257)),
    ("the index jumps by 32768", ANY, index_jump(32768)),
    ("the index jumps back", ANY, index_jump(-1)),
    ("a queue enabled twice", ACCEPTED, repeated(message(SET_VRING_ENABLE, 0, 1), 2)),
    ("a queue disabled twice", ACCEPTED, repeated(message(SET_VRING_ENABLE, 0, 0), 2)),
    ("a queue enabled with all bits", ACCEPTED, message(SET_VRING_ENABLE, 0, 0xffffffff)),
    ("a queue's base asked for twice", ANY, repeated(message(GET_VRING_BASE, 0, 0), 2)),
    ("a kick without a descriptor", ACCEPTED, lambda f: ask(
        f, SET_VRING_KICK, struct.pack("=Q", 0x100))),
    ("a kick that lacks its descriptor", ANY, lambda f: ask(f, SET_VRING_KICK, struct.pack("=Q", 0))),
    ("a file kicks", ACCEPTED, kick_with(a_file)),
    ("a socket kicks", ACCEPTED, kick_with(a_socket)),
    ("the end of a pipe kicks", ACCEPTED, kick_with(a_pipe(0))),
    ("a broken pipe kicks", ACCEPTED, kick_with(a_pipe(1))),
    ("a directory kicks", ACCEPTED, kick_with(lambda: os.open("/tmp", os.O_RDONLY))),
    ("the null device kicks", ACCEPTED, kick_with(lambda: os.open("/dev/null", os.O_RDWR))),
    ("an epoll kicks", ACCEPTED, kick_with(an_epoll)),
    ("a memfd kicks", ACCEPTED, kick_with(memory)),
    # configuration
    ("the configuration beyond its end", ANY, message(GET_CONFIG, 20, 4, 0, fmt="=III")),
    ("the configuration far away", ANY, message(GET_CONFIG, 0xfffffffc, 8, 0, fmt="=III")),
    ("4 GiB of configuration", ANY, message(GET_CONFIG, 0, 0xffffffff, 0, fmt="=III")),
    ("the configuration, cut", ANY, lambda f: ask(f, GET_CONFIG, b"\0")),
    ("configuration written beyond", REFUSED, message(
        SET_CONFIG, 20, 4, 0, 0, fmt="=IIII")),
    ("configuration written far away", REFUSED, message(
        SET_CONFIG, 0xfffffffc, 4, 0, 0, fmt="=IIII")),
    ("more configuration than sent", REFUSED, message(SET_CONFIG, 0, 16, 0, fmt="=III")),
    ("no configuration written", ANY, message(SET_CONFIG, 0, 0, 0, fmt="=III")),
    # the channel back
    ("a back-end channel that is missing", REFUSED, lambda f: ask(f, SET_BACKEND_REQ_FD)),
    ("a back-end answer that nobody asked for", ACCEPTED, answers_unasked),
]

# After these nothing sensible can follow: the device ends, with an error.
BROKEN = [
    ("a payload of 4 GiB", HEADER.pack(SET_OWNER, 9, 0xffffffff)),
    ("a payload of 3 KiB", HEADER.pack(SET_OWNER, 9, 3000) + bytes(3000)),
    ("version 0", HEADER.pack(SET_OWNER, 8, 0)),
    ("version 2", HEADER.pack(SET_OWNER, 10, 0)),
    ("version 3", HEADER.pack(SET_OWNER, 11, 0)),
    ("half a header", HEADER.pack(SET_OWNER, 9, 0)[:6]),
    ("half a payload", HEADER.pack(SET_FEATURES, 9, 8) + bytes(3)),
    ("noise", bytes(range(1, 200))),
]

# In the wrong order: what is sent before anything else, or not at all.
ORDERS = [
    ("nothing", []),
    ("a queue enabled at once", [(SET_VRING_ENABLE, struct.pack("=II", 0, 1))]),
    ("a kick at once", [(SET_VRING_KICK, struct.pack("=Q", 0x100)),
                        (SET_VRING_ENABLE, struct.pack("=II", 0, 1))]),
    ("addresses before memory", [
        (SET_VRING_NUM, struct.pack("=II", 0, 256)),
        (SET_VRING_ADDR, struct.pack("=IIQQQQ", 0, 0, 1 << 40, 1 << 41, 1 << 42, 0)),
        (SET_VRING_KICK, struct.pack("=Q", 0x100)),
        (SET_VRING_ENABLE, struct.pack("=II", 0, 1))]),
    ("bases asked for before all", [(GET_VRING_BASE, struct.pack("=II", 0, 0)),
                                    (GET_VRING_BASE, struct.pack("=II", 1, 0))]),
    ("a reset before all", [(RESET_DEVICE, b""), (4, b""), (SET_STATUS, bytes(8))]),
    ("the configuration first", [(GET_CONFIG, struct.pack("=III", 0, 16, 0) + bytes(16)),
                                 (SET_CONFIG, struct.pack("=IIII", 4, 4, 0, 0))]),
    ("memory removed before all", [(REM_MEM_REG, bytes(40))]),
]


def run_messages():
    patient = Patient()
    for name, expected, action in MESSAGES:
        print("messages: " + name, flush=True)
        said = action(patient.f)
        if expected is not ANY:
            check_equal(said, expected, "whether it is accepted")
        patient.cure()
        patient.check_nothing_left()
    patient.end()
    return len(MESSAGES)


def run_broken():
    for name, data in BROKEN:
        print("broken: " + name, flush=True)
        f = FrontEnd(GPU).start()
        f.command(ctx_create(1))
        f.command(create_blob(7, 5))
        f.main.sendall(data)
        check(f.close() in (0, 1), "the exit code")
        check("Sanitizer" not in f.gpu.log(), f.gpu.log())
        f.gpu.finish()
    return len(BROKEN)


class Early(Patient):
    """One that was not yet started."""

    def __init__(self, messages):
        self.messages = messages
        super().__init__()

    def begin(self):
        for kind, payload in self.messages:
            ask(self.f, kind, payload)
        self.f.queues = [Queue(self.f, i, 256, 0x10000 * (i + 1)) for i in (0, 1)]


def run_orders():
    for name, messages in ORDERS:
        print("orders: " + name, flush=True)
        patient = Early(messages)
        patient.end()
    return len(ORDERS)


GROUPS = {"messages": run_messages, "broken": run_broken, "orders": run_orders}


def main():
    total = 0
    for name, run in GROUPS.items():
        if len(sys.argv) < 3 or name in sys.argv[2:]:
            total += run()
    print("%d cases" % total)


if __name__ == "__main__":
    main()
