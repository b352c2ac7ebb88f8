#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guest.py FD VENERA-GPU VENERA-RENDER: a guest's kernel and its VMM, for transport_vhost_user.c.

FD is a channel (base/channel.h) on which contexts are opened, each with a descriptor. On that come the requests of
ipc/render_protocol.h, of which virtio-gpu commands are made, and go the events. When it is closed the context is
destroyed, and so are its resources.
"""

import os
import select
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "gpu"))
os.environ.setdefault("VENERA_TEST_TIMEOUT", "60")

from front_end import *  # noqa: E402 (the path is set above)

OPEN, STARTED = 1, 2
CREATE_BLOB, ATTACH, DETACH, SUBMIT = 1, 2, 3, 4
EVENT_BLOB, EVENT_FENCE = 1, 2
FRAME = struct.Struct("=IIII")
SUBMIT_FENCE = 1
WINDOW = 8 << 30
EIO = 5


class Closed(Exception):
    pass


class Channel:
    def __init__(self, fd):
        self.socket = socket.socket(fileno=fd)
        self.bytes = b""
        self.fds = []

    def receive(self, size):
        while len(self.bytes) < size:
            try:
                data, fds, _, _ = socket.recv_fds(self.socket, 65536, 4)
            except ConnectionResetError:
                raise Closed from None
            if not data:
                raise Closed
            self.bytes += data
            self.fds += fds
        data, self.bytes = self.bytes[:size], self.bytes[size:]
        return data

    def message(self):
        kind, size, count, _ = FRAME.unpack(self.receive(FRAME.size))
        body = self.receive(size)
        fds, self.fds = self.fds[:count], self.fds[count:]
        return kind, body, fds

    def send(self, kind, body, fds=()):
        try:
            socket.send_fds(self.socket, [FRAME.pack(kind, len(body), len(fds), 0) + body], fds)
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever closed it will be noticed when it is read


class Context:
    def __init__(self, guest, number, name, channel):
        self.guest, self.number, self.channel = guest, number, channel
        self.resources = {}  # the peer's id: offset in the window, or None
        self.open = True
        guest.front.command(ctx_create(number, name))

    def resource(self, number):
        return self.number * 1000 + number

    def create_blob(self, body):
        number, flags, blob, size = struct.unpack("=IIQQ", body)
        front = self.guest.front
        error, fd = -EIO, None
        whole = (size + PAGE - 1) // PAGE * PAGE  # as Linux does
        if self.guest.ask(create_blob(self.resource(number), blob, whole, flags=flags,
                                      context=self.number)) == OK:
            offset = self.guest.place(whole)
            if self.guest.ask(map_blob(self.resource(number), offset)) == MAP_INFO:
                error, fd = 0, front.maps[offset][2]
                self.resources[number] = offset
            else:
                front.command(unref(self.resource(number)))
        self.channel.send(EVENT_BLOB, struct.pack("=IiIIQ", number, error, 1, 0, whole if fd else 0),
                          [fd] if fd else [])

    def detach(self, number):
        if self.resources.pop(number, None) is not None:
            self.guest.front.command(unref(self.resource(number)))

    def submit(self, body):
        fence, flags, ring = struct.unpack_from("=QII", body)
        stream = body[16:]
        self.guest.make_room()
        more = {"fence": fence, "ring": ring} if flags & SUBMIT_FENCE else {}
        head = self.guest.front.send(header(0x207, context=self.number, **more) + struct.pack(
            "=II", len(stream), 0) + stream)
        self.guest.submitted[head] = (self, flags & SUBMIT_FENCE, fence, ring)

    def handle(self):
        try:
            kind, body, fds = self.channel.message()
        except Closed:
            self.close()
            return
        check(not fds, "nobody sends descriptors")
        if kind == CREATE_BLOB:
            self.create_blob(body)
        elif kind == DETACH:
            self.detach(struct.unpack("=II", body)[0])
        elif kind == SUBMIT:
            self.submit(body)
        else:
            raise Failure("request %d is not served" % kind)

    def close(self):
        self.open = False
        self.guest.front.command(ctx_destroy(self.number))
        for number in list(self.resources):
            self.detach(number)
        self.channel.socket.close()


class Guest:
    def __init__(self, fd, gpu, render):
        self.main = Channel(fd)
        self.front = FrontEnd(gpu, render=os.path.abspath(render)).start()
        self.contexts = []
        self.submitted = {}  # head: context, fence wanted, fence, ring
        self.next_place = 0
        log = os.path.abspath(self.front.gpu.log_path).encode()
        self.main.send(STARTED, struct.pack("=i256s", self.front.gpu.process.pid, log))

    def make_room(self):
        """For another request. Answers are taken before an entry of the queue is used again."""
        free = self.front.queues[0].free
        if len(free) < 8:
            self.front.wait(lambda: len(free) >= 8, "an answer")
        self.deliver()

    def ask(self, request):
        self.make_room()
        return self.front.take(self.front.send(request)).type

    def place(self, size):
        """A place in the window; what was there long ago is not there any more."""
        if self.next_place + size > WINDOW:
            self.next_place = 0
        offset = self.next_place
        self.next_place += size
        return offset

    def deliver(self):
        """The fences that have retired, in the order in which they did."""
        queue = self.front.queues[0]
        for head in queue.order:
            if head in self.submitted and head in queue.done:
                context, wanted, fence, ring = self.submitted.pop(head)
                del queue.done[head]
                if wanted and context.open:
                    context.channel.send(EVENT_FENCE, struct.pack("=QII", fence, ring, 0))
        queue.order.clear()

    def accept(self):
        _, body, fds = self.main.message()
        number, name = struct.unpack("=I64s", body)
        self.contexts.append(Context(self, number, name.rstrip(b"\0"), Channel(fds[0])))
        self.main.send(OPEN, b"")

    def run(self):
        while True:
            poll = select.poll()
            by_fd = {c.channel.socket.fileno(): c for c in self.contexts}
            for fd in [self.main.socket.fileno(), *by_fd, self.front.backend.fileno(),
                       *(q.calls.read_fd for q in self.front.queues)]:
                poll.register(fd, select.POLLIN)
            buffered = any(c.channel.bytes for c in self.contexts)
            ready = {fd for fd, _ in poll.poll(0 if buffered else None)}
            if self.front.backend.fileno() in ready or any(
                    q.calls.read_fd in ready for q in self.front.queues):
                self.front.pump(0)
            for fd, context in by_fd.items():
                if fd in ready or context.channel.bytes:
                    context.handle()
            self.contexts = [c for c in self.contexts if c.open]
            self.deliver()
            if self.main.socket.fileno() in ready:
                self.accept()


def main():
    guest = Guest(int(sys.argv[1]), sys.argv[2], sys.argv[3])
    try:
        guest.run()
    except Closed:
        check(not guest.contexts, "a context is left")
        check_equal(guest.front.close(), 0, "the exit code of venera-gpu")
    finally:
        guest.front.gpu.finish()


if __name__ == "__main__":
    main()
