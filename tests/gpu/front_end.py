# SPDX-License-Identifier: MIT
"""A vhost-user front end for the tests of venera-gpu: guest memory, two virtqueues and the driver's
side of virtio-gpu, but no virtual machine. It behaves as QEMU 11.1 does where that matters:
blobs that it maps are announced as memory regions before the map is acknowledged.
"""

import array
import mmap
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = float(os.environ.get("VENERA_TEST_TIMEOUT", "10"))
PAGE = os.sysconf("SC_PAGE_SIZE")
# venera-gpu is built without what only Linux has
PORTABLE = bool(os.environ.get("VENERA_TEST_PORTABLE"))
# kicks and calls are pipes, as QEMU's are where there are no eventfds
PIPES = bool(os.environ.get("VENERA_TEST_PIPES"))

# vhost-user
GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE = 1, 2, 3, 5
SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE = 8, 9, 10, 11
SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR = 12, 13, 14
GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE = 15, 16, 17, 18
SET_BACKEND_REQ_FD, GET_CONFIG, SET_CONFIG, RESET_DEVICE = 21, 24, 25, 34
GET_MAX_MEM_SLOTS, ADD_MEM_REG, REM_MEM_REG, SET_STATUS, GET_STATUS = 36, 37, 38, 39, 40
GET_SHMEM_CONFIG = 44
BACKEND_CONFIG_CHANGE, BACKEND_LOOKUP, BACKEND_MAP, BACKEND_UNMAP = 2, 8, 9, 10
HAS_REPLY = (GET_FEATURES, GET_VRING_BASE, GET_PROTOCOL_FEATURES, GET_QUEUE_NUM, GET_CONFIG,
             GET_MAX_MEM_SLOTS, GET_STATUS, GET_SHMEM_CONFIG)
PROTOCOL_FEATURES = sum(1 << n for n in (0, 3, 5, 9, 10, 13, 15, 16, 18, 22))
FEATURES = sum(1 << n for n in (0, 1, 2, 3, 4, 28, 29, 30, 32))
HEADER = struct.Struct("=III")
EVENT_IDX = 1 << 29

# virtio-gpu
OK, DISPLAY_INFO, CAPSET_INFO, CAPSET, EDID, UUID, MAP_INFO = range(0x1100, 0x1107)
ERR_UNSPEC, ERR_OUT_OF_MEMORY, ERR_SCANOUT, ERR_RESOURCE, ERR_CONTEXT, ERR_PARAMETER = \
    range(0x1200, 0x1206)
FENCE, RING_IDX = 1, 2
BGRX = 2


class Failure(Exception):
    pass


def check(condition, text="not so"):
    if not condition:
        raise Failure(text)


def check_equal(actual, expected, what="value"):
    if actual != expected:
        def show(v):
            return hex(v) if isinstance(v, int) and not isinstance(v, bool) else repr(v)
        raise Failure("%s is %s, not %s" % (what, show(actual), show(expected)))


