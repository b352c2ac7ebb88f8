#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in for venera-render in the tests of venera-gpu: speaks src/ipc/render_protocol.h, runs
no Vulkan. What it does on demand is said by the first word of a command stream (class Do) and
by blob ids (class Blob). It logs each request, one line, to the file FAKE_RENDER_LOG.
"""

import array
import mmap
import os
import signal
import socket
import struct
import sys
import time


class Do:
    """First words of streams; further words follow. Others do nothing."""
    ABORT, EXIT, LOST, HOLD, RELEASE, BAD_FENCE, BAD_BLOB, BAD_EVENT, BAD_FRAME, HANG, STALL, \
        RELEASE_ONE, WRITE, OLD_FENCE, USE, TELL_OTHERS, BAD_USAGE = \
        range(0x7e570001, 0x7e570012)


class Blob:
    """Blob ids with a meaning; others make memory in which each word is the id plus its place."""
    FAIL, NO_MEMORY, SMALL, SHRINKABLE, OTHER, HELD, NOT_MEMORY = range(0x7e571001, 0x7e571008)


HEADER = struct.Struct("=IIII")
CREATE_BLOB, ATTACH, DETACH, SUBMIT = 1, 2, 3, 4
EVENT_BLOB, EVENT_FENCE, EVENT_LOST, EVENT_USAGE = 1, 2, 3, 4
# Bytes in struct render_counters: memory in use, shared and not; the work's flag; what others use.
MEMORY, SHARED_MEMORY, GUEST_WORK, OTHERS = 32, 40, 80, 88
PAGE = os.sysconf("SC_PAGE_SIZE")


class Closed(Exception):
    pass


class Render:
    def __init__(self, fd, counters_fd):
        self.socket = socket.socket(fileno=fd)
        self.bytes = b""
        self.fds = []
        self.log = open(os.environ["FAKE_RENDER_LOG"], "a", buffering=1)
        self.memory = {}  # by resource id
        self.held = False
        self.held_fences = []
        self.held_blobs = []
        self.last_fence = {}
        self.counters = mmap.mmap(counters_fd, PAGE)
        self.submissions = 0

    def receive(self, size):
        while len(self.bytes) < size:
            data, fds, _, _ = socket.recv_fds(self.socket, 65536, 4)
            if not data:
                raise Closed
            self.bytes += data
            self.fds += fds
        data, self.bytes = self.bytes[:size], self.bytes[size:]
        return data

    def send(self, kind, body, fds=()):
        data = HEADER.pack(kind, len(body), len(fds), 0) + body
        sent = socket.send_fds(self.socket, [data], fds)
        if sent < len(data):  # sending nothing fails, too, when the device has closed the channel
            self.socket.sendall(data[sent:])

    def say(self, text):
        self.log.write("%d %s\n" % (os.getpid(), text))

    def send_blob(self, resource, error=0, size=0, fd=None, map_info=1):
        body = struct.pack("=IiIIQ", resource, error, map_info, 0, size)
        self.send(EVENT_BLOB, body, [fd] if fd is not None else [])

    def make_memory(self, size, blob, seal=True):
        fd = os.memfd_create("fake", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, size)
        words = array.array("I", [(blob + i) & 0xffffffff for i in range(min(size // 4, 16384))])
        os.pwrite(fd, words.tobytes(), 0)
        if seal:
            import fcntl
            fcntl.fcntl(fd, 1033, 2)  # F_ADD_SEALS, F_SEAL_SHRINK
        return fd

    def create_blob(self, body):
        resource, flags, blob, size = struct.unpack("=IIQQ", body)
        self.say("create %d flags %d blob 0x%x size %d" % (resource, flags, blob, size))
        whole = (size + PAGE - 1) // PAGE * PAGE
        if blob == Blob.FAIL:
            self.send_blob(resource, error=-22)
        elif blob == Blob.NO_MEMORY:
            self.send_blob(resource)
        elif blob == Blob.OTHER:
            self.send_blob(resource + 1, error=-22)
        elif blob == Blob.HELD:
            self.held_blobs.append((resource, whole, blob))
        elif blob == Blob.SMALL:
            self.send_blob(resource, size=whole, fd=self.make_memory(PAGE, blob))
        elif blob == Blob.SHRINKABLE:
            self.send_blob(resource, size=whole, fd=self.make_memory(whole, blob, seal=False))
        elif blob == Blob.NOT_MEMORY:
            self.send_blob(resource, size=whole, fd=self.socket.fileno())
        else:
            self.finish_blob(resource, whole, blob)

    def finish_blob(self, resource, size, blob):
        fd = self.make_memory(size, blob)
        self.memory[resource] = fd
        self.send_blob(resource, size=size, fd=fd)

    def retire(self, ring, fence):
        self.send(EVENT_FENCE, struct.pack("=QII", fence, ring, 0))
        self.last_fence[ring] = fence

    def submit(self, body):
        fence, flags, ring = struct.unpack_from("=QII", body)
        words = struct.unpack("=%dI" % ((len(body) - 16) // 4), body[16:])
        self.counters[GUEST_WORK:GUEST_WORK + 8] = struct.pack("=Q", 1)
        self.say("submit %s%s" % (" ".join("%x" % w for w in words[:4]),
                                  " fence %d ring %d" % (fence, ring) if flags & 1 else ""))
        self.execute(words)
        self.counters[GUEST_WORK:GUEST_WORK + 8] = struct.pack("=Q", 0)
        if flags & 1:
            if self.held:
                self.held_fences.append((ring, fence))
            else:
                self.retire(ring, fence)

    def count(self):
        """Into all counters, each in a thousand of its own."""
        self.submissions += 1
        self.counters[:40] = struct.pack("=5Q", *(1000 * i + self.submissions for i in range(5)))

    def execute(self, words):
        do = words[0] if words else 0
        if do == Do.ABORT:
            os.kill(os.getpid(), signal.SIGKILL)
        elif do == Do.EXIT:
            sys.exit(3)
        elif do == Do.LOST:
            self.send(EVENT_LOST, b"it is \x1b[31mMonday".ljust(128, b"\0"))
        elif do == Do.HOLD:
            self.held = True
        elif do == Do.RELEASE:
            self.held = False
            for ring, fence in self.held_fences:
                self.retire(ring, fence)
            self.held_fences = []
            for blob in self.held_blobs:
                self.finish_blob(*blob)
            self.held_blobs = []
        elif do == Do.RELEASE_ONE:  # word 1: the ring whose oldest fence retires
            found = next(f for f in self.held_fences if f[0] == words[1])
            self.held_fences.remove(found)
            self.retire(*found)
        elif do == Do.BAD_FENCE:
            self.retire(5, 1 << 40)
        elif do == Do.OLD_FENCE:
            self.retire(words[1], self.last_fence.get(words[1], 0))
        elif do == Do.BAD_BLOB:
            self.send_blob(1234, error=-22)
        elif do == Do.BAD_EVENT:
            self.send(77, b"what?")
        elif do == Do.BAD_FRAME:
            self.socket.sendall(HEADER.pack(1, 1 << 30, 0, 0))
        elif do == Do.HANG:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(1)
        elif do == Do.STALL:  # word 1: milliseconds
            time.sleep(words[1] / 1000)
        elif do == Do.USE:  # words 1 and 2: MiB of shared and of other memory
            for place, mib in ((SHARED_MEMORY, words[1]), (MEMORY, words[2])):
                self.counters[place:place + 8] = struct.pack("=Q", mib << 20)
            self.send(EVENT_USAGE, b"")
        elif do == Do.TELL_OTHERS:
            self.say("others %d %d" % struct.unpack_from("=2Q", self.counters, OTHERS))
        elif do == Do.BAD_USAGE:
            self.send(EVENT_USAGE, b"much")
        elif do == Do.WRITE:  # words 1 to 3: resource, offset in words, value
            os.pwrite(self.memory[words[1]], struct.pack("=I", words[3]), words[2] * 4)

    def run(self):
        while True:
            kind, size, fd_count, _ = HEADER.unpack(self.receive(HEADER.size))
            body = self.receive(size)
            fds, self.fds = self.fds[:fd_count], self.fds[fd_count:]
            if kind == CREATE_BLOB:
                self.create_blob(body)
            elif kind == ATTACH:
                resource, map_info, size = struct.unpack("=IIQ", body)
                word = struct.unpack("=I", os.pread(fds[0], 4, 0))[0]
                self.memory[resource] = fds[0]
                self.say("attach %d size %d map %d word %x" % (resource, size, map_info, word))
            elif kind == DETACH:
                resource, _ = struct.unpack("=II", body)
                fd = self.memory.pop(resource, None)
                if fd is not None:
                    os.close(fd)
                self.say("detach %d" % resource)
            elif kind == SUBMIT:
                self.count()
                self.submit(body)


def main():
    options = dict(a[2:].split("=", 1) for a in sys.argv[1:] if not a.startswith("--limit="))
    render = Render(int(options["fd"]), int(options["counters-fd"]))
    render.say("start %s driver %s" % (options["name"], os.environ.get("VK_DRIVER_FILES", "-")))
    try:
        render.run()
    except (Closed, ConnectionError, BrokenPipeError):
        render.say("end")


if __name__ == "__main__":
    main()
