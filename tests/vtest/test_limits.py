#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_limits.py VENERA-VTEST HARD-TIMES COMPUTE: what one client can have, all can have, and how
long is waited for a render process; with Mesa's driver where it makes a difference. The others go
on."""

import atexit
import os
import socket
import struct
import time

import harness

CREATE_RENDERER, PROTOCOL_VERSION, CONTEXT_INIT, CREATE_BLOB, SYNC_CREATE = 8, 11, 17, 18, 19
VENUS, BLOB_GUEST, BLOB_HOST3D = 4, 1, 2
MIB = 1 << 20


class Raw:
    """A client without Mesa."""

    def __init__(self, server):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(server.socket)
        self.socket.sendall(struct.pack("=2I", 4, CREATE_RENDERER) + b"raw\0")
        self.send(PROTOCOL_VERSION, 4)
        harness.check(self.receive(12) is not None, "the server closes the connection")
        self.send(CONTEXT_INIT, VENUS)

    def send(self, message, *words):
        self.socket.sendall(struct.pack("=%dI" % (2 + len(words)), len(words), message, *words))

    def receive(self, size):
        """None: the connection is closed."""
        data = b""
        try:
            while len(data) < size:
                part, fds, _, _ = socket.recv_fds(self.socket, size - len(data), 1)
                for fd in fds:
                    os.close(fd)
                if not part:
                    return None
                data += part
        except ConnectionResetError:
            return None
        return data

    def create_blob(self, size, kind=BLOB_HOST3D):
        """false: all of the answer comes but the descriptor, and then the end."""
        self.send(CREATE_BLOB, kind, 1, size & 0xffffffff, size >> 32, 0, 0)
        harness.check(self.receive(12) is not None, "there is no answer")
        return self.receive(1) is not None

    def create_sync(self):
        self.send(SYNC_CREATE, 0, 0)
        return self.receive(12) is not None

    def close(self):
        self.socket.close()


class Server(harness.Server):
    def __init__(self, like, name, *options):
        folder = os.path.join(os.path.dirname(like.socket), name)
        os.mkdir(folder)
        super().__init__(like.program, folder, ["--no-spare", *options])
        atexit.register(self.process.kill)

    def finish(self, *lines):
        for line in lines:
            harness.check(line in self.log(), "not in the log: %s\n%s" % (line, self.log()))
        self.stop()


def test_contexts(like):
    server = Server(like, "contexts", "--limit=contexts=2")
    first, second = Raw(server), Raw(server)
    third = socket.socket(socket.AF_UNIX)
    third.connect(server.socket)
    third.sendall(struct.pack("=2I", 4, CREATE_RENDERER) + b"raw\0")
    harness.check(third.recv(1) == b"", "a third context is served")
    first.close()
    harness.wait_until(lambda: len(server.render_processes()) == 1, "the end of the first")
    third = Raw(server)
    harness.check(third.create_blob(4096) and second.create_blob(4096), "no memory")
    server.finish("limit reached: contexts=2")


def test_memory_of_one(like):
    server = Server(like, "one", "--limit=shared-memory=16M", "--limit=context-resources=4",
                    "--limit=syncs=3")
    other = Raw(server)
    for kind in (BLOB_HOST3D, BLOB_GUEST):
        client = Raw(server)
        harness.check(client.create_blob(12 * MIB, kind), "no memory")
        harness.check(not client.create_blob(6000 * MIB, kind), "more memory than there may be")
    client = Raw(server)
    for _ in range(4):
        harness.check(client.create_blob(4096), "no memory")
    client.send(CREATE_BLOB, BLOB_HOST3D, 1, 4096, 0, 0, 0)
    client.receive(12)
    harness.check(client.receive(1) is None, "more resources than there may be")
    client = Raw(server)
    harness.check([client.create_sync() for _ in range(4)] == [True] * 3 + [False], "syncs")
    harness.check(other.create_blob(4096), "another client is harmed")
    server.finish("limit reached: shared-memory=16M", "limit reached: context-resources=4",
                  "limit reached: syncs")


def test_memory_of_all(like):
    server = Server(like, "all", "--limit=shared-memory=80M", "--limit=shared-memory-total=100M")
    first, second = Raw(server), Raw(server)
    harness.check(first.create_blob(70 * MIB), "no memory")
    harness.check(second.create_blob(20 * MIB), "no memory")
    third = Raw(server)
    # the render process has none; what the server then makes itself counts as the client's own
    harness.check(third.create_blob(60 * MIB), "no memory of the client's own")
    harness.wait_until(lambda: "limit reached: shared-memory-total=100M" in server.log(),
                       "the line about the limit")
    first.close()
    harness.wait_until(lambda: len(server.render_processes()) == 2, "the end of the first")
    harness.check(second.create_blob(40 * MIB), "no memory")
    server.finish()


def test_mesa(like, hard_times, compute):
    """Mesa's driver makes an error of it, and the next program is as good as the first."""
    server = Server(like, "mesa", "--limit=memory-objects=1")
    command = [hard_times, "refused"]
    output = harness.finish(server.start(command, {"VN_PERF": "no_async_mem_alloc"}), command, 60,
                            code=None)
    harness.check("VK_ERROR_" in output, "nothing was refused:\n" + output)
    server.finish("limit reached: memory-objects=1")
    server = Server(like, "mesa-objects", "--limit=objects=30")
    # it cannot work; how it ends is its own affair
    harness.finish(server.start([compute, "--driver=venus"]), [compute], 60, code=None)
    server.expect_idle()
    server.finish("limit reached: objects=30")


def test_no_answer(like):
    """One that never answers, and one that cannot even start."""
    program = os.path.join(os.path.dirname(like.socket), "silent")
    with open(program, "w", encoding="ascii") as script:
        script.write("#!/bin/sh\nexec sleep 1000\n")
    os.chmod(program, 0o755)
    server = Server(like, "silent-server", "--render=" + program, "--limit=answer-time=400ms")
    client = Raw(server)
    begin = time.monotonic()
    harness.check(not client.create_blob(4096), "memory of nobody's")
    harness.check(time.monotonic() - begin > 0.35, "it had no time to answer")
    harness.wait_until(lambda: not server.children(), "the end of the process", 10)
    server.finish("the render process has not answered within answer-time=400ms")


def test(server, _, arguments):
    hard_times, compute = arguments
    test_contexts(server)
    test_memory_of_one(server)
    test_memory_of_all(server)
    test_no_answer(server)
    test_mesa(server, hard_times, compute)


if __name__ == "__main__":
    harness.main(test, "--no-spare")
