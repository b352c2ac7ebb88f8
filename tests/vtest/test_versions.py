#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_versions.py VENERA-VTEST COMPUTE [mesa-25]: a real client's driver keeps to what the capset says:
versions of the wire format, of Vulkan, of the protocol, and the mask of extensions. It works with
each that it can have, on the version of Vulkan that follows, and has no device with the others.
What it reads is changed on its way, by a proxy: the renderer serves every version."""

import array
import os
import re
import socket
import struct
import sys
import threading

import harness
import mesa_25

# what stands before the capset in the answer to GET_CAPSET: length, command, "known"
ANSWER = struct.pack("<3I", 41, 16, 1)
CAPSET_SIZE = 160
WIRE_FORMAT, VK_XML, PROTOCOL, MASK = 0, 4, 12, 20
FEEDBACK = 29  # the number of VK_EXT_transform_feedback


def vulkan(major, minor):
    return major << 22 | minor << 12


class Proxy:
    """Between clients and the server; changes words of the capset: {offset: function}."""

    def __init__(self, path, server):
        self.server = server
        self.changes = {}
        self.changed = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.server)
            for source, target, change in ((client, server, False), (server, client, True)):
                threading.Thread(target=self.pump, args=(source, target, change),
                                 daemon=True).start()

    @staticmethod
    def receive(source, flags=0):
        """One byte, so that descriptors stay with the byte that they came with."""
        fds = array.array("i")
        byte, messages, _, _ = source.recvmsg(1, socket.CMSG_SPACE(16 * fds.itemsize), flags)
        for _, _, data in messages:
            fds.frombytes(data)
        return byte, list(fds)

    def pump(self, source, target, change):
        try:
            while True:
                gathered, (byte, fds) = b"", self.receive(source)
                try:
                    while byte and not fds:
                        gathered += byte
                        byte, fds = self.receive(source, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    byte = None
                target.sendall(self.change(gathered) if change else gathered)
                if fds:
                    socket.send_fds(target, [byte], fds)
                    for fd in fds:
                        os.close(fd)
                elif byte == b"":
                    break
        except OSError:
            pass  # one of them has gone
        for side in (source, target):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def change(self, data):
        start = data.find(ANSWER)
        if start < 0 or len(data) < start + len(ANSWER) + CAPSET_SIZE:
            return data
        self.changed += 1
        data = bytearray(data)
        for offset, function in self.changes.items():
            place = start + len(ANSWER) + offset
            value, = struct.unpack_from("<I", data, place)
            struct.pack_into("<I", data, place, function(value))
        return bytes(data)


def to(value):
    return lambda old: value


def without(number):
    return {MASK + number // 32 * 4: lambda old: old & ~(1 << number % 32)}


# (what is changed, the newest version of Vulkan that the client may have)
CASES = [({PROTOCOL: to(version)}, 4 if version >= 3 else 3) for version in (1, 2, 3, 4)] + [
    ({}, 4),
    ({VK_XML: to(vulkan(1, 3))}, 3),
    ({VK_XML: to(vulkan(1, 2))}, 2),
    ({VK_XML: to(vulkan(1, 1))}, 1),
    # those that are to come
    ({VK_XML: to(vulkan(1, 9)), PROTOCOL: to(99)}, 4),
    ({VK_XML: to(vulkan(1, 0))}, None),
    ({WIRE_FORMAT: to(0)}, None),
    ({WIRE_FORMAT: to(2)}, None),
]
# (what is changed, does the client hear of the feature transformFeedback, of that extension?)
MASKS = [
    ({}, True),
    (without(FEEDBACK), False),
    ({MASK: to(0)}, True),  # without bit 0 the mask does not count
]


def test(server, folder, arguments):
    compute, *driver = arguments
    env, newest = {}, 4
    if driver:
        env, newest = mesa_25.environment(folder), 3
        if not env:
            server.stop()
            harness.skip("Debian 13's own mesa-vulkan-drivers cannot be had")
        env["VN_PERF"] = "no_semaphore_feedback"  # see docs/fences.md
    path = os.path.join(folder, "proxy")
    proxy = Proxy(path, server.socket)
    env["VTEST_SOCKET_NAME"] = path
    host = re.search(r"Vulkan: 1\.(\d+)", harness.finish(
        server.start([compute, "--only=saxpy"], server.host_environment()), [compute]))
    newest = min(newest, int(host.group(1)))

    def run(command, changes, code):
        proxy.changes, proxy.changed = changes, 0
        said = harness.finish(server.start(command, env), command, code=code)
        harness.check(proxy.changed, "the client has not asked for the capset:\n" + said)
        server.expect_idle()
        return said

    for changes, minor in CASES:
        said = run([compute], changes, 0 if minor else 1)
        print({offset: change(~0) for offset, change in changes.items()}, said.splitlines()[-1])
        if minor:
            expected = "Vulkan: 1.%d." % min(minor, newest)
            harness.check("device: Virtio-GPU Venus" in said and expected in said,
                          "it should say '%s':\n%s" % (expected, said))
    for changes, has_feature in MASKS:
        said = run([harness.need("vulkaninfo")], changes, 0)
        found = bool(re.search(r"^\s+transformFeedback\s+= true", said, re.M))
        harness.check(found == has_feature,
                      "transformFeedback is%s there" % ("" if found else " not"))


harness.main(test)