def readable(fds, timeout):
    """Which of them can be read, within `timeout` seconds."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return {fd for fd, _ in poll.poll(timeout * 1000)}


class Gpu:
    """A running venera-gpu with the fake venera-render."""

    def __init__(self, program, *arguments, fd=None, fds=(), env=None, render="fake_render.py"):
        self.folder = tempfile.mkdtemp(prefix="venera-gpu-")
        os.symlink(os.path.join(HERE, render), os.path.join(self.folder, "venera-render"))
        self.render_log = os.path.join(self.folder, "render.log")
        self.log_path = os.path.join(self.folder, "gpu.log")
        command = [program, *arguments]
        if fd is not None:
            command.append("--fd=%d" % fd)
            fds = (fd, *fds)
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, pass_fds=fds,
                env={**os.environ, "VENERA_BINDIR": self.folder,
                     "FAKE_RENDER_LOG": self.render_log, **(env or {})})

    def path(self, name):
        return os.path.join(self.folder, name)

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def requests(self):
        """What the render processes were asked: lists of words, the process id first."""
        try:
            with open(self.render_log) as f:
                return [line.split() for line in f.read().splitlines()]
        except FileNotFoundError:
            return []

    def children(self):
        """The render processes, which the broker started, and their states."""
        broker = self.children_of([self.process.pid])
        return self.children_of([pid for pid, _ in broker])

    @staticmethod
    def children_of(parents):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid) as f:
                    text = f.read()
            except OSError:
                continue
            state, parent = text.rsplit(")", 1)[1].split()[:2]
            if int(parent) in parents:
                found.append((int(pid), state))
        return found

    def wait(self, timeout=TIMEOUT):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure("venera-gpu does not end")

    def finish(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Region:
    def __init__(self, gpa, size, user):
        self.gpa, self.size, self.user = gpa, size, user
        self.fd = os.memfd_create("guest", os.MFD_CLOEXEC)
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)

    def pack(self):
        return struct.pack("=QQQQ", self.gpa, self.size, self.user, 0)


class Notifier:
    """As QEMU makes them: an eventfd, or a pipe whose ends do not block and into which it writes a byte."""

    def __init__(self):
        if PIPES:
            self.read_fd, self.write_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        else:
            self.read_fd = self.write_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def signal(self):
        try:
            os.write(self.write_fd, b"1" if PIPES else struct.pack("=Q", 1))
        except BlockingIOError:
            pass  # it is signalled already

    def take(self):
        """How often it was signalled, or for pipes whether it was."""
        count = 0
        try:
            while True:
                data = os.read(self.read_fd, 512)
                count = 1 if PIPES else count + struct.unpack("=Q", data)[0]
        except BlockingIOError:
            return count


class Queue:
    """The driver's side of a split ring."""

    def __init__(self, front, index, size, base):
        self.front, self.index, self.size = front, index, size
        self.desc = base
        self.avail = base + 16 * size
        self.used = (self.avail + 6 + 2 * size + 3) // 4 * 4
        self.end = self.used + 6 + 8 * size
        self.kicks, self.calls = Notifier(), Notifier()
        self.reset()

    def reset(self):
        self.front.write(self.desc, bytes(self.end - self.desc))
        self.free = list(range(self.size))
        self.avail_index = 0
        self.used_index = 0
        self.waiting = {}  # head -> (descriptors, response address, response size)
        self.done = {}     # head -> response
        self.order = []    # heads as they came back
        self.interrupts = 0

    def set_desc(self, index, gpa, size, flags, following=0):
        self.front.write(self.desc + 16 * index,
                         struct.pack("=QIHH", gpa, size, flags, following))

    def publish(self, head):
        self.front.write(self.avail + 4 + 2 * (self.avail_index % self.size),
                         struct.pack("=H", head))
        self.avail_index = (self.avail_index + 1) & 0xffff
        self.front.write(self.avail + 2, struct.pack("=H", self.avail_index))

    def kick(self):
        self.kicks.signal()

    def add(self, request, response_size=64, pieces=1, indirect=True, kick=True):
        """Queues a request; its readable part in `pieces` descriptors. Returns the head."""
        front = self.front
        gpa = front.allocate(len(request) + response_size + 16 * (pieces + 1) + 64)
        table = (gpa + 15) // 16 * 16
        data = table + 16 * (pieces + 1)
        front.write(data, request)
        response = data + len(request)
        front.write(response, b"\xee" * response_size)
        cuts = [len(request) * i // pieces for i in range(pieces + 1)]
        links = [(data + a, b - a, 0) for a, b in zip(cuts, cuts[1:])]
        if response_size:
            links.append((response, response_size, 2))
        if indirect:
            for i, (address, size, flags) in enumerate(links):
                more = i + 1 < len(links)
                front.write(table + 16 * i, struct.pack(
                    "=QIHH", address, size, flags | (1 if more else 0), i + 1))
            heads = [self.free.pop(0)]
            self.set_desc(heads[0], table, 16 * len(links), 4)
        else:
            heads = [self.free.pop(0) for _ in links]
            for i, (address, size, flags) in enumerate(links):
                more = i + 1 < len(links)
                self.set_desc(heads[i], address, size, flags | (1 if more else 0),
                              heads[i + 1] if more else 0)
        self.done.pop(heads[0], None)  # a response that nobody took
        self.waiting[heads[0]] = (heads, response, response_size)
        self.publish(heads[0])
        if kick:
            self.kick()
        return heads[0]

    def collect(self):
        """Takes what was given back."""
        index = struct.unpack("=H", self.front.read(self.used + 2, 2))[0]
        while self.used_index != index:
            slot = self.used + 4 + 8 * (self.used_index % self.size)
            head, length = struct.unpack("=II", self.front.read(slot, 8))
            self.used_index = (self.used_index + 1) & 0xffff
            check(head in self.waiting, "head %d was given back and had not been queued" % head)
            heads, response, size = self.waiting.pop(head)
            check(length <= size, "%d bytes were written, there is room for %d" % (length, size))
            self.free += heads
            self.done[head] = self.front.read(response, length)
            self.order.append(head)
        if self.front.features & EVENT_IDX:
            # wants an interrupt for the next one
            self.front.write(self.avail + 4 + 2 * self.size, struct.pack("=H", self.used_index))
        self.interrupts += self.calls.take()
        if self.used_index != struct.unpack("=H", self.front.read(self.used + 2, 2))[0]:
            self.collect()  # came before an interrupt was asked for


class Response:
    def __init__(self, data):
        self.data = data
        self.type, self.flags, self.fence, self.context, self.ring = \
            struct.unpack_from("=IIQIB", data)
        self.body = data[24:]


class FrontEnd:
    """Is QEMU and the guest's driver for a Gpu."""

    def __init__(self, program, *arguments, protocol_features=PROTOCOL_FEATURES,
                 features=FEATURES, queue_size=256, fds=(), **more):
        ours, theirs = socket.socketpair()
        self.gpu = Gpu(program, *arguments, fd=theirs.fileno(), fds=fds, **more)
        theirs.close()
        self.main = ours
        self.main.settimeout(TIMEOUT)
        self.features = features
        self.protocol_features = protocol_features
        # two that touch, as seen by the guest, and one far away
        self.regions = [Region(0, 16 << 20, 0x7f0000000000),
                        Region(16 << 20, 16 << 20, 0x7e0000000000),
                        Region(4 << 30, 32 << 20, 0x7d0000000000)]
        self.next_free = 1 << 20
        self.backend = None
        self.running = False
        self.maps = {}           # offset -> (size, mapping, fd)
        self.map_requests = 0
        self.refused_regions = 0
        self.config_changes = 0
        self.unknown_requests = 0
        self.backend_frozen = False  # QEMU's main loop is busy elsewhere
        self.map_result = 0
        self.offered = 0
        self.queues = []
        self.queue_size = queue_size
        self.connect()

    # guest memory

    def place(self, gpa):
        for region in self.regions:
            if region.gpa <= gpa < region.gpa + region.size:
                return region, gpa - region.gpa
        raise Failure("0x%x is no guest memory" % gpa)

    def write(self, gpa, data):
        while data:
            region, offset = self.place(gpa)
            part = data[:region.size - offset]
            region.map[offset:offset + len(part)] = part
            gpa, data = gpa + len(part), data[len(part):]

    def read(self, gpa, size):
        data = b""
        while len(data) < size:
            region, offset = self.place(gpa + len(data))
            data += region.map[offset:offset + min(size - len(data), region.size - offset)]
        return data

    def allocate(self, size):
        """Guest memory, used again after a while."""
        if self.next_free + size > 8 << 20:
            self.next_free = 1 << 20
        gpa = self.next_free
        self.next_free += (size + 63) // 64 * 64
        return gpa

    # the main channel

    def message(self, kind, payload=b"", fds=(), need_reply=True):
        flags = 1 | (8 if need_reply and kind not in HAS_REPLY else 0)
        data = HEADER.pack(kind, flags, len(payload)) + payload
        socket.send_fds(self.main, [data], list(fds))
        if kind in HAS_REPLY or need_reply:
            return self.reply(kind)
        return None

    def receive(self, sock, size):
        data = b""
        while len(data) < size:
            part = sock.recv(size - len(data))
            if not part:
                raise Failure("venera-gpu closed the channel; its log:\n" + self.gpu.log())
            data += part
        return data

    def reply(self, kind):
        got, flags, size = HEADER.unpack(self.receive(self.main, HEADER.size))
        payload = self.receive(self.main, size)
        check_equal(got, kind, "the reply's number")
        check_equal(flags, 5, "the reply's flags")
        return payload

    def u64(self, kind, value=None, fds=()):
        payload = b"" if value is None else struct.pack("=Q", value)
        return struct.unpack("=Q", self.message(kind, payload, fds))[0]

    def ack(self, kind, payload=b"", fds=()):
        check_equal(struct.unpack("=Q", self.message(kind, payload, fds))[0], 0,
                    "the answer to message %d" % kind)

    def connect(self):
        self.offered = self.u64(GET_FEATURES)
        offered = self.u64(GET_PROTOCOL_FEATURES)
        self.protocol_features &= offered
        self.message(SET_PROTOCOL_FEATURES, struct.pack("=Q", self.protocol_features),
                     need_reply=False)
        if self.protocol_features & 1:
            check_equal(self.u64(GET_QUEUE_NUM), 2, "the number of queues")
        if self.protocol_features >> 15 & 1:
            self.u64(GET_MAX_MEM_SLOTS)
        if self.protocol_features >> 5 & 1:
            ours, theirs = socket.socketpair()
            self.ack(SET_BACKEND_REQ_FD, b"", [theirs.fileno()])
            theirs.close()
            self.backend = ours
            self.backend.settimeout(TIMEOUT)
        self.ack(SET_OWNER)

    def config(self, offset=0, size=16):
        payload = self.message(GET_CONFIG, struct.pack("=III", offset, size, 0) + bytes(size))
        got_offset, got_size, _ = struct.unpack_from("=III", payload)
        return payload[12:12 + got_size]

    def set_config(self, offset, data):
        self.ack(SET_CONFIG, struct.pack("=III", offset, len(data), 0) + data)

    def add_region(self, region):
        self.ack(ADD_MEM_REG, bytes(8) + region.pack(), [region.fd])

    def set_table(self, regions):
        self.ack(SET_MEM_TABLE, struct.pack("=II", len(regions), 0) +
                 b"".join(r.pack() for r in regions), [r.fd for r in regions])

    def user(self, gpa):
        region, offset = self.place(gpa)
        return region.user + offset

    def start(self, bases=(0, 0), regions=True, fresh=True):
        """The guest's driver starts, or, with fresh=False, the VM goes on after a pause."""
        if fresh:
            self.config()
            self.config(0, 4)
        self.ack(SET_FEATURES, struct.pack("=Q", self.features))
        if self.protocol_features >> 16 & 1:
            check_equal(len(self.message(GET_STATUS)), 8, "the size of the status")
            self.ack(SET_STATUS, struct.pack("=Q", 8))
        if regions:
            if self.protocol_features >> 15 & 1:
                for region in self.regions:
                    self.add_region(region)
            else:
                self.set_table(self.regions)
        if not self.queues:
            self.queues = [Queue(self, i, self.queue_size, 0x10000 * (i + 1)) for i in (0, 1)]
        elif fresh:
            for queue in self.queues:
                queue.reset()
        for i, queue in enumerate(self.queues):
            self.ack(SET_VRING_NUM, struct.pack("=II", i, queue.size))
            self.ack(SET_VRING_BASE, struct.pack("=II", i, bases[i]))
            self.ack(SET_VRING_ADDR, struct.pack(
                "=IIQQQQ", i, 0, self.user(queue.desc), self.user(queue.used),
                self.user(queue.avail), 0))
            self.ack(SET_VRING_KICK, struct.pack("=Q", i), [queue.kicks.read_fd])
            self.ack(SET_VRING_CALL, struct.pack("=Q", i), [queue.calls.write_fd])
        for i in range(2):
            self.ack(SET_VRING_ENABLE, struct.pack("=II", i, 1))
        self.running = True
        return self

    def stop(self):
        """The driver stops, or the VM is paused. Returns the bases of the queues."""
        for i in range(2):
            self.ack(SET_VRING_ENABLE, struct.pack("=II", i, 0))
        bases = []
        for i in range(2):
            bases.append(struct.unpack("=II", self.message(
                GET_VRING_BASE, struct.pack("=II", i, 0)))[1])
        self.running = False
        return bases

    def reboot(self):
        self.stop()
        self.maps.clear()
        self.start(regions=False)

    def close(self):
        """QEMU exits; venera-gpu must follow."""
        self.main.close()
        if self.backend:
            self.backend.close()
        return self.gpu.wait()

    # the back-end channel

    def serve_backend(self):
        header = self.backend.recv(HEADER.size, socket.MSG_PEEK)
        if not header:
            raise Failure("the back-end channel was closed")
        data, fds, _, _ = socket.recv_fds(self.backend, 1, 1)
        data += self.receive(self.backend, HEADER.size - 1)
        kind, flags, size = HEADER.unpack(data)
        payload = self.receive(self.backend, size)
        check_equal(flags & 8, 8, "NEED_REPLY")
        result = self.handle_backend(kind, payload, fds)
        self.backend.sendall(HEADER.pack(kind, 5, 8) + struct.pack("=Q", result))

    def handle_backend(self, kind, payload, fds):
        if kind in (BACKEND_MAP, BACKEND_UNMAP, BACKEND_CONFIG_CHANGE):
            check(self.running, "request %d is read while the device is stopped" % kind)
        if kind == BACKEND_CONFIG_CHANGE:
            self.config_changes += 1
            return 0
        if kind == BACKEND_LOOKUP:
            return 1
        if kind == BACKEND_MAP:
            shmid, fd_offset, offset, size, writable = struct.unpack("=B7xQQQQ", payload)
            check_equal((shmid, fd_offset, writable), (1, 0, 1), "the map request")
            self.map_requests += 1
            self.announce(fds[0], offset, size)
            if self.map_result:
                os.close(fds[0])
                return self.map_result
            for other, (other_size, _, _) in self.maps.items():
                check(offset + size <= other or other + other_size <= offset, "maps overlap")
            self.maps[offset] = (size, mmap.mmap(fds[0], size), fds[0])
            return 0
        if kind == BACKEND_UNMAP:
            _, _, offset, size, _ = struct.unpack("=B7xQQQQ", payload)
            check(offset in self.maps and self.maps[offset][0] == size, "unmap of nothing mapped")
            _, mapping, fd = self.maps.pop(offset)
            mapping.close()
            os.close(fd)
            return 0
        self.unknown_requests += 1
        return 1

    def announce(self, fd, offset, size):
        """As QEMU does while it maps: the blob as a memory region, on the main channel."""
        if not self.protocol_features >> 15 & 1:
            return
        region = struct.pack("=QQQQ", (1 << 38) + offset, size, (1 << 46) + offset, 0)
        if self.u64_raw(ADD_MEM_REG, bytes(8) + region, [fd]):
            self.refused_regions += 1

    def u64_raw(self, kind, payload, fds):
        return struct.unpack("=Q", self.message(kind, payload, fds))[0]

    # waiting

    def pump(self, timeout):
        """Handles what comes, for at most `timeout` seconds if nothing does."""
        fds = [q.calls.read_fd for q in self.queues]
        if self.backend and not self.backend_frozen:
            fds.append(self.backend.fileno())
        ready = readable(fds, timeout)
        if self.backend and self.backend.fileno() in ready:
            self.serve_backend()
        for queue in self.queues:
            queue.collect()

    def wait(self, condition, what="what was waited for", timeout=TIMEOUT):
        deadline = time.monotonic() + timeout
        while True:
            self.pump(0)
            if condition():
                return
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failure("%s does not happen; the log of venera-gpu:\n%s" %
                              (what, self.gpu.log()))
            self.pump(min(left, 0.02))

    def quiet(self, seconds=0.1):
        """Time passes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pump(0.01)

    # the driver

    def send(self, request, response_size=64, queue=0, **more):
        return self.queues[queue].add(request, response_size, **more)

    def is_done(self, head, queue=0):
        self.pump(0)
        return head in self.queues[queue].done

    def take(self, head, queue=0):
        """The response, which must come."""
        done = self.queues[queue].done
        self.wait(lambda: head in done, "a response")
        return Response(done.pop(head))

    def command(self, request, expected=OK, response_size=64, **more):
        response = self.take(self.send(request, response_size, **more))
        check_equal(response.type, expected, "the response")
        return response


def header(kind, context=0, fence=None, ring=None):
    flags = (FENCE if fence is not None else 0) | (RING_IDX if ring is not None else 0)
    return struct.pack("=IIQIB3x", kind, flags, fence or 0, context, ring or 0)


def get_display_info():
    return header(0x100)


def create_2d(resource, width, height, pixel_format=BGRX, **more):
    return header(0x101, **more) + struct.pack("=IIII", resource, pixel_format, width, height)


def unref(resource, **more):
    return header(0x102, **more) + struct.pack("=II", resource, 0)


def set_scanout(resource, rect, scanout=0, **more):
    return header(0x103, **more) + struct.pack("=IIIIII", *rect, scanout, resource)


def flush(resource, rect, **more):
    return header(0x104, **more) + struct.pack("=IIIIII", *rect, resource, 0)


def transfer(resource, rect, offset=0, **more):
    return header(0x105, **more) + struct.pack("=IIIIQII", *rect, offset, resource, 0)


def attach_backing(resource, entries, count=None, **more):
    count = len(entries) if count is None else count
    return header(0x106, **more) + struct.pack("=II", resource, count) + \
        b"".join(struct.pack("=QII", a, s, 0) for a, s in entries)


def detach_backing(resource):
    return header(0x107) + struct.pack("=II", resource, 0)


def get_capset_info(index):
    return header(0x108) + struct.pack("=II", index, 0)


def get_capset(capset, version):
    return header(0x109) + struct.pack("=II", capset, version)


def get_edid(scanout):
    return header(0x10a) + struct.pack("=II", scanout, 0)


def assign_uuid(resource, **more):
    return header(0x10b, **more) + struct.pack("=II", resource, 0)


def create_blob(resource, blob_id=0, size=PAGE, mem=2, flags=1, context=1, entries=(), count=None,
                **more):
    count = len(entries) if count is None else count
    return header(0x10c, context=context, **more) + struct.pack(
        "=IIIIQQ", resource, mem, flags, count, blob_id, size) + \
        b"".join(struct.pack("=QII", a, s, 0) for a, s in entries)


def set_scanout_blob(resource, rect, width, height, stride, offset=0, scanout=0, pixel_format=BGRX):
    return header(0x10d) + struct.pack(
        "=IIIIIIIIII4I4I", *rect, scanout, resource, width, height, pixel_format, 0,
        stride, 0, 0, 0, offset, 0, 0, 0)


def ctx_create(context, name=b"test", init=4, **more):
    return header(0x200, context=context, **more) + struct.pack("=II64s", len(name), init, name)


def ctx_destroy(context, **more):
    return header(0x201, context=context, **more)


def ctx_attach(context, resource, **more):
    return header(0x202, context=context, **more) + struct.pack("=II", resource, 0)


def ctx_detach(context, resource):
    return header(0x203, context=context) + struct.pack("=II", resource, 0)


def submit(context, *words, size=None, **more):
    stream = struct.pack("=%dI" % len(words), *words)
    return header(0x207, context=context, **more) + struct.pack(
        "=II", len(stream) if size is None else size, 0) + stream


def map_blob(resource, offset, **more):
    return header(0x208, **more) + struct.pack("=IIQ", resource, 0, offset)


def unmap_blob(resource, **more):
    return header(0x209, **more) + struct.pack("=II", resource, 0)


def update_cursor(resource, x, y, hot_x=0, hot_y=0, scanout=0):
    return header(0x300) + struct.pack("=IIIIIIII", scanout, x, y, 0, resource, hot_x, hot_y, 0)


def move_cursor(x, y, scanout=0):
    return header(0x301) + struct.pack("=IIIIIIII", scanout, x, y, 0, 0, 0, 0, 0)


class View:
    """A venera-view that shows nothing: remembers what it is told, answers flushes if asked to."""

    ADD, FORGET, SCANOUT, FLUSH, CURSOR, MOVE = 1, 2, 3, 4, 5, 6

    def __init__(self, sock, width=1280, height=800, refresh=60000, hello=True):
        self.socket = sock
        self.socket.settimeout(TIMEOUT)
        self.present = True
        self.buffers = {}
        self.scanouts = {}
        self.cursors = {}
        self.flushes = []
        self.unanswered = []
        self.closed = False
        if hello:
            self.send(1, struct.pack("=IIII", width, height, refresh, 0))

    def send(self, kind, body):
        self.socket.sendall(struct.pack("=IIII", kind, len(body), 0, 0) + body)

    def resize(self, width, height):
        self.send(3, struct.pack("=II", width, height))

    def answer(self, serial, scanout, blits=1, shown=True):
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) if shown else 0
        self.send(2, struct.pack("=QQII", serial, now, scanout, blits))

    def answer_all(self):
        while self.unanswered:
            self.answer(*self.unanswered.pop(0))

    def pump(self, timeout=0):
        """Reads what there is."""
        while not self.closed and readable([self.socket.fileno()], timeout):
            timeout = 0
            try:
                data, fds, _, _ = socket.recv_fds(self.socket, 16, 4)
            except ConnectionResetError:
                data = b""
            if not data:
                self.closed = True
                return
            while len(data) < 16:
                data += self.socket.recv(16 - len(data))
            kind, size, fd_count, _ = struct.unpack("=IIII", data)
            body = b""
            while len(body) < size:
                body += self.socket.recv(size - len(body))
            check_equal(len(fds), fd_count, "the number of descriptors")
            self.handle(kind, body, fds)

    def handle(self, kind, body, fds):
        if kind == self.ADD:
            buffer, size = struct.unpack("=QQ", body)
            check(buffer and buffer not in self.buffers, "a buffer's id is used twice")
            check(os.fstat(fds[0]).st_size >= size, "a buffer is larger than its memory")
            self.buffers[buffer] = mmap.mmap(fds[0], size)
            os.close(fds[0])
        elif kind == self.FORGET:
            buffer, = struct.unpack("=Q", body)
            check(buffer in self.buffers, "an unknown buffer is forgotten")
            self.buffers[buffer] = None  # never to be used again
        elif kind == self.SCANOUT:
            buffer, scanout, pixel_format, offset, stride, x, y, width, height = \
                struct.unpack("=QIIIIIIII", body)
            check(not buffer or self.buffers.get(buffer), "an unknown buffer is shown")
            self.scanouts[scanout] = (buffer, pixel_format, offset, stride, x, y, width, height)
        elif kind == self.FLUSH:
            serial, scanout, x, y, width, height, _ = struct.unpack("=QIIIIII", body)
            self.flushes.append((scanout, x, y, width, height))
            self.unanswered.append((serial, scanout))
            if self.present:
                self.answer_all()
        elif kind in (self.CURSOR, self.MOVE):
            cursor = struct.unpack("=QIiiIIIIIII", body)
            old = self.cursors.get(cursor[1])
            if kind == self.MOVE and old:
                cursor = (old[0], old[1], cursor[2], cursor[3], *old[4:])
            self.cursors[cursor[1]] = cursor
        else:
            raise Failure("message %d to the view" % kind)

    def pixel(self, x, y, scanout=0):
        """The four bytes of a pixel that is shown."""
        buffer, _, offset, stride, left, top, _, _ = self.scanouts[scanout]
        at = offset + (top + y) * stride + (left + x) * 4
        return self.buffers[buffer][at:at + 4]

    def close(self):
        self.socket.close()
        self.closed = True


def run_tests(names, tests):
    """Runs the functions of `tests`, all or those named; the exit code."""
    for name, test in tests.items():
        if names and name not in names:
            continue
        print(name, flush=True)
        begin = time.monotonic()
        try:
            test()
        except Failure as failure:
            import traceback
            traceback.print_exc()
            print("FAILED: %s: %s" % (name, failure))
            return 1
        took = time.monotonic() - begin
        if took > 1:
            print("  (%.1f s)" % took)
    return 0
